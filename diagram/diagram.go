package diagram

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
)

// Kind says what a diagram shows.
type Kind string

const (
	NetworkDiagram  Kind = "network"
	DataFlowDiagram Kind = "dataflow"
)

// Level is how finely a network diagram is drawn.
type Level string

const (
	EveryLevel    Level = "" // a panel of zones and a panel of workloads
	ZoneLevel     Level = "zone"
	SubnetLevel   Level = "subnet"
	WorkloadLevel Level = "workload"
)

// Levels lists the levels in the order in which messages name them.
func Levels() []Level { return []Level{ZoneLevel, SubnetLevel, WorkloadLevel} }

// Diagram is a sheet as data: what stands on it, without positions.
type Diagram struct {
	Schema      string  `json:"schema"` // ringfence/diagram/v1
	Kind        Kind    `json:"kind"`
	Level       Level   `json:"level"`
	Title       string  `json:"title"`
	Project     string  `json:"project"`
	Owner       string  `json:"owner"`       // of the cardholder data environment
	Standard    string  `json:"standard"`    // PCI DSS v4.0.1
	Requirement string  `json:"requirement"` // what the sheet answers to, leading number first
	About       string  `json:"about"`       // what it shows, and whether what it does not show was proved absent
	Stamp       Stamp   `json:"stamp"`
	Panels      []Panel `json:"panels"`
}

// Stamp is what changes although the picture does not. Check leaves it out.
type Stamp struct {
	AsOf string `json:"asOf"`
	Hash string `json:"inputs"`
	Tool string `json:"tool"`
}

// Panel is one picture of a sheet. Its lines join groups (then groups are boxes with their members inside) or nodes.
type Panel struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Groups  []Group  `json:"groups"`
	Nodes   []Node   `json:"nodes"`
	Edges   []Edge   `json:"edges"`
	Notes   []string `json:"notes"`
	Faults  []string `json:"faults"`  // of data flows: what is impossible, undeclared or not protected
	Picture bool     `json:"picture"` // false: too large to draw, and listed only

	placed *placed         // kept from the first drawing: the whole document and the panel's own sheet are laid out alike
	taken  map[string]bool // IDs in use
	boxes  bool            // lines join groups

	compared bool   // one side of a comparison
	union    *Panel // of both sides, which gives the layout
}

// Group is a zone, a virtual network, a subnet or a namespace; a zone has no parent.
type Group struct {
	ID     string   `json:"id"`
	Parent string   `json:"parent"`
	Ref    string   `json:"ref"`
	Kind   string   `json:"kind"` // a kind of zone, or vnet, subnet, namespace
	Label  string   `json:"label"`
	Detail string   `json:"detail"` // owner of a zone, prefix of a subnet
	Badges []string `json:"badges"` // filters that stand at its border: `NSG nsg-pe: 6 in, 2 out`
	Notes  []string `json:"notes"`
}

// Node is an endpoint, a workload, a store or a control.
type Node struct {
	ID     string `json:"id"`
	Group  string `json:"group"`
	Ref    string `json:"ref"`
	Kind   string `json:"kind"`
	Label  string `json:"label"`
	Detail string `json:"detail"`

	Stands []string `json:"stands"` // what it stands for, where that is more than Ref
	Holds  []Item   `json:"holds"`  // what is drawn inside it: controls first
	Badges []string `json:"badges"` // filters that stand at its border
	Change Change   `json:"change"` // of a comparison
}

// Item is what stands inside a node.
type Item struct {
	Ref    string `json:"ref"`
	Kind   string `json:"kind"`
	Label  string `json:"label"`
	Detail string `json:"detail"`
}

// Line is how a flow is drawn.
type Line string

const (
	DirectLine  Line = "direct"
	RelayedLine Line = "relayed"
	UnknownLine Line = "unknown"
	NoPathLine  Line = "no path"    // proved
	BrokenLine  Line = "impossible" // declared, and proved impossible
	StrayLine   Line = "undeclared" // possible, and not declared
)

// Edge is the flows from one end to another that are drawn alike.
type Edge struct {
	ID     string `json:"id"`
	Number int    `json:"number"` // of the flow on the sheet; 0 where there is no flow
	From   string `json:"from"`   // ID of a group or a node
	To     string `json:"to"`
	Line   Line   `json:"line"`
	Drawn  bool   `json:"drawn"` // false: listed only, as there are too many lines
	Count  int    `json:"count"` // of a bundle: how many flows it stands for; they name it, and are not drawn themselves
	Bundle string `json:"bundle"`
	Scope  bool   `json:"scope"` // an end is in the cardholder data environment or a store of its data
	Ways   []Way  `json:"ways"`
	Text   string `json:"text"` // what else is said of it: the name of the flow, why it is not known
	// Filters are the network security groups that stand at the borders which the flows cross.
	Filters []string `json:"filters"`
	// Of a data flow.
	Data      []string `json:"data"`
	InTransit string   `json:"inTransit"`
	Clear     bool     `json:"clear"` // clear text, or nothing says how it is protected

	Change Change `json:"change"` // of a comparison; Ways of a changed flow are then those that the other side lacks
	other  *Edge  // of a comparison: the same line on the other side, whose text needs room too
}

// Way is one choice of relays and controls on an edge.
type Way struct {
	Services []string `json:"services"`
	Targets  []string `json:"targets"` // names and tags that it is narrowed to
	Via      []string `json:"via"`
	Unknown  bool     `json:"unknown"` // possible; the inputs do not decide it
}

