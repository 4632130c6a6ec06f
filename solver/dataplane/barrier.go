package dataplane

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// ControlKind tells lists of rules from settings.
type ControlKind uint8

const (
	RuleControl    ControlKind = iota // a list of rules: an NSG, a firewall, NetworkPolicies, a service's own firewall
	SettingControl                    // a setting: a route, a peering, an approval, an NSG that is missing
)

// Control is what lets packets pass or stops them, at one place (AZ-GEN-12). Its key is the same wherever the same list or setting acts.
type Control struct {
	Kind  ControlKind
	Key   string
	Name  string // as people say it: `nsg-db inbound`
	Shut  string // what a person would change so that it stops what it lets pass
	Stage string // as the interpreter calls it
	Place model.Place
}

// Part is what one rule, or one setting, of a control decides about. Its key is the same wherever that rule acts.
type Part struct {
	Key    string
	Rule   string // as Azure prints it; "" where none decides
	Detail string
	Open   string // what a person would change so that it lets pass: `let a rule that allows it come before this one`
	Source model.Source
	Stage  string // where it differs from the control's
	Allow  bool
	Beside bool // a setting elsewhere that the control takes into account: a peering widens the VirtualNetwork tag (AZ-TAG-01)
	Set    packet.Set
	Peers  []Entry // of a policy's rule, the entries that name peers, with what each takes
	Ports  []Entry // and those that name ports

	peers, ports []entrySet
	second       bool // its source is the second estate's (see compiler)
}

// Entry is one entry of a list in a policy's rule, as `from[0]`.
type Entry struct {
	Name string
	Set  packet.Set
}

// entrySet is an Entry before the universe is frozen.
type entrySet struct {
	name string
	set  *lazy
}

// taking is the part with what it takes, and what each of its entries does.
func (p Part) taking(c *compiler, set packet.Set) Part {
	compiled := func(list []entrySet) []Entry {
		var out []Entry
		for _, e := range list {
			out = append(out, Entry{e.name, e.set.get(c)})
		}
		return out
	}
	p.Set, p.Peers, p.Ports = set, compiled(p.peers), compiled(p.ports)
	return p
}

// partList is the parts of a control, compiled when they are first asked for.
type partList struct{ memo[[]Part] }

func partsLater(f func(c *compiler) []Part) *partList { return &partList{memo[[]Part]{f: f}} }

// and is two lists of parts in one.
func (l *partList) and(m *partList) *partList {
	return partsLater(func(c *compiler) []Part { return slices.Concat(l.get(c), m.get(c)) })
}

// barrier is one control within a guard: what it lets pass in over, and who decides about the rest. as, where set, is how the place
// reads the control's sets (with another source or destination).
type barrier struct {
	control Control
	over    *lazy
	parts   *partList
	as      func(c *compiler, s packet.Set) packet.Set
}

// list is the parts as the barrier's place reads them.
func (b *barrier) list(c *compiler) []Part {
	list := b.parts.get(c)
	if b.as == nil && len(c.moved) == 0 {
		return list
	}
	out := make([]Part, len(list))
	for i, p := range list {
		if b.as != nil {
			p.Set = b.as(c, p.Set)
		}
		if to, ok := c.moved[p.Source]; ok && !p.second {
			p.Source = to
		}
		out[i] = p
	}
	return out
}

// behind puts a control in front of what a guard lets pass: the guard's over is the control's.
func (g guard) behind(k Control, parts *partList) guard {
	g.barriers = []*barrier{{control: k, over: orEverything(g.over), parts: parts}}
	g.rest = nil
	return g
}

func orEverything(l *lazy) *lazy {
	if l == nil {
		return everything()
	}
	return l
}

// fixed is the part of a guard's over that no control decides.
func (g guard) fixed() *lazy {
	if len(g.barriers) == 0 {
		return g.over
	}
	return g.rest
}

// acting names where a guard's controls act, for those that do not say it themselves.
func (g guard) acting(stage string, at model.Place) guard {
	list := make([]*barrier, len(g.barriers))
	for i, b := range g.barriers {
		x := *b
		if x.control.Stage == "" {
			x.control.Stage = stage
		}
		if x.control.Place.Kind == model.PlaceNowhere {
			x.control.Place = at
		}
		list[i] = &x
	}
	g.barriers = list
	return g
}

