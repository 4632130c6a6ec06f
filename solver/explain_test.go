package solver

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

const (
	dbIsShut = `"access": "Deny", "description": "db: all else"`
	dbOpened = `"access": "Allow", "description": "db: all else"`
	webTable = `,
        "routeTable": {"id": "RG/Microsoft.Network/routeTables/rt-web"}`
	stranger = `"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
      "subnets": [
        {"id": "RG/Microsoft.Network/virtualNetworks/vnet-stranger/subnets/web", "name": "web", "properties": {"addressPrefix": "10.1.1.0/24"}},
        {"id": "RG/Microsoft.Network/virtualNetworks/vnet-stranger/subnets/app", "name": "app", "properties": {"addressPrefix": "10.1.2.0/24"}}
      ]`
	// The stranger moves to addresses of its own, so that it could be peered.
	moved = `"addressSpace": {"addressPrefixes": ["10.2.0.0/16"]},
      "subnets": [
        {"id": "RG/Microsoft.Network/virtualNetworks/vnet-stranger/subnets/web", "name": "web", "properties": {"addressPrefix": "10.2.1.0/24"}},
        {"id": "RG/Microsoft.Network/virtualNetworks/vnet-stranger/subnets/app", "name": "app", "properties": {"addressPrefix": "10.2.2.0/24"}}
      ]`
	hubPeering = `"virtualNetworkPeerings": [{"name": "hub",`
)

// peered is the peering of a VNet with another, as an element of its list.
func peered(name, remote, prefix, state string) string {
	return `{"name": "` + name + `", "properties": {"remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/` + remote + `"},
      "remoteAddressSpace": {"addressPrefixes": ["` + prefix + `"]}, "peeringState": "` + state + `", "allowVirtualNetworkAccess": true, "allowForwardedTraffic": false,
      "allowGatewayTransit": false, "useRemoteGateways": false}}`
}

// peeredShop peers the moved stranger with the shop, its own side in some state.
func peeredShop(state string) []string {
	return []string{
		stranger, moved + `, "virtualNetworkPeerings": [` + peered("shop", "vnet-shop", "10.1.0.0/16", state) + `]`,
		hubPeering, `"virtualNetworkPeerings": [` + peered("stranger", "vnet-stranger", "10.2.0.0/16", "Connected") + `, {"name": "hub",`,
	}
}

// publicNIC adds a NIC with a Standard public address to the stranger's web subnet, where no NSG stands.
func publicNIC(nsg string) []string {
	return []string{"[\n  {\n    \"id\": \"RG/Microsoft.Network/virtualNetworks/vnet-hub\"", `[
  {"id": "RG/Microsoft.Network/publicIPAddresses/pip-vm", "location": "westeurope", "type": "Microsoft.Network/publicIPAddresses", "name": "pip-vm", "sku": {"name": "Standard"},
   "properties": {"ipAddress": "20.1.1.2", "publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"}},
  {"id": "RG/Microsoft.Network/networkInterfaces/nic-vm", "location": "westeurope", "type": "Microsoft.Network/networkInterfaces", "name": "nic-vm",
   "properties": {` + nsg + `"ipConfigurations": [{"name": "a", "properties": {"privateIPAddress": "10.1.1.9", "privateIPAddressVersion": "IPv4", "primary": true,
     "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet-stranger/subnets/web"}, "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-vm"}}}]}},
  {
    "id": "RG/Microsoft.Network/virtualNetworks/vnet-hub"`}
}

// endpointTo adds a server with a private endpoint in the shop's app subnet, whose connection is in some state.
func endpointTo(state string) []string {
	return []string{"[\n  {\n    \"id\": \"RG/Microsoft.Network/virtualNetworks/vnet-hub\"", `[
  {"id": "RG/Microsoft.Sql/servers/sql", "location": "westeurope", "type": "Microsoft.Sql/servers", "name": "sql", "properties": {"publicNetworkAccess": "Disabled"}},
  {"id": "RG/Microsoft.Network/privateEndpoints/pe-sql", "location": "westeurope", "type": "Microsoft.Network/privateEndpoints", "name": "pe-sql",
   "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet-shop/subnets/app"},
     "privateLinkServiceConnections": [{"name": "sql", "properties": {"privateLinkServiceId": "RG/Microsoft.Sql/servers/sql", "groupIds": ["sqlServer"],
       "privateLinkServiceConnectionState": {"status": "` + state + `"}}}],
     "ipConfigurations": [{"name": "a", "properties": {"groupId": "sqlServer", "memberName": "sqlServer", "privateIPAddress": "10.1.2.9"}}]}},
  {
    "id": "RG/Microsoft.Network/virtualNetworks/vnet-hub"`}
}

// explained solves the small estate so that answers are explained, and asks one question of it.
func explained(t *testing.T, from, to, service string, direct bool, replace ...string) (*Solution, *Reach) {
	t.Helper()
	p := shopProject(t, "  - {id: x, deny: {from: zone:web, to: zone:db}}\n", replace...)
	a, b := selectors(t, from), selectors(t, to)
	s, err := Solve(p, Options{AsOf: p.Intent.AsOf, Explain: true, Questions: slices.Concat(a, b)})
	if err != nil {
		t.Fatal(err)
	}
	return s, answer(t, s, a, b, service, direct)
}

