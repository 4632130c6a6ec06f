package dataplane

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// futurePod stands for pods that do not exist yet while policies of every kind are compiled for a pod that does: the selectors with which rules
// name their peers select it or not, so that what is compiled is about protocols and ports alone (K8S-EXP-02).
type futurePod struct {
	known     *model.Workload
	dir       model.Direction
	selectors []exposedPeer
	index     map[string]int
	selects   func(selector int) bool // nil: selectors are being collected
	blocks    bool                    // some rule names addresses
}

// whole is everything or nothing.
func whole(ok bool) *lazy {
	if ok {
		return everything()
	}
	return nothing()
}

// match decides a peer by selectors. own is the namespace that a pod selector alone means; without one it means every namespace.
func (f *futurePod) match(own string, namespaces, pods *model.LabelSelector) tri {
	e := exposedPeer{certain: true}
	switch {
	case namespaces != nil:
		e.namespaces = *namespaces
	case own != "":
		e.namespaces = model.LabelSelector{Match: map[string]string{nameLabel: own}}
	}
	if pods != nil {
		e.pods = *pods
	}
	key := selectorKey(e.namespaces) + "\x00" + selectorKey(e.pods)
	i, ok := f.index[key]
	if !ok {
		i = len(f.selectors)
		f.index[key] = i
		f.selectors = append(f.selectors, e)
	}
	switch {
	case f.selects == nil:
		return maybe
	case f.selects(i):
		return yes
	default:
		return no
	}
}

// inBlock decides a peer by addresses, as the engine has it for pods (K8S-NP-13); asWritten is a rule that means pods as well (K8S-CNP-10).
func (f *futurePod) inBlock(p *planner, cp *clusterPlan, b model.IPBlock, asWritten bool) tri {
	f.blocks = true
	may, must := p.futureIn(cp, b, asWritten)
	switch {
	case must:
		return yes
	case may:
		return maybe
	default:
		return no
	}
}

// policyPeer is a peer of a NetworkPolicy.
func (f *futurePod) policyPeer(p *planner, cp *clusterPlan, n *model.NetworkPolicy, peer model.PolicyPeer) tri {
	if peer.IPBlock != nil {
		return f.inBlock(p, cp, *peer.IPBlock, false)
	}
	return f.match(n.Namespace, peer.Namespaces, peer.Pods)
}

// tierPeer is a peer of a cluster-wide policy (K8S-CNP-08, K8S-CNP-09). A pod that has no name yet is behind none, and is no node.
func (f *futurePod) tierPeer(p *planner, cp *clusterPlan, x model.ClusterPolicyPeer) tri {
	switch {
	case x.Namespaces != nil:
		return f.match("", x.Namespaces, x.Pods)
	case len(x.Networks) > 0:
		out := no
		for _, net := range x.Networks {
			out = max(out, f.inBlock(p, cp, model.IPBlock{CIDR: net}, true))
		}
		return out
	default:
		return no
	}
}

// ciliumPeer is a peer of a policy of Cilium (K8S-CIL-05, K8S-CIL-06).
func (f *futurePod) ciliumPeer(x *model.CiliumPolicy, e model.CiliumPeer) tri {
	switch {
	case e.Endpoints != nil:
		return f.match(x.Namespace, e.Endpoints.Namespaces, &e.Endpoints.Pods)
	case e.Entity == "all", e.Entity == "cluster":
		return yes
	case e.Entity == "init", e.Entity == "unmanaged":
		return maybe
	default: // blocks, names, entities outside
		return no
	}
}

// calicoSelected is a selector of a policy of Calico at one end of a rule (K8S-CAL-03).
func (f *futurePod) calicoSelected(p *planner, cp *clusterPlan, x *model.CalicoPolicy, s model.CalicoSelector, e model.CalicoEnd) tri {
	out := no
	around := e.Namespaces
	if around == nil {
		around = model.CalicoSelector{{}}
	}
	for _, n := range around {
		for _, t := range s {
			namespaces := t.Namespaces
			if n.Namespaces != nil {
				namespaces = joined(namespaces, n.Namespaces)
			}
			own := x.Namespace
			if e.Namespaces != nil {
				own = ""
			}
			if own != "" && namespaces != nil {
				namespaces = joined(namespaces, &model.LabelSelector{Match: map[string]string{nameLabel: own}})
			}
			if rest, some := inSomeNamespace(namespaces); some {
				out = max(out, f.match(own, rest, &t.Labels))
			}
		}
	}
	for _, set := range p.e.CalicoSets { // addresses that a set holds may be a pod's
		if set.Cluster.Key() == cp.c.ID.Key() {
			for _, net := range set.Nets {
				if f.inBlock(p, cp, model.IPBlock{CIDR: net}, true) != no {
					out = max(out, maybe)
				}
			}
		}
	}
	return out
}

