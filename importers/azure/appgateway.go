package azure

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readAppGateway reads an Application Gateway (AZ-AGW-01 to AZ-AGW-09, AZ-AGW-20 to AZ-AGW-23). Its listeners, pools, settings and rules
// refer to each other by ID; the solver follows them.
func readAppGateway(r *resource) {
	is, at := decode[armnetwork.ApplicationGateway](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.ApplicationGatewayPropertiesFormat{}
	}
	at = at.get("properties")
	g := &model.AppGateway{
		Meta: r.meta(), WAFPolicy: r.reference(at, "firewallPolicy"), PrivateLinks: len(at.list("privateLinkConfigurations")) > 0,
	}
	if p.SKU != nil {
		tier, _ := choice(r, at.get("sku"), "tier", armnetwork.PossibleApplicationGatewayTierValues())
		if g.Tier = string(tier); g.Tier == "" {
			g.Tier = at.text("sku", "name") // of the second generation it says the same
		}
	}
	switch state, _ := choice(r, at, "operationalState", armnetwork.PossibleApplicationGatewayOperationalStateValues()); state {
	case armnetwork.ApplicationGatewayOperationalStateStopped, armnetwork.ApplicationGatewayOperationalStateStopping:
		g.Stopped = true // AZ-REL-08
	}
	for _, v := range at.list("gatewayIPConfigurations") {
		if id := r.reference(v, "properties", "subnet"); id != "" {
			g.Subnets = append(g.Subnets, id)
		}
	}
	g.Subnets = distinct(g.Subnets)
	r.gatewayEntries(g, at)
	r.gatewayBackends(g, at)
	r.gatewayRules(g, at)
	for _, v := range at.list("rewriteRuleSets") {
		g.RewriteSets = append(g.RewriteSets, v.text("name"))
	}
	r.gatewayTLS(g, p, at)
	r.gatewayReferences(g, at)
	if w := p.WebApplicationFirewallConfiguration; w != nil {
		mode, _ := choice(r, at.get("webApplicationFirewallConfiguration"), "firewallMode", armnetwork.PossibleApplicationGatewayFirewallModeValues())
		g.LegacyWAF = &model.LegacyWAF{
			Enabled: setting(w.Enabled), Mode: string(mode), RequestBody: setting(w.RequestBodyCheck),
			RuleSet: strings.TrimSpace(deref(w.RuleSetType) + " " + deref(w.RuleSetVersion)),
		}
	}
	r.emit(g)
}

// gatewayEntries reads frontends, ports and listeners (AZ-AGW-02, AZ-AGW-03).
func (r *resource) gatewayEntries(g *model.AppGateway, at *value) {
	for _, v := range at.list("frontendIPConfigurations") {
		id, name := r.part(v, "frontendIPConfigurations")
		f := v.get("properties")
		g.Frontends = append(g.Frontends, model.AGWFrontend{
			ID: id, Name: name, Subnet: r.reference(f, "subnet"), Address: r.addr(f, "privateIPAddress"), PublicIP: r.reference(f, "publicIPAddress"),
		})
	}
	for _, v := range at.list("frontendPorts") {
		id, _ := r.part(v, "frontendPorts")
		f := v.get("properties")
		if f.get("port") == nil {
			r.missing(f, "port", "a port from 1 to 65535")
		}
		g.Ports = append(g.Ports, model.AGWPort{ID: id, Port: r.port(f, "port", 1)})
	}
	for _, list := range []string{"httpListeners", "listeners"} {
		for _, v := range at.list(list) {
			id, name := r.part(v, list)
			f := v.get("properties")
			protocol, _ := required(r, f, "protocol", armnetwork.PossibleApplicationGatewayProtocolValues())
			l := model.AGWListener{
				ID: id, Name: name, Source: r.source(v.raw), Protocol: string(protocol), Frontend: r.reference(f, "frontendIPConfiguration"),
				Port: r.reference(f, "frontendPort"), Hosts: lowered(f.list("hostNames")), WAFPolicy: r.reference(f, "firewallPolicy"),
				TLSProfile: r.reference(f, "sslProfile"), HasCert: r.reference(f, "sslCertificate") != "",
			}
			if host := f.text("hostName"); host != "" {
				l.Hosts = append(l.Hosts, strings.ToLower(host))
			}
			slices.Sort(l.Hosts)
			l.Hosts = slices.Compact(l.Hosts)
			g.Listeners = append(g.Listeners, l)
		}
	}
}

