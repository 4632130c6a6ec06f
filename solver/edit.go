package solver

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// edit is one change of one rule, or of one setting, that can be made in the model and tried. Nothing else changes.
type edit struct {
	key    string
	change Change
	rank   int        // less is tighter
	beside packet.Set // what it stops beside what it is meant for, as far as a rule list tells
	others []string   // whose packets those are
	longer int        // how much more its rule says than before
	apply  func(d *draft) bool
}

// Ranks of edits, the tightest first. A change that acts on nothing but the violation comes before one that does more.
const (
	rankRoute   = iota // the way through the place that is demanded
	rankRule           // a rule, or a setting, that does nothing but what must not be
	rankNarrow         // a rule, less what must not be
	rankNew            // a new rule for exactly the packets
	rankFilter         // a filter where none stands
	rankWide           // does more than it must
	rankAddress        // takes an address or a connection away
	rankManaged        // a rule set that Azure writes
	rankLast
)

// draft is an estate with changes.
type draft struct {
	base    *model.Estate
	changed map[string]model.Resource
}

func newDraft(e *model.Estate) *draft { return &draft{base: e, changed: map[string]model.Resource{}} }

// estate is the estate of a draft.
func (d *draft) estate() (*model.Estate, error) {
	var list []model.Resource
	for _, r := range d.changed {
		list = append(list, r)
	}
	return d.base.With(list...) // which sorts
}

// drafted is a copy of a resource as a draft has it, to be changed.
func drafted[T any, P interface {
	*T
	model.Resource
}](d *draft, id model.ID) (P, bool) {
	r, ok := d.changed[id.Key()].(P)
	if !ok {
		if r, ok = model.Get[P](d.base, id); !ok {
			return nil, false
		}
	}
	c := *r
	var out P = &c
	d.changed[id.Key()] = out
	return out, true
}

// put adds a resource.
func (d *draft) put(r model.Resource) { d.changed[r.ResourceID().Key()] = r }

// shape is what a rule matches, as people write it.
type shape struct {
	protocol       model.Protocol
	sources, dests model.AddressMatch
	ports          []model.PortRange
	set            packet.Set // what it matches, whatever the sender
}

func (s shape) String() string {
	svc := s.protocol.String()
	if len(s.ports) > 0 && s.ports[0] != model.AllPorts {
		svc += " port " + joinPorts(s.ports)
	}
	return svc + " from " + matchText(s.sources) + " to " + matchText(s.dests)
}

func joinPorts(list []model.PortRange) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

