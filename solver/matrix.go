package solver

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// By is how a matrix groups endpoints.
type By string

const (
	ByZone     By = "zone"
	BySubnet   By = "subnet"
	ByNIC      By = "nic"
	ByEndpoint By = "endpoint"
	ByWorkload By = "workload"
)

// Bys lists the groupings in the order in which messages name them.
func Bys() []By { return []By{ByZone, BySubnet, ByNIC, ByEndpoint, ByWorkload} }

// side is one row or column of a matrix.
type side struct {
	name string
	end  *end
}

// Matrix answers every pair of a grouping. Pairs without a flow are left out.
func (s *Solution) Matrix(by By, services []model.PortService, direct bool) ([]Row, error) {
	sides, err := s.sides(by)
	if err != nil {
		return nil, err
	}
	m := s.newMatrix(sides, s.serviceSet(services), direct)
	rows := make([][]Row, len(sides)) // by sender
	for j, to := range sides {
		s.progress(j, len(sides), "matrix by "+string(by))
		c := m.column(to)
		for i, from := range sides {
			if i == j && by == ByZone {
				continue
			}
			rows[i] = append(rows[i], m.pair(c, i, from.name, to.name)...)
		}
	}
	s.progress(len(sides), len(sides), "matrix by "+string(by))
	return slices.Concat(append(rows, []Row{})...), s.Err()
}

// mostRuled bounds how many pairs of a matrix between selectors get the rules that let them pass.
const mostRuled = 200

// MatrixBetween answers the pairs of a grouping whose sender lies in one list of selectors and whose target in another, with the rules that
// let each pair's packets pass: a corner of the matrix, in detail. An end that a selector names in part stands for that part.
func (s *Solution) MatrixBetween(by By, from, to []model.Selector, services []model.PortService, direct bool) ([]Row, error) {
	a, err := s.target(from)
	if err != nil {
		return nil, err
	}
	b, err := s.target(to)
	if err != nil {
		return nil, err
	}
	sides, err := s.sides(by)
	if err != nil {
		return nil, err
	}
	var senders, targets []side
	for _, x := range sides {
		one, other := newEnd(x.end.text), newEnd(x.end.text)
		s.addSenders(one, slices.DeleteFunc(slices.Clone(x.end.senders), func(o int) bool { return !slices.Contains(a.senders, o) }))
		one.public = x.end.public
		if len(one.senders) > 0 {
			senders = append(senders, side{x.name, one})
		}
		for n, set := range x.end.nodes {
			if part := s.graph.Space.Intersect(set, b.nodes[n]); !part.Empty() {
				other.nodes[n] = part
			}
		}
		other.sites, other.public, other.labels = x.end.sites, x.end.public, x.end.labels
		if len(other.nodes) > 0 {
			targets = append(targets, side{x.name, other})
		}
	}
	m := s.newMatrix(senders, s.serviceSet(services), direct)
	out := []Row{}
	ruled := 0
	for i, one := range senders {
		s.progress(i, len(senders), "matrix by "+string(by))
		for _, other := range targets {
			if one.name == other.name && by == ByZone {
				continue
			}
			rows := m.pair(m.column(other), i, one.name, other.name)
			for j := range rows {
				if ruled == mostRuled {
					break
				}
				ruled++
				q := s.newQuery(one.end, other.end)
				q.service, q.direct = s.serviceSet(services), rows[j].Kind == Direct
				rows[j].Rules = s.rulesOf(q)
			}
			out = append(out, rows...)
		}
	}
	s.progress(len(senders), len(senders), "matrix by "+string(by))
	return out, s.Err()
}

// rulesOf lists the controls that the packets of a question pass, and by which rule.
func (s *Solution) rulesOf(q *query) []Control {
	x := &explainer{s: s, q: q, parts: map[string][]dataplane.Met{}}
	x.back = x.toTarget(x.world(dataplane.Hypothesis{}, nil))
	e := &Explanation{}
	x.passed(e)
	return e.Passed
}

func (s *Solution) progress(done, total int, what string) {
	if s.o.Progress != nil {
		s.o.Progress(done, total, what)
	}
}

// matrix answers pairs column by column: what arrives at a target is asked once, for all senders.
type matrix struct {
	s         *Solution
	sides     []side
	everyone  *query
	groups    [][]int // of each sender; nil where a sender has but a part of a group, or is asked for alone
	chains    []matrixChains
	printed   map[packet.Set]printedSet
	viaShared map[string][]string
}

// matrixChains are the chains of relays that a sender can open, by relay.
type matrixChains struct{ over, sure map[int][]chain }

type printedSet struct {
	packets []Packets
	total   uint64
}

