package azure

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/importers/importertest"
	"github.com/ringfence/ringfence/model"
)

// decodedAs maps each modelled type to the Go type that its reader decodes; nil where nothing but the outside is read.
func decodedAs() map[string]reflect.Type {
	return map[string]reflect.Type{
		"Microsoft.Network/virtualNetworks":                                                                              reflect.TypeFor[armnetwork.VirtualNetwork](),
		"Microsoft.Network/virtualNetworks/subnets":                                                                      reflect.TypeFor[armnetwork.Subnet](),
		"Microsoft.Network/virtualNetworks/virtualNetworkPeerings":                                                       reflect.TypeFor[armnetwork.VirtualNetworkPeering](),
		"Microsoft.Network/networkSecurityGroups":                                                                        reflect.TypeFor[armnetwork.SecurityGroup](),
		"Microsoft.Network/networkSecurityGroups/securityRules":                                                          reflect.TypeFor[armnetwork.SecurityRule](),
		"Microsoft.Network/networkSecurityGroups/defaultSecurityRules":                                                   reflect.TypeFor[armnetwork.SecurityRule](),
		"Microsoft.Network/applicationSecurityGroups":                                                                    nil,
		"Microsoft.Network/routeTables":                                                                                  reflect.TypeFor[armnetwork.RouteTable](),
		"Microsoft.Network/routeTables/routes":                                                                           reflect.TypeFor[armnetwork.Route](),
		"Microsoft.Network/networkInterfaces":                                                                            reflect.TypeFor[armnetwork.Interface](),
		"Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces":                                    reflect.TypeFor[armnetwork.Interface](),
		"Microsoft.Network/publicIPAddresses":                                                                            reflect.TypeFor[armnetwork.PublicIPAddress](),
		"Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces/ipConfigurations/publicIPAddresses": reflect.TypeFor[armnetwork.PublicIPAddress](),
		"Microsoft.Network/publicIPPrefixes":                                                                             reflect.TypeFor[armnetwork.PublicIPPrefix](),
		"Microsoft.Network/natGateways":                                                                                  reflect.TypeFor[armnetwork.NatGateway](),
		"Microsoft.Network/loadBalancers":                                                                                reflect.TypeFor[armnetwork.LoadBalancer](),
		"Microsoft.Network/loadBalancers/backendAddressPools":                                                            reflect.TypeFor[armnetwork.BackendAddressPool](),
		"Microsoft.Network/loadBalancers/inboundNatRules":                                                                reflect.TypeFor[armnetwork.InboundNatRule](),
		"Microsoft.Network/azureFirewalls":                                                                               reflect.TypeFor[armnetwork.AzureFirewall](),
		"Microsoft.Network/firewallPolicies":                                                                             reflect.TypeFor[armnetwork.FirewallPolicy](),
		"Microsoft.Network/firewallPolicies/ruleCollectionGroups":                                                        reflect.TypeFor[armnetwork.FirewallPolicyRuleCollectionGroup](),
		"Microsoft.Network/ipGroups":                                                                                     reflect.TypeFor[armnetwork.IPGroup](),
		"Microsoft.Network/applicationGateways":                                                                          reflect.TypeFor[armnetwork.ApplicationGateway](),
		"Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies":                                             reflect.TypeFor[armnetwork.WebApplicationFirewallPolicy](),
		"Microsoft.Network/bastionHosts":                                                                                 reflect.TypeFor[armnetwork.BastionHost](),
		"Microsoft.Network/virtualNetworkGateways":                                                                       reflect.TypeFor[armnetwork.VirtualNetworkGateway](),
		"Microsoft.Network/virtualNetworkGateways/natRules":                                                              reflect.TypeFor[armnetwork.VirtualNetworkGatewayNatRule](),
		"Microsoft.Network/localNetworkGateways":                                                                         reflect.TypeFor[armnetwork.LocalNetworkGateway](),
		"Microsoft.Network/connections":                                                                                  reflect.TypeFor[armnetwork.VirtualNetworkGatewayConnection](),
		"Microsoft.Network/privateEndpoints":                                                                             reflect.TypeFor[armnetwork.PrivateEndpoint](),
		"Microsoft.Network/privateEndpoints/privateDnsZoneGroups":                                                        reflect.TypeFor[armnetwork.PrivateDNSZoneGroup](),
		"Microsoft.Network/privateDnsZones":                                                                              nil,
		"Microsoft.Network/privateDnsZones/A":                                                                            reflect.TypeFor[dnsRecordSet](),
		"Microsoft.Network/privateDnsZones/AAAA":                                                                         reflect.TypeFor[dnsRecordSet](),
		"Microsoft.Network/privateDnsZones/virtualNetworkLinks":                                                          reflect.TypeFor[zoneLink](),
		"Microsoft.Network/dnszones":                                                                                     nil,
		"Microsoft.Network/dnszones/A":                                                                                   reflect.TypeFor[dnsRecordSet](),
		"Microsoft.Network/dnszones/AAAA":                                                                                reflect.TypeFor[dnsRecordSet](),
		"Microsoft.Compute/virtualMachines":                                                                              reflect.TypeFor[machine](),
		"Microsoft.Compute/virtualMachineScaleSets/virtualMachines":                                                      reflect.TypeFor[machine](),
		"Microsoft.Compute/virtualMachineScaleSets":                                                                      reflect.TypeFor[scaleSet](),
		"Microsoft.ContainerService/managedClusters":                                                                     reflect.TypeFor[cluster](),
		"Microsoft.ContainerService/managedClusters/agentPools":                                                          reflect.TypeFor[agentPool](),
		"Microsoft.KeyVault/vaults":                                                                                      reflect.TypeFor[service[vaultProperties]](),
		"Microsoft.ContainerRegistry/registries":                                                                         reflect.TypeFor[service[registryProperties]](),
		"Microsoft.Sql/servers":                                                                                          reflect.TypeFor[service[sqlProperties]](),
		"Microsoft.Sql/servers/firewallRules":                                                                            reflect.TypeFor[firewallRule](),
		"Microsoft.Sql/servers/ipv6FirewallRules":                                                                        reflect.TypeFor[firewallRule](),
		"Microsoft.Sql/servers/virtualNetworkRules":                                                                      reflect.TypeFor[sqlVNetRule](),
		"Microsoft.Sql/servers/encryptionProtector":                                                                      reflect.TypeFor[encryptionProtector](),
		"Microsoft.Storage/storageAccounts":                                                                              reflect.TypeFor[service[storageProperties]](),
		"Microsoft.DocumentDB/databaseAccounts":                                                                          reflect.TypeFor[service[cosmosProperties]](),
		"Microsoft.DBforPostgreSQL/flexibleServers":                                                                      reflect.TypeFor[service[flexibleProperties]](),
		"Microsoft.DBforPostgreSQL/flexibleServers/firewallRules":                                                        reflect.TypeFor[firewallRule](),
		"Microsoft.DBforMySQL/flexibleServers":                                                                           reflect.TypeFor[service[flexibleProperties]](),
		"Microsoft.DBforMySQL/flexibleServers/firewallRules":                                                             reflect.TypeFor[firewallRule](),
		"Microsoft.Cache/redis":                                                                                          reflect.TypeFor[service[redisProperties]](),
		"Microsoft.Cache/redis/firewallRules":                                                                            reflect.TypeFor[redisRule](),
		"Microsoft.ServiceBus/namespaces":                                                                                reflect.TypeFor[service[namespaceProperties]](),
		"Microsoft.ServiceBus/namespaces/networkRuleSets":                                                                reflect.TypeFor[networkRuleSet](),
		"Microsoft.EventHub/namespaces":                                                                                  reflect.TypeFor[service[namespaceProperties]](),
		"Microsoft.EventHub/namespaces/networkRuleSets":                                                                  reflect.TypeFor[networkRuleSet](),
		"Microsoft.OperationalInsights/workspaces":                                                                       reflect.TypeFor[service[workspaceProperties]](),
		"Microsoft.Insights/privateLinkScopes":                                                                           reflect.TypeFor[service[scopeProperties]](),
		"Microsoft.Insights/privateLinkScopes/scopedResources":                                                           reflect.TypeFor[scopedResource](),
		"Microsoft.Security/locations/jitNetworkAccessPolicies":                                                          reflect.TypeFor[jitPolicy](),
		"Microsoft.Authorization/policyAssignments":                                                                      nil,
		"Microsoft.Authorization/policyExemptions":                                                                       nil,
		"Microsoft.Authorization/policyDefinitions":                                                                      nil,
		"Microsoft.Authorization/policySetDefinitions":                                                                   nil,
		"Microsoft.Authorization/roleAssignments":                                                                        reflect.TypeFor[roleAssignment](),
		"Microsoft.Authorization/roleDefinitions":                                                                        reflect.TypeFor[roleDefinition](),
		"Microsoft.Insights/diagnosticSettings":                                                                          reflect.TypeFor[diagnosticSetting](),
		"Microsoft.Network/networkWatchers/flowLogs":                                                                     reflect.TypeFor[flowLog](),
		"Microsoft.OperationalInsights/workspaces/tables":                                                                reflect.TypeFor[logTable](),
		"Microsoft.Storage/storageAccounts/managementPolicies":                                                           reflect.TypeFor[managementPolicy](),
		typeManager:              reflect.TypeFor[armnetwork.Manager](),
		typeNetworkGroup:         reflect.TypeFor[armnetwork.Group](),
		typeStaticMember:         reflect.TypeFor[armnetwork.StaticMember](),
		typeConnectivity:         reflect.TypeFor[armnetwork.ConnectivityConfiguration](),
		typeAdminConfig:          reflect.TypeFor[armnetwork.SecurityAdminConfiguration](),
		typeAdminCollection:      reflect.TypeFor[armnetwork.AdminRuleCollection](),
		typeAdminRule:            reflect.TypeFor[armnetwork.AdminRule](),
		typeManager + "/commits": reflect.TypeFor[commit](),
		"Microsoft.Network/networkGroupMemberships":                                  reflect.TypeFor[membership](),
		"Microsoft.Network/effectiveSecurityAdminRules":                              reflect.TypeFor[effectiveSnapshot](),
		"Microsoft.Network/effectiveConnectivityConfigurations":                      reflect.TypeFor[effectiveSnapshot](),
		"Microsoft.Network/serviceEndpointPolicies":                                  reflect.TypeFor[armnetwork.ServiceEndpointPolicy](),
		"Microsoft.Network/serviceEndpointPolicies/serviceEndpointPolicyDefinitions": reflect.TypeFor[armnetwork.ServiceEndpointPolicyDefinition](),
		"Microsoft.Network/networkSecurityPerimeters/profiles":                       reflect.TypeFor[armnetwork.NspProfile](),
		"Microsoft.Network/networkSecurityPerimeters/profiles/accessRules":           reflect.TypeFor[armnetwork.NspAccessRule](),
		"Microsoft.Network/networkSecurityPerimeters/resourceAssociations":           reflect.TypeFor[armnetwork.NspAssociation](),
		"Microsoft.Network/virtualWans":                                              reflect.TypeFor[armnetwork.VirtualWAN](),
		"Microsoft.Network/virtualHubs":                                              reflect.TypeFor[armnetwork.VirtualHub](),
		"Microsoft.Network/virtualHubs/hubVirtualNetworkConnections":                 reflect.TypeFor[armnetwork.HubVirtualNetworkConnection](),
		"Microsoft.Network/virtualHubs/hubRouteTables":                               reflect.TypeFor[armnetwork.HubRouteTable](),
		"Microsoft.Network/virtualHubs/routingIntent":                                reflect.TypeFor[armnetwork.RoutingIntent](),
		"Microsoft.Network/virtualHubs/ipConfigurations":                             reflect.TypeFor[armnetwork.HubIPConfiguration](),
		"Microsoft.Network/virtualHubs/bgpConnections":                               reflect.TypeFor[armnetwork.BgpConnection](),
		"Microsoft.Network/vpnGateways":                                              reflect.TypeFor[armnetwork.VPNGateway](),
		"Microsoft.Network/vpnGateways/vpnConnections":                               reflect.TypeFor[armnetwork.VPNConnection](),
		"Microsoft.Network/vpnGateways/natRules":                                     reflect.TypeFor[armnetwork.VPNGatewayNatRule](),
		"Microsoft.Network/vpnSites":                                                 reflect.TypeFor[armnetwork.VPNSite](),
		"Microsoft.Network/p2sVpnGateways":                                           reflect.TypeFor[armnetwork.P2SVPNGateway](),
		"Microsoft.Network/expressRouteGateways":                                     reflect.TypeFor[armnetwork.ExpressRouteGateway](),
		"Microsoft.Network/expressRouteGateways/expressRouteConnections":             reflect.TypeFor[armnetwork.ExpressRouteConnection](),
		"Microsoft.Security/jitNetworkAccessPolicies":                                reflect.TypeFor[jitPolicy](),
		"Microsoft.Network/frontDoorWebApplicationFirewallPolicies":                  reflect.TypeFor[frontWAF](),
		"Microsoft.ApiManagement/service":                                            reflect.TypeFor[apimService](),
		"Microsoft.Cdn/profiles":                                                     reflect.TypeFor[frontProfile](),
		"Microsoft.Cdn/profiles/afdEndpoints":                                        reflect.TypeFor[frontEndpoint](),
		"Microsoft.Cdn/profiles/afdEndpoints/routes":                                 reflect.TypeFor[frontRoute](),
		"Microsoft.Cdn/profiles/originGroups":                                        reflect.TypeFor[frontGroup](),
		"Microsoft.Cdn/profiles/originGroups/origins":                                reflect.TypeFor[frontOrigin](),
		"Microsoft.Cdn/profiles/customDomains":                                       reflect.TypeFor[frontDomain](),
		"Microsoft.Cdn/profiles/ruleSets":                                            reflect.TypeFor[frontRuleSet](),
		"Microsoft.Cdn/profiles/ruleSets/rules":                                      reflect.TypeFor[frontRule](),
		"Microsoft.Cdn/profiles/securityPolicies":                                    reflect.TypeFor[frontSecurity](),
	}
}

