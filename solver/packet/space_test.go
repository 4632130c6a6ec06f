package packet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Bugs of ours end in a panic that says what is wrong: never in a wrong set.
func TestPanics(t *testing.T) {
	b := NewBuilder()
	set := b.AddSet("subnet", prefixes("10.0.0.0/24"))
	target := b.AddTarget(netip.MustParseAddr("10.0.0.4"))
	b.Names("a.example")
	b.Tags("Storage")
	u := b.Freeze()
	s, other := NewSpace(u, Limits{}), NewSpace(u, Limits{})
	frozen := NewSpace(u, Limits{})
	inFrozen := frozen.Box(Box{Protocol: One(6)})
	frozen.Freeze()
	a, foreign := s.Box(Box{Protocol: One(6)}), other.Box(Box{Protocol: One(6)})
	decision := other.Leaf(foreign, 3)
	compacted := NewSpace(u, Limits{})
	old := compacted.Box(Box{Protocol: One(6)})
	oldList := compacted.List(compacted.Leaf(old, 1))
	compacted.Compact()
	list := s.List(s.Leaf(a, 1))

	for _, test := range []struct {
		want string
		f    func()
	}{
		{"backwards", func() { s.Box(Box{Protocol: []Range{{6, 5}}}) }},
		{"want values up to 255", func() { s.Box(Box{Protocol: []Range{{0, 256}}}) }},
		{"want values up to 65535", func() { s.Box(Box{Protocol: One(6), DPort: []Range{{0, 65536}}}) }},
		{"want values up to 3", func() { s.Box(Box{Dst: One(9)}) }},
		{"ports of protocol 1, which has none", func() { s.Box(Box{Protocol: []Range{{6, 6}, {1, 1}}, DPort: One(443)}) }},
		{"ports of protocol 0, which has none", func() { s.Box(Box{SPort: One(443)}) }},
		{"is no tag", func() { s.Box(Box{Tags: []TagValue{{Tag(1), true}}}) }},
		{"is no tag", func() { s.Box(Box{Tags: []TagValue{{Name, true}}}) }},
		{"tag 248, want 0 to 247", func() { Tag(MaxTags) }},
		{"another Space", func() { s.Union(a, foreign) }},
		{"another Space", func() { s.Union(a, a, foreign) }},
		{"another Space", func() { s.Intersect(foreign, a) }},
		{"another Space", func() { s.Subset(a, foreign) }},
		{"another Space", func() { s.Contains(foreign, Packet{}) }},
		{"another Space", func() { s.Sample(foreign) }},
		{"another Space", func() { s.Sample(a, foreign) }},
		{"another Space", func() { s.Boxes(foreign, 1) }},
		{"another Space", func() { s.Rewrite(foreign, Rewrite{}) }},
		{"another Space", func() { s.Project(foreign, Dst) }},
		{"another Space", func() { s.Origins(foreign) }},
		{"another Space", func() { s.Leaf(foreign, 1) }},
		{"another Space", func() { s.Seq(decision) }},
		{"another Space", func() { s.Where(decision, func(Value) bool { return true }) }},
		{"another Space", func() { s.At(decision, Packet{}) }},
		{"another Space", func() { s.Compact(&foreign) }},
		{"another Space", func() { s.Import(other, a) }},
		{"another Space", func() { list.Replace(0, decision) }},
		{"another Space", func() { other.Compact(list) }},
		{"another Universe", func() { NewSpace(NewBuilder().Freeze(), Limits{}).Import(s, a) }},
		{"before Compact", func() { compacted.Complement(old) }},
		{"before Compact", func() { oldList.Decision() }},
		{"before Compact", func() { oldList.Replace(0, Decision{}) }},
		{"frozen", func() { frozen.Box(Box{}) }},
		{"frozen", func() { frozen.Union(inFrozen) }},
		{"frozen", func() { frozen.Subset(inFrozen, inFrozen) }},
		{"frozen", func() { frozen.Sample(inFrozen, inFrozen) }},
		{"frozen", func() { frozen.Compact() }},
		{"frozen", func() { frozen.Limit(Limits{}) }},
		{"not frozen", func() { Fork(s) }},
		{"10.0.0.0 and what shares its class; add it with AddTarget", func() { s.Rewrite(a, Rewrite{Dst: u.Addrs(set)}) }},
		{"rewrite of the source to 0.0.0.0", func() { s.Rewrite(a, Rewrite{Src: One(u.Class(netip.MustParseAddr("1.2.3.4")))}) }},
		{"AddPool", func() { s.Preimage(a, Rewrite{Dst: []Range{{0, uint32(u.Classes() - 1)}}}) }},
		{"backwards", func() { s.Rewrite(a, Rewrite{Dst: u.Addrs(target), DPort: []Range{{2, 1}}}) }},
		{"want values up to 65535", func() { s.Rewrite(a, Rewrite{SPort: One(70_000)}) }},
		{"value 2147483647", func() { s.Leaf(a, MaxValue+1) }},
		{"value 4294967295", func() { s.Mapped(s.Leaf(a, 1), func(Value) Value { return 1<<32 - 1 }) }},
		{"value 2147483648", func() { s.Combine(func(a, b Value) Value { return 1 << 31 }, s.Leaf(a, 1), Decision{}) }},
		{"rule 1 of a list of 1", func() { list.Replace(1, Decision{}) }},
		{"rule -1 of a list of 1", func() { list.Leaf(-1) }},
		{"rule 2 of a list of 1", func() { list.Before(2) }},
		{"destination 9", func() { s.Contains(s.Box(Box{Dst: One(1)}), Packet{Dst: 9}) }},
		{"origin 1, want values up to 0", func() { s.OriginSlice(a, 1) }},
		{"tag 1 in a universe of 1 tags", func() { s.Project(a, Tag(1)) }},
		{"invalid prefix", func() { NewBuilder().AddSet("", []netip.Prefix{{}}) }},
		{"invalid address", func() { NewBuilder().AddTarget(netip.Addr{}) }},
		{"invalid address", func() { u.Class(netip.Addr{}) }},
		{"`a.*.example`", func() { NewBuilder().Names("a.*.example") }},
		{"name pattern ``", func() { NewBuilder().Names("") }},
		{"`b.example` was not given", func() { u.NameRanges("b.example") }},
		{"name class 4", func() { u.NamePatterns(4) }},
		{"address class 4", func() { u.Example(4) }},
		{"address set 7 of another Builder", func() { u.Addrs(7) }},
		{"class range 4 to 4", func() { u.Prefixes(One(4)) }},
		{"after Freeze", func() { b.AddSet("", nil) }},
		{"after Freeze", func() { b.Tags("x") }},
		{"after Freeze", func() { b.Freeze() }},
		{"0 origins", func() { NewBuilder().Origins(0) }},
	} {
		got := func() (message any) {
			defer func() { message = recover() }()
			test.f()
			return "no panic"
		}()
		if text := fmt.Sprint(got); !strings.Contains(text, test.want) || !strings.HasPrefix(text, "packet: ") {
			t.Errorf("panic %q, want %q", text, test.want)
		}
	}

	// The empty set, and sets of a frozen base, belong everywhere.
	if s.Union(a, Set{}) != a || !s.Disjoint(a, Set{}) || Fork(frozen).Union(inFrozen) != inFrozen {
		t.Error("the empty set or a set of the base is foreign")
	}
}

