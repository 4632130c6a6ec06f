package pci

// requirement117 is 1.1.7: reviews (decisions.md, section 3).
func requirement117() []Criterion {
	return []Criterion{
		{
			ID: "1.1.7-a", V4: []string{"1.2.7"}, Severity: SeverityWarning, Methods: []Method{Config},
			Text:   "rule sets are reviewed at least every six months",
			Says:   "firewall reviews",
			As:     "rule sets of 8.1",
			Why:    "every rule-bearing resource, also where the rule is a property",
			Remedy: "review what is named and record it with `ringfence review record`",
			Check:  func(ev *Evidence) []Part { return ev.reviews() },
		},
		{
			ID: "1.1.7-b", V4: []string{"1.2.7"}, Severity: SeverityNone, Methods: []Method{Attest},
			Text:   "who reviewed, when, what was done",
			Remedy: "complete the records of `reviews` in ringfence.yaml",
			Check:  func(ev *Evidence) []Part { return ev.reviewers() },
		},
	}
}
