package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
)

// picture is a panel with positions, ready to be drawn at the origin.
type picture struct {
	w, h float64
	draw func()
}

// picture lays out a panel.
func (a *artist) picture(p *Panel) (*picture, error) {
	if !p.Picture || len(p.tops()) == 0 {
		return &picture{draw: func() {}}, nil
	}
	lines := p.lines()
	at, err := a.place(p)
	if err != nil {
		return nil, err
	}
	draw := func() {
		a.busy = len(lines)
		for _, g := range p.Groups { // parents come before their children
			if box, ok := at.frames[g.ID]; ok {
				a.frame(g, box)
				a.spot(g.ID, box)
			}
		}
		for _, e := range lines {
			a.open(p, e)
			a.line(p, e, at.lines[at.index[e.ID]])
			a.s.add(closeItem{})
		}
		for _, e := range lines {
			if !p.compared || e.Change != Same {
				a.pill(e, at.pills[at.index[e.ID]])
			}
		}
		for _, g := range p.Groups {
			if box, ok := at.boxes[g.ID]; ok {
				start := len(a.s.items)
				a.card(p, g, box.w, box.h)
				a.s.move(start, box.x, box.y)
				a.shift(p, g.ID, box.x, box.y)
			}
		}
		for _, n := range p.Nodes {
			if box, ok := at.boxes[n.ID]; ok {
				a.node(p, n, box)
				a.spot(n.ID, box)
			}
		}
	}
	return &picture{w: at.w, h: at.h, draw: draw}, nil
}

// place lays a panel out, once. Both sides of a comparison have one layout.
func (a *artist) place(p *Panel) (*placed, error) {
	if p.placed != nil {
		return p.placed, nil
	}
	if p.union != nil {
		at, err := a.place(p.union)
		p.placed = at
		return at, err
	}
	lines := p.lines()
	a.busy = len(lines)
	at, err := layout(a.plan(p, lines))
	if err != nil {
		return nil, err
	}
	at.index = make(map[string]int, len(lines))
	for i, e := range lines {
		at.index[e.ID] = i
	}
	p.placed = at
	return at, nil
}

// spot notes where a box was drawn.
func (a *artist) spot(id string, box area) {
	if a.spots != nil {
		a.spots[id] = box
	}
}

// shift moves the notes of what stands in a zone.
func (a *artist) shift(p *Panel, zone string, dx, dy float64) {
	for id, at := range a.spots {
		if p.zoneOf(id).ID == zone {
			a.spots[id] = area{at.x + dx, at.y + dy, at.w, at.h}
		}
	}
}

// plan is what a panel asks of the layout.
func (a *artist) plan(p *Panel, lines []Edge) plan {
	var pl plan
	if p.boxed() {
		pl = a.zonePlan(p)
	} else {
		pl = a.nodePlan(p)
	}
	for _, e := range lines {
		w, h := a.pillSize(e)
		if e.other != nil {
			ow, oh := a.pillSize(*e.other)
			w, h = max(w, ow), max(h, oh)
		}
		if p.compared && e.Change == Same {
			w, h = 2, 2 // it says nothing
		}
		pl.lines = append(pl.lines, planLine{from: e.From, to: e.To, w: w, h: h, frame: p.common(e.From, e.To)})
	}
	return pl
}

// zonePlan makes each zone a box.
func (a *artist) zonePlan(p *Panel) plan {
	pl := plan{layers: true}
	lines := map[string]int{}
	for _, e := range p.lines() {
		lines[e.From]++
		lines[e.To]++
	}
	for _, g := range p.Groups {
		if g.Parent != "" {
			continue
		}
		w := a.cardWidth(p, g)
		start := len(a.s.items)
		h := a.card(p, g, w, 0)
		a.s.items = a.s.items[:start]              // measured, drawn later
		h = max(h, lineSpace*float64(lines[g.ID])) // so that many lines do not end in one point
		pl.boxes = append(pl.boxes, planBox{id: g.ID, w: w, h: h, layer: column(g.Kind)})
	}
	return pl
}

