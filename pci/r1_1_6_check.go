package pci

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// rulesDocumented is 1.1.6-a.
func rulesDocumented(ev *Evidence) []Part {
	return []Part{ev.document(DocumentRules, "the committed table of services, protocols and ports is what the controls say today")}
}

// onlyAllowedPorts is 1.1.6-b: between zones, nothing passes but what people state to be wanted. Chains of relays are judged leg by leg.
func onlyAllowedPorts(ev *Evidence) []Part {
	const statement = "between zones nothing passes but what assertions, data flows and justifications allow"
	wanted := ev.wantedFlows()
	if len(ev.in.Zones) == 0 {
		return []Part{unknownPart(statement, "ringfence.yaml declares no zones")}
	}
	if len(ev.allowed())+len(ev.in.PCI.NodeEgress) == 0 {
		return []Part{unknownPart(statement, "ringfence.yaml states no `must` or `only` assertion, data flow, monitoring path, node egress or justification with `allows`: nothing says what is wanted")}
	}
	rows, err := ev.s.Matrix(solver.ByZone, nil, true)
	if err != nil {
		return []Part{unknownPart(statement, err.Error())}
	}
	p := Part{Statement: statement, Table: &Table{Header: []string{"pair", "reachable", "not allowed"}}}
	p = p.leaving("R1")
	if pods := ev.nodeSoftware(); len(pods) > 0 {
		p.Notes = append(p.Notes, texts(pods)+": these pods leave the cluster with the address of their node, and are judged as the node that they run on")
	}
	var open []Fault
	seen := map[string]bool{}
	for _, r := range rows {
		pair := r.Src + " to " + r.Dst
		if seen[pair] || !ev.zoneKind(r.Src, judgedKinds()...) && !ev.zoneKind(r.Dst, judgedKinds()...) {
			continue
		}
		seen[pair] = true
		p.Subjects++
		var reach []solver.Packets
		for _, x := range rows {
			if x.Src == r.Src && x.Dst == r.Dst {
				reach = append(reach, x.Packets...)
			}
		}
		from, to := ev.zoneEnd(r.Src), ev.zoneEnd(r.Dst)
		q := ev.askBut(model.Assertion{Verb: model.VerbDeny, From: from, To: to, DirectOnly: true}, wanted)
		row := []string{pair, reachText(reach), "nothing"}
		if q.Verdict != ItemPass {
			var excess []solver.Packets
			for _, f := range q.Faults {
				for _, x := range f.Flows {
					excess = append(excess, x.Packets...)
				}
			}
			row[2] = reachText(excess)
			for _, f := range q.Faults {
				f.Text = pair + ": " + reachText(excess) + " is not allowed; " + f.Text
				f.Remedy = "remove or narrow the rule; or state that the flow is wanted by an assertion, a data flow, or the `allows` of its justification"
				if q.Verdict == ItemFail {
					p.Faults = append(p.Faults, f)
				} else {
					open = append(open, f)
				}
			}
			if q.Verdict == ItemUnknown && p.Reason == "" {
				p.Reason = pair + ": " + q.Reason
			}
		}
		p.Table.Rows = append(p.Table.Rows, row)
	}
	switch {
	case len(p.Faults) > 0:
		p.Reason = ""
	case len(open) > 0:
		p.Verdict, p.Faults = ItemUnknown, open
	}
	return []Part{p.judged()}
}

// zoneEnd selects an end of the matrix by zone. Gateways listen to the internet by their nature (AZ-GW-10), and 1.2.1-a judges them.
func (ev *Evidence) zoneEnd(name string) []model.Selector {
	if name == string(model.SelInternet) {
		return ev.zones(model.ZoneInternet)
	}
	for _, z := range ev.in.Zones {
		if "zone:"+z.Name != name {
			continue
		}
		out := []model.Selector{ev.zone(z)}
		for _, g := range ev.e.Gateways {
			if slices.ContainsFunc(ev.zonesOf(g.ID), func(x model.Zone) bool { return x.Name == z.Name }) && len(ev.membersOf(z)) > 1 {
				out = append(out, not([]model.Selector{ev.sel(model.SelGateway, g)})...)
			}
		}
		return out
	}
	return nil
}

// wantedFlows are what people state to be wanted, with the egress of nodes.
func (ev *Evidence) wantedFlows() []allowedFlow {
	out := slices.Clone(ev.allowed())
	if nodes := ev.nodeEnds(); len(ev.in.PCI.NodeEgress) > 0 && len(nodes) > 0 {
		out = append(out, allowedFlow{from: nodes, to: ev.zones(model.ZoneInternet), services: ev.in.PCI.NodeEgress, by: "pci.nodeEgress"})
	}
	if pods := ev.nodeSoftware(); len(pods) > 0 { // what they open to the outside is judged as their node's
		out = append(out, allowedFlow{from: pods, to: anyBut(ev.ownCluster()), by: "pods that AKS provides"})
	}
	return out
}

