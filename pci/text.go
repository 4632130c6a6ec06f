package pci

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// TextOptions say how the summary is set.
type TextOptions struct {
	Width int  // columns of the terminal; 0 is 100
	Color bool // terminal colours; every colour goes with a word
}

// What a summary shows of a long list before it counts the rest.
const (
	shownFindings    = 8
	shownFlows       = 3
	shownAssumptions = 3
)

// Text writes the summary that a person reads in ten seconds: the zones by zones, then what fails, what is not known, findings, and
// the counts. What holds is counted only.
func Text(r *Result, o TextOptions) []byte {
	r = r.printable()
	w := newTextWriter(o)
	w.line(0, read(r))
	w.matrix(r)
	for _, a := range r.Assertions {
		if a.Verdict == solver.Fail {
			w.fail(a)
		}
	}
	for _, a := range r.Assertions {
		if a.Verdict == solver.Undecided {
			w.unknown(a)
		}
	}
	w.variant(r.Variant)
	w.checklist(r)
	w.findings(r.Findings)
	w.unsupported(r.Ledger.Unsupported)
	w.b.WriteByte('\n')
	w.line(0, w.paint(bold, total(r)))
	return w.b.Bytes()
}

// read says what was read, and for which day it is judged.
func read(r *Result) string {
	s := r.Project + ": " + count(len(r.Inputs), "file")
	if len(r.Zones) > 0 {
		s += ", " + count(len(r.Zones), "zone")
	}
	s += ", " + count(r.Ledger.Modelled, "object") + " modelled"
	if r.AsOf != "" {
		s += ", judged as of " + r.AsOf
	}
	if r.ServiceTags != nil {
		s += ", " + r.ServiceTags.String()
	}
	return s
}

// total is the last line.
func total(r *Result) string {
	s := fmt.Sprintf("%s: %d pass, %d fail, %d unknown; %s", count(len(r.Assertions), "assertion"), r.Summary.Pass, r.Summary.Fail, r.Summary.Unknown, count(len(r.Findings), "finding"))
	if r.Summary.Checklist != "" {
		s += "; checklist: " + r.Summary.Checklist
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

type textWriter struct {
	b     bytes.Buffer
	width int
	color bool
}

func newTextWriter(o TextOptions) *textWriter {
	if o.Width <= 0 {
		o.Width = 100
	}
	return &textWriter{width: max(o.Width, 40), color: o.Color}
}

// The terminal codes that are used.
const (
	bold   = "1"
	red    = "1;31"
	yellow = "1;33"
	faint  = "2"
)

func (w *textWriter) paint(code, s string) string {
	if !w.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// line writes words behind an indent.
func (w *textWriter) line(indent int, s string) { w.put(strings.Repeat(" ", indent), s) }

// put writes words behind a lead, broken at spaces so that no line is wider than the terminal where that can be avoided. What follows
// the first line stands below its first word, two columns in.
func (w *textWriter) put(lead, s string) {
	indent := columns(lead)
	at := indent
	w.b.WriteString(lead)
	for i, word := range strings.Fields(s) {
		switch wide := columns(word); {
		case i == 0:
			at += wide
		case at+1+wide > w.width:
			w.b.WriteString("\n" + strings.Repeat(" ", indent+2))
			at = indent + 2 + wide
		default:
			w.b.WriteByte(' ')
			at += 1 + wide
		}
		w.b.WriteString(word)
	}
	w.b.WriteByte('\n')
}

// columns is how wide a text stands on a terminal: codes and combining marks take no room, East Asian wide characters take two.
func columns(s string) int {
	n := 0
	code := false
	for _, r := range s {
		switch {
		case r == '\x1b':
			code = true
		case code:
			code = r != 'm'
		case unicode.In(r, unicode.Mn, unicode.Me):
		case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0xff01 && r <= 0xff60 || r >= 0x3000 && r <= 0x303f || r >= 0x1f300 && r <= 0x1faff:
			n += 2
		default:
			n++
		}
	}
	return n
}

func pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-columns(s))) }

// fail shows why an assertion does not hold: the packet, the rule that decides, and where it stands.
func (w *textWriter) fail(a solver.AssertionResult) {
	w.head(w.paint(red, "FAIL"), a)
	if a.Reason != "" {
		w.line(6, a.Reason)
	}
	if a.Witness != nil {
		w.line(6, "packet "+a.Witness.Packet.String())
		for _, l := range a.Witness.Legs {
			w.line(6, "then "+l.Relay+" opens "+l.Packet.String())
		}
	}
	if rule, at, source, ok := decidedBy(a); ok {
		verb := "let pass by "
		if len(a.BlockedBy) > 0 {
			verb = "blocked by "
		}
		if rule == "" {
			rule = a.BlockedBy[0].Stage
		}
		w.line(6, verb+rule+" at "+at+inBrackets(source))
		if len(a.BlockedBy) > 1 {
			w.line(6, "and by "+count(len(a.BlockedBy)-1, "more rule"))
		}
	}
	for _, f := range a.Violations[:min(shownFlows, len(a.Violations))] {
		w.line(6, "flow "+flowText(f))
		if f.Witness != nil && len(a.Violations) > 1 {
			w.line(8, "as "+proofText(f.Witness))
		}
	}
	if more := len(a.Violations) - shownFlows; more > 0 {
		w.line(6, "and "+count(more, "more flow"))
	}
	for _, e := range a.Expired {
		w.line(6, "expired exception: "+e)
	}
	for _, l := range remedyLines(a.Remedy) {
		w.line(6, l)
	}
}