// column is the place of a zone between the outside and the data.
func column(kind string) int {
	switch kind {
	case "dmz", "management":
		return 1
	case "data":
		return 3
	default:
		if external(kind) {
			return 0
		}
		return 2
	}
}

// nodePlan makes each node a box, and each group a frame around its nodes.
func (a *artist) nodePlan(p *Panel) plan {
	var pl plan
	for _, g := range p.Groups {
		f := title(smallSize + 1)
		pl.frames = append(pl.frames, planFrame{id: g.ID, parent: g.Parent, w: min(a.m.width(frameTitle(g), f), frameMost) + 12, h: 14})
	}
	for _, n := range p.Nodes {
		w, h := a.nodeSize(n)
		pl.boxes = append(pl.boxes, planBox{id: n.ID, w: w, h: h, frame: n.Group})
	}
	return pl
}

// frameMost is the width of the longest heading that widens a frame.
const frameMost = 260.0

// common is the innermost group of a node panel that holds both ends.
func (p *Panel) common(from, to string) string {
	if p.boxed() {
		return ""
	}
	inside := map[string]bool{}
	for g := p.groupOf(from); g != ""; g = p.group(g).Parent {
		inside[g] = true
	}
	for g := p.groupOf(to); g != ""; g = p.group(g).Parent {
		if inside[g] {
			return g
		}
	}
	return ""
}

func (p *Panel) groupOf(node string) string {
	for _, n := range p.Nodes {
		if n.ID == node {
			return n.Group
		}
	}
	return ""
}

// open begins the element of a flow, with the flow in words.
func (a *artist) open(p *Panel, e Edge) {
	a.s.add(openItem{
		id: element(a.d.Kind, p, e), class: "flow", ends: [2]string{p.refOf(e.From), p.refOf(e.To)}, label: p.sentence(e), desc: p.particulars(e),
	})
}

// element is the ID of a flow's element.
func element(kind Kind, p *Panel, e Edge) string { return fmt.Sprintf("%s-%s-%s", kind, p.Name, e.ID) }

// particulars is what a flow's sentence does not say: its number, and how its line is drawn.
func (p *Panel) particulars(e Edge) string {
	s := "A line of the kind `" + string(e.Line) + "`"
	if e.Number > 0 {
		s = fmt.Sprintf("Number %d in the table. ", e.Number) + s
	}
	return s + "."
}

// refOf is what an end of a line stands for.
func (p *Panel) refOf(id string) string {
	for _, g := range p.Groups {
		if g.ID == id {
			return cmp.Or(g.Ref, g.Label)
		}
	}
	for _, n := range p.Nodes {
		if n.ID == id {
			return cmp.Or(n.Ref, n.Label)
		}
	}
	return id
}

// describe is what else is known of a box.
func (n Node) describe(p *Panel) string {
	var parts []string
	for g := n.Group; g != ""; g = p.group(g).Parent {
		parts = append(parts, "in "+innerName(*p.group(g)))
	}
	return joined(strings.Join(parts, ", "), n.Detail)
}

// How much of a flow with many ways stands on a sheet.
const (
	shownWays  = 6
	shownWords = 8
)

func (e Edge) moreWays() string {
	return fmt.Sprintf("and %d more ways", len(e.Ways)-shownWays)
}

