package dataplane

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// pod is a workload's pods on one node pool.
type pod struct {
	w       *model.Workload
	pool    string
	node    *machine // nil where the input has no nodes
	site    *Site
	ingress guard
	notes   []string
}

// podAddrs are the addresses of a workload's pods: stated ones of live pods, else their symbol.
func (p *planner) podAddrs(w *model.Workload) []netip.Addr {
	if len(w.Addresses) > 0 {
		return w.Addresses
	}
	if a, ok := p.symbols.Of(model.PodAddress, w.ID, ""); ok {
		return []netip.Addr{a}
	}
	return nil
}

// podsOn are the addresses of those of a workload's pods that may run on a pool. A stated address of the VNet tells the pool where the pools
// have different subnets; one that no placement explains rules none out (K8S-AZ-02, K8S-WL-07).
func (p *planner) podsOn(cp *clusterPlan, w *model.Workload, pool string) []netip.Addr {
	list := p.podAddrs(w)
	if len(w.Addresses) == 0 || !cp.mode.flat() {
		return list
	}
	lies := func(pool string, a netip.Addr) bool {
		s, ok := model.Get[*model.Subnet](p.e, p.podSubnet(cp, pool))
		return !ok || slices.ContainsFunc(s.Prefixes, func(x netip.Prefix) bool { return x.Contains(a) })
	}
	return slices.DeleteFunc(slices.Clone(list), func(a netip.Addr) bool {
		return !lies(pool, a) && slices.ContainsFunc(p.placements(w), func(other string) bool { return lies(other, a) })
	})
}

// podEgress is how pods with addresses of a subnet of their own leave: by its NAT gateway, else as the cluster's nodes do (AKS-NET-04,
// AKS-OUT-01).
func (p *planner) podEgress(cp *clusterPlan, subnet model.ID) egress {
	return p.clusterEgress(cp.c, p.classEgress(subnet, nil, true))
}

// planPods adds the pods of every cluster.
func (p *planner) planPods() {
	var every []netip.Addr
	defer func() { p.podsEver = p.b.AddSet("", hosts(every)) }()
	for _, c := range p.e.Clusters {
		cp := p.clusters[c.ID.Key()]
		var all []netip.Addr
		var onNodes []netip.Addr
		for _, w := range cp.workloads {
			switch {
			case !w.HostNetwork:
				all = append(all, p.podAddrs(w)...)
			case cp.mode == podsBare:
				onNodes = append(onNodes, p.podAddrs(w)...)
			}
		}
		cp.onNodes = p.b.AddPool("", hosts(onNodes))
		cp.all = p.b.AddPool("", hosts(all))
		every = append(every, all...)
		for _, w := range cp.workloads {
			for _, pool := range p.placements(w) {
				if w.HostNetwork || len(p.podsOn(cp, w, pool)) > 0 {
					p.planPod(cp, w, pool)
				}
			}
		}
		p.planBetween(cp)
		p.planNodesToPods(cp)
		p.planServiceAddresses(cp)
		p.planKubeServices(cp)
		p.planIngress(cp)
		p.planRelaying(cp)
		if unstated(c) {
			p.note("ASM-A-PLUGIN")
		}
		if len(cp.workloads) > 0 {
			p.note("ASM-K-NODE")   // K8S-NP-22: a pod's own node always reaches it; left out of proofs
			p.note("ASM-K-SYSTEM") // K8S-WL-06
		}
	}
}

// insideCluster is where packets from pods of one pool are on their way to a pod of the cluster; another cluster may use the same addresses
// (AKS-NET-07). The sender's pool matters: between nodes
// NSGs filter, on one node nothing does (K8S-AZ-04, K8S-AZ-05).
func (p *planner) insideCluster(cp *clusterPlan, pool string) NodeID {
	return p.node(model.Place{Kind: model.PlacePod, ID: cp.c.ID, Part: pool}, StagePod, "")
}

// fromNodes is the same for packets from nodes, which reach pods of their own past every filter: proofs leave that out (ASM-K-NODE).
func (p *planner) fromNodes(cp *clusterPlan, pool string) NodeID {
	return p.node(model.Place{Kind: model.PlacePod, ID: cp.c.ID, Part: pool}, StagePod, "node")
}

// flat reports pods that have addresses of the VNet, which carries their packets to each other like any other (K8S-AZ-02, K8S-AZ-05).
func (m podMode) flat() bool { return m == podsNodeSubnet || m == podsPodSubnet }

// podFilters are the filters of the NIC through which a pod's packets pass: its node's, in the pod's own subnet where it has one
// (AKS-NET-04).
func (p *planner) podFilters(cp *clusterPlan, x *pod) filtered {
	f := filtered{managed: cp.c}
	if x.node != nil {
		f = x.node.filters
	}
	if cp.modeAt(x.pool) == podsPodSubnet {
		f.subnet, f.nic, f.members, f.at = p.podSubnet(cp, x.pool), "", nil, x.site.Place
	}
	return f
}

func (p *planner) planPod(cp *clusterPlan, w *model.Workload, pool string) {
	place := model.Place{Kind: model.PlacePod, ID: w.ID, Part: pool}
	m := p.nodeMachine(cp, pool)
	x := &pod{w: w, pool: pool, node: m}
	cp.pods = append(cp.pods, x)
	if w.HostNetwork {
		p.planHostPod(cp, x, place)
		return
	}
	addresses := p.podsOn(cp, w, pool)
	x.site = p.site(&Site{Place: place, Prefixes: hosts(addresses), Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, "")})
	x.ingress, x.notes = p.policyGuard(cp, w, pool, model.Inbound)
	if mesh, notes := p.meshGuard(cp, w); mesh.over != nil {
		x.ingress, x.notes = and(x.ingress, mesh), append(x.notes, notes...)
	}
	to := dstIn(p.addr.exactHosts(addresses...))

	out, notes := p.policyGuard(cp, w, pool, model.Outbound)
	sent := p.node(place, StageForward, "")
	untaken, more := p.untaken(cp)
	out = and(out, untaken)
	notes = append(notes, more...)
	if gateway := p.byGateway(cp, x, sent, untaken); len(gateway) > 0 {
		out, notes = and(out, between(everything(), dstIn(cp.all))), append(notes, gateway...)
	}
	p.edge(x.site.Send, sent, out, nil, notes...)
	if cp.engine == engineAzure && m != nil {
		// K8S-NPM-02: a pod reaches its own node's address whatever its policies say.
		p.edge(x.site.Send, sent, and(onlyOver(dstIn(m.addr)), untaken), nil)
	}
	if ways := p.acting(cp, w.Namespace, model.Carries); len(ways) > 0 { // K8S-GEN-07
		p.forwardUnknown(x.site.Send, "", everything(), named(ways))
	}
	p.edge(sent, p.insideCluster(cp, pool), exactly(either(dstIn(cp.all), dstIn(cp.onNodes))), nil)
	outside := minus(everything(), either(dstIn(cp.all), dstIn(cp.onNodes)))
	if cp.mode.flat() {
		// K8S-AZ-04: pods of one node meet no filter but policies; between nodes the VNet carries the packet.
		p.edge(p.insideCluster(cp, pool), x.site.Receive, and(onlyOver(to), x.ingress), nil, x.notes...)
		outside = everything()
	} else {
		for _, from := range p.sourcePools(cp) {
			across, more := p.acrossNodes(cp, p.nodeMachine(cp, from), m, true)
			p.edge(p.fromNodes(cp, from), x.site.Receive, and(exactly(to), across, x.ingress), nil, append(more, x.notes...)...)
			across, more = p.acrossNodes(cp, p.nodeMachine(cp, from), m, false)
			if from == pool && across.over != nil {
				across = between(everything(), across.low()) // K8S-AZ-04: pods of one node meet none of them
			}
			p.edge(p.insideCluster(cp, from), x.site.Receive, and(exactly(to), across, x.ingress), nil, append(more, x.notes...)...)
		}
	}
	if cp.mode != podsBare {
		outside = minus(outside, transport([]model.Protocol{model.SCTP}, nil, nil, false)) // AZ-GEN-03
	}
	switch cp.modeAt(pool) {
	case podsBare:
		p.edge(sent, p.publicOut(), exactly(both(outside, dstIn(p.addr.public))), nil)
		p.edge(sent, p.platform(), p.toPlatform(), nil, "ASM-PLATFORM")
		p.edge(p.publicIn(), x.site.Receive, and(exactly(to), x.ingress), nil, x.notes...)
		send, receive, lacks := p.around(cp)
		p.edge(sent, receive, onlyOver(outside), nil, lacks)
		p.edge(send, x.site.Receive, and(onlyOver(to), x.ingress), nil, append(slices.Clone(x.notes), lacks)...)
	case podsUnknown:
		p.forwardUnknown(sent, "", everything(), []string{"ASM-K-BYOCNI"})
		p.edge(p.publicIn(), x.site.Receive, and(onlyOver(to), x.ingress), nil, append(slices.Clone(x.notes), "ASM-K-BYOCNI")...)
	case podsOverlay:
		p.asNode(sent, m, exactly(outside), nil)
	case podsNodeSubnet:
		if m == nil || m.vnet == nil {
			p.forwardUnknown(sent, "", everything(), []string{missing("node subnet of cluster", cp.c.ID)})
			break
		}
		// AKS-NET-01: the own VNet sees the pod's address, everything else the node's.
		own := p.addr.set(m.vnet.Prefixes)
		direct := exactly(both(outside, either(dstIn(own.may), dstIn(cp.all))))
		// AKS-NET-02: or its own all the same.
		masked := exactly(minus(outside, either(dstIn(own.must), dstIn(cp.all))))
		filters, more := p.outbound(m.filters)
		if agent := p.masqueraded(cp); len(agent) > 0 {
			direct, masked = direct.mayOnly(), between(outside, masked.over)
			more = slices.Concat(more, agent)
		}
		p.edge(sent, m.out, and(direct, filters), nil, more...)
		p.asNode(sent, m, masked, addresses, "ASM-A-MASQ")
	case podsPodSubnet:
		subnet := p.podSubnet(cp, pool)
		filters, more := p.outbound(p.podFilters(cp, x))
		p.edge(sent, p.routing(subnet, "", p.podEgress(cp, subnet)), and(exactly(outside), filters), nil, more...)
	}
}

