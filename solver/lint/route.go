package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// routeRule names a user route as people write it.
func (r *reader) routeRule(t *model.RouteTable, u *model.UserRoute) string {
	return r.rule("routes", t.ID, u.Name)
}

// hop writes where a route leads into a sentence.
func hop(u *model.UserRoute) string {
	if u.NextHop == model.HopAppliance {
		return u.Address.String()
	}
	return string(u.NextHop)
}

// gatewaysOf returns the gateways whose routes a VNet may have: its own, and those that a peer lends it (AZ-PEER-06).
func (r *reader) gatewaysOf(v *model.VNet) []*model.Gateway {
	homes := []model.ID{v.ID}
	for _, l := range r.links(v) {
		if l.up() && l.local.UseRemoteGateways == model.On && l.back.AllowGatewayTransit == model.On {
			homes = append(homes, l.remote.ID)
		}
	}
	var out []*model.Gateway
	for _, g := range r.e.Gateways {
		if slices.ContainsFunc(homes, func(id model.ID) bool { return id.Key() == g.Subnet.Parent().Key() }) {
			out = append(out, g)
		}
	}
	return out
}

// defaultRouteMissing: a subnet without the default route that its neighbours have goes to the internet by the system route, past the
// appliance (AZ-RT-01, AZ-OUT-01). Left out: subnets that Azure keeps for itself, subnets of application gateways (AZ-AGW-13),
// delegated ones, those of the appliances themselves, those that hold endpoints or frontends alone, and private ones without a way
// out (AZ-OUT-05).
func defaultRouteMissing(r *reader, found sink) {
	for _, v := range r.e.VNets {
		var sending []string
		var example *model.UserRoute
		for _, s := range r.subnetsOf(v) {
			if u, ok := r.defaultRoute(s, allV4()); ok && u != nil && u.NextHop == model.HopAppliance && kindOf(s) == ordinary {
				sending = append(sending, r.subnet(s))
				example = u
			}
		}
		if example == nil {
			continue
		}
		for _, s := range r.subnetsOf(v) {
			u, ok := r.defaultRoute(s, allV4())
			t := r.in(s.ID)
			silent := !t.machines() && len(t.endpoints)+t.frontends > 0
			if !ok || kindOf(s) != ordinary || len(s.Delegations) > 0 || len(t.gateways) > 0 || silent || u != nil && u.NextHop != model.HopInternet {
				continue
			}
			if within(example.Address, s.Prefixes) || t.forwards() {
				continue
			}
			var way string
			switch {
			case u != nil:
				way = "its own route sends 0.0.0.0/0 to the internet"
			case s.NATGateway != "":
				way = "it goes out by the NAT gateway " + s.NATGateway.Name()
			case s.DefaultOutbound == model.Off && !r.publicIn(s):
				continue
			case s.RouteTable == "":
				way = "it has no route table, and the system route leads to the internet"
			default:
				way = "its route table has no such route, and the system route leads to the internet"
			}
			found(fact{
				subject: r.subnet(s), origin: s.Source,
				text: fmt.Sprintf("%s %s 0.0.0.0/0 to %s; this subnet does not: %s, past the appliance.",
					join(sending), plural(len(sending), "sends", "send"), hop(example), way),
				remedy: "Associate a route table with a route 0.0.0.0/0 to the appliance.",
			})
		}
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// publicIn reports whether a machine in a subnet has a public address of its own.
func (r *reader) publicIn(s *model.Subnet) bool {
	t := r.in(s.ID)
	return slices.ContainsFunc(t.nics, func(n *model.NIC) bool {
		return slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return c.PublicIP != "" })
	}) || slices.ContainsFunc(t.pools, func(p pool) bool { return p.PublicIPs == model.On })
}

