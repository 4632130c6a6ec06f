package workload

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// Rule is one five-tuple rule. A nil side, protocol or port list means any.
type Rule struct {
	Allow        bool
	Src, Dst     Side
	Protocols    []uint8
	SPort, DPort []Ports
}

// Side is one end of a rule: prefixes, or a tag by its number.
type Side struct {
	Prefixes []netip.Prefix
	Tag      int // 1 is the first tag of the list; 0 is none
}

// Any reports whether every address is meant.
func (s Side) Any() bool { return s.Prefixes == nil && s.Tag == 0 }

// Ports is a range of ports, both ends included.
type Ports struct{ Lo, Hi uint16 }

// Tag is a named list of prefixes.
type Tag struct {
	Name     string
	Prefixes []netip.Prefix
}

// List is a first-match list; what no rule matches is denied.
type List struct {
	Rules []Rule
	Tags  []Tag
}

// Prefixes of one side; nil means any.
func (l *List) Prefixes(s Side) []netip.Prefix {
	if s.Tag > 0 {
		return l.Tags[s.Tag-1].Prefixes
	}
	return s.Prefixes
}

// Packet is a concrete packet.
type Packet struct {
	Src, Dst     netip.Addr
	Protocol     uint8
	SPort, DPort uint16
}

func hasPorts(protocol uint8) bool { return protocol == 6 || protocol == 17 || protocol == 132 }

// Matches says if a rule matches a packet.
func (l *List) Matches(r *Rule, p Packet) bool {
	inside := func(s Side, a netip.Addr) bool {
		return s.Any() || slices.ContainsFunc(l.Prefixes(s), func(x netip.Prefix) bool { return x.Contains(a) })
	}
	ports := func(list []Ports, v uint16) bool {
		return list == nil || hasPorts(p.Protocol) && slices.ContainsFunc(list, func(x Ports) bool { return x.Lo <= v && v <= x.Hi })
	}
	return (r.Protocols == nil || slices.Contains(r.Protocols, p.Protocol)) && ports(r.DPort, p.DPort) && ports(r.SPort, p.SPort) &&
		inside(r.Src, p.Src) && inside(r.Dst, p.Dst)
}

// Verdict is the first-match interpreter: the number of the deciding rule, from 1; 0 when none matches.
func (l *List) Verdict(p Packet) int {
	for i := range l.Rules {
		if l.Matches(&l.Rules[i], p) {
			return i + 1
		}
	}
	return 0
}

// Rules is workload W1: n five-tuple rules, 65 % of them allow, with 1 to 4 prefixes a side, usual ports and 2 % source ports. A longer list
// is for a larger estate: it has one VNet more for each 100 rules.
func Rules(n int, seed uint64) *List {
	r := rand.New(rand.NewPCG(seed, 1))
	l := &List{}
	for range n {
		l.Rules = append(l.Rules, randomRule(r, 30+n/100))
	}
	return l
}

func randomRule(r *rand.Rand, vnets int) Rule {
	rule := Rule{Allow: r.IntN(100) < 65, Src: randomSide(r, vnets), Dst: randomSide(r, vnets)}
	ports := r.IntN(100) < 90
	switch k := r.IntN(100); {
	case k < 70:
		rule.Protocols = []uint8{6}
	case k < 85:
		rule.Protocols = []uint8{17}
	case k < 93:
		rule.Protocols = []uint8{6, 17}
	case k < 96:
		rule.Protocols, ports = []uint8{1}, false
	default:
		ports = false
	}
	if ports {
		rule.DPort = randomPorts(r)
		if r.IntN(100) < 2 {
			rule.SPort = []Ports{{1024, 65535}}
		}
		// A side of any address only where the rule names ports, and never both: such a rule would shadow most others. Any source is
		// common, any destination is not.
		switch k := r.IntN(100); {
		case k < 5:
			rule.Src = Side{}
		case k < 6:
			rule.Dst = Side{}
		}
	}
	return rule
}

func randomSide(r *rand.Rand, vnets int) Side {
	var s Side
	for range 1 + r.IntN(4) {
		s.Prefixes = append(s.Prefixes, randomPrefix(r, vnets))
	}
	return s
}

