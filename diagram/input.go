package diagram

import (
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// Input is what diagrams are drawn from. References are selectors as people write them (docs/intent.md).
type Input struct {
	Project  string
	AsOf     string // the day on which the estate is judged
	Hash     string // of all inputs, in hex
	Tool     string // ringfence and its version
	Standard string // pci-dss-3.2.1 or pci-dss-4.0.1: whose number leads in the title block

	View View

	Zones    []ZoneInfo
	Subnets  []SubnetInfo // what is known of subnets, whichever zone they are in
	Controls []MemberInfo // firewalls, gateways and the like that are no member of a zone
	// Rows says which zone reaches which. Nil means that nobody computed it, and then the sheet claims no absence of a path; computed
	// rows without any flow are an empty list.
	Rows    []solver.Row
	Members []solver.Row // the same, member by member
	Flows   []FlowInfo
	// Declared lists what may reach a store. Nil means that nobody compared, and then the sheet does not speak of undeclared flows.
	Declared []DeclaredInfo
	Stores   []StoreInfo
}

// View chooses a part of a network diagram. The zero value is all of it, at every level.
type View struct {
	Level  Level
	Focus  []string // references of members, or `zone:NAME`: only flows from and to them are shown; nil is all
	Name   string   // of the focus, as asked for
	Denied bool     // draw where there is no path too, from and to the CDE and its data (or the focus)
}

// SubnetInfo is what stands at the border of a subnet.
type SubnetInfo struct {
	VNet, Subnet string
	Prefix       string
	NSG          string // name; empty: none attached
	In, Out      int    // its rules, without the default ones
	Endpoints    bool   // the NSG filters private endpoints too (AZ-PE-03)
	RouteTable   string
}

// ZoneInfo is one zone and what belongs to it.
type ZoneInfo struct {
	Name    string // as in `zone:NAME`
	Kind    string // dmz, cde, data, trusted, management, wireless, on-prem, partner, out-of-scope, internet
	Owner   string
	Members []MemberInfo
}

// MemberInfo is one endpoint or control.
type MemberInfo struct {
	Ref    string // subnet:vnet-spoke/snet-pe, pod:payments/api
	Kind   string // the word before the colon of Ref where it is empty
	VNet   string // name of the virtual network that holds it; empty for what is in none
	Subnet string // name of its subnet
	Label  string // shown beside the name: an address, a prefix

	Badges  []string // what stands at it: a WAF and its mode, an NSG of a NIC
	Filters []string // names of NSGs that every packet from and to it passes
}

// FlowInfo is one declared flow of cardholder data.
type FlowInfo struct {
	Name      string
	Data      []string
	InTransit string
	AtRest    string
	Legs      []LegInfo
}

// LegInfo is one step of a declared flow, with what was found of it.
type LegInfo struct {
	From, To string
	Service  string
	Verdict  solver.Verdict
	Via      []string
	Reason   string // why it is impossible or not known

	Read, ReadFrom string // the protection in transit that a resource states, and which one; it counts before the declared one
	Weak           string // why that is a fault, such as clear text
}

// StoreInfo is a store of cardholder data.
type StoreInfo struct {
	Ref    string
	Data   []string
	AtRest string

	Read, ReadFrom string   // the protection at rest that a resource states, and which one
	Weak           string   // why that is a fault
	Doors          []string // references of its private endpoints
}

// DeclaredInfo is a flow that somebody declared, whatever for: of cardholder data, by an assertion, or by a justification.
type DeclaredInfo struct {
	From, To []string // references of members, or `zone:NAME`
	Services []model.PortService
}

// The ends of a picture that can be read. The layout engine never gets more boxes and lines; what is not drawn stands in the table of
// its panel.
const (
	MaxNodes  = 80     // boxes of one panel
	MaxEdges  = 50     // lines of one panel
	MaxListed = 600    // flows in the table of one panel
	MaxFlows  = 20_000 // flows of one panel, in the JSON and in words
	MaxTiles  = 16     // members shown in one box
)