// masqueraded names a configuration of ip-masq-agent, which may hide pods of the node subnet behind their node from any address (AKS-NET-03).
func (p *planner) masqueraded(cp *clusterPlan) []string {
	var out []string
	for _, entry := range p.e.Ledger {
		if entry.Disposition == model.Unsupported && entry.Type == "v1/ConfigMap" && slices.ContainsFunc(entry.Affects, func(id model.ID) bool { return id.Key() == cp.c.ID.Key() }) {
			out = append(out, unsupported(entry))
		}
	}
	return out
}

// byGateway leads what annotated pods send out of the cluster to the pool of a static egress gateway, from where it leaves with that pool's
// addresses past the pod's egress policies (AKS-OUT-09). The gateway's own settings are not read: by it or by the pod's node, over.
func (p *planner) byGateway(cp *clusterPlan, x *pod, sent NodeID, untaken guard) []string {
	name := x.w.Annotations["kubernetes.azure.com/static-gateway-configuration"]
	if name == "" {
		return nil
	}
	id := model.Kubernetes(cp.c.ID.Name(), "StaticGatewayConfiguration", x.w.Namespace, name)
	notes := []string{missing("static egress gateway", id)}
	for _, entry := range p.e.Ledger {
		if entry.Disposition == model.Unsupported && entry.Resource.Key() == id.Key() {
			notes = []string{unsupported(entry)}
		}
	}
	outside := and(onlyOver(minus(everything(), dstIn(cp.all))), untaken)
	p.edge(x.site.Send, sent, outside, nil, notes...)
	found := false
	for _, pool := range cp.c.Pools {
		if m := p.nodeMachine(cp, pool.Name); strings.EqualFold(pool.Mode, "Gateway") && m != nil {
			found = true
			p.masking[x] = append(p.masking[x], m)
			p.asNode(x.site.Send, m, outside, nil, notes...)
		}
	}
	if !found {
		p.forwardUnknown(x.site.Send, "", outside.over, notes)
	}
	return notes
}

// planServiceAddresses adds what kube-proxy does with a Service's addresses on the sender's own node: a packet of a pod or node to the
// cluster address or the frontend is translated before any filter sees it, and the sender's egress policy judges the pod that it goes to
// (K8S-SVC-01, K8S-SVC-04). It opens nothing between pods that they could not open without it (K8S-SVC-05).
func (p *planner) planServiceAddresses(cp *clusterPlan) {
	type target struct {
		match guard
		pods  packet.AddrSet
		port  uint16
		outer bool // by an address outside the cluster, for whose packets kube-proxy stands as the node (K8S-SVC-12)
		notes []string
	}
	type hostTarget struct {
		target
		pod *pod
	}
	var targets []target
	var hostTargets []hostTarget
	selves := map[*model.Workload][]target{} // by which a pod may reach itself
	called := map[*model.Workload]bool{}     // by outer addresses
	add := func(k *model.KubeService, addresses []netip.Addr, outer, fenced bool) {
		doubts := p.doubtsOf(k)
		if fenced {
			doubts = append(doubts, "ASM-K-SNAT")
		}
		for _, port := range k.Ports {
			at := both(dstIn(p.addr.exactHosts(addresses...)), transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: port.Port, Last: port.Port}}, false))
			taken := exactly(at)
			if len(doubts) > 0 {
				taken = onlyOver(at)
			}
			backends := p.backendsByPort(cp, k, port)
			for _, t := range slices.Sorted(maps.Keys(backends)) {
				var sure, perhaps []netip.Addr
				for _, w := range backends[t] {
					selves[w] = append(selves[w], target{match: onlyOver(at), port: t, notes: doubts})
					called[w] = called[w] || outer
					if serves(k, w) == yes {
						sure = append(sure, p.podAddrs(w)...)
					} else {
						perhaps = append(perhaps, p.podAddrs(w)...)
					}
				}
				if len(sure) > 0 {
					targets = append(targets, target{taken, p.b.AddPool("", hosts(sure)), t, outer, doubts})
				}
				if len(perhaps) > 0 {
					targets = append(targets, target{onlyOver(at), p.b.AddPool("", hosts(perhaps)), t, outer, doubts})
				}
			}
			for _, x := range cp.pods { // K8S-NP-25: a pod of the host network serves at its node's address
				t := targetPort(x.w, port)
				if !x.w.HostNetwork || serves(k, x.w) == no || t == 0 {
					continue
				}
				match := taken
				if serves(k, x.w) != yes {
					match = onlyOver(at)
				}
				switch {
				case x.node != nil:
					hostTargets = append(hostTargets, hostTarget{target{match, x.node.addr, t, outer, doubts}, x})
				case cp.mode == podsBare:
					targets = append(targets, target{match, p.b.AddPool("", hosts(p.podAddrs(x.w))), t, false, doubts})
				}
			}
		}
	}
	for _, k := range cp.services {
		for _, g := range p.addressesByWay(cp, k) {
			add(k, g.addresses, g.outer, g.fenced)
		}
	}
	enter := func(from, n NodeID, t target, g guard, notes ...string) {
		p.edge(from, n, g, &rewrite{dst: &t.pods, dports: []model.PortRange{{First: t.port, Last: t.port}}}, slices.Concat(t.notes, notes)...)
	}
	// masked: kube-proxy may stand as the node, so that nothing is certain of the sender's own address.
	enterAs := func(from, n NodeID, t target, masked bool) {
		if masked && t.outer {
			enter(from, n, t, t.match.mayOnly(), "ASM-K-SNAT")
			return
		}
		enter(from, n, t, t.match)
	}
	toHosts := func(from NodeID, place model.Place, pool string, f filtered, r reading, as *machine, out guard, notes []string, masked bool) {
		for _, t := range hostTargets {
			n := p.node(place, StageFrontend, viaNode+" "+t.pod.w.ID.Key()+" "+t.pod.pool)
			enterAs(from, n, t.target, masked)
			if t.pod.pool == pool { // it may run on this node, where nothing filters (K8S-AZ-04)
				here := and(onlyOver(everything()), out)
				if cp.engine == engineAzure { // K8S-NPM-02
					here = onlyOver(everything())
				}
				p.edge(n, t.pod.site.Receive, here, nil, notes...)
			}
			p.toNode(n, f, r, as, t.pod, out, notes)
		}
	}
	send := func(from NodeID, place model.Place, inside NodeID, f filtered, r reading, routes NodeID, out guard, notes []string, masked bool) {
		if len(targets) == 0 {
			return
		}
		n := p.node(place, StageFrontend, viaNode)
		for _, t := range targets {
			enterAs(from, n, t, masked)
		}
		p.edge(n, inside, out, nil, notes...)
		if cp.mode.flat() && routes >= 0 {
			filters, more := p.filters(f, model.Outbound, r)
			p.edge(n, routes, and(out, filters), nil, append(more, notes...)...)
		}
	}
	asNode := func(from NodeID, place model.Place, m *machine) {
		send(from, place, p.fromNodes(cp, m.pool), m.filters, m.reading(), m.out, guard{}, nil, false)
		toHosts(from, place, m.pool, m.filters, m.reading(), nil, guard{}, nil, false)
	}
	// masquerade leads what a pod sends to outer addresses on as its node's (K8S-SVC-12).
	masquerade := func(x *pod, out guard, notes []string, sure bool) {
		n := p.node(x.site.Place, StageFrontend, viaNode+" masqueraded")
		some := false
		for _, t := range targets {
			if t.outer {
				some = true
				enter(x.site.Send, n, t, t.match, "ASM-K-SNAT")
			}
		}
		m := x.node
		if m == nil {
			if some {
				p.intoBarePods(n, cp, out, notes)
			}
			return
		}
		if !sure {
			out = out.mayOnly()
		}
		if some {
			at := p.node(x.site.Place, StageFrontend, viaNode+" as its node")
			p.edge(n, at, out, &rewrite{src: &m.addr}, notes...)
			p.edge(at, p.fromNodes(cp, x.pool), guard{}, nil)
			if cp.mode.flat() {
				filters, more := p.filters(m.filters, model.Outbound, m.reading())
				p.edge(at, m.out, filters, nil, more...)
			}
			for _, y := range cp.pods { // a pod on this node admits it (K8S-NP-22)
				if called[y.w] && y.pool == x.pool && y.ingress.over != nil && !y.w.HostNetwork {
					mesh, more := p.meshGuard(cp, y.w)
					p.edge(n, y.site.Receive, and(onlyOver(dstIn(p.addr.exactHosts(p.podsOn(cp, y.w, y.pool)...))), out, mesh), nil, slices.Concat(notes, more)...)
				}
			}
		}
		for _, t := range hostTargets {
			if !t.outer {
				continue
			}
			n := p.node(x.site.Place, StageFrontend, viaNode+" masqueraded "+t.pod.w.ID.Key()+" "+t.pod.pool)
			enter(x.site.Send, n, t.target, t.match, "ASM-K-SNAT")
			p.toNode(n, m.filters, m.reading(), m, t.pod, out, notes)
		}
	}
	for _, x := range cp.pods {
		if x.w.HostNetwork {
			switch {
			case x.node != nil:
				asNode(x.site.Send, x.site.Place, x.node)
			case cp.mode == podsBare:
				send(x.site.Send, x.site.Place, p.fromNodes(cp, x.pool), filtered{}, reading{}, -1, guard{}, nil, false)
			}
			continue
		}
		out, notes := p.policyGuard(cp, x.w, x.pool, model.Outbound)
		routes := NodeID(-1)
		switch {
		case cp.modeAt(x.pool) == podsPodSubnet:
			subnet := p.podSubnet(cp, x.pool)
			routes = p.routing(subnet, "", p.podEgress(cp, subnet))
		case x.node != nil:
			routes = x.node.out
		}
		masked, sure := cp.masks(x.pool)
		send(x.site.Send, x.site.Place, p.insideCluster(cp, x.pool), p.podFilters(cp, x), reading{}, routes, out, notes, masked)
		if masked {
			masquerade(x, out, notes, sure)
		}
		if own := p.toItself(x.w); own != nil && len(selves[x.w]) > 0 && (out.over != nil || x.ingress.over != nil) { // K8S-NP-23
			n := p.node(x.site.Place, StageFrontend, viaNode+" itself")
			pods := p.b.AddPool("", hosts(p.podsOn(cp, x.w, x.pool)))
			for _, t := range selves[x.w] {
				p.edge(x.site.Send, n, t.match, &rewrite{dst: &pods, dports: []model.PortRange{{First: t.port, Last: t.port}}}, t.notes...)
			}
			mesh, more := p.meshGuard(cp, x.w)
			p.edge(n, x.site.Receive, and(onlyOver(own), mesh), nil, append(more, "ASM-K-SELF")...)
		}
		var as *machine
		var r reading
		if cp.mode == podsOverlay && x.node != nil {
			as, r = x.node, x.node.reading()
		}
		toHosts(x.site.Send, x.site.Place, x.pool, p.podFilters(cp, x), r, as, out, notes, masked && x.node != nil)
	}
	for _, m := range p.machines {
		if m.cluster == cp {
			asNode(m.send, m.site.Place, m)
		}
	}
}

