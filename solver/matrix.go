package solver

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
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
	out := []Row{}
	svc := s.serviceSet(services)
	for i, from := range sides {
		s.progress(i, len(sides), "matrix by "+string(by))
		for _, to := range sides {
			if from.name == to.name && by == ByZone {
				continue
			}
			q := s.newQuery(from.end, to.end)
			q.service, q.direct = svc, direct
			out = append(out, s.pair(q, from.name, to.name)...)
		}
	}
	s.progress(len(sides), len(sides), "matrix by "+string(by))
	return out, s.Err()
}

func (s *Solution) progress(done, total int, what string) {
	if s.o.Progress != nil {
		s.o.Progress(done, total, what)
	}
}

// pair merges the rows of one pair: direct and relayed apart, certain and possible apart.
func (s *Solution) pair(q *query, from, to string) []Row {
	rows := s.rows(q)
	space := s.graph.Space
	type key struct {
		kind Kind
		via  string
	}
	merged := map[key]row{}
	var order []key
	for _, r := range rows {
		k := key{r.kind, fmt.Sprint(s.viaNames(r))}
		m, ok := merged[k]
		if !ok {
			order = append(order, k)
			m = row{group: r.group, to: to, kind: r.kind, via: r.via, firewalls: r.firewalls}
		}
		m.over, m.oneWay = space.Union(m.over, r.over), space.Union(m.oneWay, r.oneWay)
		merged[k] = m
	}
	slices.SortFunc(order, func(a, b key) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.via, b.via)) })
	var out []Row
	for _, k := range order {
		for _, f := range s.pairFlows(merged[k]) {
			out = append(out, Row{Src: from, Dst: to, Verdict: f.Verdict, Kind: f.Kind, Via: f.Via, Packets: f.Packets, Total: f.Total})
		}
	}
	return out
}

// pairFlows prints a merged row without its sources: those are what the row is named after.
func (s *Solution) pairFlows(r row) []Flow {
	space := s.graph.Space
	var out []Flow
	for _, part := range []struct {
		set     bool
		verdict Verdict
	}{{true, Reachable}, {false, Unknown}} {
		set := r.oneWay
		if !part.set {
			set = space.Subtract(r.over, r.oneWay)
		}
		if set.Empty() {
			continue
		}
		f := Flow{Verdict: part.verdict, Kind: r.kind, Via: s.viaNames(r)}
		f.Packets, f.Total = s.pairPackets(set)
		out = append(out, f)
	}
	return out
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
			// Ends outside the estate are address blocks, cut where the input tells them apart.
			for _, o := range s.graph.Origins {
				for _, p := range o.Prefixes {
					if o.Site == site {
						s.addBlock(named(blockRef(p)), p, func(x *dataplane.Site) bool { return x == site })
					}
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
		case by == ByNIC && (site.Place.Kind == model.PlaceNIC || outside(site)):
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