func matchText(m model.AddressMatch) string {
	if m.Any {
		return "*"
	}
	out := slices.Clone(m.Tags)
	for _, p := range m.Prefixes {
		if p.IsSingleIP() {
			out = append(out, p.Addr().String())
			continue
		}
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}

// Bounds of what a rule that is proposed may say: people must be able to read it.
const (
	mostShapes   = 6
	mostPrefixes = 8
	mostReadable = 3 // blocks beyond which the subnet that they fill is named
	mostPorts    = 8
)

// shapesOf writes a set of packets, as a rule list sees them, as few rules; exact ones where that is possible, else one that holds more. The
// second result is false where no rule can say it.
func (s *Solution) shapesOf(set packet.Set) ([]shape, bool) {
	space := s.graph.Space
	set = space.Project(set, append(s.graph.NameTags(), packet.Origin, packet.Name, packet.SPort)...)
	free := space.Project(set, s.graph.AddressTags()...)
	boxes, total := space.Boxes(free, mostShapes+1)
	if total <= mostShapes {
		var out []shape
		for _, b := range boxes {
			one, ok := s.shapeOf(b)
			if !ok {
				out = nil
				break
			}
			out = append(out, one...)
		}
		if len(out) > 0 && len(out) <= mostShapes {
			return out, true
		}
	}
	many, total := space.Boxes(free, boxCap)
	if total > boxCap || len(many) == 0 {
		return nil, false
	}
	hull := many[0]
	for _, b := range many[1:] {
		hull.Src, hull.Dst, hull.Protocol, hull.DPort = spanned(hull.Src, b.Src), spanned(hull.Dst, b.Dst), spanned(hull.Protocol, b.Protocol), spanned(hull.DPort, b.DPort)
	}
	out, ok := s.shapeOf(packet.Box{Src: hull.Src, Dst: hull.Dst, Protocol: hull.Protocol, DPort: hull.DPort})
	if !ok {
		return nil, false
	}
	return out, true
}

// openShapes writes as few rules what is stopped towards addresses inside the estate, where there is such a part; else all of it.
func (s *Solution) openShapes(met []dataplane.Met, all packet.Set) ([]shape, bool) {
	var best []shape
	for _, m := range met {
		list, ok := s.shapesOf(m.Packets)
		inside := ok && !slices.ContainsFunc(list, func(x shape) bool {
			return x.dests.Any || len(x.dests.Tags) > 0 || slices.ContainsFunc(x.dests.Prefixes, s.graph.Public)
		})
		if inside && (best == nil || len(list) < len(best)) {
			best = list
		}
	}
	if best != nil {
		return best, true
	}
	return s.shapesOf(all)
}

// spanned is the union of two lists of ranges, nil being everything.
func spanned(a, b []packet.Range) []packet.Range {
	if a == nil || b == nil {
		return nil
	}
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y packet.Range) int { return cmp.Compare(x.Lo, y.Lo) })
	out := all[:1]
	for _, r := range all[1:] {
		last := &out[len(out)-1]
		if r.Lo > last.Hi && r.Lo-last.Hi > 1 {
			out = append(out, r)
			continue
		}
		last.Hi = max(last.Hi, r.Hi)
	}
	return out
}

// shapeOf writes a box as rules, one for each protocol that it names.
func (s *Solution) shapeOf(b packet.Box) ([]shape, bool) {
	src, srcClasses, ok := s.matchOf(b.Src)
	if !ok {
		return nil, false
	}
	dst, dstClasses, ok := s.matchOf(b.Dst)
	if !ok {
		return nil, false
	}
	ports, dports := []model.PortRange{model.AllPorts}, []packet.Range(nil)
	if b.DPort != nil && len(b.DPort) <= mostPorts {
		ports, dports = nil, b.DPort
		for _, r := range b.DPort {
			ports = append(ports, model.PortRange{First: uint16(r.Lo), Last: uint16(r.Hi)})
		}
	}
	protocols := []model.Protocol{model.AnyProtocol}
	if text := protocols1(b.Protocol); text != nil {
		protocols = text
	}
	var out []shape
	for _, p := range protocols {
		x := shape{protocol: p, sources: src, dests: dst, ports: ports}
		box := packet.Box{Src: srcClasses, Dst: dstClasses, DPort: dports}
		if p != model.AnyProtocol {
			box.Protocol = value(uint32(p))
		}
		if !p.HasPorts() {
			box.DPort = nil
			if p != model.AnyProtocol || dports != nil && b.Protocol == nil {
				x.ports = []model.PortRange{model.AllPorts}
			}
		}
		if box.DPort != nil && box.Protocol == nil {
			box.DPort = nil
			x.ports = []model.PortRange{model.AllPorts}
		}
		x.set = s.graph.Space.Box(box)
		out = append(out, x)
	}
	return out, true
}

// protocols1 lists the protocols of a field, nil where it holds all that a fabric carries.
func protocols1(r []packet.Range) []model.Protocol {
	if r == nil || protocols(r) == "any" {
		return nil
	}
	var out []model.Protocol
	for _, p := range []model.Protocol{model.TCP, model.UDP, model.ICMP, model.ICMPv6, model.ESP, model.AH} {
		if slices.ContainsFunc(r, func(x packet.Range) bool { return x.Lo <= uint32(p) && uint32(p) <= x.Hi }) {
			out = append(out, p)
		}
	}
	return out
}

