package packet

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"net/netip"
	"slices"
)

// long asks for the runs that take minutes: go test ./solver/packet -packet.long
var long = flag.Bool("packet.long", false, "run the long tests of solver/packet")

func prefixes(p ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(p))
	for i := range p {
		out[i] = netip.MustParsePrefix(p[i])
	}
	return out
}

// small is a universe of so few packets that every operation can be compared with one entry for each of them.
type small struct {
	u       *Universe
	packets []Packet  // all, also those that differ only in the ports of a port-less protocol
	targets [][]Range // classes that a rewrite may produce
}

// newSmall has real classes, names and tags; protocols and ports are cut down. Protocol 1 has ports. 7,200 packets.
func newSmall() *small {
	b := NewBuilder()
	b.Origins(2)
	one := b.AddTarget(netip.MustParseAddr("10.0.0.4"))
	pool := b.AddPool("pool", prefixes("10.0.1.0/31", "fd00::/64"))
	b.Tags("Tag", "Other")
	u := b.Freeze()
	return cutDown(u, 2, [][]Range{u.Addrs(one), u.Addrs(pool), slices.Concat(u.Addrs(one), u.Addrs(pool)), {}})
}

// newSmaller is for the fuzzer, which lives from many runs: 576 packets.
func newSmaller() *small {
	b := NewBuilder()
	b.Origins(2)
	one := b.AddTarget(netip.MustParseAddr("10.0.0.4"))
	six := b.AddPool("pool", prefixes("::/0"))
	b.Tags("Tag")
	u := b.Freeze()
	return cutDown(u, 1, [][]Range{u.Addrs(one), u.Addrs(six), slices.Concat(u.Addrs(one), u.Addrs(six)), {}})
}

// cutDown leaves protocols and destination ports 0 to last, and two source ports.
func cutDown(u *Universe, last uint32, targets [][]Range) *small {
	u.domain[Protocol], u.domain[DPort], u.domain[SPort] = last, last, 1
	u.ported = []Range{{1, 1}}
	m := &small{u: u, targets: targets}
	m.fill(Packet{}, Origin)
	return m
}

// fill lists the packets that agree with p above f.
func (m *small) fill(p Packet, f Field) {
	if int(f) == len(m.u.domain) {
		m.packets = append(m.packets, p)
		return
	}
	for v := range m.u.domain[f] + 1 {
		p.set(f, v)
		m.fill(p, f+1)
	}
}

// index is the place of a packet in the list.
func (m *small) index(p Packet) int {
	i := 0
	for f, last := range m.u.domain {
		i = i*(int(last)+1) + int(p.value(Field(f)))
	}
	return i
}

func within(v uint32, r []Range) bool {
	return slices.ContainsFunc(r, func(x Range) bool { return x.Lo <= v && v <= x.Hi })
}

// inBox is membership by the definition of Box.
func inBox(p Packet, b Box) bool {
	for f := Origin; f <= Name; f++ {
		if r := *b.ranges(f); r != nil && !within(p.value(f), r) {
			return false
		}
	}
	return !slices.ContainsFunc(b.Tags, func(t TagValue) bool { return p.Tag(t.Tag) != t.Value })
}

// become lists what a packet can become by a rewrite, by the definition of Rewrite.
func (m *small) become(p Packet, r Rewrite) []int {
	list := []Packet{p}
	for f, to := range map[Field][]Range{Dst: r.Dst, Src: r.Src, DPort: r.DPort, SPort: r.SPort} {
		if to == nil || (f == DPort || f == SPort) && !m.u.hasPorts(uint32(p.Protocol)) {
			continue
		}
		var next []Packet
		for _, q := range list {
			for _, x := range to {
				for v := x.Lo; v <= x.Hi; v++ {
					q.set(f, v)
					next = append(next, q)
				}
			}
		}
		list = next
	}
	out := make([]int, len(list))
	for i := range list {
		out[i] = m.index(list[i])
	}
	return out
}

