package lint

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// outsideZone is a declared zone outside the estate with its ranges.
type outsideZone struct {
	name   string
	kind   model.ZoneKind
	ranges []netip.Prefix
}

// outsideZones returns the declared external zones that have ranges (AZ-GW-11).
func (r *reader) outsideZones() []outsideZone {
	if r.p.Intent == nil {
		return nil
	}
	var out []outsideZone
	for _, z := range r.p.Intent.Zones {
		if !z.Kind.External() {
			continue
		}
		o := outsideZone{name: z.Name, kind: z.Kind}
		for _, m := range z.Members {
			if (m.Kind == model.SelCIDR || m.Kind == model.SelIP) && !m.Not && m.Prefix.IsValid() {
				o.ranges = append(o.ranges, m.Prefix)
			}
		}
		if len(o.ranges) > 0 {
			out = append(out, o)
		}
	}
	return out
}

// rangeSpansZones: one range of an Allow rule reaches into declared external zones of different kinds, as on-prem and wireless. The rule
// acts on all of them (AZ-GW-11): often a mask that is a bit too short.
func rangeSpansZones(r *reader, found sink) {
	zones := r.outsideZones()
	if len(zones) < 2 {
		return
	}
	report := func(subject string, origin model.Source, p netip.Prefix, what string) {
		if p.Bits() <= short {
			return // other findings speak of such a range
		}
		var hit []string
		var kinds []model.ZoneKind
		for _, z := range zones {
			if touches(p, z.ranges) {
				hit, kinds = append(hit, z.name), append(kinds, z.kind)
			}
		}
		slices.Sort(kinds)
		if len(slices.Compact(kinds)) < 2 {
			return
		}
		found(fact{
			subject: subject, origin: origin,
			text:   fmt.Sprintf("The range %s reaches into the zones %s, and %s.", p, join(hit), what),
			remedy: "Write the range of the one zone that is meant; where several are, one range for each.",
		})
	}
	for _, g := range r.e.NSGs {
		for _, u := range g.Rules {
			if !custom(u, model.Inbound, model.Allow) {
				continue
			}
			for _, p := range u.SourceAddrs.Prefixes {
				report(r.nsgRule(g, u), ruleOrigin(g, u), p, "the rule admits all of them: "+service(u.Protocol, u.DestPorts)+" to "+addresses(u.DestAddrs))
			}
		}
	}
	users := map[string][]string{} // rules that take an IP group as source
	r.firewallRules(func(f firewallRule) {
		if f.access != model.Allow {
			return
		}
		for _, p := range f.Sources.Prefixes {
			report(f.name, f.Source, p, "the rule admits all of them")
		}
		for _, id := range f.Sources.IPGroups {
			if key := id.Key(); !slices.Contains(users[key], f.name) {
				users[key] = append(users[key], f.name)
			}
		}
	})
	for _, g := range r.e.IPGroups {
		if len(users[g.ID.Key()]) == 0 {
			continue
		}
		for _, p := range g.Prefixes {
			report(r.rule("ipgroup", g.ID), g.Source, p, "so do the rules whose source the group is: "+join(users[g.ID.Key()]))
		}
	}
}

// senderZone is a declared zone with the ranges of its subnets that hold machines.
type senderZone struct {
	name   string
	kind   model.ZoneKind
	ranges []netip.Prefix
}

// senderZones returns the zones of cardholder data and those out of scope, with what senders of theirs a firewall sees: addresses of
// nodes and machines, not pods (AKS-NET-02).
func (r *reader) senderZones() []senderZone {
	if r.p.Intent == nil {
		return nil
	}
	var out []senderZone
	for _, z := range r.p.Intent.Zones {
		if z.Kind != model.ZoneCDE && z.Kind != model.ZoneOutOfScope {
			continue
		}
		o := senderZone{name: z.Name, kind: z.Kind}
		for _, m := range z.Members {
			if m.Not || m.Kind != model.SelSubnet {
				continue
			}
			list, err := r.e.Find(m)
			if err != nil {
				continue // the solver reports it
			}
			for _, f := range list {
				if s, ok := f.Resource.(*model.Subnet); ok && r.in(s.ID).machines() {
					o.ranges = append(o.ranges, s.Prefixes...)
				}
			}
		}
		if len(o.ranges) > 0 {
			out = append(out, o)
		}
	}
	return out
}

// egressListShared: a firewall has rules for a zone of cardholder data and for one out of scope, and tells them apart in none. What one
// of them needs, the other may reach as well; a pod has no address of its own there (AKS-NET-02).
func egressListShared(r *reader, found sink) {
	zones := r.senderZones()
	for _, f := range r.e.Firewalls {
		var rules []model.FirewallRule
		add := func(list []model.RuleCollection) {
			for _, c := range list {
				if c.Access == model.Allow && c.Kind != model.DNATRules {
					rules = append(rules, c.Rules...)
				}
			}
		}
		add(f.Collections)
		seen := map[string]bool{}
		for id := f.Policy; id != "" && !seen[id.Key()]; {
			seen[id.Key()] = true
			for _, g := range r.e.RuleGroups {
				if g.Policy.Key() == id.Key() {
					add(g.Collections)
				}
			}
			p, ok := model.Get[*model.FirewallPolicy](r.e, id)
			if !ok {
				break
			}
			id = p.Base
		}
		allowed := func(z senderZone) (n int, which string, groups []string) {
			for i, u := range rules {
				m := r.resolved(u.Sources)
				if !m.Any && !slices.ContainsFunc(z.ranges, func(p netip.Prefix) bool { return touches(p, m.Prefixes) }) {
					continue
				}
				n, which = n+1, fmt.Sprintf("%s %d", which, i)
				for _, id := range u.Sources.IPGroups {
					if !slices.Contains(groups, id.Name()) {
						groups = append(groups, id.Name())
					}
				}
			}
			return n, which, groups
		}
		for _, in := range zones {
			for _, out := range zones {
				if in.kind != model.ZoneCDE || out.kind != model.ZoneOutOfScope {
					continue
				}
				n, mine, groups := allowed(in)
				if _, theirs, _ := allowed(out); n == 0 || mine != theirs {
					continue
				}
				by := ""
				if len(groups) > 0 {
					slices.Sort(groups)
					by = " by " + join(groups)
				}
				found(fact{
					subject: r.rule("firewall", f.ID), origin: f.Source,
					text: fmt.Sprintf("What leaves zone %s and what leaves zone %s is allowed by the same %d rules%s: no rule tells them apart, so each reaches what the other needs. The firewall sees nodes, not pods.",
						in.name, out.name, n, by),
					remedy: "Give each zone's subnets rules of their own, and keep in the shared ones what every node needs.",
				})
			}
		}
	}
}