// wayOf is addresses of a Service that its clients in the cluster use alike.
type wayOf struct {
	addresses []netip.Addr
	outer     bool // of those for which kube-proxy masquerades
	fenced    bool // the node admits some clients only (K8S-SVC-07)
}

// addressesByWay are the addresses of a Service by what its node does with them (K8S-SVC-12).
func (p *planner) addressesByWay(cp *clusterPlan, k *model.KubeService) []wayOf {
	var out []wayOf
	if a, err := netip.ParseAddr(k.ClusterIP); err == nil {
		out = append(out, wayOf{addresses: []netip.Addr{a}})
	}
	if len(k.ExternalIPs) > 0 {
		out = append(out, wayOf{addresses: k.ExternalIPs, outer: !k.LocalPolicy})
	}
	if k.Type == "LoadBalancer" {
		_, open := srcRanges(k)
		var fronts []netip.Addr
		for _, f := range p.frontendsOf(cp, k) {
			fronts = append(fronts, f.Addr)
		}
		out = append(out, wayOf{fronts, !k.LocalPolicy, !open})
	}
	return out
}

// masks reports whether kube-proxy puts the node's address on what pods of a pool send to outer addresses of Services: possibly, and for
// certain with the engines that leave Services to it (K8S-SVC-12).
func (cp *clusterPlan) masks(pool string) (may, must bool) {
	sure := cp.engine == engineCalico || cp.engine == engineAzure || cp.engine == engineNone
	return cp.engine != engineCilium, sure && !cp.windows(pool)
}

// intoBarePods leads to pods what a node that the input does not have took for a Service.
func (p *planner) intoBarePods(from NodeID, cp *clusterPlan, out guard, notes []string) {
	for _, y := range cp.pods {
		if y.w.HostNetwork {
			continue
		}
		in, seen := y.ingress, y.notes
		if in.over != nil {
			in = p.bareIngress(cp, y)
		}
		p.edge(from, y.site.Receive, and(exactly(dstIn(p.addr.exactHosts(p.podAddrs(y.w)...))), out, in), nil, slices.Concat(notes, seen)...)
	}
}

// viaNode marks what a node has taken for a Service.
const viaNode = "service"

// offCluster is what a node sends by its routes: packets to overlay pods of its cluster know other ways (AKS-NET-06).
func offCluster(cp *clusterPlan) guard {
	if cp.mode != podsOverlay {
		return guard{}
	}
	return exactly(later(func(c *compiler) packet.Set { return c.s.Complement(dstIn(cp.all).get(c)) }))
}

// toNode leads packets for a pod of the host network from one node to another: past the filters of both, by the routes of the VNet. Where
// other routes may carry them, over leaves those out, and nothing is certain (K8S-NP-25).
func (p *planner) toNode(n NodeID, f filtered, r reading, as *machine, x *pod, out guard, notes []string) {
	there := x.node.reading()
	if as != nil {
		at := p.node(p.nodes[n].Place, StageForward, p.nodes[n].Via)
		p.edge(n, at, out, &rewrite{src: &as.addr}, notes...)
		n, out = at, guard{}
		there.from = as
	}
	from, more := p.filters(f, model.Outbound, r)
	to, also := p.filters(x.node.filters, model.Inbound, there)
	var local []*lazy
	for _, g := range p.hopGroups(f.subnet, f.nic) {
		if g.hop.kind == model.HopVnetLocal {
			local = append(local, g.under)
		}
	}
	direct := between(everything(), either(local...)).withReply(p.reply(x.node.filters.subnet, ""))
	p.edge(n, x.site.Receive, and(out, from, to, direct), nil, slices.Concat(notes, more, also)...)
}

// takenBy is the packets that a node of the cluster takes for a Service before any NSG, route or firewall sees them (AKS-NET-08): those to a port that the
// Service has, for certain, and those to any port of its addresses, possibly (K8S-SVC-01, ASM-K-SVCPORT).
func (p *planner) takenBy(cp *clusterPlan) (sure, perhaps *lazy) {
	if cp.taken != nil {
		return cp.taken[0], cp.taken[1]
	}
	var ports, all []*lazy
	for _, k := range cp.services {
		if addresses := p.serviceAddrs(cp, k); len(addresses) > 0 {
			at := dstIn(p.addr.exactHosts(addresses...))
			all = append(all, at)
			for _, port := range k.Ports {
				ports = append(ports, both(at, transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: port.Port, Last: port.Port}}, false)))
			}
		}
	}
	cp.taken = &[2]*lazy{either(ports...), either(all...)}
	return cp.taken[0], cp.taken[1]
}

// untaken is what no Service takes of what a pod or node sends.
func (p *planner) untaken(cp *clusterPlan) (guard, []string) {
	if !slices.ContainsFunc(cp.services, func(k *model.KubeService) bool { return len(p.serviceAddrs(cp, k)) > 0 }) {
		return guard{}, nil
	}
	sure, perhaps := p.takenBy(cp)
	return between(minus(everything(), sure), minus(everything(), perhaps)), []string{"ASM-K-SVCPORT"}
}

// doubtsOf are what is said of a Service and not understood: something else may take, or make of it, what is for its addresses (K8S-GEN-07).
func (p *planner) doubtsOf(k *model.KubeService) []string {
	var out []string
	for _, entry := range p.fogged(k.ID) {
		if entry.Role != model.Relays || entry.Resource.Key() == k.ID.Key() {
			out = append(out, unsupported(entry))
		}
	}
	return out
}

// serviceAddrs are the addresses of a Service: its cluster address, frontend and external ones. A headless one has none (K8S-SVC-03).
func (p *planner) serviceAddrs(cp *clusterPlan, k *model.KubeService) []netip.Addr {
	var addresses []netip.Addr
	for _, way := range p.addressesByWay(cp, k) {
		addresses = append(addresses, way.addresses...)
	}
	return addresses
}

// nodePorts is the packets to ports that Services have, or may have, on every node, and on those whose addresses they take (K8S-SVC-06,
// K8S-SVC-10).
func (p *planner) nodePorts(cp *clusterPlan) *lazy {
	out := []*lazy{nothing()}
	for _, k := range cp.services {
		for _, port := range k.Ports {
			if len(k.ExternalIPs) > 0 {
				out = append(out, both(dstIn(p.addr.exactHosts(k.ExternalIPs...)), transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: port.Port, Last: port.Port}}, false)))
			}
		}
		if k.Type != "NodePort" && (k.Type != "LoadBalancer" || k.NoNodePorts) {
			continue
		}
		for _, port := range k.Ports {
			r := model.PortRange{First: port.NodePort, Last: port.NodePort}
			if port.NodePort == 0 {
				r = model.PortRange{First: 30000, Last: 32767}
			}
			out = append(out, transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{r}, false))
		}
	}
	return either(out...)
}

// backendsByPort groups the pods behind a Service port by the pod port that it leads to.
func (p *planner) backendsByPort(cp *clusterPlan, k *model.KubeService, port model.ServicePort) map[uint16][]*model.Workload {
	out := map[uint16][]*model.Workload{}
	for _, w := range cp.workloads {
		if serves(k, w) != no && !w.HostNetwork {
			if t := targetPort(w, port); t != 0 {
				out[t] = append(out[t], w)
			}
		}
	}
	return out
}

// targetPort is the pod port that a Service port leads to at one workload; 0 when its pods have no such port (K8S-SVC-01).
func targetPort(w *model.Workload, port model.ServicePort) uint16 {
	switch {
	case port.TargetName != "":
	case port.Target == 0:
		return port.Port
	default:
		return port.Target
	}
	for _, c := range w.Ports {
		if c.Name == port.TargetName && c.Protocol == port.Protocol {
			return c.Port
		}
	}
	return 0
}