// algebra is the operations under test, so that a broken one can take the place of each.
type algebra struct {
	box         func(*Space, Box) Set
	union       func(*Space, ...Set) Set
	intersect   func(s *Space, a, b Set) Set
	subtract    func(s *Space, a, b Set) Set
	complement  func(*Space, Set) Set
	subset      func(s *Space, a, b Set) bool
	disjoint    func(s *Space, a, b Set) bool
	contains    func(*Space, Set, Packet) bool
	sample      func(*Space, Set, ...Set) (Packet, bool)
	boxes       func(*Space, Set, int) ([]Box, uint64)
	origins     func(*Space, Set) []Range
	originSlice func(*Space, Set, uint32) Set
	project     func(*Space, Set, ...Field) Set
	rewrite     func(*Space, Set, Rewrite) Set
	preimage    func(*Space, Set, Rewrite) Set
	leaf        func(*Space, Set, Value) Decision
	seq         func(*Space, ...Decision) Decision
	seqOutcomes func(*Space, ...Decision) Decision
	within      func(*Space, Decision, Set) Decision
	differ      func(s *Space, a, b Decision) Set
	combine     func(s *Space, f Op, a, b Decision) Decision
	mapped      func(*Space, Decision, func(Value) Value) Decision
	where       func(*Space, Decision, func(Value) bool) Set
	whereIs     func(*Space, Decision, ...Value) Set
	at          func(*Space, Decision, Packet) Value
	values      func(*Space, Decision) []Value
	replace     func(*List, int, Decision) Decision
	before      func(*List, int) Decision
	compact     func(*Space, ...Root)
	importSet   func(s, from *Space, a Set) Set
}

func realAlgebra() algebra {
	return algebra{
		box: (*Space).Box, union: (*Space).Union, intersect: (*Space).Intersect, subtract: (*Space).Subtract,
		complement: (*Space).Complement, subset: (*Space).Subset, disjoint: (*Space).Disjoint, contains: (*Space).Contains,
		sample: (*Space).Sample, boxes: (*Space).Boxes, origins: (*Space).Origins, originSlice: (*Space).OriginSlice,
		project: (*Space).Project, rewrite: (*Space).Rewrite, preimage: (*Space).Preimage,
		leaf: (*Space).Leaf, seq: (*Space).Seq, seqOutcomes: (*Space).SeqOutcomes, within: (*Space).Within,
		differ: (*Space).Differ, combine: (*Space).Combine, mapped: (*Space).Mapped, where: (*Space).Where, whereIs: (*Space).WhereIs,
		at: (*Space).At, values: (*Space).Values, replace: (*List).Replace, before: (*List).Before,
		compact: (*Space).Compact, importSet: (*Space).Import,
	}
}

const (
	setRegisters      = 6
	decisionRegisters = 4
)

// machine runs a program of operations on a Space, and beside it on plain lists with one entry for each packet.
type machine struct {
	*small
	algebra
	space     *Space
	sets      [setRegisters]Set
	bits      [setRegisters][]bool
	decisions [decisionRegisters]Decision
	values    [decisionRegisters][]Value
	program   []byte
}

// errOracle is a difference between the engine and the plain lists.
var errOracle = errors.New("engine and oracle differ")

// run executes a program and returns the first difference.
func run(m *small, a algebra, program []byte) error {
	x := &machine{small: m, algebra: a, space: NewSpace(m.u, Limits{}), program: program}
	if x.next(2) == 1 {
		x.space.d.cache = make([]result, 1) // every result meets every other one in the same slot
	}
	if x.next(2) == 1 {
		x.space.d.slack = 1 // lists are compacted whenever half is garbage
	}
	for i := range x.bits {
		x.bits[i] = make([]bool, len(m.packets))
	}
	for i := range x.values {
		x.values[i] = make([]Value, len(m.packets))
	}
	for n := 0; len(x.program) > 0 && n < 40; n++ {
		name, err := x.step()
		if err != nil {
			return fmt.Errorf("operation %d, %s: %w", n, name, err)
		}
	}
	return nil
}

