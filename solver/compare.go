package solver

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// Comparison is what one sender may open to one target in two estates: every flow that differs. Nothing differs exactly when Flows is
// empty; both estates were compared over all packets.
type Comparison struct {
	Flows []FlowChange `json:"flows"`
}

// FlowChange is the packets between two ends whose verdict is another in the proposed estate than in the base.
type FlowChange struct {
	Change   string    `json:"change"` // added: the pair had no flow; removed: it has none; widened, narrowed
	From     string    `json:"from"`
	To       string    `json:"to"`
	FromZone string    `json:"fromZone,omitempty"`
	ToZone   string    `json:"toZone,omitempty"`
	Before   Verdict   `json:"before"`
	After    Verdict   `json:"after"`
	Kind     Kind      `json:"kind"`
	Via      []string  `json:"via,omitempty"`  // relayed: the chain
	Sent     bool      `json:"sent,omitempty"` // the packets are as senders make them: what arrives is the same, who may send it is not
	Packets  []Packets `json:"packets"`
	Total    uint64    `json:"total,omitempty"` // how many rows Packets would have without the cap
	Witness  *Witness  `json:"witness" jsonschema:"nullable"`
	Because  []Blame   `json:"because"`

	weight int // less is graver
}

// Blame is a control that decides the witness in one estate and not, or otherwise, in the other.
type Blame struct {
	Side   string `json:"side"` // base, proposed
	At     string `json:"at"`
	Stage  string `json:"stage"`
	Action string `json:"action"`
	Rule   string `json:"rule"`
	Source string `json:"source"`
	Detail string `json:"detail"`
}

// Changes of a flow, the gravest first.
const (
	Added    = "added"
	Widened  = "widened"
	Narrowed = "narrowed"
	Removed  = "removed"
)

// Compare finds every flow that differs between two estates. Both are read into one packet space, whose classes are finer than those of
// either, so that equal flows are equal sets however their rules are written.
//
// A flow is a sender, a target, and packets as the target sees them (AZ-GEN-11), with their source where no translation hides it. Where one
// changes packets on the way, what senders send is compared as well, though not which of two addresses or ports leads to which. Names of
// machines do not matter within a subnet: their addresses do.
//
// Of two solutions of SolvePair only those targets are looked at that a packet may reach over a rule that differs.
func Compare(base, proposed *Solution) (*Comparison, error) {
	x := together(base, proposed)
	if x != nil && x.graphs.Same() {
		return &Comparison{Flows: []FlowChange{}}, errors.Join(base.Err(), proposed.Err())
	}
	c, err := newComparison(base, proposed)
	if err != nil {
		return nil, err
	}
	var affected []packet.Set
	if x != nil {
		affected = x.affected()
	}
	before, after := c.base.flows(c, affected), c.proposed.flows(c, affected)
	for k := range c.base.changed { // what one of both asks of a target is asked of the other too
		c.proposed.changed[k] = true
	}
	c.base.changed = c.proposed.changed
	c.base.sent(c, before)
	c.proposed.sent(c, after)
	out := &Comparison{Flows: []FlowChange{}}
	for _, k := range sortedPairs(before, after) {
		out.Flows = append(out.Flows, c.differ(k, before[k], after[k])...)
	}
	slices.SortStableFunc(out.Flows, compareChanges)
	return out, errors.Join(base.Err(), proposed.Err(), c.space.Err())
}

func compareChanges(a, b FlowChange) int {
	rank := func(f FlowChange) int {
		n := slices.Index([]string{Added, Widened, Narrowed, Removed}, f.Change) * 2
		if f.Kind == Relayed {
			n++
		}
		return n
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.weight, b.weight), cmp.Compare(a.FromZone, b.FromZone), cmp.Compare(a.ToZone, b.ToZone), cmp.Compare(a.From, b.From),
		cmp.Compare(a.To, b.To), slices.Compare(a.Via, b.Via), cmp.Compare(a.Before, b.Before), cmp.Compare(b.After, a.After))
}