// randomPrefix is one of a few hundred subnets and hosts of private space, or sometimes a public block.
func randomPrefix(r *rand.Rand, vnets int) netip.Prefix {
	vnet, subnet := byte(r.IntN(vnets)), byte(r.IntN(24))
	switch k := r.IntN(100); {
	case k < 12:
		return prefix4(16, 10, vnet, 0, 0)
	case k < 62:
		return prefix4(24, 10, vnet, subnet, 0)
	case k < 92:
		return prefix4(32, 10, vnet, subnet, byte(4+r.IntN(60)))
	default:
		return prefix4(20+r.IntN(9), byte(20+r.IntN(30)), byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256)))
	}
}

func prefix4(bits int, a, b, c, d byte) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, d}), bits).Masked()
}

func randomPorts(r *rand.Rand) []Ports {
	usual := []uint16{22, 25, 53, 80, 123, 389, 443, 445, 636, 1433, 3306, 3389, 5432, 5671, 6379, 8080, 8443, 9090, 9093, 9200, 27017}
	var out []Ports
	for range 1 + r.IntN(3) {
		p := usual[r.IntN(len(usual))]
		out = append(out, Ports{p, p})
	}
	switch r.IntN(10) {
	case 0:
		lo := uint16(1024 + r.IntN(60)*500)
		out = append(out[:1], Ports{lo, lo + 999})
	case 1:
		out = append(out[:1], Ports{49152, 65535})
	}
	return out
}

// Shuffled returns an equivalent list: neighbours with the same action change places.
func (l *List) Shuffled(seed uint64) *List {
	r := rand.New(rand.NewPCG(seed, 2))
	out := &List{Rules: slices.Clone(l.Rules), Tags: l.Tags}
	for range 20 {
		for i := 1; i < len(out.Rules); i++ {
			if out.Rules[i].Allow == out.Rules[i-1].Allow && r.IntN(2) == 0 {
				out.Rules[i], out.Rules[i-1] = out.Rules[i-1], out.Rules[i]
			}
		}
	}
	return out
}

// Changed returns the list with rule i exchanged for a random one.
func (l *List) Changed(i int, seed uint64) (*List, Rule) {
	r := rand.New(rand.NewPCG(seed, 3))
	out := &List{Rules: slices.Clone(l.Rules), Tags: l.Tags}
	rule := randomRule(r, 40)
	rule.Src, rule.Dst = l.Rules[r.IntN(len(l.Rules))].Src, l.Rules[r.IntN(len(l.Rules))].Dst
	out.Rules[i] = rule
	return out, rule
}

// basePrefixes are n separate public blocks, with gaps between them, as a cloud has them.
func basePrefixes(r *rand.Rand, n int) []netip.Prefix {
	out := make([]netip.Prefix, 0, n)
	for at := uint32(20 << 24); len(out) < n; {
		bits := 22 + r.IntN(7)
		size := uint32(1) << (32 - bits)
		at = (at + size - 1) &^ (size - 1)
		out = append(out, prefix4(bits, byte(at>>24), byte(at>>16), byte(at>>8), byte(at)))
		at += size * uint32(1+r.IntN(3))
		if r.IntN(3) > 0 {
			at += size
		}
	}
	return out
}

// TaggedRules is workload W2: as W1, half of the rules with a service tag on one side. Tags are nested as a cloud's are: 16,000 blocks, all
// in the cloud's tag, each in one of 20 regions and mostly in one of 30 services; some services have a tag for a region.
func TaggedRules(n int, seed uint64) *List {
	r := rand.New(rand.NewPCG(seed, 4))
	base := basePrefixes(r, 16_000)
	cloud := Tag{Name: "AzureCloud", Prefixes: base}
	regions, services := make([]Tag, 20), make([]Tag, 30)
	both := make([]Tag, 30)
	for i := range regions {
		regions[i].Name = fmt.Sprintf("AzureCloud.region%d", i)
	}
	for i := range services {
		services[i].Name = fmt.Sprintf("Service%d", i)
		both[i].Name = fmt.Sprintf("Service%d.region%d", i, i%len(regions))
	}
	for _, p := range base {
		region := r.IntN(len(regions))
		regions[region].Prefixes = append(regions[region].Prefixes, p)
		if r.IntN(100) < 85 {
			service := r.IntN(len(services)) * r.IntN(len(services)) / len(services) // a few are large
			services[service].Prefixes = append(services[service].Prefixes, p)
			if service%len(regions) == region {
				both[service].Prefixes = append(both[service].Prefixes, p)
			}
		}
	}
	return withTags(n, r, slices.Concat([]Tag{cloud}, regions, services, both), 50)
}

