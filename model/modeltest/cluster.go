package modeltest

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// podBlock is the pod CIDR of random overlay clusters.
const podBlock = "10.244.0.0/28"

// clusters draws AKS clusters in the ordinary subnets, beside the machines there, with workloads, policies and Services.
func (d *draft) clusters() {
	for i := range d.upTo(1, 1+d.IntN(2)) {
		d.cluster(i)
	}
}

func (d *draft) cluster(i int) {
	c := &model.Cluster{
		Meta: d.meta(id("Microsoft.ContainerService", "managedClusters", d.name("aks", i))), Plugin: "azure", Policy: choose(d, "azure", "calico", "cilium", "none", ""),
		OutboundType: choose(d, "", "loadBalancer", "userDefinedRouting", "managedNATGateway", "none", "block"), NodeGroup: d.name("nodes", i), Private: d.setting(),
	}
	if !d.one(3) {
		c.KubernetesVersion = choose(d, "1.30.9", "1.31", "1.33.4")
	}
	mode := choose(d, "overlay", "node subnet", "pod subnet", "kubenet")
	switch mode {
	case "overlay":
		c.PluginMode = "overlay"
	case "kubenet":
		c.Plugin, c.Policy = "kubenet", choose(d, "calico", "")
	}
	if c.Policy == "" && d.has(WithPartial) {
		c.PolicyOpen = d.one(2)
	}
	if c.Policy == "cilium" && d.one(2) {
		c.DataPlane, c.Policy = "cilium", ""
	}
	if mode == "overlay" || mode == "kubenet" {
		c.PodCIDRs = []netip.Prefix{cidr(podBlock)}
	}
	v := choose(d, d.subnets...).VNet // of all pools
	subnets := slices.DeleteFunc(slices.Clone(d.subnets), func(s *model.Subnet) bool {
		_, ok := d.free(s) // nodes need an address that nobody holds
		return s.VNet != v || !ok
	})
	if len(subnets) == 0 {
		return
	}
	pods := choose(d, subnets...).ID
	for j := range d.upTo(1, 2) {
		p := model.NodePool{Name: d.name("pool", j), Source: c.Source, Mode: "System", Subnet: choose(d, subnets...).ID, Count: d.IntN(3), ASGs: some(d, 3, d.asgs...)}
		if mode == "pod subnet" && !d.one(4) { // each pool has its own mode (AKS-NET-09)
			p.PodSubnet = pods
		}
		if d.one(3) {
			p.Labels = map[string]string{"tier": choose(d, "a", "b")}
		}
		if d.one(5) {
			p.Taints = []string{"only=a:NoSchedule"}
		}
		if d.has(WithPublic) && d.one(4) {
			p.PublicIPs = model.On
		}
		c.Pools = append(c.Pools, p)
	}
	d.add(c)
	if d.one(4) {
		d.managedNSG(c)
	}
	if d.has(WithInstances) && d.one(2) {
		d.nodeScaleSets(c)
	}
	declared := map[string]string{"tier": choose(d, "a", "b"), "kubernetes.io/metadata.name": "x"}
	for _, n := range []string{"x", "y"} {
		if !d.one(3) {
			ns := &model.Namespace{Meta: d.meta(kubeID(c, "Namespace", "", n)), Cluster: c.ID, Labels: maps.Clone(declared), Declared: true}
			ns.Labels["kubernetes.io/metadata.name"] = n
			d.add(ns)
		}
	}
	var workloads []*model.Workload
	for j := range d.upTo(1, 3) {
		workloads = append(workloads, d.workload(c, mode, j))
	}
	for j := range d.upTo(0, 3) {
		d.netPolicy(c, j)
	}
	if d.has(WithPolicies) {
		d.policies(c)
	}
	var services []*model.KubeService
	for j := range d.IntN(3) {
		services = append(services, d.kubeService(c, j))
	}
	if len(c.Pools) > 0 && d.one(3) {
		d.kubeBalancer(c, services)
	}
	if d.one(4) && len(workloads) > 0 {
		d.ingress(c)
	}
	if d.has(WithLedger) && d.one(2) {
		d.unmodelledIn(c, workloads)
	}
}

