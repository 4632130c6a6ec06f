package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
)

// The type of a sheet, in pixels of the drawing.
const (
	margin     = 22.0
	titleSize  = 20.0
	panelSize  = 14.0
	nameSize   = 13.0
	textSize   = 11.0
	smallSize  = 9.5
	rowHeight  = 15.0
	tileHeight = 20.0
	minSheet   = 980.0
)

func title(size float64) face { return face{size: size, bold: true} }
func plain(size float64) face { return face{size: size} }

// artist draws a diagram into a scene.
type artist struct {
	d *Diagram
	m *metrics
	s *scene

	busy  int             // lines of the picture at hand
	bare  bool            // flows are listed elsewhere
	spots map[string]area // where each box was drawn, for who asks; nil: nobody
}

// compose lays out a diagram and draws it; bare leaves the tables of its flows out.
func compose(d *Diagram, bare bool) (*scene, error) {
	m, err := newMetrics()
	if err != nil {
		return nil, err
	}
	a := &artist{d: d, m: m, s: &scene{}, bare: bare}
	pictures := make([]*picture, len(d.Panels))
	width := minSheet
	for i := range d.Panels {
		if pictures[i], err = a.picture(&d.Panels[i]); err != nil {
			return nil, fmt.Errorf("%s diagram: %w", d.Kind, err)
		}
		width = max(width, pictures[i].w)
	}
	a.s.w = width + 2*margin
	a.s.add(rectItem{class: "paper"}) // its size is known at the end
	y := a.header(margin)
	for i := range d.Panels {
		y = a.panel(&d.Panels[i], pictures[i], y)
	}
	a.s.h = a.legend(y) + margin
	a.s.items[0] = rectItem{area: area{0, 0, a.s.w, a.s.h}, class: "paper"}
	a.measure()
	return a.s, nil
}

// measure notes the width of every text, so that a viewer with another font keeps to it.
func (a *artist) measure() {
	for i, x := range a.s.items {
		if t, ok := x.(textItem); ok && !t.stamp && a.m.knows(t.text) {
			t.width = a.m.width(t.text, t.face)
			a.s.items[i] = t
		}
	}
}

func (a *artist) text(x, y float64, f face, class, text string) {
	if text != "" {
		a.s.add(textItem{at: point{x, y}, face: f, class: class, text: text})
	}
}

// header draws the title block and returns where it ends.
func (a *artist) header(y float64) float64 {
	const key, value = 96.0, 250.0
	left := a.s.w - margin - key - value
	room := left - 2*margin
	f := title(titleSize)
	a.text(margin, y+titleSize, f, "ink", a.m.fit(a.d.Title+": "+a.d.Project, f, room))
	a.text(margin, y+titleSize+18, plain(textSize+1), "soft", a.m.fit(a.d.Standard+", requirement "+a.d.Requirement, plain(textSize+1), room))
	for i, line := range a.m.wrap(a.d.About, plain(textSize), room, 4) {
		a.text(margin, y+titleSize+34+float64(i)*13, plain(textSize), "soft", line)
	}
	row := y
	for _, r := range [][2]string{
		{"project", a.d.Project},
		{"owner of the CDE", a.d.Owner},
		{"standard", a.d.Standard + ", " + number(a.d.Requirement)},
		{"judged as of", a.d.Stamp.AsOf},
		{"inputs, SHA-256", shortHash(a.d.Stamp.Hash)},
		{"made by", a.d.Stamp.Tool},
	} {
		a.s.add(rectItem{area: area{left, row, key, 16}, class: "band"}, rectItem{area: area{left, row, key + value, 16}, class: "rule"})
		a.text(left+6, row+11.5, plain(smallSize), "soft", r[0])
		v := textItem{at: point{left + key + 6, row + 11.5}, face: plain(smallSize), class: "ink", text: a.m.fit(r[1], plain(smallSize), value-12), stamp: r[0] == "judged as of" || r[0] == "inputs, SHA-256" || r[0] == "made by"}
		a.s.add(v)
		row += 16
	}
	y = row + 10
	a.s.add(pathItem{steps: lineTo(point{margin, y}, point{a.s.w - margin, y}), class: "rule"})
	return y + 4
}

func shortHash(hash string) string {
	if len(hash) > 32 {
		return hash[:32] + "…"
	}
	return hash
}