// A port-less protocol has all ports or none, whatever is done.
func TestPortless(t *testing.T) {
	b := NewBuilder()
	target := b.AddTarget(netip.MustParseAddr("10.0.0.4"))
	u := b.Freeze()
	s := NewSpace(u, Limits{})
	tcp := s.Box(Box{Protocol: One(6), DPort: One(443)})
	icmp := s.Box(Box{Protocol: One(1)})
	both := s.Union(tcp, icmp)
	ping := Packet{Protocol: 1}
	odd := Packet{Protocol: 1, DPort: 99, SPort: 7}

	for name, a := range map[string]Set{
		"complement":    s.Complement(tcp),
		"rewrite":       s.Rewrite(both, Rewrite{DPort: One(8443), SPort: One(1)}),
		"preimage":      s.Preimage(both, Rewrite{DPort: One(443)}),
		"projection":    s.Project(tcp, Protocol),
		"ports freed":   s.Project(both, DPort),
		"by complement": s.Complement(s.Subtract(tcp, icmp)),
	} {
		if !s.Contains(a, ping) || !s.Contains(a, odd) {
			t.Errorf("%s: ICMP is not in it whole", name)
		}
	}
	// A translation of ports leaves ICMP alone, but addresses change for it too.
	r := Rewrite{Dst: u.Addrs(target), DPort: One(8443)}
	image := s.Rewrite(both, r)
	at := u.Class(netip.MustParseAddr("10.0.0.4"))
	for _, test := range []struct {
		p    Packet
		want bool
	}{
		{Packet{Dst: at, Protocol: 6, DPort: 8443}, true},
		{Packet{Dst: at, Protocol: 6, DPort: 443}, false},
		{Packet{Dst: at, Protocol: 1}, true},
		{Packet{Dst: at + 1, Protocol: 1}, false},
	} {
		if got := s.Contains(image, test.p); got != test.want {
			t.Errorf("image holds %+v: %v, want %v", test.p, got, test.want)
		}
	}
	// A box with all ports given in full restricts nothing.
	if s.Box(Box{DPort: []Range{{0, 9}, {10, 65535}}}) != s.All() {
		t.Error("all ports are a restriction")
	}
	if s.Union(s.Box(Box{Protocol: Ported()}), s.Box(Box{Protocol: Portless()})) != s.All() || !HasPorts(132) || HasPorts(58) {
		t.Error("Ported and Portless do not make up all protocols")
	}
}

