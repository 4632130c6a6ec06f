package modeltest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// Kinds says which resources a random estate may hold beside VNets, subnets, NICs, NSGs, route tables and peerings.
type Kinds uint32

// The kinds, in the order in which an estate is easier to understand without them.
const (
	WithASGs         Kinds = 1 << iota // application security groups
	WithTags                           // service tags in rules and routes, with and without a published list
	WithPublic                         // public addresses, prefixes, NAT gateways
	WithEndpoints                      // private endpoints
	WithBalancers                      // load balancers
	WithGateways                       // VPN and ExpressRoute gateways and what lies behind them
	WithFirewalls                      // Azure Firewalls
	WithServices                       // PaaS services and service endpoints
	WithBastions                       // Bastion hosts
	WithPartial                        // dangling references, missing VNets, unsynced and subnet peerings, states that are not stated
	WithIPv6                           // dual-stack VNets
	WithInstances                      // scale sets and VMs of several NICs
	WithClusters                       // AKS clusters with workloads and network policies
	WithLedger                         // objects that nobody understands
	WithRaw                            // values that Azure refuses: equal priorities, odd protocols
	WithManagers                       // network managers, with what they deploy in every grade of evidence
	WithPolicies                       // policies of clusters beyond NetworkPolicy
	WithRouteServers                   // Route Servers and the appliances that advertise to them
	WithAppGateways                    // application gateways and WAF policies
	WithFrontDoors                     // Front Door profiles
	WithAPIMs                          // API Management
	WithWindows                        // Windows nodes in clusters
	WithHubs                           // a Virtual WAN with its hubs

	AllKinds = WithHubs<<1 - 1
)

// Draft is a random estate before it is built. The same source of numbers gives the same draft.
type Draft struct {
	Resources []model.Resource
	Ledger    []model.LedgerEntry
	Tags      *model.ServiceTags // nil where service tags come without their prefixes
}

// Estate builds the estate. Building writes into the resources, so that a draft is built once; see [Draft.Clone].
func (d Draft) Estate() (*model.Estate, error) { return model.NewEstate(d.Resources, d.Ledger) }

// Random draws an estate. It is small and crowded on purpose: subnets of eight addresses in VNets of thirty-two, a few ports, a few
// public addresses, so that rules, routes and translations meet. Its source is a plain number generator and not rapid's, because
// millions of estates are drawn: a seed finds any of them again.
func Random(rnd *rand.Rand, kinds Kinds) Draft {
	d := &draft{Rand: rnd, kinds: kinds, taken: map[netip.Addr]bool{}}
	d.network()
	return d.Draft
}

// draft is a draft in the making. Later resources refer to earlier ones by what stands here.
type draft struct {
	*rand.Rand
	Draft
	kinds    Kinds
	vnets    []*model.VNet
	subnets  []*model.Subnet // ordinary ones, where machines stand
	nics     []*model.NIC
	nsgs     []model.ID
	tables   []*model.RouteTable
	asgs     []model.ID
	taken    map[netip.Addr]bool
	hops     []netip.Addr // what a route may name as an appliance
	publics  int          // public addresses so far
	ipGroups []model.ID
	entries  []netip.Addr // addresses of firewalls, which NAT rules name
}

func (d *draft) has(k Kinds) bool { return d.kinds&k != 0 }

// one reports true once in n times.
func (d *draft) one(n int) bool { return d.IntN(n) == 0 }

// upTo is a number from lo to hi, both included.
func (d *draft) upTo(lo, hi int) int { return lo + d.IntN(hi-lo+1) }

func choose[T any](d *draft, list ...T) T { return list[d.IntN(len(list))] }

// setting is mostly stated.
func (d *draft) setting() model.Setting {
	if d.has(WithPartial) && d.one(6) {
		return model.NotStated
	}
	return choose(d, model.On, model.Off)
}

func (d *draft) add(r model.Resource) { d.Resources = append(d.Resources, r) }

