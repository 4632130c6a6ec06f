package solver

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// truthPod is a pod of a truth table: one of x, y, z in one of three namespaces.
type truthPod struct {
	namespace, name string
	address         netip.Addr
	labels          map[string]string
	nsLabels        map[string]string
	ports           []corev1.ContainerPort
}

// truthCluster is three namespaces of three pods and some policies, as objects of the API.
type truthCluster struct {
	pods     []truthPod
	policies []netv1.NetworkPolicy
	engine   string
}

const outsideOfCluster = "203.0.113.7"

// drawTruth draws a cluster: policies use every feature of NetworkPolicy v1 and the few labels, names and ports that there are.
func drawTruth(rnd *rand.Rand, engine string) truthCluster {
	c := truthCluster{engine: engine}
	tcp, udp, sctp := corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP
	for i, ns := range []string{"a", "b", "c"} {
		for k, name := range []string{"x", "y", "z"} {
			p := truthPod{namespace: ns, name: name, address: netip.AddrFrom4([4]byte{10, 244, byte(i), byte(k + 4)}), labels: map[string]string{"app": name}, nsLabels: map[string]string{"kubernetes.io/metadata.name": ns}}
			if ns != "c" {
				p.nsLabels["env"] = []string{"prod", "dev"}[i]
			}
			if k == i {
				p.labels["tier"] = "front"
			}
			// One name is another number on other pods, and none on some.
			p.ports = []corev1.ContainerPort{{Name: "serve", ContainerPort: int32(80 + k%2), Protocol: tcp}}
			if k != 2 {
				p.ports = append(p.ports, corev1.ContainerPort{Name: "dns", ContainerPort: 53, Protocol: []corev1.Protocol{udp, tcp}[k]})
			}
			c.pods = append(c.pods, p)
		}
	}
	one := func(n int) bool { return rnd.IntN(n) == 0 }
	selector := func(keys ...string) metav1.LabelSelector {
		s := metav1.LabelSelector{}
		values := map[string][]string{"app": {"x", "y", "z"}, "tier": {"front"}, "env": {"prod", "dev"}, "kubernetes.io/metadata.name": {"a", "b", "c"}}
		for _, k := range keys {
			v := values[k]
			switch rnd.IntN(7) {
			case 0, 1:
				if s.MatchLabels == nil {
					s.MatchLabels = map[string]string{}
				}
				s.MatchLabels[k] = v[rnd.IntN(len(v))]
			case 2, 3:
				ops := []metav1.LabelSelectorOperator{metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn, metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist}
				r := metav1.LabelSelectorRequirement{Key: k, Operator: ops[rnd.IntN(4)]}
				if r.Operator == metav1.LabelSelectorOpIn || r.Operator == metav1.LabelSelectorOpNotIn {
					r.Values = v[:1+rnd.IntN(len(v))]
				}
				s.MatchExpressions = append(s.MatchExpressions, r)
			}
		}
		return s
	}
	pods := func() *metav1.LabelSelector { s := selector("app", "tier"); return &s }
	spaces := func() *metav1.LabelSelector { s := selector("env", "kubernetes.io/metadata.name"); return &s }
	peer := func() netv1.NetworkPolicyPeer {
		switch rnd.IntN(7) {
		case 0, 1:
			return netv1.NetworkPolicyPeer{PodSelector: pods()}
		case 2, 3:
			return netv1.NetworkPolicyPeer{NamespaceSelector: spaces()}
		case 4, 5:
			return netv1.NetworkPolicyPeer{PodSelector: pods(), NamespaceSelector: spaces()}
		default:
			b := &netv1.IPBlock{CIDR: []string{"203.0.113.0/24", "198.51.100.0/24", "203.0.113.7/32", "10.244.0.0/23", "10.244.1.5/32", "0.0.0.0/0"}[rnd.IntN(6)]}
			switch {
			case one(2):
			case b.CIDR == "203.0.113.0/24":
				b.Except = []string{[]string{"203.0.113.0/28", "203.0.113.128/25"}[rnd.IntN(2)]}
			case b.CIDR == "10.244.0.0/23", b.CIDR == "0.0.0.0/0":
				b.Except = []string{"10.244.1.0/24", "10.244.0.4/31"}[:1+rnd.IntN(2)]
			}
			return netv1.NetworkPolicyPeer{IPBlock: b}
		}
	}
	port := func() netv1.NetworkPolicyPort {
		p := netv1.NetworkPolicyPort{}
		if !one(3) {
			p.Protocol = []*corev1.Protocol{&tcp, &udp, &sctp}[rnd.IntN(3)]
		}
		switch rnd.IntN(5) {
		case 0, 1:
			n := intstr.FromInt32([]int32{53, 80, 81}[rnd.IntN(3)])
			p.Port = &n
			if one(3) {
				end := n.IntVal + int32(rnd.IntN(30))
				p.EndPort = &end
			}
		case 2, 3:
			n := intstr.FromString([]string{"serve", "dns", "absent"}[rnd.IntN(3)])
			p.Port = &n
		}
		return p
	}
	list := func(most int) int { return rnd.IntN(most + 1) }
	for i := range rnd.IntN(6) {
		p := netv1.NetworkPolicy{
			TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i), Namespace: c.pods[rnd.IntN(len(c.pods))].namespace},
			Spec:       netv1.NetworkPolicySpec{PodSelector: *pods()},
		}
		for range list(2) {
			r := netv1.NetworkPolicyIngressRule{}
			for range list(2) {
				r.From = append(r.From, peer())
			}
			for range list(2) {
				r.Ports = append(r.Ports, port())
			}
			p.Spec.Ingress = append(p.Spec.Ingress, r)
		}
		for range list(2) {
			r := netv1.NetworkPolicyEgressRule{}
			for range list(2) {
				r.To = append(r.To, peer())
			}
			for range list(2) {
				r.Ports = append(r.Ports, port())
			}
			p.Spec.Egress = append(p.Spec.Egress, r)
		}
		p.Spec.PolicyTypes = [][]netv1.PolicyType{nil, {netv1.PolicyTypeIngress}, {netv1.PolicyTypeEgress}, {netv1.PolicyTypeIngress, netv1.PolicyTypeEgress}}[rnd.IntN(4)]
		c.policies = append(c.policies, p)
	}
	return c
}

