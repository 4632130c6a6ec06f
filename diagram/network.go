package diagram

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// Network draws the zones with what is in them, every flow between two zones, and below that the flows of the workloads. Without any
// zone the sheet says so.
func Network(in Input) (*Diagram, error) {
	if err := in.check(); err != nil {
		return nil, fmt.Errorf("network diagram: %w", err)
	}
	d := in.sheet(NetworkDiagram, "Network diagram", "1.1.2", "1.2.3")
	zones := in.zonesWithControls()
	d.Level = in.View.Level
	what := "two zones"
	switch in.View.Level {
	case EveryLevel, ZoneLevel:
		d.Panels = append(d.Panels, in.zonePanel(zones))
		if p, ok := in.workloadPanel(zones); ok && in.View.Level == EveryLevel {
			d.Panels = append(d.Panels, p)
		}
	case SubnetLevel:
		what = "two subnets, services or networks outside"
		d.Panels = append(d.Panels, in.subnetPanel(zones))
	case WorkloadLevel:
		what = "a workload and its peers"
		if p, ok := in.workloadPanel(zones); ok {
			d.Panels = append(d.Panels, p)
		} else {
			d.Panels = []Panel{{Name: "workloads", Title: "Inside the cluster", Notes: []string{"The input holds no workload of a cluster."}}}
		}
	default:
		return nil, fmt.Errorf("network diagram: no level `%s`", model.Visible(string(in.View.Level)))
	}
	computed := in.Rows != nil
	if in.View.Level == SubnetLevel || in.View.Level == WorkloadLevel {
		computed = in.Members != nil
	}
	short := slices.ContainsFunc(d.Panels, func(p Panel) bool { return len(p.Edges) > MaxListed })
	switch {
	case len(in.Zones) == 0 && in.View.Level == EveryLevel:
		d.About = "No zones are declared, so there are no flows between zones to show."
	case !computed:
		d.About = "The zones and what belongs to them. Flows were not computed, so nothing is said about them."
	case len(in.View.Focus) > 0:
		d.About = "Flows from and to " + in.View.Name + " between " + what + " that the configuration lets pass, with the relays and controls on their way. Others are not shown."
	case short:
		d.About = "Flows between " + what + " that the configuration lets pass, with the relays and controls on their way. Not all are listed."
	default:
		d.About = "Every flow between " + what + " that the configuration lets pass, with the relays and controls on its way. What is not listed was proved impossible."
	}
	for _, p := range d.Panels {
		if len(p.Edges) > MaxFlows {
			return nil, fmt.Errorf("network diagram: %d flows, more than the %d of one sheet: ask for a coarser level (zone), or for a part with a focus", len(p.Edges), MaxFlows)
		}
	}
	return d.finish(), nil
}

// check reports zones that cannot be told apart: a row would belong to either.
func (in Input) check() error {
	seen := map[string]bool{}
	var errs []error
	for _, z := range sortedZones(in.Zones) {
		if seen[z.Name] {
			errs = append(errs, fmt.Errorf("there are two zones `%s`", model.Visible(z.Name)))
		}
		seen[z.Name] = true
	}
	return errors.Join(errs...)
}

// zonesWithControls sorts the zones, adds the internet where it is not listed, and puts each control into the zone of its subnet; one
// whose subnet is in no zone goes into a box of its own.
func (in Input) zonesWithControls() []ZoneInfo {
	zones := sortedZones(in.Zones)
	if !slices.ContainsFunc(zones, func(z ZoneInfo) bool { return z.Kind == "internet" }) {
		zones = append([]ZoneInfo{{Name: "internet", Kind: "internet"}}, zones...)
	}
	home := map[string]int{}
	known := map[string]bool{}
	for i := range zones {
		zones[i].Members = sortedMembers(zones[i].Members)
		for _, m := range zones[i].Members {
			known[m.Ref] = true
			if m.VNet != "" && m.Subnet != "" {
				if _, taken := home[m.VNet+"/"+m.Subnet]; !taken || m.Kind == "subnet" {
					home[m.VNet+"/"+m.Subnet] = i
				}
			}
		}
	}
	var loose []MemberInfo
	for _, c := range sortedMembers(in.Controls) {
		i, ok := home[c.VNet+"/"+c.Subnet]
		switch {
		case known[c.Ref]:
		case ok:
			zones[i].Members = sortedMembers(append(zones[i].Members, c))
		default:
			loose = append(loose, c)
		}
	}
	if len(loose) > 0 {
		zones = append(zones, ZoneInfo{Name: "controls in no zone", Kind: "no zone", Members: loose})
	}
	return zones
}