func kubeID(c *model.Cluster, kind, namespace, name string) model.ID {
	return model.Kubernetes(c.Name(), kind, namespace, name)
}

// managedNSG is the group that AKS puts on its nodes (AKS-LB-01), as an export holds it.
func (d *draft) managedNSG(c *model.Cluster) {
	g := nodeGroupID(c, "networkSecurityGroups", "aks-agentpool-1-nsg")
	d.nsg(g)
	d.Resources[len(d.Resources)-1].(*model.NSG).Managed = true
}

// nodeScaleSets are the nodes of the pools, as a live export holds them (AKS-NET-12).
func (d *draft) nodeScaleSets(c *model.Cluster) {
	for _, p := range c.Pools {
		s := &model.ScaleSet{
			Meta:          d.meta(model.ID("/subscriptions/s/resourceGroups/" + c.NodeGroup + "/providers/Microsoft.Compute/virtualMachineScaleSets/aks-" + p.Name)),
			Orchestration: "Uniform", Capacity: p.Count, Managed: true, Pool: p.Name,
		}
		s.Profiles = []model.NICProfile{{
			Name: "nic", Source: s.Source, NSG: maybe(d, 2, d.nsgs), IPForwarding: model.On, Primary: true,
			IPConfigs: []model.IPConfig{{Name: "ipconfig1", Source: s.Source, Subnet: p.Subnet, Primary: true, ASGs: p.ASGs}},
		}}
		d.add(s)
	}
}

// labels draws labels of a small vocabulary, so that selectors meet them.
func (d *draft) labels() map[string]string {
	out := map[string]string{}
	for _, k := range []string{"app", "tier"} {
		if !d.one(3) {
			out[k] = choose(d, "a", "b")
		}
	}
	return out
}

func (d *draft) workload(c *model.Cluster, mode string, i int) *model.Workload {
	kind, ns := choose(d, "Deployment", "Deployment", "StatefulSet", "DaemonSet", "Pod"), choose(d, "x", "y")
	if d.one(10) {
		ns = choose(d, "kube-system", "ingress-nginx")
	}
	w := &model.Workload{Meta: d.meta(kubeID(c, kind, ns, d.name("w", i))), Cluster: c.ID, Namespace: ns, Kind: kind, Labels: d.labels(), Replicas: d.IntN(3) - 1}
	for j := range d.IntN(3) {
		w.Ports = append(w.Ports, model.ContainerPort{Name: choose(d, "http", "dns", ""), Port: d.port(), Protocol: choose(d, model.TCP, model.TCP, model.UDP), Source: w.Source})
		if d.one(4) {
			p := w.Ports[j]
			p.Target, p.Port = p.Port, d.port()
			w.HostPorts = append(w.HostPorts, p)
		}
	}
	if d.one(6) {
		w.Implied = []string{choose(d, "app", "tier", "pod-template-hash")}
		delete(w.Labels, w.Implied[0])
	}
	w.HostNetwork = d.one(6)
	switch d.IntN(5) {
	case 0:
		if len(c.Pools) > 0 {
			w.NodeSelector = map[string]string{"agentpool": choose(d, c.Pools...).Name}
		}
	case 1:
		w.NodeSelector = map[string]string{"tier": choose(d, "a", "b")}
	}
	if d.one(4) {
		w.Tolerations = []model.Toleration{{Key: "only", Operator: choose(d, "Exists", "Equal"), Value: "a"}}
	}
	if d.one(3) && !w.HostNetwork {
		switch mode {
		case "overlay", "kubenet":
			w.Addresses = []netip.Addr{netip.AddrFrom4([4]byte{10, 244, 0, byte(4 + i)})}
		case "":
			w.Addresses = []netip.Addr{netip.AddrFrom4([4]byte{10, 244, 0, byte(4 + i)})}
			if d.one(3) {
				w.Addresses = append(w.Addresses, netip.AddrFrom4([4]byte{10, 244, 0, byte(64 + i)}))
			}
		case "node subnet", "pod subnet":
			p := choose(d, c.Pools...)
			at := p.Subnet
			if p.PodSubnet != "" {
				at = p.PodSubnet
			}
			for _, s := range d.subnets {
				if s.ID == at {
					if a, ok := d.free(s); ok {
						w.Addresses = []netip.Addr{a}
					}
				}
			}
		}
	}
	d.add(w)
	return w
}

