package pci

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// DocumentKind is what one of `documents:` holds (decisions.md, section 11).
type DocumentKind string

const (
	DocumentNetwork   DocumentKind = "network"   // 1.1.2
	DocumentDataFlow  DocumentKind = "dataflow"  // 1.1.3
	DocumentZones     DocumentKind = "zones"     // 1.1.5-b
	DocumentRules     DocumentKind = "rules"     // 1.1.6-a, 1.5-b
	DocumentEndpoints DocumentKind = "endpoints" // 1.2.1-c
)

// DocumentKinds lists the kinds in the order of the intent file.
func DocumentKinds() []DocumentKind {
	return []DocumentKind{DocumentNetwork, DocumentDataFlow, DocumentZones, DocumentRules, DocumentEndpoints}
}

// DocumentPath is the committed copy of a kind that the intent names; empty: none.
func DocumentPath(in *model.Intent, k DocumentKind) string {
	switch d := in.Documents; k {
	case DocumentNetwork:
		return d.Network
	case DocumentDataFlow:
		return d.DataFlow
	case DocumentZones:
		return d.Zones
	case DocumentRules:
		return d.Rules
	case DocumentEndpoints:
		return d.Endpoints
	default:
		return ""
	}
}

// document asks that the committed copy of a document is what this run generates (decisions.md, section 2.4).
func (ev *Evidence) document(k DocumentKind, statement string) Part {
	name := DocumentPath(ev.in, k)
	field := "documents." + string(k)
	fault := Fault{Cause: Cause{Class: CauseStale, Of: string(k)}, Subject: field, Source: ev.documentsSource(), Remedy: "write it with `ringfence documents` and commit it"}
	p := Part{Statement: statement}
	if name == "" {
		p.Verdict, p.Reason = ItemUnknown, field+" of ringfence.yaml names no committed copy"
		fault.Text = "no committed copy is named"
		p.Faults = append(p.Faults, fault)
		return p
	}
	i := slices.IndexFunc(ev.facts.Documents, func(c Committed) bool { return c.Kind == string(k) })
	if i < 0 {
		p.Verdict, p.Reason = ItemUnknown, "the committed copy "+name+" lies beside ringfence.yaml, and this run read the project from elsewhere"
		fault.Text = "the committed copy was not read"
		fault.Remedy = "run it on the project's folder"
		p.Faults = append(p.Faults, fault)
		return p
	}
	c := ev.facts.Documents[i]
	switch {
	case c.Missing:
		fault.Text = "there is no file " + c.Path
		p.Faults = append(p.Faults, fault)
	case len(c.Differences) > 0:
		fault.Text = c.Path + " is not what would be written now"
		fault.Source = c.Path
		p.Faults = append(p.Faults, fault)
		p.Facts = append(p.Facts, c.Differences...)
	default:
		p.Facts = append(p.Facts, c.Path+" is current"+orNothing(", sha256 ", c.SHA256))
	}
	return p.judged()
}

func orNothing(lead, s string) string {
	if s == "" {
		return ""
	}
	return lead + s
}

// documentsSource is where ringfence.yaml names the documents, or the file as a whole.
func (ev *Evidence) documentsSource() string {
	if s := ev.in.Documents.Source; !s.IsZero() {
		return s.String()
	}
	return ev.in.Source.String()
}

// markdownTable writes a table; cells are shown as they are.
func markdownTable(b *bytes.Buffer, header []string, rows [][]string) {
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| ")
			if c != "" {
				b.WriteString(c + " ")
			}
		}
		b.WriteString("|\n")
	}
	line(header)
	b.WriteString(strings.Repeat("|---", len(header)) + "|\n")
	for _, r := range rows {
		cells := make([]string, len(r))
		for i := range r {
			cells[i] = markdown(model.Visible(r[i]))
		}
		line(cells)
	}
	b.WriteByte('\n')
}

