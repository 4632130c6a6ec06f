package lint

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

func publicCases() []testCase {
	pip := func(b *builder, name string, sku model.SKU) {
		b.add(&model.PublicIP{Meta: meta(pipID(name)), Address: addr("20.0.0.9"), SKU: sku})
	}
	jump := func(subnet string, sku model.SKU, rules ...string) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			var options []string
			if len(rules) > 0 {
				options = append(options, "nsg=jump")
				b.nsg("jump", rules...)
			}
			b.subnet("net/"+subnet, "10.0.0.0/24", options...)
			b.nic("jump", "net/"+subnet, "10.0.0.4", "pip=jump")
			pip(b, "jump", sku)
		}
	}
	balancer := func(change func(b *builder, lb *model.LoadBalancer)) func(*builder) {
		return func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24", "rt=out")
			b.routes("out", "default 0.0.0.0/0 10.0.9.4")
			b.nic("web", "net/web", "10.0.0.4")
			pip(b, "web", model.Standard)
			id := lbID("web")
			lb := &model.LoadBalancer{
				Meta: meta(id), SKU: model.Standard,
				Frontends: []model.LBFrontend{{ID: id + "/frontendIPConfigurations/f", Name: "f", Source: source("f"), PublicIP: pipID("web")}},
				Pools:     []model.LBPool{{ID: id + "/backendAddressPools/p", IPConfigs: []model.ID{nicID("web") + "/ipConfigurations/ip"}}},
				Rules:     []model.LBRule{{Name: "r", Frontend: id + "/frontendIPConfigurations/f", Pools: []model.ID{id + "/backendAddressPools/p"}, Protocol: model.TCP, FrontendPort: 443, BackendPort: 443}},
			}
			b.add(lb)
			change(b, lb)
		}
	}
	none := func(*builder, *model.LoadBalancer) {}
	return []testCase{
		{id: "public-address-on-nic", name: "a rule admits the internet", build: jump("jump", model.Standard, "Ssh 100 In Allow tcp Internet * 22", denyIn), want: []string{"nic:jump"}},
		{id: "public-address-on-nic", name: "the NSG is closed", build: jump("jump", model.Standard, denyIn), want: []string{"nic:jump"}, severity: Warning},
		{id: "public-address-on-nic", name: "no NSG", build: jump("jump", model.Standard), want: []string{"nic:jump"}, severity: Warning},
		{id: "public-address-on-nic", name: "no NSG, Basic", build: jump("jump", model.Basic), want: []string{"nic:jump"}},
		{id: "public-address-on-nic", name: "each instance of a scale set", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24")
			b.add(&model.ScaleSet{Meta: meta(resourceID("Microsoft.Compute/virtualMachineScaleSets", "web")), Profiles: []model.NICProfile{
				{Name: "nic", PublicPerVM: true, IPConfigs: []model.IPConfig{{Name: "ip", Source: source("ip"), Subnet: subnetID("net/web")}}},
			}})
		}, want: []string{"vm:web"}, severity: Warning},
		{id: "public-address-on-nic", name: "the nodes of a pool have their own finding", build: func(b *builder) {
			b.vnet("net", "10.0.0.0/16")
			b.subnet("net/web", "10.0.0.0/24")
			c := b.cluster("aks")
			c.NodeGroup, c.Pools = "rg", []model.NodePool{{Name: "np", Source: source("np"), Subnet: subnetID("net/web"), PublicIPs: model.On}}
			b.add(&model.ScaleSet{Meta: meta(resourceID("Microsoft.Compute/virtualMachineScaleSets", "np")), Managed: true, Pool: "np", Profiles: []model.NICProfile{
				{Name: "nic", PublicPerVM: true, IPConfigs: []model.IPConfig{{Name: "ip", Source: source("ip"), Subnet: subnetID("net/web")}}},
			}})
		}},
		{id: "public-address-on-nic", name: "in a subnet of Azure's", build: jump("AzureBastionSubnet", model.Standard, denyIn)},
		{id: "public-address-on-nic", name: "the intent file names the subnet", build: func(b *builder) {
			jump("jump", model.Standard, denyIn)(b)
			sel, err := model.ParseSelector("subnet:net/jump")
			if err != nil {
				b.t.Fatal(err)
			}
			b.intent = &model.Intent{PCI: model.PCI{PublicIPSubnets: []model.Selector{sel}}}
		}},

		{id: "public-load-balancer", name: "a rule", build: balancer(none), want: []string{"lb:web"}},
		{id: "public-load-balancer", name: "a NAT rule", build: balancer(func(b *builder, lb *model.LoadBalancer) {
			lb.NATRules = []model.LBNATRule{{Name: "ssh", Frontend: lb.Frontends[0].ID, Protocol: model.TCP, FrontendPorts: b.ports("50022")[0], BackendPort: 22, Target: nicID("web") + "/ipConfigurations/ip"}}
			lb.Rules = nil
		}), want: []string{"lb:web"}},
		{id: "public-load-balancer", name: "in front of a scale set, at every port", build: balancer(func(b *builder, lb *model.LoadBalancer) {
			lb.Pools[0].IPConfigs, lb.Rules[0].FrontendPort, lb.Rules[0].Protocol = nil, 0, model.AnyProtocol
			b.add(&model.ScaleSet{Meta: meta(resourceID("Microsoft.Compute/virtualMachineScaleSets", "web")), Profiles: []model.NICProfile{
				{Name: "nic", IPConfigs: []model.IPConfig{{Name: "ip", Source: source("ip"), Subnet: subnetID("net/web"), LBPools: []model.ID{lb.Pools[0].ID}}}},
			}})
		}), want: []string{"lb:web"}},
		{id: "public-load-balancer", name: "an address of a prefix", build: balancer(func(_ *builder, lb *model.LoadBalancer) {
			lb.Frontends[0].PublicIP, lb.Frontends[0].Prefix = "", network("publicIPPrefixes", "block")
		}), want: []string{"lb:web"}},
		{id: "public-load-balancer", name: "outbound rules alone", build: balancer(func(_ *builder, lb *model.LoadBalancer) {
			lb.Rules, lb.Outbound = nil, []model.LBOutboundRule{{Name: "out", Frontends: []model.ID{lb.Frontends[0].ID}}}
		})},
		{id: "public-load-balancer", name: "internal", build: balancer(func(_ *builder, lb *model.LoadBalancer) {
			lb.Frontends[0].PublicIP, lb.Frontends[0].Subnet, lb.Frontends[0].Address = "", subnetID("net/web"), addr("10.0.0.9")
		})},
		{id: "public-load-balancer", name: "a Service of the input made it", build: balancer(func(b *builder, _ *model.LoadBalancer) {
			b.cluster("aks").NodeGroup = "rg"
			b.kubeService("pay", "api", "LoadBalancer", 443, 8443).Ingress = []netip.Addr{addr("20.0.0.9")}
		})},

		{id: "retired-basic-sku", name: "an address", build: func(b *builder) { pip(b, "old", model.Basic) }, want: []string{"publicip:old"}},
		{id: "retired-basic-sku", name: "a load balancer", build: balancer(func(_ *builder, lb *model.LoadBalancer) { lb.SKU = model.Basic }), want: []string{"lb:web"}},
		{id: "retired-basic-sku", name: "Standard, or not stated", build: func(b *builder) {
			pip(b, "new", model.Standard)
			pip(b, "any", model.SKUNotStated)
		}},
	}
}
