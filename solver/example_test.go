package solver

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

// The regulated estate holds everything that is demanded of it.
func TestExamplePasses(t *testing.T) {
	s, err := Solve(project(t, "../examples/aks-pci"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := s.CheckAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(results) < 25 {
		t.Errorf("got %d assertions, want the whole list", len(results))
	}
	for _, r := range results {
		if r.Verdict != Pass {
			t.Errorf("%s: got %s, want pass; %s %v", r.ID, r.Verdict, r.Reason, r.Violations)
		}
		if r.Assertion.Verb == model.VerbMust && r.Witness == nil {
			t.Errorf("%s: a must that passes shows no packet", r.ID)
		}
	}
}

// Each mistake of the broken estate makes the assertion of its README fail, and the answer names who is to blame.
func TestBrokenExampleFails(t *testing.T) {
	s, err := Solve(project(t, "../examples/aks-pci-broken"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := s.CheckAll()
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]AssertionResult{}
	for _, r := range results {
		byID[r.ID] = r
	}
	for _, test := range []struct{ mistake, assertion, blame string }{
		{"1 plural ports open 3389", "nodes-not-administered-directly", "nsg-oos/securityRules/AllowBastionIn azure/nsgs.json:2722"},
		{"2 a node subnet without its route", "egress-through-firewall", "0.0.0.0/0 -> Internet"},
		{"3 a campus range that holds the wireless one", "wireless-not-to-collector", "nsg-analytics/securityRules/AllowCampusIn"},
		{"4 endpoint policies off", "wireless-isolated", "InterfaceEndpoint"},
		{"4 endpoint policies off", "on-prem-limited", "InterfaceEndpoint"},
		{"4 endpoint policies off", "custodians-through-firewall", "InterfaceEndpoint"},
		{"5 a namespace without default deny", "cart-opens-nothing", "nsg-oos/securityRules/AllowRegistryOut"},
		{"6 a public load balancer", "internet-not-direct-to-shop", "manifests/shop-public.yaml"},
		{"7 firewall rule * to *", "cde-egress-only-payment-provider", "fwp-hub/rcg-network/net-spokes/temp-rollout-remove-me azure/firewall.json:304"},
		{"8 spokes peered directly", "spokes-through-firewall", "VNetPeering"},
		{"9 just-in-time access left open", "jump-only-from-bastion", "MicrosoftDefenderForCloud-JITRule"},
		{"10 a public address on the jump box", "internet-not-direct-to-jump-box", "MicrosoftDefenderForCloud-JITRule"},
		{"11 WAF in Detection", "gateway-not-from-other-front-doors", "nsg-appgw/securityRules/AllowFrontDoorIn"},
		{"12 SQL open to the internet", "internet-not-to-data", "sql-cards/ipRules/migration-2026-09"},
		{"13 DNAT from any source", "internet-not-direct-to-cluster", "fwp-hub/rcg-dnat/dnat-campus/partner-callback"},
		{"13 DNAT from any source", "internet-to-cde-through-waf", "fwp-hub/rcg-dnat/dnat-campus/partner-callback"},
		{"13 DNAT from any source", "load-balancer-only-from-gateway", ""},
		{"14 an NSG that ends in the default rules", "bastion-only-ssh", "nsg-jump/defaultSecurityRules/AllowVnetInBound"},
		{"16 a route that GatewaySubnet lacks", "reports-through-firewall", "VNetPeering"},
		{"17 management ports open to all", "only-https-into-dmz", "nsg-appgw/securityRules/AllowGatewayManagerIn"},
		{"18 a port one digit off", "api-reaches-sql", "nsg-inscope/securityRules/DenyAllOut"},
		{"22 a zone that is not linked", "nodes-pull-images", ""},
		{"23 policies without an engine", "web-not-to-stores", "InterfaceEndpoint"},
	} {
		r, ok := byID[test.assertion]
		if !ok {
			t.Errorf("%s: there is no assertion %s", test.mistake, test.assertion)
			continue
		}
		if r.Verdict != Fail {
			t.Errorf("%s: %s: got %s, want fail; %s", test.mistake, test.assertion, r.Verdict, r.Reason)
			continue
		}
		if text := evidence(r); !strings.Contains(text, test.blame) {
			t.Errorf("%s: %s: want %q in\n%s", test.mistake, test.assertion, test.blame, text)
		}
	}
	for _, id := range []string{"gateway-serves-web", "gateway-only-from-front-door", "wireless-not-to-api-server", "reports-api-only-for-campus", "api-reaches-vault", "api-reaches-settlement-store", "jump-reaches-api-server"} {
		if got := byID[id].Verdict; got != Pass {
			t.Errorf("%s: got %s, want pass: no mistake touches it", id, got)
		}
	}
}

// An exception for one sender takes nothing from another that reaches the same relay by a longer way (AZ-REL-03).
func TestExceptionsKeepToTheirSenders(t *testing.T) {
	p := project(t, "../examples/aks-pci-broken")
	deny := func(id string, from ...string) model.Assertion {
		a := model.Assertion{ID: id, Verb: model.VerbDeny, To: selectors(t, "pod:payments/web"), From: selectors(t, from...)}
		a.Except = []model.Waiver{{From: selectors(t, "nodepool:npoos"), Owner: "Shop", Reason: "test", Expires: model.Date{Year: 2027, Month: 1, Day: 1}}}
		return a
	}
	// The shop's nodes reach the ingress controller; the campus does over the jump box.
	p.Intent.Assertions = []model.Assertion{deny("both", "zone:on-prem", "nodepool:npoos"), deny("nodes", "nodepool:npoos"), deny("campus", "zone:on-prem")}
	s, err := Solve(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := s.CheckAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Outcome{Fail, Pass, Fail} {
		r := results[i]
		if r.Verdict != want {
			t.Errorf("%s: got %s, want %s", r.ID, r.Verdict, want)
		}
		for _, f := range r.Violations {
			if f.From != "cidr:10.80.0.0/13" || !slices.Equal(f.Via, []string{"nic:nic-vm-jump", "pod:ingress-nginx/controller"}) {
				t.Errorf("%s: got a flow of %s via %v, want the campus over the jump box alone", r.ID, f.From, f.Via)
			}
		}
	}
}

func selectors(t *testing.T, texts ...string) []model.Selector {
	t.Helper()
	out, err := model.ParseSelectors(texts)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// evidence is what a failed assertion shows: its witness hop by hop, and what stands in the way of a must.
func evidence(r AssertionResult) string {
	var b strings.Builder
	hops := func(list []Hop) {
		for _, h := range list {
			fmt.Fprintf(&b, "%s %s %s %s %s %s -> %s\n", h.At, h.Stage, h.Action, h.Rule, h.Source, h.Prefix, h.NextHopType)
		}
	}
	if r.Witness != nil {
		fmt.Fprintf(&b, "%s\n", r.Witness.Packet)
		hops(r.Witness.Hops)
		for _, l := range r.Witness.Legs {
			fmt.Fprintf(&b, "%s %s\n", l.Relay, l.Packet)
			hops(l.Hops)
		}
	}
	for _, x := range r.BlockedBy {
		fmt.Fprintf(&b, "blocked %s %s %s %s\n", x.At, x.Stage, x.Rule, x.Source)
	}
	return b.String()
}

// The order of the input changes nothing: not a byte of the results.
func TestOrderOfInputDoesNotMatter(t *testing.T) {
	answer := func(p *model.Project) string {
		s, err := Solve(p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		results, err := s.CheckAll()
		if err != nil {
			t.Fatal(err)
		}
		matrix, err := s.Matrix(ByZone, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		out, err := json.MarshalIndent([]any{results, matrix}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	p := project(t, "../examples/aks-pci-broken")
	want := answer(p)
	for seed := range uint64(3) {
		list := p.Estate.Resources()
		rnd := rand.New(rand.NewPCG(seed, 0))
		rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		e, err := model.NewEstate(list, p.Estate.Ledger)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer(&model.Project{Estate: e, Intent: p.Intent}); got != want {
			t.Fatalf("seed %d: the results differ: %s", seed, cmp.Diff(want, got))
		}
	}
}
