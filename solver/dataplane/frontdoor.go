package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// frontDoorTag is the tag that holds the addresses from which the Front Doors of every tenant connect to origins (AZ-AFD-10).
const frontDoorTag = "AzureFrontDoor.Backend"

// redirectChannel is where an endpoint answers http itself: nothing is forwarded (AZ-AFD-02).
const redirectChannel = "(redirect)"

// planFrontDoors adds Front Door endpoints as relays outside every VNet: clients come to tcp/443 and 80, and the profile connects to the
// origins of their routes from an address of its tag (AZ-AFD-01).
func (p *planner) planFrontDoors() {
	for _, f := range p.e.FrontDoors {
		backend := p.symbolOf(model.FrontDoorBackend, f.ID, "")
		_, tagged := p.inTagAny(frontDoorTag, srcIn)
		for _, x := range f.Endpoints {
			place := model.Place{Kind: model.PlaceFrontDoor, ID: f.ID, Part: x.Name}
			door := p.symbolOf(model.FrontDoorDoor, f.ID, x.Name)
			accept := p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(door)}, Send: -1, Receive: p.node(place, StageReceive, "")})
			open := p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(backend)}, Send: p.node(place, StageSend, ""), Receive: -1, Channel: x.Name})
			p.relays = append(p.relays, Relay{Accept: accept, From: []*Site{open}})

			served := exactly(nothing())
			http := false
			var notes []string
			for _, r := range x.Routes {
				http = http || r.HTTP && r.Redirect != model.On
				served = guard{}
			}
			if x.Enabled == model.Off {
				served.under, notes = nothing(), []string{"ASM-E-AFD"}
			}
			to := exactly(dstIn(p.addr.exact(door)))
			clients, more := p.frontDoorClients(f, x)
			all := append(slices.Clone(notes), more...)
			p.edge(p.publicIn(), accept.Receive, and(to, exactly(tcpTo(443)), served, clients), nil, all...)
			at := accept.Receive
			if !http {
				clients, all = guard{}, notes
				at = p.node(model.Place{Kind: model.PlaceFrontDoor, ID: f.ID, Part: redirectChannel}, StageReceive, "")
				p.site(&Site{Place: model.Place{Kind: model.PlaceFrontDoor, ID: f.ID, Part: redirectChannel}, Send: -1, Receive: at, Channel: redirectChannel})
			}
			p.edge(p.publicIn(), at, and(to, exactly(tcpTo(80)), served, clients), nil, all...)
			for _, r := range x.Routes {
				p.planFrontDoorRoute(f, x, r, open, tagged)
			}
		}
	}
}

// frontDoorClients takes clients that a Block rule of an enforcing policy may meet out of what is certain: its addresses are read from a
// header behind other proxies, so that nothing is denied by them for certain (AZ-AFD-03, AZ-AGW-35).
func (p *planner) frontDoorClients(f *model.FrontDoor, x model.FrontDoorEndpoint) (g guard, notes []string) {
	for _, w := range f.WAFs {
		policy, ok := model.Get[*model.WAFPolicy](p.e, w.Policy)
		if ok && (policy.Enabled == model.Off || !strings.EqualFold(policy.Mode, "Prevention")) || !member(w.Domains, p.frontDoorNames(x)) {
			continue
		}
		switch {
		case !ok:
			g, notes = between(everything(), nothing()), append(notes, missing("WAF policy", w.Policy))
		case slices.ContainsFunc(policy.Custom, func(r model.WAFRule) bool { return r.Enabled != model.Off && strings.EqualFold(r.Action, "Block") }):
			g, notes = between(everything(), nothing()), append(notes, "ASM-E-AFD")
		}
	}
	return g, notes
}

// frontDoorNames are the endpoint and the custom domains that its routes serve.
func (p *planner) frontDoorNames(x model.FrontDoorEndpoint) []model.ID {
	out := []model.ID{x.ID}
	for _, r := range x.Routes {
		out = append(out, r.Domains...)
	}
	return out
}

// originGroups are the groups to which a route may send: its own, and those that a rule set puts in its place. all is true where a rule set is
// not in the input: any group of the profile (AZ-AFD-03).
func originGroups(f *model.FrontDoor, r model.FrontDoorRoute) (ids []model.ID, all bool) {
	ids = append(ids, r.Group)
	for _, id := range r.RuleSets {
		s, ok := f.RuleSet(id)
		if !ok {
			all = true
		}
		ids = append(ids, s.Groups...)
	}
	return ids, all
}

