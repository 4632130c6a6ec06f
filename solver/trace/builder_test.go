package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// builder makes small estates for the worked examples. Names are short: `hub` is a VNet, `hub/web` a subnet, `nsg1` an NSG.
type builder struct {
	t         reporter
	resources []model.Resource
}

// reporter is what tests and property tests share.
type reporter interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func estate(t reporter) *builder { return &builder{t: t} }

func (b *builder) build() *model.Estate {
	b.t.Helper()
	e, err := model.NewEstate(b.resources, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

func (b *builder) add(r model.Resource) { b.resources = append(b.resources, r) }

func network(kind, name string) model.ID {
	return model.ID("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/" + kind + "/" + name)
}

func meta(id model.ID) model.Meta {
	return model.Meta{ID: id, Source: model.Source{File: "test", Resource: id}, Location: "westeurope"}
}

func vnetID(name string) model.ID { return network("virtualNetworks", name) }

func subnetID(name string) model.ID {
	v, s, _ := strings.Cut(name, "/")
	return vnetID(v) + "/subnets/" + model.ID(s)
}

func nicID(name string) model.ID  { return network("networkInterfaces", name) }
func nsgID(name string) model.ID  { return network("networkSecurityGroups", name) }
func asgID(name string) model.ID  { return network("applicationSecurityGroups", name) }
func pipID(name string) model.ID  { return network("publicIPAddresses", name) }
func lbID(name string) model.ID   { return network("loadBalancers", name) }
func fwID(name string) model.ID   { return network("azureFirewalls", name) }
func agwID(name string) model.ID  { return network("applicationGateways", name) }
func peID(name string) model.ID   { return network("privateEndpoints", name) }
func gwID(name string) model.ID   { return network("virtualNetworkGateways", name) }
func rtID(name string) model.ID   { return network("routeTables", name) }
func poolID(name string) model.ID { return network("loadBalancers/x/backendAddressPools", name) }

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		p, _, err := model.ParsePrefix(s)
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	return out
}

func addr(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

func (b *builder) vnet(name string, ranges ...string) *model.VNet {
	v := &model.VNet{Meta: meta(vnetID(name)), Prefixes: prefixes(ranges...)}
	b.add(v)
	return v
}

// subnet adds a subnet; its options are words: nsg=NAME, rt=NAME, pe=Enabled.
func (b *builder) subnet(name, ranges string, options ...string) *model.Subnet {
	v, _, _ := strings.Cut(name, "/")
	s := &model.Subnet{Meta: meta(subnetID(name)), VNet: vnetID(v), Prefixes: prefixes(strings.Split(ranges, ",")...), DefaultOutbound: model.On}
	for _, o := range options {
		switch key, value, _ := strings.Cut(o, "="); key {
		case "nsg":
			s.NSG = nsgID(value)
		case "rt":
			s.RouteTable = rtID(value)
		case "pe":
			for p := model.PoliciesNotStated; p <= model.PoliciesEnabled; p++ {
				if p.String() == value {
					s.EndpointPolicies = p
				}
			}
		case "se":
			s.ServiceEndpoints = append(s.ServiceEndpoints, model.ServiceEndpoint{Service: value, State: "Succeeded"})
		case "private":
			s.DefaultOutbound = model.Off
		case "unstated":
			s.DefaultOutbound = model.NotStated
		case "":
		default:
			b.t.Fatalf("subnet option %q", o)
		}
	}
	b.add(s)
	return s
}

func (b *builder) nic(name, subnet, address string, options ...string) *model.NIC {
	n := &model.NIC{Meta: meta(nicID(name)), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "ip", Subnet: subnetID(subnet), Address: addr(address), Primary: true}}}
	for _, o := range options {
		switch key, value, _ := strings.Cut(o, "="); key {
		case "nsg":
			n.NSG = nsgID(value)
		case "pip":
			n.IPConfigs[0].PublicIP = pipID(value)
		case "asg":
			n.IPConfigs[0].ASGs = append(n.IPConfigs[0].ASGs, asgID(value))
		case "pool":
			n.IPConfigs[0].LBPools = append(n.IPConfigs[0].LBPools, poolID(value))
		case "forward":
			n.IPForwarding = model.On
		case "":
		default:
			b.t.Fatalf("nic option %q", o)
		}
	}
	b.add(n)
	return n
}

