package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// The deployed side of the example is an export of what its files describe: one query over the subscription, one over the cluster. Write it
// anew by `go test ./cmd/ringfence -run TestDeployedSide -update`.
func TestDeployedSide(t *testing.T) {
	const example = "../../examples/aks-pci"
	for name, make := range map[string]func(*testing.T, string) []byte{"azure.json": exported, "cluster.yaml": live} {
		want := make(t, example)
		file := filepath.Join(example, "deployed", name)
		if *update {
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, want, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s: %s", file, d)
		}
	}
}

// exported is the resources of all files as a query of Resource Graph lists them.
func exported(t *testing.T, example string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(example, "azure", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := []any{}
	for _, file := range files {
		data, bad := os.ReadFile(file)
		if bad != nil {
			t.Fatal(bad)
		}
		var v any
		if err = json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		if m, ok := v.(map[string]any); ok {
			for _, key := range []string{"value", "data"} {
				if list, ok := m[key].([]any); ok {
					v = list
				}
			}
		}
		if list, ok := v.([]any); ok {
			all = append(all, list...)
		} else {
			all = append(all, v)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err = e.Encode(all); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// live is the objects of all manifests as `kubectl get -o yaml` lists them.
func live(t *testing.T, example string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(example, "manifests", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	slices.Sort(files)
	var items []any
	for _, file := range files {
		data, bad := os.ReadFile(file)
		if bad != nil {
			t.Fatal(bad)
		}
		d := yaml.NewDecoder(bytes.NewReader(data))
		for {
			var v map[string]any
			if err = d.Decode(&v); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(file, err)
			}
			if list, ok := v["items"].([]any); ok {
				items = append(items, list...)
			} else if len(v) > 0 {
				items = append(items, v)
			}
		}
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err = errors.Join(e.Encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": items}), e.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
