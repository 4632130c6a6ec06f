package azuretest

import (
	"strconv"
	"strings"
)

// LoadBalancer is a Standard load balancer, described line by line:
//
//	frontend f pip=NAME
//	frontend f net/subnet 10.0.0.9
//	member pool 10.0.0.4 net             (a member by address; NICs name pools themselves)
//	rule tcp f:443 -> pool:8443          (words after it: floating, nosnat, probe=NAME)
//	nat tcp f:2222 -> nic:22             (words after it: floating)
//	outbound f -> pool
//	probe p 8080
func LoadBalancer(name string, lines ...string) Resource {
	p := Object{"frontendIPConfigurations": []any{}, "backendAddressPools": []any{}, "loadBalancingRules": []any{}, "inboundNatRules": []any{}, "outboundRules": []any{}, "probes": []any{}}
	part := func(kind, n string, properties Object) Object {
		return Object{"name": n, "id": ID("loadBalancers/"+kind, name+"/"+n), "type": "Microsoft.Network/loadBalancers/" + kind, "properties": properties}
	}
	pools := map[string]Object{}
	pool := func(n string) Object {
		if pools[n] == nil {
			pools[n] = Object{}
			add(p, "backendAddressPools", part("backendAddressPools", n, pools[n]))
		}
		return Ref("loadBalancers/backendAddressPools", name+"/"+n)
	}
	frontend := func(n string) Object { return Ref("loadBalancers/frontendIPConfigurations", name+"/"+n) }
	for _, line := range lines {
		f := strings.Fields(line)
		bad := func() { panic("azuretest: load balancer line `" + line + "`") }
		if len(f) < 3 {
			bad()
		}
		switch f[0] {
		case "frontend":
			front := Object{"privateIPAllocationMethod": "Dynamic"}
			if pip, ok := strings.CutPrefix(f[2], "pip="); ok {
				front["publicIPAddress"] = Ref("publicIPAddresses", pip)
			} else {
				if len(f) < 4 {
					bad()
				}
				front["privateIPAllocationMethod"], front["privateIPAddress"], front["subnet"] = "Static", f[3], Object{"id": SubnetID(f[2])}
			}
			add(p, "frontendIPConfigurations", part("frontendIPConfigurations", f[1], front))
		case "member":
			if len(f) < 4 {
				bad()
			}
			pool(f[1])
			add(pools[f[1]], "loadBalancerBackendAddresses", Object{"name": f[2], "properties": Object{"ipAddress": f[2], "virtualNetwork": Ref("virtualNetworks", f[3])}})
		case "rule", "nat":
			if len(f) < 5 {
				bad()
			}
			front, port := target(f[2])
			back, backPort := target(f[4])
			r := Object{
				"frontendIPConfiguration": frontend(front), "frontendPort": port, "backendPort": backPort, "enableFloatingIP": false,
				"protocol": strings.ToUpper(f[1][:1]) + f[1][1:],
			}
			for _, word := range f[5:] {
				switch key, value := option(word); key {
				case "floating":
					r["enableFloatingIP"] = true
				case "nosnat":
					r["disableOutboundSnat"] = true
				case "probe":
					r["probe"] = Ref("loadBalancers/probes", name+"/"+value)
				default:
					bad()
				}
			}
			if f[0] == "rule" {
				r["backendAddressPool"] = pool(back)
				add(p, "loadBalancingRules", part("loadBalancingRules", front+strconv.Itoa(port), r))
				continue
			}
			r["backendIPConfiguration"] = Object{"id": ID("networkInterfaces/ipConfigurations", back+"/ip")}
			add(p, "inboundNatRules", part("inboundNatRules", front+strconv.Itoa(port), r))
		case "outbound":
			if len(f) < 4 {
				bad()
			}
			add(p, "outboundRules", part("outboundRules", f[1], Object{
				"frontendIPConfigurations": []any{frontend(f[1])}, "backendAddressPool": pool(f[3]), "protocol": "All", "allocatedOutboundPorts": 0,
			}))
		case "probe":
			port, err := strconv.Atoi(f[2])
			if err != nil {
				bad()
			}
			add(p, "probes", part("probes", f[1], Object{"protocol": "Tcp", "port": port, "intervalInSeconds": 5, "numberOfProbes": 1}))
		default:
			bad()
		}
	}
	r := New("loadBalancers", name, p)
	r["sku"] = Object{"name": "Standard", "tier": "Regional"}
	return r
}

// target reads `name:port`.
func target(text string) (string, int) {
	name, port, _ := strings.Cut(text, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		panic("azuretest: `" + text + "` is no name:port")
	}
	return name, n
}

// VPNGateway is a VPN gateway in the GatewaySubnet of a VNet. Options: bgp, pip=NAME, clients=PREFIXES (point-to-site address pool).
func VPNGateway(name, vnet string, options ...string) Resource {
	ip := Object{"privateIPAllocationMethod": "Dynamic", "subnet": Object{"id": SubnetID(vnet + "/GatewaySubnet")}}
	p := Object{
		"gatewayType": "Vpn", "vpnType": "RouteBased", "enableBgp": false, "activeActive": false, "sku": Object{"name": "VpnGw2", "tier": "VpnGw2", "capacity": 2},
		"ipConfigurations": []any{Object{"name": "ip", "id": ID("virtualNetworkGateways/ipConfigurations", name+"/ip"), "properties": ip}},
	}
	for _, word := range options {
		switch key, value := option(word); key {
		case "":
		case "bgp":
			p["enableBgp"] = true
		case "pip":
			ip["publicIPAddress"] = Ref("publicIPAddresses", value)
		case "clients":
			p["vpnClientConfiguration"] = Object{"vpnClientAddressPool": Object{"addressPrefixes": list(value)}, "vpnClientProtocols": []any{"OpenVPN"}, "vpnAuthenticationTypes": []any{"Certificate"}}
		default:
			unknownWord("a gateway", word)
		}
	}
	return New("virtualNetworkGateways", name, p)
}