func (s *Solution) newMatrix(sides []side, service packet.Set, direct bool) *matrix {
	m := &matrix{s: s, sides: sides, printed: map[packet.Set]printedSet{}, viaShared: map[string][]string{}}
	all := newEnd("")
	for _, x := range sides {
		s.addSenders(all, x.end.senders)
		q := s.newQuery(x.end, nil)
		groups := s.wholeGroups(x.end.senders)
		if x.end.public {
			groups = nil // what is certain of named public addresses is a matter of the pair
		}
		m.groups = append(m.groups, groups)
		if !direct && len(s.relays) > 0 {
			m.chains = append(m.chains, matrixChains{s.chains(q, dataplane.Over), s.chains(q, dataplane.OneWay)})
		}
	}
	m.everyone = s.newQuery(all, nil)
	m.everyone.service, m.everyone.direct = service, direct
	return m
}

// wholeGroups are the groups of some origins, or nil where the origins hold a part of a group only.
func (s *Solution) wholeGroups(origins []int) []int {
	count := map[int]int{}
	for _, o := range origins {
		count[s.groupOf[o]]++
	}
	out := make([]int, 0, len(count))
	for _, g := range slices.Sorted(maps.Keys(count)) {
		if count[g] != len(s.groups[g].origins) {
			return nil
		}
		out = append(out, g)
	}
	return out
}

// column is what every sender, and every relay, opens to one target.
type column struct {
	query   *query
	byGroup map[int][]row
	byRelay map[int][]row
}

func (m *matrix) column(to side) column {
	q := *m.everyone
	q.to, q.names, q.parts = to.end, nil, nil
	c := column{&q, map[int][]row{}, map[int][]row{}}
	for _, r := range m.s.directRows(&q, q.from.from, nil, nil) {
		c.byGroup[r.group] = append(c.byGroup[r.group], r)
	}
	if m.chains != nil {
		for i, relay := range m.s.relays {
			c.byRelay[i] = append(m.s.directRows(&q, relay.from, nil, nil), m.s.elsewhereRows(&q, relay, []int{0}, nil)...)
		}
	}
	return c
}

// rows are the rows of one pair, as Solution.rows has them; of a chain, whose senders do not show in a matrix, one row stands for all.
func (m *matrix) rows(c column, i int) []row {
	if m.groups[i] == nil {
		q := m.s.newQuery(m.sides[i].end, c.query.to)
		q.service, q.direct = c.query.service, c.query.direct
		return m.s.rows(q)
	}
	var out []row
	for _, g := range m.groups[i] {
		out = append(out, c.byGroup[g]...)
	}
	if m.chains != nil {
		for relay := range m.s.relays {
			var certain []int
			add := func(ch chain, sure bool) {
				for _, r := range c.byRelay[relay] {
					r.group, r.kind, r.via = ch.groups[0], Relayed, ch.relays
					if !sure {
						r.oneWay, r.session, r.sure = packet.Set{}, packet.Set{}, false
					}
					out = append(out, r)
				}
			}
			for _, ch := range m.chains[i].sure[relay] {
				certain = append(certain, ch.groups...)
				add(ch, true)
			}
			for _, ch := range m.chains[i].over[relay] {
				if slices.ContainsFunc(ch.groups, func(g int) bool { return !slices.Contains(certain, g) }) {
					add(ch, false)
				}
			}
		}
	}
	return m.s.tidy(out)
}

// way is the rows of a pair that are of one kind and pass the same firewalls or relays.
type way struct {
	kind         Kind
	via          []string
	over, oneWay packet.Set
}

// ways merges the rows of one pair: direct and relayed apart, what passes other firewalls or relays apart.
func (m *matrix) ways(c column, i int) []way { return m.s.waysOf(m.rows(c, i), m.via) }

func (s *Solution) waysOf(rows []row, viaOf func(row) []string) []way {
	space := s.graph.Space
	var ways []way
	var over, oneWay [][]packet.Set // by way
	for _, r := range rows {
		via := viaOf(r)
		at := slices.IndexFunc(ways, func(w way) bool { return w.kind == r.kind && slices.Equal(w.via, via) })
		if at < 0 {
			at = len(ways)
			ways, over, oneWay = append(ways, way{kind: r.kind, via: via}), append(over, nil), append(oneWay, nil)
		}
		over[at], oneWay[at] = append(over[at], r.over), append(oneWay[at], r.oneWay)
	}
	for i := range ways {
		// All at once: two zones have thousands of rows, and each union of two would be another large set.
		ways[i].over, ways[i].oneWay = space.Union(over[i]...), space.Union(oneWay[i]...)
	}
	slices.SortFunc(ways, func(a, b way) int { return cmp.Or(cmp.Compare(a.kind, b.kind), slices.Compare(a.via, b.via)) })
	return ways
}

