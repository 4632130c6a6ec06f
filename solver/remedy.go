package solver

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
	"github.com/ringfence/ringfence/solver/trace"
)

// Bounds of the search for a change: how many candidates are solved again for one assertion, how many changes one remedy may hold, how many
// flows are looked at for candidates, and how many sets of controls.
const (
	mostSolves  = 16
	mostEdits   = 3
	mostSamples = 4
	mostCuts    = 4
)

// Remedy is the tightest change that was found to make an assertion hold. It was made in the model, and the model was solved again with it.
// Nothing is applied.
type Remedy struct {
	Changes []Change `json:"changes"` // all of them together; none of them can be left out
	Kept    int      `json:"kept"`    // assertions that hold today and that the change leaves so: of a must all, else those with must
	Beside  []string `json:"beside"`  // other senders whose packets it acts on as well, as far as rule lists tell
	Tried   int      `json:"tried"`   // how many changes were tried, each by solving the project with it
	Reason  string   `json:"reason,omitempty"`
}

// Work is how many nodes of forwarding graphs a run may solve again in its search for changes: verdicts are what a run is for, changes
// come on top. It makes some 150 trials of a graph with 200 nodes, and few of a large one.
const Work = 30_000

// Remedies finds, for each assertion that fails, the tightest change that would make it hold (AZ-GEN-14): a rule removed, narrowed or added,
// a route, a setting. Every candidate is made in the model and the project is solved again with it; it counts when the assertion holds, and
// when assertions with `must` that held still do. What is not looked at for want of work says so.
func (s *Solution) Remedies(results []AssertionResult) {
	nodes := len(s.graph.Nodes)
	left := max(1, Work/(nodes*max(1, nodes/1_000))) // looking for candidates grows with the graph as well
	for i := range results {
		a := &results[i]
		if a.Verdict != Fail {
			continue
		}
		s.progress(i, len(results), "change for "+a.ID)
		a.Remedy = s.remedy(a, results, &left)
	}
	s.progress(len(results), len(results), "changes")
}

// unsought is why an assertion has no change where others took all work.
const unsought = "not looked for: the work that a run spends on changes was used up by assertions before it"

// mostKept is the nodes of a graph of which trials are kept whole for a set of edits that comes up again.
const mostKept = 2_000

// search looks for the change of one assertion.
type search struct {
	s     *Solution
	a     model.Assertion
	ask   func(s *Solution) []*query // what must not be, in a world
	name  string                     // of new rules
	edits int                        // the most changes
	solve int                        // the most worlds
	hold  []model.Assertion          // that must go on holding
	left  *int
	tried int
	seen  map[string]trial  // sets of edits that were tried
	spare []model.Assertion // what must go on passing: exceptions, and what an `only` allows, where something passes today
	short bool              // ended for want of work
}

// trial is the project with some edits, and what became of the assertion; without a solution where the edits cannot be made.
type trial struct {
	s      *Solution
	weight int  // flows that must not be, or connections that are missing
	done   bool // it holds, and what must stay does
}

func (s *Solution) remedy(a *AssertionResult, results []AssertionResult, left *int) *Remedy {
	r := &search{s: s, a: a.Assertion, name: a.Assertion.ID, edits: mostEdits, solve: mostSolves, left: left, seen: map[string]trial{}}
	r.ask = func(s *Solution) []*query {
		q, err := s.asked(r.a, &AssertionResult{})
		if err != nil {
			return nil
		}
		return []*query{q}
	}
	r.a.Except = nil
	for _, w := range a.Assertion.Except {
		if s.o.AsOf.IsZero() || !w.Expires.Before(s.o.AsOf) {
			r.a.Except = append(r.a.Except, w)
		}
	}
	for _, other := range results {
		if other.Verdict == Pass && (other.Assertion.Verb == model.VerbMust || a.Assertion.Verb == model.VerbMust) {
			r.hold = append(r.hold, other.Assertion)
		}
	}
	out := &Remedy{Changes: []Change{}, Beside: []string{}}
	late := ""
	if len(a.Expired) > 0 {
		late = "the exception that has expired must be renewed or taken out: "
	}
	if late != "" && len(a.Violations) == 0 && a.Assertion.Verb != model.VerbMust {
		out.Reason = late + "nothing passes that needs it"
		return out
	}
	if *left <= 0 { // what could be tried is not worth looking for
		out.Reason = unsought
		return out
	}
	from, why := s, ""
	if a.Assertion.Verb == model.VerbMust {
		if from, why = r.opened(); from == nil {
			out.Reason = why
			return out
		}
	}
	r.spared()
	edits := r.descend(from, nil, rankWide)
	if len(edits) == 0 && !r.short {
		edits = r.descend(from, nil, rankLast)
	}
	out.Tried = r.tried
	switch {
	case len(edits) > 0:
		edits = r.leaner(edits)
		out.Tried, out.Kept = r.tried, len(r.hold)
		r.say(out, edits)
		out.Reason = strings.TrimSuffix(late, ": ")
	case r.short && r.tried == 0:
		out.Reason = unsought
	case r.short:
		out.Reason = fmt.Sprintf("none found among the first %d: the work that a run spends on changes is used up", r.tried)
	case r.tried == 0:
		out.Reason = "none found: no rule, route or setting that could be tried lies on the way"
	default:
		out.Reason = fmt.Sprintf("none found among %d that were tried: more than one control would have to change, or one that ringfence does not change", r.tried)
	}
	return out
}

// say prints what was found.
func (r *search) say(out *Remedy, edits []edit) {
	for _, e := range edits {
		c := e.change
		if c.At == nil {
			c.At = []string{}
		}
		out.Changes = append(out.Changes, c)
		out.Beside = append(out.Beside, e.others...)
	}
	slices.Sort(out.Beside)
	out.Beside = slices.Compact(out.Beside)
}

