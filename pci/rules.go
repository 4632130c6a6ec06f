package pci

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
)

// RuleRow is one rule of one control, with the reason that people state for it (1.1.6). Lists that stand for "every" hold `*`.
type RuleRow struct {
	Control          string   `json:"control"`  // rule set, as reviews name it: nsg:nsg-pe
	Rule             string   `json:"rule"`     // as justifications name it: nsg:nsg-pe/AllowVaultIn
	Action           string   `json:"action"`   // Allow, Deny, AlwaysAllow; Log where a rule only watches
	Protocol         string   `json:"protocol"` // tcp, any, https
	Ports            []string `json:"ports"`    // at the destination
	Source           []string `json:"source"`   // who, as the rule says it
	Destination      []string `json:"destination"`
	Justification    string   `json:"justification"` // the reason; empty: none that is valid
	Owner            string   `json:"owner"`
	Expires          string   `json:"expires"`
	SecurityFeatures []string `json:"securityFeatures"`
	Flows            []string `json:"flows"` // that it lets pass
	At               string   `json:"at"`    // file:line
	Direction        string   `json:"direction"`
	Priority         int      `json:"priority"` // 0: the control has none
	Default          bool     `json:"default"`  // the platform adds the rule
	ApprovedBy       string   `json:"approvedBy"`
	Ticket           string   `json:"ticket"`
	Note             string   `json:"note"` // what else to know: not understood, translated, reasons that do not count
}

// Rules lists every rule of every control: by kind of control, control, direction and priority (decisions.md, 8.2). Reasons are judged
// as of the day in the intent; where that is zero, none is expired.
func Rules(p *model.Project) []RuleRow {
	reasons := reasonsOf(p.Intent)
	rules := tableOf(p.Estate)
	out := make([]RuleRow, 0, len(rules))
	for _, r := range rules {
		r.justify(reasons)
		out = append(out, r.row.complete())
	}
	return out
}

// tableOf lists every rule of every control of an estate, without reasons.
func tableOf(e *model.Estate) []rule {
	t := &ruleTable{e: e, refs: model.NewRefs(e)}
	t.nsgs()
	t.firewalls()
	t.gateways()
	t.wafs()
	t.balancers()
	t.policies()
	t.clusterPolicies()
	t.ciliumPolicies()
	t.calicoPolicies()
	t.services()
	t.apiServers()
	slices.SortStableFunc(t.rules, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(strings.ToLower(a.row.Control), strings.ToLower(b.row.Control)), cmp.Compare(a.row.Control, b.row.Control),
			slices.Compare(a.order[:], b.order[:]), cmp.Compare(a.row.Rule, b.row.Rule), cmp.Compare(a.row.Direction, b.row.Direction), cmp.Compare(a.row.At, b.row.At))
	})
	return t.rules
}

// complete fills what is not said: every list is there.
func (r RuleRow) complete() RuleRow {
	for _, l := range []*[]string{&r.Ports, &r.Source, &r.Destination} {
		if len(*l) == 0 {
			*l = []string{"*"}
		}
	}
	for _, l := range []*[]string{&r.SecurityFeatures, &r.Flows} {
		if *l == nil {
			*l = []string{}
		}
	}
	return r
}

// rule is a row on its way into the table.
type rule struct {
	row     RuleRow
	kind    int      // of the control, for the order
	order   [4]int   // within the control
	id      []string // parts of the rule's name behind the kind
	group   string   // resource group, which may precede the name
	fold    bool     // names compare without case
	joined  bool     // the last part may hold slashes: an address block
	ofWhole int      // so many leading parts name the whole that the rule belongs to, and may stand for it
}

type ruleTable struct {
	e     *model.Estate
	refs  *model.Refs
	rules []rule
}

// The order of kinds is that of decisions.md 8.1.
const (
	kindNSG = iota
	kindFirewall
	kindGateway
	kindWAF
	kindBalancer
	kindPolicy
	kindService
	kindAPIServer
)

// add puts a rule into the table; word begins its name.
func (t *ruleTable) add(kind int, word string, of model.Resource, r rule) {
	r.kind = kind
	r.row.Rule = word + ":" + strings.Join(r.id, "/")
	if kind != kindPolicy {
		r.fold = true
		r.group = of.ResourceID().ResourceGroup()
	}
	t.rules = append(t.rules, r)
}