// zonePanel is one box per zone and one line per pair of zones and kind of flow.
func (in Input) zonePanel(zones []ZoneInfo) Panel {
	p := Panel{Name: "zones", boxes: true, Title: "Zones, and every flow between them"}
	index := map[string]int{} // end of a row -> zone
	for i, z := range zones {
		index[z.Name], index["zone:"+z.Name] = i, i
	}
	for i, z := range zones {
		if z.Kind == "internet" {
			index["internet"] = i
		}
	}
	var outside []string
	for _, r := range in.Rows {
		for _, end := range []string{r.Src, r.Dst} {
			if _, ok := index[end]; !ok && !slices.Contains(outside, end) {
				outside = append(outside, end)
			}
		}
	}
	slices.Sort(outside)
	for _, end := range outside {
		index[end] = len(zones)
		zones = append(zones, ZoneInfo{Name: end, Kind: outsideKind})
	}
	ids := make([]string, len(zones))
	zoneID := func(i int) string { return ids[i] }
	for i, z := range zones {
		ids[i] = p.id("z", z.Kind, z.Name)
		p.addZone(zoneID(i), z)
	}

	b := newBundles()
	for _, r := range in.Rows {
		b.add(index[r.Src], index[r.Dst], r)
	}
	filters := in.zoneFilters(zones)
	p.badges(in.Subnets)
	touched := map[int]bool{}
	for _, e := range b.edges() {
		if e.from == e.to {
			g := p.group(zoneID(e.from))
			g.Notes = append(g.Notes, within(e.ways))
			continue
		}
		touched[e.from], touched[e.to] = true, true
		p.join(Edge{From: zoneID(e.from), To: zoneID(e.to), Line: e.line, Ways: e.ways, Filters: filters[[2]int{e.from, e.to}]})
	}
	in.absences(&p, zones, zoneID, b, touched)
	p.scope()
	if in.View.Denied {
		in.denied(&p)
	}
	p.focus(in.View)
	p.limit()
	return p
}

// zoneFilters lists, for two zones, the NSGs at the borders that flows between them cross.
func (in Input) zoneFilters(zones []ZoneInfo) map[[2]int][]string {
	c := newCrew(&Panel{}, zones, nil)
	out := map[[2]int][]string{}
	for _, r := range in.Members {
		from, ok := c.at(r.Src)
		to, ok2 := c.at(r.Dst)
		k := [2]int{from.zone, to.zone}
		switch {
		case ok && ok2:
		case ok:
			k[1] = c.internet()
		case ok2:
			k[0] = c.internet()
		default:
			continue
		}
		out[k] = c.crossed(out[k], r.Src, r.Dst)
	}
	return out
}

// badges notes what stands at the border of each subnet.
func (p *Panel) badges(subnets []SubnetInfo) {
	for i := range p.Groups {
		g := &p.Groups[i]
		if g.Kind != "subnet" {
			continue
		}
		vnet := p.group(g.Parent).Label
		for _, s := range subnets {
			if s.VNet == vnet && s.Subnet == g.Label {
				g.Badges = s.badges()
				g.Detail = cmp.Or(g.Detail, s.Prefix)
			}
		}
	}
}

// absences draws what is not there: a wireless zone is always shown with the in-scope zones that it cannot reach (1.1.2-b), and a zone
// that nothing enters or leaves says so.
func (in Input) absences(p *Panel, zones []ZoneInfo, zoneID func(int) string, b *bundles, touched map[int]bool) {
	for i, z := range zones {
		g := p.group(zoneID(i))
		switch {
		case z.Kind == "no zone" || z.Kind == outsideKind:
			continue
		case in.Rows == nil:
			if z.Kind == "wireless" {
				g.Notes = append(g.Notes, "paths were not computed")
			}
			continue
		case z.Kind != "internet" && len(z.Members) == 0 && !touched[i]:
			g.Notes = append(g.Notes, "no members: nothing was proved")
			continue
		case z.Kind == "wireless":
			if note := in.closed(zones, i); note != "" {
				g.Notes = append(g.Notes, note)
			}
			for j, to := range zones {
				if i == j || b.reaches(i, j) || b.strangers(zones, j) {
					continue
				}
				if to.Kind == "cde" && !in.View.Denied {
					p.join(Edge{From: zoneID(i), To: zoneID(j), Line: NoPathLine, Text: "no path (proved)"})
				}
			}
		case !touched[i]:
			g.Notes = append(g.Notes, "no path in or out (proved)")
		}
	}
}

