package intent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/ringfence/ringfence/model"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err = c.AddResource("intent.json", parsed); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("intent.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain is a YAML value as an editor sees it that follows YAML 1.2: a day is text.
func plain(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.AliasNode:
		return plain(t, n.Alias)
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(t, n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(t, c))
		}
		return list
	default:
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		var f float64
		if err := n.Decode(&f); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return json.Number(text)
	default:
		return n.Value
	}
}

func tree(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return document.Content[0]
}

// goodFiles are the files that other tests read without an error.
func goodFiles(t *testing.T) map[string]string {
	t.Helper()
	good := map[string]string{
		"docs/intent.md":   documented(t),
		"only a version":   "ringfence: v1\n",
		"capital services": "ringfence: v1\npci: {nodeEgress: [TCP/443, Any, ICMPv6, 'udp/*']}\n",
	}
	for _, name := range []string{"testdata/full", "testdata/nothing"} {
		data, err := os.ReadFile(name + "/ringfence.yaml")
		if err != nil {
			t.Fatal(err)
		}
		good[name] = string(data)
	}
	return good
}

func TestSchemaAcceptsWhatTheReaderAccepts(t *testing.T) {
	schema := compiled(t)
	for name, text := range goodFiles(t) {
		root := tree(t, text)
		if err := schema.Validate(plain(t, root)); err != nil {
			t.Errorf("%s: the schema refuses it: %v", name, err)
		}
		if errs := judge(root); len(errs) > 0 {
			t.Errorf("%s: the reader refuses it: %v", name, errs)
		}
	}
}

// An editor marks what the reader refuses, but for what one pattern cannot see.
func TestSchemaRefusesWhatTheReaderRefuses(t *testing.T) {
	schema := compiled(t)
	for _, test := range badFiles() {
		root := tree(t, "ringfence: v1\n"+test.text+"\n")
		if err := schema.Validate(plain(t, root)); (err != nil) == test.reader {
			t.Errorf("%s: only the reader sees it: %v; the schema says %v", test.what, test.reader, err)
		}
	}
}

// judge reads a tree and returns what is wrong with it.
func judge(root *yaml.Node) []*model.InputError {
	r := newReader()
	r.root(value{node: root, line: root.Line})
	r.check()
	return r.errs
}

// Whatever is changed in a good file, the schema never refuses what the reader accepts: an editor must not mark what runs. And
// both refuse each key that the format does not have, at each place.
func TestSchemaAndReaderAgreeOnChangedFiles(t *testing.T) {
	schema := compiled(t)
	scalar := func(tag, text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text} }
	replacements := []*yaml.Node{
		scalar("!!str", ""), scalar("!!str", "x"), scalar("!!str", "internet"), scalar("!!str", "vm:a"), scalar("!!str", "gateway:g"),
		scalar("!!str", "tcp/443"), scalar("!!str", "any"), scalar("!!str", "2026-10-20"), scalar("!!str", "kube-system"), scalar("!!str", "nsg:a/b"),
		scalar("!!int", "7"), scalar("!!bool", "true"), scalar("!!null", ""),
		{Kind: yaml.SequenceNode, Tag: "!!seq"},
		{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{scalar("!!str", "vm:a")}},
		{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{scalar("!!str", "not:vm:a")}},
		{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{scalar("!!int", "7")}},
		{Kind: yaml.MappingNode, Tag: "!!map"},
	}
	accepted, refused := 0, 0
	compare := func(root *yaml.Node, change string) bool {
		if len(judge(root)) > 0 {
			refused++
			return true
		}
		accepted++
		if err := schema.Validate(plain(t, root)); err != nil {
			t.Errorf("%s: the reader accepts it, the schema says %v", change, err)
		}
		return false
	}
	for _, name := range []string{"testdata/full", "testdata/nothing"} {
		root := tree(t, goodFiles(t)[name])
		var walk func(n *yaml.Node, path string)
		walk = func(n *yaml.Node, path string) {
			for i := range n.Content {
				where := fmt.Sprintf("%s[%d]", path, i)
				if n.Kind == yaml.MappingNode {
					if i%2 == 0 {
						continue
					}
					where = path + "." + n.Content[i-1].Value
				}
				old := n.Content[i]
				for _, r := range replacements {
					n.Content[i] = r
					compare(root, fmt.Sprintf("%s:%s as %q (%s)", name, where, r.Value, r.ShortTag()))
				}
				n.Content[i] = old
				walk(old, where)
			}
			if n.Kind != yaml.MappingNode {
				return
			}
			for i := 0; i < len(n.Content); i += 2 {
				old := slices.Clone(n.Content)
				n.Content = slices.Delete(n.Content, i, i+2)
				compare(root, name+":"+path+" without "+old[i].Value)
				n.Content = old
			}
			n.Content = append(n.Content, scalar("!!str", "x-unknown"), scalar("!!str", "x"))
			if !compare(root, name+":"+path+" with an unknown key") {
				t.Errorf("%s:%s with an unknown key: the reader accepts it", name, path)
			}
			if schema.Validate(plain(t, root)) == nil {
				t.Errorf("%s:%s with an unknown key: the schema accepts it", name, path)
			}
			n.Content = n.Content[:len(n.Content)-2]
		}
		walk(root, "")
	}
	t.Logf("%d changes accepted, %d refused", accepted, refused)
	if accepted < 500 || refused < 3000 {
		t.Errorf("%d changes accepted, %d refused: too few to say anything", accepted, refused)
	}
}

