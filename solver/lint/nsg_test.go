package lint

import "github.com/ringfence/ringfence/model"

// guardedSubnet is a subnet of a lone VNet behind the NSG web.
func guardedSubnet(b *builder, rules ...string) {
	b.vnet("net", "10.0.0.0/16")
	b.subnet("net/web", "10.0.0.0/24", "nsg=web")
	b.nsg("web", rules...)
}

func nsgCases() []testCase {
	guarded := func(rules ...string) func(*builder) { return func(b *builder) { guardedSubnet(b, rules...) } }
	routed := func(rules ...string) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "nsg=web", "rt=out")
			b.routes("out", "default 0.0.0.0/0 10.0.9.4")
			b.nsg("web", rules...)
		}
	}
	zones := func(kind model.ZoneKind, from string) func(*builder) {
		return func(b *builder) {
			b.external("campus", model.ZoneOnPrem, "10.80.0.0/13")
			b.external("other", kind, "10.90.0.0/16")
			guardedSubnet(b, "AllowCampus 100 In Allow tcp "+from+" * 443", denyIn)
		}
	}
	return []testCase{
		{id: "admin-port-open", name: "SSH from any", build: guarded("Ssh 100 In Allow tcp * * 22", denyIn), want: []string{"nsg:web/Ssh"}},
		{id: "admin-port-open", name: "RDP in a list, from Internet", build: guarded("Web 100 In Allow tcp Internet * 443,3389,8443", denyIn), want: []string{"nsg:web/Web"}},
		{id: "admin-port-open", name: "every port of any protocol", build: guarded("All 100 In Allow * 0.0.0.0/0 * *", denyIn), want: []string{"nsg:web/All"}},
		{id: "admin-port-open", name: "half of the internet", build: guarded("Half 100 In Allow tcp 128.0.0.0/1 * 5985-5986", denyIn), want: []string{"nsg:web/Half"}},
		{id: "admin-port-open", name: "kubelet from every Azure customer", build: guarded("Node 100 In Allow tcp AzureCloud.westeurope * 10250", denyIn), want: []string{"nsg:web/Node"}},
		{id: "admin-port-open", name: "the NSG is attached to nothing", build: func(b *builder) { b.nsg("web", "Ssh 100 In Allow tcp * * 22") }, want: []string{"nsg:web/Ssh"}},
		{id: "admin-port-open", name: "from the office", build: guarded("Ssh 100 In Allow tcp 198.51.100.0/24 * 22", denyIn)},
		{id: "admin-port-open", name: "another port", build: guarded("Web 100 In Allow tcp * * 443", denyIn)},
		{id: "admin-port-open", name: "denied before", build: guarded("NoSsh 90 In Deny tcp * * 22", "Ssh 100 In Allow tcp * * 22", denyIn)},
		{id: "admin-port-open", name: "denied before at one other address only", build: guarded("NoSsh 90 In Deny tcp * 10.0.0.9 22", "Ssh 100 In Allow tcp * * 22", denyIn), want: []string{"nsg:web/Ssh"}},
		{id: "admin-port-open", name: "udp", build: guarded("Udp 100 In Allow udp * * 22", denyIn)},

		{id: "admin-port-in-list", name: "RDP among web ports, ahead of its Deny", build: guarded("Bastion 100 In Allow tcp 10.9.0.0/26 * 443,3389", "NoAdmin 110 In Deny tcp * * 22,3389", denyIn), want: []string{"nsg:web/Bastion"}},
		{id: "admin-port-in-list", name: "an exception for RDP alone", build: guarded("Bastion 100 In Allow tcp 10.9.0.0/26 * 3389", "NoAdmin 110 In Deny tcp * * 22,3389", denyIn)},
		{id: "admin-port-in-list", name: "behind the Deny", build: guarded("NoAdmin 110 In Deny tcp * * 22,3389", "Bastion 120 In Allow tcp 10.9.0.0/26 * 443,3389", denyIn)},
		{id: "admin-port-in-list", name: "the Deny is for everything", build: guarded("Bastion 100 In Allow tcp 10.9.0.0/26 * 443,3389", denyIn)},
		{id: "admin-port-in-list", name: "the Deny is for another address", build: guarded("Bastion 100 In Allow tcp 10.9.0.0/26 10.0.0.4 443,3389", "NoAdmin 110 In Deny tcp * 10.0.0.5 22,3389", denyIn)},

		{id: "subnet-without-nsg", name: "none", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24")
		}, want: []string{"subnet:net/web"}},
		{id: "subnet-without-nsg", name: "an interface has its own", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24")
			b.nsg("own", denyIn)
			b.nic("a", "net/web", "10.0.0.4", "nsg=own")
		}, want: []string{"subnet:net/web"}},
		{id: "subnet-without-nsg", name: "there is one", build: guarded(denyIn)},
		{id: "subnet-without-nsg", name: "subnets that take none", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/GatewaySubnet", "10.0.1.0/27")
			b.subnet("net/AzureFirewallSubnet", "10.0.2.0/26")
			b.subnet("net/azurefirewallmanagementsubnet", "10.0.3.0/26")
			b.subnet("net/RouteServerSubnet", "10.0.4.0/26")
			b.subnet("net/db", "10.0.5.0/24", "delegated=Microsoft.DBforPostgreSQL/flexibleServers")
		}},

		// EX-13 of azure-network.md.
		{id: "tag-growth", name: "default rules behind a default route", build: routed(), want: []string{"subnet:net/web"}},
		{id: "tag-growth", name: "an own rule with the tag", build: routed("Vnet 100 In Allow tcp VirtualNetwork * 443", "DenyAllIn 4096 In Deny tcp * * *"), want: []string{"subnet:net/web"}},
		{id: "tag-growth", name: "two halves", build: func(b *builder) {
			routed()(b)
			b.subnet("net/app", "10.0.1.0/24", "nsg=web", "rt=halves")
			b.routes("halves", "low 0.0.0.0/1 10.0.9.4", "high 128.0.0.0/1 10.0.9.4")
		}, want: []string{"subnet:net/app", "subnet:net/web"}},
		{id: "tag-growth", name: "a gateway announces the default", build: func(b *builder) {
			guardedSubnet(b)
			b.subnet("net/GatewaySubnet", "10.0.1.0/27")
			b.add(&model.Gateway{Meta: meta(network("virtualNetworkGateways", "vgw")), Subnet: subnetID("net/GatewaySubnet"), AdvertisedDefault: model.On})
		}, want: []string{"subnet:net/web"}},
		{id: "tag-growth", name: "NSG of an interface", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "rt=out")
			b.routes("out", "default 0.0.0.0/0 10.0.9.4")
			b.nsg("own")
			b.nic("a", "net/web", "10.0.0.4", "nsg=own")
		}, want: []string{"subnet:net/web"}},
		{id: "tag-growth", name: "a Deny at 4096", build: routed(denyIn)},
		{id: "tag-growth", name: "a Deny for each protocol, at the subnet", build: routed("A 4094 In Deny tcp * 10.0.0.0/24 *", "B 4095 In Deny udp * 10.0.0.0/24 *", "C 4096 In Deny icmp * 10.0.0.0/24 *")},
		{id: "tag-growth", name: "a Deny for the internet alone", build: routed("NoInternet 4096 In Deny * Internet * *"), want: []string{"subnet:net/web"}},
		{id: "tag-growth", name: "no default route", build: guarded()},
		{id: "tag-growth", name: "the table is not in the input", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "nsg=web", "rt=gone")
			b.nsg("web")
		}},

		{id: "nsg-without-deny", name: "ends in the default rules", build: guarded("Web 100 In Allow tcp Internet * 443"), want: []string{"nsg:web"}},
		{id: "nsg-without-deny", name: "ends in a Deny", build: guarded(denyIn)},
		{id: "nsg-without-deny", name: "tag-growth says more", build: routed()},
		{id: "nsg-without-deny", name: "AKS wrote it", build: func(b *builder) {
			guardedSubnet(b)
			b.resources[len(b.resources)-1].(*model.NSG).Managed = true
		}},

		{id: "server-port-as-source", name: "443 on the wrong side", build: guarded("Web 100 In Allow tcp Internet * * 443", denyIn), want: []string{"nsg:web/Web"}},
		{id: "server-port-as-source", name: "a Deny", build: guarded("NoSsh 100 In Deny tcp * * * 22", denyIn), want: []string{"nsg:web/NoSsh"}},
		{id: "server-port-as-source", name: "high ports", build: guarded("Web 100 In Allow tcp Internet * 443 1024-65535", denyIn)},
		{id: "server-port-as-source", name: "NTP uses one port on both sides", build: guarded("Ntp 100 In Allow udp 10.9.0.4 * 123 123", denyIn)},

		{id: "rule-asg-without-members", name: "not in the input", build: guarded("Web 100 In Allow tcp Internet asg:web 443", denyIn), want: []string{"nsg:web/Web"}},
		{id: "rule-asg-without-members", name: "a Deny for an empty one", build: func(b *builder) {
			guardedSubnet(b, "NoDb 100 In Deny tcp asg:web * 1433", denyIn)
			b.add(&model.ASG{Meta: meta(asgID("web"))})
		}, want: []string{"nsg:web/NoDb"}},
		{id: "rule-asg-without-members", name: "an Allow for an empty one", build: func(b *builder) {
			guardedSubnet(b, "Db 100 In Allow tcp asg:web * 1433", denyIn)
			b.add(&model.ASG{Meta: meta(asgID("web"))})
		}, want: []string{"nsg:web/Db"}, severity: Note},
		{id: "rule-asg-without-members", name: "an interface is in it", build: func(b *builder) {
			guardedSubnet(b, "Web 100 In Allow tcp Internet asg:web 443", denyIn)
			b.nic("a", "net/web", "10.0.0.4", "asg=web")
		}},

		// AZ-ASG-02.
		{id: "asg-spans-vnets", name: "members in two VNets", build: func(b *builder) {
			b.vnet("one", "10.0.0.0/16")
			b.vnet("two", "10.1.0.0/16")
			b.subnet("one/s", "10.0.0.0/24")
			b.subnet("two/s", "10.1.0.0/24")
			b.nic("a", "one/s", "10.0.0.4", "asg=web")
			b.nic("b", "two/s", "10.1.0.4", "asg=web")
			b.add(&model.ASG{Meta: meta(asgID("web"))})
		}, want: []string{"asg:web"}},
		{id: "asg-spans-vnets", name: "a rule between groups of two VNets", build: func(b *builder) {
			guardedSubnet(b, "Db 100 In Allow tcp asg:far asg:near 1433", denyIn)
			b.vnet("two", "10.1.0.0/16")
			b.subnet("two/s", "10.1.0.0/24")
			b.nic("a", "net/web", "10.0.0.4", "asg=near")
			b.nic("b", "two/s", "10.1.0.4", "asg=far")
			b.add(&model.ASG{Meta: meta(asgID("near"))})
			b.add(&model.ASG{Meta: meta(asgID("far"))})
		}, want: []string{"nsg:web/Db"}},
		{id: "asg-spans-vnets", name: "two groups of one VNet", build: func(b *builder) {
			guardedSubnet(b, "Db 100 In Allow tcp asg:app asg:db 1433", denyIn)
			b.nic("a", "net/web", "10.0.0.4", "asg=app")
			b.nic("b", "net/web", "10.0.0.5", "asg=db")
			b.add(&model.ASG{Meta: meta(asgID("app"))})
			b.add(&model.ASG{Meta: meta(asgID("db"))})
		}},

		{id: "nsg-ignored", name: "on GatewaySubnet", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/GatewaySubnet", "10.0.1.0/27", "nsg=web")
			b.nsg("web", denyIn)
		}, want: []string{"subnet:net/GatewaySubnet"}},
		{id: "nsg-ignored", name: "on a subnet of frontends, the machines behind open to the network", build: frontends("Admin 100 In Deny tcp * * 22"), want: []string{"subnet:net/ilb"}},
		{id: "nsg-ignored", name: "on a subnet of frontends, the machines behind guarded", build: frontends("Web 100 In Allow tcp 10.0.5.0/24 * 443", denyIn)},
		{id: "nsg-ignored", name: "a machine stands beside the frontend", build: func(b *builder) {
			frontends("Admin 100 In Deny tcp * * 22")(b)
			b.nic("proxy", "net/ilb", "10.0.4.9")
		}},
		{id: "nsg-without-deny", name: "on a subnet of frontends it admits nobody", build: frontends(denyIn)},
		{id: "nsg-ignored", name: "on AzureBastionSubnet it counts", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/AzureBastionSubnet", "10.0.1.0/26", "nsg=web")
			b.nsg("web", denyIn)
		}},

		{id: "egress-to-any-tenant", name: "Storage of a region", build: guarded("Store 100 Out Allow tcp * Storage.WestEurope 443"), want: []string{"nsg:web/Store"}},
		{id: "egress-to-any-tenant", name: "a network rule of the firewall", build: func(b *builder) {
			b.vnet("hub", "10.0.0.0/16")
			_, p := b.firewall("fw", "hub", "10.0.0.0/26", "10.0.0.4")
			b.group(p, model.NetworkRules, model.Allow, model.FirewallRule{
				Sources: b.match("10.1.0.0/16"), Dests: b.match("Sql"), Protocols: []model.Protocol{model.TCP}, Ports: b.ports("1433"),
			})
		}, want: []string{"firewall:fw-policy/group/list/rule"}},
		{id: "egress-to-any-tenant", name: "a service without data", build: guarded("Arm 100 Out Allow tcp * AzureResourceManager 443")},
		{id: "egress-to-any-tenant", name: "Bastion demands AzureCloud", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/AzureBastionSubnet", "10.0.1.0/26", "nsg=bastion")
			b.nsg("bastion", "Cloud 100 Out Allow tcp * AzureCloud 443")
		}},

		{id: "range-spans-zones", name: "a mask one bit too short", build: zones(model.ZoneWireless, "10.80.0.0/12"), want: []string{"nsg:web/AllowCampus"}},
		{id: "range-spans-zones", name: "in an IP group", build: func(b *builder) {
			zones(model.ZoneWireless, "10.80.0.0/13")(b)
			b.vnet("hub", "10.1.0.0/16")
			_, p := b.firewall("fw", "hub", "10.1.0.0/26", "10.1.0.4")
			b.add(&model.IPGroup{Meta: meta(network("ipGroups", "campus")), Prefixes: prefixes(b.t, "10.80.0.0/12")})
			b.group(p, model.ApplicationRules, model.Allow, model.FirewallRule{Sources: b.match("group:campus"), Apps: []model.AppProtocol{{Type: "Https", Port: 443}}, FQDNs: []string{"a.example"}})
		}, want: []string{"ipgroup:campus"}},
		{id: "range-spans-zones", name: "in a rule of the firewall", build: func(b *builder) {
			zones(model.ZoneWireless, "10.80.0.0/13")(b)
			b.vnet("hub", "10.1.0.0/16")
			_, p := b.firewall("fw", "hub", "10.1.0.0/26", "10.1.0.4")
			b.group(p, model.ApplicationRules, model.Allow, model.FirewallRule{Sources: b.match("10.80.0.0/12"), Apps: []model.AppProtocol{{Type: "Https", Port: 443}}, FQDNs: []string{"a.example"}})
		}, want: []string{"firewall:fw-policy/group/list/rule"}},
		{id: "range-spans-zones", name: "the range of one zone", build: zones(model.ZoneWireless, "10.80.0.0/13")},
		{id: "range-spans-zones", name: "two zones of one kind", build: zones(model.ZoneOnPrem, "10.80.0.0/12")},
		{id: "range-spans-zones", name: "an IP group that only a Deny uses", build: func(b *builder) {
			zones(model.ZoneWireless, "10.80.0.0/13")(b)
			b.vnet("hub", "10.1.0.0/16")
			_, p := b.firewall("fw", "hub", "10.1.0.0/26", "10.1.0.4")
			b.add(&model.IPGroup{Meta: meta(network("ipGroups", "campus")), Prefixes: prefixes(b.t, "10.80.0.0/12")})
			b.group(p, model.NetworkRules, model.Deny, model.FirewallRule{Sources: b.match("group:campus"), Dests: b.match("*"), Protocols: []model.Protocol{model.TCP}, Ports: b.ports("445")})
		}},
	}
}