// matchOf writes address classes as a rule does, and says which classes that holds. Addresses that the input does not state stand for all of
// their subnet.
func (s *Solution) matchOf(r []packet.Range) (model.AddressMatch, []packet.Range, bool) {
	if r == nil {
		return model.AddressMatch{Any: true}, nil, true
	}
	outside := s.graph.InternetAddresses()
	if slices.Equal(r, outside) || slices.Equal(r, s.graph.InternetAndNamed()) {
		return model.AddressMatch{Tags: []string{"Internet"}}, outside, true
	}
	var set netipx.IPSetBuilder
	for _, p := range s.graph.Universe.Prefixes(r) {
		if !model.SymbolBlock().Overlaps(p) {
			set.AddPrefix(p)
			continue
		}
		for a := p.Addr(); p.Contains(a); a = a.Next() {
			sym, ok := s.symbols().At(a)
			if !ok {
				break
			}
			stand := s.subnetOfSymbol(sym)
			if len(stand) == 0 {
				return model.AddressMatch{}, nil, false
			}
			for _, x := range stand {
				set.AddPrefix(x)
			}
		}
	}
	ips, err := set.IPSet()
	if err != nil {
		return model.AddressMatch{}, nil, false
	}
	list := ips.Prefixes()
	if len(list) > mostReadable {
		list = s.covered(list, r)
	}
	if len(list) > mostPrefixes {
		for _, p := range list {
			if !s.graph.Public(p) {
				return model.AddressMatch{Any: true}, nil, true
			}
		}
		return model.AddressMatch{Tags: []string{"Internet"}}, outside, true
	}
	held := slices.Clone(r)
	for _, p := range list {
		held = spanned(held, s.classesWithin(p))
	}
	return model.AddressMatch{Prefixes: list}, held, true
}

// covered names the subnets that some blocks fill but for addresses that nobody can hold, in their place. Where they do not fill them, and are
// too many to name, the subnets stand for them all the same.
func (s *Solution) covered(list []netip.Prefix, r []packet.Range) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		best := p
		for _, x := range s.Project.Estate.Subnets {
			for _, q := range x.Prefixes {
				if q.Overlaps(p) && q.Bits() < best.Bits() {
					best = q
				}
			}
		}
		if !slices.Contains(out, best) {
			out = append(out, best)
		}
	}
	switch {
	case slices.ContainsFunc(list, s.graph.Public):
		return list
	case len(list) > mostPrefixes:
		return out
	}
	for _, p := range out {
		for _, c := range s.classesWithin(p) {
			for class := c.Lo; class <= c.Hi; class++ {
				inside := slices.ContainsFunc(r, func(x packet.Range) bool { return x.Lo <= class && class <= x.Hi })
				if !inside && slices.ContainsFunc(s.graph.Sites, func(site *dataplane.Site) bool {
					return site.Subnet != "" && slices.ContainsFunc(s.graph.Universe.Prefixes(value(class)), func(q netip.Prefix) bool { return overlaps(site.Prefixes, q) })
				}) {
					return list
				}
			}
		}
	}
	return out
}

// classesWithin is the classes that share an address with a block: a question need not have named it.
func (s *Solution) classesWithin(p netip.Prefix) []packet.Range {
	var out []packet.Range
	u := s.graph.Universe
	for c := range uint32(u.Classes()) {
		if overlaps(u.Prefixes(value(c)), p) {
			out = spannedAll(out, packet.Range{Lo: c, Hi: c})
		}
	}
	return out
}

func spannedAll(list []packet.Range, r packet.Range) []packet.Range {
	if list == nil {
		return []packet.Range{r}
	}
	return spanned(list, []packet.Range{r})
}

