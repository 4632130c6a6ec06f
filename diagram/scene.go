package diagram

// A scene is a laid-out sheet as drawing operations, in order from back to front. Every format that draws is a walk over it.
type scene struct {
	w, h  float64
	items []item
}

// item is one of the drawing operations of this file.
//
//sumtype:decl
type item interface{ item() }

// openItem begins a thing that a reader can point at: a zone, a member, a flow.
type openItem struct {
	id    string
	class string
	ref   string    // what it stands for
	ends  [2]string // of a flow: what it joins
	label string    // in words
	desc  string    // what else is known of it
}

// closeItem ends what openItem began.
type closeItem struct{}

type rectItem struct {
	area
	r     float64 // of the corners
	class string
	zoom  float64 // of its pen; 0 is 1
}

// pathItem is lines and Bézier curves.
type pathItem struct {
	steps []step
	class string
	zoom  float64
}

// step moves the pen: M and L take one point, C takes three, Z none.
type step struct {
	op byte
	p  [3]point
}

type textItem struct {
	at     point
	face   face
	anchor anchor
	class  string
	text   string
	width  float64 // as measured; 0 where the built-in font lacks a character
	stamp  bool    // changes although the picture does not
}

type face struct {
	size float64
	bold bool
}

type anchor uint8

const (
	fromLeft anchor = iota
	centred
	fromRight
)

func (openItem) item()  {}
func (closeItem) item() {}
func (rectItem) item()  {}
func (pathItem) item()  {}
func (textItem) item()  {}

func (s *scene) add(items ...item) { s.items = append(s.items, items...) }

// move shifts what was added since a mark.
func (s *scene) move(from int, dx, dy float64) {
	for i := from; i < len(s.items); i++ {
		switch x := s.items[i].(type) {
		case rectItem:
			x.x, x.y = x.x+dx, x.y+dy
			s.items[i] = x
		case pathItem:
			for j := range x.steps {
				for k := range x.steps[j].p {
					x.steps[j].p[k].x += dx
					x.steps[j].p[k].y += dy
				}
			}
		case textItem:
			x.at.x, x.at.y = x.at.x+dx, x.at.y+dy
			s.items[i] = x
		case openItem, closeItem:
		}
	}
}

// colour is a colour on paper and on a dark screen; empty is none.
type colour struct{ light, dark string }

// The second word of a class: a line from or to the cardholder data environment is thick, and of a comparison, what moved is thicker and
// what did not is pale.
const scopeWidth, movedWidth, paleWidth = 2.6, 3.4, 0.8

func pale() colour { return colour{"#c4cad1", "#3b444e"} }

type style struct {
	class  string
	fill   colour
	stroke colour
	width  float64
	dash   []float64
}

func none() colour { return colour{"none", "none"} }