// number is the leading number of a requirement.
func number(requirement string) string {
	n, _, _ := strings.Cut(requirement, " ")
	return n
}

func (a *artist) panel(p *Panel, pic *picture, y float64) float64 {
	y += panelSize + 12
	a.text(margin, y, title(panelSize), "ink", p.Title)
	y += 12
	if pic.h > 0 {
		a.s.add(openItem{id: fmt.Sprintf("%s-%s", a.d.Kind, p.Name), class: "panel", label: p.Title})
		start := len(a.s.items)
		pic.draw()
		a.s.move(start, max(margin, (a.s.w-pic.w)/2), y)
		a.s.add(closeItem{})
		y += pic.h + 10
	}
	y = a.notes(p, y)
	if len(p.Edges) > 0 && !a.bare {
		y = a.table(p.table(a.d.Kind), y+14)
	}
	return y + 6
}

// notes says below a picture what must be said of it, and returns where that ends.
func (a *artist) notes(p *Panel, y float64) float64 {
	for _, note := range p.Notes {
		for _, line := range a.m.wrap(note, title(textSize), a.s.w-2*margin, 3) {
			y += rowHeight
			a.text(margin, y, title(textSize), "alert", line)
		}
	}
	return y
}

// grid is a table of words.
type grid struct {
	head  []string
	rows  [][]string
	edges []int // of each row: its flow, as an index of the panel's edges
}

// table lists the flows of a panel, so that what the lines say in short stands once in full.
func (p *Panel) table(kind Kind) grid {
	name := map[string]string{}
	for _, g := range p.Groups {
		name[g.ID] = g.Label
	}
	for _, n := range p.Nodes {
		name[n.ID] = n.Label
		if n.Kind == "rest" || n.Kind == "pods" {
			name[n.ID] = name[n.Group] + ": " + n.Label
		}
	}
	change := func(e Edge) string {
		if p.compared {
			return e.Change.sign() + " "
		}
		return ""
	}
	g := grid{head: []string{"", "from", "to", "services", "how", "passes", "only to", "filtered by"}}
	if kind == DataFlowDiagram {
		g.head = []string{"", "flow", "from", "to", "service", "data", "in transit", "found", "passes"}
	}
	listed := 0
	for at, e := range p.Edges {
		if e.Number == 0 || p.compared && e.Change == Same {
			continue
		}
		if listed++; listed > MaxListed {
			break
		}
		for i, w := range e.Ways {
			g.edges = append(g.edges, at)
			number := change(e) + strconv.Itoa(e.Number)
			if i > 0 {
				number = ""
			}
			via := strings.Join(w.Via, " › ")
			services := label.Short(w.Services, shownWords)
			how := string(e.Line)
			if w.Unknown {
				how = string(UnknownLine)
			}
			if i == shownWays {
				row := make([]string, len(g.head))
				row[3] = e.moreWays()
				g.rows = append(g.rows, row)
				break
			}
			if kind == DataFlowDiagram {
				flow, found, _ := strings.Cut(e.Text, ": ")
				g.rows = append(g.rows, []string{number, flow, name[e.From], name[e.To], services, strings.Join(e.Data, ", "), e.InTransit, joined(e.Line.found(), found), via})
				continue
			}
			filters := strings.Join(e.Filters, ", ")
			if i > 0 {
				filters = ""
			}
			g.rows = append(g.rows, []string{number, name[e.From], name[e.To], services, how, via, label.Short(w.Targets, shownWords), filters})
		}
	}
	return g
}

func (l Line) found() string {
	switch l {
	case UnknownLine:
		return "unknown"
	case BrokenLine:
		return "impossible"
	case StrayLine:
		return "possible, undeclared"
	default:
		return "possible"
	}
}

