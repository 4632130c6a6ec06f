package pci

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// place is a line of an input file, parsed from `file:line`.
type place struct {
	file string
	line int // 0: the file as a whole
}

// placeText is `file:line`.
var placeText = regexp.MustCompile(`^([^\s/][^\n]*?):([1-9][0-9]*)$`)

// placeOf reads a source as results print it. What the platform adds, and what a live import read, has no place in a file.
func (r *Result) placeOf(source string) (place, bool) {
	if m := placeText.FindStringSubmatch(source); m != nil {
		line, err := strconv.Atoi(m[2])
		return place{m[1], line}, err == nil
	}
	if slices.ContainsFunc(r.Inputs, func(in Input) bool { return in.Path == source }) {
		return place{file: source}, true
	}
	return place{}, false
}

// hops lists the stages of a witness, of every connection of a relayed one.
func hops(w *solver.Witness) []solver.Hop {
	if w == nil {
		return nil
	}
	all := slices.Clone(w.Hops)
	for _, l := range w.Legs {
		all = append(all, l.Hops...)
	}
	return all
}

// decidedBy is the rule to look at first: for a flow that must not be, the last rule of the user that let the packet pass; for one
// that must be, the first that stops it. The last result is false where no such rule is known.
func decidedBy(a solver.AssertionResult) (rule, at, source string, ok bool) {
	if len(a.BlockedBy) > 0 {
		b := a.BlockedBy[0]
		return b.Rule, b.At, b.Source, true
	}
	return passedBy(a.Witness)
}

// passedBy is the last rule of the user that let a packet pass, else the last of all.
func passedBy(w *solver.Witness) (rule, at, source string, ok bool) {
	path := hops(w)
	for _, own := range []bool{true, false} { // default rules only where nobody wrote one
		for _, h := range slices.Backward(path) {
			isDefault := strings.Contains(h.Rule, "defaultSecurityRules")
			if h.Action == "allow" && h.Rule != "" && isDefault != own {
				return h.Rule, h.At, h.Source, true
			}
		}
	}
	return "", "", "", false
}

// missing lists what an unknown verdict hinges on: its open assumptions, or all of them where none is marked open.
func missing(list []solver.Assumption) []solver.Assumption {
	open := slices.DeleteFunc(slices.Clone(list), func(a solver.Assumption) bool { return !a.Open })
	if len(open) > 0 {
		return open
	}
	return list
}

// witnessText says a witness on lines: packet, then each stage that decided something.
func witnessText(w *solver.Witness) []string {
	if w == nil {
		return nil
	}
	lines := append([]string{"packet " + w.Packet.String()}, hopLines(w.Hops)...)
	for _, l := range w.Legs {
		lines = append(lines, "then "+l.Relay+" opens "+l.Packet.String())
		lines = append(lines, hopLines(l.Hops)...)
	}
	return lines
}

func hopLines(list []solver.Hop) []string {
	var out []string
	for _, h := range list {
		line := h.At + " " + h.Stage + ": " + h.Action
		for _, more := range []string{h.Rule, nextHop(h)} {
			if more != "" {
				line += " " + more
			}
		}
		line += inBrackets(h.Source)
		if h.Detail != "" {
			line += "; " + h.Detail
		}
		out = append(out, line)
	}
	return out
}

// nextHop says where a route leads.
func nextHop(h solver.Hop) string {
	switch {
	case h.NextHopType == "":
		return ""
	case h.NextHopIP != "":
		return "to " + h.NextHopType + " " + h.NextHopIP
	default:
		return "to " + h.NextHopType
	}
}

// where is a source as people read it: an Azure resource by its short name in place of its ID.
func where(source string) string {
	before, id, found := strings.Cut(source, "/subscriptions/")
	if !found {
		return source
	}
	return before + model.ID("/subscriptions/"+id).ShortName()
}

// inBrackets is a source behind what it is the source of.
func inBrackets(source string) string {
	if source == "" || source == "-" {
		return ""
	}
	return " (" + where(source) + ")"
}

// blockerText says what stops a flow.
func blockerText(b solver.Blocker) string {
	s := b.At + " " + b.Stage
	if b.Rule != "" {
		s += ": " + b.Rule
	}
	s += inBrackets(b.Source)
	if b.Detail != "" {
		s += "; " + b.Detail
	}
	return s
}

