package propose

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
)

// Input is an entry of `inputs`.
type Input struct {
	Kind    string   // the key: azure, kubernetes, serviceTags, snapshot
	Paths   []string // relative to the file
	Cluster string   // of manifests; empty: there is one
}

// YAML prints the draft as ringfence.yaml of a project with a name and inputs.
func (d *Draft) YAML(name string, inputs []Input) []byte {
	w := &writer{}
	w.line(0, "# A first ringfence.yaml, made from what the inputs show. %s marks what people have to say: until then it counts as missing.", pci.Stub)
	w.line(0, "# Read the zones first: everything else follows from them. Fields: docs/intent.md; completion in editors: `ringfence schema intent`.")
	w.line(0, "ringfence: v1")
	w.line(0, "name: %s", quote(name))
	w.line(0, "standard: %s", d.Intent.Standard)
	w.inputs(inputs)
	w.zones(d)
	w.assertions(d)
	w.justifications(d.rules)
	w.rest(d)
	return w.b.Bytes()
}

// Inputs prints a file that names inputs and nothing else, as the first step of a draft reads them.
func Inputs(inputs []Input) []byte {
	w := &writer{}
	w.line(0, "ringfence: v1")
	w.inputs(inputs)
	return w.b.Bytes()
}

type writer struct{ b bytes.Buffer }

func (w *writer) line(indent int, format string, args ...any) {
	w.b.WriteString(strings.Repeat(" ", indent))
	fmt.Fprintf(&w.b, format+"\n", args...)
}

// quote writes a text as a YAML scalar. Every text of the input is quoted: a name may hold whatever its resource may be called.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case unicode.IsPrint(c):
			b.WriteRune(c)
		case c <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// comment makes a text fit behind `#`, on one line.
func comment(text string) string {
	const most = 300
	text = model.Visible(text)
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return text
}

func list(texts []string) string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = quote(t)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func texts(sels []model.Selector) []string {
	out := make([]string, len(sels))
	for i, s := range sels {
		out[i] = s.Text
	}
	return out
}

func (w *writer) inputs(inputs []Input) {
	w.line(0, "")
	w.line(0, "inputs:")
	for _, in := range inputs {
		if len(in.Paths) == 1 {
			w.line(2, "- %s: %s", in.Kind, quote(in.Paths[0]))
		} else {
			w.line(2, "- %s:", in.Kind)
			for _, p := range in.Paths {
				w.line(6, "- %s", quote(p))
			}
		}
		if in.Cluster != "" {
			w.line(4, "cluster: %s", quote(in.Cluster))
		}
	}
}

// aboutZone says what a zone is, and what its reader has to check.
func aboutZone(name string) string {
	switch name {
	case zoneDMZ:
		return "what takes requests from outside"
	case zoneCDE:
		return "card data, and all that nothing shows to be elsewhere: move what is out of scope into a zone of kind out-of-scope"
	case zoneData:
		return "what may hold card data: name the stores below"
	case zoneSystem:
		return "what the estate needs to run, and what serves every zone of it"
	case zoneMgmt:
		return "from where people administer; name the jump boxes below"
	case zoneHub:
		return "firewall, gateway and Bastion: no software of ours"
	default:
		return "what lies behind gateways: give wireless networks a zone of kind wireless, partners one of kind partner"
	}
}

func (w *writer) zones(d *Draft) {
	w.line(0, "")
	w.line(0, "zones:")
	for _, z := range d.Intent.Zones {
		w.line(2, "%s:", z.Name)
		w.line(4, "# %s", aboutZone(z.Name))
		w.line(4, "kind: %s", z.Kind)
		w.line(4, `owner: "" # %s`, pci.Stub)
		w.line(4, `roles: {approves: "", changes: ""} # %s`, pci.Stub)
		w.line(4, "members:")
		for _, m := range z.Members {
			w.line(6, "- %s # %s", quote(m.Text), comment(d.why[z.Name+" "+m.Text]))
		}
		if z.Behind != nil {
			w.line(4, "behind: %s", quote(z.Behind.Text))
		}
	}
	if len(d.Left) > 0 {
		w.line(2, "# Left out:")
		for _, l := range d.Left {
			w.line(2, "#   %s", comment(l))
		}
	}
}

