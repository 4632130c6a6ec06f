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
		admits = admits.behind(doorControl(s), doorParts(doorRule(s), admits.over))
		for _, entry := range p.fogged(s.ID) {
			admits, notes = guard{over: everything(), under: nothing()}, append(notes, unsupported(entry))
		}
		p.edge(p.publicIn(), receive, and(exactly(dstIn(p.addr.exact(door))), admits), nil, notes...)
	}
}

// publicDoor is the packets that a service's public door admits, by their source on the public network.
func (p *planner) publicDoor(s *model.Service) (guard, []string) {
	var notes []string
	if strings.EqualFold(s.Bypass, "AzureServices") {
		notes = append(notes, "ASM-E-TRUSTED") // AZ-PAAS-05: trusted services are no part of `internet`
	}
	switch {
	case strings.EqualFold(s.Public, "Disabled"):
		return exactly(nothing()), notes // P1
	case strings.EqualFold(s.Public, "SecuredByPerimeter"):
		return onlyOver(everything()), append(notes, "ASM-E-NSP") // AZ-NSP-04
	case p.openToAll(s):
		return exactly(everything()), notes // P2
	}
	var rules []guard
	for _, r := range s.IPRules { // P3
		if r.AllAzure {
			must, may := p.inTagAny("AzureCloud", srcIn)
			rules = append(rules, between(may, must)) // AZ-SQL-03
			continue
		}
		if len(r.Prefixes) == 0 {
			continue
		}
		set := p.addr.set(r.Prefixes)
		g := between(srcIn(set.may), srcIn(set.must))
		if s.Kind == model.StorageAccount {
			g.under = minus(g.under, p.ownPublicSources(s.Location)) // AZ-ST-02
			notes = append(notes, "ASM-E-STREGION")
		}
		rules = append(rules, g)
	}
	return anyOf(rules), notes
}

// doorControl is a service's own firewall.
func doorControl(s *model.Service) Control {
	return Control{Key: "door|" + s.ID.Key(), Name: s.Name() + " firewall", Shut: shutUnion, Stage: "service-firewall", Place: model.Place{Kind: model.PlaceService, ID: s.ID}}
}

