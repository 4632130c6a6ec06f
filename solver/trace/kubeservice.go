package trace

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// frontendAddresses are the addresses of a LoadBalancer Service (K8S-SVC-11).
func (w *world) frontendAddresses(s *model.KubeService) []netip.Addr {
	var out []netip.Addr
	for _, f := range w.e.FrontendsOf(s) {
		out = append(out, f.Addr)
	}
	return out
}

// kubeFrontendAt is the Service's frontend with an address.
func (w *world) kubeFrontendAt(s *model.KubeService, a netip.Addr) (model.KubeFrontend, bool) {
	for _, f := range w.e.FrontendsOf(s) {
		if f.Addr == a {
			return f, true
		}
	}
	return model.KubeFrontend{}, false
}

// ofFrontend is a packet for a Service's frontend, of which nothing is certain where status and annotation contradict each other (K8S-SVC-11).
func (t *tracer) ofFrontend(c course, f model.KubeFrontend) course {
	if !f.Certain {
		return c.uncertain("ASM-K-FRONTEND")
	}
	return c
}

// ofService reports whether a Service of a cluster has a load balancer's frontend, and a port for the packet: what the load balancer says of that
// port counts for nothing beside it (K8S-SVC-11).
func (t *tracer) ofService(cl *model.Cluster, f *model.LBFrontend, p Packet) bool {
	return slices.ContainsFunc(t.e.KubeServices, func(s *model.KubeService) bool {
		_, takes := servicePort(s, p)
		return takes && same(s.Cluster, cl.ID) && t.isFrontendOf(s, f, p.Dst)
	})
}

// inFrontendVNet reports whether an internal frontend of the Service lies in a VNet.
func (w *world) inFrontendVNet(s *model.KubeService, v *model.VNet) bool {
	return slices.ContainsFunc(w.frontendSubnets(s), func(id model.ID) bool { return w.inVNet(id, v) })
}

// frontendSubnets is where an internal frontend has its address: the annotated subnet of the cluster's VNet, else the node subnets.
func (w *world) frontendSubnets(s *model.KubeService) []model.ID {
	c := w.clusterOf(s.Cluster)
	var nodes, named []model.ID
	for _, p := range c.Pools {
		if p.Subnet != "" && !contains(nodes, p.Subnet) {
			nodes = append(nodes, p.Subnet)
		}
	}
	if name := s.Annotation("azure-load-balancer-internal-subnet"); name != "" {
		for _, id := range nodes {
			if v, _ := w.vnetOf(id); v != nil {
				for _, x := range w.subnetsOf(v) {
					if fold(x.Name(), name) && !contains(named, x.ID) {
						named = append(named, x.ID)
					}
				}
			}
		}
		if len(named) > 0 {
			return named
		}
	}
	return nodes
}

// serviceSymbol is a frontend whose address the input does not state (K8S-SVC-11).
func (w *world) serviceSymbol(a netip.Addr, id model.ID) address {
	s, ok := model.Get[*model.KubeService](w.e, id)
	if !ok || !s.Internal() {
		out := address{at: a, may: publicIPv4(), public: true, unnamed: true, azure: &azureAddress{}}
		if ok {
			out.azure.location = w.clusterOf(s.Cluster).Location
		}
		return out
	}
	out := address{at: a, because: []string{"ASM-K-FRONTEND"}}
	for _, subnet := range w.frontendSubnets(s) {
		out.may = joinSets(out.may, w.unheld(subnet))
	}
	if emptySet(out.may) {
		out.may = privateSpace()
	}
	return out
}

// serviceSources are the sources that the cloud provider admits in the managed NSG (AKS-LB-03).
func serviceSources(s *model.KubeService) model.AddressMatch {
	m := model.AddressMatch{Prefixes: slices.Clone(s.SourceRanges)}
	for text := range strings.SplitSeq(s.Annotation("azure-allowed-ip-ranges"), ",") {
		if p, _, err := model.ParsePrefix(text); err == nil {
			m.Prefixes = append(m.Prefixes, p)
		}
	}
	for tag := range strings.SplitSeq(s.Annotation("azure-allowed-service-tags"), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			m.Tags = append(m.Tags, tag)
		}
	}
	return m
}

