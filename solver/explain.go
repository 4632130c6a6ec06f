package solver

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
	"github.com/ringfence/ringfence/solver/trace"
)

// Bounds of an explanation: sets of changes larger than mostChanges are not searched for, nor more worlds tried than mostWorlds.
const (
	mostChanges = 5
	mostWorlds  = 1500
	mostSets    = 8 // alternatives that are listed
	mostPlaces  = 4 // places that a change names
	blockerRows = 4 // packet rows of one blocker
)

// explainer asks one question in other worlds.
type explainer struct {
	s *Solution
	q *query
	// back is the packets at each node that go on to the target, were every control open: no other packet is of interest.
	back  map[dataplane.NodeID]packet.Set
	parts map[string][]dataplane.Met // what was met, by the key of the part that is changed or of the control that is shut
	tried int
}

// explain answers what would have to change (AZ-GEN-12) for a question's verdict to be another: all that stops the flow, and the smallest sets of
// rules or settings which, changed, would let some packet of the question through; or all that the flow passes, and the smallest sets of
// controls which could stop all of it. The sizes are exact over the graph's paths; each set was tried in the graph.
func (s *Solution) explain(q *query, out *Reach) {
	x := &explainer{s: s, q: q, parts: map[string][]dataplane.Met{}}
	e := &Explanation{Passed: []Control{}, Sets: [][]Change{}, NoWay: []Pair{}}
	out.Explanation = e
	x.back = x.toTarget(x.world(dataplane.Hypothesis{Rules: true, Settings: true}, nil))
	if out.Verdict == Unreachable {
		e.Wanted = "open"
		if q.from.from.Empty() {
			e.Reason = q.from.text + " opens no connections of its own"
			return
		}
		out.BlockedBy = x.blockers(e)
		x.open(e)
		return
	}
	e.Wanted = "stop"
	x.passed(e)
	x.stop(e)
}

// world is what the senders of a question, and the relays that they reach, can send where in some world.
type world struct {
	*dataplane.Flood
	from    packet.Set // packets of the senders and of the relays
	relays  []step     // in the order in which they were reached
	arrived map[dataplane.NodeID]packet.Set
}

// step is a relay that was reached, and the packets of those who had sent before.
type step struct {
	relay  int
	before packet.Set
}

// world floods the graph as a hypothesis has it. within restricts it to packets of interest.
func (x *explainer) world(h dataplane.Hypothesis, within map[dataplane.NodeID]packet.Set) world {
	space := x.s.graph.Space
	w := world{from: x.q.from.from}
	used := make([]bool, len(x.s.relays))
	bound := dataplane.Over
	if h.Certain {
		bound = dataplane.OneWay
	}
	h.Avoid = x.q.avoid
	for grown := true; grown; {
		w.Flood, grown = x.s.graph.FloodIf(h, w.from, within), false
		before := w.from
		for i, r := range x.s.relays {
			if x.q.direct || used[i] || x.q.avoids(r.place) || h.Certain && len(r.open) > 0 || space.Disjoint(w.At(r.at), r.accept) {
				continue
			}
			used[i] = true
			if !space.Subset(r.from, w.from) {
				w.relays = append(w.relays, step{i, before})
				w.from, grown = space.Union(w.from, r.from), true
			}
		}
	}
	q := *x.q
	q.floods = func(dataplane.Bound) *dataplane.Flood { return w.Flood }
	w.arrived = x.s.arriving(&q, bound, w.from)
	for n, set := range w.arrived {
		if w.arrived[n] = x.s.without(x.q, n, set, nil); w.arrived[n].Empty() {
			delete(w.arrived, n)
		}
	}
	return w
}

// leg is one connection: a packet as it arrives at a node.
type leg struct {
	at     dataplane.NodeID
	packet packet.Packet
	relay  int // that made the packet; -1: a sender of the question
}

