package solver

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// query is one question, resolved. The packets that count at a target are those of service, less those of except.
type query struct {
	from, to *end
	service  packet.Set // at the target, after every translation; at an entry as the client sends it (AZ-GEN-11)
	direct   bool       // leave relayed chains out
	plain    bool       // do not ask which firewalls packets pass
	except   []exception
	floods   func(dataplane.Bound) *dataplane.Flood
	avoid    []model.Place // relays among them are out of use
	sent     bool          // say how clients send what arrives (AZ-GEN-11)
	proofs   int           // how many of the flows are printed with a packet each
	names    map[dataplane.NodeID]nodeName
	parts    map[string][]int // placements of what answers call by one name, reached or not; see partsOf
}

// nodeName is how answers call a target node; see targetName.
type nodeName struct {
	to        string
	placement int
}

// exception takes flows out of a question. Nil ends mean the question's own.
type exception struct {
	from, to *end
	service  packet.Set
}

// row is what one sender can open to one target, by packets or through one chain of relays. Sets are as the target sees them, without
// the origin.
type row struct {
	group     int // the sender
	to        string
	kind      Kind
	via       []int    // relays, in the order of the chain
	firewalls []string // what every packet of the last leg passes
	over      packet.Set
	oneWay    packet.Set
	session   packet.Set
	nodes     []dataplane.NodeID // where the target receives, in ascending order
	opens     int                // who opens the last leg: the sender, or the last relay
	arrived   *landed
	sure      bool // one-way and session count: the chain to the last relay is certain
}

// landed is what arrived at the nodes of a target, in two bounds, of all senders that were asked for; with their origins.
type landed struct {
	over, oneWay map[dataplane.NodeID]packet.Set
}

func (r row) key() string {
	var b strings.Builder
	for _, v := range r.via {
		b.WriteString("/" + string(rune('0'+v)))
	}
	return b.String()
}

// avoids reports whether a place is out of use in a question.
func (q *query) avoids(at model.Place) bool {
	return slices.ContainsFunc(q.avoid, func(p model.Place) bool { return p.Kind == at.Kind && p.ID.Key() == at.ID.Key() })
}

func (s *Solution) newQuery(from, to *end) *query {
	return &query{from: from, to: to, service: s.graph.Space.All(), floods: s.flood}
}

// serviceSet is the packets of a list of services; none means every service.
func (s *Solution) serviceSet(list []model.PortService) packet.Set {
	space := s.graph.Space
	if len(list) == 0 {
		return space.All()
	}
	var sets []packet.Set
	for _, v := range list {
		switch {
		case v.IsAny():
			return space.All()
		case v.Protocol.HasPorts():
			b := packet.Box{Protocol: value(uint32(v.Protocol)), DPort: portRange(v.Ports)}
			if v.HasSource {
				b.SPort = portRange(v.SourcePorts)
			}
			sets = append(sets, space.Box(b))
		case v.Protocol == model.ICMP:
			sets = append(sets, space.Box(packet.Box{Protocol: value(uint32(model.ICMP))}), space.Box(packet.Box{Protocol: value(uint32(model.ICMPv6))}))
		default:
			sets = append(sets, space.Box(packet.Box{Protocol: value(uint32(v.Protocol))}))
		}
	}
	return space.Union(sets...)
}

func value(v uint32) []packet.Range { return []packet.Range{{Lo: v, Hi: v}} }

func portRange(p model.PortRange) []packet.Range {
	return []packet.Range{{Lo: uint32(p.First), Hi: uint32(p.Last)}}
}

// arriving is the packets that count at each node of a query's target, in one bound, of some senders.
func (s *Solution) arriving(q *query, b dataplane.Bound, from packet.Set) map[dataplane.NodeID]packet.Set {
	space := s.graph.Space
	f := q.floods(b)
	out := map[dataplane.NodeID]packet.Set{}
	for n, counts := range q.to.nodes {
		set := space.Intersect(space.Intersect(f.At(n), from), space.Intersect(counts, q.service))
		if b != dataplane.Over {
			set = s.certainTag(q, n, s.certainName(q, f, n, set))
		}
		if !set.Empty() {
			out[n] = set
		}
	}
	for n, counts := range q.to.entry {
		scope := space.Intersect(space.Intersect(from, counts), q.service)
		if space.Disjoint(scope, f.At(n)) {
			continue
		}
		set := f.Delivering(n, scope)
		if b != dataplane.Over {
			set = s.certainTag(q, n, set)
		}
		if !set.Empty() {
			out[n] = space.Union(out[n], set)
		}
	}
	if b == dataplane.Over {
		return out
	}
	return s.surely(q, f, out)
}

