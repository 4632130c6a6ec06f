package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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

// printed runs a command line. Paths are those from the project's root; `estate` and `changed` are the folders of started. With
// ` | head -n N` behind it, the first lines count.
func printed(t *testing.T, line string) string {
	t.Helper()
	line, head, cut := strings.Cut(line, " | head -n ")
	words := strings.Fields(line)
	for i, w := range words {
		if strings.HasPrefix(w, "examples/") {
			words[i] = "../../" + w
		}
	}
	if slices.Contains(words, "estate") { // messages name the folder as it was written
		here, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		if err = os.Chdir(started(t)); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := os.Chdir(here); err != nil {
				t.Fatal(err)
			}
		}()
	}
	var stdout, stderr bytes.Buffer
	if code := run(append([]string{"ringfence"}, words...), strings.NewReader(""), &stdout, &stderr); code > exitFail {
		t.Fatalf("ringfence %s: exit %d: %s", line, code, stderr.String())
	}
	if !cut {
		return stdout.String()
	}
	n, err := strconv.Atoi(head)
	if err != nil {
		t.Fatalf("ringfence %s | head -n %s: %v", line, head, err)
	}
	lines := strings.SplitAfter(stdout.String(), "\n")
	return strings.Join(lines[:min(n, len(lines))], "")
}

// started is what docs/getting-started.md begins with: `estate` is the exports of an example with the ringfence.yaml that `init` makes of
// them, judged as of a fixed day; `changed` is the same after somebody opened one more port to the office.
func started(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	estate, changed := filepath.Join(dir, "estate"), filepath.Join(dir, "changed")
	if err := os.CopyFS(filepath.Join(estate, "azure"), os.DirFS("../../examples/hub-spoke/azure")); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if code := run([]string{"ringfence", "init", estate}, strings.NewReader(""), &stderr, &stderr); code != exitOK {
		t.Fatalf("ringfence init: exit %d: %s", code, &stderr)
	}
	edit := func(name, old, now string) {
		text, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(text, []byte(old)) {
			t.Fatalf("%s holds no %s: %v", name, old, err)
		}
		if err = os.WriteFile(name, bytes.ReplaceAll(text, []byte(old), []byte(now)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit(filepath.Join(estate, intentName), "standard:", "asOf: 2026-11-01\nstandard:")
	if err := os.CopyFS(changed, os.DirFS(estate)); err != nil {
		t.Fatal(err)
	}
	edit(filepath.Join(changed, "azure", "nsgs.json"), `"9443"`, `"8443-9443"`)
	edit(filepath.Join(changed, "azure", "firewall.json"), `"9443"`, `"8443-9443"`)
	return dir
}
