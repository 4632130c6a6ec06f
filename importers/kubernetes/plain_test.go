package kubernetes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/importers/kubernetes/kubernetestest"
)

// plainMatches fails where a document that counts as plain is another one to kubectl's parser (K8S-GEN-05).
func plainMatches(t *testing.T, text []byte) (plain bool) {
	t.Helper()
	root, merges, fault := parseYAML(chunk{text, 1})
	if fault != nil || root == nil {
		return false
	}
	got, plain := plainJSON(root)
	if !plain {
		return false
	}
	want, fault := toJSON(chunk{text, 1}, merges)
	if fault != nil {
		t.Fatalf("plain, and kubectl refuses it: %s", text)
	}
	if string(got) != string(want) {
		t.Fatalf("got  %s\nwant %s\n%s", got, want, text)
	}
	return true
}

func TestPlainJSON(t *testing.T) {
	for text, want := range map[string]bool{
		"a: b": true, "a: 'yes'": true, "a: \"0123\"": true, "a: 80": true, "a: true": true, "a:": true, "a: null": true, "a: []": true, "a: {}": true, "[a, b]": true,
		"a: 10.0.0.0/8": true, "a: 1.2.3.4": true, "a: x<y&z": true, "a: é": false, "a: xé": true, `a: "\u0041\\"`: true, "a: -x": false, "a: b c": true, "a: ''": true, "b: 1\na: 2": true,
		"a: yes": false, "a: On": false, "a: y": false, "no: a": false, "a: 0123": false, "a: 1_000": false, "a: 1.5": false, "a: 0x1f": false, "a: 12:30": false, "a: 2026-01-01": false,
		"a: ~": false, "a: TRUE": false, "a: &x b": false, "a: !!str 5": false, "a: .5": false, "a: |\n  b": false, "a: 1.2.3": false, "a: 9999999999999999999": false, "5: a": false, "a: Null": false,
		"a: =": false, "<<: {a: b}": false, "a: \"x\n  y\"": true, "a: 1e3": false,
	} {
		if got := plainMatches(t, []byte(text)); got != want {
			t.Errorf("%q is plain: got %v, want %v", text, got, want)
		}
	}
	plain := 0
	for _, f := range kubernetestest.Cluster(kubernetestest.Size{Workloads: 60, Policies: 90, Namespaces: 9}, 1) {
		for _, text := range strings.Split(string(f.Data), "---\n") {
			if plainMatches(t, []byte(text)) {
				plain++
			}
		}
	}
	if plain < 150 {
		t.Errorf("%d documents are plain", plain)
	}
}

// Whatever is plain is what kubectl reads.
func FuzzPlainJSON(f *testing.F) {
	f.Add("a: [b, 'c', \"d\", 1, true, null, {e: 10.0.0.0/8}]\n# comment\nf:\n- g: h\n  i: j\n") // every kind of scalar and nesting
	f.Add("a: b\n\n  # a comment between\nc:\n  - d\n  # and here\n  - e: f\n")                  // comments, which the parsers treat apart
	f.Add("? a\n: b\n")                                                                          // an explicit key
	f.Add("a: b: c\n")                                                                           // a colon where none belongs
	f.Add("a:\t b\n")                                                                            // a tab
	files, err := filepath.Glob("../../examples/*/manifests/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, text := range strings.Split(string(data), "---\n") {
			f.Add(text) // manifests as people write them
		}
	}
	f.Fuzz(func(t *testing.T, text string) { plainMatches(t, []byte(text)) })
}
