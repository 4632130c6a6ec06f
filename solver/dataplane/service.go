package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// planServices adds the public doors of PaaS services (AZ-PAAS-01 to 05); their private doors are private endpoints.
func (p *planner) planServices() {
	for _, s := range p.e.Services {
		if s.Kind == model.MonitorScope {
			continue // AZ-AMPLS-01: a scope has private endpoints alone; its resources have doors of their own
		}
		place := model.Place{Kind: model.PlaceService, ID: s.ID}
		door := p.symbolOf(model.ServiceDoor, s.ID, "")
		receive := p.node(place, StageReceive, "")
		p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(door)}, Send: -1, Receive: receive})
		if s.Injected != "" {
			continue // AZ-PG-01: an injected server has no public door
		}
		admits, notes := p.publicDoor(s)
		admits = admits.behind(doorControl(s), doorParts(p.doorRule(s), admits.over))
		for _, entry := range p.fogged(s.ID) {
			admits, notes = guard{over: everything(), under: nothing()}, append(notes, unsupported(entry))
		}
		p.edge(p.publicIn(), receive, and(exactly(dstIn(p.addr.exact(door))), admits), nil, notes...)
	}
}

// publicDoor is the packets that a service's public door admits, by their source on the public network.
func (p *planner) publicDoor(s *model.Service) (guard, []string) {
	own, notes := p.ownDoor(s)
	x, held := p.perimeterOf(s)
	if !held {
		return own, notes
	}
	if x.alone {
		notes = nil
	}
	return x.joined(own), append(notes, x.notes...)
}

// ownDoor is what a service's own rules admit.
func (p *planner) ownDoor(s *model.Service) (guard, []string) {
	known, notes := p.knownCallers(s)
	if strings.EqualFold(s.Public, "Disabled") {
		return known, notes // P1
	}
	open := p.openToAll(s) // P2
	if open.under == nil && open.over != nil {
		return open, notes
	}
	rules := []guard{known}
	for _, r := range s.IPRules { // P3
		if r.AllAzure {
			must, may := p.inTagAny("AzureCloud", srcIn)
			rules = append(rules, between(may, must)) // AZ-SQL-03
			continue
		}
		if len(r.Prefixes) == 0 {
			continue
		}
		g, more := p.addressRule(s, r.Prefixes)
		rules, notes = append(rules, g), append(notes, more...)
	}
	return anyOf(append(rules, open)), notes
}

// knownCallers is whom a service admits by who they are, not by where they send from: trusted services of Azure (AZ-PAAS-05), and instances of
// resources (AZ-ST-04). Both are no part of the internet, as long as that is assumed; whether they get in past public access that is off is
// open (AZ-KV-02).
func (p *planner) knownCallers(s *model.Service) (admits guard, notes []string) {
	admits = exactly(nothing())
	for _, x := range []struct {
		named bool
		note  string
	}{{strings.Contains(strings.ToLower(s.Bypass), "azureservices"), "ASM-E-TRUSTED"}, {len(s.InstanceRules) > 0, "ASM-E-INSTANCE"}} {
		if !x.named {
			continue
		}
		if notes = append(notes, x.note); p.assumed(x.note) {
			continue
		}
		admits = onlyOver(p.fromPlace(model.Place{Kind: model.PlaceInternet}))
		if strings.EqualFold(s.Public, "Disabled") {
			notes = append(notes, "ASM-E-TRUSTED-OFF")
		}
	}
	return admits, notes
}

// addressRule is the packets whose public source is in a rule of a service, or of the perimeter that holds it.
func (p *planner) addressRule(s *model.Service, prefixes []netip.Prefix) (guard, []string) {
	set := p.addr.set(prefixes)
	g := between(srcIn(set.may), srcIn(set.must))
	if s.Kind != model.StorageAccount {
		return g, nil
	}
	g.under = minus(g.under, p.perhapsFrom(s.Location)) // AZ-ST-02
	return g, []string{"ASM-E-STREGION"}
}

