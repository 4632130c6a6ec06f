package pci

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/lint"
)

// webWay is one way from a frontend that the internet reaches to a back end: a listener of an application gateway with a path, or a name
// of a Front Door (AZ-AGW-32, AZ-AFD-03).
type webWay struct {
	router   model.Selector
	name     string // appgw:agw/https-pay, with the path where there is one
	source   model.Source
	tier     string           // of an application gateway
	policy   model.ID         // in force; empty: none
	waf      *model.WAFPolicy // nil: none, or not in the input
	legacy   *model.LegacyWAF // counts where no policy is named (AZ-AGW-31)
	partly   bool             // the policy covers some paths alone
	protocol string           // Http, Https, Tcp, Tls
	excused  string           // what enforces in its place
}

// webWays lists the ways in from the internet over application gateways and Front Doors.
func (ev *Evidence) webWays() []webWay {
	return keep(ev, "webWays", func() []webWay {
		var out []webWay
		for _, g := range ev.e.AppGateways {
			if r := ev.sel(model.SelAppGateway, g); slices.ContainsFunc(ev.routers(), func(x model.Selector) bool { return x.Text == r.Text }) {
				out = append(out, ev.gatewayWays(g, r)...)
			}
		}
		for _, f := range ev.e.FrontDoors {
			if r := ev.sel(model.SelFrontDoor, f); slices.ContainsFunc(ev.routers(), func(x model.Selector) bool { return x.Text == r.Text }) {
				out = append(out, ev.frontDoorWays(f, r)...)
			}
		}
		return out
	})
}

// gatewayWays are the ways of one gateway: of its public listeners, or of all where the internet comes by another router.
func (ev *Evidence) gatewayWays(g *model.AppGateway, router model.Selector) []webWay {
	public := func(l model.AGWListener) bool {
		return slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.ID.Key() == l.Frontend.Key() && f.PublicIP != "" })
	}
	some := slices.ContainsFunc(g.Listeners, public)
	var out []webWay
	for _, l := range g.Listeners {
		if some && !public(l) {
			continue
		}
		base := webWay{router: router, name: router.Text + "/" + l.Name, source: l.Source, tier: cmp.Or(g.Tier, "not stated"), protocol: l.Protocol, legacy: g.LegacyWAF}
		add := func(path string, policy model.ID) {
			w := base
			w.policy = policy
			w.waf, _ = model.Get[*model.WAFPolicy](ev.e, policy)
			if path != "" {
				w.name += " " + path
			}
			out = append(out, w)
		}
		policy := cmp.Or(l.WAFPolicy, g.WAFPolicy)
		for _, u := range g.Rules {
			if u.Listener.Key() != l.ID.Key() {
				continue
			}
			if u.Pool != "" {
				add("", policy)
			}
			for _, m := range g.PathMaps {
				if u.PathMap == "" || m.ID.Key() != u.PathMap.Key() {
					continue
				}
				if m.DefaultPool != "" {
					add("", policy)
				}
				for _, p := range m.Paths {
					if p.Pool != "" {
						add(strings.Join(p.Paths, ", "), cmp.Or(p.WAFPolicy, policy))
					}
				}
			}
		}
	}
	return out
}

// frontDoorWays are the names under which a Front Door takes clients. A name without a WAF is excused where the gateways that it leads to
// enforce for everybody.
func (ev *Evidence) frontDoorWays(f *model.FrontDoor, router model.Selector) []webWay {
	var out []webWay
	add := func(x model.FrontDoorEndpoint, t model.FrontDoorRoute, id model.ID, name string, source model.Source) {
		w := webWay{router: router, name: router.Text + "/" + name, source: source, protocol: "Https"}
		if t.HTTP && t.Redirect != model.On {
			w.protocol = "Http"
		}
		for _, s := range f.WAFs {
			if slices.ContainsFunc(s.Domains, func(d model.ID) bool { return d.Key() == id.Key() }) && (w.policy == "" || s.Whole) {
				w.policy, w.partly = s.Policy, !s.Whole
				w.waf, _ = model.Get[*model.WAFPolicy](ev.e, s.Policy)
			}
		}
		if group, ok := f.Group(t.Group); ok {
			w.excused = ev.enforcedBehind(group)
		}
		if !slices.ContainsFunc(out, func(o webWay) bool { return o.name == w.name && o.protocol == w.protocol && o.excused == w.excused }) {
			out = append(out, w)
		}
	}
	for _, x := range f.Endpoints {
		for _, t := range x.Routes {
			if t.Default != model.Off {
				add(x, t, x.ID, x.Name, x.Source)
			}
			for _, id := range t.Domains {
				if i := slices.IndexFunc(f.Domains, func(d model.FrontDoorDomain) bool { return d.ID.Key() == id.Key() }); i >= 0 {
					add(x, t, id, f.Domains[i].Name, f.Domains[i].Source)
				}
			}
		}
	}
	return out
}