func TestDecodedAs(t *testing.T) {
	table := decodedAs()
	for _, m := range modelledTypes() {
		if typ, ok := table[m.name]; !ok || typ != nil && !slices.Contains(roots(), typ) {
			t.Errorf("%s is missing from decodedAs, or its type from roots", m.name)
		}
	}
	if len(table) != len(modelledTypes()) {
		t.Errorf("%d rows for %d types", len(table), len(modelledTypes()))
	}
}

// laboratory imports many small changes of one text; what does not change from one to the next is made once.
type laboratory struct {
	t    *testing.T
	base *importer
}

func newLaboratory(t *testing.T) *laboratory {
	t.Helper()
	return &laboratory{t, newImporter()}
}

// outcome is what came of one import, places left out.
type outcome struct {
	err       string
	resources []model.Resource
	ledger    []string // of fields, and of resources that are not modelled
}

func (o outcome) same(p outcome) bool {
	return o.err == p.err && slices.Equal(o.ledger, p.ledger) && slices.EqualFunc(o.resources, p.resources, model.Alike)
}

func (l *laboratory) run(resources []any) (out outcome) {
	l.t.Helper()
	res, err := l.importer().run(fstest.MapFS{"a.json": {Data: azuretest.Lines(resources)}}, []string{"a.json"})
	var e *model.Estate
	if err == nil {
		e, err = model.NewEstate(res.Resources, res.Ledger)
	}
	if err != nil {
		importertest.Errors(l.t, err)
		out.err = err.Error()
		return out
	}
	out.resources = e.Resources()
	for _, entry := range res.Ledger {
		if entry.Field != "" || entry.Disposition != model.Modelled {
			out.ledger = append(out.ledger, fmt.Sprint(entry.Resource.Key(), " ", entry.Field, " ", entry.Disposition, " ", entry.Effect))
		}
	}
	slices.Sort(out.ledger)
	return out
}

