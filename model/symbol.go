package model

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
)

// A Symbol stands for an address that the input does not state: that of a pod before it is deployed, of a public address resource in
// a template, of a service's public door. It is one address of the discard-only block 100::/64 (RFC 6666), which no estate can use,
// so that packets to it are told apart from all others. What the real address may be follows from its owner; rules that name
// addresses match a symbol for certain when they hold all of that range, and possibly when they hold a part of it (K8S-NP-13).
type Symbol struct {
	Addr  netip.Addr
	Kind  SymbolKind
	Owner ID     // the resource whose address it is; empty for NamedHost and DefaultOutbound
	Part  string // IP configuration or node pool, where the owner has several
}

// SymbolKind says what a symbol stands for.
type SymbolKind uint8

const (
	NamedHost             SymbolKind = iota + 1 // the internet host that owns the packet's name, as a proxy resolves it (AZ-FW-33)
	DefaultOutbound                             // Microsoft's address of default outbound access (AZ-OUT-04)
	PodAddress                                  // Owner: workload
	ConfigAddress                               // Owner: NIC, Part: IP configuration
	EndpointAddress                             // Owner: private endpoint
	FrontendAddress                             // Owner: load balancer frontend, internal
	ServiceFrontend                             // Owner: Kubernetes Service of type LoadBalancer (K8S-SVC-11)
	PublicAddress                               // Owner: public IP resource
	NodePublicAddress                           // Owner: cluster, Part: pool (AKS-NET-12)
	ServiceDoor                                 // Owner: PaaS service; its public address
	APIDoor                                     // Owner: cluster; its API server
	FirewallAddress                             // Owner: firewall
	GatewayAddress                              // Owner: application gateway, Part: frontend
	InstancePublicAddress                       // Owner: scale set, Part: IP configuration; the public address of an instance
	FrontDoorDoor                               // Owner: Front Door profile, Part: endpoint; where it takes its clients (AZ-AFD-01)
	FrontDoorBackend                            // Owner: Front Door profile; an address from which it connects to origins, in AzureFrontDoor.Backend
	APIMDoor                                    // Owner: API Management service, Part: site; its public address
	APIMAddress                                 // the same; its private address in Internal mode
	BastionDoor                                 // Owner: Bastion of the Developer SKU; where Microsoft's shared service takes its clients (AZ-BAS-05)
)

// SymbolBlock is the block that symbols are taken from.
func SymbolBlock() netip.Prefix { return netip.MustParsePrefix("100::/64") }

// Symbols is the table of the estate's symbols; the order of the input does not change it.
type Symbols struct {
	list []Symbol
	at   map[symbolKey]netip.Addr
}

type symbolKey struct {
	kind  SymbolKind
	owner string
	part  string
}

// All returns every symbol in the order of its address.
func (s *Symbols) All() []Symbol { return s.list }

// Of returns the symbol of an owner, if it has one.
func (s *Symbols) Of(kind SymbolKind, owner ID, part string) (netip.Addr, bool) {
	a, ok := s.at[symbolKey{kind, owner.Key(), part}]
	return a, ok
}

// At returns the symbol that an address is.
func (s *Symbols) At(a netip.Addr) (Symbol, bool) {
	if !SymbolBlock().Contains(a) {
		return Symbol{}, false
	}
	b := a.As16()
	n := binary.BigEndian.Uint64(b[8:])
	if n == 0 || n > uint64(len(s.list)) {
		return Symbol{}, false
	}
	return s.list[n-1], true
}

// Symbols returns a symbol for everything of the estate that has an address which the input does not state. The table is made once.
func (e *Estate) Symbols() *Symbols { return e.symbols() }

