package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

func (r *reader) service(s *model.Service) string { return r.refs.Of(model.SelService, s) }

// door is what a service's public door admits (AZ-PAAS-01 to AZ-PAAS-05).
type door uint8

const (
	doorShut      door = iota
	doorPerimeter      // a network security perimeter decides (AZ-NSP-01)
	doorRules          // the rules decide
	doorOpen           // everyone
	doorUnknown        // the rules are not in the input
)

func (r *reader) door(s *model.Service) door {
	switch {
	case s.Injected != "", s.Kind == model.MonitorScope: // AZ-PG-01: no public door; a scope has none of its own
		return doorShut
	case strings.EqualFold(s.Public, "SecuredByPerimeter"), r.enforced(s):
		return doorPerimeter
	case s.Kind == model.ContainerRegistry && s.Tier != "" && !strings.EqualFold(s.Tier, "Premium"):
		return doorOpen // AZ-ACR-01: rules need Premium
	case strings.EqualFold(s.Public, "Disabled"):
		return doorShut
	case r.foggy(s.ID):
		return doorUnknown
	}
	open := false
	switch s.Kind {
	case model.SQLServer, model.PostgreSQL, model.MySQL: // no rule = deny (AZ-SQL-01, AZ-PG-01)
	case model.CosmosDB:
		open = len(s.IPRules) == 0 && s.VNetFilter != model.On // AZ-COSMOS-01
	case model.Redis:
		open = len(s.IPRules) == 0
	case model.LogAnalytics, model.OtherService:
		return doorRules // of a workspace the switch is judged beside its scope (AZ-AMPLS-03)
	case model.KeyVault, model.ContainerRegistry, model.StorageAccount, model.ServiceBus, model.EventHub, model.MonitorScope:
		open = !s.HasACLs || s.DefaultAccess != model.Deny // AZ-PAAS-02
	}
	if open {
		return doorOpen
	}
	return doorRules
}

// enforced reports a service whose own rules are not consulted, because a perimeter decides (AZ-NSP-02).
func (r *reader) enforced(s *model.Service) bool {
	return slices.ContainsFunc(r.e.Associations, func(a *model.PerimeterAssociation) bool {
		return a.Mode == "Enforced" && a.Resource.Key() == s.ID.Key()
	})
}

// publicDoorOpen: the public door admits everyone, by its default or by a rule for all addresses (AZ-PAAS-02, AZ-SQL-03).
func publicDoorOpen(r *reader, found sink) {
	for _, s := range r.e.Services {
		switch r.door(s) {
		case doorOpen:
			why := "public network access is on, and no rule limits it"
			if s.Kind == model.ContainerRegistry && !strings.EqualFold(s.Tier, "Premium") {
				why = "the tier " + s.Tier + " knows no network rules" // AZ-ACR-01
			}
			found(fact{
				subject: r.service(s), origin: doorSource(s),
				text:   fmt.Sprintf("The %s is open to the internet: %s.", s.Kind, why),
				remedy: "Set publicNetworkAccess to Disabled and use private endpoints, or set the default action to Deny and name who may come.",
			})
		case doorRules:
			for _, u := range s.IPRules {
				if !slices.ContainsFunc(u.Prefixes, everyAddress) {
					continue
				}
				found(fact{
					subject: r.rule(s.Kind.RuleSet(), s.ID, u.Name), origin: u.Source,
					text:   fmt.Sprintf("Public network access of the %s %s is on, and the rule admits %s: it is open to the internet.", s.Kind, s.Name(), join(model.PrefixTexts(u.Prefixes))),
					remedy: "Remove the rule, and set publicNetworkAccess to Disabled.",
				})
			}
		case doorShut, doorPerimeter, doorUnknown:
		}
	}
}

func everyAddress(p netip.Prefix) bool { return p.Bits() <= short }

func doorSource(s *model.Service) model.Source {
	if s.PublicSource.IsZero() {
		return s.Source
	}
	return s.PublicSource
}

// publicDoorBesideEndpoint: a private endpoint does not close the public door (AZ-PE-11, AZ-COSMOS-02). A door that is open to all has its
// own finding.
func publicDoorBesideEndpoint(r *reader, found sink) {
	for _, s := range r.e.Services {
		d := r.door(s)
		open := slices.ContainsFunc(s.IPRules, func(u model.IPRule) bool { return slices.ContainsFunc(u.Prefixes, everyAddress) })
		if d == doorShut || d == doorPerimeter || d == doorOpen || open {
			continue
		}
		by := r.privateDoor(s)
		if by == "" {
			continue
		}
		state := "Enabled"
		if s.Public == "" {
			state = "not stated, which is Enabled"
		}
		rest := "its rules alone keep the internet out"
		if s.Kind == model.LogAnalytics {
			rest = "it is reached from the internet as well" // AZ-AMPLS-03
		}
		found(fact{
			subject: r.service(s), origin: doorSource(s),
			text:   fmt.Sprintf("The %s has %s, yet its public network access is %s: %s.", s.Kind, by, state, rest),
			remedy: "Set publicNetworkAccess to Disabled once every client comes by the endpoint.",
		})
	}
}

// privateDoor names an approved private way to a service.
func (r *reader) privateDoor(s *model.Service) string {
	for _, ep := range r.e.Endpoints {
		if ep.Target.Key() == s.ID.Key() && (ep.State == "" || strings.EqualFold(ep.State, "Approved")) {
			return "the private endpoint " + ep.Name()
		}
	}
	for _, c := range s.Connections {
		if strings.EqualFold(c.State, "Approved") {
			return "the private endpoint " + c.Endpoint.Name()
		}
	}
	for _, scope := range r.e.Services {
		if scope.Kind == model.MonitorScope && slices.ContainsFunc(scope.Scoped, func(id model.ID) bool { return id.Key() == s.ID.Key() }) {
			return "the private link scope " + scope.Name()
		}
	}
	return ""
}