// EntangledRules is the adversarial form of W2: 60 tags, each a random choice of up to 4,000 of 5,000 blocks.
func EntangledRules(n int, seed uint64) *List {
	r := rand.New(rand.NewPCG(seed, 5))
	base := basePrefixes(r, 5_000)
	tags := make([]Tag, 60)
	for i := range tags {
		tags[i].Name = fmt.Sprintf("Tag%d", i)
		for _, k := range r.Perm(len(base))[:1+r.IntN(4000)] {
			tags[i].Prefixes = append(tags[i].Prefixes, base[k])
		}
	}
	return withTags(n, r, tags, 50)
}

// WithTags is a list of n rules, each with one of the tags on one side.
func WithTags(n int, seed uint64, tags []Tag) *List {
	return withTags(n, rand.New(rand.NewPCG(seed, 6)), tags, 100)
}

// withTags gives some percent of the rules a tag, more often as destination.
func withTags(n int, r *rand.Rand, tags []Tag, percent int) *List {
	tags = slices.DeleteFunc(tags, func(t Tag) bool { return len(t.Prefixes) == 0 })
	l := &List{Tags: tags}
	for range n {
		rule := randomRule(r, 40)
		if r.IntN(100) < percent {
			side := Side{Tag: 1 + r.IntN(len(tags))}
			if r.IntN(100) < 70 {
				rule.Dst = side
			} else {
				rule.Src = side
			}
		}
		l.Rules = append(l.Rules, rule)
	}
	return l
}

// BoundaryPackets are n packets at the ends of the ranges of two random rules, and one beside them.
func (l *List) BoundaryPackets(n int, seed uint64) []Packet {
	r := rand.New(rand.NewPCG(seed, 7))
	end := func(s Side) netip.Addr {
		list := l.Prefixes(s)
		if list == nil {
			list = []netip.Prefix{randomPrefix(r, 40)}
		}
		p := list[r.IntN(len(list))]
		a := p.Addr()
		if r.IntN(2) == 0 { // the last address
			b := a.AsSlice()
			for i := p.Bits(); i < a.BitLen(); i++ {
				b[i/8] |= 0x80 >> (i % 8)
			}
			a, _ = netip.AddrFromSlice(b)
		}
		switch r.IntN(4) {
		case 0:
			if b := a.Next(); b.IsValid() {
				a = b
			}
		case 1:
			if b := a.Prev(); b.IsValid() {
				a = b
			}
		}
		return a
	}
	port := func(list []Ports) uint16 {
		if list == nil {
			return uint16(r.Uint32())
		}
		x := list[r.IntN(len(list))]
		return [...]uint16{x.Lo, x.Hi, x.Lo - 1, x.Hi + 1}[r.IntN(4)]
	}
	out := make([]Packet, n)
	for i := range out {
		a, b := &l.Rules[r.IntN(len(l.Rules))], &l.Rules[r.IntN(len(l.Rules))]
		p := Packet{Src: end(a.Src), Dst: end(a.Dst), Protocol: 6}
		if r.IntN(3) == 0 {
			p.Dst = end(b.Dst)
		}
		if a.Protocols != nil {
			p.Protocol = a.Protocols[r.IntN(len(a.Protocols))]
		}
		if r.IntN(10) == 0 {
			p.Protocol = uint8(r.Uint32())
		}
		if hasPorts(p.Protocol) {
			p.SPort, p.DPort = port(a.SPort), port(a.DPort)
			if r.IntN(3) == 0 {
				p.DPort = port(b.DPort)
			}
		}
		out[i] = p
	}
	return out
}
