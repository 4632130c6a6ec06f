package kubernetes

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/network-policy-api/apis/v1alpha1"
	"sigs.k8s.io/network-policy-api/apis/v1alpha2"

	"github.com/ringfence/ringfence/model"
)

// Limits of cluster-wide policies, by version of the API (K8S-CNP-15).
const (
	maxTierRules    = 25
	maxTierRulesOld = 100
	maxTierNetworks = 25
	maxTierPriority = 1000
)

// tierPeer is a peer in any of the three kinds.
type tierPeer struct {
	namespaces *metav1.LabelSelector
	pods       *tierPods
	nodes      *metav1.LabelSelector
	networks   []string
	names      []string
}

// tierPods is a pair of selectors of namespaces and pods, both required.
type tierPods struct{ namespaces, pods metav1.LabelSelector }

// tierRule is a rule in any of the three kinds.
type tierRule struct {
	name, action string
	peers        []tierPeer
	ports        func(at string) []model.PolicyPort
}

// tierKind says what one of the three kinds accepts.
type tierKind struct {
	limit   int
	accepts string // the action that allows
	passes  bool   // Pass is an action
}

// clusterNetworkPolicy reads a v1alpha2 ClusterNetworkPolicy (K8S-CNP-01).
func (im *importer) clusterNetworkPolicy(o *object, p *v1alpha2.ClusterNetworkPolicy) {
	out := &model.ClusterPolicy{Meta: o.meta(), Cluster: im.options.Cluster, Kind: o.kind, Priority: im.tierPriority(o, p.Spec.Priority)}
	switch p.Spec.Tier {
	case v1alpha2.AdminTier:
	case v1alpha2.BaselineTier:
		out.Tier = model.BaselineTier
	default:
		im.bad(o, "spec.tier", string(p.Spec.Tier), "Admin or Baseline")
	}
	out.Subject = im.tierSubject(o, p.Spec.Subject.Namespaces, newTierPods(p.Spec.Subject.Pods))
	k := tierKind{maxTierRules, string(v1alpha2.ClusterNetworkPolicyRuleActionAccept), true}
	var in, eg []tierRule
	for _, r := range p.Spec.Ingress {
		t := tierRule{name: r.Name, action: string(r.Action), ports: im.tierProtocols(o, r.Protocols)}
		for _, x := range r.From {
			t.peers = append(t.peers, tierPeer{namespaces: x.Namespaces, pods: newTierPods(x.Pods)})
		}
		in = append(in, t)
	}
	for _, r := range p.Spec.Egress {
		t := tierRule{name: r.Name, action: string(r.Action), ports: im.tierProtocols(o, r.Protocols)}
		for _, x := range r.To {
			t.peers = append(t.peers, tierPeer{x.Namespaces, newTierPods(x.Pods), x.Nodes, texts(x.Networks), texts(x.DomainNames)})
		}
		eg = append(eg, t)
	}
	im.finishTier(o, out, k, in, eg)
}

// adminNetworkPolicy reads a v1alpha1 AdminNetworkPolicy: the tier Admin (K8S-CNP-01).
func (im *importer) adminNetworkPolicy(o *object, p *v1alpha1.AdminNetworkPolicy) {
	out := &model.ClusterPolicy{Meta: o.meta(), Cluster: im.options.Cluster, Kind: o.kind, Priority: im.tierPriority(o, p.Spec.Priority)}
	out.Subject = im.tierSubject(o, p.Spec.Subject.Namespaces, oldTierPods(p.Spec.Subject.Pods))
	k := tierKind{maxTierRulesOld, string(v1alpha1.AdminNetworkPolicyRuleActionAllow), true}
	var in, eg []tierRule
	for _, r := range p.Spec.Ingress {
		in = append(in, tierRule{r.Name, string(r.Action), oldTierPeers(r.From), im.tierPorts(o, r.Ports)})
	}
	for _, r := range p.Spec.Egress {
		t := tierRule{name: r.Name, action: string(r.Action), ports: im.tierPorts(o, r.Ports)}
		for _, x := range r.To {
			t.peers = append(t.peers, tierPeer{x.Namespaces, oldTierPods(x.Pods), x.Nodes, texts(x.Networks), texts(x.DomainNames)})
		}
		eg = append(eg, t)
	}
	im.finishTier(o, out, k, in, eg)
}