// pairKey names a sender and a target in both estates: by resources, never by how a class of them is called.
type pairKey struct {
	from, to, via string
	kind          Kind
}

func (a pairKey) compare(b pairKey) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.via, b.via))
}

func sortedPairs(a, b map[pairKey]*pairFlows) []pairKey {
	var out []pairKey
	for k := range a {
		out = append(out, k)
	}
	for k := range b {
		if a[k] == nil {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, pairKey.compare)
	return out
}

// bounds2 is a set in the over and the one-way bound, in the space of a comparison.
type bounds2 struct{ over, sure packet.Set }

func (b bounds2) empty() bool { return b.over.Empty() && b.sure.Empty() }

// pairFlows is the flows of one pair.
type pairFlows struct {
	arrive bounds2 // as the target sees them, the source left free where a translation has changed it
	send   bounds2 // as the sender makes them, for targets that translated packets reach
	rows   []row
	query  *query
	from   string
	to     string
	via    []string
}

// comparison is two estates in one space.
type comparison struct {
	base, proposed *estateView
	u              *packet.Universe
	space          *packet.Space
	symbols        []model.Symbol // of both, each at its address in u
	facts          packet.Set     // packets that can exist in both
}

// estateView is one estate of a comparison.
type estateView struct {
	s    *Solution
	side string
	t    *packet.Translation
	own  packet.Set // packets that carry their sender's address

	flood     func(dataplane.Bound) *dataplane.Flood // of what may come to the targets that are looked at
	rewritten map[dataplane.Bound]packet.Set         // packets to addresses that translations write
	ends      map[string]*end                        // the targets that are looked at
	changed   map[string]bool                        // those of them to which a translation may lead
	zone      []string                               // of each origin
}

// newComparison builds the space in which both estates can be told: the classes of both, and their symbols by what they stand for.
func newComparison(base, proposed *Solution) (*comparison, error) {
	c := &comparison{base: &estateView{s: base, side: "base"}, proposed: &estateView{s: proposed, side: "proposed"}}
	b := packet.NewBuilder()
	block := model.SymbolBlock()
	b.AddSet("", []netip.Prefix{block})
	for _, v := range []*estateView{c.base, c.proposed} {
		u := v.s.graph.Universe
		if len(u.TagsLeftOut()) > 0 {
			return nil, fmt.Errorf("%w: more tags than are told apart", ErrBudget)
		}
		b.Tags(u.TagNames()...)
		for class := range uint32(u.Classes()) {
			real := slices.DeleteFunc(u.Prefixes(value(class)), block.Overlaps)
			if len(real) > 0 {
				b.AddSet("", real)
			}
		}
		for class := uint32(1); class <= u.Domain(packet.Name); class++ {
			b.Names(u.NamePatterns(class)...)
		}
		for _, sym := range v.s.symbols().All() {
			sym.Addr = netip.Addr{}
			c.symbols = append(c.symbols, sym)
		}
	}
	slices.SortFunc(c.symbols, compareSymbols)
	c.symbols = slices.CompactFunc(c.symbols, func(a, b model.Symbol) bool { return compareSymbols(a, b) == 0 })
	a := block.Addr()
	for i := range c.symbols {
		a = a.Next()
		c.symbols[i].Addr = a
		b.AddTarget(a)
	}
	c.u = b.Freeze()
	if c.u.Err() != nil || len(c.u.TagsLeftOut()) > 0 {
		return nil, fmt.Errorf("%w: both estates together have more addresses or tags than are told apart", ErrBudget)
	}
	c.space = packet.NewSpace(c.u, base.o.Limits)
	c.facts = c.space.All()
	for _, v := range []*estateView{c.base, c.proposed} {
		v.prepare(c)
		c.facts = c.space.Intersect(c.facts, v.t.Set(v.s.graph.Facts()))
	}
	return c, nil
}

func compareSymbols(a, b model.Symbol) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.Owner.Compare(b.Owner), cmp.Compare(a.Part, b.Part))
}

