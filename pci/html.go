package pci

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/diagram"
	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

//go:embed report.html.tmpl
var reportTemplate string

//go:embed report.css
var reportStyle string

//go:embed report.js
var reportScript string

// Diagrams are the pictures that stand in the report, as package diagram draws them. Either may be missing.
type Diagrams struct {
	Network, DataFlow []diagram.Figure
}

// HTML writes the report: one file that loads nothing, follows a dark screen and prints on paper. Its script adds to what stands there
// already: without it, and on paper, the report reads whole. x, which may be nil, is what the report can be asked.
func HTML(r *Result, d Diagrams, x *Exploration) ([]byte, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"list":    func(l []string) string { return strings.Join(l, ", ") },
		"chain":   func(l []string) string { return strings.Join(l, " › ") },
		"short":   shortList,
		"count":   count,
		"missing": missing,
		"nextHop": nextHop,
		"add":     func(a, b int) int { return a + b },
		"flows":   flowViews,
		"where":   where,
		"fault":   faultText,
		"class":   verdictClass,
		"witness": witnessText,
		"remedy":  remedyLines,
		"hinges":  hingeLines,
		"beyond":  func(l []solver.Flow) int { return max(0, len(l)-shownViolations) },
	}).Parse(reportTemplate)
	if err != nil {
		return nil, fmt.Errorf("report template: %w", err)
	}
	p := newPage(r)
	p.Style, p.Script = template.CSS(reportStyle), template.JS(reportScript) // our own files
	sum := sha256.Sum256([]byte(reportScript))
	p.ScriptHash = base64.StdEncoding.EncodeToString(sum[:])
	p.Network, p.DataFlow = figures(d.Network), figures(d.DataFlow)
	p.explore(x)
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	return b.Bytes(), nil
}

// figureView is a picture as part of a page.
type figureView struct {
	diagram.Figure
	Picture template.HTML
}

func figures(list []diagram.Figure) []figureView {
	var out []figureView
	for _, f := range list {
		v := figureView{Figure: f}
		s := string(f.SVG)
		if head, rest, ok := strings.Cut(s, "?>"); ok && strings.HasPrefix(head, "<?xml") {
			s = strings.TrimSpace(rest)
		}
		v.Picture = template.HTML(s) // package diagram escapes what it draws
		out = append(out, v)
	}
	return out
}

// page is what the template shows.
type page struct {
	*Result
	Style             template.CSS
	Script            template.JS
	ScriptHash        string // of the script, in the words of a Content-Security-Policy
	Network, DataFlow []figureView
	Headline          string
	Worst             string // fail, unknown or pass
	Standard          string
	Failed, Unknown   []assertionView
	Passed            []assertionView
	Pairs             pairsView
	Errors, Warnings  int
	Opened            *variantView
	Requirements      []requirementView
	Rows              []rowView // of the matrix
	Filter            filterView
	Explored          *exploredView
}

// filterView is what the report can be filtered by.
type filterView struct {
	Requirements []string
	Zones        []string // in the order of Result.Zones
}

// exploredView is what the report can be asked, and the packets that show each flow.
type exploredView struct {
	*Exploration
	Courses []courseView
	Data    embedded
}

type assertionView struct {
	solver.AssertionResult
	marks
	Rule, At, Place string // what decides
	Connections     []connection
}

// connection is one connection of a witness, with its way.
type connection struct {
	Relay  string // empty: the first connection
	Packet string
	Hops   []solver.Hop
}

type pairsView struct {
	Names []string
	Rows  []pairsRow
}

type pairsRow struct {
	Name  string
	Self  int // the column of the zone itself
	Cells []pairView
}

// pairView is what one zone can open to another.
type pairView struct {
	Cells []cellView
	Wall  int // the element that says what stands in the way; 0: none
}

type cellView struct {
	Row      int
	Services string
	Via      string
	Note     string // relayed, unknown
	Class    string
}

