package dataplane

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Bound is one of the three sets of AZ-GEN-09.
type Bound uint8

const (
	Over    Bound = iota // may be delivered
	OneWay               // delivered for certain, replies left aside
	Session              // delivered for certain, and its reply returns
)

func (b Bound) String() string { return [...]string{"over", "one-way", "session"}[b] }

// Stage is the point of a packet's course that a node stands for. A packet passes stages in this order, and starts again at
// StageRoute behind every forwarder.
type Stage uint8

const (
	StageSend     Stage = iota // as the sender makes it, before any control
	StageRoute                 // behind the sender's outbound filters: its effective routes decide
	StageGateway               // at a VPN or ExpressRoute gateway, on the way out of Azure
	StageFirewall              // at a firewall, before its rules
	StageForward               // leaving a firewall or another forwarder
	StageEgress                // leaving to the internet, before source translation
	StagePublic                // on public addresses
	StageFrontend              // at a load balancer frontend
	StageFabric                // inside a VNet, on the way to the owner of the destination
	StageInbound               // at the receiver, before its inbound filters
	StageNode                  // at a Kubernetes node, behind its filters: kube-proxy decides
	StagePod                   // inside a cluster, before the pod's ingress policy
	StageReceive               // delivered
)

// NodeID indexes Graph.Nodes.
type NodeID int32

// Node is a point of the forwarding graph: a place, a stage, and the forwarder that the packet passed last, because the way back
// depends on it (AZ-RT-29).
type Node struct {
	Place model.Place
	Stage Stage
	Via   string // key of the last forwarder; empty for packets straight from their sender
}

func (n Node) compare(m Node) int {
	return cmp.Or(cmp.Compare(n.Stage, m.Stage), n.Place.Compare(m.Place), cmp.Compare(n.Via, m.Via))
}

// rewrite is an edge's address change, in terms of registered address sets.
type rewrite struct {
	dst, src       *packet.AddrSet
	dports, sports []model.PortRange
}

// edge leads from one node to another.
type edge struct {
	from, to NodeID
	guard    guard
	rewrite  *rewrite
	notes    []string // assumptions that the edge rests on

	hypothetical bool // exists in other worlds alone (Hypothesis)
}

// Site is where packets start and end: a place with its addresses.
type Site struct {
	Place    model.Place
	Prefixes []netip.Prefix // its addresses; symbols among them
	Send     NodeID         // -1 where nothing starts
	Receive  NodeID         // -1 where nothing ends
	Subnet   model.ID       // the subnet it lies in, if any
	Members  []Member       // the NICs that make up a class; the site\'s other addresses are held by nobody yet
	Outer    []natPair      // how the estate knows the addresses of a far side behind a translation (AZ-GW-12)
	isRelay  bool
	Channel  string // of a relay: the listener or configuration that this site stands for

	subnetKey, vnetKey, idKey string // the keys of Subnet, of its virtual network and of the place's resource, which selectors compare with each site
}

// InSubnet reports whether the site lies in the subnet of a key.
func (s *Site) InSubnet(key string) bool { return s.subnetKey == key && key != "" }

// InVNet reports whether the site lies in a subnet of the virtual network of a key.
func (s *Site) InVNet(key string) bool { return s.vnetKey == key && key != "" }

// Of reports whether the site's place is one of the resource of a key.
func (s *Site) Of(kind model.PlaceKind, key string) bool {
	return s.Place.Kind == kind && s.idKey == key
}

// Member is one NIC of a class.
type Member struct {
	Place model.Place
	Addr  netip.Addr
}

// PlaceOf is the place of one address of a site: the NIC that holds it, else the site's own.
func (s *Site) PlaceOf(a netip.Addr) model.Place {
	for _, m := range s.Members {
		if m.Addr == a {
			return m.Place
		}
	}
	return s.Place
}

// Origin is one class of senders: a site, or the part of it that a question tells apart. Its index is the packet's origin field.
type Origin struct {
	Site     *Site
	Prefixes []netip.Prefix
	addrs    packet.AddrSet
}

// Relay ends one connection and starts another (AZ-REL-01, AZ-REL-02): what Accept receives may make From send, with addresses of the relay,
// which are all that filters behind it see (AZ-REL-04). A transparent proxy is none, but a rewrite.
type Relay struct {
	Accept *Site
	From   []*Site
}

// Graph is the forwarding graph of an estate. It is immutable after Build; floods over it share one packet space.
type Graph struct {
	Estate    *model.Estate
	Nodes     []Node
	Sites     []*Site
	Origins   []Origin
	Relays    []Relay
	Space     *packet.Space
	Universe  *packet.Universe
	Notes     []string // assumptions that every verdict carries
	compiler  *compiler
	edges     []edge  // sorted by from, then to
	first     []int32 // edges of node n are edges[first[n]:first[n+1]]
	byPlace   map[model.Place][]*Site
	base      packet.Set // what any sender can put on the wire (AZ-GEN-03, AZ-NAME-01)
	forwarder map[string]model.Place
	planner   *planner
	into      [][]int32             // edges into each node, built on demand
	facts     *packet.Set           // tagFacts, built on demand
	family    *packet.Set           // oneFamily, built on demand
	shortcuts map[NodeID]packet.Set // built on demand
}

// PlaceAt is the place that a packet to an address reaches at a receiving node: the NIC of a class that holds it, else the node's own.
func (g *Graph) PlaceAt(n NodeID, a netip.Addr) model.Place {
	for _, s := range g.byPlace[g.Nodes[n].Place.Key()] {
		if s.Receive == n {
			return s.PlaceOf(a)
		}
	}
	return g.Nodes[n].Place
}

// finish sorts nodes and edges and indexes them. Node IDs follow (stage, place, via), whatever the order of construction.
func (p *planner) finish(g *Graph) {
	order := make([]NodeID, len(p.nodes))
	for i := range order {
		order[i] = NodeID(i)
	}
	slices.SortFunc(order, func(a, b NodeID) int { return p.nodes[a].compare(p.nodes[b]) })
	renamed := make([]NodeID, len(order))
	g.Nodes = make([]Node, len(order))
	for i, old := range order {
		renamed[old] = NodeID(i)
		g.Nodes[i] = p.nodes[old]
	}
	rename := func(n *NodeID) {
		if *n >= 0 {
			*n = renamed[*n]
		}
	}
	for i := range p.edges {
		rename(&p.edges[i].from)
		rename(&p.edges[i].to)
	}
	for _, s := range p.sites {
		rename(&s.Send)
		rename(&s.Receive)
	}
	slices.SortStableFunc(p.edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	g.edges = p.edges
	g.first = make([]int32, len(g.Nodes)+1)
	for _, e := range g.edges {
		g.first[e.from+1]++
	}
	for i := 1; i < len(g.first); i++ {
		g.first[i] += g.first[i-1]
	}
}