// try solves the project with some edits.
func (r *search) try(edits []edit) trial {
	keys := make([]string, len(edits))
	for i, e := range edits {
		keys[i] = e.key
	}
	slices.Sort(keys)
	key := strings.Join(keys, "\n")
	if t, ok := r.seen[key]; ok {
		return t
	}
	if *r.left <= 0 || r.tried >= r.solve {
		r.short = r.short || *r.left <= 0
		return trial{}
	}
	r.seen[key] = trial{}
	d := newDraft(r.s.Project.Estate)
	for _, e := range edits {
		if !e.apply(d) {
			return trial{}
		}
	}
	estate, err := d.estate()
	if err != nil {
		return trial{}
	}
	*r.left--
	r.tried++
	p := *r.s.Project
	p.Estate = estate
	o := r.s.o
	o.Progress, o.Alone, o.Questions = nil, false, nil
	if r.a.Verb == model.VerbMust {
		o.Explain, o.Questions = true, r.ends()
	}
	next, err := Solve(&p, o)
	if err != nil {
		return trial{} // a selector of the intent selects nothing any more, or a budget is exceeded
	}
	next.trial = true
	t := trial{s: next, weight: r.weight(next)}
	if t.weight == 0 {
		t.done = r.proved(next) && r.holds(next)
	}
	r.seen[key] = t
	if len(next.graph.Nodes) > mostKept {
		r.seen[key] = trial{weight: t.weight, done: t.done}
	}
	return t
}

// proved reports whether the assertion holds; a search without one has its proof in the weight: nothing may be delivered.
func (r *search) proved(s *Solution) bool {
	if r.a.ID == "" {
		return true
	}
	res, err := s.Check(r.a)
	return err == nil && res.Verdict == Pass
}

// holds reports whether what must stay does: assertions that hold today, and what is meant to pass.
func (r *search) holds(s *Solution) bool {
	for _, a := range r.hold {
		if res, err := s.Check(a); err != nil || res.Verdict != Pass {
			return false
		}
	}
	for _, a := range r.spare {
		if res, err := s.Check(a); err != nil || res.Verdict == Pass {
			return false // nothing of it passes any more
		}
	}
	return true
}

// spared lists what is meant to pass and does today, as assertions that nothing passes: a change that closes one of them closes too much.
func (r *search) spared() {
	bare := r.a
	bare.Verb, bare.Except, bare.Via = model.VerbDeny, nil, nil
	add := func(a model.Assertion) {
		if res, err := r.s.Check(a); err == nil && res.Verdict != Pass {
			r.spare = append(r.spare, a)
		}
	}
	switch r.a.Verb {
	case model.VerbMust:
		return
	case model.VerbOnly:
		add(bare)
	default:
	}
	for _, w := range r.a.Except {
		a := bare
		if len(w.From) > 0 {
			a.From = w.From
		}
		if len(w.To) > 0 {
			a.To = w.To
		}
		a.Services = w.Services
		add(a)
	}
}

// descend tries candidates of a world whose ranks are less than most, the tightest first, and goes on from the one that leaves the least where
// none suffices.
func (r *search) descend(at *Solution, before []edit, most int) []edit {
	type step struct {
		s     *Solution
		edits []edit
		left  int
	}
	best, other := step{left: r.weight(at)}, step{}
	for _, set := range r.candidates(at) {
		edits := slices.Concat(before, set)
		if len(edits) > r.edits || slices.ContainsFunc(set, func(e edit) bool { return e.rank >= most }) {
			continue
		}
		t := r.try(edits)
		switch {
		case t.done:
			return edits
		case t.s == nil || t.weight == 0:
			continue
		}
		switch n := t.weight; {
		case n < best.left:
			best = step{t.s, edits, n}
		case n == best.left && other.s == nil && len(before) == 0: // no fewer flows, and perhaps past another control
			other = step{t.s, edits, n}
		}
	}
	for _, next := range []step{best, other} {
		if next.s == nil || len(next.edits) >= r.edits || r.short {
			continue
		}
		if found := r.descend(next.s, next.edits, most); found != nil {
			return found
		}
	}
	return nil
}

// weight is how far an assertion is from holding: how many pairs have a flow that must not be, or that is missing.
func (r *search) weight(s *Solution) int {
	if r.a.Verb == model.VerbMust {
		res, err := s.Check(r.a)
		if err != nil || res.Verdict == Pass {
			return 0
		}
		return strings.Count(res.Reason, ";") + 1
	}
	n := 0
	for _, q := range r.ask(s) {
		for _, set := range (&explainer{s: s, q: q}).world(dataplane.Hypothesis{}, nil).arrived {
			n += len(s.groupsIn(set))
		}
	}
	return n
}

// leaner leaves out what a set of edits does not need.
func (r *search) leaner(edits []edit) []edit {
	for i := 0; i < len(edits) && len(edits) > 1; {
		fewer := slices.Delete(slices.Clone(edits), i, i+1)
		if r.try(fewer).done {
			edits = fewer
			continue
		}
		i++
	}
	return edits
}

// candidates are sets of edits, each of which may do, the tightest first.
func (r *search) candidates(s *Solution) [][]edit {
	if r.a.Verb == model.VerbMust {
		return r.openers(s)
	}
	var out [][]edit
	for _, q := range r.ask(s) {
		for _, e := range r.settings(s, q) {
			out = append(out, []edit{e})
		}
		out = append(out, r.cuts(s, q)...)
	}
	score := func(set []edit) int {
		n := 1000 * (len(set) - 1)
		for _, e := range set {
			n += 10*e.rank + min(len(e.others), 90) + 3*min(e.longer, 9)
		}
		return n
	}
	slices.SortStableFunc(out, func(a, b []edit) int { return cmp.Compare(score(a), score(b)) })
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(set []edit) bool {
		key := ""
		for _, e := range set {
			key += e.key + "\n"
		}
		dup := seen[key]
		seen[key] = true
		return dup
	})
}

// passing are the packets that each part of a control lets pass today, whoever sends them.
func (s *Solution) passing(control string) map[partKey]packet.Set {
	out, ok := s.passed[control]
	if !ok {
		out = map[partKey]packet.Set{}
		for _, m := range s.flood(dataplane.Over).Passing(control) {
			k := partKey{m.Control.Key, m.Part.Rule, sourceText(m.Part.Source)}
			out[k] = s.graph.Space.Union(out[k], m.Packets)
		}
		if s.passed == nil {
			s.passed = map[string]map[partKey]packet.Set{}
		}
		s.passed[control] = out
	}
	return out
}

