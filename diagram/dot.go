package diagram

import (
	"bytes"
	"fmt"
	"strings"
)

// DOT writes the diagram for Graphviz, with a cluster for each zone, virtual network, subnet and namespace.
func (d *Diagram) DOT() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "digraph %s {\n", d.Kind)
	fmt.Fprintf(&b, "// stamp: as of %s, inputs %s, made by %s\n", d.Stamp.AsOf, d.Stamp.Hash, d.Stamp.Tool)
	fmt.Fprintf(&b, "graph [rankdir=LR, compound=true, fontname=\"Arial\", labelloc=t, label=%s];\n", dotLabel(d.Title+": "+d.Project, d.Standard+", requirement "+d.Requirement))
	b.WriteString("node [shape=box, style=rounded, fontname=\"Arial\", fontsize=11];\nedge [fontname=\"Arial\", fontsize=10];\n")
	for i := range d.Panels {
		p := &d.Panels[i]
		fmt.Fprintf(&b, "subgraph cluster_%s {\nlabel=%s; peripheries=0;\n", p.Name, dotLabel(append([]string{p.Title}, p.Notes...)...))
		for _, g := range p.Groups {
			if g.Parent == "" {
				p.dotGroup(&b, g)
			}
		}
		b.WriteString("}\n")
		for _, e := range p.lines() {
			p.dotEdge(&b, e)
		}
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func (p *Panel) dotGroup(b *bytes.Buffer, g Group) {
	fmt.Fprintf(b, "subgraph cluster_%s_%s {\nlabel=%s; style=%q;\n", p.Name, g.ID, dotLabel(append([]string{innerName(g)}, g.Notes...)...), dotStyle(g.Kind))
	empty := true
	for _, n := range p.Nodes {
		if n.Group == g.ID {
			fmt.Fprintf(b, "%s_%s [label=%s];\n", p.Name, n.ID, dotLabel(n.Label, n.Detail))
			empty = false
		}
	}
	for _, inner := range p.Groups {
		if inner.Parent == g.ID {
			p.dotGroup(b, inner)
			empty = false
		}
	}
	if empty { // lines need a node to hold on to
		fmt.Fprintf(b, "%s_%s [style=invis, label=\"\"];\n", p.Name, g.ID)
	}
	b.WriteString("}\n")
}

// innerName is the heading of a group in the formats that others lay out.
func innerName(g Group) string {
	if g.Parent != "" {
		return innerTitle(g)
	}
	if g.Detail != "" {
		return frameTitle(g) + ", owner: " + g.Detail
	}
	return frameTitle(g)
}

func dotStyle(kind string) string {
	switch {
	case external(kind):
		return "rounded,dashed"
	case kind == "cde":
		return "rounded,bold"
	default:
		return "rounded"
	}
}

func (p *Panel) dotEdge(b *bytes.Buffer, e Edge) {
	from, to, ends := p.Name+"_"+e.From, p.Name+"_"+e.To, ""
	if p.boxed() {
		ends = fmt.Sprintf(", ltail=cluster_%s, lhead=cluster_%s", from, to)
		from, to = p.Name+"_"+p.holder(e.From), p.Name+"_"+p.holder(e.To)
	}
	style := "solid"
	switch e.Line {
	case RelayedLine:
		style = "dashed"
	case UnknownLine:
		style = "dotted"
	case NoPathLine, BrokenLine:
		style = "dashed, arrowhead=tee"
	case StrayLine:
		style = "dashed"
	case DirectLine:
	}
	if e.fault() != "" {
		style += ", color=\"#a4123f\", fontcolor=\"#a4123f\""
	}
	fmt.Fprintf(b, "%s -> %s [style=%s%s, label=%s];\n", from, to, style, ends, dotLabel(p.caption(e)...))
}

// holder is the node that stands for a group at the end of a line.
func (p *Panel) holder(group string) string {
	for _, n := range p.Nodes {
		if n.Group == group {
			return n.ID
		}
	}
	for _, g := range p.Groups {
		if g.Parent == group {
			return p.holder(g.ID)
		}
	}
	return group
}

// caption is what stands on a line in the formats that others lay out.
// Flows of cardholder data are numbered; other numbers belong to the table of a sheet, and would change with every flow before them.
func (p *Panel) caption(e Edge) []string {
	if e.Line == NoPathLine {
		return []string{e.Text}
	}
	lines := []string{}
	for i, w := range e.Ways {
		if i == shownWays {
			lines = append(lines, e.moreWays())
			break
		}
		lines = append(lines, w.lines(4)...)
	}
	if len(lines) == 0 {
		lines = append(lines, "no service stated")
	}
	if word := e.fault(); word != "" {
		lines[0] = word + ": " + lines[0]
	}
	if p.flowing() {
		lines[0] = fmt.Sprintf("%d: %s", e.Number, lines[0])
	}
	if len(e.Data) > 0 {
		lines = append(lines, strings.Join(e.Data, ", "))
	}
	if e.InTransit != "" {
		lines = append(lines, e.InTransit)
	}
	return lines
}

// dotLabel quotes lines as one label. In a label a backslash begins an escape and an ampersand an entity.
func dotLabel(lines ...string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;")
	var out []string
	for _, l := range lines {
		if l != "" {
			out = append(out, r.Replace(l))
		}
	}
	return `"` + strings.Join(out, `\n`) + `"`
}
