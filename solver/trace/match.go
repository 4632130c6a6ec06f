package trace

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// match says whether a rule, route or selector takes the packet (AZ-GEN-01): must is known to be true, may is possible.
type match struct {
	must, may bool
	why       []string // assumptions: open ones behind must ≠ may, assumed ones that were taken as true
}

func yes(why ...string) match   { return match{must: true, may: true, why: why} }
func no() match                 { return match{} }
func maybe(why ...string) match { return match{may: true, why: why} }

func when(b bool) match { return match{must: b, may: b} }

// and is the conjunction of two matches. The unknowns of a side do not matter once the other says no; a no that rests on an
// assumption keeps it.
func (m match) and(n match) match {
	r := match{must: m.must && n.must, may: m.may && n.may}
	switch {
	case r.may || len(m.why) > 0 && len(n.why) > 0 && !m.may && !n.may:
		r.why = union(m.why, n.why)
	case m.may:
		r.why = n.why
	case n.may:
		r.why = m.why
	}
	return r
}

// or is the disjunction. A side that holds for certain makes the unknowns of the other irrelevant.
func (m match) or(n match) match {
	switch {
	case m.must && (!n.must || len(m.why) <= len(n.why)):
		return m
	case n.must:
		return n
	default:
		return match{may: m.may || n.may, why: union(m.why, n.why)}
	}
}

func (m match) not() match { return match{must: !m.may, may: !m.must, why: m.why} }

func (m match) uncertain() bool { return m.may && !m.must }

// union merges two sorted lists of assumptions.
func union(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// closed keeps the assumptions that matter to a settled answer: those that were taken as true, and those that the packet itself settles
// by its Booleans (AZ-TAG-09, AZ-FW-35). Other open ones are without effect where both readings agree (AZ-GEN-10).
func closed(why []string) []string {
	var out []string
	for _, id := range why {
		a, ok := model.AssumptionOf(id)
		if ok && !a.Open || strings.HasPrefix(id, "ASM-TAG(") || id == "ASM-E-WEBCAT" {
			out = append(out, id)
		}
	}
	return out
}

// assume is what a rule that rests on an assumed line of the register does: it holds, or with Strict it is one of two readings
// (AZ-GEN-10).
func (w *world) assume(id string) match {
	if w.strict {
		return maybe(id)
	}
	return yes(id)
}

// blame is the rule that gives one answer.
type blame struct {
	is     bool
	rule   string
	source model.Source
	detail string
}

// verdict is a control's answer. Where both hold, the unknowns in why decide between them.
type verdict struct {
	allow, deny blame
	why         []string
}

func allowed(rule string, src model.Source) verdict {
	return verdict{allow: blame{is: true, rule: rule, source: src}}
}

func denied(rule string, src model.Source) verdict {
	return verdict{deny: blame{is: true, rule: rule, source: src}}
}

func (v verdict) certain() bool { return v.allow.is != v.deny.is }

// settle drops the open assumptions of a verdict that has one answer under all of them.
func (v verdict) settle() verdict {
	if v.certain() {
		v.why = closed(v.why)
	}
	return v
}

// either is the verdict of two readings of which one is true, but nobody knows which.
func (v verdict) either(u verdict, why ...string) verdict {
	r := v
	if !r.allow.is {
		r.allow = u.allow
	}
	if !r.deny.is {
		r.deny = u.deny
	}
	r.why = union(v.why, u.why)
	if !r.certain() {
		r.why = union(r.why, why)
	}
	return r
}

// step is what one rule of a list does to the packet.
type step struct {
	match  match
	access model.Access
	rule   string
	source model.Source
	rank   int // rules of equal rank have no known order (AZ-NSG-02)
}

// firstMatch walks a list in order (AZ-GEN-01): a rule that may match is a candidate, one that matches for certain is the last. The
// truly matching rule is always among the candidates. The end of the list means last.
func firstMatch(rules []step, last verdict) verdict {
	v, ended := walk(rules)
	if ended {
		v = v.either(last)
	}
	return v.settle()
}

// walk gives the answers of a list, and says whether its end may be reached.
func walk(rules []step) (v verdict, ended bool) {
	for i := 0; i < len(rules); {
		j, stop := i, false
		for ; j < len(rules) && rules[j].rank == rules[i].rank; j++ {
			r := rules[j]
			if !r.match.may {
				v.why = union(v.why, closed(r.match.why))
				continue
			}
			v.add(r)
			stop = stop || r.match.must
		}
		if stop {
			return v, false
		}
		i = j
	}
	return v, true
}

// add makes a rule a candidate; the first of each answer is blamed.
func (v *verdict) add(r step) {
	b := blame{is: true, rule: r.rule, source: r.source}
	v.why = union(v.why, r.match.why)
	switch {
	case r.access == model.Deny && !v.deny.is:
		v.deny = b
	case r.access != model.Deny && !v.allow.is:
		v.allow = b
	}
}