func (e *Estate) makeSymbols() *Symbols {
	type wanted struct {
		Symbol
		group string // symbols that rules treat alike lie side by side, so that sets of them are few blocks
	}
	list := []wanted{{Symbol: Symbol{Kind: NamedHost}}, {Symbol: Symbol{Kind: DefaultOutbound}}}
	want := func(kind SymbolKind, owner ID, part, group string) {
		list = append(list, wanted{Symbol{Kind: kind, Owner: owner, Part: part}, group})
	}
	for _, w := range e.Workloads {
		c, _ := Get[*Cluster](e, w.Cluster)
		bare := c != nil && c.Manifest // of a pod of the host network nothing else says which address its node has
		if len(w.Addresses) == 0 && (!w.HostNetwork || bare) {
			want(PodAddress, w.ID, "", w.Cluster.Key()+"/"+w.Namespace)
		}
	}
	for _, n := range e.NICs {
		for _, c := range n.IPConfigs {
			if !c.Address.IsValid() {
				want(ConfigAddress, n.ID, c.Name, c.Subnet.Key())
			}
		}
	}
	for _, p := range e.Endpoints {
		if len(p.Addresses) == 0 {
			want(EndpointAddress, p.ID, "", p.Subnet.Key())
		}
	}
	for _, lb := range e.LoadBalancers {
		for _, f := range lb.Frontends {
			if f.PublicIP == "" && f.Prefix == "" && !f.Address.IsValid() {
				want(FrontendAddress, f.ID, "", f.Subnet.Key())
			}
		}
	}
	for _, s := range e.KubeServices {
		if _, _, open := e.statedFrontends(s); open {
			want(ServiceFrontend, s.ID, "", s.Cluster.Key())
		}
	}
	for _, p := range e.PublicIPs {
		if !p.Address.IsValid() {
			want(PublicAddress, p.ID, "", "")
		}
	}
	for _, c := range e.Clusters {
		want(APIDoor, c.ID, "", "")
		for _, p := range c.Pools {
			if p.PublicIPs == On {
				want(NodePublicAddress, c.ID, p.Name, c.ID.Key())
			}
		}
	}
	for _, s := range e.ScaleSets {
		for _, pr := range s.Profiles {
			if !pr.PublicPerVM {
				continue
			}
			for _, c := range pr.IPConfigs {
				if c.PublicIP != "" || len(pr.IPConfigs) == 1 {
					want(InstancePublicAddress, s.ID, c.Name, s.ID.Key())
				}
			}
		}
	}
	for _, s := range e.Services {
		want(ServiceDoor, s.ID, "", "")
	}
	for _, b := range e.Bastions {
		if b.Developer() {
			want(BastionDoor, b.ID, "", "")
		}
	}
	for _, a := range e.APIMs {
		for i, s := range a.Sites {
			part := strconv.Itoa(i)
			if _, known := Get[*PublicIP](e, s.PublicIP); !known && len(s.PublicIPs) == 0 {
				want(APIMDoor, a.ID, part, "")
			}
			if a.Injected() && len(s.PrivateIPs) == 0 {
				want(APIMAddress, a.ID, part, s.Subnet.Key())
			}
		}
	}
	for _, f := range e.FrontDoors {
		want(FrontDoorBackend, f.ID, "", "")
		for _, x := range f.Endpoints {
			want(FrontDoorDoor, f.ID, x.Name, "")
		}
	}
	for _, f := range e.Firewalls {
		if !f.Address.IsValid() {
			want(FirewallAddress, f.ID, "", "")
		}
	}
	for _, g := range e.AppGateways {
		for _, f := range g.Frontends {
			if f.PublicIP == "" && !f.Address.IsValid() {
				want(GatewayAddress, g.ID, f.Name, f.Subnet.Key())
			}
		}
	}
	slices.SortFunc(list, func(a, b wanted) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.group, b.group), a.Owner.Compare(b.Owner), cmp.Compare(a.Part, b.Part))
	})
	s := &Symbols{at: make(map[symbolKey]netip.Addr, len(list))}
	block := SymbolBlock().Addr().As16()
	for i, w := range list {
		a := block
		binary.BigEndian.PutUint64(a[8:], uint64(i)+1)
		w.Addr = netip.AddrFrom16(a)
		s.list = append(s.list, w.Symbol)
		s.at[symbolKey{w.Kind, w.Owner.Key(), w.Part}] = w.Addr
	}
	return s
}
