package pci

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// SARIFOptions choose what SARIF holds. The zero value is what dashboards want.
type SARIFOptions struct {
	// Passes lists what holds as well, as `pass`. Some dashboards take every result for a problem, whatever its kind.
	Passes bool
	// Category tells runs of one project apart whose results stand beside each other: a dashboard takes a later run of the same category
	// for news of the former. Empty: the run of verify.
	Category string
}

// The parts of SARIF 2.1.0 that are written; the names are those of the standard.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool        `json:"tool"`
		Automation sarifAutomation  `json:"automationDetails"`
		Results    []sarifResult    `json:"results"`
		Properties sarifRunProperty `json:"properties"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifRunProperty struct {
		AsOf      string `json:"asOf,omitempty"`
		Standard  string `json:"standard,omitempty"`
		Checklist string `json:"checklist,omitempty"`
	}
	sarifRule struct {
		ID         string            `json:"id"`
		Short      sarifText         `json:"shortDescription"`
		Help       sarifText         `json:"help"`
		Default    sarifDefault      `json:"defaultConfiguration"`
		Properties sarifRuleProperty `json:"properties"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifRuleProperty struct {
		Tags  []string `json:"tags"`
		Score string   `json:"security-severity,omitempty"`
	}
	sarifResultProperty struct {
		Cause   string   `json:"cause"`
		Follows []string `json:"follows,omitempty"` // items that fail by the same cause
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Kind         string            `json:"kind"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Related      []sarifLocation   `json:"relatedLocations,omitempty"`
		CodeFlows    []sarifCodeFlow   `json:"codeFlows,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`

		Properties *sarifResultProperty `json:"properties,omitempty"`
	}
	sarifLocation struct {
		ID       *int           `json:"id,omitempty"`
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
	sarifCodeFlow struct {
		Threads []sarifThread `json:"threadFlows"`
	}
	sarifThread struct {
		Locations []sarifStep `json:"locations"`
	}
	sarifStep struct {
		Location sarifLocation `json:"location"`
	}
)

// SARIF writes assertions and findings for code scanning. A failed assertion is an error at the rule that decides it, an unknown one is
// `open` (decisions.md, section 5).
func SARIF(r *Result, o SARIFOptions) ([]byte, error) {
	s := sarifWriter{r: r.printable(), rules: []sarifRule{}, results: []sarifResult{}}
	for _, a := range s.r.Assertions {
		s.assertion(a, o)
	}
	s.items(o)
	for _, f := range s.r.Findings {
		s.finding(f)
	}
	return s.log(path.Join("ringfence", o.Category, s.r.Project))
}

// log is what was collected as a SARIF log, under an ID that tells runs apart.
func (s *sarifWriter) log(id string) ([]byte, error) {
	name, version, _ := strings.Cut(s.r.Tool, " ")
	if name == "" {
		name = "ringfence"
	}
	return indented(sarifLog{
		Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:       sarifTool{sarifDriver{Name: name, Version: version, Rules: s.rules}},
			Automation: sarifAutomation{ID: id},
			Results:    s.results,
			Properties: sarifRunProperty{AsOf: s.r.AsOf, Standard: s.r.Standard, Checklist: s.r.Summary.Checklist},
		}},
	})
}

type sarifWriter struct {
	r       *Result
	rules   []sarifRule
	results []sarifResult
}

// rule returns the index of a rule, and adds it when it is new.
func (s *sarifWriter) rule(rule sarifRule) int {
	i := slices.IndexFunc(s.rules, func(r sarifRule) bool { return r.ID == rule.ID })
	if i < 0 {
		i = len(s.rules)
		s.rules = append(s.rules, rule)
	}
	return i
}