// doorControl is a service's own firewall.
func doorControl(s *model.Service) Control {
	return Control{Key: "door|" + s.ID.Key(), Name: s.Name() + " firewall", Shut: shutUnion, Stage: "service-firewall", Place: model.Place{Kind: model.PlaceService, ID: s.ID}}
}

// doorRule is what shuts a service's public door to those whom no rule admits (AZ-PAAS-01, AZ-PAAS-02).
func (p *planner) doorRule(s *model.Service) Part {
	r := Part{Key: "door|" + s.ID.Key(), Rule: s.Name() + "/defaultAction", Source: s.Source, Open: "a rule of the service that admits it"}
	if x, held := p.perimeterOf(s); held && x.alone {
		r.Rule, r.Open = s.Name()+"/networkSecurityPerimeter", "an inbound rule of the perimeter that admits it"
	} else if strings.EqualFold(s.Public, "Disabled") {
		r.Rule, r.Source, r.Open = s.Name()+"/publicNetworkAccess", s.PublicSource, "public network access, and a rule of the service that admits it"
	}
	return r
}

// anyOf is the disjunction of guards; none of them is a closed door.
func anyOf(gs []guard) guard {
	if len(gs) == 0 {
		return exactly(nothing())
	}
	var over, under []*lazy
	for _, g := range gs {
		o := g.over
		if o == nil {
			o = everything()
		}
		u := g.under
		if u == nil {
			u = o
		}
		over, under = append(over, o), append(under, u)
	}
	return between(either(over...), either(under...))
}

// openToAll is what the default action admits (AZ-PAAS-02 and the table behind it): everyone, nobody, or everyone perhaps, where the type may
// have rules of its own, or rules that its tier ignores.
func (p *planner) openToAll(s *model.Service) guard {
	always, never, perhaps := exactly(everything()), onlyOver(nothing()), onlyOver(everything())
	acls := always
	if s.HasACLs && s.DefaultAccess == model.Deny {
		acls = never
	}
	switch s.Kind {
	case model.SQLServer, model.PostgreSQL, model.MySQL:
		return never // no rule = deny
	case model.CosmosDB:
		if len(s.IPRules) == 0 && s.VNetFilter != model.On { // AZ-COSMOS-01
			return always
		}
		return never
	case model.ContainerRegistry: // AZ-ACR-01: rules need Premium
		switch {
		case strings.EqualFold(s.Tier, "Basic"), strings.EqualFold(s.Tier, "Standard"):
			return always
		}
		return acls
	case model.KeyVault, model.StorageAccount:
		return acls
	case model.LogAnalytics:
		return always // AZ-AMPLS-03: its own switches decide, it has no list of addresses
	default:
		if !s.HasACLs {
			return perhaps
		}
		return acls
	}
}

// inTagAny is the packets in a service tag, listed or symbolic.
func (p *planner) inTagAny(tag string, side func(packet.AddrSet) *lazy) (must, may *lazy) {
	if p.tagKind(tag) == tagListed {
		a := p.listedTag(tag)
		return side(a.must), side(a.may)
	}
	l := p.inTag(tag, side)
	return l, l
}

// perhapsFrom is the packets whose source may be a public address of Azure in a region; an empty one is not stated. Of the estate's addresses
// their location decides, of others the published lists alone: the Boolean of a tag does not tell the two ends of a packet apart (AZ-ST-02).
func (p *planner) perhapsFrom(region string) *lazy {
	any := func(string) bool { return true }
	here := func(location string) bool {
		return location == "" || region == "" || model.Region(location) == model.Region(region)
	}
	near := srcIn(p.b.AddSet("", p.ownPublic(here)))
	tag := "AzureCloud"
	if regional := tag + "." + model.Region(region); region != "" && p.tagKind(regional) == tagListed {
		tag = regional
	}
	if p.tagKind(tag) != tagListed {
		return near
	}
	foreign := minus(srcIn(p.addr.public), srcIn(p.b.AddSet("", p.ownPublic(any))))
	return either(near, both(foreign, srcIn(p.listedTag(tag).may)))
}

