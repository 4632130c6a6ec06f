package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// firewallRule is one rule with the collection it stands in.
type firewallRule struct {
	model.FirewallRule
	kind   model.RuleKind
	access model.Access
	name   string // as people write it
}

// firewallRules walks the rules of classic firewalls and of policies (AZ-FW-11, AZ-FW-12).
func (r *reader) firewallRules(each func(firewallRule)) {
	walk := func(list []model.RuleCollection, name func(parts ...string) string) {
		for _, c := range list {
			for _, u := range c.Rules {
				each(firewallRule{u, c.Kind, c.Access, name(c.Name, u.Name)})
			}
		}
	}
	for _, f := range r.e.Firewalls {
		walk(f.Collections, func(parts ...string) string { return r.rule("firewall", f.ID, parts...) })
	}
	for _, g := range r.e.RuleGroups {
		walk(g.Collections, func(parts ...string) string {
			return r.rule("firewall", g.Policy, append([]string{g.Name()}, parts...)...)
		})
	}
}

// resolved adds the prefixes of IP groups to a match; a group that the input lacks adds none (AZ-FW-2B, AZ-FW-03).
func (r *reader) resolved(m model.AddressMatch) model.AddressMatch {
	m.Prefixes = slices.Clone(m.Prefixes)
	for _, id := range m.IPGroups {
		if g, ok := model.Get[*model.IPGroup](r.e, id); ok {
			m.Prefixes = append(m.Prefixes, g.Prefixes...)
		}
	}
	return m
}

// everyone reports whether a side of a firewall rule is everyone.
func (r *reader) everyone(m model.AddressMatch) bool { return anyone(r.resolved(m)) }

// what writes the match of a NAT or network rule into a sentence.
func (f firewallRule) what() string {
	if len(f.Protocols) == 1 {
		return service(f.Protocols[0], f.Ports)
	}
	var names []string
	for _, p := range f.Protocols {
		names = append(names, service(p, f.Ports))
	}
	return join(names)
}

// dnatAnySource: a NAT rule from everywhere opens its target to the internet, and the target sees the firewall's address, so that no
// filter behind it can tell clients apart (AZ-FW-22, AZ-FW-24).
func dnatAnySource(r *reader, found sink) {
	r.firewallRules(func(f firewallRule) {
		if f.kind != model.DNATRules || !r.everyone(f.Sources) {
			return
		}
		to := f.ToFQDN
		if f.ToAddress.IsValid() {
			to = f.ToAddress.String()
		}
		found(fact{
			subject: f.name, origin: f.Source,
			text: fmt.Sprintf("The rule translates %s at %s to %s:%d from any source: the target is open to the internet without a WAF, and what filters behind the firewall sees the firewall's address, not the client's.",
				f.what(), addresses(f.Dests), to, f.ToPort),
			remedy: "Name the clients as source; bring web traffic in by the application gateway.",
		})
	})
}

// networkAllows walks the Allow rules for networks.
func (r *reader) networkAllows(each func(f firewallRule, anySource, anyDest bool)) {
	r.firewallRules(func(f firewallRule) {
		if f.kind == model.NetworkRules && f.access == model.Allow {
			each(f, r.everyone(f.Sources), r.everyone(f.Dests))
		}
	})
}

// networkRuleAnyAny: network rules come before every application rule (AZ-FW-10), so one from everywhere to everywhere takes its ports
// out of the firewall.
func networkRuleAnyAny(r *reader, found sink) {
	r.networkAllows(func(f firewallRule, anySource, anyDest bool) {
		if !anySource || !anyDest {
			return
		}
		found(fact{
			subject: f.name, origin: f.Source,
			text: fmt.Sprintf("The rule allows %s from %s to %s. Network rules come before application rules, so none of those is asked about this traffic.",
				f.what(), addresses(f.Sources), addresses(f.Dests)),
			remedy: "Remove the rule, or name its sources and destinations.",
		})
	})
}