// servicePort is the port of a Service that a packet is for.
func servicePort(s *model.KubeService, p Packet) (model.ServicePort, bool) {
	for _, x := range s.Ports {
		if x.Protocol == p.Protocol && x.Port == p.DPort {
			return x, true
		}
	}
	return model.ServicePort{}, false
}

// toService is a packet for the frontend of a LoadBalancer Service: the load balancer hands it to a node, whose NSGs see the frontend's
// address or the node's (AKS-LB-03, AKS-LB-06, AZ-LB-05), or the node's and the node port without floating IP; the NSG on the frontend's own
// subnet has nothing to act on (ASM-A-ILBNSG).
func (t *tracer) toService(c course, s *model.KubeService) {
	at := model.Place{Kind: model.PlaceFrontend, ID: s.ID}
	if !t.step(&c, "balance", at) {
		return
	}
	p, ok := servicePort(s, c.packet)
	if !ok || s.Annotation("port_"+strconv.Itoa(int(c.packet.DPort))+"_no_lb_rule") == "true" { // AKS-LB-09
		t.drop(c, at, DNAT, "the Service has no load-balancing rule for this protocol and port")
		return
	}
	c.service = s
	frontend := c.dst
	cl := t.clusterOf(s.Cluster)
	c = c.add(Hop{At: at, Stage: DNAT, Action: Forward, Detail: "load balancer of the Service " + s.Namespace + "/" + s.Name(), Source: s.Source, Certain: true})
	if s.Internal() {
		c = t.frontendSubnetNSG(c, s)
	}
	if cl.Manifest || len(cl.Pools) == 0 {
		t.kubeProxy(c, nil, s, p)
		return
	}
	// AKS-LB-03: an annotation asks for node ports, and internal frontends of IPv6 have nothing else.
	floating := s.Annotation("azure-disable-load-balancer-floating-ip") != "true" && (!s.Internal() || !frontend.v6())
	served := false
	for i := range cl.Pools {
		pool := &cl.Pools[i]
		if s.LocalPolicy && len(s.Selector) > 0 && !slices.ContainsFunc(t.backends(s, p), func(b backend) bool { return b.pod.pool == nil || b.pod.pool.Name == pool.Name }) {
			continue // AKS-LB-07: only nodes with a pod are in the pool
		}
		served = true
		for _, h := range t.nodeHosts(cl, pool) {
			to := c.uncertainIf(!t.healthy(h, t.kubeProbe(s, c.packet))) // AZ-LB-03
			if !floating {
				t.toNodePort(to, h, s, p)
				continue
			}
			t.arriveEither(to, h, []address{frontend, t.memberAddress(h, frontend)}, func(c course) {
				c.public = nil
				t.kubeProxy(c, h, s, p)
			})
		}
	}
	if !served {
		t.drop(c, at, DNAT, "no node has a pod of the Service, and its traffic policy is Local (AKS-LB-07)")
	}
}

// kubeProbe is the health probe behind which a load balancer of the input sends a packet for a Service's frontend to the nodes.
func (t *tracer) kubeProbe(s *model.KubeService, p Packet) *model.LBProbe {
	for _, lb := range t.e.LoadBalancers {
		for i := range lb.Frontends {
			f := &lb.Frontends[i]
			if !t.isFrontendOf(s, f, p.Dst) {
				continue
			}
			for _, r := range lb.Rules {
				if same(r.Frontend, f.ID) && r.Protocol == p.Protocol && r.FrontendPort == p.DPort {
					return t.probe(lb, r.Probe)
				}
			}
		}
	}
	return nil
}

// isFrontendOf reports whether a frontend of a load balancer is a Service's, at an address.
func (t *tracer) isFrontendOf(s *model.KubeService, f *model.LBFrontend, a netip.Addr) bool {
	front, ok := t.kubeFrontendAt(s, a)
	if !ok || !front.Public {
		_, v := t.e.SubnetOf(f.Subnet)
		return ok && v != nil && t.inFrontendVNet(s, v) && t.frontendAddress(f) == a
	}
	return slices.ContainsFunc(t.publicIPAt(a), func(p *model.PublicIP) bool { return t.attached(p, f.PublicIP, f.ID) })
}

