package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/solver"
)

// DataFlow draws the declared flows of cardholder data, leg by leg, with what is passed, how it is protected, and whether each leg is
// possible in the estate. Where nothing is declared the sheet says so.
func DataFlow(in Input) (*Diagram, error) {
	if err := in.check(); err != nil {
		return nil, fmt.Errorf("data-flow diagram: %w", err)
	}
	d := in.sheet(DataFlowDiagram, "Data-flow diagram", "1.1.3", "1.2.4")
	p := Panel{Name: "flows", Title: "Cardholder data: where it goes, where it rests, how it is protected"}
	zones := in.zonesWithControls()
	c := newCrew(&p, zones, in.Subnets)
	stores := map[string]StoreInfo{}
	for _, s := range in.Stores {
		stores[s.Ref] = s
	}
	flows := slices.Clone(in.Flows)
	slices.SortStableFunc(flows, func(a, b FlowInfo) int {
		return cmp.Or(cmp.Compare(c.start(a), c.start(b)), cmp.Compare(a.Name, b.Name), slices.CompareFunc(a.Legs, b.Legs, func(x, y LegInfo) int {
			return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To), cmp.Compare(x.Service, y.Service))
		}))
	})
	for _, f := range flows {
		for _, leg := range f.Legs {
			from, to := c.stop(leg.From, stores), c.stop(leg.To, stores)
			e := Edge{
				From: p.Nodes[from].ID, To: p.Nodes[to].ID, Line: DirectLine, Text: f.Name, Data: f.Data, InTransit: f.InTransit,
				Ways: []Way{{
					Services: []string{leg.Service}, Targets: []string{}, Via: slices.Clone(orEmpty(leg.Via)), Unknown: leg.Verdict == solver.Unknown,
				}},
			}
			switch leg.Verdict {
			case solver.Unknown:
				e.Line, e.Text = UnknownLine, joined(f.Name, leg.Reason)
			case solver.Unreachable:
				e.Line, e.Text = BrokenLine, joined(f.Name, leg.Reason)
			case solver.Reachable: // whether a relay takes part stands in Via
			}
			p.join(e, f.Name, leg.Service)
		}
		if len(f.Legs) == 0 {
			p.Notes = append(p.Notes, "`"+f.Name+"` has no legs, so there is nothing to draw of it.")
		}
	}
	// A store that no flow enters is drawn all the same: it holds cardholder data.
	var refs []string
	for ref := range stores {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	for _, ref := range refs {
		c.stop(ref, stores)
	}
	p.limit()
	d.About = "Every declared flow of cardholder data, leg by leg; whether a leg is possible was computed from the configuration."
	if len(in.Flows) == 0 && len(in.Stores) == 0 {
		d.About = "No data flows and no stores of cardholder data are declared, so there is nothing to show."
	}
	d.Panels = []Panel{p}
	return d.finish(), nil
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// start orders flows by where they begin: from the outside to the data.
func (c *crew) start(f FlowInfo) int {
	if len(f.Legs) == 0 {
		return order("")
	}
	from := f.Legs[0].From
	if label.Kind(from) == "internet" {
		return order("internet")
	}
	if m, ok := c.member[from]; ok {
		return order(c.zones[m.zone].Kind)
	}
	if i := slices.IndexFunc(c.zones, func(z ZoneInfo) bool { return zoneRef(z) == from }); i >= 0 {
		return order(c.zones[i].Kind)
	}
	return order("")
}

func (c *crew) internet() int {
	return slices.IndexFunc(c.zones, func(z ZoneInfo) bool { return z.Kind == "internet" })
}

// stop returns the index of the box where a leg begins or ends.
func (c *crew) stop(ref string, stores map[string]StoreInfo) int {
	if i, ok := c.node[ref]; ok {
		return i
	}
	n := Node{ID: c.p.id("n", ref), Ref: ref, Kind: label.Kind(ref), Label: label.Name(ref)}
	m, known := c.member[ref]
	switch {
	case known:
		n.Kind, n.Group, n.Detail = m.info.Kind, c.zoneGroup(m.zone), m.info.Label
	case n.Kind == "internet":
		n.Group = c.zoneGroup(c.internet())
	case n.Kind == "fqdn" || n.Kind == "tag": // a frame of its own, so that data does not seem to come back to where it came from
		n.Group = c.addGroup("named", Group{Ref: "internet", Kind: "internet", Label: "internet, named hosts"})
	default:
		if i := slices.IndexFunc(c.zones, func(z ZoneInfo) bool { return zoneRef(z) == ref }); i >= 0 {
			n.Group, n.Kind = c.zoneGroup(i), c.zones[i].Kind
		} else {
			n.Group = c.outside()
		}
	}
	if s, ok := stores[ref]; ok {
		n.Kind, n.Detail = "store", strings.Join(s.Data, ", ")
		if s.AtRest != "" {
			n.Detail += "; at rest: " + s.AtRest
		}
	}
	c.node[ref] = len(c.p.Nodes)
	c.p.Nodes = append(c.p.Nodes, n)
	return c.node[ref]
}