// LocalGateway is the far side of a site-to-site connection.
func LocalGateway(name, prefixes string) Resource {
	return New("localNetworkGateways", name, Object{"localNetworkAddressSpace": Object{"addressPrefixes": list(prefixes)}, "gatewayIpAddress": "192.0.2.1"})
}

// Connection joins a gateway to `local:NAME` (IPsec) or `gateway:NAME` (VNet-to-VNet). Options: bgp, state=NotConnected.
func Connection(name, gateway, peer string, options ...string) Resource {
	p := Object{"connectionType": "IPsec", "virtualNetworkGateway1": Ref("virtualNetworkGateways", gateway), "connectionStatus": "Connected", "enableBgp": false}
	if local, ok := strings.CutPrefix(peer, "local:"); ok {
		p["localNetworkGateway2"] = Ref("localNetworkGateways", local)
	} else if far, isGateway := strings.CutPrefix(peer, "gateway:"); isGateway {
		p["connectionType"], p["virtualNetworkGateway2"] = "Vnet2Vnet", Ref("virtualNetworkGateways", far)
	} else {
		panic("azuretest: a connection leads to local:NAME or gateway:NAME, not `" + peer + "`")
	}
	for _, word := range options {
		switch key, value := option(word); key {
		case "":
		case "bgp":
			p["enableBgp"] = true
		case "state":
			p["connectionStatus"] = value
		default:
			unknownWord("a connection", word)
		}
	}
	return New("connections", name, p)
}

// Bastion is a Bastion host in a VNet's AzureBastionSubnet; one of SKU Developer has no subnet and no address. Tunnelling is off.
func Bastion(name, vnet, sku, public string) Resource {
	r := New("bastionHosts", name, Object{"enableTunneling": false, "enableIpConnect": false, "enableShareableLink": false})
	r["sku"] = Object{"name": sku}
	if sku == "Developer" {
		r.properties()["virtualNetwork"] = Ref("virtualNetworks", vnet)
		return r
	}
	r.properties()["ipConfigurations"] = []any{Object{"name": "ip", "properties": Object{
		"subnet": Object{"id": SubnetID(vnet + "/AzureBastionSubnet")}, "publicIPAddress": Ref("publicIPAddresses", public),
	}}}
	return r
}

// EndpointPolicy is a service endpoint policy with one definition for storage, which lists IDs or aliases.
func EndpointPolicy(name string, resources ...string) Resource {
	return New("serviceEndpointPolicies", name, Object{"serviceEndpointPolicyDefinitions": []any{Object{
		"name": "d", "id": ID("serviceEndpointPolicies/serviceEndpointPolicyDefinitions", name+"/d"), "type": "Microsoft.Network/serviceEndpointPolicies/serviceEndpointPolicyDefinitions",
		"properties": Object{"service": "Microsoft.Storage", "description": "", "serviceResources": resources},
	}}})
}

// StorageAccount is open to all networks.
func StorageAccount(name string) Resource {
	r := New("Microsoft.Storage/storageAccounts", name, Object{
		"publicNetworkAccess": "Enabled", "primaryEndpoints": Object{"blob": "https://" + name + ".blob.core.windows.net/"},
		"networkAcls": Object{"defaultAction": "Allow", "bypass": "AzureServices", "ipRules": []any{}, "virtualNetworkRules": []any{}},
	})
	r["kind"], r["sku"] = "StorageV2", Object{"name": "Standard_LRS"}
	return r
}

// NATRule adds a NAT rule to a VPN gateway: mode (IngressSnat, EgressSnat), type (Static, Dynamic), and its ranges, which commas separate.
func (r Resource) NATRule(name, mode, kind, internal, external string) Resource {
	side := func(text string) (out []any) {
		for _, x := range list(text) {
			out = append(out, Object{"addressSpace": x})
		}
		return out
	}
	add(r.properties(), "natRules", Object{
		"name": name, "id": ID("virtualNetworkGateways/natRules", r["name"].(string)+"/"+name), "type": "Microsoft.Network/virtualNetworkGateways/natRules",
		"properties": Object{"mode": mode, "type": kind, "internalMappings": side(internal), "externalMappings": side(external)},
	})
	return r
}

// NAT makes a connection list NAT rules of its gateway: `ingress=NAME`, `egress=NAME`.
func (r Resource) NAT(gateway string, rules ...string) Resource {
	for _, word := range rules {
		switch key, value := option(word); key {
		case "ingress", "egress":
			add(r.properties(), key+"NatRules", Ref("virtualNetworkGateways/natRules", gateway+"/"+value))
		default:
			unknownWord("a list of NAT rules", word)
		}
	}
	return r
}
