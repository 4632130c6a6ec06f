package pci

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// liveRule is a rule that allows, and what it carries of the flows of the estate.
type liveRule struct {
	RuleRow
	flows    []solver.CarriedFlow // empty for listeners, load-balancing rules and doors, which are judged by what reaches them
	services []model.PortService  // of flows with an end in scope
	inScope  bool                 // some flow has an end in a zone of kind cde, data, dmz or management
}

// judgedKinds are the kinds of zones of which a flow must have an end for its rules to need a reason (8.2).
func judgedKinds() []model.ZoneKind {
	return []model.ZoneKind{model.ZoneCDE, model.ZoneData, model.ZoneDMZ, model.ZoneManagement}
}

// rules lists every rule of the estate, with the reason for each.
func (ev *Evidence) rules() []RuleRow {
	return keep(ev, "rules", func() []RuleRow { return Rules(ev.p) })
}

// allows reports a rule that lets something pass.
func (r RuleRow) allows() bool {
	switch r.Action {
	case model.Allow.String(), model.AlwaysAllow.String(), "Pass":
		return true
	default:
		return false
	}
}

// kindOf is the word before the colon of a rule's name.
func (r RuleRow) kindOf() string {
	kind, _, _ := strings.Cut(r.Rule, ":")
	return kind
}

// liveRules joins the table of rules to the flows of the estate: every rule that allows and carries some packet (8.2).
func (ev *Evidence) liveRules() []liveRule {
	return keep(ev, "liveRules", func() []liveRule {
		carried := newRuleIndex(ev.s.CarriedBy())
		var out []liveRule
		for _, r := range ev.rules() {
			if !r.allows() {
				continue
			}
			l := liveRule{RuleRow: r, flows: carried.of(r)}
			switch r.kindOf() {
			case "nsg", "firewall", "policy":
				if strings.HasPrefix(r.Note, model.DNATRules.String()+" rule") {
					ev.liveByReach(&l)
				}
			default:
				ev.liveByReach(&l)
			}
			for _, f := range l.flows {
				if ev.zoneKind(f.From, judgedKinds()...) || ev.zoneKind(f.To, judgedKinds()...) {
					l.inScope = true
					if f.From == solver.Platform {
						continue // R1: whatever the rule says, the platform sends probes alone
					}
					for _, s := range f.Services {
						if !slices.Contains(l.services, s) {
							l.services = append(l.services, s)
						}
					}
				}
			}
			if l.inScope || len(l.flows) > 0 {
				out = append(out, l)
			}
		}
		return out
	})
}

// zoneKind reports whether an end of a flow is a zone of one of some kinds.
func (ev *Evidence) zoneKind(end string, kinds ...model.ZoneKind) bool {
	return slices.ContainsFunc(ev.in.Zones, func(z model.Zone) bool { return "zone:"+z.Name == end && slices.Contains(kinds, z.Kind) })
}