// symbolAt returns the symbol that an address of the comparison stands for.
func (c *comparison) symbolAt(a netip.Addr) (model.Symbol, bool) {
	i, ok := slices.BinarySearchFunc(c.symbols, a, func(s model.Symbol, a netip.Addr) int { return s.Addr.Compare(a) })
	if !ok {
		return model.Symbol{}, false
	}
	return c.symbols[i], true
}

// addressIn is an address of the comparison in one estate; false for a symbol that it does not have.
func (c *comparison) addressIn(v *estateView, a netip.Addr) (netip.Addr, bool) {
	if !model.SymbolBlock().Contains(a) {
		return a, true
	}
	sym, ok := c.symbolAt(a)
	if !ok {
		return a, false
	}
	return v.s.symbols().Of(sym.Kind, sym.Owner, sym.Part)
}

func (v *estateView) prepare(c *comparison) {
	g := v.s.graph
	m := packet.Images{Origin: []uint32{0}}
	for class := range uint32(c.u.Classes()) {
		image := packet.NoImage
		if a, ok := c.addressIn(v, c.u.Example(class)); ok {
			image = g.Universe.Class(a)
		}
		m.Addr = append(m.Addr, image)
	}
	for class := range c.u.Domain(packet.Name) + 1 {
		m.Name = append(m.Name, g.Universe.NameClass(c.u.NameExample(class)))
	}
	v.t = packet.NewTranslation(c.space, g.Space, m)
	var own []packet.Set
	for o := range g.Origins {
		own = append(own, g.Space.Box(packet.Box{Origin: value(uint32(o)), Src: g.OriginClasses(o)}))
	}
	v.own = g.Space.Union(own...)
	v.flood, v.rewritten = v.s.flood, map[dataplane.Bound]packet.Set{}
	v.zone = make([]string, len(g.Origins))
	for i, o := range g.Origins {
		if o.Site.Place.Kind == model.PlaceInternet {
			v.zone[i] = string(model.SelInternet)
		}
	}
	for _, z := range v.s.zones {
		for _, o := range z.senders {
			v.zone[o] = string(model.SelZone) + ":" + z.zone.Name
		}
	}
}

// siteKey names a site the same in every estate: what stands in a subnet by the subnet, since machines that are treated alike form a class
// in one estate and not in another; all else by its place.
func siteKey(x *dataplane.Site) string {
	switch x.Place.Kind {
	case model.PlaceNIC, model.PlaceSubnet, model.PlaceScaleSet, model.PlaceNodePool:
		if x.Subnet != "" {
			return "subnet " + x.Subnet.Key()
		}
	case model.PlacePod:
		return "pod " + x.Place.ID.Key() + " " + x.Channel // on whichever pool
	default:
	}
	return x.Place.Kind.String() + " " + x.Place.ID.Key() + " " + x.Place.Part + " " + x.Channel
}

// keyRef is what answers call a key's sites.
func (v *estateView) keyRef(x *dataplane.Site) string {
	if strings.HasPrefix(siteKey(x), "subnet ") {
		return v.s.placeRef(model.Place{Kind: model.PlaceSubnet, ID: x.Subnet})
	}
	return v.s.siteRef(x)
}