// sentence says a flow in words.
func (p *Panel) sentence(e Edge) string {
	s := p.nameOf(e.From) + " to " + p.nameOf(e.To) + ": "
	switch {
	case e.Line == NoPathLine:
		return s + e.Text
	case e.Count > 0:
		s += fmt.Sprintf("%d flows; ", e.Count)
	case p.flowing():
		s += e.Text + "; " + strings.Join(e.Data, ", ") + "; "
	}
	var parts []string
	for i, w := range e.Ways {
		if i == shownWays {
			parts = append(parts, e.moreWays())
			break
		}
		part := label.Short(w.Services, shownWords)
		if w.Unknown && e.Line != UnknownLine {
			part = "possibly " + part
		}
		if len(w.Targets) > 0 {
			part += ", only to " + label.Short(w.Targets, shownWords)
		}
		if len(w.Via) > 0 {
			part += ", via " + strings.Join(w.Via, " › ")
		}
		parts = append(parts, part)
	}
	s += strings.Join(parts, "; ")
	if e.InTransit != "" {
		s += "; in transit: " + e.InTransit
	}
	if len(e.Filters) > 0 {
		s += "; filtered by " + strings.Join(e.Filters, ", ")
	}
	if p.flowing() {
		return s + "; " + e.Line.found()
	}
	return s + "; " + string(e.Line)
}

func (p *Panel) nameOf(id string) string {
	for _, g := range p.Groups {
		if g.ID == id {
			return g.Label
		}
	}
	for _, n := range p.Nodes {
		if n.ID == id && n.Group != "" && p.group(n.Group).Label != n.Label {
			return p.group(n.Group).Label + "/" + n.Label
		} else if n.ID == id {
			return n.Label
		}
	}
	return id
}

// line draws both halves of a flow, and its head.
func (a *artist) line(p *Panel, e Edge, c [2]curve) {
	kind := e.class()
	class := "l-" + kind
	head := kind
	switch {
	case p.compared && e.Change == Same:
		class, head = class+" pale", "pale"
	case p.compared:
		class, head = class+" moved", head+" moved"
	case e.Scope && a.d.Kind == NetworkDiagram:
		class += " scope"
	}
	second := c[1]
	n := len(second)
	a.s.add(pathItem{steps: c[0].steps(), class: class}, pathItem{steps: second[:n-3].steps(), class: class})
	a.head(head, e.Line, second[n-4], second[n-1])
}

// tile is the class of a node's border.
func (n Node) tile() string {
	if n.Change != Same {
		return "tile moved"
	}
	return "tile"
}

// sign says what became of a line: `+` added, `-` removed, `~` changed, with what this side alone has.
func (c Change) sign() string {
	switch c {
	case Added:
		return "+"
	case Removed:
		return "-"
	case Changed:
		return "~"
	default:
		return ""
	}
}

// fault is what a line says first of what is wrong with it, as its colour is not seen by everybody.
func (e Edge) fault() string {
	switch {
	case e.Line == BrokenLine:
		return "impossible"
	case e.Line == StrayLine:
		return "undeclared"
	case e.Clear:
		return "not protected"
	default:
		return ""
	}
}

// class is the word of an edge in the names of styles.
func (e Edge) class() string {
	switch {
	case e.Clear && e.Line == DirectLine:
		return "clear"
	case e.Clear && e.Line == UnknownLine:
		return "clear-unknown"
	}
	return e.Line.class()
}

// head draws the end of a line: an arrow, hollow where the flow is not known, a bar where there is none.
func (a *artist) head(class string, l Line, base, tip point) {
	dx, dy := tip.x-base.x, tip.y-base.y
	side := point{-dy * 0.42, dx * 0.42}
	left, right := point{base.x + side.x, base.y + side.y}, point{base.x - side.x, base.y - side.y}
	class = "h-" + class
	if l == NoPathLine || l == BrokenLine {
		a.s.add(pathItem{steps: lineTo(left, point{tip.x - side.x, tip.y - side.y}), class: class}, pathItem{steps: lineTo(right, point{tip.x + side.x, tip.y + side.y}), class: class})
		return
	}
	a.s.add(pathItem{steps: append(lineTo(tip, left, right), step{op: 'Z'}), class: class})
}

