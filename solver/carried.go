package solver

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// Carried is a rule that lets packets of the estate's flows pass, as over has them (docs/pci/decisions.md, 8.2). Relays open connections of their
// own: each leg of a chain is a flow.
type Carried struct {
	Stage  string // as the interpreter calls it
	Rule   string // as Azure or Kubernetes prints it
	Source string // file:line
	Flows  []CarriedFlow
}

// CarriedFlow is what a rule lets pass between two zones, as it is at the rule.
type CarriedFlow struct {
	From, To string // `internet`, `platform`, `zone:Z`, or "" for what is in none
	Services []model.PortService
}

// Platform is what answers call the sender of health probes and the like.
const Platform = "platform"

// CarriedBy lists the rules that let packets pass, with the zones of both ends. Rules of relays, load balancers and DNAT are not among them:
// they are no filters.
func (s *Solution) CarriedBy() []Carried {
	c := newCarrying(s)
	f, all := s.flood(dataplane.Over), s.graph.Space.All()
	for _, t := range s.zoneTargets() {
		c.add(f.Met(f.Back(t.nodes, all), true), t.name)
	}
	return c.list()
}

// CarriedBeyond lists the rules that let packets pass which have another sender, target or service than those that are allowed; an empty
// part allows everything. What a selector names as an entry, such as a load balancer, stands for what is behind it. Errors are those of selectors.
func (s *Solution) CarriedBeyond(allowed model.Allowed) ([]Carried, error) {
	space, f := s.graph.Space, s.flood(dataplane.Over)
	beyond := map[dataplane.NodeID]packet.Set{} // per node, what is outside the allowance
	from := packet.Set{}
	if len(allowed.From) > 0 {
		e, err := s.target(allowed.From)
		if err != nil {
			return nil, err
		}
		from = space.Complement(space.Union(e.from, s.graph.From(s.forwarders(e.senders)...)))
	}
	services := space.Complement(s.serviceSet(allowed.Services))
	var to *end
	if len(allowed.To) > 0 {
		var err error
		if to, err = s.target(allowed.To); err != nil {
			return nil, err
		}
	}
	c := newCarrying(s)
	for _, t := range s.zoneTargets() {
		clear(beyond)
		for n, set := range t.nodes {
			out := space.Union(from, services)
			if to != nil {
				inside := to.nodes[n]
				for e, counts := range to.entry { // what goes on from an entry is inside
					inside = space.Union(inside, f.Through(e, counts)[n])
				}
				out = space.Union(out, space.Complement(inside))
			}
			if out = space.Intersect(out, set); !out.Empty() {
				beyond[n] = out
			}
		}
		c.add(f.Met(f.Back(beyond, space.All()), true), t.name)
	}
	return c.list(), nil
}

// forwarders adds to senders what forwards in their name: an ingress controller sends what it was asked for from a site of its own.
func (s *Solution) forwarders(senders []int) []int {
	out := slices.Clone(senders)
	places := map[model.Place]bool{}
	for _, o := range senders {
		places[s.graph.Origins[o].Site.Place.Key()] = true
	}
	for i, o := range s.graph.Origins {
		if o.Site.Channel == ingressChannel && places[o.Site.Place.Key()] {
			out = append(out, i)
		}
	}
	return out
}

// zoneTarget is what receives in a zone.
type zoneTarget struct {
	name  string
	nodes map[dataplane.NodeID]packet.Set
}

// zoneTargets are the receivers of every zone, of the internet, and of no zone.
func (s *Solution) zoneTargets() []zoneTarget {
	space := s.graph.Space
	taken := map[dataplane.NodeID]packet.Set{}
	out := []zoneTarget{}
	for _, z := range s.zones {
		out = append(out, zoneTarget{string(model.SelZone) + ":" + z.zone.Name, z.nodes})
		for n, set := range z.nodes {
			taken[n] = space.Union(taken[n], set)
		}
	}
	rest := map[bool]map[dataplane.NodeID]packet.Set{true: {}, false: {}}
	for _, site := range s.graph.Sites {
		if site.Receive < 0 {
			continue
		}
		if left := space.Subtract(space.All(), taken[site.Receive]); !left.Empty() {
			rest[site.Place.Kind == model.PlaceInternet][site.Receive] = left
		}
	}
	return append(out, zoneTarget{string(model.ZoneInternet), rest[true]}, zoneTarget{"", rest[false]})
}

