package kubernetes

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/model"
)

// options are those of every test: a cluster with an Azure ID, and its short name.
func options() Options {
	return Options{Cluster: "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks-prod"}
}

// importText imports one file.
func importText(name, text string) (Result, error) {
	return Import(fstest.MapFS{name: {Data: []byte(text)}}, []string{name}, options())
}

// mustImport imports one file that has no errors.
func mustImport(t *testing.T, name, text string) Result {
	t.Helper()
	r, err := importText(name, text)
	if err != nil {
		t.Fatalf("import %s: %v", name, err)
	}
	return r
}

// get returns the resource of a type, namespace and name.
func get[T model.Resource](t *testing.T, r Result, kind, namespace, name string) T {
	t.Helper()
	id := model.Kubernetes("aks-prod", kind, namespace, name)
	for _, res := range r.Resources {
		if res.ResourceID() == id {
			if x, ok := res.(T); ok {
				return x
			}
		}
	}
	t.Fatalf("no %s in the result; it has %v", id, ids(r))
	panic("unreachable")
}

func ids(r Result) []string {
	var out []string
	for _, res := range r.Resources {
		out = append(out, strings.TrimPrefix(string(res.ResourceID()), "kubernetes:aks-prod/"))
	}
	return out
}

// dump prints a result for people: a block for each resource with every field that is not zero, then the ledger.
func dump(r Result) string {
	var b strings.Builder
	for _, res := range r.Resources {
		v := reflect.ValueOf(res).Elem()
		src := res.Origin()
		fmt.Fprintf(&b, "%s %s at %s %s\n", v.Type().Name(), strings.TrimPrefix(string(res.ResourceID()), "kubernetes:aks-prod/"), src, src.Path)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if f := v.Field(i); name != "Meta" && name != "Cluster" && name != "Namespace" && !f.IsZero() {
				fmt.Fprintf(&b, "  %s: %s\n", name, show(f))
			}
		}
	}
	for _, e := range r.Ledger {
		fmt.Fprintf(&b, "%s %s at %s %s", e.Disposition, e.Type, e.Source, e.Source.Path)
		if e.Field != "" {
			fmt.Fprintf(&b, " field %s", e.Field)
		}
		if e.Effect != "" {
			fmt.Fprintf(&b, ": %s", e.Effect)
		}
		for _, id := range e.Affects {
			fmt.Fprintf(&b, " -> %s", strings.TrimPrefix(string(id), "kubernetes:aks-prod/"))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "files: %s\n", strings.Join(r.Files, " "))
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

func show(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case model.Source:
		return fmt.Sprintf("%d %s", x.Line, x.Path)
	case fmt.Stringer:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Pointer:
		return show(v.Elem())
	case reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				parts = append(parts, v.Type().Field(i).Name+": "+show(f))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Slice, reflect.Array:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, show(v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		var parts []string
		for _, key := range slices.SortedFunc(maps.Keys(mapOf(v)), strings.Compare) {
			parts = append(parts, key+"="+mapOf(v)[key])
		}
		return strings.Join(parts, " ")
	default:
		return fmt.Sprint(v.Interface())
	}
}

func mapOf(v reflect.Value) map[string]string {
	out := map[string]string{}
	for it := v.MapRange(); it.Next(); {
		out[it.Key().String()] = show(it.Value())
	}
	return out
}
