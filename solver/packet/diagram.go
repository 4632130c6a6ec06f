package packet

import (
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
)

// ErrBudget says that a computation needed more than its Limits. What follows from it is unknown.
var ErrBudget = errors.New("packet sets exceed their budget")

// Limits is the budget of one Space. Zero fields take the defaults, with which a Space stays below half a gigabyte.
type Limits struct {
	Nodes int   // nodes of diagrams alive or not yet compacted; default 4 Mi (16 bytes and their share of tables each)
	Edges int   // edges of those nodes; default 32 Mi (8 bytes each)
	Steps int64 // pairs of nodes merged over the life of the Space, a bound on time; default none
}

func (l Limits) withDefaults() Limits {
	if l.Nodes <= 0 {
		l.Nodes = 1 << 22
	}
	if l.Edges <= 0 {
		l.Edges = 1 << 25
	}
	return l
}

// ref is a diagram: a terminal value when the top bit is clear, else a node.
type ref uint32

const (
	nodeBit ref = 1 << 31
	none    ref = 0 // the empty set; no value
	all     ref = 1 // every packet
	// invalid is what operations return once the budget is spent. It is not empty, so that nobody mistakes it for a proof.
	invalid ref = nodeBit - 1
)

func (r ref) isNode() bool { return r >= nodeBit }

// edge leads from a node to kid for the values after the edge before it, up to hi.
type edge struct {
	hi  uint32
	kid ref
}

// node has its edges next to each other in one chunk.
type node struct {
	first uint32 // chunk and offset of the first edge
	shape uint32 // level and number of edges
}

func (n node) level() uint8 { return uint8(n.shape >> 24) }
func (n node) size() uint32 { return n.shape & maxEdges }

const (
	maxEdges   = 1<<24 - 1 // of one node
	nodeShift  = 17        // a chunk of nodes is 1 MiB
	edgeShift  = 17        // a chunk of edges is 1 MiB, unless one node needs more
	nodeChunk  = 1 << nodeShift
	edgeChunk  = 1 << edgeShift
	maxChunks  = 1 << (32 - edgeShift)
	cacheMax   = 1 << 22 // entries of the operation cache: 64 MiB
	cacheMin   = 1 << 11
	tableMin   = 1 << 8
	hashPrime  = 0x9E3779B97F4A7C15
	hashPrime2 = 0xD6E8FEB86659FD93
)

// slot is an entry of the unique table; ref 0 means free.
type slot struct {
	hash uint32
	ref  ref
}

// result is an entry of the operation cache.
type result struct {
	a, b ref
	op   op
	r    ref
}

// diagram is the store of hash-consed nodes of one Space, and the operations on them.
//
// Nodes and edges lie in chunks without pointers, so the garbage collector scans nothing. Equal nodes are one node (unique table), a
// node with one edge is its child, neighbouring edges differ in their child: so a diagram is canonical and equality is ==. A child has
// a higher level and a lower ref than its parent.
type diagram struct {
	domain []uint32 // highest value of each level
	nodes  [][]node
	edges  [][]edge
	table  []slot
	used   int // slots in use: the nodes of this store, without those of lower
	spent  int // their edges
	cache  []result
	stack  []edge // nodes under construction
	ops    map[string]op
	nextOp op
	custom Op // of the Combine or List that runs

	lower []*diagram // frozen stores below, oldest first; their chunks are in nodes and edges as well
	start ref        // first ref of this store

	limits Limits
	slack  int // edges that compose leaves before it looks for garbage
	steps  int64
	err    error
}

func newDiagram(domain []uint32, limits Limits) *diagram {
	limits = limits.withDefaults()
	return &diagram{
		domain: domain, start: nodeBit, limits: limits, slack: min(slackEdges, limits.Edges/4), ops: map[string]op{}, nextOp: firstOp,
		table: make([]slot, tableMin), cache: make([]result, cacheMin),
	}
}

// over returns a store on top of a frozen one: it reads the chunks below and writes its own.
func (d *diagram) over(limits Limits) *diagram {
	o := newDiagram(d.domain, limits)
	o.nodes, o.edges = slices.Clone(d.nodes), slices.Clone(d.edges)
	o.lower = append(slices.Clone(d.lower), d)
	o.start = nodeBit + ref(len(o.nodes))<<nodeShift
	maps.Copy(o.ops, d.ops)
	o.nextOp = d.nextOp
	return o
}

func (d *diagram) node(r ref) node {
	id := r &^ nodeBit
	return d.nodes[id>>nodeShift][id&(nodeChunk-1)]
}