func (t *ruleTable) nsgs() {
	for _, n := range t.e.NSGs {
		for i, x := range n.Rules {
			id := []string{n.Name(), x.Name}
			if x.Default {
				id = []string{n.Name(), "defaultSecurityRules", x.Name}
			}
			t.add(kindNSG, "nsg", n, rule{
				order: [4]int{int(x.Direction), x.Priority, i}, id: id,
				row: RuleRow{
					Control: "nsg:" + n.Name(), Action: x.Access.String(), Protocol: x.Protocol.String(), Ports: portTexts(x.DestPorts),
					Source: t.match(x.SourceAddrs), Destination: t.match(x.DestAddrs), At: x.Source.String(),
					Direction: x.Direction.String(), Priority: x.Priority, Default: x.Default,
					Note: notes(x.UnknownMatch != "", "not understood: "+x.UnknownMatch, sourcePorts(x.SourcePorts) != "", sourcePorts(x.SourcePorts)),
				},
			})
		}
	}
}

// sourcePorts says that a rule asks for source ports, which is rarely meant.
func sourcePorts(ports []model.PortRange) string {
	if texts := portTexts(ports); len(texts) > 0 && texts[0] != "*" {
		return "from source ports " + strings.Join(texts, ", ")
	}
	return ""
}

// notes joins the notes whose condition holds: pairs of a condition and a text.
func notes(pairs ...any) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i].(bool) {
			out = append(out, pairs[i+1].(string))
		}
	}
	return strings.Join(out, "; ")
}

func (t *ruleTable) firewalls() {
	for _, f := range t.e.Firewalls {
		for _, c := range f.Collections {
			t.collection(f, "firewall:"+f.Name(), []string{f.Name()}, 0, c)
		}
	}
	for _, p := range t.e.Policies {
		for _, g := range t.e.RuleGroups {
			if g.Policy.Key() != p.ID.Key() {
				continue
			}
			for _, c := range g.Collections {
				t.collection(p, "firewall-policy:"+p.Name(), []string{p.Name(), g.Name()}, g.Priority, c)
			}
		}
	}
	for _, g := range t.e.RuleGroups { // a group whose policy the input lacks has rules all the same
		if _, ok := model.Get[*model.FirewallPolicy](t.e, g.Policy); ok {
			continue
		}
		for _, c := range g.Collections {
			t.collection(g, "firewall-policy:"+g.Policy.Name(), []string{g.Policy.Name(), g.Name()}, g.Priority, c)
		}
	}
}

// collection adds the rules of a firewall's rule collection. Kinds go first, as they are evaluated (AZ-FW-10).
func (t *ruleTable) collection(of model.Resource, control string, id []string, group int, c model.RuleCollection) {
	id = append(slices.Clone(id), c.Name)
	order := func(i int) [4]int { return [4]int{int(c.Kind), group, c.Priority, i} }
	if c.Unknown != "" {
		t.add(kindFirewall, "firewall", of, rule{id: id, order: order(0), row: RuleRow{
			Control: control, Action: c.Access.String(), Protocol: "any", At: c.Source.String(), Priority: c.Priority, Note: "not understood: " + c.Unknown,
		}})
	}
	for i, x := range c.Rules {
		row := RuleRow{
			Control: control, Action: c.Access.String(), Source: t.match(x.Sources), Destination: t.match(x.Dests), Ports: portTexts(x.Ports),
			At: x.Source.String(), Priority: c.Priority, Note: c.Kind.String() + " rule",
		}
		protocols := make([]string, len(x.Protocols))
		for j, p := range x.Protocols {
			protocols[j] = p.String()
		}
		row.Protocol = strings.Join(protocols, ", ")
		if c.Kind == model.ApplicationRules {
			row.Protocol, row.Ports = apps(x.Apps)
			row.Destination = slices.Concat(x.FQDNs, prefixed("FQDN tag ", x.FQDNTags), prefixed("category ", x.WebCategories), x.URLs)
		}
		switch {
		case x.ToFQDN != "":
			row.Note += fmt.Sprintf("; translated to %s:%d", x.ToFQDN, x.ToPort)
		case x.ToAddress.IsValid():
			row.Note += "; translated to " + netip.AddrPortFrom(x.ToAddress, x.ToPort).String()
		}
		if x.Unknown != "" {
			row.Note += "; not understood: " + x.Unknown
		}
		t.add(kindFirewall, "firewall", of, rule{id: append(slices.Clone(id), x.Name), order: order(i), row: row})
	}
}