// doorRule is what shuts a service's public door to those whom no rule admits (AZ-PAAS-01, AZ-PAAS-02).
func doorRule(s *model.Service) Part {
	r := Part{Key: "door|" + s.ID.Key(), Rule: s.Name() + "/defaultAction", Source: s.Source, Open: "a rule of the service that admits it"}
	if strings.EqualFold(s.Public, "Disabled") {
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

// openToAll reports whether the default action admits everyone (AZ-PAAS-02 and the table behind it).
func (p *planner) openToAll(s *model.Service) bool {
	switch s.Kind {
	case model.SQLServer, model.PostgreSQL, model.MySQL:
		return false // no rule = deny
	case model.CosmosDB:
		return len(s.IPRules) == 0 && s.VNetFilter != model.On // AZ-COSMOS-01
	case model.ContainerRegistry:
		if !strings.EqualFold(s.Tier, "Premium") {
			return true // AZ-ACR-01: rules need Premium
		}
	default:
	}
	return !s.HasACLs || s.DefaultAccess != model.Deny
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

// ownPublicSources is the packets whose source is a public address of the estate in a region, or in one that is not stated.
func (p *planner) ownPublicSources(region string) *lazy {
	list := []netip.Addr{p.symbolOf(model.DefaultOutbound, "", "")}
	for _, ip := range p.e.PublicIPs {
		if a := p.publicAddr(ip.ID); a.IsValid() && (ip.Location == "" || region == "" || strings.EqualFold(ip.Location, region)) {
			list = append(list, a)
		}
	}
	return srcIn(p.addr.exactHosts(list...))
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
// beats them is contradicted by the documentation (AZ-RT-21).
func (p *planner) serviceRoutes(subnet, nic model.ID, table []route) []serviceRoute {
	s, v := p.e.SubnetOf(subnet)
	if s == nil {
		return nil
	}
	if t := p.e.RoutesAt(nic); t != nil && !hopsTo(t, model.HopServiceEndpoint) {
		return nil // AZ-RT-33: the NIC's own table has none
	}
	var out []serviceRoute
	for _, se := range s.ServiceEndpoints {
		if !endpointReady(se) {
			continue
		}
		tag, kind := endpointService(se.Service)
		var may, must []netip.Addr
		for _, account := range p.e.Services {
			if account.Kind != kind || kind == model.OtherService {
				continue
			}
			door := p.symbolOf(model.ServiceDoor, account.ID, "")
			may = append(may, door)
			regional := strings.EqualFold(se.Service, "Microsoft.Storage")
			sameRegion := v != nil && account.Location != "" && strings.EqualFold(account.Location, v.Location)
			if account.Location != "" && (!regional || sameRegion) { // AZ-SE-03
				must = append(must, door)
			}
		}
		r := serviceRoute{route: route{tag: tag, origin: systemRoute, hop: hop{kind: model.HopServiceEndpoint, service: se.Service}, certain: true}}
		_, inTag := p.inTagAny(tag, dstIn)
		r.may = either(inTag, dstIn(p.addr.exactHosts(may...)))
		r.must = either(minus(p.coveredTag(se.Service, tag, v), dstIn(p.addr.exactHosts(may...))), dstIn(p.addr.exactHosts(must...)))
		var rival []*lazy
		for _, u := range table {
			if u.origin != userRoute || u.hop.kind == model.HopInternet {
				continue
			}
			switch {
			case u.tag != "":
				rival = append(rival, p.inTag(u.tag, dstIn))
			case u.prefix.Bits() > 0:
				rival = append(rival, dstIn(p.addr.set([]netip.Prefix{u.prefix}).may))
			}
		}
		if len(rival) > 0 {
			r.must = minus(r.must, either(rival...))
			r.note = "ASM-SE-UDR"
		}
		out = append(out, r)
	}
	return out
}

// coveredTag is the packets to addresses that a service endpoint covers for certain: of Microsoft.Storage those of the VNet's region, since its
// pair is not stated; of every other service all of its tag (AZ-SE-03).
func (p *planner) coveredTag(service, tag string, v *model.VNet) *lazy {
	switch {
	case !strings.EqualFold(service, "Microsoft.Storage"):
		must, _ := p.inTagAny(tag, dstIn)
		return must
	case v == nil || v.Location == "":
		return nothing()
	default:
		must, _ := p.inTagAny(tag+"."+regionOf(v.Location), dstIn)
		return must
	}
}

// toServiceEndpoint leads packets on a service endpoint's route to the accounts behind it: those of the estate admit the subnet by
// their default action or a VNet rule (AZ-PAAS-04); any other tenant's account is reached as well (AZ-SE-02).
func (p *planner) toServiceEndpoint(n NodeID, subnet model.ID, g hopGroup) {
	sent := p.sent(subnet, g)
	_, kind := endpointService(g.hop.service)
	for _, s := range p.e.Services {
		if s.Kind != kind || kind == model.OtherService {
			continue
		}
		door := exactly(dstIn(p.addr.exactHosts(p.symbolOf(model.ServiceDoor, s.ID, ""))))
		receive := p.node(model.Place{Kind: model.PlaceService, ID: s.ID}, StageReceive, "")
		switch {
		case p.admitsSubnet(s, subnet):
			p.edge(n, receive, and(sent, door), nil, g.notes...)
		case s.Injected == "":
			shut := doorControl(s)
			p.hypothesis(n, receive, and(sent, door, closed(shut, doorRule(s))))
		}
	}
	for _, s := range p.servicePolicies(subnet) {
		sent.under = nothing() // AZ-SE-06: what the policy admits is not modelled
		g.notes = append(g.notes, s)
	}
	p.edge(n, p.node(model.Place{Kind: model.PlaceInternet}, StageReceive, ""), and(sent, exactly(dstIn(p.addr.space(p.internetSpace()).must))), nil, g.notes...)
}

// servicePolicies names the service endpoint policies of a subnet.
func (p *planner) servicePolicies(subnet model.ID) []string {
	s, _ := p.e.SubnetOf(subnet)
	if s != nil && len(s.ServicePolicies) > 0 {
		return []string{"ASM-SEPOLICY"}
	}
	return nil
}

// admitsSubnet reports whether a service's public door admits a subnet that comes by its service endpoint.
func (p *planner) admitsSubnet(s *model.Service, subnet model.ID) bool {
	if strings.EqualFold(s.Public, "Disabled") || strings.EqualFold(s.Public, "SecuredByPerimeter") {
		return false
	}
	if p.openToAll(s) {
		return true
	}
	return slices.ContainsFunc(s.VNetRules, func(r model.VNetRule) bool { return r.Subnet.Key() == subnet.Key() })
}
