package main

import (
	"fmt"
	"net/netip"
	"path"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/diagram"
	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/importers/snapshot"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// schemaNames lists the schemas in the order in which messages name them.
func schemaNames() []string {
	return []string{"intent", "verify", "reach", "trace", "matrix", "scope", "lint", "effective-routes", "effective-rules", "diagram", "diff", "snapshot"}
}

func schemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "print the JSON Schema of the intent file or of an output", ArgsUsage: strings.Join(schemaNames(), "|"),
		Flags:       []cli.Flag{formatFlag("json", "markdown"), outputFlag()},
		Description: "`--format markdown` prints the reference of the intent file: every key, with an example (docs/intent-reference.md).",
		Action: func(c *cli.Context) error {
			if err := noMore(c, 1); err != nil {
				return err
			}
			form, err := format(c, "json", "markdown")
			if err != nil {
				return err
			}
			name := c.Args().First()
			if form == "markdown" && name != "intent" {
				return usage("--format markdown is for `schema intent`")
			}
			data, err := schemaOf(name)
			if form == "markdown" {
				data, err = intent.Reference()
			}
			if err != nil {
				return err
			}
			return emit(c, data)
		},
	}
}

func schemaOf(name string) ([]byte, error) {
	var v any
	switch name {
	case "intent":
		return intent.Schema()
	case "verify":
		v = &pci.Result{}
	case "reach":
		v = &reachOutput{}
	case "trace":
		v = &traceOutput{}
	case "matrix":
		v = &matrixOutput{}
	case "scope":
		v = &pci.ScopeResult{}
	case "lint":
		v = &pci.FindingList{}
	case "effective-routes":
		v = &routesOutput{}
	case "effective-rules":
		v = &rulesOutput{}
	case "diagram":
		v = &diagram.Diagram{}
	case "diff":
		v = &pci.Difference{}
	case "snapshot":
		return snapshotSchema()
	case "":
		return nil, usage("a name is missing: want %s", strings.Join(schemaNames(), ", "))
	default:
		return nil, usage("no schema `%s`: want %s", name, strings.Join(schemaNames(), ", "))
	}
	return jsonBytes(reflected(&jsonschema.Reflector{Mapper: words}, v, name))
}

func reflected(r *jsonschema.Reflector, v any, name string) *jsonschema.Schema {
	r.Anonymous, r.ExpandedStruct, r.Namer = true, true, qualified
	s := r.Reflect(v)
	s.ID = jsonschema.ID("https://github.com/ringfence/ringfence/schema/" + name + ".v1.json")
	if field, ok := s.Properties.Get("schema"); ok {
		field.Const = "ringfence/" + name + "/v1"
	}
	return s
}

// snapshotSchema is the schema of a snapshot: fields of the model, none of which must be there.
func snapshotSchema() ([]byte, error) {
	type file struct {
		Schema  string        `json:"schema"`
		Tool    string        `json:"tool"`
		Digest  string        `json:"digest"`
		Project model.Project `json:"project"`
	}
	s := reflected(&jsonschema.Reflector{RequiredFromJSONSchemaTags: true, Mapper: func(t reflect.Type) *jsonschema.Schema {
		if list := snapshot.Words(t); list != nil {
			s := &jsonschema.Schema{Type: "string"}
			for _, w := range list {
				s.Enum = append(s.Enum, w)
			}
			return s
		}
		switch t {
		case reflect.TypeFor[model.PortRange](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.Prefix]():
			return &jsonschema.Schema{Type: "string"}
		case reflect.TypeFor[model.Protocol]():
			return &jsonschema.Schema{Type: "integer", Minimum: "0", Maximum: "255"}
		default:
			return nil
		}
	}}, &file{}, "snapshot")
	s.Required = []string{"schema", "tool", "digest", "project"}
	s.ID = jsonschema.ID("https://github.com/ringfence/ringfence/schema/" + strings.ReplaceAll(strings.TrimPrefix(snapshot.Schema, "ringfence/"), "/", ".") + ".json")
	if field, ok := s.Properties.Get("schema"); ok {
		field.Const = snapshot.Schema
	}
	return jsonBytes(s)
}

// qualified names a type with its package: two packages may have types of one name.
func qualified(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	return path.Base(t.PkgPath()) + "." + t.Name()
}

// words are the schemas of types that JSON writes as a word.
func words(t reflect.Type) *jsonschema.Schema {
	one := func(list ...fmt.Stringer) *jsonschema.Schema {
		s := &jsonschema.Schema{Type: "string"}
		for _, x := range list {
			s.Enum = append(s.Enum, x.String())
		}
		return s
	}
	switch t {
	case reflect.TypeFor[solver.Verdict]():
		return one(solver.Reachable, solver.Unreachable, solver.Unknown)
	case reflect.TypeFor[lint.Severity]():
		return &jsonschema.Schema{Type: "string", Enum: []any{lint.Error, lint.Warning, lint.Note}}
	case reflect.TypeFor[solver.Outcome]():
		return one(solver.Pass, solver.Fail, solver.Undecided)
	default:
		return nil
	}
}
