package azure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readNSG reads a network security group with its rules, custom and default (AZ-NSG-01 to AZ-NSG-04).
func readNSG(r *resource) {
	is, at := decode[armnetwork.SecurityGroup](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.SecurityGroupPropertiesFormat{}
	}
	at = at.get("properties")
	g := &model.NSG{Meta: r.meta(), FlushConnection: setting(p.FlushConnection)}
	custom := items(r, p.SecurityRules, at.list("securityRules"), "securityrules")
	defaults := items(r, p.DefaultSecurityRules, at.list("defaultSecurityRules"), "defaultsecurityrules")
	// Merged one by one: a custom rule may bear the name of a default one.
	g.Rules = slices.Concat(
		merge(r, "securityRules", securityRules(custom, false), ruleName),
		merge(r, "defaultSecurityRules", securityRules(defaults, true), ruleName))
	g.Rules = append(g.Rules, missingDefaults(r.id, g.Rules)...)
	sortRules(g.Rules)
	if len(r.graft) == 0 {
		r.doublePriorities(g)
	}
	r.attach(r.references(at, "subnets"), "subnets", at)
	r.attach(r.references(at, "networkInterfaces"), "networkInterfaces", at)
	r.emit(g)
}

func sortRules(rules []model.SecurityRule) {
	slices.SortStableFunc(rules, func(a, b model.SecurityRule) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
	})
}

// doublePriorities reports two rules of one direction with one priority: the platform refuses them, and which of them would decide is
// not said (AZ-NSG-02).
func (r *resource) doublePriorities(g *model.NSG) {
	for i := 1; i < len(g.Rules); i++ {
		a, b := g.Rules[i-1], g.Rules[i]
		if a.Direction != b.Direction || a.Priority != b.Priority {
			continue
		}
		if a.Source.Compare(b.Source) > 0 {
			a, b = b, a
		}
		r.errs = append(r.errs, &model.InputError{
			Source: b.Source, Resource: r.id, Field: b.Name + ".priority", Found: fmt.Sprint(b.Priority),
			Accepted: fmt.Sprintf("a priority that no other %s rule has; the other is at %s", strings.ToLower(b.Direction.String()), a.Source),
		})
	}
}

func ruleName(s model.SecurityRule) (string, model.Source) { return s.Name, s.Source }

func securityRules(list []item[armnetwork.SecurityRule], isDefault bool) []model.SecurityRule {
	rules := make([]model.SecurityRule, 0, len(list))
	for _, s := range list {
		if rule, ok := securityRule(s, isDefault); ok {
			rules = append(rules, rule)
		}
	}
	return rules
}

// securityRule reads one rule. ok is false when an error was reported.
func securityRule(s item[armnetwork.SecurityRule], isDefault bool) (rule model.SecurityRule, ok bool) {
	p := s.is.Properties
	at := s.at.get("properties")
	if p == nil {
		s.missing(s.at, "properties", "the rule: a reference alone describes none")
		return rule, false
	}
	before := len(s.errs)
	_, rule.Name = s.part(s.at, "securityRules")
	rule.Source, rule.Default, rule.Description = s.source(s.at.raw), isDefault, deref(p.Description)
	rule.ProvisioningState = spelt(p.ProvisioningState, armnetwork.PossibleProvisioningStateValues())
	switch access, _ := required(s.resource, at, "access", armnetwork.PossibleSecurityRuleAccessValues()); access {
	case armnetwork.SecurityRuleAccessAllow:
		rule.Access = model.Allow
	case armnetwork.SecurityRuleAccessDeny:
		rule.Access = model.Deny
	}
	switch d, _ := required(s.resource, at, "direction", armnetwork.PossibleSecurityRuleDirectionValues()); d {
	case armnetwork.SecurityRuleDirectionInbound:
		rule.Direction = model.Inbound
	case armnetwork.SecurityRuleDirectionOutbound:
		rule.Direction = model.Outbound
	}
	rule.Priority = int(deref(p.Priority))
	switch least, most := 100, 4096; {
	case p.Priority == nil:
		s.missing(at, "priority", "a priority from 100 to 4096")
	case isDefault:
	case rule.Priority < least || rule.Priority > most:
		s.fail(at.get("priority"), "a priority from 100 to 4096") // AZ-NSG-02
	}
	rule.Protocol, rule.UnknownMatch = s.ruleProtocol(at)

	s.match(&rule.SourceAddrs, both(at, "sourceAddressPrefix", "sourceAddressPrefixes"), true)
	s.match(&rule.DestAddrs, both(at, "destinationAddressPrefix", "destinationAddressPrefixes"), true)
	rule.SourceAddrs.ASGs = s.references(at, "sourceApplicationSecurityGroups") // AZ-NSG-08: lists of tags and of groups are a union
	rule.DestAddrs.ASGs = s.references(at, "destinationApplicationSecurityGroups")
	s.ends(at, "source", rule.SourceAddrs)
	s.ends(at, "destination", rule.DestAddrs)

	rule.SourcePorts, rule.SourcePortText = s.rulePorts(at, "sourcePortRange")
	rule.DestPorts, rule.DestPortText = s.rulePorts(at, "destinationPortRange")
	if strange := s.at.alien(); len(strange) > 0 && rule.UnknownMatch == "" {
		rule.UnknownMatch = "field " + strange[0]
	}
	return rule, len(s.errs) == before
}

