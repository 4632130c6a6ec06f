package pci

// requirement136 is 1.3.6: stores of cardholder data (decisions.md, section 3).
func requirement136() []Criterion {
	return []Criterion{
		{
			ID: "1.3.6-a", V4: []string{"1.4.4"}, Severity: SeverityCritical, Methods: []Method{Prove},
			Text:  "data stores only over the private network",
			Check: storesPrivate,
		},
		{
			ID: "1.3.6-b", V4: []string{"1.4.4"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.3.1", "7.2.1"},
			Text:  "only the node pools that need a store reach it",
			Check: storesFromTheirPools,
		},
		{
			ID: "1.3.6-c", V4: []string{"1.4.4"}, Severity: SeverityWarning, Methods: []Method{Config},
			Text:  "no state in the cluster; own zone for it",
			Check: noStateInCluster,
		},
	}
}
