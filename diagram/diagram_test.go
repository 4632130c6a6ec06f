package diagram

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at the new picture, then run go test ./diagram -update:\n%s", path, Check(got, want))
	}
}

// outputs draws both diagrams in every format; the key is the name of the file.
func outputs(t *testing.T, in Input) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, draw := range []func(Input) (*Diagram, error){Network, DataFlow} {
		d, err := draw(in)
		if err != nil {
			t.Fatal(err)
		}
		name := string(d.Kind)
		if out[name+".svg"], err = d.SVG(); err != nil {
			t.Fatal(err)
		}
		if out[name+".json"], err = d.JSON(); err != nil {
			t.Fatal(err)
		}
		if out[name+".drawio"], err = d.DrawIO(nil); err != nil {
			t.Fatal(err)
		}
		out[name+".dot"], out[name+".mmd"] = d.DOT(), d.Mermaid()
	}
	return out
}

func TestGolden(t *testing.T) {
	for name, got := range outputs(t, shop()) {
		golden(t, name, got)
	}
	d, err := DataFlow(faulty())
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.SVG()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "faults.svg", got)
	in := faulty()
	in.View.Level = SubnetLevel
	if d, err = Network(in); err != nil {
		t.Fatal(err)
	}
	if got, err = d.SVG(); err != nil {
		t.Fatal(err)
	}
	golden(t, "subnets.svg", got)
}

// TestSameBytes draws the same estate again and again, in other orders of the input, from several goroutines at once.
func TestSameBytes(t *testing.T) {
	estate := func() Input {
		in := shop()
		in.Rows = append(in.Rows, row("cidr:198.51.100.0/24", "zone:dmz", "tcp/443"), row("cidr:192.0.2.0/24", "zone:dmz", "tcp/443"))
		in.Controls = append(in.Controls, MemberInfo{Ref: "firewall:fw-b"}, MemberInfo{Ref: "firewall:fw-a"})
		in.Members = append(in.Members, row("cidr:198.51.100.0/24", "pod:shop/cart", "tcp/443"), row("cidr:192.0.2.0/24", "pod:shop/cart", "tcp/443"))
		return in
	}
	want := outputs(t, estate())
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(worker), 1))
			for range 5 {
				in := estate()
				shuffle(r, in.Zones)
				for i := range in.Zones {
					shuffle(r, in.Zones[i].Members)
				}
				shuffle(r, in.Controls)
				shuffle(r, in.Rows)
				shuffle(r, in.Members)
				shuffle(r, in.Flows)
				shuffle(r, in.Stores)
				for name, got := range outputs(t, in) {
					if !bytes.Equal(got, want[name]) {
						t.Errorf("%s of a shuffled input differs:\n%s", name, Check(got, want[name]))
					}
				}
			}
		})
	}
	wg.Wait()
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// Sheets hold one panel each and share no ID, as they stand on one page of the report.
func TestSheets(t *testing.T) {
	d, err := Network(shop())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	last := 0
	for i, sheet := range d.Sheets() {
		svg, err := sheet.SVG()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllSubmatch(svg, -1) {
			if before, taken := ids[string(m[1])]; taken {
				t.Errorf("sheets %d and %d share the id %s", before, i, m[1])
			}
			ids[string(m[1])] = i
		}
		if sheet.Panels[0].Name != d.Panels[i].Name || sheet.Panels[0].Edges[0].Number != last+1 {
			t.Errorf("sheet %d: got panel %s from flow %d, want %s from %d", i, sheet.Panels[0].Name, sheet.Panels[0].Edges[0].Number, d.Panels[i].Name, last+1)
		}
		for _, e := range sheet.Panels[0].Edges {
			last = max(last, e.Number)
		}
	}
	if len(d.Sheets()) != 2 || len(d.Panels) != 2 {
		t.Errorf("got %d sheets of %d panels, want two of two", len(d.Sheets()), len(d.Panels))
	}
}

// zonePanel draws the zone panel.
func zonePanel(t *testing.T, in Input) Panel {
	t.Helper()
	d, err := Network(in)
	if err != nil {
		t.Fatal(err)
	}
	return d.Panels[0]
}

