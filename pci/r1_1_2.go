package pci

// requirement112 is 1.1.2: the network diagram (decisions.md, section 3).
func requirement112() []Criterion {
	return []Criterion{
		{
			ID: "1.1.2-a", V4: []string{"1.2.3"}, Severity: SeverityWarning, Methods: []Method{Document},
			Also: []string{"12.5.2"},
			Text: "diagram of flows in and out with their controls",
		},
		{
			ID: "1.1.2-b", V4: []string{"1.2.3"}, Severity: SeverityNote, Methods: []Method{Document},
			Also: []string{"1.3.3"},
			Text: "wireless networks to the CDE are shown",
		},
		{
			ID: "1.1.2-c", V4: []string{"1.2.3"}, Severity: SeverityNote, Methods: []Method{Document},
			Text: "flows inside the cluster are shown",
		},
	}
}