func (p *planner) planFrontDoorRoute(f *model.FrontDoor, x model.FrontDoorEndpoint, r model.FrontDoorRoute, from *Site, tagged *lazy) {
	ids, all := originGroups(f, r)
	open := []string{"ASM-E-AFD"}
	for _, id := range r.RuleSets {
		if _, ok := f.RuleSet(id); !ok {
			open = append(open, missing("rule set", id))
		}
	}
	var notes []string
	for _, g := range f.Groups {
		named := slices.ContainsFunc(ids, func(id model.ID) bool { return id.Key() == g.ID.Key() })
		if !named && !all {
			continue
		}
		sure := named && len(ids) == 1 && !all && r.Enabled != model.Off && x.Enabled != model.Off
		for _, o := range g.Origins {
			ports := frontDoorPorts(r, g, o)
			if len(ports) == 0 {
				continue
			}
			traffic, why := exactly(tcpTo(ports...)), []string(nil)
			if !sure || o.Enabled == model.Off {
				traffic.under, why = nothing(), open // AZ-AFD-01: a disabled origin still counts in over
			}
			p.planOrigin(from, o, traffic, tagged, why)
		}
	}
	for _, id := range ids {
		if _, ok := f.Group(id); !ok {
			notes = append(notes, missing("origin group", id))
		}
	}
	if len(notes) > 0 { // it may lead to any public address, of the estate or not
		p.edge(from.Send, p.publicOut(), onlyOver(both(both(tagged, dstIn(p.addr.public)), transport([]model.Protocol{model.TCP}, nil, nil, false))), nil, notes...)
	}
}

// frontDoorPorts are the ports of an origin that a route's traffic and the probes of its group use (AZ-AFD-02, AZ-AFD-12).
func frontDoorPorts(r model.FrontDoorRoute, g model.OriginGroup, o model.FrontDoorOrigin) []uint16 {
	var out []uint16
	clear := r.Forwarding == "HttpOnly" || r.Forwarding != "HttpsOnly" && r.HTTP && r.Redirect != model.On
	secure := r.Forwarding == "HttpsOnly" || r.Forwarding != "HttpOnly" && r.HTTPS
	if clear || strings.EqualFold(g.Probe, "Http") {
		out = append(out, o.HTTPPort)
	}
	if secure || strings.EqualFold(g.Probe, "Https") {
		out = append(out, o.HTTPSPort)
	}
	return out
}

// planOrigin leads a profile's connections to one origin: by Private Link to the resource behind an approved connection (AZ-AFD-11), else to the
// public address of its name.
func (p *planner) planOrigin(from *Site, o model.FrontDoorOrigin, traffic guard, tagged *lazy, notes []string) {
	if o.IsPrivate {
		switch {
		case o.PrivateState != "" && !strings.EqualFold(o.PrivateState, "Approved"):
			return // only approved connections carry traffic
		case o.PrivateState == "":
			traffic.under, notes = nothing(), append(slices.Clone(notes), missing("state of the private link of", o.ID))
		}
		s, ok := model.Get[*model.Service](p.e, o.PrivateTarget)
		if !ok {
			p.forwardUnknown(from.Send, "", traffic.over, append(slices.Clone(notes), missing("private link resource", o.PrivateTarget)))
			return
		}
		place := model.Place{Kind: model.PlaceService, ID: s.ID}
		to := exactly(dstIn(p.addr.exact(p.symbolOf(model.ServiceDoor, s.ID, ""))))
		p.edge(from.Send, p.node(place, StageReceive, ""), and(to, traffic), nil, notes...)
		return
	}
	addrs, known := p.publicName(o.Host)
	accounts := p.withoutNames(true)
	if a, err := netip.ParseAddr(o.Host); err == nil {
		accounts = p.accountsBehind(a)
	} else if known {
		accounts = nil
	}
	for _, x := range accounts { // AZ-AFD-01: it may be an account's; no private endpoint leads there
		p.edge(from.Send, p.publicOut(), and(onlyOver(dstIn(p.addr.exactHosts(x.addrs[0]))), traffic, exactly(tagged)), nil, append(slices.Clone(notes), x.unknown)...)
	}
	if !known { // any public address, of the estate or not
		p.edge(from.Send, p.publicOut(), and(onlyOver(dstIn(p.addr.public)), traffic, exactly(tagged)), nil, append(slices.Clone(notes), missing("address of the origin", model.ID(o.Host)))...)
		return
	}
	p.edge(from.Send, p.publicOut(), and(exactly(dstIn(p.addr.exactHosts(addrs...))), traffic, exactly(tagged)), nil, notes...)
}

// publicName is what the public DNS answers for a name, as far as the input says: an address, the name of a public address, an account, a
// record of a public zone.
func (p *planner) publicName(name string) (out []netip.Addr, known bool) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a}, true
	}
	for _, ip := range p.e.PublicIPs {
		if a := p.publicAddr(ip.ID); a.IsValid() && strings.EqualFold(ip.FQDN, name) {
			return []netip.Addr{a}, true
		}
	}
	if a, ok := p.doorOf(name); ok {
		return []netip.Addr{a}, true
	}
	for _, z := range p.e.DNSZones {
		if !z.Private {
			out = append(out, p.records(z, name)...)
		}
	}
	return out, len(out) > 0
}
