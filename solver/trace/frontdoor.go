package trace

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// atFrontDoor is a client at an endpoint: it takes tcp/443 and 80, before any VNet; http may be answered there and go no further
// (AZ-AFD-01, AZ-AFD-02).
func (t *tracer) atFrontDoor(c course, f *model.FrontDoor, x *model.FrontDoorEndpoint) {
	at := model.Place{Kind: model.PlaceFrontDoor, ID: f.ID, Part: x.Name}
	c.public, c.entry = nil, nil
	p := c.packet
	http := slices.ContainsFunc(x.Routes, func(r model.FrontDoorRoute) bool { return r.HTTP && r.Redirect != model.On })
	switch {
	case len(x.Routes) == 0:
		t.drop(c, at, Relay, "the endpoint has no route (AZ-AFD-01)")
		return
	case p.Protocol != model.TCP || p.DPort != 80 && p.DPort != 443:
		t.drop(c, at, Relay, "Front Door listens on tcp 80 and 443 only (AZ-AFD-01)")
		return
	case p.DPort == 80 && !http:
		at.Part = "(redirect)"
		if x.Enabled == model.Off {
			c = c.uncertain("ASM-E-AFD")
		}
		t.deliver(c.add(Hop{At: at, Stage: Relay, Action: Allow, Detail: "http is answered with a redirect, and not forwarded (AZ-AFD-02)", Certain: true}), at)
		return
	}
	mode := "no WAF"
	for _, w := range f.WAFs {
		serves := contains(w.Domains, x.ID)
		for _, r := range x.Routes {
			serves = serves || slices.ContainsFunc(r.Domains, func(d model.ID) bool { return contains(w.Domains, d) })
		}
		if !serves {
			continue
		}
		policy, ok := model.Get[*model.WAFPolicy](t.e, w.Policy)
		switch {
		case !ok:
			mode, c = "the WAF policy "+w.Policy.Name()+" is not in the input", c.uncertain(lacking("WAF policy", w.Policy))
		case policy.Enabled == model.Off:
			mode = "WAF policy " + policy.Name() + " disabled"
		default:
			mode = "WAF policy " + policy.Name() + " in " + policy.Mode
			// Its addresses are read from a header behind other proxies: a Block takes certainty, it denies nothing (AZ-AGW-35).
			if fold(policy.Mode, "Prevention") && slices.ContainsFunc(policy.Custom, func(r model.WAFRule) bool { return r.Enabled != model.Off && fold(r.Action, "Block") }) {
				c = c.uncertain("ASM-E-AFD")
			}
		}
	}
	if x.Enabled == model.Off {
		c = c.uncertain("ASM-E-AFD")
	}
	t.deliver(c.add(Hop{At: at, Stage: Relay, Action: Allow, Rule: f.Name() + "/" + x.Name, Source: x.Source, Detail: mode, Certain: true}), at)
}

// fromFrontDoor is a connection of a profile to an origin of one of an endpoint's routes (AZ-AFD-01, AZ-AFD-11, AZ-AFD-12).
func (t *tracer) fromFrontDoor(c course, f *model.FrontDoor, endpoint string) {
	at := model.Place{Kind: model.PlaceFrontDoor, ID: f.ID, Part: endpoint}
	if !t.step(&c, "relay", at) {
		return
	}
	if s, ok := t.symbols.At(c.packet.Src); !ok || s.Kind != model.FrontDoorBackend || !same(s.Owner, f.ID) {
		t.drop(c, at, Relay, "the source is no address of the profile (AZ-AFD-01)")
		return
	}
	best, apart := no(), false // apart: other ways than to a public address
	var by *model.FrontDoorOrigin
	linked := map[model.ID]bool{}
	for i := range f.Endpoints {
		x := &f.Endpoints[i]
		if endpoint != "" && x.Name != endpoint {
			continue
		}
		for _, r := range x.Routes {
			groups, every, open := []model.ID{r.Group}, false, []string{"ASM-E-AFD"}
			for _, id := range r.RuleSets { // AZ-AFD-03: a rule set may put another group in the route's place
				s, known := f.RuleSet(id)
				groups, every = append(groups, s.Groups...), every || !known
				if !known {
					open = append(open, lacking("rule set", id))
				}
			}
			for _, id := range groups {
				if _, known := f.Group(id); !known && c.packet.Protocol == model.TCP && c.dst.isPublic().may {
					best = best.or(maybe("MISSING(origin group " + id.ShortName() + ")"))
				}
			}
			for j := range f.Groups {
				g := &f.Groups[j]
				if !every && !contains(groups, g.ID) {
					continue
				}
				for k := range g.Origins {
					o := &g.Origins[k]
					m, link := t.forwardsTo(r, g, o, c)
					if len(groups) > 1 || every || r.Enabled == model.Off || x.Enabled == model.Off || o.Enabled == model.Off {
						m = m.and(maybe(open...))
					}
					switch {
					case !m.may:
					case o.IsPrivate && !link:
						t.lose(c.uncertain(), model.Place{Kind: model.PlaceUnknown, ID: o.PrivateTarget}, Transport, "the input lacks what lies behind the private link of the origin "+o.Name+" (AZ-AFD-11)", m.why...)
						apart = true
					case o.IsPrivate:
						if apart = true; !linked[o.ID] || m.must {
							linked[o.ID] = true
							d := c.add(Hop{At: at, Stage: Relay, Action: Forward, Rule: f.Name() + "/" + o.Name, Source: o.Source, Certain: m.must, Assumptions: m.why})
							t.deliver(d.forward(at, Transport, "by the profile's own private endpoint (AZ-AFD-11)"), model.Place{Kind: model.PlaceService, ID: o.PrivateTarget})
						}
					case m.must && !best.must || !best.may:
						best, by = m, o
					}
				}
			}
		}
	}
	if apart && !best.may {
		return
	}
	if !best.may || isPlatform(c.packet.Dst) {
		t.drop(c, at, Relay, "no route forwards such a packet (AZ-AFD-01)")
		return
	}
	hop := Hop{At: at, Stage: Relay, Action: Forward, Rule: f.Name(), Source: f.Source, Certain: best.must, Assumptions: best.why}
	if by != nil {
		hop.Rule, hop.Source = f.Name()+"/"+by.Name, by.Source
	}
	c = c.add(hop)
	t.toPublic(c)
}