// toNodePort is a packet for a Service's frontend whose load balancer sends to the nodes' own addresses (AKS-LB-03).
func (t *tracer) toNodePort(c course, h *host, s *model.KubeService, p model.ServicePort) {
	at := model.Place{Kind: model.PlaceFrontend, ID: s.ID}
	port := p.NodePort
	if port == 0 { // K8S-SVC-10
		if s.NoNodePorts {
			t.drop(c, at, DNAT, "the Service has no node ports, and its load balancer sends to nothing else")
			return
		}
		t.lose(c, at, DNAT, "the input does not state the node port to which the load balancer of the Service sends (K8S-SVC-10)", "ASM-K-NODEPORT")
		return
	}
	before := c.packet
	c = c.to(t.memberAddress(h, c.dst), port)
	c = c.cross(crossing{at: at, before: before})
	t.arriveEither(c, h, []address{c.dst}, func(c course) {
		c.public, c.service = nil, nil
		t.received(c, h)
	})
}

// frontendSubnetNSG: the NSG on the subnet of an internal frontend has nothing to act on (AKS-LB-06, ASM-A-ILBNSG).
func (t *tracer) frontendSubnetNSG(c course, s *model.KubeService) course {
	for _, id := range t.frontendSubnets(s) {
		h := t.hostIn(model.Place{Kind: model.PlaceFrontend, ID: s.ID}, id)
		if m := t.assume("ASM-A-ILBNSG"); t.subnetNSG(h) != "" && m.uncertain() && t.subnetVerdict(h, c.flow(), model.Inbound).deny.is {
			c = c.uncertain(m.why...)
		}
	}
	return c.because("ASM-A-ILBNSG")
}

// backend is a pod that a Service port leads to.
type backend struct {
	pod   *pod
	port  uint16
	match match
}

// backends lists the pods behind a Service port: selected by labels, in its namespace; a named target is resolved on each pod, and a
// pod without it is no backend (K8S-SVC-01). Pods that run have each its own address, which policies may tell apart.
func (t *tracer) backends(s *model.KubeService, p model.ServicePort) []backend {
	var out []backend
	for _, b := range t.backendPods(s, p) {
		live := t.liveOn(b.pod)
		if b.pod.workload.HostNetwork || len(live) < 2 {
			out = append(out, b)
			continue
		}
		for i, a := range live {
			if i < maxReplicas || a == t.from {
				x := *b.pod
				x.addr = t.podAddress(&x, a)
				out = append(out, backend{&x, b.port, b.match})
			}
		}
	}
	return out
}

// maxReplicas is how many running pods of a workload are walked behind a Service, beside the one that asks.
const maxReplicas = 8

// backendPods are the backends of a Service port by workload and pool.
func (t *tracer) backendPods(s *model.KubeService, p model.ServicePort) []backend {
	var out []backend
	if len(s.Selector) == 0 {
		return nil
	}
	for _, x := range t.podsOf(t.clusterOf(s.Cluster)) {
		if x.workload.Namespace != s.Namespace {
			continue
		}
		m := matchLabels(model.LabelSelector{Match: s.Selector}, x.workload.Labels, unknownPodLabels(x.workload))
		if !m.may {
			continue
		}
		if p.TargetName == "" {
			port := p.Target
			if port == 0 {
				port = p.Port
			}
			out = append(out, backend{x, port, m})
			continue
		}
		for _, q := range x.workload.Ports {
			if q.Name == p.TargetName && q.Protocol == p.Protocol {
				out = append(out, backend{x, q.Port, m})
			}
		}
	}
	return out
}

// kubeProxy hands a packet that a node took for a Service to one of its pods. h is nil where the cluster's nodes are not in the input.
// Source ranges of the field are enforced here too, for the frontend's address only (AKS-LB-04, K8S-SVC-07, ASM-A-KUBEPROXY).
func (t *tracer) kubeProxy(c course, h *host, s *model.KubeService, p model.ServicePort) {
	at := model.Place{Kind: model.PlaceFrontend, ID: s.ID}
	if h != nil {
		at = h.place
	}
	next := func(c course) { t.toBackends(t.doubtful(c, s), h, s, p) }
	if c.service == nil || len(s.SourceRanges) == 0 {
		next(c)
		return
	}
	rule := s.Namespace + "/" + s.Name() + "/loadBalancerSourceRanges"
	v := firstMatch([]step{{match: c.src.in(prefixSet(s.SourceRanges...)), access: model.Allow, rule: rule, source: s.Source}}, denied(rule, s.Source))
	if m := t.assume("ASM-A-KUBEPROXY"); v.deny.is {
		v.why = union(v.why, m.why)
		if m.uncertain() {
			v = v.either(passes("source ranges may not be enforced on the node"), m.why...)
		}
	}
	t.decide(c, Hop{At: at, Stage: DNAT, Detail: "source ranges on the node"}, v, next)
}

