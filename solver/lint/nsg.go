package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// adminPort is a port by which machines are administered.
type adminPort struct {
	ports model.PortRange
	name  string
}

// adminPorts lists them: SSH, RDP, WinRM, and the kubelet, whose rights run code in pods (AKS-POL-08).
func adminPorts() []adminPort {
	return []adminPort{
		{model.PortRange{First: 22, Last: 22}, "SSH"},
		{model.PortRange{First: 3389, Last: 3389}, "RDP"},
		{model.PortRange{First: 5985, Last: 5986}, "WinRM"},
		{model.PortRange{First: 10250, Last: 10250}, "kubelet"},
	}
}

// nsgRule names a rule of an NSG as people write it.
func (r *reader) nsgRule(g *model.NSG, u model.SecurityRule) string {
	if u.Default {
		return r.rule("nsg", g.ID, "defaultSecurityRules", u.Name)
	}
	return r.rule("nsg", g.ID, u.Name)
}

// guards says what an NSG is attached to.
func (r *reader) guards(g *model.NSG) string {
	if list := r.guarded[g.ID.Key()]; len(list) > 0 {
		return "It guards " + join(list) + "."
	}
	return "Nothing in the input is attached to the NSG."
}

// ruleOrigin is where a rule was read; a default rule that the platform adds has none but its NSG.
func ruleOrigin(g *model.NSG, u model.SecurityRule) model.Source {
	if u.Source.File == "" {
		return g.Source
	}
	return u.Source
}

// custom reports whether a rule is one of a direction and access that people wrote.
func custom(u model.SecurityRule, d model.Direction, a model.Access) bool {
	return !u.Default && u.Direction == d && u.Access == a
}

// adminPortOpen: an inbound Allow from everywhere to a port of administration (AZ-NSG-01, AZ-JMP-01), unless an earlier rule denies it.
func adminPortOpen(r *reader, found sink) {
	for _, g := range r.e.NSGs {
		for i, u := range g.Rules {
			if !custom(u, model.Inbound, model.Allow) || !carries(u.Protocol, model.TCP) || !anyone(u.SourceAddrs) {
				continue
			}
			open := openAdminPorts(g.Rules[:i], u)
			if len(open) == 0 {
				continue
			}
			from := addresses(u.SourceAddrs)
			if slices.ContainsFunc(u.SourceAddrs.Tags, func(t string) bool { return strings.HasPrefix(strings.ToLower(t), "azurecloud") }) {
				from += " (every machine in Azure, other customers' too)" // AZ-TAG-10
			}
			found(fact{
				subject: r.nsgRule(g, u), origin: ruleOrigin(g, u),
				text: fmt.Sprintf("The rule (priority %d) allows %s from %s to %s. %s",
					u.Priority, join(open), from, addresses(u.DestAddrs), r.guards(g)),
				remedy: "Name the addresses that administer these machines, or remove the rule and come through Bastion.",
			})
		}
	}
}

// openAdminPorts returns the ports of administration that a rule admits and that no earlier rule denies, as text.
func openAdminPorts(earlier []model.SecurityRule, u model.SecurityRule) []string {
	var out []string
	for _, a := range adminPorts() {
		for _, p := range common(u.DestPorts, a.ports) {
			if !deniedBefore(earlier, u, p) {
				out = append(out, "tcp/"+p.String()+" ("+a.name+")")
			}
		}
	}
	return out
}

// adminPortInList: an Allow that lists a port of administration among others, ahead of a Deny that was made for that port. First
// match decides (AZ-NSG-02), so the Deny is void for these sources. A rule for the port alone is an exception that somebody meant.
func adminPortInList(r *reader, found sink) {
	for _, g := range r.e.NSGs {
		for i, u := range g.Rules {
			if !custom(u, model.Inbound, model.Allow) || !carries(u.Protocol, model.TCP) || anyone(u.SourceAddrs) || jitRule(u) {
				continue
			}
			others := slices.ContainsFunc(u.DestPorts, func(p model.PortRange) bool { return !administers(p) })
			if !others {
				continue
			}
			for _, d := range g.Rules[i+1:] {
				if !custom(d, model.Inbound, model.Deny) || jitRule(d) || !d.SourceAddrs.Any || !carries(d.Protocol, model.TCP) ||
					!slices.ContainsFunc(d.DestPorts, administers) || slices.ContainsFunc(d.DestPorts, wide) || !overlaps(u.DestAddrs, d.DestAddrs) {
					continue
				}
				var pierced []string
				for _, a := range adminPorts() {
					for _, p := range common(u.DestPorts, a.ports) {
						if len(common(d.DestPorts, p)) > 0 && !deniedBefore(g.Rules[:i], u, p) {
							pierced = append(pierced, "tcp/"+p.String()+" ("+a.name+")")
						}
					}
				}
				if len(pierced) == 0 {
					continue
				}
				found(fact{
					subject: r.nsgRule(g, u), origin: ruleOrigin(g, u),
					text: fmt.Sprintf("The rule (priority %d) lists %s from %s, and so admits %s, which %s (priority %d) denies from everywhere: the first match decides.",
						u.Priority, service(u.Protocol, u.DestPorts), addresses(u.SourceAddrs), join(pierced), r.nsgRule(g, d), d.Priority),
					remedy: "Take the port out of the list, or give it a rule of its own that says why.",
				})
				break
			}
		}
	}
}

