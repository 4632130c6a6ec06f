package dataplane

import (
	"encoding/binary"
	"maps"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// PodNet is what NetworkPolicies let the pods of one cluster open, for every pair at once: with no network between them that could stop
// or change a packet, a pair may open what the sender's egress policies and the receiver's ingress policies both admit (K8S-GEN-03), and
// no flood is needed to know it. [Standalone] says of which estates that is the whole answer.
//
// Columns are the far ends of a pod: the workloads on the pod network, then pods of the host network, and the address blocks outside the
// cluster that policies tell apart. Workloads that the same policies select in a direction, in the same way, share a side; port sets are numbered, so that a pair
// costs two look-ups.
//
// Cost: rules times columns over 64 to compile, pairs to answer. Not safe for concurrent use.
type PodNet struct {
	Workloads []*model.Workload // on the pod network: pods of the host network have no policies (K8S-NP-25)
	Blocks    []PodBlock
	c         *compiler
	g         *Graph // in whose space sets are made
	p         *planner
	cp        *clusterPlan
	special   bool        // policies of other kinds than NetworkPolicy are there
	acts      bool        // policies act in one bound at least
	certain   bool        // and in both
	portless  *packet.Set // packets without ports, where it is open what policies do to them (K8S-NP-24)
	rules     []podRule
	policies  [2][]podPolicy // by Direction: those that isolate in it
	sides     [2][]podSide
	sideOf    [2][]int // of each workload
	ids       map[packet.Set]uint32
	sets      []packet.Set
	unions    map[[2]uint32]uint32
	meets     map[[2]uint32]uint32
	cellIDs   map[[2]uint32]int
	cells     [][2]uint32 // over and under, as numbers of sets
	pairs     map[[2]int]int
	anything  uint32 // what pods and outside hosts can put on the wire
	wire      uint32 // that of it which is asked for
	ports     map[portKey]uint32
	selected  map[string]podMatch
	exposed   map[[2]int][]Exposed // by direction and side
	served    map[int][]podServed  // by workload: what load balancers bring to its pods
	itself    map[int]uint32       // by workload: ports at which a Service may bring its pods back to themselves (K8S-NP-23)
	called    map[int]uint32       // by workload: ports at which frontends bring pods' packets to its pods as a node's (K8S-SVC-12)
	entered   [][]podEntered       // by column: what node ports lead to
	outward   map[int]uint32       // by egress side: what it lets go to addresses that may be nodes'
	lacks     map[string]bool      // what the input does not say about cells that were asked for
}

// podEntered is a port of every node that leads to pods (K8S-SVC-06).
type podEntered struct {
	at    uint32 // packets to it
	ports uint32 // at the pod
	local bool   // with the sender's own address (K8S-SVC-08)
}

// podServed is packets that nodes bring to pods from outside with an address of their own, of which nobody knows what policies make of it
// (K8S-SVC-09).
type podServed struct {
	ports uint32
	from  []netip.Prefix // who reaches the frontend
}

// PodBlock is addresses outside the cluster that every policy treats alike: those of one block of the policies less the blocks inside
// it, or the rest of the internet, which has no CIDR. A workload of the host network is one too: it stands at a node's address.
type PodBlock struct {
	CIDR      netip.Prefix
	Addresses []netip.Prefix
	Host      *model.Workload // nil: addresses outside
	Around    bool            // of the network around the cluster, of which nobody knows who is there (K8S-GEN-04)
	silent    bool            // and where nobody can be who sends
}

// podSet is a set of columns.
type podSet []uint64

func (s podSet) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }
func (s podSet) add(i int)      { s[i/64] |= 1 << (i % 64) }

func (s podSet) or(t podSet) {
	for i, x := range t {
		s[i] |= x
	}
}

// each calls f for each member in ascending order.
func (s podSet) each(f func(i int)) {
	for w, x := range s {
		for ; x != 0; x &= x - 1 {
			f(w*64 + bits.TrailingZeros64(x))
		}
	}
}

// podMatch is the workloads that a selector names, in both bounds.
type podMatch struct{ must, may podSet }

// podRule is one rule of a policy: the columns that its peers name, and its ports.
type podRule struct {
	must, may podSet
	fixed     uint32             // ports that do not depend on the destination pod
	named     []model.PolicyPort // looked up at the destination pod (K8S-NP-18, K8S-NP-19)
	source    model.PolicyRule
}

type portKey struct {
	protocol model.Protocol
	ports    model.PortRange
}

// podPolicy is a policy that isolates in a direction.
type podPolicy struct {
	n     *model.NetworkPolicy
	rules []int
	named bool
	match podMatch
}

// podSide is what the policies of one direction admit at a workload.
type podSide struct {
	selected []podSelected
	isolated tri    // whether some policy isolates the workload
	open     bool   // what acts on the workload is not known (K8S-GEN-07)
	passes   uint32 // what nothing that is not understood may refuse
}

// podSelected is a policy that selects a workload, with the ports of its rules there.
type podSelected struct {
	policy  *podPolicy
	certain bool
	ports   []uint32 // of each rule; nil where none is named
}

const (
	emptySet = 0 // the number of the empty set
	everySet = 1 // the number of the set of all packets
)

