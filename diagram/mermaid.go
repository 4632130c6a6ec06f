package diagram

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/ringfence/ringfence/diagram/label"
)

// mermaidLimit is the text size above which Mermaid refuses to draw, unless a page sets another.
const mermaidLimit = 50_000

// Mermaid writes the diagram as a Mermaid flowchart, which Git forges draw in Markdown. One that is too long for them is written
// without the members of its groups, and says so.
func (d *Diagram) Mermaid() []byte {
	out := d.mermaid(true)
	if len(out) > mermaidLimit {
		out = d.mermaid(false)
	}
	return out
}

func (d *Diagram) mermaid(members bool) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%%%% %s\n", mermaidText(d.Title+": "+d.Project, 0))
	fmt.Fprintf(&b, "%%%% %s\n", mermaidText(d.Standard+", requirement "+d.Requirement, 0))
	fmt.Fprintf(&b, "%%%% stamp: as of %s, inputs %s, made by %s\n", mermaidText(d.Stamp.AsOf, 0), mermaidText(d.Stamp.Hash, 0), mermaidText(d.Stamp.Tool, 0))
	b.WriteString("flowchart LR\n")
	fmt.Fprintf(&b, "accTitle: %s\n", d.Title)
	if !members {
		b.WriteString("%% Members are left out: with them the text is longer than Mermaid draws.\n")
	}
	var links []Edge
	var classes []string
	for i := range d.Panels {
		p := &d.Panels[i]
		head := p.Title
		for _, n := range p.Notes {
			head += "<br>" + n
		}
		fmt.Fprintf(&b, "subgraph %s[%s]\ndirection LR\n", p.Name, mermaidLabel(strings.Split(head, "<br>")...))
		for _, g := range p.Groups {
			switch {
			case g.Parent == "":
				p.mermaidGroup(&b, g, members || !p.boxed())
				classes = append(classes, fmt.Sprintf("class %s_%s %s\n", p.Name, g.ID, mermaidClass(g.Kind)))
			case members || !p.boxed():
				classes = append(classes, fmt.Sprintf("class %s_%s inner\n", p.Name, g.ID))
			}
		}
		b.WriteString("end\n")
		classes = append(classes, fmt.Sprintf("class %s inner\n", p.Name))
		for _, e := range p.lines() {
			arrow := "-->"
			switch e.Line {
			case RelayedLine, UnknownLine, StrayLine:
				arrow = "-.->"
			case NoPathLine, BrokenLine:
				arrow = "--x"
			case DirectLine:
			}
			fmt.Fprintf(&b, "%s_%s %s|%s| %s_%s\n", p.Name, e.From, arrow, mermaidLabel(p.caption(e)...), p.Name, e.To)
			links = append(links, e)
		}
	}
	for _, s := range styles() {
		kind, ok := strings.CutPrefix(s.class, "z-")
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "classDef %s fill:%s,stroke:%s,stroke-width:%spx,color:#1b1f24", mermaidClass(kind), s.fill.light, s.stroke.light, num(s.width))
		if len(s.dash) > 0 {
			fmt.Fprintf(&b, ",stroke-dasharray:%s %s", num(s.dash[0]), num(s.dash[1]))
		}
		b.WriteString("\n")
	}
	b.WriteString("classDef inner fill:none,stroke:#8a929b\n")
	for _, c := range classes {
		b.WriteString(c)
	}
	for i, l := range links {
		var style []string
		switch l.Line {
		case UnknownLine:
			style = append(style, "stroke-dasharray:2 4")
		case NoPathLine, BrokenLine:
			style = append(style, "stroke-dasharray:12 3")
		case DirectLine, RelayedLine, StrayLine:
		}
		if l.fault() != "" {
			style = append(style, "stroke:#a4123f")
		}
		if len(style) > 0 {
			fmt.Fprintf(&b, "linkStyle %d %s\n", i, strings.Join(style, ","))
		}
	}
	return b.Bytes()
}

// mermaidClass is a zone kind as the name of a class.
func mermaidClass(kind string) string {
	return "k" + strings.ReplaceAll(strings.TrimPrefix(zoneClass(kind), "z-"), "-", "")
}

func (p *Panel) mermaidGroup(b *bytes.Buffer, g Group, members bool) {
	id := p.Name + "_" + g.ID
	if !members || !p.inhabited(g.ID) { // an empty subgraph is not drawn
		fmt.Fprintf(b, "%s[%s]\n", id, mermaidLabel(append([]string{innerName(g)}, g.Notes...)...))
		return
	}
	fmt.Fprintf(b, "subgraph %s[%s]\n", id, mermaidLabel(append([]string{innerName(g)}, g.Notes...)...))
	for _, n := range p.Nodes {
		if n.Group == g.ID {
			left, right := "[", "]"
			if n.Kind == "store" || n.Kind == "service" {
				left, right = "[(", ")]"
			}
			fmt.Fprintf(b, "%s_%s%s%s%s\n", p.Name, n.ID, left, mermaidLabel(n.Label, n.Detail), right)
		}
	}
	for _, inner := range p.Groups {
		if inner.Parent == g.ID {
			p.mermaidGroup(b, inner, members)
		}
	}
	b.WriteString("end\n")
}

func (p *Panel) inhabited(group string) bool {
	for _, n := range p.Nodes {
		if n.Group == group {
			return true
		}
	}
	for _, g := range p.Groups {
		if g.Parent == group {
			return true
		}
	}
	return false
}

// mermaidLabel quotes lines as one label.
func mermaidLabel(lines ...string) string {
	const limit = 90
	var out []string
	for _, l := range lines {
		if l != "" {
			out = append(out, mermaidText(l, limit))
		}
	}
	return `"` + strings.Join(out, "<br>") + `"`
}

// mermaidText writes every character as its number that is not plainly text: quotes, brackets, markup, and what begins a directive.
func mermaidText(s string, limit int) string {
	var b strings.Builder
	for _, r := range label.Clip(s, limit) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .,:/-_", r) {
			b.WriteRune(r)
		} else {
			b.WriteString("#" + strconv.Itoa(int(r)) + ";")
		}
	}
	return b.String()
}
