package solver

import (
	"net/netip"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// The cases in which the engines differed in runs over many seeds.
func TestFoundByLongRuns(t *testing.T) {
	vnet := func(name, location, prefix string) *model.VNet {
		v := &model.VNet{Meta: smallMeta("virtualNetworks/" + name), Prefixes: cidrs(prefix)}
		v.Location = location
		return v
	}
	subnet := func(path, prefix string) *model.Subnet {
		s := &model.Subnet{Meta: smallMeta("virtualNetworks/" + path), Prefixes: cidrs(prefix), DefaultOutbound: model.On}
		s.VNet = s.ID.Parent()
		return s
	}
	peered := func(v *model.VNet, with string) *model.VNet {
		v.Peerings = []model.Peering{{Name: "p", Remote: smallID("virtualNetworks/" + with)}}
		return v
	}
	nic := func(name, subnet, address, vm string) *model.NIC {
		n := &model.NIC{Meta: smallMeta("networkInterfaces/" + name), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/" + subnet), Address: ip(address), Primary: true}}}
		if vm != "" {
			n.VM = smallID("virtualMachines/" + vm)
		}
		return n
	}
	lb := smallID("loadBalancers/lb")
	pool, front := lb+"/backendAddressPools/p", lb+"/frontendIPConfigurations/f"
	balancer := func(sku model.SKU) *model.LoadBalancer {
		return &model.LoadBalancer{
			Meta: smallMeta("loadBalancers/lb"), SKU: sku, Frontends: []model.LBFrontend{{ID: front, Name: "f", Subnet: smallID("virtualNetworks/b/subnets/s"), Address: ip("10.0.1.5")}},
			Pools: []model.LBPool{{ID: pool, Name: "p"}}, Rules: []model.LBRule{{ID: lb + "/loadBalancingRules/r", Name: "r", Frontend: front, Pools: []model.ID{pool}, Protocol: model.TCP, FrontendPort: 443, BackendPort: 443}},
		}
	}
	pooled := func(n *model.NIC) *model.NIC { n.IPConfigs[0].LBPools = []model.ID{pool}; return n }
	a, b := subnet("a/subnets/s", "10.0.0.0/29"), subnet("b/subnets/s", "10.0.1.0/29")
	manager := &model.NetworkManager{Meta: smallMeta("networkManagers/m"), Accesses: []string{"Connectivity"}}
	vpn := func(bgp model.Setting) small {
		c := &model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: smallID("virtualNetworkGateways/vpn"), Peer: smallID("localNetworkGateways/site"), State: "Connected", BGP: bgp}
		return small{
			vnet("a", "", "10.0.0.0/24"), subnet("a/subnets/GatewaySubnet", "10.0.0.0/27"),
			&model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: smallID("virtualNetworks/a/subnets/GatewaySubnet"), ClientPools: cidrs("172.16.0.0/29"), CustomRoutes: cidrs("192.168.0.0/24")},
			&model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("192.168.0.0/24")}, c,
		}
	}
	// Two gateways with BGP between them, of which the far one has a default site.
	forced := func() small {
		gateway := func(name, vnet string) *model.Gateway {
			return &model.Gateway{Meta: smallMeta("virtualNetworkGateways/" + name), Kind: model.VPNGateway, Subnet: smallID("virtualNetworks/" + vnet + "/subnets/GatewaySubnet")}
		}
		far := gateway("far", "b")
		far.DefaultSite = smallID("localNetworkGateways/site")
		line := func(name string, kind string, peer model.ID) *model.Connection {
			return &model.Connection{Meta: smallMeta("connections/" + name), Kind: kind, Gateway: far.ID, Peer: peer, State: "Connected", BGP: model.On}
		}
		near := gateway("near", "a")
		return small{
			vnet("a", "", "10.0.0.0/24"), vnet("b", "", "10.0.1.0/24"), subnet("a/subnets/s", "10.0.0.0/29"), subnet("a/subnets/GatewaySubnet", "10.0.0.32/27"), subnet("b/subnets/GatewaySubnet", "10.0.1.32/27"),
			near, far, &model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("172.16.0.0/12")},
			line("line", "IPsec", far.DefaultSite), line("across", "Vnet2Vnet", near.ID), nic("n", "a/subnets/s", "10.0.0.4", ""),
		}
	}
	workload := func(name, address string) *model.Workload {
		return &model.Workload{
			Meta: model.Meta{ID: model.Kubernetes("aks", "Deployment", "x", name)}, Cluster: smallID("managedClusters/aks"), Namespace: "x", Kind: "Deployment",
			NodeSelector: map[string]string{"agentpool": "pool-" + name}, Addresses: []netip.Addr{ip(address)},
		}
	}
	cluster := &model.Cluster{
		Meta: smallMeta("managedClusters/aks"), NodeGroup: "nodes", Plugin: "azure", Policy: "calico",
		Pools: []model.NodePool{{Name: "pool-v", Subnet: a.ID}, {Name: "pool-w", Subnet: a.ID}},
	}
	masquerade := []model.LedgerEntry{{
		Resource: model.Kubernetes("aks", "ConfigMap", "kube-system", "azure-ip-masq-agent-config"), Type: "v1/ConfigMap", Disposition: model.Unsupported, Role: model.Adds, Affects: []model.ID{cluster.ID},
	}}
	apart := small{vnet("a", "westeurope", "10.0.0.0/24"), vnet("b", "northeurope", "10.0.1.0/24"), a, b, balancer(model.Basic), pooled(nic("n", "b/subnets/s", "10.0.1.4", ""))}
	oneRegion := small{peered(vnet("a", "West Europe", "10.0.0.0/24"), "b"), peered(vnet("b", "westeurope", "10.0.1.0/24"), "a"), a, b, balancer(model.Basic), pooled(nic("n", "b/subnets/s", "10.0.1.4", ""))}
	// A gateway whose default site's connection lists a NAT rule that the input lacks.
	lacking := func() small {
		g := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: smallID("virtualNetworks/a/subnets/GatewaySubnet"), DefaultSite: smallID("localNetworkGateways/site")}
		return small{
			vnet("a", "", "10.0.0.0/24"), subnet("a/subnets/s", "10.0.0.0/29"), subnet("a/subnets/GatewaySubnet", "10.0.0.32/27"), nic("n", "a/subnets/s", "10.0.0.4", ""), g,
			&model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("172.16.0.0/12")},
			&model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: g.ID, Peer: g.DefaultSite, State: "Connected", IngressNAT: []model.ID{g.ID + "/natRules/gone"}},
		}
	}
	// A site behind a gateway claims the address of an endpoint that is not approved, in a VNet to which a peering of IPv6 alone leads.
	pending := func() small {
		six := func(v *model.VNet) *model.VNet { v.Peerings[0].OnlyIPv6 = model.On; return v }
		return small{
			six(peered(vnet("a", "", "10.0.0.0/24"), "b")), six(peered(vnet("b", "", "10.0.1.0/24"), "a")), a, b, nic("n", "a/subnets/s", "10.0.0.4", ""), subnet("a/subnets/GatewaySubnet", "10.0.0.32/27"),
			&model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: smallID("virtualNetworks/a/subnets/GatewaySubnet")},
			&model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("10.0.1.0/29")},
			&model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: smallID("virtualNetworkGateways/vpn"), Peer: smallID("localNetworkGateways/site"), State: "Connected"},
			&model.PrivateEndpoint{Meta: smallMeta("privateEndpoints/pe"), Subnet: b.ID, Addresses: []netip.Addr{ip("10.0.1.4")}, State: "Pending"},
		}
	}
	// A site behind a gateway claims the addresses of a VNet with a load balancer, and of its member.
	claimed := func(member ...model.Resource) small {
		x := balancer(model.Standard)
		x.Frontends[0].Subnet, x.Frontends[0].Address = smallID("virtualNetworks/a/subnets/f"), ip("10.0.0.68")
		if len(member) == 0 {
			x.Pools[0].Addresses = []model.LBAddress{{VNet: smallID("virtualNetworks/a"), Address: ip("10.0.0.4")}}
		}
		return append(
			small{
				vnet("a", "", "10.0.0.0/24"), subnet("a/subnets/s", "10.0.0.0/29"), subnet("a/subnets/f", "10.0.0.64/29"), subnet("a/subnets/GatewaySubnet", "10.0.0.32/27"), x,
				&model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: smallID("virtualNetworks/a/subnets/GatewaySubnet")},
				&model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("10.0.0.0/23")},
				&model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: smallID("virtualNetworkGateways/vpn"), Peer: smallID("localNetworkGateways/site"), State: "Connected"},
			}, member...,
		)
	}
	instances := &model.ScaleSet{Meta: smallMeta("virtualMachineScaleSets/ss"), Profiles: []model.NICProfile{{
		Name: "n", IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/a/subnets/s"), Primary: true, LBPools: []model.ID{pool}}},
	}}}
	// A site that speaks BGP, and a firewall to which GatewaySubnet sends what is for a part of it. Routes of BGP may lead from there to the gateway.
	hairpin := func() small {
		s := subnet("a/subnets/GatewaySubnet", "10.0.0.32/27")
		s.RouteTable = smallID("routeTables/t")
		g := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: s.ID}
		any := model.AddressMatch{Any: true}
		return small{
			vnet("a", "", "10.0.0.0/24"), s, subnet("a/subnets/AzureFirewallSubnet", "10.0.0.64/26"), g,
			&model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: []model.UserRoute{{Name: "r", Prefix: cidrs("10.8.0.0/29")[0], NextHop: model.HopAppliance, Address: ip("10.0.0.68")}}},
			&model.Firewall{Meta: smallMeta("azureFirewalls/fw"), Subnet: smallID("virtualNetworks/a/subnets/AzureFirewallSubnet"), Address: ip("10.0.0.68"), Collections: []model.RuleCollection{{
				Name: "c", Kind: model.NetworkRules, Access: model.Allow, Rules: []model.FirewallRule{{Name: "r", Sources: any, Dests: any, Protocols: []model.Protocol{model.TCP}, Ports: []model.PortRange{model.AllPorts}}},
			}}},
			&model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("10.8.1.0/24")},
			&model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: g.ID, Peer: smallID("localNetworkGateways/site"), State: "Connected", BGP: model.On},
		}
	}
	for _, test := range []struct {
		name                 string
		estate               small
		ledger               []model.LedgerEntry
		from, src, dst, want string
		at                   string
	}{
		{
			"AKS-NET-03: a configuration of ip-masq-agent may hide pods from pods of other nodes",
			small{vnet("a", "", "10.0.0.0/24"), a, cluster, workload("v", "10.0.0.4"), workload("w", "10.0.0.5")},
			masquerade,
			"pod v pool-v", "10.0.0.4", "10.0.0.5", "over", "pod w pool-w",
		},
		{
			"AKS-NET-01: without one a pod shows its address in the VNet",
			small{vnet("a", "", "10.0.0.0/24"), a, cluster, workload("v", "10.0.0.4"), workload("w", "10.0.0.5")},
			nil,
			"pod v pool-v", "10.0.0.4", "10.0.0.5", "over one-way session", "pod w pool-w",
		},
		{
			"AZ-LB-11: the member is another NIC of the sender's VM",
			small{peered(vnet("a", "", "10.0.0.0/24"), "b"), peered(vnet("b", "", "10.0.1.0/24"), "a"), a, b, balancer(model.Standard), nic("m", "a/subnets/s", "10.0.0.4", "vm"), pooled(nic("n", "a/subnets/s", "10.0.0.5", "vm"))},
			nil,
			"nic m a", "10.0.0.4", "10.0.1.5", "over", "nic n a",
		},
		{
			"AZ-LB-01: the member is another VM",
			small{peered(vnet("a", "", "10.0.0.0/24"), "b"), peered(vnet("b", "", "10.0.1.0/24"), "a"), a, b, balancer(model.Standard), nic("m", "a/subnets/s", "10.0.0.4", "vm"), pooled(nic("n", "a/subnets/s", "10.0.0.5", "other"))},
			nil,
			"nic m a", "10.0.0.4", "10.0.1.5", "over one-way session", "nic n a",
		},
		{
			"AZ-LB-11: a site that holds the member's address, too, shows it its own", claimed(pooled(nic("n", "a/subnets/s", "10.0.0.4", ""))), nil,
			"far side vpn line", "10.0.0.4", "10.0.0.68", "over", "nic n a",
		},
		{
			"AZ-LB-11: and by another address another machine", claimed(pooled(nic("n", "a/subnets/s", "10.0.0.4", ""))), nil,
			"far side vpn line", "10.0.1.4", "10.0.0.68", "over one-way session", "nic n a",
		},
		{"AZ-LB-11: likewise an instance, which may have any address of the subnet", claimed(instances), nil, "far side vpn line", "10.0.0.5", "10.0.0.68", "over", "scale set ss a"},
		{"AZ-LB-11: and none of another one", claimed(instances), nil, "far side vpn line", "10.0.1.4", "10.0.0.68", "over one-way session", "scale set ss a"},
		{"AZ-LB-11: likewise a machine to come", claimed(), nil, "far side vpn line", "10.0.0.4", "10.0.0.68", "over", "subnet a/s "},
		{"AZ-RT-12: what a firewall brings back to a gateway may leave by the connection that it came by", hairpin(), nil, "far side vpn line", "10.8.1.4", "10.8.0.4", "over", "far side vpn line"},
		{"AZ-GW-04: a site that custom routes lead to may have no route back to the clients", vpn(model.Off), nil, "far side vpn p2s", "172.16.0.2", "192.168.0.9", "over one-way", "far side vpn line"},
		{"AZ-GW-04: by BGP it has", vpn(model.On), nil, "far side vpn p2s", "172.16.0.2", "192.168.0.9", "over one-way session", "far side vpn line"},
		{"AZ-GW-08: BGP may announce the default route of a default site to another gateway", forced(), nil, "nic n a", "10.0.0.4", "20.3.0.9", "over", "far side far line"},
		{"AZ-GW-08: and may not", forced(), nil, "nic n a", "10.0.0.4", "20.3.0.9", "over", "internet  "},
		{"AZ-GW-12: what a NAT rule does that the input lacks is not known, by the default site's route too", lacking(), nil, "nic n a", "10.0.0.4", "20.3.0.9", "over", "far side vpn line"},
		{"AZ-GW-12: and that route leaves nothing to the internet", lacking(), nil, "nic n a", "10.0.0.4", "20.3.0.9", "", "internet  "},
		{"AZ-PE-01: whether an endpoint that is not approved has its route is not known", pending(), nil, "nic n a", "10.0.0.4", "10.0.1.4", "over", "far side vpn line"},
		{"AZ-PEER-13: a group between regions may lead to a Basic frontend", append(small{manager}, apart...), nil, "subnet a/s ", "10.0.0.4", "10.0.1.5", "over", "nic n a"},
		{"AZ-PEER-13: without a group nothing does", apart, nil, "subnet a/s ", "10.0.0.4", "10.0.1.5", "", "nic n a"},
		{"AZ-PEER-13: a region is one however it is written", oneRegion, nil, "subnet a/s ", "10.0.0.4", "10.0.1.5", "over one-way session", "nic n a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(modeltest.Draft{Resources: test.estate, Ledger: test.ledger}.Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := trace.Packet{Src: ip(test.src), Dst: ip(test.dst), Protocol: model.TCP, SPort: 50000, DPort: 443}
			j.holdsFrom(t, test.from, p, test.at, test.want)
		})
	}
}