// apps prints the protocols of an application rule: `https` and its ports, or each port with its protocol where there are several.
func apps(list []model.AppProtocol) (protocol string, ports []string) {
	var types []string
	for _, a := range list {
		if t := strings.ToLower(a.Type); !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	for _, a := range list {
		p := strconv.Itoa(int(a.Port))
		if len(types) > 1 {
			p = strings.ToLower(a.Type) + ":" + p
		}
		ports = append(ports, p)
	}
	return strings.Join(types, ", "), ports
}

func prefixed(word string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = word + s
	}
	return out
}

func (t *ruleTable) gateways() {
	for _, g := range t.e.AppGateways {
		control := "appgw:" + g.Name()
		for i, l := range g.Listeners {
			row := RuleRow{
				Control: control, Action: model.Allow.String(), Protocol: strings.ToLower(l.Protocol), Direction: model.Inbound.String(), At: l.Source.String(),
				Note: notes(true, "listener", g.Stopped, "the gateway is stopped"),
			}
			for _, p := range g.Ports {
				if p.ID.Key() == l.Port.Key() {
					row.Ports = append(row.Ports, strconv.Itoa(int(p.Port)))
				}
			}
			for _, f := range g.Frontends {
				if f.ID.Key() == l.Frontend.Key() {
					row.Destination = append(row.Destination, t.frontend(f.PublicIP, f.Address))
				}
			}
			row.Destination = append(row.Destination, prefixed("host ", l.Hosts)...)
			t.add(kindGateway, "appgw", g, rule{id: []string{g.Name(), l.Name}, order: [4]int{0, i}, row: row})
		}
		if w := g.LegacyWAF; w != nil {
			t.add(kindGateway, "appgw", g, rule{id: []string{g.Name(), "webApplicationFirewallConfiguration"}, order: [4]int{1}, row: RuleRow{
				Control: control, Action: wafAction(w.Enabled, w.Mode), Protocol: "http", Direction: model.Inbound.String(), At: g.Source.String(),
				Note: notes(true, "managed rules "+w.RuleSet, w.Enabled != model.On, "enabled: "+w.Enabled.String(), true, "mode "+w.Mode),
			}})
		}
	}
}

// frontend prints a frontend by its address, or by the public address resource that it will get one from.
func (t *ruleTable) frontend(public model.ID, private netip.Addr) string {
	switch ip, ok := model.Get[*model.PublicIP](t.e, public); {
	case ok && ip.Address.IsValid():
		return ip.Address.String()
	case public != "":
		return "public address " + public.Name()
	case private.IsValid():
		return private.String()
	default:
		return "private address, not stated"
	}
}

// wafAction is what rules that block do: they block only where the policy is enabled and prevents (AZ-AGW-30).
func wafAction(enabled model.Setting, mode string) string {
	if enabled == model.On && strings.EqualFold(mode, "Prevention") {
		return model.Deny.String()
	}
	return "Log"
}

func (t *ruleTable) wafs() {
	for _, w := range t.e.WAFPolicies {
		control := "waf:" + w.Name()
		for i, x := range w.Custom {
			row := RuleRow{
				Control: control, Protocol: "http", Direction: model.Inbound.String(), Priority: x.Priority, At: x.Source.String(),
				Note: notes(true, "custom rule", x.RateLimit, "above a rate only", x.Enabled == model.Off, "disabled"),
			}
			if row.Action = x.Action; strings.EqualFold(x.Action, "Block") {
				row.Action = wafAction(w.Enabled, w.Mode) // a Block follows the mode
			}
			for _, c := range x.Conditions {
				row.Source = append(row.Source, condition(c))
			}
			t.add(kindWAF, "waf", w, rule{id: []string{w.Name(), x.Name}, order: [4]int{0, x.Priority, i}, row: row})
		}
		t.add(kindWAF, "waf", w, rule{id: []string{w.Name(), "managedRules"}, order: [4]int{1}, row: RuleRow{
			Control: control, Action: wafAction(w.Enabled, w.Mode), Protocol: "http", Direction: model.Inbound.String(), At: w.Source.String(),
			Note: notes(len(w.RuleSets) > 0, "managed rules "+strings.Join(w.RuleSets, ", "), len(w.RuleSets) == 0, "no managed rules", true, "mode "+w.Mode, w.Enabled != model.On, "enabled: "+w.Enabled.String(),
				len(w.Disabled) > 0, count(len(w.Disabled), "rule")+" disabled", w.Exclusions > 0, count(w.Exclusions, "exclusion")),
		}})
	}
}

