package pci

// requirement137 is 1.3.7: disclosure of addresses (decisions.md, section 3).
func requirement137() []Criterion {
	return []Criterion{
		{
			ID: "1.3.7-a", V4: []string{"1.4.5"}, Severity: SeverityHigh, Methods: []Method{Config},
			Text:  "private cluster",
			Check: privateCluster,
		},
		{
			ID: "1.3.7-b", V4: []string{"1.4.5"}, Severity: SeverityWarning, Methods: []Method{Config},
			Text:  "private DNS zone for it",
			Check: privateClusterZone,
		},
		{
			ID: "1.3.7-c", V4: []string{"1.4.5"}, Severity: SeverityWarning, Methods: []Method{Config},
			Text:  "no public FQDN",
			Check: noPublicName,
		},
		{
			ID: "1.3.7-d", V4: []string{"1.4.5"}, Severity: SeverityWarning, Methods: []Method{Config},
			Text:  "policy enforces private clusters",
			Check: policyForPrivateClusters,
		},
		{
			ID: "1.3.7-e", V4: []string{"1.4.5"}, Severity: SeverityNote, Methods: []Method{Config},
			Text:  "private DNS between gateway subnet and load balancer subnet",
			Says:  `private DNS for "routing"`,
			As:    "resolution and absence of public records",
			Why:   "DNS resolves, it does not route",
			Check: gatewayNamesBalancer,
		},
		{
			ID: "1.3.7-f", V4: []string{"1.4.5"}, Severity: SeverityNone, Methods: []Method{Attest},
			Text:  "responses carry no private IPs",
			Check: noPrivateAddressesInResponses,
		},
		{
			ID: "1.3.7-g", V4: []string{"1.4.5"}, Severity: SeverityNone, Methods: []Method{Attest},
			Also:  []string{"10.3.1"},
			Text:  "logs with IPs are not exposed",
			Check: logsNotExposed,
		},
	}
}
