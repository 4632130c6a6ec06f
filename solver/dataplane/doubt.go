package dataplane

import (
	"maps"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Doubts names the assumptions that keep packets of a node from having arrived for certain: those of every edge, on any way that may have
// brought them, which some of them pass in the over bound alone. What one way leaves open another may leave open for its own reasons
// (AZ-GEN-10: rather one too many than one too few).
func (f *Flood) Doubts(n NodeID, set packet.Set) []string {
	g, s := f.g, f.g.Space
	senders := s.Box(packet.Box{Origin: s.Origins(set)}) // no translation touches the origin
	back := f.Back(map[NodeID]packet.Set{n: set}, senders)
	var out []string
	for _, m := range slices.Sorted(maps.Keys(back)) {
		for i := g.first[m]; i < g.first[m+1]; i++ {
			e := &g.edges[i]
			after, ok := back[e.to]
			if !ok || len(e.notes) == 0 {
				continue
			}
			if e.rewrite != nil {
				after = s.Preimage(after, g.rewriteOf(e))
			}
			passing := s.Intersect(s.Intersect(back[m], after), f.crossable(e))
			if open := s.Subtract(passing, e.guard.bound(g.compiler, OneWay)); !open.Empty() {
				out = append(out, g.bearing(e.notes, open)...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// bearing keeps the assumptions that may bear on some packet of a set: service tags hold public addresses alone (AZ-TAG-09), and rules for
// ports are doubtful for protocols without ports.
func (g *Graph) bearing(notes []string, set packet.Set) []string {
	public := either(srcIn(g.planner.addr.public), dstIn(g.planner.addr.public)).get(g.compiler)
	var out []string
	for _, n := range notes {
		part := set
		switch {
		case strings.HasPrefix(n, "ASM-TAG("):
			part = g.Space.Intersect(set, public)
		case n == "ASM-PORTLESS":
			part = g.Space.Subtract(set, transport([]model.Protocol{model.TCP, model.UDP, model.SCTP}, nil, nil, false).get(g.compiler))
		}
		if !part.Empty() {
			out = append(out, n)
		}
	}
	return out
}
