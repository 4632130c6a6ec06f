package azure

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

// examples are the resources of all tables of the tests.
func examples() []string {
	return []string{
		nsgExample, vnetExample, routeExample, nicExample, lbExample, scaleSetExample, firewallExample, policyExample, agwExample, gatewayExample,
		endpointExample, clusterExample, sqlExample, vaultExample, registryExample, storageExample, servicesExample, jitExample, instancesExample,
		serviceRulesExample, managerExample, endpointPolicyExample, perimeterExample, wanExample, frontDoorExample, apimExample, roleExample, logExample, "[" + effectiveExample + "]", "[" + activeExample + "]", "[" + statusExample + "]",
	}
}

func TestRecognise(t *testing.T) {
	id := rg + "/providers/Microsoft.Network/routeTables/r"
	for text, want := range map[string]bool{
		`{"id": "` + id + `", "type": "Microsoft.Network/routeTables"}`:                               true,
		`{"type": "Microsoft.Network/routeTables", "properties": {"id": 3}, "Id": "` + id + `"}`:      true,
		`{"id": "` + strings.ToLower(id) + `"`:                                                        true, // cut off: Import says so
		"\n [ {\"id\": \"" + id + "\"},\n oops":                                                       true,
		`{"value": [{"id": "` + id + `", "type": "Microsoft.Network/routeTables"}], "nextLink": "x"}`: true,
		`{"count": 1, "data": [{"id": "` + id + `"}]}`:                                                true,
		"{\"id\": \"" + id + "\"}\n{\"id\": \"" + id + "\"}\n":                                        true,
		`{"virtualNetwork": "` + rg + `/providers/Microsoft.Network/virtualNetworks/v", "value": []}`: true, // the output of a list operation with its envelope
		`{"virtualNetwork": "v", "value": []}`:                                                        false,
		`{"value": [{"commitTime": "x", "configurationIds": [], "deploymentType": "Y"}]}`:             true,
		`{"value": []}`:             false,
		`[]`:                        false,
		``:                          false,
		`42`:                        false,
		`null`:                      false,
		`[1, {"id": "` + id + `"}]`: false,
		`{"id": "x", "type": "Microsoft.Network/routeTables"}`:                                           false,
		`{"id": "` + id + `", "type": "azurerm_route_table"}`:                                            false,
		`{"changeNumber": 1, "cloud": "Public", "values": [{"name": "A", "id": "A", "properties": {}}]}`: false,
		`{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"}`: false,
		`{"apiVersion": "v1", "kind": "Pod"}`:                                                            false,
		`{"format_version": "1.2", "planned_values": {}}`:                                                false,
		"apiVersion: v1\nkind: Pod\n":                                                                    false,
	} {
		for coding, data := range encodings(t, text) {
			if got := Recognise(data); got != want {
				t.Errorf("%s, %s: got %v, want %v", text, coding, got, want)
			}
		}
	}
}

// encodings writes a text as editors, PowerShell and gzip do.
func encodings(t *testing.T, text string) map[string][]byte {
	t.Helper()
	wide := func(order binary.AppendByteOrder, mark []byte) []byte {
		out := mark
		for _, u := range utf16.Encode([]rune(text)) {
			out = order.AppendUint16(out, u)
		}
		return out
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"UTF-8": []byte(text), "UTF-8 with mark": []byte("\ufeff" + text), "gzip": packed.Bytes(),
		"UTF-16LE": wide(binary.LittleEndian, []byte{0xff, 0xfe}), "UTF-16BE": wide(binary.BigEndian, []byte{0xfe, 0xff}),
	}
}

// Whatever a file is written in, the model and the lines are the same.
func TestEncodings(t *testing.T) {
	text := strings.Replace(fill(nsgExample), `"web", "protocol"`, `"wéb 🧱", "protocol"`, 1)
	var want []model.Resource
	for coding, data := range encodings(t, text) {
		res, err := Import(fstest.MapFS{"a.json": {Data: data}}, []string{"a.json"})
		if err != nil {
			t.Errorf("%s: %v", coding, err)
			continue
		}
		if want == nil {
			want = res.Resources
		}
		if diff := cmp.Diff(want, res.Resources, facts()); diff != "" {
			t.Errorf("%s:\n%s", coding, diff)
		}
		rules := res.Resources[1].(*model.NSG).Rules
		if rules[0].Description != "wéb 🧱" || rules[1].Source.String() != "a.json:14" {
			t.Errorf("%s: %s, %s", coding, rules[0].Description, rules[1].Source)
		}
	}
}