// forwardsTo says whether a route sends packets like this one to an origin, or probes it, and whether by Private Link.
func (t *tracer) forwardsTo(r model.FrontDoorRoute, g *model.OriginGroup, o *model.FrontDoorOrigin, c course) (m match, private bool) {
	clear, secure := r.HTTP && r.Redirect != model.On, r.HTTPS
	switch r.Forwarding {
	case "HttpOnly":
		clear, secure = true, false
	case "HttpsOnly":
		clear, secure = false, true
	}
	clear, secure = clear || fold(g.Probe, "Http"), secure || fold(g.Probe, "Https") // AZ-AFD-12
	port := c.packet.DPort
	if c.packet.Protocol != model.TCP || (!clear || port != o.HTTPPort) && (!secure || port != o.HTTPSPort) {
		return no(), false
	}
	if o.IsPrivate {
		return t.byPrivateLink(o, c)
	}
	account := func(list []answer) match { // it may be an account's, by its public door
		for _, a := range list {
			if a.addr.at == c.packet.Dst && a.addr.service != nil {
				return a.match
			}
		}
		return no()
	}
	if a, err := netip.ParseAddr(o.Host); err == nil {
		return when(a == c.packet.Dst).or(account(t.accountsBehind(a))), false
	}
	for _, p := range t.e.PublicIPs {
		if fold(p.FQDN, o.Host) {
			if a := t.publicAddress(p.ID); a.IsValid() {
				return when(a == c.packet.Dst), false
			}
		}
	}
	for _, s := range t.e.Services {
		if slices.ContainsFunc(s.Hosts, func(h string) bool { return fold(h, o.Host) }) {
			a, _ := t.symbols.Of(model.ServiceDoor, s.ID, "")
			return when(a == c.packet.Dst), false
		}
	}
	found := false
	for _, z := range t.e.DNSZones {
		if z.Private {
			continue
		}
		for _, rec := range z.Records {
			if name := rec.Name + "." + z.Zone; fold(name, o.Host) || rec.Name == "@" && fold(z.Zone, o.Host) {
				found = true
				m = m.or(when(slices.Contains(rec.Addresses, c.packet.Dst)))
			}
		}
	}
	if found {
		return m, false
	}
	if c.dst.isPublic().may {
		return maybe("MISSING(address of the origin " + o.Host + ")"), false
	}
	return account(t.withoutNames(resolver{known: true}, o.Host)), false
}

// byPrivateLink: only an approved connection carries traffic (AZ-AFD-11). Not private: what lies behind it is not in the input.
func (t *tracer) byPrivateLink(o *model.FrontDoorOrigin, c course) (m match, private bool) {
	state := yes()
	switch {
	case o.PrivateState == "":
		state = maybe(lacking("state of the private link of", o.ID))
	case !fold(o.PrivateState, "Approved"):
		return no(), false
	}
	s, ok := model.Get[*model.Service](t.e, o.PrivateTarget)
	if !ok {
		return maybe("MISSING(private link resource " + o.PrivateTarget.ShortName() + ")"), false
	}
	a, _ := t.symbols.Of(model.ServiceDoor, s.ID, "")
	return state.and(when(a == c.packet.Dst)), true
}

// isFrontDoorLock reports the condition `X-Azure-FDID is not …` (AZ-AFD-10).
func isFrontDoorLock(c model.WAFCondition) bool {
	return len(c.Variables) == 1 && fold(c.Variables[0], "RequestHeaders:X-Azure-FDID") && fold(c.Operator, "Equal") && c.Negate
}

// otherFrontDoor says whether a packet comes from a Front Door whose ID is not among those listed: each sends its own. Who comes directly
// writes the header as he likes. An ID of no profile in the input may be that of any Front Door outside it (AZ-AFD-10).
func (t *tracer) otherFrontDoor(ids []string, src address, tags []string) match {
	listed := func(id string) bool { return slices.ContainsFunc(ids, func(x string) bool { return fold(x, id) }) }
	if s, ok := t.symbols.At(src.at); ok && s.Kind == model.FrontDoorBackend {
		f, ok := model.Get[*model.FrontDoor](t.e, s.Owner)
		return when(ok && f.FrontDoorID != "" && !listed(f.FrontDoorID))
	}
	for _, id := range ids {
		if !slices.ContainsFunc(t.e.FrontDoors, func(f *model.FrontDoor) bool { return f.FrontDoorID != "" && fold(f.FrontDoorID, id) }) {
			return no()
		}
	}
	return t.inTag("AzureFrontDoor.Backend", src, tags)
}
