package pci

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// logged is something whose logs must be kept, and which.
type logged struct {
	name   string
	id     model.ID
	source model.Source
	needs  []logNeed
}

// logNeed is a kind of record, and the categories that hold it: any one does. The group `allLogs` holds every category.
type logNeed struct {
	what       string
	categories []string
	audit      bool // the group `audit` holds it too
}

// logged lists what 1.2.2-c asks about: firewalls, web gateways, clusters, vaults and the subscriptions of all these. Flow logs of networks
// are apart.
func (ev *Evidence) logged() []logged {
	var out []logged
	add := func(k model.SelectorKind, r model.Resource, needs ...logNeed) {
		out = append(out, logged{ev.refs.Of(k, r), r.ResourceID(), r.Origin(), needs})
	}
	for _, f := range ev.e.Firewalls {
		threats, idps := f.ThreatIntel, ""
		if p, ok := model.Get[*model.FirewallPolicy](ev.e, f.Policy); ok {
			threats, idps = p.ThreatIntel, p.IDPS
		}
		needs := []logNeed{
			{"network rules", []string{"AZFWNetworkRule", "AzureFirewallNetworkRule"}, false},
			{"application rules", []string{"AZFWApplicationRule", "AzureFirewallApplicationRule"}, false},
			{"DNAT rules", []string{"AZFWNatRule", "AzureFirewallNetworkRule"}, false},
		}
		if threats != "" && !strings.EqualFold(threats, "Off") {
			needs = append(needs, logNeed{"threat intelligence", []string{"AZFWThreatIntel", "AzureFirewallNetworkRule"}, false})
		}
		if idps != "" && !strings.EqualFold(idps, "Off") {
			needs = append(needs, logNeed{"intrusion detection", []string{"AZFWIdpsSignature", "AzureFirewallNetworkRule"}, false})
		}
		add(model.SelFirewall, f, needs...)
	}
	for _, g := range ev.e.AppGateways {
		if outOfScope(ev.guarded(RuleSet{Resource: g})) {
			continue
		}
		needs := []logNeed{{"requests", []string{"ApplicationGatewayAccessLog"}, false}}
		if strings.HasPrefix(strings.ToUpper(g.Tier), "WAF") || slices.ContainsFunc(ev.e.WAFPolicies, func(w *model.WAFPolicy) bool { return usesWAF(g, w.ID) }) {
			needs = append(needs, logNeed{"what the WAF found", []string{"ApplicationGatewayFirewallLog"}, false})
		}
		add(model.SelAppGateway, g, needs...)
	}
	for _, f := range ev.e.FrontDoors {
		if outOfScope(ev.zonesOf(f.ID)) {
			continue
		}
		needs := []logNeed{{"requests", []string{"FrontDoorAccessLog"}, false}}
		if len(f.WAFs) > 0 {
			needs = append(needs, logNeed{"what the WAF found", []string{"FrontDoorWebApplicationFirewallLog"}, false})
		}
		add(model.SelFrontDoor, f, needs...)
	}
	for _, a := range ev.e.APIMs {
		if !outOfScope(ev.zonesOf(a.ID)) {
			add(model.SelAPIM, a, logNeed{"requests", []string{"GatewayLogs"}, false})
		}
	}
	judged, _ := ev.clusters()
	for _, c := range judged {
		if !c.Manifest {
			add(model.SelCluster, c, logNeed{"requests to the API server", []string{"kube-audit", "kube-audit-admin"}, true})
		}
	}
	for _, s := range ev.paas() {
		if s.Kind == model.KeyVault {
			add(model.SelService, s, logNeed{"access to keys and secrets", []string{"AuditEvent"}, true})
		}
	}
	seen := map[string]bool{}
	for _, x := range slices.Clone(out) {
		sub := x.id.Subscription()
		if sub == "" || seen[strings.ToLower(sub)] {
			continue
		}
		seen[strings.ToLower(sub)] = true
		out = append(out, logged{"activity log of subscription " + sub, model.ID("/subscriptions/" + sub), x.source, []logNeed{
			{"changes of resources", []string{"Administrative"}, false},
			{"alerts of Defender for Cloud", []string{"Security"}, false},
			{"what Azure Policy did", []string{"Policy"}, false},
		}})
	}
	return out
}

// sink is a place that logs go to, and how long it keeps them.
type sink struct {
	name  string
	days  int // 0: not known; for ever is forEver
	lacks string
	note  string
	of    Cause
}

const forEver = 1 << 30

