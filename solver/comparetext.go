package solver

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
	"github.com/ringfence/ringfence/solver/trace"
)

// zoned is the part of a change whose sender is in one zone.
type zoned struct {
	zone string
	set  packet.Set
}

// byZone cuts a change of a subnet whose machines are in several zones. Packets that do not tell which of them sent them stay whole.
func (c *comparison) byZone(v *estateView, p *pairFlows, set packet.Set) []zoned {
	classes := map[string][]packet.Range{}
	for _, r := range p.rows {
		for _, o := range v.s.groups[r.group].origins {
			classes[v.zone[o]] = append(classes[v.zone[o]], v.s.graph.OriginClasses(o)...)
		}
	}
	zones := slices.Sorted(maps.Keys(classes))
	if len(zones) == 1 {
		return []zoned{{zones[0], set}}
	}
	var out []zoned
	for _, z := range zones {
		part := c.space.Intersect(set, v.t.Set(v.s.graph.Space.Box(packet.Box{Src: classes[z]})))
		if set = c.space.Subtract(set, part); !part.Empty() {
			out = append(out, zoned{z, part})
		}
	}
	if !set.Empty() {
		out = append(out, zoned{"", set})
	}
	return out
}

// describe prints the packets of a change, proves it by one of them in the estate that has the flow, and blames what decides that packet
// otherwise in the other.
func (c *comparison) describe(f *FlowChange, v *estateView, p *pairFlows, set packet.Set) {
	if f.Kind == Relayed {
		f.FromZone, f.ToZone = f.From, f.To
	}
	f.Packets, f.Total = c.packets(v, set)
	verdict := f.After
	if v == c.base {
		verdict = f.Before
	}
	leg, n, w := c.witness(v, p, set, f, verdict)
	f.Witness = w
	if n >= 0 && f.Kind == Direct {
		f.ToZone = v.s.zoneOfNode(n)
	}
	if w != nil {
		f.Because = c.because(v, leg)
	}
	f.weight = v.weight(f.FromZone) + 2*v.weight(f.ToZone)
	if f.From == "platform" {
		f.weight += 100 // the host's own probes
	}
}

// weight orders changes by the zones that they touch: who may send is graver the farther outside it is, what is reached the more it holds.
func (v *estateView) weight(zone string) int {
	if zone == string(model.SelInternet) {
		return 0
	}
	for _, z := range v.s.zones {
		if string(model.SelZone)+":"+z.zone.Name == zone {
			switch z.zone.Kind {
			case model.ZoneCDE, model.ZoneData:
				return 0
			case model.ZoneWireless, model.ZoneOnPrem, model.ZonePartner:
				return 1
			default:
				return 2
			}
		}
	}
	return 3
}

