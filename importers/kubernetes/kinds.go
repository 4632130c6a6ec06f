package kubernetes

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// kind is one line of the table of kinds: what becomes of an object.
type kind struct {
	group         string
	kinds         string // one or more, or `*` for every other kind of the group
	clusterScoped bool
	disposition   model.Disposition
	why           string     // why it is irrelevant, or what an unsupported one may change
	role          model.Role // of an unsupported one, or of a modelled one in a version that is not read (K8S-GEN-07)
	whole         bool       // an unsupported one may change more than its own namespace
	root          bool       // the same, where it stands in the root namespace of a service mesh
	strict        bool       // a policy: an unknown field is an error
	evidence      bool       // a modelled one says who may change things and carries no traffic: in a version that is not read it is irrelevant
	version       string     // the versions that are read; v1 where empty
	reader        *reader
	special       func(*importer, *object, kind)

	known bool // a line of the table, not the answer for what is in none
}

type groupKind struct{ group, kind string }

// kindTable says for every kind that is known what becomes of it. Modelled kinds are read in one version, v1 for most; in another they are
// unsupported, with the same `why`. Anything that could carry or filter traffic is unsupported, never irrelevant.
func kindTable() []kind {
	const (
		modelled, irrelevant, unsupported = model.Modelled, model.Irrelevant, model.Unsupported
		carries, steers, relaying         = model.Carries, model.Steers, model.Relays
		refuses, adds                     = model.Refuses, model.Adds
		pods                              = "creates pods that are not in the model"
		requests                          = "may relay requests from outside, or from pods, to Services"
		state                             = "written by the network engine, decides nothing by itself"
		calicoPods                        = "may allow or deny traffic of pods of its namespace before their NetworkPolicies (K8S-CAL-02)"
		calicoAll                         = "may allow or deny traffic of any pod or node, or change addresses, routes or the engine's settings (K8S-CAL-02)"
		mesh                              = "may refuse connections to pods of the mesh; it never opens one (K8S-IST-01)"
		tiers                             = "may allow or deny traffic of any pod before or after its NetworkPolicies, where the engine enforces it (K8S-CNP-17)"
	)
	return []kind{
		{kinds: "Namespace", clusterScoped: true, disposition: modelled, role: steers, why: "labels of a namespace", reader: reads((*importer).namespace)},
		{kinds: "Pod", disposition: modelled, role: adds, why: pods, reader: reads((*importer).pod)},
		{kinds: "ReplicationController", disposition: modelled, role: adds, why: pods, reader: reads((*importer).replicationController)},
		{group: "apps", kinds: "Deployment", disposition: modelled, role: adds, why: pods, reader: reads((*importer).deployment)},
		{group: "apps", kinds: "ReplicaSet", disposition: modelled, role: adds, why: pods, reader: reads((*importer).replicaSet)},
		{group: "apps", kinds: "StatefulSet", disposition: modelled, role: adds, why: pods, reader: reads((*importer).statefulSet)},
		{group: "apps", kinds: "DaemonSet", disposition: modelled, role: adds, why: pods, reader: reads((*importer).daemonSet)},
		{group: "batch", kinds: "Job", disposition: modelled, role: adds, why: pods, reader: reads((*importer).job)},
		{group: "batch", kinds: "CronJob", disposition: modelled, role: adds, why: pods, reader: reads((*importer).cronJob)},
		{kinds: "Service", disposition: modelled, role: relaying, why: "may open pods to the outside", reader: reads((*importer).service)},
		{group: "networking.k8s.io", kinds: "NetworkPolicy", disposition: modelled, role: steers, why: "may isolate pods, or allow traffic to and from them", strict: true, reader: reads((*importer).networkPolicy)},
		{group: "networking.k8s.io", kinds: "Ingress", disposition: modelled, role: relaying, why: requests, reader: reads((*importer).ingress)},
		{group: "networking.k8s.io", kinds: "IngressClass", clusterScoped: true, disposition: modelled, role: adds, why: "names the controller of Ingresses", reader: reads((*importer).ingressClass)},

		// The core group.
		{kinds: "Endpoints", disposition: unsupported, role: steers, why: "names addresses behind a Service, in or outside the cluster", special: (*importer).endpointsOf},
		{group: "discovery.k8s.io", kinds: "EndpointSlice", disposition: unsupported, role: steers, why: "names addresses behind a Service, in or outside the cluster", special: (*importer).endpointsOf},
		{kinds: "ConfigMap", disposition: irrelevant, why: "configuration data: not read", special: (*importer).configMap},
		{kinds: "Secret", disposition: irrelevant, why: "secret data: not read"},
		{kinds: "ServiceAccount", disposition: irrelevant, why: "an identity towards the API server"},
		{kinds: "PersistentVolume", clusterScoped: true, disposition: irrelevant, why: "storage is attached by the node"},
		{kinds: "PersistentVolumeClaim", disposition: irrelevant, why: "storage is attached by the node"},
		{kinds: "Node", clusterScoped: true, disposition: irrelevant, why: "the node pools of the cluster resource say where nodes are"},
		{kinds: "LimitRange ResourceQuota", disposition: irrelevant, why: "limits computing resources"},
		{kinds: "PodTemplate", disposition: irrelevant, why: "creates no pods by itself"},
		{kinds: "Event Binding", disposition: irrelevant, why: "a record"},
		{kinds: "ComponentStatus", clusterScoped: true, disposition: irrelevant, why: "a record"},
		{kinds: "Config", disposition: irrelevant, why: "a kubeconfig: access to a cluster, no part of it", clusterScoped: true},

		// Built-in groups.
		{group: "apps", kinds: "ControllerRevision", disposition: irrelevant, why: "the history of a workload"},
		{group: "networking.k8s.io", kinds: "IPAddress ServiceCIDR", clusterScoped: true, disposition: irrelevant, why: "hands out addresses of Services, which every Service states itself"},
		{group: "extensions", kinds: "PodSecurityPolicy", clusterScoped: true, disposition: irrelevant, why: "admits or refuses pods"},
		{group: "extensions", kinds: "NetworkPolicy", disposition: unsupported, role: steers, why: "may isolate pods, or allow traffic to and from them"},
		{group: "extensions", kinds: "Ingress", disposition: unsupported, role: relaying, why: requests},
		{group: "extensions", kinds: "*", disposition: unsupported, role: adds, why: pods},
		{group: "rbac.authorization.k8s.io", kinds: "Role", disposition: modelled, evidence: true, why: "rights at the API server", reader: reads((*importer).role)},
		{group: "rbac.authorization.k8s.io", kinds: "RoleBinding", disposition: modelled, evidence: true, why: "rights at the API server", reader: reads((*importer).roleBinding)},
		{group: "rbac.authorization.k8s.io", kinds: "ClusterRole", clusterScoped: true, disposition: modelled, evidence: true, why: "rights at the API server", reader: reads((*importer).clusterRole)},
		{group: "rbac.authorization.k8s.io", kinds: "ClusterRoleBinding", clusterScoped: true, disposition: modelled, evidence: true, why: "rights at the API server", reader: reads((*importer).clusterRoleBinding)},
		{group: "rbac.authorization.k8s.io", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "rights at the API server"},
		{group: "autoscaling", kinds: "*", disposition: irrelevant, why: "changes the number of pods, not their traffic"},
		{group: "autoscaling.k8s.io", kinds: "*", disposition: irrelevant, why: "changes the size of pods, not their traffic"},
		{group: "policy", kinds: "PodDisruptionBudget", disposition: irrelevant, why: "limits evictions"},
		{group: "policy", kinds: "PodSecurityPolicy", clusterScoped: true, disposition: irrelevant, why: "admits or refuses pods"},
		{group: "coordination.k8s.io", kinds: "*", disposition: irrelevant, why: "a lock"},
		{group: "events.k8s.io", kinds: "*", disposition: irrelevant, why: "a record"},
		{group: "storage.k8s.io", kinds: "CSIStorageCapacity", disposition: irrelevant, why: "storage is attached by the node"},
		{group: "storage.k8s.io", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "storage is attached by the node"},
		{group: "snapshot.storage.k8s.io", kinds: "VolumeSnapshot", disposition: irrelevant, why: "a copy of storage"},
		{group: "snapshot.storage.k8s.io", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "a copy of storage"},
		{group: "apiextensions.k8s.io", kinds: "CustomResourceDefinition", clusterScoped: true, disposition: irrelevant, why: "defines a kind; its objects are judged themselves"},
		{group: "apiregistration.k8s.io", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "extends the API server, which opens connections to every pod that it may (K8S-AZ-08)"},
		{group: "admissionregistration.k8s.io", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "checks or changes objects before they are stored; what is stored is judged itself"},
		{group: "node.k8s.io", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "says how containers are run"},
		{group: "scheduling.k8s.io", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "orders pods that wait"},
		{group: "certificates.k8s.io", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "certificates"},
		{group: "flowcontrol.apiserver.k8s.io", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "orders requests to the API server"},
		{group: "metrics.k8s.io", kinds: "*", disposition: irrelevant, why: "a measurement"},

		// Policies of other kinds (K8S-CNP, K8S-CIL, K8S-CAL).
		{group: "policy.networking.k8s.io", kinds: "ClusterNetworkPolicy", version: "v1alpha2", clusterScoped: true, disposition: modelled, role: steers, why: tiers, strict: true, reader: reads((*importer).clusterNetworkPolicy)},
		{group: "policy.networking.k8s.io", kinds: "AdminNetworkPolicy", version: "v1alpha1", clusterScoped: true, disposition: modelled, role: steers, why: tiers, strict: true, reader: reads((*importer).adminNetworkPolicy)},
		{group: "policy.networking.k8s.io", kinds: "BaselineAdminNetworkPolicy", version: "v1alpha1", clusterScoped: true, disposition: modelled, role: steers, why: tiers, strict: true, reader: reads((*importer).baselineAdminNetworkPolicy)},
		{group: "policy.networking.k8s.io", kinds: "*", clusterScoped: true, disposition: unsupported, role: steers, why: tiers},
		{group: "cilium.io", kinds: "CiliumNetworkPolicy", version: "v2", disposition: modelled, role: steers, why: "may isolate pods of its namespace, allow or deny traffic, where the engine is Cilium (K8S-CIL-01)", strict: true, reader: reads((*importer).ciliumNetworkPolicy)},
		{group: "cilium.io", kinds: "CiliumClusterwideNetworkPolicy", version: "v2", clusterScoped: true, disposition: modelled, role: steers, why: "may isolate any pod, allow or deny traffic, where the engine is Cilium (K8S-CIL-01)", strict: true, reader: reads((*importer).ciliumClusterwideNetworkPolicy)},
		{group: "cilium.io", kinds: "CiliumCIDRGroup", clusterScoped: true, disposition: irrelevant, why: "addresses of rules that name it: these are not understood, and say so"},
		{group: "cilium.io", kinds: "CiliumEgressGatewayPolicy", clusterScoped: true, disposition: unsupported, role: carries, why: "may send traffic of pods out through other nodes, with other addresses"},
		{group: "cilium.io", kinds: "CiliumLocalRedirectPolicy", disposition: unsupported, role: refuses, why: "may send traffic of pods to other pods"},
		{group: "cilium.io", kinds: "CiliumEnvoyConfig", disposition: unsupported, role: relaying, why: requests, special: (*importer).envoyConfig},
		{group: "cilium.io", kinds: "CiliumClusterwideEnvoyConfig", clusterScoped: true, disposition: unsupported, role: relaying, why: requests, special: (*importer).envoyConfig},
		{group: "cilium.io", kinds: "CiliumEndpoint", disposition: irrelevant, why: state},
		{group: "cilium.io", kinds: "CiliumEndpointSlice CiliumIdentity CiliumNode", clusterScoped: true, disposition: irrelevant, why: state},
		{group: "cilium.io", kinds: "*", disposition: unsupported, role: carries, whole: true, why: "may change addresses, routes or the engine's settings"},
		{group: "crd.projectcalico.org", kinds: "NetworkPolicy", version: "v1", disposition: modelled, role: steers, why: calicoPods, strict: true, reader: reads((*importer).calicoPolicy)},
		{group: "crd.projectcalico.org", kinds: "NetworkSet", version: "v1", disposition: modelled, role: steers, why: calicoPods, strict: true, reader: reads((*importer).calicoNetworkSet)},
		{group: "crd.projectcalico.org", kinds: "GlobalNetworkPolicy", version: "v1", clusterScoped: true, disposition: modelled, role: steers, why: calicoAll, strict: true, reader: reads((*importer).calicoPolicy)},
		{group: "crd.projectcalico.org", kinds: "GlobalNetworkSet", version: "v1", clusterScoped: true, disposition: modelled, role: steers, why: calicoAll, strict: true, reader: reads((*importer).calicoNetworkSet)},
		{group: "crd.projectcalico.org", kinds: "Tier", version: "v1", clusterScoped: true, disposition: modelled, role: steers, why: calicoAll, strict: true, reader: reads((*importer).calicoTier)},
		{group: "crd.projectcalico.org", kinds: "StagedNetworkPolicy StagedKubernetesNetworkPolicy", disposition: irrelevant, why: "staged: not enforced"},
		{group: "crd.projectcalico.org", kinds: "StagedGlobalNetworkPolicy", clusterScoped: true, disposition: irrelevant, why: "staged: not enforced"},
		{group: "crd.projectcalico.org", kinds: "ClusterInformation IPAMBlock IPAMHandle IPAMConfig BlockAffinity KubeControllersConfiguration CalicoNodeStatus", clusterScoped: true, disposition: irrelevant, why: state},
		{group: "crd.projectcalico.org", kinds: "*", clusterScoped: true, disposition: unsupported, role: steers, why: calicoAll},
		{group: "projectcalico.org", kinds: "NetworkPolicy", version: "v3", disposition: modelled, role: steers, why: calicoPods, strict: true, reader: reads((*importer).calicoPolicy)},
		{group: "projectcalico.org", kinds: "NetworkSet", version: "v3", disposition: modelled, role: steers, why: calicoPods, strict: true, reader: reads((*importer).calicoNetworkSet)},
		{group: "projectcalico.org", kinds: "GlobalNetworkPolicy", version: "v3", clusterScoped: true, disposition: modelled, role: steers, why: calicoAll, strict: true, reader: reads((*importer).calicoPolicy)},
		{group: "projectcalico.org", kinds: "GlobalNetworkSet", version: "v3", clusterScoped: true, disposition: modelled, role: steers, why: calicoAll, strict: true, reader: reads((*importer).calicoNetworkSet)},
		{group: "projectcalico.org", kinds: "Tier", version: "v3", clusterScoped: true, disposition: modelled, role: steers, why: calicoAll, strict: true, reader: reads((*importer).calicoTier)},
		{group: "projectcalico.org", kinds: "WorkloadEndpoint", disposition: unsupported, role: steers, why: calicoPods},
		{group: "projectcalico.org", kinds: "StagedNetworkPolicy StagedKubernetesNetworkPolicy", disposition: irrelevant, why: "staged: not enforced"},
		{group: "projectcalico.org", kinds: "StagedGlobalNetworkPolicy", clusterScoped: true, disposition: irrelevant, why: "staged: not enforced"},
		{group: "projectcalico.org", kinds: "ClusterInformation IPAMConfiguration BlockAffinity KubeControllersConfiguration CalicoNodeStatus", clusterScoped: true, disposition: irrelevant, why: state},
		{group: "projectcalico.org", kinds: "*", clusterScoped: true, disposition: unsupported, role: steers, why: calicoAll},
		{group: "operator.tigera.io", kinds: "TigeraStatus", clusterScoped: true, disposition: irrelevant, why: state},
		{group: "operator.tigera.io", kinds: "*", clusterScoped: true, disposition: unsupported, role: steers, why: "may change how the engine runs: its data plane, addresses and what it enforces"},
		{group: "k8s.cni.cncf.io", kinds: "*", disposition: unsupported, role: carries, why: "may give pods further interfaces, past the policies of the engine"},

		// Gateways, relays, meshes (K8S-GW, K8S-ING, K8S-IST, AKS-ING).
		{group: "gateway.networking.k8s.io", kinds: "GatewayClass", clusterScoped: true, disposition: irrelevant, why: "names a controller; carries nothing without a Gateway"},
		{group: "gateway.networking.k8s.io", kinds: "HTTPRoute GRPCRoute TLSRoute TCPRoute UDPRoute *", disposition: unsupported, role: relaying, why: requests + " (K8S-GW-01)", special: (*importer).gatewayRoute},
		{group: "gateway.networking.k8s.io", kinds: "Gateway ReferenceGrant ListenerSet BackendTLSPolicy", disposition: unsupported, role: adds, why: "may change what the routes of a gateway relay (K8S-GW-01)"},
		{group: "gateway.networking.x-k8s.io", kinds: "*", disposition: unsupported, role: relaying, why: requests + " (K8S-GW-01)", special: (*importer).gatewayRoute},
		{group: "alb.networking.azure.io", kinds: "ApplicationLoadBalancer BackendLoadBalancingPolicy BackendTLSPolicy FrontendTLSPolicy HealthCheckPolicy IngressExtension RoutePolicy WebApplicationFirewallPolicy", disposition: unsupported, role: adds, why: "adds or changes a gateway: Ingresses and routes say what it relays (AKS-ING-03)"},
		{group: "alb.networking.azure.io", kinds: "*", disposition: unsupported, role: relaying, why: requests + ", through Application Gateway for Containers (AKS-ING-03)"},
		{group: "appgw.ingress.azure.io", kinds: "AzureApplicationGatewayRewrite", disposition: unsupported, role: adds, why: "changes requests that Ingresses relay (AKS-ING-02)"},
		{group: "appgw.ingress.azure.io", kinds: "*", disposition: unsupported, role: relaying, why: requests + ", through Application Gateway (AKS-ING-02)"},
		{group: "appgw.ingress.k8s.io", kinds: "AzureIngressProhibitedTarget AzureIngressManagedTarget", disposition: unsupported, role: adds, why: "says which gateway the controller of Ingresses may write to (AKS-ING-02)"},
		{group: "appgw.ingress.k8s.io", kinds: "*", disposition: unsupported, role: relaying, why: requests + ", through Application Gateway (AKS-ING-02)"},
		{group: "approuting.kubernetes.azure.com", kinds: "NginxIngressController *", clusterScoped: true, disposition: unsupported, role: adds, why: "adds an ingress controller with a frontend of its own, public unless its annotations say otherwise (AKS-ING-01)"},
		{group: "egressgateway.kubernetes.azure.com", kinds: "StaticGatewayConfiguration *", disposition: unsupported, role: adds, why: "may carry traffic of annotated pods of its namespace past their NetworkPolicies, out through a gateway pool (AKS-OUT-09)"},
		{group: "multitenancy.acn.azure.com", kinds: "NodeInfo", clusterScoped: true, disposition: irrelevant, why: state},
		{group: "multitenancy.acn.azure.com", kinds: "*", disposition: unsupported, role: carries, whole: true, why: "may put pods into other subnets than the node pools state"},
		{group: "acn.azure.com", kinds: "NodeNetworkConfig ClusterSubnetState", disposition: irrelevant, why: state},
		{group: "acn.azure.com", kinds: "*", disposition: unsupported, role: carries, whole: true, why: "may change addresses of pods"},
		{group: "karpenter.sh", kinds: "*", clusterScoped: true, disposition: unsupported, role: adds, why: "adds nodes that the node pools of the cluster resource do not show"},
		{group: "karpenter.azure.com", kinds: "AKSNodeClass", clusterScoped: true, disposition: unsupported, role: carries, why: "adds nodes, possibly in other subnets than the node pools of the cluster resource show", special: (*importer).nodeClass},
		{group: "karpenter.azure.com", kinds: "*", clusterScoped: true, disposition: unsupported, role: carries, why: "adds nodes, possibly in other subnets than the node pools of the cluster resource show"},
		{group: "security.istio.io", kinds: "AuthorizationPolicy", version: "v1 v1beta1", disposition: modelled, role: refuses, root: true, why: mesh, strict: true, reader: reads((*importer).authorizationPolicy)},
		{group: "security.istio.io", kinds: "PeerAuthentication", version: "v1 v1beta1", disposition: modelled, role: refuses, root: true, why: mesh, strict: true, reader: reads((*importer).peerAuthentication)},
		{group: "security.istio.io", kinds: "RequestAuthentication *", disposition: unsupported, role: refuses, root: true, why: mesh}, // AKS-MESH-03
		{group: "networking.istio.io", kinds: "Sidecar DestinationRule WorkloadEntry WorkloadGroup ProxyConfig EnvoyFilter", disposition: unsupported, role: refuses, root: true, why: "may refuse or redirect connections of pods of the mesh"},
		{group: "networking.istio.io", kinds: "Gateway", disposition: unsupported, role: adds, why: "adds doors of a gateway: VirtualServices say what it relays", special: (*importer).istioGateway},
		{group: "networking.istio.io", kinds: "VirtualService", disposition: unsupported, role: relaying, why: requests + ", of any namespace", special: (*importer).virtualService},
		{group: "networking.istio.io", kinds: "ServiceEntry", disposition: unsupported, role: refuses, root: true, why: "may redirect connections of pods of the mesh", special: (*importer).serviceEntry},
		{group: "networking.istio.io", kinds: "*", disposition: unsupported, role: relaying, whole: true, why: requests + ", of any namespace"},
		{group: "extensions.istio.io", kinds: "*", disposition: unsupported, role: refuses, root: true, why: "may refuse or redirect connections of pods of the mesh"},
		{group: "telemetry.istio.io", kinds: "*", disposition: irrelevant, why: "measures traffic"},
		{group: "install.istio.io", kinds: "*", disposition: unsupported, role: refuses, whole: true, why: "may install a mesh and its gateways"},
		{group: "multicluster.x-k8s.io", kinds: "ServiceImport", disposition: unsupported, role: adds, why: "adds a Service of other clusters"},
		{group: "multicluster.x-k8s.io", kinds: "ServiceExport", disposition: unsupported, role: relaying, why: "opens a Service to other clusters", special: (*importer).exported},
		{group: "multicluster.x-k8s.io", kinds: "*", disposition: unsupported, role: relaying, why: "may open Services to other clusters, or other clusters' Services to pods"},
		{group: "networking.fleet.azure.com", kinds: "*", disposition: unsupported, role: relaying, why: "may open Services to other clusters or to the internet"},

		// What creates, changes or deploys other objects.
		{group: "kustomize.config.k8s.io", kinds: "*", disposition: unsupported, role: steers, whole: true, why: "kustomizations are built by another step: the objects that this one patches or adds are not in the model"},
		{group: "kustomize.toolkit.fluxcd.io", kinds: "*", disposition: unsupported, role: steers, whole: true, why: "deploys objects that are not in the input"},
		{group: "helm.toolkit.fluxcd.io", kinds: "*", disposition: unsupported, role: steers, whole: true, why: "deploys a chart whose objects are not in the input"},
		{group: "source.toolkit.fluxcd.io", kinds: "*", disposition: irrelevant, why: "fetches sources; deploys nothing by itself"},
		{group: "notification.toolkit.fluxcd.io", kinds: "*", disposition: irrelevant, why: "reports deployments"},
		{group: "image.toolkit.fluxcd.io", kinds: "*", disposition: irrelevant, why: "changes image versions"},
		{group: "argoproj.io", kinds: "AppProject AnalysisTemplate", disposition: irrelevant, why: "limits or judges deployments"},
		{group: "argoproj.io", kinds: "Application ApplicationSet", disposition: unsupported, role: steers, whole: true, why: "deploys objects that are not in the input"},
		{group: "argoproj.io", kinds: "*", disposition: unsupported, role: adds, why: pods},
		{group: "kyverno.io", kinds: "*", disposition: unsupported, role: steers, whole: true, why: "may create NetworkPolicies and change labels of pods"},
		{group: "wgpolicyk8s.io", kinds: "*", disposition: irrelevant, why: "a report"},
		{group: "mutations.gatekeeper.sh", kinds: "*", clusterScoped: true, disposition: unsupported, role: steers, why: "may change labels and hostNetwork of pods"},
		{group: "constraints.gatekeeper.sh", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "admits or refuses objects"},
		{group: "templates.gatekeeper.sh", kinds: "*", clusterScoped: true, disposition: irrelevant, why: "admits or refuses objects"},
		{group: "config.gatekeeper.sh", kinds: "*", disposition: irrelevant, why: "settings of admission"},
		{group: "status.gatekeeper.sh", kinds: "*", disposition: irrelevant, why: "a record"},
		{group: "keda.sh", kinds: "ScaledJob", disposition: unsupported, role: adds, why: pods},
		{group: "keda.sh", kinds: "ScaledObject TriggerAuthentication", disposition: irrelevant, why: "changes the number of pods, not their traffic"},
		{group: "keda.sh", kinds: "ClusterTriggerAuthentication", clusterScoped: true, disposition: irrelevant, why: "an identity"},
		{group: "monitoring.coreos.com", kinds: "ServiceMonitor PodMonitor Probe ScrapeConfig PrometheusRule AlertmanagerConfig", disposition: irrelevant, why: "says what pods of a monitoring system ask for; it opens nothing"},
		{group: "monitoring.coreos.com", kinds: "*", disposition: unsupported, role: adds, why: pods},
		{group: "azmonitoring.coreos.com", kinds: "*", disposition: irrelevant, why: "says what pods of a monitoring system ask for; it opens nothing"},

		// Identities, certificates, secrets.
		{group: "cert-manager.io", kinds: "ClusterIssuer", clusterScoped: true, disposition: irrelevant, why: "certificates; pods that prove a name are future pods"},
		{group: "cert-manager.io", kinds: "*", disposition: irrelevant, why: "certificates; pods that prove a name are future pods"},
		{group: "acme.cert-manager.io", kinds: "*", disposition: irrelevant, why: "certificates; pods that prove a name are future pods"},
		{group: "secrets-store.csi.x-k8s.io", kinds: "*", disposition: irrelevant, why: "says which secrets are mounted"},
		{group: "external-secrets.io", kinds: "ClusterSecretStore ClusterExternalSecret", clusterScoped: true, disposition: irrelevant, why: "says which secrets are copied"},
		{group: "external-secrets.io", kinds: "*", disposition: irrelevant, why: "says which secrets are copied"},
		{group: "bitnami.com", kinds: "SealedSecret", disposition: irrelevant, why: "secret data: not read"},
		{group: "aadpodidentity.k8s.io", kinds: "*", disposition: irrelevant, why: "an identity"},
	}
}

