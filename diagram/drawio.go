package diagram

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
)

// Positions are where the boxes of a draw.io file stand, and the shapes that somebody added by hand.
type Positions struct {
	boxes map[string]area
	bends map[string]string // of a line: its inner XML
	added map[string][]rawCell
}

// rawCell is a cell as a file has it.
type rawCell struct {
	Attrs []xml.Attr `xml:",any,attr"`
	Inner string     `xml:",innerxml"`
}

func (c rawCell) attr(name string) string {
	for _, a := range c.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// The largest draw.io file that is read, and the deepest: one that a person drew is far below.
const maxDrawIO = 64 << 20

// ReadPositions reads the positions of a draw.io file, compressed or not.
func ReadPositions(data []byte) (*Positions, error) {
	p := &Positions{boxes: map[string]area{}, bends: map[string]string{}, added: map[string][]rawCell{}}
	type graph struct {
		Cells []rawCell `xml:"root>mxCell"`
	}
	var file struct {
		XMLName  xml.Name
		Diagrams []struct {
			ID    string `xml:"id,attr"`
			Text  string `xml:",chardata"`
			Graph *graph `xml:"mxGraphModel"`
		} `xml:"diagram"`
	}
	if len(data) > maxDrawIO {
		return nil, fmt.Errorf("no draw.io file: %d bytes, at most %d", len(data), maxDrawIO)
	}
	if err := xml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("no draw.io file: %w", err)
	}
	if file.XMLName.Local != "mxfile" {
		return nil, fmt.Errorf("no draw.io file: found `<%s>`, want `<mxfile>`", shown(file.XMLName.Local))
	}
	for _, d := range file.Diagrams {
		if d.Graph == nil {
			text, err := inflate(strings.TrimSpace(d.Text))
			if err != nil {
				return nil, fmt.Errorf("page `%s` of the draw.io file: %w", shown(d.ID), err)
			}
			d.Graph = &graph{}
			if err := xml.Unmarshal(text, d.Graph); err != nil {
				return nil, fmt.Errorf("page `%s` of the draw.io file: %w", shown(d.ID), err)
			}
		}
		for _, c := range d.Graph.Cells {
			if err := p.read(d.ID, c); err != nil {
				return nil, fmt.Errorf("page `%s` of the draw.io file: cell `%s`: %w", shown(d.ID), shown(c.attr("id")), err)
			}
		}
	}
	return p, nil
}

func (p *Positions) read(page string, c rawCell) error {
	id := c.attr("id")
	var in struct {
		Geometry struct {
			X string `xml:"x,attr"`
			Y string `xml:"y,attr"`
			W string `xml:"width,attr"`
			H string `xml:"height,attr"`
		} `xml:"mxGeometry"`
	}
	if err := xml.Unmarshal([]byte("<c>"+c.Inner+"</c>"), &in); err != nil {
		return err
	}
	switch {
	case id == "0" || id == "1":
	case !strings.HasPrefix(id, cellPrefix):
		p.added[page] = append(p.added[page], c)
	case c.attr("edge") == "1":
		p.bends[id] = c.Inner
	default:
		var a area
		for _, f := range []struct {
			to   *float64
			text string
		}{{&a.x, in.Geometry.X}, {&a.y, in.Geometry.Y}, {&a.w, in.Geometry.W}, {&a.h, in.Geometry.H}} {
			if f.text == "" {
				continue
			}
			v, err := strconv.ParseFloat(f.text, 64)
			if err != nil || v != v || v > 1e7 || v < -1e7 {
				return fmt.Errorf("`%s` is no coordinate", shown(f.text))
			}
			*f.to = v
		}
		p.boxes[id] = a
	}
	return nil
}

// shown is a text of a file for a message.
func shown(text string) string { return model.Visible(label.Clip(text, 60)) }

// inflate reads a page as draw.io compresses it: deflated, in base64, with the characters of a URL.
func inflate(text string) ([]byte, error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxDrawIO+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > maxDrawIO {
		return nil, fmt.Errorf("more than %d bytes", maxDrawIO)
	}
	out, err := url.PathUnescape(string(plain))
	return []byte(out), err
}

// cellPrefix begins the IDs of cells that are made here. Others belong to whoever added them.
const cellPrefix = "rf-"

// DrawIO writes the diagram for draw.io, a page for each panel. Cells keep their IDs from one run to the next; keep, which may be nil,
// has them keep their positions too.
func (d *Diagram) DrawIO(keep *Positions) ([]byte, error) {
	m, err := newMetrics()
	if err != nil {
		return nil, err
	}
	if keep == nil {
		keep = &Positions{}
	}
	var b bytes.Buffer
	b.WriteString("<mxfile host=\"ringfence\">\n")
	for i := range d.Panels {
		p := &d.Panels[i]
		a := &artist{d: d, m: m, s: &scene{w: pageWidth}}
		w := &drawio{b: &b, d: d, p: p, keep: keep, prefix: cellPrefix + p.Name + "-", inside: map[string]bool{}}
		if err := w.page(a); err != nil {
			return nil, fmt.Errorf("%s diagram: %w", d.Kind, err)
		}
	}
	b.WriteString("</mxfile>\n")
	return b.Bytes(), nil
}

