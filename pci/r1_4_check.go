package pci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// interactive are the ports by which people work on nodes; 10250 runs commands (AKS-POL-08).
func interactive() []model.PortService {
	return services("tcp/22", "tcp/3389", "tcp/5985-5986", "tcp/10250", "tcp/10255")
}

// emergency is declared emergency access that has not expired.
func (ev *Evidence) emergency() []allowedFlow {
	var out []allowedFlow
	for _, x := range ev.in.PCI.Emergency {
		if !x.Expires.Before(ev.in.AsOf) {
			out = append(out, allowedFlow{x.From, x.To, x.Services, "pci.emergencyAccess until " + x.Expires.String()})
		}
	}
	return out
}

// nodesNotAccessed is 1.4-a.
func nodesNotAccessed(ev *Evidence) []Part {
	statement := "nobody opens " + portTextsOf(interactive()) + " of a node"
	targets := ev.nodeTargets()
	if len(targets) == 0 {
		return []Part{ev.noPools(statement)}
	}
	var parts []Part
	nodes, missing := ev.nodeSubnets()
	for _, id := range missing {
		u := unknownPart(statement, "the subnet "+id.ShortName()+" of a node pool is not in the input")
		u.Faults = []Fault{ev.unknownRef("node pool", id, model.Source{})}
		parts = append(parts, u)
	}
	for _, s := range nodes {
		if ev.missingNSG(s) {
			u := unknownPart(statement, s.NSG.ShortName()+" is not in the input")
			u.Faults = []Fault{ev.unknownRef(ev.refs.Of(model.SelSubnet, s), s.NSG, s.Source)}
			parts = append(parts, u)
		}
	}
	wanted := ev.emergency()
	p := ev.askBut(model.Assertion{Verb: model.VerbDeny, From: anyBut(ev.ownCluster(), selectors("ip:168.63.129.16")), To: targets, Services: interactive(), DirectOnly: true}, wanted)
	p = p.said(len(positive(targets)), "nothing but the cluster itself opens %s of %s", portTextsOf(interactive()), texts(positive(targets)))
	for _, w := range wanted {
		p.Notes = append(p.Notes, w.by)
	}
	p.Residual = residual("R1", "R3", "R5")
	return append(parts, p.remedied("remove the rule, and deny these ports at the NSGs of the nodes"))
}

// noJumpBoxes is the part of an item about jump boxes where none are declared.
func (ev *Evidence) noJumpBoxes(statement string) Part {
	p := ev.absent(statement, "jumpBoxes", "pci.jumpBoxes is not stated")
	if p.Verdict == ItemUnknown {
		p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "pci.jumpBoxes"}, Text: p.Reason, Source: ev.in.Source.String(), Remedy: "name the jump boxes in pci.jumpBoxes"}}
	}
	return p
}

