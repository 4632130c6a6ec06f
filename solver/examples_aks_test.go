package solver

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/importers/azure"
	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/model"
)

// The worked examples of docs/semantics/kubernetes.md in which a cluster stands in a network of Azure, from both inputs on: JSON and YAML,
// importers, solver and interpreter.

// onAKS imports resources, of which one is the cluster aks, and manifests for it, each a document.
func onAKS(t *testing.T, o Options, resources []az.Resource, manifests []string, rows []exampleRow) *Solution {
	t.Helper()
	fsys := az.FS(resources...)
	out, err := azure.Import(fsys, az.Files(fsys))
	if err != nil {
		t.Fatal(err)
	}
	yaml := fstest.MapFS{"m.yaml": {Data: []byte(strings.Join(manifests, "\n---\n"))}}
	k, err := kubernetes.Import(yaml, []string{"m.yaml"}, kubernetes.Options{Cluster: model.ID(az.ID("Microsoft.ContainerService/managedClusters", "aks"))})
	if err != nil {
		t.Fatal(err)
	}
	e, err := model.NewEstate(append(out.Resources, k.Resources...), append(out.Ledger, k.Ledger...))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		for _, text := range []string{r.from, r.to, r.dial} {
			if text != "" {
				o.Questions = append(o.Questions, selectors(t, text)...)
			}
		}
	}
	s, err := Solve(&model.Project{Estate: e}, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// holdAKS asks both engines every row.
func holdAKS(t *testing.T, resources []az.Resource, manifests []string, rows ...exampleRow) *Solution {
	t.Helper()
	s := onAKS(t, Options{}, resources, manifests, rows)
	hold(t, s, rows)
	return s
}

// deployment is a workload of namespace a with the label app; more is written before its containers.
func deployment(name, more string) string {
	return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name + ", namespace: a}, spec: {template: {metadata: {labels: {app: " + name + "}}, spec: {" + more + "containers: [{name: c}]}}, selector: {matchLabels: {app: " + name + "}}}}"
}

func loadBalancer(name, more string) string {
	return "{apiVersion: v1, kind: Service, metadata: {name: " + name + ", namespace: a" + more + "}, spec: {type: LoadBalancer, selector: {app: " + name + "}, ports: [{port: 5432}]}}"
}

// wireless is a site behind a gateway of the VNet net.
func wireless() []az.Resource {
	return []az.Resource{az.VPNGateway("gw", "net", "pip=gw"), az.PublicIP("gw", "20.0.0.6"), az.LocalGateway("wireless", "10.9.0.0/24"), az.Connection("wireless", "gw", "local:wireless")}
}

// X66, composed: an NSG on the pod subnet guards pods; der.
func TestX66(t *testing.T) {
	for rule, want := range map[string]string{"100 Deny In * 10.9.0.0/24 -> * *": "unreachable: pods/securityRules/100", "": "reachable"} {
		rules := slices.DeleteFunc([]string{rule}, func(r string) bool { return r == "" })
		holdAKS(t, append(wireless(),
			az.VNet("net", "10.240.0.0/15", az.Subnet("nodes", "10.240.0.0/24"), az.Subnet("pods", "10.241.0.0/16", "nsg=pods"), az.Subnet("GatewaySubnet", "10.240.255.0/27")),
			az.NSG("pods", rules...), az.Cluster("aks", "azure", "a net/nodes pods=net/pods"),
		), []string{deployment("db", "")}, exampleRow{from: "gateway:gw", to: "pod:a/db", service: "tcp/5432", want: want})
	}
}

// X67, composed: nothing outside addresses an overlay pod; a Service lets in; der.
func TestX67(t *testing.T) {
	network := append(wireless(),
		az.VNet("net", "10.240.0.0/16", az.Subnet("nodes", "10.240.0.0/24", "nsg=nodes"), az.Subnet("GatewaySubnet", "10.240.255.0/27")), az.NSG("nodes"),
		az.Cluster("aks", "azure", "overlay", "a net/nodes"))
	holdAKS(t, network, []string{deployment("db", "")}, exampleRow{from: "gateway:gw", to: "pod:a/db", service: "tcp/5432", want: "unreachable"})
	holdAKS(t, network, []string{deployment("db", ""), loadBalancer("db", ", annotations: {service.beta.kubernetes.io/azure-load-balancer-internal: 'true', service.beta.kubernetes.io/azure-load-balancer-ipv4: 10.240.0.99}")},
		exampleRow{from: "gateway:gw", to: "pod:a/db", service: "tcp/5432", dial: "ip:10.240.0.99", want: "reachable"})
}

// X68, composed: outside the cluster pods of one pool look alike; der.
func TestX68(t *testing.T) {
	for pinned, want := range map[string]string{"": "unknown", "nodeSelector: {agentpool: b}, ": "unreachable"} {
		walk := map[string]string{"unknown": "reachable"}[want] // of a pod on the first pool
		account := az.StorageAccount("sql")
		holdAKS(t, []az.Resource{
			az.VNet("net", "10.1.0.0/16", az.Subnet("A", "10.1.1.0/24"), az.Subnet("B", "10.1.2.0/24"), az.Subnet("pe", "10.1.9.0/24", "nsg=pe", "pe=NetworkSecurityGroupEnabled")),
			az.NSG("pe", "100 Allow In tcp 10.1.1.0/24 -> * 443", "4096 Deny In * * -> * *"), account, az.PrivateEndpoint("pe", "net/pe", "10.1.9.4", account["id"].(string)),
			az.Cluster("aks", "azure", "overlay", "a net/A", "b net/B"),
		}, []string{deployment("web", pinned)}, exampleRow{from: "pod:a/web", to: "endpoint:pe", service: "tcp/443", want: want, walk: walk})
	}
}

// X69, composed: an NSG that denies pod addresses does not separate pods; der.
func TestX69(t *testing.T) {
	holdAKS(t, []az.Resource{
		az.VNet("net", "10.1.0.0/16", az.Subnet("nodes", "10.1.1.0/24", "nsg=nodes")), az.NSG("nodes", "100 Deny In * 10.244.0.0/16 -> 10.244.0.0/16 *"),
		az.Cluster("aks", "azure", "overlay", "a net/nodes"),
	}, []string{deployment("web", ""), deployment("db", "")}, exampleRow{from: "pod:a/web", to: "pod:a/db", service: "tcp/5432", want: "unknown"})
}

// X29, composed: Cilium's ipBlock takes no pods and no nodes; whose a free address of the node subnet is, nobody says; der.
func TestX29(t *testing.T) {
	const policy = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np, namespace: a}, spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}}"
	holdAKS(t, []az.Resource{
		az.VNet("net", "10.240.0.0/16", az.Subnet("nodes", "10.240.0.0/24", "outbound=true"), az.Subnet("vms", "10.240.1.0/24")), az.NIC("vm", "net/vms", "10.240.1.4"),
		az.Cluster("aks", "", "overlay", "cilium", "a net/nodes"),
	}, []string{deployment("web", ""), deployment("db", ""), policy},
		exampleRow{from: "pod:a/web", to: "internet", service: "tcp/443", dial: "ip:203.0.113.7", want: "reachable"},
		exampleRow{from: "pod:a/web", to: "pod:a/db", service: "tcp/5432", want: "unreachable"},
		exampleRow{from: "pod:a/web", to: "subnet:net/nodes", service: "tcp/22", dial: "ip:10.240.0.9", want: "unknown: ASM-K-NODES"},
		exampleRow{from: "pod:a/web", to: "nic:vm", service: "tcp/22", want: "reachable"},
	)
}