// keeps says how long a sink keeps logs.
func (s sink) keeps() string {
	switch {
	case s.lacks != "":
		return "not known"
	case s.days == forEver:
		return "until deleted"
	case s.note != "":
		return "as who takes them from there"
	default:
		return count(s.days, "day")
	}
}

// workspaceSink is a workspace for a category: the table decides, else the workspace.
func (ev *Evidence) workspaceSink(id model.ID, table string) sink {
	s, ok := model.Get[*model.Service](ev.e, id)
	if !ok {
		return missingSink(id)
	}
	out := sink{name: ev.refs.Of(model.SelService, s), days: s.Retention}
	for _, t := range s.Tables {
		if t.Name == strings.ToLower(table) {
			out.days, out.name = t.Days, out.name+"/"+t.Name
		}
	}
	if out.days == 0 {
		out.lacks = "how long " + out.name + " keeps logs is not in the input: retentionInDays"
		out.of = Cause{Class: CauseSetting, Of: string(id), Field: "retentionInDays"}
	}
	return out
}

// storageSink is a storage account: logs stay until a policy deletes them, its own or that of the setting.
func (ev *Evidence) storageSink(id model.ID, container, blobType string, keep int) sink {
	s, ok := model.Get[*model.Service](ev.e, id)
	if !ok {
		return missingSink(id)
	}
	out := sink{name: ev.refs.Of(model.SelService, s), days: forEver}
	if keep > 0 {
		out.days = keep
	}
	for _, l := range s.Lifecycles {
		inside := len(l.Containers) == 0 || slices.ContainsFunc(l.Containers, func(c string) bool { return strings.HasPrefix(container, c) || strings.HasPrefix(c, container) })
		blob := len(l.BlobTypes) == 0 || slices.ContainsFunc(l.BlobTypes, func(t string) bool { return strings.EqualFold(t, blobType) })
		if inside && blob && l.Days < out.days {
			out.days = l.Days
			out.name = ev.refs.Of(model.SelService, s) + ", rule " + l.Name
		}
	}
	return out
}

// hubSink is an event hub, which passes logs on within days: who takes them from there keeps them.
func (ev *Evidence) hubSink(rule model.ID) sink {
	for _, s := range ev.e.Services {
		if s.Kind == model.EventHub && covers(s.ID, rule) {
			return sink{name: ev.refs.Of(model.SelService, s), days: forEver, note: ev.refs.Of(model.SelService, s) + " passes logs on: how long they are kept behind it is attested"}
		}
	}
	return missingSink(rule)
}

func missingSink(id model.ID) sink {
	return sink{name: id.ShortName(), lacks: id.ShortName() + ", where they go, is not in the input", of: Cause{Class: CauseNoRef, Of: string(id)}}
}

// logTableOf is the table that a category goes to.
func logTableOf(category string, s *model.DiagnosticSetting) string {
	if len(strings.Split(strings.Trim(string(s.Target), "/"), "/")) == 2 {
		return "AzureActivity"
	}
	if s.Dedicated {
		switch category {
		case "ApplicationGatewayAccessLog":
			return "AGWAccessLogs"
		case "ApplicationGatewayFirewallLog":
			return "AGWFirewallLogs"
		case "kube-audit":
			return "AKSAudit"
		case "kube-audit-admin":
			return "AKSAuditAdmin"
		case "AuditEvent":
			return "AZKVAuditLogs"
		case "GatewayLogs":
			return "ApiManagementGatewayLogs"
		}
		if strings.HasPrefix(category, "AZFW") {
			return category
		}
	}
	return "AzureDiagnostics"
}

