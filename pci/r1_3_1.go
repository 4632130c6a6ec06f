package pci

// requirement131 is 1.3.1: the DMZ (decisions.md, section 3).
func requirement131() []Criterion {
	return []Criterion{
		{
			ID: "1.3.1-a", V4: []string{"1.4.2"}, Severity: SeverityHigh, Methods: []Method{Config},
			Text:  "no public IPs on nodes; private subnets",
			Check: noPublicNodes,
		},
		{
			ID: "1.3.1-b", V4: []string{"1.4.2"}, Severity: SeverityHigh, Methods: []Method{Config},
			Text:  "no public load balancer; internal only",
			Check: noPublicBalancer,
		},
		{
			ID: "1.3.1-c", V4: []string{"1.4.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.1"},
			Text:  "internal load balancer exposed to the WAF gateway only",
			Check: balancedOnlyFromRouters,
		},
		{
			ID: "1.3.1-d", V4: []string{"1.4.2"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:  []string{"1.2.5"},
			Text:  "all rules give source, destination, port and protocol",
			Check: rulesNameEverything,
		},
		{
			ID: "1.3.1-e", V4: []string{"1.4.2"}, Severity: SeverityCritical, Methods: []Method{Prove, Config},
			Text:  "API server is not exposed",
			Says:  "private mode: endpoint not exposed",
			As:    "internet proof here; 1.2.3-b/c for the rest",
			Why:   "not on the internet, yet open to every network that routes to it; authorised ranges do nothing there",
			Check: apiNotExposed,
		},
	}
}