// readAs takes over the controls of another guard, whose sets a place reads in another way.
func (g guard) readAs(of guard, as func(c *compiler, s packet.Set) packet.Set) guard {
	for _, b := range of.barriers {
		x := *b
		before := b.as
		x.as = func(c *compiler, s packet.Set) packet.Set {
			if before != nil {
				s = before(c, s)
			}
			return as(c, s)
		}
		over := b.over
		x.over = later(func(c *compiler) packet.Set { return as(c, over.get(c)) })
		g.barriers = append(g.barriers, &x)
	}
	if len(of.barriers) > 0 && of.rest != nil {
		rest := of.rest
		g.rest = later(func(c *compiler) packet.Set { return as(c, rest.get(c)) })
	}
	return g
}

// behindAdmin takes over the controls of what stands behind the admin rules, past which some packets jump, and adds those rules
// (AZ-AVNM-01, AZ-AVNM-02).
func (g guard) behindAdmin(a *adminStage, behind guard, jumps *lazy) guard {
	first := &barrier{control: a.control, over: either(jumps, a.goOn), parts: a.parts, as: a.as}
	g.barriers, g.rest = []*barrier{first}, nil
	if r := behind.fixed(); r != nil {
		g.rest = either(jumps, r)
	}
	for _, b := range behind.barriers {
		x := *b
		x.over = either(jumps, b.over)
		g.barriers = append(g.barriers, &x)
	}
	return g
}

// adminParts is who decides among admin rules: of each rule, what no rule before it is certain to take. Rules of one priority have no
// known order (AZ-AVNM-04).
func (p *planner) adminParts(lists []adminList, dir model.Direction, ctx *subnetContext, d reading) *partList {
	type match struct {
		rule      *model.AdminRule
		must, may *lazy
		certain   bool
	}
	var readings [][]match
	for _, l := range lists {
		for _, reading := range p.assignments(ctx) {
			var list []match
			for _, r := range l.rules {
				if r.Direction == dir {
					must, may := p.matchOf(r.SecurityRule, reading, d)
					list = append(list, match{r.AdminRule, must, may, r.certain})
				}
			}
			slices.SortStableFunc(list, func(a, b match) int { return a.rule.Priority - b.rule.Priority })
			readings = append(readings, list)
		}
	}
	return partsLater(func(c *compiler) []Part {
		var out []Part
		at := map[string]int{}
		for _, list := range readings {
			taken := packet.Set{}
			for i := 0; i < len(list); {
				j, more := i, packet.Set{}
				for ; j < len(list) && list[j].rule.Priority == list[i].rule.Priority; j++ {
					m := list[j]
					key := "rule|" + m.rule.ID.Key()
					if _, ok := at[key]; !ok {
						at[key] = len(out)
						out = append(out, Part{Key: key, Rule: m.rule.ID.ShortName(), Source: m.rule.Source, Allow: m.rule.Access != model.Deny, Open: openRule})
					}
					x := &out[at[key]]
					x.Set = c.s.Union(x.Set, c.s.Subtract(m.may.get(c), taken))
					if m.certain {
						more = c.s.Union(more, m.must.get(c))
					}
				}
				taken, i = c.s.Union(taken, more), j
			}
		}
		return out
	})
}

// mayOnly keeps what a guard may let pass, and nothing for certain.
func (g guard) mayOnly() guard {
	g.under, g.reply = nothing(), nil
	return g
}

// ruleParts is who decides in a first-match list, in over: for each rule the packets that it decides about in some reading of the list.
func ruleParts(n int, lists [][]ruleMatch, name func(i int) Part, nobody Part) *partList {
	return partsLater(func(c *compiler) []Part {
		sets := make([][]packet.Set, n+1)
		for _, list := range lists {
			d := c.decide(list, Over)
			for _, v := range c.s.Values(d) {
				r := list[v-1].rule + 1
				sets[r] = append(sets[r], c.s.WhereIs(d, v))
			}
			sets[0] = append(sets[0], c.s.WhereIs(d, 0))
		}
		var out []Part
		for i := range n {
			if p := name(i); len(sets[i+1]) > 0 {
				p.Set = c.s.Union(sets[i+1]...)
				out = append(out, p)
			}
		}
		nobody.Set = c.s.Union(sets[0]...)
		if !nobody.Set.Empty() {
			out = append(out, nobody)
		}
		return out
	})
}

