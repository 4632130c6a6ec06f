package pci

import (
	"strings"

	"github.com/ringfence/ringfence/model"
)

// What a part shows of a long list before it counts the rest.
const (
	shownFaults = 5
	shownFacts  = 12
)

// ItemText writes what an item demands, how it is decided, and how it was decided here.
func ItemText(x Item, o TextOptions) []byte {
	var shown Item
	copyValue(&shown, &x, model.Visible)
	w := newTextWriter(o)
	w.item(shown)
	return w.b.Bytes()
}

// CriterionText writes what an item demands and how it is decided, without a project.
func CriterionText(c Criterion, o TextOptions) []byte {
	w := newTextWriter(o)
	w.criterion(Item{
		ID: c.ID, V4: strings.Join(c.V4, ", "), Title: c.Text, Method: methodText(c.Methods), Severity: c.Severity, Says: c.Says, CheckedAs: c.As, Why: c.Why, Also: c.Also, Remedy: c.Remedy,
	})
	return w.b.Bytes()
}

func (w *textWriter) criterion(x Item) {
	w.put(w.paint(bold, x.ID)+"  ", x.Title)
	w.line(2, w.paint(faint, "decided by "+x.Method+"; PCI DSS v4.0.1 "+x.V4))
	if x.CheckedAs != "" {
		w.line(2, "the checklist says: "+x.Says)
		w.line(2, "checked as: "+x.CheckedAs)
		w.line(2, "because: "+x.Why)
	}
}

func (w *textWriter) item(x Item) {
	w.criterion(x)
	w.b.WriteByte('\n')
	w.line(0, w.verdict(x.Verdict))
	for _, f := range x.Follows {
		w.line(2, "follows from "+f.Item+": "+f.Cause)
	}
	for _, p := range x.Evidence {
		w.b.WriteByte('\n')
		w.part(p)
	}
	if x.Remedy != "" && x.Verdict.rank() <= ItemAttestationMissing.rank() {
		w.b.WriteByte('\n')
		w.line(0, w.paint(faint, "remedy:")+" "+x.Remedy)
	}
}

// verdict is a verdict in its colour.
func (w *textWriter) verdict(v ItemVerdict) string {
	switch v {
	case ItemFail:
		return w.paint(red, string(v))
	case ItemUnknown, ItemAttestationMissing:
		return w.paint(yellow, string(v))
	case ItemAttested, ItemPass, ItemNotApplicable:
		return w.paint(bold, string(v))
	}
	return w.paint(yellow, string(ItemUnknown))
}

func (w *textWriter) part(p Part) {
	w.put(w.verdict(p.Verdict)+": ", p.Statement)
	if p.Reason != "" {
		w.line(2, p.Reason)
	}
	for _, f := range p.Faults[:min(shownFaults, len(p.Faults))] {
		w.fault(f)
	}
	if more := len(p.Faults) - shownFaults; more > 0 {
		w.line(2, "and "+count(more, "more fault"))
	}
	facts := p.Facts
	if p.Table != nil {
		for _, row := range p.Table.Rows {
			facts = append(facts, strings.Join(row, " | "))
		}
	}
	for _, f := range facts[:min(shownFacts, len(facts))] {
		w.line(2, f)
	}
	if more := len(facts) - shownFacts; more > 0 {
		w.line(2, "and "+count(more, "more line"))
	}
	for _, l := range p.Waived {
		w.line(2, "exception: "+l)
	}
	for _, n := range p.Notes {
		w.line(2, "note: "+n)
	}
	for _, r := range p.Residual {
		w.line(2, "left out: "+r)
	}
	if len(p.Assumptions) > 0 {
		var ids []string
		for _, a := range p.Assumptions {
			ids = append(ids, a.ID)
		}
		w.line(2, w.paint(faint, "assumed: "+strings.Join(ids, ", ")))
	}
}

func (w *textWriter) fault(f Fault) {
	w.put("  - ", faultText(f)+inBrackets(f.Source))
	if f.Witness != nil {
		for _, l := range witnessText(f.Witness) {
			w.line(6, l)
		}
	}
	for _, flow := range f.Flows[:min(shownFlows, len(f.Flows))] {
		w.line(6, "flow "+flowText(flow))
	}
	if more := len(f.Flows) - shownFlows; more > 0 {
		w.line(6, "and "+count(more, "more flow"))
	}
	if f.Remedy != "" {
		w.line(6, w.paint(faint, "remedy:")+" "+f.Remedy)
	}
}

// quoted is a value that was found.
func quoted(s string) string {
	if s == "" {
		return "not stated"
	}
	return "`" + s + "`"
}

func methodText(list []Method) string {
	words := make([]string, len(list))
	for i, m := range list {
		words[i] = string(m)
	}
	return strings.Join(words, " + ")
}

// ItemJSON writes an item for programs.
func ItemJSON(x Item) ([]byte, error) {
	var out Item
	copyValue(&out, &x, func(s string) string { return s })
	return indented(out)
}
