package trace

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// readsCilium says whether an engine acts on the policies of Cilium: Cilium does, one that is not known may, no other does (K8S-CIL-01,
// K8S-GEN-04).
func readsCilium(c *model.Cluster, eng engine) match {
	switch {
	case eng.kind == cilium:
		return yes()
	case eng.kind == anyOfThree, eng.kind == otherEngine && c.Engine == "":
		return maybe("ASM-K-CNP")
	default:
		return no()
	}
}

// withCilium is the NetworkPolicies of a pod and the policies of Cilium as one union, before which every rule that denies is asked
// (K8S-CIL-01). touched is false where none of Cilium may act.
func (t *tracer) withCilium(list []admitter, x *pod, other peer, c course, dir model.Direction, eng engine) (f finding, touched bool) {
	acts := readsCilium(x.cluster, eng)
	if !acts.may {
		return finding{}, false
	}
	plain := t.unionOf(list, c, eng)
	word := "ingress"
	if dir == model.Outbound {
		word = "egress"
	}
	deny := finding{rest: true}
	var unread []model.LedgerEntry
	for _, p := range t.e.CiliumPolicies {
		if !same(p.Cluster, x.cluster.ID) || p.Namespace != "" && p.Namespace != x.workload.Namespace {
			continue
		}
		name := p.Kind + "/" + p.Name()
		if p.Namespace != "" {
			name = p.Namespace + "/" + name
		}
		for i := range p.Rules {
			r := &p.Rules[i]
			m := t.ciliumSelects(p, r.Subject, x)
			if !m.may {
				continue
			}
			touched = true
			unread = append(unread, t.unreadRules(p.ID, dir)...)
			a := admitter{isolates: m, selects: m, admits: no(), shut: blame{is: true, rule: name, source: r.Source, detail: "isolated, and no rule admits the peer"}}
			switch r.Isolates[dir] {
			case model.Off:
				a.isolates = no()
			case model.NotStated: // K8S-CIL-02
				a.isolates = m.and(maybe("ASM-K-CILIUM"))
			}
			for j := range r.Allow[dir] {
				hit := t.ciliumTraffic(p, &r.Allow[dir][j], x, other, c, dir, model.Allow, eng)
				if hit.must && !a.admits.must || hit.may && !a.admits.may {
					a.by = blame{is: true, rule: fmt.Sprintf("%s/%s[%d]", name, word, j), source: r.Allow[dir][j].Source, detail: t.ciliumEntries(p, &r.Allow[dir][j], x, other, c, dir, eng)}
				}
				a.admits = a.admits.or(hit)
			}
			list = append(list, a)
			for j := range r.Deny[dir] {
				hit := m.and(t.ciliumTraffic(p, &r.Deny[dir][j], x, other, c, dir, model.Deny, eng))
				deny.why = union(deny.why, hit.why)
				if hit.may && !deny.deny.is {
					deny.deny = blame{is: true, rule: fmt.Sprintf("%s/%sDeny[%d]", name, word, j), source: r.Deny[dir][j].Source, detail: t.ciliumEntries(p, &r.Deny[dir][j], x, other, c, dir, eng)}
				}
				deny.rest = deny.rest && !hit.must
			}
		}
	}
	if !touched {
		return finding{}, false
	}
	f = deny.then(t.unionOf(list, c, eng))
	if len(unread) > 0 {
		b := blame{is: true, detail: "part of it was not understood (AZ-GEN-08)"}
		f = f.or(finding{allow: b, deny: b, rest: true}, namesOf(unread)...)
		f.why = union(f.why, namesOf(unread))
	}
	if !acts.must {
		f = f.or(plain, acts.why...)
	}
	return f, true
}

// ciliumSelects says whether a selector takes a pod; without a word about namespaces a policy of a namespace means its own (K8S-CIL-03).
func (t *tracer) ciliumSelects(p *model.CiliumPolicy, s model.CiliumSelector, x *pod) match {
	m := yes()
	switch {
	case s.Namespaces != nil:
		m = t.namespaceMatch(*s.Namespaces, x.cluster.ID, x.workload.Namespace)
	case p.Namespace != "":
		m = when(p.Namespace == x.workload.Namespace)
	}
	return m.and(matchLabels(s.Pods, x.workload.Labels, unknownPodLabels(x.workload)))
}

// ciliumTraffic is one rule: its peers and its ports (K8S-CIL-04).
func (t *tracer) ciliumTraffic(p *model.CiliumPolicy, r *model.CiliumTraffic, x *pod, other peer, c course, dir model.Direction, access model.Access, eng engine) match {
	m := no()
	if r.AnyPeer {
		m = yes()
	}
	for _, e := range r.Peers {
		m = m.or(t.ciliumPeer(p, e, x, other))
	}
	switch {
	case len(r.ICMP) > 0:
		kind := no()
		for _, i := range r.ICMP {
			switch {
			case i.Protocol != c.packet.Protocol:
			case i.Echo && access == model.Allow: // what a question about ICMP asks for
				kind = yes()
			default: // another type, or the denial of one of them
				kind = kind.or(maybe("ASM-K-CILIUM"))
			}
		}
		m = m.and(kind)
	case len(r.Ports) > 0:
		target := x
		if dir == model.Outbound {
			target = other.pod
		}
		m = m.and(t.portsOfRule(model.PolicyRule{Ports: r.Ports}, target, other, c, dir, t.readsEndPort(x.cluster, eng)))
	}
	if r.Doubt {
		m = m.and(maybe("ASM-K-CILIUM"))
	}
	return m
}