func condition(c model.WAFCondition) string {
	s := strings.Join(c.Variables, ", ") + " "
	if c.Negate {
		s += "not "
	}
	values := c.Values
	if len(values) == 0 {
		values = model.PrefixTexts(c.Prefixes)
	}
	return s + c.Operator + " " + strings.Join(values, ", ")
}

func (t *ruleTable) balancers() {
	for _, lb := range t.e.LoadBalancers {
		control := "lb:" + lb.Name()
		frontend := func(id model.ID) []string {
			for _, f := range lb.Frontends {
				if f.ID.Key() == id.Key() {
					return []string{t.frontend(f.PublicIP, f.Address)}
				}
			}
			return []string{"frontend " + id.Name()}
		}
		for i, x := range lb.Rules {
			row := RuleRow{
				Control: control, Action: model.Allow.String(), Protocol: x.Protocol.String(), Direction: model.Inbound.String(), Destination: frontend(x.Frontend), At: x.Source.String(),
				Note: "load balancing, to port " + strconv.Itoa(int(x.BackendPort)),
			}
			if x.FrontendPort > 0 {
				row.Ports = []string{strconv.Itoa(int(x.FrontendPort))}
			} else {
				row.Note = "load balancing, every port" // AZ-LB-04
			}
			t.add(kindBalancer, "lb", lb, rule{id: []string{lb.Name(), x.Name}, order: [4]int{0, i}, row: row})
		}
		for i, x := range lb.NATRules {
			t.add(kindBalancer, "lb", lb, rule{id: []string{lb.Name(), x.Name}, order: [4]int{1, i}, row: RuleRow{
				Control: control, Action: model.Allow.String(), Protocol: x.Protocol.String(), Ports: []string{x.FrontendPorts.String()}, Direction: model.Inbound.String(),
				Destination: frontend(x.Frontend), At: x.Source.String(), Note: "inbound NAT, to port " + strconv.Itoa(int(x.BackendPort)),
			}})
		}
	}
}

func (t *ruleTable) policies() {
	for _, p := range t.e.NetPolicies {
		cluster := p.Cluster.Name()
		control := "policy:" + cluster + "/" + p.Namespace
		whole := []string{cluster, p.Namespace, p.Name()}
		pods := []string{podsText(p.Pods, p.Namespace)}
		for _, side := range []struct {
			dir   model.Direction
			word  string
			rules []model.PolicyRule
		}{{model.Inbound, "ingress", p.Ingress}, {model.Outbound, "egress", p.Egress}} {
			if p.Isolates[side.dir] && len(side.rules) == 0 {
				row := RuleRow{
					Control: control, Action: model.Deny.String(), Protocol: "any", Source: nil, Destination: pods, Direction: side.dir.String(), At: p.Source.String(),
					Note: "isolates the pods: what no policy allows is denied",
				}
				if side.dir == model.Outbound {
					row.Source, row.Destination = pods, nil
				}
				t.add(kindPolicy, "policy", p, rule{id: whole, order: [4]int{int(side.dir)}, row: row})
			}
			for i, x := range side.rules {
				row := RuleRow{Control: control, Action: model.Allow.String(), Direction: side.dir.String(), At: x.Source.String()}
				row.Protocol, row.Ports = policyPorts(x.Ports)
				row.Source, row.Destination = peersText(x.Peers, p.Namespace), pods
				if side.dir == model.Outbound {
					row.Source, row.Destination = pods, row.Source
				}
				if !p.Isolates[side.dir] {
					row.Note = "without effect: the policy does not isolate this direction" // K8S-NP-05
				}
				t.add(kindPolicy, "policy", p, rule{
					id: append(slices.Clone(whole), fmt.Sprintf("%s[%d]", side.word, i)), ofWhole: len(whole), order: [4]int{int(side.dir), i}, row: row,
				})
			}
		}
	}
}

