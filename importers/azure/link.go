package azure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// claim keeps what the resource says of others until all of them are known.
func (r *resource) claim(kind model.ClaimKind, n *node, ids ...model.ID) {
	r.claims = append(r.claims, model.Claim{Kind: kind, IDs: ids, Entry: model.LedgerEntry{
		Resource: r.holder, Type: r.kind.name, Field: n.field(r.node), Disposition: model.Unsupported, Source: r.source(n),
	}})
}

// attach keeps what an NSG, a route table or a NAT gateway says that it is attached to.
func (r *resource) attach(to []model.ID, field string, at *value) {
	if len(to) > 0 {
		r.claim(model.ClaimAttached, at.get(field).raw, to...)
	}
}

// claimed lists the claims of a kind.
func (im *importer) claimed(kind model.ClaimKind) (out []model.Claim) {
	for _, c := range im.claims {
		if c.Kind == kind {
			out = append(out, c)
		}
	}
	return out
}

// estate is what the importer has emitted, by type.
type estate struct {
	vnets   map[string]*model.VNet
	subnets map[string]*model.Subnet
	nics    map[string][]*model.NIC // every description of each
	vms     map[string][]*model.VM
	public  map[string][]*model.PublicIP
	all     map[string][]model.Resource
}

// link joins what resources say about each other: what one of two says, both say afterwards, so that it does not matter which of them
// was exported. It also checks what only several resources together can get wrong.
func (im *importer) link() {
	e := estate{
		vnets: map[string]*model.VNet{}, subnets: map[string]*model.Subnet{}, nics: map[string][]*model.NIC{}, vms: map[string][]*model.VM{},
		public: map[string][]*model.PublicIP{},
		all:    map[string][]model.Resource{},
	}
	slices.SortStableFunc(im.out, func(a, b model.Resource) int {
		return cmp.Or(a.ResourceID().Compare(b.ResourceID()), a.Origin().Compare(b.Origin()))
	})
	im.asRead = make([]model.Resource, len(im.out))
	for i, o := range im.out {
		im.asRead[i] = asRead(o)
		key := o.ResourceID().Key()
		e.all[key] = append(e.all[key], o)
		switch o := o.(type) {
		case *model.VNet:
			if e.vnets[key] == nil {
				e.vnets[key] = o
			}
		case *model.Subnet:
			if e.subnets[key] == nil {
				e.subnets[key] = o
			}
		case *model.NIC:
			e.nics[key] = append(e.nics[key], o)
		case *model.VM:
			e.vms[key] = append(e.vms[key], o)
		case *model.PublicIP:
			e.public[key] = append(e.public[key], o)
		default:
		}
	}
	im.machines(e)
	im.poolMembers(e)
	im.publicAddresses(e)
	im.endpointAddresses(e)
	im.distinctLists()
	im.attachedTo(e)
	im.subnetsInVNets(e)
	im.undescribed(e)
	im.nodeGroups()
	im.vnetRulesUnknown()
	im.redirectedSQL()
	im.policyParents()
}

// policyParents reports firewall policies whose parents lead back to them: the platform refuses them, and their rules have no order.
func (im *importer) policyParents() {
	base := map[string]*model.FirewallPolicy{}
	for _, o := range im.out {
		if p, ok := o.(*model.FirewallPolicy); ok {
			base[p.ID.Key()] = p
		}
	}
	for _, o := range im.out {
		p, ok := o.(*model.FirewallPolicy)
		if !ok || p.Base.Key() == p.ID.Key() { // readFirewallPolicy reported it
			continue
		}
		up, steps := base[p.Base.Key()], 0
		for ; up != nil && up != p && steps <= len(base); steps++ {
			up = base[up.Base.Key()]
		}
		if up == p {
			im.errs = append(im.errs, &model.InputError{
				Source: p.Source, Resource: p.ID, Field: "basePolicy", Found: p.Base.ShortName(), Accepted: "a policy whose parents do not lead back to it",
			})
		}
	}
}

