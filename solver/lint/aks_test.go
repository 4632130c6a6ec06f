package lint

import "github.com/ringfence/ringfence/model"

func aksCases() []testCase {
	of := func(change func(b *builder, c *model.Cluster)) func(*builder) {
		return func(b *builder) { change(b, b.cluster("aks")) }
	}
	none := func(*builder, *model.Cluster) {}
	// pooled is a cluster with a pool whose subnet has the route table out, of one route or none.
	pooled := func(outbound string, change func(s *model.Subnet), routes ...string) func(*builder) {
		return of(func(b *builder, c *model.Cluster) {
			b.vnet("net", "10.0.0.0/16")
			s := b.subnet("net/nodes", "10.0.0.0/24", "rt=out")
			b.routes("out", routes...)
			c.OutboundType = outbound
			c.Pools = []model.NodePool{{Name: "np", Source: source("np"), Subnet: s.ID, OS: "Linux"}}
			change(s)
		})
	}
	asIs := func(*model.Subnet) {}
	return []testCase{
		// X-EDGE-21 of azure-edge-and-aks.md.
		{id: "api-server-public", name: "no ranges", build: of(func(_ *builder, c *model.Cluster) { c.Private = model.NotStated }), want: []string{"apiserver:aks"}},
		{id: "api-server-public", name: "a range that holds everything", build: of(func(b *builder, c *model.Cluster) {
			c.Private, c.APIRangesSet, c.APIRanges = model.Off, true, prefixes(b.t, "0.0.0.0/0")
		}), want: []string{"apiserver:aks"}},
		{id: "api-server-public", name: "ranges", build: of(func(b *builder, c *model.Cluster) {
			c.Private, c.APIRangesSet, c.APIRanges = model.Off, true, prefixes(b.t, "198.51.100.0/24")
		})},
		{id: "api-server-public", name: "private", build: of(none)},
		{id: "api-server-public", name: "only manifests name the cluster", build: of(func(_ *builder, c *model.Cluster) { c.Private, c.Manifest = model.NotStated, true })},

		{id: "api-server-public-name", name: "not stated is on", build: of(func(_ *builder, c *model.Cluster) { c.PublicFQDN = model.NotStated }), want: []string{"apiserver:aks"}},
		{id: "api-server-public-name", name: "off", build: of(none)},
		{id: "api-server-public-name", name: "a public cluster has a public name anyhow", build: of(func(_ *builder, c *model.Cluster) { c.Private, c.PublicFQDN = model.Off, model.On })},

		{id: "api-ranges-void", name: "ranges on a private cluster", build: of(func(b *builder, c *model.Cluster) {
			c.APIRangesSet, c.APIRanges = true, prefixes(b.t, "198.51.100.0/24")
		}), want: []string{"apiserver:aks"}},
		{id: "api-ranges-void", name: "ranges on a public one", build: of(func(b *builder, c *model.Cluster) {
			c.Private, c.APIRangesSet, c.APIRanges = model.Off, true, prefixes(b.t, "198.51.100.0/24")
		})},

		{id: "run-command-enabled", name: "not stated is enabled", build: of(func(_ *builder, c *model.Cluster) { c.RunCommandOff = model.NotStated }), want: []string{"apiserver:aks"}},
		{id: "run-command-enabled", name: "disabled", build: of(none)},

		{id: "node-public-address", name: "on", build: of(func(_ *builder, c *model.Cluster) {
			c.Pools = []model.NodePool{{Name: "np", Source: source("np"), PublicIPs: model.On}}
		}), want: []string{"nodepool:np"}},
		{id: "node-public-address", name: "not stated", build: of(func(_ *builder, c *model.Cluster) { c.Pools = []model.NodePool{{Name: "np", Source: source("np")}} })},

		{id: "policy-engine-none", name: "none", build: of(func(_ *builder, c *model.Cluster) { c.DataPlane, c.Policy = "azure", "none" }), want: []string{"cluster:aks"}},
		{id: "policy-engine-none", name: "absent in an export", build: of(func(_ *builder, c *model.Cluster) { c.DataPlane = "" }), want: []string{"cluster:aks"}},
		{id: "policy-engine-none", name: "absent in a template", build: of(func(_ *builder, c *model.Cluster) { c.DataPlane, c.PolicyOpen = "", true })},
		{id: "policy-engine-none", name: "the data plane is one", build: of(none)},
		{id: "policy-engine-none", name: "an engine of the user's", build: of(func(_ *builder, c *model.Cluster) { c.DataPlane, c.Plugin = "", "none" })},

		{id: "policy-engine-retiring", name: "Azure NPM", build: of(func(_ *builder, c *model.Cluster) {
			c.DataPlane, c.Policy = "azure", "azure"
			c.Pools = []model.NodePool{{Name: "win", OS: "Windows"}}
		}), want: []string{"cluster:aks"}},
		{id: "policy-engine-retiring", name: "Calico", build: of(func(_ *builder, c *model.Cluster) { c.DataPlane, c.Policy = "azure", "calico" })},

		// X-EDGE-20 of azure-edge-and-aks.md.
		{id: "node-egress-open", name: "userDefinedRouting without a route", build: pooled("userDefinedRouting", asIs), want: []string{"nodepool:np"}},
		{id: "node-egress-open", name: "not stated whether the subnet is private", build: pooled("none", func(s *model.Subnet) { s.DefaultOutbound = model.NotStated }), want: []string{"nodepool:np"}},
		{id: "node-egress-open", name: "a NAT gateway", build: pooled("userDefinedRouting", func(s *model.Subnet) { s.NATGateway = network("natGateways", "nat") }), want: []string{"nodepool:np"}},
		{id: "node-egress-open", name: "a gateway announces the default", build: of(func(b *builder, c *model.Cluster) {
			b.vnet("net", "10.0.0.0/16")
			c.Pools = []model.NodePool{{Name: "np", Source: source("np"), Subnet: b.subnet("net/nodes", "10.0.0.0/24").ID}}
			b.subnet("net/GatewaySubnet", "10.0.1.0/27")
			b.add(&model.Gateway{Meta: meta(network("virtualNetworkGateways", "vgw")), Subnet: subnetID("net/GatewaySubnet"), AdvertisedDefault: model.On})
		})},
		{id: "node-egress-open", name: "with the route", build: pooled("userDefinedRouting", asIs, "default 0.0.0.0/0 10.0.9.4")},
		{id: "node-egress-open", name: "a private subnet", build: pooled("userDefinedRouting", func(s *model.Subnet) { s.DefaultOutbound = model.Off })},
		{id: "node-egress-open", name: "a load balancer is meant", build: pooled("loadBalancer", asIs)},

		{id: "outbound-type-overridden", name: "a load balancer beside the route", build: pooled("loadBalancer", asIs, "default 0.0.0.0/0 10.0.9.4"), want: []string{"nodepool:np"}},
		{id: "outbound-type-overridden", name: "userDefinedRouting", build: pooled("userDefinedRouting", asIs, "default 0.0.0.0/0 10.0.9.4")},
		{id: "outbound-type-overridden", name: "no route", build: pooled("loadBalancer", asIs)},

		{id: "managed-ingress-public", name: "application routing by default", build: of(func(_ *builder, c *model.Cluster) { c.WebAppRouting = model.On }), want: []string{"cluster:aks"}},
		{id: "managed-ingress-public", name: "an external gateway of the mesh", build: of(func(_ *builder, c *model.Cluster) {
			c.MeshGateways = []model.MeshGateway{{Mode: "External", Enabled: model.On}, {Mode: "Internal", Enabled: model.On}}
		}), want: []string{"cluster:aks"}},
		{id: "managed-ingress-public", name: "internal", build: of(func(_ *builder, c *model.Cluster) { c.WebAppRouting, c.WebAppController = model.On, "Internal" })},
		{id: "managed-ingress-public", name: "an external gateway that is off", build: of(func(_ *builder, c *model.Cluster) {
			c.MeshGateways = []model.MeshGateway{{Mode: "External", Enabled: model.Off}}
		})},
	}
}