// endpointService is the service of a subnet's service endpoint as a tag, and the kind of account behind it.
func endpointService(service string) (tag string, kind model.ServiceKind) {
	switch strings.ToLower(service) {
	case "microsoft.storage", "microsoft.storage.global":
		return "Storage", model.StorageAccount
	case "microsoft.sql":
		return "Sql", model.SQLServer
	case "microsoft.keyvault":
		return "AzureKeyVault", model.KeyVault
	case "microsoft.containerregistry":
		return "AzureContainerRegistry", model.ContainerRegistry
	case "microsoft.azurecosmosdb":
		return "AzureCosmosDB", model.CosmosDB
	case "microsoft.servicebus":
		return "ServiceBus", model.ServiceBus
	case "microsoft.eventhub":
		return "EventHub", model.EventHub
	case "microsoft.azureactivedirectory":
		return "AzureActiveDirectory", model.OtherService
	case "microsoft.cognitiveservices":
		return "CognitiveServicesManagement", model.OtherService
	case "microsoft.web":
		return "AppService", model.OtherService
	default:
		return strings.TrimPrefix(service, "Microsoft."), model.OtherService
	}
}

// serviceRoute is the route of a service endpoint.
type serviceRoute struct {
	route
	may, must *lazy
}

// serviceRoutes are the routes of a subnet's service endpoints (AZ-SE-01). Whether a user route that is more specific than the default
// beats them is contradicted by the documentation (AZ-RT-21). firm is what one of them takes, which one ever, unless a user route does; nil
// where their own sets say it.
func (p *planner) serviceRoutes(subnet, nic model.ID, table []route) (out []serviceRoute, firm *lazy) {
	s, v := p.e.SubnetOf(subnet)
	if s == nil {
		return nil, nil
	}
	if t := p.e.RoutesAt(nic); t != nil && !hopsTo(t, model.HopServiceEndpoint) {
		return nil, nil // AZ-RT-33: the NIC's own table has none
	}
	var surely []*lazy
	var drops []*lazy
	for _, se := range s.ServiceEndpoints {
		if !endpointReady(se) {
			continue
		}
		tag, kind := endpointService(se.Service)
		reach := coverage(se, v)
		var all, may, must, mayToo, mustToo []netip.Addr
		for _, account := range p.e.Services {
			if account.Kind == model.MonitorScope {
				continue
			}
			door := p.symbolOf(model.ServiceDoor, account.ID, "")
			all = append(all, door)
			over, under := reach.holds(account.Location)
			if account.Kind != kind || kind == model.OtherService {
				// AZ-SE-03: of another type's account the tag itself says whether it is in it; where it is, its location is known.
				if over {
					mayToo = append(mayToo, door)
				}
				if under {
					mustToo = append(mustToo, door)
				}
				continue
			}
			if over {
				may = append(may, door)
			}
			if under {
				must = append(must, door)
			}
		}
		r := serviceRoute{route: route{tag: tag, origin: systemRoute, hop: hop{kind: model.HopServiceEndpoint, service: se.Service}, certain: true}}
		mustTag, mayTag := p.inTagAny(tag, dstIn)
		certain, inTag := minus(mustTag, dstIn(p.addr.exactHosts(all...))), minus(mayTag, dstIn(p.addr.exactHosts(all...)))
		if !reach.everywhere {
			// Of what the input does not hold, only the region's own tag says where it is.
			home := nothing()
			for _, region := range append([]string{reach.home}, reach.listed...) {
				if region != "" && reach.home != "" {
					in, _ := p.inTagAny(tag+"."+region, dstIn)
					home = either(home, in)
				}
			}
			certain = both(certain, home)
			inTag = minus(inTag, p.beyondReach(tag, reach))
		}
		r.may = either(inTag, dstIn(p.addr.exactHosts(may...)), both(mayTag, dstIn(p.addr.exactHosts(mayToo...))))
		r.must = either(certain, dstIn(p.addr.exactHosts(must...)), both(mustTag, dstIn(p.addr.exactHosts(mustToo...))))
		var rival, none []*lazy
		for _, u := range table {
			if u.origin == systemRoute && u.hop.kind == model.HopNone && u.prefix.IsValid() { // AZ-RT-02: which prefixes the service has there is not known
				none = append(none, dstIn(p.addr.published(ipset([]netip.Prefix{u.prefix})).may))
			}
			switch {
			case !rivals(u):
			case u.tag != "":
				rival = append(rival, minus(p.inTag(u.tag, dstIn), p.beaten(u, table)))
			default:
				rival = append(rival, minus(dstIn(p.addr.set([]netip.Prefix{u.prefix}).may), p.beaten(u, table)))
			}
		}
		surely = append(surely, r.must)
		if len(rival) > 0 {
			r.must = minus(r.must, either(rival...))
			r.note = "ASM-SE-UDR"
		}
		if len(none) > 0 {
			drops = append(drops, both(r.may, either(none...)))
		}
		out = append(out, r)
	}
	// An address may be in the tags of several endpoints. Where policies act, it matters by which of them it leaves; else one that is certain
	// stands for all.
	if len(out) > 1 || slices.ContainsFunc(out, func(r serviceRoute) bool { return r.note != "" }) {
		firm = either(surely...)
	}
	must, may := make([]*lazy, len(out)), make([]*lazy, len(out))
	for i, r := range out {
		must[i], may[i] = r.must, r.may
		for j, q := range out {
			switch {
			case i == j:
			case p.policiesAct(s, r.hop.service) || p.policiesAct(s, q.hop.service):
				must[i] = minus(must[i], q.may)
			case j < i:
				must[i], may[i] = minus(must[i], q.must), minus(may[i], q.must)
			default:
				may[i] = minus(may[i], minus(q.must, r.must))
			}
		}
	}
	for i := range out {
		out[i].must, out[i].may = must[i], may[i]
	}
	if len(drops) > 0 {
		none := route{origin: systemRoute, hop: hop{kind: model.HopNone}, note: "ASM-NONE-LIST"}
		out = append([]serviceRoute{{route: none, may: either(drops...), must: nothing()}}, out...)
	}
	return out, firm
}