// flows are the flows of an estate by pair: packets from each sender to each target, and the chains of relays from zone to zone. affected, where
// not nil, is the packets at each node that may differ: targets without any are left out.
func (v *estateView) flows(c *comparison, affected []packet.Set) map[pairKey]*pairFlows {
	s := v.s
	out := map[pairKey]*pairFlows{}
	everyone := newEnd("any")
	s.addWhole(everyone, func(*dataplane.Site) bool { return true })
	var keys []string
	sites := map[string]*dataplane.Site{}
	differs := map[string]bool{}
	for _, x := range s.graph.Sites {
		if x.Receive < 0 {
			continue
		}
		differs[siteKey(x)] = differs[siteKey(x)] || affected == nil || !affected[x.Receive].Empty()
		if k := siteKey(x); sites[k] == nil {
			sites[k], keys = x, append(keys, k)
		}
	}
	slices.Sort(keys)
	keys = slices.DeleteFunc(keys, func(k string) bool { return !differs[k] })
	ends := make([]*end, len(keys))
	for i, k := range keys {
		ends[i] = newEnd(v.keyRef(sites[k]))
		s.addWhole(ends[i], func(x *dataplane.Site) bool { return siteKey(x) == k })
	}
	if affected != nil {
		v.flood = s.floodToward(ends)
	}
	v.ends, v.changed = map[string]*end{}, map[string]bool{}
	for i, k := range keys {
		s.progress(i, len(keys), "flows of the "+v.side)
		to := ends[i]
		q := s.newQuery(everyone, to)
		q.direct, q.plain, q.floods = true, true, v.flood
		for _, r := range s.directRows(q, everyone.from, nil, nil) {
			if r.over.Empty() {
				continue
			}
			g := s.groups[r.group]
			p := v.pair(c, out, pairKey{siteKey(g.site), k, "", Direct}, r, q)
			p.from, p.to = v.keyRef(g.site), to.text
		}
		v.ends[k] = to
		if v.translated(to) {
			v.changed[k] = true
		}
	}
	s.progress(len(keys), len(keys), "flows of the "+v.side)
	v.relayed(c, out)
	return out
}

// pair adds a row to its pair.
func (v *estateView) pair(c *comparison, out map[pairKey]*pairFlows, k pairKey, r row, q *query) *pairFlows {
	p := out[k]
	if p == nil {
		p = &pairFlows{query: q}
		out[k] = p
	}
	p.rows = append(p.rows, r)
	p.arrive.over = c.space.Union(p.arrive.over, v.arriving(c, r, r.over))
	p.arrive.sure = c.space.Union(p.arrive.sure, v.arriving(c, r, r.oneWay))
	return p
}

// arriving carries a row's packets over. What has another source than its sender keeps none: which address a translation takes is no
// matter of who reaches whom.
func (v *estateView) arriving(c *comparison, r row, set packet.Set) packet.Set {
	space := v.s.graph.Space
	if r.kind == Relayed {
		return v.t.Set(space.Project(set, packet.Src))
	}
	var classes []packet.Range
	for _, o := range v.s.groups[r.group].origins {
		classes = append(classes, v.s.graph.OriginClasses(o)...)
	}
	own := space.Intersect(set, space.Box(packet.Box{Src: classes}))
	if own == set {
		return v.t.Set(set)
	}
	return c.space.Union(v.t.Set(own), v.t.Set(space.Project(space.Subtract(set, own), packet.Src)))
}

// translated reports whether a translation may have changed packets that come to a target.
func (v *estateView) translated(to *end) bool {
	g := v.s.graph
	for _, b := range []dataplane.Bound{dataplane.Over, dataplane.OneWay} {
		f := v.flood(b)
		rewritten, known := v.rewritten[b]
		if !known {
			rewritten = g.Space.Box(packet.Box{Dst: append([]packet.Range{}, f.Rewritten()...)})
			v.rewritten[b] = rewritten
		}
		for n := range to.nodes {
			if set := f.At(n); !g.Space.Subset(set, v.own) || !g.Space.Disjoint(set, rewritten) {
				return true
			}
		}
	}
	return false
}

// sent adds how senders make the packets to targets, where a translation has changed some of them on the way: two senders that arrive
// alike, or two addresses that lead to one machine, differ there alone.
func (v *estateView) sent(c *comparison, out map[pairKey]*pairFlows) {
	g := v.s.graph
	for _, key := range slices.Sorted(maps.Keys(v.changed)) {
		to := v.ends[key]
		if to == nil {
			continue
		}
		for _, b := range []dataplane.Bound{dataplane.Over, dataplane.OneWay} {
			f := v.flood(b)
			targets := map[dataplane.NodeID]packet.Set{}
			for n := range to.nodes {
				if set := f.At(n); !set.Empty() {
					targets[n] = set
				}
			}
			if len(targets) == 0 {
				continue
			}
			back := f.Back(targets, g.Space.All())
			for i, o := range g.Origins {
				set := g.Space.Intersect(back[o.Site.Send], g.From(i))
				if set.Empty() {
					continue
				}
				p := out[pairKey{siteKey(o.Site), key, "", Direct}]
				if p == nil {
					continue // nothing of it arrives
				}
				made := v.t.Set(g.Space.Project(set, packet.Origin))
				if b == dataplane.Over {
					p.send.over = c.space.Union(p.send.over, made)
				} else {
					p.send.sure = c.space.Union(p.send.sure, made)
				}
			}
		}
	}
}

