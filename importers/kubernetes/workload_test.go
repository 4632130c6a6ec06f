package kubernetes

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

// controller writes a workload whose template has labels; extra is further YAML of its spec.
func controller(apiVersion, kind, name, labels, extra string) string {
	return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: a, labels: {app: own}}\nspec:\n" + extra +
		"  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {" + labels + "}}\n    spec: {containers: [{name: c}]}\n"
}

// owned gives the second line of metadata to an object: its controlling owner.
func owned(text, kind, name string) string {
	return strings.Replace(text, "labels: {app: own}", "ownerReferences: [{apiVersion: x/v1, kind: "+kind+", name: "+name+", uid: u, controller: true}]", 1)
}

// workloads prints ID, labels, implied labels, replicas and addresses of every workload.
func workloads(r Result) []string {
	var out []string
	for _, res := range r.Resources {
		w, ok := res.(*model.Workload)
		if !ok {
			continue
		}
		line := strings.TrimPrefix(string(w.ID), "kubernetes:aks-prod/") + fmt.Sprintf(" %v", w.Labels)
		if len(w.Implied) > 0 {
			line += fmt.Sprintf(" implied %v", w.Implied)
		}
		if w.Replicas != -1 {
			line += fmt.Sprintf(" replicas %d", w.Replicas)
		}
		if w.Suspended {
			line += " suspended"
		}
		if len(w.Addresses) > 0 {
			line += fmt.Sprintf(" at %v", w.Addresses)
		}
		out = append(out, line)
	}
	return out
}

