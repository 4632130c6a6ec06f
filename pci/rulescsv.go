package pci

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// RulesCSV writes the rule table for spreadsheets.
func RulesCSV(rows []RuleRow) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{
		"control", "rule", "action", "protocol", "ports", "source", "destination", "justification", "owner", "expires", "securityFeatures", "flows",
		"file:line", "direction", "priority", "default", "approvedBy", "ticket", "note",
	}}
	for _, r := range rows {
		priority, platform := "", ""
		if r.Priority > 0 {
			priority = strconv.Itoa(r.Priority)
		}
		if r.Default {
			platform = "default"
		}
		lines = append(lines, []string{
			r.Control, r.Rule, r.Action, r.Protocol, joinCell(r.Ports), joinCell(r.Source), joinCell(r.Destination), r.Justification, r.Owner, r.Expires,
			joinCell(r.SecurityFeatures), joinCell(r.Flows), r.At, r.Direction, priority, platform, r.ApprovedBy, r.Ticket, r.Note,
		})
	}
	for _, l := range lines {
		for i := range l {
			l[i] = model.Cell(l[i])
		}
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, fmt.Errorf("write the rule table: %w", err)
	}
	return b.Bytes(), nil
}

func joinCell(list []string) string { return strings.Join(list, ", ") }

// RulesJSON writes the rule table for programs.
func RulesJSON(rows []RuleRow) ([]byte, error) {
	out := struct {
		Schema string    `json:"schema"`
		Rows   []RuleRow `json:"rows"`
	}{"ringfence/rules/v1", make([]RuleRow, 0, len(rows))}
	for _, r := range rows {
		out.Rows = append(out.Rows, r.complete())
	}
	return indented(out)
}