// fieldsOf returns what the reader knows of each shape.
func fieldsOf(r *reader) map[reflect.Type][]field {
	var a model.Assertion
	fields := map[reflect.Type][]field{}
	add := func(shape any, f []field) { fields[reflect.TypeOf(shape)] = f }
	add(fileShape{}, r.rootFields())
	add(inputShape{}, r.inputFields(&Input{}))
	add(scopeShape{}, r.scopeFields(&Scope{}))
	add(zoneShape{}, r.zoneFields(&model.Zone{}))
	add(rolesShape{}, r.rolesFields(&model.Roles{}))
	add(noneShape{}, r.noneFields())
	add(statementShape{}, r.statementFields(&model.NoneStatement{}))
	add(assertionShape{}, r.assertionFields(&a))
	add(denyShape{}, r.verbFields(&a, model.VerbDeny))
	add(onlyShape{}, r.verbFields(&a, model.VerbOnly))
	add(mustShape{}, r.verbFields(&a, model.VerbMust))
	add(throughShape{}, r.verbFields(&a, model.VerbThrough))
	add(waiverShape{}, r.waiverFields(&model.Waiver{}))
	add(dataFlowShape{}, r.dataFlowFields(&model.DataFlow{}))
	add(protectionShape{}, r.protectionFields(&model.DataFlow{}))
	add(storeShape{}, r.storeFields(&model.Store{}))
	add(justificationShape{}, r.justificationFields(&model.Justification{}))
	add(allowsShape{}, r.allowsFields(&model.Allowed{}))
	add(reviewShape{}, r.reviewFields(&model.Review{}))
	add(attestationShape{}, r.attestationFields(&model.Attestation{}))
	add(ownerShape{}, r.ownerFields(&model.OwnerEntry{}))
	add(documentsShape{}, r.documentsFields(&model.Documents{}))
	add(pciShape{}, r.pciFields(&model.PCI{}))
	add(exemptNamespacesShape{}, r.exemptNamespacesFields(&model.ExemptNamespaces{}))
	add(exemptNamespaceShape{}, r.exemptNamespaceFields(&model.ExemptNamespace{}))
	add(allowedPortsShape{}, r.allowedPortsFields(&model.PCI{}))
	add(monitoringShape{}, r.monitoringFields(&model.Monitoring{}))
	add(authorizedSourcesShape{}, r.authorizedSourcesFields(&model.PCI{}))
	add(emergencyAccessShape{}, r.emergencyAccessFields(&model.EmergencyAccess{}))
	add(networkAdminShape{}, r.networkAdminFields(&model.NetworkAdmin{}))
	add(defaultDenyShape{}, r.defaultDenyFields(&model.PCI{}))
	return fields
}

// key is a field of a mirror type: its name in the file, and if it is required.
func key(f reflect.StructField) (string, bool) {
	name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name, rest != "omitzero"
}