type partKey struct{ control, rule, source string }

// cuts are edits of the smallest sets of rule lists which could stop all that must not be.
func (r *search) cuts(s *Solution, q *query) [][]edit {
	x := &explainer{s: s, q: q, parts: map[string][]dataplane.Met{}}
	today := x.world(dataplane.Hypothesis{}, nil)
	if len(today.arrived) == 0 {
		return nil
	}
	x.back = x.toTarget(today)
	sets, _ := x.stopping()
	slices.SortFunc(sets, slices.Compare)
	back := x.violating(today)
	byControl := map[string][]dataplane.Met{}
	for _, m := range today.Met(back, true) {
		byControl[m.Control.Key] = append(byControl[m.Control.Key], m)
	}
	options := map[string][][]edit{} // by control: each closes it
	var out [][]edit
	for _, set := range sets[:min(len(sets), mostCuts)] {
		combined := [][]edit{nil}
		for _, key := range set {
			list, ok := options[key]
			if !ok {
				list = r.closing(s, key, byControl[key])
				options[key] = list
			}
			var more [][]edit
			for _, before := range combined {
				for _, edits := range list {
					more = append(more, slices.Concat(before, edits))
				}
			}
			combined = more[:min(len(more), 2*mostCuts)]
		}
		if len(set) > 0 {
			out = append(out, combined...)
		}
	}
	return out
}

// violating is the packets at each node that go on to be what must not be.
func (x *explainer) violating(w world) map[dataplane.NodeID]packet.Set {
	space := x.s.graph.Space
	back := w.Back(w.arrived, space.All())
	merge := func(more map[dataplane.NodeID]packet.Set) {
		for n, set := range more {
			back[n] = space.Union(back[n], set)
		}
	}
	for n := range x.q.to.entry {
		if set := w.arrived[n]; !set.Empty() {
			merge(w.Through(n, set))
		}
	}
	used := make([]bool, len(x.s.relays))
	for grown := !x.q.direct; grown; {
		grown = false
		for i, r := range x.s.relays {
			if used[i] || x.q.avoids(r.place) || !x.sends(back, r.from) {
				continue
			}
			used[i], grown = true, true
			merge(w.Back(map[dataplane.NodeID]packet.Set{r.at: space.Intersect(w.At(r.at), r.accept)}, space.All()))
		}
	}
	return back
}

// part is what one rule lets pass: what must not be, and everything.
type badPart struct {
	rule, source string
	bad, all     packet.Set
}

// closing lists sets of edits of one control, each of which stops what must not be there.
func (r *search) closing(s *Solution, key string, met []dataplane.Met) [][]edit {
	space := s.graph.Space
	var parts []badPart
	var bad, all packet.Set
	at := map[partKey]int{}
	var places []string
	for _, m := range met {
		k := partKey{key, m.Part.Rule, sourceText(m.Part.Source)}
		i, ok := at[k]
		if !ok {
			i = len(parts)
			at[k] = i
			parts = append(parts, badPart{rule: m.Part.Rule, source: k.source})
		}
		parts[i].bad = space.Union(parts[i].bad, m.Packets)
		if ref := s.placeRef(m.Control.Place); !slices.Contains(places, ref) && len(places) < mostPlaces {
			places = append(places, ref)
		}
	}
	slices.Sort(places)
	for k, set := range s.passing(key) {
		all = space.Union(all, set)
		if i, ok := at[k]; ok {
			parts[i].all = set
		}
	}
	for _, p := range parts {
		bad = space.Union(bad, p.bad)
	}
	if bad.Empty() {
		return nil
	}
	var out [][]edit
	finished := func(e edit, stage string) edit {
		for _, g := range s.groupsIn(e.beside) {
			e.others = append(e.others, s.groups[g].ref)
		}
		if !e.beside.Empty() && e.rank < rankWide {
			e.rank = rankWide
		}
		e.change.At = places
		if e.change.Stage == "" {
			e.change.Stage = stage
		}
		return e
	}
	add := func(e edit, stage string) { out = append(out, []edit{finished(e, stage)}) }
	// One edit for each rule, where they are few.
	each := func(stage string, edits func(p badPart) []edit) {
		if len(parts) == 0 || len(parts) > mostEdits {
			return
		}
		sets := [][]edit{nil}
		for _, p := range parts {
			list := edits(p)
			var more [][]edit
			for _, before := range sets {
				for _, e := range list {
					more = append(more, append(slices.Clone(before), finished(e, stage)))
				}
			}
			sets = more[:min(len(more), 2*mostCuts)]
		}
		out = append(out, sets...)
	}
	kind, rest, _ := strings.Cut(key, "|")
	switch kind {
	case "nsg":
		id, dir, _ := strings.Cut(rest, "|")
		n, ok := model.Get[*model.NSG](s.Project.Estate, model.ID(id))
		if !ok {
			return nil
		}
		direction, stage := model.Inbound, "nsg-inbound"
		if dir == model.Outbound.String() {
			direction, stage = model.Outbound, "nsg-outbound"
		}
		managed := 0
		if n.Managed {
			managed = rankManaged
		}
		rule := func(p badPart) (model.SecurityRule, bool) {
			i := slices.IndexFunc(n.Rules, func(x model.SecurityRule) bool {
				return x.Direction == direction && strings.HasSuffix(p.rule, "/"+x.Name) && x.Access != model.Deny && sourceText(x.Source) == p.source
			})
			if i < 0 {
				return model.SecurityRule{}, false
			}
			return n.Rules[i], true
		}
		each(stage, func(p badPart) []edit {
			x, found := rule(p)
			if !found {
				return nil
			}
			var list []edit
			if !x.Default {
				list = r.narrowed(s, n, x, p.bad, p.all)
				e := changeRule(n, x, "remove it", rankRule, nil)
				e.beside = space.Subtract(p.all, p.bad)
				list = append(list, e)
			}
			if shapes, has := s.shapesOf(p.bad); has && len(parts) > 1 {
				if e, fits := s.newRules(n, direction, model.Deny, ruleName("Deny", r.name), shapes, x); fits {
					e.beside = space.Subtract(space.Intersect(all, held(space, shapes)), bad)
					list = append(list, e)
				}
			}
			for i := range list {
				list[i].rank += managed
			}
			return list
		})
		first, found := model.SecurityRule{Priority: 1 << 20}, false
		for _, p := range parts {
			if x, has := rule(p); has && x.Priority < first.Priority {
				first, found = x, true
			}
		}
		if shapes, has := s.shapesOf(bad); has && found {
			if e, fits := s.newRules(n, direction, model.Deny, ruleName("Deny", r.name), shapes, first); fits {
				e.rank += managed
				e.beside = space.Subtract(space.Intersect(all, held(space, shapes)), bad)
				add(e, stage)
			}
		}
	case "firewall":
		each("firewall-network", func(p badPart) []edit {
			list := firewallEdits(s, p.rule, p.source, p.bad)
			for i := range list {
				if list[i].rank != rankNarrow { // else a field of the rule, less what must not be there
					list[i].beside = space.Subtract(p.all, p.bad)
				}
			}
			return list
		})
		if f, ok := model.Get[*model.Firewall](s.Project.Estate, model.ID(rest)); ok {
			if shapes, has := s.shapesOf(bad); has {
				if e, fits := s.firewallRule(f, model.Deny, ruleName("Deny", r.name), shapes); fits {
					e.beside = space.Subtract(space.Intersect(all, held(space, shapes)), bad)
					add(e, "firewall-network")
				}
			}
		}
	case "policy":
		stage := "pod-ingress"
		if strings.HasSuffix(key, "egress") {
			stage = "pod-egress"
		}
		each(stage, func(p badPart) []edit {
			list := policyEdits(s, p.rule, p.source, s.portsOf(p.bad))
			for i := range list {
				if list[i].rank != rankNarrow {
					list[i].beside = space.Subtract(p.all, p.bad)
				}
			}
			return list
		})
	case "door":
		if svc, ok := model.Get[*model.Service](s.Project.Estate, model.ID(rest)); ok {
			for _, e := range doorEdits(svc, s.blocksOf(bad, packet.Src)) {
				e.beside = space.Subtract(all, bad)
				add(e, "service-firewall")
			}
		}
	default: // admin rules, a WAF, authorized ranges: nothing that is tried
	}
	return out
}

