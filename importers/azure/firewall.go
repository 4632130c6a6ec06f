package azure

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readFirewall reads an Azure Firewall with its classic collections (AZ-FW-01, AZ-FW-11).
func readFirewall(r *resource) {
	is, at := decode[armnetwork.AzureFirewall](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.AzureFirewallPropertiesFormat{}
	}
	at = at.get("properties")
	f := &model.Firewall{Meta: r.meta(), Policy: r.reference(at, "firewallPolicy"), VirtualHub: r.reference(at, "virtualHub")}
	if p.SKU != nil {
		name, _ := choice(r, at.get("sku"), "name", armnetwork.PossibleAzureFirewallSKUNameValues())
		tier, _ := choice(r, at.get("sku"), "tier", armnetwork.PossibleAzureFirewallSKUTierValues())
		f.Hub, f.Tier = name == armnetwork.AzureFirewallSKUNameAZFWHub, string(tier)
	}
	f.Hub = f.Hub || f.VirtualHub != ""
	for _, c := range at.list("ipConfigurations") {
		c = c.get("properties")
		if s := r.reference(c, "subnet"); s != "" {
			f.Subnet = s
		}
		if a := r.addr(c, "privateIPAddress"); a.Is4() || a.IsValid() && !f.Address.IsValid() { // in dual stack it has one of each family
			f.Address = a
		}
		if id := r.reference(c, "publicIPAddress"); id != "" {
			f.PublicIPs = append(f.PublicIPs, id)
		}
	}
	f.PublicIPs = distinct(f.PublicIPs)
	if hub := at.get("hubIPAddresses"); hub != nil {
		if a := r.addr(hub, "privateIPAddress"); a.IsValid() {
			f.Address = a
		}
		for _, a := range hub.list("publicIPs", "addresses") {
			if pub := r.addr(a, "address"); pub.IsValid() {
				f.PublicAddresses = append(f.PublicAddresses, pub)
			}
		}
		f.PublicAddresses = sortedAddrs(f.PublicAddresses)
	}
	f.Management = at.get("managementIpConfiguration") != nil
	mode, _ := choice(r, at, "threatIntelMode", armnetwork.PossibleAzureFirewallThreatIntelModeValues())
	f.ThreatIntel = string(mode)
	if state := spelt(p.ProvisioningState, armnetwork.PossibleProvisioningStateValues()); state != string(armnetwork.ProvisioningStateSucceeded) {
		f.ProvisioningBad = state // AZ-FW-06
	}
	r.classicSettings(f, at.get("additionalProperties"))
	r.classicCollections(f, p, at)
	if f.Policy != "" && len(f.Collections) > 0 {
		// AZ-FW-01: the platform takes one of the two.
		r.unsupported(at.get("firewallPolicy").raw, "the firewall has a policy and classic rules, of which only one can be in force")
	}
	r.emit(f)
}

// classicSettings reads what a firewall without a policy keeps in additionalProperties.
func (r *resource) classicSettings(f *model.Firewall, at *value) {
	if at == nil {
		return
	}
	for i, name := range at.names {
		v := at.items[i]
		switch strings.ToLower(name) {
		case "network.snat.privateranges":
			f.SNAT.Custom = true // AZ-FW-41
			for _, text := range split(v) {
				r.privateRange(&f.SNAT, text)
			}
		case "network.snat.autolearnprivateranges":
			f.SNAT.AutoLearn = toggle(v.raw.text)
		case "network.dns.enableproxy":
			f.DNSProxy = model.SettingOf(strings.EqualFold(v.raw.text, "true"))
		case "network.dns.servers":
			f.DNSServers = r.addrs(split(v))
		default:
			low := strings.ToLower(name)
			if !strings.HasPrefix(low, "threatintel.") && !strings.HasPrefix(low, "network.additionallogs.") && v.raw.text != "" {
				r.unsupported(v.raw, "a firewall setting that is not known to ringfence")
			}
		}
	}
}

