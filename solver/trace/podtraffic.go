package trace

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// fromPod is a packet that a pod sends.
func (t *tracer) fromPod(c course, x *pod) {
	if !t.step(&c, "pod", x.place()) {
		return
	}
	c.pod = x
	if x.workload.HostNetwork {
		t.fromNodeOf(c, x)
		return
	}
	if ways := t.unread(x, model.Carries); len(ways) > 0 {
		t.lose(c, x.place(), Transport, "something that was not understood may carry the packet elsewhere (K8S-GEN-07)", namesOf(ways)...)
	}
	dst := c.packet.Dst
	c, found := t.toClusterService(c, x.cluster, func(c course, y *pod, s *model.KubeService) {
		t.podToPod(c, x, y, func(c course) { t.byService(c, x, y, s, dst) })
	})
	if found {
		return
	}
	for _, y := range t.podsOf(x.cluster) {
		if y.holds(t.world, c.packet.Dst) && t.placedAt(y, c.packet.Dst) {
			found = true
			t.podToPod(c.to(t.podAddress(y, c.packet.Dst), c.packet.DPort), x, y, func(c course) { t.betweenPods(c, x, y) })
		}
	}
	if found {
		return
	}
	v, listed := t.egress(x, t.outsidePeer(c, x), c)
	next := func(c course) { t.podToOutside(c, x) }
	if name := x.workload.Annotations["kubernetes.azure.com/static-gateway-configuration"]; name != "" {
		c = t.byGateway(c, x, name)
		v, listed = v.either(passes("egress policy does not apply to a static egress gateway (AKS-OUT-09)")), true
	}
	if !listed {
		next(c)
		return
	}
	t.decide(c, Hop{At: x.place(), Stage: PodEgress}, v, next)
}

// byGateway sends a packet of an annotated pod out by a static egress gateway, with the addresses of its pool and past the pod's egress
// policies. What the gateway is told to leave out is not read: the packet may leave by the pod's own node all the same (AKS-OUT-09).
func (t *tracer) byGateway(c course, x *pod, name string) course {
	id := model.Kubernetes(x.cluster.ID.Name(), "StaticGatewayConfiguration", x.workload.Namespace, name)
	why := "MISSING(static egress gateway " + id.ShortName() + ")"
	for _, e := range t.e.Ledger {
		if e.Disposition == model.Unsupported && same(e.Resource, id) {
			why = namesOf([]model.LedgerEntry{e})[0]
		}
	}
	c = c.uncertain(why)
	found := false
	for i := range x.cluster.Pools {
		p := &x.cluster.Pools[i]
		if !fold(p.Mode, "Gateway") {
			continue
		}
		for _, h := range t.nodeHosts(x.cluster, p) {
			found = true
			t.pick([]address{h.addr}, "ASM-SNATPOOL", func(a address) { t.leave(t.masquerade(c, x, h, a), h) })
		}
	}
	if !found {
		t.lose(c, x.place(), Transport, "a static egress gateway, whose nodes are not in the input, may carry the packet out (AKS-OUT-09)", why)
	}
	return c
}

// fromNodeOf: a pod of the host network is the node, for policies as for NSGs (K8S-NP-25).
func (t *tracer) fromNodeOf(c course, x *pod) {
	if x.pool != nil {
		for _, h := range t.nodeHosts(x.cluster, x.pool) {
			t.fromNode(c, h)
		}
		return
	}
	c, found := t.toClusterService(c, x.cluster, func(c course, y *pod, _ *model.KubeService) { t.betweenPods(c, x, y) })
	if found {
		return
	}
	for _, y := range t.podsOf(x.cluster) {
		if y.holds(t.world, c.packet.Dst) {
			found = true
			t.betweenPods(c.to(t.podAddress(y, c.packet.Dst), c.packet.DPort), x, y)
		}
	}
	if !found {
		t.fromManifest(c, x)
	}
}

// placedAt reports whether a pod with a live address can be on its pool.
func (t *tracer) placedAt(x *pod, a netip.Addr) bool {
	if _, symbol := t.symbols.At(a); symbol || x.workload.HostNetwork {
		return true
	}
	return slices.Contains(t.liveOn(x), a)
}

