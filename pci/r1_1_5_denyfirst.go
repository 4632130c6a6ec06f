package pci

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// denyFirst is 1.1.5-e: without the rules that people wrote to allow something, nothing enters or leaves a zone; and each rule lets pass no
// more than its justification says.
func denyFirst(ev *Evidence) []Part {
	kinds := []model.ZoneKind{model.ZoneCDE, model.ZoneData, model.ZoneManagement, model.ZoneTrusted, model.ZoneDMZ}
	p := Part{Statement: "without custom rules that allow, nothing outside a zone reaches it, and it reaches nothing outside", Table: &Table{Header: []string{"zone", "inbound", "outbound"}}}
	p = p.leaving("R1", "R3")
	zones := ev.declared(kinds...)
	if len(zones) == 0 {
		return []Part{unknownPart(p.Statement, "ringfence.yaml declares no zone of the kinds "+kindsText(kinds))}
	}
	v, err := ev.variant("deny first", withoutAllows)
	if err != nil {
		return []Part{unknownPart(p.Statement, err.Error())}
	}
	own := v.ownNodes()
	var open []Fault
	for _, z := range zones {
		inside, left := v.holding(z, v.unfiltered)
		if left == 0 {
			p.Notes = append(p.Notes, "zone:"+z.Name+" holds nothing that a filter of the customer guards")
			continue
		}
		p.Subjects++
		row := []string{"zone:" + z.Name}
		for _, d := range []model.Direction{model.Inbound, model.Outbound} {
			if d == model.Outbound && z.Kind == model.ZoneDMZ {
				row = append(row, "not asked of a DMZ")
				continue
			}
			outside := anyBut([]model.Selector{v.zone(z)})
			a := model.Assertion{Verb: model.VerbDeny, From: outside, To: inside, DirectOnly: true}
			if d == model.Outbound {
				a.From, a.To = inside, outside
			}
			q := v.askBut(a, own)
			row = append(row, map[ItemVerdict]string{ItemPass: "nothing", ItemFail: "open"}[q.Verdict])
			for _, f := range q.Faults {
				f.Remedy = "add a Deny of everything in this direction behind the rules that are needed, so that the default rules decide nothing"
				if f.Cause.Class == CauseAllow {
					f.Cause = Cause{Class: CauseNodeNSG, Of: "zone:" + z.Name, Field: strings.ToLower(d.String())}
				}
				f.Text = "zone:" + z.Name + " " + strings.ToLower(d.String()) + " is open without any custom rule: " + f.Text
				if q.Verdict == ItemFail {
					p.Faults = append(p.Faults, f)
				} else {
					open = append(open, f)
				}
			}
			if q.Verdict == ItemUnknown {
				row[len(row)-1] = "not known"
				p.Reason = cmp.Or(p.Reason, "zone:"+z.Name+": "+q.Reason)
			}
		}
		p.Table.Rows = append(p.Table.Rows, row)
	}
	switch {
	case len(p.Faults) > 0:
		p.Reason = ""
	case len(open) > 0:
		p.Verdict, p.Faults = ItemUnknown, open
	}
	return append([]Part{p.judged()}, ev.withinAllowed()...)
}

// unfiltered is what no filter of the customer guards: subnets that take no NSG (AZ-NSG-20), the listeners of gateways, and Front Door, which
// stands outside every network.
func (ev *Evidence) unfiltered(m member) (model.Selector, bool) {
	id := m.Subnet
	if m.Place.Kind == model.PlaceSubnet {
		id = m.Place.ID
	}
	if s, ok := model.Get[*model.Subnet](ev.e, id); ok && takesNoNSG(s) {
		return ev.sel(model.SelSubnet, s), true
	}
	if r, ok := ev.e.Lookup(m.Place.ID); ok && m.Place.Kind == model.PlaceGateway {
		return ev.sel(model.SelGateway, r), true
	}
	if r, ok := ev.e.Lookup(m.Place.ID); ok && m.Place.Kind == model.PlaceFrontDoor {
		return ev.sel(model.SelFrontDoor, r), true
	}
	return model.Selector{}, false
}