func answer(t *testing.T, s *Solution, a, b []model.Selector, service string, direct bool) *Reach {
	t.Helper()
	svc, err := model.ParsePortService(service)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Reach(a, b, []model.PortService{svc}, direct)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// setTexts prints the sets of an explanation.
func setTexts(e *Explanation) []string {
	out := []string{}
	for _, set := range e.Sets {
		var words []string
		for _, c := range set {
			w := c.Rule
			if w == "" {
				w = c.Detail
			}
			words = append(words, c.Kind+" "+w)
		}
		slices.Sort(words)
		out = append(out, strings.Join(words, " + "))
	}
	slices.Sort(out)
	return out
}

// What would have to change, on the small estate; and the change, made in the input, turns the verdict.
func TestExplain(t *testing.T) {
	const rest = "rule nsg-db/securityRules/Rest"
	for _, test := range []struct {
		name              string
		from, to, service string
		replace           []string
		want              Verdict
		sets              []string
		blocked           []string   // rules or details among blockedBy
		fixes             [][]string // each makes it reachable, or unreachable
	}{
		{
			name: "one rule", from: "zone:web", to: "zone:db", service: "tcp/1433", want: Unreachable,
			sets: []string{rest}, blocked: []string{"nsg-db/securityRules/Rest"}, fixes: [][]string{{dbIsShut, dbOpened}},
		},
		{
			name: "a rule and a firewall, or the route to it", from: "zone:web", to: "zone:db", service: "tcp/1433", want: Unreachable,
			replace: []string{`"action": {"type": "Allow"}`, `"action": {"type": "Deny"}`},
			sets:    []string{"rule fw/net/web-app + " + rest, rest + " + setting rt-web/routes/vnet"},
			blocked: []string{"fw/net/web-app", "nsg-db/securityRules/Rest"},
			fixes:   [][]string{{dbIsShut, dbOpened, `"action": {"type": "Deny"}`, `"action": {"type": "Allow"}`}, {dbIsShut, dbOpened, webTable, ""}},
		},
		{
			name: "a firewall without a rule", from: "zone:web", to: "zone:app", service: "tcp/443", want: Unreachable,
			replace: []string{`"destinationAddresses": ["10.1.0.0/16"]`, `"destinationAddresses": ["10.9.0.0/16"]`},
			sets:    []string{"rule no rule allows the flow (AZ-FW-05)", "setting rt-web/routes/vnet"},
			blocked: []string{"no rule allows the flow (AZ-FW-05)"}, fixes: [][]string{{webTable, ""}},
		},
		{
			name: "one rule on both sides counts once", from: "zone:web", to: "zone:app", service: "tcp/443", want: Unreachable,
			replace: []string{webTable, "", `"properties": {"securityRules": []}`, `"properties": {"securityRules": [
        {"name": "NoOut", "properties": {"priority": 100, "direction": "Outbound", "access": "Deny", "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*",
          "destinationAddressPrefix": "*", "destinationPortRange": "*"}}, {"name": "NoIn", "properties": {"priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "Tcp",
          "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "443"}}]}`},
			sets: []string{"rule nsg-web/securityRules/NoIn + rule nsg-web/securityRules/NoOut"}, blocked: []string{"nsg-web/securityRules/NoIn", "nsg-web/securityRules/NoOut"},
			fixes: [][]string{{`"access": "Deny", "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*",
          "destinationAddressPrefix": "*"`, `"access": "Allow", "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*",
          "destinationAddressPrefix": "*"`, `"access": "Deny", "protocol": "Tcp",
          "sourceAddressPrefix": "*"`, `"access": "Allow", "protocol": "Tcp",
          "sourceAddressPrefix": "*"`}},
		},
		{
			name: "a peering that is not there, whose tag opens the NSG too", from: "subnet:vnet-stranger/web", to: "zone:app", service: "tcp/443", want: Unreachable,
			replace: []string{stranger, moved}, sets: []string{"setting vnet-shop and vnet-stranger are not peered"}, fixes: [][]string{peeredShop("Connected")[1:]},
		},
		{
			name: "a peering that is cut on one side", from: "subnet:vnet-stranger/web", to: "zone:app", service: "tcp/443", want: Unreachable,
			replace: peeredShop("Disconnected"), sets: []string{"setting vnet-stranger/virtualNetworkPeerings/shop"},
		},
		{
			name: "an endpoint that waits for approval", from: "zone:app", to: "endpoint:pe-sql", service: "tcp/1433", want: Unreachable,
			replace: endpointTo("Pending"), sets: []string{"setting the connection of the private endpoint is Pending (AZ-PE-01)"}, fixes: [][]string{endpointTo("Approved")[1:]},
		},
		{
			name: "a public address without an NSG", from: "internet", to: "nic:nic-vm", service: "tcp/443", want: Unreachable,
			replace: publicNIC(""), sets: []string{"setting a Standard public address is closed where no NSG allows the flow (AZ-PIP-02)"},
		},
		{name: "nothing leads there", from: "internet", to: "zone:db", service: "tcp/1433", want: Unreachable, sets: []string{}},
		{name: "VNets with the same addresses cannot be peered", from: "subnet:vnet-stranger/web", to: "zone:db", service: "tcp/1433", want: Unreachable, sets: []string{}},
		{
			name: "either side could stop it", from: "zone:app", to: "zone:db", service: "tcp/1433", want: Reachable,
			sets: []string{"rule nsg-db/securityRules/AllowSql", "rule nsg-web/defaultSecurityRules/AllowVnetOutBound"},
		},
		{
			name: "so could the firewall", from: "zone:web", to: "zone:app", service: "tcp/443", want: Reachable,
			sets: []string{"rule fw/net/web-app", "rule nsg-web/defaultSecurityRules/AllowVnetInBound", "rule nsg-web/defaultSecurityRules/AllowVnetOutBound"},
		},
		{
			name: "two ways, and where they meet", from: "zone:web", to: "zone:app", service: "any", want: Reachable,
			replace: []string{`"addressPrefix": "10.1.2.0/23", "nextHopType"`, `"addressPrefix": "10.1.2.0/25", "nextHopType"`},
			sets:    []string{"rule nsg-web/defaultSecurityRules/AllowVnetInBound", "rule nsg-web/defaultSecurityRules/AllowVnetOutBound"},
		},
		{name: "nothing stands between", from: "subnet:vnet-stranger/web", to: "subnet:vnet-stranger/app", service: "tcp/443", want: Reachable, sets: []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, r := explained(t, test.from, test.to, test.service, false, test.replace...)
			if r.Verdict != test.want {
				t.Fatalf("got %s, want %s", r.Verdict, test.want)
			}
			if got := setTexts(r.Explanation); !slices.Equal(got, test.sets) {
				t.Errorf("got %q, want %q; %s", got, test.sets, r.Explanation.Reason)
			}
			if (len(test.sets) == 0) != (r.Explanation.Reason != "") {
				t.Errorf("got the reason %q beside %d sets", r.Explanation.Reason, len(test.sets))
			}
			var blocked []string
			for _, b := range r.BlockedBy {
				blocked = append(blocked, b.Rule, b.Detail)
				if len(b.Packets) == 0 {
					t.Errorf("%s %s stops no packets", b.At, b.Rule)
				}
			}
			for _, want := range test.blocked {
				if !slices.Contains(blocked, want) {
					t.Errorf("want %q among %q", want, blocked)
				}
			}
			rules := len(r.Explanation.Sets) > 0 && !slices.ContainsFunc(r.Explanation.Sets[0], func(c Change) bool { return c.Kind != "rule" })
			if test.want == Unreachable && rules != r.Explanation.Replayed {
				t.Errorf("the interpreter confirms: %t, and the first set holds rules alone: %t", r.Explanation.Replayed, rules)
			}
			for i, fix := range test.fixes {
				replace := append(slices.Clone(test.replace), fix...)
				if len(fix)%2 == 1 { // takes the place of the last replacement
					replace = append(slices.Clone(test.replace[:1]), fix...)
				}
				if _, r := explained(t, test.from, test.to, test.service, false, replace...); r.Verdict != Reachable {
					t.Errorf("fix %d: got %s, want reachable", i, r.Verdict)
				}
			}
		})
	}
}

