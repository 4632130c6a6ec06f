package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// injected says whether a workload's pods have a sidecar (K8S-IST-01). A pod of the ambient mesh has none: what it refuses is not certain.
func (p *planner) injected(cp *clusterPlan, w *model.Workload) tri {
	if w.HostNetwork {
		return no
	}
	for _, word := range []string{w.Annotations["sidecar.istio.io/inject"], w.Labels["sidecar.istio.io/inject"]} {
		switch strings.ToLower(word) {
		case "true":
			return yes
		case "false":
			return no
		}
	}
	n := cp.labels[w.Namespace]
	switch {
	case n == nil || !n.Declared:
		return maybe
	case n.Labels["istio-injection"] == "disabled":
		return no
	case n.Labels["istio-injection"] == "enabled", n.Labels["istio.io/rev"] != "":
		return yes
	case n.Labels["istio.io/dataplane-mode"] == "ambient":
		return maybe
	default:
		return no
	}
}

// meshScope says whether a mesh policy is about a workload: one of its namespace, or of the root namespace, which is that of the add-on, or
// Istio's own where the mesh is another one (AKS-MESH-02).
func meshScope(namespace string, pods model.LabelSelector, w *model.Workload) tri {
	match := selectsPod(pods, w)
	switch namespace {
	case w.Namespace, "aks-istio-system":
		return match
	case "istio-system":
		return match.and(maybe)
	default:
		return no
	}
}

// meshGuard is what a service mesh lets reach one pod. It is evidence, no network control: over ignores it unless the intent file trusts the
// mesh, under counts what it may refuse as refused (K8S-IST-05). Only TCP is its matter (K8S-IST-01).
func (p *planner) meshGuard(cp *clusterPlan, w *model.Workload) (guard, []string) {
	here := p.injected(cp, w)
	if here == no || len(p.e.Authorizations)+len(p.e.PeerAuths) == 0 {
		return guard{}, nil
	}
	must, may, found := p.meshRefuses(cp, w)
	mustPlain, mayPlain, foundPlain := p.meshPlaintext(cp, w)
	if !found && !foundPlain {
		return guard{}, nil
	}
	must, may = append(must, mustPlain...), append(may, mayPlain...)
	tcp := transport([]model.Protocol{model.TCP}, nil, nil, false)
	g := between(everything(), minus(everything(), both(tcp, either(may...))))
	if ports, all := meshBypass(w); p.o.Intent != nil && p.o.Intent.TrustMesh && here == yes && !all {
		refused := both(tcp, either(must...))
		if len(ports) > 0 {
			refused = minus(refused, tcpTo(ports...))
		}
		g.over = minus(everything(), refused)
	}
	return g, []string{"ASM-K-MESH"}
}

// meshBypass are the ports that annotations of the pods take past the sidecar; a list of included ones leaves none certain (K8S-IST-01).
func meshBypass(w *model.Workload) (ports []uint16, all bool) {
	if list, ok := w.Annotations["traffic.sidecar.istio.io/includeInboundPorts"]; ok && list != "*" {
		return nil, true
	}
	for text := range strings.SplitSeq(w.Annotations["traffic.sidecar.istio.io/excludeInboundPorts"], ",") {
		if r, err := model.ParsePortRange(strings.TrimSpace(text)); err == nil && r.First == r.Last {
			ports = append(ports, r.First)
		}
	}
	return ports, false
}

// meshRefuses is what AuthorizationPolicies refuse: CUSTOM may, DENY what it matches, and where an ALLOW is about the workload, all that none
// of them matches (K8S-IST-02).
func (p *planner) meshRefuses(cp *clusterPlan, w *model.Workload) (must, may []*lazy, found bool) {
	allows := no
	var allowMust, allowMay []*lazy
	for _, a := range p.e.Authorizations {
		scope := meshScope(a.Namespace, a.Pods, w)
		if a.Cluster.Key() != cp.c.ID.Key() || scope == no || a.Action == "AUDIT" {
			continue
		}
		if a.Elsewhere || len(p.fogged(a.ID)) > 0 {
			scope = maybe
		}
		found = true
		var ruleMust, ruleMay []*lazy
		for i := range a.Rules {
			x, y := p.meshRule(cp, w, &a.Rules[i])
			ruleMust, ruleMay = append(ruleMust, x), append(ruleMay, y)
		}
		if len(p.fogged(a.ID)) > 0 { // AZ-GEN-08
			ruleMust, ruleMay = nil, []*lazy{everything()}
		}
		switch a.Action {
		case "ALLOW":
			allows = max(allows, scope)
			allowMay = append(allowMay, ruleMay...)
			if scope == yes {
				allowMust = append(allowMust, ruleMust...)
			}
		case "DENY":
			may = append(may, ruleMay...)
			if scope == yes {
				must = append(must, ruleMust...)
			}
		default: // CUSTOM: somebody else decides
			may = append(may, ruleMay...)
		}
	}
	if allows != no {
		may = append(may, outside(either(allowMust...)))
	}
	if allows == yes {
		must = append(must, outside(either(allowMay...)))
	}
	return must, may, found
}