// planNodesToPods adds the way from a cluster's nodes to overlay pods, which no VNet route describes: subnet NSGs act between nodes, with
// the pod's address (AKS-NET-06, K8S-AZ-04), then the pod's ingress policy sees the node.
func (p *planner) planNodesToPods(cp *clusterPlan) {
	if cp.mode != podsOverlay {
		return
	}
	for _, m := range p.machines {
		if m.cluster != cp {
			continue
		}
		untaken, notes := p.untaken(cp)
		p.edge(m.send, p.fromNodes(cp, m.pool), and(exactly(dstIn(cp.all)), untaken), nil, notes...)
	}
}

func (p *planner) podSubnet(cp *clusterPlan, pool string) model.ID {
	for _, n := range cp.c.Pools {
		if n.Name == pool {
			if n.PodSubnet != "" {
				return n.PodSubnet
			}
			return n.Subnet
		}
	}
	return ""
}

// asNode sends packets on with the node's address, or one of others, through the node's filters and routes.
func (p *planner) asNode(from NodeID, m *machine, g guard, others []netip.Addr, notes ...string) {
	if m == nil {
		p.forwardUnknown(from, "", everything(), []string{"MISSING(nodes of the cluster)"}) // a pool without a subnet (AKS-NET-12)
		return
	}
	addr := m.addr
	if len(others) > 0 {
		addr = p.b.AddPool("", append(hosts(others), m.site.Prefixes...))
	}
	n := p.node(m.site.Place, StageForward, "pods")
	p.edge(from, n, g, &rewrite{src: &addr}, notes...)
	key := Node{Place: m.site.Place.Key(), Stage: StageForward, Via: "pods"}
	if p.routeDone[key] {
		return
	}
	p.routeDone[key] = true
	out, more := p.sends(m)
	p.edge(n, m.out, out, nil, more...)
}

// sourcePools are the pools that pods and nodes of a cluster send from.
func (p *planner) sourcePools(cp *clusterPlan) []string {
	if len(cp.c.Pools) == 0 {
		return []string{""}
	}
	var out []string
	for _, pool := range cp.c.Pools {
		out = append(out, pool.Name)
	}
	return out
}

// acrossNodes is what node NSGs do to packets between pods, which they see with pod addresses: outbound at the sender's node, inbound at
// the receiver's. own: the node itself sends.
func (p *planner) acrossNodes(cp *clusterPlan, from, to *machine, own bool) (guard, []string) {
	if from == nil || to == nil {
		return guard{}, nil
	}
	return p.acrossTo(cp, from, to.filters, own)
}

// acrossTo is acrossNodes to the filters of a receiver.
func (p *planner) acrossTo(cp *clusterPlan, from *machine, to filtered, own bool) (guard, []string) {
	r := reading{}
	if cp.mode == podsOverlay {
		r.pods = ipset(podCIDRs(cp.c))
	}
	if own {
		r.from = from
	}
	out, notes := p.filters(from.filters, model.Outbound, r)
	in, more := p.filters(to, model.Inbound, r)
	return and(out, in), append(append(notes, more...), "ASM-K-PODCIDR")
}

// planHostPod adds pods on the host network: they have their node's address and only NSGs filter them (K8S-NP-25).
func (p *planner) planHostPod(cp *clusterPlan, x *pod, place model.Place) {
	if cp.mode == podsBare {
		p.planBareHostPod(cp, x, place)
		return
	}
	if x.node == nil {
		x.site = p.site(&Site{Place: place, Send: -1, Receive: p.node(place, StageReceive, "")})
		return
	}
	m := x.node
	x.site = p.site(&Site{Place: place, Prefixes: m.site.Prefixes, Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, ""), Subnet: m.filters.subnet})
	out, notes := p.sends(m)
	untaken, more := p.untaken(cp)
	p.edge(x.site.Send, m.out, and(out, untaken, offCluster(cp)), nil, append(notes, more...)...)
	if cp.mode == podsOverlay {
		// AKS-NET-06: to overlay pods it sends as its node does.
		p.edge(x.site.Send, p.fromNodes(cp, x.pool), and(exactly(dstIn(cp.all)), untaken), nil, more...)
	}
	p.edge(m.accept, x.site.Receive, between(m.atNode, minus(m.atNode, p.nodePorts(cp))), nil)
	if m.floats != nil {
		p.edge(m.accept, x.site.Receive, onlyOver(m.floats), nil, "ASM-K-NOSERVICE")
	}
}

// planBareHostPod is a pod of the host network where the input has no nodes: it stands at an address of its own, which is a node's, with no
// network that could stop what it sends and gets, and no policy (K8S-NP-25).
func (p *planner) planBareHostPod(cp *clusterPlan, x *pod, place model.Place) {
	addresses := p.podAddrs(x.w)
	x.site = p.site(&Site{Place: place, Prefixes: hosts(addresses), Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, "")})
	to := exactly(dstIn(p.addr.exactHosts(addresses...)))
	var notes []string
	if cp.engine == engineOther { // an engine of which nobody knows may take it for a subject of policies
		subject := *x.w
		subject.HostNetwork = false
		if g, _ := p.policies(cp, &subject, x.pool, model.Inbound); g.over != nil {
			to, notes = to.mayOnly(), []string{"ASM-K-BYOCNI"}
		}
	}
	untaken, more := p.untaken(cp)
	inside, pods := p.fromNodes(cp, x.pool), either(dstIn(cp.all), dstIn(cp.onNodes))
	p.edge(x.site.Send, inside, and(exactly(pods), untaken), nil, more...)
	p.edge(x.site.Send, p.publicOut(), and(exactly(minus(dstIn(p.addr.public), pods)), untaken), nil, more...)
	p.edge(x.site.Send, p.platform(), and(p.toPlatform(), untaken), nil, append(slices.Clone(more), "ASM-PLATFORM")...)
	for _, from := range []NodeID{inside, p.insideCluster(cp, x.pool), p.publicIn()} {
		p.edge(from, x.site.Receive, to, nil, notes...)
	}
	send, receive, lacks := p.around(cp)
	p.edge(x.site.Send, receive, and(onlyOver(minus(everything(), pods)), untaken), nil, append(more, lacks)...)
	p.edge(send, x.site.Receive, to.mayOnly(), nil, append(notes, lacks)...)
}

// toPlatform is the packets to the host addresses, which a node's own host answers (AZ-PLAT-01).
func (p *planner) toPlatform() guard {
	hosts := dstIn(p.addr.exactHosts(platformHosts()...))
	if !p.assumed("ASM-PLATFORM") {
		return onlyOver(hosts)
	}
	return exactly(hosts)
}

// around is the network that a cluster of manifests alone stands in: of its hosts with addresses that are not public nobody knows who is
// there, and what else stands in their way. What policies let them send to pods, and pods to them, is therefore possible and not certain.
func (p *planner) around(cp *clusterPlan) (send, receive NodeID, lacks string) {
	place := model.Place{Kind: model.PlaceUnknown, ID: cp.c.ID}
	send, receive, lacks = p.node(place, StageSend, ""), p.node(place, StageForward, ""), missing("network of cluster", cp.c.ID)
	key := Node{Place: place.Key(), Stage: StageSend}
	if p.routeDone[key] {
		return send, receive, lacks
	}
	p.routeDone[key] = true
	var taken []netip.Prefix
	for _, w := range cp.workloads {
		taken = append(taken, hosts(w.Addresses)...)
	}
	hostsThere := ipset(ianaPrivate(), taken...)
	s := p.site(&Site{Place: place, Prefixes: hostsThere.Prefixes(), Send: send, Receive: p.node(place, StageReceive, "")})
	platform := p.b.AddSet("", []netip.Prefix{host(platformDNS()), host(netip.MustParseAddr("169.254.169.254"))})
	p.edge(receive, s.Receive, onlyOver(minus(everything(), either(dstIn(p.addr.public), dstIn(platform)))), nil)
	return send, receive, lacks
}

// deliverCluster adds a cluster's ways in from a VNet: pods with VNet addresses, and internal frontends of Services. Nothing outside addresses
// an overlay pod (K8S-AZ-03).
func (p *planner) deliverCluster(n NodeID, v *model.VNet, via string, cp *clusterPlan) {
	for _, x := range cp.pods {
		if x.w.HostNetwork || x.node == nil && cp.modeAt(x.pool) != podsPodSubnet {
			continue
		}
		to := dstIn(p.addr.exactHosts(p.podsOn(cp, x.w, x.pool)...))
		switch cp.modeAt(x.pool) {
		case podsUnknown: // AKS-NET-01: whether the network knows the pod's address is not known
			if x.node != nil && x.node.vnet != nil && x.node.vnet.ID.Key() == v.ID.Key() {
				p.edge(n, x.site.Receive, and(onlyOver(to), x.ingress), nil, append(slices.Clone(x.notes), "ASM-K-BYOCNI")...)
			}
		case podsNodeSubnet:
			if x.node.vnet == nil || x.node.vnet.ID.Key() != v.ID.Key() {
				continue
			}
			in, notes := p.inbound(x.node.filters)
			g := and(exactly(to), in, x.ingress).withReply(p.reply(x.node.filters.subnet, via))
			p.edge(n, x.site.Receive, g, nil, append(notes, x.notes...)...)
		case podsPodSubnet:
			subnet := p.podSubnet(cp, x.pool)
			if subnet.Parent().Key() != v.ID.Key() {
				continue
			}
			in, notes := p.inbound(p.podFilters(cp, x))
			g := and(exactly(to), in, x.ingress).withReply(p.reply(subnet, via))
			p.edge(n, x.site.Receive, g, nil, append(notes, x.notes...)...)
		default:
		}
	}
	for _, k := range p.kubeFront {
		if k.cp == cp && k.vnet == v.ID.Key() {
			p.edge(n, p.kubeFrontendNode(k, via), k.match, nil, k.notes...)
		}
	}
}

