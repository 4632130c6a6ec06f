package diagram

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
)

// merging is how much the workload panel puts into one box. A panel that is too large is drawn again, coarser.
type merging int

const (
	byWorkload merging = iota
	byNamespace
	byZone
)

// workloadPanel shows the flows from and to workloads (1.1.2-c). Whatever else takes part is one box per zone; stores of cardholder
// data keep their own. It reports false when the zones hold no workload.
func (in Input) workloadPanel(zones []ZoneInfo) (Panel, bool) {
	found := false
	for _, z := range zones {
		found = found || slices.ContainsFunc(z.Members, func(m MemberInfo) bool { return m.Kind == "pod" })
	}
	if !found {
		return Panel{}, false
	}
	var p Panel
	for m := byWorkload; m <= byZone; m++ {
		p = in.workloads(zones, m)
		if len(p.Nodes) <= MaxNodes/2 && len(p.Edges) <= MaxEdges {
			break
		}
	}
	kinds := map[string]string{}
	for _, g := range p.Groups {
		kinds[g.ID] = g.Kind
	}
	groupOf := map[string]string{}
	for _, n := range p.Nodes {
		groupOf[n.ID] = n.Group
	}
	p.limit(func(end string) int {
		g := groupOf[end]
		if parent := p.group(g).Parent; parent != "" {
			g = parent
		}
		return scope(kinds[g])
	})
	return p, true
}

// restLabel is the box for whatever else of a zone takes part.
const restLabel = "other endpoints"

// crew numbers the boxes of a workload panel.
type crew struct {
	p      *Panel
	zones  []ZoneInfo
	merge  merging
	member map[string]crewMember // reference -> where it stands
	node   map[string]int        // box -> index in Nodes
	group  map[string]string
	refs   map[int][]string // what a box stands for
}

type crewMember struct {
	zone int
	info MemberInfo
}

func (in Input) workloads(zones []ZoneInfo, merge merging) Panel {
	p := Panel{Name: "workloads", Title: "Inside the cluster: flows from and to each workload"}
	switch merge {
	case byNamespace:
		p.Title = "Inside the cluster: flows from and to each namespace"
		p.Notes = append(p.Notes, "One box per namespace: there are too many workloads to draw each.")
	case byZone:
		p.Title = "Inside the cluster: flows from and to the workloads of each zone"
		p.Notes = append(p.Notes, "One box for the workloads of a zone: there are too many namespaces to draw each.")
	default:
	}
	c := crew{p: &p, zones: zones, merge: merge, member: map[string]crewMember{}, node: map[string]int{}, group: map[string]string{}, refs: map[int][]string{}}
	stores := map[string]bool{}
	for _, s := range in.Stores {
		stores[s.Ref] = true
	}
	for i, z := range zones {
		for _, m := range z.Members {
			if _, twice := c.member[m.Ref]; !twice {
				c.member[m.Ref] = crewMember{i, m}
			}
		}
	}
	workload := func(ref string) bool { return c.member[ref].info.Kind == "pod" }
	// Every workload is drawn, also one that nothing reaches; then the peers, in the order of their names.
	for _, z := range zones {
		for _, m := range z.Members {
			if m.Kind == "pod" {
				i := c.box(m.Ref, stores)
				c.refs[i] = append(c.refs[i], m.Ref)
			}
		}
	}
	var peers []string
	for _, r := range in.Members {
		if workload(r.Src) || workload(r.Dst) {
			peers = append(peers, r.Src, r.Dst)
		}
	}
	slices.Sort(peers)
	peers = slices.Compact(peers)
	for _, ref := range peers {
		if i := c.box(ref, stores); !workload(ref) {
			c.refs[i] = append(c.refs[i], ref)
		}
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		switch refs := c.refs[i]; {
		case n.Kind == "rest" && len(refs) > 1:
			names := make([]string, len(refs))
			for j, ref := range refs {
				names[j] = label.Name(ref)
			}
			n.Detail = label.Short(names, 3)
		case n.Kind == "rest" && n.Label == restLabel: // one endpoint is shown as itself
			n.Kind, n.Label, n.Ref = c.member[refs[0]].info.Kind, label.Name(refs[0]), refs[0]
		case n.Kind == "pods" && len(refs) == 1:
			n.Detail = "1 workload"
		case n.Kind == "pods":
			n.Detail = fmt.Sprintf("%d workloads", len(refs))
		}
	}
	b := newBundles()
	for _, r := range in.Members {
		if workload(r.Src) || workload(r.Dst) {
			b.add(c.box(r.Src, stores), c.box(r.Dst, stores), r)
		}
	}
	for _, e := range b.edges() {
		if e.from == e.to {
			if n := &p.Nodes[e.from]; e.line == DirectLine || n.Detail == "" {
				n.Detail = strings.TrimPrefix(n.Detail+"; "+within(e.ways), "; ")
			}
			continue
		}
		p.join(Edge{From: p.Nodes[e.from].ID, To: p.Nodes[e.to].ID, Line: e.line, Ways: e.ways})
	}
	if in.Members == nil {
		p.Notes = append(p.Notes, "Flows of single workloads were not computed.")
	}
	return p
}

