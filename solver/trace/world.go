package trace

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// world is the estate with the look-ups that the walk needs.
type world struct {
	e       *model.Estate
	symbols *model.Symbols
	tags    *model.ServiceTags
	strict  bool
	all     bool
	details bool
	allows  func(Hop) bool

	attached  []*attachment // connections of virtual hubs, listed when first asked for
	firewalls map[*model.Firewall]firewallRules
	tables    map[tableKey][]route   // as read so far
	views     map[viewKey]*view      // likewise
	holders   map[netip.Addr][]*host // NICs by address, without more; listed when first asked for

	trustMesh bool
}

func newWorld(e *model.Estate, o Options) *world {
	if e == nil {
		e, _ = model.NewEstate(nil, nil) // no error: nothing to contradict
	}
	return &world{e: e, symbols: e.Symbols(), tags: o.Tags, strict: o.Strict, all: o.All, allows: o.Allows, details: o.Details, trustMesh: o.TrustMesh, firewalls: map[*model.Firewall]firewallRules{}}
}

func same(a, b model.ID) bool { return a != "" && a.Is(b) }

func contains(list []model.ID, id model.ID) bool {
	return slices.ContainsFunc(list, func(x model.ID) bool { return same(x, id) })
}

// vnetOf is the VNet of a subnet ID, and the VNet's ID also where the input lacks it.
func (w *world) vnetOf(subnet model.ID) (*model.VNet, model.ID) {
	id := subnet.Parent()
	if s, ok := model.Get[*model.Subnet](w.e, subnet); ok && s.VNet != "" {
		id = s.VNet
	}
	v, _ := model.Get[*model.VNet](w.e, id)
	return v, id
}

// subnetsOf lists the subnets of a VNet.
func (w *world) subnetsOf(v *model.VNet) []*model.Subnet {
	var out []*model.Subnet
	for _, s := range w.e.Subnets {
		if same(s.VNet, v.ID) {
			out = append(out, s)
		}
	}
	return out
}

// inVNet reports whether a subnet ID lies in a VNet.
func (w *world) inVNet(subnet model.ID, v *model.VNet) bool {
	_, id := w.vnetOf(subnet)
	return v != nil && same(id, v.ID)
}

// config finds an IP configuration of a NIC.
func (w *world) config(nic model.ID, name string) (*model.NIC, *model.IPConfig) {
	n, ok := model.Get[*model.NIC](w.e, nic)
	if !ok {
		return nil, nil
	}
	for i := range n.IPConfigs {
		if fold(n.IPConfigs[i].Name, name) {
			return n, &n.IPConfigs[i]
		}
	}
	return n, nil
}

// configByID finds an IP configuration by its resource ID, NIC/ipConfigurations/NAME.
func (w *world) configByID(id model.ID) (*model.NIC, *model.IPConfig) {
	return w.config(id.Parent(), id.Name())
}

// frontend finds a load balancer's frontend by its ID.
func (w *world) frontend(id model.ID) (*model.LoadBalancer, *model.LBFrontend) {
	for _, lb := range w.e.LoadBalancers {
		for i := range lb.Frontends {
			if same(lb.Frontends[i].ID, id) {
				return lb, &lb.Frontends[i]
			}
		}
	}
	return nil, nil
}

// configAddress is an IP configuration's address, or its symbol.
func (w *world) configAddress(n *model.NIC, c *model.IPConfig) netip.Addr {
	if c.Address.IsValid() {
		return c.Address.Unmap()
	}
	a, _ := w.symbols.Of(model.ConfigAddress, n.ID, c.Name)
	return a
}

func (w *world) frontendAddress(f *model.LBFrontend) netip.Addr {
	if f.Address.IsValid() {
		return f.Address.Unmap()
	}
	a, _ := w.symbols.Of(model.FrontendAddress, f.ID, "")
	return a
}

func (w *world) firewallAddress(f *model.Firewall) netip.Addr {
	if f.Address.IsValid() {
		return f.Address.Unmap()
	}
	a, _ := w.symbols.Of(model.FirewallAddress, f.ID, "")
	return a
}

