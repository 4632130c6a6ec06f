package azure

import (
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readGateway reads a VPN or ExpressRoute gateway (AZ-GW-01 to AZ-GW-12).
func readGateway(r *resource) {
	is, at := decode[armnetwork.VirtualNetworkGateway](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.VirtualNetworkGatewayPropertiesFormat{}
	}
	at = at.get("properties")
	g := &model.Gateway{
		Meta: r.meta(), BGP: setting(p.EnableBgp), AllowRemoteVNet: setting(p.AllowRemoteVnetTraffic),
		AllowVirtualWAN: setting(p.AllowVirtualWanTraffic), CustomRoutes: r.prefixes(at.list("customRoutes", "addressPrefixes")),
	}
	switch kind, _ := required(r, at, "gatewayType", armnetwork.PossibleVirtualNetworkGatewayTypeValues()); kind {
	case armnetwork.VirtualNetworkGatewayTypeVPN:
		g.Kind = model.VPNGateway
	case armnetwork.VirtualNetworkGatewayTypeExpressRoute:
		g.Kind = model.ExpressRouteGateway
	case armnetwork.VirtualNetworkGatewayTypeLocalGateway:
		r.unsupported(at.get("gatewayType").raw, "a gateway of an edge zone is not modelled")
	}
	for _, v := range at.list("ipConfigurations") {
		c := v.get("properties")
		if s := r.reference(c, "subnet"); s != "" {
			g.Subnet = s
		}
		if id := r.reference(c, "publicIPAddress"); id != "" {
			g.PublicIPs = append(g.PublicIPs, id)
		}
	}
	g.PublicIPs = distinct(g.PublicIPs)
	if g.DefaultSite = r.reference(at, "gatewayDefaultSite"); g.DefaultSite != "" {
		g.AdvertisedDefault = model.On // forced tunnelling: 0.0.0.0/0 leads to that site (AZ-GW-08)
	}
	if c := at.get("vpnClientConfiguration"); c != nil { // AZ-GW-04
		g.ClientPools = r.prefixes(c.list("vpnClientAddressPool", "addressPrefixes"))
		for _, group := range c.list("vngClientConnectionConfigurations") {
			g.ClientPools = append(g.ClientPools, r.prefixes(group.list("properties", "vpnClientAddressPool", "addressPrefixes"))...)
		}
		slices.SortFunc(g.ClientPools, comparePrefix)
		g.ClientPools = slices.Compact(g.ClientPools)
		g.ClientProtocols, g.ClientAuth = spoken(c.list("vpnClientProtocols")), spoken(c.list("vpnAuthenticationTypes"))
	}
	for _, s := range items(r, p.NatRules, at.list("natRules"), "natrules") {
		id, name := s.part(s.at, "natRules")
		g.NATRules = append(g.NATRules, tunnelNAT(s.resource, s.at, id, name))
	}
	g.NATRules = merge(r, "natRules", g.NATRules, func(n model.GatewayNATRule) (string, model.Source) { return n.Name, n.Source })
	r.emit(g)
}

// readLocalGateway reads the far side of a site-to-site connection.
func readLocalGateway(r *resource) {
	is, at := decode[armnetwork.LocalNetworkGateway](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	g := &model.LocalNetworkGateway{Meta: r.meta(), Prefixes: r.prefixes(at.list("localNetworkAddressSpace", "addressPrefixes"))}
	if at.get("bgpSettings") != nil {
		g.BGP = model.On
	}
	r.emit(g)
}

// readConnection reads a connection of a gateway. Its shared key is dropped before anyone sees it.
func readConnection(r *resource) {
	is, at := decode[armnetwork.VirtualNetworkGatewayConnection](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		r.missing(at, "properties", "the connection")
		return
	}
	at = at.get("properties")
	kind, _ := required(r, at, "connectionType", armnetwork.PossibleVirtualNetworkGatewayConnectionTypeValues())
	state, _ := choice(r, at, "connectionStatus", armnetwork.PossibleVirtualNetworkGatewayConnectionStatusValues())
	c := &model.Connection{
		Meta: r.meta(), Kind: string(kind), Gateway: r.reference(at, "virtualNetworkGateway1"), State: string(state),
		BGP: setting(p.EnableBgp), IngressNAT: r.references(at, "ingressNatRules"), EgressNAT: r.references(at, "egressNatRules"),
		FastPath: setting(p.ExpressRouteGatewayBypass),
	}
	if c.Gateway == "" {
		r.missing(at, "virtualNetworkGateway1", "the gateway of the connection, as an object with `id`")
	}
	for _, name := range []string{"virtualNetworkGateway2", "localNetworkGateway2", "peer"} {
		if id := r.reference(at, name); id != "" {
			c.Peer = id
		}
	}
	r.emit(c)
}

// readBastion reads a Bastion host (AZ-BAS-01 to AZ-BAS-05).
func readBastion(r *resource) {
	is, at := decode[armnetwork.BastionHost](r, r.node)
	if is == nil {
		return
	}
	b := &model.Bastion{Meta: r.meta()}
	if is.SKU != nil {
		name, _ := choice(r, at.get("sku"), "name", armnetwork.PossibleBastionHostSKUNameValues())
		b.SKU = string(name)
	}
	if p := is.Properties; p != nil {
		at = at.get("properties")
		b.VNet = r.reference(at, "virtualNetwork")
		b.Tunneling, b.IPConnect, b.Shareable = setting(p.EnableTunneling), setting(p.EnableIPConnect), setting(p.EnableShareableLink)
		for _, v := range at.list("ipConfigurations") {
			c := v.get("properties")
			if s := r.reference(c, "subnet"); s != "" {
				b.Subnet = s
			}
			if id := r.reference(c, "publicIPAddress"); id != "" {
				b.PublicIP = id
			}
		}
	}
	r.emit(b)
}
