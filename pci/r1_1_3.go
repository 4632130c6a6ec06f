package pci

// requirement113 is 1.1.3: the data-flow diagram (decisions.md, section 3).
func requirement113() []Criterion {
	return []Criterion{
		{
			ID: "1.1.3-a", V4: []string{"1.2.4"}, Severity: SeverityWarning, Methods: []Method{Document},
			Also:   []string{"3.5.1", "4.2.1"},
			Text:   "data-flow diagram: protection at rest and in transit",
			Remedy: "set the property that protects the data or correct the declaration, then draw the diagram with `ringfence documents`",
			Check:  func(ev *Evidence) []Part { return ev.dataFlowDiagram() },
		},
		{
			ID: "1.1.3-b", V4: []string{"1.2.4"}, Severity: SeverityHigh, Methods: []Method{Document, Prove},
			Also:   []string{"12.5.2"},
			Text:   "how data flows to and from the workload, what information is passed",
			Remedy: "declare the flow in dataFlows, or close the way: the rule that opens it",
			Check:  func(ev *Evidence) []Part { return ev.flowsOfData() },
		},
		{
			ID: "1.1.3-c", V4: []string{"1.2.4"}, Severity: SeverityNote, Methods: []Method{Document},
			Also:   []string{"6.5.2"},
			Text:   "the diagram is updated with each change",
			Remedy: "run `ringfence documents --check` in the pipeline that documents.pipelines names",
			Check:  func(ev *Evidence) []Part { return ev.diagramKept() },
		},
	}
}