// kubeFrontend is a frontend of a LoadBalancer Service. Where a load balancer of the input has the address too, the Service says more of its ports.
type kubeFrontend struct {
	model.KubeFrontend

	cp      *clusterPlan
	service *model.KubeService
	vnet    string // key, of an internal frontend
	match   guard  // what is for it
	notes   []string
}

// frontendsOf are the frontends of a LoadBalancer Service (K8S-SVC-11).
func (p *planner) frontendsOf(cp *clusterPlan, k *model.KubeService) []kubeFrontend {
	if out, ok := p.frontends[k]; ok {
		return out
	}
	var out []kubeFrontend
	for _, x := range p.e.FrontendsOf(k) {
		f := kubeFrontend{KubeFrontend: x, cp: cp, service: k, match: exactly(dstIn(p.addr.exact(x.Addr)))}
		if !x.Certain {
			f.match, f.notes = f.match.mayOnly(), []string{"ASM-K-FRONTEND"}
		}
		if !x.Public {
			for _, id := range p.frontendSubnets(k) {
				f.vnet = id.Parent().Key()
			}
		}
		out = append(out, f)
	}
	p.frontends[k] = out
	return out
}

// at reports whether a frontend of a load balancer is this one.
func (f *kubeFrontend) at(p *planner, x model.LBFrontend) bool {
	if f.Public {
		return slices.Contains(p.publicAddrsOf(x), f.Addr)
	}
	return x.Subnet != "" && x.Subnet.Parent().Key() == f.vnet && p.frontendAddr(x) == f.Addr
}

// publicAddrsOf are the public addresses of a load balancer's frontend.
func (p *planner) publicAddrsOf(x model.LBFrontend) []netip.Addr {
	out, ok := p.frontAddrs[x.ID]
	if !ok {
		for _, ip := range p.e.PublicIPs {
			if holdsPublicIP(ip, x.PublicIP, x.ID) {
				out = append(out, p.publicAddr(ip.ID))
			}
		}
		p.frontAddrs[x.ID] = out
	}
	return out
}

// portsAt are the ports that Services of a cluster have at a load balancer's frontend.
func (p *planner) portsAt(cp *clusterPlan, x model.LBFrontend) []model.ServicePort {
	var out []model.ServicePort
	for _, k := range cp.services {
		if slices.ContainsFunc(p.frontendsOf(cp, k), func(f kubeFrontend) bool { return f.at(p, x) }) {
			out = append(out, k.Ports...)
		}
	}
	return out
}

// ofServices is the packets for a load balancer's frontend that Services of a cluster take: their own rules lead them to its nodes.
func (p *planner) ofServices(cp *clusterPlan, x model.LBFrontend) *lazy {
	out := []*lazy{nothing()}
	for _, port := range p.portsAt(cp, x) {
		out = append(out, transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: port.Port, Last: port.Port}}, false))
	}
	return either(out...)
}

// isOfService reports a port of a load balancer's frontend that a Service of a cluster has.
func (p *planner) isOfService(cp *clusterPlan, x model.LBFrontend, proto model.Protocol, ports model.PortRange) bool {
	return slices.ContainsFunc(p.portsAt(cp, x), func(q model.ServicePort) bool {
		return q.Protocol == proto && ports == model.PortRange{First: q.Port, Last: q.Port}
	})
}

// planKubeServices adds what Services open from outside the cluster (K8S-SVC-06): frontends, node ports and host ports.
func (p *planner) planKubeServices(cp *clusterPlan) {
	for _, k := range cp.services {
		if k.Type != "LoadBalancer" && k.Type != "NodePort" && len(k.ExternalIPs) == 0 {
			continue
		}
		var frontends []netip.Addr
		if k.Type == "LoadBalancer" {
			for _, f := range p.frontendsOf(cp, k) {
				p.kubeFront = append(p.kubeFront, f)
				frontends = append(frontends, f.Addr)
				if f.Public {
					p.edge(p.publicIn(), p.kubeFrontendNode(f, viaInternet), f.match, nil, f.notes...)
				}
				if cp.mode == podsBare {
					p.bareService(cp, f)
				}
			}
		}
		if cp.mode == podsBare {
			p.bareNodePorts(cp, k)
			continue
		}
		for _, port := range k.Ports {
			p.kubeProxy(cp, k, port, frontends)
		}
	}
	for _, m := range p.machines { // K8S-SVC-13: a Service that the input lacks may lead to any port of any pod
		if m.cluster == cp && m.floats != nil {
			unknown := onlyOver(both(m.floats, transport([]model.Protocol{model.TCP, model.UDP, model.SCTP}, nil, nil, false)))
			p.toPods(m, cp.pods, unknown, model.AllPorts, byFrontend, []string{"ASM-K-NOSERVICE"})
			p.toPods(m, slices.DeleteFunc(slices.Clone(cp.pods), func(x *pod) bool { return x.pool != m.pool }), unknown, model.AllPorts, staysHere, []string{"ASM-K-NOSERVICE"})
		}
	}
	for _, x := range cp.pods {
		if x.w.HostNetwork || x.node == nil {
			continue
		}
		for _, h := range x.w.HostPorts { // K8S-AZ-09
			target := h.Target
			if target == 0 {
				target = h.Port
			}
			at := both(x.node.atNode, transport([]model.Protocol{h.Protocol}, nil, []model.PortRange{{First: h.Port, Last: h.Port}}, false))
			g := between(at, minus(at, p.nodePorts(cp)))
			p.toPods(x.node, []*pod{x}, g, model.PortRange{First: target, Last: target}, staysHere, nil)
		}
	}
}

// kubeFrontendNode leads a Service's frontend to the nodes: with floating IP, or to the node port (AKS-LB-03).
func (p *planner) kubeFrontendNode(k kubeFrontend, via string) NodeID {
	place := model.Place{Kind: model.PlaceFrontend, ID: k.service.ID}
	floating, as := floats(k), via
	for _, lb := range p.e.LoadBalancers { // it is the load balancer's, where the input has that
		for _, f := range lb.Frontends {
			if k.at(p, f) {
				place.ID, as = f.ID, via+" "+k.service.ID.Key()
			}
		}
	}
	if !floating {
		as += " node port"
	}
	if isV6(k.Addr) {
		as += " IPv6"
	}
	n := p.node(place, StageFrontend, as)
	key := Node{Place: place.Key(), Stage: StageFrontend, Via: as}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	for _, port := range k.service.Ports {
		if withoutRule(k.service, port) {
			continue
		}
		match := exactly(transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: port.Port, Last: port.Port}}, false))
		for _, m := range p.machines {
			if m.cluster != k.cp {
				continue
			}
			h := handover{sku: model.Standard, floating: floating, frontend: port.Port, backend: port.Port, service: k.service, probe: p.kubeProbe(k, port)}
			if !floating {
				h.backend = port.NodePort
				served := slices.ContainsFunc(k.cp.pods, func(x *pod) bool {
					return x.pool == m.pool && serves(k.service, x.w) != no && targetPort(x.w, port) != 0
				})
				if k.service.NoNodePorts || k.service.LocalPolicy && len(k.service.Selector) > 0 && !served { // AKS-LB-07
					continue
				}
			}
			p.balance(n, poolMember{m, p.inFamilyOf(m, k.Addr)}, match, via, h)
		}
	}
	return n
}

// kubeProbe is the port of the health probe of a Service's port, where the input has the load balancer (AZ-LB-03); 0 for none.
func (p *planner) kubeProbe(k kubeFrontend, port model.ServicePort) uint16 {
	for _, lb := range p.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if !k.at(p, f) {
				continue
			}
			for _, r := range lb.Rules {
				if r.Frontend.Key() == f.ID.Key() && r.Protocol == port.Protocol && r.FrontendPort == port.Port {
					return p.probePort(lb, r.Probe)
				}
			}
		}
	}
	return 0
}

// floats reports whether the load balancer of a Service leaves the frontend's address in the packets. It sends to node ports where an annotation
// asks for that, and behind internal frontends of IPv6 (AKS-LB-03).
func floats(k kubeFrontend) bool {
	return k.service.Annotation("azure-disable-load-balancer-floating-ip") != "true" && (k.Public || !isV6(k.Addr))
}

// isV6 reports an IPv6 address; symbols stand for IPv4.
func isV6(a netip.Addr) bool { return a.Is6() && !model.SymbolBlock().Contains(a) }

// withoutRule reports a port of a Service for which its load balancer has no rule (AKS-LB-09).
func withoutRule(k *model.KubeService, port model.ServicePort) bool {
	return k.Annotation("port_"+portText(port.Port)+"_no_lb_rule") == "true"
}

func portText(p uint16) string { return model.PortRange{First: p, Last: p}.String() }

