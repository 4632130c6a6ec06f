package packet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// A universe and a finer one: what a translated set holds is what the set held, packet by packet.
func TestTranslation(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		prefix := func() netip.Prefix {
			return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rnd.IntN(32))}), 27+rnd.IntN(6)).Masked()
		}
		patterns := []string{"a.example", "*.example", "*ple", "b.test", "*.b.test", "*"}
		coarse, fine := NewBuilder(), NewBuilder()
		add := func(to ...*Builder) {
			p, name, tag := []netip.Prefix{prefix(), prefix()}, patterns[rnd.IntN(len(patterns))], fmt.Sprintf("t%d", rnd.IntN(4))
			for _, b := range to {
				b.AddSet("", p)
				b.Names(name)
				b.Tags(tag)
			}
		}
		for range 3 {
			add(coarse, fine)
			add(fine)
		}
		from, to := NewSpace(coarse.Freeze(), Limits{}), NewSpace(fine.Freeze(), Limits{})
		m := Images{Origin: []uint32{0}}
		lacks := rnd.IntN(to.u.Classes())
		for c := range uint32(to.u.Classes()) {
			image := from.u.Class(to.u.Example(c))
			if int(c) == lacks {
				image = NoImage
			}
			m.Addr = append(m.Addr, image)
		}
		for c := range to.u.domain[Name] + 1 {
			m.Name = append(m.Name, from.u.NameClass(to.u.NameExample(c)))
		}
		tr := NewTranslation(to, from, m)
		value := func(u *Universe, f Field) uint32 { return uint32(rnd.IntN(int(u.domain[f]) + 1)) }
		box := func() Set {
			lo := value(from.u, Dst)
			b := Box{Dst: []Range{{lo, from.u.domain[Dst]}}, Src: One(value(from.u, Src)), Name: One(value(from.u, Name)), Protocol: One(6), DPort: []Range{{80, 80 + uint32(rnd.IntN(100))}}}
			if rnd.IntN(2) == 0 {
				b.Src = nil
			}
			if rnd.IntN(2) == 0 {
				b.Name = nil
			}
			if rnd.IntN(2) == 0 {
				b.Tags = []TagValue{{Tag(rnd.IntN(len(from.u.tags))), rnd.IntN(2) == 0}}
			}
			return from.Box(b)
		}
		for range 5 {
			a := from.Subtract(from.Union(box(), box(), box()), box())
			if rnd.IntN(8) == 0 {
				a = from.Complement(a)
			}
			got := tr.Set(a)
			for range 300 {
				p := Packet{Dst: value(to.u, Dst), Src: value(to.u, Src), Name: value(to.u, Name), Protocol: 6, DPort: uint16(75 + rnd.IntN(110)), SPort: 1}
				q := Packet{Dst: m.Addr[p.Dst], Src: m.Addr[p.Src], Name: m.Name[p.Name], Protocol: 6, DPort: p.DPort, SPort: 1}
				for i, name := range to.u.tags {
					if rnd.IntN(2) == 0 {
						p.Tags = p.Tags.With(i, true)
						if f, ok := from.u.Tag(name); ok {
							q.Tags = q.Tags.With(f.tag(), true)
						}
					}
				}
				want := q.Dst != NoImage && q.Src != NoImage && from.Contains(a, q)
				if got := to.Contains(got, p); got != want {
					t.Fatalf("seed %d: %+v is in: %v, its image %+v: %v", seed, p, got, q, want)
				}
			}
		}
		if tr.Set(from.All()) != to.Subtract(to.All(), to.Union(to.Box(Box{Dst: One(uint32(lacks))}), to.Box(Box{Src: One(uint32(lacks))}))) {
			t.Fatalf("seed %d: every packet has another image", seed)
		}
	}
}