// box returns the index of the node that stands for a reference, and makes it when it is new.
func (c *crew) box(ref string, stores map[string]bool) int {
	m, known := c.member[ref]
	kind := label.Kind(ref)
	var key string
	n := Node{Ref: ref, Kind: "rest"}
	switch {
	case known && m.info.Kind == "pod":
		ns, name, ok := namespaced(m.info)
		if !ok {
			ns, name = "", label.Name(ref)
		}
		zone := c.zoneGroup(m.zone)
		switch c.merge {
		case byNamespace:
			n.Kind, n.Label, n.Group, n.Ref = "pods", ns, zone, ""
			key = zone + "/ns/" + ns
		case byZone:
			n.Kind, n.Label, n.Group, n.Ref = "pods", "workloads", zone, ""
			key = zone + "/pods"
		default:
			n.Kind, n.Label, n.Group, n.Detail = "pod", name, c.nest(zone, ns), m.info.Label
			key = zone + "/pod/" + ref
		}
	case known && stores[ref]:
		n.Kind, n.Label, n.Detail, n.Group = "store", label.Name(ref), m.info.Kind, c.zoneGroup(m.zone)
		key = n.Group + "/store/" + ref
	case known && c.zones[m.zone].Kind == "data" && c.merge == byWorkload:
		n.Kind, n.Label, n.Detail, n.Group = m.info.Kind, label.Name(ref), m.info.Label, c.zoneGroup(m.zone)
		key = n.Group + "/data/" + ref
	case known:
		n.Label, n.Group, n.Ref = restLabel, c.zoneGroup(m.zone), zoneRef(c.zones[m.zone])
		if external(c.zones[m.zone].Kind) {
			n.Label = c.zones[m.zone].Name
		}
		key = n.Group + "/rest"
	case kind == "internet" || kind == "fqdn" || kind == "tag":
		n.Kind, n.Label, n.Group, n.Ref = "internet", "internet", c.zoneGroup(c.internet()), "internet"
		key = "internet"
	default:
		n.Kind, n.Label, n.Group = "outside", label.Name(ref), c.outside()
		key = "outside/" + ref
	}
	if i, ok := c.node[key]; ok {
		return i
	}
	n.ID = c.p.id("n", key)
	c.node[key] = len(c.p.Nodes)
	c.p.Nodes = append(c.p.Nodes, n)
	return c.node[key]
}

func (c *crew) zoneGroup(i int) string {
	z := c.zones[i]
	return c.addGroup("zone/"+z.Kind+"/"+z.Name, Group{Ref: zoneRef(z), Kind: z.Kind, Label: z.Name, Detail: z.Owner})
}

func (c *crew) nest(parent, ns string) string {
	if ns == "" {
		return parent
	}
	return c.addGroup(parent+"/"+ns, Group{Parent: parent, Kind: "namespace", Label: ns})
}

func (c *crew) outside() string {
	return c.addGroup("outside", Group{Kind: outsideKind, Label: "in no zone"})
}

func (c *crew) addGroup(key string, g Group) string {
	if id, ok := c.group[key]; ok {
		return id
	}
	g.ID = c.p.id("g", key)
	c.group[key] = g.ID
	c.p.Groups = append(c.p.Groups, g)
	return g.ID
}