// witness is a packet of a change, replayed in the estate that has the flow, and where it arrives; -1 where none was confirmed.
func (c *comparison) witness(v *estateView, p *pairFlows, set packet.Set, f *FlowChange, verdict Verdict) (tracedLeg, dataplane.NodeID, *Witness) {
	s := v.s
	if f.Kind == Relayed {
		for _, r := range p.rows {
			if w, _ := s.rowWitness(p.query, r); w != nil {
				return tracedLeg{}, -1, w
			}
		}
		return tracedLeg{}, -1, nil
	}
	prefer := []packet.Set{c.apart(set)}
	for _, x := range s.graph.Natural() {
		prefer = append(prefer, v.t.Set(x))
	}
	prefer = append(prefer, v.t.Set(s.existing()))
	sample, ok := c.space.Sample(set, prefer...)
	if !ok {
		return tracedLeg{}, -1, nil
	}
	src, _ := c.addressIn(v, c.u.Example(sample.Src))
	dst, _ := c.addressIn(v, c.u.Example(sample.Dst))
	if src == dst {
		dst = second(c.u.Prefixes(value(sample.Dst)))
	}
	like := packet.Packet{
		Src: s.graph.Universe.Class(src), Dst: s.graph.Universe.Class(dst), Protocol: sample.Protocol, DPort: sample.DPort, SPort: sample.SPort,
		Name: s.graph.Universe.NameClass(c.u.NameExample(sample.Name)),
	}
	for i, name := range s.graph.Universe.TagNames() {
		if t, ok := c.u.Tag(name); ok && sample.Tag(t) {
			like.Tags = like.Tags.With(i, true)
		}
	}
	// The very addresses of the sample, where the estate's own classes are wider.
	exact := func(made trace.Packet) trace.Packet {
		u, from, to := s.graph.Universe, made.Src, made.Dst
		if u.Class(from) == u.Class(src) && (c.u.Class(from) != sample.Src || from == to) {
			from = src
		}
		if u.Class(to) == u.Class(dst) && (c.u.Class(to) != sample.Dst || from == to) {
			to = dst
		}
		if from != to { // AZ-GEN-05
			made.Src, made.Dst = from, to
		}
		return made
	}
	bound := dataplane.Over
	if verdict == Reachable {
		bound = dataplane.OneWay
	}
	flood := v.flood(bound)
	for _, r := range p.rows {
		arrived := s.raw(r)
		if verdict == Reachable {
			arrived = s.certain(r)
		}
		if f.Sent {
			continue
		}
		for _, n := range slices.Sorted(maps.Keys(arrived)) {
			at, ok := c.like(v, arrived[n], like)
			if !ok {
				continue
			}
			start, _ := flood.Course(n, at)
			made := exact(s.concrete(start))
			made.From = s.graph.Origins[start.Origin].Site.PlaceOf(made.Src)
			if leg, ok := s.replayed(made, n, dst); ok {
				return leg, n, &Witness{Packet: leg.packet, Hops: leg.hops}
			}
		}
	}
	if f.Sent {
		for _, r := range p.rows {
			for _, o := range s.groups[r.group].origins {
				like.Origin = uint32(o)
				if !s.graph.Space.Contains(s.graph.Sent(o), like) {
					continue
				}
				made := exact(s.concrete(like))
				made.From = s.graph.Origins[o].Site.PlaceOf(made.Src)
				for _, n := range r.nodes {
					if leg, ok := s.replayed(made, n, made.Dst); ok {
						return leg, n, &Witness{Packet: leg.packet, Hops: leg.hops}
					}
				}
			}
		}
	}
	return tracedLeg{}, -1, nil
}

// second is the second address of a class, or its only one.
func second(ps []netip.Prefix) netip.Addr {
	a := ps[0].Addr()
	if next := a.Next(); ps[0].Contains(next) {
		return next
	}
	if len(ps) > 1 {
		return ps[1].Addr()
	}
	return a
}

// apart is the packets of a set that go from one address to another.
func (c *comparison) apart(set packet.Set) packet.Set {
	var same []packet.Set
	list, _ := c.space.Boxes(c.space.Project(set, packet.Origin, packet.Dst, packet.Protocol, packet.DPort, packet.SPort, packet.Name), boxCap)
	for _, b := range list {
		for _, r := range b.Src {
			for class := r.Lo; class <= r.Hi && len(same) < boxCap; class++ {
				if c.u.Single(class) {
					same = append(same, c.space.Box(packet.Box{Src: value(class), Dst: value(class)}))
				}
			}
		}
	}
	return c.space.Subtract(set, c.space.Union(same...))
}

// like is a packet of a set that is as another one, its source left free where none has that one's.
func (c *comparison) like(v *estateView, set packet.Set, p packet.Packet) (packet.Packet, bool) {
	space := v.s.graph.Space
	b := packet.Box{Dst: value(p.Dst), Protocol: value(uint32(p.Protocol)), Name: value(p.Name)}
	if packet.HasPorts(p.Protocol) {
		b.DPort, b.SPort = value(uint32(p.DPort)), value(uint32(p.SPort))
	}
	for i := range v.s.graph.Universe.TagNames() {
		b.Tags = append(b.Tags, packet.TagValue{Tag: packet.Tag(i), Value: p.Tags.Has(i)})
	}
	wide := space.Intersect(set, space.Box(b))
	return space.Sample(wide, space.Box(packet.Box{Src: value(p.Src)}))
}