// podToOutside translates the source as the network plugin does and sends the packet from the node (AKS-NET-01, K8S-AZ-01).
func (t *tracer) podToOutside(c course, x *pod) {
	n := x.network()
	if n == manifestPods || x.pool == nil {
		t.fromManifest(c, x)
		return
	}
	if n == podSubnet {
		for _, h := range t.podHosts(x) {
			d := c
			d.src.holder = nil
			t.leave(d, h)
		}
		return
	}
	for _, h := range t.nodeHosts(x.cluster, x.pool) {
		node := h.addr
		switch n {
		case overlayPods, kubenetPods:
			t.pick([]address{node}, "ASM-SNATPOOL", func(a address) { t.leave(t.masquerade(c, x, h, a), h) })
		case nodeSubnet:
			own := no()
			if h.vnet != nil {
				own = c.dst.in(prefixSet(h.vnet.Prefixes...))
			}
			if own.may && t.perhapsMasked(c, x, h) {
				continue
			}
			if own.must {
				p := *h
				p.addr = x.addr
				t.leave(c, &p)
				continue
			}
			// AKS-NET-02: outside the VNet the node's address is seen, or the pod's own all the same (ASM-A-MASQ).
			t.pick([]address{node, c.src}, "ASM-A-MASQ", func(a address) { t.leave(t.masquerade(c, x, h, a), h) })
		default:
			t.leave(t.masquerade(c, x, h, node.alternatively(c.src, "ASM-A-MASQ")), h)
		}
	}
}

// perhapsMasked sends a packet of a pod of the node subnet with the pod's address and with the node's, where a configuration of
// ip-masq-agent decides, which nobody reads: it may leave any destination out, pods of the cluster too (AKS-NET-03).
func (t *tracer) perhapsMasked(c course, x *pod, h *host) bool {
	agent := t.masqueradeConfig(x.cluster)
	if x.network() != nodeSubnet || len(agent) == 0 {
		return false
	}
	c = c.uncertain(append(namesOf(agent), "ASM-A-MASQ")...)
	p := *h
	p.addr = x.addr
	t.leave(c, &p)
	t.pick([]address{h.addr, c.src}, "ASM-A-MASQ", func(a address) { t.leave(t.masquerade(c, x, h, a), h) })
	return true
}

// masqueradeConfig are configurations of ip-masq-agent, which nobody reads.
func (t *tracer) masqueradeConfig(c *model.Cluster) []model.LedgerEntry {
	var out []model.LedgerEntry
	for _, e := range t.e.Ledger {
		if e.Disposition == model.Unsupported && e.Type == "v1/ConfigMap" && contains(e.Affects, c.ID) {
			out = append(out, e)
		}
	}
	return out
}

// masquerade puts the node's address on the packet.
func (t *tracer) masquerade(c course, x *pod, h *host, a address) course {
	before := c.packet
	c = c.from(a, c.packet.SPort)
	c.pod, c.node = nil, h
	c = c.add(Hop{At: x.place(), Stage: SNAT, Action: Forward, Detail: "the node's address (AKS-NET-01)", Certain: true})
	return c.cross(crossing{at: h.place, before: before, subnet: h.subnet, vnet: h.vnet, source: true})
}

// fromManifest is a packet that leaves a cluster whose network the input does not state. It reaches public addresses; what it meets on
// the way to private ones nobody knows.
func (t *tracer) fromManifest(c course, x *pod) {
	switch {
	case isPlatform(c.packet.Dst):
		t.deliver(c.forward(x.place(), Transport, "host address of the platform").given(t.assume("ASM-PLATFORM")), model.Place{Kind: model.PlacePlatform})
	case c.dst.isPublic().may:
		t.toPublic(c.forward(x.place(), Transport, "out of the cluster"))
	default:
		t.toManifestNode(c, x.cluster)
		at := model.Place{Kind: model.PlaceUnknown, ID: x.cluster.ID, Part: c.packet.Dst.String()}
		t.lose(c, at, Transport, "the input does not say which network the cluster is in", "MISSING(network of cluster "+x.cluster.ID.ShortName()+")")
	}
}