// table draws a grid in one block, or in two beside each other where there is room. Long cells are wrapped, never cut short.
func (a *artist) table(g grid, y float64) float64 {
	const pad, gap, limit = 12.0, 30.0, 170.0
	f, h := plain(smallSize), title(smallSize)
	room := a.s.w - 2*margin
	blocks := 2
	var widths []float64
	var total float64
	for _, narrow := range []float64{limit, limit * 0.8, limit * 0.65} {
		if widths, total = a.columns(g, narrow, pad); 2*total+gap <= room {
			break
		}
	}
	if len(g.rows) <= 6 || 2*total+gap > room {
		blocks = 1
		widths, total = a.columns(g, 2*limit, pad)
	}
	if total > room {
		for c := range widths {
			widths[c] *= room / total
		}
		total = room
	}
	per := (len(g.rows) + blocks - 1) / blocks
	end := y
	for b := range blocks {
		x := margin + float64(b)*(total+gap)
		row := a.row(g.head, widths, x, y, h, "soft")
		a.s.add(pathItem{steps: lineTo(point{x, row - 11}, point{x + total, row - 11}), class: "rule"})
		row += 3
		for _, r := range g.rows[min(b*per, len(g.rows)):min((b+1)*per, len(g.rows))] {
			row = a.row(r, widths, x, row, f, "ink")
		}
		end = max(end, row)
	}
	return end
}

// columns is the width of each column, and of all; an empty column has none.
func (a *artist) columns(g grid, limit, pad float64) (widths []float64, total float64) {
	widths = make([]float64, len(g.head))
	for c := range g.head {
		widest := 0.0
		for _, r := range g.rows {
			widest = max(widest, a.m.width(r[c], plain(smallSize))+1)
		}
		if widest > 1 {
			widths[c] = min(max(widest, a.m.width(g.head[c], title(smallSize))), limit) + pad
		}
		total += widths[c]
	}
	return widths, total
}

// legend explains strokes and signs. Only those that the sheet uses are listed, but direct, relayed and unknown always are.
func (a *artist) legend(y float64) float64 {
	lines := []Line{DirectLine, RelayedLine, UnknownLine}
	words := map[Line]string{
		DirectLine: "direct: packets pass", RelayedLine: "relayed: a chain of connections", UnknownLine: "unknown, also marked with ?: the inputs do not decide it",
		NoPathLine: "no path: proved for every packet", BrokenLine: "impossible: declared, but no packet passes",
		StrayLine: "possible, but not declared",
	}
	if a.d.Kind == DataFlowDiagram {
		lines = []Line{DirectLine, UnknownLine, BrokenLine, StrayLine}
		words[DirectLine] = "possible: the configuration lets it pass"
	}
	kinds := map[string]bool{}
	var badges []string
	for _, p := range a.d.Panels {
		for _, e := range p.lines() {
			if !slices.Contains(lines, e.Line) {
				lines = append(lines, e.Line)
			}
		}
		for _, n := range p.Nodes {
			kinds[iconWord(n.Kind)] = true
			for _, h := range n.Holds {
				kinds[iconWord(h.Kind)] = true
			}
			badges = append(badges, n.Badges...)
		}
		for _, g := range p.Groups {
			badges = append(badges, g.Badges...)
		}
	}
	y += 8
	a.s.add(pathItem{steps: lineTo(point{margin, y}, point{a.s.w - margin, y}), class: "rule"})
	y += 18
	a.text(margin, y, title(textSize), "ink", "Legend")
	x := margin + 60
	next := func(w float64) float64 {
		if x+w > a.s.w-margin {
			x, y = margin+60, y+18
		}
		at := x
		x += w + 22
		return at
	}
	for _, l := range lines {
		at := next(46 + a.m.width(words[l], plain(smallSize)))
		a.s.add(pathItem{steps: lineTo(point{at, y - 4}, point{at + 30, y - 4}), class: "l-" + l.class()})
		a.head(l.class(), l, point{at + 30, y - 4}, point{at + 38, y - 4})
		a.text(at+44, y, plain(smallSize), "ink", words[l])
	}
	if a.d.Kind == DataFlowDiagram {
		const words = "not protected in transit"
		at := next(46 + a.m.width(words, plain(smallSize)))
		a.s.add(pathItem{steps: lineTo(point{at, y - 4}, point{at + 30, y - 4}), class: "l-clear"})
		a.head("clear", DirectLine, point{at + 30, y - 4}, point{at + 38, y - 4})
		a.text(at+44, y, plain(smallSize), "ink", words)
	}
	if a.d.Kind == NetworkDiagram && a.marks(func(e Edge) bool { return e.Scope }) {
		const words = "thick: from or to the CDE or its data"
		at := next(46 + a.m.width(words, plain(smallSize)))
		a.s.add(pathItem{steps: lineTo(point{at, y - 4}, point{at + 38, y - 4}), class: "l-direct scope"})
		a.text(at+44, y, plain(smallSize), "ink", words)
	}
	if slices.ContainsFunc(a.d.Panels, func(p Panel) bool { return p.compared }) {
		const words = "thicker: moved (+ added, - removed, ~ changed, with what this side alone has)"
		at := next(46 + a.m.width(words, plain(smallSize)))
		a.s.add(pathItem{steps: lineTo(point{at, y - 4}, point{at + 38, y - 4}), class: "l-direct moved"})
		a.text(at+44, y, plain(smallSize), "ink", words)
	}
	x, y = margin+60, y+20
	zones := map[string]bool{}
	for _, p := range a.d.Panels {
		for _, g := range p.Groups {
			zones[g.Kind] = zones[g.Kind] || g.Parent == ""
		}
	}
	for _, kind := range zoneKinds() {
		if !zones[kind] {
			continue
		}
		word := cmp.Or(kindWord(kind), kind) + " zone"
		if a.d.Kind == DataFlowDiagram {
			word += ", a trust boundary"
		}
		if kind == outsideKind {
			word = "in no zone"
		}
		at := next(26 + a.m.width(word, plain(smallSize)))
		a.s.add(rectItem{area: area{at, y - 11, 20, 14}, r: 3, class: zoneClass(kind)})
		if kind == "data" {
			a.s.add(rectItem{area: area{at + 2.5, y - 8.5, 15, 9}, r: 2, class: "frame"})
		}
		a.text(at+26, y, plain(smallSize), "ink", word)
	}
	x, y = margin+60, y+20
	for _, kind := range iconKinds() {
		word := iconWord(kind)
		if !kinds[word] {
			continue
		}
		kinds[word] = false
		at := next(20 + a.m.width(word, plain(smallSize)))
		a.s.add(icon(kind, point{at, y - 11})...)
		a.text(at+20, y, plain(smallSize), "ink", word)
	}
	for _, b := range [][2]string{{"NSG ", "NSG: its own rules, in and out"}, {"no NSG", "no NSG attached"}, {"routes ", "route table"}} {
		if slices.ContainsFunc(badges, func(text string) bool { return strings.HasPrefix(text, b[0]) }) {
			at := next(18 + a.m.width(b[1], plain(smallSize)))
			a.s.add(badgeIcon(b[0], point{at, y - 9})...)
			a.text(at+16, y, plain(smallSize), "ink", b[1])
		}
	}
	return y
}

