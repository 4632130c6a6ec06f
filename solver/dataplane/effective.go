package dataplane

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// TableRow is one row of the effective route table of a subnet's NICs, read off the same candidates that the graph routes by.
type TableRow struct {
	Prefix      netip.Prefix // invalid: Tag stands for prefixes that the input does not list
	Tag         string       // service tag that a user route or a service endpoint names
	Hop         model.NextHopType
	Address     netip.Addr // of a VirtualAppliance
	From        RouteSource
	Invalid     bool // another route takes its place (AZ-RT-19 to 22)
	Certain     bool // in the table for certain
	Name, Table string
	Source      model.Source // of a user route
	BGPOverride bool         // a user route that hides a gateway's (AZ-RT-19)
	Why         string
	Note        string // assumption that the row rests on
}

// RouteSource is who made a route, in Azure's spelling.
type RouteSource string

const (
	DefaultRoute RouteSource = "Default"
	GatewayRoute RouteSource = "VirtualNetworkGateway"
	UserRoute    RouteSource = "User"
)

// rowOf is a route as a row.
func rowOf(r route) TableRow {
	out := TableRow{
		Prefix: r.prefix, Tag: cmp.Or(r.tag, r.list), Hop: r.hop.kind, Address: r.hop.addr, Certain: r.certain, Name: r.name,
		Source: r.source, Note: r.note, From: DefaultRoute,
	}
	if r.table != nil {
		out.Table = r.table.Name()
	}
	switch r.origin {
	case userRoute:
		out.From = UserRoute
	case gatewayRoute:
		out.From = GatewayRoute
	case systemRoute:
	}
	return out
}

// text names a route in a sentence.
func (r route) text() string {
	to := string(r.hop.kind)
	if r.hop.addr.IsValid() {
		to += " " + r.hop.addr.String()
	}
	at := r.tag
	if at == "" {
		at = r.prefix.String()
	}
	switch r.origin {
	case userRoute:
		return fmt.Sprintf("user route %s (%s -> %s)", r.name, at, to)
	case gatewayRoute:
		return fmt.Sprintf("gateway route (%s -> %s)", at, to)
	default:
		return fmt.Sprintf("system route (%s -> %s)", at, to)
	}
}

// Table is the effective route table of a subnet's NICs: every route with its state, sorted by prefix. The second result names what
// the input lacks of it.
// nic names one that the input has effective routes of, which then are the table (AZ-RT-33), or is empty.
func (g *Graph) Table(subnet, nic model.ID) ([]TableRow, []string) {
	p := g.planner
	s, v := p.e.SubnetOf(subnet)
	if t := p.e.RoutesAt(nic); t != nil {
		return importedRows(t), nil
	}
	routes, known := p.candidates(subnet, "")
	var out []TableRow
	inside := p.systemSpace(routes, true)
	for _, r := range routes {
		if r.prefix.IsValid() && r.prefix.Addr().Is6() && r.origin == systemRoute && r.prefix.Bits() == 0 && !dualStack(v) {
			continue // AZ-V6-01: a VNet without IPv6 has no route for it
		}
		if r.list != "" && model.SymbolBlock().Overlaps(r.prefix) {
			continue // the door of an account of the input, which is in the tag without a list (AZ-SE-03)
		}
		row := rowOf(r)
		p.place(&row, r, routes, inside)
		out = append(out, row)
	}
	for _, e := range p.endpointTable(subnet, "", routes) {
		row := rowOf(e.route)
		switch {
		case e.by != nil:
			row.Invalid = true
			row.Why = "displaced by " + e.by.text() + ": it is as long as the range of the endpoint's VNet, and that subnet has route policies on (AZ-PE-05)"
		case e.note == "ASM-PE-VNETLOCAL":
			row.Why = "a VnetLocal user route may displace it (AZ-PE-05)"
		case e.note != "":
			row.Why = "a user route may displace it: the policies of the endpoint's subnet leave it open (AZ-PE-05, AZ-PE-06)"
		}
		out = append(out, row)
	}
	if s != nil {
		out = append(out, p.serviceRows(s, routes)...)
	}
	slices.SortStableFunc(out, compareRows)
	var lacks []string
	if !known {
		lacks = append(lacks, p.tableDoubt(s))
	}
	switch {
	case s == nil:
		lacks = append(lacks, missing("subnet", subnet))
	case v == nil:
		lacks = append(lacks, missing("virtual network", s.VNet))
	default:
		for _, entry := range p.fogged(v.ID) {
			if carries(entry) {
				lacks = append(lacks, unsupported(entry))
			}
		}
		lacks = append(lacks, p.unknownGroups(v)...)
	}
	return out, lacks
}

