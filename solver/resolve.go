package solver

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// end is one end of a question, resolved: as sender the packets of its origins, as target what arrives at its nodes.
type end struct {
	text    string
	from    packet.Set
	senders []int // origins in from
	sites   []*dataplane.Site
	nodes   map[dataplane.NodeID]packet.Set // receive nodes, with the packets that count there
	entry   map[dataplane.NodeID]packet.Set // entries: packets count that go on to be delivered (AZ-GEN-11)
	named   bool                            // an `fqdn:` or `tag:` narrows the packets
	public  bool                            // names public addresses: each is in a service tag or is not (AZ-TAG-09)
	hosts   []string                        // names by which clients find the service that it is (AZ-DNS-03)
	labels  map[dataplane.NodeID]string     // what answers call a node of which the selector names one address; "" where two do
}

func newEnd(text string) *end {
	return &end{text: text, nodes: map[dataplane.NodeID]packet.Set{}, entry: map[dataplane.NodeID]packet.Set{}, labels: map[dataplane.NodeID]string{}}
}

// call gives every node of an end one name.
func (e *end) call(name string) {
	for n := range e.nodes {
		e.labels[n] = name
	}
}

// selText prints a list of selectors.
func selText(sels []model.Selector) string {
	texts := make([]string, len(sels))
	for i, s := range sels {
		texts[i] = s.Text
	}
	return strings.Join(texts, ", ")
}

// target resolves a list of selectors: the union, less those with `not:`. A list that selects nothing is an error.
func (s *Solution) target(sels []model.Selector) (*end, error) {
	out := newEnd(selText(sels))
	space := s.graph.Space
	var minus []*end
	for _, sel := range sels {
		e, err := s.resolved(sel)
		if err != nil {
			return nil, err
		}
		if sel.Not {
			minus = append(minus, e)
			continue
		}
		out.from = space.Union(out.from, e.from)
		out.senders = append(out.senders, e.senders...)
		for _, site := range e.sites {
			if !slices.Contains(out.sites, site) {
				out.sites = append(out.sites, site)
			}
		}
		for n, set := range e.nodes {
			if _, also := out.nodes[n]; also && out.labels[n] != e.labels[n] {
				out.labels[n] = ""
			} else {
				out.labels[n] = e.labels[n]
			}
			out.nodes[n] = space.Union(out.nodes[n], set)
		}
		for n, set := range e.entry {
			out.entry[n] = space.Union(out.entry[n], set)
		}
		out.named, out.public = out.named || e.named, out.public || e.public
	}
	for _, e := range minus {
		out.from = space.Subtract(out.from, e.from)
		if !e.named {
			out.senders = slices.DeleteFunc(out.senders, func(o int) bool { return slices.Contains(e.senders, o) })
		}
		for n, set := range e.nodes {
			if have, ok := out.nodes[n]; ok {
				out.nodes[n] = space.Subtract(have, set)
			}
		}
		for n, set := range e.entry {
			if have, ok := out.entry[n]; ok {
				out.entry[n] = space.Subtract(have, set)
			}
		}
		out.sites = slices.DeleteFunc(out.sites, func(x *dataplane.Site) bool { return slices.Contains(e.sites, x) && !e.named })
	}
	slices.Sort(out.senders)
	out.senders = slices.Compact(out.senders)
	for n, set := range out.nodes {
		if set.Empty() {
			delete(out.nodes, n)
		}
	}
	if out.from.Empty() && len(out.nodes) == 0 && len(out.entry) == 0 {
		src := model.Source{}
		if len(sels) > 0 {
			src = sels[0].Source
		}
		return nil, &model.InputError{Source: src, Field: "selector", Found: out.text, Accepted: "something that the input holds; this selects nothing"}
	}
	return out, nil
}

// resolved is resolve for those who only read the end: a selector that comes again, as zones do in assertions, is looked for once.
func (s *Solution) resolved(sel model.Selector) (*end, error) {
	if e, ok := s.ends[sel.Text]; ok && sel.Text != "" {
		return e, nil
	}
	e, err := s.resolve(sel)
	if err != nil {
		return nil, err
	}
	if s.ends == nil {
		s.ends = map[string]*end{}
	}
	s.ends[sel.Text] = e
	return e, nil
}