// A public frontend whose address the input does not state lies in no prefix of the input, so that it is among what is left of the internet where
// prefixes are cut out of it: by the public range of a site, at a gateway with a default site and in the Internet tag (K8S-SVC-11, AZ-TAG-06).
func TestUnnamedFrontend(t *testing.T) {
	subnet := func(path, prefix string) *model.Subnet {
		s := &model.Subnet{Meta: smallMeta("virtualNetworks/" + path), Prefixes: cidrs(prefix), DefaultOutbound: model.On}
		s.VNet = s.ID.Parent()
		return s
	}
	svc := &model.KubeService{
		Meta: model.Meta{ID: model.Kubernetes("aks", "Service", "x", "web")}, Cluster: smallID("managedClusters/aks"), Namespace: "x", Type: "LoadBalancer",
		Ports: []model.ServicePort{{Name: "p", Port: 443, Protocol: model.TCP, NodePort: 30443}},
	}
	estate := func(forced bool) small {
		from := subnet("a/subnets/s", "10.0.0.0/29")
		from.NSG = smallID("networkSecurityGroups/n")
		gw := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: smallID("virtualNetworks/a/subnets/GatewaySubnet")}
		out := small{
			&model.VNet{Meta: smallMeta("virtualNetworks/a"), Prefixes: cidrs("10.0.0.0/24")}, &model.VNet{Meta: smallMeta("virtualNetworks/b"), Prefixes: cidrs("10.0.1.0/24")},
			from, subnet("a/subnets/GatewaySubnet", "10.0.0.32/27"), subnet("b/subnets/s", "10.0.1.0/29"), gw,
			&model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: model.DefaultRules()},
			&model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("198.51.100.0/24")},
			&model.Connection{Meta: smallMeta("connections/site"), Kind: "IPsec", Gateway: gw.ID, Peer: smallID("localNetworkGateways/site"), State: "Connected"},
			&model.Cluster{Meta: smallMeta("managedClusters/aks"), NodeGroup: "nodes", Plugin: "azure", PluginMode: "overlay", PodCIDRs: cidrs("10.244.0.0/28"), Pools: []model.NodePool{{Name: "p", Subnet: smallID("virtualNetworks/b/subnets/s")}}},
			svc,
		}
		if forced {
			gw.DefaultSite = smallID("localNetworkGateways/default")
			out = append(
				out, &model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/default"), Prefixes: cidrs("192.168.0.0/24")},
				&model.Connection{Meta: smallMeta("connections/default"), Kind: "IPsec", Gateway: gw.ID, Peer: smallID("localNetworkGateways/default"), State: "Connected"},
			)
		}
		return out
	}
	for _, test := range []struct {
		name     string
		forced   bool
		at, want string
	}{
		{"the Internet tag lets it pass", false, "internet  ", "over"}, // or it is the Service, which has no pods
		{"a default site takes it", true, "far side vpn default", "over one-way session"},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(modeltest.Draft{Resources: estate(test.forced)}.Clone())
			if err != nil {
				t.Fatal(err)
			}
			dst, ok := j.s.symbols().Of(model.ServiceFrontend, svc.ID, "")
			if !ok {
				t.Fatal("the frontend has no stand-in")
			}
			j.holdsFrom(t, "subnet a/s ", trace.Packet{Src: ip("10.0.0.4"), Dst: dst, Protocol: model.TCP, SPort: 50000, DPort: 443}, test.at, test.want)
		})
	}
}