// ciliumEntries names the entries of a rule that match.
func (t *tracer) ciliumEntries(p *model.CiliumPolicy, r *model.CiliumTraffic, x *pod, other peer, c course, dir model.Direction, eng engine) string {
	target := x
	if dir == model.Outbound {
		target = other.pod
	}
	return entriesOf(
		r.Source,
		len(r.Peers), func(i int) (model.Source, match) { return r.Peers[i].Source, t.ciliumPeer(p, r.Peers[i], x, other) },
		r.Ports, func(e []model.PolicyPort) match {
			return t.portsOfRule(model.PolicyRule{Ports: e}, target, other, c, dir, t.readsEndPort(x.cluster, eng))
		},
	)
}

// ciliumPeer is one peer of a rule. Behind a Service policy sees the client or a node, and nobody knows which (K8S-SVC-09).
func (t *tracer) ciliumPeer(p *model.CiliumPolicy, e model.CiliumPeer, x *pod, other peer) match {
	if other.masked == nil {
		return t.ciliumPeerAt(p, e, x, other, other.addr.at)
	}
	client := peer{addr: other.masked.client, cluster: x.cluster}
	for _, y := range t.podsOf(x.cluster) {
		if !y.workload.HostNetwork && y.holds(t.world, client.addr.at) {
			client.pod = y
		}
	}
	a := t.ciliumPeerAt(p, e, x, client, client.addr.at)
	b := t.ciliumPeerAt(p, e, x, peer{node: true, addr: address{may: other.masked.nodes}, cluster: x.cluster}, netip.Addr{})
	switch {
	case a.must && b.must, !a.may && !b.may:
		return a.and(b)
	default:
		return a.or(b).and(maybe("ASM-K-SNAT"))
	}
}

// ciliumPeerAt decides about a peer at an address; a node without one stands for any node.
func (t *tracer) ciliumPeerAt(p *model.CiliumPolicy, e model.CiliumPeer, x *pod, other peer, at netip.Addr) match {
	isPod := other.future != "" || other.pod != nil && !other.pod.workload.HostNetwork
	// A pod of the host network is at a node's address; any other address of a node subnet may be a node's, or may not (K8S-NP-25).
	host := no()
	switch {
	case isPod:
	case t.hostPodAt(x.cluster, at):
		host = yes()
	case !at.IsValid() || t.mayBeNode(x.cluster, at):
		host = maybe("ASM-K-NODES")
	}
	outer := host.not().and(when(!isPod))
	switch {
	case e.Endpoints != nil:
		switch {
		case !isPod && e.Endpoints.Others: // K8S-CIL-03: what has no labels lacks the one that it must not have
			return maybe("ASM-K-CILIUM")
		case !isPod:
			return no()
		case other.pod != nil:
			return t.ciliumSelects(p, *e.Endpoints, other.pod)
		}
		m := when(p.Namespace == "" || p.Namespace == other.future)
		if e.Endpoints.Namespaces != nil {
			m = t.namespaceMatch(*e.Endpoints.Namespaces, x.cluster.ID, other.future)
		}
		if !emptySelector(&e.Endpoints.Pods) {
			m = m.and(maybe("ASM-K-SYSTEM"))
		}
		return m
	case e.Block != nil: // K8S-CIL-05
		return outer.and(other.addr.in(blockSet(e.Block)))
	case e.Name != "": // K8S-CIL-07
		return when(!isPod).and(maybe("ASM-K-FQDN"))
	}
	v6 := at.IsValid() && at.Is6()
	if _, symbol := t.symbols.At(at); symbol {
		v6 = false
	}
	switch e.Entity { // K8S-CIL-06
	case "all":
		return yes()
	case "world":
		return outer
	case "world-ipv4":
		return outer.and(when(!v6))
	case "world-ipv6":
		return outer.and(when(v6))
	case "cluster":
		if !isPod && !host.must && t.atDoorOf(x.cluster, at) {
			return maybe("ASM-K-NODES")
		}
		return host.or(when(isPod))
	case "host", "remote-node":
		if host.must {
			return maybe("ASM-K-NODES")
		}
		return host
	case "kube-apiserver", "ingress":
		return when(!isPod).and(maybe("ASM-K-CILIUM"))
	case "init", "unmanaged":
		return when(isPod).and(maybe("ASM-K-CILIUM"))
	default:
		return no()
	}
}

// hostPodAt reports an address that a pod of the host network is stated to have.
func (t *tracer) hostPodAt(c *model.Cluster, a netip.Addr) bool {
	for _, w := range t.e.Workloads {
		if !same(w.Cluster, c.ID) || !w.HostNetwork {
			continue
		}
		if (&pod{workload: w}).holds(t.world, a) {
			return true
		}
	}
	return false
}

// atDoorOf reports an address at which the input has the API server of a cluster.
func (t *tracer) atDoorOf(c *model.Cluster, a netip.Addr) bool {
	if c.Manifest {
		return false
	}
	if s, ok := t.symbols.At(a); ok && s.Kind == model.APIDoor {
		return same(s.Owner, c.ID)
	}
	return slices.ContainsFunc(t.e.Endpoints, func(p *model.PrivateEndpoint) bool {
		return same(p.Target, c.ID) && slices.Contains(t.endpointAddresses(p), a)
	})
}

// mayBeNode reports an address that a node of the cluster may have.
func (t *tracer) mayBeNode(c *model.Cluster, a netip.Addr) bool {
	_, symbol := t.symbols.At(a)
	for i := range c.Pools {
		for _, h := range t.nodeHosts(c, &c.Pools[i]) {
			if h.addr.at == a || !symbol && h.addr.may != nil && h.addr.may.Contains(a) {
				return true
			}
		}
	}
	return false
}
