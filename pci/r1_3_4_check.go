package pci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// clusterEgressByFirewall is 1.3.4-a: the default route of every node and pod subnet leads to a firewall, and nothing leaves round it.
func clusterEgressByFirewall(ev *Evidence) []Part {
	config := Part{Statement: "the default route of every node and pod subnet leads to a firewall"}
	nodes, missing := ev.nodeSubnets()
	pods, gone := ev.podSubnets()
	list := slices.Concat(nodes, slices.DeleteFunc(pods, func(s *model.Subnet) bool { return slices.Contains(nodes, s) }))
	if len(list)+len(missing) == 0 {
		return []Part{ev.noPools(config.Statement)}
	}
	for _, s := range list {
		config.Subjects++
		ref := ev.refs.Of(model.SelSubnet, s)
		route := func(found string, source model.Source, remedy string) {
			f := configFault(CauseRoute, ref, "0.0.0.0/0", found, "VirtualAppliance at the firewall", source, remedy)
			f.Cause.Field = "0.0.0.0/0"
			config.Faults = append(config.Faults, f)
		}
		t, ok := model.Get[*model.RouteTable](ev.e, s.RouteTable)
		switch {
		case s.RouteTable == "":
			route("no route table", s.Source, "attach a route table with 0.0.0.0/0 to the firewall")
			continue
		case !ok:
			config.Verdict, config.Reason = ItemUnknown, s.RouteTable.ShortName()+" is not in the input"
			config.Faults = append(config.Faults, ev.unknownRef(ref, s.RouteTable, s.Source))
			continue
		}
		i := slices.IndexFunc(t.Routes, func(r model.UserRoute) bool {
			return r.Prefix.IsValid() && r.Prefix.Bits() == 0 && r.Prefix.Addr().Is4()
		})
		switch {
		case i < 0:
			route("no route for it in "+t.Name(), t.Source, "add 0.0.0.0/0 to the firewall")
		case t.Routes[i].NextHop != model.HopAppliance:
			route(string(t.Routes[i].NextHop)+" in "+t.Name(), t.Routes[i].Source, "lead 0.0.0.0/0 to the firewall")
		case !ev.isFirewall(t.Routes[i]):
			route("VirtualAppliance "+t.Routes[i].Address.String()+", which is no firewall", t.Routes[i].Source, "lead 0.0.0.0/0 to the firewall")
		default:
			config.Facts = append(config.Facts, fmt.Sprintf("%s: %s/%s leads to %s%s", ref, t.Name(), t.Routes[i].Name, t.Routes[i].Address, inBrackets(t.Routes[i].Source.String())))
		}
	}
	judged, _ := ev.clusters()
	for _, c := range judged {
		if c.OutboundType != "" {
			config.Notes = append(config.Notes, ev.refs.Of(model.SelCluster, c)+": outboundType "+c.OutboundType+", which proves nothing by itself (AKS-OUT-01)")
		}
	}
	for _, id := range append(missing, gone...) {
		config.Verdict, config.Reason = ItemUnknown, "the subnet "+id.ShortName()+" of a node pool is not in the input"
		config.Faults = append(config.Faults, ev.unknownRef("node pool", id, model.Source{}))
	}
	if slices.ContainsFunc(config.Faults, func(f Fault) bool { return f.Cause.Class == CauseRoute }) {
		config.Verdict, config.Reason = ItemFail, ""
	}
	parts := []Part{config.judged()}
	if len(list) == 0 {
		return parts
	}
	if via := ev.firewalls(); len(via) > 0 {
		p := ev.through(ev.selAll(model.SelSubnet, list), ev.zones(model.ZoneInternet), via).said(len(list), "every path from %s to the internet passes %s", texts(ev.selAll(model.SelSubnet, list)), texts(via))
		if p.Verdict == ItemFail && len(config.Faults) > 0 {
			p = p.because(config.Faults[0].Cause)
		}
		p.Residual = residual("R1", "R2", "R5")
		return append(parts, p.remedied("add 0.0.0.0/0 to the firewall; remove NAT gateway, public address and service endpoint"))
	}
	return append(parts, Part{Statement: "every path to the internet passes a firewall", Verdict: ItemFail, Faults: []Fault{{Cause: Cause{Class: CauseNoFirewall}, Text: "the input holds no firewall", Source: ev.in.Source.String(), Remedy: "add an Azure Firewall, or declare pci.firewalls"}}})
}