// AZ-RT-21: what a service endpoint's route leaves to others goes by the longest of them, of a subnet with a service endpoint whose policy admits no
// account and a gateway that holds a public prefix for certain.
func TestWhatAServiceEndpointLeaves(t *testing.T) {
	g := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: smallID("virtualNetworks/a/subnets/GatewaySubnet")}
	s := &model.Subnet{
		Meta: smallMeta("virtualNetworks/a/subnets/s"), VNet: smallID("virtualNetworks/a"), Prefixes: cidrs("10.0.0.0/29"), DefaultOutbound: model.On,
		ServiceEndpoints: []model.ServiceEndpoint{{Service: "Microsoft.Storage"}}, ServicePolicies: []model.ID{smallID("serviceEndpointPolicies/p")},
	}
	j, err := newJoint(modeltest.Draft{Resources: small{
		&model.VNet{Meta: smallMeta("virtualNetworks/a"), Prefixes: cidrs("10.0.0.0/24")}, s, g,
		&model.Subnet{Meta: smallMeta("virtualNetworks/a/subnets/GatewaySubnet"), VNet: smallID("virtualNetworks/a"), Prefixes: cidrs("10.0.0.32/27")},
		&model.ServiceEndpointPolicy{Meta: smallMeta("serviceEndpointPolicies/p"), Definitions: []model.PolicyDefinition{{Name: "d", Service: "Microsoft.Storage"}}},
		&model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("198.51.100.0/24")},
		&model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: g.ID, Peer: smallID("localNetworkGateways/site"), State: "Connected"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := trace.Packet{Src: ip("10.0.0.4"), Dst: ip("198.51.100.7"), Protocol: model.TCP, SPort: 50000, DPort: 443, Tags: []string{"storage", "storage.northeurope"}}
	j.holdsFrom(t, "subnet a/s ", p, "internet  ", "")
	j.holdsFrom(t, "subnet a/s ", p, "far side vpn line", "over")
}

// AZ-TAG-06: a public address of Azure that the input does not state may lie in the public prefix of a site, and so in VirtualNetwork, whose
// default rule then lets in what a machine sends to its own public address.
func TestPublicAddressInASite(t *testing.T) {
	s := &model.Subnet{Meta: smallMeta("virtualNetworks/a/subnets/s"), VNet: smallID("virtualNetworks/a"), Prefixes: cidrs("10.0.0.0/29"), NSG: smallID("networkSecurityGroups/n")}
	door := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard}
	g := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: smallID("virtualNetworks/a/subnets/GatewaySubnet")}
	for _, test := range []struct{ prefix, want string }{{"198.51.100.0/24", "over"}, {"192.168.0.0/24", ""}} {
		j, err := newJoint(modeltest.Draft{Resources: small{
			&model.VNet{Meta: smallMeta("virtualNetworks/a"), Prefixes: cidrs("10.0.0.0/24")}, s, g, door,
			&model.Subnet{Meta: smallMeta("virtualNetworks/a/subnets/GatewaySubnet"), VNet: smallID("virtualNetworks/a"), Prefixes: cidrs("10.0.0.32/27")},
			&model.NIC{Meta: smallMeta("networkInterfaces/n"), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: s.ID, Address: ip("10.0.0.4"), Primary: true, PublicIP: door.ID}}},
			&model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: model.DefaultRules()},
			&model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs(test.prefix)},
			&model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: g.ID, Peer: smallID("localNetworkGateways/site"), State: "Connected"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		dst, ok := j.s.symbols().Of(model.PublicAddress, door.ID, "")
		if !ok {
			t.Fatal("the address has no stand-in")
		}
		j.holdsFrom(t, "nic n a", trace.Packet{Src: ip("10.0.0.4"), Dst: dst, Protocol: model.TCP, SPort: 50000, DPort: 443}, "nic n a", test.want)
	}
}