// frontends is a subnet ilb with the frontend of a load balancer and an NSG without rules; the machine behind it is in the subnet nodes, under
// an NSG of these rules.
func frontends(rules ...string) func(*builder) {
	return func(b *builder) {
		b.vnet("net", "10.0.0.0/16")
		b.subnet("net/ilb", "10.0.4.0/28", "nsg=ilb")
		b.nsg("ilb")
		b.subnet("net/nodes", "10.0.8.0/24", "nsg=nodes")
		b.nsg("nodes", rules...)
		id := lbID("lb")
		front, pool := id+"/frontendIPConfigurations/f", id+"/backendAddressPools/p"
		b.nic("node", "net/nodes", "10.0.8.4").IPConfigs[0].LBPools = []model.ID{pool}
		b.add(&model.LoadBalancer{
			Meta: meta(id), Frontends: []model.LBFrontend{{ID: front, Name: "f", Subnet: subnetID("net/ilb"), Address: addr("10.0.4.4")}}, Pools: []model.LBPool{{ID: pool, Name: "p"}},
			Rules: []model.LBRule{{ID: id + "/loadBalancingRules/r", Name: "r", Frontend: front, Pools: []model.ID{pool}, Protocol: model.TCP, FrontendPort: 443, BackendPort: 443}},
		})
	}
}
