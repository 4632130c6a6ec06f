package solver

import (
	"net/netip"
	"slices"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
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

const (
	agwOpen     = "100 Allow In tcp Internet -> * 443"
	agwManaged  = "110 Allow In tcp GatewayManager -> * 65200-65535"
	agwProbes   = "120 Allow In * AzureLoadBalancer -> * *"
	agwDenyRest = "4096 Deny In * * -> * *"
)

// published is an application gateway agw at 20.0.0.7 in net/agw, 10.0.1.0/24, that forwards tcp/443 to the members of its one pool.
func published(members string, more ...az.Resource) []az.Resource {
	return append([]az.Resource{
		az.NSG("agw", agwOpen, agwManaged, agwProbes, agwDenyRest), az.PublicIP("agw", "20.0.0.7"), az.WAFPolicy("waf", "Prevention"),
		az.AppGateway("agw", "net/agw", "policy waf", "frontend public pip=agw", "listener web public:443 Https", "rule web -> "+members+":443"),
	}, more...)
}

// AZ-AGW-06: a backend in another VNet or on-premises is reached by the routes of the gateway's subnet.
func TestGatewayReachesByItsRoutes(t *testing.T) {
	for _, test := range []struct {
		name       string
		options    []string
		peer, prem string
	}{
		{"peered, with a gateway", []string{"peering"}, "reachable", "reachable"},
		{"not peered", nil, "unreachable", "reachable"},
		{"a route to nowhere", []string{"peering", "none"}, "unreachable", "unreachable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := []exampleRow{
				{from: "appgw:agw", to: "nic:far", service: "tcp/443", want: test.peer},
				{from: "appgw:agw", to: "ip:10.9.0.4", service: "tcp/443", want: test.prem},
			}
			parts := []az.Resource{az.Subnet("agw", "10.0.1.0/24", "nsg=agw", "rt=rt"), az.Subnet("GatewaySubnet", "10.0.9.0/27")}
			far := []az.Resource{az.Subnet("s", "10.1.0.0/24")}
			routes := []string{"no-propagation"}
			if slices.Contains(test.options, "peering") {
				parts, far = append(parts, az.Peering("other")), append(far, az.Peering("net"))
			}
			if slices.Contains(test.options, "none") {
				routes = append(routes, "10.1.0.0/16 None")
			} else {
				routes = nil
			}
			hold(t, written(t, published("10.1.0.4,10.9.0.4", az.VNet("net", "10.0.0.0/16", parts...), az.VNet("other", "10.1.0.0/16", far...), az.RouteTable("rt", routes...), az.NIC("far", "other/s", "10.1.0.4"),
				az.PublicIP("gw", "20.0.0.9"), az.VPNGateway("gw", "net", "pip=gw"), az.LocalGateway("site", "10.9.0.0/16"), az.Connection("site", "gw", "local:site")), rows), rows)
		})
	}
}

// AZ-AGW-15: a route of the gateway's subnet leads to its backends through a firewall. With a network rule the backend sees the gateway, with an
// application rule the firewall; its own route must return the same way.
func TestGatewayThroughFirewall(t *testing.T) {
	for _, test := range []struct {
		name, back, rule, admits, want string
	}{
		{"network rule, and the way back", "10.0.1.0/24 10.0.3.4", "100 Allow tcp 10.0.1.0/24 -> 10.0.2.0/24 443 web", "10.0.1.0/24", "reachable"},
		{"the reply goes past the firewall", "", "100 Allow tcp 10.0.1.0/24 -> 10.0.2.0/24 443 web", "10.0.1.0/24", "asymmetric"},
		{"the backend admits the firewall alone", "10.0.1.0/24 10.0.3.4", "100 Allow tcp 10.0.1.0/24 -> 10.0.2.0/24 443 web", "10.0.3.0/26", "unreachable"},
		{"no rule of the firewall", "10.0.1.0/24 10.0.3.4", "100 Allow tcp 10.0.1.0/24 -> 10.0.2.0/24 444 web", "10.0.1.0/24", "unreachable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := []exampleRow{{from: "appgw:agw", to: "nic:vm", service: "tcp/443", want: test.want}}
			var routes []string
			if test.back != "" {
				routes = []string{test.back}
			}
			hold(t, written(t, published("10.0.2.4",
				az.VNet("net", "10.0.0.0/16", az.Subnet("agw", "10.0.1.0/24", "nsg=agw", "rt=out"), az.Subnet("s", "10.0.2.0/24", "nsg=vm", "rt=back"), az.Subnet("AzureFirewallSubnet", "10.0.3.0/26")),
				az.RouteTable("out", "10.0.2.0/24 10.0.3.4"), az.RouteTable("back", routes...), az.NSG("vm", "100 Allow In tcp "+test.admits+" -> * 443", agwDenyRest),
				az.PublicIP("fw", "20.0.0.4"), az.Firewall("fw", "net/AzureFirewallSubnet", "10.0.3.4", "fw", test.rule), az.NIC("vm", "net/s", "10.0.2.4")), rows), rows)
		})
	}
}