// selector draws a label selector; the empty one selects everything.
func (d *draft) selector() model.LabelSelector {
	var s model.LabelSelector
	switch d.IntN(4) {
	case 0:
	case 1, 2:
		s.Match = map[string]string{choose(d, "app", "tier"): choose(d, "a", "b")}
	default:
		r := model.Requirement{Key: choose(d, "app", "tier", "other"), Operator: choose(d, "In", "NotIn", "Exists", "DoesNotExist")}
		if strings.HasSuffix(r.Operator, "In") {
			r.Values = slices.Compact([]string{"a", choose(d, "a", "b")})
		}
		s.Requirements = []model.Requirement{r}
	}
	return s
}

func (d *draft) netPolicy(c *model.Cluster, i int) {
	ns := choose(d, "x", "x", "y")
	p := &model.NetworkPolicy{Meta: d.meta(kubeID(c, "NetworkPolicy", ns, d.name("p", i))), Cluster: c.ID, Namespace: ns, Pods: d.selector(), Isolates: [2]bool{!d.one(3), d.one(2)}}
	for range d.IntN(3) {
		p.Ingress = append(p.Ingress, d.policyRule(p))
	}
	for range d.IntN(3) {
		p.Egress = append(p.Egress, d.policyRule(p))
	}
	d.add(p)
}

func (d *draft) policyRule(p *model.NetworkPolicy) model.PolicyRule {
	r := model.PolicyRule{Source: p.Source}
	for range d.IntN(3) {
		x := model.PolicyPeer{Source: p.Source}
		pods, namespaces := d.selector(), d.selector()
		if d.one(3) {
			namespaces = model.LabelSelector{Match: map[string]string{"kubernetes.io/metadata.name": choose(d, "x", "y")}}
		}
		switch d.IntN(5) {
		case 0:
			x.Pods = &pods
		case 1:
			x.Namespaces = &namespaces
		case 2:
			x.Pods, x.Namespaces = &pods, &namespaces
		default:
			x.IPBlock = d.ipBlock()
		}
		r.Peers = append(r.Peers, x)
	}
	for range d.IntN(3) {
		r.Ports = append(r.Ports, d.policyPort(p.Source))
	}
	return r
}

func (d *draft) policyPort(at model.Source) model.PolicyPort {
	x := model.PolicyPort{Source: at, Protocol: choose(d, model.TCP, model.TCP, model.UDP)}
	switch port := d.port(); d.IntN(4) {
	case 0:
		x.Named = choose(d, "http", "dns")
	case 1:
		x.All = true
	default:
		x.Ports = model.PortRange{First: port, Last: port}
		if d.one(4) {
			x.Ports.Last = port + 500
		}
	}
	return x
}

func (d *draft) ipBlock() *model.IPBlock {
	if d.one(3) {
		b := &model.IPBlock{CIDR: cidr("0.0.0.0/0")}
		for range d.IntN(3) {
			b.Except = append(b.Except, choose(d, d.prefix(), cidr(podBlock), cidr("10.244.0.4/32"), cidr("169.254.169.254/32")))
		}
		b.Except = slices.DeleteFunc(b.Except, func(p netip.Prefix) bool { return !p.Addr().Is4() || p.Bits() == 0 })
		return b
	}
	b := &model.IPBlock{CIDR: choose(d, d.prefix(), d.prefix(), cidr(podBlock), cidr("10.244.0.4/31"))}
	if b.CIDR.Bits() < 32 && d.one(4) {
		b.Except = []netip.Prefix{netip.PrefixFrom(b.CIDR.Addr(), min(b.CIDR.Bits()+2, 32))}
	}
	return b
}