// reachText prints what packets ask for in a few words.
func reachText(list []solver.Packets) string {
	var out []string
	for _, p := range list {
		for _, port := range p.DPort {
			text := p.Protocol
			if p.Protocol != "any" && !strings.Contains(p.Protocol, "icmp") && port != "0-65535" {
				text += "/" + port
			}
			if !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	const most = 6
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("… (%d in all)", len(out)))
	}
	return strings.Join(out, ", ")
}

// rulesJustified is 1.1.6-c: every rule that carries a flow in scope has a reason, and insecure protocols have security features.
func rulesJustified(ev *Evidence) []Part {
	live := slices.DeleteFunc(slices.Clone(ev.liveRules()), func(l liveRule) bool { return !l.inScope })
	reasons := Part{Statement: "every rule that carries a flow in scope has a reason, an owner and an approval that are valid"}
	if len(live) == 0 {
		return []Part{unknownPart(reasons.Statement, "no rule of the input carries a flow with an end in a zone of the kinds "+kindsText(judgedKinds()))}
	}
	secure := Part{Statement: "every rule that admits an insecure service has a security feature that compensates"}
	reasons.Table = &Table{Header: []string{"rule", "protocol:port", "source", "destination", "reason", "owner", "approved by", "ticket", "expires", "features", "flows", "at"}}
	var open []Fault
	for _, l := range live {
		reasons.Subjects++
		reasons.Table.Rows = append(reasons.Table.Rows, []string{
			l.Rule, l.Protocol + ":" + strings.Join(l.Ports, ","), strings.Join(l.Source, ", "), strings.Join(l.Destination, ", "), cmp.Or(l.Justification, "none"), l.Owner, l.ApprovedBy, l.Ticket, l.Expires,
			strings.Join(l.SecurityFeatures, ", "), flowEnds(l.flows), l.At,
		})
		if l.Justification == "" {
			f := Fault{Cause: Cause{Class: CauseRegister, Of: l.Rule}, Subject: l.Rule, Text: "it carries " + flowEnds(l.flows) + ", and no justification for it is valid", Source: l.At}
			if _, after, ok := strings.Cut(l.Note, "a reason that does not count, "); ok {
				f.Text += ": a reason that does not count, " + after
			}
			f.Remedy = fmt.Sprintf("justifications: - {rules: [%q], reason: …, owner: …, approvedBy: …}", l.Rule)
			reasons.Faults = append(reasons.Faults, f)
			continue // the same entry is asked for its features below, once it is there
		}
		if l.kindOf() == "firewall" && strings.EqualFold(l.Protocol, "https") || l.kindOf() == "appgw" && strings.EqualFold(l.Protocol, "https") {
			continue // 7.2: the protocol is read, and secure
		}
		services := l.services
		if len(services) == 0 && len(l.flows) > 0 && !slices.ContainsFunc(l.flows, func(f solver.CarriedFlow) bool { return f.From != solver.Platform }) {
			continue // probes of the platform alone
		}
		if l.kindOf() == "appgw" && strings.EqualFold(l.Protocol, "http") {
			services = append(slices.Clone(services), model.PortService{Protocol: model.TCP, Ports: model.PortRange{First: 80, Last: 80}})
		}
		admits := insecureIn(services)
		a, b := admits[alwaysInsecure], admits[serversChoice]
		if len(a)+len(b) == 0 {
			continue
		}
		secure.Subjects++
		c := ev.compensated(l)
		fault := func(text, remedy string) Fault {
			return Fault{Cause: Cause{Class: CauseRegister, Of: l.Rule, Field: "securityFeatures"}, Subject: l.Rule, Text: text, Source: l.At, Remedy: remedy}
		}
		name := "add a word to securityFeatures of its justification that says what protects the traffic (decisions.md, 7.3), or narrow the rule"
		switch {
		case len(c.untrue) > 0:
			secure.Faults = append(secure.Faults, fault("its security feature "+strings.Join(c.untrue, ", ")+" does not hold", "make it true, or state what else protects the traffic"))
		case c.protects:
			line := l.Rule + ": " + insecureText(slices.Concat(a, b)) + ", with " + strings.Join(l.SecurityFeatures, ", ")
			if len(c.declared) > 0 {
				line += " (declared: " + strings.Join(c.declared, ", ") + ")"
			}
			secure.Facts = append(secure.Facts, line)
		case len(a) > 0:
			secure.Faults = append(secure.Faults, fault("it admits "+insecureText(a)+", and its justification states no security feature that protects them", name))
		default:
			if ev.settled(l) {
				secure.Facts = append(secure.Facts, l.Rule+": "+insecureText(b)+", where the server asks for TLS 1.2")
				continue
			}
			open = append(open, fault("it admits "+insecureText(b)+", where the server chooses whether to encrypt: no setting of it is in the input, and no security feature is stated", name))
		}
	}
	reasons.Notes = append(reasons.Notes, ev.unusedReasons()...)
	out := []Part{reasons.judged()}
	if secure.Subjects == 0 {
		out[0].Notes = append(out[0].Notes, "no rule with a reason admits an insecure service")
		return out
	}
	if len(secure.Faults) == 0 && len(open) > 0 {
		secure.Verdict, secure.Faults, secure.Reason = ItemUnknown, open, open[0].Subject+": "+open[0].Text
	}
	return append(out, secure.judged())
}

