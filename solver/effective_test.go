package solver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/trace"
)

// effectiveEstate imports resources and solves them. RG/ in the text stands for the resource group's ID.
func effectiveEstate(t *testing.T, tags *model.ServiceTags, resources ...string) *Solution {
	t.Helper()
	e, err := effectiveImport(resources...)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := model.ParseSelectors([]string{"nic:*", "ip:20.60.1.1"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Solve(&model.Project{Estate: e, Tags: tags}, Options{Questions: asked})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func effectiveImport(resources ...string) (*model.Estate, error) {
	text := strings.ReplaceAll("["+strings.Join(resources, ",\n")+"]", `"RG/`, `"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/`)
	az, err := azure.Import(fstest.MapFS{"net.json": {Data: []byte(text)}}, []string{"net.json"})
	if err != nil {
		return nil, err
	}
	return model.NewEstate(az.Resources, az.Ledger)
}

// vnetJSON is a VNet with its subnets; each peer is peered from this side, Connected.
func vnetJSON(name, location string, prefixes []string, peers []string, subnets ...string) string {
	var links []string
	for _, p := range peers {
		links = append(links, fmt.Sprintf(`{"name": "to-%s", "properties": {"peeringState": "Connected", "allowVirtualNetworkAccess": true, "remoteVirtualNetwork": {"id": "RG/virtualNetworks/%s"}}}`, p, p))
	}
	return fmt.Sprintf(`{"id": "RG/virtualNetworks/%s", "type": "Microsoft.Network/virtualNetworks", "location": "%s", "properties": {
		"addressSpace": {"addressPrefixes": ["%s"]}, "virtualNetworkPeerings": [%s], "subnets": [%s]}}`,
		name, location, strings.Join(prefixes, `", "`), strings.Join(links, ", "), strings.Join(subnets, ", "))
}

// subnetJSON is a subnet; more is further properties, each with a comma before it.
func subnetJSON(name, prefix, more string) string {
	return fmt.Sprintf(`{"name": "%s", "properties": {"addressPrefix": "%s"%s}}`, name, prefix, more)
}

func nicJSON(name, subnet, address, more string) string {
	return fmt.Sprintf(`{"id": "RG/networkInterfaces/%s", "type": "Microsoft.Network/networkInterfaces", "properties": {"ipConfigurations": [{"name": "ip",
		"properties": {"primary": true, "privateIPAddress": "%s", "subnet": {"id": "RG/virtualNetworks/%s"}}}]%s}}`, name, address, strings.Replace(subnet, "/", "/subnets/", 1), more)
}

// tableJSON is a route table; each route is `PREFIX HOP [ADDRESS]`.
func tableJSON(name string, routes ...string) string {
	var list []string
	for i, r := range routes {
		f := append(strings.Fields(r), "")
		address := ""
		if f[2] != "" {
			address = fmt.Sprintf(`, "nextHopIpAddress": "%s"`, f[2])
		}
		list = append(list, fmt.Sprintf(`{"name": "r%d", "properties": {"addressPrefix": "%s", "nextHopType": "%s"%s}}`, i+1, f[0], f[1], address))
	}
	return fmt.Sprintf(`{"id": "RG/routeTables/%s", "type": "Microsoft.Network/routeTables", "properties": {"routes": [%s]}}`, name, strings.Join(list, ", "))
}

const withTable = `, "routeTable": {"id": "RG/routeTables/rt"}`

// routesOf prints the effective routes of a NIC, one a line: source, state, prefix, next hop, address.
func routesOf(t *testing.T, s *Solution, nic string) []string {
	t.Helper()
	sel, err := model.ParseSelector(nic)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.EffectiveRoutes(sel)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, x := range r.Routes {
		line := strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", x.Source, x.State, x.Prefix, x.NextHopType, x.NextHopIP))
		if x.Possible {
			line += " (possible)"
		}
		if x.HasBGPOverride {
			line += " (hasBgpOverride)"
		}
		out = append(out, line)
	}
	return out
}

// lookup reads an effective table as a person does: the longest active prefix that holds the address.
func lookup(r *EffectiveRoutes, a netip.Addr) (hops []string) {
	best := -1
	for _, x := range r.Routes {
		p, err := netip.ParsePrefix(x.Prefix)
		if err != nil || x.State != "Active" || !p.Contains(a) || p.Bits() < best {
			continue
		}
		if p.Bits() > best {
			best, hops = p.Bits(), nil
		}
		if h := strings.TrimSpace(x.NextHopType + " " + x.NextHopIP); !slices.Contains(hops, h) {
			hops = append(hops, h)
		}
	}
	return hops
}

// overview is the network of the documentation's overview of user-defined routes (EX-07, EX-08).
func overview(t *testing.T) *Solution {
	t.Helper()
	return effectiveEstate(t, nil,
		vnetJSON("vnet1", "eastus", []string{"10.0.0.0/16"}, []string{"vnet2"},
			subnetJSON("subnet1", "10.0.0.0/24", withTable+`, "serviceEndpoints": [{"service": "Microsoft.Storage", "provisioningState": "Succeeded"}]`),
			subnetJSON("subnet2", "10.0.1.0/24", ""), subnetJSON("appliances", "10.0.100.0/24", ""), subnetJSON("GatewaySubnet", "10.0.255.0/27", "")),
		vnetJSON("vnet2", "eastus", []string{"10.1.0.0/16", "10.2.0.0/16"}, []string{"vnet1"}, subnetJSON("s", "10.1.0.0/24", "")),
		tableJSON("rt", "10.0.0.0/16 VirtualAppliance 10.0.100.4", "10.0.0.0/24 VnetLocal", "10.1.0.0/16 None", "10.2.0.0/16 None",
			"10.10.0.0/16 VirtualAppliance 10.0.100.4", "0.0.0.0/0 VirtualAppliance 10.0.100.4"),
		nicJSON("nic1", "vnet1/subnet1", "10.0.0.5", ""), nicJSON("nic2", "vnet1/subnet2", "10.0.1.5", ""),
		nicJSON("nva", "vnet1/appliances", "10.0.100.4", `, "enableIPForwarding": true`),
		`{"id": "RG/virtualNetworkGateways/vpn", "type": "Microsoft.Network/virtualNetworkGateways", "properties": {"gatewayType": "Vpn", "vpnType": "RouteBased",
			"ipConfigurations": [{"name": "g", "properties": {"subnet": {"id": "RG/virtualNetworks/vnet1/subnets/GatewaySubnet"}}}]}}`,
		`{"id": "RG/localNetworkGateways/site", "type": "Microsoft.Network/localNetworkGateways", "properties": {"localNetworkAddressSpace": {"addressPrefixes": ["10.10.0.0/16"]}}}`,
		`{"id": "RG/connections/site", "type": "Microsoft.Network/connections", "properties": {"connectionType": "IPsec", "connectionStatus": "Connected",
			"virtualNetworkGateway1": {"id": "RG/virtualNetworkGateways/vpn"}, "localNetworkGateway2": {"id": "RG/localNetworkGateways/site"}}}`)
}

// EX-07, Subnet1 of the overview: which system routes the user routes put out of force, and where packets go.
func TestEffectiveEX07(t *testing.T) {
	s := overview(t)
	want := []string{ // doc
		"Default Invalid 0.0.0.0/0 Internet",                                    // 11
		"User Active 0.0.0.0/0 VirtualAppliance 10.0.100.4",                     // 12
		"Default Invalid 10.0.0.0/16 VnetLocal",                                 // 1
		"User Active 10.0.0.0/16 VirtualAppliance 10.0.100.4",                   // 2
		"User Active 10.0.0.0/24 VnetLocal",                                     // 3
		"Default Invalid 10.1.0.0/16 VNetPeering",                               // 4
		"User Active 10.1.0.0/16 None",                                          // 6
		"Default Invalid 10.2.0.0/16 VNetPeering",                               // 5
		"User Active 10.2.0.0/16 None",                                          // 7
		"VirtualNetworkGateway Invalid 10.10.0.0/16 VirtualNetworkGateway",      // 8
		"User Active 10.10.0.0/16 VirtualAppliance 10.0.100.4 (hasBgpOverride)", // 9
		"Default Active Storage VirtualNetworkServiceEndpoint",                  // 10: no list says its prefixes
	}
	if diff := cmp.Diff(want, routesOf(t, s, "nic:nic1")); diff != "" {
		t.Error(diff)
	}
	sel, _ := model.ParseSelector("nic:nic1")
	r, err := s.EffectiveRoutes(sel)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ to, want string }{ // doc
		{"10.0.0.9", "VnetLocal"},
		{"10.0.1.9", "VirtualAppliance 10.0.100.4"},
		{"10.1.0.4", "None"},
		{"10.2.3.4", "None"},
		{"10.10.0.7", "VirtualAppliance 10.0.100.4"},
		{"203.0.113.9", "VirtualAppliance 10.0.100.4"},
		{"192.168.5.5", "VirtualAppliance 10.0.100.4"},
		{"172.16.9.9", "VirtualAppliance 10.0.100.4"},
		{"100.64.1.1", "VirtualAppliance 10.0.100.4"},
		{"10.200.0.1", "VirtualAppliance 10.0.100.4"},
	} {
		if got := strings.Join(lookup(r, netip.MustParseAddr(test.to)), ", "); got != test.want {
			t.Errorf("next hop of %s: got %s, want %s", test.to, got, test.want)
		}
	}
	for _, x := range r.Routes {
		if x.State == "Invalid" && !strings.Contains(x.Why, "displaced by user route r") {
			t.Errorf("%s: got why %q, want the route that displaced it", x.Prefix, x.Why)
		}
	}
}

// EX-08, Subnet2 of the same network: no route table; the reserved prefixes go nowhere.
func TestEffectiveEX08(t *testing.T) {
	s := overview(t)
	sel, _ := model.ParseSelector("nic:nic2")
	r, err := s.EffectiveRoutes(sel)
	if err != nil {
		t.Fatal(err)
	}
	got := routesOf(t, s, "nic:nic2")
	for _, want := range []string{ // doc; 172.16.0.0/12 der
		"Default Active 10.0.0.0/16 VnetLocal", "Default Active 10.1.0.0/16 VNetPeering", "Default Active 10.2.0.0/16 VNetPeering",
		"VirtualNetworkGateway Active 10.10.0.0/16 VirtualNetworkGateway", "Default Active 0.0.0.0/0 Internet", "Default Active 10.0.0.0/8 None",
		"Default Active 100.64.0.0/10 None", "Default Active 192.168.0.0/16 None", "Default Active 172.16.0.0/12 None (possible)",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, strings.Join(got, "\n"))
		}
	}
	for _, test := range []struct{ to, want string }{
		{"10.0.0.9", "VnetLocal"}, {"10.1.0.4", "VNetPeering"}, {"10.10.0.7", "VirtualNetworkGateway"}, {"10.200.0.1", "None"}, {"203.0.113.9", "Internet"},
	} {
		if got := strings.Join(lookup(r, netip.MustParseAddr(test.to)), ", "); got != test.want {
			t.Errorf("next hop of %s: got %s, want %s", test.to, got, test.want)
		}
	}
	// AZ-RT-02: seventeen None routes, those beyond the documented ones marked.
	nones, marked := 0, 0
	for _, x := range r.Routes {
		if x.NextHopType == "None" {
			nones++
			if strings.Contains(x.Why, "not documented") && x.Possible {
				marked++
			}
		}
	}
	if nones != 17 || marked != 13 {
		t.Errorf("got %d None routes, %d marked; want 17 and 13", nones, marked)
	}
}