func nic(name string) model.Place {
	return model.Place{Kind: model.PlaceNIC, ID: nicID(name), Part: "ip"}
}

// nsg adds an NSG with the default rules behind its own.
func (b *builder) nsg(name string, rules ...string) *model.NSG {
	g := &model.NSG{Meta: meta(nsgID(name))}
	for _, r := range rules {
		if r != "" {
			g.Rules = append(g.Rules, rule(r))
		}
	}
	g.Rules = append(g.Rules, defaultRules()...)
	b.add(g)
	return g
}

// rule reads `100 Allow In tcp Internet -> * 80 [name]`; addresses are `*`, prefixes, asg:NAME or tags, ports `*`, `80`, `80,443`.
func rule(text string) model.SecurityRule {
	f := strings.Fields(text)
	if len(f) < 8 || f[5] != "->" {
		panic("rule: " + text)
	}
	prio, err := strconv.Atoi(f[0])
	if err != nil {
		panic(err)
	}
	r := model.SecurityRule{Priority: prio, Name: f[0], Source: model.Source{File: "test", Path: text}, SourceAddrs: side(f[4]), DestAddrs: side(f[6]), SourcePorts: []model.PortRange{model.AllPorts}}
	if f[1] == "Allow" {
		r.Access = model.Allow
	}
	if f[2] == "Out" {
		r.Direction = model.Outbound
	}
	r.Protocol = protocol(f[3])
	for p := range strings.SplitSeq(f[7], ",") {
		pr, err := model.ParsePortRange(p)
		if err != nil {
			panic(err)
		}
		r.DestPorts = append(r.DestPorts, pr)
	}
	if len(f) > 8 {
		r.Name = f[8]
	}
	return r
}

func protocol(s string) model.Protocol {
	switch strings.ToLower(s) {
	case "*":
		return model.AnyProtocol
	case "tcp":
		return model.TCP
	case "udp":
		return model.UDP
	case "icmp":
		return model.ICMP
	case "sctp":
		return model.SCTP
	case "esp":
		return model.ESP
	}
	panic("protocol " + s)
}

func side(s string) model.AddressMatch {
	var m model.AddressMatch
	for x := range strings.SplitSeq(s, ",") {
		if x == "*" {
			m.Any = true
			continue
		}
		if asg, ok := strings.CutPrefix(x, "asg:"); ok {
			m.ASGs = append(m.ASGs, asgID(asg))
			continue
		}
		if group, ok := strings.CutPrefix(x, "group:"); ok {
			m.IPGroups = append(m.IPGroups, network("ipGroups", group))
			continue
		}
		if name, ok := strings.CutPrefix(x, "fqdn:"); ok {
			m.FQDNs = append(m.FQDNs, name)
			continue
		}
		if p, _, err := model.ParsePrefix(x); err == nil {
			m.Prefixes = append(m.Prefixes, p)
			continue
		}
		m.Tags = append(m.Tags, x)
	}
	return m
}

// routes adds a route table: `0.0.0.0/0 10.0.0.4`, `10.0.0.0/16 VnetLocal`, `Storage Internet`.
func (b *builder) routes(name string, routes ...string) *model.RouteTable {
	rt := &model.RouteTable{Meta: meta(rtID(name))}
	for _, r := range routes {
		if r == "" {
			continue
		}
		to, hop, _ := strings.Cut(r, " ")
		u := model.UserRoute{Name: to, Source: model.Source{File: "test"}, NextHop: model.NextHopType(hop)}
		if p, _, err := model.ParsePrefix(to); err == nil {
			u.Prefix = p
		} else {
			u.Tag = to
		}
		if a, err := netip.ParseAddr(hop); err == nil {
			u.NextHop, u.Address = model.HopAppliance, a
		}
		rt.Routes = append(rt.Routes, u)
	}
	b.add(rt)
	return rt
}

