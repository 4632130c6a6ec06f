package trace

import (
	"net/netip"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// aksEstate is a cluster on two subnets with a machine beside it; the NSG of the node subnets has the rules given.
func aksEstate(t testing.TB, plugin, mode, policy string, rules ...string) (*builder, *model.Cluster) {
	b := estate(t)
	b.vnet("net", "10.1.0.0/16")
	b.nsg("nodes", rules...)
	b.routes("kubenet", "10.244.0.0/24 10.1.1.4")
	b.subnet("net/a", "10.1.1.0/24", "nsg=nodes", "rt=kubenet")
	b.subnet("net/b", "10.1.2.0/24", "nsg=nodes")
	b.subnet("net/vms", "10.1.6.0/24", "rt=kubenet")
	b.nic("vm", "net/vms", "10.1.6.4")
	return b, b.cluster("aks", plugin, mode, policy, "net/a", "net/b")
}

func nodePlace(pool string) model.Place {
	return model.Place{Kind: model.PlaceNodePool, ID: clusterID("aks"), Part: pool}
}

// AKS-NET-05: a kubenet route table leads from the VNet to pods.
func TestKubenet(t *testing.T) {
	b, c := aksEstate(t, "kubenet", "", "calico")
	api := b.workload(c, "pay", "api")
	api.NodeSelector = map[string]string{"kubernetes.azure.com/agentpool": "a"}
	e := b.build()
	r := Run(e, Options{}, toPod(e, api, "10.1.6.4", 8080))
	check(t, "a machine to a pod", r, ask(r, podPlace(api, "a")), unclear) // the table has a route for one slice only
	api.Addresses = []netip.Addr{addr("10.244.0.9")}
	e = b.build()
	r = Run(e, Options{}, packet("10.1.6.4 > 10.244.0.9 tcp/8080"))
	check(t, "a machine to a live pod", r, ask(r, podPlace(api, "a")), unclear) // whether the nodes' tag holds the pod CIDR is open
	for _, g := range e.NSGs {
		g.Rules = append([]model.SecurityRule{rule("100 Allow In * 10.1.6.0/24 -> * *")}, g.Rules...)
	}
	r = Run(e, Options{}, packet("10.1.6.4 > 10.244.0.9 tcp/8080"))
	check(t, "with a rule by address", r, ask(r, podPlace(api, "a")), unclear) // the managed NSG is not in the input
	if !hasAssumption(r, "ASM-A-NODENSG") {
		t.Errorf("ASM-A-NODENSG is missing: %v", assumptionsOf(r))
	}
}

// K8S-SVC-06, K8S-AZ-09, K8S-NP-25: node ports, host ports, pods of the host network.
func TestNodeAddresses(t *testing.T) {
	b, c := aksEstate(t, "azure", "overlay", "none")
	web := b.workload(c, "pay", "web", port("http", 8080))
	web.HostPorts = []model.ContainerPort{port("http", 9090)}
	web.NodeSelector = map[string]string{"agentpool": "a"}
	agent := b.workload(c, "sys", "agent")
	agent.HostNetwork, agent.Kind = true, "DaemonSet"
	b.kubeService(c, "pay", "web", "NodePort", 80, 8080).Ports[0].NodePort = 30080
	e := b.build()
	for _, test := range []struct{ packet, want string }{
		{"10.1.6.4 > 10.1.1.9 tcp/30080", "node pool aks a, pod agent a?, pod web a, pod web a?, subnet a"}, // by another node, and perhaps on this one
		{"10.1.6.4 > 10.1.2.9 tcp/30080", "node pool aks b, pod agent b?, pod web a, subnet b"},             // any node forwards
		{"10.1.6.4 > 10.1.1.9 tcp/9090", "node pool aks a, pod agent a, pod web a, subnet a"},
		{"10.1.6.4 > 10.1.2.9 tcp/9090", "node pool aks b, pod agent b, subnet b"},
		{"10.1.6.4 > 10.1.1.9 tcp/22", "node pool aks a, pod agent a, subnet a"},
	} {
		r := Run(e, Options{}, packet(test.packet))
		check(t, test.packet, r, ends(r), test.want)
		for _, p := range r.Paths {
			if p.At.ID == web.ID && p.Packet.DPort != 8080 {
				t.Errorf("%s: arrives on port %d", test.packet, p.Packet.DPort)
			}
		}
	}
}

// K8S-NPM-02, K8S-AZ-07: egress to the own node, and to the host addresses.
func TestEgressToNode(t *testing.T) {
	for _, engine := range []string{"azure", "calico"} {
		b, c := aksEstate(t, "azure", "overlay", engine)
		api := b.workload(c, "pay", "api")
		api.NodeSelector = map[string]string{"agentpool": "a"}
		b.namespace(c, "pay")
		b.add(&model.NetworkPolicy{Meta: meta(model.Kubernetes("aks", "NetworkPolicy", "pay", "out")), Cluster: c.ID, Namespace: "pay", Isolates: [2]bool{false, true}})
		e := b.build()
		want := nothing
		if engine == "azure" {
			want = unclear // the node may be its own
		}
		r := Run(e, Options{}, fromPodTo(e, api, "10.1.1.9", 10250))
		check(t, engine+" to its node pool", r, ask(r, nodePlace("a")), want)
		r = Run(e, Options{}, fromPodTo(e, api, "10.1.2.9", 10250))
		check(t, engine+" to another pool", r, ask(r, nodePlace("b")), nothing)
		r = Run(e, Options{}, fromPodTo(e, api, "169.254.169.254", 80))
		check(t, engine+" to the metadata service", r, ask(r, model.Place{Kind: model.PlacePlatform}), nothing)
	}
}

// K8S-AZ-05: pods pinned to different pools meet NSGs for certain.
func TestPinnedPods(t *testing.T) {
	for _, test := range []struct{ pool, want string }{{"a", unclear}, {"b", nothing}} {
		b, c := aksEstate(t, "azure", "overlay", "none", "100 Deny In * 10.244.0.0/16 -> * *")
		x, y := b.workload(c, "n", "x"), b.workload(c, "n", "y")
		x.NodeSelector, y.NodeSelector = map[string]string{"agentpool": "a"}, map[string]string{"agentpool": test.pool}
		e := b.build()
		r := Run(e, Options{}, Packet{Src: podAddr(e, x), Dst: podAddr(e, y), Protocol: model.TCP, DPort: 80})
		check(t, "pool "+test.pool, r, ask(r, podPlace(y, test.pool)), test.want)
	}
}

// K8S-AZ-06: default rules pass pod addresses of the cluster; a custom rule with the tag may or may not.
func TestPodCIDRTag(t *testing.T) {
	for _, test := range []struct{ rule, want, why string }{
		{"", reached, "ASM-K-PODCIDR"},
		{"100 Deny In * VirtualNetwork -> * *", unclear, "ASM-K-PODCIDR-TAG"},
	} {
		b, c := aksEstate(t, "azure", "overlay", "none", test.rule)
		x, y := b.workload(c, "n", "x"), b.workload(c, "n", "y")
		x.NodeSelector, y.NodeSelector = map[string]string{"agentpool": "a"}, map[string]string{"agentpool": "b"}
		e := b.build()
		r := Run(e, Options{}, Packet{Src: podAddr(e, x), Dst: podAddr(e, y), Protocol: model.TCP, DPort: 80})
		check(t, test.rule, r, ask(r, podPlace(y, "b")), test.want)
		if !hasAssumption(r, test.why) {
			t.Errorf("%s is missing: %v", test.why, assumptionsOf(r))
		}
	}
}

// K8S-WL-07: taints, tolerations and labels place pods; what fits nowhere may be anywhere.
func TestPlacement(t *testing.T) {
	c := &model.Cluster{Pools: []model.NodePool{
		{Name: "sys", Mode: "System", Taints: []string{"CriticalAddonsOnly=true:NoSchedule"}, OS: "Linux"},
		{Name: "cde", Mode: "User", Labels: map[string]string{"zone": "cde"}, Taints: []string{"pci=yes:NoExecute"}},
		{Name: "rest", Mode: "User", Taints: []string{"x=y:PreferNoSchedule"}},
	}}
	for _, test := range []struct {
		name string
		w    model.Workload
		want []string
	}{
		{"plain", model.Workload{}, []string{"rest"}},
		{"tolerates pci", model.Workload{Tolerations: []model.Toleration{{Key: "pci", Operator: "Equal", Value: "yes"}}}, []string{"cde", "rest"}},
		{"pinned to cde", model.Workload{NodeSelector: map[string]string{"zone": "cde"}, Tolerations: []model.Toleration{{Key: "pci", Operator: "Exists"}}}, []string{"cde", "rest"}},
		{"by mode", model.Workload{NodeSelector: map[string]string{"kubernetes.azure.com/mode": "system"}, Tolerations: []model.Toleration{{Operator: "Exists"}}}, []string{"sys"}},
		{"by a node's own label", model.Workload{NodeSelector: map[string]string{"topology.kubernetes.io/zone": "1"}}, []string{"rest"}},
		{"wrong effect", model.Workload{Tolerations: []model.Toleration{{Key: "pci", Operator: "Exists", Effect: "NoSchedule"}}}, []string{"rest"}},
		{"pinned by name", model.Workload{NodeSelector: map[string]string{"agentpool": "cde"}}, []string{"cde"}}, // whose taint may go
		{"a label that a pool states otherwise", model.Workload{NodeSelector: map[string]string{"zone": "gone"}}, []string{"rest"}},
		{"fits nowhere", model.Workload{NodeSelector: map[string]string{"agentpool": "gone"}}, []string{"sys", "cde", "rest"}},
	} {
		var got []string
		for _, p := range placements(&test.w, c) {
			got = append(got, p.Name)
		}
		if len(got) != len(test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: got %v, want %v", test.name, got, test.want)
			}
		}
	}
}

