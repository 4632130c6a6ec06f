package trace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// endpointTag is the service tag whose prefixes a service endpoint routes (AZ-RT-05, AZ-SE-03).
func endpointTag(service string) string {
	switch strings.ToLower(service) {
	case "microsoft.storage", "microsoft.storage.global":
		return "Storage"
	case "microsoft.sql":
		return "Sql"
	case "microsoft.keyvault":
		return "AzureKeyVault"
	case "microsoft.containerregistry":
		return "AzureContainerRegistry"
	case "microsoft.azurecosmosdb":
		return "AzureCosmosDB"
	case "microsoft.eventhub":
		return "EventHub"
	case "microsoft.servicebus":
		return "ServiceBus"
	case "microsoft.azureactivedirectory":
		return "AzureActiveDirectory"
	case "microsoft.cognitiveservices":
		return "CognitiveServicesManagement"
	case "microsoft.web":
		return "AppService"
	default:
		_, name, _ := strings.Cut(service, ".")
		return name
	}
}

// serviceCovers says whether a service endpoint's route holds the destination: the tag, and for storage the VNet's region and its pair
// (AZ-SE-03).
func (w *world) serviceCovers(h *host, s *model.ServiceEndpoint, f flow) match {
	m := w.inTag(endpointTag(s.Service), f.dst, f.tags)
	if !m.may {
		return m
	}
	if !fold(s.Service, "Microsoft.Storage") {
		if f.dst.service != nil && f.dst.service.Location == "" {
			return m.and(maybe())
		}
		return m
	}
	home := ""
	if h.vnet != nil {
		home = model.Region(h.vnet.Location)
	}
	covered := func(location string) match {
		location = model.Region(location)
		if location == "" || home == "" {
			return maybe()
		}
		for _, l := range s.Locations {
			if l == "*" || model.Region(l) == location {
				return yes()
			}
		}
		switch {
		case location == home:
			return yes()
		case len(s.Locations) == 0:
			return maybe() // it may be the pair
		default:
			return no()
		}
	}
	if slices.Contains(s.Locations, "*") && (f.dst.service == nil || f.dst.service.Location != "") {
		return m
	}
	if f.dst.service != nil {
		return m.and(covered(f.dst.service.Location))
	}
	// Of what the input does not hold, the regional tags say where it is.
	if home != "" {
		for _, l := range append([]string{home}, s.Locations...) {
			if prefixes, ok := w.prefixesOf("Storage." + model.Region(l)); ok && f.dst.may == nil && prefixes.Contains(f.dst.at) {
				return m
			}
		}
	}
	stated, in := false, no()
	for _, tag := range f.tags {
		if base, r, ok := strings.Cut(tag, "."); ok && fold(base, "Storage") {
			stated, in = true, in.or(covered(r))
		}
	}
	if stated {
		return m.and(in)
	}
	return m.and(maybe())
}

// byServiceEndpoint sends a packet to a service over the subnet's endpoint: no translation, the service sees the private address and
// the subnet (AZ-SE-01). A service endpoint policy may drop it (AZ-SE-04, ASM-SEPOLICY).
func (t *tracer) byServiceEndpoint(c course, h *host, r route) {
	if r.service == nil { // a row of an imported table, which does not say whose prefix it is
		c = c.forward(h.place, Transport, "service endpoint")
		if h.subnet != nil && len(h.subnet.ServicePolicies) > 0 {
			c = c.uncertain("ASM-SEPOLICY")
		}
		c.endpoint = h.subnet
		t.toPublic(c)
		return
	}
	c = c.forward(h.place, Transport, "service endpoint "+r.service.Service)
	c.endpoint = h.subnet
	m := t.policiesAdmit(h, r.service, c.dst.service)
	if !m.must {
		d := c
		if m.may {
			d = c.uncertain(m.why...)
		}
		t.drop(d, h.place, Transport, "no service endpoint policy of the subnet admits the account (AZ-SE-04)")
	}
	if m.may {
		t.toPublic(c.given(m))
	}
}