// surely narrows what arrives for certain to what arrives whatever source translations pick, at each target by itself (AZ-GEN-13).
func (s *Solution) surely(q *query, f *dataplane.Flood, arrived map[dataplane.NodeID]packet.Set) map[dataplane.NodeID]packet.Set {
	byTarget := map[nodeName]map[dataplane.NodeID]packet.Set{}
	for n, set := range arrived {
		var k nodeName
		k.to, k.placement = s.targetName(q, n)
		if byTarget[k] == nil {
			byTarget[k] = map[dataplane.NodeID]packet.Set{}
		}
		byTarget[k][n] = set
	}
	out := map[dataplane.NodeID]packet.Set{}
	for _, sets := range byTarget {
		maps.Copy(out, f.Sure(sets))
	}
	return out
}

// certainTag narrows what certainly comes from, or goes to, addresses that a question names: whether such an address is in a service tag
// whose list the input lacks is open (AZ-TAG-09), so that a packet counts only if it passes whatever the answer.
func (s *Solution) certainTag(q *query, n dataplane.NodeID, set packet.Set) packet.Set {
	far := q.from.public || q.to.public && s.graph.Nodes[n].Place.Kind == model.PlaceInternet
	tags := s.graph.AddressTags()
	if !far || set.Empty() || len(tags) == 0 {
		return set
	}
	space := s.graph.Space
	missed := space.Subtract(space.Intersect(space.Project(set, tags...), s.graph.Facts()), set)
	return space.Subtract(set, space.Project(missed, tags...))
}

// certainName narrows what certainly reaches a name: a proxy that resolves it, or a way to every address that its host may have
// (AZ-NAME-02).
func (s *Solution) certainName(q *query, f *dataplane.Flood, n dataplane.NodeID, set packet.Set) packet.Set {
	if !q.to.named || set.Empty() || s.graph.Nodes[n].Place.Kind != model.PlaceInternet || !isNamePart(q.to.text) {
		return set
	}
	space := s.graph.Space
	resolved := space.Intersect(set, s.graph.NamedHost())
	missed := space.Subtract(space.Box(packet.Box{Dst: s.graph.InternetAddresses()}), set)
	everywhere := space.Subtract(set, space.Project(missed, packet.Dst))
	return space.Union(resolved, everywhere)
}

func isNamePart(text string) bool { return strings.Contains(text, string(model.SelFQDN)+":") }

// rows answers a query: every sender and target with packets that may be delivered, and the chains of relays.
func (s *Solution) rows(q *query) []row {
	out := s.directRows(q, q.from.from, nil, nil)
	if !q.direct {
		out = append(out, s.relayedRows(q)...)
	}
	return s.tidy(out)
}

// tidy drops rows without packets and sorts.
func (s *Solution) tidy(rows []row) []row {
	rows = slices.DeleteFunc(rows, func(r row) bool { return r.over.Empty() })
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(s.groups[a.group].ref, s.groups[b.group].ref), cmp.Compare(a.to, b.to), cmp.Compare(a.kind, b.kind), cmp.Compare(a.key(), b.key()))
	})
	return rows
}

// raw is the packets of a row's last leg that may arrive, by node, with their origins; certain those that arrive for certain.
func (s *Solution) raw(r row) map[dataplane.NodeID]packet.Set { return s.ofSender(r, r.arrived.over) }

func (s *Solution) certain(r row) map[dataplane.NodeID]packet.Set {
	if !r.sure {
		return nil
	}
	return s.ofSender(r, r.arrived.oneWay)
}

func (s *Solution) ofSender(r row, arrived map[dataplane.NodeID]packet.Set) map[dataplane.NodeID]packet.Set {
	from := s.graph.From(slices.Clone(s.groups[r.opens].origins)...)
	out := map[dataplane.NodeID]packet.Set{}
	for _, n := range r.nodes {
		if set := s.graph.Space.Intersect(arrived[n], from); !set.Empty() {
			out[n] = set
		}
	}
	return out
}