// networkRuleAnySource: every network that routes to the firewall may use the rule (AZ-FW-27).
func networkRuleAnySource(r *reader, found sink) {
	r.networkAllows(func(f firewallRule, anySource, anyDest bool) {
		if !anySource || anyDest {
			return
		}
		found(fact{
			subject: f.name, origin: f.Source,
			text: fmt.Sprintf("The rule allows %s to %s from any source: every network that is routed to the firewall, on-prem too.",
				f.what(), addresses(f.Dests)),
			remedy: "Name the subnets that need it as source.",
		})
	})
}

// networkRuleAnyDestination: a way to every host by address (AZ-FW-27), which no application rule narrows (AZ-FW-10).
func networkRuleAnyDestination(r *reader, found sink) {
	r.networkAllows(func(f firewallRule, anySource, anyDest bool) {
		if !anyDest || anySource {
			return
		}
		found(fact{
			subject: f.name, origin: f.Source,
			text: fmt.Sprintf("The rule allows %s from %s to %s: no application rule is asked about this traffic, and data can leave to any host.",
				f.what(), addresses(f.Sources), addresses(f.Dests)),
			remedy: "Name the destinations, or allow names by application rules.",
		})
	})
}

// chain returns the policy of a firewall and its parents, the nearest first (AZ-FW-14). whole is false where one is not in the input.
func (r *reader) chain(f *model.Firewall) (list []*model.FirewallPolicy, whole bool) {
	for id := f.Policy; id != ""; {
		p, ok := model.Get[*model.FirewallPolicy](r.e, id)
		if !ok || slices.Contains(list, p) {
			return list, false
		}
		list, id = append(list, p), p.Base
	}
	return list, true
}

// firewallDNS returns the DNS settings in force: those of the nearest policy that states some, else the classic ones.
func (r *reader) firewallDNS(f *model.Firewall) (proxy model.Setting, servers []netip.Addr) {
	list, _ := r.chain(f)
	for _, p := range list {
		if p.DNSProxy != model.NotStated || len(p.DNSServers) > 0 {
			return p.DNSProxy, p.DNSServers
		}
	}
	if f.Policy != "" {
		return model.NotStated, nil
	}
	return f.DNSProxy, f.DNSServers
}

// networkFQDNWithoutProxy: names in network rules need the DNS proxy of the firewall (AZ-FW-29). Judged for each firewall that the rule
// is in force on.
func networkFQDNWithoutProxy(r *reader, found sink) {
	seen := map[string]bool{}
	report := func(f *model.Firewall, name string, u model.FirewallRule) {
		if seen[name] || len(u.Dests.FQDNs) == 0 {
			return
		}
		seen[name] = true
		found(fact{
			subject: name, origin: u.Source,
			text: fmt.Sprintf("The rule names %s, but the DNS proxy of %s is not enabled, which names in network rules need: the rule does not match as written.",
				join(u.Dests.FQDNs), r.refs.Of(model.SelFirewall, f)),
			remedy: "Enable the DNS proxy and make the firewall the DNS server of the clients, or write an application rule.",
		})
	}
	for _, f := range r.e.Firewalls {
		if proxy, _ := r.firewallDNS(f); proxy == model.On {
			continue
		}
		policies, whole := r.chain(f)
		if !whole {
			continue // a parent that the input lacks may state it
		}
		for _, c := range f.Collections {
			for _, u := range c.Rules {
				if c.Kind == model.NetworkRules {
					report(f, r.rule("firewall", f.ID, c.Name, u.Name), u)
				}
			}
		}
		for _, p := range policies {
			for _, id := range p.Groups {
				g, ok := model.Get[*model.RuleCollectionGroup](r.e, id)
				if !ok {
					continue
				}
				for _, c := range g.Collections {
					for _, u := range c.Rules {
						if c.Kind == model.NetworkRules {
							report(f, r.rule("firewall", p.ID, g.Name(), c.Name, u.Name), u)
						}
					}
				}
			}
		}
	}
}

