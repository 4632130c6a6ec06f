package dataplane

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Options adjust how an estate is read.
type Options struct {
	Strict    bool               // AZ-GEN-10: every assumption is open
	Explain   bool               // add what a changed setting would add: peerings, approvals (Hypothesis)
	Peerable  map[string]bool    // keys of the VNets whose missing peerings are among the settings
	Tags      *model.ServiceTags // published prefixes; nil: tags are symbolic (AZ-TAG-09)
	Intent    *model.Intent      // jump boxes and other roles; may be nil
	Questions []netip.Prefix     // address blocks that questions tell apart
	Names     []string           // names that questions ask about
	TagNames  []string           // service and FQDN tags that questions ask about
	Limits    packet.Limits

	// Subnets, where not nil, holds the keys of the subnets that questions ask about: plain machines of other subnets, which pass nothing
	// on, are left out. What they could send or receive is nobody's question.
	Subnets map[string]bool
}

// planner collects nodes, edges and address sets; nothing of it uses packet sets before the universe is frozen.
type planner struct {
	e       *model.Estate
	o       Options
	b       *packet.Builder
	addr    *addressPlan
	symbols *model.Symbols
	nodes   []Node
	index   map[Node]NodeID
	edges   []edge
	sites   []*Site
	relays  []Relay
	notes   map[string]bool

	links        map[*model.VNet][]peerLink
	bearing      map[string]bool // subnets, by key; see bears
	gateways     map[*model.VNet][]gatewayUse
	observed     map[string][]model.ID // of a Rulebook or Routebook; see observedNICs
	contexts     map[string]*subnetContext
	contextAt    map[[2]model.ID]*subnetContext // the same by subnet and NIC; nil where contexts are replaced
	lists        map[string]*filterList
	open         map[string][]*openList // by the NSG's key, the lists that a second estate may have otherwise; nil of a plan for one
	second       map[string]*model.NSG  // by key, the NSGs whose rules the second estate has otherwise
	admin        map[string][]adminList // security admin rules by VNet key
	stages       map[string]*adminStage
	groups       map[string][]groupLink          // connected groups by VNet key
	unknown      map[string][]string             // managers whose connected groups the input lacks, by VNet key
	owners       map[string]map[netip.Addr]owner // by VNet key: who holds a private address
	machines     []*machine
	inVNet       map[string][]*machine // machines by the key of their VNet; see machinesIn
	machineAt    map[model.Place]*machine
	addressed    map[addressOf]bool
	nicsOf       map[string][]*model.NIC // by the VM's key, listed when first asked for
	namedIn      map[string][]netip.Addr // addressed, by the key of the VNet; in no order
	fabrics      []pendingFabric
	replies      map[string]*lazy
	hubReplies   map[string]*lazy
	firewalls    map[string]*firewallPlan
	ipGroups     map[*model.IPGroup]addrs
	relaysAt     map[string][]firewallRelay // by firewall
	vias         map[string]model.Place
	fabricDone   map[Node]bool
	routeDone    map[Node]bool
	tables       map[string][]hopGroup
	asgs         map[string]addrs
	asgSenders   map[string][2]*lazy
	masking      map[*pod][]*machine // nodes of static egress gateways that put their address on a pod's packets
	disguises    []netip.Prefix      // addresses that something which is not modelled may put on packets of others
	serviceTag   map[string]*netipx.IPSet
	symbolic     map[string]bool           // service tags without a list that are in use, by lower-case name
	doorSets     map[string]packet.AddrSet // of a symbolic tag: the doors of the estate's accounts in it
	fog          map[string][]model.LedgerEntry
	clusters     map[string]*clusterPlan
	nameSet      map[string]bool
	kubeFront    []kubeFrontend
	frontends    map[*model.KubeService][]kubeFrontend
	frontAddrs   map[model.ID][]netip.Addr // public ones, by frontend of a load balancer
	kubenet      []*machine                // nodes that routes of kubenet clusters lead to
	apiEntries   []apiEntry
	questions    map[netip.Prefix]packet.AddrSet
	tagSets      map[string]*lazy
	ownOf        map[string]packet.AddrSet // of a firewall: its own addresses
	sides        map[string][]farSide      // of a gateway
	hubList      []*hubLink                // connections of virtual hubs
	static       []pendingNAT              // static translations of gateways
	origins      []Origin
	innerBlocks  map[*Site]map[netip.Prefix]packet.AddrSet // of a far side behind a translation: what a question means there
	future       *futurePod                                // set while policies are compiled for the sake of pods that do not exist yet
	outside      packet.AddrSet                            // the internet's addresses
	outsideNamed packet.AddrSet                            // with the host that a proxy resolved
	podsEver     packet.AddrSet                            // every pod address of every cluster
	doors        packet.AddrSet                            // the public doors of the accounts of the estate
	hosts        packet.AddrSet                            // the host addresses (AZ-PLAT-01)
}