func (p *Panel) labelled(label string) *Group {
	for i := range p.Groups {
		if p.Groups[i].Label == label {
			return &p.Groups[i]
		}
	}
	return &Group{}
}

// flows lists the lines of a panel as text.
func (p *Panel) flows() []string {
	var out []string
	for _, e := range p.Edges {
		out = append(out, p.sentence(e))
	}
	return out
}

// Wireless networks are shown even where nothing flows (1.1.2-b), and "proved" is written only where something was proved.
func TestWireless(t *testing.T) {
	const absence = "no path (proved) to: dmz, hub, mgmt, system, cde, oos, data"
	t.Run("no row: the absence is drawn", func(t *testing.T) {
		p := zonePanel(t, shop())
		if got := p.labelled("wireless").Notes; !slices.Equal(got, []string{absence}) {
			t.Errorf("notes of the wireless zone: got %q, want %q", got, absence)
		}
		if want := "wireless to cde: no path (proved)"; !slices.Contains(p.flows(), want) {
			t.Errorf("lines of the sheet: got %q, want one `%s`", p.flows(), want)
		}
	})
	t.Run("a row, though only possible, takes the claim away", func(t *testing.T) {
		in := shop()
		in.Rows = append(in.Rows, unknown("zone:wireless", "zone:cde", "tcp/22"))
		p := zonePanel(t, in)
		if got, want := p.labelled("wireless").Notes, "no path (proved) to: dmz, hub, mgmt, system, oos, data"; !slices.Equal(got, []string{want}) {
			t.Errorf("notes of the wireless zone: got %q, want %q", got, want)
		}
		if want := "wireless to cde: tcp/22; unknown"; !slices.Contains(p.flows(), want) || slices.Contains(p.flows(), "wireless to cde: no path (proved)") {
			t.Errorf("lines of the sheet: got %q, want `%s` and no proof", p.flows(), want)
		}
	})
	t.Run("a sender of no zone may be wireless", func(t *testing.T) {
		in := shop()
		in.Rows = append(in.Rows, row("cidr:10.90.0.0/24", "cde", "tcp/22"))
		p := zonePanel(t, in)
		if got, want := p.labelled("wireless").Notes, "no path (proved) to: dmz, hub, mgmt, system, oos, data"; !slices.Equal(got, []string{want}) {
			t.Errorf("notes of the wireless zone: got %q, want %q", got, want)
		}
	})
	t.Run("rows by bare names of zones", func(t *testing.T) {
		in := shop()
		in.Rows = append(in.Rows, row("wireless", "cde", "tcp/22"))
		p := zonePanel(t, in)
		if want := "wireless to cde: tcp/22; direct"; !slices.Contains(p.flows(), want) || slices.Contains(p.flows(), "wireless to cde: no path (proved)") {
			t.Errorf("lines of the sheet: got %q, want `%s` and no proof", p.flows(), want)
		}
	})
	t.Run("nothing computed: nothing claimed", func(t *testing.T) {
		in := shop()
		in.Rows = nil
		d, err := Network(in)
		if err != nil {
			t.Fatal(err)
		}
		svg, err := d.SVG()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(svg, []byte("proved")) || !bytes.Contains(svg, []byte("paths were not computed")) {
			t.Error("a sheet without computed rows must not speak of proofs")
		}
	})
	t.Run("no members: nothing proved", func(t *testing.T) {
		in := shop()
		for i := range in.Zones {
			if in.Zones[i].Kind == "wireless" {
				in.Zones[i].Members = nil
			}
		}
		p := zonePanel(t, in)
		if got := p.labelled("wireless").Notes; !slices.Equal(got, []string{"no members: nothing was proved"}) {
			t.Errorf("notes of an empty wireless zone: got %q", got)
		}
	})
}

