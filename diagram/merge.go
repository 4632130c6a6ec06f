package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
)

// refine applies the view to a panel of nodes: what is denied, what is in focus, and one box for nodes that no flow tells apart.
func (p *Panel) refine(in Input, c *crew) {
	p.scope()
	if in.View.Denied {
		in.denied(p)
	}
	p.focus(in.View)
	p.twins()
}

// scope marks the lines that cross the border of the cardholder data environment or of its data.
func (p *Panel) scope() {
	kind := map[string]string{}
	for _, g := range p.Groups {
		kind[g.ID] = p.zoneOf(g.ID).Kind
	}
	for _, n := range p.Nodes {
		kind[n.ID] = p.zoneOf(n.ID).Kind
	}
	for i := range p.Edges {
		e := &p.Edges[i]
		e.Scope = inScope(kind[e.From]) || inScope(kind[e.To])
	}
}

func inScope(kind string) bool { return kind == "cde" || kind == "data" }

// zoneOf is the outermost group of a group or a node; the zero Group where it stands in none.
func (p *Panel) zoneOf(id string) Group {
	at := id
	for _, n := range p.Nodes {
		if n.ID == id {
			at = n.Group
		}
	}
	for _, g := range p.Groups {
		if g.ID == at {
			if g.Parent == "" {
				return g
			}
			return p.zoneOf(g.Parent)
		}
	}
	return Group{}
}

// denied adds a line for each two boxes without a path between them, one of which is in the CDE or holds its data, or is in focus.
func (in Input) denied(p *Panel) {
	if in.Rows == nil && p.boxed() || in.Members == nil && !p.boxed() {
		return
	}
	open := map[[2]string]bool{}
	for _, e := range p.Edges {
		open[[2]string{e.From, e.To}] = true
	}
	var ends []string
	zone := map[string]Group{}
	for _, id := range p.tops() {
		z := p.zoneOf(id)
		if z.Kind != "no zone" && z.Kind != outsideKind && z.Kind != "" {
			ends, zone[id] = append(ends, id), z
		}
	}
	// An end that no zone declares may be part of any external zone: where it has a path, theirs is not known to be absent.
	strange := map[string]bool{}
	for _, e := range p.Edges {
		if k := p.zoneOf(e.From).Kind; k == outsideKind {
			strange[e.To] = true
		}
	}
	focused := p.focused(in.View)
	for _, from := range ends {
		for _, to := range ends {
			x, y := zone[from].Kind, zone[to].Kind
			wanted := inScope(x) || inScope(y)
			if len(in.View.Focus) > 0 {
				wanted = focused[from] || focused[to]
			}
			if from == to || !wanted || external(x) && external(y) || open[[2]string{from, to}] || external(x) && strange[to] || p.empty(from) || p.empty(to) {
				continue
			}
			p.join(Edge{From: from, To: to, Line: NoPathLine, Text: "no path (proved)", Scope: inScope(x) || inScope(y)})
		}
	}
}

// empty reports a zone without members, of which nothing is proved. The internet needs none.
func (p *Panel) empty(id string) bool {
	if !p.boxed() {
		return false
	}
	g := p.group(id)
	return g.Kind != "internet" && !p.inhabited(id)
}

// focused lists the ends of lines that stand for something in focus.
func (p *Panel) focused(v View) map[string]bool {
	want := map[string]bool{}
	for _, f := range v.Focus {
		want[f] = true
	}
	out := map[string]bool{}
	mark := func(id string) { // and, in a panel of zones, the zone that it stands in
		out[id] = true
		if p.boxed() {
			out[p.zoneOf(id).ID] = true
		}
	}
	for _, g := range p.Groups {
		if want[g.Ref] {
			mark(g.ID)
		}
	}
	for _, n := range p.Nodes {
		hit := want[n.Ref] || out[p.zoneOf(n.ID).ID] && !p.boxed()
		for _, ref := range n.Stands {
			hit = hit || want[ref]
		}
		for at := n.Group; at != "" && !p.boxed(); at = p.group(at).Parent {
			hit = hit || want[p.group(at).Ref]
		}
		if hit {
			mark(n.ID)
		}
	}
	return out
}

// focus keeps the lines from and to what is in focus, and the boxes that they join.
func (p *Panel) focus(v View) {
	if len(v.Focus) == 0 {
		return
	}
	in := p.focused(v)
	all := len(p.Edges)
	p.Edges = slices.DeleteFunc(p.Edges, func(e Edge) bool { return !in[e.From] && !in[e.To] })
	keep := map[string]bool{}
	for id := range in {
		keep[id] = true
	}
	for _, e := range p.Edges {
		keep[e.From], keep[e.To] = true, true
	}
	if !p.boxed() {
		p.Nodes = slices.DeleteFunc(p.Nodes, func(n Node) bool { return !keep[n.ID] })
	} else {
		p.Nodes = slices.DeleteFunc(p.Nodes, func(n Node) bool { return !keep[p.zoneOf(n.ID).ID] })
		drop := map[string]bool{}
		for _, g := range p.Groups {
			drop[g.ID] = !keep[p.zoneOf(g.ID).ID]
		}
		p.Groups = slices.DeleteFunc(p.Groups, func(g Group) bool { return drop[g.ID] })
	}
	p.prune()
	p.Notes = append(p.Notes, fmt.Sprintf("Only flows from and to %s are shown: %d of %d.", v.Name, len(p.Edges), all))
}

