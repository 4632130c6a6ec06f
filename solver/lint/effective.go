package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// settled reports whether imported effective rules say what VirtualNetwork holds at every NIC of a subnet, and that it did not grow to
// everything (AZ-TAG-04, AZ-TAG-11).
func (r *reader) settled(s *model.Subnet) bool {
	small := func(rules *model.EffectiveRules) bool {
		if rules == nil {
			return false
		}
		lists, ok := rules.Content("VirtualNetwork")
		return ok && !slices.ContainsFunc(slices.Concat(lists...), func(p netip.Prefix) bool { return p.Bits() == 0 })
	}
	if rules, ok := model.Get[*model.EffectiveRules](r.e, model.EffectiveRulesID(s.ID)); ok {
		return small(rules)
	}
	in := r.in(s.ID)
	return len(in.nics) > 0 && len(in.sets)+len(in.pools) == 0 &&
		!slices.ContainsFunc(in.nics, func(n *model.NIC) bool { return !small(r.e.RulesAt(n.ID, "")) })
}

// seat is the NIC or subnet of imported effective state, and its VNet. ok is false where the input lacks one of them.
func (r *reader) seat(of model.ID) (name string, n *model.NIC, s *model.Subnet, v *model.VNet, ok bool) {
	if nic, found := model.Get[*model.NIC](r.e, of); found {
		n, name = nic, r.refs.Of(model.SelNIC, nic)
		for _, c := range nic.IPConfigs {
			if s == nil {
				s, _ = model.Get[*model.Subnet](r.e, c.Subnet)
			}
		}
	} else if sub, found := model.Get[*model.Subnet](r.e, of); found {
		s, name = sub, r.subnet(sub)
	}
	if s == nil {
		return "", nil, nil, nil, false
	}
	v, found := vnetOf(r, s)
	return name, n, s, v, found && known(v)
}

// effectiveRulesDiffer: what the platform applied at a NIC is not what the resources of the input say (AZ-TAG-04): another NSG, other rules,
// or a VirtualNetwork that lacks the VNet's own space or holds what nothing in the input explains. One of the two is old, or the input is
// not whole.
func effectiveRulesDiffer(r *reader, found sink) {
	for _, e := range r.e.Rules {
		name, n, s, v, ok := r.seat(e.Of)
		if !ok {
			continue
		}
		var differ []string
		expected := map[string]model.ID{}
		if s.NSG != "" && !ignoresNSG(s) {
			expected[s.NSG.Key()] = s.NSG
		}
		if n != nil && n.NSG != "" {
			expected[n.NSG.Key()] = n.NSG
		}
		for _, g := range e.Groups {
			if _, ok := expected[g.NSG.Key()]; !ok && g.NSG != "" {
				differ = append(differ, fmt.Sprintf("%s acts there and is not attached in the input", g.NSG.Name()))
			}
			if nsg, ok := model.Get[*model.NSG](r.e, g.NSG); ok {
				differ = append(differ, rulesDiffer(nsg, g)...)
			}
		}
		differ = append(differ, r.tagDiffers(e, s, v)...)
		if len(differ) > 0 {
			found(fact{
				subject: name, origin: e.Source,
				text:   fmt.Sprintf("The effective rules of the input and its resources disagree: %s. Verdicts take the rules from the resources and what VirtualNetwork holds from the effective rules.", strings.Join(capped(differ), "; ")),
				remedy: "Export both anew, at one time.",
			})
		}
	}
}

// capped cuts a list of differences.
func capped(list []string) []string {
	if len(list) > listed {
		return append(slices.Clone(list[:listed]), fmt.Sprintf("%d more", len(list)-listed))
	}
	return list
}

