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
	"github.com/ringfence/ringfence/solver/packet"
	"github.com/ringfence/ringfence/solver/trace"
)

// Options adjust a run. The zero value is the default run.
type Options struct {
	Strict    bool
	Questions []model.Selector // selectors of the command line, so that their addresses and names are told apart
	Alone     bool             // nothing but the Questions will be asked, by Reach and Trace: what cannot matter to them is left out
	Explain   bool             // find what would have to change (Explain), at the price of a larger graph
	EachNIC   bool             // tell every NIC apart, which a matrix by NIC needs; else NICs that are treated alike form a class
	AsOf      model.Date       // the day on which dates are judged; zero: the intent's, which must then be set
	Limits    packet.Limits
	Progress  func(done, total int, what string) // may be nil
}

// ErrBudget says that the input needs more than Options.Limits. Nothing follows from it: every verdict is unknown.
var ErrBudget = packet.ErrBudget

// Solution is a solved project. It is not safe for concurrent use.
type Solution struct {
	Project *model.Project
	graph   *dataplane.Graph
	o       Options
	ends    map[string]*end // of selectors, by their text
	floods  [3]*dataplane.Flood
	focused func(dataplane.Bound) *dataplane.Flood // of what some questions are about alone; nil: none are asked
	refs    *model.Refs
	relays  []relay
	zones   []zonePart
	groups  []group
	groupOf []int // origin -> group

	addressTexts map[string][]string // address classes as they are printed; of many flows they are the same

	placementOf []int // origin -> placement in its group
	errs        []error
	round       map[roundKey]*dataplane.Flood // floods that avoid places
	tagWords    map[packet.Field]string
	podNets     map[string]*dataplane.PodNet      // by cluster
	passed      map[string]map[partKey]packet.Set // what each rule of a control lets pass
	families    *[2][2]packet.Set                 // packets from, and to, IPv4 and IPv6 addresses, computed once
	unpeered    bool                              // missing peerings are no part of what explanations try
	pair        *pair
	trial       bool // of a search for changes: nobody reads its proofs

	interpreters [2]*trace.Interpreter
}

// relay is a relay of the graph, a declared jump box (AZ-JMP-01), or an HTTP proxy (AKS-OUT-08).
type relay struct {
	name   string
	place  model.Place
	accept packet.Set // of what Accept receives
	at     dataplane.NodeID
	from   packet.Set // packets of the relay's own origins
	open   []string   // why nothing that it opens is certain; empty: what the graph says is
	// elsewhere is a relay outside the estate, with a way to the internet that the input does not describe.
	elsewhere bool
}

// group is the origins that answers treat as one sender: pods of one workload on several pools (the scheduler's choice, so that what
// is certain must hold on each), or a single origin.
type group struct {
	ref        string
	site       *dataplane.Site
	origins    []int
	placements [][]int // origins by placement; a certain flow exists on each
}

// Solve reads a project. Errors are those of its selectors (a zone or an assertion that selects nothing) and of budgets.
func Solve(p *model.Project, o Options) (*Solution, error) {
	s, d := newSolution(p, o)
	var err error
	if s.graph, err = dataplane.Build(p.Estate, d); err != nil {
		return nil, fmt.Errorf("build the forwarding graph: %w", err)
	}
	return s, s.ready(d.Subnets == nil)
}

