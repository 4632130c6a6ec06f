package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Each JSON output is what its schema says.
func TestOutputsFollowTheirSchemas(t *testing.T) {
	for title, args := range map[string][]string{
		"verify":                         {"verify", "--format", "json", "../../examples/aks-pci-broken"},
		"reach":                          {"reach", "--format", "json", "--from", "internet", "--to", "zone:cde", "../../examples/aks-pci-broken"},
		"reach, denied and explained":    {"reach", "--explain", "--format", "json", "--from", "zone:wireless", "--to", "zone:cde", "../../examples/aks-pci"},
		"reach, reachable and explained": {"reach", "--explain", "--format", "json", "--from", "any", "--to", "zone:cde", "../../examples/aks-pci-broken"},
		"trace":                          {"trace", "--format", "json", "--from", "pod:payments/api", "--to", "service:sql-cards", "--service", "tcp/1433", "../../examples/aks-pci-broken"},
		"matrix":                         {"matrix", "--format", "json", "../../examples/aks-pci-broken"},
		"matrix, by workload":            {"matrix", "--format", "json", "--exposure", "../../examples/aks-pci-broken"},
		"scope":                          {"scope", "--format", "json", "../../examples/aks-pci"},
		"lint":                           {"lint", "--format", "json", "../../examples/aks-pci-broken"},
		"effective-routes":               {"effective", "routes", "--format", "json", "--nic", "nic-vm-jump", "../../examples/aks-pci-broken"},
		"effective-rules":                {"effective", "rules", "--format", "json", "--nic", "nic-vm-jump", "../../examples/aks-pci-broken"},
		"diagram":                        {"diagram", "--format", "json", "dataflow", "../../examples/aks-pci-broken"},
		"diff":                           {"diff", "--format", "json", "--fail-on", "none", "../../examples/aks-pci", "../../examples/aks-pci-broken"},
		"snapshot":                       {"import", "../../examples/aks-pci-broken"},
	} {
		t.Run(title, func(t *testing.T) {
			name, _, _ := strings.Cut(title, ",")
			schema := compiledSchema(t, name)
			var stdout bytes.Buffer
			if code := run(append([]string{"ringfence"}, args...), strings.NewReader(""), &stdout, io.Discard); code > exitFail {
				t.Fatal("exit", code)
			}
			output, err := jsonschema.UnmarshalJSON(&stdout)
			if err != nil {
				t.Fatal(err)
			}
			if err = schema.Validate(output); err != nil {
				t.Error(err)
			}
			output.(map[string]any)["surprise"] = 1
			if schema.Validate(output) == nil {
				t.Error("the schema accepts anything")
			}
		})
	}
}

// docs/intent.schema.json is what editors read: the schema of the intent file, as `ringfence schema intent` prints it.
func TestIntentSchemaIsCurrent(t *testing.T) {
	want, err := schemaOf("intent")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/intent.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("write it anew: go run ./cmd/ringfence schema -o docs/intent.schema.json intent\n%s", diff)
	}
}

// compiledSchema is a schema of ours, ready to hold a document against.
func compiledSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	text, err := schemaOf(name)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err = c.AddResource("schema.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
