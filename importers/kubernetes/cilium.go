package kubernetes

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/ringfence/ringfence/model"
)

const ciliumGroup = "cilium.io"

// addCilium registers the kinds of cilium.io/v2 that are modelled. Cilium's own types bring its agent along, so these are ours: the members
// that decide about packets, and by name those that may.
func addCilium(s *runtime.Scheme) error {
	gv := schema.GroupVersion{Group: ciliumGroup, Version: "v2"}
	s.AddKnownTypes(gv, &CiliumNetworkPolicy{}, &CiliumClusterwideNetworkPolicy{})
	return nil
}

// CiliumNetworkPolicy is the object of a namespace. It is exported because decoding demands it.
type CiliumNetworkPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec  *ciliumRule  `json:"spec"`
	Specs []ciliumRule `json:"specs"`
}

// DeepCopyObject is what decoding demands of a type; the copy shares what nobody writes.
func (p *CiliumNetworkPolicy) DeepCopyObject() runtime.Object { c := *p; return &c }

// CiliumClusterwideNetworkPolicy is the object of the cluster.
type CiliumClusterwideNetworkPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec  *ciliumRule  `json:"spec"`
	Specs []ciliumRule `json:"specs"`
}

// DeepCopyObject is what decoding demands of a type; the copy shares what nobody writes.
func (p *CiliumClusterwideNetworkPolicy) DeepCopyObject() runtime.Object { c := *p; return &c }

type ciliumRule struct {
	Description       string                 `json:"description"`
	Labels            []any                  `json:"labels"`
	EndpointSelector  *metav1.LabelSelector  `json:"endpointSelector"`
	NodeSelector      *metav1.LabelSelector  `json:"nodeSelector"`
	EnableDefaultDeny map[string]bool        `json:"enableDefaultDeny"`
	Ingress           []ciliumTraffic        `json:"ingress"`
	IngressDeny       []ciliumTraffic        `json:"ingressDeny"`
	Egress            []ciliumTraffic        `json:"egress"`
	EgressDeny        []ciliumTraffic        `json:"egressDeny"`
	Log               map[string]interface{} `json:"log"`
}

// ciliumTraffic has the members of both directions.
type ciliumTraffic struct {
	FromEndpoints []metav1.LabelSelector `json:"fromEndpoints"`
	FromCIDR      []string               `json:"fromCIDR"`
	FromCIDRSet   []ciliumCIDR           `json:"fromCIDRSet"`
	FromEntities  []string               `json:"fromEntities"`
	FromRequires  []any                  `json:"fromRequires"`
	FromGroups    []any                  `json:"fromGroups"`
	FromNodes     []any                  `json:"fromNodes"`

	ToEndpoints []metav1.LabelSelector `json:"toEndpoints"`
	ToCIDR      []string               `json:"toCIDR"`
	ToCIDRSet   []ciliumCIDR           `json:"toCIDRSet"`
	ToEntities  []string               `json:"toEntities"`
	ToFQDNs     []ciliumName           `json:"toFQDNs"`
	ToRequires  []any                  `json:"toRequires"`
	ToServices  []any                  `json:"toServices"`
	ToGroups    []any                  `json:"toGroups"`
	ToNodes     []any                  `json:"toNodes"`

	ToPorts        []ciliumPorts          `json:"toPorts"`
	ICMPs          []ciliumICMPs          `json:"icmps"`
	Authentication map[string]interface{} `json:"authentication"`
}

type ciliumCIDR struct {
	CIDR     string                `json:"cidr"`
	Group    string                `json:"cidrGroupRef"`
	Selector *metav1.LabelSelector `json:"cidrGroupSelector"`
	Except   []string              `json:"except"`
}

type ciliumName struct {
	Name    string `json:"matchName"`
	Pattern string `json:"matchPattern"`
}

type ciliumPorts struct {
	Ports          []ciliumPort           `json:"ports"`
	Rules          map[string]interface{} `json:"rules"`
	TerminatingTLS map[string]interface{} `json:"terminatingTLS"`
	OriginatingTLS map[string]interface{} `json:"originatingTLS"`
	ServerNames    []string               `json:"serverNames"`
	Listener       map[string]interface{} `json:"listener"`
}