// enforcedBehind names the gateways that are all the origins of a group, where every way of theirs has an enforcing WAF; else nothing.
func (ev *Evidence) enforcedBehind(group *model.OriginGroup) string {
	var names []string
	for _, o := range group.Origins {
		i := slices.IndexFunc(ev.e.AppGateways, func(g *model.AppGateway) bool {
			if o.PrivateTarget != "" {
				return g.ID.Key() == o.PrivateTarget.Key()
			}
			return slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool {
				ip, ok := model.Get[*model.PublicIP](ev.e, f.PublicIP)
				return ok && (strings.EqualFold(ip.FQDN, o.Host) || ip.Address.IsValid() && ip.Address.String() == o.Host)
			})
		})
		if i < 0 {
			return ""
		}
		g := ev.e.AppGateways[i]
		ways := ev.gatewayWays(g, ev.sel(model.SelAppGateway, g))
		if slices.ContainsFunc(ways, func(w webWay) bool { return w.enforcing() != wafEnforces }) {
			return ""
		}
		names = append(names, ev.refs.Of(model.SelAppGateway, g))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// wafState is whether a WAF blocks.
type wafState uint8

const (
	wafUnknown wafState = iota // the policy is not in the input
	wafPasses
	wafEnforces
)

// enforcing reports whether a WAF blocks what is bad on a way (AZ-AGW-30, AZ-AGW-31, AZ-AFD-03).
func (w webWay) enforcing() wafState {
	gateway := w.router.Kind == model.SelAppGateway
	prevents := func(on model.Setting, mode string) wafState {
		if on == model.On && strings.EqualFold(mode, "Prevention") {
			return wafEnforces
		}
		return wafPasses
	}
	switch {
	case w.excused != "":
		return wafEnforces
	case gateway && !strings.Contains(strings.ToLower(w.tier), "waf"):
		if w.tier == "not stated" {
			return wafUnknown
		}
		return wafPasses
	case w.policy != "" && w.waf == nil:
		return wafUnknown
	case w.partly:
		return wafPasses
	case w.waf != nil:
		return prevents(w.waf.Enabled, w.waf.Mode)
	case gateway && w.legacy != nil:
		return prevents(w.legacy.Enabled, w.legacy.Mode)
	default:
		return wafPasses
	}
}

// fault says why no WAF blocks on a way.
func (w webWay) fault() Fault {
	f := Fault{
		Cause: Cause{Class: CauseWAFMode, Of: w.name}, Subject: w.name, Source: w.source.String(),
		Remedy: "use a WAF tier with a policy that is Enabled and in mode Prevention, at the router and wherever a listener, path or name has its own",
	}
	switch {
	case w.router.Kind == model.SelAppGateway && !strings.Contains(strings.ToLower(w.tier), "waf"):
		f.Text, f.Field, f.Found, f.Wanted = "the gateway's tier has no WAF", "sku.tier", w.tier, "WAF_v2"
	case w.policy != "" && w.waf == nil:
		f.Cause = Cause{Class: CauseNoRef, Of: string(w.policy)}
		f.Text, f.Remedy = "its WAF policy "+w.policy.ShortName()+" is not in the input", "add the resource "+string(w.policy)+" to the inputs"
	case w.partly:
		f.Text = "the security policy of waf:" + w.policy.Name() + " covers some paths alone"
	case w.waf != nil:
		f.Cause = Cause{Class: CauseWAFMode, Of: "waf:" + w.waf.Name()}
		f.Source = w.waf.Source.String()
		f.Text = "waf:" + w.waf.Name() + " blocks nothing"
		f.Field, f.Found, f.Wanted = "properties.policySettings.mode", w.waf.Mode, "Prevention"
		if w.waf.Enabled != model.On {
			f.Field, f.Found, f.Wanted = "properties.policySettings.state", map[bool]string{true: "Disabled", false: ""}[w.waf.Enabled == model.Off], "Enabled"
		}
		if w.waf.FrontDoor {
			f.Field = strings.Replace(f.Field, ".state", ".enabledState", 1)
		}
	case w.legacy != nil && w.router.Kind == model.SelAppGateway:
		f.Text, f.Field, f.Found, f.Wanted = "the gateway's own WAF configuration blocks nothing", "properties.webApplicationFirewallConfiguration.firewallMode", w.legacy.Mode, "Prevention"
		if w.legacy.Enabled != model.On {
			f.Field, f.Found, f.Wanted = "properties.webApplicationFirewallConfiguration.enabled", w.legacy.Enabled.String(), "true"
		}
	default:
		f.Text = "no WAF policy is in force"
	}
	return f
}

// describe prints what is in force on a way.
func (w webWay) describe() []string {
	row := []string{w.name + inBrackets(w.source.String()), "none", "", "", ""}
	switch {
	case w.excused != "":
		row[1] = "that of " + w.excused
	case w.waf != nil:
		row[1], row[2] = "waf:"+w.waf.Name(), cmp.Or(w.waf.Mode, "mode not stated")
		row[3] = cmp.Or(strings.Join(w.waf.RuleSets, ", "), "no managed rules")
		row[4] = fmt.Sprintf("%s disabled, %s, body inspection %s", count(len(w.waf.Disabled), "rule"), count(w.waf.Exclusions, "exclusion"), onOff(w.waf.RequestBody))
	case w.policy != "":
		row[1] = "waf:" + w.policy.Name() + " (not in the input)"
	case w.legacy != nil:
		row[1], row[2], row[3] = "configuration of the gateway", w.legacy.Mode, w.legacy.RuleSet
	}
	return row
}

func onOff(s model.Setting) string {
	switch s {
	case model.On:
		return "on"
	case model.Off:
		return "off"
	default:
		return "not stated"
	}
}

// enforcingRouters selects the routers whose every way in from the internet has an enforcing WAF; unknown are those of which a policy is
// not in the input.
func (ev *Evidence) enforcingRouters() (enforcing []model.Selector, unknown []webWay) {
	ways := ev.webWays()
	for _, r := range ev.routers() {
		if r.Kind != model.SelAppGateway && r.Kind != model.SelFrontDoor {
			continue // API Management and declared proxies have no WAF of their own
		}
		bad, open := false, []webWay(nil)
		for _, w := range ways {
			if w.router.Text != r.Text {
				continue
			}
			switch w.enforcing() {
			case wafPasses:
				bad = true
			case wafUnknown:
				open = append(open, w)
			case wafEnforces:
			}
		}
		if !bad {
			enforcing, unknown = append(enforcing, r), append(unknown, open...)
		}
	}
	return enforcing, unknown
}

// wafSeesAll is 1.2.1-e: on every way in over HTTP an enforcing WAF looks at the requests.
func wafSeesAll(ev *Evidence) []Part {
	const statement = "an enforcing WAF sees every request from the internet"
	ways := ev.webWays()
	if len(ways) == 0 {
		return []Part{ev.absent(statement, "ingress", "the input holds no listener of an application gateway and no name of a Front Door that the internet reaches")}
	}
	p := Part{Statement: statement, Subjects: len(ways), Table: &Table{Header: []string{"way in", "policy", "mode", "managed rules", "left out"}}}
	unknown := unknownPart("the WAF policies of all ways in are known", "")
	seen := map[string]bool{}
	for _, w := range ways {
		p.Table.Rows = append(p.Table.Rows, w.describe())
		switch w.enforcing() {
		case wafPasses:
			p.Faults = append(p.Faults, w.fault())
		case wafUnknown:
			f := w.fault()
			unknown.Faults = append(unknown.Faults, f)
			unknown.Reason = f.Text
		case wafEnforces:
		}
		if w.waf == nil || seen[w.waf.ID.Key()] {
			continue
		}
		seen[w.waf.ID.Key()] = true
		for _, u := range w.waf.Custom {
			if !strings.EqualFold(u.Action, "Allow") || u.Enabled == model.Off {
				continue
			}
			rule := "waf:" + w.waf.Name() + "/" + u.Name
			if byPeer(u) && w.router.Kind == model.SelAppGateway {
				p.Notes = append(p.Notes, rule+" lets some addresses past the managed rules"+inBrackets(u.Source.String()))
				continue
			}
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CauseWAFMode, Of: rule}, Subject: rule, Source: u.Source.String(),
				Text:   "the custom rule lets requests past every rule behind it, the managed ones included, by what their writer chooses (AZ-AGW-34)",
				Remedy: "use an exclusion for the managed rule that is wrong, or add a condition on the peer's address (RemoteAddr)",
			})
		}
	}
	p = p.judged()
	p.Notes = append(p.Notes, "managed rules remove attacks, not flows")
	if len(unknown.Faults) > 0 {
		return []Part{p, unknown}
	}
	return []Part{p}
}