func (p *planner) node(place model.Place, stage Stage, via string) NodeID {
	n := Node{Place: place.Key(), Stage: stage, Via: via}
	if id, ok := p.index[n]; ok {
		return id
	}
	id := NodeID(len(p.nodes))
	n.Place = place
	p.nodes = append(p.nodes, n)
	p.index[Node{Place: place.Key(), Stage: stage, Via: via}] = id
	return id
}

func (p *planner) edge(from, to NodeID, g guard, rw *rewrite, notes ...string) {
	p.edges = append(p.edges, edge{from: from, to: to, guard: g, rewrite: rw, notes: notes})
}

// hypothesis adds an edge that exists in other worlds alone, where the run explains answers.
func (p *planner) hypothesis(from, to NodeID, g guard) {
	if p.o.Explain {
		p.edges = append(p.edges, edge{from: from, to: to, guard: g, hypothetical: true})
	}
}

func (p *planner) site(s *Site) *Site {
	s.subnetKey, s.vnetKey, s.idKey = s.Subnet.Key(), s.Subnet.Parent().Key(), s.Place.ID.Key()
	p.sites = append(p.sites, s)
	return s
}

// note records an assumption that every verdict of the estate carries.
func (p *planner) note(id string) { p.notes[id] = true }

// assumed reports whether the reading that the register states is taken in both bounds.
func (p *planner) assumed(id string) bool {
	a, ok := model.AssumptionOf(id)
	if !ok {
		panic("dataplane: assumption " + id + " is in no register") // INVARIANT: IDs in code stand in the register
	}
	return !a.Open && (!p.o.Strict || a.Statement)
}

// Build reads an estate into its forwarding graph. The error is a packet.ErrBudget when the estate is too large for its limits.
func Build(e *model.Estate, o Options) (*Graph, error) {
	b := packet.NewBuilder()
	g, err := plan(e, o, b, nil)
	if err != nil {
		return nil, err
	}
	u := b.Freeze()
	return g, g.in(packet.NewSpace(u, o.Limits))
}

// in gives a graph the space that its sets are made in.
func (g *Graph) in(s *packet.Space) error {
	g.Universe, g.Space = s.Universe(), s
	g.compiler = &compiler{s: s, u: g.Universe}
	g.base = g.planner.wire(g.compiler)
	return s.Err()
}