// clusterPolicies are the rules of cluster-wide policies, in the order in which they are asked within a tier (K8S-CNP-02).
func (t *ruleTable) clusterPolicies() {
	for _, p := range t.e.ClusterPolicies {
		cluster := p.Cluster.Name()
		whole := []string{cluster, p.Kind, p.Name()}
		pods := []string{subjectText(p.Subject)}
		for _, side := range []struct {
			dir  model.Direction
			word string
		}{{model.Inbound, "ingress"}, {model.Outbound, "egress"}} {
			for i, x := range p.Rules(side.dir) {
				row := RuleRow{
					Control: "policy:" + cluster + "/" + p.Kind, Action: x.Action.String(), Direction: side.dir.String(), At: x.Source.String(),
					Note: fmt.Sprintf("tier %s, priority %d", p.Tier, p.Priority),
				}
				row.Protocol, row.Ports = policyPorts(x.Ports)
				row.Source, row.Destination = clusterPeersText(x.Peers), pods
				if side.dir == model.Outbound {
					row.Source, row.Destination = pods, row.Source
				}
				t.add(kindPolicy, "policy", p, rule{
					id: append(slices.Clone(whole), fmt.Sprintf("%s[%d]", side.word, i)), ofWhole: len(whole), order: [4]int{int(p.Tier), p.Priority, int(side.dir), i}, row: row,
				})
			}
		}
	}
}

// ciliumPolicies are the rules of Cilium's policies; those that deny come first (K8S-CIL-01).
func (t *ruleTable) ciliumPolicies() {
	for _, p := range t.e.CiliumPolicies {
		cluster := p.Cluster.Name()
		scope := p.Namespace
		if scope == "" {
			scope = p.Kind
		}
		whole := []string{cluster, scope, p.Name()}
		for n := range p.Rules {
			r := &p.Rules[n]
			pods := []string{ciliumText(r.Subject, p.Namespace)}
			for _, dir := range []model.Direction{model.Inbound, model.Outbound} {
				word := "ingress"
				if dir == model.Outbound {
					word = "egress"
				}
				for order, side := range []struct {
					access model.Access
					suffix string
					list   []model.CiliumTraffic
				}{{model.Deny, "Deny", r.Deny[dir]}, {model.Allow, "", r.Allow[dir]}} {
					for i := range side.list {
						x := &side.list[i]
						row := RuleRow{Control: "policy:" + cluster + "/" + scope, Action: side.access.String(), Direction: dir.String(), At: x.Source.String(), Destination: pods}
						row.Protocol, row.Ports = policyPorts(x.Ports)
						for _, m := range x.ICMP {
							row.Protocol, row.Ports = m.Protocol.String(), nil
						}
						row.Source = ciliumPeersText(x, p.Namespace)
						if dir == model.Outbound {
							row.Source, row.Destination = pods, row.Source
						}
						if x.Doubt {
							row.Note = "may match less: rules for the application layer, or what versions of Cilium read differently"
						}
						t.add(kindPolicy, "policy", p, rule{
							id: append(slices.Clone(whole), fmt.Sprintf("%s%s[%d]", word, side.suffix, i)), ofWhole: len(whole), order: [4]int{n, int(dir), order, i}, row: row,
						})
					}
				}
			}
		}
	}
}

func ciliumText(s model.CiliumSelector, namespace string) string {
	switch {
	case s.Namespaces != nil:
		return "pods " + selectorText(s.Pods) + " in namespaces " + selectorText(*s.Namespaces)
	case namespace != "":
		return podsText(s.Pods, namespace)
	default:
		return "pods " + selectorText(s.Pods) + " in every namespace"
	}
}

// ciliumPeersText prints the peers of a rule; a rule with an empty list of them matches nothing (K8S-CIL-03).
func ciliumPeersText(x *model.CiliumTraffic, namespace string) []string {
	if x.AnyPeer {
		return nil
	}
	out := []string{}
	for _, p := range x.Peers {
		switch {
		case p.Endpoints != nil:
			out = append(out, ciliumText(*p.Endpoints, namespace))
		case p.Block != nil:
			out = append(out, peersText([]model.PolicyPeer{{IPBlock: p.Block}}, namespace)...)
		case p.Entity != "":
			out = append(out, "entity "+p.Entity)
		default:
			out = append(out, p.Name)
		}
	}
	if len(out) == 0 {
		out = append(out, "nothing")
	}
	return out
}

