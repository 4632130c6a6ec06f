package pci

import (
	"slices"
)

// Method is how a part of an item is decided (docs/pci/requirement-1.md).
type Method string

const (
	Prove    Method = "prove"    // a property of reachability, which the solver decides
	Config   Method = "config"   // read off the resources
	Document Method = "document" // a committed document is what this run generates
	Attest   Method = "attest"   // a person's word
)

// Severity is how grave it is when an item fails (decisions.md, section 5). It changes no verdict.
type Severity string

const (
	SeverityCritical Severity = "critical"
	SeverityHigh     Severity = "high"
	SeverityWarning  Severity = "warning"
	SeverityNote     Severity = "note"
	SeverityNone     Severity = "none" // a person's word alone: it cannot fail
)

// Criterion is one item of the checklist: what it asks, and the function that decides it. Says, As and Why are filled where the
// checklist's wording does not fit how Azure works (decisions.md, section 9).
type Criterion struct {
	ID       string   // of v3.2.1
	V4       []string // the requirements of v4.0.1 that it is evidence for; the first leads
	Also     []string // neighbours that the same evidence serves
	Severity Severity
	Methods  []Method
	Text     string // what it asks, in short
	Says     string // what the checklist says
	As       string // what is checked in its place
	Why      string
	Remedy   string                 // what to do in general; faults carry their own
	Check    func(*Evidence) []Part // nil: not decided by this version
}

// Catalogue lists the items of the AKS checklist for Requirement 1 in the standard's order, with what decides them.
func Catalogue() []Criterion {
	return slices.Concat(
		requirement111(), requirement112(), requirement113(), requirement114(), requirement115(), requirement116(), requirement117(),
		requirement121(), requirement122(), requirement123(),
		requirement131(), requirement132(), requirement133(), requirement134(), requirement135(), requirement136(), requirement137(),
		requirement14(), requirement15(),
	)
}

// CriterionOf finds an item of the catalogue by its ID.
func CriterionOf(id string) (Criterion, bool) {
	all := Catalogue()
	i := slices.IndexFunc(all, func(c Criterion) bool { return c.ID == id })
	if i < 0 {
		return Criterion{}, false
	}
	return all[i], true
}