// toBackends rewrites the destination to each pod. externalTrafficPolicy Local keeps the client's address and the node; Cluster may go to
// any node, and the source becomes the receiving node's (K8S-SVC-08, K8S-SVC-09).
func (t *tracer) toBackends(c course, h *host, s *model.KubeService, p model.ServicePort) {
	at := model.Place{Kind: model.PlaceFrontend, ID: s.ID}
	if h != nil {
		at = h.place
	}
	list := t.backends(s, p)
	if len(s.Selector) == 0 {
		t.lose(c, at, DNAT, "the Service selects no pods; its endpoints are not in the input (K8S-SVC-02)")
		return
	}
	if len(list) == 0 {
		t.drop(c, at, DNAT, "the Service has no backend pod")
		return
	}
	if s.LocalPolicy && h != nil && !slices.ContainsFunc(list, func(b backend) bool { return onPool(b.pod, h) }) {
		t.drop(c, at, DNAT, "no pod of the Service runs on this node, and its traffic policy is Local (K8S-SVC-08)")
		return
	}
	for _, b := range list {
		here := h == nil || onPool(b.pod, h)
		if s.LocalPolicy && !here {
			continue
		}
		d := c.given(b.match)
		before := d.packet
		d = d.to(b.pod.addr, b.port)
		d = d.add(Hop{At: at, Stage: DNAT, Action: Forward, Detail: "Service " + s.Namespace + "/" + s.Name(), Source: s.Source, Certain: b.match.must})
		d = d.cross(crossing{at: at, before: before})
		if b.pod.workload.HostNetwork {
			t.toHostBackend(d, h, b.pod, here, s.LocalPolicy)
			continue
		}
		if s.LocalPolicy {
			t.intoPod(d, b.pod, t.peerOf(d, b.pod))
			continue
		}
		d.masked = &masked{client: d.src, nodes: anyIPv4(), sameNode: here}
		if h != nil {
			d.masked.nodes = t.nodeAddresses(h.cluster)
		}
		switch {
		case h == nil, here && c.service != nil: // of a load balancer the client meets that node by trying again (AZ-GEN-13)
			t.intoPod(d, b.pod, t.peerOf(d, b.pod))
			continue
		case here: // on this node, or on another one of the pool
			t.intoPod(d.uncertain(), b.pod, t.peerOf(d, b.pod))
		}
		// On another node the packet crosses with the receiving node's address.
		d.service = nil
		elsewhere := *d.masked
		elsewhere.sameNode = false
		d.masked = &elsewhere
		t.pick([]address{h.addr}, "ASM-SNATPOOL", func(a address) {
			t.acrossNodes(t.fromNodeAddress(d, h, a), []*host{h}, b.pod, t.peerOf(d, b.pod))
		})
	}
}

// toHostBackend is a backend on the host network: on this node, or behind the NSGs of another one, which see the receiving node's address
// (K8S-NP-25, K8S-SVC-08).
func (t *tracer) toHostBackend(c course, h *host, x *pod, here, local bool) {
	if h == nil || local {
		t.deliverHostPod(c, x)
		return
	}
	if here {
		t.deliverHostPod(c.uncertain(), x)
	}
	t.eachOf([]address{c.dst}, func(to address) {
		t.pick([]address{h.addr}, "ASM-SNATPOOL", func(a address) {
			d := c
			d.service = nil
			t.nodeToNode(t.fromNodeAddress(d.to(to, d.packet.DPort), h, a), h, x)
		})
	})
}

// onPool reports that a pod may run on a node's pool.
func onPool(x *pod, h *host) bool {
	return x.pool == nil || h.pool == nil || x.pool.Name == h.pool.Name
}

// nodeAddresses is every address that a node of a cluster may have.
func (t *tracer) nodeAddresses(c *model.Cluster) *netipx.IPSet {
	var sets []*netipx.IPSet
	for i := range c.Pools {
		for _, h := range t.nodeHosts(c, &c.Pools[i]) {
			sets = append(sets, usableOf(h))
		}
	}
	return joinSets(sets...)
}

