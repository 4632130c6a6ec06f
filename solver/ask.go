package solver

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
	"github.com/ringfence/ringfence/solver/trace"
)

// Trace is what becomes of one packet.
type Trace struct {
	Verdict     Verdict      `json:"verdict"`
	Packet      Packet       `json:"packet"`
	Hops        []Hop        `json:"hops"`
	Assumptions []Assumption `json:"assumptions"`
	Courses     int          `json:"courses"` // how many courses the packet may take; Hops is the one that decides the verdict
	Taken       []Taken      `json:"taken"`   // which address stands for each end
}

// Taken says which address stands for an end that a selector names.
type Taken struct {
	Selector string   `json:"selector"`
	Endpoint string   `json:"endpoint"`
	Address  string   `json:"address"`
	NotIn    []string `json:"notIn,omitempty"` // service tags without a list that it is taken to lie outside of
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
	if err != nil && len(to) == 1 && to[0].Kind == model.SelIP && !to[0].Not {
		b, err = newEnd(to[0].Text), nil // nobody has the address: where routes lead a packet to it is an answer all the same
	}
	if err != nil {
		return nil, err
	}
	p, taken, err := s.packetOf(a, b, from, to, svc, name)
	if err != nil {
		return nil, err
	}
	out := &Trace{Packet: s.printPacket(p), Hops: []Hop{}, Taken: taken}
	verdict, best, courses := s.followed(p, all)
	if best == nil {
		return nil, fmt.Errorf("the interpreter found no course for %s: please report this input", out.Packet)
	}
	out.Verdict, out.Courses, out.Hops = verdict, courses, s.printHops(best.Hops, p)
	notes := slices.Clone(best.Assumptions)
	tags := tagsIn(notes)
	chosen := false
	for i, sels := range [][]model.Selector{from, to} {
		if out.Taken[i].Endpoint == string(model.SelInternet) && (len(sels) != 1 || sels[0].Kind != model.SelIP) {
			out.Taken[i].NotIn, chosen = tags, true // any address of the internet will do: one that no tag holds
		}
	}
	if verdict != Unknown {
		if facts := s.decidedBy(p, a.senders[0], verdict, chosen); len(facts) > 0 {
			out.Verdict, notes = Unknown, append(notes, facts...)
		}
	}
	out.Assumptions = s.assumptions(notes, out.Verdict == Unknown)
	return out, nil
}