func (s *sarifWriter) assertion(a solver.AssertionResult, o SARIFOptions) {
	id := "assertion/" + a.ID
	tags := []string{"segmentation"}
	if a.Requirement != "" {
		tags = append(tags, "requirement "+a.Requirement)
	}
	rule := sarifRule{ID: id, Short: sarifMessage(a.Statement), Help: sarifMessage(a.Statement + ". Stated at " + a.Source + "."), Default: sarifDefault{"error"}, Properties: sarifRuleProperty{Tags: tags}}
	result := sarifResult{RuleID: id, RuleIndex: s.rule(rule), Kind: "fail", Level: "error", Fingerprints: fingerprint(id)}
	switch a.Verdict {
	case solver.Pass:
		result.Kind, result.Level = "pass", "none"
	case solver.Fail:
	default:
		result.Kind, result.Level = "open", "none"
	}
	if a.Verdict == solver.Pass && !o.Passes {
		return
	}
	result.Message = sarifMessage(strings.Join(append([]string{message(a)}, evidence(a)...), "\n"))
	stated := s.at(a.Source, "the assertion")
	result.Locations = []sarifLocation{stated}
	if rule, place, source, ok := decidedBy(a); ok && a.Verdict == solver.Fail {
		if at, ok := s.r.placeOf(source); ok {
			result.Locations = []sarifLocation{{Physical: physical(at), Logical: []sarifLogical{{Name: joinWords(place, rule)}}}}
			result.Related = append(result.Related, numbered(stated, 1))
		}
	}
	var steps []sarifStep
	for _, h := range hops(a.Witness) {
		if at, ok := s.r.placeOf(h.Source); ok { // steps without a file make some dashboards refuse the whole log
			text := sarifMessage(joinWords(h.At, h.Stage+":", h.Action, h.Rule))
			steps = append(steps, sarifStep{sarifLocation{Physical: physical(at), Message: &text}})
		}
	}
	if len(steps) > 0 {
		result.CodeFlows = []sarifCodeFlow{{[]sarifThread{{steps}}}}
	}
	s.results = append(s.results, result)
}

func (s *sarifWriter) finding(f lint.Finding) {
	id, level := "finding/"+f.ID, "note"
	switch f.Severity {
	case lint.Error:
		level = "error"
	case lint.Warning:
		level = "warning"
	case lint.Note:
	}
	rule := sarifRule{ID: id, Short: sarifMessage(f.ID), Help: sarifMessage(f.Remedy), Default: sarifDefault{level}, Properties: sarifRuleProperty{Tags: []string{"segmentation"}}}
	if f.Remedy == "" {
		rule.Help = rule.Short
	}
	at := s.at(f.Source, f.Subject)
	at.Message = nil
	at.Logical = []sarifLogical{{Name: f.Subject}}
	s.results = append(s.results, sarifResult{
		RuleID: id, RuleIndex: s.rule(rule), Kind: "fail", Level: level, Message: sarifMessage(joinWords(f.Subject+":", f.Text)),
		Locations: []sarifLocation{at}, Fingerprints: fingerprint(id, f.Subject),
	})
}

// at is a source as a location. One result without a place in a file makes some dashboards refuse all of them, so what has none points
// at the intent file, or at the first input where there is none.
func (s *sarifWriter) at(source, what string) sarifLocation {
	text := sarifMessage(what)
	at, ok := s.r.placeOf(source)
	if !ok {
		at = place{file: "ringfence.yaml"}
		if i := slices.IndexFunc(s.r.Inputs, func(in Input) bool { return in.Kind == "intent" }); i >= 0 {
			at.file = s.r.Inputs[i].Path
		} else if len(s.r.Inputs) > 0 {
			at.file = s.r.Inputs[0].Path
		}
	}
	return sarifLocation{Physical: physical(at), Message: &text}
}

func numbered(l sarifLocation, id int) sarifLocation {
	l.ID = &id
	return l
}

func physical(p place) *sarifPhysical {
	// A colon in the first part would make a scheme of it.
	uri := strings.ReplaceAll((&url.URL{Path: p.file}).EscapedPath(), ":", "%3A")
	out := &sarifPhysical{Artifact: sarifArtifact{URI: uri, Base: "%SRCROOT%"}}
	if p.line > 0 {
		out.Region = &sarifRegion{p.line}
	}
	return out
}

// sarifMessage makes a plain-text message. In one, `[text](target)` is a link; names must not make links.
func sarifMessage(text string) sarifText {
	if text == "" {
		text = "(no text)"
	}
	return sarifText{strings.ReplaceAll(text, "](", "] (")}
}

// fingerprint tells whether two runs report the same thing: it leaves out lines and values, which change when a file is edited.
func fingerprint(parts ...string) map[string]string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return map[string]string{"ringfence/v1": hex.EncodeToString(sum[:16])}
}

func joinWords(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}