func (d *draft) kubeService(c *model.Cluster, i int) *model.KubeService {
	ns := choose(d, "x", "y")
	s := &model.KubeService{
		Meta: d.meta(kubeID(c, "Service", ns, d.name("svc", i))), Cluster: c.ID, Namespace: ns, Type: choose(d, "ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer"),
		Annotations: map[string]string{}, LocalPolicy: d.one(2),
	}
	if !d.one(6) {
		s.Selector = map[string]string{choose(d, "app", "tier"): choose(d, "a", "b")}
	}
	if d.one(2) {
		s.ClusterIP = netip.AddrFrom4([4]byte{10, 250, 0, byte(4 + i)}).String()
	}
	if d.one(6) {
		s.ExternalIPs = []netip.Addr{cidr(choose(d, "10.0.0.5/32", "10.0.0.36/32", "10.0.0.37/32", "10.0.0.68/32", "198.51.100.9/32")).Addr()}
	}
	const prefix = "service.beta.kubernetes.io/"
	if s.Type == "LoadBalancer" {
		if d.one(2) {
			s.Annotations[prefix+"azure-load-balancer-internal"] = choose(d, "true", "true", "false")
		}
		if d.one(4) {
			s.SourceRanges = []netip.Prefix{d.prefix()}
		}
		s.NoNodePorts = d.one(4)
	}
	for j := range d.upTo(1, 2) {
		p := model.ServicePort{Source: s.Source, Name: d.name("p", j), Port: d.port(), Protocol: choose(d, model.TCP, model.TCP, model.UDP)}
		if d.one(3) {
			p.TargetName = choose(d, "http", "dns")
		} else {
			p.Target = d.port()
		}
		if s.Type != "ClusterIP" && !s.NoNodePorts && !d.one(4) {
			p.NodePort = uint16(30080 + 10*i + j)
		}
		if slices.ContainsFunc(s.Ports, func(q model.ServicePort) bool { return q.Port == p.Port && q.Protocol == p.Protocol }) {
			continue
		}
		s.Ports = append(s.Ports, p)
	}
	if s.Type == "LoadBalancer" && len(c.Pools) > 0 && d.one(2) {
		d.kubeFrontend(c, s)
	}
	d.add(s)
	return s
}

// kubeFrontend states where a Service's load balancer has its frontends (K8S-SVC-11).
func (d *draft) kubeFrontend(c *model.Cluster, s *model.KubeService) {
	const prefix = "service.beta.kubernetes.io/"
	if d.one(4) {
		s.Annotations[prefix+"azure-disable-load-balancer-floating-ip"] = "true"
	}
	internal := s.Annotations[prefix+"azure-load-balancer-internal"] == "true"
	if d.one(8) { // a status of before the annotation was changed
		internal = !internal
	}
	d.publics++
	a := netip.AddrFrom4([4]byte{20, 0, 0, byte(d.publics)})
	if internal {
		free, ok := d.free(d.subnetOf(c.Pools[0].Subnet))
		if !ok {
			return
		}
		a = free
	}
	ip := func(id model.ID) *model.PublicIP {
		p := &model.PublicIP{Meta: d.meta(id), SKU: model.Standard}
		if !d.one(3) {
			p.Address = a
		}
		d.add(p)
		return p
	}
	switch d.IntN(5) {
	case 0:
		s.Annotations[prefix+"azure-load-balancer-ipv4"] = a.String()
	case 1:
		s.LoadBalancerIP = a
	case 2:
		if !internal {
			s.Annotations[prefix+"azure-pip-name"] = ip(networkID("publicIPAddresses", "pip-"+c.Name()+s.Name())).Name()
		}
	case 3:
		if !internal {
			ip(nodeGroupID(c, "publicIPAddresses", "kubernetes-"+s.Name())).Tags = map[string]string{"k8s-azure-service": "a/b," + s.Namespace + "/" + s.Name()}
		}
	default:
		s.Ingress = []netip.Addr{a}
		if !internal && d.has(WithIPv6) && d.one(2) {
			s.Ingress = append(s.Ingress, netip.MustParseAddr("2603:1020::1").Next())
		}
	}
}

