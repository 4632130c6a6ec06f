package trace

import (
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// sidecar says whether a pod has one (K8S-IST-01). The ambient mesh works without: what it refuses is not certain.
func (t *tracer) sidecar(x *pod) match {
	w := x.workload
	if w.HostNetwork {
		return no()
	}
	for _, says := range []string{w.Annotations["sidecar.istio.io/inject"], w.Labels["sidecar.istio.io/inject"]} {
		if fold(says, "true") {
			return yes()
		}
		if fold(says, "false") {
			return no()
		}
	}
	for _, n := range t.e.Namespaces {
		if !same(n.Cluster, x.cluster.ID) || n.Name() != w.Namespace || !n.Declared {
			continue
		}
		switch {
		case n.Labels["istio-injection"] == "disabled":
			return no()
		case n.Labels["istio-injection"] == "enabled" || n.Labels["istio.io/rev"] != "":
			return yes()
		case n.Labels["istio.io/dataplane-mode"] == "ambient":
			return maybe("ASM-K-MESH")
		}
		return no()
	}
	return maybe("ASM-K-MESH") // K8S-NS-03
}

// meshScope says whether a policy of the mesh is about a pod: that of its namespace, of the add-on's root namespace, or of Istio's own, which
// is the root of a mesh that is no add-on (AKS-MESH-02).
func (t *tracer) meshScope(namespace string, pods *model.LabelSelector, x *pod) match {
	m := yes()
	if pods != nil {
		m = matchLabels(*pods, x.workload.Labels, unknownPodLabels(x.workload))
	}
	switch namespace {
	case x.workload.Namespace, "aks-istio-system":
		return m
	case "istio-system":
		return m.and(maybe("ASM-K-MESH"))
	default:
		return no()
	}
}

// mesh is what a service mesh does with a connection to a pod: evidence, no network control. It makes nothing certain, and it denies only
// where the intent file trusts it (K8S-IST-05). False where no policy of a mesh is about the pod, or the packet is none of its matters
// (K8S-IST-01).
func (t *tracer) mesh(x *pod, from peer, c course) (verdict, bool) {
	here := t.sidecar(x)
	if c.packet.Protocol != model.TCP || !here.may {
		return verdict{}, false
	}
	refuses, rule, found := t.meshAuthorizes(x, from, c)
	plain, by, foundPlain := t.meshPlaintext(x, from, c)
	if !found && !foundPlain {
		return verdict{}, false
	}
	if !refuses.may || plain.must && !refuses.must {
		rule = by
	}
	refuses = refuses.or(plain).and(here)
	if refuses.must && t.bypassesSidecar(x, c.packet.DPort) {
		refuses = maybe()
	}
	rule.is = true
	switch {
	case !refuses.may:
		return passes("the mesh admits it (K8S-IST-02)"), true
	case refuses.must && t.trustMesh:
		return verdict{deny: rule, why: []string{"ASM-K-MESH"}}, true
	default:
		return verdict{allow: blame{is: true, detail: "a mesh is no network control (K8S-IST-05)"}, deny: rule, why: []string{"ASM-K-MESH"}}, true
	}
}

// bypassesSidecar reports a port that annotations of the pod may take past its sidecar (K8S-IST-01).
func (t *tracer) bypassesSidecar(x *pod, port uint16) bool {
	if list, ok := x.workload.Annotations["traffic.sidecar.istio.io/includeInboundPorts"]; ok && list != "*" {
		return true
	}
	for _, text := range strings.Split(x.workload.Annotations["traffic.sidecar.istio.io/excludeInboundPorts"], ",") {
		if n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16); err == nil && uint16(n) == port {
			return true
		}
	}
	return false
}

// meshAuthorizes says whether AuthorizationPolicies refuse the connection: CUSTOM may, then DENY, then what no ALLOW matches if there is one
// (K8S-IST-02).
func (t *tracer) meshAuthorizes(x *pod, from peer, c course) (refuses match, by blame, found bool) {
	refuses = no()
	asked, admitted := no(), no()
	for _, a := range t.e.Authorizations {
		scope := t.meshScope(a.Namespace, &a.Pods, x)
		if !same(a.Cluster, x.cluster.ID) || !scope.may || a.Action == "AUDIT" {
			continue
		}
		found = true
		unread := len(t.misread(a.ID)) > 0
		if a.Elsewhere || unread {
			scope = scope.and(maybe())
		}
		hit := no()
		for i := range a.Rules {
			hit = hit.or(t.meshRule(&a.Rules[i], x, from, c))
		}
		if unread {
			hit = maybe()
		}
		hit = hit.and(scope)
		name := blame{rule: a.Namespace + "/AuthorizationPolicy/" + a.Name(), source: a.Source}
		switch a.Action {
		case "ALLOW":
			asked, admitted = asked.or(scope), admitted.or(hit)
			if by.rule == "" {
				by = name
			}
		case "DENY":
			if hit.may && !refuses.must {
				by = name
			}
			refuses = refuses.or(hit)
		default: // CUSTOM: somebody else decides
			if hit.may {
				by = name
				refuses = refuses.or(maybe())
			}
		}
	}
	return refuses.or(asked.and(admitted.not())), by, found
}

