package solver

import (
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// Rules of clusters, and the cases of clusters in which the engines once differed or one of them was wrong: what both must say, by the rule
// that decides.
func TestFoundCasesOfClusters(t *testing.T) {
	vnet := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/28", "10.0.1.0/28")}
	subnet := func(name, prefix string) *model.Subnet {
		return &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/" + name), VNet: vnet.ID, Prefixes: cidrs(prefix), DefaultOutbound: model.On}
	}
	a, b, c := subnet("a", "10.0.0.0/29"), subnet("b", "10.0.1.0/29"), subnet("c", "10.0.0.8/29")
	routed := func(s *model.Subnet) *model.Subnet { s.RouteTable = smallID("routeTables/t"); return s }
	table := func(prefix string, hop model.NextHopType, appliance string) *model.RouteTable {
		u := model.UserRoute{Name: "r", Prefix: cidrs(prefix)[0], NextHop: hop}
		if appliance != "" {
			u.Address = ip(appliance)
		}
		return &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: []model.UserRoute{u}}
	}
	vm := &model.NIC{Meta: smallMeta("networkInterfaces/vm"), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: c.ID, Address: ip("10.0.0.12")}}}
	// The cluster has a pool pa in a and a pool pb in b.
	cluster := func(mode, engine string) *model.Cluster {
		x := &model.Cluster{
			Meta: smallMeta("managedClusters/aks"), NodeGroup: "nodes", Plugin: "azure", Policy: engine,
			Pools: []model.NodePool{{Name: "pa", Subnet: a.ID}, {Name: "pb", Subnet: b.ID}},
		}
		if mode == "overlay" {
			x.PluginMode, x.PodCIDRs = mode, cidrs("10.244.0.0/28")
		}
		return x
	}
	id := func(kind, name string) model.Meta {
		return model.Meta{ID: model.Kubernetes("aks", kind, "x", name), Source: model.Source{File: "found"}}
	}
	workload := func(name, pool string, addresses ...string) *model.Workload {
		w := &model.Workload{Meta: id("Deployment", name), Cluster: smallID("managedClusters/aks"), Namespace: "x", Kind: "Deployment", Labels: map[string]string{"app": name}}
		if pool != "" {
			w.NodeSelector = map[string]string{"agentpool": pool}
		}
		for _, x := range addresses {
			w.Addresses = append(w.Addresses, ip(x))
		}
		return w
	}
	onHost := func(w *model.Workload) *model.Workload { w.HostNetwork = true; return w }
	service := func(kind, app string, port, target uint16) *model.KubeService {
		s := &model.KubeService{
			Meta: id("Service", "s"), Cluster: smallID("managedClusters/aks"), Namespace: "x", Type: kind, ClusterIP: "10.250.0.4", Annotations: map[string]string{},
			Ports: []model.ServicePort{{Port: port, Protocol: model.TCP, Target: target}},
		}
		if app != "" {
			s.Selector = map[string]string{"app": app}
		}
		return s
	}
	with := func(s *model.KubeService, change func(*model.KubeService)) *model.KubeService { change(s); return s }
	pod := func(name, pool string) model.Place {
		return model.Place{Kind: model.PlacePod, ID: model.Kubernetes("aks", "Deployment", "x", name), Part: pool}
	}
	node := func(pool string) model.Place {
		return model.Place{Kind: model.PlaceNodePool, ID: smallID("managedClusters/aks"), Part: pool}
	}
	const symbol = "symbol" // of the pod that sends, or of what the packet is for
	type sent struct {
		from     model.Place
		src, dst string
		port     uint16
		to       model.Symbol   // where dst is a symbol
		misread  model.ID       // of which the ledger holds something
		carried  model.ID       // in which something that is not modelled may pass packets on
		protocol model.Protocol // TCP where it is not stated
		tags     []string
	}
	machine := model.Place{Kind: model.PlaceNIC, ID: vm.ID, Part: "a"}
	api := model.Symbol{Kind: model.APIDoor, Owner: smallID("managedClusters/aks")}
	front := model.Symbol{Kind: model.ServiceFrontend, Owner: model.Kubernetes("aks", "Service", "x", "s")}
	podOf := func(name string) model.Symbol {
		return model.Symbol{Kind: model.PodAddress, Owner: model.Kubernetes("aks", "Deployment", "x", name)}
	}
	block := func(cidr string) *model.NetworkPolicy {
		return &model.NetworkPolicy{
			Meta: id("NetworkPolicy", "p"), Cluster: smallID("managedClusters/aks"), Namespace: "x", Isolates: [2]bool{true, false},
			Ingress: []model.PolicyRule{{Peers: []model.PolicyPeer{{IPBlock: &model.IPBlock{CIDR: cidrs(cidr)[0]}}}}},
		}
	}
	outward := func(cidr string) *model.NetworkPolicy {
		n := block(cidr)
		n.Isolates, n.Egress, n.Ingress = [2]bool{model.Outbound: true}, n.Ingress, nil
		return n
	}
	toCluster := &model.CiliumPolicy{
		Meta: id("CiliumNetworkPolicy", "p"), Cluster: smallID("managedClusters/aks"), Kind: "CiliumNetworkPolicy", Namespace: "x",
		Rules: []model.CiliumRule{{
			Isolates: [2]model.Setting{model.Inbound: model.Off, model.Outbound: model.On},
			Allow:    [2][]model.CiliumTraffic{model.Outbound: {{Peers: []model.CiliumPeer{{Entity: "cluster"}}}}},
		}},
	}
	onPort30080 := with(service("NodePort", "w", 80, 8080), func(s *model.KubeService) { s.Ports[0].NodePort = 30080 })
	denyPods := &model.ClusterPolicy{
		Meta: id("ClusterNetworkPolicy", "p"), Cluster: smallID("managedClusters/aks"), Kind: "ClusterNetworkPolicy", Tier: model.AdminTier,
		Ingress: []model.ClusterPolicyRule{{Action: model.PolicyDeny, Peers: []model.ClusterPolicyPeer{{Namespaces: &model.LabelSelector{}}}}},
	}
	private := func(x *model.Cluster) *model.Cluster { x.Private = model.On; return x }
	guarded := func(s *model.Subnet) *model.Subnet { s.NSG = smallID("networkSecurityGroups/n"); return s }
	deny := func(cidr string) *model.NSG {
		g := &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: model.DefaultRules()}
		for i, dir := range []model.Direction{model.Inbound, model.Outbound} {
			r := model.SecurityRule{
				Name: "r" + dir.String(), Priority: 100 + i, Direction: dir, Access: model.Deny, SourceAddrs: model.AddressMatch{Any: true}, DestAddrs: model.AddressMatch{Any: true},
				SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts}, Protocol: model.AnyProtocol,
			}
			if dir == model.Inbound {
				r.SourceAddrs = model.AddressMatch{Prefixes: cidrs(cidr)}
			} else {
				r.DestAddrs = model.AddressMatch{Prefixes: cidrs(cidr)}
			}
			g.Rules = append(g.Rules, r)
		}
		return g
	}
	// The nodes of pool pb are in a group, whose packets the subnet of the machine refuses.
	grouped := func(x *model.Cluster) *model.Cluster {
		x.Pools[1].ASGs = []model.ID{smallID("applicationSecurityGroups/g")}
		return x
	}
	group := &model.ASG{Meta: smallMeta("applicationSecurityGroups/g")}
	denyGroup := &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: append(model.DefaultRules(), model.SecurityRule{
		Name: "r", Priority: 100, Direction: model.Inbound, Access: model.Deny, SourceAddrs: model.AddressMatch{ASGs: []model.ID{group.ID}}, DestAddrs: model.AddressMatch{Any: true},
		SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts}, Protocol: model.AnyProtocol,
	})}
	// The same where the machine is in a group too, and both groups are named.
	ofVM := &model.ASG{Meta: smallMeta("applicationSecurityGroups/vm")}
	joined := &model.NIC{Meta: vm.Meta, IPForwarding: model.Off, IPConfigs: slices.Clone(vm.IPConfigs)}
	joined.IPConfigs[0].ASGs = []model.ID{ofVM.ID}
	denyBoth := &model.NSG{Meta: denyGroup.Meta, Rules: slices.Clone(denyGroup.Rules)}
	denyBoth.Rules[len(denyBoth.Rules)-1].DestAddrs = model.AddressMatch{ASGs: []model.ID{ofVM.ID}}
	// The NSG of the nodes refuses what is for a group.
	managed := func(to *model.ASG) *model.NSG {
		g := &model.NSG{Meta: smallMeta("networkSecurityGroups/aks-agentpool-1-nsg"), Managed: true, Rules: slices.Clone(denyGroup.Rules)}
		g.ID = "/subscriptions/s/resourceGroups/nodes/providers/Microsoft.Network/networkSecurityGroups/aks-agentpool-1-nsg"
		r := &g.Rules[len(g.Rules)-1]
		r.SourceAddrs, r.DestAddrs = model.AddressMatch{Any: true}, model.AddressMatch{ASGs: []model.ID{to.ID}}
		return g
	}
	// It refuses what a group sends itself.
	fromTo := func(of *model.ASG) *model.NSG {
		g := managed(of)
		g.Rules[len(g.Rules)-1].SourceAddrs = model.AddressMatch{ASGs: []model.ID{of.ID}}
		return g
	}
	// The same for what the group sends to pods.
	toPods := func(of *model.ASG) *model.NSG {
		g := fromTo(of)
		g.Rules[len(g.Rules)-1].DestAddrs = model.AddressMatch{Prefixes: cidrs("10.244.0.0/28")}
		return g
	}
	// Pool pa is a static egress gateway, by which a pod leaves.
	egressBy := func(x *model.Cluster) *model.Cluster { x.Pools[0].Mode = "Gateway"; return x }
	byEgress := func(w *model.Workload) *model.Workload {
		w.Annotations = map[string]string{"kubernetes.azure.com/static-gateway-configuration": "g"}
		return w
	}
	// Pool pa stands in the subnet of pool pb.
	beside := func(x *model.Cluster) *model.Cluster { x.Pools[0].Subnet = b.ID; return x }
	far := &model.VNet{Meta: smallMeta("virtualNetworks/w"), Prefixes: cidrs("10.0.2.0/28")}
	far.Peerings = []model.Peering{{Name: "p", Remote: vnet.ID, State: "Connected", AllowVNetAccess: model.On}}
	peered := &model.VNet{Meta: vnet.Meta, Prefixes: vnet.Prefixes, Peerings: []model.Peering{{Name: "p", Remote: far.ID, State: "Connected", AllowVNetAccess: model.On}}}
	ofB := &model.VNet{Meta: vnet.Meta, Prefixes: vnet.Prefixes, Peerings: []model.Peering{{Name: "p", Remote: far.ID, State: "Connected", AllowVNetAccess: model.On, CompleteVNets: model.Off, LocalSubnets: []string{"b"}, RemoteSubnets: []string{"d"}}}}
	kubenet := func(x *model.Cluster) *model.Cluster { x.Plugin, x.PluginMode = "kubenet", ""; return x }
	denyOut := &model.NSG{Meta: denyGroup.Meta, Rules: slices.Clone(denyGroup.Rules)}
	denyOut.Rules[len(denyOut.Rules)-1].Direction = model.Outbound
	inFar := &model.Subnet{Meta: smallMeta("virtualNetworks/w/subnets/d"), VNet: far.ID, Prefixes: cidrs("10.0.2.0/29"), DefaultOutbound: model.On}
	// The group of subnet b admits two ports alone.
	admitOnly := func(ports ...string) *model.NSG {
		g := &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: slices.DeleteFunc(model.DefaultRules(), func(r model.SecurityRule) bool { return r.Name != "AllowVnetOutBound" })}
		for i, x := range ports {
			n, _ := strconv.Atoi(x)
			g.Rules = append(g.Rules, model.SecurityRule{
				Name: "r" + x, Priority: 100 + i, Access: model.Allow, SourceAddrs: model.AddressMatch{Any: true}, DestAddrs: model.AddressMatch{Any: true},
				SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{{First: uint16(n), Last: uint16(n)}}, Protocol: model.TCP,
			})
		}
		return g
	}
	gateway := &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/GatewaySubnet"), VNet: vnet.ID, Prefixes: cidrs("10.0.1.8/29")}
	vpn := &model.Gateway{Meta: smallMeta("virtualNetworkGateways/vpn"), Kind: model.VPNGateway, Subnet: gateway.ID}
	vpn.NATRules = []model.GatewayNATRule{{ID: vpn.ID + "/natRules/n", Name: "n", Mode: "EgressSnat", Type: "Static", Internal: cidrs("10.0.1.0/29"), External: cidrs("172.21.0.0/29")}}
	site := &model.LocalNetworkGateway{Meta: smallMeta("localNetworkGateways/site"), Prefixes: cidrs("192.168.0.0/29")}
	tunnel := &model.Connection{Meta: smallMeta("connections/line"), Kind: "IPsec", Gateway: vpn.ID, Peer: site.ID, State: "Connected", EgressNAT: []model.ID{vpn.NATRules[0].ID}}
	public := func(x *model.Cluster) *model.Cluster { x.Pools[1].PublicIPs = model.On; return x }
	// The scale set of pool pb, with or without a profile of its interfaces.
	instances := func(configs ...model.IPConfig) *model.ScaleSet {
		s := &model.ScaleSet{Meta: smallMeta("virtualMachineScaleSets/aks-pb"), Managed: true, Pool: "pb"}
		s.ID = "/subscriptions/s/resourceGroups/nodes/providers/Microsoft.Compute/virtualMachineScaleSets/aks-pb"
		if configs != nil {
			s.Profiles = []model.NICProfile{{Name: "nic", Primary: true, IPForwarding: model.On, IPConfigs: configs}}
		}
		return s
	}
	doorOf := model.Symbol{Kind: model.NodePublicAddress, Owner: smallID("managedClusters/aks"), Part: "pb"}
	second := func(x *model.Cluster) *model.Cluster {
		x.Meta, x.NodeGroup = smallMeta("managedClusters/aks2"), "nodes2"
		return x
	}
	elsewhere := func(w *model.Workload) *model.Workload {
		w.ID, w.Cluster = model.Kubernetes("aks2", "Deployment", "x", w.Name()), smallID("managedClusters/aks2")
		return w
	}
	inSystem := func(w *model.Workload) *model.Workload {
		w.ID, w.Namespace = model.Kubernetes("aks", "Deployment", "kube-system", w.Name()), "kube-system"
		return w
	}
	internet := model.Place{Kind: model.PlaceInternet}
	const all, none = "over one-way session", ""
	enforced := func(s *model.Subnet) *model.Subnet { s.EndpointPolicies = model.PoliciesEnabled; return s }
	huge := deny("10.0.0.12/32")
	for i := range huge.Rules {
		if r := &huge.Rules[i]; r.Priority == 100 {
			r.SourceAddrs.Prefixes, r.DestPorts = slices.Repeat(r.SourceAddrs.Prefixes, 501), slices.Repeat(r.DestPorts, 500)
		}
	}
	podSubnet := func(x *model.Cluster) *model.Cluster {
		x.Pools[0].PodSubnet, x.Pools[0].PublicIPs = c.ID, model.On
		return x
	}
	nodes := &model.ScaleSet{
		Meta: model.Meta{ID: "/subscriptions/s/resourceGroups/nodes/providers/Microsoft.Compute/virtualMachineScaleSets/ss", Source: model.Source{File: "found"}}, Managed: true, Pool: "pa",
		Orchestration: "Uniform", Profiles: []model.NICProfile{{Name: "nic", IPConfigs: []model.IPConfig{{Name: "a", Subnet: a.ID, Primary: true}}}},
	}
	for _, test := range []struct {
		name   string
		estate small
		packet sent
		at     model.Place
		want   string
	}{
		{
			"K8S-CIL-05: a machine at a free address of a node subnet is no node",
			small{vnet, a, b, c, vm, cluster("", "cilium"), workload("w", "pa"), block("0.0.0.0/0")},
			sent{from: model.Place{Kind: model.PlaceSubnet, ID: b.ID}, src: "10.0.1.4", to: podOf("w"), port: 443},
			pod("w", "pa"), all,
		},
		{
			"K8S-CIL-05: a node is",
			small{vnet, a, b, c, vm, cluster("", "cilium"), workload("w", "pa"), block("0.0.0.0/0")},
			sent{from: node("pb"), src: "10.0.1.4", to: podOf("w"), port: 443},
			pod("w", "pa"), none,
		},
		{
			"K8S-CIL-05: whom a pod reaches at a free address of a node subnet, nobody says",
			small{vnet, a, b, c, vm, cluster("", "cilium"), workload("w", "pa"), outward("0.0.0.0/0")},
			sent{from: pod("w", "pa"), src: symbol, dst: "10.0.1.4", port: 22},
			model.Place{Kind: model.PlaceSubnet, ID: b.ID},
			"over",
		},
		{
			"K8S-CIL-05: the address of a machine is no node's",
			small{vnet, a, b, c, vm, cluster("", "cilium"), workload("w", "pa"), outward("0.0.0.0/0")},
			sent{from: pod("w", "pa"), src: symbol, dst: "10.0.0.12", port: 22},
			machine, all,
		},
		{
			"K8S-CIL-05: the stated address of a pod of the host network is a node's",
			small{vnet, a, b, c, vm, cluster("overlay", "cilium"), workload("w", "pa"), onHost(workload("h", "pb", "10.0.1.4")), outward("0.0.0.0/0")},
			sent{from: pod("w", "pa"), src: symbol, dst: "10.0.1.4", port: 22},
			node("pb"), none,
		},
		{
			"K8S-CIL-06: the API server is of the cluster, and may be a node's address or none",
			small{vnet, a, b, c, cluster("overlay", "cilium"), workload("w", "pa"), toCluster},
			sent{from: pod("w", "pa"), src: symbol, to: api, port: 443},
			model.Place{Kind: model.PlaceAPIServer, ID: smallID("managedClusters/aks")},
			"over",
		},
		{
			"K8S-CIL-06: a private one too",
			small{vnet, a, b, c, private(cluster("overlay", "cilium")), workload("w", "pa"), toCluster},
			sent{from: pod("w", "pa"), src: symbol, to: api, port: 443},
			model.Place{Kind: model.PlaceAPIServer, ID: smallID("managedClusters/aks")},
			"over",
		},
		{
			"K8S-NP-25: a backend on the host network of another node",
			small{vnet, a, b, c, cluster("overlay", ""), onHost(workload("w", "pb")), service("ClusterIP", "w", 80, 8080)},
			sent{from: node("pa"), src: "10.0.0.4", dst: "10.250.0.4", port: 80},
			pod("w", "pb"), all,
		},
		{
			"K8S-NP-25: behind a route to elsewhere nothing is certain",
			small{vnet, routed(subnet("a", "10.0.0.0/29")), b, c, table("10.0.1.0/29", model.HopNone, ""), cluster("overlay", ""), onHost(workload("w", "pb")), service("ClusterIP", "w", 80, 8080)},
			sent{from: node("pa"), src: "10.0.0.4", dst: "10.250.0.4", port: 80},
			pod("w", "pb"), "over",
		},
		{
			"K8S-SVC-01: pods of the host network use Services too",
			small{vnet, a, b, c, cluster("overlay", ""), onHost(workload("h", "pa")), workload("w", "pb"), service("ClusterIP", "w", 80, 8080)},
			sent{from: pod("h", "pa"), src: "10.0.0.4", dst: "10.250.0.4", port: 80},
			pod("w", "pb"), all,
		},
		{
			"K8S-SVC-01: a missing targetPort is the port",
			small{vnet, a, b, c, vm, cluster("overlay", ""), workload("v", "pa"), workload("w", "pb"), service("ClusterIP", "w", 80, 0)},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.250.0.4", port: 80},
			pod("w", "pb"), all,
		},
		{
			"K8S-SVC-01: the node takes a packet to an external address of a Service",
			small{vnet, a, b, c, vm, cluster("overlay", ""), workload("v", "pa"), with(service("ClusterIP", "v", 80, 8080), func(s *model.KubeService) { s.ExternalIPs = []netip.Addr{ip("10.0.0.12")} })},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.0.0.12", port: 80},
			machine, none,
		},
		{
			"ASM-K-SVCPORT: on another port it may let it go",
			small{vnet, a, b, c, vm, cluster("overlay", ""), workload("v", "pa"), with(service("ClusterIP", "v", 80, 8080), func(s *model.KubeService) { s.ExternalIPs = []netip.Addr{ip("10.0.0.12")} })},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.0.0.12", port: 81},
			machine, "over",
		},
		{
			"K8S-SVC-02: a Service without a selector may lead to any address",
			small{vnet, a, b, c, vm, cluster("overlay", ""), service("LoadBalancer", "", 80, 8080)},
			sent{from: internet, src: "198.51.100.7", to: front, port: 80},
			machine, "over",
		},
		{
			"AKS-LB-03: the managed NSG admits a Service's clients for certain",
			small{vnet, a, b, c, vm, cluster("overlay", ""), workload("w", "pb"), service("LoadBalancer", "w", 80, 8080)},
			sent{from: internet, src: "198.51.100.7", to: front, port: 80},
			pod("w", "pb"), all,
		},
		{
			"AKS-LB-03: those in its ranges",
			small{vnet, a, b, c, vm, cluster("overlay", ""), workload("w", "pb"), with(service("LoadBalancer", "w", 80, 8080), func(s *model.KubeService) { s.SourceRanges = cidrs("198.51.100.0/24") })},
			sent{from: internet, src: "203.0.113.1", to: front, port: 80},
			pod("w", "pb"), none,
		},
		{
			"AKS-NET-09: allowed host ports stand in the managed NSG",
			small{vnet, a, b, c, vm, func() *model.Cluster {
				x := cluster("overlay", "")
				x.Pools[0].PublicIPs, x.Pools[0].HostPorts = model.On, []model.PortRange{{First: 8000, Last: 8010}}
				return x
			}()},
			sent{from: internet, src: "198.51.100.7", to: model.Symbol{Kind: model.NodePublicAddress, Owner: smallID("managedClusters/aks"), Part: "pa"}, port: 8005},
			node("pa"), all,
		},
		{
			"AKS-NET-09: and no others for certain",
			small{vnet, a, b, c, vm, func() *model.Cluster {
				x := cluster("overlay", "")
				x.Pools[0].PublicIPs, x.Pools[0].HostPorts = model.On, []model.PortRange{{First: 8000, Last: 8010}}
				return x
			}()},
			sent{from: internet, src: "198.51.100.7", to: model.Symbol{Kind: model.NodePublicAddress, Owner: smallID("managedClusters/aks"), Part: "pa"}, port: 8011},
			node("pa"), "over",
		},
		{
			"K8S-SVC-06: a packet to a node port reaches the node",
			small{vnet, a, b, c, vm, cluster("overlay", ""), workload("w", "pb"), onPort30080},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.0.4", port: 30080},
			node("pa"), all,
		},
		{
			"K8S-SVC-06: and the host network possibly",
			small{vnet, a, b, c, vm, cluster("overlay", ""), onHost(workload("w", "pa")), with(service("NodePort", "v", 80, 8080), func(s *model.KubeService) { s.Ports[0].NodePort = 30080 })},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.0.4", port: 30080},
			pod("w", "pa"), "over",
		},
		{
			"AKS-NET-06: what a node sends to an overlay pod of its cluster meets no route",
			small{vnet, routed(subnet("a", "10.0.0.0/29")), b, c, vm, table("10.244.0.0/16", model.HopInternet, ""), cluster("overlay", ""), workload("w", "pb", "10.244.0.4")},
			sent{from: node("pa"), src: "10.0.0.4", dst: "10.244.0.4", port: 443},
			internet, none,
		},
		{
			"AKS-API-01: a public API server may have any public address",
			small{vnet, a, b, routed(subnet("c", "10.0.0.8/29")), vm, table("20.0.0.0/8", model.HopNone, ""), cluster("overlay", "")},
			sent{from: machine, src: "10.0.0.12", to: api, port: 443},
			model.Place{Kind: model.PlaceAPIServer, ID: smallID("managedClusters/aks")},
			"over",
		},
		{
			"AKS-API-03: a private one lies in one of the node subnets",
			small{vnet, a, b, c, vm, private(cluster("overlay", ""))},
			sent{from: machine, src: "10.0.0.12", to: api, port: 443},
			model.Place{Kind: model.PlaceAPIServer, ID: smallID("managedClusters/aks")},
			all,
		},
		{
			"AKS-API-03: nobody knows in which",
			small{vnet, a, b, routed(subnet("c", "10.0.0.8/29")), vm, table("10.0.1.0/29", model.HopNone, ""), private(cluster("overlay", ""))},
			sent{from: machine, src: "10.0.0.12", to: api, port: 443},
			model.Place{Kind: model.PlaceAPIServer, ID: smallID("managedClusters/aks")},
			"over",
		},
		{
			"AZ-RT-34: an address that two system routes hold together",
			small{vnet, a, b, c, vm, cluster("", ""), workload("w", "")},
			sent{from: machine, src: "10.0.0.12", to: podOf("w"), port: 443},
			pod("w", "pb"), all,
		},
		{
			"K8S-WL-07: an address that no placement explains rules none out",
			small{vnet, a, b, c, vm, cluster("", ""), workload("w", "pa", "10.0.1.5")},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.1.5", port: 443},
			pod("w", "pa"), all,
		},
		{
			"AKS-NET-02: outside the VNet rules may meet the pod's own address",
			small{vnet, a, b, c, cluster("", ""), workload("w", "pa"), &model.Service{
				Meta: smallMeta("storageAccounts/st"), Kind: model.StorageAccount, Public: "Enabled",
			}},
			sent{from: pod("w", "pa"), src: symbol, to: model.Symbol{Kind: model.ServiceDoor, Owner: smallID("storageAccounts/st")}, port: 443},
			model.Place{Kind: model.PlaceService, ID: smallID("storageAccounts/st")},
			all,
		},
		{
			"K8S-AZ-03: nothing outside the cluster addresses an overlay pod",
			small{vnet, a, b, c, vm, cluster("overlay", ""), workload("w", "pb")},
			sent{from: machine, src: "10.0.0.12", to: podOf("w"), port: 443},
			pod("w", "pb"), none,
		},
		{
			"K8S-AZ-03: a rule for one pod's address is void outside, where all of a pool look alike",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), vm, deny("10.244.0.4/32"), cluster("overlay", ""), workload("w", "pb", "10.244.0.4")},
			sent{from: pod("w", "pb"), src: "10.244.0.4", dst: "10.0.0.12", port: 443},
			machine, all,
		},
		{
			"AKS-NET-01: nobody knows what a plugin of the user's shows",
			small{vnet, a, b, c, vm, func() *model.Cluster { x := cluster("", ""); x.Plugin = "none"; return x }(), workload("w", "pb", "10.0.1.5")},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.1.5", port: 443},
			pod("w", "pb"), "over",
		},
		{
			"ASM-A-PLUGIN: a plugin that is not stated is kubenet or overlay",
			small{vnet, a, b, c, vm, func() *model.Cluster { x := cluster("", ""); x.Plugin = ""; return x }(), workload("w", "pb")},
			sent{from: pod("w", "pb"), src: symbol, dst: "10.0.0.12", port: 443},
			machine, all,
		},
		{
			"AKS-NET-07: the same address in another cluster is another pod",
			small{vnet, a, b, c, vm, cluster("overlay", ""), second(cluster("overlay", "")), workload("v", "pa"), workload("w", "pb", "10.244.0.4"), elsewhere(workload("z", "pb", "10.244.0.4"))},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.244.0.4", port: 443},
			model.Place{Kind: model.PlacePod, ID: model.Kubernetes("aks2", "Deployment", "x", "z"), Part: "pb"},
			none,
		},
		{
			"AKS-NET-07: and that of the own cluster is reached",
			small{vnet, a, b, c, vm, cluster("overlay", ""), second(cluster("overlay", "")), workload("v", "pa"), workload("w", "pb", "10.244.0.4"), elsewhere(workload("z", "pb", "10.244.0.4"))},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.244.0.4", port: 443},
			pod("w", "pb"), all,
		},
		{
			"AZ-ASG-05: the address of a pod may be that of a node in the group",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), vm, group, denyGroup, grouped(cluster("", "")), workload("w", "pb")},
			sent{from: pod("w", "pb"), src: symbol, dst: "10.0.0.12", port: 443},
			machine, "over",
		},
		{
			"AZ-ASG-05: a pod of another subnet has none of theirs",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), vm, group, denyGroup, grouped(cluster("", "")), workload("v", "pa")},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.0.0.12", port: 443},
			machine, all,
		},
		{
			"AZ-ASG-05: what a node gets is for a member of the node's groups",
			small{vnet, a, b, c, vm, group, managed(group), grouped(cluster("", ""))},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.1.4", port: 443},
			node("pb"), none,
		},
		{
			"AZ-ASG-05: and for none of groups that the node is not in",
			small{vnet, a, b, c, vm, group, managed(group), grouped(cluster("", ""))},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.0.4", port: 443},
			node("pa"), all,
		},
		{
			"AZ-ASG-05: a node sends with an address of its groups",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), joined, group, ofVM, denyBoth, grouped(cluster("overlay", ""))},
			sent{from: node("pb"), src: "10.0.1.4", dst: "10.0.0.12", port: 443},
			machine, none,
		},
		{
			"AZ-ASG-05: so do its pods behind it",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), joined, group, ofVM, denyBoth, grouped(cluster("overlay", "")), workload("w", "pb")},
			sent{from: pod("w", "pb"), src: symbol, dst: "10.0.0.12", port: 443},
			machine, none,
		},
		{
			"AZ-ASG-05: not the nodes of another pool in the subnet",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), joined, group, ofVM, denyBoth, beside(grouped(cluster("overlay", "")))},
			sent{from: node("pa"), src: "10.0.1.4", dst: "10.0.0.12", port: 443},
			machine, all,
		},
		{
			"AZ-ASG-05: one of another pool may pass on as its own what a member sends",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), joined, group, ofVM, denyBoth, beside(grouped(cluster("overlay", ""))), service("NodePort", "", 80, 8080)},
			sent{from: node("pb"), src: "10.0.1.4", dst: "10.0.1.5", port: 30080},
			machine, "over",
		},
		{
			"AZ-ASG-05: not for a Service whose packets come to no node",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), joined, group, ofVM, denyBoth, beside(grouped(cluster("overlay", ""))), workload("w", "pb"), with(service("ClusterIP", "", 80, 8080), func(s *model.KubeService) { s.ExternalIPs = []netip.Addr{ip("198.51.100.9")} })},
			sent{from: pod("w", "pb"), src: symbol, dst: "10.0.0.12", port: 443},
			machine, none,
		},
		{
			"AZ-ASG-05, K8S-SVC-09: another pool's node passes on as its own what a member sends to a pod of the host network",
			small{vnet, a, b, c, group, fromTo(group), beside(grouped(cluster("overlay", ""))), onHost(workload("w", "pb")), with(service("NodePort", "w", 80, 8080), func(s *model.KubeService) { s.Ports[0].NodePort = 30080 })},
			sent{from: node("pb"), src: "10.0.1.4", dst: "10.0.1.5", port: 30080},
			pod("w", "pb"), all,
		},
		{
			"AZ-ASG-05, K8S-SVC-09: and to a pod",
			small{vnet, a, b, c, group, toPods(group), beside(grouped(cluster("overlay", ""))), workload("w", "pb"), with(service("NodePort", "w", 80, 8080), func(s *model.KubeService) { s.Ports[0].NodePort = 30080 })},
			sent{from: node("pb"), src: "10.0.1.4", dst: "10.0.1.5", port: 30080},
			pod("w", "pb"), all,
		},
		{
			"AZ-ASG-05, AKS-OUT-09: a static egress gateway of another pool shows the addresses of its own nodes",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), joined, group, ofVM, denyBoth, egressBy(beside(grouped(cluster("overlay", "")))), byEgress(workload("w", "pb"))},
			sent{from: pod("w", "pb"), src: symbol, dst: "10.0.0.12", port: 443},
			machine, "over",
		},
		{
			"AZ-ASG-05, AZ-GEN-08: what is not modelled may pass on with its own address what a member sends",
			small{vnet, a, b, guarded(subnet("c", "10.0.0.8/29")), joined, group, ofVM, denyBoth, grouped(cluster("overlay", ""))},
			sent{from: node("pb"), src: "10.0.1.4", dst: "10.0.1.5", port: 443, carried: b.ID},
			machine, "over",
		},
		{
			"AZ-ASG-05: by itself it does not get there",
			small{vnet, a, b, c, group, fromTo(group), beside(grouped(cluster("overlay", ""))), onHost(workload("w", "pb"))},
			sent{from: node("pb"), src: "10.0.1.4", dst: "10.0.1.5", port: 8080},
			pod("w", "pb"), none,
		},
		{
			"K8S-NP-23: a pod gets to its own address by its host port, perhaps, whatever isolates it",
			small{vnet, a, b, c, func() *model.Cluster { x := cluster("", "azure"); x.Pools[1].PodSubnet = c.ID; return x }(), block("203.0.113.0/24"), func() *model.Workload {
				w := workload("w", "pb", "10.0.0.12")
				w.HostPorts = []model.ContainerPort{{Port: 53, Protocol: model.TCP, Target: 443}}
				return w
			}()},
			sent{from: pod("w", "pb"), src: "10.0.0.12", dst: "10.0.1.4", port: 53},
			pod("w", "pb"), "over",
		},
		{
			"K8S-SVC-06: an external IP that is a node's address leads to the pods",
			small{vnet, a, b, c, vm, cluster("overlay", ""), workload("w", "pb"), with(service("ClusterIP", "w", 80, 8080), func(s *model.KubeService) { s.ExternalIPs = []netip.Addr{ip("10.0.0.4")} })},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.0.4", port: 80},
			pod("w", "pb"), all,
		},
		{
			"K8S-SVC-06: and may take what a host port of the node would",
			small{vnet, a, b, c, vm, cluster("overlay", ""), onHost(workload("h", "pa")), workload("w", "pb"), with(service("ClusterIP", "w", 80, 8080), func(s *model.KubeService) { s.ExternalIPs = []netip.Addr{ip("10.0.0.4")} })},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.0.4", port: 80},
			pod("h", "pa"), "over",
		},
		{
			"K8S-NP-23: and by a Service of its own",
			small{vnet, a, b, c, cluster("overlay", "azure"), block("203.0.113.0/24"), workload("w", "pb", "10.244.0.5"), service("ClusterIP", "w", 80, 8080)},
			sent{from: pod("w", "pb"), src: "10.244.0.5", dst: "10.250.0.4", port: 80},
			pod("w", "pb"), "over",
		},
		{
			"K8S-NP-23: not another replica",
			small{vnet, a, b, c, cluster("overlay", "azure"), block("203.0.113.0/24"), workload("w", "pb", "10.244.0.5", "10.244.0.6"), service("ClusterIP", "w", 80, 8080)},
			sent{from: pod("w", "pb"), src: "10.244.0.6", dst: "10.244.0.5", port: 8080},
			pod("w", "pb"), none,
		},
		{
			"K8S-SVC-01: behind a Service each running pod has its own address, of which a policy may admit one",
			small{vnet, a, b, c, cluster("overlay", "calico"), outward("10.244.0.6/32"), workload("v", "pa"), workload("w", "pb", "10.244.0.5", "10.244.0.6"), service("ClusterIP", "w", 80, 8080)},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.250.0.4", port: 80},
			pod("w", "pb"), all,
		},
		{
			"AKS-NET-12: the reply to a node's address is that address's, whichever pod of the host network asked",
			small{vnet, a, b, routed(subnet("c", "10.0.0.8/29")), vm, table("10.0.0.6/31", model.HopInternet, ""), cluster("overlay", ""), onHost(workload("w", "pa"))},
			sent{from: pod("w", "pa"), src: "10.0.0.4", dst: "10.0.0.12", port: 443},
			machine, all,
		},
		{
			"K8S-SVC-08: at a node's port a packet stays on the node or crosses to another of the pool",
			small{vnet, a, guarded(subnet("b", "10.0.1.0/29")), c, vm, admitOnly("30080", "443"), cluster("overlay", ""), workload("w", "pb"), onPort30080},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.1.4", port: 30080},
			pod("w", "pb"), "over",
		},
		{
			"AZ-GEN-05: the reply to a node's own address stays on the node, whatever pods hide behind it",
			small{vnet, a, b, c, cluster("overlay", ""), workload("v", "pa"), workload("w", "pa"), onPort30080},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.0.0.4", port: 30080},
			pod("w", "pa"), all,
		},
		{
			"AKS-NET-05: a route to an address of kubenet nodes leads to their pods",
			small{vnet, a, b, routed(subnet("c", "10.0.0.8/29")), vm, table("10.244.0.0/16", model.HopAppliance, "10.0.0.4"), kubenet(cluster("overlay", "")), workload("w", "pa")},
			sent{from: machine, src: "10.0.0.12", to: podOf("w"), port: 443},
			pod("w", "pa"), all,
		},
		{
			"AKS-NET-05: rules of the nodes may not know that an address is a pod's",
			small{vnet, a, b, routed(subnet("c", "10.0.0.8/29")), vm, table("10.244.0.0/16", model.HopAppliance, "10.0.0.4"), kubenet(cluster("overlay", "")), workload("w", "pa", "10.244.0.4")},
			sent{from: machine, src: "10.0.0.12", dst: "10.244.0.4", port: 443},
			pod("w", "pa"), "over",
		},
		{
			"AKS-NET-05: the nodes of another pool are not at that address",
			small{vnet, a, b, routed(subnet("c", "10.0.0.8/29")), vm, table("10.244.0.0/16", model.HopAppliance, "10.0.0.4"), kubenet(cluster("overlay", "")), workload("w", "pb")},
			sent{from: machine, src: "10.0.0.12", to: podOf("w"), port: 443},
			pod("w", "pb"), none,
		},
		{
			"K8S-SVC-08, K8S-NP-22: on another node the packet is none of the pod's own node",
			small{vnet, a, b, c, vm, cluster("", "azure"), workload("w", ""), block("203.0.113.0/24"), onPort30080},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.0.4", port: 30080},
			pod("w", "pb"), none,
		},
		{
			"AKS-API-01, AZ-RT-17: a public API server is in AzureCloud",
			small{vnet, a, b, routed(subnet("c", "10.0.0.8/29")), vm, &model.RouteTable{Meta: smallMeta("routeTables/t"), Routes: []model.UserRoute{{Name: "r", Tag: "AzureCloud", NextHop: model.HopNone}}}, cluster("overlay", "")},
			sent{from: machine, src: "10.0.0.12", to: api, port: 443, tags: []string{"azurecloud"}},
			model.Place{Kind: model.PlaceAPIServer, ID: smallID("managedClusters/aks")},
			none,
		},
		{
			"AZ-ASG-05: to pods of other nodes, too, a node sends with an address of its groups",
			small{vnet, a, guarded(subnet("b", "10.0.1.0/29")), c, joined, group, denyOut, beside(grouped(cluster("overlay", ""))), workload("w", "pa"), service("NodePort", "", 80, 8080)},
			sent{from: node("pb"), src: "10.0.1.4", to: podOf("w"), port: 443},
			pod("w", "pa"), none,
		},
		{
			"AZ-PEER-14: a peered subnet's own pods are of it, wherever their addresses may lie",
			small{ofB, far, inFar, a, b, cluster("", ""), workload("w", "")},
			sent{from: pod("w", "pb"), src: symbol, dst: "10.0.2.4", port: 443},
			model.Place{Kind: model.PlaceSubnet, ID: inFar.ID},
			all,
		},
		{
			"K8S-SVC-08: by a load balancer the client meets the pod's node",
			small{vnet, a, guarded(subnet("b", "10.0.1.0/29")), c, vm, admitOnly("443", "30080"), cluster("overlay", ""), workload("w", "pb"), service("LoadBalancer", "w", 443, 8080)},
			sent{from: internet, src: "198.51.100.7", to: front, port: 443},
			pod("w", "pb"), all,
		},
		{
			"AZ-GW-12: a pod's address is translated to one of the outer range",
			small{vnet, gateway, a, b, c, site, tunnel, vpn, cluster("", ""), workload("w", "pb")},
			sent{from: pod("w", "pb"), src: symbol, dst: "192.168.0.3", port: 443},
			model.Place{Kind: model.PlaceFarSide, ID: vpn.ID, Part: tunnel.Name()},
			all,
		},
		{
			"AZ-PEER-05: two ranges of the VNet hold the address of a pod together",
			small{peered, far, inFar, a, b, cluster("", ""), workload("w", "")},
			sent{from: pod("w", "pb"), src: symbol, dst: "10.0.2.4", port: 443},
			model.Place{Kind: model.PlaceSubnet, ID: inFar.ID},
			all,
		},
		{
			"AKS-NET-09: the public address of a pool leads to the instances of its scale set",
			small{vnet, a, b, c, vm, public(cluster("overlay", "")), instances(model.IPConfig{Name: "a", Subnet: b.ID, Primary: true})},
			sent{from: internet, src: "198.51.100.7", to: doorOf, port: 443},
			model.Place{Kind: model.PlaceScaleSet, ID: instances().ID, Part: "a"},
			"over",
		},
		{
			"AKS-NET-12: a scale set without a profile leaves the pool its nodes",
			small{vnet, a, b, c, vm, public(cluster("overlay", "")), instances()},
			sent{from: internet, src: "198.51.100.7", to: doorOf, port: 443},
			node("pb"), "over",
		},
		{
			"AKS-NET-08: no NSG sees the address of a Service",
			small{vnet, guarded(subnet("a", "10.0.0.0/29")), guarded(subnet("b", "10.0.1.0/29")), c, vm, deny("10.250.0.0/16"), cluster("overlay", ""), workload("v", "pa"), workload("w", "pb"), service("ClusterIP", "w", 80, 8080)},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.250.0.4", port: 80},
			pod("w", "pb"), all,
		},
		{
			"K8S-SVC-03: a headless Service translates nothing",
			small{vnet, a, b, c, vm, cluster("overlay", ""), workload("v", "pa"), workload("w", "pb", "10.244.0.4"), with(service("ClusterIP", "w", 80, 8080), func(s *model.KubeService) { s.ClusterIP = "None" })},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.244.0.4", port: 80},
			pod("w", "pb"), all,
		},
		{
			"K8S-SVC-05: a Service opens nothing that policies of the pods keep shut",
			small{vnet, a, b, c, vm, cluster("overlay", "azure"), workload("v", "pa"), workload("w", "pb"), block("203.0.113.0/24"), service("ClusterIP", "w", 80, 8080)},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.250.0.4", port: 80},
			pod("w", "pb"), none,
		},
		{
			"AKS-POL-04: a policy in kube-system acts as any other",
			small{vnet, a, b, c, vm, cluster("overlay", "azure"), workload("v", "pa"), inSystem(workload("w", "pb")), func() *model.NetworkPolicy {
				p := block("203.0.113.0/24")
				p.ID, p.Namespace = model.Kubernetes("aks", "NetworkPolicy", "kube-system", "p"), "kube-system"
				return p
			}()},
			sent{from: pod("v", "pa"), src: symbol, to: model.Symbol{Kind: model.PodAddress, Owner: model.Kubernetes("aks", "Deployment", "kube-system", "w")}, port: 443},
			model.Place{Kind: model.PlacePod, ID: model.Kubernetes("aks", "Deployment", "kube-system", "w"), Part: "pb"},
			none,
		},
		{
			"AKS-POL-09: SSH switched off in the pool is no filter",
			small{vnet, a, b, c, vm, func() *model.Cluster { x := cluster("overlay", ""); x.Pools[0].SSHAccess = "Disabled"; return x }()},
			sent{from: machine, src: "10.0.0.12", dst: "10.0.0.4", port: 22},
			node("pa"), all,
		},
		{
			"AKS-API-05: a client that uses the address needs no zone",
			small{vnet, a, b, c, vm, private(cluster("overlay", ""))},
			sent{from: machine, src: "10.0.0.12", to: api, port: 443},
			model.Place{Kind: model.PlaceAPIServer, ID: smallID("managedClusters/aks")},
			all,
		},
		{
			"AZ-GEN-08: what was not understood of one of the node subnets may stop packets to the API server, endpoint policies or not",
			small{vnet, a, b, c, vm, private(cluster("overlay", ""))},
			sent{from: machine, src: "10.0.0.12", to: api, port: 443, misread: b.ID},
			model.Place{Kind: model.PlaceAPIServer, ID: smallID("managedClusters/aks")},
			"over",
		},
		{
			"AZ-PE-07: the API server's endpoint has the limit of any other",
			small{vnet, enforced(guarded(subnet("a", "10.0.0.0/29"))), enforced(guarded(subnet("b", "10.0.1.0/29"))), c, vm, huge, private(cluster("overlay", ""))},
			sent{from: machine, src: "10.0.0.12", to: api, port: 443},
			model.Place{Kind: model.PlaceAPIServer, ID: smallID("managedClusters/aks")},
			"over",
		},
		{
			"AKS-NET-09: pods of a pod subnet do not leave by their node's public address",
			small{vnet, a, b, c, podSubnet(cluster("", "")), workload("w", "pa")},
			sent{from: pod("w", "pa"), src: symbol, dst: "198.51.100.7", protocol: model.ICMP},
			internet, "",
		},
		{
			"AKS-NET-09: nor do those whose nodes are a scale set of the input",
			small{vnet, a, b, c, podSubnet(cluster("", "")), nodes, workload("w", "pa")},
			sent{from: pod("w", "pa"), src: symbol, dst: "198.51.100.7", protocol: model.ICMP},
			internet, "",
		},
		{
			"AKS-NET-04: a pod of a pod subnet has no configuration of the node's profile",
			small{vnet, a, b, c, func() *model.Cluster { x := podSubnet(cluster("", "")); x.Pools[0].PublicIPs = model.Off; return x }(), nodes, workload("w", "pa")},
			sent{from: pod("w", "pa"), src: symbol, dst: "198.51.100.7", port: 443},
			internet, all,
		},
		{
			"AKS-OUT-02: replies to a public frontend are lost behind a default route to a firewall",
			small{
				vnet, routed(subnet("a", "10.0.0.0/29")), routed(subnet("b", "10.0.1.0/29")), c, vm, table("0.0.0.0/0", model.HopAppliance, "10.0.0.12"),
				func() *model.Cluster { x := cluster("overlay", ""); x.OutboundType = "userDefinedRouting"; return x }(), workload("w", "pb"), service("LoadBalancer", "w", 80, 8080),
			},
			sent{from: internet, src: "198.51.100.7", to: front, port: 80},
			pod("w", "pb"), "over one-way",
		},
		{
			"AZ-RT-18: a node hands on to a pod of another node by its subnet's routes, and a machine that forwards nothing ends them",
			small{vnet, a, routed(subnet("b", "10.0.1.0/29")), c, vm, table("10.0.0.0/29", model.HopAppliance, "10.0.0.12"), cluster("", ""), workload("w", "pa"), onPort30080},
			sent{from: node("pa"), src: "10.0.0.4", dst: "10.0.1.4", port: 30080},
			pod("w", "pa"), none,
		},
		{
			"AZ-RT-18: a next hop that the input lacks may lead them anywhere",
			small{vnet, a, routed(subnet("b", "10.0.1.0/29")), c, vm, table("10.0.0.0/29", model.HopAppliance, "10.0.0.13"), cluster("", ""), workload("w", "pa"), onPort30080},
			sent{from: node("pa"), src: "10.0.0.4", dst: "10.0.1.4", port: 30080},
			machine, "over",
		},
		{
			"AZ-RT-18: and to the pod",
			small{vnet, a, routed(subnet("b", "10.0.1.0/29")), c, vm, table("10.0.0.0/29", model.HopAppliance, "10.0.0.13"), cluster("", ""), workload("w", "pa"), onPort30080},
			sent{from: node("pa"), src: "10.0.0.4", dst: "10.0.1.4", port: 30080},
			pod("w", "pa"), "over",
		},
		{
			"K8S-SVC-09: what kube-proxy masquerades comes from no pod, for cluster-wide policies",
			small{vnet, a, b, c, vm, cluster("", "calico"), workload("v", "pa"), workload("w", "pa"), denyPods, onPort30080},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.0.1.4", port: 30080},
			pod("w", "pa"), all,
		},
		{
			"K8S-CNP-08: the pod itself is refused, if the engine enforces them",
			small{vnet, a, b, c, vm, cluster("", "calico"), workload("v", "pa"), workload("w", "pa"), denyPods, onPort30080},
			sent{from: pod("v", "pa"), src: symbol, to: podOf("w"), port: 8080},
			pod("w", "pa"), "over",
		},
		{
			"K8S-SVC-12: a pod that calls a frontend comes as its node, which its own pods always admit",
			small{vnet, a, b, c, vm, cluster("", "calico"), workload("v", "pa"), workload("w", "pa"), block("203.0.113.0/24"), service("LoadBalancer", "w", 80, 8080)},
			sent{from: pod("v", "pa"), src: symbol, to: front, port: 80},
			pod("w", "pa"), "over",
		},
		{
			"K8S-SVC-12: on another node a policy that names the node subnet admits it",
			small{vnet, a, b, c, vm, cluster("", "calico"), workload("v", "pa"), workload("w", "pb"), block("10.0.0.0/29"), service("LoadBalancer", "w", 80, 8080)},
			sent{from: pod("v", "pa"), src: symbol, to: front, port: 80},
			pod("w", "pb"), all,
		},
		{
			"K8S-SVC-12: and one that names neither does not",
			small{vnet, a, b, c, vm, cluster("", "calico"), workload("v", "pa"), workload("w", "pb"), block("203.0.113.0/24"), service("LoadBalancer", "w", 80, 8080)},
			sent{from: pod("v", "pa"), src: symbol, to: front, port: 80},
			pod("w", "pb"), none,
		},
		{
			"K8S-SVC-12: by the cluster address it comes as itself",
			small{vnet, a, b, c, vm, cluster("", "calico"), workload("v", "pa"), workload("w", "pa"), block("203.0.113.0/24"), service("LoadBalancer", "w", 80, 8080)},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.250.0.4", port: 80},
			pod("w", "pa"), none,
		},
		{
			"K8S-SVC-12: with the traffic policy Local too",
			small{vnet, a, b, c, vm, cluster("", "calico"), workload("v", "pa"), workload("w", "pa"), block("203.0.113.0/24"), with(service("LoadBalancer", "w", 80, 8080), func(s *model.KubeService) { s.LocalPolicy = true })},
			sent{from: pod("v", "pa"), src: symbol, to: front, port: 80},
			pod("w", "pa"), none,
		},
		{
			"K8S-SVC-12: and with Cilium",
			small{vnet, a, b, c, vm, cluster("", "cilium"), workload("v", "pa"), workload("w", "pa"), block("203.0.113.0/24"), service("LoadBalancer", "w", 80, 8080)},
			sent{from: pod("v", "pa"), src: symbol, to: front, port: 80},
			pod("w", "pa"), none,
		},
		{
			"K8S-SVC-12: ranges of clients are asked for pods as well",
			small{vnet, a, b, c, vm, cluster("", "calico"), workload("v", "pa"), workload("w", "pa"), with(service("LoadBalancer", "w", 80, 8080), func(s *model.KubeService) { s.SourceRanges = cidrs("198.51.100.0/24") })},
			sent{from: pod("v", "pa"), src: symbol, to: front, port: 80},
			pod("w", "pa"), "over",
		},
		{
			"K8S-NPM-02: by a Service too a pod reaches pods of its own node's network",
			small{vnet, a, b, c, cluster("overlay", "azure"), workload("v", "pa"), onHost(workload("w", "pa")), outward("203.0.113.0/24"), service("ClusterIP", "w", 80, 8080)},
			sent{from: pod("v", "pa"), src: symbol, dst: "10.250.0.4", port: 80},
			pod("w", "pa"), "over",
		},
		{
			"K8S-GEN-02: port 0 of a pod that nothing isolates",
			small{vnet, a, b, c, vm, cluster("", ""), workload("w", "pa")},
			sent{from: node("pb"), src: "10.0.1.4", to: podOf("w")},
			pod("w", "pa"), all,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := modeltest.Draft{Resources: test.estate}
			if id := test.packet.misread; id != "" {
				d.Ledger = []model.LedgerEntry{{Resource: smallID("things/x"), Type: "Contoso.Network/things", Disposition: model.Unsupported, Affects: []model.ID{id}, Role: model.Steers}}
			}
			if id := test.packet.carried; id != "" {
				d.Ledger = []model.LedgerEntry{{Resource: smallID("things/x"), Type: "Contoso.Network/things", Disposition: model.Unsupported, Affects: []model.ID{id}, Role: model.Carries}}
			}
			j, err := newJoint(d.Clone())
			if err != nil {
				t.Fatal(err)
			}
			symbols := j.s.Project.Estate.Symbols()
			p := trace.Packet{From: test.packet.from, Protocol: model.TCP, SPort: 50000, DPort: test.packet.port, Tags: test.packet.tags}
			if test.packet.protocol != 0 {
				p.Protocol, p.SPort = test.packet.protocol, 0
			}
			if test.packet.src == symbol {
				p.Src, _ = symbols.Of(model.PodAddress, test.packet.from.ID, "")
			} else {
				p.Src = ip(test.packet.src)
			}
			if to := test.packet.to; to.Owner != "" {
				p.Dst, _ = symbols.Of(to.Kind, to.Owner, to.Part)
			} else {
				p.Dst = ip(test.packet.dst)
			}
			q, ok := j.find(p)
			if !ok {
				t.Fatalf("nobody sends %s from %s", p, placeText(p.From))
			}
			if diff := j.differ(q); diff != "" {
				t.Errorf("the engines differ: %s", diff)
			}
			if got := bounds(j.solver(q)[placeText(test.at)]); got != test.want {
				t.Errorf("%s at %s: got %q, want %q; all: %v", p, placeText(test.at), got, test.want, j.solver(q))
			}
		})
	}
}

