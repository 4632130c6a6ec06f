package azure

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
)

// roots are the types that readers decode.
func roots() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[roleAssignment](), reflect.TypeFor[roleDefinition](), reflect.TypeFor[diagnosticSetting](), reflect.TypeFor[flowLog](),
		reflect.TypeFor[logTable](), reflect.TypeFor[managementPolicy](),
		reflect.TypeFor[armnetwork.VirtualNetwork](), reflect.TypeFor[armnetwork.Subnet](), reflect.TypeFor[armnetwork.VirtualNetworkPeering](),
		reflect.TypeFor[armnetwork.SecurityGroup](), reflect.TypeFor[armnetwork.SecurityRule](), reflect.TypeFor[armnetwork.RouteTable](),
		reflect.TypeFor[armnetwork.Route](), reflect.TypeFor[armnetwork.ServiceEndpointPolicy](), reflect.TypeFor[armnetwork.ServiceEndpointPolicyDefinition](),
		reflect.TypeFor[armnetwork.NspProfile](), reflect.TypeFor[armnetwork.NspAccessRule](), reflect.TypeFor[armnetwork.NspAssociation](),
		reflect.TypeFor[armnetwork.Interface](), reflect.TypeFor[armnetwork.PublicIPAddress](),
		reflect.TypeFor[armnetwork.PublicIPPrefix](), reflect.TypeFor[armnetwork.NatGateway](), reflect.TypeFor[armnetwork.LoadBalancer](),
		reflect.TypeFor[armnetwork.BackendAddressPool](), reflect.TypeFor[armnetwork.InboundNatRule](), reflect.TypeFor[armnetwork.AzureFirewall](),
		reflect.TypeFor[armnetwork.FirewallPolicy](), reflect.TypeFor[armnetwork.FirewallPolicyRuleCollectionGroup](),
		reflect.TypeFor[armnetwork.FirewallPolicyRuleCollection](), reflect.TypeFor[armnetwork.FirewallPolicyFilterRuleCollection](),
		reflect.TypeFor[armnetwork.FirewallPolicyNatRuleCollection](), reflect.TypeFor[armnetwork.ApplicationRule](),
		reflect.TypeFor[armnetwork.NatRule](), reflect.TypeFor[armnetwork.Rule](), reflect.TypeFor[armnetwork.FirewallPolicyRule](),
		reflect.TypeFor[armnetwork.IPGroup](), reflect.TypeFor[armnetwork.ApplicationGateway](),
		reflect.TypeFor[armnetwork.WebApplicationFirewallPolicy](), reflect.TypeFor[armnetwork.BastionHost](),
		reflect.TypeFor[armnetwork.VirtualNetworkGateway](), reflect.TypeFor[armnetwork.VirtualNetworkGatewayNatRule](),
		reflect.TypeFor[armnetwork.LocalNetworkGateway](), reflect.TypeFor[armnetwork.VirtualNetworkGatewayConnection](),
		reflect.TypeFor[armnetwork.VirtualWAN](), reflect.TypeFor[armnetwork.VirtualHub](), reflect.TypeFor[armnetwork.HubIPConfiguration](),
		reflect.TypeFor[armnetwork.BgpConnection](), reflect.TypeFor[armnetwork.HubVirtualNetworkConnection](), reflect.TypeFor[armnetwork.HubRouteTable](),
		reflect.TypeFor[armnetwork.RoutingIntent](), reflect.TypeFor[armnetwork.VPNGateway](), reflect.TypeFor[armnetwork.VPNConnection](),
		reflect.TypeFor[armnetwork.VPNGatewayNatRule](), reflect.TypeFor[armnetwork.VPNSite](), reflect.TypeFor[armnetwork.P2SVPNGateway](),
		reflect.TypeFor[armnetwork.ExpressRouteGateway](), reflect.TypeFor[armnetwork.ExpressRouteConnection](),
		reflect.TypeFor[armnetwork.PrivateEndpoint](), reflect.TypeFor[armnetwork.PrivateDNSZoneGroup](),
		reflect.TypeFor[machine](), reflect.TypeFor[scaleSet](), reflect.TypeFor[dnsRecordSet](), reflect.TypeFor[zoneLink](),
		reflect.TypeFor[cluster](), reflect.TypeFor[agentPool](), reflect.TypeFor[jitPolicy](),
		reflect.TypeFor[service[vaultProperties]](), reflect.TypeFor[service[registryProperties]](), reflect.TypeFor[service[sqlProperties]](),
		reflect.TypeFor[firewallRule](), reflect.TypeFor[sqlVNetRule](), reflect.TypeFor[encryptionProtector](),
		reflect.TypeFor[service[storageProperties]](), reflect.TypeFor[service[cosmosProperties]](), reflect.TypeFor[service[flexibleProperties]](),
		reflect.TypeFor[service[redisProperties]](), reflect.TypeFor[redisRule](), reflect.TypeFor[service[namespaceProperties]](),
		reflect.TypeFor[networkRuleSet](), reflect.TypeFor[service[workspaceProperties]](), reflect.TypeFor[service[scopeProperties]](),
		reflect.TypeFor[scopedResource](),
		reflect.TypeFor[armnetwork.Manager](), reflect.TypeFor[armnetwork.Group](), reflect.TypeFor[armnetwork.StaticMember](),
		reflect.TypeFor[armnetwork.SecurityAdminConfiguration](), reflect.TypeFor[armnetwork.AdminRuleCollection](),
		reflect.TypeFor[armnetwork.AdminRule](), reflect.TypeFor[armnetwork.DefaultAdminRule](),
		reflect.TypeFor[armnetwork.ActiveSecurityAdminRule](), reflect.TypeFor[armnetwork.ActiveDefaultSecurityAdminRule](),
		reflect.TypeFor[armnetwork.ConnectivityConfiguration](), reflect.TypeFor[armnetwork.ActiveConnectivityConfiguration](),
		reflect.TypeFor[armnetwork.ManagerDeploymentStatus](), reflect.TypeFor[commit](), reflect.TypeFor[membership](), reflect.TypeFor[effectiveSnapshot](),
		reflect.TypeFor[frontProfile](), reflect.TypeFor[frontEndpoint](), reflect.TypeFor[frontRoute](), reflect.TypeFor[frontGroup](), reflect.TypeFor[frontOrigin](),
		reflect.TypeFor[frontDomain](), reflect.TypeFor[frontRuleSet](), reflect.TypeFor[frontRule](), reflect.TypeFor[frontSecurity](), reflect.TypeFor[frontWAF](), reflect.TypeFor[apimService](),
	}
}

