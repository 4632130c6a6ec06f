package azure

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readVNet reads a virtual network, its peerings, and the subnets inside it, which are resources of their own.
func readVNet(r *resource) {
	is, at := decode[armnetwork.VirtualNetwork](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.VirtualNetworkPropertiesFormat{}
	}
	at = at.get("properties")
	v := &model.VNet{Meta: r.meta(), Prefixes: r.blocks(at.list("addressSpace", "addressPrefixes"))}
	refused := at != nil && slices.Contains(at.refused, "addressSpace") || at.get("addressSpace") != nil && slices.Contains(at.get("addressSpace").refused, "addressPrefixes")
	if len(at.list("addressSpace", "addressPrefixes")) == 0 && !refused {
		r.missing(at, "addressSpace.addressPrefixes", "at least one address range")
	}
	v.DNSServers = r.addrs(at.list("dhcpOptions", "dnsServers"))
	if e := p.Encryption; e != nil && deref(e.Enabled) {
		if how, _ := choice(r, at.get("encryption"), "enforcement", armnetwork.PossibleVirtualNetworkEncryptionEnforcementValues()); how == armnetwork.VirtualNetworkEncryptionEnforcementDropUnencrypted {
			r.unsupported(at.get("encryption").raw, "machines that cannot encrypt are cut off; not modelled")
		}
	}
	v.Peerings = peerings(items(r, p.VirtualNetworkPeerings, at.list("virtualNetworkPeerings"), "virtualnetworkpeerings"))
	v.Peerings = merge(r, "virtualNetworkPeerings", v.Peerings, peeringName)
	for i, s := range at.list("subnets") {
		if i >= len(p.Subnets) {
			break
		}
		id, _ := r.part(s, "subnets")
		if p.Subnets[i].Properties == nil {
			r.claim(model.ClaimNamed, s.raw, id)
			continue
		}
		r.subnet(p.Subnets[i], s, id, model.Meta{ID: id, Source: r.partSource(s, id)})
	}
	r.emit(v)
}

// partSource is the source of a resource that stands inside another.
func (r *resource) partSource(at *value, id model.ID) model.Source {
	s := r.source(at.raw)
	s.Resource = id
	return s
}

func peeringName(p model.Peering) (string, model.Source) { return p.Name, p.Source }

// readSubnet reads a subnet that stands beside its VNet.
func readSubnet(r *resource) {
	is, at := decode[armnetwork.Subnet](r, r.node)
	if is == nil {
		return
	}
	if is.Properties == nil {
		r.missing(at, "properties", "the subnet: a reference alone describes none")
		return
	}
	r.subnet(is, at, r.id, model.Meta{ID: r.id, Source: r.source(r.node)})
}

func (r *resource) subnet(is *armnetwork.Subnet, at *value, id model.ID, meta model.Meta) {
	p := is.Properties
	at = at.get("properties")
	s := &model.Subnet{
		Meta: meta, VNet: id.Parent(), NSG: r.reference(at, "networkSecurityGroup"), RouteTable: r.reference(at, "routeTable"),
		NATGateway: r.reference(at, "natGateway"), DefaultOutbound: setting(p.DefaultOutboundAccess),
		ServicePolicies: r.references(at, "serviceEndpointPolicies"),
	}
	prefixes := both(at, "addressPrefix", "addressPrefixes")
	if len(prefixes) == 0 {
		r.missing(at, "addressPrefix", "an address range of the VNet")
	}
	s.Prefixes = r.blocks(prefixes)
	slices.SortFunc(s.Prefixes, comparePrefix)
	s.Prefixes = slices.Compact(s.Prefixes)
	policies, _ := choice(r, at, "privateEndpointNetworkPolicies", armnetwork.PossibleVirtualNetworkPrivateEndpointNetworkPoliciesValues())
	switch policies { // AZ-PE-03
	case armnetwork.VirtualNetworkPrivateEndpointNetworkPoliciesDisabled:
		s.EndpointPolicies = model.PoliciesDisabled
	case armnetwork.VirtualNetworkPrivateEndpointNetworkPoliciesNetworkSecurityGroupEnabled:
		s.EndpointPolicies = model.PoliciesNSG
	case armnetwork.VirtualNetworkPrivateEndpointNetworkPoliciesRouteTableEnabled:
		s.EndpointPolicies = model.PoliciesRouteTable
	case armnetwork.VirtualNetworkPrivateEndpointNetworkPoliciesEnabled:
		s.EndpointPolicies = model.PoliciesEnabled
	}
	for i, e := range p.ServiceEndpoints {
		v := at.get("serviceEndpoints").at(i)
		if deref(e.Service) == "" {
			r.missing(v, "service", "the service, such as Microsoft.Storage")
			continue
		}
		end := model.ServiceEndpoint{Service: deref(e.Service), State: string(deref(e.ProvisioningState)), Source: r.source(v.raw)}
		for _, l := range e.Locations {
			end.Locations = append(end.Locations, deref(l))
		}
		slices.Sort(end.Locations)
		s.ServiceEndpoints = append(s.ServiceEndpoints, end)
	}
	slices.SortStableFunc(s.ServiceEndpoints, func(a, b model.ServiceEndpoint) int { return cmp.Compare(a.Service, b.Service) })
	for _, d := range p.Delegations {
		if d.Properties != nil && deref(d.Properties.ServiceName) != "" {
			s.Delegations = append(s.Delegations, deref(d.Properties.ServiceName))
		}
	}
	slices.Sort(s.Delegations)
	s.Delegations = slices.Compact(s.Delegations)
	r.emit(s)
}

func comparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// peerings reads one side of peerings (AZ-PEER-01).
func peerings(list []item[armnetwork.VirtualNetworkPeering]) (out []model.Peering) {
	for _, s := range list {
		p := s.is.Properties
		at := s.at.get("properties")
		if p == nil {
			s.missing(s.at, "properties", "the peering: a reference alone describes none")
			continue
		}
		_, name := s.part(s.at, "virtualNetworkPeerings")
		peering := model.Peering{
			Name: name, Source: s.source(s.at.raw), Remote: s.reference(at, "remoteVirtualNetwork"),
			AllowVNetAccess: setting(p.AllowVirtualNetworkAccess), AllowForwarded: setting(p.AllowForwardedTraffic),
			AllowGatewayTransit: setting(p.AllowGatewayTransit), UseRemoteGateways: setting(p.UseRemoteGateways),
			RemotePrefixes: s.prefixes(at.list("remoteVirtualNetworkAddressSpace", "addressPrefixes")),
			SyncedPrefixes: s.prefixes(at.list("remoteAddressSpace", "addressPrefixes")),
			CompleteVNets:  setting(p.PeerCompleteVnets), LocalSubnets: names(p.LocalSubnetNames), RemoteSubnets: names(p.RemoteSubnetNames),
			OnlyIPv6: setting(p.EnableOnlyIPv6Peering),
		}
		state, _ := choice(s.resource, at, "peeringState", armnetwork.PossibleVirtualNetworkPeeringStateValues())
		peering.State = string(state)
		if peering.Remote == "" {
			s.missing(at, "remoteVirtualNetwork", "the other VNet, as an object with `id`")
			continue
		}
		// AZ-WAN-05: the platform's side of a connection to a virtual hub; the other VNet is Microsoft's.
		peering.Hub = strings.HasPrefix(strings.ToLower(name), "remotevnettohubpeering_") || strings.Contains(peering.Remote.Key(), "/virtualhubs/")
		if peering.Remote.Key() == s.holder.Key() {
			s.fail(at.get("remoteVirtualNetwork", "id"), "another VNet than its own")
			continue
		}
		out = append(out, peering)
	}
	return out
}

// names copies a list of texts, sorted.
func names(list []*string) (out []string) {
	for _, s := range list {
		out = append(out, deref(s))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// typePeering is a part of a VNet that means something without it.
const typePeering = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"

// lonePeerings gives a partial VNet to peerings and subnets whose VNet the input lacks. It holds what they say, and says that it is
// partial.
func (im *importer) lonePeerings(parts map[string]map[string][]*resource) {
	partial := map[string]*model.VNet{}
	for _, o := range im.out {
		if v, ok := o.(*model.VNet); ok && v.Partial {
			partial[v.ID.Key()] = v
		}
	}
	add := func(id model.ID, src model.Source) *model.VNet {
		v := partial[id.Key()]
		if v == nil {
			v = &model.VNet{Meta: model.Meta{ID: id, Source: src}, Partial: true}
			partial[id.Key()] = v
			im.out = append(im.out, v)
		}
		return v
	}
	for _, r := range im.resources { // in the order of their source
		id := r.holder
		if r.kind.name == typePeering && !im.known[id.Key()] && partial[id.Key()] == nil {
			v := add(id, r.source(r.node))
			r.children = parts[id.Key()]
			v.Peerings = merge(r, "virtualNetworkPeerings", peerings(items[armnetwork.VirtualNetworkPeering](r, nil, nil, "virtualnetworkpeerings")), peeringName)
		}
	}
	bySource := slices.Clone(im.out)
	slices.SortStableFunc(bySource, func(a, b model.Resource) int { return a.Origin().Compare(b.Origin()) })
	for _, o := range bySource {
		if s, ok := o.(*model.Subnet); ok && s.VNet != "" && !im.known[s.VNet.Key()] {
			add(s.VNet, s.Source)
		}
	}
}
