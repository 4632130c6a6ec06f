package pci

// requirement121 is 1.2.1: only necessary traffic (decisions.md, section 3).
func requirement121() []Criterion {
	return []Criterion{
		{
			ID: "1.2.1-a", V4: []string{"1.3.1"}, Severity: SeverityCritical, Methods: []Method{Prove},
			Also: []string{"1.4.2"},
			Text: "no direct reach from the internet",
			Says: "a virtual network cannot be reached directly from the internet",
			As:   "proof that no such way exists (direct reach = ∅)",
			Why:  "true only without public addresses, public load balancers, DNAT, gateways, Front Door/Bastion; nothing enforces it",
		},
		{
			ID: "1.2.1-b", V4: []string{"1.3.1"}, Severity: SeverityCritical, Methods: []Method{Prove},
			Also: []string{"1.4.1", "1.4.2"},
			Text: "all ingress through an intermediate router",
			Says: "Application Gateway *or* Front Door as router",
			As:   "chain proof including the direct way and foreign profiles (AZ-AFD-10)",
			Why:  "Front Door protects an origin only if the origin is locked to the own profile (tag and FDID) or private",
		},
		{
			ID: "1.2.1-c", V4: []string{"1.3.2"}, Severity: SeverityNote, Methods: []Method{Document},
			Also: []string{"1.2.5"},
			Text: "what components reach at public endpoints",
			Says: "all components can reach public endpoints",
			As:   "inventory of what each zone reaches; control is 1.1.4-c",
			Why:  "a default (default outbound access), going away for new VNets with newer API versions",
		},
		{
			ID: "1.2.1-d", V4: []string{"1.3.2"}, Severity: SeverityWarning, Methods: []Method{Config, Attest},
			Also: []string{"1.2.6", "4.2.1"},
			Text: "egress only with TLS 1.2 or later",
			Says: "egress only secure ciphers, TLS 1.2+",
			As:   "Https rules proved; version attested",
			Why:  "without TLS inspection the firewall reads the name, not the version",
		},
		{
			ID: "1.2.1-e", V4: []string{"1.3.1"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also: []string{"1.4.1", "6.4.2"},
			Text: "WAF sees all HTTP(S) ingress",
		},
		{
			ID: "1.2.1-f", V4: []string{"1.3.1"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also: []string{"1.2.6", "4.2.1"},
			Text: "non-TLS is denied at the WAF",
			Says: "WAF denies non-TLS traffic",
			As:   "listener protocols, TLS floor",
			Why:  "WAF inspects requests; refusing clear text is the listener's protocol",
		},
		{
			ID: "1.2.1-g", V4: []string{"1.3.1"}, Severity: SeverityWarning, Methods: []Method{Prove},
			Also: []string{"1.4.2"},
			Text: "control-plane port range only for Azure infrastructure",
			Says: "WAF denies traffic outside the control-plane port range",
			As:   "NSG proof on 65200-65535; listeners for the rest",
			Why:  "WAF sees HTTP requests only; the ranges are platform management ports on the gateway, limited by the subnet's NSG to tag GatewayManager; what is outside listener ports is closed because nothing listens",
		},
		{
			ID: "1.2.1-h", V4: []string{"1.3.1"}, Severity: SeverityWarning, Methods: []Method{Prove},
			Text: "probes only from the internal load balancer",
			Says: "WAF denies probes from others than the cluster's internal load balancer",
			As:   "reach to probe ports on nodes",
			Why:  "load-balancer probes come from 168.63.129.16 to the nodes and never meet the WAF; gateway probes come *from* the gateway",
		},
		{
			ID: "1.2.1-i", V4: []string{"1.3.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also: []string{"1.4.1"},
			Text: "firewall on all egress, trusted and untrusted",
		},
		{
			ID: "1.2.1-j", V4: []string{"1.3.2"}, Severity: SeverityNote, Methods: []Method{Config},
			Also: []string{"1.2.1", "1.4.1"},
			Text: "the firewall is in the hub",
		},
		{
			ID: "1.2.1-k", V4: []string{"1.3.2"}, Severity: SeverityHigh, Methods: []Method{Config, Prove},
			Text: "single egress point by UDR",
		},
		{
			ID: "1.2.1-l", V4: []string{"1.3.2"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also: []string{"1.2.5"},
			Text: "firewall rules go from specific sources to specific targets",
		},
		{
			ID: "1.2.1-m", V4: []string{"1.3.2"}, Severity: SeverityNote, Methods: []Method{Config},
			Text: "HTTP proxy for egress from the cluster",
		},
		{
			ID: "1.2.1-n", V4: []string{"1.3.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Text: "firewall lets egress out only to the proxy",
		},
		{
			ID: "1.2.1-o", V4: []string{"1.3.1", "1.3.2"}, Severity: SeverityHigh, Methods: []Method{Config},
			Also: []string{"1.4.4"},
			Text: "Private Link wherever possible",
		},
		{
			ID: "1.2.1-p", V4: []string{"1.3.1"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Text: "NSGs deny SSH to nodes",
		},
		{
			ID: "1.2.1-q", V4: []string{"1.3.1"}, Severity: SeverityWarning, Methods: []Method{Config, Attest},
			Also: []string{"7.2.2", "8.2.6"},
			Text: "just-in-time emergency access",
		},
		{
			ID: "1.2.1-r", V4: []string{"1.3.1"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also: []string{"8.4.2"},
			Text: "jump box: nothing but Bastion",
		},
		{
			ID: "1.2.1-s", V4: []string{"1.3.1"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also: []string{"1.4.4"},
			Text: "private-endpoint subnets: only the load balancer and Private Link traffic",
			Says: "endpoint subnets admit only the internal load balancer and Private Link traffic",
			As:   "setting + set of senders ⊆ those who need the service",
			Why:  `a load balancer forwards and opens nothing, so no packet has it as source; "Private Link traffic" is every packet to the endpoint; NSGs act there only with endpoint network policies on (AZ-PE-03)`,
		},
	}
}
