package pci

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ringfence/ringfence/diagram"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci/browsertest"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// A name that is an attack stays a text, in the page and where the script writes it: the elements are those of a harmless name.
func TestHostileNamesInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	// What the page consists of, once everything that writes a name has done so.
	const elements = `(() => {
		const form = document.querySelector("#question"), data = JSON.parse(document.querySelector("#data").textContent);
		for (const end of data.ends) {
			form.elements.from.value = end; form.elements.to.value = data.ends[0]; form.elements.service.value = end;
			form.requestSubmit();
			form.elements.service.value = "any";
			form.requestSubmit();
		}
		const words = document.querySelector("#filter").elements.words;
		words.value = data.ends[0];
		words.dispatchEvent(new Event("input", {bubbles: true}));
		for (const a of document.querySelectorAll('.matrix a, td > a[href^="#course-"]')) { a.click(); document.querySelector("#detail").close(); }
		const count = {};
		for (const e of document.querySelectorAll("script,img,iframe,object,embed,link,base,meta,style,svg,video,audio")) count[e.tagName] = (count[e.tagName] || 0) + 1;
		for (const e of document.querySelectorAll("*")) for (const a of e.attributes) if (a.name.startsWith("on") || a.value.startsWith("javascript:")) count[a.name] = (count[a.name] || 0) + 1;
		return count;
	})()`
	var want map[string]int
	for _, name := range append([]string{"harmless"}, hostile()...) {
		if !slices.Contains([]string{"harmless", `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "nsg\u202egpj", "</style>", "'; --", "a\x00\xff\ufffe\u2028b"}, name) {
			continue // the others are no danger to a page
		}
		p := browsertest.Open(t, outputs(t, hostileResult(name))["report.html"])
		got := browsertest.Value[map[string]int](p, elements)
		p.Quiet()
		if want == nil {
			want = got
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the report of %q has the elements %v, of a harmless name %v", name, got, want)
		}
		if shown := browsertest.Value[string](p, `document.querySelector("#ends option").value`); shown != model.Visible(name) && shown != "internet" {
			t.Errorf("the report of %q offers %q", name, shown)
		}
	}
}

// The report of 1,000 subnets and 2,000 workloads stays below 20 MB and opens within three seconds.
func TestLargeReportInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	r, x := large(1000, 2000)
	html, err := HTML(r, Diagrams{Network: []diagram.Figure{largeFigure()}}, x)
	if err != nil {
		t.Fatal(err)
	}
	if len(html) > 20_000_000 {
		t.Errorf("the report has %d bytes, more than 20 MB", len(html))
	}
	p := browsertest.Open(t, html)
	var wall, busy time.Duration
	for range 2 {
		w, b := p.Load()
		if wall == 0 || w < wall {
			wall = w
		}
		if busy == 0 || b < busy {
			busy = b
		}
	}
	t.Logf("%.1f MB, open after %v, of which the page computes %v", float64(len(html))/1e6, wall, busy)
	if busy > 3*time.Second { // of its own time: what else the machine does does not count
		t.Errorf("the page computes for %v before it is there", busy)
	}
	got := browsertest.Value[string](p, `(() => {
		const form = document.querySelector("#question"), out = document.querySelector("#answer");
		const ask = (from, to) => { form.elements.from.value = from; form.elements.to.value = to; form.elements.service.value = "tcp/443"; form.requestSubmit(); return out.dataset.verdict || "none"; };
		return [ask("zone:z1", "pod:ns2/w2"), ask("zone:z1", "zone:z2"), ask("subnet:v0/s0", "subnet:v0/s1")].join();
	})()`)
	if want := "unreachable,reachable,none"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	p.Quiet()
}

// large is the result of an estate of some size: everything that grows with it is there, as much as real runs have.
func large(subnets, workloads int) (*Result, *Exploration) {
	r := &Result{Schema: "ringfence/verify/v1", Project: "large", AsOf: "2026-11-01", Standard: "pci-dss-4.0.1", Tool: "ringfence"}
	const zones = 10
	answers := &solver.Explored{Ends: []string{"internet"}}
	r.Zones = []Zone{{Name: "internet", Kind: model.ZoneInternet}}
	for z := range zones {
		r.Zones = append(r.Zones, Zone{Name: fmt.Sprintf("z%d", z), Kind: model.ZoneCDE, Owner: "Payments", Source: "ringfence.yaml:9"})
		answers.Ends = append(answers.Ends, fmt.Sprintf("zone:z%d", z))
	}
	answers.Zones = len(answers.Ends)
	var members []string
	for i := range subnets {
		members = append(members, fmt.Sprintf("subnet:v%d/s%d", i/10, i))
	}
	for i := range workloads {
		members = append(members, fmt.Sprintf("pod:ns%d/w%d", i%50, i))
	}
	for i, m := range members {
		r.Zones[1+i%zones].Members = append(r.Zones[1+i%zones].Members, m)
	}
	answers.Ends = append(answers.Ends, members...)
	witness := shop().Assertions[0].Witness
	var packets []solver.Packets
	for i := range 16 {
		packets = append(packets, solver.Packets{Src: []string{"any"}, Dst: members[i : i+12], Protocol: "tcp", SPort: []string{"0-65535"}, DPort: []string{fmt.Sprint(1000 + i)}, Names: []string{"*"}})
	}
	for from := range answers.Zones {
		for to := range answers.Zones {
			if from == to {
				continue
			}
			w := solver.ExploredWay{Kind: solver.Direct, Verdict: solver.Reachable, Services: []solver.Ports{{Protocol: "tcp", DPort: []string{"443", "1000-1063"}}}, Shown: true, Witness: witness}
			answers.Pairs = append(answers.Pairs, solver.ExploredPair{From: from, To: to, Ways: []solver.ExploredWay{w, w}})
			r.Matrix = append(r.Matrix, solver.Row{Src: answers.Ends[from], Dst: answers.Ends[to], Verdict: solver.Reachable, Kind: solver.Direct, Packets: packets})
		}
		for to := answers.Zones; to < len(answers.Ends); to++ {
			if (from+to)%3 == 0 {
				w := solver.ExploredWay{Kind: solver.Direct, Verdict: solver.Reachable, Services: []solver.Ports{{Protocol: "tcp", DPort: []string{"443", fmt.Sprint(to % 500)}}}}
				answers.Pairs = append(answers.Pairs, solver.ExploredPair{From: from, To: to, Ways: []solver.ExploredWay{w}}, solver.ExploredPair{From: to, To: from, Ways: []solver.ExploredWay{w}})
			}
		}
	}
	var flows []solver.Flow
	for i := range 100 {
		flows = append(flows, solver.Flow{From: members[i], To: members[i+1], Verdict: solver.Reachable, Kind: solver.Direct, Packets: packets})
	}
	for i := range 200 {
		v := []solver.Outcome{solver.Fail, solver.Pass, solver.Undecided}[i%3]
		a := solver.AssertionResult{ID: fmt.Sprintf("a%d", i), Verdict: v, Statement: "z0 must not reach z1", Requirement: "1.3.2", Source: "ringfence.yaml:20"}
		if v == solver.Fail {
			a.Violations, a.Witness = flows, witness
		}
		r.Assertions = append(r.Assertions, a)
	}
	table := &Table{Header: []string{"rule", "ports", "source", "reason"}}
	for i := range 1000 {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("nsg-%d/securityRules/AllowWeb", i), "tcp/443", "10.0.0.0/8", "the shop's own traffic, reviewed twice a year"})
	}
	for i := range 95 {
		x := Item{ID: fmt.Sprintf("1.%d.%d-a", 1+i/40, 1+i%40/5), V4: "1.3.2", Title: "an item", Method: "prove", Verdict: ItemPass}
		part := Part{Statement: "every subnet is protected", Verdict: ItemPass, Subjects: subnets}
		if i%10 == 0 {
			part.Table = table
		}
		if i%7 == 0 {
			part.Faults = []Fault{{Cause: Cause{Class: CauseAllow, Of: "nsg-1/securityRules/AllowAll"}, Text: "let pass", Flows: flows, Witness: witness}}
			x.Verdict, part.Verdict = ItemFail, ItemFail
		}
		x.ID = fmt.Sprintf("%s%d", x.ID, i)
		x.Evidence = []Part{part}
		r.Items = append(r.Items, x)
	}
	for i := range 3000 {
		r.Findings = append(r.Findings, lint.Finding{ID: "rule-shadowed", Severity: lint.Warning, Subject: fmt.Sprintf("nsg-%d/securityRules/Old", i), Text: "an earlier rule decides about every packet of this one", Remedy: "remove it", Source: "azure/estate.json:12"})
	}
	ends := &Exploration{Answers: answers}
	ends.zones(r)
	ends.tell(r)
	return r, ends
}

// largeFigure is a picture with as many boxes, lines and listed flows as a panel has at most.
func largeFigure() diagram.Figure {
	f := diagram.Figure{Title: "Zones", Head: []string{"", "from", "to", "services"}}
	svg := `<svg xmlns="http://www.w3.org/2000/svg" class="ringfence" viewBox="0 0 1600 1200">`
	for i := range diagram.MaxNodes {
		svg += fmt.Sprintf(`<g class="node" data-ref="zone:z%d" role="group" aria-label="zone z%d"><title>zone z%d</title><rect x="%d" y="%d" width="90" height="40"/></g>`, i, i, i, i%16*100, i/16*200)
	}
	for i := range diagram.MaxEdges {
		svg += fmt.Sprintf(`<g class="flow" id="network-zones-e%d" data-from="zone:z%d" data-to="zone:z%d" role="group" aria-label="a to b"><title>a to b</title><path d="M%d 0L%d 900"/></g>`, i, i, i+1, i*30, i*20)
	}
	f.SVG = []byte(svg + "</svg>\n")
	for i := range diagram.MaxListed {
		f.Rows = append(f.Rows, diagram.FigureRow{Cells: []string{fmt.Sprint(i), "z0", "z1", "tcp/443"}})
	}
	return f
}
