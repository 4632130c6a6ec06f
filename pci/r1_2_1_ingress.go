package pci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// shielded are the kinds of zones that the internet must not reach by itself (1.2.1-a, 1.2.1-b).
func shielded() []model.ZoneKind {
	return []model.ZoneKind{model.ZoneCDE, model.ZoneData, model.ZoneTrusted, model.ZoneManagement, model.ZoneOutOfScope}
}

// noDirectReach is 1.2.1-a: no packet of the internet is delivered to anything but routers, Bastions and gateways.
func noDirectReach(ev *Evidence) []Part {
	zones := ev.declared(shielded()...)
	if len(zones) == 0 {
		return []Part{unknownPart("internet must not reach the zones behind the DMZ directly", "ringfence.yaml declares no zone of the kinds "+kindsText(shielded()))}
	}
	internet := ev.zones(model.ZoneInternet)
	var out []Part
	for _, z := range zones {
		if to, left := ev.holding(z, ev.door); left > 0 {
			out = append(out, ev.denyDirect(internet, to).said(left, "internet must not reach %s directly", ev.zone(z)).leaving("R1").
				remedied("remove the public address, the load-balancing or NAT rule or the DNAT rule that leads there; bring web traffic in by a gateway with a WAF"))
		}
	}
	for _, b := range ev.e.Bastions {
		if !b.Developer() && slices.ContainsFunc(ev.zonesOf(b.ID), isKind(shielded()...)) {
			p := ev.only(internet, []model.Selector{ev.sel(model.SelBastion, b)}, services("tcp/443")...)
			p.Notes = append(p.Notes, "administrators sign in here (AZ-BAS-02); what lies behind is judged by 1.2.1-r and 1.4-c")
			out = append(out, p.about(1))
		}
	}
	for _, g := range ev.e.Gateways {
		if slices.ContainsFunc(ev.zonesOf(g.ID), isKind(shielded()...)) {
			p := ev.denyDirect(internet, []model.Selector{ev.sel(model.SelGateway, g)}, services("tcp/1-442", "tcp/444-65535", "udp/1-499", "udp/501-4499", "udp/4501-65535", "icmp", "sctp/1-65535")...)
			p.Notes = append(p.Notes, "a gateway listens on udp/500, udp/4500, ESP and tcp/443 by its nature, and takes no NSG (AZ-GW-10)")
			out = append(out, p.about(1).stated("internet reaches %s at its listeners alone", ev.refs.Of(model.SelGateway, g)))
		}
	}
	var endpoints []model.Selector // those of services, which are left out above
	for _, pe := range ev.e.Endpoints {
		if slices.ContainsFunc(ev.zonesOf(pe.ID), isKind(shielded()...)) {
			endpoints = append(endpoints, ev.sel(model.SelEndpoint, pe))
		}
	}
	if len(endpoints) > 0 {
		out = append(out, ev.denyDirect(internet, endpoints).said(len(endpoints), "internet must not reach private endpoints directly").leaving("R1"))
	}
	if len(out) == 0 {
		return []Part{unknownPart("internet must not reach the zones behind the DMZ directly", "the zones hold nothing that stands in a virtual network")}
	}
	out[0].Table = ev.publicAddresses()
	return out
}