func newPage(raw *Result) *page {
	r := raw.printable()
	p := &page{Result: r, Standard: standardName(r.Standard)}
	zones := newZonesOf(raw)
	for i, a := range r.Assertions {
		v := assertionView{AssertionResult: a, Connections: connections(a.Witness)}
		v.marks = marksOf(a.Verdict.String(), requirementsOf(a.Requirement), zones.assertion(raw.Assertions[i]))
		p.Filter.Requirements = append(p.Filter.Requirements, requirementsOf(a.Requirement)...)
		v.Rule, v.At, v.Place, _ = decidedBy(a)
		switch a.Verdict {
		case solver.Pass:
			p.Passed = append(p.Passed, v)
		case solver.Fail:
			p.Failed = append(p.Failed, v)
		default:
			p.Unknown = append(p.Unknown, v)
		}
	}
	for _, f := range r.Findings {
		switch f.Severity {
		case lint.Error:
			p.Errors++
		case lint.Warning:
			p.Warnings++
		case lint.Note:
		}
	}
	all := count(len(r.Assertions), "assertion")
	switch {
	case len(p.Failed) > 0:
		p.Worst, p.Headline = "fail", fmt.Sprintf("%d of %s failed", len(p.Failed), all)
		if len(p.Unknown) > 0 {
			p.Headline += fmt.Sprintf(", %d could not be decided", len(p.Unknown))
		}
	case len(p.Unknown) > 0:
		p.Worst, p.Headline = "unknown", fmt.Sprintf("Nothing failed, but %d of %s could not be decided", len(p.Unknown), all)
	case len(r.Assertions) == 0:
		p.Worst, p.Headline = "unknown", "Nothing was checked: no assertions are declared"
	default:
		p.Worst, p.Headline = "pass", "All "+all+" were proved"
		if len(r.Assertions) == 1 {
			p.Headline = "The one assertion was proved"
		}
	}
	if len(r.Items) > 0 {
		c := r.Summary.Items
		switch {
		case c.Fail > 0:
			p.Worst, p.Headline = "fail", p.Headline+fmt.Sprintf("; %d of %s of the checklist fail by %s", c.Fail, count(len(r.Items), "item"), count(c.Causes, "cause"))
		case c.Unknown+c.AttestationMissing > 0:
			if p.Worst == "pass" {
				p.Worst = "unknown"
			}
			p.Headline += fmt.Sprintf("; %d of %s of the checklist are not known or lack a person's word", c.Unknown+c.AttestationMissing, count(len(r.Items), "item"))
		default:
			p.Headline += fmt.Sprintf("; none of %s of the checklist fails", count(len(r.Items), "item"))
		}
	}
	byID := map[string][]int{}
	for _, x := range raw.Items {
		byID[model.Visible(x.ID)] = zones.item(x)
	}
	p.Requirements = requirementViews(r, byID)
	for _, q := range p.Requirements {
		p.Filter.Requirements = append(p.Filter.Requirements, q.ID)
	}
	slices.SortFunc(p.Filter.Requirements, func(a, b string) int { return cmp.Or(slices.Compare(numbers(a), numbers(b)), cmp.Compare(a, b)) })
	p.Filter.Requirements = slices.Compact(p.Filter.Requirements)
	for _, z := range r.Zones {
		p.Filter.Zones = append(p.Filter.Zones, z.Name)
	}
	p.Rows = rowViews(r.Matrix)
	for i, row := range raw.Matrix {
		verdict := map[solver.Verdict]string{solver.Reachable: "reachable", solver.Unknown: "unknown", solver.Unreachable: "unreachable"}[row.Verdict]
		p.Rows[i].marks = marksOf(verdict, nil, zones.add(nil, row.Src, row.Dst))
	}
	p.Pairs = viewPairs(zonePairs(r))
	p.Opened = viewVariant(r.Variant)
	return p
}

// explore adds what the report can be asked.
func (p *page) explore(x *Exploration) {
	if x == nil {
		return
	}
	shown := &Exploration{}
	copyValue(shown, x, model.Visible)
	p.Explored = &exploredView{Exploration: shown, Courses: courseViews(shown.Ways), Data: shown.embed()}
	for i, c := range shown.Ways {
		if c.Row > 0 && c.Row <= len(p.Rows) {
			p.Rows[c.Row-1].Course = i + 1
		}
	}
	at := wallAt(shown.Walls)
	for i := range p.Pairs.Rows {
		for j := range p.Pairs.Rows[i].Cells {
			p.Pairs.Rows[i].Cells[j].Wall = at[[2]string{endOf(p.Pairs.Names[i]), endOf(p.Pairs.Names[j])}]
		}
	}
}

