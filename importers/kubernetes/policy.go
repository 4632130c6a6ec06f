package kubernetes

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ringfence/ringfence/model"
)

const wantPort = "a port from 1 to 65535"

// networkPolicy reads a policy, with the defaults and checks of the API server (K8S-GEN-06).
func (im *importer) networkPolicy(o *object, p *networkingv1.NetworkPolicy) {
	out := &model.NetworkPolicy{Meta: o.meta(), Cluster: im.options.Cluster, Namespace: o.namespace}
	// K8S-NP-01: without a podSelector the policy applies to every pod of its namespace.
	out.Pods = *im.selector(o, "spec.podSelector", &p.Spec.PodSelector)
	for i, r := range p.Spec.Ingress {
		out.Ingress = append(out.Ingress, im.policyRule(o, index("spec.ingress", i), "from", r.From, r.Ports))
	}
	for i, r := range p.Spec.Egress {
		out.Egress = append(out.Egress, im.policyRule(o, index("spec.egress", i), "to", r.To, r.Ports))
	}
	for i, t := range p.Spec.PolicyTypes {
		at := index("spec.policyTypes", i)
		switch t {
		case networkingv1.PolicyTypeIngress:
			out.Isolates[model.Inbound] = true
		case networkingv1.PolicyTypeEgress:
			out.Isolates[model.Outbound] = true
		default:
			im.bad(o, at, string(t), "Ingress or Egress")
		}
		if i == 2 {
			im.bad(o, "spec.policyTypes", fmt.Sprint(len(p.Spec.PolicyTypes), " entries"), "at most two")
		}
	}
	if len(p.Spec.PolicyTypes) == 0 {
		// K8S-NP-05: `egress: []` alone does not isolate egress.
		out.Isolates = [2]bool{model.Inbound: true, model.Outbound: len(p.Spec.Egress) > 0}
	}
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
}

// policyRule reads one rule. K8S-NP-09, K8S-NP-15: without peers it admits everyone, without ports everything.
func (im *importer) policyRule(o *object, at, side string, peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort) model.PolicyRule {
	r := model.PolicyRule{Source: o.source(at)}
	for i, p := range peers {
		r.Peers = append(r.Peers, im.policyPeer(o, index(child(at, side), i), p))
	}
	for i, p := range ports {
		r.Ports = append(r.Ports, im.policyPort(o, index(child(at, "ports"), i), p))
	}
	return r
}

func (im *importer) policyPeer(o *object, at string, p networkingv1.NetworkPolicyPeer) model.PolicyPeer {
	out := model.PolicyPeer{
		Source:     o.source(at),
		Pods:       im.selector(o, child(at, "podSelector"), p.PodSelector),
		Namespaces: im.selector(o, child(at, "namespaceSelector"), p.NamespaceSelector),
	}
	switch {
	case p.IPBlock != nil && (p.PodSelector != nil || p.NamespaceSelector != nil): // K8S-NP-12
		im.bad(o, at, "ipBlock and a selector", "one or the other")
	case p.IPBlock == nil && p.PodSelector == nil && p.NamespaceSelector == nil: // K8S-NP-11, X09(g)
		im.bad(o, at, "an empty peer", "podSelector, namespaceSelector or ipBlock; leave the whole list out to admit every peer")
	}
	if p.IPBlock != nil {
		out.IPBlock = im.ipBlock(o, child(at, "ipBlock"), p.IPBlock)
	}
	return out
}

// ipBlock reads a CIDR and its holes (K8S-NP-12).
func (im *importer) ipBlock(o *object, at string, b *networkingv1.IPBlock) *model.IPBlock {
	out := &model.IPBlock{}
	cidr, ok := im.cidr(o, child(at, "cidr"), b.CIDR)
	out.CIDR = cidr
	for i, text := range b.Except {
		here := index(child(at, "except"), i)
		hole, valid := im.cidr(o, here, text)
		if !valid {
			continue
		}
		// As the API server has it: an except is smaller than its cidr, not equal to it.
		if ok && (!cidr.Contains(hole.Addr()) || hole.Bits() <= cidr.Bits()) {
			im.bad(o, here, text, "a part of "+cidr.String())
			continue
		}
		out.Except = append(out.Except, hole)
	}
	return out
}

