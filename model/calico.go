package model

import (
	"net/netip"
	"strings"
)

// CalicoPolicy is a projectcalico.org NetworkPolicy or GlobalNetworkPolicy (K8S-CAL-02).
type CalicoPolicy struct {
	Meta
	Cluster    ID
	Kind       string // as read
	Namespace  string // empty: every one
	Tier       string
	Order      float64 // lower first, within the tier; +Inf where none is stated
	Selector   CalicoSelector
	Namespaces CalicoSelector // nil: not stated
	Applies    [2]bool        // by Direction: types after defaulting
	Rules      [2][]CalicoRule
}

// CalicoTier is a projectcalico.org Tier: tiers are asked one after the other (K8S-CAL-02).
type CalicoTier struct {
	Meta
	Cluster ID
	Order   float64 // +Inf where none is stated
	Pass    bool    // what ends the tier: the next one is asked, instead of Deny
}

// CalicoNetworkSet is a projectcalico.org NetworkSet or GlobalNetworkSet: addresses that selectors find by labels.
type CalicoNetworkSet struct {
	Meta
	Cluster   ID
	Namespace string // empty: a global one
	Labels    map[string]string
	Nets      []netip.Prefix
	Names     bool // it names domains too
}

// CalicoSelector is a selector of Calico: any of its terms. An empty one selects nothing; all() is one term that asks for nothing.
type CalicoSelector []CalicoTerm

// CalicoTerm asks for labels, and for labels of the namespace.
type CalicoTerm struct {
	Labels     LabelSelector
	Namespaces *LabelSelector
}

// CalicoRule is one rule, asked in its order.
type CalicoRule struct {
	Source       Source
	Action       PolicyAction
	Protocols    []Protocol // none: every one
	NotProtocols []Protocol
	ICMPType     bool // only a type of ICMP messages
	Family       int  // 4, 6 or 0
	From, To     CalicoEnd
	Doubt        bool // it may match less
}

// CalicoEnd is one side of a rule: everything that is stated holds.
type CalicoEnd struct {
	Selector    CalicoSelector // nil: not stated
	NotSelector CalicoSelector // nil: not stated
	Namespaces  CalicoSelector // nil: not stated
	Nets        []netip.Prefix
	NotNets     []netip.Prefix
	Ports       []PolicyPort // protocol AnyProtocol: that of the rule
	NotPorts    []PolicyPort
}

// Words are what a side states beside its nets and ports, as the fields of a rule: `source.selector source.notNets`.
func (e CalicoEnd) Words(side string) string {
	var out []string
	for _, w := range []struct {
		field string
		there bool
	}{{"selector", e.Selector != nil}, {"notSelector", e.NotSelector != nil}, {"namespaceSelector", e.Namespaces != nil}, {"notNets", len(e.NotNets) > 0}} {
		if w.there {
			out = append(out, side+"."+w.field)
		}
	}
	return strings.Join(out, " ")
}