// plan makes the nodes and edges of an estate, and registers what tells packets apart. open takes the lists that another estate may have otherwise,
// where the plan is a draft for both.
func plan(e *model.Estate, o Options, b *packet.Builder, open map[string][]*openList) (*Graph, error) {
	p := &planner{
		e: e, o: o, b: b, open: open, symbols: e.Symbols(),
		index: map[Node]NodeID{}, notes: map[string]bool{}, contexts: map[string]*subnetContext{}, contextAt: map[[2]model.ID]*subnetContext{}, links: map[*model.VNet][]peerLink{}, bearing: map[string]bool{}, gateways: map[*model.VNet][]gatewayUse{}, lists: map[string]*filterList{}, admin: map[string][]adminList{}, stages: map[string]*adminStage{}, unknown: map[string][]string{},
		owners: map[string]map[netip.Addr]owner{}, machineAt: map[model.Place]*machine{}, addressed: map[addressOf]bool{}, replies: map[string]*lazy{}, hubReplies: map[string]*lazy{}, firewalls: map[string]*firewallPlan{}, questions: map[netip.Prefix]packet.AddrSet{}, tagSets: map[string]*lazy{}, ownOf: map[string]packet.AddrSet{},
		vias: map[string]model.Place{}, frontends: map[*model.KubeService][]kubeFrontend{}, frontAddrs: map[model.ID][]netip.Addr{}, fabricDone: map[Node]bool{}, routeDone: map[Node]bool{}, serviceTag: map[string]*netipx.IPSet{},
		ipGroups: map[*model.IPGroup]addrs{}, relaysAt: map[string][]firewallRelay{}, symbolic: map[string]bool{}, fog: map[string][]model.LedgerEntry{}, clusters: map[string]*clusterPlan{}, nameSet: map[string]bool{},
		doorSets: map[string]packet.AddrSet{}, sides: map[string][]farSide{}, innerBlocks: map[*Site]map[netip.Prefix]packet.AddrSet{}, tables: map[string][]hopGroup{}, asgs: map[string]addrs{}, asgSenders: map[string][2]*lazy{}, masking: map[*pod][]*machine{},
	}
	p.readLedger()
	p.planGroups()
	p.planClusters()
	p.planOwners()
	groups := p.symbolGroups()
	p.addr = newAddressPlan(p.b, groups, p.unnamedAddr(groups))
	p.planDoors()
	p.readTags()
	p.collectNames()
	p.planForwarders()
	p.planInternet()
	p.planPlatform()
	p.planAddressed()
	p.planMachines()
	p.planNeighbours()
	p.planReceivers()
	p.planEndpoints()
	p.planServices()
	p.planAppGateways()
	p.planBastions()
	p.planFrontDoors()
	p.planAPIMs()
	for _, gw := range e.Gateways {
		p.planGateway(gw)
	}
	p.planHubs()
	p.planPods()
	p.planAPIServers()
	p.planPublicEntries()
	p.planCarriers()
	for p.drainFabrics(); len(p.kubenet) > 0; p.drainFabrics() {
		p.planKubenet()
	}
	p.planQuestions()
	p.hosts = p.addr.exactHosts(platformHosts()...)
	p.cutStatic()
	if !p.allEffective() {
		p.note("ASM-AVNM") // AZ-AVNM-03
	}
	p.note("ASM-OLDFLOWS") // AZ-NSG-15

	g := &Graph{Estate: e, byPlace: map[model.Place][]*Site{}, forwarder: p.vias, planner: p}
	p.finish(g)
	g.Sites = p.sites
	slices.SortStableFunc(g.Sites, func(a, b *Site) int {
		if c := a.Place.Compare(b.Place); c != 0 {
			return c
		}
		return strings.Compare(a.Channel, b.Channel)
	})
	for _, s := range g.Sites {
		g.byPlace[s.Place.Key()] = append(g.byPlace[s.Place.Key()], s)
	}
	g.Origins = p.planOrigins(g.Sites)
	p.origins = g.Origins
	p.b.Origins(max(1, len(g.Origins)))
	g.Relays = p.relays
	for id := range p.notes {
		g.Notes = append(g.Notes, id)
	}
	slices.Sort(g.Notes)

	if n := len(p.symbolic); n > packet.MaxTags {
		return nil, fmt.Errorf("the input names %d service tags, FQDN tags and web categories whose content is not known; at most %d are told apart: give the published list of service tags (serviceTags, --service-tags)", n, packet.MaxTags)
	}
	return g, nil
}