// AKS-POL-01, AKS-POL-02, K8S-NP-21, K8S-GEN-04: who enforces policies.
func TestEngines(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(c *model.Cluster)
		want   string
		why    string
	}{
		{"azure", func(*model.Cluster) {}, nothing, ""},
		{"none in a live export", func(c *model.Cluster) { c.Policy = "" }, reached, ""},
		{"left out in a template", func(c *model.Cluster) { c.Policy, c.PolicyOpen = "", true }, unclear, "ASM-A-ENGINE"},
		{"data plane cilium", func(c *model.Cluster) { c.Policy, c.DataPlane = "", "cilium" }, nothing, ""},
		{"kubenet with azure", func(c *model.Cluster) { c.Plugin, c.PluginMode = "kubenet", "" }, unclear, "ASM-A-ENGINE"},
		{"cilium on Windows", func(c *model.Cluster) { c.DataPlane, c.Pools[0].OS = "cilium", "Windows" }, unclear, "ASM-K-BYOCNI"},
		{"BYO CNI", func(c *model.Cluster) { c.Plugin, c.PluginMode, c.Policy = "none", "", "" }, nothing, ""},
	} {
		b, c := aksEstate(t, "azure", "overlay", "azure")
		c.Pools = c.Pools[:1]
		test.change(c)
		x, y := b.workload(c, "n", "x"), b.workload(c, "n", "y")
		b.namespace(c, "n")
		b.denyAll(c, "n")
		e := b.build()
		r := Run(e, Options{}, Packet{Src: podAddr(e, x), Dst: podAddr(e, y), Protocol: model.TCP, DPort: 80})
		check(t, test.name, r, ask(r, podPlace(y, "a")), test.want)
		if test.why != "" && !hasAssumption(r, test.why) {
			t.Errorf("%s: %s is missing: %v", test.name, test.why, assumptionsOf(r))
		}
	}
}

