package kubernetes

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

// TestKindTable holds the table to its promises.
func TestKindTable(t *testing.T) {
	index := kindIndex() // panics where a kind stands twice
	for key, k := range index {
		name := key.group + "/" + key.kind
		if k.why == "" {
			t.Errorf("%s does not say why", name)
		}
		if (k.disposition == model.Modelled) != (k.reader != nil) {
			t.Errorf("%s is %s, but its reader says otherwise", name, k.disposition)
		}
		if k.disposition == model.Irrelevant && (k.whole || k.root) {
			t.Errorf("%s is %s and affects something", name, k.disposition)
		}
		if k.strict && !strings.HasSuffix(key.kind, "NetworkPolicy") && !strings.HasSuffix(key.group, "projectcalico.org") && key.group != "security.istio.io" {
			t.Errorf("%s is strict", name)
		}
		if key.kind == "*" && key.group == "" {
			t.Error("the core group has no rest: a new kind of it is unknown")
		}
	}
}

// TestKinds says for each family of kinds what becomes of an object, and what an unsupported one may do to what (K8S-GEN-07).
func TestKinds(t *testing.T) {
	const ns, cluster = "Namespace//a", "cluster"
	for _, test := range []struct{ apiVersion, kind, namespace, want string }{
		{"v1", "Secret", "a", "irrelevant"},
		{"v1", "ConfigMap", "a", "irrelevant"},
		{"v1", "ServiceAccount", "a", "irrelevant"},
		{"v1", "PersistentVolumeClaim", "a", "irrelevant"},
		{"v1", "Node", "", "irrelevant"},
		{"v1", "Config", "", "irrelevant"},
		{"rbac.authorization.k8s.io/v1beta1", "ClusterRole", "", "irrelevant"},
		{"autoscaling/v2", "HorizontalPodAutoscaler", "a", "irrelevant"},
		{"policy/v1", "PodDisruptionBudget", "a", "irrelevant"},
		{"apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "irrelevant"},
		{"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", "irrelevant"},
		{"gateway.networking.k8s.io/v1", "GatewayClass", "", "irrelevant"},
		{"crd.projectcalico.org/v1", "IPAMBlock", "", "irrelevant"},
		{"cilium.io/v2", "CiliumIdentity", "", "irrelevant"},
		{"cilium.io/v2", "CiliumEndpoint", "a", "irrelevant"},
		{"projectcalico.org/v3", "StagedGlobalNetworkPolicy", "", "irrelevant"},
		{"cert-manager.io/v1", "Certificate", "a", "irrelevant"},

		{"policy.networking.k8s.io/v1alpha2", "AdminNetworkPolicy", "", "unsupported steers " + cluster},
		{"policy.networking.k8s.io/v1alpha2", "BaselineAdminNetworkPolicy", "", "unsupported steers " + cluster},
		{"policy.networking.k8s.io/v1alpha1", "ClusterNetworkPolicy", "", "unsupported steers " + cluster},
		{"policy.networking.k8s.io/v1", "ClusterNetworkPolicy", "", "unsupported steers " + cluster},
		{"policy.networking.k8s.io/v1alpha2", "AnotherPolicy", "", "unsupported steers " + cluster},
		{"cilium.io/v3", "CiliumNetworkPolicy", "a", "unsupported steers " + ns},
		{"cilium.io/v3", "CiliumClusterwideNetworkPolicy", "", "unsupported steers " + cluster},
		{"cilium.io/v2alpha1", "CiliumCIDRGroup", "", "irrelevant"},
		{"cilium.io/v2", "CiliumEgressGatewayPolicy", "", "unsupported carries " + cluster},
		{"cilium.io/v2", "CiliumSomethingNew", "a", "unsupported carries " + cluster},
		{"crd.projectcalico.org/v2", "NetworkPolicy", "a", "unsupported steers " + ns},
		{"crd.projectcalico.org/v2", "GlobalNetworkPolicy", "", "unsupported steers " + cluster},
		{"projectcalico.org/v4", "NetworkPolicy", "a", "unsupported steers " + ns},
		{"projectcalico.org/v4", "GlobalNetworkPolicy", "", "unsupported steers " + cluster},
		{"projectcalico.org/v3", "HostEndpoint", "", "unsupported steers " + cluster},
		{"gateway.networking.k8s.io/v1", "Gateway", "a", "unsupported adds " + ns},
		{"gateway.networking.k8s.io/v1", "HTTPRoute", "a", "unsupported adds " + ns},
		{"gateway.networking.k8s.io/v1beta1", "ReferenceGrant", "a", "unsupported adds " + ns},
		{"discovery.k8s.io/v1", "EndpointSlice", "a", "unsupported adds " + ns},
		{"v1", "Endpoints", "a", "unsupported adds " + ns},
		{"security.istio.io/v2", "AuthorizationPolicy", "a", "unsupported refuses " + ns},
		{"security.istio.io/v1", "RequestAuthentication", "a", "unsupported refuses " + ns},
		{"security.istio.io/v2", "PeerAuthentication", "aks-istio-system", "unsupported refuses " + cluster},
		{"networking.istio.io/v1", "VirtualService", "a", "unsupported adds " + ns},
		{"networking.istio.io/v1", "ServiceEntry", "a", "unsupported refuses " + ns},
		{"networking.istio.io/v1", "Gateway", "a", "unsupported adds " + ns},
		{"networking.istio.io/v1", "Another", "a", "unsupported relays " + cluster},
		{"cilium.io/v2", "CiliumEnvoyConfig", "a", "unsupported relays " + cluster},
		{"cilium.io/v2", "CiliumClusterwideEnvoyConfig", "", "unsupported relays " + cluster},
		{"alb.networking.azure.io/v1", "ApplicationLoadBalancer", "a", "unsupported adds " + ns},
		{"alb.networking.azure.io/v1", "Another", "a", "unsupported relays " + ns},
		{"appgw.ingress.azure.io/v1beta1", "AzureApplicationGatewayRewrite", "a", "unsupported adds " + ns},
		{"appgw.ingress.azure.io/v1beta1", "Another", "a", "unsupported relays " + ns},
		{"karpenter.sh/v1", "NodePool", "", "unsupported adds " + cluster},
		{"karpenter.azure.com/v1beta1", "AKSNodeClass", "", "unsupported adds " + cluster},
		{"karpenter.azure.com/v1beta1", "Another", "", "unsupported carries " + cluster},
		{"helm.toolkit.fluxcd.io/v2", "HelmRelease", "a", "unsupported steers " + cluster},
		{"networking.istio.io/v1", "Sidecar", "a", "unsupported refuses " + ns},
		{"networking.istio.io/v1", "Sidecar", "istio-system", "unsupported refuses " + cluster},
		{"egressgateway.kubernetes.azure.com/v1alpha1", "StaticGatewayConfiguration", "a", "unsupported adds " + ns},
		{"approuting.kubernetes.azure.com/v1alpha1", "NginxIngressController", "", "unsupported adds " + cluster},
		{"k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "a", "unsupported carries " + ns},
		{"kustomize.config.k8s.io/v1beta1", "Kustomization", "", "unsupported steers " + cluster},
		{"argoproj.io/v1alpha1", "Rollout", "a", "unsupported adds " + ns},
		{"kyverno.io/v1", "ClusterPolicy", "", "unsupported steers " + cluster},

		// Versions that this program does not read may mean anything.
		{"networking.k8s.io/v1beta1", "NetworkPolicy", "a", "unsupported steers " + ns},
		{"networking.k8s.io/v2", "NetworkPolicy", "", "unsupported steers Namespace//default"},
		{"extensions/v1beta1", "NetworkPolicy", "a", "unsupported steers " + ns},
		{"extensions/v1beta1", "Ingress", "a", "unsupported relays " + ns},
		{"apps/v1beta1", "Deployment", "a", "unsupported adds " + ns},
		{"batch/v1beta1", "CronJob", "a", "unsupported adds " + ns},
		{"v2", "Namespace", "", "unsupported steers " + cluster},

		// So may kinds that nobody knows: in their namespace, or anywhere.
		{"example.com/v1", "Thing", "a", "unsupported carries " + ns},
		{"example.com/v1", "Thing", "", "unsupported carries " + cluster},
		{"v1", "Thing", "a", "unsupported carries " + ns},
		{"networking.k8s.io/v1", "Thing", "a", "unsupported carries " + ns},
	} {
		name := test.apiVersion + "/" + test.kind
		text := "apiVersion: " + test.apiVersion + "\nkind: " + test.kind + "\nmetadata: {name: x"
		if test.namespace != "" {
			text += ", namespace: " + test.namespace
		}
		r := mustImport(t, "m.yaml", text+"}\nspec: {password: hunter2}\n")
		if len(r.Ledger) != 1 {
			t.Errorf("%s: %d ledger entries, want 1", name, len(r.Ledger))
			continue
		}
		e := r.Ledger[0]
		var got strings.Builder
		got.WriteString(e.Disposition.String())
		if e.Disposition == model.Unsupported {
			got.WriteString(" " + e.Role.String())
		}
		for _, id := range e.Affects {
			if id == options().Cluster {
				got.WriteString(" " + cluster)
			} else {
				got.WriteString(" " + strings.TrimPrefix(string(id), "kubernetes:aks-prod/"))
			}
		}
		if got.String() != test.want || e.Effect == "" || e.Type != name || e.Source.Line != 1 {
			t.Errorf("%s: got %s (%s) at %s, want %s", name, got.String(), e.Effect, e.Source, test.want)
		}
		for _, id := range e.Affects {
			if strings.HasPrefix(string(id), "kubernetes:") && !strings.Contains(dump(r), "Namespace "+strings.TrimPrefix(string(id), "kubernetes:aks-prod/")) {
				t.Errorf("%s affects %s, which is not in the result", name, id)
			}
		}
	}
}

// TestEndpoints says when the addresses behind a Service are news (K8S-SVC-02).
func TestEndpoints(t *testing.T) {
	slice := "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\nendpoints: []\n"
	endpoints := "apiVersion: v1\nkind: Endpoints\nmetadata: {name: s}\n"
	with, without := service("selector: {app: web}\nports: [{port: 1}]\n"), service("ports: [{port: 1}]\n")
	for _, test := range []struct{ name, text, want string }{
		{"a slice of a Service with a selector", slice + "---\n" + with, "irrelevant: repeats what its Service selects"},
		{"Endpoints of one, in the other order", with + "---\n" + endpoints, "irrelevant: repeats what its Service selects"},
		{"a slice of a Service without", slice + "---\n" + without, "unsupported: names addresses behind a Service, in or outside the cluster Namespace//default Service/default/s"},
		{"a slice of nothing", slice, "unsupported: names addresses behind a Service, in or outside the cluster Namespace//default"},
		{"the API server", strings.Replace(endpoints, "name: s", "name: kubernetes", 1), "irrelevant: the address of the API server, which the cluster resource describes"},
	} {
		got := ""
		for _, e := range mustImport(t, "m.yaml", test.text).Ledger {
			if !strings.Contains(e.Type, "Endpoint") {
				continue
			}
			got = e.Disposition.String() + ": " + e.Effect
			for _, id := range e.Affects {
				got += " " + strings.TrimPrefix(string(id), "kubernetes:aks-prod/")
			}
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// TestNoCluster imports for a cluster that no resource describes: what affects it affects the estate as a whole.
func TestNoCluster(t *testing.T) {
	fsys := fstest.MapFS{"m.yaml": {Data: []byte("apiVersion: policy.networking.k8s.io/v1\nkind: ClusterNetworkPolicy\nmetadata: {name: x}\n---\n" + pod("containers: [{name: c}]\n"))}}
	r, err := Import(fsys, []string{"m.yaml"}, Options{ClusterName: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	if e := r.Ledger[0]; e.Disposition != model.Unsupported || len(e.Affects) != 0 {
		t.Errorf("got %s, affects %v", e.Disposition, e.Affects)
	}
	if got, want := r.Resources[1].ResourceID(), model.ID("kubernetes:dev/Pod/default/x"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestFields has fields of modelled kinds that are noted in the ledger.
func TestFields(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a newer field of a pod", pod("containers: [{name: c, gpu: 1}]\n"), "irrelevant 5 spec.containers[0].gpu: not a field that this version knows: left out"},
		{"a field in the wrong case is no field", pod("containers: [{name: c}]\nhostnetwork: true\n"), "irrelevant 6 spec.hostnetwork: not a field that this version knows: left out"},
		{"another load balancer", service("type: LoadBalancer\nloadBalancerClass: example.com/x\nports: [{port: 1}]\n"), "unsupported 6 spec.loadBalancerClass: another implementation than Azure's load balancer: how it is reached is not known Service/default/s"},
		{
			"a back end that is no Service", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n  defaultBackend:\n    resource: {kind: Bucket, name: b}\n",
			"unsupported 6 spec.defaultBackend.resource: a back end that is no Service: what the Ingress relays to is not known Namespace//default",
		},
		{
			"the masquerading of pods, AKS-NET-03", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: azure-ip-masq-agent-config, namespace: kube-system}\n",
			"unsupported 1 : may change for which destinations pods keep their own address (AKS-NET-03) " + string(options().Cluster),
		},
		{"the copy that AKS writes", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: azure-ip-masq-agent-config-reconciled, namespace: kube-system}\n", "irrelevant 1 : configuration data: not read"},
	} {
		r := mustImport(t, "m.yaml", test.text)
		e := r.Ledger[len(r.Ledger)-1]
		var got strings.Builder
		fmt.Fprintf(&got, "%s %d %s: %s", e.Disposition, e.Source.Line, e.Field, e.Effect)
		for _, id := range e.Affects {
			got.WriteString(" " + strings.TrimPrefix(string(id), "kubernetes:aks-prod/"))
		}
		if diff := cmp.Diff(test.want, got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestNamespaces is K8S-NS-01 to K8S-NS-03.
func TestNamespaces(t *testing.T) {
	r := mustImport(t, "m.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {env: prod}}\n---\n"+
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: a}\n---\n"+
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n---\n"+
		"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: b\n---\n"+
		"apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: s, namespace: d}\n---\n"+
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:x', namespace: nowhere}\n")
	var got []string
	for _, res := range r.Resources {
		if _, role := res.(*model.KubeRole); role {
			continue
		}
		ns, ok := res.(*model.Namespace)
		if !ok {
			t.Errorf("a %T", res)
			continue
		}
		got = append(got, fmt.Sprintf("%s %s %v %v", ns.Name(), ns.Source, ns.Labels, ns.Declared))
	}
	want := []string{
		"a m.yaml:1 map[env:prod kubernetes.io/metadata.name:a] true",
		"b m.yaml:17 map[kubernetes.io/metadata.name:b] false",
		"d m.yaml:21 map[kubernetes.io/metadata.name:d] false",
		"default m.yaml:11 map[kubernetes.io/metadata.name:default] false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestServices has what the rules about Services read.
func TestServices(t *testing.T) {
	for _, test := range []struct{ name, spec, want string }{
		{"the least", "ports: [{port: 80}]\n", "Type: ClusterIP, Ports: [{Port: 80, Protocol: tcp, Target: 80}]"},
		{"headless", "clusterIP: None\nselector: {app: web}\n", "Type: ClusterIP, ClusterIP: None, Selector: app=web"},
		{"an alias", "type: ExternalName\nexternalName: x.example.com\n", "Type: ExternalName"},
		{"targets", "ports: [{name: a, port: 1, targetPort: 2}, {name: b, port: 3, targetPort: http, protocol: UDP}]\n", "Type: ClusterIP, Ports: [{Name: a, Port: 1, Protocol: tcp, Target: 2}, {Name: b, Port: 3, Protocol: udp, TargetName: http}]"},
		{
			"node ports", "type: NodePort\nclusterIP: 10.0.0.1\nexternalIPs: [192.0.2.1, '2001:db8::1']\nports: [{port: 1, nodePort: 30001}]\n",
			"Type: NodePort, ClusterIP: 10.0.0.1, Ports: [{Port: 1, Protocol: tcp, Target: 1, NodePort: 30001}], ExternalIPs: [192.0.2.1, 2001:db8::1]",
		},
		{"no node ports", "type: LoadBalancer\nallocateLoadBalancerNodePorts: false\nports: [{port: 1}]\n", "Type: LoadBalancer, Ports: [{Port: 1, Protocol: tcp, Target: 1}], NoNodePorts: true"},
		{"source ranges, with a blank", "type: LoadBalancer\nloadBalancerSourceRanges: ['10.0.0.0/8 ']\nports: [{port: 1}]\n", "Type: LoadBalancer, Ports: [{Port: 1, Protocol: tcp, Target: 1}], SourceRanges: [10.0.0.0/8], SourceRangesText: [10.0.0.0/8]"},
	} {
		r := mustImport(t, "m.yaml", service(test.spec))
		s := *get[*model.KubeService](t, r, "Service", "default", "s")
		s.Meta, s.Cluster, s.Namespace = model.Meta{}, "", ""
		for i := range s.Ports {
			s.Ports[i].Source = model.Source{}
		}
		if diff := cmp.Diff("{"+test.want+"}", show(reflect.ValueOf(s))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}

	live := mustImport(t, "m.yaml", service("type: LoadBalancer\nports: [{port: 1}]\n")+"status: {loadBalancer: {ingress: [{ip: 20.0.0.1}, {hostname: x.example.com}]}}\n")
	if got := fmt.Sprint(get[*model.KubeService](t, live, "Service", "default", "s").Ingress); got != "[20.0.0.1]" {
		t.Errorf("frontend: got %s", got)
	}
}

// TestIngressClass finds class and controller of an Ingress (K8S-ING-02).
func TestIngressClass(t *testing.T) {
	class := func(name, isDefault string) string {
		return "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: " + name + ", annotations: {ingressclass.kubernetes.io/is-default-class: '" + isDefault + "'}}\nspec: {controller: example.com/" + name + "}\n"
	}
	ingress := func(meta, spec string) string {
		return "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i" + meta + "}\nspec: {" + spec + "defaultBackend: {service: {name: s, port: {number: 1}}}}\n"
	}
	for _, test := range []struct{ name, text, want string }{
		{"none", ingress("", ""), " "},
		{"named", ingress("", "ingressClassName: nginx, ") + class("nginx", "false"), "nginx example.com/nginx"},
		{"named and not in the input", ingress("", "ingressClassName: agic, ") + class("nginx", "true"), "agic "},
		{"by annotation", ingress(", annotations: {kubernetes.io/ingress.class: nginx}", "") + class("nginx", "false"), "nginx example.com/nginx"},
		{"the default", ingress("", "") + class("other", "false") + class("nginx", "true"), "nginx example.com/nginx"},
		{"two defaults are none", ingress("", "") + class("other", "true") + class("nginx", "true"), " "},
	} {
		in := get[*model.Ingress](t, mustImport(t, "m.yaml", test.text), "Ingress", "default", "i")
		if got := in.Class + " " + in.Controller; got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestAnnotations keeps what rules read, and nothing else: the rest may hold secrets.
func TestAnnotations(t *testing.T) {
	for key, want := range map[string]bool{
		"service.beta.kubernetes.io/azure-allowed-ip-ranges":    true,
		"kubernetes.azure.com/static-gateway-configuration":     true,
		"sidecar.istio.io/inject":                               true,
		"kubernetes.io/ingress.class":                           true,
		"nginx.ingress.kubernetes.io/whitelist-source-range":    true,
		"nginx.ingress.kubernetes.io/configuration-snippet":     false,
		"nginx.ingress.kubernetes.io/auth-url":                  false,
		"kubectl.kubernetes.io/last-applied-configuration":      false,
		"kubernetes.io/description":                             false,
		"vault.hashicorp.com/agent-inject-template-credentials": false,
		"token": false,
	} {
		if got := len(annotations(map[string]string{key: "v"})) == 1; got != want {
			t.Errorf("%s: kept %v, want %v", key, got, want)
		}
	}
}
