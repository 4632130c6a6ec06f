package diagram

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// SVG draws the diagram. Text stays text; colours follow a dark screen; nothing in it runs or loads anything.
// One goroutine may draw a diagram at a time.
func (d *Diagram) SVG() ([]byte, error) {
	s, err := compose(d, false)
	if err != nil {
		return nil, err
	}
	return d.svg(s, true), nil
}

// svg writes a scene of the diagram; alone says that it is no part of a page, and prints on paper of its own.
func (d *Diagram) svg(s *scene, alone bool) []byte {
	var b bytes.Buffer
	prefix := d.prefix()
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="ringfence" id="%s-diagram" viewBox="0 0 %s %s" width="%s" height="%s" role="graphics-document document" aria-labelledby="%s-title" aria-describedby="%s-desc">`+"\n",
		prefix, num(s.w), num(s.h), num(s.w), num(s.h), prefix, prefix)
	fmt.Fprintf(&b, "<title id=\"%s-title\">%s</title>\n", prefix, escapeXML(d.Title+": "+d.Project))
	fmt.Fprintf(&b, "<desc id=\"%s-desc\">\n", prefix)
	for _, line := range d.words() {
		b.WriteString(escapeXML(line) + "\n")
	}
	b.WriteString("</desc>\n")
	writeStyle(&b, alone)
	for _, x := range s.items {
		writeItem(&b, x)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// words is the diagram as text, for those who do not see it and for those who compare two of them.
func (d *Diagram) words() []string {
	var out []string
	for i := range d.Panels {
		p := &d.Panels[i]
		out = append(out, p.Title+".")
		out = append(out, p.Notes...)
		for _, g := range p.Groups {
			if g.Parent != "" {
				continue
			}
			line := "Zone " + frameTitle(g)
			if g.Detail != "" {
				line += ", owner " + g.Detail
			}
			if members := p.memberNames(g.ID); len(members) > 0 {
				line += ": " + strings.Join(members, ", ")
			}
			out = append(out, strings.Join(append([]string{line}, g.Notes...), "; ")+".")
		}
		for _, e := range p.Edges {
			if e.Count > 0 { // its flows stand by themselves
				continue
			}
			word := "Flow: "
			if p.compared {
				if e.Change == Same {
					continue
				}
				word = "Flow " + string(e.Change) + ": "
			}
			out = append(out, word+p.sentence(e)+".") // without its number, which changes with every flow before it
		}
	}
	return out
}

func (p *Panel) memberNames(group string) []string {
	var out []string
	for _, n := range p.Nodes {
		if n.Group == group {
			text := strings.TrimSpace(n.Label + " " + n.Detail)
			var inside []string
			for _, h := range n.Holds {
				inside = append(inside, strings.TrimSpace(h.Label+" "+h.Detail))
			}
			if inside = append(inside, n.Badges...); len(inside) > 0 {
				text += " (" + strings.Join(inside, ", ") + ")"
			}
			out = append(out, text)
		}
	}
	for _, g := range p.Groups {
		if g.Parent == group {
			inner := innerTitle(g)
			if names := append(slices.Clone(g.Badges), p.memberNames(g.ID)...); len(names) > 0 {
				inner += " (" + strings.Join(names, ", ") + ")"
			}
			out = append(out, inner)
		}
	}
	return out
}

// writeStyle writes the styles as CSS. Every rule names the class of the picture, as the picture may stand in a page with its own.
func writeStyle(b *bytes.Buffer, alone bool) {
	b.WriteString("<style>\n")
	b.WriteString(".ringfence{max-width:100%;height:auto;font-family:Arial,\"Liberation Sans\",Helvetica,\"Nimbus Sans\",sans-serif}\n")
	for _, s := range styles() {
		fmt.Fprintf(b, ".ringfence .%s{fill:%s;stroke:%s", s.class, s.fill.light, s.stroke.light)
		if s.width > 0 {
			fmt.Fprintf(b, ";stroke-width:%s", num(s.width))
		}
		if len(s.dash) > 0 {
			parts := make([]string, len(s.dash))
			for i, d := range s.dash {
				parts[i] = num(d)
			}
			fmt.Fprintf(b, ";stroke-dasharray:%s", strings.Join(parts, " "))
		}
		b.WriteString("}\n")
	}
	b.WriteString(".ringfence .bold{font-weight:bold}\n.ringfence .scope{stroke-width:" + num(scopeWidth) + "}\n.ringfence .moved{stroke-width:" + num(movedWidth) + "}\n.ringfence .pale{stroke-width:" + num(paleWidth) + ";stroke:" + pale().light + "}\n")
	if alone {
		b.WriteString("@page{size:A3 landscape;margin:8mm}\n")
	}
	b.WriteString("@media screen and (prefers-color-scheme:dark){\n")
	for _, s := range styles() {
		fmt.Fprintf(b, ".ringfence .%s{fill:%s;stroke:%s}\n", s.class, s.fill.dark, s.stroke.dark)
	}
	fmt.Fprintf(b, ".ringfence .pale{stroke:%s}\n}\n</style>\n", pale().dark)
}

func writeItem(b *bytes.Buffer, x item) {
	switch x := x.(type) {
	case openItem:
		fmt.Fprintf(b, `<g class="%s"`, x.class)
		if x.id != "" {
			fmt.Fprintf(b, ` id="%s"`, escapeXML(x.id))
		}
		if x.ref != "" {
			fmt.Fprintf(b, ` data-ref="%s"`, escapeXML(x.ref))
		}
		if x.ends[0] != "" {
			fmt.Fprintf(b, ` data-from="%s" data-to="%s"`, escapeXML(x.ends[0]), escapeXML(x.ends[1]))
		}
		if x.label != "" {
			fmt.Fprintf(b, ` role="group" aria-label="%s"><title>%s</title>`, escapeXML(x.label), escapeXML(x.label))
			if x.desc != "" {
				fmt.Fprintf(b, "<desc>%s</desc>", escapeXML(x.desc))
			}
			b.WriteByte('\n')
			return
		}
		b.WriteString(">\n")
	case closeItem:
		b.WriteString("</g>\n")
	case rectItem:
		fmt.Fprintf(b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"`, x.class, num(x.x), num(x.y), num(x.w), num(x.h))
		if x.r > 0 {
			fmt.Fprintf(b, ` rx="%s"`, num(x.r))
		}
		b.WriteString("/>\n")
	case pathItem:
		fmt.Fprintf(b, `<path class="%s" d="%s"/>`+"\n", x.class, pathData(x.steps))
	case textItem:
		class := x.class
		if x.face.bold {
			class += " bold"
		}
		if x.stamp {
			class += " " + stampClass
		}
		fmt.Fprintf(b, `<text class="%s" x="%s" y="%s" font-size="%s"`, class, num(x.at.x), num(x.at.y), num(x.face.size))
		switch x.anchor {
		case centred:
			b.WriteString(` text-anchor="middle"`)
		case fromRight:
			b.WriteString(` text-anchor="end"`)
		case fromLeft:
		}
		if x.width > 0 {
			fmt.Fprintf(b, ` textLength="%s" lengthAdjust="spacingAndGlyphs"`, num(x.width))
		}
		fmt.Fprintf(b, ">%s</text>\n", escapeXML(x.text))
	}
}

// stampClass marks the lines of an SVG that Check leaves out.
const stampClass = "stamp"

func pathData(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteByte(s.op)
		points := 1
		switch s.op {
		case 'C':
			points = 3
		case 'Z':
			points = 0
		}
		for i := range points {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(num(s.p[i].x) + " " + num(s.p[i].y))
		}
	}
	return b.String()
}

// num prints a coordinate with one decimal at most.
func num(f float64) string {
	s := strconv.FormatFloat(f, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

func escapeXML(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer takes everything
	return b.String()
}
