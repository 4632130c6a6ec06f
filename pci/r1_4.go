package pci

// requirement14 is 1.4: administration (decisions.md, section 3).
func requirement14() []Criterion {
	return []Criterion{
		{
			ID: "1.4-a", V4: []string{"1.5.1"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.1"},
			Text:  "nodes are not accessed directly",
			Says:  "you have no access to nodes",
			As:    "reach to interactive ports",
			Why:   "nodes have SSH and kubelet ports, open to whatever the NSG admits",
			Check: nodesNotAccessed,
		},
		{
			ID: "1.4-b", V4: []string{"1.5.1"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:  []string{"1.3.1"},
			Text:  "administration from separate compute",
			Says:  "an air-gapped jump box whose HTTPS leaves by the firewall",
			As:    "reach in and out as stated in 1.4-c",
			Why:   "a box with a way out is not air-gapped; the word can only mean: no public address, no direct way in or out",
			Check: separateAdministration,
		},
		{
			ID: "1.4-c", V4: []string{"1.5.1"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.1", "1.3.2"},
			Text:  "jump box in and out is restricted",
			Says:  "an air-gapped jump box whose HTTPS leaves by the firewall",
			As:    "reach in and out as stated in 1.4-c",
			Why:   "a box with a way out is not air-gapped; the word can only mean: no public address, no direct way in or out",
			Check: jumpRestricted,
		},
		{
			ID: "1.4-d", V4: []string{"1.5.1"}, Severity: SeverityNone, Methods: []Method{Attest},
			Also:  []string{"8.4.3"},
			Text:  "VPN clients are managed machines",
			Check: managedClients,
		},
	}
}
