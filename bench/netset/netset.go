// Package netset runs the workloads on the packet sets of np-guard (github.com/np-guard/models, package netset) and compares them with the
// engine. netset was made for sets of a few dozen boxes and knows TCP, UDP and ICMP only, so it is asked what it can bear.
package netset

import (
	"net/netip"

	"github.com/np-guard/models/pkg/netp"
	"github.com/np-guard/models/pkg/netset"

	"github.com/ringfence/ringfence/bench/workload"
)

// block is the addresses of a side.
func block(list []netip.Prefix) *netset.IPBlock {
	if list == nil {
		return netset.GetCidrAll()
	}
	out := netset.NewIPBlock()
	for _, p := range list {
		b, err := netset.IPBlockFromCidr(p.String())
		if err != nil {
			panic(err)
		}
		out = out.Union(b)
	}
	return out
}

// transport is the protocols and ports of a rule.
func transport(r *workload.Rule) *netset.TransportSet {
	if r.Protocols == nil {
		return netset.AllTransports()
	}
	out := netset.NoTransports()
	for _, p := range r.Protocols {
		if p == 1 {
			out = out.Union(netset.AllICMPTransport())
			continue
		}
		name := netp.ProtocolStringTCP
		if p == 17 {
			name = netp.ProtocolStringUDP
		}
		for _, s := range orAll(r.SPort) {
			for _, d := range orAll(r.DPort) {
				out = out.Union(netset.NewTCPorUDPTransport(name, int64(s.Lo), int64(s.Hi), int64(d.Lo), int64(d.Hi)))
			}
		}
	}
	return out
}

// orAll is the ports that netset calls all.
func orAll(p []workload.Ports) []workload.Ports {
	if p == nil {
		return []workload.Ports{{Lo: netp.MinPort, Hi: netp.MaxPort}}
	}
	return p
}

// Permitted is the set of packets that a list allows.
func Permitted(l *workload.List) *netset.EndpointsTrafficSet {
	permitted := netset.EmptyEndpointsTrafficSet()
	for i := len(l.Rules) - 1; i >= 0; i-- {
		r := &l.Rules[i]
		match := netset.NewEndpointsTrafficSet(block(l.Prefixes(r.Src)), block(l.Prefixes(r.Dst)), transport(r))
		if r.Allow {
			permitted = permitted.Union(match)
		} else {
			permitted = permitted.Subtract(match)
		}
	}
	return permitted
}

// Cluster holds the ports of each rule of a cluster as a transport set.
type Cluster struct {
	*workload.Cluster
	ports map[*workload.PolicyRule]*netset.TransportSet
}

// NewCluster resolves the ports of all rules.
func NewCluster(c *workload.Cluster) *Cluster {
	out := &Cluster{c, map[*workload.PolicyRule]*netset.TransportSet{}}
	for i := range c.Policies {
		for _, rules := range [][]workload.PolicyRule{c.Policies[i].Ingress, c.Policies[i].Egress} {
			for k := range rules {
				t := netset.NoTransports()
				for _, p := range rules[k].Ports {
					name := netp.ProtocolStringTCP
					if p.Protocol == 17 {
						name = netp.ProtocolStringUDP
					}
					t = t.Union(netset.NewTCPorUDPTransport(name, netp.MinPort, netp.MaxPort, int64(p.Ports.Lo), int64(p.Ports.Hi)))
				}
				out.ports[&rules[k]] = t
			}
		}
	}
	return out
}

// Allowed is what one workload may open to another: the loop of an analyser that goes pair by pair, with the policies of each workload and
// the peers of each rule already resolved.
func (c *Cluster) Allowed(from, to int) *netset.TransportSet {
	side := func(subject, peer int, rules func(*workload.Policy) []workload.PolicyRule) *netset.TransportSet {
		allowed, isolated := netset.NoTransports(), false
		for _, p := range c.Selecting(subject) {
			list := rules(p)
			isolated = isolated || list != nil
			for i := range list {
				if list[i].Peers.Has(peer) {
					allowed = allowed.Union(c.ports[&list[i]])
				}
			}
		}
		if !isolated {
			return netset.AllTransports()
		}
		return allowed
	}
	in := side(to, from, func(p *workload.Policy) []workload.PolicyRule { return p.Ingress })
	out := side(from, to, func(p *workload.Policy) []workload.PolicyRule { return p.Egress })
	return in.Intersect(out)
}
