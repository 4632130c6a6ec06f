package solver

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// zonePart is what belongs to one zone: senders, and receivers with the packets that count there. The most specific member of a zone
// decides (docs/intent.md).
type zonePart struct {
	zone    model.Zone
	senders []int
	nodes   map[dataplane.NodeID]packet.Set
	sites   []*dataplane.Site
	public  bool // a member names public addresses
}

// Endpoint is a member of a zone, or an endpoint that belongs to none.
type Endpoint struct {
	Ref      string
	Place    model.Place
	Subnet   model.ID
	Prefixes []netip.Prefix
	Parts    []string // of a workload: the node pools that it may run on, sorted
}

// ZoneMembers is a zone with what belongs to it. The first of Zones is the internet.
type ZoneMembers struct {
	Zone    model.Zone
	Members []Endpoint
}

// rank orders member kinds, most specific first.
func rank(k model.SelectorKind) int {
	switch k {
	case model.SelPod:
		return 0
	case model.SelNamespace:
		return 1
	case model.SelNodePool:
		return 3
	case model.SelCluster:
		return 4
	case model.SelSubnet:
		return 5
	case model.SelVNet:
		return 6
	case model.SelCIDR:
		return 7
	default:
		return 2 // nic, vm, ip, endpoint, service, apiserver, appgw, frontdoor, apim, lb, firewall, bastion, gateway
	}
}

type zoneMember struct {
	zone int
	sel  model.Selector
	end  *end
}

// assignZones gives every endpoint to the zone of its most specific member. A tie between two zones is an error.
func (s *Solution) assignZones() {
	if s.Project.Intent == nil {
		return
	}
	var members []zoneMember
	for i, z := range s.Project.Intent.Zones {
		s.zones = append(s.zones, zonePart{zone: z, nodes: map[dataplane.NodeID]packet.Set{}})
		for _, sel := range z.Members {
			e, err := s.zoneMember(z, sel)
			if err != nil {
				s.errs = append(s.errs, err)
				continue
			}
			members = append(members, zoneMember{i, sel, e})
		}
		if len(z.Members) == 0 && len(z.PublicAddresses) == 0 {
			s.errs = append(s.errs, &model.InputError{Source: z.Source, Field: "zones." + z.Name + ".members", Found: "no members", Accepted: "at least one selector"})
		}
	}
	slices.SortStableFunc(members, func(a, b zoneMember) int {
		return cmp.Or(cmp.Compare(rank(a.sel.Kind), rank(b.sel.Kind)), cmp.Compare(b.bits(), a.bits()))
	})
	space := s.graph.Space
	sender := map[int]zoneMember{}
	taken := map[dataplane.NodeID]packet.Set{}
	holder := map[dataplane.NodeID][]zoneMember{}
	tied := map[string]bool{}
	tie := func(a, b zoneMember, what string) {
		key := fmt.Sprint(min(a.zone, b.zone), max(a.zone, b.zone), what)
		if a.zone == b.zone || !a.sameRank(b) || tied[key] {
			return
		}
		tied[key] = true
		s.errs = append(s.errs, &model.InputError{
			Source: b.sel.Source, Field: "zones." + s.zones[b.zone].zone.Name + ".members", Found: b.sel.Text,
			Accepted: fmt.Sprintf("each endpoint in one zone: %s is in zone `%s` by `%s` (%s) as well", what, s.zones[a.zone].zone.Name, a.sel.Text, a.sel.Source),
		})
	}
	for _, m := range members {
		z := &s.zones[m.zone]
		z.public = z.public || m.end.public
		for _, o := range m.end.senders {
			if have, ok := sender[o]; ok {
				tie(have, m, s.groups[s.groupOf[o]].ref)
				continue
			}
			sender[o] = m
			z.senders = append(z.senders, o)
		}
		for _, n := range slices.Sorted(maps.Keys(m.end.nodes)) {
			set := m.end.nodes[n]
			fresh := space.Subtract(set, taken[n])
			if fresh.Empty() || fresh != set {
				for _, have := range holder[n] {
					if !space.Disjoint(have.end.nodes[n], set) {
						tie(have, m, s.nodeRef(n))
					}
				}
			}
			if fresh.Empty() {
				continue
			}
			taken[n] = space.Union(taken[n], fresh)
			holder[n] = append(holder[n], m)
			z.nodes[n] = space.Union(z.nodes[n], fresh)
		}
		for _, site := range m.end.sites {
			if !slices.Contains(z.sites, site) {
				z.sites = append(z.sites, site)
			}
		}
	}
	for i := range s.zones {
		slices.Sort(s.zones[i].senders)
	}
}

func (m zoneMember) bits() int {
	if m.sel.Prefix.IsValid() {
		return m.sel.Prefix.Bits()
	}
	return 0
}

func (m zoneMember) sameRank(n zoneMember) bool {
	return rank(m.sel.Kind) == rank(n.sel.Kind) && m.bits() == n.bits()
}