func (w *writer) assertions(d *Draft) {
	w.line(0, "")
	w.line(0, "assertions: # proved for every packet, or refuted with one; what is refuted and wanted becomes an exception with an owner, a reason and a day")
	for _, a := range d.Intent.Assertions {
		w.line(2, "- id: %s", a.ID)
		w.line(4, "# %s", d.notes[a.ID])
		parts := []string{"from: " + list(texts(a.From)), "to: " + list(texts(a.To))}
		if len(a.Via) > 0 {
			parts = append(parts, "via: "+list(texts(a.Via)))
		}
		if len(a.Services) > 0 {
			var services []string
			for _, s := range a.Services {
				services = append(services, s.String())
			}
			parts = append(parts, "services: ["+strings.Join(services, ", ")+"]")
		}
		w.line(4, "%s: {%s}", a.Verb, strings.Join(parts, ", "))
		if a.DirectOnly {
			w.line(4, "kind: direct")
		}
		if a.Requirement != "" {
			w.line(4, "requirement: %s", a.Requirement)
		}
	}
}

func (w *writer) justifications(rules []pci.RuleRow) {
	w.line(0, "")
	if len(rules) == 0 {
		w.line(0, "# justifications: no rule carries a flow that needs a reason (1.1.6)")
		return
	}
	w.line(0, "justifications: # 1.1.6: every rule that carries a flow in scope; one entry may name several rules, and wildcards within a part")
	control := ""
	for _, r := range rules {
		if r.Control != control {
			control = r.Control
			w.line(2, "# %s", comment(control))
		}
		about := strings.Join(r.Flows, "; ")
		if r.Default {
			about += "; a default rule: a Deny before it serves better than a reason"
		}
		w.line(2, "- rules: [%s]", quote(r.Rule))
		w.line(4, "# %s", comment(strings.ToLower(r.Action)+" "+r.Protocol+" "+strings.Join(r.Ports, ",")+": "+about))
		w.line(4, `reason: %s`, quote(pci.Stub+": why is it needed?"))
		w.line(4, `owner: ""`)
		w.line(4, `approvedBy: ""`)
	}
}

// absent lists the statements of `none` that nothing in the estate contradicts, of those that many items ask for.
func (d *Draft) absent() []string {
	out := []string{"wireless"}
	if !d.clusters {
		out = append(out, "clusters")
	}
	if !d.has(zoneDMZ) {
		out = append(out, "ingress")
	}
	if !d.has(zoneOnPrem) {
		out = append(out, "onPrem")
	}
	return out
}

// rest prints what the checklist asks for beyond that and only people can state, as comments to be filled in.
func (w *writer) rest(d *Draft) {
	w.line(0, "")
	w.line(0, "# What else people state (docs/intent.md; `ringfence explain ITEM` says what an item wants):")
	var stores, jumps []string
	for _, z := range d.Intent.Zones {
		for _, m := range z.Members {
			switch {
			case z.Name == zoneData && m.Kind == model.SelService:
				stores = append(stores, m.Text)
			case z.Name == zoneMgmt:
				jumps = append(jumps, m.Text)
			}
		}
	}
	w.line(0, "#")
	w.line(0, "# stores: # 1.1.3, 1.3.6: where card data is kept")
	for _, s := range stores {
		w.line(0, "#   - {at: %s, data: [%s], atRest: %s}", comment(quote(s)), pci.Stub, pci.Stub)
	}
	if len(stores) == 0 {
		w.line(0, `#   - {at: "service:%s", data: [%s], atRest: %s}`, pci.Stub, pci.Stub, pci.Stub)
	}
	w.line(0, "# dataFlows: # 1.1.3: what card data moves")
	w.line(0, `#   - {name: %s, data: [%s], from: internet, path: ["%s"], service: tcp/443}`, pci.Stub, pci.Stub, pci.Stub)
	w.line(0, "# documents: # 1.1.2, 1.1.3, 1.1.5, 1.1.6: `ringfence documents` writes them, commit them")
	w.line(0, "#   {network: docs/network.svg, dataflow: docs/dataflow.svg, zones: docs/zones.md, rules: docs/rules.md, endpoints: docs/endpoints.md}")
	w.line(0, "# reviews: `ringfence review record` adds an entry (1.1.7)")
	w.line(0, "# none: # somebody's word that there is no such thing; a wireless network is a zone of kind wireless (1.1.2-b)")
	for _, what := range d.absent() {
		w.line(0, "#   %s: {by: %s, on: YYYY-MM-DD, reason: %s}", what, pci.Stub, pci.Stub)
	}
	w.line(0, "# attestations: # for what no file can show, such as 1.5-c")
	w.line(0, "#   - {item: 1.5-c, by: %s, on: YYYY-MM-DD, expires: YYYY-MM-DD, evidence: %s}", pci.Stub, strconv.Quote(pci.Stub))
	if len(jumps) > 0 {
		w.line(0, "# pci: # 1.2.1-r, 1.4-b, 1.4-c")
		w.line(0, "#   jumpBoxes: %s", comment(list(jumps)))
	}
}