// importer makes a new one that shares the tables of the first.
func (l *laboratory) importer() *importer {
	return &importer{types: l.base.types, fields: l.base.fields, schemas: l.base.schemas, bad: map[string]bool{}, known: map[string]bool{}}
}

// reads finds which values of a resource its reader takes: the path of each, with the Go type that holds it.
func (l *laboratory) reads(description any) map[string]reflect.Type {
	docs, _ := parse("a.json", azuretest.Lines([]any{description}))
	r := &resource{importer: l.importer(), file: "a.json", node: docs[0]}
	name := r.node.str("type")
	if i := slices.IndexFunc(modelledTypes(), func(m resourceType) bool { return strings.EqualFold(m.name, model.ID(r.node.str("id")).Type()) }); i >= 0 {
		name = modelledTypes()[i].name
	}
	out := map[string]reflect.Type{}
	typ := decodedAs()[name]
	if typ == nil {
		return out
	}
	var visit func(v *value, typ reflect.Type)
	visit = func(v *value, typ reflect.Type) {
		out[v.raw.pointer()] = typ
		for _, item := range v.items {
			switch {
			case v.typ != nil && item.field >= 0:
				visit(item, v.typ.Field(item.field).Type)
			case typ != nil && (pointee(typ).Kind() == reflect.Slice || pointee(typ).Kind() == reflect.Map):
				visit(item, pointee(typ).Elem())
			default:
				visit(item, nil)
			}
		}
	}
	if v := r.object2value(r.node, typ); v != nil {
		visit(v, typ)
	}
	return out
}