// everyPart lists the keys of all parts that stop packets of a question anywhere, were everything open.
func everyPart(x *explainer) []string {
	w := x.world(dataplane.Hypothesis{Rules: true, Settings: true}, nil)
	all := map[dataplane.NodeID]packet.Set{}
	for n := range x.s.graph.Nodes {
		all[dataplane.NodeID(n)] = x.s.graph.Space.All()
	}
	var out []string
	for _, m := range w.Met(all, false) {
		out = append(out, m.Part.Key)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// everyControl lists the keys of all rule lists that packets of a question meet anywhere.
func everyControl(x *explainer) []string {
	w := x.world(dataplane.Hypothesis{}, nil)
	all := map[dataplane.NodeID]packet.Set{}
	for n := range x.s.graph.Nodes {
		all[dataplane.NodeID(n)] = x.s.graph.Space.All()
	}
	var out []string
	for _, m := range w.Met(all, true) {
		if m.Control.Kind == dataplane.RuleControl {
			out = append(out, m.Control.Key)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// checkSmallest compares the sets that a search finds with all sets, by brute force: none that is smaller opens (or stops) the way, and
// those of the same size that do are those that were found. Floods are not narrowed to packets of interest here.
func checkSmallest(t *testing.T, s *Solution, q *query, limit int) (size int) {
	t.Helper()
	x := &explainer{s: s, q: q, parts: map[string][]dataplane.Met{}}
	x.back = x.toTarget(x.world(dataplane.Hypothesis{Rules: true, Settings: true}, nil))
	search, every := x.opening, everyPart
	opens := func(set []string) bool {
		return len(x.world(dataplane.Hypothesis{Open: asSet(set)}, nil).arrived) > 0
	}
	if opens(nil) {
		search, every = x.stopping, everyControl
		opens = func(set []string) bool {
			return len(x.world(dataplane.Hypothesis{Shut: asSet(set)}, nil).arrived) == 0
		}
	}
	found, why := search()
	if why != "" {
		t.Errorf("%s -> %s: %s", q.from.text, q.to.text, why)
		return 0
	}
	for _, set := range found {
		if !opens(set) {
			t.Errorf("%s -> %s: %q does not change the verdict", q.from.text, q.to.text, set)
		}
		size = len(set)
	}
	parts := every(x)
	if len(found) == 0 {
		if opens(parts) {
			t.Errorf("%s -> %s: no set was found, and there is one", q.from.text, q.to.text)
		}
		return 0
	}
	keys := map[string]bool{}
	for _, set := range found {
		keys[strings.Join(set, "\n")] = true
	}
	for n := 0; n <= size; n++ {
		tried, most := 0, 600
		if n == size {
			most = limit
		}
		for set := range subsets(parts, n) {
			if tried++; tried > most {
				break
			}
			if got := opens(set); got != keys[strings.Join(set, "\n")] {
				t.Errorf("%s -> %s: %q changes the verdict: %t; found were sets of %d", q.from.text, q.to.text, set, got, size)
			}
		}
	}
	return size
}

// The smallest sets are the smallest: on the small estate and variants of it, every set of changes is tried.
func TestSmallestIsSmallest(t *testing.T) {
	fwDenies := []string{`"action": {"type": "Allow"}`, `"action": {"type": "Deny"}`}
	for i, replace := range [][]string{nil, fwDenies, {stranger, moved}, append(slices.Clone(fwDenies), stranger, moved), endpointTo("Pending"), publicNIC("")} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			p := shopProject(t, "  - {id: x, deny: {from: zone:web, to: zone:db}}\n", replace...)
			s, err := Solve(p, Options{Explain: true})
			if err != nil {
				t.Fatal(err)
			}
			ends := []string{"zone:web", "zone:app", "zone:db", "subnet:vnet-stranger/web", "internet", "firewall:fw"}
			sizes := map[int]int{}
			for _, from := range ends[:5] {
				for _, to := range ends {
					for _, service := range []string{"tcp/1433", "any"} {
						q := question(t, s, from, to, service)
						if from != to {
							sizes[checkSmallest(t, s, q, 4000)]++
						}
					}
				}
			}
			if sizes[1] == 0 || sizes[0] == 0 {
				t.Errorf("got %v, want questions with and without a set", sizes)
			}
		})
	}
}

// subsets yields the subsets of a size, in order.
func subsets(of []string, size int) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		var pick func(set, rest []string) bool
		pick = func(set, rest []string) bool {
			if len(set) == size {
				return yield(slices.Clone(set))
			}
			for i, k := range rest {
				if !pick(append(set, k), rest[i+1:]) {
					return false
				}
			}
			return true
		}
		pick(nil, of)
	}
}