// carrying collects what rules let pass.
type carrying struct {
	s     *Solution
	zones []string // of each origin
	sets  map[carriedKey]packet.Set
}

type carriedKey struct{ stage, rule, source, from, to string }

func newCarrying(s *Solution) *carrying {
	c := &carrying{s: s, sets: map[carriedKey]packet.Set{}, zones: make([]string, len(s.graph.Origins))}
	for i, o := range s.graph.Origins {
		switch o.Site.Place.Kind {
		case model.PlaceInternet:
			c.zones[i] = string(model.ZoneInternet)
		case model.PlacePlatform:
			c.zones[i] = Platform
		default:
		}
	}
	for _, z := range s.zones { // a zone may hold addresses of the internet
		for _, o := range s.forwarders(z.senders) {
			c.zones[o] = string(model.SelZone) + ":" + z.zone.Name
		}
	}
	return c
}

func (c *carrying) add(met []dataplane.Met, to string) {
	space := c.s.graph.Space
	for _, m := range met {
		if m.Control.Kind == dataplane.SettingControl || m.Part.Rule == "" {
			continue
		}
		for _, part := range space.ByOrigin(m.Packets) {
			for o := part.Origins.Lo; o <= part.Origins.Hi; o++ {
				k := carriedKey{m.Control.Stage, m.Part.Rule, sourceText(m.Part.Source), c.zones[o], to}
				c.sets[k] = space.Union(c.sets[k], part.Rest)
			}
		}
	}
}

// list prints what was collected, in the order of sources and rules.
func (c *carrying) list() []Carried {
	keys := slices.SortedFunc(maps.Keys(c.sets), func(a, b carriedKey) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.rule, b.rule), cmp.Compare(a.stage, b.stage), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var out []Carried
	for _, k := range keys {
		if n := len(out); n == 0 || out[n-1].Source != k.source || out[n-1].Rule != k.rule || out[n-1].Stage != k.stage {
			out = append(out, Carried{Stage: k.stage, Rule: k.rule, Source: k.source})
		}
		f := CarriedFlow{From: k.from, To: k.to, Services: c.services(c.sets[k])}
		last := &out[len(out)-1]
		last.Flows = append(last.Flows, f)
	}
	return out
}

// services are the protocols and destination ports of a set.
func (c *carrying) services(set packet.Set) []model.PortService {
	space := c.s.graph.Space
	var others []packet.Field
	for i := range c.s.graph.Universe.TagNames() {
		others = append(others, packet.Tag(i))
	}
	set = space.Project(set, append(others, packet.Origin, packet.Src, packet.Dst, packet.SPort, packet.Name)...)
	boxes, _ := space.Boxes(set, 1<<16) // protocols and ports alone: few
	var out []model.PortService
	for _, b := range boxes {
		for _, p := range []model.Protocol{model.TCP, model.UDP, model.SCTP, model.ICMP, model.ICMPv6, model.ESP, model.AH} {
			if b.Protocol != nil && !slices.ContainsFunc(b.Protocol, func(r packet.Range) bool { return r.Lo <= uint32(p) && uint32(p) <= r.Hi }) {
				continue
			}
			ports := b.DPort
			if ports == nil {
				ports = []packet.Range{{Lo: 0, Hi: 65535}}
			}
			if !p.HasPorts() {
				ports = ports[:1]
			}
			for _, r := range ports {
				x := model.PortService{Protocol: p}
				if p.HasPorts() {
					x.Ports, x.SourcePorts = model.PortRange{First: uint16(r.Lo), Last: uint16(r.Hi)}, model.AllPorts
				}
				out = append(out, x)
			}
		}
	}
	slices.SortFunc(out, func(a, b model.PortService) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Ports.First, b.Ports.First), cmp.Compare(a.Ports.Last, b.Ports.Last))
	})
	return slices.Compact(out)
}
