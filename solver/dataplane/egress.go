package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// egress is how a machine's packets with next hop Internet leave: the first method that applies is used (AZ-OUT-01).
type egress struct {
	key       string
	nat       model.ID        // NAT gateway of the subnet
	instance  []netip.Addr    // instance public addresses
	frontends []netip.Prefix  // public load balancer frontends that translate for the machine
	defaults  bool            // default outbound access may apply
	certain   bool            // … and does for certain
	open      []string        // what was not understood and may give an outbound address (AZ-GEN-08)
	storage   bool            // storage of the region may be reached where no method applies (AZ-OUT-06)
	nic       model.ID        // the NIC, where the input has effective routes of it (AZ-RT-33)
	firewall  *packet.AddrSet // a firewall's public addresses
	kept      bool            // a firewall that leaves the source as it is
	tunnelled bool            // a firewall without a management NIC: a learned default route breaks it (AZ-FW-46)
	none      bool            // a forwarder: packets leave only if they carry a public source already
}

func egressNone() egress { return egress{key: "none", none: true} }

// egressOf collects the methods of a machine. uniform is false for instances of flexible scale sets, which get no default outbound
// access (AZ-OUT-08).
func (p *planner) egressOf(subnet model.ID, publicIP model.ID, pools []model.ID, uniform bool) egress {
	var e egress
	s, _ := p.e.SubnetOf(subnet)
	switch {
	case !uniform:
	case s == nil:
		e.defaults = true // what the subnet says is not known
	default:
		e.nat = s.NATGateway
		// AZ-OUT-04, AZ-OUT-07: delegated subnets ignore the flag.
		e.defaults = s.DefaultOutbound != model.Off || len(s.Delegations) > 0
		e.certain = s.DefaultOutbound == model.On // AZ-OUT-05: not stated may be private, by the API's version
		e.storage = true
	}
	if s != nil {
		e.nat = s.NATGateway
	}
	if publicIP != "" { // of the configuration
		a := p.publicAddr(publicIP)
		if !a.IsValid() {
			a = p.symbolOf(model.DefaultOutbound, "", "") // the resource is referenced and not in the input
		}
		e.instance = append(e.instance, a)
	}
	e.open = p.stops(subnet, subnet.Parent())
	for _, lb := range p.e.LoadBalancers {
		if slices.ContainsFunc(lb.Pools, func(x model.LBPool) bool { return member([]model.ID{x.ID}, pools) }) {
			e.open = append(e.open, p.stops(lb.ID)...)
		}
	}
	explicit := false
	for _, lb := range p.e.LoadBalancers {
		for _, o := range lb.Outbound {
			if member([]model.ID{o.Pool}, pools) {
				explicit = true
				for _, f := range o.Frontends {
					e.frontends = append(e.frontends, p.outboundFrontend(lb, f)...)
				}
			}
		}
	}
	for _, lb := range p.e.LoadBalancers {
		for _, r := range lb.Rules {
			// AZ-LB-09: an outbound rule stands before the default translation of load-balancing rules.
			if explicit || r.DisableOutboundSNAT == model.On || !slices.ContainsFunc(r.Pools, func(id model.ID) bool { return member([]model.ID{id}, pools) }) {
				continue
			}
			e.frontends = append(e.frontends, p.outboundFrontend(lb, r.Frontend)...)
		}
	}
	return e.named()
}

// named gives the egress a key that equal methods share.
func (e egress) named() egress {
	sorted := func(ps []netip.Prefix) []netip.Prefix {
		ps = slices.Clone(ps)
		slices.SortFunc(ps, netip.Prefix.Compare)
		return slices.Compact(ps)
	}
	e.frontends = sorted(e.frontends)
	parts := []string{"nat=" + e.nat.Key()}
	for _, a := range e.instance {
		parts = append(parts, "ip="+a.String())
	}
	for _, a := range e.frontends {
		parts = append(parts, "lb="+a.String())
	}
	if e.nic != "" {
		parts = append(parts, "routes="+e.nic.Key())
	}
	switch {
	case e.defaults && e.certain:
		parts = append(parts, "default", "certain")
	case e.defaults:
		parts = append(parts, "default")
	case e.storage:
		parts = append(parts, "storage")
	}
	for _, x := range e.open {
		parts = append(parts, "open="+x)
	}
	e.key = strings.Join(parts, ";")
	return e
}

func (e egress) withInstance(a netip.Addr) egress {
	e.instance = append(slices.Clone(e.instance), a)
	return e.named()
}

