package trace

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// firewallRule is a rule with its place in the flattened order of its type.
type firewallRule struct {
	*model.FirewallRule
	access    model.Access
	name      string // POLICY/RCG/COLLECTION/RULE, FIREWALL/COLLECTION/RULE
	parent    bool   // of a parent policy (AZ-FW-14)
	contested bool   // stands beside rules of the other kind (AZ-FW-01)
	unknown   bool   // its collection was not understood
	rank      int    // rules of one rank may stand in any order (AZ-FW-16)
	where     string // its collection
	source    model.Source
}

// firewallRules are the rules of one firewall by type, in order of evaluation.
type firewallRules struct {
	nat, network, application []firewallRule
	ranks                     int
	missing                   []string // names what of its rules the input lacks, or what was not understood (AZ-FW-03)
	both                      bool     // classic collections beside a policy, which is invalid: any of them may be in force (AZ-FW-01)
}

// policies lists a firewall's policy and its parents, the root first. A chain that the input breaks off, or that goes round, ends.
func (w *world) policies(f *model.Firewall) []*model.FirewallPolicy {
	var out []*model.FirewallPolicy
	for id := f.Policy; id != ""; {
		p, ok := model.Get[*model.FirewallPolicy](w.e, id)
		if !ok || slices.Contains(out, p) {
			break
		}
		out = append(out, p)
		id = p.Base
	}
	slices.Reverse(out)
	return out
}

// rulesOf flattens the rules of a firewall, once for a walk that meets it several times.
func (w *world) rulesOf(f *model.Firewall) firewallRules {
	r, ok := w.firewalls[f]
	if !ok {
		r = w.flattened(f)
		w.firewalls[f] = r
	}
	return r
}

// flattened is the rules of a firewall in order: classic collections by priority (AZ-FW-11); of policies all collections of the parent
// before those of the child (AZ-FW-14), groups by priority, collections by priority inside a group (AZ-FW-12).
func (w *world) flattened(f *model.Firewall) firewallRules {
	var out firewallRules
	out.add(f.Collections, f.Name()+"/", false, f.Policy != "", false)
	out.missing = append(out.missing, namesOf(w.misread(f.ID))...)
	if f.Policy == "" {
		return out
	}
	out.both = len(f.Collections) > 0
	chain := w.policies(f)
	switch {
	case len(chain) == 0:
		out.missing = append(out.missing, lacking("firewall policy", f.Policy))
	case chain[0].Base != "":
		out.missing = append(out.missing, lacking("firewall policy", chain[0].Base))
	}
	for i, p := range chain {
		var groups []*model.RuleCollectionGroup
		for _, g := range w.e.RuleGroups {
			if same(g.Policy, p.ID) || contains(p.Groups, g.ID) {
				groups = append(groups, g)
			}
		}
		for _, id := range p.GroupRefs {
			if _, ok := model.Get[*model.RuleCollectionGroup](w.e, id); !ok {
				out.missing = append(out.missing, lacking("rule collection group", id))
			}
		}
		out.missing = append(out.missing, namesOf(w.misread(p.ID))...)
		slices.SortStableFunc(groups, func(a, b *model.RuleCollectionGroup) int { return cmp.Compare(a.Priority, b.Priority) })
		for j, g := range groups {
			// AZ-FW-16: of groups with one priority nobody knows which comes first, nor how their collections then stand.
			equal := func(k int) bool { return k >= 0 && k < len(groups) && groups[k].Priority == g.Priority }
			if !equal(j - 1) {
				out.ranks++
			}
			out.add(g.Collections, p.Name()+"/"+g.Name()+"/", i < len(chain)-1, out.both, equal(j-1) || equal(j+1))
		}
	}
	return out
}