// legs are the connections of one way to the target, the last one first.
func (x *explainer) legs(w world, prefer ...packet.Set) []leg {
	space := x.s.graph.Space
	prefer = append(append([]packet.Set{x.q.from.from}, x.s.graph.Natural()...), prefer...)
	var out []leg
	for _, n := range slices.Sorted(maps.Keys(w.arrived)) {
		p, ok := space.Sample(w.arrived[n], prefer...)
		for ok {
			l := leg{n, p, -1}
			ok = false
			if !space.Contains(x.q.from.from, p) {
				for _, st := range w.relays {
					r := x.s.relays[st.relay]
					if space.Contains(r.from, p) {
						l.relay, n = st.relay, r.at
						p, ok = space.Sample(space.Intersect(space.Intersect(w.At(r.at), r.accept), st.before), prefer...)
						break
					}
				}
			}
			out = append(out, l)
		}
		if len(out) > 0 {
			return out
		}
	}
	return out
}

// toTarget is the packets at each node that go on to the target, by packets or over relays.
func (x *explainer) toTarget(f world) map[dataplane.NodeID]packet.Set {
	s, space := x.s, x.s.graph.Space
	targets := map[dataplane.NodeID]packet.Set{}
	for n, set := range x.q.to.nodes {
		targets[n] = space.Intersect(set, x.q.service)
	}
	back := f.Back(targets, space.All())
	merge := func(more map[dataplane.NodeID]packet.Set) {
		for n, set := range more {
			back[n] = space.Union(back[n], set)
		}
	}
	for n, set := range x.q.to.entry {
		scope := space.Intersect(set, x.q.service)
		through := f.Through(n, scope)
		merge(through)
		merge(f.Back(map[dataplane.NodeID]packet.Set{n: space.Intersect(through[n], scope)}, space.All()))
	}
	if x.q.direct {
		return back
	}
	for used, grown := make([]bool, len(s.relays)), true; grown; {
		grown = false
		for i, r := range s.relays {
			if used[i] || x.q.avoids(r.place) || !x.sends(back, r.from) {
				continue
			}
			used[i], grown = true, true
			merge(f.Back(map[dataplane.NodeID]packet.Set{r.at: r.accept}, space.All()))
		}
	}
	return back
}

// sends reports whether some sender of a set has packets of interest.
func (x *explainer) sends(back map[dataplane.NodeID]packet.Set, from packet.Set) bool {
	g := x.s.graph
	for _, r := range g.Space.Origins(from) {
		for o := r.Lo; o <= r.Hi; o++ {
			if !g.Space.Disjoint(back[g.Origins[o].Site.Send], g.Space.Intersect(from, g.From(int(o)))) {
				return true
			}
		}
	}
	return false
}

// opening finds the smallest sets of parts that would let a packet through.
func (x *explainer) opening() (sets [][]string, why string) {
	return x.smallest(func(set []string) (bool, []string) {
		f := x.world(dataplane.Hypothesis{Open: asSet(set)}, x.back)
		if len(f.arrived) > 0 {
			return true, nil
		}
		var core []string
		for _, m := range f.Frontier(x.back) {
			x.note(m.Part.Key, m)
			core = append(core, m.Part.Key)
		}
		return false, core
	})
}

// open explains what would let a packet through.
func (x *explainer) open(e *Explanation) {
	sets, why := x.opening()
	if why == "" && len(sets) == 0 {
		why = "no rule, route, peering or approval alone opens a way: the target would have to be published, or connected, by something that is not there"
	}
	slices.SortStableFunc(sets, func(a, b []string) int {
		return cmp.Or(cmp.Compare(x.settings(a), x.settings(b)), slices.Compare(a, b))
	})
	// Sets whose packet the interpreter delivers too come first.
	var proofs []proof
	for i := 0; i < min(len(sets), mostSets); i++ {
		proofs = append(proofs, x.check(sets[i]))
	}
	if i := slices.IndexFunc(proofs, func(p proof) bool { return p.replayed }); i > 0 {
		sets = slices.Insert(slices.Delete(sets, i, i+1), 0, sets[i])
		proofs[0] = proofs[i]
	}
	x.print(e, sets, why, func(k string) Change {
		m := x.parts[k][0]
		return Change{Rule: m.Part.Rule, Source: sourceText(m.Part.Source), Detail: m.Part.Detail, Change: m.Part.Open}
	})
	if len(proofs) > 0 {
		e.Witness, e.Replayed = proofs[0].witness, proofs[0].replayed
	}
}