// baselineAdminNetworkPolicy reads the v1alpha1 BaselineAdminNetworkPolicy, of which there is one: the tier Baseline (K8S-CNP-01).
func (im *importer) baselineAdminNetworkPolicy(o *object, p *v1alpha1.BaselineAdminNetworkPolicy) {
	if p.Name != "default" {
		im.bad(o, "metadata.name", p.Name, "default, the name of the only one")
	}
	out := &model.ClusterPolicy{Meta: o.meta(), Cluster: im.options.Cluster, Kind: o.kind, Tier: model.BaselineTier}
	out.Subject = im.tierSubject(o, p.Spec.Subject.Namespaces, oldTierPods(p.Spec.Subject.Pods))
	k := tierKind{maxTierRulesOld, string(v1alpha1.BaselineAdminNetworkPolicyRuleActionAllow), false}
	var in, eg []tierRule
	for _, r := range p.Spec.Ingress {
		in = append(in, tierRule{r.Name, string(r.Action), oldTierPeers(r.From), im.tierPorts(o, r.Ports)})
	}
	for _, r := range p.Spec.Egress {
		t := tierRule{name: r.Name, action: string(r.Action), ports: im.tierPorts(o, r.Ports)}
		for _, x := range r.To {
			t.peers = append(t.peers, tierPeer{namespaces: x.Namespaces, pods: oldTierPods(x.Pods), nodes: x.Nodes, networks: texts(x.Networks)})
		}
		eg = append(eg, t)
	}
	im.finishTier(o, out, k, in, eg)
}

func newTierPods(p *v1alpha2.NamespacedPod) *tierPods {
	if p == nil {
		return nil
	}
	return &tierPods{p.NamespaceSelector, p.PodSelector}
}

func oldTierPods(p *v1alpha1.NamespacedPod) *tierPods {
	if p == nil {
		return nil
	}
	return &tierPods{p.NamespaceSelector, p.PodSelector}
}

func oldTierPeers(list []v1alpha1.AdminNetworkPolicyIngressPeer) []tierPeer {
	var out []tierPeer
	for _, x := range list {
		out = append(out, tierPeer{namespaces: x.Namespaces, pods: oldTierPods(x.Pods)})
	}
	return out
}

// texts keeps the difference between no list and an empty one.
func texts[T ~string](list []T) []string {
	if list == nil {
		return nil
	}
	out := make([]string, 0, len(list))
	for _, x := range list {
		out = append(out, string(x))
	}
	return out
}

// finishTier reads the rules of both directions and enters the policy.
func (im *importer) finishTier(o *object, out *model.ClusterPolicy, k tierKind, in, eg []tierRule) {
	out.Ingress = im.tierRules(o, "spec.ingress", "from", k, in)
	out.Egress = im.tierRules(o, "spec.egress", "to", k, eg)
	im.tiers = append(im.tiers, out)
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
}

// tierPriority is lower first, within a tier (K8S-CNP-05).
func (im *importer) tierPriority(o *object, n int32) int {
	if n < 0 || n > maxTierPriority || o.absent("spec.priority") {
		im.bad(o, "spec.priority", o.text("spec.priority", ""), fmt.Sprintf("a number from 0 to %d", maxTierPriority))
	}
	return int(n)
}

// tierSubject is exactly one of namespaces and pods (K8S-CNP-07).
func (im *importer) tierSubject(o *object, namespaces *metav1.LabelSelector, pods *tierPods) model.PolicySubject {
	const at = "spec.subject"
	switch {
	case namespaces != nil && pods != nil:
		im.bad(o, at, "namespaces and pods", "one or the other")
	case namespaces != nil:
		return model.PolicySubject{Namespaces: *im.selector(o, at+".namespaces", namespaces)}
	case pods != nil:
		ns, p := im.tierPods(o, at+".pods", pods)
		return model.PolicySubject{Namespaces: *ns, Pods: p}
	default:
		im.bad(o, at, "", "namespaces or pods")
	}
	return model.PolicySubject{}
}