// rulesDiffer compares the rules of one NSG by name. Rules with application security groups may be shown at members alone, and a list that
// does not end in the last default rules is not whole: what they lack is no difference.
func rulesDiffer(nsg *model.NSG, g model.EffectiveGroup) []string {
	key := func(u model.SecurityRule) string {
		return fmt.Sprintf("%s/%v/%s", u.Direction, u.Default, strings.ToLower(u.Name))
	}
	have := map[string]model.SecurityRule{}
	whole := map[model.Direction]bool{}
	for _, u := range g.Rules {
		have[key(u.SecurityRule)] = u.SecurityRule
		whole[u.Direction] = whole[u.Direction] || u.Priority == 65500
	}
	var out []string
	for _, u := range nsg.Rules {
		is, ok := have[key(u)]
		delete(have, key(u))
		switch {
		case u.Default:
		case !ok && whole[u.Direction] && len(u.SourceAddrs.ASGs)+len(u.DestAddrs.ASGs) == 0:
			out = append(out, fmt.Sprintf("rule %s of %s is not in force", u.Name, nsg.Name()))
		case ok && (is.Access != u.Access || is.Priority != u.Priority):
			out = append(out, fmt.Sprintf("rule %s of %s is %s at %d there, and %s at %d in the input", u.Name, nsg.Name(), is.Access, is.Priority, u.Access, u.Priority))
		}
	}
	for _, u := range g.Rules { // in their order
		if _, extra := have[key(u.SecurityRule)]; extra && !u.Default {
			out = append(out, fmt.Sprintf("rule %s is in force and not in %s", u.Name, nsg.Name()))
		}
	}
	return out
}

// tagDiffers holds the expansion of VirtualNetwork against what the table of AZ-TAG-01 can explain.
func (r *reader) tagDiffers(e *model.EffectiveRules, s *model.Subnet, v *model.VNet) []string {
	lists, ok := e.Content("VirtualNetwork")
	if !ok {
		return nil
	}
	var b, x netipx.IPSetBuilder
	for _, p := range slices.Concat(lists...) {
		b.AddPrefix(p)
	}
	holds := setOf(&b)
	var out []string
	mentioned := func(p netip.Prefix) bool {
		return slices.ContainsFunc(slices.Concat(lists...), func(q netip.Prefix) bool { return q.Addr().Is4() == p.Addr().Is4() })
	}
	for _, p := range v.Prefixes {
		if mentioned(p) && !holds.ContainsPrefix(p) {
			out = append(out, fmt.Sprintf("VirtualNetwork lacks %s of the VNet's own space", p))
		}
	}
	t, tableKnown := r.table(s)
	if !tableKnown || len(r.gatewaysOf(v)) > 0 || len(r.e.NetworkManagers)+len(r.e.ConnectivityConfigs)+len(r.e.EffectiveConnectivity)+len(r.e.ActiveConnectivity) > 0 {
		return out // learned routes and connected groups explain what the input does not state
	}
	explain := func(ps ...netip.Prefix) {
		for _, p := range ps {
			x.AddPrefix(p)
		}
	}
	explain(v.Prefixes...)
	explain(netip.MustParsePrefix("168.63.129.16/32"))
	for _, l := range r.links(v) {
		explain(l.local.RemotePrefixes...)
		explain(l.local.SyncedPrefixes...)
		if l.remote != nil {
			explain(l.remote.Prefixes...)
			for _, next := range r.links(l.remote) { // networks behind a peer that forwards
				if next.remote != nil {
					explain(next.remote.Prefixes...)
				}
				explain(next.local.RemotePrefixes...)
			}
			if len(r.gatewaysOf(l.remote)) > 0 {
				return out
			}
		} else {
			return out // what lies behind a peer that the input lacks is not known
		}
	}
	if t != nil {
		for _, u := range t.Routes {
			if u.Tag != "" {
				return out
			}
			explain(u.Prefix)
		}
	}
	explained := setOf(&x)
	for _, p := range holds.Prefixes() {
		if !explained.OverlapsPrefix(p) {
			out = append(out, fmt.Sprintf("VirtualNetwork holds %s, which nothing in the input explains", p))
		}
	}
	return out
}

func setOf(b *netipx.IPSetBuilder) *netipx.IPSet {
	s, _ := b.IPSet() // no error: prefixes are valid
	return s
}