// styles is what classes look like. Every difference that colour makes is made a second time, by stroke, shape or a word, so that
// the sheet reads in black and white and with any colour vision.
func styles() []style {
	paper := colour{"#ffffff", "#0f141a"}
	ink := colour{"#1b1f24", "#e6edf3"}
	soft := colour{"#50575f", "#a9b3be"}
	hair := colour{"#c4cad1", "#3b444e"}
	blue := colour{"#0b5fa5", "#6cb6ff"}
	orange := colour{"#a34f00", "#f0a35e"}
	red := colour{"#a4123f", "#ff8fa8"}
	zone := func(kind string, fill, edge colour, width float64, dash ...float64) style {
		return style{class: "z-" + kind, fill: fill, stroke: edge, width: width, dash: dash}
	}
	grey := colour{"#f4f5f7", "#1b222a"}
	return []style{
		{class: "paper", fill: paper, stroke: none()},
		{class: "rule", fill: none(), stroke: hair, width: 1},
		{class: "band", fill: colour{"#eef1f4", "#1b222a"}, stroke: none()},
		{class: "ink", fill: ink, stroke: none()},
		{class: "soft", fill: soft, stroke: none()},
		{class: "alert", fill: red, stroke: none()},
		zone("internet", grey, soft, 1.4, 7, 4),
		zone("partner", grey, soft, 1.4, 7, 4),
		zone("on-prem", grey, soft, 1.4, 7, 4),
		zone("wireless", grey, soft, 1.4, 7, 4),
		zone("outside", grey, soft, 1.4, 7, 4),
		zone("dmz", colour{"#fff3dd", "#33260f"}, orange, 1.4),
		zone("management", colour{"#f2eefb", "#261f3a"}, colour{"#5f3dab", "#b9a3f2"}, 1.4),
		zone("trusted", colour{"#e7f2fb", "#10293d"}, blue, 1.4),
		zone("cde", colour{"#fdebef", "#3a1420"}, red, 3),
		zone("data", colour{"#e5f4ec", "#10301f"}, colour{"#17653f", "#6fd19c"}, 1.4),
		zone("out-of-scope", paper, soft, 1.4, 2, 3),
		zone("other", paper, soft, 1.4),
		{class: "frame", fill: none(), stroke: colour{"#8a929b", "#75808c"}, width: 1},
		{class: "tile", fill: paper, stroke: colour{"#8a929b", "#75808c"}, width: 1},
		{class: "icon", fill: none(), stroke: ink, width: 1.2},
		{class: "pill", fill: paper, stroke: hair, width: 1},
		{class: "badge", fill: ink, stroke: none()},
		{class: "badge-text", fill: paper, stroke: none()},
		{class: "l-direct", fill: none(), stroke: ink, width: 1.5},
		{class: "l-relayed", fill: none(), stroke: blue, width: 1.5, dash: []float64{8, 4}},
		{class: "l-unknown", fill: none(), stroke: orange, width: 2, dash: []float64{2, 4}},
		{class: "l-no-path", fill: none(), stroke: soft, width: 1.2, dash: []float64{12, 3, 2, 3}},
		{class: "l-impossible", fill: none(), stroke: red, width: 1.6, dash: []float64{12, 3, 2, 3}},
		{class: "h-direct", fill: ink, stroke: ink, width: 1},
		{class: "h-relayed", fill: blue, stroke: blue, width: 1},
		{class: "h-unknown", fill: paper, stroke: orange, width: 1.4},
		{class: "h-no-path", fill: none(), stroke: soft, width: 2.4},
		{class: "h-impossible", fill: none(), stroke: red, width: 2.4},
		{class: "l-undeclared", fill: none(), stroke: red, width: 1.8, dash: []float64{5, 3}},
		{class: "h-undeclared", fill: red, stroke: red, width: 1},
		{class: "l-clear", fill: none(), stroke: red, width: 2.2},
		{class: "h-clear", fill: red, stroke: red, width: 1},
		{class: "h-pale", fill: pale(), stroke: pale(), width: paleWidth},
		{class: "l-clear-unknown", fill: none(), stroke: red, width: 2.2, dash: []float64{2, 4}},
		{class: "h-clear-unknown", fill: paper, stroke: red, width: 1.4},
	}
}

// class is the word of a line in the names of styles.
func (l Line) class() string {
	switch l {
	case RelayedLine:
		return "relayed"
	case UnknownLine:
		return "unknown"
	case NoPathLine:
		return "no-path"
	case BrokenLine:
		return "impossible"
	case StrayLine:
		return "undeclared"
	default:
		return "direct"
	}
}

func zoneClass(kind string) string {
	for _, s := range styles() {
		if s.class == "z-"+kind {
			return s.class
		}
	}
	return "z-other"
}

func lineTo(points ...point) []step {
	out := make([]step, len(points))
	for i, p := range points {
		out[i] = step{op: 'L', p: [3]point{p}}
	}
	out[0].op = 'M'
	return out
}

func (c curve) steps() []step {
	out := []step{{op: 'M', p: [3]point{c[0]}}}
	for i := 1; i+2 < len(c); i += 3 {
		out = append(out, step{op: 'C', p: [3]point{c[i], c[i+1], c[i+2]}})
	}
	return out
}
