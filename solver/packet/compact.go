package packet

import (
	"math"
	"slices"
)

// Root is something that Compact keeps: a *Set, *Decision or *List.
type Root interface {
	// refs calls f for each ref of the root that a Space may have to renumber.
	refs(s *Space, f func(*ref))
	// renew says that the refs are now those of generation gen.
	renew(s *Space, gen uint32)
}

func (a *Set) refs(s *Space, f func(*ref)) {
	s.check(*a)
	f(&a.r)
}

func (a *Set) renew(s *Space, gen uint32) {
	if a.s == s {
		a.gen = gen
	}
}

func (d *Decision) refs(s *Space, f func(*ref)) { (*Set)(d).refs(s, f) }

func (d *Decision) renew(s *Space, gen uint32) { (*Set)(d).renew(s, gen) }

func (l *List) refs(s *Space, f func(*ref)) {
	if l.s != s {
		panic("packet: list of another Space")
	}
	l.check()
	for _, level := range l.levels {
		for i := range level {
			f(&level[i])
		}
	}
}

func (l *List) renew(_ *Space, gen uint32) { l.gen = gen }

// Compact drops every node that no root needs, in place, and renumbers the roots: between phases, when Size says that it pays.
// All other sets, decisions and lists of the Space become invalid, and using one panics. The operation cache starts anew. Sets of frozen
// Spaces below are not touched.
func (s *Space) Compact(roots ...Root) {
	s.writable()
	seen := map[Root]bool{}
	distinct := roots[:0:0]
	for _, r := range roots {
		if !seen[r] {
			seen[r] = true
			distinct = append(distinct, r)
		}
	}
	marks := s.d.newMarks(s.d.bottom())
	for _, r := range distinct {
		r.refs(s, func(r *ref) { marks.set(*r) })
	}
	renumber := s.d.compact(marks)
	for _, r := range distinct {
		r.refs(s, func(r *ref) { *r = renumber(*r) })
	}
	s.gen++
	for _, r := range distinct {
		r.renew(s, s.gen)
	}
	s.from, s.imported = nil, nil
}

// mark is a place in the arenas of a store: everything after it is younger.
type mark struct {
	nodeChunk, nodes int // chunks, and entries of the last one
	edgeChunk, edges int
}

// bottom is the mark below everything that a store holds itself.
func (d *diagram) bottom() mark {
	return mark{nodeChunk: d.firstNodeChunk(), edgeChunk: d.firstEdgeChunk()}
}

// top is the mark above everything.
func (d *diagram) top() mark {
	m := d.bottom()
	if n := len(d.nodes); n > m.nodeChunk {
		m.nodeChunk, m.nodes = n-1, len(d.nodes[n-1])
		m.edgeChunk, m.edges = len(d.edges)-1, len(d.edges[len(d.edges)-1])
	}
	return m
}

// marks holds one bit for each node above a mark.
type marks struct {
	from  mark
	first ref // the first node above the mark
	bits  []uint64
}

func (d *diagram) newMarks(from mark) marks {
	chunks := len(d.nodes) - from.nodeChunk
	return marks{from, nodeBit | ref(from.nodeChunk)<<nodeShift | ref(from.nodes), make([]uint64, chunks*nodeChunk/64)}
}

// set marks a node; what is below needs no mark.
func (m marks) set(r ref) {
	if r >= m.first {
		m.bits[(r-m.first)/64] |= 1 << ((r - m.first) % 64)
	}
}

func (m marks) has(r ref) bool { return m.bits[(r-m.first)/64]>>((r-m.first)%64)&1 == 1 }