// openRule is what lets packets pass a rule list that stops them.
const openRule = "a rule before this one that allows it"

// shutRule is what stops packets at a rule list that lets them pass; shutUnion where the list is a union of what is admitted.
const (
	shutRule  = "a rule before this one that denies it"
	shutUnion = "no rule that admits it"
)

// nsgControl is an NSG in one direction. Stage and place are those of where it is attached.
func nsgControl(n *model.NSG, dir model.Direction) Control {
	return Control{Key: "nsg|" + n.ID.Key() + "|" + dir.String(), Name: n.Name() + " " + strings.ToLower(dir.String()), Shut: shutRule}
}

// nsgParts is who decides in an NSG. Rules are named as Azure prints them. second says that it is the second estate's.
func nsgParts(n *model.NSG, dir model.Direction, rules []model.SecurityRule, lists [][]ruleMatch, second bool) *partList {
	key := func(rule string) string {
		return "rule|" + n.ID.Key() + "|" + dir.String() + "|" + strings.ToLower(rule)
	}
	name := func(i int) Part {
		r := rules[i]
		rule := n.Name() + "/securityRules/" + r.Name
		if r.Default {
			rule = n.Name() + "/defaultSecurityRules/" + r.Name
		}
		return Part{Key: key(rule), Rule: rule, Source: r.Source, Allow: r.Access != model.Deny, Open: openRule, second: second}
	}
	last := n.Name() + "/defaultSecurityRules/DenyAllInBound"
	if dir == model.Outbound {
		last = n.Name() + "/defaultSecurityRules/DenyAllOutBound"
	}
	return ruleParts(len(rules), lists, name, Part{Key: key(last), Rule: last, Source: model.Source{Platform: "default rule", Resource: n.ID}, Open: openRule, second: second})
}

// wafParts is who decides among the custom rules of a WAF policy; what none of them takes passes.
func wafParts(w *model.WAFPolicy, rules []model.WAFRule, list []ruleMatch) *partList {
	name := func(i int) Part {
		x := Part{Key: "rule|" + w.ID.Key() + "|last", Detail: "no custom rule of " + w.Name() + " takes it", Source: w.Source, Allow: true}
		if i < len(rules) {
			x = Part{Key: "rule|" + w.ID.Key() + "|" + strings.ToLower(rules[i].Name), Rule: w.Name() + "/" + rules[i].Name, Source: rules[i].Source, Allow: !strings.EqualFold(rules[i].Action, "Block"), Open: openRule}
		}
		return x
	}
	return ruleParts(len(rules)+1, [][]ruleMatch{list}, name, Part{Key: "rule|" + w.ID.Key() + "|none"})
}

// doorParts is a door with one rule: what it admits, and everything else.
func doorParts(rule Part, over *lazy) *partList {
	return partsLater(func(c *compiler) []Part {
		admitted, shut := rule, rule
		admitted.Allow, admitted.Set = true, orEverything(over).get(c)
		shut.Set = c.s.Complement(admitted.Set)
		return []Part{admitted, shut}
	})
}

// closed is a setting that lets nothing pass: a hypothesis may open it.
func closed(k Control, p Part) guard {
	k.Kind = SettingControl
	return guard{over: nothing()}.behind(k, partsLater(func(c *compiler) []Part {
		p.Set = c.s.All()
		return []Part{p}
	}))
}

// Hypothesis is a world in which some rules and settings are other than the input says.
type Hypothesis struct {
	Rules    bool            // every rule that denies lets pass instead
	Settings bool            // every setting leads everywhere that it could
	Open     map[string]bool // keys of parts that let pass what they stop
	Shut     map[string]bool // keys of controls that stop everything
	Avoid    []model.Place   // places that are not entered

	Least map[string]bool // assumptions that are as under has them: where nothing else is open, only what passes for certain does

	Certain bool            // only what is delivered for certain, were Facts known to be as over has them
	Facts   map[string]bool // assumptions
}

func (h *Hypothesis) opens(k Control, p Part) bool {
	if p.Beside {
		return h.Settings || h.Open[p.Key]
	}
	return !p.Allow && (h.Open[p.Key] || h.Rules && k.Kind == RuleControl || h.Settings && k.Kind == SettingControl)
}

