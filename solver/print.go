package solver

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// boxCap is how many packet rows a flow prints; Flow.Total has the whole count.
const boxCap = 64

// flows prints rows: the certain part of each, and what may be delivered beside it.
func (s *Solution) flows(q *query, rows []row) []Flow {
	type proved struct {
		Flow
		row row
	}
	space := s.graph.Space
	list := []proved{}
	for _, r := range rows {
		rest := space.Subtract(r.over, r.oneWay)
		for _, part := range []struct {
			set     packet.Set
			verdict Verdict
		}{{r.oneWay, Reachable}, {rest, Unknown}} {
			if part.set.Empty() {
				continue
			}
			f := Flow{From: s.groups[r.group].ref, To: r.to, Verdict: part.verdict, Kind: r.kind, Via: s.viaNames(r)}
			if part.verdict == Reachable && space.Disjoint(part.set, r.session) {
				f.Label = "asymmetric"
			}
			f.Packets, f.Total = s.packets(part.set, r)
			if q.sent && len(list) < boxCap {
				f.Sent = s.sent(q, r, part.verdict)
			}
			if f.Total <= uint64(len(f.Packets)) {
				f.Total = 0
			}
			list = append(list, proved{f, r})
		}
	}
	slices.SortStableFunc(list, func(a, b proved) int { return compareFlows(a.Flow, b.Flow) })
	out := make([]Flow, len(list))
	for i, p := range list {
		out[i] = p.Flow
		if i < q.proofs && (p.Verdict == Reachable || p.row.oneWay.Empty()) { // a row that is partly certain is proved by that part
			out[i].Witness, _ = s.rowWitness(q, p.row)
		}
	}
	return out
}

// sent is where the packets of a row go as their senders make them, and what they ask for there; nothing where no address and no port
// changes on the way (AZ-GEN-11).
func (s *Solution) sent(q *query, r row, v Verdict) []Sent {
	const most = 4
	space := s.graph.Space
	bound, targets := dataplane.Over, s.raw(r)
	if v == Reachable {
		bound, targets = dataplane.OneWay, s.certain(r)
	}
	f := q.floods(bound)
	from := s.graph.From(slices.Clone(s.groups[r.group].origins)...)
	if len(r.via) > 0 {
		first := s.relays[r.via[0]]
		targets = map[dataplane.NodeID]packet.Set{first.at: first.accept}
	}
	back := f.Back(targets, from)
	fields := func(set packet.Set) packet.Set {
		var others []packet.Field
		for i := range s.graph.Universe.TagNames() {
			others = append(others, packet.Tag(i))
		}
		return space.Project(set, append(others, packet.Origin, packet.Src, packet.SPort, packet.Name)...)
	}
	var made, arrived packet.Set
	for _, o := range s.groups[r.group].origins {
		made = space.Union(made, fields(space.Intersect(back[s.graph.Origins[o].Site.Send], s.graph.From(o))))
	}
	for n := range targets {
		arrived = space.Union(arrived, fields(back[n]))
	}
	if len(r.via) > 0 {
		arrived = fields(r.over)
	}
	if made == arrived {
		return nil
	}
	samePorts := space.Project(made, packet.Dst) == space.Project(arrived, packet.Dst)
	var out []Sent
	list, total := space.Boxes(made, most)
	for _, b := range list {
		x := Sent{Dst: s.addresses(b.Dst), Protocol: protocols(b.Protocol), DPort: ports(b.DPort)}
		if samePorts && (len(x.Dst) > most || total > most) {
			return nil // a proxy connects to the owner of a name, wherever clients send
		}
		out = append(out, x)
	}
	return out
}

// viaNames lists what every packet of a row passes: firewalls, and the relays of its chain in their order.
func (s *Solution) viaNames(r row) []string {
	return append(append([]string{}, r.firewalls...), s.chainNames(r.via)...)
}

func (s *Solution) chainNames(via []int) []string {
	out := []string{}
	for _, v := range via {
		out = append(out, s.relays[v].name)
	}
	return out
}