// A witness looks natural: each preference narrows it when it can.
func TestSample(t *testing.T) {
	b := NewBuilder()
	subnet := b.AddSet("subnet", prefixes("10.0.0.0/24"))
	vm := b.AddTarget(netip.MustParseAddr("10.0.0.4"))
	u := b.Freeze()
	s := NewSpace(u, Limits{})
	ephemeral := s.Box(Box{Protocol: Ported(), SPort: []Range{{49152, 65535}}})
	exists := s.Box(Box{Src: u.Addrs(vm)})
	https := s.Box(Box{Src: u.Addrs(subnet), Protocol: One(6), DPort: One(443)})
	for _, test := range []struct {
		a      Set
		prefer []Set
		want   string
	}{
		{https, nil, "10.0.0.4:0 443"}, // the lowest class is the smallest set
		{https, []Set{ephemeral}, "10.0.0.4:49152 443"},
		{s.Subtract(https, exists), []Set{exists, ephemeral}, "10.0.0.0:49152 443"},
		{s.Box(Box{Protocol: One(1)}), []Set{ephemeral, exists}, "10.0.0.4:0 0"},
	} {
		p, ok := s.Sample(test.a, test.prefer...)
		if got := fmt.Sprintf("%v:%d %d", u.Example(p.Src), p.SPort, p.DPort); !ok || got != test.want || !s.Contains(test.a, p) {
			t.Errorf("sample %s, want %s", got, test.want)
		}
	}
	if _, ok := s.Sample(Set{}, exists); ok {
		t.Error("the empty set has a sample")
	}
}