// resolve resolves one selector, without regard to `not:`.
func (s *Solution) resolve(sel model.Selector) (*end, error) {
	out := newEnd(sel.Text)
	fail := func(err error) (*end, error) {
		if sel.Source.IsZero() {
			return nil, err
		}
		return nil, &model.InputError{Source: sel.Source, Err: err}
	}
	switch sel.Kind {
	case model.SelInternet:
		s.addWhole(out, func(x *dataplane.Site) bool { return x.Place.Kind == model.PlaceInternet })
	case model.SelAny:
		s.addWhole(out, func(x *dataplane.Site) bool {
			return x.Place.Kind != model.PlacePlatform && x.Channel != ingressChannel
		})
	case model.SelZone:
		if err := s.addZone(out, sel.Parts[0]); err != nil {
			return fail(err)
		}
	case model.SelIP, model.SelCIDR:
		s.addBlock(out, sel.Prefix, nil)
		if sel.Prefix.IsSingleIP() {
			out.call(blockRef(sel.Prefix))
		}
		s.addEntries(out, sel.Prefix)
	case model.SelTag:
		s.addTag(out, sel.Parts[0])
	case model.SelFQDN:
		name := strings.ToLower(sel.Parts[0])
		if z, a := s.privateName(name); a.IsValid() {
			return fail(fmt.Errorf("selector `%s` is a host of the internet, but the private zone %s of the input gives this name to %s: ask for `ip:%s`, or for the resource that has the address", sel.Text, z.Zone, a, a))
		}
		s.addName(out, name)
	default:
		found, err := s.Project.Estate.Find(sel)
		if err != nil {
			return fail(err)
		}
		for _, f := range found {
			s.addFound(out, sel.Kind, f)
		}
	}
	if out.from.Empty() && len(out.nodes) == 0 && len(out.entry) == 0 {
		return fail(fmt.Errorf("selector `%s` selects nothing that can send or receive", sel.Text))
	}
	return out, nil
}

// addWhole adds the sites that a test names, with all their addresses.
func (s *Solution) addWhole(e *end, is func(*dataplane.Site) bool) {
	for _, site := range s.graph.Sites {
		if !is(site) {
			continue
		}
		e.sites = append(e.sites, site)
		if site.Receive >= 0 {
			e.nodes[site.Receive] = s.graph.Space.All()
		}
	}
	var origins []int
	for i, o := range s.graph.Origins {
		if is(o.Site) {
			origins = append(origins, i)
		}
	}
	s.addSenders(e, origins)
}

func (s *Solution) addSenders(e *end, origins []int) {
	e.senders = append(e.senders, origins...)
	slices.Sort(e.senders)
	e.senders = slices.Compact(e.senders)
	e.from = s.graph.Space.Union(e.from, s.graph.From(origins...))
}

// addBlock adds the parts of sites whose addresses lie in a block; only keeps the sites that a test names, nil means all.
func (s *Solution) addBlock(e *end, block netip.Prefix, only func(*dataplane.Site) bool) {
	space := s.graph.Space
	e.public = e.public || s.graph.Public(block)
	var origins []int
	for i, o := range s.graph.Origins {
		if (only == nil || only(o.Site)) && overlapsAny(o.Prefixes, o.Site.Inner(block)) {
			origins = append(origins, i)
		}
	}
	s.addSenders(e, origins)
	for _, site := range s.graph.Sites {
		if site.Receive < 0 || only != nil && !only(site) || !overlapsAny(site.Prefixes, site.Inner(block)) {
			continue
		}
		if site.Place.Kind == model.PlaceService || site.Place.Kind == model.PlaceFirewall || site.Place.Kind == model.PlaceAppGateway || site.Place.Kind == model.PlaceBastion || site.Place.Kind == model.PlaceAPIM {
			continue // reached through their frontends
		}
		e.sites = append(e.sites, site)
		inside := space.Box(packet.Box{Dst: s.graph.BlockAt(site, block)})
		e.nodes[site.Receive] = space.Union(e.nodes[site.Receive], inside)
	}
}

// addOrigin adds one class of senders, and as a target the addresses that it sends from.
func (s *Solution) addOrigin(e *end, i int) {
	o := s.graph.Origins[i]
	e.public = e.public || slices.ContainsFunc(o.Prefixes, s.graph.Public)
	s.addSenders(e, []int{i})
	if o.Site.Receive < 0 {
		return
	}
	if !slices.Contains(e.sites, o.Site) {
		e.sites = append(e.sites, o.Site)
	}
	inside := s.graph.Space.Box(packet.Box{Dst: s.graph.OriginClasses(i)})
	e.nodes[o.Site.Receive] = s.graph.Space.Union(e.nodes[o.Site.Receive], inside)
}

func overlapsAny(ps, blocks []netip.Prefix) bool {
	return slices.ContainsFunc(blocks, func(b netip.Prefix) bool { return overlaps(ps, b) })
}

func overlaps(ps []netip.Prefix, block netip.Prefix) bool {
	return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Overlaps(block) && !model.SymbolBlock().Overlaps(p) })
}

