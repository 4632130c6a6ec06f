package dataplane

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// machine is a class of senders and receivers behind NICs: one IP configuration, the rest of a subnet, a scale set, a node pool.
type machine struct {
	site     *Site
	filters  filtered
	vnet     *model.VNet // nil when the input lacks it
	addr     packet.AddrSet
	send     NodeID
	out      NodeID               // behind the outbound filters: where a packet that the machine forwards or translates starts
	in       NodeID               // before the inbound filters, from inside
	publicIn map[model.SKU]NodeID // before the inbound filters, through a public address where no NSG stands (AZ-PIP-02)
	accept   NodeID               // behind the inbound filters
	egress   egress
	forwards bool
	cluster  *clusterPlan // of a node
	pool     string
	atNode   *lazy // of a node: to an address that the node itself answers at
	floats   *lazy // of a node: for frontends that no Service of the input has; nil for none
}

// alike is NICs of one subnet that every control treats alike: they are one class of senders and receivers.
type alike struct {
	filters filtered
	egress  egress
	members []Member
}

// planInstances adds the addresses of a gateway's or Bastion's subnet as receivers: their instances have some of them. What they send is
// the relay's.
func (p *planner) planInstances(s *model.Subnet) {
	switch strings.ToLower(s.Name()) {
	case "azurefirewallsubnet", "azurefirewallmanagementsubnet", "gatewaysubnet", "routeserversubnet":
		return // AZ-FW-58: no software of the customer
	}
	place := model.Place{Kind: model.PlaceSubnet, ID: s.ID}
	addrs := p.freeAddresses(s)
	f := filtered{subnet: s.ID}
	_, v := p.e.SubnetOf(s.ID)
	m := &machine{filters: f, vnet: v, addr: p.b.AddPool("", addrs), send: -1, out: -1, in: p.node(place, StageInbound, ""), accept: p.node(place, StageNode, "")}
	m.site = p.site(&Site{Place: place, Prefixes: addrs, Send: -1, Receive: p.node(place, StageReceive, ""), Subnet: s.ID})
	p.machines = append(p.machines, m)
	p.machineAt[place.Key()] = m
	in, notes := p.inbound(f)
	p.edge(m.in, m.accept, in, nil, notes...)
}

// addressOf names an address of a VNet.
type addressOf struct {
	vnet string
	addr netip.Addr
}

// planAddressed notes the addresses that a route, a peer by BGP or a load balancer names: whoever holds one is a class of its own.
func (p *planner) planAddressed() {
	note := func(vnet string, a netip.Addr) {
		if a.IsValid() {
			p.addressed[addressOf{vnet, a}] = true
		}
	}
	named := map[netip.Addr]bool{}
	for _, t := range p.e.RouteTables {
		for _, r := range t.Routes {
			named[r.Address] = true
		}
	}
	for _, t := range p.e.Routes {
		for _, r := range t.Routes {
			for _, a := range r.Addresses {
				named[a] = true
			}
		}
	}
	for _, rs := range p.e.RouteServers {
		for _, x := range rs.Peers {
			named[x.Address] = true
		}
	}
	for _, h := range p.e.Hubs {
		for _, x := range h.Peers {
			named[x.Address] = true
		}
	}
	for _, c := range p.e.HubConnections {
		for _, x := range c.Routing.Static {
			named[x.NextHop] = true
		}
	}
	for _, lb := range p.e.LoadBalancers {
		for _, pool := range lb.Pools {
			for _, a := range pool.Addresses {
				named[a.Address] = true
			}
		}
	}
	for _, v := range p.e.VNets {
		key := v.ID.Key()
		for a := range named {
			note(key, a)
		}
	}
	for _, lb := range p.e.LoadBalancers {
		for _, r := range lb.NATRules {
			if n, ok := model.Get[*model.NIC](p.e, r.Target.Parent()); ok {
				for _, c := range n.IPConfigs {
					note(c.Subnet.Parent().Key(), c.Address)
				}
			}
		}
	}
}

