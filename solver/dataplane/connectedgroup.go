package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// groupLink joins a VNet to another member of a connected group: routes without a peering object (AZ-AVNM-11).
type groupLink struct {
	remote   *model.VNet
	certain  bool
	prefixes []netip.Prefix // that are routed; those that another certain member holds too are left out
	doubtful []netip.Prefix // that another possible member may hold too
	note     string
}

// joined lists the VNets that share a connected group with one, in the order of their IDs: a group that the input describes, or one that it
// does not, of which every VNet in the scope of the manager may be a member (AZ-AVNM-14).
func (p *planner) joined(v *model.VNet) []groupLink {
	out, more := p.groups[v.ID.Key()], p.undescribed(v)
	if len(more) == 0 {
		return out
	}
	out = append(slices.Clone(out), more...)
	slices.SortFunc(out, func(a, b groupLink) int { return a.remote.ID.Compare(b.remote.ID) })
	return out
}

// undescribed lists the members of groups that the input does not describe, which no other group or peering joins with a VNet. They are not
// kept: in a large estate there are as many as pairs of VNets.
func (p *planner) undescribed(v *model.VNet) []groupLink {
	here := p.unknownGroups(v)
	if v.Partial || len(here) == 0 {
		return nil
	}
	own := ipset(v.Prefixes)
	known := map[string]bool{}
	for _, l := range p.groups[v.ID.Key()] {
		known[l.remote.ID.Key()] = true
	}
	var out []groupLink
	for _, w := range p.e.VNets {
		if w.Partial || w == v || known[w.ID.Key()] || len(p.unknownGroups(w)) == 0 || p.peered(v, w) {
			continue
		}
		l := groupLink{remote: w, note: here[0]}
		for _, x := range w.Prefixes {
			if own.OverlapsPrefix(x) { // AZ-AVNM-11: what the VNet itself holds stays there
				l.prefixes = append(l.prefixes, minusSet(ipset([]netip.Prefix{x}), own).Prefixes()...)
			} else {
				l.prefixes = append(l.prefixes, x)
			}
		}
		out = append(out, l)
	}
	return out
}

// unknownGroup stands in a hop for every VNet of groups that the input does not describe.
const unknownGroup = "a group that the input does not describe"

// intoUnknownGroup leads packets to whichever member of such a group holds their destination.
func (p *planner) intoUnknownGroup(from NodeID, v *model.VNet, via string, sent guard) {
	place := model.Place{Kind: model.PlaceSubnet, ID: v.ID, Part: unknownGroup}
	n := p.node(place, StageFabric, via)
	p.edge(from, n, sent, nil, p.unknownGroups(v)...)
	key := Node{Place: place.Key(), Stage: StageFabric, Via: via}
	if p.fabricDone[key] {
		return
	}
	p.fabricDone[key] = true
	for _, l := range p.undescribed(v) {
		p.edge(n, p.fabric(l.remote, via), onlyOver(dstIn(p.addr.set(l.prefixes).may)), nil)
	}
}

// allEffective reports whether the input says for every VNet what its managers have in force (AZ-AVNM-14 a).
func (p *planner) allEffective() bool {
	for _, v := range p.e.VNets {
		rules := slices.ContainsFunc(p.e.EffectiveAdmin, func(e *model.EffectiveAdminRules) bool { return e.VNet.Key() == v.ID.Key() && !e.Cut })
		links := slices.ContainsFunc(p.e.EffectiveConnectivity, func(e *model.EffectiveConnectivity) bool { return e.VNet.Key() == v.ID.Key() && !e.Cut })
		if !rules || !links {
			return false
		}
	}
	return len(p.e.VNets) > 0
}

// planGroups finds the connected groups of the estate.
func (p *planner) planGroups() {
	p.groups = map[string][]groupLink{}
	vnets := slices.DeleteFunc(slices.Clone(p.e.VNets), func(v *model.VNet) bool { return v.Partial })
	type pair struct{ a, b string }
	links := map[pair]bounds{}
	for _, c := range p.connectivity() {
		for _, part := range c.parts(p, vnets) {
			for _, v := range part.members {
				for _, w := range part.members {
					if b := part.joins(v, w); v != w && b.may {
						k := pair{v.ID.Key(), w.ID.Key()}
						links[k] = links[k].or(b)
					}
				}
			}
		}
	}
	if len(links) == 0 {
		return // the common case: no plan need look at every pair of VNets
	}
	for _, v := range vnets {
		var list []groupLink
		others := ipset(nil) // of VNets that a group may join which the input does not describe
		for _, w := range vnets {
			if _, ok := links[pair{v.ID.Key(), w.ID.Key()}]; !ok && w != v && len(p.unknownGroups(v)) > 0 && len(p.unknownGroups(w)) > 0 && !p.peered(v, w) {
				others = unionSet(others, ipset(w.Prefixes))
			}
			b, ok := links[pair{v.ID.Key(), w.ID.Key()}]
			if !ok || p.peered(v, w) {
				continue
			}
			l := groupLink{remote: w, certain: b.must}
			if !l.certain {
				l.note = "ASM-AVNM-DEPLOY"
			}
			list = append(list, l)
		}
		p.groups[v.ID.Key()] = p.withoutOverlaps(v, list, others)
	}
}

