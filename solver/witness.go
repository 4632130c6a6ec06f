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

// witness picks a packet that proves the best row, replays it in the interpreter and prints its way. The result is nil when the
// interpreter does not confirm the solver: then nothing is shown as proof. The second result is the assumptions on the way.
func (s *Solution) witness(q *query, rows []row) (*Witness, []string) {
	best := rows[0]
	for _, r := range rows[1:] {
		if quality(r) > quality(best) {
			best = r
		}
	}
	return s.rowWitness(q, best)
}

// quality ranks rows as evidence: a session before a one-way delivery before a possible one, direct before relayed.
func quality(r row) int {
	n := 0
	if !r.session.Empty() {
		n += 4
	}
	if !r.oneWay.Empty() {
		n += 2
	}
	if r.kind == Direct {
		n++
	}
	return n
}

// rowWitness is the witness of one row: its packet, or one packet for each connection of its chain.
func (s *Solution) rowWitness(q *query, r row) (*Witness, []string) {
	legs := s.rowLegs(q, r)
	if legs == nil {
		return nil, nil
	}
	var notes []string
	w := &Witness{}
	for i, l := range legs {
		notes = append(notes, l.notes...)
		if i == 0 {
			w.Packet, w.Hops = l.packet, l.hops
			continue
		}
		w.Legs = append(w.Legs, Leg{Relay: s.relays[r.via[i-1]].name, Packet: l.packet, Hops: l.hops})
	}
	return w, notes
}

// rowLegs are the connections of one row's witness, nil where the interpreter does not confirm one.
func (s *Solution) rowLegs(q *query, r row) []tracedLeg {
	bound, sets, wanted := dataplane.Over, s.raw(r), r.over
	if !r.oneWay.Empty() {
		bound, sets, wanted = dataplane.OneWay, s.certain(r), r.oneWay
		if !r.session.Empty() {
			wanted = r.session
		}
	}
	var legs []tracedLeg
	for i, v := range r.via {
		from := s.graph.From(slices.Clone(s.groups[r.group].origins)...)
		if i > 0 {
			from = s.relays[r.via[i-1]].from
		}
		set := s.atRelay(q.floods(bound), s.relays[v], from)
		leg, ok := s.leg(q.floods(bound), map[dataplane.NodeID]packet.Set{s.relays[v].at: set}, packet.Set{})
		if !ok {
			return nil
		}
		legs = append(legs, leg)
	}
	last, ok := s.leg(q.floods(bound), sets, wanted)
	if !ok {
		return nil
	}
	return append(legs, last)
}

