package diagram

import (
	"fmt"
	"strings"
)

// The box of a zone: heading, then what it holds, one line each.
const (
	cardPad   = 9.0
	cardMin   = 150.0
	cardMax   = 260.0
	inset     = 6.0
	heading   = 15.0
	cardSpace = 4.0
)

// cardWidth is the width that the lines of a box ask for.
func (a *artist) cardWidth(p *Panel, g Group) float64 {
	w := a.m.width(g.Label, title(nameSize)) + a.m.width(kindWord(g.Kind), plain(smallSize)) + 34
	w = max(w, a.m.width(ownerLine(g), plain(smallSize)))
	var inner func(parent string, depth float64)
	inner = func(parent string, depth float64) {
		for _, c := range p.Groups {
			if c.Parent == parent {
				w = max(w, a.m.width(innerTitle(c), plain(smallSize))+2*inset*(depth+1)+2)
				for _, b := range c.Badges {
					w = max(w, a.m.width(b, plain(smallSize))+2*inset*(depth+1)+16)
				}
				inner(c.ID, depth+1)
			}
		}
		for _, n := range p.Nodes {
			if n.Group == parent {
				tile := a.m.width(n.Label, plain(textSize)) + 32
				if n.Detail != "" {
					tile += a.m.width(n.Detail, plain(smallSize)) + 8
				}
				w = max(w, tile+2*inset*depth)
			}
		}
	}
	inner(g.ID, 0)
	return min(max(w+2*cardPad, cardMin), cardMax)
}

func ownerLine(g Group) string {
	if g.Detail == "" {
		return ""
	}
	return "owner: " + g.Detail
}

func innerTitle(g Group) string {
	word := g.Kind
	if word == "vnet" {
		word = "VNet"
	}
	return strings.TrimSpace(word + " " + g.Label + "  " + g.Detail)
}

// card draws the box of a zone at the origin and returns its height, which is at least the one given.
func (a *artist) card(p *Panel, g Group, w, least float64) float64 {
	a.s.add(openItem{id: fmt.Sprintf("%s-%s-%s", a.d.Kind, p.Name, g.ID), class: "zone", ref: g.Ref, label: "zone " + frameTitle(g), desc: strings.Join(append([]string{ownerLine(g)}, g.Notes...), ". ")})
	back := len(a.s.items)
	a.s.add(rectItem{r: 7, class: zoneClass(g.Kind)})
	y := cardPad + nameSize - 2
	kind := kindWord(g.Kind)
	if strings.EqualFold(kind, g.Label) {
		kind = ""
	}
	kindWidth := a.m.width(kind, plain(smallSize))
	x := cardPad
	if external(g.Kind) {
		a.s.add(icon(outsideIcon(g.Kind), point{x, y - 11})...)
		x += 20
	}
	a.text(x, y, title(nameSize), "ink", a.m.fit(g.Label, title(nameSize), w-x-cardPad-kindWidth-8))
	if kind != "" {
		a.s.add(textItem{at: point{w - cardPad, y}, face: plain(smallSize), anchor: fromRight, class: "soft", text: kind})
	}
	if o := ownerLine(g); o != "" {
		y += pillLine
		a.text(cardPad, y, plain(smallSize), "soft", a.m.fit(o, plain(smallSize), w-2*cardPad))
	}
	y += 7
	y = a.inside(p, g.ID, cardPad, y, w-2*cardPad)
	for _, note := range g.Notes {
		for _, line := range a.m.wrap(note, plain(smallSize), w-2*cardPad, 4) {
			y += pillLine
			a.text(cardPad, y, plain(smallSize), "ink", line)
		}
	}
	h := max(y+cardPad-2, least)
	a.spot(g.ID, area{0, 0, w, h})
	a.s.items[back] = rectItem{area: area{0, 0, w, h}, r: 7, class: zoneClass(g.Kind)}
	if g.Kind == "data" { // a double border, as the colour is not seen by everybody
		a.s.add(rectItem{area: area{3, 3, w - 6, h - 6}, r: 5, class: "frame"})
	}
	a.s.add(closeItem{})
	return h
}

func outsideIcon(kind string) string {
	if kind == outsideKind {
		return "cidr"
	}
	return kind
}

// inside draws the members and inner groups of a group and returns where they end.
func (a *artist) inside(p *Panel, parent string, x, y, w float64) float64 {
	for _, n := range p.Nodes {
		if n.Group == parent {
			a.tile(p, n, area{x, y, w, tileHeight})
			a.spot(n.ID, area{x, y, w, tileHeight})
			y += tileHeight + cardSpace
		}
	}
	for _, g := range p.Groups {
		if g.Parent != parent {
			continue
		}
		a.s.add(openItem{class: "inner", ref: g.Ref, label: innerTitle(g)})
		at := len(a.s.items)
		a.s.add(rectItem{r: 3, class: "frame"})
		a.text(x+inset, y+11, plain(smallSize), "soft", a.m.fit(innerTitle(g), plain(smallSize), w-2*inset))
		top := a.badges(g.Badges, x+inset, y+heading-1, w-2*inset) + 2
		end := a.inside(p, g.ID, x+inset, top, w-2*inset)
		a.spot(g.ID, area{x, y, w, end - y})
		a.s.items[at] = rectItem{area: area{x, y, w, end - y}, r: 3, class: "frame"}
		a.s.add(closeItem{})
		y = end + cardSpace
	}
	return y
}

// tile draws one member.
func (a *artist) tile(p *Panel, n Node, box area) {
	a.s.add(openItem{id: fmt.Sprintf("%s-%s-%s", a.d.Kind, p.Name, n.ID), class: "node", ref: n.Ref, label: strings.TrimSpace(iconWord(n.Kind) + " " + n.Label), desc: n.describe(p)})
	a.s.add(rectItem{area: box, r: 3, class: n.tile()})
	a.s.add(icon(n.Kind, point{box.x + 4, box.y + 3})...)
	detail := a.m.width(n.Detail, plain(smallSize))
	room := box.w - 28
	name := a.m.width(n.Label, plain(textSize))
	if n.Detail != "" && name+6+detail > room {
		detail = max(room-name-6, 0)
	}
	a.text(box.x+23, box.y+14, plain(textSize), "ink", a.m.fit(n.Label, plain(textSize), room))
	if n.Detail != "" && detail > 24 {
		a.s.add(textItem{at: point{box.x + box.w - 5, box.y + 14}, face: plain(smallSize), anchor: fromRight, class: "soft", text: a.m.fit(n.Detail, plain(smallSize), detail)})
	}
	a.s.add(closeItem{})
}