// add appends collections in the order of their priority; rules of one collection share its action (AZ-FW-13). Collections of equal priority
// have one rank, and so have all of groups that tie.
func (r *firewallRules) add(collections []model.RuleCollection, prefix string, parent, contested, tied bool) {
	sorted := slices.Clone(collections)
	slices.SortStableFunc(sorted, func(a, b model.RuleCollection) int { return cmp.Compare(a.Priority, b.Priority) })
	for i, c := range sorted {
		if !tied && (i == 0 || sorted[i-1].Priority != c.Priority) {
			r.ranks++
		}
		if c.Unknown != "" { // not understood: it may allow or deny anything of any type
			x := firewallRule{FirewallRule: &model.FirewallRule{}, name: prefix + c.Name, parent: parent, unknown: true, rank: r.ranks, where: prefix + c.Name, source: c.Source}
			r.nat, r.network, r.application = append(r.nat, x), append(r.network, x), append(r.application, x)
			continue
		}
		for i := range c.Rules {
			x := firewallRule{
				FirewallRule: &c.Rules[i], access: c.Access, name: prefix + c.Name + "/" + c.Rules[i].Name, parent: parent, contested: contested,
				rank: r.ranks, where: prefix + c.Name, source: c.Rules[i].Source,
			}
			switch c.Kind {
			case model.DNATRules:
				r.nat = append(r.nat, x)
			case model.NetworkRules:
				r.network = append(r.network, x)
			case model.ApplicationRules:
				r.application = append(r.application, x)
			}
		}
	}
}

// steps turns rules into a first-match list. Only rules of equal priority share a rank (AZ-FW-16).
func (t *tracer) firewallSteps(rules []firewallRule, matches func(firewallRule) match) []step {
	var out []step
	shared := sharesRank(rules)
	for i, r := range rules {
		rank := i
		if shared[i] {
			rank = len(rules) + r.rank
		}
		if r.unknown {
			for _, access := range []model.Access{model.Allow, model.Deny} {
				out = append(out, step{match: maybe(), access: access, rule: r.name, source: r.source, rank: rank})
			}
			continue
		}
		m := matches(r)
		if r.Unknown != "" || r.contested {
			m = m.and(maybe()) // part of the rule was not understood, or it may not be in force
		}
		out = append(out, step{match: m, access: r.access, rule: r.name, source: r.source, rank: rank})
	}
	return out
}

// sharesRank finds the rules whose rank an Allow and a Deny share: else their order does not matter.
func sharesRank(rules []firewallRule) []bool {
	out := make([]bool, len(rules))
	for start, end := 0, 0; start < len(rules); start = end {
		mixed := false
		for end = start; end < len(rules) && rules[end].rank == rules[start].rank; end++ {
			mixed = mixed || rules[end].access != rules[start].access
		}
		for i := start; i < end; i++ {
			out[i] = mixed
		}
	}
	return out
}

// firewallSide matches an address with one side of a firewall rule. A group that the input lacks may hold any address (AZ-FW-03); an
// empty side matches nothing (AZ-FW-2B).
func (t *tracer) firewallSide(m model.AddressMatch, a address, tags []string) match {
	if m.Any {
		return yes()
	}
	hit := a.inAny(m.Prefixes)
	for _, tag := range m.Tags {
		hit = hit.or(t.inTag(tag, a, tags))
	}
	for _, id := range m.IPGroups {
		g, ok := model.Get[*model.IPGroup](t.e, id)
		if !ok {
			hit = hit.or(maybe(lacking("IP group", id), "ASM-E-FWPOLICY"))
			continue
		}
		hit = hit.or(a.inAny(g.Prefixes))
	}
	return hit
}

func firewallProtocol(r firewallRule, p model.Protocol) bool {
	return slices.Contains(r.Protocols, model.AnyProtocol) || slices.Contains(r.Protocols, p)
}

// networkMatch is a network rule: source, destination, protocol, destination port; ports do not matter where there are none
// (AZ-FW-27, AZ-FW-28).
func (t *tracer) networkMatch(f *model.Firewall, r firewallRule, x flow) match {
	if !firewallProtocol(r, x.protocol) || x.protocol.HasPorts() && !inPorts(r.Ports, x.dport) {
		return no()
	}
	src := t.firewallSide(r.Sources, x.src, x.tags)
	if !src.may && len(src.why) == 0 { // a policy has thousands of rules
		return no()
	}
	dst := t.firewallSide(r.Dests, x.dst, x.tags)
	for _, name := range r.Dests.FQDNs {
		dst = dst.or(t.networkName(f, name, x.dst))
	}
	return src.and(dst)
}