// unknown shows what an assertion hinges on.
func (w *textWriter) unknown(a solver.AssertionResult) {
	w.head(w.paint(yellow, "?"), a)
	if a.Reason != "" {
		w.line(6, a.Reason)
	}
	facts := missing(a.Assumptions)
	for _, m := range facts[:min(shownAssumptions, len(facts))] {
		w.line(6, "missing: "+assumptionText(m))
	}
	if more := len(facts) - shownAssumptions; more > 0 {
		w.line(6, "and "+count(more, "more assumption"))
	}
	for _, l := range hingeLines(a.Hinges) {
		w.line(6, l)
	}
}

func (w *textWriter) head(sign string, a solver.AssertionResult) {
	w.b.WriteByte('\n')
	more := strings.Join(slices.DeleteFunc([]string{a.Requirement, a.Source}, func(s string) bool { return s == "" || s == "-" }), ", ")
	if more != "" {
		more = " " + w.paint(faint, "("+more+")")
	}
	w.put(pad(sign, 6), w.paint(bold, a.ID)+more)
	w.line(6, a.Statement)
}

func (w *textWriter) findings(list []lint.Finding) {
	if len(list) == 0 {
		return
	}
	w.b.WriteString("\n" + w.paint(bold, "Findings") + "\n")
	for _, f := range list[:min(shownFindings, len(list))] {
		w.put("  "+w.sign(f.Severity)+" ", f.ID+" "+f.Subject+": "+f.Text+inBrackets(f.Source))
	}
	if more := len(list) - shownFindings; more > 0 {
		w.line(2, fmt.Sprintf("and %d more; the report has them all", more))
	}
}

// sign is a severity in its colour.
func (w *textWriter) sign(s lint.Severity) string {
	sign := pad(string(s), 7)
	switch s {
	case lint.Error:
		return w.paint(red, sign)
	case lint.Warning:
		return w.paint(yellow, sign)
	case lint.Note:
	}
	return sign
}

func (w *textWriter) unsupported(list []LedgerEntry) {
	if len(list) == 0 {
		return
	}
	const shown = 3
	w.b.WriteString("\n" + w.paint(bold, "Not understood, and it may matter") + "\n")
	for _, l := range list[:min(shown, len(list))] {
		w.line(2, l.Type+" "+l.Resource+": "+l.Effect+inBrackets(l.Source))
	}
	if more := len(list) - shown; more > 0 {
		w.line(2, fmt.Sprintf("and %d more; the report has them all", more))
	}
}

// pairs is the matrix as a table: rows are senders, columns are targets.
type pairs struct {
	names []string // rows and columns, as shown
	cells map[[2]int][]cell
}

// cell is one row of the matrix, in a corner of the table.
type cell struct {
	row      int // index in Result.Matrix
	services []string
	via      []string
	kind     solver.Kind
	unknown  bool
}

// zonePairs arranges the matrix. Zones come in their order, then ends that are no zone.
func zonePairs(r *Result) pairs {
	p := pairs{cells: map[[2]int][]cell{}}
	if len(r.Zones) < 2 && len(r.Matrix) == 0 {
		return p // the internet alone: nothing was asked, so nothing is said to be proved
	}
	index := map[string]int{}
	add := func(end, name string) int {
		if i, ok := index[end]; ok {
			return i
		}
		index[end] = len(p.names)
		p.names = append(p.names, name)
		return index[end]
	}
	for _, z := range r.Zones {
		index["zone:"+z.Name] = add(z.Name, z.Name)
	}
	for n, row := range r.Matrix {
		if row.Verdict == solver.Unreachable {
			continue
		}
		key := [2]int{add(row.Src, label.Name(row.Src)), add(row.Dst, label.Name(row.Dst))}
		p.cells[key] = append(p.cells[key], cell{
			row: n, services: label.Services(row.Packets), via: row.Via, kind: row.Kind, unknown: row.Verdict == solver.Unknown,
		})
	}
	return p
}

// short is a cell in few characters: `443`, `443 via agw`, `*`, `?443`; `tcp/*(-2)` is all but two ranges of ports.
func (c cell) short() string {
	const services = 2
	list := make([]string, len(c.services))
	for i, s := range c.services {
		most, gaps, _ := strings.Cut(s, " except ")
		if list[i] = bare(most); most == "any" {
			list[i] = "*"
		}
		if gaps != "" {
			list[i] += fmt.Sprintf("(-%d)", len(strings.Fields(gaps)))
		}
	}
	s := strings.ReplaceAll(label.Short(list, services), ", ", ",")
	if len(list) == 0 {
		s = "none stated"
	}
	if c.unknown {
		s = "?" + s
	}
	if len(c.via) > 0 {
		s += " via " + label.Name(c.via[0])
	} else if c.kind == solver.Relayed {
		s += " relayed"
	}
	if len(c.via) > 1 {
		s += fmt.Sprintf(",+%d", len(c.via)-1)
	}
	return s
}