// relayed adds the chains of relays between zones. Their legs are among the direct flows: what a chain adds is who it leads to.
func (v *estateView) relayed(c *comparison, out map[pairKey]*pairFlows) {
	s := v.s
	sides, err := s.zoneSides()
	if err != nil || len(s.relays) == 0 {
		return
	}
	m := s.newMatrix(sides, s.graph.Space.All(), false)
	for _, to := range sides {
		column := m.column(to)
		for i, from := range sides {
			if from.name == to.name {
				continue
			}
			for _, r := range m.rows(column, i) {
				if r.kind != Relayed {
					continue
				}
				via := s.chainNames(r.via)
				p := v.pair(c, out, pairKey{from.name, to.name, strings.Join(via, "\n"), Relayed}, r, column.query)
				p.from, p.to, p.via = from.name, to.name, via
			}
		}
	}
}

// differ lists how a pair differs: a change for each verdict that packets had and have.
func (c *comparison) differ(k pairKey, before, after *pairFlows) []FlowChange {
	if before == nil {
		before = &pairFlows{}
	}
	if after == nil {
		after = &pairFlows{}
	}
	out := c.changes(k, before, after, before.arrive, after.arrive, false)
	if len(out) == 0 {
		out = c.changes(k, before, after, before.send, after.send, true)
	}
	return out
}

func (c *comparison) changes(k pairKey, before, after *pairFlows, b, a bounds2, sent bool) []FlowChange {
	if b == a {
		return nil
	}
	part := func(x bounds2, v Verdict) packet.Set {
		switch v {
		case Reachable:
			return c.space.Intersect(x.sure, c.facts)
		case Unknown:
			return c.space.Intersect(c.space.Subtract(x.over, x.sure), c.facts)
		default:
			return c.space.Subtract(c.facts, x.over)
		}
	}
	var out []FlowChange
	for _, was := range []Verdict{Unreachable, Unknown, Reachable} {
		for _, is := range []Verdict{Reachable, Unknown, Unreachable} {
			if was == is {
				continue
			}
			set := c.space.Intersect(part(b, was), part(a, is))
			if set.Empty() || c.toItself(set) {
				continue
			}
			f := FlowChange{Before: was, After: is, Kind: k.kind, Sent: sent, Because: []Blame{}}
			grows := is == Reachable || is == Unknown && was == Unreachable
			side, p := c.proposed, after
			switch {
			case grows && b.empty():
				f.Change = Added
			case grows:
				f.Change = Widened
			case a.empty():
				f.Change, side, p = Removed, c.base, before
			default:
				f.Change, side, p = Narrowed, c.base, before
			}
			f.From, f.To, f.Via = p.from, p.to, p.via
			for _, x := range c.byZone(side, p, set) {
				one := f
				one.FromZone = x.zone
				c.describe(&one, side, p, x.set)
				out = append(out, one)
			}
		}
	}
	return out
}

// toItself reports whether a set holds nothing but packets of single addresses to themselves, which never leave a NIC (AZ-GEN-05).
func (c *comparison) toItself(set packet.Set) bool {
	list, total := c.space.Boxes(set, boxCap)
	return total <= boxCap && !slices.ContainsFunc(list, func(b packet.Box) bool {
		return len(b.Src) != 1 || len(b.Dst) != 1 || b.Src[0] != b.Dst[0] || b.Src[0].Lo != b.Src[0].Hi || !c.u.Single(b.Src[0].Lo)
	})
}