// next takes a number below n from the program.
func (x *machine) next(n int) int {
	if len(x.program) == 0 {
		return 0
	}
	v := int(x.program[0]) % n
	x.program = x.program[1:]
	return v
}

func (x *machine) step() (string, error) {
	a, b := x.next(setRegisters), x.next(setRegisters)
	d, e := x.next(decisionRegisters), x.next(decisionRegisters)
	to := x.next(setRegisters)
	toDecision := x.next(decisionRegisters)
	switch x.next(24) {
	case 0, 1, 2, 3:
		box := x.nextBox()
		return fmt.Sprintf("Box %+v", box), x.set(to, x.box(x.space, box), func(i int) bool { return inBox(x.packets[i], box) })
	case 4:
		c := x.next(setRegisters)
		return "Union", x.set(to, x.union(x.space, x.sets[a], x.sets[b], x.sets[c]),
			func(i int) bool { return x.bits[a][i] || x.bits[b][i] || x.bits[c][i] })
	case 5:
		return "Union", x.set(to, x.union(x.space, x.sets[a], x.sets[b]), func(i int) bool { return x.bits[a][i] || x.bits[b][i] })
	case 6:
		return "Intersect", x.set(to, x.intersect(x.space, x.sets[a], x.sets[b]), func(i int) bool { return x.bits[a][i] && x.bits[b][i] })
	case 7:
		return "Subtract", x.set(to, x.subtract(x.space, x.sets[a], x.sets[b]), func(i int) bool { return x.bits[a][i] && !x.bits[b][i] })
	case 8:
		return "Complement", x.set(to, x.complement(x.space, x.sets[a]), func(i int) bool { return !x.bits[a][i] })
	case 9:
		return x.project(to, a)
	case 10:
		r := x.nextRewrite()
		image := make([]bool, len(x.packets))
		for i, in := range x.bits[a] {
			if in {
				for _, j := range x.become(x.packets[i], r) {
					image[j] = true
				}
			}
		}
		return fmt.Sprintf("Rewrite %+v", r), x.set(to, x.rewrite(x.space, x.sets[a], r), func(i int) bool { return image[i] })
	case 11:
		r := x.nextRewrite()
		return fmt.Sprintf("Preimage %+v", r), x.set(to, x.preimage(x.space, x.sets[a], r), func(i int) bool {
			return slices.ContainsFunc(x.become(x.packets[i], r), func(j int) bool { return x.bits[a][j] })
		})
	case 12:
		o := uint32(x.next(2))
		return "OriginSlice", x.set(to, x.originSlice(x.space, x.sets[a], o), func(i int) bool { return x.bits[a][i] && x.packets[i].Origin == o })
	case 13, 14:
		v := []Value{1, 2, 3, 6, 8, 70_000, MaxValue, 0}[x.next(8)]
		return "Leaf", x.decide(toDecision, x.leaf(x.space, x.sets[a], v), func(i int) Value { return choose(x.bits[a][i], v, 0) })
	case 15:
		f := x.next(decisionRegisters)
		return "Seq", x.decide(toDecision, x.seq(x.space, x.decisions[d], x.decisions[e], x.decisions[f]), func(i int) Value {
			return first(first(x.values[d][i], x.values[e][i]), x.values[f][i])
		})
	case 16:
		return "SeqOutcomes", x.decide(toDecision, x.seqOutcomes(x.space, x.decisions[d], x.decisions[e]), func(i int) Value {
			return either(x.values[d][i], x.values[e][i])
		})
	case 17:
		return "Within", x.decide(toDecision, x.within(x.space, x.decisions[d], x.sets[a]), func(i int) Value {
			return choose(x.bits[a][i], x.values[d][i], 0)
		})
	case 18:
		return "Differ", x.set(to, x.differ(x.space, x.decisions[d], x.decisions[e]), func(i int) bool { return x.values[d][i] != x.values[e][i] })
	case 19:
		f := func(v, w Value) Value { return v%100*5 + w%7 + 1 }
		return "Combine", x.decide(toDecision, x.combine(x.space, f, x.decisions[d], x.decisions[e]), func(i int) Value {
			return f(x.values[d][i], x.values[e][i])
		})
	case 20:
		f := func(v Value) Value { return (v + 3) % 5 }
		return "Mapped", x.decide(toDecision, x.mapped(x.space, x.decisions[d], f), func(i int) Value { return f(x.values[d][i]) })
	case 21:
		if x.next(2) == 0 {
			some := []Value{1, 3, Value(x.next(4)), 70_000}
			return "WhereIs", x.set(to, x.whereIs(x.space, x.decisions[d], some...), func(i int) bool { return slices.Contains(some, x.values[d][i]) })
		}
		k := Value(x.next(4))
		ok := func(v Value) bool { return v&3 == k }
		return "Where", x.set(to, x.where(x.space, x.decisions[d], ok), func(i int) bool { return ok(x.values[d][i]) })
	case 22:
		return x.list(d, toDecision)
	default:
		return x.move()
	}
}