// ownNodes are the flows between nodes and the pods that may run on them, which no policy stops (R3).
func (ev *Evidence) ownNodes() []allowedFlow {
	nodes := ev.nodeEnds()
	var pods []model.Selector
	for _, w := range ev.e.Workloads {
		if _, ok := ev.judgedCluster(w.Cluster); ok {
			pods = append(pods, ev.sel(model.SelPod, w))
		}
	}
	if len(nodes) == 0 || len(pods) == 0 {
		return nil
	}
	return []allowedFlow{{from: nodes, to: pods}, {from: pods, to: nodes}}
}

// withoutAllows takes every custom rule out that allows: of NSGs, firewalls, policies and services.
func withoutAllows(list []model.Resource) []model.Resource {
	out := make([]model.Resource, len(list))
	for i, r := range list {
		switch r := r.(type) {
		case *model.NSG:
			x := *r
			x.Rules = slices.DeleteFunc(slices.Clone(r.Rules), func(u model.SecurityRule) bool { return !u.Default && u.Access != model.Deny })
			out[i] = &x
		case *model.Firewall:
			x := *r
			x.Collections = denials(r.Collections)
			out[i] = &x
		case *model.RuleCollectionGroup:
			x := *r
			x.Collections = denials(r.Collections)
			out[i] = &x
		case *model.NetworkPolicy:
			x := *r
			x.Ingress, x.Egress = nil, nil
			out[i] = &x
		case *model.ClusterPolicy:
			x := *r
			deny := func(list []model.ClusterPolicyRule) []model.ClusterPolicyRule {
				return slices.DeleteFunc(slices.Clone(list), func(u model.ClusterPolicyRule) bool { return u.Action == model.PolicyAllow })
			}
			x.Ingress, x.Egress = deny(r.Ingress), deny(r.Egress)
			out[i] = &x
		case *model.CiliumPolicy:
			x := *r
			x.Rules = slices.Clone(r.Rules)
			for j := range x.Rules {
				for d := range x.Rules[j].Allow {
					if x.Rules[j].Allow[d] != nil {
						x.Rules[j].Allow[d] = []model.CiliumTraffic{} // the direction stays isolated
					}
				}
			}
			out[i] = &x
		case *model.CalicoPolicy:
			x := *r
			for d := range x.Rules {
				x.Rules[d] = slices.DeleteFunc(slices.Clone(r.Rules[d]), func(u model.CalicoRule) bool { return u.Action == model.PolicyAllow })
			}
			out[i] = &x
		case *model.Service:
			x := *r
			x.IPRules, x.VNetRules, x.InstanceRules = nil, nil, nil
			out[i] = &x
		default:
			out[i] = r
		}
	}
	return out
}

// denials keeps the collections of a firewall that deny.
func denials(list []model.RuleCollection) []model.RuleCollection {
	return slices.DeleteFunc(slices.Clone(list), func(c model.RuleCollection) bool { return c.Access != model.Deny && c.Unknown == "" })
}

// withinAllowed asks that rules let pass no more than the `allows` of their justification.
func (ev *Evidence) withinAllowed() []Part {
	p := Part{Statement: "rules with a justification that bounds them let nothing else pass"}
	bound := 0
	for _, j := range ev.in.Justifications {
		if j.Allows == nil || invalid(j, ev.in.AsOf) != "" {
			continue
		}
		bound++
		allows := *j.Allows
		if len(allows.From) > 0 { // pods that AKS provides count as the node that they run on (1.2.1-s)
			allows.From = slices.Concat(allows.From, ev.nodeSoftware())
		}
		beyond, err := ev.s.CarriedBeyond(allows)
		if err != nil {
			return []Part{unknownPart(p.Statement, err.Error())}
		}
		index := newRuleIndex(beyond)
		for _, r := range ev.table() {
			if !r.row.allows() || !slices.ContainsFunc(reasonsOf(&model.Intent{Justifications: []model.Justification{j}}), r.named) {
				continue
			}
			p.Subjects++
			if flows := index.of(r.row); len(flows) > 0 {
				p.Faults = append(p.Faults, Fault{
					Cause: Cause{Class: CauseAllow, Of: r.row.Rule, Field: "allows"}, Subject: r.row.Rule, Text: "it carries more than its justification" + inBrackets(j.Source.String()) + " allows: " + flowEnds(flows) + ", " + portTextsOf(flows[0].Services), Source: r.row.At,
					Remedy: "narrow the rule, or correct `allows`",
				})
			}
		}
	}
	if bound == 0 {
		return nil
	}
	return []Part{p.judged()}
}