// azureServicesAdmitted: 0.0.0.0 is every address inside Azure, other customers' machines too (AZ-SQL-03, AZ-COSMOS-01).
func azureServicesAdmitted(r *reader, found sink) {
	for _, s := range r.e.Services {
		if d := r.door(s); d == doorShut || d == doorPerimeter {
			continue
		}
		for _, u := range s.IPRules {
			if !u.AllAzure {
				continue
			}
			found(fact{
				subject: r.rule(s.Kind.RuleSet(), s.ID, u.Name), origin: u.Source,
				text:   fmt.Sprintf("The rule 0.0.0.0 of the %s %s admits every address inside Azure, machines of other customers included.", s.Kind, s.Name()),
				remedy: "Remove the rule; reach the service by private endpoint or name the addresses.",
			})
		}
	}
}

// serviceTLSFloor: a floor that is stated and below 1.2. One that is not stated has a default that depends on service and date.
func serviceTLSFloor(r *reader, found sink) {
	for _, s := range r.e.Services {
		version, ok := model.TLSVersion(s.MinTLS)
		switch {
		case ok && version < "1.2":
			version = "TLS " + version
		case strings.EqualFold(s.MinTLS, "None") || strings.EqualFold(s.MinTLS, "Tls"): // Cosmos DB writes Tls for 1.0
			version = "every version of TLS"
		default:
			continue
		}
		found(fact{
			subject: r.service(s), origin: s.Source,
			text:   fmt.Sprintf("The %s accepts %s (it states %s as the lowest version); versions below 1.2 are broken.", s.Kind, version, s.MinTLS),
			remedy: "Set the minimum TLS version to 1.2.",
		})
	}
}

// serviceClearText: a storage account that serves HTTP, a cache with its port without TLS (AZ-ST-05).
func serviceClearText(r *reader, found sink) {
	for _, s := range r.e.Services {
		if s.HTTPSOnly != model.Off {
			continue
		}
		text, remedy := "The storage account serves HTTP on port 80 beside HTTPS.", "Set supportsHttpsTrafficOnly to true."
		if s.Kind == model.Redis {
			text, remedy = "The cache serves its port 6379, which has no TLS.", "Set enableNonSslPort to false."
		}
		found(fact{subject: r.service(s), origin: s.Source, text: text, remedy: remedy})
	}
}

// vnetRuleVoid: a virtual network rule counts only if its subnet has the service endpoint (AZ-PAAS-04).
func vnetRuleVoid(r *reader, found sink) {
	for _, s := range r.e.Services {
		d := r.door(s)
		if d != doorRules && d != doorUnknown {
			continue
		}
		for _, u := range s.VNetRules {
			sub, ok := model.Get[*model.Subnet](r.e, u.Subnet)
			want := endpointOf(s.Kind)
			if !ok || want == "" || slices.ContainsFunc(sub.ServiceEndpoints, func(e model.ServiceEndpoint) bool {
				return strings.HasPrefix(strings.ToLower(e.Service), want)
			}) {
				continue
			}
			found(fact{
				subject: r.service(s), origin: u.Source,
				text:   fmt.Sprintf("A rule admits %s, which has no service endpoint for this type of service: the rule matches nothing.", r.subnet(sub)),
				remedy: "Remove the rule, or enable the service endpoint on the subnet; better, use a private endpoint.",
			})
		}
	}
}

// endpointOf is the service endpoint that a service's virtual network rules need, lower case.
func endpointOf(k model.ServiceKind) string {
	switch k {
	case model.KeyVault:
		return "microsoft.keyvault"
	case model.ContainerRegistry:
		return "microsoft.containerregistry"
	case model.SQLServer:
		return "microsoft.sql"
	case model.StorageAccount:
		return "microsoft.storage" // AZ-ST-03: Microsoft.Storage.Global too
	case model.CosmosDB:
		return "microsoft.azurecosmosdb"
	case model.ServiceBus:
		return "microsoft.servicebus"
	case model.EventHub:
		return "microsoft.eventhub"
	default:
		return ""
	}
}

// instanceRuleWide: a resource instance rule for every instance of a type (AZ-ST-04).
func instanceRuleWide(r *reader, found sink) {
	for _, s := range r.e.Services {
		if d := r.door(s); d == doorShut || d == doorPerimeter {
			continue
		}
		for _, pattern := range s.InstanceRules {
			if !strings.Contains(pattern, "*") {
				continue
			}
			found(fact{
				subject: r.service(s), origin: s.Source,
				text:   fmt.Sprintf("The resource instance rule %s admits every instance of the type, from any network.", pattern),
				remedy: "Name the instance that needs access.",
			})
		}
	}
}

// monitorScopeOpen: in mode Open, clients of the private endpoint reach resources outside the scope too, other customers' among them
// (AZ-AMPLS-02). Absent is Open.
func monitorScopeOpen(r *reader, found sink) {
	for _, s := range r.e.Services {
		if s.Kind != model.MonitorScope {
			continue
		}
		var open []string
		for _, m := range []struct{ name, mode string }{{"ingestion", s.IngestionMode}, {"query", s.QueryMode}} {
			if !strings.EqualFold(m.mode, "PrivateOnly") {
				open = append(open, m.name)
			}
		}
		if len(open) == 0 {
			continue
		}
		found(fact{
			subject: r.service(s), origin: s.Source,
			text:   fmt.Sprintf("The access mode for %s is Open: networks behind the scope also reach workspaces outside it, those of other customers too.", join(open)),
			remedy: "Set the access mode to PrivateOnly.",
		})
	}
}
