package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// policies draws the policies of a cluster that are no NetworkPolicies.
func (d *draft) policies(c *model.Cluster) {
	for i := range d.IntN(4) {
		d.clusterPolicy(c, i)
	}
}

// clusterPolicy draws a cluster-wide policy; few priorities, so that some have the same.
func (d *draft) clusterPolicy(c *model.Cluster, i int) {
	p := &model.ClusterPolicy{
		Meta: d.meta(kubeID(c, "ClusterNetworkPolicy", "", d.name("cnp", i))), Cluster: c.ID, Kind: "ClusterNetworkPolicy",
		Tier: choose(d, model.AdminTier, model.AdminTier, model.BaselineTier), Priority: d.IntN(3), Subject: model.PolicySubject{Namespaces: d.selector()},
	}
	if d.one(2) {
		s := d.selector()
		p.Subject.Pods = &s
	}
	for range d.IntN(4) {
		p.Ingress = append(p.Ingress, d.clusterRule(p, model.Inbound))
	}
	for range d.IntN(4) {
		p.Egress = append(p.Egress, d.clusterRule(p, model.Outbound))
	}
	if d.has(WithLedger) && d.one(8) {
		d.Ledger = append(d.Ledger, model.LedgerEntry{
			Resource: p.ID, Type: "policy.networking.k8s.io/v1alpha2/ClusterNetworkPolicy", Field: "spec", Disposition: model.Unsupported, Source: p.Source, Affects: []model.ID{p.ID},
		})
	}
	d.add(p)
}

func (d *draft) clusterRule(p *model.ClusterPolicy, dir model.Direction) model.ClusterPolicyRule {
	r := model.ClusterPolicyRule{Source: p.Source, Action: choose(d, model.PolicyDeny, model.PolicyAllow, model.PolicyPass)}
	named := false
	for range d.IntN(3) {
		x := d.policyPort(p.Source)
		if x.Named != "" {
			x.Protocol, named = model.AnyProtocol, true
		}
		r.Ports = append(r.Ports, x)
	}
	for range d.upTo(1, 2) {
		x := model.ClusterPolicyPeer{Source: p.Source}
		namespaces, pods := d.selector(), d.selector()
		n := d.IntN(8)
		if dir == model.Inbound || named {
			n = d.IntN(4)
		}
		switch n {
		case 0:
			if !d.one(4) {
				x.Namespaces = &namespaces
			}
		case 1:
			x.Namespaces = &namespaces
		case 2, 3:
			x.Namespaces, x.Pods = &namespaces, &pods
		case 4, 5, 6:
			x.Networks = []netip.Prefix{choose(d, d.prefix(), cidr("0.0.0.0/0"), cidr(podBlock), cidr("10.244.0.4/31"))}
		default:
			if x.Nodes = &namespaces; r.Action == model.PolicyAllow && d.one(2) {
				x.Nodes, x.Names = nil, []string{"*.example.com"}
			}
		}
		r.Peers = append(r.Peers, x)
	}
	return r
}
