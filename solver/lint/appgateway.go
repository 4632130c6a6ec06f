package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// entry names a listener or a setting of a gateway as people write it.
func (r *reader) entry(g *model.AppGateway, name string) string {
	return r.refs.Of(model.SelAppGateway, g) + "/" + name
}

// forward is one way from a listener to a backend (AZ-AGW-04).
type forward struct {
	path    string // empty: every other path
	setting model.ID
	policy  model.ID // the WAF policy in force; empty: none
}

// forwards returns the ways from a listener to backends, with the WAF policy of each: that of the path rule, else of the listener, else
// of the gateway (AZ-AGW-32).
func forwards(g *model.AppGateway, l model.AGWListener) []forward {
	base := cmp.Or(l.WAFPolicy, g.WAFPolicy)
	var out []forward
	for _, u := range g.Rules {
		if u.Listener.Key() != l.ID.Key() {
			continue
		}
		if u.Pool != "" {
			out = append(out, forward{setting: u.Setting, policy: base})
		}
		for _, m := range g.PathMaps {
			if u.PathMap == "" || m.ID.Key() != u.PathMap.Key() {
				continue
			}
			if m.DefaultPool != "" {
				out = append(out, forward{setting: m.DefaultSetting, policy: base})
			}
			for _, p := range m.Paths {
				if p.Pool != "" {
					out = append(out, forward{path: strings.Join(p.Paths, ", "), setting: p.Setting, policy: cmp.Or(p.WAFPolicy, base)})
				}
			}
		}
	}
	return out
}

// isPublic reports whether a listener is on a public frontend.
func isPublic(g *model.AppGateway, l model.AGWListener) bool {
	return slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.ID.Key() == l.Frontend.Key() && f.PublicIP != "" })
}

// wafNotEnforcing: a WAF blocks only in a WAF tier, with a policy that is enabled and in Prevention, which the path rule, the listener or
// the gateway names (AZ-AGW-30 to AZ-AGW-32). A private listener is judged only if it has a policy. One that is not in the input is
// not known, and not reported.
func wafNotEnforcing(r *reader, found sink) {
	frontDoorNotEnforcing(r, found)
	for _, g := range r.e.AppGateways {
		for _, l := range g.Listeners {
			said := map[string]bool{}
			for _, f := range forwards(g, l) {
				why, origin, off := r.wafOff(g, l, f.policy)
				if !off || said[why] {
					continue
				}
				said[why] = true
				which := ""
				if f.path != "" {
					which = " for the path " + f.path
				}
				found(fact{
					subject: r.entry(g, l.Name), origin: origin,
					text:   fmt.Sprintf("The listener forwards to its backends%s, and %s: nothing is blocked.", which, why),
					remedy: "Use a WAF tier with a policy that is Enabled and in mode Prevention, at the gateway and wherever a listener or path has its own.",
				})
			}
		}
	}
}

// wafOff says why no WAF blocks what a listener forwards.
func (r *reader) wafOff(g *model.AppGateway, l model.AGWListener, policy model.ID) (why string, origin model.Source, off bool) {
	public := isPublic(g, l)
	if !strings.Contains(strings.ToLower(g.Tier), "waf") {
		return "the tier " + cmp.Or(g.Tier, "(not stated)") + " has no WAF", l.Source, public && g.Tier != ""
	}
	if policy != "" {
		w, ok := model.Get[*model.WAFPolicy](r.e, policy)
		switch {
		case !ok:
			return "", model.Source{}, false
		case w.Enabled == model.Off:
			return "waf:" + w.Name() + " is disabled", w.Source, true
		case !strings.EqualFold(w.Mode, "Prevention"):
			return fmt.Sprintf("waf:%s is in mode %s", w.Name(), cmp.Or(w.Mode, "Detection (not stated)")), w.Source, true
		}
		return "", model.Source{}, false
	}
	switch w := g.LegacyWAF; { // AZ-AGW-31: the older configuration counts where no policy is
	case w == nil:
		return "no WAF policy applies", l.Source, public
	case w.Enabled != model.On:
		return "the WAF configuration of the gateway is disabled", g.Source, true
	case !strings.EqualFold(w.Mode, "Prevention"):
		return "the WAF configuration of the gateway is in mode " + cmp.Or(w.Mode, "Detection (not stated)"), g.Source, true
	}
	return "", model.Source{}, false
}

