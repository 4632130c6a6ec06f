package model

import (
	"net/netip"
	"slices"
	"strings"
)

// KubeFrontend is an address by which a load balancer leads to a LoadBalancer Service.
type KubeFrontend struct {
	Addr    netip.Addr // a symbol where the input does not state it
	Public  bool       // else an address of the cluster's VNet
	Certain bool       // false where status and annotation contradict each other: either may be what stands
}

// Annotation is the value of one of the annotations of Azure's load balancers, by its name without the prefix.
func (s *KubeService) Annotation(name string) string {
	return s.Annotations["service.beta.kubernetes.io/"+name]
}

// Internal reports whether the Service asks for an internal frontend: any value but the string "true" is public (AKS-LB-02).
func (s *KubeService) Internal() bool { return s.Annotation("azure-load-balancer-internal") == "true" }

// Addresses are the addresses of a LoadBalancer Service's frontends that it states itself, by the order of K8S-SVC-11: its status; else of each
// family an annotation's, or spec.loadBalancerIP.
func (s *KubeService) Addresses() []netip.Addr {
	if s.Type != "LoadBalancer" {
		return nil
	}
	var out []netip.Addr
	add := func(a netip.Addr) {
		if a = a.Unmap(); a.IsValid() && a.Zone() == "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	for _, a := range s.Ingress {
		add(a)
	}
	if len(out) > 0 {
		return out
	}
	for _, family := range []string{"ipv4", "ipv6"} {
		a, err := netip.ParseAddr(s.Annotation("azure-load-balancer-" + family))
		if spec := s.LoadBalancerIP.Unmap(); err != nil && spec.IsValid() && spec.Is4() == (family == "ipv4") {
			a = spec
		}
		add(a)
	}
	return out
}

// FrontendsOf are the frontends of a LoadBalancer Service of the estate, at least one; none of other Services (K8S-SVC-11). They are made once: every
// packet asks for them.
func (e *Estate) FrontendsOf(s *KubeService) []KubeFrontend { return e.frontends()[s] }

func (e *Estate) makeFrontends() map[*KubeService][]KubeFrontend {
	out := make(map[*KubeService][]KubeFrontend, len(e.KubeServices))
	for _, s := range e.KubeServices {
		out[s] = e.frontendsOf(s)
	}
	return out
}

func (e *Estate) frontendsOf(s *KubeService) []KubeFrontend {
	var out []KubeFrontend
	stated, named, open := e.statedFrontends(s)
	for _, a := range stated {
		out = append(out, KubeFrontend{a, e.publicFrontend(s, a), !open})
	}
	for _, p := range named {
		a := p.Address
		if !a.IsValid() {
			a, _ = e.Symbols().Of(PublicAddress, p.ID, "")
		}
		out = append(out, KubeFrontend{a, true, true})
	}
	if a, ok := e.Symbols().Of(ServiceFrontend, s.ID, ""); ok && open {
		out = append(out, KubeFrontend{a, !s.Internal(), len(out) == 0})
	}
	return out
}

// statedFrontends are the addresses of a Service's frontends that the input states, or the public address resources that have them. open: there is,
// or may be, another frontend.
func (e *Estate) statedFrontends(s *KubeService) (stated []netip.Addr, named []*PublicIP, open bool) {
	if s.Type != "LoadBalancer" {
		return nil, nil, false
	}
	if stated = s.Addresses(); len(stated) > 0 {
		return stated, nil, slices.ContainsFunc(stated, func(a netip.Addr) bool { return e.publicFrontend(s, a) == s.Internal() })
	}
	if !s.Internal() {
		named = e.publicIPsOf(s)
	}
	return nil, named, len(named) == 0
}

// publicFrontend reports whether a stated address is public: it lies outside private space (RFC 1918, 100.64.0.0/10, fc00::/7), and for a Service
// that asks for an internal frontend in no network that the input has.
func (e *Estate) publicFrontend(s *KubeService, a netip.Addr) bool {
	if a.IsPrivate() || netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10).Contains(a) {
		return false
	}
	return !s.Internal() || !slices.ContainsFunc(e.VNets, func(v *VNet) bool {
		return slices.ContainsFunc(v.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
	})
}

// publicIPsOf are the public addresses that a Service names, else those in the node resource group of its cluster whose tag names the Service.
func (e *Estate) publicIPsOf(s *KubeService) []*PublicIP {
	var named, tagged []*PublicIP
	c, _ := Get[*Cluster](e, s.Cluster)
	for _, p := range e.PublicIPs {
		for _, key := range []string{"azure-pip-name", "azure-pip-name-ipv6"} {
			if name := s.Annotation(key); name != "" && strings.EqualFold(p.Name(), name) {
				named = append(named, p)
			}
		}
		if c == nil || c.NodeGroup == "" || !strings.EqualFold(p.ID.ResourceGroup(), c.NodeGroup) {
			continue
		}
		owners, ok := p.Tags["k8s-azure-service"]
		if !ok {
			owners = p.Tags["service"]
		}
		for owner := range strings.SplitSeq(owners, ",") {
			if strings.TrimSpace(owner) == s.Namespace+"/"+s.Name() {
				tagged = append(tagged, p)
			}
		}
	}
	if len(named) > 0 {
		return named
	}
	return tagged
}
