package diagram

import (
	"fmt"
	"strings"
	"testing"
)

// The engine never gets more than the limits, and the sheet says what is missing; flows of the CDE are the last to go.
func TestLimits(t *testing.T) {
	t.Run("lines", func(t *testing.T) {
		in := Input{Zones: []ZoneInfo{{Name: "cde", Kind: "cde"}}}
		for i := range 20 {
			in.Zones = append(in.Zones, ZoneInfo{Name: fmt.Sprintf("t%02d", i), Kind: "trusted"})
			for j := range 20 {
				if i != j {
					in.Rows = append(in.Rows, row(fmt.Sprintf("zone:t%02d", i), fmt.Sprintf("zone:t%02d", j), "tcp/443"))
				}
			}
			in.Rows = append(in.Rows, row(fmt.Sprintf("zone:t%02d", i), "zone:cde", "tcp/22"))
		}
		d, err := Network(in)
		if err != nil {
			t.Fatal(err)
		}
		p := d.Panels[0]
		drawn := Panel{Name: p.Name, Groups: p.Groups, Edges: p.lines()}
		toCDE := strings.Count(strings.Join(drawn.flows(), "\n"), " to cde: ")
		if len(drawn.Edges) != MaxEdges || toCDE != 20 {
			t.Errorf("drawn: %d lines, %d of them into the CDE; want %d and all 20", len(drawn.Edges), toCDE, MaxEdges)
		}
		if want := "50 of 400 lines are drawn"; len(p.Notes) != 1 || !strings.HasPrefix(p.Notes[0], want) {
			t.Errorf("notes: got %q, want one that begins with `%s`", p.Notes, want)
		}
		svg, err := d.SVG()
		if err != nil {
			t.Fatal(err)
		}
		for _, flow := range p.flows() { // in words
			if !strings.Contains(string(svg), "Flow: "+flow+".") {
				t.Errorf("the sheet does not list `%s`", flow)
			}
		}
		if rows := strings.Count(string(svg), ">direct</text>"); rows != 400 {
			t.Errorf("the table has %d flows, want all 400", rows)
		}
	})
	t.Run("rows of the table", func(t *testing.T) {
		in := Input{}
		for i := range 26 {
			in.Zones = append(in.Zones, ZoneInfo{Name: fmt.Sprintf("t%02d", i), Kind: "trusted"})
			for j := range 26 {
				if i != j {
					in.Rows = append(in.Rows, row(fmt.Sprintf("t%02d", i), fmt.Sprintf("t%02d", j), "tcp/443"))
				}
			}
		}
		d, err := Network(in)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Panels[0].Edges) != 650 || !strings.Contains(d.Panels[0].Notes[0], "Only 600 of 650 flows are listed; the JSON has all.") || strings.Contains(d.About, "proved") {
			t.Errorf("got %d flows, notes %q and `%s`; want %d, a count, and no claim that what is missing was proved", len(d.Panels[0].Edges), d.Panels[0].Notes, d.About, 650)
		}
	})
	t.Run("boxes", func(t *testing.T) {
		in := Input{}
		for i := range MaxNodes {
			in.Zones = append(in.Zones, ZoneInfo{Name: fmt.Sprint("z", i), Kind: "trusted"})
		}
		d, err := Network(in) // and the internet: one too many
		if err != nil {
			t.Fatal(err)
		}
		svg, err := d.SVG()
		if err != nil {
			t.Fatal(err)
		}
		if want := "Too large to draw: 81 boxes, the limit is 80."; !strings.Contains(string(svg), want) {
			t.Errorf("the sheet does not say `%s`", want)
		}
	})
	t.Run("members of a box", func(t *testing.T) {
		in := Input{Zones: []ZoneInfo{{Name: "a", Kind: "cde"}}}
		for i := range MaxTiles + 3 {
			in.Zones[0].Members = append(in.Zones[0].Members, MemberInfo{Ref: fmt.Sprint("nic:n", i)})
		}
		in.Zones[0].Members = append(in.Zones[0].Members, MemberInfo{Ref: "firewall:z-last-by-name"})
		p := zonePanel(t, in)
		if len(p.Nodes) != MaxTiles || p.labelled("a").Notes[0] != "and 4 more members, not drawn" || p.Nodes[0].Ref != "firewall:z-last-by-name" {
			t.Errorf("got %d members, notes %q, first %q; want %d, a count, and the control kept", len(p.Nodes), p.labelled("a").Notes, p.Nodes[0].Ref, MaxTiles)
		}
	})
	t.Run("the engine itself", func(t *testing.T) {
		if _, err := layout(plan{boxes: make([]planBox, MaxNodes+1)}); err == nil || !strings.Contains(err.Error(), "81 boxes") {
			t.Errorf("a plan above the limit: got %v, want an error", err)
		}
	})
}