// held is what some rules match.
func held(space *packet.Space, shapes []shape) packet.Set {
	var out packet.Set
	for _, x := range shapes {
		out = space.Union(out, x.set)
	}
	return out
}

// narrowed lists ways to take out of one field of a rule what must not be there.
func (r *search) narrowed(s *Solution, n *model.NSG, x model.SecurityRule, bad, all packet.Set) []edit {
	space := s.graph.Space
	var out []edit
	if ports := s.portsOf(bad); ports != nil && x.Protocol != model.AnyProtocol {
		if kept := less(x.DestPorts, ports); len(kept) > 0 && len(kept) <= mostPorts && !slices.Equal(kept, x.DestPorts) {
			e := changeRule(n, x, "destination ports "+joinPorts(x.DestPorts)+" -> "+joinPorts(kept), rankNarrow, func(c *model.SecurityRule) {
				c.DestPorts = kept
			})
			e.beside = space.Subtract(space.Intersect(all, space.Box(packet.Box{Protocol: value(uint32(x.Protocol)), DPort: ports})), bad)
			out = append(out, e)
		}
	}
	for _, side := range []struct {
		field packet.Field
		name  string
		match model.AddressMatch
		set   func(*model.SecurityRule, model.AddressMatch)
	}{
		{packet.Src, "source", x.SourceAddrs, func(c *model.SecurityRule, m model.AddressMatch) { c.SourceAddrs = m }},
		{packet.Dst, "destination", x.DestAddrs, func(c *model.SecurityRule, m model.AddressMatch) { c.DestAddrs = m }},
	} {
		blocks := s.blocksOf(bad, side.field)
		if kept, ok := withoutBlocks(side.match, blocks); ok {
			var classes []packet.Range
			for _, b := range blocks {
				for _, c := range s.classesWithin(b) {
					classes = spannedAll(classes, c)
				}
			}
			box := packet.Box{Src: classes}
			if side.field == packet.Dst {
				box = packet.Box{Dst: classes}
			}
			e := changeRule(n, x, side.name+" "+matchText(side.match)+" -> "+matchText(kept), rankNarrow, func(c *model.SecurityRule) { side.set(c, kept) })
			e.longer = max(0, len(kept.Prefixes)-len(side.match.Prefixes))
			e.beside = space.Subtract(space.Intersect(all, space.Box(box)), bad)
			out = append(out, e)
		}
		// What is excepted is what the rule is for: it may say so itself.
		far := r.a.Except
		if !side.match.Any || len(far) == 0 {
			continue
		}
		var only model.AddressMatch
		fits := true
		for _, w := range far {
			sels := w.From
			if side.field == packet.Dst {
				sels = w.To
			}
			for _, sel := range sels {
				switch {
				case sel.Kind == model.SelTag && !sel.Not:
					only.Tags = append(only.Tags, sel.Parts[0])
				case (sel.Kind == model.SelIP || sel.Kind == model.SelCIDR) && !sel.Not:
					only.Prefixes = append(only.Prefixes, sel.Prefix)
				default:
					fits = false
				}
			}
			fits = fits && len(sels) > 0
		}
		if fits && !only.IsZero() {
			e := changeRule(n, x, side.name+" * -> "+matchText(only), rankNarrow, func(c *model.SecurityRule) { side.set(c, only) })
			out = append(out, e)
		}
	}
	return out
}