// tagsIn are the service tags without a list that assumptions name.
func tagsIn(notes []string) []string {
	var out []string
	for _, n := range notes {
		if t, ok := strings.CutPrefix(n, "ASM-TAG("); ok {
			out = append(out, strings.TrimSuffix(t, ")"))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// membership is a list that nobody prints and that a packet may be in: its tag in the packet, and the assumption that stands for it.
type membership struct{ tag, note string }

// memberships are the lists that the two ends of a packet and its name may be in. anywhere: its public end is any address of the internet, so
// that one outside all service tags was taken.
func (s *Solution) memberships(p trace.Packet, anywhere bool) []membership {
	var out []membership
	for i, n := range s.graph.Universe.TagNames() {
		kind, name, _ := strings.Cut(n, ":")
		switch {
		case kind == "fqdntag":
			if p.Name != "" && s.o.Strict { // AZ-FW-34: else a concrete name is outside
				out = append(out, membership{name, "ASM-E-FQDNTAG"})
			}
		case kind == "webcategory":
			if p.Name != "" { // AZ-FW-35
				out = append(out, membership{name, "ASM-E-WEBCAT"})
			}
		case !anywhere: // AZ-TAG-09: nobody knows whether the address is in it
			out = append(out, membership{name, "ASM-TAG(" + s.tagName(packet.Tag(i)) + ")"})
		}
	}
	if p.Name != "" && s.o.Strict { // AZ-FW-37
		out = append(out, membership{"infra", "ASM-E-FWINFRA"})
	}
	return out
}

// decidedBy names the lists that the verdict about a packet changes with: the first ones found among all choices of them, or where they are
// many, among each of them alone and all together. None where it does not change.
func (s *Solution) decidedBy(p trace.Packet, sender int, verdict Verdict, anywhere bool) []string {
	const most = 6
	list := s.memberships(p, anywhere)
	differs := func(in []membership) []string {
		q := p
		q.Tags = nil
		var notes []string
		for _, m := range in {
			q.Tags, notes = append(q.Tags, m.tag), append(notes, m.note)
		}
		if slices.Sort(q.Tags); !s.exists(q, sender) {
			return nil
		}
		if v, _, _ := s.followed(q, false); v == verdict {
			return nil
		}
		return notes
	}
	if len(list) > most {
		for _, m := range list {
			if notes := differs([]membership{m}); notes != nil {
				return notes
			}
		}
		return differs(list)
	}
	for bits := 1; bits < 1<<len(list); bits++ {
		var in []membership
		for i, m := range list {
			if bits>>i&1 == 1 {
				in = append(in, m)
			}
		}
		if notes := differs(in); notes != nil {
			return notes
		}
	}
	return nil
}

// exists reports whether what is known of tags allows a packet: a tag of a region lies within the tag of its service (AZ-TAG-09).
func (s *Solution) exists(p trace.Packet, sender int) bool {
	u := s.graph.Universe
	q := packet.Packet{Origin: uint32(sender), Src: u.Class(p.Src), Dst: u.Class(p.Dst), Protocol: uint8(p.Protocol), SPort: p.SPort, DPort: p.DPort, Name: u.NameClass(p.Name)}
	if p.Name == "" {
		q.Name = 0
	}
	for i, n := range u.TagNames() {
		_, name, _ := strings.Cut(n, ":")
		if slices.Contains(p.Tags, name) {
			q.Tags = q.Tags.With(i, true)
		}
	}
	return s.graph.Space.Contains(s.graph.Facts(), q)
}

// followed has the interpreter follow one packet: the verdict, the course that decides it, and the number of courses.
func (s *Solution) followed(p trace.Packet, all bool) (Verdict, *trace.Path, int) {
	res := trace.Run(s.Project.Estate, s.traceOptions(all), p)
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
	verdict := Unreachable
	switch score {
	case 4, 3:
		verdict = Reachable
	case 2:
		verdict = Unknown
	}
	return verdict, best, len(res.Paths)
}

// packetOf makes the one packet of a trace, and says which addresses stand for its ends.
func (s *Solution) packetOf(a, b *end, from, to []model.Selector, svc model.PortService, name string) (trace.Packet, []Taken, error) {
	fail := func(format string, args ...any) (trace.Packet, []Taken, error) {
		return trace.Packet{}, nil, fmt.Errorf(format, args...)
	}
	if len(a.senders) == 0 {
		return fail("`%s` sends nothing", selText(from))
	}
	origin := s.graph.Origins[a.senders[0]]
	p := trace.Packet{From: origin.Site.Place, Src: hostIn(origin.Prefixes), Protocol: svc.Protocol, DPort: svc.Ports.First, SPort: 49152, Name: strings.ToLower(name)}
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
		return fail("`%s` has no address to send to; name one by `ip:`", selText(to))
	}
	if p.Name == "" && len(to) == 1 && to[0].Kind == model.SelFQDN {
		p.Name = strings.ToLower(to[0].Parts[0])
	}
	if p.Src.Is4() != p.Dst.Is4() && !model.SymbolBlock().Contains(p.Src) && !model.SymbolBlock().Contains(p.Dst) {
		return fail("%s and %s are of different families", p.Src, p.Dst)
	}
	return p, []Taken{
		{Selector: a.text, Endpoint: s.groups[s.groupOf[a.senders[0]]].ref, Address: s.addressText(p.Src)},
		{Selector: b.text, Endpoint: s.endpointAt(b, p.Dst), Address: s.addressText(p.Dst)},
	}, nil
}

// endpointAt names who holds an address of a target, as far as the target tells; else the target itself.
func (s *Solution) endpointAt(b *end, a netip.Addr) string {
	for _, site := range b.sites {
		if site.Place.Kind == model.PlaceAppGateway || site.Place.Kind == model.PlaceBastion {
			return s.siteRef(site) // reached by its frontend
		}
		if slices.ContainsFunc(site.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return s.placeRef(site.PlaceOf(a))
		}
	}
	return b.text
}

// addressOf is the address that clients of a target use.
func (s *Solution) addressOf(b *end, to []model.Selector) netip.Addr {
	e := s.Project.Estate
	if len(to) == 1 {
		switch to[0].Kind {
		case model.SelIP:
			return to[0].Prefix.Addr()
		case model.SelCIDR: // who holds an address of the block, else any host of it
			for _, site := range b.sites {
				for _, p := range site.Prefixes {
					switch {
					case !p.Overlaps(to[0].Prefix):
					case p.Bits() > to[0].Prefix.Bits():
						return hostIn([]netip.Prefix{p})
					default:
						return hostIn([]netip.Prefix{to[0].Prefix})
					}
				}
			}
			return hostIn([]netip.Prefix{to[0].Prefix})
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
				return hostIn(site.Prefixes)
			}
			return public(h.PublicIP)
		default:
			if usual := natural(site.Place); usual.IsValid() && overlaps(site.Prefixes, netip.PrefixFrom(usual, usual.BitLen())) {
				return usual
			}
			if len(site.Prefixes) > 0 {
				return hostIn(site.Prefixes)
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

// hostIn is an address that looks like a host's: the fourth of the first block, or of a small block the first.
func hostIn(ps []netip.Prefix) netip.Addr {
	if len(ps) == 0 {
		return netip.Addr{}
	}
	a := ps[0].Addr()
	if a.BitLen()-ps[0].Bits() >= 3 && !model.SymbolBlock().Overlaps(ps[0]) {
		for range 4 {
			a = a.Next()
		}
	}
	return a
}