// administers reports whether a range holds nothing but ports of administration.
func administers(p model.PortRange) bool {
	return slices.ContainsFunc(adminPorts(), func(a adminPort) bool { return a.ports.First <= p.First && p.Last <= a.ports.Last })
}

// wide reports whether a range is so long that it was not written for single ports.
func wide(p model.PortRange) bool { return int(p.Last)-int(p.First) > 1000 }

// subnetWithoutNSG: no NSG at a level passes everything (AZ-NSG-12). Left out are subnets where Azure takes none (AZ-NSG-20), and
// delegated ones, whose service decides.
func subnetWithoutNSG(r *reader, found sink) {
	for _, s := range r.e.Subnets {
		if s.NSG != "" || len(s.Delegations) > 0 {
			continue
		}
		switch kindOf(s) {
		case gatewaySubnet, firewallSubnet, routeServerSubnet:
			continue
		case ordinary, bastionSubnet:
		}
		own := 0
		nics := r.in(s.ID).nics
		for _, n := range nics {
			if n.NSG != "" {
				own++
			}
		}
		text := "No network security group is attached to the subnet: what the routes bring is delivered, and everything may leave."
		if own > 0 {
			text = fmt.Sprintf("No network security group is attached to the subnet. Of its interfaces, %d of %d have one of their own; whatever comes next has none.", own, len(nics))
		}
		found(fact{
			subject: r.subnet(s), origin: s.Source, text: text,
			remedy: "Attach an NSG that allows what is needed and ends in a Deny of everything, in both directions.",
		})
	}
}

// tagGrowth: with a default route of the user's or of a gateway, the tag VirtualNetwork may hold every address, and an Allow from it
// admits every source (AZ-TAG-02, AZ-TAG-11).
func tagGrowth(r *reader, found sink) {
	for _, s := range r.e.Subnets {
		cause, ok := r.growth(s)
		if !ok {
			continue
		}
		for _, g := range r.nsgsAt(s) {
			rules := openToVNet(g, s)
			if len(rules) == 0 {
				continue
			}
			var names []string
			for _, u := range rules {
				names = append(names, fmt.Sprintf("%s (%d)", u.Name, u.Priority))
			}
			found(fact{
				subject: r.subnet(s), origin: ruleOrigin(g, rules[0]),
				text: fmt.Sprintf("%s, so the tag VirtualNetwork may hold every address here, and %s of %s may admit any source.",
					cause, join(names), r.rule("nsg", g.ID)),
				remedy: "Add an inbound Deny of everything with a priority number below 65000, such as 4096, behind the rules that are wanted, and name addresses instead of VirtualNetwork in those.",
			})
			break // one finding for a subnet
		}
	}
}

// growth says which default route makes the tag grow in a subnet. ok is false where there is none, or the table is not known.
func (r *reader) growth(s *model.Subnet) (cause string, ok bool) {
	if r.settled(s) {
		return "", false // AZ-TAG-11
	}
	families := []netip.Prefix{allV4()}
	if dual(s) {
		families = append(families, allV6())
	}
	for _, all := range families {
		if u, known := r.defaultRoute(s, all); known && u != nil {
			t, _ := r.table(s)
			return fmt.Sprintf("The route %s sends %s to %s", r.rule("routes", t.ID, u.Name), u.Prefix, hop(u)), true
		}
	}
	// AZ-GW-08: a default that a gateway announces.
	t, known := r.table(s)
	v, _ := vnetOf(r, s)
	if !known || v == nil || t != nil && t.DisableBGP == model.On {
		return "", false
	}
	for _, g := range r.gatewaysOf(v) {
		if g.AdvertisedDefault == model.On {
			return fmt.Sprintf("%s announces 0.0.0.0/0", r.refs.Of(model.SelGateway, g)), true
		}
	}
	return "", false
}