// policiesAdmit says whether the service endpoint policies of a subnet let packets through to an account of the input, or, with nil, to
// some other one. Without a policy that speaks of the service, they do (AZ-SE-04).
func (w *world) policiesAdmit(h *host, s *model.ServiceEndpoint, account *model.Service) match {
	tag := endpointTag(s.Service)
	acting, unsure := false, false
	listed := no()
	for _, id := range h.subnet.ServicePolicies {
		p, ok := model.Get[*model.ServiceEndpointPolicy](w.e, id)
		if !ok {
			if tag == "Storage" { // AZ-SE-06: it may admit anything, or nothing
				acting, listed = true, listed.or(maybe("ASM-SEPOLICY"))
			}
			continue
		}
		if tag == "Storage" && len(p.Definitions) == 0 {
			acting, unsure = true, true
		}
		if p.Alias != "" && account == nil && tag == "Storage" {
			listed = listed.or(maybe("ASM-SEPOLICY"))
		}
		for _, d := range p.Definitions {
			if len(d.Aliases) > 0 && account == nil {
				listed = listed.or(maybe("ASM-SEPOLICY")) // AZ-SE-06: accounts of the platform are none of the input
			}
			if fold(d.Service, "Global") || endpointTag(d.Service) != tag {
				continue
			}
			acting = true
			for _, r := range d.Resources {
				switch {
				case account == nil && !w.isAccount(r): // an account that the input lacks
					listed = listed.or(maybe("ASM-SEPOLICY"))
				case account != nil && holdsAccount(r, account):
					listed = yes()
				}
			}
		}
	}
	switch {
	case !acting || listed.must:
		return yes()
	case unsure, managedSubnet(w, h), !sameRegion(h, s, account):
		// AZ-SE-05: subnets of managed services, and accounts outside the region of the endpoint, may be left open.
		return maybe("ASM-SEPOLICY")
	default:
		return listed
	}
}

// policiesAct reports whether a service endpoint policy of the subnet speaks of a service, or may (AZ-SE-04, AZ-SE-06).
func (w *world) policiesAct(h *host, s *model.ServiceEndpoint) bool {
	tag := endpointTag(s.Service)
	for _, id := range h.subnet.ServicePolicies {
		p, ok := model.Get[*model.ServiceEndpointPolicy](w.e, id)
		if (!ok || len(p.Definitions) == 0) && tag == "Storage" {
			return true
		}
		if !ok {
			continue
		}
		for _, d := range p.Definitions {
			if !fold(d.Service, "Global") && endpointTag(d.Service) == tag {
				return true
			}
		}
	}
	return false
}

// isAccount reports whether an entry of a policy is an account of the input.
func (w *world) isAccount(id model.ID) bool {
	_, ok := model.Get[*model.Service](w.e, id)
	return ok
}

// holdsAccount reports whether an account is the entry of a policy, or lies in it: a resource group or a subscription.
func holdsAccount(entry model.ID, account *model.Service) bool {
	return same(entry, account.ID) || strings.HasPrefix(account.ID.Key(), entry.Key()+"/")
}

// managedSubnet reports a subnet that the platform manages for a service, where policies are not supported.
func managedSubnet(w *world, h *host) bool {
	return subnetKind(h.subnet) != ordinary || len(h.subnet.Delegations) > 0 || w.isAppGatewaySubnet(h.subnetID)
}

// sameRegion reports whether a policy surely acts on an account as far as regions go: a regional endpoint routes its own region and its
// pair alone, where policies act; a global one routes all.
func sameRegion(h *host, s *model.ServiceEndpoint, account *model.Service) bool {
	switch {
	case !fold(s.Service, "Microsoft.Storage.Global"):
		return true
	case account == nil || h.vnet == nil:
		return false
	default:
		return account.Location != "" && model.Region(account.Location) == model.Region(h.vnet.Location)
	}
}

// atDoor is a packet at the public door of a service.
func (t *tracer) atDoor(c course, s *model.Service) {
	at := model.Place{Kind: model.PlaceService, ID: s.ID}
	t.decide(c, Hop{At: at, Stage: ServiceFirewall}, t.door(c, s), func(c course) { t.deliver(c, at) })
}

