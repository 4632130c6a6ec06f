package solver

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
)

// Category is what a system is to an assessment (PCI DSS, scope of requirements).
type Category string

const (
	InCDE             Category = "cde"                // in a zone of kind cde or data
	ConnectedTo       Category = "connected-to"       // reaches the CDE, or is reached from it, by packets or over relays
	SecurityImpacting Category = "security-impacting" // decides about what reaches the CDE, or is declared to administer
	OutOfScope        Category = "out-of-scope"       // proved: no packet either way
)

// Categories lists them, the nearest to card data first.
func Categories() []Category {
	return []Category{InCDE, ConnectedTo, SecurityImpacting, OutOfScope}
}

// Scope is every system of an estate and the networks around it, with what drags it into scope.
type Scope struct {
	Zones       []string     `json:"zones"` // whose members are the CDE
	Systems     []System     `json:"systems"`
	Assumptions []Assumption `json:"assumptions"`
}

// System is one sender or target, or one control on the way to the CDE.
type System struct {
	System   string   `json:"system"` // as a selector
	Zone     string   `json:"zone"`   // "" where it is in none
	Category Category `json:"category"`
	Outside  bool     `json:"outside,omitempty"` // a network outside the estate
	Members  []string `json:"members,omitempty"` // machines that are treated alike and stand here as one
	Why      string   `json:"why"`               // in a sentence
	Reasons  []Reason `json:"reasons"`           // flows to and from the CDE, the strongest of each direction first
	More     int      `json:"more,omitempty"`    // how many more flows there are
	Witness  *Witness `json:"witness" jsonschema:"nullable"`
	Remedy   *Remedy  `json:"remedy,omitempty"` // the single change that would take it out of scope
}

// Reason is one flow between a system and the CDE.
type Reason struct {
	Direction string `json:"direction"` // to-cde, from-cde, on-the-way
	Flow      Flow   `json:"flow"`
}

// Directions of a reason.
const (
	ToCDE    = "to-cde"
	FromCDE  = "from-cde"
	OnTheWay = "on-the-way"
)

// passing is a row that passes a control.
type passing struct {
	q   *query
	row row
}

// shownReasons is how many flows of one system are printed.
const shownReasons = 6

// scoped is a system with the rows that drag it in.
type scoped struct {
	System
	to, from []row
	place    model.Place
	site     *dataplane.Site
}