// closed says which zones a zone has no path to; empty where nothing was computed, or where there is none such.
func (in Input) closed(zones []ZoneInfo, i int) string {
	if in.Rows == nil || len(zones[i].Members) == 0 {
		return ""
	}
	declared := map[string]int{}
	for j, z := range zones {
		if z.Kind != outsideKind {
			declared[z.Name], declared["zone:"+z.Name] = j, j
		}
		if z.Kind == "internet" {
			declared["internet"] = j
		}
	}
	open := map[int]bool{}
	for _, r := range in.Rows {
		if r.Verdict == solver.Unreachable {
			continue
		}
		from, known := declared[r.Src]
		if to, ok := declared[r.Dst]; ok && (from == i || !known) { // who is of no zone may be of this one
			open[to] = true
		}
	}
	var names []string
	for j, to := range zones {
		if i != j && !external(to.Kind) && to.Kind != "no zone" && !open[j] {
			names = append(names, to.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "no path (proved) to: " + strings.Join(names, ", ")
}

// addZone adds a box with its members: virtual network > subnet > namespace > member, as far as each is known.
func (p *Panel) addZone(id string, z ZoneInfo) {
	p.Groups = append(p.Groups, Group{ID: id, Ref: zoneRef(z), Kind: z.Kind, Label: z.Name, Detail: z.Owner})
	inner := map[string]string{} // path -> group ID
	nest := func(parent, kind, name, ref string) string {
		key := parent + "/" + kind + "/" + name
		if have, ok := inner[key]; ok {
			return have
		}
		g := Group{ID: p.id("g", id, key), Parent: parent, Ref: ref, Kind: kind, Label: name}
		inner[key] = g.ID
		p.Groups = append(p.Groups, g)
		return g.ID
	}
	shown := z.Members
	if len(shown) > MaxTiles {
		shown = slices.Clone(shown)
		slices.SortStableFunc(shown, func(a, b MemberInfo) int { return cmp.Compare(tileOrder(a.Kind), tileOrder(b.Kind)) })
		g := p.group(id)
		g.Notes = append(g.Notes, fmt.Sprintf("and %d more members, not drawn", len(shown)-MaxTiles))
		shown = sortedMembers(shown[:MaxTiles])
	}
	for _, m := range shown {
		at := id
		if m.VNet != "" {
			at = nest(at, "vnet", m.VNet, "vnet:"+m.VNet)
			if m.Subnet != "" {
				at = nest(at, "subnet", m.Subnet, "subnet:"+m.VNet+"/"+m.Subnet)
			}
		}
		name := label.Name(m.Ref)
		if ns, pod, ok := namespaced(m); ok {
			at, name = nest(at, "namespace", ns, ""), pod
		}
		switch {
		case m.Kind == "subnet" && m.Subnet != "" && name == m.Subnet:
			g := p.group(at)
			g.Ref, g.Detail = m.Ref, m.Label
		case m.Kind == "ns" && name == "":
			p.group(at).Ref = m.Ref
		default:
			p.Nodes = append(p.Nodes, Node{ID: p.id("n", id, m.Ref), Group: at, Ref: m.Ref, Kind: m.Kind, Label: name, Detail: joinedBy(", ", append([]string{m.Label}, m.Badges...)...)})
		}
	}
}

func zoneRef(z ZoneInfo) string {
	switch z.Kind {
	case "internet":
		return "internet"
	case outsideKind:
		return z.Name
	case "no zone":
		return ""
	default:
		return "zone:" + z.Name
	}
}

// namespaced splits the reference of a workload, or of a namespace as a whole, into the two names.
func namespaced(m MemberInfo) (ns, name string, ok bool) {
	parts := strings.Split(label.Name(m.Ref), "/")
	switch {
	case m.Kind == "pod" && len(parts) >= 2:
		return parts[len(parts)-2], parts[len(parts)-1], true
	case m.Kind == "ns":
		return parts[len(parts)-1], "", true
	default:
		return "", "", false
	}
}

func (p *Panel) group(id string) *Group {
	for i := range p.Groups {
		if p.Groups[i].ID == id {
			return &p.Groups[i]
		}
	}
	panic("diagram: no group " + id) // INVARIANT: groups are added before they are named
}

// rank orders zone kinds by how much a flow with an end there matters, for a sheet that cannot hold all.
func rank(kind string) int {
	switch kind {
	case "cde":
		return 0
	case "data":
		return 1
	case "dmz":
		return 2
	default:
		return 3
	}
}

// most is how many lines a panel has at most. Between many small boxes fewer can be followed.
func (p *Panel) most() int {
	if p.boxed() || p.flowing() {
		return MaxEdges
	}
	return MaxEdges * 4 / 5
}

// limit keeps a picture within what can be read, and says on the sheet what is bundled or listed only. Lines are given up last that
// touch the CDE, its data or the DMZ, and among those relayed ones first.
func (p *Panel) limit() {
	if len(p.Edges) > MaxListed {
		p.Notes = append(p.Notes, fmt.Sprintf("Only %d of %d flows are listed; the JSON has all.", MaxListed, len(p.Edges)))
	}
	tops := len(p.tops())
	if p.Picture = tops <= MaxNodes; !p.Picture {
		p.Notes = append(p.Notes, fmt.Sprintf("Too large to draw: %d boxes, the limit is %d. The flows stand in the table of the SVG and in the JSON; a focus shows a part.", tops, MaxNodes))
		return
	}
	kinds := map[string]string{}
	for _, id := range p.tops() {
		kinds[id] = p.zoneOf(id).Kind
	}
	order := make([]int, len(p.Edges))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := p.Edges[a], p.Edges[b]
		return cmp.Or(cmp.Compare(min(rank(kinds[x.From]), rank(kinds[x.To])), min(rank(kinds[y.From]), rank(kinds[y.To]))), cmp.Compare(drawOrder(x.Line), drawOrder(y.Line)))
	})
	if len(order) > p.most() && !p.boxed() && !p.flowing() {
		p.bundle(order)
		return
	}
	for i, e := range order {
		p.Edges[e].Drawn = i < p.most()
	}
	if len(order) > p.most() {
		p.Notes = append(p.Notes, fmt.Sprintf("%d of %d lines are drawn, those of the CDE, its data and the DMZ first. The others stand in the table of the SVG and in the JSON.", p.most(), len(order)))
	}
}

// bundle draws the first lines of an order by themselves, and the others as one thick line for each two zones, between boxes that stand
// for all of a zone.
func (p *Panel) bundle(order []int) {
	type pair struct {
		from, to string
		line     Line
	}
	zone := map[string]string{}
	for _, n := range p.Nodes {
		zone[n.ID] = p.zoneOf(n.ID).ID
	}
	kinds := map[pair][]int{}
	var pairs []pair
	for _, i := range order {
		e := p.Edges[i]
		k := pair{zone[e.From], zone[e.To], e.Line}
		if len(kinds[k]) == 0 {
			pairs = append(pairs, k)
		}
		kinds[k] = append(kinds[k], i)
	}
	// The pairs with most lines are bundled first, and those of the CDE and its data last.
	slices.SortStableFunc(pairs, func(a, b pair) int {
		x, y := p.Edges[kinds[a][0]].Scope, p.Edges[kinds[b][0]].Scope
		if x != y {
			if x {
				return 1
			}
			return -1
		}
		return cmp.Compare(len(kinds[b]), len(kinds[a]))
	})
	left := len(order)
	ends := map[string]bool{}
	taken := 0
	for left > p.most() && taken < len(pairs) {
		k := pairs[taken]
		if len(kinds[k]) > 1 {
			left -= len(kinds[k]) - 1
			ends[k.from], ends[k.to] = true, true
		}
		taken++
	}
	whole := map[int]bool{} // edges that are bundled
	bundles := pairs[:0:0]
	for _, k := range pairs[:taken] {
		if len(kinds[k]) > 1 {
			bundles = append(bundles, k)
			for _, i := range kinds[k] {
				whole[i] = true
			}
		}
	}
	if len(p.Nodes)+len(ends) > MaxNodes {
		bundles, whole = nil, map[int]bool{} // no place for the boxes of bundles
	}
	single := 0
	for _, e := range order {
		if !whole[e] && single+len(bundles) < p.most() {
			p.Edges[e].Drawn = true
			single++
		}
	}
	boxes := map[string]int{}
	box := func(zone string) string {
		if i, ok := boxes[zone]; ok {
			return p.Nodes[i].ID
		}
		n := Node{ID: p.id("n", "bundle", zone), Group: zone, Ref: p.group(zone).Ref, Kind: "bundle", Label: "any of " + p.group(zone).Label}
		boxes[zone] = len(p.Nodes)
		p.Nodes = append(p.Nodes, n)
		return n.ID
	}
	bundled, drawn := 0, 0
	for _, k := range bundles {
		list := kinds[k]
		if drawn == p.most() {
			break
		}
		bundled += len(list)
		slices.Sort(list)
		if k.from == k.to {
			id := box(k.from)
			i := slices.IndexFunc(p.Nodes, func(n Node) bool { return n.ID == id })
			p.Nodes[i].Detail = joinedBy("; ", p.Nodes[i].Detail, fmt.Sprintf("%d %s flows among its boxes", len(list), k.line))
			drawn++
			continue
		}
		e := Edge{From: box(k.from), To: box(k.to), Line: k.line, Count: len(list), Drawn: true}
		var services []string
		for _, i := range list {
			e.Scope = e.Scope || p.Edges[i].Scope
			for _, w := range p.Edges[i].Ways {
				for _, s := range w.Services {
					if !slices.Contains(services, s) {
						services = append(services, s)
					}
				}
			}
		}
		if k.line == NoPathLine {
			e.Text = fmt.Sprintf("no path (proved): %d pairs", len(list))
		} else {
			slices.Sort(services)
			e.Ways = []Way{{Services: services, Unknown: k.line == UnknownLine}}
		}
		p.join(e, "bundle")
		drawn++
		for _, i := range list {
			p.Edges[i].Bundle = p.Edges[len(p.Edges)-1].ID
		}
	}
	note := fmt.Sprintf("%d of %d lines are drawn by themselves, those of the CDE, its data and the DMZ first", single, len(order))
	if drawn > 0 {
		note += fmt.Sprintf("; %d flows are drawn as %d bundles between zones", bundled, drawn)
	}
	if rest := len(order) - single - bundled; rest > 0 {
		note += fmt.Sprintf("; %d are listed only", rest)
	}
	p.Notes = append(p.Notes, note+". Each stands in the table of the SVG and in the JSON.")
}

func drawOrder(l Line) int {
	return slices.Index([]Line{NoPathLine, BrokenLine, StrayLine, DirectLine, UnknownLine, RelayedLine}, l)
}

// lines lists the edges of the picture.
func (p *Panel) lines() []Edge {
	var out []Edge
	for _, e := range p.Edges {
		if e.Drawn {
			out = append(out, e)
		}
	}
	return out
}

// tops lists the IDs that the layout engine places: ends of lines.
func (p *Panel) tops() []string {
	var out []string
	if p.boxed() {
		for _, g := range p.Groups {
			if g.Parent == "" {
				out = append(out, g.ID)
			}
		}
		return out
	}
	for _, n := range p.Nodes {
		out = append(out, n.ID)
	}
	return out
}

// boxed reports whether lines join groups, which then are boxes with their members inside.
func (p *Panel) boxed() bool { return p.boxes }

// flowing reports whether the panel shows declared flows of data.
func (p *Panel) flowing() bool { return strings.HasPrefix(p.Name, "flows") }

// bundles gathers rows per pair of ends and kind, and within those per choice of relays and of what the packets are narrowed to.
type bundles struct {
	packets map[bundleKey]map[choice][]solver.Packets
	via     map[string][]string
	open    map[[2]int]bool
}

type bundleKey struct {
	from, to int
	kind     Line // DirectLine or RelayedLine
}

// choice is one chain of relays, certain or possible.
type choice struct {
	via     string
	unknown bool
}

// bundle is one line between two ends.
type bundle struct {
	from, to int
	line     Line
	ways     []Way
}

func newBundles() *bundles {
	return &bundles{packets: map[bundleKey]map[choice][]solver.Packets{}, via: map[string][]string{}, open: map[[2]int]bool{}}
}

func (b *bundles) add(from, to int, r solver.Row) {
	if r.Verdict == solver.Unreachable {
		return
	}
	k := bundleKey{from, to, DirectLine}
	if r.Kind == solver.Relayed {
		k.kind = RelayedLine
	}
	if b.packets[k] == nil {
		b.packets[k] = map[choice][]solver.Packets{}
	}
	b.open[[2]int{from, to}] = true
	c := choice{strings.Join(r.Via, "\x00"), r.Verdict == solver.Unknown}
	b.via[c.via] = r.Via
	b.packets[k][c] = append(b.packets[k][c], r.Packets...)
}

// reaches reports whether a row joins two ends, for certain or possibly.
func (b *bundles) reaches(from, to int) bool { return b.open[[2]int{from, to}] }

// strangers reports whether an end that no zone declares reaches a zone: it may be part of any external zone.
func (b *bundles) strangers(zones []ZoneInfo, to int) bool {
	for i, z := range zones {
		if z.Kind == outsideKind && b.reaches(i, to) {
			return true
		}
	}
	return false
}

// edges lists the lines. What is possible beside a certain flow stands on the line of that flow; alone it is a line of its own.
func (b *bundles) edges() []bundle {
	keys := make([]bundleKey, 0, len(b.packets))
	for k := range b.packets {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b bundleKey) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(lineOrder(a.kind), lineOrder(b.kind)))
	})
	var out []bundle
	for _, k := range keys {
		e := bundle{from: k.from, to: k.to, line: k.kind, ways: b.ways(k)}
		if e.ways[0].Unknown {
			e.line = UnknownLine
		}
		if n := len(out); n > 0 && e.line == UnknownLine && out[n-1].line == UnknownLine && out[n-1].from == e.from && out[n-1].to == e.to {
			out[n-1].ways = append(out[n-1].ways, e.ways...)
			continue
		}
		out = append(out, e)
	}
	return out
}