// door says whether a service admits a packet at its public door: public access, and the default action, an address rule or a
// network rule (AZ-PAAS-01 to AZ-PAAS-05).
func (t *tracer) door(c course, s *model.Service) verdict {
	if s.Injected != "" {
		return denied(s.Name()+"/delegatedSubnet", s.Source) // AZ-PG-01: no public door
	}
	var list []*model.PerimeterAssociation
	somebodys := false
	for _, a := range t.e.Associations {
		somebodys = somebodys || a.Resource == ""
		if same(a.Resource, s.ID) {
			list = append(list, a)
		}
	}
	secured := fold(s.Public, "SecuredByPerimeter")
	switch {
	case len(list) == 1:
		return t.inPerimeter(c, s, list[0], secured)
	case len(list) > 1: // a resource has one: nobody knows which
		v := t.inPerimeter(c, s, list[0], secured)
		for _, a := range list[1:] {
			v = v.either(t.inPerimeter(c, s, a, secured))
		}
		return v.either(denied(s.Name()+"/networkSecurityPerimeter", s.Source), "ASM-E-NSP")
	case secured: // AZ-NSP-04: the association is not in the input
		return unknownPerimeter(s)
	case somebodys: // AZ-NSP-04: an association of nobody knows whom
		return t.ownDoor(c, s).either(unknownPerimeter(s))
	default:
		return t.ownDoor(c, s)
	}
}

// inPerimeter is the door of a service that a perimeter holds (AZ-NSP-02, AZ-NSP-03).
func (t *tracer) inPerimeter(c course, s *model.Service, a *model.PerimeterAssociation, secured bool) verdict {
	perimeter := t.byProfile(c, s, a)
	if c.endpoint != nil { // its rules hold public addresses, and this source is none
		own := t.ownDoor(c, s)
		switch {
		case !t.profileKnown(a.Profile):
			return own.either(unknownPerimeter(s)) // AZ-NSP-04
		case !secured && a.Mode != "Enforced":
			return own
		case own.allow.is:
			return own.either(denied(s.Name()+"/networkSecurityPerimeter", a.Source))
		default:
			return own
		}
	}
	if secured || a.Mode == "Enforced" {
		return perimeter
	}
	own := t.ownDoor(c, s) // either admits
	switch {
	case own.allow.is && !own.deny.is, perimeter.allow.is && !perimeter.deny.is:
		if own.allow.is && !own.deny.is {
			return own
		}
		return perimeter
	case perimeter.allow.is:
		return perimeter.either(own)
	default:
		return own
	}
}

// byProfile is what the inbound rules of a profile say of a public source.
func (t *tracer) byProfile(c course, s *model.Service, a *model.PerimeterAssociation) verdict {
	if !t.profileKnown(a.Profile) {
		return unknownPerimeter(s)
	}
	var list []step
	for _, r := range t.e.PerimeterRules {
		if same(r.ID.Parent(), a.Profile) && r.Inbound && len(r.Prefixes) > 0 {
			m := t.addressRule(c, s, model.IPRule{Prefixes: r.Prefixes})
			list = append(list, step{match: m, access: model.Allow, rule: r.ID.Parent().Name() + "/accessRules/" + r.Name(), source: r.Source, rank: len(list)})
		}
	}
	return firstMatch(list, denied(s.Name()+"/networkSecurityPerimeter", a.Source))
}

// profileKnown reports whether the input has a profile, and any rule of its perimeter: else its rules were not exported (AZ-NSP-04).
func (t *tracer) profileKnown(id model.ID) bool {
	if _, ok := model.Get[*model.PerimeterProfile](t.e, id); !ok {
		return false
	}
	known := false
	for _, r := range t.e.PerimeterRules {
		known = known || same(r.ID.Parent().Parent(), id.Parent())
		if same(r.ID.Parent(), id) && r.Inbound && len(t.misread(r.ID)) > 0 {
			return false
		}
	}
	return known
}

// unknownPerimeter admits perhaps.
func unknownPerimeter(s *model.Service) verdict {
	rule := blame{is: true, rule: s.Name() + "/networkSecurityPerimeter", source: s.PublicSource}
	return verdict{allow: rule, deny: rule, why: []string{"ASM-E-NSP"}}
}

// ownDoor is what the service's own rules say.
func (t *tracer) ownDoor(c course, s *model.Service) verdict {
	if fold(s.Public, "Disabled") { // AZ-PAAS-01, AZ-KV-02, AZ-ACR-01, AZ-SQL-02
		return t.orKnown(c, s, denied(s.Name()+"/publicNetworkAccess", s.PublicSource), "ASM-E-TRUSTED-OFF")
	}
	var list []step
	for i, r := range s.VNetRules {
		if c.endpoint != nil && same(r.Subnet, c.endpoint.ID) && (s.Kind != model.CosmosDB || s.VNetFilter == model.On) { // AZ-PAAS-04
			list = append(list, step{match: yes(), access: model.Allow, rule: ruleOf(s, "virtualNetworkRules", r.Name, i), source: r.Source, rank: len(list)})
		}
	}
	for i, r := range s.IPRules {
		m := t.addressRule(c, s, r)
		list = append(list, step{match: m, access: model.Allow, rule: ruleOf(s, "ipRules", r.Name, i), source: r.Source, rank: len(list)})
	}
	last := t.defaultAction(s)
	if last.deny.is && !last.allow.is {
		last = t.orKnown(c, s, last)
	}
	return firstMatch(list, last)
}