// logKept decides one kind of record: whether a setting sends it to a sink that keeps it long enough. The best setting counts.
func (ev *Evidence) logKept(x logged, n logNeed, days int) (row []string, notes []string, f *Fault, open bool) {
	var short, unknown *Fault
	fault := func(s *model.DiagnosticSetting, field, found, text string, of Cause, remedy string) *Fault {
		return &Fault{Cause: of, Subject: x.name, Text: x.name + ": " + text, Field: field, Found: found, Source: s.Source.String(), Remedy: remedy}
	}
	var off *Fault
	for _, s := range ev.e.DiagnosticSettings {
		if !s.Target.Is(x.id) {
			continue
		}
		for _, l := range s.Logs {
			matches := slices.ContainsFunc(n.categories, func(c string) bool { return strings.EqualFold(c, l.Category) })
			group := strings.EqualFold(l.Group, "allLogs") || n.audit && strings.EqualFold(l.Group, "audit")
			if !matches && !group && !strings.EqualFold(l.Group, "audit") {
				continue
			}
			if !l.Enabled {
				if matches && off == nil {
					off = fault(s, "logs."+l.Category+".enabled", "false", n.what+": not logged, the category is switched off", Cause{Class: CauseSetting, Of: x.name, Field: "logs " + n.categories[0]}, "switch the category on")
				}
				continue
			}
			if !matches && !group {
				if unknown == nil {
					unknown = fault(s, "logs.audit", "", "whether the group audit holds "+n.what+" is not known", Cause{Class: CauseNoRef, Of: x.name, Field: "logs " + n.categories[0]}, "name the category "+n.categories[0]+", or the group allLogs")
				}
				continue
			}
			category := cmp.Or(l.Category, n.categories[0])
			var sinks []sink
			if s.Workspace != "" {
				sinks = append(sinks, ev.workspaceSink(s.Workspace, logTableOf(category, s)))
			}
			if s.Storage != "" {
				container := "insights-logs-" + strings.ToLower(category)
				if logTableOf(category, s) == "AzureActivity" {
					container = "insights-activity-logs"
				}
				sinks = append(sinks, ev.storageSink(s.Storage, container, "appendBlob", l.Keep))
			}
			if s.EventHub != "" {
				sinks = append(sinks, ev.hubSink(s.EventHub))
			}
			if len(sinks) == 0 && short == nil {
				short = fault(s, "workspaceId", "", n.what+": sent neither to a workspace nor to a storage account nor to an event hub", Cause{Class: CauseSetting, Of: string(s.ID), Field: "workspaceId"}, "name a sink in the setting")
			}
			for _, k := range sinks {
				switch {
				case k.lacks == "" && k.days >= days:
					if k.note != "" {
						notes = append(notes, k.note)
					}
					return []string{x.name, n.what, cmp.Or(l.Category, l.Group), k.name + inBrackets(s.Source.String()), k.keeps()}, notes, nil, false
				case k.lacks != "" && unknown == nil:
					unknown = fault(s, "", "", n.what+": "+k.lacks, k.of, "add the sink to the inputs")
				case k.lacks == "" && short == nil:
					short = fault(s, "", k.keeps(), n.what+": kept for "+k.keeps()+" at "+k.name+", and pci.logRetentionDays asks for "+count(days, "day"), Cause{Class: CauseSetting, Of: k.name, Field: "retention"}, "keep the logs longer, in the workspace, its table or a storage account")
					short.Wanted = count(days, "day")
				}
			}
		}
	}
	row = []string{x.name, n.what, "", "", ""}
	if unknown != nil {
		row[3] = "not known"
		return row, nil, unknown, true
	}
	row[3] = "nowhere"
	if short != nil {
		row[3], row[4] = "too short, or nowhere", short.Found
		return row, nil, short, false
	}
	if off != nil {
		return row, nil, off, false
	}
	return row, nil, &Fault{
		Cause: Cause{Class: CauseSetting, Of: x.name, Field: "logs " + n.categories[0]}, Subject: x.name, Source: x.source.String(),
		Text: x.name + ": no diagnostic setting sends " + n.what + " (" + strings.Join(n.categories, " or ") + ") anywhere", Remedy: "add a diagnostic setting with the category, to a workspace that keeps it",
	}, false
}

