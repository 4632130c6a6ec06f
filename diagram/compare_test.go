package diagram

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/solver"
)

func comparison(t *testing.T, before, after Input) *Diagram {
	t.Helper()
	var sides [2]*Diagram
	for i, in := range []Input{before, after} {
		in.View.Level = ZoneLevel
		d, err := Network(in)
		if err != nil {
			t.Fatal(err)
		}
		sides[i] = d
	}
	return Compare(sides[0], sides[1], [2]string{"main", "proposed"})
}

// moved lists what a panel of a comparison highlights.
func (p *Panel) moved() []string {
	var out []string
	for _, e := range p.Edges {
		if e.Change != Same {
			out = append(out, string(e.Change)+" "+p.sentence(e))
		}
	}
	return out
}

// Both sides stand at the same places; each highlights what the other lacks, and nothing else.
func TestCompare(t *testing.T) {
	after := shop()
	after.Rows = slices.DeleteFunc(after.Rows, func(r solver.Row) bool { return r.Src == "zone:hub" })                // removed
	after.Rows = append(after.Rows, row("internet", "zone:data", "tcp/1433"), row("zone:cde", "zone:data", "tcp/22")) // added, changed
	after.Zones[1].Members = append(after.Zones[1].Members, MemberInfo{Ref: "pod:payments/new"})
	d := comparison(t, shop(), after)
	want := [2][]string{
		{"removed hub to mgmt: tcp/22; direct"},
		{"added internet to data: tcp/1433; direct", "changed cde to data: tcp/22; direct"},
	}
	for i, p := range d.Panels {
		if diff := cmp.Diff(p.moved(), want[i]); diff != "" {
			t.Errorf("%s (-got +want):\n%s", p.Title, diff)
		}
	}
	if want := "1 added, 1 removed, 1 changed"; !strings.Contains(d.About, want) {
		t.Errorf("the sheet says `%s`, want `%s`", d.About, want)
	}
	svg, err := d.SVG()
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Panels {
		if d.Panels[i].placed == nil || d.Panels[i].placed != d.Panels[0].placed {
			t.Errorf("%s has a layout of its own", d.Panels[i].Title)
		}
	}
	if got := strings.Count(string(svg), `class="l-direct moved"`); got != 2*3+1 { // halves of three lines, and the legend
		t.Errorf("%d highlighted strokes, want those of three lines", got)
	}
	if got := strings.Count(string(svg), `class="tile moved"`); got != 1 {
		t.Errorf("%d highlighted boxes, want the new workload", got)
	}
	golden(t, "compare.svg", svg)
	for _, write := range []func() ([]byte, error){d.PNG, d.PDF, d.JSON, func() ([]byte, error) { return d.DrawIO(nil) }} {
		if _, err := write(); err != nil {
			t.Error(err)
		}
	}
	checkDOT(t, "comparison", d.DOT())
	checkMermaid(t, "comparison", d.Mermaid())
}

// The same on both sides: nothing is highlighted, and the sheet says so. An empty side has everything added or removed.
func TestCompareSame(t *testing.T) {
	d := comparison(t, shop(), shop())
	for _, p := range d.Panels {
		if got := p.moved(); len(got) > 0 {
			t.Errorf("%s highlights %q", p.Title, got)
		}
	}
	if !strings.HasPrefix(d.About, "No line moved") {
		t.Errorf("the sheet says `%s`", d.About)
	}
	empty := Input{Rows: []solver.Row{}}
	for i, d := range []*Diagram{comparison(t, empty, shop()), comparison(t, shop(), empty)} {
		moved := append(d.Panels[0].moved(), d.Panels[1].moved()...)
		word := []string{"added ", "removed "}[i]
		if len(moved) == 0 || slices.ContainsFunc(moved, func(s string) bool { return !strings.HasPrefix(s, word) }) {
			t.Errorf("against an empty side: got %q, want everything %s", moved, word)
		}
		if _, err := d.SVG(); err != nil {
			t.Error(err)
		}
	}
}
