package solver

import (
	"net/netip"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/packet"
	"github.com/ringfence/ringfence/solver/trace"
)

// small is an estate of a found case; IDs are `virtualNetworks/v`, `virtualNetworks/v/subnets/s`.
type small []model.Resource

func smallID(path string) model.ID {
	return model.ID("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/" + path)
}

func smallMeta(path string) model.Meta {
	return model.Meta{ID: smallID(path), Source: model.Source{File: "found"}, Location: "westeurope"}
}

func cidrs(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// The cases in which the engines once differed: what both must say, by the rule that decides.
func TestFoundCases(t *testing.T) {
	vnet := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/27")}
	subnet := func(name, prefix string, table string) *model.Subnet {
		s := &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/" + name), VNet: vnet.ID, Prefixes: cidrs(prefix), DefaultOutbound: model.On}
		if table != "" {
			s.RouteTable = smallID("routeTables/" + table)
		}
		return s
	}
	machine := func(name, subnet string, forwarding model.Setting, addresses ...string) *model.NIC {
		n := &model.NIC{Meta: smallMeta("networkInterfaces/" + name), IPForwarding: forwarding}
		for i, a := range addresses {
			n.IPConfigs = append(n.IPConfigs, model.IPConfig{Name: []string{"a", "b"}[i], Subnet: smallID("virtualNetworks/v/subnets/" + subnet), Address: ip(a)})
		}
		return n
	}
	route := func(prefix string, hop model.NextHopType, appliance string) *model.RouteTable {
		u := model.UserRoute{Name: "r", Prefix: netip.MustParsePrefix(prefix), NextHop: hop}
		if appliance != "" {
			u.Address = ip(appliance)
		}
		return &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: []model.UserRoute{u}}
	}
	guarded := func(n *model.NIC) *model.NIC { n.NSG = smallID("networkSecurityGroups/n"); return n }
	any := model.AddressMatch{Any: true}
	rule := func(priority int, dir model.Direction, access model.Access) model.SecurityRule {
		return model.SecurityRule{
			Name: access.String(), Priority: priority, Direction: dir, Access: access, Protocol: model.AnyProtocol, SourceAddrs: any, DestAddrs: any,
			SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
		}
	}
	nsg := func(rules ...model.SecurityRule) *model.NSG {
		return &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(rules, model.DefaultRules()...)}
	}
	fwSubnet := func(table string) *model.Subnet { return subnet("AzureFirewallSubnet", "10.0.0.24/29", table) }
	firewall := func(rules ...model.RuleCollection) *model.Firewall {
		return &model.Firewall{Meta: smallMeta("azureFirewalls/fw"), Subnet: smallID("virtualNetworks/v/subnets/AzureFirewallSubnet"), Address: ip("10.0.0.28"), Collections: rules}
	}
	collection := func(kind model.RuleKind, r model.FirewallRule) model.RuleCollection {
		r.Name, r.Sources, r.Ports = "r", any, []model.PortRange{model.AllPorts}
		if r.Protocols == nil {
			r.Protocols = []model.Protocol{model.AnyProtocol}
		}
		return model.RuleCollection{Name: "c", Priority: 100, Kind: kind, Access: model.Allow, Rules: []model.FirewallRule{r}}
	}
	network := collection(model.NetworkRules, model.FirewallRule{Dests: any})
	door := &model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), SKU: model.Standard, Address: ip("20.0.0.1"), AttachedTo: smallID("azureFirewalls/fw/azureFirewallIpConfigurations/ip")}
	behind := func(f *model.Firewall, public ...model.ID) *model.Firewall { f.PublicIPs = public; return f }
	custom := func(f *model.Firewall, prefix string) *model.Firewall {
		f.SNAT = model.SNATRanges{Custom: true, Prefixes: cidrs(prefix)}
		return f
	}
	proxy := &model.FirewallPolicy{Meta: smallMeta("firewallPolicies/p"), ExplicitProxy: model.On, ProxyPorts: []uint16{443}}
	wide := &model.VNet{Meta: vnet.Meta, Prefixes: cidrs("10.0.0.0/27", "10.0.2.0/24")}
	gatewaySubnet, bastionSubnet := subnet("GatewaySubnet", "10.0.2.0/29", ""), subnet("AzureBastionSubnet", "10.0.2.128/29", "")
	edge := small{wide, gatewaySubnet}
	outer := small{wide, subnet("GatewaySubnet", "10.0.2.0/29", "t")}
	vpn := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: gatewaySubnet.ID}
	unstated := &model.Gateway{Meta: vpn.Meta, Subnet: gatewaySubnet.ID, PublicIPs: []model.ID{smallID("publicIPAddresses/p")}}
	site := func(name, prefix string) *model.LocalNetworkGateway {
		return &model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/" + name), Prefixes: cidrs(prefix)}
	}
	connection := func(name, state string) *model.Connection {
		return &model.Connection{Meta: smallMeta("connections/" + name), Kind: "IPsec", Gateway: vpn.ID, Peer: smallID("localNetworkGateways/" + name), State: state}
	}
	circuit := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/er"), Kind: model.ExpressRouteGateway, Subnet: gatewaySubnet.ID}
	line := &model.Connection{Meta: smallMeta("connections/line"), Kind: "ExpressRoute", Gateway: circuit.ID, State: "Connected"}
	bastion := &model.Bastion{Meta: smallMeta("bastionHosts/b"), SKU: "Standard", Subnet: bastionSubnet.ID, Tunneling: model.Off, IPConnect: model.On}
	kube := func(kind, name string) model.Meta {
		return model.Meta{ID: model.Kubernetes("aks", kind, "x", name), Source: model.Source{File: "found"}}
	}
	cluster := func(outbound string) *model.Cluster {
		id := model.ID("/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks")
		return &model.Cluster{
			Meta: model.Meta{ID: id, Source: model.Source{File: "found"}, Location: "westeurope"}, NodeGroup: "nodes", Plugin: "azure", PluginMode: "overlay", Policy: "calico", OutboundType: outbound,
			PodCIDRs: cidrs("10.244.0.0/28"), Pools: []model.NodePool{{Name: "pool0", Subnet: smallID("virtualNetworks/v/subnets/s")}},
		}
	}
	workload := func(name, address string) *model.Workload {
		return &model.Workload{Meta: kube("Deployment", name), Cluster: cluster("").ID, Namespace: "x", Kind: "Deployment", Labels: map[string]string{"app": name}, Addresses: []netip.Addr{ip(address)}}
	}
	unlabelled := workload("b", "10.244.0.5")
	unlabelled.Labels, unlabelled.Implied = nil, []string{"app"}
	published := workload("b", "10.244.0.5")
	published.HostPorts = []model.ContainerPort{{Port: 443, Protocol: model.TCP, Target: 8443}}
	labelled := model.LabelSelector{Match: map[string]string{"app": "b"}}
	policy := func(rules ...model.PolicyRule) *model.NetworkPolicy {
		return &model.NetworkPolicy{Meta: kube("NetworkPolicy", "p"), Cluster: cluster("").ID, Namespace: "x", Pods: labelled, Ingress: rules, Isolates: [2]bool{true, false}}
	}
	service := &model.KubeService{
		Meta: kube("Service", "svc"), Cluster: cluster("").ID, Namespace: "x", Type: "ClusterIP", ClusterIP: "10.250.0.4", Selector: labelled.Match,
		Ports: []model.ServicePort{{Port: 443, Protocol: model.TCP, Target: 8443}},
	}
	grouped := cluster("")
	grouped.Pools[0].ASGs = []model.ID{smallID("applicationSecurityGroups/g")}
	toGroup := rule(100, model.Outbound, model.Deny)
	toGroup.DestAddrs = model.AddressMatch{ASGs: grouped.Pools[0].ASGs}
	private := subnet("s", "10.0.0.0/29", "")
	private.DefaultOutbound = model.Off
	nodes := &model.ScaleSet{
		Meta: model.Meta{ID: "/subscriptions/s/resourceGroups/nodes/providers/Microsoft.Compute/virtualMachineScaleSets/aks-pool0", Source: model.Source{File: "found"}}, Managed: true, Pool: "pool0", Orchestration: "Uniform",
		Profiles: []model.NICProfile{{Name: "nic", IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: private.ID, Primary: true}}}},
	}
	managed := nsg(rule(100, model.Outbound, model.Deny))
	managed.ID, managed.Managed = "/subscriptions/s/resourceGroups/nodes/providers/Microsoft.Network/networkSecurityGroups/aks-agentpool-1-nsg", true
	for _, test := range []struct {
		name     string
		estate   small
		src, dst string
		at, want string
	}{
		{
			"AZ-GEN-05: what stays on one NIC meets no filter",
			small{vnet, subnet("s", "10.0.0.0/29", ""), guarded(machine("nic", "s", model.Off, "10.0.0.4", "10.0.0.5")), nsg(rule(100, model.Outbound, model.Deny))},
			"10.0.0.4", "10.0.0.5", "nic nic b", "over one-way session",
		},
		{
			"AZ-RT-10: a packet to the appliance itself needs no forwarding, even where a route leads to it",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), machine("nva", "s", model.Off, "10.0.0.5"), route("10.0.0.0/27", model.HopAppliance, "10.0.0.5")},
			"10.0.0.4", "10.0.0.5", "nic nva a", "over one-way",
		},
		{
			"AZ-RT-11: an appliance whose name sorts behind its clients' forwards as well",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), subnet("d", "10.0.0.8/29", ""), subnet("n", "10.0.0.16/29", ""), machine("client", "s", model.On, "10.0.0.4"), machine("nva", "n", model.On, "10.0.0.20"), route("10.0.0.8/29", model.HopAppliance, "10.0.0.20")},
			"10.0.0.4", "10.0.0.12", "subnet v/d ", "over",
		},
		{
			"AZ-RT-10: forwarding that is not stated may be on",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), subnet("d", "10.0.0.8/29", ""), subnet("n", "10.0.0.16/29", ""), machine("nva", "n", model.NotStated, "10.0.0.20"), route("10.0.0.8/29", model.HopAppliance, "10.0.0.20")},
			"10.0.0.4", "10.0.0.12", "subnet v/d ", "over",
		},
		{
			"AZ-RT-08: an unknown appliance gets what its route covers, and nothing else",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), subnet("d", "10.0.0.8/29", ""), route("10.0.0.16/29", model.HopAppliance, "10.0.0.30")},
			"10.0.0.4", "203.0.113.9", "subnet v/d ", "",
		},
		{
			"AZ-GEN-03: no multicast",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), route("0.0.0.0/0", model.HopAppliance, "10.0.0.30")},
			"10.0.0.4", "224.0.0.1", "internet  ", "",
		},
		{
			"AZ-PLAT-02: host addresses are reached past routes",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), route("0.0.0.0/0", model.HopAppliance, "10.0.0.30")},
			"10.0.0.4", "168.63.129.16", "internet  ", "",
		},
		{
			"AZ-PLAT-01: the host of an appliance answers what GatewaySubnet sends there from outside",
			append(small{vpn, subnet("s", "10.0.0.0/29", ""), machine("nva", "s", model.On, "10.0.0.5"), site("a", "192.168.0.0/24"), connection("a", "Connected"), route("0.0.0.0/0", model.HopAppliance, "10.0.0.5")}, outer...),
			"192.168.0.1", "169.254.169.254", "platform  ", "over",
		},
		{
			"AZ-PLAT-01: that of a firewall, perhaps",
			append(small{vpn, fwSubnet(""), firewall(network), site("a", "192.168.0.0/24"), connection("a", "Connected"), route("0.0.0.0/0", model.HopAppliance, "10.0.0.28")}, outer...),
			"192.168.0.1", "169.254.169.254", "platform  ", "over",
		},
		{
			"AZ-NSG-02: rules of one priority have no order",
			small{vnet, subnet("s", "10.0.0.0/29", ""), guarded(machine("nic", "s", model.Off, "10.0.0.5")), nsg(rule(100, model.Inbound, model.Allow), rule(100, model.Inbound, model.Deny))},
			"10.0.0.4", "10.0.0.5", "nic nic a", "over",
		},
		{
			"AZ-TAG-06: Internet may hold reserved space beyond RFC 1918",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), guarded(machine("nic", "s", model.Off, "10.0.0.5")), machine("nva", "s", model.On, "10.0.0.6"), nsg(rule(100, model.Inbound, model.Deny)), route("100.64.0.0/10", model.HopAppliance, "10.0.0.6")},
			"10.0.0.5", "100.64.0.1", "subnet v/s ", "over",
		},
		{
			"AZ-FW-58: nothing of the customer is at a free address of AzureFirewallSubnet",
			small{vnet, subnet("s", "10.0.0.0/29", ""), fwSubnet("")},
			"10.0.0.4", "10.0.0.29", "subnet v/AzureFirewallSubnet ", "",
		},
		{
			"AZ-FW-53: the explicit proxy takes connections",
			small{vnet, subnet("s", "10.0.0.0/29", ""), fwSubnet(""), func() *model.Firewall { f := firewall(); f.Policy = proxy.ID; return f }(), proxy},
			"10.0.0.4", "10.0.0.28", "firewall fw explicit proxy", "over one-way session",
		},
		{
			"AZ-FW-20: a NAT rule with a name leads to its owner on the internet",
			small{vnet, subnet("s", "10.0.0.0/29", ""), fwSubnet(""), door, behind(firewall(collection(model.DNATRules, model.FirewallRule{Dests: model.AddressMatch{Prefixes: cidrs("20.0.0.1/32")}, ToFQDN: "a.example.com"})), door.ID)},
			"10.0.0.4", "20.0.0.1", "internet  ", "over one-way session",
		},
		{
			"AZ-PIP-05, AZ-FW-20: a public address that names the firewall is its own, although the firewall does not name it",
			small{vnet, subnet("s", "10.0.0.0/29", ""), fwSubnet(""), door, firewall(collection(model.DNATRules, model.FirewallRule{Dests: model.AddressMatch{Prefixes: cidrs("20.0.0.1/32")}, ToAddress: ip("10.0.0.5")}))},
			"10.0.0.4", "20.0.0.1", "subnet v/s ", "over one-way session",
		},
		{
			"AZ-FW-31, AZ-FW-33: a connection without a name keeps its destination",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), fwSubnet(""), route("10.0.0.8/29", model.HopAppliance, "10.0.0.28"), subnet("d", "10.0.0.8/29", ""), firewall(collection(model.ApplicationRules, model.FirewallRule{FQDNs: []string{"*"}, Apps: []model.AppProtocol{{Type: "Https", Port: 443}}}))},
			"10.0.0.4", "10.0.0.12", "subnet v/d ", "over",
		},
		{
			"AZ-FW-22, AZ-FW-41: whether the source is translated on the way through the private address to a target outside the private ranges is open",
			small{vnet, subnet("s", "10.0.0.0/29", ""), fwSubnet(""), custom(firewall(collection(model.DNATRules, model.FirewallRule{Dests: model.AddressMatch{Prefixes: cidrs("10.0.0.28/32")}, ToAddress: ip("10.0.0.5")})), "192.168.0.0/24")},
			"10.0.0.4", "10.0.0.28", "subnet v/s ", "over",
		},
		{
			"AZ-FW-04: rules of a firewall act also where its own subnet's routes lead back to it",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), subnet("d", "10.0.0.8/29", ""), fwSubnet("t"), route("10.0.0.16/29", model.HopAppliance, "10.0.0.28"), firewall(network)},
			"10.0.0.4", "10.0.0.20", "firewall fw ", "",
		},
		{
			"AZ-FW-41: a source that the firewall keeps gets no answer from the internet",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), fwSubnet(""), route("0.0.0.0/0", model.HopAppliance, "10.0.0.28"), door, custom(firewall(network), "0.0.0.0/0")},
			"10.0.0.4", "203.0.113.9", "internet  ", "over",
		},
		{
			"AZ-FW-10: what a route brings to the firewall for its own public address meets NAT rules first",
			small{vnet, subnet("s", "10.0.0.0/29", "t"), fwSubnet(""), route("0.0.0.0/0", model.HopAppliance, "10.0.0.28"), door, firewall(network, collection(model.DNATRules, model.FirewallRule{Dests: model.AddressMatch{Prefixes: cidrs("20.0.0.1/32")}, ToAddress: ip("10.0.0.5"), Protocols: []model.Protocol{model.UDP}}))},
			"10.0.0.4", "20.0.0.1", "subnet v/s ", "",
		},
		{
			"AZ-GW-10: a gateway whose kind is not stated may listen at its public address",
			append(small{&model.PublicIP{Meta: smallMeta("publicIPAddresses/p"), Address: ip("20.0.0.1")}, unstated}, edge...),
			"20.9.0.1", "20.0.0.1", "gateway vpn ", "over",
		},
		{
			"AZ-GW-11: a longer prefix of a connection that is not connected leaves the shorter one possible",
			append(small{vpn, subnet("s", "10.0.0.0/29", ""), site("a", "192.168.0.0/24"), site("b", "192.168.0.0/29"), connection("a", "Connected"), connection("b", "NotConnected")}, edge...),
			"10.0.0.4", "192.168.0.1", "far side vpn a", "over",
		},
		{
			"AZ-RT-29: a reply may go by a circuit that the packet did not come by",
			append(small{vpn, subnet("s", "10.0.0.0/29", ""), site("a", "100.64.0.0/24"), connection("a", "Connected"), circuit, line}, edge...),
			"100.64.0.1", "10.0.0.4", "subnet v/s ", "over one-way",
		},
		{
			"AZ-BAS-04: connect-by-address opens no other port for certain",
			small{wide, bastionSubnet, subnet("s", "10.0.0.0/29", ""), bastion},
			"10.0.2.132", "10.0.0.4", "subnet v/s ", "over",
		},
		{
			"AKS-NET-12: beside the nodes of a subnet may stand a VM to come",
			small{vnet, subnet("s", "10.0.0.0/29", ""), subnet("d", "10.0.0.8/29", ""), cluster("")},
			"10.0.0.12", "10.0.0.4", "subnet v/s ", "over one-way session",
		},
		{
			"AKS-LB-01: the managed NSG of the input filters what nodes send",
			small{vnet, subnet("s", "10.0.0.0/29", ""), subnet("d", "10.0.0.8/29", ""), cluster(""), managed, workload("a", "10.244.0.4")},
			"10.244.0.4", "10.0.0.12", "subnet v/d ", "",
		},
		{
			"AZ-ASG-05, AKS-NET-12: a Deny for a group of which nodes are members may take what goes to their subnet",
			small{vnet, subnet("s", "10.0.0.0/29", ""), subnet("d", "10.0.0.8/29", ""), grouped, guarded(machine("m", "d", model.Off, "10.0.0.12")), nsg(toGroup), &model.ASG{Meta: smallMeta("applicationSecurityGroups/g")}},
			"10.0.0.12", "10.0.0.4", "subnet v/s ", "over",
		},
		{
			"AKS-OUT-01: instances of a node pool leave by the cluster's load balancer, which the input may lack",
			small{vnet, private, cluster("loadBalancer"), nodes},
			"10.0.0.4", "203.0.113.9", "internet  ", "over one-way session",
		},
		{
			"AKS-OUT-01: block may close egress",
			small{vnet, subnet("s", "10.0.0.0/29", ""), cluster("block"), workload("a", "10.244.0.4")},
			"10.244.0.4", "203.0.113.9", "internet  ", "over",
		},
		{
			"K8S-AZ-06: the default rules of a managed NSG that the input lacks pass pod addresses",
			small{vnet, subnet("s", "10.0.0.0/29", ""), cluster(""), workload("a", "10.244.0.4"), workload("b", "10.244.0.5")},
			"10.244.0.4", "10.244.0.5", "pod b pool0", "over one-way session",
		},
		{
			"K8S-NP-04: a policy that only may select a pod, and admits everyone, changes nothing",
			small{vnet, subnet("s", "10.0.0.0/29", ""), cluster(""), workload("a", "10.244.0.4"), unlabelled, policy(model.PolicyRule{})},
			"10.244.0.4", "10.244.0.5", "pod b pool0", "over one-way session",
		},
		{
			"K8S-WL-03: a policy that only may select a pod, and admits nobody, takes certainty",
			small{vnet, subnet("s", "10.0.0.0/29", ""), cluster(""), workload("a", "10.244.0.4"), unlabelled, policy()},
			"10.244.0.4", "10.244.0.5", "pod b pool0", "over",
		},
		{
			"K8S-SVC-01: a pod whose label is not known may serve",
			small{vnet, subnet("s", "10.0.0.0/29", ""), cluster(""), workload("a", "10.244.0.4"), unlabelled, service},
			"10.244.0.4", "10.250.0.4", "pod b pool0", "over",
		},
		{
			"K8S-AZ-09: a host port leads to the container port that it states",
			small{vnet, subnet("s", "10.0.0.0/29", ""), subnet("d", "10.0.0.8/29", ""), cluster(""), published, policy(model.PolicyRule{Ports: []model.PolicyPort{{Protocol: model.TCP, Ports: model.PortRange{First: 8443, Last: 8443}}}})},
			"10.0.0.12", "10.0.0.4", "pod b pool0", "over one-way session",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, err := newJoint(modeltest.Draft{Resources: test.estate}.Clone())
			if err != nil {
				t.Fatal(err)
			}
			p := j.probe(t, ip(test.src), ip(test.dst))
			if diff := j.differ(p); diff != "" {
				t.Errorf("the engines differ: %s", diff)
			}
			if got := bounds(j.solver(p)[test.at]); got != test.want {
				t.Errorf("%s to %s at %s: got %q, want %q", test.src, test.dst, test.at, got, test.want)
			}
		})
	}
}

// probe is a TCP packet from whoever has an address.
func (j *joint) probe(t *testing.T, src, dst netip.Addr) probe {
	t.Helper()
	g := j.s.graph
	for o := range g.Origins {
		for _, p := range g.Origins[o].Prefixes {
			if p.Contains(src) {
				return probe{
					packet.Packet{Origin: uint32(o), Src: g.Universe.Class(src), Dst: g.Universe.Class(dst), Protocol: uint8(model.TCP), SPort: 50000, DPort: 443},
					trace.Packet{From: g.Origins[o].Site.PlaceOf(src), Src: src, Dst: dst, Protocol: model.TCP, SPort: 50000, DPort: 443},
				}
			}
		}
	}
	t.Fatalf("nobody sends from %s", src)
	return probe{}
}