// An unreachable row is no flow, and rows of one pair are one line per kind of flow.
func TestBundles(t *testing.T) {
	in := Input{
		Zones: []ZoneInfo{{Name: "a", Kind: "cde"}, {Name: "b", Kind: "data"}, {Name: "c", Kind: "trusted"}, {Name: "d", Kind: "trusted", Members: []MemberInfo{{Ref: "nic:d"}}}},
		Rows: []solver.Row{
			row("zone:a", "zone:b", "tcp/443"),
			row("zone:a", "zone:b", "tcp/1433"),
			relayed("zone:a", "zone:b", "tcp/443", "appgw:x"),
			relayed("zone:a", "zone:b", "tcp/443", "appgw:y"),
			unknown("zone:a", "zone:b", "udp/53"),
			unknown("zone:b", "zone:c", "udp/53"),
			row("a", "zone:a", "tcp/22"),
			row("cidr:203.0.113.0/24", "zone:a", "tcp/443"),
			{Src: "zone:b", Dst: "zone:a", Verdict: solver.Unreachable},
		},
	}
	p := zonePanel(t, in)
	want := []string{
		"a to b: tcp/443, tcp/1433; possibly udp/53; direct",
		"a to b: tcp/443, via appgw:x; tcp/443, via appgw:y; relayed",
		"b to c: udp/53; unknown",
		"cidr:203.0.113.0/24 to a: tcp/443; direct",
	}
	if diff := cmp.Diff(p.flows(), want); diff != "" {
		t.Errorf("lines (-got +want):\n%s", diff)
	}
	if got := p.labelled("a").Notes; !slices.Equal(got, []string{"within: tcp/22"}) {
		t.Errorf("notes of zone a: got %q, want its inner flow", got)
	}
	if got := p.labelled("d").Notes; !slices.Equal(got, []string{"no path in or out (proved)"}) {
		t.Errorf("notes of zone d: got %q, want that nothing enters or leaves", got)
	}
}

// Controls stand in the zone of their subnet, once, and those of no zone in a box that says so.
func TestControls(t *testing.T) {
	in := shop()
	in.Controls = append(in.Controls, MemberInfo{Ref: "firewall:fw-lab", VNet: "vnet-lab", Subnet: "AzureFirewallSubnet"})
	p := zonePanel(t, in)
	home := func(ref string) (out []string) {
		for _, n := range p.Nodes {
			if n.Ref != ref {
				continue
			}
			g := p.group(n.Group)
			for g.Parent != "" {
				g = p.group(g.Parent)
			}
			out = append(out, g.Label)
		}
		return out
	}
	for ref, want := range map[string]string{"firewall:fw-hub": "hub", "appgw:agw": "dmz", "firewall:fw-lab": "controls in no zone"} {
		if got := home(ref); !slices.Equal(got, []string{want}) {
			t.Errorf("%s stands in %q, want %q", ref, got, want)
		}
	}
}

// A workload panel that is too large is drawn coarser, and loses no flow by it.
func TestWorkloadsMerge(t *testing.T) {
	in := Input{Zones: []ZoneInfo{{Name: "cde", Kind: "cde"}}, Rows: []solver.Row{}}
	for i := range MaxNodes + 1 {
		ns := "even"
		if i%2 == 1 {
			ns = "odd"
		}
		in.Zones[0].Members = append(in.Zones[0].Members, MemberInfo{Ref: "pod:" + ns + "/w" + strings.Repeat("x", i)})
	}
	for i := range MaxNodes / 2 { // each is told apart by a port of its own
		in.Members = append(in.Members, row("pod:even/w", "pod:odd/wx"+strings.Repeat("xx", i), fmt.Sprint("tcp/", 1000+i)))
	}
	in.Members = append(in.Members, row("pod:even/w", "pod:even/wxx", "tcp/8080"))
	d, err := Network(in)
	if err != nil {
		t.Fatal(err)
	}
	p := d.Panels[1]
	if diff := cmp.Diff(p.flows(), []string{"cde/even to cde/odd: tcp/1000-1039; direct"}); diff != "" {
		t.Errorf("lines between namespaces (-got +want):\n%s", diff)
	}
	if got, want := p.Nodes[0].Detail, "41 workloads; within: tcp/8080"; got != want {
		t.Errorf("box of the namespace: got %q, want %q", got, want)
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "too many workloads") {
		t.Errorf("notes: got %q, want one that says why workloads are merged", p.Notes)
	}
}

