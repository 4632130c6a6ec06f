package pci

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// endpointInventory lists what each zone reaches at public endpoints: zone, target, service, by way of, rule.
func (ev *Evidence) endpointInventory() (*Table, error) {
	t := &Table{Header: []string{"zone", "reaches", "service", "by way of", "possible"}}
	rows, err := ev.zoneRows()
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.Dst != string(model.SelInternet) || !ev.zoneKind(r.Src, internalKinds()...) {
			continue
		}
		for _, p := range r.Packets {
			to := slices.Concat(p.Names, p.Tags)
			if len(p.Names) == 1 && p.Names[0] == "*" {
				to = slices.Concat(p.Dst, p.Tags)
			}
			possible := ""
			if r.Verdict != solver.Reachable {
				possible = "possible"
			}
			row := []string{r.Src, strings.Join(to, ", "), p.Protocol + "/" + strings.Join(p.DPort, ","), strings.Join(r.Via, " > "), possible}
			if slices.Contains(to, "*") || slices.Contains(to, "any") || slices.Contains(to, "internet") {
				row[1] += " (every host)"
			}
			if !slices.ContainsFunc(t.Rows, func(x []string) bool { return slices.Equal(x, row) }) {
				t.Rows = append(t.Rows, row)
			}
		}
	}
	return t, nil
}

// publicEndpoints is 1.2.1-c: the inventory of what is reached at public endpoints, and its committed copy.
func publicEndpoints(ev *Evidence) []Part {
	out := []Part{ev.document(DocumentEndpoints, "the committed inventory of public endpoints is what the zones reach today")}
	t, err := ev.endpointInventory()
	if err != nil {
		return append(out, unknownPart("the inventory can be made", err.Error()))
	}
	out[0].Table = t
	for _, f := range ev.e.Firewalls {
		if _, lacks := ev.rulesInForce(f); len(lacks) > 0 {
			p := unknownPart("the rules of all firewalls are in the input", lacks[0].Text)
			p.Faults = lacks
			out = append(out, p)
		}
	}
	return out
}

// egressTLS is 1.2.1-d: what is in scope talks to the outside by TLS 1.2 or later.
func egressTLS(ev *Evidence) []Part {
	names := Part{Statement: "firewall rules for what is in scope use Https, or have a justification with security features"}
	inScope := func(l liveRule) bool {
		return slices.ContainsFunc(l.flows, func(f solver.CarriedFlow) bool {
			return ev.zoneKind(f.From, scopeKinds()...) && f.To == string(model.ZoneInternet)
		})
	}
	for _, l := range ev.liveRules() {
		if l.kindOf() != "firewall" || !inScope(l) {
			continue
		}
		names.Subjects++
		switch {
		case strings.EqualFold(l.Protocol, "https"), strings.EqualFold(l.Protocol, "mssql"):
			names.Facts = append(names.Facts, l.Rule+": "+l.Protocol+":"+strings.Join(l.Ports, ",")+" to "+strings.Join(l.Destination, ", "))
			continue
		case !slices.ContainsFunc(rowServices(l.RuleRow), func(s model.PortService) bool { return !listed(s) }):
			names.Notes = append(names.Notes, l.Rule+": DNS or NTP, which have no confidentiality by design")
			continue
		}
		if c := ev.compensated(l); l.Justification != "" && c.protects && len(c.untrue) == 0 {
			names.Facts = append(names.Facts, l.Rule+": "+cmp.Or(l.Protocol, "any")+", with "+strings.Join(l.SecurityFeatures, ", "))
			continue
		}
		names.Faults = append(names.Faults, Fault{
			Cause: Cause{Class: CauseRegister, Of: l.Rule, Field: "securityFeatures"}, Subject: l.Rule, Text: "it carries " + flowEnds(l.flows) + " by " + cmp.Or(l.Protocol, "any") + ", where the firewall sees no TLS, and no security feature is stated", Source: l.At,
			Remedy: "allow Https by an application rule in its place, or say in securityFeatures what protects the traffic",
		})
	}
	floor := Part{Statement: "services that are in scope, or used from there, ask for TLS 1.2 or later", Table: &Table{Header: []string{"service", "lowest TLS"}}}
	var open []Fault
	for _, s := range ev.paas() {
		if s.Kind == model.MonitorScope {
			continue
		}
		floor.Subjects++
		name := ev.refs.Of(model.SelService, s)
		version, ok := tlsFloorOf(s)
		floor.Table.Rows = append(floor.Table.Rows, []string{name + inBrackets(s.Source.String()), cmp.Or(version, "not stated")})
		f := Fault{
			Cause: Cause{Class: CauseSetting, Of: name, Field: "minimum TLS"}, Subject: name, Field: "properties." + tlsField(s), Found: s.MinTLS, Wanted: "1.2 or later", Source: s.Source.String(), Remedy: "set the minimum TLS version to 1.2",
		}
		switch {
		case s.HTTPSOnly == model.Off:
			f.Text, f.Field, f.Found, f.Wanted = "it serves clear text as well", "properties."+clearField(s), "as read", "TLS alone"
			floor.Faults = append(floor.Faults, f)
		case !ok:
			f.Text = "its lowest TLS version is not stated, and the default depends on service and date"
			open = append(open, f)
		case version < "1.2":
			f.Text = "it takes TLS " + version
			floor.Faults = append(floor.Faults, f)
		}
	}
	if len(floor.Faults) == 0 && len(open) > 0 {
		floor.Verdict, floor.Faults, floor.Reason = ItemUnknown, open, open[0].Subject+": "+open[0].Text
	}
	var out []Part
	if names.Subjects > 0 {
		out = append(out, names.judged())
	}
	if floor.Subjects > 0 {
		out = append(out, floor.judged())
	}
	if len(out) == 0 {
		return []Part{unknownPart(names.Statement, "the input holds no firewall rule that carries a flow from a zone of kind cde or data to the internet, and no service that they use")}
	}
	return append(out, ev.attestation("connections to third parties use TLS 1.2 or later, which a firewall without TLS inspection does not see"))
}

