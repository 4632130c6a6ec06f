package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// Without what people stated about it, each example gets a first intent that follows the schema and runs at once, whatever the order of its
// inputs is. Until people fill it in, the checklist does not pass.
func TestInitOfExamples(t *testing.T) {
	schema := compiledSchema(t, "intent")
	for _, example := range examples(t) {
		t.Run(filepath.Base(example), func(t *testing.T) {
			var first []byte
			for turn := range uint64(2) {
				dir := filepath.Join(exports(t, example, turn), "estate")
				var stderr bytes.Buffer
				if code := run([]string{"ringfence", "init", dir}, strings.NewReader(""), &stderr, &stderr); code != exitOK {
					t.Fatalf("exit %d: %s", code, &stderr)
				}
				got, err := os.ReadFile(filepath.Join(dir, intentName))
				if err != nil {
					t.Fatal(err)
				}
				if turn == 0 {
					first = got
				} else if diff := cmp.Diff(string(first), string(got)); diff != "" {
					t.Errorf("in another order of the inputs (-first +now):\n%s", diff)
				}
				if turn > 0 {
					continue
				}
				var value any
				if err = yaml.Unmarshal(got, &value); err != nil {
					t.Fatal(err)
				}
				if err = schema.Validate(value); err != nil {
					t.Error(err)
				}
				var stdout bytes.Buffer
				if code := run([]string{"ringfence", "verify", "--no-changes", dir}, strings.NewReader(""), &stdout, &stderr); code != exitFail {
					t.Errorf("verify: exit %d, want %d: nobody has filled in what the stubs ask for\n%s", code, exitFail, &stderr)
				}
			}
		})
	}
}

// exports copies what was exported of an example into a folder `estate`, in some order.
func exports(t *testing.T, example string, turn uint64) string {
	t.Helper()
	from, to := reordered(t, example, turn), t.TempDir()
	for _, part := range []string{"azure", "manifests"} {
		err := os.CopyFS(filepath.Join(to, "estate", part), os.DirFS(filepath.Join(from, part)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return to
}