// peered reports whether a peering joins two VNets for certain. One of whole VNets leads to the same place; one of subnets takes
// precedence over a connected group (AZ-AVNM-12).
func (p *planner) peered(v, w *model.VNet) bool {
	return slices.ContainsFunc(p.peers(v), func(l peerLink) bool { return l.remoteID.Key() == w.ID.Key() && l.certain })
}

// withoutOverlaps gives each link the ranges that are routed: an address that two members hold is not reachable by the group
// (AZ-AVNM-11). others is what members may hold of groups that the input does not describe.
func (p *planner) withoutOverlaps(v *model.VNet, list []groupLink, others *netipx.IPSet) []groupLink {
	for i := range list {
		certain, possible := ipset(v.Prefixes), others
		for j := range list {
			switch {
			case j == i:
			case list[j].certain:
				certain = unionSet(certain, ipset(list[j].remote.Prefixes))
			default:
				possible = unionSet(possible, ipset(list[j].remote.Prefixes))
			}
		}
		own := ipset(list[i].remote.Prefixes)
		if !list[i].certain {
			// Only together with a member that is surely there is an address surely lost.
			certain = ipset(v.Prefixes)
		}
		routed := func(hide *netipx.IPSet) (whole, cut []netip.Prefix) {
			for _, x := range list[i].remote.Prefixes {
				if isEmpty(intersectSet(ipset([]netip.Prefix{x}), hide)) {
					whole = append(whole, x)
				} else {
					cut = append(cut, minusSet(ipset([]netip.Prefix{x}), hide).Prefixes()...)
				}
			}
			return whole, cut
		}
		whole, cut := routed(certain)
		list[i].prefixes = append(whole, cut...)
		list[i].doubtful = intersectSet(own, possible).Prefixes()
	}
	return list
}

// appliedGroup is one set of VNets that a connectivity configuration joins.
type appliedGroup struct {
	members []*model.VNet     // that may be in it, in the order of their IDs
	in      map[string]bounds // by VNet key: a member, with the configuration in force there
	global  bounds            // members of other regions are joined too
}

func (g *appliedGroup) add(v *model.VNet, b bounds) {
	g.members = append(g.members, v)
	g.in[v.ID.Key()] = b
}

// joins says whether the group joins two VNets.
func (g appliedGroup) joins(v, w *model.VNet) bounds {
	b := g.in[v.ID.Key()].and(g.in[w.ID.Key()])
	a, z := model.Region(v.Location), model.Region(w.Location)
	switch {
	case a == "" || z == "":
		b = b.and(g.global.or(bounds{may: true}))
	case a != z:
		b = b.and(g.global)
	}
	return b
}

// appliedConnectivity is one connectivity configuration, with where it is in force.
type appliedConnectivity struct {
	id    model.ID
	facts model.Connectivity
	at    func(*model.VNet) bounds
}

// connectivity lists the connectivity configurations that the input knows of. One that is listed with different facts is kept for each.
func (p *planner) connectivity() []appliedConnectivity {
	var out []appliedConnectivity
	seen := map[string]bool{}
	add := func(id model.ID, f model.Connectivity) {
		if seen[id.Key()] {
			return
		}
		seen[id.Key()] = true
		out = append(out, appliedConnectivity{id, f, func(v *model.VNet) bounds { return p.connects(id, v) }})
	}
	// What is in force is described by the lists of what is in force; the resource may have changed since.
	for _, e := range p.e.EffectiveConnectivity {
		for _, c := range e.Configurations {
			add(c.ID, c.Facts)
		}
	}
	for _, a := range p.e.ActiveConnectivity {
		for _, c := range a.Configurations {
			add(c.ID, c.Facts)
		}
	}
	for _, c := range p.e.ConnectivityConfigs {
		add(c.ID, c.Facts)
	}
	return out
}

// connects says whether a connectivity configuration is in force at a VNet, groups left aside (AZ-AVNM-14).
func (p *planner) connects(id model.ID, v *model.VNet) bounds {
	manager, region := id.Parent(), model.Region(v.Location)
	listed := func(list []model.AppliedConnectivity) bool {
		return slices.ContainsFunc(list, func(c model.AppliedConnectivity) bool { return c.ID.Key() == id.Key() })
	}
	for _, e := range p.e.EffectiveConnectivity {
		if e.VNet.Key() == v.ID.Key() {
			return bounds{listed(e.Configurations), listed(e.Configurations) || e.Cut}
		}
	}
	if !p.deploys(manager, "Connectivity") {
		return bounds{}
	}
	for _, a := range p.e.ActiveConnectivity {
		if a.Manager.Key() == manager.Key() && region != "" && a.Region == region {
			return bounds{listed(a.Configurations), listed(a.Configurations) || a.Cut}
		}
	}
	deployed, _ := p.deployment(manager, region, "Connectivity")
	return deployed(id)
}