// tierPods reads the two selectors. The API server demands the one of pods; the other may be left out for every namespace.
func (im *importer) tierPods(o *object, at string, p *tierPods) (namespaces, pods *model.LabelSelector) {
	if o.absent(child(at, "podSelector")) {
		im.bad(o, child(at, "podSelector"), "", "a selector; {} selects every pod")
	}
	return im.selector(o, child(at, "namespaceSelector"), &p.namespaces), im.selector(o, child(at, "podSelector"), &p.pods)
}

func (im *importer) tierRules(o *object, at, side string, k tierKind, rules []tierRule) []model.ClusterPolicyRule {
	if len(rules) > k.limit {
		im.bad(o, at, fmt.Sprint(len(rules), " rules"), fmt.Sprintf("at most %d", k.limit))
	}
	var out []model.ClusterPolicyRule
	for i, r := range rules {
		here := index(at, i)
		rule := model.ClusterPolicyRule{Source: o.source(here), Name: r.name}
		accepted := k.accepts + " or Deny"
		if k.passes {
			accepted = k.accepts + ", Deny or Pass"
		}
		switch {
		case r.action == k.accepts:
			rule.Action = model.PolicyAllow
		case r.action == "Deny":
		case r.action == "Pass" && k.passes:
			rule.Action = model.PolicyPass
		default:
			im.bad(o, child(here, "action"), r.action, accepted)
		}
		if n := len(r.peers); n == 0 || n > k.limit {
			im.bad(o, child(here, side), fmt.Sprint(n, " peers"), fmt.Sprintf("1 to %d", k.limit))
		}
		rule.Ports = r.ports(here)
		named := false
		for _, p := range rule.Ports {
			named = named || p.Named != ""
		}
		for j, p := range r.peers {
			peer := index(child(here, side), j)
			x := im.tierPeer(o, peer, p)
			switch {
			case len(x.Names) > 0 && rule.Action != model.PolicyAllow: // K8S-CNP-09
				im.bad(o, child(peer, "domainNames"), "domainNames", "domain names in rules with action "+k.accepts+" only")
			case named && (x.Nodes != nil || len(x.Networks) > 0 || len(x.Names) > 0): // K8S-CNP-13
				im.bad(o, here, "a named port", "port numbers for nodes, networks and domain names, which have no named ports")
			}
			rule.Peers = append(rule.Peers, x)
		}
		out = append(out, rule)
	}
	return out
}

// tierPeer reads a peer: exactly one field. One without any is of a newer version of the API (K8S-CNP-14).
func (im *importer) tierPeer(o *object, at string, p tierPeer) model.ClusterPolicyPeer {
	out := model.ClusterPolicyPeer{Source: o.source(at)}
	var set []string
	if p.namespaces != nil {
		set = append(set, "namespaces")
		out.Namespaces = im.selector(o, child(at, "namespaces"), p.namespaces)
	}
	if p.pods != nil {
		set = append(set, "pods")
		out.Namespaces, out.Pods = im.tierPods(o, child(at, "pods"), p.pods)
	}
	if p.nodes != nil {
		set = append(set, "nodes")
		out.Nodes = im.selector(o, child(at, "nodes"), p.nodes)
	}
	if p.networks != nil {
		set = append(set, "networks")
		out.Networks = im.tierNetworks(o, child(at, "networks"), p.networks)
	}
	if p.names != nil {
		set = append(set, "domainNames")
		out.Names = im.tierNames(o, child(at, "domainNames"), p.names)
	}
	switch {
	case len(set) > 1:
		im.bad(o, at, strings.Join(set, " and "), "exactly one of them")
	case len(set) == 0 && im.unread(o, at) == "":
		im.note(o, at, "a peer without a known field: an allowing rule matches nothing, any other denies everything (K8S-CNP-14)")
	}
	return out
}

