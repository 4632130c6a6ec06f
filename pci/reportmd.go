package pci

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// Markdown writes the whole report as Markdown, for wikis, pull requests and archives of text: what was read, what came out for each
// requirement, each item with its evidence, the registers, what the verdicts rest on and what was not understood. Nothing is left out but
// rows of packets that the run itself did not keep, which it says.
func Markdown(r *Result, in *model.Intent) []byte {
	if in == nil {
		in = &model.Intent{}
	}
	p := newPage(r.printable())
	w := &markdownWriter{}
	w.first(p, in)
	w.checklist(p)
	w.assertions(p)
	w.variant(p.Opened)
	w.matrix(p)
	w.findings(p)
	w.dataFlows(p)
	w.zones(p)
	w.registers(in)
	w.assumptions(p)
	w.unsupported(p)
	text := bytes.TrimRight(regexp.MustCompile(`\n{3,}`).ReplaceAll(w.b.Bytes(), []byte("\n\n")), "\n")
	return append(text, '\n')
}

// markdownWriter writes parts of a report. Texts are escaped where they are written; formats hold marks of ours alone.
type markdownWriter struct{ b bytes.Buffer }

// line writes a line in which %s stands for texts that are shown as they are.
func (w *markdownWriter) line(format string, texts ...any) {
	for i, t := range texts {
		if s, ok := t.(string); ok {
			texts[i] = markdown(model.Visible(s))
		}
	}
	fmt.Fprintf(&w.b, format+"\n", texts...)
}

func (w *markdownWriter) gap() { w.b.WriteByte('\n') }

func (w *markdownWriter) title(format string, texts ...any) {
	w.gap()
	w.line(format, texts...)
	w.gap()
}

// table writes a table; without rows it says so.
func (w *markdownWriter) table(header []string, rows [][]string, none string) {
	if len(rows) == 0 {
		w.line("%s", none)
		w.gap()
		return
	}
	markdownTable(&w.b, header, rows)
}

// first is the first page: the scope, the day, the result for each requirement, and the inputs.
func (w *markdownWriter) first(p *page, in *model.Intent) {
	w.line("# %s: segmentation report", p.Project)
	w.title("**%s**", p.Headline)
	w.line("| | |")
	w.line("|---|---|")
	w.line("| Standard | %s |", p.Standard)
	w.line("| Judged as of | %s |", cmp.Or(p.AsOf, "the day of the run"))
	w.line("| Judged side | %s |", cmp.Or(in.Judge, "desired"))
	w.line("| Made by | %s |", p.Tool)
	w.line("| Read | %s |", fmt.Sprintf("%s; %s modelled, %s that cannot carry or filter traffic, %d not understood", count(len(p.Inputs), "file"), count(p.Ledger.Modelled, "object"), count(p.Ledger.Irrelevant, "object"), len(p.Ledger.Unsupported)))
	w.line("| Assertions | %s |", fmt.Sprintf("%d pass, %d fail, %d unknown", len(p.Passed), len(p.Failed), len(p.Unknown)))
	w.line("| Checklist | %s |", p.Summary.Checklist)
	w.line("| Findings | %s |", fmt.Sprintf("%s, %s, %s", count(p.Errors, "error"), count(p.Warnings, "warning"), count(len(p.Findings)-p.Errors-p.Warnings, "note")))
	w.title("## Scope")
	var rows [][]string
	for _, z := range p.Zones {
		rows = append(rows, []string{z.Name, string(z.Kind), z.Owner, count(len(z.Members), "endpoint")})
	}
	w.table([]string{"zone", "kind", "owner", "holds"}, rows, "No zones are declared.")
	if len(p.Requirements) > 0 {
		w.title("## Result by requirement")
		rows = nil
		for _, q := range p.Requirements {
			rows = append(rows, []string{q.ID, string(q.Verdict), strings.Join(q.Counts, ", ")})
		}
		w.table([]string{"requirement", "verdict", "items"}, rows, "")
		w.line("PCI DSS assesses requirements, not the items of this report: a pass is evidence for a requirement, not its fulfilment. Verdicts are about new connections and about the configuration that was read.")
	}
	w.title("## Inputs")
	rows = nil
	for _, x := range p.Inputs {
		rows = append(rows, []string{x.Path, x.Kind, x.Side, x.SHA256})
	}
	w.table([]string{"file", "kind", "side", "SHA-256"}, rows, "No files were read.")
	if t := p.ServiceTags; t != nil {
		w.line("Service tags: %s.", fmt.Sprintf("list %d of cloud %s", t.ChangeNumber, t.Cloud)+inBrackets(t.Source))
	}
}

