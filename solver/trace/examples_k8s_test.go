package trace

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// base is the cluster B of the Kubernetes examples: manifests only, namespaces a{env=prod} with web and db, b{env=dev} with api.
type base struct {
	*builder
	c            *model.Cluster
	web, db, api *model.Workload
	pods         map[string]*model.Workload
}

func baseCluster(t testing.TB, engine string, options ...string) *base {
	b := &base{builder: estate(t)}
	b.c = &model.Cluster{Meta: meta("kubernetes:B"), Manifest: true, Engine: engine}
	b.add(b.c)
	undeclared := false
	for _, o := range options {
		undeclared = undeclared || o == "undeclared"
	}
	if !undeclared {
		b.namespace(b.c, "a", "env", "prod")
		b.namespace(b.c, "b", "env", "dev")
	}
	b.web = b.workload(b.c, "a", "web", port("http", 8080))
	b.db = b.workload(b.c, "a", "db", port("sql", 5432))
	b.api = b.workload(b.c, "b", "api", port("http", 9090))
	b.pods = map[string]*model.Workload{"web": b.web, "db": b.db, "api": b.api}
	return b
}

// policy adds a NetworkPolicy; types is "in", "out" or both.
func (b *base) policy(ns, name string, pods model.LabelSelector, types string, in, out []model.PolicyRule) {
	b.add(&model.NetworkPolicy{
		Meta: meta(model.Kubernetes("B", "NetworkPolicy", ns, name)), Cluster: b.c.ID, Namespace: ns, Pods: pods, Ingress: in, Egress: out,
		Isolates: [2]bool{strings.Contains(types, "in"), strings.Contains(types, "out")},
	})
}

func labels(kv ...string) model.LabelSelector {
	s := model.LabelSelector{}
	for i := 0; i+1 < len(kv); i += 2 {
		if s.Match == nil {
			s.Match = map[string]string{}
		}
		s.Match[kv[i]] = kv[i+1]
	}
	return s
}

func everyone() model.LabelSelector { return model.LabelSelector{} }

func podPeer(kv ...string) model.PolicyPeer {
	s := labels(kv...)
	return model.PolicyPeer{Pods: &s}
}

func nsPeer(kv ...string) model.PolicyPeer {
	s := labels(kv...)
	return model.PolicyPeer{Namespaces: &s}
}

func blockPeer(cidr string, except ...string) model.PolicyPeer {
	return model.PolicyPeer{IPBlock: &model.IPBlock{CIDR: prefixes(cidr)[0], Except: prefixes(except...)}}
}

func peers(list ...model.PolicyPeer) model.PolicyRule { return model.PolicyRule{Peers: list} }

func onPorts(r model.PolicyRule, ports ...model.PolicyPort) model.PolicyRule {
	r.Ports = ports
	return r
}

func tcpPort(first uint16, last ...uint16) model.PolicyPort {
	p := model.PolicyPort{Protocol: model.TCP, Ports: model.PortRange{First: first, Last: first}}
	if len(last) > 0 {
		p.Ports.Last = last[0]
	}
	return p
}

func rules(list ...model.PolicyRule) []model.PolicyRule { return list }

const ext = "203.0.113.7"

// flow checks `web>db tcp/5432 A`; ALL stands for all connections of three protocols, – for none.
func (b *base) flow(e *model.Estate, text string) {
	b.t.Helper()
	f := strings.Fields(text)
	src, dst, _ := strings.Cut(f[0], ">")
	want := strings.Join(f[2:], " ")
	samples := []string{"tcp/1", "tcp/80", "tcp/5432", "tcp/8080", "tcp/65535", "udp/53", "sctp/7"}
	if f[1] != "*" {
		samples = []string{f[1]}
	}
	for _, s := range samples {
		p := packet("0.0.0.0 > 0.0.0.0 " + s)
		at := internet()
		end := func(name string) netip.Addr {
			if w, ok := b.pods[name]; ok {
				if a := podAddr(e, w); a.IsValid() {
					return a
				}
				return w.Addresses[0]
			}
			if name == "ext" {
				return addr(ext)
			}
			return addr(name)
		}
		p.Src, p.Dst = end(src), end(dst)
		if w, ok := b.pods[dst]; ok {
			at = podPlace(w, "")
		} else if isPlatform(p.Dst) {
			at = model.Place{Kind: model.PlacePlatform}
		}
		r := Run(e, Options{}, p)
		got := ask(r, at)
		if got != want {
			b.t.Errorf("%s %s: got %s, want %s\n%s", f[0], s, got, want, show(r))
		}
	}
}

