package trace

import (
	"go4.org/netipx"
)

// maxPicks is how many kinds of addresses of one translation are told apart; beyond it a rule matches them together, as far as it holds
// all of them.
const maxPicks = 64

// pick puts the addresses that a translation may pick on the packet, one after the other. Nobody chooses between them: a delivery is certain
// only if each of them makes it (AZ-GEN-13). Addresses of a range that no control on the way told apart are walked as one.
func (t *tracer) pick(list []address, why string, walk func(address)) {
	from, ends := t.eachOf(list, walk)
	if len(ends) > 1 {
		t.inAll(from, ends, why)
	}
}

// eachOf walks addresses of which some one will do, one kind after the other. It returns where the paths start, and where those of each
// kind end.
func (t *tracer) eachOf(list []address, walk func(address)) (from int, ends []int) {
	from = len(t.paths)
	before := t.steps
	for len(list) > 0 {
		a := list[0]
		list = list[1:]
		a.asked = nil
		var asked []*netipx.IPSet
		if a.may != nil && a.picked && len(ends)+len(list) < maxPicks {
			a.asked = &asked
		}
		start, steps := len(t.paths), t.steps
		walk(a)
		if in, out, ok := parted(a.may, asked); ok && before+maxSteps/2 > t.steps {
			t.paths, t.steps = t.paths[:start], steps
			x, y := a, a
			x.may, x.at = in, first(in)
			y.may, y.at = out, first(out)
			list = append([]address{x, y}, list...)
			continue
		}
		ends = append(ends, len(t.paths))
	}
	return from, ends
}

// parted cuts a range in two by the first set that holds a part of it.
func parted(may *netipx.IPSet, asked []*netipx.IPSet) (in, out *netipx.IPSet, ok bool) {
	for _, s := range asked {
		var b netipx.IPSetBuilder
		b.AddSet(may)
		b.Intersect(s)
		in, out = built(&b), lessSet(may, s)
		if !emptySet(in) && !emptySet(out) {
			return in, out, true
		}
	}
	return nil, nil, false
}

// pickedOf marks an address as picked by a device from its range, so that rules see one value of it at a time.
func pickedOf(a address) address {
	a.picked = a.may != nil
	return a
}
