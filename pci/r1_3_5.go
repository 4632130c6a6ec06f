package pci

// requirement135 is 1.3.5: only established connections come in (decisions.md, section 3).
func requirement135() []Criterion {
	return []Criterion{
		{
			ID: "1.3.5-a", V4: []string{"1.4.2"}, Severity: SeverityHigh, Methods: []Method{Prove},
			Text:  "only established connections come in",
			Says:  "the platform filters spoofed and unestablished traffic",
			As:    "NICs with forwarding; stateful and symmetric paths",
			Why:   "the platform checks the source of a VM unless IP forwarding is on, and NSGs keep state; it does not decide which new connections come in, nor repair asymmetric routes",
			Check: onlyEstablished,
		},
	}
}
