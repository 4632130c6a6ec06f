package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// finding is what a list of policies may do with the packet: let it pass, stop it, or leave it to the next list. Where more than one is set,
// the unknowns in why decide between them.
type finding struct {
	allow, deny blame
	rest        bool
	why         []string
}

// then is a list of policies with the one behind it.
func (f finding) then(next finding) finding {
	if !f.rest {
		return f
	}
	out := finding{allow: f.allow, deny: f.deny, rest: next.rest, why: union(f.why, next.why)}
	if !out.allow.is {
		out.allow = next.allow
	}
	if !out.deny.is {
		out.deny = next.deny
	}
	return out
}

// or is one of two lists, and nobody knows which.
func (f finding) or(g finding, why ...string) finding {
	out := finding{allow: f.allow, deny: f.deny, rest: f.rest || g.rest, why: union(f.why, g.why)}
	if !out.allow.is {
		out.allow = g.allow
	}
	if !out.deny.is {
		out.deny = g.deny
	}
	if f.allow.is != g.allow.is || f.deny.is != g.deny.is || f.rest != g.rest {
		out.why = union(out.why, why)
	}
	return out
}

// verdict is the end of the lists: what none of them decides passes (K8S-CNP-02).
func (f finding) verdict() verdict {
	v := verdict{allow: f.allow, deny: f.deny, why: f.why}
	if f.rest && !v.allow.is {
		v.allow = blame{is: true, detail: "no policy decides about it"}
	}
	return v.settle()
}

// enforcesTiers says whether an engine enforces cluster-wide policies. Some are documented to; whether those of AKS do, and whether any
// other does, nobody says (K8S-CNP-17).
func enforcesTiers(c *model.Cluster, eng engine) match {
	if eng.kind == otherEngine && slices.Contains([]string{"antrea", "kube-network-policies", "kube-ovn", "ovn-kubernetes"}, strings.ToLower(c.Engine)) {
		return yes()
	}
	return maybe("ASM-K-CNP")
}

// subjectMatch says whether a policy is about a pod (K8S-CNP-07).
func (t *tracer) subjectMatch(s model.PolicySubject, x *pod) match {
	m := t.namespaceMatch(s.Namespaces, x.cluster.ID, x.workload.Namespace)
	if s.Pods != nil {
		m = m.and(matchLabels(*s.Pods, x.workload.Labels, unknownPodLabels(x.workload)))
	}
	return m
}

// ofTier walks the cluster-wide policies of a tier in the order of their priorities; touched is false where none selects the pod. Rules of one
// policy stand in their order; of two policies of one priority either may be asked first (K8S-CNP-02, K8S-CNP-05).
func (t *tracer) ofTier(tier model.PolicyTier, x *pod, other peer, c course, dir model.Direction) (f finding, touched bool) {
	var list []*model.ClusterPolicy
	for _, p := range t.e.ClusterPolicies {
		if p.Tier == tier && same(p.Cluster, x.cluster.ID) {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b *model.ClusterPolicy) int { return cmp.Compare(a.Priority, b.Priority) })
	ended := false
	for i, p := range list {
		if ended && list[i-1].Priority != p.Priority {
			return f, touched
		}
		m := t.subjectMatch(p.Subject, x)
		if !m.may {
			continue
		}
		if unread := t.unreadRules(p.ID, dir); len(unread) > 0 {
			b := blame{is: true, rule: p.Kind + "/" + p.Name(), source: p.Source, detail: "part of it was not understood (AZ-GEN-08)"}
			f = f.or(finding{allow: b, deny: b, rest: true}, namesOf(unread)...)
			f.why, touched = union(f.why, namesOf(unread)), true
			continue
		}
		g, stands := t.tierPolicy(p, m, x, other, c, dir)
		touched = touched || stands
		ended = ended || stands && !g.fell
		f = f.or(g.finding)
	}
	f.rest = f.rest || !ended // K8S-CNP-04
	return f, touched
}

// unreadRules are the parts of a policy that nobody understood, less those that are about the other direction.
func (t *tracer) unreadRules(id model.ID, dir model.Direction) []model.LedgerEntry {
	other := "egress"
	if dir == model.Outbound {
		other = "ingress"
	}
	return slices.DeleteFunc(t.misread(id), func(e model.LedgerEntry) bool {
		parts := strings.SplitN(e.Field, ".", 2)
		return len(parts) == 2 && strings.HasPrefix(parts[1], other)
	})
}

// walked is what one policy does; fell says that the packet may match none of its rules.
type walked struct {
	finding

	fell bool
}