// mappings returns every mirror type of a mapping that can be reached from a type.
func mappings(t reflect.Type, seen map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		mappings(t.Elem(), seen)
	case reflect.Struct:
		if !seen[t] {
			seen[t] = true
			for f := range t.Fields() {
				mappings(f.Type, seen)
			}
		}
	default:
	}
}

// The schema is made from the mirror types, the reader has tables of its own: both name the same keys in the same order, and demand
// the same ones.
func TestShapesAndReaderKnowTheSameKeys(t *testing.T) {
	read := fieldsOf(newReader())
	shapes := map[reflect.Type]bool{}
	mappings(reflect.TypeFor[fileShape](), shapes)
	for shape := range shapes {
		fields, ok := read[shape]
		if !ok {
			t.Errorf("%s: this test does not know what reads it", shape.Name())
			continue
		}
		var got, want []string
		for _, f := range fields {
			got = append(got, fmt.Sprint(f.name, " ", f.required))
		}
		for f := range shape.Fields() {
			name, required := key(f)
			want = append(want, fmt.Sprint(name, " ", required))
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: keys and whether they are required (-reader +shape):\n%s", shape.Name(), diff)
		}
	}
	for shape := range read {
		if !shapes[shape] {
			t.Errorf("%s: the file has no place for it", shape.Name())
		}
	}
}

// The two files of testdata that must be read in full use each key of the format.
func TestExamplesUseEveryKey(t *testing.T) {
	used := map[string]bool{}
	var use func(shape reflect.Type, v any)
	use = func(shape reflect.Type, v any) {
		switch shape.Kind() {
		case reflect.Slice:
			list, _ := v.([]any)
			for _, item := range list {
				use(shape.Elem(), item)
			}
		case reflect.Map:
			m, _ := v.(map[string]any)
			for _, item := range m {
				use(shape.Elem(), item)
			}
		case reflect.Struct:
			m, _ := v.(map[string]any)
			for f := range shape.Fields() {
				name, _ := key(f)
				if under, ok := m[name]; ok {
					used[shape.Name()+" "+name] = true
					use(f.Type, under)
				}
			}
		default:
		}
	}
	good := goodFiles(t)
	for _, name := range []string{"testdata/full", "testdata/nothing"} {
		use(reflect.TypeFor[fileShape](), plain(t, tree(t, good[name])))
	}
	shapes := map[reflect.Type]bool{}
	mappings(reflect.TypeFor[fileShape](), shapes)
	for shape := range shapes {
		for f := range shape.Fields() {
			if name, _ := key(f); !used[shape.Name()+" "+name] {
				t.Errorf("no example uses %s of %s", name, shape.Name())
			}
		}
	}
}

// The schema is the same bytes every time, and says something about every key.
func TestSchemaIsStableAndDescribed(t *testing.T) {
	first, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, err := Schema(); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("another schema the second time (%v)", err)
		}
	}
	var parsed struct {
		Schema string `json:"$schema"`
		shapeOf
		Defs map[string]shapeOf `json:"$defs"`
	}
	if err := json.Unmarshal(first, &parsed); err != nil {
		t.Fatal(err)
	}
	if want := "https://json-schema.org/draft/2020-12/schema"; parsed.Schema != want {
		t.Errorf("got the dialect %s, want %s", parsed.Schema, want)
	}
	parsed.Defs["the file"] = parsed.shapeOf
	keys := 0
	for name, def := range parsed.Defs {
		if len(def.Properties) > 0 && string(def.Additional) != "false" {
			t.Errorf("%s: keys that are not listed are %s, want false", name, def.Additional)
		}
		for k, p := range def.Properties {
			keys++
			if !strings.HasSuffix(p.Description, ".") {
				t.Errorf("%s.%s: the description is %q, want a sentence", name, k, p.Description)
			}
		}
	}
	if keys < 150 {
		t.Errorf("got %d keys, want those of the whole file", keys)
	}
}

type shapeOf struct {
	Additional json.RawMessage                         `json:"additionalProperties"`
	Properties map[string]struct{ Description string } `json:"properties"`
}
