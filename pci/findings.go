package pci

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"sync"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// Findings lists what a reviewer should know beside the verdicts, worst first: what lint.Check finds, and the endpoints that are in no
// zone, which takes the solution.
func Findings(s *solver.Solution) []lint.Finding { return findings(s, lint.Check(s.Project)) }

func findings(s *solver.Solution, checked []lint.Finding) []lint.Finding {
	_, unzoned := s.Zones()
	out := append(checked, unzonedFindings(s.Project, unzoned)...)
	slices.SortStableFunc(out, lint.Finding.Compare)
	return out
}

// checkBeside starts to check a project, which nothing of its solution is needed for; the result waits for the end.
func checkBeside(p *model.Project) (wait func() []lint.Finding) {
	var out []lint.Finding
	var all sync.WaitGroup
	all.Go(func() { out = lint.Check(p) })
	return func() []lint.Finding {
		all.Wait()
		return out
	}
}

// unzonedFindings lists the endpoints of the estate that are in no zone: no assertion about zones speaks of them.
func unzonedFindings(p *model.Project, list []solver.Endpoint) []lint.Finding {
	var out []lint.Finding
	if len(p.Intent.Zones) == 0 {
		return nil
	}
	for _, e := range list {
		switch e.Place.Kind {
		case model.PlaceSubnet, model.PlacePod, model.PlaceService, model.PlaceNIC, model.PlaceNodePool, model.PlaceScaleSet:
		default:
			continue // controls and far sides stand between zones
		}
		r, ok := p.Estate.Lookup(e.Place.ID)
		if !ok {
			continue
		}
		out = append(out, lint.Finding{
			ID: lint.UnzonedEndpoint, Severity: lint.Warning, Subject: e.Ref, Origin: r.Origin(), Source: r.Origin().String(),
			Text:   e.Ref + " belongs to no zone, so no statement about zones covers it.",
			Remedy: "add it to the members of a zone in ringfence.yaml",
		})
	}
	return out
}

// FindingList is what lint prints as JSON.
type FindingList struct {
	Schema   string         `json:"schema"` // ringfence/lint/v1
	Findings []lint.Finding `json:"findings"`
}

// FindingsJSON writes findings for programs.
func FindingsJSON(list []lint.Finding) ([]byte, error) {
	return indented(FindingList{"ringfence/lint/v1", slices.Concat([]lint.Finding{}, list)})
}

// FindingsText writes findings for people: what, where, why and what to do about it, then the counts.
func FindingsText(list []lint.Finding, o TextOptions) []byte {
	w := newTextWriter(o)
	for _, f := range (&Result{Findings: list}).printable().Findings {
		w.put(w.sign(f.Severity)+" ", w.paint(bold, f.ID)+" "+f.Subject+" "+w.paint(faint, "("+f.Source+")"))
		w.line(10, f.Text)
		if f.Remedy != "" {
			w.line(10, w.paint(faint, "remedy:")+" "+f.Remedy)
		}
		w.b.WriteByte('\n')
	}
	w.line(0, w.paint(bold, findingCounts(list)))
	return w.b.Bytes()
}

// findingCounts is the last line.
func findingCounts(list []lint.Finding) string {
	n := map[lint.Severity]int{}
	for _, f := range list {
		n[f.Severity]++
	}
	return fmt.Sprintf("%s: %s, %s, %s", count(len(list), "finding"), count(n[lint.Error], "error"), count(n[lint.Warning], "warning"), count(n[lint.Note], "note"))
}

// FindingsCSV writes findings for spreadsheets.
func FindingsCSV(list []lint.Finding) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{"severity", "finding", "subject", "text", "remedy", "file:line"}}
	for _, f := range list {
		lines = append(lines, []string{model.Cell(string(f.Severity)), model.Cell(f.ID), model.Cell(f.Subject), model.Cell(f.Text), model.Cell(f.Remedy), model.Cell(f.Source)})
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, fmt.Errorf("write the findings: %w", err)
	}
	return b.Bytes(), nil
}