// X35, composed: a node port that the manifest leaves out; der.
func TestX35(t *testing.T) {
	const service = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}, spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}"
	for rule, want := range map[string]string{"": "unknown: ASM-K-NODEPORT", "100 Deny In tcp 10.240.1.0/24 -> * 30000-32767": "unreachable"} {
		rules := slices.DeleteFunc([]string{rule}, func(r string) bool { return r == "" })
		holdAKS(t, []az.Resource{
			az.VNet("net", "10.240.0.0/16", az.Subnet("nodes", "10.240.0.0/24", "nsg=nodes"), az.Subnet("vms", "10.240.1.0/24")), az.NIC("vm", "net/vms", "10.240.1.4"), az.NSG("nodes", rules...),
			az.Cluster("aks", "azure", "overlay", "a net/nodes"),
		}, []string{deployment("web", ""), service}, exampleRow{from: "nic:vm", to: "pod:a/web", service: "tcp/8080", dial: "ip:10.240.0.9", port: "tcp/30080", want: want})
	}
}

// X-EDGE-26 of azure-edge-and-aks.md: what a static egress gateway carries skips the pod's egress policies, and may leave by its pool, whose
// subnet decides then; what is for the cluster does not.
func TestStaticEgressGateway(t *testing.T) {
	const (
		policy  = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np, namespace: a}, spec: {podSelector: {}, policyTypes: [Egress]}}"
		gateway = "{apiVersion: egressgateway.kubernetes.azure.com/v1alpha1, kind: StaticGatewayConfiguration, metadata: {name: gw, namespace: a}, spec: {gatewayNodepoolName: gw}}"
		note    = "unknown: UNSUPPORTED(egressgateway.kubernetes.azure.com/v1alpha1/StaticGatewayConfiguration gw)"
	)
	annotated := strings.Replace(deployment("web", ""), "metadata: {labels", "metadata: {annotations: {kubernetes.azure.com/static-gateway-configuration: gw}, labels", 1)
	network := func(rule string) []az.Resource {
		return []az.Resource{
			az.VNet("net", "10.240.0.0/16", az.Subnet("nodes", "10.240.0.0/24", "nsg=nodes", "outbound=true"), az.Subnet("gw", "10.240.2.0/28", "nsg=gw", "outbound=true")),
			az.NSG("nodes", "100 Deny Out tcp * -> Internet *"), az.NSG("gw", rule), az.Cluster("aks", "", "overlay", "cilium", "a net/nodes", "gw net/gw mode=Gateway"),
		}
	}
	out := func(want string) exampleRow {
		return exampleRow{from: "pod:a/web", to: "internet", service: "tcp/443", dial: "ip:203.0.113.7", want: want}
	}
	const open, shut = "100 Allow Out tcp * -> Internet 443", "100 Deny Out * * -> Internet *"
	inside := exampleRow{from: "pod:a/web", to: "pod:a/db", service: "tcp/443", want: "unreachable"}
	pinned := func(pod string) string {
		return strings.Replace(pod, "spec: {containers", "spec: {nodeSelector: {agentpool: a}, containers", 1)
	}
	holdAKS(t, network(open), []string{pinned(annotated), deployment("db", ""), policy, gateway}, out(note), inside)
	holdAKS(t, network(shut), []string{pinned(annotated), deployment("db", ""), policy, gateway}, out("unreachable"), inside)
	holdAKS(t, network(open), []string{pinned(annotated), deployment("db", ""), policy}, out("unknown: MISSING(static egress gateway gw)"), inside)
	holdAKS(t, network(open), []string{pinned(deployment("web", "")), deployment("db", ""), policy, gateway}, out("unreachable"), inside)
}