// nsgsAt returns the NSGs whose rules decide at a subnet: its own, else those of the interfaces in it (AZ-NSG-11).
func (r *reader) nsgsAt(s *model.Subnet) []*model.NSG {
	if s.NSG != "" {
		g, ok := model.Get[*model.NSG](r.e, s.NSG)
		if !ok || ignoresNSG(s) {
			return nil
		}
		return []*model.NSG{g}
	}
	var out []*model.NSG
	add := func(id model.ID) {
		if g, ok := model.Get[*model.NSG](r.e, id); ok && !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	for _, n := range r.in(s.ID).nics {
		add(n.NSG)
	}
	for _, set := range r.in(s.ID).sets {
		for _, profile := range set.Profiles {
			add(profile.NSG)
		}
	}
	return out
}

// openToVNet returns the inbound Allow rules of an NSG whose source is VirtualNetwork and that a packet from elsewhere could reach if
// the tag held it: no earlier Deny from everywhere covers them at this subnet.
func openToVNet(g *model.NSG, s *model.Subnet) []model.SecurityRule {
	var out []model.SecurityRule
	for i, u := range g.Rules {
		if u.Direction == model.Inbound && u.Access == model.Allow && hasTag(u.SourceAddrs, "VirtualNetwork") && !preempted(g.Rules[:i], u, s) {
			out = append(out, u)
		}
	}
	return out
}

// preempted reports whether earlier rules deny, from every source, all that a rule admits to a subnet. One Deny for each of TCP, UDP and
// ICMP is as good as one of everything.
func preempted(earlier []model.SecurityRule, u model.SecurityRule, s *model.Subnet) bool {
	denied := func(p model.Protocol, ports []model.PortRange) bool {
		return slices.ContainsFunc(earlier, func(d model.SecurityRule) bool {
			if d.Access != model.Deny || d.Direction != u.Direction || d.UnknownMatch != "" || !carries(d.Protocol, p) || !d.SourceAddrs.Any || !allPorts(d.SourcePorts) {
				return false
			}
			if !covers(d.DestAddrs, u.DestAddrs) && !coversSubnet(d.DestAddrs, s) {
				return false
			}
			return !p.HasPorts() || !slices.ContainsFunc(ports, func(x model.PortRange) bool { return !spans(d.DestPorts, x) })
		})
	}
	for _, p := range []model.Protocol{model.TCP, model.UDP, model.ICMP} {
		if carries(u.Protocol, p) && !denied(p, u.DestPorts) {
			return false
		}
	}
	return true
}

// coversSubnet reports whether a destination holds every address of a subnet.
func coversSubnet(m model.AddressMatch, s *model.Subnet) bool {
	if m.Any || hasTag(m, "VirtualNetwork") {
		return true
	}
	return len(s.Prefixes) > 0 && !slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return !inside(p, m.Prefixes) })
}

// nsgWithoutDeny: inbound ends in the default rules, whose AllowVnetInBound (65000) admits the VNet, its peers and what lies behind its
// gateways (AZ-NSG-03, AZ-TAG-01, AZ-GW-02). Subnets with the sharper tag-growth are left to it.
func nsgWithoutDeny(r *reader, found sink) {
	for _, g := range r.e.NSGs {
		if g.Managed {
			continue // AKS writes it, and the customer's subnet NSG stands before it (AKS-LB-01)
		}
		var open []string
		for _, s := range r.behind[g.ID.Key()] {
			if ignoresNSG(s) || r.onlyFrontends(s) {
				continue
			}
			_, grows := r.growth(s)
			if !grows && slices.ContainsFunc(openToVNet(g, s), func(u model.SecurityRule) bool { return u.Default }) {
				open = append(open, r.subnet(s))
			}
		}
		if len(open) == 0 {
			continue
		}
		found(fact{
			subject: r.rule("nsg", g.ID), origin: g.Source,
			text: fmt.Sprintf("Inbound ends in the default rules: AllowVnetInBound (65000) lets every port of %s be reached from the whole virtual network, its peers and the networks behind its gateways.",
				join(open)),
			remedy: "Allow what is needed by address, and add an inbound Deny of everything at priority 4096.",
		})
	}
}