// split reads a list that is written as one text with commas.
func split(v *value) (out []*value) {
	for text := range strings.SplitSeq(v.raw.text, ",") {
		if text = strings.TrimSpace(text); text != "" {
			n := *v.raw
			n.text = text
			out = append(out, &value{raw: &n})
		}
	}
	return out
}

func (r *resource) privateRange(s *model.SNATRanges, v *value) {
	if strings.EqualFold(v.raw.text, "IANAPrivateRanges") {
		s.IANA = true
		return
	}
	s.Prefixes = append(s.Prefixes, r.span(v)...)
}

func (r *resource) classicCollections(f *model.Firewall, p *armnetwork.AzureFirewallPropertiesFormat, at *value) {
	for i, c := range p.NatRuleCollections {
		v := at.get("natRuleCollections").at(i)
		b := v.get("properties")
		rc := r.collection(v, b, model.DNATRules)
		if c.Properties != nil {
			for j, is := range c.Properties.Rules {
				n := b.get("rules").at(j)
				rule := r.rule(n, is.Name, is.Description)
				r.networkMatch(&rule, n, "protocols")
				r.translation(&rule, n)
				rc.Rules = append(rc.Rules, rule)
			}
		}
		f.Collections = append(f.Collections, rc)
	}
	for i, c := range p.NetworkRuleCollections {
		v := at.get("networkRuleCollections").at(i)
		b := v.get("properties")
		rc := r.collection(v, b, model.NetworkRules)
		if c.Properties != nil {
			for j, is := range c.Properties.Rules {
				n := b.get("rules").at(j)
				rule := r.rule(n, is.Name, is.Description)
				r.networkMatch(&rule, n, "protocols")
				rc.Rules = append(rc.Rules, rule)
			}
		}
		f.Collections = append(f.Collections, rc)
	}
	for i, c := range p.ApplicationRuleCollections {
		v := at.get("applicationRuleCollections").at(i)
		b := v.get("properties")
		rc := r.collection(v, b, model.ApplicationRules)
		if c.Properties != nil {
			for j, is := range c.Properties.Rules {
				n := b.get("rules").at(j)
				rule := r.rule(n, is.Name, is.Description)
				r.applicationMatch(&rule, n)
				rc.Rules = append(rc.Rules, rule)
			}
		}
		f.Collections = append(f.Collections, rc)
	}
}

// collection reads name, priority and action. body holds priority and action: the object itself in a policy, its properties on a
// firewall.
func (r *resource) collection(at, body *value, kind model.RuleKind) model.RuleCollection {
	c := model.RuleCollection{Name: at.text("name"), Source: r.source(at.raw), Kind: kind, Priority: r.rulePriority(body)}
	if c.Name == "" {
		r.missing(at, "name", "the name of the collection")
	}
	action := body.get("action")
	text := action.text("type")
	switch {
	case text == "" && kind == model.DNATRules:
		c.Access = model.Allow // a NAT collection that says nothing translates the destination
	case text == "":
		r.missing(body, "action", "an object with `type`, Allow or Deny")
	case kind == model.DNATRules && strings.EqualFold(text, string(armnetwork.AzureFirewallNatRCActionTypeDnat)):
		c.Access = model.Allow
	case kind == model.DNATRules:
		c.Access, c.Unknown = model.Allow, "NAT action "+text
		r.unsupported(action.get("type").raw, "an action of a NAT collection that is not known to ringfence")
	case strings.EqualFold(text, string(armnetwork.AzureFirewallRCActionTypeAllow)):
		c.Access = model.Allow
	case strings.EqualFold(text, string(armnetwork.AzureFirewallRCActionTypeDeny)):
		c.Access = model.Deny
	default:
		r.fail(action.get("type"), "Allow or Deny")
	}
	return c
}

// rulePriority reads the priority of a collection or group (AZ-FW-11, AZ-FW-12).
func (r *resource) rulePriority(body *value) int {
	v := body.get("priority")
	if v == nil {
		r.missing(body, "priority", "a priority from 100 to 65000")
		return 0
	}
	n := number(v.raw)
	if n < 100 || n > 65000 {
		r.fail(v, "a priority from 100 to 65000")
	}
	return n
}