// wire is what any sender can put on the wire: one family per packet, protocols that the fabric carries (AZ-GEN-03), no multicast or
// broadcast, a name on TCP alone (AZ-NAME-01), and tags that agree with what is known of them (AZ-TAG-09).
func (p *planner) wire(c *compiler) packet.Set {
	s := c.s
	v4 := s.Box(packet.Box{Src: c.u.Addrs(p.addr.v4), Dst: c.u.Addrs(p.addr.v4)})
	v6 := s.Box(packet.Box{Src: c.u.Addrs(p.addr.v6), Dst: c.u.Addrs(p.addr.v6)})
	protocols := func(ps ...model.Protocol) packet.Set { return c.transport(ps, nil, nil, true) }
	carried := s.Union(
		s.Intersect(v4, protocols(model.TCP, model.UDP, model.ICMP, model.ESP, model.AH)),
		s.Intersect(v6, protocols(model.TCP, model.UDP, model.ICMPv6, model.ESP, model.AH)),
		// SCTP exists inside clusters alone (K8S-GEN-02).
		s.Intersect(protocols(model.SCTP), s.Union(s.Box(packet.Box{Src: c.u.Addrs(p.podsEver)}), s.Box(packet.Box{Dst: c.u.Addrs(p.podsEver)}))))
	nameless := s.Box(packet.Box{Name: []packet.Range{{Lo: 0, Hi: 0}}})
	tcp := s.Box(packet.Box{Protocol: one(model.TCP)})
	base := s.Subtract(s.Intersect(carried, s.Union(tcp, nameless)), s.Box(packet.Box{Dst: c.u.Addrs(p.addr.manifold)}))
	return s.Intersect(base, p.tagFacts(c))
}

// planDoors registers the public doors of accounts.
func (p *planner) planDoors() {
	var doors []netip.Addr
	for _, s := range p.e.Services {
		doors = append(doors, p.symbolOf(model.ServiceDoor, s.ID, ""))
	}
	p.doors = p.addr.exactHosts(doors...)
}

// planForwarders names the forwarders that keep state, before any path asks for the way back through them.
func (p *planner) planForwarders() {
	for _, f := range p.e.Firewalls {
		place := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
		p.vias[firewallVia(f)] = place
		p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(p.firewallAddr(f))}, Send: -1, Receive: p.node(place, StageReceive, ""), Subnet: f.Subnet})
		p.firewallRelays(f)
	}
	for _, g := range p.e.Gateways {
		p.gatewayWay(g, "", "")
	}
}

// planPlatform adds the host addresses as receiver, and as the sender of health probes (AZ-PLAT-04).
func (p *planner) planPlatform() {
	place := model.Place{Kind: model.PlacePlatform}
	s := p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(platformDNS())}, Send: p.node(place, StageSend, ""), Receive: p.platform()})
	p.site(&Site{Place: place, Prefixes: []netip.Prefix{host(platformIMDS())}, Send: -1, Receive: p.platform()}) // it answers, and opens nothing
	for _, v := range p.e.VNets {
		if !v.Partial {
			p.edge(s.Send, p.fabric(v, "platform"), guard{}, nil)
		}
	}
}

// planOrigins numbers the senders. A site whose addresses a question tells apart becomes several origins.
func (p *planner) planOrigins(sites []*Site) []Origin {
	var out []Origin
	for _, s := range sites {
		if s.Send < 0 {
			continue
		}
		for _, part := range p.split(s) {
			out = append(out, Origin{Site: s, Prefixes: part, addrs: p.b.AddSet("", part)})
		}
	}
	return out
}

// split cuts a set of addresses along the blocks of the questions, the most specific block first.
func (p *planner) split(s *Site) [][]netip.Prefix {
	rest := ipset(s.Prefixes)
	var blocks []netip.Prefix
	for _, q := range p.o.Questions {
		blocks = append(blocks, s.Inner(q)...)
	}
	slices.SortFunc(blocks, func(a, b netip.Prefix) int {
		if a.Bits() != b.Bits() {
			return b.Bits() - a.Bits()
		}
		return a.Compare(b)
	})
	var out [][]netip.Prefix
	for _, q := range slices.Compact(blocks) {
		part := intersectSet(rest, ipset([]netip.Prefix{q}))
		if isEmpty(part) {
			continue
		}
		out = append(out, part.Prefixes())
		rest = minusSet(rest, part)
	}
	if !isEmpty(rest) {
		out = append(out, rest.Prefixes())
	}
	return out
}