// ipv6DefaultRouteMissing: routing is per family, so a 0.0.0.0/0 route leaves ::/0 as it is (AZ-V6-03).
func ipv6DefaultRouteMissing(r *reader, found sink) {
	for _, s := range r.e.Subnets {
		if !dual(s) || kindOf(s) != ordinary {
			continue
		}
		u, ok := r.defaultRoute(s, allV4())
		six, _ := r.defaultRoute(s, allV6())
		if !ok || u == nil || u.NextHop != model.HopAppliance || six != nil {
			continue
		}
		t, _ := r.table(s)
		found(fact{
			subject: r.subnet(s), origin: u.Source,
			text: fmt.Sprintf("The subnet has IPv6 addresses, and %s sends 0.0.0.0/0 to %s, but no route covers ::/0: IPv6 goes to the internet directly.",
				r.routeRule(t, u), hop(u)),
			remedy: "Add a route ::/0 to an appliance that carries IPv6, or with next hop None.",
		})
	}
}

// diversion is what the routes of a table take away from system routes.
type diversion struct{ routes []model.UserRoute }

func diversionOf(t *model.RouteTable) diversion {
	var d diversion
	if t == nil {
		return d
	}
	for _, u := range t.Routes {
		if u.Prefix.IsValid() && (u.NextHop == model.HopAppliance || u.NextHop == model.HopNone) {
			d.routes = append(d.routes, u)
		}
	}
	return d
}

// leaves returns those of some prefixes that no route takes away from the system route for a range: only a route that is at least as
// long as the range's wins over it (AZ-RT-19, AZ-RT-23).
func (d diversion) leaves(rng netip.Prefix, of []netip.Prefix) []netip.Prefix {
	var b netipx.IPSetBuilder
	for _, u := range d.routes {
		if u.Prefix.Bits() >= rng.Bits() && u.Prefix.Overlaps(rng) {
			b.AddPrefix(u.Prefix)
		}
	}
	set, err := b.IPSet()
	if err != nil {
		return nil // INVARIANT: valid prefixes make a set
	}
	var out []netip.Prefix
	for _, p := range of {
		if p.Overlaps(rng) && !set.ContainsPrefix(p) {
			out = append(out, p)
		}
	}
	return out
}

// targets returns what of a VNet's range is in use: its subnets, or the range where none is known.
func (r *reader) targets(v *model.VNet, rng netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range r.subnetsOf(v) {
		for _, p := range s.Prefixes {
			if p.Overlaps(rng) {
				out = append(out, p)
			}
		}
	}
	if len(out) == 0 {
		return []netip.Prefix{rng}
	}
	return out
}

// routeSupernet: a route to an appliance for a range that holds a peer's does not take the peer's traffic, because the peering's route
// is longer (AZ-RT-23). The peer that holds the appliance counts only if it has machines or endpoints beside it.
func routeSupernet(r *reader, found sink) {
	seen := map[string]bool{}
	for _, s := range r.e.Subnets {
		t, ok := r.table(s)
		v, inVNet := vnetOf(r, s)
		if t == nil || !ok || !inVNet || kindOf(s) != ordinary {
			continue
		}
		d := diversionOf(t)
		for i := range t.Routes {
			u := &t.Routes[i]
			if !u.Prefix.IsValid() || u.NextHop != model.HopAppliance || u.Prefix.Bits() == 0 || seen[r.routeRule(t, u)] {
				continue
			}
			var missed []string
			for _, peer := range r.peers(v) {
				home := within(u.Address, peer.Prefixes)
				for _, rng := range peer.Prefixes {
					if u.Prefix.Bits() >= rng.Bits() || !u.Prefix.Contains(rng.Addr()) || home && !r.busy(peer) || len(d.leaves(rng, r.targets(peer, rng))) == 0 {
						continue
					}
					missed = append(missed, fmt.Sprintf("%s (%s)", rng, r.vnet(peer)))
				}
			}
			if len(missed) == 0 {
				continue
			}
			seen[r.routeRule(t, u)] = true
			found(fact{
				subject: r.routeRule(t, u), origin: u.Source,
				text: fmt.Sprintf("The route sends %s to %s, but not the traffic of %s to %s: the peering's own route is longer and wins.",
					u.Prefix, hop(u), r.subnet(s), join(missed)),
				remedy: "Add a route for each range of the peer, as long as the range or longer.",
			})
		}
	}
}

