package model

import "net/netip"

// PolicyTier is where a cluster-wide policy stands: before or behind the NetworkPolicies of the namespaces (K8S-CNP-02).
type PolicyTier uint8

// The tiers of cluster-wide policies.
const (
	AdminTier    PolicyTier = iota // decides before NetworkPolicies
	BaselineTier                   // decides where no NetworkPolicy isolates the pod
)

func (t PolicyTier) String() string {
	if t == BaselineTier {
		return "Baseline"
	}
	return "Admin"
}

// PolicyAction is what a rule of an ordered policy does with what it matches.
type PolicyAction uint8

// The actions of ordered policies.
const (
	PolicyDeny  PolicyAction = iota
	PolicyAllow              // Accept, or Allow in v1alpha1 (K8S-CNP-01)
	PolicyPass               // goes on to the next tier (K8S-CNP-06)
	PolicyLog                // goes on to the next rule: Calico (K8S-CAL-02)
)

func (a PolicyAction) String() string {
	switch a {
	case PolicyAllow:
		return "Allow"
	case PolicyPass:
		return "Pass"
	case PolicyLog:
		return "Log"
	default:
		return "Deny"
	}
}

// ClusterPolicy is a policy.networking.k8s.io ClusterNetworkPolicy, AdminNetworkPolicy or BaselineAdminNetworkPolicy (K8S-CNP-01).
type ClusterPolicy struct {
	Meta
	Cluster  ID
	Kind     string // as read
	Tier     PolicyTier
	Priority int // lower first, within the tier (K8S-CNP-05)
	Subject  PolicySubject
	Ingress  []ClusterPolicyRule
	Egress   []ClusterPolicyRule
}

// Rules are the rules of a direction, in their order.
func (p *ClusterPolicy) Rules(d Direction) []ClusterPolicyRule {
	if d == Outbound {
		return p.Egress
	}
	return p.Ingress
}

// PolicySubject is the pods that a cluster-wide policy is about: those of the namespaces, all of them where Pods is nil (K8S-CNP-07).
type PolicySubject struct {
	Namespaces LabelSelector
	Pods       *LabelSelector
}

// ClusterPolicyRule is one rule. No ports: everything, ICMP too (K8S-CNP-13).
type ClusterPolicyRule struct {
	Source Source
	Name   string
	Action PolicyAction
	Peers  []ClusterPolicyPeer // any of them
	Ports  []PolicyPort        // a named port has no protocol of its own: AnyProtocol
}

// ClusterPolicyPeer is one from or to entry: exactly one of its members is set. With none the rule fails closed (K8S-CNP-14).
type ClusterPolicyPeer struct {
	Source     Source
	Namespaces *LabelSelector // all pods of the namespaces, or with Pods those that it selects there
	Pods       *LabelSelector
	Nodes      *LabelSelector // egress (K8S-CNP-11)
	Networks   []netip.Prefix // egress; pods included (K8S-CNP-10)
	Names      []string       // egress: domain names (K8S-CNP-12)
}

// Unknown reports a peer of which nothing is known (K8S-CNP-14).
func (p ClusterPolicyPeer) Unknown() bool {
	return p.Namespaces == nil && p.Nodes == nil && len(p.Networks) == 0 && len(p.Names) == 0
}