// networkName is an FQDN as destination of a network rule: the addresses that the firewall resolves it to. Zones of the input say
// which these are; else any address may be among them and none is for certain (AZ-FW-29, ASM-E-FQDN). It needs the DNS proxy, and a
// tier above Basic (AZ-FW-51).
func (t *tracer) networkName(f *model.Firewall, name string, dst address) match {
	m := maybe("ASM-E-FQDN")
	if addrs, ok := t.zoneAddresses(f, strings.ToLower(name)); ok {
		m = no()
		for _, a := range addrs {
			m = m.or(dst.in(addressSet(a)))
		}
	}
	if !t.dnsProxy(f) || fold(t.tier(f), "Basic") {
		m = m.and(maybe("ASM-E-FQDN"))
	}
	return m
}

// zoneAddresses are the addresses of a name by a private zone that the firewall sees, or by a public zone of the input.
func (t *tracer) zoneAddresses(f *model.Firewall, name string) ([]netip.Addr, bool) {
	r := t.firewallResolver(f)
	if !r.known {
		return nil, false
	}
	if z, label, _ := t.privateZone(r, name, labelIn); z != nil {
		return recordsOf(z, label), true
	}
	if z, label, _ := t.privateZone(r, name, aliasIn); z != nil {
		s := t.serviceNamed(name)
		if addrs := recordsOf(z, label); len(addrs) > 0 && s != nil && t.alias(s, z).must {
			return addrs, true
		}
		return nil, false
	}
	for _, z := range t.e.DNSZones {
		if label, ok := labelIn(z, name); ok && !z.Private && len(recordsOf(z, label)) > 0 {
			return recordsOf(z, label), true
		}
	}
	return nil, false
}

// tier is the firewall's tier.
func (t *tracer) tier(f *model.Firewall) string {
	if f.Tier != "" {
		return f.Tier
	}
	if chain := t.policies(f); len(chain) > 0 {
		return chain[len(chain)-1].Tier
	}
	return ""
}

// applicationMatch is an application rule: source, and what it asks of the connection (AZ-FW-30). Where the destination is does not matter:
// rules act on traffic between private addresses too (AZ-FW-38).
func (t *tracer) applicationMatch(r firewallRule, x flow) match {
	m := t.connectionMatch(r, x)
	if !m.may && len(m.why) == 0 { // a policy has thousands of rules
		return no()
	}
	return t.firewallSide(r.Sources, x.src, x.tags).and(m)
}

// proxyMatch is an application rule on what a client asks of the explicit proxy (AZ-FW-53): which client, the packet does not say.
func (t *tracer) proxyMatch(r firewallRule, x flow) match {
	m := t.connectionMatch(r, x)
	if !r.Sources.Any {
		m = m.and(maybe())
	}
	return m
}

// connectionMatch is what an application rule asks of a connection: protocol and port, and the name that it carries (AZ-FW-31). Only TCP is
// seen by application rules (AZ-FW-3A).
func (t *tracer) connectionMatch(r firewallRule, x flow) match {
	if x.protocol != model.TCP || !slices.ContainsFunc(r.Apps, func(a model.AppProtocol) bool { return a.Port == x.dport }) {
		return no()
	}
	name := no()
	for _, pattern := range r.FQDNs {
		name = name.or(namePattern(pattern, x.name))
	}
	for _, tag := range r.FQDNTags {
		name = name.or(fqdnTag(tag, x))
	}
	for _, category := range r.WebCategories {
		name = name.or(webCategory(category, x))
	}
	for _, url := range r.URLs { // AZ-FW-36: the host part may match; nothing is proved from a path
		name = name.or(namePattern(hostPart(url), x.name).and(maybe()))
	}
	return name
}