// busy reports whether a VNet holds machines or endpoints that do not forward for others.
func (r *reader) busy(v *model.VNet) bool {
	for _, s := range r.subnetsOf(v) {
		t := r.in(s.ID)
		if kindOf(s) != ordinary {
			continue
		}
		if len(t.endpoints)+len(t.sets)+len(t.pools)+len(t.gateways) > 0 ||
			slices.ContainsFunc(t.nics, func(n *model.NIC) bool { return n.IPForwarding != model.On }) {
			return true
		}
	}
	return false
}

// readHolders notes who has which address of which VNet: VNets that are not peered may use the same ones.
func (r *reader) readHolders() {
	hold := func(subnet model.ID, a netip.Addr, nics ...*model.NIC) {
		vnet := subnet.Parent().Key()
		if !a.IsValid() {
			if s, ok := model.Get[*model.Subnet](r.e, subnet); ok {
				r.unnamed[vnet] = append(r.unnamed[vnet], s.Prefixes...)
			}
			return
		}
		if r.held[vnet] == nil {
			r.held[vnet] = map[netip.Addr][]*model.NIC{}
		}
		if _, taken := r.held[vnet][a]; !taken {
			r.held[vnet][a] = nics
		}
	}
	for _, f := range r.e.Firewalls {
		hold(f.Subnet, f.Address)
	}
	for _, lb := range r.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if f.Subnet != "" {
				hold(f.Subnet, f.Address, r.poolNICs(lb, f.ID)...)
			}
		}
	}
	for _, n := range r.e.NICs {
		for _, c := range n.IPConfigs {
			hold(c.Subnet, c.Address, n)
		}
	}
	for _, s := range r.e.Subnets {
		// Instances of scale sets and nodes of clusters have addresses that the input need not list (AKS-NET-05, AKS-NET-12).
		if t := r.in(s.ID); len(t.sets)+len(t.pools) > 0 {
			r.unnamed[s.VNet.Key()] = append(r.unnamed[s.VNet.Key()], s.Prefixes...)
		}
	}
}

// holderIn reports whether something has an address of a VNet, and the interfaces that answer for it; a firewall has none that the user
// sees. maybe is set where something without a stated address may have it.
func (r *reader) holderIn(v *model.VNet, a netip.Addr) (nics []*model.NIC, ok, maybe bool) {
	if nics, ok := r.held[v.ID.Key()][a]; ok {
		return nics, true, false
	}
	return nil, false, within(a, r.unnamed[v.ID.Key()])
}