// tierPolicy walks the rules of one policy. m says whether it selects the pod; stands is false where it has no rule for the direction.
func (t *tracer) tierPolicy(p *model.ClusterPolicy, m match, x *pod, other peer, c course, dir model.Direction) (w walked, stands bool) {
	rules, word := p.Ingress, "ingress"
	if dir == model.Outbound {
		rules, word = p.Egress, "egress"
	}
	w.fell = true
	for i, r := range rules {
		action := r.Action
		hit, entries := m, ""
		if slices.ContainsFunc(r.Peers, model.ClusterPolicyPeer.Unknown) {
			// K8S-CNP-14: it fails closed.
			if action == model.PolicyAllow {
				continue
			}
			action = model.PolicyDeny
		} else {
			target := x
			if dir == model.Outbound {
				target = other.pod
			}
			ports := func(e []model.PolicyPort) match {
				return t.portsOfRule(model.PolicyRule{Ports: e}, target, other, c, dir, yes())
			}
			hit = hit.and(ports(r.Ports))
			if action == model.PolicyDeny && dir == model.Inbound && t.masquerades(x, other) {
				hit = no() // its peers are pods alone (K8S-CNP-08), and a node is none (K8S-SVC-09)
			}
			hit = hit.and(t.tierPeers(r.Peers, x, other, c))
			if hit.may {
				entries = entriesOf(r.Source, len(r.Peers), func(i int) (model.Source, match) { return r.Peers[i].Source, t.tierPeer(r.Peers[i], x, other, c) }, r.Ports, ports)
			}
		}
		stands = true
		if !hit.may {
			w.why = union(w.why, closed(hit.why))
			continue
		}
		w.why = union(w.why, hit.why)
		b := blame{is: true, rule: fmt.Sprintf("%s/%s/%s[%d]", p.Kind, p.Name(), word, i), source: r.Source, detail: entries}
		switch {
		case action == model.PolicyPass:
			w.rest = true // K8S-CNP-06
		case action == model.PolicyAllow && !w.allow.is:
			w.allow = b
		case action == model.PolicyDeny && !w.deny.is:
			w.deny = b
		}
		if hit.must {
			w.fell = false
			break
		}
	}
	return w, stands
}

// tierPeers is the peers of a rule: any of them.
func (t *tracer) tierPeers(list []model.ClusterPolicyPeer, x *pod, other peer, c course) match {
	m := no()
	for _, e := range list {
		m = m.or(t.tierPeer(e, x, other, c))
	}
	return m
}

func (t *tracer) tierPeer(e model.ClusterPolicyPeer, x *pod, other peer, c course) match {
	switch {
	case e.Namespaces != nil: // K8S-CNP-08: pods alone
		return t.tierPods(e, x, other)
	case e.Nodes != nil:
		return t.tierNodes(*e.Nodes, x, other, c)
	case len(e.Networks) > 0: // K8S-CNP-10: pods included
		var s netipx.IPSetBuilder
		for _, p := range e.Networks {
			addPrefix(&s, p)
		}
		return other.addr.in(built(&s))
	case other.pod != nil && !other.pod.workload.HostNetwork: // K8S-CNP-12: a name is one of something outside
		return no()
	default:
		return maybe("ASM-K-FQDN")
	}
}

// masquerades reports a packet of a Service that carries the receiving node's address for certain (K8S-SVC-09).
func (t *tracer) masquerades(x *pod, other peer) bool {
	eng := t.engineOf(x.cluster, x.pool).kind
	return other.masked != nil && (eng == calico || eng == azureNPM)
}

// tierPods is a peer by namespaces and pods; pods of the host network are none (K8S-CNP-07).
func (t *tracer) tierPods(e model.ClusterPolicyPeer, x *pod, other peer) match {
	of := func(y *pod) match {
		if y.workload.HostNetwork {
			return no()
		}
		return t.subjectMatch(model.PolicySubject{Namespaces: *e.Namespaces, Pods: e.Pods}, y)
	}
	switch {
	case other.masked != nil:
		// K8S-SVC-09: policy sees the client, which may be a pod of the cluster, or a node.
		for _, y := range t.podsOf(x.cluster) {
			if y.holds(t.world, other.masked.client.at) {
				return of(y).and(maybe("ASM-K-SNAT"))
			}
		}
		return no()
	case other.pod != nil:
		return of(other.pod)
	case other.future != "":
		m := t.namespaceMatch(*e.Namespaces, x.cluster.ID, other.future)
		if e.Pods != nil && len(e.Pods.Match)+len(e.Pods.Requirements) > 0 {
			m = m.and(maybe("ASM-K-SYSTEM"))
		}
		return m
	default:
		return no()
	}
}

// tierNodes is a peer by labels of nodes (K8S-CNP-11): the addresses of nodes are those of their subnet that nothing else holds, so that none
// is certain to be a node's, and a node may have labels that its pool does not state.
func (t *tracer) tierNodes(s model.LabelSelector, x *pod, other peer, c course) match {
	unknown := func(string) (bool, []string) { return true, []string{"ASM-K-NODES"} }
	m := no()
	_, symbol := t.symbols.At(c.packet.Dst)
	for i := range x.cluster.Pools {
		p := &x.cluster.Pools[i]
		for _, h := range t.nodeHosts(x.cluster, p) {
			if h.addr.at == c.packet.Dst || !symbol && h.addr.may != nil && h.addr.may.Contains(c.packet.Dst) {
				m = m.or(matchLabels(s, poolLabels(p), unknown).and(maybe("ASM-K-NODES")))
			}
		}
	}
	if other.hostNetwork || other.pod != nil && other.pod.workload.HostNetwork { // K8S-NP-25
		m = m.or(matchLabels(s, nil, unknown))
	}
	return m
}

// poolLabels are the labels of a pool's nodes that AKS and the pool state (K8S-WL-07).
func poolLabels(p *model.NodePool) map[string]string {
	out := map[string]string{"agentpool": p.Name, "kubernetes.azure.com/agentpool": p.Name, "kubernetes.io/os": "linux"}
	if p.OS != "" {
		out["kubernetes.io/os"] = strings.ToLower(p.OS)
	}
	out["beta.kubernetes.io/os"] = out["kubernetes.io/os"]
	if p.Mode != "" {
		out["kubernetes.azure.com/mode"] = strings.ToLower(p.Mode)
	}
	for k, v := range p.Labels {
		out[k] = v
	}
	return out
}
