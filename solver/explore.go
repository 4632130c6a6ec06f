package solver

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Explored is what the ends of an estate can open to each other, answered ahead for readers who cannot ask the solver. A pair says what
// [Solution.Reach] says of the same two selectors, for every service at once.
type Explored struct {
	Ends  []string // selectors: the internet and the zones first, then what the estate holds
	Zones int      // how many ends lead the list that are zones
	// Whole says that every pair of two different ends is answered; else those are of which one is a zone.
	Whole bool
	Left  int // how many ends of the estate are left out: pairs with them are not answered
	Pairs []ExploredPair
}

// ExploredPair is one answered pair of which something is or may be delivered, or of which it is known what stands in the way. For every
// other pair that is answered it is proved that nothing can be delivered.
type ExploredPair struct {
	From, To  int // places in Ends
	Ways      []ExploredWay
	BlockedBy []Blocker // of two zones without a way: what stops packets
}

// ExploredWay is packets of one kind that pass the same firewalls and relays, all of them certain or all of them possible.
type ExploredWay struct {
	Kind     Kind
	Via      []string
	Verdict  Verdict // Unknown: possible
	Services []Ports
	Total    uint64 // how many Services there would be without a cap; 0 where all are there

	// Of two zones alone, as many as the limits allow:
	Shown       bool         // a packet was looked for
	Witness     *Witness     // a packet of the way that the interpreter confirms
	Assumptions []Assumption // of a possible way: what it hangs on
}

// Ports is protocols with the ports that they have at the target, as [Packets] prints both.
type Ports struct {
	Protocol string
	DPort    []string
}

// Answered reports whether a pair of ends is answered. A zone is not asked about itself.
func (x *Explored) Answered(from, to int) bool {
	return from != to && (x.Whole || from < x.Zones || to < x.Zones)
}

// ExploreLimits bounds what [Solution.Explore] does. Pairs of two zones are answered in any case.
type ExploreLimits struct {
	Pairs   int // that are answered
	Packets int // ways between zones that get a packet: those of cardholder data first
	Alike   int // of these, how many of one kind between two zones
	Walls   int // pairs of zones without a way of which it is said what stops packets
}

// Explore answers the pairs of zones, subnets, workloads and other endpoints, as many as the limits allow: all of them, else those with a
// zone, else those of two zones.
func (s *Solution) Explore(limits ExploreLimits) (*Explored, error) {
	sides, zones, err := s.exploredSides()
	if err != nil {
		return nil, err
	}
	x := &Explored{Zones: zones, Whole: true}
	if len(sides)*len(sides) > limits.Pairs {
		x.Whole = false
		if 2*zones*len(sides) > limits.Pairs {
			x.Left = len(sides) - zones
			sides = sides[:zones]
		}
	}
	for _, e := range sides {
		x.Ends = append(x.Ends, e.name)
	}
	pairs := make([][]ExploredPair, len(sides)) // by sender
	for _, p := range s.exploreZones(sides[:zones], limits) {
		pairs[p.From] = append(pairs[p.From], p)
	}
	m := s.newMatrix(sides, s.graph.Space.All(), false)
	for j, to := range sides {
		s.progress(j, len(sides), "explore")
		c := m.column(to)
		for i := range sides {
			if !x.Answered(i, j) || i < zones && j < zones {
				continue
			}
			if ways := s.exploreWays(m.ways(c, i)); len(ways) > 0 {
				pairs[i] = append(pairs[i], ExploredPair{From: i, To: j, Ways: ways})
			}
		}
	}
	s.progress(len(sides), len(sides), "explore")
	for _, list := range pairs {
		slices.SortFunc(list, func(a, b ExploredPair) int { return cmp.Compare(a.To, b.To) })
	}
	x.Pairs = slices.Concat(pairs...)
	return x, s.Err()
}