type ciliumPort struct {
	Port     string `json:"port"`
	EndPort  int32  `json:"endPort"`
	Protocol string `json:"protocol"`
}

type ciliumICMPs struct {
	Fields []ciliumICMP `json:"fields"`
}

type ciliumICMP struct {
	Family string          `json:"family"`
	Type   intOrStringText `json:"type"`
}

// intOrStringText is a number or a word, as text.
type intOrStringText string

// UnmarshalJSON reads either form.
func (t *intOrStringText) UnmarshalJSON(data []byte) error {
	text := strings.TrimSpace(string(data))
	if s, err := strconv.Unquote(text); err == nil {
		*t = intOrStringText(s)
		return nil
	}
	if _, err := strconv.ParseUint(text, 10, 8); err != nil && text != "null" {
		return fmt.Errorf("found %s", text)
	}
	*t = intOrStringText(text)
	return nil
}

func (im *importer) ciliumNetworkPolicy(o *object, p *CiliumNetworkPolicy) {
	im.cilium(o, o.namespace, p.Spec, p.Specs)
}

func (im *importer) ciliumClusterwideNetworkPolicy(o *object, p *CiliumClusterwideNetworkPolicy) {
	im.cilium(o, "", p.Spec, p.Specs)
}

// cilium reads the rules of a policy, one or several.
func (im *importer) cilium(o *object, namespace string, spec *ciliumRule, specs []ciliumRule) {
	out := &model.CiliumPolicy{Meta: o.meta(), Cluster: im.options.Cluster, Kind: o.kind, Namespace: namespace}
	if spec == nil && len(specs) == 0 {
		im.bad(o, "spec", "", "spec or specs")
	}
	host := false
	add := func(at string, r *ciliumRule) {
		if r.NodeSelector != nil { // K8S-CIL-08
			host = true
			if r.EndpointSelector != nil {
				im.bad(o, at, "endpointSelector and nodeSelector", "one or the other")
			}
			return
		}
		out.Rules = append(out.Rules, im.ciliumRule(o, at, namespace, r))
	}
	if spec != nil {
		add("spec", spec)
	}
	for i := range specs {
		add(index("specs", i), &specs[i])
	}
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
	if host {
		im.cannot(o, "spec.nodeSelector", "a policy for nodes: what it lets nodes open and accept is not known (K8S-CIL-08)", im.cluster()...)
	}
}

func (im *importer) ciliumRule(o *object, at, namespace string, r *ciliumRule) model.CiliumRule {
	out := model.CiliumRule{Source: o.source(at)}
	if r.EndpointSelector == nil {
		im.bad(o, child(at, "endpointSelector"), "", "a selector; {} selects every pod")
	} else {
		out.Subject = im.ciliumSubject(o, child(at, "endpointSelector"), namespace, r.EndpointSelector)
	}
	sections := 0
	for _, d := range []model.Direction{model.Inbound, model.Outbound} {
		word, allow, deny := "ingress", r.Ingress, r.IngressDeny
		if d == model.Outbound {
			word, allow, deny = "egress", r.Egress, r.EgressDeny
		}
		for i := range allow {
			out.Allow[d] = append(out.Allow[d], im.ciliumTraffic(o, index(child(at, word), i), namespace, d, model.Allow, &allow[i]))
		}
		for i := range deny {
			out.Deny[d] = append(out.Deny[d], im.ciliumTraffic(o, index(child(at, word+"Deny"), i), namespace, d, model.Deny, &deny[i]))
		}
		// K8S-CIL-02: a section switches default deny on; of an empty one versions of Cilium say different things.
		present := !o.absent(child(at, word)) || !o.absent(child(at, word+"Deny"))
		stated, isStated := r.EnableDefaultDeny[word]
		switch {
		case isStated && stated, !isStated && len(allow)+len(deny) > 0:
			out.Isolates[d] = model.On
		case isStated, !present:
			out.Isolates[d] = model.Off
		}
		if present {
			sections++
		}
	}
	if sections == 0 {
		im.bad(o, at, "", "at least one of ingress, ingressDeny, egress, egressDeny")
	}
	for _, word := range slices.Sorted(maps.Keys(r.EnableDefaultDeny)) {
		if word != "ingress" && word != "egress" {
			im.bad(o, child(child(at, "enableDefaultDeny"), word), word, "ingress or egress")
		}
	}
	return out
}

