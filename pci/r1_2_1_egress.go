package pci

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// firewallsTakeEgress is 1.1.4-c: everything that leaves to the internet passes a firewall, relays included.
func firewallsTakeEgress(ev *Evidence) []Part {
	return ev.egressThrough(ev.declared(internalKinds()...), "internal zones")
}

// firewallsTakeAllEgress is 1.2.1-i: the same proof for trusted and untrusted, partners' networks in the estate too.
func firewallsTakeAllEgress(ev *Evidence) []Part {
	out := ev.partsOf("1.1.4-c")
	partners := slices.DeleteFunc(ev.declared(model.ZonePartner), func(z model.Zone) bool {
		return !slices.ContainsFunc(ev.membersOf(z), func(m member) bool { return m.Subnet != "" })
	})
	if len(partners) > 0 {
		out = append(out, ev.egressThrough(partners, "partners' networks in the estate")...)
	}
	return out
}

// egressThrough asks for each zone that its way to the internet passes a firewall.
func (ev *Evidence) egressThrough(zones []model.Zone, what string) []Part {
	statement := "every path from " + what + " to internet passes a firewall"
	internet, firewalls := ev.zones(model.ZoneInternet), ev.firewalls()
	if len(zones) == 0 {
		return []Part{unknownPart(statement, "ringfence.yaml declares no zone of the kinds "+kindsText(internalKinds()))}
	}
	if len(firewalls) == 0 {
		return []Part{ev.noFirewall(statement)}
	}
	var out []Part
	for _, z := range zones {
		from, left := ev.holding(z, ev.onPlatform)
		if left == 0 {
			continue
		}
		p := ev.through(from, internet, firewalls)
		p = p.said(left, "every path from %s to internet passes %s", texts(from), texts(firewalls)).leaving("R1", "R2").
			remedied("route 0.0.0.0/0 (and ::/0) of the subnet to the firewall; remove its public address, NAT gateway or service endpoint")
		ev.blameRoute(&p)
		out = append(out, p)
	}
	if len(out) == 0 {
		return []Part{unknownPart(statement, "the zones hold subnets of the platform alone")}
	}
	out[0].Table = ev.egressTable()
	for _, s := range ev.e.Subnets {
		if why := ev.platformSubnet(s); why != "" {
			out[0].Notes = append(out[0].Notes, ev.refs.Of(model.SelSubnet, s)+" is left out: "+why)
		}
	}
	out[0].Notes = append(out[0].Notes, "a route for 0.0.0.0/0 leaves traffic to peers and private endpoints alone (AZ-RT-23)")
	return out
}

// noFirewall is the part of an item about firewalls where there is none.
func (ev *Evidence) noFirewall(statement string) Part {
	return Part{Statement: statement, Verdict: ItemFail, Reason: "the input holds no Azure Firewall, and pci.firewalls names none", Faults: []Fault{{
		Cause: Cause{Class: CauseNoFirewall, Of: "estate"}, Text: "there is no firewall", Source: ev.in.Source.String(),
		Remedy: "add the firewall to the inputs, or name the appliance that takes its part in pci.firewalls",
	}}}
}

// blameRoute makes the subnet whose route leads round the firewall the cause of a part's faults (decisions.md, section 4).
func (ev *Evidence) blameRoute(p *Part) {
	if p.Verdict != ItemFail {
		return
	}
	for i := range p.Faults {
		f := &p.Faults[i]
		for _, h := range hops(f.Witness) {
			if h.Stage != "route" || h.NextHopType == "" {
				continue
			}
			f.Cause = Cause{Class: CauseRoute, Of: h.At, Field: h.Prefix}
			if s, ok := ev.subnetOfHop(h.At); ok {
				f.Cause.Of, f.Subject = ev.refs.Of(model.SelSubnet, s), ev.refs.Of(model.SelSubnet, s)
				f.Source = s.Source.String()
				f.Field, f.Found, f.Wanted = "properties.routeTable.id", s.RouteTable.Name(), "a route table with 0.0.0.0/0 to the firewall"
			}
			f.Text = "the route of " + h.At + " for " + h.Prefix + " leads to " + nextHop(h)[len("to "):] + ", past the firewall"
		}
	}
}

