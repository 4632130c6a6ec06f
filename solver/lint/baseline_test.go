package lint_test

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// answers of a project: assertions and findings, each with all that it shows.
type answers struct {
	verdicts map[string]solver.Outcome
	text     map[string]string // what an assertion shows
	findings map[string]string
}

func answer(t *testing.T, p *model.Project) answers {
	t.Helper()
	s, err := solver.Solve(p, solver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := s.CheckAll()
	if err != nil {
		t.Fatal(err)
	}
	a := answers{map[string]solver.Outcome{}, map[string]string{}, map[string]string{}}
	for _, r := range results {
		a.verdicts[r.ID] = r.Verdict
		a.text[r.ID] = shown(r)
	}
	for _, f := range lint.Check(p) {
		a.findings[f.ID] += fmt.Sprintf("%s %s %s\n", f.Subject, f.Text, f.Source)
	}
	return a
}

// shown is what an assertion's answer shows: flows, and the packet hop by hop.
func shown(r solver.AssertionResult) string {
	var b strings.Builder
	hop := func(h solver.Hop) {
		fmt.Fprintf(&b, "%s %s %s %s %s -> %s %s\n", h.At, h.Stage, h.Rule, h.Source, h.Prefix, h.NextHopType, h.Detail)
	}
	for _, f := range r.Violations {
		fmt.Fprintf(&b, "flow %s to %s\n", f.From, f.To)
	}
	if r.Witness != nil {
		for _, h := range r.Witness.Hops {
			hop(h)
		}
		for _, l := range r.Witness.Legs {
			for _, h := range l.Hops {
				hop(h)
			}
		}
	}
	fmt.Fprintln(&b, r.Reason, r.Assumptions)
	return b.String()
}

var (
	row      = regexp.MustCompile(`(?m)^\| (\d) \| (.*) \| (.*) \| (.*) \|$`)
	said     = regexp.MustCompile("(finding )?`([^`]+)`(?: (fails|holds))?")
	backtick = regexp.MustCompile("`([^`]+)`")
)

// The README of the regulated baseline makes eight statements (section 7 of azure-edge-and-aks.md). Each names assertions and findings,
// which must come out so, and the rules that decide, which their answers must show.
func TestRegulatedBaseline(t *testing.T) {
	readme, err := os.ReadFile("../../examples/regulated-baseline/README.md")
	if err != nil {
		t.Fatal(err)
	}
	a := answer(t, load(t, "regulated-baseline"))
	rows := row.FindAllStringSubmatch(string(readme), -1)
	if len(rows) != 8 {
		t.Fatalf("got %d statements, want eight", len(rows))
	}
	named := map[string]bool{}
	for _, r := range rows {
		var text strings.Builder
		for _, m := range said.FindAllStringSubmatch(r[3], -1) {
			id := m[2]
			named[id] = true
			switch {
			case m[1] != "":
				if a.findings[id] == "" {
					t.Errorf("statement %s: the finding %s is not raised", r[1], id)
				}
				text.WriteString(a.findings[id])
				continue
			case a.verdicts[id] == solver.Pass && m[3] == "holds", a.verdicts[id] == solver.Fail && m[3] == "fails":
			default:
				t.Errorf("statement %s: assertion %s: got %q, and the README says that it %s", r[1], id, a.verdicts[id], m[3])
			}
			text.WriteString(a.text[id])
		}
		for _, m := range backtick.FindAllStringSubmatch(r[4], -1) {
			if !strings.Contains(text.String(), m[1]) {
				t.Errorf("statement %s: nothing shows %q:\n%s", r[1], m[1], text.String())
			}
		}
	}
	for id, v := range a.verdicts {
		if v == solver.Undecided {
			t.Errorf("%s: unknown, want a verdict for every assertion", id)
		}
		if v == solver.Fail && !named[id] {
			t.Errorf("%s fails, and no statement explains it", id)
		}
	}
	for _, id := range []string{"internet-not-direct-to-cluster", "internet-through-waf", "gateway-serves-ingress", "chain-of-services"} {
		if a.verdicts[id] != solver.Pass {
			t.Errorf("%s: got %s, want pass: the README says that it holds", id, a.verdicts[id])
		}
	}
}

// The changes of the README's second table, each to a copy of the estate.
func TestRegulatedBaselineChanged(t *testing.T) {
	const gateway = `[
		{"id": "SUB/virtualNetworkGateways/vgw", "name": "vgw", "type": "Microsoft.Network/virtualNetworkGateways", "location": "eastus2", "properties": {
			"gatewayType": "Vpn", "vpnType": "RouteBased", "enableBgp": false, "activeActive": false, "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ", "capacity": 2},
			"ipConfigurations": [{"id": "SUB/virtualNetworkGateways/vgw/ipConfigurations/ip", "name": "ip", "properties": {"subnet": {"id": "SUB/virtualNetworks/vnet-hub/subnets/GatewaySubnet"}}}]}},
		{"id": "SUB/localNetworkGateways/campus", "name": "campus", "type": "Microsoft.Network/localNetworkGateways", "location": "eastus2", "properties": {
			"localNetworkAddressSpace": {"addressPrefixes": ["10.90.0.0/16"]}, "gatewayIpAddress": "192.0.2.1"}},
		{"id": "SUB/connections/campus", "name": "campus", "type": "Microsoft.Network/connections", "location": "eastus2", "properties": {
			"connectionType": "IPsec", "connectionStatus": "Connected", "enableBgp": false,
			"virtualNetworkGateway1": {"id": "SUB/virtualNetworkGateways/vgw"}, "localNetworkGateway2": {"id": "SUB/localNetworkGateways/campus"}}}]`
	const wireless = "\n  wireless: {kind: wireless, owner: Campus IT, members: [\"cidr:10.90.0.0/16\"], behind: \"gateway:vgw\"}\n\nassertions:\n"
	deny := func(from, to string) string {
		return "  - id: asked\n    deny: {from: \"" + from + "\", to: \"" + to + "\"}\n    kind: direct\n"
	}
	for _, test := range []struct {
		name     string
		change   []string // file, old, new; an empty old text makes the file
		question string
		want     solver.Outcome
		shows    string
		finding  string
	}{
		{
			"endpoint policies on",
			[]string{"azure/spokes.json", `"privateEndpointNetworkPolicies": "Disabled"`, `"privateEndpointNetworkPolicies": "Enabled"`},
			deny("subnet:vnet-spoke/snet-management-agents", "endpoint:pe-kv"), solver.Fail, "nsg-privatelinkendpoints/securityRules/AllowAll443InFromVnet", "",
		},
		{
			"a rule from spoke to spoke",
			[]string{
				"azure/firewall.json", `"networkRuleCollections": [`, `"networkRuleCollections": [{"name": "images", "properties": {"priority": 200, "action": {"type": "Allow"}, "rules": [
					{"name": "publish", "protocols": ["TCP"], "sourceAddresses": ["10.241.0.0/28"], "destinationAddresses": ["10.240.8.0/22"], "destinationPorts": ["443"]}]}},`,
				"azure/nsgs.json", `"destinationAddressPrefix": "Internet", "destinationPortRange": "80"`, `"destinationAddressPrefix": "10.240.8.0/22", "destinationPortRange": "443"`,
			},
			deny("zone:build", "nodepool:npsystem"), solver.Undecided, "ASM-FWD", "",
		},
		{
			"no DNS server",
			[]string{"azure/spokes.json", `{"dnsServers": ["10.200.0.4"]}`, `{"dnsServers": []}`},
			"", solver.Pass, "", "endpoint:kube-apiserver The private zone privatelink.eastus2.azmk8s.io is not linked",
		},
		{
			"a gateway with transit",
			[]string{
				"azure/gateway.json", "", strings.ReplaceAll(gateway, "SUB", "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-hubs/providers/Microsoft.Network"),
				"azure/hub.json", `"allowGatewayTransit": false`, `"allowGatewayTransit": true`, "azure/spokes.json", `"useRemoteGateways": false`, `"useRemoteGateways": true`,
				"ringfence.yaml", "\nassertions:\n", wireless,
			},
			deny("zone:wireless", "lb:kubernetes-internal"), solver.Fail, "aks-agentpool-30000001-nsg/defaultSecurityRules/AllowVnetInBound", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := fstest.MapFS{}
			base := os.DirFS("../../examples/regulated-baseline")
			err := fs.WalkDir(base, ".", func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				data, err := fs.ReadFile(base, path)
				files[path] = &fstest.MapFile{Data: data}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			change := append(test.change, "ringfence.yaml", "\nassertions:\n", "\nassertions:\n"+test.question)
			for i := 0; i < len(change); i += 3 {
				file, old, text := change[i], change[i+1], change[i+2]
				if old == "" {
					files[file] = &fstest.MapFile{Data: []byte(text)}
					continue
				}
				if !strings.Contains(string(files[file].Data), old) {
					t.Fatalf("%s does not hold %s", file, strconv.Quote(old))
				}
				files[file].Data = []byte(strings.ReplaceAll(string(files[file].Data), old, text))
			}
			a := answer(t, loadFS(t, files))
			if test.question != "" && (a.verdicts["asked"] != test.want || !strings.Contains(a.text["asked"], test.shows)) {
				t.Errorf("got %s, want %s and %q in\n%s", a.verdicts["asked"], test.want, test.shows, a.text["asked"])
			}
			if test.finding != "" && !strings.Contains(a.findings["endpoint-zone-not-linked"], test.finding) {
				t.Errorf("no finding %q in %q", test.finding, a.findings["endpoint-zone-not-linked"])
			}
		})
	}
}
