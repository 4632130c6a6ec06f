package solver

import (
	"slices"
	"strings"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/trace"
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

// The name of an account leads into a private zone only where an endpoint for the sub-resource of that zone is approved; else to the public door
// (AZ-DNS-02, AZ-PAAS-07). Asked by a firewall that lets the name pass.
func TestNamesOfSubResources(t *testing.T) {
	const name, zone = "st.blob.core.windows.net", "privatelink.blob.core.windows.net"
	approved := func(group string) []any {
		p := az.Object{"privateEndpoint": az.Ref("privateEndpoints", "far"), "privateLinkServiceConnectionState": az.Object{"status": "Approved"}}
		if group != "" {
			p["groupIds"] = []any{group}
		}
		return []any{az.Object{"name": "c", "properties": p}}
	}
	for _, test := range []struct {
		name       string
		group      string // sub-resource of the endpoint in the input; empty: there is none
		elsewhere  []any  // connections that the account lists
		record     string // of the zone: NAME, which leads to the endpoint's address
		door, near string // over and under of the public door, and of the endpoint
	}{
		{"an endpoint for another sub-resource", "file", nil, "", "over under", ""},
		{"for this one, without a record", "blob", nil, "", "", ""},
		{"for this one", "blob", nil, "st", "", "over under"},
		{"a wildcard", "blob", nil, "*", "", "over under"},
		{"no endpoint at all", "", nil, "", "over under", ""},
		{"one elsewhere, for this sub-resource", "", approved("blob"), "", "", ""},
		{"one elsewhere, for another", "", approved("file"), "", "over under", ""},
		{"one elsewhere, which does not say for what", "", approved(""), "", "over", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := az.StorageAccount("st").Set("primaryEndpoints", az.Object{"blob": "https://" + name + "/"})
			if test.elsewhere != nil {
				st.Set("privateEndpointConnections", test.elsewhere)
			}
			fw := az.Firewall("fw", "hub/AzureFirewallSubnet", "10.0.0.4", "fw").Set("applicationRuleCollections", []any{az.Object{"name": "app", "properties": az.Object{
				"priority": 100, "action": az.Object{"type": "Allow"},
				"rules": []any{az.Object{"name": "a", "protocols": []any{az.Object{"protocolType": "Https", "port": 443}}, "sourceAddresses": []any{"*"}, "targetFqdns": []any{name}}},
			}}})
			spoke := az.VNet("spoke", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24", "rt=rt"), az.Peering("hub", "forwarded"))
			spoke["properties"].(az.Object)["dhcpOptions"] = az.Object{"dnsServers": []any{"10.0.0.4"}}
			resources := []az.Resource{
				st, fw, spoke, az.VNet("hub", "10.0.0.0/16", az.Subnet("AzureFirewallSubnet", "10.0.0.0/26"), az.Subnet("pe", "10.0.6.0/24"), az.Peering("spoke", "forwarded")),
				az.RouteTable("rt", "0.0.0.0/0 10.0.0.4"), az.PublicIP("fw", "20.0.0.4"), az.NIC("vm", "spoke/s", "10.1.1.5"), az.New("privateDnsZones", zone, nil),
				az.New("privateDnsZones/virtualNetworkLinks", zone+"/l", az.Object{"virtualNetwork": az.Ref("virtualNetworks", "hub"), "registrationEnabled": false}),
			}
			if test.group != "" {
				pe := az.PrivateEndpoint("pe", "hub/pe", "10.0.6.4", st["id"].(string))
				pe["properties"].(az.Object)["privateLinkServiceConnections"].([]any)[0].(az.Object)["properties"].(az.Object)["groupIds"] = []any{test.group}
				resources = append(resources, pe)
			}
			if test.record != "" {
				resources = append(resources, az.New("privateDnsZones/A", zone+"/"+test.record, az.Object{"ttl": 10, "aRecords": []any{az.Object{"ipv4Address": "10.0.6.4"}}}))
			}
			s := written(t, resources, []exampleRow{{from: "nic:vm", to: "service:st", service: "tcp/443"}, {from: "nic:vm", to: "fqdn:" + name}})
			res := trace.Run(s.Project.Estate, s.traceOptions(true), trace.Packet{Src: address("10.1.1.5"), Dst: address("203.0.113.9"), Protocol: model.TCP, SPort: 50000, DPort: 443, Name: name})
			r, err := s.Reach(selectors(t, "nic:vm"), selectors(t, "service:st"), []model.PortService{portService(t, "tcp/443")}, true)
			if err != nil {
				t.Fatal(err)
			}
			for place, want := range map[string]string{"service:st": test.door, "endpoint:pe": test.near} {
				var walked, flooded string
				for _, p := range res.Paths {
					if p.End == trace.Delivered && s.placeRef(p.At) == place {
						if over, under, _ := res.Delivered(p.At); over && under {
							walked = "over under"
						} else if over {
							walked = "over"
						}
					}
				}
				for _, f := range r.Flows {
					if f.To == place && slices.Contains(f.Via, "firewall:fw") {
						flooded = map[Verdict]string{Reachable: "over under", Unknown: "over"}[f.Verdict]
					}
				}
				if walked != want || place == "service:st" && flooded != want {
					t.Errorf("%s: the interpreter says %q, the solver %q, want %q", place, walked, flooded, want)
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
