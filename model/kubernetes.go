package model

import (
	"net/netip"
	"slices"
)

// Namespace is a Kubernetes namespace. Its labels hold kubernetes.io/metadata.name (K8S-NS-02).
type Namespace struct {
	Meta
	Cluster  ID
	Labels   map[string]string
	Declared bool // a Namespace object was in the input: the labels are complete (K8S-NS-03)
}

// Workload is a pod, or a controller with its pod template (K8S-WL-01).
type Workload struct {
	Meta
	Cluster        ID
	Namespace      string
	Kind           string            // Deployment, StatefulSet, DaemonSet, Job, CronJob, ReplicaSet, ReplicationController, Pod; of a live pod its controller's
	Labels         map[string]string // of the pods
	Implied        []string          // label keys whose presence and value cannot be known: set by the platform, or not the same on all pods (K8S-WL-02, K8S-WL-03)
	Ports          []ContainerPort
	HostPorts      []ContainerPort // hostPort numbers in Port
	Probes         []Probe
	HostNetwork    bool
	NodeSelector   map[string]string
	Affinity       bool // node affinity is present; it may narrow the placement further
	Tolerations    []Toleration
	Replicas       int  // -1 when not stated
	Suspended      bool // a Job or CronJob that starts no pods now (K8S-WL-05)
	ServiceAccount string
	Annotations    map[string]string // of the pods
	Addresses      []netip.Addr      // live pods
	Volumes        []string          // kinds of persistent volumes: persistentVolumeClaim, hostPath
	Claims         bool              // volumeClaimTemplates
}

// ContainerPort is a declared port.
type ContainerPort struct {
	Name     string
	Port     uint16
	Protocol Protocol
	Target   uint16     // of a host port: the port of the container, on which policy is evaluated (K8S-AZ-09)
	HostIP   netip.Addr // of a host port: the only node address that it is bound to, if one is stated
	Source   Source
}

// Probe is a readiness, liveness or startup probe over the network.
type Probe struct {
	Kind     string // readiness, liveness, startup
	Action   string // httpGet, tcpSocket, grpc
	Port     uint16
	PortName string
	Source   Source
}

// Toleration lets pods onto tainted nodes.
type Toleration struct {
	Key, Operator, Value, Effect string
}

// Selector is a label selector. Absent and empty are different: absent selectors are a nil *Selector (K8S-NP-11).
type LabelSelector struct {
	Match        map[string]string
	Requirements []Requirement
}

// Requirement is one matchExpressions entry (K8S-NP-02).
type Requirement struct {
	Key      string
	Operator string // In, NotIn, Exists, DoesNotExist
	Values   []string
}

// Selects reports whether the selector may match labels, and whether it must (K8S-NP-01, K8S-NP-02). unknown says of an absent key that
// its value is not known; nil: absent keys are absent.
func (s LabelSelector) Selects(labels map[string]string, unknown func(key string) bool) (may, must bool) {
	must = true
	open := func(key string, ok bool) bool { return !ok && unknown != nil && unknown(key) }
	for k, v := range s.Match {
		have, ok := labels[k]
		switch {
		case open(k, ok):
			must = false
		case !ok || have != v:
			return false, false
		}
	}
	for _, r := range s.Requirements {
		have, ok := labels[r.Key]
		holds := false
		switch r.Operator {
		case "In":
			holds = ok && slices.Contains(r.Values, have)
		case "NotIn":
			holds = !ok || !slices.Contains(r.Values, have)
		case "Exists":
			holds = ok
		case "DoesNotExist":
			holds = !ok
		}
		switch {
		case open(r.Key, ok):
			must = false
		case !holds:
			return false, false
		}
	}
	return true, must
}

// NetworkPolicy is networking.k8s.io/v1 NetworkPolicy.
type NetworkPolicy struct {
	Meta
	Cluster   ID
	Namespace string
	Pods      LabelSelector
	Ingress   []PolicyRule
	Egress    []PolicyRule
	Isolates  [2]bool // by Direction: policyTypes after defaulting (K8S-NP-05)
	Managed   bool    // synthesised from a managed namespace (AKS-POL-10)
}

// PolicyRule is one ingress or egress rule: peers × ports. No peers: everyone; no ports: everything (K8S-NP-09, K8S-NP-15).
type PolicyRule struct {
	Source Source
	Peers  []PolicyPeer
	Ports  []PolicyPort
}

// PolicyPeer is one from or to entry.
type PolicyPeer struct {
	Source     Source
	Pods       *LabelSelector
	Namespaces *LabelSelector
	IPBlock    *IPBlock
}

// IPBlock is a CIDR with holes (K8S-NP-12).
type IPBlock struct {
	CIDR   netip.Prefix
	Except []netip.Prefix
}

// PolicyPort is one ports entry, protocol defaulted (K8S-NP-15, K8S-NP-16).
type PolicyPort struct {
	Source   Source
	Protocol Protocol
	Named    string
	All      bool // no port: every port of the protocol
	Ports    PortRange
}

// KubeService is a Kubernetes Service (K8S-SVC-01).
type KubeService struct {
	Meta
	Cluster          ID
	Namespace        string
	Type             string // ClusterIP, NodePort, LoadBalancer, ExternalName
	ClusterIP        string // an address, "None" or empty
	Selector         map[string]string
	Ports            []ServicePort
	ExternalIPs      []netip.Addr
	LoadBalancerIP   netip.Addr
	Ingress          []netip.Addr // status.loadBalancer.ingress
	SourceRanges     []netip.Prefix
	LocalPolicy      bool // externalTrafficPolicy: Local
	NoNodePorts      bool // allocateLoadBalancerNodePorts: false
	HealthCheckPort  uint16
	Annotations      map[string]string
	SourceRangesText []string
}

// ServicePort is one port of a Service.
type ServicePort struct {
	Source     Source
	Name       string
	Port       uint16
	Protocol   Protocol
	Target     uint16 // 0 when TargetName is set
	TargetName string
	NodePort   uint16
	App        string // appProtocol
}

// Ingress is networking.k8s.io/v1 Ingress: a relay's configuration (K8S-ING-01).
type Ingress struct {
	Meta
	Cluster     ID
	Namespace   string
	Class       string
	Controller  string // of the IngressClass, where the input has it (K8S-ING-02)
	Annotations map[string]string
	Backends    []IngressBackend
	TLS         bool
}

// IngressBackend is one backend of an Ingress.
type IngressBackend struct {
	Host, Path string
	Service    string
	Port       uint16
	PortName   string
	Source     Source
}