// affectedBy is what a policy whose subject is not understood may change.
func (im *importer) affectedBy(o *object, namespace string) []model.ID {
	if namespace == "" {
		return im.cluster()
	}
	return []model.ID{im.id("Namespace", "", namespace)}
}

// Labels that Cilium derives: of the namespace, its name, and those that this importer does not follow (K8S-CIL-03).
const (
	ciliumNamespace       = "io.kubernetes.pod.namespace"
	ciliumNamespaceLabels = "io.cilium.k8s.namespace.labels."
	ciliumDerived         = "io.cilium.k8s."
)

// ciliumSelector takes a selector of Cilium apart: a key may name its source, and those of namespaces have keys of their own (K8S-CIL-03).
// affects is what an unread selector leaves open.
func (im *importer) ciliumSelector(o *object, at, namespace string, s *metav1.LabelSelector, affects []model.ID) model.CiliumSelector {
	pods, namespaces := &metav1.LabelSelector{}, &metav1.LabelSelector{}
	ofNamespace, byName := false, false
	place := func(here, key string) (*metav1.LabelSelector, string) {
		source, name, ok := strings.Cut(key, ":")
		if !ok {
			source, name = "any", key
		}
		label, isLabel := strings.CutPrefix(name, ciliumNamespaceLabels)
		switch {
		case source != "k8s" && source != "any":
			im.cannot(o, here, "a label that is not one of Kubernetes: whom the policy selects is not known", affects...)
			return nil, ""
		case name == ciliumNamespace:
			ofNamespace, byName = true, true
			return namespaces, "kubernetes.io/metadata.name"
		case isLabel:
			ofNamespace = true
			return namespaces, label
		case strings.HasPrefix(name, ciliumDerived):
			im.cannot(o, here, "a label that Cilium derives from more than pods and namespaces: whom the policy selects is not known", affects...)
			return nil, ""
		}
		return pods, name
	}
	for _, key := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		if to, name := place(child(child(at, "matchLabels"), key), key); to != nil {
			if to.MatchLabels == nil {
				to.MatchLabels = map[string]string{}
			}
			to.MatchLabels[name] = s.MatchLabels[key]
		}
	}
	for i, e := range s.MatchExpressions {
		if to, name := place(child(index(child(at, "matchExpressions"), i), "key"), e.Key); to != nil {
			e.Key = name
			to.MatchExpressions = append(to.MatchExpressions, e)
		}
	}
	out := model.CiliumSelector{Pods: *im.selector(o, at, pods)}
	if ofNamespace {
		out.Namespaces = im.selector(o, at, namespaces)
		// Cilium adds that there be a namespace where no key names it, in a policy of a namespace where none is about it.
		out.Others = (byName || namespace != "") && holdsWithoutLabels(pods) && holdsWithoutLabels(namespaces)
	}
	return out
}

// holdsWithoutLabels reports whether a selector takes what has no labels (K8S-NP-02).
func holdsWithoutLabels(s *metav1.LabelSelector) bool {
	return len(s.MatchLabels) == 0 && !slices.ContainsFunc(s.MatchExpressions, func(e metav1.LabelSelectorRequirement) bool {
		return e.Operator == metav1.LabelSelectorOpIn || e.Operator == metav1.LabelSelectorOpExists
	})
}

// ciliumSubject is the selector of a policy's own pods. One of a namespace is about pods of its own alone: Cilium overwrites the name of another.
func (im *importer) ciliumSubject(o *object, at, namespace string, s *metav1.LabelSelector) model.CiliumSelector {
	affects := im.affectedBy(o, namespace)
	if namespace != "" {
		for _, key := range slices.Sorted(maps.Keys(s.MatchLabels)) {
			if name := strings.TrimPrefix(strings.TrimPrefix(key, "k8s:"), "any:"); name == ciliumNamespace && s.MatchLabels[key] != namespace {
				im.cannot(o, child(child(at, "matchLabels"), key), "another namespace than the policy's: whom the policy selects is not known (K8S-CIL-03)", affects...)
			}
		}
	}
	out := im.ciliumSelector(o, at, namespace, s, affects)
	out.Others = false
	return out
}