func question(t *testing.T, s *Solution, from, to, service string) *query {
	t.Helper()
	svc, err := model.ParsePortService(service)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.target(selectors(t, from))
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.target(selectors(t, to))
	if err != nil {
		t.Fatal(err)
	}
	q := s.newQuery(a, b)
	q.service = s.serviceSet([]model.PortService{svc})
	return q
}

// The same on both examples, between all zones.
func TestSmallestOnExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("tries hundreds of worlds for each pair of zones")
	}
	for _, name := range []string{"aks-pci", "aks-pci-broken"} {
		t.Run(name, func(t *testing.T) {
			s, err := Solve(project(t, "../examples/"+name), Options{Explain: true})
			if err != nil {
				t.Fatal(err)
			}
			asked, sizes := 0, map[int]int{}
			for _, from := range s.zones {
				for _, to := range s.zones {
					q := question(t, s, "zone:"+from.zone.Name, "zone:"+to.zone.Name, "tcp/443")
					if from.zone.Name == to.zone.Name {
						continue
					}
					asked++
					sizes[checkSmallest(t, s, q, 40)]++
				}
			}
			if asked < 10 || sizes[1] == 0 || sizes[2] == 0 {
				t.Errorf("got %d pairs with sizes %v, want some of one and of two changes", asked, sizes)
			}
		})
	}
}

// An unknown verdict names first the fewest facts that could make it reachable.
func TestUnknownNamesFewestFacts(t *testing.T) {
	const rtMissing = "MISSING(route table rt-elsewhere)"
	for _, test := range []struct {
		name, from, to string
		replace        []string
		want           []string
	}{
		{"a rule set that the input lacks", "zone:app", "zone:db", []string{`networkSecurityGroups/nsg-db"}`, `networkSecurityGroups/nsg-elsewhere"}`}, []string{"MISSING(network security group nsg-elsewhere)"}},
		{"a route table that the input lacks", "zone:web", "zone:app", []string{`routeTables/rt-web"}`, `routeTables/rt-elsewhere"}`}, []string{rtMissing}},
		{
			"both are needed", "zone:web", "zone:db",
			[]string{`routeTables/rt-web"}`, `routeTables/rt-elsewhere"}`, `networkSecurityGroups/nsg-db"}`, `networkSecurityGroups/nsg-elsewhere"}`},
			[]string{"MISSING(network security group nsg-elsewhere)", rtMissing},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := shopProject(t, "  - {id: x, deny: {from: zone:web, to: zone:db}}\n", test.replace...)
			s, err := Solve(p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			r := answer(t, s, selectors(t, test.from), selectors(t, test.to), "tcp/443", false)
			if r.Verdict != Unknown || !slices.Equal(r.Settle, test.want) {
				t.Fatalf("got %s, settled by %q, want unknown, %q", r.Verdict, r.Settle, test.want)
			}
			for i, id := range test.want {
				if a := r.Assumptions[i]; a.ID != id || a.Text == "" || a.Settle == "" {
					t.Errorf("assumption %d is %+v, want %s with its text and what settles it", i, a, id)
				}
			}
		})
	}
}