// separateAdministration is 1.4-b.
func separateAdministration(ev *Evidence) []Part {
	p := Part{Statement: "administration starts from compute of its own: jump boxes in a subnet of a zone of kind management, without public addresses"}
	if len(ev.jump()) == 0 {
		return []Part{ev.noJumpBoxes(p.Statement)}
	}
	nodes, _ := ev.nodeSubnets()
	pods, _ := ev.podSubnets()
	var senders []model.Selector
	for _, sel := range ev.jump() {
		for _, id := range ev.jumpSubnets(sel) {
			s, ok := model.Get[*model.Subnet](ev.e, id)
			if !ok {
				p.Verdict, p.Reason = ItemUnknown, id.ShortName()+", the subnet of a jump box, is not in the input"
				p.Faults = append(p.Faults, ev.unknownRef(sel.Text, id, model.Source{}))
				continue
			}
			p.Subjects++
			ref := ev.refs.Of(model.SelSubnet, s)
			senders = append(senders, sel)
			if slices.Contains(nodes, s) || slices.Contains(pods, s) {
				p.Faults = append(p.Faults, configFault(CauseSetting, ref, "vnetSubnetID", "a node pool lies in it", "jump boxes alone", s.Source, "move the node pool to a subnet of its own"))
			}
			for _, e := range ev.e.Endpoints {
				if e.Subnet.Key() == s.ID.Key() {
					p.Faults = append(p.Faults, configFault(CauseSetting, ref, "privateEndpoints", e.Name(), "jump boxes alone", e.Source, "move the private endpoint to another subnet"))
				}
			}
			z, zoned := ev.subnetZone(s)
			switch {
			case !zoned:
				p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseUnzoned, Of: ref}, Subject: ref, Text: ref + " is in no zone", Source: s.Source.String(), Remedy: "add it to the members of a zone of kind management"})
			case z.Kind != model.ZoneManagement:
				p.Faults = append(p.Faults, configFault(CauseSetting, ref, "zone", z.Name+" of kind "+string(z.Kind), "a zone of kind management", z.Source, "put the jump boxes into a zone of kind management"))
			}
			for _, m := range ev.members() {
				if m.Subnet.Key() == s.ID.Key() && zoned && m.zone.Name != z.Name {
					p.Faults = append(p.Faults, configFault(CauseSetting, ref, "members", m.Ref+" of zone "+m.zone.Name, "jump boxes alone", s.Source, "move "+m.Ref+" to another subnet"))
				}
			}
			for _, n := range ev.e.NICs {
				for _, c := range n.IPConfigs {
					if c.Subnet.Key() == s.ID.Key() && c.PublicIP != "" {
						p.Faults = append(p.Faults, configFault(CausePublic, ev.refs.Of(model.SelNIC, n), "publicIPAddress", c.PublicIP.ShortName(), "none", c.Source, "detach the public address; Bastion leads to the box"))
					}
				}
			}
		}
	}
	if len(p.Faults) > 0 && p.Verdict == "" {
		p.Verdict = ItemFail
	}
	judged, _ := ev.clusters()
	for _, c := range judged {
		if !c.Manifest && c.RunCommandOff != model.On {
			p.Residual = residual("R6")
		}
	}
	parts := []Part{p.judged()}
	if api := ev.apiServers(); len(api) > 0 && len(senders) > 0 {
		if boxes := ev.jumpMachines(); len(boxes) > 0 {
			senders = boxes
		}
		parts = append(parts, ev.must(senders, api, services("tcp/443")...).said(len(senders), "jump boxes (%s) reach %s on tcp/443", texts(senders), texts(api)).remedied("allow the jump boxes to the API server"))
	}
	return parts
}

// jumpMachines are the machines that stand in the subnets of the jump boxes: those that exist, as senders of what must be possible.
func (ev *Evidence) jumpMachines() []model.Selector {
	var out []model.Selector
	for _, sel := range ev.jump() {
		if sel.Kind != model.SelSubnet {
			out = append(out, sel)
			continue
		}
		for _, id := range ev.jumpSubnets(sel) {
			for _, n := range ev.e.NICs {
				if slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return c.Subnet.Key() == id.Key() }) && n.PrivateEndpoint == "" {
					out = append(out, ev.sel(model.SelNIC, n))
				}
			}
		}
	}
	return out
}

