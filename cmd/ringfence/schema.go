package main

import (
	"strings"

	"github.com/invopop/jsonschema"
	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/pci"
)

// schemaNames lists the schemas in the order in which messages name them.
func schemaNames() []string { return []string{"intent", "verify", "reach", "trace", "matrix"} }

func schemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "print the JSON Schema of the intent file or of an output", ArgsUsage: strings.Join(schemaNames(), "|"),
		Flags: []cli.Flag{outputFlag()},
		Action: func(c *cli.Context) error {
			if err := noMore(c, 1); err != nil {
				return err
			}
			data, err := schemaOf(c.Args().First())
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
	case "":
		return nil, usage("a name is missing: want %s", strings.Join(schemaNames(), ", "))
	default:
		return nil, usage("no schema `%s`: want %s", name, strings.Join(schemaNames(), ", "))
	}
	r := &jsonschema.Reflector{Anonymous: true, ExpandedStruct: true}
	s := r.Reflect(v)
	s.ID = jsonschema.ID("https://github.com/ringfence/ringfence/schema/" + name + ".v1.json")
	return jsonBytes(s)
}