// drawio writes one page.
type drawio struct {
	b      *bytes.Buffer
	d      *Diagram
	p      *Panel
	keep   *Positions
	prefix string
	spots  map[string]area // of every box, on the page
	at     map[string]area // of every box, in its frame, with what is kept
	inside map[string]bool // IDs on the page
}

const titleHeight = 76.0

func (w *drawio) page(a *artist) error {
	pic, err := a.picture(w.p)
	if err != nil {
		return err
	}
	a.spots = map[string]area{}
	pic.draw()
	w.spots = a.spots
	w.settle()
	page := string(w.d.Kind) + "-" + w.p.Name
	fmt.Fprintf(w.b, "<diagram id=\"%s\" name=\"%s\">\n<mxGraphModel grid=\"1\" gridSize=\"10\" page=\"1\" pageWidth=\"1654\" pageHeight=\"1169\" math=\"0\" shadow=\"0\">\n<root>\n<mxCell id=\"0\"/>\n<mxCell id=\"1\" parent=\"0\"/>\n",
		escapeXML(page), escapeXML(w.p.Title))
	w.cell("title", "", "text;html=0;align=left;verticalAlign=top;whiteSpace=wrap;fontSize=12", area{0, 0, max(pic.w, 600), titleHeight - 20},
		w.d.Title+": "+w.d.Project, w.d.Standard+", requirement "+w.d.Requirement+"; owner of the CDE: "+w.d.Owner, w.d.About, strings.Join(w.p.Notes, " "))
	w.cell("stamp", "", "text;html=0;align=left;verticalAlign=top;whiteSpace=wrap;fontSize=10;fontColor=#50575f", area{0, titleHeight - 20, max(pic.w, 600), 16},
		fmt.Sprintf("judged as of %s, inputs %s, made by %s", w.d.Stamp.AsOf, w.d.Stamp.Hash, w.d.Stamp.Tool))
	for _, g := range w.p.Groups {
		if g.Parent == "" {
			w.group(g)
		}
	}
	for _, n := range w.p.Nodes {
		if n.Group == "" {
			w.node(n)
		}
	}
	for _, e := range w.p.lines() {
		w.edge(e)
	}
	for _, c := range w.keep.added[page] {
		w.foreign(c)
	}
	w.b.WriteString("</root>\n</mxGraphModel>\n</diagram>\n")
	return nil
}

// settle decides where each box stands in its frame. What is kept stays; what is new beside something kept goes below it; frames grow
// with what stands in them.
func (w *drawio) settle() {
	w.at = map[string]area{}
	type child struct{ id, parent string }
	var list []child // parents before their children
	for _, g := range w.p.Groups {
		list = append(list, child{g.ID, g.Parent})
	}
	for _, n := range w.p.Nodes {
		list = append(list, child{n.ID, n.Group})
	}
	keptBelow := map[string]float64{} // frame -> where kept boxes end
	for _, c := range list {
		if old, ok := w.keep.boxes[w.prefix+c.id]; ok {
			keptBelow[c.parent] = max(keptBelow[c.parent], old.y+old.h)
		}
	}
	const gap = 10
	for _, c := range list {
		at, ok := w.spots[c.id]
		if !ok {
			continue
		}
		at.x, at.y = at.x-w.spots[c.parent].x, at.y-w.spots[c.parent].y
		if c.parent == "" {
			at.y += titleHeight
		}
		below, others := keptBelow[c.parent]
		if old, kept := w.keep.boxes[w.prefix+c.id]; kept {
			at = area{old.x, old.y, max(old.w, at.w), max(old.h, at.h)}
		} else if others {
			at.x, at.y = gap, below+gap
			keptBelow[c.parent] = at.y + at.h
		}
		w.at[c.id] = at
	}
	for i := len(list) - 1; i >= 0; i-- {
		at, ok := w.at[list[i].id]
		frame, inFrame := w.at[list[i].parent]
		if !ok || !inFrame {
			continue
		}
		frame.w, frame.h = max(frame.w, at.x+at.w+gap/2), max(frame.h, at.y+at.h+gap/2)
		w.at[list[i].parent] = frame
	}
}

// foreign copies a cell that somebody added, unless it hangs on one that is gone.
func (w *drawio) foreign(c rawCell) {
	for _, name := range []string{"parent", "source", "target"} {
		if ref := c.attr(name); strings.HasPrefix(ref, cellPrefix) && !w.inside[ref] {
			return
		}
	}
	w.b.WriteString("<mxCell")
	for _, a := range c.Attrs {
		fmt.Fprintf(w.b, " %s=\"%s\"", a.Name.Local, escapeXML(a.Value))
	}
	fmt.Fprintf(w.b, ">%s</mxCell>\n", c.Inner)
}