func (r *resource) rule(at *value, name, description *string) model.FirewallRule {
	rule := model.FirewallRule{Name: deref(name), Source: r.source(at.raw), Description: deref(description)}
	if strange := at.alien(); len(strange) > 0 {
		rule.Unknown = "field " + strange[0]
	}
	return rule
}

// ruleSources reads who a rule is for; a rule without any source is invalid, not "any" (AZ-FW-2B).
func (r *resource) ruleSources(rule *model.FirewallRule, at *value) {
	r.match(&rule.Sources, at.list("sourceAddresses"), false)
	rule.Sources.IPGroups = r.idList(at.list("sourceIpGroups"))
	if rule.Sources.IsZero() {
		r.emptySide(at, "sourceAddresses", "sourceIpGroups")
	}
}

// emptySide reports a side without members, unless the members were refused before.
func (r *resource) emptySide(at *value, names ...string) {
	for _, n := range names {
		if slices.Contains(at.refused, n) || len(at.list(n)) > 0 {
			return
		}
	}
	r.missing(at, names[0], "at least one of "+strings.Join(names, ", "))
}

func (r *resource) idList(list []*value) (out []model.ID) {
	for _, v := range list {
		if v.raw.text != "" {
			if id := r.asID(v); id != "" {
				out = append(out, id)
			}
		}
	}
	return distinct(out)
}

// networkMatch reads the match of NAT and network rules (AZ-FW-20, AZ-FW-27).
func (r *resource) networkMatch(rule *model.FirewallRule, at *value, protocols string) {
	r.ruleSources(rule, at)
	r.match(&rule.Dests, at.list("destinationAddresses"), true)
	rule.Dests.IPGroups = r.idList(at.list("destinationIpGroups"))
	for _, v := range at.list("destinationFqdns") {
		if name, ok := r.fqdn(v); ok {
			if strings.Contains(name, "*") && rule.Unknown == "" { // AZ-FW-29
				rule.Unknown = "wildcard in " + name
				r.unsupported(v.raw, "a network rule takes no wildcard in a name: what it matches is not known")
			}
			rule.Dests.FQDNs = append(rule.Dests.FQDNs, name)
		}
	}
	if rule.Dests.IsZero() {
		r.emptySide(at, "destinationAddresses", "destinationIpGroups", "destinationFqdns")
	}
	for _, v := range at.list(protocols) {
		name, ok := enum(v.raw.text, armnetwork.PossibleAzureFirewallNetworkRuleProtocolValues())
		if !ok {
			rule.Protocols = append(rule.Protocols, model.AnyProtocol)
			rule.Unknown = "protocol " + v.raw.text
			r.unsupported(v.raw, "a protocol that is not known to ringfence: the rule may match any")
			continue
		}
		switch armnetwork.AzureFirewallNetworkRuleProtocol(name) {
		case armnetwork.AzureFirewallNetworkRuleProtocolTCP:
			rule.Protocols = append(rule.Protocols, model.TCP)
		case armnetwork.AzureFirewallNetworkRuleProtocolUDP:
			rule.Protocols = append(rule.Protocols, model.UDP)
		case armnetwork.AzureFirewallNetworkRuleProtocolICMP:
			rule.Protocols = append(rule.Protocols, model.ICMP)
		default:
			rule.Protocols = append(rule.Protocols, model.AnyProtocol) // AZ-FW-28
		}
	}
	if len(rule.Protocols) == 0 {
		r.missing(at, protocols, "at least one of TCP, UDP, ICMP, Any")
	}
	rule.Ports = r.portRanges(at.list("destinationPorts"))
	if len(at.list("destinationPorts")) == 0 && !slices.Equal(rule.Protocols, []model.Protocol{model.ICMP}) {
		r.missing(at, "destinationPorts", "at least one port, range or *")
	}
}

