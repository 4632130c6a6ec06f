package pci

// requirement134 is 1.3.4: outbound traffic (decisions.md, section 3).
func requirement134() []Criterion {
	return []Criterion{
		{
			ID: "1.3.4-a", V4: []string{"1.3.2"}, Severity: SeverityHigh, Methods: []Method{Config, Prove},
			Text:  "UDR on all cluster subnets to the firewall",
			Says:  "UDR sends all egress through the firewall",
			As:    "dominator proof per class; excluded subnets named",
			Why:   "a 0/0 route leaves peered, endpoint and service-endpoint traffic alone (AZ-RT-23); gateway and Bastion subnets cannot have it",
			Check: clusterEgressByFirewall,
		},
		{
			ID: "1.3.4-b", V4: []string{"1.3.2"}, Severity: SeverityWarning, Methods: []Method{Prove},
			Text:  "NSGs limit outbound of node pools",
			Check: nodeEgressLimited,
		},
		{
			ID: "1.3.4-c", V4: []string{"1.3.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.1"},
			Text:  "NetworkPolicies limit ingress and egress",
			Check: podsRestrictedBothWays,
		},
		{
			ID: "1.3.4-d", V4: []string{"1.3.2"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:  []string{"1.2.6"},
			Text:  "mesh handles TLS policy",
			Check: func(ev *Evidence) []Part { return ev.partsOf("1.1.4-d") },
		},
		{
			ID: "1.3.4-e", V4: []string{"1.3.2"}, Severity: SeverityHigh, Methods: []Method{Config},
			Also:  []string{"1.4.2"},
			Text:  "no public IPs in CDE networks but authorised subnets",
			Check: noPublicAddressesInScope,
		},
		{
			ID: "1.3.4-f", V4: []string{"1.3.2"}, Severity: SeverityNote, Methods: []Method{Config},
			Text:  "HTTP proxy besides the firewall",
			Check: func(ev *Evidence) []Part { return ev.partsOf("1.2.1-m") },
		},
		{
			ID: "1.3.4-g", V4: []string{"1.3.2"}, Severity: SeverityNote, Methods: []Method{Config},
			Also:  []string{"10.3.2"},
			Text:  "monitoring through a private link scope",
			Check: monitoringByPrivateLink,
		},
	}
}
