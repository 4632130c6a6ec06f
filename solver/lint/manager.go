package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// adminRule names a security admin rule as hops print it.
func adminRule(id model.ID) string { return "admin-rule:" + id.ShortName() }

// placedRule is a security admin rule and the VNets that it is for.
type placedRule struct {
	rule  *model.AdminRule
	vnets []*model.VNet
	known bool // Azure lists it as in force there; else it is for these VNets if it is deployed (AZ-AVNM-14)
}

// placedRules lists the security admin rules of the input by what says that they are for a VNet: the list of what is in force, else the
// groups that it is known to be in. A rule that is in force at some VNets and may be at others stands twice.
func (r *reader) placedRules() []placedRule {
	var out []placedRule
	add := func(rule *model.AdminRule, v *model.VNet, known bool) {
		i := slices.IndexFunc(out, func(p placedRule) bool { return p.rule.ID.Key() == rule.ID.Key() && p.known == known })
		if i < 0 {
			out, i = append(out, placedRule{rule: rule, known: known}), len(out)
		}
		if !slices.Contains(out[i].vnets, v) {
			out[i].vnets = append(out[i].vnets, v)
		}
	}
	for _, v := range r.e.VNets {
		if e := r.inForce(v); e != nil {
			for i := range e.Rules {
				add(&e.Rules[i], v, true)
			}
			continue
		}
		for _, a := range r.e.ActiveAdmin {
			for i := range a.Rules {
				if region(v) == a.Region && r.memberOf(v, a.Rules[i].Groups) {
					add(&a.Rules[i], v, true)
				}
			}
		}
		for _, c := range r.e.AdminCollections {
			told, listed := r.deployedAt(c.Configuration, v)
			if r.memberOf(v, c.Groups) && (!told || listed) {
				for i := range c.Rules {
					add(&c.Rules[i], v, listed)
				}
			}
		}
	}
	// What is known to be active says more than the intent behind it.
	out = slices.DeleteFunc(out, func(p placedRule) bool {
		return !p.known && slices.ContainsFunc(out, func(q placedRule) bool { return q.known && q.rule.ID.Key() == p.rule.ID.Key() })
	})
	slices.SortStableFunc(out, func(a, b placedRule) int { return a.rule.ID.Compare(b.rule.ID) })
	return out
}

func region(v *model.VNet) string { return model.Region(v.Location) }

// inForce is the list of the rules in force at a VNet, or nil.
func (r *reader) inForce(v *model.VNet) *model.EffectiveAdminRules {
	for _, e := range r.e.EffectiveAdmin {
		if e.VNet.Is(v.ID) && !e.Cut {
			return e
		}
	}
	return nil
}

// memberOf reports whether a VNet is known to be in one of some network groups (AZ-AVNM-15).
func (r *reader) memberOf(v *model.VNet, groups []model.ID) bool {
	for _, m := range r.e.GroupMemberships {
		if m.VNet.Is(v.ID) {
			return slices.ContainsFunc(groups, func(g model.ID) bool { return slices.ContainsFunc(m.Groups, g.Is) })
		}
	}
	return slices.ContainsFunc(groups, func(id model.ID) bool {
		g, ok := model.Get[*model.NetworkGroup](r.e, id)
		return ok && slices.ContainsFunc(g.Members, func(m model.GroupMember) bool { return m.Resource.Is(v.ID) })
	})
}

// vnetList names VNets in a sentence.
func (r *reader) vnetList(list []*model.VNet) string {
	var out []string
	for _, v := range list {
		out = append(out, r.vnet(v))
	}
	return join(out)
}

// alwaysAllowPastDeny: an AlwaysAllow of a network manager jumps over the NSGs (AZ-AVNM-02, AZ-AVNM-03), so a Deny that people wrote for
// such packets is void.
func alwaysAllowPastDeny(r *reader, found sink) {
	for _, p := range r.placedRules() {
		u := p.rule
		if u.Access != model.AlwaysAllow {
			continue
		}
		var void []string
		for _, v := range p.vnets {
			for _, g := range r.groupsIn(v) {
				for _, d := range g.Rules {
					if custom(d, u.Direction, model.Deny) && meets(u.SecurityRule, d) && !slices.Contains(void, r.nsgRule(g, d)) {
						void = append(void, r.nsgRule(g, d))
					}
				}
			}
		}
		if len(void) == 0 {
			continue
		}
		slices.Sort(void)
		condition, severity := "", Severity("")
		if !p.known {
			condition, severity = ", if it is deployed", Warning
		}
		found(fact{
			subject: adminRule(u.ID), origin: u.Source, severity: severity,
			text: fmt.Sprintf("The rule (AlwaysAllow, priority %d, %s) lets %s from %s to %s pass %s without asking the NSGs%s. Void there for such packets: %s.",
				u.Priority, strings.ToLower(u.Direction.String()), service(u.Protocol, u.DestPorts), addresses(u.SourceAddrs), addresses(u.DestAddrs), r.vnetList(p.vnets), condition, join(void)),
			remedy: "Write Allow in place of AlwaysAllow where the NSGs are to decide, or name the addresses and ports that must pass.",
		})
	}
}

// groupsIn lists the NSGs on the subnets and interfaces of a VNet, in the order of their IDs.
func (r *reader) groupsIn(v *model.VNet) []*model.NSG {
	var ids []model.ID
	for _, s := range r.subnetsOf(v) {
		ids = append(ids, s.NSG)
		for _, n := range r.in(s.ID).nics {
			ids = append(ids, n.NSG)
		}
	}
	var out []*model.NSG
	for _, g := range r.e.NSGs {
		if slices.ContainsFunc(ids, g.ID.Is) {
			out = append(out, g)
		}
	}
	return out
}