// newSolution is a solution without a graph, and what its graph must tell apart.
func newSolution(p *model.Project, o Options) (*Solution, dataplane.Options) {
	s := &Solution{Project: p, o: o, refs: model.NewRefs(p.Estate), round: map[roundKey]*dataplane.Flood{}}
	if o.AsOf.IsZero() && p.Intent != nil {
		s.o.AsOf = p.Intent.AsOf
	}
	d := dataplane.Options{Strict: o.Strict, Tags: p.Tags, Intent: p.Intent, Limits: o.Limits, Explain: o.Explain}
	asked := s.everySelector()
	if o.Alone && s.planAlone() {
		asked, d.Subnets = slices.Concat(o.Questions, s.proxyQuestions()), s.askedSubnets()
	}
	for _, sel := range asked {
		switch sel.Kind {
		case model.SelIP, model.SelCIDR:
			d.Questions = append(d.Questions, sel.Prefix)
		case model.SelFQDN:
			d.Names = append(d.Names, strings.ToLower(sel.Parts[0]))
		case model.SelTag:
			d.TagNames = append(d.TagNames, sel.Parts[0])
		case model.SelNIC, model.SelVM:
			d.Questions = append(d.Questions, s.nicBlocks(sel)...)
		default:
		}
	}
	if o.Explain {
		d.Peerable = s.peerable()
	}
	if o.EachNIC {
		for _, n := range p.Estate.NICs {
			d.Questions = append(d.Questions, addressesOf(n)...)
		}
	}
	return s, d
}

// ready prepares a solution whose graph is built; whole: of everything, not of what some questions need.
func (s *Solution) ready(whole bool) error {
	s.groupOrigins()
	if whole {
		s.assignZones()
	}
	s.collectRelays()
	return errors.Join(s.errs...)
}

// planAlone reports whether the questions name all that can matter to them. Zones and `any` take in everything, and what a frontend
// passes on is not named by it.
func (s *Solution) planAlone() bool {
	return len(s.o.Questions) > 0 && !s.unplacedProxy() && !slices.ContainsFunc(s.o.Questions, func(sel model.Selector) bool {
		switch sel.Kind {
		case model.SelNIC, model.SelVM, model.SelSubnet, model.SelVNet, model.SelIP, model.SelCIDR, model.SelInternet, model.SelPod, model.SelService, model.SelEndpoint, model.SelFQDN, model.SelTag:
			return sel.Not
		default:
			return true
		}
	})
}

// askedSubnets are the subnets that the questions ask about, and those of declared jump boxes and of HTTP proxies, which relay.
func (s *Solution) askedSubnets() map[string]bool {
	sels := slices.Concat(s.o.Questions, s.proxyQuestions())
	if s.Project.Intent != nil {
		sels = slices.Concat(sels, s.Project.Intent.PCI.JumpBoxes)
	}
	return s.subnetsOf(sels)
}

// subnetsOf are the keys of the subnets that selectors name, or that NICs and blocks of theirs lie in.
func (s *Solution) subnetsOf(sels []model.Selector) map[string]bool {
	e := s.Project.Estate
	out := map[string]bool{}
	block := func(p netip.Prefix) {
		for _, x := range e.Subnets {
			if overlaps(x.Prefixes, p) {
				out[x.ID.Key()] = true
			}
		}
	}
	for _, sel := range sels {
		switch sel.Kind {
		case model.SelIP, model.SelCIDR:
			block(sel.Prefix)
			continue
		case model.SelInternet, model.SelFQDN, model.SelTag:
			continue
		default:
		}
		found, err := e.Find(sel)
		if err != nil {
			continue // reported where the selector is resolved
		}
		for _, n := range s.nics(found) {
			for _, c := range n.IPConfigs {
				out[c.Subnet.Key()] = true
			}
		}
		for _, f := range found {
			if x, ok := f.Resource.(*model.Subnet); ok {
				out[x.ID.Key()] = true
			}
			if v, ok := f.Resource.(*model.VNet); ok {
				for _, x := range v.Subnets {
					out[x.Key()] = true
				}
			}
		}
	}
	return out
}

