package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
)

func clusterID(name string) model.ID {
	return model.ID("/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/" + name)
}

// cluster adds an AKS cluster with one pool per subnet; the pools are called a, b, …
func (b *builder) cluster(name, plugin, mode, policy string, subnets ...string) *model.Cluster {
	c := &model.Cluster{Meta: meta(clusterID(name)), Plugin: plugin, PluginMode: mode, Policy: policy, PodCIDRs: prefixes("10.244.0.0/16"), ServiceCIDRs: prefixes("10.250.0.0/16")}
	for i, s := range subnets {
		c.Pools = append(c.Pools, model.NodePool{Name: string(rune('a' + i)), Subnet: subnetID(s), Mode: "User"})
	}
	b.add(c)
	return c
}

// workload adds a deployment with the label app=NAME; its ports are `http:8080/tcp`.
func (b *builder) workload(c *model.Cluster, ns, name string, ports ...model.ContainerPort) *model.Workload {
	w := &model.Workload{
		Meta: meta(model.Kubernetes(c.Name(), "Deployment", ns, name)), Cluster: c.ID, Namespace: ns, Kind: "Deployment",
		Labels: map[string]string{"app": name}, Ports: ports, Replicas: 2,
	}
	b.add(w)
	return w
}

func (b *builder) namespace(c *model.Cluster, name string, labels ...string) *model.Namespace {
	n := &model.Namespace{Meta: meta(model.Kubernetes(c.Name(), "Namespace", "", name)), Cluster: c.ID, Declared: true, Labels: map[string]string{"kubernetes.io/metadata.name": name}}
	for i := 0; i+1 < len(labels); i += 2 {
		n.Labels[labels[i]] = labels[i+1]
	}
	b.add(n)
	return n
}

func (b *builder) kubeService(c *model.Cluster, ns, name, typ string, port, target uint16, annotations ...string) *model.KubeService {
	s := &model.KubeService{
		Meta: meta(model.Kubernetes(c.Name(), "Service", ns, name)), Cluster: c.ID, Namespace: ns, Type: typ, Selector: map[string]string{"app": name},
		Ports: []model.ServicePort{{Port: port, Target: target, Protocol: model.TCP}}, Annotations: map[string]string{},
	}
	for i := 0; i+1 < len(annotations); i += 2 {
		s.Annotations[annotation(annotations[i])] = annotations[i+1]
	}
	b.add(s)
	return s
}

func port(name string, number uint16) model.ContainerPort {
	return model.ContainerPort{Name: name, Port: number, Protocol: model.TCP}
}

func podPlace(w *model.Workload, pool string) model.Place {
	return model.Place{Kind: model.PlacePod, ID: w.ID, Part: pool}
}

func podAddr(e *model.Estate, w *model.Workload) netip.Addr {
	a, _ := e.Symbols().Of(model.PodAddress, w.ID, "")
	return a
}

func toPod(e *model.Estate, w *model.Workload, src string, port uint16) Packet {
	return Packet{Src: addr(src), Dst: podAddr(e, w), Protocol: model.TCP, SPort: 50000, DPort: port}
}

func fromPodTo(e *model.Estate, w *model.Workload, dst string, port uint16) Packet {
	return Packet{Src: podAddr(e, w), Dst: addr(dst), Protocol: model.TCP, SPort: 50000, DPort: port}
}

// denyAll is a policy that isolates all pods of a namespace for ingress.
func (b *builder) denyAll(c *model.Cluster, ns string) {
	b.add(&model.NetworkPolicy{Meta: meta(model.Kubernetes(c.Name(), "NetworkPolicy", ns, "deny-all")), Cluster: c.ID, Namespace: ns, Isolates: [2]bool{true, false}})
}

