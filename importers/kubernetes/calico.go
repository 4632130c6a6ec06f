package kubernetes

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/ringfence/ringfence/model"
)

// Groups of Calico: its API, and the resources behind it, with the same specs (K8S-CAL-01).
const (
	calicoGroup    = "projectcalico.org"
	calicoCRDGroup = "crd.projectcalico.org"
)

// addCalico registers the kinds of Calico that are modelled, as structs of our own: its modules cannot be had.
func addCalico(s *runtime.Scheme) error {
	for _, gv := range []schema.GroupVersion{{Group: calicoGroup, Version: "v3"}, {Group: calicoCRDGroup, Version: "v1"}} {
		s.AddKnownTypeWithName(gv.WithKind("NetworkPolicy"), &CalicoPolicy{})
		s.AddKnownTypeWithName(gv.WithKind("GlobalNetworkPolicy"), &CalicoPolicy{})
		s.AddKnownTypeWithName(gv.WithKind("Tier"), &CalicoTier{})
		s.AddKnownTypeWithName(gv.WithKind("NetworkSet"), &CalicoNetworkSet{})
		s.AddKnownTypeWithName(gv.WithKind("GlobalNetworkSet"), &CalicoNetworkSet{})
	}
	return nil
}

// CalicoPolicy is a NetworkPolicy or GlobalNetworkPolicy of Calico. It is exported because decoding demands it.
type CalicoPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec calicoSpec `json:"spec"`
}

// DeepCopyObject is what decoding demands of a type; the copy shares what nobody writes.
func (p *CalicoPolicy) DeepCopyObject() runtime.Object { c := *p; return &c }

// CalicoTier is a tier.
type CalicoTier struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Order         *calicoNumber `json:"order"`
		DefaultAction string        `json:"defaultAction"`
	} `json:"spec"`
}

// DeepCopyObject is what decoding demands of a type; the copy shares what nobody writes.
func (p *CalicoTier) DeepCopyObject() runtime.Object { c := *p; return &c }

// CalicoNetworkSet is a set of addresses, of a namespace or global.
type CalicoNetworkSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Nets           []string `json:"nets"`
		AllowedDomains []string `json:"allowedEgressDomains"`
	} `json:"spec"`
}

// DeepCopyObject is what decoding demands of a type; the copy shares what nobody writes.
func (p *CalicoNetworkSet) DeepCopyObject() runtime.Object { c := *p; return &c }

type calicoSpec struct {
	Tier                   string        `json:"tier"`
	Order                  *calicoNumber `json:"order"`
	Selector               string        `json:"selector"`
	NamespaceSelector      *string       `json:"namespaceSelector"`
	ServiceAccountSelector string        `json:"serviceAccountSelector"`
	Types                  []string      `json:"types"`
	Ingress                []calicoRule  `json:"ingress"`
	Egress                 []calicoRule  `json:"egress"`
	DoNotTrack             bool          `json:"doNotTrack"`
	PreDNAT                bool          `json:"preDNAT"`
	ApplyOnForward         bool          `json:"applyOnForward"`
	PerformanceHints       []string      `json:"performanceHints"`
}

type calicoRule struct {
	Action      string              `json:"action"`
	Protocol    *intstr.IntOrString `json:"protocol"`
	NotProtocol *intstr.IntOrString `json:"notProtocol"`
	IPVersion   *int32              `json:"ipVersion"`
	ICMP        map[string]any      `json:"icmp"`
	NotICMP     map[string]any      `json:"notICMP"`
	HTTP        map[string]any      `json:"http"`
	Source      calicoEnd           `json:"source"`
	Destination calicoEnd           `json:"destination"`
	Metadata    map[string]any      `json:"metadata"`
}

type calicoEnd struct {
	Nets              []string             `json:"nets"`
	NotNets           []string             `json:"notNets"`
	Selector          string               `json:"selector"`
	NotSelector       string               `json:"notSelector"`
	NamespaceSelector string               `json:"namespaceSelector"`
	Ports             []intstr.IntOrString `json:"ports"`
	NotPorts          []intstr.IntOrString `json:"notPorts"`
	ServiceAccounts   map[string]any       `json:"serviceAccounts"`
	Services          map[string]any       `json:"services"`
	Domains           []string             `json:"domains"`
}

// calicoNumber is an order.
type calicoNumber float64

// UnmarshalJSON reads a number.
func (n *calicoNumber) UnmarshalJSON(data []byte) error {
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("found %s, want a number", data)
	}
	*n = calicoNumber(f)
	return nil
}

