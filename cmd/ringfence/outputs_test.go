package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A failed assertion points at the line of the rule that decides it, in the file that was read.
func TestSARIFPointsAtTheRule(t *testing.T) {
	dir := shop(t, `"sourceAddressPrefix": "10.1.1.0/24"`, `"sourceAddressPrefix": "*"`)
	net := filepath.Join(dir, "net.json")
	code, out, stderr := call(t, "verify", "--format", "sarif", "--overlay", file(t, "open.json", rule("nsg-db", "AllowSql", "100", "Deny", "*", "1433")), dir)
	if code != exitFail {
		t.Fatal("exit", code, stderr)
	}
	type location struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI string }
			Region           struct{ StartLine int }
		}
	}
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID           string
				Level            string
				Locations        []location
				RelatedLocations []location
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(net)
	if err != nil {
		t.Fatal(err)
	}
	yaml, err := os.ReadFile(filepath.Join(dir, "ringfence.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string][]string{"net.json": strings.Split(string(text), "\n"), "ringfence.yaml": strings.Split(string(yaml), "\n")}
	seen := 0
	for _, r := range log.Runs[0].Results {
		if r.RuleID != "assertion/web-reaches-data" || r.Level != "error" {
			continue
		}
		for _, l := range append(r.Locations, r.RelatedLocations...) {
			seen++
			name, line := l.PhysicalLocation.ArtifactLocation.URI, l.PhysicalLocation.Region.StartLine
			if strings.HasSuffix(name, "open.json") && line == 1 {
				continue
			}
			if line < 1 || line > len(lines[name]) || !strings.Contains(lines[name][line-1], "web-reaches-data") {
				t.Errorf("%s:%d is neither the rule nor the assertion", name, line)
			}
		}
	}
	if seen < 2 {
		t.Errorf("%d places; want the rule and the assertion\n%s", seen, out)
	}
}

// JUnit has one case for each assertion; one that fails is a failure, one that is not known an error.
func TestJUnitCases(t *testing.T) {
	for _, dir := range examples(t) {
		file := filepath.Join(t.TempDir(), "junit.xml")
		_, text, _ := call(t, "verify", "--no-changes", "--format", "json", "--format", "junit="+file, dir)
		var result struct {
			Assertions []struct{ ID, Verdict string }
		}
		if err := json.Unmarshal([]byte(text), &result); err != nil {
			t.Fatal(err)
		}
		junit, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var suites struct {
			Suite struct {
				Cases []struct {
					Name    string    `xml:"name,attr"`
					Class   string    `xml:"classname,attr"`
					Failure *struct{} `xml:"failure"`
					Error   *struct{} `xml:"error"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(junit, &suites); err != nil {
			t.Fatal(err)
		}
		suites.Suite.Cases = slices.DeleteFunc(suites.Suite.Cases, func(c struct {
			Name    string    `xml:"name,attr"`
			Class   string    `xml:"classname,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
		},
		) bool {
			return strings.HasPrefix(c.Class, "checklist ")
		})
		if len(suites.Suite.Cases) != len(result.Assertions) {
			t.Fatalf("%s: %d cases for %d assertions", dir, len(suites.Suite.Cases), len(result.Assertions))
		}
		for i, a := range result.Assertions {
			c := suites.Suite.Cases[i]
			if c.Name != a.ID || (c.Failure != nil) != (a.Verdict == "fail") || (c.Error != nil) != (a.Verdict == "unknown") {
				t.Errorf("%s: %s is %s; the case %s has a failure %v, an error %v", dir, a.ID, a.Verdict, c.Name, c.Failure != nil, c.Error != nil)
			}
		}
	}
}

// What a report lists is one matter, what fails a run another.
func TestShowAndFailOn(t *testing.T) {
	const dir = "../../examples/aks-pci-broken"
	for _, tt := range []struct {
		args     []string
		code     int
		has, not string
	}{
		{[]string{"lint", "--show", "error", "--fail-on", "warning"}, exitFail, "error", "warning "},
		{[]string{"lint", "--show", "none", "--fail-on", "error"}, exitFail, "", "error "},
		{[]string{"lint", "--show", "note", "--fail-on", "none"}, exitOK, "warning ", ""},
		{[]string{"lint", "--show", "all"}, exitBad, "", ""},
		{[]string{"verify", "--show", "none"}, exitFail, "0 findings", "Findings"},
		{[]string{"verify", "--show", "worst"}, exitBad, "", ""},
	} {
		code, out, stderr := call(t, append(tt.args, dir)...)
		if code != tt.code || !strings.Contains(out, tt.has) || tt.not != "" && strings.Contains(out, tt.not) {
			t.Errorf("%v: exit %d, want %d, with %q and without %q\n%s%s", tt.args, code, tt.code, tt.has, tt.not, out, stderr)
		}
		if tt.code == exitBad && !strings.Contains(stderr, "want error, warning, note or none") {
			t.Errorf("%v: %s", tt.args, stderr)
		}
	}
}

// A snapshot that is cut off anywhere is refused by every command, with its name.
func TestCutSnapshots(t *testing.T) {
	dir := shop(t)
	for _, name := range []string{"s.json", "s.json.gz"} {
		snap := filepath.Join(t.TempDir(), name)
		if code, _, stderr := call(t, "import", "-o", snap, dir); code != exitOK {
			t.Fatal(stderr)
		}
		data, err := os.ReadFile(snap)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 1, 2, 60, len(data) / 4, len(data) / 2, len(data) - 9, len(data) - 3} {
			if err := os.WriteFile(snap, data[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"verify", snap}, {"diff", snap, dir}, {"reach", "-i", snap, "--from", "internet", "--to", "any"}} {
				if code, out, stderr := call(t, args...); code != exitBad || out != "" || !strings.Contains(stderr, name) {
					t.Errorf("%d bytes of %s: %v: exit %d, %s%s", n, name, args[:1], code, out, stderr)
				}
			}
		}
	}
}