// walls finds, for the packets that arrive at a target, the firewalls that they cannot go round: none of them arrives when the firewall's
// nodes are avoided. The result says it for one sender and its nodes.
func (s *Solution) walls(q *query, arrived map[dataplane.NodeID]packet.Set) func(group int, nodes []dataplane.NodeID) []string {
	type wall struct {
		name  string
		round map[dataplane.NodeID]map[int]bool // senders whose packets arrive without it
	}
	var list []wall
	for _, f := range s.Project.Estate.Firewalls {
		if q.plain {
			break
		}
		place := model.Place{Kind: model.PlaceFirewall, ID: f.ID}
		if slices.ContainsFunc(q.avoid, func(p model.Place) bool { return p.Kind == place.Kind && p.ID.Key() == f.ID.Key() }) {
			continue
		}
		w := wall{s.placeRef(place), map[dataplane.NodeID]map[int]bool{}}
		for n, set := range arrived {
			free := s.graph.Space.Intersect(s.floodRound(dataplane.Over, place).At(n), set)
			if free.Empty() {
				continue
			}
			w.round[n] = map[int]bool{}
			for _, g := range s.groupsIn(free) {
				w.round[n][g] = true
			}
		}
		list = append(list, w)
	}
	return func(group int, nodes []dataplane.NodeID) []string {
		var out []string
		for _, w := range list {
			if len(nodes) > 0 && !slices.ContainsFunc(nodes, func(n dataplane.NodeID) bool { return w.round[n][group] }) {
				out = append(out, w.name)
			}
		}
		return out
	}
}

// floodRound is the flood that avoids some places, computed once.
func (s *Solution) floodRound(b dataplane.Bound, places ...model.Place) *dataplane.Flood {
	keys := make([]string, len(places))
	for i, p := range places {
		k := p.Key()
		keys[i] = fmt.Sprintf("%d %s", k.Kind, k.ID)
	}
	slices.Sort(keys)
	k := roundKey{b, strings.Join(slices.Compact(keys), "\n")}
	if s.round[k] == nil {
		s.round[k] = s.graph.Flood(b, places...)
	}
	return s.round[k]
}

// roundKey is a bound, and the places that a flood avoids.
type roundKey struct {
	bound  dataplane.Bound
	places string
}

// cell collects the sets of one sender and one target by placement: pods may run on several pools, and what is certain must hold on
// each of them, on both sides.
type cell struct {
	over    []packet.Set
	oneWay  map[[2]int]packet.Set
	session map[[2]int]packet.Set
	nodes   []dataplane.NodeID // where something may arrive
	targets map[int]bool
}

// directRows are the rows of packets that senders open themselves. For a relay's own packets, as is the row's sender and via its chain.
func (s *Solution) directRows(q *query, from packet.Set, as []int, via []int) []row {
	space := s.graph.Space
	type pair struct {
		group int
		to    string
	}
	cells := map[pair]*cell{}
	var order []pair
	at := func(g int, to string) *cell {
		p := pair{g, to}
		c := cells[p]
		if c == nil {
			c = &cell{oneWay: map[[2]int]packet.Set{}, session: map[[2]int]packet.Set{}, targets: map[int]bool{}}
			cells[p], order = c, append(order, p)
		}
		return c
	}
	arrived := &landed{map[dataplane.NodeID]packet.Set{}, map[dataplane.NodeID]packet.Set{}}
	for _, b := range []dataplane.Bound{dataplane.Over, dataplane.OneWay, dataplane.Session} {
		found := s.arriving(q, b, from)
		for _, n := range slices.Sorted(maps.Keys(found)) {
			set := s.without(q, n, found[n], as)
			switch b {
			case dataplane.Over:
				arrived.over[n] = set
			case dataplane.OneWay:
				arrived.oneWay[n] = set
			}
			to, part := s.targetName(q, n)
			for _, p := range space.ByOrigin(set) {
				for o := p.Origins.Lo; o <= p.Origins.Hi; o++ {
					c := at(s.groupOf[o], to)
					c.targets[part] = true
					key := [2]int{s.placementOf[o], part}
					switch b {
					case dataplane.Over:
						c.over = append(c.over, p.Rest)
						if len(c.nodes) == 0 || c.nodes[len(c.nodes)-1] != n {
							c.nodes = append(c.nodes, n)
						}
					case dataplane.OneWay:
						c.oneWay[key] = space.Union(c.oneWay[key], p.Rest)
					case dataplane.Session:
						c.session[key] = space.Union(c.session[key], p.Rest)
					}
				}
			}
		}
	}
	passes := s.walls(q, arrived.over)
	var out []row
	for _, p := range order {
		c := cells[p]
		r := row{
			group: p.group, opens: p.group, to: p.to, kind: Direct, over: space.Union(c.over...), nodes: c.nodes, arrived: arrived, sure: true,
			firewalls: passes(p.group, c.nodes),
		}
		parts, placements := s.partsOf(q, p.to, c.targets), len(s.groups[p.group].placements)
		r.oneWay = s.everywhere(c.oneWay, placements, parts)
		r.session = s.everywhere(c.session, placements, parts)
		if as == nil {
			out = append(out, r)
			continue
		}
		for _, a := range as {
			chained := r
			chained.group, chained.kind, chained.via = a, Relayed, via
			out = append(out, chained)
		}
	}
	return out
}

