package pci

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// Verify decides everything that one run decides: assertions, zone matrix, data flows and findings. tool names the program and its
// version. A project without assertions is an error: a run that checks nothing proves nothing.
func Verify(s *solver.Solution, tool string, f Facts) (*Result, error) {
	p := s.Project
	if len(p.Intent.Assertions) == 0 {
		return nil, &model.InputError{Source: p.Intent.Source, Field: "assertions", Found: "none", Accepted: "at least one: a run that checks nothing proves nothing"}
	}
	r := &Result{
		Schema: "ringfence/verify/v1", Project: p.Intent.Name, AsOf: p.Intent.AsOf.String(), Standard: cmp.Or(p.Intent.Standard, "pci-dss-4.0.1"),
		Items: []Item{}, Tool: tool, ServiceTags: s.ServiceTags(),
	}
	for _, in := range p.Inputs {
		r.Inputs = append(r.Inputs, Input{Path: in.Path, SHA256: in.SHA256, Kind: in.Kind, Side: in.Side})
	}
	checked := checkBeside(p)
	defer checked()
	var err error
	if r.Assertions, err = s.CheckAll(); err != nil {
		return nil, err
	}
	for _, a := range r.Assertions {
		switch a.Verdict {
		case solver.Pass:
			r.Summary.Pass++
		case solver.Fail:
			r.Summary.Fail++
		case solver.Undecided:
			r.Summary.Unknown++
		}
	}
	ev := NewEvidence(s, f)
	ev.know(r.Assertions)
	if len(p.Intent.Zones) > 0 {
		if r.Matrix, err = ev.zoneRows(); err != nil {
			return nil, err
		}
	}
	zones, _ := s.Zones()
	for _, z := range zones {
		r.Zones = append(r.Zones, zoneOf(z))
	}
	beside := checked()
	r.Findings = findings(s, beside)
	r.Summary.Checklist = "not checked: ringfence.yaml states no standard"
	if p.Intent.Standard != "" {
		ev.kept["findings"] = beside
		if r.Items, err = Check(ev); err != nil {
			return nil, err
		}
		r.Summary.count(r.Items)
	}
	if r.DataFlows, err = DataFlows(s); err != nil {
		return nil, err
	}
	for _, l := range p.Estate.Ledger {
		switch l.Disposition {
		case model.Modelled:
			if l.Field == "" {
				r.Ledger.Modelled++
			}
		case model.Irrelevant:
			if l.Field == "" {
				r.Ledger.Irrelevant++
			}
		case model.Unsupported:
		}
	}
	r.Ledger.Unsupported = unsupported(p.Estate)
	seen := map[string]bool{}
	for _, a := range r.Assertions {
		for _, x := range a.Assumptions {
			if !seen[x.ID] {
				seen[x.ID] = true
				r.Assumptions = append(r.Assumptions, x)
			}
		}
	}
	slices.SortFunc(r.Assumptions, func(a, b solver.Assumption) int { return cmp.Compare(a.ID, b.ID) })
	return r, nil
}

// count counts the items of the checklist.
func (s *Summary) count(items []Item) {
	c := &s.Items
	causes := map[Cause]bool{}
	for _, x := range items {
		switch x.Verdict {
		case ItemPass:
			c.Pass++
		case ItemFail:
			c.Fail++
			for _, k := range x.causes() {
				causes[k] = true
			}
		case ItemAttested:
			c.Attested++
		case ItemAttestationMissing:
			c.AttestationMissing++
		case ItemNotApplicable:
			c.NotApplicable++
		default:
			c.Unknown++
		}
	}
	c.Causes = len(causes)
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(c.Pass, "pass")
	if c.Fail > 0 {
		parts = append(parts, fmt.Sprintf("%d fail (%s)", c.Fail, count(c.Causes, "cause")))
	}
	add(c.Unknown, "unknown")
	add(c.AttestationMissing, "attestation missing")
	add(c.Attested, "attested")
	add(c.NotApplicable, "not applicable")
	if s.Checklist = strings.Join(parts, ", "); len(parts) == 0 {
		s.Checklist = "not checked"
	}
	if all := len(Catalogue()); len(items) < all {
		s.Checklist += fmt.Sprintf("; %d of %d items decided", len(items), all)
	}
}

// unsupported lists what was not understood, and may matter.
func unsupported(e *model.Estate) []LedgerEntry {
	var out []LedgerEntry
	for _, l := range e.Ledger {
		if l.Disposition != model.Unsupported {
			continue
		}
		name := string(l.Resource)
		if l.Field != "" {
			name += " " + l.Field
		}
		out = append(out, LedgerEntry{Resource: name, Type: l.Type, Source: l.Source.String(), Effect: l.Effect})
	}
	return out
}

// zoneOf prints a zone with what belongs to it.
func zoneOf(z solver.ZoneMembers) Zone {
	out := Zone{Name: z.Zone.Name, Kind: z.Zone.Kind, Owner: z.Zone.Owner, Members: []string{}, Prefixes: []string{}}
	if !z.Zone.Source.IsZero() {
		out.Source = z.Zone.Source.String()
	}
	for _, m := range z.Members {
		out.Members = append(out.Members, m.Ref)
	}
	if z.Zone.Kind.External() {
		for _, sel := range z.Zone.Members {
			if sel.Prefix.IsValid() {
				out.Prefixes = append(out.Prefixes, sel.Prefix.String())
			}
		}
	}
	return out
}

// straighter puts the way first that a leg is declared for: a certain one before a possible one, packets before chains of relays, and
// few controls before many.
func straighter(a, b solver.Flow) int {
	return cmp.Or(cmp.Compare(b.Verdict, a.Verdict), cmp.Compare(a.Kind, b.Kind), cmp.Compare(len(a.Via), len(b.Via)), slices.Compare(a.Via, b.Via))
}

// DataFlows decides whether each leg of the declared data flows is possible.
func DataFlows(s *solver.Solution) ([]DataFlow, error) {
	out := []DataFlow{}
	for _, f := range s.Project.Intent.DataFlows {
		d := DataFlow{Name: f.Name, Data: f.Data, InTransit: f.InTransit, AtRest: f.AtRest, Source: f.Source.String(), Legs: []Leg{}}
		from := f.From
		for _, to := range f.Path {
			r, err := s.Reach([]model.Selector{from}, []model.Selector{to}, []model.PortService{f.Service}, false)
			if err != nil {
				return nil, err
			}
			leg := Leg{From: from.Text, To: to.Text, Service: f.Service.String(), Verdict: r.Verdict, Via: []string{}}
			if len(r.Flows) > 0 {
				leg.Via = slices.MinFunc(r.Flows, straighter).Via
			}
			switch r.Verdict {
			case solver.Unreachable:
				leg.Reason = "no packet can be delivered"
				if len(r.BlockedBy) > 0 {
					b := r.BlockedBy[0]
					leg.Reason = "stopped at " + b.At + " by " + cmp.Or(b.Rule, b.Detail, b.Stage)
				}
			case solver.Unknown:
				leg.Reason = "not certain"
				if facts := missing(r.Assumptions); len(facts) > 0 {
					leg.Reason = facts[0].ID + ": " + facts[0].Text
				}
			case solver.Reachable:
			}
			d.Legs = append(d.Legs, leg)
			from = to
		}
		out = append(out, d)
	}
	return out, nil
}