// manifests are the objects of a cluster as JSON documents.
func (c truthCluster) manifests(t testing.TB) string {
	t.Helper()
	var docs []string
	add := func(v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, string(b))
	}
	for _, p := range c.pods {
		if p.name == "x" {
			add(corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: p.namespace, Labels: p.nsLabels}})
		}
		add(corev1.Pod{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: p.name, Namespace: p.namespace, Labels: p.labels},
			Spec:   corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "registry.example/app:1", Ports: p.ports}}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: p.address.String(), PodIPs: []corev1.PodIP{{IP: p.address.String()}}},
		})
	}
	for _, p := range c.policies {
		add(p)
	}
	return strings.Join(docs, "\n---\n")
}

// allows is what the API's documentation says of one connection; to is nil for an address outside the cluster. It is written for these
// objects alone and shares nothing with the engines.
func (c truthCluster) allows(from truthPod, to *truthPod, outside netip.Addr, protocol corev1.Protocol, port int32) bool {
	named := func(name string) bool { // of the target, K8S-NP-18 and 19
		return to != nil && slices.ContainsFunc(to.ports, func(p corev1.ContainerPort) bool {
			return p.Name == name && p.Protocol == protocol && p.ContainerPort == port
		})
	}
	ports := func(list []netv1.NetworkPolicyPort) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(p netv1.NetworkPolicyPort) bool {
			switch {
			case p.Protocol == nil && protocol != corev1.ProtocolTCP, p.Protocol != nil && *p.Protocol != protocol:
				return false
			case p.Port == nil:
				return true
			case p.Port.Type == intstr.String:
				return named(p.Port.StrVal)
			case p.EndPort != nil:
				return p.Port.IntVal <= port && port <= *p.EndPort
			default:
				return p.Port.IntVal == port
			}
		})
	}
	peers := func(policy string, list []netv1.NetworkPolicyPeer, other *truthPod) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(p netv1.NetworkPolicyPeer) bool {
			switch {
			case p.IPBlock != nil:
				a := outside
				if other != nil {
					a = other.address
				}
				in := func(cidr string) bool { return netip.MustParsePrefix(cidr).Contains(a) }
				return (other == nil || c.engine != "cilium") && in(p.IPBlock.CIDR) && !slices.ContainsFunc(p.IPBlock.Except, in) // K8S-NP-13
			case other == nil:
				return false
			case p.NamespaceSelector == nil:
				return other.namespace == policy && selects(*p.PodSelector, other.labels)
			default:
				return selects(*p.NamespaceSelector, other.nsLabels) && (p.PodSelector == nil || selects(*p.PodSelector, other.labels))
			}
		})
	}
	side := func(pod truthPod, other *truthPod, direction netv1.PolicyType) bool {
		isolated := false
		for _, p := range c.policies {
			types := p.Spec.PolicyTypes
			if len(types) == 0 {
				types = []netv1.PolicyType{netv1.PolicyTypeIngress}
				if len(p.Spec.Egress) > 0 {
					types = append(types, netv1.PolicyTypeEgress)
				}
			}
			if p.Namespace != pod.namespace || !selects(p.Spec.PodSelector, pod.labels) || !slices.Contains(types, direction) {
				continue
			}
			isolated = true
			for _, r := range p.Spec.Ingress {
				if direction == netv1.PolicyTypeIngress && peers(p.Namespace, r.From, other) && ports(r.Ports) {
					return true
				}
			}
			for _, r := range p.Spec.Egress {
				if direction == netv1.PolicyTypeEgress && peers(p.Namespace, r.To, other) && ports(r.Ports) {
					return true
				}
			}
		}
		return !isolated
	}
	return side(from, to, netv1.PolicyTypeEgress) && (to == nil || side(*to, &from, netv1.PolicyTypeIngress))
}