// Every member of every type that a reader decodes is read, a reference, harmless, or known to matter. A new version of the SDK with
// a new field fails here, and not in somebody's proof.
func TestEveryFieldIsListed(t *testing.T) {
	im := newImporter()
	seen := map[reflect.Type]bool{}
	used := map[string]bool{}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() || seen[typ] {
			return
		}
		seen[typ] = true
		row, ok := im.fields[typ.Name()]
		if !ok {
			t.Errorf("type %s has no row in the table of fields", typ)
			return
		}
		used[typ.Name()] = true
		names := jsonNames(typ)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			m := im.schemaOf(typ).members[strings.ToLower(name)]
			if m.use == alien {
				t.Errorf("%s.%s is not listed: say whether it is read, a reference, harmless, or matters", typ, name)
			}
			if m.use == read {
				visit(typ.Field(names[name]).Type)
			}
		}
		for _, name := range append(strings.Fields(row.read), strings.Fields(row.refs)...) {
			if _, ok := names[name]; !ok {
				t.Errorf("%s has no member %s, which its row reads", typ, name)
			}
		}
		for name, as := range row.alias {
			if _, ok := names[as]; !ok {
				t.Errorf("%s has no member %s, which %s is another name of", typ, as, name)
			}
		}
	}
	for _, r := range roots() {
		visit(r)
	}
	for _, name := range slices.Sorted(maps.Keys(im.fields)) {
		if !used[name] && name != "ref" {
			t.Errorf("the row of %s belongs to no type that is decoded", name)
		}
	}
}

// A name stands in one list of its row: otherwise the order of the code would decide what it means.
func TestFieldRowsDoNotContradict(t *testing.T) {
	im := newImporter()
	for name, row := range im.fields {
		seen := map[string]string{}
		for list, names := range map[string]string{"read": row.read, "refs": row.refs, "harmless": row.harmless} {
			for _, n := range strings.Fields(names) {
				if other, ok := seen[n]; ok && other != list {
					t.Errorf("%s.%s is both %s and %s", name, n, other, list)
				}
				seen[n] = list
			}
		}
		for n := range row.matters {
			if other, ok := seen[n]; ok {
				t.Errorf("%s.%s both matters and is %s", name, n, other)
			}
		}
	}
}

// Every member that is read has a kind that convert checks; another kind would be passed to the SDK unchecked.
func TestFieldKinds(t *testing.T) {
	im := newImporter()
	seen := map[reflect.Type]bool{}
	var visit func(path string, typ reflect.Type)
	visit = func(path string, typ reflect.Type) {
		typ = pointee(typ)
		switch {
		case typ == reflect.TypeFor[time.Time](), seen[typ]:
		case typ.Kind() == reflect.Struct:
			seen[typ] = true
			for _, m := range im.schemaOf(typ).members {
				if m.use == read {
					visit(path+"."+m.name, m.typ)
				}
			}
		case typ.Kind() == reflect.Slice, typ.Kind() == reflect.Map:
			visit(path+"[]", typ.Elem())
		case typ.Kind() == reflect.String, typ.Kind() == reflect.Bool, typ.Kind() == reflect.Int32, typ.Kind() == reflect.Interface:
		default:
			t.Errorf("%s is a %s, which convert does not check", path, typ)
		}
	}
	for _, r := range roots() {
		visit(r.Name(), r)
	}
}

// Names of the SDK are found by marshalling; some that once went wrong.
func TestNamesOfTheSDK(t *testing.T) {
	for _, test := range []struct {
		typ  reflect.Type
		name string
	}{
		{reflect.TypeFor[armnetwork.InterfacePropertiesFormat](), "enableIPForwarding"},
		{reflect.TypeFor[armnetwork.RoutePropertiesFormat](), "nextHopIpAddress"},
		{reflect.TypeFor[armnetwork.ApplicationRule](), "ruleType"}, // a discriminator, which is marshalled even when empty
		{reflect.TypeFor[armnetwork.FirewallPolicyNatRuleCollection](), "ruleCollectionType"},
		{reflect.TypeFor[armnetwork.FirewallPolicyNatRuleCollection](), "rules"},
		{reflect.TypeFor[armnetwork.AzureFirewallPropertiesFormat](), "hubIPAddresses"},
	} {
		if _, ok := jsonNames(test.typ)[test.name]; !ok {
			t.Errorf("%s: no name %s", test.typ, test.name)
		}
	}
}