// packets prints a set as few boxes. The source is printed as the sender writes it: where a translation changed it, the sender's own
// addresses stand for it.
func (s *Solution) packets(set packet.Set, r row) ([]Packets, uint64) {
	space := s.graph.Space
	var own []netip.Prefix
	var ownClasses []packet.Range
	for _, o := range s.groups[r.group].origins {
		own = append(own, s.graph.Origins[o].Prefixes...)
		ownClasses = append(ownClasses, s.graph.OriginClasses(o)...)
	}
	kept := r.kind == Direct && space.Subset(set, space.Box(packet.Box{Src: ownClasses}))
	if !kept {
		set = space.Project(set, packet.Src)
	}
	return s.boxes(set, func(b packet.Box) []string {
		if kept && b.Src != nil {
			return s.addresses(b.Src)
		}
		return s.senderTexts(r.group, own)
	})
}

// senderTexts prints a sender's own addresses.
func (s *Solution) senderTexts(g int, own []netip.Prefix) []string {
	site := s.groups[g].site
	if site.Place.Kind == model.PlaceInternet && len(own) == len(site.Prefixes) {
		return []string{"internet"}
	}
	return s.prefixTexts(own)
}

// pairPackets prints a set whatever its sources, which are what the row is named after.
func (s *Solution) pairPackets(set packet.Set) ([]Packets, uint64) {
	out, total := s.boxes(s.graph.Space.Project(set, packet.Src), func(packet.Box) []string { return []string{"any"} })
	if total <= uint64(len(out)) {
		total = 0
	}
	return out, total
}

func (s *Solution) boxes(set packet.Set, src func(packet.Box) []string) ([]Packets, uint64) {
	list, total := fewBoxes(s.graph.Space, set, s.graph.NameTags(), s.graph.Facts)
	out := []Packets{}
	for _, b := range list {
		out = append(out, Packets{
			Src: src(b), Dst: s.addresses(b.Dst), SPort: ports(b.SPort), DPort: ports(b.DPort), Protocol: protocols(b.Protocol),
			Names: nameTexts(s.graph.Universe, b.Name), Tags: tagTexts(b.Tags, s.tagName),
		})
	}
	return out, total
}

// fewBoxes is a set as boxes that are printed, and how many there are in all. nameTags are the tags that speak of names, facts the packets
// that can exist.
func fewBoxes(space *packet.Space, set packet.Set, nameTags []packet.Field, facts func() packet.Set) ([]packet.Box, uint64) {
	// A packet without a name (anything but TCP) prints as any name, and says nothing of names in its tags.
	tcp := space.Box(packet.Box{Protocol: value(uint32(model.TCP))})
	set = space.Union(space.Intersect(set, tcp), space.Project(space.Subtract(set, tcp), append(nameTags, packet.Name)...))
	list, total := space.Boxes(set, boxCap)
	if loose := loosen(space, set, list, facts); loose != set {
		list, total = space.Boxes(loose, boxCap)
	}
	return list, total
}

// loosen frees the tags by which a set only tells packets from others that cannot exist: a name that an FQDN tag lists is in it anyway
// (AZ-FW-34). What is printed is the same packets in fewer words.
func loosen(space *packet.Space, set packet.Set, list []packet.Box, facts func() packet.Set) packet.Set {
	var seen []packet.Field
	for _, b := range list {
		for _, t := range b.Tags {
			if slices.Contains(seen, t.Tag) {
				continue
			}
			seen = append(seen, t.Tag)
			if freed := space.Project(set, t.Tag); space.Subset(space.Intersect(freed, facts()), set) {
				set = freed
			}
		}
	}
	return set
}

// addresses prints address classes: the internet by its word, symbols by their owner, the rest as prefixes.
func (s *Solution) addresses(r []packet.Range) []string {
	if r == nil {
		return []string{"any"}
	}
	if slices.Equal(r, s.graph.InternetAddresses()) || slices.Equal(r, s.graph.InternetAndNamed()) {
		return []string{"internet"}
	}
	var key strings.Builder
	for _, x := range r {
		key.WriteString(strconv.FormatUint(uint64(x.Lo), 36) + "-" + strconv.FormatUint(uint64(x.Hi), 36) + " ")
	}
	out, ok := s.addressTexts[key.String()]
	if !ok {
		if s.addressTexts == nil {
			s.addressTexts = map[string][]string{}
		}
		out = slices.Clip(s.prefixTexts(s.graph.Universe.Prefixes(r)))
		s.addressTexts[key.String()] = out
	}
	return out
}

func (s *Solution) prefixTexts(ps []netip.Prefix) []string {
	return prefixTexts(ps, s.symbols().At, s.symbolText)
}