// AZ-AGW-33, AZ-AGW-38: managed rules remove attacks, not flows; a gateway whose pool has no member forwards nothing, and its WAF acts all the same.
func TestWAFAndRouting(t *testing.T) {
	for _, test := range []struct {
		name, members, rule string
		accepts, forwards   string
	}{
		{"managed rules alone", "10.0.2.4", "", "reachable", "reachable"},
		{"no member", "", "", "reachable", "unreachable"},
		{"a member that nobody has", "10.0.7.4", "", "reachable", "unreachable"},
		{"no member, and a rule that blocks", "", "10 Block RemoteAddr IPMatch 0.0.0.0/0", "unreachable", "unreachable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := []exampleRow{
				{from: "internet", to: "appgw:agw", service: "tcp/443", dial: "ip:20.0.0.7", want: test.accepts},
				{from: "appgw:agw", to: "nic:vm", service: "tcp/443", want: test.forwards},
			}
			list := published(test.members, az.VNet("net", "10.0.0.0/16", az.Subnet("agw", "10.0.1.0/24", "nsg=agw"), az.Subnet("s", "10.0.2.0/24")), az.NIC("vm", "net/s", "10.0.2.4"))
			if test.rule != "" {
				list[2] = az.WAFPolicy("waf", "Prevention", test.rule)
			}
			s := written(t, list, rows)
			hold(t, s, rows)
			if policy := s.Project.Estate.WAFPolicies[0]; len(policy.RuleSets) == 0 {
				t.Error("the policy has no managed rules")
			}
		})
	}
}

// AZ-AGW-37: what proves that a WAF is the only way in: nothing direct, each chain holds the gateway, and no other relay reaches the target.
func TestWAFIsTheOnlyWayIn(t *testing.T) {
	base := func(more ...az.Resource) []az.Resource {
		return published("10.0.2.4", append(more, az.NSG("vm", "100 Allow In tcp 10.0.1.0/24 -> * 443", "110 Allow In tcp 10.0.9.0/26 -> * 22", agwDenyRest))...)
	}
	net := func(more ...az.Resource) az.Resource {
		return az.VNet("net", "10.0.0.0/16", append(more, az.Subnet("agw", "10.0.1.0/24", "nsg=agw"), az.Subnet("s", "10.0.2.0/24", "nsg=vm"))...)
	}
	for _, test := range []struct {
		name            string
		resources       []az.Resource
		direct, through Outcome
	}{
		{"the gateway alone", base(net(), az.NIC("vm", "net/s", "10.0.2.4")), Pass, Pass},
		{"Bastion beside it", base(net(az.Subnet("AzureBastionSubnet", "10.0.9.0/26")), az.NIC("vm", "net/s", "10.0.2.4"),
			az.PublicIP("bastion", "20.0.0.8"), az.Bastion("bastion", "net", "Basic", "bastion")), Pass, Fail},
		{"a public load balancer beside it", published("10.0.2.4", net(), az.NIC("vm", "net/s", "10.0.2.4", "pool=lb/p"), az.PublicIP("lb", "20.0.0.8"),
			az.LoadBalancer("lb", "frontend f pip=lb", "rule tcp f:443 -> p:443"), az.NSG("vm", "100 Allow In tcp * -> * 443", agwDenyRest)), Fail, Fail},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := []exampleRow{{from: "internet", to: "subnet:net/s", service: "tcp/443"}}
			s := written(t, test.resources, rows)
			for _, a := range []struct {
				assertion model.Assertion
				want      Outcome
			}{
				{model.Assertion{ID: "direct", Verb: model.VerbDeny, DirectOnly: true, From: selectors(t, "internet"), To: selectors(t, "subnet:net/s")}, test.direct},
				{model.Assertion{ID: "through", Verb: model.VerbThrough, From: selectors(t, "internet"), To: selectors(t, "subnet:net/s"), Via: selectors(t, "appgw:agw")}, test.through},
			} {
				r, err := s.Check(a.assertion)
				if err != nil || r.Verdict != a.want {
					t.Errorf("%s: got %s, %v, want %s: %v", a.assertion.ID, r.Verdict, err, a.want, r.Violations)
				}
			}
		})
	}
}

// AZ-AGW-32: of a WAF policy that the input lacks nothing is certain, and the answer names it.
func TestMissingWAFPolicyIsNamed(t *testing.T) {
	rows := []exampleRow{{from: "internet", to: "appgw:agw", service: "tcp/443", dial: "ip:20.0.0.7", want: "unknown: MISSING(WAF policy waf)"}}
	list := published("10.0.2.4", az.VNet("net", "10.0.0.0/16", az.Subnet("agw", "10.0.1.0/24", "nsg=agw"), az.Subnet("s", "10.0.2.0/24")), az.NIC("vm", "net/s", "10.0.2.4"))
	hold(t, written(t, slices.Delete(list, 2, 3), rows), rows)
}

// AZ-AGW-11: with a published list the platform is its addresses, and the rule for GatewayManager admits all of them.
func TestGatewayIsManagedByList(t *testing.T) {
	list := &model.ServiceTags{Tags: []model.ServiceTag{{Name: "GatewayManager", Prefixes: []netip.Prefix{netip.MustParsePrefix("20.40.0.0/16")}}}}
	for rule, want := range map[string]string{agwManaged: "reachable", "110 Allow In tcp 20.40.0.0/17 -> * 65200-65535": "unknown"} {
		rows := []exampleRow{{from: "appgw:agw", to: "nic:vm", service: "tcp/443", want: want}}
		resources := published("10.0.2.4", az.VNet("net", "10.0.0.0/16", az.Subnet("agw", "10.0.1.0/24", "nsg=agw"), az.Subnet("s", "10.0.2.0/24")), az.NIC("vm", "net/s", "10.0.2.4"))
		resources[0] = az.NSG("agw", agwOpen, rule, agwProbes, agwDenyRest)
		hold(t, writtenWith(t, resources, rows, Options{}, list), rows)
	}
}