func (w *world) gatewayAddress(g *model.AppGateway, f *model.AGWFrontend) netip.Addr {
	if f.Address.IsValid() {
		return f.Address.Unmap()
	}
	a, _ := w.symbols.Of(model.GatewayAddress, g.ID, f.Name)
	return a
}

// endpointAddresses are a private endpoint's addresses, or its symbol.
func (w *world) endpointAddresses(p *model.PrivateEndpoint) []netip.Addr {
	if len(p.Addresses) == 0 {
		a, ok := w.symbols.Of(model.EndpointAddress, p.ID, "")
		if !ok {
			return nil
		}
		return []netip.Addr{a}
	}
	out := make([]netip.Addr, len(p.Addresses))
	for i, a := range p.Addresses {
		out[i] = a.Unmap()
	}
	return out
}

// publicAddress is the address or symbol of a public IP resource; invalid where the input lacks it.
func (w *world) publicAddress(id model.ID) netip.Addr {
	p, ok := model.Get[*model.PublicIP](w.e, id)
	if !ok {
		return netip.Addr{}
	}
	if p.Address.IsValid() {
		return p.Address.Unmap()
	}
	a, _ := w.symbols.Of(model.PublicAddress, p.ID, "")
	return a
}

// publicIPAt finds the public IP resources of an address.
func (w *world) publicIPAt(a netip.Addr) []*model.PublicIP {
	var out []*model.PublicIP
	for _, p := range w.e.PublicIPs {
		if b := w.publicAddress(p.ID); b.IsValid() && b == a {
			out = append(out, p)
		}
	}
	return out
}

// heldIn lists the addresses of a subnet that the input gives to something.
func (w *world) heldIn(s *model.Subnet) []netip.Addr {
	var out []netip.Addr
	add := func(subnet model.ID, a netip.Addr) {
		if same(subnet, s.ID) && a.IsValid() {
			out = append(out, a.Unmap())
		}
	}
	for _, n := range w.e.NICs {
		for _, c := range n.IPConfigs {
			add(c.Subnet, c.Address)
		}
	}
	for _, p := range w.e.Endpoints {
		for _, a := range p.Addresses {
			add(p.Subnet, a)
		}
	}
	for _, lb := range w.e.LoadBalancers {
		for _, f := range lb.Frontends {
			add(f.Subnet, f.Address)
		}
	}
	for _, f := range w.e.Firewalls {
		add(f.Subnet, f.Address)
	}
	for _, g := range w.e.AppGateways {
		for _, f := range g.Frontends {
			add(f.Subnet, f.Address)
		}
	}
	for _, a := range w.e.APIMs {
		for _, x := range a.Sites {
			for _, p := range x.PrivateIPs {
				if a.Injected() {
					add(x.Subnet, p)
				}
			}
		}
	}
	_, v := w.e.SubnetOf(s.ID)
	for _, k := range w.e.KubeServices { // K8S-SVC-11
		for _, f := range w.e.FrontendsOf(k) {
			if !f.Public && v != nil && w.inFrontendVNet(k, v) && !w.isSymbol(f.Addr) {
				add(s.ID, f.Addr)
			}
		}
	}
	for _, wl := range w.e.Workloads { // K8S-AZ-02
		if wl.HostNetwork {
			continue
		}
		c := w.clusterOf(wl.Cluster)
		for i := range c.Pools {
			pool := &c.Pools[i]
			for _, a := range wl.Addresses {
				switch networkOf(c, pool) {
				case podSubnet:
					add(pool.PodSubnet, a)
				case nodeSubnet:
					add(pool.Subnet, a)
				default:
				}
			}
		}
	}
	return out
}

// special says what AZ-NSG-20 says of a subnet's name.
type special uint8

const (
	ordinary special = iota
	gatewaySubnet
	bastionSubnet
	firewallSubnet
	routeServerSubnet
)

