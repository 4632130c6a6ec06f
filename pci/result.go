package pci

import (
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// Result is everything that one run of verify decided. Every output format is a function of it.
type Result struct {
	Schema      string                   `json:"schema"` // ringfence/verify/v1
	Project     string                   `json:"project"`
	AsOf        string                   `json:"asOf"`
	Standard    string                   `json:"standard"`
	Inputs      []Input                  `json:"inputs"`
	ServiceTags *solver.TagList          `json:"serviceTags,omitempty"` // the published list, where the project has one
	Summary     Summary                  `json:"summary"`
	Zones       []Zone                   `json:"zones"`
	Matrix      []solver.Row             `json:"matrix"` // zone by zone
	Assertions  []solver.AssertionResult `json:"assertions"`
	Items       []Item                   `json:"items"`
	Findings    []lint.Finding           `json:"findings"`
	DataFlows   []DataFlow               `json:"dataFlows"`
	Ledger      Ledger                   `json:"ledger"`
	Assumptions []solver.Assumption      `json:"assumptions"`
	Tool        string                   `json:"tool"` // ringfence and its version
	Variant     *Variant                 `json:"variant,omitempty"`
}

// Input is one file that was read.
type Input struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Kind   string `json:"kind"`
	Side   string `json:"side,omitempty"`
}

// Summary counts verdicts of assertions and items.
type Summary struct {
	Pass      int    `json:"pass"` // assertions
	Fail      int    `json:"fail"`
	Unknown   int    `json:"unknown"`
	Items     Counts `json:"items"`
	Checklist string `json:"checklist"` // of the checklist, in words
}

// Counts counts items of the checklist by verdict.
type Counts struct {
	Pass               int `json:"pass"`
	Fail               int `json:"fail"`
	Unknown            int `json:"unknown"`
	Attested           int `json:"attested"`
	AttestationMissing int `json:"attestationMissing"`
	NotApplicable      int `json:"notApplicable"`
	Causes             int `json:"causes"` // of the items that fail, each counted once
}

// Zone is a declared zone with what belongs to it.
type Zone struct {
	Name     string         `json:"name"`
	Kind     model.ZoneKind `json:"kind"`
	Owner    string         `json:"owner"`
	Members  []string       `json:"members"`  // endpoints, as selectors
	Prefixes []string       `json:"prefixes"` // of external zones
	Source   string         `json:"source"`
}

// DataFlow is a declared data flow with what was found of each leg.
type DataFlow struct {
	Name      string   `json:"name"`
	Data      []string `json:"data"`
	InTransit string   `json:"inTransit"`
	AtRest    string   `json:"atRest"`
	Source    string   `json:"source"`
	Legs      []Leg    `json:"legs"`
}

// Leg is one step of a declared data flow.
type Leg struct {
	From    string         `json:"from"`
	To      string         `json:"to"`
	Service string         `json:"service"`
	Verdict solver.Verdict `json:"verdict"`
	Via     []string       `json:"via"`
	Reason  string         `json:"reason,omitempty"` // why the leg is impossible or not known
}

// Ledger says what became of everything that was read.
type Ledger struct {
	Modelled    int           `json:"modelled"`
	Irrelevant  int           `json:"irrelevant"`
	Unsupported []LedgerEntry `json:"unsupported"`
}

// LedgerEntry is one object, or one field, that ringfence does not understand and that may matter.
type LedgerEntry struct {
	Resource string `json:"resource"`
	Type     string `json:"type"`
	Source   string `json:"source"`
	Effect   string `json:"effect"`
}