// cidr reads a CIDR. One with host bits means its network, which the ledger notes (K8S-NP-12).
func (im *importer) cidr(o *object, at, text string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		im.bad(o, at, text, "a CIDR as in 10.9.8.0/24 or 2001:db8::/64")
		return netip.Prefix{}, false
	case p.Addr().Is4In6():
		im.bad(o, at, text, "an IPv4 or IPv6 CIDR, not IPv4 inside IPv6")
		return netip.Prefix{}, false
	}
	if m := p.Masked(); m != p {
		im.note(o, at, "host bits are ignored: "+text+" means "+m.String())
		return m, true
	}
	return p, true
}

// policyPort reads one ports entry (K8S-NP-15, K8S-NP-16); X16 has its errors.
func (im *importer) policyPort(o *object, at string, p networkingv1.NetworkPolicyPort) model.PolicyPort {
	out := model.PolicyPort{Source: o.source(at), Protocol: model.TCP}
	switch {
	case p.Protocol == nil: // TCP, also when the port is missing
	case *p.Protocol == "":
		im.bad(o, child(at, "protocol"), "an empty string", "TCP, UDP or SCTP")
	default:
		out.Protocol = im.protocol(o, child(at, "protocol"), *p.Protocol)
	}
	endAt := child(at, "endPort")
	switch {
	case p.Port == nil:
		out.All, out.Ports = true, model.PortRange{First: 1, Last: 65535} // K8S-GEN-02: port 0 is no port
		if p.EndPort != nil {
			im.bad(o, endAt, fmt.Sprint(*p.EndPort), "no endPort without port")
		}
	case p.Port.Type == intstr.String:
		out.Named = p.Port.StrVal
		im.portName(o, child(at, "port"), out.Named)
		if p.EndPort != nil {
			im.bad(o, endAt, fmt.Sprint(*p.EndPort), "no endPort with a named port")
		}
	default:
		first := im.portNumber(o, child(at, "port"), p.Port.IntVal)
		out.Ports = model.PortRange{First: first, Last: first}
		if p.EndPort == nil {
			break
		}
		out.Ports.Last = im.portNumber(o, endAt, *p.EndPort)
		if first > 0 && out.Ports.Last > 0 && out.Ports.Last < first {
			im.bad(o, endAt, fmt.Sprint(*p.EndPort), fmt.Sprintf("a port not below port %d", first))
		}
	}
	return out
}

// protocol reads TCP, UDP or SCTP; absent means TCP (K8S-NP-15).
func (im *importer) protocol(o *object, at string, p corev1.Protocol) model.Protocol {
	switch p {
	case corev1.ProtocolTCP, "":
		return model.TCP
	case corev1.ProtocolUDP:
		return model.UDP
	case corev1.ProtocolSCTP:
		return model.SCTP
	default:
		im.bad(o, at, string(p), "TCP, UDP or SCTP")
		return model.TCP
	}
}

func (im *importer) portNumber(o *object, at string, n int32) uint16 {
	if n < 1 || n > 65535 {
		im.bad(o, at, fmt.Sprint(n), wantPort)
		return 0
	}
	return uint16(n)
}

func (im *importer) portName(o *object, at, name string) {
	if len(validation.IsValidPortName(name)) > 0 {
		im.bad(o, at, name, "a port number without quotes, or a port name: up to 15 of lower case, digits and `-`, at least one letter")
	}
}

// selectedKeys returns every label key that a selector of the input names (K8S-WL-03).
func (im *importer) selectedKeys() map[string]bool {
	keys := map[string]bool{}
	for _, s := range im.selected {
		for k := range s.Match {
			keys[k] = true
		}
		for _, r := range s.Requirements {
			keys[r.Key] = true
		}
	}
	return keys
}