// isFirewall reports whether a route's next hop is a firewall's address.
func (ev *Evidence) isFirewall(r model.UserRoute) bool {
	for _, f := range ev.e.Firewalls {
		if f.Address == r.Address {
			return true
		}
		if s, ok := model.Get[*model.Subnet](ev.e, f.Subnet); ok && !f.Address.IsValid() {
			for _, p := range s.Prefixes {
				if p.Contains(r.Address) {
					return true
				}
			}
		}
	}
	for _, s := range ev.in.PCI.Firewalls {
		found, err := ev.e.Find(s)
		if err != nil {
			continue
		}
		for _, x := range found {
			if n, ok := x.Resource.(*model.NIC); ok && slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return c.Address == r.Address }) {
				return true
			}
		}
	}
	return false
}

// nodeEgressLimited is 1.3.4-b: NSGs alone, the firewall apart.
func nodeEgressLimited(ev *Evidence) []Part {
	wanted := ev.in.PCI.NodeEgress
	if len(wanted) == 0 {
		wanted = services("tcp/443", "udp/123", "tcp/9000", "udp/1194")
	}
	wanted = append(slices.Clone(wanted), services("udp/53", "tcp/53")...)
	p := Part{Statement: "the NSGs of node subnets admit to the internet nothing but " + portTextsOf(wanted)}
	nodes, missing := ev.nodeSubnets()
	if len(nodes)+len(missing) == 0 {
		return []Part{ev.noPools(p.Statement)}
	}
	for _, id := range missing {
		p.Verdict, p.Reason = ItemUnknown, "the subnet "+id.ShortName()+" of a node pool is not in the input"
		p.Faults = append(p.Faults, ev.unknownRef("node pool", id, model.Source{}))
	}
	for _, s := range nodes {
		p.Subjects++
		ref := ev.refs.Of(model.SelSubnet, s)
		g, ok := model.Get[*model.NSG](ev.e, s.NSG)
		switch {
		case s.NSG == "":
			p.Faults = append(p.Faults, configFault(CauseNodeNSG, ref, "properties.networkSecurityGroup", "nothing", "an NSG", s.Source, "attach an NSG with an outbound Deny"))
			continue
		case !ok:
			p.Verdict, p.Reason = ItemUnknown, s.NSG.ShortName()+" is not in the input"
			p.Faults = append(p.Faults, ev.unknownRef(ref, s.NSG, s.Source))
			continue
		}
		closed := false
		for _, r := range g.Rules {
			if r.Direction != model.Outbound || closed {
				continue
			}
			outside := r.DestAddrs.Any || leavesEstate(r.DestAddrs)
			switch {
			case r.Access == model.Deny:
				closed = (r.DestAddrs.Any || slices.ContainsFunc(r.DestAddrs.Tags, func(t string) bool { return strings.EqualFold(t, "Internet") })) && allPorts(r.DestPorts) && r.Protocol == model.AnyProtocol && (r.SourceAddrs.Any || coversAll(r.SourceAddrs, s)) && allPorts(r.SourcePorts)
				if closed {
					p.Facts = append(p.Facts, ref+": closed by "+g.Name()+"/"+r.Name+inBrackets(r.Source.String()))
				}
			case r.Default && r.Name == "AllowInternetOutBound":
				p.Faults = append(p.Faults, configFault(CauseNodeNSG, "nsg:"+g.Name(), "securityRules outbound", "no Deny before AllowInternetOutBound", "a Deny of every destination", g.Source, "add a Deny * outbound at 4096"))
			case r.Default || !outside:
			default:
				if extra := excess(r, wanted); extra != "" {
					f := configFault(CauseAllow, g.Name()+"/securityRules/"+r.Name, "destinationPortRanges", extra, portTextsOf(wanted), r.Source, "narrow the rule, or add the service to pci.nodeEgress")
					f.Subject = "nsg:" + g.Name() + "/" + r.Name
					p.Faults = append(p.Faults, f)
				}
			}
		}
	}
	if slices.ContainsFunc(p.Faults, func(f Fault) bool { return f.Cause.Class != CauseNoRef }) {
		p.Verdict, p.Reason = ItemFail, ""
	}
	return []Part{p.judged()}
}