// Standalone reports whether an estate is nothing but one cluster of which no resource is in the input, and what runs on it, such that
// nothing but NetworkPolicies decides about its pods.
func Standalone(e *model.Estate, o Options) (*model.Cluster, bool) {
	if len(e.Clusters) != 1 || !e.Clusters[0].Manifest || o.Intent != nil && len(o.Intent.PCI.JumpBoxes)+len(o.Intent.PCI.Proxies) > 0 {
		return nil, false
	}
	for _, r := range e.Resources() {
		switch r := r.(type) {
		case *model.Workload:
			if r.HostNetwork && engineOf(e.Clusters[0]) == engineOther { // it may be a subject of policies (K8S-NP-25)
				return nil, false
			}
		case *model.KubeService:
			if len(r.ExternalIPs) > 0 {
				return nil, false
			}
		case *model.Cluster, *model.Namespace, *model.NetworkPolicy, *model.Ingress:
		default:
			return nil, false
		}
	}
	return e.Clusters[0], plainAddresses(e)
}

// plainAddresses reports whether no address of a pod needs a look of its own: each stated one is a private IPv4 address of one pod, and
// no block of a policy holds some addresses of a workload and not others.
func plainAddresses(e *model.Estate) bool {
	public := publicSpace()
	seen := map[netip.Addr]bool{}
	var live []*model.Workload
	for _, w := range e.Workloads {
		for _, a := range w.Addresses {
			if !a.Is4() || seen[a] && !w.HostNetwork || public.Contains(a) {
				return false
			}
			seen[a] = true
		}
		if len(w.Addresses) > 1 {
			live = append(live, w)
		}
	}
	if len(live) == 0 {
		return true
	}
	for _, n := range e.NetPolicies {
		for _, r := range slices.Concat(n.Ingress, n.Egress) {
			for _, x := range r.Peers {
				if x.IPBlock == nil {
					continue
				}
				for _, w := range live {
					if slices.ContainsFunc(w.Addresses, func(a netip.Addr) bool { return inBlock(*x.IPBlock, a) != inBlock(*x.IPBlock, w.Addresses[0]) }) {
						return false
					}
				}
			}
		}
	}
	return true
}

func inBlock(b model.IPBlock, a netip.Addr) bool {
	return b.CIDR.Contains(a) && !slices.ContainsFunc(b.Except, func(x netip.Prefix) bool { return x.Contains(a) })
}

// NewPodNet reads the policies of a cluster. Packet sets are made in the space of g, a graph of whatever estate; asked is the packets
// that count.
func NewPodNet(e *model.Estate, cluster *model.Cluster, o Options, g *Graph, asked packet.Set) *PodNet {
	n := &PodNet{
		c: g.compiler, g: g, p: &planner{e: e, o: o, fog: map[string][]model.LedgerEntry{}, clusters: map[string]*clusterPlan{}, notes: map[string]bool{}},
		ids: map[packet.Set]uint32{}, unions: map[[2]uint32]uint32{}, meets: map[[2]uint32]uint32{}, cellIDs: map[[2]uint32]int{}, pairs: map[[2]int]int{},
		ports: map[portKey]uint32{}, selected: map[string]podMatch{}, exposed: map[[2]int][]Exposed{},
	}
	n.p.readLedger()
	n.p.planClusters()
	n.cp = n.p.clusters[cluster.ID.Key()]
	over, under := n.p.enforces(n.cp.engine)
	if n.cp.mayNotEnforce(anyPool) != "" {
		over = false
	}
	n.special = n.p.otherPolicies(n.cp) || n.cp.windowsNPM(anyPool) && slices.ContainsFunc(n.cp.policies, beyondWindows)
	n.acts, n.certain = over || under, over
	if n.cp.engine == engineOther || n.cp.windowsNPM(anyPool) || !n.p.assumed("ASM-K-ICMP") {
		set := n.c.portless()
		n.portless = &set
	}
	n.id(packet.Set{})
	n.id(g.Space.All())
	n.anything = n.id(n.c.podWire())
	n.wire = n.id(g.Space.Intersect(asked, n.sets[n.anything]))
	n.cell(emptySet, emptySet)
	n.cell(everySet, everySet)
	for _, w := range n.cp.workloads {
		if !w.HostNetwork {
			n.Workloads = append(n.Workloads, w)
		}
	}
	n.planBlocks()
	n.planServed()
	n.planItself()
	n.planEntered()
	if n.acts {
		n.planPolicies(model.Inbound)
		n.planPolicies(model.Outbound)
	}
	for _, dir := range []model.Direction{model.Inbound, model.Outbound} {
		n.planSides(dir)
	}
	return n
}

// podWire is what pods put on the wire, and what may be sent to them: IPv4, with a name on TCP alone (AZ-GEN-03, AZ-NAME-01,
// K8S-GEN-02).
func (c *compiler) podWire() packet.Set {
	nameless := c.s.Box(packet.Box{Name: []packet.Range{{Lo: 0, Hi: 0}}})
	return c.s.Union(
		c.s.Box(packet.Box{Protocol: one(model.TCP)}),
		c.s.Intersect(nameless, c.transport([]model.Protocol{model.UDP, model.SCTP, model.ICMP, model.ESP, model.AH}, nil, nil, true)),
	)
}

// id numbers a packet set.
func (n *PodNet) id(s packet.Set) uint32 {
	id, ok := n.ids[s]
	if !ok {
		id = uint32(len(n.sets))
		n.ids[s] = id
		n.sets = append(n.sets, s)
	}
	return id
}

func (n *PodNet) union(a, b uint32) uint32 {
	switch {
	case a == b || b == emptySet || a == everySet:
		return a
	case a == emptySet || b == everySet:
		return b
	}
	key := [2]uint32{min(a, b), max(a, b)}
	out, ok := n.unions[key]
	if !ok {
		out = n.id(n.c.s.Union(n.sets[a], n.sets[b]))
		n.unions[key] = out
	}
	return out
}