// AZ-TAG-06: prefixes of a site that together are larger than any network's stand for a default route, so that Internet may have lost what they
// hold, or kept it: a Deny on the tag stops such a packet for certain no more, and an Allow may let it pass.
func TestWidePrefixesOfASite(t *testing.T) {
	s := &model.Subnet{Meta: smallMeta("virtualNetworks/a/subnets/s"), VNet: smallID("virtualNetworks/a"), Prefixes: cidrs("10.0.0.0/29"), NSG: smallID("networkSecurityGroups/n")}
	account := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard}
	g := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: smallID("virtualNetworks/a/subnets/GatewaySubnet")}
	rule := func(name string, access model.Access, priority int, tag string) model.SecurityRule {
		return model.SecurityRule{
			Name: name, Direction: model.Outbound, Access: access, Priority: priority, Protocol: model.AnyProtocol,
			SourceAddrs: model.AddressMatch{Any: true}, DestAddrs: model.AddressMatch{Tags: []string{tag}},
			SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
		}
	}
	halves, around := []string{"0.0.0.0/1", "128.0.0.0/1"}, []string{"192.0.0.0/9", "192.128.0.0/11", "192.160.0.0/13", "192.169.0.0/16", "192.170.0.0/15", "192.172.0.0/14", "192.176.0.0/12", "192.192.0.0/10", "193.0.0.0/8", "194.0.0.0/7", "196.0.0.0/6", "200.0.0.0/5", "208.0.0.0/4"}
	for _, test := range []struct {
		prefixes               []string
		denyStated, denyUnsaid string // Deny Internet before Allow VirtualNetwork
		passStated             string // Allow Internet before Deny VirtualNetwork
	}{
		{[]string{"192.168.0.0/24"}, "", "", ""},
		{[]string{"198.51.100.0/24"}, "over one-way session", "", ""},
		{halves, "over", "over", "over"},
		{around, "over", "over", "over"},
	} {
		for _, allow := range []bool{false, true} {
			rules := []model.SecurityRule{rule("a", model.Deny, 100, "Internet"), rule("b", model.Allow, 200, "VirtualNetwork")}
			if allow {
				rules = []model.SecurityRule{rule("a", model.Allow, 100, "Internet"), rule("b", model.Deny, 200, "VirtualNetwork")}
			}
			j, err := newJoint(modeltest.Draft{Resources: small{
				&model.VNet{Meta: smallMeta("virtualNetworks/a"), Prefixes: cidrs("10.0.0.0/24")}, s, g, account,
				&model.Subnet{Meta: smallMeta("virtualNetworks/a/subnets/GatewaySubnet"), VNet: smallID("virtualNetworks/a"), Prefixes: cidrs("10.0.0.32/27")},
				&model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(rules, model.DefaultRules()...)},
				&model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs(test.prefixes...)},
				&model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: g.ID, Peer: smallID("localNetworkGateways/site"), State: "Connected"},
			}})
			if err != nil {
				t.Fatal(err)
			}
			packet := trace.Packet{Src: ip("10.0.0.4"), Dst: ip("198.51.100.7"), Protocol: model.TCP, SPort: 50000, DPort: 443}
			if allow {
				j.holdsFrom(t, "subnet a/s ", packet, "far side vpn line", test.passStated)
				continue
			}
			j.holdsFrom(t, "subnet a/s ", packet, "far side vpn line", test.denyStated)
			unsaid, ok := j.s.symbols().Of(model.PublicAddress, account.ID, "")
			if !ok {
				t.Fatal("the address has no stand-in")
			}
			packet.Dst = unsaid
			j.holdsFrom(t, "subnet a/s ", packet, "far side vpn line", test.denyUnsaid)
		}
	}
}

