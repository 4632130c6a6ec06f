package pci

// requirement112 is 1.1.2: the network diagram (decisions.md, section 3).
func requirement112() []Criterion {
	return []Criterion{
		{
			ID: "1.1.2-a", V4: []string{"1.2.3"}, Severity: SeverityWarning, Methods: []Method{Document},
			Also:   []string{"12.5.2"},
			Text:   "diagram of flows in and out with their controls",
			Remedy: "draw it with `ringfence documents` and commit it",
			Check:  func(ev *Evidence) []Part { return ev.networkDiagram() },
		},
		{
			ID: "1.1.2-b", V4: []string{"1.2.3"}, Severity: SeverityNote, Methods: []Method{Document},
			Also:   []string{"1.3.3"},
			Text:   "wireless networks to the CDE are shown",
			Remedy: "declare each wireless network as a zone and draw the diagram anew, or state in none.wireless that there is none",
			Check:  func(ev *Evidence) []Part { return ev.wirelessDrawn() },
		},
		{
			ID: "1.1.2-c", V4: []string{"1.2.3"}, Severity: SeverityNote, Methods: []Method{Document},
			Text:   "flows inside the cluster are shown",
			Remedy: "draw the diagram with `ringfence documents` and commit it",
			Check:  func(ev *Evidence) []Part { return ev.workloadsDrawn() },
		},
	}
}