// flowsKept decides the flow log of a network: of the network itself, or of each of its subnets in scope, by a log of the subnet or of its NSG.
func (ev *Evidence) flowsKept(v *model.VNet, days int) (row []string, f *Fault, open bool) {
	name := ev.refs.Of(model.SelVNet, v)
	type found struct {
		where  string
		keeps  string
		source model.Source
	}
	var short, unknown *Fault
	ok := func(id model.ID) (found, bool) {
		for _, l := range ev.e.FlowLogs {
			if !l.Target.Is(id) || id == "" {
				continue
			}
			fault := func(text, field, at string, of Cause) *Fault {
				return &Fault{Cause: of, Subject: name, Text: name + ": " + text, Field: field, Found: at, Source: l.Source.String()}
			}
			if !l.Enabled {
				if short == nil {
					short = fault("the flow log "+l.Name()+" is switched off", "properties.enabled", "false", Cause{Class: CauseSetting, Of: string(l.ID), Field: "enabled"})
					short.Remedy = "switch it on"
				}
				continue
			}
			sinks := []sink{}
			if l.Storage != "" {
				sinks = append(sinks, ev.storageSink(l.Storage, "insights-logs-flowlogflowevent", "blockBlob", l.Keep))
			}
			if l.Workspace != "" {
				sinks = append(sinks, ev.workspaceSink(l.Workspace, "NTANetAnalytics"))
			}
			for _, k := range sinks {
				switch {
				case k.lacks == "" && k.days >= days:
					return found{k.name, k.keeps(), l.Source}, true
				case k.lacks != "" && unknown == nil:
					unknown = fault("flows: "+k.lacks, "", "", k.of)
					unknown.Remedy = "add the sink to the inputs"
				case k.lacks == "" && short == nil:
					short = fault("flows: kept for "+k.keeps()+" at "+k.name+", and pci.logRetentionDays asks for "+count(days, "day"), "", k.keeps(), Cause{Class: CauseSetting, Of: k.name, Field: "retention"})
					short.Wanted, short.Remedy = count(days, "day"), "keep the logs longer: retentionPolicy of the flow log, the lifecycle of the storage account"
				}
			}
		}
		return found{}, false
	}
	if x, is := ok(v.ID); is {
		return []string{name, "flows", "flow log", x.where + inBrackets(x.source.String()), x.keeps}, nil, false
	}
	var bare []string
	last := found{}
	for _, id := range v.Subnets {
		s, is := model.Get[*model.Subnet](ev.e, id)
		if !is || outOfScope(ev.zonesIn(s)) {
			continue
		}
		x, covered := ok(s.ID)
		if !covered {
			x, covered = ok(s.NSG)
		}
		if !covered {
			bare = append(bare, s.Name())
			continue
		}
		last = x
	}
	row = []string{name, "flows", "", "nowhere", ""}
	switch {
	case len(bare) == 0 && last.where != "":
		return []string{name, "flows", "flow logs of its subnets", last.where + inBrackets(last.source.String()), last.keeps}, nil, false
	case unknown != nil:
		row[3] = "not known"
		return row, unknown, true
	case short != nil:
		return row, short, false
	}
	return row, &Fault{
		Cause: Cause{Class: CauseSetting, Of: name, Field: "flowLogs"}, Subject: name, Source: v.Source.String(), Text: name + " has no flow log" + map[bool]string{true: ": " + strings.Join(bare, ", ")}[len(bare) > 0 && last.where != ""],
		Remedy: "add a flow log of the network, with a storage account that keeps it",
	}, false
}

// logsKept asks that logs are kept (1.2.2-c).
func (ev *Evidence) logsKept() []Part {
	days := cmp.Or(ev.in.PCI.LogRetentionDays, 365)
	if len(ev.e.DiagnosticSettings) == 0 {
		p := ev.attestation("logs of firewalls, gateways, networks, clusters, vaults, subscriptions and pipelines are kept for " + count(days, "day"))
		p.Notes = append(p.Notes, "the input holds no diagnostic settings: add what `az monitor diagnostic-settings list` prints for each resource to have them judged")
		return []Part{p}
	}
	p := Part{Statement: "logs go where they are kept for " + count(days, "day"), Table: &Table{Header: []string{"of", "what", "category", "where", "kept"}}}
	var open []Fault
	more := map[Cause]int{}
	take := func(row []string, f *Fault, unknown bool) {
		p.Table.Rows = append(p.Table.Rows, row)
		if f == nil {
			return
		}
		list := &p.Faults
		if unknown {
			list = &open
		}
		if slices.ContainsFunc(*list, func(x Fault) bool { return x.Cause == f.Cause }) { // one sink that many logs go to
			more[f.Cause]++
			return
		}
		*list = append(*list, *f)
	}
	for _, x := range ev.logged() {
		p.Subjects++
		for _, n := range x.needs {
			row, notes, f, unknown := ev.logKept(x, n, days)
			take(row, f, unknown)
			for _, text := range notes {
				if !slices.Contains(p.Notes, text) {
					p.Notes = append(p.Notes, text)
				}
			}
		}
	}
	for _, v := range ev.e.VNets {
		if outOfScope(ev.zonesInVNet(v)) {
			continue
		}
		p.Subjects++
		row, f, unknown := ev.flowsKept(v, days)
		take(row, f, unknown)
	}
	for _, list := range [][]Fault{p.Faults, open} {
		for i, f := range list {
			if n := more[f.Cause]; n > 0 {
				list[i].Text += "; the same holds for " + count(n, "more log")
			}
		}
	}
	if p.Subjects == 0 {
		p = unknownPart(p.Statement, "the input holds no firewall, gateway, network, cluster or vault in scope")
	}
	return []Part{p.besides(open), ev.attestation(fmt.Sprintf("logs of pipelines are kept for %s", count(days, "day")))}
}