// EX-09: the longest prefix first, then user before system.
func TestEffectiveEX09(t *testing.T) {
	build := func(routes ...string) *EffectiveRoutes {
		s := effectiveEstate(t, nil, vnetJSON("v", "eastus", []string{"10.9.0.0/16"}, nil, subnetJSON("s", "10.9.0.0/24", withTable)), tableJSON("rt", routes...), nicJSON("n", "v/s", "10.9.0.4", ""))
		sel, _ := model.ParseSelector("nic:n")
		r, err := s.EffectiveRoutes(sel)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, test := range []struct {
		table    []string
		to, want string
	}{ // doc
		{[]string{"10.0.0.0/24 VirtualAppliance 10.9.0.11", "10.0.0.0/16 VirtualAppliance 10.9.0.12"}, "10.0.0.5", "VirtualAppliance 10.9.0.11"},
		{[]string{"10.0.0.0/24 VirtualAppliance 10.9.0.11", "10.0.0.0/16 VirtualAppliance 10.9.0.12"}, "10.0.1.5", "VirtualAppliance 10.9.0.12"},
		{[]string{"0.0.0.0/0 VirtualNetworkGateway"}, "203.0.113.9", "VirtualNetworkGateway"},
	} {
		if got := strings.Join(lookup(build(test.table...), netip.MustParseAddr(test.to)), ", "); got != test.want {
			t.Errorf("%v: next hop of %s: got %s, want %s", test.table, test.to, got, test.want)
		}
	}
}

// EX-11: a supernet route does not divert what goes to a peer (AZ-RT-23).
func TestEffectiveEX11(t *testing.T) {
	for _, test := range []struct{ prefix, want string }{ // der
		{"0.0.0.0/0", "VNetPeering"}, {"10.0.0.0/8", "VNetPeering"}, {"10.1.0.0/16", "VirtualAppliance 10.1.0.4"}, {"10.1.5.0/24", "VirtualAppliance 10.1.0.4"},
	} {
		s := effectiveEstate(t, nil,
			vnetJSON("spoke", "eastus", []string{"10.2.0.0/16"}, []string{"hub"}, subnetJSON("s", "10.2.0.0/24", withTable)),
			vnetJSON("hub", "eastus", []string{"10.1.0.0/16"}, []string{"spoke"}, subnetJSON("fw", "10.1.0.0/24", "")),
			tableJSON("rt", test.prefix+" VirtualAppliance 10.1.0.4"), nicJSON("n", "spoke/s", "10.2.0.4", ""), nicJSON("fw", "hub/fw", "10.1.0.4", `, "enableIPForwarding": true`))
		sel, _ := model.ParseSelector("nic:n")
		r, err := s.EffectiveRoutes(sel)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(lookup(r, netip.MustParseAddr("10.1.5.5")), ", "); got != test.want {
			t.Errorf("route %s, next hop of 10.1.5.5: got %s, want %s", test.prefix, got, test.want)
		}
	}
}

// rulesAt is the effective rules of a NIC.
func rulesAt(t *testing.T, s *Solution, nic string) *EffectiveRules {
	t.Helper()
	sel, err := model.ParseSelector(nic)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.EffectiveRules(sel)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// expandedOf is the expanded source of the rule of a name, or of its destination where the source is not expanded.
func expandedOf(t *testing.T, r *EffectiveRules, name string) []string {
	t.Helper()
	for _, x := range r.Rules {
		if x.Name == name {
			if len(x.ExpandedSources) > 0 {
				return x.ExpandedSources
			}
			return x.ExpandedDestinations
		}
	}
	t.Fatalf("no rule %s", name)
	return nil
}

const withNSG = `, "networkSecurityGroup": {"id": "RG/networkSecurityGroups/nsg"}`

// nsgJSON is an NSG; each rule is `NAME PRIORITY In|Out Allow|Deny PROTOCOL SOURCE DESTINATION PORTS`.
func nsgJSON(name string, rules ...string) string {
	var list []string
	for _, r := range rules {
		f := strings.Fields(r)
		list = append(list, fmt.Sprintf(`{"name": "%s", "properties": {"priority": %s, "direction": "%sbound", "access": "%s", "protocol": "%s",
			"sourceAddressPrefix": "%s", "sourcePortRange": "*", "destinationAddressPrefix": "%s", "destinationPortRange": "%s"}}`, f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]))
	}
	return fmt.Sprintf(`{"id": "RG/networkSecurityGroups/%s", "type": "Microsoft.Network/networkSecurityGroups", "properties": {"securityRules": [%s]}}`, name, strings.Join(list, ", "))
}

// EX-12: what the tags hold as Azure prints them.
func TestEffectiveEX12(t *testing.T) {
	lone := rulesAt(t, effectiveEstate(t, nil, vnetJSON("v", "eastus", []string{"10.1.0.0/24"}, nil, subnetJSON("s", "10.1.0.0/26", withNSG)), nsgJSON("nsg"), nicJSON("n", "v/s", "10.1.0.4", "")), "nic:n")
	more := rulesAt(t, effectiveEstate(t, nil,
		vnetJSON("v", "eastus", []string{"10.9.0.0/16"}, []string{"a", "b"}, subnetJSON("s", "10.9.0.0/24", withNSG)),
		vnetJSON("a", "eastus", []string{"10.0.0.0/16"}, []string{"v"}), vnetJSON("b", "eastus", []string{"10.1.0.0/16"}, []string{"v"}), nsgJSON("nsg"), nicJSON("n", "v/s", "10.9.0.4", "")), "nic:n")
	for _, test := range []struct {
		rules      *EffectiveRules
		rule, want string
	}{ // doc
		{lone, "defaultSecurityRules/AllowVnetInBound", "10.1.0.0/24 168.63.129.16/32"},
		{more, "defaultSecurityRules/AllowVnetInBound", "10.9.0.0/16 168.63.129.16/32 10.0.0.0/16 10.1.0.0/16"},
		{lone, "defaultSecurityRules/AllowAzureLoadBalancerInBound", "168.63.129.16/32"},
		{lone, "defaultSecurityRules/AllowInternetOutBound", "1.0.0.0/8 2.0.0.0/7 4.0.0.0/6 8.0.0.0/7 11.0.0.0/8 12.0.0.0/6"},
	} {
		got := strings.Join(expandedOf(t, test.rules, test.rule), " ")
		if test.rule == "defaultSecurityRules/AllowInternetOutBound" {
			got = got[:min(len(got), len(test.want))] // the documentation prints how the list begins
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.rule, got, test.want)
		}
	}
	if len(lone.VirtualNetwork.Possible) > 0 {
		t.Errorf("a lone VNet: got possible parts %v, want none", lone.VirtualNetwork.Possible)
	}
}