// settling finds the fewest assumptions which, were they as over has them, would make something of a question certain. least are as under
// has them.
func (s *Solution) settling(q *query, least map[string]bool) []string {
	x := &explainer{s: s, q: q}
	x.back = x.toTarget(x.world(dataplane.Hypothesis{Least: least}, nil))
	sets, _ := x.smallest(func(set []string) (bool, []string) {
		w := x.world(dataplane.Hypothesis{Certain: true, Facts: asSet(set)}, x.back)
		if len(w.arrived) > 0 {
			return true, nil
		}
		return false, slices.DeleteFunc(w.Unsettled(x.back), func(n string) bool { return least[n] })
	})
	if len(sets) == 0 {
		return nil
	}
	return slices.MinFunc(sets, slices.Compare)
}

// mostHinges bounds how many facts are asked one after the other.
const mostHinges = 3

// hinges says what the answer to an unknown question would be under each value of the facts that it lacks: with the fewest that would make it
// reachable as permissive as they may be, and with them as restrictive as they may be; then the next, until nothing is possible (AZ-GEN-15).
func (s *Solution) hinges(q *query) []Hinge {
	var out []Hinge
	least := map[string]bool{}
	for range mostHinges {
		facts := s.settling(q, least)
		if len(facts) == 0 {
			break
		}
		for _, f := range facts {
			least[f] = true
		}
		h := Hinge{Facts: facts, Open: Reachable}
		if len((&explainer{s: s, q: q}).world(dataplane.Hypothesis{Least: least}, nil).arrived) == 0 {
			h.Shut = Unreachable
		}
		out = append(out, h)
		if h.Shut == Unreachable {
			break
		}
	}
	return out
}

// first puts the assumptions of some IDs before the others.
func first(list []Assumption, ids []string) []Assumption {
	rank := func(a Assumption) int {
		if i := slices.Index(ids, a.ID); i >= 0 {
			return i
		}
		return len(ids)
	}
	slices.SortStableFunc(list, func(a, b Assumption) int { return rank(a) - rank(b) })
	return list
}

// mostPeerable is the number of VNets up to which the peerings between them that do not exist are among the settings.
const mostPeerable = 64

// peerable are the keys of the VNets in which the ends of the questions lie, which a peering could join; without questions, of all. An
// end that is everything has no VNet of its own.
func (s *Solution) peerable() map[string]bool {
	e := s.Project.Estate
	out := map[string]bool{}
	if len(s.o.Questions) == 0 {
		for _, v := range e.VNets {
			out[v.ID.Key()] = true
		}
	}
	var sels []model.Selector
	for _, sel := range s.o.Questions {
		if sel.Kind == model.SelZone && s.Project.Intent != nil {
			for _, z := range s.Project.Intent.Zones {
				if z.Name == sel.Parts[0] {
					sels = append(sels, z.Members...)
				}
			}
			continue
		}
		sels = append(sels, sel)
	}
	lies := func(subnets ...model.ID) {
		for _, id := range subnets {
			if id != "" {
				out[id.Parent().Key()] = true
			}
		}
	}
	for id := range s.subnetsOf(slices.DeleteFunc(slices.Clone(sels), func(x model.Selector) bool { return x.Kind == model.SelAny || x.Kind == model.SelZone })) {
		out[model.ID(id).Parent().Key()] = true
	}
	for _, sel := range sels {
		switch sel.Kind {
		case model.SelInternet, model.SelAny, model.SelIP, model.SelCIDR, model.SelFQDN, model.SelTag, model.SelZone:
			continue // no resources
		default:
		}
		found, err := e.Find(sel)
		if err != nil {
			continue // reported where the selector is resolved
		}
		for _, f := range found {
			id := f.Resource.ResourceID()
			for _, pe := range e.Endpoints {
				if pe.ID.Key() == id.Key() || pe.Target.Key() == id.Key() {
					lies(pe.Subnet)
				}
			}
			for _, c := range e.Clusters {
				if c.ID.Key() == id.Key() || s.inCluster(f.Resource, c) {
					for _, pool := range c.Pools {
						lies(pool.Subnet, pool.PodSubnet)
					}
				}
			}
			for _, x := range e.AppGateways {
				if x.ID.Key() == id.Key() {
					lies(x.Subnets...)
				}
			}
			for _, x := range e.Bastions {
				if x.ID.Key() == id.Key() {
					lies(x.Subnet)
				}
			}
			for _, x := range e.Firewalls {
				if x.ID.Key() == id.Key() {
					lies(x.Subnet)
				}
			}
			for _, x := range e.Gateways {
				if x.ID.Key() == id.Key() {
					lies(x.Subnet)
				}
			}
			for _, x := range e.ScaleSets {
				if x.ID.Key() == id.Key() {
					for _, pr := range x.Profiles {
						for _, c := range pr.IPConfigs {
							lies(c.Subnet)
						}
					}
				}
			}
		}
	}
	if len(out) > mostPeerable {
		s.unpeered = true
		return nil
	}
	return out
}