// bears reports whether plain machines of a subnet, which forward nothing and have no door of their own, bear on the questions of the
// run: a question names the subnet, or a route or load balancer names an address in it.
func (p *planner) bears(subnet model.ID) bool {
	if p.o.Subnets == nil {
		return true
	}
	key := subnet.Key()
	yes, known := p.bearing[key]
	if known {
		return yes
	}
	yes = p.o.Subnets[key]
	if s, v := p.e.SubnetOf(subnet); s == nil || v == nil {
		yes = true
	} else {
		if p.namedIn == nil {
			p.namedIn = map[string][]netip.Addr{}
			for a := range p.addressed {
				p.namedIn[a.vnet] = append(p.namedIn[a.vnet], a.addr)
			}
		}
		yes = yes || slices.ContainsFunc(p.namedIn[v.ID.Key()], func(a netip.Addr) bool {
			return slices.ContainsFunc(s.Prefixes, func(x netip.Prefix) bool { return x.Contains(a) })
		})
	}
	p.bearing[key] = yes
	return yes
}

// planMachines adds every class of machines that bears on the run, in the order of places.
func (p *planner) planMachines() {
	classes := map[string]*alike{}
	var order []string
	for _, n := range p.e.NICs {
		if n.PrivateEndpoint != "" {
			continue
		}
		for _, c := range n.IPConfigs {
			if c.Subnet == "" {
				continue
			}
			place := model.Place{Kind: model.PlaceNIC, ID: n.ID, Part: c.Name}
			pools := p.poolsOf(n, c)
			public := p.publicIPOf(n, c)
			apart := p.addressed[addressOf{c.Subnet.Parent().Key(), c.Address}] || len(n.IPConfigs) > 1 || !c.Address.IsValid() || public != "" || len(pools)+len(c.NATRules)+len(c.AGWPools) > 0 || n.IPForwarding == model.On || p.besideForwarder(n)
			if !apart && !p.bears(c.Subnet) {
				continue
			}
			eg := p.egressOf(c.Subnet, public, pools, p.uniform(n))
			switch {
			case n.DefaultOutbound == model.Off:
				eg = eg.withoutDefault()
			case (n.DefaultOutbound == model.On || c.Address.IsValid() && p.inAddressPool(host(c.Address))) && p.uniform(n):
				eg = eg.withDefault()
			}
			f := filtered{subnet: c.Subnet, nicNSG: n.NSG, members: c.ASGs}
			f.stops = p.stops(n.ID)
			if p.e.RulesAt(n.ID, "") != nil || p.e.RoutesAt(n.ID) != nil {
				f.nic = n.ID // AZ-TAG-04, AZ-RT-33: unlike its neighbours
			}
			if p.e.RoutesAt(n.ID) != nil {
				eg = eg.at(n.ID)
			}
			if apart {
				p.addMachine(place, []netip.Prefix{host(p.configAddr(n, c))}, f, eg, n.IPForwarding != model.Off, nil) // AZ-RT-10: not stated may be on
				continue
			}
			key := f.key() + "|" + eg.key
			if classes[key] == nil {
				classes[key] = &alike{filters: f, egress: eg}
				order = append(order, key)
			}
			classes[key].members = append(classes[key].members, Member{place, c.Address})
		}
	}
	for _, s := range p.e.Subnets {
		if p.platformSubnet(s) {
			p.planInstances(s)
			continue
		}
		if !p.bears(s.ID) {
			continue
		}
		place := model.Place{Kind: model.PlaceSubnet, ID: s.ID}
		f, eg := filtered{subnet: s.ID}, p.classEgress(s.ID, nil, true)
		addrs := p.freeAddresses(s)
		var members []Member
		if c := classes[f.key()+"|"+eg.key]; c != nil {
			// NICs without an NSG of their own are treated like the addresses that nobody holds yet.
			members = c.members
			for _, m := range members {
				addrs = append(addrs, host(m.Addr))
			}
			delete(classes, f.key()+"|"+eg.key)
		}
		p.addMachine(place, ipset(addrs).Prefixes(), f, eg, false, members)
	}
	for _, key := range order {
		if c := classes[key]; c != nil {
			var addrs []netip.Prefix
			for _, m := range c.members {
				addrs = append(addrs, host(m.Addr))
			}
			p.addMachine(c.members[0].Place, ipset(addrs).Prefixes(), c.filters, c.egress, false, c.members)
		}
	}
	for _, s := range p.e.ScaleSets {
		for _, pr := range s.Profiles {
			for _, c := range pr.IPConfigs {
				if c.Subnet == "" {
					continue
				}
				place := model.Place{Kind: model.PlaceScaleSet, ID: s.ID, Part: c.Name}
				f := filtered{subnet: c.Subnet, nicNSG: pr.NSG, members: c.ASGs, stops: p.stops(s.ID)}
				cl, pool := p.nodesOf(s)
				if cl != nil {
					f = p.withManagedNSG(f, cl.c)
				}
				eg := p.classEgress(c.Subnet, c.LBPools, !strings.EqualFold(s.Orchestration, "Flexible")) // AZ-OUT-08
				if a, ok := p.symbols.Of(model.InstancePublicAddress, s.ID, c.Name); ok {
					eg = eg.withInstance(a)
				}
				if cl != nil && (c.Primary || len(pr.IPConfigs) == 1) {
					if a, ok := p.symbols.Of(model.NodePublicAddress, cl.c.ID, pool); ok {
						eg = eg.withInstance(a) // AKS-NET-09: the pool says so, whatever the profile leaves out
					}
				}
				if cl != nil && len(eg.frontends) == 0 {
					eg = p.clusterEgress(cl.c, eg) // AKS-OUT-01: by the load balancer of the cluster, which the input may lack
				}
				m := p.addMachine(place, p.rangeOf(c.Subnet), f, eg, pr.IPForwarding != model.Off, nil)
				if cl != nil {
					m.cluster, m.pool = cl, pool
				}
			}
		}
	}
	for _, c := range p.e.Clusters {
		for _, pool := range c.Pools {
			if p.nodeMachine(p.clusters[c.ID.Key()], pool.Name) != nil || pool.Subnet == "" {
				continue // AKS-NET-12; a scale set without a profile of interfaces names no nodes
			}
			place := model.Place{Kind: model.PlaceNodePool, ID: c.ID, Part: pool.Name}
			eg := p.classEgress(pool.Subnet, nil, true)
			if a, ok := p.symbols.Of(model.NodePublicAddress, c.ID, pool.Name); ok {
				eg = eg.withInstance(a)
			}
			eg = p.clusterEgress(c, eg)
			f := p.withManagedNSG(filtered{subnet: pool.Subnet, members: pool.ASGs}, c)
			m := p.addMachine(place, p.nodeRange(pool.Subnet), f, eg, false, nil)
			m.cluster, m.pool = p.clusters[c.ID.Key()], pool.Name
		}
	}
	for _, m := range p.machines {
		if m.send >= 0 {
			p.planSending(m)
		}
	}
}