// A node takes packets to a Service's addresses before any route sees them (K8S-SVC-01): a question about the address, or about the load
// balancer that has it, counts them as the interpreter delivers them.
func TestServiceAddressesFromInside(t *testing.T) {
	asked, reached := 0, 0
	for _, example := range []string{"aks-pci", "regulated-baseline"} {
		p := project(t, "../examples/"+example)
		var questions []model.Selector
		parse := func(text string) model.Selector {
			sel, err := model.ParseSelector(text)
			if err != nil {
				t.Fatal(err)
			}
			return sel
		}
		for _, k := range p.Estate.KubeServices {
			for _, a := range addressesOfService(k) {
				questions = append(questions, parse("ip:"+a.String()))
			}
		}
		s, err := Solve(p, Options{Questions: questions})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range p.Estate.KubeServices {
			for _, a := range addressesOfService(k) {
				for _, port := range k.Ports {
					for _, w := range p.Estate.Workloads {
						from, to := parse("pod:"+w.Namespace+"/"+w.Name()), parse("ip:"+a.String())
						svc := model.PortService{Protocol: port.Protocol, Ports: model.PortRange{First: port.Port, Last: port.Port}}
						followed, err := s.Trace([]model.Selector{from}, []model.Selector{to}, svc, "", false)
						if err != nil {
							continue // a workload that sends nothing
						}
						r, err := s.Reach([]model.Selector{from}, []model.Selector{to}, []model.PortService{svc}, true)
						if err != nil {
							t.Fatal(err)
						}
						asked++
						if followed.Verdict == Reachable {
							reached++
						}
						if followed.Verdict != Unreachable && r.Verdict == Unreachable || followed.Verdict == Reachable && r.Verdict != Reachable && !w.HostNetwork { // which may run on nodes that differ
							t.Errorf("%s: %s to %s %s: reach says %s, a trace %s", example, from.Text, to.Text, svc, r.Verdict, followed.Verdict)
						}
					}
				}
			}
		}
	}
	if asked == 0 || reached == 0 {
		t.Errorf("%d asked, %d reached", asked, reached)
	}
	t.Logf("%d asked, %d reached", asked, reached)
}

func addressesOfService(k *model.KubeService) []netip.Addr {
	out := slices.Concat(k.Ingress, k.ExternalIPs)
	if a, err := netip.ParseAddr(k.ClusterIP); err == nil {
		out = append(out, a)
	}
	return out
}