func (in Input) sheet(kind Kind, title, old, current string) *Diagram {
	d := &Diagram{
		Schema: "ringfence/diagram/v1", Kind: kind, Title: title, Project: in.Project, Owner: in.owner(),
		Standard: "PCI DSS v4.0.1", Requirement: current + " (v3.2.1: " + old + ")",
		Stamp: Stamp{AsOf: in.AsOf, Hash: in.Hash, Tool: in.Tool},
	}
	if in.Standard == "pci-dss-3.2.1" {
		d.Standard, d.Requirement = "PCI DSS v3.2.1", old+" (v4.0.1: "+current+")"
	}
	return d
}

// owner is who owns the cardholder data environment: of its zones first, else of its data.
func (in Input) owner() string {
	for _, kind := range []string{"cde", "data"} {
		var owners []string
		for _, z := range sortedZones(in.Zones) {
			if z.Kind == kind && z.Owner != "" && !slices.Contains(owners, z.Owner) {
				owners = append(owners, z.Owner)
			}
		}
		if len(owners) > 0 {
			return strings.Join(owners, ", ")
		}
	}
	return "not stated"
}

// finish numbers the flows, and makes every name safe to show.
func (d *Diagram) finish() *Diagram {
	number := 0
	show := func(texts ...*string) {
		for _, t := range texts {
			*t = model.Visible(*t)
		}
	}
	list := func(l *[]string) {
		out := make([]string, len(*l))
		for i, t := range *l {
			out[i] = model.Visible(t)
		}
		*l = out
	}
	show(&d.Title, &d.Project, &d.Owner, &d.Standard, &d.Requirement, &d.About, &d.Stamp.AsOf, &d.Stamp.Hash, &d.Stamp.Tool)
	for i := range d.Panels {
		p := &d.Panels[i]
		p.Groups, p.Nodes, p.Edges = orEmpty(p.Groups), orEmpty(p.Nodes), orEmpty(p.Edges)
		list(&p.Notes)
		list(&p.Faults)
		for j := range p.Groups {
			g := &p.Groups[j]
			show(&g.Ref, &g.Kind, &g.Label, &g.Detail)
			list(&g.Notes)
			list(&g.Badges)
		}
		for j := range p.Nodes {
			n := &p.Nodes[j]
			show(&n.Ref, &n.Kind, &n.Label, &n.Detail)
			list(&n.Stands)
			list(&n.Badges)
			n.Holds = slices.Clone(orEmpty(n.Holds))
			for k := range n.Holds {
				h := &n.Holds[k]
				show(&h.Ref, &h.Kind, &h.Label, &h.Detail)
			}
		}
		for j := range p.Edges {
			e := &p.Edges[j]
			if e.Line != NoPathLine && e.Count == 0 {
				number++
				e.Number = number
			}
			show(&e.Text, &e.InTransit)
			list(&e.Data)
			list(&e.Filters)
			e.Ways = orEmpty(e.Ways)
			for k := range e.Ways {
				list(&e.Ways[k].Services)
				list(&e.Ways[k].Targets)
				list(&e.Ways[k].Via)
			}
		}
	}
	return d
}

// Sheets splits the diagram into one for each panel, for paper and for pages that show one picture at a time. Numbers stay.
func (d *Diagram) Sheets() []*Diagram {
	var out []*Diagram
	for i := range d.Panels {
		sheet := *d
		sheet.Panels = d.Panels[i : i+1]
		out = append(out, &sheet)
	}
	return out
}

// prefix begins the IDs of everything on the sheet. Sheets of one diagram differ in it, so that they may stand on one page.
func (d *Diagram) prefix() string {
	if len(d.Panels) == 1 {
		return string(d.Kind) + "-" + d.Panels[0].Name
	}
	return string(d.Kind)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// order of zone kinds: from the outside to the data.
func order(kind string) int {
	switch kind {
	case "internet":
		return 0
	case "partner":
		return 1
	case "on-prem":
		return 2
	case "wireless":
		return 3
	case "dmz":
		return 4
	case "management":
		return 5
	case "trusted":
		return 6
	case "cde":
		return 7
	case "out-of-scope":
		return 8
	case "data":
		return 9
	default:
		return 10
	}
}

// external reports whether a zone of the kind lies outside the estate.
func external(kind string) bool {
	return kind == "internet" || kind == "partner" || kind == "on-prem" || kind == "wireless" || kind == outsideKind
}

// outsideKind is the kind of an end that no zone declares: an address block of a row.
const outsideKind = "outside"

func sortedZones(zones []ZoneInfo) []ZoneInfo {
	out := slices.Clone(zones)
	slices.SortStableFunc(out, func(a, b ZoneInfo) int {
		return cmp.Or(cmp.Compare(order(a.Kind), order(b.Kind)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func sortedMembers(members []MemberInfo) []MemberInfo {
	out := slices.Clone(members)
	for i := range out {
		if out[i].Kind == "" {
			out[i].Kind = label.Kind(out[i].Ref)
		}
	}
	slices.SortStableFunc(out, func(a, b MemberInfo) int {
		return cmp.Or(cmp.Compare(a.VNet, b.VNet), cmp.Compare(a.Subnet, b.Subnet), cmp.Compare(tileOrder(a.Kind), tileOrder(b.Kind)), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Label, b.Label))
	})
	return slices.CompactFunc(out, func(a, b MemberInfo) bool { return a.Ref == b.Ref })
}

// tileOrder puts controls first in their box, then stores and services, then what runs.
func tileOrder(kind string) int {
	switch kind {
	case "firewall", "appgw", "bastion", "gateway", "frontdoor", "apim":
		return 0
	case "subnet":
		return 1
	case "service", "store":
		return 2
	case "endpoint":
		return 3
	default:
		return 4
	}
}
