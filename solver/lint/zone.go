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
