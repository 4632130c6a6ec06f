package dataplane

import "github.com/ringfence/ringfence/solver/packet"

// ruling is what a list of policies does with packets in some reading of what is not known (AZ-GEN-01): it lets them pass, stops them, or
// leaves them to the next list. Readings differ, so the sets overlap; what one set alone holds is certain.
type ruling struct {
	allow, deny, rest *lazy
	parts             []rulingPart
}

// rulingPart is one rule, with the packets that it may decide about.
type rulingPart struct {
	part Part
	set  *lazy
}

// silent leaves everything to the next list.
func silent() ruling { return ruling{allow: nothing(), deny: nothing(), rest: everything()} }

// mute is a list of which nothing is known: it may let anything pass, or stop it.
func mute() ruling { return ruling{allow: everything(), deny: everything(), rest: nothing()} }

// then is a list and the one behind it.
func (r ruling) then(next ruling) ruling {
	out := ruling{
		allow: either(r.allow, both(r.rest, next.allow)), deny: either(r.deny, both(r.rest, next.deny)), rest: both(r.rest, next.rest),
		parts: r.parts,
	}
	for _, x := range next.parts {
		out.parts = append(out.parts, rulingPart{x.part, both(r.rest, x.set)})
	}
	return out
}

// or is one of two lists, and nobody knows which.
func (r ruling) or(other ruling) ruling {
	return ruling{allow: either(r.allow, other.allow), deny: either(r.deny, other.deny), rest: either(r.rest, other.rest), parts: append(r.parts, other.parts...)}
}

// guard is what passes where the end of the list lets pass.
func (r ruling) guard() guard { return between(either(r.allow, r.rest), outside(r.deny)) }

// list is the parts of a ruling, and the end of the list.
func (r ruling) list(end Part) *partList {
	return partsLater(func(c *compiler) []Part {
		var out []Part
		at := map[string]int{} // the same rule of two readings is one part
		for _, x := range r.parts {
			x.part = x.part.taking(c, x.set.get(c))
			key := x.part.Key + " " + x.part.Rule
			if i, ok := at[key]; ok {
				out[i].Set = c.s.Union(out[i].Set, x.part.Set)
				continue
			}
			at[key] = len(out)
			out = append(out, x.part)
		}
		end.Allow, end.Set = true, r.rest.get(c)
		return append(out, end)
	})
}

func outside(l *lazy) *lazy {
	return later(func(c *compiler) packet.Set { return c.s.Complement(l.get(c)) })
}

// orderedRule is one rule of an ordered list: what it matches for certain and possibly, and what it then does.
type orderedRule struct {
	must, may *lazy
	do        action
	part      Part
}

// action is what a rule of an ordered list does.
type action uint8

const (
	doDeny action = iota
	doAllow
	doPass // the rest of the tier is skipped
)

// ordered is a list of rules of which the first that matches decides. fall is what none of them is certain to match.
func ordered(rules []orderedRule) (r ruling, fall *lazy) {
	r, fall = silent(), everything()
	r.rest = nothing()
	var allow, deny, pass []*lazy
	for _, x := range rules {
		hit := both(fall, x.may)
		switch x.do {
		case doAllow:
			allow = append(allow, hit)
		case doPass:
			pass = append(pass, hit)
		default:
			deny = append(deny, hit)
		}
		if x.do != doPass {
			r.parts = append(r.parts, rulingPart{x.part, hit})
		}
		fall = minus(fall, x.must)
	}
	r.allow, r.deny, r.rest = either(allow...), either(deny...), either(pass...)
	return r, fall
}

// tied is several lists whose order among each other is not known: whichever matches may be first (K8S-CNP-05). fall is what none of them
// is certain to match.
func tied(lists [][]orderedRule) (r ruling, fall *lazy) {
	r, fall = ordered(nil)
	for i, list := range lists {
		x, f := ordered(list)
		if i == 0 {
			r, fall = x, f
			continue
		}
		r, fall = r.or(x), both(fall, f)
	}
	return r, fall
}