// distinctLists sorts the lists to which the steps before added, once each, and drops doubles.
func (im *importer) distinctLists() {
	for _, o := range im.out {
		switch o := o.(type) {
		case *model.VM:
			o.NICs = distinct(o.NICs)
		case *model.NIC:
			for i := range o.IPConfigs {
				c := &o.IPConfigs[i]
				c.LBPools, c.NATRules, c.AGWPools = distinct(c.LBPools), distinct(c.NATRules), distinct(c.AGWPools)
			}
		case *model.LoadBalancer:
			for i := range o.Pools {
				o.Pools[i].IPConfigs = distinct(o.Pools[i].IPConfigs)
			}
		case *model.AppGateway:
			for i := range o.Pools {
				o.Pools[i].IPConfigs = distinct(o.Pools[i].IPConfigs)
			}
		case *model.NATGateway:
			o.PublicIPs = distinct(o.PublicIPs)
		case *model.Firewall:
			o.PublicIPs = distinct(o.PublicIPs)
		case *model.Gateway:
			o.PublicIPs = distinct(o.PublicIPs)
		case *model.PrivateEndpoint:
			o.NICs = distinct(o.NICs)
		default:
		}
	}
}

// machines joins NICs and machines.
func (im *importer) machines(e estate) {
	for _, o := range im.out {
		switch o := o.(type) {
		case *model.NIC:
			for _, vm := range e.vms[o.VM.Key()] {
				vm.NICs = append(vm.NICs, o.ID)
			}
		case *model.VM:
			for _, id := range o.NICs {
				for _, nic := range e.nics[id.Key()] {
					if nic.VM == "" {
						nic.VM = o.ID
					}
					if nic.VM.Key() != o.ID.Key() {
						im.errs = append(im.errs, &model.InputError{
							Source: o.Source, Resource: o.ID, Field: "networkProfile.networkInterfaces", Found: string(id),
							Accepted: "an interface that belongs to this machine; the interface names another one at " + nic.Source.String(),
						})
					}
				}
			}
		default:
		}
	}
}

// poolMembers joins IP configurations with the pools and NAT rules of load balancers and application gateways (AZ-LB-08).
func (im *importer) poolMembers(e estate) {
	lbPools, natRules, agwPools := map[string][]*model.LBPool{}, map[string][]*model.LBNATRule{}, map[string][]*model.AGWPool{}
	for _, o := range im.out {
		switch o := o.(type) {
		case *model.LoadBalancer:
			for i := range o.Pools {
				key := o.Pools[i].ID.Key()
				lbPools[key] = append(lbPools[key], &o.Pools[i])
			}
			for i := range o.NATRules {
				key := o.NATRules[i].ID.Key()
				natRules[key] = append(natRules[key], &o.NATRules[i])
			}
		case *model.AppGateway:
			for i := range o.Pools {
				key := o.Pools[i].ID.Key()
				agwPools[key] = append(agwPools[key], &o.Pools[i])
			}
		default:
		}
	}
	for _, o := range im.out {
		switch o := o.(type) {
		case *model.NIC:
			for _, c := range o.IPConfigs {
				me := configID(o.ID, c.Name)
				for _, id := range c.LBPools {
					for _, p := range lbPools[id.Key()] {
						p.IPConfigs = append(p.IPConfigs, me)
					}
				}
				for _, id := range c.NATRules {
					for _, n := range natRules[id.Key()] {
						if n.Target == "" && n.Pool == "" && n.FrontendPorts.First == n.FrontendPorts.Last {
							n.Target = me
						}
					}
				}
				for _, id := range c.AGWPools {
					for _, p := range agwPools[id.Key()] {
						p.IPConfigs = append(p.IPConfigs, me)
					}
				}
			}
		case *model.LoadBalancer:
			for _, p := range o.Pools {
				for _, c := range e.configs(p.IPConfigs) {
					c.LBPools = append(c.LBPools, p.ID)
				}
			}
			for _, n := range o.NATRules {
				for _, c := range e.configs([]model.ID{n.Target}) {
					c.NATRules = append(c.NATRules, n.ID)
				}
			}
		case *model.AppGateway:
			for _, p := range o.Pools {
				for _, c := range e.configs(p.IPConfigs) {
					c.AGWPools = append(c.AGWPools, p.ID)
				}
			}
		default:
		}
	}
}

