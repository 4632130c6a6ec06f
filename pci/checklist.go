package pci

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/ringfence/ringfence/model"
)

// open lists the items that do not hold, worst first; those that only follow from others come with their owners.
func (r *Result) open() (owners []Item, followers map[string][]string) {
	followers = map[string][]string{}
	for _, x := range r.Items {
		if x.Verdict.rank() > ItemAttestationMissing.rank() {
			continue
		}
		if x.OnlyFrom {
			for _, f := range x.Follows {
				if !slices.Contains(followers[f.Item], x.ID) {
					followers[f.Item] = append(followers[f.Item], x.ID)
				}
			}
			continue
		}
		owners = append(owners, x)
	}
	slices.SortStableFunc(owners, func(a, b Item) int { return cmp.Compare(a.Verdict.rank(), b.Verdict.rank()) })
	return owners, followers
}

// first is the fault of an item to look at first: one that it owns.
func (x *Item) first() (Part, Fault) {
	follows := func(f Fault) bool {
		return slices.ContainsFunc(x.Follows, func(o Follow) bool { return o.Cause == f.Cause.String() })
	}
	for _, own := range []bool{true, false} {
		for _, p := range x.Evidence {
			if p.Verdict != x.Verdict {
				continue
			}
			for _, f := range p.Faults {
				if !own || !follows(f) {
					return p, f
				}
			}
		}
	}
	for _, p := range x.Evidence {
		if p.Verdict == x.Verdict {
			return p, Fault{}
		}
	}
	return Part{}, Fault{}
}

// says is why an item does not hold, in a sentence.
func (x *Item) says() string {
	p, f := x.first()
	if f.Text == "" {
		return cmp.Or(p.Reason, p.Statement)
	}
	return faultText(f)
}

// faultText is a fault in a sentence.
func faultText(f Fault) string {
	text := f.Text
	if f.Subject != "" && !strings.Contains(text, f.Subject) {
		text = f.Subject + ": " + text
	}
	if f.Field != "" {
		text += fmt.Sprintf("; %s is %s", f.Field, quoted(f.Found))
		if f.Wanted != "" {
			text += ", want " + f.Wanted
		}
	}
	return text
}

// checklist writes the items that do not hold: what is at the bottom of each, and who follows from it.
func (w *textWriter) checklist(r *Result) {
	owners, followers := r.open()
	if len(owners) == 0 {
		return
	}
	w.b.WriteString("\n" + w.paint(bold, "Checklist") + "\n")
	for _, x := range owners {
		sign := w.paint(red, "FAIL")
		switch x.Verdict {
		case ItemUnknown:
			sign = w.paint(yellow, "?")
		case ItemAttestationMissing:
			sign = w.paint(yellow, "word")
		default:
		}
		w.put(pad(sign, 6), w.paint(bold, x.ID)+" "+x.Title+" "+w.paint(faint, "("+x.V4+")"))
		_, f := x.first()
		w.line(6, x.says()+inBrackets(f.Source))
		if f.Remedy != "" {
			w.line(6, w.paint(faint, "remedy:")+" "+f.Remedy)
		}
		var also []string
		n := 0
		for _, p := range x.Evidence {
			if p.Verdict == x.Verdict {
				n += max(1, len(p.Faults))
			}
		}
		if n > 1 {
			also = append(also, fmt.Sprintf("and %d more", n-1))
		}
		if list := followers[x.ID]; len(list) > 0 {
			also = append(also, "follow from it: "+strings.Join(list, ", "))
		}
		if len(also) > 0 {
			w.line(6, strings.Join(also, "; "))
		}
	}
	w.line(0, w.paint(faint, "`ringfence explain ITEM` shows all that decides an item"))
}

// itemCase is an item as a test case: the cause comes first, so that one fault that fails many items is seen as one.
func itemCase(x Item, noTime string) junit.Testcase {
	c := junit.Testcase{Name: x.ID + " " + x.Title, Classname: "checklist " + x.ID, Time: noTime}
	if x.Verdict.rank() > ItemAttestationMissing.rank() {
		return c
	}
	_, f := x.first()
	message := x.says()
	if f.Cause.Class != "" {
		message = f.Cause.String() + ": " + message
	}
	w := newTextWriter(TextOptions{Width: 160})
	w.item(x)
	result := &junit.Result{Message: message, Type: string(x.Verdict), Data: w.b.String()}
	if x.Verdict == ItemFail {
		c.Failure = result
	} else {
		c.Error = result
	}
	return c
}