// marks reports whether a line of the sheet is of a kind.
func (a *artist) marks(kind func(Edge) bool) bool {
	for _, p := range a.d.Panels {
		if slices.ContainsFunc(p.lines(), kind) {
			return true
		}
	}
	return false
}

func zoneKinds() []string {
	return []string{"internet", "partner", "on-prem", "wireless", outsideKind, "dmz", "management", "trusted", "cde", "data", "out-of-scope"}
}

func iconKinds() []string {
	return []string{
		"firewall", "appgw", "frontdoor", "apim", "bastion", "gateway", "lb", "pod", "pods", "ns", "nodepool", "vm", "nic", "cluster", "apiserver",
		"store", "service", "endpoint", "subnet", "internet", "fqdn", "tag", "cidr", "bundle", "ip", "rest",
	}
}

// iconWord is what a kind of member is called.
func iconWord(kind string) string {
	switch kind {
	case "firewall":
		return "firewall"
	case "appgw":
		return "application gateway"
	case "frontdoor":
		return "Front Door"
	case "apim":
		return "API Management"
	case "bastion":
		return "Bastion host"
	case "gateway":
		return "VPN or ExpressRoute gateway"
	case "lb":
		return "load balancer"
	case "pod", "pods", "ns":
		return "workload (pods)"
	case "nodepool", "vm", "nic", "cluster":
		return "machine, node pool"
	case "apiserver":
		return "Kubernetes API server"
	case "store":
		return "store of cardholder data"
	case "service":
		return "PaaS service"
	case "endpoint":
		return "private endpoint"
	case "subnet":
		return "subnet"
	case "internet", "fqdn", "tag":
		return "internet"
	case "bundle":
		return "all of a zone, for bundled flows"
	case "cidr", "on-prem", "partner":
		return "network outside"
	default:
		return "other endpoint"
	}
}
