package intent

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
)

// example is a file that uses every key, from which the reference takes its examples.
//
//go:embed example.yaml
var example []byte

// Reference is the reference of ringfence.yaml in Markdown: every key of the schema, with its type, whether it is required, its default,
// what it accepts, an example and what it means. It says what the schema says, in its order.
func Reference() ([]byte, error) {
	r := &reference{root: schema(), done: map[string]string{}}
	dec := yaml.NewDecoder(bytes.NewReader(example))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the example: %w", err)
		}
		r.examples = append(r.examples, doc.Content[0])
	}
	fmt.Fprintf(&r.b, "# Reference of ringfence.yaml\n\n")
	fmt.Fprintf(&r.b, "<!-- Written by `ringfence schema --format markdown intent`; what to change is the description of a field in importers/intent. -->\n\n")
	fmt.Fprintf(&r.b, "%s What the keys are for, and how selectors work, is told in [intent.md](intent.md). An unknown key is an error.\n", r.root.Description)
	r.object("The file", "", r.root)
	for len(r.queue) > 0 {
		next := r.queue[0]
		r.queue = r.queue[1:]
		r.object("`"+next.path+"`", next.path, next.schema)
	}
	r.types()
	return r.b.Bytes(), nil
}

// reference writes the reference, objects as they are met.
type reference struct {
	b        bytes.Buffer
	root     *jsonschema.Schema
	examples []*yaml.Node
	done     map[string]string // definitions of objects by name: the path where they are told
	used     []string          // definitions of other types, in the order met
	queue    []described
}

type described struct {
	path   string
	schema *jsonschema.Schema
}

// object writes the keys of one object.
func (r *reference) object(title, path string, s *jsonschema.Schema) {
	fmt.Fprintf(&r.b, "\n## %s\n\n", title)
	for _, rule := range choices(s) {
		fmt.Fprintf(&r.b, "%s\n\n", rule)
	}
	fmt.Fprintf(&r.b, "| key | type | required | default | accepts | example | meaning |\n|---|---|---|---|---|---|---|\n")
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		at := strings.TrimPrefix(path+"."+p.Key, ".")
		required := "no"
		if slices.Contains(s.Required, p.Key) {
			required = "yes"
		}
		kind, accepts := r.kind(p.Value, at)
		fmt.Fprintf(&r.b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", p.Key, kind, required, defaultOf(r.resolved(p.Value), p.Value), accepts, r.example(at), cell(p.Value.Description))
	}
}

// choices says which keys exclude each other, or stand for each other.
func choices(s *jsonschema.Schema) []string {
	list := func(of []*jsonschema.Schema) string {
		var keys []string
		for _, o := range of {
			for _, k := range o.Required {
				keys = append(keys, "`"+k+"`")
			}
		}
		return strings.Join(keys, ", ")
	}
	var out []string
	if len(s.OneOf) > 0 {
		out = append(out, "Exactly one of "+list(s.OneOf)+".")
	}
	if len(s.AnyOf) > 0 {
		out = append(out, "At least one of "+list(s.AnyOf)+".")
	}
	if s.Not != nil && len(s.Not.Required) > 0 {
		out = append(out, "Not together: "+list([]*jsonschema.Schema{s.Not})+".")
	}
	for _, k := range slices.Sorted(maps.Keys(s.DependentRequired)) {
		out = append(out, fmt.Sprintf("`%s` needs `%s`.", k, strings.Join(s.DependentRequired[k], "`, `")))
	}
	return out
}

// resolved follows a reference to a definition.
func (r *reference) resolved(s *jsonschema.Schema) *jsonschema.Schema {
	if name, ok := definition(s); ok {
		return r.root.Definitions[name]
	}
	return s
}

func definition(s *jsonschema.Schema) (string, bool) { return strings.CutPrefix(s.Ref, "#/$defs/") }

