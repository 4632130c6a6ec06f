package lint

import (
	"cmp"

	"github.com/ringfence/ringfence/model"
)

// Severity ranks findings.
type Severity string

const (
	Error   Severity = "error"   // opens a path, or makes a control void
	Warning Severity = "warning" // weakens a control, or hides what it does
	Note    Severity = "note"
)

// Finding is something beside the assertions that a reviewer should know.
type Finding struct {
	ID       string       `json:"id"` // stable: public-load-balancer
	Severity Severity     `json:"severity"`
	Subject  string       `json:"subject"` // a selector or a rule: nsg-jump/securityRules/AllowRdp
	Text     string       `json:"text"`
	Remedy   string       `json:"remedy"`
	Source   string       `json:"source"`
	Origin   model.Source `json:"-"`
}

// Compare orders findings: worst first, then by ID and place.
func (f Finding) Compare(g Finding) int {
	return cmp.Or(cmp.Compare(f.Severity.rank(), g.Severity.rank()), cmp.Compare(f.ID, g.ID), f.Origin.Compare(g.Origin), cmp.Compare(f.Subject, g.Subject))
}

func (s Severity) rank() int {
	switch s {
	case Error:
		return 0
	case Warning:
		return 1
	default:
		return 2
	}
}