func (n *PodNet) meet(a, b uint32) uint32 {
	switch {
	case a == b || a == emptySet || b == everySet:
		return a
	case b == emptySet || a == everySet:
		return b
	}
	key := [2]uint32{min(a, b), max(a, b)}
	out, ok := n.meets[key]
	if !ok {
		out = n.id(n.c.s.Intersect(n.sets[a], n.sets[b]))
		n.meets[key] = out
	}
	return out
}

// cell numbers the two bounds of what passes; 0 is nothing, 1 everything.
func (n *PodNet) cell(over, under uint32) int {
	key := [2]uint32{over, under}
	id, ok := n.cellIDs[key]
	if !ok {
		id = len(n.cells)
		n.cellIDs[key] = id
		n.cells = append(n.cells, key)
	}
	return id
}

// pair numbers what both sides admit of what can be on the wire.
func (n *PodNet) pair(a, b int) int {
	key := [2]int{a, b}
	out, ok := n.pairs[key]
	if !ok {
		x, y := n.cells[a], n.cells[b]
		out = n.cell(n.meet(n.wire, n.meet(x[0], y[0])), n.meet(n.wire, n.meet(x[1], y[1])))
		n.pairs[key] = out
	}
	return out
}

// Bounds are the packets of a cell that pass perhaps, and those that pass for certain.
func (n *PodNet) Bounds(cell int) (over, under packet.Set) {
	return n.sets[n.cells[cell][0]], n.sets[n.cells[cell][1]]
}

func (n *PodNet) columns() int { return len(n.Workloads) + len(n.Blocks) }

func (n *PodNet) newSet() podSet { return make(podSet, (n.columns()+63)/64) }

// planBlocks cuts the addresses outside the cluster where policies tell them apart. A block that holds every IPv4 address tells none apart.
func (n *PodNet) planBlocks() {
	named := map[netip.Prefix]bool{}
	for _, x := range n.cp.policies {
		for dir, rules := range [2][]model.PolicyRule{model.Inbound: x.Ingress, model.Outbound: x.Egress} {
			if !x.Isolates[dir] || !n.acts {
				continue // K8S-NP-06
			}
			for _, r := range rules {
				for _, peer := range r.Peers {
					if peer.IPBlock != nil {
						named[peer.IPBlock.CIDR] = true
						for _, hole := range peer.IPBlock.Except {
							named[hole] = true
						}
					}
				}
			}
		}
	}
	var cidrs []netip.Prefix
	for x := range named {
		if x.Addr().Is4() && x.Bits() > 0 {
			cidrs = append(cidrs, x)
		}
	}
	slices.SortFunc(cidrs, func(a, b netip.Prefix) int { // the most specific first
		if a.Bits() != b.Bits() {
			return b.Bits() - a.Bits()
		}
		return a.Compare(b)
	})
	sendable := minusSet(ipset([]netip.Prefix{allV4()}), ipset(prefixes("224.0.0.0/4", "255.255.255.255/32")))
	known := ipset(append(publicV4().Prefixes(), hosts(platformHosts())...))
	around := minusSet(sendable, known)
	for _, w := range n.cp.workloads {
		around = minusSet(around, ipset(hosts(w.Addresses)))
	}
	for i, x := range cidrs {
		inside := slices.DeleteFunc(slices.Clone(cidrs[:i]), func(y netip.Prefix) bool { return !x.Overlaps(y) })
		rest := ipset([]netip.Prefix{x}, inside...)
		if part := intersectSet(rest, known); !isEmpty(part) {
			n.Blocks = append(n.Blocks, PodBlock{CIDR: x, Addresses: part.Prefixes()})
		}
		if part := intersectSet(rest, around); !isEmpty(part) {
			n.Blocks = append(n.Blocks, PodBlock{CIDR: x, Addresses: part.Prefixes(), Around: true, silent: !part.Overlaps(ipset(ianaPrivate()))})
		}
	}
	slices.SortStableFunc(n.Blocks, func(a, b PodBlock) int { return a.CIDR.Compare(b.CIDR) })
	for _, w := range n.cp.workloads {
		if w.HostNetwork {
			n.Blocks = append(n.Blocks, PodBlock{Addresses: hosts(w.Addresses), Host: w})
		}
	}
	if rest := minusSet(publicV4(), ipset(cidrs)); !isEmpty(rest) {
		n.Blocks = append(n.Blocks, PodBlock{Addresses: rest.Prefixes()})
	}
}

// planServed lists what load balancers bring to pods. With traffic policy Local pods see the client, as policies do.
func (n *PodNet) planServed() {
	n.served, n.called = map[int][]podServed{}, map[int]uint32{}
	masked, _ := n.cp.masks(anyPool)
	for _, k := range n.cp.services {
		if k.Type != "LoadBalancer" || k.LocalPolicy {
			continue
		}
		from, unconditional := srcRanges(k)
		if unconditional {
			from = []netip.Prefix{allV4()}
		}
		if k.Internal() { // K8S-SVC-06: its frontend has a private address
			from = intersectSet(ipset(from), ipset(ianaPrivate())).Prefixes()
		}
		for i, w := range n.Workloads {
			if serves(k, w) == no {
				continue
			}
			for _, port := range k.Ports {
				t := targetPort(w, port)
				if t == 0 {
					continue
				}
				ports := n.portSet(port.Protocol, model.PortRange{First: t, Last: t})
				if masked {
					n.called[i] = n.union(n.called[i], ports)
				}
				if !withoutRule(k, port) {
					n.served[i] = append(n.served[i], podServed{ports, from})
				}
			}
		}
	}
}