// ciliumTraffic reads one rule. More than one kind of peers is refused by Cilium (K8S-CIL-04).
func (im *importer) ciliumTraffic(o *object, at, namespace string, d model.Direction, access model.Access, t *ciliumTraffic) model.CiliumTraffic {
	out := model.CiliumTraffic{Source: o.source(at)}
	side, other := "from", "to"
	endpoints, cidrs, sets, entities := t.FromEndpoints, t.FromCIDR, t.FromCIDRSet, t.FromEntities
	if d == model.Outbound {
		side, other = "to", "from"
		endpoints, cidrs, sets, entities = t.ToEndpoints, t.ToCIDR, t.ToCIDRSet, t.ToEntities
	}
	for _, name := range []string{"Endpoints", "CIDR", "CIDRSet", "Entities", "Requires", "Groups", "Nodes", "FQDNs", "Services"} {
		if here := child(at, other+name); !o.absent(here) {
			im.bad(o, here, other+name, "peers of this direction: "+side+"…")
		}
	}
	kinds, empty := []string{}, false
	kind := func(name string, there bool, peers int) bool {
		empty = empty || there && peers == 0
		if peers > 0 {
			kinds = append(kinds, name)
		}
		return peers > 0
	}
	if kind(side+"Endpoints", endpoints != nil, len(endpoints)) {
		for i := range endpoints {
			here := index(child(at, side+"Endpoints"), i)
			s := im.ciliumSelector(o, here, namespace, &endpoints[i], []model.ID{o.id})
			out.Peers = append(out.Peers, model.CiliumPeer{Source: o.source(here), Endpoints: &s})
		}
	}
	if kind(side+"CIDR", cidrs != nil, len(cidrs)) {
		for i, text := range cidrs {
			here := index(child(at, side+"CIDR"), i)
			if b, ok := im.ciliumBlock(o, here, text); ok {
				out.Peers = append(out.Peers, model.CiliumPeer{Source: o.source(here), Block: &model.IPBlock{CIDR: b}})
			}
		}
	}
	if kind(side+"CIDRSet", sets != nil, len(sets)) {
		for i, s := range sets {
			here := index(child(at, side+"CIDRSet"), i)
			if s.CIDR != "" && (s.Group != "" || s.Selector != nil) {
				im.bad(o, here, "cidr beside a group", "one of cidr, cidrGroupRef and cidrGroupSelector")
				continue
			}
			if s.CIDR == "" && (s.Group != "" || s.Selector != nil) {
				im.cannot(o, here, "a CiliumCIDRGroup: which addresses it holds is not known", o.id)
				continue
			}
			b, ok := im.ciliumBlock(o, child(here, "cidr"), s.CIDR)
			block := &model.IPBlock{CIDR: b}
			for j, text := range s.Except {
				hole, valid := im.ciliumBlock(o, index(child(here, "except"), j), text)
				if valid && ok && (!b.Contains(hole.Addr()) || hole.Bits() < b.Bits()) {
					im.bad(o, index(child(here, "except"), j), text, "a part of "+b.String())
					continue
				}
				if valid {
					block.Except = append(block.Except, hole)
				}
			}
			if ok {
				out.Peers = append(out.Peers, model.CiliumPeer{Source: o.source(here), Block: block})
			}
		}
	}
	if kind(side+"Entities", entities != nil, len(entities)) {
		for i, e := range entities {
			if !slices.Contains(ciliumEntities(), e) {
				im.bad(o, index(child(at, side+"Entities"), i), e, "one of "+strings.Join(ciliumEntities(), ", "))
			}
			out.Peers = append(out.Peers, model.CiliumPeer{Source: o.source(index(child(at, side+"Entities"), i)), Entity: e})
		}
	}
	if kind("toFQDNs", t.ToFQDNs != nil, len(t.ToFQDNs)) {
		for i, n := range t.ToFQDNs {
			if access == model.Deny {
				im.bad(o, child(at, "toFQDNs"), "toFQDNs", "no names in a rule that denies")
			}
			if (n.Name == "") == (n.Pattern == "") {
				im.bad(o, index(child(at, "toFQDNs"), i), "", "exactly one of matchName and matchPattern")
			}
			out.Peers = append(out.Peers, model.CiliumPeer{Source: o.source(index(child(at, "toFQDNs"), i)), Name: strings.ToLower(n.Name + n.Pattern)})
		}
	}
	for _, u := range []struct {
		name string
		list []any
	}{{"Requires", either(t.FromRequires, t.ToRequires)}, {"Groups", either(t.FromGroups, t.ToGroups)}, {"Nodes", either(t.FromNodes, t.ToNodes)}, {"Services", t.ToServices}} {
		if kind(side+u.name, u.list != nil, len(u.list)) {
			im.cannot(o, child(at, side+u.name), "a kind of peers that is not followed: whom the rule is about is not known", o.id)
		}
	}
	if len(kinds) > 1 {
		im.bad(o, at, strings.Join(kinds, " and "), "one kind of peers in a rule")
	}
	im.ciliumPorts(o, at, access, t, &out)
	if len(t.Authentication) > 0 {
		out.Doubt = true
		im.note(o, child(at, "authentication"), "peers must prove their identity: the rule may match less")
	}
	limited := len(t.ToPorts)+len(t.ICMPs) > 0
	switch {
	case len(kinds) > 0:
		out.Doubt = out.Doubt || empty
	case limited: // K8S-CIL-04: beside an empty list of peers everyone, or nobody
		out.AnyPeer, out.Doubt = true, out.Doubt || empty
	case empty: // K8S-CIL-03: nobody
	case access == model.Deny: // K8S-CIL-02: of an empty rule that denies nothing is documented
		out.AnyPeer, out.Doubt = true, true
	}
	return out
}