func (b *base) flows(list ...string) {
	b.t.Helper()
	e := b.build()
	for _, f := range list {
		b.flow(e, f)
	}
}

func engines() []string { return []string{"", "azure", "calico", "cilium"} }

// X01: no policies.
func TestX01(t *testing.T) {
	b := baseCluster(t, "")
	var list []string
	for _, x := range []string{"web", "db", "api", "ext"} {
		for _, y := range []string{"web", "db", "api", "ext"} {
			if x != y {
				list = append(list, x+">"+y+" * A")
			}
		}
	}
	b.flows(list...)
}

// X02: all pods of a isolated for ingress.
func TestX02(t *testing.T) {
	for _, engine := range engines() {
		b := baseCluster(t, engine)
		b.policy("a", "np", everyone(), "in", nil, nil)
		b.flows("db>web * D", "api>web * D", "ext>web * D", "web>db * D", "api>db * D", "ext>db * D", "web>api * A", "web>ext * A", "api>ext * A")
	}
}

// X03: egress rules without policyTypes isolate both directions.
func TestX03(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "np", labels("app", "web"), "in out", nil, rules(peers(podPeer("app", "db"))))
	b.flows("db>web * D", "api>web * D", "ext>web * D", "web>db * A", "web>api * D", "web>ext * D", "db>api * A")
}

// X04: `egress: []` without policyTypes does not isolate egress (K8S-NP-05).
func TestX04(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "np", labels("app", "web"), "in", nil, nil)
	b.flows("db>web * D", "ext>web * D", "web>db * A", "web>api * A", "web>ext * A")
}

// X05: an ingress section without its policyType is dead.
func TestX05(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "np", labels("app", "web"), "out", rules(peers(podPeer())), nil)
	b.flows("web>db * D", "web>api * D", "web>ext * D", "db>web * A", "api>web * A", "ext>web * A")
}

// X06: allow-all ingress, deny-all egress.
func TestX06(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "np", labels("app", "web"), "in out", rules(peers()), nil)
	b.flows("db>web * A", "api>web * A", "ext>web * A", "web>db * D", "web>api udp/53 D", "web>ext * D")
}

// X07: two entries are an OR.
func TestX07(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "np", labels("app", "db"), "in", rules(peers(nsPeer("env", "dev"), podPeer("app", "web"))), nil)
	b.flows("web>db * A", "api>db * A", "ext>db * D")
}

// X08: one entry with both is an AND.
func TestX08(t *testing.T) {
	b := baseCluster(t, "")
	both := nsPeer("env", "dev")
	both.Pods = podPeer("app", "web").Pods
	b.policy("a", "np", labels("app", "db"), "in", rules(peers(both)), nil)
	b.flows("web>db * D", "api>db * D", "ext>db * D")
}

// X09: forms of an ingress section; (g) is an input error and never gets here.
func TestX09(t *testing.T) {
	for _, test := range []struct {
		name          string
		rules         []model.PolicyRule
		web, api, ext string
		engine        string
	}{
		{"a", nil, nothing, nothing, nothing, ""},
		{"b", rules(peers()), reached, reached, reached, ""},
		{"c", rules(model.PolicyRule{Peers: []model.PolicyPeer{}}), reached, reached, reached, ""},
		{"d", rules(peers(podPeer())), reached, nothing, nothing, ""},
		{"e", rules(peers(nsPeer())), reached, reached, nothing, ""},
		{"f", rules(peers(blockPeer("0.0.0.0/0"))), nothing, nothing, reached, "cilium"},
		{"f", rules(peers(blockPeer("0.0.0.0/0"))), reached, reached, reached, "calico"},
		{"f", rules(peers(blockPeer("0.0.0.0/0"))), reached, reached, reached, "azure"},
		{"f", rules(peers(blockPeer("0.0.0.0/0"))), unclear, unclear, reached, ""},
	} {
		b := baseCluster(t, test.engine)
		b.policy("a", "np", labels("app", "db"), "in", test.rules, nil)
		t.Run(test.name+test.engine, func(t *testing.T) {
			b.t = t
			b.flows("web>db * "+test.web, "api>db * "+test.api, "ext>db * "+test.ext)
		})
	}
}