// planItself lists the ports at which running pods may reach their own address by a Service.
func (n *PodNet) planItself() {
	n.itself = map[int]uint32{}
	for _, k := range n.cp.services {
		if _, err := netip.ParseAddr(k.ClusterIP); err != nil && len(k.ExternalIPs) == 0 && k.Type != "LoadBalancer" {
			continue // it has no address (K8S-SVC-03)
		}
		for i, w := range n.Workloads {
			if len(w.Addresses) == 0 || serves(k, w) == no {
				continue
			}
			for _, port := range k.Ports {
				if t := targetPort(w, port); t != 0 {
					n.itself[i] = n.union(n.itself[i], n.portSet(port.Protocol, model.PortRange{First: t, Last: t}))
				}
			}
		}
	}
}

// planEntered lists what node ports lead to.
func (n *PodNet) planEntered() {
	n.entered, n.outward, n.lacks = make([][]podEntered, n.columns()), map[int]uint32{}, map[string]bool{}
	for _, k := range n.cp.services {
		for i := range n.columns() {
			w := n.workload(i)
			if w == nil || serves(k, w) == no {
				continue
			}
			for _, port := range k.Ports {
				for _, way := range bareWays(k, port) {
					if t := targetPort(w, port); t != 0 {
						n.entered[i] = append(n.entered[i], podEntered{n.portSet(port.Protocol, way.ports), n.portSet(port.Protocol, model.PortRange{First: t, Last: t}), k.LocalPolicy})
					}
				}
			}
		}
	}
}

// toNodes is what a column may send to addresses that may be nodes': those of the network around, and those of pods of the host network, which
// are all that the internet may reach.
func (n *PodNet) toNodes(from int) uint32 {
	switch {
	case from < len(n.Workloads):
	case n.silent(from), n.workload(from) == nil && !n.Around(from) && !slices.ContainsFunc(n.Blocks, func(b PodBlock) bool { return b.Host != nil }):
		return emptySet
	default:
		return everySet
	}
	number := n.sideOf[model.Outbound][from]
	if out, ok := n.outward[number]; ok {
		return out
	}
	s := &n.sides[model.Outbound][number]
	out := uint32(everySet)
	if !s.open && s.isolated != no {
		over := uint32(emptySet)
		for k := range s.selected {
			for _, i := range s.selected[k].policy.rules {
				r := &n.rules[i]
				names := len(r.source.Peers) == 0 || slices.ContainsFunc(r.source.Peers, func(e model.PolicyPeer) bool {
					return e.IPBlock != nil && e.IPBlock.CIDR.Bits() == 0 && e.IPBlock.CIDR.Addr().Is4()
				})
				for j, b := range n.Blocks {
					names = names || (b.Around || b.Host != nil) && r.may.has(len(n.Workloads)+j)
				}
				if names {
					over = n.union(over, r.fixed)
				}
			}
		}
		out = n.cells[n.bound(s, over, emptySet, emptySet)][0]
	}
	n.outward[number] = out
	return out
}

// byNodePorts is what policies, and node ports besides, let one column open at another.
func (n *PodNet) byNodePorts(from, to, in, cell int) int {
	over := n.cells[cell][0]
	for _, e := range n.entered[to] {
		if n.meet(n.toNodes(from), e.at) == emptySet {
			continue
		}
		ports := e.ports
		if e.local && to < len(n.Workloads) {
			seen := n.cells[in][0]
			if from == to && len(n.Workloads[to].Addresses) > 0 {
				seen = everySet
			}
			ports = n.meet(ports, seen)
		}
		if more := n.union(over, n.meet(n.wire, ports)); more != over {
			over = more
			n.lacks[missing("network of cluster", n.cp.c.ID)] = true
			if !e.local {
				n.lacks["ASM-K-SNAT"] = true
			}
		}
	}
	return n.cell(over, n.cells[cell][1])
}

// byFrontends is what policies, and frontends besides, let come from pods to a workload's pods, as a cell.
func (n *PodNet) byFrontends(called uint32, in int) int {
	over := n.union(n.cells[in][0], called)
	if over != n.cells[in][0] {
		n.lacks["ASM-K-SNAT"] = true
	}
	return n.cell(over, n.cells[in][1])
}

// behindServices is what policies and load balancers let come from outside addresses to a workload's pods, as a cell.
func (n *PodNet) behindServices(from, to, in int) int {
	over := n.cells[in][0]
	for _, s := range n.served[to] {
		block := n.Blocks[from-len(n.Workloads)].Addresses
		if slices.ContainsFunc(s.from, func(r netip.Prefix) bool { return slices.ContainsFunc(block, r.Overlaps) }) {
			over = n.union(over, s.ports)
		}
	}
	return n.cell(over, n.cells[in][1])
}

// planPolicies compiles the policies that isolate in a direction.
func (n *PodNet) planPolicies(dir model.Direction) {
	for _, x := range n.cp.policies {
		if !x.Isolates[dir] {
			continue
		}
		out := podPolicy{n: x, match: n.within(x.Namespace, n.podsBy(x.Pods))}
		rules := x.Ingress
		if dir == model.Outbound {
			rules = x.Egress
		}
		add := func(r podRule) {
			out.rules = append(out.rules, len(n.rules))
			out.named = out.named || len(r.named) > 0
			n.rules = append(n.rules, r)
		}
		for _, r := range rules {
			least, most, _ := n.p.portsRead(n.cp, r.Ports)
			if !slices.Equal(least, most) { // K8S-NP-16: nothing of the whole is certain
				whole := n.planRule(x, model.PolicyRule{Peers: r.Peers, Ports: most, Source: r.Source})
				whole.must = n.newSet()
				add(whole)
			}
			add(n.planRule(x, model.PolicyRule{Peers: r.Peers, Ports: least, Source: r.Source}))
		}
		n.policies[dir] = append(n.policies[dir], out)
	}
}