// fromNodeAddress is the packet with the receiving node's address.
func (t *tracer) fromNodeAddress(c course, h *host, a address) course {
	before := c.packet
	c = c.from(a, c.packet.SPort)
	c.pod, c.node = nil, h
	c = c.add(Hop{At: h.place, Stage: SNAT, Action: Forward, Detail: "the receiving node's address (K8S-SVC-08)", Certain: true})
	return c.cross(crossing{at: h.place, before: before, subnet: h.subnet, vnet: h.vnet, source: true, stateful: true, node: h})
}

// toClusterService is a packet of a pod or node for a Service of its own cluster: the node rewrites it to a backend, whichever of the
// Service's addresses it names (K8S-SVC-01, K8S-SVC-04). Where no Service takes the packet it returns the packet as it goes on: possibly, if
// its address is a Service's that lacks the port (ASM-K-SVCPORT).
func (t *tracer) toClusterService(c course, cl *model.Cluster, send func(course, *pod, *model.KubeService)) (course, bool) {
	found, open := false, false
	for _, s := range t.e.KubeServices {
		if !same(s.Cluster, cl.ID) || !t.serviceHolds(s, c.packet.Dst) {
			continue
		}
		at := model.Place{Kind: model.PlaceFrontend, ID: s.ID}
		p, ok := servicePort(s, c.packet)
		if !ok {
			open = true
			continue
		}
		found = true
		list := t.backends(s, p)
		doubtful := t.doubtful(c, s)
		if len(s.SourceRanges) > 0 && slices.Contains(t.frontendAddresses(s), c.packet.Dst) { // K8S-SVC-12
			doubtful = doubtful.uncertain("ASM-K-SNAT")
		}
		switch {
		case len(s.Selector) == 0:
			t.lose(doubtful, at, DNAT, "the Service selects no pods; its endpoints are not in the input (K8S-SVC-02)")
			continue
		case len(list) == 0:
			t.drop(doubtful, at, DNAT, "the Service has no backend pod")
			continue
		}
		for _, b := range list {
			d := doubtful.given(b.match)
			before := d.packet
			d = d.to(b.pod.addr, b.port)
			d = d.add(Hop{At: at, Stage: DNAT, Action: Forward, Detail: "Service " + s.Namespace + "/" + s.Name(), Source: s.Source, Certain: b.match.must})
			send(d.cross(crossing{at: at, before: before}), b.pod, s)
		}
	}
	if open && !found {
		t.drop(c.uncertain("ASM-K-SVCPORT"), model.Place{Kind: model.PlaceFrontend, ID: cl.ID}, DNAT, "no Service of this address has the port")
		c = c.uncertain("ASM-K-SVCPORT")
	}
	return c, found
}

// masks reports a packet to a frontend or an external IP of a Service with externalTrafficPolicy Cluster, where kube-proxy puts the address of the
// sender's node on what pods send too (K8S-SVC-12): possibly, and for certain with engines that leave Services to it.
func (t *tracer) masks(x *pod, s *model.KubeService, dst netip.Addr) (may, must bool) {
	if ip, err := netip.ParseAddr(s.ClusterIP); s.LocalPolicy || err == nil && ip.Unmap() == dst {
		return false, false
	}
	eng := t.engineOf(x.cluster, x.pool)
	sure := eng.kind == calico || eng.kind == azureNPM || eng.kind == noEngine
	return eng.kind != cilium, sure && !eng.windows
}

// doubtful takes the certainty from what a Service does where something of it was not understood, or something else may take what is for its
// addresses (K8S-GEN-07).
func (t *tracer) doubtful(c course, s *model.KubeService) course {
	list := slices.DeleteFunc(t.misread(s.ID), func(e model.LedgerEntry) bool { return e.Role == model.Relays && !same(e.Resource, s.ID) })
	if len(list) == 0 {
		return c
	}
	return c.uncertain(namesOf(list)...)
}

// serviceHolds reports whether an address is one of a Service's; a headless one has none (K8S-SVC-03).
func (t *tracer) serviceHolds(s *model.KubeService, a netip.Addr) bool {
	if ip, err := netip.ParseAddr(s.ClusterIP); err == nil && ip.Unmap() == a {
		return true
	}
	return slices.ContainsFunc(s.ExternalIPs, func(x netip.Addr) bool { return x.IsValid() && x.Unmap() == a }) || slices.Contains(t.frontendAddresses(s), a)
}
