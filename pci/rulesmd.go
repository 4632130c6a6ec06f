package pci

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// protocolPort prints what a rule is about as the checklist writes it: `tcp:443`, `any`.
func (r RuleRow) protocolPort() string {
	if len(r.Ports) == 0 || len(r.Ports) == 1 && r.Ports[0] == "*" {
		return r.Protocol
	}
	return r.Protocol + ":" + strings.Join(r.Ports, ",")
}

// RulesMarkdown writes the rule table for people (1.1.6-a): by control, each rule with what it admits and why. Places are files without
// lines, so that what stands elsewhere in a file does not make a committed copy stale.
func RulesMarkdown(name string, rows []RuleRow) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Services, protocols and ports of %s\n\nEvery rule of every control, with the reason for what it allows. Written by `ringfence documents`.\n\n", markdown(model.Visible(name)))
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(r RuleRow) bool { return r.Control != rows[0].Control })
		if n < 0 {
			n = len(rows)
		}
		var table [][]string
		for _, r := range rows[:n] {
			file, _, _ := strings.Cut(r.At, ":")
			table = append(table, []string{
				r.Rule, r.Action, r.Direction, r.protocolPort(), joinCell(r.Source), joinCell(r.Destination), r.Justification, r.Owner, r.ApprovedBy, r.Ticket, r.Expires,
				joinCell(r.SecurityFeatures), joinCell(r.Flows), r.Note, file,
			})
		}
		fmt.Fprintf(&b, "## %s\n\n", markdown(model.Visible(rows[0].Control)))
		markdownTable(&b, []string{
			"rule", "action", "direction", "protocol:port", "source", "destination", "justification", "owner", "approved by", "ticket", "expires", "security features", "flows", "note", "file",
		}, table)
		rows = rows[n:]
	}
	return b.Bytes()
}

// RulesText writes the rule table for a terminal: by control, what each rule admits, and why.
func RulesText(rows []RuleRow, o TextOptions) []byte {
	w := newTextWriter(o)
	if len(rows) == 0 {
		w.line(0, "no control has a rule")
	}
	unreasoned := 0
	for i, r := range rows {
		copyValue(&r, &rows[i], model.Visible)
		if i == 0 || rows[i-1].Control != rows[i].Control {
			if i > 0 {
				w.b.WriteByte('\n')
			}
			w.line(0, w.paint(bold, r.Control))
		}
		_, short, _ := strings.Cut(r.Rule, ":")
		if r.Priority > 0 {
			short = fmt.Sprintf("%d %s", r.Priority, short)
		}
		w.put("  ", short+"  "+strings.TrimSpace(r.Action+" "+strings.ToLower(r.Direction))+" "+r.protocolPort()+"  "+joinCell(r.Source)+" -> "+joinCell(r.Destination)+inBrackets(r.At))
		if r.Justification != "" {
			w.line(6, "because: "+r.Justification+reasonTail(r))
		} else if r.Action != model.Deny.String() && r.Action != "Log" && !r.Default {
			unreasoned++
			w.line(6, w.paint(yellow, "no justification that counts"))
		}
		if len(r.Flows) > 0 {
			w.line(6, "carries "+joinCell(r.Flows))
		}
		if r.Note != "" {
			w.line(6, w.paint(faint, "note: ")+r.Note)
		}
	}
	w.b.WriteByte('\n')
	w.line(0, w.paint(bold, fmt.Sprintf("%s; %s of people's own that allow something without a justification", count(len(rows), "rule"), count(unreasoned, "rule"))))
	return w.b.Bytes()
}

// reasonTail is who stands behind a reason.
func reasonTail(r RuleRow) string {
	var parts []string
	for _, x := range [][2]string{{"owner ", r.Owner}, {"approved by ", r.ApprovedBy}, {"", r.Ticket}, {"until ", r.Expires}, {"features ", joinCell(r.SecurityFeatures)}} {
		if x[1] != "" {
			parts = append(parts, x[0]+x[1])
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// RulesOf are the rows of some rule sets, named as reviews name them. A pattern that names none is an error.
func RulesOf(p *model.Project, rows []RuleRow, patterns []string) ([]RuleRow, error) {
	sets := RuleSets(p.Estate)
	wanted := map[string]bool{}
	for _, pattern := range patterns {
		found := false
		for _, r := range rows {
			kind, rest, _ := strings.Cut(r.Control, ":")
			x := RuleSet{ID: r.Control, parts: strings.Split(rest, "/"), fold: kind != "policy"}
			if x.Matches(pattern) {
				wanted[r.Control], found = true, true
			}
		}
		for _, s := range sets {
			if s.Matches(pattern) {
				wanted[s.ID], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("`%s` names no control of the input; want KIND:NAME, such as nsg:nsg-pe or waf:*", pattern)
		}
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r RuleRow) bool { return !wanted[r.Control] }), nil
}
