package kubernetes

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

const oneNamespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"

// TestFolders says what is read in a folder, and what becomes of files that are no manifests there and where they were named.
func TestFolders(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	fsys := fstest.MapFS{
		"m/a.yaml":                  file(oneNamespace),
		"m/deep/er/b.YML":           file(strings.Replace(oneNamespace, "name: a", "name: b", 1)),
		"m/c.json":                  file(`{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "c"}}`),
		"m/.d.yaml":                 file("broken: ["),
		"m/.git/e.yaml":             file("broken: ["),
		"m/README.md":               file("# no"),
		"m/values.yaml":             file("replicas: 3\n"),
		"m/azure.json":              file(`{"id": "/subscriptions/x", "kind": "StorageV2", "properties": {}}`),
		"m/array.json":              file(`[1]`),
		"m/empty.yaml":              file(""),
		"m/none.yaml":               file(`{"apiVersion": "v1", "kind": "List", "items": []}`),
		"m/remote/Kustomization":    file("resources: [https://example.com/a.yaml]\n"),
		"m/chart/Chart.yaml":        file("apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
		"m/k/kustomization.yml":     file("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [k.yaml]\nnameSuffix: ustomized\n"),
		"m/k/k.yaml":                file(strings.Replace(oneNamespace, "name: a", "name: k", 1)),
		"nothing/README.md":         file("# no"),
		"m/linked.yaml":             {Data: []byte("a.yaml"), Mode: fs.ModeSymlink},
		"m/windows.yaml":            file("\xef\xbb\xbf" + strings.ReplaceAll(strings.Replace(oneNamespace, "name: a", "name: w", 1), "\n", "\r\n")),
		"m/deep/compose/stack.yaml": file("services: {}\nversion: '3'\n"),
	}
	delete(fsys, "m/linked.yaml") // links are tested on a real file system
	r, err := Import(fsys, []string{"m"}, options())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range r.Ledger {
		if e.Disposition != model.Modelled {
			got = append(got, fmt.Sprintf("%s %s: %s %v", e.Source, e.Disposition, e.Effect, e.Affects))
		}
	}
	cluster := fmt.Sprintf("[%s]", options().Cluster)
	want := []string{
		"m/array.json:1 irrelevant: holds no Kubernetes object []",
		"m/azure.json:1 irrelevant: holds no Kubernetes object []",
		"m/chart/Chart.yaml:1 unsupported: charts are rendered by another step: the objects of this one are not in the model " + cluster,
		"m/deep/compose/stack.yaml:1 irrelevant: holds no Kubernetes object []",
		"m/empty.yaml:1 irrelevant: holds no Kubernetes object []",
		"m/none.yaml:1 irrelevant: holds no Kubernetes object []",
		"m/remote/Kustomization:1 unsupported: not built (resources[0]: want a path inside the input: nothing is fetched): the objects that it patches or adds are not in the model " + cluster,
		"m/values.yaml:1 irrelevant: holds no Kubernetes object []",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Namespace//a", "Namespace//b", "Namespace//c", "Namespace//k", "Namespace//w"}, ids(r)); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
	if len(r.Files) != len(fsys)-4 { // hidden ones, README.md, nothing/
		t.Errorf("files: %v", r.Files)
	}

	for _, test := range []struct{ path, want string }{
		{"m/values.yaml", "m/values.yaml:1: found `a document without apiVersion and kind`, want at least one Kubernetes object with apiVersion and kind"},
		{"m/remote/Kustomization", "m/remote/Kustomization:1: resources[0]: found `https://example.com/a.yaml`, want a path inside the input: nothing is fetched"},
		{"m/chart/Chart.yaml", "m/chart/Chart.yaml:1: found `a Helm chart`, want the manifests that `helm template` makes of it"},
		{"m/.d.yaml", "m/.d.yaml:1: no valid YAML: did not find expected node content"},
		{"nothing", "nothing: want a folder with at least one *.yaml, *.yml or *.json file"},
		{"", ".: found `an empty path`, want a path inside the project, without `..`"},
		{"/m", "/m: want a path inside the project, without `..`"},
		{"m/none.yaml", "<nil>"},
	} {
		_, err := Import(fsys, []string{test.path}, options())
		if diff := cmp.Diff(test.want, fmt.Sprint(err)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.path, diff)
		}
	}
}

// TestLinks uses a real folder: a link to a file is read, a link to a folder is an error, because what lies behind it may be a policy.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "m"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("a.txt", oneNamespace)
	for from, to := range map[string]string{"m/a.yaml": "../a.txt", "m/gone": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if closeErr := root.Close(); closeErr != nil {
			t.Error(closeErr)
		}
	})
	r, err := Import(root.FS(), []string{"m"}, options())
	if err != nil || len(r.Resources) != 1 {
		t.Errorf("a link to a file: %v, %v", ids(r), err)
	}
	if err = os.Symlink(".", filepath.Join(dir, "m", "loop")); err != nil {
		t.Fatal(err)
	}
	if err = os.Symlink("nowhere", filepath.Join(dir, "m", "gone.yaml")); err != nil {
		t.Fatal(err)
	}
	_, err = Import(root.FS(), []string{"m"}, options())
	want := "m/gone.yaml: cannot be read: no such file or directory\nm/loop: found `a link to a folder`, want the folder itself among the inputs"
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLimits has inputs that are made to cost memory or time.
func TestLimits(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	var merges strings.Builder
	merges.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\nm0: &m0 {k: v}\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&merges, "m%d: &m%d {<<: [*m%d, *m%d]}\n", i, i, i-1, i-1)
	}
	text := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\nbig: &big '" + strings.Repeat("x", 1<<20) + "'\nlist: [" + strings.Repeat("*big, ", 100) + "*big]\n"
	nested := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n"
	var chain strings.Builder
	chain.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\nc0: &c0 [x]\n")
	for i := 1; i < 300; i++ {
		fmt.Fprintf(&chain, "c%d: &c%d [*c%d]\n", i, i, i-1)
	}
	lists := strings.Repeat(`{"apiVersion": "v1", "kind": "List", "items": [`, 20) + strings.Repeat("]}", 20)
	manyLists := strings.Repeat(`{"apiVersion": "v1", "kind": "List", "items": [`, 4000) + strings.Repeat("]}", 4000)
	for _, test := range []struct{ name, file, text, want string }{
		{"aliases of aliases", "m.yaml", bomb.String(), "m.yaml:10: a6[1]: found `more than fits`, want at most 200 levels and 64 MiB with aliases expanded"},
		{"merges of merges", "m.yaml", merges.String(), "m.yaml:22: m18: found `more than fits`, want at most 200 levels and 64 MiB with aliases expanded"},
		{"one large text a hundred times", "m.yaml", text, "m.yaml:5: list[63]: found `more than fits`, want at most 200 levels and 64 MiB with aliases expanded"},
		{"an alias of what contains it", "m.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: &a [*a]\n", "m.yaml:4: data[0]: found `*a`, want an alias of something that does not contain it"},
		{"deep nesting", "m.yaml", nested, "m.yaml:4: data" + strings.Repeat("[0]", 64) + "[0][…: found `deep nesting`, want at most 200 levels"},
		{"deep nesting by aliases", "m.yaml", chain.String(), "m.yaml:202: c198[0]: found `more than fits`, want at most 200 levels and 64 MiB with aliases expanded"},
		{"deep nesting in JSON", "m.json", `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", "m.json:1: found `deep nesting`, want at most 200 levels"},
		{"lists in lists", "m.json", lists, "m.json:1: found `lists in lists`, want at most 8 levels"},
		{"lists in lists in lists", "m.json", manyLists, "m.json:1: found `lists in lists`, want at most 8 levels"},
		{"many documents", "m.yaml", strings.Repeat("a: b\n---\n", maxDocuments+1), "m.yaml:40001: found `more documents`, want at most 20000 in a file"},
		{"a large document", "m.yaml", "a: b # " + strings.Repeat("x", maxDocument), "m.yaml:1: found `a larger document`, want at most 16 MiB; a longer list as JSON, or in several files"},
		{"many entries", "m.yaml", "a: [" + strings.Repeat("1,", maxMarks) + "1]", "m.yaml:1: found `too many entries`, want at most 3145728 in one document"},
		{"many JSON values", "m.json", strings.Repeat("{}\n", maxDocuments+1), "m.json:20001: found `more documents`, want at most 20000 in a file"},
		{"many items", "m.yaml", "{\n\"items\": [" + strings.Repeat("{},", maxObjects) + "{}]}", "m.yaml:2: items: found `more objects`, want at most 200000"},
		{"a large object", "m.json", `{"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "` + strings.Repeat("x", maxDocument) + `"}}`, "m.json:1: found `a larger document`, want at most 16 MiB; a longer list as JSON, or in several files"},
		{"a large file", "m.yaml", strings.Repeat("\n", maxFile+1), "m.yaml: found `a larger file`, want at most 128 MiB; split the file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := importText(test.file, test.text)
			if diff := cmp.Diff(test.want, fmt.Sprint(err)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestManyObjects stops at the limit of all files together, and says so once.
func TestManyObjects(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"apiVersion": "v1", "kind": "SecretList", "items": [`)
	for i := range maxObjects/2 + 3 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("{\"metadata\":{}}\n")
	}
	b.WriteString("]}")
	fsys := fstest.MapFS{"a.json": {Data: b.Bytes()}, "b.json": {Data: b.Bytes()}}
	_, err := Import(fsys, []string{"a.json", "b.json"}, options())
	want := fmt.Sprintf("b.json:%d: found `more objects`, want at most %d", maxObjects/2-2, maxObjects)
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRecognise says which bytes are taken for manifests.
func TestRecognise(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"an object", oneNamespace, true},
		{"two documents", oneNamespace + "---\n# and\n---\n" + policy("podSelector: {}\n"), true},
		{"JSON", `{"apiVersion": "v1", "kind": "Pod"}`, true},
		{"an empty list", `{"apiVersion": "v1", "kind": "List", "items": []}`, true},
		{"a kind that nobody knows", "apiVersion: example.com/v1\nkind: Thing\n", true},
		{"a byte order mark", "\xef\xbb\xbf" + oneNamespace, true},
		{"flow style, which is no JSON", "{apiVersion: v1, kind: Pod}", true},
		{"nothing", "", false},
		{"a comment with both words", "# apiVersion, kind\n", false},
		{"one document of two", oneNamespace + "---\na: b\n", true},
		{"no kind", "apiVersion: v2\nname: chart\nversion: 1.0.0\n# kind\n", false},
		{"an Azure resource in a template", `{"type": "Microsoft.Web/sites", "apiVersion": "2023-01-01", "kind": "app"}`, false},
		{"a template with resources", `{"$schema": "x", "resources": [{"apiVersion": "2023-01-01", "kind": "app"}]}`, false},
		{"broken YAML", "apiVersion: v1\nkind: [\n", false},
		{"a manifest that is broken", "apiVersion: v1\nkind: Pod\nmetadata: {\n", true},
		{"the same key twice", oneNamespace + "kind: Namespace\n", true},
		{"a broken manifest in JSON", "{\"apiVersion\": \"networking.k8s.io/v1\",\n \"kind\": \"NetworkPolicy\",\n", true},
		{"a template", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ toYaml .Values.meta }}\n", true},
		{"a broken template of Azure", "{\"type\": \"x\",\n\"apiVersion\": \"2023-01-01\",\n\"kind\": \"App\",\n", false},
		{"a list of objects", "- apiVersion: v1\n  kind: Pod\n", false},
		{"binary", "apiVersion kind \x00\xff", false},
	} {
		if got := Recognise([]byte(test.text)); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// TestLists has lists as kubectl and the API server print them.
func TestLists(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"List", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n- {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n", []string{"Namespace//a", "Namespace//b"}},
		{"a typed list, whose items say nothing", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nmetadata: {resourceVersion: '1'}\nitems:\n- metadata: {name: p, namespace: a}\n  spec: {podSelector: {}}\n", []string{"Namespace//a", "NetworkPolicy/a/p"}},
		{"a typed list in JSON", `{"kind":"NamespaceList","apiVersion":"v1","items":[{"metadata":{"name":"a"}},{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"b"}}]}`, []string{"Namespace//a", "Namespace//b"}},
		{"items before kind", `{"apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}],"kind":"List"}`, []string{"Namespace//a"}},
		{"a list in a list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n", []string{"Namespace//a"}},
		{"null is no item", "apiVersion: v1\nkind: List\nitems:\n", nil},
		{"two JSON objects and a YAML document", `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}} {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"b"}}` + "\n---\n" + strings.Replace(oneNamespace, "name: a", "name: c", 1), []string{"Namespace//a", "Namespace//b", "Namespace//c"}},
		{"the same item by alias, under another name", "apiVersion: v1\nkind: List\nitems:\n- &one\n  apiVersion: v1\n  kind: Namespace\n  metadata: {name: a}\n- <<: *one\n  metadata: {name: b}\n", []string{"Namespace//a", "Namespace//b"}},
	} {
		if diff := cmp.Diff(test.want, ids(mustImport(t, "m.yaml", test.text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