// listed reports a service of class C alone (decisions.md, 7.1).
func listed(s model.PortService) bool {
	in := insecureIn([]model.PortService{s})
	return s.Ports.First == s.Ports.Last && slices.ContainsFunc(in[listedOnly], func(n string) bool { return strings.HasPrefix(n, "DNS") })
}

// tlsField is the property that states the lowest TLS version (decisions.md, section 1.5).
func tlsField(s *model.Service) string {
	switch s.Kind {
	case model.SQLServer, model.CosmosDB:
		return "minimalTlsVersion"
	case model.PostgreSQL:
		return "ssl_min_protocol_version"
	case model.MySQL:
		return "tls_version"
	default:
		return "minimumTlsVersion"
	}
}

func clearField(s *model.Service) string {
	if s.Kind == model.Redis {
		return "enableNonSslPort"
	}
	return "supportsHttpsTrafficOnly"
}

// proxyHost is the host of the proxy that a cluster names: an address, or a name.
func proxyHost(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		rest = url
	}
	host, _, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	if i := strings.LastIndex(host, ":"); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}

// proxied is 1.2.1-m: clusters send their egress to the declared proxy.
func proxied(ev *Evidence) []Part {
	const statement = "clusters send what they open to the internet to a declared proxy"
	if n, ok := ev.none("proxies"); ok && len(ev.in.PCI.Proxies) == 0 {
		judged, _ := ev.clusters()
		for _, c := range judged {
			if c.HasProxy {
				return []Part{Part{Statement: statement, Faults: []Fault{{
					Cause: Cause{Class: CauseSetting, Of: ev.refs.Of(model.SelCluster, c), Field: "httpProxyConfig"}, Subject: ev.refs.Of(model.SelCluster, c), Text: "it uses the proxy " + proxyHost(cmp.Or(c.HTTPSProxy, c.HTTPProxy)) + ", and none.proxies says that there is none", Source: c.Source.String(),
					Remedy: "name the proxy in pci.proxies, or remove httpProxyConfig",
				}}}.judged()}
			}
		}
		return []Part{notApplicable(statement, fmt.Sprintf("none.proxies: %s, on %s: %s", n.By, n.On, n.Reason))}
	}
	judged, wholly := ev.clusters()
	if len(judged) == 0 {
		if len(wholly) > 0 {
			return []Part{notApplicable(statement, "every cluster of the input is wholly out of scope")}
		}
		return []Part{ev.absent(statement, "clusters", "the input holds no cluster")}
	}
	p := Part{Statement: statement}
	var open []Fault
	for _, c := range judged {
		p.Subjects++
		ref := ev.refs.Of(model.SelCluster, c)
		f := Fault{Cause: Cause{Class: CauseSetting, Of: ref, Field: "httpProxyConfig"}, Subject: ref, Field: "properties.httpProxyConfig.httpsProxy", Found: cmp.Or(c.HTTPSProxy, c.HTTPProxy), Wanted: "a proxy of pci.proxies", Source: c.Source.String()}
		switch {
		case !c.HasProxy && len(ev.in.PCI.Proxies) == 0:
			f.Cause = Cause{Class: CauseIntent, Of: "pci.proxies"}
			f.Text, f.Remedy = "it has no proxy, and ringfence.yaml says neither which proxy it should use nor that there is none by design", "name the proxy in pci.proxies, or state none.proxies with the reason"
			open = append(open, f)
		case !c.HasProxy:
			f.Text, f.Remedy = "it has no httpProxyConfig, and pci.proxies names "+texts(ev.in.PCI.Proxies), "set httpProxyConfig to the proxy"
			p.Faults = append(p.Faults, f)
		case len(ev.in.PCI.Proxies) == 0:
			f.Text, f.Remedy = "its proxy is not among pci.proxies", "name the proxy in pci.proxies"
			open = append(open, f)
		default:
			host := proxyHost(cmp.Or(c.HTTPSProxy, c.HTTPProxy))
			known, resolved := ev.isProxy(host)
			switch {
			case known:
				p.Facts = append(p.Facts, ref+": "+host+", not for "+cmp.Or(strings.Join(c.NoProxy, ", "), "nothing")+inBrackets(c.Source.String()))
			case resolved:
				f.Text, f.Remedy = "its proxy "+host+" is none of pci.proxies", "use a declared proxy, or declare this one"
				p.Faults = append(p.Faults, f)
			default:
				f.Cause.Class, f.Text, f.Remedy = CauseNoRef, "nothing in the input has the address of its proxy "+host, "add the proxy's interface, or the private zone that has its name, to the inputs"
				open = append(open, f)
			}
		}
	}
	if len(p.Faults) == 0 && len(open) > 0 {
		p.Verdict, p.Faults, p.Reason = ItemUnknown, open, open[0].Subject+": "+open[0].Text
	}
	return []Part{p.judged()}
}

