package workload

import (
	"math/rand/v2"
	"net/netip"
)

// Hub is workload W3: subnets in VNets around a firewall. A packet from one subnet to another passes eight guards: the network security
// groups of NIC and subnet on its way out, the route (its own VNet, or the firewall), the firewall's rules, its destination and source
// translation, and the groups of subnet and NIC on its way in.
type Hub struct {
	VNets    []netip.Prefix
	Subnets  []Subnet
	Firewall *List
	DNAT     []DNAT
	Pool     []netip.Prefix // what the firewall puts in place of the source
	Hidden   []bool         // the VNets whose sources it hides
}

// Subnet has its own lists for NICs and for itself, in both directions.
type Subnet struct {
	VNet                               int
	Prefix                             netip.Prefix
	NICOut, SubnetOut, SubnetIn, NICIn *List
}

// DNAT is a public address and TCP port of the firewall, and the private ones behind it.
type DNAT struct {
	Public, Target   netip.Addr
	Port, TargetPort uint16
}

// NewHub makes a hub with some VNets of ten subnets each, a firewall of 500 rules and 20 translations.
func NewHub(vnets int, seed uint64) *Hub {
	r := rand.New(rand.NewPCG(seed, 8))
	h := &Hub{Firewall: &List{}, Pool: []netip.Prefix{prefix4(31, 10, 255, 0, 4)}}
	for v := range vnets {
		h.VNets = append(h.VNets, prefix4(16, 10, byte(v), 0, 0))
		h.Hidden = append(h.Hidden, v%4 == 3)
	}
	for v := range vnets {
		for s := range 10 {
			p := prefix4(24, 10, byte(v), byte(s), 0)
			h.Subnets = append(h.Subnets, Subnet{v, p, h.group(r, p, false), h.group(r, p, false), h.group(r, p, true), h.group(r, p, true)})
		}
	}
	for i := range 20 {
		s := &h.Subnets[r.IntN(len(h.Subnets))]
		target := s.Prefix.Addr().As4()
		target[3] = byte(4 + r.IntN(200))
		h.DNAT = append(h.DNAT, DNAT{
			Public: netip.AddrFrom4([4]byte{20, 1, 1, byte(i)}), Target: netip.AddrFrom4(target),
			Port: []uint16{443, 80, 22}[r.IntN(3)], TargetPort: []uint16{443, 8080, 8443}[r.IntN(3)],
		})
	}
	for range 500 {
		rule := Rule{Allow: r.IntN(100) < 80, Protocols: []uint8{6}, DPort: randomPorts(r), Src: h.side(r), Dst: h.side(r)}
		if r.IntN(8) == 0 {
			d := h.DNAT[r.IntN(len(h.DNAT))]
			rule.Dst, rule.DPort = Side{Prefixes: []netip.Prefix{netip.PrefixFrom(d.Public, 32)}}, []Ports{{d.Port, d.Port}}
		}
		h.Firewall.Rules = append(h.Firewall.Rules, rule)
	}
	return h
}

// side is all of private space, a block of four VNets, or some subnets.
func (h *Hub) side(r *rand.Rand) Side {
	switch r.IntN(8) {
	case 0:
		return Side{Prefixes: []netip.Prefix{prefix4(8, 10, 0, 0, 0)}}
	case 1, 2, 3:
		return Side{Prefixes: []netip.Prefix{prefix4(14, 10, byte(r.IntN(len(h.VNets))), 0, 0)}}
	}
	var s Side
	for range 1 + r.IntN(3) {
		s.Prefixes = append(s.Prefixes, h.Subnets[r.IntN(len(h.Subnets))].Prefix)
	}
	return s
}

// group is a network security group of 10 to 25 rules about one subnet, and its default rules.
func (h *Hub) group(r *rand.Rand, own netip.Prefix, inbound bool) *List {
	l := &List{}
	private := Side{Prefixes: []netip.Prefix{prefix4(8, 10, 0, 0, 0)}}
	for range 10 + r.IntN(16) {
		rule := Rule{Allow: r.IntN(100) < 85, Protocols: []uint8{6}, DPort: randomPorts(r)}
		if r.IntN(8) == 0 {
			rule.Protocols = []uint8{17}
		}
		// Other subnets by the same plan of addresses, whether they exist or not.
		far := Side{Prefixes: []netip.Prefix{prefix4([]int{14, 16, 24}[r.IntN(3)], 10, byte(r.IntN(len(h.VNets))), byte(r.IntN(10)), 0)}}
		if r.IntN(4) == 0 {
			far = private
		}
		near := Side{}
		if r.IntN(12) == 0 {
			host := own.Addr().As4()
			near.Prefixes = []netip.Prefix{prefix4(28, host[0], host[1], host[2], byte(r.IntN(16)*16))}
		}
		rule.Src, rule.Dst = near, far
		if inbound {
			rule.Src, rule.Dst = far, near
		}
		l.Rules = append(l.Rules, rule)
	}
	if r.IntN(2) == 0 { // a group that closes itself before the default rules
		l.Rules = append(l.Rules, Rule{})
	}
	l.Rules = append(l.Rules, Rule{Allow: true, Src: private, Dst: private}, Rule{Allow: !inbound})
	return l
}