func choose(yes bool, a, b Value) Value {
	if yes {
		return a
	}
	return b
}

// first and either are the two ways to compose a list, on one packet.
func first(a, b Value) Value { return choose(a != 0, a, b) }

func either(a, b Value) Value {
	switch {
	case a == 0:
		return b
	case b == 0 || a&Continue == 0:
		return a
	default:
		return a&^Continue | b
	}
}

func (x *machine) project(to, a int) (string, error) {
	var fields []Field
	free := make([]bool, len(x.u.domain))
	for range x.next(3) {
		f := Field(x.next(len(x.u.domain)))
		fields = append(fields, f)
		free[f] = true
		if f == Protocol {
			free[DPort], free[SPort] = true, true
		}
	}
	// The packets with equal fixed fields stand together.
	rest := func(i int) Packet {
		p := x.packets[i]
		for f, yes := range free {
			if yes {
				p.set(Field(f), 0)
			}
		}
		return p
	}
	in := map[Packet]bool{}
	for i, yes := range x.bits[a] {
		if yes {
			in[rest(i)] = true
		}
	}
	return fmt.Sprintf("Project %v", fields), x.set(to, x.algebra.project(x.space, x.sets[a], fields...), func(i int) bool { return in[rest(i)] })
}

// list builds the list of all decisions, replaces one and asks for the part before another.
func (x *machine) list(d, to int) (string, error) {
	l := x.space.List(x.decisions[:]...)
	i, k := x.next(decisionRegisters), x.next(decisionRegisters+1)
	want := make([]Value, len(x.packets))
	part := make([]Value, len(x.packets))
	for p := range want {
		for j := range decisionRegisters {
			v := x.values[j][p]
			if j == i {
				v = x.values[d][p]
			}
			want[p] = first(want[p], v)
			if j < k {
				part[p] = first(part[p], v)
			}
		}
	}
	whole := x.replace(l, i, x.decisions[d])
	if err := x.sameValues(x.before(l, k), part); err != nil {
		return "List.Before", err
	}
	return "List.Replace", x.decide(to, whole, func(p int) Value { return want[p] })
}

// move changes the Space under the sets: it is compacted, frozen and forked, or imported into a new one.
func (x *machine) move() (string, error) {
	name := "Compact"
	switch x.next(4) {
	case 0:
		var roots []Root
		for i := range x.sets {
			roots = append(roots, &x.sets[i])
		}
		for i := range x.decisions {
			roots = append(roots, &x.decisions[i])
		}
		x.compact(x.space, roots...)
	case 1:
		name = "Fork"
		slack := x.space.d.slack
		x.space.Freeze()
		x.space = Fork(x.space)
		x.space.d.slack = slack
	default:
		name = "Import"
		s := NewSpace(x.u, Limits{})
		if n := len(x.space.bases); n > 0 && x.next(2) == 1 {
			s = Fork(x.space.bases[n-1]) // a sibling: what both have from the base is not copied
		}
		for i := range x.sets {
			x.sets[i] = x.importSet(s, x.space, x.sets[i])
		}
		for i := range x.decisions {
			x.decisions[i] = s.ImportDecision(x.space, x.decisions[i])
		}
		x.space = s
	}
	for i := range x.sets {
		if err := x.sameBits(x.sets[i], x.bits[i]); err != nil {
			return name, err
		}
	}
	for i := range x.decisions {
		if err := x.sameValues(x.decisions[i], x.values[i]); err != nil {
			return name, err
		}
	}
	return name, nil
}

