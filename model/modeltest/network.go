package modeltest

import (
	"math/rand/v2"
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// network draws VNets, peerings, subnets, machines, and the rules and routes of all of them.
func (d *draft) network() {
	for i := range d.upTo(1, 3) {
		v := &model.VNet{Meta: d.meta(networkID("virtualNetworks", d.name("v", i))), Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(32 * i)}), 27)}}
		if d.one(4) {
			v.Prefixes = append(v.Prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 1, byte(16 * i)}), 28))
		}
		d.vnets = append(d.vnets, v)
		d.add(v)
	}
	d.peerings()
	for i := range d.IntN(3) {
		d.nsgs = append(d.nsgs, networkID("networkSecurityGroups", d.name("n", i)))
	}
	for i := range d.IntN(3) {
		t := &model.RouteTable{Meta: d.meta(networkID("routeTables", d.name("t", i)))}
		d.tables = append(d.tables, t)
		d.add(t)
	}
	for _, v := range d.vnets {
		for j := range d.upTo(1, 3) {
			d.subnet(v, j)
		}
	}
	for i := 0; i < d.upTo(1, 5) || len(d.nics) == 0; i++ {
		d.nic(i)
	}
	for _, part := range []struct {
		kind Kinds
		draw func()
	}{
		{WithASGs, d.groups},
		{WithTags, d.lists},
		{WithPublic, d.public},
		{WithEndpoints, d.endpoints},
		{WithBalancers, d.balancers},
		{WithGateways, d.gateways},
		{WithBastions, d.bastions},
		{WithIPv6, d.ipv6},
		{WithInstances, d.instances},
		{WithFirewalls, d.firewalls},
		{WithRouteServers, d.routeServers},
		{WithAppGateways, d.appGateways},
		{WithServices, d.services},
	} {
		if d.has(part.kind) {
			part.draw()
		}
	}
	if d.has(WithClusters) {
		d.clusters()
	}
	for _, t := range d.tables {
		d.routes(t)
	}
	for _, id := range d.nsgs {
		d.nsg(id)
	}
	if d.has(WithPartial) {
		d.holes()
	}
	if d.has(WithManagers) {
		d.managers()
	}
	if d.has(WithLedger) {
		d.unsupported()
	}
	// What is drawn last leaves the rest of a seed's estate as it was before the kind was there.
	for _, part := range []struct {
		kind Kinds
		draw func()
	}{{WithFrontDoors, d.frontDoors}, {WithAPIMs, d.apims}, {WithWindows, d.windows}, {WithHubs, d.hubs}} {
		if d.has(part.kind) {
			part.draw()
		}
	}
}

// peerings joins VNets. Most pairs are peered as people peer them.
func (d *draft) peerings() {
	for i, v := range d.vnets {
		for _, w := range d.vnets[:i] {
			if d.one(4) {
				continue
			}
			x, y := d.peering(v, w), d.peering(w, v)
			if !d.has(WithPartial) || !d.one(8) { // one object alone is no path (AZ-PEER-01)
				w.Peerings = append(w.Peerings, y)
			}
			v.Peerings = append(v.Peerings, x)
		}
	}
}

func (d *draft) peering(from, to *model.VNet) model.Peering {
	p := model.Peering{
		Name: "to-" + to.Name(), Source: model.Source{File: "random", Resource: from.ID}, Remote: to.ID, State: "Connected", AllowVNetAccess: model.On, AllowForwarded: d.setting(),
	}
	if d.one(5) {
		p.AllowVNetAccess = d.setting()
	}
	if d.one(8) {
		p.State = choose(d, "", "Disconnected", "Initiated", "connected")
	}
	if !d.has(WithPartial) {
		return p
	}
	if d.one(3) { // an address space that was changed since the last sync (AZ-PEER-10)
		p.SyncedPrefixes = choose(d, clip(to.Prefixes), to.Prefixes[:1], append(clip(to.Prefixes), cidr("10.0.3.0/28")), []netip.Prefix{cidr("10.0.3.0/28")})
	}
	if d.one(3) { // AZ-PEER-14
		p.CompleteVNets = d.setting()
		p.LocalSubnets, p.RemoteSubnets = some(d, 2, "s0", "s1", "s9"), some(d, 2, "s0", "s1", "s9")
		p.OnlyIPv6 = choose(d, model.NotStated, model.Off, model.On)
	}
	return p
}