// besideForwarder reports a NIC by which a VM may send what it receives at another one to forward (AZ-RT-32).
func (p *planner) besideForwarder(n *model.NIC) bool {
	return slices.ContainsFunc(p.interfaces(n), func(x *model.NIC) bool { return x != n && x.IPForwarding != model.Off })
}

// publicIPOf is the public address of an IP configuration: it names the resource, or the resource names it.
func (p *planner) publicIPOf(n *model.NIC, c model.IPConfig) model.ID {
	for _, ip := range p.e.PublicIPs {
		if holdsPublicIP(ip, "", n.ID+"/ipConfigurations/"+model.ID(c.Name)) && c.PublicIP == "" {
			return ip.ID
		}
	}
	return c.PublicIP
}

// inAddressPool reports a member of a load balancer's pool by address, which keeps default outbound access (AZ-OUT-07).
func (p *planner) inAddressPool(blocks ...netip.Prefix) bool {
	return slices.ContainsFunc(p.e.LoadBalancers, func(lb *model.LoadBalancer) bool {
		return slices.ContainsFunc(lb.Pools, func(x model.LBPool) bool {
			return slices.ContainsFunc(x.Addresses, func(m model.LBAddress) bool {
				return slices.ContainsFunc(blocks, func(b netip.Prefix) bool { return b.Contains(m.Address) })
			})
		})
	})
}

// classEgress is how machines to come of a subnet leave.
func (p *planner) classEgress(subnet model.ID, pools []model.ID, uniform bool) egress {
	eg := p.egressOf(subnet, "", pools, uniform)
	if s, _ := p.e.SubnetOf(subnet); s != nil && uniform && p.inAddressPool(s.Prefixes...) {
		eg = eg.withDefault()
	}
	return eg
}

// uniform reports whether a NIC may get default outbound access for certain: instances of flexible scale sets never do (AZ-OUT-08).
func (p *planner) uniform(n *model.NIC) bool {
	vm, ok := model.Get[*model.VM](p.e, n.VM)
	return !ok || vm.ScaleSet == ""
}