// X10: NotIn matches what lacks the key.
func TestX10(t *testing.T) {
	b := baseCluster(t, "")
	b.namespace(b.c, "c")
	b.pods["x"] = b.workload(b.c, "c", "x")
	s := model.LabelSelector{Requirements: []model.Requirement{{Key: "env", Operator: "NotIn", Values: []string{"prod"}}}}
	b.policy("a", "np", labels("app", "db"), "in", rules(peers(model.PolicyPeer{Namespaces: &s})), nil)
	b.flows("api>db * A", "x>db * A", "web>db * D", "ext>db * D")
}

// X11: the name label needs no Namespace object.
func TestX11(t *testing.T) {
	b := baseCluster(t, "", "undeclared")
	b.policy("a", "np", labels("app", "db"), "in", rules(peers(nsPeer("kubernetes.io/metadata.name", "b"))), nil)
	b.flows("api>db * A", "web>db * D")
}

// X12: other labels of an undeclared namespace are unknown.
func TestX12(t *testing.T) {
	b := baseCluster(t, "", "undeclared")
	b.policy("a", "np", labels("app", "db"), "in", rules(peers(nsPeer("env", "dev"))), nil)
	b.flows("api>db * over A, under D", "web>db * over A, under D")
	e := b.build()
	r := Run(e, Options{}, Packet{Src: podAddr(e, b.api), Dst: podAddr(e, b.db), Protocol: model.TCP, DPort: 5432})
	if !hasAssumption(r, "ASM-K-NSLABELS(b, env)") {
		t.Errorf("ASM-K-NSLABELS(b, env) is missing: %v", assumptionsOf(r))
	}
}

// X13: policies add up.
func TestX13(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "deny", everyone(), "in", nil, nil)
	b.policy("a", "web", labels("app", "db"), "in", rules(onPorts(peers(podPeer("app", "web")), tcpPort(5432))), nil)
	b.policy("a", "dev", labels("app", "db"), "in", rules(onPorts(peers(nsPeer("env", "dev")), tcpPort(9187))), nil)
	b.flows("web>db tcp/5432 A", "web>db tcp/9187 D", "api>db tcp/9187 A", "api>db tcp/5432 D", "ext>db * D", "db>web * D", "api>web * D")
}

// X14: both sides have to allow.
func TestX14(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("b", "out", everyone(), "out", nil, rules(onPorts(peers(nsPeer()), tcpPort(80, 90))))
	b.policy("a", "in", labels("app", "db"), "in", rules(onPorts(peers(), tcpPort(85, 100))), nil)
	b.flows(
		"api>db tcp/84 D", "api>db tcp/85 A", "api>db tcp/90 A", "api>db tcp/91 D", "web>db tcp/85 A", "web>db tcp/100 A", "web>db tcp/101 D",
		"ext>db tcp/85 A", "ext>db tcp/100 A", "ext>db tcp/84 D", "api>web tcp/80 A", "api>web tcp/90 A", "api>web tcp/91 D", "api>ext * D")
}