// edgesOf returns the edges of a node. They never change, but mk may move the chunk that they are in: the slice stays readable.
func (d *diagram) edgesOf(n node) []edge {
	chunk := d.edges[n.first>>edgeShift]
	first := n.first & (edgeChunk - 1)
	return chunk[first : first+n.size() : first+n.size()]
}

func (d *diagram) level(r ref) uint8 {
	if !r.isNode() {
		return leafLevel
	}
	return d.node(r).level()
}

// push adds an edge to the node under construction that starts at base of the stack.
func (d *diagram) push(base int, hi uint32, kid ref) {
	if n := len(d.stack); n > base && d.stack[n-1].kid == kid {
		d.stack[n-1].hi = hi
		return
	}
	d.stack = append(d.stack, edge{hi, kid})
}

// mk takes the edges from base to the top off the stack and returns their node.
func (d *diagram) mk(level uint8, base int) ref {
	edges := d.stack[base:]
	d.stack = d.stack[:base]
	if len(edges) == 1 {
		return edges[0].kid
	}
	shape := uint32(level)<<24 | uint32(len(edges))
	h := hashEdges(shape, edges)
	i := h & uint32(len(d.table)-1)
	for ; d.table[i].ref != 0; i = (i + 1) & uint32(len(d.table)-1) {
		if d.table[i].hash == h && d.equal(d.table[i].ref, shape, edges) {
			return d.table[i].ref
		}
	}
	for _, l := range d.lower {
		if r := l.find(h, shape, edges); r != 0 {
			return r
		}
	}
	r := d.store(shape, edges)
	if r == invalid {
		return r
	}
	d.table[i] = slot{h, r}
	if d.used++; d.used*2 > len(d.table) {
		d.grow()
	}
	return r
}

// find looks a node up without storing it.
func (d *diagram) find(h, shape uint32, edges []edge) ref {
	for i := h & uint32(len(d.table)-1); d.table[i].ref != 0; i = (i + 1) & uint32(len(d.table)-1) {
		if d.table[i].hash == h && d.equal(d.table[i].ref, shape, edges) {
			return d.table[i].ref
		}
	}
	return 0
}

func (d *diagram) equal(r ref, shape uint32, edges []edge) bool {
	n := d.node(r)
	return n.shape == shape && slices.Equal(d.edgesOf(n), edges)
}

func hashEdges(shape uint32, edges []edge) uint32 {
	h := uint64(shape) * hashPrime2
	for _, e := range edges {
		h = (h ^ (uint64(e.hi)<<32 | uint64(e.kid))) * hashPrime
		h ^= h >> 29
	}
	return uint32(h >> 32)
}

// store appends a node to the arenas, or spends the budget.
func (d *diagram) store(shape uint32, edges []edge) ref {
	if d.err != nil {
		return invalid
	}
	if d.used >= d.limits.Nodes || d.spent+len(edges) > d.limits.Edges || len(d.edges) >= maxChunks {
		d.err = fmt.Errorf("%w: %d nodes and %d edges in use, want at most %d and %d", ErrBudget,
			d.used, d.spent+len(edges), d.limits.Nodes, d.limits.Edges)
		return invalid
	}
	d.spent += len(edges)
	c := roomFor(&d.edges, d.firstEdgeChunk(), len(edges), edgeChunk)
	first := uint32(c)<<edgeShift | uint32(len(d.edges[c]))
	d.edges[c] = append(d.edges[c], edges...)
	c = roomFor(&d.nodes, d.firstNodeChunk(), 1, nodeChunk)
	d.nodes[c] = append(d.nodes[c], node{first, shape})
	return nodeBit | ref(c)<<nodeShift | ref(len(d.nodes[c])-1)
}

// roomFor returns the last chunk, after it has made room for n entries there. The first chunk of a store grows as it is filled, since most
// Spaces are small; later ones are made whole, and never move. What is larger than a chunk has one to itself.
func roomFor[T any](chunks *[][]T, firstChunk, n, size int) int {
	last := len(*chunks) - 1
	if last < firstChunk {
		*chunks = append(*chunks, make([]T, 0, max(n, size/64)))
		return last + 1
	}
	chunk := (*chunks)[last]
	switch used := len(chunk) + n; {
	case used <= cap(chunk):
	case used > size:
		*chunks = append(*chunks, make([]T, 0, max(n, size)))
		last++
	default:
		grown := make([]T, len(chunk), min(size, max(4*cap(chunk), used)))
		copy(grown, chunk)
		(*chunks)[last] = grown
	}
	return last
}