// ownAddresses are those of a machine's NIC; none where several NICs make up the machine's class.
func (p *planner) ownAddresses(s *Site) packet.AddrSet {
	var own []netip.Addr
	if n, ok := model.Get[*model.NIC](p.e, s.Place.ID); ok && s.Place.Kind == model.PlaceNIC && s.Members == nil {
		for _, c := range n.IPConfigs {
			own = append(own, p.configAddr(n, c))
		}
	}
	return p.addr.exactHosts(own...)
}

// rangeOf is the addresses that machines of a subnet to come, or instances that the input does not list, may have. Of a subnet that the input
// lacks it is every private one.
func (p *planner) rangeOf(subnet model.ID) []netip.Prefix {
	s, ok := model.Get[*model.Subnet](p.e, subnet)
	if !ok {
		return ianaPrivate()
	}
	free := p.freeAddresses(s)
	v4 := func(x netip.Prefix) bool { return x.Addr().Is4() }
	if slices.ContainsFunc(s.Prefixes, v4) && !slices.ContainsFunc(free, v4) {
		return nil // AZ-V6-01: each of them needs an IPv4 address
	}
	return free
}

// nodeRange is the same for the nodes of a pool, which exist: where the input holds every address of the subnet, theirs are among them.
func (p *planner) nodeRange(subnet model.ID) []netip.Prefix {
	s, ok := model.Get[*model.Subnet](p.e, subnet)
	if free := p.rangeOf(subnet); len(free) > 0 || !ok {
		return free
	}
	return usable(s)
}

func (p *planner) addMachine(place model.Place, addrs []netip.Prefix, f filtered, eg egress, forwards bool, members []Member) *machine {
	_, v := p.e.SubnetOf(f.subnet)
	f.at = place
	m := &machine{filters: f, vnet: v, egress: eg, forwards: forwards}
	m.addr = p.b.AddPool("", addrs)
	m.send = p.node(place, StageSend, "")
	m.in = p.node(place, StageInbound, "")
	m.accept = p.node(place, StageNode, "")
	m.site = p.site(&Site{Place: place, Prefixes: addrs, Send: m.send, Receive: p.node(place, StageReceive, ""), Subnet: f.subnet, Members: members})
	p.machines = append(p.machines, m)
	p.machineAt[place.Key()] = m

	in, notes := p.receives(m) // AZ-NSG-13: neighbours meet their subnet's NSG on both sides
	p.edge(m.in, m.accept, in, nil, notes...)
	return m
}

// planSending adds what machines send. Routes lead to other machines, so that every machine stands before the first of them is read.
func (p *planner) planSending(m *machine) {
	out, notes := p.sends(m)
	m.out = p.routing(m.filters.subnet, "", m.egress)
	if m.cluster != nil {
		g, more := p.untaken(m.cluster)
		out, notes = and(out, g, offCluster(m.cluster)), append(notes, more...)
	}
	p.edge(m.send, m.out, and(out, exactly(minus(everything(), dstIn(p.ownAddresses(m.site))))), nil, notes...)
}

// planNeighbours joins the IP configurations of one NIC: what never leaves the NIC meets no filter and no route (AZ-GEN-05).
func (p *planner) planNeighbours() {
	for _, n := range p.e.NICs {
		if len(n.IPConfigs) < 2 {
			continue
		}
		for _, c := range n.IPConfigs {
			m := p.machineAt[(model.Place{Kind: model.PlaceNIC, ID: n.ID, Part: c.Name}).Key()]
			if m == nil {
				continue
			}
			for _, other := range n.IPConfigs {
				if d := p.machineAt[(model.Place{Kind: model.PlaceNIC, ID: n.ID, Part: other.Name}).Key()]; d != nil && d != m {
					p.edge(m.send, d.site.Receive, exactly(dstIn(d.addr)), nil)
				}
			}
		}
	}
}