func (im *importer) tierNetworks(o *object, at string, list []string) []netip.Prefix {
	var out []netip.Prefix
	if n := len(list); n == 0 || n > maxTierNetworks {
		im.bad(o, at, fmt.Sprint(n, " networks"), fmt.Sprintf("1 to %d", maxTierNetworks))
	}
	for i, text := range list {
		if p, ok := im.cidr(o, index(at, i), text); ok {
			out = append(out, p)
		}
	}
	return out
}

// validDomain is the pattern of the API: labels of letters, digits, `-` and `_`, at least two, possibly behind `*.`.
func validDomain(s string) bool {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "*."), ".")
	labels := strings.Split(s, ".")
	alphanumeric := func(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
	for _, l := range labels {
		if l == "" || !alphanumeric(l[0]) || !alphanumeric(l[len(l)-1]) {
			return false
		}
		for i := range len(l) {
			if !alphanumeric(l[i]) && l[i] != '-' && l[i] != '_' {
				return false
			}
		}
	}
	return len(labels) > 1
}

// tierNames reads domain names: exact, or `*.` and a suffix (K8S-CNP-12).
func (im *importer) tierNames(o *object, at string, list []string) []string {
	if n := len(list); n == 0 || n > maxTierNetworks {
		im.bad(o, at, fmt.Sprint(n, " names"), fmt.Sprintf("1 to %d", maxTierNetworks))
	}
	var out []string
	for i, text := range list {
		if !validDomain(text) {
			im.bad(o, index(at, i), text, "a domain name, possibly with `*.` in front")
			continue
		}
		out = append(out, strings.ToLower(strings.TrimSuffix(text, ".")))
	}
	return out
}

// tierProtocols reads the protocols of a v1alpha2 rule; none is everything (K8S-CNP-13).
func (im *importer) tierProtocols(o *object, list []v1alpha2.ClusterNetworkPolicyProtocol) func(at string) []model.PolicyPort {
	return func(at string) []model.PolicyPort {
		at = child(at, "protocols")
		if list != nil && (len(list) == 0 || len(list) > maxTierRules) {
			im.bad(o, at, fmt.Sprint(len(list), " entries"), fmt.Sprintf("1 to %d, or no list at all", maxTierRules))
		}
		var out []model.PolicyPort
		for i, p := range list {
			here := index(at, i)
			x := model.PolicyPort{Source: o.source(here)}
			n := 0
			one := func(name string, protocol model.Protocol, port *v1alpha2.Port) {
				n++
				x.Protocol = protocol
				x.All, x.Ports = im.tierPort(o, child(child(here, name), "destinationPort"), port)
			}
			if p.TCP != nil {
				one("tcp", model.TCP, p.TCP.DestinationPort)
			}
			if p.UDP != nil {
				one("udp", model.UDP, p.UDP.DestinationPort)
			}
			if p.SCTP != nil {
				one("sctp", model.SCTP, p.SCTP.DestinationPort)
			}
			if p.DestinationNamedPort != "" {
				n++
				x.Protocol, x.Named = model.AnyProtocol, p.DestinationNamedPort
				im.portName(o, child(here, "destinationNamedPort"), x.Named)
			}
			if n != 1 {
				im.bad(o, here, fmt.Sprint(n, " of them"), "exactly one of tcp, udp, sctp, destinationNamedPort")
			}
			out = append(out, x)
		}
		return out
	}
}

// tierPort reads a destination port of v1alpha2: a number or a range that grows; none is every port.
func (im *importer) tierPort(o *object, at string, p *v1alpha2.Port) (all bool, ports model.PortRange) {
	switch {
	case p == nil:
		return true, model.PortRange{First: 1, Last: 65535} // K8S-GEN-02
	case p.Range != nil && p.Number != 0, p.Range == nil && p.Number == 0 && o.absent(child(at, "number")):
		im.bad(o, at, "", "exactly one of number and range")
	case p.Range != nil:
		return false, im.tierRange(o, child(at, "range"), p.Range.Start, p.Range.End)
	default:
		n := im.portNumber(o, child(at, "number"), p.Number)
		return false, model.PortRange{First: n, Last: n}
	}
	return false, model.PortRange{}
}