// ZonesMarkdown writes the segments for people: who owns each, what is in it, and the controls that guard it (1.1.5-b). Places are files
// without lines, so that what stands elsewhere in a file does not make a committed copy stale.
func (ev *Evidence) ZonesMarkdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Segments of %s\n\nEach zone with its owner, what is in it, and the controls that guard it. Written by `ringfence documents`.\n\n", markdown(model.Visible(ev.in.Name)))
	for _, z := range ev.in.Zones {
		fmt.Fprintf(&b, "## %s\n\nKind %s. Owner: %s. Changes are approved by %s and made by %s.\n\n", markdown(model.Visible(z.Name)), z.Kind, said(z.Owner), said(z.Roles.Approves), said(z.Roles.Changes))
		var in []string
		for _, m := range ev.membersOf(z) {
			if !slices.Contains(in, m.Ref) {
				in = append(in, m.Ref)
			}
		}
		slices.Sort(in)
		if len(in) == 0 {
			in = []string{"nothing that the input describes"}
		}
		fmt.Fprintf(&b, "Holds %s.\n\n", markdown(model.Visible(strings.Join(in, ", "))))
		if z.Kind.External() {
			continue
		}
		var rows [][]string
		for _, r := range ev.ruleSets() {
			if !slices.ContainsFunc(ev.guarded(r), func(g model.Zone) bool { return g.Name == z.Name }) {
				continue
			}
			owners, _, how := ev.ownerOf(r)
			rows = append(rows, []string{r.ID, controlText(r), strings.Join(ev.guards(r, z), ", "), strings.Join(owners, ", "), how, r.Source.File})
		}
		if len(rows) == 0 {
			b.WriteString("No control guards it.\n\n")
			continue
		}
		markdownTable(&b, []string{"control", "what it is", "guards", "owner", "owner by", "file"}, rows)
		for _, gap := range ev.unguarded(z) {
			fmt.Fprintf(&b, "No control at %s.\n\n", markdown(model.Visible(gap)))
		}
	}
	return b.Bytes()
}

func said(s string) string {
	if s == "" {
		return "nobody (not stated)"
	}
	return markdown(model.Visible(s))
}

// controlText is what a rule set is, in words.
func controlText(r RuleSet) string {
	text := map[string]string{
		"nsg": "network security group", "routes": "route table", "firewall": "Azure Firewall, classic rules", "firewall-policy": "Azure Firewall policy",
		"appgw": "application gateway, listeners", "waf": "WAF policy", "policy": "network policies", "mesh": "mesh policies", "registry": "container registry, firewall",
		"vault": "key vault, firewall", "database": "database, firewall", "storage": "storage account, firewall", "service": "PaaS firewall", "apiserver": "API server, authorised ranges",
		"frontdoor": "Front Door", "apim": "API Management", "avnm": "network manager", "bastion": "Bastion",
	}[r.Kind()]
	if r.Missing {
		text += ", not in the input"
	}
	return text
}