// within narrows a match to the pods of a namespace.
func (n *PodNet) within(namespace string, m podMatch) podMatch {
	own := n.inNamespace(namespace)
	return podMatch{meetSets(m.must, own), meetSets(m.may, own)}
}

func meetSets(a, b podSet) podSet {
	out := make(podSet, len(a))
	for i := range a {
		out[i] = a[i] & b[i]
	}
	return out
}

// inNamespace is the pods of a namespace.
func (n *PodNet) inNamespace(name string) podSet {
	return n.matching("in\x00"+name, func(w *model.Workload) tri {
		if w.Namespace == name {
			return yes
		}
		return no
	}).may
}

// podsBy is the pods, of whatever namespace, that a pod selector names.
func (n *PodNet) podsBy(s model.LabelSelector) podMatch {
	return n.matching("pods\x00"+selectorKey(s), func(w *model.Workload) tri { return selectsPod(s, w) })
}

// namespacesBy is the pods of the namespaces that a selector names.
func (n *PodNet) namespacesBy(s model.LabelSelector) podMatch {
	memo := map[string]tri{}
	return n.matching("namespaces\x00"+selectorKey(s), func(w *model.Workload) tri {
		t, ok := memo[w.Namespace]
		if !ok {
			t = n.cp.selectsNamespace(s, w.Namespace)
			memo[w.Namespace] = t
		}
		return t
	})
}

// matching asks something of every workload, once.
func (n *PodNet) matching(key string, ask func(*model.Workload) tri) podMatch {
	m, ok := n.selected[key]
	if ok {
		return m
	}
	m = podMatch{n.newSet(), n.newSet()}
	for i, w := range n.Workloads {
		switch ask(w) {
		case yes:
			m.must.add(i)
			m.may.add(i)
		case maybe:
			m.may.add(i)
		}
	}
	n.selected[key] = m
	return m
}

// selectorKey is a text that is equal for equal selectors.
func selectorKey(s model.LabelSelector) string {
	var b []byte
	for _, k := range slices.Sorted(maps.Keys(s.Match)) {
		b = strconv.AppendQuote(strconv.AppendQuote(b, k), s.Match[k])
	}
	for _, r := range s.Requirements {
		b = strconv.AppendQuote(append(b, ';'), r.Key)
		b = append(b, r.Operator...)
		for _, v := range r.Values {
			b = strconv.AppendQuote(b, v)
		}
	}
	return string(b)
}

// planRule resolves the peers and ports of a rule.
func (n *PodNet) planRule(x *model.NetworkPolicy, r model.PolicyRule) podRule {
	out := podRule{must: n.newSet(), may: n.newSet(), fixed: emptySet, source: r}
	if len(r.Peers) == 0 { // K8S-NP-09
		for i := range n.columns() {
			out.must.add(i)
			out.may.add(i)
		}
	}
	for _, peer := range r.Peers {
		if peer.IPBlock != nil {
			n.addBlock(&out, *peer.IPBlock)
			continue
		}
		m := podMatch{}
		if peer.Namespaces != nil {
			m = n.namespacesBy(*peer.Namespaces)
		} else {
			own := n.inNamespace(x.Namespace) // K8S-NP-10
			m = podMatch{own, own}
		}
		if peer.Pods != nil {
			pods := n.podsBy(*peer.Pods)
			m = podMatch{meetSets(m.must, pods.must), meetSets(m.may, pods.may)}
		}
		out.must.or(m.must)
		out.may.or(m.may)
	}
	if len(r.Ports) == 0 { // K8S-NP-15
		out.fixed = everySet
		return out
	}
	for _, port := range r.Ports {
		switch {
		case port.Named != "":
			out.named = append(out.named, port)
		case port.All:
			out.fixed = n.union(out.fixed, n.portSet(port.Protocol, model.AllPorts))
		default:
			out.fixed = n.union(out.fixed, n.portSet(port.Protocol, port.Ports))
		}
	}
	return out
}

// portSet numbers the packets to a range of ports.
func (n *PodNet) portSet(p model.Protocol, ports model.PortRange) uint32 {
	key := portKey{p, ports}
	id, ok := n.ports[key]
	if !ok {
		id = n.id(n.c.transport([]model.Protocol{p}, nil, []model.PortRange{ports}, false))
		n.ports[key] = id
	}
	return id
}

// addBlock adds the far ends that an ipBlock holds: addresses outside as it says, pods as the engine has it (K8S-NP-12, K8S-NP-13).
func (n *PodNet) addBlock(r *podRule, b model.IPBlock) {
	for i, x := range n.Blocks {
		if x.Host != nil {
			continue
		}
		in := b.CIDR.Bits() == 0 && b.CIDR.Addr().Is4()
		if x.CIDR.IsValid() {
			covers := func(y netip.Prefix) bool { return y.Bits() <= x.CIDR.Bits() && y.Contains(x.CIDR.Addr()) }
			in = covers(b.CIDR) && !slices.ContainsFunc(b.Except, covers)
		}
		if in {
			r.must.add(len(n.Workloads) + i)
			r.may.add(len(n.Workloads) + i)
		}
	}
	if n.cp.engine == engineCilium || !b.CIDR.Addr().Is4() {
		return
	}
	// A pod without a stated address may have any: the block holds it for certain when it holds all of IPv4, and perhaps otherwise.
	v4 := ipset([]netip.Prefix{allV4()})
	holes := ipset(b.Except)
	anyMust, anyMay := b.CIDR.Bits() == 0 && !holes.Overlaps(v4), !contains(holes, v4)
	for i := range n.columns() {
		w := n.workload(i)
		if w == nil {
			continue
		}
		must, may := anyMust, anyMay
		if len(w.Addresses) > 0 {
			must = inBlock(b, w.Addresses[0])
			may = must
		}
		if may {
			r.may.add(i)
		}
		if must && (n.cp.engine == engineCalico || n.cp.engine == engineAzure) {
			r.must.add(i)
		}
	}
}