// prefixTexts prints prefixes, the symbols among them by what they stand for.
func prefixTexts(ps []netip.Prefix, symbolAt func(netip.Addr) (model.Symbol, bool), symbolText func(model.Symbol) string) []string {
	out := []string{}
	for _, p := range ps {
		if !model.SymbolBlock().Overlaps(p) {
			out = append(out, p.String())
			continue
		}
		for a := p.Addr(); p.Contains(a); a = a.Next() {
			sym, ok := symbolAt(a)
			if !ok {
				break
			}
			if t := symbolText(sym); !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

func (s *Solution) symbols() *model.Symbols { return s.Project.Estate.Symbols() }

// symbolText names what a symbol stands for.
func (s *Solution) symbolText(sym model.Symbol) string {
	kind := map[model.SymbolKind]model.PlaceKind{
		model.PodAddress: model.PlacePod, model.ConfigAddress: model.PlaceNIC, model.EndpointAddress: model.PlaceEndpoint,
		model.FrontendAddress: model.PlaceFrontend, model.ServiceFrontend: model.PlaceFrontend, model.ServiceDoor: model.PlaceService,
		model.APIDoor: model.PlaceAPIServer, model.BastionDoor: model.PlaceBastion, model.FrontDoorDoor: model.PlaceFrontDoor, model.APIMDoor: model.PlaceAPIM, model.APIMAddress: model.PlaceAPIM, model.FirewallAddress: model.PlaceFirewall, model.GatewayAddress: model.PlaceAppGateway,
	}
	switch sym.Kind {
	case model.NamedHost:
		return "the host of the name"
	case model.FrontDoorBackend:
		return "an address of frontdoor:" + sym.Owner.Name() + " in AzureFrontDoor.Backend"
	case model.DefaultOutbound:
		return "an address of Microsoft's default outbound access"
	case model.PublicAddress:
		return "publicip:" + sym.Owner.Name()
	case model.NodePublicAddress:
		return "a node's public address (" + sym.Owner.Name() + "/" + sym.Part + ")"
	case model.InstancePublicAddress:
		return "an instance's public address (" + sym.Owner.Name() + ")"
	default:
		return s.placeRef(model.Place{Kind: kind[sym.Kind], ID: sym.Owner, Part: sym.Part})
	}
}

func ports(r []packet.Range) []string {
	if r == nil {
		return []string{"0-65535"}
	}
	out := make([]string, len(r))
	for i, x := range r {
		out[i] = strconv.FormatUint(uint64(x.Lo), 10)
		if x.Hi != x.Lo {
			out[i] += "-" + strconv.FormatUint(uint64(x.Hi), 10)
		}
	}
	return out
}

// protocols prints a protocol field: every carried protocol is `any`.
func protocols(r []packet.Range) string {
	has := func(p model.Protocol) bool {
		return r == nil || slices.ContainsFunc(r, func(x packet.Range) bool { return x.Lo <= uint32(p) && uint32(p) <= x.Hi })
	}
	var names []string
	for _, p := range []model.Protocol{model.TCP, model.UDP, model.SCTP, model.ICMP, model.ICMPv6, model.ESP, model.AH} {
		if has(p) {
			names = append(names, p.String())
		}
	}
	if has(model.TCP) && has(model.UDP) && (has(model.ICMP) || has(model.ICMPv6)) && has(model.ESP) && has(model.AH) {
		return "any"
	}
	return strings.Join(names, ",")
}

// nameTexts prints a name field: patterns, `*` for every packet, `(none)` for packets without a name.
func nameTexts(u *packet.Universe, r []packet.Range) []string {
	if r == nil {
		return []string{"*"}
	}
	out := []string{}
	for _, x := range r {
		for c := x.Lo; c <= x.Hi; c++ {
			t := nameText(u, c)
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
			if c == ^uint32(0) {
				break
			}
		}
	}
	return out
}

func nameText(u *packet.Universe, class uint32) string {
	if class == 0 {
		return "(none)"
	}
	best := ""
	for _, p := range u.NamePatterns(class) {
		if p != "*" && len(p) > len(best) {
			best = p
		}
	}
	if best == "" {
		return "(any other name)"
	}
	return best
}

// tagTexts prints the tags of a box.
func tagTexts(tags []packet.TagValue, spell func(packet.Field) string) []string {
	var out []string
	for _, t := range tags {
		name := spell(t.Tag)
		if !t.Value {
			name = "!" + name
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// tagName is a tag as the input spells it.
func (s *Solution) tagName(f packet.Field) string {
	if s.tagWords == nil {
		s.tagWords = s.spellTags()
	}
	return s.tagWords[f]
}

func (s *Solution) spellTags() map[packet.Field]string {
	spelt := map[string]string{}
	read := func(tags []string) {
		for _, t := range tags {
			if lower := strings.ToLower(t); spelt[lower] == "" {
				spelt[lower] = t
			}
		}
	}
	for _, n := range s.Project.Estate.NSGs {
		for _, r := range n.Rules {
			read(r.SourceAddrs.Tags)
			read(r.DestAddrs.Tags)
		}
	}
	for _, g := range s.Project.Estate.RuleGroups {
		for _, c := range g.Collections {
			for _, r := range c.Rules {
				read(r.Dests.Tags)
				read(r.FQDNTags)
			}
		}
	}
	for _, f := range s.Project.Estate.Firewalls {
		for _, c := range f.Collections {
			for _, r := range c.Rules {
				read(r.Dests.Tags)
				read(r.FQDNTags)
			}
		}
	}
	words := map[packet.Field]string{}
	for i, n := range s.graph.Universe.TagNames() {
		kind, name, _ := strings.Cut(n, ":")
		word := cmp.Or(spelt[name], name)
		switch kind {
		case "fqdntag":
			word += " (FQDN tag)"
		case "webcategory":
			word = name + " (web category)"
		}
		words[packet.Tag(i)] = word
	}
	return words
}

// assumptions turns IDs into what answers print. Open ones are printed where they made the answer unknown, assumed ones always.
func (s *Solution) assumptions(ids []string, withOpen bool) []Assumption {
	slices.Sort(ids)
	out := []Assumption{}
	for _, id := range slices.Compact(ids) {
		a, ok := model.AssumptionOf(id)
		if !ok {
			continue
		}
		open := a.Open || s.o.Strict && !a.Statement
		if open && !withOpen {
			continue
		}
		out = append(out, Assumption{ID: a.ID, Open: open, Text: a.Text, Settle: a.Settle})
	}
	return out
}

// notesOf is the assumptions that took part in a question: those of the edges that its senders' packets reach on a way to the target.
func (s *Solution) notesOf(q *query) []string {
	var targets []dataplane.NodeID
	for n := range q.to.nodes {
		targets = append(targets, n)
	}
	for n := range q.to.entry {
		targets = append(targets, n)
	}
	slices.Sort(targets)
	from := q.from.from
	if !q.direct {
		for i := range s.chains(q, dataplane.Over) {
			from = s.graph.Space.Union(from, s.relays[i].from)
		}
	}
	notes := q.floods(dataplane.Over).Touched(from, s.graph.Towards(targets))
	if s.residualDNS(q, from) {
		notes = append(notes, "ASM-PLATFORM")
	}
	return append(notes, s.graph.Notes...)
}

// residualDNS reports that a question about the internet leaves senders the DNS of the platform, a channel for data out of a subnet that is
// closed otherwise (AZ-PLAT-05).
func (s *Solution) residualDNS(q *query, from packet.Set) bool {
	if !slices.ContainsFunc(q.to.sites, func(x *dataplane.Site) bool { return x.Place.Kind == model.PlaceInternet }) {
		return false
	}
	n, dns := s.graph.Resolver()
	return !s.graph.Space.Disjoint(q.floods(dataplane.Over).At(n), s.graph.Space.Intersect(from, dns))
}

// Compact makes a list of CIDRs shorter for people: neighbouring ones print as one range, `10.1.1.4-10.1.1.254`. What is no CIDR stays.
func Compact(list []string) []string {
	var out []string
	var first, last netip.Addr
	run := ""
	flush := func() {
		switch {
		case !first.IsValid():
		case run != "":
			out = append(out, run)
		default:
			out = append(out, first.String()+"-"+last.String())
		}
		first, run = netip.Addr{}, ""
	}
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			flush()
			out = append(out, text)
			continue
		}
		end := netipx.PrefixLastIP(p)
		if first.IsValid() && last.Next() == p.Addr() {
			last, run = end, ""
			continue
		}
		flush()
		first, last, run = p.Addr(), end, text
	}
	flush()
	return out
}