// classes is the address classes of a block. The block was registered as a question, so they hold no other address.
func (s *Solution) classes(block netip.Prefix) []packet.Range {
	return s.graph.Block(block)
}

// addEntries adds public addresses and frontends in a block: what counts is what goes on to be delivered (AZ-GEN-11).
func (s *Solution) addEntries(e *end, block netip.Prefix) {
	space := s.graph.Space
	inside := space.Box(packet.Box{Dst: s.classes(block)})
	entry := func(nodes []dataplane.NodeID, a netip.Addr) {
		if !a.IsValid() || !block.Contains(a) {
			return
		}
		for _, n := range nodes {
			e.entry[n] = space.Union(e.entry[n], inside)
		}
	}
	for _, ip := range s.Project.Estate.PublicIPs {
		entry(s.graph.PublicNodes(), ip.Address)
	}
	for _, lb := range s.Project.Estate.LoadBalancers {
		for _, f := range lb.Frontends {
			entry(s.graph.FabricNodes(), f.Address)
		}
	}
	for _, g := range s.Project.Estate.AppGateways {
		for _, f := range g.Frontends {
			entry(s.graph.FabricNodes(), f.Address)
		}
	}
	for _, f := range s.Project.Estate.Firewalls {
		entry(s.graph.FabricNodes(), f.Address)
	}
	s.addShortcuts(e, s.classes(block))
}

// addShortcuts adds where nodes of clusters take packets to a Service by one of some addresses (K8S-SVC-01).
func (s *Solution) addShortcuts(e *end, classes []packet.Range) {
	space := s.graph.Space
	to := space.Box(packet.Box{Dst: classes})
	for n, taken := range s.graph.Shortcuts() {
		if set := space.Intersect(taken, to); !set.Empty() {
			e.entry[n] = space.Union(e.entry[n], set)
		}
	}
}

// addTag adds the internet, narrowed to a service tag, an FQDN tag, or both.
func (s *Solution) addTag(e *end, tag string) {
	space := s.graph.Space
	set := s.graph.TagPackets(tag)
	e.named = true
	for _, site := range s.graph.Sites {
		if site.Place.Kind != model.PlaceInternet {
			continue
		}
		e.sites = append(e.sites, site)
		e.nodes[site.Receive] = space.Union(e.nodes[site.Receive], set)
	}
	var origins []int
	for i, o := range s.graph.Origins {
		if o.Site.Place.Kind == model.PlaceInternet {
			origins = append(origins, i)
		}
	}
	e.senders = append(e.senders, origins...)
	e.from = space.Union(e.from, space.Intersect(s.graph.From(origins...), set))
}

// addName adds the internet host of a name, and the accounts of the estate that have it.
func (s *Solution) addName(e *end, name string) {
	space := s.graph.Space
	set := space.Box(packet.Box{Name: []packet.Range{{Lo: s.graph.Universe.NameClass(name), Hi: s.graph.Universe.NameClass(name)}}})
	e.named = true
	for _, site := range s.graph.Sites {
		if site.Place.Kind == model.PlaceInternet {
			e.sites = append(e.sites, site)
			e.nodes[site.Receive] = set
		}
	}
	for _, svc := range s.Project.Estate.Services {
		if slices.Contains(svc.Hosts, name) {
			s.addFound(e, model.SelService, model.Found{Resource: svc})
		}
	}
}

// privateName returns the private zone of the input that holds a name, and the address there (AZ-DNS-02).
func (s *Solution) privateName(name string) (*model.DNSZone, netip.Addr) {
	for _, z := range s.Project.Estate.DNSZones {
		label, ok := strings.CutSuffix(name, "."+z.Zone)
		if name == z.Zone {
			label, ok = "@", true
		}
		if !z.Private || !ok {
			continue
		}
		for _, r := range z.Records {
			if strings.EqualFold(r.Name, label) && len(r.Addresses) > 0 {
				return z, r.Addresses[0]
			}
		}
	}
	return nil, netip.Addr{}
}