// at is the egress of a NIC whose effective routes the input has.
func (e egress) at(nic model.ID) egress {
	e.nic = nic
	return e.named()
}

func (e egress) withoutDefault() egress {
	e.defaults, e.certain = false, false
	return e.named()
}

// withDefault is where default outbound access may apply although the subnet is private (AZ-OUT-07).
func (e egress) withDefault() egress {
	e.defaults = true
	return e.named()
}

// outboundFrontend is the public address of a frontend that gives a pool's members an outbound address (AZ-LB-09); nothing for an
// internal frontend.
func (p *planner) outboundFrontend(lb *model.LoadBalancer, id model.ID) []netip.Prefix {
	for _, f := range lb.Frontends {
		if f.ID.Key() != id.Key() || f.Subnet != "" {
			continue
		}
		for _, ip := range p.e.PublicIPs {
			if holdsPublicIP(ip, f.PublicIP, f.ID) {
				return []netip.Prefix{host(p.publicAddr(ip.ID))}
			}
		}
		if x, ok := model.Get[*model.PublicIPPrefix](p.e, f.Prefix); ok && x.Prefix.IsValid() {
			return []netip.Prefix{x.Prefix}
		}
		return []netip.Prefix{host(p.symbolOf(model.DefaultOutbound, "", ""))}
	}
	return nil
}

// regionalStorage is the packets to storage of a subnet's region: accounts of the estate by their location, others by the tag. Nil where no
// route of the subnet leads to the internet, so that it does not matter (AZ-OUT-06).
func (p *planner) regionalStorage(subnet, nic model.ID) (to *lazy, notes []string) {
	routes, known := p.candidates(subnet, nic)
	overridden, leads := false, !known
	for _, r := range routes {
		overridden = overridden || r.origin == userRoute && r.prefix == allV4()
		leads = leads || r.origin == userRoute && r.hop.kind == model.HopInternet
	}
	if overridden && !leads {
		return nil, nil
	}
	_, v := p.e.SubnetOf(subnet)
	region := ""
	if v != nil {
		region = model.Region(v.Location)
	}
	var doors, elsewhere []netip.Addr
	for _, s := range p.e.Services {
		door := p.symbolOf(model.ServiceDoor, s.ID, "")
		if s.Kind == model.StorageAccount && (region == "" || s.Location == "" || model.Region(s.Location) == region) {
			doors = append(doors, door)
		} else {
			elsewhere = append(elsewhere, door)
		}
	}
	tag := "Storage"
	if region != "" {
		tag += "." + region
	}
	if p.tagKind(tag) == tagSymbolic {
		notes = append(notes, "ASM-TAG("+tag+")")
	}
	_, tagged := p.inTagAny(tag, dstIn)
	inTag := minus(tagged, dstIn(p.addr.exactHosts(elsewhere...)))
	return either(inTag, dstIn(p.addr.exactHosts(doors...))), append(notes, "ASM-PRIVATE-ST")
}

