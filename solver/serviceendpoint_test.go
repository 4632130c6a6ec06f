package solver

import (
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// EX-33: a service endpoint policy; der. The rows besides are AZ-SE-05 and AZ-SE-06.
func TestEX33(t *testing.T) {
	own, other := az.ID("Microsoft.Storage/storageAccounts", "saown"), az.ID("Microsoft.Storage/storageAccounts", "saother")
	estate := func(subnet []string, more ...az.Resource) *Solution {
		return imported(t, "", append([]az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.1.0/24", append(subnet, "nsg=nsg", "rt=rt")...), az.Subnet("AzureFirewallSubnet", "10.0.0.0/26")),
			az.NSG("nsg"), az.RouteTable("rt", "0.0.0.0/0 10.0.0.4"), az.NIC("vm", "net/s", "10.0.1.4"),
			az.PublicIP("pip", "20.0.0.4"), az.Firewall("fw", "net/AzureFirewallSubnet", "10.0.0.4", "pip"),
			az.StorageAccount("saown"), az.StorageAccount("saother"),
		}, more...)...)
	}
	abroad := az.StorageAccount("saabroad").Set(".location", "eastus")
	const storage, global, policy = "se=Microsoft.Storage", "se=Microsoft.Storage.Global", "policy=p"
	for _, test := range []struct {
		name       string
		subnet     []string
		more       []az.Resource
		own, other string
	}{
		{"endpoint and policy", []string{storage, policy}, []az.Resource{az.EndpointPolicy("p", own)}, "A same > same", "D"},
		{"endpoint, no policy", []string{storage}, nil, "A same > same", "A same > same"},
		{"no endpoint", nil, nil, "D", "D"},
		{"a policy acts on the service endpoint alone", []string{policy}, []az.Resource{az.EndpointPolicy("p", own)}, "D", "D"},
		{"two policies admit their union", []string{storage, policy, "policy=q"}, []az.Resource{az.EndpointPolicy("p", own), az.EndpointPolicy("q", other)}, "A same > same", "A same > same"},
		{"a resource group", []string{storage, policy}, []az.Resource{az.EndpointPolicy("p", az.Group)}, "A same > same", "A same > same"},
		{"another group", []string{storage, policy}, []az.Resource{az.EndpointPolicy("p", az.Group+"2")}, "D", "D"},
		{"a subscription, without its first slash", []string{storage, policy}, []az.Resource{az.EndpointPolicy("p", "subscriptions/00000000-0000-0000-0000-000000000001")}, "A same > same", "A same > same"},
		{"an alias is no account of the input", []string{storage, policy}, []az.Resource{az.EndpointPolicy("p", own, "/services/Azure")}, "A same > same", "D"},
		{"a policy that the input lacks", []string{storage, "policy=gone"}, nil, "over", "over"},
		{"a policy without definitions", []string{storage, policy}, []az.Resource{az.New("serviceEndpointPolicies", "p", nil)}, "over", "over"},
		{"a managed subnet", []string{storage, policy, "delegate=Microsoft.Web/serverFarms"}, []az.Resource{az.EndpointPolicy("p", own)}, "A same > same", "over"},
		{"the endpoint of every region", []string{global, policy}, []az.Resource{az.EndpointPolicy("p", own)}, "A same > same", "D"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := estate(test.subnet, test.more...)
			s.wants(t, test.name, "nic:vm", "10.0.1.4 > service:saown tcp/443", "service:saown", test.own)
			s.wants(t, test.name, "nic:vm", "10.0.1.4 > service:saother tcp/443", "service:saother", test.other)
			agree(t, s, 300, 33)
			agreeAtDoors(t, s)
		})
	}
	t.Run("an account of another region", func(t *testing.T) { // AZ-SE-05
		s := estate([]string{global, policy}, az.EndpointPolicy("p", own), abroad)
		s.wants(t, "listed or not", "nic:vm", "10.0.1.4 > service:saabroad tcp/443", "service:saabroad", "over")
		agree(t, s, 300, 34)
		agreeAtDoors(t, s)
	})
}
