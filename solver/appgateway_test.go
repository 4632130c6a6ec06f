package solver

import (
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// AZ-AGW-10: clients of a public frontend are matched with the gateway's subnet as destination; with listeners of a public and a private
// frontend on one port, with the frontend's address. Where both readings are open, neither verdict is certain.
func TestGatewayClientsAreMatchedBySubnet(t *testing.T) {
	const managed, probes, rest = "110 Allow In tcp GatewayManager -> * 65200-65535", "120 Allow In * AzureLoadBalancer -> * *", "4096 Deny In * * -> * *"
	for _, test := range []struct{ rule, inside, want string }{
		{"100 Allow In tcp Internet -> VirtualNetwork 443 Web", "", "reachable: nsg/securityRules/Web, agw/web"},                // doc
		{"100 Allow In tcp Internet -> 10.0.1.0/24 443 Web", "", "reachable: nsg/securityRules/Web, agw/web"},                   // doc
		{"100 Allow In tcp Internet -> 20.0.0.7 443 Web", "", "unreachable: nsg/securityRules/4096"},                            // doc: not the address that the rules see
		{"100 Allow In tcp Internet -> 20.0.0.7,10.0.1.0/24 443 Web", "443", "reachable: nsg/securityRules/Web, agw/web"},       // doc
		{"100 Allow In tcp Internet -> 20.0.0.7 443 Web", "443", "unknown"},                                                     // der
		{"100 Allow In tcp Internet -> 10.0.1.0/24 443 Web", "443", "unknown"},                                                  // der
		{"100 Allow In tcp Internet -> 10.0.1.0/24 443 Web", "8443", "reachable: nsg/securityRules/Web, agw/web"},               // doc: no port is shared
		{"100 Allow In tcp Internet -> 10.0.1.0/25,10.0.1.128/25 443 Web", "8443", "reachable: nsg/securityRules/Web, agw/web"}, // der
		{"100 Allow In tcp Internet -> 10.0.1.0/25 443 Web", "8443", "unknown"},                                                 // der: where in the subnet the instances are is not known
		{"100 Deny In tcp Internet -> VirtualNetwork * No", "8443", "unreachable: nsg/securityRules/No"},                        // der
		{"100 Allow In tcp Internet -> VirtualNetwork 443,80 Web", "", "reachable: nsg/securityRules/Web, agw/web"},             // doc
	} {
		lines := []string{"frontend public pip=agw", "listener web public:443 Https", "rule web -> 10.0.2.4:443"}
		if test.inside != "" {
			lines = append(lines, "frontend inside 10.0.1.9", "listener in inside:"+test.inside+" Https", "rule in -> 10.0.2.4:443")
		}
		rows := []exampleRow{{from: "internet", to: "appgw:agw", service: "tcp/443", dial: "ip:20.0.0.7", want: test.want}}
		hold(t, written(t, []az.Resource{
			az.VNet("net", "10.0.0.0/16", az.Subnet("agw", "10.0.1.0/24", "nsg=nsg"), az.Subnet("s", "10.0.2.0/24")), az.NSG("nsg", test.rule, managed, probes, rest),
			az.NIC("vm", "net/s", "10.0.2.4"), az.PublicIP("agw", "20.0.0.7"), az.AppGateway("agw", "net/agw", lines...),
		}, rows), rows)
	}
}