// doubts names the assumptions that keep what may be delivered from being certain: those of every way that a packet of each open row may
// have come.
func (s *Solution) doubts(q *query, rows []row) []string {
	const most = 32
	space := s.graph.Space
	var out []string
	seen := 0
	ask := func(sets, sure map[dataplane.NodeID]packet.Set) {
		for _, n := range slices.Sorted(maps.Keys(sets)) {
			open := space.Subtract(sets[n], sure[n])
			if open.Empty() || seen >= most {
				continue
			}
			seen++
			out = append(out, q.floods(dataplane.Over).Doubts(n, open)...)
			out = append(out, q.floods(dataplane.OneWay).Picked(n, open)...)
		}
	}
	for _, r := range rows {
		for i, v := range r.via {
			out = append(out, s.relays[v].open...)
			from := s.graph.From(slices.Clone(s.groups[r.group].origins)...)
			if i > 0 {
				from = s.relays[r.via[i-1]].from
			}
			at := func(b dataplane.Bound) map[dataplane.NodeID]packet.Set {
				return map[dataplane.NodeID]packet.Set{s.relays[v].at: s.atRelay(q.floods(b), s.relays[v], from)}
			}
			if sure := at(dataplane.OneWay); sure[s.relays[v].at].Empty() {
				ask(at(dataplane.Over), sure)
			}
		}
		if !space.Subset(r.over, r.oneWay) {
			ask(s.raw(r), s.certain(r))
		}
	}
	if q.to.named && isNamePart(q.to.text) {
		out = append(out, "ASM-E-FQDN") // AZ-NAME-02: a way to some addresses is no way to the host of a name
		for _, r := range rows {
			open := space.Subtract(r.over, r.oneWay)
			for _, f := range s.graph.NameTags() { // AZ-FW-34, AZ-FW-35: the one name that is asked about may be in it
				if space.Project(open, f) == open {
					continue
				}
				if kind, _, _ := strings.Cut(s.graph.Universe.TagNames()[int(f)-int(packet.Tag(0))], ":"); kind == "webcategory" {
					out = append(out, "ASM-E-WEBCAT")
				} else {
					out = append(out, "ASM-E-FQDNTAG")
				}
			}
		}
	}
	if q.from.public || q.to.public {
		for _, r := range rows {
			open := space.Subtract(r.over, r.oneWay)
			for _, f := range s.graph.AddressTags() {
				if space.Project(open, f) != open {
					out = append(out, "ASM-TAG("+s.tagName(f)+")")
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// tracedLeg is one connection that the interpreter confirmed.
type tracedLeg struct {
	packet Packet
	made   trace.Packet // the same, as the interpreter read it
	hops   []Hop
	way    []trace.Hop // the hops as the interpreter has them
	notes  []string
}

// leg samples a packet from what arrives at some nodes, walks back to how its sender made it, and has the interpreter replay it.
// wanted, where not empty, is preferred (without the origin).
func (s *Solution) leg(f *dataplane.Flood, sets map[dataplane.NodeID]packet.Set, wanted packet.Set) (tracedLeg, bool) {
	for _, n := range slices.Sorted(maps.Keys(sets)) {
		prefer := s.graph.Natural()
		if !wanted.Empty() {
			prefer = append([]packet.Set{wanted}, prefer...)
		}
		prefer = append(prefer, s.existing())
		arrived, ok := s.graph.Space.Sample(sets[n], prefer...)
		if !ok {
			continue
		}
		start, _ := f.Course(n, arrived)
		if leg, ok := s.replay(start, n, arrived); ok {
			return leg, true
		}
	}
	return tracedLeg{}, false
}

// existing prefers addresses that something of the estate holds.
func (s *Solution) existing() packet.Set {
	var rs []packet.Range
	for _, site := range s.graph.Sites {
		held := []netip.Addr{}
		for _, m := range site.Members {
			held = append(held, m.Addr)
		}
		for _, p := range site.Prefixes {
			if p.IsSingleIP() {
				held = append(held, p.Addr())
			}
		}
		for _, a := range held {
			if c := s.graph.Universe.Class(a); s.graph.Universe.Example(c) == a {
				rs = append(rs, packet.Range{Lo: c, Hi: c})
			}
		}
	}
	slices.SortFunc(rs, func(a, b packet.Range) int { return int(a.Lo) - int(b.Lo) })
	rs = slices.Compact(rs)
	if len(rs) == 0 {
		return packet.Set{}
	}
	return s.graph.Space.Box(packet.Box{Dst: rs})
}

// concrete turns a packet of the solver into one of the interpreter.
func (s *Solution) concrete(p packet.Packet) trace.Packet {
	u := s.graph.Universe
	out := trace.Packet{
		From: s.graph.Origins[p.Origin].Site.PlaceOf(u.Example(p.Src)), Src: u.Example(p.Src), Dst: u.Example(p.Dst), Protocol: model.Protocol(p.Protocol),
		SPort: p.SPort, DPort: p.DPort,
	}
	if a := natural(out.From); a.IsValid() && u.Class(a) == p.Src {
		out.Src = a
	}
	if out.From.Kind == model.PlaceFarSide {
		out.Src = fourth(u, p.Src)
	}
	if next := out.Dst.Next(); out.Dst == out.Src && next.IsValid() && u.Class(next) == p.Dst {
		out.Dst = next // AZ-GEN-05: what never leaves a NIC is no flow
	}
	if !out.Protocol.HasPorts() {
		out.SPort, out.DPort = 0, 0
	}
	if p.Name != 0 {
		out.Name = u.NameExample(p.Name)
	}
	for _, n := range u.TagNames() {
		if f, ok := u.Tag(n); ok && p.Tag(f) {
			_, name, _ := strings.Cut(n, ":")
			out.Tags = append(out.Tags, name)
		}
	}
	slices.Sort(out.Tags)
	return out
}

// fourth is the fourth address of a class, which looks like a host where the first looks like a network; of a small class, the first.
func fourth(u *packet.Universe, class uint32) netip.Addr {
	first := u.Example(class)
	a := first
	for range 4 {
		a = a.Next()
	}
	if a.IsValid() && u.Class(a) == class {
		return a
	}
	return first
}

// natural is the address that stands for the internet in a witness, where every address of its class is treated alike.
func natural(from model.Place) netip.Addr {
	if from.Kind != model.PlaceInternet {
		return netip.Addr{}
	}
	return dataplane.UsualInternet()
}

// replay has the interpreter walk a packet, and prints the way that ends at the node's place.
func (s *Solution) replay(start packet.Packet, n dataplane.NodeID, arrived packet.Packet) (tracedLeg, bool) {
	return s.replayed(s.concrete(start), n, s.graph.Universe.Example(arrived.Dst))
}

// replayed has the interpreter walk a packet to a node, where it has some destination.
func (s *Solution) replayed(p trace.Packet, n dataplane.NodeID, dst netip.Addr) (tracedLeg, bool) {
	end := s.graph.Nodes[n]
	end.Place = s.graph.PlaceAt(n, dst)
	res := s.interpreter(false).Run(p)
	var best *trace.Path
	var doubts []string // of every course that may end there: what one leaves open another may leave open for its own reasons
	for i := range res.Paths {
		path := &res.Paths[i]
		if path.End != trace.Delivered || end.Stage == dataplane.StageReceive && !samePlace(path.At, end.Place) {
			continue
		}
		if !path.Certain {
			doubts = append(doubts, path.Assumptions...)
		}
		if best == nil || path.Session && !best.Session || path.Certain && !best.Certain {
			best = path
		}
	}
	if best == nil {
		return tracedLeg{}, false
	}
	notes := best.Assumptions
	if !best.Certain {
		notes = doubts
	}
	return tracedLeg{packet: s.printPacket(p), made: p, hops: s.printHops(best.Hops, p), way: best.Hops, notes: notes}, true
}

// samePlace compares where the interpreter delivered with where the solver did. A relay's listeners and a workload's placements are
// parts of one place.
func samePlace(a, b model.Place) bool {
	if a.Kind != b.Kind || a.ID.Key() != b.ID.Key() {
		return false
	}
	switch a.Kind {
	case model.PlaceAppGateway, model.PlacePod, model.PlaceAPIM, model.PlaceFrontDoor:
		return true
	default:
		return a.Part == b.Part || a.Part == "" || b.Part == ""
	}
}

func (s *Solution) printPacket(p trace.Packet) Packet {
	return Packet{Src: s.addressText(p.Src), Dst: s.addressText(p.Dst), Protocol: p.Protocol.String(), SPort: p.SPort, DPort: p.DPort, Name: p.Name}
}

// addressText prints an address, a symbol by its owner.
func (s *Solution) addressText(a netip.Addr) string {
	if sym, ok := s.symbols().At(a); ok {
		return s.symbolText(sym)
	}
	return a.String()
}

// printHops prints the hops of a packet. Where one rewrites the header, it shows the packet behind it.
func (s *Solution) printHops(hops []trace.Hop, p trace.Packet) []Hop {
	out := []Hop{}
	for _, h := range hops {
		x := Hop{At: s.placeRef(h.At), Stage: string(h.Stage), Action: string(h.Action), Rule: h.Rule, Detail: h.Detail}
		if !h.Source.IsZero() {
			x.Source = h.Source.String()
		}
		if h.Route != nil {
			x.NextHopType, x.RouteTable = string(h.Route.NextHopType), h.Route.RouteTable
			if h.Route.NextHopIP.IsValid() {
				x.NextHopIP = h.Route.NextHopIP.String()
			}
			if h.Route.Prefix.IsValid() {
				x.Prefix = h.Route.Prefix.String()
			} else if h.Route.Tag != "" {
				x.Prefix = h.Route.Tag
			}
		}
		if h.Packet.String() != p.String() && h.Packet.Src.IsValid() {
			now := s.printPacket(h.Packet)
			x.Packet, p = &now, h.Packet
		}
		out = append(out, x)
	}
	return out
}

// blockers asks the interpreter what stops representative packets: the controls that deny them, every one on the way and not the first
// alone. The second result is the assumptions that the answers rest on.
func (s *Solution) blockers(q *query) ([]Blocker, []string) {
	out := []Blocker{}
	var notes []string
	if q.from.from.Empty() { // AZ-PE-01, AZ-LB-01
		return append(out, Blocker{At: q.from.text, Stage: string(trace.Transport), Detail: "opens no connections of its own", From: q.from.text, To: q.to.text}), nil
	}
	seen := map[blockerKey]bool{}
	for _, p := range s.representatives(q) {
		res := s.interpreter(true).Run(p.packet)
		for _, path := range res.Paths {
			notes = append(notes, path.Assumptions...)
			for _, h := range path.Hops {
				if h.Action != trace.Deny && h.Action != trace.Drop {
					continue
				}
				x := s.printHops([]trace.Hop{h}, h.Packet)[0]
				k := blockerKey{x.At, x.Stage, x.Rule, x.Source, x.Detail, p.from, p.to}
				if x.NextHopType != "" {
					k.detail = routeText(x)
				}
				if !seen[k] {
					seen[k] = true
					out = append(out, k.blocker())
				}
			}
		}
	}
	return out, notes
}

// routeText is a route as its prefix and next hop.
func routeText(h Hop) string {
	return strings.TrimSpace(h.Prefix + " -> " + strings.TrimSpace(h.NextHopType+" "+h.NextHopIP))
}

type representative struct {
	packet   trace.Packet
	from, to string
}

// addressFrom is the address by which a sender may reach a site: from the internet the public one, where the site has one.
func (s *Solution) addressFrom(from, to *dataplane.Site) netip.Addr {
	n, ok := model.Get[*model.NIC](s.Project.Estate, to.Place.ID)
	if !ok || from.Place.Kind != model.PlaceInternet {
		return to.Prefixes[0].Addr()
	}
	for _, c := range n.IPConfigs {
		if ip, found := model.Get[*model.PublicIP](s.Project.Estate, c.PublicIP); found && c.Name == to.Place.Part {
			if ip.Address.IsValid() {
				return ip.Address
			}
			if a, stands := s.symbols().Of(model.PublicAddress, ip.ID, ""); stands {
				return a
			}
		}
	}
	return to.Prefixes[0].Addr()
}

// representatives are packets from the first senders of a question to its first targets, one for each pair, few in all.
func (s *Solution) representatives(q *query) []representative {
	const most = 4
	space := s.graph.Space
	var out []representative
	senders := slices.Clone(q.from.senders)
	if len(senders) == 0 {
		for _, r := range space.Origins(q.from.from) {
			for o := r.Lo; o <= r.Hi; o++ {
				senders = append(senders, int(o))
			}
		}
	}
	for _, site := range q.to.sites {
		for _, o := range senders {
			if len(out) >= most {
				return out
			}
			origin := s.graph.Origins[o]
			if origin.Site == site || len(site.Prefixes) == 0 {
				continue
			}
			to := s.graph.Universe.Class(s.addressFrom(origin.Site, site))
			set := space.Intersect(s.graph.Sent(o), space.Intersect(q.service, space.Box(packet.Box{Dst: value(to)})))
			p, ok := space.Sample(set, s.graph.Natural()...)
			if !ok {
				continue
			}
			out = append(out, representative{s.concrete(p), s.groups[s.groupOf[o]].ref, s.siteRef(site)})
		}
	}
	return out
}