// zoneMember resolves a member. Address blocks of an external zone stand behind its gateway; without one, behind any gateway of the
// estate (AZ-GW-11).
func (s *Solution) zoneMember(z model.Zone, sel model.Selector) (*end, error) {
	if !z.Kind.External() || sel.Kind != model.SelCIDR && sel.Kind != model.SelIP {
		return s.resolve(sel)
	}
	gateways := map[string]bool{}
	if z.Behind != nil {
		found, err := s.Project.Estate.Find(*z.Behind)
		if err != nil {
			return nil, &model.InputError{Source: z.Behind.Source, Field: "zones." + z.Name + ".behind", Err: err}
		}
		for _, f := range found {
			gateways[f.Resource.ResourceID().Key()] = true
		}
	}
	e := newEnd(sel.Text)
	s.addBlock(e, sel.Prefix, func(x *dataplane.Site) bool {
		return x.Place.Kind == model.PlaceFarSide && (z.Behind == nil || gateways[x.Place.ID.Key()]) ||
			x.Place.Kind == model.PlaceUnknown && z.Behind == nil || x.Place.Kind == model.PlaceInternet && z.Behind == nil
	})
	if len(e.senders) == 0 && len(e.nodes) == 0 {
		where := "any gateway of the input"
		if z.Behind != nil {
			where = "`" + z.Behind.Text + "`"
		}
		return nil, &model.InputError{
			Source: sel.Source, Field: "zones." + z.Name + ".members", Found: sel.Text,
			Accepted: "a block that lies behind " + where + ": no connection there leads anywhere",
		}
	}
	return e, nil
}

// addZone adds a declared zone, or the built-in internet.
func (s *Solution) addZone(e *end, name string) error {
	if name == string(model.ZoneInternet) {
		s.addWhole(e, func(x *dataplane.Site) bool { return x.Place.Kind == model.PlaceInternet })
		return nil
	}
	var names []string
	for _, z := range s.zones {
		names = append(names, z.zone.Name)
		if z.zone.Name != name {
			continue
		}
		s.addSenders(e, z.senders)
		e.public = e.public || z.public
		for n, set := range z.nodes {
			e.nodes[n] = s.graph.Space.Union(e.nodes[n], set)
		}
		e.sites = append(e.sites, z.sites...)
		return nil
	}
	if len(names) == 0 {
		return fmt.Errorf("selector `zone:%s`: no zones are declared", name)
	}
	if near := model.Nearest(name, names); near != "" {
		return fmt.Errorf("selector `zone:%s`: no such zone; did you mean `zone:%s`?", name, near)
	}
	return fmt.Errorf("selector `zone:%s`: no such zone; declared are %s", name, strings.Join(names, ", "))
}

// nodeRef prints the place of a node.
func (s *Solution) nodeRef(n dataplane.NodeID) string { return s.placeRef(s.graph.Nodes[n].Place) }

// Zones lists the internet and the declared zones with their members, and the endpoints of the estate that are in no zone.
func (s *Solution) Zones() (zones []ZoneMembers, unzoned []Endpoint) {
	zones = append(zones, ZoneMembers{Zone: model.Zone{Name: string(model.ZoneInternet), Kind: model.ZoneInternet}})
	in := map[*dataplane.Site]bool{}
	for _, z := range s.zones {
		m := ZoneMembers{Zone: z.zone}
		for _, site := range z.sites {
			owned := false
			if site.Receive >= 0 {
				_, owned = z.nodes[site.Receive]
			}
			for _, o := range z.senders {
				owned = owned || s.graph.Origins[o].Site == site
			}
			if owned {
				in[site] = true
				m.Members = append(m.Members, s.endpoint(site))
			}
		}
		m.Members = sortEndpoints(m.Members)
		zones = append(zones, m)
	}
	for _, site := range s.graph.Sites {
		switch site.Place.Kind {
		case model.PlaceInternet, model.PlacePlatform:
			continue
		default:
		}
		if !in[site] && site.Channel != ingressChannel {
			unzoned = append(unzoned, s.endpoint(site))
		}
	}
	return zones, sortEndpoints(unzoned)
}

func (s *Solution) endpoint(site *dataplane.Site) Endpoint {
	e := Endpoint{Ref: s.siteRef(site), Place: site.Place, Subnet: site.Subnet}
	for _, p := range site.Prefixes {
		if !model.SymbolBlock().Overlaps(p) {
			e.Prefixes = append(e.Prefixes, p)
		}
	}
	if site.Place.Part != "" {
		e.Parts = []string{site.Place.Part}
	}
	return e
}

func sortEndpoints(list []Endpoint) []Endpoint {
	slices.SortStableFunc(list, func(a, b Endpoint) int { return cmp.Or(cmp.Compare(a.Ref, b.Ref), a.Place.Compare(b.Place)) })
	var out []Endpoint
	for _, e := range list {
		if n := len(out) - 1; n >= 0 && out[n].Ref == e.Ref {
			out[n].Parts = append(out[n].Parts, e.Parts...)
			continue
		}
		out = append(out, e)
	}
	for i := range out {
		slices.Sort(out[i].Parts)
		out[i].Parts = slices.Compact(out[i].Parts)
	}
	return out
}