// inCluster reports whether a Kubernetes object is one of a cluster.
func (s *Solution) inCluster(r model.Resource, c *model.Cluster) bool {
	w, ok := r.(*model.Workload)
	if ok {
		return w.Cluster.Key() == c.ID.Key()
	}
	n, ok := r.(*model.Namespace)
	return ok && n.Cluster.Key() == c.ID.Key()
}

// settings counts the settings of a set: rules are listed first.
func (x *explainer) settings(set []string) int {
	n := 0
	for _, k := range set {
		if x.parts[k][0].Control.Kind == dataplane.SettingControl {
			n++
		}
	}
	return n
}

// stopping finds the smallest sets of controls that could stop every packet of the question.
func (x *explainer) stopping() (sets [][]string, why string) {
	return x.smallest(func(set []string) (bool, []string) {
		f := x.world(dataplane.Hypothesis{Shut: asSet(set)}, x.back)
		if len(f.arrived) == 0 {
			return true, nil
		}
		var core []string
		for _, l := range x.legs(f) {
			_, steps := f.Course(l.at, l.packet)
			for _, m := range f.ControlsOn(steps) {
				if m.Control.Kind == dataplane.RuleControl {
					x.note(m.Control.Key, m)
					core = append(core, m.Control.Key)
				}
			}
		}
		return false, core
	})
}

// stop explains what could stop every packet.
func (x *explainer) stop(e *Explanation) {
	sets, why := x.stopping()
	if why == "" && len(sets) == 0 {
		why = "some packet passes no rule list that could stop it: an NSG, a policy or a firewall would have to be put in its way"
	}
	x.print(e, sets, why, func(k string) Change {
		m := x.parts[k][0]
		return Change{Rule: m.Part.Rule, Source: sourceText(m.Part.Source), Detail: m.Control.Name, Change: m.Control.Shut}
	})
}

func (x *explainer) note(key string, m dataplane.Met) { x.parts[key] = append(x.parts[key], m) }

func asSet(keys []string) map[string]bool {
	out := map[string]bool{}
	for _, k := range keys {
		out[k] = true
	}
	return out
}

// smallest finds the smallest sets that a test accepts. The test must be monotone, and must name, for a set that it refuses, keys of which
// every larger set that it accepts holds at least one. So each refusal cuts the search, and the sets that remain are all of the smallest
// size: an implicit hitting set. The second result says why the search ended early.
func (x *explainer) smallest(test func(set []string) (ok bool, core []string)) (sets [][]string, why string) {
	cores, never := x.apart(test)
	if never {
		return nil, ""
	}
	for size := len(cores); size <= mostChanges; size++ {
		seen := map[string]bool{}
		var found [][]string
		ended, never := false, false
		var grow func(set []string)
		grow = func(set []string) {
			key := strings.Join(set, "\n")
			if ended || never || seen[key] {
				return
			}
			seen[key] = true
			core := missed(cores, set)
			if core == nil {
				if x.tried++; x.tried > mostWorlds || x.s.Err() != nil {
					ended = true
					return
				}
				ok, c := test(set)
				if ok {
					found = append(found, set)
					return
				}
				slices.Sort(c)
				core = slices.Compact(c)
				cores = append(cores, core)
				never = len(core) == 0 // nothing more helps
			}
			if len(set) == size {
				return
			}
			for _, k := range core {
				next := append(slices.Clone(set), k)
				slices.Sort(next)
				grow(next)
			}
		}
		grow(nil)
		switch {
		case len(found) > 0 && !ended:
			return found, ""
		case never:
			return nil, ""
		case ended:
			return nil, "there are too many ways to search all of them: the smallest set is not known"
		}
	}
	return nil, "more than five changes would be needed: larger sets are not searched for"
}

