package azure

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// appendJSON writes a value as JSON.
func (v *value) appendJSON(b []byte) []byte {
	switch v.raw.kind {
	case objectValue:
		b = append(b, '{')
		for i, name := range v.names {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, name)
			b = append(b, ':')
			b = v.items[i].appendJSON(b)
		}
		return append(b, '}')
	case arrayValue:
		b = append(b, '[')
		for i, m := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = m.appendJSON(b)
		}
		return append(b, ']')
	case textValue:
		b, _ = jsontext.AppendQuote(b, v.raw.text)
		return b
	case nullValue:
		return append(b, "null"...)
	default:
		return append(b, v.raw.text...)
	}
}

// storedAsUnmarshalled decodes a text as every type that a reader decodes, and fails where store differs from the type's own
// UnmarshalJSON, or where MarshalJSON loses a member that the type was given and that nobody reported.
func storedAsUnmarshalled(t *testing.T, text string) {
	t.Helper()
	docs, errs := parse("a.json", []byte(text))
	if len(errs) > 0 {
		return
	}
	base := newImporter()
	for _, doc := range docs {
		list := []*node{doc}
		if doc.kind == arrayValue {
			list = doc.items
		}
		for _, n := range list {
			for _, root := range roots() {
				r := &resource{importer: &importer{fields: base.fields, schemas: base.schemas}, file: "a.json", node: n}
				v := r.object2value(n, root)
				if v == nil {
					continue
				}
				got, want := reflect.New(root), reflect.New(root)
				store(got.Elem(), v)
				if err := json.Unmarshal(v.appendJSON(nil), want.Interface()); err != nil {
					t.Fatalf("%s refuses what convert accepts: %v\n%s", root, err, v.appendJSON(nil))
				}
				if diff := cmp.Diff(want.Interface(), got.Interface()); diff != "" {
					t.Errorf("%s (-UnmarshalJSON +store):\n%s", root, diff)
				}
				r.compare(v, got.Elem())
				var given, kept any
				b, err := json.Marshal(got.Interface())
				if err != nil {
					t.Fatal(err)
				}
				if json.Unmarshal(v.appendJSON(nil), &given) == nil && json.Unmarshal(b, &kept) == nil {
					lost(t, root.String(), v, given, kept)
				}
			}
		}
	}
}

// lost fails for members that MarshalJSON does not give back.
func lost(t *testing.T, path string, v *value, given, kept any) {
	t.Helper()
	switch given := given.(type) {
	case map[string]any:
		m, _ := kept.(map[string]any)
		for i, name := range v.names {
			if name == "kind" || slices.Index(v.names, name) != i || slices.Contains(v.names[i+1:], name) {
				continue // MarshalJSON writes the one kind that the type is for; of two members that go into one, compare reports what the type drops
			}
			if have, ok := m[name]; ok {
				lost(t, path+"."+name, v.items[i], given[name], have)
			} else if !empty(v.items[i].raw) && v.items[i].field >= 0 {
				t.Errorf("%s.%s is lost", path, name)
			}
		}
	case []any:
		l, _ := kept.([]any)
		for i := range given {
			if i < len(l) && i < len(v.items) {
				lost(t, path, v.items[i], given[i], l[i])
			}
		}
	default:
		if !reflect.DeepEqual(given, kept) {
			t.Errorf("%s: %v became %v", path, given, kept)
		}
	}
}

// store fills a type as its own UnmarshalJSON does, for every type that a reader decodes and every resource of the tests.
func TestStoreIsUnmarshal(t *testing.T) {
	for _, text := range examples() {
		storedAsUnmarshalled(t, fill(text))
	}
}

// FuzzStore: whatever a resource holds, store fills its type as UnmarshalJSON does.
func FuzzStore(f *testing.F) {
	for _, text := range corpusTexts() {
		f.Add([]byte(fill(text)))
	}
	f.Add([]byte(`{"id": "/subscriptions/s/providers/Microsoft.Network/virtualNetworks/v", "properties": {"subnets": [{"properties": {"natGateway": {}}}], "addressSpace": {}}}`)) // empty objects
	f.Add([]byte(`{"properties": {"explicitProxy": {"httpPort": 1}, "explicitProxySettings": {"httpPort": 2}}}`))                                                                  // two names of one member
	f.Add([]byte(`{"properties": {"explicitProxy": {"httpPort": 1}, "explicitProxySettings": {"": 2}}}`))                                                                          // of which one drops the other's
	f.Add([]byte(`{"properties": {"ruleCollections": [{"ruleCollectionType": "x"}, {"ruleCollectionType": "FIREWALLPOLICYNATRULECOLLECTION", "rules": [{}]}]}}`))                  // kinds that nobody knows, or spells so
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 1<<14 {
			storedAsUnmarshalled(t, string(data))
		}
	})
}