// configID is the ID of an IP configuration.
func configID(nic model.ID, name string) model.ID {
	return model.ID(strings.TrimRight(string(nic), "/") + "/ipConfigurations/" + name)
}

// configs finds IP configurations by ID, in every description of their NIC.
func (e estate) configs(ids []model.ID) (out []*model.IPConfig) {
	for _, id := range ids {
		for _, nic := range e.nics[id.Parent().Key()] {
			for i := range nic.IPConfigs {
				if strings.EqualFold(nic.IPConfigs[i].Name, id.Name()) {
					out = append(out, &nic.IPConfigs[i])
				}
			}
		}
	}
	return out
}

// publicAddresses joins public addresses with what they are attached to (AZ-PIP-05).
func (im *importer) publicAddresses(e estate) {
	claim := func(address, owner model.ID) {
		for _, p := range e.public[address.Key()] {
			if p.AttachedTo == "" {
				p.AttachedTo = owner
			}
		}
	}
	for _, o := range im.out {
		switch o := o.(type) {
		case *model.NIC:
			for _, c := range o.IPConfigs {
				claim(c.PublicIP, configID(o.ID, c.Name))
			}
		case *model.LoadBalancer:
			for _, f := range o.Frontends {
				claim(f.PublicIP, f.ID)
			}
		case *model.AppGateway:
			for _, f := range o.Frontends {
				claim(f.PublicIP, f.ID)
			}
		case *model.NATGateway:
			for _, p := range o.PublicIPs {
				claim(p, o.ID)
			}
		case *model.Firewall:
			for _, p := range o.PublicIPs {
				claim(p, o.ID)
			}
		case *model.Gateway:
			for _, p := range o.PublicIPs {
				claim(p, o.ID)
			}
		case *model.Bastion:
			claim(o.PublicIP, o.ID)
		default:
		}
	}
	for _, o := range im.out {
		if p, ok := o.(*model.PublicIP); ok && p.AttachedTo != "" {
			e.attachPublic(p)
		}
	}
}

// attachPublic tells the owner of a public address about it. The address names an IP configuration of its owner, or a NAT gateway.
func (e estate) attachPublic(p *model.PublicIP) {
	for _, c := range e.configs([]model.ID{p.AttachedTo}) {
		if c.PublicIP == "" {
			c.PublicIP = p.ID
		}
	}
	owners := append(slices.Clone(e.all[p.AttachedTo.Parent().Key()]), e.all[p.AttachedTo.Key()]...)
	for _, o := range owners {
		switch o := o.(type) {
		case *model.LoadBalancer:
			for i := range o.Frontends {
				if f := &o.Frontends[i]; f.ID.Key() == p.AttachedTo.Key() && f.PublicIP == "" && f.Subnet == "" {
					f.PublicIP = p.ID
				}
			}
		case *model.AppGateway:
			for i := range o.Frontends {
				if f := &o.Frontends[i]; f.ID.Key() == p.AttachedTo.Key() && f.PublicIP == "" && f.Subnet == "" {
					f.PublicIP = p.ID
				}
			}
		case *model.NATGateway:
			o.PublicIPs = append(o.PublicIPs, p.ID)
		case *model.Firewall:
			// The address of the management interface is no address of the data path (AZ-FW-45).
			if !o.Management || len(o.PublicIPs) == 0 && !strings.Contains(p.AttachedTo.Key(), "management") {
				o.PublicIPs = append(o.PublicIPs, p.ID)
			}
		case *model.Gateway:
			o.PublicIPs = append(o.PublicIPs, p.ID)
		case *model.Bastion:
			if o.PublicIP == "" {
				o.PublicIP = p.ID
			}
		default:
		}
	}
}