// Every rule, route, listener and collection says where it was read: file, line, path, and the resource that holds it.
func TestSources(t *testing.T) {
	res := one(t, "[\n"+strings.TrimPrefix(fill(nsgExample), "["))
	got := res.Resources[1].(*model.NSG).Rules[1].Source
	want := model.Source{
		File: "a.json", Line: 15, Path: "/0/properties/securityRules/1", Resource: id("Microsoft.Network/networkSecurityGroups/nsg-web"),
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, text := range examples() {
		res := one(t, text)
		for _, r := range res.Resources {
			if s := r.Origin(); s.File != "a.json" || s.Line == 0 || s.Resource != r.ResourceID() {
				t.Errorf("%s: source %+v", r.ResourceID(), s)
			}
		}
		for _, e := range res.Ledger {
			if e.Source.File != "a.json" || e.Source.Line == 0 {
				t.Errorf("ledger of %s: source %+v", e.Resource, e.Source)
			}
		}
	}
}

// Secrets of the input are neither in the model nor in the ledger nor in an error.
func TestSecrets(t *testing.T) {
	for _, text := range examples() {
		res := one(t, text)
		b, err := json.Marshal(res)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"hunter2", "c2VjcmV0", "SECRET", "MIIC", "ssh-rsa"} {
			if strings.Contains(string(b), secret) {
				t.Errorf("%q is in the result of %.80s", secret, text)
			}
		}
	}
	// Neither does an error quote one, whatever is wrong with it.
	_, err := files(t, map[string]string{"a.json": `{"id": "RG/Microsoft.Network/connections/c", "properties": {"connectionType": "IPsec", "sharedKey": 12345678, "sharedKey": {"hunter2": 1},
	  "authorizationKey": ["hunter2"], "ipsecPolicies": "x", "enableBgp": "hunter"}}`})
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "12345678") {
		t.Errorf("error: %v", err)
	}
}

// The order of files, and of resources in them, changes nothing.
func TestOrderOfFiles(t *testing.T) {
	var all []json.RawMessage
	for _, text := range examples() {
		var list []json.RawMessage
		if err := json.Unmarshal([]byte(fill(text)), &list); err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
	}
	build := func(turn int) string {
		fsys := fstest.MapFS{}
		var names []string
		for i, r := range all {
			name := fmt.Sprintf("%03d.json", (i*37+turn*11)%len(all))
			if fsys[name] != nil {
				t.Fatal("two resources in one file")
			}
			fsys[name] = &fstest.MapFile{Data: r}
			names = append(names, name)
		}
		if turn%2 == 1 {
			slices.Reverse(names)
		}
		res, err := Import(fsys, names)
		if err != nil {
			t.Fatal(err)
		}
		e, err := model.NewEstate(res.Resources, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, r := range e.Resources() {
			line, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%T %s\n", r, noSource(t, line))
		}
		return b.String()
	}
	if len(all)%37 == 0 {
		t.Fatal("choose another step")
	}
	want := build(0)
	for turn := range 6 {
		if diff := cmp.Diff(want, build(turn)); diff != "" {
			t.Fatalf("turn %d:\n%s", turn, diff)
		}
	}
}

// noSource takes every Source out of a model as JSON.
func noSource(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "Source")
			delete(v, "PublicSource")
			for _, m := range v {
				strip(m)
			}
		case []any:
			for _, m := range v {
				strip(m)
			}
		}
	}
	strip(v)
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// What `$expand` prints inside a resource is a description like any other; a reference with a word about the attachment is none.
func TestExpanded(t *testing.T) {
	const outer = `{"id": "RG/Microsoft.Network/networkInterfaces/n", "type": "Microsoft.Network/networkInterfaces", "properties": {"ipConfigurations": [{"name": "c", "properties": {
	  "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/p", "properties": {"deleteOption": "Delete"}},
	  "subnet": %s}}]}}`
	const subnet = `{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s", "name": "s", "properties": {"provisioningState": "Succeeded", "addressPrefix": "10.0.0.0/24",
	  "networkSecurityGroup": %s}}`
	const nsg = `{"id": "RG/Microsoft.Network/networkSecurityGroups/g", "location": "westeurope", "properties": {"provisioningState": "Succeeded", "securityRules": []}}`
	inside := one(t, fmt.Sprintf(outer, fmt.Sprintf(subnet, nsg)))
	apart := one(t, fmt.Sprintf(outer, `{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}`)+
		fmt.Sprintf(subnet, `{"id": "RG/Microsoft.Network/networkSecurityGroups/g"}`)+nsg)
	if diff := cmp.Diff(apart.Resources, inside.Resources, facts()); diff != "" {
		t.Errorf("inside (-apart +got):\n%s", diff)
	}
	if len(inside.Resources) != 4 { // NIC, subnet, its partial VNet, NSG; no public address
		t.Errorf("%d resources", len(inside.Resources))
	}
}