func nodeGroupID(c *model.Cluster, kind, name string) model.ID {
	return model.ID("/subscriptions/s/resourceGroups/" + c.NodeGroup + "/providers/Microsoft.Network/" + kind + "/" + name)
}

// kubeBalancer is the load balancer that the cloud provider keeps for Services, as an export holds it: with frontends of Services that the input
// has, and of others.
func (d *draft) kubeBalancer(c *model.Cluster, services []*model.KubeService) {
	lb := &model.LoadBalancer{Meta: d.meta(nodeGroupID(c, "loadBalancers", "kubernetes")), SKU: model.Standard}
	p := model.LBPool{ID: lb.ID + "/backendAddressPools/kubernetes", Name: "kubernetes", Source: lb.Source}
	for _, x := range c.Pools {
		s := d.subnetOf(x.Subnet)
		if a, ok := d.free(s); ok {
			p.Addresses = append(p.Addresses, model.LBAddress{VNet: s.VNet, Address: a})
		}
	}
	lb.Pools = []model.LBPool{p}
	add := func(a netip.Addr, ports []model.ServicePort) {
		f := model.LBFrontend{ID: lb.ID + "/frontendIPConfigurations/" + model.ID(d.name("f", len(lb.Frontends))), Name: d.name("f", len(lb.Frontends)), Source: lb.Source}
		if a.Is4() && a.IsPrivate() {
			f.Subnet, f.Address = c.Pools[0].Subnet, a
		} else {
			ip := &model.PublicIP{Meta: d.meta(nodeGroupID(c, "publicIPAddresses", "kubernetes-"+f.Name)), SKU: model.Standard, Address: a, AttachedTo: f.ID}
			f.PublicIP = ip.ID
			d.add(ip)
		}
		lb.Frontends = append(lb.Frontends, f)
		for j := range d.upTo(1, 2) {
			r := model.LBRule{
				ID: f.ID + "-rule" + model.ID(d.name("", j)), Name: d.name(f.Name+"-rule", j), Source: lb.Source, Frontend: f.ID, Pools: []model.ID{p.ID},
				Protocol: model.TCP, FrontendPort: d.port(), FloatingIP: choose(d, model.On, model.On, model.On, model.Off),
			}
			if len(ports) > 0 && !d.one(3) {
				x := choose(d, ports...)
				r.Protocol, r.FrontendPort = x.Protocol, x.Port
			}
			r.BackendPort = r.FrontendPort
			lb.Rules = append(lb.Rules, r)
		}
	}
	for _, s := range services {
		for _, a := range s.Addresses() {
			if !d.one(3) {
				add(a, s.Ports)
			}
		}
	}
	if d.one(2) || len(lb.Frontends) == 0 {
		d.publics++
		a := netip.AddrFrom4([4]byte{20, 0, 0, byte(d.publics)})
		if free, ok := d.free(d.subnetOf(c.Pools[0].Subnet)); ok && d.one(2) {
			a = free
		}
		add(a, nil)
	}
	d.add(lb)
}

func (d *draft) ingress(c *model.Cluster) {
	ns := choose(d, "x", "y")
	d.add(&model.Ingress{
		Meta: d.meta(kubeID(c, "Ingress", ns, "i")), Cluster: c.ID, Namespace: ns,
		Backends: []model.IngressBackend{{Service: "svc0", Port: d.port(), Source: model.Source{File: "random"}}},
	})
}
