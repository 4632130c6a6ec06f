package lint

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
)

// reader looks up what the checks ask of a project. It is built once and never changed.
type reader struct {
	p    *model.Project
	e    *model.Estate
	refs *model.Refs

	names   map[string]int             // how many resources bear a rule set's name
	holds   map[string]*tenants        // what a subnet holds, by the subnet's key
	members map[string]bool            // ASGs that something is in
	guarded map[string][]string        // what an NSG guards, by its key
	behind  map[string][]*model.Subnet // the subnets that an NSG is attached to, by its key
	worn    map[string][]*model.NIC    // the interfaces that an NSG is attached to, by its key
	fog     map[string]bool            // resources that something which was not understood may change
	joined  map[string][]link          // the peerings of a VNet, by its key
	steers  []steer                    // the routes to appliances
	floats  map[string]bool            // subnets with members behind a load balancer that keeps its address in the packet
	only    map[string]bool            // the NSGs whose rules are compared, by key; nil: all (CheckBoth)
	book    *dataplane.Rulebook        // rules by themselves; made when first asked for
	judged  *comparison                // the rules of NSGs against each other; made when first asked for
	routes  *dataplane.Routebook       // effective route tables
	tables  map[string][]dataplane.Way // those that are asked for, by the subnet's key

	held    map[string]map[netip.Addr][]*model.NIC // who has an address of a VNet, by the VNet's key
	unnamed map[string][]netip.Prefix              // subnets of a VNet in which something has an address that the input does not state
}

// tenants is what a subnet holds.
type tenants struct {
	nics      []*model.NIC // but those of private endpoints
	sets      []*model.ScaleSet
	pools     []pool
	endpoints []*model.PrivateEndpoint
	frontends int // internal frontends of load balancers
	gateways  []*model.AppGateway
}

// pool is a node pool with its cluster.
type pool struct {
	cluster *model.Cluster
	*model.NodePool
}

// machines reports whether a subnet holds something that may open connections. A private endpoint never does (AZ-PE-01), a frontend
// is only an address.
func (t *tenants) machines() bool {
	return len(t.nics) > 0 || len(t.sets) > 0 || len(t.pools) > 0 || len(t.gateways) > 0
}

// forwards reports whether a subnet holds nothing but machines that forward for others: appliances (AZ-RT-10).
func (t *tenants) forwards() bool {
	if len(t.nics)+len(t.sets) == 0 || len(t.pools)+len(t.gateways) > 0 {
		return false
	}
	return !slices.ContainsFunc(t.nics, func(n *model.NIC) bool { return n.IPForwarding != model.On }) &&
		!slices.ContainsFunc(t.sets, func(s *model.ScaleSet) bool {
			return s.Managed || slices.ContainsFunc(s.Profiles, func(p model.NICProfile) bool { return p.IPForwarding != model.On })
		})
}

func newReader(p *model.Project) *reader {
	e := p.Estate
	r := &reader{
		p: p, e: e, refs: model.NewRefs(e), names: map[string]int{}, holds: map[string]*tenants{}, members: map[string]bool{},
		guarded: map[string][]string{}, behind: map[string][]*model.Subnet{}, worn: map[string][]*model.NIC{}, fog: map[string]bool{}, joined: map[string][]link{},
		held: map[string]map[netip.Addr][]*model.NIC{}, unnamed: map[string][]netip.Prefix{}, floats: map[string]bool{},
		routes: dataplane.NewRoutebook(e, p.Tags), tables: map[string][]dataplane.Way{},
	}
	r.countNames()
	r.fillSubnets()
	for _, v := range e.VNets {
		r.joined[v.ID.Key()] = r.linksOf(v)
	}
	r.readHolders()
	r.readSteers()
	r.readFloats()
	r.readGuards()
	for _, entry := range e.Ledger {
		if entry.Disposition != model.Unsupported {
			continue
		}
		for _, id := range append(slices.Clone(entry.Affects), entry.Resource) {
			r.fog[id.Key()] = true
		}
	}
	return r
}

// in returns what a subnet holds.
func (r *reader) in(subnet model.ID) *tenants {
	if t, ok := r.holds[subnet.Key()]; ok {
		return t
	}
	return &tenants{}
}