// peer peers two VNets, both sides connected, access on, forwarding off unless changed.
func (b *builder) peer(x, y *model.VNet) (xy, yx *model.Peering) {
	x.Peerings = append(x.Peerings, model.Peering{Name: "to-" + y.Name(), Remote: y.ID, State: "Connected", AllowVNetAccess: model.On, AllowForwarded: model.Off})
	y.Peerings = append(y.Peerings, model.Peering{Name: "to-" + x.Name(), Remote: x.ID, State: "Connected", AllowVNetAccess: model.On, AllowForwarded: model.Off})
	return &x.Peerings[len(x.Peerings)-1], &y.Peerings[len(y.Peerings)-1]
}

func (b *builder) pip(name, address string) *model.PublicIP {
	p := &model.PublicIP{Meta: meta(pipID(name)), Address: addr(address), SKU: model.Standard}
	b.add(p)
	return p
}

func (b *builder) endpoint(name, subnet, address string, target model.ID) *model.PrivateEndpoint {
	p := &model.PrivateEndpoint{Meta: meta(peID(name)), Subnet: subnetID(subnet), State: "Approved", Target: target}
	if address != "" {
		p.Addresses = []netip.Addr{addr(address)}
	}
	b.add(p)
	return p
}

func endpoint(name string) model.Place {
	return model.Place{Kind: model.PlaceEndpoint, ID: peID(name)}
}

// firewall adds a firewall with classic collections.
func (b *builder) firewall(name, subnet, private string, public ...string) *model.Firewall {
	f := &model.Firewall{Meta: meta(fwID(name)), Tier: "Standard", Subnet: subnetID(subnet), Address: addr(private)}
	for _, p := range public {
		f.PublicIPs = append(f.PublicIPs, pipID(p))
	}
	b.add(f)
	return f
}

// netRule reads `10.0.0.0/8 -> * tcp 443`.
func netRule(name, text string) model.FirewallRule {
	f := strings.Fields(text)
	r := model.FirewallRule{Name: name, Source: model.Source{File: "test", Path: name}, Sources: side(f[0]), Dests: side(f[2]), Protocols: []model.Protocol{protocol(f[3])}}
	for p := range strings.SplitSeq(f[4], ",") {
		pr, err := model.ParsePortRange(p)
		if err != nil {
			panic(err)
		}
		r.Ports = append(r.Ports, pr)
	}
	return r
}

// appRule reads `10.0.0.0/8 https:443 *.contoso.com`; a tag is tag:NAME.
func appRule(name, text string) model.FirewallRule {
	f := strings.Fields(text)
	r := model.FirewallRule{Name: name, Source: model.Source{File: "test", Path: name}, Sources: side(f[0])}
	for x := range strings.SplitSeq(f[1], ",") {
		kind, port, _ := strings.Cut(x, ":")
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			panic(err)
		}
		r.Apps = append(r.Apps, model.AppProtocol{Type: kind, Port: uint16(n)})
	}
	for x := range strings.SplitSeq(f[2], ",") {
		if tag, ok := strings.CutPrefix(x, "tag:"); ok {
			r.FQDNTags = append(r.FQDNTags, tag)
			continue
		}
		r.FQDNs = append(r.FQDNs, x)
	}
	return r
}

func collection(name string, kind model.RuleKind, prio int, access model.Access, rules ...model.FirewallRule) model.RuleCollection {
	return model.RuleCollection{Name: name, Source: model.Source{File: "test"}, Kind: kind, Priority: prio, Access: access, Rules: rules}
}