// everywhere is the packets that hold for every placement of sender and target.
func (s *Solution) everywhere(sets map[[2]int]packet.Set, placements int, parts []int) packet.Set {
	space := s.graph.Space
	var out packet.Set
	first := true
	for i := range placements {
		for _, part := range parts {
			set := sets[[2]int{i, part}]
			if first {
				out, first = set, false
			} else {
				out = space.Intersect(out, set)
			}
		}
	}
	return out
}

// targetName is how answers call a target node, and its placement where a workload's pods may run on several pools.
func (s *Solution) targetName(q *query, n dataplane.NodeID) (string, int) {
	name, ok := q.names[n]
	if !ok {
		name.to, name.placement = s.nameTarget(q, n)
		if q.names == nil {
			q.names = map[dataplane.NodeID]nodeName{}
		}
		q.names[n] = name
	}
	return name.to, name.placement
}

func (s *Solution) nameTarget(q *query, n dataplane.NodeID) (string, int) {
	p := s.graph.Nodes[n].Place
	if name := q.to.labels[n]; name != "" {
		return name, 0
	}
	if _, entry := q.to.entry[n]; entry {
		if _, also := q.to.nodes[n]; !also {
			if p.Kind == model.PlaceFirewall || p.Kind == model.PlaceFrontend {
				return s.placeRef(p), 0
			}
			return q.to.text, 0
		}
	}
	if p.Kind == model.PlacePod {
		return s.placeRef(p), int(n)
	}
	return s.placeRef(p), 0
}

// partsOf lists the placements of a target: for a workload every pool that its pods may run on, reached or not.
func (s *Solution) partsOf(q *query, to string, seen map[int]bool) []int {
	if q.parts == nil {
		q.parts = map[string][]int{}
		for n := range q.to.nodes {
			if name, part := s.targetName(q, n); part != 0 {
				q.parts[name] = append(q.parts[name], part)
			}
		}
	}
	parts := maps.Clone(seen)
	for _, part := range q.parts[to] {
		parts[part] = true
	}
	return slices.Sorted(maps.Keys(parts))
}

// without takes the exceptions of a query out of what arrives at a node. as names the first senders of a chain.
func (s *Solution) without(q *query, n dataplane.NodeID, set packet.Set, as []int) packet.Set {
	space := s.graph.Space
	for _, x := range q.except {
		out := x.service
		if x.to != nil {
			counts, ok := x.to.nodes[n]
			if !ok {
				counts, ok = x.to.entry[n]
			}
			if !ok {
				continue
			}
			out = space.Intersect(out, counts)
		}
		switch {
		case as != nil && slices.ContainsFunc(as, func(g int) bool { return !s.speaksOf(x, g) }):
			continue
		case as == nil && x.from != nil:
			out = space.Intersect(out, x.from.from)
		}
		set = space.Subtract(set, out)
	}
	return set
}