// X15: forms of a ports list.
func TestX15(t *testing.T) {
	all := func(p model.Protocol) model.PolicyPort { return model.PolicyPort{Protocol: p, All: true} }
	udp := model.PolicyPort{Protocol: model.UDP, Ports: model.PortRange{First: 53, Last: 53}}
	for _, test := range []struct {
		ports []model.PolicyPort
		flows []string
	}{
		{[]model.PolicyPort{tcpPort(53)}, []string{"tcp/53 A", "udp/53 D", "tcp/54 D"}},                  // a
		{[]model.PolicyPort{all(model.UDP)}, []string{"udp/1 A", "udp/65535 A", "tcp/53 D", "sctp/7 D"}}, // b
		{[]model.PolicyPort{all(model.TCP)}, []string{"tcp/1 A", "tcp/65535 A", "udp/53 D", "sctp/7 D"}}, // c
		{[]model.PolicyPort{udp, tcpPort(53)}, []string{"tcp/53 A", "udp/53 A", "tcp/54 D", "udp/54 D"}}, // d
		{[]model.PolicyPort{}, []string{"* A"}},                                                          // e
		{[]model.PolicyPort{tcpPort(100, 100)}, []string{"tcp/100 A", "tcp/99 D", "tcp/101 D"}},          // f
	} {
		b := baseCluster(t, "")
		b.policy("a", "np", labels("app", "db"), "in", rules(onPorts(peers(), test.ports...)), nil)
		var list []string
		for _, f := range test.flows {
			list = append(list, "web>db "+f, "ext>db "+f)
		}
		b.flows(list...)
	}
}

// X17: a named port is resolved on each destination pod.
func TestX17(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "np", everyone(), "in", rules(onPorts(peers(), model.PolicyPort{Protocol: model.TCP, Named: "http"})), nil)
	b.flows("api>web tcp/8080 A", "ext>web tcp/8080 A", "api>web tcp/9090 D", "api>web udp/53 D", "web>db * D")
}

// X18: and its protocol has to agree.
func TestX18(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "np", everyone(), "in", rules(onPorts(peers(), model.PolicyPort{Protocol: model.UDP, Named: "http"})), nil)
	b.flows("api>web * D", "api>web udp/8080 D", "api>db * D")
}

// X19: a named port in an egress rule.
func TestX19(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("b", "np", everyone(), "out", nil, rules(onPorts(peers(), model.PolicyPort{Protocol: model.TCP, Named: "http"})))
	b.flows("api>web tcp/8080 A", "api>web tcp/80 D", "api>db * D", "api>ext * D")
}

// X20: ipBlock and its holes.
func TestX20(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "np", labels("app", "db"), "in", rules(onPorts(peers(blockPeer("10.0.0.0/8", "10.1.0.0/16")), tcpPort(5432)), peers(blockPeer("10.1.2.0/24"))), nil)
	b.flows("10.0.0.1>db tcp/5432 A", "10.0.0.1>db tcp/5433 D", "10.1.1.1>db * D", "10.1.2.9>db * A", "11.0.0.1>db * D", "2001:db8::1>db * D")
}

// X21: a pod of the host network is its node.
func TestX21(t *testing.T) {
	for _, test := range []struct {
		engine string
		block  bool
		want   string
	}{
		{"", false, nothing},
		{"calico", false, nothing},
		{"azure", false, nothing},
		{"cilium", false, nothing},
		{"calico", true, reached},
		{"azure", true, reached},
		{"cilium", true, nothing},
	} {
		b := baseCluster(t, test.engine)
		b.api.HostNetwork, b.api.Addresses = true, []netip.Addr{addr("10.240.0.5")}
		b.policy("b", "in", everyone(), "in", nil, nil)
		peer := rules(peers(nsPeer()))
		if test.block {
			peer = append(peer, peers(blockPeer("10.240.0.0/16")))
		}
		b.policy("a", "db", labels("app", "db"), "in", peer, nil)
		b.flows("web>api * A", "db>api * A", "ext>api * A", "api>db * "+test.want)
	}
}

// X22: replicas, and a pod's own address.
func TestX22(t *testing.T) {
	b := baseCluster(t, "")
	b.web.Addresses = []netip.Addr{addr("10.244.0.4"), addr("10.244.0.5")}
	b.policy("a", "np", everyone(), "in", nil, nil)
	e := b.build()
	for _, test := range []struct{ packet, want string }{{"10.244.0.4 > 10.244.0.5 tcp/80", nothing}, {"10.244.0.4 > 10.244.0.4 tcp/80", unclear}} {
		r := Run(e, Options{}, packet(test.packet))
		check(t, test.packet, r, ask(r, podPlace(b.web, "")), test.want)
	}
}

