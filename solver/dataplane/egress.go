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
	nat       model.ID     // NAT gateway of the subnet
	instance  []netip.Addr // instance public addresses
	frontends []netip.Addr // public load balancer frontends that translate for the machine
	defaults  bool         // default outbound access may apply
	certain   bool         // … and does for certain
	storage   bool         // storage of the region may be reached where no method applies (AZ-OUT-06)
	nic       model.ID     // the NIC, where the input has effective routes of it (AZ-RT-33)
	none      bool         // a forwarder: packets leave only if they carry a public source already
}

func egressNone() egress { return egress{key: "none", none: true} }

// egressOf collects the methods of a machine. uniform is false for instances of flexible scale sets, which get no default outbound
// access.
func (p *planner) egressOf(subnet model.ID, publicIP model.ID, pools []model.ID, uniform bool) egress {
	var e egress
	s, _ := p.e.SubnetOf(subnet)
	if s != nil {
		e.nat = s.NATGateway
		e.defaults = s.DefaultOutbound != model.Off && uniform // AZ-OUT-04, AZ-OUT-08
		e.certain = s.DefaultOutbound == model.On              // AZ-OUT-05: not stated may be private, by the API's version
		e.storage = uniform
		if s.DefaultOutbound == model.Off && len(s.Delegations) > 0 {
			e.defaults = uniform // AZ-OUT-07: the flag is ignored for delegated subnets
		}
	}
	if publicIP != "" {
		if a := p.publicAddr(publicIP); a.IsValid() {
			e.instance = append(e.instance, a)
		}
	}
	for _, lb := range p.e.LoadBalancers {
		for _, a := range p.outboundFrontends(lb, pools) {
			if !slices.Contains(e.frontends, a) {
				e.frontends = append(e.frontends, a)
			}
		}
	}
	return e.named()
}