// apart finds cores that have no key in common: a set that is accepted holds one key of each, so that it has at least as many. The
// second result says that no set is accepted.
func (x *explainer) apart(test func(set []string) (ok bool, core []string)) (cores [][]string, never bool) {
	var all []string
	for len(cores) <= mostChanges {
		ok, core := test(all)
		if ok {
			break
		}
		slices.Sort(core)
		if core = slices.Compact(core); len(core) == 0 {
			return nil, true
		}
		cores = append(cores, core)
		all = append(all, core...)
		slices.Sort(all)
	}
	return cores, false
}

// missed is a core that a set does not hit; nil when it hits all.
func missed(cores [][]string, set []string) []string {
	for _, c := range cores {
		if !slices.ContainsFunc(c, func(k string) bool { return slices.Contains(set, k) }) {
			return c
		}
	}
	return nil
}

// print fills in the sets that were found. Where a part acts is read from what was met with it.
func (x *explainer) print(e *Explanation, sets [][]string, why string, change func(key string) Change) {
	e.Reason = why
	if e.Wanted == "open" && why == "" && x.s.unpeered {
		e.Reason = "peerings that do not exist were left out: there are too many VNets"
	}
	if len(sets) > mostSets {
		e.More = len(sets) - mostSets
		sets = sets[:mostSets]
	}
	for _, set := range sets {
		e.Changes = len(set)
		var list []Change
		for _, k := range set {
			c := change(k)
			m := x.parts[k][0]
			c.Stage, c.Kind, c.At = m.Control.Stage, "rule", []string{}
			if m.Control.Kind == dataplane.SettingControl {
				c.Kind = "setting"
			}
			for _, m := range x.parts[k] {
				if at := x.s.placeRef(m.Control.Place); !slices.Contains(c.At, at) && len(c.At) < mostPlaces {
					c.At = append(c.At, at)
				}
			}
			slices.Sort(c.At)
			list = append(list, c)
		}
		e.Sets = append(e.Sets, list)
	}
}

// proof is what a set of changes lets through.
type proof struct {
	witness  *Witness
	replayed bool // the interpreter delivers it as well
}

// check shows what a set lets through, and asks the interpreter what becomes of it where the same rules allow.
func (x *explainer) check(set []string) proof {
	s := x.s
	w := x.world(dataplane.Hypothesis{Open: asSet(set)}, x.back)
	o := s.traceOptions(false)
	o.Allows = func(h trace.Hop) bool {
		return slices.ContainsFunc(set, func(k string) bool {
			return slices.ContainsFunc(x.parts[k], func(m dataplane.Met) bool { return opened(m, h) })
		})
	}
	legs := x.legs(w, s.existing())
	slices.Reverse(legs)
	out := proof{replayed: len(legs) > 0}
	for i, l := range legs {
		start, _ := w.Course(l.at, l.packet)
		p := s.concrete(start)
		path := delivering(trace.Run(s.Project.Estate, o, p).Paths, s.graph.PlaceAt(l.at, s.graph.Universe.Example(l.packet.Dst)))
		hops := []Hop{}
		if path != nil {
			hops = s.printHops(path.Hops, p)
		} else {
			out.replayed = false
		}
		if i == 0 {
			out.witness = &Witness{Packet: s.printPacket(p), Hops: hops}
			continue
		}
		out.witness.Legs = append(out.witness.Legs, Leg{Relay: s.relays[l.relay].name, Packet: s.printPacket(p), Hops: hops})
	}
	return out
}

// delivering is the surest path to a place.
func delivering(paths []trace.Path, end model.Place) *trace.Path {
	for i := range paths {
		if paths[i].End == trace.Delivered && samePlace(paths[i].At, end) {
			return &paths[i]
		}
	}
	return nil
}

// opened reports whether a denial of the interpreter is one of a rule that a set changes. Where no rule is named, the place tells.
func opened(m dataplane.Met, h trace.Hop) bool {
	if m.Control.Kind != dataplane.RuleControl || m.Part.Rule != h.Rule {
		return false
	}
	if h.Rule == "" || h.Source.IsZero() {
		return m.Control.Place.Kind == h.At.Kind && m.Control.Place.ID.Key() == h.At.ID.Key()
	}
	return m.Part.Source == h.Source
}

