package pci

// requirement111 is 1.1.1: changes are approved and tested (decisions.md, section 3).
func requirement111() []Criterion {
	return []Criterion{
		{
			ID: "1.1.1-a", V4: []string{"1.2.2"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:   []string{"6.5.1"},
			Text:   "controls are described as versioned code",
			Remedy: "commit the file; describe the control in a template",
			Check:  func(ev *Evidence) []Part { return ev.controlsAsCode() },
		},
		{
			ID: "1.1.1-b", V4: []string{"1.2.1"}, Severity: SeverityHigh, Methods: []Method{Config},
			Also:   []string{"1.4.1"},
			Text:   "Azure Firewall, NSGs and NetworkPolicies are all in use",
			Remedy: "route to the firewall, attach an NSG, switch the policy engine on",
			Check:  func(ev *Evidence) []Part { return ev.controlsInUse() },
		},
		{
			ID: "1.1.1-c", V4: []string{"1.2.2"}, Severity: SeverityWarning, Methods: []Method{Config, Attest},
			Also:   []string{"1.1.2", "7.2.1"},
			Text:   "few people can change network controls; roles defined",
			Remedy: "remove assignments, narrow their scopes, or name who has them in pci.networkAdmins; attest that changes are approved and tested",
			Check:  func(ev *Evidence) []Part { return ev.networkAdmins() },
		},
	}
}
