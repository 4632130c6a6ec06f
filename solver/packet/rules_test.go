package packet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// rule is a rule of a first-match list as a configuration would have it; nil is any. It matches surely, or may match.
type rule struct {
	src, dst     []netip.Prefix
	protocols    []uint8
	sport, dport []Range
	name, tag    string
	uncertain    bool
	action       Value
}

// concrete is a packet as a capture would have it.
type concrete struct {
	src, dst     netip.Addr
	protocol     uint8
	sport, dport uint16
	name         string
	tags         []string
}

// matches is the plain interpreter: no classes, no diagrams.
func (r *rule) matches(p concrete) bool {
	in := func(list []netip.Prefix, a netip.Addr) bool {
		return list == nil || slices.ContainsFunc(list, func(x netip.Prefix) bool { return x.Contains(a) })
	}
	port := func(list []Range, v uint16) bool {
		return list == nil || HasPorts(p.protocol) && within(uint32(v), list)
	}
	suffix, wild := strings.CutPrefix(r.name, "*")
	return in(r.src, p.src) && in(r.dst, p.dst) && (r.protocols == nil || slices.Contains(r.protocols, p.protocol)) &&
		port(r.sport, p.sport) && port(r.dport, p.dport) &&
		(r.name == "" || p.name == r.name || wild && p.name != "" && strings.HasSuffix(p.name, suffix)) &&
		(r.tag == "" || slices.Contains(p.tags, r.tag))
}

// listCase is a random list, compiled.
type listCase struct {
	rules []rule
	s     *Space
	match []Set
	tags  []string
}

func randomList(r *rand.Rand, n int, withNames bool) *listCase {
	c := &listCase{tags: []string{"Monitor", "Storage"}}
	names := []string{"*", "*.example.org", "*example.org", "www.example.org", "example.org"}
	b := NewBuilder()
	b.Names(names...)
	b.Tags(c.tags...)
	var src, dst []AddrSet
	side := func() ([]netip.Prefix, AddrSet) {
		if r.IntN(4) == 0 {
			return nil, -1
		}
		var p []netip.Prefix
		for range 1 + r.IntN(3) {
			x := randomPrefix(r)
			p = append(p, x)
		}
		return p, b.AddSet("", p)
	}
	ports := func() []Range {
		if r.IntN(3) == 0 {
			return nil
		}
		lo := []uint32{0, 22, 80, 443, 1024, 65535}[r.IntN(6)]
		return []Range{{lo, min(65535, lo+[]uint32{0, 0, 1, 500}[r.IntN(4)])}}
	}
	for range n {
		x := rule{action: Value(2 << r.IntN(3)), uncertain: r.IntN(4) == 0}
		var h AddrSet
		x.src, h = side()
		src = append(src, h)
		x.dst, h = side()
		dst = append(dst, h)
		switch r.IntN(4) {
		case 0:
		case 1:
			x.protocols = []uint8{1}
		default:
			x.protocols = [][]uint8{{6}, {17}, {6, 17}}[r.IntN(3)]
			x.dport = ports()
			if r.IntN(5) == 0 {
				x.sport = ports()
			}
		}
		if withNames && r.IntN(4) == 0 {
			x.name = names[r.IntN(len(names))]
		}
		if r.IntN(6) == 0 {
			x.tag = c.tags[r.IntN(2)]
		}
		c.rules = append(c.rules, x)
	}
	u := b.Freeze()
	c.s = NewSpace(u, Limits{})
	for i := range c.rules {
		x := &c.rules[i]
		box := Box{DPort: x.dport, SPort: x.sport}
		if src[i] >= 0 {
			box.Src = u.Addrs(src[i])
		}
		if dst[i] >= 0 {
			box.Dst = u.Addrs(dst[i])
		}
		for _, p := range x.protocols {
			box.Protocol = append(box.Protocol, Range{uint32(p), uint32(p)})
		}
		if x.name != "" {
			box.Name = u.NameRanges(x.name)
		}
		if x.tag != "" {
			f, _ := u.Tag(x.tag)
			box.Tags = []TagValue{{f, true}}
		}
		c.match = append(c.match, c.s.Box(box))
	}
	return c
}

// packet is a concrete packet in the terms of the universe.
func (c *listCase) packet(p concrete) Packet {
	u := c.s.u
	out := Packet{Src: u.Class(p.src), Dst: u.Class(p.dst), Protocol: p.protocol, SPort: p.sport, DPort: p.dport, Name: u.NameClass(p.name)}
	for _, t := range p.tags {
		f, _ := u.Tag(t)
		out.set(f, 1)
	}
	return out
}

// boundary is a packet at the ends of what two rules match, and one beside.
func (c *listCase) boundary(r *rand.Rand) concrete {
	a, b := &c.rules[r.IntN(len(c.rules))], &c.rules[r.IntN(len(c.rules))]
	end := func(list []netip.Prefix) netip.Addr {
		if list == nil {
			list = []netip.Prefix{randomPrefix(r)}
		}
		return nearAddr(r, list)
	}
	port := func(list []Range) uint16 {
		if list == nil {
			return uint16(r.Uint32())
		}
		x := list[r.IntN(len(list))]
		return uint16([]uint32{x.Lo, x.Hi, x.Lo - 1, x.Hi + 1}[r.IntN(4)])
	}
	p := concrete{src: end(a.src), dst: end(b.dst), protocol: 6}
	if r.IntN(2) == 0 {
		p.dst = end(a.dst)
	}
	if a.protocols != nil {
		p.protocol = a.protocols[r.IntN(len(a.protocols))]
	}
	if r.IntN(8) == 0 {
		p.protocol = []uint8{0, 5, 7, 16, 18, 58, 131, 132, 133, 255}[r.IntN(10)]
	}
	if HasPorts(p.protocol) {
		p.sport, p.dport = port(a.sport), port(b.dport)
		if r.IntN(2) == 0 {
			p.dport = port(a.dport)
		}
	}
	p.name = []string{"", "example.org", "www.example.org", "a.example.org", "evilexample.org", "other.net"}[r.IntN(6)]
	for _, t := range c.tags {
		if r.IntN(2) == 0 {
			p.tags = append(p.tags, t)
		}
	}
	return p
}