// guards lists what of a zone a rule set is attached to: subnets and interfaces of NSGs and route tables, else the rule set's own resource.
func (ev *Evidence) guards(r RuleSet, z model.Zone) []string {
	var out []string
	in := func(id model.ID) bool {
		return slices.ContainsFunc(ev.zonesOf(id), func(x model.Zone) bool { return x.Name == z.Name })
	}
	id := r.Resource.ResourceID()
	switch r.Kind() {
	case "nsg", "routes":
		for _, s := range ev.e.Subnets {
			if home, ok := ev.subnetZone(s); ok && home.Name == z.Name && (s.NSG.Is(id) || s.RouteTable.Is(id)) {
				out = append(out, ev.refs.Of(model.SelSubnet, s))
			}
		}
		for _, n := range ev.e.NICs {
			if n.NSG.Is(id) && in(n.ID) {
				out = append(out, ev.refs.Of(model.SelNIC, n))
			}
		}
		for _, v := range ev.e.ScaleSets {
			for _, p := range v.Profiles {
				if p.NSG.Is(id) && slices.ContainsFunc(p.IPConfigs, func(c model.IPConfig) bool { return in(c.Subnet) }) {
					out = append(out, "scale set "+v.Name())
				}
			}
		}
	case "policy":
		return []string{"pods of " + r.parts[len(r.parts)-1]}
	case "firewall", "firewall-policy", "bastion":
		return []string{"what passes it"}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unguarded lists the subnets of a zone at which neither an NSG nor a route decides: what can be routed there meets no control of the
// subnet. Subnets of the platform are guarded by what stands in them.
func (ev *Evidence) unguarded(z model.Zone) []string {
	var out []string
	for _, s := range ev.e.Subnets {
		if home, ok := ev.subnetZone(s); !ok || home.Name != z.Name || ev.platformSubnet(s) != "" || s.NSG != "" || s.RouteTable != "" {
			continue
		}
		out = append(out, ev.refs.Of(model.SelSubnet, s))
	}
	return out
}

// EndpointsMarkdown writes what each zone reaches outside of the estate, through what, and by which firewall rules (1.2.1-c).
func (ev *Evidence) EndpointsMarkdown() ([]byte, error) {
	rows, err := ev.zoneRows()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Public endpoints that %s reaches\n\nWhat each zone may open towards the internet, and by way of what. A zone that is not listed was proved to reach nothing there. Written by `ringfence documents`.\n\n", markdown(model.Visible(ev.in.Name)))
	for _, z := range ev.in.Zones {
		if z.Kind.External() {
			continue
		}
		var table [][]string
		from := ev.zonePrefixes(z)
		for _, r := range rows {
			if r.Src != "zone:"+z.Name || r.Dst != string(model.SelInternet) {
				continue
			}
			for _, p := range r.Packets {
				one := []solver.Packets{p}
				certain := ""
				if r.Verdict != solver.Reachable {
					certain = "possible"
				}
				names := label.Targets(one)
				if len(names) == 0 {
					names = []string{"any name"}
				}
				table = append(table, []string{
					label.Short(p.Dst, 6), strings.Join(names, ", "), strings.Join(label.Services(one), ", "), string(r.Kind), strings.Join(r.Via, ", "),
					strings.Join(ev.rulesTo(from, r.Via, p), ", "), certain,
				})
			}
			if r.Total > uint64(len(r.Packets)) {
				table = append(table, []string{fmt.Sprintf("and %d more", r.Total-uint64(len(r.Packets))), "", "", string(r.Kind), strings.Join(r.Via, ", "), "", ""})
			}
		}
		if len(table) == 0 {
			continue
		}
		table = slices.CompactFunc(table, slices.Equal)
		fmt.Fprintf(&b, "## %s\n\n", markdown(model.Visible(z.Name)))
		markdownTable(&b, []string{"address", "name or tag", "service", "kind", "through", "firewall rules", ""}, table)
	}
	return b.Bytes(), nil
}

// zoneRows is the matrix of zones.
func (ev *Evidence) zoneRows() ([]solver.Row, error) {
	type answer struct {
		rows []solver.Row
		err  error
	}
	a := keep(ev, "zone rows", func() answer {
		if len(ev.in.Zones) == 0 {
			return answer{rows: []solver.Row{}}
		}
		rows, err := ev.s.Matrix(solver.ByZone, nil, false)
		return answer{rows, err}
	})
	return a.rows, a.err
}

// zonePrefixes are the address blocks of the subnets that a zone holds something of.
func (ev *Evidence) zonePrefixes(z model.Zone) []netip.Prefix {
	var out []netip.Prefix
	for _, m := range ev.membersOf(z) {
		if s, ok := model.Get[*model.Subnet](ev.e, m.Subnet); ok {
			out = append(out, s.Prefixes...)
		}
		out = append(out, m.Prefixes...)
	}
	return out
}

// rulesTo names the firewall rules for senders of some blocks that speak of the names and tags of packets on their way through a firewall.
func (ev *Evidence) rulesTo(from []netip.Prefix, via []string, p solver.Packets) []string {
	var out []string
	if !slices.ContainsFunc(via, func(v string) bool { return strings.HasPrefix(v, string(model.SelFirewall)+":") }) {
		return []string{"no firewall on the way"}
	}
	sends := func(m model.AddressMatch) bool {
		list := slices.Clone(m.Prefixes)
		for _, id := range m.IPGroups {
			g, ok := model.Get[*model.IPGroup](ev.e, id)
			if !ok {
				return true // who it is for is not known
			}
			list = append(list, g.Prefixes...)
		}
		return m.Any || slices.ContainsFunc(list, func(x netip.Prefix) bool { return slices.ContainsFunc(from, x.Overlaps) })
	}
	speaks := func(x model.FirewallRule) bool {
		for _, n := range p.Names {
			if slices.ContainsFunc(x.FQDNs, func(f string) bool { return model.MatchName(f, n, true) }) || slices.ContainsFunc(x.Dests.FQDNs, func(f string) bool { return strings.EqualFold(f, n) }) {
				return true
			}
		}
		for _, t := range p.Tags {
			t = strings.TrimSuffix(t, " (FQDN tag)")
			if slices.ContainsFunc(x.FQDNTags, func(f string) bool { return strings.EqualFold(f, t) }) || slices.ContainsFunc(x.Dests.Tags, func(f string) bool { return strings.EqualFold(f, t) }) {
				return true
			}
		}
		for _, d := range p.Dst {
			if slices.ContainsFunc(x.Dests.Prefixes, func(q netip.Prefix) bool { return model.PrefixText(q) == d || q.String() == d }) {
				return true
			}
		}
		return false
	}
	collect := func(prefix string, list []model.RuleCollection) {
		for _, c := range list {
			for _, x := range c.Rules {
				if c.Access != model.Deny && sends(x.Sources) && speaks(x) {
					out = append(out, prefix+"/"+c.Name+"/"+x.Name)
				}
			}
		}
	}
	for _, f := range ev.e.Firewalls {
		collect("firewall:"+f.Name(), f.Collections)
	}
	for _, g := range ev.e.RuleGroups {
		collect("firewall:"+g.Policy.Name()+"/"+g.Name(), g.Collections)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
