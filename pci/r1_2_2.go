package pci

// requirement122 is 1.2.2: configuration is secured and synchronised (decisions.md, section 3).
func requirement122() []Criterion {
	return []Criterion{
		{
			ID: "1.2.2-a", V4: []string{"1.2.8"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Text:   "delta between deployed and desired state",
			Remedy: "deploy what is desired, or commit what is deployed",
			Check:  func(ev *Evidence) []Part { return ev.sidesAgree() },
		},
		{
			ID: "1.2.2-b", V4: []string{"1.2.8"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:   []string{"1.2.2"},
			Text:   "deployment assets are source-controlled",
			Remedy: "commit the templates, or attest the pipeline that deploys the network",
			Check:  func(ev *Evidence) []Part { return ev.assetsVersioned() },
		},
		{
			ID: "1.2.2-c", V4: []string{"1.2.8"}, Severity: SeverityWarning, Methods: []Method{Config, Attest},
			Also:   []string{"10.2.1", "10.5.1"},
			Text:   "logs kept per retention policy",
			Remedy: "send each category to a workspace or a storage account that keeps it for pci.logRetentionDays; attest the logs of pipelines",
			Check:  func(ev *Evidence) []Part { return ev.logsKept() },
		},
		{
			ID: "1.2.2-d", V4: []string{"1.2.8"}, Severity: SeverityWarning, Methods: []Method{Config},
			Also:   []string{"1.2.2"},
			Text:   "NetworkPolicies follow the source-controlled flow",
			Remedy: "commit the manifests and deploy them",
			Check:  func(ev *Evidence) []Part { return ev.policiesVersioned() },
		},
		{
			ID: "1.2.2-e", V4: []string{"1.2.8"}, Severity: SeverityNote, Methods: []Method{Config},
			Also:   []string{"1.2.2"},
			Text:   "configuration history is accessible",
			Remedy: "clone with the whole history",
			Check:  func(ev *Evidence) []Part { return ev.historyKept() },
		},
	}
}