// holes takes things away that an input may lack: a VNet that only a peering names, objects that are referenced.
func (d *draft) holes() {
	if d.one(3) {
		v := choose(d, d.vnets...)
		v.Peerings = append(v.Peerings, model.Peering{
			Name: "gone", Remote: networkID("virtualNetworks", "gone"), State: choose(d, "Connected", ""), AllowVNetAccess: d.setting(), AllowForwarded: d.setting(), RemotePrefixes: []netip.Prefix{cidr("10.0.3.32/28")},
		})
		if d.one(2) {
			d.add(&model.VNet{Meta: d.meta(networkID("virtualNetworks", "gone")), Partial: true})
		}
	}
	for _, s := range d.subnets {
		if d.one(10) {
			s.NSG = networkID("networkSecurityGroups", "gone")
		}
		if d.one(10) {
			s.RouteTable = networkID("routeTables", "gone")
		}
	}
	for _, n := range d.nics {
		if d.one(10) {
			n.NSG = networkID("networkSecurityGroups", "gone")
		}
		if d.one(10) {
			n.IPConfigs[0].Address = netip.Addr{} // dynamic, not deployed
		}
	}
}

// subnet draws an ordinary subnet: eight addresses of one of the VNet's ranges.
func (d *draft) subnet(v *model.VNet, j int) {
	r := v.Prefixes[0]
	at := byte(8 * j)
	if len(v.Prefixes) > 1 && v.Prefixes[1].Addr().Is4() && j == 2 {
		r, at = v.Prefixes[1], 0
	}
	a := r.Addr().As4()
	a[3] += at
	s := &model.Subnet{
		Meta: d.meta(v.ID + "/subnets/" + model.ID(d.name("s", j))), VNet: v.ID, Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4(a), 29)},
		NSG: maybe(d, 3, d.nsgs), DefaultOutbound: d.setting(), EndpointPolicies: model.PoliciesDisabled,
	}
	s.Location = v.Location
	if t := maybe(d, 3, d.tables); t != nil {
		s.RouteTable = t.ID
	}
	d.subnets = append(d.subnets, s)
	d.add(s)
}

// nic draws a machine of one or two IP configurations.
func (d *draft) nic(i int) {
	n := &model.NIC{Meta: d.meta(networkID("networkInterfaces", d.name("nic", i))), NSG: maybe(d, 2, d.nsgs), IPForwarding: model.Off}
	if d.one(3) {
		n.IPForwarding = d.setting()
	}
	s := choose(d, d.subnets...)
	n.Location = s.Location
	for j := range d.upTo(1, 1+d.IntN(2)) {
		a, ok := d.free(s)
		if !ok {
			break
		}
		n.IPConfigs = append(n.IPConfigs, model.IPConfig{Name: d.name("ip", j), Source: n.Source, Subnet: s.ID, Address: a, Primary: j == 0})
		d.hops = append(d.hops, a)
	}
	if len(n.IPConfigs) == 0 {
		return
	}
	d.nics = append(d.nics, n)
	d.add(n)
}

// routes draws the routes of a table: the default and the estate's blocks, to appliances that forward or do not, or nowhere.
func (d *draft) routes(t *model.RouteTable) {
	t.DisableBGP = d.setting()
	seen := map[string]bool{}
	for i := range d.upTo(0, 3) {
		r := model.UserRoute{Name: d.name("r", i), Source: t.Source, Prefix: d.prefix(), NextHop: choose(d, model.HopAppliance, model.HopAppliance, model.HopAppliance, model.HopInternet, model.HopVnetLocal, model.HopNone)}
		if d.has(WithGateways) && d.one(4) {
			r.NextHop = model.HopGateway
		}
		if r.NextHop == model.HopAppliance {
			if d.one(8) || len(d.hops) == 0 {
				r.Address = netip.AddrFrom4([4]byte{10, 0, 0, byte(d.IntN(96))})
			} else {
				r.Address = choose(d, d.hops...)
			}
			if r.Prefix.Addr().Is6() != r.Address.Is6() && !d.has(WithRaw) { // Azure refuses a next hop of the other family
				r.NextHop, r.Address = model.HopNone, netip.Addr{}
				if hop := d.hopV6(); r.Prefix.Addr().Is6() && hop.IsValid() {
					r.NextHop, r.Address = model.HopAppliance, hop
				}
			}
		}
		if d.has(WithTags) && d.one(3) {
			r.Prefix, r.Tag = netip.Prefix{}, choose(d, serviceTags()...)
		}
		if seen[r.Prefix.String()+r.Tag] { // Azure refuses a second route of one prefix
			continue
		}
		seen[r.Prefix.String()+r.Tag] = true
		t.Routes = append(t.Routes, r)
	}
}

