package pci

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// ScopeResult is the scope of an assessment, derived from what can be reached. Every format is a function of it.
type ScopeResult struct {
	Schema      string              `json:"schema"` // ringfence/scope/v1
	Project     string              `json:"project"`
	AsOf        string              `json:"asOf"`
	Summary     ScopeSummary        `json:"summary"`
	Zones       []string            `json:"zones"` // whose members are the CDE
	Systems     []solver.System     `json:"systems"`
	Assumptions []solver.Assumption `json:"assumptions"`
	Unsupported []LedgerEntry       `json:"unsupported"` // what was not understood, and may matter
	ServiceTags *solver.TagList     `json:"serviceTags,omitempty"`
	Tool        string              `json:"tool"`
}

// ScopeSummary counts systems by category.
type ScopeSummary struct {
	CDE               int `json:"cde"`
	ConnectedTo       int `json:"connectedTo"`
	SecurityImpacting int `json:"securityImpacting"`
	OutOfScope        int `json:"outOfScope"`
	Unzoned           int `json:"unzoned"` // systems of the estate that no zone claims
}

// Scope derives the scope of a project. changes has it look for the single change that would take each system out.
func Scope(s *solver.Solution, tool string, changes bool) (*ScopeResult, error) {
	scope, err := s.Scope(changes)
	if err != nil {
		return nil, err
	}
	r := &ScopeResult{
		Schema: "ringfence/scope/v1", Project: s.Project.Intent.Name, AsOf: s.Project.Intent.AsOf.String(), Zones: scope.Zones, Systems: scope.Systems,
		Assumptions: scope.Assumptions, ServiceTags: s.ServiceTags(), Tool: tool, Unsupported: unsupported(s.Project.Estate),
	}
	for _, x := range r.Systems {
		switch x.Category {
		case solver.InCDE:
			r.Summary.CDE++
		case solver.ConnectedTo:
			r.Summary.ConnectedTo++
		case solver.SecurityImpacting:
			r.Summary.SecurityImpacting++
		case solver.OutOfScope:
			r.Summary.OutOfScope++
		}
		if x.Zone == "" && !x.Outside {
			r.Summary.Unzoned++
		}
	}
	return r, nil
}

// ScopeJSON writes a scope for programs.
func ScopeJSON(r *ScopeResult) ([]byte, error) {
	out := &ScopeResult{}
	copyValue(out, r, func(s string) string { return s })
	return indented(out)
}

// categoryTitle is a category as a heading.
func categoryTitle(c solver.Category) string {
	switch c {
	case solver.InCDE:
		return "CDE"
	case solver.ConnectedTo:
		return "Connected to the CDE"
	case solver.SecurityImpacting:
		return "Security-impacting"
	default:
		return "Out of scope"
	}
}

// ScopeText writes a scope for people: category by category, with the packet that drags each system in, and what would take it out.
func ScopeText(r *ScopeResult, o TextOptions) []byte {
	shown := &ScopeResult{}
	copyValue(shown, r, model.Visible)
	r = shown
	w := newTextWriter(o)
	head := r.Project + ": scope of " + strings.Join(r.Zones, ", ")
	if r.AsOf != "" {
		head += ", judged as of " + r.AsOf
	}
	w.line(0, head)
	for _, c := range solver.Categories() {
		list := slices.DeleteFunc(slices.Clone(r.Systems), func(x solver.System) bool { return x.Category != c })
		if len(list) == 0 {
			continue
		}
		w.b.WriteString("\n" + w.paint(bold, fmt.Sprintf("%s (%d)", categoryTitle(c), len(list))) + "\n")
		if c == solver.InCDE || c == solver.OutOfScope {
			w.byZone(list)
			continue
		}
		for _, x := range list {
			w.system(x)
		}
	}
	if len(r.Unsupported) > 0 {
		w.unsupported(r.Unsupported)
	}
	if len(r.Assumptions) > 0 {
		ids := make([]string, len(r.Assumptions))
		for i, a := range r.Assumptions {
			ids[i] = a.ID
		}
		w.b.WriteByte('\n')
		w.line(0, "rests on "+strings.Join(ids, ", "))
	}
	w.b.WriteByte('\n')
	n := r.Summary
	total := fmt.Sprintf("%s: %d CDE, %d connected to it, %d security-impacting, %d out of scope", count(len(r.Systems), "system"), n.CDE, n.ConnectedTo, n.SecurityImpacting, n.OutOfScope)
	if n.Unzoned > 0 {
		total += fmt.Sprintf("; %d in no zone", n.Unzoned)
	}
	w.line(0, w.paint(bold, total))
	return w.b.Bytes()
}

