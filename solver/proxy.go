package solver

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// An HTTP proxy is a forward proxy: a relay, to whatever its own rules allow (AZ-REL-02, AKS-OUT-08). No input holds those, so that what it
// opens may be anything that it reaches, and nothing of it is certain (ASM-E-PROXY). Settings of a cluster force nobody to use it, and keep
// nobody from it (AKS-OUT-07): every sender counts, and noProxy is left aside.

const proxyNote = "ASM-E-PROXY"

// clusterProxy is an HTTP proxy that clusters name, with the addresses that its name may have.
type clusterProxy struct {
	model.Proxy

	addrs []netip.Addr
}

// clusterProxies lists the proxies that clusters name, each once, in the order of the clusters.
func (s *Solution) clusterProxies() []clusterProxy {
	var out []clusterProxy
	for _, c := range s.Project.Estate.Clusters {
		for _, x := range c.Proxies() {
			if slices.ContainsFunc(out, func(p clusterProxy) bool { return p.Proxy == x }) {
				continue
			}
			p := clusterProxy{Proxy: x}
			if x.Addr.IsValid() {
				p.addrs = []netip.Addr{x.Addr}
			} else {
				p.addrs = s.zoneAddresses(x.Host)
			}
			out = append(out, p)
		}
	}
	return out
}

// zoneAddresses are the addresses that any zone of the input has for a name.
func (s *Solution) zoneAddresses(name string) []netip.Addr {
	var out []netip.Addr
	for _, z := range s.Project.Estate.DNSZones {
		label, ok := strings.CutSuffix(name, "."+strings.ToLower(z.Zone))
		for _, r := range z.Records {
			if ok && strings.EqualFold(r.Name, label) {
				out = append(out, r.Addresses...)
			}
		}
	}
	return out
}

// proxyQuestions are the addresses of proxies as selectors, so that they are told apart.
func (s *Solution) proxyQuestions() []model.Selector {
	var out []model.Selector
	for _, p := range s.clusterProxies() {
		for _, a := range p.addrs {
			out = append(out, addressSelector(a))
		}
	}
	if s.Project.Intent != nil {
		out = append(out, s.Project.Intent.PCI.Proxies...)
	}
	return out
}

func addressSelector(a netip.Addr) model.Selector {
	block := netip.PrefixFrom(a, a.BitLen())
	return model.Selector{Kind: model.SelIP, Prefix: block, Text: blockRef(block)}
}

// proxiesStated reports whether the intent file says which proxies there are, or that there is none.
func (s *Solution) proxiesStated() bool {
	in := s.Project.Intent
	return in != nil && (in.PCI.ProxiesSet || slices.ContainsFunc(in.None, func(n model.NoneStatement) bool { return n.What == "proxies" }))
}

// unplacedProxy reports whether any machine may be a proxy, so that none can be left out.
func (s *Solution) unplacedProxy() bool {
	return !s.proxiesStated() && slices.ContainsFunc(s.clusterProxies(), func(p clusterProxy) bool { return len(p.addrs) == 0 })
}

// addProxies adds the proxies that clusters name and those that the intent file declares.
func (s *Solution) addProxies() {
	space := s.graph.Space
	for _, p := range s.clusterProxies() {
		asked := packet.Box{Protocol: value(uint32(model.TCP))}
		if p.Port != 0 {
			asked.DPort = value(uint32(p.Port))
		}
		for _, a := range p.addrs {
			// Whoever receives what is sent to the address: its holder, or what stands behind a load balancer, a DNAT or a Service.
			asked.Dst = s.classes(netip.PrefixFrom(a, a.BitLen()))
			f := s.graph.FloodOf(dataplane.Over, space.Box(asked))
			for _, site := range s.graph.Sites {
				if site.Receive >= 0 && !f.At(site.Receive).Empty() {
					s.addProxy(site, f.At(site.Receive), a, proxyNote)
				}
			}
		}
		if len(p.addrs) == 0 && !s.proxiesStated() {
			s.addAnyProxy(p, space.Box(asked))
		}
	}
	if s.Project.Intent == nil {
		return
	}
	tcp := space.Box(packet.Box{Protocol: value(uint32(model.TCP))})
	for _, sel := range s.Project.Intent.PCI.Proxies {
		t, err := s.target([]model.Selector{sel})
		if err != nil {
			s.errs = append(s.errs, err)
			continue
		}
		for _, site := range t.sites {
			s.addProxy(site, space.Intersect(tcp, t.nodes[site.Receive]), netip.Addr{}, proxyNote)
		}
	}
}

