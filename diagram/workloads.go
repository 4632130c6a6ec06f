package diagram

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/solver"
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
		if len(p.Nodes) <= MaxNodes/2 && len(p.Edges) <= 2*MaxEdges {
			break
		}
	}
	p.limit()
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
	blocks []memberBlock
	boxOf  map[string]int // reference -> index in Nodes
	subnet map[string]SubnetInfo
}

type memberBlock struct {
	prefix netip.Prefix
	member crewMember
}

type crewMember struct {
	zone int
	info MemberInfo
}

func newCrew(p *Panel, zones []ZoneInfo, subnets []SubnetInfo) *crew {
	c := &crew{
		p: p, zones: zones, member: map[string]crewMember{}, node: map[string]int{}, group: map[string]string{}, boxOf: map[string]int{},
		subnet: map[string]SubnetInfo{},
	}
	for i, z := range zones {
		for _, m := range z.Members {
			if _, twice := c.member[m.Ref]; twice {
				continue
			}
			c.member[m.Ref] = crewMember{i, m}
			if b, ok := blockOf(m.Ref); ok && external(z.Kind) {
				c.blocks = append(c.blocks, memberBlock{b, c.member[m.Ref]})
			}
		}
	}
	for _, s := range subnets {
		c.subnet[s.VNet+"/"+s.Subnet] = s
	}
	return c
}

// at finds where a reference stands: by itself, or by the block of an external zone that holds it.
func (c *crew) at(ref string) (crewMember, bool) {
	if m, ok := c.member[ref]; ok {
		return m, true
	}
	block, ok := blockOf(ref)
	if !ok {
		return crewMember{}, false
	}
	best := -1
	var found crewMember
	for _, b := range c.blocks {
		if b.prefix.Bits() <= block.Bits() && b.prefix.Contains(block.Addr()) && b.prefix.Bits() > best {
			best, found = b.prefix.Bits(), b.member
		}
	}
	return found, best >= 0
}

// blockOf is the block that a reference of addresses names.
func blockOf(ref string) (netip.Prefix, bool) {
	text, cidr := strings.CutPrefix(ref, "cidr:")
	if p, err := netip.ParsePrefix(text); cidr && err == nil {
		return p.Masked(), true
	}
	text, ip := strings.CutPrefix(ref, "ip:")
	a, err := netip.ParseAddr(text)
	if !ip || err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// add returns the index of the node of a key, and adds it when it is new.
func (c *crew) add(key string, n Node) int {
	if i, ok := c.node[key]; ok {
		return i
	}
	n.ID = c.p.id("n", key)
	c.node[key] = len(c.p.Nodes)
	c.p.Nodes = append(c.p.Nodes, n)
	return c.node[key]
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
	c := newCrew(&p, zones, in.Subnets)
	c.merge = merge
	stores := map[string]bool{}
	for _, s := range in.Stores {
		stores[s.Ref] = true
	}
	workload := func(ref string) bool { return c.member[ref].info.Kind == "pod" }
	// Every workload is drawn, also one that nothing reaches; then the peers, in the order of their names.
	for _, z := range zones {
		for _, m := range z.Members {
			if m.Kind == "pod" {
				c.box(m.Ref, stores)
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
		c.box(ref, stores)
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		switch refs := n.Stands; {
		case n.Kind == "rest" && len(refs) > 1:
			names := make([]string, len(refs))
			for j, ref := range refs {
				names[j] = label.Name(ref)
			}
			n.Detail = label.Short(names, 3)
		case n.Kind == "rest" && n.Label == restLabel: // one endpoint is shown as itself
			n.Kind, n.Label, n.Ref, n.Stands = c.member[refs[0]].info.Kind, label.Name(refs[0]), refs[0], nil
		case n.Kind == "pods" && len(refs) == 1:
			n.Detail = "1 workload"
		case n.Kind == "pods":
			n.Detail = fmt.Sprintf("%d workloads", len(refs))
		}
	}
	sub := in
	sub.Members = slices.DeleteFunc(slices.Clone(in.Members), func(r solver.Row) bool { return !workload(r.Src) && !workload(r.Dst) })
	sub.wire(&p, c, func(ref string) (int, bool) { return c.box(ref, stores), true })
	in.wirelessFrames(&p, c)
	in.wirelessNotes(&p, zones)
	p.refine(sub, c)
	return p
}

// wirelessFrames draws the wireless networks also where no flow leads to a workload (1.1.2-b).
func (in Input) wirelessFrames(p *Panel, c *crew) {
	for i, z := range c.zones {
		if z.Kind != "wireless" {
			continue
		}
		group := c.zoneGroup(i)
		if !p.inhabited(group) {
			c.add(group+"/rest", Node{Ref: zoneRef(z), Kind: "rest", Label: z.Name, Group: group})
		}
	}
}

// box returns the index of the node that stands for a reference, and makes it when it is new.
func (c *crew) box(ref string, stores map[string]bool) int {
	if i, ok := c.boxOf[ref]; ok {
		return i
	}
	m, known := c.at(ref)
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
	i := c.add(key, n)
	c.boxOf[ref] = i
	if x := &c.p.Nodes[i]; x.Ref != ref {
		x.Stands = append(x.Stands, ref)
	}
	return i
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