// kubeProxy is what the nodes do with a Service's frontend and node port: translate to a backend pod (K8S-SVC-01, K8S-SVC-06).
func (p *planner) kubeProxy(cp *clusterPlan, k *model.KubeService, port model.ServicePort, frontends []netip.Addr) {
	ranges, unconditional := srcRanges(k)
	doubts := p.doubtsOf(k)
	certain := func(g guard) guard {
		if len(doubts) > 0 {
			return g.mayOnly()
		}
		return g
	}
	for _, m := range p.machines {
		if m.cluster != cp {
			continue
		}
		var backends []*pod
		for _, x := range cp.pods {
			if serves(k, x.w) == no {
				continue
			}
			if k.LocalPolicy && x.pool != m.pool {
				continue // K8S-SVC-08
			}
			backends = append(backends, x)
		}
		proto := []model.Protocol{port.Protocol}
		if len(frontends) > 0 {
			at := both(dstIn(p.addr.exactHosts(frontends...)), transport(proto, nil, []model.PortRange{{First: port.Port, Last: port.Port}}, false))
			g := certain(exactly(at))
			notes := slices.Clone(doubts)
			if !unconditional {
				g = and(g, p.inRanges(k, ranges, m.site.Place))
				notes = append(slices.Clone(notes), "ASM-A-KUBEPROXY")
			}
			p.toBackends(m, k, backends, g, port, byFrontend.of(k), notes)
		}
		if len(k.ExternalIPs) > 0 {
			g := certain(exactly(both(both(dstIn(m.addr), dstIn(p.addr.exactHosts(k.ExternalIPs...))), transport(proto, nil, []model.PortRange{{First: port.Port, Last: port.Port}}, false))))
			p.toBackends(m, k, backends, g, port, byNode.of(k), doubts)
		}
		if k.NoNodePorts || k.Type != "LoadBalancer" && k.Type != "NodePort" {
			continue
		}
		g := certain(exactly(both(m.atNode, transport(proto, nil, []model.PortRange{{First: port.NodePort, Last: port.NodePort}}, false))))
		notes := slices.Clone(doubts)
		if port.NodePort == 0 {
			g = onlyOver(both(m.atNode, transport(proto, nil, []model.PortRange{{First: 30000, Last: 32767}}, false)))
			notes = append(notes, "ASM-K-NODEPORT") // K8S-SVC-10
		}
		p.toBackends(m, k, backends, g, port, byNode.of(k), notes)
	}
}

// inRanges is the packets from the source ranges of a Service: the node drops others (AKS-LB-04).
func (p *planner) inRanges(k *model.KubeService, ranges []netip.Prefix, at model.Place) guard {
	allowed := p.addr.set(ranges)
	g := between(srcIn(allowed.may), srcIn(allowed.must))
	if !p.assumed("ASM-A-KUBEPROXY") {
		g.over = everything()
		return g
	}
	rule := k.Namespace + "/" + k.Name() + "/loadBalancerSourceRanges"
	c := Control{Key: "ranges|" + k.ID.Key(), Name: rule, Shut: shutUnion, Stage: "dnat", Place: at}
	return g.behind(c, doorParts(Part{Key: c.Key, Rule: rule, Source: k.Source, Open: "its address in the source ranges"}, g.over))
}

// bareService leads a Service's frontend to its pods where the input has no nodes: any node takes the packet, and hands it on with the client's
// address or its own (K8S-SVC-06, K8S-SVC-09). Of the network around nobody knows who reaches the frontend.
func (p *planner) bareService(cp *clusterPlan, f kubeFrontend) {
	k := f.service
	n := p.kubeFrontendNode(f, viaInternet)
	send, _, lacks := p.around(cp)
	p.edge(send, n, onlyOver(dstIn(p.addr.exact(f.Addr))), nil, lacks)
	notes := p.doubtsOf(k)
	for _, port := range k.Ports {
		if withoutRule(k, port) {
			continue
		}
		match := exactly(transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: port.Port, Last: port.Port}}, false))
		more := slices.Clone(notes)
		if len(notes) > 0 {
			match = match.mayOnly()
		}
		if ranges, unconditional := srcRanges(k); !unconditional {
			match, more = and(match, p.inRanges(k, ranges, model.Place{Kind: model.PlaceFrontend, ID: k.ID})), append(more, "ASM-A-KUBEPROXY")
		}
		if len(k.Selector) == 0 {
			p.forwardUnknown(n, "", match.over, append(more, missing("endpoints of Service", k.ID))) // K8S-SVC-02
			continue
		}
		p.toBarePods(n, cp, k, port, match, more)
	}
}

// toBarePods leads what a node took for a Service to its pods where the input has no nodes.
func (p *planner) toBarePods(from NodeID, cp *clusterPlan, k *model.KubeService, port model.ServicePort, match guard, notes []string) {
	for _, x := range cp.pods {
		t := targetPort(x.w, port)
		if serves(k, x.w) == no || t == 0 {
			continue
		}
		to := match
		if serves(k, x.w) != yes {
			to, notes = to.mayOnly(), append(slices.Clone(notes), cp.labelDoubts(x.w, nil, &model.LabelSelector{Match: k.Selector})...)
		}
		dst := p.addr.exactHosts(p.podAddrs(x.w)...)
		rw := &rewrite{dst: &dst, dports: []model.PortRange{{First: t, Last: t}}}
		if x.w.HostNetwork { // K8S-NP-25
			p.edge(from, x.site.Receive, to, rw, notes...)
			continue
		}
		how, in, seen := "service local", x.ingress, x.notes
		if !k.LocalPolicy && x.ingress.over != nil {
			how, in, seen = "service", p.bareIngress(cp, x), append(slices.Clone(x.notes), "ASM-K-SNAT")
		} else if own := p.toItself(x.w); own != nil && in.over != nil {
			in.over, in.under, seen = either(in.over, own), in.low(), append(slices.Clone(x.notes), "ASM-K-SELF")
		}
		at := p.node(x.site.Place, StagePod, how)
		p.edge(from, at, to, rw, notes...)
		if key := (Node{Place: x.site.Place.Key(), Stage: StagePod, Via: how}); !p.routeDone[key] {
			p.routeDone[key] = true
			p.edge(at, x.site.Receive, in, nil, seen...)
		}
	}
}

// bareNodePorts leads what is for a port of a node to pods where the input has no nodes: any address of the network around that no pod has may
// be a node's, and one that a Service calls its own (K8S-SVC-06, K8S-SVC-10).
func (p *planner) bareNodePorts(cp *clusterPlan, k *model.KubeService) {
	send, receive, lacks := p.around(cp)
	nodes := minus(everything(), either(dstIn(p.addr.public), dstIn(cp.all), dstIn(p.addr.exactHosts(platformHosts()...))))
	for _, port := range k.Ports {
		for _, way := range bareWays(k, port) {
			at := nodes
			notes := append(p.doubtsOf(k), lacks)
			if way.external {
				at = both(at, dstIn(p.addr.exactHosts(k.ExternalIPs...)))
			} else if port.NodePort == 0 {
				notes = append(notes, "ASM-K-NODEPORT")
			}
			at = both(at, transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{way.ports}, false))
			for _, from := range []NodeID{send, receive, p.insideCluster(cp, ""), p.fromNodes(cp, ""), p.publicIn()} {
				match := onlyOver(at)
				if from != send && from != receive { // to nodes by what is on their network
					match = onlyOver(both(at, dstIn(cp.onNodes)))
				}
				if len(k.Selector) == 0 {
					p.forwardUnknown(from, "", match.over, append(notes, missing("endpoints of Service", k.ID))) // K8S-SVC-02
					continue
				}
				p.toBarePods(from, cp, k, port, match, notes)
			}
		}
	}
}

// bareWay is ports of a node by which a Service is reached: on every node, or at its external IPs.
type bareWay struct {
	ports    model.PortRange
	external bool
}

func bareWays(k *model.KubeService, port model.ServicePort) []bareWay {
	var out []bareWay
	if len(k.ExternalIPs) > 0 {
		out = append(out, bareWay{model.PortRange{First: port.Port, Last: port.Port}, true})
	}
	switch {
	case k.Type != "NodePort" && (k.Type != "LoadBalancer" || k.NoNodePorts):
	case port.NodePort == 0:
		out = append(out, bareWay{model.PortRange{First: 30000, Last: 32767}, false})
	default:
		out = append(out, bareWay{model.PortRange{First: port.NodePort, Last: port.NodePort}, false})
	}
	return out
}

// bareIngress is a pod's ingress policy behind a Service whose nodes the input does not have: it may run on the node that took the packet,
// whose packets no policy stops (K8S-NP-22), and that node may have any address (K8S-SVC-09).
func (p *planner) bareIngress(cp *clusterPlan, x *pod) guard {
	g := p.maskedBy(cp, x, p.b.AddPool("", []netip.Prefix{allV4()}))
	return between(everything(), g.low())
}

// toEndpoints is a Service without a selector: its endpoints, which the input does not state, may be any address that the node can send to
// (K8S-SVC-02).
func (p *planner) toEndpoints(m *machine, k *model.KubeService, g guard) {
	if k.Type == "ExternalName" {
		return
	}
	all := p.b.AddPool("", []netip.Prefix{allV4(), allV6()})
	n := p.node(m.site.Place, StageForward, "endpoints of "+k.ID.Key())
	note := missing("endpoints of Service", k.ID)
	p.edge(m.accept, n, g.mayOnly(), &rewrite{dst: &all}, note)
	p.asNode(n, m, onlyOver(everything()), nil, note)
}

// srcRanges are the sources that a LoadBalancer Service admits by its field; unconditional when it states none.
func srcRanges(k *model.KubeService) ([]netip.Prefix, bool) {
	return k.SourceRanges, len(k.SourceRanges) == 0
}

// serves reports whether a workload's pods are behind a Service: no, surely, or maybe where labels are not known (K8S-SVC-01, K8S-WL-02).
func serves(k *model.KubeService, w *model.Workload) tri {
	if w.Namespace != k.Namespace || len(k.Selector) == 0 {
		return no // K8S-SVC-02: backends come from elsewhere
	}
	return selectsPod(model.LabelSelector{Match: k.Selector}, w)
}

// entry is by which of its ways a packet came to a node that hands it to pods.
type entry uint8

const (
	byNode     entry = iota // the node's own address
	byFrontend              // a load balancer, which picks the node
	staysHere               // to a pod of this node alone (K8S-SVC-08, K8S-AZ-09)
)

// of is the entry of a Service's packets.
func (e entry) of(k *model.KubeService) entry {
	if k.LocalPolicy {
		return staysHere
	}
	return e
}

