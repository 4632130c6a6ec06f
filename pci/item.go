package pci

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/solver"
)

// ItemVerdict is how an item, or a part of one, was decided. The zero value counts as unknown.
type ItemVerdict string

const (
	ItemFail               ItemVerdict = "fail"
	ItemUnknown            ItemVerdict = "unknown"
	ItemAttestationMissing ItemVerdict = "attestation missing"
	ItemAttested           ItemVerdict = "attested"
	ItemPass               ItemVerdict = "pass"
	ItemNotApplicable      ItemVerdict = "not applicable"
)

// rank orders verdicts, worst first (decisions.md, section 2.1).
func (v ItemVerdict) rank() int {
	i := slices.Index([]ItemVerdict{ItemFail, ItemUnknown, ItemAttestationMissing, ItemAttested, ItemPass, ItemNotApplicable}, v)
	if i < 0 {
		return 1
	}
	return i
}

// worst is the verdict of a whole that has parts.
func worst(parts []Part) ItemVerdict {
	if len(parts) == 0 {
		return ItemUnknown
	}
	return slices.MinFunc(parts, func(a, b Part) int { return cmp.Compare(a.Verdict.rank(), b.Verdict.rank()) }).Verdict
}

// Item is one row of the checklist, decided.
type Item struct {
	ID        string      `json:"id"`    // of v3.2.1
	V4        string      `json:"v4"`    // requirements of v4.0.1, the leading one first
	Title     string      `json:"title"` // what it asks, in short
	Method    string      `json:"method"`
	Severity  Severity    `json:"severity"`
	Verdict   ItemVerdict `json:"verdict"`
	Evidence  []Part      `json:"evidence"`
	Follows   []Follow    `json:"follows,omitempty"` // causes of its faults that another item owns
	OnlyFrom  bool        `json:"onlyFollows,omitempty"`
	Remedy    string      `json:"remedy"`
	Also      []string    `json:"also,omitempty"`      // other requirements of v4.0.1 that the evidence serves
	Says      string      `json:"says,omitempty"`      // what the checklist says, where that does not fit Azure
	CheckedAs string      `json:"checkedAs,omitempty"` // what is checked in its place
	Why       string      `json:"why,omitempty"`
}

// Follow is a cause that another item owns: one fault does not read as ten (decisions.md, section 4).
type Follow struct {
	Item  string `json:"item"`
	Cause string `json:"cause"`
}

// Part is one thing that an item asks, and how it was decided.
type Part struct {
	Statement   string              `json:"statement"` // what was checked, with its sets spelled out
	Verdict     ItemVerdict         `json:"verdict"`
	Reason      string              `json:"reason,omitempty"`   // in a sentence; of an unknown: the missing fact and what settles it
	Subjects    int                 `json:"subjects,omitempty"` // how many things it speaks of
	Faults      []Fault             `json:"faults,omitempty"`
	Facts       []string            `json:"facts,omitempty"` // what was read or found, a line each
	Table       *Table              `json:"table,omitempty"`
	Notes       []string            `json:"notes,omitempty"`    // what changes no verdict
	Residual    []string            `json:"residual,omitempty"` // what a proof leaves out (decisions.md, section 1.4)
	Waived      []string            `json:"waived,omitempty"`   // exceptions that took flows out
	Assumptions []solver.Assumption `json:"assumptions,omitempty"`
}

// Table is evidence in rows.
type Table struct {
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
}

// Fault is one thing that breaks an item, or keeps it unknown.
type Fault struct {
	Cause   Cause           `json:"cause"`
	Subject string          `json:"subject"` // what has the fault, as a selector or rule name
	Text    string          `json:"text"`
	Field   string          `json:"field,omitempty"` // property path
	Found   string          `json:"found,omitempty"`
	Wanted  string          `json:"wanted,omitempty"`
	Source  string          `json:"source,omitempty"` // file:line, or the resource
	Flows   []solver.Flow   `json:"flows,omitempty"`
	Witness *solver.Witness `json:"witness,omitempty"`
	Remedy  string          `json:"remedy,omitempty"`
}

// Cause says what is at the bottom of a fault: its class, the resource or rule, and the field (decisions.md, section 4).
type Cause struct {
	Class CauseClass `json:"class"`
	Of    string     `json:"of"`
	Field string     `json:"field,omitempty"`
}

func (c Cause) String() string {
	return strings.TrimSpace(strings.Join([]string{string(c.Class), c.Of, c.Field}, " "))
}

// CauseClass groups causes that have one owner.
type CauseClass string

