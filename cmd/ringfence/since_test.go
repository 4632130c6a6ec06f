package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// reviewedShop is a project whose NSGs were reviewed, with a snapshot of that day.
func reviewedShop(t *testing.T) string {
	t.Helper()
	dir := shop(t)
	if code, _, stderr := call(t, "review", "record", "--rules", "nsg:*", "--by", "Network lead", "--actions", "none needed", "--snapshot", "evidence/review.json", dir); code != exitOK {
		t.Fatal("exit", code, stderr)
	}
	return dir
}

// reviewItem is what 1.1.7-a says of a project; white space does not count.
func reviewItem(t *testing.T, dir string) string {
	t.Helper()
	_, out, stderr := call(t, "explain", "1.1.7-a", dir)
	if out == "" {
		t.Fatal(stderr)
	}
	return regexp.MustCompile(`\s+`).ReplaceAllString(out, " ")
}

// What changed since a review is shown flow by flow, with the rules to blame, at the rule set that they belong to.
func TestSinceReviewFlows(t *testing.T) {
	dir := reviewedShop(t)
	edit(t, dir, `"sourceAddressPrefix": "10.1.1.0/24"`, `"sourceAddressPrefix": "10.1.0.0/16"`)
	out := reviewItem(t, dir)
	contains(t, out,
		"nsg:nsg-db, since 2026-11-01: added subnet:vnet-shop/db (data) -> subnet:vnet-shop/db (data): tcp/1433;",
		"what was reviewed denies by nsg-db/securityRules/DenyAll at subnet:vnet-shop/db (net.json:93)", "now allows by nsg-db/securityRules/AllowSql at subnet:vnet-shop/db (net.json:",
		"nsg:nsg-web | 2026-11-01 | 0 | 2027-05-01 | Network lead | 0 flows of",
	)
	if strings.Contains(out, "nsg:nsg-web, since") {
		t.Errorf("a rule set that let nothing else pass has changed:\n%s", out)
	}
}

// Texts that differ without a flow are no change: the review speaks of what passes.
func TestSinceReviewTexts(t *testing.T) {
	dir := reviewedShop(t)
	edit(t, dir, `"sourceAddressPrefix": "10.1.1.0/24"`, `"description": "the web tier", "sourceAddressPrefix": "10.1.1.0/24"`)
	out := reviewItem(t, dir)
	contains(t, out, "nsg:nsg-db | 2026-11-01 | 0 | 2027-05-01 | Network lead | 0 flows of 0 that differ")
	if strings.Contains(out, ", since ") {
		t.Errorf("a text is shown as a flow:\n%s", out)
	}
}

// A snapshot that is gone, was changed, comes from another version, or lies elsewhere is said, and decides nothing.
func TestSinceReviewSnapshotIsBad(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *testing.T, file string)
		want  string
	}{
		"missing": {func(t *testing.T, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}, "the snapshot of the review of 2026-11-01 cannot be read: read evidence/review.json"},
		"changed":         {func(t *testing.T, file string) { spoilText(t, file, "10.1.1.0/24", "10.1.9.0/24") }, "the digest of what is in the file: it was changed after it was written"},
		"another version": {func(t *testing.T, file string) { spoilText(t, file, "ringfence/snapshot/v2", "ringfence/snapshot/v1") }, "another version of ringfence wrote this file"},
		"cut off":         {func(t *testing.T, file string) { spoilText(t, file, "\n}\n", "") }, "no whole JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := reviewedShop(t)
			before := verdictLine(t, reviewItem(t, dir))
			test.spoil(t, filepath.Join(dir, "evidence", "review.json"))
			out := reviewItem(t, dir)
			contains(t, out, test.want, "not known: the snapshot cannot be read")
			if after := verdictLine(t, out); after != before {
				t.Errorf("the verdict was %s, and is %s", before, after)
			}
		})
	}
}

// A snapshot of another project says which flows differ all the same: everything is new, and everything old is gone.
func TestSinceReviewOfAnotherProject(t *testing.T) {
	dir, other := reviewedShop(t), shop(t)
	spoilText(t, filepath.Join(other, "net.json"), "vnet-shop", "vnet-old")
	if err := os.WriteFile(filepath.Join(other, "ringfence.yaml"), []byte("ringfence: v1\nname: old\nasOf: 2026-11-01\ninputs: [{azure: net.json}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call(t, "import", "-o", filepath.Join(dir, "evidence", "review.json"), other); code != exitOK {
		t.Fatal("exit", code, stderr)
	}
	out := reviewItem(t, dir)
	contains(t, out, "nsg:nsg-db, since 2026-11-01: added ")
}

func spoilText(t *testing.T, file, old, by string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), old, by)
	if text == string(data) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	if err = os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// verdictLine is the verdict of an item, behind how it is decided.
func verdictLine(t *testing.T, item string) string {
	t.Helper()
	m := regexp.MustCompile(`(pass|fail|unknown) (?:pass|fail|unknown): `).FindStringSubmatch(item)
	if m == nil {
		t.Fatalf("no verdict in %s", item)
	}
	return m[1]
}
