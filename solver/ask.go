package solver

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/trace"
)

// Trace is what becomes of one packet.
type Trace struct {
	Verdict     Verdict      `json:"verdict"`
	Packet      Packet       `json:"packet"`
	Hops        []Hop        `json:"hops"`
	Assumptions []Assumption `json:"assumptions"`
	Courses     int          `json:"courses"` // how many courses the packet may take; Hops is the one that decides the verdict
}

// Trace follows one packet from a sender to a target, as the interpreter reads the specification. It does not ask the symbolic solver
// for more than the addresses that selectors name. All walks past drops, so that every control's own answer shows.
func (s *Solution) Trace(from, to []model.Selector, svc model.PortService, name string, all bool) (*Trace, error) {
	if svc.IsAny() || svc.Protocol.HasPorts() && svc.Ports.First != svc.Ports.Last {
		return nil, fmt.Errorf("a trace follows one packet: want a service with one port, such as tcp/443, not `%s`", svc)
	}
	a, err := s.target(from)
	if err != nil {
		return nil, err
	}
	b, err := s.target(to)
	if err != nil {
		return nil, err
	}
	p, err := s.packetOf(a, b, from, to, svc, name)
	if err != nil {
		return nil, err
	}
	res := trace.Run(s.Project.Estate, s.traceOptions(all), p)
	out := &Trace{Verdict: Unreachable, Packet: s.printPacket(p), Hops: []Hop{}, Courses: len(res.Paths)}
	var best *trace.Path
	score := -1
	for i := range res.Paths {
		path := &res.Paths[i]
		n := 0
		switch {
		case path.End == trace.Delivered && path.Session:
			n = 4
		case path.End == trace.Delivered && path.Certain:
			n = 3
		case path.End == trace.Delivered, path.End == trace.Lost:
			n = 2
		case path.Certain:
			n = 1
		}
		if n > score {
			best, score = path, n
		}
	}
	if best == nil {
		return nil, fmt.Errorf("the interpreter found no course for %s: please report this input", out.Packet)
	}
	switch score {
	case 4, 3:
		out.Verdict = Reachable
	case 2:
		out.Verdict = Unknown
	}
	out.Hops = s.printHops(best.Hops)
	out.Assumptions = s.assumptions(append([]string{}, best.Assumptions...), true)
	return out, nil
}

// packetOf makes the one packet of a trace.
func (s *Solution) packetOf(a, b *end, from, to []model.Selector, svc model.PortService, name string) (trace.Packet, error) {
	if len(a.senders) == 0 {
		return trace.Packet{}, fmt.Errorf("`%s` sends nothing", selText(from))
	}
	origin := s.graph.Origins[a.senders[0]]
	p := trace.Packet{From: origin.Site.Place, Src: firstAddr(origin.Prefixes), Protocol: svc.Protocol, DPort: svc.Ports.First, SPort: 49152, Name: strings.ToLower(name)}
	if len(from) == 1 && from[0].Kind == model.SelIP {
		p.Src = from[0].Prefix.Addr()
	} else if usual := natural(origin.Site.Place); usual.IsValid() && overlaps(origin.Prefixes, netip.PrefixFrom(usual, usual.BitLen())) {
		p.Src = usual
	}
	p.From = origin.Site.PlaceOf(p.Src)
	if svc.HasSource {
		p.SPort = svc.SourcePorts.First
	}
	if !svc.Protocol.HasPorts() {
		p.SPort, p.DPort = 0, 0
	}
	p.Dst = s.addressOf(b, to)
	if !p.Dst.IsValid() {
		return trace.Packet{}, fmt.Errorf("`%s` has no address to send to; name one by `ip:`", selText(to))
	}
	if p.Name == "" && len(to) == 1 && to[0].Kind == model.SelFQDN {
		p.Name = strings.ToLower(to[0].Parts[0])
	}
	if p.Src.Is4() != p.Dst.Is4() && !model.SymbolBlock().Contains(p.Src) && !model.SymbolBlock().Contains(p.Dst) {
		return trace.Packet{}, fmt.Errorf("%s and %s are of different families", p.Src, p.Dst)
	}
	return p, nil
}

// addressOf is the address that clients of a target use.
func (s *Solution) addressOf(b *end, to []model.Selector) netip.Addr {
	e := s.Project.Estate
	if len(to) == 1 {
		switch to[0].Kind {
		case model.SelIP, model.SelCIDR:
			return to[0].Prefix.Addr()
		case model.SelNIC, model.SelVM:
			if own := s.nicBlocks(to[0]); len(own) > 0 {
				return own[0].Addr()
			}
		default:
		}
	}
	public := func(id model.ID) netip.Addr {
		if ip, ok := model.Get[*model.PublicIP](e, id); ok {
			if ip.Address.IsValid() {
				return ip.Address
			}
			a, _ := s.symbols().Of(model.PublicAddress, ip.ID, "")
			return a
		}
		return netip.Addr{}
	}
	for _, site := range b.sites {
		switch site.Place.Kind {
		case model.PlaceAppGateway:
			g, _ := model.Get[*model.AppGateway](e, site.Place.ID)
			for _, f := range g.Frontends {
				if a := public(f.PublicIP); a.IsValid() {
					return a
				}
				if f.Address.IsValid() {
					return f.Address
				}
			}
		case model.PlaceBastion:
			h, _ := model.Get[*model.Bastion](e, site.Place.ID)
			if h.Developer() {
				return firstAddr(site.Prefixes)
			}
			return public(h.PublicIP)
		default:
			if len(site.Prefixes) > 0 {
				return firstAddr(site.Prefixes)
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(b.entry)) {
		place := s.graph.Nodes[n].Place
		for _, lb := range e.LoadBalancers {
			for _, f := range lb.Frontends {
				if place.Kind == model.PlaceFrontend && f.ID.Key() == place.ID.Key() {
					if f.Address.IsValid() {
						return f.Address
					}
					return public(f.PublicIP)
				}
			}
		}
	}
	return netip.Addr{}
}

func firstAddr(ps []netip.Prefix) netip.Addr {
	if len(ps) == 0 {
		return netip.Addr{}
	}
	return ps[0].Addr()
}