// settings lists edits of what is no rule list, on the ways of some flows that must not be: routes past the places of a `through`, NAT rules,
// endpoint policies, filters that are missing, addresses, peerings.
func (r *search) settings(s *Solution, q *query) []edit {
	rows := s.rows(q)
	slices.SortStableFunc(rows, func(a, b row) int { return quality(b) - quality(a) })
	var out []edit
	seen := map[string]bool{}
	add := func(e edit) {
		if !seen[e.key] {
			seen[e.key] = true
			out = append(out, e)
		}
	}
	var via []*model.Firewall
	for _, p := range q.avoid {
		if f, ok := model.Get[*model.Firewall](s.Project.Estate, p.ID); ok && p.Kind == model.PlaceFirewall && f.Address.IsValid() {
			via = append(via, f)
		}
	}
	for _, row := range rows[:min(len(rows), mostSamples)] {
		for _, l := range s.rowLegs(q, row) {
			for i, h := range l.way {
				switch h.Stage {
				case trace.Routing:
					for _, f := range via {
						routeEdits(s, h, f, add)
					}
					if len(via) == 0 {
						tableEdits(s, h, add)
					}
				case trace.FirewallDNAT:
					for _, e := range firewallEdits(s, h.Rule, sourceText(h.Source), packet.Set{}) {
						add(e)
					}
				default:
				}
				if i == len(l.way)-1 {
					r.atTarget(s, h, add)
				}
			}
			if len(l.way) == 0 {
				continue
			}
			isolations(s, l.made.From, model.Outbound, add)
			isolations(s, l.way[len(l.way)-1].At, model.Inbound, add)
			if n, ok := model.Get[*model.NIC](s.Project.Estate, l.way[len(l.way)-1].At.ID); ok && l.made.From.Kind == model.PlaceInternet {
				addressEdits(s, n, add)
			}
		}
	}
	return out
}

// atTarget lists edits where a packet was delivered.
func (r *search) atTarget(s *Solution, h trace.Hop, add func(edit)) {
	e := s.Project.Estate
	if pe, ok := model.Get[*model.PrivateEndpoint](e, h.At.ID); ok {
		if sub, found := model.Get[*model.Subnet](e, pe.Subnet); found && sub.EndpointPolicies != model.PoliciesEnabled {
			add(edit{
				key: "policies|" + sub.ID.Key(),
				change: Change{
					Kind: "setting", At: []string{s.placeRef(model.Place{Kind: model.PlaceSubnet, ID: sub.ID})}, Stage: "subnet-nsg-inbound", Rule: sub.ID.ShortName() + "/privateEndpointNetworkPolicies",
					Source: sourceText(sub.Source), Detail: "NSG and route tables act on its private endpoints (AZ-PE-03)", Change: sub.EndpointPolicies.String() + " -> Enabled",
				},
				rank: rankRule,
				apply: func(d *draft) bool {
					c, has := drafted[model.Subnet](d, sub.ID)
					if has {
						c.EndpointPolicies = model.PoliciesEnabled
					}
					return has
				},
			})
		}
	}
}

// isolations deny a workload's pods one direction that no policy isolates: other policies may admit what they need.
func isolations(s *Solution, at model.Place, dir model.Direction, add func(edit)) {
	w, ok := model.Get[*model.Workload](s.Project.Estate, at.ID)
	if !ok || at.Kind != model.PlacePod || len(w.Labels) == 0 || w.HostNetwork {
		return
	}
	for _, n := range s.Project.Estate.NetPolicies {
		if may, _ := n.Pods.Selects(w.Labels, nil); may && n.Isolates[dir] && n.Namespace == w.Namespace && n.Cluster.Key() == w.Cluster.Key() {
			return
		}
	}
	word := map[model.Direction]string{model.Inbound: "ingress", model.Outbound: "egress"}[dir]
	n := &model.NetworkPolicy{
		Meta:    model.Meta{ID: model.Kubernetes(w.Cluster.Name(), "NetworkPolicy", w.Namespace, "deny-"+word+"-"+w.Name()), Source: w.Source},
		Cluster: w.Cluster, Namespace: w.Namespace, Pods: model.LabelSelector{Match: w.Labels},
	}
	n.Isolates[dir] = true
	if _, taken := s.Project.Estate.Lookup(n.ID); taken {
		return
	}
	add(edit{
		key: "isolate|" + n.ID.Key(), rank: rankFilter,
		change: Change{
			Kind: "rule", At: []string{s.placeRef(at)}, Stage: "pod-" + word, Rule: w.Namespace + "/" + n.Name(), Source: sourceText(w.Source), Detail: "no policy isolates the " + word + " of these pods",
			Change: "a new NetworkPolicy that denies all " + word + " of the pods of " + w.Namespace + "/" + w.Name(),
		},
		apply: func(d *draft) bool {
			d.put(n)
			return true
		},
	})
}

// addressEdits take public addresses from a machine.
func addressEdits(s *Solution, n *model.NIC, add func(edit)) {
	for i, c := range n.IPConfigs {
		if c.PublicIP == "" {
			continue
		}
		add(edit{
			key: "publicip|" + n.ID.Key() + "|" + c.Name,
			change: Change{
				Kind: "setting", At: []string{s.placeRef(model.Place{Kind: model.PlaceNIC, ID: n.ID})}, Stage: "dnat", Rule: n.Name() + "/ipConfigurations/" + c.Name, Source: sourceText(c.Source),
				Change: "no public address: take " + c.PublicIP.Name() + " away",
			},
			rank: rankAddress,
			apply: func(d *draft) bool {
				x, ok := drafted[model.NIC](d, n.ID)
				if !ok || i >= len(x.IPConfigs) {
					return false
				}
				x.IPConfigs = slices.Clone(x.IPConfigs)
				x.IPConfigs[i].PublicIP = ""
				for _, ip := range s.Project.Estate.PublicIPs {
					if ip.ID.Key() == c.PublicIP.Key() {
						if y, has := drafted[model.PublicIP](d, ip.ID); has {
							y.AttachedTo = ""
						}
					}
				}
				return true
			},
		})
	}
}

