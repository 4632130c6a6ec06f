package packet

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// tiny is a universe of so few packets that every set of them can be made. An atom is a packet, or all packets of a port-less protocol
// that differ in their ports only.
type tiny struct {
	s     *Space
	atoms [][]Packet
	sets  []Set // by the bits of their atoms
}

// newTiny has the given highest values; protocol 1 has ports, protocol 0 has none. Every class is writable.
func newTiny(t *testing.T, domain [Name + 1]uint32) *tiny {
	t.Helper()
	b := NewBuilder()
	b.Origins(int(domain[Origin]) + 1)
	b.AddPool("", prefixes("0.0.0.0/0"))
	b.AddPool("", prefixes("::/0"))
	u := b.Freeze()
	copy(u.domain, domain[:])
	u.ported = []Range{{1, 1}}
	x := &tiny{s: NewSpace(u, Limits{})}
	m := small{u: u}
	m.fill(Packet{}, Origin)
	byKey := map[Packet]int{}
	for _, p := range m.packets {
		key := p
		if !u.hasPorts(uint32(p.Protocol)) {
			key.DPort, key.SPort = 0, 0
		}
		i, ok := byKey[key]
		if !ok {
			i = len(x.atoms)
			byKey[key] = i
			x.atoms = append(x.atoms, nil)
		}
		x.atoms[i] = append(x.atoms[i], p)
	}
	single := make([]Set, len(x.atoms))
	for i, atom := range x.atoms {
		p := atom[0]
		b := Box{Origin: One(p.Origin), Dst: One(p.Dst), Src: One(p.Src), Protocol: One(uint32(p.Protocol)), Name: One(p.Name)}
		if u.hasPorts(uint32(p.Protocol)) {
			b.DPort, b.SPort = One(uint32(p.DPort)), One(uint32(p.SPort))
		}
		single[i] = x.s.Box(b)
	}
	x.sets = make([]Set, 1<<len(x.atoms))
	for mask := range x.sets {
		var parts []Set
		for i := range x.atoms {
			if mask>>i&1 == 1 {
				parts = append(parts, single[i])
			}
		}
		x.sets[mask] = x.s.Union(parts...)
		for i, atom := range x.atoms {
			for _, p := range atom {
				if got := x.s.Contains(x.sets[mask], p); got != (mask>>i&1 == 1) {
					t.Fatalf("set %b holds %+v: %v", mask, p, got)
				}
			}
		}
	}
	return x
}

// Every operation on every pair of sets of a tiny universe.
func TestOracleCoreAllSets(t *testing.T) {
	domain := [Name + 1]uint32{Dst: 1, Protocol: 1, DPort: 1}
	if *long {
		domain[Origin] = 1
	}
	x := newTiny(t, domain)
	s, full := x.s, len(x.sets)-1
	for a := range x.sets {
		if got := s.Complement(x.sets[a]); got != x.sets[full&^a] {
			t.Fatalf("complement of %b", a)
		}
		for b := range x.sets {
			switch {
			case s.Union(x.sets[a], x.sets[b]) != x.sets[a|b]:
				t.Fatalf("union of %b and %b", a, b)
			case s.Intersect(x.sets[a], x.sets[b]) != x.sets[a&b]:
				t.Fatalf("intersection of %b and %b", a, b)
			case s.Subtract(x.sets[a], x.sets[b]) != x.sets[a&^b]:
				t.Fatalf("%b without %b", a, b)
			case s.Subset(x.sets[a], x.sets[b]) != (a&^b == 0):
				t.Fatalf("%b in %b", a, b)
			case s.Disjoint(x.sets[a], x.sets[b]) != (a&b == 0):
				t.Fatalf("%b apart from %b", a, b)
			case (x.sets[a] == x.sets[b]) != (a == b):
				t.Fatalf("%b equals %b", a, b)
			}
		}
	}
}

