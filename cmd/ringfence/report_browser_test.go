package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci/browsertest"
	"github.com/ringfence/ringfence/solver"
)

// shots is a folder for pictures of what the browser shows, to look at.
var shots = flag.String("shots", "", "write screenshots of the report to `DIR`")

func shoot(t *testing.T, p *browsertest.Page, name string) {
	t.Helper()
	if *shots == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*shots, name), p.Picture(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reportOf is the report of a project.
func reportOf(t *testing.T, dir string) []byte {
	t.Helper()
	code, html, stderr := call(t, "verify", "--no-changes", "--format", "html", dir)
	if code == exitBad {
		t.Fatal(stderr)
	}
	return []byte(html)
}

// The report of the example, as people use it: with a mouse, with the keyboard alone, without scripts, and on paper.
func TestReportInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	p := browsertest.Open(t, reportOf(t, "../../examples/aks-pci"))
	text := func(selector string) string {
		t.Helper()
		return browsertest.Value[string](p, fmt.Sprintf("document.querySelector(%q).textContent", selector))
	}
	ask := func(from, to, service string) string {
		t.Helper()
		for name, value := range map[string]string{"from": from, "to": to, "service": service} {
			p.Do(chromedp.SetValue(chromedp.CSS(`#question [name=`+name+`]`), value))
		}
		p.Do(chromedp.SendKeys(chromedp.CSS(`#question [name=service]`), kb.Enter))
		return browsertest.Value[string](p, `document.querySelector("#answer").dataset.verdict`)
	}

	t.Run("ask", func(t *testing.T) {
		for _, tt := range []struct{ from, to, service, verdict, says string }{
			{"internet", "zone:dmz", "tcp/443", "reachable", "securityRules/"},
			{"wireless", "cde", "any", "unreachable", "What stands in the way"},
			{"zone:cde", "data", "tcp/1433", "reachable", "The packet, and its way"},
			{"payments/api", "zone:data", "tcp/1433", "reachable", "direct"},
			{"zone:system", "zone:data", "tcp/1433", "unknown", "What it hangs on"},
			{"internet", "zone:cde", "tcp/22", "unreachable", "Other services of this pair"},
			{"zone:cde", "zone:cde", "any", "", "not asked about itself"},
			{"10.1.2.3", "zone:cde", "any", "", "holds no answers about 10.1.2.3"},
			{"internet", "zone:cde", "tcp/1433/50000", "", "Source ports are finer"},
			{"internet", "zone:cde", "http", "", "A service is"},
			{"internet", "zone:cdee", "any", "", "holds no answers"},
		} {
			if got := ask(tt.from, tt.to, tt.service); got != tt.verdict || !strings.Contains(text("#answer"), tt.says) {
				t.Errorf("%s to %s %s: got %q, want %q with %q:\n%s", tt.from, tt.to, tt.service, got, tt.verdict, tt.says, text("#answer"))
			}
			shoot(t, p, "ask-"+tt.verdict+".png")
		}
	})

	t.Run("answers are those of the solver", func(t *testing.T) {
		proj, _, _, _ := imported(t, "../../examples/aks-pci")
		s, err := solver.Solve(proj, solver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		type answered struct{ From, To, Service, Verdict string }
		list := browsertest.Value[[]answered](p, `(() => {
			const form = document.querySelector("#question"), out = document.querySelector("#answer"), list = [];
			const data = JSON.parse(document.querySelector("#data").textContent);
			data.ends.forEach((from, i) => data.ends.forEach((to, j) => {
				if (i === j || (i >= data.zones || j >= data.zones) && (i * 29 + j * 13) % 17 !== 0) return;
				for (const service of ["any", "tcp/443", "tcp/20-25", "udp/53", "icmp"]) {
					form.elements.from.value = from; form.elements.to.value = to; form.elements.service.value = service;
					form.requestSubmit();
					list.push({From: from, To: to, Service: service, Verdict: out.dataset.verdict});
				}
			}));
			return list;
		})()`)
		seen := map[string]int{}
		for _, a := range list {
			from, err1 := model.ParseSelectors([]string{a.From})
			to, err2 := model.ParseSelectors([]string{a.To})
			svc, err3 := model.ParsePortService(a.Service)
			if err1 != nil || err2 != nil || err3 != nil {
				t.Fatal(err1, err2, err3)
			}
			r, err := s.Reach(from, to, []model.PortService{svc}, false)
			if err != nil {
				t.Fatal(err)
			}
			seen[a.Verdict]++
			if a.Verdict != r.Verdict.String() {
				t.Errorf("%s to %s %s: the report says %q, reach says %s", a.From, a.To, a.Service, a.Verdict, r.Verdict)
			}
		}
		for _, v := range []string{"reachable", "unreachable", "unknown"} {
			if seen[v] == 0 {
				t.Errorf("no question has the answer %s: %v", v, seen)
			}
		}
	})

	t.Run("filter", func(t *testing.T) {
		shown := func() int {
			return browsertest.Value[int](p, `[...document.querySelectorAll("article.item")].filter((e) => e.checkVisibility()).length`)
		}
		every := shown()
		set := func(name, value string) {
			p.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => { const e = document.querySelector("#filter").elements[%q]; e.value = %q; e.dispatchEvent(new Event("input", {bubbles: true})); })()`, name, value)))
		}
		for _, f := range [][2]string{{"requirement", "1.2.1"}, {"verdict", "pass"}, {"words", "wireless"}, {"zone", "2"}} {
			name, value := f[0], f[1]
			if name == "requirement" {
				value = browsertest.Value[string](p, `document.querySelector("#filter [name=requirement]").options[1].value`)
			}
			set(name, value)
			if n := shown(); n >= every || name != "zone" && n == 0 || !strings.Contains(text("#filter output"), fmt.Sprintf("%d of %d items", n, every)) {
				t.Errorf("filtered by %s %s: %d of %d items, and the report says %q", name, value, n, every, text("#filter output"))
			}
			shoot(t, p, "filter-"+name+".png")
			set(name, "")
		}
		if n := shown(); n != every || text("#filter output") != "" {
			t.Errorf("without a filter %d of %d items, and the report says %q", n, every, text("#filter output"))
		}
	})

	// What is far from the window has no exact height yet: go there before the mouse does.
	near := func(selector string) {
		browsertest.Value[bool](p, fmt.Sprintf(`new Promise((done) => {
			let n = 0;
			const step = () => { document.querySelector(%q).scrollIntoView({block: "center"}); if (++n < 5) requestAnimationFrame(step); else done(true); };
			step();
		})`, selector))
	}
	click := func(selector string) {
		near(selector)
		p.Do(chromedp.Click(chromedp.CSS(selector)))
	}
	opened := func() bool { return browsertest.Value[bool](p, `document.querySelector("#detail").open`) }
	t.Run("a cell of the matrix opens its flow", func(t *testing.T) {
		click(`.matrix a[href^="#flow-"]`)
		if !opened() || !strings.Contains(text("#detail"), "Source addresses") || !strings.Contains(text("#detail"), "The packet, and its way") {
			t.Errorf("the flow does not open: %s", text("#detail"))
		}
		shoot(t, p, "cell.png")
		p.Do(chromedp.KeyEvent(kb.Escape))
		if opened() {
			t.Error("Escape does not close it")
		}
		click(`.matrix a[href^="#wall-"]`)
		if !opened() || !strings.Contains(text("#detail"), "Stopped at") {
			t.Errorf("what stands in the way does not open: %s", text("#detail"))
		}
		p.Do(chromedp.Click(chromedp.CSS(`#detail button`)))
	})

	t.Run("pictures", func(t *testing.T) {
		for _, section := range []string{"network", "dataflow"} {
			// With the keyboard alone: into the picture, to the next line, and to its packets.
			p.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector("section[aria-labelledby=%s] g.flow").focus()`, section)), chromedp.KeyEvent(kb.ArrowRight))
			if got := browsertest.Value[string](p, `document.activeElement.classList[0]`); got != "flow" {
				t.Errorf("%s: the arrow key leads to %q", section, got)
			}
			p.Do(chromedp.KeyEvent(kb.Enter))
			if !opened() || !strings.Contains(text("#detail"), "Where it stands") || !strings.Contains(text("#detail"), ".json") {
				t.Errorf("%s: the line shows no packet with its hops: %s", section, text("#detail"))
			}
			shoot(t, p, "line-"+section+".png")
			p.Do(chromedp.KeyEvent(kb.Escape))
		}
		// With the mouse.
		type clicked struct {
			ID, Text string
			Open     bool
		}
		lines := browsertest.Value[[]clicked](p, `[...document.querySelectorAll("g.flow")].filter((g, i) => i % 4 === 0).map((g) => {
			g.dispatchEvent(new MouseEvent("click", {bubbles: true}));
			const detail = document.querySelector("#detail"), result = {ID: g.id, Text: detail.textContent, Open: detail.open};
			detail.close();
			return result;
		})`)
		packets := 0
		for _, l := range lines {
			if !l.Open {
				t.Errorf("a click on the line %s opens nothing", l.ID)
			}
			if strings.Contains(l.Text, "The packet, and its way") {
				packets++
			}
		}
		t.Logf("%d of %d lines have a packet", packets, len(lines))
		if packets < len(lines)*9/10 {
			t.Errorf("%d of %d lines have a packet", packets, len(lines))
		}
		p.Do(chromedp.SendKeys(chromedp.CSS(`.tools.picture input`), "sql"+kb.Enter))
		if got := text(".tools.picture output"); !strings.HasSuffix(got, " found") || strings.HasPrefix(got, "0") {
			t.Errorf("sql in the picture: %q", got)
		}
		shoot(t, p, "find.png")
		width := `document.querySelector("figure svg").getBoundingClientRect().width`
		before := browsertest.Value[float64](p, width)
		click(`.tools.picture button[aria-label="Zoom in"]`)
		if after := browsertest.Value[float64](p, width); after <= before {
			t.Errorf("zoomed in: %v wide, before %v", after, before)
		}
	})

	t.Run("print", func(t *testing.T) {
		off := `document.querySelectorAll(".off").length`
		p.Do(chromedp.Evaluate[chromedp.Void](`(() => { const e = document.querySelector("#filter").elements.words; e.value = "nothing has this"; e.dispatchEvent(new Event("input", {bubbles: true})); })()`))
		if browsertest.Value[int](p, off) == 0 {
			t.Fatal("the filter hides nothing")
		}
		p.Paper(true)
		if n := browsertest.Value[int](p, `[...document.querySelectorAll(".off")].filter((e) => !e.closest("details:not([open])") && !e.checkVisibility()).length`); n > 0 {
			t.Errorf("on paper a filter hides %d parts", n)
		}
		p.Paper(false)
		pdf := p.PDF()
		if *shots != "" {
			if err := os.WriteFile(filepath.Join(*shots, "report.pdf"), pdf, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sizes := regexp.MustCompile(`/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]`).FindAllStringSubmatch(string(pdf), -1)
		if len(sizes) < 20 {
			t.Errorf("%d pages: paper must hold everything", len(sizes))
		}
		for _, m := range sizes {
			if w, h := m[1], m[2]; !strings.HasPrefix(w+" "+h, "59") && !strings.HasPrefix(w+" "+h, "84") {
				t.Fatalf("a page of %s by %s points, want A4", w, h)
			}
		}
		p.Reload()
	})

	t.Run("hindrances", func(t *testing.T) {
		ask("internet", "zone:dmz", "tcp/443")
		// Of what repeats a few are enough, as what axe-core looks at grows with the page.
		p.Do(chromedp.Evaluate[chromedp.Void](`for (const list of ["article.item", "article.course", "main tbody", "tbody tr", "details", "g.flow", "g.node", "g[class^=pill-]"]) {
			[...document.querySelectorAll(list)].filter((e) => !e.closest("#answer")).slice(12).forEach((e) => e.remove());
		}`))
		for _, dark := range []bool{false, true} {
			p.Dark(dark)
			var rules []string // all of them once; colours twice
			if dark {
				rules = []string{"color-contrast"}
			}
			shoot(t, p, fmt.Sprintf("dark-%v.png", dark))
			for _, h := range p.Axe(rules...) {
				if h.Impact == "serious" || h.Impact == "critical" {
					t.Errorf("dark %v: %v", dark, h)
				} else {
					t.Logf("dark %v: %v", dark, h)
				}
			}
		}
		p.Dark(false)
	})

	t.Run("quiet", func(t *testing.T) { p.Quiet() })

	t.Run("without scripts", func(t *testing.T) {
		words := `document.body.innerText.replace(/\s+/g, " ")`
		p.Scripts(false)
		p.Reload()
		got := browsertest.Value[string](p, words)
		for _, want := range []string{"Can X reach Y?", "Zones by zones", "Packets on their way", "securityRules/", "azure/nsgs.json:"} {
			if !strings.Contains(got, want) {
				t.Errorf("without scripts the report does not say %q", want)
			}
		}
		if n := browsertest.Value[int](p, `[...document.querySelectorAll("main *")].filter((e) => !e.checkVisibility() && !e.closest(".tools,datalist,details:not([open]),svg")).length`); n > 0 {
			t.Errorf("%d elements are hidden without scripts", n)
		}
	})
}

// The report is the same on every run, and its data is JSON.
func TestReportSameBytes(t *testing.T) {
	first := reportOf(t, "../../examples/aks-pci")
	if !bytes.Equal(first, reportOf(t, "../../examples/aks-pci")) {
		t.Error("two runs write different reports")
	}
	_, rest, _ := bytes.Cut(first, []byte(`<script type="application/json" id="data">`))
	data, _, _ := bytes.Cut(rest, []byte("</script>"))
	var doc struct{ Ends []string }
	if err := json.Unmarshal(data, &doc); err != nil || !slices.Contains(doc.Ends, "zone:cde") {
		t.Error(err, doc.Ends)
	}
}