// either is the list that is there: the other is of the other direction.
func either(a, b []any) []any {
	if a != nil {
		return a
	}
	return b
}

// ciliumEntities are the entities of K8S-CIL-06.
func ciliumEntities() []string {
	return []string{"all", "world", "world-ipv4", "world-ipv6", "cluster", "host", "remote-node", "kube-apiserver", "init", "health", "unmanaged", "ingress", "none"}
}

// ciliumBlock reads a CIDR or an address.
func (im *importer) ciliumBlock(o *object, at, text string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" && !a.Is4In6() {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return im.cidr(o, at, text)
}

// ciliumPorts reads toPorts and icmps, which exclude each other (K8S-CIL-04). What the application layer decides leaves the rule in doubt.
func (im *importer) ciliumPorts(o *object, at string, access model.Access, t *ciliumTraffic, out *model.CiliumTraffic) {
	if len(t.ToPorts) > 0 && len(t.ICMPs) > 0 {
		im.bad(o, at, "toPorts and icmps", "one or the other")
	}
	everything := false // an entry names no ports, or no types: it may mean all of them, and Cilium lets it mean none
	for i, p := range t.ToPorts {
		here := index(child(at, "toPorts"), i)
		if len(p.Rules)+len(p.TerminatingTLS)+len(p.OriginatingTLS)+len(p.ServerNames)+len(p.Listener) > 0 {
			if access == model.Deny {
				im.bad(o, here, "rules for the application layer", "ports alone in a rule that denies")
			}
			out.Doubt = true
			im.note(o, here, "rules for the application layer: connections may open, and not all requests are answered (K8S-CIL-04)")
		}
		everything = everything || len(p.Ports) == 0
		for j, x := range p.Ports {
			ports, doubt := im.ciliumPort(o, index(child(here, "ports"), j), x)
			out.Ports, out.Doubt = append(out.Ports, ports...), out.Doubt || doubt
		}
	}
	for i, m := range t.ICMPs {
		everything = everything || len(m.Fields) == 0
		for j, f := range m.Fields {
			here := index(child(index(child(at, "icmps"), i), "fields"), j)
			x := model.CiliumICMP{Protocol: model.ICMP, Echo: f.Type == "8" || f.Type == "EchoRequest"}
			switch f.Family {
			case "", "IPv4":
			case "IPv6":
				x = model.CiliumICMP{Protocol: model.ICMPv6, Echo: f.Type == "128" || f.Type == "EchoRequest"}
			default:
				im.bad(o, child(here, "family"), f.Family, "IPv4 or IPv6")
			}
			if f.Type == "" || f.Type == "null" {
				im.bad(o, child(here, "type"), "", "a type of ICMP messages, by number or name")
			}
			out.ICMP = append(out.ICMP, x)
		}
	}
	if everything { // K8S-CIL-04
		out.Ports, out.ICMP, out.Doubt = nil, nil, true
	}
}