// pillLines is what stands on a line: a heading in bold, the rest plain.
func (a *artist) pillLines(e Edge) []string {
	const services, many = 3, 36
	limit := 3
	if a.busy > many {
		limit = 1 // the table has the rest
	}
	if e.Line == NoPathLine {
		return []string{strings.TrimSpace(e.Change.sign() + " " + e.Text)}
	}
	var lines []string
	if e.Count > 0 {
		lines = append(lines, fmt.Sprintf("%d flows", e.Count))
	}
	for i, w := range e.Ways {
		if i == limit {
			lines = append(lines, fmt.Sprintf("+%d more ways", len(e.Ways)-limit))
			break
		}
		l := w.lines(services)
		if i > 0 && l[0] == e.Ways[i-1].lines(services)[0] {
			l = l[1:] // the same services, another way
		}
		lines = append(lines, l...)
	}
	if len(lines) == 0 {
		lines = []string{"no service stated"}
	}
	if word := e.fault(); word != "" {
		lines[0] = word + ": " + lines[0]
	}
	if sign := e.Change.sign(); sign != "" {
		lines[0] = sign + " " + lines[0]
	}
	if len(e.Data) > 0 {
		lines = append(lines, strings.Join(e.Data, ", "))
	}
	if e.InTransit != "" {
		lines = append(lines, e.InTransit)
	}
	// Long lines go on below.
	out := a.m.wrap(lines[0], title(textSize-0.5), pillWidth-a.badge(e), 2)
	for _, l := range lines[1:] {
		most := 2
		if l == e.InTransit {
			most = 3
		}
		out = append(out, a.m.wrap(l, plain(smallSize), pillWidth, most)...)
	}
	return out
}

const (
	pillLine  = 12.0
	pillWidth = 170.0
	lineSpace = 13.0
)

func (a *artist) badge(e Edge) float64 {
	if e.Number == 0 {
		return 0
	}
	return a.m.width(strconv.Itoa(e.Number), title(smallSize)) + 8
}

func (a *artist) pillSize(e Edge) (w, h float64) {
	lines := a.pillLines(e)
	for i, l := range lines {
		if i == 0 {
			w = a.m.width(l, title(textSize-0.5)) + a.badge(e) + 6
			continue
		}
		w = max(w, a.m.width(l, plain(smallSize)))
	}
	return w + 13, pillLine*float64(len(lines)) + 6
}

func (a *artist) pill(e Edge, box area) {
	a.s.add(openItem{class: "pill-" + e.Line.class()})
	a.s.add(rectItem{area: box, r: 4, class: "pill"})
	x, y := box.x+6, box.y+pillLine
	for i, l := range a.pillLines(e) {
		at, f, class := x, plain(smallSize), "soft"
		if i == 0 {
			f, class = title(textSize-0.5), "ink"
			if b := a.badge(e); b > 0 {
				a.s.add(rectItem{area: area{x, y - 9.5, b, 12}, r: 3, class: "badge"})
				a.s.add(textItem{at: point{x + b/2, y}, face: title(smallSize), anchor: centred, class: "badge-text", text: strconv.Itoa(e.Number)})
				at = x + b + 5
			}
		}
		a.text(at, y, f, class, l)
		y += pillLine
	}
	a.s.add(closeItem{})
}

func kindWord(kind string) string {
	switch kind {
	case "cde":
		return "CDE"
	case "dmz":
		return "DMZ"
	case "data":
		return "data stores"
	case "out-of-scope":
		return "out of scope"
	case "internet", "no zone", "namespace", "vnet", "subnet":
		return ""
	default:
		return kind
	}
}

// frameTitle is the heading of a frame.
func frameTitle(g Group) string {
	if g.Kind == "namespace" {
		return "namespace " + g.Label
	}
	if w := kindWord(g.Kind); w != "" && !strings.EqualFold(w, g.Label) {
		return g.Label + " (" + w + ")"
	}
	return g.Label
}