// subnetOfHop finds the subnet in which a hop of a witness lies.
func (ev *Evidence) subnetOfHop(at string) (*model.Subnet, bool) {
	for _, m := range ev.members() {
		if m.Ref != at {
			continue
		}
		id := m.Subnet
		if m.Place.Kind == model.PlaceSubnet {
			id = m.Place.ID
		}
		if s, ok := model.Get[*model.Subnet](ev.e, id); ok {
			return s, true
		}
	}
	for _, n := range ev.e.NICs {
		if ev.refs.Of(model.SelNIC, n) == at && len(n.IPConfigs) > 0 {
			return model.Get[*model.Subnet](ev.e, n.IPConfigs[0].Subnet)
		}
	}
	for _, s := range ev.e.Subnets {
		if ev.refs.Of(model.SelSubnet, s) == at {
			return s, true
		}
	}
	return nil, false
}

// egressTable shows for each subnet of an internal zone where its default route leads.
func (ev *Evidence) egressTable() *Table {
	t := &Table{Header: []string{"subnet", "route table", "0.0.0.0/0 leads to", "which is"}}
	for _, s := range ev.subnetsIn(internalKinds()...) {
		if ev.platformSubnet(s) != "" {
			continue
		}
		row := []string{ev.refs.Of(model.SelSubnet, s), "none", "the default of the platform", "no firewall"}
		if s.RouteTable != "" {
			row[1] = s.RouteTable.Name()
		}
		rt, ok := model.Get[*model.RouteTable](ev.e, s.RouteTable)
		switch {
		case s.RouteTable != "" && !ok:
			row[2], row[3] = "not in the input", "not known"
		case ok:
			if u, ok := defaultRoute(rt, false); ok {
				row[2] = hopText(u)
				if f, ok := ev.firewallAt(u); ok {
					row[3] = ev.refs.Of(model.SelFirewall, f)
				}
			}
		}
		if row[2] == "the default of the platform" && ev.hubSteered(s) {
			row[2], row[3] = "the virtual hub", "its routing intent decides"
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// defaultRoute finds the user route for everything of one family.
func defaultRoute(t *model.RouteTable, v6 bool) (model.UserRoute, bool) {
	for _, u := range t.Routes {
		if u.Prefix.IsValid() && u.Prefix.Bits() == 0 && u.Prefix.Addr().Is6() == v6 {
			return u, true
		}
	}
	return model.UserRoute{}, false
}

// firewallAt finds the firewall that a route leads to.
func (ev *Evidence) firewallAt(u model.UserRoute) (*model.Firewall, bool) {
	i := slices.IndexFunc(ev.e.Firewalls, func(f *model.Firewall) bool {
		if f.Address.IsValid() {
			return f.Address == u.Address
		}
		s, ok := model.Get[*model.Subnet](ev.e, f.Subnet)
		return ok && slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Contains(u.Address) })
	})
	if i < 0 || u.NextHop != model.HopAppliance {
		return nil, false
	}
	return ev.e.Firewalls[i], true
}

// hubSteered reports whether the VNet of a subnet is connected to a virtual hub whose routing intent sends the internet to a firewall.
func (ev *Evidence) hubSteered(s *model.Subnet) bool {
	for _, c := range ev.e.HubConnections {
		if c.VNet.Key() == s.VNet.Key() && slices.ContainsFunc(ev.e.Intents, func(i *model.RoutingIntent) bool {
			return i.Hub.Key() == c.Hub.Key() && slices.ContainsFunc(i.Policies, func(p model.RoutingPolicy) bool {
				return slices.ContainsFunc(p.Destinations, func(d string) bool { return strings.EqualFold(d, "Internet") })
			})
		}) {
			return true
		}
	}
	return false
}

// firewallInHub is 1.2.1-j: firewalls stand in a hub, apart from what they guard.
func firewallInHub(ev *Evidence) []Part {
	const statement = "every firewall stands in a hub: a VNet or virtual hub that holds no workload"
	if len(ev.e.Firewalls) == 0 {
		return []Part{ev.noFirewall(statement)}
	}
	p := Part{Statement: statement, Subjects: len(ev.e.Firewalls)}
	open := unknownPart("the networks of all firewalls are in the input", "")
	for _, f := range ev.e.Firewalls {
		name := ev.refs.Of(model.SelFirewall, f)
		if f.Hub {
			if f.VirtualHub == "" {
				open.Reason = name + " states no virtual hub"
				open.Faults = append(open.Faults, Fault{Cause: Cause{Class: CauseSetting, Of: name, Field: "virtualHub"}, Subject: name, Text: "no virtual hub is stated", Field: "properties.virtualHub.id", Wanted: "the hub", Source: f.Source.String()})
				continue
			}
			p.Facts = append(p.Facts, name+" in virtual hub "+f.VirtualHub.Name()+inBrackets(f.Source.String()))
			continue
		}
		_, v := ev.e.SubnetOf(f.Subnet)
		switch {
		case v == nil || v.Partial:
			open.Reason = name + ": its VNet " + f.Subnet.Parent().Name() + " is not in the input"
			open.Faults = append(open.Faults, ev.unknownRef(name, f.Subnet.Parent(), f.Source))
		case slices.ContainsFunc(ev.hubs(), func(h *model.VNet) bool { return h.ID.Key() == v.ID.Key() }):
			p.Facts = append(p.Facts, name+" in "+ev.refs.Of(model.SelVNet, v)+inBrackets(f.Source.String()))
		default:
			fault := Fault{
				Cause: Cause{Class: CauseSetting, Of: name, Field: "subnet"}, Subject: name, Source: f.Source.String(), Field: "properties.ipConfigurations[0].properties.subnet.id", Found: f.Subnet.ShortName(), Wanted: "AzureFirewallSubnet of a hub",
				Remedy: "give the firewall a VNet of its own that is peered with those of the workloads, or move the workloads out",
			}
			fault.Text = ev.refs.Of(model.SelVNet, v) + " is no hub: it is peered with no VNet that holds workloads"
			for _, s := range ev.subnetsIn(model.ZoneCDE, model.ZoneData, model.ZoneTrusted) {
				if s.VNet.Key() == v.ID.Key() {
					fault.Text = ev.refs.Of(model.SelVNet, v) + " is no hub: it holds " + ev.refs.Of(model.SelSubnet, s) + " with workloads as well"
				}
			}
			p.Faults = append(p.Faults, fault)
		}
	}
	if len(open.Faults) > 0 {
		if len(p.Faults)+len(p.Facts) == 0 {
			return []Part{open}
		}
		return []Part{p.judged(), open}
	}
	return []Part{p.judged()}
}

// singleEgress is 1.2.1-k: each subnet routes to one firewall, and nothing leaves by another way.
func singleEgress(ev *Evidence) []Part {
	p := Part{Statement: "each subnet of an internal zone has a route table that sends 0.0.0.0/0 to a firewall"}
	if len(ev.e.Firewalls) == 0 && len(ev.in.PCI.Firewalls) == 0 {
		return []Part{ev.noFirewall(p.Statement)}
	}
	var open []Fault
	used := map[string][]string{} // firewalls by region
	for _, s := range ev.subnetsIn(internalKinds()...) {
		if ev.platformSubnet(s) != "" {
			continue
		}
		p.Subjects++
		subnet, region := ev.refs.Of(model.SelSubnet, s), s.Location
		if v, ok := model.Get[*model.VNet](ev.e, s.VNet); ok {
			region = v.Location
		}
		use := func(firewall string) {
			if !slices.Contains(used[region], firewall) {
				used[region] = append(used[region], firewall)
			}
		}
		rt, ok := model.Get[*model.RouteTable](ev.e, s.RouteTable)
		switch {
		case s.RouteTable != "" && !ok:
			open = append(open, ev.unknownRef(subnet, s.RouteTable, s.Source))
			continue
		case ev.hubSteered(s):
			use("the virtual hub's firewall")
			continue
		}
		fault := Fault{
			Cause: Cause{Class: CauseRoute, Of: subnet, Field: "0.0.0.0/0"}, Subject: subnet, Source: s.Source.String(), Text: "the subnet has no route table",
			Field: "properties.routeTable.id", Wanted: "a route table with 0.0.0.0/0 to the firewall", Remedy: "attach a route table whose 0.0.0.0/0 leads to the private address of the firewall",
		}
		if !ok {
			p.Faults = append(p.Faults, fault)
			continue
		}
		families := []bool{false}
		if slices.ContainsFunc(s.Prefixes, isV6) {
			families = append(families, true)
		}
		for _, v6 := range families {
			everything := map[bool]string{false: "0.0.0.0/0", true: "::/0"}[v6]
			u, routed := defaultRoute(rt, v6)
			f, leads := ev.firewallAt(u)
			fault.Source, fault.Cause.Field, fault.Field = rt.Source.String(), everything, "properties.routes"
			switch {
			case !routed:
				fault.Text = "its route table " + rt.Name() + " has no route for " + everything
				p.Faults = append(p.Faults, fault)
			case leads:
				use(ev.refs.Of(model.SelFirewall, f))
			case u.NextHop == model.HopAppliance && ev.isFirewall(u):
				use("the appliance at " + u.Address.String())
			case u.NextHop == model.HopAppliance && !ev.owned(u.Address):
				fault.Cause, fault.Text = Cause{Class: CauseNoRef, Of: "ASM-NEXTHOP(" + u.Address.String() + ")"}, "its route for "+everything+" leads to "+u.Address.String()+", which nothing in the input has (ASM-NEXTHOP)"
				fault.Source, fault.Remedy = u.Source.String(), "export the device that has the address"
				open = append(open, fault)
			default:
				fault.Text = fmt.Sprintf("its route for %s leads to %s, which is no firewall", everything, hopText(u))
				fault.Source = u.Source.String()
				p.Faults = append(p.Faults, fault)
			}
		}
		p.Faults = append(p.Faults, ev.sideways(s)...)
	}
	if p.Subjects == 0 {
		return []Part{unknownPart(p.Statement, "no subnet of the input lies in an internal zone")}
	}
	p.Table = ev.egressTable()
	for _, region := range slices.Sorted(maps.Keys(used)) {
		if len(used[region]) > 1 {
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CauseSetting, Of: "region " + region, Field: "egress"}, Subject: "region " + region, Text: "the subnets of one region leave by several firewalls: " + strings.Join(used[region], ", "),
				Source: ev.in.Source.String(), Remedy: "send all of them to one firewall",
			})
		}
	}
	out := []Part{p.orUnknown(open)}
	for _, x := range ev.partsOf("1.1.4-c") {
		x.Table, x.Notes = nil, nil // shown there
		out = append(out, x)
	}
	return out
}