// checkExhausted checks that a Space over its budget proves nothing.
func checkExhausted(t *testing.T, s *Space, pool []Range) {
	t.Helper()
	if !errors.Is(s.Err(), ErrBudget) {
		t.Fatalf("err is %v", s.Err())
	}
	a := s.Box(Box{Protocol: One(6), DPort: One(443)})
	d := s.Leaf(a, 3)
	for name, x := range map[string]Set{
		"All": s.All(), "Box": a, "Union": s.Union(a, Set{}), "union of nothing": s.Union(), "Intersect": s.Intersect(a, Set{}),
		"Subtract": s.Subtract(a, a), "Complement": s.Complement(Set{}), "Rewrite": s.Rewrite(a, Rewrite{Dst: pool}),
		"Preimage": s.Preimage(a, Rewrite{Dst: pool, DPort: One(1)}), "Project": s.Project(a, Protocol), "OriginSlice": s.OriginSlice(a, 0),
		"Where": s.Where(d, func(Value) bool { t.Error("a question about an exhausted Space"); return true }), "WhereIs": s.WhereIs(d, 1),
		"Differ": s.Differ(d, d),
	} {
		if x.Empty() || s.Subset(x, s.All()) || s.Subset(Set{}, x) || s.Disjoint(x, Set{}) || s.Contains(x, Packet{}) {
			t.Errorf("%s of an exhausted Space proves something", name)
		}
		if _, ok := s.Sample(x); ok {
			t.Errorf("%s of an exhausted Space has a sample", name)
		}
		if boxes, n := s.Boxes(x, 10); len(boxes) != 0 || n != 0 || len(s.Origins(x)) != 0 {
			t.Errorf("%s of an exhausted Space has boxes", name)
		}
	}
	d = s.Seq(d, s.Mapped(d, func(v Value) Value { return v }), s.Combine(func(a, b Value) Value { return a + b }, d, d), s.Within(d, a))
	d = s.SeqOutcomes(d, s.List(d, d, d).Replace(1, d))
	if len(s.Values(d)) != 0 || s.At(d, Packet{}) != 0 || d.Undecided() {
		t.Error("a decision of an exhausted Space decides something")
	}
	s.Compact(&a, &d)
	if s.Err() == nil || a.Empty() {
		t.Error("Compact revived an exhausted Space")
	}
}

// Each limit ends in ErrBudget, and nothing is proved after it.
func TestBudget(t *testing.T) {
	for name, l := range map[string]Limits{"nodes": {Nodes: 300}, "edges": {Edges: 2000}, "steps": {Steps: 500}} {
		u, pool := lawUniverse()
		s := NewSpace(u, l)
		r := rand.New(rand.NewPCG(9, 9))
		for n := 0; s.Err() == nil; n++ {
			if n > 1000 {
				t.Fatalf("%s: no end", name)
			}
			randomSet(s, r, pool)
		}
		nodes, edges, _ := s.Size()
		if l.Nodes > 0 && nodes > l.Nodes || l.Edges > 0 && edges > l.Edges || !strings.Contains(s.Err().Error(), "want at most") && name != "steps" {
			t.Errorf("%s: %d nodes, %d edges, %v", name, nodes, edges, s.Err())
		}
		checkExhausted(t, s, pool)
		other := NewSpace(u, Limits{})
		other.Import(s, s.All())
		checkExhausted(t, other, pool)
		s.Freeze()
		checkExhausted(t, Fork(s), pool)
	}
}

// Compact between phases makes room for what the budget would not hold otherwise, and Limit gives more.
func TestCompactMakesRoom(t *testing.T) {
	u, pool := lawUniverse()
	s := NewSpace(u, Limits{Nodes: 1500})
	r := rand.New(rand.NewPCG(10, 10))
	var kept Set
	list := s.List(s.Leaf(randomSet(s, r, pool), 1), s.Leaf(randomSet(s, r, pool), 2))
	decision := list.Decision()
	boxes, _ := s.Boxes(s.Where(decision, func(v Value) bool { return v == 2 }), 1000)
	for range 200 {
		a := randomSet(s, r, pool)
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
		kept = a
		if n, _, _ := s.Size(); n > 1000 {
			s.Compact(&kept, list, &decision)
		}
	}
	again, _ := s.Boxes(s.Where(list.Decision(), func(v Value) bool { return v == 2 }), 1000)
	if list.Decision() != decision || fmt.Sprint(again) != fmt.Sprint(boxes) {
		t.Error("Compact changed a list")
	}
	s.Limit(Limits{Nodes: 1})
	randomSet(s, r, pool)
	checkExhausted(t, s, pool)
}

