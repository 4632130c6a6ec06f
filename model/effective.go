package model

import (
	"net/netip"
	"strings"
)

// EffectiveRules is the security rules that the platform applies at a NIC, as `az network nic list-effective-nsg` prints them
// (AZ-TAG-04). Its ID is that of the NIC or subnet with /effective/rules behind it.
type EffectiveRules struct {
	Meta
	Of     ID // the NIC; or the subnet, where the input names no NIC: then of every NIC in it
	Groups []EffectiveGroup
}

// EffectiveGroup is one NSG as it acts there.
type EffectiveGroup struct {
	NSG    ID
	At     ID // the NIC or subnet that it is attached to
	Source Source
	Rules  []EffectiveRule // sorted by direction, then priority, then name
}

// EffectiveRule is a rule with its tags expanded. An expansion is empty where the rule names no tag.
type EffectiveRule struct {
	SecurityRule
	ExpandedSource, ExpandedDest []netip.Prefix
}

// Content is what a tag holds at the NIC: least by every rule that names it, most by some. ok is false where no rule names the tag
// alone, or none is expanded.
func (r *EffectiveRules) Content(tag string) (lists [][]netip.Prefix, ok bool) {
	read := func(m AddressMatch, expanded []netip.Prefix) {
		if len(m.Tags) == 1 && strings.EqualFold(m.Tags[0], tag) && !m.Any && len(m.Prefixes) == 0 && len(m.ASGs) == 0 && len(expanded) > 0 {
			lists = append(lists, expanded)
		}
	}
	for _, g := range r.Groups {
		for _, rule := range g.Rules {
			read(rule.SourceAddrs, rule.ExpandedSource)
			read(rule.DestAddrs, rule.ExpandedDest)
		}
	}
	return lists, len(lists) > 0
}

// EffectiveRoutes is the route table that the platform applies at a NIC, as `az network nic show-effective-route-table` prints it
// (AZ-RT-33). Its ID is that of the NIC with /effective/routes behind it.
type EffectiveRoutes struct {
	Meta
	Of     ID
	Routes []EffectiveRoute // in the order read
}

// EffectiveRoute is one row of an effective route table.
type EffectiveRoute struct {
	Name      string
	Source    Source
	From      string // Default, User, VirtualNetworkGateway, Unknown
	Active    bool   // else Invalid: another route takes its place
	Prefixes  []netip.Prefix
	Tags      []string // service tags among the prefixes
	NextHop   NextHopType
	Addresses []netip.Addr
}

// RulesAt returns the imported effective rules of a NIC in a subnet: its own, else those of the subnet; nil where the input has none.
func (e *Estate) RulesAt(nic, subnet ID) *EffectiveRules {
	if len(e.Rules) == 0 {
		return nil
	}
	for _, of := range []ID{nic, subnet} {
		if r, ok := Get[*EffectiveRules](e, EffectiveRulesID(of)); ok && of != "" {
			return r
		}
	}
	return nil
}

// RoutesAt returns the imported effective routes of a NIC; nil where the input has none.
func (e *Estate) RoutesAt(nic ID) *EffectiveRoutes {
	if nic == "" || len(e.Routes) == 0 {
		return nil
	}
	r, _ := Get[*EffectiveRoutes](e, EffectiveRoutesID(nic))
	return r
}

// EffectiveRulesID and EffectiveRoutesID are the IDs of what the platform applies at a NIC or subnet.
func EffectiveRulesID(of ID) ID { return ID(strings.TrimRight(string(of), "/") + "/effective/rules") }

// EffectiveRoutesID is the ID of the effective routes of a NIC.
func EffectiveRoutesID(of ID) ID { return ID(strings.TrimRight(string(of), "/") + "/effective/routes") }

// Families lists the address lengths (32, 128) that the rows mention.
func (r *EffectiveRoutes) Families() map[int]bool {
	out := map[int]bool{}
	for _, row := range r.Routes {
		for _, p := range row.Prefixes {
			out[p.Addr().BitLen()] = true
		}
	}
	return out
}