// translation reads where a NAT rule leads to.
func (r *resource) translation(rule *model.FirewallRule, at *value) {
	rule.ToAddress = r.addr(at, "translatedAddress")
	if v := at.get("translatedFqdn"); v != nil && v.raw.text != "" {
		rule.ToFQDN = r.host(v)
	}
	if at.text("translatedAddress") == "" && at.text("translatedFqdn") == "" {
		r.missing(at, "translatedAddress", "an address, or translatedFqdn")
	}
	v := at.get("translatedPort")
	if v == nil || v.raw.text == "" {
		r.missing(at, "translatedPort", "a port from 1 to 65535")
		return
	}
	p, err := model.ParsePortRange(v.raw.text)
	switch {
	case err != nil || p.First == 0:
		r.fail(v, "a port from 1 to 65535")
	case p.First != p.Last:
		rule.Unknown = "translated ports " + v.raw.text
		r.unsupported(v.raw, "a NAT rule that maps a range of ports is not modelled")
	}
	rule.ToPort = p.First
}

// applicationMatch reads the match of an application rule (AZ-FW-30 to AZ-FW-36).
func (r *resource) applicationMatch(rule *model.FirewallRule, at *value) {
	r.ruleSources(rule, at)
	for _, v := range at.list("protocols") {
		name, ok := enum(v.text("protocolType"), armnetwork.PossibleAzureFirewallApplicationRuleProtocolTypeValues())
		app := model.AppProtocol{Type: name, Port: r.port(v, "port", 0)}
		if !ok {
			rule.Unknown = "protocol " + name
			r.unsupported(v.raw, "a protocol of an application rule that is not known to ringfence")
		}
		if app.Port == 0 { // az leaves the usual port out
			switch armnetwork.AzureFirewallApplicationRuleProtocolType(name) {
			case armnetwork.AzureFirewallApplicationRuleProtocolTypeHTTP:
				app.Port = 80
			case armnetwork.AzureFirewallApplicationRuleProtocolTypeHTTPS:
				app.Port = 443
			case armnetwork.AzureFirewallApplicationRuleProtocolTypeMssql:
				app.Port = 1433
			}
		}
		rule.Apps = append(rule.Apps, app)
	}
	if len(rule.Apps) == 0 && len(at.list("fqdnTags")) == 0 {
		r.missing(at, "protocols", "at least one of Http, Https, Mssql with a port")
	}
	for _, v := range at.list("targetFqdns") {
		if name, ok := r.fqdn(v); ok {
			rule.FQDNs = append(rule.FQDNs, name)
			r.wildcard(rule, v, name)
		}
	}
	for _, v := range at.list("targetUrls") {
		if url, ok := r.targetURL(rule, v); ok {
			rule.URLs = append(rule.URLs, url)
		}
	}
	rule.FQDNTags, rule.WebCategories = spoken(at.list("fqdnTags")), spoken(at.list("webCategories"))
	rule.TerminateTLS = boolean(at, "terminateTLS")
	if len(rule.FQDNs)+len(rule.FQDNTags)+len(rule.WebCategories)+len(rule.URLs) == 0 {
		r.emptySide(at, "targetFqdns", "fqdnTags", "webCategories", "targetUrls")
	}
}

// fqdn reads a name or a name pattern (AZ-FW-32).
func (r *resource) fqdn(v *value) (string, bool) {
	name := strings.TrimRight(strings.ToLower(v.raw.text), ".")
	if !nameLike(name) {
		r.fail(v, "a name such as www.contoso.com, *.contoso.com or *")
		return "", false
	}
	return name, true
}

// host reads the name of one host, where no pattern can stand.
func (r *resource) host(v *value) string {
	name := strings.TrimRight(strings.ToLower(v.raw.text), ".")
	if !nameLike(name) || strings.Contains(name, "*") {
		r.fail(v, "the name of one host, such as www.contoso.com")
		return ""
	}
	return name
}

// nameLike reports whether a text may be a name or a pattern of names: letters and digits of any script, and what stands between them.
func nameLike(s string) bool {
	return s != "" && len(s) <= 253 && !strings.Contains(s, "..") && !strings.HasPrefix(s, ".") &&
		!strings.ContainsFunc(s, func(c rune) bool {
			return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("-_.*", c)
		})
}