// workload is what stands at a column; nil where addresses outside do.
func (n *PodNet) workload(column int) *model.Workload {
	if column < len(n.Workloads) {
		return n.Workloads[column]
	}
	return n.Blocks[column-len(n.Workloads)].Host
}

// portsAt is the ports of a rule at a destination pod.
func (n *PodNet) portsAt(r *podRule, w *model.Workload) uint32 {
	out := r.fixed
	for _, x := range r.named {
		for _, c := range w.Ports {
			if c.Name == x.Named && c.Protocol == x.Protocol {
				out = n.union(out, n.portSet(c.Protocol, model.PortRange{First: c.Port, Last: c.Port}))
			}
		}
	}
	return out
}

// planSides finds the policies that select each workload; workloads that differ in nothing there share a side.
func (n *PodNet) planSides(dir model.Direction) {
	n.sideOf[dir] = make([]int, len(n.Workloads))
	bySubject := make([][]podSelected, len(n.Workloads))
	for i := range n.policies[dir] {
		x := &n.policies[dir][i]
		x.match.may.each(func(w int) { bySubject[w] = append(bySubject[w], podSelected{policy: x, certain: x.match.must.has(w)}) })
	}
	numbers := map[string]int{}
	index := map[*podPolicy]int{}
	for i := range n.policies[dir] {
		index[&n.policies[dir][i]] = i
	}
	var key []byte
	for w, list := range bySubject {
		key = key[:0]
		isolated := no
		for i := range list {
			x := &list[i]
			mark := byte('?')
			if x.certain {
				mark, isolated = '!', yes
			}
			isolated = max(isolated, maybe)
			key = append(binary.BigEndian.AppendUint32(key, uint32(index[x.policy])), mark)
			if x.policy.named && dir == model.Inbound {
				for _, r := range x.policy.rules {
					x.ports = append(x.ports, n.portsAt(&n.rules[r], n.Workloads[w]))
					key = binary.BigEndian.AppendUint32(key, x.ports[len(x.ports)-1])
				}
			}
		}
		open := n.acts && len(n.p.steering(n.cp, n.Workloads[w].Namespace)) > 0
		passes := uint32(everySet)
		if refused, _ := n.p.refusing(n.cp, n.Workloads[w]); refused != nil {
			passes = n.id(n.c.s.Complement(refused.get(n.c)))
		}
		if open || passes != everySet {
			key = binary.BigEndian.AppendUint32(append(key, '-', map[bool]byte{true: 1}[open]), passes)
		}
		id, ok := numbers[string(key)]
		if !ok {
			id = len(n.sides[dir])
			numbers[string(key)] = id
			n.sides[dir] = append(n.sides[dir], podSide{list, isolated, open, passes})
		}
		n.sideOf[dir][w] = id
	}
}

// ruleAt is what one rule of a side admits at a far end.
func (n *PodNet) ruleAt(dir model.Direction, x *podSelected, i, column int) uint32 {
	r := &n.rules[x.policy.rules[i]]
	switch {
	case x.ports != nil:
		return x.ports[i]
	case dir == model.Outbound && len(r.named) > 0 && column < len(n.Workloads):
		return n.portsAt(r, n.Workloads[column]) // at an address that is no pod no name means anything (K8S-NP-19)
	default:
		return r.fixed
	}
}

// side is what a side admits at a far end, as a cell.
func (n *PodNet) side(dir model.Direction, s *podSide, column int) int {
	switch {
	case s.open:
		return n.cell(everySet, emptySet)
	case s.passes != everySet:
		c := n.cells[n.policed(dir, s, column)]
		return n.cell(c[0], n.meet(c[1], s.passes))
	default:
		return n.policed(dir, s, column)
	}
}

// policed is what policies admit (K8S-NP-03, K8S-NP-04).
func (n *PodNet) policed(dir model.Direction, s *podSide, column int) int {
	if s.isolated == no {
		return everySet
	}
	over, under, whichever := uint32(emptySet), uint32(emptySet), uint32(everySet)
	for k := range s.selected {
		x := &s.selected[k]
		own := uint32(emptySet)
		for i, rule := range x.policy.rules {
			r := &n.rules[rule]
			if !r.may.has(column) {
				continue
			}
			ports := n.ruleAt(dir, x, i, column)
			over = n.union(over, ports)
			if r.must.has(column) {
				own = n.union(own, ports)
			}
		}
		if x.certain {
			under = n.union(under, own)
		} else {
			whichever = n.meet(whichever, own)
		}
	}
	return n.bound(s, over, under, whichever)
}