// X23: ping, and the kubelet of the pod's own node.
func TestX23(t *testing.T) {
	for _, test := range []struct{ engine, want, strict, why string }{
		{"cilium", nothing, unclear, "ASM-K-ICMP"},
		{"calico", nothing, unclear, "ASM-K-ICMP"},
		{"azure", nothing, unclear, "ASM-K-ICMP"},
		{"", nothing, unclear, "ASM-K-ICMP"},
		{"antrea", unclear, unclear, "ASM-K-BYOCNI"},
	} {
		b := baseCluster(t, test.engine)
		b.policy("a", "np", everyone(), "in out", nil, nil)
		e := b.build()
		p := Packet{Src: podAddr(e, b.api), Dst: podAddr(e, b.db), Protocol: model.ICMP}
		for _, strict := range []bool{false, true} {
			want := test.want
			if strict {
				want = test.strict
			}
			r := Run(e, Options{Strict: strict}, p)
			check(t, fmt.Sprintf("ping, engine %q, strict %v", test.engine, strict), r, ask(r, podPlace(b.db, "")), want)
			if !hasAssumption(r, test.why) {
				t.Errorf("engine %q: %s is missing: %v", test.engine, test.why, assumptionsOf(r))
			}
		}
	}
	b := estate(t)
	b.vnet("net", "10.1.0.0/16")
	b.subnet("net/nodes", "10.1.1.0/24")
	c := b.cluster("aks", "azure", "overlay", "calico", "net/nodes")
	db := b.workload(c, "a", "db")
	b.namespace(c, "a")
	b.denyAll(c, "a")
	e := b.build()
	node := model.Place{Kind: model.PlaceNodePool, ID: c.ID, Part: "a"}
	r := Run(e, Options{}, from(node, toPod(e, db, "10.1.1.9", 5432)))
	check(t, "kubelet of the pod's node", r, ask(r, podPlace(db, "a")), reached)
	if !hasAssumption(r, "ASM-K-NODE") {
		t.Errorf("ASM-K-NODE is missing: %v", assumptionsOf(r))
	}
}

// X24: only the pod template's labels count.
func TestX24(t *testing.T) {
	b := baseCluster(t, "")
	j := b.workload(b.c, "a", "j")
	j.Kind, j.Labels = "CronJob", map[string]string{"role": "batch"}
	b.pods["j"] = j
	b.policy("a", "np", labels("app", "db"), "in", nil, nil)
	b.flows("api>j * A", "web>j * A", "api>db * D", "web>db * D")
}

// X25: policy speaks of pod ports, after the Service's translation.
func TestX25(t *testing.T) {
	for _, test := range []struct {
		port          model.PolicyPort
		via, direct80 string
	}{
		{tcpPort(80), nothing, reached},
		{tcpPort(8080), reached, nothing},
		{model.PolicyPort{Protocol: model.TCP, Named: "http"}, reached, nothing},
	} {
		b := baseCluster(t, "")
		s := b.kubeService(b.c, "a", "web", "ClusterIP", 80, 0)
		s.ClusterIP, s.Ports[0].TargetName = "10.250.0.7", "http"
		b.policy("a", "np", labels("app", "web"), "in", rules(onPorts(peers(nsPeer()), test.port)), nil)
		e := b.build()
		r := Run(e, Options{}, fromPodTo(e, b.api, "10.250.0.7", 80))
		check(t, fmt.Sprintf("via the Service %+v", test.port), r, ask(r, podPlace(b.web, "")), test.via)
		if test.via == reached && r.Paths[0].Packet.DPort != 8080 {
			t.Errorf("arrives on port %d, want 8080", r.Paths[0].Packet.DPort)
		}
		b.flow(e, "api>web tcp/80 "+test.direct80)
	}
}

// X26: the legs of an ingress controller; the chain is put together elsewhere.
func TestX26(t *testing.T) {
	b := baseCluster(t, "")
	b.namespace(b.c, "ingress-nginx")
	b.pods["controller"] = b.workload(b.c, "ingress-nginx", "controller")
	b.policy("a", "np", everyone(), "in", rules(peers(nsPeer("kubernetes.io/metadata.name", "ingress-nginx"))), nil)
	b.flows("controller>web * A", "controller>db * A", "api>web * D", "ext>web * D", "web>db * D", "ext>controller * A")
}