func (n *calicoNumber) order() float64 {
	if n == nil {
		return math.Inf(1)
	}
	return float64(*n)
}

// calicoPolicy reads a policy (K8S-CAL-02).
func (im *importer) calicoPolicy(o *object, p *CalicoPolicy) {
	out := &model.CalicoPolicy{Meta: o.meta(), Cluster: im.options.Cluster, Kind: o.kind, Namespace: o.namespace, Tier: p.Spec.Tier, Order: p.Spec.Order.order()}
	if out.Tier == "" {
		out.Tier = "default"
	}
	affects := im.affectedBy(o, o.namespace)
	out.Selector = im.calicoSelector(o, "spec.selector", p.Spec.Selector, false, affects)
	if n := p.Spec.NamespaceSelector; n != nil && *n != "" {
		if o.namespace != "" {
			im.bad(o, "spec.namespaceSelector", *n, "no namespaceSelector in the policy of a namespace")
		}
		out.Namespaces = im.calicoSelector(o, "spec.namespaceSelector", *n, true, affects)
	}
	switch {
	case p.Spec.ServiceAccountSelector != "":
		im.cannot(o, "spec.serviceAccountSelector", "service accounts are not followed: whom the policy is about is not known", affects...)
	case p.Spec.DoNotTrack, p.Spec.PreDNAT:
		im.cannot(o, "spec", "a policy before connection tracking: it is about nodes and what they forward", affects...)
	case p.Spec.ApplyOnForward:
		im.note(o, "spec.applyOnForward", "what the policy does to packets that nodes forward for host endpoints is not followed; pods it treats as written")
	}
	for d, list := range [2][]calicoRule{p.Spec.Ingress, p.Spec.Egress} {
		word := []string{"spec.ingress", "spec.egress"}[d]
		for i := range list {
			out.Rules[d] = append(out.Rules[d], im.calicoRule(o, index(word, i), &list[i]))
		}
	}
	for i, t := range p.Spec.Types {
		switch t {
		case "Ingress":
			out.Applies[model.Inbound] = true
		case "Egress":
			out.Applies[model.Outbound] = true
		default:
			im.bad(o, index("spec.types", i), t, "Ingress or Egress")
		}
	}
	if len(p.Spec.Types) == 0 { // K8S-CAL-02
		out.Applies = [2]bool{model.Inbound: len(p.Spec.Ingress) > 0 || len(p.Spec.Egress) == 0, model.Outbound: len(p.Spec.Egress) > 0}
	}
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
}

func (im *importer) calicoRule(o *object, at string, r *calicoRule) model.CalicoRule {
	out := model.CalicoRule{Source: o.source(at)}
	switch r.Action {
	case "Allow":
		out.Action = model.PolicyAllow
	case "Deny":
	case "Pass":
		out.Action = model.PolicyPass
	case "Log":
		out.Action = model.PolicyLog
	default:
		im.bad(o, child(at, "action"), r.Action, "Allow, Deny, Pass or Log")
	}
	out.Protocols = im.calicoProtocol(o, child(at, "protocol"), r.Protocol)
	out.NotProtocols = im.calicoProtocol(o, child(at, "notProtocol"), r.NotProtocol)
	if v := r.IPVersion; v != nil {
		if out.Family = int(*v); *v != 4 && *v != 6 {
			im.bad(o, child(at, "ipVersion"), fmt.Sprint(*v), "4 or 6")
		}
	}
	if len(r.ICMP)+len(r.NotICMP) > 0 {
		out.ICMPType = true
	}
	if len(r.HTTP) > 0 {
		out.Doubt = true
		im.note(o, child(at, "http"), "rules for the application layer: connections may open, and not all requests are answered")
	}
	out.From, out.To = im.calicoEnd(o, child(at, "source"), &r.Source), im.calicoEnd(o, child(at, "destination"), &r.Destination)
	ports := len(out.From.Ports) + len(out.From.NotPorts) + len(out.To.Ports) + len(out.To.NotPorts)
	if ports > 0 && (len(out.Protocols) == 0 || !out.Protocols[0].HasPorts()) {
		im.bad(o, at, "ports", "protocol TCP, UDP or SCTP beside them")
	}
	return out
}

