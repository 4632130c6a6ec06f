package solver

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/importers/azure"
	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/trace"
)

// FuzzNamePattern: whatever pattern the importer takes for one, an application rule with it allows the names that AZ-FW-32 says, in both engines;
// one that it takes and does not understand allows nothing for certain.
func FuzzNamePattern(f *testing.F) {
	for _, pattern := range []string{"*.contoso.com", "*contoso.com", "*", "www.contoso.com", "WWW.Contoso.COM.", "a.*.com", "*.*.com", "**", "*.", "ü.example", "İ.example", "10.0.0.4", "-.example", "_._"} {
		for _, name := range []string{"www.contoso.com", "contoso.com", "evilcontoso.com", "a.b.contoso.com", "contoso.com.evil.net", "ü.example", "10.0.0.4"} {
			f.Add(pattern, name)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		quoted, err := json.Marshal(pattern)
		if err != nil || len(pattern) > 300 {
			t.Skip()
		}
		var text string
		if bad := json.Unmarshal(quoted, &text); bad != nil || text != pattern { // no text of JSON
			t.Skip()
		}
		sel, err := model.ParseSelector("fqdn:" + name)
		if err != nil {
			t.Skip()
		}
		name = strings.ToLower(sel.Parts[0])
		rule := az.Object{"name": "a", "protocols": []any{az.Object{"protocolType": "Https", "port": 443}}, "sourceAddresses": []any{"*"}, "targetFqdns": []any{pattern}}
		fsys := az.FS(
			az.VNet("net", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24", "rt=out"), az.Subnet("AzureFirewallSubnet", "10.1.9.0/26")), az.RouteTable("out", "0.0.0.0/0 10.1.9.4"),
			az.NIC("vm", "net/s", "10.1.1.5"), az.PublicIP("fw", "20.0.0.4"), az.Firewall("fw", "net/AzureFirewallSubnet", "10.1.9.4", "fw").Set("applicationRuleCollections", []any{
				az.Object{"name": "app", "properties": az.Object{"priority": 100, "action": az.Object{"type": "Allow"}, "rules": []any{rule}}},
			}),
		)
		in, err := azure.Import(fsys, az.Files(fsys))
		if err != nil {
			return
		}
		e, err := model.NewEstate(in.Resources, in.Ledger)
		if err != nil {
			t.Fatal(err)
		}
		from := model.Selector{Kind: model.SelNIC, Parts: []string{"vm"}, Text: "nic:vm"}
		s, err := Solve(&model.Project{Estate: e}, Options{Questions: []model.Selector{from, sel}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Reach([]model.Selector{from}, []model.Selector{sel}, []model.PortService{portService(t, "tcp/443")}, true)
		if err != nil {
			t.Fatal(err)
		}
		p := strings.TrimRight(strings.ToLower(pattern), ".")
		suffix, wild := strings.CutPrefix(p, "*")
		want := map[bool]Verdict{true: Reachable, false: Unreachable}[name == p || wild && strings.HasSuffix(name, suffix)]
		if strings.Contains(suffix, "*") {
			want = Unknown
		}
		if got.Verdict != want {
			t.Errorf("pattern %q, name %q: the solver says %s, want %s", pattern, name, got.Verdict, want)
		}
		over, certain := false, false
		for _, path := range trace.Run(e, s.traceOptions(false), trace.Packet{Src: address("10.1.1.5"), Dst: address("203.0.113.9"), Protocol: model.TCP, SPort: 50000, DPort: 443, Name: name}).Paths {
			if path.End == trace.Delivered {
				over, certain = true, certain || path.Certain
			}
		}
		if over != (want != Unreachable) || certain != (want == Reachable) {
			t.Errorf("pattern %q, name %q: the interpreter delivers: %v, for certain: %v, want %s", pattern, name, over, certain, want)
		}
	})
}
