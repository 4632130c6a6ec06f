package azure

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readVirtualWAN reads a Virtual WAN (AZ-WAN-01).
func readVirtualWAN(r *resource) {
	is, at := decode[armnetwork.VirtualWAN](r, r.node)
	if is == nil {
		return
	}
	w := &model.VirtualWAN{Meta: r.meta()}
	if p := is.Properties; p != nil {
		w.Type, w.BranchToBranch = deref(p.Type), setting(p.AllowBranchToBranchTraffic)
		switch strings.ToLower(w.Type) {
		case "", "standard", "basic":
		default:
			r.fail(at.get("properties", "type"), "Standard or Basic")
		}
	}
	r.emit(w)
}

// readVirtualHub reads a virtual hub, or a Route Server, which is one without a WAN (AZ-WAN-01, AZ-RS-01).
func readVirtualHub(r *resource) {
	is, at := decode[armnetwork.VirtualHub](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.VirtualHubProperties{}
	}
	at = at.get("properties")
	peers := r.hubPeers()
	configs := items[armnetwork.HubIPConfiguration](r, nil, nil, "ipconfigurations")
	wan := r.reference(at, "virtualWan")
	if wan == "" && (len(configs) > 0 || strings.EqualFold(deref(is.Kind), "RouteServer") || len(p.IPConfigurations) > 0 || deref(p.AddressPrefix) == "" && strings.EqualFold(deref(p.SKU), "Standard")) {
		s := &model.RouteServer{Meta: r.meta(), BranchToBranch: setting(p.AllowBranchToBranchTraffic), Peers: peers}
		for _, c := range configs {
			if id := hubConfigSubnet(c); id != "" {
				s.Subnet = id
			}
		}
		if s.Subnet == "" {
			r.unsupported(r.node, "the subnet of the Route Server is in its ipConfigurations, which the input lacks (AZ-RS-02)")
		}
		r.emit(s)
		return
	}
	h := &model.VirtualHub{Meta: r.meta(), WAN: wan, Firewall: r.reference(at, "azureFirewall"), Peers: peers}
	if v := at.get("addressPrefix"); v != nil && v.raw.text != "" {
		h.Prefix, _ = r.prefix(v)
	}
	for _, name := range []string{"vpnGateway", "p2SVpnGateway", "expressRouteGateway"} {
		if id := r.reference(at, name); id != "" {
			h.Gateways = append(h.Gateways, id)
		}
	}
	h.Gateways = distinct(h.Gateways)
	r.emit(h)
}

// loneRouteServers reads Route Servers of which the input holds the IP configuration alone: where they are is known, what they do is not.
func (im *importer) loneRouteServers(parts map[string]map[string][]*resource) {
	seen := map[string]bool{}
	for _, r := range im.resources { // in the order of their source
		key := r.holder.Key()
		if lastSegment(r.kind.name) != "ipconfigurations" || !r.kind.alone || im.known[key] || seen[key] {
			continue
		}
		seen[key] = true
		r.children = parts[key]
		s := &model.RouteServer{Meta: model.Meta{ID: r.holder, Source: r.source(r.node)}, Peers: r.hubPeers()}
		for _, c := range items[armnetwork.HubIPConfiguration](r, nil, nil, "ipconfigurations") {
			if id := hubConfigSubnet(c); id != "" {
				s.Subnet = id
			}
		}
		if s.Subnet != "" { // a virtual hub of a WAN has none
			im.out = append(im.out, s)
		}
	}
}

// hubPeers reads the BGP connections of a hub or a Route Server. They are children that have no type of their own beside the hub's.
func (r *resource) hubPeers() []model.RoutePeer {
	var out []model.RoutePeer
	for _, s := range items[armnetwork.BgpConnection](r, nil, nil, "bgpconnections") {
		at := s.at.get("properties")
		if at == nil {
			s.missing(s.at, "properties", "the connection: a reference alone describes none")
			continue
		}
		_, name := s.part(s.at, "bgpConnections")
		out = append(out, model.RoutePeer{Name: name, Source: s.source(s.at.raw), Address: s.addr(at, "peerIp"), VNet: s.reference(at, "hubVirtualNetworkConnection")})
	}
	return merge(r, "bgpConnections", out, func(p model.RoutePeer) (string, model.Source) { return p.Name, p.Source })
}