// toManifestNode is a packet to an address around a cluster whose nodes the input does not have: one of them may have it, and hand the packet on
// for a node port or an external IP (K8S-SVC-06, K8S-SVC-10).
func (t *tracer) toManifestNode(c course, cl *model.Cluster) {
	c = c.uncertain("MISSING(network of cluster " + cl.ID.ShortName() + ")")
	for _, s := range t.e.KubeServices {
		if !same(s.Cluster, cl.ID) {
			continue
		}
		if p, ok := servicePort(s, c.packet); ok && slices.ContainsFunc(s.ExternalIPs, func(a netip.Addr) bool { return a.IsValid() && a.Unmap() == c.packet.Dst }) {
			t.kubeProxy(c, nil, s, p)
		}
		if s.Type != "NodePort" && (s.Type != "LoadBalancer" || s.NoNodePorts) {
			continue
		}
		for _, p := range s.Ports {
			switch {
			case p.Protocol != c.packet.Protocol:
			case p.NodePort != 0 && p.NodePort == c.packet.DPort:
				t.kubeProxy(c, nil, s, p)
			case p.NodePort == 0 && c.packet.DPort >= 30000 && c.packet.DPort <= 32767:
				t.kubeProxy(c.uncertain("ASM-K-NODEPORT"), nil, s, p)
			}
		}
	}
}

// podToPod carries a packet between pods of one cluster: egress policy, then the network between nodes and ingress policy (K8S-GEN-03).
func (t *tracer) podToPod(c course, x, y *pod, next func(course)) {
	to := peer{pod: y, addr: c.dst, cluster: x.cluster}
	if y.workload.HostNetwork { // no pod to policies, but its node (K8S-NP-25)
		to = t.outsidePeer(c, x)
		to.node, to.hostNetwork = true, true
		to.ownNode = to.ownNode && (y.pool == nil || y.pool.Name == x.pool.Name) // which of the pools' nodes has the address is settled
	}
	v, listed := t.egress(x, to, c)
	if !listed {
		next(c)
		return
	}
	t.decide(c, Hop{At: x.place(), Stage: PodEgress}, v, next)
}

// byService carries a pod's packet to a pod behind an address of a Service: with the sender's address, and from a node where kube-proxy
// masquerades it (K8S-SVC-12).
func (t *tracer) byService(c course, x, y *pod, s *model.KubeService, dst netip.Addr) {
	may, must := t.masks(x, s, dst)
	if !may {
		t.betweenPods(c, x, y)
		return
	}
	var hosts []*host
	if x.pool != nil {
		hosts = t.nodeHosts(x.cluster, x.pool)
	}
	if len(hosts) == 0 && !y.workload.HostNetwork {
		c.masked = &masked{client: c.src, nodes: anyIPv4(), sameNode: true}
		t.intoPod(c, y, t.peerOf(c, y))
		return
	}
	c = c.because("ASM-K-SNAT")
	if len(hosts) == 0 {
		t.betweenPods(c, x, y)
		return
	}
	t.betweenPods(c.uncertain(), x, y)
	for _, h := range hosts {
		if y.pool != nil && y.pool.Name == x.pool.Name && !y.workload.HostNetwork { // on this node
			d := c.uncertain()
			d.masked = &masked{client: c.src, nodes: h.addr.may, sameNode: true}
			t.intoPod(d, y, t.peerOf(d, y))
		}
		t.pick([]address{h.addr}, "ASM-SNATPOOL", func(a address) {
			d := t.masquerade(c.uncertainIf(!must), x, h, a)
			d.src.holder = h
			t.nodeToPod(d, h, y)
		})
	}
}

