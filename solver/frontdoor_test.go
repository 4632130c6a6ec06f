package solver

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// frontDoorList says which addresses Front Doors connect from: 147.243.0.0/16, whoever they belong to.
func frontDoorList() *model.ServiceTags {
	return &model.ServiceTags{Tags: []model.ServiceTag{{Name: "AzureFrontDoor.Backend", Prefixes: []netip.Prefix{netip.MustParsePrefix("147.243.0.0/16")}}}}
}

// lockedOrigin is an application gateway 20.0.0.7 as the origin of the profile fd, under an NSG and custom rules of its WAF.
func lockedOrigin(nsg, mode string, rules ...string) []az.Resource {
	return append(az.FrontDoor("fd", "0f0f", "endpoint shop", "group g probe=Https", "origin g web 20.0.0.7", "route shop r -> g"),
		az.VNet("net", "10.0.0.0/16", az.Subnet("agw", "10.0.1.0/24", "nsg=nsg"), az.Subnet("s", "10.0.2.0/24")),
		az.NSG("nsg", nsg, "110 Allow In tcp GatewayManager -> * 65200-65535", "120 Allow In * AzureLoadBalancer -> * *", "4096 Deny In * * -> * *"),
		az.NIC("vm", "net/s", "10.0.2.4"), az.PublicIP("agw", "20.0.0.7"), az.WAFPolicy("waf", mode, rules...),
		az.AppGateway("agw", "net/agw", "policy waf", "frontend public pip=agw", "listener web public:443 Https", "rule web -> 10.0.2.4:443"),
	)
}

// X-EDGE-13: the lock of an origin to one Front Door. An arbitrary client is 198.51.100.7; what a Front Door of another tenant sends comes
// from 147.243.0.9.
func TestXEDGE13(t *testing.T) {
	const open, tag = "100 Allow In tcp Internet -> * 443", "100 Allow In tcp AzureFrontDoor.Backend -> * 443"
	const lock = "10 Block RequestHeaders:X-Azure-FDID not Equal 0f0f"
	const yes, no = "reachable", "unreachable"
	for _, test := range []struct {
		name, nsg, mode, rule string
		direct, foreign, own  string
	}{
		{"none", open, "Prevention", "", yes, yes, yes},                                                                              // doc
		{"tag alone", tag, "Prevention", "", no, yes, yes},                                                                           // doc: every tenant's
		{"tag and header", tag, "Prevention", lock, no, no, yes},                                                                     // doc
		{"tag, header in Detection", tag, "Detection", lock, no, yes, yes},                                                           // doc
		{"header alone", open, "Prevention", lock, yes, no, yes},                                                                     // doc: who knows the ID writes it
		{"the ID of no profile of the input", tag, "Prevention", "10 Block RequestHeaders:X-Azure-FDID not Equal 0a0a", no, yes, no}, // der: it may be anybody's
		{"another header", tag, "Prevention", "10 Block RequestHeaders:X-Other not Equal 0f0f", no, "", ""},                          // der: the client's to choose
		{"two IDs, one unknown", tag, "Prevention", "10 Block RequestHeaders:X-Azure-FDID not Equal 0f0f 0a0a", no, yes, yes},        // der
		{"addresses of the own one alone", "100 Allow In tcp 198.51.100.0/24 -> * 443", "Prevention", lock, yes, no, "unknown"},      // der: it may have any public address
	} {
		t.Run(test.name, func(t *testing.T) {
			var rules []string
			if test.rule != "" {
				rules = append(rules, test.rule)
			}
			rows := []exampleRow{
				{from: "ip:198.51.100.7", to: "appgw:agw", service: "tcp/443", dial: "ip:20.0.0.7", want: test.direct},
				{from: "ip:147.243.0.9", to: "appgw:agw", service: "tcp/443", dial: "ip:20.0.0.7", want: test.foreign},
				{from: "frontdoor:fd", to: "appgw:agw", service: "tcp/443", dial: "ip:20.0.0.7", want: test.own},
				{from: "internet", to: "frontdoor:fd", service: "tcp/443", want: yes},
				{from: "internet", to: "frontdoor:fd", service: "tcp/8443", want: no},
			}
			rows = slices.DeleteFunc(rows, func(r exampleRow) bool { return r.want == "" })
			hold(t, writtenWith(t, lockedOrigin(test.nsg, test.mode, rules...), rows, Options{}, frontDoorList()), rows)
		})
	}

	// doc: with Private Link and the public door shut, neither reaches the origin; the own profile does, once the connection is approved.
	for _, test := range []struct{ state, own string }{{"Approved", yes}, {"Pending", no}} {
		account := az.StorageAccount("data").Set("publicNetworkAccess", "Disabled")
		rows := []exampleRow{
			{from: "ip:198.51.100.7", to: "service:data", service: "tcp/443", want: no},
			{from: "ip:147.243.0.9", to: "service:data", service: "tcp/443", want: no},
			{from: "frontdoor:fd", to: "service:data", service: "tcp/443", want: test.own},
		}
		hold(t, writtenWith(t, append(az.FrontDoor("fd", "0f0f", "endpoint shop", "group g", "origin g web data.blob.core.windows.net private="+account["id"].(string)+" state="+test.state, "route shop r -> g"), account),
			rows, Options{}, frontDoorList()), rows)
	}
}