// meshRule is one rule: any of its sources, and a port.
func (t *tracer) meshRule(r *model.MeshRule, x *pod, from peer, c course) match {
	m := yes()
	if len(r.Ports) > 0 {
		m = no()
		for _, n := range r.Ports {
			m = m.or(when(n == c.packet.DPort))
		}
	}
	if len(r.From) > 0 {
		any := no()
		for _, f := range r.From {
			one := yes()
			if f.Namespaces != nil {
				one = t.meshIdentity(f.Namespaces, x, from)
			}
			if len(f.Blocks) > 0 {
				one = one.and(t.meshAddress(from).in(prefixSet(f.Blocks...)))
			}
			if f.Doubt {
				one = one.and(maybe())
			}
			any = any.or(one)
		}
		m = m.and(any)
	}
	if r.Doubt { // K8S-IST-03
		m = m.and(maybe())
	}
	return m
}

func (t *tracer) meshAddress(from peer) address {
	if from.masked != nil {
		return from.masked.client
	}
	return from.addr
}

// meshPeer is the pod that a connection comes from, if it is one of the cluster.
func (t *tracer) meshPeer(from peer, x *pod) *pod {
	if from.pod != nil {
		return from.pod
	}
	for _, y := range t.podsOf(x.cluster) {
		if !y.workload.HostNetwork && y.holds(t.world, t.meshAddress(from).at) {
			return y
		}
	}
	return nil
}

// meshIdentity says whether the sender proves to be of one of some namespaces: by mutual TLS between two sidecars (K8S-IST-03).
func (t *tracer) meshIdentity(namespaces []string, x *pod, from peer) match {
	y := t.meshPeer(from, x)
	if y == nil {
		return when(from.future != "").and(maybe())
	}
	named := false
	for _, n := range namespaces {
		switch {
		case strings.HasSuffix(n, "*"):
			named = named || strings.HasPrefix(y.workload.Namespace, strings.TrimSuffix(n, "*"))
		case strings.HasPrefix(n, "*"):
			named = named || strings.HasSuffix(y.workload.Namespace, strings.TrimPrefix(n, "*"))
		default:
			named = named || n == y.workload.Namespace
		}
	}
	m := when(named).and(t.sidecar(y))
	if m.must && !t.sidecar(x).must {
		return maybe()
	}
	for _, a := range t.e.PeerAuths {
		if same(a.Cluster, x.cluster.ID) && t.meshScope(a.Namespace, a.Pods, x).may && (a.Mode == "DISABLE" || t.disablesPort(a) || len(t.misread(a.ID)) > 0) {
			return m.and(maybe())
		}
	}
	return m
}

func (t *tracer) disablesPort(a *model.PeerAuthentication) bool {
	for _, m := range a.Ports {
		if m == "DISABLE" {
			return true
		}
	}
	return false
}

// meshPlaintext says whether PeerAuthentication refuses the sender: with STRICT whoever has no identity of the mesh; without one, or with PERMISSIVE,
// nobody is refused (AKS-MESH-01). The most specific policy
// wins (K8S-IST-04); where it is not certain which that is, each may be.
func (t *tracer) meshPlaintext(x *pod, from peer, c course) (refuses match, by blame, found bool) {
	type ranked struct {
		a      *model.PeerAuthentication
		rank   int
		scope  match
		unread bool
	}
	var list []ranked
	top, tops := 0, 0
	for _, a := range t.e.PeerAuths {
		r := ranked{a: a, rank: 1, scope: t.meshScope(a.Namespace, a.Pods, x), unread: len(t.misread(a.ID)) > 0}
		switch {
		case !same(a.Cluster, x.cluster.ID) || !r.scope.may:
			continue
		case a.Namespace == x.workload.Namespace && a.Pods != nil:
			r.rank = 3
		case a.Namespace == x.workload.Namespace:
			r.rank = 2
		case a.Pods != nil:
			continue
		}
		list = append(list, r)
		if r.scope.must && (a.Mode != "" || r.unread) {
			switch {
			case r.rank > top:
				top, tops = r.rank, 1
			case r.rank == top:
				tops++
			}
		}
	}
	member := no() // the sender has an identity of the mesh
	if y := t.meshPeer(from, x); y != nil {
		member = t.sidecar(y)
	} else if from.future != "" {
		member = maybe()
	}
	refuses = no()
	for _, r := range list {
		if r.rank < top && len(r.a.Ports) == 0 {
			continue
		}
		strict, own := r.a.Mode == "STRICT" || r.unread, false
		for n, m := range r.a.Ports {
			strict = strict || m == "STRICT"
			own = own || m != "" && n == c.packet.DPort
		}
		if !strict {
			continue
		}
		found = true
		alone := r.rank == top && tops == 1 && r.scope.must && r.a.Mode == "STRICT" && !r.unread && !own
		for _, s := range list {
			alone = alone && (s.a == r.a || s.rank < top && len(s.a.Ports) == 0)
		}
		one := member.not()
		if !alone {
			one = one.and(maybe())
		}
		if one.may && by.rule == "" {
			by = blame{rule: r.a.Namespace + "/PeerAuthentication/" + r.a.Name(), source: r.a.Source}
		}
		refuses = refuses.or(one)
	}
	return refuses, by, found
}
