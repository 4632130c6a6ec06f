package diagram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-graphviz"

	"github.com/ringfence/ringfence/diagram/machinecode"
)

//nolint:gochecknoinits // the engine has started by now
func init() { machinecode.Restore() }

// engine is held while the layout engine runs.
//
//nolint:gochecknoglobals // go-graphviz is one WebAssembly instance per process; used twice at a time it returns wrong pictures without an error
var engine sync.Mutex

// plan is what the layout engine gets: sizes, and who is joined to whom. It holds no text of the input. Units are points, 1/72 inch,
// which are the pixels of the drawing.
type plan struct {
	boxes  []planBox
	frames []planFrame // clusters, outer ones first
	lines  []planLine
	layers bool // boxes of a layer stand in one column; lines lead from column to column
	down   bool // lines lead down, not to the right
	spread int  // columns of pills between two columns of boxes, where boxes may stand anywhere
}

type planBox struct {
	id    string
	w, h  float64
	frame string // cluster that holds it; empty: none
	layer int
}

type planFrame struct {
	id, parent string
	w, h       float64 // of its heading
}

// planLine joins two boxes through a pill, the box that its text stands in.
type planLine struct {
	from, to string
	w, h     float64
	frame    string // cluster that holds the pill
}

type point struct{ x, y float64 }

// area is a box by its upper left corner.
type area struct{ x, y, w, h float64 }

// curve is a chain of Bézier curves: the first point, then three for each.
type curve []point

// placed is what the layout engine returns, with y growing downwards.
type placed struct {
	w, h   float64
	boxes  map[string]area
	frames map[string]area
	pills  []area // one for each line
	lines  [][2]curve
	index  map[string]int // of a line, by the ID of its edge
}

// layout places a plan.
func layout(p plan) (*placed, error) {
	if len(p.boxes) > MaxNodes || len(p.lines) > MaxEdges {
		return nil, fmt.Errorf("lay out: %d boxes and %d lines, the limits are %d and %d", len(p.boxes), len(p.lines), MaxNodes, MaxEdges)
	}
	best, err := p.lay()
	if err != nil || p.layers {
		return best, err
	}
	for _, way := range []struct {
		down   bool
		spread int
	}{{false, 2}, {false, 3}, {true, 1}} {
		p.down, p.spread = way.down, way.spread
		other, err := p.lay()
		if err != nil {
			return nil, err
		}
		if other.fit() > best.fit()*1.05 {
			best = other
		}
	}
	return best, nil
}

func (p plan) lay() (*placed, error) {
	out, err := run(p.dot())
	if err != nil {
		return nil, fmt.Errorf("lay out: %w", err)
	}
	return p.read(out)
}

// fit is the scale at which a picture fits on a page; none is enlarged.
func (r *placed) fit() float64 {
	const room, reserved = pageWidth - 2*margin, 250 // title block and legend
	return min(room/r.w, (pageHeight-reserved)/r.h, 1)
}

// run gives a graph to the engine and returns it with positions, as JSON.
func run(dot []byte) ([]byte, error) {
	engine.Lock()
	defer engine.Unlock()
	graphviz.SetFileSystem(noFiles{})
	ctx := context.Background()
	g, err := graphviz.New(ctx)
	if err != nil {
		return nil, err
	}
	graph, err := graphviz.ParseBytes(dot)
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	var b bytes.Buffer
	err = g.Render(ctx, graph, graphviz.Format("json0"), &b)
	return b.Bytes(), errors.Join(err, graph.Close(), g.Close())
}