// toBackends leads packets to the backends that have the pod port of a Service port.
func (p *planner) toBackends(m *machine, k *model.KubeService, backends []*pod, g guard, port model.ServicePort, by entry, notes []string) {
	if len(k.Selector) == 0 {
		p.toEndpoints(m, k, g)
		return
	}
	for _, x := range backends {
		t := targetPort(x.w, port)
		if t == 0 {
			continue
		}
		to, more := g, notes
		if serves(k, x.w) != yes {
			to = and(g, onlyOver(everything()))
			more = append(slices.Clone(notes), p.clusters[x.w.Cluster.Key()].labelDoubts(x.w, nil, &model.LabelSelector{Match: k.Selector})...)
		}
		p.toPods(m, []*pod{x}, to, model.PortRange{First: t, Last: t}, by, more)
	}
}

// toPods translates packets at a node to pods. With externalTrafficPolicy Local the pod sees the client; with Cluster the pod may run on
// another node, whose NSGs then filter, and everything on the way sees the client or a node: over needs one, under both (K8S-SVC-08,
// K8S-SVC-09).
func (p *planner) toPods(m *machine, pods []*pod, g guard, ports model.PortRange, by entry, notes []string) {
	local := by == staysHere
	for _, x := range pods {
		if x.w.HostNetwork {
			// K8S-NP-25: it serves at its node's address, here or behind the NSGs of another node.
			if x.node == nil {
				continue
			}
			dst := x.node.addr
			rw := &rewrite{dst: &dst, dports: []model.PortRange{ports}}
			if local {
				p.edge(m.accept, x.site.Receive, g, rw, notes...)
				continue
			}
			n := p.node(x.site.Place, StagePod, "cluster "+m.pool)
			p.edge(m.accept, n, g, rw, notes...)
			key := Node{Place: x.site.Place.Key(), Stage: StagePod, Via: "cluster " + m.pool}
			if p.routeDone[key] {
				continue
			}
			p.routeDone[key] = true
			if m.pool == x.pool {
				p.edge(n, x.site.Receive, onlyOver(everything()), nil)
			}
			p.toNode(n, m.filters, m.reading(), m, x, guard{}, nil)
			continue
		}
		dst := p.addr.exact(p.podsOn(p.clusters[x.w.Cluster.Key()], x.w, x.pool)...)
		rw := &rewrite{dst: &dst, dports: []model.PortRange{ports}}
		how := "local"
		if !local {
			how = "cluster " + m.pool
		}
		if by == byFrontend {
			how += " frontend"
		}
		n := p.node(x.site.Place, StagePod, how)
		p.edge(m.accept, n, g, rw, notes...)
		key := Node{Place: x.site.Place.Key(), Stage: StagePod, Via: how}
		if p.routeDone[key] {
			continue
		}
		p.routeDone[key] = true
		in := x.ingress
		more := slices.Clone(x.notes)
		if own := p.toItself(x.w); own != nil && in.over != nil {
			elsewhere := p.ofSites(func(s *Site) bool { // an address is one pod's, on one pool
				return slices.ContainsFunc(p.clusters[x.w.Cluster.Key()].pods, func(y *pod) bool { return y.w == x.w && y.pool != x.pool && y.site == s })
			})
			in.over, in.under = either(in.over, minus(own, elsewhere)), in.low()
			more = append(more, "ASM-K-SELF")
		}
		if !local {
			if in.over != nil {
				in = p.maskedIngress(m, x)
				more = append(more, "ASM-K-SNAT")
			}
			cp := p.clusters[x.w.Cluster.Key()]
			var across guard
			var extra []string
			if x.node != nil { // AKS-NET-04: a pod with an address of its own subnet stands behind that subnet's NSG
				across, extra = p.acrossTo(cp, m, p.podFilters(cp, x), true)
			}
			if cp.mode.flat() { // the VNet carries it by the routes of the node's subnet, which may lead elsewhere (AZ-RT-18)
				ways := p.waysFrom(m.filters)
				p.asNode(n, m, onlyOver(ways.detours), nil, "ASM-K-SNAT")
				if in.over != nil { // policies may see the client behind a forwarder too (K8S-NP-14)
					ways.straight.over = either(ways.straight.over, ways.passed)
				}
				across = and(guard{over: orEverything(across.over), under: across.low()}, ways.straight)
			}
			switch {
			case m.pool != x.pool || across.over == nil:
			case by == byFrontend: // of a load balancer the client meets the pod's node by trying again (AZ-GEN-13)
				across = guard{}
			default:
				across = between(everything(), across.low()) // the pod may run on this node
			}
			across = p.fromNode(across, m.addr)
			if cp.mode.flat() && (m.pool != x.pool || by != byFrontend) {
				across = across.withReply(p.answers(cp, m, x))
			}
			in = and(across, in)
			more = append(more, extra...)
		}
		p.edge(n, x.site.Receive, in, nil, more...)
	}
}

// answers is everything where the routes of a pod with an address of the VNet lead its answers back to every address that a node may have, which handed
// the packet on with its own; else nothing (AZ-RT-28, K8S-SVC-08).
func (p *planner) answers(cp *clusterPlan, m *machine, x *pod) *lazy {
	back := p.reply(p.podSubnet(cp, x.pool), "")
	of := func(family packet.AddrSet, one netip.Addr) *lazy { // it stands as an address of the packet's family (AZ-V6-01)
		as := packetRewrite(p.inFamilyOf(m, one))
		return both(dstIn(family), later(func(c *compiler) packet.Set { return c.s.Complement(c.s.Preimage(c.s.Complement(back.get(c)), as(c))) }))
	}
	return either(of(p.addr.v4, netip.IPv4Unspecified()), of(p.addr.v6, netip.IPv6Unspecified()))
}

// ways is how the routes of a NIC's subnet lead packets to their destination's VNet.
type ways struct {
	straight guard // past no forwarder
	detours  *lazy // possibly by a forwarder
	passed   *lazy // possibly by one that passes packets on
}

// waysFrom reads the routes of a NIC's subnet as ways.
func (p *planner) waysFrom(f filtered) ways {
	s, v := p.e.SubnetOf(f.subnet)
	if v == nil {
		return ways{between(everything(), nothing()), everything(), everything()}
	}
	var over, under, around, passed []*lazy
	for _, g := range p.hopGroups(f.subnet, f.nic) {
		switch g.hop.kind {
		case model.HopVnetLocal, model.HopPeering, model.HopGlobalPeering, model.HopConnectedGroup:
			over, under = append(over, g.over), append(under, g.under)
		case model.HopNone, model.HopInternet: // neither leads back to a pod
		default:
			around = append(around, g.over)
			if o, ok := p.nextHop(v, g.hop.addr); ok && o.kind == model.PlaceNIC {
				if m := p.machineAt[model.Place{Kind: o.kind, ID: o.id, Part: o.part}.Key()]; m != nil && !m.forwards { // AZ-RT-10
					continue
				}
			}
			passed = append(passed, g.over)
		}
	}
	if p.e.RoutesAt(f.nic) == nil && p.tableDoubt(s) != "" || slices.ContainsFunc(p.fogged(v.ID), carries) {
		under, around, passed = nil, []*lazy{everything()}, []*lazy{everything()}
	}
	return ways{between(either(over...), either(under...)), either(around...), either(passed...)}
}

// manyReplicas is how many stated addresses of a workload are told apart where its pods may reach themselves.
const manyReplicas = 16

// toItself is what a pod sends to its own address: policies are silent about it (K8S-NP-23). Nil where no address is stated: replicas are pods
// of their own, and of very many any may be the one.
func (p *planner) toItself(w *model.Workload) *lazy {
	if len(w.Addresses) > manyReplicas {
		at := p.addr.exactHosts(w.Addresses...)
		return both(srcIn(at), dstIn(at))
	}
	var out []*lazy
	for _, a := range p.podAddrs(w) {
		if !model.SymbolBlock().Contains(a) {
			at := p.addr.exactHosts(a)
			out = append(out, both(srcIn(at), dstIn(at)))
		}
	}
	if out == nil {
		return nil
	}
	return either(out...)
}

// masked reads a guard where the source may be the packet's own or a node's: over passes what one of them lets pass, under what both do.
func (p *planner) masked(g guard, nodes packet.AddrSet) guard {
	if g.over == nil {
		return g
	}
	over, under := g.over, g.under
	if under == nil {
		under = over
	}
	masked := p.fromNode(g, nodes)
	as := packetRewrite(nodes)
	return between(either(over, masked.over), both(under, masked.under)).readAs(g, func(c *compiler, s packet.Set) packet.Set {
		return c.s.Union(s, c.s.Preimage(s, as(c)))
	})
}

// fromNode reads a guard with a node's address as the source: over where some address of the node passes, under where each does.
func (p *planner) fromNode(g guard, nodes packet.AddrSet) guard {
	if g.over == nil {
		return g
	}
	over, under := g.over, g.under
	if under == nil {
		under = over
	}
	as := packetRewrite(nodes)
	return between(
		later(func(c *compiler) packet.Set { return c.s.Preimage(over.get(c), as(c)) }),
		later(func(c *compiler) packet.Set { return c.s.Complement(c.s.Preimage(c.s.Complement(under.get(c)), as(c))) }),
	).readAs(g, func(c *compiler, s packet.Set) packet.Set { return c.s.Preimage(s, as(c)) })
}

// packetRewrite writes a source.
func packetRewrite(src packet.AddrSet) func(*compiler) packet.Rewrite {
	return func(c *compiler) packet.Rewrite { return packet.Rewrite{Src: c.u.Addrs(src)} }
}