// importedRows are the rows that the platform printed.
func importedRows(t *model.EffectiveRoutes) []TableRow {
	var out []TableRow
	for _, r := range t.Routes {
		row := TableRow{Hop: r.NextHop, From: RouteSource(r.From), Invalid: !r.Active, Certain: true, Name: r.Name, Source: r.Source}
		addresses := r.Addresses
		if len(addresses) == 0 {
			addresses = []netip.Addr{{}}
		}
		for _, a := range addresses {
			row.Address = a
			for _, x := range r.Prefixes {
				row.Prefix, row.Tag = x, ""
				out = append(out, row)
			}
			for _, t := range r.Tags {
				row.Prefix, row.Tag = netip.Prefix{}, t
				out = append(out, row)
			}
		}
	}
	slices.SortStableFunc(out, compareRows)
	return out
}

func dualStack(v *model.VNet) bool {
	return v != nil && slices.ContainsFunc(v.Prefixes, func(x netip.Prefix) bool { return x.Addr().Is6() })
}

func compareRows(a, b TableRow) int {
	from := []RouteSource{DefaultRoute, GatewayRoute, UserRoute}
	key := func(r TableRow) string {
		if r.Prefix.IsValid() {
			return ""
		}
		return strings.ToLower(r.Tag)
	}
	return cmp.Or(
		cmp.Compare(key(a), key(b)), cmp.Compare(a.Prefix.Addr().BitLen(), b.Prefix.Addr().BitLen()), a.Prefix.Addr().Compare(b.Prefix.Addr()),
		cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()), cmp.Compare(slices.Index(from, a.From), slices.Index(from, b.From)),
		cmp.Compare(strings.ToLower(a.Tag), strings.ToLower(b.Tag)), cmp.Compare(a.Hop, b.Hop), a.Address.Compare(b.Address),
	)
}

// place says whether a route of the table stands, and if not, what took its place.
func (p *planner) place(row *TableRow, r route, table []route, inside *netipx.IPSet) {
	displace := func(by route, rule string) {
		if by.certain {
			row.Invalid, row.Why = true, "displaced by "+by.text()+": "+rule
			return
		}
		row.Why, row.Note = "may be displaced by "+by.text()+": "+rule, cmp.Or(row.Note, by.note)
	}
	switch {
	case r.origin == systemRoute && r.hop.kind == model.HopNone:
		row.Why = noneReason(r)
	case r.note == "ASM-ER":
		row.Why = "routes that the gateway learns by BGP are not in the input; any of this space may be among them (AZ-GW-06)"
	case !r.certain:
		row.Why = "possible, not certain (AZ-RT-34)"
	}
	for _, q := range table {
		same := q.tag == r.tag && q.prefix == r.prefix
		switch {
		case r.origin == gatewayRoute && q.certain && q.origin == systemRoute && (q.hop.kind == model.HopVnetLocal || q.hop.peer != "") &&
			r.prefix.IsValid() && q.prefix.Bits() <= r.prefix.Bits() && q.prefix.Contains(r.prefix.Addr()):
			displace(q, "it leads into the VNet or a peer, and no gateway route wins over that (AZ-RT-20)")
			return
		case !same || q.origin > r.origin || q.origin == r.origin && q.rank >= r.rank:
		case q.origin == gatewayRoute && (r.hop.kind == model.HopVnetLocal || r.hop.peer != ""): // AZ-RT-20
		case q.origin == r.origin:
			displace(q, "at equal length an explicit prefix comes first, then a regional tag, a tag, AzureCloud by region, AzureCloud (AZ-RT-17)")
			return
		case q.origin == userRoute:
			displace(q, "at equal length a user route wins (AZ-RT-19)")
			return
		default:
			displace(q, "at equal length a gateway route wins over a system route (AZ-RT-19)")
			return
		}
	}
	if r.origin == gatewayRoute && r.prefix.IsValid() && inside.OverlapsPrefix(r.prefix) {
		row.Why = cmp.Or(row.Why, "for the parts that lead into the VNet or a peer the system routes win (AZ-RT-20)")
	}
	if r.origin == userRoute {
		row.BGPOverride = slices.ContainsFunc(table, func(q route) bool {
			return q.origin == gatewayRoute && q.certain && q.prefix == r.prefix && r.prefix.IsValid()
		})
	}
}

// noneReason says why a reserved prefix has a None route, or may have one.
func noneReason(r route) string {
	switch {
	case r.note == "ASM-NONE-BGP":
		return "reserved prefix; whether None routes vanish under a gateway's default route is not documented (AZ-RT-04)"
	case r.prefix == netip.MustParsePrefix("172.16.0.0/12"):
		return "reserved prefix (AZ-RT-02); some printed tables lack it"
	case r.note == "ASM-NONE-LIST":
		return "not documented: some printed tables have it (AZ-RT-02)"
	default:
		return "reserved prefix (AZ-RT-02)"
	}
}

