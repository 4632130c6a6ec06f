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
	for i := range d.IntN(4) {
		d.ciliumPolicy(c, i)
	}
}

// ciliumPolicy draws a policy of Cilium.
func (d *draft) ciliumPolicy(c *model.Cluster, i int) {
	p := &model.CiliumPolicy{Kind: "CiliumNetworkPolicy", Cluster: c.ID, Namespace: choose(d, "x", "y")}
	if d.one(3) {
		p.Kind, p.Namespace = "CiliumClusterwideNetworkPolicy", ""
	}
	p.Meta = d.meta(kubeID(c, p.Kind, p.Namespace, d.name("cil", i)))
	for range d.upTo(1, 2) {
		r := model.CiliumRule{Source: p.Source, Subject: d.ciliumSelector()}
		for dir := range r.Isolates {
			for range d.IntN(3) {
				r.Allow[dir] = append(r.Allow[dir], d.ciliumTraffic(p.Source, model.Direction(dir)))
			}
			for range d.IntN(2) {
				r.Deny[dir] = append(r.Deny[dir], d.ciliumTraffic(p.Source, model.Direction(dir)))
			}
			r.Isolates[dir] = choose(d, model.NotStated, model.On, model.On, model.Off, model.Off)
		}
		p.Rules = append(p.Rules, r)
	}
	if d.has(WithLedger) && d.one(8) {
		d.Ledger = append(d.Ledger, model.LedgerEntry{
			Resource: p.ID, Type: "cilium.io/v2/" + p.Kind, Field: choose(d, "spec.ingress[0].fromGroups", "specs[0].egressDeny[0].toNodes"), Disposition: model.Unsupported, Source: p.Source, Affects: []model.ID{p.ID},
		})
	}
	d.add(p)
}

func (d *draft) ciliumSelector() model.CiliumSelector {
	s := model.CiliumSelector{Pods: d.selector()}
	if d.one(3) {
		n := d.selector()
		s.Namespaces = &n
	}
	return s
}

func (d *draft) ciliumTraffic(at model.Source, dir model.Direction) model.CiliumTraffic {
	t := model.CiliumTraffic{Source: at, Doubt: d.one(8)}
	kind := d.IntN(6)
	for range d.upTo(1, 2) {
		var x model.CiliumPeer
		switch kind {
		case 0:
			t.AnyPeer = true
			continue
		case 1, 2:
			s := d.ciliumSelector()
			x.Endpoints = &s
		case 3:
			x.Block = d.ipBlock()
		case 4:
			if x.Name = "*.example.com"; dir == model.Inbound {
				continue
			}
		default:
			x.Entity = choose(d, "all", "world", "world-ipv4", "world-ipv6", "cluster", "host", "remote-node", "kube-apiserver", "init", "health", "unmanaged", "ingress", "none")
		}
		t.Peers = append(t.Peers, x)
	}
	switch d.IntN(4) {
	case 0, 1:
		for range d.upTo(1, 2) {
			x := d.policyPort(at)
			if x.Named != "" && d.one(2) {
				x.Protocol = model.AnyProtocol
			}
			t.Ports = append(t.Ports, x)
		}
	case 2:
		t.ICMP = []model.CiliumICMP{{Protocol: choose(d, model.ICMP, model.ICMPv6), Echo: d.one(2)}}
	}
	return t
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