// wildcard notes a wildcard that does not stand first: nobody documents what it matches.
func (r *resource) wildcard(rule *model.FirewallRule, v *value, name string) {
	if strings.LastIndex(name, "*") > 0 {
		rule.Unknown = cmp.Or(rule.Unknown, "wildcard in "+name)
		r.unsupported(v.raw, "a wildcard that does not stand first in a name: what the rule matches is not known")
	}
}

// targetURL reads a URL pattern: a host, or a pattern of hosts, and a path that may be left out (AZ-FW-36).
func (r *resource) targetURL(rule *model.FirewallRule, v *value) (string, bool) {
	text := v.raw.text
	_, rest, schemed := strings.Cut(text, "://")
	if !schemed {
		rest = text
	}
	host, _, _ := strings.Cut(rest, "/")
	if host = strings.TrimRight(strings.ToLower(host), "."); !nameLike(host) {
		r.fail(v, "a URL such as www.contoso.com/path or *.contoso.com/*")
		return "", false
	}
	r.wildcard(rule, v, host)
	return text, true
}

func lowered(list []*value) (out []string) {
	for _, v := range list {
		out = append(out, strings.ToLower(v.raw.text))
	}
	return out
}

func spoken(list []*value) (out []string) {
	for _, v := range list {
		out = append(out, v.raw.text)
	}
	return out
}

// readFirewallPolicy reads a firewall policy; its rules stand in rule collection groups (AZ-FW-12).
func readFirewallPolicy(r *resource) {
	is, at := decode[armnetwork.FirewallPolicy](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.FirewallPolicyPropertiesFormat{}
	}
	at = at.get("properties")
	f := &model.FirewallPolicy{
		Meta: r.meta(), Base: r.reference(at, "basePolicy"), GroupRefs: r.references(at, "ruleCollectionGroups"),
	}
	if f.Base.Key() == r.id.Key() {
		r.fail(at.get("basePolicy", "id"), "another policy than itself")
	}
	if p.SKU != nil {
		tier, _ := choice(r, at.get("sku"), "tier", armnetwork.PossibleFirewallPolicySKUTierValues())
		f.Tier = string(tier)
	}
	mode, _ := choice(r, at, "threatIntelMode", armnetwork.PossibleAzureFirewallThreatIntelModeValues())
	f.ThreatIntel = string(mode)
	if p.IntrusionDetection != nil {
		mode, _ := choice(r, at.get("intrusionDetection"), "mode", armnetwork.PossibleFirewallPolicyIntrusionDetectionStateTypeValues())
		f.IDPS = string(mode)
	}
	if p.DNSSettings != nil {
		f.DNSProxy, f.DNSServers = setting(p.DNSSettings.EnableProxy), r.addrs(at.list("dnsSettings", "servers"))
	}
	if p.Snat != nil {
		learn, _ := choice(r, at.get("snat"), "autoLearnPrivateRanges", armnetwork.PossibleAutoLearnPrivateRangesModeValues())
		f.SNAT.AutoLearn = toggle(string(learn))
		ranges := at.list("snat", "privateRanges")
		f.SNAT.Custom = len(ranges) > 0
		for _, v := range ranges {
			r.privateRange(&f.SNAT, v)
		}
	}
	if p.SQL != nil && deref(p.SQL.AllowSQLRedirect) {
		r.claim(model.ClaimSQLRedirect, at.get("sql", "allowSqlRedirect").raw)
	}
	if e := p.ExplicitProxySettings; e != nil { // AZ-FW-53
		f.ExplicitProxy = setting(e.EnableExplicitProxy)
		v := at.get("explicitProxySettings")
		for _, name := range []string{"httpPort", "httpsPort"} {
			if port := r.port(v, name, 0); port != 0 {
				f.ProxyPorts = append(f.ProxyPorts, port)
			}
		}
	}
	r.emit(f)
}