// publicEntry is where a packet stands before a machine's inbound filters that came by a public address, or a public load balancer, of
// a SKU.
func (p *planner) publicEntry(m *machine, sku model.SKU) NodeID {
	if p.hasNSG(m.filters) || sku == model.Basic {
		return m.in // AZ-PIP-04: a Basic one is open where no NSG stands
	}
	if n, ok := m.publicIn[sku]; ok {
		return n
	}
	n := p.node(m.site.Place, StageInbound, "public "+sku.String())
	if m.publicIn == nil {
		m.publicIn = map[model.SKU]NodeID{}
	}
	m.publicIn[sku] = n
	g, notes := p.adminAt(m.filters, model.Inbound, reading{}).through(p.closedWithoutNSG(m, sku))
	p.edge(n, m.accept, g, nil, append(notes, "ASM-STDPIP")...)
	return n
}

// closedWithoutNSG is what passes a public address or load balancer of a SKU where no NSG stands: nothing through a Standard one
// (AZ-PIP-02), everything through a Basic one (AZ-PIP-04), and one of both where the input does not say which it is.
func (p *planner) closedWithoutNSG(m *machine, sku model.SKU) guard {
	switch {
	case sku == model.Basic:
		return guard{}
	case sku == model.SKUNotStated || !p.assumed("ASM-STDPIP"):
		return guard{over: everything(), under: nothing()}
	default:
		key := "nonsg|" + m.filters.subnet.Key()
		return closed(Control{Key: key, Name: "NSG of " + m.filters.subnet.ShortName(), Stage: "subnet-nsg-inbound", Place: m.site.Place}, Part{
			Key: key, Detail: "a Standard public address is closed where no NSG allows the flow (AZ-PIP-02)", Open: "an NSG that allows it",
			Source: model.Source{Resource: m.filters.subnet},
		})
	}
}

// planReceivers delivers what passed a machine's filters. At a Kubernetes node a frontend's address belongs to a Service, not to the
// node itself.
func (p *planner) planReceivers() {
	floats := p.floating()
	for _, m := range p.machines {
		if m.cluster == nil {
			p.edge(m.accept, m.site.Receive, guard{}, nil)
			continue
		}
		m.atNode, m.floats = dstIn(m.addr), floats[m]
		p.edge(m.accept, m.site.Receive, exactly(m.atNode), nil)
		if m.floats != nil {
			p.edge(m.accept, m.site.Receive, onlyOver(m.floats), nil, "ASM-K-NOSERVICE")
		}
	}
}

// floating is what load balancers hand to a Kubernetes node with the frontend's address left on it (AZ-LB-05), and no Service of the input takes
// (K8S-SVC-13).
func (p *planner) floating() map[*machine]*lazy {
	out := map[*machine]*lazy{}
	add := func(f model.LBFrontend, proto model.Protocol, front model.PortRange, sent *lazy, list []poolMember) {
		addrs := append([]netip.Addr{p.frontendAddr(f)}, p.publicAddrsOf(f)...)
		addrs = slices.DeleteFunc(addrs, func(a netip.Addr) bool { return !a.IsValid() })
		for _, m := range list {
			if m.cluster == nil || len(addrs) == 0 || p.isOfService(m.cluster, f, proto, front) {
				continue
			}
			untaken := minus(both(dstIn(p.addr.exactHosts(addrs...)), sent), p.ofServices(m.cluster, f))
			if have := out[m.machine]; have != nil {
				untaken = either(have, untaken)
			}
			out[m.machine] = untaken
		}
	}
	one := func(port uint16) model.PortRange { return model.PortRange{First: port, Last: port} }
	to := func(proto model.Protocol, port uint16) *lazy {
		protocols := []model.Protocol{proto}
		if proto == model.AnyProtocol {
			protocols = []model.Protocol{model.TCP, model.UDP}
		}
		return transport(protocols, nil, []model.PortRange{one(port)}, false)
	}
	for _, lb := range p.e.LoadBalancers {
		for _, f := range lb.Frontends {
			for _, r := range lb.Rules {
				front, sent := one(r.FrontendPort), to(r.Protocol, cmp.Or(r.BackendPort, r.FrontendPort))
				if r.Protocol == model.AnyProtocol && r.FrontendPort == 0 { // HA ports
					front, sent = model.AllPorts, p.ruleTraffic(f, r).over
				}
				for _, pool := range r.Pools {
					if r.FloatingIP == model.On && r.Frontend.Key() == f.ID.Key() {
						list, _ := p.members(lb, pool)
						add(f, r.Protocol, front, sent, list)
					}
				}
			}
			for _, r := range lb.NATRules {
				if r.FloatingIP == model.On && r.Frontend.Key() == f.ID.Key() {
					list, _ := p.natMembers(lb, r)
					add(f, r.Protocol, r.FrontendPorts, to(r.Protocol, r.BackendPort), list)
				}
			}
		}
	}
	return out
}