// isProxy reports whether a host is a declared proxy; resolved is false where nothing in the input has its address.
func (ev *Evidence) isProxy(host string) (is, resolved bool) {
	targets := ev.hostAddresses(host)
	for _, a := range targets {
		resolved = resolved || ev.owned(a)
		for _, sel := range ev.in.PCI.Proxies {
			if sel.Prefix.IsValid() {
				is = is || sel.Prefix.Contains(a)
				continue
			}
			found, err := ev.e.Find(sel)
			if err != nil {
				continue // reported where the selector is resolved
			}
			for _, f := range found {
				is = is || slices.Contains(ev.addressesOf(f.Resource), a)
			}
		}
	}
	return is, resolved
}

// proxyAlone is 1.2.1-n: the firewall lets nodes and pods out to nothing but the proxy.
func proxyAlone(ev *Evidence) []Part {
	const statement = "nodes and pods reach the internet over the declared proxy alone"
	if n, ok := ev.none("proxies"); ok && len(ev.in.PCI.Proxies) == 0 {
		return []Part{notApplicable(statement, fmt.Sprintf("none.proxies: %s, on %s: %s", n.By, n.On, n.Reason))}
	}
	targets := ev.ownCluster()
	switch {
	case len(targets) == 0:
		return []Part{ev.noPools(statement)}
	case len(ev.in.PCI.Proxies) == 0:
		p := unknownPart(statement, "pci.proxies names no proxy, and none.proxies does not say that there is none")
		p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "pci.proxies"}, Subject: "pci.proxies", Text: p.Reason, Source: ev.in.Source.String(), Remedy: "name the proxy in pci.proxies, or state none.proxies with the reason"}}
		return []Part{p}
	}
	p := ev.denyDirect(targets, ev.zones(model.ZoneInternet)).said(len(targets), "%s (%s)", statement, texts(ev.in.PCI.Proxies)).leaving("R1", "R2").
		remedied("remove the firewall rule for nodes, and let the proxy open the connection; bootstrap exceptions are waivers of an assertion that is tied to 1.2.1-n")
	out := []Part{p}
	judged, _ := ev.clusters()
	for _, c := range judged {
		for _, n := range c.NoProxy {
			if publicName(n) {
				out = append(out, Part{Statement: "noProxy names no public host", Faults: []Fault{{
					Cause: Cause{Class: CauseSetting, Of: ev.refs.Of(model.SelCluster, c), Field: "noProxy " + n}, Subject: ev.refs.Of(model.SelCluster, c), Text: "noProxy sends " + n + " past the proxy", Field: "properties.httpProxyConfig.noProxy", Found: n, Wanted: "private names and addresses", Source: c.Source.String(),
					Remedy: "remove the entry",
				}}}.judged())
			}
		}
	}
	return out
}