func hubConfigSubnet(s item[armnetwork.HubIPConfiguration]) model.ID {
	return s.reference(s.at.get("properties"), "subnet")
}

// readHubConnection reads the connection of a VNet to a hub.
func readHubConnection(r *resource) {
	is, at := decode[armnetwork.HubVirtualNetworkConnection](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		r.missing(at, "properties", "the connection")
		return
	}
	at = at.get("properties")
	c := &model.HubConnection{Meta: r.meta(), Hub: r.id.Parent(), VNet: r.reference(at, "remoteVirtualNetwork"), InternetSecurity: setting(p.EnableInternetSecurity)}
	if c.VNet == "" {
		r.missing(at, "remoteVirtualNetwork", "the VNet that is connected")
	}
	c.Routing = r.hubRouting(at.get("routingConfiguration"))
	r.emit(c)
}

// hubRouting reads the routing configuration of a connection.
func (r *resource) hubRouting(at *value) model.HubRouting {
	var out model.HubRouting
	if at == nil {
		return out
	}
	out.Stated = true
	out.Associated = r.reference(at, "associatedRouteTable")
	out.Propagated = r.references(at, "propagatedRouteTables", "ids")
	for _, v := range at.list("propagatedRouteTables", "labels") {
		if v.raw.text != "" {
			out.Labels = append(out.Labels, v.raw.text)
		}
	}
	slices.SortFunc(out.Labels, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	for _, name := range []string{"inboundRouteMap", "outboundRouteMap"} {
		if id := r.reference(at, name); id != "" {
			out.Maps = append(out.Maps, id)
		}
	}
	routes := at.get("vnetRoutes")
	for _, v := range routes.list("staticRoutes") {
		s := model.HubStaticRoute{Name: v.text("name"), Source: r.source(v.raw), Prefixes: r.prefixes(v.list("addressPrefixes")), NextHop: r.addr(v, "nextHopIpAddress")}
		if !s.NextHop.IsValid() && v.text("nextHopIpAddress") == "" {
			r.missing(v, "nextHopIpAddress", "the address of an appliance in the VNet")
		}
		out.Static = append(out.Static, s)
	}
	if config := routes.get("staticRoutesConfig"); config != nil {
		if v := config.get("propagateStaticRoutes"); v != nil {
			out.PropagateStatic = model.SettingOf(v.raw.text == "true")
		}
		override, _ := choice(r, config, "vnetLocalRouteOverrideCriteria", armnetwork.PossibleVnetLocalRouteOverrideCriteriaValues())
		out.LocalOverride = string(override)
	}
	return out
}

// readHubRouteTable reads a route table of a hub (AZ-WAN-04).
func readHubRouteTable(r *resource) {
	is, at := decode[armnetwork.HubRouteTable](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.HubRouteTableProperties{}
	}
	at = at.get("properties")
	t := &model.HubRouteTable{Meta: r.meta(), Hub: r.id.Parent()}
	for _, l := range p.Labels {
		if text := deref(l); text != "" {
			t.Labels = append(t.Labels, text)
		}
	}
	slices.Sort(t.Labels)
	for _, v := range at.list("routes") {
		route := model.HubRoute{Name: v.text("name"), Source: r.source(v.raw)}
		kind := v.text("destinationType")
		switch strings.ToLower(kind) {
		case "cidr", "":
			route.Prefixes = r.prefixes(v.list("destinations"))
		default: // ResourceId, Service
			route.Unknown = "destinations of type " + kind
		}
		hop := v.get("nextHop")
		switch {
		case !strings.EqualFold(v.text("nextHopType"), "ResourceId") && v.text("nextHopType") != "":
			route.Unknown = "a next hop of type " + v.text("nextHopType")
		case hop == nil || hop.raw.text == "":
			r.missing(v, "nextHop", "a firewall or a connection, as an ID")
		default:
			route.NextHop = r.asID(hop)
		}
		t.Routes = append(t.Routes, route)
	}
	r.emit(t)
}

// readRoutingIntent reads the routing intent of a hub (AZ-WAN-03).
func readRoutingIntent(r *resource) {
	is, at := decode[armnetwork.RoutingIntent](r, r.node)
	if is == nil {
		return
	}
	in := &model.RoutingIntent{Meta: r.meta(), Hub: r.id.Parent()}
	for _, v := range at.list("properties", "routingPolicies") {
		policy := model.RoutingPolicy{Name: v.text("name"), Source: r.source(v.raw)}
		for _, d := range v.list("destinations") {
			switch strings.ToLower(d.raw.text) {
			case "internet":
				policy.Destinations = append(policy.Destinations, "Internet")
			case "privatetraffic":
				policy.Destinations = append(policy.Destinations, "PrivateTraffic")
			default:
				r.fail(d, "Internet or PrivateTraffic")
			}
		}
		if hop := v.get("nextHop"); hop != nil && hop.raw.text != "" {
			policy.NextHop = r.asID(hop)
		} else {
			r.missing(v, "nextHop", "the firewall that takes the traffic, as an ID")
		}
		in.Policies = append(in.Policies, policy)
	}
	r.emit(in)
}

// readVPNSite reads the far side of a hub's VPN connection.
func readVPNSite(r *resource) {
	is, at := decode[armnetwork.VPNSite](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	s := &model.VPNSite{Meta: r.meta(), Prefixes: r.prefixes(at.list("addressSpace", "addressPrefixes"))}
	if at.get("bgpProperties") != nil {
		s.BGP = model.On
	}
	for _, l := range at.list("vpnSiteLinks") {
		if l.get("properties", "bgpProperties") != nil {
			s.BGP = model.On
		}
	}
	r.emit(s)
}

// readHubVPN reads the VPN gateway of a hub with its connections.
func readHubVPN(r *resource) {
	is, at := decode[armnetwork.VPNGateway](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.VPNGatewayProperties{}
	}
	at = at.get("properties")
	g := &model.HubGateway{Meta: r.meta(), Kind: model.HubVPN, Hub: r.reference(at, "virtualHub")}
	for _, s := range items(r, p.Connections, at.list("connections"), "vpnconnections") {
		c := s.at.get("properties")
		if c == nil {
			s.missing(s.at, "properties", "the connection: a reference alone describes none")
			continue
		}
		id, name := s.part(s.at, "vpnConnections")
		state, _ := choice(s.resource, c, "connectionStatus", armnetwork.PossibleVPNConnectionStatusValues())
		b := model.HubBranch{
			ID: id, Name: name, Source: s.source(s.at.raw), Site: s.reference(c, "remoteVpnSite"), State: string(state), BGP: setting(s.is.Properties.EnableBgp),
			InternetSecurity: setting(s.is.Properties.EnableInternetSecurity), Routing: s.hubRouting(c.get("routingConfiguration")),
		}
		for _, l := range c.list("vpnLinkConnections") {
			l = l.get("properties")
			if v := l.get("enableBgp"); v != nil && b.BGP != model.On {
				b.BGP = model.SettingOf(v.raw.text == "true")
			}
			b.IngressNAT = append(b.IngressNAT, s.references(l, "ingressNatRules")...)
			b.EgressNAT = append(b.EgressNAT, s.references(l, "egressNatRules")...)
		}
		b.IngressNAT, b.EgressNAT = distinct(b.IngressNAT), distinct(b.EgressNAT)
		g.Connections = append(g.Connections, b)
	}
	g.Connections = merge(r, "connections", g.Connections, func(b model.HubBranch) (string, model.Source) { return b.Name, b.Source })
	for _, s := range items(r, p.NatRules, at.list("natRules"), "natrules") {
		id, name := s.part(s.at, "natRules")
		g.NATRules = append(g.NATRules, tunnelNAT(s.resource, s.at, id, name))
	}
	g.NATRules = merge(r, "natRules", g.NATRules, func(n model.GatewayNATRule) (string, model.Source) { return n.Name, n.Source })
	r.emit(g)
}

// tunnelNAT reads the properties of a NAT rule, of a VPN gateway or of a hub's (AZ-GW-12).
func tunnelNAT(r *resource, v *value, id model.ID, name string) model.GatewayNATRule {
	rule := model.GatewayNATRule{ID: id, Name: name, Source: r.source(v.raw)}
	at := v.get("properties")
	if at == nil {
		r.missing(v, "properties", "the rule: a reference alone describes none")
		return rule
	}
	mode, _ := required(r, at, "mode", armnetwork.PossibleVPNNatRuleModeValues())
	kind, _ := required(r, at, "type", armnetwork.PossibleVPNNatRuleTypeValues())
	rule.Mode, rule.Type = string(mode), string(kind)
	side := func(name string) (out []netip.Prefix) {
		for _, m := range at.list(name) {
			if v := m.get("addressSpace"); v != nil {
				if p, ok := r.prefix(v); ok {
					out = append(out, p)
				}
			}
		}
		return out
	}
	rule.Internal, rule.External = side("internalMappings"), side("externalMappings")
	return rule
}

// readHubClients reads the point-to-site gateway of a hub.
func readHubClients(r *resource) {
	is, at := decode[armnetwork.P2SVPNGateway](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	g := &model.HubGateway{Meta: r.meta(), Kind: model.HubClients, Hub: r.reference(at, "virtualHub")}
	for _, v := range at.list("p2SConnectionConfigurations") {
		id, name := r.part(v, "p2SConnectionConfigurations")
		c := v.get("properties")
		b := model.HubBranch{ID: id, Name: name, Source: r.source(v.raw), Pools: r.prefixes(c.list("vpnClientAddressPool", "addressPrefixes")), Routing: r.hubRouting(c.get("routingConfiguration"))}
		if s := c.get("enableInternetSecurity"); s != nil {
			b.InternetSecurity = model.SettingOf(s.raw.text == "true")
		}
		g.Connections = append(g.Connections, b)
	}
	r.emit(g)
}

// readHubExpressRoute reads the ExpressRoute gateway of a hub.
func readHubExpressRoute(r *resource) {
	is, at := decode[armnetwork.ExpressRouteGateway](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.ExpressRouteGatewayProperties{}
	}
	at = at.get("properties")
	g := &model.HubGateway{Meta: r.meta(), Kind: model.HubExpressRoute, Hub: r.reference(at, "virtualHub")}
	for _, s := range items(r, p.ExpressRouteConnections, at.list("expressRouteConnections"), "expressrouteconnections") {
		c := s.at.get("properties")
		if c == nil {
			s.missing(s.at, "properties", "the connection: a reference alone describes none")
			continue
		}
		id, name := s.part(s.at, "expressRouteConnections")
		g.Connections = append(g.Connections, model.HubBranch{
			ID: id, Name: name, Source: s.source(s.at.raw), Site: s.reference(c, "expressRouteCircuitPeering"), BGP: model.On,
			InternetSecurity: setting(s.is.Properties.EnableInternetSecurity), Routing: s.hubRouting(c.get("routingConfiguration")),
		})
	}
	g.Connections = merge(r, "expressRouteConnections", g.Connections, func(b model.HubBranch) (string, model.Source) { return b.Name, b.Source })
	r.emit(g)
}