// applicationAllows walks the Allow rules for applications.
func (r *reader) applicationAllows(each func(firewallRule)) {
	r.firewallRules(func(f firewallRule) {
		if f.kind == model.ApplicationRules && f.access == model.Allow {
			each(f)
		}
	})
}

// apps writes the protocols of an application rule into a sentence.
func (f firewallRule) apps() string {
	var out []string
	for _, a := range f.Apps {
		out = append(out, fmt.Sprintf("%s:%d", strings.ToLower(a.Type), a.Port))
	}
	return join(out)
}

// applicationRuleAnyName: `*` is every name (AZ-FW-32).
func applicationRuleAnyName(r *reader, found sink) {
	r.applicationAllows(func(f firewallRule) {
		if !slices.Contains(f.FQDNs, "*") {
			return
		}
		found(fact{
			subject: f.name, origin: f.Source,
			text:   fmt.Sprintf("The rule allows %s to every name from %s: data can leave to any host.", f.apps(), addresses(f.Sources)),
			remedy: "Name the hosts that are needed.",
		})
	})
}

// applicationRuleHTTP: clear text, and a name that the client writes into a header (AZ-FW-31).
func applicationRuleHTTP(r *reader, found sink) {
	r.applicationAllows(func(f firewallRule) {
		if !slices.ContainsFunc(f.Apps, func(a model.AppProtocol) bool { return strings.EqualFold(a.Type, "Http") }) {
			return
		}
		names := append(slices.Clone(f.FQDNs), f.FQDNTags...)
		names = append(append(names, f.WebCategories...), f.URLs...)
		found(fact{
			subject: f.name, origin: f.Source,
			text:   fmt.Sprintf("The rule allows %s from %s to %s: HTTP is clear text.", f.apps(), addresses(f.Sources), join(names)),
			remedy: "Allow Https alone where the far end offers it; justify the rest.",
		})
	})
}

// fqdnSuffixWildcard: a leading `*` without a dot matches by the end of the text, foreign domains included (AZ-FW-32).
func fqdnSuffixWildcard(r *reader, found sink) {
	r.applicationAllows(func(f firewallRule) {
		for _, n := range f.FQDNs {
			rest, ok := strings.CutPrefix(n, "*")
			if !ok || rest == "" || strings.HasPrefix(rest, ".") {
				continue
			}
			found(fact{
				subject: f.name, origin: f.Source,
				text:   fmt.Sprintf("The pattern %s matches every name that ends in %s, evil%s among them, which anybody can register.", n, rest, rest),
				remedy: fmt.Sprintf("Write *.%s, and %s beside it where it is needed.", rest, rest),
			})
		}
	})
}

// threatIntelligenceOff: only Deny is a control; a child policy may only be stricter than its parent; Basic knows no Deny
// (AZ-FW-15, AZ-FW-50, AZ-FW-51). Not stated is Alert.
func threatIntelligenceOff(r *reader, found sink) {
	for _, f := range r.e.Firewalls {
		policies, whole := r.chain(f)
		mode, origin := f.ThreatIntel, f.Source
		deny := strings.EqualFold(mode, "Deny") && f.Policy == ""
		basic := strings.EqualFold(f.Tier, "Basic")
		for i, p := range policies {
			deny = deny || strings.EqualFold(p.ThreatIntel, "Deny")
			basic = basic || strings.EqualFold(p.Tier, "Basic")
			if i == 0 {
				mode, origin = p.ThreatIntel, p.Source
			}
		}
		if deny || basic || !whole {
			continue
		}
		if mode == "" {
			mode = "not stated, which is Alert"
		}
		found(fact{
			subject: r.refs.Of(model.SelFirewall, f), origin: origin,
			text:   fmt.Sprintf("Threat intelligence is %s: known malicious addresses and names are not blocked.", mode),
			remedy: "Set threatIntelMode to Deny.",
		})
	}
}