// A list that would not fit with all that its composition leaves behind fits, because that is dropped on the way; and what was there before
// stays as it is.
func TestLongListDropsGarbage(t *testing.T) {
	u, pool := lawUniverse()
	free := NewSpace(u, Limits{})
	tight := NewSpace(u, Limits{})
	compose := func(s *Space) (before Set, whole Decision, made int) {
		r := rand.New(rand.NewPCG(13, 13))
		before = randomSet(s, r, pool)
		leaves := make([]Decision, 150)
		for i := range leaves {
			leaves[i] = s.Leaf(randomSet(s, r, pool), Value(i+1))
		}
		_, start, _ := s.Size()
		whole = s.Seq(leaves...)
		_, made, _ = s.Size()
		return before, whole, made - start
	}
	_, a, all := compose(free)
	tight.d.slack = 1
	before, b, rest := compose(tight)
	if rest > all/2 {
		t.Errorf("%d edges stay of %d", rest, all)
	}
	if free.Import(tight, before).Empty() || free.ImportDecision(tight, b) != a {
		t.Error("the list is another one")
	}
	if err := tight.d.wellFormed(b.r); err != nil {
		t.Error(err)
	}
}

// Adversarial input ends within the default limits in less than half a gigabyte: the work is done in a process of its own, whose peak
// counts. Boxes that overlap in four fields multiply; so do tags that share addresses at random.
func TestBudgetInMemory(t *testing.T) {
	if raceEnabled() {
		t.Skip("the race detector multiplies memory")
	}
	for _, name := range []string{"boxes", "tags", "list"} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestAdversary$")
			cmd.Env = append(os.Environ(), "PACKET_TEST_ADVERSARY="+name)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "packet sets exceed their budget") {
				t.Fatalf("%v\n%s", err, out)
			}
			mb, ok := peakMB(cmd.ProcessState)
			if !ok {
				t.Skip("this system does not tell the peak")
			}
			if mb > 512 {
				t.Errorf("peak of %d MB, want at most 512", mb)
			}
		})
	}
}

// TestAdversary is what the processes of TestBudgetInMemory run.
func TestAdversary(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 14))
	b := NewBuilder()
	var sets []AddrSet
	kind := os.Getenv("PACKET_TEST_ADVERSARY")
	switch kind {
	case "boxes", "list":
		for range 4000 {
			sets = append(sets, b.AddSet("", []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte(binaryAddr(r.Uint32()))), 4+r.IntN(29))}))
		}
	case "tags":
		for range 400 {
			var p []netip.Prefix
			for range 1 + r.IntN(3000) {
				p = append(p, netip.PrefixFrom(netip.AddrFrom4([4]byte(binaryAddr(r.Uint32N(8000)<<8))), 24))
			}
			sets = append(sets, b.AddSet("", p))
		}
	default:
		t.Skip("runs only for TestBudgetInMemory")
	}
	u := b.Freeze()
	s := NewSpace(u, Limits{})
	box := func() Set {
		ports := func() []Range {
			lo := r.Uint32N(65536)
			return []Range{{lo, lo + r.Uint32N(65536-lo)}}
		}
		span := func() []Range {
			c := u.Addrs(sets[r.IntN(len(sets))])
			if kind == "boxes" { // any interval of classes
				lo := r.Uint32N(uint32(u.Classes()))
				c = []Range{{lo, lo + r.Uint32N(uint32(u.Classes())-lo)}}
			}
			return c
		}
		return s.Box(Box{Src: span(), Dst: span(), Protocol: One(6), SPort: ports(), DPort: ports()})
	}
	var a Set
	for s.Err() == nil {
		if kind == "list" {
			leaves := make([]Decision, 20_000)
			for i := range leaves {
				leaves[i] = s.Leaf(box(), Value(i+1))
			}
			s.Seq(leaves...)
			continue
		}
		a = s.Union(a, box(), s.Intersect(box(), box()))
	}
	nodes, edges, bytes := s.Size()
	fmt.Println(s.Err(), nodes, edges, bytes>>20, "MB") // what TestBudgetInMemory looks for
}

func binaryAddr(v uint32) []byte { return []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)} }