// selects is K8S-NP-02.
func selects(s metav1.LabelSelector, labels map[string]string) bool {
	for k, v := range s.MatchLabels {
		if labels[k] != v {
			return false
		}
	}
	for _, r := range s.MatchExpressions {
		v, has := labels[r.Key]
		holds := false
		switch r.Operator {
		case metav1.LabelSelectorOpIn:
			holds = has && slices.Contains(r.Values, v)
		case metav1.LabelSelectorOpNotIn:
			holds = !has || !slices.Contains(r.Values, v)
		case metav1.LabelSelectorOpExists:
			holds = has
		case metav1.LabelSelectorOpDoesNotExist:
			holds = !has
		}
		if !holds {
			return false
		}
	}
	return true
}

// truthTable compares both engines with the API's documentation on every pair of pods, protocol and port that matters.
func truthTable(t *testing.T, c truthCluster) int {
	t.Helper()
	text := c.manifests(t)
	cluster := &model.Cluster{Meta: model.Meta{ID: model.Kubernetes("k", "Cluster", "", "k"), Source: model.Source{File: "k.yaml"}}, Manifest: true, Engine: c.engine}
	r, err := kubernetes.Import(fstest.MapFS{"k.yaml": {Data: []byte(text)}}, []string{"k.yaml"}, kubernetes.Options{Cluster: cluster.ID, ClusterName: "k"})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	j, err := newJoint(modeltest.Draft{Resources: append(r.Resources, cluster), Ledger: r.Ledger})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	e := j.s.Project.Estate
	senders := map[netip.Addr]model.Place{}
	at, places := map[string]netip.Addr{}, map[string]string{}
	for _, o := range j.s.graph.Origins {
		if w, ok := model.Get[*model.Workload](e, o.Site.Place.ID); ok {
			at[w.Namespace+"/"+w.Name()] = o.Prefixes[0].Addr()
			senders[o.Prefixes[0].Addr()] = o.Site.PlaceOf(o.Prefixes[0].Addr())
			places[w.Namespace+"/"+w.Name()] = placeText(o.Site.PlaceOf(o.Prefixes[0].Addr()))
		}
	}
	rows := 0
	for i := range c.pods {
		from := &c.pods[i]
		for k := range len(c.pods) + 1 {
			var to *truthPod
			end, place := netip.MustParseAddr(outsideOfCluster), placeText(model.Place{Kind: model.PlaceInternet})
			if k < len(c.pods) {
				if to = &c.pods[k]; to == from {
					continue // K8S-NP-23
				}
				end, place = at[to.namespace+"/"+to.name], places[to.namespace+"/"+to.name]
			}
			for _, protocol := range []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP} {
				for _, port := range []int32{1, 52, 53, 54, 79, 80, 81, 82, 110, 65535} {
					src := at[from.namespace+"/"+from.name]
					p := trace.Packet{From: senders[src], Src: src, Dst: end, SPort: 50000, DPort: uint16(port)}
					p.Protocol = map[corev1.Protocol]model.Protocol{corev1.ProtocolTCP: model.TCP, corev1.ProtocolUDP: model.UDP, corev1.ProtocolSCTP: model.SCTP}[protocol]
					q, ok := j.find(p)
					if !ok {
						t.Fatalf("%s/%s sends no %s\n%s", from.namespace, from.name, p, text)
					}
					rows++
					want := c.allows(*from, to, end, protocol, port)
					if got := j.solver(q)[place]; got != [3]bool{want, want, want} {
						t.Fatalf("%s/%s to %v: %s: allowed %v, solver %v\n%s", from.namespace, from.name, to, p, want, j.solver(q), text)
					}
					if diff := j.differ(q); diff != "" {
						t.Fatalf("%s\n%s", diff, text)
					}
				}
			}
		}
	}
	return rows
}

// TestTruthTables draws clusters of three namespaces with three pods and policies with every feature of NetworkPolicy v1 (K8S-NP-01 … 19):
// importer, solver, interpreter and the API's documentation, written down once more, agree on every pair, protocol and port.
func TestTruthTables(t *testing.T) {
	clusters := uint64(60)
	if testing.Short() {
		clusters = 12
	}
	rows := 0
	for seed := range clusters {
		rows += truthTable(t, drawTruth(rand.New(rand.NewPCG(seed, 3)), []string{"azure", "calico", "cilium"}[seed%3]))
	}
	t.Logf("%d rows", rows)
}