// checklist writes every item, by requirement.
func (w *markdownWriter) checklist(p *page) {
	if len(p.Requirements) == 0 {
		return
	}
	w.title("## Checklist")
	for _, q := range p.Requirements {
		w.title("### Requirement %s: %s", q.ID, string(q.Verdict))
		for _, x := range q.Items {
			w.item(x.Item)
		}
	}
}

func (w *markdownWriter) item(x Item) {
	w.title("#### %s %s: %s", x.ID, x.Title, string(x.Verdict))
	w.line("Decided by %s; PCI DSS v4.0.1 %s; severity %s.", x.Method, x.V4, string(x.Severity))
	if x.CheckedAs != "" {
		w.gap()
		w.line("The checklist says: %s. Checked as: %s, because %s.", x.Says, x.CheckedAs, x.Why)
	}
	for _, f := range x.Follows {
		w.gap()
		w.line("Follows from %s: %s.", f.Item, f.Cause)
	}
	for _, part := range x.Evidence {
		w.gap()
		w.part(part)
	}
	if x.Remedy != "" && x.Verdict.rank() <= ItemAttestationMissing.rank() {
		w.gap()
		w.line("Remedy: %s.", x.Remedy)
	}
}

func (w *markdownWriter) part(p Part) {
	w.line("**%s**: %s", string(p.Verdict), p.Statement)
	w.gap()
	if p.Reason != "" {
		w.line("- because: %s", p.Reason)
	}
	for _, f := range p.Faults {
		w.line("- fault: %s%s", faultText(f), inBrackets(f.Source))
		if f.Remedy != "" {
			w.line("  - remedy: %s", f.Remedy)
		}
		for _, s := range witnessText(f.Witness) {
			w.line("  - shown by: %s", s)
		}
		w.flows("  - ", f.Flows)
	}
	for _, s := range p.Facts {
		w.line("- found: %s", s)
	}
	for _, s := range p.Waived {
		w.line("- exception: %s", s)
	}
	for _, s := range p.Notes {
		w.line("- note: %s", s)
	}
	for _, s := range p.Residual {
		w.line("- left out of the proof: %s", s)
	}
	if ids := assumptionIDs(p.Assumptions); ids != "" {
		w.line("- rests on: %s", ids)
	}
	if p.Table != nil {
		w.gap()
		header := make([]string, len(p.Table.Header))
		for i, h := range p.Table.Header {
			header[i] = markdown(model.Visible(h))
		}
		w.table(header, p.Table.Rows, "The table has no rows.")
	}
}

func assumptionIDs(list []solver.Assumption) string {
	var ids []string
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	return strings.Join(ids, ", ")
}

// flows writes flows with every row of packets that the run kept.
func (w *markdownWriter) flows(lead string, list []solver.Flow) {
	for _, f := range list {
		text := flowText(solver.Flow{From: f.From, To: f.To, Verdict: f.Verdict, Kind: f.Kind, Via: f.Via, Label: f.Label})
		w.line(lead+"flow: %s", text)
		for _, row := range packetRows(f.Packets) {
			text := fmt.Sprintf("%s %s from %s to %s", row.Protocol, strings.Join(row.Ports, ", "), strings.Join(row.Src, ", "), strings.Join(row.Dst, ", "))
			if len(row.Targets) > 0 {
				text += ", only to " + strings.Join(row.Targets, ", ")
			}
			w.line("  "+lead+"packets: %s", text)
		}
		if f.Total > uint64(len(f.Packets)) {
			w.line("  "+lead+"and %s", fmt.Sprintf("%d more rows, which the run did not keep", f.Total-uint64(len(f.Packets))))
		}
	}
}