// wafAllowRule: a custom Allow skips all rules behind it, the managed ones too; a condition on anything but the peer's address can be
// met by whoever writes the request (AZ-AGW-34, AZ-AGW-35).
func wafAllowRule(r *reader, found sink) {
	for _, w := range r.e.WAFPolicies {
		for _, u := range w.Custom {
			byAddress := slices.ContainsFunc(u.Conditions, func(c model.WAFCondition) bool {
				return !c.Negate && strings.EqualFold(c.Operator, "IPMatch") && len(c.Variables) == 1 && strings.EqualFold(c.Variables[0], "RemoteAddr")
			})
			if !strings.EqualFold(u.Action, "Allow") || u.Enabled == model.Off || byAddress {
				continue
			}
			var on []string
			for _, c := range u.Conditions {
				on = append(on, c.Variables...)
			}
			found(fact{
				subject: r.rule("waf", w.ID, u.Name), origin: u.Source,
				text:   fmt.Sprintf("The custom rule (priority %d) allows requests by %s and so skips every rule behind it, the managed ones too: whoever writes such a request passes the WAF.", u.Priority, join(on)),
				remedy: "Use an exclusion for the managed rule that is wrong, or add a condition on the peer's address (RemoteAddr).",
			})
		}
	}
}

// httpListener: a listener without TLS, unless it only redirects to https (AZ-AGW-20).
func httpListener(r *reader, found sink) {
	for _, g := range r.e.AppGateways {
		for _, l := range g.Listeners {
			if !strings.EqualFold(l.Protocol, "Http") {
				continue
			}
			var text string
			switch plain := plainRedirect(g, l); {
			case len(forwards(g, l)) > 0:
				text = "The listener accepts HTTP and forwards it: requests, cookies and passwords cross the network in clear text."
			case plain != "":
				text = fmt.Sprintf("The listener accepts HTTP and redirects to %s, which is not HTTPS.", plain)
			default:
				continue // it redirects to https, or has no rule and answers nothing
			}
			found(fact{
				subject: r.entry(g, l.Name), origin: l.Source, text: text,
				remedy: "Make it a redirect to the https listener, or remove it.",
			})
		}
	}
}

// plainRedirect returns the target of a redirect of a listener that leads to anything but https.
func plainRedirect(g *model.AppGateway, l model.AGWListener) string {
	var ids []model.ID
	for _, u := range g.Rules {
		if u.Listener.Key() != l.ID.Key() {
			continue
		}
		ids = append(ids, u.Redirect)
		for _, m := range g.PathMaps {
			if u.PathMap != "" && m.ID.Key() == u.PathMap.Key() {
				ids = append(ids, m.DefaultRedirect)
				for _, p := range m.Paths {
					ids = append(ids, p.Redirect)
				}
			}
		}
	}
	for _, d := range g.Redirects {
		if !slices.ContainsFunc(ids, func(id model.ID) bool { return id != "" && id.Key() == d.ID.Key() }) {
			continue
		}
		if d.TargetURL != "" && !strings.HasPrefix(strings.ToLower(d.TargetURL), "https:") {
			return d.TargetURL
		}
		for _, to := range g.Listeners {
			if d.TargetListener != "" && to.ID.Key() == d.TargetListener.Key() && strings.EqualFold(to.Protocol, "Http") {
				return "the listener " + to.Name
			}
		}
	}
	return ""
}

// httpBackend: TLS ends at the gateway, and the leg to the backend is clear text (AZ-AGW-22).
func httpBackend(r *reader, found sink) {
	frontDoorClear(r, found)
	for _, g := range r.e.AppGateways {
		for _, set := range g.Settings {
			var by []string
			for _, l := range g.Listeners {
				if slices.ContainsFunc(forwards(g, l), func(f forward) bool { return f.setting != "" && f.setting.Key() == set.ID.Key() }) {
					by = append(by, l.Name)
				}
			}
			if !strings.EqualFold(set.Protocol, "Http") || len(by) == 0 {
				continue
			}
			found(fact{
				subject: r.entry(g, set.Name), origin: set.Source,
				text:   fmt.Sprintf("%s %s to port %d of the backend over HTTP: TLS ends at the gateway, and the rest of the way is clear text.", plural(len(by), "Listener ", "Listeners ")+join(by), plural(len(by), "forwards", "forward"), set.Port),
				remedy: "Set the protocol of the backend settings to Https.",
			})
		}
	}
}

// listenerTLSFloor: the lowest TLS version that a listener accepts (AZ-AGW-21).
func listenerTLSFloor(r *reader, found sink) {
	frontDoorTLSFloor(r, found)
	for _, g := range r.e.AppGateways {
		for _, l := range g.Listeners {
			if !strings.EqualFold(l.Protocol, "Https") && !strings.EqualFold(l.Protocol, "Tls") {
				continue
			}
			policy := g.TLSPolicyOf(l)
			floor, ok := policy.Floor()
			if ok && floor >= "1.2" {
				continue
			}
			f := fact{subject: r.entry(g, l.Name), origin: policy.Source, remedy: "Set an sslPolicy with minimum TLS 1.2, such as AppGwSslPolicy20220101."}
			switch {
			case ok:
				f.text = fmt.Sprintf("The listener accepts TLS %s, by the policy %s; versions below 1.2 are broken, and Azure has retired them.", floor, cmp.Or(policy.Name, policy.Type))
			case policy == (model.TLSPolicy{}):
				f.origin = l.Source
				f.text = "Neither the listener nor the gateway states a TLS policy: depending on the API version, the lowest version is 1.0."
			default:
				continue // a policy that is newer than this table
			}
			found(f)
		}
	}
}