// betweenPods is the network between two pods. On one node nothing filters; between nodes the NSGs of both do, with the pods' addresses
// (K8S-AZ-04, K8S-AZ-05). Which of the two it is depends on the scheduler: over skips the NSGs, under applies them.
func (t *tracer) betweenPods(c course, x, y *pod) {
	from := peer{pod: x, addr: c.src, cluster: x.cluster}
	if x.workload.HostNetwork {
		from = peer{node: true, hostNetwork: true, addr: c.src, cluster: x.cluster, pool: x.pool}
	}
	if y.workload.HostNetwork {
		t.podToHostNetwork(c, x, y)
		return
	}
	c.inCluster = !x.network().flat()
	if x.network() == manifestPods || x.pool == nil || y.pool == nil {
		t.intoPod(c, y, from)
		return
	}
	if x.pool.Name == y.pool.Name {
		t.intoPod(c.uncertain().forward(x.place(), Transport, "both pods on one node, where no NSG filters (K8S-AZ-04)"), y, from)
	}
	masked := false
	for _, h := range t.nodeHosts(x.cluster, x.pool) {
		masked = t.perhapsMasked(c, x, h) || masked
	}
	if !masked {
		t.acrossNodes(c, t.podHosts(x), y, from)
	}
}

// acrossNodes carries a packet from a node to a pod on another one.
func (t *tracer) acrossNodes(c course, from []*host, y *pod, who peer) {
	for _, h := range from {
		if y.network().flat() {
			t.leave(c, h)
			continue
		}
		c := c
		if !t.carried(&c, h.place) {
			continue
		}
		t.outbound(c, h, func(c course) {
			for _, to := range t.podHosts(y) {
				t.inbound(c, to, func(c course) { t.intoPod(c, y, who) })
			}
		})
	}
}

// podToHostNetwork: such a pod has its node's address, and what leads to it is filtered like any packet to a node (K8S-NP-25, AKS-NET-10).
func (t *tracer) podToHostNetwork(c course, x, y *pod) {
	if x.network() == manifestPods || x.pool == nil || y.pool == nil {
		if x.network() == manifestPods {
			t.toManifestNode(c, x.cluster)
		}
		t.deliverHostPod(c, y)
		return
	}
	if x.pool.Name == y.pool.Name {
		t.deliverHostPod(c.uncertain().forward(x.place(), Transport, "both pods on one node, where no NSG filters (K8S-AZ-04)"), y)
	}
	t.eachOf([]address{c.dst}, func(a address) {
		d := c.to(a, c.packet.DPort)
		if x.network().flat() {
			for _, h := range t.podHosts(x) {
				t.nodeToNode(d, h, y)
			}
			return
		}
		for _, h := range t.nodeHosts(x.cluster, x.pool) {
			t.pick([]address{h.addr}, "ASM-SNATPOOL", func(a address) { t.nodeToNode(t.masquerade(d, x, h, a), h, y) })
		}
	})
}

// nodeToNode carries a packet for a pod of the host network from one node to another: past the filters of both, by the routes of the VNet.
// Other routes may take it elsewhere: then nothing is certain.
func (t *tracer) nodeToNode(c course, h *host, y *pod) {
	if !t.carried(&c, h.place) {
		return
	}
	t.outbound(c, h, func(c course) {
		winners, certain := t.winners(h, t.table(h, tableOptions{}), c.flow())
		local := certain && !slices.ContainsFunc(winners, func(r route) bool { return r.hop != model.HopVnetLocal })
		c = c.uncertainIf(!local)
		for _, to := range t.nodeHosts(y.cluster, y.pool) {
			to := *to
			to.addr = c.dst
			to.addr.holder = &to
			c.last = &to
			t.inbound(c, &to, func(c course) {
				c.public = nil
				t.deliverHostPod(c, y)
			})
		}
	})
}

// deliverHostPod delivers to a pod of the host network, which is no subject of policies; an engine that nobody knows may differ
// (K8S-NP-25).
func (t *tracer) deliverHostPod(c course, x *pod) {
	if t.engineOf(x.cluster, x.pool).kind == otherEngine {
		subject := *x.workload
		subject.HostNetwork = false
		if _, listed := t.ingress(&pod{workload: &subject, cluster: x.cluster, pool: x.pool, addr: x.addr}, peer{addr: c.src, cluster: x.cluster}, c); listed {
			c = c.uncertain("ASM-K-BYOCNI")
		}
	}
	t.deliver(c, x.place())
}