// rivals reports a user route that may win over a service endpoint's (AZ-RT-21, ASM-SE-UDR).
func rivals(r route) bool {
	return r.origin == userRoute && r.hop.kind != model.HopInternet && (r.tag != "" || r.prefix.Bits() > 0)
}

// beaten is the packets that a user route loses to a longer one with hop Internet, which is no rival (AZ-RT-17, AZ-RT-19).
func (p *planner) beaten(u route, table []route) *lazy {
	out := nothing()
	for _, q := range table {
		if q.origin != userRoute || !q.certain || q.vague() || !q.prefix.IsValid() || q.hop.kind != model.HopInternet {
			continue
		}
		if q.prefix.IsSingleIP() && q.rank < u.rank || !u.vague() && q.prefix.Bits() > u.prefix.Bits() {
			out = either(out, dstIn(p.addr.set([]netip.Prefix{q.prefix}).must))
		}
	}
	return out
}

// policiesAct reports whether service endpoint policies of a subnet speak of a service, or may (AZ-SE-04, AZ-SE-06).
func (p *planner) policiesAct(s *model.Subnet, service string) bool {
	tag, _ := endpointService(service)
	return slices.ContainsFunc(s.ServicePolicies, func(id model.ID) bool {
		pol, ok := model.Get[*model.ServiceEndpointPolicy](p.e, id)
		if !ok || len(pol.Definitions) == 0 {
			return tag == "Storage"
		}
		return slices.ContainsFunc(pol.Definitions, func(d model.PolicyDefinition) bool {
			named, _ := endpointService(d.Service)
			return named == tag && !strings.EqualFold(d.Service, "Global")
		})
	})
}

