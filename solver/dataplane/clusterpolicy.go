package dataplane

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// tiers are the cluster-wide policies around the NetworkPolicies of one pod, in one direction (K8S-CNP-02).
type tiers struct {
	admin, baseline ruling
	touches         bool // some rule may act
	notes           []string
}

// enforcesTiers reports whether the engine of a cluster enforces cluster-wide policies in some reading, and for certain: the engines of AKS
// do not say (K8S-CNP-17).
func (cp *clusterPlan) enforcesTiers() (may, must bool) {
	switch cp.engine {
	case engineNone:
		return false, false
	case engineOther:
		return true, enforcesClusterPolicies(cp.c.Engine)
	default:
		return true, false
	}
}

// enforcesClusterPolicies names the engines that are documented to implement the API (K8S-CNP-17).
func enforcesClusterPolicies(engine string) bool {
	switch strings.ToLower(engine) {
	case "kube-network-policies", "kube-ovn", "ovn-kubernetes", "antrea":
		return true
	default:
		return false
	}
}

// tiersOf compiles the cluster-wide policies for one pod (K8S-CNP-02, K8S-CNP-04).
func (p *planner) tiersOf(cp *clusterPlan, w *model.Workload, dir model.Direction) tiers {
	out := tiers{admin: silent(), baseline: silent()}
	for _, tier := range []model.PolicyTier{model.AdminTier, model.BaselineTier} {
		r, fall := ordered(nil)
		acts := false
		for _, group := range p.byPriority(cp, tier) {
			var lists [][]orderedRule
			doubt := false
			for _, x := range group {
				selected := p.selectsSubject(cp, x.Subject, w)
				if selected == no {
					continue
				}
				for _, entry := range p.fogged(x.ID) { // AZ-GEN-08
					if otherSide(entry.Field, dir) {
						continue
					}
					doubt = true
					out.notes = append(out.notes, unsupported(entry))
				}
				list, notes := p.tierRules(cp, w, x, dir, selected == yes)
				out.notes = append(out.notes, notes...)
				if len(list) > 0 {
					lists = append(lists, list)
				}
			}
			if len(lists) == 0 && !doubt {
				continue
			}
			acts = true
			g, f := tied(lists)
			if doubt {
				m := mute()
				m.rest = everything()
				g, f = g.or(m), everything()
			}
			r, fall = r.or(within(fall, g)), both(fall, f)
		}
		if !acts {
			continue
		}
		out.touches = true
		r.rest = either(r.rest, fall) // K8S-CNP-06
		if tier == model.AdminTier {
			out.admin = r
		} else {
			out.baseline = r
		}
	}
	return out
}

// otherSide reports a field of a policy's rules for the other direction: spec.egress of one, or specs[0].egressDeny of another.
func otherSide(field string, dir model.Direction) bool {
	_, rest, _ := strings.Cut(field, ".")
	if dir == model.Inbound {
		return strings.HasPrefix(rest, "egress")
	}
	return strings.HasPrefix(rest, "ingress")
}

// within is a ruling about those packets alone that come to it.
func within(come *lazy, r ruling) ruling {
	out := ruling{allow: both(come, r.allow), deny: both(come, r.deny), rest: both(come, r.rest)}
	for _, x := range r.parts {
		out.parts = append(out.parts, rulingPart{x.part, both(come, x.set)})
	}
	return out
}

// byPriority groups the policies of a tier; those of one priority have no known order (K8S-CNP-05).
func (p *planner) byPriority(cp *clusterPlan, tier model.PolicyTier) [][]*model.ClusterPolicy {
	var list []*model.ClusterPolicy
	for _, x := range p.e.ClusterPolicies {
		if x.Tier == tier && x.Cluster.Key() == cp.c.ID.Key() {
			list = append(list, x)
		}
	}
	slices.SortStableFunc(list, func(a, b *model.ClusterPolicy) int { return a.Priority - b.Priority })
	var out [][]*model.ClusterPolicy
	for i, x := range list {
		if i > 0 && list[i-1].Priority == x.Priority {
			out[len(out)-1] = append(out[len(out)-1], x)
			continue
		}
		out = append(out, []*model.ClusterPolicy{x})
	}
	return out
}

// selectsSubject decides the subject of a cluster-wide policy (K8S-CNP-07). Pods of the host network are never asked about.
func (p *planner) selectsSubject(cp *clusterPlan, s model.PolicySubject, w *model.Workload) tri {
	match := cp.selectsNamespace(s.Namespaces, w.Namespace)
	if s.Pods != nil {
		match = match.and(selectsPod(*s.Pods, w))
	}
	return match
}

