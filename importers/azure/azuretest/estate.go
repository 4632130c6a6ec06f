package azuretest

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// REST writes resources as the REST API prints them, in their order: subnets inside their VNets, rules inside their NSGs. It knows what
// modeltest.Scale makes; another type, or a setting that it does not write, panics.
func REST(resources []model.Resource) []any {
	w := writer{subnets: map[string][]any{}}
	for _, r := range resources {
		if s, ok := r.(*model.Subnet); ok {
			w.subnets[s.VNet.Key()] = append(w.subnets[s.VNet.Key()], w.subnet(s))
		}
	}
	var out []any
	for _, r := range resources {
		o, known := w.resource(r)
		if !known {
			panic(fmt.Sprintf("azuretest: %T is not written", r))
		}
		if o != nil {
			out = append(out, o)
		}
	}
	return out
}

type writer struct {
	subnets map[string][]any // of a VNet, by its key
	guid    int
}

// resource writes one resource; what stands inside another one is nil.
func (w *writer) resource(r model.Resource) (o Object, known bool) {
	switch r := r.(type) {
	case *model.VNet:
		var peerings []any
		for _, p := range r.Peerings {
			peerings = append(peerings, w.part(r.ID, "virtualNetworkPeerings", p.Name, Object{
				"peeringState": p.State, "peeringSyncLevel": "FullyInSync", "remoteVirtualNetwork": ref(p.Remote),
				"allowVirtualNetworkAccess": p.AllowVNetAccess == model.On, "allowForwardedTraffic": p.AllowForwarded == model.On,
				"allowGatewayTransit": p.AllowGatewayTransit == model.On, "useRemoteGateways": p.UseRemoteGateways == model.On,
				"doNotVerifyRemoteGateways": false, "peerCompleteVnets": p.CompleteVNets == model.On,
				"remoteAddressSpace":               Object{"addressPrefixes": texts(p.SyncedPrefixes)},
				"remoteVirtualNetworkAddressSpace": Object{"addressPrefixes": texts(p.RemotePrefixes)},
			}))
		}
		o = w.whole(r.Meta, Object{
			"addressSpace": Object{"addressPrefixes": texts(r.Prefixes)}, "privateEndpointVNetPolicies": "Disabled", "enableDdosProtection": false,
			"subnets": orEmpty(w.subnets[r.ID.Key()]), "virtualNetworkPeerings": orEmpty(peerings),
		})
	case *model.Subnet:
		// inside its VNet
	case *model.NSG:
		var custom, defaults []any
		for _, rule := range r.Rules {
			if rule.Default {
				defaults = append(defaults, w.rule(r.ID, "defaultSecurityRules", rule))
			} else {
				custom = append(custom, w.rule(r.ID, "securityRules", rule))
			}
		}
		o = w.whole(r.Meta, Object{"securityRules": orEmpty(custom), "defaultSecurityRules": orEmpty(defaults)})
	case *model.RouteTable:
		var routes []any
		for _, u := range r.Routes {
			routes = append(routes, w.part(r.ID, "routes", u.Name, Object{
				"addressPrefix": u.Prefix.String(), "nextHopType": string(u.NextHop), "nextHopIpAddress": u.Address.String(), "hasBgpOverride": false,
			}))
		}
		o = w.whole(r.Meta, Object{"disableBgpRoutePropagation": r.DisableBGP == model.On, "routes": orEmpty(routes)})
	case *model.NIC:
		var configs []any
		for _, c := range r.IPConfigs {
			configs = append(configs, w.part(r.ID, "ipConfigurations", c.Name, Object{
				"privateIPAddress": c.Address.String(), "privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4",
				"subnet": ref(c.Subnet), "primary": c.Primary,
			}))
		}
		o = w.whole(r.Meta, Object{
			"ipConfigurations": orEmpty(configs), "dnsSettings": Object{"dnsServers": []any{}, "appliedDnsServers": []any{}}, "macAddress": "00-0D-3A-00-00-01",
			"enableAcceleratedNetworking": true, "enableIPForwarding": r.IPForwarding == model.On, "vnetEncryptionSupported": false,
			"hostedWorkloads": []any{}, "tapConfigurations": []any{}, "nicType": "Standard", "auxiliaryMode": "None", "auxiliarySku": "None",
			"disableTcpStateTracking": false,
		})
	case *model.PublicIP:
		o = w.whole(r.Meta, Object{
			"ipAddress": r.Address.String(), "publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 4, "ipTags": []any{},
		})
		o["sku"] = Object{"name": r.SKU.String(), "tier": "Regional"}
	case *model.Firewall:
		o = w.firewall(r)
	default:
		return nil, false
	}
	return o, true
}

