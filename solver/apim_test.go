package solver

import (
	"net/netip"
	"slices"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// apim is an API Management service in net/apim, with the machine 10.0.2.4 beside it in net/s.
func apim(tier, network string, nsg []string, more ...az.Resource) []az.Resource {
	service := az.New("Microsoft.ApiManagement/service", "api", az.Object{"virtualNetworkType": network, "provisioningState": "Succeeded"})
	service["sku"] = az.Object{"name": tier, "capacity": 1}
	if network != "None" {
		service.Set("virtualNetworkConfiguration.subnetResourceId", az.SubnetID("net/apim")).Set("publicIpAddressId", az.ID("publicIPAddresses", "api"))
	}
	if network == "Internal" {
		service.Set("privateIPAddresses", []any{"10.0.1.5"})
	}
	return append(more, service, az.PublicIP("api", "20.0.0.7"), az.VNet("net", "10.0.0.0/16", az.Subnet("apim", "10.0.1.0/24", "nsg=api"), az.Subnet("s", "10.0.2.0/24")),
		az.NSG("api", nsg...), az.NIC("vm", "net/s", "10.0.2.4"))
}

// AZ-APIM-01 to AZ-APIM-04: who reaches a service in each mode, and what may be reached through it. What it forwards is not followed, so nothing
// behind it is certain, and nothing that its network reaches is denied.
func TestAPIM(t *testing.T) {
	const yes, no, open = "reachable", "unreachable", "unknown"
	required := []string{"300 Allow In tcp ApiManagement -> VirtualNetwork 3443", "310 Allow In tcp AzureLoadBalancer -> VirtualNetwork 6390", "4096 Deny In * * -> * *"}
	web := append([]string{"200 Allow In tcp Internet -> VirtualNetwork 443,80"}, required...)
	inside := append([]string{"200 Allow In tcp VirtualNetwork -> VirtualNetwork 443"}, required...)
	for _, test := range []struct {
		name, tier, network                 string
		nsg                                 []string
		outside443, outside80, near, manage string
		behind                              Outcome // deny internet -> vm
	}{
		{"External", "Premium", "External", web, yes, open, "", no, Undecided},
		{"External, the NSG denies", "Premium", "External", required, no, no, "", no, Pass},
		{"External, not managed", "Premium", "External", []string{web[0], web[3]}, open, open, "", no, Undecided},
		{"External, the management port open to all", "Premium", "External", append([]string{"100 Allow In tcp * -> * 3443"}, web...), yes, open, "", yes, Undecided},
		{"Internal", "Premium", "Internal", inside, no, no, yes, no, Pass},
		{"Internal, open to the internet in its NSG", "Premium", "Internal", append([]string{"100 Allow In tcp Internet -> * 443,3443"}, inside...), no, no, yes, yes, Pass},
		{"integration of the second generation", "StandardV2", "External", required, yes, open, "", no, Undecided},
		{"None", "Basic", "None", required, "", "", "", "", Pass},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := []exampleRow{
				{from: "ip:198.51.100.7", to: "apim:api", service: "tcp/443", dial: "ip:20.0.0.7", want: test.outside443},
				{from: "ip:198.51.100.7", to: "apim:api", service: "tcp/80", dial: "ip:20.0.0.7", want: test.outside80},
				{from: "nic:vm", to: "apim:api", service: "tcp/443", dial: "ip:10.0.1.5", want: test.near},
				{from: "ip:198.51.100.7", to: "apim:api", service: "tcp/3443", dial: "ip:20.0.0.7", want: test.manage},
			}
			rows = slices.DeleteFunc(rows, func(r exampleRow) bool { return r.want == "" })
			list := writtenWith(t, apim(test.tier, test.network, test.nsg), append(rows, exampleRow{from: "internet", to: "subnet:net/s"}), Options{}, apimList())
			hold(t, list, rows)
			for _, direct := range []bool{false, true} {
				want := test.behind
				if direct {
					want = Pass
				}
				r, err := list.Check(model.Assertion{ID: "deny", Verb: model.VerbDeny, DirectOnly: direct, From: selectors(t, "internet"), To: selectors(t, "subnet:net/s")})
				if err != nil || r.Verdict != want {
					t.Errorf("deny internet to the machines, direct %v: got %s, %v, want %s", direct, r.Verdict, err, want)
				}
				if named := slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == "ASM-E-APIM" }); want == Undecided && !named {
					t.Errorf("the answer does not name ASM-E-APIM: %v", r.Assumptions)
				}
			}
		})
	}
}

// AZ-APIM-02: with the public door shut a private endpoint is the only way to the gateway, and leads on.
func TestAPIMByEndpoint(t *testing.T) {
	service := az.New("Microsoft.ApiManagement/service", "api", az.Object{"virtualNetworkType": "External", "publicNetworkAccess": "Disabled"})
	service["sku"] = az.Object{"name": "StandardV2"}
	service.Set("virtualNetworkConfiguration.subnetResourceId", az.SubnetID("net/apim"))
	list := []az.Resource{
		service, az.VNet("net", "10.0.0.0/16", az.Subnet("apim", "10.0.1.0/24"), az.Subnet("s", "10.0.2.0/24", "nsg=s")), az.NSG("s", "100 Allow In tcp 10.0.1.0/24 -> * 443", "4096 Deny In * * -> * *"), az.NIC("vm", "net/s", "10.0.2.4"),
		az.VNet("far", "10.1.0.0/16", az.Subnet("s", "10.1.0.0/24")), az.NIC("client", "far/s", "10.1.0.4"), az.PrivateEndpoint("pe", "far/s", "10.1.0.9", service["id"].(string)),
	}
	rows := []exampleRow{
		{from: "nic:client", to: "endpoint:pe", service: "tcp/443", want: "reachable"},
		{from: "nic:client", to: "nic:vm", service: "tcp/443", want: "unreachable"}, // direct
		{from: "internet", to: "apim:api", service: "tcp/443", want: "unreachable"},
	}
	s := written(t, list, rows)
	hold(t, s, rows)
	r, err := s.Reach(selectors(t, "nic:client"), selectors(t, "nic:vm"), []model.PortService{portService(t, "tcp/443")}, false)
	if err != nil || r.Verdict != Unknown {
		t.Errorf("relayed over the endpoint: got %s, %v, want unknown", r.Verdict, err)
	}
}

// apimList says that the management addresses of API Management are none of those asked about.
func apimList() *model.ServiceTags {
	return &model.ServiceTags{Tags: []model.ServiceTag{{Name: "ApiManagement", Prefixes: []netip.Prefix{netip.MustParsePrefix("20.40.0.0/16")}}}}
}
