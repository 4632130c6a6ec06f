package trace

import (
	"fmt"
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// working draws an estate that mostly works: hub and two spokes, a firewall on the default route, a gateway, an application gateway, a
// load balancer, a vault and a cluster. What varies is what people vary: rules, routes, flags.
func (d draw) working() *model.Estate {
	b := estate(d.t)
	hub, one, two := b.vnet("hub", "10.0.0.0/16"), b.vnet("one", "10.1.0.0/16"), b.vnet("two", "10.2.0.0/16")
	for _, spoke := range []*model.VNet{one, two} {
		x, y := b.peer(hub, spoke)
		x.AllowForwarded, y.AllowForwarded = d.setting(), d.setting()
		x.AllowVNetAccess, y.AllowVNetAccess = pick(d, model.On, model.On, model.Off), pick(d, model.On, model.NotStated)
		x.AllowGatewayTransit, y.UseRemoteGateways = d.setting(), d.setting()
	}
	word := func(list ...string) string { return pick(d, append(list, "", "")...) }
	rule := func() string {
		return word(
			"100 Deny In * Internet -> * *", "110 Allow In tcp Internet -> * 443,8443", "120 Allow In * 10.0.0.0/8 -> * *", "130 Deny In tcp VirtualNetwork -> * 22", "140 Allow In tcp asg:web -> asg:db 1433",
			"150 Deny In * asg:web -> * *", "100 Deny Out * * -> Internet *", "110 Allow Out tcp * -> Storage 443", "120 Deny Out * * -> VirtualNetwork 1433", "4000 Deny Out * * -> * *", "4000 Deny In * * -> * *",
			"200 Deny In * 10.0.0.4 -> * *", "210 Deny In * 10.244.0.0/16 -> * *")
	}
	for _, name := range []string{"n0", "n1", "n2"} {
		b.nsg(name, rule(), rule())
	}
	guard := func() string { return word("nsg=n0", "nsg=n1", "nsg=n2") }
	for _, rt := range []string{"r0", "r1"} {
		b.routes(rt, word("0.0.0.0/0 10.0.0.4", "0.0.0.0/0 10.0.0.4", "0.0.0.0/0 Internet", "0.0.0.0/0 VirtualNetworkGateway"), word("10.1.0.0/16 10.0.0.4", "10.2.0.0/16 10.0.0.4", "10.0.0.0/8 10.0.0.4"),
			word("10.1.0.0/24 VnetLocal", "10.2.9.0/24 10.0.0.4", "10.2.9.4/32 10.0.0.4", "Storage Internet", "10.9.0.0/16 10.0.3.4"), word("10.1.1.0/24 10.0.3.100")).DisableBGP = d.setting()
	}
	table := func() string { return word("rt=r0", "rt=r0", "rt=r1") }
	b.subnet("hub/AzureFirewallSubnet", "10.0.0.0/26", word("rt=r1"))
	b.subnet("hub/GatewaySubnet", "10.0.1.0/27", word("rt=r1"))
	b.subnet("hub/AzureBastionSubnet", "10.0.2.0/26", word("nsg=n0"))
	b.subnet("hub/nva", "10.0.3.0/24", guard(), table())
	b.subnet("one/a", "10.1.0.0/24", guard(), table(), word("se=Microsoft.KeyVault", "se=Microsoft.Storage"), word("private", "unstated"))
	b.subnet("one/nodes", "10.1.1.0/24", guard(), table())
	b.subnet("one/pods", "10.1.2.0/24", guard(), table())
	b.subnet("one/agw", "10.1.5.0/24", word("nsg=n1"), word("rt=r1"))
	b.subnet("two/a", "10.2.0.0/24", guard(), table())
	b.subnet("two/pe", "10.2.9.0/24", guard(), "pe="+pick(d, "Disabled", "Enabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled", "not stated"))
	b.nic("web", "one/a", "10.1.0.4", "asg=web", word("pip=pweb"), "pool=lb")
	b.nic("db", "two/a", "10.2.0.4", "asg=db", word("nsg=n2"))
	b.nic("nva", "hub/nva", "10.0.3.4", word("forward"), "pool=ha")
	b.nic("dyn", "two/a", "")
	for _, p := range [][2]string{{"pweb", "20.0.0.1"}, {"pfw", "20.0.0.4"}, {"pagw", "20.0.0.7"}, {"plb", ""}, {"pbas", "20.0.0.8"}, {"pgw", "20.0.0.9"}} {
		b.pip(p[0], p[1]).SKU = pick(d, model.Standard, model.Standard, model.Basic)
	}
	b.balancer("lb", model.LBFrontend{PublicIP: pipID("plb")}, model.LBRule{Protocol: model.TCP, FrontendPort: 443, BackendPort: pick(d, uint16(443), 8443), FloatingIP: d.setting()})
	b.balancer("ha", model.LBFrontend{Subnet: subnetID("hub/nva"), Address: addr("10.0.3.100")}, model.LBRule{Protocol: model.AnyProtocol})
	kv := b.service(model.KeyVault, "Microsoft.KeyVault/vaults", "kv", "kv.vault.azure.net")
	kv.Public, kv.HasACLs, kv.DefaultAccess, kv.Bypass = word("Disabled", "Enabled"), true, model.Access(d.n(1)), word("AzureServices")
	kv.IPRules = some(d, model.IPRule{Prefixes: prefixes("20.0.0.4/32")})
	kv.VNetRules = some(d, model.VNetRule{Subnet: subnetID("one/a")})
	b.endpoint("kv", "two/pe", "10.2.9.4", kv.ID).State = word("Approved", "Pending")
	b.add(&model.DNSZone{
		Meta: meta(network("privateDnsZones", "z")), Private: true, Zone: "privatelink.vaultcore.azure.net", Links: some(d, model.ZoneLink{VNet: hub.ID, Resolution: word("NxDomainRedirect")}),
		Records: some(d, model.DNSRecord{Name: "kv", Addresses: []netip.Addr{addr("10.2.9.4")}}),
	})
	f := b.firewall("fw", "hub/AzureFirewallSubnet", "10.0.0.4", "pfw")
	f.DNSProxy, f.Management = d.setting(), d.bool()
	nat := netRule("n", pick(d, "*", "198.51.100.0/24")+" -> 20.0.0.4 tcp 8443")
	nat.ToAddress, nat.ToPort = addr(pick(d, "10.1.0.4", "10.1.1.200", "10.2.0.4")), 443
	f.Collections = []model.RuleCollection{
		collection("nat", model.DNATRules, 100, model.Allow, nat),
		collection("net", model.NetworkRules, 100, model.Access(d.n(1)), netRule("a", pick(d, "10.1.0.0/24", "*", "10.1.1.0/24", "10.0.0.0/8")+" -> "+pick(d, "*", "10.2.0.0/16", "Storage", "fqdn:api.contoso.com", "198.51.100.0/24")+" "+pick(d, "tcp 443", "* *", "icmp *"))),
		collection("net2", model.NetworkRules, 200, model.Access(d.n(1)), netRule("b", "10.2.0.0/16 -> * * *")),
		collection("app", model.ApplicationRules, 100, model.Access(d.n(1)), appRule("c", "10.1.0.0/16 Https:443,Http:80 "+pick(d, "*", "*.contoso.com", "kv.vault.azure.net", "tag:AzureKubernetesService"))),
	}
	if d.n(3) == 0 {
		f.Collections, f.Policy = nil, network("firewallPolicies", "gone")
	}
	f.SNAT = pick(d, model.SNATRanges{}, model.SNATRanges{Custom: true, Prefixes: prefixes("192.168.0.0/16")}, model.SNATRanges{AutoLearn: model.On})
	b.vpn("gw", "hub/GatewaySubnet", []string{"192.168.0.0/24"}, site{"onprem", []string{"10.9.0.0/16"}, d.bool()}).PublicIPs = []model.ID{pipID("pgw")}
	b.add(&model.Bastion{Meta: meta(network("bastionHosts", "bastion")), SKU: pick(d, "Standard", "Basic", ""), Subnet: subnetID("hub/AzureBastionSubnet"), PublicIP: pipID("pbas"), Tunneling: d.setting(), IPConnect: d.setting()})
	id := agwID("agw")
	b.add(&model.AppGateway{
		Meta: meta(id), Tier: pick(d, "WAF_v2", "Standard_v2"), Subnets: []model.ID{subnetID("one/agw")}, Frontends: []model.AGWFrontend{{ID: id + "/f", Name: "public", PublicIP: pipID("pagw")}, {ID: id + "/i", Name: "private", Subnet: subnetID("one/agw"), Address: addr("10.1.5.100")}},
		Ports: []model.AGWPort{{ID: id + "/p443", Port: 443}}, Listeners: []model.AGWListener{{ID: id + "/l", Name: "https", Frontend: pick(d, id+"/f", id+"/i"), Port: id + "/p443"}},
		Pools: []model.AGWPool{{ID: id + "/pool", Addresses: []netip.Addr{addr("10.1.0.4")}, FQDNs: some(d, "kv.vault.azure.net", "api.contoso.com")}}, Settings: []model.AGWSetting{{ID: id + "/set", Port: 443}},
		Rules: []model.AGWRule{{ID: id + "/r", Listener: id + "/l", Pool: id + "/pool", Setting: id + "/set"}},
	})
	c := b.cluster("aks", pick(d, "azure", "azure", "kubenet"), pick(d, "overlay", ""), pick(d, "azure", "calico", "cilium", "none", ""), "one/nodes", "two/a")
	c.OutboundType, c.PolicyOpen = word("userDefinedRouting", "block"), d.bool()
	if d.n(2) == 0 {
		c.Pools[0].PodSubnet = subnetID("one/pods")
	}
	c.Pools[0].PublicIPs = d.setting()
	api, store := b.workload(c, "pay", "api", port("http", 8080)), b.workload(c, "data", "store", port("sql", 5432))
	api.NodeSelector = pick(d, nil, map[string]string{"agentpool": "a"})
	b.workload(c, "sys", "agent").HostNetwork = true
	_ = store
	b.namespace(c, "pay", "env", "prod")
	s := b.kubeService(c, "pay", "api", pick(d, "LoadBalancer", "NodePort"), 443, 8080, "azure-load-balancer-internal", pick(d, "true", "false"))
	s.LocalPolicy, s.ClusterIP = d.bool(), "10.250.0.7"
	s.Ports[0].NodePort = pick(d, uint16(0), 30443)
	s.SourceRanges = some(d, prefixes("10.1.0.0/16")[0])
	for i := range d.n(3) {
		b.add(&model.NetworkPolicy{
			Meta: meta(model.Kubernetes("aks", "NetworkPolicy", "pay", fmt.Sprint(i))), Cluster: c.ID, Namespace: pick(d, "pay", "data"), Pods: pick(d, everyone(), labels("app", "api")), Isolates: [2]bool{d.bool(), d.bool()},
			Ingress: some(d, peers(), peers(nsPeer("env", "prod")), peers(podPeer()), peers(blockPeer("10.1.0.0/16")), onPorts(peers(blockPeer("0.0.0.0/0")), tcpPort(8080))),
			Egress:  some(d, peers(), peers(nsPeer()), peers(blockPeer("0.0.0.0/0", "169.254.0.0/16")), onPorts(peers(), tcpPort(443))),
		})
	}
	return b.build()
}

// workingPacket draws a packet between ends of a working estate.
func (d draw) workingPacket(e *model.Estate) Packet {
	symbol := func(k model.SymbolKind, id model.ID, part string) netip.Addr {
		a, _ := e.Symbols().Of(k, id, part)
		return a
	}
	api, store := model.Kubernetes("aks", "Deployment", "pay", "api"), model.Kubernetes("aks", "Deployment", "data", "store")
	srcs := []netip.Addr{addr("10.1.0.4"), addr("10.2.0.4"), addr("10.0.3.4"), addr("10.1.1.9"), addr("10.1.0.77"), addr("198.51.100.7"), addr("203.0.113.1"), addr("10.9.0.5"), addr("192.168.0.9"), symbol(model.PodAddress, api, ""), symbol(model.PodAddress, store, ""), symbol(model.ConfigAddress, nicID("dyn"), "ip")}
	dsts := append([]netip.Addr{
		addr("20.0.0.1"), addr("20.0.0.4"), addr("20.0.0.7"), addr("20.0.0.8"), addr("20.0.0.9"), addr("10.2.9.4"), addr("10.0.3.100"), addr("10.1.5.100"), addr("10.250.0.7"), addr("10.244.3.3"), addr("172.16.0.1"), addr("168.63.129.16"), addr("169.254.169.254"),
		symbol(model.PublicAddress, pipID("plb"), ""), symbol(model.ServiceDoor, paasID("Microsoft.KeyVault/vaults", "kv"), ""), symbol(model.APIDoor, clusterID("aks"), ""), symbol(model.ServiceFrontend, model.Kubernetes("aks", "Service", "pay", "api"), ""),
	}, srcs...)
	p := Packet{
		Src: pick(d, srcs...), Dst: pick(d, dsts...), Protocol: pick(d, model.TCP, model.TCP, model.TCP, model.UDP, model.ICMP), SPort: 50000, DPort: pick(d, uint16(443), 443, 22, 8443, 8080, 1433, 53, 30443),
		Name: pick(d, "", "api.contoso.com", "kv.vault.azure.net", "mcr.microsoft.com"), Tags: some(d, "Storage.westeurope", "AzureCloud", "infra"),
	}
	switch d.n(9) {
	case 0:
		p.From, p.Src = agw(), addr("10.1.5.9")
		p.Dst = pick(d, addr("10.1.0.4"), addr("10.2.9.4"), p.Dst)
	case 1:
		p.From, p.Src, p.DPort = bastion(), addr("10.0.2.9"), pick(d, uint16(22), 443)
	case 2:
		p.From, p.Src = farSide("gw", pick(d, "onprem", clients)), pick(d, addr("10.9.0.5"), addr("192.168.0.9"))
	default:
	}
	return p
}