// X-EDGE-17: policies without an engine.
func TestXEDGE17(t *testing.T) {
	for _, test := range []struct{ policy, want string }{{"none", reached}, {"azure", nothing}, {"manifest", nothing}} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.subnet("net/nodes", "10.1.1.0/24")
		c := b.cluster("aks", "azure", "overlay", test.policy, "net/nodes")
		if test.policy == "manifest" {
			*c = model.Cluster{Meta: c.Meta, Manifest: true}
		}
		x, api := b.workload(c, "web", "x"), b.workload(c, "pay", "api", port("http", 8080))
		b.namespace(c, "web")
		b.namespace(c, "pay")
		b.denyAll(c, "pay")
		e := b.build()
		r := Run(e, Options{}, Packet{Src: podAddr(e, x), Dst: podAddr(e, api), Protocol: model.TCP, DPort: 8080})
		pool := "a"
		if test.policy == "manifest" {
			pool = ""
		}
		check(t, test.policy, r, ask(r, podPlace(api, pool)), test.want)
		if test.policy == "manifest" && !hasAssumption(r, "ASM-K-ENGINE") {
			t.Errorf("ASM-K-ENGINE is missing: %v", assumptionsOf(r))
		}
	}
}

// X-EDGE-18: what the firewall sees of a pod; D, P.
func TestXEDGE18(t *testing.T) {
	for _, test := range []struct {
		mode, pod, want string
	}{
		{"node subnet", "10.1.1.37", unclear},
		{"pod subnet", "10.1.2.37", reached},
		{"overlay", "192.168.3.7", nothing},
	} {
		x := edgeEstate(t, "10.9.0.0/16 10.0.0.4")
		x.work.NSG = "" // by default rules the sender's side rests on ASM-VNETTAG: 10.9.0.0/16 is no peer of the spoke
		data := x.vnet("data", "10.9.0.0/16")
		a, b := x.peer(x.hub, data)
		a.AllowForwarded, b.AllowForwarded = model.On, model.On
		x.routes("back", "10.1.0.0/16 10.0.0.4")
		x.subnet("data/s", "10.9.0.0/24", "rt=back")
		x.nic("sql", "data/s", "10.9.0.5")
		x.fw.Collections = []model.RuleCollection{collection("net", model.NetworkRules, 100, model.Allow, netRule("n", test.pod+"/32 -> 10.9.0.5 tcp 1433"))}
		c := x.cluster("aks", "azure", "", "azure", "spoke/work")
		managed := x.nsg("managed", "100 Allow Out * * -> * *") // likewise
		managed.ID, managed.Managed = "/subscriptions/s/resourceGroups/MC_rg_aks_westeurope/providers/Microsoft.Network/networkSecurityGroups/managed", true
		switch test.mode {
		case "pod subnet":
			x.subnet("spoke/pods", "10.1.2.0/24", "rt=rt")
			c.Pools[0].PodSubnet = subnetID("spoke/pods")
		case "overlay":
			c.PluginMode, c.PodCIDRs = "overlay", prefixes("192.168.0.0/16")
		}
		w := x.workload(c, "pay", "api")
		w.Addresses = []netip.Addr{addr(test.pod)}
		r := Run(x.build(), Options{}, packet(test.pod+" > 10.9.0.5 tcp/1433"))
		check(t, test.mode, r, ask(r, nic("sql")), test.want)
		if test.want == unclear && !hasAssumption(r, "ASM-A-MASQ") {
			t.Errorf("ASM-A-MASQ is missing: %v", assumptionsOf(r))
		}
	}
}