// groupsIn lists the senders of a set.
func (s *Solution) groupsIn(set packet.Set) []int {
	if set.Empty() {
		return nil
	}
	var out []int
	for _, r := range s.graph.Space.Origins(set) {
		for o := r.Lo; o <= r.Hi; o++ {
			out = append(out, s.groupOf[o])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// chain is how a relay was reached: over the relays before it, from some senders.
type chain struct {
	relays []int // ending in the relay itself
	groups []int // who reaches the first one
}

// chains finds, for each relay, shortest chains from the senders to it (AZ-REL-03): every sender that reaches the relay stands in one of
// them, since an exception may take out some senders and leave others.
func (s *Solution) chains(q *query, b dataplane.Bound) map[int][]chain {
	space := s.graph.Space
	f := q.floods(b)
	usable := func(r relay) bool {
		if b != dataplane.Over && len(r.open) > 0 {
			return false
		}
		if len(q.except) == 0 && space.Subset(r.from, q.from.from) {
			return false // the relay is among the senders itself: what it opens is in the direct rows
		}
		return !q.avoids(r.place)
	}
	reach := func(r relay, from packet.Set) packet.Set { return s.atRelay(f, r, from) }
	out := map[int][]chain{}
	stands := map[[2]int]bool{} // relay and sender
	var frontier, next []chain
	extend := func(before []int, i int, groups []int) {
		own := s.groupsIn(s.relays[i].from)
		fresh := slices.DeleteFunc(slices.Clone(groups), func(g int) bool { return stands[[2]int{i, g}] || slices.Contains(own, g) })
		if len(fresh) == 0 {
			return
		}
		for _, g := range fresh {
			stands[[2]int{i, g}] = true
		}
		c := chain{relays: append(slices.Clone(before), i), groups: fresh}
		out[i] = append(out[i], c)
		next = append(next, c)
	}
	for i, r := range s.relays {
		if usable(r) {
			extend(nil, i, s.groupsIn(reach(r, q.from.from)))
		}
	}
	for len(next) > 0 {
		frontier, next = next, nil
		for _, c := range frontier {
			last := s.relays[c.relays[len(c.relays)-1]]
			for j, r := range s.relays {
				if !slices.Contains(c.relays, j) && usable(r) && !reach(r, last.from).Empty() {
					extend(c.relays, j, c.groups)
				}
			}
		}
	}
	return out
}

// atRelay is what some senders open to a relay, in the bound of a flood.
func (s *Solution) atRelay(f *dataplane.Flood, r relay, from packet.Set) packet.Set {
	set := s.graph.Space.Intersect(s.graph.Space.Intersect(f.At(r.at), r.accept), from)
	return f.Sure(map[dataplane.NodeID]packet.Set{r.at: set})[r.at]
}

// relayedRows are the rows of chains: what the last relay opens to the target. What a sender opens over a chain that is certain is as
// certain as what the relay opens.
func (s *Solution) relayedRows(q *query) []row {
	over, sure := s.chains(q, dataplane.Over), s.chains(q, dataplane.OneWay)
	var out []row
	for i, r := range s.relays {
		var certain []int
		for _, c := range sure[i] {
			certain = append(certain, c.groups...)
			out = append(out, s.chainRows(q, r, c)...)
		}
		for _, c := range over[i] {
			c.groups = slices.DeleteFunc(slices.Clone(c.groups), func(g int) bool { return slices.Contains(certain, g) })
			for _, x := range s.chainRows(q, r, c) {
				x.oneWay, x.session, x.sure = packet.Set{}, packet.Set{}, false
				out = append(out, x)
			}
		}
	}
	return out
}

// chainRows are the rows of one chain. Senders of whom an exception speaks are asked for apart from the others.
func (s *Solution) chainRows(q *query, last relay, c chain) []row {
	var out []row
	for groups := c.groups; len(groups) > 0; {
		var alike, others []int
		for _, g := range groups {
			if slices.ContainsFunc(q.except, func(x exception) bool { return s.speaksOf(x, g) != s.speaksOf(x, groups[0]) }) {
				others = append(others, g)
			} else {
				alike = append(alike, g)
			}
		}
		out = append(out, s.directRows(q, last.from, alike, c.relays)...)
		out = append(out, s.elsewhereRows(q, last, alike, c.relays)...)
		groups = others
	}
	return out
}

// speaksOf reports whether an exception takes out all that a sender opens over a relay.
func (s *Solution) speaksOf(x exception, g int) bool {
	return x.from == nil || !x.from.named && !slices.ContainsFunc(s.groups[g].origins, func(o int) bool { return !slices.Contains(x.from.senders, o) })
}

// Reach answers "can from reach to", over every packet of the services.
func (s *Solution) Reach(from, to []model.Selector, services []model.PortService, direct bool) (*Reach, error) {
	a, err := s.target(from)
	if err != nil {
		return nil, err
	}
	b, err := s.target(to)
	if err != nil {
		return nil, err
	}
	q := s.newQuery(a, b)
	q.service, q.direct, q.sent = s.serviceSet(services), direct, true
	out := &Reach{BlockedBy: []Blocker{}, From: a.text, To: b.text, Service: servicesText(services)}
	rows := s.rows(q)
	out.Flows = s.flows(q, rows)
	if anyone(from) || anyone(to) {
		out.Zones = s.placed(q, rows)
	}
	for _, f := range out.Flows {
		if f.Verdict == Reachable {
			out.Verdict = Reachable
		}
	}
	var notes []string
	switch {
	case len(rows) == 0:
		out.Verdict = Unreachable
		out.BlockedBy, notes = s.blockers(q)
	default:
		out.Witness, notes = s.witness(q, rows)
		if out.Witness == nil && out.Verdict == Reachable {
			out.Verdict = Unknown // the interpreter did not confirm it: never shown as proof
		}
	}
	if out.Verdict == Unknown {
		notes = append(append(notes, s.doubts(q, rows)...), s.graph.Notes...)
	} else {
		notes = append(notes, s.notesOf(q)...)
	}
	if out.Verdict == Unknown {
		if out.Hinges = s.hinges(q); len(out.Hinges) > 0 {
			out.Settle = out.Hinges[0].Facts
		}
		notes = append(notes, out.Settle...)
	}
	out.Assumptions = first(s.assumptions(notes, out.Verdict == Unknown), out.Settle)
	if s.o.Explain {
		s.explain(q, out)
	}
	return out, s.Err()
}

// anyone reports whether selectors name everything.
func anyone(sels []model.Selector) bool {
	return slices.ContainsFunc(sels, func(x model.Selector) bool { return x.Kind == model.SelAny && !x.Not })
}

// placed says in which zones the ends of rows lie.
func (s *Solution) placed(q *query, rows []row) []Placed {
	if len(s.zones) == 0 {
		return nil
	}
	zones := map[string]string{}
	put := func(end, zone string) {
		if zones[end] == "" {
			zones[end] = zone
		}
	}
	for _, r := range rows {
		put(s.groups[r.group].ref, s.zoneOfSender(s.groups[r.group]))
		for _, n := range r.nodes {
			put(r.to, s.zoneOfNode(n))
		}
	}
	var out []Placed
	for _, end := range slices.Sorted(maps.Keys(zones)) {
		out = append(out, Placed{end, zones[end]})
	}
	return out
}

// zoneOfSender is the zone of a sender, "" when it is in none.
func (s *Solution) zoneOfSender(g group) string {
	if g.site.Place.Kind == model.PlaceInternet {
		return string(model.ZoneInternet)
	}
	for _, z := range s.zones {
		if slices.ContainsFunc(g.origins, func(o int) bool { return slices.Contains(z.senders, o) }) {
			return string(model.SelZone) + ":" + z.zone.Name
		}
	}
	return ""
}

// zoneOfNode is the zone of what receives at a node, "" when it is in none.
func (s *Solution) zoneOfNode(n dataplane.NodeID) string {
	if s.graph.Nodes[n].Place.Kind == model.PlaceInternet {
		return string(model.ZoneInternet)
	}
	for _, z := range s.zones {
		if _, ok := z.nodes[n]; ok {
			return string(model.SelZone) + ":" + z.zone.Name
		}
	}
	return ""
}

func servicesText(list []model.PortService) string {
	if len(list) == 0 {
		return "any"
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = v.String()
	}
	return strings.Join(texts, ", ")
}
