package azuretest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing/fstest"
)

// Group is the path of the resource group that holds everything.
const Group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"

// Region is where everything is.
const Region = "westeurope"

// Object is a JSON object.
type Object = map[string]any

// Resource is one resource as the REST API prints it.
type Resource Object

// New makes any resource: `virtualNetworks` is of Microsoft.Network, other providers are written out
// (`Microsoft.Storage/storageAccounts`). A child names its parents in kind and name alike: `networkManagers/networkGroups`, `m/group`.
func New(kind, name string, properties Object) Resource {
	if properties == nil {
		properties = Object{}
	}
	return Resource{
		"id": ID(kind, name), "name": name[strings.LastIndex(name, "/")+1:], "type": provided(kind), "location": Region, "properties": properties,
	}
}

// provided adds the provider that most kinds have.
func provided(kind string) string {
	if strings.HasPrefix(kind, "Microsoft.") {
		return kind
	}
	return "Microsoft.Network/" + kind
}

// ID is the ID of a resource; kind and name are those of [New].
func ID(kind, name string) string {
	parts := strings.Split(provided(kind), "/")
	names := strings.Split(name, "/")
	if len(parts) != len(names)+1 {
		panic("azuretest: kind " + kind + " and name " + name + " have not the same parts")
	}
	id := Group + "/providers/" + parts[0]
	for i, n := range names {
		id += "/" + parts[i+1] + "/" + n
	}
	return id
}

// SubnetID is the ID of `vnet/subnet`.
func SubnetID(name string) string { return ID("virtualNetworks/subnets", name) }

// Ref is a reference to a resource, as properties hold it.
func Ref(kind, name string) Object { return Object{"id": ID(kind, name)} }

// Set sets a property by its path below `properties`, such as `sku.name` or `bgpSettings.asn`, and returns the resource. A path that begins
// with a dot starts at the top: `.location`, `.sku.name`. Nil removes.
func (r Resource) Set(path string, value any) Resource {
	at := Object(r)
	if top, ok := strings.CutPrefix(path, "."); ok {
		path = top
	} else {
		path = "properties." + path
	}
	names := strings.Split(path, ".")
	for _, n := range names[:len(names)-1] {
		next, ok := at[n].(Object)
		if !ok {
			next = Object{}
			at[n] = next
		}
		at = next
	}
	last := names[len(names)-1]
	if value == nil {
		delete(at, last)
	} else {
		at[last] = value
	}
	return r
}

// properties of the resource.
func (r Resource) properties() Object { return r["properties"].(Object) }

// JSON is the resource as text.
func (r Resource) JSON() string {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("azuretest: %v", err))
	}
	return string(b) + "\n"
}

// FS holds the resources, one file each, in their order: `azure/000-virtualNetworks-net.json`.
func FS(resources ...Resource) fs.FS {
	out := fstest.MapFS{}
	for i, r := range resources {
		kind := r["type"].(string)
		name := fmt.Sprintf("azure/%03d-%s-%s.json", i, kind[strings.LastIndex(kind, "/")+1:], r["name"])
		out[name] = &fstest.MapFile{Data: []byte(r.JSON())}
	}
	return out
}

// Files lists the files of [FS], in their order.
func Files(fsys fs.FS) []string {
	names, err := fs.Glob(fsys, "azure/*.json")
	if err != nil {
		panic(fmt.Sprintf("azuretest: %v", err))
	}
	return names
}

// option takes a word apart.
func option(word string) (key, value string) {
	key, value, _ = strings.Cut(word, "=")
	return key, value
}

// unknownWord reports a word that a function does not have.
func unknownWord(what, word string) { panic("azuretest: " + what + " has no option `" + word + "`") }

// list splits a text at commas and blanks.
func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// add appends to a list of properties.
func add(o Object, key string, value any) {
	have, _ := o[key].([]any)
	o[key] = append(have, value)
}
