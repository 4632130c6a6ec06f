package solver

import (
	"fmt"
	"strings"
	"testing"
)

// hingeTexts prints hinges in a line each.
func hingeTexts(list []Hinge) string {
	var out []string
	for _, h := range list {
		out = append(out, fmt.Sprintf("%s: %s %s, else %s %s", strings.Join(h.Facts, " + "), h.Open, h.IfOpen, h.Shut, h.IfShut))
	}
	return strings.Join(out, "\n")
}

// AZ-GEN-15: an unknown answer names the fewest facts that are missing, and what it would be under each value of them; the input that gives the fact
// either value has that answer.
func TestHinges(t *testing.T) {
	const (
		webToDB  = "  - {id: x, deny: {from: zone:web, to: zone:db}}\n"
		webToApp = "  - {id: x, through: {from: zone:web, to: zone:app, via: [firewall:fw]}}\n"
		appToDB  = "  - {id: x, must: {from: zone:app, to: zone:db, services: [tcp/1433]}}\n"
	)
	for _, test := range []struct {
		name, assertions string
		missing          []string // replacements of the input: the fact is missing
		want             string
		open, shut       []string // the fact is there, with one value and with the other
	}{
		{
			"an NSG that is not in the input", webToDB,
			[]string{`networkSecurityGroups/nsg-db"}`, `networkSecurityGroups/nsg-elsewhere"}`},
			"MISSING(network security group nsg-elsewhere): reachable fail, else unreachable pass",
			[]string{dbIsShut, dbOpened},
			nil,
		},
		{
			"a route table that is not in the input", webToApp,
			[]string{`routeTables/rt-web"}`, `routeTables/rt-elsewhere"}`},
			"MISSING(route table rt-elsewhere): reachable fail, else unreachable pass",
			[]string{webTable, ""},
			nil,
		},
		{
			"must: an NSG that is not in the input", appToDB,
			[]string{`networkSecurityGroups/nsg-db"}`, `networkSecurityGroups/nsg-elsewhere"}`},
			"MISSING(network security group nsg-elsewhere): reachable , else unreachable fail",
			nil,
			[]string{`"access": "Allow", "protocol": "Tcp",
          "sourceAddressPrefix": "10.1.2.0/24"`, `"access": "Deny", "protocol": "Tcp",
          "sourceAddressPrefix": "10.1.2.0/24"`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			results, err := shop(t, test.assertions, test.missing...).CheckAll()
			if err != nil {
				t.Fatal(err)
			}
			r := results[0]
			if got := hingeTexts(r.Hinges); r.Verdict != Undecided || got != test.want {
				t.Errorf("%s\ngot\n%s\nwant\n%s", r.Verdict, got, test.want)
			}
			for _, side := range []struct {
				replace []string
				means   string
			}{{test.open, "open"}, {test.shut, "shut"}} {
				given, err := shop(t, test.assertions, side.replace...).CheckAll()
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]Outcome{"open": Fail, "shut": Pass}
				if strings.HasPrefix(test.name, "must") {
					want = map[string]Outcome{"open": Pass, "shut": Fail}
				}
				if given[0].Verdict != want[side.means] {
					t.Errorf("with the fact %s: got %s, want %s", side.means, given[0].Verdict, want[side.means])
				}
			}
		})
	}
}