// endpointAddresses joins private endpoints with their NICs (AZ-PE-01).
func (im *importer) endpointAddresses(e estate) {
	endpoints := map[string][]*model.PrivateEndpoint{}
	for _, o := range im.out {
		if p, ok := o.(*model.PrivateEndpoint); ok {
			endpoints[p.ID.Key()] = append(endpoints[p.ID.Key()], p)
		}
	}
	for _, o := range im.out {
		switch o := o.(type) {
		case *model.NIC:
			for _, p := range endpoints[o.PrivateEndpoint.Key()] {
				p.NICs = append(p.NICs, o.ID)
			}
		case *model.PrivateEndpoint:
			for _, id := range o.NICs {
				for _, nic := range e.nics[id.Key()] {
					if nic.PrivateEndpoint == "" {
						nic.PrivateEndpoint = o.ID
					}
				}
			}
		default:
		}
	}
	for _, list := range endpoints {
		for _, p := range list {
			for _, id := range p.NICs {
				for _, nic := range e.nics[id.Key()] {
					for _, c := range nic.IPConfigs {
						if c.Address.IsValid() {
							p.Addresses = append(p.Addresses, c.Address)
						}
					}
				}
			}
			p.Addresses = sortedAddrs(p.Addresses)
		}
	}
}

// attachedTo compares what NSGs, route tables and NAT gateways say with what their subnets and NICs say. Where the two disagree, the
// export mixes two times, and what holds is not known.
func (im *importer) attachedTo(e estate) {
	for _, a := range im.claimed(model.ClaimAttached) {
		for _, id := range a.IDs {
			var names []model.ID
			switch o := first(e.all[id.Key()]).(type) {
			case *model.Subnet:
				names = append([]model.ID{o.NSG, o.RouteTable, o.NATGateway}, o.ServicePolicies...)
			case *model.NIC:
				names = []model.ID{o.NSG}
			default:
				continue
			}
			if slices.ContainsFunc(names, func(n model.ID) bool { return n.Key() == a.Entry.Resource.Key() }) {
				continue
			}
			e := a.Entry
			e.Effect = "says that it is attached to " + id.ShortName() + ", which does not name it: the two were exported at different times"
			e.Affects = []model.ID{id}
			im.ledger = append(im.ledger, e)
		}
	}
}

func first(list []model.Resource) model.Resource {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// subnetsInVNets reports subnets outside their VNet and subnets of one VNet that overlap.
func (im *importer) subnetsInVNets(e estate) {
	type claim struct {
		prefix netip.Prefix
		subnet *model.Subnet
	}
	byVNet := map[string][]claim{}
	for _, o := range im.out { // by ID
		s, ok := o.(*model.Subnet)
		if !ok || e.subnets[s.ID.Key()] != s {
			continue
		}
		v := e.vnets[s.VNet.Key()]
		for _, p := range s.Prefixes {
			byVNet[s.VNet.Key()] = append(byVNet[s.VNet.Key()], claim{p, s})
			if v == nil || v.Partial || len(v.Prefixes) == 0 {
				continue
			}
			if !slices.ContainsFunc(v.Prefixes, func(r netip.Prefix) bool { return r.Bits() <= p.Bits() && r.Contains(p.Addr()) }) {
				im.errs = append(im.errs, &model.InputError{
					Source: s.Source, Resource: s.ID, Field: "addressPrefix", Found: p.String(),
					Accepted: "a prefix inside the address space of its VNet: " + prefixList(v.Prefixes),
				})
			}
		}
	}
	for _, list := range byVNet {
		slices.SortStableFunc(list, func(a, b claim) int { return comparePrefix(a.prefix, b.prefix) })
		wide := 0 // the claim that reaches furthest so far
		for i := 1; i < len(list); i++ {
			a, b := list[wide], list[i]
			if a.prefix.Overlaps(b.prefix) && a.subnet != b.subnet {
				if a.subnet.Source.Compare(b.subnet.Source) > 0 {
					a, b = b, a
				}
				im.errs = append(im.errs, &model.InputError{
					Source: b.subnet.Source, Resource: b.subnet.ID, Field: "addressPrefix", Found: b.prefix.String(),
					Accepted: fmt.Sprintf("a prefix that no other subnet of the VNet overlaps; %s at %s is another one's", a.prefix, a.subnet.Source),
				})
			}
			if !list[wide].prefix.Overlaps(list[i].prefix) {
				wide = i // sorted by address: what does not reach into this one reaches no later one
			}
		}
	}
}

func prefixList(list []netip.Prefix) string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}