// meets reports whether some packet may match two rules of one direction.
func meets(a, b model.SecurityRule) bool {
	ports := slices.ContainsFunc(a.DestPorts, func(p model.PortRange) bool { return len(common(b.DestPorts, p)) > 0 })
	protocols := a.Protocol == b.Protocol || a.Protocol == model.AnyProtocol || b.Protocol == model.AnyProtocol
	return protocols && ports && overlaps(a.SourceAddrs, b.SourceAddrs) && overlaps(a.DestAddrs, b.DestAddrs)
}

// adminRulesUndeployed: rules of a configuration are in the input, and nothing says whether they are deployed (AZ-AVNM-14).
func adminRulesUndeployed(r *reader, found sink) {
	var told []string
	for _, c := range r.e.AdminCollections {
		config := c.Configuration
		if len(c.Rules) == 0 || slices.Contains(told, config.Key()) {
			continue
		}
		told = append(told, config.Key())
		var open []*model.VNet
		for _, v := range r.e.VNets {
			if known(v) && r.inForce(v) == nil && !r.tells(config.Parent(), v) {
				open = append(open, v)
			}
		}
		if len(open) == 0 {
			continue
		}
		found(fact{
			subject: "admin-configuration:" + config.ShortName(), origin: c.Source,
			text:   fmt.Sprintf("Nothing in the input says whether the security admin configuration is deployed at %s, so its rules may be in force there or not.", r.vnetList(open)),
			remedy: "Add the output of listNetworkManagerEffectiveSecurityAdminRules for each VNet, or of listActiveSecurityAdminRules or listDeploymentStatus for the regions.",
		})
	}
}

// tells reports whether the input says what a manager has deployed in the region of a VNet.
func (r *reader) tells(manager model.ID, v *model.VNet) bool {
	told, _ := r.deployedAt(manager+"/securityAdminConfigurations/any", v)
	return told || slices.ContainsFunc(r.e.ActiveAdmin, func(a *model.ActiveAdminRules) bool { return a.Manager.Is(manager) && a.Region == region(v) })
}

// deployedAt says whether a deployment status tells what is deployed in the region of a VNet, and whether it lists a configuration.
func (r *reader) deployedAt(config model.ID, v *model.VNet) (told, listed bool) {
	for _, d := range r.e.Deployments {
		if d.Manager.Is(config.Parent()) && d.Region == region(v) && strings.EqualFold(d.Kind, "SecurityAdmin") &&
			(strings.EqualFold(d.State, "Deployed") || strings.EqualFold(d.State, "Committed")) {
			return true, slices.ContainsFunc(d.Configurations, config.Is)
		}
	}
	return false, false
}

// adminDenySkipped: a VNet that holds SQL Managed Instance or Azure Databricks is skipped by the Denies of a configuration (AZ-AVNM-08).
func adminDenySkipped(r *reader, found sink) {
	for _, v := range r.e.VNets {
		holds := ""
		for _, s := range r.subnetsOf(v) {
			for _, d := range s.Delegations {
				if strings.EqualFold(d, "Microsoft.Sql/managedInstances") || strings.EqualFold(d, "Microsoft.Databricks/workspaces") {
					holds = d
				}
			}
		}
		if holds == "" || r.inForce(v) != nil {
			continue
		}
		var skipped []string
		for _, c := range r.e.AdminCollections {
			config, ok := model.Get[*model.SecurityAdminConfiguration](r.e, c.Configuration)
			if !ok || config.IntentPolicy == model.IntentAll || !r.memberOf(v, c.Groups) {
				continue
			}
			for _, u := range c.Rules {
				if u.Access == model.Deny {
					skipped = append(skipped, adminRule(u.ID))
				}
			}
		}
		if len(skipped) > 0 {
			found(fact{
				subject: r.vnet(v), origin: v.Source,
				text:   fmt.Sprintf("The VNet has a subnet for %s, so that %s do not protect it, not even its other subnets.", holds, join(skipped)),
				remedy: "Deny the same in the NSGs of the VNet, or set applyOnNetworkIntentPolicyBasedServices of the configuration to All after checking what the service needs.",
			})
		}
	}
}

// connectedGroupOverlap: an address that two members of a connected group hold is not reachable through it (AZ-AVNM-11).
func connectedGroupOverlap(r *reader, found sink) {
	for _, c := range r.e.ConnectivityConfigs {
		for _, g := range c.Facts.Groups {
			if !strings.EqualFold(c.Facts.Topology, "Mesh") && g.Direct != model.On {
				continue
			}
			var members []*model.VNet
			for _, v := range r.e.VNets {
				if known(v) && r.memberOf(v, []model.ID{g.Group}) {
					members = append(members, v)
				}
			}
			var pairs []string
			for i, v := range members {
				for _, w := range members[i+1:] {
					for _, p := range v.Prefixes {
						if touches(p, w.Prefixes) {
							pairs = append(pairs, fmt.Sprintf("%s and %s (%s)", r.vnet(v), r.vnet(w), p))
						}
					}
				}
			}
			if len(pairs) > 0 {
				found(fact{
					subject: "connectivity:" + c.ID.ShortName(), origin: c.Source,
					text:   fmt.Sprintf("Members of the connected group %s overlap: %s. Packets to an address that two members have are dropped.", g.Group.Name(), strings.Join(pairs, "; ")),
					remedy: "Give the VNets ranges of their own, or take one of them out of the group.",
				})
			}
		}
	}
}
