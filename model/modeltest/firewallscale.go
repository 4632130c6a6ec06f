package modeltest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// FirewallScale generates a hub whose firewall has a policy of three inherited levels with the given number of rules, and spokes that send
// everything to it. For each ten rules there is an IP group of 100 prefixes, for each five a name pattern: 10,000 rules make 1,000 groups
// and 2,000 patterns. The same number gives the same estate.
//
// Nine groups of ten are of one application: 95 prefixes in a block of its own, which lies in a spoke, and five that ten such groups share
// (sites, jump hosts, monitors). The tenth is of an environment, and holds ten prefixes of each of ten applications. 72 of 100 rules are
// network rules, 25 application rules, 3 translate; one in ten denies. A rule names a group or two on each side, or a block.
func FirewallScale(rules int) []model.Resource {
	g := &scale{rnd: rand.New(rand.NewPCG(uint64(rules), 2))}
	hub := g.vnet("hub", netip.MustParsePrefix("10.255.0.0/16"))
	subnet := g.subnet(hub, "AzureFirewallSubnet", netip.MustParsePrefix("10.255.0.0/26"), "", "")
	pip := &model.PublicIP{Meta: g.meta("publicIPAddresses", "pip-fw"), Address: netip.MustParseAddr("20.0.0.4"), SKU: model.Standard}
	fw := &model.Firewall{
		Meta: g.meta("azureFirewalls", "fw"), Tier: "Premium", Subnet: subnet.ID, Address: netip.MustParseAddr("10.255.0.4"), PublicIPs: []model.ID{pip.ID},
	}
	pip.AttachedTo = fw.ID
	g.out = append(g.out, pip, fw)
	table := g.table("rt-spokes", fw.Address)
	groups := max(1, rules/10)
	for v := range max(2, (groups+63)/64) {
		spoke := g.vnet(fmt.Sprintf("spoke%03d", v), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(v), 0, 0}), 16))
		g.peer(hub, spoke)
		for s := range 4 {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(v), byte(64 * s), 0}), 18)
			g.subnet(spoke, fmt.Sprintf("snet%d", s), p, "", table)
		}
	}
	f := &firewallScale{scale: g, public: pip.Address}
	f.groups(groups)
	for i := range max(1, rules/5) {
		f.patterns = append(f.patterns, f.pattern(i))
	}
	// A third of the rules stands in each level, in groups of collections as the portal makes them.
	var base model.ID
	left := rules
	for i, name := range []string{"root", "platform", "team"} {
		base = f.policy(name, base, left/(3-i))
		left -= left / (3 - i)
	}
	fw.Policy = base
	return g.out
}

type firewallScale struct {
	*scale
	ids      []model.ID
	patterns []string
	public   netip.Addr
	made     int
}

// groups makes n IP groups of 100 prefixes, at most 16,000 of them.
func (f *firewallScale) groups(n int) {
	shared := make([]netip.Prefix, max(5, n/2))
	for i := range shared {
		a := netip.AddrFrom4([4]byte{172, byte(16 + f.rnd.IntN(16)), byte(f.rnd.IntN(256)), byte(f.rnd.IntN(256))})
		shared[i] = netip.PrefixFrom(a, []int{24, 26, 28, 32, 32, 32}[f.rnd.IntN(6)]).Masked()
	}
	var made []*model.IPGroup
	for i := range n {
		g := &model.IPGroup{Meta: f.meta("ipGroups", fmt.Sprintf("ipg-%04d", i))}
		if i%10 == 9 {
			for _, of := range made {
				g.Prefixes = append(g.Prefixes, of.Prefixes[:100/len(made)]...)
			}
			made = made[:0]
		} else {
			made = append(made, g)
		}
		for len(g.Prefixes) < 95 {
			a := netip.AddrFrom4([4]byte{10, byte(i / 64), byte(i%64*4 + f.rnd.IntN(4)), byte(f.rnd.IntN(256))})
			g.Prefixes = append(g.Prefixes, netip.PrefixFrom(a, []int{28, 29, 30, 32, 32}[f.rnd.IntN(5)]).Masked())
		}
		for len(g.Prefixes) < 100 {
			g.Prefixes = append(g.Prefixes, shared[f.rnd.IntN(len(shared))])
		}
		f.ids = append(f.ids, g.ID)
		f.out = append(f.out, g)
	}
}