// group writes a frame with what stands in it. Positions are relative to the frame.
func (w *drawio) group(g Group) {
	spot, ok := w.spots[g.ID]
	if !ok {
		return
	}
	var style string
	if g.Parent == "" {
		s := looks()[zoneClass(g.Kind)]
		style = fmt.Sprintf("fillColor=%s;strokeColor=%s;strokeWidth=%s;fontStyle=1", s.fill.light, s.stroke.light, num(s.width))
		if len(s.dash) > 0 {
			style += ";dashed=1"
		}
		if g.Kind == "data" {
			style += ";double=1"
		}
	} else {
		style = "fillColor=none;strokeColor=#8a929b"
	}
	lines := append([]string{innerName(g)}, g.Badges...)
	w.cell(g.ID, g.Parent, "rounded=1;arcSize=3;html=0;whiteSpace=wrap;container=1;collapsible=0;align=left;verticalAlign=top;spacingLeft=6;fontSize=11;"+style, spot, append(lines, g.Notes...)...)
	for _, n := range w.p.Nodes {
		if n.Group == g.ID {
			w.node(n)
		}
	}
	for _, inner := range w.p.Groups {
		if inner.Parent == g.ID {
			w.group(inner)
		}
	}
}

func (w *drawio) node(n Node) {
	spot, ok := w.spots[n.ID]
	if !ok {
		return
	}
	lines := []string{n.Label, n.Detail}
	for _, h := range n.Holds {
		lines = append(lines, strings.TrimSpace(iconWord(h.Kind)+" "+h.Label+" "+h.Detail))
	}
	if spot.h <= tileHeight { // one line
		lines = []string{joinedBy("   ", append(lines, n.Badges...)...)}
		n.Badges = nil
	}
	w.cell(n.ID, n.Group, "html=0;whiteSpace=wrap;fontSize=10;strokeColor=#8a929b;fillColor=#ffffff;"+drawioShape(n.Kind), spot, append(lines, n.Badges...)...)
}

// drawioShape is the shape of a kind of node, out of those that draw.io always has.
func drawioShape(kind string) string {
	switch kind {
	case "store", "service":
		return "shape=cylinder3;size=4"
	case "internet", "fqdn", "tag":
		return "shape=cloud"
	case "firewall", "appgw", "frontdoor", "apim":
		return "rounded=0;strokeWidth=2"
	case "pod", "pods", "ns":
		return "shape=hexagon;perimeter=hexagonPerimeter2;size=8;fixedSize=1"
	default:
		return "rounded=1;arcSize=8"
	}
}

func (w *drawio) edge(e Edge) {
	id := w.prefix + e.ID
	w.inside[id] = true
	style := "html=0;curved=1;endFill=1;fontSize=9;labelBackgroundColor=#ffffff;"
	look := looks()["l-"+e.class()]
	width := look.width
	if e.Scope {
		width = scopeWidth
	}
	style += fmt.Sprintf("strokeColor=%s;strokeWidth=%s", look.stroke.light, num(width))
	if len(look.dash) > 0 {
		parts := make([]string, len(look.dash))
		for i, d := range look.dash {
			parts[i] = num(d)
		}
		style += ";dashed=1;dashPattern=" + strings.Join(parts, " ")
	}
	switch e.Line {
	case NoPathLine, BrokenLine:
		style += ";endArrow=cross"
	case UnknownLine:
		style += ";endArrow=block;endFill=0"
	default:
		style += ";endArrow=block"
	}
	geometry := w.keep.bends[id]
	if geometry == "" {
		geometry = "<mxGeometry relative=\"1\" as=\"geometry\"/>"
	}
	fmt.Fprintf(w.b, "<mxCell id=\"%s\" value=\"%s\" style=\"%s\" edge=\"1\" parent=\"1\" source=\"%s\" target=\"%s\">%s</mxCell>\n",
		id, drawioText(w.p.caption(e)), style, w.prefix+e.From, w.prefix+e.To, geometry)
}

// cell writes a box.
func (w *drawio) cell(id, parent, style string, spot area, lines ...string) {
	at := spot
	if parent != "" {
		parent = w.prefix + parent
	} else {
		parent = "1"
	}
	if old, ok := w.keep.boxes[w.prefix+id]; ok {
		at = old
	}
	if settled, ok := w.at[id]; ok {
		at = settled
	}
	id = w.prefix + id
	w.inside[id] = true
	fmt.Fprintf(w.b, "<mxCell id=\"%s\" value=\"%s\" style=\"%s\" vertex=\"1\" parent=\"%s\"><mxGeometry x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" as=\"geometry\"/></mxCell>\n",
		id, drawioText(lines), style, parent, num(at.x), num(at.y), num(at.w), num(at.h))
}

// drawioText is lines as a label that draw.io shows as plain text.
func drawioText(lines []string) string {
	lines = slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return s == "" })
	return strings.ReplaceAll(escapeXML(strings.Join(lines, "\n")), "\n", "&#xA;")
}