// Lists decide as a plain first-match interpreter does: the rule and not only the action, at the ends of all ranges.
func TestListsAgreeWithInterpreter(t *testing.T) {
	lists := 40
	if *long {
		lists = 2000
	}
	for seed := range uint64(lists) {
		r := rand.New(rand.NewPCG(seed, 22))
		c := randomList(r, 1+r.IntN(60), true)
		leaves := make([]Decision, len(c.rules))
		for i := range leaves {
			leaves[i] = c.s.Leaf(c.match[i], Value(i+1))
		}
		list := c.s.List(leaves...)
		check := func(what string, d Decision, rules []rule, number func(i int) Value) {
			t.Helper()
			decides := map[Value]bool{}
			for range 300 {
				p := c.boundary(r)
				want := Value(0)
				if i := slices.IndexFunc(rules, func(x rule) bool { return x.matches(p) }); i >= 0 {
					want = number(i)
				}
				if got := c.s.At(d, c.packet(p)); got != want {
					t.Fatalf("seed %d, %s: %+v is decided by %d, want %d", seed, what, p, got, want)
				}
				decides[want] = true
			}
			delete(decides, 0)
			values := c.s.Values(d)
			for v := range decides {
				if !slices.Contains(values, v) {
					t.Fatalf("seed %d, %s: rule %d decides and is called shadowed", seed, what, v)
				}
			}
		}
		byNumber := func(i int) Value { return Value(i + 1) }
		check("list", list.Decision(), c.rules, byNumber)

		// A shadowed rule: the rules before take all of its packets.
		values := c.s.Values(list.Decision())
		for i := range c.rules {
			takers := c.s.Values(c.s.Within(list.Before(i), c.match[i]))
			taken := c.s.Where(c.s.Within(list.Before(i), c.match[i]), func(v Value) bool { return v != 0 })
			if shadowed := !slices.Contains(values, Value(i+1)); shadowed != (taken == c.match[i]) || shadowed && len(takers) == 0 && !c.match[i].Empty() {
				t.Fatalf("seed %d: rule %d is shadowed: %v, by %v", seed, i, shadowed, takers)
			}
		}

		// One rule changed, several times.
		for range 3 {
			i, from := r.IntN(len(c.rules)), r.IntN(len(c.rules))
			c.rules[i], c.match[i] = c.rules[from], c.match[from]
			got := list.Replace(i, c.s.Leaf(c.match[i], Value(i+1)))
			check("changed list", got, c.rules, byNumber)
			leaves[i] = c.s.Leaf(c.match[i], Value(i+1))
			if got != c.s.Seq(leaves...) || list.Leaf(i) != leaves[i] {
				t.Fatalf("seed %d: Replace gives another list than Seq", seed)
			}
		}
	}
}

// Uncertain rules (AZ-GEN-01): the outcomes of a packet are those of every assignment of which rules match; over and under are maps of
// one decision.
func TestOutcomesAgreeWithInterpreter(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 23))
		c := randomList(r, 1+r.IntN(25), true)
		leaves := make([]Decision, len(c.rules))
		for i, x := range c.rules {
			mask := x.action
			if x.uncertain {
				mask |= Continue
			}
			leaves[i] = c.s.Leaf(c.match[i], mask)
		}
		d := c.s.SeqOutcomes(leaves...)
		over := c.s.Mapped(d, func(v Value) Value { return choose(v&4 != 0, 1, 0) }) // the action 4 is possible
		under := c.s.Where(d, func(v Value) bool { return v == 4 })                  // and certain
		for range 400 {
			p := c.boundary(r)
			// Walk the list: a rule that surely matches ends it.
			want, sure := Value(0), false
			for i := range c.rules {
				if x := &c.rules[i]; !sure && x.matches(p) {
					want |= x.action
					sure = !x.uncertain
				}
			}
			if want != 0 && !sure {
				want |= Continue
			}
			q := c.packet(p)
			if got := c.s.At(d, q); got != want {
				t.Fatalf("seed %d: %+v has the outcomes %b, want %b", seed, p, got, want)
			}
			if c.s.At(over, q) == 1 != (want&4 != 0) || c.s.Contains(under, q) != (want == 4) {
				t.Fatalf("seed %d: bounds of %+v, outcomes %b", seed, p, want)
			}
		}
		if !c.s.Subset(under, c.s.Where(over, func(v Value) bool { return v == 1 })) {
			t.Fatalf("seed %d: what is certain is not possible", seed)
		}
	}
}

func (p concrete) String() string {
	return fmt.Sprintf("%v:%d > %v:%d protocol %d `%s` %v", p.src, p.sport, p.dst, p.dport, p.protocol, p.name, p.tags)
}