func (r *reader) fillSubnets() {
	at := func(subnet model.ID) *tenants {
		t := r.holds[subnet.Key()]
		if t == nil {
			t = &tenants{}
			r.holds[subnet.Key()] = t
		}
		return t
	}
	belong := func(groups []model.ID) {
		for _, g := range groups {
			r.members[g.Key()] = true
		}
	}
	for _, n := range r.e.NICs {
		for _, c := range n.IPConfigs {
			belong(c.ASGs)
			if t := at(c.Subnet); n.PrivateEndpoint == "" && !slices.Contains(t.nics, n) {
				t.nics = append(t.nics, n)
			}
		}
	}
	for _, s := range r.e.ScaleSets {
		for _, profile := range s.Profiles {
			for _, c := range profile.IPConfigs {
				belong(c.ASGs)
				if t := at(c.Subnet); !slices.Contains(t.sets, s) {
					t.sets = append(t.sets, s)
				}
			}
		}
	}
	for _, c := range r.e.Clusters {
		for i := range c.Pools {
			p := pool{c, &c.Pools[i]}
			belong(p.ASGs)
			for _, id := range []model.ID{p.Subnet, p.PodSubnet} {
				if id != "" {
					t := at(id)
					t.pools = append(t.pools, p)
				}
			}
		}
	}
	for _, ep := range r.e.Endpoints {
		belong(ep.ASGs)
		t := at(ep.Subnet)
		t.endpoints = append(t.endpoints, ep)
	}
	for _, lb := range r.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if f.Subnet != "" {
				at(f.Subnet).frontends++
			}
		}
	}
	for _, g := range r.e.AppGateways {
		for _, id := range g.Subnets {
			t := at(id)
			t.gateways = append(t.gateways, g)
		}
	}
}

// readGuards notes what each NSG is attached to (AZ-NSG-10).
func (r *reader) readGuards() {
	guard := func(nsg model.ID, what string) {
		if key := nsg.Key(); nsg != "" && !slices.Contains(r.guarded[key], what) {
			r.guarded[key] = append(r.guarded[key], what)
		}
	}
	for _, s := range r.e.Subnets {
		guard(s.NSG, r.subnet(s))
		r.behind[s.NSG.Key()] = append(r.behind[s.NSG.Key()], s)
	}
	for _, n := range r.e.NICs {
		guard(n.NSG, r.refs.Of(model.SelNIC, n))
		if n.NSG != "" {
			r.worn[n.NSG.Key()] = append(r.worn[n.NSG.Key()], n)
		}
	}
	for _, s := range r.e.ScaleSets {
		for _, profile := range s.Profiles {
			guard(profile.NSG, r.refs.Of(model.SelVM, s))
		}
	}
}

func (r *reader) countNames() {
	countNames(r, "nsg", r.e.NSGs)
	countNames(r, "routes", r.e.RouteTables)
	countNames(r, "firewall", r.e.Firewalls)
	countNames(r, "firewall", r.e.Policies)
	countNames(r, "waf", r.e.WAFPolicies)
	countNames(r, "ipgroup", r.e.IPGroups)
	countNames(r, "publicip", r.e.PublicIPs)
	countNames(r, "zone", r.e.DNSZones)
	countNames(r, "jit", r.e.JITPolicies)
	for _, s := range r.e.Services {
		countNames(r, s.Kind.RuleSet(), []*model.Service{s})
	}
}

func countNames[T model.Resource](r *reader, kind string, list []T) {
	for _, x := range list {
		r.names[kind+":"+strings.ToLower(x.ResourceID().Name())]++
	}
}

// rule names a rule set, or a rule in it: `nsg:nsg-jump/AllowRdp`. The resource group comes first where the name alone is ambiguous.
func (r *reader) rule(kind string, id model.ID, parts ...string) string {
	list := append([]string{id.Name()}, parts...)
	if r.names[kind+":"+strings.ToLower(id.Name())] > 1 {
		list = append([]string{id.ResourceGroup()}, list...)
	}
	return kind + ":" + strings.Join(list, "/")
}

func (r *reader) subnet(s *model.Subnet) string { return r.refs.Of(model.SelSubnet, s) }
func (r *reader) vnet(v *model.VNet) string     { return r.refs.Of(model.SelVNet, v) }

// foggy reports whether something that was not understood may change a resource.
func (r *reader) foggy(id model.ID) bool { return r.fog[id.Key()] }

// subnetKind is what a subnet's name makes of it (AZ-NSG-20).
type subnetKind uint8

const (
	ordinary subnetKind = iota
	gatewaySubnet
	firewallSubnet // the one of the firewall, or of its management
	bastionSubnet
	routeServerSubnet
)

func kindOf(s *model.Subnet) subnetKind {
	switch strings.ToLower(s.Name()) {
	case "gatewaysubnet":
		return gatewaySubnet
	case "azurefirewallsubnet", "azurefirewallmanagementsubnet":
		return firewallSubnet
	case "azurebastionsubnet":
		return bastionSubnet
	case "routeserversubnet":
		return routeServerSubnet
	default:
		return ordinary
	}
}

// subnetsOf returns the subnets of a VNet that are in the input.
func (r *reader) subnetsOf(v *model.VNet) []*model.Subnet {
	var out []*model.Subnet
	for _, id := range v.Subnets {
		if s, ok := model.Get[*model.Subnet](r.e, id); ok {
			out = append(out, s)
		}
	}
	return out
}

