package modeltest

import (
	"math"
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
	for i := range d.IntN(4) {
		d.calicoPolicy(c, i)
	}
	for i := range d.IntN(3) {
		s := &model.CalicoNetworkSet{Cluster: c.ID, Namespace: choose(d, "x", "y", ""), Labels: d.labels(), Nets: []netip.Prefix{choose(d, d.prefix(), cidr(podBlock))}, Names: d.one(6)}
		s.Meta = d.meta(kubeID(c, "CalicoNetworkSet", s.Namespace, d.name("set", i)))
		d.add(s)
	}
	for i := range d.IntN(3) {
		d.add(&model.CalicoTier{Meta: d.meta(kubeID(c, "CalicoTier", "", choose(d, "t0", "t1", "t2")+d.name("", i))), Cluster: c.ID, Order: choose(d, 1, 2, 2_000_000, math.Inf(1)), Pass: d.one(4)})
	}
}

// calicoPolicy draws a policy of Calico.
func (d *draft) calicoPolicy(c *model.Cluster, i int) {
	p := &model.CalicoPolicy{
		Kind: "NetworkPolicy", Cluster: c.ID, Namespace: choose(d, "x", "y"), Tier: choose(d, "default", "default", "t00", "t10", "t20"), Order: choose(d, 1, 2, 1000, 2000, math.Inf(1)),
		Selector: d.calicoSelector(), Applies: [2]bool{!d.one(3), !d.one(3)},
	}
	if d.one(2) {
		p.Kind, p.Namespace = "GlobalNetworkPolicy", ""
		if d.one(3) {
			p.Namespaces = d.calicoNamespaces()
		}
	}
	p.Meta = d.meta(kubeID(c, "Calico"+p.Kind, p.Namespace, d.name("cal", i)))
	for dir := range p.Rules {
		for range d.IntN(4) {
			r := model.CalicoRule{Source: p.Source, Action: choose(d, model.PolicyAllow, model.PolicyAllow, model.PolicyDeny, model.PolicyPass, model.PolicyLog), Doubt: d.one(10)}
			switch d.IntN(5) {
			case 0, 1:
				r.Protocols = []model.Protocol{choose(d, model.TCP, model.TCP, model.UDP)}
			case 2:
				r.Protocols, r.ICMPType = []model.Protocol{model.ICMP}, d.one(2)
			case 3:
				r.NotProtocols = []model.Protocol{choose(d, model.TCP, model.ICMP)}
			}
			ports := len(r.Protocols) > 0 && r.Protocols[0].HasPorts()
			r.From, r.To = d.calicoEnd(ports && d.one(4)), d.calicoEnd(ports)
			p.Rules[dir] = append(p.Rules[dir], r)
		}
	}
	if d.has(WithLedger) && d.one(8) {
		d.Ledger = append(d.Ledger, model.LedgerEntry{
			Resource: p.ID, Type: "projectcalico.org/v3/" + p.Kind, Field: choose(d, "spec.ingress[0].source.services", "spec.egress[0].destination.domains"), Disposition: model.Unsupported, Source: p.Source, Affects: []model.ID{p.ID},
		})
	}
	d.add(p)
}

func (d *draft) calicoSelector() model.CalicoSelector {
	out := model.CalicoSelector{}
	for range d.upTo(1, 2) {
		t := model.CalicoTerm{Labels: d.selector()}
		if d.one(4) {
			n := d.selector()
			t.Namespaces = &n
		}
		out = append(out, t)
	}
	return out
}

func (d *draft) calicoNamespaces() model.CalicoSelector {
	s := d.selector()
	return model.CalicoSelector{{Namespaces: &s}}
}

func (d *draft) calicoEnd(ports bool) model.CalicoEnd {
	var e model.CalicoEnd
	switch d.IntN(6) {
	case 0:
		e.Selector = d.calicoSelector()
	case 1:
		e.NotSelector = d.calicoSelector()
	case 2:
		if e.Namespaces = d.calicoNamespaces(); d.one(2) {
			e.Selector = d.calicoSelector()
		}
		if d.one(4) {
			every := model.Requirement{Key: "kubernetes.io/metadata.name", Operator: choose(d, "Exists", "DoesNotExist")} // all(), global()
			e.Namespaces = append(e.Namespaces[:d.IntN(2)], model.CalicoTerm{Namespaces: &model.LabelSelector{Requirements: []model.Requirement{every}}})
		}
	case 3:
		e.Nets = []netip.Prefix{choose(d, d.prefix(), cidr(podBlock), cidr("0.0.0.0/0"))}
	case 4:
		e.NotNets = []netip.Prefix{choose(d, d.prefix(), cidr(podBlock))}
	}
	if ports {
		x := d.policyPort(model.Source{File: "random"})
		if x.Protocol = model.AnyProtocol; !x.All {
			if d.one(3) {
				e.NotPorts = []model.PolicyPort{x}
			} else {
				e.Ports = []model.PolicyPort{x}
			}
		}
	}
	return e
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
			s.Others = s.Namespaces != nil && d.one(3)
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
			switch {
			case x.Named != "" && d.one(2):
				x.Protocol = model.AnyProtocol
			case d.one(8):
				x = model.PolicyPort{Source: at, Protocol: choose(d, model.ESP, model.AH), All: true, Ports: model.AllPorts}
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
