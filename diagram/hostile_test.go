package diagram

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-graphviz"

	"github.com/ringfence/ringfence/solver"
)

// hostile are names that break out of a format which does not escape them.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`,
		`"]; end; "><g onload="x">`,
		"a\nb\r\nc",
		"\x1b[31mred\x1b[0m",
		"nsg\u202egpj.exe",
		`\"] -> {a b} \N \l \G`,
		"&lt;b&gt; &amp; ]]>",
		`%%{init: {"securityLevel": "loose"}}%%`,
		"`**bold**` #quot; |x| {y} (z)",
		`=cmd|' /C calc'!A0`,
		"end", "\x00\xff\ufffe", strings.Repeat("long", 500), "",
	}
}

// hostileInput puts one name into every field.
func hostileInput(name string) Input {
	other := name + "2"
	in := Input{
		Project: name, AsOf: name, Hash: name, Tool: name, Standard: name,
		Zones: []ZoneInfo{
			{Name: name, Kind: "cde", Owner: name, Members: []MemberInfo{
				{Ref: "pod:" + name + "/" + name, Label: name},
				{Ref: "nic:" + name, VNet: name, Subnet: name, Label: name},
				{Ref: "service:" + name, Kind: name, Label: name},
			}},
			{Name: other, Kind: name, Owner: name, Members: []MemberInfo{{Ref: name, Kind: name}}},
		},
		Controls: []MemberInfo{{Ref: "firewall:" + name, VNet: name, Subnet: name}, {Ref: name, VNet: other}},
		Stores:   []StoreInfo{{Ref: "service:" + name, Data: []string{name}, AtRest: name}},
	}
	r := relayed("zone:"+name, "zone:"+other, "tcp/443", name, "firewall:"+name)
	r.Packets[0].Names, r.Packets[0].Tags = []string{name}, []string{name}
	in.Rows = []solver.Row{r, {Src: name, Dst: other, Verdict: solver.Unknown, Packets: []solver.Packets{{Protocol: name, DPort: []string{name}}}}}
	in.Members = []solver.Row{
		{Src: "pod:" + name + "/" + name, Dst: "service:" + name, Verdict: solver.Reachable, Via: []string{name}, Packets: r.Packets},
		{Src: name, Dst: "pod:" + name + "/" + name, Verdict: solver.Reachable, Packets: r.Packets},
	}
	in.Flows = []FlowInfo{{Name: name, Data: []string{name}, InTransit: name, AtRest: name, Legs: []LegInfo{
		{From: name, To: "service:" + name, Service: name, Via: []string{name}, Reason: name},
		{From: "zone:" + name, To: "fqdn:" + name, Service: name, Verdict: solver.Reachable},
	}}}
	return in
}

// TestHostileNames draws estates whose every name is an attack, in every format.
func TestHostileNames(t *testing.T) {
	for _, name := range hostile() {
		files := outputs(t, hostileInput(name))
		for file, data := range files {
			for _, r := range string(data) {
				if r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' {
					t.Errorf("%s of %.30q holds the raw character %q", file, name, r)
				}
			}
			switch {
			case strings.HasSuffix(file, ".svg"):
				checkSVG(t, name, data)
			case strings.HasSuffix(file, ".dot"):
				checkDOT(t, name, data)
			case strings.HasSuffix(file, ".drawio"):
				checkDrawIO(t, name, data)
			case strings.HasSuffix(file, ".mmd"):
				checkMermaid(t, name, data)
			default:
				if !json.Valid(data) {
					t.Errorf("%s of %.30q is no JSON", file, name)
				}
			}
		}
	}
}

// checkSVG allows the elements and attributes that the writer makes, and nothing else.
func checkSVG(t *testing.T, name string, data []byte) {
	elements := []string{"svg", "title", "desc", "style", "g", "rect", "path", "text"}
	attributes := []string{"xmlns", "class", "id", "viewBox", "width", "height", "role", "aria-labelledby", "aria-describedby", "aria-label", "data-ref", "x", "y", "rx", "d", "font-size", "text-anchor", "textLength", "lengthAdjust", "data-from", "data-to"}
	dec := xml.NewDecoder(bytes.NewReader(data))
	ids := map[string]bool{}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("SVG of %.30q is no XML: %v", name, err)
			return
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(elements, start.Name.Local) {
			t.Errorf("SVG of %.30q has an element <%s>", name, start.Name.Local)
		}
		for _, a := range start.Attr {
			if !slices.Contains(attributes, a.Name.Local) {
				t.Errorf("SVG of %.30q has an attribute %s", name, a.Name.Local)
			}
			if a.Name.Local == "id" && ids[a.Value] {
				t.Errorf("SVG of %.30q has the id %s twice", name, a.Value)
			} else if a.Name.Local == "id" {
				ids[a.Value] = true
			}
			if (a.Name.Local == "id" || a.Name.Local == "class") && !regexp.MustCompile(`^[a-z0-9 -]+$`).MatchString(a.Value) {
				t.Errorf("SVG of %.30q has the %s %q: it must not come from a name", name, a.Name.Local, a.Value)
			}
		}
	}
}