// set stores a result of the engine and what the oracle says, and compares.
func (x *machine) set(to int, got Set, want func(i int) bool) error {
	bits := make([]bool, len(x.packets))
	for i := range bits {
		bits[i] = want(i)
	}
	x.sets[to], x.bits[to] = got, bits
	if err := x.sameBits(got, bits); err != nil {
		return err
	}
	return x.questions(to)
}

func (x *machine) decide(to int, got Decision, want func(i int) Value) error {
	values := make([]Value, len(x.packets))
	for i := range values {
		values[i] = want(i)
	}
	x.decisions[to], x.values[to] = got, values
	return x.sameValues(got, values)
}

func (x *machine) sameBits(got Set, want []bool) error {
	if err := x.space.d.wellFormed(got.r); err != nil {
		return err
	}
	for i, p := range x.packets {
		if c := x.contains(x.space, got, p); c != want[i] {
			return fmt.Errorf("%w: set holds %+v: %v, want %v", errOracle, p, c, want[i])
		}
	}
	return nil
}

func (x *machine) sameValues(got Decision, want []Value) error {
	if err := x.space.d.wellFormed(got.r); err != nil {
		return err
	}
	has := map[Value]bool{}
	for i, p := range x.packets {
		if v := x.at(x.space, got, p); v != want[i] {
			return fmt.Errorf("%w: decision of %+v is %d, want %d", errOracle, p, v, want[i])
		}
		has[want[i]] = true
	}
	delete(has, 0)
	values := x.algebra.values(x.space, got)
	for _, v := range values {
		if !has[v] {
			return fmt.Errorf("%w: value %d decides nothing", errOracle, v)
		}
	}
	if len(values) != len(has) || !slices.IsSorted(values) {
		return fmt.Errorf("%w: values %v, want %d in order", errOracle, values, len(has))
	}
	return nil
}

// questions asks everything that answers without a new set.
func (x *machine) questions(a int) error {
	for b := range x.sets {
		subset, disjoint, equal := true, true, true
		for i := range x.packets {
			subset = subset && (!x.bits[a][i] || x.bits[b][i])
			disjoint = disjoint && (!x.bits[a][i] || !x.bits[b][i])
			equal = equal && x.bits[a][i] == x.bits[b][i]
		}
		if got := x.subset(x.space, x.sets[a], x.sets[b]); got != subset {
			return fmt.Errorf("%w: Subset %v, want %v", errOracle, got, subset)
		}
		if got := x.disjoint(x.space, x.sets[a], x.sets[b]); got != disjoint {
			return fmt.Errorf("%w: Disjoint %v, want %v", errOracle, got, disjoint)
		}
		if got := x.sets[a] == x.sets[b]; got != equal {
			return fmt.Errorf("%w: == is %v, want %v", errOracle, got, equal)
		}
		// The lowest packet of what the preference leaves, or of the set itself.
		want := slices.Index(x.bits[a], true)
		if !disjoint {
			want = -1
			for i := 0; want < 0; i++ {
				if x.bits[a][i] && x.bits[b][i] {
					want = i
				}
			}
		}
		p, ok := x.sample(x.space, x.sets[a], x.sets[b])
		if ok != (want >= 0) || ok && p != x.packets[want] {
			return fmt.Errorf("%w: Sample %+v %v, want packet %d", errOracle, p, ok, want)
		}
	}
	if got, want := x.sets[a].Empty(), !slices.Contains(x.bits[a], true); got != want {
		return fmt.Errorf("%w: Empty %v, want %v", errOracle, got, want)
	}
	origins := x.origins(x.space, x.sets[a])
	for o := range x.u.domain[Origin] + 1 {
		has := false
		for i, in := range x.bits[a] {
			has = has || in && x.packets[i].Origin == o
		}
		if has != within(o, origins) {
			return fmt.Errorf("%w: Origins %v, origin %d occurs: %v", errOracle, origins, o, has)
		}
	}
	return x.sameBoxes(a)
}