// message is an assertion and its verdict in a sentence.
func message(a solver.AssertionResult) string {
	s := a.Statement
	if s == "" {
		s = a.ID
	}
	switch a.Verdict {
	case solver.Pass:
		s = "holds: " + s
	case solver.Fail:
		s = "does not hold: " + s
	default:
		s = "not known: " + s
	}
	if a.Reason != "" {
		s += "; " + a.Reason
	}
	return s
}

// evidence is what backs a verdict, on lines.
func evidence(a solver.AssertionResult) []string {
	lines := witnessText(a.Witness)
	for _, b := range a.BlockedBy {
		lines = append(lines, "blocked by "+blockerText(b))
	}
	const shown = 20
	for _, f := range a.Violations[:min(shown, len(a.Violations))] {
		lines = append(lines, "flow "+flowText(f))
		if f.Witness != nil {
			lines = append(lines, "  as "+proofText(f.Witness))
		}
	}
	if more := len(a.Violations) - shown; more > 0 {
		lines = append(lines, "and "+count(more, "more flow"))
	}
	for _, w := range a.Expired {
		lines = append(lines, "expired exception: "+w)
	}
	if a.Verdict == solver.Undecided {
		for _, m := range missing(a.Assumptions) {
			lines = append(lines, "missing: "+assumptionText(m))
		}
		lines = append(lines, hingeLines(a.Hinges)...)
	}
	lines = append(lines, remedyLines(a.Remedy)...)
	return append(lines, "stated at "+a.Source)
}

// hingeLines say what the answer would be under each value of what is missing.
func hingeLines(list []solver.Hinge) []string {
	says := func(v solver.Verdict, outcome string) string {
		text := v.String()
		if v == solver.Unknown {
			text = "still not known"
		}
		switch outcome {
		case solver.Pass.String():
			text += ", it holds"
		case solver.Fail.String():
			text += ", it does not hold"
		}
		return text
	}
	var out []string
	for i, h := range list {
		head, verb := "if ", " lets"
		if i > 0 {
			head = "else if "
		}
		if len(h.Facts) > 1 {
			verb = " let"
		}
		out = append(out, head+strings.Join(h.Facts, " and ")+verb+" the packets pass: "+says(h.Open, h.IfOpen)+"; if not: "+says(h.Shut, h.IfShut))
	}
	return out
}

// remedyLines say the change that would make an assertion hold, or why none is shown.
func remedyLines(r *solver.Remedy) []string {
	if r == nil {
		return nil
	}
	if len(r.Changes) == 0 {
		return []string{"change that would make it hold: " + r.Reason}
	}
	var lines []string
	for i, c := range r.Changes {
		head := "to make it hold: "
		if i > 0 {
			head = "and: "
		}
		lines = append(lines, head+remedyText(c))
	}
	said := "tried, not applied: it holds then"
	if r.Kept > 0 {
		said += ", and " + count(r.Kept, "assertion") + " that must not break still " + map[bool]string{true: "holds", false: "hold"}[r.Kept == 1]
	}
	if len(r.Beside) > 0 {
		said += "; it acts on other packets too, of " + shortList(r.Beside)
	}
	lines = append(lines, said)
	if r.Reason != "" {
		lines = append(lines, r.Reason)
	}
	return lines
}

func remedyText(c solver.Change) string {
	s := c.Rule + inBrackets(c.Source) + ": " + c.Change
	if c.Detail != "" {
		s += "; " + c.Detail
	}
	return s
}

func flowText(f solver.Flow) string {
	s := f.From + " to " + f.To
	for _, a := range label.Ask(f.Packets) {
		s += ", " + strings.Join(a.Services, ", ")
		if len(a.Targets) > 0 {
			s += " only to " + label.Short(a.Targets, 4)
		}
	}
	s += ", " + string(f.Kind)
	if len(f.Via) > 0 {
		s += " via " + strings.Join(f.Via, " > ")
	}
	if f.Verdict == solver.Unknown {
		s += ", possible"
	}
	if f.Label != "" {
		s += ", " + f.Label
	}
	return s
}

// proofText is a packet that a flow lets through, and the rule to look at.
func proofText(w *solver.Witness) string {
	s := w.Packet.String()
	for _, l := range w.Legs {
		s += ", then " + l.Relay + " opens " + l.Packet.String()
	}
	if rule, at, source, ok := passedBy(w); ok {
		s += ", let pass by " + rule + " at " + at + inBrackets(source)
	}
	return s
}

func assumptionText(a solver.Assumption) string {
	s := a.ID + ": " + a.Text
	if a.Settle != "" {
		s += "; settled by: " + a.Settle
	}
	return s
}
