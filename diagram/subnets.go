package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
)

// spread is how much the subnet panel puts into one box. A panel that is too large is drawn again, coarser.
type spread int

const (
	bySubnet spread = iota
	byVNet
	byWholeZone
)

// subnetPanel shows the flows between subnets, each in its virtual network and zone. What stands in no subnet keeps a box: a service,
// a namespace of a cluster, a network outside.
func (in Input) subnetPanel(zones []ZoneInfo) Panel {
	var p Panel
	for s := bySubnet; s <= byWholeZone; s++ {
		p = in.subnets(zones, s)
		if len(p.Nodes) <= MaxNodes {
			break
		}
	}
	p.limit()
	return p
}

func (in Input) subnets(zones []ZoneInfo, s spread) Panel {
	p := Panel{Name: "subnets", Title: "Subnets, and every flow between them"}
	switch s {
	case byVNet:
		p.Title = "Virtual networks, and every flow between them"
		p.Notes = append(p.Notes, fmt.Sprintf("One box per virtual network and zone: more than %d subnets differ in their flows.", MaxNodes))
	case byWholeZone:
		p.Title = "Zones, and every flow between them"
		p.Notes = append(p.Notes, fmt.Sprintf("One box per zone: more than %d virtual networks and services differ in their flows.", MaxNodes))
	default:
	}
	c := newCrew(&p, zones, in.Subnets)
	for i, z := range zones { // what nothing reaches is drawn as well
		c.zoneGroup(i)
		for _, m := range z.Members {
			c.subnetBox(m.Ref, s)
		}
	}
	in.wire(&p, c, func(ref string) (int, bool) { return c.subnetBox(ref, s), true })
	in.wirelessNotes(&p, zones)
	p.refine(in, c)
	return p
}

// subnetBox returns the index of the node that a reference is drawn in, and makes it when it is new.
func (c *crew) subnetBox(ref string, s spread) int {
	m, known := c.at(ref)
	if i, ok := c.boxOf[ref]; ok {
		return i
	}
	n := Node{Ref: ref, Kind: label.Kind(ref), Label: label.Name(ref)}
	var key string
	switch {
	case known && s == byWholeZone && !external(c.zones[m.zone].Kind):
		n = Node{Ref: zoneRef(c.zones[m.zone]), Kind: "rest", Label: c.zones[m.zone].Name, Group: c.zoneGroup(m.zone)}
		key = n.Group + "/zone"
	case known && m.info.VNet != "" && s == byVNet:
		n = Node{Ref: "vnet:" + m.info.VNet, Kind: "subnet", Label: "VNet " + m.info.VNet, Group: c.zoneGroup(m.zone)}
		key = n.Group + "/vnet/" + m.info.VNet
	case known && m.info.VNet != "":
		n = Node{Ref: "subnet:" + m.info.VNet + "/" + m.info.Subnet, Kind: "subnet", Label: m.info.Subnet, Group: c.vnetGroup(m.zone, m.info.VNet)}
		if info, ok := c.subnet[m.info.VNet+"/"+m.info.Subnet]; ok {
			n.Detail, n.Badges = info.Prefix, info.badges()
		}
		key = n.Group + "/subnet/" + m.info.Subnet
	case known && m.info.Kind == "pod":
		ns, _, ok := namespaced(m.info)
		if !ok {
			ns = label.Name(ref)
		}
		n = Node{Ref: namespaceRef(ref), Kind: "pods", Label: ns, Group: c.zoneGroup(m.zone)}
		key = n.Group + "/ns/" + ns
	case known && m.info.Kind == "ns":
		ns, _, _ := namespaced(m.info)
		n = Node{Ref: ref, Kind: "pods", Label: ns, Group: c.zoneGroup(m.zone)}
		key = n.Group + "/ns/" + ns
	case known:
		n = Node{Ref: m.info.Ref, Kind: m.info.Kind, Label: label.Name(m.info.Ref), Detail: m.info.Label, Badges: m.info.Badges, Group: c.zoneGroup(m.zone)}
		key = n.Group + "/" + m.info.Ref
	case n.Kind == "internet" || n.Kind == "fqdn" || n.Kind == "tag":
		n = Node{Ref: "internet", Kind: "internet", Label: "internet", Group: c.zoneGroup(c.internet())}
		key = "internet"
	default:
		n.Kind, n.Group = "outside", c.outside()
		key = "outside/" + ref
	}
	i := c.add(key, n)
	c.boxOf[ref] = i
	c.hold(i, ref, m.info, known)
	return i
}