// FloodIf is the flood of some packets in another world, over or for certain. within, where not nil, are the packets at each node that are of interest.
func (g *Graph) FloodIf(h Hypothesis, packets packet.Set, within map[NodeID]packet.Set) *Flood {
	f := g.newFlood(Over, h.Avoid)
	if h.Certain {
		f.bound = OneWay
	}
	f.world, f.within, f.passing = &h, within, map[*edge]packet.Set{}
	f.run(&packets)
	return f
}

// pass is what an edge lets pass, in the flood's world.
func (f *Flood) pass(e *edge) packet.Set {
	c := f.g.compiler
	if f.world == nil {
		return e.guard.bound(c, f.bound)
	}
	if set, ok := f.passing[e]; ok {
		return set
	}
	set := f.passIn(e)
	f.passing[e] = set
	return set
}

func (f *Flood) passIn(e *edge) packet.Set {
	c, h := f.g.compiler, f.world
	if h.Certain {
		if len(e.notes) > 0 && len(f.unsettled(e)) == 0 {
			return e.guard.bound(c, Over)
		}
		return e.guard.bound(c, OneWay)
	}
	if len(h.Least) > 0 && len(e.notes) > 0 && !slices.ContainsFunc(f.unsettled(e), func(n string) bool { return !h.Least[n] }) {
		return e.guard.bound(c, OneWay)
	}
	any := false
	for _, b := range e.guard.barriers {
		if h.Shut[b.control.Key] {
			return packet.Set{}
		}
		any = any || h.Rules || h.Settings || len(h.Open) > 0
	}
	if !any {
		return e.guard.bound(c, f.bound)
	}
	set := orEverything(e.guard.fixed()).get(c)
	opened := false
	for _, b := range e.guard.barriers {
		pass := []packet.Set{b.over.get(c)}
		for _, p := range b.list(c) {
			if h.opens(b.control, p) {
				pass, opened = append(pass, p.Set), true
			}
		}
		set = c.s.Intersect(set, c.s.Union(pass...))
	}
	if !opened {
		return e.guard.bound(c, f.bound)
	}
	return c.s.Union(set, e.guard.bound(c, f.bound))
}

// Met is one part of a control that packets meet, with those packets as they are there.
type Met struct {
	Control Control
	Part    Part
	Packets packet.Set
}

// meeting are the packets of a flood that come to an edge and go on behind it to the ends of back, were the edge to let them pass.
func (f *Flood) meeting(i int, back map[NodeID]packet.Set) packet.Set {
	e, s := &f.g.edges[i], f.g.Space
	if len(e.guard.barriers) == 0 || f.reached[e.from].Empty() {
		return packet.Set{}
	}
	after, ok := back[e.to]
	if back == nil {
		after, ok = s.All(), true
	}
	if !ok {
		return packet.Set{}
	}
	if e.rewrite != nil {
		after = s.Preimage(after, f.g.rewriteOf(e))
	}
	return s.Intersect(s.Intersect(f.reached[e.from], after), orEverything(e.guard.fixed()).get(f.g.compiler))
}

// Met lists the parts that packets of the flood meet on their way to the ends of back, nil: to any: those that stop them in the world of
// the input, or those that let them pass.
func (f *Flood) Met(back map[NodeID]packet.Set, allow bool) []Met {
	return f.met(back, allow, func(Control) bool { return true })
}

// Passing is who lets packets pass at one control, by its key, whoever sends them.
func (f *Flood) Passing(control string) []Met {
	return f.met(nil, true, func(k Control) bool { return k.Key == control })
}

func (f *Flood) met(back map[NodeID]packet.Set, allow bool, wanted func(Control) bool) []Met {
	s, c := f.g.Space, f.g.compiler
	var out []Met
	for i := range f.g.edges {
		e := &f.g.edges[i]
		if back != nil && back[e.to].Empty() || !slices.ContainsFunc(e.guard.barriers, func(b *barrier) bool { return wanted(b.control) }) {
			continue
		}
		here := f.meeting(i, back)
		if here.Empty() {
			continue
		}
		for _, b := range e.guard.barriers {
			if !wanted(b.control) {
				continue
			}
			rest := s.Intersect(here, b.over.get(c))
			if !allow {
				rest = s.Subtract(here, rest)
			}
			if rest.Empty() {
				continue
			}
			for _, p := range b.list(c) {
				if p.Allow != allow || p.Beside {
					continue
				}
				if hit := s.Intersect(rest, p.Set); !hit.Empty() {
					out = append(out, Met{f.g.placed(b.control, e, p), p, hit})
				}
			}
		}
	}
	return out
}

