package pci

import (
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// shop is a run over card payments on a Kubernetes cluster in which one assertion fails by a packet, one by a missing path, one by a
// relayed chain, and two are not known.
func shop() *Result {
	hop := func(at, stage, action, rule, source string) solver.Hop {
		return solver.Hop{At: at, Stage: stage, Action: action, Rule: rule, Source: source}
	}
	wireless := &solver.Witness{
		Packet: solver.Packet{Src: "10.90.0.4", Dst: "10.240.1.4", Protocol: "tcp", SPort: 49152, DPort: 22},
		Hops: []solver.Hop{
			{At: "gateway:vgw-hub/conn-campus", Stage: "route", Action: "forward", Source: "system route", NextHopType: "VNetPeering", Prefix: "10.240.0.0/16"},
			hop("subnet:vnet-spoke/snet-cluster-inscope", "subnet-nsg-inbound", "allow", "nsg-inscope/securityRules/AllowCampusSsh", "azure/nsgs.json:214"),
			hop("nodepool:aks-prod/npinscope", "nic-nsg-inbound", "allow", "aks-agentpool-12345678-nsg/defaultSecurityRules/AllowVnetInBound", "default rule of aks-agentpool-12345678-nsg"),
		},
	}
	relayed := &solver.Witness{
		Packet: solver.Packet{Src: "203.0.113.7", Dst: "20.50.7.9", Protocol: "tcp", SPort: 49152, DPort: 443, Name: "pay.shop.example"},
		Hops:   []solver.Hop{hop("subnet:vnet-spoke/snet-appgw", "subnet-nsg-inbound", "allow", "nsg-appgw/securityRules/AllowHttpsIn", "azure/nsgs.json:17")},
		Legs: []solver.Leg{{
			Relay: "appgw:agw", Packet: solver.Packet{Src: "10.240.5.4", Dst: "10.240.1.20", Protocol: "tcp", SPort: 49152, DPort: 8443},
			Hops: []solver.Hop{
				hop("subnet:vnet-spoke/snet-cluster-inscope", "subnet-nsg-inbound", "allow", "nsg-inscope/securityRules/AllowAgwIn", "azure/nsgs.json:190"),
				hop("pod:payments/web", "pod-ingress", "allow", "payments/web-from-ingress/ingress[0]", "manifests/payments.yaml:141"),
			},
		}},
	}
	tag := solver.Assumption{ID: "ASM-TAG(AzureMonitor)", Open: true, Text: "prefixes of the tag", Settle: "ServiceTags JSON"}
	on := solver.Assumption{ID: "ASM-ONPREM", Text: "on-prem sources stay inside the prefixes of their connection", Settle: "filter on-prem, or NSG rules"}
	old := solver.Assumption{ID: "ASM-OLDFLOWS", Text: "verdicts are about new flows; older ones may live on", Settle: "flushConnection, restart"}
	return &Result{
		Schema: "ringfence/verify/v1", Project: "payments on AKS", AsOf: "2026-11-01", Standard: "pci-dss-4.0.1", Tool: "ringfence 0.1.0",
		Inputs: []Input{
			{Path: "ringfence.yaml", SHA256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", Kind: "intent"},
			{Path: "azure/nsgs.json", SHA256: "e258d248fda94c63753607f7c4494ee0fcbe92f1a76bfdac795c9d84101eb317", Kind: "azure", Side: "desired"},
			{Path: "manifests/payments.yaml", SHA256: "9a271f2a916b0b6ee6cecb2426f0b3206ef074578be55d9bc94f6f3fe3ab86aa", Kind: "kubernetes", Side: "desired"},
		},
		Summary: Summary{
			Pass: 3, Fail: 3, Unknown: 2, Items: Counts{Pass: 1, Fail: 2, Unknown: 1, Attested: 1, AttestationMissing: 1, Causes: 2},
			Checklist: "1 pass, 2 fail (2 causes), 1 unknown, 1 attestation missing, 1 attested",
		},
		Items: []Item{
			{
				ID: "1.2.1-d", V4: "1.3.2", Title: "egress only with TLS 1.2 or later", Method: "config + attest", Severity: SeverityWarning, Verdict: ItemUnknown,
				Says: "egress only secure ciphers", CheckedAs: "Https rules proved; version attested", Why: "the firewall reads the name, not the version",
				Evidence: []Part{{
					Statement: "settings of services ask for TLS 1.2 or later", Verdict: ItemUnknown, Reason: "minimumTlsVersion of service:stcards is not stated", Subjects: 2,
					Faults: []Fault{{Cause: Cause{Class: CauseSetting, Of: "service:stcards", Field: "minimumTlsVersion"}, Subject: "service:stcards", Text: "service:stcards", Field: "minimumTlsVersion", Wanted: "TLS1_2", Source: "azure/nsgs.json:9", Remedy: "state it"}},
				}},
			},
			{
				ID: "1.2.3-a", V4: "1.3.3", Title: "nodes are not reachable from wireless", Method: "prove", Severity: SeverityCritical, Verdict: ItemFail, Remedy: "deny the wireless prefixes",
				Evidence: []Part{
					{
						Statement: "no packet from zone:wireless reaches zone:cde directly", Verdict: ItemFail, Subjects: 1, Residual: []string{"R1: traffic of the platform"}, Assumptions: []solver.Assumption{on, old},
						Faults: []Fault{{
							Cause: Cause{Class: CauseAllow, Of: "nsg-inscope/securityRules/AllowCampusSsh"}, Subject: "nsg-inscope/securityRules/AllowCampusSsh", Text: "let pass by nsg-inscope/securityRules/AllowCampusSsh at subnet:vnet-spoke/snet-cluster-inscope",
							Source: "azure/nsgs.json:214", Witness: wireless, Remedy: "remove the rule",
							Flows: []solver.Flow{{From: "gateway:vgw-hub/conn-campus", To: "nodepool:aks-prod/npinscope", Verdict: solver.Reachable, Kind: solver.Direct, Packets: []solver.Packets{ports("tcp", "22")}}},
						}},
					},
					{Statement: "every chain of relays passes a router whose WAF blocks", Verdict: ItemPass, Facts: []string{"appgw:agw"}, Notes: []string{"it may change"}, Waived: []string{"until 2026-12-31 (Campus IT: scanners)"}},
				},
			},
			{
				ID: "1.2.3-c", V4: "1.3.3", Title: "nodes and API only from authorised subnets", Method: "prove", Severity: SeverityHigh, Verdict: ItemFail, OnlyFrom: true,
				Follows: []Follow{{"1.2.3-a", "ALLOW nsg-inscope/securityRules/AllowCampusSsh"}},
				Evidence: []Part{{
					Statement: "nothing but own nodes reaches nodes", Verdict: ItemFail,
					Faults: []Fault{{Cause: Cause{Class: CauseAllow, Of: "nsg-inscope/securityRules/AllowCampusSsh"}, Text: "let pass", Source: "azure/nsgs.json:214"}},
				}},
			},
			{ID: "1.3.7-a", V4: "1.4.5", Title: "private cluster", Method: "config", Severity: SeverityHigh, Verdict: ItemPass, Evidence: []Part{{
				Statement: "every cluster is private", Verdict: ItemPass, Subjects: 1, Table: &Table{Header: []string{"cluster", "private"}, Rows: [][]string{{"aks-prod", "true"}}},
			}}},
			{ID: "1.5-a", V4: "1.1.1", Title: "policies and procedures documented and known", Method: "attest", Severity: SeverityNone, Verdict: ItemAttested, Evidence: []Part{{Statement: "policies are known", Verdict: ItemAttested, Reason: "Head of Security, on 2026-09-01"}}},
			{ID: "1.5-c", V4: "1.1.1", Title: "people are trained", Method: "attest", Severity: SeverityNone, Verdict: ItemAttestationMissing, Evidence: []Part{{Statement: "people are trained", Verdict: ItemAttestationMissing, Reason: "the attestation has expired"}}},
		},
		Zones: []Zone{
			{Name: "internet", Kind: model.ZoneInternet, Members: []string{}, Prefixes: []string{}},
			{Name: "dmz", Kind: model.ZoneDMZ, Owner: "Network team", Members: []string{"appgw:agw", "subnet:vnet-spoke/snet-appgw"}, Source: "ringfence.yaml:13"},
			{Name: "cde", Kind: model.ZoneCDE, Owner: "Payments", Members: []string{"nodepool:aks-prod/npinscope", "pod:payments/api", "pod:payments/web", "subnet:vnet-spoke/snet-cluster-inscope"}, Source: "ringfence.yaml:18"},
			{Name: "data", Kind: model.ZoneData, Owner: "Payments", Members: []string{"endpoint:pe-sql-cards", "service:sql-cards"}, Source: "ringfence.yaml:23"},
			{Name: "system", Kind: model.ZoneTrusted, Owner: "Platform", Members: []string{"pod:ingress-nginx/controller", "pod:kube-system/coredns"}, Source: "ringfence.yaml:28"},
			{Name: "analytics", Kind: model.ZoneOutOfScope, Owner: "Analytics", Members: []string{"subnet:vnet-analytics/snet-analytics"}, Source: "ringfence.yaml:60"},
			{Name: "wireless", Kind: model.ZoneWireless, Owner: "Campus IT", Members: []string{"gateway:vgw-hub/conn-campus"}, Prefixes: []string{"10.90.0.0/16"}, Source: "ringfence.yaml:70"},
		},
		Matrix: []solver.Row{
			reach("internet", "zone:dmz", solver.Direct, nil, ports("tcp", "443")),
			reach("internet", "zone:cde", solver.Relayed, []string{"appgw:agw", "pod:ingress-nginx/controller"}, ports("tcp", "8443")),
			reach("zone:dmz", "zone:system", solver.Direct, nil, ports("tcp", "443", "8443-8444")),
			reach("zone:cde", "zone:data", solver.Direct, nil, ports("tcp", "443", "1433")),
			reach("zone:cde", "zone:cde", solver.Direct, nil, ports("any", "0-65535")),
			reach("zone:cde", "zone:system", solver.Direct, nil, ports("udp", "53"), ports("tcp", "53")),
			reach("zone:cde", "internet", solver.Relayed, []string{"firewall:fw-hub"}, solver.Packets{
				Src: []string{"10.240.1.0/24"}, Dst: []string{"0.0.0.0/0"}, Protocol: "tcp", SPort: []string{"0-65535"}, DPort: []string{"443"}, Names: []string{"api.psp.example"},
			}),
			{Src: "zone:system", Dst: "internet", Verdict: solver.Unknown, Kind: solver.Direct, Packets: []solver.Packets{{
				Src: []string{"10.240.0.0/24"}, Dst: []string{"0.0.0.0/0"}, Protocol: "tcp", SPort: []string{"0-65535"}, DPort: []string{"443"}, Names: []string{"*"}, Tags: []string{"AzureMonitor"},
			}}},
			reach("zone:wireless", "zone:cde", solver.Direct, nil, ports("tcp", "22")),
		},
		Assertions: []solver.AssertionResult{
			{
				ID: "internet-not-direct-to-cde", Verdict: solver.Pass, Statement: "no packet from internet reaches zone:cde, direct", Requirement: "1.2.1-a", Source: "ringfence.yaml:84",
				Assumptions: []solver.Assumption{old},
			},
			{
				ID: "wireless-isolated", Verdict: solver.Fail, Statement: "no packet from zone:wireless reaches zone:cde", Requirement: "1.2.3-a", Source: "ringfence.yaml:120",
				Reason: "zone:wireless reaches zone:cde on tcp/22",
				Violations: []solver.Flow{
					{From: "gateway:vgw-hub/conn-campus", To: "nodepool:aks-prod/npinscope", Verdict: solver.Reachable, Kind: solver.Direct, Packets: []solver.Packets{{
						Src: []string{"10.90.0.0/16"}, Dst: []string{"10.240.1.4-10.240.1.254"}, Protocol: "tcp", SPort: []string{"0-65535"}, DPort: []string{"22"}, Names: []string{"*"},
					}}, Total: 3},
					{From: "gateway:vgw-hub/conn-campus", To: "subnet:vnet-spoke/snet-cluster-inscope", Verdict: solver.Unknown, Kind: solver.Direct, Label: "asymmetric", Packets: []solver.Packets{ports("tcp", "22")}},
				},
				Witness: wireless, Assumptions: []solver.Assumption{on, old}, Expired: []string{"ringfence.yaml:125: Campus IT, until 2026-09-30: scanners in the stock room"},
			},
			{
				ID: "cde-only-through-waf", Verdict: solver.Fail, Statement: "every path from internet to zone:cde passes appgw:agw-new", Requirement: "1.1.4-b", Source: "ringfence.yaml:130",
				Violations: []solver.Flow{{From: "internet", To: "pod:payments/web", Verdict: solver.Reachable, Kind: solver.Relayed, Via: []string{"appgw:agw"}, Packets: []solver.Packets{ports("tcp", "8443")}}},
				Witness:    relayed,
			},
			{
				ID: "api-reaches-sql", Verdict: solver.Fail, Statement: "pod:payments/api reaches service:sql-cards on tcp/1433", Source: "ringfence.yaml:140", Reason: "no packet on tcp/1433 arrives",
				BlockedBy: []solver.Blocker{
					{At: "pod:payments/api", Stage: "pod-egress", Rule: "payments/default-deny", Source: "manifests/payments.yaml:88", Detail: "no egress rule admits 10.240.8.5", From: "pod:payments/api", To: "service:sql-cards"},
					{At: "subnet:vnet-spoke/snet-pe", Stage: "subnet-nsg-inbound", Rule: "nsg-pe/securityRules/DenyAllIn", Source: "azure/nsgs.json:340", From: "pod:payments/api", To: "service:sql-cards"},
				},
			},
			{
				ID: "monitoring-only-by-tag", Verdict: solver.Undecided, Statement: "no packet from zone:system reaches internet", Requirement: "1.1.6-b", Source: "ringfence.yaml:150",
				Reason:      "reachable or not, depending on the prefixes of AzureMonitor",
				Violations:  []solver.Flow{{From: "pod:kube-system/coredns", To: "internet", Verdict: solver.Unknown, Kind: solver.Direct, Packets: []solver.Packets{{Protocol: "tcp", DPort: []string{"443"}, Tags: []string{"AzureMonitor"}}}}},
				Assumptions: []solver.Assumption{old, tag}, Waived: []string{"ringfence.yaml:155: Platform, until 2026-12-31: agent has no proxy support"},
			},
			{ID: "analytics-isolated", Verdict: solver.Undecided, Statement: "no packet from zone:analytics reaches zone:cde", Source: "ringfence.yaml:160", Reason: "the NSG nsg-analytics is not in the input"},
			{ID: "only-https-into-dmz", Verdict: solver.Pass, Statement: "from internet nothing but tcp/443 reaches zone:dmz", Source: "ringfence.yaml:165"},
			{ID: "api-reaches-vault", Verdict: solver.Pass, Statement: "pod:payments/api reaches service:kv-cards on tcp/443", Source: "ringfence.yaml:170"},
		},
		Findings: []lint.Finding{
			{ID: "public-load-balancer", Severity: lint.Error, Subject: "lb:shop/web", Text: "the Service has a public address.", Remedy: "make the load balancer internal", Source: "manifests/shop.yaml:20"},
			{ID: "over-wide-rule", Severity: lint.Warning, Subject: "nsg:nsg-inscope/AllowCampusSsh", Text: "the source 10.0.0.0/8 is wider than the networks behind it.", Remedy: "name the networks", Source: "azure/nsgs.json:214"},
			{ID: "over-wide-rule", Severity: lint.Warning, Subject: "nsg:nsg-pe/AllowAll", Text: "the source is any.", Remedy: "name the networks", Source: "default rule of nsg-pe"},
			{ID: "unused-rule", Severity: lint.Note, Subject: "nsg:nsg-pe/AllowOld", Text: "no packet meets the rule.", Source: "azure/nsgs.json:333"},
		},
		DataFlows: []DataFlow{{
			Name: "card storage", Data: []string{"PAN", "expiry"}, InTransit: "TLS 1.2", AtRest: "TDE with a key in kv-cards", Source: "ringfence.yaml:201",
			Legs: []Leg{
				{From: "internet", To: "appgw:agw", Service: "tcp/443", Verdict: solver.Reachable},
				{From: "appgw:agw", To: "pod:payments/web", Service: "tcp/8443", Verdict: solver.Reachable, Via: []string{"pod:ingress-nginx/controller"}},
				{From: "pod:payments/web", To: "service:sql-cards", Service: "tcp/1433", Verdict: solver.Unreachable, Reason: "blocked by payments/default-deny (manifests/payments.yaml:88)"},
			},
		}},
		Ledger: Ledger{Modelled: 214, Irrelevant: 31, Unsupported: []LedgerEntry{{
			Resource: "/subscriptions/s/resourceGroups/rg-hub/providers/Microsoft.Network/expressRouteCircuits/er-campus", Type: "Microsoft.Network/expressRouteCircuits",
			Source: "azure/hub.json:410", Effect: "routes of the circuit are not known",
		}}},
		Assumptions: []solver.Assumption{old, on, tag},
	}
}

func ports(protocol string, dports ...string) solver.Packets {
	return solver.Packets{Src: []string{"0.0.0.0/0"}, Dst: []string{"10.240.1.0/24"}, Protocol: protocol, SPort: []string{"0-65535"}, DPort: dports, Names: []string{"*"}}
}

func reach(src, dst string, kind solver.Kind, via []string, packets ...solver.Packets) solver.Row {
	return solver.Row{Src: src, Dst: dst, Verdict: solver.Reachable, Kind: kind, Via: via, Packets: packets}
}

// explored is what the report of a fixture can be asked: its matrix, with the witness of an assertion for every flow.
func explored(r *Result) *Exploration {
	x := &Exploration{Answers: &solver.Explored{Ends: []string{"internet"}, Whole: true}}
	for _, z := range r.Zones {
		if name := endOf(z.Name); name != "internet" {
			x.Answers.Ends = append(x.Answers.Ends, name)
		}
	}
	x.Answers.Zones = len(x.Answers.Ends)
	for _, row := range r.Matrix {
		p := solver.ExploredPair{From: slices.Index(x.Answers.Ends, row.Src), To: slices.Index(x.Answers.Ends, row.Dst)}
		if p.From < 0 || p.To < 0 {
			continue
		}
		w := solver.ExploredWay{Kind: row.Kind, Via: row.Via, Verdict: row.Verdict, Shown: true}
		for _, q := range row.Packets {
			w.Services = append(w.Services, solver.Ports{Protocol: q.Protocol, DPort: q.DPort})
		}
		if len(r.Assertions) > 0 {
			w.Witness = r.Assertions[0].Witness
		}
		if row.Verdict == solver.Unknown {
			w.Assumptions = r.Assumptions
		}
		p.Ways = append(p.Ways, w)
		x.Answers.Pairs = append(x.Answers.Pairs, p)
	}
	if n := x.Answers.Zones; n > 1 {
		x.Answers.Pairs = append(x.Answers.Pairs, solver.ExploredPair{From: n - 1, To: 0, BlockedBy: []solver.Blocker{{At: x.Answers.Ends[n-1], Stage: "route", Rule: r.Project, Source: "azure/nsgs.json:9"}}})
	}
	x.zones(r)
	if len(x.Ways) > 0 {
		x.link("network-zones-e1", 0)
	}
	x.tell(r)
	return x
}