// hold notes what a box stands for. Controls, workloads and private endpoints are drawn in it.
func (c *crew) hold(i int, ref string, m MemberInfo, known bool) {
	n := &c.p.Nodes[i]
	if ref == n.Ref {
		return
	}
	n.Stands = append(n.Stands, ref)
	if !known || m.Kind == "subnet" || m.Kind == "ns" || m.Kind == "cidr" {
		return
	}
	name := label.Name(ref)
	if _, pod, ok := namespaced(m); ok {
		name = pod
	}
	n.Holds = append(n.Holds, Item{Ref: ref, Kind: m.Kind, Label: name, Detail: joinedBy(", ", m.Label, strings.Join(m.Badges, ", "))})
	slices.SortStableFunc(n.Holds, func(a, b Item) int {
		return cmp.Or(cmp.Compare(tileOrder(a.Kind), tileOrder(b.Kind)), cmp.Compare(a.Ref, b.Ref))
	})
}

func joinedBy(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}

// namespaceRef is the namespace of a workload.
func namespaceRef(ref string) string {
	name := strings.TrimPrefix(ref, "pod:")
	if i := strings.LastIndex(name, "/"); i >= 0 {
		return "ns:" + name[:i]
	}
	return ref
}

// badges says what filters at the border of a subnet.
func (s SubnetInfo) badges() []string {
	var out []string
	if s.NSG != "" {
		out = append(out, fmt.Sprintf("NSG %s: %d in, %d out", s.NSG, s.In, s.Out))
	} else if s.Prefix != "" {
		out = append(out, "no NSG")
	}
	if s.RouteTable != "" {
		out = append(out, "routes "+s.RouteTable)
	}
	return out
}

func (c *crew) vnetGroup(zone int, vnet string) string {
	parent := c.zoneGroup(zone)
	return c.addGroup(parent+"/vnet/"+vnet, Group{Parent: parent, Ref: "vnet:" + vnet, Kind: "vnet", Label: vnet})
}

// wire adds the lines of the rows whose ends have a box, and says flows inside a box in words.
func (in Input) wire(p *Panel, c *crew, box func(ref string) (int, bool)) {
	b := newBundles()
	filters := map[[2]int][]string{}
	for _, r := range in.Members {
		from, ok := box(r.Src)
		to, ok2 := box(r.Dst)
		if !ok || !ok2 {
			continue
		}
		b.add(from, to, r)
		k := [2]int{from, to}
		filters[k] = c.crossed(filters[k], r.Src, r.Dst)
	}
	for _, e := range b.edges() {
		if e.from == e.to {
			if n := &p.Nodes[e.from]; e.line == DirectLine || n.Detail == "" {
				n.Detail = joinedBy("; ", n.Detail, within(e.ways))
			}
			continue
		}
		p.join(Edge{From: p.Nodes[e.from].ID, To: p.Nodes[e.to].ID, Line: e.line, Ways: e.ways, Filters: filters[[2]int{e.from, e.to}]})
	}
	if in.Members == nil {
		p.Notes = append(p.Notes, "Flows of single endpoints were not computed.")
	}
}

// crossed adds the NSGs at the borders that a flow crosses: outbound at the sender, inbound at the target.
func (c *crew) crossed(list []string, src, dst string) []string {
	add := func(names []string, way string) {
		for _, n := range names {
			if text := n + " " + way; !slices.Contains(list, text) {
				list = append(list, text)
			}
		}
	}
	from, _ := c.at(src)
	to, _ := c.at(dst)
	add(from.info.Filters, "out")
	add(to.info.Filters, "in")
	slices.Sort(list)
	return list
}

// wirelessNotes says at each wireless network which zones it has no path to (1.1.2-b).
func (in Input) wirelessNotes(p *Panel, zones []ZoneInfo) {
	for i, z := range zones {
		if z.Kind != "wireless" {
			continue
		}
		note := in.closed(zones, i)
		for j := range p.Nodes {
			if n := &p.Nodes[j]; note != "" && p.zoneOf(n.ID).Ref == zoneRef(z) {
				n.Detail = joinedBy("; ", n.Detail, note)
			}
		}
	}
}