// AZ-AFD-01 to AZ-AFD-03, AZ-AFD-12: what a profile forwards, and where.
func TestFrontDoorForwards(t *testing.T) {
	base := []az.Resource{
		az.VNet("net", "10.0.0.0/16", az.Subnet("s", "10.0.2.0/24", "nsg=nsg")), az.NSG("nsg", "100 Allow In tcp AzureFrontDoor.Backend -> * *"),
		az.NIC("a", "net/s", "10.0.2.4", "pip=a"), az.NIC("b", "net/s", "10.0.2.5", "pip=b"),
		az.PublicIP("a", "20.0.0.1").Set("dnsSettings", az.Object{"fqdn": "a.westeurope.cloudapp.azure.com"}), az.PublicIP("b", "20.0.0.2"),
	}
	const yes, no, open = "reachable", "unreachable", "unknown"
	for _, test := range []struct {
		name            string
		lines           []string
		a443, a80, b443 string
	}{
		{"by name", []string{"origin g o a.westeurope.cloudapp.azure.com", "route shop r -> g"}, yes, no, no},
		{"both protocols", []string{"origin g o 20.0.0.1", "route shop r -> g http"}, yes, yes, no},
		{"http is redirected", []string{"origin g o 20.0.0.1", "route shop r -> g http redirect"}, yes, no, no},
		{"clear text to the origin", []string{"origin g o 20.0.0.1", "route shop r -> g forward=HttpOnly"}, no, yes, no},
		{"a probe in clear text", []string{"group h probe=Http", "origin h o 20.0.0.1", "route shop r -> h"}, yes, yes, no},
		{"ports of the origin", []string{"origin g o 20.0.0.1 https=80 http=443", "route shop r -> g"}, no, yes, no},
		{"a disabled origin counts", []string{"origin g o 20.0.0.1 off", "route shop r -> g"}, open, no, no},
		{"a rule set sends elsewhere", []string{"origin g o 20.0.0.1", "group h", "origin h o 20.0.0.2", "rules set h", "route shop r -> g rules=set"}, open, no, open},
		{"a rule set that the input lacks", []string{"origin g o 20.0.0.1", "group h", "origin h o 20.0.0.2", "route shop r -> g rules=gone"}, open, no, open},
		{"a group that the input lacks", []string{"origin g o 20.0.0.1", "route shop r -> gone"}, open, open, open},
		{"a name that the input lacks", []string{"origin g o origin.example", "route shop r -> g"}, open, no, open},
		{"no route", []string{"origin g o 20.0.0.1"}, no, no, no},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := []exampleRow{
				{from: "frontdoor:fd", to: "nic:a", service: "tcp/443", dial: "ip:20.0.0.1", want: test.a443},
				{from: "frontdoor:fd", to: "nic:a", service: "tcp/80", dial: "ip:20.0.0.1", want: test.a80},
				{from: "frontdoor:fd", to: "nic:b", service: "tcp/443", dial: "ip:20.0.0.2", want: test.b443},
			}
			s := writtenWith(t, append(az.FrontDoor("fd", "0f0f", append([]string{"endpoint shop", "group g"}, test.lines...)...), base...), rows, Options{}, frontDoorList())
			hold(t, s, rows)
			r, err := s.Reach(selectors(t, "internet"), selectors(t, "nic:a"), []model.PortService{portService(t, "tcp/443")}, false)
			if err != nil {
				t.Fatal(err)
			}
			relayed := slices.ContainsFunc(r.Flows, func(f Flow) bool { return slices.Contains(f.Via, "frontdoor:fd") })
			if want := test.a443 != no; relayed != want {
				t.Errorf("relayed from the internet: got %v, want %v", relayed, want)
			}
			if r, err = s.Reach(selectors(t, "frontdoor:fd"), selectors(t, "nic:a"), []model.PortService{portService(t, "tcp/443")}, true); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(test.name, "lacks") && !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return strings.HasPrefix(a.ID, "MISSING(") }) && !strings.Contains(test.name, "set") {
				t.Errorf("nothing names what is missing: %v", r.Assumptions)
			}
		})
	}
}

// AZ-AFD-10: without a list the tag is a Boolean of the packet: every Front Door has it.
func TestFrontDoorTagWithoutList(t *testing.T) {
	rows := []exampleRow{{from: "frontdoor:fd", to: "appgw:agw", service: "tcp/443", dial: "ip:20.0.0.7", want: "reachable"}}
	s := written(t, lockedOrigin("100 Allow In tcp AzureFrontDoor.Backend -> * 443", "Prevention", "10 Block RequestHeaders:X-Azure-FDID not Equal 0f0f"), rows)
	hold(t, s, rows)
	for _, test := range []struct {
		via  string
		want Outcome
	}{{"frontdoor:fd", Pass}, {"appgw:agw", Pass}} {
		r, err := s.Check(model.Assertion{ID: "through", Verb: model.VerbThrough, From: selectors(t, "internet"), To: selectors(t, "subnet:net/s"), Via: selectors(t, test.via)})
		if err != nil || r.Verdict != test.want {
			t.Errorf("through %s: got %s %v %v, want %s", test.via, r.Verdict, r.Violations, err, test.want)
		}
	}
	s = written(t, lockedOrigin("100 Allow In tcp AzureFrontDoor.Backend -> * 443", "Prevention"), rows)
	r, err := s.Check(model.Assertion{ID: "through", Verb: model.VerbThrough, From: selectors(t, "internet"), To: selectors(t, "subnet:net/s"), Via: selectors(t, "frontdoor:fd")})
	if err != nil || r.Verdict == Pass {
		t.Errorf("through the own Front Door, with the tag alone: got %s %v, want that every tenant's reaches it", r.Verdict, err)
	}
}