// poolNICs returns the interfaces behind a frontend of a load balancer.
func (r *reader) poolNICs(lb *model.LoadBalancer, frontend model.ID) []*model.NIC {
	var out []*model.NIC
	for _, rule := range lb.Rules {
		if rule.Frontend.Key() != frontend.Key() {
			continue
		}
		for _, p := range lb.Pools {
			if !slices.ContainsFunc(rule.Pools, func(id model.ID) bool { return id.Key() == p.ID.Key() }) {
				continue
			}
			for _, id := range p.IPConfigs {
				if n, ok := model.Get[*model.NIC](r.e, id.Parent()); ok && !slices.Contains(out, n) {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

// steer is a route to an appliance that is in use, with the first subnet of a VNet that uses it.
type steer struct {
	table  *model.RouteTable
	route  *model.UserRoute
	subnet *model.Subnet
	vnet   *model.VNet
}

// readSteers lists the routes to appliances of every table that is in use, once for each VNet.
func (r *reader) readSteers() {
	seen := map[string]bool{}
	for _, s := range r.e.Subnets {
		t, ok := r.table(s)
		v, inVNet := vnetOf(r, s)
		if t == nil || !ok || !inVNet || !known(v) || seen[t.ID.Key()+" "+v.ID.Key()] {
			continue
		}
		seen[t.ID.Key()+" "+v.ID.Key()] = true
		for i := range t.Routes {
			if u := &t.Routes[i]; u.NextHop == model.HopAppliance && u.Address.IsValid() {
				r.steers = append(r.steers, steer{t, u, s, v})
			}
		}
	}
}

// nextHopUnresolved: the address of an appliance must be held by an interface or an internal frontend in the VNet or a directly peered
// one; otherwise the route is invalid (AZ-RT-08).
func nextHopUnresolved(r *reader, found sink) {
	for _, d := range r.steers {
		why, unknown := r.unheld(d)
		if why == "" || unknown {
			continue
		}
		found(fact{
			subject: r.routeRule(d.table, d.route), origin: d.route.Source,
			text: fmt.Sprintf("The route sends %s of %s to %s, but %s: who forwards the traffic, if anyone, is not known.",
				routeTarget(d.route), r.subnet(d.subnet), d.route.Address, why),
			remedy: "Correct the address, or export the appliance that has it.",
		})
	}
}

// unheld says why nothing has the address of a next hop; it says nothing where something has it. unknown is set where the input does not
// tell.
func (r *reader) unheld(d steer) (why string, unknown bool) {
	a := d.route.Address
	for _, l := range r.links(d.vnet) {
		if l.remote == nil && (len(l.local.RemotePrefixes) == 0 || within(a, l.local.RemotePrefixes)) {
			return "", true // it may be in a VNet that the input lacks
		}
	}
	why = "no VNet that the subnet reaches directly, its own or a peered one, has this address"
	for _, near := range append([]*model.VNet{d.vnet}, r.peers(d.vnet)...) {
		if !within(a, near.Prefixes) {
			continue
		}
		switch _, ok, maybe := r.holderIn(near, a); {
		case ok:
			return "", false
		case maybe:
			return "", true
		}
		why = fmt.Sprintf("it lies in %s, and nothing in the input has it", r.vnet(near))
	}
	return why, false
}

func routeTarget(u *model.UserRoute) string {
	if u.Tag != "" {
		return "tag " + u.Tag
	}
	return u.Prefix.String()
}

// nextHopNotForwarding: without IP forwarding, Azure drops what is not addressed to the interface itself (AZ-RT-10).
func nextHopNotForwarding(r *reader, found sink) {
	for _, d := range r.steers {
		var off []string
		for _, near := range append([]*model.VNet{d.vnet}, r.peers(d.vnet)...) {
			nics, ok, _ := r.holderIn(near, d.route.Address)
			if !ok {
				continue
			}
			for _, n := range nics {
				if n.IPForwarding == model.Off {
					off = append(off, r.refs.Of(model.SelNIC, n))
				}
			}
			break
		}
		if len(off) == 0 {
			continue
		}
		found(fact{
			subject: r.routeRule(d.table, d.route), origin: d.route.Source,
			text: fmt.Sprintf("The route sends %s to %s, where %s %s no IP forwarding: Azure drops what is routed through.",
				routeTarget(d.route), d.route.Address, join(off), plural(len(off), "has", "have")),
			remedy: "Set enableIPForwarding on the interface and let the machine forward, or correct the route.",
		})
	}
}

// gatewayRouteMissing: the table of GatewaySubnet decides over what comes from on-prem; a spoke without a route of its own there, as
// long as its range, is reached by the peering, past the firewall (AZ-RT-30).
func gatewayRouteMissing(r *reader, found sink) {
	for _, s := range r.e.Subnets {
		hub, ok := vnetOf(r, s)
		t, inInput := r.table(s)
		if kindOf(s) != gatewaySubnet || !ok || !known(hub) || !inInput || !slices.ContainsFunc(r.e.Gateways, func(g *model.Gateway) bool { return g.Subnet.Key() == s.ID.Key() }) {
			continue
		}
		walls := r.firewallsIn(hub)
		if len(walls) == 0 {
			continue
		}
		d := diversionOf(t)
		inspects := slices.ContainsFunc(d.routes, func(u model.UserRoute) bool { return r.reached(&u) != nil })
		for _, l := range r.links(hub) {
			if !l.up() || l.local.AllowGatewayTransit != model.On || l.back.UseRemoteGateways != model.On || !inspects && !r.uses(l.remote, walls) {
				continue
			}
			var open []string
			for _, rng := range l.remote.Prefixes {
				if left := d.leaves(rng, r.targets(l.remote, rng)); len(left) > 0 {
					open = append(open, model.PrefixTexts(left)...)
				}
			}
			if len(open) == 0 {
				continue
			}
			table := "has no route table"
			origin := s.Source
			if t != nil {
				table, origin = "has no route in "+r.rule("routes", t.ID)+" that is as long as the peering's", t.Source
			}
			found(fact{
				subject: r.subnet(s), origin: origin,
				text: fmt.Sprintf("%s is reached through the gateway, and GatewaySubnet %s: what comes from on-prem to %s does not meet %s.",
					r.vnet(l.remote), table, join(open), r.refs.Of(model.SelFirewall, walls[0])),
				remedy: "Add a route for each range of the spoke to the route table of GatewaySubnet, with the firewall as next hop.",
			})
		}
	}
}

// uses reports whether a subnet of a VNet sends anything to one of some firewalls.
func (r *reader) uses(v *model.VNet, walls []*model.Firewall) bool {
	for _, s := range r.subnetsOf(v) {
		t, _ := r.table(s)
		if t == nil {
			continue
		}
		for i := range t.Routes {
			if f := r.reached(&t.Routes[i]); f != nil && slices.Contains(walls, f) {
				return true
			}
		}
	}
	return false
}

// routeUnsupported: routes where Azure supports none, or not these (AZ-NSG-20, AZ-RT-26, AZ-BAS-03, AZ-AGW-13).
func routeUnsupported(r *reader, found sink) {
	for _, s := range r.e.Subnets {
		t, ok := r.table(s)
		if !ok || t == nil {
			continue
		}
		report := func(origin model.Source, text, remedy string) {
			found(fact{subject: r.subnet(s), origin: origin, text: text, remedy: remedy})
		}
		u, _ := r.defaultRoute(s, allV4())
		switch kindOf(s) {
		case gatewaySubnet:
			if u != nil {
				report(u.Source, fmt.Sprintf("%s gives GatewaySubnet a route for 0.0.0.0/0, which Azure does not support there.", r.routeRule(t, u)),
					"Remove the route; steer single ranges instead.")
			}
			if t.DisableBGP == model.On {
				report(t.Source, fmt.Sprintf("%s switches gateway routes off on GatewaySubnet: the gateway stops working.", r.rule("routes", t.ID)),
					"Set disableBgpRoutePropagation to false on this table.")
			}
		case bastionSubnet, routeServerSubnet:
			if len(t.Routes) > 0 {
				report(t.Source, fmt.Sprintf("%s has a route table, which Azure does not support there: its routes steer nothing.", s.Name()), "Dissociate the route table.")
			}
		case ordinary:
			for _, g := range r.in(s.ID).gateways {
				v2 := strings.HasSuffix(strings.ToLower(g.Tier), "_v2")
				public := slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.PublicIP != "" })
				if u == nil || !v2 || !public || u.NextHop == model.HopInternet { // AZ-AGW-14: a private deployment may
					continue
				}
				report(u.Source, fmt.Sprintf("%s sends 0.0.0.0/0 of the subnet of %s to %s, which a v2 gateway with a public frontend does not support: its control plane and its replies fail.",
					r.routeRule(t, u), r.refs.Of(model.SelAppGateway, g), hop(u)), "Remove the route, or give it the next hop Internet.")
			}
		case firewallSubnet:
		}
	}
}