// jumpRestricted is 1.4-c.
func jumpRestricted(ev *Evidence) []Part {
	const statement = "what jump boxes accept and open is restricted"
	jump := ev.jump()
	if len(jump) == 0 {
		return []Part{ev.noJumpBoxes(statement)}
	}
	var parts []Part
	from := anyBut(ev.bastions())
	parts = append(parts,
		ev.denyDirect(from, jump).said(len(jump), "nothing but Bastion (%s) reaches %s", texts(ev.bastions()), texts(jump)).remedied("allow AzureBastionSubnet alone, deny the rest"))
	if b := ev.bastions(); len(b) > 0 {
		parts = append(parts, ev.only(b, jump, services("tcp/22", "tcp/3389")...).said(len(jump), "Bastion reaches %s on nothing but tcp/22 and tcp/3389", texts(jump)).remedied("narrow the rule to tcp/22 or tcp/3389"))
	}
	internet := ev.zones(model.ZoneInternet)
	if via := ev.firewalls(); len(via) > 0 {
		parts = append(parts, ev.through(jump, internet, via).said(len(jump), "every path from %s to the internet passes %s", texts(jump), texts(via)).remedied("lead 0.0.0.0/0 of the subnet to the firewall"))
	} else {
		parts = append(parts, ev.deny(jump, internet).said(len(jump), "%s reaches nothing on the internet: the input holds no firewall", texts(jump)))
	}
	parts = append(parts, ev.only(jump, internet, services("tcp/443")...).said(len(jump), "%s opens nothing to the internet but tcp/443", texts(jump)).remedied("narrow the rules of NSG and firewall to tcp/443"))
	inner := ev.zones(internalKinds()...)
	if len(inner) > 0 {
		var wanted []allowedFlow
		if api := ev.apiServers(); len(api) > 0 {
			wanted = append(wanted, allowedFlow{nil, api, services("tcp/443"), "the API server"})
		}
		for _, f := range ev.allowed() {
			if ev.speaksOfJump(f.from) {
				wanted = append(wanted, f)
			}
		}
		wanted = append(wanted, allowedFlow{nil, nil, services("udp/53", "tcp/53"), "DNS"})
		to := slices.Concat(inner, not(jump))
		p := ev.askBut(model.Assertion{Verb: model.VerbDeny, From: jump, To: to, DirectOnly: true}, wanted)
		parts = append(parts, p.said(len(jump), "%s opens nothing inside but the API server on tcp/443, DNS, and what is declared for it", texts(jump)).remedied("narrow the outbound rules, or declare the flow"))
	}
	return parts
}

// speaksOfJump reports whether selectors name jump boxes, or the zone that they are in.
func (ev *Evidence) speaksOfJump(list []model.Selector) bool {
	boxes := texts(ev.jumpMachines())
	for _, s := range list {
		if slices.ContainsFunc(ev.jump(), func(j model.Selector) bool { return j.Text == s.Text }) || strings.Contains(boxes, s.Text) {
			return true
		}
		if s.Kind == model.SelVM && slices.ContainsFunc(ev.jumpVMs(), func(v string) bool { return v == s.Text }) {
			return true
		}
		for _, z := range ev.in.Zones {
			if s.Kind == model.SelZone && s.Parts[0] == z.Name && z.Kind == model.ZoneManagement {
				return true
			}
		}
	}
	return false
}

// jumpVMs are the machines of the jump boxes, as selectors name them.
func (ev *Evidence) jumpVMs() []string {
	var out []string
	for _, sel := range ev.jump() {
		for _, id := range ev.jumpSubnets(sel) {
			for _, n := range ev.e.NICs {
				if v, ok := model.Get[*model.VM](ev.e, n.VM); ok && slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return c.Subnet.Key() == id.Key() }) {
					out = append(out, ev.refs.Of(model.SelVM, v))
				}
			}
		}
	}
	return out
}

// managedClients is 1.4-d.
func managedClients(ev *Evidence) []Part {
	const statement = "machines that connect by VPN are managed"
	var facts []string
	for _, g := range ev.e.Gateways {
		if len(g.ClientPools) > 0 {
			facts = append(facts, ev.refs.Of(model.SelGateway, g)+" takes point-to-site clients"+inBrackets(g.Source.String()))
		} else if g.Kind == model.VPNGateway {
			facts = append(facts, ev.refs.Of(model.SelGateway, g)+" connects sites"+inBrackets(g.Source.String()))
		}
	}
	for _, g := range ev.e.HubGateways {
		facts = append(facts, ev.refs.Of(model.SelGateway, g)+" stands in a virtual hub"+inBrackets(g.Source.String()))
	}
	if n, ok := ev.none("vpn"); ok && len(facts) == 0 {
		return []Part{notApplicable(statement, fmt.Sprintf("none.vpn: %s, on %s: %s", n.By, n.On, n.Reason))}
	}
	p := ev.attestation(statement)
	p.Facts = append(p.Facts, facts...)
	return []Part{p}
}
