package modeltest

import (
	"slices"

	"github.com/ringfence/ringfence/model"
)

// managers draws network managers with groups, rules and connections, and some evidence of what is in force. A manager of connections may
// say nothing of them.
func (d *draft) managers() {
	for i := range d.upTo(1, 2) {
		d.manager(networkID("networkManagers", d.name("m", i)), i)
	}
}

func (d *draft) manager(id model.ID, n int) {
	connects := d.one(2)
	if !d.one(4) {
		m := &model.NetworkManager{Meta: d.meta(id), Accesses: []string{"SecurityAdmin"}}
		if connects || d.one(6) {
			m.Accesses = append(m.Accesses, "Connectivity")
		}
		switch d.IntN(3) {
		case 0:
			m.ManagementGroups = []model.ID{"/providers/Microsoft.Management/managementGroups/root"}
		case 1:
			m.Subscriptions = []model.ID{choose[model.ID](d, "/subscriptions/s", "/subscriptions/s", "/subscriptions/other")}
		}
		d.add(m)
	}
	var groups []model.ID
	for i := range d.upTo(1, 2) {
		g := &model.NetworkGroup{Meta: d.meta(id + "/networkGroups/" + model.ID(d.name("g", i))), Manager: id, ByPolicy: d.one(4)}
		for j, v := range d.vnets {
			if !d.one(3) {
				g.Members = append(g.Members, model.GroupMember{Name: d.name("v", j), Source: g.Source, Resource: v.ID})
			}
		}
		groups = append(groups, g.ID)
		if !d.one(8) {
			d.add(g)
		}
	}
	if d.one(4) {
		v := d.vnets[d.IntN(len(d.vnets))]
		d.once(&model.GroupMembership{Meta: d.meta(v.ID + "/providers/Microsoft.Network/networkGroupMemberships/default"), VNet: v.ID, Groups: some(d, 2, groups...)})
	}
	config := id + "/securityAdminConfigurations/c"
	if !d.one(4) {
		d.add(&model.SecurityAdminConfiguration{Meta: d.meta(config), Manager: id, IntentPolicy: choose(d, model.IntentNotStated, model.IntentNone, model.IntentAllowRulesOnly, model.IntentAll)})
	}
	var rules []model.AdminRule
	for i := range d.upTo(1, 2) {
		c := &model.AdminRuleCollection{Meta: d.meta(config + "/ruleCollections/" + model.ID(d.name("r", i))), Configuration: config, Groups: some(d, 2, groups...), Partial: d.one(12)}
		for j := range d.upTo(0, 3) {
			c.Rules = append(c.Rules, d.adminRule(c, j))
		}
		rules = append(rules, c.Rules...)
		d.add(c)
	}
	for _, region := range []string{"westeurope", "northeurope"} {
		switch d.IntN(4) {
		case 0:
			a := &model.ActiveAdminRules{Meta: d.meta(id + "/activeSecurityAdminRules/" + model.ID(region)), Manager: id, Region: region, Rules: some(d, 2, rules...), Cut: d.one(10)}
			d.add(a)
		case 1, 2:
			d.status(id, region, "SecurityAdmin", some(d, 2, config))
		}
	}
	if d.one(3) {
		v := d.vnets[d.IntN(len(d.vnets))]
		d.once(&model.EffectiveAdminRules{Meta: d.meta(v.ID + "/effectiveSecurityAdminRules/default"), VNet: v.ID, Rules: some(d, 2, rules...), Cut: d.one(10)})
	}
	if connects {
		d.connections(id, groups)
	}
	if d.one(4) && n == 0 {
		for _, r := range d.Resources {
			if s, ok := r.(*model.Subnet); ok && d.one(3) {
				s.Delegations = append(s.Delegations, "Microsoft.Sql/managedInstances")
			}
		}
	}
}

// once adds a resource unless there is one of its ID.
func (d *draft) once(r model.Resource) {
	if !slices.ContainsFunc(d.Resources, func(x model.Resource) bool { return x.ResourceID().Key() == r.ResourceID().Key() }) {
		d.add(r)
	}
}

func (d *draft) status(manager model.ID, region, kind string, configs []model.ID) {
	d.add(&model.DeploymentStatus{
		Meta: d.meta(manager + "/deployments/" + model.ID(kind+"-"+region)), Manager: manager, Region: region, Kind: kind,
		State: choose(d, "Deployed", "Deployed", "Committed", "Failed"), Configurations: configs,
	})
}

func (d *draft) adminRule(c *model.AdminRuleCollection, i int) model.AdminRule {
	id := c.ID + "/rules/" + model.ID(d.name("x", i))
	r := model.AdminRule{ID: id, Groups: some(d, 2, c.Groups...), SecurityRule: model.SecurityRule{
		Name: id.Name(), Priority: 10 * d.upTo(1, 3), Direction: choose(d, model.Inbound, model.Outbound), Access: choose(d, model.Allow, model.Deny, model.Deny, model.AlwaysAllow),
		Protocol: d.protocol(), SourceAddrs: d.side(), DestAddrs: d.side(), SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: d.ports(),
	}}
	for _, m := range []*model.AddressMatch{&r.SourceAddrs, &r.DestAddrs} {
		if len(m.ASGs) > 0 { // AZ-AVNM-05: admin rules name none
			*m = model.AddressMatch{Any: true}
		}
	}
	r.Source = model.Source{File: "random", Resource: id}
	if d.one(12) {
		r.UnknownMatch = "field x"
	}
	return r
}

func (d *draft) connections(manager model.ID, groups []model.ID) {
	id := manager + "/connectivityConfigurations/c"
	facts := model.Connectivity{Topology: choose(d, "Mesh", "HubAndSpoke"), Global: d.setting()}
	for _, g := range groups {
		facts.Groups = append(facts.Groups, model.ConnectivityGroup{Group: g, Direct: d.setting(), Global: d.setting()})
	}
	slices.SortFunc(facts.Groups, func(a, b model.ConnectivityGroup) int { return a.Group.Compare(b.Group) })
	if facts.Topology == "HubAndSpoke" {
		facts.Hubs = []model.ConnectivityHub{{Resource: d.vnets[d.IntN(len(d.vnets))].ID, Type: "Microsoft.Network/virtualNetworks"}}
	}
	d.add(&model.ConnectivityConfiguration{Meta: d.meta(id), Manager: manager, Facts: facts})
	applied := []model.AppliedConnectivity{{ID: id, Facts: facts}}
	for _, region := range []string{"westeurope", "northeurope"} {
		switch d.IntN(4) {
		case 0:
			d.add(&model.ActiveConnectivity{
				Meta: d.meta(manager + "/activeConnectivityConfigurations/" + model.ID(region)), Manager: manager, Region: region, Configurations: some(d, 2, applied...),
			})
		case 1, 2:
			d.status(manager, region, "Connectivity", some(d, 2, id))
		}
	}
	if d.one(3) {
		v := d.vnets[d.IntN(len(d.vnets))]
		d.once(&model.EffectiveConnectivity{Meta: d.meta(v.ID + "/effectiveConnectivityConfigurations/default"), VNet: v.ID, Configurations: some(d, 2, applied...)})
	}
}
