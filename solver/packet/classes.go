package packet

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// classify cuts the address space at the bounds of all sets and numbers the classes.
//
// Sets are taken from the largest to the smallest. Each one splits every block of pieces into the part inside, which goes to the front,
// and the rest. In the end a block is a class, and the order of blocks is the lexicographic order of "which sets hold it": nested sets
// (prefixes; tag, region, service) become one interval each, almost nested sets become few. The order depends on contents only.
func (u *Universe) classify(work int) {
	covers := [2][][]pieceRange{}
	cut := 0
	for family := range u.starts {
		u.starts[family], covers[family] = cutPieces(family, u.sets)
		for _, c := range covers[family] {
			for _, r := range c {
				cut += r.end - r.start
			}
		}
	}
	if cut > work {
		u.err = fmt.Errorf("%w: address sets cover %d pieces of the address space, want at most %d", ErrBudget, cut, work)
		u.giveUp()
		return
	}

	u.ranges = make([][]Range, len(u.sets))
	total := 0
	for family := range u.starts {
		first := uint32(total)
		if family == ipv6 {
			u.first6 = first
		}
		n := 0
		u.class[family], n = refine(len(u.starts[family]), u.bySize(family), covers[family], first)
		total += n
	}
	if total > maxEdges {
		u.err = fmt.Errorf("%w: %d address classes, want at most %d", ErrBudget, total, maxEdges)
		u.giveUp()
		return
	}
	u.pieces = make([][]piece, total)
	u.listPieces()

	u.writable = make([]bool, total)
	seen := make([]AddrSet, total) // set+1 that saw the class last
	edges := 0
	for s := range u.sets {
		u.ranges[s] = u.rangesOf(AddrSet(s), covers, seen)
		if edges += len(u.ranges[s]); edges > maxRanges {
			u.err = fmt.Errorf("%w: address sets of more than %d class intervals", ErrBudget, maxRanges)
			u.giveUp()
			return
		}
		if u.sets[s].target {
			for _, r := range u.ranges[s] {
				for c := r.Lo; c <= r.Hi; c++ {
					u.writable[c] = true
				}
			}
		}
	}
}

// maxRanges bounds the class intervals of all sets together (128 MB).
const maxRanges = 1 << 24

// giveUp leaves a Universe that tells only the families apart, so that every method still answers.
func (u *Universe) giveUp() {
	for family := range u.starts {
		u.starts[family] = []addr{{}}
		u.class[family] = []uint32{uint32(family)}
	}
	u.first6 = 1
	u.pieces = make([][]piece, 2)
	u.writable = []bool{true, true} // no rewrite of an exhausted Space means anything
	u.ranges = make([][]Range, len(u.sets))
	for s := range u.ranges {
		u.ranges[s] = []Range{}
	}
	u.listPieces()
}

// pieceRange is a half-open range of pieces.
type pieceRange struct{ start, end int }

// cutPieces cuts one family at the bounds of all sets: first address of each piece, and the pieces of each set.
func cutPieces(family int, sets []addrSet) (starts []addr, covers [][]pieceRange) {
	n := 1
	for s := range sets {
		n += 2 * len(sets[s].spans[family])
	}
	starts = make([]addr, 1, n) // the first piece starts at zero
	for s := range sets {
		for _, x := range sets[s].spans[family] {
			starts = append(starts, x.lo)
			if x.hi != lastAddr(family) {
				starts = append(starts, x.hi.next())
			}
		}
	}
	starts = sortAddrs(family, starts)

	covers = make([][]pieceRange, len(sets))
	for s := range sets {
		spans := sets[s].spans[family]
		if len(spans) == 0 {
			continue
		}
		cover := make([]pieceRange, len(spans))
		at := 0
		for i, x := range spans {
			start := at + searchAddr(starts[at:], x.lo)
			end := len(starts)
			if x.hi != lastAddr(family) {
				end = start + searchAddr(starts[start:], x.hi.next())
			}
			cover[i], at = pieceRange{start, end}, end
		}
		covers[s] = cover
	}
	return starts, covers
}

// sortAddrs sorts addresses and drops repetitions.
func sortAddrs(family int, a []addr) []addr {
	if family == ipv6 {
		slices.SortFunc(a, addr.compare)
		return slices.Compact(a)
	}
	low := make([]uint64, len(a)) // plain numbers sort several times faster
	for i := range a {
		low[i] = a[i].lo
	}
	slices.Sort(low)
	low = slices.Compact(low)
	for i, lo := range low {
		a[i] = addr{0, lo}
	}
	return a[:len(low)]
}