// bound turns what the policies of a side admit into a cell: over counts what any of them may admit, and everything if perhaps none
// acts; under what those admit that select for certain, or if there is none, what each admits that may.
func (n *PodNet) bound(s *podSide, over, under, whichever uint32) int {
	if s.isolated != yes {
		under = whichever
	}
	if s.isolated != yes || !n.certain {
		over = everySet
	}
	if n.portless != nil {
		over = n.union(over, n.id(*n.portless))
		under = n.id(n.c.s.Subtract(n.sets[under], *n.portless))
	}
	return n.cell(over, under)
}

// maxTable is how many cells of the receivers' sides are held at once; beyond it they are computed as they are asked for.
const maxTable = 64 << 20

// Each calls yield for every pair of ends of which something may pass, in the order of a list of columns on both sides. The cell says
// what.
func (n *PodNet) Each(order []int, yield func(from, to, cell int)) {
	inbound, outbound := n.sides[model.Inbound], n.sides[model.Outbound]
	f := rowFiller{n: n, over: make([]uint32, n.columns()), under: make([]uint32, n.columns()), some: n.newSet()}
	var table []uint32
	if len(inbound)*n.columns() <= maxTable {
		table = make([]uint32, len(inbound)*n.columns())
		for i := range inbound {
			f.fill(model.Inbound, &inbound[i], table[i*n.columns():(i+1)*n.columns()])
		}
	}
	row, last := make([]uint32, n.columns()), -2
	for _, from := range order {
		side := -1 // outside addresses have no side (K8S-GEN-03)
		if from < len(n.Workloads) {
			side = n.sideOf[model.Outbound][from]
		}
		switch {
		case side == last:
		case side < 0:
			for i := range row {
				row[i] = everySet
			}
		default:
			f.fill(model.Outbound, &outbound[side], row)
		}
		last = side
		for _, to := range order {
			out, in, itself := int(row[to]), everySet, uint32(emptySet)
			if from == to {
				itself = n.itself[to]
			}
			switch {
			case out == emptySet && itself == emptySet && n.entered[to] == nil || side < 0 && to >= len(n.Workloads) && n.workload(from) == nil && n.workload(to) == nil:
				continue
			case to >= len(n.Workloads):
			case table != nil:
				in = int(table[n.sideOf[model.Inbound][to]*n.columns()+from])
			default:
				in = n.side(model.Inbound, &inbound[n.sideOf[model.Inbound][to]], from)
			}
			if side < 0 && n.served[to] != nil && n.workload(from) == nil {
				in = n.behindServices(from, to, in)
			}
			if called := n.called[to]; called != emptySet && from < len(n.Workloads) {
				in = n.byFrontends(called, in)
			}
			if in == emptySet && itself == emptySet && n.entered[to] == nil || n.silent(from) {
				continue
			}
			cell := n.pair(out, in)
			if n.entered[to] != nil {
				cell = n.byNodePorts(from, to, in, cell)
			}
			if itself != emptySet {
				cell = n.cell(n.union(n.cells[cell][0], n.meet(n.wire, itself)), n.cells[cell][1])
			}
			if n.Around(from) || n.Around(to) {
				cell = n.Doubtful(cell)
				n.lacks[missing("network of cluster", n.cp.c.ID)] = true
			}
			if n.cells[cell][0] != emptySet {
				yield(from, to, cell)
			}
		}
	}
}

// Around reports whether a column is of the network around the cluster: what policies let come from there, and go there, is possible alone
// (K8S-GEN-04).
func (n *PodNet) Around(column int) bool {
	return column >= len(n.Workloads) && n.Blocks[column-len(n.Workloads)].Around
}

func (n *PodNet) silent(column int) bool {
	return column >= len(n.Workloads) && n.Blocks[column-len(n.Workloads)].silent
}

// Lacks names what the input does not say of that network, where some cell that was asked for rests on it.
func (n *PodNet) Lacks() []string { return slices.Sorted(maps.Keys(n.lacks)) }

// rowFiller computes what sides admit at all far ends, rule by rule.
type rowFiller struct {
	n           *PodNet
	over, under []uint32 // numbers of sets; all zero between calls
	some        podSet
}

// fill writes the cells of a side.
func (f *rowFiller) fill(dir model.Direction, s *podSide, row []uint32) {
	n := f.n
	if s.open || s.passes != everySet || s.isolated != no && slices.ContainsFunc(s.selected, func(x podSelected) bool { return !x.certain }) {
		for i := range row {
			row[i] = uint32(n.side(dir, s, i))
		}
		return
	}
	nowhere := uint32(everySet)
	if s.isolated != no {
		nowhere = uint32(n.bound(s, emptySet, emptySet, everySet))
	}
	for i := range row {
		row[i] = nowhere
	}
	if s.isolated == no {
		return
	}
	clear(f.some)
	for k := range s.selected {
		x := &s.selected[k]
		for i, rule := range x.policy.rules {
			r := &n.rules[rule]
			f.some.or(r.may)
			r.may.each(func(at int) {
				ports := n.ruleAt(dir, x, i, at)
				f.over[at] = n.union(f.over[at], ports)
				if r.must.has(at) {
					f.under[at] = n.union(f.under[at], ports)
				}
			})
		}
	}
	f.some.each(func(at int) {
		row[at] = uint32(n.bound(s, f.over[at], f.under[at], everySet))
		f.over[at], f.under[at] = emptySet, emptySet
	})
}

// AddressBlocks are addresses as few prefixes.
func AddressBlocks(list []netip.Addr) []netip.Prefix { return ipset(hosts(list)).Prefixes() }

// PodRelay is an ingress controller: what it receives may make it open connections to the backends of Ingress objects (K8S-ING-01).
type PodRelay struct {
	At    int         // its column; -1 is the relay whose pods are not known, which whoever may reach some pod may reach (K8S-GW-02)
	Opens map[int]int // the cell of each workload to which it opens something
}

