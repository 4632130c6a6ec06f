package azure

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// rg is the resource group of most examples.
const rg = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1"

// id builds the ID of a resource in it.
func id(rest string) model.ID { return model.ID(rg + "/providers/" + rest) }

// fill replaces RG/ in an example by the path to the providers of rg.
func fill(text string) string { return strings.ReplaceAll(text, `"RG/`, `"`+rg+"/providers/") }

// files imports texts as files, in the order of their names.
func files(t *testing.T, texts map[string]string) (Result, error) {
	t.Helper()
	fsys := fstest.MapFS{}
	var names []string
	for name, text := range texts {
		fsys[name] = &fstest.MapFile{Data: []byte(fill(text))}
		names = append(names, name)
	}
	return Import(fsys, names)
}

// one imports one text and wants no error.
func one(t *testing.T, text string) Result {
	t.Helper()
	res, err := files(t, map[string]string{"a.json": text})
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return res
}

// facts compares models by what they say: not by where it was read, and IDs without case.
func facts() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreTypes(model.Source{}),
		cmp.Transformer("key", func(id model.ID) string { return id.Key() }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmpopts.EquateEmpty(),
	}
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func prefixList2(texts ...string) (out []netip.Prefix) {
	for _, s := range texts {
		out = append(out, prefix(s))
	}
	return out
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// shapes imports a list of resources as the REST API, az and Resource Graph print them, and wants the same model from each.
func shapes(t *testing.T, rest string, want ...model.Resource) {
	t.Helper()
	var list []any
	if err := json.Unmarshal([]byte(fill(rest)), &list); err != nil {
		t.Fatalf("the example is no JSON: %v", err)
	}
	print := func(v any) string {
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var az, rows []any
	for _, r := range list {
		az = append(az, lifted(r))
		rows = append(rows, row(r.(map[string]any)))
	}
	var lines bytes.Buffer
	for _, r := range list {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(b, '\n'))
	}
	for name, text := range map[string]string{
		"REST list":          print(map[string]any{"value": list}),
		"array":              print(list),
		"az":                 print(az),
		"Resource Graph":     print(map[string]any{"count": len(rows), "totalRecords": len(rows), "resultTruncated": "false", "data": rows}),
		"one a line":         lines.String(),
		"one a line, CRLF":   strings.ReplaceAll(lines.String(), "\n", "\r\n"),
		"with byte order":    "\ufeff" + print(list),
		"names in odd cases": odd(print(list)),
	} {
		t.Run(name, func(t *testing.T) {
			res, err := files(t, map[string]string{"a.json": text})
			if err != nil {
				t.Fatalf("import: %v", err)
			}
			if diff := cmp.Diff(want, res.Resources, facts()); diff != "" {
				t.Errorf("model (-want +got):\n%s", diff)
			}
			for _, r := range res.Resources {
				if r.Origin().IsZero() {
					t.Errorf("%s has no source", r.ResourceID())
				}
			}
			for _, e := range res.Ledger {
				if e.Disposition == model.Unsupported {
					t.Errorf("unsupported: %s %s: %s", e.Resource, e.Field, e.Effect)
				}
			}
		})
	}
}

// lifted rewrites a value as az prints it: properties at the top, a resource group beside every ID, nulls for what is absent.
func lifted(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = lifted(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, m := range v {
			if k != "properties" {
				out[k] = lifted(m)
			}
		}
		if p, ok := v["properties"].(map[string]any); ok {
			for k, m := range p {
				if _, taken := out[k]; taken || k == "type" {
					k = "typePropertiesType"
				}
				out[k] = lifted(m)
			}
		}
		if id, ok := v["id"].(string); ok && strings.Contains(id, "/resourceGroups/") {
			out["resourceGroup"] = strings.Split(id, "/")[4]
			out["systemData"] = nil
		}
		return out
	default:
		return v
	}
}

// row rewrites a resource as a row of Resource Graph: IDs and types in lower case, more columns.
func row(r map[string]any) map[string]any {
	out := map[string]any{
		"tenantId": "00000000-0000-0000-0000-00000000000f", "kind": "", "managedBy": "", "plan": nil, "identity": nil, "zones": nil,
		"extendedLocation": nil, "subscriptionId": "00000000-0000-0000-0000-000000000001", "resourceGroup": "rg1",
	}
	for k, v := range r {
		out[k] = lowIDs(v)
	}
	out["type"] = strings.ToLower(r["type"].(string))
	return out
}

func lowIDs(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = lowIDs(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, m := range v {
			out[k] = lowIDs(m)
		}
		return out
	case string:
		if armID(v) {
			return strings.ToLower(v)
		}
		return v
	default:
		return v
	}
}

// odd spells the names that the wrapper and some others have in another case.
func odd(text string) string {
	return strings.NewReplacer(`"properties"`, `"Properties"`, `"id"`, `"Id"`, `"name"`, `"NAME"`, `"addressPrefix"`, `"AddressPREFIX"`,
		`"privateIPAddress"`, `"privateIpAddress"`, `"publicIPAddress"`, `"publicIpAddress"`).Replace(text)
}

// ledgerOf prints the entries of one disposition as `name field: effect`.
func ledgerOf(res Result, d model.Disposition) (out []string) {
	for _, e := range res.Ledger {
		if e.Disposition != d {
			continue
		}
		line := e.Resource.ShortName()
		if e.Field != "" {
			line += " " + e.Field
		}
		out = append(out, line+": "+e.Effect)
	}
	return out
}

// meta is the Meta of an example.
func meta(rest string) model.Meta { return model.Meta{ID: id(rest), Location: "westeurope"} }