// assertions writes what failed and what is not known with its evidence, and what was proved.
func (w *markdownWriter) assertions(p *page) {
	w.title("## Assertions")
	for _, a := range slices.Concat(p.Failed, p.Unknown) {
		w.title("### %s: %s", a.ID, a.Verdict.String())
		w.line("%s", "Asked: "+a.Statement+inBrackets(a.Source))
		w.gap()
		if a.Requirement != "" {
			w.line("- requirement: %s", a.Requirement)
		}
		if a.Reason != "" {
			w.line("- because: %s", a.Reason)
		}
		if a.At != "" {
			what := "let pass by"
			if len(a.BlockedBy) > 0 {
				what = "blocked by"
			}
			w.line("- decided: %s", what+" "+cmp.Or(a.Rule, "a control")+" at "+a.At+inBrackets(a.Place))
		}
		for _, s := range witnessText(a.Witness) {
			w.line("- shown by: %s", s)
		}
		for _, b := range a.BlockedBy {
			w.line("- stopped by: %s", blockerText(b))
		}
		for _, s := range remedyLines(a.Remedy) {
			w.line("- change: %s", s)
		}
		for _, s := range hingeLines(a.Hinges) {
			w.line("- hangs on: %s", s)
		}
		w.flows("- ", a.Violations)
		for _, s := range a.Expired {
			w.line("- exception whose day has passed: %s", s)
		}
		for _, s := range a.Waived {
			w.line("- exception: %s", s)
		}
		for _, x := range missing(a.Assumptions) {
			w.line("- missing: %s", assumptionText(x))
		}
		if ids := assumptionIDs(a.Assumptions); ids != "" {
			w.line("- rests on: %s", ids)
		}
	}
	w.title("### Proved")
	var rows [][]string
	for _, a := range p.Passed {
		rows = append(rows, []string{a.ID, joinWords(a.Statement, a.Reason), a.Requirement, strings.Join(a.Waived, "; "), assumptionIDs(a.Assumptions), where(a.Source)})
	}
	w.table([]string{"assertion", "proved", "requirement", "exceptions", "rests on", "stated at"}, rows, "None.")
}

// variant writes what opens while access is open.
func (w *markdownWriter) variant(v *variantView) {
	if v == nil {
		return
	}
	w.title("## Variant %s", v.Name)
	w.line("No verdict of this report takes part in it.")
	w.gap()
	for _, d := range v.Doors {
		w.line("- access: %s", d.Head)
		for _, s := range []string{d.Note, d.Door, d.Opened} {
			if s != "" {
				w.line("  - that is: %s", s)
			}
		}
		w.flows("  - ", d.Always)
	}
	for _, x := range v.Verdicts {
		w.line("- while open: %s", fmt.Sprintf("%s: %s -> %s%s", x.ID, x.Before, x.After, inBrackets(x.Source)))
	}
	for _, f := range v.Changes {
		w.line("- %s: %s", f.Change, f.Pair+": "+f.What)
		for _, s := range f.Lines {
			w.line("  - by: %s", s)
		}
	}
	if len(v.Changes) == 0 {
		w.line("No flow differs while access is open.")
	}
}

// matrix writes which zone reaches which.
func (w *markdownWriter) matrix(p *page) {
	if len(p.Matrix) == 0 {
		return
	}
	w.title("## Zones by zones")
	w.line("What is not listed was proved to have no path.")
	w.gap()
	var rows [][]string
	for _, x := range p.Matrix {
		if x.Verdict == solver.Unreachable {
			continue
		}
		var packets []string
		for _, k := range packetRows(x.Packets) {
			packets = append(packets, k.Protocol+" "+strings.Join(k.Ports, ",")+" from "+strings.Join(k.Src, ", ")+" to "+strings.Join(k.Dst, ", "))
		}
		rows = append(rows, []string{x.Src, x.Dst, x.Verdict.String(), string(x.Kind), strings.Join(x.Via, " > "), strings.Join(packets, "; ")})
	}
	w.table([]string{"from", "to", "verdict", "kind", "via", "packets"}, rows, "No zone reaches another one.")
}

func (w *markdownWriter) findings(p *page) {
	w.title("## Findings")
	var rows [][]string
	for _, f := range p.Findings {
		rows = append(rows, []string{string(f.Severity), f.ID, f.Subject, f.Text, f.Remedy, where(f.Source)})
	}
	w.table([]string{"severity", "finding", "subject", "what", "remedy", "at"}, rows, "None.")
}

func (w *markdownWriter) dataFlows(p *page) {
	if len(p.DataFlows) == 0 {
		return
	}
	w.title("## Data flows")
	for _, f := range p.DataFlows {
		w.title("### %s", f.Name)
		w.line("Carries %s; in transit: %s; at rest: %s; declared at %s.", strings.Join(f.Data, ", "), cmp.Or(f.InTransit, "not stated"), cmp.Or(f.AtRest, "not stated"), where(f.Source))
		w.gap()
		var rows [][]string
		for _, l := range f.Legs {
			rows = append(rows, []string{l.From, l.To, l.Service, l.Verdict.String(), strings.Join(l.Via, " > "), l.Reason})
		}
		w.table([]string{"from", "to", "service", "verdict", "via", "because"}, rows, "It has no legs.")
	}
}