// everySelector lists the selectors of the intent and of the command line.
func (s *Solution) everySelector() []model.Selector {
	out := slices.Concat(s.o.Questions, s.proxyQuestions())
	in := s.Project.Intent
	if in == nil {
		return out
	}
	for _, z := range in.Zones {
		out = append(out, z.Members...)
		for _, x := range z.PublicAddresses {
			out = append(out, model.Selector{Kind: model.SelCIDR, Prefix: x, Text: "cidr:" + x.String()})
		}
	}
	for _, a := range in.Assertions {
		out = append(append(append(out, a.From...), a.To...), a.Via...)
		for _, w := range a.Except {
			out = append(append(out, w.From...), w.To...)
		}
	}
	for _, f := range in.DataFlows {
		out = append(append(out, f.From), f.Path...)
	}
	for _, st := range in.Stores {
		out = append(out, st.At)
	}
	for _, j := range in.Justifications {
		if j.Allows != nil {
			out = append(append(out, j.Allows.From...), j.Allows.To...)
		}
	}
	for _, m := range in.PCI.Monitoring {
		out = append(append(out, m.From...), m.To...)
	}
	return append(out, in.PCI.JumpBoxes...)
}

// nicBlocks are the addresses of the NICs that a selector names: questions about them tell them apart from others of their class.
// A selector that names nothing is reported where it is resolved.
func (s *Solution) nicBlocks(sel model.Selector) []netip.Prefix {
	found, err := s.Project.Estate.Find(sel)
	if err != nil {
		return nil
	}
	var out []netip.Prefix
	for _, n := range s.nics(found) {
		out = append(out, addressesOf(n)...)
	}
	return out
}

func addressesOf(n *model.NIC) []netip.Prefix {
	var out []netip.Prefix
	for _, c := range n.IPConfigs {
		if c.Address.IsValid() {
			out = append(out, netip.PrefixFrom(c.Address, c.Address.BitLen()))
		}
	}
	return out
}