// calicoPolicies are the rules of Calico's policies, in the order in which they are asked within a tier (K8S-CAL-02).
func (t *ruleTable) calicoPolicies() {
	for _, p := range t.e.CalicoPolicies {
		cluster := p.Cluster.Name()
		scope := p.Namespace
		if scope == "" {
			scope = p.Kind
		}
		whole := []string{cluster, scope, p.Name()}
		order := "last"
		if !math.IsInf(p.Order, 1) {
			order = strconv.FormatFloat(p.Order, 'g', -1, 64)
		}
		for d, list := range p.Rules {
			word := []string{"ingress", "egress"}[d]
			for i := range list {
				x := &list[i]
				row := RuleRow{
					Control: "policy:" + cluster + "/" + scope, Action: x.Action.String(), Direction: model.Direction(d).String(), At: x.Source.String(), Protocol: calicoProtocol(x),
					Ports: calicoPorts(x.To), Source: calicoEndText(x.From), Destination: calicoEndText(x.To), Note: "tier " + p.Tier + ", order " + order,
				}
				self := "pods " + calicoText(p.Selector)
				switch {
				case p.Namespace != "":
					self += " in " + p.Namespace
				case p.Namespaces != nil:
					self += " in namespaces " + calicoText(p.Namespaces)
				}
				if d == int(model.Outbound) {
					row.Source = append([]string{self}, row.Source...)
				} else {
					row.Destination = append([]string{self}, row.Destination...)
				}
				if !p.Applies[d] {
					row.Note += "; without effect: the policy does not apply to this direction"
				}
				t.add(kindPolicy, "policy", p, rule{
					id: append(slices.Clone(whole), fmt.Sprintf("%s[%d]", word, i)), ofWhole: len(whole), order: [4]int{d, i}, row: row,
				})
			}
		}
	}
}

func calicoProtocol(x *model.CalicoRule) string {
	var out []string
	for _, p := range x.Protocols {
		out = append(out, p.String())
	}
	for _, p := range x.NotProtocols {
		out = append(out, "not "+p.String())
	}
	if len(out) == 0 {
		return "any"
	}
	return strings.Join(out, ", ")
}

func calicoPorts(e model.CalicoEnd) []string {
	_, out := policyPorts(e.Ports)
	_, not := policyPorts(e.NotPorts)
	for _, p := range not {
		out = append(out, "not "+p)
	}
	return out
}