// regions is where a service endpoint reaches (AZ-SE-03): everywhere, or for storage the region of the VNet, its pair, and what the
// endpoint lists.
type regions struct {
	everywhere bool
	home       string
	listed     []string
}

func coverage(se model.ServiceEndpoint, v *model.VNet) regions {
	out := regions{everywhere: !strings.EqualFold(se.Service, "Microsoft.Storage")}
	if v != nil {
		out.home = model.Region(v.Location)
	}
	for _, l := range se.Locations {
		out.everywhere = out.everywhere || l == "*"
		out.listed = append(out.listed, model.Region(l))
	}
	return out
}

// holds says whether an account of a region may be, and surely is, on the endpoint's route.
func (r regions) holds(location string) (over, under bool) {
	location = model.Region(location)
	switch {
	case location == "":
		return true, false
	case r.everywhere, location == r.home, slices.Contains(r.listed, location):
		return true, true
	default:
		return r.home == "" || len(r.listed) == 0, false // it may be the pair
	}
}

// beyondReach is the packets whose far address is in the tag of a region that an endpoint does not cover, and of none that it may.
func (p *planner) beyondReach(tag string, r regions) *lazy {
	prefix := tagField(tag + ".")
	return later(func(c *compiler) packet.Set {
		var inside, outside []packet.Set
		for _, name := range c.u.TagNames() {
			region, ok := strings.CutPrefix(name, prefix)
			if !ok {
				continue
			}
			f, _ := c.u.Tag(name)
			in := c.s.Box(packet.Box{Tags: []packet.TagValue{{Tag: f, Value: true}}})
			if may, _ := r.holds(region); may {
				inside = append(inside, in)
			} else {
				outside = append(outside, in)
			}
		}
		return c.s.Subtract(c.s.Union(outside...), c.s.Union(inside...))
	})
}

// toServiceEndpoint leads packets on a service endpoint's route to the accounts behind it: those of the estate admit the subnet by
// their default action or a VNet rule (AZ-PAAS-04); any other tenant's account is reached as well (AZ-SE-02).
func (p *planner) toServiceEndpoint(n NodeID, subnet model.ID, g hopGroup) {
	sent := p.sent(subnet, g)
	_, kind := endpointService(g.hop.service)
	doors := nothing()
	for _, s := range p.e.Services {
		if s.Kind == model.MonitorScope {
			continue
		}
		at := dstIn(p.addr.exactHosts(p.symbolOf(model.ServiceDoor, s.ID, "")))
		door := exactly(at)
		doors = either(doors, at)
		if s.Injected != "" {
			continue // AZ-PG-01
		}
		receive := p.node(model.Place{Kind: model.PlaceService, ID: s.ID}, StageReceive, "")
		// An account of another type may be in the endpoint's tag all the same (AZ-SE-03).
		admits, admit := p.admitsSubnet(s, subnet)
		policy, notes := p.policiesAdmit(subnet, g.hop.service, s)
		p.edge(n, receive, and(sent, door, policy, admits), nil, append(notes, g.notes...)...)
		if !admit && s.Kind == kind && kind != model.OtherService {
			shut := doorControl(s)
			p.hypothesis(n, receive, and(sent, door, closed(shut, p.doorRule(s))))
		}
	}
	policy, notes := p.policiesAdmit(subnet, g.hop.service, nil)
	outside := dstIn(p.outsideNamed)
	p.edge(n, p.node(model.Place{Kind: model.PlaceInternet}, StageReceive, ""), and(sent, policy, exactly(outside)), nil, append(notes, g.notes...)...)
	// AZ-SE-03: what else the estate has on a public address is perhaps reached so.
	rest := minus(dstIn(p.addr.public), either(doors, outside))
	p.edge(n, p.publicIn(), and(sent, policy, onlyOver(rest)), nil, append(notes, g.notes...)...)
	for _, e := range p.doorCarriers() { // AZ-GEN-08: an object that was not understood has perhaps one of those addresses, or one outside
		p.edge(n, p.carrier(e), and(sent, policy, onlyOver(both(outside, p.carrierDoors()))), nil, append(notes, unsupported(e))...)
	}
}

