package lint

import "github.com/ringfence/ringfence/model"

func managerID(rest string) model.ID { return network("networkManagers", "nm") + model.ID(rest) }

// managed adds two VNets, a network group with the first, and a rule collection for it with one rule.
func managed(b *builder, access model.Access, nsg ...string) *model.AdminRuleCollection {
	for name, ranges := range map[string]string{"a": "10.1.0.0/16", "b": "10.2.0.0/16"} {
		b.vnet(name, ranges).Location = "westeurope"
	}
	b.subnet("a/s", "10.1.0.0/24", "nsg=web")
	b.nsg("web", nsg...)
	b.add(&model.NetworkGroup{Meta: meta(managerID("/networkGroups/g")), Manager: managerID(""), Members: []model.GroupMember{{Name: "a", Source: source("a"), Resource: vnetID("a")}}})
	b.add(&model.SecurityAdminConfiguration{Meta: meta(managerID("/securityAdminConfigurations/sec")), Manager: managerID("")})
	c := &model.AdminRuleCollection{
		Meta: meta(managerID("/securityAdminConfigurations/sec/ruleCollections/base")), Configuration: managerID("/securityAdminConfigurations/sec"),
		Groups: []model.ID{managerID("/networkGroups/g")},
	}
	c.Rules = []model.AdminRule{{ID: c.ID + "/rules/X", SecurityRule: model.SecurityRule{
		Name: "X", Source: source("X"), Priority: 10, Direction: model.Inbound, Access: access, Protocol: model.TCP, SourceAddrs: model.AddressMatch{Any: true},
		DestAddrs: model.AddressMatch{Any: true}, SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{{First: 22, Last: 22}},
	}}}
	b.add(c)
	return c
}

func deployed(b *builder, state string, configs ...model.ID) {
	b.add(&model.DeploymentStatus{
		Meta: meta(managerID("/deployments/SecurityAdmin-westeurope")), Manager: managerID(""), Region: "westeurope", Kind: "SecurityAdmin", State: state, Configurations: configs,
	})
}

// inForceAt adds the rules in force at a VNet.
func inForceAt(b *builder, vnet string, rules ...model.AdminRule) {
	b.add(&model.EffectiveAdminRules{Meta: meta(vnetID(vnet) + "/effectiveSecurityAdminRules/default"), VNet: vnetID(vnet), Rules: rules})
}

func managerCases() []testCase {
	const rule, config, deny = "admin-rule:nm/sec/base/X", "admin-configuration:nm/sec", "NoSsh 100 In Deny tcp * * 22"
	mesh := func(overlap bool, topology string) func(*builder) {
		return func(b *builder) {
			b.vnet("a", "10.1.0.0/16")
			second := "10.2.0.0/16"
			if overlap {
				second = "10.1.128.0/17"
			}
			b.vnet("b", second)
			g := &model.NetworkGroup{Meta: meta(managerID("/networkGroups/g")), Manager: managerID("")}
			for _, v := range []string{"a", "b"} {
				g.Members = append(g.Members, model.GroupMember{Name: v, Source: source(v), Resource: vnetID(v)})
			}
			b.add(g)
			b.add(&model.ConnectivityConfiguration{Meta: meta(managerID("/connectivityConfigurations/c")), Manager: managerID(""), Facts: model.Connectivity{
				Topology: topology, Groups: []model.ConnectivityGroup{{Group: g.ID}},
			}})
		}
	}
	return []testCase{
		{id: "always-allow-past-deny", name: "in force", build: func(b *builder) {
			inForceAt(b, "a", managed(b, model.AlwaysAllow, deny).Rules...)
		}, want: []string{rule}},
		{id: "always-allow-past-deny", name: "perhaps deployed", build: func(b *builder) { managed(b, model.AlwaysAllow, deny) }, want: []string{rule}, severity: Warning},
		{id: "always-allow-past-deny", name: "deployed", build: func(b *builder) {
			deployed(b, "Deployed", managed(b, model.AlwaysAllow, deny).Configuration)
		}, want: []string{rule}},
		{id: "always-allow-past-deny", name: "another one is deployed", build: func(b *builder) {
			managed(b, model.AlwaysAllow, deny)
			deployed(b, "Deployed")
		}},
		{id: "always-allow-past-deny", name: "a Deny for another port", build: func(b *builder) { managed(b, model.AlwaysAllow, "NoRdp 100 In Deny tcp * * 3389") }},
		{id: "always-allow-past-deny", name: "a Deny the other way", build: func(b *builder) { managed(b, model.AlwaysAllow, "NoSsh 100 Out Deny tcp * * 22") }},
		{id: "always-allow-past-deny", name: "an Allow leaves it to the NSG", build: func(b *builder) { managed(b, model.Allow, deny) }},
		{id: "always-allow-past-deny", name: "the list of what is in force is empty", build: func(b *builder) {
			managed(b, model.AlwaysAllow, deny)
			inForceAt(b, "a")
		}},

		{id: "admin-rules-undeployed", name: "rules alone", build: func(b *builder) { managed(b, model.Deny) }, want: []string{config}},
		{id: "admin-rules-undeployed", name: "a deployment that failed", build: func(b *builder) {
			deployed(b, "Failed", managed(b, model.Deny).Configuration)
		}, want: []string{config}},
		{id: "admin-rules-undeployed", name: "deployed", build: func(b *builder) {
			deployed(b, "Deployed", managed(b, model.Deny).Configuration)
		}},
		{id: "admin-rules-undeployed", name: "another one is deployed", build: func(b *builder) {
			managed(b, model.Deny)
			deployed(b, "Deployed")
		}},
		{id: "admin-rules-undeployed", name: "listed for each VNet", build: func(b *builder) {
			managed(b, model.Deny)
			inForceAt(b, "a")
			inForceAt(b, "b")
		}},

		{id: "admin-deny-skipped", name: "SQL Managed Instance", build: func(b *builder) {
			managed(b, model.Deny)
			b.subnet("a/mi", "10.1.1.0/24").Delegations = []string{"Microsoft.Sql/managedInstances"}
		}, want: []string{"vnet:a"}},
		{id: "admin-deny-skipped", name: "applied to all", build: func(b *builder) {
			managed(b, model.Deny)
			b.subnet("a/mi", "10.1.1.0/24").Delegations = []string{"Microsoft.Databricks/workspaces"}
			for _, r := range b.resources {
				if c, ok := r.(*model.SecurityAdminConfiguration); ok {
					c.IntentPolicy = model.IntentAll
				}
			}
		}},
		{id: "admin-deny-skipped", name: "no member", build: func(b *builder) {
			managed(b, model.Deny)
			b.subnet("b/mi", "10.2.1.0/24").Delegations = []string{"Microsoft.Sql/managedInstances"}
		}},

		{id: "connected-group-overlap", name: "a mesh", build: mesh(true, "Mesh"), want: []string{"connectivity:nm/c"}},
		{id: "connected-group-overlap", name: "ranges of their own", build: mesh(false, "Mesh")},
		{id: "connected-group-overlap", name: "spokes that are not joined", build: mesh(true, "HubAndSpoke")},
	}
}