// Every rewrite of every set: the image, the preimage, and the law that joins them.
func TestOracleCoreAllRewrites(t *testing.T) {
	x := newTiny(t, [Name + 1]uint32{Dst: 1, Protocol: 1, DPort: 1})
	targets := [][]Range{nil, {}, One(0), One(1), {{0, 1}}}
	m := small{u: x.s.u}
	m.fill(Packet{}, Origin)
	atomOf := make([]int, len(m.packets))
	for i, atom := range x.atoms {
		for _, p := range atom {
			atomOf[m.index(p)] = i
		}
	}
	for _, dst := range targets {
		for _, dport := range targets {
			r := Rewrite{Dst: dst, DPort: dport}
			image := make([]int, len(x.atoms)) // of each atom
			for i, atom := range x.atoms {
				for _, j := range m.become(atom[0], r) {
					image[i] |= 1 << atomOf[j]
				}
			}
			for a := range x.sets {
				to, from := 0, 0
				for i := range x.atoms {
					if a>>i&1 == 1 {
						to |= image[i]
					}
					if image[i]&a != 0 {
						from |= 1 << i
					}
				}
				if got := x.s.Rewrite(x.sets[a], r); got != x.sets[to] {
					t.Fatalf("rewrite of %b by %+v: want %b", a, r, to)
				}
				if got := x.s.Preimage(x.sets[a], r); got != x.sets[from] {
					t.Fatalf("preimage of %b by %+v: want %b", a, r, from)
				}
			}
		}
	}
	// The same values for another field are another rewrite.
	y := newTiny(t, [Name + 1]uint32{Dst: 1, Src: 1, Protocol: 1, DPort: 0})
	b := y.s.Box(Box{Dst: One(0), Src: One(0)})
	if y.s.Rewrite(b, Rewrite{Dst: One(1)}) != y.s.Box(Box{Dst: One(1), Src: One(0)}) ||
		y.s.Rewrite(b, Rewrite{Src: One(1)}) != y.s.Box(Box{Dst: One(0), Src: One(1)}) {
		t.Error("rewrite of one field served the other")
	}
}

// Every decision over a tiny universe with the values 0 to 3 (as masks: nothing, continue, deny, deny or continue), in every pair, and in
// triples for the law that makes trees possible: composition is associative.
func TestOracleCoreAllDecisions(t *testing.T) {
	x := newTiny(t, [Name + 1]uint32{Dst: 1, Protocol: 0, DPort: 0})
	s, n := x.s, len(x.atoms)
	if n != 2 {
		t.Fatalf("%d atoms", n)
	}
	const values = 5
	decisions := make([]Decision, values*values)
	value := func(d, atom int) Value { return Value(d / []int{1, values}[atom] % values) }
	for d := range decisions {
		decisions[d] = s.Seq(s.Leaf(x.sets[1], value(d, 0)), s.Leaf(x.sets[2], value(d, 1)))
	}
	code := func(f func(atom int) Value) int { return int(f(0)) + values*int(f(1)) }
	for a := range decisions {
		for b := range decisions {
			if s.Seq(decisions[a], decisions[b]) != decisions[code(func(i int) Value { return first(value(a, i), value(b, i)) })] {
				t.Fatalf("Seq of %d and %d", a, b)
			}
			outcome := s.SeqOutcomes(decisions[a], decisions[b])
			differ := 0
			for i := range n {
				if got, want := s.At(outcome, x.atoms[i][0]), either(value(a, i), value(b, i)); got != want {
					t.Fatalf("SeqOutcomes of %d and %d: got %d, want %d", value(a, i), value(b, i), got, want)
				}
				if value(a, i) != value(b, i) {
					differ |= 1 << i
				}
			}
			if s.Differ(decisions[a], decisions[b]) != x.sets[differ] {
				t.Fatalf("Differ of %d and %d", a, b)
			}
			for c := range decisions {
				for _, seq := range []func(...Decision) Decision{s.Seq, s.SeqOutcomes} {
					if seq(seq(decisions[a], decisions[b]), decisions[c]) != seq(decisions[a], seq(decisions[b], decisions[c])) {
						t.Fatalf("composition of %d, %d, %d depends on the bracketing", a, b, c)
					}
				}
			}
		}
	}
}

