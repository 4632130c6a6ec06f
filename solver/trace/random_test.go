package trace

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringfence/ringfence/model"
)

// draw makes random values for a random estate: small, full of dangling references and of fields that nobody set.
type draw struct{ t *rapid.T }

func (d draw) bool() bool             { return rapid.Bool().Draw(d.t, "bool") }
func (d draw) n(hi int) int           { return rapid.IntRange(0, hi).Draw(d.t, "n") }
func (d draw) setting() model.Setting { return model.Setting(d.n(2)) }

func pick[T any](d draw, list ...T) T { return rapid.SampledFrom(list).Draw(d.t, "pick") }

// some picks a few of a list.
func some[T any](d draw, list ...T) []T {
	var out []T
	for range d.n(2) {
		out = append(out, pick(d, list...))
	}
	return out
}

func times(n int, f func(int)) {
	for i := range n {
		f(i)
	}
}

func (d draw) addr() netip.Addr {
	return pick(d, netip.Addr{}, addr("10.0.0.4"), addr("10.0.0.5"), addr("10.0.1.4"), addr("10.0.2.4"), addr("10.1.0.4"), addr("10.1.1.4"), addr("10.2.0.4"), addr("10.1.3.4"), addr("10.1.3.4"), addr("20.0.0.1"), addr("20.0.0.2"),
		addr("198.51.100.7"), addr("10.244.0.9"), addr("10.250.0.7"), addr("168.63.129.16"), addr("169.254.169.254"), addr("fd00::4"), addr("2001:db8::9"), addr("192.168.0.9"), addr("172.16.0.1"))
}

func (d draw) prefix() netip.Prefix {
	return pick(d, netip.Prefix{}, prefixes("0.0.0.0/0")[0], prefixes("10.0.0.0/8")[0], prefixes("10.0.0.0/16")[0], prefixes("10.0.0.0/24")[0], prefixes("10.1.0.0/16")[0], prefixes("10.1.1.0/24")[0],
		prefixes("10.0.0.4")[0], prefixes("::/0")[0], prefixes("198.51.100.0/24")[0], prefixes("20.0.0.0/8")[0], prefixes("192.168.0.0/24")[0], prefixes("10.244.0.0/16")[0], prefixes("fd00::/64")[0])
}

func (d draw) vnet() model.ID { return vnetID(pick(d, "v0", "v1", "v2", "gone")) }

func (d draw) subnet() model.ID {
	return pick(d, "", subnetID("v0/a"), subnetID("v0/b"), subnetID("v1/a"), subnetID("v1/b"), subnetID("v0/GatewaySubnet"), subnetID("v1/AzureFirewallSubnet"), subnetID("v0/AzureBastionSubnet"), subnetID("v2/a"), subnetID("gone/x"))
}

func (d draw) nsg() model.ID { return pick(d, "", "", nsgID("n0"), nsgID("n1"), nsgID("gone")) }
func (d draw) pip() model.ID {
	return pick(d, "", pipID("p0"), pipID("p1"), pipID("p2"), pipID("gone"))
}
func (d draw) pool() model.ID { return pick(d, "", poolID("x"), poolID("y")) }
func (d draw) asg() model.ID  { return asgID(pick(d, "s0", "s1")) }

func (d draw) protocol() model.Protocol {
	return pick(d, model.TCP, model.TCP, model.UDP, model.ICMP, model.AnyProtocol, model.SCTP, model.ESP, model.ICMPv6, model.Protocol(0))
}

func (d draw) port() uint16 {
	return pick(d, uint16(0), 22, 53, 80, 443, 500, 1433, 8080, 30080, 65200)
}

func (d draw) ports() []model.PortRange {
	return pick(d, nil, []model.PortRange{model.AllPorts}, []model.PortRange{model.AllPorts}, []model.PortRange{{First: 443, Last: 443}}, []model.PortRange{{First: 20, Last: 90}})
}

func (d draw) tag() string {
	return pick(d, "VirtualNetwork", "Internet", "AzureLoadBalancer", "Storage", "Storage.westeurope", "AzureCloud", "AzurePlatformDNS", "GatewayManager", "")
}