// policiesAdmit is what the service endpoint policies of a subnet let through to an account of the input, or with nil to any other one:
// everything where no policy speaks of the service, else what one of them lists (AZ-SE-04).
func (p *planner) policiesAdmit(subnet model.ID, service string, account *model.Service) (guard, []string) {
	s, v := p.e.SubnetOf(subnet)
	tag, _ := endpointService(service)
	acts, listed, perhaps := false, false, false
	for _, id := range s.ServicePolicies {
		pol, ok := model.Get[*model.ServiceEndpointPolicy](p.e, id)
		if tag == "Storage" && (!ok || len(pol.Definitions) == 0) {
			acts, perhaps = true, true // AZ-SE-06: it may admit anything, or nothing
		}
		if !ok {
			continue
		}
		perhaps = perhaps || account == nil && tag == "Storage" && pol.Alias != ""
		for _, d := range pol.Definitions {
			perhaps = perhaps || account == nil && len(d.Aliases) > 0 // AZ-SE-06
			named, _ := endpointService(d.Service)
			if named != tag || strings.EqualFold(d.Service, "Global") {
				continue
			}
			acts = true
			for _, r := range d.Resources {
				if account == nil {
					_, inside := model.Get[*model.Service](p.e, r)
					perhaps = perhaps || !inside // an account that the input lacks
					continue
				}
				listed = listed || r.Key() == account.ID.Key() || strings.HasPrefix(account.ID.Key(), r.Key()+"/")
			}
		}
	}
	if !acts || listed {
		return guard{}, nil
	}
	// AZ-SE-05: a global endpoint reaches regions where policies may not act; neither may they at subnets of managed services.
	if strings.EqualFold(service, "Microsoft.Storage.Global") {
		perhaps = perhaps || account == nil || v == nil || account.Location == "" || model.Region(account.Location) != model.Region(v.Location)
	}
	perhaps = perhaps || p.platformSubnet(s) || len(s.Delegations) > 0
	if perhaps {
		return onlyOver(everything()), []string{"ASM-SEPOLICY"}
	}
	return exactly(nothing()), nil
}

// admitsSubnet is whether a service's public door admits a subnet that comes by its service endpoint, and whether it may (AZ-PAAS-04).
func (p *planner) admitsSubnet(s *model.Service, subnet model.ID) (guard, bool) {
	own, admits := p.ownRulesAdmit(s, subnet)
	if x, held := p.perimeterOf(s); held {
		own = x.byEndpoint(own)
		return own, admits || x.unknown
	}
	return own, admits
}

// ownRulesAdmit is the same by the service's own rules.
func (p *planner) ownRulesAdmit(s *model.Service, subnet model.ID) (guard, bool) {
	switch {
	case strings.EqualFold(s.Public, "Disabled"):
		return exactly(nothing()), false
	case s.Kind == model.CosmosDB && s.VNetFilter != model.On: // AZ-COSMOS-01: without the filter the rules are void
	case slices.ContainsFunc(s.VNetRules, func(r model.VNetRule) bool { return r.Subnet.Key() == subnet.Key() }):
		return guard{}, true
	}
	open := p.openToAll(s)
	return open, open.under == nil || s.Kind == model.OtherService
}
