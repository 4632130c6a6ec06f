package dataplane

import (
	"slices"

	"github.com/ringfence/ringfence/solver/packet"
)

// verdicts is a first-match list that is asked what it allows, denies and touches, and never by which rule: for a policy of ten thousand
// rules that answer is far smaller than one that names the rule of every packet.
type verdicts struct {
	list    []ruleMatch
	certain int8 // 1: every rule's match is certain, -1: some is not, 0: not known yet
	allowed [readings]*packet.Set
}

// ruleReading says which bound of each rule's match a list takes (AZ-GEN-01).
type ruleReading uint8

const (
	mostAllowed  ruleReading = iota // Over: may of an Allow, must of a Deny
	leastAllowed                    // OneWay: the reverse
	surely                          // must of all
	perhaps                         // may of all
	readings
)

func newVerdicts(list []ruleMatch) *verdicts { return &verdicts{list: list} }

// ordered is the list in the order that a reading takes: of rules of one rank, those that allow stand first where most is allowed, last
// where least is (AZ-FW-16).
func (v *verdicts) ordered(as ruleReading) []ruleMatch {
	if as != mostAllowed && as != leastAllowed || !v.ties() {
		return v.list
	}
	out := slices.Clone(v.list)
	slices.SortStableFunc(out, func(a, b ruleMatch) int {
		switch {
		case a.rank != b.rank:
			return a.rank - b.rank
		case a.allow == b.allow:
			return 0
		case a.allow == (as == mostAllowed):
			return -1
		default:
			return 1
		}
	})
	return out
}

// ties reports whether an Allow and a Deny share a rank.
func (v *verdicts) ties() bool {
	for i := 1; i < len(v.list); i++ {
		if v.list[i-1].rank == v.list[i].rank && v.list[i-1].allow != v.list[i].allow {
			return true
		}
	}
	return false
}

func (r ruleMatch) read(c *compiler, as ruleReading) packet.Set {
	if as == perhaps || as == mostAllowed && r.allow || as == leastAllowed && !r.allow {
		return r.may.get(c)
	}
	return r.must.get(c)
}

// same is the reading to take in place of another: where every match is certain, all are one.
func (v *verdicts) same(c *compiler, as ruleReading) ruleReading {
	if v.certain == 0 {
		v.certain = 1
		if v.ties() {
			v.certain = -1
		}
		for _, r := range v.list {
			if r.must.get(c) != r.may.get(c) {
				v.certain = -1
				break
			}
		}
	}
	if v.certain == 1 {
		return surely
	}
	return as
}

// run is the rules of one action that stand together from start, as one set; end is where the next run starts.
func (c *compiler) run(list []ruleMatch, start int, as ruleReading, within *packet.Set) (set packet.Set, end int) {
	var sets []packet.Set
	for end = start; end < len(list) && list[end].allow == list[start].allow; end++ {
		x := list[end].read(c, as)
		if within != nil {
			x = c.s.Intersect(x, *within)
		}
		if !x.Empty() {
			sets = append(sets, x)
		}
	}
	return c.s.Union(sets...), end
}

// allows is what the list lets pass in a bound; what no rule matches is not among it. A run of Allows loses what the Denies before it
// match: whether an Allow before those took it already does not matter.
func (v *verdicts) allows(b Bound) *lazy {
	return later(func(c *compiler) packet.Set {
		as := leastAllowed
		if b == Over {
			as = mostAllowed
		}
		as = v.same(c, as)
		if v.allowed[as] == nil {
			var parts []packet.Set
			denied := packet.Set{}
			list := v.ordered(as)
			for start := 0; start < len(list); {
				set, end := c.run(list, start, as, nil)
				if list[start].allow {
					parts = append(parts, c.s.Subtract(set, denied))
				} else {
					denied = c.s.Union(denied, set)
				}
				start = end
			}
			out := c.s.Union(parts...)
			v.allowed[as] = &out
		}
		return *v.allowed[as]
	})
}

// denied is what of some packets the list may deny.
func (v *verdicts) denied(c *compiler, within packet.Set) packet.Set {
	as := v.same(c, leastAllowed)
	allowed, denied := packet.Set{}, packet.Set{}
	list := v.ordered(as)
	for start := 0; start < len(list); {
		set, end := c.run(list, start, as, &within)
		if list[start].allow {
			allowed = c.s.Union(allowed, set)
		} else {
			denied = c.s.Union(denied, c.s.Subtract(set, allowed))
		}
		start = end
	}
	return denied
}

// touched is the packets, of some, that a rule matches, whatever its action.
func (v *verdicts) touched(within *lazy) (must, may *lazy) {
	some := func(r ruleReading) *lazy {
		return later(func(c *compiler) packet.Set {
			as, of := v.same(c, r), within.get(c)
			var sets []packet.Set
			for start := 0; start < len(v.list); {
				set, end := c.run(v.list, start, as, &of)
				sets = append(sets, set)
				start = end
			}
			return c.s.Union(sets...)
		})
	}
	return some(surely), some(perhaps)
}