// serviceRows are the routes of a subnet's service endpoints (AZ-SE-01): one for each prefix of the service where a list gives them.
func (p *planner) serviceRows(s *model.Subnet, table []route) []TableRow {
	var out []TableRow
	for _, se := range s.ServiceEndpoints {
		if !endpointReady(se) {
			continue
		}
		tag, _ := endpointService(se.Service)
		row := TableRow{Tag: tag, Hop: model.HopServiceEndpoint, From: DefaultRoute, Certain: true, Source: se.Source, Name: se.Service}
		var prefixes []netip.Prefix
		if set, ok := p.serviceTag[strings.ToLower(tag)]; ok {
			prefixes = set.Prefixes()
		} else {
			prefixes = []netip.Prefix{{}}
		}
		for _, x := range prefixes {
			row.Prefix, row.Why, row.Note = x, "", ""
			for _, u := range table {
				if u.origin != userRoute || u.hop.kind == model.HopInternet || u.prefix.IsValid() && u.prefix.Bits() == 0 {
					continue
				}
				if x.IsValid() && u.prefix.IsValid() && !u.prefix.Overlaps(x) {
					continue
				}
				row.Note = "ASM-SE-UDR"
				row.Why = "whether " + u.text() + " wins over the service endpoint is contradicted by the documentation (AZ-RT-21)"
				break
			}
			out = append(out, row)
		}
	}
	return out
}

// endpointReady reports that a service endpoint is in force; a template has no state.
func endpointReady(se model.ServiceEndpoint) bool {
	return se.State == "" || strings.EqualFold(se.State, "Succeeded")
}

// TagPart is one component of a tag at a NIC (AZ-TAG-01).
type TagPart struct {
	Reason     string
	Prefixes   []netip.Prefix
	Assumption string // of an uncertain one
}

// Expansion is what one side of a rule holds at a NIC.
type Expansion struct {
	Certain  []netip.Prefix // as the input has them, doubles left out
	Symbolic []string       // tags of which no list gives the prefixes
	Possible []TagPart
	Listed   []string // tags whose prefixes come from the published list
}

// VirtualNetwork is the content of the tag at a subnet's NICs: the certain components and the possible ones.
func (g *Graph) VirtualNetwork(subnet, nic model.ID) (certain, possible []TagPart) {
	c := g.planner.context(subnet, nic)
	for _, t := range c.known {
		certain = append(certain, TagPart{Reason: partReason(t.reason), Prefixes: distinct(t.listed)})
	}
	for _, t := range c.parts {
		list := distinct(t.listed)
		if t.reason == "routes" { // a default route has a component of its own
			list = slices.DeleteFunc(list, func(x netip.Prefix) bool { return x.Bits() == 0 })
		}
		if len(list) > 0 {
			possible = append(possible, TagPart{Reason: possibleReason(t.reason), Prefixes: list, Assumption: cmp.Or(c.lacks, "ASM-VNETTAG")})
		}
	}
	return certain, possible
}

func partReason(key string) string {
	switch key {
	case "effective":
		return "effective rules of the input (AZ-TAG-04)"
	case "own":
		return "address space of the VNet"
	case "platform":
		return "host address of the platform"
	case "peer":
		return "peered virtual networks"
	case "gateway":
		return "prefixes of site-to-site connections"
	default:
		return key
	}
}

func possibleReason(key string) string {
	switch key {
	case "peer":
		return "peered virtual networks that one side leaves out of the tag, or that are not surely there (AZ-PEER-04, AZ-PEER-10)"
	case "rest":
		return "other subnets of networks of which some are peered (AZ-PEER-14)"
	case "group":
		return "members of a connected group (AZ-AVNM-11)"
	case "gateway":
		return "learned routes, client pools and networks behind a gateway"
	case "behind-peer":
		return "networks behind a peer that forwards (AZ-PEER-05)"
	case "effective":
		return "in some effective rules of the input and not in others (AZ-TAG-04)"
	case "routes":
		return "prefixes of the subnet's user routes"
	case "default":
		return "the default route is not the system's (AZ-TAG-02)"
	default:
		return key
	}
}

// distinct drops doubles and keeps the order.
func distinct(ps []netip.Prefix) []netip.Prefix {
	seen := map[netip.Prefix]bool{}
	var out []netip.Prefix
	for _, x := range ps {
		if !seen[x] {
			seen[x] = true
			out = append(out, x)
		}
	}
	return out
}