// Scope derives the scope of an assessment from what can be reached: the members of zones of kind cde and data; what may open a connection to
// them or be opened one by them, over every packet, directly or over relays; what decides about those connections; and the rest, for which it is
// proved that no packet can be delivered either way. A flow that is possible and not certain drags a system in as well: out of scope is what is
// proved to be. changes has it look for the single change that would take each system out.
func (s *Solution) Scope(changes bool) (*Scope, error) {
	cde := newEnd("the CDE")
	out := &Scope{Zones: []string{}, Systems: []System{}}
	for _, z := range s.zones {
		if z.zone.Kind != model.ZoneCDE && z.zone.Kind != model.ZoneData {
			continue
		}
		out.Zones = append(out.Zones, string(model.SelZone)+":"+z.zone.Name)
		if err := s.addZone(cde, z.zone.Name); err != nil {
			return nil, err
		}
	}
	if len(out.Zones) == 0 {
		src := model.Source{}
		if s.Project.Intent != nil {
			src = s.Project.Intent.Source
		}
		return nil, &model.InputError{Source: src, Field: "zones", Found: "no zone of kind cde or data", Accepted: "at least one: the scope is what is connected to it"}
	}
	everyone := newEnd("any")
	s.addWhole(everyone, func(x *dataplane.Site) bool { return x.Place.Kind != model.PlacePlatform })
	to, from := s.newQuery(everyone, cde), s.newQuery(cde, everyone)
	systems := s.systems()
	inCDE := s.inCDE(cde)
	at := func(ref string) *scoped {
		if systems[ref] == nil {
			systems[ref] = &scoped{System: System{System: ref}}
		}
		return systems[ref]
	}
	// Each sender is asked for itself: it may use every relay but what it is.
	var rowsTo []row
	senders := s.senderSides(inCDE)
	m := s.newMatrix(senders, s.graph.Space.All(), false)
	c := m.column(side{"", cde})
	for i, one := range senders {
		x := at(one.name)
		x.to = m.rows(c, i)
		rowsTo = append(rowsTo, x.to...)
	}
	rowsFrom := s.rows(from)
	for _, r := range rowsFrom {
		for _, ref := range s.receivers(r, systems) {
			x := at(ref)
			x.from = append(x.from, r)
		}
	}
	onWay := map[string]passing{}
	for _, p := range []passing{{q: to}, {q: from}} {
		for _, r := range map[*query][]row{to: rowsTo, from: rowsFrom}[p.q] {
			for _, name := range s.viaNames(r) {
				if have, ok := onWay[name]; !ok || quality(r) > quality(have.row) {
					onWay[name] = passing{p.q, r}
				}
			}
		}
	}
	for name := range onWay {
		at(name)
	}
	left := max(3, Work/len(s.graph.Nodes))
	names := slices.Sorted(maps.Keys(systems))
	var must []model.Assertion
	if changes && s.Project.Intent != nil {
		for _, a := range s.Project.Intent.Assertions {
			if a.Verb != model.VerbMust {
				continue
			}
			if res, err := s.Check(a); err == nil && res.Verdict == Pass {
				must = append(must, a)
			}
		}
	}
	for i, name := range names {
		s.progress(i, len(names), "scope of "+name)
		x := systems[name]
		s.classify(x, inCDE[name], to, from, onWay)
	}
	for name, why := range s.links(systems, inCDE) {
		x := systems[name]
		if x.Category == InCDE || x.Category == ConnectedTo {
			continue
		}
		x.Category, x.Why = ConnectedTo, strings.Join(why, "; ")
		if x.place.Kind == model.PlaceGateway {
			x.Category = SecurityImpacting
		}
	}
	for i, name := range names {
		x := systems[name]
		s.progress(i, len(names), "what takes "+name+" out of scope")
		if changes && len(x.to)+len(x.from) > 0 && x.Category == ConnectedTo {
			x.Remedy = s.outOfScope(x, must, &left)
		}
		out.Systems = append(out.Systems, x.System)
	}
	s.progress(len(names), len(names), "scope")
	slices.SortStableFunc(out.Systems, func(a, b System) int {
		return cmp.Or(slices.Index(Categories(), a.Category)-slices.Index(Categories(), b.Category), cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.System, b.System))
	})
	out.Assumptions = s.assumptions(slices.Concat(s.notesOf(to), s.notesOf(from), s.doubts(to, rowsTo), s.doubts(from, rowsFrom)), true)
	return out, s.Err()
}

// systems are the senders and targets of an estate and its surroundings, by how answers call them.
func (s *Solution) systems() map[string]*scoped {
	out := map[string]*scoped{}
	put := func(ref, zone string, site *dataplane.Site) {
		if out[ref] != nil {
			out[ref].Zone = cmp.Or(out[ref].Zone, zone)
			return
		}
		x := &scoped{System: System{System: ref, Zone: zone, Outside: outside(site)}, place: site.Place, site: site}
		if len(site.Members) > 1 {
			for _, m := range site.Members {
				x.Members = append(x.Members, s.placeRef(m.Place))
			}
			slices.Sort(x.Members)
			x.Members = slices.Compact(x.Members)
		}
		out[ref] = x
	}
	for _, g := range s.groups {
		if g.site.Place.Kind != model.PlacePlatform && g.site.Channel != ingressChannel {
			put(g.ref, s.zoneOfSender(g), g.site)
		}
	}
	for _, site := range s.graph.Sites {
		if site.Receive < 0 || site.Place.Kind == model.PlacePlatform || site.Channel == ingressChannel || site.Place.Kind == model.PlaceFarSide || site.Place.Kind == model.PlaceInternet {
			continue
		}
		put(s.siteRef(site), s.zoneOfNode(site.Receive), site)
	}
	return out
}

// senderSides are the senders outside the CDE, one side for each system.
func (s *Solution) senderSides(inCDE map[string]bool) []side {
	ends := map[string]*end{}
	for _, g := range s.groups {
		if g.site.Place.Kind == model.PlacePlatform || inCDE[g.ref] {
			continue
		}
		if ends[g.ref] == nil {
			ends[g.ref] = newEnd(g.ref)
		}
		s.addSenders(ends[g.ref], g.origins)
	}
	var out []side
	for _, name := range slices.Sorted(maps.Keys(ends)) {
		out = append(out, side{name, ends[name]})
	}
	return out
}

