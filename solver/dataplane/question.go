package dataplane

import (
	"net/netip"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// Block is the address classes of a block that was named as a question when the graph was built; symbols that may lie in it are
// included. A block that was not is a bug of the caller.
func (g *Graph) Block(block netip.Prefix) []packet.Range {
	a, ok := g.planner.questions[block]
	if !ok {
		panic("dataplane: block " + block.String() + " is no question of this run") // INVARIANT: callers list their questions first
	}
	return g.Universe.Addrs(a)
}

// BlockAt is the address classes that a block means at a site: behind a translation, the addresses that the site's own packets carry as
// well (AZ-GW-12).
func (g *Graph) BlockAt(s *Site, block netip.Prefix) []packet.Range {
	if inner, ok := g.planner.innerBlocks[s][block]; ok {
		return g.Universe.Addrs(inner)
	}
	return g.Block(block)
}

// TagPackets is the packets whose far address is in a service tag, or whose name is in an FQDN tag of that name, or both
// (AZ-FW-34, AZ-TAG-09); nothing when the run knows no such tag.
func (g *Graph) TagPackets(tag string) packet.Set {
	s, p := g.Space, g.planner
	var out []packet.Set
	if l, ok := p.tagSets[strings.ToLower(tag)]; ok {
		out = append(out, l.get(g.compiler))
	}
	if f, ok := g.Universe.Tag(fqdnTag + ":" + strings.ToLower(tag)); ok {
		out = append(out, s.Box(packet.Box{Tags: []packet.TagValue{{Tag: f, Value: true}}}))
	}
	return s.Union(out...)
}

// OwnAddresses is the packets to a firewall's own addresses, private and public.
func (g *Graph) OwnAddresses(f *model.Firewall) packet.Set {
	return g.Space.Box(packet.Box{Dst: g.Universe.Addrs(g.planner.ownOf[f.ID.Key()])})
}

// NamedHost is the packets to the internet host that a proxy resolved for their name (AZ-FW-33).
func (g *Graph) NamedHost() packet.Set {
	return g.Space.Box(packet.Box{Dst: one(g.Universe.Class(g.planner.symbolOf(model.NamedHost, "", "")))})
}

// InternetAddresses is the address classes of the internet.
func (g *Graph) InternetAddresses() []packet.Range { return g.Universe.Addrs(g.planner.outside) }

// Answers is what a sender gets for a host name, asked as its network asks (AZ-DNS-01): packets to each address, and the assumption that
// the answer rests on. It is false for senders whose servers the estate cannot tell: those outside it, and relays.
func (g *Graph) Answers(origin int, name string) (to []packet.Set, unknown string, ok bool) {
	v := g.planner.askedFrom(g.Origins[origin].Site)
	if v == nil {
		return nil, "", false
	}
	r := g.planner.resolve(v, name)
	if c := g.planner.apiNamed(name); c != nil {
		r = g.planner.apiAnswer(v, c, name, r)
	}
	for _, a := range r.addrs {
		to = append(to, g.Space.Box(packet.Box{Dst: one(g.Universe.Class(a))}))
	}
	if r.none {
		to = append(to, packet.Set{}) // no answer is no way
	}
	return to, r.unknown, true
}

// askedFrom is the network whose DNS a site uses; a pod asks the servers of its nodes.
func (p *planner) askedFrom(s *Site) *model.VNet {
	subnet := s.Subnet
	switch s.Place.Kind {
	case model.PlaceNIC, model.PlaceScaleSet, model.PlaceNodePool, model.PlaceSubnet:
	case model.PlacePod:
		w, ok := model.Get[*model.Workload](p.e, s.Place.ID)
		if !ok || subnet != "" {
			break
		}
		if c, ok := model.Get[*model.Cluster](p.e, w.Cluster); ok && len(c.Pools) > 0 {
			subnet = c.Pools[0].Subnet
		}
	default:
		return nil
	}
	if subnet == "" {
		return nil
	}
	_, v := p.e.SubnetOf(subnet)
	return v
}

// planQuestions registers the blocks and tags that questions tell apart.
func (p *planner) planQuestions() {
	for _, q := range p.o.Questions {
		p.questions[q] = p.addr.set([]netip.Prefix{q}).may
	}
	for _, s := range p.sites {
		if len(s.Outer) == 0 {
			continue
		}
		p.innerBlocks[s] = map[netip.Prefix]packet.AddrSet{}
		for _, q := range p.o.Questions {
			p.innerBlocks[s][q] = p.b.AddSet("", s.Inner(q))
		}
		for _, part := range p.split(s) {
			p.b.AddSet("", part)
		}
	}
	for _, t := range p.o.TagNames {
		switch p.tagKind(t) {
		case tagSymbolic:
			if onlyFQDNTag(t) {
				continue
			}
			p.tagSets[strings.ToLower(t)] = either(p.inTag(t, srcIn), p.inTag(t, dstIn))
		case tagListed:
			set := p.listedTag(t).may
			p.tagSets[strings.ToLower(t)] = either(srcIn(set), dstIn(set))
		default:
		}
	}
	for _, f := range p.e.Firewalls {
		p.ownOf[f.ID.Key()] = p.firewallOwn(f)
	}
}

// InternetAndNamed is the address classes of the internet with the host that a proxy resolved.
func (g *Graph) InternetAndNamed() []packet.Range { return g.Universe.Addrs(g.planner.outsideNamed) }

// OriginClasses is the address classes of a sender.
func (g *Graph) OriginClasses(origin int) []packet.Range {
	return g.Universe.Addrs(g.Origins[origin].addrs)
}

// Facts is the packets that agree with what is known of tags and names (AZ-TAG-09, AZ-FW-34): no other packet exists.
func (g *Graph) Facts() packet.Set {
	if g.facts == nil {
		f := g.planner.tagFacts(g.compiler)
		g.facts = &f
	}
	return *g.facts
}

// NameTags are the Booleans that speak of names: FQDN tags and web categories.
func (g *Graph) NameTags() []packet.Field {
	return g.tagFields(func(n string) bool { return strings.HasPrefix(n, fqdnTag+":") || strings.HasPrefix(n, webCategory+":") })
}

// AddressTags are the Booleans that speak of the far address: service tags without a list (AZ-TAG-09).
func (g *Graph) AddressTags() []packet.Field {
	return g.tagFields(func(n string) bool { return strings.HasPrefix(n, tagField("")) })
}

func (g *Graph) tagFields(is func(name string) bool) []packet.Field {
	var out []packet.Field
	for _, n := range g.Universe.TagNames() {
		if f, ok := g.Universe.Tag(n); ok && is(n) {
			out = append(out, f)
		}
	}
	return out
}

// Public reports whether a block holds addresses of the internet, and not all of them.
func (g *Graph) Public(block netip.Prefix) bool {
	some := intersectSet(ipset([]netip.Prefix{block}), publicSpace())
	family := allV4()
	if block.Addr().Is6() {
		family = allV6()
	}
	return !isEmpty(some) && !contains(some, intersectSet(publicSpace(), ipset([]netip.Prefix{family})))
}

// Shortcuts is where senders inside a cluster stand, with the packets to a Service that their node takes before any route sees them: these
// meet no frontend, and no fabric (K8S-SVC-01).
func (g *Graph) Shortcuts() map[NodeID]packet.Set {
	if g.shortcuts == nil {
		g.shortcuts = map[NodeID]packet.Set{}
		for i := range g.edges {
			e := &g.edges[i]
			to := g.Nodes[e.to]
			if e.rewrite != nil && to.Stage == StageFrontend && strings.HasPrefix(to.Via, viaNode) && g.Nodes[e.from].Stage == StageSend {
				g.shortcuts[e.from] = g.Space.Union(g.shortcuts[e.from], e.guard.bound(g.compiler, Over))
			}
		}
	}
	return g.shortcuts
}

// SymbolRange is where the address may lie that a symbol stands for.
func (g *Graph) SymbolRange(s model.Symbol) []netip.Prefix {
	return g.planner.symbolRange(s).Prefixes()
}