// policy adds a firewall policy with its groups; the keys are priorities.
func (b *builder) policy(name string, groups ...*model.RuleCollectionGroup) *model.FirewallPolicy {
	p := &model.FirewallPolicy{Meta: meta(network("firewallPolicies", name)), Tier: "Standard"}
	b.add(p)
	for _, g := range groups {
		g.ID = p.ID + "/ruleCollectionGroups/" + g.ID
		g.Policy = p.ID
		g.Source = model.Source{File: "test", Resource: g.ID}
		b.add(g)
	}
	return p
}

func group(name string, prio int, collections ...model.RuleCollection) *model.RuleCollectionGroup {
	return &model.RuleCollectionGroup{Meta: model.Meta{ID: model.ID(name)}, Priority: prio, Collections: collections}
}

// packet reads `10.0.0.5 > 10.0.1.4 tcp/443`; an empty or named sender goes in from.
func packet(text string) Packet {
	f := strings.Fields(text)
	p := Packet{Src: addr(f[0]), Dst: addr(f[2]), SPort: 50000}
	proto, port, _ := strings.Cut(f[3], "/")
	p.Protocol = protocol(proto)
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			panic(err)
		}
		p.DPort = uint16(n)
	}
	return p
}

// verdict of a packet at a place, as the documents write it: A, D, or both where the input does not settle it.
const (
	reached = "A"
	asym    = "one-way" // delivered for certain, and the reply does not return: over A, under D (AZ-GEN-09)
	unclear = "over A, under D"
	nothing = "D"
)

func ask(r *Result, at model.Place) string {
	over, oneWay, session := r.Delivered(at)
	switch {
	case session:
		return reached
	case oneWay:
		return asym
	case over:
		return unclear
	default:
		return nothing
	}
}

// decided is the verdict with the rule that denies, for a packet that is dropped.
func decided(r *Result, at model.Place) string {
	v := ask(r, at)
	if v != nothing {
		return v
	}
	for _, p := range r.Paths {
		if p.End != Dropped {
			continue
		}
		for _, h := range p.Hops {
			if (h.Action == Deny || h.Action == Drop) && h.Rule != "" {
				return v + " " + h.Rule
			}
		}
	}
	return v
}

// hops prints the path for failure messages.
func show(r *Result) string {
	var b strings.Builder
	for _, p := range r.Paths {
		fmt.Fprintf(&b, "%s at %s %s %s certain=%v session=%v %v\n", p.End, p.At.Kind, p.At.ID.Name(), p.At.Part, p.Certain, p.Session, p.Assumptions)
		for _, h := range p.Hops {
			route := ""
			if h.Route != nil {
				route = fmt.Sprintf(" %s %s %s %s", h.Route.Prefix, h.Route.Tag, h.Route.NextHopType, h.Route.NextHopIP)
			}
			fmt.Fprintf(&b, "    %-20s %-8s %s %s %s%s  %s certain=%v %v\n", h.Stage, h.Action, h.At.ID.Name(), h.Rule, h.Detail, route, h.Packet, h.Certain, h.Assumptions)
		}
	}
	return b.String()
}

func assumptionsOf(r *Result) []string {
	var out []string
	for _, p := range r.Paths {
		out = union(out, p.Assumptions)
	}
	return out
}

func hasAssumption(r *Result, id string) bool { return slices.Contains(assumptionsOf(r), id) }

// check runs one row of a table.
func check(t *testing.T, question string, r *Result, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %s, want %s\n%s", question, got, want, show(r))
	}
}

func internet() model.Place { return model.Place{Kind: model.PlaceInternet} }

func from(p model.Place, q Packet) Packet { q.From = p; return q }

func named(name string, q Packet, tags ...string) Packet { q.Name, q.Tags = name, tags; return q }

func tagged(q Packet, tags ...string) Packet { q.Tags = tags; return q }