// Sets made by several workers, each on an overlay of a frozen base, are the same bytes whatever their number; and whatever they are
// imported into.
func TestWorkers(t *testing.T) {
	u, pool := lawUniverse()
	const tasks = 48
	solve := func(workers int) string {
		base := NewSpace(u, Limits{})
		r := rand.New(rand.NewPCG(15, 15))
		guards := make([]Set, 12)
		for i := range guards {
			guards[i] = randomSet(base, r, pool)
		}
		base.Freeze()
		out := make([]string, tasks)
		sets := make([]Set, tasks)
		spaces := make([]*Space, workers)
		var wait sync.WaitGroup
		for w := range workers {
			wait.Go(func() {
				s := Fork(base)
				spaces[w] = s
				for i := w; i < tasks; i += workers {
					r := rand.New(rand.NewPCG(uint64(i), 16))
					a := s.Union(guards[i%12], randomSet(s, r, pool))
					a = s.Rewrite(s.Subtract(a, guards[(i+5)%12]), Rewrite{Dst: pool})
					a = s.Union(s.Intersect(a, guards[(i+1)%12]), guards[(i+7)%12])
					if s.Intersect(guards[0], s.All()) != guards[0] || s.Complement(s.Complement(guards[i%12])) != guards[i%12] {
						out[i] = "a set of the base is another one in the overlay"
						return
					}
					boxes, total := s.Boxes(a, 50)
					p, _ := base.Sample(guards[i%12])
					out[i] = fmt.Sprint(boxes, total, p, base.Contains(guards[3], p), base.Origins(guards[i%12]))
					sets[i] = a
				}
			})
		}
		wait.Wait()
		main, fresh := Fork(base), NewSpace(u, Limits{})
		for i, a := range sets {
			x, y := main.Import(spaces[i%workers], a), fresh.Import(spaces[i%workers], a)
			if main.Import(fresh, y) != x {
				out[i] += "import differs"
			}
			boxes, total := main.Boxes(x, 50)
			more, _ := fresh.Boxes(y, 50)
			out[i] += fmt.Sprint(boxes, total, more)
		}
		return strings.Join(out, "\n")
	}
	one := solve(1)
	if strings.Contains(one, "base is another") || strings.Contains(one, "import differs") {
		t.Fatal(one)
	}
	for _, workers := range []int{2, 8} {
		if got := solve(workers); got != one {
			t.Errorf("%d workers give other bytes than one", workers)
		}
	}
}

// The same sets built in another order, and in another Space, print as the same bytes.
func TestSameBytesWhateverTheOrder(t *testing.T) {
	u, pool := lawUniverse()
	r := rand.New(rand.NewPCG(17, 17))
	for range 40 {
		seeds := make([]uint64, 2+r.IntN(6))
		for i := range seeds {
			seeds[i] = r.Uint64()
		}
		build := func(order []uint64) string {
			s := NewSpace(u, Limits{})
			var parts []Set
			for _, seed := range order {
				parts = append(parts, randomSet(s, rand.New(rand.NewPCG(seed, 18)), pool))
			}
			boxes, total := s.Boxes(s.Union(parts...), 100)
			return fmt.Sprint(boxes, total)
		}
		want := build(seeds)
		slices.Reverse(seeds)
		if got := build(seeds); got != want {
			t.Fatalf("another order prints\n%s\nin place of\n%s", got, want)
		}
	}
}

// An overlay on an overlay, and imports between all of them.
func TestOverlaysInDepth(t *testing.T) {
	u, pool := lawUniverse()
	r := rand.New(rand.NewPCG(19, 19))
	base := NewSpace(u, Limits{})
	a := randomSet(base, r, pool)
	base.Freeze()
	middle := Fork(base)
	b := middle.Union(a, randomSet(middle, r, pool))
	middle.Freeze()
	left, right := Fork(middle), Fork(middle)
	c := left.Subtract(b, randomSet(left, r, pool))
	d := right.Import(left, c)
	if left.Import(right, d) != c || right.Import(middle, b) != b || right.Import(base, a) != a || right.Union(a, b) != b {
		t.Error("a set is not the same in all overlays")
	}
	if middle.Err() != nil || !right.Subset(d, b) || left.Universe() != u {
		t.Error("c is part of b")
	}
	left.Compact(&c)
	if right.Import(left, c) != d {
		t.Error("Compact of an overlay changed a set")
	}
}