// byZone writes systems that need no reason, a line for each zone.
func (w *textWriter) byZone(list []solver.System) {
	var zones []string
	names := map[string][]string{}
	for _, x := range list {
		zone := x.Zone
		if zone == "" {
			zone = "no zone"
		}
		if names[zone] == nil {
			zones = append(zones, zone)
		}
		names[zone] = append(names[zone], x.System)
	}
	for _, z := range zones {
		w.line(2, z+": "+strings.Join(names[z], ", "))
	}
}

func (w *textWriter) system(x solver.System) {
	zone := x.Zone
	switch {
	case zone == "" && x.Outside:
		zone = "outside"
	case zone == "":
		zone = "in no zone"
	}
	w.put("  ", w.paint(bold, x.System)+" "+w.paint(faint, "("+zone+")")+" "+x.Why)
	if len(x.Members) > 0 {
		w.line(6, "stands for "+shortList(x.Members))
	}
	const most = 2
	for _, f := range x.Reasons[:min(most, len(x.Reasons))] {
		w.line(6, flowText(f.Flow))
	}
	if more := max(0, len(x.Reasons)-most) + x.More; more > 0 {
		w.line(6, "and "+count(more, "more flow"))
	}
	if x.Witness != nil {
		w.line(6, "packet "+x.Witness.Packet.String())
		for _, l := range x.Witness.Legs {
			w.line(6, "then "+l.Relay+" opens "+l.Packet.String())
		}
	}
	for _, l := range outLines(x.Remedy) {
		w.line(6, l)
	}
}

// outLines say the single change that takes a system out of scope.
func outLines(r *solver.Remedy) []string {
	if r == nil {
		return nil
	}
	if len(r.Changes) == 0 {
		return []string{"to take it out: " + r.Reason}
	}
	s := "to take it out: " + remedyText(r.Changes[0])
	if len(r.Beside) > 0 {
		s += "; it acts on other packets too, of " + shortList(r.Beside)
	}
	return []string{s}
}

// ScopeCSV writes a scope for spreadsheets, a line for each system.
func ScopeCSV(r *ScopeResult) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{"system", "zone", "category", "outside", "why", "flow", "packet", "change that takes it out", "where"}}
	for _, x := range r.Systems {
		var flow, packet, change, place string
		if len(x.Reasons) > 0 {
			flow = flowText(x.Reasons[0].Flow)
		}
		if x.Witness != nil {
			packet = x.Witness.Packet.String()
			for _, l := range x.Witness.Legs {
				packet += "; then " + l.Relay + " opens " + l.Packet.String()
			}
		}
		switch {
		case x.Remedy == nil:
		case len(x.Remedy.Changes) == 0:
			change = x.Remedy.Reason
		default:
			change, place = remedyText(x.Remedy.Changes[0]), x.Remedy.Changes[0].Source
		}
		line := []string{x.System, x.Zone, string(x.Category), fmt.Sprint(x.Outside), x.Why, flow, packet, change, place}
		for i := range line {
			line[i] = model.Cell(line[i])
		}
		lines = append(lines, line)
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, fmt.Errorf("write the scope: %w", err)
	}
	return b.Bytes(), nil
}