// throughRouters is 1.2.1-b: whatever comes in from the internet passes an intermediate router, or a Bastion.
func throughRouters(ev *Evidence) []Part {
	zones, routers := ev.declared(shielded()...), ev.routers()
	statement := "every path from internet to the zones behind the DMZ passes a router"
	if len(zones) == 0 {
		return []Part{unknownPart(statement, "ringfence.yaml declares no zone of the kinds "+kindsText(shielded()))}
	}
	internet := ev.zones(model.ZoneInternet)
	if len(routers) == 0 {
		if _, none := ev.none("ingress"); !none {
			return []Part{ev.absent(statement, "ingress", "the input holds no application gateway, Front Door or API Management that the internet reaches, and pci.ingressRouters names none")}
		}
	}
	via := slices.Concat(routers, ev.administrators())
	var out []Part
	for _, z := range zones {
		to, left := ev.holding(z, ev.door)
		if left == 0 {
			continue
		}
		var p Part
		if len(via) == 0 {
			p = ev.deny(internet, to)
		} else {
			p = ev.through(internet, to, via)
		}
		p = p.said(left, "every path from internet to %s passes a router (%s), or is administration by a Bastion", ev.zone(z), texts(routers)).leaving("R1").remedied("close the way round the routers, or publish the target behind one of them")
		if p.Verdict == ItemPass {
			if r, err := ev.s.Reach(internet, to, nil, false); err == nil && r.Verdict == solver.Unreachable {
				p.Facts = append(p.Facts, "not reachable from the internet at all")
			} else if err == nil {
				p.Facts = append(p.Facts, chainFacts(r.Flows)...)
			}
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return []Part{unknownPart(statement, "the zones hold nothing that stands in a virtual network")}
	}
	return out
}

// chainFacts prints flows, a line each.
func chainFacts(flows []solver.Flow) []string {
	var out []string
	for _, f := range flows {
		if t := flowText(f); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// controlPlanePorts is 1.2.1-g: the ports by which Azure manages gateways admit Azure alone (AZ-AGW-11, AZ-AGW-12).
func controlPlanePorts(ev *Evidence) []Part {
	const statement = "the management ports of gateways admit the tag GatewayManager alone"
	var out []Part
	for _, g := range ev.e.AppGateways {
		name := ev.refs.Of(model.SelAppGateway, g)
		ports, from := "tcp/65200-65535", anyBut(selectors("tag:GatewayManager"))
		switch {
		case !strings.HasSuffix(strings.ToLower(g.Tier), "_v2"):
			ports = "tcp/65503-65534"
		case !slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.PublicIP != "" }):
			from = anyBut() // network isolation needs no management from outside (AZ-AGW-14)
		}
		for _, id := range g.Subnets {
			s, ok := model.Get[*model.Subnet](ev.e, id)
			if !ok {
				p := unknownPart(statement, name+" lies in "+id.ShortName()+", which is not in the input")
				p.Faults = []Fault{ev.unknownRef(name, id, g.Source)}
				out = append(out, p)
				continue
			}
			out = append(out, ev.managed(from, s, name, ports, "GatewayManager"))
		}
	}
	for _, a := range ev.e.APIMs {
		if !a.Injected() || a.V2() {
			continue // nothing of it stands in a subnet, or it has no port of its own
		}
		for _, site := range a.Sites {
			if s, ok := model.Get[*model.Subnet](ev.e, site.Subnet); ok {
				out = append(out, ev.managed(anyBut(selectors("tag:ApiManagement")), s, ev.refs.Of(model.SelAPIM, a), "tcp/3443", "ApiManagement"))
			}
		}
	}
	switch {
	case len(out) > 0:
		return out
	case len(ev.routers()) > 0:
		return []Part{notApplicable(statement, "no router has management ports in a subnet: they are Front Doors or of a tier without")}
	}
	return []Part{ev.absent(statement, "ingress", "the input holds no application gateway")}
}

// managed asks that nobody but the platform's management reaches the ports of a gateway's subnet.
func (ev *Evidence) managed(from []model.Selector, s *model.Subnet, gateway, ports, tag string) Part {
	subnet := ev.refs.Of(model.SelSubnet, s)
	statement := fmt.Sprintf("nobody but the tag %s reaches %s in %s on %s", tag, gateway, subnet, ports)
	if s.NSG == "" {
		return Part{Statement: statement, Subjects: 1, Faults: []Fault{{
			Cause: Cause{Class: CauseNodeNSG, Of: subnet, Field: "networkSecurityGroup"}, Subject: subnet, Text: "the subnet has no network security group, so that nothing filters its management ports",
			Field: "properties.networkSecurityGroup.id", Wanted: "an NSG", Source: s.Source.String(),
			Remedy: "attach an NSG that allows " + ports + " from the tag " + tag + " and denies the rest",
		}}}.judged()
	}
	p := ev.denyDirect(from, []model.Selector{ev.sel(model.SelSubnet, s)}, services(ports)...).stated("%s", statement)
	p.Facts = append(p.Facts, "nsg:"+s.NSG.Name()+" decides")
	p.Notes = append(p.Notes, "the NSG does this and not the WAF, which sees HTTP requests only; certificates guard these ports as well (AZ-AGW-12)")
	return p.about(1).leaving("R1").remedied("write the service tag " + tag + " as the source of the rule for " + ports)
}

// probesOnly is 1.2.1-h: the ports that load balancers probe at nodes are open to the platform's probe and to the cluster alone.
func probesOnly(ev *Evidence) []Part {
	const statement = "probe ports of nodes are open to load-balancer probes and the cluster itself alone"
	nodes := ev.nodeEnds()
	if len(nodes) == 0 {
		return []Part{ev.noPools(statement)}
	}
	ports, facts := ev.probePorts()
	if len(ports) == 0 {
		return []Part{unknownPart(statement, "the input holds no load balancer of the cluster and no Service, which name the probe ports")}
	}
	a := model.Assertion{Verb: model.VerbDeny, From: anyBut(ev.ownCluster()), To: nodes, Services: ports, DirectOnly: true}
	if in := ev.ingressPorts(); len(in) > 0 && len(ev.routers()) > 0 {
		a.Except = append(a.Except, model.Waiver{From: ev.routers(), Services: in, Owner: "the procedure", Reason: "routers open what internal load balancers serve", Expires: model.Date{Year: 9999, Month: 12, Day: 31}})
	}
	p := ev.ask(a).stated("%s", statement)
	p.Waived = nil
	p.Facts = append(p.Facts, facts...)
	p.Notes = append(p.Notes, "load balancers probe from 168.63.129.16, and the WAF is not on that path")
	return []Part{p.about(len(ports)).leaving("R1").remedied("deny the node ports to everything but AzureLoadBalancer and the cluster's own subnets")}
}

// probePorts lists the ports at nodes that load balancers probe.
func (ev *Evidence) probePorts() (ports []model.PortService, facts []string) {
	add := func(r model.PortRange, why string) {
		s := model.PortService{Protocol: model.TCP, Ports: r, SourcePorts: model.AllPorts}
		if !slices.Contains(ports, s) {
			ports = append(ports, s)
			facts = append(facts, s.String()+": "+why)
		}
	}
	one := func(p uint16) model.PortRange { return model.PortRange{First: p, Last: p} }
	every := model.PortRange{First: 30000, Last: 32767}
	judged, _ := ev.clusters()
	for _, c := range judged {
		for _, l := range ev.e.LoadBalancers {
			if c.NodeGroup == "" || !strings.EqualFold(l.ID.ResourceGroup(), c.NodeGroup) {
				continue
			}
			for _, x := range l.Probes {
				add(one(x.Port), "probe "+x.Name+" of lb:"+l.Name()+inBrackets(x.Source.String()))
			}
		}
		for _, k := range ev.e.KubeServices {
			if k.Cluster.Key() != c.ID.Key() || k.Type != "LoadBalancer" && k.Type != "NodePort" {
				continue
			}
			who := "Service " + k.Namespace + "/" + k.Name() + inBrackets(k.Source.String())
			if k.HealthCheckPort > 0 {
				add(one(k.HealthCheckPort), "health check port of "+who)
			} else if k.LocalPolicy {
				add(every, "health check port of "+who+", which is not assigned yet")
			}
			for _, x := range k.Ports {
				switch {
				case x.NodePort > 0:
					add(one(x.NodePort), "node port of "+who)
				case !k.NoNodePorts:
					add(every, "node port of "+who+", which is not assigned yet")
				}
			}
		}
	}
	return ports, facts
}

// ingressPorts are the ports that internal load balancers of the clusters serve, as they arrive at the nodes.
func (ev *Evidence) ingressPorts() []model.PortService {
	var out []model.PortService
	add := func(p model.Protocol, port uint16) {
		s := model.PortService{Protocol: p, Ports: model.PortRange{First: port, Last: port}, SourcePorts: model.AllPorts}
		if port > 0 && p.HasPorts() && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, f := range ev.internalFrontends() {
		if f.service != nil {
			for _, x := range f.service.Ports {
				add(x.Protocol, x.Port)
				add(x.Protocol, x.NodePort)
			}
			continue
		}
		for _, r := range f.lb.Rules {
			if r.Frontend.Key() == f.front.ID.Key() {
				add(r.Protocol, r.BackendPort)
			}
		}
	}
	return out
}

// nodeEnds selects the nodes of the judged clusters: their subnets, and pools that state none.
func (ev *Evidence) nodeEnds() []model.Selector {
	out := ev.nodeTargets()
	for _, p := range ev.pools() {
		if p.Subnet == "" {
			out = append(out, model.Selector{Kind: model.SelNodePool, Parts: []string{p.cluster.Name(), p.Name}, Text: ev.poolRef(p)})
		}
	}
	return out
}

// denySSH is 1.2.1-p: nobody reaches SSH on nodes, their neighbours included.
func denySSH(ev *Evidence) []Part {
	const statement = "nobody reaches SSH of nodes"
	nodes := ev.nodeEnds()
	if len(nodes) == 0 {
		return []Part{ev.noPools(statement)}
	}
	a := model.Assertion{Verb: model.VerbDeny, From: anyBut(), To: nodes, Services: services("tcp/22"), DirectOnly: true}
	for _, x := range ev.in.PCI.Emergency {
		if !x.Expires.Before(ev.in.AsOf) {
			a.Except = append(a.Except, model.Waiver{Source: x.Source, From: x.From, To: x.To, Services: x.Services, Owner: x.ApprovedBy, Reason: x.Reason, Expires: x.Expires})
		}
	}
	p := ev.ask(a).about(len(nodes)).leaving("R1", "R3", "R6").
		remedied("deny tcp/22 inbound on the NSG of the node subnet, before every Allow; use `kubectl debug` or emergency access that expires")
	found, _ := ev.nodeSubnets()
	for _, s := range found {
		p.Facts = append(p.Facts, ev.refs.Of(model.SelSubnet, s)+": "+ev.deniesPort(s, 22))
	}
	for _, n := range ev.pools() {
		if n.SSHAccess != "" {
			p.Notes = append(p.Notes, ev.poolRef(n)+": sshAccess "+n.SSHAccess+", which does not replace the NSG")
		}
	}
	return []Part{p}
}

// deniesPort names the rule that decides about a TCP port from everywhere at a subnet.
func (ev *Evidence) deniesPort(s *model.Subnet, port uint16) string {
	n, ok := model.Get[*model.NSG](ev.e, s.NSG)
	switch {
	case s.NSG == "":
		return "no NSG"
	case !ok:
		return "nsg:" + s.NSG.Name() + ", which is not in the input"
	}
	for _, u := range n.Rules {
		in := slices.ContainsFunc(u.DestPorts, func(r model.PortRange) bool { return r.First <= port && port <= r.Last })
		if u.Direction == model.Inbound && u.Access == model.Deny && in && u.SourceAddrs.Any && (u.Protocol == model.TCP || u.Protocol == model.AnyProtocol) {
			return "denied by nsg:" + n.Name() + "/" + u.Name + inBrackets(u.Source.String())
		}
	}
	return "no rule of nsg:" + n.Name() + " denies it from everywhere"
}

// jumpFromBastion is 1.2.1-r: nothing but Bastion reaches the jump boxes, and on ports for sessions alone.
func jumpFromBastion(ev *Evidence) []Part {
	jump, bastions := ev.jump(), ev.bastions()
	if len(jump) == 0 {
		return []Part{ev.absent("nothing but Bastion reaches the jump boxes", "jumpBoxes", "pci.jumpBoxes names no jump box")}
	}
	remedy := "allow tcp/22 or tcp/3389 from AzureBastionSubnet alone on the NSG of the jump box, and deny the rest"
	p := ev.denyDirect(anyBut(bastions), jump).about(len(jump)).leaving("R1").remedied(remedy)
	out := []Part{p}
	if len(bastions) == 0 {
		out[0].Notes = append(out[0].Notes, "the input holds no Bastion: nobody may reach the jump boxes")
		return out
	}
	q := ev.only(bastions, jump, services("tcp/22", "tcp/3389")...)
	q = q.about(len(ev.e.Bastions)).remedied(remedy)
	for _, b := range ev.e.Bastions {
		name := ev.refs.Of(model.SelBastion, b)
		_, v := ev.e.SubnetOf(b.Subnet)
		switch {
		case b.Developer():
			q.Verdict = ItemFail
			q.Faults = append(q.Faults, Fault{
				Cause: Cause{Class: CauseSetting, Of: name, Field: "sku.name"}, Subject: name, Text: "connections of a Bastion of tier Developer come from 168.63.129.16, which every user of the platform's relay shares (AZ-BAS-05)",
				Field: "sku.name", Found: b.SKU, Wanted: "Basic, Standard or Premium", Source: b.Source.String(), Remedy: "use a Bastion of its own in AzureBastionSubnet",
			})
		case v != nil && !slices.ContainsFunc(ev.hubs(), func(h *model.VNet) bool { return h.ID.Key() == v.ID.Key() }):
			q.Notes = append(q.Notes, name+" stands in "+ev.refs.Of(model.SelVNet, v)+", which is no hub")
		}
	}
	return append(out, q)
}
