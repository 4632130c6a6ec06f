package diagram

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/solver"
)

// oddities are estates that people do have, or write by mistake. Each draws sensibly: the pictures beside the golden files were looked at.
func oddities() map[string]Input {
	arabic, long := "شبكة الدفع", strings.Repeat("a-very-long-name-", 18)[:300]
	names := Input{
		Project: `R&D <b>"pay"</b>` + "\nsecond line", AsOf: "2026-11-01", Tool: "ringfence 0.1.0", Hash: strings.Repeat("ab", 32),
		Zones: []ZoneInfo{
			{Name: `<script>alert("x")</script>`, Kind: "dmz", Owner: `O'Neil & "Sons"`, Members: []MemberInfo{{Ref: "subnet:v/" + long, VNet: "v", Subnet: long, Label: "10.0.0.0/24"}}},
			{Name: arabic, Kind: "cde", Owner: "فريق", Members: []MemberInfo{{Ref: "pod:" + arabic + "/דלפק"}, {Ref: "pod:東京/支払い"}}},
			{Name: "two\nlines", Kind: "trusted", Members: []MemberInfo{{Ref: "nic:" + long}}},
			{Name: long, Kind: "data", Members: []MemberInfo{{Ref: "service:" + long}}},
		},
		Stores: []StoreInfo{{Ref: "service:" + long, Data: []string{long, `"PAN" <b>`}, AtRest: arabic}},
		Flows: []FlowInfo{{Name: long, Data: []string{`<i>PAN</i>`, arabic}, InTransit: "TLS\n1.2 " + long, Legs: []LegInfo{
			{From: "pod:" + arabic + "/דלפק", To: "service:" + long, Service: "tcp/443", Verdict: solver.Reachable, Via: []string{"firewall:" + long}},
		}}},
	}
	names.Rows = []solver.Row{
		row("zone:"+names.Zones[0].Name, "zone:"+arabic, "tcp/443"), relayed("zone:"+arabic, "zone:"+long, "tcp/1433", "firewall:"+long),
		narrowed(row("zone:two\nlines", "internet", "tcp/443"), []string{long + ".example"}),
	}
	names.Members = []solver.Row{row("pod:東京/支払い", "service:"+long, "tcp/1433")}
	base := func(in Input) Input {
		in.Project, in.AsOf, in.Tool, in.Hash = "odd", "2026-11-01", "ringfence 0.1.0", strings.Repeat("ab", 32)
		return in
	}
	return map[string]Input{
		"names":   names,
		"nozones": base(Input{Rows: []solver.Row{}, Members: []solver.Row{}, Declared: []DeclaredInfo{}}),
		"empty": base(Input{
			Zones: []ZoneInfo{{Name: "cde", Kind: "cde", Owner: "Payments"}, {Name: "wlan", Kind: "wireless"}}, Rows: []solver.Row{}, Members: []solver.Row{},
		}),
		"lonelystore": base(Input{
			Zones:  []ZoneInfo{{Name: "data", Kind: "data", Members: []MemberInfo{{Ref: "service:sql-cards", Label: "SQL server"}}}},
			Stores: []StoreInfo{{Ref: "service:sql-cards", Data: []string{"PAN"}, AtRest: "TDE"}}, Rows: []solver.Row{}, Members: []solver.Row{}, Declared: []DeclaredInfo{},
		}),
		"onenode": base(Input{
			Zones: []ZoneInfo{{Name: "cde", Kind: "cde", Members: []MemberInfo{{Ref: "pod:pay/api"}}}}, Rows: []solver.Row{}, Members: []solver.Row{},
		}),
	}
}

