package azure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readWAFPolicy reads a web application firewall policy of Application Gateway (AZ-AGW-30 to AZ-AGW-36).
func readWAFPolicy(r *resource) {
	is, at := decode[armnetwork.WebApplicationFirewallPolicy](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.WebApplicationFirewallPolicyPropertiesFormat{}
	}
	at = at.get("properties")
	w := &model.WAFPolicy{Meta: r.meta()}
	if s := p.PolicySettings; s != nil {
		v := at.get("policySettings")
		state, _ := choice(r, v, "state", armnetwork.PossibleWebApplicationFirewallEnabledStateValues())
		mode, _ := choice(r, v, "mode", armnetwork.PossibleWebApplicationFirewallModeValues())
		w.Enabled, w.Mode, w.RequestBody = toggle(string(state)), string(mode), setting(s.RequestBodyCheck)
	}
	if m := p.ManagedRules; m != nil {
		w.Exclusions = len(m.Exclusions) + len(m.Exceptions)
		for i, set := range m.ManagedRuleSets {
			w.RuleSets = append(w.RuleSets, strings.TrimSpace(deref(set.RuleSetType)+" "+deref(set.RuleSetVersion)))
			for j, group := range set.RuleGroupOverrides {
				for k, rule := range group.Rules {
					v := at.get("managedRules", "managedRuleSets").at(i).get("ruleGroupOverrides").at(j).get("rules").at(k)
					// An override without a state switches its rule off.
					if state, _ := choice(r, v, "state", armnetwork.PossibleManagedRuleEnabledStateValues()); state != armnetwork.ManagedRuleEnabledStateEnabled {
						w.Disabled = append(w.Disabled, deref(group.RuleGroupName)+"/"+deref(rule.RuleID))
					}
				}
			}
		}
		slices.Sort(w.Disabled)
	}
	for i, rule := range p.CustomRules {
		w.Custom = append(w.Custom, r.wafRule(rule, at.get("customRules").at(i)))
	}
	slices.SortStableFunc(w.Custom, func(a, b model.WAFRule) int { return cmp.Compare(a.Priority, b.Priority) }) // AZ-AGW-34
	r.emit(w)
}

func (r *resource) wafRule(is *armnetwork.WebApplicationFirewallCustomRule, at *value) model.WAFRule {
	action, _ := required(r, at, "action", armnetwork.PossibleWebApplicationFirewallActionValues())
	kind, _ := choice(r, at, "ruleType", armnetwork.PossibleWebApplicationFirewallRuleTypeValues())
	state, _ := choice(r, at, "state", armnetwork.PossibleWebApplicationFirewallStateValues())
	rule := model.WAFRule{
		Name: deref(is.Name), Source: r.source(at.raw), Priority: int(deref(is.Priority)), Action: string(action),
		RateLimit: kind == armnetwork.WebApplicationFirewallRuleTypeRateLimitRule, Enabled: toggle(string(state)),
	}
	for i, c := range is.MatchConditions {
		v := at.get("matchConditions").at(i)
		operator, _ := required(r, v, "operator", armnetwork.PossibleWebApplicationFirewallOperatorValues())
		cond := model.WAFCondition{
			Operator: string(operator), Negate: deref(c.NegationConditon), Values: spoken(v.list("matchValues")),
		}
		for j := range c.MatchVariables {
			m := v.get("matchVariables").at(j)
			name, _ := required(r, m, "variableName", armnetwork.PossibleWebApplicationFirewallMatchVariableValues())
			text := string(name)
			if sel := m.text("selector"); sel != "" {
				text += ":" + sel
			}
			cond.Variables = append(cond.Variables, text)
		}
		if operator == armnetwork.WebApplicationFirewallOperatorIPMatch {
			cond.Prefixes = r.prefixes(v.list("matchValues"))
		}
		rule.Conditions = append(rule.Conditions, cond)
	}
	return rule
}