// readRuleCollectionGroup reads a group of collections of a policy.
func readRuleCollectionGroup(r *resource) {
	is, at := decode[armnetwork.FirewallPolicyRuleCollectionGroup](r, r.node)
	if is == nil {
		return
	}
	if is.Properties == nil {
		r.missing(at, "properties", "the group: a reference alone describes none")
		return
	}
	at = at.get("properties")
	g := &model.RuleCollectionGroup{Meta: r.meta(), Policy: r.id.Parent(), Priority: r.rulePriority(at)}
	for i, c := range is.Properties.RuleCollections {
		v := at.get("ruleCollections").at(i)
		switch c := c.(type) {
		case *armnetwork.FirewallPolicyFilterRuleCollection:
			g.Collections = append(g.Collections, r.filterCollection(c, v)...)
		case *armnetwork.FirewallPolicyNatRuleCollection:
			rc := r.collection(v, v, model.DNATRules)
			for j, is := range c.Rules {
				n := v.get("rules").at(j)
				rule, kind := r.policyRule(is, n)
				if kind != model.DNATRules && rule.Unknown == "" {
					rule.Unknown = "a filter rule in a NAT collection"
					r.unsupported(n.raw, "a filter rule in a NAT collection is not known to ringfence")
				}
				rc.Rules = append(rc.Rules, rule)
			}
			g.Collections = append(g.Collections, rc)
		default:
			// What guard.go reported: a kind of collection that nobody here knows. It may allow or deny anything.
			g.Collections = append(g.Collections, model.RuleCollection{
				Name: v.text("name"), Source: r.source(v.raw), Priority: r.rulePriority(v), Kind: model.NetworkRules,
				Unknown: "rule collection type " + v.text("ruleCollectionType"),
			})
		}
	}
	r.emit(g)
}

// filterCollection reads a collection of network or application rules. One that mixes them becomes one of each, because the kinds
// are evaluated apart (AZ-FW-10).
func (r *resource) filterCollection(c *armnetwork.FirewallPolicyFilterRuleCollection, at *value) []model.RuleCollection {
	network := r.collection(at, at, model.NetworkRules)
	application := network
	application.Kind = model.ApplicationRules
	for i, is := range c.Rules {
		n := at.get("rules").at(i)
		rule, kind := r.policyRule(is, n)
		switch {
		case kind == model.ApplicationRules:
			application.Rules = append(application.Rules, rule)
		case kind == model.DNATRules && rule.Unknown == "":
			rule.Unknown = "a NAT rule in a filter collection"
			r.unsupported(n.raw, "a NAT rule in a filter collection is not known to ringfence")
			fallthrough
		default:
			network.Rules = append(network.Rules, rule)
		}
	}
	switch {
	case len(application.Rules) == 0:
		return []model.RuleCollection{network}
	case len(network.Rules) == 0:
		return []model.RuleCollection{application}
	default:
		return []model.RuleCollection{network, application}
	}
}

// policyRule reads a rule of a policy and says of which kind it is.
func (r *resource) policyRule(is armnetwork.FirewallPolicyRuleClassification, at *value) (model.FirewallRule, model.RuleKind) {
	switch is := is.(type) {
	case *armnetwork.ApplicationRule:
		rule := r.rule(at, is.Name, is.Description)
		r.applicationMatch(&rule, at)
		return rule, model.ApplicationRules
	case *armnetwork.Rule:
		rule := r.rule(at, is.Name, is.Description)
		r.networkMatch(&rule, at, "ipProtocols")
		return rule, model.NetworkRules
	case *armnetwork.NatRule:
		rule := r.rule(at, is.Name, is.Description)
		r.networkMatch(&rule, at, "ipProtocols")
		r.translation(&rule, at)
		return rule, model.DNATRules
	default:
		// What guard.go reported. Such a rule may match anything.
		rule := model.FirewallRule{
			Name: at.text("name"), Source: r.source(at.raw), Description: at.text("description"),
			Sources: model.AddressMatch{Any: true}, Dests: model.AddressMatch{Any: true},
			Protocols: []model.Protocol{model.AnyProtocol}, Ports: []model.PortRange{model.AllPorts},
			Unknown: "rule type " + at.text("ruleType"),
		}
		return rule, model.NetworkRules
	}
}