// AZ-GEN-11, EX-32: where a load balancer changes the port, an answer says both.
func TestBothPorts(t *testing.T) {
	lb := publicNIC("")
	lb[1] = strings.Replace(lb[1], `, "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-vm"}`,
		`, "loadBalancerBackendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/p"}]`, 1)
	lb[1] = strings.Replace(lb[1], "[\n  {", `[
  {"id": "RG/Microsoft.Network/loadBalancers/lb", "location": "westeurope", "type": "Microsoft.Network/loadBalancers", "name": "lb", "sku": {"name": "Standard"}, "properties": {
    "frontendIPConfigurations": [{"id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/f", "name": "f", "properties": {"publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-vm"}}}],
    "backendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/p", "name": "p", "properties": {}}],
    "loadBalancingRules": [{"name": "web", "properties": {"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/f"},
      "backendAddressPool": {"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/p"}, "protocol": "Tcp", "frontendPort": 443, "backendPort": 8443}}]}},
  {"id": "RG/Microsoft.Network/networkSecurityGroups/nsg-vm", "location": "westeurope", "type": "Microsoft.Network/networkSecurityGroups", "name": "nsg-vm", "properties": {"securityRules": [
    {"name": "Web", "properties": {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "Internet", "sourcePortRange": "*",
      "destinationAddressPrefix": "*", "destinationPortRange": "8443"}}]}},
  {`, 1)
	lb[1] = strings.Replace(lb[1], `"properties": {"ipConfigurations"`, `"properties": {"networkSecurityGroup": {"id": "RG/Microsoft.Network/networkSecurityGroups/nsg-vm"}, "ipConfigurations"`, 1)
	_, r := explained(t, "internet", "nic:nic-vm", "tcp/8443", false, lb...)
	if r.Verdict == Unreachable || len(r.Flows) == 0 {
		t.Fatalf("got %s, want a flow", r.Verdict)
	}
	want := []Sent{{Dst: []string{"20.1.1.2/32"}, Protocol: "tcp", DPort: []string{"443"}}}
	if f := r.Flows[0]; fmt.Sprint(f.Sent) != fmt.Sprint(want) || !slices.Equal(f.Packets[0].DPort, []string{"8443"}) {
		t.Errorf("got %v sent as %v, want tcp/8443 sent as %v", f.Packets, f.Sent, want)
	}
	if _, r := explained(t, "internet", "nic:nic-vm", "tcp/443", false, lb...); r.Verdict != Unreachable {
		t.Errorf("got %s, want unreachable: the service is the port at the target", r.Verdict)
	}
}

// A trace takes addresses that look like hosts, says which, and shows the header behind a translation.
func TestTraceSaysWhatItTakes(t *testing.T) {
	s, err := Solve(project(t, "../examples/aks-pci-broken"), Options{Questions: selectors(t, "cidr:10.90.0.0/16", "cidr:10.240.12.0/24", "ip:20.190.1.1")})
	if err != nil {
		t.Fatal(err)
	}
	svc, err := model.ParsePortService("tcp/443")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		from, to string
		want     Verdict
		src, dst string
		says     []string // somewhere in the trace
	}{
		{"cidr:10.90.0.0/16", "nic:nic-vm-jump", Unknown, "10.90.0.4", "10.240.1.4", []string{"{cidr:10.90.0.0/16 cidr:10.90.0.0/16 10.90.0.4 []}", "VirtualAppliance 10.200.0.4 10.240.0.0/16 rt-gateway"}},
		{"zone:wireless", "cidr:10.240.12.0/24", Unreachable, "10.90.0.4", "10.240.12.4", []string{"{cidr:10.240.12.0/24 nodepool:npinscope 10.240.12.4 []}"}},
		{"nic:nic-vm-jump", "internet", Unreachable, "10.240.1.4", "198.51.100.7", []string{"{internet internet 198.51.100.7 [AzureActiveDirectory AzureResourceManager]}"}},
		{"nic:nic-vm-jump", "ip:20.190.1.1", Unknown, "10.240.1.4", "20.190.1.1", []string{"ASM-TAG(AzureActiveDirectory)"}}, // AZ-TAG-09: it may be in the tag
		{"pod:payments/api", "service:kv-cards", Reachable, "pod:payments/api", "10.240.250.4", []string{"snat forward tcp 10.240.12.4:49152 -> 10.240.250.4:443", "nsg-inscope/securityRules/"}},
	} {
		t.Run(test.from+" "+test.to, func(t *testing.T) {
			got, err := s.Trace(selectors(t, test.from), selectors(t, test.to), svc, "", true)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != test.want || got.Packet.Src != test.src || got.Packet.Dst != test.dst {
				t.Errorf("got %s, %s, want %s from %s to %s", got.Verdict, got.Packet, test.want, test.src, test.dst)
			}
			text := fmt.Sprintln(got.Taken)
			for _, h := range got.Hops {
				text += fmt.Sprintln(h.Stage, h.Action, h.NextHopType, h.NextHopIP, h.Prefix, h.RouteTable, h.Rule)
				if h.Packet != nil {
					text += fmt.Sprintln(h.Stage, h.Action, h.Packet)
				}
			}
			for _, a := range got.Assumptions {
				text += fmt.Sprintln(a.ID)
			}
			for _, want := range test.says {
				if !strings.Contains(text, want) {
					t.Errorf("want %q in\n%s", want, text)
				}
			}
		})
	}
}