// EX-25: service tags that share a prefix.
func TestEffectiveEX25(t *testing.T) {
	p := netip.MustParsePrefix("20.60.0.0/16")
	tags := &model.ServiceTags{ChangeNumber: 42}
	for _, name := range []string{"AzureCloud", "AzureCloud.eastus", "Storage", "Storage.EastUS"} {
		tags.Tags = append(tags.Tags, model.ServiceTag{Name: name, Prefixes: []netip.Prefix{p}})
	}
	// The better route has the higher address, so that no order of addresses can decide in its place.
	all := []string{
		p.String() + " VirtualAppliance 10.9.0.15", "Storage.EastUS VirtualAppliance 10.9.0.14", "Storage VirtualAppliance 10.9.0.13",
		"AzureCloud.eastus VirtualAppliance 10.9.0.12", "AzureCloud VirtualAppliance 10.9.0.11",
	}
	for i := range all { // doc: the first that is there wins
		s := effectiveEstate(t, tags, vnetJSON("v", "eastus", []string{"10.9.0.0/16"}, nil, subnetJSON("s", "10.9.0.0/24", withTable)), tableJSON("rt", all[i:]...), nicJSON("n", "v/s", "10.9.0.4", ""))
		sel, _ := model.ParseSelector("nic:n")
		r, err := s.EffectiveRoutes(sel)
		if err != nil {
			t.Fatal(err)
		}
		want := "VirtualAppliance " + strings.Fields(all[i])[2]
		if got := strings.Join(lookup(r, netip.MustParseAddr("20.60.1.1")), ", "); got != want {
			t.Errorf("%v: got %s, want %s", all[i:], got, want)
		}
		// What is printed is what is proved: the trace, and the solver's graph, take the same hop.
		if got := nextHop(t, s, "ip:20.60.1.1"); got != want {
			t.Errorf("%v: the packet takes %s, want %s", all[i:], got, want)
		}
	}
}