// idpsOff: intrusion detection of a Premium firewall is a control only in mode Deny (AZ-FW-50, AZ-FW-51). Not stated is Off.
func idpsOff(r *reader, found sink) {
	for _, f := range r.e.Firewalls {
		policies, whole := r.chain(f)
		if len(policies) == 0 || !whole || !strings.EqualFold(f.Tier, "Premium") || !strings.EqualFold(policies[0].Tier, "Premium") ||
			slices.ContainsFunc(policies, func(p *model.FirewallPolicy) bool { return strings.EqualFold(p.IDPS, "Deny") }) {
			continue
		}
		mode := policies[0].IDPS
		if mode == "" {
			mode = "not stated, which is Off"
		}
		found(fact{
			subject: r.refs.Of(model.SelFirewall, f), origin: policies[0].Source,
			text:   fmt.Sprintf("The firewall is Premium, and intrusion detection is %s: no attack is blocked.", mode),
			remedy: "Set intrusionDetection.mode to Deny.",
		})
	}
}

// firewallWithoutRoute: a firewall filters only what is routed to it (AZ-FW-02). One in a virtual hub gets its traffic by routing intent,
// which is not in a route table (AZ-FW-52).
func firewallWithoutRoute(r *reader, found sink) {
	for _, f := range r.e.Firewalls {
		if f.Hub || f.Subnet == "" {
			continue
		}
		policies, _ := r.chain(f)
		proxied := slices.ContainsFunc(policies, func(p *model.FirewallPolicy) bool { return p.ExplicitProxy == model.On })
		home, ok := model.Get[*model.VNet](r.e, f.Subnet.Parent())
		// A spoke that the input lacks may have the route.
		unknown := !ok || slices.ContainsFunc(r.links(home), func(l link) bool { return l.remote == nil })
		routed := slices.ContainsFunc(r.e.Subnets, func(s *model.Subnet) bool {
			t, ok := r.table(s)
			unknown = unknown || !ok
			return t != nil && slices.ContainsFunc(t.Routes, func(u model.UserRoute) bool { return r.reached(&u) == f })
		})
		if routed || unknown || proxied {
			continue
		}
		found(fact{
			subject: r.refs.Of(model.SelFirewall, f), origin: f.Source,
			text:   "No route table of a subnet in the input sends anything to the firewall: apart from what its NAT rules bring in, no traffic meets its rules.",
			remedy: "Add routes to its private address (0.0.0.0/0 for what leaves, the ranges of the spokes for what comes from on-prem), or export the subnets that have them.",
		})
	}
}

// firewallReferenceMissing: with a policy, parent, group or IP group missing from the input, what the firewall admits is not known
// (AZ-FW-03).
func firewallReferenceMissing(r *reader, found sink) {
	report := func(subject string, origin model.Source, what string, id model.ID) {
		if id == "" {
			return
		}
		if _, ok := r.e.Lookup(id); ok {
			return
		}
		found(fact{
			subject: subject, origin: origin,
			text:   fmt.Sprintf("The %s %s is referenced and not in the input, so what it admits is not known: answers that depend on it are unknown.", what, id.Name()),
			remedy: "Export it.",
		})
	}
	for _, f := range r.e.Firewalls {
		report(r.refs.Of(model.SelFirewall, f), f.Source, "firewall policy", f.Policy)
	}
	for _, p := range r.e.Policies {
		report(r.rule("firewall", p.ID), p.Source, "parent policy", p.Base)
		for _, id := range p.GroupRefs {
			report(r.rule("firewall", p.ID), p.Source, "rule collection group", id)
		}
	}
	r.firewallRules(func(f firewallRule) {
		for _, id := range append(slices.Clone(f.Sources.IPGroups), f.Dests.IPGroups...) {
			report(f.name, f.Source, "IP group", id)
		}
	})
}