// passed lists the controls that let the flow pass, and by which rule.
func (x *explainer) passed(e *Explanation) {
	f := x.world(dataplane.Hypothesis{}, x.back)
	type key struct{ at, stage, rule, entry, source string }
	sets := map[key]packet.Set{}
	for _, m := range f.Met(x.toTarget(f), true) {
		if m.Control.Kind == dataplane.SettingControl {
			continue
		}
		for entry, set := range x.s.byEntry(m) {
			if m.Part.Rule == "" { // no rule: why it passes all the same
				entry = cmp.Or(entry, m.Part.Detail)
			}
			k := key{x.s.placeRef(m.Control.Place), m.Control.Stage, m.Part.Rule, entry, sourceText(m.Part.Source)}
			sets[k] = x.s.graph.Space.Union(sets[k], x.s.graph.Space.Project(set, packet.Origin))
		}
	}
	for _, k := range x.s.unpoliced(x.q) {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(sets)), func(y key) bool { return y.at == k.At && y.stage == k.Stage }) {
			e.Passed = append(e.Passed, k)
		}
	}
	for k, set := range sets {
		c := Control{At: k.at, Stage: k.stage, Rule: k.rule, Entry: k.entry, Source: k.source}
		c.Packets, c.Total = x.packets(set)
		e.Passed = append(e.Passed, c)
	}
	slices.SortFunc(e.Passed, func(a, b Control) int {
		return cmp.Or(stageRank(a.Stage)-stageRank(b.Stage), cmp.Compare(a.At, b.At), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.Source, b.Source))
	})
}

// byEntry cuts what a rule of a policy decides about by the entries that match it; "" where the rule has none. What several peers match is
// told of the first (K8S-NP-10).
func (s *Solution) byEntry(m dataplane.Met) map[string]packet.Set {
	space := s.graph.Space
	left := m.Packets
	out := map[string]packet.Set{}
	cut := func(list []dataplane.Entry, set packet.Set, add func(name string, set packet.Set)) {
		for _, e := range list {
			if hit := space.Intersect(set, e.Set); !hit.Empty() {
				add(e.Name, hit)
				set = space.Subtract(set, hit)
			}
		}
		if !set.Empty() {
			add("", set)
		}
	}
	cut(m.Part.Peers, left, func(peer string, set packet.Set) {
		cut(m.Part.Ports, set, func(port string, set packet.Set) {
			name := strings.TrimSpace(peer + " " + port)
			out[name] = space.Union(out[name], set)
		})
	})
	return out
}

// unpoliced are the sides of a question between pods that policies may leave alone: of each pod that sends, and of each that receives.
func (s *Solution) unpoliced(q *query) []Control {
	var out []Control
	add := func(p model.Place, stage string) {
		w, ok := model.Get[*model.Workload](s.Project.Estate, p.ID)
		if p.Kind != model.PlacePod || !ok {
			return
		}
		c := Control{At: s.placeRef(p), Stage: stage, Entry: "no policy that was read isolates it (K8S-NP-03)", Packets: []Packets{}}
		if w.HostNetwork {
			c.Entry = "on the host network, which policies leave alone (K8S-NP-25)"
		}
		if !slices.ContainsFunc(out, func(x Control) bool { return x.At == c.At && x.Stage == c.Stage }) {
			out = append(out, c)
		}
	}
	for _, o := range q.from.senders {
		add(s.graph.Origins[o].Site.Place, "pod-egress")
	}
	for _, n := range slices.Sorted(maps.Keys(q.to.nodes)) {
		add(s.graph.Nodes[n].Place, "pod-ingress")
	}
	return out
}

// packets prints a set as it is at a control, in few rows.
func (x *explainer) packets(set packet.Set) ([]Packets, uint64) {
	list, total := x.s.boxes(set, func(b packet.Box) []string { return x.s.addresses(b.Src) })
	if total == 0 {
		total = uint64(len(list))
	}
	if len(list) > blockerRows {
		list = list[:blockerRows]
	}
	if total <= uint64(len(list)) {
		total = 0
	}
	return list, total
}

// stageRank orders stages as packets pass them (AZ-GEN-06).
func stageRank(stage string) int {
	return slices.Index([]string{
		"pod-egress", "admin-rules-outbound", "nic-nsg-outbound", "subnet-nsg-outbound", "route", "transport", "firewall-dnat", "firewall-network", "firewall-application",
		"relay", "dnat", "admin-rules-inbound", "subnet-nsg-inbound", "nic-nsg-inbound", "pod-ingress", "service-firewall",
	}, stage)
}