// placed is a control with the place of its edge where it has none of its own.
func (g *Graph) placed(k Control, e *edge, p Part) Control {
	if p.Stage != "" {
		k.Stage = p.Stage
	}
	if p.Beside {
		k.Kind = SettingControl
	}
	if k.Place.Kind == model.PlaceNowhere {
		k.Place = g.Nodes[e.from].Place
		if strings.HasSuffix(k.Stage, "inbound") || k.Stage == "pod-ingress" || k.Stage == "service-firewall" {
			k.Place = g.Nodes[e.to].Place
		}
	}
	return k
}

// Frontier lists the parts of which at least one must open before packets come any further towards the ends of back than they do in the
// flood's world: for each packet that is stopped, the first control that stops it.
func (f *Flood) Frontier(back map[NodeID]packet.Set) []Met {
	s, c := f.g.Space, f.g.compiler
	var out []Met
	for i := range f.g.edges {
		e := &f.g.edges[i]
		if len(e.guard.barriers) == 0 || back != nil && back[e.to].Empty() {
			continue
		}
		rest := s.Subtract(f.meeting(i, back), f.pass(e))
		for _, b := range e.guard.barriers {
			if rest.Empty() {
				break
			}
			pass := []packet.Set{b.over.get(c)}
			list := b.list(c)
			for _, p := range list {
				if f.world.opens(b.control, p) {
					pass = append(pass, p.Set)
				}
			}
			stopped := s.Subtract(rest, s.Union(pass...))
			for _, p := range list {
				if p.Allow || f.world.opens(b.control, p) {
					continue
				}
				if hit := s.Intersect(stopped, p.Set); !hit.Empty() {
					out = append(out, Met{f.g.placed(b.control, e, p), p, hit})
				}
			}
			rest = s.Subtract(rest, stopped)
		}
		if !rest.Empty() {
			// A place that reads its controls jointly stops more than each of them alone: any of their rules may change that.
			for _, b := range e.guard.barriers {
				for _, p := range b.list(c) {
					if !p.Allow && !f.world.opens(b.control, p) {
						out = append(out, Met{f.g.placed(b.control, e, p), p, rest})
					}
				}
			}
		}
	}
	return out
}

// ControlsOn lists the controls that the packet of a course passes, with the part that lets it.
func (f *Flood) ControlsOn(steps []Step) []Met {
	s, c := f.g.Space, f.g.compiler
	var out []Met
	for _, st := range steps {
		e := &f.g.edges[st.edge]
		for _, b := range e.guard.barriers {
			list := b.list(c)
			var by Part // no rule where the control passes the packet for a reason of its own
			if i := slices.IndexFunc(list, func(p Part) bool { return p.Allow && s.Contains(p.Set, st.Before) }); i >= 0 {
				by = list[i]
			}
			out = append(out, Met{f.g.placed(b.control, e, by), by, f.g.Single(st.Before)})
		}
	}
	return out
}

// unsettled lists the open assumptions of an edge that are no facts of the flood's world; of an edge without any, all of its assumptions.
func (f *Flood) unsettled(e *edge) []string {
	var open []string
	for _, n := range e.notes {
		if !f.g.planner.assumed(n) {
			open = append(open, n)
		}
	}
	if len(open) == 0 {
		open = slices.Clone(e.notes)
	}
	return slices.DeleteFunc(open, func(n string) bool { return f.world.Facts[n] })
}

// Unsettled lists the assumptions of which at least one must be a fact before packets are certain to come further towards the ends of back.
func (f *Flood) Unsettled(back map[NodeID]packet.Set) []string {
	s, c := f.g.Space, f.g.compiler
	var out []string
	for i := range f.g.edges {
		e := &f.g.edges[i]
		after, ok := back[e.to]
		if !ok || e.hypothetical || len(e.notes) == 0 || f.reached[e.from].Empty() {
			continue
		}
		if e.rewrite != nil {
			after = s.Preimage(after, f.g.rewriteOf(e))
		}
		here := s.Intersect(s.Intersect(f.reached[e.from], after), s.Subtract(e.guard.bound(c, Over), f.pass(e)))
		if !here.Empty() {
			out = append(out, f.g.bearing(f.unsettled(e), here)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
