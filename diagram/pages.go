package diagram

import (
	"fmt"
	"strings"
)

// A page is A3 landscape, 420 by 297 mm, in pixels of the drawing (96 to the inch).
const (
	pageWidth  = 1587.4
	pageHeight = 1122.5
)

// pages lays the diagram out for paper: each panel on a page with the title block and the legend, scaled to fit, then the table of its
// flows on as many pages as it takes.
func (d *Diagram) pages() ([]*scene, error) {
	m, err := newMetrics()
	if err != nil {
		return nil, err
	}
	var out []*scene
	newPage := func() *artist {
		a := &artist{d: d, m: m, s: &scene{w: pageWidth, h: pageHeight}}
		a.s.add(rectItem{area: area{0, 0, pageWidth, pageHeight}, class: "paper"})
		out = append(out, a.s)
		return a
	}
	for i := range d.Panels {
		p := &d.Panels[i]
		a := newPage()
		top := a.header(margin) + panelSize + 12
		a.text(margin, top, title(panelSize), "ink", p.Title)
		top += 12
		foot := a.height(func() float64 { return a.notes(p, 0) + 8 }) + a.height(func() float64 { return a.legend(0) }) + margin
		pic, err := a.picture(p)
		if err != nil {
			return nil, fmt.Errorf("%s diagram: %w", d.Kind, err)
		}
		y := top
		if pic.h > 0 {
			room := area{margin, top, pageWidth - 2*margin, pageHeight - top - foot}
			k := min(room.w/pic.w, room.h/pic.h, 1.3)
			start := len(a.s.items)
			pic.draw()
			a.s.shrink(start, k)
			a.s.move(start, room.x+(room.w-pic.w*k)/2, room.y)
			y += max(pic.h*k, 0)
		}
		y = a.notes(p, y+4)
		a.legend(max(y, pageHeight-margin-a.height(func() float64 { return a.legend(0) })))
		a.measure()
		t := p.table(d.Kind)
		for next := 0; next < len(t.rows); {
			a = newPage()
			head := title(panelSize)
			a.text(margin, margin+panelSize, head, "ink", a.m.fit(d.Title+": "+d.Project+". "+strings.TrimSuffix(p.Title, ".")+": the flows", head, pageWidth-2*margin))
			a.stampLine(margin + panelSize + 16)
			next = a.tablePage(t, next, margin+panelSize+34, pageHeight-margin)
			a.measure()
		}
	}
	for i, s := range out {
		text := fmt.Sprintf("page %d of %d", i+1, len(out))
		s.add(textItem{at: point{pageWidth - margin, pageHeight - 8}, face: plain(smallSize), anchor: fromRight, class: "soft", text: text, width: m.width(text, plain(smallSize))})
	}
	return out, nil
}

// height is how high something is that begins at 0 and returns where it ends; nothing is drawn.
func (a *artist) height(draw func() float64) float64 {
	start := len(a.s.items)
	h := draw()
	a.s.items = a.s.items[:start]
	return h
}

// stampLine says in small what the title block says.
func (a *artist) stampLine(y float64) {
	text := fmt.Sprintf("%s, requirement %s; judged as of %s; inputs %s; made by %s", a.d.Standard, a.d.Requirement, a.d.Stamp.AsOf, shortHash(a.d.Stamp.Hash), a.d.Stamp.Tool)
	a.s.add(textItem{at: point{margin, y}, face: plain(smallSize), class: "soft", text: a.m.fit(text, plain(smallSize), a.s.w-2*margin), stamp: true})
}

// tablePage draws the rows of a grid from one on that fit on a page, and returns the next.
func (a *artist) tablePage(g grid, from int, y, bottom float64) int {
	const pad = 12.0
	room := a.s.w - 2*margin
	widths, total := a.columns(g, 420, pad)
	if total > room {
		for c := range widths {
			widths[c] *= room / total
		}
		total = room
	}
	y = a.row(g.head, widths, margin, y, title(smallSize), "soft")
	a.s.add(pathItem{steps: lineTo(point{margin, y - 11}, point{margin + total, y - 11}), class: "rule"})
	y += 3
	for i := from; i < len(g.rows); i++ {
		start := len(a.s.items)
		end := a.row(g.rows[i], widths, margin, y, plain(smallSize), "ink")
		if end-rowHeight/2 > bottom && i > from {
			a.s.items = a.s.items[:start]
			return i
		}
		y = end
	}
	return len(g.rows)
}

// row draws one row of a table and returns where the next begins. Long cells are wrapped.
func (a *artist) row(cells []string, widths []float64, x, y float64, f face, class string) float64 {
	const pad = 12.0
	lines := 1
	for c, cell := range cells {
		if widths[c] == 0 {
			continue
		}
		for i, l := range a.m.wrap(cell, f, widths[c]-pad/2, 6) {
			a.text(x, y+float64(i)*pillLine, f, class, l)
			lines = max(lines, i+1)
		}
		x += widths[c]
	}
	return y + rowHeight + float64(lines-1)*pillLine
}

// shrink scales what was added since a mark, around the origin.
func (s *scene) shrink(from int, k float64) {
	for i := from; i < len(s.items); i++ {
		switch x := s.items[i].(type) {
		case rectItem:
			x.x, x.y, x.w, x.h, x.r, x.zoom = x.x*k, x.y*k, x.w*k, x.h*k, x.r*k, k
			s.items[i] = x
		case pathItem:
			for j := range x.steps {
				for n := range x.steps[j].p {
					x.steps[j].p[n].x *= k
					x.steps[j].p[n].y *= k
				}
			}
			x.zoom = k
			s.items[i] = x
		case textItem:
			x.at.x, x.at.y, x.face.size = x.at.x*k, x.at.y*k, x.face.size*k
			s.items[i] = x
		case openItem, closeItem:
		}
	}
}