func isV6(p netip.Prefix) bool { return p.Addr().Is6() }

// hopText prints where a user route leads.
func hopText(u model.UserRoute) string {
	if !u.Address.IsValid() {
		return string(u.NextHop)
	}
	return string(u.NextHop) + " " + u.Address.String()
}

// sideways lists the ways to the internet that a subnet has beside its route: a NAT gateway, service endpoints.
func (ev *Evidence) sideways(s *model.Subnet) []Fault {
	subnet := ev.refs.Of(model.SelSubnet, s)
	var out []Fault
	if s.NATGateway != "" {
		out = append(out, Fault{
			Cause: Cause{Class: CauseSetting, Of: subnet, Field: "natGateway"}, Subject: subnet, Text: "the subnet has a NAT gateway, a second way out", Field: "properties.natGateway.id", Found: s.NATGateway.Name(), Wanted: "none",
			Source: s.Source.String(), Remedy: "remove the NAT gateway from the subnet; give it to AzureFirewallSubnet where the firewall needs more ports",
		})
	}
	for _, x := range s.ServiceEndpoints {
		out = append(out, Fault{
			Cause: Cause{Class: CauseSetting, Of: subnet, Field: "serviceEndpoints " + x.Service}, Subject: subnet, Text: "the service endpoint takes traffic to " + x.Service + " past the firewall (AZ-SE-01)", Field: "properties.serviceEndpoints", Found: x.Service, Wanted: "none",
			Source: x.Source.String(), Remedy: "reach the service by a private endpoint and remove the service endpoint",
		})
	}
	return out
}