// maskedBy is a pod's ingress policy where it sees the client's address or one of some nodes (K8S-SVC-09).
func (p *planner) maskedBy(cp *clusterPlan, x *pod, nodes packet.AddrSet) guard {
	behind := *cp
	behind.masked = true
	ingress, _ := p.policyGuard(&behind, x.w, x.pool, model.Inbound)
	g := p.masked(ingress, nodes)
	if cp.engine == engineCalico || cp.engine == engineAzure {
		// With kube-proxy every packet of a Cluster Service carries the receiving node's address (K8S-SVC-09).
		g.under = p.fromNode(ingress, nodes).under
	}
	return g
}

// maskedIngress is a pod's ingress policy where it may see the client's address or that of the node which received the packet (K8S-SVC-09).
func (p *planner) maskedIngress(m *machine, x *pod) guard {
	cp := p.clusters[x.w.Cluster.Key()]
	var nodes []netip.Prefix
	for _, m := range p.machines {
		if m.cluster == cp {
			nodes = append(nodes, m.site.Prefixes...)
		}
	}
	if len(nodes) == 0 {
		return guard{over: everything(), under: nothing()}
	}
	g := p.maskedBy(cp, x, p.b.AddPool("", nodes))
	if m.pool == x.pool {
		return between(everything(), g.under) // the pod may run on that node, whose packets no policy stops (K8S-NP-22)
	}
	over := []*lazy{g.over}
	for _, n := range cp.policies {
		if n.Namespace != x.w.Namespace || !n.Isolates[model.Inbound] || selectsPod(n.Pods, x.w) == no {
			continue
		}
		for _, r := range n.Ingress { // every pod, and so perhaps a node
			if slices.ContainsFunc(r.Peers, func(e model.PolicyPeer) bool {
				return e.IPBlock == nil && e.Namespaces != nil && matchesAll(*e.Namespaces) && (e.Pods == nil || matchesAll(*e.Pods))
			}) {
				_, ports, _ := p.rulePorts(cp, x.w, r.Ports, model.Inbound)
				over = append(over, ports)
			}
		}
	}
	return between(either(over...), g.under)
}

func matchesAll(s model.LabelSelector) bool { return len(s.Match)+len(s.Requirements) == 0 }

// planIngress adds ingress controllers as relays: from the controller's pods to the backends of the Ingresses that they serve (K8S-ING-01,
// K8S-ING-02).
func (p *planner) planIngress(cp *clusterPlan) {
	targets := map[*model.Workload][]guard{}
	for _, i := range cp.ingresses {
		pods, _ := controllersOf(cp, i)
		for _, b := range backendsOf(cp, i) {
			behind := p.backendPods(cp, b.service, b.port)
			for w, serves := range pods {
				for _, g := range behind {
					if serves != yes {
						g = g.mayOnly()
					}
					targets[w] = append(targets[w], g)
				}
			}
		}
	}
	for _, x := range slices.Clone(cp.pods) {
		if len(targets[x.w]) == 0 || x.site.Send < 0 {
			continue
		}
		to := anyOf(targets[x.w])
		s := p.site(&Site{
			Place: x.site.Place, Channel: "ingress", Prefixes: x.site.Prefixes, isRelay: true, Receive: -1,
			Send: p.node(model.Place{Kind: model.PlacePod, ID: x.w.ID, Part: x.pool + " ingress"}, StageSend, ""),
		})
		p.relays = append(p.relays, Relay{Accept: x.site, From: []*Site{s}})
		if x.w.HostNetwork { // it sends as its node does
			p.edge(s.Send, x.site.Send, to, nil)
			continue
		}
		out, notes := p.policyGuard(cp, x.w, x.pool, model.Outbound)
		// From there on they are packets of the pod like any other, between nodes as well (K8S-AZ-05).
		p.edge(s.Send, p.node(x.site.Place, StageForward, ""), and(to, out), nil, notes...)
	}
}

// backendPods is the packets to the pods behind one Service port.
func (p *planner) backendPods(cp *clusterPlan, k *model.KubeService, port model.ServicePort) []guard {
	var out []guard
	backends := p.backendsByPort(cp, k, port)
	for _, t := range slices.Sorted(maps.Keys(backends)) {
		list := backends[t]
		traffic := transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: t, Last: t}}, false)
		for _, w := range list {
			g := exactly(both(dstIn(p.addr.exactHosts(p.podAddrs(w)...)), traffic))
			if serves(k, w) != yes {
				g = g.mayOnly()
			}
			out = append(out, g)
		}
	}
	for _, x := range cp.pods { // K8S-NP-25: a pod of the host network serves at its node's address
		t := targetPort(x.w, port)
		if !x.w.HostNetwork || serves(k, x.w) == no || t == 0 || x.node == nil && cp.mode != podsBare {
			continue
		}
		at := dstIn(p.addr.exactHosts(p.podAddrs(x.w)...))
		if x.node != nil {
			at = dstIn(x.node.addr)
		}
		g := exactly(both(at, transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: t, Last: t}}, false)))
		if serves(k, x.w) != yes {
			g = g.mayOnly()
		}
		out = append(out, g)
	}
	return out
}

// controller reports whether a workload is an ingress controller, by the namespaces in which they are installed (K8S-ING-02).
func controller(w *model.Workload) bool {
	switch w.Namespace {
	case "ingress-nginx", "app-routing-system", "aks-istio-ingress":
		return w.Kind == "Deployment" || w.Kind == "DaemonSet" || w.Kind == "StatefulSet" || w.Kind == "Pod" || w.Kind == "ReplicaSet"
	default:
		return false
	}
}

// planAPIServers adds API servers: the public door with its authorised ranges, or the private endpoint (AKS-API-01 to 03).
func (p *planner) planAPIServers() {
	for _, c := range p.e.Clusters {
		if c.Manifest {
			continue
		}
		place := model.Place{Kind: model.PlaceAPIServer, ID: c.ID}
		door := p.symbolOf(model.APIDoor, c.ID, "")
		receive := p.node(place, StageReceive, "")
		if c.Private != model.On {
			p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(door)}, Send: -1, Receive: receive})
			g := exactly(both(dstIn(p.addr.exact(door)), tcpTo(443)))
			if c.APIRangesSet && len(c.APIRanges) > 0 {
				ranges := p.apiRanges(c)
				k := Control{Key: "api|" + c.ID.Key(), Name: c.Name() + " authorized ranges", Shut: shutUnion, Stage: "service-firewall", Place: place}
				g = and(g, ranges.behind(k, doorParts(Part{Key: k.Key, Rule: c.Name() + "/authorizedIPRanges", Source: c.Source, Open: "its address in the authorised ranges"}, ranges.over)))
			}
			p.edge(p.publicIn(), receive, g, nil)
			continue
		}
		if len(p.endpointsOf(c.ID)) > 0 {
			continue // the endpoint of the input is the API server
		}
		// AKS-API-03: a private endpoint in one of the node subnets, reached like any other, by whoever knows its address (AKS-API-05); only that subnet's NSG may limit it.
		p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(door)}, Send: -1, Receive: receive})
		entry := apiEntry{receive: receive, subnets: p.apiSubnets(c)}
		var in []guard
		for _, id := range entry.subnets {
			g, notes := p.endpointFilters(filtered{subnet: id})
			if c.VNetAPI == model.On {
				g = between(everything(), orEverything(g.low())) // AKS-API-06: whether the NSG acts on an injected address is not settled
			}
			fog, more := p.fogOf(filtered{subnet: id}) // AZ-GEN-08: whatever the policies of the endpoint say
			in, entry.notes = append(in, and(g, fog)), append(append(entry.notes, notes...), more...)
		}
		for _, id := range entry.subnets {
			if v, ok := model.Get[*model.VNet](p.e, id.Parent()); ok {
				entry.vnet = v.ID.Key()
				entry.guard = and(exactly(both(dstIn(p.addr.exact(door)), tcpTo(443))), eitherOf(in))
				p.apiEntries = append(p.apiEntries, entry)
				break // AKS: the subnets of a cluster are in one VNet
			}
		}
	}
}

// apiSubnets are the subnets in one of which a private API server has its address: the delegated one of VNet integration (AKS-API-06), else
// those of the nodes (AKS-API-03).
func (p *planner) apiSubnets(c *model.Cluster) []model.ID {
	if c.VNetAPI == model.On && c.APISubnet != "" {
		return []model.ID{c.APISubnet}
	}
	return p.clusterSubnets(c)
}

// eitherOf is a guard of which nobody knows which of several it is: over passes what one of them lets pass, under what all do.
func eitherOf(gs []guard) guard {
	if len(gs) == 1 {
		return gs[0]
	}
	var over []*lazy
	var under *lazy
	for _, g := range gs {
		over = append(over, orEverything(g.over))
		under = both(under, g.low())
	}
	return between(either(over...), orEverything(under))
}

// apiEntry is a private API server whose endpoint is not in the input.
type apiEntry struct {
	vnet    string
	subnets []model.ID
	guard   guard
	notes   []string
	receive NodeID
}

// apiRanges is the sources that authorised ranges admit: public addresses alone; 0.0.0.0/32 is the cluster's own egress (AKS-API-02).
func (p *planner) apiRanges(c *model.Cluster) guard {
	var ps []netip.Prefix
	own := []netip.Addr{}
	for _, x := range c.APIRanges {
		if x == netip.MustParsePrefix("0.0.0.0/32") {
			for _, id := range c.OutboundIPs {
				if a := p.publicAddr(id); a.IsValid() {
					own = append(own, a)
				}
			}
			continue
		}
		ps = append(ps, x)
	}
	public := minusSet(ipset(ps), ipset(ianaPrivate()))
	a := p.addr.space(public)
	ownSet := srcIn(p.addr.exactHosts(own...))
	return between(either(srcIn(a.may), ownSet), either(srcIn(a.must), ownSet))
}