// namePattern: `*` is every name, a leading `*` any string before the rest, else the name itself, without case (AZ-FW-32). The class
// (ip) matches an IP literal or `*` possibly, and nothing else (AZ-FW-31).
func namePattern(pattern, name string) match {
	pattern, name = strings.ToLower(strings.TrimRight(pattern, ".")), strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "" {
		_, err := netip.ParseAddr(pattern)
		return when(pattern == "*" || err == nil).and(maybe())
	}
	if strings.Trim(pattern, ".") == "" || strings.LastIndex(pattern, "*") > 0 {
		return maybe() // AZ-FW-32: what a wildcard elsewhere matches is not documented
	}
	if rest, ok := strings.CutPrefix(pattern, "*"); ok {
		return when(strings.HasSuffix(name, rest) && len(name) >= len(rest))
	}
	return when(pattern == name)
}

// hostPart is the host of a target URL.
func hostPart(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	host, _, _ := strings.Cut(url, "/")
	return host
}

// fqdnTag says whether the name is in a Microsoft-maintained list: the packet's Boolean, or the names that documentation lists
// (AZ-FW-34, ASM-E-FQDNTAG).
func fqdnTag(tag string, x flow) match {
	switch {
	case x.name == "":
		return no()
	case hasTag(x.tags, tag) || listedInTag(tag, strings.ToLower(x.name)):
		return yes()
	default:
		return match{why: []string{"ASM-E-FQDNTAG"}}
	}
}

// listedInTag is what documentation names of the tag AzureKubernetesService; no other tag has a list (AZ-FW-34).
func listedInTag(tag, name string) bool {
	if !fold(tag, "AzureKubernetesService") {
		return false
	}
	switch name {
	case "mcr.microsoft.com", "management.azure.com", "login.microsoftonline.com", "packages.microsoft.com", "acs-mirror.azureedge.net",
		"packages.aks.azure.com":
		return true
	}
	if strings.HasSuffix(name, ".data.mcr.microsoft.com") {
		return true
	}
	_, rest, ok := strings.Cut(name, ".hcp.")
	return ok && strings.HasSuffix(rest, ".azmk8s.io") && strings.Count(rest, ".") == 2
}

// webCategory is a Boolean of the packet's name (AZ-FW-35). Basic has none, Standard matches by name, Premium by URL.
func webCategory(category string, x flow) match {
	if x.name == "" || !hasTag(x.tags, category) {
		return match{why: []string{"ASM-E-WEBCAT"}}
	}
	return maybe("ASM-E-WEBCAT") // an Allow opens in over alone, a Deny closes in under alone
}

// keepsSource says whether a destination lies in the private ranges (AZ-FW-41): of the policy where one is attached, else of the firewall. Whether
// a policy takes them over from its parents is not documented.
func (t *tracer) keepsSource(f *model.Firewall, dst address) match {
	list, open := []model.SNATRanges{f.SNAT}, false
	if f.Policy != "" {
		list = nil
		chain := t.policies(f)
		slices.Reverse(chain)
		for _, p := range chain {
			list = append(list, p.SNAT)
			if p.SNAT.Custom || p.SNAT.AutoLearn != model.NotStated {
				break
			}
		}
		open = len(chain) == 0 || chain[len(chain)-1].Base != ""
		if len(chain) == 0 {
			list = []model.SNATRanges{{}}
		}
	}
	kept := yes()
	may := open
	for _, s := range list {
		ranges := ianaPrivateRanges()
		if s.Custom {
			ranges = slices.Clone(s.Prefixes)
			if s.IANA {
				ranges = append(ranges, ianaPrivateRanges()...)
			}
		}
		m := dst.in(prefixSet(ranges...))
		may = may || m.may || s.AutoLearn == model.On
		kept = kept.and(m)
	}
	if !kept.must && may { // AZ-FW-42
		return maybe("ASM-RS")
	}
	return kept
}