// parts are the sets of VNets that a configuration joins: each group of a mesh; of a hub and spoke each group with direct connectivity,
// its hubs among it. A hub and spoke whose peerings are not in the input may be deployed yet.
func (c appliedConnectivity) parts(p *planner, vnets []*model.VNet) []appliedGroup {
	var out []appliedGroup
	mesh := strings.EqualFold(c.facts.Topology, "Mesh")
	for _, g := range c.facts.Groups {
		direct := certainly(mesh || g.Direct == model.On)
		if !mesh && !strings.EqualFold(c.facts.Topology, "HubAndSpoke") {
			direct = bounds{may: true} // a topology that is not known
		}
		global := certainly(c.facts.Global == model.On || g.Global == model.On)
		part := appliedGroup{in: map[string]bounds{}, global: global}
		hub := appliedGroup{in: map[string]bounds{}, global: certainly(true)}
		for _, v := range vnets {
			b := c.at(v).and(p.effectiveMember(c.id, v, g.Group, len(c.facts.Groups)))
			isHub := slices.ContainsFunc(c.facts.Hubs, func(h model.ConnectivityHub) bool { return h.Resource.Key() == v.ID.Key() })
			if isHub {
				b = c.at(v)
			}
			if !b.may {
				continue
			}
			part.add(v, b.and(direct))
			hub.add(v, bounds{may: true})
		}
		if direct.may {
			out = append(out, part)
		}
		if !mesh {
			for _, h := range c.facts.Hubs {
				out = append(out, spokes(h.Resource, hub)...)
			}
		}
	}
	return out
}

// spokes are the pairs of a hub and each spoke: peerings that the manager makes, which the input may lack because they are not made yet.
func spokes(hub model.ID, all appliedGroup) []appliedGroup {
	at := slices.IndexFunc(all.members, func(v *model.VNet) bool { return v.ID.Key() == hub.Key() })
	if at < 0 {
		return nil
	}
	var out []appliedGroup
	for i, v := range all.members {
		if i != at {
			g := appliedGroup{in: map[string]bounds{}, global: all.global}
			g.add(all.members[at], bounds{may: true})
			g.add(v, bounds{may: true})
			out = append(out, g)
		}
	}
	return out
}

// effectiveMember says whether a VNet is in a group of a configuration. What is in force at a VNet is so because of some group of the
// configuration: of the only one, where it has one.
func (p *planner) effectiveMember(config model.ID, v *model.VNet, group model.ID, groups int) bounds {
	for _, e := range p.e.EffectiveConnectivity {
		if e.VNet.Key() == v.ID.Key() && slices.ContainsFunc(e.Configurations, func(c model.AppliedConnectivity) bool { return c.ID.Key() == config.Key() }) {
			if groups == 1 {
				return certainly(true)
			}
			b := p.inGroup(v, group)
			return bounds{b.must, true}
		}
	}
	return p.inGroup(v, group)
}

// unknownGroups names the managers that may have put a VNet into a connected group that the input does not describe (AZ-GEN-08).
func (p *planner) unknownGroups(v *model.VNet) []string {
	if out, ok := p.unknown[v.ID.Key()]; ok {
		return out
	}
	out := p.findUnknownGroups(v)
	p.unknown[v.ID.Key()] = out
	return out
}

func (p *planner) findUnknownGroups(v *model.VNet) []string {
	var out []string
	for _, e := range p.e.EffectiveConnectivity {
		if e.VNet.Key() == v.ID.Key() {
			if e.Cut {
				out = append(out, missing("effective connectivity configurations of", v.ID))
			}
			return out
		}
	}
	for _, m := range p.e.NetworkManagers { // of one that other objects name, ASM-AVNM covers what it does besides
		id := m.ID
		if !p.deploys(id, "Connectivity") || !p.inScope(id, v) {
			continue
		}
		has := slices.ContainsFunc(p.e.ConnectivityConfigs, func(c *model.ConnectivityConfiguration) bool { return c.Manager.Key() == id.Key() })
		active := slices.ContainsFunc(p.e.ActiveConnectivity, func(a *model.ActiveConnectivity) bool {
			return a.Manager.Key() == id.Key() && a.Region == model.Region(v.Location) && !a.Cut
		})
		deployed, status := p.deployment(id, model.Region(v.Location), "Connectivity")
		switch {
		case active:
		case status != nil:
			for _, c := range status.Configurations {
				_, known := model.Get[*model.ConnectivityConfiguration](p.e, c)
				if deployed(c).may && !known {
					out = append(out, missing("connectivity configuration", c))
				}
			}
		case !has:
			out = append(out, missing("connectivity configurations of the network manager", id))
		}
	}
	return out
}
