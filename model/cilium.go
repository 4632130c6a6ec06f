package model

// CiliumPolicy is a cilium.io CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy (K8S-CIL-01).
type CiliumPolicy struct {
	Meta
	Cluster   ID
	Kind      string // as read
	Namespace string // empty: every one
	Rules     []CiliumRule
}

// CiliumRule is spec, or one of specs: a policy for the pods of its subject.
type CiliumRule struct {
	Source   Source
	Subject  CiliumSelector
	Isolates [2]Setting         // by Direction; not stated: versions of Cilium differ (K8S-CIL-02)
	Allow    [2][]CiliumTraffic // by Direction
	Deny     [2][]CiliumTraffic // beats every Allow of any policy (K8S-CIL-01)
}

// CiliumSelector selects pods by their labels and those of their namespace. Without Namespaces they are those of the policy's namespace, in a
// clusterwide policy those of every one (K8S-CIL-03).
type CiliumSelector struct {
	Pods       LabelSelector
	Namespaces *LabelSelector
	Others     bool // of peers: it asks for no label to be there, so that it may take nodes and what is outside the cluster as well
}

// CiliumTraffic is one rule: peers, and ports or kinds of ICMP message (K8S-CIL-04).
type CiliumTraffic struct {
	Source  Source
	AnyPeer bool // no peers are named
	Peers   []CiliumPeer
	Ports   []PolicyPort // none, and no ICMP: everything
	ICMP    []CiliumICMP
	Doubt   bool // it may match less, and nothing: rules for the application layer, or versions of Cilium differ
}

// CiliumPeer is a peer: exactly one of its members is set, beside where it stands.
type CiliumPeer struct {
	Source    Source
	Endpoints *CiliumSelector
	Block     *IPBlock // never pods or nodes (K8S-CIL-05)
	Entity    string   // K8S-CIL-06
	Name      string   // egress (K8S-CIL-07)
}

// CiliumICMP is a kind of ICMP message.
type CiliumICMP struct {
	Protocol Protocol // ICMP or ICMPv6
	Echo     bool     // an echo request
}