func (d draw) side() model.AddressMatch {
	m := model.AddressMatch{Any: d.n(2) == 0}
	m.Prefixes = append(m.Prefixes, some(d, d.prefix())...)
	m.Tags = some(d, d.tag())
	m.ASGs = some(d, d.asg())
	m.IPGroups = some(d, network("ipGroups", "g0"), network("ipGroups", "gone"))
	m.FQDNs = some(d, "api.contoso.com", "*")
	return m
}

func (d draw) meta(id model.ID) model.Meta {
	m := meta(id)
	m.Location = pick(d, "", "westeurope", "East US")
	return m
}

func (d draw) configs(name string) []model.IPConfig {
	var out []model.IPConfig
	times(d.n(2), func(i int) {
		out = append(out, model.IPConfig{
			Name: fmt.Sprintf("%s%d", name, i), Subnet: d.subnet(), Address: d.addr(), Primary: i == 0, PublicIP: d.pip(), ASGs: some(d, d.asg()), LBPools: some(d, d.pool()),
			AGWPools: some(d, agwID("g0")+"/pool"), NATRules: some(d, lbID("l0")+"/nat"),
		})
	})
	return out
}

// estate draws an estate with every kind of resource in it, or not.
func (d draw) estate() *model.Estate {
	var list []model.Resource
	add := func(r model.Resource) { list = append(list, r) }
	times(1+d.n(2), func(i int) {
		v := &model.VNet{Meta: d.meta(vnetID(fmt.Sprintf("v%d", i))), Prefixes: []netip.Prefix{prefixes(fmt.Sprintf("10.%d.0.0/16", i))[0]}, Partial: d.n(9) == 0}
		v.DNSServers = some(d, d.addr())
		for _, other := range []string{"v0", "v1", "v2"} { // mostly a working mesh, so that packets get far
			if d.n(3) > 0 && vnetID(other) != v.ID {
				v.Peerings = append(v.Peerings, model.Peering{Name: "mesh", Remote: vnetID(other), State: "Connected", AllowForwarded: d.setting(), AllowGatewayTransit: d.setting(), UseRemoteGateways: d.setting()})
			}
		}
		times(d.n(1), func(int) {
			v.Peerings = append(v.Peerings, model.Peering{
				Name: "p", Remote: d.vnet(), State: pick(d, "Connected", "", "Disconnected"), AllowVNetAccess: d.setting(), AllowForwarded: d.setting(), AllowGatewayTransit: d.setting(),
				UseRemoteGateways: d.setting(), CompleteVNets: d.setting(), LocalSubnets: some(d, "a"), RemoteSubnets: some(d, "a", "b"), RemotePrefixes: some(d, d.prefix()), SyncedPrefixes: some(d, d.prefix()), OnlyIPv6: d.setting(),
			})
		})
		add(v)
		for j, name := range []string{"a", "b", "GatewaySubnet", "AzureFirewallSubnet", "AzureBastionSubnet"} {
			if d.n(4) == 0 {
				continue
			}
			s := &model.Subnet{Meta: d.meta(subnetID(fmt.Sprintf("v%d/%s", i, name))), VNet: v.ID, Prefixes: prefixes(fmt.Sprintf("10.%d.%d.0/24", i, j)), NSG: d.nsg(), RouteTable: pick(d, "", "", rtID("t0"), rtID("t1"), rtID("gone"))}
			s.NATGateway = pick(d, "", "", network("natGateways", "ng"), network("natGateways", "gone"))
			s.EndpointPolicies, s.DefaultOutbound = model.EndpointPolicies(d.n(4)), d.setting()
			s.Delegations, s.ServicePolicies = some(d, "x"), some(d, model.ID("policy"))
			times(d.n(1), func(int) {
				s.ServiceEndpoints = append(s.ServiceEndpoints, model.ServiceEndpoint{Service: pick(d, "Microsoft.Storage", "Microsoft.Sql", "Microsoft.KeyVault", "odd", ""), State: pick(d, "", "Succeeded", "Failed"), Locations: some(d, "westeurope", "*")})
			})
			add(s)
		}
	})
	for _, name := range []string{"n0", "n1"} {
		g := &model.NSG{Meta: d.meta(nsgID(name)), Managed: d.n(9) == 0}
		times(d.n(4), func(i int) {
			g.Rules = append(g.Rules, model.SecurityRule{
				Name: fmt.Sprint(i), Priority: 100 + d.n(3), Direction: model.Direction(d.n(1)), Access: model.Access(d.n(1)), Protocol: d.protocol(), SourceAddrs: d.side(), DestAddrs: d.side(),
				SourcePorts: d.ports(), DestPorts: d.ports(), UnknownMatch: pick(d, "", "", "", "x"),
			})
		})
		if d.n(4) > 0 {
			g.Rules = append(g.Rules, defaultRules()...)
		}
		add(g)
	}
	for _, name := range []string{"t0", "t1"} {
		rt := &model.RouteTable{Meta: d.meta(rtID(name)), DisableBGP: d.setting()}
		times(d.n(3), func(int) {
			rt.Routes = append(rt.Routes, model.UserRoute{
				Prefix: d.prefix(), Tag: pick(d, "", "", "Storage", "AzureCloud"), Address: d.addr(),
				NextHop: pick(d, model.HopAppliance, model.HopAppliance, model.HopInternet, model.HopVnetLocal, model.HopNone, model.HopGateway, model.NextHopType("")),
			})
		})
		add(rt)
	}
	times(d.n(3), func(i int) { // machines where they belong
		add(&model.NIC{Meta: d.meta(nicID(fmt.Sprintf("m%d", i))), NSG: d.nsg(), IPForwarding: d.setting(), IPConfigs: []model.IPConfig{{
			Name: "c0", Subnet: subnetID(fmt.Sprintf("v%d/a", i)), Address: addr(fmt.Sprintf("10.%d.0.4", i)), PublicIP: d.pip(), ASGs: some(d, d.asg()), LBPools: some(d, d.pool()),
		}}})
	})
	times(d.n(3), func(i int) {
		add(&model.NIC{Meta: d.meta(nicID(fmt.Sprintf("i%d", i))), IPConfigs: d.configs("c"), NSG: d.nsg(), IPForwarding: d.setting(), VM: pick(d, "", model.ID("/vm")), DefaultOutbound: d.setting(), PrivateEndpoint: pick(d, "", "", "", peID("e0"))})
	})
	times(d.n(1), func(int) {
		s := &model.ScaleSet{Meta: d.meta("/subscriptions/s/resourceGroups/MC_rg_k0_/providers/Microsoft.Compute/virtualMachineScaleSets/ss"), Managed: d.bool(), Pool: pick(d, "", "a"), Orchestration: pick(d, "", "Flexible")}
		times(d.n(2), func(int) {
			s.Profiles = append(s.Profiles, model.NICProfile{NSG: d.nsg(), IPForwarding: d.setting(), IPConfigs: d.configs("s"), PublicPerVM: d.bool()})
		})
		add(s)
	})
	for i := range 3 {
		add(&model.PublicIP{Meta: d.meta(pipID(fmt.Sprintf("p%d", i))), Address: pick(d, netip.Addr{}, addr(fmt.Sprintf("20.0.0.%d", i+1))), SKU: model.SKU(d.n(2)), AttachedTo: pick(d, "", nicID("i0")+"/ipConfigurations/c0", "/somewhere/else")})
	}
	add(&model.NATGateway{Meta: d.meta(network("natGateways", "ng")), PublicIPs: some(d, d.pip()), SKU: pick(d, "", "StandardV2")})
	d.balancers(add)
	d.edges(add)
	d.gateways(add)
	d.kubernetes(add)
	seen := map[string]bool{}
	list = slices.DeleteFunc(list, func(r model.Resource) bool {
		key := r.ResourceID().Key()
		if seen[key] {
			return true
		}
		seen[key] = true
		return false
	})
	e, err := model.NewEstate(list, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return e
}

func (d draw) balancers(add func(model.Resource)) {
	front := lbID("l0") + "/f"
	lb := &model.LoadBalancer{Meta: d.meta(lbID("l0")), SKU: model.SKU(d.n(3))}
	lb.Frontends = []model.LBFrontend{{ID: front, Name: "f", Subnet: d.subnet(), Address: d.addr(), PublicIP: d.pip(), Prefix: pick(d, "", network("publicIPPrefixes", "x"))}}
	times(d.n(2), func(i int) {
		lb.Rules = append(lb.Rules, model.LBRule{Name: fmt.Sprint(i), Frontend: pick(d, front, ""), Pools: some(d, d.pool()), Protocol: d.protocol(), FrontendPort: d.port(), BackendPort: d.port(), FloatingIP: d.setting(), Probe: pick(d, "", lb.ID+"/probe")})
	})
	lb.NATRules = []model.LBNATRule{{ID: lb.ID + "/nat", Frontend: front, Protocol: d.protocol(), FrontendPorts: model.PortRange{First: d.port(), Last: d.port()}, BackendPort: d.port(), Pool: d.pool()}}
	lb.Probes = []model.LBProbe{{ID: lb.ID + "/probe", Port: d.port()}}
	lb.Outbound = []model.LBOutboundRule{{Frontends: []model.ID{front}, Pool: d.pool()}}
	lb.Pools = []model.LBPool{{ID: poolID("x"), IPConfigs: some(d, nicID("i0")+"/ipConfigurations/c0"), Addresses: some(d, model.LBAddress{VNet: d.vnet(), Subnet: d.subnet(), Address: d.addr()})}}
	add(lb)
	add(&model.PublicIPPrefix{Meta: d.meta(network("publicIPPrefixes", "x")), Prefix: d.prefix()})
}

func (d draw) edges(add func(model.Resource)) {
	rule := func(i int) model.FirewallRule {
		return model.FirewallRule{
			Name: fmt.Sprint(i), Sources: d.side(), Dests: d.side(), Protocols: []model.Protocol{d.protocol()}, Ports: d.ports(), ToAddress: d.addr(), ToFQDN: pick(d, "", "api.contoso.com"), ToPort: d.port(),
			Apps: some(d, model.AppProtocol{Type: "Https", Port: 443}), FQDNs: some(d, "*", "*.contoso.com", "kv.vault.azure.net"), FQDNTags: some(d, "AzureKubernetesService"), WebCategories: some(d, "News"), URLs: some(d, "https://x/y"), Unknown: pick(d, "", "", "x"),
		}
	}
	collections := func() []model.RuleCollection {
		var out []model.RuleCollection
		times(d.n(3), func(i int) {
			c := collection(fmt.Sprint(i), model.RuleKind(d.n(2)), 100+d.n(2), model.Access(d.n(1)))
			c.Unknown = pick(d, "", "", "", "odd")
			times(d.n(2), func(j int) { c.Rules = append(c.Rules, rule(j)) })
			out = append(out, c)
		})
		return out
	}
	base, child := network("firewallPolicies", "base"), network("firewallPolicies", "child")
	snat := model.SNATRanges{Custom: d.bool(), IANA: d.bool(), Prefixes: some(d, d.prefix()), AutoLearn: d.setting()}
	add(&model.FirewallPolicy{Meta: d.meta(base), Base: pick(d, model.ID(""), child, "/gone"), SNAT: snat})
	add(&model.FirewallPolicy{Meta: d.meta(child), Base: pick(d, "", base), GroupRefs: some(d, child+"/ruleCollectionGroups/gone"), DNSProxy: d.setting(), DNSServers: some(d, d.addr()), ExplicitProxy: d.setting(), ProxyPorts: []uint16{8080}})
	add(&model.RuleCollectionGroup{Meta: d.meta(child + "/ruleCollectionGroups/g"), Policy: child, Priority: d.n(3), Collections: collections()})
	add(&model.RuleCollectionGroup{Meta: d.meta(base + "/ruleCollectionGroups/g"), Policy: base, Priority: d.n(3), Collections: collections()})
	add(&model.IPGroup{Meta: d.meta(network("ipGroups", "g0")), Prefixes: some(d, d.prefix())})
	add(&model.Firewall{Meta: d.meta(fwID("fw")), Tier: pick(d, "", "Basic", "Premium"), Subnet: pick(d, subnetID("v1/AzureFirewallSubnet"), d.subnet()), Address: pick(d, addr("10.1.3.4"), d.addr()), PublicIPs: some(d, d.pip()), Management: d.bool(), Policy: pick(d, model.ID(""), child, "/gone"), Collections: collections(), SNAT: snat, DNSProxy: d.setting(), ProvisioningBad: pick(d, "", "", "Failed")})
	id := agwID("g0")
	g := &model.AppGateway{Meta: d.meta(id), Tier: pick(d, "", "WAF_v2", "Standard", "WAF"), Subnets: some(d, d.subnet()), WAFPolicy: pick(d, "", network("waf", "w"), "/gone")}
	g.Frontends = []model.AGWFrontend{{ID: id + "/f", Name: "f", Subnet: d.subnet(), Address: d.addr(), PublicIP: d.pip()}}
	g.Ports = []model.AGWPort{{ID: id + "/p", Port: 443}}
	g.Listeners = []model.AGWListener{{ID: id + "/l", Name: "l", Frontend: id + "/f", Port: pick(d, id+"/p", "")}}
	g.Pools = []model.AGWPool{{ID: id + "/pool", Addresses: some(d, d.addr()), FQDNs: some(d, "api.contoso.com", "kv.vault.azure.net", "")}}
	g.Settings = []model.AGWSetting{{ID: id + "/s", Port: d.port(), Probe: id + "/probe"}}
	g.Probes = []model.AGWProbe{{ID: id + "/probe", Port: d.port()}}
	g.Rules = []model.AGWRule{{Listener: id + "/l", Pool: pick(d, id+"/pool", ""), Setting: id + "/s", PathMap: pick(d, "", id+"/m"), Redirect: pick(d, model.ID(""), "", "/r")}}
	g.PathMaps = []model.AGWPathMap{{ID: id + "/m", DefaultPool: id + "/pool", DefaultSetting: id + "/s", Paths: []model.AGWPathRule{{Pool: id + "/pool", Setting: id + "/s"}}}}
	add(g)
	w := &model.WAFPolicy{Meta: d.meta(network("waf", "w")), Enabled: d.setting(), Mode: pick(d, "Prevention", "Detection", "")}
	times(d.n(2), func(i int) {
		w.Custom = append(w.Custom, model.WAFRule{Priority: i, Action: pick(d, "Block", "Allow", "Log"), Conditions: some(d, model.WAFCondition{Variables: some(d, "RemoteAddr", "RequestHeaders:x"), Operator: pick(d, "IPMatch", "GeoMatch"), Negate: d.bool(), Prefixes: some(d, d.prefix())})})
	})
	add(w)
	add(&model.Bastion{Meta: d.meta(network("bastionHosts", "b0")), SKU: pick(d, "", "Basic", "Standard", "Developer"), Subnet: d.subnet(), VNet: d.vnet(), PublicIP: d.pip(), Tunneling: d.setting(), IPConnect: d.setting()})
	kv := &model.Service{
		Meta: d.meta(paasID("Microsoft.KeyVault/vaults", "kv")), Kind: model.ServiceKind(d.n(12)), Public: pick(d, "", "Disabled", "SecuredByPerimeter"), HasACLs: d.bool(), DefaultAccess: model.Access(d.n(1)), Bypass: pick(d, "", "AzureServices"),
		Hosts: []string{"kv.vault.azure.net"}, VNetFilter: d.setting(), Injected: pick(d, "", "", "", d.subnet()), Tier: pick(d, "", "Basic", "Premium"),
	}
	kv.IPRules = some(d, model.IPRule{Prefixes: some(d, d.prefix()), AllAzure: d.bool()})
	kv.VNetRules = some(d, model.VNetRule{Subnet: d.subnet()})
	add(kv)
	add(&model.PrivateEndpoint{Meta: d.meta(peID("e0")), Subnet: d.subnet(), Addresses: some(d, d.addr()), Target: pick(d, kv.ID, "/other"), State: pick(d, "", "Approved", "Pending"), Zones: some(d, network("privateDnsZones", "z")), ASGs: some(d, d.asg()), NICs: some(d, nicID("i0"))})
	add(&model.DNSZone{Meta: d.meta(network("privateDnsZones", "z")), Private: d.bool(), Zone: pick(d, "privatelink.vaultcore.azure.net", "contoso.com", ""), Links: some(d, model.ZoneLink{VNet: d.vnet(), Resolution: pick(d, "", "NxDomainRedirect")}), Records: some(d, model.DNSRecord{Name: pick(d, "kv", "api", "@", "*"), Addresses: some(d, d.addr())})})
}

func (d draw) gateways(add func(model.Resource)) {
	times(d.n(2), func(i int) {
		add(&model.Gateway{Meta: d.meta(gwID(fmt.Sprintf("w%d", i))), Kind: model.GatewayKind(d.n(2)), Subnet: pick(d, d.subnet(), subnetID(fmt.Sprintf("v%d/GatewaySubnet", i))), PublicIPs: some(d, d.pip()), ClientPools: some(d, d.prefix()), CustomRoutes: some(d, d.prefix()), AllowRemoteVNet: d.setting()})
	})
	add(&model.LocalNetworkGateway{Meta: d.meta(network("localNetworkGateways", "lng")), Prefixes: some(d, d.prefix()), BGP: d.setting()})
	times(d.n(3), func(i int) {
		add(&model.Connection{Meta: d.meta(network("connections", fmt.Sprintf("c%d", i))), Kind: pick(d, "IPsec", "Vnet2Vnet", "ExpressRoute"), Gateway: gwID(pick(d, "w0", "w1")), Peer: pick(d, network("localNetworkGateways", "lng"), gwID("w0"), gwID("w1"), "/gone"), State: pick(d, "", "Connected", "Unknown"), BGP: d.setting(), FastPath: d.setting(), IngressNAT: some(d, model.ID("/nat"))})
	})
}

func (d draw) kubernetes(add func(model.Resource)) {
	id := clusterID("k0")
	c := &model.Cluster{
		Meta: d.meta(id), Manifest: d.n(4) == 0, Plugin: pick(d, "azure", "kubenet", "none", ""), PluginMode: pick(d, "", "overlay"), DataPlane: pick(d, "", "cilium"), Policy: pick(d, "", "azure", "calico", "none", "odd"), PolicyOpen: d.bool(), Engine: pick(d, "", "calico", "odd"),
		OutboundType: pick(d, "", "loadBalancer", "userDefinedRouting", "block", "managedNATGateway"), PodCIDRs: some(d, d.prefix()), Private: d.setting(), VNetAPI: d.setting(), APISubnet: d.subnet(), APIRanges: some(d, d.prefix()), OutboundIPs: some(d, d.pip()), NodeGroup: pick(d, "", "MC_rg_k0_"),
	}
	times(d.n(2), func(i int) {
		c.Pools = append(c.Pools, model.NodePool{Name: string(rune('a' + i)), Subnet: d.subnet(), PodSubnet: pick(d, "", "", d.subnet()), PublicIPs: d.setting(), OS: pick(d, "", "Windows"), Taints: some(d, "k=v:NoSchedule", "bad"), Labels: map[string]string{"x": "y"}, ASGs: some(d, d.asg()), HostPorts: d.ports()})
	})
	add(c)
	times(d.n(3), func(i int) {
		w := &model.Workload{
			Meta: d.meta(model.Kubernetes("k0", "Deployment", "n", fmt.Sprintf("w%d", i))), Cluster: pick(d, id, id, id, "kubernetes:gone"), Namespace: pick(d, "n", "m"), Kind: pick(d, "Deployment", "StatefulSet", "Job", "Pod", "DaemonSet", ""), HostNetwork: d.n(4) == 0,
			Labels: pick(d, nil, map[string]string{"app": "x"}), Ports: some(d, port("http", d.port())), HostPorts: some(d, port("http", d.port())), Addresses: some(d, d.addr()), NodeSelector: pick(d, nil, map[string]string{"agentpool": "a"}), Tolerations: some(d, model.Toleration{Operator: "Exists"}),
		}
		add(w)
	})
	times(d.n(2), func(i int) {
		s := &model.KubeService{
			Meta: d.meta(model.Kubernetes("k0", "Service", "n", fmt.Sprintf("s%d", i))), Cluster: id, Namespace: "n", Type: pick(d, "LoadBalancer", "NodePort", "ClusterIP", "ExternalName"), ClusterIP: pick(d, "", "None", "10.250.0.7", "odd"), Selector: pick(d, nil, map[string]string{"app": "x"}),
			Ports: []model.ServicePort{{Port: d.port(), Protocol: d.protocol(), Target: d.port(), TargetName: pick(d, "", "http"), NodePort: pick(d, uint16(0), 30080)}}, Ingress: some(d, d.addr()), LoadBalancerIP: d.addr(), ExternalIPs: some(d, d.addr()), SourceRanges: some(d, d.prefix()), LocalPolicy: d.bool(), NoNodePorts: d.bool(),
			Annotations: pick(d, nil, map[string]string{annotation("azure-load-balancer-internal"): "true", annotation("azure-load-balancer-internal-subnet"): "a"}, map[string]string{annotation("azure-pls-create"): "true"}),
		}
		add(s)
	})
	selector := func() *model.LabelSelector {
		s := &model.LabelSelector{Match: pick(d, nil, map[string]string{"app": "x"})}
		s.Requirements = some(d, model.Requirement{Key: pick(d, "app", "env", "pod-template-hash"), Operator: pick(d, "In", "NotIn", "Exists", "DoesNotExist", "odd"), Values: []string{"x"}})
		return s
	}
	rules := func() []model.PolicyRule {
		var out []model.PolicyRule
		times(d.n(2), func(int) {
			r := model.PolicyRule{}
			r.Peers = some(d, model.PolicyPeer{Pods: selector()}, model.PolicyPeer{Namespaces: selector()}, model.PolicyPeer{IPBlock: &model.IPBlock{CIDR: d.prefix(), Except: some(d, d.prefix())}}, model.PolicyPeer{})
			r.Ports = some(d, model.PolicyPort{Protocol: d.protocol(), All: true}, model.PolicyPort{Protocol: model.TCP, Named: "http"}, tcpPort(80, 443))
			out = append(out, r)
		})
		return out
	}
	times(d.n(2), func(i int) {
		add(&model.NetworkPolicy{Meta: d.meta(model.Kubernetes("k0", "NetworkPolicy", "n", fmt.Sprint(i))), Cluster: id, Namespace: pick(d, "n", "m"), Pods: *selector(), Ingress: rules(), Egress: rules(), Isolates: [2]bool{d.bool(), d.bool()}})
	})
	times(d.n(1), func(int) {
		add(&model.Namespace{Meta: d.meta(model.Kubernetes("k0", "Namespace", "", "n")), Cluster: id, Labels: map[string]string{"env": "x"}, Declared: d.bool()})
	})
}

// packet draws a packet for an estate: often one of its symbols, sometimes from a place that does not exist.
func (d draw) packet(e *model.Estate) Packet {
	var hosts []netip.Addr
	for _, n := range e.NICs {
		for _, c := range n.IPConfigs {
			if c.Address.IsValid() {
				hosts = append(hosts, c.Address)
			}
		}
	}
	one := func() netip.Addr {
		if len(hosts) > 0 && d.bool() {
			return pick(d, hosts...)
		}
		if all := e.Symbols().All(); d.n(2) == 0 && len(all) > 0 {
			s := pick(d, all...)
			a, _ := e.Symbols().Of(s.Kind, s.Owner, s.Part)
			return a
		}
		return d.addr()
	}
	p := Packet{Src: one(), Dst: one(), Protocol: d.protocol(), SPort: d.port(), DPort: d.port(), Name: pick(d, "", "", "api.contoso.com", "kv.vault.azure.net", "x.example"), Tags: some(d, "Storage", "AzureCloud", "infra", "AzureKubernetesService", "Storage.westeurope")}
	if d.n(3) == 3 {
		p.From = model.Place{
			Kind: model.PlaceKind(d.n(17)), Part: pick(d, "", "c0", "a", "p2s", "c1"),
			ID: pick(d, "", nicID("i0"), subnetID("v0/a"), clusterID("k0"), agwID("g0"), network("bastionHosts", "b0"), gwID("w0"), fwID("fw"), peID("e0"), model.Kubernetes("k0", "Deployment", "n", "w0"),
				"/subscriptions/s/resourceGroups/MC_rg_k0_/providers/Microsoft.Compute/virtualMachineScaleSets/ss"),
		}
	}
	return p
}

// laws checks what holds for every packet of every estate.
func laws(t *rapid.T) {
	d := draw{t}
	e, packetOf := d.estate(), d.packet
	if d.bool() {
		e, packetOf = d.working(), d.workingPacket
	}
	o := Options{All: d.n(4) == 0}
	if d.n(4) == 0 {
		o.Tags = &model.ServiceTags{Tags: []model.ServiceTag{{Name: "Storage", Prefixes: some(d, d.prefix())}, {Name: "AzureCloud", Prefixes: some(d, d.prefix())}}}
	}
	times(3, func(int) {
		p := packetOf(e)
		r := Run(e, o, p)
		if len(r.Paths) == 0 {
			t.Fatalf("%s: no path at all", p)
		}
		if again := Run(e, o, p); !reflect.DeepEqual(again.Paths, r.Paths) {
			t.Fatalf("%s: two runs differ:\n%s\n%s", p, show(r), show(again))
		}
		for _, path := range r.Paths {
			lawsOfPath(t, path)
		}
		strict := o
		strict.Strict = true
		s := Run(e, strict, p)
		for _, path := range r.Paths { // AZ-GEN-10: open readings add outcomes and take certainty away
			over, _, _ := s.Delivered(path.At)
			if path.End == Delivered && !over && !truncated(s) {
				t.Fatalf("%s: --strict loses the delivery at %v:\n%s\n%s", p, path.At, show(r), show(s))
			}
		}
		for _, path := range s.Paths {
			_, oneWay, session := r.Delivered(path.At)
			if path.End == Delivered && !truncated(r) && (path.Certain && !oneWay || path.Session && !session) {
				t.Fatalf("%s: --strict makes the delivery at %v certain:\n%s\n%s", p, path.At, show(r), show(s))
			}
		}
	})
}

func truncated(r *Result) bool {
	return slices.ContainsFunc(r.Paths, func(p Path) bool {
		return slices.ContainsFunc(p.Hops, func(h Hop) bool { return h.Detail == "more courses than the interpreter follows" })
	})
}

func lawsOfPath(t *rapid.T, p Path) {
	if p.Session && !p.Certain || p.Certain && p.End == Lost {
		t.Fatalf("flags contradict: %+v", p)
	}
	if !slices.IsSorted(p.Assumptions) || p.Assumptions == nil {
		t.Fatalf("assumptions are not a sorted list: %v", p.Assumptions)
	}
	for _, id := range p.Assumptions {
		if _, ok := model.AssumptionOf(id); !ok {
			t.Fatalf("%s is in no register", id)
		}
	}
	if len(p.Hops) == 0 && p.End != Delivered {
		t.Fatalf("a path ends without a hop: %+v", p)
	}
	for _, h := range p.Hops {
		if p.Certain && !h.Certain {
			t.Fatalf("a certain path has an uncertain hop: %+v", h)
		}
		if h.Stage == "" || h.Action == "" {
			t.Fatalf("a hop says nothing: %+v", h)
		}
		if !slices.IsSorted(h.Assumptions) {
			t.Fatalf("assumptions are not sorted: %v", h.Assumptions)
		}
	}
}

// Laws over random estates: no panic, same result twice, flags that agree, and --strict only widens what is possible.
func TestLaws(t *testing.T) { rapid.Check(t, laws) }

// FuzzRun is the same with the fuzzer's bytes.
func FuzzRun(f *testing.F) {
	f.Add([]byte{})                                   // the smallest estate
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07\x08")) // something in most fields
	f.Fuzz(rapid.MakeFuzz(laws))
}

// A Deny added before all rules of an NSG never opens a way (AZ-NSG-02).
func TestDenyNeverOpens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw{t}
		e, packetOf := d.estate(), d.packet
		if d.bool() {
			e, packetOf = d.working(), d.workingPacket
		}
		p := packetOf(e)
		before := Run(e, Options{}, p)
		for _, g := range e.NSGs {
			g.Rules = append([]model.SecurityRule{{
				Name: "deny", Priority: 1, Direction: model.Direction(d.n(1)), Protocol: model.AnyProtocol, SourceAddrs: model.AddressMatch{Any: true}, DestAddrs: model.AddressMatch{Any: true},
				SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
			}}, g.Rules...)
		}
		after := Run(e, Options{}, p)
		if truncated(before) || truncated(after) {
			return
		}
		for _, path := range after.Paths {
			over, oneWay, _ := before.Delivered(path.At)
			if path.End == Delivered && (!over || path.Certain && !oneWay) {
				t.Fatalf("%s: reaches %v only with the Deny:\n%s\n%s", p, path.At, show(before), show(after))
			}
		}
	})
}

// The zero estate and the zero packet are answered too.
func TestNothing(t *testing.T) {
	for _, e := range []*model.Estate{nil, estate(t).build()} {
		r := Run(e, Options{}, Packet{})
		if len(r.Paths) != 1 || r.Paths[0].End != Dropped {
			t.Errorf("got %s, want one dropped path", show(r))
		}
	}
}

// annotation is the full name of a load-balancer annotation.
func annotation(name string) string { return "service.beta.kubernetes.io/" + name }
