package solver

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// shopNetwork is a hub with a firewall, a spoke with web, app and db subnets, and a stranger with the same addresses.
//
//go:embed testdata/shop.json
var shopNetwork string

// shop solves the small estate, with some of its text replaced (pairs of old and new), and an intent of assertions.
func shop(t *testing.T, assertions string, replace ...string) *Solution {
	t.Helper()
	p := shopProject(t, assertions, replace...)
	s, err := Solve(p, Options{AsOf: p.Intent.AsOf})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shopProject(t *testing.T, assertions string, replace ...string) *model.Project {
	t.Helper()
	network := shopNetwork
	for i := 0; i+1 < len(replace); i += 2 {
		if !strings.Contains(network, replace[i]) {
			t.Fatalf("the estate has no %q", replace[i])
		}
		network = strings.ReplaceAll(network, replace[i], replace[i+1])
	}
	network = strings.ReplaceAll(network, `"RG/`, `"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-shop/providers/`)
	head := `ringfence: v1
name: shop
asOf: 2026-11-01
inputs: [{azure: net.json}]
zones:
  web: {kind: dmz, owner: Shop, members: ["subnet:vnet-shop/web"]}
  app: {kind: trusted, owner: Shop, members: ["subnet:vnet-shop/app"]}
  db: {kind: cde, owner: Shop, members: ["subnet:vnet-shop/db"]}
assertions:
`
	fsys := fstest.MapFS{"net.json": {Data: []byte(network)}, "ringfence.yaml": {Data: []byte(head + assertions)}}
	in, err := intent.Import(fsys, "ringfence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	az, err := azure.Import(fsys, []string{"net.json"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := model.NewEstate(az.Resources, az.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	return &model.Project{Estate: e, Intent: &in.Intent}
}

// More tags than a packet has room for are an error that says what helps, never a panic.
func TestTooManyTags(t *testing.T) {
	var rules strings.Builder
	for i := range packet.MaxTags + 1 {
		fmt.Fprintf(&rules, `{"name": "T%d", "properties": {"priority": %d, "direction": "Outbound", "access": "Allow", "protocol": "*", "sourceAddressPrefix": "*",
			"sourcePortRange": "*", "destinationAddressPrefix": "Tag%d", "destinationPortRange": "*"}},`, i, 200+i, i)
	}
	p := shopProject(t, "  - {id: x, deny: {from: zone:web, to: zone:db}}\n", `"securityRules": [
        {"name": "AllowSql"`, `"securityRules": [`+rules.String()+`
        {"name": "AllowSql"`)
	if _, err := Solve(p, Options{}); err == nil || !strings.Contains(err.Error(), "serviceTags") {
		t.Errorf("got %v, want an error that says what helps", err)
	}
}

// A budget that does not suffice ends in an error by name, wherever it is spent: no verdict is given.
func TestBudget(t *testing.T) {
	for _, nodes := range []int{50, 200, 400, 800, 1600} {
		p := shopProject(t, "  - {id: x, deny: {from: zone:web, to: zone:db}}\n")
		s, err := Solve(p, Options{Limits: packet.Limits{Nodes: nodes}})
		if err == nil {
			_, err = s.CheckAll()
		}
		if err == nil && nodes < 400 {
			t.Errorf("%d nodes suffice?", nodes)
		}
		if err != nil && !errors.Is(err, ErrBudget) {
			t.Errorf("%d nodes: got %v", nodes, err)
		}
	}
}

// Each verb on the small estate: what holds, what does not, and what the input does not tell.
func TestVerbs(t *testing.T) {
	const (
		webToDB  = "  - {id: x, deny: {from: zone:web, to: zone:db}}\n"
		appToDB  = "  - {id: x, only: {from: zone:app, to: zone:db, services: [tcp/1433]}}\n"
		through  = "  - {id: x, through: {from: zone:web, to: zone:app, via: [firewall:fw]}}\n"
		dbIsOpen = `"access": "Deny", "description": "db: all else"`
	)
	for _, test := range []struct {
		name       string
		assertions string
		replace    []string
		want       Outcome
		says       []string // in the reason, the evidence, waivers and open assumptions
	}{
		{"deny holds", webToDB, nil, Pass, nil},
		{"deny fails by a rule", webToDB, []string{dbIsOpen, `"access": "Allow", "description": "db: all else"`}, Fail, []string{"nsg-db/securityRules/Rest net.json:"}},
		{"deny of one service", "  - {id: x, deny: {from: zone:app, to: zone:db, services: [tcp/22]}}\n", nil, Pass, nil},
		{"deny of the service that is open", "  - {id: x, deny: {from: zone:app, to: zone:db, services: [tcp/1433]}}\n", nil, Fail, []string{"nsg-db/securityRules/AllowSql"}},
		{"a rule set that the input lacks is unknown, by name", webToDB, []string{
			`networkSecurityGroups/nsg-db"}`, `networkSecurityGroups/nsg-elsewhere"}`,
		}, Undecided, []string{"nsg-elsewhere"}},
		{"a route table that the input lacks is unknown, by name", through, []string{
			`routeTables/rt-web"}`, `routeTables/rt-elsewhere"}`,
		}, Undecided, []string{"rt-elsewhere"}},
		{"a closed target stays proved though a route table is missing", webToDB, []string{`routeTables/rt-web"}`, `routeTables/rt-elsewhere"}`}, Pass, nil},
		{"only holds", appToDB, nil, Pass, nil},
		{"only fails", appToDB, []string{`"destinationPortRange": "1433"`, `"destinationPortRange": "1433-1434"`}, Fail, []string{"tcp", ":1434"}},
		{"must holds", "  - {id: x, must: {from: zone:app, to: zone:db, services: [tcp/1433]}}\n", nil, Pass, []string{"nsg-db/securityRules/AllowSql"}},
		{"must fails, with the rule in its way", "  - {id: x, must: {from: zone:web, to: zone:db, services: [tcp/1433]}}\n", nil, Fail, []string{"blocked", "nsg-db/securityRules/Rest"}},
		{"through holds", through, nil, Pass, nil},
		{"through fails where the route is missing", through, []string{`,
        "routeTable": {"id": "RG/Microsoft.Network/routeTables/rt-web"}`, ""}, Fail, []string{"VnetLocal"}},
		{"an exception holds until its day", "  - id: x\n    deny: {from: zone:app, to: zone:db}\n    except: [{services: [tcp/1433], owner: Shop, reason: orders, expires: 2026-11-01}]\n", nil, Pass, []string{"until 2026-11-01"}},
		{"an exception that expired fails", "  - id: x\n    deny: {from: zone:app, to: zone:db}\n    except: [{services: [tcp/1433], owner: Shop, reason: orders, expires: 2026-10-31}]\n", nil, Fail, []string{"expired on 2026-10-31"}},
		{"an exception for another service does not help", "  - id: x\n    deny: {from: zone:app, to: zone:db}\n    except: [{services: [tcp/22], owner: Shop, reason: orders, expires: 2027-01-01}]\n", nil, Fail, []string{"nsg-db/securityRules/AllowSql"}},
		{"VNets with the same addresses that are not peered are apart", "  - {id: x, deny: {from: \"subnet:vnet-stranger/web\", to: zone:db}}\n", nil, Pass, nil},
		{"a stranger's addresses prove nothing of its namesake", "  - {id: x, must: {from: \"subnet:vnet-stranger/app\", to: zone:db, services: [tcp/1433]}}\n", nil, Fail, []string{"blocked"}},
		{"what is not understood on the way makes it unknown, by name", webToDB, []string{
			`"securityRules": [
        {"name": "AllowSql"`, `"somethingNew": {"opens": true}, "securityRules": [
        {"name": "AllowSql"`,
		}, Undecided, []string{"nsg-db", "somethingNew"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			results, err := shop(t, test.assertions, test.replace...).CheckAll()
			if err != nil {
				t.Fatal(err)
			}
			r := results[0]
			text := r.Reason + "\n" + strings.Join(append(r.Waived, r.Expired...), "\n") + "\n" + evidence(r)
			for _, a := range r.Assumptions {
				text += "assumption " + a.ID + ": " + a.Text + " " + a.Settle + "\n"
			}
			if r.Verdict != test.want {
				t.Errorf("got %s, want %s\n%s", r.Verdict, test.want, text)
			}
			for _, s := range test.says {
				if !strings.Contains(text, s) {
					t.Errorf("want %q in\n%s", s, text)
				}
			}
		})
	}
}