// platform is where packets to the host addresses end (AZ-PLAT-01).
func (p *planner) platform() NodeID {
	return p.node(model.Place{Kind: model.PlacePlatform}, StageReceive, "")
}

// poolsOf are the load balancer pools of an IP configuration, named at the NIC or at the pool.
func (p *planner) poolsOf(n *model.NIC, c model.IPConfig) []model.ID {
	out := slices.Clone(c.LBPools)
	self := string(n.ID) + "/ipConfigurations/" + c.Name
	for _, lb := range p.e.LoadBalancers {
		for _, pool := range lb.Pools {
			named := slices.ContainsFunc(pool.IPConfigs, func(id model.ID) bool { return id.Key() == model.ID(self).Key() })
			if named && !member([]model.ID{pool.ID}, out) {
				out = append(out, pool.ID)
			}
		}
	}
	return out
}

// transit is where a packet that a route sends to a machine meets it: its inbound filters see the packet's own addresses
// (AZ-NSG-18), then the machine forwards, if forwarding is enabled (AZ-RT-10).
func (p *planner) transit(o owner, via string) NodeID {
	place := model.Place{Kind: o.kind, ID: o.id, Part: o.part}
	n := p.node(place, StageFirewall, via)
	key := Node{Place: place.Key(), Stage: StageFirewall, Via: via}
	m := p.machineAt[place.Key()]
	if p.routeDone[key] || m == nil || !m.forwards && !p.o.Explain {
		return n
	}
	p.routeDone[key] = true
	in, notes := p.inbound(m.filters)
	notes = append(notes, "ASM-NVA", "ASM-NVA-NSG")
	relay := p.node(place, StageForward, via)
	if m.forwards {
		p.edge(n, relay, in.mayOnly(), nil, notes...)
	} else {
		nic, _ := model.Get[*model.NIC](p.e, o.id)
		shut := Part{Key: "forwarding|" + o.id.Key(), Detail: "the NIC does not forward: enableIPForwarding is off (AZ-RT-10)", Open: "enableIPForwarding"}
		if nic != nil {
			shut.Source = nic.Source
		}
		p.hypothesis(n, relay, and(in.mayOnly(), closed(Control{Key: shut.Key, Name: "forwarding of " + o.id.Name(), Stage: "transport", Place: place}, shut)))
	}
	// AZ-RT-11, AZ-RT-32: an appliance without modelled rules sends any packet it receives anywhere, as it came or with an address of its own,
	// by any of its interfaces. Their outbound filters see what it sends.
	all := p.b.AddPool("", []netip.Prefix{allV4(), allV6()})
	for _, x := range p.sameMachine(m) {
		sent := p.forwardedBy(x)
		if x.forwards || x == m {
			p.edge(relay, sent, onlyOver(everything()), &rewrite{dst: &all})
		}
		p.edge(relay, sent, onlyOver(everything()), &rewrite{dst: &all, src: &x.addr})
		if x.site.Place.Kind == model.PlaceNIC && x.site.Place.ID.Key() != o.id.Key() {
			p.edge(relay, x.site.Receive, onlyOver(dstIn(x.addr)), nil) // what its other interface is addressed by
		}
	}
	return n
}

// applianceVia names an appliance as forwarder.
func applianceVia(place model.Place) string {
	self := "nva:" + place.ID.Key()
	if place.Part != "" {
		self += "/" + strings.ToLower(place.Part)
	}
	return self
}

// forwardedBy is where what an appliance forwards by an interface stands, before the filters.
func (p *planner) forwardedBy(m *machine) NodeID {
	place := m.site.Place
	self := applianceVia(place)
	p.vias[self] = place
	sent := p.node(place, StageForward, self)
	if key := (Node{Place: place.Key(), Stage: StageForward, Via: self}); !p.routeDone[key] {
		p.routeDone[key] = true
		out, notes := p.outbound(m.filters)
		p.edge(sent, p.routing(m.filters.subnet, self, m.egress), out.mayOnly(), nil, notes...)
	}
	return sent
}