// calicoEndText prints one side of a rule: everything that it states holds.
func calicoEndText(e model.CalicoEnd) []string {
	var parts []string
	if e.Selector != nil || e.Namespaces != nil {
		text := "endpoints " + calicoText(e.Selector)
		if e.Selector == nil {
			text = "endpoints (all)"
		}
		switch {
		case e.Namespaces == nil:
		case namespaced(e.Namespaces, "DoesNotExist"):
			text += " that are global"
		case namespaced(e.Namespaces, "Exists"):
			text += " in namespaces (all)"
		default:
			text += " in namespaces " + calicoText(e.Namespaces)
		}
		parts = append(parts, text)
	}
	if e.NotSelector != nil {
		parts = append(parts, "not endpoints "+calicoText(e.NotSelector))
	}
	if len(e.Nets) > 0 {
		parts = append(parts, strings.Join(model.PrefixTexts(e.Nets), ", "))
	}
	if len(e.NotNets) > 0 {
		parts = append(parts, "not "+strings.Join(model.PrefixTexts(e.NotNets), ", "))
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{strings.Join(parts, " and ")}
}

// namespaced reports a selector that asks only whether there is a namespace (K8S-CAL-03).
func namespaced(s model.CalicoSelector, operator string) bool {
	if len(s) != 1 || s[0].Namespaces == nil || len(s[0].Namespaces.Match) > 0 || len(s[0].Namespaces.Requirements) != 1 {
		return false
	}
	r := s[0].Namespaces.Requirements[0]
	return r.Key == "kubernetes.io/metadata.name" && r.Operator == operator
}

// calicoText prints a selector: any of its terms.
func calicoText(s model.CalicoSelector) string {
	var out []string
	for _, t := range s {
		var parts []string
		if t.Namespaces == nil || len(t.Labels.Requirements) > 0 {
			parts = append(parts, selectorText(t.Labels))
		}
		if t.Namespaces != nil {
			parts = append(parts, selectorText(*t.Namespaces))
		}
		out = append(out, strings.Join(parts, " and "))
	}
	if len(out) == 0 {
		return "(none)"
	}
	return strings.Join(out, " or ")
}

func subjectText(s model.PolicySubject) string {
	text := "namespaces " + selectorText(s.Namespaces)
	if s.Pods != nil {
		text = "pods " + selectorText(*s.Pods) + " in " + text
	}
	return text
}

// clusterPeersText prints the peers of a rule; one that says nothing makes the rule fail closed (K8S-CNP-14).
func clusterPeersText(peers []model.ClusterPolicyPeer) []string {
	var out []string
	for _, p := range peers {
		switch {
		case p.Namespaces != nil:
			out = append(out, subjectText(model.PolicySubject{Namespaces: *p.Namespaces, Pods: p.Pods}))
		case p.Nodes != nil:
			out = append(out, "nodes "+selectorText(*p.Nodes))
		case len(p.Networks) > 0:
			out = append(out, model.PrefixTexts(p.Networks)...)
		case len(p.Names) > 0:
			out = append(out, p.Names...)
		default:
			out = append(out, "a peer that says nothing")
		}
	}
	return out
}

// policyPorts prints the ports of a NetworkPolicy rule; none means everything (K8S-NP-15).
func policyPorts(list []model.PolicyPort) (protocol string, ports []string) {
	if len(list) == 0 {
		return "any", nil
	}
	var protocols []string
	for _, p := range list {
		if s := p.Protocol.String(); !slices.Contains(protocols, s) {
			protocols = append(protocols, s)
		}
	}
	for _, p := range list {
		text := p.Ports.String()
		switch {
		case p.Named != "":
			text = p.Named
		case p.All:
			text = "*"
		}
		if len(protocols) > 1 {
			text = p.Protocol.String() + "/" + text
		}
		ports = append(ports, text)
	}
	return strings.Join(protocols, ", "), ports
}

// peersText prints the peers of a rule; none means everyone (K8S-NP-09).
func peersText(peers []model.PolicyPeer, namespace string) []string {
	var out []string
	for _, p := range peers {
		switch {
		case p.IPBlock != nil:
			s := p.IPBlock.CIDR.String()
			if len(p.IPBlock.Except) > 0 {
				s += " except " + strings.Join(model.PrefixTexts(p.IPBlock.Except), ", ")
			}
			out = append(out, s)
		case p.Namespaces != nil:
			s := "namespaces " + selectorText(*p.Namespaces)
			if p.Pods != nil {
				s = "pods " + selectorText(*p.Pods) + " in " + s
			}
			out = append(out, s)
		case p.Pods != nil:
			out = append(out, podsText(*p.Pods, namespace))
		default:
			out = append(out, "a peer that says nothing")
		}
	}
	return out
}

func podsText(s model.LabelSelector, namespace string) string {
	return "pods " + selectorText(s) + " in " + namespace
}

// selectorText prints a label selector; an empty one selects all (K8S-NP-11).
func selectorText(s model.LabelSelector) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(s.Match)) {
		out = append(out, k+"="+s.Match[k])
	}
	for _, r := range s.Requirements {
		text := r.Key + " " + r.Operator
		if len(r.Values) > 0 {
			text += " (" + strings.Join(r.Values, ", ") + ")"
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return "(all)"
	}
	return strings.Join(out, ", ")
}

func (t *ruleTable) services() {
	for _, s := range t.e.Services {
		word := s.Kind.RuleSet()
		n := 0
		add := func(name string, row RuleRow) {
			row.Control, row.Direction = word+":"+s.Name(), model.Inbound.String()
			if row.Protocol == "" {
				row.Protocol = "any"
			}
			row.Destination = []string{t.refs.Of(model.SelService, s)}
			t.add(kindService, word, s, rule{id: []string{s.Name(), name}, joined: true, order: [4]int{n}, row: row})
			n++
		}
		if s.Kind != model.MonitorScope && s.Injected == "" {
			row := RuleRow{Action: model.Allow.String(), Source: []string{"internet"}, At: orElse(s.PublicSource, s.Source), Note: "public network access " + s.Public}
			switch {
			case s.Public == "": // AZ-PAAS-01
				row.Note = "public network access is not stated, which is Enabled"
			case strings.EqualFold(s.Public, "Disabled"):
				row.Action = model.Deny.String()
			case !strings.EqualFold(s.Public, "Enabled"):
				row.Note += ": the perimeter decides"
			}
			add("publicNetworkAccess", row)
		}
		for _, a := range t.e.Associations { // AZ-NSP-02, AZ-NSP-03
			if a.Resource.Key() != s.ID.Key() {
				continue
			}
			note := "beside the rules of the service itself: accessMode " + a.Mode
			if a.Mode == "Enforced" {
				note = "in place of the rules of the service itself: accessMode Enforced"
			}
			for _, x := range t.e.PerimeterRules {
				if x.Inbound && x.ID.Parent().Key() == a.Profile.Key() {
					row := RuleRow{Action: model.Allow.String(), Source: model.PrefixTexts(x.Prefixes), At: x.Source.String(), Note: note}
					for _, id := range x.Subscriptions {
						row.Source = append(row.Source, "resources of "+id.ShortName())
					}
					add("perimeter rule "+x.Name(), row)
				}
			}
		}
		if s.HasACLs {
			add("defaultAction", RuleRow{Action: s.DefaultAccess.String(), At: s.Source.String(), Note: "what no rule below matches"})
		}
		for _, x := range s.IPRules {
			row := RuleRow{Action: model.Allow.String(), Source: model.PrefixTexts(x.Prefixes), At: x.Source.String()}
			if x.AllAzure { // AZ-SQL-03
				row.Source = []string{"every Azure address"}
			}
			add(orText(x.Name, strings.Join(model.PrefixTexts(x.Prefixes), ", ")), row)
		}
		for _, x := range s.VNetRules {
			add(orText(x.Name, x.Subnet.ShortName()), RuleRow{Action: model.Allow.String(), Source: []string{t.subnet(x.Subnet)}, At: x.Source.String()})
		}
		for _, x := range s.InstanceRules {
			add("resource "+model.ID(x).Name(), RuleRow{Action: model.Allow.String(), Source: []string{x}, At: s.Source.String()})
		}
		if s.Bypass != "" && !strings.EqualFold(s.Bypass, "None") {
			add("bypass", RuleRow{Action: model.Allow.String(), Source: []string{"trusted Microsoft services"}, At: s.Source.String(), Note: "bypass " + s.Bypass})
		}
	}
}

