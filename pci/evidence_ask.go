package pci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// services parses the services that the catalogue writes.
func services(texts ...string) []model.PortService {
	var out []model.PortService
	for _, t := range texts {
		s, err := model.ParsePortService(t)
		if err != nil {
			panic(fmt.Sprintf("service of the catalogue: %v", err)) // a bug of this package
		}
		out = append(out, s)
	}
	return out
}

// anyBut selects everything but some.
func anyBut(lists ...[]model.Selector) []model.Selector {
	out := []model.Selector{{Kind: model.SelAny, Text: string(model.SelAny)}}
	for _, l := range lists {
		for _, s := range l {
			if !s.Not {
				out = append(out, not([]model.Selector{s})...)
			}
		}
	}
	return out
}

// nodeTargets selects the nodes as targets: their subnets without what else stands there, private endpoints and frontends, which other
// items judge.
func (ev *Evidence) nodeTargets() []model.Selector {
	out := ev.nodes()
	found, _ := ev.nodeSubnets()
	in := func(id model.ID) bool {
		return slices.ContainsFunc(found, func(s *model.Subnet) bool { return s.ID.Key() == id.Key() })
	}
	for _, p := range ev.e.Endpoints {
		if in(p.Subnet) {
			out = append(out, not([]model.Selector{ev.sel(model.SelEndpoint, p)})...)
		}
	}
	for _, c := range ev.e.Clusters {
		if in(c.APISubnet) {
			out = append(out, not([]model.Selector{ev.sel(model.SelAPIServer, c)})...)
		}
	}
	return out
}

// said gives a part the words of its item, and counts its subjects.
func (p Part) said(subjects int, format string, args ...any) Part {
	p.Statement, p.Subjects = fmt.Sprintf(format, args...), subjects
	return p
}

// because gives every fault of a part the cause and remedy that its item knows better than the rule that decides.
func (p Part) because(c Cause) Part {
	for i := range p.Faults {
		p.Faults[i].Cause = c
	}
	return p
}

// remedied gives faults without one a remedy.
func (p Part) remedied(text string) Part {
	for i := range p.Faults {
		if p.Faults[i].Remedy == "" {
			p.Faults[i].Remedy = text
		}
	}
	return p
}

// texts joins selectors as people write them.
func texts(list []model.Selector) string {
	var out []string
	for _, s := range list {
		out = append(out, s.Text)
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

// residual names what proofs leave out (decisions.md, section 1.4).
func residual(ids ...string) []string {
	words := map[string]string{
		"R1": "R1: traffic of the platform (168.63.129.16, instance metadata, DHCP, Azure DNS)",
		"R2": "R2: names of Azure Firewall's infrastructure",
		"R3": "R3: a node to its own pods, and with engine azure a pod to its own node",
		"R4": "R4: ICMP between pods under policy where the engine leaves it open",
		"R5": "R5: connections opened before a rule changed",
		"R6": "R6: commands through the management API (command invoke), unless disableRunCommand is true",
		"R7": "R7: DNS to the cluster's own DNS pods",
	}
	var out []string
	for _, id := range ids {
		out = append(out, words[id])
	}
	return out
}

// allowedFlow is what people state to be wanted between two ends.
type allowedFlow struct {
	from, to []model.Selector
	services []model.PortService
	by       string
}

// allowed lists what the intent states to be wanted: `must` and `only` assertions, legs of data flows, monitoring, and what
// justifications allow (decisions.md, 1.1.6-b).
func (ev *Evidence) allowed() []allowedFlow {
	return keep(ev, "allowed", func() []allowedFlow {
		var out []allowedFlow
		for _, a := range ev.in.Assertions {
			switch a.Verb {
			case model.VerbMust, model.VerbOnly:
				out = append(out, allowedFlow{a.From, a.To, a.Services, "assertion " + a.ID})
			default:
			}
			for _, w := range a.Except { // an exception states that a flow is wanted, and who owns it
				if !ev.in.AsOf.IsZero() && w.Expires.Before(ev.in.AsOf) {
					continue
				}
				f := allowedFlow{w.From, w.To, w.Services, "exception of " + a.ID}
				if len(f.from) == 0 {
					f.from = a.From
				}
				if len(f.to) == 0 {
					f.to = a.To
				}
				out = append(out, f)
			}
		}
		for _, f := range ev.in.DataFlows {
			from := f.From
			for _, to := range f.Path {
				out = append(out, allowedFlow{[]model.Selector{from}, []model.Selector{to}, []model.PortService{f.Service}, "data flow " + f.Name})
				from = to
			}
		}
		for _, m := range ev.in.PCI.Monitoring {
			out = append(out, allowedFlow{m.From, m.To, m.Services, "pci.monitoring"})
		}
		for _, j := range ev.in.Justifications {
			if j.Allows != nil && invalid(j, ev.in.AsOf) == "" {
				out = append(out, allowedFlow{j.Allows.From, j.Allows.To, j.Allows.Services, "justification at " + j.Source.String()})
			}
		}
		return out
	})
}

// askBut decides a property less what people state to be wanted; empty ends of an entry are those of the property.
func (ev *Evidence) askBut(a model.Assertion, wanted []allowedFlow) Part {
	for _, w := range wanted {
		a.Except = append(a.Except, model.Waiver{From: w.from, To: w.to, Services: w.services, Expires: ev.in.AsOf})
	}
	stated := len(ev.waivers())
	p := ev.ask(a)
	p.Waived = p.Waived[max(0, len(p.Waived)-stated):]
	return p
}

// verdictOf asks whether one end reaches another at all.
func (ev *Evidence) verdictOf(from, to []model.Selector) (solver.Verdict, error) {
	r, err := ev.s.Reach(from, to, nil, false)
	if err != nil {
		return solver.Unknown, err
	}
	return r.Verdict, nil
}