func (d *diagram) firstNodeChunk() int {
	if len(d.lower) == 0 {
		return 0
	}
	return len(d.lower[len(d.lower)-1].nodes)
}

func (d *diagram) firstEdgeChunk() int {
	if len(d.lower) == 0 {
		return 0
	}
	return len(d.lower[len(d.lower)-1].edges)
}

// grow doubles the unique table, and the operation cache with it up to its cap.
func (d *diagram) grow() {
	old := d.table
	d.table = make([]slot, 2*len(old))
	for _, s := range old {
		if s.ref != 0 {
			d.insert(s)
		}
	}
	if len(d.cache) < len(d.table) && len(d.cache) < cacheMax {
		old := d.cache
		d.cache = make([]result, 2*len(old))
		for _, e := range old {
			if e.op != 0 {
				*d.slot(e.op, e.a, e.b) = e
			}
		}
	}
}

// insert puts a node into a table that does not have it.
func (d *diagram) insert(s slot) {
	i := s.hash & uint32(len(d.table)-1)
	for d.table[i].ref != 0 {
		i = (i + 1) & uint32(len(d.table)-1)
	}
	d.table[i] = s
}

// slot is where the result of an operation is kept: one place, overwritten by whatever comes next.
func (d *diagram) slot(o op, a, b ref) *result {
	h := (uint64(a)<<32 | uint64(b)) * hashPrime
	h = (h ^ h>>32 ^ uint64(o)) * hashPrime2
	return &d.cache[h>>32&uint64(len(d.cache)-1)]
}

// cached looks a result up, here or in the stores below.
func (d *diagram) cached(o op, a, b ref) (ref, bool) {
	if e := d.slot(o, a, b); e.op == o && e.a == a && e.b == b {
		return e.r, true
	}
	for _, l := range d.lower {
		if e := l.slot(o, a, b); e.op == o && e.a == a && e.b == b {
			return e.r, true
		}
	}
	return 0, false
}

func (d *diagram) keep(o op, a, b, r ref) {
	*d.slot(o, a, b) = result{a, b, o, r}
}

// step counts a merge and reports whether the budget allows it.
func (d *diagram) step() bool {
	d.steps++
	if d.limits.Steps > 0 && d.steps > d.limits.Steps && d.err == nil {
		d.err = fmt.Errorf("%w: more than %d steps", ErrBudget, d.limits.Steps)
	}
	return d.err == nil
}

// intern returns the number of an operation with parameters; equal keys have equal numbers, so that the cache serves them all. It
// reserves n numbers.
func (d *diagram) intern(key string, n op) op {
	o, ok := d.ops[key]
	if !ok {
		o = d.fresh(n)
		d.ops[key] = o
	}
	return o
}

// fresh returns n numbers for operations that nobody else uses.
func (d *diagram) fresh(n op) op {
	o := d.nextOp
	d.nextOp += n
	return o
}

// interval builds a node: in for the values of r, out for all others. r is canonical.
func (d *diagram) interval(level uint8, r []Range, in, out ref) ref {
	if in == out || len(r) == 0 {
		return out
	}
	base := len(d.stack)
	last := d.domain[level]
	for _, x := range r {
		if x.Lo > 0 && (len(d.stack) == base || d.stack[len(d.stack)-1].hi < x.Lo-1) {
			d.push(base, x.Lo-1, out)
		}
		d.push(base, x.Hi, in)
	}
	if r[len(r)-1].Hi < last {
		d.push(base, last, out)
	}
	return d.mk(level, base)
}

// child is the child of a node for one value; the value must be in the domain.
func (d *diagram) child(n node, v uint32) ref {
	edges := d.edgesOf(n)
	i, _ := slices.BinarySearchFunc(edges, v, func(e edge, v uint32) int {
		if e.hi < v {
			return -1
		}
		return 1
	})
	return edges[i].kid
}

// bytes is the memory of this store, without those below.
func (d *diagram) bytes() int64 {
	n := int64(cap(d.table))*8 + int64(cap(d.cache))*16 + int64(cap(d.stack))*8
	for _, c := range d.nodes[d.firstNodeChunk():] {
		n += int64(cap(c)) * 8
	}
	for _, c := range d.edges[d.firstEdgeChunk():] {
		n += int64(cap(c)) * 8
	}
	return n
}

func hashRanges(r []Range) uint64 {
	h := uint64(len(r))
	for _, x := range r {
		h = bits.RotateLeft64((h^(uint64(x.Lo)<<32|uint64(x.Hi)))*hashPrime, 29)
	}
	return h
}