// subnetOfSymbol is the blocks in which an address that the input does not state lies: its subnets, or the range of a cluster's pods. There are
// none for a public address.
func (s *Solution) subnetOfSymbol(sym model.Symbol) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range s.graph.SymbolRange(sym) {
		if s.graph.Public(p) {
			return nil
		}
		best := p
		for _, x := range s.Project.Estate.Subnets {
			for _, q := range x.Prefixes {
				if q.Overlaps(p) && q.Bits() <= p.Bits() {
					best = q
				}
			}
		}
		if !slices.Contains(out, best) {
			out = append(out, best)
		}
	}
	return out
}

// ruleName is how a new rule for an assertion is called.
func ruleName(verb, id string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, id)
	return verb + "-" + clean[:min(len(clean), 60)]
}

// room is the first of n free priorities before that of a rule, as near to it as there are; false where none are left (AZ-NSG-02).
func room(n *model.NSG, dir model.Direction, before, count int) (int, bool) {
	const lowest, highest = 100, 4096
	taken := map[int]bool{}
	for _, r := range n.Rules {
		if r.Direction == dir {
			taken[r.Priority] = true
		}
	}
	run := 0
	for p := min(before-1, highest); p >= lowest; p-- {
		if taken[p] {
			// Rules in between decide first about what they match: a place before them is a place before the rule all the same.
			run = 0
			continue
		}
		if run++; run == count {
			return p, true
		}
	}
	return 0, false
}

// newRules adds rules of one access to an NSG, before a rule.
func (s *Solution) newRules(n *model.NSG, dir model.Direction, access model.Access, name string, shapes []shape, before model.SecurityRule) (edit, bool) {
	first, ok := room(n, dir, before.Priority, len(shapes))
	if !ok || len(shapes) == 0 {
		return edit{}, false
	}
	texts := make([]string, len(shapes))
	for i, x := range shapes {
		texts[i] = fmt.Sprintf("%s %s (priority %d)", access, x, first+i)
	}
	noun := "a new " + strings.ToLower(dir.String()) + " rule"
	if len(shapes) > 1 {
		noun = fmt.Sprintf("%d new %s rules", len(shapes), strings.ToLower(dir.String()))
	}
	return edit{
		key: "new|" + n.ID.Key() + "|" + dir.String() + "|" + strings.Join(texts, "|"),
		change: Change{
			Kind: "rule", Rule: n.Name() + "/securityRules/" + name, Source: sourceText(n.Source), Detail: "before " + before.Name,
			Change: noun + ": " + strings.Join(texts, "; "),
		},
		rank: rankNew,
		apply: func(d *draft) bool {
			c, found := drafted[model.NSG](d, n.ID)
			if !found {
				return false
			}
			c.Rules = slices.Clone(c.Rules)
			for i, x := range shapes {
				own := name
				if i > 0 {
					own += fmt.Sprintf("-%d", i+1)
				}
				c.Rules = append(c.Rules, model.SecurityRule{
					Name: own, Source: n.Source, Priority: first + i, Direction: dir, Access: access, Protocol: x.protocol, SourceAddrs: x.sources, DestAddrs: x.dests,
					SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: x.ports, ProvisioningState: "Succeeded",
				})
			}
			sortRules(c)
			return true
		},
	}, true
}

func sortRules(n *model.NSG) {
	slices.SortStableFunc(n.Rules, func(a, b model.SecurityRule) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
	})
}

// changeRule edits, or with nil removes, a rule of an NSG.
func changeRule(n *model.NSG, r model.SecurityRule, text string, rank int, change func(*model.SecurityRule)) edit {
	return edit{
		key:    "edit|" + n.ID.Key() + "|" + r.Direction.String() + "|" + strings.ToLower(r.Name) + "|" + text,
		change: Change{Kind: "rule", Rule: n.Name() + "/securityRules/" + r.Name, Source: sourceText(r.Source), Change: text},
		rank:   rank,
		apply: func(d *draft) bool {
			c, ok := drafted[model.NSG](d, n.ID)
			if !ok {
				return false
			}
			i := slices.IndexFunc(c.Rules, func(x model.SecurityRule) bool { return x.Name == r.Name && x.Direction == r.Direction && !x.Default })
			if i < 0 {
				return false
			}
			c.Rules = slices.Clone(c.Rules)
			if change == nil {
				c.Rules = slices.Delete(c.Rules, i, i+1)
				return true
			}
			change(&c.Rules[i])
			return true
		},
	}
}