// What the engine leaves out is an error: a sheet with a flow missing is worse than none.
func TestIncompleteLayout(t *testing.T) {
	p := plan{boxes: []planBox{{id: "a", w: 10, h: 10}, {id: "b", w: 10, h: 10}}, lines: []planLine{{from: "a", to: "b", w: 10, h: 10}}}
	good, err := run(p.dot())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.read(good); err != nil {
		t.Fatalf("the engine's own output: %v", err)
	}
	for _, test := range []struct{ name, from, to, want string }{
		{"a box is missing", `"name": "b"`, `"name": "c"`, "box b is missing"},
		{"a line is missing", `"id": "b0"`, `"id": ""`, "the line from a to b is missing"},
		{"a line too many", `"id": "b0"`, `"id": "b7"`, "no line `b7`"},
		{"no number", `"bb": "`, `"bb": "x`, "size of the sheet"},
		{"no JSON", `{`, `{{`, "read the layout"},
	} {
		bad := strings.Replace(string(good), test.from, test.to, 1)
		if bad == string(good) {
			t.Fatalf("%s: the output has no %s to break", test.name, test.from)
		}
		if _, err := p.read([]byte(bad)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with `%s`", test.name, err, test.want)
		}
	}
}

// No box covers another, no text of a line covers a box, and each line runs from its sender to its target.
func TestLayoutIsReadable(t *testing.T) {
	d, err := Network(shop())
	if err != nil {
		t.Fatal(err)
	}
	m, err := newMetrics()
	if err != nil {
		t.Fatal(err)
	}
	a := &artist{d: d, m: m, s: &scene{}}
	for i := range d.Panels {
		p := &d.Panels[i]
		pl := a.zonePlan(p)
		if !p.boxed() {
			pl = a.nodePlan(p)
		}
		for _, e := range p.Edges {
			w, h := a.pillSize(e)
			pl.lines = append(pl.lines, planLine{from: e.From, to: e.To, w: w, h: h, frame: p.common(e.From, e.To)})
		}
		at, err := layout(pl)
		if err != nil {
			t.Fatal(err)
		}
		boxes := map[string]area{}
		for _, b := range pl.boxes {
			boxes[b.id] = at.boxes[b.id]
		}
		for i, b := range at.pills {
			boxes[pill(i)] = b
		}
		for x, a := range boxes {
			for y, b := range boxes {
				if x < y && a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h {
					t.Errorf("panel %s: %s covers %s", p.Name, x, y)
				}
			}
		}
		for i, l := range pl.lines {
			first, last := at.lines[i][0], at.lines[i][1]
			if !boxes[l.from].near(first[0]) || !boxes[l.to].near(last[len(last)-1]) || !at.pills[i].near(first[len(first)-1]) || !at.pills[i].near(last[0]) {
				t.Errorf("panel %s: the line from %s to %s does not join them", p.Name, l.from, l.to)
			}
		}
	}
}

func (a area) near(p point) bool {
	const slack = 3
	return p.x > a.x-slack && p.x < a.x+a.w+slack && p.y > a.y-slack && p.y < a.y+a.h+slack
}

func TestFit(t *testing.T) {
	m, err := newMetrics()
	if err != nil {
		t.Fatal(err)
	}
	f := plain(10)
	long := strings.Repeat("W", 10_000)
	for _, text := range []string{"", "a", "snet-cluster-inscope", long, "東京リージョンのサブネット"} {
		got := m.fit(text, f, 60)
		if w := m.width(got, f); w > 60.1 {
			t.Errorf("fit of %.20q: %q is %.1f wide, want at most 60", text, got, w)
		}
		if m.width(text, f) <= 60 && got != text {
			t.Errorf("fit of %.20q: got %q although it fits", text, got)
		}
	}
	if got := m.wrap("one two three four five six "+long, f, 40, 2); len(got) != 2 || m.width(got[1], f) > 40.1 {
		t.Errorf("wrap: got %.60q, want two lines that fit", got)
	}
}