// routeEdits lead packets of a subnet through a firewall: a route of the same prefix wins over the system's (AZ-RT-19).
func routeEdits(s *Solution, h trace.Hop, f *model.Firewall, add func(edit)) {
	e := s.Project.Estate
	if h.Route == nil || !h.Route.Prefix.IsValid() || h.Route.NextHopIP == f.Address && h.Route.NextHopType == model.HopAppliance {
		return
	}
	route := model.UserRoute{Name: "to-" + f.Name(), Prefix: h.Route.Prefix, NextHop: model.HopAppliance, Address: f.Address}
	what := h.Route.Prefix.String() + " -> VirtualAppliance " + f.Address.String()
	change := func(rule, source, detail, text string) Change {
		return Change{Kind: "setting", At: []string{s.placeRef(h.At)}, Stage: "route", Rule: rule, Source: source, Detail: detail, Change: text}
	}
	if h.Route.RouteTable != "" { // a route of people's own leads past the firewall
		for _, t := range e.RouteTables {
			i := slices.IndexFunc(t.Routes, func(x model.UserRoute) bool {
				return sourceText(x.Source) == sourceText(h.Source) && x.Prefix == h.Route.Prefix
			})
			if i < 0 {
				continue
			}
			add(edit{
				key:    "route|" + t.ID.Key() + "|" + what,
				change: change(t.Name()+"/routes/"+t.Routes[i].Name, sourceText(t.Routes[i].Source), "now "+string(t.Routes[i].NextHop), "another next hop: "+what),
				rank:   rankRoute,
				apply: func(d *draft) bool {
					c, ok := drafted[model.RouteTable](d, t.ID)
					if ok {
						c.Routes = slices.Clone(c.Routes)
						c.Routes[i].NextHop, c.Routes[i].Address = route.NextHop, route.Address
					}
					return ok
				},
			})
		}
		return
	}
	sub, ok := model.Get[*model.Subnet](e, h.Source.Resource)
	if !ok {
		return
	}
	where := s.placeRef(model.Place{Kind: model.PlaceSubnet, ID: sub.ID})
	if t, has := model.Get[*model.RouteTable](e, sub.RouteTable); has {
		route.Source = t.Source
		add(edit{
			key:    "route|" + t.ID.Key() + "|" + what,
			change: change(t.Name(), sourceText(t.Source), "the route table of "+where, "a new route: "+what),
			rank:   rankRoute,
			apply: func(d *draft) bool {
				c, found := drafted[model.RouteTable](d, t.ID)
				if found {
					c.Routes = append(slices.Clone(c.Routes), route)
				}
				return found
			},
		})
		return
	}
	if sub.RouteTable != "" {
		return // not in the input
	}
	for _, t := range tablesThrough(e, f.Address, h.Route.Prefix, sub) {
		add(attached(s, sub, t, h, "attach route table "+t.Name()+" ("+what+")", rankRoute))
	}
	route.Source = sub.Source
	name := "rt-" + sub.Name()
	for taken := true; taken; {
		if _, taken = e.Lookup(newID(sub.VNet, "routeTables", name)); taken {
			name += "-new"
		}
	}
	table := &model.RouteTable{Meta: model.Meta{ID: newID(sub.VNet, "routeTables", name), Source: sub.Source}, Routes: []model.UserRoute{route}}
	add(attached(s, sub, table, h, "attach a new route table with "+what, rankRoute+1))
}

// tableEdits attach to a subnet without a route table, whose packets the system sends to the internet, the table that leads those of its
// neighbours to an appliance.
func tableEdits(s *Solution, h trace.Hop, add func(edit)) {
	e := s.Project.Estate
	if h.Route == nil || h.Route.NextHopType != model.HopInternet || h.Route.RouteTable != "" || !h.Route.Prefix.IsValid() {
		return
	}
	sub, ok := model.Get[*model.Subnet](e, h.Source.Resource)
	if !ok || sub.RouteTable != "" {
		return
	}
	seen := map[netip.Addr]bool{}
	for _, t := range e.RouteTables {
		for _, x := range t.Routes {
			if x.NextHop != model.HopAppliance || x.Prefix != h.Route.Prefix || seen[x.Address] {
				continue
			}
			seen[x.Address] = true
			for _, t := range tablesThrough(e, x.Address, x.Prefix, sub) {
				add(attached(s, sub, t, h, "attach route table "+t.Name()+" ("+x.Prefix.String()+" -> VirtualAppliance "+x.Address.String()+")", rankFilter))
			}
		}
	}
}

// attached gives a subnet a route table.
func attached(s *Solution, sub *model.Subnet, t *model.RouteTable, h trace.Hop, text string, rank int) edit {
	where := s.placeRef(model.Place{Kind: model.PlaceSubnet, ID: sub.ID})
	return edit{
		key:    "table|" + sub.ID.Key() + "|" + t.ID.Key() + "|" + text,
		change: Change{Kind: "setting", At: []string{s.placeRef(h.At)}, Stage: "route", Rule: where, Source: sourceText(sub.Source), Detail: "it has no route table", Change: text},
		rank:   rank,
		apply: func(d *draft) bool {
			c, found := drafted[model.Subnet](d, sub.ID)
			if found {
				d.put(t)
				c.RouteTable = t.ID
			}
			return found
		},
	}
}

// newID is the ID of a resource beside a VNet.
func newID(vnet model.ID, kind, name string) model.ID {
	before, _, ok := strings.Cut(string(vnet), "/virtualNetworks/")
	if !ok {
		return model.ID("/new/" + kind + "/" + name)
	}
	return model.ID(before + "/" + kind + "/" + name)
}