// prune drops the frames of a panel of nodes that hold nothing any more.
func (p *Panel) prune() {
	for !p.boxed() {
		var left []Group
		for _, g := range p.Groups {
			if p.inhabited(g.ID) || len(g.Notes) > 0 {
				left = append(left, g)
			}
		}
		if len(left) == len(p.Groups) {
			return
		}
		p.Groups = left
	}
}

// twins draws nodes of one frame as one box when no flow tells them apart: each has the same flows with the same peers. Stores, controls
// and what is named alone stay by themselves.
func (p *Panel) twins() {
	type end struct {
		out  bool
		peer string
		what string
	}
	ends := map[string][]end{}
	for _, e := range p.Edges {
		what := e.content()
		ends[e.From] = append(ends[e.From], end{true, e.To, what})
		ends[e.To] = append(ends[e.To], end{false, e.From, what})
	}
	alike := map[string][]int{}
	var order []string
	for i, n := range p.Nodes {
		if !n.mergeable() || p.zoneOf(n.ID).Kind == "data" && n.Kind != "subnet" {
			continue
		}
		list := ends[n.ID]
		slices.SortFunc(list, func(a, b end) int {
			if a.out != b.out {
				if a.out {
					return -1
				}
				return 1
			}
			return cmp.Or(cmp.Compare(a.peer, b.peer), cmp.Compare(a.what, b.what))
		})
		key := n.Group + "\x00" + n.Kind + "\x00" + n.inner()
		for _, e := range list {
			key += fmt.Sprint("\x00", e.out, "\x00", e.peer, "\x00", e.what)
		}
		if len(alike[key]) == 0 {
			order = append(order, key)
		}
		alike[key] = append(alike[key], i)
	}
	into := map[string]string{}
	for _, key := range order {
		list := alike[key]
		if len(list) < 2 {
			continue
		}
		first := &p.Nodes[list[0]]
		var names []string
		stands := []string{}
		for _, i := range list {
			n := p.Nodes[i]
			into[n.ID] = first.ID
			names = append(names, n.Label)
			stands = append(stands, n.Ref)
			stands = append(stands, n.Stands...)
			for _, b := range n.Badges {
				if !slices.Contains(first.Badges, b) {
					first.Badges = append(slices.Clone(first.Badges), b)
				}
			}
		}
		first.Label = fmt.Sprintf("%d %s", len(list), plural(first.Kind))
		first.Detail = joinedBy("; ", label.Short(names, 6), first.inner())
		first.Ref, first.Stands, first.Holds = "", stands, nil
		if len(first.Badges) > 2 {
			first.Badges = []string{fmt.Sprintf("%d filters: %s", len(first.Badges), label.Short(first.Badges, 2))}
		}
	}
	if len(into) == 0 {
		return
	}
	p.Nodes = slices.DeleteFunc(p.Nodes, func(n Node) bool { return into[n.ID] != "" && into[n.ID] != n.ID })
	seen := map[string]int{}
	var edges []Edge
	for _, e := range p.Edges {
		e.From, e.To = cmp.Or(into[e.From], e.From), cmp.Or(into[e.To], e.To)
		key := e.From + "\x00" + e.To + "\x00" + e.content()
		if i, again := seen[key]; again {
			for _, f := range e.Filters {
				if !slices.Contains(edges[i].Filters, f) {
					edges[i].Filters = append(slices.Clone(edges[i].Filters), f)
				}
			}
			continue
		}
		seen[key] = len(edges)
		edges = append(edges, e)
	}
	p.Edges = edges
	stands := fmt.Sprintf("%d boxes stand", countMerged(p.Nodes))
	if stands == "1 boxes stand" {
		stands = "1 box stands"
	}
	p.Notes = append(p.Notes, stands+" for several that no flow tells apart.")
}

func countMerged(nodes []Node) int {
	n := 0
	for _, x := range nodes {
		if x.Ref == "" && len(x.Stands) > 1 {
			n++
		}
	}
	return n
}

func plural(kind string) string {
	switch kind {
	case "subnet":
		return "subnets"
	case "pods":
		return "namespaces"
	case "pod":
		return "workloads"
	case "service":
		return "services"
	case "endpoint":
		return "private endpoints"
	default:
		return "endpoints"
	}
}

// mergeable reports a node that may share a box: it holds no control, and nobody looks for it by name.
func (n Node) mergeable() bool {
	switch n.Kind {
	case "subnet", "pods", "pod", "endpoint", "nic", "vm", "service":
		return !slices.ContainsFunc(n.Holds, func(h Item) bool { return tileOrder(h.Kind) == 0 })
	default:
		return false
	}
}

// inner is what a node says of flows inside it.
func (n Node) inner() string {
	if i := strings.Index(n.Detail, "within: "); i >= 0 {
		return n.Detail[i:]
	}
	return ""
}

// content is what a line says, without its ends.
func (e Edge) content() string {
	parts := []string{string(e.Line), e.Text}
	for _, w := range e.Ways {
		parts = append(parts, fmt.Sprint(w.Unknown), strings.Join(w.Services, " "), strings.Join(w.Targets, " "), strings.Join(w.Via, " "))
	}
	return strings.Join(parts, "\x01")
}
