package pci

// requirement115 is 1.1.5: segments, owners and roles (decisions.md, section 3).
func requirement115() []Criterion {
	return []Criterion{
		{
			ID: "1.1.5-a", V4: []string{"1.1.2"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:   []string{"1.2.1", "12.5.2"},
			Text:   "segments are defined by component",
			Remedy: "put what is in no zone into one: `zones.*.members` of ringfence.yaml",
			Check:  func(ev *Evidence) []Part { return ev.segments() },
		},
		{
			ID: "1.1.5-b", V4: []string{"1.1.2"}, Severity: SeverityNote, Methods: []Method{Document},
			Also:   []string{"1.2.1"},
			Text:   "controls of each segment identified",
			Remedy: "write the table with `ringfence documents` and commit it",
			Check:  func(ev *Evidence) []Part { return ev.segmentControls() },
		},
		{
			ID: "1.1.5-c", V4: []string{"1.1.2"}, Severity: SeverityNote, Methods: []Method{Config, Attest},
			Text:   "breadth and ownership documented",
			Remedy: "name the owners in ringfence.yaml and attest the breadth",
			Check:  func(ev *Evidence) []Part { return ev.ownership() },
		},
		{
			ID: "1.1.5-d", V4: []string{"1.1.2"}, Severity: SeverityNone, Methods: []Method{Attest},
			Text:   "roles and responsibilities of the team",
			Remedy: "fill `zones.*.roles` and attest that they are known",
			Check:  func(ev *Evidence) []Part { return ev.responsibilities() },
		},
		{
			ID: "1.1.5-e", V4: []string{"1.3.1", "1.3.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Also:  []string{"1.1.2"},
			Text:  "deny-all first",
			Check: denyFirst,
		},
	}
}