// inForce is a rule of a firewall, as justifications name it.
type inForce struct {
	model.FirewallRule
	kind   model.RuleKind
	access model.Access
	name   string
}

// rulesInForce lists the rules of a firewall, of its policy and of that policy's parents (AZ-FW-11 to AZ-FW-14), and the faults of what
// the input lacks.
func (ev *Evidence) rulesInForce(f *model.Firewall) (rules []inForce, lacks []Fault) {
	name := ev.refs.Of(model.SelFirewall, f)
	add := func(prefix string, list []model.RuleCollection) {
		for _, c := range list {
			for _, u := range c.Rules {
				rules = append(rules, inForce{u, c.Kind, c.Access, prefix + "/" + c.Name + "/" + u.Name})
				for _, id := range slices.Concat(u.Sources.IPGroups, u.Dests.IPGroups) {
					if _, ok := model.Get[*model.IPGroup](ev.e, id); !ok {
						lacks = append(lacks, ev.unknownRef(prefix+"/"+c.Name+"/"+u.Name, id, u.Source))
					}
				}
			}
		}
	}
	add("firewall:"+f.Name(), f.Collections)
	seen := map[string]bool{}
	for id, by, source := f.Policy, name, f.Source; id != "" && !seen[id.Key()]; {
		seen[id.Key()] = true
		p, ok := model.Get[*model.FirewallPolicy](ev.e, id)
		if !ok {
			return rules, append(lacks, ev.unknownRef(by, id, source))
		}
		for _, g := range slices.Concat(p.GroupRefs, p.Groups) {
			if seen[g.Key()] {
				continue
			}
			seen[g.Key()] = true
			if group, ok := model.Get[*model.RuleCollectionGroup](ev.e, g); ok {
				add("firewall:"+p.Name()+"/"+group.Name(), group.Collections)
			} else {
				lacks = append(lacks, ev.unknownRef("firewall-policy:"+p.Name(), g, p.Source))
			}
		}
		id, by, source = p.Base, "firewall-policy:"+p.Name(), p.Source
	}
	return rules, lacks
}