// A resource that is listed without its properties is not one without rules.
func TestBareResources(t *testing.T) {
	const bare = `{"changedTime": "2026-01-01T00:00:00Z", "createdTime": null, "extendedLocation": null, "id": "RG/Microsoft.Network/networkSecurityGroups/g", "identity": null, "kind": null,
	  "location": "westeurope", "managedBy": null, "name": "g", "plan": null, "properties": null, "provisioningState": "Succeeded", "resourceGroup": "rg1", "sku": null, "tags": null,
	  "type": "Microsoft.Network/networkSecurityGroups"}`
	res := one(t, "["+bare+"]")
	if len(res.Resources) != 0 {
		t.Errorf("a mention became %v", res.Resources)
	}
	want := []string{"g: listed without its properties, so that nothing is known of it; export the resource itself"}
	if diff := cmp.Diff(want, ledgerOf(res, model.Unsupported)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	const association = `{"id": "RG/Microsoft.Network/networkSecurityPerimeters/n/resourceAssociations/a", "type": "Microsoft.Network/networkSecurityPerimeters/resourceAssociations"}`
	res = one(t, "["+association+","+association+"]") // AZ-NSP-04: it holds some resource
	if len(res.Resources) != 1 || res.Resources[0].(*model.PerimeterAssociation).Resource != "" || len(ledgerOf(res, model.Unsupported)) != 1 {
		t.Errorf("an association became %v, %v", res.Resources, res.Ledger)
	}
	res = one(t, "["+bare+","+`{"id": "RG/Microsoft.Network/networkSecurityGroups/G", "properties": {"securityRules": []}}`+"]")
	if len(res.Resources) != 1 || len(ledgerOf(res, model.Unsupported)) != 0 {
		t.Errorf("beside a description: %v, %v", res.Resources, res.Ledger)
	}
}

// A listing that was cut off makes the estate as a whole unknown, unless the other pages are known to be there.
func TestPages(t *testing.T) {
	page := func(name, more string) string {
		return `{"value": [{"id": "RG/Microsoft.Network/routeTables/` + name + `", "properties": {}}]` + more + `}`
	}
	graph := func(name, more string) string {
		return `{"count": 1, "totalRecords": 2, "data": [{"id": "RG/Microsoft.Network/routeTables/` + name + `", "properties": {}}]` + more + `}`
	}
	const cut = ": the listing goes on in a further page that is not known to be in the input; save all pages in one file"
	for name, test := range map[string]struct {
		texts map[string]string
		want  []string
	}{
		"whole":                  {map[string]string{"a.json": page("a", `, "nextLink": null`)}, nil},
		"REST, cut":              {map[string]string{"a.json": page("a", `, "nextLink": "https://management.azure.com/x"`)}, []string{" nextLink" + cut}},
		"Resource Graph, cut":    {map[string]string{"a.json": graph("a", `, "$skipToken": "t"`)}, []string{" nextLink" + cut}},
		"Resource Graph, joined": {map[string]string{"a.json": graph("a", `, "skip_token": "t"`), "b.json": graph("b", `, "resultTruncated": "false"`)}, nil},
		"Resource Graph, short":  {map[string]string{"a.json": graph("a", `, "resultTruncated": "true"`)}, []string{" nextLink" + cut}},
	} {
		res, err := files(t, test.texts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, ledgerOf(res, model.Unsupported)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, e := range res.Ledger {
			if e.Field == "nextLink" && e.Affects != nil {
				t.Errorf("%s affects %v, want the estate as a whole", name, e.Affects)
			}
		}
	}
}

// Get-AzResource -ExpandProperties | ConvertTo-Json prints other names around the same properties.
func TestPowerShell(t *testing.T) {
	rest := one(t, `{"id": "RG/Microsoft.Network/publicIPAddresses/p", "location": "westeurope", "sku": {"name": "Standard"}, "properties": {"ipAddress": "20.0.0.9"}}`)
	ps := one(t, `{"ResourceId": "RG/Microsoft.Network/publicIPAddresses/p", "Id": "RG/Microsoft.Network/publicIPAddresses/p", "Identity": null, "Kind": null, "Location": "westeurope",
	  "ManagedBy": null, "ResourceName": "p", "Name": "p", "Properties": {"ipAddress": "20.0.0.9"}, "ResourceGroupName": "rg1", "Type": "Microsoft.Network/publicIPAddresses",
	  "ResourceType": "Microsoft.Network/publicIPAddresses", "ExtensionResourceType": null, "Sku": {"Name": "Standard", "Tier": null, "Size": null}, "Tags": null,
	  "SubscriptionId": "00000000-0000-0000-0000-000000000001"}`)
	if diff := cmp.Diff(rest.Resources, ps.Resources, facts()); diff != "" {
		t.Errorf("PowerShell (-REST +got):\n%s", diff)
	}
	if bad := ledgerOf(ps, model.Unsupported); len(bad) > 0 {
		t.Errorf("unsupported: %v", bad)
	}
}
