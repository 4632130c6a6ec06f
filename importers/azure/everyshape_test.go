package azure

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// parts maps the parts that may stand inside their parent and beside it to the property that holds them inside.
func parts() map[string]string {
	return map[string]string{
		"Microsoft.Network/virtualNetworks/subnets":                    "subnets",
		"Microsoft.Network/virtualNetworks/virtualNetworkPeerings":     "virtualNetworkPeerings",
		"Microsoft.Network/networkSecurityGroups/securityRules":        "securityRules",
		"Microsoft.Network/networkSecurityGroups/defaultSecurityRules": "defaultSecurityRules",
		"Microsoft.Network/routeTables/routes":                         "routes",
		"Microsoft.Network/loadBalancers/backendAddressPools":          "backendAddressPools",
		"Microsoft.Network/loadBalancers/inboundNatRules":              "inboundNatRules",
		"Microsoft.Network/virtualNetworkGateways/natRules":            "natRules",
		"Microsoft.ContainerService/managedClusters/agentPools":        "agentPoolProfiles",
		"Microsoft.Sql/servers/firewallRules":                          "firewallRules",
		"Microsoft.Sql/servers/ipv6FirewallRules":                      "ipv6FirewallRules",
		"Microsoft.Sql/servers/virtualNetworkRules":                    "virtualNetworkRules",
		"Microsoft.DBforPostgreSQL/flexibleServers/firewallRules":      "firewallRules",
		"Microsoft.DBforMySQL/flexibleServers/firewallRules":           "firewallRules",
		"Microsoft.Cache/Redis/firewallRules":                          "firewallRules",
	}
}

// pairs are the fields that have a singular and a plural form.
func pairs() map[string]string {
	return map[string]string{
		"sourceAddressPrefix": "sourceAddressPrefixes", "destinationAddressPrefix": "destinationAddressPrefixes", "sourcePortRange": "sourcePortRanges",
		"destinationPortRange": "destinationPortRanges", "podCidr": "podCidrs", "serviceCidr": "serviceCidrs",
		"allowedSourceAddressPrefix": "allowedSourceAddressPrefixes",
	}
}

// shapesOf writes a list of resources, as REST prints them, as the files of every shape that the importer reads.
func shapesOf(t *testing.T, rest []any) map[string]map[string][]byte {
	t.Helper()
	flat := func(list []any) []any { return azuretest.Flat(list).([]any) }
	apart, together := azuretest.Apart(rest, parts()), azuretest.Nested(rest, parts())
	one := func(data []byte) map[string][]byte { return map[string][]byte{"a.json": data} }
	out := map[string]map[string][]byte{
		"REST list":                    one(azuretest.List(rest)),
		"array":                        one(azuretest.Print(rest)),
		"az":                           one(azuretest.Print(flat(rest))),
		"Resource Graph":               one(azuretest.Graph(rest)),
		"Resource Graph through az":    one(azuretest.Print(azuretest.Object{"data": azuretest.LowIDs(rest), "totalRecords": len(rest), "resultTruncated": "false"})),
		"one a line":                   one(azuretest.Lines(rest)),
		"one a line, CRLF":             one(bytes.ReplaceAll(azuretest.Lines(rest), []byte("\n"), []byte("\r\n"))),
		"az, one a line":               one(azuretest.Lines(flat(rest))),
		"IDs in upper case":            one(azuretest.List(azuretest.HighIDs(rest).([]any))),
		"parts beside":                 one(azuretest.List(apart)),
		"parts beside, az":             one(azuretest.Print(flat(apart))),
		"parts beside, Resource Graph": one(azuretest.Graph(apart)),
		"parts inside":                 one(azuretest.List(together)),
		"parts inside, az":             one(azuretest.Print(flat(together))),
		"parts inside and beside":      {"a.json": azuretest.List(together), "b.json": azuretest.Print(flat(apart))},
		"plural fields":                one(azuretest.Print(azuretest.Lists(rest, pairs()))),
		"singular fields":              one(azuretest.Print(azuretest.Singles(rest, pairs()))),
		"names in Pascal case":         one(azuretest.Print(azuretest.Named(rest, []string{"tags", "nodeLabels"}, pascal))),
		"names in upper case":          one(azuretest.Print(azuretest.Named(rest, []string{"tags", "nodeLabels"}, strings.ToUpper))),
		"each twice, in another shape": {"a.json": azuretest.List(rest), "b/c.json": azuretest.Graph(rest), "b/d.json": azuretest.Print(flat(rest))},
		"members in another order":     one(azuretest.Shuffled(rest, rand.New(rand.NewPCG(1, 1)))),
		"az, members in another order": one(azuretest.Shuffled(flat(rest), rand.New(rand.NewPCG(1, 2)))),
	}
	for coding, data := range encodings(t, string(azuretest.List(rest))) {
		out[coding] = one(data)
	}
	apartFiles := map[string][]byte{}
	for i, r := range apart {
		apartFiles[fmt.Sprintf("%s%d/x.json", strings.Repeat("d/", i%5), len(apart)-i)] = azuretest.Print(r)
	}
	out["one file each, in folders"] = apartFiles
	return out
}

func pascal(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// said is what a result says: the resources of its estate, and what was not understood of which resource. Where something stands is left
// out: that is what the shapes differ in.
type said struct {
	Resources   []model.Resource
	Unsupported []string
}

func say(t *testing.T, fsys fstest.MapFS) (said, error) {
	t.Helper()
	var names []string
	for name := range fsys {
		names = append(names, name)
	}
	res, err := Import(fsys, names)
	if err != nil {
		return said{}, err
	}
	e, err := model.NewEstate(res.Resources, res.Ledger)
	if err != nil {
		return said{}, err
	}
	out := said{Resources: e.Resources()}
	for _, l := range res.Ledger {
		if l.Disposition == model.Unsupported {
			out.Unsupported = append(out.Unsupported, l.Resource.Key()+": "+l.Effect)
		}
	}
	slices.Sort(out.Unsupported)
	out.Unsupported = slices.Compact(out.Unsupported)
	return out, nil
}

// Every modelled type gives one model, whatever shape it comes in.
func TestEveryTypeInEveryShape(t *testing.T) {
	for _, text := range corpusTexts() {
		if text == deploymentsExample {
			continue // Resource Graph and templates alone have them
		}
		rest, err := azuretest.Resources([]byte(fill(text)))
		if err != nil {
			t.Fatal(err)
		}
		want, err := say(t, fstest.MapFS{"a.json": {Data: azuretest.List(rest)}})
		if err != nil {
			t.Fatal(err)
		}
		for shape, contents := range shapesOf(t, rest) {
			fsys := fstest.MapFS{}
			for name, data := range contents {
				fsys[name] = &fstest.MapFile{Data: data}
				if !Recognise(data) {
					t.Errorf("%s of %.60s: %s is not recognised", shape, text, name)
				}
			}
			got, err := say(t, fsys)
			if err != nil {
				t.Errorf("%s of %.60s: %v", shape, text, err)
				continue
			}
			if diff := cmp.Diff(want, got, facts()); diff != "" {
				t.Errorf("%s of %.60s (-REST +got):\n%s", shape, text, diff)
			}
		}
	}
}
