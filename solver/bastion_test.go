package solver

import (
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// AZ-JMP-03: without connect-by-address a Bastion opens sessions to machines alone.
func TestBastionOpensToMachines(t *testing.T) {
	for _, test := range []struct {
		sku                 string
		tunnel, connect     any
		vm, endpoint, front string
	}{
		{"Basic", false, false, "reachable", "unreachable", "unreachable"},
		{"Basic", true, true, "reachable", "unreachable", "unreachable"}, // der: the SKU has neither
		{"Standard", true, false, "reachable", "unreachable", "unreachable"},
		{"Standard", false, true, "reachable", "reachable", "reachable"},
		{"Standard", false, nil, "reachable", "unknown: ASM-BASTION", "unknown: ASM-BASTION"},
	} {
		account := az.StorageAccount("data")
		rows := []exampleRow{
			{from: "bastion:bastion", to: "nic:vm", service: "tcp/22", want: test.vm},
			{from: "bastion:bastion", to: "endpoint:pe", service: "tcp/22", want: test.endpoint},
			{from: "bastion:bastion", to: "ip:10.0.0.9", service: "tcp/22", want: test.front},
		}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("AzureBastionSubnet", "10.0.1.0/26"), az.Subnet("s", "10.0.0.0/24")),
			az.NIC("vm", "net/s", "10.0.0.4", "pool=lb/p"), az.PublicIP("bastion", "20.0.0.1"), account, az.PrivateEndpoint("pe", "net/s", "10.0.0.8", account["id"].(string)),
			az.LoadBalancer("lb", "frontend f net/s 10.0.0.9", "rule tcp f:22 -> p:22"),
			az.Bastion("bastion", "net", test.sku, "bastion").Set("enableTunneling", test.tunnel).Set("enableIpConnect", test.connect),
		}, rows), rows)
	}
}