// leavesEstate reports whether a destination may be on the internet: a public address, or a service tag other than VirtualNetwork.
func leavesEstate(m model.AddressMatch) bool {
	for _, t := range m.Tags {
		if !strings.EqualFold(t, "VirtualNetwork") && !strings.EqualFold(t, "AzureLoadBalancer") {
			return true
		}
	}
	for _, p := range m.Prefixes {
		if a := p.Addr(); p.Bits() == 0 || !a.IsPrivate() && !a.IsLinkLocalUnicast() && !a.IsLoopback() {
			return true
		}
	}
	return false
}

// coversAll reports whether the source of a rule holds every address of a subnet.
func coversAll(m model.AddressMatch, s *model.Subnet) bool {
	if slices.ContainsFunc(m.Tags, func(t string) bool { return strings.EqualFold(t, "VirtualNetwork") }) {
		return true
	}
	for _, p := range s.Prefixes {
		held := false
		for _, q := range m.Prefixes {
			held = held || q.Bits() <= p.Bits() && q.Contains(p.Addr())
		}
		if !held {
			return false
		}
	}
	return true
}

// excess is what a rule admits beyond some services; empty: nothing.
func excess(r model.SecurityRule, wanted []model.PortService) string {
	if r.Protocol == model.AnyProtocol {
		return "any protocol, " + strings.Join(portTexts(r.DestPorts), ", ")
	}
	if !r.Protocol.HasPorts() {
		return r.Protocol.String()
	}
	var out []string
	for _, p := range r.DestPorts {
		if !slices.ContainsFunc(wanted, func(w model.PortService) bool {
			return (w.Protocol == r.Protocol || w.IsAny()) && w.Ports.First <= p.First && p.Last <= w.Ports.Last
		}) {
			out = append(out, r.Protocol.String()+"/"+p.String())
		}
	}
	return strings.Join(out, ", ")
}

// podsRestrictedBothWays is 1.3.4-c.
func podsRestrictedBothWays(ev *Evidence) []Part {
	return ev.podsRestricted("policies limit what the pods of zones of kind cde and data accept and open", model.Inbound, model.Outbound)
}