// K8S-GEN-07 and AKS-NET-03 where a network stands around: what may carry packets elsewhere, hide them behind their node or take them before
// a Service does.
func TestUnmodelledOnAKS(t *testing.T) {
	network := func(rule string, mode ...string) []az.Resource {
		return []az.Resource{
			az.VNet("net", "10.240.0.0/16", az.Subnet("nodes", "10.240.0.0/24"), az.Subnet("vms", "10.240.1.0/24", "nsg=vms")), az.NIC("vm", "net/vms", "10.240.1.4"), az.NSG("vms", rule),
			az.Cluster("aks", "none", append(mode, "a net/nodes")...),
		}
	}
	const (
		thing = "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t, namespace: a}}"
		agent = "{apiVersion: v1, kind: ConfigMap, metadata: {name: azure-ip-masq-agent-config, namespace: kube-system}, data: {}}"
		deny  = "100 Deny In * 10.240.0.0/24 -> * *"
		admit = "100 Allow In * 10.240.0.0/24 -> * *"
	)
	to := func(want string) exampleRow {
		return exampleRow{from: "pod:a/web", to: "nic:vm", service: "tcp/443", want: want}
	}
	web := deployment("web", "")
	holdAKS(t, network(deny, "overlay"), []string{web}, to("unreachable"))
	holdAKS(t, network(admit, "overlay"), []string{web}, to("reachable"))
	holdAKS(t, network(admit, "overlay"), []string{web, thing}, to("unknown: UNSUPPORTED(example.com/v1/Thing t)"))
	// The pod is at 10.240.0.9, which one rule admits and another shuts out for the rest of its subnet.
	live := "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.240.0.9}}"
	flat := append(network("200 Deny In * 10.240.0.0/24 -> * *"), az.ASG("none"))
	flat[2] = az.NSG("vms", "100 Allow In * 10.240.0.9/32 -> * *", "200 Deny In * 10.240.0.0/24 -> * *")
	holdAKS(t, flat, []string{live}, to("reachable"))
	holdAKS(t, flat, []string{live, agent}, to("unknown: UNSUPPORTED(v1/ConfigMap azure-ip-masq-agent-config)"))
}
