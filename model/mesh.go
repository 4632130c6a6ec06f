package model

import "net/netip"

// AuthorizationPolicy is security.istio.io AuthorizationPolicy (K8S-IST-02).
type AuthorizationPolicy struct {
	Meta
	Cluster   ID
	Namespace string
	Pods      LabelSelector
	Elsewhere bool   // targetRefs: it may be about gateways and Services instead
	Action    string // ALLOW, DENY, CUSTOM, AUDIT
	Rules     []MeshRule
}

// MeshRule is one rule: any of its sources, and any of its ports.
type MeshRule struct {
	Source Source
	From   []MeshSource // none: anyone
	Ports  []uint16     // none: every port
	Doubt  bool         // conditions or fields of the application layer: it may match less (K8S-IST-03)
}

// MeshSource is one source of a rule: everything that is stated holds.
type MeshSource struct {
	Namespaces []string // names, possibly with `*` at one end; identities need mutual TLS (K8S-IST-03)
	Blocks     []netip.Prefix
	Doubt      bool // more is stated than this
}

// PeerAuthentication is security.istio.io PeerAuthentication (K8S-IST-04).
type PeerAuthentication struct {
	Meta
	Cluster   ID
	Namespace string
	Pods      *LabelSelector // nil: every workload of the namespace
	Mode      string         // STRICT, PERMISSIVE, DISABLE, or empty: inherited
	Ports     map[uint16]string
}