// Different nodes stay different when their hashes collide: among 300,000 nodes some ten pairs do.
func TestOracleCoreCollisions(t *testing.T) {
	s := NewSpace(NewBuilder().Freeze(), Limits{})
	seen := map[Decision]int{}
	n := 0
	for lo := range uint32(1000) {
		for width := range uint32(300) {
			d := s.Leaf(s.Box(Box{Protocol: One(6), DPort: []Range{{lo * 60, lo*60 + width}}}), Value(7+lo))
			if other, ok := seen[d]; ok {
				t.Fatalf("decisions %d and %d are one", other, n)
			}
			seen[d] = n
			n++
		}
	}
}

// The laws of the algebra, on sets that are too large to list: they must hold as equality of refs.
func TestLaws(t *testing.T) {
	u, pool := lawUniverse()
	r := rand.New(rand.NewPCG(7, 7))
	s := NewSpace(u, Limits{})
	for range 300 {
		a, b, c := randomSet(s, r, pool), randomSet(s, r, pool), randomSet(s, r, pool)
		laws := map[string]bool{
			"De Morgan":                       s.Complement(s.Union(a, b)) == s.Intersect(s.Complement(a), s.Complement(b)),
			"absorption":                      s.Union(a, s.Intersect(a, b)) == a && s.Intersect(a, s.Union(a, b)) == a,
			"difference":                      s.Subtract(a, b) == s.Intersect(a, s.Complement(b)),
			"distribution":                    s.Intersect(a, s.Union(b, c)) == s.Union(s.Intersect(a, b), s.Intersect(a, c)),
			"double complement":               s.Complement(s.Complement(a)) == a,
			"excluded middle":                 s.Union(a, s.Complement(a)) == s.All() && s.Intersect(a, s.Complement(a)) == Set{},
			"subset is an empty difference":   s.Subset(a, b) == s.Subtract(a, b).Empty(),
			"disjoint is an empty common set": s.Disjoint(a, b) == s.Intersect(a, b).Empty(),
			"union of many":                   s.Union(a, b, c) == s.Union(c, s.Union(b, a)),
			"projection grows":                s.Subset(a, s.Project(a, Dst, SPort)),
			"projection is idempotent":        s.Project(s.Project(a, Src), Src) == s.Project(a, Src),
			"projection distributes":          s.Project(s.Union(a, b), Protocol) == s.Union(s.Project(a, Protocol), s.Project(b, Protocol)),
			"Leaf and Where are inverse":      s.Where(s.Leaf(a, 9), func(v Value) bool { return v == 9 }) == a,
		}
		w := Rewrite{Dst: pool, DPort: []Range{{8000, 8010}}}
		if r.IntN(2) == 0 {
			w = Rewrite{Src: pool, SPort: []Range{{1024, 65535}}}
		}
		laws["image and preimage"] = s.Disjoint(s.Rewrite(a, w), b) == s.Disjoint(a, s.Preimage(b, w))
		laws["the preimage leads into the set"] = s.Disjoint(s.Rewrite(s.Subtract(a, s.Preimage(b, w)), w), b)
		laws["a rewrite distributes"] = s.Rewrite(s.Union(a, b), w) == s.Union(s.Rewrite(a, w), s.Rewrite(b, w))
		laws["a rewrite keeps the origin"] = slices.Equal(s.Origins(s.Rewrite(a, w)), s.Origins(a))
		for law, holds := range laws {
			if !holds {
				t.Fatalf("%s does not hold", law)
			}
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

// A first-match list has one form, however it is bracketed, and however neighbours stand that agree or do not meet.
func TestSeqForms(t *testing.T) {
	u, pool := lawUniverse()
	r := rand.New(rand.NewPCG(8, 8))
	s := NewSpace(u, Limits{})
	for n := range 60 {
		s.d.slack = []int{1, 100, slackEdges}[n%3] // with compaction inside the list, and without
		leaves := make([]Decision, 2+r.IntN(12))
		match := make([]Set, len(leaves))
		for i := range leaves {
			match[i] = randomSet(s, r, pool)
			leaves[i] = s.Leaf(match[i], Value(1+r.IntN(3)))
		}
		whole := s.Seq(leaves...)
		if got := bracket(r, leaves, s.Seq); got != whole {
			t.Fatal("Seq depends on the bracketing")
		}
		if got := s.List(leaves...).Decision(); got != whole {
			t.Fatal("List is another decision than Seq")
		}
		if s.OutcomeList(leaves...).Decision() != bracket(r, leaves, s.SeqOutcomes) {
			t.Fatal("SeqOutcomes depends on the bracketing")
		}
		for i := 1; i < len(leaves); i++ {
			if s.Disjoint(match[i], match[i-1]) || slices.Equal(s.Values(leaves[i]), s.Values(leaves[i-1])) {
				swapped := slices.Clone(leaves)
				swapped[i], swapped[i-1] = swapped[i-1], swapped[i]
				if s.Seq(swapped...) != whole {
					t.Fatal("neighbours that agree or do not meet must be free to change places")
				}
			}
		}
	}
}

// bracket composes a list with random parentheses.
func bracket(r *rand.Rand, d []Decision, seq func(...Decision) Decision) Decision {
	if len(d) == 1 {
		return d[0]
	}
	k := 1 + r.IntN(len(d)-1)
	return seq(bracket(r, d[:k], seq), bracket(r, d[k:], seq))
}

func lawUniverse() (u *Universe, pool []Range) {
	b := NewBuilder()
	b.Origins(5)
	r := rand.New(rand.NewPCG(3, 3))
	for range 40 {
		v4 := netip.AddrFrom4([4]byte{10, byte(r.IntN(4)), byte(r.IntN(256)), byte(r.IntN(256))})
		b.AddSet("", []netip.Prefix{netip.PrefixFrom(v4, 8+r.IntN(25))})
		v6 := netip.AddrFrom16([16]byte{0xfd, byte(r.IntN(3)), byte(r.IntN(256))})
		b.AddSet("", []netip.Prefix{netip.PrefixFrom(v6, 8+r.IntN(100))})
	}
	p := b.AddPool("pool", prefixes("10.1.2.0/30", "fd01::/126"))
	b.Names("*.example.org", "www.example.org", "example.com")
	b.Tags("A", "B", "C")
	u = b.Freeze()
	return u, u.Addrs(p)
}

// randomSet combines some random boxes.
func randomSet(s *Space, r *rand.Rand, pool []Range) Set {
	var a Set
	for range 1 + r.IntN(4) {
		var b Box
		for _, f := range []Field{Origin, Dst, Src, Name} {
			if r.IntN(2) == 0 {
				*b.ranges(f) = randomRanges(r, s.u.domain[f])
			}
		}
		if r.IntN(3) == 0 {
			b.Dst = pool
		}
		if r.IntN(2) == 0 {
			b.Protocol = Ported()[:1+r.IntN(3)]
			b.DPort, b.SPort = randomRanges(r, 65535), randomRanges(r, 65535)
		}
		if r.IntN(3) == 0 {
			b.Tags = []TagValue{{Tag(r.IntN(3)), r.IntN(2) == 0}}
		}
		c := s.Box(b)
		if r.IntN(3) == 0 {
			c = s.Complement(c)
		}
		switch r.IntN(3) {
		case 0:
			a = s.Union(a, c)
		case 1:
			a = s.Subtract(a, c)
		default:
			a = s.Union(s.Subtract(a, c), s.Subtract(c, a))
		}
	}
	return a
}

func randomRanges(r *rand.Rand, last uint32) []Range {
	out := make([]Range, 1+r.IntN(3))
	for i := range out {
		lo, hi := r.Uint32N(last+1), r.Uint32N(last+1)
		out[i] = Range{min(lo, hi), max(lo, hi)}
	}
	return out
}
