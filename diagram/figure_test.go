package diagram

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// A figure leads from each line that it draws, and from each row that stands for one, to an element of its SVG.
func TestFigures(t *testing.T) {
	network, err := Network(shop())
	if err != nil {
		t.Fatal(err)
	}
	flows, err := DataFlow(shop())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Diagram{network, flows} {
		whole, err := d.SVG()
		if err != nil {
			t.Fatal(err)
		}
		figures, err := d.Figures()
		if err != nil {
			t.Fatal(err)
		}
		if len(figures) != len(d.Panels) {
			t.Fatalf("%s: %d figures of %d panels", d.Kind, len(figures), len(d.Panels))
		}
		for i, f := range figures {
			if bytes.Contains(f.SVG, []byte("@page")) || !bytes.Contains(whole, []byte("@page")) {
				t.Errorf("%s: only a document of its own chooses its paper", f.Title)
			}
			checkSVG(t, f.Title, f.SVG)
			var drawn []string
			for _, l := range f.Lines {
				drawn = append(drawn, l.Element)
				if !bytes.Contains(f.SVG, []byte(`id="`+l.Element+`"`)) || len(l.From) == 0 || len(l.To) == 0 || slices.Contains(append(l.From, l.To...), "") {
					t.Errorf("%s: the line %+v has no element, or no ends", f.Title, l)
				}
			}
			if n := bytes.Count(f.SVG, []byte(`<g class="flow"`)); n != len(f.Lines) || n == 0 {
				t.Errorf("%s: %d lines of %d elements", f.Title, len(f.Lines), n)
			}
			rows := 0
			for _, r := range f.Rows {
				if len(r.Cells) != len(f.Head) {
					t.Errorf("%s: the row %q under %q", f.Title, r.Cells, f.Head)
				}
				if r.Line == "" {
					continue
				}
				if rows++; !slices.Contains(drawn, r.Line) {
					t.Errorf("%s: the row %q leads to %s, which is not drawn", f.Title, r.Cells, r.Line)
				}
			}
			listed := 0
			for _, e := range d.Panels[i].Edges {
				if e.Drawn && e.Number > 0 {
					listed++
				}
			}
			if rows != listed {
				t.Errorf("%s: %d rows lead to a line, want %d", f.Title, rows, listed)
			}
		}
	}
}

// A box that stands for several leads to all of them.
func TestFigureStands(t *testing.T) {
	p := network(t, campus(20))
	for _, n := range p.Nodes {
		if len(n.Stands) > 1 {
			if got := p.standsFor(n.ID); strings.Join(got, " ") != strings.Join(n.Stands, " ") {
				t.Errorf("%s stands for %q, want %q", n.Label, got, n.Stands)
			}
		} else if got := p.standsFor(n.ID); len(got) != 1 {
			t.Errorf("%s stands for %q", n.Label, got)
		}
	}
}
