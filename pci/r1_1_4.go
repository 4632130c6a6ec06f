package pci

// requirement114 is 1.1.4: a firewall at each boundary (decisions.md, section 3).
func requirement114() []Criterion {
	return []Criterion{
		{
			ID: "1.1.4-a", V4: []string{"1.4.1"}, Severity: SeverityWarning, Methods: []Method{Config},
			Text:  "the DMZ's boundary is defined",
			Check: dmzDefined,
		},
		{
			ID: "1.1.4-b", V4: []string{"1.4.1"}, Severity: SeverityCritical, Methods: []Method{Prove},
			Also:  []string{"1.4.2", "6.4.2"},
			Text:  "WAF gateway is the router for all ingress",
			Says:  "Application Gateway *or* Front Door as router",
			As:    "chain proof including the direct way and foreign profiles (AZ-AFD-10)",
			Why:   "Front Door protects an origin only if the origin is locked to the own profile (tag and FDID) or private",
			Check: wafIsRouter,
		},
		{
			ID: "1.1.4-c", V4: []string{"1.4.1"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.2"},
			Text:  "Azure Firewall secures all egress",
			Says:  "UDR sends all egress through the firewall",
			As:    "dominator proof per class; excluded subnets named",
			Why:   "a 0/0 route leaves peered, endpoint and service-endpoint traffic alone (AZ-RT-23); gateway and Bastion subnets cannot have it",
			Check: firewallsTakeEgress,
		},
		{
			ID: "1.1.4-d", V4: []string{"1.2.6"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:  []string{"4.2.1 (open, public networks only)"},
			Text:  "pod-to-pod TLS, mTLS mesh",
			Check: podTLS,
		},
		{
			ID: "1.1.4-e", V4: []string{"1.3.1", "1.3.2"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:  []string{"1.2.1"},
			Text:  "NSGs between the cluster and the rest, in and out rules well defined",
			Says:  "NSGs allow only traffic from the virtual network",
			As:    "explicit deny, addresses in place of the tag, sources by origin",
			Why:   "tag VirtualNetwork includes peers, on-prem, VPN pools and may grow to everything with a 0/0 route (AZ-TAG-01, -02)",
			Check: nsgsDefined,
		},
		{
			ID: "1.1.4-f", V4: []string{"1.3.1"}, Severity: SeverityCritical, Methods: []Method{Prove},
			Also:  []string{"1.4.2"},
			Text:  "only traffic from the virtual network is allowed",
			Says:  "NSGs allow only traffic from the virtual network",
			As:    "explicit deny, addresses in place of the tag, sources by origin",
			Why:   "tag VirtualNetwork includes peers, on-prem, VPN pools and may grow to everything with a 0/0 route (AZ-TAG-01, -02)",
			Check: onlyFromNetwork,
		},
		{
			ID: "1.1.4-g", V4: []string{"1.2.1"}, Severity: SeverityNote, Methods: []Method{Config},
			Also:  []string{"1.3.1"},
			Text:  "each node pool has its own subnet",
			Check: poolsApart,
		},
		{
			ID: "1.1.4-h", V4: []string{"1.3.1", "1.3.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Text:  "zero-trust NetworkPolicies",
			Check: zeroTrust,
		},
		{
			ID: "1.1.4-i", V4: []string{"1.3.1", "1.3.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Text:  "every namespace but the AKS-provided ones is restricted",
			Check: namespacesRestricted,
		},
		{
			ID: "1.1.4-j", V4: []string{"1.2.5"}, Severity: SeverityNote, Methods: []Method{Prove},
			Text:  "probes' paths are open",
			Says:  "open paths for probes",
			As:    "proof of LB and gateway probes; statement for the rest",
			Why:   "own-node traffic is always allowed under AKS engines",
			Check: probesOpen,
		},
		{
			ID: "1.1.4-k", V4: []string{"1.2.5"}, Severity: SeverityNote, Methods: []Method{Prove},
			Also:  []string{"10.4.1"},
			Text:  "path to the monitoring agent is open",
			Says:  "path to oms-agent",
			As:    "agent → Azure Monitor path",
			Why:   "today ama-logs; node metrics need no ingress to application pods",
			Check: monitoringOpen,
		},
		{
			ID: "1.1.4-l", V4: []string{"1.2.5"}, Severity: SeverityNote, Methods: []Method{Config},
			Also:  []string{"1.2.1"},
			Text:  "ports are standardised",
			Check: standardPorts,
		},
	}
}