// less takes ports out of a list of ranges.
func less(list []model.PortRange, out []packet.Range) []model.PortRange {
	var kept []model.PortRange
	for _, p := range list {
		at := uint32(p.First)
		end := uint32(p.Last)
		for _, r := range out { // ascending
			if r.Hi < at || r.Lo > end {
				continue
			}
			if r.Lo > at {
				kept = append(kept, model.PortRange{First: uint16(at), Last: uint16(r.Lo - 1)})
			}
			at = r.Hi + 1
		}
		if at <= end {
			kept = append(kept, model.PortRange{First: uint16(at), Last: uint16(end)})
		}
	}
	return kept
}

// without takes addresses out of a match; false where it names them in another way than by blocks.
func withoutBlocks(m model.AddressMatch, out []netip.Prefix) (model.AddressMatch, bool) {
	if m.Any || len(m.Tags) > 0 || len(m.ASGs) > 0 || len(m.IPGroups) > 0 || len(m.FQDNs) > 0 || len(m.Prefixes) == 0 {
		return m, false
	}
	var b netipx.IPSetBuilder
	for _, p := range m.Prefixes {
		b.AddPrefix(p)
	}
	for _, p := range out {
		b.RemovePrefix(p)
	}
	set, err := b.IPSet()
	if err != nil || len(set.Prefixes()) == 0 || len(set.Prefixes()) > mostPrefixes || slices.Equal(set.Prefixes(), m.Prefixes) {
		return m, false
	}
	return model.AddressMatch{Prefixes: set.Prefixes()}, true
}

// allOf is the ranges of one field in a set, and the blocks where it is an address; nil where the set holds every value.
func (s *Solution) portsOf(set packet.Set) []packet.Range {
	space := s.graph.Space
	boxes, total := space.Boxes(space.Project(set, s.allBut(packet.DPort, packet.Protocol)...), boxCap)
	if total > boxCap {
		return nil
	}
	var out []packet.Range
	for _, b := range boxes {
		if b.DPort == nil {
			return nil
		}
		for _, r := range b.DPort {
			out = spannedAll(out, r)
		}
	}
	return out
}

// blocksOf is the blocks of one address field in a set, whole subnets where it fills them; nil where the set holds every address.
func (s *Solution) blocksOf(set packet.Set, f packet.Field) []netip.Prefix {
	space := s.graph.Space
	boxes, total := space.Boxes(space.Project(set, s.allBut(f)...), boxCap)
	if total > boxCap {
		return nil
	}
	var out []netip.Prefix
	var classes []packet.Range
	for _, b := range boxes {
		r := b.Src
		if f == packet.Dst {
			r = b.Dst
		}
		if r == nil {
			return nil
		}
		for _, x := range r {
			classes = spannedAll(classes, x)
		}
		for _, p := range s.graph.Universe.Prefixes(r) {
			if !model.SymbolBlock().Overlaps(p) {
				out = append(out, p)
			}
		}
	}
	if len(out) > mostReadable {
		out = s.covered(out, classes)
	}
	return out
}

// allBut lists every field but some.
func (s *Solution) allBut(keep ...packet.Field) []packet.Field {
	fields := []packet.Field{packet.Origin, packet.Dst, packet.Src, packet.Protocol, packet.DPort, packet.SPort, packet.Name}
	for i := range s.graph.Universe.TagNames() {
		fields = append(fields, packet.Tag(i))
	}
	return slices.DeleteFunc(fields, func(f packet.Field) bool { return slices.Contains(keep, f) })
}
