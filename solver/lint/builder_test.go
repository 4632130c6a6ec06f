package lint

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// builder makes small estates. Names are short: `hub` is a VNet, `hub/web` a subnet, `web` an NSG.
type builder struct {
	t         testing.TB
	intent    *model.Intent
	ledger    []model.LedgerEntry
	resources []model.Resource
}

func (b *builder) add(r model.Resource) { b.resources = append(b.resources, r) }

func (b *builder) project() *model.Project {
	b.t.Helper()
	e, err := model.NewEstate(b.resources, b.ledger)
	if err != nil {
		b.t.Fatal(err)
	}
	return &model.Project{Estate: e, Intent: b.intent}
}

func resourceID(kind, name string) model.ID {
	return model.ID("/subscriptions/s/resourceGroups/rg/providers/" + kind + "/" + name)
}

func network(kind, name string) model.ID { return resourceID("Microsoft.Network/"+kind, name) }

func meta(id model.ID) model.Meta {
	return model.Meta{ID: id, Source: model.Source{File: "test.json", Line: 1, Path: string(id)}}
}

func source(path string) model.Source { return model.Source{File: "test.json", Line: 2, Path: path} }

func vnetID(name string) model.ID { return network("virtualNetworks", name) }

func subnetID(name string) model.ID {
	v, s, _ := strings.Cut(name, "/")
	return vnetID(v) + "/subnets/" + model.ID(s)
}

func nsgID(name string) model.ID { return network("networkSecurityGroups", name) }
func asgID(name string) model.ID { return network("applicationSecurityGroups", name) }
func rtID(name string) model.ID  { return network("routeTables", name) }
func nicID(name string) model.ID { return network("networkInterfaces", name) }
func pipID(name string) model.ID { return network("publicIPAddresses", name) }
func fwID(name string) model.ID  { return network("azureFirewalls", name) }
func fwpID(name string) model.ID { return network("firewallPolicies", name) }
func agwID(name string) model.ID { return network("applicationGateways", name) }
func wafID(name string) model.ID {
	return network("applicationGatewayWebApplicationFirewallPolicies", name)
}
func peID(name string) model.ID   { return network("privateEndpoints", name) }
func lbID(name string) model.ID   { return network("loadBalancers", name) }
func zoneID(name string) model.ID { return network("privateDnsZones", name) }
func vmID(name string) model.ID   { return resourceID("Microsoft.Compute/virtualMachines", name) }
func aksID(name string) model.ID {
	return resourceID("Microsoft.ContainerService/managedClusters", name)
}

