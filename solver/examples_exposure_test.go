package solver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