// meshRule is what one rule matches. Names of namespaces are identities, which both ends prove where both have a sidecar (K8S-IST-03).
func (p *planner) meshRule(cp *clusterPlan, w *model.Workload, r *model.MeshRule) (must, may *lazy) {
	must, may = everything(), everything()
	if len(r.From) > 0 {
		var certain, possible []*lazy
		for _, f := range r.From {
			a, b := everything(), everything()
			if f.Namespaces != nil {
				sure, perhaps := p.meshPods(cp, w, f.Namespaces)
				a, b = srcIn(p.addr.exactHosts(sure...)), srcIn(p.addr.exactHosts(perhaps...))
			}
			if len(f.Blocks) > 0 {
				set := p.addr.set(f.Blocks)
				a, b = both(a, srcIn(set.must)), both(b, srcIn(set.may))
			}
			if f.Doubt {
				a = nothing()
			}
			certain, possible = append(certain, a), append(possible, b)
		}
		must, may = either(certain...), either(possible...)
	}
	if len(r.Ports) > 0 {
		must, may = both(must, tcpTo(r.Ports...)), both(may, tcpTo(r.Ports...))
	}
	if r.Doubt {
		must = nothing()
	}
	return must, may
}

// meshPods are the addresses of pods that prove to be of some namespaces, for certain and possibly. Without mutual TLS nobody proves anything.
func (p *planner) meshPods(cp *clusterPlan, w *model.Workload, namespaces []string) (sure, perhaps []netip.Addr) {
	for _, x := range cp.workloads {
		in := p.injected(cp, x)
		if in == no || !slices.ContainsFunc(namespaces, func(pattern string) bool { return meshName(pattern, x.Namespace) }) {
			continue
		}
		perhaps = append(perhaps, p.podAddrs(x)...)
		if in == yes && p.injected(cp, w) == yes && !p.meshDisables(cp, w) {
			sure = append(sure, p.podAddrs(x)...)
		}
	}
	return sure, perhaps
}

// meshName matches a name: exactly, or with `*` at one end.
func meshName(pattern, name string) bool {
	if rest, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, rest)
	}
	if rest, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(name, rest)
	}
	return pattern == name
}

// meshDisables reports whether mutual TLS may be off somewhere for a workload.
func (p *planner) meshDisables(cp *clusterPlan, w *model.Workload) bool {
	return slices.ContainsFunc(p.e.PeerAuths, func(a *model.PeerAuthentication) bool {
		if a.Cluster.Key() != cp.c.ID.Key() || meshScope(a.Namespace, orEvery(a.Pods), w) == no {
			return false
		}
		off := a.Mode == "DISABLE" || len(p.fogged(a.ID)) > 0
		for _, m := range a.Ports {
			off = off || m == "DISABLE"
		}
		return off
	})
}

func orEvery(s *model.LabelSelector) model.LabelSelector {
	if s == nil {
		return model.LabelSelector{}
	}
	return *s
}

// meshPlaintext is what PeerAuthentication refuses: with STRICT whoever has no identity of the mesh; PERMISSIVE, which is the default, proves nothing
// (AKS-MESH-01). The most specific policy wins, ports of
// their own before the rest (K8S-IST-04). Where more than one may be it, each may.
func (p *planner) meshPlaintext(cp *clusterPlan, w *model.Workload) (must, may []*lazy, found bool) {
	var list []*model.PeerAuthentication
	rank := 0 // of the most specific that is about the workload for certain
	level := func(a *model.PeerAuthentication) int {
		switch {
		case a.Pods != nil && a.Namespace == w.Namespace:
			return 3
		case a.Namespace == w.Namespace:
			return 2
		default:
			return 1
		}
	}
	certain := map[int]int{}
	for _, a := range p.e.PeerAuths {
		scope := meshScope(a.Namespace, orEvery(a.Pods), w)
		if a.Cluster.Key() != cp.c.ID.Key() || scope == no || level(a) == 1 && a.Pods != nil {
			continue
		}
		list = append(list, a)
		if scope == yes && (a.Mode != "" || len(p.fogged(a.ID)) > 0) {
			rank = max(rank, level(a))
			certain[level(a)]++
		}
	}
	var sure, perhaps []netip.Addr // pods with an identity of the mesh
	for _, x := range cp.workloads {
		switch p.injected(cp, x) {
		case yes:
			sure, perhaps = append(sure, p.podAddrs(x)...), append(perhaps, p.podAddrs(x)...)
		case maybe:
			perhaps = append(perhaps, p.podAddrs(x)...)
		}
	}
	for _, a := range list {
		if level(a) < rank && len(a.Ports) == 0 {
			continue
		}
		strict := a.Mode == "STRICT" || len(p.fogged(a.ID)) > 0
		ports := everything()
		var others []uint16
		for n, m := range a.Ports {
			if m != "" {
				others = append(others, n)
			}
			strict = strict || m == "STRICT"
		}
		if !strict {
			continue
		}
		found = true
		may = append(may, outside(srcIn(p.addr.exactHosts(sure...))))
		// Certain where this policy alone is the most specific one, at the ports that none speaks of.
		alone := level(a) == rank && certain[rank] == 1 && meshScope(a.Namespace, orEvery(a.Pods), w) == yes && a.Mode == "STRICT" && len(p.fogged(a.ID)) == 0
		for _, b := range list {
			alone = alone && (b == a || level(b) < rank && len(b.Ports) == 0)
		}
		if alone {
			if len(others) > 0 {
				ports = minus(ports, tcpTo(others...))
			}
			must = append(must, both(ports, outside(srcIn(p.addr.exactHosts(perhaps...)))))
		}
	}
	return must, may, found
}