func addr(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

func prefixes(t testing.TB, list ...string) []netip.Prefix {
	t.Helper()
	var out []netip.Prefix
	for _, s := range list {
		p, _, err := model.ParsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func (b *builder) vnet(name string, ranges ...string) *model.VNet {
	v := &model.VNet{Meta: meta(vnetID(name)), Prefixes: prefixes(b.t, ranges...)}
	b.add(v)
	return v
}

// subnet adds a subnet; ranges are divided by commas, options are words such as nsg=NAME, rt=NAME.
func (b *builder) subnet(name, ranges string, options ...string) *model.Subnet {
	v, _, _ := strings.Cut(name, "/")
	s := &model.Subnet{Meta: meta(subnetID(name)), VNet: vnetID(v), Prefixes: prefixes(b.t, strings.Split(ranges, ",")...), DefaultOutbound: model.On}
	for _, o := range options {
		switch key, value, _ := strings.Cut(o, "="); key {
		case "nsg":
			s.NSG = nsgID(value)
		case "rt":
			s.RouteTable = rtID(value)
		case "nat":
			s.NATGateway = network("natGateways", value)
		case "delegated":
			s.Delegations = []string{value}
		case "private":
			s.DefaultOutbound = model.Off
		case "policies":
			for p := model.PoliciesNotStated; p <= model.PoliciesEnabled; p++ {
				if p.String() == value {
					s.EndpointPolicies = p
				}
			}
		default:
			b.t.Fatalf("subnet option %q", o)
		}
	}
	b.add(s)
	return s
}

// nic adds an interface with one IP configuration.
func (b *builder) nic(name, subnet, address string, options ...string) *model.NIC {
	n := &model.NIC{
		Meta: meta(nicID(name)), IPForwarding: model.Off,
		IPConfigs: []model.IPConfig{{Name: "ip", Source: source(name), Subnet: subnetID(subnet), Address: addr(address), Primary: true}},
	}
	for _, o := range options {
		switch key, value, _ := strings.Cut(o, "="); key {
		case "nsg":
			n.NSG = nsgID(value)
		case "asg":
			n.IPConfigs[0].ASGs = []model.ID{asgID(value)}
		case "pip":
			n.IPConfigs[0].PublicIP = pipID(value)
		case "vm":
			n.VM = vmID(value)
			b.add(&model.VM{Meta: meta(n.VM), NICs: []model.ID{n.ID}})
		case "forward":
			n.IPForwarding = model.On
		default:
			b.t.Fatalf("nic option %q", o)
		}
	}
	b.add(n)
	return n
}

// nsg adds an NSG with its default rules. A rule reads `NAME 100 In Allow tcp FROM TO PORTS [SOURCEPORTS]`; FROM and TO are `*`,
// prefixes, asg:NAME or tags, divided by commas.
func (b *builder) nsg(name string, rules ...string) *model.NSG {
	g := &model.NSG{Meta: meta(nsgID(name))}
	add := func(text string, isDefault bool) {
		f := strings.Fields(text)
		if len(f) < 8 {
			b.t.Fatalf("rule %q", text)
		}
		u := model.SecurityRule{
			Name: f[0], Priority: b.number(f[1]), Protocol: b.protocol(f[4]), SourceAddrs: b.match(f[5]), DestAddrs: b.match(f[6]),
			DestPorts: b.ports(f[7]), SourcePorts: []model.PortRange{model.AllPorts}, Default: isDefault, Source: source(name + "/" + f[0]),
		}
		if f[2] == "Out" {
			u.Direction = model.Outbound
		}
		if f[3] == "Allow" {
			u.Access = model.Allow
		}
		if len(f) > 8 {
			u.SourcePorts = b.ports(f[8])
		}
		if isDefault {
			u.Source = model.Source{Platform: "default rule", Resource: g.ID}
		}
		g.Rules = append(g.Rules, u)
	}
	for _, d := range []string{"In", "Out"} {
		for _, r := range rules {
			if strings.Fields(r)[2] == d {
				add(r, false)
			}
		}
		add("AllowVnet"+d+"Bound 65000 "+d+" Allow * VirtualNetwork VirtualNetwork *", true)
		if d == "In" {
			add("AllowAzureLoadBalancerInBound 65001 In Allow * AzureLoadBalancer * *", true)
		} else {
			add("AllowInternetOutBound 65001 Out Allow * * Internet *", true)
		}
		add("DenyAll"+d+"Bound 65500 "+d+" Deny * * * *", true)
	}
	b.add(g)
	return g
}

// denyIn is the rule that a hardened NSG ends with.
const denyIn = "DenyAllIn 4096 In Deny * * * *"

func (b *builder) number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *builder) protocol(s string) model.Protocol {
	if s == "*" {
		return model.AnyProtocol
	}
	p, err := model.ParsePortService(s)
	if err != nil {
		b.t.Fatal(err)
	}
	return p.Protocol
}

func (b *builder) ports(s string) []model.PortRange {
	var out []model.PortRange
	for text := range strings.SplitSeq(s, ",") {
		p, err := model.ParsePortRange(text)
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func (b *builder) match(s string) model.AddressMatch {
	var m model.AddressMatch
	for text := range strings.SplitSeq(s, ",") {
		asg, isASG := strings.CutPrefix(text, "asg:")
		group, isGroup := strings.CutPrefix(text, "group:")
		p, _, err := model.ParsePrefix(text)
		switch {
		case text == "*":
			m.Any = true
		case isASG:
			m.ASGs = append(m.ASGs, asgID(asg))
		case isGroup:
			m.IPGroups = append(m.IPGroups, network("ipGroups", group))
		case err == nil:
			m.Prefixes = append(m.Prefixes, p)
		default:
			m.Tags = append(m.Tags, text)
		}
	}
	return m
}

// routes adds a route table; a route reads `NAME PREFIX HOP`, where HOP is the address of an appliance or a next hop type.
func (b *builder) routes(name string, routes ...string) *model.RouteTable {
	t := &model.RouteTable{Meta: meta(rtID(name))}
	for _, text := range routes {
		f := strings.Fields(text)
		u := model.UserRoute{Name: f[0], Source: source(name + "/" + f[0]), Prefix: prefixes(b.t, f[1])[0], NextHop: model.NextHopType(f[2])}
		if a, err := netip.ParseAddr(f[2]); err == nil {
			u.NextHop, u.Address = model.HopAppliance, a
		}
		t.Routes = append(t.Routes, u)
	}
	b.add(t)
	return t
}

// peer joins two VNets, both sides connected, and returns the sides.
func (b *builder) peer(x, y *model.VNet) (xy, yx *model.Peering) {
	side := func(v, w *model.VNet) {
		v.Peerings = append(v.Peerings, model.Peering{
			Name: "to-" + w.Name(), Source: source(v.Name() + "/to-" + w.Name()), Remote: w.ID, State: "Connected", AllowVNetAccess: model.On, RemotePrefixes: w.Prefixes,
		})
	}
	side(x, y)
	side(y, x)
	return &x.Peerings[len(x.Peerings)-1], &y.Peerings[len(y.Peerings)-1]
}

// firewall adds a firewall with a policy of its own, both named after it, in a VNet's AzureFirewallSubnet, which it adds as well.
func (b *builder) firewall(name, vnet, subnet, address string) (*model.Firewall, *model.FirewallPolicy) {
	b.subnet(vnet+"/AzureFirewallSubnet", subnet)
	p := &model.FirewallPolicy{Meta: meta(fwpID(name + "-policy")), Tier: "Premium", ThreatIntel: "Deny", IDPS: "Deny"}
	f := &model.Firewall{Meta: meta(fwID(name)), Tier: "Premium", Subnet: subnetID(vnet + "/AzureFirewallSubnet"), Address: addr(address), Policy: p.ID}
	b.add(f)
	b.add(p)
	return f, p
}

// group adds a rule collection group with one collection of one rule.
func (b *builder) group(p *model.FirewallPolicy, kind model.RuleKind, access model.Access, u model.FirewallRule) {
	u.Name, u.Source = "rule", source("rule")
	b.add(&model.RuleCollectionGroup{
		Meta: meta(p.ID + "/ruleCollectionGroups/group"), Policy: p.ID, Priority: 100,
		Collections: []model.RuleCollection{{Name: "list", Source: source("list"), Priority: 100, Kind: kind, Access: access, Rules: []model.FirewallRule{u}}},
	})
}

// endpoint adds a private endpoint of a resource.
func (b *builder) endpoint(name, subnet, address string, target model.ID) *model.PrivateEndpoint {
	ep := &model.PrivateEndpoint{Meta: meta(peID(name)), Subnet: subnetID(subnet), Addresses: []netip.Addr{addr(address)}, Target: target, State: "Approved"}
	b.add(ep)
	return ep
}

func (b *builder) service(kind model.ServiceKind, name string) *model.Service {
	s := &model.Service{Meta: meta(resourceID("Microsoft.Test/services", name)), Kind: kind, Public: "Disabled"}
	b.add(s)
	return s
}

// cluster adds a hardened cluster without pools.
func (b *builder) cluster(name string) *model.Cluster {
	c := &model.Cluster{
		Meta: meta(aksID(name)), Plugin: "azure", PluginMode: "overlay", DataPlane: "cilium", OutboundType: "userDefinedRouting",
		Private: model.On, PublicFQDN: model.Off, RunCommandOff: model.On,
	}
	b.add(c)
	return c
}

func kube(kind, namespace, name string) model.Meta {
	return meta(model.Kubernetes("aks", kind, namespace, name))
}

func (b *builder) namespace(name string) *model.Namespace {
	n := &model.Namespace{Meta: kube("Namespace", "", name), Cluster: aksID("aks"), Declared: true, Labels: map[string]string{"kubernetes.io/metadata.name": name}}
	b.add(n)
	return n
}

// workload adds a Deployment with the label app=NAME that listens on a port named http.
func (b *builder) workload(namespace, name string, port uint16) *model.Workload {
	w := &model.Workload{
		Meta: kube("Deployment", namespace, name), Cluster: aksID("aks"), Namespace: namespace, Kind: "Deployment", Labels: map[string]string{"app": name},
		Ports: []model.ContainerPort{{Name: "http", Port: port, Protocol: model.TCP}},
	}
	b.add(w)
	return w
}

// policy adds a NetworkPolicy that selects app=NAME, or every pod where the name is empty; directions are `in`, `out`.
func (b *builder) policy(namespace, name, app string, directions ...string) *model.NetworkPolicy {
	p := &model.NetworkPolicy{Meta: kube("NetworkPolicy", namespace, name), Cluster: aksID("aks"), Namespace: namespace}
	if app != "" {
		p.Pods.Match = map[string]string{"app": app}
	}
	for _, d := range directions {
		p.Isolates[map[string]model.Direction{"in": model.Inbound, "out": model.Outbound}[d]] = true
	}
	b.add(p)
	return p
}

// kubeService adds a Service in front of app=NAME: port to target.
func (b *builder) kubeService(namespace, name, kind string, port, target uint16) *model.KubeService {
	s := &model.KubeService{
		Meta: kube("Service", namespace, name), Cluster: aksID("aks"), Namespace: namespace, Type: kind, Selector: map[string]string{"app": name},
		Ports: []model.ServicePort{{Source: source(name), Port: port, Protocol: model.TCP, Target: target}}, Annotations: map[string]string{},
	}
	b.add(s)
	return s
}

// ports of a policy rule.
func policyPort(first, last uint16) model.PolicyPort {
	return model.PolicyPort{Source: source("port"), Protocol: model.TCP, Ports: model.PortRange{First: first, Last: last}}
}

// external declares a zone outside the estate.
func (b *builder) external(name string, kind model.ZoneKind, ranges string) {
	if b.intent == nil {
		b.intent = &model.Intent{}
	}
	sel, err := model.ParseSelector("cidr:" + ranges)
	if err != nil {
		b.t.Fatal(err)
	}
	b.intent.Zones = append(b.intent.Zones, model.Zone{Name: name, Kind: kind, Members: []model.Selector{sel}})
}
