package pci

// requirement115 is 1.1.5: segments, owners and roles (decisions.md, section 3).
func requirement115() []Criterion {
	return []Criterion{
		{
			ID: "1.1.5-a", V4: []string{"1.1.2"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also: []string{"1.2.1", "12.5.2"},
			Text: "segments are defined by component",
		},
		{
			ID: "1.1.5-b", V4: []string{"1.1.2"}, Severity: SeverityNote, Methods: []Method{Document},
			Also: []string{"1.2.1"},
			Text: "controls of each segment identified",
		},
		{
			ID: "1.1.5-c", V4: []string{"1.1.2"}, Severity: SeverityNote, Methods: []Method{Config, Attest},
			Text: "breadth and ownership documented",
		},
		{
			ID: "1.1.5-d", V4: []string{"1.1.2"}, Severity: SeverityNone, Methods: []Method{Attest},
			Text: "roles and responsibilities of the team",
		},
		{
			ID: "1.1.5-e", V4: []string{"1.3.1", "1.3.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also: []string{"1.1.2"},
			Text: "deny-all first",
		},
	}
}
