package packet_test

import (
	"fmt"
	"net/netip"

	"github.com/ringfence/ringfence/solver/packet"
)

// The worked example of the package comment: three rules, which one decides, what is allowed, and what a translation makes of it.
func Example() {
	b := packet.NewBuilder()
	vnet := b.AddSet("vnet", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")})
	web := b.AddSet("web", []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")})
	target := b.AddTarget(netip.MustParseAddr("10.0.1.4"))
	u := b.Freeze()
	fmt.Println("classes: target", u.Addrs(target), "web", u.Addrs(web), "vnet", u.Addrs(vnet), "of", u.Classes())

	s := packet.NewSpace(u, packet.Limits{})
	list := s.List(
		s.Leaf(s.Box(packet.Box{Src: u.Addrs(vnet), Dst: u.Addrs(web), Protocol: packet.One(6), DPort: packet.One(443)}), 1), // allow
		s.Leaf(s.Box(packet.Box{Src: u.Addrs(vnet), Dst: u.Addrs(web)}), 2),                                                  // deny
		s.Leaf(s.Box(packet.Box{Src: u.Addrs(vnet), Dst: u.Addrs(vnet)}), 3),                                                 // allow
	)
	ssh := packet.Packet{
		Src: u.Class(netip.MustParseAddr("10.0.7.7")), Dst: u.Class(netip.MustParseAddr("10.0.1.200")), Protocol: 6, DPort: 22,
	}
	fmt.Println("ssh to web is decided by rule", s.At(list.Decision(), ssh), "of", s.Values(list.Decision()))

	allowed := s.WhereIs(list.Decision(), 1, 3)
	boxes, total := s.Boxes(allowed, 10)
	for _, box := range boxes {
		fmt.Println("allowed: from", u.Labels(box.Src), "to", u.Labels(box.Dst)[0], "protocol", box.Protocol, "port", box.DPort)
	}
	fmt.Println(total, "boxes; all inside the vnet:", s.Subset(allowed, s.Box(packet.Box{Src: u.Addrs(vnet), Dst: u.Addrs(vnet)})))

	// A firewall sends what it gets on port 443 to port 8443 of the target.
	dnat := packet.Rewrite{Dst: u.Addrs(target), DPort: packet.One(8443)}
	after := s.Rewrite(s.Intersect(allowed, s.Box(packet.Box{Protocol: packet.One(6), DPort: packet.One(443)})), dnat)
	witness, _ := s.Sample(after, s.Box(packet.Box{Protocol: packet.One(6), SPort: []packet.Range{{Lo: 49152, Hi: 65535}}}))
	fmt.Println("a packet behind it:", u.Example(witness.Src), witness.SPort, "to", u.Example(witness.Dst), witness.DPort)

	// Without rule 2 the rest of web is open too, and rule 3 decides about it.
	fmt.Println("without rule 2:", s.At(list.Replace(1, packet.Decision{}), ssh))
	// Output:
	// classes: target [{0 0}] web [{0 1}] vnet [{0 2}] of 5
	// ssh to web is decided by rule 2 of [1 2 3]
	// allowed: from [vnet] to web protocol [{6 6}] port [{443 443}]
	// allowed: from [vnet] to 10.0.0.0/24 protocol [] port []
	// 2 boxes; all inside the vnet: true
	// a packet behind it: 10.0.1.4 49152 to 10.0.1.4 8443
	// without rule 2: 3
}

// Uncertain rules: a tag that may or may not hold the address leaves two outcomes.
func ExampleSpace_SeqOutcomes() {
	const (
		allow packet.Value = 2
		deny  packet.Value = 4
	)
	b := packet.NewBuilder()
	known := b.AddSet("known part of the tag", []netip.Prefix{netip.MustParsePrefix("20.1.0.0/16")})
	whole := b.AddSet("what the tag may hold", []netip.Prefix{netip.MustParsePrefix("20.0.0.0/8")})
	u := b.Freeze()
	s := packet.NewSpace(u, packet.Limits{})
	must, may := s.Box(packet.Box{Dst: u.Addrs(known)}), s.Box(packet.Box{Dst: u.Addrs(whole)})

	d := s.SeqOutcomes(
		s.Leaf(must, allow), s.Leaf(s.Subtract(may, must), allow|packet.Continue), // allow to the tag
		s.Leaf(s.All(), deny), // deny the rest
	)
	for _, a := range []string{"20.1.0.1", "20.2.0.1", "21.0.0.1"} {
		outcomes := s.At(d, packet.Packet{Dst: u.Class(netip.MustParseAddr(a))})
		fmt.Println(a, "may be allowed:", outcomes&allow != 0, "may be denied:", outcomes&deny != 0)
	}
	// Output:
	// 20.1.0.1 may be allowed: true may be denied: false
	// 20.2.0.1 may be allowed: true may be denied: true
	// 21.0.0.1 may be allowed: false may be denied: true
}