// pair prints the ways of one pair, certain and possible apart.
func (m *matrix) pair(c column, i int, from, to string) []Row {
	space := m.s.graph.Space
	var out []Row
	for _, w := range m.ways(c, i) {
		for _, part := range []struct {
			set     packet.Set
			verdict Verdict
		}{{w.oneWay, Reachable}, {space.Subtract(w.over, w.oneWay), Unknown}} {
			if part.set.Empty() {
				continue
			}
			p := m.print(part.set)
			out = append(out, Row{Src: from, Dst: to, Verdict: part.verdict, Kind: w.kind, Via: w.via, Packets: p.packets, Total: p.total})
		}
	}
	return out
}

// via names what a row passes; equal lists are shared.
func (m *matrix) via(r row) []string {
	via := m.s.viaNames(r)
	key := strings.Join(via, "\n")
	if shared, ok := m.viaShared[key]; ok {
		return shared
	}
	m.viaShared[key] = via
	return via
}

// print prints a set whatever its sources, which are what the row is named after. Equal sets share what is printed.
func (m *matrix) print(set packet.Set) printedSet {
	set = m.s.graph.Space.Project(set, packet.Src)
	p, ok := m.printed[set]
	if !ok {
		p.packets, p.total = m.s.pairPackets(set)
		m.printed[set] = p
	}
	return p
}

// sides lists the rows of a matrix: groups of endpoints with something that sends or receives.
func (s *Solution) sides(by By) ([]side, error) {
	switch by {
	case ByZone:
		return s.zoneSides()
	case BySubnet, ByNIC, ByEndpoint, ByWorkload:
	default:
		var names []string
		for _, b := range Bys() {
			names = append(names, string(b))
		}
		return nil, fmt.Errorf("matrix by `%s`: want %s", by, strings.Join(names, ", "))
	}
	var order []string
	byName := map[string]*end{}
	named := func(name string) *end {
		if _, ok := byName[name]; !ok {
			byName[name] = newEnd(name)
			order = append(order, name)
		}
		return byName[name]
	}
	add := func(name string, site *dataplane.Site) {
		s.addWhole(named(name), func(x *dataplane.Site) bool { return x == site })
	}
	if by == ByNIC && !s.o.EachNIC {
		return nil, errors.New("matrix by nic: the project was solved without telling NICs apart (Options.EachNIC)")
	}
	for _, site := range s.graph.Sites {
		if site.Channel == ingressChannel || site.Place.Kind == model.PlacePlatform {
			continue
		}
		if site.Place.Kind == model.PlaceFarSide {
			// Ends outside the estate are address blocks, cut where the input tells them apart; what lies behind a gateway beside them is one end.
			for i, o := range s.graph.Origins {
				if o.Site == site {
					s.addOrigin(named(s.originRef(o)), i)
				}
			}
			continue
		}
		if by == ByNIC {
			for _, m := range site.Members {
				s.addBlock(named(s.placeRef(m.Place)), netip.PrefixFrom(m.Addr, m.Addr.BitLen()), func(x *dataplane.Site) bool { return x == site })
			}
		}
		switch {
		case by == BySubnet && site.Subnet != "":
			add(s.placeRef(model.Place{Kind: model.PlaceSubnet, ID: site.Subnet}), site)
		case by == ByNIC && (site.Place.Kind == model.PlaceNIC && len(site.Members) == 0 || outside(site)):
			add(s.siteRef(site), site)
		case by == ByWorkload && (site.Place.Kind == model.PlacePod || outside(site)):
			add(s.siteRef(site), site)
		case by == ByEndpoint, by == BySubnet && outside(site):
			add(s.siteRef(site), site)
		}
	}
	if !slices.ContainsFunc(order, func(name string) bool { return !slices.ContainsFunc(byName[name].sites, outside) }) {
		return nil, fmt.Errorf("matrix by %s: the input holds no %s that sends or receives", by, by)
	}
	slices.Sort(order)
	out := make([]side, len(order))
	for i, name := range order {
		out[i] = side{name, byName[name]}
	}
	return out, nil
}

// outside reports whether a site lies outside the estate: such ends stand in every matrix.
func outside(site *dataplane.Site) bool {
	return site.Place.Kind == model.PlaceInternet || site.Place.Kind == model.PlaceFarSide || site.Place.Kind == model.PlaceUnknown
}

func (s *Solution) zoneSides() ([]side, error) {
	if len(s.zones) == 0 {
		return nil, fmt.Errorf("matrix by zone: no zones are declared")
	}
	names := []string{string(model.ZoneInternet)}
	for _, z := range s.zones {
		names = append(names, z.zone.Name)
	}
	var out []side
	for _, n := range names {
		e := newEnd(n)
		if err := s.addZone(e, n); err != nil {
			return nil, err
		}
		if n != string(model.ZoneInternet) {
			n = string(model.SelZone) + ":" + n
		}
		out = append(out, side{n, e})
	}
	return out, nil
}