func (w *writer) subnet(s *model.Subnet) Object {
	p := Object{"addressPrefix": s.Prefixes[0].String(), "delegations": []any{}, "privateEndpointNetworkPolicies": s.EndpointPolicies.String(), "privateLinkServiceNetworkPolicies": "Enabled"}
	if s.NSG != "" {
		p["networkSecurityGroup"] = ref(s.NSG)
	}
	if s.RouteTable != "" {
		p["routeTable"] = ref(s.RouteTable)
	}
	return w.part(s.VNet, "subnets", s.Name(), p)
}

func (w *writer) rule(nsg model.ID, list string, r model.SecurityRule) Object {
	p := Object{
		"protocol": protocol(r.Protocol), "access": r.Access.String(), "priority": r.Priority, "direction": r.Direction.String(),
		"sourcePortRange": r.SourcePortText[0], "destinationPortRange": r.DestPortText[0], "sourcePortRanges": []any{}, "destinationPortRanges": []any{},
		"sourceAddressPrefix": addressText(r.SourceAddrs), "destinationAddressPrefix": addressText(r.DestAddrs), "sourceAddressPrefixes": []any{}, "destinationAddressPrefixes": []any{},
	}
	if r.Description != "" {
		p["description"] = r.Description
	}
	return w.part(nsg, list, r.Name, p)
}

func (w *writer) firewall(f *model.Firewall) Object {
	var collections []any
	for _, c := range f.Collections {
		var rules []any
		for _, r := range c.Rules {
			rules = append(rules, Object{
				"name": r.Name, "protocols": []any{"TCP"}, "sourceAddresses": texts(r.Sources.Prefixes), "destinationAddresses": texts(r.Dests.Prefixes),
				"sourceIpGroups": []any{}, "destinationIpGroups": []any{}, "destinationFqdns": []any{}, "destinationPorts": []any{r.Ports[0].String()},
			})
		}
		collections = append(collections, w.part(f.ID, "networkRuleCollections", c.Name, Object{
			"priority": c.Priority, "action": Object{"type": c.Access.String()}, "rules": orEmpty(rules),
		}))
	}
	var configs []any
	for i, id := range f.PublicIPs {
		p := Object{"privateIPAllocationMethod": "Dynamic", "publicIPAddress": ref(id)}
		if i == 0 {
			p["privateIPAddress"], p["subnet"] = f.Address.String(), ref(f.Subnet)
		}
		configs = append(configs, w.part(f.ID, "azureFirewallIpConfigurations", fmt.Sprintf("ipconfig%d", i), p))
	}
	return w.whole(f.Meta, Object{
		"sku": Object{"name": "AZFW_VNet", "tier": f.Tier}, "threatIntelMode": f.ThreatIntel, "ipConfigurations": configs, "additionalProperties": Object{},
		"networkRuleCollections": orEmpty(collections), "applicationRuleCollections": []any{}, "natRuleCollections": []any{},
	})
}

// whole writes the outside of a resource.
func (w *writer) whole(m model.Meta, properties Object) Object {
	properties["provisioningState"] = "Succeeded"
	w.guid++
	properties["resourceGuid"] = fmt.Sprintf("00000000-0000-4000-8000-%012d", w.guid)
	return Object{
		"name": m.ID.Name(), "id": string(m.ID), "etag": w.etag(), "type": m.ID.Type(), "location": m.Location, "properties": properties,
	}
}

// part writes a part of a resource.
func (w *writer) part(of model.ID, list, name string, properties Object) Object {
	properties["provisioningState"] = "Succeeded"
	id := of + model.ID("/"+list+"/"+name)
	return Object{"name": name, "id": string(id), "etag": w.etag(), "type": of.Type() + "/" + list, "properties": properties}
}

func (w *writer) etag() string { return fmt.Sprintf(`W/"00000000-0000-4000-9000-%012d"`, w.guid) }

func ref(id model.ID) Object { return Object{"id": string(id)} }

// orEmpty is a list that is `[]` when it is empty.
func orEmpty(items []any) []any {
	if items == nil {
		return []any{}
	}
	return items
}

func texts(prefixes []netip.Prefix) []any {
	out := []any{}
	for _, p := range prefixes {
		out = append(out, p.String())
	}
	return out
}

func addressText(m model.AddressMatch) string {
	switch {
	case m.Any:
		return "*"
	case len(m.Tags) > 0:
		return m.Tags[0]
	default:
		return m.Prefixes[0].String()
	}
}

func protocol(p model.Protocol) string {
	if p == model.AnyProtocol {
		return "*"
	}
	s := p.String()
	return strings.ToUpper(s[:1]) + s[1:]
}