// gatewayBackends reads pools, settings and probes (AZ-AGW-05, AZ-AGW-08).
func (r *resource) gatewayBackends(g *model.AppGateway, at *value) {
	for _, v := range at.list("backendAddressPools") {
		id, name := r.part(v, "backendAddressPools")
		f := v.get("properties")
		pool := model.AGWPool{ID: id, Name: name, Source: r.source(v.raw), IPConfigs: r.references(f, "backendIPConfigurations")}
		for _, a := range f.list("backendAddresses") {
			if ip := r.addr(a, "ipAddress"); ip.IsValid() {
				pool.Addresses = append(pool.Addresses, ip)
			}
			if host := a.get("fqdn"); host != nil && host.raw.text != "" {
				if ip, err := netip.ParseAddr(host.raw.text); err == nil {
					pool.Addresses = append(pool.Addresses, ip.Unmap()) // the portal writes addresses there too
				} else if name := r.host(host); name != "" {
					pool.FQDNs = append(pool.FQDNs, name)
				}
			}
		}
		pool.Addresses = sortedAddrs(pool.Addresses)
		slices.Sort(pool.FQDNs)
		pool.FQDNs = slices.Compact(pool.FQDNs)
		g.Pools = append(g.Pools, pool)
	}
	for _, list := range []string{"backendHttpSettingsCollection", "backendSettingsCollection"} {
		for _, v := range at.list(list) {
			id, name := r.part(v, list)
			f := v.get("properties")
			protocol, _ := choice(r, f, "protocol", armnetwork.PossibleApplicationGatewayProtocolValues())
			if f.get("port") == nil {
				r.missing(f, "port", "a port from 1 to 65535")
			}
			g.Settings = append(g.Settings, model.AGWSetting{
				ID: id, Name: name, Source: r.source(v.raw), Port: r.port(f, "port", 1), Protocol: string(protocol),
				HostName: strings.ToLower(f.text("hostName")), Probe: r.reference(f, "probe"),
			})
		}
	}
	for _, v := range at.list("probes") {
		id, name := r.part(v, "probes")
		f := v.get("properties")
		protocol, _ := choice(r, f, "protocol", armnetwork.PossibleApplicationGatewayProtocolValues())
		g.Probes = append(g.Probes, model.AGWProbe{ID: id, Name: name, Source: r.source(v.raw), Protocol: string(protocol), Port: r.port(f, "port", 0)})
	}
}

// gatewayRules reads routing rules, path maps and redirects (AZ-AGW-04).
func (r *resource) gatewayRules(g *model.AppGateway, at *value) {
	for _, v := range at.list("requestRoutingRules") {
		id, name := r.part(v, "requestRoutingRules")
		f := v.get("properties")
		g.Rules = append(g.Rules, model.AGWRule{
			ID: id, Name: name, Source: r.source(v.raw), Priority: priorityOf(f), Listener: r.reference(f, "httpListener"),
			Pool: r.reference(f, "backendAddressPool"), Setting: r.reference(f, "backendHttpSettings"), PathMap: r.reference(f, "urlPathMap"),
			Redirect: r.reference(f, "redirectConfiguration"),
		})
	}
	for _, v := range at.list("routingRules") {
		id, name := r.part(v, "routingRules")
		f := v.get("properties")
		g.Rules = append(g.Rules, model.AGWRule{
			ID: id, Name: name, Source: r.source(v.raw), Priority: priorityOf(f), Listener: r.reference(f, "listener"),
			Pool: r.reference(f, "backendAddressPool"), Setting: r.reference(f, "backendSettings"),
		})
	}
	for _, v := range at.list("urlPathMaps") {
		id, name := r.part(v, "urlPathMaps")
		f := v.get("properties")
		m := model.AGWPathMap{
			ID: id, Name: name, DefaultPool: r.reference(f, "defaultBackendAddressPool"),
			DefaultSetting: r.reference(f, "defaultBackendHttpSettings"), DefaultRedirect: r.reference(f, "defaultRedirectConfiguration"),
		}
		for _, rule := range f.list("pathRules") {
			b := rule.get("properties")
			m.Paths = append(m.Paths, model.AGWPathRule{
				Name: rule.text("name"), Source: r.source(rule.raw), Paths: spoken(b.list("paths")), Pool: r.reference(b, "backendAddressPool"),
				Setting: r.reference(b, "backendHttpSettings"), Redirect: r.reference(b, "redirectConfiguration"),
				WAFPolicy: r.reference(b, "firewallPolicy"),
			})
		}
		g.PathMaps = append(g.PathMaps, m)
	}
	for _, v := range at.list("redirectConfigurations") {
		id, name := r.part(v, "redirectConfigurations")
		f := v.get("properties")
		kind, _ := choice(r, f, "redirectType", armnetwork.PossibleApplicationGatewayRedirectTypeValues())
		g.Redirects = append(g.Redirects, model.AGWRedirect{
			ID: id, Name: name, Type: string(kind), TargetListener: r.reference(f, "targetListener"), TargetURL: plainURL(f.text("targetUrl")),
		})
	}
}

