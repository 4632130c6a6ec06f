package pci

// requirement15 is 1.5: procedures (decisions.md, section 3).
func requirement15() []Criterion {
	return []Criterion{
		{
			ID: "1.5-a", V4: []string{"1.1.1"}, Severity: SeverityNone, Methods: []Method{Attest},
			Text: "policies and procedures documented and known",
			Check: func(ev *Evidence) []Part {
				return []Part{ev.attestation("security policies and operational procedures are documented, in use and known")}
			},
		},
		{
			ID: "1.5-b", V4: []string{"1.1.1"}, Severity: SeverityNote, Methods: []Method{Document},
			Also:   []string{"1.2.5"},
			Text:   "management of firewall rules that segment the cluster documented",
			Remedy: "write both tables with `ringfence documents` and commit them",
			Check: func(ev *Evidence) []Part {
				return []Part{
					ev.document(DocumentRules, "the committed rule table is the one that this run writes"),
					ev.document(DocumentZones, "the committed table of zones and their controls is the one that this run writes"),
				}
			},
		},
		{
			ID: "1.5-c", V4: []string{"1.1.1"}, Severity: SeverityNone, Methods: []Method{Attest},
			Also:  []string{"12.6.1"},
			Text:  "people are trained",
			Check: func(ev *Evidence) []Part { return []Part{ev.attestation("people are trained in the procedures")} },
		},
	}
}