// ways lists the ways of a line, certain ones first.
func (b *bundles) ways(k bundleKey) []Way {
	var out []Way
	for c, packets := range b.packets[k] {
		asked := label.Ask(packets)
		if len(asked) == 0 {
			asked = []label.Asked{{}}
		}
		for _, a := range asked {
			out = append(out, Way{Services: orEmpty(a.Services), Targets: orEmpty(a.Targets), Via: slices.Clone(orEmpty(b.via[c.via])), Unknown: c.unknown})
		}
	}
	slices.SortFunc(out, func(a, b Way) int {
		if a.Unknown != b.Unknown {
			if a.Unknown {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(len(a.Via), len(b.Via)), slices.Compare(a.Via, b.Via), slices.Compare(a.Targets, b.Targets), slices.Compare(a.Services, b.Services))
	})
	return out
}

func lineOrder(l Line) int {
	return slices.Index([]Line{DirectLine, RelayedLine, UnknownLine, NoPathLine, BrokenLine, StrayLine}, l)
}

// within says the flows inside a box in one line.
func within(ways []Way) string {
	s := "within: " + strings.Join(ways[0].lines(4), " ")
	if more := len(ways) - 1; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// lines is what stands on a line: the services, what they are narrowed to, and what they pass.
func (w Way) lines(services int) []string {
	out := []string{label.Short(w.Services, services)}
	if len(w.Services) == 0 {
		out[0] = "no service stated"
	}
	if w.Unknown {
		out[0] = "? " + out[0]
	}
	if len(w.Targets) > 0 {
		out = append(out, "only "+label.Short(w.Targets, 2))
	}
	if len(w.Via) > 0 {
		names := make([]string, len(w.Via))
		for i, v := range w.Via {
			names[i] = label.Name(v)
		}
		out = append(out, "via "+strings.Join(names, " › "))
	}
	return out
}