// X-EDGE-19: an NSG on the frontend's subnet protects nothing; I.
func TestXEDGE19(t *testing.T) {
	rules := []string{"100 Allow In tcp 10.1.5.0/24 -> * 443", "110 Allow In * AzureLoadBalancer -> * *", "4096 Deny In * * -> * *"}
	for _, onNodes := range []bool{false, true} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.nsg("plain")
		b.nsg("rules", rules...)
		ilb, nodes := "nsg=rules", "nsg=plain"
		if onNodes {
			ilb, nodes = "", "nsg=rules"
		}
		b.subnet("net/ilb", "10.1.4.0/28", ilb)
		b.subnet("net/nodes", "10.1.1.0/24", nodes)
		b.subnet("net/agw", "10.1.5.0/24")
		b.subnet("net/jump", "10.1.6.0/24")
		b.nic("jump", "net/jump", "10.1.6.4")
		b.nic("agwvm", "net/agw", "10.1.5.4") // stands for a host of the gateway's subnet
		c := b.cluster("aks", "azure", "overlay", "none", "net/nodes")
		web := b.workload(c, "web", "web", port("https", 8443))
		b.kubeService(c, "web", "web", "LoadBalancer", 443, 8443, "azure-load-balancer-internal", "true", "azure-load-balancer-internal-subnet", "ilb").Ingress = []netip.Addr{addr("10.1.4.4")}
		e := b.build()
		r := Run(e, Options{}, packet("10.1.6.4 > 10.1.4.4 tcp/443"))
		want := reached
		if onNodes {
			want = nothing
		}
		check(t, fmt.Sprintf("jump box, rules on nodes %v", onNodes), r, ask(r, podPlace(web, "a")), want)
		if !onNodes && !hasAssumption(r, "ASM-A-ILBNSG") {
			t.Errorf("ASM-A-ILBNSG is missing: %v", assumptionsOf(r))
		}
		r = Run(e, Options{}, packet("10.1.5.4 > 10.1.4.4 tcp/443"))
		check(t, "gateway subnet", r, ask(r, podPlace(web, "a")), reached)
	}
}

// X-EDGE-20: outboundType proves nothing; D.
func TestXEDGE20(t *testing.T) {
	for _, test := range []struct{ outbound, rt, want string }{
		{"userDefinedRouting", "", unclear}, // AZ-OUT-04, the subnet's flag not stated
		{"userDefinedRouting", "0.0.0.0/0 10.0.0.4", nothing},
		{"loadBalancer", "0.0.0.0/0 10.0.0.4", nothing},
	} {
		x := edgeEstate(t)
		x.routes("nodes", test.rt)
		x.subnet("spoke/nodes", "10.1.2.0/24", "rt=nodes", "unstated")
		c := x.cluster("aks", "azure", "overlay", "none", "spoke/nodes")
		c.OutboundType = test.outbound
		r := Run(x.build(), Options{}, named("any.example", packet("10.1.2.9 > 203.0.113.9 tcp/443")))
		check(t, fmt.Sprintf("%+v", test), r, ask(r, internet()), test.want)
		for id, wanted := range map[string]bool{"ASM-DOA": test.rt == "", "ASM-E-FWINFRA": test.rt != ""} {
			if wanted && !hasAssumption(r, id) {
				t.Errorf("%s is missing: %v", id, assumptionsOf(r))
			}
		}
	}
}