// Place is where the relay stands whose pods are not known.
func (n *PodNet) Place() model.Place {
	return model.Place{Kind: model.PlaceUnknown, ID: n.cp.c.ID, Part: gatewayPart}
}

// SendsAnywhere reports whether a column may open something to an end of which neither labels nor address are known.
func (n *PodNet) SendsAnywhere(from int) bool {
	if from >= len(n.Workloads) {
		return !n.silent(from)
	}
	return n.meet(n.anything, n.id(n.withAnyPod(n.Workloads[from], model.Outbound))) != emptySet
}

// withAnyPod is [planner.withAnyPod] where no addresses are planned.
func (n *PodNet) withAnyPod(w *model.Workload, dir model.Direction) packet.Set {
	n.p.future = &futurePod{known: w, dir: dir, index: map[string]int{}}
	defer func() { n.p.future = nil }()
	return n.p.withAnyPod(n.cp, w, dir).get(n.c)
}

// Relays are the ingress controllers of the cluster, and what relays of which the pods are not known (K8S-ING-02, K8S-GW-02). It reports false
// where one leads to another or sends as its node: such chains are the graph's.
func (n *PodNet) Relays() ([]PodRelay, bool) {
	behind := map[*model.Workload]map[model.ID][2]uint32{} // by controller: ports of Ingresses at their backends, in both bounds
	for _, i := range n.cp.ingresses {
		pods, _ := controllersOf(n.cp, i)
		for _, b := range backendsOf(n.cp, i) {
			served := n.p.backendsByPort(n.cp, b.service, b.port)
			for _, w := range n.cp.workloads { // K8S-NP-25: a pod of the host network serves at its node's address
				if t := targetPort(w, b.port); w.HostNetwork && serves(b.service, w) != no && t != 0 {
					served[t] = append(served[t], w)
				}
			}
			for target, list := range served {
				ports := n.portSet(b.port.Protocol, model.PortRange{First: target, Last: target})
				for w, serving := range pods {
					if w.HostNetwork {
						return nil, false
					}
					if behind[w] == nil {
						behind[w] = map[model.ID][2]uint32{}
					}
					for _, x := range list {
						at := behind[w][x.ID]
						at[0] = n.union(at[0], ports)
						if serving == yes && serves(b.service, x) == yes {
							at[1] = n.union(at[1], ports)
						}
						behind[w][x.ID] = at
					}
				}
			}
		}
	}
	var out []PodRelay
	if list := n.p.relayingIn(n.cp); len(list) > 0 {
		r := PodRelay{At: -1, Opens: map[int]int{}}
		for to := range n.columns() {
			x := n.workload(to)
			if x == nil {
				continue
			}
			led := packet.Set{}
			for _, y := range list {
				if l := n.p.ledTo(n.cp, y, x); l != nil {
					led = n.c.s.Union(led, l.get(n.c))
				}
			}
			over := n.c.s.Intersect(led, n.withAnyPod(x, model.Inbound))
			if over.Empty() {
				continue
			}
			if len(behind[x]) > 0 {
				return nil, false
			}
			if cell := n.pair(n.cell(n.id(over), emptySet), everySet); n.cells[cell][0] != emptySet {
				r.Opens[to] = cell
			}
		}
		out = append(out, r)
	}
	for at, w := range n.Workloads {
		if len(behind[w]) == 0 {
			continue
		}
		r := PodRelay{At: at, Opens: map[int]int{}}
		for to := range n.columns() {
			x := n.workload(to)
			if x == nil || behind[w][x.ID][0] == emptySet {
				continue
			}
			ports, in := behind[w][x.ID], everySet
			if to < len(n.Workloads) {
				in = n.side(model.Inbound, &n.sides[model.Inbound][n.sideOf[model.Inbound][to]], at)
			}
			sent := n.cells[n.side(model.Outbound, &n.sides[model.Outbound][n.sideOf[model.Outbound][at]], to)]
			cell := n.pair(n.cell(n.meet(ports[0], sent[0]), n.meet(ports[1], sent[1])), in)
			if n.cells[cell][0] == emptySet && n.wire == n.anything {
				continue
			}
			if len(behind[x]) > 0 && to != at {
				return nil, false
			}
			if n.cells[cell][0] != emptySet {
				r.Opens[to] = cell
			}
		}
		out = append(out, r)
	}
	return out, true
}

// Reaches reports whether an end may, and must, open something to a workload, whatever is asked for.
func (n *PodNet) Reaches(from, to int) (may, must bool) {
	out := [2]uint32{everySet, everySet}
	if from < len(n.Workloads) {
		out = n.cells[n.side(model.Outbound, &n.sides[model.Outbound][n.sideOf[model.Outbound][from]], to)]
	}
	in := n.cells[n.side(model.Inbound, &n.sides[model.Inbound][n.sideOf[model.Inbound][to]], from)]
	some := func(bound int) bool { return n.meet(n.anything, n.meet(out[bound], in[bound])) != emptySet }
	entered := slices.ContainsFunc(n.entered[to], func(e podEntered) bool {
		return n.meet(n.toNodes(from), e.at) != emptySet && (!e.local || from == to && len(n.Workloads[to].Addresses) > 0 || n.meet(e.ports, in[0]) != emptySet)
	})
	return (some(0) || entered) && !n.silent(from), some(1) && !n.Around(from)
}

// Doubtful is a cell of which nothing is certain.
func (n *PodNet) Doubtful(cell int) int { return n.cell(n.cells[cell][0], emptySet) }