// exploredSides lists the ends, each as a question resolves its selector: one that selects nothing is no end.
func (s *Solution) exploredSides() (sides []side, zones int, err error) {
	if len(s.zones) > 0 {
		if sides, err = s.zoneSides(); err != nil {
			return nil, 0, err
		}
		sides = slices.DeleteFunc(sides, func(x side) bool { return len(x.end.senders)+len(x.end.nodes) == 0 })
	}
	zones = len(sides)
	var names []string
	for _, sub := range s.Project.Estate.Subnets {
		names = append(names, s.subnetRef(sub.ID))
	}
	for _, site := range s.graph.Sites {
		if site.Channel != ingressChannel && site.Place.Kind != model.PlacePlatform && !outside(site) {
			names = append(names, s.siteRef(site))
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		sel, err := model.ParseSelector(name)
		if err != nil {
			continue // nobody can ask for it
		}
		e, err := s.target([]model.Selector{sel})
		if err != nil {
			continue // it neither sends nor receives, or its name is ambiguous
		}
		sides = append(sides, side{name, e})
	}
	return sides, zones, nil
}

func (s *Solution) exploreWays(ways []way) []ExploredWay {
	space := s.graph.Space
	var out []ExploredWay
	for _, w := range ways {
		for _, part := range []struct {
			set     packet.Set
			verdict Verdict
		}{{w.oneWay, Reachable}, {space.Subtract(w.over, w.oneWay), Unknown}} {
			if part.set.Empty() {
				continue
			}
			e := ExploredWay{Kind: w.kind, Via: w.via, Verdict: part.verdict}
			e.Services, e.Total = s.portsAtTarget(part.set)
			out = append(out, e)
		}
	}
	return out
}

// exploreZones answers the pairs of zones, with a packet for each way and what stands where there is none, within the limits.
func (s *Solution) exploreZones(zones []side, limits ExploreLimits) []ExploredPair {
	var out []ExploredPair
	for i := range zones {
		for j := range zones {
			if i != j {
				out = append(out, ExploredPair{From: i, To: j})
			}
		}
	}
	// Where not all can be shown, cardholder data counts more.
	rank := func(i int) int {
		for _, z := range s.zones {
			if string(model.SelZone)+":"+z.zone.Name == zones[i].name && (z.zone.Kind == model.ZoneCDE || z.zone.Kind == model.ZoneData) {
				return 0
			}
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b ExploredPair) int {
		return cmp.Compare(min(rank(a.From), rank(a.To)), min(rank(b.From), rank(b.To)))
	})
	for n := range out {
		p := &out[n]
		q := s.newQuery(zones[p.From].end, zones[p.To].end)
		rows := s.rows(q)
		if len(rows) == 0 {
			if limits.Walls--; limits.Walls >= 0 {
				p.BlockedBy, _ = s.blockers(q)
			}
			continue
		}
		p.Ways = s.exploreWays(s.waysOf(rows, s.viaNames))
		alike := map[Kind]int{}
		for i := range p.Ways {
			w := &p.Ways[i]
			kind := w.Kind
			if w.Verdict == Unknown {
				kind = ""
			}
			if alike[kind]++; alike[kind] > limits.Alike || limits.Packets == 0 {
				continue
			}
			limits.Packets--
			w.Shown = true
			of := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.kind != w.Kind || !slices.Equal(s.viaNames(r), w.Via) })
			s.prove(w, q, of)
		}
	}
	return slices.DeleteFunc(out, func(p ExploredPair) bool { return len(p.Ways)+len(p.BlockedBy) == 0 })
}

// prove finds a packet for a way among its rows. A way that is certain for the solver and that the interpreter does not confirm is not known.
func (s *Solution) prove(w *ExploredWay, q *query, rows []row) {
	space := s.graph.Space
	if w.Verdict == Unknown {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return space.Subset(r.over, r.oneWay) })
		w.Assumptions = s.assumptions(append(s.doubts(q, rows), s.graph.Notes...), true)
		for i := range rows {
			rows[i].over, rows[i].oneWay, rows[i].session = space.Subtract(rows[i].over, rows[i].oneWay), packet.Set{}, packet.Set{}
		}
	} else {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.oneWay.Empty() })
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(quality(b), quality(a)) })
	const tries = 3
	for _, r := range rows[:min(tries, len(rows))] {
		if w.Witness, _ = s.rowWitness(q, r); w.Witness != nil {
			return
		}
	}
	w.Verdict = Unknown
}

// portsAtTarget prints the protocols and ports of a set, whatever else its packets hold.
func (s *Solution) portsAtTarget(set packet.Set) ([]Ports, uint64) {
	list, total := s.graph.Space.Boxes(s.graph.Space.Project(set, s.allBut(packet.Protocol, packet.DPort)...), boxCap)
	var out []Ports
	for _, b := range list {
		out = append(out, Ports{Protocol: protocols(b.Protocol), DPort: ports(b.DPort)})
	}
	if total <= uint64(len(out)) {
		total = 0
	}
	return out, total
}

// FlowQuestion asks for a packet of what some endpoints open to others.
type FlowQuestion struct {
	From, To []string // endpoints, as a matrix by endpoint names them
	Kind     Kind     // "" for either
	Unknown  bool     // a possible packet, not a certain one
}

// Examples finds a packet for each question, nil where there is none that the interpreter confirms.
func (s *Solution) Examples(questions []FlowQuestion) ([]*ExploredWay, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	sides, err := s.sides(ByEndpoint)
	if err != nil {
		return nil, err
	}
	byName := map[string]*end{}
	for _, x := range sides {
		byName[x.name] = x.end
	}
	join := func(names []string) *end {
		out := newEnd(strings.Join(names, ", "))
		for _, n := range names {
			e := byName[n]
			if e == nil {
				continue
			}
			s.addSenders(out, e.senders)
			for node, set := range e.nodes {
				out.nodes[node] = s.graph.Space.Union(out.nodes[node], set)
			}
			out.sites, out.public = append(out.sites, e.sites...), out.public || e.public
		}
		return out
	}
	out := make([]*ExploredWay, len(questions))
	for i, x := range questions {
		q := s.newQuery(join(x.From), join(x.To))
		if q.direct = x.Kind == Direct; len(q.from.senders) == 0 || len(q.to.nodes) == 0 {
			continue
		}
		rows := slices.DeleteFunc(s.rows(q), func(r row) bool { return x.Kind != "" && r.kind != x.Kind })
		var best *ExploredWay
		for _, w := range s.exploreWays(s.waysOf(rows, s.viaNames)) {
			if (w.Verdict == Unknown) == x.Unknown {
				best = &w
				break
			}
		}
		if best == nil {
			continue
		}
		s.prove(best, q, slices.DeleteFunc(rows, func(r row) bool { return r.kind != best.Kind || !slices.Equal(s.viaNames(r), best.Via) }))
		if best.Witness != nil {
			out[i] = best
		}
	}
	return out, s.Err()
}
