package intent

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// schemaID names the schema; nothing is fetched from it.
const schemaID = "https://github.com/ringfence/ringfence/schema/intent/v1"

// Schema returns the JSON Schema (draft 2020-12) of ringfence.yaml. It accepts what one file can show by itself; what needs more
// (names used twice, zones that nobody declares, days that contradict each other) only [Import] reports.
func Schema() ([]byte, error) {
	out, err := json.MarshalIndent(schema(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema of the intent file: %w", err)
	}
	return append(out, '\n'), nil
}

func schema() *jsonschema.Schema {
	reflector := jsonschema.Reflector{
		Anonymous:      true,
		ExpandedStruct: true,
		Namer:          func(t reflect.Type) string { return strings.TrimSuffix(t.Name(), "Shape") },
	}
	s := reflector.Reflect(fileShape{})
	s.ID = schemaID
	s.Title = "ringfence.yaml"
	s.Description = "What people state about an estate: where its inputs are, what its zones are, what must hold, why each rule exists."
	return s
}