// addAnyProxy stands for a proxy whose address no zone of the input holds: any machine may be it.
func (s *Solution) addAnyProxy(p clusterProxy, asked packet.Set) {
	name := p.Host
	if name == "" {
		name = "the HTTP proxy"
	}
	for _, site := range s.graph.Sites {
		switch site.Place.Kind {
		case model.PlaceNIC, model.PlaceScaleSet, model.PlaceSubnet, model.PlaceNodePool, model.PlaceFarSide, model.PlaceUnknown:
		case model.PlacePod:
			if !s.published(site) {
				continue
			}
		default:
			continue
		}
		if site.Receive >= 0 {
			s.addProxy(site, asked, netip.Addr{}, proxyNote, "MISSING(address of "+name+")")
		}
	}
}

// published reports whether a load balancer may stand before a workload's pods.
func (s *Solution) published(site *dataplane.Site) bool {
	e := s.Project.Estate
	w, ok := model.Get[*model.Workload](e, site.Place.ID)
	return ok && slices.ContainsFunc(e.KubeServices, func(k *model.KubeService) bool {
		return k.Cluster.Key() == w.Cluster.Key() && k.Namespace == w.Namespace && k.Type == "LoadBalancer"
	})
}

// addProxy adds a site as a proxy. at is the proxy's own address where the site is a class of machines that may hold it; invalid: all of the
// site. One at the far side of a gateway, or in a network that the input lacks, has ways of its own to the internet.
func (s *Solution) addProxy(site *dataplane.Site, accept packet.Set, at netip.Addr, notes ...string) {
	elsewhere := false
	switch site.Place.Kind {
	case model.PlaceInternet, model.PlacePlatform:
		return // a proxy out there opens what the internet opens
	case model.PlaceFarSide, model.PlaceUnknown:
		elsewhere = true
	default:
		if site.Send < 0 {
			return
		}
	}
	holds := func(o dataplane.Origin) bool { return o.Site == site }
	r := relay{name: s.siteRef(site), place: site.Place, accept: accept, at: site.Receive, open: notes, elsewhere: elsewhere}
	if at.IsValid() && slices.ContainsFunc(site.Prefixes, func(p netip.Prefix) bool { return p.Contains(at) }) {
		holds = func(o dataplane.Origin) bool {
			return o.Site == site && slices.ContainsFunc(o.Prefixes, func(p netip.Prefix) bool { return p.Contains(at) })
		}
		switch p := site.PlaceOf(at); {
		case p != site.Place:
			r.name = s.placeRef(p)
		case site.Place.Kind == model.PlaceSubnet || elsewhere:
			r.name = blockRef(netip.PrefixFrom(at, at.BitLen()))
		}
	}
	var origins []int
	for i, o := range s.graph.Origins {
		if holds(o) {
			origins = append(origins, i)
		}
	}
	r.from = s.graph.From(origins...)
	s.relays = append(s.relays, r)
}

// elsewhereRows are what some senders may open to the internet over a proxy that has its own way there.
func (s *Solution) elsewhereRows(q *query, r relay, as []int, via []int) []row {
	space := s.graph.Space
	tcp := space.Box(packet.Box{Protocol: value(uint32(model.TCP)), Dst: s.graph.InternetAddresses()})
	var out []row
	for _, site := range s.graph.Sites {
		counts, asked := q.to.nodes[site.Receive]
		if !r.elsewhere || site.Place.Kind != model.PlaceInternet || !asked {
			continue
		}
		set := space.Intersect(space.Intersect(counts, tcp), q.service)
		if set = s.without(q, site.Receive, set, as); set.Empty() {
			continue
		}
		to, _ := s.targetName(q, site.Receive)
		for _, g := range as {
			out = append(out, row{
				group: g, opens: g, to: to, kind: Relayed, via: via, over: set, nodes: []dataplane.NodeID{site.Receive},
				arrived: &landed{map[dataplane.NodeID]packet.Set{}, map[dataplane.NodeID]packet.Set{}},
			})
		}
	}
	return out
}