// tablesThrough lists the route tables of other subnets of a VNet that lead a prefix to an address, the one of most subnets first.
func tablesThrough(e *model.Estate, a netip.Addr, p netip.Prefix, sub *model.Subnet) []*model.RouteTable {
	uses := map[string]int{}
	for _, x := range e.Subnets {
		if x.RouteTable != "" && x.VNet.Key() == sub.VNet.Key() {
			uses[x.RouteTable.Key()]++
		}
	}
	var out []*model.RouteTable
	for _, t := range e.RouteTables {
		if uses[t.ID.Key()] > 0 && slices.ContainsFunc(t.Routes, func(r model.UserRoute) bool { return r.Address == a && r.Prefix == p }) {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(x, y *model.RouteTable) int { return uses[y.ID.Key()] - uses[x.ID.Key()] })
	return out[:min(len(out), 2)]
}

// firewallEdits remove a rule of a firewall, or take out of it what must not be there.
func firewallEdits(s *Solution, rule, source string, bad packet.Set) []edit {
	e := s.Project.Estate
	var out []edit
	in := func(list []model.RuleCollection, id model.ID, write func(d *draft, list func([]model.RuleCollection) ([]model.RuleCollection, bool)) bool) {
		for _, c := range list {
			for _, x := range c.Rules {
				if sourceText(x.Source) != source || !strings.HasSuffix(rule, "/"+c.Name+"/"+x.Name) {
					continue
				}
				stage := map[model.RuleKind]string{model.DNATRules: "firewall-dnat", model.NetworkRules: "firewall-network", model.ApplicationRules: "firewall-application"}[c.Kind]
				add := func(text string, rank int, change func(*model.FirewallRule)) {
					out = append(out, edit{
						key:    "firewall|" + id.Key() + "|" + c.Name + "/" + x.Name + "|" + text,
						change: Change{Kind: "rule", At: []string{}, Stage: stage, Rule: rule, Source: source, Change: text},
						rank:   rank,
						apply: func(d *draft) bool {
							return write(d, func(have []model.RuleCollection) ([]model.RuleCollection, bool) {
								return editCollection(have, c.Name, x.Name, change)
							})
						},
					})
				}
				for _, side := range []struct {
					field packet.Field
					name  string
					match model.AddressMatch
					set   func(*model.FirewallRule, model.AddressMatch)
				}{
					{packet.Src, "source", x.Sources, func(r *model.FirewallRule, m model.AddressMatch) { r.Sources = m }},
					{packet.Dst, "destination", x.Dests, func(r *model.FirewallRule, m model.AddressMatch) { r.Dests = m }},
				} {
					if bad.Empty() {
						break
					}
					if kept, ok := withoutBlocks(side.match, s.blocksOf(bad, side.field)); ok {
						add(side.name+" "+matchText(side.match)+" -> "+matchText(kept), rankNarrow, func(r *model.FirewallRule) { side.set(r, kept) })
						out[len(out)-1].longer = max(0, len(kept.Prefixes)-len(side.match.Prefixes))
					}
				}
				if names := s.namesOf(bad); len(names) > 0 {
					kept := slices.DeleteFunc(slices.Clone(x.FQDNs), func(f string) bool { return slices.Contains(names, strings.ToLower(f)) })
					if len(kept) > 0 && len(kept) < len(x.FQDNs) {
						add("FQDNs "+strings.Join(x.FQDNs, ", ")+" -> "+strings.Join(kept, ", "), rankNarrow, func(r *model.FirewallRule) { r.FQDNs = kept })
					}
				}
				add("remove it", rankRule, nil)
			}
		}
	}
	for _, g := range e.RuleGroups {
		in(g.Collections, g.ID, func(d *draft, f func([]model.RuleCollection) ([]model.RuleCollection, bool)) bool {
			c, ok := drafted[model.RuleCollectionGroup](d, g.ID)
			if !ok {
				return false
			}
			c.Collections, ok = f(c.Collections)
			return ok
		})
	}
	for _, fw := range e.Firewalls {
		in(fw.Collections, fw.ID, func(d *draft, f func([]model.RuleCollection) ([]model.RuleCollection, bool)) bool {
			c, ok := drafted[model.Firewall](d, fw.ID)
			if !ok {
				return false
			}
			c.Collections, ok = f(c.Collections)
			return ok
		})
	}
	return out
}

// namesOf are the names that packets of a set carry, where they are few.
func (s *Solution) namesOf(set packet.Set) []string {
	if set.Empty() {
		return nil
	}
	space := s.graph.Space
	boxes, total := space.Boxes(space.Project(set, s.allBut(packet.Name)...), boxCap)
	if total > boxCap {
		return nil
	}
	var out []string
	for _, b := range boxes {
		if b.Name == nil {
			return nil
		}
		out = append(out, nameTexts(s.graph.Universe, b.Name)...)
	}
	return out
}

// editCollection changes, or with nil removes, one rule of a list of collections.
func editCollection(list []model.RuleCollection, collection, rule string, change func(*model.FirewallRule)) ([]model.RuleCollection, bool) {
	out := slices.Clone(list)
	for i := range out {
		if out[i].Name != collection {
			continue
		}
		j := slices.IndexFunc(out[i].Rules, func(r model.FirewallRule) bool { return r.Name == rule })
		if j < 0 {
			continue
		}
		out[i].Rules = slices.Clone(out[i].Rules)
		if change != nil {
			change(&out[i].Rules[j])
			return out, true
		}
		out[i].Rules = slices.Delete(out[i].Rules, j, j+1)
		return out, true
	}
	return list, false
}

// firewallRule adds a collection of network rules of one access, before all others of a firewall (AZ-FW-11).
func (s *Solution) firewallRule(f *model.Firewall, access model.Access, name string, shapes []shape) (edit, bool) {
	e := s.Project.Estate
	rules := make([]model.FirewallRule, len(shapes))
	texts := make([]string, len(shapes))
	for i, x := range shapes {
		texts[i] = access.String() + " " + x.String()
		if len(x.sources.Tags) > 0 && x.sources.Tags[0] == "Internet" {
			return edit{}, false // a firewall's sources are addresses
		}
		protocols := []model.Protocol{x.protocol}
		rules[i] = model.FirewallRule{Name: fmt.Sprintf("%s-%d", name, i+1), Source: f.Source, Sources: x.sources, Dests: x.dests, Protocols: protocols, Ports: x.ports}
	}
	lowest := func(list []model.RuleCollection) int {
		n := 65001
		for _, c := range list {
			if c.Kind == model.NetworkRules {
				n = min(n, c.Priority)
			}
		}
		return n
	}
	fresh := func(priority int) model.RuleCollection {
		return model.RuleCollection{Name: name, Source: f.Source, Priority: priority, Kind: model.NetworkRules, Access: access, Rules: rules}
	}
	change := func(where, source string, priority int) Change {
		return Change{
			Kind: "rule", At: []string{}, Stage: "firewall-network", Rule: where + "/" + name, Source: source,
			Change: fmt.Sprintf("a new network rule collection (priority %d): %s", priority, strings.Join(texts, "; ")),
		}
	}
	if f.Policy == "" {
		p := lowest(f.Collections) - 1
		if p < 100 {
			return edit{}, false
		}
		return edit{key: "network|" + f.ID.Key() + "|" + strings.Join(texts, "|"), change: change(f.Name(), sourceText(f.Source), p), rank: rankNew, apply: func(d *draft) bool {
			c, ok := drafted[model.Firewall](d, f.ID)
			if ok {
				c.Collections = append(slices.Clone(c.Collections), fresh(p))
			}
			return ok
		}}, true
	}
	var best *model.RuleCollectionGroup
	for _, g := range e.RuleGroups {
		if g.Policy.Key() == f.Policy.Key() && lowest(g.Collections) <= 65000 && (best == nil || g.Priority < best.Priority) {
			best = g
		}
	}
	if best == nil || lowest(best.Collections) <= 100 {
		return edit{}, false
	}
	p := lowest(best.Collections) - 1
	return edit{
		key: "network|" + best.ID.Key() + "|" + strings.Join(texts, "|"), change: change(f.Policy.Name()+"/"+best.Name(), sourceText(best.Source), p), rank: rankNew,
		apply: func(d *draft) bool {
			c, ok := drafted[model.RuleCollectionGroup](d, best.ID)
			if ok {
				c.Collections = append(slices.Clone(c.Collections), fresh(p))
			}
			return ok
		},
	}, true
}

// policyEdits take a rule out of a NetworkPolicy, or ports out of the rule; the policy goes on isolating its pods.
func policyEdits(s *Solution, rule, source string, ports []packet.Range) []edit {
	var out []edit
	for _, n := range s.Project.Estate.NetPolicies {
		for _, dir := range []model.Direction{model.Inbound, model.Outbound} {
			rules, word := n.Ingress, "ingress"
			if dir == model.Outbound {
				rules, word = n.Egress, "egress"
			}
			for i, r := range rules {
				if sourceText(r.Source) != source || rule != fmt.Sprintf("%s/%s/%s[%d]", n.Namespace, n.Name(), word, i) {
					continue
				}
				write := func(d *draft, f func([]model.PolicyRule) []model.PolicyRule) bool {
					c, ok := drafted[model.NetworkPolicy](d, n.ID)
					if !ok {
						return false
					}
					list := &c.Ingress
					if dir == model.Outbound {
						list = &c.Egress
					}
					if i >= len(*list) || sourceText((*list)[i].Source) != source {
						return false
					}
					*list = f(slices.Clone(*list))
					return true
				}
				change := func(text string) Change {
					return Change{Kind: "rule", At: []string{}, Stage: "pod-" + word, Rule: rule, Source: source, Change: text}
				}
				if kept := lessPorts(r.Ports, ports); len(kept) > 0 && len(kept) < len(r.Ports) {
					text := "ports " + policyPorts(r.Ports) + " -> " + policyPorts(kept)
					out = append(out, edit{key: "policy|" + rule + "|" + text, change: change(text), rank: rankNarrow, apply: func(d *draft) bool {
						return write(d, func(l []model.PolicyRule) []model.PolicyRule {
							l[i].Ports = kept
							return l
						})
					}})
				}
				out = append(out, edit{key: "policy|" + rule + "|remove", change: change("remove it"), rank: rankRule, apply: func(d *draft) bool {
					return write(d, func(l []model.PolicyRule) []model.PolicyRule { return slices.Delete(l, i, i+1) })
				}})
			}
		}
	}
	return out
}

// lessPorts leaves out the entries of a policy's ports that lie within some ranges.
func lessPorts(list []model.PolicyPort, out []packet.Range) []model.PolicyPort {
	if out == nil {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(p model.PolicyPort) bool {
		return p.Named == "" && !p.All && slices.ContainsFunc(out, func(r packet.Range) bool { return r.Lo <= uint32(p.Ports.Last) && uint32(p.Ports.First) <= r.Hi })
	})
}

func policyPorts(list []model.PolicyPort) string {
	texts := make([]string, len(list))
	for i, p := range list {
		switch {
		case p.Named != "":
			texts[i] = p.Protocol.String() + "/" + p.Named
		case p.All:
			texts[i] = p.Protocol.String()
		default:
			texts[i] = p.Protocol.String() + "/" + p.Ports.String()
		}
	}
	return strings.Join(texts, ", ")
}

// doorEdits close the public door of a service to some sources: the address rules that hold them, or the door as a whole.
func doorEdits(svc *model.Service, from []netip.Prefix) []edit {
	var out []edit
	for i, r := range svc.IPRules {
		if r.AllAzure || from != nil && !slices.ContainsFunc(from, func(p netip.Prefix) bool { return overlaps(r.Prefixes, p) }) {
			continue
		}
		out = append(out, edit{
			key:    fmt.Sprintf("iprule|%s|%d", svc.ID.Key(), i),
			change: Change{Kind: "rule", Rule: svc.Name() + "/ipRules/" + r.Name, Source: sourceText(r.Source), Change: "remove it"},
			rank:   rankRule,
			apply: func(d *draft) bool {
				c, ok := drafted[model.Service](d, svc.ID)
				if !ok || i >= len(c.IPRules) || c.IPRules[i].Name != r.Name {
					return false
				}
				c.IPRules = slices.Delete(slices.Clone(c.IPRules), i, i+1)
				return true
			},
		})
	}
	out = append(out, edit{
		key: "public|" + svc.ID.Key(),
		change: Change{
			Kind: "setting", Rule: svc.Name() + "/publicNetworkAccess", Source: sourceText(cmp.Or(svc.PublicSource, svc.Source)),
			Change: cmp.Or(svc.Public, "not stated") + " -> Disabled",
		},
		rank: rankWide,
		apply: func(d *draft) bool {
			c, ok := drafted[model.Service](d, svc.ID)
			if ok {
				c.Public = "Disabled"
			}
			return ok
		},
	})
	return out
}