// id names a resource of the one resource group of an estate.
func id(provider, kind, name string) model.ID {
	return model.ID("/subscriptions/s/resourceGroups/rg/providers/" + provider + "/" + kind + "/" + name)
}

func networkID(kind, name string) model.ID { return id("Microsoft.Network", kind, name) }

func (d *draft) meta(id model.ID) model.Meta {
	m := model.Meta{ID: id, Source: model.Source{File: "random", Resource: id}, Location: "westeurope"}
	if d.one(8) {
		m.Location = "northeurope"
	}
	return m
}

func cidr(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// some keeps each element of a list with one chance in n.
func some[T any](d *draft, n int, list ...T) []T {
	var out []T
	for _, x := range list {
		if d.one(n) {
			out = append(out, x)
		}
	}
	return out
}

// maybe is one of a list, or the zero value.
func maybe[T any](d *draft, n int, list []T) T {
	var zero T
	if len(list) == 0 || d.one(n) {
		return zero
	}
	return list[d.IntN(len(list))]
}

// free finds an address of a subnet that a machine may hold: none of the first four, not the last, held by nobody (AZ-GEN-07).
func (d *draft) free(s *model.Subnet) (netip.Addr, bool) {
	var list []netip.Addr
	a := s.Prefixes[0].Addr()
	for range 4 {
		a = a.Next()
	}
	for ; s.Prefixes[0].Contains(a.Next()); a = a.Next() {
		if !d.taken[a] {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return netip.Addr{}, false
	}
	a = list[d.IntN(len(list))]
	d.taken[a] = true
	return a, true
}

// port is one of a handful.
func (d *draft) port() uint16 { return Ports()[d.IntN(len(Ports()))] }

// Ports are the destination ports that random rules and packets name.
func Ports() []uint16 { return []uint16{22, 53, 80, 443, 500, 1433, 3389, 8443} }

func (d *draft) ports() []model.PortRange {
	switch d.IntN(5) {
	case 0, 1:
		return []model.PortRange{model.AllPorts}
	case 2:
		return []model.PortRange{{First: 22, Last: 80}}
	case 3:
		return []model.PortRange{{First: 443, Last: 443}, {First: 22, Last: 22}}
	default:
		p := d.port()
		return []model.PortRange{{First: p, Last: p}}
	}
}

func (d *draft) protocol() model.Protocol {
	if d.has(WithRaw) && d.one(12) {
		return choose(d, model.ESP, model.AH, model.ICMPv6)
	}
	return choose(d, model.TCP, model.TCP, model.AnyProtocol, model.AnyProtocol, model.UDP, model.ICMP)
}

// prefix is a block that cuts through the estate: a machine, a half of a subnet, a subnet, a VNet, the whole, or somewhere outside.
func (d *draft) prefix() netip.Prefix {
	outside := []string{"0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "198.51.100.0/24", "198.51.100.0/25", "203.0.113.0/24", "172.16.0.0/12", "10.0.0.0/27", "10.0.0.32/27", "10.0.0.0/26", "10.0.0.64/26"}
	if d.has(WithPublic) {
		outside = append(outside, "20.0.0.0/29", "20.0.0.1/32")
	}
	if d.has(WithGateways) {
		outside = append(outside, "10.0.2.0/28", "10.0.2.0/29", "192.168.0.0/24")
	}
	if d.has(WithHubs) {
		outside = append(outside, "10.0.4.0/27", "10.0.4.64/29", "192.168.0.0/24", "192.168.2.0/29")
	}
	if d.has(WithIPv6) {
		outside = append(outside, "::/0", "fd00::/48", "2001:db8::/32")
	}
	if d.has(WithClusters) {
		outside = append(outside, "10.244.0.0/16", "10.250.0.0/16")
	}
	switch d.IntN(4) {
	case 0:
		return cidr(outside[d.IntN(len(outside))])
	case 1:
		if len(d.subnets) > 0 {
			s := d.subnets[d.IntN(len(d.subnets))]
			return s.Prefixes[d.IntN(len(s.Prefixes))]
		}
	case 2:
		if len(d.subnets) > 0 {
			p := d.subnets[d.IntN(len(d.subnets))].Prefixes[0]
			a := p.Addr()
			for range d.IntN(8) {
				a = a.Next()
			}
			return netip.PrefixFrom(a, choose(d, 30, 31, 32)).Masked()
		}
	default:
	}
	if len(d.vnets) == 0 {
		return choose(d, cidr("0.0.0.0/0"), cidr("198.51.100.0/26"), cidr("198.51.100.8/32"), cidr("10.1.0.0/16"), cidr("0.0.0.0/1"))
	}
	v := d.vnets[d.IntN(len(d.vnets))]
	return v.Prefixes[d.IntN(len(v.Prefixes))]
}

func (d *draft) name(kind string, i int) string { return fmt.Sprintf("%s%d", kind, i) }

// clip keeps a list from being shared.
func clip[T any](list []T) []T { return slices.Clone(list) }

// KindsOf is the kinds that a seed stands for: mostly three or four, so that each kind meets the network alone and in company.
func KindsOf(seed uint64) Kinds {
	rnd := rand.New(rand.NewPCG(seed, 0))
	var k Kinds
	for range 1 + rnd.IntN(5) {
		k |= 1 << rnd.IntN(15)
	}
	if seed%5 == 4 {
		k |= WithManagers
	}
	if k&WithClusters != 0 && seed%3 == 0 {
		k |= WithPolicies
	}
	switch seed % 8 {
	case 3:
		k |= WithRouteServers
	case 6:
		k |= WithAppGateways
	case 1:
		k |= WithFrontDoors
	case 2:
		k |= WithAPIMs
	case 4:
		k |= WithWindows
	case 5:
		k |= WithHubs
	}
	return k
}

// Addresses are the addresses to which packets of an estate are interesting: all of its small subnets, what its resources hold, the
// first ones of each block that a rule or a route names, and some of the outside.
func Addresses(e *model.Estate) []netip.Addr {
	var out []netip.Addr
	block := func(most int, ps ...netip.Prefix) {
		for _, p := range ps {
			if !p.IsValid() {
				continue
			}
			for a := p.Masked().Addr(); most > 0 && p.Contains(a); a = a.Next() {
				out = append(out, a)
				most--
			}
		}
	}
	one := func(as ...netip.Addr) {
		for _, a := range as {
			if a.IsValid() {
				out = append(out, a)
			}
		}
	}
	for _, v := range e.VNets {
		for _, p := range v.Prefixes {
			block(1, p)
			one(p.Addr().Next())
		}
		for _, p := range v.Peerings {
			block(1, append(p.RemotePrefixes, p.SyncedPrefixes...)...)
		}
	}
	for _, s := range e.Subnets {
		block(8, s.Prefixes...)
	}
	for _, n := range e.NICs {
		for _, c := range n.IPConfigs {
			one(c.Address, c.Address)
		}
	}
	for _, t := range e.RouteTables {
		for _, r := range t.Routes {
			block(1, r.Prefix)
		}
	}
	for _, g := range e.NSGs {
		for _, r := range g.Rules {
			for _, p := range append(clip(r.SourceAddrs.Prefixes), r.DestAddrs.Prefixes...) {
				block(1, p)
			}
		}
	}
	for _, s := range e.Symbols().All() {
		one(s.Addr, s.Addr)
	}
	for _, p := range e.PublicIPs {
		one(p.Address, p.Address)
	}
	for _, g := range e.Gateways {
		for _, p := range g.ClientPools {
			block(4, p)
		}
		for _, p := range g.CustomRoutes {
			block(1, p)
		}
		for _, r := range g.NATRules {
			block(4, r.Internal...)
			block(4, r.External...)
		}
	}
	for _, l := range e.LocalGateways {
		for _, p := range l.Prefixes {
			block(4, p)
		}
	}
	for _, h := range e.Hubs {
		block(8, h.Prefix)
	}
	for _, s := range e.VPNSites {
		block(4, s.Prefixes...)
	}
	for _, g := range e.HubGateways {
		for _, b := range g.Connections {
			block(4, b.Pools...)
		}
		for _, r := range g.NATRules {
			block(4, r.Internal...)
			block(4, r.External...)
		}
	}
	for _, c := range e.HubConnections {
		for _, s := range c.Routing.Static {
			block(1, s.Prefixes...)
		}
	}
	for _, t := range e.HubTables {
		for _, r := range t.Routes {
			block(1, r.Prefixes...)
		}
	}
	for _, f := range e.Firewalls {
		one(f.PublicAddresses...)
	}
	for _, w := range e.Workloads {
		one(w.Addresses...)
		one(w.Addresses...)
		one(w.Addresses...)
	}
	for _, s := range e.KubeServices {
		if a, err := netip.ParseAddr(s.ClusterIP); err == nil {
			one(a, a)
		}
		for _, f := range e.FrontendsOf(s) {
			one(f.Addr)
		}
		one(s.ExternalIPs...)
	}
	for _, n := range e.NetPolicies {
		for _, r := range append(clip(n.Ingress), n.Egress...) {
			for _, x := range r.Peers {
				if x.IPBlock != nil {
					block(1, append([]netip.Prefix{x.IPBlock.CIDR}, x.IPBlock.Except...)...)
				}
			}
		}
	}
	for _, p := range e.CiliumPolicies {
		for _, r := range p.Rules {
			for _, t := range slices.Concat(r.Allow[0], r.Allow[1], r.Deny[0], r.Deny[1]) {
				for _, x := range t.Peers {
					if x.Block != nil {
						block(1, append([]netip.Prefix{x.Block.CIDR}, x.Block.Except...)...)
					}
				}
			}
		}
	}
	for _, p := range e.ClusterPolicies {
		for _, r := range p.Egress {
			for _, x := range r.Peers {
				block(1, x.Networks...)
			}
		}
	}
	for _, a := range []string{"198.51.100.7", "198.51.100.200", "203.0.113.9", "172.16.0.9", "10.9.9.9", "192.168.0.9", "168.63.129.16", "169.254.169.254", "100.64.0.1", "25.4.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "20.1.0.9", "20.2.0.9", "20.3.0.9", "20.0.1.1"} {
		one(netip.MustParseAddr(a))
	}
	return out
}

// Print writes a draft for a failure message.
func Print(d Draft) string {
	var b strings.Builder
	for _, r := range d.Resources {
		fmt.Fprintf(&b, "%T ", r)
		print(&b, reflect.ValueOf(r).Elem())
		b.WriteByte('\n')
	}
	for _, l := range d.Ledger {
		fmt.Fprintf(&b, "ledger %+v\n", l)
	}
	if d.Tags != nil {
		fmt.Fprintf(&b, "tags %+v\n", d.Tags.Tags)
	}
	return b.String()
}

// print writes what a value says, and nothing of what it leaves open.
func print(b *strings.Builder, v reflect.Value) {
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case model.Meta:
			b.WriteString(x.ID.ShortName())
			if x.Location != "westeurope" {
				b.WriteString(" in " + x.Location)
			}
			return
		case model.ID:
			b.WriteString(x.ShortName())
			return
		case fmt.Stringer:
			b.WriteString(x.String())
			return
		}
	}
	switch {
	case v.Kind() == reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			print(b, v.Index(i))
		}
		b.WriteByte(']')
	case ours(v):
		b.WriteByte('{')
		for i := range v.NumField() {
			f, name := v.Field(i), v.Type().Field(i).Name
			if f.IsZero() || name == "Source" || name == "Description" || name == "SourcePortText" || name == "DestPortText" || name == "ProvisioningState" {
				continue
			}
			if name == "Default" {
				continue
			}
			b.WriteString(" " + name + "=")
			print(b, f)
		}
		b.WriteByte('}')
	default:
		fmt.Fprint(b, v.Interface())
	}
}