// gatewayReferences checks that the parts of a gateway name parts that it has: Azure refuses any other, and a rule whose pool is not found would
// read as one that forwards nothing. A listener with TLS needs a certificate (AZ-AGW-02, AZ-AGW-04).
func (r *resource) gatewayReferences(g *model.AppGateway, at *value) {
	known := map[string]bool{}
	certificates := false // some take them out of what they export
	if at != nil && at.raw.get("sslCertificates") != nil {
		for _, c := range at.raw.get("sslCertificates").items {
			certificates = true
			if name := c.get("name"); name != nil {
				known[r.partID("sslCertificates", name.text).Key()] = true
			}
			if id := c.get("id"); id != nil {
				known[model.ID(id.text).Key()] = true
			}
		}
	}
	for _, list := range []string{
		"frontendIPConfigurations", "frontendPorts", "httpListeners", "listeners", "backendAddressPools", "backendHttpSettingsCollection", "backendSettingsCollection",
		"probes", "urlPathMaps", "redirectConfigurations", "sslProfiles",
	} {
		for _, v := range at.list(list) {
			id, _ := r.part(v, list)
			known[id.Key()] = true
		}
	}
	check := func(f *value, names map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if id := f.get(name, "id"); id != nil && id.raw.text != "" && armID(id.raw.text) && !known[model.ID(id.raw.text).Key()] {
				r.errorAt(id.raw, "", id.raw.text, "the ID of "+names[name]+" that the gateway has")
			}
		}
	}
	has := func(f *value, name string) bool {
		return f != nil && (f.text(name, "id") != "" || slices.Contains(f.refused, name))
	}
	need := func(f *value, name, what string) {
		if !has(f, name) {
			r.missing(f, name, what)
		}
	}
	// leads reports a rule that leads nowhere: it has a pool with settings, or one of what stands in their place.
	leads := func(f *value, pool string, settings []string, instead ...string) {
		switch {
		case slices.ContainsFunc(instead, func(name string) bool { return has(f, name) }):
		case !has(f, pool):
			r.missing(f, pool, "the pool that the rule leads to, or a redirect")
		case !slices.ContainsFunc(settings, func(name string) bool { return has(f, name) }):
			r.missing(f, settings[0], "the settings for the pool, which say the port")
		}
	}
	backend := map[string]string{
		"backendAddressPool": "a backend pool", "backendHttpSettings": "backend settings", "backendSettings": "backend settings", "urlPathMap": "a path map",
		"redirectConfiguration": "a redirect", "httpListener": "a listener", "listener": "a listener", "defaultBackendAddressPool": "a backend pool",
		"defaultBackendHttpSettings": "backend settings", "defaultRedirectConfiguration": "a redirect",
	}
	for _, list := range []string{"httpListeners", "listeners"} {
		for _, v := range at.list(list) {
			f := v.get("properties")
			check(f, map[string]string{"frontendIPConfiguration": "a frontend", "frontendPort": "a port", "sslProfile": "a TLS profile"})
			if certificates {
				check(f, map[string]string{"sslCertificate": "a certificate"})
			}
			need(f, "frontendIPConfiguration", "the frontend of the listener: without one it accepts nothing")
			need(f, "frontendPort", "the port of the listener: without one it accepts nothing")
			if p := f.text("protocol"); (strings.EqualFold(p, "Https") || strings.EqualFold(p, "Tls")) && f.get("sslCertificate", "id") == nil {
				r.missing(f, "sslCertificate", "a certificate of the gateway, which a listener with TLS has")
			}
		}
	}
	for _, list := range [][2]string{{"requestRoutingRules", "httpListener"}, {"routingRules", "listener"}} {
		for _, v := range at.list(list[0]) {
			f := v.get("properties")
			check(f, backend)
			need(f, list[1], "the listener whose requests the rule takes")
			leads(f, "backendAddressPool", []string{"backendHttpSettings", "backendSettings"}, "urlPathMap", "redirectConfiguration", "loadDistributionPolicy")
		}
	}
	for _, v := range at.list("urlPathMaps") {
		f := v.get("properties")
		check(f, backend)
		leads(f, "defaultBackendAddressPool", []string{"defaultBackendHttpSettings"}, "defaultRedirectConfiguration", "defaultLoadDistributionPolicy")
		for _, rule := range f.list("pathRules") {
			b := rule.get("properties")
			check(b, backend)
			leads(b, "backendAddressPool", []string{"backendHttpSettings"}, "redirectConfiguration", "loadDistributionPolicy")
		}
	}
	for _, list := range []string{"backendHttpSettingsCollection", "backendSettingsCollection"} {
		for _, v := range at.list(list) {
			check(v.get("properties"), map[string]string{"probe": "a probe"})
		}
	}
}

