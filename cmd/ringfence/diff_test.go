package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/pci"
)

// shop copies the small project and edits its files: pairs of old and new text.
func shop(t *testing.T, edits ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/shop")); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, edits...)
	return dir
}

func edit(t *testing.T, dir string, edits ...string) {
	t.Helper()
	for i := 0; i+1 < len(edits); i += 2 {
		found := false
		for _, name := range []string{"net.json", "ringfence.yaml"} {
			file := filepath.Join(dir, name)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if text := strings.Replace(string(data), edits[i], edits[i+1], 1); text != string(data) {
				found = true
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !found {
			t.Fatalf("nothing to edit: %s", edits[i])
		}
	}
}

// call runs the program.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(append([]string{"ringfence"}, args...), strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(text, w) {
			t.Errorf("lacks %q:\n%s", w, text)
		}
	}
}

// The source of a rule is widened: who gets in, by which packet, what let it in and what stopped it.
func TestDiffWidened(t *testing.T) {
	base, wider := shop(t), shop(t, `"sourceAddressPrefix": "10.1.1.0/24"`, `"sourceAddressPrefix": "10.0.0.0/8"`, "deny: {from: internet, to: zone:data}", `deny: {from: "zone:data", to: "subnet:vnet-shop/db"}`)
	edit(t, base, "deny: {from: internet, to: zone:data}", `deny: {from: "zone:data", to: "subnet:vnet-shop/db"}`)
	code, out, _ := call(t, "diff", base, wider)
	if code != exitFail {
		t.Error("exit", code)
	}
	contains(t, out,
		"WORSE   internet-not-to-data: pass -> fail (ringfence.yaml:", "added     subnet:vnet-shop/db (data) -> subnet:vnet-shop/db (data): tcp/1433",
		"packet tcp 10.1.2.", "base denies by nsg-db/securityRules/DenyAll at subnet:vnet-shop/db (net.json:", "proposed allows by nsg-db/securityRules/AllowSql at subnet:vnet-shop/db (net.json:",
		"flows: 1 added; of 2 verdicts 1 worse, 0 better")

	// The way back narrows, and is no failure unless any flow counts.
	code, out, _ = call(t, "diff", wider, base)
	if code != exitOK {
		t.Error("exit", code)
	}
	contains(t, out, "BETTER  internet-not-to-data: fail -> pass", "removed   subnet:vnet-shop/db (data) -> subnet:vnet-shop/db (data): tcp/1433", "flows: 1 removed; of 2 verdicts 0 worse, 1 better")
	if code, _, _ = call(t, "diff", "--fail-on", "any-flow", wider, base); code != exitFail {
		t.Error("any-flow: exit", code)
	}
	if code, _, _ = call(t, "diff", "--fail-on", "none", base, wider); code != exitOK {
		t.Error("none: exit", code)
	}

	// Every format says it.
	_, text, _ := call(t, "diff", "--format", "json", base, wider)
	var d pci.Difference
	if err := json.Unmarshal([]byte(strings.ReplaceAll(strings.ReplaceAll(text, `"unreachable"`, "1"), `"reachable"`, "2")), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Flows) != 1 || d.Flows[0].Change != "added" || d.Flows[0].Witness == nil || len(d.Flows[0].Because) < 2 {
		t.Errorf("json: %+v", d.Flows)
	}
	_, text, _ = call(t, "diff", "--format", "markdown", base, wider)
	contains(t, text, "### ringfence: flows: 1 added", "🔴 worse", "- **added** subnet:vnet-shop/db", "`tcp 10.1.2.")
	_, text, _ = call(t, "diff", "--format", "junit", base, wider)
	var suites struct {
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal([]byte(text), &suites); err != nil || suites.Failures != 1 {
		t.Errorf("junit: %v %s", err, text)
	}
	_, text, _ = call(t, "diff", "--format", "sarif", base, wider)
	contains(t, text, `"ruleId": "assertion/internet-not-to-data"`, `"ruleId": "flow/added"`, `"uri": "net.json"`)
}

// A refactoring that changes nothing: a prefix in two halves, in two rules of other names and priorities, of which one moved to a file of its
// own.
func TestDiffOfRefactoring(t *testing.T) {
	base := shop(t)
	split := shop(t, `"name": "AllowSql"`, `"name": "AllowSqlUpperHalf"`, `"sourceAddressPrefix": "10.1.1.0/24"`, `"sourceAddressPrefix": "10.1.1.128/25"`, "- azure: net.json", "- azure: \"*.json\"")
	rule := `{"id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-shop/providers/Microsoft.Network/networkSecurityGroups/nsg-db/securityRules/Lower",
	"properties": {"priority": 3000, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "10.1.1.0/25", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "1433"}}`
	if err := os.WriteFile(filepath.Join(split, "rule.json"), []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := call(t, "diff", "--fail-on", "any-flow", base, split)
	if code != exitOK {
		t.Error("exit", code, stderr)
	}
	contains(t, out, "no flow differs; of 2 verdicts 0 worse, 0 better")
	// Half of it is a difference.
	if err := os.WriteFile(filepath.Join(split, "rule.json"), []byte(strings.Replace(rule, "10.1.1.0/25", "10.1.1.0/26", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ = call(t, "diff", base, split)
	contains(t, out, "narrowed  subnet:vnet-shop/web (web) -> subnet:vnet-shop/db (data): tcp/1433", "packet tcp 10.1.1.", "proposed denies by nsg-db/securityRules/DenyAll")
}

// An assertion that is taken out does not get better by it, and a new one that fails is no improvement.
func TestDiffOfAssertions(t *testing.T) {
	base := shop(t)
	code, out, _ := call(t, "diff", base, shop(t, "  - id: internet-not-to-data\n    deny: {from: internet, to: zone:data}\n", ""))
	if code != exitFail {
		t.Error("exit", code)
	}
	contains(t, out, "WORSE   internet-not-to-data: pass -> absent", "no flow differs")
	code, out, _ = call(t, "diff", base, shop(t, "  - id: web-reaches-data\n", "  - id: new\n    deny: {from: zone:web, to: zone:data}\n  - id: web-reaches-data\n"))
	if code != exitFail {
		t.Error("exit", code)
	}
	contains(t, out, "WORSE   new: absent -> fail")
}

// A project against itself as of a revision, and against a snapshot.
func TestDiffOfRevision(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	repo := t.TempDir()
	dir := filepath.Join(repo, "estates", "shop")
	if err := os.CopyFS(dir, os.DirFS("testdata/shop")); err != nil {
		t.Fatal(err)
	}
	gitRun := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	gitRun("init", "-q")
	gitRun("add", ".")
	gitRun("commit", "-qm", "one")
	code, out, stderr := call(t, "diff", "--base", "main", dir)
	if code != exitOK || stderr != "" {
		t.Error("exit", code, stderr)
	}
	contains(t, out, "main:"+dir, "no flow differs")
	edit(t, dir, `"destinationPortRange": "1433"`, `"destinationPortRange": "1434"`)
	code, out, stderr = call(t, "diff", "--base", "HEAD", dir)
	if code != exitFail {
		t.Error("exit", code)
	}
	contains(t, stderr, "has changes that are not committed; they count as proposed")
	contains(t, out, "WORSE   web-reaches-data: pass -> fail", "widened   subnet:vnet-shop/web (web) -> subnet:vnet-shop/db (data): tcp/1434", "narrowed  subnet:vnet-shop/web (web) -> subnet:vnet-shop/db (data): tcp/1433")

	snap := filepath.Join(t.TempDir(), "base.json.gz")
	if code, _, stderr = call(t, "import", "-o", snap, dir); code != exitOK {
		t.Fatal(stderr)
	}
	if code, out, _ = call(t, "diff", "--fail-on", "any-flow", snap, dir); code != exitOK {
		t.Error("exit", code)
	}
	contains(t, out, "no flow differs")

	for _, tt := range []struct{ revision, want string }{
		{"nope", "--base nope: the repository has no such revision"},
		{"--output=x", "--base `--output=x` is no revision"},
		{"", "--base `` is no revision"},
		{"main..main", "--base `main..main` is no revision"},
		{"main:estates", "--base `main:estates` is no revision"},
	} {
		code, _, stderr = call(t, "diff", "--base", tt.revision, dir)
		if code != exitBad || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: exit %d, %s", tt.revision, code, stderr)
		}
	}
	if code, _, stderr = call(t, "diff", "--base", "main", t.TempDir()); code != exitBad || !strings.Contains(stderr, "is in no git repository") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	gitRun("mv", "estates", "moved")
	gitRun("commit", "-qam", "two")
	if code, _, stderr = call(t, "diff", "--base", "HEAD~1", filepath.Join(repo, "moved", "shop")); code != exitBad || !strings.Contains(stderr, "that revision has no folder") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestDiffUsage(t *testing.T) {
	dir := shop(t)
	bare := shop(t, "assertions:\n  - id: internet-not-to-data\n    deny: {from: internet, to: zone:data}\n  - id: web-reaches-data\n    must: {from: zone:web, to: zone:data, services: [tcp/1433]}\n", "")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{dir}, "diff compares two projects"},
		{[]string{dir, dir, dir}, "unexpected argument"},
		{[]string{"--fail-on", "all", dir, dir}, "--fail-on all: want verdict, any-flow or none"},
		{[]string{"--format", "html", dir, dir}, "--format html: want"},
		{[]string{dir, filepath.Join(dir, "missing")}, "there is no folder"},
		{[]string{bare, bare}, "neither side states an assertion"},
	} {
		if code, _, stderr := call(t, append([]string{"diff"}, tt.args...)...); code != exitBad || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: exit %d, %s", tt.args, code, stderr)
		}
	}
	if code, out, _ := call(t, "diff", "--fail-on", "any-flow", bare, bare); code != exitOK || !strings.Contains(out, "no flow differs; no assertions, so no verdicts") {
		t.Errorf("exit %d, %s", code, out)
	}
}

// A comment of a pull request is never too long, and says what is left out.
func TestDiffMarkdownFits(t *testing.T) {
	var out bytes.Buffer
	run([]string{"ringfence", "diff", "--format", "markdown", "../../examples/aks-pci", "../../examples/aks-pci-broken"}, strings.NewReader(""), &out, io.Discard)
	if n := len([]rune(out.String())); n > 60_000 || n < 50_000 {
		t.Error(n, "characters")
	}
	contains(t, out.String(), "more; `ringfence diff --format json` has them all", "internet-not-direct-to-cluster")
}