// arriveAtPod is a packet from outside the cluster, or from another node, for a pod's own VNet address: the NSGs of the pod's subnet and
// node, then the ingress policy (K8S-AZ-01, K8S-AZ-02).
func (t *tracer) arriveAtPod(c course, x *pod) {
	if !t.step(&c, "arrive", x.place()) {
		return
	}
	c.entry = nil
	if x.network() == unknownPods {
		c = c.uncertain("ASM-K-BYOCNI")
	}
	c = c.to(t.podAddress(x, c.packet.Dst), c.packet.DPort)
	for _, h := range t.podHosts(x) {
		c.last = h
		t.inbound(c, h, func(c course) {
			c.public = nil
			t.intoPod(c, x, t.peerOf(c, x))
		})
	}
}

// intoPod is the ingress policy of a pod, and its delivery.
func (t *tracer) intoPod(c course, x *pod, from peer) {
	v, listed := t.ingress(x, from, c)
	next := func(c course) { t.deliver(c, x.place()) }
	if m, ok := t.mesh(x, from, c); ok {
		next = func(c course) {
			t.decide(c, Hop{At: x.place(), Stage: PodIngress}, m, func(c course) { t.deliver(c, x.place()) })
		}
	}
	if !listed {
		next(c)
		return
	}
	t.decide(c, Hop{At: x.place(), Stage: PodIngress}, v, next)
}

// nodeToPod is a packet of a node for a pod of its cluster.
func (t *tracer) nodeToPod(c course, h *host, y *pod) {
	who := peer{node: true, hostNetwork: c.pod != nil && c.pod.workload.HostNetwork, addr: c.src, cluster: h.cluster, pool: h.pool}
	if y.workload.HostNetwork { // a packet to its node's address
		if y.pool == nil || h.pool == nil || y.pool.Name == h.pool.Name {
			t.deliverHostPod(c.uncertain().forward(h.place, Transport, "on the pod's own node, where no NSG filters (K8S-AZ-04)"), y)
		}
		t.eachOf([]address{c.dst}, func(a address) { t.nodeToNode(c.to(a, c.packet.DPort), h, y) })
		return
	}
	if y.pool != nil && h.pool != nil && y.pool.Name == h.pool.Name { // K8S-NP-22: the pod's own node is one of the pool's
		own := who
		own.ownNode = true
		c.inCluster = true
		t.intoPod(c.forward(h.place, Transport, "from the pod's own node").because("ASM-K-NODE"), y, own)
	}
	c.inCluster = !networkOf(h.cluster, h.pool).flat()
	t.acrossNodes(c, []*host{h}, y, who)
}

// fromNode is a packet that a node sends.
func (t *tracer) fromNode(c course, h *host) {
	c.node = h
	c.src.holder = h
	send := func(c course, y *pod, _ *model.KubeService) { t.nodeToPod(c, h, y) }
	c, found := t.toClusterService(c, h.cluster, send)
	if found {
		return
	}
	for _, y := range t.podsOf(h.cluster) {
		if !y.workload.HostNetwork && y.holds(t.world, c.packet.Dst) && t.placedAt(y, c.packet.Dst) {
			found = true
			t.nodeToPod(c.to(t.podAddress(y, c.packet.Dst), c.packet.DPort), h, y)
		}
	}
	if !found {
		t.leave(c, h)
	}
}

// floating is a packet that a node accepted for the frontend of a load balancer with floating IP (AZ-LB-05). A Service of the input takes it, or one
// that the input lacks (K8S-SVC-13).
func (t *tracer) floating(c course, h *host) {
	c.public = nil
	taken := false
	for _, s := range t.e.KubeServices {
		if f, ok := t.kubeFrontendAt(s, c.packet.Dst); ok && same(s.Cluster, h.cluster.ID) {
			if p, ok := servicePort(s, c.packet); ok {
				taken = true
				c.service = s
				t.kubeProxy(t.ofFrontend(c, f), h, s, p)
			}
		}
	}
	if taken {
		return
	}
	c = c.uncertain("ASM-K-NOSERVICE")
	for _, x := range t.podsOf(h.cluster) {
		if x.workload.HostNetwork && onPool(x, h) {
			t.deliverHostPod(c, x)
		}
	}
	if len(t.podsOf(h.cluster)) > 0 {
		t.lose(c, h.place, DNAT, "the input lacks the Service whose frontend this is: any pod may be behind it (K8S-SVC-13)", "ASM-K-NOSERVICE")
	}
	t.deliver(c, h.place)
}