// spot is one value of a resource.
type spot struct {
	path  []any // names and numbers
	value any
}

func (s spot) pointer() string {
	var b strings.Builder
	for _, p := range s.path {
		fmt.Fprint(&b, "/", strings.ReplaceAll(strings.ReplaceAll(fmt.Sprint(p), "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// spots lists every value below v.
func spots(v any, path []any) (out []spot) {
	switch v := v.(type) {
	case []any:
		for i, m := range v {
			at := append(slices.Clone(path), i)
			out = append(append(out, spot{at, m}), spots(m, at)...)
		}
	case azuretest.Object:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := append(slices.Clone(path), name)
			out = append(append(out, spot{at, v[name]}), spots(v[name], at)...)
		}
	}
	return out
}

// gone stands for a member that is left out.
type gone struct{}

// put returns v with the value at a path replaced.
func put(v any, path []any, by any) any {
	if len(path) == 0 {
		return by
	}
	switch v := v.(type) {
	case []any:
		out := slices.Clone(v)
		i := path[0].(int)
		out[i] = put(v[i], path[1:], by)
		return out
	case azuretest.Object:
		out := maps.Clone(v)
		name := path[0].(string)
		if _, drop := by.(gone); drop && len(path) == 1 {
			delete(out, name)
		} else {
			out[name] = put(v[name], path[1:], by)
		}
		return out
	default:
		return v
	}
}

// wrongs are values of another type, and values of the right type that nobody can mean.
func wrongs(v any) (out []any) {
	long := strings.Repeat("x", 10_000)
	switch v := v.(type) {
	case string:
		return []any{7, true, []any{}, []any{v}, azuretest.Object{}, azuretest.Object{"x": v}, "zzz", long, "<b onmouseover=alert(1)>&\"'", "\u0007\u202e"}
	case json.Number:
		return []any{"x", true, []any{v}, azuretest.Object{"x": v}, json.Number("-1"), json.Number("65536"), json.Number("99999999999"), json.Number("1.5"), json.Number("1e3")}
	case bool:
		return []any{"maybe", 7, []any{v}, azuretest.Object{"x": v}}
	case []any:
		return []any{"x", 7, azuretest.Object{}, azuretest.Object{"x": v}, []any{nil}, []any{[]any{}}}
	case azuretest.Object:
		return []any{"x", 7, []any{}, []any{v}, true}
	default:
		return nil
	}
}

func isEnum(t reflect.Type) bool {
	return t != nil && pointee(t).Kind() == reflect.String && pointee(t) != reflect.TypeFor[string]()
}

// Every value of every resource of the corpus is changed, one at a time, to what cannot be right. Nothing panics, every error has a
// place, and a value that a reader takes is never passed over in silence: an error, the ledger, or the model says that it changed. Null
// is the same as absence.
func TestEveryFieldWrong(t *testing.T) {
	l := newLaboratory(t)
	silent, done := map[string]string{}, map[string]bool{}
	for _, text := range corpusTexts() {
		rest, err := azuretest.Resources([]byte(fill(text)))
		if err != nil {
			t.Fatal(err)
		}
		want := l.run(rest)
		if want.err != "" {
			t.Fatal(want.err)
		}
		for i, r := range rest {
			read := l.reads(r)
			id, _ := r.(azuretest.Object)["id"].(string)
			for _, s := range spots(r, nil) {
				if kind := fmt.Sprintf("%s%s %T", model.ID(id).Type(), generic(s), s.value); done[kind] {
					continue
				} else {
					done[kind] = true
				}
				try := func(by any) outcome {
					defer func() {
						if p := recover(); p != nil {
							t.Fatalf("%s: %s = %.80v: panic: %v", id, s.pointer(), by, p)
						}
					}()
					list := slices.Clone(rest)
					list[i] = put(r, s.path, by)
					return l.run(list)
				}
				if _, member := s.path[len(s.path)-1].(string); member {
					null, none := try(nil), try(gone{})
					if !null.same(none) {
						t.Errorf("%s: %s: null is not the same as nothing: %q, %q", id, s.pointer(), null.err, none.err)
					}
				}
				typ, taken := read[s.pointer()]
				for _, by := range wrongs(s.value) {
					got := try(by)
					switch {
					case taken && got.same(want) && fmt.Sprint(by) != fmt.Sprint(s.value):
						silent[fmt.Sprintf("%s%s = %.40q", model.ID(id).Type(), generic(s), fmt.Sprint(by))] = id
					case taken && by == "zzz" && isEnum(typ) && got.err == "" && slices.Equal(got.ledger, want.ledger):
						silent[fmt.Sprintf("%s%s: enum %s", model.ID(id).Type(), generic(s), typ)] = id
					}
				}
			}
		}
	}
	met := map[string]bool{}
	listed := strings.Fields(mayBeSilent)
	for _, k := range slices.Sorted(maps.Keys(silent)) {
		field, _, _ := strings.Cut(k, " ")
		met[field] = true
		if !slices.Contains(listed, field) {
			t.Errorf("silence: %s", k)
		}
	}
	for _, field := range listed {
		if !met[field] {
			t.Errorf("%s never is silent: take it off the list", field)
		}
	}
}

// mayBeSilent are values that are read and of which some changes change nothing.
const mayBeSilent = `
	` + nameless + idless + shownOnly + oneMeaning

const (
	// The name of a thing that is known by its ID, or that nothing else names.
	nameless = `
	Microsoft.Compute/virtualMachineScaleSets/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/*/properties/ipConfigurations/*/properties/publicIPAddressConfiguration/name
	Microsoft.Network/applicationGateways/properties/frontendPorts/*/name
	Microsoft.Network/applicationGateways/properties/gatewayIPConfigurations/*/name
	Microsoft.Network/azureFirewalls/properties/ipConfigurations/*/name
	Microsoft.Network/azureFirewalls/properties/managementIpConfiguration/name
	Microsoft.Network/bastionHosts/properties/ipConfigurations/*/name
	Microsoft.Network/dnszones/A/name
	Microsoft.Network/dnszones/AAAA/name
	Microsoft.Network/privateDnsZones/A/name
	Microsoft.Network/privateDnsZones/AAAA/name
	Microsoft.Network/privateEndpoints/properties/privateLinkServiceConnections/*/name
	Microsoft.Network/virtualNetworkGateways/properties/ipConfigurations/*/name
	Microsoft.Network/virtualNetworks/properties/subnets/*/name
	Microsoft.Network/virtualNetworks/properties/subnets/*/properties/delegations/*/name`

	// The ID of a thing that nothing refers to.
	idless = `
	Microsoft.Network/applicationGateways/properties/gatewayIPConfigurations/*/id
	Microsoft.Network/applicationGateways/properties/rewriteRuleSets/*/id
	Microsoft.Network/applicationGateways/properties/sslProfiles/*/properties/trustedClientCertificates/*/id
	Microsoft.Network/applicationGateways/properties/urlPathMaps/*/properties/pathRules/*/id
	Microsoft.Network/azureFirewalls/properties/ipConfigurations/*/id
	Microsoft.Network/azureFirewalls/properties/managementIpConfiguration/properties/publicIPAddress/id
	Microsoft.Network/azureFirewalls/properties/managementIpConfiguration/properties/subnet/id
	Microsoft.Network/azureFirewalls/properties/networkRuleCollections/*/id
	Microsoft.Network/bastionHosts/properties/ipConfigurations/*/id
	Microsoft.Network/privateEndpoints/properties/privateLinkServiceConnections/*/id
	Microsoft.Network/virtualNetworkGateways/properties/ipConfigurations/*/id`

	// A word that the model holds as read: lists of them grow, and no verdict depends on it.
	shownOnly = `
	Microsoft.Network/applicationGateways/properties/sslProfiles/*/properties/sslPolicy/policyName:
	Microsoft.Network/azureFirewalls/properties/provisioningState:
	Microsoft.Network/networkSecurityGroups/properties/defaultSecurityRules/*/properties/provisioningState:
	Microsoft.Network/networkSecurityGroups/properties/securityRules/*/properties/provisioningState:
	Microsoft.Network/networkManagers/connectivityConfigurations/properties/connectivityTopology:
	Microsoft.Network/networkManagers/networkGroups/properties/memberType:
	Microsoft.Network/networkManagers/properties/networkManagerScopeAccesses/*:
	Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules/properties/provisioningState:
	Microsoft.Network/virtualNetworkGateways/properties/vpnClientConfiguration/vpnAuthenticationTypes/*:
	Microsoft.Network/virtualNetworkGateways/properties/vpnClientConfiguration/vpnClientProtocols/*:
	Microsoft.Network/virtualNetworks/properties/subnets/*/properties/serviceEndpoints/*/provisioningState:`

	// Only one word, or its presence, means something: a machine is deallocated or not, a key is set or not, a URL is there or not.
	oneMeaning = `
	Microsoft.Network/virtualHubs/kind
	Microsoft.Network/virtualHubs/properties/ipConfigurations/*/id
	Microsoft.Network/virtualHubs/properties/sku
	Microsoft.Compute/virtualMachineScaleSets/virtualMachines/properties/instanceView/statuses/*/code
	Microsoft.Compute/virtualMachines/properties/instanceView/statuses/*/code
	Microsoft.DocumentDB/databaseAccounts/properties/keyVaultKeyUri
	Microsoft.Network/applicationGateways/properties/sku/name
	Microsoft.Network/azureFirewalls/properties/additionalProperties/ThreatIntel.Whitelist.FQDNs
	Microsoft.Storage/storageAccounts/properties/primaryEndpoints/blob
	Microsoft.Storage/storageAccounts/properties/primaryEndpoints/dfs
	Microsoft.Storage/storageAccounts/properties/secondaryEndpoints/blob`
)

// generic is a pointer without the places in lists.
func generic(s spot) string {
	var b strings.Builder
	for _, p := range s.path {
		if _, number := p.(int); number {
			p = "*"
		}
		fmt.Fprint(&b, "/", p)
	}
	return b.String()
}
