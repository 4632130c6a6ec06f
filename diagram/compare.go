package diagram

import (
	"fmt"
	"slices"
)

// Change says what became of a thing between two drawings.
type Change string

const (
	Same    Change = ""
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed" // of a flow: other services, names or controls
)

// Compare draws two diagrams of one kind as one, before and after, laid out alike. What moved is highlighted; flows that are the same on
// both sides are pale and say nothing.
func Compare(before, after *Diagram, names [2]string) *Diagram {
	d := *after
	d.Title = after.Title + ", before and after a change"
	d.Panels = nil
	total := map[Change]int{}
	for i := range after.Panels {
		a := &after.Panels[i]
		b := &Panel{Name: a.Name, Title: a.Title, boxes: a.boxes}
		for j := range before.Panels {
			if before.Panels[j].Name == a.Name {
				b = &before.Panels[j]
			}
		}
		old, now, count := compared(b, a)
		old.Title, now.Title = a.Title+": before ("+names[0]+")", a.Title+": after ("+names[1]+")"
		old.Name, now.Name = a.Name+"before", a.Name+"after"
		for k, n := range count {
			total[k] += n
		}
		d.Panels = append(d.Panels, old, now)
	}
	d.About = fmt.Sprintf("Lines that moved are thick: %d added, %d removed, %d changed. Flows that are the same on both sides are pale.", total[Added], total[Removed], total[Changed])
	if total[Added]+total[Removed]+total[Changed] == 0 {
		d.About = "No line moved: every flow is the same on both sides."
	}
	return d.finish()
}

// compared marks what moved, in a panel of each side that shares its layout with the other.
func compared(before, after *Panel) (old, now Panel, count map[Change]int) {
	union := &Panel{Name: after.Name, boxes: after.boxes, Picture: true, compared: true}
	side := func(p *Panel) Panel {
		return Panel{boxes: after.boxes, Picture: true, compared: true, union: union, Notes: slices.Clone(p.Notes)}
	}
	old, now, count = side(before), side(after), map[Change]int{}

	groups := map[string]Group{}
	for _, g := range before.Groups {
		groups[g.ID] = g
	}
	old.Groups, now.Groups = slices.Clone(before.Groups), slices.Clone(after.Groups)
	union.Groups = slices.Clone(after.Groups)
	for i, g := range union.Groups {
		if b, ok := groups[g.ID]; ok && len(b.Notes) > len(g.Notes) {
			union.Groups[i].Notes = b.Notes
		}
		delete(groups, g.ID)
	}
	for _, g := range before.Groups { // parents come before their children
		if _, gone := groups[g.ID]; gone {
			union.Groups = append(union.Groups, g)
		}
	}

	nodes := map[string]Node{}
	for _, n := range before.Nodes {
		nodes[n.ID] = n
	}
	for _, n := range after.Nodes {
		b, both := nodes[n.ID]
		if !both {
			n.Change = Added
		}
		now.Nodes = append(now.Nodes, n)
		if both && len(b.Detail) > len(n.Detail) {
			n.Detail = b.Detail
		}
		union.Nodes = append(union.Nodes, n)
		delete(nodes, n.ID)
	}
	for _, n := range before.Nodes {
		if _, gone := nodes[n.ID]; gone {
			n.Change = Removed
			union.Nodes = append(union.Nodes, n)
		}
		old.Nodes = append(old.Nodes, n)
	}

	edges := map[string]Edge{}
	for _, e := range before.Edges {
		edges[e.ID] = e
	}
	for _, e := range after.Edges {
		b, both := edges[e.ID]
		delete(edges, e.ID)
		both = both && e.Drawn == b.Drawn
		switch {
		case !both:
			e.Change = Added
		case b.content() != e.content() || b.Clear != e.Clear || b.InTransit != e.InTransit:
			b.Change, e.Change = Changed, Changed
			if was, is := only(b.Ways, e.Ways), only(e.Ways, b.Ways); len(was)+len(is) > 0 {
				b.Ways, e.Ways = was, is
			}
		}
		count[e.Change]++
		u := e
		if both && b.Change == Changed { // a side that lacks nothing of the other says nothing
			if len(b.Ways) == 0 && b.Line != NoPathLine {
				b.Change = Same
			}
			if len(e.Ways) == 0 && e.Line != NoPathLine {
				e.Change, u = Same, b
			}
		}
		if both {
			u.other = &b
			old.Edges = append(old.Edges, b)
		}
		union.Edges = append(union.Edges, u)
		now.Edges = append(now.Edges, e)
	}
	for _, e := range before.Edges {
		if _, gone := edges[e.ID]; gone {
			e.Change = Removed
			count[Removed]++
			union.Edges = append(union.Edges, e)
			old.Edges = append(old.Edges, e)
		}
	}
	// The lines that moved come first, where not all can be drawn.
	draw, drawn := map[string]bool{}, 0
	for _, same := range []bool{false, true} {
		for _, e := range union.Edges {
			if (e.Change == Same) == same && drawn < MaxEdges {
				draw[e.ID] = true
				drawn++
			}
		}
	}
	if len(union.tops()) > MaxNodes {
		union.Picture, old.Picture, now.Picture = false, false, false
		now.Notes = append(now.Notes, fmt.Sprintf("Too large to draw: %d boxes on either side, the limit is %d. What moved stands in the table.", len(union.tops()), MaxNodes))
	}
	for _, p := range []*Panel{union, &old, &now} {
		for i := range p.Edges {
			p.Edges[i].Drawn = draw[p.Edges[i].ID]
		}
	}
	if n := len(union.Edges) - drawn; n > 0 {
		now.Notes = append(now.Notes, fmt.Sprintf("%d lines are not drawn, those that did not move first.", n))
	}
	return old, now, count
}

// only lists the ways of one side that the other lacks, and of those that both have, the services.
func only(ways, other []Way) []Way {
	out := []Way{}
	for _, w := range ways {
		for _, o := range other {
			if w.Unknown == o.Unknown && slices.Equal(w.Targets, o.Targets) && slices.Equal(w.Via, o.Via) {
				w.Services = slices.DeleteFunc(slices.Clone(w.Services), func(s string) bool { return slices.Contains(o.Services, s) })
			}
		}
		if len(w.Services) > 0 {
			out = append(out, w)
		}
	}
	return out
}