// everyAddress reports whether one side of a rule is everybody, IP groups read (AZ-FW-27).
func (ev *Evidence) everyAddress(m model.AddressMatch) bool {
	list := slices.Clone(m.Prefixes)
	for _, id := range m.IPGroups {
		if g, ok := model.Get[*model.IPGroup](ev.e, id); ok {
			list = append(list, g.Prefixes...)
		}
	}
	return m.Any || slices.ContainsFunc(m.Tags, func(t string) bool { return strings.EqualFold(t, "Internet") }) ||
		slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Bits() <= 1 }) // 0.0.0.0/1 and 128.0.0.0/1 are everybody, in two halves
}

// specificRules is 1.2.1-l: firewall rules go from specific sources to specific targets.
func specificRules(ev *Evidence) []Part {
	p := Part{Statement: "no allow or DNAT rule of a firewall has every source or every destination"}
	if len(ev.e.Firewalls) == 0 {
		return []Part{ev.noFirewall(p.Statement)}
	}
	var open []Fault
	seen := map[string]bool{}
	for _, f := range ev.e.Firewalls {
		rules, lacks := ev.rulesInForce(f)
		open = append(open, lacks...)
		allows := 0
		for _, u := range rules {
			if u.access != model.Allow {
				continue
			}
			allows++
			if seen[u.name] {
				continue // of a policy that several firewalls have
			}
			seen[u.name] = true
			p.Subjects++
			add := func(side, found, remedy string) {
				p.Faults = append(p.Faults, Fault{
					Cause: Cause{Class: CauseAllow, Of: u.name}, Subject: u.name, Text: "the " + u.kind.String() + " rule has every " + side, Field: side, Found: found, Wanted: "names or addresses", Source: u.Source.String(), Remedy: remedy,
				})
			}
			if ev.everyAddress(u.Sources) {
				add("source", strings.Join((&ruleTable{e: ev.e, refs: ev.refs}).match(u.Sources), ", "), "name the subnets or IP groups that need the rule")
			}
			if u.kind == model.NetworkRules && ev.everyAddress(u.Dests) {
				add("destination", strings.Join((&ruleTable{e: ev.e, refs: ev.refs}).match(u.Dests), ", "), "name the addresses, service tags or names that are needed")
			}
			for _, n := range u.FQDNs {
				switch {
				case n == "*":
					add("target name", "*", "name the hosts that are needed")
				case strings.HasPrefix(n, "*"):
					p.Notes = append(p.Notes, u.name+" allows the pattern "+n+inBrackets(u.Source.String()))
				}
			}
		}
		if allows == 0 && len(lacks) == 0 {
			p.Notes = append(p.Notes, ev.refs.Of(model.SelFirewall, f)+" has no rule that allows: it denies all")
		}
	}
	if p.Subjects == 0 {
		p.Subjects = len(ev.e.Firewalls)
	}
	return []Part{p.orUnknown(open)}
}