// byPeer reports whether a custom rule asks for the address of the peer, which nobody forges.
func byPeer(u model.WAFRule) bool {
	return slices.ContainsFunc(u.Conditions, func(c model.WAFCondition) bool {
		return !c.Negate && strings.EqualFold(c.Operator, "IPMatch") && len(c.Variables) == 1 && strings.EqualFold(c.Variables[0], "RemoteAddr")
	})
}

// onlyTLS is 1.2.1-f: no listener forwards clear text, and none takes a TLS version below 1.2 (AZ-AGW-20, AZ-AGW-21, AZ-AFD-02).
func onlyTLS(ev *Evidence) []Part {
	clear := Part{Statement: "no listener that the internet reaches takes clear text"}
	floor := Part{Statement: "every listener that the internet reaches asks for TLS 1.2 or later", Table: &Table{Header: []string{"listener", "protocol", "lowest TLS"}}}
	var open []Fault // of listeners whose lowest version is not known
	for _, g := range ev.e.AppGateways {
		router := ev.sel(model.SelAppGateway, g)
		if !slices.ContainsFunc(ev.routers(), func(x model.Selector) bool { return x.Text == router.Text }) {
			continue
		}
		ways := ev.gatewayWays(g, router)
		public := slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.PublicIP != "" })
		for _, l := range g.Listeners {
			if public && !slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.ID.Key() == l.Frontend.Key() && f.PublicIP != "" }) {
				continue
			}
			name := router.Text + "/" + l.Name
			clear.Subjects++
			if strings.EqualFold(l.Protocol, "Http") || strings.EqualFold(l.Protocol, "Tcp") {
				forwards := slices.ContainsFunc(ways, func(w webWay) bool { return w.name == name || strings.HasPrefix(w.name, name+" ") })
				switch plain := slices.IndexFunc(ev.findings("http-listener"), func(f lint.Finding) bool { return f.Subject == name }); {
				case strings.EqualFold(l.Protocol, "Tcp"), forwards, plain >= 0:
					clear.Faults = append(clear.Faults, Fault{
						Cause: Cause{Class: CauseNonTLS, Of: name}, Subject: name, Text: "the listener takes clear text and hands it on", Field: "properties.protocol", Found: l.Protocol, Wanted: "Https",
						Source: l.Source.String(), Remedy: "make it a redirect to the https listener, or better remove it",
					})
				default:
					clear.Notes = append(clear.Notes, name+" redirects to HTTPS; Microsoft's guidance for PCI prefers that port 80 does not answer at all"+inBrackets(l.Source.String()))
				}
				continue
			}
			policy := g.TLSPolicyOf(l)
			version, ok := policy.Floor()
			floor.Table.Rows = append(floor.Table.Rows, []string{name + inBrackets(l.Source.String()), l.Protocol, strings.TrimSpace(cmp.Or(version, "not known") + " " + policy.Name)})
			floor.Subjects++
			f := Fault{
				Cause: Cause{Class: CauseNonTLS, Of: name, Field: "sslPolicy"}, Subject: name, Field: "properties.sslPolicy", Found: cmp.Or(policy.Name, policy.MinVersion, policy.Type), Wanted: "a policy with TLS 1.2 or later",
				Source: l.Source.String(), Remedy: "set an sslPolicy with minimum TLS 1.2, such as AppGwSslPolicy20220101",
			}
			switch {
			case ok && version >= "1.2":
			case ok:
				f.Text, f.Source = "the listener takes TLS "+version, policy.Source.String()
				floor.Faults = append(floor.Faults, f)
			default:
				f.Text = "no TLS policy is stated, and the default depends on the API version (AZ-AGW-21)"
				if policy != (model.TLSPolicy{}) {
					f.Text = "the TLS policy is one that ringfence does not know"
				}
				open = append(open, f)
			}
		}
	}
	for _, f := range ev.e.FrontDoors {
		router := ev.sel(model.SelFrontDoor, f)
		if !slices.ContainsFunc(ev.routers(), func(x model.Selector) bool { return x.Text == router.Text }) {
			continue
		}
		for _, w := range ev.frontDoorWays(f, router) {
			clear.Subjects++
			if w.protocol == "Http" {
				clear.Faults = append(clear.Faults, Fault{
					Cause: Cause{Class: CauseNonTLS, Of: w.name}, Subject: w.name, Text: "a route of the name takes http and hands it on", Field: "properties.httpsRedirect", Found: "Disabled", Wanted: "Enabled, or supportedProtocols without Http",
					Source: w.source.String(), Remedy: "set httpsRedirect to Enabled, or leave Http out of supportedProtocols",
				})
			}
		}
		for _, d := range f.Domains {
			floor.Subjects++
			floor.Table.Rows = append(floor.Table.Rows, []string{router.Text + "/" + d.Name + inBrackets(d.Source.String()), "Https", cmp.Or(d.MinTLS, "TLS12")})
			if strings.EqualFold(d.MinTLS, "TLS10") {
				floor.Faults = append(floor.Faults, Fault{
					Cause: Cause{Class: CauseNonTLS, Of: router.Text + "/" + d.Name, Field: "tlsSettings"}, Subject: router.Text + "/" + d.Name, Text: "the domain takes TLS 1.0",
					Field: "properties.tlsSettings.minimumTlsVersion", Found: d.MinTLS, Wanted: "TLS12", Source: d.Source.String(), Remedy: "set tlsSettings.minimumTlsVersion to TLS12",
				})
			}
		}
	}
	if clear.Subjects == 0 {
		return []Part{ev.absent(clear.Statement, "ingress", "the input holds no listener that the internet reaches")}
	}
	if floor.Subjects == 0 {
		return []Part{clear.judged()}
	}
	if len(floor.Faults) == 0 && len(open) > 0 {
		floor.Verdict, floor.Faults, floor.Reason = ItemUnknown, open, open[0].Subject+": "+open[0].Text
	}
	return []Part{clear.judged(), floor.judged()}
}

