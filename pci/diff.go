package pci

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// Difference is what a change does: flows, verdicts and findings that are others in the proposed project than in the base. Every format is a
// function of it.
type Difference struct {
	Schema   string              `json:"schema"` // ringfence/diff/v1
	Base     string              `json:"base"`
	Proposed string              `json:"proposed"`
	Summary  DifferenceSummary   `json:"summary"`
	Verdicts []VerdictChange     `json:"verdicts"`
	Flows    []solver.FlowChange `json:"flows"`
	Findings FindingChanges      `json:"findings"`
	Tool     string              `json:"tool"`
	Inputs   []Input             `json:"inputs"` // of the proposed project
}

// DifferenceSummary counts.
type DifferenceSummary struct {
	Added    int `json:"added"`
	Widened  int `json:"widened"`
	Narrowed int `json:"narrowed"`
	Removed  int `json:"removed"`
	Worse    int `json:"worse"`    // verdicts
	Better   int `json:"better"`   // verdicts
	Compared int `json:"compared"` // assertions of both or either side; 0: nothing says which change is worse
}

// VerdictChange is an assertion that is decided otherwise, or that one side does not have.
type VerdictChange struct {
	ID        string `json:"id"`
	Before    string `json:"before"` // pass, fail, unknown, absent
	After     string `json:"after"`
	Worse     bool   `json:"worse"`
	Statement string `json:"statement"`
	Reason    string `json:"reason,omitempty"`
	Source    string `json:"source"`

	after *solver.AssertionResult
}

// FindingChanges are the findings that one side alone has.
type FindingChanges struct {
	Added   []lint.Finding `json:"added"`
	Removed []lint.Finding `json:"removed"`
}

// Absent is the verdict of an assertion that a side does not state.
const Absent = "absent"

// Diff compares two solved projects, whose names say what they are: a folder, a snapshot, a revision. A project without an intent has no
// verdicts. beside is the findings of both.
func Diff(base, proposed *solver.Solution, beside *BothFindings, names [2]string, tool string) (*Difference, error) {
	d := &Difference{Schema: "ringfence/diff/v1", Base: names[0], Proposed: names[1], Tool: tool, Verdicts: []VerdictChange{}, Inputs: []Input{}}
	for _, in := range proposed.Project.Inputs {
		d.Inputs = append(d.Inputs, Input{Path: in.Path, SHA256: in.SHA256, Kind: in.Kind, Side: in.Side})
	}
	c, err := solver.Compare(base, proposed)
	if err != nil {
		return nil, err
	}
	d.Flows = c.Flows
	differs := func(a model.Assertion) bool { return !solver.SameAnswer(base, proposed, a) }
	before, same, err := decided(base, differs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", names[0], err)
	}
	d.Summary.Compared = same
	after, _, err := decided(proposed, differs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", names[1], err)
	}
	d.verdicts(before, after)
	d.findings(beside.of(base, proposed))
	for _, f := range d.Flows {
		switch f.Change {
		case solver.Added:
			d.Summary.Added++
		case solver.Widened:
			d.Summary.Widened++
		case solver.Narrowed:
			d.Summary.Narrowed++
		default:
			d.Summary.Removed++
		}
	}
	return d, nil
}

// decided decides the assertions whose verdict may be another on the other side, and counts the rest.
func decided(s *solver.Solution, differs func(model.Assertion) bool) (list []solver.AssertionResult, same int, err error) {
	if s.Project.Intent == nil || len(s.Project.Intent.Assertions) == 0 {
		return nil, 0, nil
	}
	var ask []model.Assertion
	for _, a := range s.Project.Intent.Assertions {
		if differs(a) {
			ask = append(ask, a)
		} else {
			same++
		}
	}
	list, err = s.CheckSome(ask)
	return list, same, err
}

// BothFindings are the findings of the two sides of a difference. Nothing of their solutions is needed for them, so that they can be sought
// while these are made.
type BothFindings struct {
	all           sync.WaitGroup
	before, after []lint.Finding
}

