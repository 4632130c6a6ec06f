package solver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// exposed is the base cluster of the Kubernetes examples, namespaces a{env=prod} with web and db, b{env=dev} with api, and one policy; it
// returns the rows about pods that do not exist yet and ends that are asked for, as `src -> dst ports verdict`.
func exposed(t *testing.T, n *model.NetworkPolicy, only string) []string {
	t.Helper()
	meta := func(kind, namespace, name string) model.Meta {
		return model.Meta{ID: model.Kubernetes("B", kind, namespace, name), Source: model.Source{File: "b.yaml"}}
	}
	c := &model.Cluster{Meta: meta("Cluster", "", "B"), Manifest: true}
	resources := []model.Resource{c}
	for name, env := range map[string]string{"a": "prod", "b": "dev"} {
		labels := map[string]string{"kubernetes.io/metadata.name": name, "env": env}
		resources = append(resources, &model.Namespace{Meta: meta("Namespace", "", name), Cluster: c.ID, Labels: labels, Declared: true})
	}
	for _, name := range []string{"a/web", "a/db", "b/api"} {
		ns, app, _ := strings.Cut(name, "/")
		resources = append(resources, &model.Workload{Meta: meta("Deployment", ns, app), Cluster: c.ID, Namespace: ns, Kind: "Deployment", Labels: map[string]string{"app": app}})
	}
	if n != nil {
		n.Meta, n.Cluster, n.Namespace = meta("NetworkPolicy", "a", "p"), c.ID, "a"
		resources = append(resources, n)
	}
	e, err := model.NewEstate(resources, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := WorkloadMatrix(&model.Project{Estate: e}, Options{}, WorkloadQuestion{Exposure: true})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range rows {
		if r.Src != only && r.Dst != only {
			continue
		}
		var services []string
		for _, p := range r.Packets {
			s := p.Protocol
			if !slices.Equal(p.DPort, []string{"0-65535"}) {
				s += "/" + strings.Join(p.DPort, ",")
			}
			services = append(services, s)
		}
		out = append(out, fmt.Sprintf("%s -> %s %s %s", r.Src, r.Dst, strings.Join(services, " "), r.Verdict))
	}
	return out
}

func labelled(kv ...string) *model.LabelSelector {
	s := &model.LabelSelector{}
	for i := 0; i < len(kv); i += 2 {
		if s.Match == nil {
			s.Match = map[string]string{}
		}
		s.Match[kv[i]] = kv[i+1]
	}
	return s
}

func onTCP(port uint16) []model.PolicyPort {
	return []model.PolicyPort{{Protocol: model.TCP, Ports: model.PortRange{First: port, Last: port}}}
}

// X60: what every pod of the cluster may open is the entire cluster's, what a pod of the input may open is its own (K8S-EXP-02 to
// K8S-EXP-04).
func TestX60(t *testing.T) {
	got := exposed(t, &model.NetworkPolicy{
		Pods: *labelled("app", "web"), Isolates: [2]bool{model.Inbound: true},
		Ingress: []model.PolicyRule{
			{Peers: []model.PolicyPeer{{Namespaces: labelled()}}, Ports: onTCP(8050)},
			{Peers: []model.PolicyPeer{{Namespaces: labelled("kubernetes.io/metadata.name", "a"), Pods: labelled("app", "db")}}},
		},
	}, "pod:a/web")
	want := []string{
		"entire-cluster -> pod:a/web tcp/8050 reachable",
		"pod:a/db -> pod:a/web any reachable",
		"pod:a/web -> entire-cluster any reachable", // not protected on egress
		"pod:a/web -> internet any reachable",
		"pod:a/web -> pod:a/db any reachable",
		"pod:a/web -> pod:a/web tcp/8050 reachable",
		"pod:a/web -> pod:b/api any reachable",
		"pod:b/api -> pod:a/web tcp/8050 reachable",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

// X61: a namespace that does not exist.
func TestX61(t *testing.T) {
	got := exposed(t, &model.NetworkPolicy{
		Pods: *labelled("app", "web"), Isolates: [2]bool{model.Inbound: true},
		Ingress: []model.PolicyRule{{Peers: []model.PolicyPeer{{Namespaces: labelled("kubernetes.io/metadata.name", "backend"), Pods: labelled("app", "new")}}, Ports: onTCP(8050)}},
	}, "pod:a/web")
	got = slices.DeleteFunc(got, func(row string) bool { return strings.HasPrefix(row, "pod:a/web") })
	want := []string{"future:B/backend[app=new] -> pod:a/web tcp/8050 reachable"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

// Ports by name stay symbolic at pods that do not exist yet, and labels are cut where rules tell them apart (K8S-EXP-04, K8S-NP-19).
func TestExposureToNewPods(t *testing.T) {
	got := exposed(t, &model.NetworkPolicy{
		Pods: *labelled("app", "web"), Isolates: [2]bool{model.Outbound: true},
		Egress: []model.PolicyRule{
			{Peers: []model.PolicyPeer{{Namespaces: labelled("env", "dev")}}, Ports: []model.PolicyPort{{Protocol: model.TCP, Named: "http"}}},
			{Peers: []model.PolicyPeer{{Pods: &model.LabelSelector{Requirements: []model.Requirement{{Key: "app", Operator: "NotIn", Values: []string{"web", "db"}}}}}}, Ports: onTCP(53)},
		},
	}, "pod:a/web")
	got = slices.DeleteFunc(got, func(row string) bool { return !strings.Contains(row, "future:") && !strings.Contains(row, "entire") })
	want := []string{
		"entire-cluster -> pod:a/web any reachable",
		"pod:a/web -> future:B/*{kubernetes.io/metadata.name!=a,env=dev} tcp/http reachable",
		"pod:a/web -> future:B/a[app notin (db,web)] tcp/53 reachable",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

// Beyond the limit of cells both bounds are given for the entire cluster, with what they rest on (K8S-EXP-02).
func TestExposureBeyondTheLimit(t *testing.T) {
	n := &model.NetworkPolicy{Pods: *labelled("app", "web"), Isolates: [2]bool{model.Inbound: true}}
	for i := range 16 {
		n.Ingress = append(n.Ingress, model.PolicyRule{Peers: []model.PolicyPeer{{Namespaces: labelled(), Pods: labelled(fmt.Sprint("k", i), "v")}}, Ports: onTCP(uint16(1000 + i))})
	}
	n.Ingress = append(n.Ingress, model.PolicyRule{Peers: []model.PolicyPeer{{Namespaces: labelled()}}, Ports: onTCP(53)})
	got := exposed(t, n, EntireCluster)
	want := []string{
		"entire-cluster -> pod:a/db any reachable", "entire-cluster -> pod:a/web tcp/53 reachable", "entire-cluster -> pod:a/web tcp/1000-1015 unknown",
		"entire-cluster -> pod:b/api any reachable", "pod:a/db -> entire-cluster any reachable", "pod:a/web -> entire-cluster any reachable", "pod:b/api -> entire-cluster any reachable",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

// futures are the rows about pods that do not exist yet, in a cluster of manifests.
func (k *kube) futures(ends ...string) []string {
	k.t.Helper()
	rows, _, err := WorkloadMatrix(k.s.Project, Options{}, WorkloadQuestion{Exposure: true})
	if err != nil {
		k.t.Fatal(err)
	}
	var out []string
	for _, r := range rows {
		if !isFuture(r.Src) && !isFuture(r.Dst) || !slices.Contains(ends, r.Src) && !slices.Contains(ends, r.Dst) {
			continue
		}
		var services []string
		for _, p := range r.Packets {
			s := p.Protocol
			if !slices.Equal(p.DPort, []string{"0-65535"}) {
				s += "/" + strings.Join(p.DPort, ",")
			}
			services = append(services, s)
		}
		out = append(out, fmt.Sprintf("%s -> %s %s %s", r.Src, r.Dst, strings.Join(services, " "), r.Verdict))
	}
	slices.Sort(out)
	return out
}

func isFuture(end string) bool { return end == EntireCluster || strings.HasPrefix(end, "future:") }

// X62: a rule that denies by labels of the namespace leaves out new pods of every other one alone (K8S-EXP-04); der.
func TestX62(t *testing.T) {
	inBoth(t, func(t *testing.T, policy tierText) {
		k := manifests(t, tiersEngine, netPolicy("podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]"), policy("p", "Admin", 10, prod, "ingress: [{action: Deny, from: [{namespaces: {matchLabels: {env: dev}}}]}]"))
		k.flows("api>web * D", "db>web * A", "ext>web * D") // X40
		want := []string{
			"future:B/*{env!=dev} -> pod:a/web icmp,esp,ah unknown", // K8S-NP-24, of an engine that is none of AKS's
			"future:B/*{env!=dev} -> pod:a/web tcp,udp,sctp reachable",
			"pod:a/web -> entire-cluster any reachable",
		}
		if diff := cmp.Diff(k.futures("pod:a/web"), want); diff != "" {
			t.Error(diff)
		}
	})
}

// Exposure where other policies than NetworkPolicies act (K8S-EXP-02, K8S-EXP-04); der.
func TestExposureByOtherPolicies(t *testing.T) {
	const closed = "podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]"
	for _, test := range []struct {
		name, engine string
		policies     []string
		want         []string // of web
	}{
		{"an Admin rule overrides isolation", tiersEngine, []string{netPolicy(closed), tierPolicy(false, "p", "Admin", 10, prod, "ingress: [{action: Accept, from: [{pods: {namespaceSelector: {matchLabels: {env: dev}}, podSelector: {matchLabels: {role: probe}}}}]}]")}, []string{
			"entire-cluster -> pod:a/web icmp,esp,ah unknown", // K8S-NP-24
			"future:B/*{env=dev}[role=probe] -> pod:a/web any reachable", "pod:a/web -> entire-cluster any reachable",
		}},
		{"and is open where the engine may not enforce it", "azure", []string{netPolicy(closed), tierPolicy(false, "p", "Admin", 10, prod, "ingress: [{action: Accept, "+fromAll+", protocols: [{tcp: {destinationPort: {number: 80}}}]}]")}, []string{
			"entire-cluster -> pod:a/web tcp/80 unknown", "pod:a/web -> entire-cluster any reachable",
		}},
		{"a Baseline leaves what NetworkPolicies decide", tiersEngine, []string{tierPolicy(false, "default", "Baseline", 0, prod, "egress: [{action: Deny, to: [{namespaces: {matchLabels: {env: dev}}}]}]")}, []string{
			"entire-cluster -> pod:a/web any reachable", "pod:a/web -> future:B/*{env!=dev} any reachable",
		}},
		{"networks hold pods", tiersEngine, []string{tierPolicy(false, "p", "Admin", 10, prod, "egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]")}, []string{"entire-cluster -> pod:a/web any reachable"}},
		{"Cilium", "cilium", []string{ciliumPolicy(onWeb + "ingress: [{fromEndpoints: [{matchLabels: {role: probe}}], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}], egress: [{toEntities: [world]}]")}, []string{
			"future:B/a[role=probe] -> pod:a/web tcp/80 reachable",
		}},
		{"Cilium, a rule that denies", "cilium", []string{clusterwide("endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEntities: [cluster]}], ingressDeny: [{fromEndpoints: [{matchLabels: {role: probe}}]}]")}, []string{
			"future:B/*[role!=probe] -> pod:a/web any reachable", "pod:a/web -> entire-cluster any reachable",
		}},
		{"Calico", "calico", []string{calicoGlobal("g", "order: 10, selector: app == 'web', types: [Ingress], ingress: [{action: Deny, source: {namespaceSelector: \"env == 'dev'\"}}, {action: Allow, protocol: TCP, source: {selector: role == 'probe'}, destination: {ports: [80]}}]")}, []string{
			"future:B/*{env!=dev}[role=probe] -> pod:a/web tcp/80 reachable", "pod:a/web -> entire-cluster any reachable",
		}},
		{"Calico, own namespace", "calico", []string{calicoPolicy("p", "selector: app == 'web', types: [Egress], egress: [{action: Allow, destination: {selector: role == 'probe'}}]")}, []string{
			"entire-cluster -> pod:a/web any reachable", "pod:a/web -> future:B/a[role=probe] any reachable",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(manifests(t, test.engine, test.policies...).futures("pod:a/web"), test.want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Exposure in a cluster of Azure: certain where nothing between nodes stops pods, open where an NSG may (K8S-EXP-04, K8S-AZ-04, K8S-AZ-05); der.
func TestExposureOnAKS(t *testing.T) {
	const (
		closed = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np, namespace: a}, spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {env: dev}}}], ports: [{port: 80}, {port: 53, protocol: UDP}]}]}}"
		admin  = "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: p}, spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {matchLabels: {env: test}}}]}]}}"
		mesh   = "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {istio-injection: enabled}}}\n---\n{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: m, namespace: a}, spec: {mtls: {mode: STRICT}}}"
		open   = "pod:a/web -> entire-cluster tcp,udp,icmp reachable"
		rest   = "pod:a/web -> entire-cluster sctp,esp,ah unknown"
	)
	const denied = "100 Deny In tcp 10.244.0.0/16 -> 10.244.0.0/16 80"
	for _, test := range []struct {
		name, rule, mode string
		manifests        []string
		want             []string
	}{
		{"overlay", "", "overlay", []string{closed}, []string{"future:aks/*{env=dev} -> pod:a/web tcp/80 udp/53 reachable", rest, open}},
		{"an NSG between nodes stops TCP", denied, "overlay", []string{closed}, []string{
			"future:aks/*{env=dev} -> pod:a/web tcp/80 unknown", "future:aks/*{env=dev} -> pod:a/web udp/53 reachable",
			"pod:a/web -> entire-cluster tcp,sctp,esp,ah unknown", "pod:a/web -> entire-cluster udp,icmp reachable",
		}},
		{"addresses of the VNet", "", "", []string{closed}, []string{"future:aks/*{env=dev} -> pod:a/web tcp/80 udp/53 reachable", rest, open}},
		{"and an NSG", "100 Deny In udp 10.240.0.0/24 -> * *", "", []string{closed}, []string{
			"future:aks/*{env=dev} -> pod:a/web tcp/80 reachable", "future:aks/*{env=dev} -> pod:a/web udp/53 unknown",
			"pod:a/web -> entire-cluster tcp,icmp reachable", "pod:a/web -> entire-cluster udp,sctp,esp,ah unknown",
		}},
		{"a mesh may refuse", "", "overlay", []string{closed, mesh}, []string{
			"future:aks/*{env=dev} -> pod:a/web tcp/80 unknown", "future:aks/*{env=dev} -> pod:a/web udp/53 reachable", rest, open,
		}},
		{"a rule that the engine may not enforce", "", "overlay", []string{admin}, []string{
			"entire-cluster -> pod:a/web any unknown", "future:aks/*{env!=test} -> pod:a/web sctp,esp,ah unknown", "future:aks/*{env!=test} -> pod:a/web tcp,udp,icmp reachable", rest, open,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			rules := slices.DeleteFunc([]string{test.rule}, func(r string) bool { return r == "" })
			mode := slices.DeleteFunc([]string{test.mode}, func(r string) bool { return r == "" })
			s := onAKS(t, Options{}, []az.Resource{
				az.VNet("net", "10.240.0.0/16", az.Subnet("nodes", "10.240.0.0/24", "nsg=nodes")), az.NSG("nodes", rules...), az.Cluster("aks", "azure", append(mode, "a net/nodes")...),
			}, append(test.manifests, deployment("web", "")), nil)
			k := &kube{&joint{s: s}, t}
			if diff := cmp.Diff(k.futures("pod:a/web"), test.want); diff != "" {
				t.Error(diff)
			}
		})
	}
}