// publicName reports a host of the internet: a name that is none of the cluster or of Private Link, or a public address.
func publicName(n string) bool {
	n = strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(n, "*"), "."))
	if p, _, err := model.ParsePrefix(n); err == nil {
		return !p.Addr().IsPrivate() && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() && p.Addr().String() != "168.63.129.16"
	}
	for _, own := range []string{"localhost", "svc", "cluster.local", "internal", "konnectivity"} {
		if n == own || strings.HasSuffix(n, "."+own) {
			return false
		}
	}
	return strings.Contains(n, ".") && !strings.Contains(n, "privatelink.")
}

// emergencyExpires is 1.2.1-q: access in an emergency is granted just in time, and ends.
func emergencyExpires(ev *Evidence) []Part {
	var out []Part
	list := ev.in.PCI.Emergency
	if len(list) > 0 {
		p := Part{Statement: "each emergency access ends within 30 days, and leaves no rule behind"}
		for _, x := range list {
			p.Subjects++
			name := texts(x.From) + " to " + texts(x.To)
			f := Fault{Cause: Cause{Class: CauseIntent, Of: "emergencyAccess " + name}, Subject: name, Source: x.Source.String(), Field: "expires", Found: x.Expires.String()}
			switch {
			case x.Expires.Before(ev.in.AsOf):
				q := ev.denyDirect(x.From, x.To, x.Services...)
				if q.Verdict == ItemPass {
					p.Notes = append(p.Notes, name+": expired on "+x.Expires.String()+", and closed")
					continue
				}
				for _, y := range q.Faults {
					y.Text, y.Remedy = name+": the access expired on "+x.Expires.String()+", and is still open: "+y.Text, "remove the rule that opened it"
					p.Faults = append(p.Faults, y)
				}
			case ev.in.AsOf.AddDays(30).Before(x.Expires):
				f.Text, f.Wanted, f.Remedy = "it is granted for more than 30 days", "at most 30 days ahead", "shorten it"
				p.Faults = append(p.Faults, f)
			default:
				p.Facts = append(p.Facts, name+": until "+x.Expires.String()+", approved by "+x.ApprovedBy+": "+x.Reason+inBrackets(x.Source.String()))
			}
		}
		out = append(out, p.judged())
	}
	if len(ev.e.JITPolicies) > 0 {
		p := Part{Statement: "just-in-time access opens to named sources, and no rule of the NSGs makes it void"}
		var open []Fault
		for _, j := range ev.e.JITPolicies {
			for _, m := range j.VMs {
				p.Subjects++
				if _, ok := model.Get[*model.VM](ev.e, m.VM); !ok {
					open = append(open, ev.unknownRef("jit policy "+j.Name(), m.VM, j.Source))
					continue
				}
				for _, x := range m.Ports {
					if x.Sources.Any || slices.ContainsFunc(x.Sources.Tags, func(t string) bool { return strings.EqualFold(t, "Internet") }) {
						p.Faults = append(p.Faults, Fault{
							Cause: Cause{Class: CauseSetting, Of: "jit policy " + j.Name(), Field: fmt.Sprint(x.Port)}, Subject: "jit policy " + j.Name(), Text: fmt.Sprintf("a request may open port %d of vm:%s to everybody", x.Port, m.VM.Name()), Source: j.Source.String(),
							Field: "allowedSourceAddressPrefix", Found: "*", Wanted: "the addresses of administrators", Remedy: "name the sources",
						})
					}
				}
			}
		}
		for _, f := range ev.findings("jit-void", "jit-without-deny") {
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseSetting, Of: f.Subject}, Subject: f.Subject, Text: f.Text, Source: f.Source, Remedy: f.Remedy})
		}
		p.Notes = append(p.Notes, "Defender's just-in-time access covers virtual machines, not the scale sets of AKS")
		out = append(out, p.orUnknown(open))
	}
	return append(out, ev.attestation("access in an emergency is asked for, approved, logged and taken back"))
}

// hostAddresses are the addresses of a host, written as one or by a name of a private zone.
func (ev *Evidence) hostAddresses(host string) []netip.Addr {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}
	}
	_, list, _ := ev.privateRecord(host)
	return list
}

// addressesOf are the private addresses of a machine, a load balancer or a firewall.
func (ev *Evidence) addressesOf(r model.Resource) []netip.Addr {
	var out []netip.Addr
	switch r := r.(type) {
	case *model.NIC:
		for _, c := range r.IPConfigs {
			out = append(out, c.Address)
		}
	case *model.VM:
		for _, id := range r.NICs {
			if n, ok := model.Get[*model.NIC](ev.e, id); ok {
				out = append(out, ev.addressesOf(n)...)
			}
		}
	case *model.LoadBalancer:
		for _, f := range r.Frontends {
			out = append(out, f.Address)
		}
	case *model.Firewall:
		out = append(out, r.Address)
	default:
	}
	return out
}