// frame draws the border of a group of a node panel.
func (a *artist) frame(g Group, box area) {
	class := "frame"
	f := plain(smallSize)
	if g.Parent == "" {
		class, f = zoneClass(g.Kind), title(smallSize+1)
	}
	a.s.add(openItem{class: "zone", ref: g.Ref, label: frameTitle(g)}, rectItem{area: box, r: 6, class: class})
	if g.Kind == "data" {
		a.s.add(rectItem{area: area{box.x + 3, box.y + 3, box.w - 6, box.h - 6}, r: 4, class: "frame"})
	}
	a.text(box.x+9, box.y+15, f, "ink", a.m.fit(frameTitle(g), f, box.w-14))
	a.s.add(closeItem{})
}

func (a *artist) nodeLines(n Node) []string {
	const width, limit = 168.0, 4
	if n.Detail == "" {
		return nil
	}
	return a.m.wrap(n.Detail, plain(smallSize), width, limit)
}

func (a *artist) nodeSize(n Node) (w, h float64) {
	w = a.m.width(n.Label, title(textSize)) + 22
	lines := a.nodeLines(n)
	for _, l := range lines {
		w = max(w, a.m.width(l, plain(smallSize)))
	}
	for _, h := range n.shown() {
		w = max(w, a.m.width(h.Label+"  "+h.Detail, plain(smallSize))+22)
	}
	for _, b := range n.Badges {
		w = max(w, a.m.width(b, plain(smallSize))+16)
	}
	return min(max(w, 60), 190) + 16, 24 + pillLine*float64(len(lines)) + holdLine*float64(len(n.shown())) + badgeLine*float64(len(n.Badges))
}

const (
	holdLine  = 17.0
	badgeLine = 13.0
	maxHolds  = 8
)

// shown is what is drawn inside a node.
func (n Node) shown() []Item {
	if len(n.Holds) <= maxHolds {
		return n.Holds
	}
	out := slices.Clone(n.Holds[:maxHolds-1])
	return append(out, Item{Kind: "rest", Label: fmt.Sprintf("and %d more", len(n.Holds)-len(out))})
}

// badges draws what filters at a border and returns where the lines end.
func (a *artist) badges(list []string, x, y, w float64) float64 {
	for _, b := range list {
		a.s.add(badgeIcon(b, point{x, y + 2})...)
		a.text(x+14, y+badgeLine-3, plain(smallSize), "ink", a.m.fit(b, plain(smallSize), w-14))
		y += badgeLine
	}
	return y
}

func (a *artist) node(p *Panel, n Node, box area) {
	a.s.add(openItem{id: fmt.Sprintf("%s-%s-%s", a.d.Kind, p.Name, n.ID), class: "node", ref: n.Ref, label: strings.TrimSpace(iconWord(n.Kind) + " " + n.Label), desc: n.describe(p)})
	a.s.add(rectItem{area: box, r: 4, class: n.tile()})
	a.s.add(icon(n.Kind, point{box.x + 6, box.y + 5})...)
	a.text(box.x+26, box.y+16, title(textSize), "ink", a.m.fit(n.Label, title(textSize), box.w-32))
	y := box.y + 18
	for _, l := range a.nodeLines(n) {
		y += pillLine
		a.text(box.x+7, y, plain(smallSize), "soft", l)
	}
	y += 5
	for _, h := range n.shown() {
		a.s.add(openItem{class: "held", ref: h.Ref, label: strings.TrimSpace(iconWord(h.Kind) + " " + h.Label)})
		a.s.add(icon(h.Kind, point{box.x + 7, y})...)
		a.text(box.x+25, y+11, plain(smallSize), "ink", a.m.fit(strings.TrimSpace(h.Label+"  "+h.Detail), plain(smallSize), box.w-31))
		a.s.add(closeItem{})
		y += holdLine
	}
	a.badges(n.Badges, box.x+7, y, box.w-12)
	a.s.add(closeItem{})
}
