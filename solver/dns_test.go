package solver

import (
	"slices"
	"strings"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// A `must` to an account goes where its name leads from the sender's network; a `deny` takes every address (AZ-DNS-03). A peer's links
// count for nothing (AZ-DNS-05). VNets a and b are peered, and a has the endpoint and, as its only link, the zone.
func TestNameLeadsToAccount(t *testing.T) {
	const shut, open = "200 Deny Out * * -> Internet *", "200 Allow Out * * -> Internet *"
	const record = "10.1.9.5"
	for _, test := range []struct {
		name     string
		links    string // VNets that the zone is linked to
		record   string
		internet string
		endpoint string // what the NSG of the senders says of the endpoint
		servers  string // DNS servers of b
		a, b     Outcome
		why      string // in the reason of b
		assume   string
	}{
		{name: "linked to a", links: "a", record: record, internet: shut, a: Pass, b: Fail, why: "by the address that its name has there"},
		{name: "linked to both", links: "a b", record: record, internet: shut, a: Pass, b: Pass},
		{name: "b goes to the public door", links: "a", record: record, internet: open, a: Pass, b: Pass},
		{name: "a linked zone without the record", links: "a b", internet: open, a: Fail, b: Fail, why: "by the address"},
		{name: "a record that leads elsewhere", links: "a b", record: "10.1.9.77", internet: open, a: Fail, b: Fail, why: "by the address"},
		{name: "servers of its own, and one of two ways is shut", links: "a b", record: record, internet: shut, servers: "10.2.0.53", a: Pass, b: Undecided, why: "by the address", assume: "ASM-E-DNSCUSTOM"},
		{name: "servers of its own, and every way is open", links: "a", record: record, internet: open, servers: "10.2.0.53", a: Pass, b: Pass},
		{name: "no zone, servers of its own, the endpoint shut", internet: open, endpoint: "100 Deny Out * * -> 10.1.9.5 *", servers: "10.2.0.53", a: Pass, b: Undecided, assume: "ASM-E-DNSCUSTOM"},
		{name: "the name leads to an endpoint that is shut", links: "a", record: record, internet: open, endpoint: "100 Deny Out * * -> 10.1.9.5 *", a: Fail, b: Pass},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := az.StorageAccount("st")
			b := az.VNet("b", "10.2.0.0/16", az.Subnet("s", "10.2.1.0/24", "nsg=n"), az.Peering("a"))
			if test.servers != "" {
				b["properties"].(az.Object)["dhcpOptions"] = az.Object{"dnsServers": []any{test.servers}}
			}
			rules := []string{test.internet}
			if test.endpoint != "" {
				rules = append(rules, test.endpoint)
			}
			resources := []az.Resource{
				st, b, az.VNet("a", "10.1.0.0/16", az.Subnet("pe", "10.1.9.0/24"), az.Subnet("s", "10.1.1.0/24", "nsg=n"), az.Peering("b")), az.NSG("n", rules...),
				az.NIC("va", "a/s", "10.1.1.4"), az.NIC("vb", "b/s", "10.2.1.4"), az.PrivateEndpoint("pe", "a/pe", "10.1.9.5", st["id"].(string)),
			}
			if test.links != "" {
				const zone = "privatelink.blob.core.windows.net"
				resources = append(resources, az.New("privateDnsZones", zone, nil))
				for v := range strings.FieldsSeq(test.links) {
					resources = append(resources, az.New("privateDnsZones/virtualNetworkLinks", zone+"/"+v, az.Object{"virtualNetwork": az.Ref("virtualNetworks", v), "registrationEnabled": false}))
				}
				if test.record != "" {
					resources = append(resources, az.New("privateDnsZones/A", zone+"/st", az.Object{"ttl": 10, "aRecords": []any{az.Object{"ipv4Address": test.record}}}))
				}
			}
			s := written(t, resources, []exampleRow{{from: "nic:va", to: "service:st", service: "tcp/443"}, {from: "nic:vb", to: "service:st"}})
			for from, want := range map[string]Outcome{"nic:va": test.a, "nic:vb": test.b} {
				must := model.Assertion{ID: "must", Verb: model.VerbMust, From: selectors(t, from), To: selectors(t, "service:st"), Services: []model.PortService{portService(t, "tcp/443")}}
				got, err := s.Check(must)
				if err != nil {
					t.Fatal(err)
				}
				if got.Verdict != want || from == "nic:vb" && !strings.Contains(got.Reason, test.why) {
					t.Errorf("%s: %v, not %v: %s", from, got.Verdict, want, got.Reason)
				}
				if from == "nic:vb" && test.assume != "" && !slices.ContainsFunc(got.Assumptions, func(a Assumption) bool { return a.ID == test.assume }) {
					t.Errorf("%s: assumptions %v lack %s", from, got.Assumptions, test.assume)
				}
				must.Verb, must.Services = model.VerbDeny, nil
				if got, err = s.Check(must); err != nil || got.Verdict != Fail {
					t.Errorf("%s: the deny says %v, %v", from, got.Verdict, err)
				}
			}
		})
	}
}

// The agents of Azure Monitor go to the address of the scope's endpoint, by the NSG and routes on the way, as to any endpoint (AZ-AMPLS-04).
func TestMonitorScopeEndpoint(t *testing.T) {
	const agents, out = "100 Allow Out tcp 10.1.1.0/24 -> 10.1.9.0/24 443", "4096 Deny Out * * -> * *"
	for _, test := range []struct {
		name     string
		rules    []string
		scope    Outcome
		endpoint string
	}{
		{"admitted", []string{agents, out}, Pass, "reachable"},
		{"another port alone", []string{strings.Replace(agents, " 443", " 80", 1), out}, Fail, "unreachable"},
		{"denied", []string{out}, Fail, "unreachable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			scope := az.New("Microsoft.Insights/privateLinkScopes", "ampls", az.Object{"accessModeSettings": az.Object{"ingestionAccessMode": "PrivateOnly", "queryAccessMode": "Open", "exclusions": []any{}}})
			rows := []exampleRow{{from: "nic:agent", to: "service:ampls", service: "tcp/443"}, {from: "nic:agent", to: "endpoint:pe"}}
			s := written(t, []az.Resource{
				scope, az.VNet("a", "10.1.0.0/16", az.Subnet("pe", "10.1.9.0/24"), az.Subnet("s", "10.1.1.0/24", "nsg=n")), az.NSG("n", test.rules...),
				az.NIC("agent", "a/s", "10.1.1.4"), az.PrivateEndpoint("pe", "a/pe", "10.1.9.5", scope["id"].(string)),
			}, rows)
			if got := verdictOf(t, s, "nic:agent", "endpoint:pe", "tcp/443").Verdict.String(); got != test.endpoint {
				t.Errorf("the endpoint is %s, not %s", got, test.endpoint)
			}
			got, err := s.Check(model.Assertion{ID: "must", Verb: model.VerbMust, From: selectors(t, "nic:agent"), To: selectors(t, "service:ampls"), Services: []model.PortService{portService(t, "tcp/443")}})
			if err != nil || got.Verdict != test.scope {
				t.Errorf("the scope: %v, not %v: %s, %v", got.Verdict, test.scope, got.Reason, err)
			}
		})
	}
}