// because lists what decides a packet in one estate and not, or otherwise, in the other: what stops it first.
func (c *comparison) because(v *estateView, leg tracedLeg) []Blame {
	const most = 12
	other := c.proposed
	if v == c.proposed {
		other = c.base
	}
	there := c.otherHops(v, other, leg.made)
	var out []Blame
	key := func(h Hop) string {
		return strings.Join([]string{h.Stage, h.Action, h.Rule, h.NextHopType, h.NextHopIP, h.Prefix, h.RouteTable}, "|")
	}
	add := func(side string, list, less []Hop, stops bool) {
		for _, h := range list {
			if (h.Action == string(trace.Deny) || h.Action == string(trace.Drop)) != stops || slices.ContainsFunc(less, func(x Hop) bool { return key(x) == key(h) }) {
				continue
			}
			b := Blame{Side: side, At: h.At, Stage: h.Stage, Action: h.Action, Rule: h.Rule, Source: h.Source, Detail: h.Detail}
			if h.NextHopType != "" {
				b.Detail = strings.TrimSpace(routeText(h) + " " + h.Detail)
				b.Rule = h.RouteTable
			}
			if b.Rule == "" && b.Detail == "" || slices.Contains(out, b) || len(out) >= most {
				continue
			}
			out = append(out, b)
		}
	}
	add(other.side, there, leg.hops, true)
	add(v.side, leg.hops, there, false)
	if len(there) > 0 && len(out) == 0 {
		add(other.side, there, leg.hops, false)
	}
	if out == nil {
		return []Blame{}
	}
	return out
}

// otherHops has the other estate's interpreter walk the same packet; nothing where that estate lacks its sender or its target.
func (c *comparison) otherHops(v, other *estateView, p trace.Packet) []Hop {
	for _, a := range []*netip.Addr{&p.Src, &p.Dst} {
		if sym, ok := v.s.symbols().At(*a); ok {
			if *a, ok = other.s.symbols().Of(sym.Kind, sym.Owner, sym.Part); !ok {
				return nil
			}
		}
	}
	from := ""
	for _, x := range v.s.graph.Sites {
		if x.Send >= 0 && x.PlaceOf(p.Src).Key() == p.From.Key() {
			from = siteKey(x)
		}
	}
	found := false
	for _, o := range other.s.graph.Origins {
		if siteKey(o.Site) == from && slices.ContainsFunc(o.Prefixes, func(x netip.Prefix) bool { return x.Contains(p.Src) }) {
			p.From, found = o.Site.PlaceOf(p.Src), true
		}
	}
	if !found {
		return nil
	}
	var out []Hop
	for _, path := range other.s.interpreter(true).Run(p).Paths {
		out = append(out, other.s.printHops(path.Hops, p)...)
	}
	return out
}

// packets prints a set of the comparison as few boxes, in the words of one estate.
func (c *comparison) packets(v *estateView, set packet.Set) ([]Packets, uint64) {
	var nameTags []packet.Field
	for i, n := range c.u.TagNames() {
		if kind, _, _ := strings.Cut(n, ":"); kind == "fqdntag" || kind == "webcategory" {
			nameTags = append(nameTags, packet.Tag(i))
		}
	}
	list, total := fewBoxes(c.space, set, nameTags, func() packet.Set { return c.facts })
	out := []Packets{}
	for _, b := range list {
		out = append(out, Packets{
			Src: c.addresses(v, b.Src), Dst: c.addresses(v, b.Dst), SPort: ports(b.SPort), DPort: ports(b.DPort), Protocol: protocols(b.Protocol),
			Names: nameTexts(c.u, b.Name), Tags: tagTexts(b.Tags, c.tagName),
		})
	}
	if total <= uint64(len(out)) {
		total = 0
	}
	return out, total
}

// tagName is a tag as an input spells it.
func (c *comparison) tagName(f packet.Field) string {
	name := c.u.TagNames()[int(f)-int(packet.Tag(0))]
	for _, v := range []*estateView{c.proposed, c.base} {
		if t, ok := v.s.graph.Universe.Tag(name); ok {
			return v.s.tagName(t)
		}
	}
	return name
}

// addresses prints classes of the comparison: the internet by its word, symbols by their owner, the rest as prefixes.
func (c *comparison) addresses(v *estateView, r []packet.Range) []string {
	if r == nil {
		return []string{"any"}
	}
	set := c.space.Box(packet.Box{Dst: r})
	for _, all := range [][]packet.Range{v.s.graph.InternetAddresses(), v.s.graph.InternetAndNamed()} {
		if v.t.Set(v.s.graph.Space.Box(packet.Box{Dst: all})) == c.space.Project(set, packet.Src) {
			return []string{"internet"}
		}
	}
	return prefixTexts(c.u.Prefixes(r), c.symbolAt, v.s.symbolText)
}