// receivers names who receives the packets of a row; networks outside by the blocks that their senders have.
func (s *Solution) receivers(r row, systems map[string]*scoped) []string {
	var out []string
	for _, n := range r.nodes {
		place := s.graph.Nodes[n].Place
		if k := place.Kind; k != model.PlaceFarSide && k != model.PlaceInternet {
			out = append(out, s.nodeRef(n))
			if ref := s.behindEndpoint(place); systems[ref] != nil {
				out = append(out, ref) // one resource, by another door
			}
			continue
		}
		for _, g := range s.groups {
			if g.site.Receive == n {
				out = append(out, g.ref)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// behindEndpoint names the service, or the API server, to which a private endpoint leads; "" where the input lacks it.
func (s *Solution) behindEndpoint(p model.Place) string {
	pe, ok := model.Get[*model.PrivateEndpoint](s.Project.Estate, p.ID)
	if !ok || p.Kind != model.PlaceEndpoint {
		return ""
	}
	if svc, is := model.Get[*model.Service](s.Project.Estate, pe.Target); is {
		return s.placeRef(model.Place{Kind: model.PlaceService, ID: svc.ID})
	}
	if c, is := model.Get[*model.Cluster](s.Project.Estate, pe.Target); is {
		return s.placeRef(model.Place{Kind: model.PlaceAPIServer, ID: c.ID})
	}
	return ""
}

// links names, by system, others which cannot be in scope without it, and why: the nodes that CDE pods may run on, which can always open
// connections to them (ASM-K-NODE); the other interfaces of a machine; the gateway that carries a network's packets.
func (s *Solution) links(systems map[string]*scoped, inCDE map[string]bool) map[string][]string {
	out := map[string][]string{}
	inScope := func(x *scoped) bool { return x.Category == InCDE || x.Category == ConnectedTo }
	add := func(ref, why string) {
		if systems[ref] != nil && !slices.Contains(out[ref], why) {
			out[ref] = append(out[ref], why)
		}
	}
	machines := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(systems)) {
		x := systems[name]
		if x.site == nil {
			continue
		}
		switch x.place.Kind {
		case model.PlacePod:
			w, ok := model.Get[*model.Workload](s.Project.Estate, x.place.ID)
			if !ok || !inCDE[name] {
				continue
			}
			c, ok := model.Get[*model.Cluster](s.Project.Estate, w.Cluster)
			if !ok {
				continue
			}
			for _, site := range s.graph.Sites {
				if site.Place.Kind == model.PlacePod && site.Place.ID.Key() == x.place.ID.Key() && site.Place.Part != "" {
					add(s.refs.Pool(c, site.Place.Part), "a pod of the CDE may run on it, "+name+": a node can always open connections to its pods (ASM-K-NODE)")
				}
			}
		case model.PlaceNIC:
			if n, ok := model.Get[*model.NIC](s.Project.Estate, x.place.ID); ok && n.VM != "" {
				machines[n.VM.Key()] = append(machines[n.VM.Key()], name)
			}
		case model.PlaceFarSide:
			if inScope(x) {
				add(s.placeRef(model.Place{Kind: model.PlaceGateway, ID: x.place.ID}), "it carries the packets of "+name)
			}
		default:
		}
	}
	for _, nics := range machines {
		for _, a := range nics {
			for _, b := range nics {
				if a != b && inScope(systems[a]) {
					add(b, "an interface of the same machine is in scope, "+a)
				}
			}
		}
	}
	return out
}

// inCDE names the systems that are members of the CDE.
func (s *Solution) inCDE(cde *end) map[string]bool {
	out := map[string]bool{}
	for _, o := range cde.senders {
		out[s.groups[s.groupOf[o]].ref] = true
	}
	for n := range cde.nodes {
		out[s.nodeRef(n)] = true
	}
	return out
}

// classify puts a system into its category, and says why.
func (s *Solution) classify(x *scoped, member bool, to, from *query, onWay map[string]passing) {
	x.Reasons = []Reason{}
	via, control := onWay[x.System.System]
	add := func(direction string, q *query, rows []row) {
		slices.SortStableFunc(rows, func(a, b row) int { return quality(b) - quality(a) })
		seen := map[string]bool{}
		for _, f := range s.flows(q, rows[:min(len(rows), shownReasons)]) {
			f.From = cmp.Or(map[string]string{ToCDE: x.System.System}[direction], f.From)
			key := fmt.Sprint(f.From, f.To, f.Verdict, f.Kind, f.Via, f.Packets)
			switch {
			case seen[key]:
			case len(x.Reasons) < shownReasons:
				x.Reasons = append(x.Reasons, Reason{direction, f})
			default:
				x.More++
			}
			seen[key] = true
		}
		x.More += max(0, len(rows)-shownReasons)
	}
	switch {
	case member:
		x.Category, x.Why = InCDE, "a member of "+x.Zone
		return
	case len(x.to)+len(x.from) > 0:
		x.Category = ConnectedTo
		add(ToCDE, to, x.to)
		add(FromCDE, from, x.from)
		q, rows := to, x.to
		if len(rows) == 0 || len(x.from) > 0 && quality(x.from[0]) > quality(rows[0]) {
			q, rows = from, x.from
		}
		x.Witness, _ = s.witness(q, rows)
		x.Why = reasonText(x, control)
	case control:
		x.Category = SecurityImpacting
		for _, f := range s.flows(via.q, []row{via.row}) {
			x.Reasons = append(x.Reasons, Reason{OnTheWay, f})
		}
		x.Witness, _ = s.rowWitness(via.q, via.row)
		x.Why = "decides about, or relays, what passes between the CDE and others"
	case s.administers(x.Zone):
		x.Category, x.Why = SecurityImpacting, "no packet passes between it and the CDE; "+x.Zone+" is declared as management"
	default:
		x.Category, x.Why = OutOfScope, "proved: no packet can be delivered from it to the CDE, nor from the CDE to it"
	}
}

// reasonText says what drags a system in.
func reasonText(x *scoped, control bool) string {
	var parts []string
	say := func(rows []row, text string) {
		if len(rows) == 0 {
			return
		}
		sure := slices.ContainsFunc(rows, func(r row) bool { return !r.oneWay.Empty() })
		direct := slices.ContainsFunc(rows, func(r row) bool { return r.kind == Direct })
		if !direct {
			text += " over relays"
		}
		if !sure {
			text += ", possibly"
		}
		parts = append(parts, text)
	}
	say(x.to, "it reaches the CDE")
	say(x.from, "the CDE reaches it")
	if control {
		parts = append(parts, "others reach the CDE through it")
	}
	return strings.Join(parts, "; ")
}

// administers reports whether a zone is declared to administer.
func (s *Solution) administers(zone string) bool {
	return slices.ContainsFunc(s.zones, func(z zonePart) bool {
		return string(model.SelZone)+":"+z.zone.Name == zone && z.zone.Kind == model.ZoneManagement
	})
}

// mostOut bounds how many worlds are solved for one system.
const mostOut = 4

// outOfScope finds the single change after which no packet passes between a system and the CDE, either way (AZ-GEN-14).
func (s *Solution) outOfScope(x *scoped, must []model.Assertion, left *int) *Remedy {
	name := x.System.System
	r := &search{s: s, edits: 1, solve: mostOut, left: left, seen: map[string]trial{}, hold: must}
	r.a.Verb = model.VerbDeny
	r.name = "scope-" + strings.NewReplacer(":", "-", "/", "-").Replace(name)
	r.ask = func(w *Solution) []*query {
		cde := newEnd("the CDE")
		for _, z := range w.zones {
			if z.zone.Kind == model.ZoneCDE || z.zone.Kind == model.ZoneData {
				if err := w.addZone(cde, z.zone.Name); err != nil {
					return nil
				}
			}
		}
		one := newEnd(name)
		var origins []int
		for _, g := range w.groups {
			if g.ref == name {
				origins = append(origins, g.origins...)
			}
		}
		w.addSenders(one, origins)
		for _, site := range w.graph.Sites {
			if site.Receive < 0 || site.Channel == ingressChannel {
				continue
			}
			own := w.siteRef(site) == name || w.behindEndpoint(site.Place) == name
			if site.Place.Kind == model.PlaceFarSide || site.Place.Kind == model.PlaceInternet {
				own = slices.ContainsFunc(origins, func(o int) bool { return w.graph.Origins[o].Site == site })
			}
			if own {
				one.sites = append(one.sites, site)
				one.nodes[site.Receive] = w.graph.Space.All()
			}
		}
		var out []*query
		if !one.from.Empty() {
			out = append(out, w.newQuery(one, cde))
		}
		if len(one.nodes) > 0 {
			out = append(out, w.newQuery(cde, one))
		}
		return out
	}
	out := &Remedy{Changes: []Change{}, Beside: []string{}}
	edits := r.descend(s, nil, rankWide)
	if len(edits) == 0 && !r.short {
		edits = r.descend(s, nil, rankLast)
	}
	out.Tried = r.tried
	switch {
	case len(edits) > 0:
		out.Kept = len(r.hold)
		r.say(out, edits)
	case r.short:
		out.Reason = "not looked for: the work that a run spends on changes is used up"
	case r.tried == 0:
		out.Reason = "no single change: no rule, route or setting that could be tried stops all of it"
	default:
		out.Reason = fmt.Sprintf("no single change among %d that were tried takes it out, and keeps what must hold", r.tried)
	}
	return out
}