// ruleProtocol reads the protocol of a rule. One that is not known leaves the rule with what the rest of it says (AZ-GEN-01: must
// is empty, may is every protocol).
func (r *resource) ruleProtocol(at *value) (p model.Protocol, unknown string) {
	text := at.text("protocol")
	name, ok := enum(text, armnetwork.PossibleSecurityRuleProtocolValues())
	switch {
	case text == "":
		r.missing(at, "protocol", words(armnetwork.PossibleSecurityRuleProtocolValues()))
		return model.AnyProtocol, ""
	case !ok:
		r.unsupported(at.get("protocol").raw, "a protocol that is not known to ringfence: the rule may match any")
		return model.AnyProtocol, "protocol " + text
	}
	switch armnetwork.SecurityRuleProtocol(name) {
	case armnetwork.SecurityRuleProtocolTCP:
		return model.TCP, ""
	case armnetwork.SecurityRuleProtocolUDP:
		return model.UDP, ""
	case armnetwork.SecurityRuleProtocolIcmp:
		return model.ICMP, ""
	case armnetwork.SecurityRuleProtocolEsp:
		return model.ESP, ""
	case armnetwork.SecurityRuleProtocolAh:
		return model.AH, ""
	default:
		return model.AnyProtocol, ""
	}
}

// ends checks one side of a rule: an empty one is not "any", and addresses and groups do not mix (AZ-NSG-04).
func (r *resource) ends(at *value, side string, m model.AddressMatch) {
	addresses := m.Any || len(m.Prefixes) > 0 || len(m.Tags) > 0
	switch {
	case m.IsZero() && len(both(at, side+"AddressPrefix", side+"AddressPrefixes")) == 0 && !slices.Contains(at.refused, side+"ApplicationSecurityGroups"):
		r.missing(at, side+"AddressPrefix", "*, an address, a CIDR, a service tag, or application security groups")
	case addresses && len(m.ASGs) > 0:
		r.fail(at.get(side+"ApplicationSecurityGroups"), "either addresses or application security groups on one side of a rule")
	}
}

func (r *resource) rulePorts(at *value, name string) ([]model.PortRange, []string) {
	list := both(at, name, name+"s")
	if len(list) == 0 {
		r.missing(at, name, "a port, a range such as 8000-8100, or *")
	}
	var texts []string
	for _, v := range list {
		texts = append(texts, v.raw.text)
	}
	return r.portRanges(list), texts
}

// missingDefaults synthesises the default rules that an export leaves out: every NSG has them and nobody can delete them (AZ-NSG-03).
func missingDefaults(nsg model.ID, have []model.SecurityRule) []model.SecurityRule {
	var out []model.SecurityRule
	for _, d := range model.DefaultRules() {
		if slices.ContainsFunc(have, func(s model.SecurityRule) bool {
			return s.Default && s.Direction == d.Direction && s.Priority == d.Priority
		}) {
			continue
		}
		d.Source = model.Source{Platform: "default rule", Resource: nsg}
		out = append(out, d)
	}
	return out
}

// readASG reads an application security group; who is in it stands at the IP configurations (AZ-ASG-05).
func readASG(r *resource) { r.emit(&model.ASG{Meta: r.meta()}) }

// readIPGroup reads an IP group (AZ-FW-2B).
func readIPGroup(r *resource) {
	is, at := decode[armnetwork.IPGroup](r, r.node)
	if is == nil {
		return
	}
	var list []netip.Prefix
	for _, v := range at.list("properties", "ipAddresses") {
		list = append(list, r.span(v)...)
	}
	r.emit(&model.IPGroup{Meta: r.meta(), Prefixes: list})
}