// bare is a service as a table shows it: TCP ports by their number.
func bare(service string) string {
	if n := strings.TrimPrefix(service, "tcp/"); !strings.HasPrefix(n, "*") {
		return n
	}
	return service
}

// lines is the cell of a pair, broken to a width: certain ways first, and of many the first ones.
func (p pairs) lines(from, to, width int) []string {
	const shown = 3
	var out []string
	all := p.cells[[2]int{from, to}]
	cells := slices.Clone(all)
	slices.SortStableFunc(cells, func(a, b cell) int {
		switch {
		case a.unknown == b.unknown:
			return cmp.Compare(len(a.via), len(b.via))
		case b.unknown:
			return -1
		default:
			return 1
		}
	})
	// What is certain for some ends of a zone need not be said again as possible for others.
	cells = slices.DeleteFunc(cells, func(c cell) bool {
		return c.unknown && slices.ContainsFunc(all, func(d cell) bool {
			return !d.unknown && d.kind == c.kind && slices.Equal(d.services, c.services) && slices.Equal(d.via, c.via)
		})
	})
	for i, c := range cells {
		if i == shown {
			out = append(out, fmt.Sprintf("+%d more", len(cells)-shown))
			break
		}
		at := ""
		for word := range strings.FieldsSeq(c.short()) {
			if at != "" && columns(at)+1+columns(word) > width {
				out, at = append(out, cut(at, width)), word
				continue
			}
			at = strings.TrimPrefix(at+" "+word, " ")
		}
		out = append(out, cut(at, width))
	}
	switch {
	case len(out) > 0:
		return slices.Compact(out)
	case from == to:
		return []string{""} // not asked
	default:
		return []string{"-"}
	}
}

// cut shortens a text to a number of columns.
func cut(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	n := 0
	for i, r := range s {
		n += columns(string(r))
		if n > width-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// matrix writes the zones by zones, in as many blocks as the width asks for. Columns that nothing enters are named below instead.
func (w *textWriter) matrix(r *Result) {
	p := zonePairs(r)
	if len(p.names) == 0 {
		return
	}
	const widest = 16
	var shown, closed []int
	for to := range p.names {
		open := false
		for from := range p.names {
			open = open || len(p.cells[[2]int{from, to}]) > 0
		}
		if open {
			shown = append(shown, to)
		} else {
			closed = append(closed, to)
		}
	}
	left := columns("from \\ to")
	for _, n := range p.names {
		left = max(left, min(columns(n), widest))
	}
	wide := map[int]int{}
	for _, to := range shown {
		wide[to] = min(columns(p.names[to]), widest)
		for from := range p.names {
			for _, l := range p.lines(from, to, widest) {
				wide[to] = max(wide[to], min(columns(l), widest))
			}
		}
	}
	for len(shown) > 0 {
		used, n := left, 0
		for n < len(shown) && (n == 0 || used+2+wide[shown[n]] <= w.width) {
			used += 2 + wide[shown[n]]
			n++
		}
		w.block(p, shown[:n], left, wide)
		shown = shown[n:]
	}
	if len(closed) > 0 {
		names := make([]string, len(closed))
		for i, to := range closed {
			names[i] = p.names[to]
		}
		w.line(0, "nothing reaches: "+strings.Join(names, ", "))
	}
	legend := "443 is tcp/443, * any packet, ? possible but not known, - proved to be no path; via: relays and controls on the way"
	if bytes.Contains(w.b.Bytes(), []byte("(-")) {
		legend += "; (-2): but for two of them"
	}
	w.line(0, w.paint(faint, legend))
}

func (w *textWriter) block(p pairs, shown []int, left int, wide map[int]int) {
	w.b.WriteByte('\n')
	row := func(code, name string, cells func(to int) string) {
		line := pad(w.paint(code, cut(name, left)), left)
		for i, to := range shown {
			c := cells(to)
			if i < len(shown)-1 {
				c = pad(c, wide[to])
			}
			line += "  " + c
		}
		w.b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	row(bold, `from \ to`, func(to int) string { return w.paint(bold, cut(p.names[to], wide[to])) })
	for from := range p.names {
		height := 1
		for _, to := range shown {
			height = max(height, len(p.lines(from, to, wide[to])))
		}
		for i := range height {
			name := ""
			if i == 0 {
				name = p.names[from]
			}
			row(bold, name, func(to int) string {
				lines := p.lines(from, to, wide[to])
				if i >= len(lines) {
					return ""
				}
				if strings.HasPrefix(lines[i], "?") {
					return w.paint(yellow, lines[i])
				}
				return lines[i]
			})
		}
	}
}
