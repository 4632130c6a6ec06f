package pci

// requirement133 is 1.3.3: anti-spoofing (decisions.md, section 3).
func requirement133() []Criterion {
	return []Criterion{
		{
			ID: "1.3.3-a", V4: []string{"1.4.3"}, Severity: SeverityWarning, Methods: []Method{Config},
			Text:  "anti-spoofing",
			Says:  "the platform filters spoofed and unestablished traffic",
			As:    "NICs with forwarding; stateful and symmetric paths",
			Why:   "the platform checks the source of a VM unless IP forwarding is on, and NSGs keep state; it does not decide which new connections come in, nor repair asymmetric routes",
			Check: noUndeclaredForwarding,
		},
	}
}