// pattern is a name or a suffix, some of them inside others.
func (f *firewallScale) pattern(i int) string {
	switch i % 4 {
	case 0:
		return fmt.Sprintf("*.team%04d.example.com", i/4)
	case 1:
		return fmt.Sprintf("api.team%04d.example.com", i/4)
	case 2:
		return fmt.Sprintf("*.eu.team%04d.example.com", i/4)
	default:
		return fmt.Sprintf("partner%04d.example.net", i/4)
	}
}

func (f *firewallScale) policy(name string, base model.ID, rules int) model.ID {
	p := &model.FirewallPolicy{Meta: f.meta("firewallPolicies", name), Base: base, Tier: "Premium", ThreatIntel: "Alert", DNSProxy: model.On}
	for i := 0; rules > 0; i++ {
		n := min(rules, 500)
		rules -= n
		g := &model.RuleCollectionGroup{Meta: f.meta("firewallPolicies", name+"/ruleCollectionGroups/"+fmt.Sprintf("rcg%02d", i)), Policy: p.ID, Priority: 100 + 100*i}
		for c := 0; n > 0; c++ {
			k := min(n, 25)
			n -= k
			kind := []model.RuleKind{model.NetworkRules, model.ApplicationRules, model.NetworkRules, model.NetworkRules}[f.made%4]
			if f.made%32 == 31 {
				kind = model.DNATRules
			}
			access := model.Allow
			if f.made%10 == 9 && kind != model.DNATRules {
				access = model.Deny
			}
			f.made++
			rc := model.RuleCollection{Name: fmt.Sprintf("rc%02d", c), Source: f.source(), Priority: 100 + 10*c, Kind: kind, Access: access}
			for r := range k {
				rc.Rules = append(rc.Rules, f.rule(kind, fmt.Sprintf("rule%02d", r)))
			}
			g.Collections = append(g.Collections, rc)
		}
		p.Groups = append(p.Groups, g.ID)
		f.out = append(f.out, g)
	}
	f.out = append(f.out, p)
	return p.ID
}

func (f *firewallScale) rule(kind model.RuleKind, name string) model.FirewallRule {
	r := model.FirewallRule{Name: name, Source: f.source(), Sources: f.side()}
	port := []uint16{22, 25, 80, 389, 443, 443, 443, 636, 1433, 1521, 3306, 3389, 5432, 5671, 6379, 8080, 8443, 9092}[f.rnd.IntN(18)]
	switch kind {
	case model.DNATRules:
		r.Dests = model.AddressMatch{Prefixes: []netip.Prefix{netip.PrefixFrom(f.public, 32)}}
		entry := uint16(10000 + f.rnd.IntN(5000))
		r.Protocols, r.Ports = []model.Protocol{model.TCP}, []model.PortRange{{First: entry, Last: entry}}
		r.ToAddress, r.ToPort = netip.AddrFrom4([4]byte{10, byte(f.rnd.IntN(2)), byte(f.rnd.IntN(4)), byte(4 + f.rnd.IntN(200))}), port
	case model.NetworkRules:
		r.Dests = f.side()
		r.Protocols, r.Ports = []model.Protocol{[]model.Protocol{model.TCP, model.TCP, model.TCP, model.UDP}[f.rnd.IntN(4)]}, []model.PortRange{{First: port, Last: port}}
	case model.ApplicationRules:
		r.Apps = []model.AppProtocol{{Type: "Https", Port: 443}}
		for range 1 + f.rnd.IntN(3) {
			r.FQDNs = append(r.FQDNs, f.patterns[f.rnd.IntN(len(f.patterns))])
		}
	}
	return r
}

// side is a group or two, or a block.
func (f *firewallScale) side() model.AddressMatch {
	var m model.AddressMatch
	if f.rnd.IntN(5) == 0 {
		m.Prefixes = []netip.Prefix{f.block()}
		return m
	}
	for range 1 + f.rnd.IntN(2) {
		m.IPGroups = append(m.IPGroups, f.ids[f.rnd.IntN(len(f.ids))])
	}
	return m
}