// checkDOT reads the text with Graphviz: it must parse, and hold no node that the writer did not name.
func checkDOT(t *testing.T, name string, data []byte) {
	engine.Lock()
	defer engine.Unlock()
	graphviz.SetFileSystem(noFiles{})
	g, err := graphviz.ParseBytes(data)
	if err != nil {
		t.Errorf("DOT of %.30q: %v\n%s", name, err, data)
		return
	}
	defer func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}()
	for n, err := g.FirstNode(); n != nil && err == nil; n, err = g.NextNode(n) {
		id, err := n.Name()
		if err != nil || !regexp.MustCompile(`^(zones|workloads|flows|zonesbefore|zonesafter)_[a-z0-9]+$`).MatchString(id) {
			t.Errorf("DOT of %.30q has a node %q (%v)", name, id, err)
		}
	}
}

// checkDrawIO reads the file as its own program does: only the cells that the writer made, each with an ID of its own and labels that are
// plain text.
func checkDrawIO(t *testing.T, name string, data []byte) {
	keep, err := ReadPositions(data)
	if err != nil {
		t.Errorf("draw.io file of %.30q: %v", name, err)
		return
	}
	if len(keep.added) > 0 {
		t.Errorf("draw.io file of %.30q holds cells that nobody made: %v", name, keep.added)
	}
	dec := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := dec.Token()
		if err != nil {
			return
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains([]string{"mxfile", "diagram", "mxGraphModel", "root", "mxCell", "mxGeometry"}, start.Name.Local) {
			t.Errorf("draw.io file of %.30q has an element <%s>", name, start.Name.Local)
		}
		for _, a := range start.Attr {
			switch {
			case a.Name.Local == "style" && (!strings.Contains(a.Value, "html=0") || !regexp.MustCompile(`^[A-Za-z0-9=;#. -]+$`).MatchString(a.Value)):
				t.Errorf("draw.io file of %.30q has the style %q: it must not come from a name, and labels must be plain", name, a.Value)
			case a.Name.Local == "id" && start.Name.Local == "mxCell" && !regexp.MustCompile(`^([01]|rf-[a-z]+-[a-z0-9]+)$`).MatchString(a.Value):
				t.Errorf("draw.io file of %.30q has the id %q", name, a.Value)
			}
		}
	}
}

// checkMermaid allows the lines that the writer makes; what is quoted holds letters, digits, a few signs and numbered characters.
func checkMermaid(t *testing.T, name string, data []byte) {
	text := `[\pL\pN .,:/_-]|#\d+;|<br>`
	quoted := `"(?:` + text + `)*"`
	id := `[a-z]+(?:_[a-z0-9]+)?`
	line := regexp.MustCompile(`^(?:%% (?:` + text + `)*|flowchart LR|accTitle: [A-Za-z, -]+|direction LR|end|` +
		`subgraph ` + id + `\[` + quoted + `\]|` + id + `\[\(?` + quoted + `\)?\]|` +
		id + ` (?:-->|-\.->|--x)\|` + quoted + `\| ` + id + `|` +
		`class(?:Def)? [a-z_0-9]+ [a-zA-Z0-9:#, .-]+|linkStyle \d+ (?:stroke-dasharray:\d+ \d+)?,?(?:stroke:#a4123f)?|)$`)
	for l := range strings.Lines(string(data)) {
		if l = strings.TrimSuffix(l, "\n"); !line.MatchString(l) {
			t.Errorf("Mermaid of %.30q has the line %q", name, l)
		}
	}
}

// A name that another format would take for markup reads as itself in the picture.
func TestNamesStayReadable(t *testing.T) {
	const name = `R&D "lab" <1> \n`
	d, err := Network(Input{Project: name, Zones: []ZoneInfo{{Name: name, Kind: "cde"}}, Rows: []solver.Row{}})
	if err != nil {
		t.Fatal(err)
	}
	svg, err := d.SVG()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := dec.Token()
		if err != nil {
			break
		}
		if c, ok := token.(xml.CharData); ok {
			texts = append(texts, string(c))
		}
	}
	if !slices.Contains(texts, name) {
		t.Errorf("texts of the SVG: got %q, want the name of the zone", texts)
	}
	if want := `label="R&amp;D \"lab\" <1> \\n (CDE)\nno members: nothing was proved"`; !strings.Contains(string(d.DOT()), want) {
		t.Errorf("DOT: got\n%s\nwant %s", d.DOT(), want)
	}
	if want := `R#38;D #34;lab#34; #60;1#62; #92;n #40;CDE#41;`; !strings.Contains(string(d.Mermaid()), want) {
		t.Errorf("Mermaid: got\n%s\nwant %s", d.Mermaid(), want)
	}
}