// A project that declares nothing gets sheets that say so.
func TestNothingToDraw(t *testing.T) {
	files := outputs(t, Input{Project: "new"})
	for file, want := range map[string]string{
		"network.svg": "No zones are declared", "network.json": "No zones are declared",
		"dataflow.svg": "No data flows and no stores of cardholder data are declared", "dataflow.json": "No data flows and no stores of cardholder data are declared",
	} {
		if !strings.Contains(string(files[file]), want) {
			t.Errorf("%s does not say `%s`", file, want)
		}
	}
}

// Rows name zones; two of one name could not be told apart.
func TestZoneTwice(t *testing.T) {
	in := Input{Zones: []ZoneInfo{{Name: "cde", Kind: "cde"}, {Name: "dmz", Kind: "dmz"}, {Name: "cde", Kind: "data"}}}
	for name, draw := range map[string]func(Input) (*Diagram, error){"network": Network, "dataflow": DataFlow} {
		if _, err := draw(in); err == nil || !strings.Contains(err.Error(), "two zones `cde`") {
			t.Errorf("%s: got %v, want an error that names the zone", name, err)
		}
	}
}

// The verdict of a leg decides its line; a store that no flow enters is drawn too; numbers follow the way of the data.
func TestDataFlow(t *testing.T) {
	in := shop()
	in.Stores = append(in.Stores, StoreInfo{Ref: "service:kv-cards", Data: []string{"keys"}})
	in.Flows = append(in.Flows, FlowInfo{Name: "no legs yet"})
	d, err := DataFlow(in)
	if err != nil {
		t.Fatal(err)
	}
	p := d.Panels[0]
	want := []string{
		"internet to dmz/agw: card capture; PAN, expiry, CVV; tcp/443; in transit: TLS 1.2, end to end (declared); possible",
		"dmz/agw to cde/payments/web: card capture; PAN, expiry, CVV; tcp/8443, via pod:ingress-nginx/controller; in transit: TLS 1.2, end to end (declared); possible",
		"cde/payments/web to cde/payments/api: card capture; PAN, expiry, CVV; tcp/8443; in transit: TLS 1.2, end to end (declared); possible",
		"on-prem to data/stcards: reconciliation: denied by nsg-pe/DenyAllIn; truncated PAN; tcp/443; in transit: TLS 1.2 (declared); impossible",
		"cde/payments/api to internet, named hosts/api.psp.example: authorisation; PAN, expiry, CVV; tcp/443, via firewall:fw-hub; in transit: TLS 1.3 (declared); possible",
		"cde/payments/api to data/sql-cards: card storage; PAN, expiry; tcp/1433; in transit: TLS 1.2 (declared); possible",
		"cde/payments/api to data/stcards: settlement files: the firewall of stcards is not in the input; truncated PAN; tcp/443; in transit: TLS 1.2 (declared); unknown",
	}
	if diff := cmp.Diff(p.flows(), want); diff != "" {
		t.Errorf("legs (-got +want):\n%s", diff)
	}
	if !slices.ContainsFunc(p.Nodes, func(n Node) bool {
		return n.Ref == "service:kv-cards" && n.Kind == "store" && n.Detail == "keys; at rest: not stated"
	}) {
		t.Errorf("boxes: got %v, want the store that no flow enters", p.Nodes)
	}
	if !strings.Contains(p.Notes[0], "no legs yet") {
		t.Errorf("notes: got %q, want one for the flow without legs", p.Notes)
	}
}

// The title block leads with the number of the standard that the project chose, and always has both.
func TestTitleBlock(t *testing.T) {
	in := shop()
	for standard, want := range map[string]string{
		"pci-dss-4.0.1": "PCI DSS v4.0.1, requirement 1.2.3 (v3.2.1: 1.1.2)",
		"pci-dss-3.2.1": "PCI DSS v3.2.1, requirement 1.1.2 (v4.0.1: 1.2.3)",
	} {
		in.Standard = standard
		d, err := Network(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Standard + ", requirement " + d.Requirement; got != want {
			t.Errorf("%s: got %q, want %q", standard, got, want)
		}
	}
}
