package pci

// requirement116 is 1.1.6: services, protocols and ports (decisions.md, section 3).
func requirement116() []Criterion {
	return []Criterion{
		{
			ID: "1.1.6-a", V4: []string{"1.2.5"}, Severity: SeverityNote, Methods: []Method{Document},
			Text:  "services, protocols and ports documented",
			Check: rulesDocumented,
		},
		{
			ID: "1.1.6-b", V4: []string{"1.2.5"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.1", "1.3.2"},
			Text:  "all but the allowed ports denied",
			Check: onlyAllowedPorts,
		},
		{
			ID: "1.1.6-c", V4: []string{"1.2.5", "1.2.6"}, Severity: SeverityWarning, Methods: []Method{Config},
			Text:  "justification for each; insecure protocols carry security features",
			Check: rulesJustified,
		},
		{
			ID: "1.1.6-d", V4: []string{"1.2.5"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:  []string{"1.3.1", "1.3.2"},
			Text:  "firewall rules are scoped to their resources",
			Check: rulesScoped,
		},
	}
}