func orElse(s, t model.Source) string {
	if s.IsZero() {
		return t.String()
	}
	return s.String()
}

func orText(s, t string) string {
	if s == "" {
		return t
	}
	return s
}

func (t *ruleTable) subnet(id model.ID) string {
	if s, ok := model.Get[*model.Subnet](t.e, id); ok {
		return t.refs.Of(model.SelSubnet, s)
	}
	return "subnet:" + id.ShortName()
}

// apiServers lists who may reach the public door of each API server (AKS-API-01 to 03).
func (t *ruleTable) apiServers() {
	for _, c := range t.e.Clusters {
		if c.Manifest {
			continue // manifests say nothing of it
		}
		add := func(n int, name, action, source, note string) {
			t.add(kindAPIServer, "apiserver", c, rule{id: []string{c.Name(), name}, joined: true, order: [4]int{n}, row: RuleRow{
				Control: "apiserver:" + c.Name(), Action: action, Protocol: "tcp", Ports: []string{"443"}, Source: []string{source},
				Destination: []string{t.refs.Of(model.SelAPIServer, c)}, Direction: model.Inbound.String(), At: c.Source.String(), Note: note,
			}})
		}
		private := c.Private == model.On || strings.EqualFold(c.PublicAccess, "Disabled")
		switch {
		case private:
			add(0, "private", model.Deny.String(), "internet", "private: no public door")
		case !c.APIRangesSet || len(c.APIRanges) == 0:
			add(0, "0.0.0.0/0", model.Allow.String(), "internet", "no authorised ranges: open to the internet")
		}
		for i, p := range c.APIRanges {
			note := "authorised range"
			if private {
				note = "authorised range, without effect: there is no public door" // AKS-API-02
			}
			add(i+1, p.String(), model.Allow.String(), p.String(), note)
		}
	}
}

// match prints one side of a rule as people wrote it.
func (t *ruleTable) match(m model.AddressMatch) []string {
	var out []string
	if m.Any {
		out = append(out, "*")
	}
	out = append(out, model.PrefixTexts(m.Prefixes)...)
	out = append(out, m.Tags...)
	for _, id := range m.ASGs {
		out = append(out, "asg:"+id.Name())
	}
	for _, id := range m.IPGroups {
		text := "ipgroup:" + id.Name()
		if g, ok := model.Get[*model.IPGroup](t.e, id); ok {
			text += " (" + label.Short(model.PrefixTexts(g.Prefixes), 4) + ")"
		}
		out = append(out, text)
	}
	out = append(out, m.FQDNs...)
	if len(out) == 0 {
		out = []string{"nothing"}
	}
	return out
}

func portTexts(list []model.PortRange) []string {
	var out []string
	for _, r := range list {
		if r == model.AllPorts {
			return []string{"*"}
		}
		out = append(out, r.String())
	}
	return out
}