// wafIsRouter is 1.1.4-b: the gateway with the WAF is the only way in from the internet to what is in scope.
func wafIsRouter(ev *Evidence) []Part {
	zones := ev.zones(scopeKinds()...)
	const statement = "internet reaches what is in scope by routers with an enforcing WAF alone"
	switch {
	case len(zones) == 0:
		return []Part{unknownPart(statement, "ringfence.yaml declares no zone of the kinds "+kindsText(scopeKinds()))}
	case len(ev.routers()) == 0:
		if _, none := ev.none("ingress"); !none {
			return []Part{ev.absent(statement, "ingress", "the input holds no application gateway, Front Door or API Management that the internet reaches, and pci.ingressRouters names none")}
		}
	}
	internet := ev.zones(model.ZoneInternet)
	direct := ev.denyDirect(internet, zones).about(len(zones)).leaving("R1").remedied("remove the public address, load-balancing rule or DNAT rule that leads past the gateway")
	enforcing, open := ev.enforcingRouters()
	var chains Part
	if via := slices.Concat(enforcing, ev.administrators()); len(via) > 0 {
		chains = ev.through(internet, zones, via)
	} else {
		chains = ev.deny(internet, zones)
	}
	chains = chains.about(len(zones)).stated("every path from internet to %s passes an enforcing WAF, or is administration by a Bastion", texts(zones)).
		remedied("put the WAF into Prevention on every way, or close the way past it")
	if chains.Verdict == ItemFail {
		chains.Reason = "a way from the internet passes no enforcing WAF"
		for _, w := range ev.webWays() {
			if w.enforcing() == wafPasses {
				chains.Faults = append([]Fault{w.fault()}, chains.Faults...)
				chains.Faults[1].Cause = w.fault().Cause // what it lets pass is the same fault
			}
		}
	}
	out := []Part{direct, chains}
	if chains.Verdict == ItemPass {
		for _, w := range open {
			p := unknownPart("the WAF policy of "+w.name+" enforces", w.fault().Text)
			p.Faults = []Fault{w.fault()}
			out = append(out, p)
		}
		cde := ev.workloadsIn(model.ZoneCDE)
		r, err := ev.s.Reach(internet, zones, nil, false)
		if err == nil && len(ev.routers()) > 0 {
			out[1].Facts = chainFacts(r.Flows)
			if len(r.Flows) == 0 {
				out = append(out, unknownPart("the routers lead to something in scope", fmt.Sprintf("no path leads from the internet by the routers to any of %s in scope: back ends by an ingress controller, a Service or a zone may be missing in the input", count(len(cde), "workload"))))
			}
		}
	}
	return out
}