// kind names the type of a value, with a link to where it is told, and what it accepts as far as that is a list or a range.
func (r *reference) kind(s *jsonschema.Schema, at string) (kind, accepts string) {
	name, named := definition(s)
	full := r.resolved(s)
	switch {
	case full.Type == "array":
		kind, accepts = r.kind(full.Items, at+"[]")
		return "list of " + kind, accepts
	case full.Type == "object" && full.Properties.Len() == 0 && full.AdditionalProperties != nil: // names of the user's own
		kind, accepts = r.kind(full.AdditionalProperties, at+".NAME")
		return kind + " by name", accepts
	case full.Type == "object":
		if r.done[name] == "" {
			r.done[name] = at
			r.queue = append(r.queue, described{at, full})
		}
		return fmt.Sprintf("[%s](#%s)", name, anchor(r.done[name])), ""
	case len(full.Enum) > 0:
		var words []string
		for _, e := range full.Enum {
			words = append(words, fmt.Sprintf("`%v`", e))
		}
		return "word", strings.Join(words, ", ")
	case full.Type == "boolean":
		return "true or false", ""
	case full.Type == "integer":
		return "whole number", span(full)
	case named:
		if !slices.Contains(r.used, name) {
			r.used = append(r.used, name)
		}
		return fmt.Sprintf("[%s](#type-%s)", typeName(name), strings.ToLower(name)), ""
	default:
		return "text", ""
	}
}

// span is the range of a number.
func span(s *jsonschema.Schema) string {
	switch {
	case s.Minimum != "" && s.Maximum != "":
		return fmt.Sprintf("%s to %s", s.Minimum, s.Maximum)
	case s.Minimum != "":
		return fmt.Sprintf("%s or more", s.Minimum)
	default:
		return ""
	}
}

func defaultOf(list ...*jsonschema.Schema) string {
	for _, s := range list {
		if s.Default != nil {
			return fmt.Sprintf("`%v`", s.Default)
		}
	}
	return ""
}

// typeName is what a definition of the schema is called.
func typeName(definition string) string {
	switch definition {
	case "said":
		return "text, not empty"
	case "hops":
		return "selectors in order"
	case "perhapsSelectors":
		return "selectors or none"
	case "perhapsServices":
		return "services or none"
	case "perhapsTexts":
		return "texts or none"
	case "someServices":
		return "services but any"
	default:
		return definition
	}
}

// types tells the types of values that are no objects.
func (r *reference) types() {
	fmt.Fprintf(&r.b, "\n## Types\n\n| type | a value is |\n|---|---|\n")
	for i := 0; i < len(r.used); i++ { // a type may name another one
		name := r.used[i]
		s := r.root.Definitions[name]
		for _, o := range s.AnyOf {
			if _, named := definition(o); named {
				r.kind(o, "")
			}
		}
		fmt.Fprintf(&r.b, "| <a id=\"type-%s\"></a>%s | %s |\n", strings.ToLower(name), typeName(name), cell(s.Description))
	}
	for len(r.queue) > 0 {
		next := r.queue[0]
		r.queue = r.queue[1:]
		r.object("`"+next.path+"`", next.path, next.schema)
	}
}

// longest is how many characters an example has: of a larger object the keys are shown in its own table.
const longest = 120

// example is the value of a key in the example file, on one line.
func (r *reference) example(path string) string {
	for _, doc := range r.examples {
		n := lookup(doc, strings.Split(strings.ReplaceAll(path, "[]", ".[]"), "."))
		if n == nil {
			continue
		}
		out, err := yaml.Marshal(flow(n))
		if text := strings.TrimSpace(string(out)); err == nil && len(text) <= longest {
			return "`" + cell(text) + "`"
		}
	}
	return ""
}

// lookup finds the first value of a path: `[]` is any entry of a list, NAME any key.
func lookup(n *yaml.Node, path []string) *yaml.Node {
	if len(path) == 0 {
		return n
	}
	switch {
	case n.Kind == yaml.SequenceNode && path[0] == "[]":
		for _, item := range n.Content {
			if found := lookup(item, path[1:]); found != nil {
				return found
			}
		}
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == path[0] || path[0] == "NAME" {
				if found := lookup(n.Content[i+1], path[1:]); found != nil {
					return found
				}
			}
		}
	}
	return nil
}

// flow copies a value so that it is written on one line, without comments.
func flow(n *yaml.Node) *yaml.Node {
	out := *n
	out.HeadComment, out.LineComment, out.FootComment = "", "", ""
	if n.Kind != yaml.ScalarNode {
		out.Style = yaml.FlowStyle
	}
	out.Content = nil
	for _, c := range n.Content {
		out.Content = append(out.Content, flow(c))
	}
	return &out
}

// anchor is the one that GitHub makes of a heading.
func anchor(path string) string {
	return strings.Map(func(c rune) rune {
		if c == '.' || c == '[' || c == ']' {
			return -1
		}
		return c
	}, strings.ToLower(path))
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
