package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/diagram/protection"
	"github.com/ringfence/ringfence/model"
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
	var faults []string
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
				From: p.Nodes[from].ID, To: p.Nodes[to].ID, Line: DirectLine, Text: f.Name, Data: f.Data, Scope: true,
				Ways: []Way{{
					Services: []string{leg.Service}, Targets: []string{}, Via: slices.Clone(orEmpty(leg.Via)), Unknown: leg.Verdict == solver.Unknown,
				}},
			}
			where := f.Name + ", " + label.Name(leg.From) + " to " + label.Name(leg.To) + " " + leg.Service
			var weak string
			e.InTransit, weak = inTransit(leg, f.InTransit)
			switch leg.Verdict {
			case solver.Unknown:
				e.Line, e.Text = UnknownLine, joined(f.Name, leg.Reason)
			case solver.Unreachable:
				e.Line, e.Text = BrokenLine, joined(f.Name, leg.Reason)
				faults = append(faults, "Declared, but impossible: "+joined(where, leg.Reason)+".")
			case solver.Reachable: // whether a relay takes part stands in Via
			}
			if weak != "" {
				e.Clear = true
				faults = append(faults, "Not protected in transit: "+joined(where, weak)+".")
			}
			p.join(e, f.Name, leg.Service)
		}
		if len(f.Legs) == 0 {
			p.Notes = append(p.Notes, "`"+f.Name+"` has no legs, so there is nothing to draw of it.")
		}
	}
	strays := in.strays(c, stores)
	faults = append(faults, strays...)
	// A store that no flow enters is drawn all the same: it holds cardholder data.
	var refs []string
	for ref := range stores {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	for _, ref := range refs {
		c.stop(ref, stores)
		if s := stores[ref]; s.Weak != "" {
			faults = append(faults, "Not protected at rest as declared: "+label.Name(ref)+": "+s.Weak+".")
		} else if s.AtRest == "" && s.Read == "" {
			faults = append(faults, "Protection at rest is neither read nor declared: "+label.Name(ref)+".")
		}
	}
	in.unreached(c, stores)
	p.listFaults(faults)
	p.limit()
	d.About = "Every declared flow of cardholder data, leg by leg; whether a leg is possible was computed from the configuration."
	if in.Declared != nil && in.Members != nil && len(in.Stores) > 0 {
		d.About += " So was who else reaches a store."
	}
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
		n.Kind, n.Detail = "store", strings.Join(s.Data, ", ")+"; at rest: "+s.protection()
	}
	c.node[ref] = len(c.p.Nodes)
	c.p.Nodes = append(c.p.Nodes, n)
	return c.node[ref]
}

// inTransit is the protection of a leg, with who says so, and why it is a fault. What a resource states counts before what is declared.
func inTransit(leg LegInfo, declared string) (text, weak string) {
	switch {
	case leg.Read != "":
		text, weak = leg.Read+" (read: "+leg.ReadFrom+")", leg.Weak
		if weak != "" && declared != "" && !protection.Clear(declared) {
			weak += ", although declared is `" + declared + "`"
		}
	case declared == "":
		text, weak = "protection not stated", "neither a resource nor the declaration says how"
	case protection.Clear(declared):
		text, weak = declared+" (declared)", "clear text, as declared"
	default:
		text = declared + " (declared)"
	}
	return text, weak
}

// protection is the protection of a store at rest, with who says so.
func (s StoreInfo) protection() string {
	switch {
	case s.Read != "":
		return s.Read + " (read: " + s.ReadFrom + ")"
	case s.AtRest != "":
		return s.AtRest + " (declared)"
	default:
		return "not stated"
	}
}

// listFaults says below the picture what is wrong.
func (p *Panel) listFaults(faults []string) {
	const most = 20
	for i, f := range faults {
		if i == most {
			p.Notes = append(p.Notes, fmt.Sprintf("And %d more; the JSON has all.", len(faults)-most))
			break
		}
		p.Notes = append(p.Notes, f)
	}
	p.Faults = faults
}