// On random estates: what a run that explains adds to the graph changes no verdict, the smallest sets are the smallest, and where a set
// holds rules alone the interpreter delivers its packet too.
func TestSmallestOnRandomEstates(t *testing.T) {
	estates := 60
	if testing.Short() {
		estates = 12
	}
	var asked, replayed, rulesAlone int
	sizes := map[int]int{}
	for seed := range uint64(estates) {
		d := modeltest.Random(rand.New(rand.NewPCG(seed, 1)), modeltest.KindsOf(seed))
		e, err := d.Estate()
		if err != nil {
			t.Fatal(err)
		}
		p := &model.Project{Estate: e, Tags: d.Tags}
		s, err := Solve(p, Options{Explain: true})
		if err != nil {
			t.Fatal(err)
		}
		plain, err := Solve(p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(seed, 3))
		for range 6 {
			from, to := rnd.IntN(len(s.graph.Sites)), rnd.IntN(len(s.graph.Sites))
			q := pairOf(s, from, to)
			if from == to || q.from.from.Empty() || len(q.to.nodes) == 0 {
				continue
			}
			rows := s.rows(q)
			if also := plain.rows(pairOf(plain, from, to)); len(also) != len(rows) {
				t.Errorf("seed %d: %s -> %s: %d rows, %d where answers are explained", seed, q.from.text, q.to.text, len(also), len(rows))
			}
			asked++
			size := checkSmallest(t, s, q, 300)
			sizes[size]++
			if len(rows) > 0 || size == 0 {
				continue
			}
			x := &explainer{s: s, q: q, parts: map[string][]dataplane.Met{}}
			x.back = x.toTarget(x.world(dataplane.Hypothesis{Rules: true, Settings: true}, nil))
			sets, _ := x.opening()
			for _, set := range sets {
				if x.settings(set) == 0 {
					rulesAlone++
					if x.check(set).replayed {
						replayed++
					} else {
						t.Logf("seed %d: %s -> %s: %q: %v", seed, q.from.text, q.to.text, set, x.check(set).witness)
					}
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d:\n%s", seed, modeltest.Print(d))
			}
		}
	}
	t.Logf("%d questions, sizes %v; %d of %d sets of rules replayed", asked, sizes, replayed, rulesAlone)
}

// pairOf asks what one site of a graph sends to another.
func pairOf(s *Solution, from, to int) *query {
	a, b := newEnd(s.siteRef(s.graph.Sites[from])), newEnd(s.siteRef(s.graph.Sites[to]))
	s.addWhole(a, func(x *dataplane.Site) bool { return x == s.graph.Sites[from] })
	s.addWhole(b, func(x *dataplane.Site) bool { return x == s.graph.Sites[to] })
	return s.newQuery(a, b)
}

// AZ-AVNM-01, AZ-AVNM-02: an admin Deny is one change more, and none of the NSGs behind it; an AlwaysAllow jumps over them.
func TestExplainAdminRules(t *testing.T) {
	for _, test := range []struct {
		access model.Access
		want   Verdict
		sets   []string
	}{
		{model.Deny, Unreachable, []string{"rule nm/sec/base/Sql + rule nsg-db/securityRules/Rest"}},
		{model.AlwaysAllow, Reachable, nil},
	} {
		p := shopProject(t, "  - {id: x, deny: {from: zone:web, to: zone:db}}\n")
		var vnet *model.VNet
		for _, v := range p.Estate.VNets {
			if v.Name() == "vnet-shop" {
				vnet = v
			}
		}
		manager := model.ID(strings.Replace(string(vnet.ID), "virtualNetworks/vnet-shop", "networkManagers/nm", 1))
		rule := model.AdminRule{
			ID: manager + "/securityAdminConfigurations/sec/ruleCollections/base/rules/Sql",
			SecurityRule: model.SecurityRule{
				Name: "Sql", Priority: 1, Direction: model.Inbound, Access: test.access, Protocol: model.TCP, Source: model.Source{File: "avnm.json", Line: 7},
				SourceAddrs: model.AddressMatch{Any: true}, DestAddrs: model.AddressMatch{Any: true}, SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{{First: 1433, Last: 1433}},
			},
		}
		inForce := &model.EffectiveAdminRules{Meta: model.Meta{ID: vnet.ID + "/effectiveSecurityAdminRules/default"}, VNet: vnet.ID, Rules: []model.AdminRule{rule}}
		e, err := model.NewEstate(append(slices.Clone(p.Estate.Resources()), inForce), p.Estate.Ledger)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Solve(&model.Project{Estate: e, Intent: p.Intent}, Options{AsOf: p.Intent.AsOf, Explain: true})
		if err != nil {
			t.Fatal(err)
		}
		r := answer(t, s, selectors(t, "zone:web"), selectors(t, "zone:db"), "tcp/1433", false)
		if r.Verdict != test.want {
			t.Fatalf("got %s, want %s", r.Verdict, test.want)
		}
		if test.want == Unreachable {
			if got := setTexts(r.Explanation); !slices.Equal(got, test.sets) || !r.Explanation.Replayed {
				t.Errorf("got %q, replayed %t, want %q, replayed", got, r.Explanation.Replayed, test.sets)
			}
			if i := slices.IndexFunc(r.BlockedBy, func(b Blocker) bool { return b.Stage == "admin-rules-inbound" && b.Source == "avnm.json:7" }); i < 0 {
				t.Errorf("got %v, want the admin rule with its source", r.BlockedBy)
			}
			continue
		}
		if i := slices.IndexFunc(r.Explanation.Passed, func(c Control) bool { return c.Stage == "admin-rules-inbound" && c.Source == "avnm.json:7" }); i < 0 {
			t.Errorf("got %v, want the admin rule with its source", r.Explanation.Passed)
		}
	}
}

// Which policy, which rule and which of its entries let packets pass or stop them, on each side of a pair of pods.
func TestExplainPolicies(t *testing.T) {
	const alone = "no policy that was read isolates it (K8S-NP-03)"
	db := netPolicy("podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: x}}}, {podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}, {port: 5432}]}, {from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]")
	web := strings.Replace(netPolicy("podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: 5432}]}]"), "name: np", "name: out", 1)
	for _, test := range []struct {
		name, engine  string
		policies      []string
		flow, service string
		passed        []string // stage, rule and entry
		stopped       string   // stage, rule and detail
	}{
		{"both sides", "cilium", []string{db, web}, "web>db", "tcp/5432", []string{"pod-egress a/out/egress[0] to[0] ports[0]", "pod-ingress a/np/ingress[0] from[1] ports[1]"}, ""},
		{"a side that no policy isolates", "cilium", []string{db}, "web>db", "tcp/80", []string{"pod-egress  " + alone, "pod-ingress a/np/ingress[0] from[1] ports[0]"}, ""},
		{"no policy at all", "azure", nil, "web>api", "tcp/80", []string{"pod-egress  " + alone, "pod-ingress  " + alone}, ""},
		{"a block", "cilium", []string{db}, "ext>db", "udp/53", []string{"pod-ingress a/np/ingress[1] from[0]"}, ""},
		{"isolated, and nothing admits it", "azure", []string{db, web}, "web>api", "tcp/5432", nil, "pod-egress a/out isolates a/web, and no egress rule admits the peer"},
		{"an admin rule", tiersEngine, []string{tierPolicy(false, "p", "Admin", 1, prod, "ingress: [{action: Accept, from: [{namespaces: {matchLabels: {env: test}}}, {namespaces: {matchLabels: {env: dev}}}], protocols: [{tcp: {destinationPort: {number: 80}}}]}]")}, "api>web", "tcp/80", []string{"pod-egress  " + alone, "pod-ingress ClusterNetworkPolicy/p/ingress[0] from[1] protocols[0]"}, ""},
		{"one that denies", tiersEngine, []string{tierPolicy(false, "p", "Admin", 1, prod, "ingress: [{action: Deny, from: [{namespaces: {matchLabels: {env: test}}}, {namespaces: {matchLabels: {env: dev}}}]}]")}, "api>web", "tcp/80", nil, "pod-ingress ClusterNetworkPolicy/p/ingress[0] from[1]"},
		{"a rule of Cilium", "cilium", []string{ciliumPolicy(onDB + "ingress: [{" + fromWeb + ", toPorts: [{ports: [{port: '80', protocol: TCP}, {port: sql}]}]}]")}, "web>db", "tcp/5432", []string{"pod-egress  " + alone, "pod-ingress a/CiliumNetworkPolicy/cp/ingress[0] fromEndpoints[0] toPorts[0].ports[1]"}, ""},
		{"one for the cluster, by an entity", "cilium", []string{clusterwide("endpointSelector: {}, egress: [{toEntities: [world, all]}]")}, "web>db", "tcp/80", []string{"pod-egress CiliumClusterwideNetworkPolicy/ccp/egress[0] toEntities[1]", "pod-ingress  no policy decides about a/db"}, ""},
		{"one that denies a port, of Cilium", "cilium", []string{ciliumPolicy(onDB + "ingress: [{fromEntities: [all]}], ingressDeny: [{toPorts: [{ports: [{port: '81'}, {port: '80'}]}]}]")}, "web>db", "tcp/80", nil, "pod-ingress a/CiliumNetworkPolicy/cp/ingressDeny[0] toPorts[0].ports[1]"},
		{"isolated by Cilium", "cilium", []string{ciliumPolicy(onDB + "ingress: [{" + fromWeb + "}]")}, "api>db", "tcp/80", nil, "pod-ingress a/CiliumNetworkPolicy/cp isolates a/db, and no ingress rule admits the peer"},
		{"an admin rule of v1alpha1", tiersEngine, []string{tierPolicy(true, "p", "Admin", 1, prod, "ingress: [{action: Allow, from: [{namespaces: {matchLabels: {env: test}}}, {pods: {namespaceSelector: {}, podSelector: {}}}], ports: [{portNumber: {protocol: TCP, port: 81}}, {portRange: {start: 70, end: 80}}]}]")}, "api>web", "tcp/80", []string{"pod-egress  " + alone, "pod-ingress AdminNetworkPolicy/p/ingress[0] from[1] ports[1]"}, ""},
		{"a baseline rule that denies", tiersEngine, []string{tierPolicy(true, "", "Baseline", 0, prod, "egress: [{action: Deny, to: [{namespaces: {matchLabels: {env: dev}}}, {namespaces: {matchLabels: {env: prod}}}]}]")}, "web>db", "tcp/80", nil, "pod-egress BaselineAdminNetworkPolicy/default/egress[0] to[1]"},
		{"a net and a port of Calico", "calico", []string{calicoPolicy("p", "selector: app == 'db', ingress: [{action: Deny, source: {nets: [198.51.100.0/24]}}, {action: Allow, protocol: TCP, source: {nets: [192.0.2.0/24, 203.0.113.0/24], notNets: [203.0.113.0/25]}, destination: {ports: [80, '5000:6000']}}]")}, "ext>db", "tcp/5432", []string{"pod-ingress a/NetworkPolicy/p/ingress[1] source.notNets source.nets[1] destination.ports[1]"}, ""},
		{"a selector of Calico that denies", "calico", []string{calicoGlobal("g", "order: 10, selector: all(), types: [Egress], egress: [{action: Log}, {action: Deny, destination: {selector: app == 'db', namespaceSelector: env == 'prod'}}, {action: Allow}]")}, "web>db", "tcp/80", nil, "pod-egress GlobalNetworkPolicy/g/egress[1] destination.selector destination.namespaceSelector"},
		{"a rule of Calico for every peer", "calico", []string{calicoPolicy("p", "selector: app == 'db', ingress: [{action: Allow, protocol: TCP, destination: {ports: [sql]}}]")}, "web>db", "tcp/5432", []string{"pod-egress  " + alone, "pod-ingress a/NetworkPolicy/p/ingress[0] destination.ports[0]"}, ""},
		{"passed on by a tier of Calico, to a NetworkPolicy", "calico", []string{calicoTier("first", "order: 1"), calicoGlobal("first.g", "tier: first, selector: all(), ingress: [{action: Pass, source: {selector: app == 'web'}}, {action: Deny}]"), db}, "web>db", "tcp/80", []string{"pod-egress  " + alone, "pod-ingress a/np/ingress[0] from[1] ports[0]", "pod-ingress a/np/ingress[1] from[0]"}, ""}, // the net may hold the pod's address
		{"the end of a tier of Calico", "calico", []string{calicoPolicy("p", "selector: app == 'db', ingress: [{action: Allow, source: {selector: app == 'x'}}]")}, "web>db", "tcp/80", nil, "pod-ingress the end of a tier of Calico a policy of the tier selects a/db, and no rule matches"},
		{"one that denies, of Cilium", "cilium", []string{ciliumPolicy(onDB + "ingressDeny: [{" + fromWeb + "}]")}, "web>db", "tcp/80", nil, "pod-ingress a/CiliumNetworkPolicy/cp/ingressDeny[0] fromEndpoints[0]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := manifests(t, test.engine, test.policies...)
			s, err := Solve(k.s.Project, Options{Explain: true})
			if err != nil {
				t.Fatal(err)
			}
			src, dst, _ := strings.Cut(test.flow, ">")
			r, err := s.Reach(k.selectors(src), k.selectors(dst), []model.PortService{portService(t, test.service)}, true)
			if err != nil {
				t.Fatal(err)
			}
			var passed []string
			for _, c := range r.Explanation.Passed {
				passed = append(passed, strings.TrimSpace(c.Stage+" "+c.Rule+" "+c.Entry))
			}
			stopped := ""
			for _, b := range r.BlockedBy {
				stopped = b.Stage + " " + b.Rule + " " + b.Detail
			}
			if diff := cmp.Diff(passed, test.passed); diff != "" || stopped != test.stopped {
				t.Errorf("%s%s\nstopped by %q, want %q", r.Verdict, diff, stopped, test.stopped)
			}
			// The interpreter names the same rule and entries for its packet.
			if r.Witness == nil {
				return
			}
			for _, h := range r.Witness.Hops {
				if h.Rule != "" && !slices.ContainsFunc(test.passed, func(p string) bool { return p == strings.TrimSpace(h.Stage+" "+h.Rule+" "+h.Detail) }) {
					t.Errorf("the interpreter names %s %s %s", h.Stage, h.Rule, h.Detail)
				}
			}
		})
	}
}