// X27: undeclared container ports work.
func TestX27(t *testing.T) {
	b := baseCluster(t, "")
	b.web.Ports = nil
	b.kubeService(b.c, "a", "web", "ClusterIP", 80, 8080).ClusterIP = "10.250.0.7"
	e := b.build()
	r := Run(e, Options{}, fromPodTo(e, b.api, "10.250.0.7", 80))
	check(t, "undeclared port", r, ask(r, podPlace(b.web, "")), reached)
}

// serviceCluster is an overlay cluster with a LoadBalancer Service for web, its nodes in 10.240.0.0/16.
func serviceCluster(t testing.TB, engine string, local bool, cidr string) (*base, *model.Estate) {
	b := &base{builder: estate(t)}
	b.vnet("net", "10.240.0.0/16")
	b.subnet("net/nodes", "10.240.0.0/16")
	b.c = b.cluster("B", "azure", "overlay", engine, "net/nodes")
	b.namespace(b.c, "a")
	b.web = b.workload(b.c, "a", "web", port("http", 8080))
	s := b.kubeService(b.c, "a", "web", "LoadBalancer", 80, 8080)
	s.Ingress, s.LocalPolicy = []netip.Addr{addr("20.0.0.30")}, local
	b.add(&model.NetworkPolicy{
		Meta: meta(model.Kubernetes("B", "NetworkPolicy", "a", "np")), Cluster: b.c.ID, Namespace: "a", Pods: labels("app", "web"), Isolates: [2]bool{true, false},
		Ingress: rules(onPorts(peers(blockPeer(cidr)), tcpPort(8080))),
	})
	return b, b.build()
}

// X28: an ipBlock for clients behind a LoadBalancer Service, which may be rewritten to a node's address before policy sees it (K8S-NP-14).
func TestX28(t *testing.T) {
	for _, engine := range []string{"azure", "calico", "cilium"} {
		for _, local := range []bool{true, false} {
			b, e := serviceCluster(t, engine, local, "203.0.113.0/24")
			want := reached
			if !local {
				want = unclear
			}
			r := Run(e, Options{}, packet(ext+" > 20.0.0.30 tcp/80"))
			check(t, fmt.Sprintf("engine %s, Local %v", engine, local), r, ask(r, podPlace(b.web, "a")), want)
			if !local && !hasAssumption(r, "ASM-K-SNAT") {
				t.Errorf("ASM-K-SNAT is missing: %v", assumptionsOf(r))
			}
		}
	}
}

// X29: Cilium's ipBlock takes no pods and no nodes; whose a free address of the node subnet is, nobody says.
func TestX29(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.1.0.0/16")
	b.subnet("net/nodes", "10.1.1.0/24")
	c := b.cluster("aks", "azure", "overlay", "cilium", "net/nodes")
	b.namespace(c, "a")
	web, db := b.workload(c, "a", "web"), b.workload(c, "a", "db")
	b.add(&model.NetworkPolicy{
		Meta: meta(model.Kubernetes("aks", "NetworkPolicy", "a", "np")), Cluster: c.ID, Namespace: "a", Pods: labels("app", "web"), Isolates: [2]bool{false, true},
		Egress: rules(peers(blockPeer("0.0.0.0/0"))),
	})
	e := b.build()
	r := Run(e, Options{}, fromPodTo(e, web, ext, 443))
	check(t, "web to ext", r, ask(r, internet()), reached)
	r = Run(e, Options{}, Packet{Src: podAddr(e, web), Dst: podAddr(e, db), Protocol: model.TCP, DPort: 5432})
	check(t, "web to db", r, ask(r, podPlace(db, "a")), nothing)
	r = Run(e, Options{}, fromPodTo(e, web, "10.1.1.9", 22))
	check(t, "web to nodes", r, ask(r, model.Place{Kind: model.PlaceNodePool, ID: c.ID, Part: "a"}), unclear)
}

// X30: engine none.
func TestX30(t *testing.T) {
	b := baseCluster(t, "none")
	b.policy("a", "np", everyone(), "in", nil, nil)
	b.flows("db>web * A", "api>web * A", "ext>web * A", "web>db * A", "web>ext * A")
}