// named gives the egress a key that equal methods share.
func (e egress) named() egress {
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
	if e.defaults {
		parts = append(parts, "default")
	}
	if e.certain {
		parts = append(parts, "certain")
	}
	if e.storage {
		parts = append(parts, "storage")
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

// withPossibleDefault is the egress of a NIC that may have default outbound access although its subnet is private (AZ-OUT-07).
func (e egress) withPossibleDefault(uniform bool) egress {
	if !e.defaults {
		e.defaults, e.certain = uniform, false
	}
	return e.named()
}

// inAddressPool reports a member of a load balancer's pool by address, which uses default outbound access (AZ-OUT-07).
func (p *planner) inAddressPool(c model.IPConfig) bool {
	for _, lb := range p.e.LoadBalancers {
		for _, pool := range lb.Pools {
			if slices.ContainsFunc(pool.Addresses, func(a model.LBAddress) bool { return c.Address.IsValid() && a.Address == c.Address }) {
				return true
			}
		}
	}
	return false
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
		region = regionOf(v.Location)
	}
	var doors, elsewhere []netip.Addr
	for _, s := range p.e.Services {
		door := p.symbolOf(model.ServiceDoor, s.ID, "")
		if s.Kind == model.StorageAccount && (region == "" || s.Location == "" || regionOf(s.Location) == region) {
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
	inTag := minus(p.inTagAny(tag, dstIn), dstIn(p.addr.exactHosts(elsewhere...)))
	return either(inTag, dstIn(p.addr.exactHosts(doors...))), append(notes, "ASM-PRIVATE-ST")
}

// regionOf spells a region as tags do.
func regionOf(location string) string { return strings.ToLower(strings.ReplaceAll(location, " ", "")) }

// outboundFrontends are the public frontends that give a pool's members an outbound address: outbound rules, and load-balancing rules
// by default SNAT (AZ-LB-09).
func (p *planner) outboundFrontends(lb *model.LoadBalancer, pools []model.ID) []netip.Addr {
	var out []netip.Addr
	add := func(id model.ID) {
		for _, f := range lb.Frontends {
			if f.ID.Key() == id.Key() && f.PublicIP != "" {
				if a := p.publicAddr(f.PublicIP); a.IsValid() {
					out = append(out, a)
				}
			}
		}
	}
	for _, o := range lb.Outbound {
		if member([]model.ID{o.Pool}, pools) {
			for _, f := range o.Frontends {
				add(f)
			}
		}
	}
	for _, r := range lb.Rules {
		if r.DisableOutboundSNAT == model.On {
			continue
		}
		if slices.ContainsFunc(r.Pools, func(id model.ID) bool { return member([]model.ID{id}, pools) }) {
			add(r.Frontend)
		}
	}
	return out
}

// leave adds the ways of packets with next hop Internet (AZ-RT-16): to public destinations, translated by the sender's method. A subscription
// may block tcp/25, which the input does not say: it stays open (AZ-NSG-19).
func (p *planner) leave(from NodeID, subnet model.ID, via string, eg egress, sent guard) {
	outside := dstIn(p.addr.public)
	sent = and(sent, exactly(outside))
	if eg.none {
		// A firewall has translated already; whatever keeps a private source is dropped by the internet.
		p.edge(from, p.publicOut(), and(sent, exactly(srcIn(p.addr.public))), nil)
		return
	}
	at := p.node(model.Place{Kind: model.PlaceSubnet, ID: subnet, Part: eg.key}, StageEgress, via)
	p.edge(from, at, sent, nil)
	key := Node{Place: model.Place{Kind: model.PlaceSubnet, ID: subnet, Part: eg.key}.Key(), Stage: StageEgress, Via: via}
	if p.routeDone[key] {
		return
	}
	p.routeDone[key] = true

	v4 := later(func(c *compiler) packet.Set { return c.s.Box(packet.Box{Dst: c.u.Addrs(p.addr.v4)}) })
	portOnly := transport([]model.Protocol{model.TCP, model.UDP}, nil, nil, false)
	left := everything()
	use := func(what *lazy, g guard, notes []string, sources ...netip.Addr) {
		src := p.addr.exact(sources...)
		scope := both(left, what)
		g = and(g, exactly(scope))
		p.edge(at, p.publicOut(), g, &rewrite{src: &src}, notes...)
		left = minus(left, what)
	}
	if eg.nat != "" {
		if addresses, v6 := p.natAddresses(eg.nat); len(addresses) > 0 {
			what := both(portOnly, v4)
			if v6 {
				what = portOnly
			}
			use(what, guard{}, nil, addresses...)
		} else {
			// The NAT gateway is referenced and not in the input: packets leave by an address that is not known.
			use(both(portOnly, v4), guard{}, nil, p.symbolOf(model.DefaultOutbound, "", ""))
		}
	}
	var four, six []netip.Addr
	for _, a := range eg.instance {
		if a.Is4() || model.SymbolBlock().Contains(a) {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	if len(four) > 0 {
		use(v4, guard{}, nil, four...) // AZ-PIP-01: all protocols
	}
	if len(six) > 0 {
		use(minus(everything(), v4), guard{}, nil, six...)
	}
	if len(eg.frontends) > 0 {
		use(both(portOnly, v4), guard{}, nil, eg.frontends...)
	}
	if eg.defaults && len(four) == 0 {
		g := guard{}
		var notes []string
		if !eg.certain {
			g.under, notes = nothing(), []string{"ASM-DOA"}
		}
		use(both(portOnly, v4), g, notes, p.symbolOf(model.DefaultOutbound, "", "")) // AZ-OUT-04, AZ-V6-04
	}
	if eg.storage && !eg.defaults && len(four)+len(eg.frontends) == 0 && eg.nat == "" {
		if to, notes := p.regionalStorage(subnet, eg.nic); to != nil {
			use(both(both(portOnly, v4), to), onlyOver(everything()), notes, p.symbolOf(model.DefaultOutbound, "", ""))
		}
	}
}

// natAddresses are the addresses of a NAT gateway; the second result reports that it serves IPv6 too (AZ-OUT-02).
func (p *planner) natAddresses(id model.ID) ([]netip.Addr, bool) {
	n, ok := model.Get[*model.NATGateway](p.e, id)
	if !ok {
		return nil, false
	}
	var out []netip.Addr
	for _, ip := range n.PublicIPs {
		if a := p.publicAddr(ip); a.IsValid() {
			out = append(out, a)
		}
	}
	for _, pre := range n.Prefixes {
		if x, ok := model.Get[*model.PublicIPPrefix](p.e, pre); ok && x.Prefix.IsValid() {
			out = append(out, x.Prefix.Addr())
		}
	}
	return out, strings.EqualFold(n.SKU, "StandardV2")
}