// serverPortAsSource: clients send from high ports, so a rule with a server's port as source port matches almost nothing
// (AZ-NSG-09). UDP protocols that use one port on both sides are left out.
func serverPortAsSource(r *reader, found sink) {
	const high = 32768 // where the ports that clients take begin, on Linux; higher on Windows
	for _, g := range r.e.NSGs {
		for _, u := range g.Rules {
			if u.Default || len(u.SourcePorts) == 0 || u.Protocol != model.AnyProtocol && !u.Protocol.HasPorts() {
				continue
			}
			if slices.ContainsFunc(u.SourcePorts, func(p model.PortRange) bool { return p.Last >= high || u.Protocol == model.UDP && samePort(p) }) {
				continue
			}
			what := "admits almost nothing"
			if u.Access == model.Deny {
				what = "stops almost nothing"
			}
			found(fact{
				subject: r.nsgRule(g, u), origin: ruleOrigin(g, u),
				text:   fmt.Sprintf("The rule asks for source port %s. Clients send from high ports, so the rule %s.", portTexts(u.SourcePorts), what),
				remedy: "Write the port as destination port, and `*` as source port.",
			})
		}
	}
}

// samePort reports whether a UDP protocol uses one port on both sides: DNS between servers, DHCP, NTP, NetBIOS, IKE.
func samePort(p model.PortRange) bool {
	switch p.First {
	case 53, 67, 68, 123, 137, 138, 500, 546, 547, 4500:
		return p.Last-p.First <= 1
	default:
		return false
	}
}

// ruleASGWithoutMembers: an application security group without members is an empty set: an Allow never matches, a Deny never protects
// (AZ-ASG-01).
func ruleASGWithoutMembers(r *reader, found sink) {
	for _, g := range r.e.NSGs {
		for _, u := range g.Rules {
			for _, id := range append(slices.Clone(u.SourceAddrs.ASGs), u.DestAddrs.ASGs...) {
				if r.members[id.Key()] {
					continue
				}
				why, severity := "is not in the input", Warning
				if _, ok := r.e.Lookup(id); ok {
					why = "has no member"
					if u.Access != model.Deny {
						severity = Note
					}
				}
				what := "admits nothing"
				if u.Access == model.Deny {
					what = "stops nothing"
				}
				found(fact{
					severity: severity, subject: r.nsgRule(g, u), origin: ruleOrigin(g, u),
					text:   fmt.Sprintf("The rule names the application security group %s, which %s: as it stands, the rule %s.", id.Name(), why, what),
					remedy: "Put the machines into the group, name the group that was meant, or remove the rule.",
				})
			}
		}
	}
}

// ignoresNSG reports whether Azure takes no NSG on a subnet (AZ-NSG-20).
func ignoresNSG(s *model.Subnet) bool {
	switch kindOf(s) {
	case gatewaySubnet, firewallSubnet, routeServerSubnet:
		return true
	default:
		return false
	}
}

// onlyFrontends reports a subnet that holds internal frontends of load balancers and nothing else: no NIC of it is there for an NSG to
// act at (AKS-LB-06).
func (r *reader) onlyFrontends(s *model.Subnet) bool {
	t := r.in(s.ID)
	return t.frontends > 0 && !t.machines() && len(t.endpoints) == 0 && len(s.Delegations) == 0
}

// behindFrontends returns the subnets of the machines behind the frontends in a subnet, in the order of their IDs.
func (r *reader) behindFrontends(s *model.Subnet) []*model.Subnet {
	var pools []model.ID
	for _, lb := range r.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if f.Subnet.Key() != s.ID.Key() {
				continue
			}
			for _, u := range lb.Rules {
				if u.Frontend.Key() == f.ID.Key() {
					pools = append(pools, u.Pools...)
				}
			}
		}
	}
	var out []*model.Subnet
	member := func(c model.IPConfig) {
		for _, id := range c.LBPools {
			if b, ok := model.Get[*model.Subnet](r.e, c.Subnet); ok && hasID(pools, id) && !slices.Contains(out, b) {
				out = append(out, b)
			}
		}
	}
	for _, n := range r.e.NICs {
		for _, c := range n.IPConfigs {
			member(c)
		}
	}
	for _, set := range r.e.ScaleSets {
		for _, p := range set.Profiles {
			for _, c := range p.IPConfigs {
				member(c)
			}
		}
	}
	slices.SortFunc(out, func(a, b *model.Subnet) int { return a.ID.Compare(b.ID) })
	return out
}