// noPublicAddressesInScope is 1.3.4-e.
func noPublicAddressesInScope(ev *Evidence) []Part {
	p := Part{Statement: "public addresses in networks of kind cde or data are attached in subnets of the platform, of the DMZ, or in pci.publicIPSubnets"}
	nets := ev.scopeVNets()
	if len(nets) == 0 {
		return []Part{unknownPart(p.Statement, "no subnet of a zone of kind cde or data is in the input")}
	}
	p.Subjects = len(nets)
	var allowed []string
	for _, s := range ev.in.PCI.PublicIPSubnets {
		if found, err := ev.e.Find(s); err == nil {
			for _, f := range found {
				allowed = append(allowed, f.Resource.ResourceID().Key())
			}
		}
	}
	mine := func(id model.ID) (*model.Subnet, bool) {
		s, v := ev.e.SubnetOf(id)
		return s, s != nil && v != nil && slices.Contains(nets, v)
	}
	fine := func(s *model.Subnet) bool {
		if slices.Contains(allowed, s.ID.Key()) {
			return true
		}
		switch strings.ToLower(s.Name()) {
		case "azurefirewallsubnet", "azurefirewallmanagementsubnet", "azurebastionsubnet", "gatewaysubnet":
			return true
		}
		z, ok := ev.subnetZone(s)
		return ok && z.Kind == model.ZoneDMZ
	}
	judge := func(of string, id model.ID, what string, source model.Source) {
		s, ok := mine(id)
		switch {
		case !ok:
		case fine(s):
			p.Facts = append(p.Facts, of+": "+what+" in "+ev.refs.Of(model.SelSubnet, s))
		default:
			p.Faults = append(p.Faults, configFault(CausePublic, of, "publicIPAddress", what+" in "+ev.refs.Of(model.SelSubnet, s), "none there", source, "detach the address, or name the subnet in pci.publicIPSubnets"))
		}
	}
	for _, n := range ev.e.NICs {
		for _, c := range n.IPConfigs {
			if c.PublicIP != "" {
				judge(ev.refs.Of(model.SelNIC, n), c.Subnet, c.PublicIP.ShortName(), c.Source)
			}
		}
	}
	for _, x := range ev.pools() {
		if x.PublicIPs == model.On || x.PublicPrefix != "" {
			judge(ev.poolRef(x), x.Subnet, "an address for each node", x.Source)
		}
	}
	for _, v := range ev.e.ScaleSets {
		for _, f := range v.Profiles {
			for _, c := range f.IPConfigs {
				if !v.Managed && (f.PublicPerVM || c.PublicIP != "") {
					judge(ev.refs.Of(model.SelVM, v), c.Subnet, "an address for each instance", f.Source)
				}
			}
		}
	}
	for _, s := range ev.e.Subnets {
		if s.NATGateway == "" {
			continue
		}
		if _, ok := mine(s.ID); ok {
			g, found := model.Get[*model.NATGateway](ev.e, s.NATGateway)
			if !found {
				p.Verdict, p.Reason = ItemUnknown, s.NATGateway.ShortName()+" is not in the input"
				p.Faults = append(p.Faults, ev.unknownRef(ev.refs.Of(model.SelSubnet, s), s.NATGateway, s.Source))
				continue
			}
			if len(g.PublicIPs)+len(g.Prefixes) > 0 {
				judge(ev.refs.Of(model.SelSubnet, s), s.ID, "NAT gateway "+g.Name(), s.Source)
			}
		}
	}
	for _, g := range ev.e.AppGateways {
		for _, f := range g.Frontends {
			if f.PublicIP != "" && len(g.Subnets) > 0 {
				judge(ev.refs.Of(model.SelAppGateway, g), g.Subnets[0], f.PublicIP.ShortName(), g.Source)
			}
		}
	}
	for _, f := range ev.e.Firewalls {
		for _, id := range f.PublicIPs {
			judge(ev.refs.Of(model.SelFirewall, f), f.Subnet, id.ShortName(), f.Source)
		}
	}
	for _, b := range ev.e.Bastions {
		if b.PublicIP != "" {
			judge(ev.refs.Of(model.SelBastion, b), b.Subnet, b.PublicIP.ShortName(), b.Source)
		}
	}
	for _, f := range ev.publicFrontends() {
		p.Faults = append(p.Faults, configFault(CausePublic, f.name, "publicIPAddress", "a public frontend to nodes", "an internal one", sourceOfFrontend(f), "make the load balancer internal"))
	}
	for _, ip := range ev.e.PublicIPs {
		switch {
		case ip.AttachedTo == "":
			p.Notes = append(p.Notes, ip.Name()+" is attached to nothing")
		case !ev.knownAttachment(ip.AttachedTo):
			p.Verdict, p.Reason = ItemUnknown, ip.Name()+" is attached to "+ip.AttachedTo.ShortName()+", which is not in the input"
			p.Faults = append(p.Faults, ev.unknownRef(ip.Name(), ip.AttachedTo, ip.Source))
		}
	}
	if slices.ContainsFunc(p.Faults, func(f Fault) bool { return f.Cause.Class != CauseNoRef }) {
		p.Verdict, p.Reason = ItemFail, ""
	}
	return []Part{p.judged()}
}