// ItemsCSV writes the checklist for spreadsheets: a line for each part of an item.
func ItemsCSV(items []Item) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{"item", "v4.0.1", "text", "decided by", "verdict", "part", "part verdict", "reason", "faults", "follows from", "remedy"}}
	for _, x := range items {
		var follows []string
		for _, f := range x.Follows {
			follows = append(follows, f.Item+" ("+f.Cause+")")
		}
		for _, p := range x.Evidence {
			var faults, remedies []string
			for _, f := range p.Faults {
				faults = append(faults, faultText(f)+inBrackets(f.Source))
				if f.Remedy != "" && !slices.Contains(remedies, f.Remedy) {
					remedies = append(remedies, f.Remedy)
				}
			}
			line := []string{x.ID, x.V4, x.Title, x.Method, string(x.Verdict), p.Statement, string(p.Verdict), p.Reason, strings.Join(faults, "; "), strings.Join(follows, "; "), strings.Join(remedies, "; ")}
			for i := range line {
				line[i] = model.Cell(line[i])
			}
			lines = append(lines, line)
		}
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, fmt.Errorf("write the checklist: %w", err)
	}
	return b.Bytes(), nil
}

// sarifCause is what SARIF tells once: a cause, at the item that owns it.
type sarifCause struct {
	item    Item
	part    Part
	fault   Fault
	follows []string
}

// items writes one result for each cause, at the rule of the item that owns it, and one for each item that is not known or lacks a
// person's word (decisions.md, sections 4 and 5).
func (s *sarifWriter) items(o SARIFOptions) {
	for _, x := range s.r.Items {
		level := map[Severity]string{SeverityCritical: "error", SeverityHigh: "error", SeverityWarning: "warning", SeverityNote: "note", SeverityNone: "none"}[x.Severity]
		score := map[Severity]string{SeverityCritical: "9.1", SeverityHigh: "7.5", SeverityWarning: "5.0", SeverityNote: "3.0"}[x.Severity]
		id := "item/" + x.ID
		rule := func() int {
			return s.rule(sarifRule{
				ID: id, Short: sarifMessage(x.Title), Help: sarifMessage(cmp.Or(x.CheckedAs, x.Title) + ". PCI DSS v4.0.1 " + x.V4 + "."), Default: sarifDefault{cmp.Or(level, "none")},
				Properties: sarifRuleProperty{Tags: []string{"pci-dss", "requirement " + x.ID}, Score: score},
			})
		}
		switch x.Verdict {
		case ItemFail:
			for _, c := range s.causesOf(x) {
				at := s.at(c.fault.Source, c.fault.Subject)
				s.results = append(s.results, sarifResult{
					RuleID: id, RuleIndex: rule(), Kind: "fail", Level: level, Message: sarifMessage(joinWords(x.ID, x.Title+":", faultText(c.fault), remedyOf(c.fault))),
					Locations: []sarifLocation{at}, Fingerprints: fingerprint(id, c.fault.Cause.String(), c.fault.Subject), Properties: &sarifResultProperty{Cause: c.fault.Cause.String(), Follows: c.follows},
				})
			}
		case ItemPass, ItemAttested, ItemNotApplicable:
			if o.Passes {
				kind := "pass"
				if x.Verdict == ItemNotApplicable {
					kind = "notApplicable"
				}
				s.results = append(s.results, sarifResult{
					RuleID: id, RuleIndex: rule(), Kind: kind, Level: "none", Message: sarifMessage(joinWords(x.ID, x.Title+":", string(x.Verdict))), Locations: []sarifLocation{s.at("", x.ID)}, Fingerprints: fingerprint(id),
				})
			}
		default:
			kind := "open"
			if x.Verdict == ItemAttestationMissing {
				kind = "review"
			}
			_, f := x.first()
			s.results = append(s.results, sarifResult{
				RuleID: id, RuleIndex: rule(), Kind: kind, Level: "none", Message: sarifMessage(joinWords(x.ID, x.Title+":", x.says())), Locations: []sarifLocation{s.at(f.Source, x.ID)}, Fingerprints: fingerprint(id),
			})
		}
	}
}

func remedyOf(f Fault) string {
	if f.Remedy == "" {
		return ""
	}
	return "Remedy: " + f.Remedy
}

// causesOf are the causes that an item owns, each with the items that follow from it.
func (s *sarifWriter) causesOf(x Item) []sarifCause {
	var out []sarifCause
	for _, p := range x.Evidence {
		if p.Verdict != ItemFail {
			continue
		}
		for _, f := range p.Faults {
			owned := !slices.ContainsFunc(x.Follows, func(o Follow) bool { return o.Cause == f.Cause.String() })
			if !owned || slices.ContainsFunc(out, func(c sarifCause) bool { return c.fault.Cause == f.Cause && c.fault.Subject == f.Subject }) {
				continue
			}
			c := sarifCause{item: x, part: p, fault: f}
			for _, y := range s.r.Items {
				if slices.ContainsFunc(y.Follows, func(o Follow) bool { return o.Item == x.ID && o.Cause == f.Cause.String() }) {
					c.follows = append(c.follows, y.ID)
				}
			}
			out = append(out, c)
		}
		if len(p.Faults) == 0 {
			out = append(out, sarifCause{item: x, part: p, fault: Fault{Text: cmp.Or(p.Reason, p.Statement)}})
		}
	}
	return out
}