// sameBoxes checks that boxes are disjoint, sorted, no more than the diagram groups, and together the set.
func (x *machine) sameBoxes(a int) error {
	boxes, total := x.boxes(x.space, x.sets[a], math.MaxInt)
	if grouped := x.space.d.countBoxes(x.sets[a].r, map[ref]uint64{}); total != uint64(len(boxes)) || total > grouped {
		return fmt.Errorf("%w: %d boxes of %d, the diagram groups %d", errOracle, len(boxes), total, grouped)
	}
	for i, p := range x.packets {
		n := 0
		for _, b := range boxes {
			if inBox(p, b) {
				n++
			}
		}
		if n != 0 != x.bits[a][i] || n > 1 {
			return fmt.Errorf("%w: %+v is in %d boxes, in the set: %v", errOracle, p, n, x.bits[a][i])
		}
	}
	again := make([]Set, len(boxes))
	for i, b := range boxes {
		again[i] = x.space.Box(b) // panics when a box mixes ports with a protocol that has none
	}
	if x.space.Union(again...) != x.sets[a] {
		return fmt.Errorf("%w: the union of the boxes is another set", errOracle)
	}
	return nil
}

func (x *machine) nextBox() Box {
	var b Box
	for f := Origin; f <= Name; f++ {
		if f == DPort || f == SPort {
			continue
		}
		*b.ranges(f) = x.nextRanges(f)
	}
	if x.next(2) == 1 {
		b.Protocol = One(1)
		b.DPort, b.SPort = x.nextRanges(DPort), x.nextRanges(SPort)
	}
	for i := range x.u.tags {
		if t := x.next(4); t > 1 {
			b.Tags = append(b.Tags, TagValue{Tag(i), t == 2})
		}
	}
	return b
}

// nextRanges is any value half of the time, else one or two ranges, in any order.
func (x *machine) nextRanges(f Field) []Range {
	n := x.next(4)
	if n < 2 {
		return nil
	}
	var out []Range
	for range n - 1 {
		lo, hi := uint32(x.next(int(x.u.domain[f])+1)), uint32(x.next(int(x.u.domain[f])+1))
		out = append(out, Range{min(lo, hi), max(lo, hi)})
	}
	return out
}

func (x *machine) nextRewrite() Rewrite {
	var r Rewrite
	if t := x.next(8); t < len(x.targets) {
		r.Dst = x.targets[t]
	}
	if t := x.next(8); t < len(x.targets) {
		r.Src = x.targets[t]
	}
	r.DPort, r.SPort = x.nextRanges(DPort), x.nextRanges(SPort)
	return r
}

// wellFormed checks what makes a diagram canonical.
func (d *diagram) wellFormed(r ref) error {
	var seen refSet
	var err error
	d.visit(r, &seen, func(r ref) {
		if !r.isNode() {
			return
		}
		n := d.node(r)
		edges := d.edgesOf(n)
		if len(edges) < 2 || edges[len(edges)-1].hi != d.domain[n.level()] {
			err = fmt.Errorf("%w: node of level %d has edges %v", errOracle, n.level(), edges)
		}
		for i, e := range edges {
			if i > 0 && (e.hi <= edges[i-1].hi || e.kid == edges[i-1].kid) || d.level(e.kid) <= n.level() || e.kid >= r {
				err = fmt.Errorf("%w: node of level %d has edges %v", errOracle, n.level(), edges)
			}
		}
	})
	return err
}
