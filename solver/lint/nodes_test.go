package lint

import "github.com/ringfence/ringfence/model"

func nodesCases() []testCase {
	// cluster is a private overlay cluster with one pool of system nodes in net/nodes, behind the NSG nodes and the route to a firewall.
	cluster := func(change func(b *builder, c *model.Cluster, p *model.FirewallPolicy), rules ...string) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			_, p := b.firewall("fw", "net", "10.0.9.0/26", "10.0.9.4")
			b.routes("out", "default 0.0.0.0/0 10.0.9.4")
			s := b.subnet("net/nodes", "10.0.0.0/24", "nsg=nodes", "rt=out")
			b.nsg("nodes", rules...)
			c := b.cluster("aks")
			c.PodCIDRs = prefixes(b.t, "10.244.0.0/16")
			c.Pools = []model.NodePool{{Name: "np", Source: source("np"), Mode: "System", Subnet: s.ID, OS: "Linux"}}
			change(b, c, p)
		}
	}
	https := []model.AppProtocol{{Type: "Https", Port: 443}}
	rule := func(u model.FirewallRule) func(*builder, *model.Cluster, *model.FirewallPolicy) {
		return func(b *builder, _ *model.Cluster, p *model.FirewallPolicy) {
			u.Sources = b.match("10.0.0.0/24")
			b.group(p, model.ApplicationRules, model.Allow, u)
			p.Groups = []model.ID{p.ID + "/ruleCollectionGroups/group"}
		}
	}
	aks := rule(model.FirewallRule{Apps: https, FQDNTags: []string{"AzureKubernetesService"}})
	also := func(change func(*model.Cluster)) func(*builder, *model.Cluster, *model.FirewallPolicy) {
		return func(b *builder, c *model.Cluster, p *model.FirewallPolicy) { aks(b, c, p); change(c) }
	}
	none := func(*builder, *model.Cluster, *model.FirewallPolicy) {}
	registry := func(change func(b *builder, s *model.Service)) func(*builder) {
		return func(b *builder) {
			s := b.service(model.ContainerRegistry, "acr")
			s.Public, s.HasACLs, s.DefaultAccess, s.Tier, s.DataEndpoint = "Enabled", true, model.Deny, "Premium", model.Off
			change(b, s)
		}
	}
	kubenet := func(table string) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			s := b.subnet("net/nodes", "10.0.0.0/24", "rt=aks")
			b.subnet("net/gateway", "10.0.1.0/24", "rt="+table)
			b.add(&model.AppGateway{Meta: meta(agwID("agw")), Subnets: []model.ID{subnetID("net/gateway")}})
			c := b.cluster("aks")
			c.Plugin, c.PluginMode, c.DataPlane, c.Policy = "kubenet", "", "", "calico"
			c.AddOns, c.IngressGateway = map[string]bool{"ingressapplicationgateway": true}, agwID("agw")
			c.Pools = []model.NodePool{{Name: "np", Source: source("np"), Subnet: s.ID}}
		}
	}
	injected := func(rules ...string) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/db", "10.0.0.0/28", "nsg=db", "delegated=Microsoft.DBforPostgreSQL/flexibleServers")
			b.nsg("db", rules...)
			b.service(model.PostgreSQL, "pg").Injected = subnetID("net/db")
		}
	}
	perimeter := func(mode string, change func(*model.Service)) func(*builder) {
		return func(b *builder) {
			s := b.service(model.KeyVault, "kv")
			s.Public = "Enabled"
			change(s)
			b.add(&model.PerimeterAssociation{Meta: meta(network("networkSecurityPerimeters", "nsp/resourceAssociations/a")), Resource: s.ID, Mode: mode})
		}
	}
	asIs := func(*model.Service) {}
	policy := func(more ...model.PolicyPort) func(*builder) {
		return func(b *builder) {
			b.cluster("aks")
			b.namespace("pay")
			b.policy("pay", "dns", "", "out").Egress = []model.PolicyRule{{Ports: append([]model.PolicyPort{{Source: source("p"), Protocol: model.UDP, Ports: model.PortRange{First: 53, Last: 53}}}, more...)}}
		}
	}
	const allowIn, allowOut = "Cluster 100 In Allow * 10.0.0.0/24,10.244.0.0/16 * *", "Cluster 100 Out Allow * * 10.0.0.0/24,10.244.0.0/16 *"
	return []testCase{
		// AKS-NET-11.
		{id: "node-traffic-denied", name: "a Deny of everything inbound", build: cluster(none, "DenyAll 4096 In Deny * * * *"), want: []string{"subnet:net/nodes"}},
		{id: "node-traffic-denied", name: "a Deny of the VNet outbound", build: cluster(none, "DenyVnet 200 Out Deny * * 10.0.0.0/8 *"), want: []string{"subnet:net/nodes"}},
		{id: "node-traffic-denied", name: "the nodes are admitted before", build: cluster(none, allowIn, allowOut, "DenyAll 4096 In Deny * * * *", "DenyOut 4096 Out Deny * * 10.0.0.0/8 *")},
		{id: "node-traffic-denied", name: "SSH alone is denied", build: cluster(none, "DenySsh 100 In Deny tcp * * 22")},
		{id: "node-traffic-denied", name: "default rules", build: cluster(none)},

		// AKS-OUT-03 to AKS-OUT-06.
		{id: "cluster-egress-missing", name: "a firewall without rules", build: cluster(none), want: []string{"nodepool:np"}},
		{id: "cluster-egress-missing", name: "some names", build: cluster(rule(model.FirewallRule{Apps: https, FQDNs: []string{"*.microsoft.com", "login.microsoftonline.com"}})), want: []string{"nodepool:np"}},
		{id: "cluster-egress-missing", name: "the NSG shuts tcp/443", build: cluster(aks, allowOut, "DenyAll 4096 Out Deny * * * *"), want: []string{"nodepool:np"}},
		{id: "cluster-egress-missing", name: "an add-on whose names are missing", build: cluster(also(func(c *model.Cluster) { c.AddOns = map[string]bool{"azurepolicy": true} })), want: []string{"nodepool:np"}},
		{id: "cluster-egress-missing", name: "an add-on with a private endpoint", build: cluster(func(b *builder, c *model.Cluster, p *model.FirewallPolicy) {
			aks(b, c, p)
			c.AddOns = map[string]bool{"omsagent": true}
			b.endpoint("pe", "net/pe", "10.0.5.4", b.service(model.MonitorScope, "ampls").ID)
		})},
		{id: "cluster-egress-missing", name: "an add-on that is off", build: cluster(also(func(c *model.Cluster) { c.AddOns = map[string]bool{"azurepolicy": false} }))},
		{id: "cluster-egress-missing", name: "the FQDN tag", build: cluster(aks)},
		{id: "cluster-egress-missing", name: "every name", build: cluster(rule(model.FirewallRule{Apps: https, FQDNs: []string{"*"}}))},
		{id: "cluster-egress-missing", name: "network isolated", build: cluster(func(_ *builder, c *model.Cluster, _ *model.FirewallPolicy) {
			c.ArtifactSource, c.OutboundType = "Cache", "none"
		})},
		{id: "cluster-egress-missing", name: "a policy that is not in the input", build: cluster(func(_ *builder, _ *model.Cluster, p *model.FirewallPolicy) { p.Base = fwpID("gone") })},

		// AKS-POL-07.
		{id: "dns-without-tcp", name: "udp/53 alone", build: policy(), want: []string{"policy:aks/pay/dns"}},
		{id: "dns-without-tcp", name: "both", build: policy(policyPort(53, 53))},
		{id: "dns-without-tcp", name: "another policy opens it", build: func(b *builder) {
			policy()(b)
			b.policy("pay", "all", "", "out").Egress = []model.PolicyRule{{}}
		}},

		// AZ-ACR-02.
		{id: "registry-layers-anywhere", name: "neither endpoint", build: registry(func(*builder, *model.Service) {}), want: []string{"service:acr"}},
		{id: "registry-layers-anywhere", name: "dedicated data endpoints", build: registry(func(_ *builder, s *model.Service) { s.DataEndpoint = model.On })},
		{id: "registry-layers-anywhere", name: "a private endpoint", build: registry(func(b *builder, s *model.Service) { b.endpoint("pe", "net/pe", "10.0.0.4", s.ID) })},
		{id: "registry-layers-anywhere", name: "shut", build: registry(func(_ *builder, s *model.Service) { s.Public = "Disabled" })},

		// AZ-AGW-16.
		{id: "gateway-without-pod-routes", name: "another table", build: kubenet("other"), want: []string{"subnet:net/gateway"}},
		{id: "gateway-without-pod-routes", name: "the table of the nodes", build: kubenet("aks")},

		// AZ-PG-02.
		{id: "injected-server-egress-denied", name: "a Deny of everything", build: injected("DenyAll 4096 Out Deny * * * *"), want: []string{"service:pg"}},
		{id: "injected-server-egress-denied", name: "storage alone: without a list an address may be in both tags", build: injected("Storage 100 Out Allow tcp * Storage 443", "DenyAll 4096 Out Deny * * * *")},
		{id: "injected-server-egress-denied", name: "both tags", build: injected("Storage 100 Out Allow tcp * Storage,AzureActiveDirectory 443", "DenyAll 4096 Out Deny * * * *")},
		{id: "injected-server-egress-denied", name: "default rules", build: injected()},

		// AZ-NSP-03.
		{id: "perimeter-learning", name: "Learning", build: perimeter("Learning", asIs), want: []string{"service:kv"}},
		{id: "perimeter-learning", name: "Audit", build: perimeter("Audit", asIs), want: []string{"service:kv"}},
		{id: "perimeter-learning", name: "Enforced", build: perimeter("Enforced", asIs)},
		{id: "perimeter-learning", name: "secured by the perimeter", build: perimeter("Learning", func(s *model.Service) { s.Public = "SecuredByPerimeter" })},
		{id: "perimeter-learning", name: "the public door is shut", build: perimeter("Learning", func(s *model.Service) { s.Public = "Disabled" })},
	}
}