func sourceOfFrontend(f frontend) model.Source {
	if f.service != nil {
		return f.service.Source
	}
	return f.front.Source
}

// knownAttachment reports whether the resource that an IP configuration belongs to is in the input.
func (ev *Evidence) knownAttachment(id model.ID) bool {
	for x := id; x != ""; x = x.Parent() {
		if _, ok := ev.e.Lookup(x); ok {
			return true
		}
	}
	// Configurations of scale sets, load balancers and gateways are read with their owner.
	key := id.Key()
	for _, r := range ev.e.Resources() {
		if strings.HasPrefix(key, r.ResourceID().Key()+"/") {
			return true
		}
	}
	return false
}

// monitoringByPrivateLink is 1.3.4-g.
func monitoringByPrivateLink(ev *Evidence) []Part {
	const statement = "the workspaces of the clusters' monitoring are in a private link scope with an approved private endpoint"
	p := Part{Statement: statement}
	judged, _ := ev.clusters()
	monitored := false
	for _, c := range judged {
		monitored = monitored || c.AddOns["omsagent"]
	}
	if !monitored && len(ev.in.PCI.Monitoring) == 0 {
		return []Part{ev.absent(statement, "monitoring", "no cluster of the input has the monitoring add-on")}
	}
	var workspaces, scopes []*model.Service
	for _, s := range ev.e.Services {
		switch s.Kind {
		case model.LogAnalytics:
			workspaces = append(workspaces, s)
		case model.MonitorScope:
			scopes = append(scopes, s)
		default:
		}
	}
	if len(workspaces) == 0 {
		u := unknownPart(statement, "the workspace that the clusters write to is not in the input")
		u.Faults = []Fault{{Cause: Cause{Class: CauseNoRef, Of: "Microsoft.OperationalInsights/workspaces"}, Text: u.Reason, Remedy: "add the workspace to the inputs"}}
		return []Part{u}
	}
	var parts []Part
	for _, w := range workspaces {
		p.Subjects++
		ref := ev.refs.Of(model.SelService, w)
		i := slices.IndexFunc(scopes, func(s *model.Service) bool {
			return slices.ContainsFunc(s.Scoped, func(id model.ID) bool { return id.Key() == w.ID.Key() })
		})
		if i < 0 {
			p.Faults = append(p.Faults, configFault(CauseSetting, ref, "privateLinkScopes/scopedResources", "in no scope of the input", "a private link scope", w.Source, "add the workspace to a private link scope"))
			continue
		}
		scope := scopes[i]
		p.Facts = append(p.Facts, ref+" is in "+ev.refs.Of(model.SelService, scope))
		if len(ev.endpointsOf(scope.ID)) == 0 {
			p.Faults = append(p.Faults, configFault(CauseSetting, ev.refs.Of(model.SelService, scope), "privateEndpointConnections", "no approved endpoint", "an approved private endpoint azuremonitor", scope.Source, "create a private endpoint of group azuremonitor"))
			continue
		}
		if !strings.EqualFold(scope.IngestionMode, "PrivateOnly") {
			p.Notes = append(p.Notes, ev.refs.Of(model.SelService, scope)+": ingestionAccessMode Open (AZ-AMPLS-02)")
		}
		if !strings.EqualFold(w.Public, "Disabled") {
			p.Notes = append(p.Notes, ref+": public network access is not disabled")
		}
		if nodes := ev.nodes(); len(nodes) > 0 {
			q := ev.must(nodes, []model.Selector{ev.sel(model.SelService, scope)}, services("tcp/443")...).said(len(nodes), "the nodes reach %s on tcp/443", ev.refs.Of(model.SelService, scope))
			parts = append(parts, q.remedied("allow the nodes to the endpoint, and link the zones of Azure Monitor"))
		}
	}
	if len(p.Faults) > 0 {
		p.Verdict = ItemFail
	}
	return append([]Part{p.judged()}, parts...)
}