func (im *importer) calicoProtocol(o *object, at string, p *intstr.IntOrString) []model.Protocol {
	if p == nil {
		return nil
	}
	if p.Type == intstr.Int {
		if p.IntVal < 1 || p.IntVal > 255 {
			im.bad(o, at, fmt.Sprint(p.IntVal), "a protocol number from 1 to 255, or a name")
		}
		return []model.Protocol{model.Protocol(p.IntVal)}
	}
	switch strings.ToUpper(p.StrVal) {
	case "TCP":
		return []model.Protocol{model.TCP}
	case "UDP":
		return []model.Protocol{model.UDP}
	case "SCTP":
		return []model.Protocol{model.SCTP}
	case "ICMP":
		return []model.Protocol{model.ICMP}
	case "ICMPV6":
		return []model.Protocol{model.ICMPv6}
	case "UDPLITE":
		return []model.Protocol{136}
	default:
		im.bad(o, at, p.StrVal, "TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite or a number")
		return nil
	}
}

func (im *importer) calicoEnd(o *object, at string, e *calicoEnd) model.CalicoEnd {
	var out model.CalicoEnd
	self := []model.ID{o.id}
	if e.Selector != "" {
		out.Selector = im.calicoSelector(o, child(at, "selector"), e.Selector, false, self)
	}
	if e.NotSelector != "" {
		out.NotSelector = im.calicoSelector(o, child(at, "notSelector"), e.NotSelector, false, self)
	}
	if e.NamespaceSelector != "" {
		out.Namespaces = im.calicoSelector(o, child(at, "namespaceSelector"), e.NamespaceSelector, true, self)
	}
	out.Nets = im.calicoNets(o, child(at, "nets"), e.Nets)
	out.NotNets = im.calicoNets(o, child(at, "notNets"), e.NotNets)
	out.Ports = im.calicoPorts(o, child(at, "ports"), e.Ports)
	out.NotPorts = im.calicoPorts(o, child(at, "notPorts"), e.NotPorts)
	for _, u := range []struct {
		name  string
		there bool
	}{{"serviceAccounts", len(e.ServiceAccounts) > 0}, {"services", len(e.Services) > 0}, {"domains", len(e.Domains) > 0}} {
		if u.there {
			im.cannot(o, child(at, u.name), "a kind of peers that is not followed: whom the rule is about is not known", o.id)
		}
	}
	return out
}

func (im *importer) calicoNets(o *object, at string, list []string) []netip.Prefix {
	var out []netip.Prefix
	for i, text := range list {
		if p, ok := im.ciliumBlock(o, index(at, i), text); ok {
			out = append(out, p)
		}
	}
	return out
}

// calicoPorts reads ports: a number, a range as in '80:90', a name.
func (im *importer) calicoPorts(o *object, at string, list []intstr.IntOrString) []model.PolicyPort {
	var out []model.PolicyPort
	for i, p := range list {
		here := index(at, i)
		x := model.PolicyPort{Source: o.source(here), Protocol: model.AnyProtocol}
		if p.Type == intstr.Int {
			n := im.portNumber(o, here, p.IntVal)
			x.Ports = model.PortRange{First: n, Last: n}
			out = append(out, x)
			continue
		}
		first, last, isRange := strings.Cut(p.StrVal, ":")
		a, errA := strconv.ParseUint(first, 10, 16)
		b, errB := strconv.ParseUint(last, 10, 16)
		switch {
		case !isRange && errA == nil:
			x.Ports = model.PortRange{First: uint16(a), Last: uint16(a)}
		case !isRange:
			x.Named = p.StrVal
			im.portName(o, here, p.StrVal)
		case errA != nil || errB != nil || b < a:
			im.bad(o, here, p.StrVal, "a port, a range as in 80:90, or a name")
		default:
			x.Ports = model.PortRange{First: uint16(a), Last: uint16(b)}
		}
		out = append(out, x)
	}
	return out
}

func (im *importer) calicoTier(o *object, t *CalicoTier) {
	out := &model.CalicoTier{Meta: o.meta(), Cluster: im.options.Cluster, Order: t.Spec.Order.order()}
	switch t.Spec.DefaultAction {
	case "", "Deny":
	case "Pass":
		out.Pass = true
	default:
		im.bad(o, "spec.defaultAction", t.Spec.DefaultAction, "Deny or Pass")
	}
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
}

func (im *importer) calicoNetworkSet(o *object, s *CalicoNetworkSet) {
	out := &model.CalicoNetworkSet{Meta: o.meta(), Cluster: im.options.Cluster, Namespace: o.namespace, Labels: s.Labels, Names: len(s.Spec.AllowedDomains) > 0}
	out.Nets = im.calicoNets(o, "spec.nets", s.Spec.Nets)
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
}
