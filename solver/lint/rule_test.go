package lint

import (
	"github.com/ringfence/ringfence/model"
)

// served is a subnet with a machine, behind the NSG web.
func served(b *builder, rules ...string) {
	guardedSubnet(b, rules...)
	b.nic("app", "net/web", "10.0.0.4")
}

func ruleCases() []testCase {
	rules := func(list ...string) func(*builder) { return func(b *builder) { served(b, list...) } }
	only := func(list ...string) func(*builder) { return func(b *builder) { b.nsg("web", list...) } }
	layers := func(subnetRule, nicRule string) func(*builder) {
		return func(b *builder) {
			guardedSubnet(b, subnetRule, denyIn)
			b.nsg("own", nicRule, denyIn)
			b.nic("app", "net/web", "10.0.0.4", "nsg=own")
		}
	}
	// governed is a served subnet in whose VNet a security admin rule is in force.
	governed := func(access model.Access, more func(*builder), list ...string) func(*builder) {
		return func(b *builder) {
			served(b, list...)
			manager := network("networkManagers", "central")
			r := model.AdminRule{
				ID: manager + "/securityAdminConfigurations/base/ruleCollections/all/rules/ssh",
				SecurityRule: model.SecurityRule{
					Name: "ssh", Source: source("ssh"), Priority: 10, Access: access, Protocol: model.TCP, SourceAddrs: b.match("*"), DestAddrs: b.match("*"),
					SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: b.ports("22"),
				},
			}
			b.add(&model.EffectiveAdminRules{Meta: meta(vnetID("net") + "/effectiveSecurityAdminRules/default"), VNet: vnetID("net"), Rules: []model.AdminRule{r}})
			if more != nil {
				more(b)
			}
		}
	}
	return []testCase{
		{id: "rule-shadowed", name: "an Allow behind a Deny of more", build: rules("No 100 In Deny * 10.0.0.0/8 * *", "Web 200 In Allow tcp 10.1.0.0/16 * 443", denyIn), want: []string{"nsg:web/Web"}},
		{
			id: "rule-shadowed", name: "a Deny behind two Allows that cover it together", severity: Error,
			build: rules("Low 100 In Allow tcp 10.1.0.0/17 * *", "High 110 In Allow tcp 10.1.128.0/17 * 0-65535", "No 200 In Deny tcp 10.1.0.0/16 * 22", denyIn), want: []string{"nsg:web/No"},
		},
		{
			id: "rule-shadowed", name: "a part of it is denied before", severity: Error,
			build: rules("Ssh 100 In Allow tcp 10.1.0.0/16 * 22", "NoLow 110 In Deny tcp 10.1.0.0/16 * 0-21", "NoHigh 120 In Deny tcp 10.1.0.0/16 * 23-65535", "No 200 In Deny tcp 10.1.0.0/16 * *", denyIn), want: []string{"nsg:web/No"},
		},
		{id: "rule-shadowed", name: "the same outcome before", severity: Note, build: rules("All 100 In Allow * 10.1.0.0/16 * *", "Web 200 In Allow tcp 10.1.2.0/24 * 443", denyIn), want: []string{"nsg:web/Web"}},
		{id: "rule-shadowed", name: "every address of the subnet is covered", severity: Note, build: rules("All 100 In Allow tcp * 10.0.0.0/24 443", "Web 200 In Allow tcp * * 443", denyIn), want: []string{"nsg:web/Web"}},
		{id: "rule-shadowed", name: "the tag holds the VNet", severity: Note, build: rules("All 100 In Allow tcp VirtualNetwork * 443", "Web 200 In Allow tcp 10.0.7.0/24 * 443", denyIn), want: []string{"nsg:web/Web"}},
		{id: "rule-shadowed", name: "a regional tag is inside its service's", severity: Note, build: rules("All 100 Out Allow tcp * Storage 443", "Web 200 Out Allow tcp * Storage.WestEurope 443", "NoOut 4096 Out Deny * * * *"), want: []string{"nsg:web/Web"}},
		{id: "rule-shadowed", name: "the NSG stands nowhere", build: only("No 100 In Deny * 10.0.0.0/8 * *", "Web 200 In Allow tcp 10.1.0.0/16 * 443"), want: []string{"nsg:web/Web"}},
		{id: "rule-shadowed", name: "both ask ports of any protocol", severity: Note, build: rules("All 100 In Allow * 10.1.0.0/16 * 443", "Web 200 In Allow * 10.1.2.0/24 * 443", denyIn), want: []string{"nsg:web/Web"}},
		{id: "rule-shadowed", name: "one port is left", build: rules("NoLow 100 In Deny tcp 10.0.0.0/8 * 0-442", "NoHigh 110 In Deny tcp 10.0.0.0/8 * 444-65535", "Web 200 In Allow tcp 10.1.0.0/16 * *", denyIn)},
		{id: "rule-shadowed", name: "packets without ports are left, or not", build: rules("All 100 In Allow * 10.1.0.0/16 * 443", "Web 200 In Deny icmp 10.1.2.0/24 * *", denyIn)}, // AZ-NSG-07
		{id: "rule-shadowed", name: "whether the tag holds the peers of a peer is not known", build: func(b *builder) {
			served(b, "All 100 In Allow tcp VirtualNetwork * 443", "Web 200 In Allow tcp 10.2.0.0/16 * 443", denyIn)
			hub, far := b.vnet("hub", "10.1.0.0/16"), b.vnet("far", "10.2.0.0/16")
			mine, _ := b.peer(added[*model.VNet](b, "net"), hub)
			mine.AllowForwarded = model.On
			b.peer(hub, far)
		}},
		{id: "rule-shadowed", name: "a Deny for a group, where others are not in it", build: func(b *builder) { // AZ-ASG-04
			served(b, "No 100 In Deny tcp asg:db * 443", "Web 200 In Allow tcp 10.0.0.9 * 443", denyIn)
			b.nic("db", "net/web", "10.0.0.9", "asg=db")
		}},
		{id: "rule-shadowed", name: "what an earlier rule matches was not understood", build: func(b *builder) {
			served(b, "No 100 In Deny * 10.0.0.0/8 * *", "Web 200 In Allow tcp 10.1.0.0/16 * 443", denyIn)
			added[*model.NSG](b, "web").Rules[0].UnknownMatch = "a field"
		}},
		{id: "rule-shadowed", name: "one priority twice: the order is not known", build: rules("No 100 In Deny * 10.0.0.0/8 * *", "Web 100 In Allow tcp 10.1.0.0/16 * 443", denyIn)},
		{id: "rule-shadowed", name: "the other direction", build: rules("No 100 Out Deny * * * *", "Web 200 In Allow tcp 10.1.0.0/16 * 443", denyIn)},
		{id: "rule-shadowed", name: "AKS wrote it", build: func(b *builder) {
			served(b, "No 100 In Deny * 10.0.0.0/8 * *", "Web 200 In Allow tcp 10.1.0.0/16 * 443")
			added[*model.NSG](b, "web").Managed = true
		}},
		{id: "rule-shadowed", name: "Bastion demands the rule", build: func(b *builder) { // AZ-BAS-02
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/AzureBastionSubnet", "10.0.0.0/26", "nsg=bastion")
			b.nsg("bastion", "Https 110 In Allow tcp Internet * 443", "Manager 120 In Allow tcp GatewayManager * 443")
		}},

		{id: "rule-redundant", name: "an Allow inside the default rules", build: rules("Web 100 In Allow tcp 10.0.0.0/16 * 443"), want: []string{"nsg:web/Web"}},
		{id: "rule-redundant", name: "to the internet, as the default rules do", build: rules("Web 100 Out Allow tcp * Internet 443"), want: []string{"nsg:web/Web"}},
		{id: "rule-redundant", name: "a Deny before the Deny of everything", build: rules("NoSsh 100 In Deny tcp 10.1.0.0/16 * 22", denyIn), want: []string{"nsg:web/NoSsh"}},
		{id: "rule-redundant", name: "an Allow within a wider one behind it", build: rules("Web 100 In Allow tcp 10.1.2.0/24 * 443", "All 200 In Allow tcp 10.1.0.0/16 * *", denyIn), want: []string{"nsg:web/Web"}},
		{id: "rule-redundant", name: "of two that replace each other, one", build: rules("A 100 In Allow tcp 10.1.0.0/16 * 443", "B 200 In Allow tcp 10.1.0.0/16 * 443", denyIn)},
		{id: "rule-redundant", name: "the only access", build: rules("Web 100 In Allow tcp 10.0.0.0/16 * 443", denyIn)},
		{id: "rule-redundant", name: "an exception to a Deny behind it", build: rules("Web 100 In Allow tcp 10.0.0.0/16 * 443", "No 200 In Deny tcp * * 443")},
		{id: "rule-redundant", name: "the last Deny against the default rules", build: rules(denyIn)},
		{id: "rule-redundant", name: "whether the tag grew is not known", build: func(b *builder) { // AZ-TAG-02
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "nsg=web", "rt=out")
			b.routes("out", "default 0.0.0.0/0 10.0.9.4")
			b.nsg("web", "NoNet 100 In Deny tcp 198.51.100.0/24 * *")
			b.nic("app", "net/web", "10.0.0.4")
		}},
		{id: "rule-redundant", name: "the ranges of a peer are not known", build: func(b *builder) { // AZ-TAG-01
			served(b, "NoDb 100 In Deny tcp 10.9.0.0/16 * 1433")
			added[*model.VNet](b, "net").Peerings = []model.Peering{{Name: "far", Source: source("far"), Remote: vnetID("far"), State: "Connected", AllowVNetAccess: model.On}}
		}},
		{id: "rule-redundant", name: "effective rules show that the tag grew", build: func(b *builder) { // AZ-TAG-04
			served(b, "NoNet 100 In Deny tcp 198.51.100.0/24 * *")
			tag := model.SecurityRule{Name: "AllowVnetInBound", Priority: 65000, Access: model.Allow, SourceAddrs: b.match("VirtualNetwork"), DestAddrs: b.match("VirtualNetwork")}
			b.add(&model.EffectiveRules{
				Meta: meta(model.EffectiveRulesID(nicID("app"))), Of: nicID("app"),
				Groups: []model.EffectiveGroup{{NSG: nsgID("web"), Rules: []model.EffectiveRule{{SecurityRule: tag, ExpandedSource: prefixes(b.t, "0.0.0.0/0"), ExpandedDest: prefixes(b.t, "0.0.0.0/0")}}}},
			})
		}},
		{id: "rule-redundant", name: "as before, and they are not in the input", build: rules("NoNet 100 In Deny tcp 198.51.100.0/24 * *"), want: []string{"nsg:web/NoNet"}},
		{id: "rule-redundant", name: "packets of others come by", build: func(b *builder) { // AZ-NSG-18
			served(b, "Web 100 In Allow tcp 10.0.0.0/16 * 443")
			b.nic("nva", "net/web", "10.0.0.5", "forward")
		}},
		{id: "rule-redundant", name: "pods come by", build: func(b *builder) { // K8S-AZ-06
			served(b, "NoPods 100 Out Deny tcp 10.244.0.0/16 * 443")
			c := b.cluster("aks")
			c.Pools, c.PodCIDRs = []model.NodePool{{Name: "np", Subnet: subnetID("net/web")}}, prefixes(b.t, "10.244.0.0/16")
		}},
		{id: "rule-redundant", name: "an endpoint reads source ports otherwise", build: func(b *builder) { // AZ-PE-07
			served(b, "Web 100 In Allow tcp 10.0.0.0/16 * 443", "No 4096 In Deny tcp 10.9.0.0/16 * * 1024-65535")
			b.endpoint("pe", "net/web", "10.0.0.9", resourceID("Microsoft.Test/services", "x"))
		}},
		{id: "rule-redundant", name: "just-in-time access wrote it", build: rules("MicrosoftDefenderForCloud-JITRule_1 4095 In Deny tcp * 10.0.0.4 22", denyIn)},

		{id: "rule-unused", name: "a Deny for another subnet", build: rules("No 100 In Deny tcp * 10.0.9.0/24 *", denyIn), want: []string{"nsg:web/No"}},
		{id: "rule-unused", name: "an Allow to the public address", severity: Note, build: rules("Web 100 In Allow tcp Internet 20.0.0.9 443", denyIn), want: []string{"nsg:web/Web"}}, // AZ-NSG-16
		{id: "rule-unused", name: "outbound from somebody else", build: rules("No 100 Out Deny tcp 10.0.9.0/24 * *"), want: []string{"nsg:web/No"}},
		{id: "rule-unused", name: "to a group whose members are elsewhere", severity: Note, build: func(b *builder) {
			served(b, "Web 100 In Allow tcp Internet asg:db 443", denyIn)
			b.subnet("net/db", "10.0.1.0/24")
			b.nic("db", "net/db", "10.0.1.4", "asg=db")
		}, want: []string{"nsg:web/Web"}},
		{id: "rule-unused", name: "at an interface, for its neighbour", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24")
			b.nsg("own", "No 100 In Deny tcp * 10.0.0.5 22", denyIn)
			b.nic("app", "net/web", "10.0.0.4", "nsg=own")
		}, want: []string{"nsg:own/No"}},
		{id: "rule-unused", name: "metadata by its address", build: rules("NoMetadata 100 Out Deny * * 169.254.169.254 *"), want: []string{"nsg:web/NoMetadata"}}, // AZ-PLAT-03
		{id: "rule-unused", name: "ICMP to IPv6 may match", build: func(b *builder) { // AZ-V6-02
			b.vnet("net", "10.0.0.0/16", "fd00:1::/48")
			b.subnet("net/web", "10.0.0.0/24,fd00:1::/64", "nsg=web")
			b.nsg("web", "No 100 In Deny icmp fd00:2::/64 * *")
			b.nic("app", "net/web", "10.0.0.4")
		}},
		{id: "rule-unused", name: "metadata by its tag", build: rules("NoMetadata 100 Out Deny * * AzurePlatformIMDS *")},
		{id: "rule-unused", name: "another subnet of the NSG", build: func(b *builder) {
			served(b, "No 100 In Deny tcp * 10.0.9.0/24 *", denyIn)
			b.subnet("net/db", "10.0.9.0/24", "nsg=web")
			b.nic("db", "net/db", "10.0.9.4")
		}},
		{id: "rule-unused", name: "an appliance forwards there", build: func(b *builder) {
			served(b, "No 100 In Deny tcp * 10.0.9.0/24 *", denyIn)
			b.nic("nva", "net/web", "10.0.0.5", "forward")
		}},
		{id: "rule-unused", name: "nothing is known to be in the subnet", build: func(b *builder) { guardedSubnet(b, "No 100 In Deny tcp * 10.0.9.0/24 *", denyIn) }},
		{id: "rule-unused", name: "a load balancer leaves its address in the packet", build: func(b *builder) { // AZ-LB-05
			served(b, "Web 100 In Allow tcp Internet 20.0.0.9 443", denyIn)
			pool := lbID("lb") + "/backendAddressPools/p"
			b.add(&model.LoadBalancer{
				Meta: meta(lbID("lb")), Pools: []model.LBPool{{ID: pool, IPConfigs: []model.ID{nicID("app") + "/ipConfigurations/ip"}}},
				Rules: []model.LBRule{{Pools: []model.ID{pool}, Protocol: model.TCP, FrontendPort: 443, BackendPort: 443, FloatingIP: model.On}},
			})
		}},

		{id: "rule-over-wide", name: "every port from everybody", build: rules("All 100 In Allow tcp Internet * *", denyIn), want: []string{"nsg:web/All"}},
		{id: "rule-over-wide", name: "ports of administration are denied before", build: rules("NoAdmin 90 In Deny tcp * * 22,3389", "All 100 In Allow * * * *", denyIn), want: []string{"nsg:web/All"}},
		{id: "rule-over-wide", name: "high ports of UDP", build: rules("Media 100 In Allow udp * * 10000-20000", denyIn), want: []string{"nsg:web/Media"}},
		{id: "rule-over-wide", name: "few ports", build: rules("Web 100 In Allow tcp * * 443,8000-8100", denyIn)},
		{id: "rule-over-wide", name: "from the office", build: rules("All 100 In Allow * 198.51.100.0/24 * *", denyIn)},
		{id: "rule-over-wide", name: "the internet is denied before", build: rules("No 90 In Deny * Internet * *", "All 100 In Allow * * * *", denyIn)},
		{id: "rule-over-wide", name: "most ports are denied before", build: rules("No 90 In Deny tcp * * 500-65535", "All 100 In Allow tcp * * *", denyIn)},
		{id: "rule-over-wide", name: "outbound", build: rules("All 100 Out Allow * * * *")},

		{id: "rule-overruled", name: "the subnet denies what the interface allows", build: layers("Web 100 In Allow tcp * * 443", "Ssh 100 In Allow tcp * * 22"), want: []string{"nsg:own/Ssh"}},
		{id: "rule-overruled", name: "outbound", build: func(b *builder) {
			guardedSubnet(b, "NoOut 100 Out Deny * * * *")
			b.nsg("own", "Web 100 Out Allow tcp * Internet 443", "NoOut 200 Out Deny * * * *")
			b.nic("app", "net/web", "10.0.0.4", "nsg=own")
		}, want: []string{"nsg:own/Web"}},
		{id: "rule-overruled", name: "the interface denies what the subnet allows for it", build: func(b *builder) {
			guardedSubnet(b, "Ssh 100 In Allow tcp * 10.0.0.4 22", "Web 110 In Allow tcp * * 443", denyIn)
			b.nsg("own", "Web 100 In Allow tcp * * 443", denyIn)
			b.nic("app", "net/web", "10.0.0.4", "nsg=own")
		}, want: []string{"nsg:web/Ssh"}},
		{id: "rule-overruled", name: "the group's interfaces deny it", build: func(b *builder) {
			guardedSubnet(b, "Ssh 100 In Allow tcp 10.9.0.0/16 asg:app 22", denyIn)
			b.nsg("own", "Web 100 In Allow tcp * * 443", denyIn)
			b.nic("app", "net/web", "10.0.0.4", "nsg=own", "asg=app")
		}, want: []string{"nsg:own/Web", "nsg:web/Ssh"}},
		{id: "rule-overruled", name: "one of two interfaces lets it in", build: func(b *builder) {
			guardedSubnet(b, "Ssh 100 In Allow tcp * 10.0.0.4,10.0.0.5 22", denyIn)
			b.nsg("own", denyIn)
			b.nic("app", "net/web", "10.0.0.4", "nsg=own")
			b.nic("db", "net/web", "10.0.0.5")
		}},
		{id: "rule-overruled", name: "the next interface may let it in", build: func(b *builder) {
			guardedSubnet(b, "Ssh 100 In Allow tcp * 10.0.0.0/24 22", denyIn)
			b.nsg("own", denyIn)
			b.nic("app", "net/web", "10.0.0.4", "nsg=own")
		}},
		{id: "rule-overruled", name: "security admin rules drop it", build: governed(model.Deny, nil, "Ssh 100 In Allow tcp 10.9.0.0/16 * 22", denyIn), want: []string{"nsg:web/Ssh"}},
		{id: "rule-overruled", name: "security admin rules accept what it denies", severity: Error, build: governed(model.AlwaysAllow, nil, "NoSsh 100 In Deny tcp * * 22"), want: []string{"nsg:web/NoSsh"}},
		{id: "rule-overruled", name: "a security admin Allow asks the NSGs", build: governed(model.Allow, nil, "NoSsh 100 In Deny tcp * * 22")},
		{id: "rule-overruled", name: "security admin rules drop a part", build: governed(model.Deny, nil, "Ssh 100 In Allow tcp 10.9.0.0/16 * 22-23", denyIn)},
		{id: "rule-overruled", name: "the list of security admin rules goes on", build: governed(model.Deny, func(b *builder) {
			added[*model.EffectiveAdminRules](b, "default").Cut = true
		}, "Ssh 100 In Allow tcp 10.9.0.0/16 * 22", denyIn)},
		{id: "rule-overruled", name: "a private endpoint is in the subnet", build: governed(model.Deny, func(b *builder) { // AZ-AVNM-10
			b.endpoint("pe", "net/web", "10.0.0.9", resourceID("Microsoft.Test/services", "x"))
		}, "Ssh 100 In Allow tcp 10.9.0.0/16 * 22", denyIn)},
		{id: "rule-overruled", name: "a part passes", build: layers("Ssh 100 In Allow tcp 10.9.0.0/24 * 22", "Ssh 100 In Allow tcp * * 22")},
		{id: "rule-overruled", name: "another interface is in a subnet that allows it", build: func(b *builder) {
			layers("Web 100 In Allow tcp * * 443", "Ssh 100 In Allow tcp * * 22")(b)
			b.subnet("net/open", "10.0.1.0/24")
			b.nic("other", "net/open", "10.0.1.4", "nsg=own")
		}},
		{id: "rule-overruled", name: "a Deny behind a Deny", build: layers("NoSsh 100 In Deny tcp * * 22", "NoSsh 100 In Deny tcp * * 22")},
		{id: "rule-overruled", name: "whether the subnet denies it is not known", build: func(b *builder) { // AZ-TAG-02
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "nsg=web", "rt=out")
			b.routes("out", "default 0.0.0.0/0 10.0.9.4")
			b.nsg("web")
			b.nsg("own", "Ssh 100 In Allow tcp 198.51.100.0/24 * 22", denyIn)
			b.nic("app", "net/web", "10.0.0.4", "nsg=own")
		}},
	}
}
