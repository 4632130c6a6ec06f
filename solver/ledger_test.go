package solver

import (
	"strings"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// AZ-GEN-08: what was not understood makes unknown what depends on it, and names itself. What concerns names alone, or machines that nobody
// reaches from outside, leaves proofs as they are.
func TestWhatWasNotUnderstood(t *testing.T) {
	network := func() []az.Resource {
		return []az.Resource{
			az.VNet("v", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=n"), az.Subnet("d", "10.0.1.0/24"), az.Subnet("p", "10.0.2.0/24", "outbound=false")),
			az.VNet("w", "10.1.0.0/16", az.Subnet("s", "10.1.0.0/24")),
			az.NSG("n"), az.NIC("vm", "v/s", "10.0.0.4", "pool=lb/p"), az.NIC("db", "v/d", "10.0.1.4"), az.NIC("far", "w/s", "10.1.0.4"), az.NIC("shut", "v/p", "10.0.2.4"),
			az.PublicIP("front", "20.0.0.1"),
			az.LoadBalancer("lb", "frontend f pip=front", "rule tcp f:443 -> p:443"),
			az.NIC("client", "v/d", "10.0.1.5"),
		}
	}
	object := func(kind, name string, names ...string) az.Resource {
		ids := make([]any, len(names))
		for i, n := range names {
			ids[i] = az.Object{"id": n}
		}
		return az.New(kind, name, az.Object{"names": ids})
	}
	for _, test := range []struct {
		name                string
		more                az.Resource
		from, to, service   string
		without, with, says string // verdicts, and the assumption that decides
	}{
		{"a container environment may let the internet into its subnet and on", object("Microsoft.App/managedEnvironments", "env", az.SubnetID("v/d")), "internet", "nic:vm", "tcp/22", "unreachable", "unknown", "UNSUPPORTED(Microsoft.App/managedEnvironments env)"},
		{"an object that nobody knows lets the internet into its VNet", object("Microsoft.Contoso/things", "x", az.ID("virtualNetworks", "v")), "internet", "nic:db", "tcp/22", "unreachable", "unknown", "UNSUPPORTED(Microsoft.Contoso/things x)"},
		{"and into no VNet that has nothing to do with it", object("Microsoft.Contoso/things", "x", az.ID("virtualNetworks", "v")), "internet", "nic:far", "tcp/22", "unreachable", "unreachable", ""},
		{"it joins what it names", object("Microsoft.Contoso/things", "x", az.SubnetID("v/d"), az.SubnetID("w/s")), "nic:db", "nic:far", "tcp/22", "unreachable", "unknown", "UNSUPPORTED(Microsoft.Contoso/things x)"},
		{"container instances are no entry", object("Microsoft.ContainerInstance/containerGroups", "g", az.SubnetID("v/d")), "internet", "nic:db", "tcp/22", "unreachable", "unreachable", ""},
		{"but stand in front of their subnet", object("Microsoft.ContainerInstance/containerGroups", "g", az.SubnetID("v/d")), "nic:vm", "nic:db", "tcp/22", "reachable", "unknown", "UNSUPPORTED(Microsoft.ContainerInstance/containerGroups g)"},
		{"a DNS resolver changes no packet's way", object("Microsoft.Network/dnsResolvers", "r", az.ID("virtualNetworks", "v")), "nic:vm", "nic:db", "tcp/22", "reachable", "reachable", ""},
		{"nor does it join VNets", object("Microsoft.Network/dnsResolvers", "r", az.ID("virtualNetworks", "v"), az.ID("virtualNetworks", "w")), "nic:vm", "nic:far", "tcp/22", "unreachable", "unreachable", ""},
		{"an object that names one NIC may stop its packets", object("Microsoft.Contoso/things", "x", az.ID("networkInterfaces", "db")), "nic:vm", "nic:db", "tcp/22", "reachable", "unknown", "UNSUPPORTED(Microsoft.Contoso/things x)"},
		{"and not those of others", object("Microsoft.Contoso/things", "x", az.ID("networkInterfaces", "db")), "nic:vm", "nic:client", "tcp/22", "reachable", "reachable", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, more := range []bool{false, true} {
				resources, want, says := network(), test.without, ""
				if more {
					resources, want, says = append(resources, test.more), test.with, test.says
				}
				if says != "" {
					want += ": " + says
				}
				row := exampleRow{from: test.from, to: test.to, service: test.service, want: want}
				verdict, _, _ := strings.Cut(want, ":")
				if got, why := written(t, resources, []exampleRow{row}).reached(t, row, portService(t, test.service)); got != verdict {
					t.Errorf("with the object: %v: %s to %s %s: got %s, want %s\n%s", more, test.from, test.to, test.service, got, want, why)
				}
			}
		})
	}
}

// AZ-GEN-08: a field that was not understood takes certainty from what it is a field of, and opens nothing but a way out.
func TestFieldsThatWereNotUnderstood(t *testing.T) {
	for _, test := range []struct {
		name      string
		change    func([]az.Resource)
		from, to  string
		service   string
		want      string
		otherwise string // without the field
	}{
		{"of a VNet: machines that cannot encrypt are cut off", func(r []az.Resource) {
			r[0].Set("encryption", az.Object{"enabled": true, "enforcement": "DropUnencrypted"})
		}, "nic:vm", "nic:db", "tcp/22", "unknown", "reachable"},
		{"of a VNet: it may have a NAT gateway for all subnets", func(r []az.Resource) { r[0].Set("defaultPublicNatGateway", az.Object{"id": az.ID("natGateways", "g")}) }, "nic:shut", "internet", "tcp/443", "unknown: UNSUPPORTED(Microsoft.Network/virtualNetworks v properties.defaultPublicNatGateway)", "unknown: ASM-PRIVATE-ST"},
		{"of a NIC", func(r []az.Resource) { r[2].Set("disableTcpStateTracking", true) }, "nic:vm", "nic:db", "tcp/22", "unknown", "reachable"},
		{"of a NIC: DNS servers of its own", func(r []az.Resource) { r[2].Set("dnsSettings", az.Object{"dnsServers": []any{"10.9.9.9"}}) }, "nic:vm", "nic:db", "tcp/22", "reachable", "reachable"},
		{"of a load balancer: a rule may be another one than it seems", func(r []az.Resource) { r[5].Set("outboundNatRules", []any{az.Object{"name": "x"}}) }, "internet", "nic:vm", "tcp/22", "unknown", "unreachable"},
		{"of a load balancer: nothing passes it for certain", func(r []az.Resource) { r[5].Set("outboundNatRules", []any{az.Object{"name": "x"}}) }, "internet", "nic:vm", "tcp/443", "unknown", "reachable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, changed := range []bool{false, true} {
				resources := []az.Resource{
					az.VNet("v", "10.0.0.0/16", az.Subnet("s", "10.0.0.0/24", "nsg=n"), az.Subnet("d", "10.0.1.0/24"), az.Subnet("p", "10.0.2.0/24", "outbound=false")),
					az.NSG("n", "100 Allow In * Internet -> * * Any"), az.NIC("vm", "v/s", "10.0.0.4", "pool=lb/p"), az.NIC("db", "v/d", "10.0.1.4"), az.NIC("shut", "v/p", "10.0.2.4"),
					az.LoadBalancer("lb", "frontend f pip=front", "rule tcp f:443 -> p:443"), az.PublicIP("front", "20.0.0.1"),
				}
				want := test.otherwise
				if changed {
					test.change(resources)
					want = test.want
				}
				row := exampleRow{from: test.from, to: test.to, service: test.service, want: want}
				verdict, _, _ := strings.Cut(want, ":")
				if got, why := written(t, resources, []exampleRow{row}).reached(t, row, portService(t, test.service)); got != verdict {
					t.Errorf("with the field: %v: %s to %s %s: got %s, want %s\n%s", changed, test.from, test.to, test.service, got, want, why)
				}
			}
		})
	}
}