// searchAddr finds an address that is in a sorted list, looking near the front first.
func searchAddr(a []addr, x addr) int {
	hi := 1
	for hi < len(a) && a[hi].compare(x) <= 0 {
		hi *= 2
	}
	i, _ := slices.BinarySearchFunc(a[:min(hi, len(a))], x, addr.compare)
	return i
}

// bySize orders the sets that have addresses of a family: largest first, then by content.
func (u *Universe) bySize(family int) []AddrSet {
	type sized struct {
		set  AddrSet
		size addr // number of addresses minus one, so that a whole family does not overflow
	}
	var order []sized
	for s := range u.sets {
		if len(u.sets[s].spans[family]) == 0 {
			continue
		}
		size := addr{1<<64 - 1, 1<<64 - 1} // minus one
		for _, x := range u.sets[s].spans[family] {
			lo, borrow := bits.Sub64(x.hi.lo, x.lo.lo, 0)
			hi, _ := bits.Sub64(x.hi.hi, x.lo.hi, borrow)
			n := addr{hi, lo}.next()
			var carry uint64
			size.lo, carry = bits.Add64(size.lo, n.lo, 0)
			size.hi, _ = bits.Add64(size.hi, n.hi, carry)
		}
		order = append(order, sized{AddrSet(s), size})
	}
	slices.SortFunc(order, func(a, b sized) int {
		return cmp.Or(b.size.compare(a.size), compareSpans(u.sets[a.set].spans[family], u.sets[b.set].spans[family]))
	})
	sets := make([]AddrSet, len(order))
	for i := range order {
		sets[i] = order[i].set
	}
	return sets
}

// refine splits n pieces by the sets in order and returns the class of each piece, numbered from first, and how many there are.
func refine(n int, order []AddrSet, covers [][]pieceRange, first uint32) (class []uint32, classes int) {
	type block struct{ start, mid, end int32 } // positions; those before mid are in the current set
	blocks := []block{{0, 0, int32(n)}}
	at := make([]int32, n)       // piece at each position
	position := make([]int32, n) // of each piece
	blockOf := make([]int32, n)  // of each piece
	for i := range at {
		at[i], position[i] = int32(i), int32(i)
	}
	var touched []int32
	for _, s := range order {
		touched = touched[:0]
		for _, r := range covers[s] {
			for p := int32(r.start); p < int32(r.end); p++ {
				b := &blocks[blockOf[p]]
				if b.mid == b.start {
					touched = append(touched, blockOf[p])
				}
				other := at[b.mid]
				at[b.mid], at[position[p]] = p, other
				position[other], position[p] = position[p], b.mid
				b.mid++
			}
		}
		for _, t := range touched {
			b := blocks[t]
			if b.mid == b.end { // wholly inside
				blocks[t].mid = b.start
				continue
			}
			inside := int32(len(blocks))
			blocks = append(blocks, block{b.start, b.start, b.mid})
			blocks[t] = block{b.mid, b.mid, b.end}
			for _, p := range at[b.start:b.mid] {
				blockOf[p] = inside
			}
		}
	}
	class = make([]uint32, n)
	for i, p := range at {
		if i > 0 && blockOf[p] != blockOf[at[i-1]] {
			classes++
		}
		class[p] = first + uint32(classes)
	}
	return class, classes + 1
}

// listPieces lists the pieces of each class in order of address, IPv4 first.
func (u *Universe) listPieces() {
	count := make([]int, len(u.pieces))
	total := 0
	for family := range u.starts {
		for _, c := range u.class[family] {
			count[c]++
			total++
		}
	}
	all := make([]piece, 0, total)
	for c, n := range count {
		u.pieces[c], all = all[len(all):len(all):len(all)+n], all[:len(all)+n]
	}
	for family, starts := range u.starts {
		for i, lo := range starts {
			hi := lastAddr(family)
			if i+1 < len(starts) {
				hi = starts[i+1].prev()
			}
			c := u.class[family][i]
			u.pieces[c] = append(u.pieces[c], piece{family, span{lo, hi}})
		}
	}
}

// rangesOf turns the pieces of a set into intervals of classes.
func (u *Universe) rangesOf(s AddrSet, covers [2][][]pieceRange, seen []AddrSet) []Range {
	var classes []uint32
	for family := range covers {
		for _, r := range covers[family][s] {
			for _, c := range u.class[family][r.start:r.end] {
				if seen[c] != s+1 {
					seen[c] = s + 1
					classes = append(classes, c)
				}
			}
		}
	}
	slices.Sort(classes)
	out := []Range{}
	for _, c := range classes {
		if n := len(out); n > 0 && out[n-1].Hi == c-1 {
			out[n-1].Hi = c
		} else {
			out = append(out, Range{c, c})
		}
	}
	return out
}