// undescribed records subnets that a VNet names and that nothing describes: they may hold anything.
func (im *importer) undescribed(e estate) {
	for _, n := range im.claimed(model.ClaimNamed) {
		for _, id := range n.IDs {
			if e.subnets[id.Key()] == nil {
				entry := n.Entry
				entry.Effect, entry.Affects = "the subnet is named and not described; export it", []model.ID{id}
				im.ledger = append(im.ledger, entry)
			}
		}
	}
}

// nodeGroups marks what AKS made in the node resource groups of the clusters of the input (AKS-LB-01, AKS-NET-12).
func (im *importer) nodeGroups() {
	groups := map[string]bool{}
	group := func(subscription, name string) string { return strings.ToLower(subscription + "/" + name) }
	for _, o := range im.out {
		if c, ok := o.(*model.Cluster); ok && c.NodeGroup != "" {
			groups[group(c.ID.Subscription(), c.NodeGroup)] = true
		}
	}
	for _, o := range im.out {
		id := o.ResourceID()
		inside := groups[group(id.Subscription(), id.ResourceGroup())]
		switch o := o.(type) {
		case *model.NSG:
			o.Managed = inside || aksNSG(id.Name())
		case *model.ScaleSet:
			o.Managed = o.Managed || inside
		default:
		}
	}
}

// vnetRulesUnknown records SQL servers whose virtual network rules the input lacks, where a subnet of the input has the service
// endpoint that such a rule needs (AZ-PAAS-04): elsewhere a rule would match nothing.
func (im *importer) vnetRulesUnknown() {
	enabled := slices.ContainsFunc(im.out, func(o model.Resource) bool {
		s, ok := o.(*model.Subnet)
		return ok && slices.ContainsFunc(s.ServiceEndpoints, func(e model.ServiceEndpoint) bool { return strings.EqualFold(e.Service, "Microsoft.Sql") })
	})
	if !enabled {
		return
	}
	for _, s := range im.claimed(model.ClaimNoVNetRules) {
		e := s.Entry
		e.Affects = []model.ID{e.Resource}
		e.Effect = "the virtual network rules of the server are not in the input, and a subnet has the service endpoint that they need: export them, or write `\"virtualNetworkRules\": []` into its properties"
		im.ledger = append(im.ledger, e)
	}
}

// redirectedSQL records policies that let redirected SQL connections pass, where they or a parent have an application rule for SQL
// that this widens (AZ-FW-39).
func (im *importer) redirectedSQL() {
	base, sql := map[string]model.ID{}, map[string]bool{}
	for _, o := range im.out {
		switch o := o.(type) {
		case *model.FirewallPolicy:
			base[o.ID.Key()] = o.Base
		case *model.RuleCollectionGroup:
			for _, c := range o.Collections {
				for _, rule := range c.Rules {
					if slices.ContainsFunc(rule.Apps, func(a model.AppProtocol) bool { return a.Type == "Mssql" }) {
						sql[o.Policy.Key()] = true
					}
				}
			}
		default:
		}
	}
	for _, s := range im.claimed(model.ClaimSQLRedirect) {
		for id, steps := s.Entry.Resource, 0; id != "" && steps < len(base)+1; id, steps = base[id.Key()], steps+1 {
			if sql[id.Key()] {
				e := s.Entry
				e.Effect = "redirected SQL connections (ports 11000 to 11999) pass by the application rules for SQL (AZ-FW-39); not modelled"
				e.Affects = []model.ID{e.Resource}
				im.ledger = append(im.ledger, e)
				break
			}
		}
	}
}