// EX-25 in the solver's graph: the routes are such that a wrong winner would let the packet out.
func TestEffectiveEX25Graph(t *testing.T) {
	p := netip.MustParsePrefix("20.60.0.0/16")
	tags := &model.ServiceTags{ChangeNumber: 42, Tags: []model.ServiceTag{{Name: "AzureCloud", Prefixes: []netip.Prefix{p}}, {Name: "Storage", Prefixes: []netip.Prefix{p}}}}
	for _, test := range []struct {
		table []string
		want  string
	}{
		{[]string{p.String() + " None", "Storage Internet"}, "unreachable"},
		{[]string{"Storage None", "AzureCloud Internet"}, "unreachable"},
		{[]string{"Storage Internet", "AzureCloud None"}, "reachable"},
	} {
		s := effectiveEstate(t, tags, vnetJSON("v", "eastus", []string{"10.9.0.0/16"}, nil, subnetJSON("s", "10.9.0.0/24", withTable+`, "defaultOutboundAccess": true`)),
			tableJSON("rt", test.table...), nicJSON("n", "v/s", "10.9.0.4", ""))
		sels, _ := model.ParseSelectors([]string{"nic:n", "ip:20.60.1.1"})
		svc, _ := model.ParsePortService("tcp/443")
		r, err := s.Reach(sels[:1], sels[1:], []model.PortService{svc}, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Verdict.String(); got != test.want {
			t.Errorf("%v: got %s, want %s", test.table, got, test.want)
		}
	}
}

// What is printed is what a packet takes: the longest active row is the hop of the interpreter, for addresses of every class.
func TestEffectiveRoutesAreTaken(t *testing.T) {
	for name, p := range map[string]*model.Project{"aks-pci": project(t, "../examples/aks-pci"), "aks-pci-broken": project(t, "../examples/aks-pci-broken"), "overview": overview(t).Project} {
		t.Run(name, func(t *testing.T) {
			s, err := Solve(p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			u := s.graph.Universe
			checked := 0
			for _, o := range s.graph.Origins {
				if o.Site.Place.Kind != model.PlaceNIC && o.Site.Place.Kind != model.PlaceSubnet || o.Site.Subnet == "" {
					continue
				}
				kind := model.SelSubnet
				r, _ := p.Estate.Lookup(o.Site.Place.ID)
				if o.Site.Place.Kind == model.PlaceNIC {
					kind = model.SelNIC
				}
				sel := model.Selector{Kind: kind, Parts: []string{string(r.ResourceID())}, Whole: true}
				table, err := s.EffectiveRoutes(sel)
				if err != nil {
					t.Fatal(err)
				}
				for c := range u.Classes() {
					to := u.Example(uint32(c))
					if model.SymbolBlock().Contains(to) || !to.Is4() || to == netip.MustParseAddr("168.63.129.16") || to == netip.MustParseAddr("169.254.169.254") {
						continue
					}
					res := trace.Run(p.Estate, s.traceOptions(true), trace.Packet{From: o.Site.Place, Src: o.Prefixes[0].Addr(), Dst: to, Protocol: model.TCP, SPort: 50000, DPort: 443})
					var taken []string
					for _, path := range res.Paths {
						for _, h := range path.Hops {
							if h.Route != nil {
								hop := string(h.Route.NextHopType)
								if h.Route.NextHopIP.IsValid() {
									hop += " " + h.Route.NextHopIP.String()
								}
								if !slices.Contains(taken, hop) {
									taken = append(taken, hop)
								}
								break
							}
						}
					}
					if len(taken) == 0 {
						continue // the packet never reached a route
					}
					checked++
					for _, hop := range lookup(table, to) {
						if !slices.Contains(taken, hop) {
							t.Errorf("%s to %s: the table says %s, the packet takes %v", o.Site.Place.ID.ShortName(), to, hop, taken)
						}
					}
				}
			}
			if checked < 50 {
				t.Errorf("only %d lookups were compared", checked)
			}
		})
	}
}

// nextHop is the route that a packet of nic:n takes.
func nextHop(t *testing.T, s *Solution, to string) string {
	t.Helper()
	sels, err := model.ParseSelectors([]string{"nic:n", to})
	if err != nil {
		t.Fatal(err)
	}
	svc, _ := model.ParsePortService("tcp/443")
	tr, err := s.Trace(sels[:1], sels[1:], svc, "", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range tr.Hops {
		if h.NextHopType != "" {
			return strings.TrimSpace(h.NextHopType + " " + h.NextHopIP)
		}
	}
	return ""
}

// AZ-RT-24, AZ-RT-25: routes of one prefix that nothing ranks may all be used; here two peers of one VNet have the same range.
func TestRoutesThatNothingRanks(t *testing.T) {
	s := effectiveEstate(t, nil,
		vnetJSON("v", "eastus", []string{"10.0.0.0/16"}, []string{"a", "b"}, subnetJSON("s", "10.0.0.0/24", "")),
		vnetJSON("a", "eastus", []string{"10.5.0.0/16"}, []string{"v"}, subnetJSON("s", "10.5.0.0/24", "")),
		vnetJSON("b", "eastus", []string{"10.5.0.0/16"}, []string{"v"}, subnetJSON("s", "10.5.0.0/24", "")),
		nicJSON("n", "v/s", "10.0.0.4", ""), nicJSON("na", "a/s", "10.5.0.4", ""), nicJSON("nb", "b/s", "10.5.0.4", ""))
	for _, to := range []string{"nic:na", "nic:nb"} {
		if got := verdictOf(t, s, "nic:n", to, "tcp/443").Verdict.String(); got != "unknown" {
			t.Errorf("nic:n to %s: got %s, want unknown: either peer may take the packet", to, got)
		}
	}
	agree(t, s, 1000, 5)
}

// detailAt is what the hop of a stage says beside its rule.
func detailAt(t *testing.T, s *Solution, from, to, service, stage string) string {
	t.Helper()
	sels, err := model.ParseSelectors([]string{from, to})
	if err != nil {
		t.Fatal(err)
	}
	svc, err := model.ParsePortService(service)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := s.Trace(sels[:1], sels[1:], svc, "", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range tr.Hops {
		if h.Stage == stage {
			return h.Detail
		}
	}
	t.Fatalf("no hop of stage %s in %v", stage, tr.Hops)
	return ""
}

// AZ-TAG-01: an answer that used the VirtualNetwork tag prints what the tag holds at that NIC, what is certain before what is possible;
// one that used a published list names it.
func TestDetailsOfTags(t *testing.T) {
	tags := &model.ServiceTags{ChangeNumber: 42, Tags: []model.ServiceTag{{Name: "Storage", Prefixes: []netip.Prefix{netip.MustParsePrefix("20.60.0.0/16")}}}}
	vnets := []string{
		vnetJSON("v", "eastus", []string{"10.0.0.0/16"}, []string{"p"}, subnetJSON("s", "10.0.0.0/24", withNSG), subnetJSON("r", "10.0.1.0/24", withNSG+withTable)),
		vnetJSON("p", "eastus", []string{"10.5.0.0/16"}, []string{"v"}, subnetJSON("s", "10.5.0.0/24", "")),
		tableJSON("rt", "0.0.0.0/0 VirtualAppliance 10.5.0.9", "192.0.2.0/24 None"), nicJSON("n", "v/s", "10.0.0.4", ""), nicJSON("m", "v/r", "10.0.1.4", ""), nicJSON("far", "p/s", "10.5.0.4", ""),
		nsgJSON("nsg", "Out 100 Out Allow Tcp * Storage 443"),
	}
	for _, test := range []struct {
		name, from, to, stage, want string
		more                        []string
	}{
		{"a lone answer", "nic:n", "nic:far", "subnet-nsg-outbound", "VirtualNetwork holds 10.0.0.0/16, 10.5.0.0/16, 168.63.129.16", nil},
		{"behind a default route", "nic:m", "nic:far", "subnet-nsg-outbound", "VirtualNetwork holds 10.0.0.0/16, 10.5.0.0/16, 168.63.129.16, possibly 192.0.2.0/24 (user routes), possibly 0.0.0.0/0 (the default route)", nil},
		{
			"by effective rules", "nic:m", "nic:far", "subnet-nsg-outbound", "VirtualNetwork holds 10.0.0.0/16, 10.5.0.0/16, 168.63.129.16, by imported effective rules",
			[]string{`{"value": [` + effectiveRulesJSON(`"networkInterface": {"id": "RG/networkInterfaces/m"}`, "10.0.0.0/16 10.5.0.0/16 168.63.129.16/32", "") + `]}`},
		},
		{"a published list", "nic:n", "ip:20.60.1.1", "subnet-nsg-outbound", "Storage by change number 42 of the service tags", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := detailAt(t, effectiveEstate(t, tags, append(vnets, test.more...)...), test.from, test.to, "tcp/443", test.stage); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// AZ-TAG-09: without a list a tag is a symbol, and an answer says that the far end is in it.
func TestAnswersNameSymbolicTags(t *testing.T) {
	s := effectiveEstate(t, nil, vnetJSON("v", "eastus", []string{"10.0.0.0/16"}, nil, subnetJSON("s", "10.0.0.0/24", withNSG+`, "defaultOutboundAccess": true`)), nicJSON("n", "v/s", "10.0.0.4", ""),
		nsgJSON("nsg", "Monitor 100 Out Allow Tcp * AzureMonitor 443", "Rest 200 Out Deny * * * *"))
	r := verdictOf(t, s, "nic:n", "internet", "tcp/443")
	if len(r.Flows) == 0 {
		t.Fatalf("got %+v", r)
	}
	for _, f := range r.Flows {
		for _, p := range f.Packets {
			if !slices.Contains(p.Tags, "AzureMonitor") {
				t.Errorf("got %v, want internet in tag AzureMonitor", p)
			}
		}
	}
}

// AZ-AVNM-01, AZ-AVNM-14: security admin rules come before the groups; those that are not known to be deployed are marked.
func TestEffectiveAdminRules(t *testing.T) {
	const manager = "RG/networkManagers/nm"
	admin := `{"id": "` + manager + `", "type": "Microsoft.Network/networkManagers", "properties": {"networkManagerScopeAccesses": ["SecurityAdmin"],
			"networkManagerScopes": {"subscriptions": ["/subscriptions/00000000-0000-0000-0000-000000000001"]}}},
		{"id": "` + manager + `/networkGroups/all", "type": "Microsoft.Network/networkManagers/networkGroups", "properties": {}},
		{"id": "` + manager + `/networkGroups/all/staticMembers/v", "type": "Microsoft.Network/networkManagers/networkGroups/staticMembers", "properties": {"resourceId": "RG/virtualNetworks/v"}},
		{"id": "` + manager + `/securityAdminConfigurations/sec", "type": "Microsoft.Network/networkManagers/securityAdminConfigurations", "properties": {}},
		{"id": "` + manager + `/securityAdminConfigurations/sec/ruleCollections/base", "type": "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections",
			"properties": {"appliesToGroups": [{"networkGroupId": "` + manager + `/networkGroups/all"}]}},
		{"id": "` + manager + `/securityAdminConfigurations/sec/ruleCollections/base/rules/NoSsh", "type": "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules", "kind": "Custom",
			"properties": {"direction": "Inbound", "access": "Deny", "protocol": "Tcp", "priority": 10, "sources": [{"addressPrefix": "Internet", "addressPrefixType": "ServiceTag"}],
			"destinations": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}], "sourcePortRanges": ["0-65535"], "destinationPortRanges": ["22"]}}`
	estate := func(more ...string) *EffectiveRules {
		return rulesAt(t, effectiveEstate(t, nil, append([]string{
			vnetJSON("v", "eastus", []string{"10.0.0.0/16"}, nil, subnetJSON("s", "10.0.0.0/24", withNSG)), nicJSON("n", "v/s", "10.0.0.4", ""), nsgJSON("nsg"),
		}, more...)...), "nic:n")
	}
	first := func(r *EffectiveRules) string {
		x := r.Rules[0]
		return fmt.Sprintf("%s %s %s %s %d %s %s %v possible=%v", x.Layer, x.NSG, x.Name, x.Direction, x.Priority, x.Access, x.Protocol, x.DestinationPorts, x.Possible)
	}
	if got, want := first(estate(admin)), "admin nm sec/base/NoSsh Inbound 10 Deny Tcp [22] possible=true"; got != want {
		t.Errorf("rules that may be deployed: got %s, want %s", got, want)
	}
	effective := `{"virtualNetwork": "RG/virtualNetworks/v", "operation": "listNetworkManagerEffectiveSecurityAdminRules", "value": []}`
	if got := estate(admin, effective).Rules[0].Layer; got != "subnet" {
		t.Errorf("no rule is in force: got a rule of layer %s first, want the subnet's", got)
	}
}