func (w *markdownWriter) zones(p *page) {
	w.title("## Zones")
	var rows [][]string
	for _, z := range p.Zones {
		rows = append(rows, []string{z.Name, string(z.Kind), z.Owner, strings.Join(slices.Concat(z.Prefixes, z.Members), ", "), where(z.Source)})
	}
	w.table([]string{"zone", "kind", "owner", "members", "declared at"}, rows, "No zones are declared.")
}

// registers are what people stated and signed, as the project has it: whether it holds is said by the items.
func (w *markdownWriter) registers(in *model.Intent) {
	w.title("## Registers")
	w.line("What people stated, as ringfence.yaml has it. Whether an entry counts is said by the items.")
	w.title("### Reviews")
	var rows [][]string
	for _, x := range in.Reviews {
		rows = append(rows, []string{strings.Join(x.RuleSets, ", "), x.By, x.On.String(), x.Actions, x.Ticket, x.Procedure, x.Snapshot, where(x.Source.String())})
	}
	w.table([]string{"rule sets", "by", "on", "actions", "ticket", "procedure", "snapshot", "at"}, rows, "None.")
	w.title("### Justifications")
	rows = nil
	for _, x := range in.Justifications {
		rows = append(rows, []string{strings.Join(x.Rules, ", "), x.Reason, x.Owner, x.ApprovedBy, x.Ticket, dayText(x.Expires), strings.Join(x.SecurityFeatures, ", "), where(x.Source.String())})
	}
	w.table([]string{"rules", "reason", "owner", "approved by", "ticket", "expires", "security features", "at"}, rows, "None.")
	w.title("### Exceptions")
	rows = nil
	for _, a := range in.Assertions {
		for _, x := range a.Except {
			var of []string
			if len(x.From) > 0 {
				of = append(of, "from "+texts(x.From))
			}
			if len(x.To) > 0 {
				of = append(of, "to "+texts(x.To))
			}
			for _, s := range x.Services {
				of = append(of, s.String())
			}
			rows = append(rows, []string{a.ID, strings.Join(of, ", "), x.Owner, x.Reason, dayText(x.Expires), where(x.Source.String())})
		}
	}
	w.table([]string{"assertion", "lets pass", "owner", "reason", "expires", "at"}, rows, "None.")
	w.title("### Attestations")
	rows = nil
	for _, x := range in.Attestations {
		rows = append(rows, []string{x.Item, x.By, x.On.String(), dayText(x.Expires), x.Evidence, x.Reason, where(x.Source.String())})
	}
	w.table([]string{"item", "by", "on", "expires", "evidence", "stated", "at"}, rows, "None.")
	w.title("### Statements that something does not exist")
	rows = nil
	for _, x := range in.None {
		rows = append(rows, []string{x.What, x.By, x.On.String(), dayText(x.Expires), x.Reason, where(x.Source.String())})
	}
	w.table([]string{"what", "by", "on", "expires", "reason", "at"}, rows, "None.")
	w.title("### Who may change controls")
	rows = nil
	for _, x := range in.PCI.NetworkAdmins {
		rows = append(rows, []string{x.Principal, x.Name, x.Role, where(x.Source.String())})
	}
	w.table([]string{"principal", "name", "role", "at"}, rows, "None.")
}

// dayText is a day, or nothing.
func dayText(d model.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func (w *markdownWriter) assumptions(p *page) {
	w.title("## Assumptions")
	var rows [][]string
	for _, a := range p.Assumptions {
		state := "assumed"
		if a.Open {
			state = "open: both readings are kept"
		}
		rows = append(rows, []string{a.ID, state, a.Text, a.Settle})
	}
	w.table([]string{"assumption", "state", "what is not known for certain", "settled by"}, rows, "None.")
}

func (w *markdownWriter) unsupported(p *page) {
	w.title("## Not understood")
	var rows [][]string
	for _, l := range p.Ledger.Unsupported {
		rows = append(rows, []string{l.Resource, l.Type, l.Effect, where(l.Source)})
	}
	w.table([]string{"resource", "type", "what it may change", "at"}, rows, "Everything that was read was understood.")
}