func subnetKind(s *model.Subnet) special {
	if s == nil {
		return ordinary
	}
	switch strings.ToLower(s.Name()) {
	case "gatewaysubnet":
		return gatewaySubnet
	case "azurebastionsubnet":
		return bastionSubnet
	case "azurefirewallsubnet", "azurefirewallmanagementsubnet":
		return firewallSubnet
	case "routeserversubnet":
		return routeServerSubnet
	default:
		return ordinary
	}
}

// host is something with an address in a subnet: what the stages of AZ-GEN-06 act on.
type host struct {
	place    model.Place
	subnetID model.ID
	subnet   *model.Subnet // nil: the input lacks it
	vnet     *model.VNet   // nil: the input lacks it
	nsg      model.ID      // of the NIC
	asgs     []model.ID
	nic      *model.NIC
	config   *model.IPConfig // of the NIC or the scale set's profile
	scaleSet *model.ScaleSet
	profile  *model.NICProfile
	ofPod    bool // the configuration is of a pod in a pod subnet, not the node's own (AKS-NET-04)
	endpoint *model.PrivateEndpoint
	cluster  *model.Cluster // an AKS node of pool
	pool     *model.NodePool
	addr     address
}

// hostIn is a host of a subnet without more.
func (w *world) hostIn(place model.Place, subnet model.ID) *host {
	h := &host{place: place, subnetID: subnet}
	h.subnet, _ = w.e.SubnetOf(subnet)
	h.vnet, _ = w.vnetOf(subnet)
	return h
}

// nicHost is the host of an IP configuration.
func (w *world) nicHost(n *model.NIC, c *model.IPConfig) *host {
	h := w.hostIn(model.Place{Kind: model.PlaceNIC, ID: n.ID, Part: c.Name}, c.Subnet)
	h.nsg, h.asgs, h.nic, h.config = n.NSG, c.ASGs, n, c
	h.addr = w.address(w.configAddress(n, c))
	h.addr.holder = h
	return h
}

// scaleSetHost is any instance of a scale set (AZ-ASG-05), at one IP configuration of its profile.
func (w *world) scaleSetHost(s *model.ScaleSet, p *model.NICProfile, c *model.IPConfig) *host {
	h := w.hostIn(model.Place{Kind: model.PlaceScaleSet, ID: s.ID, Part: c.Name}, c.Subnet)
	h.nsg, h.asgs, h.scaleSet, h.profile, h.config = p.NSG, c.ASGs, s, p, c
	if cl, pool := w.poolOf(s); cl != nil {
		h.cluster, h.pool = cl, pool
	}
	free := w.unheld(c.Subnet)
	h.addr = pickedOf(address{at: first(free), may: free, holder: h})
	return h
}

// full reports a subnet of which every address is held: no instance can stand there (AZ-GEN-07).
func (w *world) full(subnet model.ID) bool {
	s, _ := w.e.SubnetOf(subnet)
	return s != nil && emptySet(without(usable(s), w.heldIn(s)...))
}

// endpointHost is a private endpoint (AZ-PE-01).
func (w *world) endpointHost(p *model.PrivateEndpoint) *host {
	h := w.hostIn(model.Place{Kind: model.PlaceEndpoint, ID: p.ID}, p.Subnet)
	h.asgs, h.endpoint = p.ASGs, p
	return h
}

// nicHosts lists the IP configurations of NICs, private endpoints' NICs left out.
func (w *world) nicHosts(keep func(*model.NIC, *model.IPConfig) bool) []*host {
	var out []*host
	for _, n := range w.e.NICs {
		for i := range n.IPConfigs {
			if c := &n.IPConfigs[i]; keep(n, c) && !w.ofEndpoint(n) {
				out = append(out, w.nicHost(n, c))
			}
		}
	}
	return out
}