func (im *importer) tierRange(o *object, at string, start, end int32) model.PortRange {
	first, last := im.portNumber(o, child(at, "start"), start), im.portNumber(o, child(at, "end"), end)
	if first > 0 && last > 0 && last <= first {
		im.bad(o, child(at, "end"), fmt.Sprint(end), fmt.Sprintf("a port above port %d", first))
	}
	return model.PortRange{First: first, Last: last}
}

// tierPorts reads the ports of a v1alpha1 rule, where TCP is the default (K8S-CNP-13).
func (im *importer) tierPorts(o *object, list *[]v1alpha1.AdminNetworkPolicyPort) func(at string) []model.PolicyPort {
	return func(at string) []model.PolicyPort {
		if list == nil {
			return nil
		}
		at = child(at, "ports")
		if n := len(*list); n == 0 || n > maxTierRulesOld {
			im.bad(o, at, fmt.Sprint(n, " entries"), fmt.Sprintf("1 to %d, or no list at all", maxTierRulesOld))
		}
		var out []model.PolicyPort
		for i, p := range *list {
			here := index(at, i)
			x := model.PolicyPort{Source: o.source(here)}
			n := 0
			if p.PortNumber != nil {
				n++
				x.Protocol = im.tierProtocol(o, child(here, "portNumber"), p.PortNumber.Protocol)
				port := im.portNumber(o, child(child(here, "portNumber"), "port"), p.PortNumber.Port)
				x.Ports = model.PortRange{First: port, Last: port}
			}
			if p.PortRange != nil {
				n++
				x.Protocol = im.tierProtocol(o, child(here, "portRange"), p.PortRange.Protocol)
				x.Ports = im.tierRange(o, child(here, "portRange"), p.PortRange.Start, p.PortRange.End)
			}
			if p.NamedPort != nil {
				n++
				x.Protocol, x.Named = model.AnyProtocol, *p.NamedPort
				im.portName(o, child(here, "namedPort"), x.Named)
			}
			if n != 1 {
				im.bad(o, here, fmt.Sprint(n, " of them"), "exactly one of portNumber, portRange, namedPort")
			}
			out = append(out, x)
		}
		return out
	}
}

func (im *importer) tierProtocol(o *object, at string, p corev1.Protocol) model.Protocol {
	return im.protocol(o, child(at, "protocol"), p)
}

// unread is a field of a peer that this version does not know, as far as one was recorded.
func (im *importer) unread(o *object, at string) string {
	for i := len(im.ledger) - 1; i >= 0 && im.ledger[i].Resource == o.id; i-- {
		if strings.HasPrefix(im.ledger[i].Field, at+".") {
			return im.ledger[i].Field
		}
	}
	return ""
}

// newerPeer reports the path of a member of a peer: another version of the API may have more of them (K8S-CNP-14).
func newerPeer(at string) bool {
	return regexp.MustCompile(`^spec\.(ingress|egress)\[\d+\]\.(from|to)\[\d+\]\.[^.\[]+$`).MatchString(at)
}

// finishTiers reports the two versions of the API side by side; they are evaluated as one (K8S-CNP-01).
func (im *importer) finishTiers() {
	slices.SortStableFunc(im.tiers, func(a, b *model.ClusterPolicy) int { return a.Source.Compare(b.Source) })
	older, newer := -1, -1
	for i, p := range im.tiers {
		if p.Kind == "ClusterNetworkPolicy" {
			newer = i
		} else if older < 0 {
			older = i
		}
	}
	if older >= 0 && newer >= 0 {
		p := im.tiers[older]
		im.ledger = append(im.ledger, model.LedgerEntry{
			Resource: p.ID, Type: "policy.networking.k8s.io/v1alpha1/" + p.Kind, Field: "apiVersion", Disposition: model.Irrelevant, Source: p.Source,
			Effect: "v1alpha1 and v1alpha2 of the API in one input, of which a cluster enforces one: read as one set of policies (K8S-CNP-01)",
		})
	}
}

// tierVersions reports the entry of finishTiers.
func tierVersions(e model.LedgerEntry) bool {
	return e.Field == "apiVersion" && strings.HasPrefix(e.Type, "policy.networking.k8s.io/v1alpha1/")
}