// firewallPriorityTwice: Azure refuses two collections, or two groups of a policy, with one priority; of a template that has them nobody
// knows which comes first (AZ-FW-16).
func firewallPriorityTwice(r *reader, found sink) {
	report := func(subject string, origin model.Source, what, first, second string, priority int) {
		found(fact{
			subject: subject, origin: origin,
			text:   fmt.Sprintf("The %s %s and %s have priority %d both. Azure refuses that, and which comes first is not known: where one allows and the other denies, answers are unknown.", what, first, second, priority),
			remedy: "Give each a priority of its own.",
		})
	}
	collections := func(list []model.RuleCollection, subject func(string) string) {
		seen := map[[2]int]string{}
		for _, c := range list {
			key := [2]int{c.Priority, int(c.Kind)}
			first, twice := seen[key]
			if !twice {
				seen[key] = c.Name
				continue
			}
			report(subject(c.Name), c.Source, "rule collections", first, c.Name, c.Priority)
		}
	}
	for _, f := range r.e.Firewalls {
		collections(f.Collections, func(name string) string { return r.rule("firewall", f.ID, name) })
	}
	for _, p := range r.e.Policies {
		seen := map[int]string{}
		for _, id := range p.Groups {
			g, ok := model.Get[*model.RuleCollectionGroup](r.e, id)
			if !ok {
				continue
			}
			if first, twice := seen[g.Priority]; twice {
				report(r.rule("firewall", p.ID, g.Name()), g.Source, "rule collection groups", first, g.Name(), g.Priority)
			} else {
				seen[g.Priority] = g.Name()
			}
			collections(g.Collections, func(name string) string { return r.rule("firewall", p.ID, g.Name(), name) })
		}
	}
}

// networkRuleOverWide: an Allow to a private block of which the estate holds less than a sixteenth opens what is built there later
// (AZ-FW-27). What a gateway learns by BGP may lie anywhere, so that with one the finding is silent.
func networkRuleOverWide(r *reader, found sink) {
	var b netipx.IPSetBuilder
	add := func(list []netip.Prefix) {
		for _, p := range list {
			if p.IsValid() {
				b.AddPrefix(p)
			}
		}
	}
	for _, v := range r.e.VNets {
		add(v.Prefixes)
		for _, p := range v.Peerings {
			add(p.RemotePrefixes)
		}
	}
	for _, g := range r.e.Gateways {
		if g.Kind != model.VPNGateway || g.BGP == model.On {
			return
		}
		add(g.ClientPools)
	}
	for _, g := range r.e.LocalGateways {
		add(g.Prefixes)
	}
	if len(r.e.Hubs) > 0 || slices.ContainsFunc(r.e.Connections, func(c *model.Connection) bool { return c.BGP == model.On }) {
		return
	}
	held, err := b.IPSet()
	if err != nil {
		return
	}
	r.networkAllows(func(f firewallRule, _, anyDest bool) {
		if anyDest {
			return
		}
		var wide []string
		for _, p := range f.Dests.Prefixes {
			if p.Addr().Is4() && p.Addr().IsPrivate() && p.Bits() > 0 && 16*heldIn(held, p) < 1<<(32-p.Bits()) {
				wide = append(wide, p.String())
			}
		}
		if len(wide) == 0 {
			return
		}
		found(fact{
			subject: f.name, origin: f.Source,
			text:   fmt.Sprintf("The rule allows %s to %s, of which the networks of the input hold less than a sixteenth: whatever is built there later is open at once.", f.what(), join(wide)),
			remedy: "Name the subnets that are behind the firewall.",
		})
	})
}

// heldIn is how many addresses of an IPv4 block are in a set.
func heldIn(set *netipx.IPSet, p netip.Prefix) uint64 {
	n := uint64(0)
	for _, x := range set.Prefixes() {
		switch {
		case !x.Addr().Is4() || !x.Overlaps(p):
		case x.Bits() <= p.Bits():
			return 1 << (32 - p.Bits())
		default:
			n += 1 << (32 - x.Bits())
		}
	}
	return n
}