// addFound adds a resource of the estate.
func (s *Solution) addFound(e *end, kind model.SelectorKind, f model.Found) {
	id := f.Resource.ResourceID().Key()
	is := func(site *dataplane.Site, k model.PlaceKind) bool {
		return site.Of(k, id) && site.Channel != ingressChannel
	}
	switch kind {
	case model.SelVNet:
		s.addWhole(e, func(x *dataplane.Site) bool { return x.InVNet(id) })
	case model.SelSubnet:
		s.addWhole(e, func(x *dataplane.Site) bool { return x.InSubnet(id) })
	case model.SelNIC, model.SelVM:
		s.addWhole(e, func(x *dataplane.Site) bool { return is(x, model.PlaceScaleSet) })
		for _, n := range s.nics([]model.Found{f}) {
			s.addNIC(e, n)
		}
	case model.SelCluster:
		c := f.Resource.(*model.Cluster)
		for _, p := range c.Pools {
			s.addFound(e, model.SelNodePool, model.Found{Resource: c, Pool: p.Name})
		}
		s.addWhole(e, func(x *dataplane.Site) bool {
			w, ok := model.Get[*model.Workload](s.Project.Estate, x.Place.ID)
			return x.Place.Kind == model.PlacePod && ok && w.Cluster.Key() == id && x.Channel != ingressChannel
		})
	case model.SelNodePool:
		s.addWhole(e, func(x *dataplane.Site) bool { return s.isNode(x, f.Resource.(*model.Cluster), f.Pool) })
	case model.SelNamespace:
		n := f.Resource.(*model.Namespace)
		s.addWhole(e, func(x *dataplane.Site) bool {
			w, ok := model.Get[*model.Workload](s.Project.Estate, x.Place.ID)
			return x.Place.Kind == model.PlacePod && ok && w.Namespace == n.Name() && w.Cluster.Key() == n.Cluster.Key() && x.Channel != ingressChannel
		})
	case model.SelPod:
		s.addWhole(e, func(x *dataplane.Site) bool { return is(x, model.PlacePod) })
	case model.SelAPIServer:
		s.addWhole(e, func(x *dataplane.Site) bool {
			if is(x, model.PlaceAPIServer) {
				return true
			}
			pe, ok := model.Get[*model.PrivateEndpoint](s.Project.Estate, x.Place.ID)
			return ok && x.Place.Kind == model.PlaceEndpoint && pe.Target.Key() == id
		})
		if c := f.Resource.(*model.Cluster); c.Private == model.On && c.PrivateFQDN+c.FQDN != "" { // AKS-API-05
			for _, name := range []string{c.PrivateFQDN, c.FQDN} {
				if name != "" && !slices.Contains(e.hosts, name) {
					e.hosts = append(e.hosts, name)
				}
			}
		}
	case model.SelService:
		s.addWhole(e, func(x *dataplane.Site) bool {
			if is(x, model.PlaceService) {
				return true
			}
			pe, ok := model.Get[*model.PrivateEndpoint](s.Project.Estate, x.Place.ID)
			return ok && x.Place.Kind == model.PlaceEndpoint && pe.Target.Key() == id
		})
		if svc, ok := f.Resource.(*model.Service); ok && slices.ContainsFunc(e.sites, func(x *dataplane.Site) bool { return x.Place.Kind == model.PlaceEndpoint }) {
			e.hosts = append(e.hosts, svc.Hosts...)
		}
	case model.SelEndpoint:
		s.addWhole(e, func(x *dataplane.Site) bool { return is(x, model.PlaceEndpoint) })
	case model.SelFirewall:
		s.addWhole(e, func(x *dataplane.Site) bool { return is(x, model.PlaceFirewall) })
		fw := f.Resource.(*model.Firewall)
		for _, n := range s.graph.NodesAt(model.Place{Kind: model.PlaceFirewall, ID: fw.ID}, dataplane.StageFirewall) {
			e.entry[n] = s.graph.OwnAddresses(fw)
		}
	case model.SelAppGateway:
		s.addWhole(e, func(x *dataplane.Site) bool { return is(x, model.PlaceAppGateway) })
	case model.SelAPIM:
		s.addWhole(e, func(x *dataplane.Site) bool { return is(x, model.PlaceAPIM) })
	case model.SelFrontDoor:
		s.addWhole(e, func(x *dataplane.Site) bool { return is(x, model.PlaceFrontDoor) })
	case model.SelBastion:
		s.addWhole(e, func(x *dataplane.Site) bool { return is(x, model.PlaceBastion) })
	case model.SelGateway:
		s.addWhole(e, func(x *dataplane.Site) bool { return is(x, model.PlaceGateway) || is(x, model.PlaceFarSide) })
	case model.SelLB:
		for _, p := range s.frontendPlaces(f.Resource) {
			for _, n := range s.graph.NodesAt(p, dataplane.StageFrontend) {
				e.entry[n] = s.graph.Space.All()
			}
		}
		for _, a := range s.frontendAddresses(f.Resource) {
			s.addShortcuts(e, value(s.graph.Universe.Class(a)))
		}
	default:
	}
}

