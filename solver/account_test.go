package solver

import (
	"testing"

	"github.com/ringfence/ringfence/importers/azure"
	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// AZ-AGW-05, AZ-FW-33, AZ-AFD-01: a back end, a translation or an origin by name may be an account of which the input does not state the names,
// and by public address any account. Its own rules stand before what is relayed to it.
func TestAccountsBehindRelays(t *testing.T) {
	const yes, no, open = "reachable", "unreachable", "unknown"
	account := func(named bool, rule string) az.Resource {
		r := az.StorageAccount("st")
		if !named {
			r.Set(".location", "unnamed") // as the type of an account of which no name is known
		}
		switch {
		case rule == "shut":
			r.Set("publicNetworkAccess", "Disabled")
		case rule != "":
			r.Set("networkAcls", az.Object{"defaultAction": "Deny", "ipRules": []any{az.Object{"value": rule, "action": "Allow"}}})
		}
		return r
	}
	net := func(more ...az.Resource) []az.Resource {
		return append([]az.Resource{
			az.VNet("net", "10.1.0.0/16", az.Subnet("agw", "10.1.2.0/24"), az.Subnet("AzureFirewallSubnet", "10.1.9.0/26")), az.PublicIP("agw", "20.0.0.7"), az.PublicIP("fw", "20.0.0.4"),
		}, more...)
	}
	gateway := func(member string) []az.Resource {
		return net(az.AppGateway("agw", "net/agw", "frontend public pip=agw", "listener web public:443 Https", "rule web -> "+member+":443"))
	}
	dnat := func(field, target string) []az.Resource {
		return net(az.Firewall("fw", "net/AzureFirewallSubnet", "10.1.9.4", "fw").Set("natRuleCollections", []any{az.Object{"name": "nat", "properties": az.Object{
			"priority": 100, "action": az.Object{"type": "Dnat"}, "rules": []any{az.Object{
				"name": "in", "protocols": []any{"TCP"}, "sourceAddresses": []any{"*"}, "destinationAddresses": []any{"20.0.0.4"}, "destinationPorts": []any{"443"}, field: target, "translatedPort": "443",
			}},
		}}}))
	}
	door := func(host string) []az.Resource {
		return az.FrontDoor("fd", "0f0f", "endpoint shop", "group g", "origin g o "+host, "route shop r -> g")
	}
	for _, test := range []struct {
		name    string
		relay   []az.Resource
		account az.Resource
		from    string
		want    string
		says    string
	}{
		{"a gateway, by the account's name", gateway("st.blob.core.windows.net"), account(true, ""), "internet", yes, ""},
		{"which its rules do not admit", gateway("st.blob.core.windows.net"), account(true, "198.51.100.0/24"), "appgw:agw", no, ""},
		{"which is shut", gateway("st.blob.core.windows.net"), account(true, "shut"), "appgw:agw", no, ""},
		{"a gateway, by a name that may be the account's", gateway("search.example.net"), account(false, ""), "appgw:agw", open, "MISSING(host names of st)"},
		{"which is shut", gateway("search.example.net"), account(false, "shut"), "appgw:agw", no, ""},
		{"a gateway, by the name of another account", gateway("search.example.net"), account(true, ""), "appgw:agw", no, ""},
		{"a gateway, by a public address", gateway("203.0.113.80"), account(true, ""), "appgw:agw", open, "MISSING(public address of st)"},
		{"which does not admit the gateway", gateway("203.0.113.80"), account(true, "198.51.100.0/24"), "appgw:agw", no, ""},
		{"a gateway, by an address of the estate", gateway("20.0.0.4"), account(true, ""), "appgw:agw", no, ""},
		{"a translation, by a name that may be the account's", dnat("translatedFqdn", "search.example.net"), account(false, ""), "internet", yes, ""}, // the internet reaches its door by itself
		{"a translation, of an account that admits the firewall alone", dnat("translatedAddress", "203.0.113.80"), account(true, "20.0.0.4"), "internet", open, "MISSING(public address of st)"},
		{"a translation to a machine's address", dnat("translatedAddress", "10.1.2.5"), account(true, "20.0.0.4"), "internet", no, ""},
		{"Front Door, by a name that may be the account's", door("search.example.net"), account(false, ""), "frontdoor:fd", open, ""},
		{"Front Door, by a public address", door("203.0.113.80"), account(true, ""), "frontdoor:fd", open, "MISSING(public address of st)"},
		{"Front Door, of an account that is shut", door("203.0.113.80"), account(true, "shut"), "frontdoor:fd", no, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			fsys := az.FS(append(test.relay, test.account)...)
			in, err := azure.Import(fsys, az.Files(fsys))
			if err != nil {
				t.Fatal(err)
			}
			e, err := model.NewEstate(in.Resources, in.Ledger)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range e.Services {
				if x.Location == "unnamed" {
					x.Location, x.Hosts = "westeurope", nil
				}
			}
			s, err := Solve(&model.Project{Estate: e}, Options{Questions: append(selectors(t, test.from), selectors(t, "service:st")...)})
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Reach(selectors(t, test.from), selectors(t, "service:st"), []model.PortService{portService(t, "tcp/443")}, false)
			if err != nil {
				t.Fatal(err)
			}
			named := test.says == ""
			for _, a := range r.Assumptions {
				named = named || a.ID == test.says
			}
			if r.Verdict.String() != test.want || !named {
				t.Errorf("%s to the account: got %s %v, want %s %s", test.from, r.Verdict, r.Assumptions, test.want, test.says)
			}
			agree(t, s, 600, 7)
		})
	}
}