// X31: an except is no deny.
func TestX31(t *testing.T) {
	b := baseCluster(t, "")
	b.policy("a", "one", labels("app", "web"), "out", nil, rules(peers(blockPeer("0.0.0.0/0", "169.254.169.254/32"))))
	b.flows("web>169.254.169.254 tcp/80 D")
	b.policy("a", "two", labels("app", "web"), "out", nil, rules(peers(blockPeer("169.254.0.0/16"))))
	b.flows("web>169.254.169.254 tcp/80 A")
}

// X33: an ipBlock for nodes behind a LoadBalancer Service.
func TestX33(t *testing.T) {
	for _, test := range []struct {
		engine string
		local  bool
		want   string
	}{
		{"calico", false, reached},
		{"azure", false, reached},
		{"cilium", false, unclear},
		{"calico", true, nothing},
		{"azure", true, nothing},
		{"cilium", true, nothing},
	} {
		b, e := serviceCluster(t, test.engine, test.local, "10.240.0.0/16")
		r := Run(e, Options{}, packet(ext+" > 20.0.0.30 tcp/80"))
		check(t, fmt.Sprintf("%+v", test), r, ask(r, podPlace(b.web, "a")), test.want)
	}
}

// X34: ping of an isolated pod.
func TestX34(t *testing.T) {
	web := podPeer("app", "web")
	for _, test := range []struct {
		rules    []model.PolicyRule
		web, api string
	}{
		{rules(peers(web)), reached, nothing},                                                            // a
		{rules(onPorts(peers(web), tcpPort(5432))), nothing, nothing},                                    // b
		{rules(onPorts(peers(web), model.PolicyPort{Protocol: model.TCP, All: true})), nothing, nothing}, // c
		{rules(peers()), reached, reached},                                                               // d
	} {
		for _, engine := range append(engines(), "none") {
			b := baseCluster(t, engine)
			b.policy("a", "np", labels("app", "db"), "in", test.rules, nil)
			e := b.build()
			for _, q := range []struct {
				src  *model.Workload
				want string
			}{{b.web, test.web}, {b.api, test.api}} {
				want := q.want
				if engine == "none" {
					want = reached
				}
				r := Run(e, Options{}, Packet{Src: podAddr(e, q.src), Dst: podAddr(e, b.db), Protocol: model.ICMP})
				check(t, "ping from "+q.src.Name()+", engine "+engine, r, ask(r, podPlace(b.db, "")), want)
				if engine != "none" && !hasAssumption(r, "ASM-K-ICMP") {
					t.Errorf("ASM-K-ICMP is missing: %v", assumptionsOf(r))
				}
			}
		}
	}
}

// X35: a node port that the manifest leaves out.
func TestX35(t *testing.T) {
	for _, test := range []struct{ rule, want string }{{"", unclear}, {"100 Deny In tcp 10.1.6.0/24 -> * 30000-32767", nothing}} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.nsg("nsg", test.rule)
		b.subnet("net/nodes", "10.1.1.0/24", "nsg=nsg")
		b.subnet("net/vms", "10.1.6.0/24")
		b.nic("v", "net/vms", "10.1.6.4")
		c := b.cluster("aks", "azure", "overlay", "azure", "net/nodes")
		web := b.workload(c, "a", "web")
		b.kubeService(c, "a", "web", "NodePort", 80, 8080)
		r := Run(b.build(), Options{}, packet("10.1.6.4 > 10.1.1.9 tcp/30080"))
		check(t, "by node port 30080 "+test.rule, r, ask(r, podPlace(web, "a")), test.want)
		if test.want == unclear && !hasAssumption(r, "ASM-K-NODEPORT") {
			t.Errorf("ASM-K-NODEPORT is missing: %v", assumptionsOf(r))
		}
	}
}