// atNode is a packet that a node accepted for its own address: node ports, host ports, pods of the host network, the node itself.
func (t *tracer) atNode(c course, h *host) {
	taken, why := false, []string(nil)
	for _, s := range t.e.KubeServices {
		if !same(s.Cluster, h.cluster.ID) {
			continue
		}
		if p, ok := servicePort(s, c.packet); ok && slices.ContainsFunc(s.ExternalIPs, func(a netip.Addr) bool { return a.IsValid() && a.Unmap() == c.packet.Dst }) { // K8S-SVC-06
			taken = true
			t.kubeProxy(c, h, s, p)
		}
		if s.NoNodePorts && s.Type == "LoadBalancer" || s.Type != "NodePort" && s.Type != "LoadBalancer" {
			continue
		}
		for _, p := range s.Ports {
			switch {
			case p.Protocol != c.packet.Protocol:
			case p.NodePort == c.packet.DPort && p.NodePort != 0: // K8S-SVC-06
				taken = true
				t.kubeProxy(c, h, s, p)
			case p.NodePort == 0 && c.packet.DPort >= 30000 && c.packet.DPort <= 32767: // K8S-SVC-10
				t.kubeProxy(c.uncertain("ASM-K-NODEPORT"), h, s, p)
				taken, why = true, append(why, "ASM-K-NODEPORT")
			}
		}
	}
	for _, x := range t.podsOf(h.cluster) {
		if x.pool == nil || h.pool == nil || x.pool.Name != h.pool.Name {
			continue
		}
		rest := c.uncertainIf(taken).because(why...) // a node port takes the packet first
		if x.workload.HostNetwork {
			t.deliverHostPod(rest, x)
			continue
		}
		for _, p := range x.workload.HostPorts { // K8S-AZ-09
			if p.Port != c.packet.DPort || p.Protocol != c.packet.Protocol {
				continue
			}
			port, known := containerPort(x.workload, p)
			before := rest.packet
			d := rest.to(x.addr, port).uncertainIf(!known)
			d = d.add(Hop{At: h.place, Stage: DNAT, Action: Forward, Detail: "host port", Certain: known})
			t.intoPod(d.cross(crossing{at: h.place, before: before}), x, t.peerOf(d, x))
		}
	}
	t.deliver(c, h.place) // K8S-SVC-06: it reached the node, whoever answers there
}

// containerPort is the container's port behind a host port (K8S-AZ-09): the stated one, or the declared one of the same name.
func containerPort(wl *model.Workload, host model.ContainerPort) (port uint16, known bool) {
	if host.Target != 0 {
		return host.Target, true
	}
	for _, p := range wl.Ports {
		if host.Name != "" && p.Name == host.Name && p.Protocol == host.Protocol {
			return p.Port, true
		}
	}
	return host.Port, false
}

// fromAPIServer is the API server calling into the cluster: through a tunnel, as a pod of kube-system that the input need not name, or
// from its own subnet (AKS-API-07, K8S-AZ-08).
func (t *tracer) fromAPIServer(c course, cl *model.Cluster) {
	at := model.Place{Kind: model.PlaceAPIServer, ID: cl.ID}
	c = c.forward(at, Transport, "tunnel into the cluster (AKS-API-07)").because("ASM-K-SYSTEM")
	found := false
	for _, x := range t.podsOf(cl) {
		if !x.workload.HostNetwork && x.holds(t.world, c.packet.Dst) {
			found = true
			t.intoPod(c.uncertain(), x, peer{future: "kube-system", addr: address{at: c.packet.Src, may: anyIPv4()}, cluster: cl})
		}
	}
	for i := range cl.Pools {
		for _, h := range t.nodeHosts(cl, &cl.Pools[i]) {
			if c.dst.in(usableOf(h)).may && !found {
				t.deliver(c.uncertain(), h.place)
			}
		}
	}
	if !found {
		t.drop(c.uncertain(), at, Transport, "the API server opens connections into its cluster only")
	}
}

func usableOf(h *host) *netipx.IPSet {
	if h.subnet == nil {
		return nil
	}
	return usable(h.subnet)
}