// nsg draws a group with a few rules in front of the default ones.
func (d *draft) nsg(id model.ID) {
	g := &model.NSG{Meta: d.meta(id)}
	for dir := model.Inbound; dir <= model.Outbound; dir++ {
		prio := 100
		for i := range d.upTo(0, 3) {
			r := model.SecurityRule{
				Name: d.name(dir.String(), i), Priority: prio, Direction: dir, Access: choose(d, model.Allow, model.Deny), Protocol: d.protocol(), SourceAddrs: d.side(), DestAddrs: d.side(),
				SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: d.ports(),
			}
			r.Source = model.Source{File: "random", Resource: id, Path: r.Name}
			if d.one(10) {
				r.SourcePorts = []model.PortRange{{First: 1024, Last: 60000}}
			}
			g.Rules = append(g.Rules, r)
			if !d.has(WithRaw) || !d.one(4) { // Azure refuses a second rule of one priority
				prio += 10
			}
		}
		for _, r := range model.DefaultRules() {
			if r.Direction == dir {
				r.Source = model.Source{Platform: "default rule", Resource: id}
				g.Rules = append(g.Rules, r)
			}
		}
	}
	d.add(g)
}

// side draws the addresses of one side of a rule.
func (d *draft) side() model.AddressMatch {
	switch {
	case d.has(WithASGs) && len(d.asgs) > 0 && d.one(4):
		m := model.AddressMatch{ASGs: []model.ID{choose(d, d.asgs...)}}
		if d.has(WithRaw) && d.one(4) { // Azure refuses both on one side (AZ-NSG-04)
			m.Prefixes = []netip.Prefix{d.prefix()}
		}
		return m
	case d.has(WithTags) && d.one(4):
		tags := append(serviceTags(), "AzurePlatformDNS", "AzurePlatformIMDS", "AzurePlatformLKM")
		return model.AddressMatch{Tags: []string{choose(d, tags...)}}
	}
	switch d.IntN(6) {
	case 0, 1:
		return model.AddressMatch{Any: true}
	case 2:
		return model.AddressMatch{Tags: []string{choose(d, "VirtualNetwork", "VirtualNetwork", "Internet", "AzureLoadBalancer")}}
	case 3:
		return model.AddressMatch{Prefixes: []netip.Prefix{d.prefix(), d.prefix()}}
	default:
		return model.AddressMatch{Prefixes: []netip.Prefix{d.prefix()}}
	}
}

// Tiny draws an estate of sixteen addresses, two VNets of one subnet each, small enough to try every packet.
func Tiny(rnd *rand.Rand) Draft {
	d := &draft{Rand: rnd, taken: map[netip.Addr]bool{}}
	for i := range 2 {
		r := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(8 * i)}), 29)
		v := &model.VNet{Meta: d.meta(networkID("virtualNetworks", d.name("v", i))), Prefixes: []netip.Prefix{r}}
		d.vnets = append(d.vnets, v)
		d.add(v)
	}
	d.peerings()
	for i := range 2 {
		d.nsgs = append(d.nsgs, networkID("networkSecurityGroups", d.name("n", i)))
	}
	t := &model.RouteTable{Meta: d.meta(networkID("routeTables", "t"))}
	d.tables = append(d.tables, t)
	d.add(t)
	for _, v := range d.vnets {
		d.subnet(v, 0)
	}
	for i := 0; i < 3 || len(d.nics) == 0; i++ {
		d.nic(i)
	}
	d.routes(t)
	for _, id := range d.nsgs {
		d.nsg(id)
	}
	return d.Draft
}