// blockers lists what stops the packets of each pair of sender and target: every control on the ways that routes lead today, or where
// they lead nowhere, on every way that a setting could open. Chains of relays are left out: what opens those is in the smallest sets.
func (x *explainer) blockers(e *Explanation) []Blocker {
	s, space := x.s, x.s.graph.Space
	byName := map[string][]dataplane.NodeID{}
	for n := range x.q.to.nodes {
		name, _ := s.targetName(x.q, n)
		byName[name] = append(byName[name], n)
	}
	for n := range x.q.to.entry {
		name, _ := s.targetName(x.q, n)
		byName[name] = append(byName[name], n)
	}
	out := []Blocker{}
	rules := s.graph.FloodIf(dataplane.Hypothesis{Rules: true}, x.q.from.from, nil)
	settings := s.graph.FloodIf(dataplane.Hypothesis{Rules: true, Settings: true}, x.q.from.from, nil)
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		slices.Sort(byName[name])
		back := func(f *dataplane.Flood, from packet.Set) map[dataplane.NodeID]packet.Set {
			targets := map[dataplane.NodeID]packet.Set{}
			for _, n := range byName[name] {
				targets[n] = space.Intersect(space.Union(x.q.to.nodes[n], x.q.to.entry[n]), x.q.service)
			}
			return f.Back(targets, from)
		}
		today := back(rules, x.q.from.from)
		led := packet.Set{} // senders whose packets routes lead to the target
		for _, o := range x.q.from.senders {
			if !space.Disjoint(today[s.graph.Origins[o].Site.Send], s.graph.From(o)) {
				led = space.Union(led, s.graph.From(o))
			}
		}
		met := rules.Met(today, false)
		if lost := space.Subtract(x.q.from.from, led); !lost.Empty() {
			met = append(met, settings.Met(back(settings, lost), false)...)
		}
		out = append(out, x.blocking(met, name)...)
		var some packet.Set
		for _, m := range met {
			some = space.Union(some, m.Packets)
		}
		none := s.groupsIn(x.q.from.from)
		for _, g := range slices.DeleteFunc(none, func(g int) bool { return slices.Contains(s.groupsIn(some), g) || s.groups[g].ref == name }) {
			if p := (Pair{From: s.groups[g].ref, To: name}); !slices.Contains(e.NoWay, p) {
				e.NoWay = append(e.NoWay, p)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Blocker) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), stageRank(a.Stage)-stageRank(b.Stage), cmp.Compare(a.At, b.At), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Detail, b.Detail))
	})
	return out
}

// blocking prints what stops packets on the way to one target, by sender.
func (x *explainer) blocking(met []dataplane.Met, to string) []Blocker {
	s, space := x.s, x.s.graph.Space
	sets := map[blockerKey]packet.Set{}
	var order []blockerKey
	for _, m := range met {
		for _, g := range s.groupsIn(m.Packets) {
			k := blockerKey{
				at: s.placeRef(m.Control.Place), stage: m.Control.Stage, rule: m.Part.Rule, source: sourceText(m.Part.Source), detail: m.Part.Detail, from: s.groups[g].ref, to: to,
			}
			mine := s.graph.From(slices.Clone(s.groups[g].origins)...)
			cut := s.byEntry(m)
			for _, entry := range slices.Sorted(maps.Keys(cut)) {
				set := space.Intersect(cut[entry], mine)
				if set.Empty() {
					continue
				}
				k.detail = cmp.Or(m.Part.Detail, entry)
				if _, ok := sets[k]; !ok {
					order = append(order, k)
				}
				sets[k] = space.Union(sets[k], space.Project(set, packet.Origin))
			}
		}
	}
	var out []Blocker
	for _, k := range order {
		b := k.blocker()
		b.Packets, b.Total = x.packets(sets[k])
		out = append(out, b)
	}
	return out
}

// blockerKey tells blockers apart.
type blockerKey struct{ at, stage, rule, source, detail, from, to string }

func (k blockerKey) blocker() Blocker {
	return Blocker{At: k.at, Stage: k.stage, Rule: k.rule, Source: k.source, Detail: k.detail, From: k.from, To: k.to}
}

func sourceText(src model.Source) string {
	if src.IsZero() {
		return ""
	}
	return src.String()
}
