package kubernetes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// longListOf is a list as `kubectl get -o yaml` prints it, with so many pods before the entries of the test that it is read entry by entry.
func longListOf(pad int, entries ...string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nitems:\n")
	filler := "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: p%d\n    namespace: a\n    labels: {app: web}\n    annotations:\n      text: |\n        items:\n        - apiVersion: v1\n        " + strings.Repeat("x", pad/40) + "\n  spec:\n    containers:\n    - name: c\n  status: {phase: Running, podIPs: [{ip: 10.%d.%d.4}]}\n"
	for i := 0; b.Len() < pad; i++ {
		fmt.Fprintf(&b, filler, i, i/256, i%256)
	}
	for _, e := range entries {
		b.WriteString("- " + strings.ReplaceAll(strings.TrimSuffix(e, "\n"), "\n", "\n  ") + "\n")
	}
	b.WriteString("kind: List\nmetadata:\n  resourceVersion: \"\"\n")
	return b.String()
}

// A list of any length is what it is when it is short: the same objects, lines, paths and messages.
func TestLongList(t *testing.T) {
	np := policy("podSelector: {matchLabels: {app: web}}\ningress:\n- from:\n  - podSelector: {}\n  ports:\n  - port: 80\n")
	for _, test := range []struct{ name, entry string }{
		{"a policy", np},
		{"a list in the list", "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(np, "\n", "\n  ")},
		{"an error in a field", strings.Replace(np, "port: 80", "port: 70000", 1)},
		{"a field of the wrong type", strings.Replace(np, "- podSelector: {}", "- podSelector: 7", 1)},
		{"the same key twice", np + "kind: NetworkPolicy\n"},
		{"no object", "a: b\n"},
		{"no mapping", "text\n"},
		{"an anchor and its alias", strings.Replace(strings.Replace(np, "{app: web}", "&l {app: web}", 1), "- podSelector: {}", "- podSelector: {matchLabels: *l}", 1)},
		{"comments and empty lines", "# one\n\n" + strings.Replace(np, "spec:", "\n# two\nspec:", 1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := longListOf(longText+1, test.entry)
			var whole, byEntry documents
			root, _, fault := parseYAML(chunk{[]byte(text), 1})
			if fault != nil {
				whole.errs = append(whole.errs, fault.at("m.yaml"))
			} else if raw, fault := toJSON(chunk{[]byte(text), 1}, false); fault != nil {
				t.Fatal(fault)
			} else if fault = whole.add("m.yaml", root, raw, nil, false); fault != nil {
				t.Fatal(fault)
			}
			if !byEntry.longList("m.yaml", chunk{[]byte(text), 1}) {
				byEntry = readDocuments("m.yaml", []byte(text)) // parsed whole, for a better message
			}
			if diff := cmp.Diff(facts(t, whole), facts(t, byEntry)); diff != "" {
				t.Errorf("-whole +by entry:\n%s", diff)
			}
		})
	}
}

// facts are what is read of documents and what is wrong with them, with places.
func facts(t *testing.T, d documents) []string {
	t.Helper()
	var out []string
	for _, o := range d.objects {
		if _, fault := o.tree(); fault != nil {
			t.Fatal(fault)
		}
		out = append(out, fmt.Sprintf("%s %s:%d %s %s %v", o.typeName(), o.file, o.line, o.path, o.raw, o.source("spec.ingress[0].ports[0].port")))
	}
	for _, e := range d.errs {
		out = append(out, e.Error())
	}
	return out
}

// Beyond the limit of a document a list is still read, and an error has its line.
func TestLongerList(t *testing.T) {
	np := policy("podSelector: {}\ningress:\n- ports:\n  - port: 80\n")
	text := longListOf(maxDocument+1, np)
	r := mustImport(t, "m.yaml", text)
	if n := len(r.Resources); n < 30 {
		t.Errorf("%d objects", n)
	}
	if testing.Short() {
		return
	}
	for _, test := range []struct{ name, entry, want string }{
		{"a port", strings.Replace(np, "port: 80", "port: 70000", 1), ": p: spec.ingress[0].ports[0].port: found `70000`, want a port from 1 to 65535"},
		{"a key twice", np + "kind: X\n", ": items[40].kind: found `the same key twice`, want each key once; the other is in line 604"},
		{"an anchor of another entry", "apiVersion: v1\nkind: Pod\nmetadata: *x\n", ": items[40]: no valid YAML: unknown anchor 'x' referenced"},
	} {
		_, err := importText("m.yaml", longListOf(maxDocument+1, test.entry))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "m.yaml:6") {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}