// settled reports whether the settings of the services that a rule leads to ask for TLS 1.2.
func (ev *Evidence) settled(l liveRule) bool {
	list := ev.servicesAt(l)
	return len(list) > 0 && !slices.ContainsFunc(list, func(s *model.Service) bool {
		version, ok := tlsFloorOf(s)
		return !ok || version < "1.2"
	})
}

// flowEnds prints what a rule carries by the zones of its ends.
func flowEnds(list []solver.CarriedFlow) string {
	var out []string
	for _, f := range list {
		if text := cmp.Or(f.From, "no zone") + " to " + cmp.Or(f.To, "no zone"); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	const most = 4
	if len(out) > most {
		return strings.Join(out[:most], "; ") + fmt.Sprintf("; … (%d pairs in all)", len(out))
	}
	return strings.Join(out, "; ")
}

// unusedReasons names the rules with a reason that carry nothing, and reasons whose rule is not in the input (8.2: a note).
func (ev *Evidence) unusedReasons() []string {
	live := map[string]bool{}
	for _, l := range ev.liveRules() {
		live[l.Rule] = true
	}
	var out []string
	reasons := reasonsOf(ev.in)
	named := map[model.Source]bool{}
	t := ev.table()
	for _, r := range t {
		for _, x := range reasons {
			if !r.named(x) {
				continue
			}
			named[x.Source] = true
			text := r.row.Rule + ": a reason without effect, it carries nothing" + inBrackets(x.Source.String())
			if r.row.allows() && !live[r.row.Rule] && !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	for _, x := range reasons {
		if text := "a reason for rules that are not in the input" + inBrackets(x.Source.String()); !named[x.Source] && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// table is the table of rules with what names them.
func (ev *Evidence) table() []rule {
	return keep(ev, "table", func() []rule { return tableOf(ev.e) })
}

// rulesScoped is 1.1.6-d: each side of a rule that carries a flow is something in one zone.
func rulesScoped(ev *Evidence) []Part {
	p := Part{Statement: "each side of a rule that carries a flow names addresses of one zone, a group, a service tag or a name"}
	live := map[string]bool{}
	for _, l := range ev.liveRules() {
		live[l.Rule] = true
	}
	var open []Fault
	side := func(rule, side string, m model.AddressMatch, source model.Source, internet bool) {
		text, lacks := ev.unscoped(m, internet)
		f := Fault{Cause: Cause{Class: CauseAllow, Of: rule, Field: side}, Subject: rule, Text: "its " + side + " is " + text, Source: source.String(), Remedy: "write one rule for each zone, with the addresses or groups that need it"}
		switch {
		case lacks != "":
			f.Cause, f.Text, f.Remedy = Cause{Class: CauseNoRef, Of: lacks}, "its "+side+" names "+model.ID(lacks).ShortName()+", which is not in the input", "add the resource "+lacks+" to the inputs"
			open = append(open, f)
		case text != "":
			p.Faults = append(p.Faults, f)
		}
	}
	for _, n := range ev.e.NSGs {
		subnets := ev.subnetsOf(n)
		if n.Managed || len(subnets) == 0 {
			continue // AKS writes it, or it is at no subnet
		}
		for _, u := range n.Rules {
			rule := "nsg:" + n.Name() + "/" + u.Name
			if u.Default || u.Access == model.Deny || !live[rule] {
				continue
			}
			p.Subjects++
			if ev.requiredByPlatform(subnets, u) {
				p.Notes = append(p.Notes, rule+": as the platform requires it")
				continue
			}
			listener := u.Direction == model.Inbound && ev.dmzListener(subnets, u)
			own := func(m model.AddressMatch) bool { return m.Any } // the subnet that the NSG is at
			if u.Direction == model.Inbound {
				side(rule, "source", u.SourceAddrs, u.Source, listener)
				if !own(u.DestAddrs) {
					side(rule, "destination", u.DestAddrs, u.Source, false)
				}
				continue
			}
			if !own(u.SourceAddrs) {
				side(rule, "source", u.SourceAddrs, u.Source, false)
			}
			side(rule, "destination", u.DestAddrs, u.Source, false)
		}
	}
	seen := map[string]bool{}
	for _, f := range ev.e.Firewalls {
		rules, _ := ev.rulesInForce(f)
		for _, u := range rules {
			if u.access != model.Allow || seen[u.name] || !live[u.name] {
				continue
			}
			seen[u.name] = true
			p.Subjects++
			side(u.name, "source", u.Sources, u.Source, false)
			if u.kind == model.NetworkRules {
				side(u.name, "destination", u.Dests, u.Source, false)
			}
			for _, n := range u.FQDNs {
				if n == "*" || publicSuffix(n) {
					p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseAllow, Of: u.name, Field: "target"}, Subject: u.name, Text: "its target " + n + " is every host of a whole domain of the internet", Source: u.Source.String(), Remedy: "name the hosts that are needed"})
				}
			}
		}
	}
	if p.Subjects == 0 {
		return []Part{unknownPart(p.Statement, "no rule of an NSG or firewall in the input carries a flow")}
	}
	if len(p.Faults) == 0 && len(open) > 0 {
		p.Verdict, p.Faults, p.Reason = ItemUnknown, open, open[0].Subject+": "+open[0].Text
	}
	return []Part{p.judged()}
}

// publicSuffix reports a pattern that covers a whole top-level domain: `*.com`.
func publicSuffix(pattern string) bool {
	rest, ok := strings.CutPrefix(pattern, "*.")
	return ok && !strings.Contains(rest, ".")
}

// unscoped says what is too wide on one side of a rule; lacks is a group that the input does not hold.
func (ev *Evidence) unscoped(m model.AddressMatch, internet bool) (text, lacks string) {
	if m.Any {
		return "everything (`*`)", ""
	}
	for _, t := range m.Tags {
		base, _, _ := strings.Cut(strings.ToLower(t), ".")
		switch {
		case base == "internet" && internet:
		case base == "virtualnetwork", base == "internet", base == "azurecloud":
			return "the service tag " + t, ""
		}
	}
	var blocks []netip.Prefix
	blocks = append(blocks, m.Prefixes...)
	for _, id := range m.IPGroups {
		g, ok := model.Get[*model.IPGroup](ev.e, id)
		if !ok {
			return "", string(id)
		}
		if over := ev.zonesAcross(g.Prefixes); len(over) > 1 {
			return "the IP group " + g.Name() + ", which spans the zones " + strings.Join(over, ", "), ""
		}
	}
	for _, b := range blocks {
		over := ev.zonesAcross([]netip.Prefix{b})
		switch {
		case b.Bits() == 0:
			return "everything (" + b.String() + ")", ""
		case len(over) > 1 && !ev.podRange(b):
			return b.String() + ", which spans the zones " + strings.Join(over, ", "), ""
		case len(over) == 1 && !ev.insideOne(b):
			return b.String() + ", of which a part lies in no subnet or zone", ""
		}
	}
	return "", ""
}

// podRange reports a block of addresses that pods of a cluster have: one range serves the pods of every zone.
func (ev *Evidence) podRange(b netip.Prefix) bool {
	return slices.ContainsFunc(ev.e.Clusters, func(c *model.Cluster) bool {
		return slices.ContainsFunc(c.PodCIDRs, func(p netip.Prefix) bool { return p.Overlaps(b) })
	})
}

// blockZone is a block of addresses with its zone.
type blockZone struct {
	block netip.Prefix
	zone  string
}

// zoneBlocks are the subnets, and the blocks of external zones, with their zones.
func (ev *Evidence) zoneBlocks() []blockZone {
	return keep(ev, "zoneBlocks", func() []blockZone {
		var out []blockZone
		for _, s := range ev.e.Subnets {
			if z, ok := ev.subnetZone(s); ok {
				for _, p := range s.Prefixes {
					out = append(out, blockZone{p, z.Name})
				}
			}
		}
		for _, z := range ev.in.Zones {
			for _, m := range z.Members {
				if m.Prefix.IsValid() {
					out = append(out, blockZone{m.Prefix, z.Name})
				}
			}
		}
		return out
	})
}

// zonesAcross names the zones that blocks lie in.
func (ev *Evidence) zonesAcross(list []netip.Prefix) []string {
	var out []string
	for _, b := range ev.zoneBlocks() {
		if slices.ContainsFunc(list, b.block.Overlaps) && !slices.Contains(out, b.zone) {
			out = append(out, b.zone)
		}
	}
	slices.Sort(out)
	return out
}

// insideOne reports whether a block lies within one subnet, or one block of a zone.
func (ev *Evidence) insideOne(p netip.Prefix) bool {
	return slices.ContainsFunc(ev.zoneBlocks(), func(b blockZone) bool { return b.block.Contains(p.Addr()) && b.block.Bits() <= p.Bits() })
}