// TestOddities holds the sheets of odd estates, at every level, against golden files: SVG, and for some the picture that was looked at.
func TestOddities(t *testing.T) {
	for name, in := range oddities() {
		sheets := map[string]*Diagram{}
		for _, level := range append(Levels(), EveryLevel) {
			view := in
			view.View.Level = level
			d, err := Network(view)
			if err != nil {
				t.Fatalf("%s, level %s: %v", name, level, err)
			}
			sheets["network"+string(level)] = d
		}
		d, err := DataFlow(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sheets["dataflow"] = d
		for sheet, d := range sheets {
			svg, err := d.SVG()
			if err != nil {
				t.Fatalf("%s, %s: %v", name, sheet, err)
			}
			checkSVG(t, name, svg)
			checkInside(t, name+", "+sheet, d)
			if sheet == "network" || sheet == "dataflow" {
				golden(t, filepath.Join("odd", name+"-"+sheet+".svg"), svg)
			}
			if _, err = d.PDF(); err != nil {
				t.Errorf("%s, %s as PDF: %v", name, sheet, err)
			}
		}
	}
	for _, name := range []string{"names-network", "lonelystore-dataflow"} {
		odd, sheet, _ := strings.Cut(name, "-")
		in := oddities()[odd]
		draw := Network
		if sheet == "dataflow" {
			draw = DataFlow
		}
		d, err := draw(in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.PNG()
		if err != nil {
			t.Fatal(err)
		}
		samePicture(t, filepath.Join("odd", name+".png"), got)
	}
}

// checkInside finds text and boxes that stand outside the sheet.
func checkInside(t *testing.T, name string, d *Diagram) {
	t.Helper()
	m, err := newMetrics()
	if err != nil {
		t.Fatal(err)
	}
	s, err := compose(d, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range s.items {
		switch x := x.(type) {
		case textItem:
			if left := x.left(m); left < 0 || left+m.width(x.text, x.face) > s.w+1 || x.at.y > s.h {
				t.Errorf("%s: `%.40s` stands outside the sheet", name, x.text)
			}
		case rectItem:
			if x.x < -1 || x.y < -1 || x.x+x.w > s.w+1 || x.y+x.h > s.h+1 {
				t.Errorf("%s: a box of class %s stands outside the sheet", name, x.class)
			}
		case openItem, closeItem, pathItem:
		}
	}
}

// samePicture compares pixels, as compressors differ from one version of Go to the next.
func samePicture(t *testing.T, name string, got []byte) {
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
	if description(got) != description(want) {
		t.Errorf("%s says something else; look at the new picture, then run go test ./diagram -update:\n%s", path, Check(got, want))
	}
	a, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	b, err := png.Decode(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if a.Bounds() != b.Bounds() {
		t.Fatalf("%s: the picture is %v, was %v", path, a.Bounds(), b.Bounds())
	}
	differ := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			ar, ag, ab, _ := a.At(x, y).RGBA()
			br, bg, bb, _ := b.At(x, y).RGBA()
			if ar != br || ag != bg || ab != bb {
				differ++
			}
		}
	}
	if differ > 0 {
		t.Errorf("%s: %d pixels differ; look at the new picture, then run go test ./diagram -update", path, differ)
	}
}

// Characters that the built-in font lacks are boxes in pictures, and stand in the SVG as they are.
func TestOtherScripts(t *testing.T) {
	d, err := Network(oddities()["names"])
	if err != nil {
		t.Fatal(err)
	}
	svg, err := d.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(svg, []byte("شبكة الدفع")) || !bytes.Contains(svg, []byte("支払い")) {
		t.Error("the SVG lacks a name")
	}
	m, err := newMetrics()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"支払い": "□□□", "Köln Łódź Афины": "Köln Łódź Афины"} {
		if got := m.printable(text); got != want {
			t.Errorf("printed %q as %q, want %q", text, got, want)
		}
	}
}

// One subnet more changes what it must: its own lines in the formats that others lay out, no box that is kept where it stands, and the order
// of the zones in the picture.
func TestOneSubnetMore(t *testing.T) {
	more := shop()
	for i := range more.Zones {
		if more.Zones[i].Name == "oos" {
			more.Zones[i].Members = append(more.Zones[i].Members, MemberInfo{Ref: "subnet:vnet-spoke/snet-new", VNet: "vnet-spoke", Subnet: "snet-new", Label: "10.240.77.0/24"})
		}
	}
	more.Members = append(more.Members, row("subnet:vnet-spoke/snet-new", "subnet:vnet-hub/AzureFirewallSubnet", "udp/53"))
	draw := func(in Input, level Level) *Diagram {
		in.View.Level = level
		d, err := Network(in)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, test := range []struct {
		level             Level
		dot, mermaid, out int // lines that differ
	}{
		{ZoneLevel, 4, 3, 1},   // the frame of the subnet, in four lines of text
		{SubnetLevel, 2, 2, 1}, // its box and its flow
		{WorkloadLevel, 0, 0, 0},
	} {
		before, after := draw(shop(), test.level), draw(more, test.level)
		for format, lines := range map[string]struct {
			was, is []byte
			most    int
		}{"DOT": {before.DOT(), after.DOT(), test.dot}, "Mermaid": {before.Mermaid(), after.Mermaid(), test.mermaid}} {
			changes := difference(content(lines.was), content(lines.is))
			if len(changes) > lines.most || slices.ContainsFunc(changes, func(c change) bool { return c.sign == '-' }) {
				t.Errorf("level %s, %s: %v; want at most %d lines more, and none gone", test.level, format, changes, lines.most)
			}
		}
		was, err := before.DrawIO(nil)
		if err != nil {
			t.Fatal(err)
		}
		keep, err := ReadPositions(was)
		if err != nil {
			t.Fatal(err)
		}
		is, err := after.DrawIO(keep)
		if err != nil {
			t.Fatal(err)
		}
		moved, err := ReadPositions(is)
		if err != nil {
			t.Fatal(err)
		}
		for id, at := range keep.boxes {
			if now := moved.boxes[id]; now.x != at.x || now.y != at.y {
				t.Errorf("level %s: the box %s moved from %v to %v", test.level, id, at, now)
			}
		}
		if got := len(moved.boxes) - len(keep.boxes); got != test.out {
			t.Errorf("level %s: %d boxes more in the draw.io file, want %d", test.level, got, test.out)
		}
		if test.level == ZoneLevel {
			if _, err := before.SVG(); err != nil {
				t.Fatal(err)
			}
			if _, err := after.SVG(); err != nil {
				t.Fatal(err)
			}
			if a, b := standing(&before.Panels[0]), standing(&after.Panels[0]); !slices.Equal(a, b) {
				t.Errorf("the zones stand in another order: %q, before %q", b, a)
			}
		}
	}
}

// standing lists the zones of a picture column by column, from top to bottom.
func standing(p *Panel) []string {
	var ids []string
	for _, g := range p.Groups {
		if g.Parent == "" {
			ids = append(ids, g.ID)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		x, y := p.placed.boxes[a], p.placed.boxes[b]
		if cx, cy := column(p.group(a).Kind), column(p.group(b).Kind); cx != cy {
			return cx - cy
		}
		return int(x.y - y.y)
	})
	for i, id := range ids {
		ids[i] = p.group(id).Label
	}
	return ids
}