// strays draws who reaches a store of cardholder data although nobody declared it (1.1.3-b): who opens the last connection, at whatever
// door. Ends of one zone with the same services share a box.
func (in Input) strays(c *crew, stores map[string]StoreInfo) []string {
	if in.Declared == nil {
		return nil
	}
	door := map[string]string{}
	for ref, s := range stores {
		door[ref] = ref
		for _, d := range s.Doors {
			door[d] = ref
		}
	}
	type key struct {
		zone, store, services, via string
		unknown                    bool
	}
	found := map[key][]string{}
	via := map[string][]string{}
	services := map[string][]string{}
	for _, r := range in.Members {
		store, ok := door[r.Dst]
		if !ok || r.Verdict == solver.Unreachable || r.Kind == solver.Relayed || door[r.Src] == store {
			continue
		}
		open := in.undeclared(c, r, store)
		if len(open) == 0 {
			continue
		}
		zone := "no zone"
		if m, ok := c.at(r.Src); ok {
			zone = c.zones[m.zone].Name
		}
		k := key{zone, store, strings.Join(open, ", "), strings.Join(r.Via, "\x00"), r.Verdict == solver.Unknown}
		via[k.via], services[k.services] = r.Via, open
		if !slices.Contains(found[k], r.Src) {
			found[k] = append(found[k], r.Src)
		}
	}
	keys := make([]key, 0, len(found))
	for k := range found {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.unknown != b.unknown {
			if b.unknown {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.zone, b.zone), cmp.Compare(a.store, b.store), cmp.Compare(a.services, b.services), cmp.Compare(a.via, b.via))
	})
	var faults []string
	for _, k := range keys {
		refs := found[k]
		slices.Sort(refs)
		var from int
		if len(refs) == 1 {
			from = c.stop(refs[0], stores)
		} else {
			from = c.several(refs, stores)
		}
		to := c.stop(k.store, stores)
		e := Edge{
			From: c.p.Nodes[from].ID, To: c.p.Nodes[to].ID, Line: StrayLine, Text: "not declared", Data: []string{}, Scope: true,
			Ways: []Way{{Services: services[k.services], Targets: []string{}, Via: slices.Clone(orEmpty(via[k.via])), Unknown: k.unknown}},
		}
		word := "Possible, but not declared: "
		if k.unknown {
			e.Line, e.Text, word = UnknownLine, "not declared; the inputs do not decide it", "Perhaps possible, and not declared: "
		}
		c.p.join(e, "stray", k.services, k.via)
		names := make([]string, len(refs))
		for i, r := range refs {
			names[i] = label.Name(r)
		}
		faults = append(faults, word+label.Short(names, 4)+" to "+label.Name(k.store)+", "+label.Short(services[k.services], shownWords)+".")
	}
	return faults
}

// unreached says at a store that nobody has a path to it, by any of its doors.
func (in Input) unreached(c *crew, stores map[string]StoreInfo) {
	if in.Members == nil {
		return
	}
	for i := range c.p.Nodes {
		n := &c.p.Nodes[i]
		s, ok := stores[n.Ref]
		if !ok {
			continue
		}
		doors := append([]string{s.Ref}, s.Doors...)
		known := slices.ContainsFunc(doors, func(d string) bool { _, ok := c.at(d); return ok })
		if known && !slices.ContainsFunc(in.Members, func(r solver.Row) bool {
			return r.Verdict != solver.Unreachable && slices.Contains(doors, r.Dst) && !slices.Contains(doors, r.Src)
		}) {
			n.Detail += "; no path to it (proved)"
		}
	}
}

// several returns the box for ends of one zone that are alike.
func (c *crew) several(refs []string, stores map[string]StoreInfo) int {
	key := "several/" + strings.Join(refs, "/")
	if i, ok := c.node[key]; ok {
		return i
	}
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = label.Name(r)
	}
	n := Node{Kind: "rest", Label: fmt.Sprintf("%d endpoints", len(refs)), Detail: label.Short(names, 4), Stands: refs}
	if m, ok := c.at(refs[0]); ok {
		n.Group = c.zoneGroup(m.zone)
	} else {
		n.Group = c.outside()
	}
	return c.add(key, n)
}

// undeclared lists the services of a row to a store that no declaration covers.
func (in Input) undeclared(c *crew, r solver.Row, store string) []string {
	var allowed []model.PortService
	for _, d := range in.Declared {
		if (c.covers(d.To, store) || c.covers(d.To, r.Dst)) && c.covers(d.From, r.Src) {
			if len(d.Services) == 0 {
				return nil
			}
			allowed = append(allowed, d.Services...)
		}
	}
	return slices.DeleteFunc(label.Services(r.Packets), func(text string) bool {
		s, err := model.ParsePortService(text)
		return err == nil && slices.ContainsFunc(allowed, func(a model.PortService) bool {
			return a.IsAny() || a.Protocol == s.Protocol && a.Ports.First <= s.Ports.First && s.Ports.Last <= a.Ports.Last
		})
	})
}

// covers reports whether a declaration names an end: itself, or its zone.
func (c *crew) covers(names []string, ref string) bool {
	if slices.Contains(names, ref) {
		return true
	}
	m, ok := c.at(ref)
	return ok && (slices.Contains(names, zoneRef(c.zones[m.zone])) || slices.Contains(names, m.info.Ref))
}
