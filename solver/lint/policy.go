package lint

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// netPolicy names a NetworkPolicy as people write it.
func netPolicy(p *model.NetworkPolicy) string {
	return "policy:" + p.Cluster.Name() + "/" + p.Namespace + "/" + p.Name()
}

// policyNotEnforced: without an engine, a policy is accepted and enforced by nobody; each is reported (K8S-GEN-04, AKS-POL-01).
func policyNotEnforced(r *reader, found sink) {
	report := func(cluster model.ID, subject string, origin model.Source) {
		c, ok := model.Get[*model.Cluster](r.e, cluster)
		if !ok {
			return
		}
		if name, ok := engine(c); !ok || name != "none" {
			return
		}
		found(fact{
			subject: subject, origin: origin,
			text:   fmt.Sprintf("%s has no network policy engine, so nothing enforces this policy: the traffic that it is meant to stop passes.", r.cluster(c)),
			remedy: "Give the cluster an engine: networkDataplane (or networkPolicy) cilium, or networkPolicy calico.",
		})
	}
	for _, p := range r.e.NetPolicies {
		report(p.Cluster, netPolicy(p), p.Source)
	}
	for _, p := range r.e.ClusterPolicies {
		report(p.Cluster, clusterPolicy(p), p.Source)
	}
}

// policyDeadRules: rules of a direction that policyTypes does not name are ignored, and the direction is not isolated (K8S-NP-05,
// K8S-NP-06).
func policyDeadRules(r *reader, found sink) {
	for _, p := range r.e.NetPolicies {
		for _, d := range []model.Direction{model.Inbound, model.Outbound} {
			rules := rulesOf(p, d)
			if p.Isolates[d] || len(rules) == 0 {
				continue
			}
			found(fact{
				subject: netPolicy(p), origin: rules[0].Source,
				text:   fmt.Sprintf("The policy has %s rules, but policyTypes does not name that direction: the rules are ignored, and the policy does not isolate the %s of its pods.", word(d), word(d)),
				remedy: "Add the direction to policyTypes.",
			})
		}
	}
}

// policyNamesServicePort: ports of a policy are those of the pods, after a Service's translation (K8S-NP-17). Decided where the pods are
// in the input and declare their ports, none of them the one that the rule names, while a Service in front of them has it.
func policyNamesServicePort(r *reader, found sink) {
	for _, p := range r.e.NetPolicies {
		for _, d := range []model.Direction{model.Inbound, model.Outbound} {
			if !p.Isolates[d] {
				continue
			}
			for _, u := range rulesOf(p, d) {
				pods := r.targetsOf(p, u, d)
				for _, port := range u.Ports {
					if port.Named != "" || port.All || port.Ports.First != port.Ports.Last {
						continue
					}
					s, target := r.mistaken(pods, port)
					if s == nil {
						continue
					}
					found(fact{
						subject: netPolicy(p), origin: port.Source,
						text: fmt.Sprintf("The %s rule names port %d, which is the port of the Service %s/%s; its pods listen on %s, so the rule opens nothing that is in use.",
							word(d), port.Ports.First, s.Namespace, s.Name(), target),
						remedy: "Write the port of the pod, by number or name.",
					})
				}
			}
		}
	}
}

// targetsOf returns the pods at which a rule's ports are: for ingress the policy's own, for egress those that its peers select.
func (r *reader) targetsOf(p *model.NetworkPolicy, u model.PolicyRule, d model.Direction) []*model.Workload {
	var out []*model.Workload
	for _, w := range r.e.Workloads {
		if w.Cluster.Key() != p.Cluster.Key() || w.HostNetwork {
			continue
		}
		match := d == model.Inbound && w.Namespace == p.Namespace && selects(p.Pods, w.Labels)
		if d == model.Outbound {
			match = slices.ContainsFunc(u.Peers, func(peer model.PolicyPeer) bool { return r.peerIs(p, peer, w) })
		}
		if match {
			out = append(out, w)
		}
	}
	return out
}

// peerIs reports whether a peer selects a workload's pods (K8S-NP-10, K8S-NP-11).
func (r *reader) peerIs(p *model.NetworkPolicy, peer model.PolicyPeer, w *model.Workload) bool {
	if peer.IPBlock != nil {
		return false
	}
	if peer.Namespaces == nil && w.Namespace != p.Namespace || peer.Pods != nil && !selects(*peer.Pods, w.Labels) {
		return false
	}
	return peer.Namespaces == nil || slices.ContainsFunc(r.e.Namespaces, func(n *model.Namespace) bool {
		return n.Cluster.Key() == w.Cluster.Key() && n.Name() == w.Namespace && selects(*peer.Namespaces, n.Labels)
	})
}

// mistaken returns the Service whose port a rule names, if its pods declare other ports only, and what they listen on.
func (r *reader) mistaken(pods []*model.Workload, port model.PolicyPort) (s *model.KubeService, target string) {
	for _, w := range pods {
		if len(w.Ports) == 0 || slices.ContainsFunc(w.Ports, func(c model.ContainerPort) bool { return c.Port == port.Ports.First }) {
			return nil, ""
		}
	}
	for _, w := range pods {
		for _, svc := range r.e.KubeServices {
			if svc.Cluster.Key() != w.Cluster.Key() || svc.Namespace != w.Namespace || len(svc.Selector) == 0 || !selects(model.LabelSelector{Match: svc.Selector}, w.Labels) {
				continue
			}
			for _, sp := range svc.Ports {
				if sp.Port != port.Ports.First || sp.Protocol != port.Protocol || sp.Target == sp.Port {
					continue
				}
				target := fmt.Sprint(sp.Target)
				if sp.TargetName != "" {
					i := slices.IndexFunc(w.Ports, func(c model.ContainerPort) bool { return c.Name == sp.TargetName })
					if i < 0 {
						continue
					}
					target = fmt.Sprintf("%d (%s)", w.Ports[i].Port, sp.TargetName)
				}
				return svc, target
			}
		}
	}
	return nil, ""
}

// egressToMetadata: an ipBlock that holds the metadata service lets a pod ask for the node's identity; an NSG does not stop it (K8S-AZ-07,
// AZ-PLAT-03).
func egressToMetadata(r *reader, found sink) {
	metadata := netip.AddrFrom4([4]byte{169, 254, 169, 254})
	for _, p := range r.e.NetPolicies {
		if !p.Isolates[model.Outbound] || r.exempt(p.Namespace) {
			continue
		}
		for _, u := range p.Egress {
			for _, peer := range u.Peers {
				b := peer.IPBlock
				if b == nil || !b.CIDR.Contains(metadata) || within(metadata, b.Except) || !admitsHTTP(u.Ports) {
					continue
				}
				found(fact{
					subject: netPolicy(p), origin: peer.Source,
					text:   fmt.Sprintf("The egress rule to %s holds the metadata service 169.254.169.254: a pod can ask it for the identity of its node.", b.CIDR),
					remedy: "Add 169.254.169.254/32 and 168.63.129.16/32 to except.",
				})
			}
		}
	}
}

// admitsHTTP reports whether the ports of a rule hold tcp/80, at which the metadata service answers.
func admitsHTTP(ports []model.PolicyPort) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p model.PolicyPort) bool {
		return p.Protocol == model.TCP && p.Named == "" && (p.All || p.Ports.First <= 80 && 80 <= p.Ports.Last)
	})
}