// ciliumProtocol reads the name of a protocol. Those that have no ports Cilium knows by a setting of its own.
func ciliumProtocol(name string) (list []model.Protocol, extended, known bool) {
	switch strings.ToUpper(name) {
	case "", "ANY":
		return []model.Protocol{model.TCP, model.UDP, model.SCTP}, false, true
	case "TCP":
		return []model.Protocol{model.TCP}, false, true
	case "UDP":
		return []model.Protocol{model.UDP}, false, true
	case "SCTP":
		return []model.Protocol{model.SCTP}, false, true
	case "IGMP":
		return []model.Protocol{2}, true, true
	case "IPIP":
		return []model.Protocol{4}, true, true
	case "IPV6":
		return []model.Protocol{41}, true, true
	case "GRE":
		return []model.Protocol{47}, true, true
	case "ESP":
		return []model.Protocol{model.ESP}, true, true
	case "AH":
		return []model.Protocol{model.AH}, true, true
	case "VRRP":
		return []model.Protocol{112}, true, true
	default:
		return nil, false, false
	}
}

// ciliumPort reads a port by number, range or name. Port 0 is every port; without a protocol it is one of all that have ports. doubt says
// that versions of Cilium read it differently.
func (im *importer) ciliumPort(o *object, at string, p ciliumPort) (ports []model.PolicyPort, doubt bool) {
	protocols, extended, known := ciliumProtocol(p.Protocol)
	if !known {
		im.bad(o, child(at, "protocol"), p.Protocol, "TCP, UDP, SCTP, ANY, or without a port VRRP, IGMP, GRE, IPIP, IPV6, ESP, AH")
	}
	x := model.PolicyPort{Source: o.source(at)}
	n, err := strconv.ParseUint(p.Port, 0, 16) // as Cilium reads it: 010 is octal
	switch {
	case extended && p.Port != "" && (err != nil || n != 0):
		im.bad(o, child(at, "port"), p.Port, "no port, or 0: "+strings.ToUpper(p.Protocol)+" has none")
	case extended, p.Port == "":
		// A version, or a setting, that does not know them refuses the whole policy, of both directions: the entry is about the rule.
		root, path, _ := strings.Cut(at, ".")
		im.cannot(o, root, path+": an entry without a port is known to Cilium by its setting enable-extended-ip-protocols alone: whether the policy acts is not known", o.id)
		x.All, x.Ports = true, model.AllPorts
	case strings.ContainsFunc(p.Port, unicode.IsLetter):
		x.Named = strings.ToLower(p.Port) // as Cilium compares it
		im.portName(o, child(at, "port"), x.Named)
		if p.EndPort != 0 {
			im.note(o, child(at, "endPort"), "Cilium reads no endPort beside a named port (K8S-CIL-04)")
		}
		if len(protocols) > 1 {
			x.Protocol = model.AnyProtocol
			return []model.PolicyPort{x}, false
		}
	case err != nil:
		im.bad(o, child(at, "port"), p.Port, "a port from 0 to 65535, or a port name")
	case n == 0:
		x.All, x.Ports = true, model.PortRange{First: 1, Last: 65535}
		doubt = p.EndPort != 0 && p.EndPort != 65535 // the ports to endPort, or all of them
	default:
		x.Ports = model.PortRange{First: uint16(n), Last: uint16(n)}
		if p.EndPort != 0 {
			x.Ports.Last = im.portNumber(o, child(at, "endPort"), p.EndPort)
			if x.Ports.Last > 0 && x.Ports.Last < x.Ports.First {
				im.bad(o, child(at, "endPort"), fmt.Sprint(p.EndPort), fmt.Sprintf("a port not below port %d", n))
			}
		}
	}
	for _, protocol := range protocols {
		x.Protocol = protocol
		ports = append(ports, x)
	}
	return ports, doubt
}