func vnetOf(r *reader, s *model.Subnet) (*model.VNet, bool) {
	return model.Get[*model.VNet](r.e, s.VNet)
}

// known is a VNet that the input describes, rather than only names.
func known(v *model.VNet) bool { return v != nil && !v.Partial }

// link is a peering as one VNet sees it.
type link struct {
	local  *model.Peering
	remote *model.VNet    // nil: not in the input, or only named there
	back   *model.Peering // the other side; nil: it has none
}

// links returns the peerings of a VNet.
func (r *reader) links(v *model.VNet) []link { return r.joined[v.ID.Key()] }

func (r *reader) linksOf(v *model.VNet) []link {
	var out []link
	for i := range v.Peerings {
		l := link{local: &v.Peerings[i]}
		if remote, ok := model.Get[*model.VNet](r.e, l.local.Remote); ok && known(remote) {
			l.remote = remote
			for j := range remote.Peerings {
				if remote.Peerings[j].Remote.Key() == v.ID.Key() {
					l.back = &remote.Peerings[j]
				}
			}
		}
		out = append(out, l)
	}
	return out
}

// up reports whether a peering carries traffic (AZ-PEER-01): both sides exist and neither says otherwise.
func (l link) up() bool {
	return l.remote != nil && l.back != nil && connected(l.local) && connected(l.back)
}

// connected reports whether one side is connected. A template has no state.
func connected(p *model.Peering) bool {
	return p.State == "" || strings.EqualFold(p.State, "Connected")
}

// peers returns the VNets that are peered with one, both sides in place.
func (r *reader) peers(v *model.VNet) []*model.VNet {
	var out []*model.VNet
	for _, l := range r.links(v) {
		if l.up() {
			out = append(out, l.remote)
		}
	}
	return out
}

// firewallsIn returns the firewalls in a VNet.
func (r *reader) firewallsIn(v *model.VNet) []*model.Firewall {
	var out []*model.Firewall
	for _, f := range r.e.Firewalls {
		if f.Subnet.Parent().Key() == v.ID.Key() {
			out = append(out, f)
		}
	}
	return out
}

// reached returns the firewall that a route leads to.
func (r *reader) reached(u *model.UserRoute) *model.Firewall {
	if u.NextHop != model.HopAppliance {
		return nil
	}
	for _, f := range r.e.Firewalls {
		if f.Address.IsValid() {
			if f.Address == u.Address {
				return f
			}
			continue
		}
		if s, ok := model.Get[*model.Subnet](r.e, f.Subnet); ok && within(u.Address, s.Prefixes) {
			return f // the firewall's address is not stated, and nothing else lives in its subnet
		}
	}
	return nil
}

// table returns a subnet's route table. ok is false where the input lacks the table that the subnet names.
func (r *reader) table(s *model.Subnet) (t *model.RouteTable, ok bool) {
	if s.RouteTable == "" {
		return nil, true
	}
	return model.Get[*model.RouteTable](r.e, s.RouteTable)
}

// defaultRoute returns the user route by which a subnet's default goes, for one family: all is 0.0.0.0/0 or ::/0. Two halves are as
// good as the whole. ok is false where the input does not tell.
func (r *reader) defaultRoute(s *model.Subnet, all netip.Prefix) (u *model.UserRoute, ok bool) {
	t, ok := r.table(s)
	if t == nil {
		return nil, ok
	}
	var halves []*model.UserRoute
	for i := range t.Routes {
		u := &t.Routes[i]
		if !u.Prefix.IsValid() || u.Prefix.Addr().Is4() != all.Addr().Is4() {
			continue
		}
		switch u.Prefix.Bits() {
		case 0:
			return u, true
		case 1:
			halves = append(halves, u)
		}
	}
	if len(halves) == 2 {
		return halves[0], true
	}
	return nil, true
}

func allV4() netip.Prefix { return netip.PrefixFrom(netip.IPv4Unspecified(), 0) }
func allV6() netip.Prefix { return netip.PrefixFrom(netip.IPv6Unspecified(), 0) }

// dual reports whether a subnet holds IPv6 addresses (AZ-V6-01).
func dual(s *model.Subnet) bool {
	return slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() })
}

// within reports whether an address lies in one of the prefixes.
func within(a netip.Addr, ps []netip.Prefix) bool {
	return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) })
}

// inside reports whether a prefix lies in one of the prefixes.
func inside(q netip.Prefix, ps []netip.Prefix) bool {
	return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Bits() <= q.Bits() && p.Contains(q.Addr()) })
}

// touches reports whether a prefix overlaps one of the prefixes.
func touches(q netip.Prefix, ps []netip.Prefix) bool {
	return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Overlaps(q) })
}