// compact keeps, of the nodes above a mark, those that are marked and those that they need. A child is older than its parent, so one
// pass from the youngest to the oldest finds what is needed, and one pass back copies it; each old chunk is dropped when it is copied,
// so that the peak is little more than what was there.
func (d *diagram) compact(m marks) (renumber func(ref) ref) {
	from := m.from
	for c := len(d.nodes) - 1; c >= from.nodeChunk; c-- {
		for i := len(d.nodes[c]) - 1; i >= 0; i-- {
			r := nodeBit | ref(c)<<nodeShift | ref(i)
			if r < m.first {
				break
			}
			if m.has(r) {
				for _, e := range d.edgesOf(d.nodes[c][i]) {
					m.set(e.kid)
				}
			}
		}
	}

	// What is above the mark is taken out; in the two chunks that it cuts, what is above is copied, since the new nodes overwrite it.
	oldNodes := takeAbove(&d.nodes, from.nodeChunk, from.nodes)
	oldEdges := takeAbove(&d.edges, from.edgeChunk, from.edges)
	d.forget(m.first)
	err, limits := d.err, d.limits
	d.err, d.limits = nil, Limits{Nodes: math.MaxInt, Edges: math.MaxInt} // what fitted before fits now

	forward := make([][]ref, len(oldNodes))
	renumber = func(r ref) ref {
		if r < m.first {
			return r
		}
		id := r &^ nodeBit
		return forward[int(id>>nodeShift)-from.nodeChunk][id&(nodeChunk-1)]
	}
	dropped := 0
	for c, nodes := range oldNodes {
		forward[c] = make([]ref, len(nodes))
		for i, n := range nodes {
			r := nodeBit | ref(from.nodeChunk+c)<<nodeShift | ref(i)
			if r < m.first || !m.has(r) {
				continue
			}
			chunk := int(n.first>>edgeShift) - from.edgeChunk
			for ; dropped < chunk; dropped++ {
				oldEdges[dropped] = nil
			}
			base := len(d.stack)
			first := n.first & (edgeChunk - 1)
			for _, e := range oldEdges[chunk][first : first+n.size()] {
				d.stack = append(d.stack, edge{e.hi, renumber(e.kid)})
			}
			forward[c][i] = d.mk(n.level(), base)
		}
		oldNodes[c] = nil
	}
	d.err, d.limits = err, limits
	return renumber
}

// takeAbove cuts chunks at entry n of chunk c and returns what was there from chunk c on.
func takeAbove[T any](chunks *[][]T, c, n int) [][]T {
	old := slices.Clone((*chunks)[c:])
	*chunks = (*chunks)[:c:c]
	if n > 0 {
		keep := old[0]
		old[0] = slices.Clone(keep)
		*chunks = append(*chunks, keep[:n])
	}
	return old
}

// forget drops all results, and the nodes from first on, from the tables.
func (d *diagram) forget(first ref) {
	kept := d.table
	d.used, d.spent = 0, 0
	n := 0
	for _, s := range kept {
		if s.ref != 0 && s.ref < first {
			n++
		}
	}
	size := tableMin
	for size < 2*n {
		size *= 2
	}
	d.table = make([]slot, size)
	for _, s := range kept {
		if s.ref != 0 && s.ref < first {
			d.insert(s)
			d.used++
			d.spent += int(d.node(s.ref).size())
		}
	}
	d.cache = make([]result, cacheMin)
}

// compose combines a list as tree does, at the top: nothing else is under way, so that what the composition has made and no longer needs
// can be dropped whenever it is more than what is needed. A long list of rules then takes two or three times the memory of its
// result, in place of ten times.
func (d *diagram) compose(o op, a []ref) ref {
	type part struct {
		r    ref
		size int // of how many
	}
	var parts []part // each at least twice as large as the next
	from, below := d.top(), d.spent
	kept := 0        // edges above the mark that were needed last time
	last := func() { // joins the last two parts
		n := len(parts)
		parts[n-2].r = d.apply(o, parts[n-2].r, parts[n-1].r)
		parts[n-2].size += parts[n-1].size
		parts = parts[:n-1]
		if made := d.spent - below; d.err != nil || made-kept < d.slack || made < 2*kept {
			return
		}
		m := d.newMarks(from)
		for _, p := range parts {
			m.set(p.r)
		}
		renumber := d.compact(m)
		for i := range parts {
			parts[i].r = renumber(parts[i].r)
		}
		kept = d.spent - below
	}
	for _, r := range a {
		parts = append(parts, part{r, 1})
		for n := len(parts); n > 1 && parts[n-1].size == parts[n-2].size; n-- {
			last()
		}
	}
	for len(parts) > 1 {
		last()
	}
	if len(parts) == 0 {
		return none
	}
	return parts[0].r
}

// slackEdges is how many edges a composition may leave before it looks for garbage (32 MB).
const slackEdges = 1 << 22