func priorityOf(v *value) int {
	if m := v.get("priority"); m != nil {
		return number(m.raw)
	}
	return 0
}

// plainURL takes user and query off a URL: both may hold secrets. A text that is no URL is dropped.
func plainURL(text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// gatewayTLS reads TLS policies (AZ-AGW-21, AZ-AGW-23).
func (r *resource) gatewayTLS(g *model.AppGateway, p *armnetwork.ApplicationGatewayPropertiesFormat, at *value) {
	g.TLS = r.tlsPolicy(at.get("sslPolicy"))
	if g.TLS == (model.TLSPolicy{}) && p.DefaultPredefinedSSLPolicy != nil {
		// The platform says which policy it applies where none is set.
		g.TLS = model.TLSPolicy{
			Type: string(armnetwork.ApplicationGatewaySSLPolicyTypePredefined), Source: r.source(at.get("defaultPredefinedSslPolicy").raw),
			Name: spelt(p.DefaultPredefinedSSLPolicy, armnetwork.PossibleApplicationGatewaySSLPolicyNameValues()),
		}
	}
	for _, v := range at.list("sslProfiles") {
		id, name := r.part(v, "sslProfiles")
		f := v.get("properties")
		profile := model.TLSProfile{ID: id, Name: name, Policy: r.tlsPolicy(f.get("sslPolicy"))}
		mode, _ := choice(r, f.get("clientAuthConfiguration"), "verifyClientAuthMode", armnetwork.PossibleApplicationGatewayClientAuthVerificationModesValues())
		profile.Client = string(mode)
		if profile.Client == "" && len(f.list("trustedClientCertificates")) > 0 {
			profile.Client = string(armnetwork.ApplicationGatewayClientAuthVerificationModesStrict)
		}
		g.TLSProfiles = append(g.TLSProfiles, profile)
	}
}

func (r *resource) tlsPolicy(at *value) model.TLSPolicy {
	if at == nil || len(at.names) == 0 {
		return model.TLSPolicy{}
	}
	kind, _ := choice(r, at, "policyType", armnetwork.PossibleApplicationGatewaySSLPolicyTypeValues())
	name, _ := enum(at.text("policyName"), armnetwork.PossibleApplicationGatewaySSLPolicyNameValues())
	least, _ := choice(r, at, "minProtocolVersion", armnetwork.PossibleApplicationGatewaySSLProtocolValues())
	p := model.TLSPolicy{Type: string(kind), Name: name, MinVersion: string(least), Source: r.source(at.raw)}
	if p.Type == "" && p.Name != "" {
		p.Type = string(armnetwork.ApplicationGatewaySSLPolicyTypePredefined)
	}
	if off := spoken(at.list("disabledSslProtocols")); p.MinVersion == "" && len(off) > 0 {
		p.MinVersion = leastEnabled(off)
	}
	return p
}

// leastEnabled is the oldest version that a list of disabled ones leaves.
func leastEnabled(off []string) string {
	for _, v := range []armnetwork.ApplicationGatewaySSLProtocol{
		armnetwork.ApplicationGatewaySSLProtocolTLSv10, armnetwork.ApplicationGatewaySSLProtocolTLSv11,
		armnetwork.ApplicationGatewaySSLProtocolTLSv12, armnetwork.ApplicationGatewaySSLProtocolTLSv13,
	} {
		if !slices.ContainsFunc(off, func(s string) bool { return strings.EqualFold(s, string(v)) }) {
			return string(v)
		}
	}
	return ""
}
