package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// fogged returns the unsupported objects that may change how a resource acts.
func (p *planner) fogged(id model.ID) []model.LedgerEntry { return p.fog[id.Key()] }

// readLedger indexes unsupported objects by what they affect. One that names nothing affects every VNet; one that changes what names resolve
// to, or adds what the input lacks, affects no packet.
func (p *planner) readLedger() {
	for _, entry := range p.e.Ledger {
		if entry.Disposition != model.Unsupported || entry.Role == model.Resolves || entry.Role == model.Adds {
			continue
		}
		affects := entry.Affects
		if len(affects) == 0 {
			for _, v := range p.e.VNets {
				affects = append(affects, v.ID)
			}
		}
		for _, id := range affects {
			p.fog[id.Key()] = append(p.fog[id.Key()], entry)
		}
	}
}

// unsupported is the assumption that names an object which ringfence does not model.
func unsupported(e model.LedgerEntry) string {
	name := e.Resource.ShortName()
	if e.Resource == "" && e.Role == model.Steers { // what was not built to objects
		name = e.Source.File
	}
	if e.Field != "" {
		name += " " + e.Field
	}
	return "UNSUPPORTED(" + e.Type + " " + name + ")"
}

// stops names the entries that say something of some resources which was not understood: each may stop every packet that meets them.
func (p *planner) stops(ids ...model.ID) []string {
	var out []string
	for _, id := range ids {
		for _, entry := range p.fogged(id) {
			if len(entry.Affects) > 0 { // one that names nothing would leave nothing certain in the whole estate
				out = append(out, unsupported(entry))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fogOf is what was not understood of a place, of its NIC or scale set, its subnet and its VNet, or stands in front of them: it may stop every
// packet, whatever admin rules say (AZ-GEN-08).
func (p *planner) fogOf(f filtered) (guard, []string) {
	notes := append(p.stops(f.subnet, f.subnet.Parent()), f.stops...)
	if len(notes) == 0 {
		return guard{}, nil
	}
	return guard{over: everything(), under: nothing()}, notes
}

// carries reports whether an unsupported object may carry traffic past the modelled controls, and not only filter it: a whole object, or the
// pages that a listing lacks.
func carries(e model.LedgerEntry) bool {
	whole := e.Field == "" || e.Resource == ""
	return whole && e.Role != model.Resolves && !strings.HasPrefix(strings.ToLower(e.Type), "microsoft.network/networksecuritygroups")
}

// standsIn lists the VNets and the subnets in which an unsupported object has to do.
func (p *planner) standsIn(e model.LedgerEntry) (vnets []*model.VNet, subnets []*model.Subnet) {
	vnet := func(v *model.VNet) {
		if !v.Partial && !slices.Contains(vnets, v) {
			vnets = append(vnets, v)
		}
	}
	subnet := func(id model.ID) {
		if s, _ := p.e.SubnetOf(id); s != nil && !slices.Contains(subnets, s) {
			subnets = append(subnets, s)
		}
	}
	if len(e.Affects) == 0 {
		for _, v := range p.e.VNets {
			vnet(v)
		}
	}
	for _, id := range e.Affects {
		found, _ := model.Get[model.Resource](p.e, id)
		switch r := found.(type) {
		case *model.VNet:
			vnet(r)
		case *model.Subnet:
			subnet(r.ID)
		case *model.NIC:
			for _, c := range r.IPConfigs {
				subnet(c.Subnet)
			}
		case *model.ScaleSet:
			for _, profile := range r.Profiles {
				for _, c := range profile.IPConfigs {
					subnet(c.Subnet)
				}
			}
		case *model.LoadBalancer:
			for _, f := range r.Frontends {
				subnet(f.Subnet)
			}
		case *model.PrivateEndpoint:
			subnet(r.Subnet)
		default: // of no other resource a subnet is known in which it could send
		}
	}
	return vnets, subnets
}

// carrier is an unsupported object that got a packet: from there, in over, the packet may go anywhere that the object can send to, with its own
// source or one of the object's. What it sends from a subnet meets the subnet's filters and routes (AZ-GEN-08).
func (p *planner) carrier(e model.LedgerEntry) NodeID {
	place := model.Place{Kind: model.PlaceUnknown, ID: e.Resource, Part: unsupported(e)}
	n := p.node(place, StageForward, "unknown")
	key := Node{Place: place.Key(), Stage: StageForward, Via: "unknown"}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	p.vias["unknown"] = place
	vnets, subnets := p.standsIn(e)
	all := p.b.AddPool("", []netip.Prefix{allV4(), allV6()})
	send := func(to NodeID, g guard, own []netip.Prefix) {
		p.edge(n, to, g, &rewrite{dst: &all})
		if len(own) > 0 {
			pool := p.b.AddPool("", own)
			p.disguises = append(p.disguises, own...)
			p.edge(n, to, g, &rewrite{dst: &all, src: &pool})
		}
	}
	any := onlyOver(everything())
	for _, v := range vnets {
		for _, w := range p.e.VNets {
			if !w.Partial && (w == v || p.linked(w, v.ID.Key())) {
				send(p.fabric(w, "unknown"), any, v.Prefixes)
			}
		}
		for _, g := range p.gatewaysOf(v) {
			p.towardsGateway(n, g, "unknown", false, any)
		}
	}
	for _, s := range subnets {
		out, _ := p.filters(filtered{subnet: s.ID}, model.Outbound, reading{})
		sent := p.node(model.Place{Kind: model.PlaceSubnet, ID: s.ID, Part: "unknown"}, StageForward, "unknown")
		send(sent, any, p.freeAddresses(s))
		if sentKey := (Node{Place: model.Place{Kind: model.PlaceSubnet, ID: s.ID, Part: "unknown"}.Key(), Stage: StageForward, Via: "unknown"}); !p.routeDone[sentKey] {
			p.routeDone[sentKey] = true
			p.edge(sent, p.routing(s.ID, "unknown", egressNone()), out.mayOnly(), nil)
		}
	}
	send(p.publicOut(), any, []netip.Prefix{host(p.symbolOf(model.DefaultOutbound, "", ""))})
	return n
}

// planCarriers adds the ways into unsupported objects that may let packets in from outside: their public doors, which the input does not
// state, and the addresses that they may have in their subnets. What a VNet's own routing may hand them stands with the routing.
func (p *planner) planCarriers() {
	for _, e := range p.doorCarriers() {
		n := p.carrier(e)
		p.edge(p.publicIn(), n, onlyOver(p.carrierDoors()), nil, unsupported(e))
		_, subnets := p.standsIn(e)
		for _, s := range subnets {
			if m := p.machineAt[(model.Place{Kind: model.PlaceSubnet, ID: s.ID}).Key()]; m != nil {
				p.edge(m.accept, n, onlyOver(dstIn(p.b.AddSet("", p.freeAddresses(s)))), nil, unsupported(e)) // a NIC of the input has none of its addresses
			}
		}
	}
}

// doorCarriers are the unsupported objects that may have a public door.
func (p *planner) doorCarriers() []model.LedgerEntry {
	var out []model.LedgerEntry
	for _, e := range p.e.Ledger {
		if e.Disposition != model.Unsupported || !carries(e) || e.Role != model.Carries {
			continue
		}
		if vnets, subnets := p.standsIn(e); len(vnets)+len(subnets) > 0 {
			out = append(out, e)
		}
	}
	return out
}

// carrierDoors is the packets to addresses that such a door may have: public ones but those of accounts, which are the accounts' own.
func (p *planner) carrierDoors() *lazy { return minus(dstIn(p.addr.public), dstIn(p.doors)) }