// inSomeNamespace is a selector for what is in a namespace, as every pod is: that there is a name goes without saying. It reports false for
// what is in none.
func inSomeNamespace(s *model.LabelSelector) (*model.LabelSelector, bool) {
	if s == nil {
		return nil, true
	}
	out := model.LabelSelector{Match: s.Match}
	for _, r := range s.Requirements {
		switch {
		case r.Key != nameLabel || r.Operator == "In" || r.Operator == "NotIn":
			out.Requirements = append(out.Requirements, r)
		case r.Operator == "DoesNotExist":
			return nil, false
		}
	}
	return &out, true
}

// joined is the conjunction of two selectors.
func joined(a, b *model.LabelSelector) *model.LabelSelector {
	if a == nil {
		return b
	}
	out := model.LabelSelector{Match: a.Match, Requirements: slices.Concat(a.Requirements, b.Requirements)}
	for k, v := range b.Match {
		out.Requirements = append(out.Requirements, model.Requirement{Key: k, Operator: "In", Values: []string{v}})
	}
	slices.SortFunc(out.Requirements, func(x, y model.Requirement) int { return compareRequirements(x, y) })
	return &out
}

func compareRequirements(x, y model.Requirement) int {
	switch {
	case x.Key != y.Key:
		if x.Key < y.Key {
			return -1
		}
		return 1
	case x.Operator != y.Operator:
		if x.Operator < y.Operator {
			return -1
		}
		return 1
	default:
		return slices.Compare(x.Values, y.Values)
	}
}

// bounds of a peer that is a pod which does not exist yet.
func futureBounds(match tri) (must, may *lazy) { return whole(match == yes), whole(match != no) }

// futureEnd is one side of a rule of Calico where the other side, or this one, is a pod that does not exist yet. Whether addresses of a rule
// hold the known pod's is not asked: they may.
func (p *planner) futureEnd(cp *clusterPlan, x *model.CalicoPolicy, e model.CalicoEnd, near bool) (must, may *lazy) {
	f := p.future
	selected := func(x *model.CalicoPolicy, s model.CalicoSelector, e model.CalicoEnd) tri {
		switch {
		case !near:
			if s == nil {
				s = model.CalicoSelector{{}}
			}
			return f.calicoSelected(p, cp, x, s, e)
		case x.Namespace != "" && e.Namespaces == nil && x.Namespace != f.known.Namespace:
			return no
		}
		match := yes
		if e.Namespaces != nil {
			match = p.calicoMatch(cp, e.Namespaces, f.known.Namespace, nil)
		}
		if s != nil {
			match = match.and(p.calicoMatch(cp, s, f.known.Namespace, func(l model.LabelSelector) tri { return selectsPod(l, f.known) }))
		}
		return match
	}
	match := yes
	if e.Selector != nil || e.Namespaces != nil || e.NotSelector != nil && x.Namespace != "" {
		match = match.and(selected(x, e.Selector, e))
	}
	if e.NotSelector != nil {
		match = match.and(yes - selected(&model.CalicoPolicy{}, e.NotSelector, model.CalicoEnd{}))
	}
	held := func(nets []netip.Prefix) tri {
		if near {
			return maybe
		}
		out := no
		for _, net := range nets {
			out = max(out, f.inBlock(p, cp, model.IPBlock{CIDR: net}, true))
		}
		return out
	}
	if len(e.Nets) > 0 {
		match = match.and(held(e.Nets))
	}
	if len(e.NotNets) > 0 {
		match = match.and(yes - held(e.NotNets))
	}
	return futureBounds(match)
}