// X-EDGE-21: authorized ranges; doc.
func TestXEDGE21(t *testing.T) {
	api := model.Place{Kind: model.PlaceAPIServer, ID: clusterID("aks")}
	build := func(ranges ...string) (*model.Estate, netip.Addr) {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		s := b.subnet("net/nodes", "10.1.1.0/24")
		b.subnet("net/vms", "10.1.6.0/24").NATGateway = network("natGateways", "ng")
		_ = s
		b.pip("nat", "20.0.0.9")
		b.add(&model.NATGateway{Meta: meta(network("natGateways", "ng")), PublicIPs: []model.ID{pipID("nat")}})
		b.nic("vm", "net/vms", "10.1.6.4")
		c := b.cluster("aks", "azure", "overlay", "none", "net/nodes")
		c.APIRanges, c.APIRangesSet = prefixes(ranges...), len(ranges) > 0
		e := b.build()
		a, _ := e.Symbols().Of(model.APIDoor, c.ID, "")
		return e, a
	}
	for _, test := range []struct {
		ranges []string
		src    string
		want   string
	}{
		{nil, "203.0.113.1", reached},
		{[]string{"198.51.100.0/24"}, "198.51.100.7", reached},
		{[]string{"198.51.100.0/24"}, "203.0.113.1", nothing},
		{[]string{"0.0.0.0/32"}, "203.0.113.1", nothing},
		{[]string{"0.0.0.0/32"}, "10.1.1.9", reached}, // the cluster's own egress
		{[]string{"10.1.0.0/16"}, "10.1.6.4", nothing},
	} {
		e, door := build(test.ranges...)
		r := Run(e, Options{}, Packet{Src: addr(test.src), Dst: door, Protocol: model.TCP, DPort: 443})
		check(t, fmt.Sprintf("%+v", test), r, ask(r, api), test.want)
		r = Run(e, Options{}, Packet{Src: addr(test.src), Dst: door, Protocol: model.TCP, DPort: 22})
		check(t, "another port", r, ask(r, api), nothing)
	}
	// A private cluster: its endpoint is reached from the wireless network, whatever the ranges say; not from the internet.
	b := estate(t)
	b.vnet("net", "10.1.0.0/16")
	b.nsg("nsg")
	b.subnet("net/nodes", "10.1.1.0/24", "nsg=nsg", "pe=Disabled")
	b.subnet("net/GatewaySubnet", "10.1.255.0/27")
	b.vpn("gw", "net/GatewaySubnet", nil, site{name: "wireless", ranges: []string{"10.8.0.0/24"}})
	c := b.cluster("aks", "azure", "overlay", "none", "net/nodes")
	c.Private, c.APIRanges, c.APIRangesSet = model.On, prefixes("198.51.100.0/24"), true
	b.endpoint("kube-apiserver", "net/nodes", "10.1.1.200", c.ID)
	e := b.build()
	r := Run(e, Options{}, from(farSide("gw", "wireless"), packet("10.8.0.9 > 10.1.1.200 tcp/443")))
	check(t, "wireless to the endpoint", r, ask(r, endpoint("kube-apiserver")), reached)
	b.resources = slices.DeleteFunc(b.resources, func(r model.Resource) bool { return r.ResourceID() == peID("kube-apiserver") })
	e = b.build() // the same where the input lacks the endpoint
	door, _ := e.Symbols().Of(model.APIDoor, c.ID, "")
	r = Run(e, Options{}, from(farSide("gw", "wireless"), Packet{Src: addr("10.8.0.9"), Dst: door, Protocol: model.TCP, DPort: 443}))
	check(t, "wireless to the API server", r, ask(r, api), reached)
	r = Run(e, Options{}, Packet{Src: addr("203.0.113.1"), Dst: door, Protocol: model.TCP, DPort: 443})
	check(t, "internet to a private cluster", r, ask(r, api), nothing)
}

// X-EDGE-22: a proxy setting is no enforcement; the direct part.
func TestXEDGE22(t *testing.T) {
	for _, open := range []bool{false, true} {
		x := edgeEstate(t)
		x.subnet("spoke/proxy", "10.1.7.0/24", "rt=rt")
		x.nic("proxy", "spoke/proxy", "10.1.7.4")
		x.fw.Collections = []model.RuleCollection{collection("app", model.ApplicationRules, 100, model.Allow, appRule("a", "10.1.7.0/24 Https:443 *"))}
		if open {
			x.fw.Collections = append(x.fw.Collections, collection("net", model.NetworkRules, 100, model.Allow, netRule("n", "10.1.1.0/24 -> * tcp 443")))
		}
		c := x.cluster("aks", "azure", "overlay", "none", "spoke/work")
		c.HasProxy, c.HTTPSProxy = true, "http://10.1.7.4:3128"
		w := x.workload(c, "pay", "api")
		e := x.build()
		r := Run(e, Options{}, named("any.example", fromPodTo(e, w, "203.0.113.9", 443)))
		want := nothing
		if open {
			want = reached
		}
		check(t, fmt.Sprintf("pod to internet, node rule %v", open), r, ask(r, internet()), want)
	}
}