// sameMachine is every class of IP configurations of one VM, or of the instances of one scale set.
func (p *planner) sameMachine(m *machine) []*machine {
	place := m.site.Place
	if s, ok := model.Get[*model.ScaleSet](p.e, place.ID); ok && place.Kind == model.PlaceScaleSet && m.cluster == nil {
		var out []*machine
		for _, pr := range s.Profiles {
			for _, c := range pr.IPConfigs {
				if x := p.machineAt[(model.Place{Kind: place.Kind, ID: s.ID, Part: c.Name}).Key()]; x != nil {
					out = append(out, x)
				}
			}
		}
		return out
	}
	n, ok := model.Get[*model.NIC](p.e, place.ID)
	if !ok || place.Kind != model.PlaceNIC {
		return []*machine{m}
	}
	var out []*machine
	for _, x := range p.interfaces(n) {
		for _, c := range x.IPConfigs {
			if x := p.machineAt[(model.Place{Kind: place.Kind, ID: x.ID, Part: c.Name}).Key()]; x != nil {
				out = append(out, x)
			}
		}
	}
	return out
}

// interfaces are the NICs of the VM that a NIC belongs to.
func (p *planner) interfaces(n *model.NIC) []*model.NIC {
	if n.VM == "" {
		return []*model.NIC{n}
	}
	if p.nicsOf == nil {
		p.nicsOf = map[string][]*model.NIC{}
		for _, x := range p.e.NICs {
			if x.VM != "" && x.PrivateEndpoint == "" {
				p.nicsOf[x.VM.Key()] = append(p.nicsOf[x.VM.Key()], x)
			}
		}
	}
	return p.nicsOf[n.VM.Key()]
}

// forwardUnknown leads packets to a forwarder that the input does not describe: over only, from it anything may be reached.
func (p *planner) forwardUnknown(from NodeID, vnetKey string, sent *lazy, notes []string) {
	place := model.Place{Kind: model.PlaceUnknown, ID: model.ID(vnetKey)}
	n := p.node(place, StageForward, "unknown")
	p.edge(from, n, onlyOver(sent), nil, notes...)
	key := Node{Place: place.Key(), Stage: StageForward, Via: "unknown"}
	if p.routeDone[key] {
		return
	}
	p.routeDone[key] = true
	p.vias["unknown"] = place
	all := p.b.AddPool("", []netip.Prefix{allV4(), allV6()})
	rw := &rewrite{dst: &all}
	for _, v := range p.e.VNets {
		if vnetKey != "" && v.ID.Key() != vnetKey && !p.linked(v, vnetKey) {
			continue
		}
		p.edge(n, p.fabric(v, "unknown"), onlyOver(everything()), rw)
		for _, g := range p.gatewaysOf(v) {
			p.towardsGateway(n, g, "unknown", false, onlyOver(everything()))
		}
		for _, l := range p.linksOf(v) {
			p.unknownIntoHub(n, l.hub, l.table(), rw)
		}
	}
	if vnetKey == "" {
		for _, h := range p.e.Hubs {
			p.unknownIntoHub(n, h, defaultTable(h.ID), rw)
		}
	}
	p.edge(n, p.publicOut(), onlyOver(everything()), rw)
}

// linked reports whether a VNet is, or may be, peered with the one of a key or in a connected group with it.
func (p *planner) linked(v *model.VNet, key string) bool {
	return slices.ContainsFunc(p.peers(v), func(l peerLink) bool { return l.remoteID.Key() == key }) ||
		slices.ContainsFunc(p.joined(v), func(l groupLink) bool { return l.remote.ID.Key() == key })
}

// unknownVNet is where packets to a peered VNet that the input lacks end.
func (p *planner) unknownVNet(l peerLink) NodeID {
	place := model.Place{Kind: model.PlaceUnknown, ID: l.remoteID}
	n := p.node(place, StageReceive, "")
	key := Node{Place: place.Key(), Stage: StageReceive}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	ps := l.prefixes()
	s := p.site(&Site{Place: place, Prefixes: ps, Send: p.node(place, StageSend, ""), Receive: n})
	// AZ-PEER-01: its hosts can send into every VNet of the input that is peered with it, and out of it by ways that are not known. What its
	// own controls forbid is not known either.
	p.forwardUnknown(s.Send, l.remoteID.Key(), everything(), []string{missing("virtual network", l.remoteID)})
	return n
}