// frontendPlaces are the frontends of a load balancer, or of a Service: its own, and that of the load balancer which bears its address.
func (s *Solution) frontendPlaces(r model.Resource) (out []model.Place) {
	switch x := r.(type) {
	case *model.LoadBalancer:
		for _, f := range x.Frontends {
			out = append(out, model.Place{Kind: model.PlaceFrontend, ID: f.ID})
		}
	case *model.KubeService:
		out = append(out, model.Place{Kind: model.PlaceFrontend, ID: x.ID})
		addresses := s.frontendAddresses(x)
		for _, lb := range s.Project.Estate.LoadBalancers {
			for _, f := range lb.Frontends {
				if slices.Contains(addresses, s.frontendAddress(f)) {
					out = append(out, model.Place{Kind: model.PlaceFrontend, ID: f.ID})
				}
			}
		}
	default:
	}
	return out
}

// frontendAddresses are the addresses of those frontends, or the symbols that stand for them.
func (s *Solution) frontendAddresses(r model.Resource) (out []netip.Addr) {
	add := func(a netip.Addr) {
		if a.IsValid() {
			out = append(out, a)
		}
	}
	switch x := r.(type) {
	case *model.LoadBalancer:
		for _, f := range x.Frontends {
			add(s.frontendAddress(f))
		}
	case *model.KubeService:
		for _, f := range s.Project.Estate.FrontendsOf(x) {
			add(f.Addr)
		}
	default:
	}
	return out
}

// frontendAddress is the address of a load balancer's frontend, or the symbol that stands for it.
func (s *Solution) frontendAddress(f model.LBFrontend) netip.Addr {
	if f.Address.IsValid() {
		return f.Address
	}
	if ip, ok := model.Get[*model.PublicIP](s.Project.Estate, f.PublicIP); ok {
		if ip.Address.IsValid() {
			return ip.Address
		}
		a, _ := s.symbols().Of(model.PublicAddress, ip.ID, "")
		return a
	}
	a, _ := s.symbols().Of(model.FrontendAddress, f.ID, "")
	return a
}

// addNIC adds a NIC: a site of its own, or its address within a class.
func (s *Solution) addNIC(e *end, n *model.NIC) {
	key := n.ID.Key()
	s.addWhole(e, func(x *dataplane.Site) bool { return x.Of(model.PlaceNIC, key) && len(x.Members) == 0 })
	for _, c := range n.IPConfigs {
		if !c.Address.IsValid() {
			continue
		}
		place := model.Place{Kind: model.PlaceNIC, ID: n.ID, Part: c.Name}
		before := maps.Clone(e.nodes)
		s.addBlock(e, netip.PrefixFrom(c.Address, c.Address.BitLen()), func(x *dataplane.Site) bool { return len(x.Members) > 0 && x.PlaceOf(c.Address) == place })
		for node := range e.nodes {
			if _, also := before[node]; !also {
				e.labels[node] = s.placeRef(place)
			} else if before[node] != e.nodes[node] && e.labels[node] != s.placeRef(place) {
				e.labels[node] = ""
			}
		}
	}
}

// ingressChannel marks the site from which an ingress controller forwards; the controller's pods stand at their own site.
const ingressChannel = "ingress"

// isNode reports whether a site is the nodes of a pool.
func (s *Solution) isNode(x *dataplane.Site, c *model.Cluster, pool string) bool {
	switch x.Place.Kind {
	case model.PlaceNodePool:
		return x.Place.ID.Key() == c.ID.Key() && x.Place.Part == pool
	case model.PlaceScaleSet:
		set, ok := model.Get[*model.ScaleSet](s.Project.Estate, x.Place.ID)
		return ok && set.Managed && strings.EqualFold(set.Pool, pool) && (c.NodeGroup == "" || strings.EqualFold(c.NodeGroup, set.ID.ResourceGroup()))
	default:
		return false
	}
}

// places lists what a list of selectors names as places that a path may pass.
func (s *Solution) places(sels []model.Selector) ([]model.Place, error) {
	var out []model.Place
	for _, sel := range sels {
		if sel.Kind == model.SelLB {
			found, err := s.Project.Estate.Find(sel)
			if err != nil {
				return nil, &model.InputError{Source: sel.Source, Err: err}
			}
			for _, f := range found {
				out = append(out, s.frontendPlaces(f.Resource)...)
			}
			continue
		}
		e, err := s.resolve(sel)
		if err != nil {
			return nil, err
		}
		for _, site := range e.sites {
			out = append(out, model.Place{Kind: site.Place.Kind, ID: site.Place.ID})
		}
	}
	slices.SortFunc(out, model.Place.Compare)
	return slices.Compact(out), nil
}