const (
	CauseNoRef       CauseClass = "NOREF"       // a resource that another one names is not in the input
	CauseNoPods      CauseClass = "NOPODS"      // a cluster without manifests
	CauseNoPools     CauseClass = "NOPOOLS"     // a cluster without node pools
	CauseNoFirewall  CauseClass = "NOFW"        // no firewall
	CauseEngine      CauseClass = "ENGINE"      // nothing enforces policies
	CauseUnzoned     CauseClass = "UNZONED"     // a subnet, namespace or store in no zone
	CauseRoute       CauseClass = "ROUTE"       // a subnet and a prefix
	CausePublic      CauseClass = "PUBLICADDR"  // a public address
	CauseWAFMode     CauseClass = "WAFMODE"     // a policy or listener that lets pass
	CauseNonTLS      CauseClass = "NONTLS"      // clear text
	CauseNodeNSG     CauseClass = "NODENSG"     // an NSG rule or a missing Deny at nodes
	CauseAllow       CauseClass = "ALLOW"       // the rule that carries a flow
	CauseEndpointNSG CauseClass = "PENSG"       // a private-endpoint subnet whose NSG does nothing
	CauseDefaultDeny CauseClass = "DEFAULTDENY" // a namespace and a direction
	CausePublicAPI   CauseClass = "PUBLICAPI"   // a public API server
	CausePaaSDoor    CauseClass = "PAASDOOR"    // a service and its setting or rule
	CauseMesh        CauseClass = "MESH"        // a workload without mTLS
	CauseGit         CauseClass = "GIT"         // a file
	CauseStale       CauseClass = "STALE"       // a document
	CauseRegister    CauseClass = "REGISTER"    // a rule or rule set without an entry
	CauseSetting     CauseClass = "SETTING"     // any other property of a resource
	CauseIntent      CauseClass = "INTENT"      // something that ringfence.yaml does not state
	CauseAssertion   CauseClass = "ASSERTION"   // a linked assertion
)

// owners are the items that own a cause when they have it, in this order; else the first item of the catalogue that has it.
func (c Cause) owners() []string {
	switch c.Class {
	case CauseNoPods:
		return []string{"1.1.2-c"}
	case CauseNoPools:
		return []string{"1.3.1-a"}
	case CauseNoFirewall, CauseEngine:
		return []string{"1.1.1-b"}
	case CauseUnzoned:
		return []string{"1.1.5-a"}
	case CauseRoute:
		return []string{"1.1.4-c"}
	case CausePublic:
		switch {
		case strings.HasPrefix(c.Of, "nodepool:"):
			return []string{"1.3.1-a", "1.3.4-e"}
		case strings.HasPrefix(c.Of, "lb:"):
			return []string{"1.3.1-b", "1.3.4-e"}
		}
		return []string{"1.3.4-e"}
	case CauseWAFMode:
		return []string{"1.2.1-e"}
	case CauseNonTLS:
		return []string{"1.2.1-f"}
	case CauseNodeNSG:
		return []string{"1.1.4-e"}
	case CauseAllow:
		return []string{"1.3.6-a", "1.2.3-a", "1.2.3-b", "1.2.1-r", "1.2.1-p", "1.3.1-c", "1.2.1-s", "1.2.1-a", "1.2.3-c", "1.2.3-d", "1.1.6-b"}
	case CauseEndpointNSG:
		return []string{"1.2.1-s"}
	case CauseDefaultDeny:
		return []string{"1.1.4-h", "1.1.4-i"}
	case CausePublicAPI:
		return []string{"1.3.7-a"}
	case CausePaaSDoor:
		return []string{"1.3.6-a", "1.2.1-o"}
	case CauseMesh:
		return []string{"1.1.4-d"}
	case CauseGit:
		return []string{"1.1.1-a"}
	case CauseRegister:
		return []string{"1.1.6-c", "1.1.7-a"}
	default:
		return nil
	}
}

// follow names, for every item, the causes that another item owns. An owner follows nobody by that cause.
func follow(items []Item) {
	owner := map[Cause]string{}
	for _, x := range items {
		for _, c := range x.causes() {
			has := owner[c]
			prefer := c.owners()
			rank := func(id string) int {
				if i := slices.Index(prefer, id); i >= 0 {
					return i
				}
				return len(prefer)
			}
			if has == "" || rank(x.ID) < rank(has) {
				owner[c] = x.ID
			}
		}
	}
	for i := range items {
		x := &items[i]
		all := x.causes()
		for _, c := range all {
			if owner[c] != x.ID {
				x.Follows = append(x.Follows, Follow{owner[c], c.String()})
			}
		}
		x.OnlyFrom = len(all) > 0 && len(x.Follows) == len(all)
	}
}

// causes lists what is at the bottom of the faults of an item, once each, in the order of its parts.
func (x *Item) causes() []Cause {
	var out []Cause
	for _, p := range x.Evidence {
		if p.Verdict != x.Verdict {
			continue
		}
		for _, f := range p.Faults {
			if f.Cause.Class != "" && !slices.Contains(out, f.Cause) {
				out = append(out, f.Cause)
			}
		}
	}
	return out
}