func hasID(list []model.ID, id model.ID) bool {
	return slices.ContainsFunc(list, func(x model.ID) bool { return x.Key() == id.Key() })
}

// frontendsUnguarded: an NSG on a subnet that holds frontends alone, where the machines behind them admit the whole virtual network: it
// looks like the filter before them and is none (AKS-LB-06).
func frontendsUnguarded(r *reader, s *model.Subnet, found sink) {
	var open, guards []string
	for _, b := range r.behindFrontends(s) {
		g, ok := model.Get[*model.NSG](r.e, b.NSG)
		if !ok || len(openToVNet(g, b)) == 0 {
			continue
		}
		open, guards = append(open, r.subnet(b)), append(guards, r.rule("nsg", g.ID))
	}
	if len(open) == 0 {
		return
	}
	slices.Sort(guards)
	found(fact{
		subject: r.subnet(s), origin: s.Source,
		text: fmt.Sprintf("nsg:%s filters nothing here: the subnet holds frontends of load balancers alone, and NSGs act at the machines behind them. Those are in %s, and %s let VirtualNetwork in.",
			s.NSG.Name(), join(open), join(slices.Compact(guards))),
		remedy: "Write the rules into the NSG of the machines' subnet, with the frontend's address or `*` as destination and a Deny of the rest.",
	})
}

// nsgIgnored: an NSG on a subnet where it has no effect.
func nsgIgnored(r *reader, found sink) {
	for _, s := range r.e.Subnets {
		if s.NSG != "" && r.onlyFrontends(s) {
			frontendsUnguarded(r, s, found)
			continue
		}
		if s.NSG == "" || !ignoresNSG(s) {
			continue
		}
		found(fact{
			subject: r.subnet(s), origin: s.Source,
			text:   fmt.Sprintf("nsg:%s is attached to %s, where Azure supports none: its rules are taken as absent.", s.NSG.Name(), s.Name()),
			remedy: "Detach the NSG, and filter at the subnets behind it.",
		})
	}
}

// egressToAnyTenant: the tag of a service names the service of every customer, not one account (AZ-TAG-10).
func egressToAnyTenant(r *reader, found sink) {
	remedy := "Reach the accounts by private endpoint, or name them: a service endpoint policy, or application rules of the firewall."
	for _, g := range r.e.NSGs {
		if r.onlyBastion(g) {
			continue // AZ-BAS-02: Bastion demands AzureCloud
		}
		for _, u := range g.Rules {
			tags := tenantTags(u.DestAddrs)
			if !custom(u, model.Outbound, model.Allow) || len(tags) == 0 {
				continue
			}
			found(fact{
				subject: r.nsgRule(g, u), origin: ruleOrigin(g, u), remedy: remedy,
				text: fmt.Sprintf("The rule allows %s to tag %s, which holds the accounts of every Azure customer: data can leave to a foreign one.",
					service(u.Protocol, u.DestPorts), join(tags)),
			})
		}
	}
	r.firewallRules(func(f firewallRule) {
		tags := tenantTags(f.Dests)
		if f.kind != model.NetworkRules || f.access != model.Allow || len(tags) == 0 {
			return
		}
		found(fact{
			subject: f.name, origin: f.Source, remedy: remedy,
			text: fmt.Sprintf("The rule allows tag %s, which holds the accounts of every Azure customer: data can leave to a foreign one.", join(tags)),
		})
	})
}

// tenantTags returns the tags of a match that stand for stores of data of every customer.
func tenantTags(m model.AddressMatch) []string {
	var out []string
	for _, t := range m.Tags {
		switch base, _, _ := strings.Cut(strings.ToLower(t), "."); base {
		case "storage", "sql", "azurecosmosdb", "eventhub", "servicebus", "azurecloud", "azuredatalake":
			out = append(out, t)
		}
	}
	return out
}

// onlyBastion reports whether an NSG stands on AzureBastionSubnet and nowhere else.
func (r *reader) onlyBastion(g *model.NSG) bool {
	subnets := r.behind[g.ID.Key()]
	return len(subnets) > 0 && !slices.ContainsFunc(subnets, func(s *model.Subnet) bool { return kindOf(s) != bastionSubnet })
}
