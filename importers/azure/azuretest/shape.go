package azuretest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
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
// the type of a part (`Microsoft.Network/networkSecurityGroups/securityRules`) to the property that holds it inside, which stays as an
// empty list: an object without any property of its own would be a mere mention.
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
			segment := part[strings.LastIndexByte(part, '/')+1:]
			inside, ok := p[parts[part]].([]any)
			if !ok || !strings.EqualFold(strings.TrimSuffix(part, "/"+segment), t) {
				continue
			}
			p[parts[part]] = []any{}
			for _, i := range inside {
				own := maps.Clone(i.(Object))
				name, _ := own["name"].(string)
				if own["properties"] == nil { // node pools are not wrapped inside their cluster
					delete(own, "name")
					own = Object{"name": name, "properties": own}
				}
				if own["id"] == nil {
					own["id"] = id + "/" + segment + "/" + name
				}
				own["type"] = part
				out = append(out, own)
			}
		}
	}
	return out
}

// Nested puts parts that are resources of their own into their parents; it undoes Apart. A part whose parent is not among the
// resources stays.
func Nested(resources []any, parts map[string]string) []any {
	parents := map[string]Object{}
	var out []any
	for _, r := range resources {
		o := maps.Clone(r.(Object))
		if p, ok := o["properties"].(Object); ok {
			o["properties"] = maps.Clone(p)
		}
		id, _ := o["id"].(string)
		parents[strings.ToLower(id)] = o
	}
	property := map[string]string{}
	for part, name := range parts {
		property[strings.ToLower(part)] = name
	}
	for _, r := range resources {
		id, _ := r.(Object)["id"].(string)
		t, _ := r.(Object)["type"].(string)
		name, isPart := property[strings.ToLower(t)]
		steps := strings.Split(id, "/")
		parent := parents[strings.ToLower(strings.Join(steps[:max(0, len(steps)-2)], "/"))]
		if !isPart || parent == nil {
			out = append(out, parents[strings.ToLower(id)])
			continue
		}
		p, _ := parent["properties"].(Object)
		if p == nil {
			p = Object{}
			parent["properties"] = p
		}
		inside, _ := p[name].([]any)
		p[name] = append(slices.Clone(inside), r)
	}
	return out
}

// Lists writes members of which a singular and a plural form exist in the plural one. pairs maps the singular name to the plural one.
func Lists(v any, pairs map[string]string) any {
	return eachObject(v, func(o Object) {
		for one, many := range pairs {
			if s, ok := o[one]; ok && s != nil {
				old, _ := o[many].([]any)
				o[many] = append([]any{s}, old...)
				delete(o, one)
			}
		}
	})
}

// Singles writes such members in the singular form where there is one value.
func Singles(v any, pairs map[string]string) any {
	return eachObject(v, func(o Object) {
		for one, many := range pairs {
			if o["sources"] != nil { // a security admin rule has the plural forms alone
				continue
			}
			if l, ok := o[many].([]any); ok && len(l) == 1 && o[one] == nil {
				o[one] = l[0]
				delete(o, many)
			}
		}
	})
}

// Named renames members. Names below keys (tags, labels) are data and stay.
func Named(v any, keys []string, name func(string) string) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = Named(v[i], keys, name)
		}
		return out
	case Object:
		out := Object{}
		for k, m := range v {
			if !slices.Contains(keys, k) {
				m = Named(m, keys, name)
			}
			out[name(k)] = m
		}
		return out
	default:
		return v
	}
}

func eachObject(v any, change func(Object)) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = eachObject(v[i], change)
		}
		return out
	case Object:
		out := Object{}
		for k, m := range v {
			out[k] = eachObject(m, change)
		}
		change(out)
		return out
	default:
		return v
	}
}

// Shuffled writes a value with the members of each object in another order; the same turn gives the same order.
func Shuffled(v any, rnd *rand.Rand) []byte {
	var b bytes.Buffer
	shuffled(&b, v, rnd)
	return b.Bytes()
}

func shuffled(b *bytes.Buffer, v any, rnd *rand.Rand) {
	switch v := v.(type) {
	case []any:
		b.WriteByte('[')
		for i, m := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			shuffled(b, m, rnd)
		}
		b.WriteByte(']')
	case Object:
		names := slices.Sorted(maps.Keys(v))
		rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		b.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			plain(b, name)
			b.WriteByte(':')
			shuffled(b, v[name], rnd)
		}
		b.WriteByte('}')
	default:
		plain(b, v)
	}
}

func plain(b *bytes.Buffer, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // INVARIANT: values come from JSON
	}
	b.Write(text)
}
