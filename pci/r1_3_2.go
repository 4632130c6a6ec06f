package pci

// requirement132 is 1.3.2: inbound internet traffic ends in the DMZ (decisions.md, section 3).
func requirement132() []Criterion {
	return []Criterion{
		{
			ID: "1.3.2-a", V4: []string{"1.4.2"}, Severity: SeverityWarning, Methods: []Method{Config},
			Text:  "NSG on the load balancer's subnet",
			Says:  "NSG on the internal load balancer's subnet",
			As:    "both literal presence and the NSG that acts; 1.3.2-b on the latter",
			Why:   "the frontend has no NIC: an NSG there filters nothing (AKS-LB-06); packets meet the NSGs of the nodes' subnets, with frontend or node address as destination",
			Check: balancerNSGs,
		},
		{
			ID: "1.3.2-b", V4: []string{"1.4.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.1"},
			Text:  "it allows only the gateway's subnet",
			Says:  "NSG on the internal load balancer's subnet",
			As:    "both literal presence and the NSG that acts; 1.3.2-b on the latter",
			Why:   "the frontend has no NIC: an NSG there filters nothing (AKS-LB-06); packets meet the NSGs of the nodes' subnets, with frontend or node address as destination",
			Check: nsgAdmitsGatewayAlone,
		},
		{
			ID: "1.3.2-c", V4: []string{"1.4.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.1"},
			Text:  "NetworkPolicies restrict pod ingress",
			Check: podIngressRestricted,
		},
		{
			ID: "1.3.2-d", V4: []string{"1.4.2"}, Severity: SeverityWarning, Methods: []Method{Document},
			Also:  []string{"11.4.5", "1.2.2"},
			Text:  "the restriction is tested",
			Check: restrictionTested,
		},
	}
}