// liveByReach judges rules that are no filters: listeners, load-balancing and DNAT rules, and doors of services. They carry what reaches the
// resource on their ports.
func (ev *Evidence) liveByReach(l *liveRule) {
	name, _, _ := strings.Cut(strings.TrimPrefix(l.Rule, l.kindOf()+":"), "/")
	to, from, inside := model.Selector{}, anyBut(), false
	find := func(k model.SelectorKind, list []model.Resource) {
		for _, r := range list {
			if strings.EqualFold(r.ResourceID().Name(), name) {
				to = ev.sel(k, r)
				inside = inside || slices.ContainsFunc(ev.zonesOf(r.ResourceID()), isKind(judgedKinds()...))
			}
		}
	}
	services := rowServices(l.RuleRow)
	switch l.kindOf() {
	case "appgw":
		find(model.SelAppGateway, resources(ev.e.AppGateways))
	case "lb":
		find(model.SelLB, resources(ev.e.LoadBalancers))
	case "firewall":
		for _, f := range ev.e.Firewalls { // the rule is of the firewall, or of its policy or that policy's parent
			if rules, _ := ev.rulesInForce(f); slices.ContainsFunc(rules, func(u inForce) bool { return strings.EqualFold(u.name, l.Rule) }) {
				to = ev.sel(model.SelFirewall, f)
			}
		}
	case "waf":
		for _, w := range ev.webWays() {
			if w.waf != nil && strings.EqualFold(w.waf.Name(), name) {
				to, services, inside = w.router, nil, true
			}
		}
	case "apiserver":
		find(model.SelAPIServer, resources(ev.e.Clusters))
		from = ev.zones(model.ZoneInternet)
		if strings.Contains(l.Note, "without effect") {
			return
		}
	default: // services
		for _, s := range ev.e.Services {
			if strings.EqualFold(s.Name(), name) && s.Kind.RuleSet() == l.kindOf() {
				to = ev.sel(model.SelService, s)
				inside = inside || slices.ContainsFunc(ev.zonesOf(s.ID), isKind(judgedKinds()...))
			}
		}
		from = ev.zones(model.ZoneInternet)
	}
	if to.Text == "" {
		return
	}
	r, err := ev.s.Reach(from, []model.Selector{to}, services, true)
	if err != nil {
		return // it receives nothing
	}
	for _, f := range r.Flows {
		flow := solver.CarriedFlow{From: ev.zoneAt(r, f.From), To: ev.zoneAt(r, f.To), Services: services}
		if !slices.ContainsFunc(l.flows, func(x solver.CarriedFlow) bool { return x.From == flow.From && x.To == flow.To }) {
			l.flows = append(l.flows, flow)
		}
	}
	l.inScope = inside && len(l.flows) > 0
	if l.inScope {
		l.services = services
	}
}

// zoneAt is the zone of an end of a flow, as answers name it.
func (ev *Evidence) zoneAt(r *solver.Reach, end string) string {
	if end == string(model.SelInternet) {
		return end
	}
	for _, z := range r.Zones {
		if z.End == end {
			return z.Zone
		}
	}
	for _, m := range ev.members() {
		if m.Ref == end {
			return "zone:" + m.zone.Name
		}
	}
	return ""
}

// resources are the resources of one type.
func resources[R model.Resource](list []R) []model.Resource {
	out := make([]model.Resource, len(list))
	for i, r := range list {
		out[i] = r
	}
	return out
}

// rowServices reads the services of a row; nil is everything.
func rowServices(r RuleRow) []model.PortService {
	var out []model.PortService
	for protocol := range strings.SplitSeq(strings.ToLower(r.Protocol), ", ") {
		switch protocol {
		case "any", "":
			return nil
		case "http", "https", "tls", "mssql":
			protocol = "tcp"
		}
		for _, port := range r.Ports {
			if _, after, ok := strings.Cut(port, ":"); ok { // https:443
				port = after
			}
			text := protocol + "/" + port
			if port == "*" {
				text = protocol
			}
			if s, err := model.ParsePortService(text); err == nil {
				out = append(out, s)
			}
		}
	}
	return out
}

// ruleIndex finds what rules carry by the rows of the table.
type ruleIndex struct{ bySource map[string][]solver.Carried }

func newRuleIndex(list []solver.Carried) ruleIndex {
	x := ruleIndex{map[string][]solver.Carried{}}
	for _, c := range list {
		x.bySource[c.Source] = append(x.bySource[c.Source], c)
	}
	return x
}

// of finds what a row carries: the same place in the input, and the same name.
func (x ruleIndex) of(r RuleRow) []solver.CarriedFlow {
	var out []solver.CarriedFlow
	row := strings.ToLower(strings.TrimPrefix(r.Rule, r.kindOf()+":"))
	for _, c := range x.bySource[r.At] {
		name := strings.ToLower(strings.Replace(c.Rule, "/securityRules/", "/", 1))
		if row == name || strings.HasSuffix(row, "/"+name) {
			out = append(out, c.Flows...)
		}
	}
	return out
}
