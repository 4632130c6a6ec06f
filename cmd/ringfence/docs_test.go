package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the outputs that documents show anew")

// shown is a block of a document that shows what a command prints, run from the project's root.
var shown = regexp.MustCompile("(?s)(<!-- output: ([^\n]*) -->\n)```\n.*?```\n(<!-- /output -->)")

// What documents show is what the program prints. Rewrite it by `go test ./cmd/ringfence -run TestDocumentsShowOutputs -update`.
func TestDocumentsShowOutputs(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/README.md"} {
		list, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	blocks := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := shown.ReplaceAllFunc(text, func(block []byte) []byte {
			blocks++
			m := shown.FindSubmatch(block)
			return []byte(string(m[1]) + "```\n" + printed(t, string(m[2])) + "```\n" + string(m[3]))
		})
		if bytes.Equal(want, text) {
			continue
		}
		if *update {
			if err = os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s is stale: %s", file, cmp.Diff(string(want), string(text)))
	}
	if blocks < 5 {
		t.Errorf("got %d blocks, want those of the README and both examples", blocks)
	}
}

// printed runs a command line. Paths are those from the project's root.
func printed(t *testing.T, line string) string {
	t.Helper()
	words := strings.Fields(line)
	for i, w := range words {
		if strings.HasPrefix(w, "examples/") {
			words[i] = "../../" + w
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(append([]string{"ringfence"}, words...), strings.NewReader(""), &stdout, &stderr); code > exitFail {
		t.Fatalf("ringfence %s: exit %d: %s", line, code, stderr.String())
	}
	return stdout.String()
}