// managementPorts are those by which Azure manages a gateway's instances (AZ-AGW-11).
func managementPorts(g *model.AppGateway) model.PortRange {
	if strings.HasSuffix(strings.ToLower(g.Tier), "_v2") {
		return model.PortRange{First: 65200, Last: 65535}
	}
	return model.PortRange{First: 65503, Last: 65534}
}

// gatewayNSGs walks the NSGs on the subnets of gateways.
func (r *reader) gatewayNSGs(each func(g *model.AppGateway, s *model.Subnet, n *model.NSG)) {
	for _, g := range r.e.AppGateways {
		for _, id := range g.Subnets {
			s, ok := model.Get[*model.Subnet](r.e, id)
			if !ok || s.NSG == "" {
				continue
			}
			if n, ok := model.Get[*model.NSG](r.e, s.NSG); ok {
				each(g, s, n)
			}
		}
	}
}

// gatewayManagementOpen: the management ports exist on the public frontend; certificates guard them, and only the tag GatewayManager needs
// them (AZ-AGW-12).
func gatewayManagementOpen(r *reader, found sink) {
	r.gatewayNSGs(func(g *model.AppGateway, _ *model.Subnet, n *model.NSG) {
		ports := managementPorts(g)
		for i, u := range n.Rules {
			if !custom(u, model.Inbound, model.Allow) || !carries(u.Protocol, model.TCP) || !anyone(u.SourceAddrs) {
				continue
			}
			open := common(u.DestPorts, ports)
			open = slices.DeleteFunc(open, func(p model.PortRange) bool { return deniedBefore(n.Rules[:i], u, p) })
			if len(open) == 0 {
				continue
			}
			found(fact{
				subject: r.nsgRule(n, u), origin: ruleOrigin(n, u),
				text: fmt.Sprintf("The rule (priority %d) opens the management ports of %s, %s, to %s; only Azure's tag GatewayManager needs them.",
					u.Priority, r.refs.Of(model.SelAppGateway, g), service(model.TCP, open), addresses(u.SourceAddrs)),
				remedy: "Write GatewayManager as the source.",
			})
		}
	})
}

// gatewayNSGIncomplete: a gateway with a public frontend needs GatewayManager at its management ports and AzureLoadBalancer at every port
// (AZ-AGW-11); a private deployment does not (AZ-AGW-14).
func gatewayNSGIncomplete(r *reader, found sink) {
	r.gatewayNSGs(func(g *model.AppGateway, s *model.Subnet, n *model.NSG) {
		if !slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.PublicIP != "" }) {
			return
		}
		need := func(tag string, ports model.PortRange) bool { return admitsTag(n, s, tag, ports) }
		var missing []string
		if p := managementPorts(g); !need("GatewayManager", p) {
			missing = append(missing, "GatewayManager at "+service(model.TCP, []model.PortRange{p}))
		}
		if !need("AzureLoadBalancer", model.PortRange{First: 1, Last: 65535}) {
			missing = append(missing, "AzureLoadBalancer at every port")
		}
		if len(missing) == 0 {
			return
		}
		found(fact{
			subject: r.rule("nsg", n.ID), origin: n.Source,
			text:   fmt.Sprintf("The NSG guards %s and does not admit %s: Azure refuses such a gateway, or it fails.", r.refs.Of(model.SelAppGateway, g), join(missing)),
			remedy: "Allow inbound TCP from GatewayManager to the management ports and everything from AzureLoadBalancer, ahead of any Deny.",
		})
	})
}

// admitsTag reports whether an NSG lets TCP from a service tag through to a port range of a subnet: the first rule that covers it decides.
func admitsTag(n *model.NSG, s *model.Subnet, tag string, ports model.PortRange) bool {
	for _, u := range n.Rules {
		if u.Direction != model.Inbound || !carries(u.Protocol, model.TCP) || !u.SourceAddrs.Any && !hasTag(u.SourceAddrs, tag) && (tag != "GatewayManager" || !anyone(u.SourceAddrs)) {
			continue
		}
		if coversSubnet(u.DestAddrs, s) && spans(u.DestPorts, ports) {
			return u.Access != model.Deny
		}
	}
	return false
}