// requirementView is a requirement of the standard with its items.
type requirementView struct {
	ID      string
	Verdict ItemVerdict // of its worst item
	Counts  []string
	Items   []itemView
}

// itemView is an item as the report shows it.
type itemView struct {
	Item
	marks
	Folded bool // it holds: its evidence opens on demand
}

// Class is the verdict as a class of the style: fail, unknown or pass.
func (x itemView) Class() string { return verdictClass(x.Verdict) }

// Class is that of the worst item.
func (x requirementView) Class() string { return verdictClass(x.Verdict) }

func verdictClass(v ItemVerdict) string {
	switch v {
	case ItemFail:
		return "fail"
	case ItemUnknown, ItemAttestationMissing:
		return "unknown"
	case ItemPass, ItemAttested:
		return "pass"
	default:
		return "note"
	}
}

// requirementViews groups the items by the requirement of v3.2.1 that they belong to, or by the leading one of v4.0.1 where the project
// is judged by that.
func requirementViews(r *Result, zones map[string][]int) []requirementView {
	var out []requirementView
	for _, x := range r.Items {
		id := x.ID
		if i := strings.LastIndexByte(id, '-'); i >= 0 {
			id = id[:i]
		}
		if r.Standard != "pci-dss-3.2.1" {
			id, _, _ = strings.Cut(x.V4, ",")
		}
		i := slices.IndexFunc(out, func(v requirementView) bool { return v.ID == id })
		if i < 0 {
			i, out = len(out), append(out, requirementView{ID: id, Verdict: x.Verdict})
		}
		v := &out[i]
		if x.Verdict.rank() < v.Verdict.rank() {
			v.Verdict = x.Verdict
		}
		v.Items = append(v.Items, itemView{x, marksOf(verdictClass(x.Verdict), []string{id}, zones[x.ID]), x.Verdict.rank() > ItemAttestationMissing.rank()})
	}
	if r.Standard != "pci-dss-3.2.1" {
		slices.SortStableFunc(out, func(a, b requirementView) int { return slices.Compare(numbers(a.ID), numbers(b.ID)) })
	}
	for i := range out {
		for _, v := range []ItemVerdict{ItemFail, ItemUnknown, ItemAttestationMissing, ItemAttested, ItemPass, ItemNotApplicable} {
			n := 0
			for _, x := range out[i].Items {
				if x.Verdict == v {
					n++
				}
			}
			if n > 0 {
				out[i].Counts = append(out[i].Counts, fmt.Sprintf("%d %s", n, v))
			}
		}
	}
	return out
}

// numbers are the parts of a requirement's number, to sort by.
func numbers(id string) []int {
	var out []int
	for part := range strings.SplitSeq(id, ".") {
		n, _ := strconv.Atoi(part) // a part that is no number sorts first
		out = append(out, n)
	}
	return out
}

func standardName(id string) string {
	switch id {
	case "pci-dss-3.2.1":
		return "PCI DSS v3.2.1"
	case "pci-dss-4.0.1":
		return "PCI DSS v4.0.1"
	default:
		return id
	}
}

func connections(w *solver.Witness) []connection {
	if w == nil {
		return nil
	}
	out := []connection{{Packet: w.Packet.String(), Hops: w.Hops}}
	for _, l := range w.Legs {
		out = append(out, connection{Relay: l.Relay, Packet: l.Packet.String(), Hops: l.Hops})
	}
	return out
}