// AKS-OUT-01, AKS-NET-09, AKS-OUT-09, AKS-LB-01: ways out of a cluster.
func TestClusterEgress(t *testing.T) {
	for _, test := range []struct {
		name     string
		change   func(c *model.Cluster, w *model.Workload)
		protocol model.Protocol
		want     string
	}{
		{"load balancer", func(*model.Cluster, *model.Workload) {}, model.TCP, "internet"},
		{"no ping through it", func(*model.Cluster, *model.Workload) {}, model.ICMP, "dropped"},
		{"none is no block", func(c *model.Cluster, _ *model.Workload) { c.OutboundType = "none" }, model.TCP, "internet"},
		{"block without the managed NSG", func(c *model.Cluster, _ *model.Workload) { c.OutboundType = "block" }, model.TCP, "dropped, internet?"},
		{"node public address", func(c *model.Cluster, _ *model.Workload) {
			c.OutboundType, c.Pools[0].PublicIPs = "userDefinedRouting", model.On
		}, model.ICMP, "internet"},
		{"static egress gateway", func(_ *model.Cluster, w *model.Workload) {
			w.Annotations = map[string]string{"kubernetes.azure.com/static-gateway-configuration": "gw"}
		}, model.TCP, "internet?, lost"},
		{"managed VNet", func(c *model.Cluster, _ *model.Workload) { c.Pools[0].Subnet = "" }, model.TCP, "internet"},
	} {
		b, c := aksEstate(t, "azure", "overlay", "none")
		c.Pools = c.Pools[:1]
		w := b.workload(c, "n", "x")
		test.change(c, w)
		e := b.build()
		p := fromPodTo(e, w, "203.0.113.9", 443)
		p.Protocol = test.protocol
		r := Run(e, Options{}, p)
		check(t, test.name, r, ends(r), test.want)
	}
}