// TestWorkloadLabels is K8S-WL-01, K8S-WL-02 and K8S-WL-05: which labels pods of a template have for certain, and which are implied.
func TestWorkloadLabels(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a Deployment", controller("apps/v1", "Deployment", "web", "app: web, pod-template-hash: x", ""), "Deployment/a/web map[app:web] implied [pod-template-hash]"},
		{"scaled to zero", controller("apps/v1", "Deployment", "web", "app: web", "  replicas: 0\n"), "Deployment/a/web map[app:web] implied [pod-template-hash] replicas 0"},
		{"a ReplicaSet", controller("apps/v1", "ReplicaSet", "web", "app: web, pod-template-hash: x", ""), "ReplicaSet/a/web map[app:web pod-template-hash:x]"},
		{
			"a StatefulSet", controller("apps/v1", "StatefulSet", "web", "app: web", "  replicas: 3\n"),
			"StatefulSet/a/web map[app:web] implied [apps.kubernetes.io/pod-index controller-revision-hash statefulset.kubernetes.io/pod-name] replicas 3",
		},
		{"a DaemonSet", controller("apps/v1", "DaemonSet", "web", "app: web", ""), "DaemonSet/a/web map[app:web] implied [controller-revision-hash pod-template-generation]"},
		{
			"a ReplicationController", strings.Replace(controller("v1", "ReplicationController", "web", "app: web", ""), "{matchLabels: {app: web}}", "{app: web}", 1),
			"ReplicationController/a/web map[app:web]",
		},
		{
			"a Job: its name is known", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: a}\nspec:\n  suspend: true\n  completionMode: Indexed\n  template: {metadata: {labels: {app: job}}, spec: {containers: [{name: c}]}}\n",
			"Job/a/j map[app:job batch.kubernetes.io/job-name:j job-name:j] implied [batch.kubernetes.io/controller-uid batch.kubernetes.io/job-completion-index controller-uid] suspended",
		},
		{
			"X24: only the labels of the pod template of a CronJob", "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j, namespace: a, labels: {app: db}}\nspec:\n  jobTemplate:\n    metadata: {labels: {app: db}}\n    spec: {template: {metadata: {labels: {role: batch}}, spec: {containers: [{name: c}]}}}\n",
			"CronJob/a/j map[role:batch] implied [batch.kubernetes.io/controller-uid batch.kubernetes.io/job-name controller-uid job-name]",
		},
		{"a pod without labels", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c}]}\n", "Pod/default/x map[] replicas 1"},
	} {
		if diff := cmp.Diff([]string{test.want}, workloads(mustImport(t, "m.yaml", test.text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestOwners is K8S-WL-03 and K8S-WL-04: live pods under the controller that people know, in as many classes as selectors tell apart.
func TestOwners(t *testing.T) {
	deployment := controller("apps/v1", "Deployment", "web", "app: web", "  replicas: 2\n")
	old := owned(controller("apps/v1", "ReplicaSet", "web-1", "app: web, pod-template-hash: '1', track: old", "  replicas: 0\n"), "Deployment", "web")
	current := owned(controller("apps/v1", "ReplicaSet", "web-2", "app: web, pod-template-hash: '2'", "  replicas: 2\n"), "Deployment", "web")
	selects := func(key string) string {
		return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: a}\nspec: {podSelector: {matchExpressions: [{key: " + key + ", operator: Exists}]}}\n"
	}
	pod1 := livePod("web-1-x", "web-1", "app: web, pod-template-hash: '1', track: old", "10.0.0.1")
	pod2 := livePod("web-2-y", "web-2", "app: web, pod-template-hash: '2'", "10.0.0.2")
	pod3 := livePod("web-2-z", "web-2", "app: web, pod-template-hash: '2'", "10.0.0.3")
	done := strings.Replace(pod3, "phase: Running", "phase: Succeeded", 1)
	for _, test := range []struct {
		name string
		docs []string
		want []string
	}{
		{"the pods win, the ReplicaSet in between is known", []string{deployment, current, pod2, pod3}, []string{"Deployment/a/web map[app:web pod-template-hash:2] replicas 2 at [10.0.0.2 10.0.0.3]"}},
		{"the ReplicaSet names its Deployment, which is not in the input", []string{current, pod2}, []string{"Deployment/a/web map[app:web pod-template-hash:2] replicas 1 at [10.0.0.2]"}},
		{"no ReplicaSet: the hash is cut off if the pod has it", []string{pod2}, []string{"Deployment/a/web map[app:web pod-template-hash:2] replicas 1 at [10.0.0.2]"}},
		{"no ReplicaSet, and no such hash", []string{livePod("web-2-y", "web-2", "app: web, pod-template-hash: '3'", "10.0.0.2")}, []string{"ReplicaSet/a/web-2 map[app:web pod-template-hash:3] replicas 1 at [10.0.0.2]"}},
		{"no hash at all", []string{livePod("web-2-y", "web-2", "app: web", "10.0.0.2")}, []string{"ReplicaSet/a/web-2 map[app:web] replicas 1 at [10.0.0.2]"}},
		{
			"two kinds of pods that nobody tells apart",
			[]string{deployment, pod1, pod2},
			[]string{"Deployment/a/web map[app:web] implied [pod-template-hash track] replicas 2 at [10.0.0.1 10.0.0.2]"},
		},
		{
			"two kinds that a selector tells apart",
			[]string{deployment, pod1, pod2, pod3, selects("track")},
			[]string{
				"Deployment/a/web#1 map[app:web pod-template-hash:1 track:old] replicas 1 at [10.0.0.1]",
				"Deployment/a/web#2 map[app:web pod-template-hash:2] replicas 2 at [10.0.0.2 10.0.0.3]",
			},
		},
		{"a Service tells them apart too", []string{pod1, pod2, service("selector: {track: old}\nports: [{port: 1}]\n")}, []string{
			"Deployment/a/web#1 map[app:web pod-template-hash:1 track:old] replicas 1 at [10.0.0.1]",
			"Deployment/a/web#2 map[app:web pod-template-hash:2] replicas 1 at [10.0.0.2]",
		}},
		{
			"two kinds that differ in a port",
			[]string{pod2, strings.Replace(pod3, "{name: c}", "{name: c, ports: [{name: http, containerPort: 80}]}", 1)},
			[]string{
				"Deployment/a/web#1 map[app:web pod-template-hash:2] replicas 1 at [10.0.0.3]",
				"Deployment/a/web#2 map[app:web pod-template-hash:2] replicas 1 at [10.0.0.2]",
			},
		},
		{"a controller's own selector tells nothing apart", []string{strings.Replace(deployment, "{matchLabels: {app: web}}", "{matchExpressions: [{key: track, operator: DoesNotExist}]}", 1), pod1, pod2}, []string{"Deployment/a/web map[app:web] implied [pod-template-hash track] replicas 2 at [10.0.0.1 10.0.0.2]"}},
		{"K8S-NP-28: finished pods do not count", []string{deployment, pod2, done}, []string{"Deployment/a/web map[app:web pod-template-hash:2] replicas 1 at [10.0.0.2]"}},
		{"only finished pods: the template counts", []string{deployment, done}, []string{"Deployment/a/web map[app:web] implied [pod-template-hash] replicas 2"}},
		{"nothing but a finished pod", []string{done}, nil},
		{"no pods: a ReplicaSet of history is none", []string{deployment, old}, []string{"Deployment/a/web map[app:web] implied [pod-template-hash] replicas 2"}},
		{"no pods: what the current ReplicaSet adds merges", []string{deployment, current}, []string{"Deployment/a/web map[app:web] implied [pod-template-hash] replicas 2"}},
		{
			"no pods: a rollout between two templates",
			[]string{deployment, strings.Replace(old, "replicas: 0", "replicas: 1", 1), current, selects("track")},
			[]string{
				"Deployment/a/web#1 map[app:web pod-template-hash:1 track:old] replicas 1",
				"Deployment/a/web#2 map[app:web] implied [pod-template-hash] replicas 2",
			},
		},
		{"only ReplicaSets, and none has pods", []string{old}, []string{"Deployment/a/web map[app:web pod-template-hash:1 track:old] replicas 0"}},
		{"a static pod belongs to its node, and stands for itself", []string{strings.NewReplacer("kind: ReplicaSet", "kind: Node").Replace(pod2)}, []string{"Pod/a/web-2-y map[app:web pod-template-hash:2] replicas 1 at [10.0.0.2]"}},
		{"a controller of another kind", []string{strings.NewReplacer("kind: ReplicaSet, name: web-2", "kind: CloneSet, name: web").Replace(pod2)}, []string{"CloneSet/a/web map[app:web pod-template-hash:2] replicas 1 at [10.0.0.2]"}},
		{"an operator above a Deployment does not hide it", []string{owned(deployment, "Shop", "s"), pod2}, []string{"Deployment/a/web map[app:web pod-template-hash:2] replicas 1 at [10.0.0.2]"}},
		{"owners in a circle", []string{owned(controller("apps/v1", "ReplicaSet", "web-1", "app: web", ""), "ReplicaSet", "web-2"), owned(controller("apps/v1", "ReplicaSet", "web-2", "app: web", ""), "ReplicaSet", "web-1")}, []string{"ReplicaSet/a/web-1 map[app:web]", "ReplicaSet/a/web-2 map[app:web]"}},
	} {
		r := mustImport(t, "m.yaml", strings.Join(test.docs, "---\n"))
		if diff := cmp.Diff(test.want, workloads(r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		modelled := 0
		for _, e := range r.Ledger {
			if e.Field == "" {
				modelled++
			}
		}
		if modelled != len(test.docs) {
			t.Errorf("%s: %d ledger entries for %d objects", test.name, modelled, len(test.docs))
		}
	}
}

// TestPlacement says when a required affinity narrows where pods may run: not for pods that a scheduler has placed already.
func TestPlacement(t *testing.T) {
	required := func(terms string) string {
		return "containers: [{name: c}]\naffinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [" + terms + "]}}}\n"
	}
	running := "status: {phase: Running, podIP: 10.0.0.1, hostIP: 10.1.0.1}\n"
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"none", pod("containers: [{name: c}]\n"), false},
		{"required", pod(required("{matchExpressions: [{key: a, operator: Exists}]}")), true},
		{"preferred only", pod("containers: [{name: c}]\naffinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: a, operator: Exists}]}}]}}\n"), false},
		{"other pods only", pod("containers: [{name: c}]\naffinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone}]}}\n"), false},
		{"a node's name", pod("containers: [{name: c}]\nnodeName: aks-1\n"), true},
		{"a node's name, by the scheduler", pod("containers: [{name: c}]\nnodeName: aks-1\n") + running, false},
		{"a node's name as a field", pod(required("{matchFields: [{key: metadata.name, operator: In, values: [aks-1]}]}")), true},
		{"the same, by a DaemonSet", pod(required("{matchFields: [{key: metadata.name, operator: In, values: [aks-1]}]}")) + running, false},
	} {
		w := get[*model.Workload](t, mustImport(t, "m.yaml", test.text), "Pod", "default", "x")
		if w.Affinity != test.want {
			t.Errorf("%s: affinity %v, want %v", test.name, w.Affinity, test.want)
		}
	}
}

// TestContainers has ports, host ports and probes of all kinds of containers.
func TestContainers(t *testing.T) {
	w := get[*model.Workload](t, mustImport(t, "m.yaml", pod(`initContainers:
- {name: i, ports: [{name: init, containerPort: 1}], livenessProbe: {tcpSocket: {port: 1}}}
- {name: s, restartPolicy: Always, ports: [{name: side, containerPort: 2, protocol: SCTP}], startupProbe: {grpc: {port: 2}}}
containers:
- name: c
  ports:
  - {name: http, containerPort: 8080}
  - {containerPort: 53, protocol: UDP, hostPort: 1053, hostIP: 10.0.0.4}
  - {containerPort: 54, hostPort: 1054, hostIP: 0.0.0.0}
  livenessProbe: {httpGet: {port: http}}
  readinessProbe: {httpGet: {port: 8080, host: 127.0.0.1}}
  startupProbe: {exec: {command: [cat]}}
`)), "Pod", "default", "x")
	type port struct {
		name     string
		port     uint16
		protocol model.Protocol
		target   uint16
		hostIP   netip.Addr
	}
	flat := func(list []model.ContainerPort) []port {
		var out []port
		for _, p := range list {
			out = append(out, port{p.Name, p.Port, p.Protocol, p.Target, p.HostIP})
		}
		return out
	}
	// K8S-NP-18: a plain init container is gone when the pod serves; a restartable one is there.
	if got, want := flat(w.Ports), []port{{"side", 2, model.SCTP, 0, netip.Addr{}}, {"http", 8080, model.TCP, 0, netip.Addr{}}, {"", 53, model.UDP, 0, netip.Addr{}}, {"", 54, model.TCP, 0, netip.Addr{}}}; !slices.Equal(got, want) {
		t.Errorf("ports: got %v, want %v", got, want)
	}
	if got, want := flat(w.HostPorts), []port{{"", 1053, model.UDP, 53, netip.MustParseAddr("10.0.0.4")}, {"", 1054, model.TCP, 54, netip.Addr{}}}; !slices.Equal(got, want) {
		t.Errorf("host ports: got %v, want %v", got, want)
	}
	var probes []string
	for _, p := range w.Probes {
		probes = append(probes, fmt.Sprint(p.Kind, " ", p.Action, " ", p.Port, p.PortName))
	}
	if got, want := probes, []string{"startup grpc 2", "liveness httpGet 0http"}; !slices.Equal(got, want) {
		t.Errorf("probes: got %q, want %q", got, want)
	}

	// A pod in the node's network has the node's ports: hostPort says nothing more.
	host := get[*model.Workload](t, mustImport(t, "m.yaml", pod("hostNetwork: true\ncontainers: [{name: c, ports: [{containerPort: 80, hostPort: 80}]}]\n")), "Pod", "default", "x")
	if !host.HostNetwork || len(host.HostPorts) != 0 || len(host.Ports) != 1 {
		t.Errorf("host network: got %+v", host)
	}
}

// TestVolumes has the kinds of volumes that outlive their pod.
func TestVolumes(t *testing.T) {
	w := get[*model.Workload](t, mustImport(t, "m.yaml", pod(`containers: [{name: c}]
volumes:
- {name: a, persistentVolumeClaim: {claimName: x}}
- {name: b, persistentVolumeClaim: {claimName: z}}
- {name: c, emptyDir: {}}
- {name: d, secret: {secretName: s}}
- {name: e, csi: {driver: secrets-store.csi.k8s.io}}
- {name: f, nfs: {server: 10.0.0.1, path: /}}
- {name: g, projected: {sources: []}}
`)), "Pod", "default", "x")
	if got, want := w.Volumes, []string{"nfs", "persistentVolumeClaim"}; !slices.Equal(got, want) {
		t.Errorf("volumes: got %v, want %v", got, want)
	}
	s := get[*model.Workload](t, mustImport(t, "m.yaml", controller("apps/v1", "StatefulSet", "db", "app: web", "  volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce]}}]\n")), "StatefulSet", "a", "db")
	if !s.Claims {
		t.Error("a StatefulSet with volumeClaimTemplates has no claims")
	}
}

// K8S-WL-07: a toleration by an order of numbers leaves no pool out, whatever the taint's number is.
func TestTolerations(t *testing.T) {
	e := mustImport(t, "m.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a}\nspec:\n  containers: [{name: c}]\n  tolerations: [{key: sla, operator: Gt, value: '950', effect: NoSchedule}, {key: only, value: a}]\n")
	want := []model.Toleration{{Key: "sla", Operator: "Exists", Value: "950", Effect: "NoSchedule"}, {Key: "only", Operator: "Equal", Value: "a"}}
	if diff := cmp.Diff(get[*model.Workload](t, e, "Pod", "a", "p").Tolerations, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}
