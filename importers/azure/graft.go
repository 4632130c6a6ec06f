package azure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// graftable is what must stand in a stub of a resource for the parts of a type to be read, by lower-case type; empty for parts that cannot be told
// apart in the resource once it is read.
func graftable(part string) string {
	switch part {
	case "microsoft.network/networksecuritygroups/securityrules", "microsoft.network/routetables/routes",
		"microsoft.network/loadbalancers/backendaddresspools", "microsoft.network/loadbalancers/inboundnatrules",
		"microsoft.containerservice/managedclusters/agentpools",
		"microsoft.network/privatednszones/a", "microsoft.network/privatednszones/aaaa", "microsoft.network/privatednszones/virtualnetworklinks",
		"microsoft.network/dnszones/a", "microsoft.network/dnszones/aaaa":
		return "{}"
	case "microsoft.network/virtualnetworks/virtualnetworkpeerings":
		return `{"addressSpace": {"addressPrefixes": ["0.0.0.0/0"]}}`
	case "microsoft.sql/servers/firewallrules", "microsoft.sql/servers/ipv6firewallrules", "microsoft.sql/servers/virtualnetworkrules",
		"microsoft.dbforpostgresql/flexibleservers/firewallrules", "microsoft.dbformysql/flexibleservers/firewallrules", "microsoft.cache/redis/firewallrules":
		return `{"publicNetworkAccess": "Disabled"}`
	default:
		return ""
	}
}

// grafted puts the parts that were read for a stub in the place of those of their names in the resource itself.
func (r *resource) grafted(base, m model.Resource) model.Resource {
	switch base := base.(type) {
	case *model.NSG:
		read, ok := m.(*model.NSG)
		if !ok {
			break
		}
		g := *base
		rules := func(list []model.SecurityRule, defaults bool) []model.SecurityRule {
			return slices.DeleteFunc(slices.Clone(list), func(x model.SecurityRule) bool { return x.Default != defaults })
		}
		g.Rules = slices.Concat(grafts(r, rules(base.Rules, false), rules(read.Rules, false), ruleName), rules(base.Rules, true))
		sortRules(g.Rules)
		r.doublePriorities(&g)
		return &g
	case *model.RouteTable:
		if read, ok := m.(*model.RouteTable); ok {
			t := *base
			t.Routes = merge(r, "routes", grafts(r, base.Routes, read.Routes, routeName), routeName)
			r.doubleRoutes(&t)
			return &t
		}
	case *model.VNet:
		if read, ok := m.(*model.VNet); ok {
			v := *base
			v.Subnets = nil // the estate lists them again
			v.Peerings = merge(r, "virtualNetworkPeerings", grafts(r, base.Peerings, read.Peerings, peeringName), peeringName)
			return &v
		}
	case *model.LoadBalancer:
		if read, ok := m.(*model.LoadBalancer); ok {
			lb := *base
			lb.Pools = merge(r, "backendAddressPools", grafts(r, base.Pools, read.Pools, poolName), poolName)
			lb.NATRules = merge(r, "inboundNatRules", grafts(r, base.NATRules, read.NATRules, natRuleKey), natRuleKey)
			return &lb
		}
	case *model.Cluster:
		if read, ok := m.(*model.Cluster); ok {
			c := *base
			c.Pools = grafts(r, base.Pools, read.Pools, func(p model.NodePool) (string, model.Source) { return p.Name, p.Source })
			slices.SortFunc(c.Pools, func(a, b model.NodePool) int { return cmp.Compare(a.Name, b.Name) })
			return &c
		}
	case *model.DNSZone:
		if read, ok := m.(*model.DNSZone); ok {
			z := *base
			z.Records = merge(r, "records", grafts(r, base.Records, read.Records, recordName), recordName)
			z.Links = merge(r, "virtualNetworkLinks", grafts(r, base.Links, read.Links, linkName), linkName)
			return &z
		}
	case *model.Service:
		if read, ok := m.(*model.Service); ok {
			s := *base
			s.IPRules = slices.Concat(r.graftedRules(base.IPRules, read.IPRules, false), r.graftedRules(base.IPRules, read.IPRules, true))
			if s.Kind == model.SQLServer { // those of others have no names
				s.VNetRules = merge(r, "virtualNetworkRules", grafts(r, base.VNetRules, read.VNetRules, vnetRuleName), vnetRuleName)
			}
			return &s
		}
	default: // graftable names no other
	}
	return m
}

// graftedRules are the rules of one family: those of IPv6 are parts of a type of their own, which may bear the same names.
func (r *resource) graftedRules(base, read []model.IPRule, ipv6 bool) []model.IPRule {
	family := func(list []model.IPRule) []model.IPRule {
		return slices.DeleteFunc(slices.Clone(list), func(x model.IPRule) bool {
			return (len(x.Prefixes) > 0 && x.Prefixes[0].Addr().Is6()) != ipv6
		})
	}
	return merge(r, "firewallRules", grafts(r, family(base), family(read), ipRuleName), ipRuleName)
}

// grafts is a list with parts in the place of those of their names, or behind the others.
func grafts[T any](r *resource, base, read []T, name func(T) (string, model.Source)) []T {
	kept := slices.DeleteFunc(slices.Clone(base), func(x T) bool {
		n, at := name(x)
		same := slices.ContainsFunc(read, func(y T) bool {
			m, _ := name(y)
			return strings.EqualFold(n, m)
		})
		if same {
			r.grafts = append(r.grafts, at)
		}
		return same
	})
	return append(kept, read...)
}