// leave adds the ways of packets with next hop Internet (AZ-RT-16): to public destinations, translated by the sender's method. A subscription
// may block tcp/25, which the input does not say: it stays open (AZ-NSG-19).
func (p *planner) leave(from NodeID, subnet model.ID, via string, eg egress, sent guard, notes ...string) {
	outside := dstIn(p.addr.public)
	sent = and(sent, exactly(outside))
	if eg.none {
		// A firewall has translated already; whatever keeps a private source is dropped by the internet.
		p.edge(from, p.publicOut(), and(sent, exactly(srcIn(p.addr.public))), nil, notes...)
		return
	}
	if eg.kept {
		p.edge(from, p.publicOut(), sent.mayOnly(), nil, notes...)
		return
	}
	if eg.firewall != nil {
		// AZ-FW-28: protocols without ports do not work towards the internet, as far as is known.
		ported := transport([]model.Protocol{model.TCP, model.UDP}, nil, nil, false)
		p.edge(from, p.publicOut(), and(sent, between(everything(), ported)), &rewrite{src: eg.firewall}, notes...)
		return
	}
	at := p.node(model.Place{Kind: model.PlaceSubnet, ID: subnet, Part: eg.key}, StageEgress, via)
	p.edge(from, at, sent, nil, notes...)
	key := Node{Place: model.Place{Kind: model.PlaceSubnet, ID: subnet, Part: eg.key}.Key(), Stage: StageEgress, Via: via}
	if p.routeDone[key] {
		return
	}
	p.routeDone[key] = true

	v4 := later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Dst: c.u.Addrs(p.addr.v4)}) })
	portOnly := transport([]model.Protocol{model.TCP, model.UDP}, nil, nil, false)
	left := everything()
	use := func(what *lazy, g guard, notes []string, sources ...netip.Prefix) {
		src := p.b.AddPool("", sources)
		if len(sources) == 1 && sources[0].IsSingleIP() {
			src = p.b.AddTarget(sources[0].Addr())
		}
		p.edge(at, p.publicOut(), and(g, exactly(both(left, what))), &rewrite{src: &src}, notes...)
		left = minus(left, what)
	}
	unstated := host(p.symbolOf(model.DefaultOutbound, "", ""))
	if eg.nat != "" {
		nat := p.natAddresses(eg.nat)
		g := guard{}
		if len(nat.four) == 0 {
			nat.four = append(nat.four, unstated)
			if !nat.lacking {
				g = onlyOver(nil) // it has no address, as far as the input says
			}
		}
		use(both(portOnly, v4), g, nil, nat.four...)
		switch {
		case !nat.v6:
		case len(nat.six) > 0:
			use(minus(portOnly, v4), guard{}, nil, nat.six...)
		case nat.lacking: // with an address of IPv6 that no symbol stands for
			what := minus(portOnly, v4)
			p.edge(at, p.publicOut(), onlyOver(what), nil, missing("addresses of NAT gateway", eg.nat))
			left = minus(left, what)
		}
	}
	var four, six []netip.Prefix
	for _, a := range eg.instance {
		if a.Is4() || model.SymbolBlock().Contains(a) {
			four = append(four, host(a))
		} else {
			six = append(six, host(a))
		}
	}
	if len(four) > 0 {
		use(v4, guard{}, nil, four...) // AZ-PIP-01: all protocols
	}
	if len(six) > 0 {
		use(minus(everything(), v4), guard{}, nil, six...)
	}
	var front4, front6 []netip.Prefix // AZ-V6-04: a frontend translates for its family
	for _, f := range eg.frontends {
		if f.Addr().Is4() || model.SymbolBlock().Contains(f.Addr()) {
			front4 = append(front4, f)
		} else {
			front6 = append(front6, f)
		}
	}
	if len(front4) > 0 {
		use(both(portOnly, v4), guard{}, nil, front4...)
	}
	if len(front6) > 0 {
		use(minus(portOnly, v4), guard{}, nil, front6...)
	}
	switch ported := both(portOnly, v4); {
	case len(four) > 0:
	case eg.defaults && eg.certain:
		use(ported, guard{}, nil, unstated) // AZ-OUT-04, AZ-V6-04
	case eg.defaults:
		use(ported, onlyOver(nil), append([]string{"ASM-DOA"}, eg.open...), unstated)
	case len(eg.open) > 0:
		use(ported, onlyOver(nil), eg.open, unstated)
	case eg.storage:
		if to, notes := p.regionalStorage(subnet, eg.nic); to != nil {
			use(both(ported, to), onlyOver(everything()), notes, unstated)
		}
	}
}

// natGateway is the addresses of a NAT gateway that the input states, by family; v6 reports that it serves IPv6 too (AZ-OUT-02), lacking that
// it names one which the input lacks.
type natGateway struct {
	four, six   []netip.Prefix
	v6, lacking bool
}

func (p *planner) natAddresses(id model.ID) natGateway {
	n, ok := model.Get[*model.NATGateway](p.e, id)
	if !ok {
		return natGateway{lacking: true}
	}
	out := natGateway{v6: strings.EqualFold(n.SKU, "StandardV2")}
	add := func(x netip.Prefix) {
		switch {
		case !x.IsValid():
			out.lacking = true
		case x.Addr().Is4() || model.SymbolBlock().Contains(x.Addr()):
			out.four = append(out.four, x)
		default:
			out.six = append(out.six, x)
		}
	}
	for _, ip := range n.PublicIPs {
		a := p.publicAddr(ip)
		if !a.IsValid() {
			out.lacking = true
			continue
		}
		add(host(a))
	}
	for _, pre := range n.Prefixes {
		x, _ := model.Get[*model.PublicIPPrefix](p.e, pre)
		if x == nil {
			x = &model.PublicIPPrefix{}
		}
		add(x.Prefix)
	}
	return out
}
