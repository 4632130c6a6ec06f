package dataplane

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// relayingIn are the objects that nobody models and that may open connections to pods of a cluster for others: routes of the Gateway API
// (K8S-GW-02).
func (p *planner) relayingIn(cp *clusterPlan) []model.LedgerEntry {
	var out []model.LedgerEntry
	for _, e := range p.e.Ledger {
		if e.Disposition == model.Unsupported && e.Role == model.Relays && (len(e.Affects) == 0 || slices.ContainsFunc(e.Affects, func(id model.ID) bool { return p.isOf(cp, id) })) {
			out = append(out, e)
		}
	}
	return out
}

// isOf reports whether an ID is a cluster, or a Service or namespace in it.
func (p *planner) isOf(cp *clusterPlan, id model.ID) bool {
	found, _ := model.Get[model.Resource](p.e, id)
	switch r := found.(type) {
	case *model.Cluster:
		return r == cp.c
	case *model.Namespace:
		return r.Cluster.Key() == cp.c.ID.Key()
	case *model.KubeService:
		return r.Cluster.Key() == cp.c.ID.Key()
	default:
		return false
	}
}

// planRelaying adds what such objects may do, as one relay of the cluster: its pods are not in the input, so it may be reached wherever a pod
// that does not exist yet, a frontend of the cluster's nodes or a free address of their VNet is, and its packets may have any source. All of it
// is over (K8S-ING-02, K8S-GW-02).
func (p *planner) planRelaying(cp *clusterPlan) {
	entries := p.relayingIn(cp)
	if len(entries) == 0 {
		return
	}
	place := model.Place{Kind: model.PlaceUnknown, ID: cp.c.ID, Part: "gateway"}
	s := p.site(&Site{
		Place: place, Channel: "ingress", Prefixes: []netip.Prefix{host(p.symbolOf(model.DefaultOutbound, "", ""))}, isRelay: true,
		Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, ""),
	})
	p.relays = append(p.relays, Relay{Accept: s, From: []*Site{s}})
	p.edge(p.publicIn(), s.Receive, onlyOver(dstIn(p.addr.public)), nil)
	for _, m := range p.machines {
		if m.cluster == cp { // its frontend on nodes, and from nodes to pods
			p.edge(m.accept, s.Receive, onlyOver(dstIn(m.addr)), nil)
			p.edge(m.send, s.Receive, onlyOver(everything()), nil)
		}
	}
	for _, sub := range p.e.Subnets {
		at := p.machineAt[(model.Place{Kind: model.PlaceSubnet, ID: sub.ID}).Key()]
		if at != nil && slices.ContainsFunc(p.clusterSubnets(cp.c), func(id model.ID) bool { return id.Parent().Key() == sub.ID.Parent().Key() }) {
			p.edge(at.accept, s.Receive, onlyOver(dstIn(p.b.AddSet("", p.freeAddresses(sub)))), nil)
		}
	}
	for _, x := range cp.pods {
		if x.site == nil {
			continue
		}
		if x.site.Send >= 0 {
			p.edge(x.site.Send, s.Receive, onlyOver(p.withAnyPod(cp, x.w, model.Outbound)), nil)
		}
		to := dstIn(p.addr.exactHosts(p.podsOn(cp, x.w, x.pool)...))
		if x.w.HostNetwork {
			if x.node == nil {
				continue
			}
			to = dstIn(x.node.addr)
		}
		for _, e := range entries {
			if led := p.ledTo(cp, e, x.w); led != nil {
				p.edge(s.Send, x.site.Receive, onlyOver(both(to, both(led, p.withAnyPod(cp, x.w, model.Inbound)))), nil, unsupported(e))
			}
		}
	}
}

// ledTo is the packets that such an object may send to the pods of a workload; nil is none.
func (p *planner) ledTo(cp *clusterPlan, e model.LedgerEntry, w *model.Workload) *lazy {
	if len(e.Affects) == 0 {
		return everything()
	}
	var out []*lazy
	for _, id := range e.Affects {
		found, _ := model.Get[model.Resource](p.e, id)
		switch r := found.(type) {
		case *model.Cluster:
			if r == cp.c {
				return everything()
			}
		case *model.Namespace:
			if r.Cluster.Key() == cp.c.ID.Key() && r.Name() == w.Namespace {
				return everything()
			}
		case *model.KubeService:
			if r.Cluster.Key() != cp.c.ID.Key() {
				continue
			}
			if len(r.Selector) == 0 {
				return everything() // K8S-SVC-02: its back ends may be any pods
			}
			if serves(r, w) == no {
				continue
			}
			for _, port := range r.Ports {
				if t := targetPort(w, port); t != 0 {
					out = append(out, transport([]model.Protocol{port.Protocol}, nil, []model.PortRange{{First: t, Last: t}}, false))
				}
			}
		default: // no pod stands behind it
		}
	}
	if len(out) == 0 {
		return nil
	}
	return either(out...)
}

// withAnyPod is the packets that policies may let a pod send to (Outbound), or get from (Inbound), an end of which neither labels nor address
// are known. Policies of other kinds than NetworkPolicy are not followed here: with one, everything passes.
func (p *planner) withAnyPod(cp *clusterPlan, w *model.Workload, dir model.Direction) *lazy {
	enforced, _ := p.enforces(cp.engine)
	if !enforced || w.HostNetwork || p.otherPolicies(cp) || len(p.unsupportedPolicies(cp, w.Namespace)) > 0 {
		return everything()
	}
	isolated := false
	open := []*lazy{nothing()}
	for _, n := range cp.policies {
		if n.Namespace != w.Namespace || !n.Isolates[dir] || selectsPod(n.Pods, w) == no {
			continue
		}
		isolated = isolated || selectsPod(n.Pods, w) == yes
		rules := n.Ingress
		if dir == model.Outbound {
			rules = n.Egress
		}
		for _, r := range rules {
			_, ports := p.policyPorts(cp, w, r, dir)
			open = append(open, ports)
		}
	}
	if !isolated {
		return everything()
	}
	over, _ := p.icmpOf(cp, either(open...), nothing())
	return over
}

// otherPolicies reports policies of a cluster beside NetworkPolicies.
func (p *planner) otherPolicies(cp *clusterPlan) bool {
	id := cp.c.ID.Key()
	return slices.ContainsFunc(p.e.ClusterPolicies, func(x *model.ClusterPolicy) bool { return x.Cluster.Key() == id }) ||
		slices.ContainsFunc(p.e.CiliumPolicies, func(x *model.CiliumPolicy) bool { return x.Cluster.Key() == id }) ||
		slices.ContainsFunc(p.e.CalicoPolicies, func(x *model.CalicoPolicy) bool { return x.Cluster.Key() == id })
}
