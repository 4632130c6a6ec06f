package azuretest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Parse reads one JSON value; numbers stay as they are written.
func Parse(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	return v, nil
}

// Resources reads the resources of one JSON value as REST prints them: one object, a list, or `{"value": […]}`.
func Resources(text []byte) ([]any, error) {
	v, err := Parse(text)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case []any:
		return v, nil
	case Object:
		if l, ok := v["value"].([]any); ok {
			return l, nil
		}
	}
	return []any{v}, nil
}

// Print writes a value as az prints it, indented.
func Print(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic(err) // INVARIANT: values come from JSON
	}
	return b.Bytes()
}

// List writes the answer of a REST list call.
func List(resources []any) []byte { return Print(Object{"value": orEmpty(resources)}) }

// Graph writes the answer of `az graph query`: one row a resource.
func Graph(resources []any) []byte {
	rows := []any{}
	for _, r := range resources {
		rows = append(rows, Row(r.(Object)))
	}
	return Print(Object{"count": len(rows), "data": rows, "skip_token": nil, "total_records": len(rows)})
}

// Lines writes one resource a line.
func Lines(resources []any) []byte {
	var b bytes.Buffer
	for _, r := range resources {
		line, err := json.Marshal(r)
		if err != nil {
			panic(err) // INVARIANT: values come from JSON
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

// Flat rewrites a value as az prints it: `properties` lifted to the top at every level (`properties.type` becomes typePropertiesType
// beside another `type`), the resource group beside every ID, nulls for what is absent.
func Flat(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = Flat(v[i])
		}
		return out
	case Object:
		out := Object{}
		for k, m := range v {
			if !wrapper(k, m) {
				out[k] = Flat(m)
			}
		}
		if p, ok := v["properties"].(Object); ok {
			for k, m := range p {
				if _, taken := out[k]; taken || k == "type" {
					k = "typeProperties" + strings.ToUpper(k[:1]) + k[1:]
				}
				out[k] = Flat(m)
			}
		}
		if id, ok := v["id"].(string); ok && strings.Contains(id, "/resourceGroups/") {
			out["resourceGroup"] = strings.Split(id, "/")[4]
			if v["properties"] != nil {
				out["systemData"] = nil
			}
		}
		return out
	default:
		return v
	}
}

func wrapper(name string, v any) bool {
	_, ok := v.(Object)
	return ok && name == "properties"
}

// Row rewrites a resource as a row of Resource Graph: types and IDs in lower case (Resource Graph promises no case), more columns.
func Row(r Object) Object {
	out := Object{
		"tenantId": "00000000-0000-0000-0000-00000000000f", "kind": "", "managedBy": "", "sku": nil, "plan": nil, "identity": nil, "zones": nil,
		"extendedLocation": nil, "tags": nil, "location": "", "subscriptionId": "", "resourceGroup": "",
	}
	for k, v := range LowIDs(r).(Object) {
		out[k] = v
	}
	delete(out, "etag")
	if id, ok := out["id"].(string); ok {
		if parts := strings.Split(id, "/"); len(parts) > 4 {
			out["subscriptionId"], out["resourceGroup"] = parts[2], parts[4]
		}
	}
	if t, ok := r["type"].(string); ok {
		out["type"] = strings.ToLower(t)
	}
	return out
}

// LowIDs puts every resource ID into lower case.
func LowIDs(v any) any { return eachID(v, strings.ToLower) }

// HighIDs puts every resource ID into upper case.
func HighIDs(v any) any {
	return eachID(v, strings.ToUpper)
}

func eachID(v any, change func(string) string) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = eachID(v[i], change)
		}
		return out
	case Object:
		out := Object{}
		for k, m := range v {
			out[k] = eachID(m, change)
		}
		return out
	case string:
		if low := strings.ToLower(v); strings.HasPrefix(low, "/subscriptions/") || strings.HasPrefix(low, "/providers/microsoft.") {
			return change(v)
		}
		return v
	default:
		return v
	}
}

// Apart takes the parts of resources out of them, into resources of their own, as the list calls of the parts print them. parts maps
// the type of a part (`Microsoft.Network/networkSecurityGroups/securityRules`) to the property that holds it inside; a property that
// names other resources, or parts without an ID, stays.
func Apart(resources []any, parts map[string]string) []any {
	var out []any
	for _, r := range resources {
		o := maps.Clone(r.(Object))
		out = append(out, o)
		p, ok := o["properties"].(Object)
		if !ok {
			continue
		}
		id, _ := o["id"].(string)
		t, _ := o["type"].(string)
		p = maps.Clone(p)
		o["properties"] = p
		for _, part := range slices.Sorted(maps.Keys(parts)) {
			parent := part[:strings.LastIndexByte(part, '/')]
			inside, ok := p[parts[part]].([]any)
			if !ok || !strings.EqualFold(parent, t) {
				continue
			}
			delete(p, parts[part])
			for _, i := range inside {
				own := maps.Clone(i.(Object))
				name, _ := own["name"].(string)
				if own["id"] == nil {
					own["id"] = id + "/" + part[len(parent)+1:] + "/" + name
				}
				own["type"] = part
				out = append(out, own)
			}
		}
	}
	return out
}
