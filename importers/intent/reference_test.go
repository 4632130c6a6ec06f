package intent

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
)

// docs/intent-reference.md is what `ringfence schema --format markdown intent` prints.
func TestReferenceIsCurrent(t *testing.T) {
	want, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/intent-reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/intent-reference.md is stale; run ringfence schema --format markdown -o docs/intent-reference.md intent (-want +got):\n%s", diff)
	}
}

// Each document of the example is accepted, by the schema and by the reader.
func TestReferenceExampleIsAccepted(t *testing.T) {
	s := compiled(t)
	for i, doc := range strings.Split(string(example), "\n---\n") {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(doc), &n); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(plain(t, n.Content[0])); err != nil {
			t.Errorf("document %d: %v", i, err)
		}
		if _, err := Import(fstest.MapFS{"ringfence.yaml": {Data: []byte(doc)}}, "ringfence.yaml"); err != nil {
			t.Errorf("document %d: %v", i, err)
		}
	}
}

// Every key has an example, of its own or of its parts, and every link leads somewhere.
func TestReferenceHasExamples(t *testing.T) {
	text, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, ""), "|")
		if len(cells) != 9 || !strings.HasPrefix(line, "| `") {
			continue
		}
		rows++
		if meaning := strings.TrimSpace(cells[7]); meaning == "" {
			t.Errorf("no meaning: %s", line)
		}
		if example := strings.TrimSpace(cells[6]); example == "" && !strings.Contains(cells[2], "](#") {
			t.Errorf("no example: %s", line)
		}
		if _, link, ok := strings.Cut(cells[2], "](#"); ok {
			link, _, _ = strings.Cut(link, ")")
			if !strings.Contains(string(text), `<a id="`+link+`"></a>`) && !slices.ContainsFunc(strings.Split(string(text), "\n"), func(l string) bool {
				return strings.HasPrefix(l, "## `") && anchor(strings.Trim(l[3:], "`")) == link
			}) {
				t.Errorf("%s leads nowhere", link)
			}
		}
	}
	if keys := countKeys(schema()); rows != keys {
		t.Errorf("%d rows for %d keys", rows, keys)
	}
}

// countKeys counts the keys of all objects of a schema.
func countKeys(s *jsonschema.Schema) int {
	n := s.Properties.Len()
	for _, d := range s.Definitions {
		if d.Type == "object" && d.Properties != nil {
			n += d.Properties.Len()
		}
	}
	return n
}