// noFiles is the file system of the engine, which opens what a graph names as an image or a font.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// dot writes the plan. Pills are nodes, so that a line runs through its own text and no text covers a line of another.
func (p plan) dot() []byte {
	var b bytes.Buffer
	b.WriteString("digraph {\n")
	if p.layers {
		b.WriteString("graph [rankdir=LR, nodesep=0.22, ranksep=0.38, splines=true];\n")
	} else {
		direction := "LR"
		if p.down {
			direction = "TB"
		}
		b.WriteString("graph [rankdir=" + direction + ", nodesep=0.2, ranksep=0.34, splines=true];\n")
	}
	b.WriteString("node [shape=box, fixedsize=true, label=\"\"];\nedge [arrowsize=0.7];\n")
	p.writeFrames(&b, "")
	layer := map[string]int{}
	for _, x := range p.boxes {
		layer[x.id] = x.layer
		if x.frame == "" {
			writeBox(&b, x.id, x.w, x.h)
		}
	}
	if p.layers {
		p.writeLayers(&b)
	}
	for i, l := range p.lines {
		if l.frame == "" {
			writeBox(&b, pill(i), l.w, l.h)
		}
		switch d := layer[l.to] - layer[l.from]; {
		case !p.layers:
			n := max(p.spread, 1)
			fmt.Fprintf(&b, "%s -> %s [id=a%d, dir=none, minlen=%d];\n%s -> %s [id=b%d, minlen=%d];\n", l.from, pill(i), i, 1+i%n, pill(i), l.to, i, n-i%n)
		case d > 0:
			fmt.Fprintf(&b, "%s -> %s [id=a%d, dir=none];\n%s -> %s [id=b%d];\n", l.from, pill(i), i, pill(i), l.to, i)
		case d < 0: // against the order of the columns
			fmt.Fprintf(&b, "%s -> %s [id=a%d, dir=none];\n%s -> %s [id=b%d, dir=back];\n", pill(i), l.from, i, l.to, pill(i), i)
		default: // within a column: the pill stands beside it
			fmt.Fprintf(&b, "%s -> %s [id=a%d, dir=none];\n%s -> %s [id=b%d, dir=back];\n", l.from, pill(i), i, l.to, pill(i), i)
		}
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func pill(line int) string { return "p" + strconv.Itoa(line) }

func writeBox(b *bytes.Buffer, id string, w, h float64) {
	fmt.Fprintf(b, "%s [width=%s, height=%s];\n", id, inches(w), inches(h))
}

func inches(points float64) string { return strconv.FormatFloat(points/72, 'f', 4, 64) }

// writeFrames writes the clusters inside a parent. A heading is an empty table of its size.
func (p plan) writeFrames(b *bytes.Buffer, parent string) {
	for _, f := range p.frames {
		if f.parent != parent {
			continue
		}
		fmt.Fprintf(b, "subgraph cluster_%s { margin=10; labeljust=l;\n", f.id)
		fmt.Fprintf(b, "label=<<TABLE BORDER=\"0\" CELLBORDER=\"0\" FIXEDSIZE=\"TRUE\" WIDTH=\"%.0f\" HEIGHT=\"%.0f\"><TR><TD></TD></TR></TABLE>>;\n", f.w, f.h)
		p.writeFrames(b, f.id)
		for _, x := range p.boxes {
			if x.frame == f.id {
				writeBox(b, x.id, x.w, x.h)
			}
		}
		for i, l := range p.lines {
			if l.frame == f.id {
				writeBox(b, pill(i), l.w, l.h)
			}
		}
		b.WriteString("}\n")
	}
}

// writeLayers ties the boxes of each layer to one column, and the columns to their order with room for pills between them.
func (p plan) writeLayers(b *bytes.Buffer) {
	var layers []int
	for _, x := range p.boxes {
		layers = append(layers, x.layer)
	}
	slices.Sort(layers)
	layers = slices.Compact(layers)
	for i, l := range layers {
		fmt.Fprintf(b, "l%d [style=invis, width=0.01, height=0.01];\n{ rank=same; l%d", l, l)
		for _, x := range p.boxes {
			if x.layer == l {
				b.WriteString("; " + x.id)
			}
		}
		b.WriteString(" }\n")
		if i > 0 {
			fmt.Fprintf(b, "l%d -> l%d [style=invis, minlen=2];\n", layers[i-1], l)
		}
	}
}

// engineOutput is the part of the engine's JSON that is read. Numbers stand in strings there.
type engineOutput struct {
	BB      string         `json:"bb"`
	Objects []engineObject `json:"objects"`
	Edges   []engineEdge   `json:"edges"`
}

type engineObject struct {
	Name string `json:"name"`
	Pos  string `json:"pos"`
	BB   string `json:"bb"`
	W    string `json:"width"`
	H    string `json:"height"`
}

type engineEdge struct {
	ID  string `json:"id"`
	Pos string `json:"pos"`
}

// read takes the positions over. What the engine left out is an error: a picture with a flow missing is worse than none.
func (p plan) read(data []byte) (*placed, error) {
	var out engineOutput
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("read the layout: %w", err)
	}
	sheet, err := numbers(out.BB, 4)
	if err != nil {
		return nil, fmt.Errorf("read the layout: size of the sheet: %w", err)
	}
	r := &placed{
		w: sheet[2] - sheet[0], h: sheet[3] - sheet[1], boxes: map[string]area{}, frames: map[string]area{},
		pills: make([]area, len(p.lines)), lines: make([][2]curve, len(p.lines)),
	}
	at := func(x, y float64) point { return point{x - sheet[0], sheet[3] - y} }
	for _, o := range out.Objects {
		if id, ok := strings.CutPrefix(o.Name, "cluster_"); ok && o.BB != "" {
			bb, err := numbers(o.BB, 4)
			if err != nil {
				return nil, fmt.Errorf("read the layout: frame %s: %w", id, err)
			}
			corner := at(bb[0], bb[3])
			r.frames[id] = area{corner.x, corner.y, bb[2] - bb[0], bb[3] - bb[1]}
			continue
		}
		if o.Pos == "" {
			continue
		}
		pos, err := numbers(o.Pos, 2)
		if err != nil {
			return nil, fmt.Errorf("read the layout: box %s: %w", o.Name, err)
		}
		size, err := numbers(o.W+","+o.H, 2)
		if err != nil {
			return nil, fmt.Errorf("read the layout: box %s: %w", o.Name, err)
		}
		c, w, h := at(pos[0], pos[1]), size[0]*72, size[1]*72
		r.boxes[o.Name] = area{c.x - w/2, c.y - h/2, w, h}
	}
	for _, e := range out.Edges {
		if e.ID == "" {
			continue
		}
		n, err := strconv.Atoi(e.ID[1:])
		if err != nil || n < 0 || n >= len(p.lines) {
			return nil, fmt.Errorf("read the layout: no line `%s`", e.ID)
		}
		c, err := spline(e.Pos, at)
		if err != nil {
			return nil, fmt.Errorf("read the layout: line %d: %w", n, err)
		}
		half := 0
		if e.ID[0] == 'b' {
			half = 1
		}
		r.lines[n][half] = c
	}
	return r, p.complete(r)
}

func (p plan) complete(r *placed) error {
	for _, x := range p.boxes {
		if _, ok := r.boxes[x.id]; !ok {
			return fmt.Errorf("read the layout: box %s is missing", x.id)
		}
	}
	for i, l := range p.lines {
		var ok bool
		if r.pills[i], ok = r.boxes[pill(i)]; !ok || len(r.lines[i][0]) < 4 || len(r.lines[i][1]) < 4 {
			return fmt.Errorf("read the layout: the line from %s to %s is missing", l.from, l.to)
		}
		r.orient(i, l)
	}
	return nil
}

// orient turns both halves so that they run from the sender to the pill, and from the pill to the target.
func (r *placed) orient(i int, l planLine) {
	from := r.boxes[l.from].middle()
	to := r.boxes[l.to].middle()
	mid := r.pills[i].middle()
	if c := r.lines[i][0]; c[0].far(from)+c[len(c)-1].far(mid) > c[0].far(mid)+c[len(c)-1].far(from) {
		slices.Reverse(c)
	}
	if c := r.lines[i][1]; c[0].far(mid)+c[len(c)-1].far(to) > c[0].far(to)+c[len(c)-1].far(mid) {
		slices.Reverse(c)
	}
}

func (a area) middle() point { return point{a.x + a.w/2, a.y + a.h/2} }

// far is the distance that the shorter axis does not see: enough to tell two ends apart.
func (p point) far(q point) float64 { return max(p.x-q.x, q.x-p.x) + max(p.y-q.y, q.y-p.y) }

// spline reads `e,x,y x,y x,y …`: an arrow head at the end (or `s,…`, at the start), then the points of the curve. The tip of an
// arrow becomes the curve's last point, joined by a straight piece.
func spline(text string, at func(x, y float64) point) (curve, error) {
	var c curve
	var tip *point
	atStart := false
	for _, word := range strings.Fields(text) {
		head := strings.HasPrefix(word, "e,") || strings.HasPrefix(word, "s,")
		if head {
			atStart = word[0] == 's'
			word = word[2:]
		}
		xy, err := numbers(word, 2)
		if err != nil {
			return nil, err
		}
		p := at(xy[0], xy[1])
		if head {
			tip = &p
			continue
		}
		c = append(c, p)
	}
	if len(c) < 4 || len(c)%3 != 1 {
		return nil, fmt.Errorf("%d points are no curve", len(c))
	}
	if tip != nil {
		if atStart {
			slices.Reverse(c)
		}
		last := c[len(c)-1]
		c = append(c, last, *tip, *tip)
	}
	return c, nil
}

func numbers(text string, want int) ([]float64, error) {
	words := strings.Split(text, ",")
	if len(words) != want {
		return nil, fmt.Errorf("`%s` is not %d numbers", text, want)
	}
	out := make([]float64, want)
	for i, w := range words {
		f, err := strconv.ParseFloat(w, 64)
		if err != nil {
			return nil, err
		}
		out[i] = f
	}
	return out, nil
}