// AKS-LB-07, AKS-LB-09, K8S-SVC-02, AZ-LB-02: rules of a Service's frontend.
func TestServiceFrontends(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(s *model.KubeService, w *model.Workload)
		want   string
	}{
		{"Local: only nodes with a pod", func(s *model.KubeService, _ *model.Workload) { s.LocalPolicy = true }, "pod web a"},
		{"no rule for the port", func(s *model.KubeService, _ *model.Workload) {
			s.Annotations[annotation("port_443_no_lb_rule")] = "true"
		}, "dropped"},
		{"another port", func(s *model.KubeService, _ *model.Workload) { s.Ports[0].Port = 444 }, "dropped"},
		{"no selector", func(s *model.KubeService, _ *model.Workload) { s.Selector = nil }, "lost"},
		{"no such pods", func(s *model.KubeService, _ *model.Workload) { s.Selector = map[string]string{"app": "gone"} }, "dropped"},
		{"named target that no pod has", func(s *model.KubeService, _ *model.Workload) { s.Ports[0].TargetName = "gone" }, "dropped"},
		{"host network", func(_ *model.KubeService, w *model.Workload) { w.HostNetwork = true }, "pod web a, pod web a?"},
	} {
		b, c := aksEstate(t, "azure", "overlay", "none", "100 Allow In tcp Internet -> * 443")
		web := b.workload(c, "pay", "web", port("https", 8443))
		web.NodeSelector = map[string]string{"agentpool": "a"}
		s := b.kubeService(c, "pay", "web", "LoadBalancer", 443, 8443)
		s.Ingress = []netip.Addr{addr("20.0.0.30")}
		test.change(s, web)
		r := Run(b.build(), Options{}, packet("198.51.100.7 > 20.0.0.30 tcp/443"))
		check(t, test.name, r, ends(r), test.want)
	}
}

// AKS-NET-12: where the input has the scale set, its instances are the nodes and the rest of the subnet stays a class.
func TestScaleSetNodes(t *testing.T) {
	b, c := aksEstate(t, "azure", "overlay", "none")
	b.add(&model.ScaleSet{
		Meta:    meta("/subscriptions/s/resourceGroups/MC_rg_aks_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets/aks-a-vmss"),
		Managed: true, Pool: "a", Profiles: []model.NICProfile{{Primary: true, IPForwarding: model.On, IPConfigs: []model.IPConfig{{Name: "ip", Subnet: subnetID("net/a"), Primary: true}}}},
	})
	_ = c
	e := b.build()
	r := Run(e, Options{}, packet("10.1.6.4 > 10.1.1.9 tcp/22"))
	check(t, "an address of the pool's subnet", r, ends(r), "scale set aks-a-vmss ip, subnet a")
	r = Run(e, Options{}, packet("10.1.6.4 > 10.1.2.9 tcp/22"))
	check(t, "of the other pool", r, ends(r), "node pool aks b, subnet b")
}

// K8S-AZ-08: the API server calls pods through its tunnel.
func TestAPIServerCalls(t *testing.T) {
	b, c := aksEstate(t, "azure", "overlay", "calico")
	web := b.workload(c, "pay", "web")
	b.namespace(c, "pay")
	b.add(&model.NetworkPolicy{
		Meta: meta(model.Kubernetes("aks", "NetworkPolicy", "pay", "in")), Cluster: c.ID, Namespace: "pay", Isolates: [2]bool{true, false},
		Ingress: rules(peers(nsPeer("kubernetes.io/metadata.name", "kube-system"))),
	})
	e := b.build()
	api := model.Place{Kind: model.PlaceAPIServer, ID: c.ID}
	r := Run(e, Options{}, from(api, toPod(e, web, "10.1.9.9", 8443)))
	check(t, "webhook", r, ask(r, podPlace(web, "a")), unclear)
	e.NetPolicies[0].Ingress = nil
	r = Run(e, Options{}, from(api, toPod(e, web, "10.1.9.9", 8443)))
	check(t, "webhook, denied", r, ask(r, podPlace(web, "a")), nothing)
}

// AKS-POL-05, K8S-NP-22: the kubelet's probes come from the pod's own node, which no policy keeps out; another node is.
func TestProbes(t *testing.T) {
	b, c := aksEstate(t, "azure", "overlay", "azure")
	web := b.workload(c, "pay", "web", port("http", 8080))
	web.NodeSelector = map[string]string{"agentpool": "a"}
	web.Addresses = []netip.Addr{addr("10.244.0.9")}
	b.denyAll(c, "pay")
	e := b.build()
	node := func(pool string) Packet {
		p := packet(map[string]string{"a": "10.1.1.9", "b": "10.1.2.9"}[pool] + " > 10.244.0.9 tcp/8080")
		p.From = model.Place{Kind: model.PlaceNodePool, ID: c.ID, Part: pool}
		return p
	}
	own := Run(e, Options{}, node("a"))
	check(t, "own node", own, ask(own, podPlace(web, "a")), reached)
	if !hasAssumption(own, "ASM-K-NODE") {
		t.Errorf("ASM-K-NODE is missing: %v", assumptionsOf(own))
	}
	other := Run(e, Options{}, node("b"))
	check(t, "another node", other, ask(other, podPlace(web, "a")), nothing)
}