// tierRules compiles the rules of a policy; certain says that it selects the pod for certain.
func (p *planner) tierRules(cp *clusterPlan, w *model.Workload, x *model.ClusterPolicy, dir model.Direction, certain bool) ([]orderedRule, []string) {
	at, word := srcIn, "ingress"
	if dir == model.Outbound {
		at, word = dstIn, "egress"
	}
	var out []orderedRule
	var notes []string
	for i, r := range x.Rules(dir) {
		name := word + "[" + strconv.Itoa(i) + "]"
		o := orderedRule{do: doDeny, part: Part{Key: "rule|" + x.ID.Key() + "|" + name, Rule: x.Kind + "/" + x.Name() + "/" + name, Source: r.Source, Allow: r.Action == model.PolicyAllow, Open: openRule}}
		switch r.Action {
		case model.PolicyAllow:
			o.do = doAllow
		case model.PolicyPass:
			o.do = doPass
		}
		switch {
		case !slices.ContainsFunc(r.Peers, model.ClusterPolicyPeer.Unknown):
			var more []string
			o.must, o.may, more = p.tierPeers(cp, r.Peers, at)
			if p.o.Explain && p.future == nil {
				for _, peer := range r.Peers {
					_, may, _ := p.tierPeers(cp, []model.ClusterPolicyPeer{peer}, at)
					o.part.peers = append(o.part.peers, entrySet{peer.Source.Within(r.Source), may})
				}
				o.part.ports = p.portEntries(cp, w, r.Source, r.Ports, dir)
			}
			notes = append(notes, more...)
			must, may := p.policyPorts(cp, w, model.PolicyRule{Ports: r.Ports}, dir)
			o.must, o.may = both(o.must, must), both(o.may, may)
		case o.do == doAllow: // K8S-CNP-14: it fails closed
			continue
		default:
			o.do, o.must, o.may = doDeny, everything(), everything()
		}
		if !certain {
			o.must = nothing()
		}
		out = append(out, o)
	}
	return out, notes
}

// tierPeers is the far ends that the peers of a rule take, in both bounds (K8S-CNP-08, K8S-CNP-09).
func (p *planner) tierPeers(cp *clusterPlan, peers []model.ClusterPolicyPeer, at func(packet.AddrSet) *lazy) (must, may *lazy, notes []string) {
	var certain, possible []*lazy
	for _, x := range peers {
		switch {
		case p.future != nil:
			a, b := futureBounds(p.future.tierPeer(p, cp, x))
			certain, possible = append(certain, a), append(possible, b)
		case x.Namespaces != nil:
			a, b := p.peerPods(cp, nil, model.PolicyPeer{Namespaces: x.Namespaces, Pods: x.Pods})
			certain, possible = append(certain, at(p.addr.exactHosts(a...))), append(possible, at(p.addr.exactHosts(b...)))
			if len(a) != len(b) {
				for _, w := range cp.workloads {
					notes = append(notes, cp.labelDoubts(w, x.Namespaces, x.Pods)...)
				}
			}
		case x.Nodes != nil:
			a, b := p.selectedNodes(cp, *x.Nodes)
			certain, possible = append(certain, at(a)), append(possible, at(b))
			notes = append(notes, "ASM-K-NODES")
		case len(x.Networks) > 0: // K8S-CNP-10: pods and nodes too
			set := p.addr.set(x.Networks)
			certain, possible = append(certain, at(set.must)), append(possible, at(set.may))
		case len(x.Names) > 0: // K8S-CNP-12
			possible = append(possible, outside(at(cp.all)))
			notes = append(notes, "ASM-K-FQDN")
		}
	}
	return either(certain...), either(possible...), notes
}

// selectedNodes is the addresses of nodes that a selector takes for certain, and possibly (K8S-CNP-11). Nodes have the addresses of their
// subnet that nothing else holds, none of which is certain to be a node's; beside the labels of its pool a node may have others.
func (p *planner) selectedNodes(cp *clusterPlan, s model.LabelSelector) (must, may packet.AddrSet) {
	unknown := func(string) bool { return true }
	var sure, perhaps []netip.Prefix
	for _, m := range p.machines {
		if m.cluster == nil || m.cluster.c != cp.c {
			continue
		}
		for _, pool := range cp.c.Pools {
			if pool.Name == m.pool && matchLabels(s, nodeLabels(pool), unknown) != no {
				perhaps = append(perhaps, m.site.Prefixes...)
			}
		}
	}
	for _, w := range cp.workloads {
		if !w.HostNetwork { // K8S-NP-25: its address is its node's
			continue
		}
		match := matchLabels(s, nil, unknown)
		if match == yes {
			sure = append(sure, hosts(p.podAddrs(w))...)
		}
		if match != no {
			perhaps = append(perhaps, hosts(p.podAddrs(w))...)
		}
	}
	return p.b.AddSet("", sure), p.b.AddSet("", perhaps)
}

// nodeLabels are the labels that AKS and the definition of a pool give its nodes (K8S-WL-07).
func nodeLabels(pool model.NodePool) map[string]string {
	os := strings.ToLower(pool.OS)
	if os == "" {
		os = "linux"
	}
	out := map[string]string{"agentpool": pool.Name, "kubernetes.azure.com/agentpool": pool.Name, "kubernetes.io/os": os, "beta.kubernetes.io/os": os}
	if pool.Mode != "" {
		out["kubernetes.azure.com/mode"] = strings.ToLower(pool.Mode)
	}
	for k, v := range pool.Labels {
		out[k] = v
	}
	return out
}