func viewPairs(p pairs) pairsView {
	v := pairsView{Names: p.names}
	for from, name := range p.names {
		row := pairsRow{Name: name, Self: from}
		for to := range p.names {
			var cells []cellView
			for _, c := range p.cells[[2]int{from, to}] {
				cells = append(cells, c.view())
			}
			row.Cells = append(row.Cells, pairView{Cells: cells})
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func (c cell) view() cellView {
	list := make([]string, len(c.services))
	for i, s := range c.services {
		list[i] = bare(s)
	}
	names := make([]string, len(c.via))
	for i, via := range c.via {
		names[i] = label.Name(via)
	}
	v := cellView{Row: c.row + 1, Services: label.Short(list, 3), Via: strings.Join(names, " › "), Class: string(c.kind)}
	if c.kind == solver.Relayed {
		v.Note = "relayed"
	}
	if c.unknown {
		v.Note, v.Class = "unknown", "unknown"
	}
	if v.Services == "" {
		v.Services = "no service stated"
	}
	return v
}

// shortList joins a list for a table cell and says how much it left out.
func shortList(l []string) string {
	const shown = 8
	if len(l) <= shown {
		return strings.Join(l, ", ")
	}
	return strings.Join(l[:shown], ", ") + fmt.Sprintf(" and %d more", len(l)-shown)
}

// What the report shows of long lists; report.json has all.
const (
	shownViolations = 20
	shownRows       = 12
)

// packetView is packets that differ in names and tags only.
type packetView struct {
	Protocol        string
	Ports, Src, Dst []string
	Targets         []string
	more            []solver.Packets
}

// packetRows joins packets that differ in names and tags only, as results cut every set by the names of the whole estate.
func packetRows(list []solver.Packets) []packetView {
	at := map[string]int{}
	var out []packetView
	for _, p := range list {
		key := fmt.Sprint(p.Src, p.Dst, p.Protocol, p.SPort, p.DPort)
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, packetView{Protocol: p.Protocol, Ports: p.DPort, Src: spans(p.Src), Dst: spans(p.Dst)})
		}
		out[i].more = append(out[i].more, p)
	}
	for i := range out {
		out[i].Targets = label.Targets(out[i].more)
	}
	return out
}

// spans joins address blocks that touch into ranges, as a subnet without its reserved addresses is many blocks and one range.
func spans(list []string) []string {
	var out []string
	var first, last netip.Addr
	flush := func() {
		switch {
		case !first.IsValid():
		case first == last:
			out = append(out, first.String())
		default:
			out = append(out, first.String()+"-"+last.String())
		}
		first = netip.Addr{}
	}
	for i, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			flush()
			out = append(out, text)
			continue
		}
		if first.IsValid() && last.Next() == p.Addr() {
			last = netipx.PrefixLastIP(p)
			continue
		}
		flush()
		next := netip.Prefix{}
		if i+1 < len(list) {
			next, _ = netip.ParsePrefix(list[i+1])
		}
		if !next.IsValid() || next.Addr() != netipx.PrefixLastIP(p).Next() { // alone: a block stays a block
			out = append(out, text)
			continue
		}
		first, last = p.Addr(), netipx.PrefixLastIP(p)
	}
	flush()
	return out
}

// flowView is a flow with as many of its rows as the report shows.
type flowView struct {
	solver.Flow
	Rows []packetView
	More string // what is left out
}

func flowViews(list []solver.Flow) []flowView {
	var out []flowView
	for _, f := range list[:min(shownViolations, len(list))] {
		v := flowView{Flow: f, Rows: packetRows(f.Packets)}
		switch {
		case len(v.Rows) > shownRows:
			v.More = count(len(v.Rows)-shownRows, "more row")
			v.Rows = v.Rows[:shownRows]
		case f.Total > uint64(len(f.Packets)):
			v.More = fmt.Sprintf("%d more rows, not printed by the run", f.Total-uint64(len(f.Packets)))
		}
		out = append(out, v)
	}
	return out
}

// rowView is one row of the matrix.
type rowView struct {
	solver.Row
	marks
	Rows   []packetView
	More   string
	Course int // the element that shows a packet on its way; 0: none
}

func rowViews(list []solver.Row) []rowView {
	var out []rowView
	for _, r := range list {
		v := rowView{Row: r, Rows: packetRows(r.Packets)}
		if more := len(v.Rows) - shownRows; more > 0 {
			v.Rows, v.More = v.Rows[:shownRows], count(more, "more row")
		}
		out = append(out, v)
	}
	return out
}