// X-EDGE-23: exposure of a LoadBalancer Service; D.
func TestXEDGE23(t *testing.T) {
	for _, test := range []struct {
		internal, nsg bool
		ranges        string
		src           string
		want          string
	}{
		{false, false, "", "203.0.113.1", reached},
		{false, true, "", "203.0.113.1", nothing},
		{true, false, "", "203.0.113.1", nothing},
		{true, false, "", "10.1.6.4", reached},
		{false, false, "198.51.100.0/24", "198.51.100.7", reached},
		{false, false, "198.51.100.0/24", "203.0.113.1", nothing},
	} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.nsg("nsg")
		option := ""
		if test.nsg {
			option = "nsg=nsg"
		}
		b.subnet("net/nodes", "10.1.1.0/24", option)
		b.subnet("net/vms", "10.1.6.0/24")
		b.nic("vm", "net/vms", "10.1.6.4")
		c := b.cluster("aks", "azure", "overlay", "none", "net/nodes")
		web := b.workload(c, "web", "web")
		s := b.kubeService(c, "web", "web", "LoadBalancer", 443, 8443)
		frontend := "20.0.0.30"
		if test.internal {
			s.Annotations[annotation("azure-load-balancer-internal")] = "true"
			frontend = "10.1.1.200"
		}
		s.Ingress, s.SourceRanges = []netip.Addr{addr(frontend)}, prefixesOf(test.ranges)
		r := Run(b.build(), Options{}, packet(test.src+" > "+frontend+" tcp/443"))
		check(t, fmt.Sprintf("%+v", test), r, ask(r, podPlace(web, "a")), test.want)
	}
}

func prefixesOf(s string) []netip.Prefix {
	if s == "" {
		return nil
	}
	return prefixes(s)
}

// X-EDGE-28: who may use an internal Service; D, I.
func TestXEDGE28(t *testing.T) {
	for _, test := range []struct {
		name          string
		annotations   []string
		ranges        string
		want          string
		wantByNodPort string
	}{
		{"azure-allowed-ip-ranges", []string{"azure-allowed-ip-ranges", "10.1.5.0/24"}, "", reached, reached},
		{"loadBalancerSourceRanges", nil, "10.1.5.0/24", nothing, reached},
		{"and deny all except", []string{"azure-deny-all-except-load-balancer-source-ranges", "true"}, "10.1.5.0/24", nothing, reached},
	} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.subnet("net/nodes", "10.1.1.0/24")
		b.subnet("net/vms", "10.1.6.0/24")
		b.nic("vm", "net/vms", "10.1.6.4")
		c := b.cluster("aks", "azure", "overlay", "none", "net/nodes")
		web := b.workload(c, "web", "web")
		s := b.kubeService(c, "web", "web", "LoadBalancer", 443, 8443, append([]string{"azure-load-balancer-internal", "true"}, test.annotations...)...)
		s.Ingress, s.SourceRanges = []netip.Addr{addr("10.1.1.200")}, prefixesOf(test.ranges)
		s.Ports[0].NodePort = 30443
		e := b.build()
		r := Run(e, Options{}, packet("10.1.6.4 > 10.1.1.200 tcp/443"))
		check(t, test.name, r, ask(r, podPlace(web, "a")), test.want)
		if test.want == nothing && !hasAssumption(r, "ASM-A-KUBEPROXY") {
			t.Errorf("ASM-A-KUBEPROXY is missing: %v", assumptionsOf(r))
		}
		r = Run(e, Options{}, packet("10.1.6.4 > 10.1.1.9 tcp/30443"))
		check(t, test.name+", by node port", r, ask(r, podPlace(web, "a")), test.wantByNodPort)
	}
}

// X-EDGE-34: a node pool without scale set; der.
func TestXEDGE34(t *testing.T) {
	for _, test := range []struct{ rule, want string }{
		{"", reached},
		{"100 Deny In tcp * -> * 22", "D nsg/securityRules/100"},
	} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.nsg("nsg", test.rule)
		b.subnet("net/nodes", "10.1.1.0/24", "nsg=nsg")
		b.subnet("net/vms", "10.1.6.0/24")
		b.nic("vm", "net/vms", "10.1.6.4")
		b.cluster("aks", "azure", "overlay", "none", "net/nodes")
		r := Run(b.build(), Options{}, packet("10.1.6.4 > 10.1.1.9 tcp/22"))
		check(t, test.rule, r, decided(r, model.Place{Kind: model.PlaceNodePool, ID: clusterID("aks"), Part: "a"}), test.want)
	}
}