// orKnown adds to a refusal whom the service admits by who they are: trusted services (AZ-PAAS-05, AZ-KV-01) and instances of resources
// (AZ-ST-04), which are no part of the internet as long as that is assumed. more is what it rests on beside.
func (t *tracer) orKnown(c course, s *model.Service, refusal verdict, more ...string) verdict {
	for _, x := range []struct {
		named      bool
		note, rule string
	}{{strings.Contains(strings.ToLower(s.Bypass), "azureservices"), "ASM-E-TRUSTED", "bypass"}, {len(s.InstanceRules) > 0, "ASM-E-INSTANCE", "resourceAccessRules"}} {
		if !x.named {
			continue
		}
		m := t.assume(x.note)
		refusal.why = union(sorted(refusal.why), sorted(m.why))
		if m.uncertain() && c.packet.From.Kind == model.PlaceInternet {
			refusal = refusal.either(allowed(s.Name()+"/"+x.rule, s.Source), more...)
		}
	}
	return refusal
}

func ruleOf(s *model.Service, list, name string, i int) string {
	if name == "" {
		return fmt.Sprintf("%s/%s[%d]", s.Name(), list, i)
	}
	return s.Name() + "/" + list + "/" + name
}

// defaultAction is what happens to a packet that no rule admits (AZ-PAAS-02 and the table behind AZ-PAAS-08).
func (t *tracer) defaultAction(s *model.Service) verdict {
	rule := s.Name() + "/defaultAction"
	switch s.Kind {
	case model.SQLServer, model.PostgreSQL, model.MySQL: // AZ-SQL-01: no rule, no entry
		return denied(rule, s.Source)
	case model.ContainerRegistry:
		if fold(s.Tier, "Basic") || fold(s.Tier, "Standard") { // AZ-ACR-01: rules need Premium
			return allowed(rule, s.Source)
		}
	case model.CosmosDB: // AZ-COSMOS-01
		if len(s.IPRules) == 0 && s.VNetFilter != model.On {
			return allowed(rule, s.Source)
		}
		return denied(rule, s.Source)
	case model.KeyVault, model.StorageAccount:
	case model.LogAnalytics: // AZ-AMPLS-03: no list of addresses, only the switches
		return allowed(rule, s.Source)
	default:
		// Of other types the common model is all that is known; where it says open, the type may have rules of its own.
		if !s.HasACLs {
			return allowed(rule, s.Source).either(denied(rule, s.Source))
		}
	}
	if !s.HasACLs || s.DefaultAccess != model.Deny {
		return allowed(rule, s.Source)
	}
	return denied(rule, s.Source)
}

// addressRule matches the source as the service sees it, after every translation (AZ-PAAS-03). What came by a service endpoint shows
// no public address (AZ-PAAS-04), and private addresses never match.
func (t *tracer) addressRule(c course, s *model.Service, r model.IPRule) match {
	public := c.src.isPublic()
	if c.endpoint != nil || !public.may {
		return no()
	}
	m := c.src.in(prefixSet(r.Prefixes...))
	if r.AllAzure { // AZ-SQL-03: every address of Azure, other customers' too
		m = t.inTag("AzureCloud", c.src, c.packet.Tags)
	}
	m = m.and(public)
	if s.Kind == model.StorageAccount && m.may && t.maybeSameRegion(c, s) { // AZ-ST-02
		m = m.and(maybe("ASM-E-STREGION"))
	}
	return m
}

// maybeSameRegion reports a source that may be in the account's own region, where address rules have no effect (AZ-ST-02).
func (t *tracer) maybeSameRegion(c course, s *model.Service) bool {
	if c.src.azure != nil {
		return c.src.azure.location == "" || s.Location == "" || model.Region(c.src.azure.location) == model.Region(s.Location)
	}
	// Of others a published list says so; the Boolean of a tag does not tell the two ends of the packet apart.
	list, ok := t.prefixesOf("AzureCloud." + model.Region(s.Location))
	if !ok || s.Location == "" {
		list, ok = t.prefixesOf("AzureCloud")
	}
	return ok && c.src.in(list).may
}