// effectiveRoutesDiffer: the effective routes of a NIC are not those that the resources of the input give it (AZ-RT-33): user routes that
// are in one and not in the other, or ranges of the VNet and its peers.
func effectiveRoutesDiffer(r *reader, found sink) {
	for _, e := range r.e.Routes {
		name, n, s, v, ok := r.seat(e.Of)
		if !ok || n == nil {
			continue
		}
		var differ []string
		shown := map[string]bool{} // rows, active or not
		var shownUser, shownOwn []string
		for _, row := range e.Routes {
			for _, p := range row.Prefixes {
				key := rowKey(row.From, p, row.NextHop, row.Addresses)
				shown[key] = true
				switch {
				case row.From == "User":
					shownUser = append(shownUser, key)
				case row.NextHop == model.HopVnetLocal || row.NextHop == model.HopPeering || row.NextHop == model.HopGlobalPeering:
					shownOwn = append(shownOwn, key)
				}
			}
		}
		families := e.Families()
		stated := map[string]bool{}
		if t, ok := r.table(s); ok && t != nil {
			tags := false
			for _, u := range t.Routes {
				if !u.Prefix.IsValid() {
					tags = true // its prefixes are not in the input
					continue
				}
				var to []netip.Addr
				if u.Address.IsValid() {
					to = []netip.Addr{u.Address}
				}
				key := rowKey("User", u.Prefix, u.NextHop, to)
				stated[key] = true
				if !shown[key] && families[u.Prefix.Addr().BitLen()] {
					differ = append(differ, fmt.Sprintf("the route %s of %s (%s to %s) is not in the table", u.Name, t.Name(), u.Prefix, hop(&u)))
				}
			}
			for _, key := range shownUser {
				if !stated[key] && !tags {
					differ = append(differ, "the table has the user route "+key+", which no route of "+t.Name()+" gives")
				}
			}
		} else if ok {
			for _, key := range shownUser {
				differ = append(differ, "the table has the user route "+key+", and the subnet has no route table")
			}
		}
		var space []netip.Prefix
		for _, p := range v.Prefixes {
			space = append(space, p)
			if families[p.Addr().BitLen()] && !shown[rowKey("Default", p, model.HopVnetLocal, nil)] {
				differ = append(differ, fmt.Sprintf("%s of the VNet has no row", p))
			}
		}
		whole := true
		for _, l := range r.links(v) {
			space = append(append(space, l.local.RemotePrefixes...), l.local.SyncedPrefixes...)
			if l.remote != nil {
				space = append(space, l.remote.Prefixes...)
			} else {
				whole = whole && len(l.local.RemotePrefixes) > 0
			}
			if !l.up() || l.local.CompleteVNets == model.Off || l.local.OnlyIPv6 == model.On {
				continue
			}
			for _, p := range l.remote.Prefixes {
				if families[p.Addr().BitLen()] && !shown[rowKey("Default", p, model.HopPeering, nil)] && !shown[rowKey("Default", p, model.HopGlobalPeering, nil)] {
					differ = append(differ, fmt.Sprintf("%s of the peer %s has no row", p, l.remote.Name()))
				}
			}
		}
		for _, key := range shownOwn {
			prefix, _, _ := strings.Cut(key, " ")
			p := netip.MustParsePrefix(prefix)
			if whole && !slices.ContainsFunc(space, func(q netip.Prefix) bool { return q.Overlaps(p) }) {
				differ = append(differ, "the table has "+key+", which no VNet of the input explains")
			}
		}
		if len(differ) > 0 {
			found(fact{
				subject: name, origin: e.Source,
				text:   fmt.Sprintf("The effective routes of the input and its resources disagree: %s. Verdicts follow the effective routes.", strings.Join(capped(differ), "; ")),
				remedy: "Export both anew, at one time.",
			})
		}
	}
}

// rowKey writes a row of an effective table: the same text for the same row.
func rowKey(from string, p netip.Prefix, hop model.NextHopType, to []netip.Addr) string {
	text := p.String() + " to " + string(hop)
	if hop == model.HopAppliance {
		for _, a := range to {
			text += " " + a.String()
		}
	}
	if from != "User" {
		text += " (" + from + ")"
	}
	return text
}