// StartFindings starts to look for the findings of two projects. Where these differ in rules alone, some that both have are left out.
func StartFindings(base, proposed *model.Project) *BothFindings {
	f := &BothFindings{}
	f.all.Go(func() { f.before, f.after = lint.CheckBoth(base, proposed) })
	return f
}

// Wait ends when the findings are there.
func (f *BothFindings) Wait() { f.all.Wait() }

func (f *BothFindings) of(base, proposed *solver.Solution) (before, after []lint.Finding) {
	f.Wait()
	before, after = f.before, f.after
	if base.Project.Intent != nil {
		before = findings(base, before)
	}
	if proposed.Project.Intent != nil {
		after = findings(proposed, after)
	}
	return before, after
}

// verdicts lists what is decided otherwise, what got worse first. An assertion that is gone was demanded before: taking it out is worse than
// keeping it, whatever it said.
func (d *Difference) verdicts(before, after []solver.AssertionResult) {
	find := func(list []solver.AssertionResult, id string) *solver.AssertionResult {
		if i := slices.IndexFunc(list, func(a solver.AssertionResult) bool { return a.ID == id }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	rank := func(verdict string) int {
		return slices.Index([]string{solver.Pass.String(), solver.Undecided.String(), solver.Fail.String(), Absent}, verdict)
	}
	add := func(id string) {
		d.Summary.Compared++
		b, a := find(before, id), find(after, id)
		v := VerdictChange{ID: id, Before: Absent, After: Absent, after: a}
		if b != nil {
			v.Before, v.Statement, v.Source = b.Verdict.String(), b.Statement, b.Source
		}
		if a != nil {
			v.After, v.Statement, v.Source, v.Reason = a.Verdict.String(), a.Statement, a.Source, a.Reason
		}
		if v.Before == v.After {
			return
		}
		v.Worse = rank(v.After) > rank(v.Before) || b == nil && v.After != solver.Pass.String()
		if v.Worse {
			d.Summary.Worse++
		} else {
			d.Summary.Better++
		}
		d.Verdicts = append(d.Verdicts, v)
	}
	for _, a := range after {
		add(a.ID)
	}
	for _, b := range before {
		if find(after, b.ID) == nil {
			add(b.ID)
		}
	}
	slices.SortStableFunc(d.Verdicts, func(a, b VerdictChange) int {
		switch {
		case a.Worse == b.Worse:
			return rank(b.After) - rank(a.After)
		case a.Worse:
			return -1
		default:
			return 1
		}
	})
}

// findings lists the findings of one side that the other has not: the same finding about the same thing is the same, wherever it stands.
func (d *Difference) findings(before, after []lint.Finding) {
	less := func(list, without []lint.Finding) []lint.Finding {
		out := []lint.Finding{}
		for _, f := range list {
			if !slices.ContainsFunc(without, func(x lint.Finding) bool { return x.ID == f.ID && x.Subject == f.Subject }) {
				out = append(out, f)
			}
		}
		return out
	}
	d.Findings = FindingChanges{Added: less(after, before), Removed: less(before, after)}
}

// Same reports that nothing differs in what packets do.
func (d *Difference) Same() bool { return len(d.Flows) == 0 }

func (d *Difference) printable() *Difference {
	out := &Difference{}
	copyValue(out, d, model.Visible)
	for i := range out.Verdicts {
		out.Verdicts[i].after = d.Verdicts[i].after
	}
	return out
}

// DiffJSON writes a difference for programs.
func DiffJSON(d *Difference) ([]byte, error) {
	out := &Difference{}
	copyValue(out, d, func(s string) string { return s })
	return indented(out)
}

// counts says how many flows differ.
func (s DifferenceSummary) counts() string {
	var parts []string
	for _, x := range []struct {
		n    int
		what string
	}{{s.Added, solver.Added}, {s.Widened, solver.Widened}, {s.Narrowed, solver.Narrowed}, {s.Removed, solver.Removed}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	if parts == nil {
		return "no flow differs"
	}
	return "flows: " + strings.Join(parts, ", ")
}

// total is the last line of a summary.
func (d *Difference) total() string {
	s := d.Summary.counts()
	if d.Summary.Compared == 0 {
		s += "; no assertions, so no verdicts"
	} else {
		s += fmt.Sprintf("; of %s %d worse, %d better", count(d.Summary.Compared, "verdict"), d.Summary.Worse, d.Summary.Better)
	}
	return s + fmt.Sprintf("; findings: %d new, %d gone", len(d.Findings.Added), len(d.Findings.Removed))
}

// pairText names the ends of a flow with their zones.
func pairText(f solver.FlowChange) string {
	end := func(name, zone string) string {
		if zone == "" || zone == name {
			return name
		}
		return name + " (" + strings.TrimPrefix(zone, "zone:") + ")"
	}
	return end(f.From, f.FromZone) + " -> " + end(f.To, f.ToZone)
}

// whatText says which packets a change is about, and how sure it is.
func whatText(f solver.FlowChange) string {
	var parts []string
	for _, a := range label.Ask(f.Packets) {
		s := strings.Join(a.Services, ", ")
		if len(a.Targets) > 0 {
			s += " only to " + label.Short(a.Targets, 4)
		}
		parts = append(parts, s)
	}
	s := strings.Join(parts, "; ")
	if len(f.Via) > 0 {
		s += " via " + strings.Join(f.Via, " > ")
	}
	switch {
	case f.Before == solver.Unknown || f.After == solver.Unknown:
		s += fmt.Sprintf(", %s before, %s now", f.Before, f.After)
	case f.Sent:
		s += ", as the sender makes them"
	}
	return s
}

func blameText(b solver.Blame) string {
	s := b.Side + " " + map[string]string{"deny": "denies", "drop": "drops", "allow": "allows", "forward": "forwards"}[b.Action]
	if b.Rule != "" {
		s += " by " + b.Rule
	}
	s += " at " + b.At
	if b.Detail != "" && b.Rule == "" || b.Stage == "route" {
		s += ": " + b.Detail
	}
	return s + inBrackets(b.Source)
}

// What a summary of a difference shows of a long list.
const (
	shownChanges = 20
	shownBlames  = 4
)

// DiffText writes what a person reads in a terminal: what gets worse, then the flows, the gravest first.
func DiffText(d *Difference, o TextOptions) []byte {
	d = d.printable()
	w := newTextWriter(o)
	w.line(0, d.Base+" -> "+d.Proposed)
	for _, v := range d.Verdicts {
		sign, code := "WORSE", red
		if !v.Worse {
			sign, code = "BETTER", faint
		}
		w.b.WriteByte('\n')
		w.put(pad(w.paint(code, sign), 8), w.paint(bold, v.ID)+": "+v.Before+" -> "+v.After+inBrackets(v.Source))
		w.line(8, v.Statement)
		if v.Reason != "" {
			w.line(8, v.Reason)
		}
	}
	for i, f := range d.Flows {
		if i == shownChanges {
			w.b.WriteByte('\n')
			w.line(0, fmt.Sprintf("and %d more flows; --format json has them all", len(d.Flows)-i))
			break
		}
		w.b.WriteByte('\n')
		code := ""
		if f.Change == solver.Added || f.Change == solver.Widened {
			code = yellow
		}
		sign := f.Change
		if code != "" {
			sign = w.paint(code, sign)
		}
		w.put(pad(sign, 10), pairText(f)+": "+whatText(f))
		if f.Witness != nil {
			w.line(10, "packet "+f.Witness.Packet.String())
			for _, l := range f.Witness.Legs {
				w.line(10, "then "+l.Relay+" opens "+l.Packet.String())
			}
		}
		for _, b := range f.Because[:min(shownBlames, len(f.Because))] {
			w.line(10, blameText(b))
		}
	}
	for _, x := range []struct {
		title string
		list  []lint.Finding
	}{{"New findings", d.Findings.Added}, {"Findings that are gone", d.Findings.Removed}} {
		if len(x.list) == 0 {
			continue
		}
		w.b.WriteString("\n" + w.paint(bold, x.title) + "\n")
		for _, f := range x.list[:min(shownFindings, len(x.list))] {
			w.put("  "+w.sign(f.Severity)+" ", f.ID+" "+f.Subject+": "+f.Text+inBrackets(f.Source))
		}
		if more := len(x.list) - shownFindings; more > 0 {
			w.line(2, fmt.Sprintf("and %d more; --format json has them all", more))
		}
	}
	w.b.WriteByte('\n')
	w.line(0, w.paint(bold, d.total()))
	return w.b.Bytes()
}

// maxMarkdown is the most that a comment of a pull request takes, with room to spare.
const maxMarkdown = 60_000

// DiffMarkdown writes a comment for a pull request: at most 60,000 characters, the worst first; what does not fit is counted.
func DiffMarkdown(d *Difference) []byte {
	d = d.printable()
	var b bytes.Buffer
	runes := 0
	room := func(text string, reserve int) bool {
		n := len([]rune(text))
		if runes+n+reserve > maxMarkdown {
			return false
		}
		runes += n
		b.WriteString(text)
		return true
	}
	const tail = 600 // for what is cut off, and the last line
	room("### ringfence: "+markdown(d.total())+"\n\n"+markdown(d.Base)+" → "+markdown(d.Proposed)+"\n", tail)
	section := func(title string, n int, head string, row func(int) string) {
		if n == 0 {
			return
		}
		if !room("\n#### "+title+"\n\n"+head, tail) {
			return
		}
		for i := range n {
			if !room(row(i), tail) {
				room(fmt.Sprintf("\n… and %d more; `ringfence diff --format json` has them all.\n", n-i), 0)
				return
			}
		}
	}
	section("Verdicts", len(d.Verdicts), "| | assertion | before | after | stated at |\n|---|---|---|---|---|\n", func(i int) string {
		v := d.Verdicts[i]
		sign := "🔴 worse"
		if !v.Worse {
			sign = "🟢 better"
		}
		return fmt.Sprintf("| %s | **%s**: %s | %s | %s | %s |\n", sign, markdown(v.ID), markdown(joinWords(v.Statement+".", v.Reason)), v.Before, v.After, markdown(v.Source))
	})
	section("Flows", len(d.Flows), "", func(i int) string {
		f := d.Flows[i]
		var s strings.Builder
		fmt.Fprintf(&s, "- **%s** %s: %s\n", f.Change, markdown(pairText(f)), markdown(whatText(f)))
		if f.Witness != nil {
			fmt.Fprintf(&s, "  - packet `%s`\n", strings.ReplaceAll(f.Witness.Packet.String(), "`", "'"))
		}
		for _, x := range f.Because[:min(shownBlames, len(f.Because))] {
			fmt.Fprintf(&s, "  - %s\n", markdown(blameText(x)))
		}
		return s.String()
	})
	finding := func(list []lint.Finding) func(int) string {
		return func(i int) string {
			f := list[i]
			return fmt.Sprintf("- %s **%s** %s: %s%s\n", f.Severity, markdown(f.ID), markdown(f.Subject), markdown(f.Text), markdown(inBrackets(f.Source)))
		}
	}
	section("New findings", len(d.Findings.Added), "", finding(d.Findings.Added))
	section("Findings that are gone", len(d.Findings.Removed), "", finding(d.Findings.Removed))
	return b.Bytes()
}

// markdown shows a text as it is: nothing in it is markup, a mention or a link.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune("\\`*_[]<>|~#", r):
			b.WriteString("\\" + string(r))
		case r == '@': // a mention would send mail
			b.WriteString("@\u200b")
		case r == '\n':
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// DiffJUnit writes a test case for each assertion that changed, and one that says whether flows differ.
func DiffJUnit(d *Difference) ([]byte, error) {
	d = d.printable()
	const noTime = "0.000"
	suite := junit.Testsuite{Name: d.Proposed, Time: noTime}
	suite.AddProperty("base", d.Base)
	suite.AddProperty("tool", d.Tool)
	suite.AddProperty("flows", d.Summary.counts())
	for _, v := range d.Verdicts {
		c := junit.Testcase{Name: v.ID, Classname: "assertions", Time: noTime}
		text := v.Before + " -> " + v.After
		data := []string{v.Statement}
		if v.after != nil {
			data = append(data, evidence(*v.after)...)
		}
		switch {
		case !v.Worse:
			c.SystemOut = &junit.Output{Data: text}
		case v.After == solver.Undecided.String():
			c.Error = &junit.Result{Message: joinWords(text, v.Reason), Type: "unknown", Data: strings.Join(data, "\n")}
		default:
			c.Failure = &junit.Result{Message: joinWords(text, v.Reason), Type: v.After, Data: strings.Join(data, "\n")}
		}
		suite.AddTestcase(c)
	}
	if len(d.Verdicts) == 0 {
		suite.AddTestcase(junit.Testcase{Name: "no verdict differs", Classname: "assertions", Time: noTime, SystemOut: &junit.Output{Data: d.total()}})
	}
	all := junit.Testsuites{Name: "ringfence diff", Time: noTime}
	all.AddSuite(suite)
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	if err := all.WriteXML(&b); err != nil {
		return nil, fmt.Errorf("write JUnit: %w", err)
	}
	return b.Bytes(), nil
}

// DiffSARIF writes worse verdicts, flows that were added or widened, and new findings for code scanning, each at the rule to blame.
func DiffSARIF(d *Difference) ([]byte, error) {
	d = d.printable()
	s := sarifWriter{r: &Result{Inputs: d.Inputs, Tool: d.Tool}, rules: []sarifRule{}, results: []sarifResult{}}
	for _, v := range d.Verdicts {
		if v.Worse && v.after != nil {
			s.assertion(*v.after, SARIFOptions{})
		}
	}
	for _, f := range d.Flows {
		if f.Change != solver.Added && f.Change != solver.Widened {
			continue
		}
		id := "flow/" + f.Change
		text := map[string]string{solver.Added: "a flow that was not there", solver.Widened: "a flow that was narrower"}[f.Change]
		rule := sarifRule{ID: id, Short: sarifMessage(text), Help: sarifMessage(text), Default: sarifDefault{"warning"}, Properties: sarifRuleProperty{Tags: []string{"segmentation"}}}
		at := s.at("", "the change")
		for _, b := range f.Because {
			if x, ok := s.r.placeOf(b.Source); ok && b.Side == "proposed" {
				at = sarifLocation{Physical: physical(x), Logical: []sarifLogical{{Name: joinWords(b.At, b.Rule)}}}
				break
			}
		}
		message := []string{pairText(f) + ": " + whatText(f)}
		if f.Witness != nil {
			message = append(message, "packet "+f.Witness.Packet.String())
		}
		for _, b := range f.Because {
			message = append(message, blameText(b))
		}
		s.results = append(s.results, sarifResult{
			RuleID: id, RuleIndex: s.rule(rule), Kind: "fail", Level: "warning", Message: sarifMessage(strings.Join(message, "\n")),
			Locations: []sarifLocation{at}, Fingerprints: fingerprint(id, f.From, f.To, string(f.Kind), strings.Join(f.Via, " ")),
		})
	}
	for _, f := range d.Findings.Added {
		s.finding(f)
	}
	return s.log(path.Join("ringfence", "diff"))
}
