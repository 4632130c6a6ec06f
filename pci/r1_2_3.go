package pci

// requirement123 is 1.2.3: wireless and on-prem (decisions.md, section 3).
func requirement123() []Criterion {
	return []Criterion{
		{
			ID: "1.2.3-a", V4: []string{"1.3.3"}, Severity: SeverityCritical, Methods: []Method{Prove},
			Text:  "nodes are not reachable from wireless",
			Check: nodesNotFromWireless,
		},
		{
			ID: "1.2.3-b", V4: []string{"1.3.3"}, Severity: SeverityCritical, Methods: []Method{Prove},
			Text:  "Kubernetes API is denied from wireless",
			Check: apiNotFromWireless,
		},
		{
			ID: "1.2.3-c", V4: []string{"1.3.3"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.1"},
			Text:  "nodes and API only from authorised subnets",
			Check: nodesAndAPIOnlyFromAuthorised,
		},
		{
			ID: "1.2.3-d", V4: []string{"1.3.1"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.4.2"},
			Text:  "on-prem access to the spoke is limited",
			Check: onPremLimited,
		},
	}
}