// nics are the NICs among what was found, and those of its machines.
func (s *Solution) nics(found []model.Found) []*model.NIC {
	var out []*model.NIC
	for _, f := range found {
		if n, ok := f.Resource.(*model.NIC); ok {
			out = append(out, n)
		}
		if vm, ok := f.Resource.(*model.VM); ok {
			for _, id := range vm.NICs {
				if n, ok := model.Get[*model.NIC](s.Project.Estate, id); ok {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

// flood returns the flood of one bound, computed once.
func (s *Solution) flood(b dataplane.Bound) *dataplane.Flood {
	switch {
	case s.floods[b] != nil:
	case s.focused != nil:
		return s.focused(b)
	case s.pair != nil:
		s.pair.floods(b)
	default:
		s.floods[b] = s.graph.Flood(b)
	}
	return s.floods[b]
}

// floodToward is the floods of what may come to some targets alone.
func (s *Solution) floodToward(ends []*end) func(dataplane.Bound) *dataplane.Flood {
	targets := map[dataplane.NodeID]packet.Set{}
	for _, to := range ends {
		for n := range to.nodes {
			targets[n] = s.graph.Space.All()
		}
		for n := range to.entry {
			targets[n] = s.graph.Space.All()
		}
	}
	if s.pair == nil {
		return s.floodOf(s.graph.Toward(targets))
	}
	// The same for both, so that one flood serves them.
	return s.floodOf(s.graph.Space.Union(s.pair.graphs.A.Toward(targets), s.pair.graphs.B.Toward(targets)))
}

// floodOf is the floods of some packets alone.
func (s *Solution) floodOf(packets packet.Set) func(dataplane.Bound) *dataplane.Flood {
	var floods [3]*dataplane.Flood
	return func(b dataplane.Bound) *dataplane.Flood {
		switch {
		case floods[b] != nil:
		case s.pair != nil:
			floods[b] = s.pair.floodOf(s, packets, b)
		default:
			floods[b] = s.graph.FloodOf(b, packets)
		}
		return floods[b]
	}
}

// Err reports an exceeded budget; answers after it are not valid.
func (s *Solution) Err() error { return s.graph.Space.Err() }

// groupOrigins numbers the senders that answers name.
func (s *Solution) groupOrigins() {
	s.groupOf, s.placementOf = make([]int, len(s.graph.Origins)), make([]int, len(s.graph.Origins))
	at := map[string]int{}
	for i, o := range s.graph.Origins {
		ref := s.originRef(o)
		// Networks that are not joined may use the same addresses; only connections of gateways that lead to one are alternatives.
		key := ref + "|" + o.Site.Channel + "|" + o.Site.Place.Kind.String()
		g, ok := at[key]
		if !ok {
			g = len(s.groups)
			at[key] = g
			s.groups = append(s.groups, group{ref: ref, site: o.Site})
		}
		s.groups[g].origins = append(s.groups[g].origins, i)
		s.groupOf[i] = g
	}
	for i := range s.groups {
		g := &s.groups[i]
		byPart := map[model.Place][]int{}
		var order []model.Place
		for _, o := range g.origins {
			p := s.graph.Origins[o].Site.Place.Key()
			if p.Kind != model.PlacePod {
				p = model.Place{} // which of its addresses a machine sends from is its own choice; where a pod runs is nobody's
			}
			if _, ok := byPart[p]; !ok {
				order = append(order, p)
			}
			byPart[p] = append(byPart[p], o)
		}
		for _, p := range order {
			for _, o := range byPart[p] {
				s.placementOf[o] = len(g.placements)
			}
			g.placements = append(g.placements, byPart[p])
		}
	}
}

// originRef prints a sender. Senders outside the estate are address blocks.
func (s *Solution) originRef(o dataplane.Origin) string {
	switch o.Site.Place.Kind {
	case model.PlaceFarSide, model.PlaceInternet:
		if len(o.Prefixes) == 1 {
			return blockRef(o.Site.Known(o.Prefixes[0]))
		}
	case model.PlaceSubnet, model.PlaceScaleSet, model.PlaceNodePool, model.PlaceNIC:
		// A part of a class that a question tells apart is named by its NIC, or by its block.
		if len(o.Prefixes) == 1 && !samePrefixes(o.Prefixes, o.Site.Prefixes) {
			if o.Prefixes[0].IsSingleIP() {
				if p := o.Site.PlaceOf(o.Prefixes[0].Addr()); p != o.Site.Place || p.Kind == model.PlaceNIC {
					return s.placeRef(p)
				}
			}
			return blockRef(o.Prefixes[0])
		}
	default:
	}
	return s.siteRef(o.Site)
}

func samePrefixes(a, b []netip.Prefix) bool { return slices.Equal(a, b) }

func blockRef(p netip.Prefix) string {
	if p.IsSingleIP() {
		return "ip:" + p.Addr().String()
	}
	return "cidr:" + p.String()
}

// siteRef prints a site as a selector.
func (s *Solution) siteRef(site *dataplane.Site) string { return s.placeRef(site.Place) }

// placeRef prints a place as the selector that people write.
func (s *Solution) placeRef(p model.Place) string {
	e := s.Project.Estate
	of := func(k model.SelectorKind) string {
		if r, ok := e.Lookup(p.ID); ok {
			return s.refs.Of(k, r)
		}
		return string(k) + ":" + p.ID.ShortName()
	}
	switch p.Kind {
	case model.PlaceNIC:
		return of(model.SelNIC)
	case model.PlaceScaleSet:
		if set, ok := model.Get[*model.ScaleSet](e, p.ID); ok && set.Managed {
			for _, c := range e.Clusters {
				for _, pool := range c.Pools {
					if strings.EqualFold(pool.Name, set.Pool) && (c.NodeGroup == "" || strings.EqualFold(c.NodeGroup, set.ID.ResourceGroup())) {
						return s.refs.Pool(c, pool.Name)
					}
				}
			}
		}
		return of(model.SelVM)
	case model.PlaceSubnet:
		return of(model.SelSubnet)
	case model.PlaceNodePool:
		if c, ok := model.Get[*model.Cluster](e, p.ID); ok {
			return s.refs.Pool(c, p.Part)
		}
		return "nodepool:" + p.ID.Name() + "/" + p.Part
	case model.PlacePod:
		return of(model.SelPod)
	case model.PlaceEndpoint:
		return of(model.SelEndpoint)
	case model.PlaceService:
		return of(model.SelService)
	case model.PlaceFirewall:
		return of(model.SelFirewall)
	case model.PlaceAppGateway:
		return of(model.SelAppGateway)
	case model.PlaceBastion:
		return of(model.SelBastion)
	case model.PlaceFrontDoor:
		return of(model.SelFrontDoor)
	case model.PlaceAPIM:
		return of(model.SelAPIM)
	case model.PlaceGateway:
		return of(model.SelGateway)
	case model.PlaceFarSide:
		return of(model.SelGateway) + "/" + p.Part
	case model.PlaceAPIServer:
		return of(model.SelAPIServer)
	case model.PlaceInternet:
		return "internet"
	case model.PlacePlatform:
		return "platform"
	case model.PlaceFrontend:
		if k, ok := model.Get[*model.KubeService](e, p.ID); ok {
			return "lb:" + k.Namespace + "/" + k.Name()
		}
		if lb, ok := e.Lookup(p.ID.Parent()); ok {
			return s.refs.Of(model.SelLB, lb)
		}
		return "lb:" + p.ID.Parent().Name()
	case model.PlaceUnknown:
		if p.ID == "" {
			return "unknown"
		}
		return "unknown:" + p.ID.Name()
	default:
		return p.Kind.String()
	}
}

// collectRelays takes over the graph's relays and adds HTTP proxies and the declared jump boxes, which relay a session on 22 or 3389 to all
// that they reach themselves.
func (s *Solution) collectRelays() {
	own := func(sites []*dataplane.Site) packet.Set {
		var origins []int
		for i, o := range s.graph.Origins {
			if slices.Contains(sites, o.Site) {
				origins = append(origins, i)
			}
		}
		return s.graph.From(origins...)
	}
	for _, r := range s.graph.Relays {
		s.relays = append(s.relays, relay{
			name: s.siteRef(r.Accept), place: r.Accept.Place, accept: s.graph.Space.All(), at: r.Accept.Receive, from: own(r.From),
		})
	}
	s.addProxies()
	if s.Project.Intent == nil {
		return
	}
	shell := s.graph.Space.Box(packet.Box{
		Protocol: []packet.Range{{Lo: uint32(model.TCP), Hi: uint32(model.TCP)}},
		DPort:    []packet.Range{{Lo: 22, Hi: 22}, {Lo: 3389, Hi: 3389}},
	})
	for _, sel := range s.Project.Intent.PCI.JumpBoxes {
		t, err := s.target([]model.Selector{sel})
		if err != nil {
			s.errs = append(s.errs, err)
			continue
		}
		for _, site := range t.sites {
			if site.Place.Kind != model.PlaceNIC && site.Place.Kind != model.PlaceScaleSet {
				continue
			}
			s.relays = append(s.relays, relay{name: s.siteRef(site), place: site.Place, accept: shell, at: site.Receive, from: own([]*dataplane.Site{site})})
		}
	}
	slices.SortStableFunc(s.relays, func(a, b relay) int { return cmp.Or(a.place.Compare(b.place), cmp.Compare(a.name, b.name)) })
}

// interpreter is the interpreter of the estate; all: past the first control that stops a packet.
func (s *Solution) interpreter(all bool) *trace.Interpreter {
	i := 0
	if all {
		i = 1
	}
	if s.interpreters[i] == nil {
		s.interpreters[i] = trace.New(s.Project.Estate, s.traceOptions(all))
	}
	return s.interpreters[i]
}

// traceOptions are the interpreter's options for this run.
func (s *Solution) traceOptions(all bool) trace.Options {
	trust := s.Project.Intent != nil && s.Project.Intent.TrustMesh
	return trace.Options{Strict: s.o.Strict, Tags: s.Project.Tags, All: all, Details: true, TrustMesh: trust}
}