// Internet is the content of the tag Internet at a subnet's NICs, and what it possibly holds beside (AZ-TAG-05, AZ-TAG-06).
func (g *Graph) Internet(subnet, nic model.ID) (certain []netip.Prefix, possible []TagPart) {
	c := g.planner.context(subnet, nic)
	least, most := c.internet()
	gained := c.wide
	for _, t := range c.parts {
		gained = unionSet(gained, t.set)
	}
	said := ipset(nil)
	if c.internetSaid != nil {
		said = intersectSet(least, c.internetSaid)
	}
	least = unionSet(minusSet(least, c.must, gained), said) // what every reading of AZ-GEN-01 leaves
	rest := minusSet(most, least)
	if lost := intersectSet(intersectSet(rest, gained), publicSpace()); !isEmpty(lost) {
		possible = append(possible, TagPart{"prefixes that VirtualNetwork may have gained (AZ-TAG-06)", lost.Prefixes(), "ASM-INTERNET-0"})
		rest = minusSet(rest, lost)
	}
	if !isEmpty(rest) {
		possible = append(possible, TagPart{Reason: "space that is neither private nor surely public (AZ-TAG-06)", Prefixes: rest.Prefixes()})
	}
	return least.Prefixes(), possible
}

// Expand resolves one side of a rule at a subnet's NICs: tags and application security groups to addresses. Prefixes that the rule
// writes itself are not repeated.
func (g *Graph) Expand(m model.AddressMatch, subnet, nic model.ID) Expansion {
	p := g.planner
	var out Expansion
	for _, t := range m.Tags {
		switch p.tagKind(t) {
		case tagVNet:
			certain, possible := g.VirtualNetwork(subnet, nic)
			for _, part := range certain {
				out.Certain = append(out.Certain, part.Prefixes...)
			}
			out.Possible = append(out.Possible, possible...)
		case tagInternet:
			certain, possible := g.Internet(subnet, nic)
			out.Certain = append(out.Certain, certain...)
			out.Possible = append(out.Possible, possible...)
		case tagLoadBalancer, tagPlatformDNS:
			out.Certain = append(out.Certain, host(platformDNS())) // AZ-TAG-08, AZ-PLAT-03
		case tagPlatformIMDS:
			out.Certain = append(out.Certain, host(platformIMDS()))
		case tagListed:
			out.Certain = append(out.Certain, p.serviceTag[strings.ToLower(t)].Prefixes()...)
			out.Listed = append(out.Listed, t)
		case tagSymbolic, tagPlatformLKM:
			out.Symbolic = append(out.Symbolic, t)
		}
	}
	for _, id := range m.ASGs {
		certain, possible, known := p.groupAddresses(id)
		out.Certain = append(out.Certain, certain...)
		switch {
		case !known:
			out.Possible = append(out.Possible, TagPart{"anyone: the group and its members are not in the input", []netip.Prefix{allV4(), allV6()}, missing("application security group", id)})
		case len(possible) > 0:
			out.Possible = append(out.Possible, TagPart{Reason: "instances of a scale set in the group, whose addresses the input does not state (AZ-ASG-05)", Prefixes: distinct(possible)})
		}
	}
	out.Certain = distinct(out.Certain)
	return out
}

// ListName names the published list of service tags of a run; empty where there is none.
func (g *Graph) ListName() string {
	if g.planner.o.Tags == nil {
		return ""
	}
	return "service tags, change number " + strconv.Itoa(g.planner.o.Tags.ChangeNumber)
}

// SubnetNSG is the NSG that acts at a subnet; platform subnets take none (AZ-NSG-20).
func (g *Graph) SubnetNSG(subnet model.ID) model.ID { return g.planner.subnetNSG(subnet) }

// AdminRow is a security admin rule at a subnet's NICs (AZ-AVNM-01). One that is not certain is deployed there possibly (AZ-AVNM-14).
type AdminRow struct {
	*model.AdminRule
	Certain bool
}

// AdminRules are the security admin rules at a subnet's NICs, by manager, and what the input lacks of them. Platform subnets have none
// (AZ-AVNM-09).
func (g *Graph) AdminRules(subnet model.ID) (rows []AdminRow, lacks []string) {
	p := g.planner
	s, v := p.e.SubnetOf(subnet)
	if v == nil || p.platformSubnet(s) {
		return nil, nil
	}
	lists := p.adminLists(v)
	for _, l := range lists {
		for _, r := range l.rules {
			rows = append(rows, AdminRow{r.AdminRule, r.certain})
			if !r.certain {
				lacks = append(lacks, "ASM-AVNM-DEPLOY")
			}
		}
		if l.wild != "" {
			lacks = append(lacks, l.wild)
		}
	}
	if len(lists) > 1 {
		lacks = append(lacks, "ASM-AVNM-MULTI")
	}
	slices.SortStableFunc(rows, func(a, b AdminRow) int {
		return cmp.Or(a.Manager().Compare(b.Manager()), cmp.Compare(a.Priority, b.Priority), a.ID.Compare(b.ID))
	})
	return rows, lacks
}