// X66: an NSG on the pod subnet guards pods; der.
func TestX66(t *testing.T) {
	for _, deny := range []bool{true, false} {
		b := estate(t)
		b.vnet("net", "10.240.0.0/15")
		rule := ""
		if deny {
			rule = "100 Deny In * 10.9.0.0/24 -> * *"
		}
		b.nsg("pods", rule)
		b.subnet("net/nodes", "10.240.0.0/24")
		b.subnet("net/pods", "10.241.0.0/16", "nsg=pods")
		b.subnet("net/GatewaySubnet", "10.240.255.0/27")
		b.vpn("gw", "net/GatewaySubnet", nil, site{name: "wireless", ranges: []string{"10.9.0.0/24"}})
		c := b.cluster("aks", "azure", "", "azure", "net/nodes")
		c.Pools[0].PodSubnet = subnetID("net/pods")
		db := b.workload(c, "a", "db")
		e := b.build()
		p := toPod(e, db, "10.9.0.4", 5432)
		r := Run(e, Options{}, from(farSide("gw", "wireless"), p))
		want := reached
		if deny {
			want = "D pods/securityRules/100"
		}
		check(t, fmt.Sprintf("wireless to db, deny %v", deny), r, decided(r, podPlace(db, "a")), want)
	}
}

// X67: overlay pods have no address outside; a Service lets in; der.
func TestX67(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.240.0.0/16")
	b.nsg("nodes")
	b.subnet("net/nodes", "10.240.0.0/24", "nsg=nodes")
	b.subnet("net/GatewaySubnet", "10.240.255.0/27")
	b.vpn("gw", "net/GatewaySubnet", nil, site{name: "wireless", ranges: []string{"10.9.0.0/24"}})
	c := b.cluster("aks", "azure", "overlay", "azure", "net/nodes")
	db := b.workload(c, "a", "db")
	e := b.build()
	wireless := farSide("gw", "wireless")
	r := Run(e, Options{}, from(wireless, toPod(e, db, "10.9.0.4", 5432)))
	check(t, "wireless to db", r, ask(r, podPlace(db, "a")), nothing)
	b.kubeService(c, "a", "db", "LoadBalancer", 5432, 5432, "azure-load-balancer-internal", "true")
	e = b.build()
	frontend, _ := e.Symbols().Of(model.ServiceFrontend, model.Kubernetes("aks", "Service", "a", "db"), "")
	r = Run(e, Options{}, from(wireless, Packet{Src: addr("10.9.0.4"), Dst: frontend, Protocol: model.TCP, DPort: 5432}))
	check(t, "wireless to db by the Service", r, ask(r, podPlace(db, "a")), reached)
}

// X68: outside the cluster pods of one pool look alike; der.
func TestX68(t *testing.T) {
	for _, pinned := range []bool{false, true} {
		b := estate(t)
		b.vnet("net", "10.1.0.0/16")
		b.nsg("pe", "100 Allow In tcp 10.1.1.0/24 -> * 1433", "4096 Deny In * * -> * *")
		b.subnet("net/A", "10.1.1.0/24")
		b.subnet("net/B", "10.1.2.0/24")
		b.subnet("net/pe", "10.1.9.0/24", "nsg=pe", "pe=NetworkSecurityGroupEnabled")
		b.endpoint("sql", "net/pe", "10.1.9.4", "")
		c := b.cluster("aks", "azure", "overlay", "azure", "net/A", "net/B")
		web := b.workload(c, "a", "web")
		want := unclear
		if pinned {
			web.NodeSelector, want = map[string]string{"agentpool": "b"}, nothing
		}
		e := b.build()
		r := Run(e, Options{}, fromPodTo(e, web, "10.1.9.4", 1433))
		check(t, fmt.Sprintf("web to SQL, pinned %v", pinned), r, ask(r, endpoint("sql")), want)
	}
}

// X69: an NSG that denies pod addresses does not separate pods; der.
func TestX69(t *testing.T) {
	b := estate(t)
	b.vnet("net", "10.1.0.0/16")
	b.nsg("nodes", "100 Deny In * 10.244.0.0/16 -> 10.244.0.0/16 *")
	b.subnet("net/nodes", "10.1.1.0/24", "nsg=nodes")
	c := b.cluster("aks", "azure", "overlay", "azure", "net/nodes")
	web, db := b.workload(c, "a", "web"), b.workload(c, "a", "db")
	e := b.build()
	r := Run(e, Options{}, Packet{Src: podAddr(e, web), Dst: podAddr(e, db), Protocol: model.TCP, DPort: 5432})
	check(t, "web to db", r, ask(r, podPlace(db, "a")), unclear)
}
