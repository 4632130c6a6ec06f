package pci

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ringfence/ringfence/diagram"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("%s differs; look at it, then run go test ./pci -update (-got +want):\n%s", path, diff)
	}
}

// outputs writes a result in every format; the key is the name of the file.
func outputs(t *testing.T, r *Result) map[string][]byte {
	t.Helper()
	out := map[string][]byte{
		"summary.txt":       Text(r, TextOptions{}),
		"summary-80.txt":    Text(r, TextOptions{Width: 80}),
		"summary-color.txt": Text(r, TextOptions{Color: true}),
		"findings.txt":      FindingsText(r.Findings, TextOptions{}),
		"report.md":         Markdown(r, nil),
	}
	picture := []diagram.Figure{{
		Title: "a picture", SVG: []byte(`<?xml version="1.0"?>` + "\n<svg xmlns=\"http://www.w3.org/2000/svg\"><title>a picture</title></svg>\n"),
		Head: []string{"", "from"}, Rows: []diagram.FigureRow{{Cells: []string{"1", model.Visible(r.Project)}, Line: "network-zones-e1"}},
	}}
	for name, write := range map[string]func() ([]byte, error){
		"report.html":       func() ([]byte, error) { return HTML(r, Diagrams{Network: picture, DataFlow: picture}, explored(r)) },
		"report.json":       func() ([]byte, error) { return JSON(r) },
		"results.sarif":     func() ([]byte, error) { return SARIF(r, SARIFOptions{}) },
		"results-all.sarif": func() ([]byte, error) { return SARIF(r, SARIFOptions{Passes: true}) },
		"junit.xml":         func() ([]byte, error) { return JUnit(r) },
		"findings.json":     func() ([]byte, error) { return FindingsJSON(r.Findings) },
		"findings.csv":      func() ([]byte, error) { return FindingsCSV(r.Findings) },
		"findings.sarif": func() ([]byte, error) {
			return SARIF(&Result{Project: r.Project, Inputs: r.Inputs, Findings: r.Findings}, SARIFOptions{Category: "lint"})
		},
	} {
		var err error
		if out[name], err = write(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return out
}

func TestGolden(t *testing.T) {
	for name, got := range outputs(t, shop()) {
		golden(t, name, got)
	}
}

func TestSameBytes(t *testing.T) {
	want := outputs(t, shop())
	for range 20 {
		for name, got := range outputs(t, shop()) {
			if !bytes.Equal(got, want[name]) {
				t.Fatalf("%s differs between two runs", name)
			}
		}
	}
}

// Formats must not change what they print: the command writes several of them from one result.
func TestResultStays(t *testing.T) {
	r := shop()
	outputs(t, r)
	if diff := cmp.Diff(r, shop()); diff != "" {
		t.Errorf("the result after writing it (-got +want):\n%s", diff)
	}
}

// An empty result is written too: lists are empty, never null, and nothing is claimed.
func TestEmpty(t *testing.T) {
	files := outputs(t, &Result{Project: "empty"})
	var doc map[string]any
	if err := json.Unmarshal(files["report.json"], &doc); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"inputs", "zones", "matrix", "assertions", "items", "findings", "dataFlows", "assumptions"} {
		if l, ok := doc[list].([]any); !ok || len(l) != 0 {
			t.Errorf("report.json: %s is %v, want []", list, doc[list])
		}
	}
	if html := string(files["report.html"]); !strings.Contains(html, "Nothing was checked") || strings.Contains(html, "were proved") {
		t.Error("report.html: a run without assertions must not look like a pass")
	}
	if want := "0 assertions: 0 pass, 0 fail, 0 unknown; 0 findings\n"; !strings.HasSuffix(string(files["summary.txt"]), want) {
		t.Errorf("summary: got %q, want it to end with %q", files["summary.txt"], want)
	}
}

// The headline says the worst: a failure, else what is not known; only a run in which all was proved looks green.
func TestHeadline(t *testing.T) {
	outcome := func(list ...solver.Outcome) *Result {
		r := &Result{}
		for _, o := range list {
			r.Assertions = append(r.Assertions, solver.AssertionResult{Verdict: o})
		}
		return r
	}
	for _, test := range []struct {
		r               *Result
		worst, headline string
	}{
		{outcome(solver.Pass, solver.Fail, solver.Undecided), "fail", "1 of 3 assertions failed, 1 could not be decided"},
		{outcome(solver.Pass, solver.Fail), "fail", "1 of 2 assertions failed"},
		{outcome(solver.Pass, solver.Undecided), "unknown", "Nothing failed, but 1 of 2 assertions could not be decided"},
		{outcome(solver.Pass, solver.Pass), "pass", "All 2 assertions were proved"},
		{outcome(solver.Pass), "pass", "The one assertion was proved"},
		{outcome(), "unknown", "Nothing was checked: no assertions are declared"},
		{outcome(solver.Outcome(0)), "unknown", "Nothing failed, but 1 of 1 assertion could not be decided"}, // nobody set it
	} {
		if p := newPage(test.r); p.Worst != test.worst || p.Headline != test.headline {
			t.Errorf("got %s: %s, want %s: %s", p.Worst, p.Headline, test.worst, test.headline)
		}
	}
}

// No line is wider than the terminal, but for words that are wider themselves.
func TestTextWidth(t *testing.T) {
	for _, width := range []int{60, 80, 100, 200} {
		for line := range strings.Lines(string(Text(shop(), TextOptions{Width: width, Color: true}))) {
			line = strings.TrimSuffix(line, "\n")
			longest := 0
			for word := range strings.FieldsSeq(line) {
				longest = max(longest, columns(word))
			}
			if n := columns(line); n > width && longest < width-12 {
				t.Errorf("at width %d a line is %d wide: %q", width, n, line)
			}
		}
	}
}

// Colour adds codes and changes nothing else.
func TestTextColour(t *testing.T) {
	coloured := Text(shop(), TextOptions{Color: true})
	if bytes.Equal(coloured, Text(shop(), TextOptions{})) {
		t.Fatal("no colour at all")
	}
	if diff := cmp.Diff(string(regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAll(coloured, nil)), string(Text(shop(), TextOptions{}))); diff != "" {
		t.Errorf("without its codes (-got +want):\n%s", diff)
	}
}

// The matrix shows who reaches whom whatever the ends are called, and leaves the corner of a zone with itself open unless it was asked.
func TestTextMatrix(t *testing.T) {
	r := &Result{
		Zones: []Zone{{Name: "internet"}, {Name: "cde"}, {Name: "wireless"}},
		Matrix: []solver.Row{
			reach("internet", "zone:cde", solver.Relayed, []string{"appgw:agw"}, ports("tcp", "443")),
			reach("wireless", "cde", solver.Direct, nil, ports("tcp", "22")), // by its bare name
			{Src: "zone:cde", Dst: "internet", Verdict: solver.Unreachable},
		},
	}
	want := `
from \ to  cde
internet   443 via agw
cde
wireless   22
nothing reaches: internet, wireless
`
	if got := string(Text(r, TextOptions{})); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Without declared zones nobody asked who reaches whom.
func TestNoMatrix(t *testing.T) {
	r := &Result{Zones: []Zone{{Name: "internet", Kind: model.ZoneInternet}}}
	for name, data := range outputs(t, r) {
		if strings.Contains(string(data), "nothing reaches") || strings.Contains(string(data), "proved to be no path") {
			t.Errorf("%s speaks of paths that were not asked for", name)
		}
	}
}

func TestDecidedBy(t *testing.T) {
	want := map[string]string{
		"wireless-isolated":    "nsg-inscope/securityRules/AllowCampusSsh azure/nsgs.json:214", // not the default rule behind it
		"cde-only-through-waf": "payments/web-from-ingress/ingress[0] manifests/payments.yaml:141",
		"api-reaches-sql":      "payments/default-deny manifests/payments.yaml:88",
		"analytics-isolated":   " ",
	}
	for _, a := range shop().Assertions {
		rule, _, source, _ := decidedBy(a)
		if w, ok := want[a.ID]; ok && rule+" "+source != w {
			t.Errorf("%s is decided by `%s %s`, want `%s`", a.ID, rule, source, w)
		}
	}
}

func TestPlaceOf(t *testing.T) {
	r := shop()
	for source, want := range map[string]place{
		"azure/nsgs.json:214":   {"azure/nsgs.json", 214},
		"a b/odd name.json:7":   {"a b/odd name.json", 7},
		"azure/nsgs.json":       {"azure/nsgs.json", 0}, // an input without a line
		"other.json":            {},
		"default rule of nsg-a": {},
		"system route":          {},
		"/subscriptions/s/x:1":  {},
		"-":                     {},
		"":                      {},
		"azure/nsgs.json:0":     {},
	} {
		if got, ok := r.placeOf(source); got != want || ok != (want != place{}) {
			t.Errorf("placeOf(%q): got %v %v, want %v", source, got, ok, want)
		}
	}
}

// SARIF: failures are errors at the deciding rule, what is not known is open, and each result has a place in a file.
func TestSARIF(t *testing.T) {
	var log sarifLog
	data, err := SARIF(shop(), SARIFOptions{Passes: true})
	if err != nil {
		t.Fatal(err)
	}
	if err = json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	var got []string
	seen := map[string]bool{}
	for _, r := range log.Runs[0].Results {
		at := r.Locations[0].Physical
		line := 0
		if at.Region != nil {
			line = at.Region.StartLine
		}
		got = append(got, strings.Join([]string{r.RuleID, r.Kind, r.Level, at.Artifact.URI, jsonText(t, line)}, " "))
		if log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("%s points at rule %s", r.RuleID, log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID)
		}
		if print := r.Fingerprints["ringfence/v1"]; print == "" || seen[print] {
			t.Errorf("%s: the fingerprint `%s` is empty or taken", r.RuleID, print)
		} else {
			seen[print] = true
		}
	}
	want := []string{
		"assertion/internet-not-direct-to-cde pass none ringfence.yaml 84",
		"assertion/wireless-isolated fail error azure/nsgs.json 214",
		"assertion/cde-only-through-waf fail error manifests/payments.yaml 141",
		"assertion/api-reaches-sql fail error manifests/payments.yaml 88",
		"assertion/monitoring-only-by-tag open none ringfence.yaml 150",
		"assertion/analytics-isolated open none ringfence.yaml 160",
		"assertion/only-https-into-dmz pass none ringfence.yaml 165",
		"assertion/api-reaches-vault pass none ringfence.yaml 170",
		"item/1.2.1-d open none azure/nsgs.json 9",
		"item/1.2.3-a fail error azure/nsgs.json 214",
		"item/1.3.7-a pass none ringfence.yaml 0",
		"item/1.5-a pass none ringfence.yaml 0",
		"item/1.5-c review none ringfence.yaml 0",
		"finding/public-load-balancer fail error manifests/shop.yaml 20",
		"finding/over-wide-rule fail warning azure/nsgs.json 214",
		"finding/over-wide-rule fail warning ringfence.yaml 0", // no place of its own
		"finding/unused-rule fail note azure/nsgs.json 333",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("results (-got +want):\n%s", diff)
	}
	// Without passes, dashboards that take every result for a problem show problems only.
	if data, err = SARIF(shop(), SARIFOptions{}); err != nil || bytes.Contains(data, []byte(`"kind": "pass"`)) || !bytes.Contains(data, []byte(`"kind": "open"`)) {
		t.Errorf("the default log must hold what is open and not what passed (%v)", err)
	}
}

// A finding keeps its fingerprint when the file around it changes.
func TestSARIFFingerprintIsStable(t *testing.T) {
	prints := func(r *Result) (out []map[string]string) {
		data, err := SARIF(r, SARIFOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		if err := json.Unmarshal(data, &log); err != nil {
			t.Fatal(err)
		}
		for _, x := range log.Runs[0].Results {
			out = append(out, x.Fingerprints)
		}
		return out
	}
	moved := shop()
	for i := range moved.Assertions {
		moved.Assertions[i].Source = "ringfence.yaml:999"
	}
	for i := range moved.Findings {
		moved.Findings[i].Source = "azure/other.json:1"
		moved.Findings[i].Text += " And more."
	}
	if diff := cmp.Diff(prints(moved), prints(shop())); diff != "" {
		t.Errorf("fingerprints after lines moved (-got +want):\n%s", diff)
	}
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkSARIF holds a log to the names, the required properties and the words of SARIF 2.1.0 that testdata/sarif.schema.json lists.
func checkSARIF(t *testing.T, name string, data []byte) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestSARIFSchema(t *testing.T) {
	for name, data := range outputs(t, shop()) {
		if strings.HasSuffix(name, ".sarif") {
			checkSARIF(t, name, data)
		}
	}
	// The schema itself tells a broken log from a good one.
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	good := string(outputs(t, shop())["results.sarif"])
	for from, to := range map[string]string{
		`"version": "2.1.0"`: `"version": "2.0"`, `"kind": "open"`: `"kind": "unknown"`, `"level": "error"`: `"level": "fatal"`,
		`"startLine": 214`: `"startLine": 0`, `"ruleId"`: `"rule"`, `"text"`: `"txt"`,
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(good, from, to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(good, from) || schema.Validate(doc) == nil {
			t.Errorf("a log with %s in place of %s passes", to, from)
		}
	}
}

// JUnit: a failure carries the packet and its way, and what is not known is an error with the missing fact.
func TestJUnit(t *testing.T) {
	data, err := JUnit(shop())
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Time  string `xml:"time,attr"`
			Cases []struct {
				Name    string  `xml:"name,attr"`
				Failure *string `xml:"failure"`
				Error   *string `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Tests != 14 || doc.Failures != 5 || doc.Errors != 4 || doc.Suites[0].Time == "" {
		t.Errorf("got %d tests, %d failures, %d errors, time `%s`; want 14, 5, 4 and a time", doc.Tests, doc.Failures, doc.Errors, doc.Suites[0].Time)
	}
	for _, c := range doc.Suites[0].Cases {
		switch c.Name {
		case "wireless-isolated":
			if c.Failure == nil || !strings.Contains(*c.Failure, "packet tcp 10.90.0.4:49152 -> 10.240.1.4:22") || !strings.Contains(*c.Failure, "AllowCampusSsh (azure/nsgs.json:214)") {
				t.Errorf("%s: got %v, want the packet and the rule that lets it pass", c.Name, c.Failure)
			}
		case "monitoring-only-by-tag":
			if c.Error == nil || !strings.Contains(*c.Error, "missing: ASM-TAG(AzureMonitor)") || strings.Contains(*c.Error, "ASM-OLDFLOWS") {
				t.Errorf("%s: got %v, want the open assumption alone", c.Name, c.Error)
			}
		}
	}
}

// The report loads nothing from anywhere, and its links lead somewhere inside it.
func TestReportIsSelfContained(t *testing.T) {
	html := string(outputs(t, shop())["report.html"])
	for _, bad := range []string{"<script src", "src=", "@import", "url(", "<link", "<iframe", "javascript:", "http-equiv=\"refresh"} {
		if strings.Contains(html, bad) {
			t.Errorf("the report holds `%s`", bad)
		}
	}
	for _, m := range regexp.MustCompile(`https?://[^"'<\s]*`).FindAllString(html, -1) {
		if m != "http://www.w3.org/2000/svg" { // a name, not an address
			t.Errorf("the report names %s", m)
		}
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if ids[m[1]] {
			t.Errorf("the id %s stands twice", m[1])
		}
		ids[m[1]] = true
	}
	links := regexp.MustCompile(` href="#([^"]*)"`).FindAllStringSubmatch(html, -1)
	for _, m := range links {
		if target := strings.NewReplacer("%28", "(", "%29", ")").Replace(m[1]); !ids[target] {
			t.Errorf("a link leads to #%s, which is not there", target)
		}
	}
	if len(links) < 20 {
		t.Errorf("got %d links, want the contents, the matrix and the assumptions linked", len(links))
	}
}

// hostile are names that break out of a format which does not escape them.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `=cmd|' /C calc'!A0`, `+1`, `-1`, `@SUM(1)`, "\t=1", "\r=1", `＝1`, ` =1`,
		`"]`, "a\nb", "\x1b[31mred", "nsg\u202egpj", "]]>", "</style>", `{{.Project}}`, "[click](http://evil.example)", "a\x00\xff\ufffe\u2028b", `\`, "&lt;", "'; --", "",
	}
}

// hostileResult puts one name into every text of a result.
func hostileResult(name string) *Result {
	r := shop().copied(func(s string) string { return name })
	r.Schema = "ringfence/verify/v1"
	return r
}

// TestHostileNames writes results whose every name is an attack, in every format.
func TestHostileNames(t *testing.T) {
	for _, name := range hostile() {
		for file, data := range outputs(t, hostileResult(name)) {
			text := string(data)
			if file == "summary-color.txt" {
				text = regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(text, "")
				if strings.Contains(name, "\x1b") && strings.Contains(string(data), name) {
					t.Errorf("%s of %q holds the terminal codes of the name", file, name)
				}
			}
			for _, r := range text {
				if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == '\u202e' || r == '\u2028' || r == '\ufffe' {
					t.Errorf("%s of %q holds the raw character %q", file, name, r)
					break
				}
			}
			switch {
			case strings.HasSuffix(file, ".html"):
				checkHTML(t, name, text)
			case strings.HasSuffix(file, ".sarif"):
				checkSARIF(t, file+" of "+name, data)
				if regexp.MustCompile(`"text": .*\]\(`).MatchString(text) {
					t.Errorf("%s of %q makes a link of a name", file, name)
				}
			case strings.HasSuffix(file, ".csv"):
				checkCells(t, file+" of "+name, data)
			case strings.HasSuffix(file, ".md"):
				checkMarkdown(t, file+" of "+name, text)
			case strings.HasSuffix(file, ".json"):
				if !json.Valid(data) {
					t.Errorf("%s of %q is no JSON", file, name)
				}
			case strings.HasSuffix(file, ".xml"):
				for dec := xml.NewDecoder(bytes.NewReader(data)); ; {
					if _, err := dec.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Errorf("%s of %q: %v", file, name, err)
						break
					}
				}
			}
		}
	}
}

// checkCells demands that no cell begins with a sign that makes a spreadsheet compute it.
func checkCells(t *testing.T, what string, data []byte) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	for _, cell := range slices.Concat(rows...) {
		if first := strings.TrimLeft(cell, " "); first != "" && strings.ContainsRune("=+-@＝", []rune(first)[0]) {
			t.Errorf("%s: a spreadsheet computes the cell %q", what, cell)
		}
	}
}

// checkMarkdown demands that no name is markup: every mark that GitHub knows is escaped or ours, and every row of a table has as many cells as
// its header.
func checkMarkdown(t *testing.T, what, text string) {
	t.Helper()
	cells := 0
	for line := range strings.Lines(text) {
		bare := regexp.MustCompile(`\\.`).ReplaceAllString(strings.TrimSuffix(line, "\n"), "x")
		if strings.ContainsAny(bare, "<>[]`~") || strings.Contains(bare, "@") && !strings.Contains(bare, "@\u200b") {
			t.Errorf("%s: markup in %q", what, line)
		}
		n := strings.Count(bare, "|")
		if n == 0 {
			cells = 0
		} else if cells == 0 {
			cells = n
		} else if n != cells {
			t.Errorf("%s: %d cells, want %d: %q", what, n-1, cells-1, line)
		}
		if strings.HasPrefix(bare, "#") && !regexp.MustCompile(`^#{1,4} `).MatchString(bare) {
			t.Errorf("%s: a heading of a name: %q", what, line)
		}
	}
}

// checkHTML allows the elements of the template and nothing that a name could add.
func checkHTML(t *testing.T, name, html string) {
	t.Helper()
	allowed := strings.Fields("html head meta title style body header a h1 h2 h3 h4 p strong dl div dt dd small nav ul li main section article span code table thead tbody tr th td details summary figure svg footer form label input select option button output datalist dialog")
	html = checkScripts(t, name, html)
	for _, m := range regexp.MustCompile(`<([a-zA-Z][a-zA-Z0-9]*)([^>]*)>`).FindAllStringSubmatch(html, -1) {
		if !slices.Contains(allowed, m[1]) {
			t.Errorf("the report of %q has an element <%s>", name, m[1])
		}
		if bare := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(m[2], ""); regexp.MustCompile(`\bon|[<>'"]|\bsrc\b`).MatchString(bare) || strings.Contains(m[2], "javascript:") {
			t.Errorf("the report of %q has the attributes %s", name, m[2])
		}
	}
	if n := strings.Count(html, "</style>"); n != 1 {
		t.Errorf("the report of %q ends its style %d times", name, n)
	}
}

// The script writes texts and copies, asks for nothing, and keeps nothing.
func TestReportScript(t *testing.T) {
	for _, bad := range []string{
		"innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "import", "fetch", "XMLHttp", "WebSocket", "EventSource", "sendBeacon",
		"Worker", "localStorage", "sessionStorage", "cookie", "window.open", "location", "createContextualFragment", "DOMParser", "srcdoc", "</script", "<!--",
	} {
		if strings.Contains(reportScript, bad) {
			t.Errorf("the script of the report holds `%s`", bad)
		}
	}
}

// The policy of the report admits its script and nothing else.
func TestReportPolicy(t *testing.T) {
	html := string(outputs(t, shop())["report.html"])
	sum := sha256.Sum256([]byte(reportScript))
	want := `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-` + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + `'; base-uri 'none'; form-action 'none'"`
	if !strings.Contains(html, want) {
		t.Errorf("the report lacks the policy %s", want)
	}
}

// checkScripts demands the two scripts of the report, of which names are in the data alone, and returns the page without them.
func checkScripts(t *testing.T, name, html string) string {
	t.Helper()
	const open, end = `<script type="application/json" id="data">`, "</script>"
	head, rest, _ := strings.Cut(html, open)
	data, rest, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("the report of %q has no data", name)
	}
	var doc struct {
		Ends    []string
		Courses []struct{ From string }
	}
	if err := json.Unmarshal([]byte(data), &doc); err != nil || strings.ContainsAny(data, "<>&\u2028\u2029") {
		t.Errorf("the data of %q: %v\n%s", name, err, data)
	}
	for _, c := range doc.Courses {
		if !slices.Contains(doc.Ends, c.From) {
			t.Errorf("the data of %q: %q is no end of %q", name, c.From, doc.Ends)
		}
	}
	if rest, ok = strings.CutPrefix(rest, "\n<script>"+reportScript+end); !ok {
		t.Errorf("the script of the report of %q is not the one that its policy admits", name)
	}
	return head + rest
}

// JSON keeps names as they are: what is escaped there means the same to a program.
func TestJSONKeepsNames(t *testing.T) {
	for _, name := range hostile() {
		data, err := JSON(&Result{Project: name})
		if err != nil {
			t.Fatal(err)
		}
		var got Result
		if err := json.Unmarshal(data, &struct {
			Project *string `json:"project"`
		}{&got.Project}); err != nil {
			t.Fatal(err)
		}
		want := strings.ToValidUTF8(name, "\ufffd") // JSON is UTF-8
		if got.Project != want {
			t.Errorf("got %q, want %q", got.Project, want)
		}
		if !bytes.HasSuffix(data, []byte("}\n")) {
			t.Errorf("the file does not end with a line: %q", data[len(data)-3:])
		}
	}
}