// AZ-LB-05, K8S-SVC-13: with floating IP a Kubernetes node that is a member of somebody's load balancer may take packets for the frontend's address.
func TestFloatingFrontendOfNodes(t *testing.T) {
	lb, v, w := smallID("loadBalancers/lb"), smallID("virtualNetworks/v"), smallID("virtualNetworks/w")
	for _, floating := range []model.Setting{model.On, model.Off} {
		for _, target := range []bool{false, true} { // an inbound NAT rule to the pool
			x := &model.LoadBalancer{
				Meta:      smallMeta("loadBalancers/lb"),
				Frontends: []model.LBFrontend{{ID: lb + "/f", Name: "f", Subnet: v + "/subnets/s", Address: ip("10.0.0.4")}},
				Pools:     []model.LBPool{{ID: lb + "/p", Name: "p", Addresses: []model.LBAddress{{VNet: w, Address: ip("10.0.0.53")}}}},
			}
			if target {
				x.NATRules = []model.LBNATRule{{Name: "r", Frontend: lb + "/f", Pool: lb + "/p", Protocol: model.TCP, FrontendPorts: model.PortRange{First: 443, Last: 443}, BackendPort: 443, FloatingIP: floating}}
			} else {
				x.Rules = []model.LBRule{{Name: "r", Frontend: lb + "/f", Pools: []model.ID{lb + "/p"}, Protocol: model.TCP, FrontendPort: 443, FloatingIP: floating}}
			}
			j, err := newJoint(modeltest.Draft{Resources: small{
				x,
				&model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/27"), Peerings: []model.Peering{{Name: "p", Remote: w, State: "Connected"}}},
				&model.VNet{Meta: smallMeta("virtualNetworks/w"), Prefixes: cidrs("10.0.0.32/27"), Peerings: []model.Peering{{Name: "p", Remote: v, State: "Connected"}}},
				&model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/s"), VNet: v, Prefixes: cidrs("10.0.0.0/29")},
				&model.Subnet{Meta: smallMeta("virtualNetworks/w/subnets/s"), VNet: w, Prefixes: cidrs("10.0.0.40/29")},
				&model.Subnet{Meta: smallMeta("virtualNetworks/w/subnets/nodes"), VNet: w, Prefixes: cidrs("10.0.0.48/29")},
				&model.Cluster{Meta: smallMeta("managedClusters/aks"), Plugin: "azure", NodeGroup: "nodes", Pools: []model.NodePool{{Name: "pa", Mode: "System", Subnet: w + "/subnets/nodes", Count: 1}}},
				&model.NIC{Meta: smallMeta("networkInterfaces/n"), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: w + "/subnets/s", Address: ip("10.0.0.45")}}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			want := "over one-way session"
			if floating == model.On {
				want = "over"
			}
			j.holdsFrom(t, "nic n a", trace.Packet{Src: ip("10.0.0.45"), Dst: ip("10.0.0.4"), Protocol: model.TCP, SPort: 50000, DPort: 443}, "node pool aks pa", want)
		}
	}
}

// AZ-RT-28, K8S-SVC-08: a pod behind a node port answers the node that handed the packet on by the routes of the pod's own subnet.
func TestAnswersBehindNodePorts(t *testing.T) {
	v := smallID("virtualNetworks/v")
	pod := &model.Workload{
		Meta: model.Meta{ID: model.Kubernetes("aks", "Deployment", "x", "api")}, Cluster: smallID("managedClusters/aks"), Namespace: "x", Kind: "Deployment",
		Labels: map[string]string{"app": "api"}, NodeSelector: map[string]string{"agentpool": "pa"},
	}
	service := &model.KubeService{
		Meta: model.Meta{ID: model.Kubernetes("aks", "Service", "x", "api")}, Cluster: pod.Cluster, Namespace: "x", Type: "NodePort", Selector: pod.Labels,
		Ports: []model.ServicePort{{Port: 80, Target: 8080, Protocol: model.TCP, NodePort: 30080}},
	}
	for _, test := range []struct{ prefix, want string }{{"192.168.0.0/24", "over one-way session"}, {"10.0.0.0/29", "over one-way"}} {
		table := &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: []model.UserRoute{{Name: "r", Prefix: cidrs(test.prefix)[0], NextHop: model.HopAppliance, Address: ip("10.0.0.17")}}}
		j, err := newJoint(modeltest.Draft{Resources: small{
			table, pod, service,
			&model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/26")},
			&model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/nodes"), VNet: v, Prefixes: cidrs("10.0.0.0/29")},
			&model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/pods"), VNet: v, Prefixes: cidrs("10.0.0.8/29"), RouteTable: table.ID},
			&model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/s"), VNet: v, Prefixes: cidrs("10.0.0.16/28")},
			&model.Cluster{Meta: smallMeta("managedClusters/aks"), Plugin: "azure", NodeGroup: "nodes", Pools: []model.NodePool{
				{Name: "pa", Mode: "System", Subnet: v + "/subnets/nodes", PodSubnet: v + "/subnets/pods", Count: 1},
			}},
			&model.NIC{Meta: smallMeta("networkInterfaces/n"), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: v + "/subnets/s", Address: ip("10.0.0.20")}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		j.holdsFrom(t, "nic n a", trace.Packet{Src: ip("10.0.0.20"), Dst: ip("10.0.0.6"), Protocol: model.TCP, SPort: 50000, DPort: 30080}, "pod api pa", test.want)
	}
}

// AZ-GW-10, AZ-WAN-09: a gateway's listener answers to the address that it saw, here a hub's firewall, which knows no way back to the gateway's
// own clients.
func TestClientsOfAGatewayAtItsListener(t *testing.T) {
	v, hub := smallID("virtualNetworks/v"), smallID("virtualHubs/h")
	door := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard, Address: ip("20.0.0.2")}
	policy := &model.FirewallPolicy{Meta: smallMeta("firewallPolicies/p"), Groups: []model.ID{smallID("firewallPolicies/p/ruleCollectionGroups/g")}}
	wall := &model.Firewall{Meta: smallMeta("azureFirewalls/f"), Hub: true, Address: ip("10.0.4.20"), Policy: policy.ID, VirtualHub: hub}
	j, err := newJoint(modeltest.Draft{Resources: small{
		door, policy, wall,
		&model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.2.0/29")},
		&model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/GatewaySubnet"), VNet: v, Prefixes: cidrs("10.0.2.0/29")},
		&model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: v + "/subnets/GatewaySubnet", PublicIPs: []model.ID{door.ID}, ClientPools: cidrs("192.168.0.8/29")},
		&model.VirtualWAN{Meta: smallMeta("virtualWans/w")},
		&model.VirtualHub{Meta: smallMeta("virtualHubs/h"), WAN: smallID("virtualWans/w"), Prefix: cidrs("10.0.4.16/28")[0]},
		&model.HubConnection{Meta: smallMeta("virtualHubs/h/hubVirtualNetworkConnections/v"), Hub: hub, VNet: v, InternetSecurity: model.On},
		&model.RoutingIntent{Meta: smallMeta("virtualHubs/h/routingIntent/i"), Hub: hub, Policies: []model.RoutingPolicy{{Name: "Internet", Destinations: []string{"Internet"}, NextHop: wall.ID}}},
		&model.RuleCollectionGroup{Meta: smallMeta("firewallPolicies/p/ruleCollectionGroups/g"), Priority: 100, Collections: []model.RuleCollection{{
			Name: "c", Priority: 100, Kind: model.NetworkRules, Access: model.Allow,
			Rules: []model.FirewallRule{{Name: "r", Sources: model.AddressMatch{Any: true}, Dests: model.AddressMatch{Any: true}, Protocols: []model.Protocol{model.UDP}, Ports: []model.PortRange{{First: 500, Last: 500}}}},
		}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	j.holdsFrom(t, "far side vpn p2s", trace.Packet{Src: ip("192.168.0.15"), Dst: ip("20.0.0.2"), Protocol: model.UDP, SPort: 50000, DPort: 500}, "gateway vpn ", "over one-way")
}

// K8S-SVC-11, K8S-SVC-13, AKS-LB-03: a Service's second frontend, one whose Service the input lacks, and node ports behind a load balancer without
// floating IP.
func TestFrontendsOfServices(t *testing.T) {
	const prefix = "service.beta.kubernetes.io/"
	v, rg := smallID("virtualNetworks/v"), model.ID("/subscriptions/s/resourceGroups/nodes/providers/Microsoft.Network/")
	for _, test := range []struct {
		name     string
		service  func(*model.KubeService) // nil: the input lacks it
		balancer bool                     // with a rule for 20.0.0.9:443 and floating IP
		open     uint16                   // port that the NSG of the nodes lets in from the internet
		policy   bool                     // nobody may reach the pods
		to       string
		dport    uint16
		want     string
	}{
		{"the first of two frontends", func(s *model.KubeService) {}, false, 443, false, "20.0.0.8", 443, "over one-way session"},
		{"the second of two frontends", func(s *model.KubeService) {}, false, 443, false, "20.0.0.9", 443, "over one-way session"},
		{"a frontend of the load balancer too", func(s *model.KubeService) {}, true, 443, false, "20.0.0.9", 443, "over one-way session"},
		{"a port that the load balancer alone has", func(s *model.KubeService) { s.Ports[0].Port = 8443 }, true, 443, false, "20.0.0.9", 443, "over"},
		{"no Service", nil, true, 443, false, "20.0.0.9", 443, "over"},
		{"no Service, another port", nil, true, 443, false, "20.0.0.9", 444, ""},
		{"no Service, the NSG keeps it out", nil, true, 444, false, "20.0.0.9", 443, ""},
		{"no Service, a policy that does not bind the pod's own node", nil, true, 443, true, "20.0.0.9", 443, "over"},
		{"asked for internal, stands public", func(s *model.KubeService) { s.Annotations[prefix+"azure-load-balancer-internal"] = "true" }, false, 443, false, "20.0.0.9", 443, "over"},
		{"node port, its port open", func(s *model.KubeService) { s.Annotations[prefix+"azure-disable-load-balancer-floating-ip"] = "true" }, false, 30443, false, "20.0.0.9", 443, "over one-way session"},
		{"node port, the frontend's open", func(s *model.KubeService) { s.Annotations[prefix+"azure-disable-load-balancer-floating-ip"] = "true" }, false, 443, false, "20.0.0.9", 443, ""},
		{"node port not stated", func(s *model.KubeService) {
			s.Annotations[prefix+"azure-disable-load-balancer-floating-ip"], s.Ports[0].NodePort = "true", 0
		}, false, 30443, false, "20.0.0.9", 443, "over"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := &model.Workload{
				Meta: model.Meta{ID: model.Kubernetes("aks", "Deployment", "x", "api")}, Cluster: smallID("managedClusters/aks"), Namespace: "x", Kind: "Deployment",
				Labels: map[string]string{"app": "api"},
			}
			list := small{
				pod,
				&model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/26")},
				&model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/nodes"), VNet: v, Prefixes: cidrs("10.0.0.0/29"), NSG: smallID("networkSecurityGroups/n")},
				&model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append([]model.SecurityRule{{
					Name: "open", Priority: 100, Access: model.Allow, Protocol: model.TCP, SourceAddrs: model.AddressMatch{Tags: []string{"Internet"}}, DestAddrs: model.AddressMatch{Any: true},
					SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{{First: test.open, Last: test.open}},
				}}, model.DefaultRules()...)},
				&model.NSG{Meta: model.Meta{ID: rg + "networkSecurityGroups/aks-agentpool-1-nsg"}, Managed: true, Rules: append([]model.SecurityRule{{
					Name: "services", Priority: 500, Access: model.Allow, Protocol: model.TCP, SourceAddrs: model.AddressMatch{Tags: []string{"Internet"}}, DestAddrs: model.AddressMatch{Any: true},
					SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
				}}, model.DefaultRules()...)},
				&model.Cluster{Meta: smallMeta("managedClusters/aks"), Plugin: "azure", PluginMode: "overlay", Policy: "calico", PodCIDRs: cidrs("10.244.0.0/28"), NodeGroup: "nodes", Pools: []model.NodePool{
					{Name: "pa", Mode: "System", Subnet: v + "/subnets/nodes", Count: 1},
				}},
			}
			if test.service != nil {
				s := &model.KubeService{
					Meta: model.Meta{ID: model.Kubernetes("aks", "Service", "x", "api")}, Cluster: pod.Cluster, Namespace: "x", Type: "LoadBalancer", Selector: pod.Labels, LocalPolicy: true,
					Ports:   []model.ServicePort{{Port: 443, Target: 8443, Protocol: model.TCP, NodePort: 30443}},
					Ingress: []netip.Addr{ip("20.0.0.8"), ip("20.0.0.9")}, Annotations: map[string]string{},
				}
				test.service(s)
				list = append(list, s)
			}
			if test.balancer {
				lb := rg + "loadBalancers/kubernetes"
				list = append(list, &model.PublicIP{Meta: model.Meta{ID: rg + "publicIPAddresses/k"}, SKU: model.Standard, Address: ip("20.0.0.9")}, &model.LoadBalancer{
					Meta: model.Meta{ID: lb}, SKU: model.Standard, Frontends: []model.LBFrontend{{ID: lb + "/f", Name: "f", PublicIP: rg + "publicIPAddresses/k"}},
					Pools: []model.LBPool{{ID: lb + "/p", Name: "p", Addresses: []model.LBAddress{{VNet: v, Address: ip("10.0.0.5")}}}},
					Rules: []model.LBRule{{Name: "r", Frontend: lb + "/f", Pools: []model.ID{lb + "/p"}, Protocol: model.TCP, FrontendPort: 443, BackendPort: 443, FloatingIP: model.On}},
				})
			}
			if test.policy {
				list = append(list, &model.NetworkPolicy{Meta: model.Meta{ID: model.Kubernetes("aks", "NetworkPolicy", "x", "none")}, Cluster: pod.Cluster, Namespace: "x", Isolates: [2]bool{true, false}})
			}
			j, err := newJoint(modeltest.Draft{Resources: list})
			if err != nil {
				t.Fatal(err)
			}
			j.holdsFrom(t, "internet  ", trace.Packet{Src: ip("198.51.100.7"), Dst: ip(test.to), Protocol: model.TCP, SPort: 50000, DPort: test.dport}, "pod api pa", test.want)
		})
	}
}

// AKS-NET-04, K8S-SVC-08: what a node hands on to a pod of another pool meets the NSG of the pod's subnet, not that of the pod's node.
func TestPodsOfAnotherPoolBehindNodePorts(t *testing.T) {
	v := smallID("virtualNetworks/v")
	for _, test := range []struct{ closed, want string }{{"a", "over one-way session"}, {"pods", ""}, {"none", "over one-way session"}} {
		pod := &model.Workload{
			Meta: model.Meta{ID: model.Kubernetes("aks", "Deployment", "x", "api")}, Cluster: smallID("managedClusters/aks"), Namespace: "x", Kind: "Deployment",
			Labels: map[string]string{"app": "api"}, NodeSelector: map[string]string{"agentpool": "pa"},
		}
		list := small{
			pod,
			&model.KubeService{
				Meta: model.Meta{ID: model.Kubernetes("aks", "Service", "x", "api")}, Cluster: pod.Cluster, Namespace: "x", Type: "NodePort", Selector: pod.Labels,
				Ports: []model.ServicePort{{Port: 80, Target: 8080, Protocol: model.TCP, NodePort: 30080}},
			},
			&model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/26")},
			&model.NSG{Meta: smallMeta("networkSecurityGroups/shut"), Rules: append([]model.SecurityRule{{
				Name: "shut", Priority: 100, Protocol: model.AnyProtocol, SourceAddrs: model.AddressMatch{Any: true}, DestAddrs: model.AddressMatch{Any: true},
				SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
			}}, model.DefaultRules()...)},
			&model.Cluster{Meta: smallMeta("managedClusters/aks"), Plugin: "azure", NodeGroup: "nodes", Pools: []model.NodePool{
				{Name: "pa", Mode: "System", Subnet: v + "/subnets/a", PodSubnet: v + "/subnets/pods", Count: 1},
				{Name: "pb", Mode: "System", Subnet: v + "/subnets/b", PodSubnet: v + "/subnets/pods", Count: 1},
			}},
			&model.NIC{Meta: smallMeta("networkInterfaces/n"), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: v + "/subnets/s", Address: ip("10.0.0.52")}}},
		}
		for name, prefix := range map[string]string{"a": "10.0.0.0/29", "b": "10.0.0.8/29", "pods": "10.0.0.16/28", "s": "10.0.0.48/28"} {
			s := &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/" + name), VNet: v, Prefixes: cidrs(prefix)}
			if name == test.closed {
				s.NSG = smallID("networkSecurityGroups/shut")
			}
			list = append(list, s)
		}
		j, err := newJoint(modeltest.Draft{Resources: list})
		if err != nil {
			t.Fatal(err)
		}
		j.holdsFrom(t, "nic n a", trace.Packet{Src: ip("10.0.0.52"), Dst: ip("10.0.0.13"), Protocol: model.TCP, SPort: 50000, DPort: 30080}, "pod api pa", test.want)
	}
}
