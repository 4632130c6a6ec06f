package pci

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// reason is one name of one justification (decisions.md, 8.2).
type reason struct {
	model.Justification
	kind    string
	parts   []string
	wild    int // wildcards in it
	literal int // other characters
	invalid string
}

// reasonsOf lists what justifications name, the most specific first: fewest wildcards, then most literal characters, then the order of
// the file.
func reasonsOf(in *model.Intent) []reason {
	if in == nil {
		return nil
	}
	var out []reason
	for _, j := range in.Justifications {
		for _, pattern := range j.Rules {
			kind, rest, ok := strings.Cut(pattern, ":")
			if !ok {
				continue
			}
			wild := strings.Count(rest, "*") + strings.Count(rest, "?")
			out = append(out, reason{
				Justification: j, kind: strings.ToLower(kind), parts: strings.Split(rest, "/"),
				wild: wild, literal: len(rest) - wild, invalid: invalid(j, in.AsOf),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b reason) int {
		return cmp.Or(cmp.Compare(a.wild, b.wild), cmp.Compare(b.literal, a.literal))
	})
	return out
}

// Stub begins a text that somebody has yet to write, as `ringfence init` leaves it. It counts as not written (decisions.md, 8.2).
const Stub = "TODO"

// written reports whether somebody wrote a text: it is there, and no stub.
func written(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && !strings.HasPrefix(text, Stub)
}

// invalid says why a justification does not count; empty: it counts. The day of expiry itself still counts.
func invalid(j model.Justification, asOf model.Date) string {
	var missing []string
	for _, f := range [][2]string{{"reason", j.Reason}, {"owner", j.Owner}, {"approvedBy", j.ApprovedBy}} {
		if !written(f[1]) {
			missing = append(missing, f[0])
		}
	}
	switch {
	case len(missing) > 0:
		return "without " + strings.Join(missing, ", ")
	case !j.Expires.IsZero() && j.Expires.Before(asOf):
		return "expired " + j.Expires.String()
	default:
		return ""
	}
}

// Unjustified lists the rules that need a reason and have none that counts: they carry a flow with an end in scope (8.2). Flows names
// what each carries. The order is that of [Rules].
func Unjustified(s *solver.Solution) []RuleRow {
	var out []RuleRow
	for _, l := range NewEvidence(s, Facts{}).liveRules() {
		if l.inScope && l.Justification == "" {
			l.Flows = []string{flowEnds(l.flows)}
			out = append(out, l.RuleRow)
		}
	}
	return out
}

// justify writes the most specific valid reason into the row, and notes the others.
func (r *rule) justify(reasons []reason) {
	var valid []reason
	var remarks []string
	for _, x := range reasons {
		if !r.named(x) || slices.ContainsFunc(valid, func(v reason) bool { return v.Source == x.Source }) {
			continue // a justification counts once, however many of its names match
		}
		if x.invalid == "" {
			valid = append(valid, x)
			continue
		}
		if remark := fmt.Sprintf("a reason that does not count, %s (%s)", x.invalid, x.Source); !slices.Contains(remarks, remark) {
			remarks = append(remarks, remark)
		}
	}
	if len(valid) > 0 {
		best := valid[0]
		r.row.Justification, r.row.Owner, r.row.Expires = best.Reason, best.Owner, best.Expires.String()
		r.row.ApprovedBy, r.row.Ticket, r.row.SecurityFeatures = best.ApprovedBy, best.Ticket, best.SecurityFeatures
		if more := len(valid) - 1; more > 0 {
			remarks = append([]string{count(more, "more justification")}, remarks...)
		}
	}
	r.row.Note = strings.Join(slices.DeleteFunc(append([]string{r.row.Note}, remarks...), func(s string) bool { return s == "" }), "; ")
}

// named reports whether a reason names the rule. The kind and the number of parts must agree; a resource group may precede.
func (r *rule) named(x reason) bool {
	if kind, _, _ := strings.Cut(r.row.Rule, ":"); kind != x.kind {
		return false
	}
	own := strings.ContainsAny(x.parts[len(x.parts)-1], "*?")
	if own && (r.row.Default || r.row.Action == model.Deny.String()) {
		return false // a glob means what people allowed: it reaches neither default rules nor denials
	}
	names := [][]string{r.id}
	if r.ofWhole > 0 {
		names = append(names, r.id[:r.ofWhole])
	}
	for _, name := range names {
		if r.matches(x.parts, name) || r.group != "" && r.matches(x.parts, append([]string{r.group}, name...)) {
			return true
		}
	}
	return false
}

func (r *rule) matches(pattern, name []string) bool {
	if n := len(name); r.joined && len(pattern) > n {
		pattern = append(slices.Clone(pattern[:n-1]), strings.Join(pattern[n-1:], "/"))
	}
	return slices.EqualFunc(pattern, name, func(p, n string) bool {
		if r.fold { // Azure compares names without case, Kubernetes exactly
			p, n = strings.ToLower(p), strings.ToLower(n)
		}
		return glob([]rune(p), []rune(n))
	})
}

// glob matches one part: `*` is any run of characters, `?` is one. It goes back to the last `*` only, so its time is at most the
// product of the lengths.
func glob(pattern, name []rune) bool {
	p, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