// nicsAt lists the IP configurations of NICs with an address, in any network.
func (w *world) nicsAt(a netip.Addr) []*host {
	if w.holders == nil {
		w.holders = map[netip.Addr][]*host{}
		for _, n := range w.e.NICs {
			for i := range n.IPConfigs {
				c := &n.IPConfigs[i]
				at := w.configAddress(n, c)
				w.holders[at] = append(w.holders[at], &host{nic: n, config: c})
			}
		}
	}
	var out []*host
	for _, h := range w.holders[a] {
		if !w.ofEndpoint(h.nic) {
			out = append(out, w.nicHost(h.nic, h.config))
		}
	}
	return out
}

// ofEndpoint reports the NIC of a private endpoint.
func (w *world) ofEndpoint(n *model.NIC) bool {
	return n.PrivateEndpoint != "" || slices.ContainsFunc(w.e.Endpoints, func(p *model.PrivateEndpoint) bool { return contains(p.NICs, n.ID) })
}

// scaleSetHosts lists the IP configurations of scale sets whose subnet has room for an instance.
func (w *world) scaleSetHosts(keep func(*model.ScaleSet, *model.IPConfig) bool) []*host {
	var out []*host
	for _, s := range w.e.ScaleSets {
		for i := range s.Profiles {
			p := &s.Profiles[i]
			for j := range p.IPConfigs {
				if c := &p.IPConfigs[j]; keep(s, c) && !w.full(c.Subnet) {
					out = append(out, w.scaleSetHost(s, p, c))
				}
			}
		}
	}
	return out
}

// classHosts are those that a free address of a subnet may belong to (AZ-GEN-07, AKS-NET-12): instances of scale sets, nodes of pools
// whose scale set the input lacks, and a VM to come, which may stand beside nodes.
func (w *world) classHosts(s *model.Subnet) []*host {
	out := w.scaleSetHosts(func(_ *model.ScaleSet, c *model.IPConfig) bool { return same(c.Subnet, s.ID) })
	for _, c := range w.e.Clusters {
		for i := range c.Pools {
			if p := &c.Pools[i]; same(p.Subnet, s.ID) && w.poolScaleSet(c, p) == nil {
				out = append(out, w.poolHost(c, p))
			}
		}
	}
	return append(out, w.hostIn(model.Place{Kind: model.PlaceSubnet, ID: s.ID}, s.ID))
}

// forwarding is enableIPForwarding of the host's NIC (AZ-RT-10).
func (h *host) forwarding() model.Setting {
	switch {
	case h.nic != nil:
		return h.nic.IPForwarding
	case h.profile != nil:
		return h.profile.IPForwarding
	default:
		return model.NotStated
	}
}

// owns reports whether the address is one of the host's own.
func (h *host) owns(w *world, a netip.Addr) bool {
	if h.nic == nil {
		return false
	}
	for i := range h.nic.IPConfigs {
		if w.configAddress(h.nic, &h.nic.IPConfigs[i]) == a {
			return true
		}
	}
	return false
}

// machine is every IP configuration by which the VM, or the instance of a scale set, that the host belongs to may send (AZ-RT-32).
func (w *world) machine(h *host) []*host {
	switch {
	case h.scaleSet != nil && h.cluster == nil:
		return w.scaleSetHosts(func(s *model.ScaleSet, _ *model.IPConfig) bool { return same(s.ID, h.scaleSet.ID) })
	case h.nic != nil:
		return w.nicHosts(func(n *model.NIC, _ *model.IPConfig) bool {
			return same(n.ID, h.nic.ID) || same(n.VM, h.nic.VM)
		})
	default:
		return []*host{h}
	}
}

// sameMachine reports hosts of one VM, or of one scale set, whose instances nobody tells apart.
func sameMachine(a, b *host) bool {
	switch {
	case a == nil || b == nil:
		return false
	case a.nic != nil && b.nic != nil:
		return same(a.nic.ID, b.nic.ID) || same(a.nic.VM, b.nic.VM)
	case a.scaleSet != nil && b.scaleSet != nil:
		return same(a.scaleSet.ID, b.scaleSet.ID)
	default:
		return a.place.Key() == b.place.Key()
	}
}