// kindIndex is the table as a map.
func kindIndex() map[groupKind]kind {
	out := map[groupKind]kind{}
	for _, k := range kindTable() {
		k.known = true
		for name := range strings.FieldsSeq(k.kinds) {
			key := groupKind{k.group, name}
			if _, ok := out[key]; ok { // INVARIANT: the table has each kind once
				panic("kubernetes: " + k.group + "/" + name + " is in the table of kinds twice")
			}
			out[key] = k
		}
	}
	return out
}

// kindOf returns what becomes of an object. A kind that nobody knows may do anything: in its namespace, or where it has none, in the
// cluster.
func (im *importer) kindOf(o *object) kind {
	k, ok := im.kinds[groupKind{o.group, o.kind}]
	if !ok {
		k, ok = im.kinds[groupKind{o.group, "*"}]
	}
	switch {
	case !ok:
		return kind{disposition: model.Unsupported, role: model.Carries, why: "an unknown kind: it may create pods, or carry or filter traffic"}
	case k.reader != nil && !slices.Contains(strings.Fields(cmp.Or(k.version, "v1")), o.version):
		k.reader, k.disposition = nil, model.Unsupported
		if k.evidence {
			k.disposition = model.Irrelevant
		}
		k.why += " (not read in version " + o.version + ")"
	}
	return k
}

// tolerated says that a field which is no field any more may stand in a policy: older API servers print a status, which never matters
// (K8S-NP-08).
func (k kind) tolerated(at string) bool {
	return k.strict && (at == "status" || at == "metadata.clusterName")
}

// affected is what an unsupported object may change.
func (im *importer) affected(o *object, k kind) []model.ID {
	if k.clusterScoped || k.whole || o.namespace == "" || k.root && isMeshRoot(o.namespace) {
		return im.cluster()
	}
	return []model.ID{im.id("Namespace", "", o.namespace)}
}

// cluster is the cluster as something affected; without a cluster resource nothing is named, which means the estate as a whole.
func (im *importer) cluster() []model.ID {
	if im.options.Cluster == "" {
		return nil
	}
	return []model.ID{im.options.Cluster}
}

// isMeshRoot says that mesh policies of a namespace hold for the whole mesh: that of the AKS add-on, and Istio's own default
// (AKS-MESH-02).
func isMeshRoot(namespace string) bool {
	return namespace == "aks-istio-system" || namespace == "istio-system"
}
