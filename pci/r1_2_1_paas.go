package pci

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// paas lists the services that lie in zones of kinds cde, data or management, or that something in them may reach (1.2.1-o).
func (ev *Evidence) paas() []*model.Service {
	return keep(ev, "paas", func() []*model.Service {
		kinds := []model.ZoneKind{model.ZoneCDE, model.ZoneData, model.ZoneManagement}
		from := ev.zones(kinds...)
		var out []*model.Service
		for _, s := range ev.e.Services {
			used := slices.ContainsFunc(ev.zonesOf(s.ID), isKind(kinds...))
			if !used && len(from) > 0 {
				v, err := ev.verdictOf(from, []model.Selector{ev.sel(model.SelService, s)})
				used = err == nil && v != solver.Unreachable
			}
			if used {
				out = append(out, s)
			}
		}
		return out
	})
}

// privateWays names the approved private endpoints of a service, or of the private link scope that it is in.
func (ev *Evidence) privateWays(s *model.Service) []string {
	var out []string
	add := func(id model.ID) {
		for _, p := range ev.endpointsOf(id) {
			out = append(out, strings.TrimSpace(ev.refs.Of(model.SelEndpoint, p)+" "+strings.Join(p.Groups, ", ")))
		}
	}
	add(s.ID)
	for _, x := range ev.e.Services {
		if x.Kind == model.MonitorScope && slices.ContainsFunc(x.Scoped, func(id model.ID) bool { return id.Key() == s.ID.Key() }) {
			add(x.ID)
		}
	}
	return out
}

// doorField is the property that opens or shuts a service's public door (decisions.md, section 1.5).
func doorField(s *model.Service) string {
	switch s.Kind {
	case model.PostgreSQL, model.MySQL:
		return "properties.network.publicNetworkAccess"
	case model.LogAnalytics:
		return "properties.publicNetworkAccessForIngestion, properties.publicNetworkAccessForQuery"
	default:
		return "properties.publicNetworkAccess"
	}
}

// privateLink is 1.2.1-o: services are reached by private endpoints, and their public doors are shut.
func privateLink(ev *Evidence) []Part {
	const statement = "each service that is in scope, or used from there, is reached by Private Link, and its public door is shut"
	list := slices.DeleteFunc(slices.Clone(ev.paas()), func(s *model.Service) bool { return s.Kind == model.MonitorScope }) // a scope has no door
	unmodelled := ev.unmodelledServices()
	if len(list) == 0 && len(unmodelled) == 0 {
		return []Part{unknownPart(statement, "the input holds no service of the platform in a zone of kind cde, data or management, and none that these reach")}
	}
	p := Part{Statement: statement, Subjects: len(list), Table: &Table{Header: []string{"service", "private endpoints", "public door"}}}
	open := append([]Fault(nil), unmodelled...)
	for _, s := range list {
		name := ev.refs.Of(model.SelService, s)
		ways := ev.privateWays(s)
		door, f := ev.publicDoor(s)
		p.Table.Rows = append(p.Table.Rows, []string{name + inBrackets(s.Source.String()), cmp.Or(strings.Join(ways, ", "), map[bool]string{true: "injected into " + s.Injected.ShortName(), false: "none"}[s.Injected != ""]), door})
		switch {
		case f == nil:
		case f.Cause.Class == CauseNoRef:
			open = append(open, *f)
		default:
			p.Faults = append(p.Faults, *f)
		}
		if len(ways) == 0 && s.Injected == "" {
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CausePaaSDoor, Of: name, Field: "private endpoint"}, Subject: name, Text: "no approved private endpoint leads to the " + s.Kind.String(), Source: s.Source.String(),
				Remedy: "add a private endpoint, and approve its connection",
			})
		}
		if strings.HasPrefix(door, "closed by rules") {
			p.Notes = append(p.Notes, name+": its door is closed by rules, not switched off (AZ-KV-01)")
		}
	}
	return []Part{p.orUnknown(open)}
}

// publicDoor says what a service's public door admits, and what is wrong with that.
func (ev *Evidence) publicDoor(s *model.Service) (door string, f *Fault) {
	name := ev.refs.Of(model.SelService, s)
	source := s.PublicSource
	if source.IsZero() {
		source = s.Source
	}
	bad := func(text, found, remedy string) *Fault {
		return &Fault{
			Cause: Cause{Class: CausePaaSDoor, Of: name, Field: "publicNetworkAccess"}, Subject: name, Text: text, Field: doorField(s), Found: found, Wanted: "Disabled", Source: source.String(),
			Remedy: cmp.Or(remedy, "set publicNetworkAccess to Disabled once every client comes by the private endpoint"),
		}
	}
	switch {
	case s.Injected != "":
		return "none: in a subnet", nil
	case s.Kind == model.ContainerRegistry && s.Tier != "" && !strings.EqualFold(s.Tier, "Premium"):
		return "open: tier " + s.Tier, bad("the tier "+s.Tier+" knows neither private endpoints nor network rules (AZ-ACR-01)", s.Tier, "use the tier Premium")
	case strings.EqualFold(s.Public, "Disabled"):
		return "Disabled", nil
	}
	for _, u := range s.IPRules {
		if u.AllAzure {
			return "open to every Azure address", bad("its rule "+cmp.Or(u.Name, "0.0.0.0")+" admits every address inside Azure, machines of other customers included (AZ-SQL-03)", "0.0.0.0", "remove the rule")
		}
	}
	r, err := ev.assertion(model.Assertion{ID: ev.item, Verb: model.VerbDeny, From: ev.zones(model.ZoneInternet), To: []model.Selector{ev.sel(model.SelService, s)}, DirectOnly: true})
	switch {
	case err != nil:
		return "not known", &Fault{Cause: Cause{Class: CauseNoRef, Of: name}, Subject: name, Text: err.Error(), Source: source.String()}
	case r.Verdict == solver.Fail:
		f := bad("the internet reaches its public door", s.Public, "")
		f.Witness, f.Flows = r.Witness, r.Violations
		return cmp.Or(s.Public, "not stated, which is Enabled"), f
	case r.Verdict == solver.Undecided:
		f := bad("whether its public door is shut is not known", s.Public, "")
		if facts := hinges(r.Assumptions); len(facts) > 0 {
			f.Text += ": " + assumptionText(facts[0])
			f.Cause = Cause{Class: CauseNoRef, Of: facts[0].ID}
			if facts[0].Settle != "" {
				f.Remedy = facts[0].Settle
			}
		}
		f.Cause.Class = CauseNoRef
		return cmp.Or(s.Public, "not stated"), f
	case len(s.VNetRules) > 0:
		return "open to subnets", bad("its rules admit "+count(len(s.VNetRules), "subnet")+" by service endpoint, past Private Link", s.Public, "remove the virtual network rules, and set publicNetworkAccess to Disabled")
	case len(s.IPRules) > 0:
		return "open to addresses", bad("its rules admit public addresses", s.Public, "remove the address rules, and set publicNetworkAccess to Disabled")
	}
	return "closed by rules", nil
}

// unmodelledServices are the resources of the platform that ringfence does not model, which may be services with a door of their own.
func (ev *Evidence) unmodelledServices() []Fault {
	var out []Fault
	for _, l := range ev.e.Ledger {
		t := strings.ToLower(l.Type)
		if l.Disposition != model.Unsupported || l.Field != "" || !strings.HasPrefix(t, "microsoft.") || strings.HasPrefix(t, "microsoft.network/") {
			continue
		}
		out = append(out, Fault{
			Cause: Cause{Class: CauseNoRef, Of: string(l.Resource)}, Subject: l.Type + " " + l.Resource.ShortName(), Text: "ringfence does not model " + l.Type + ", which may have a public door", Source: l.Source.String(),
			Remedy: "judge it by hand; a resource that carries no traffic belongs outside the inputs",
		})
	}
	return out
}

// names reports whether a list of selectors names a service, or one of its private endpoints.
func (ev *Evidence) names(list []model.Selector, s model.ID) bool {
	return slices.ContainsFunc(list, func(sel model.Selector) bool {
		if sel.Not || sel.Kind != model.SelService && sel.Kind != model.SelEndpoint {
			return false
		}
		found, err := ev.e.Find(sel)
		return err == nil && slices.ContainsFunc(found, func(f model.Found) bool {
			pe, ok := f.Resource.(*model.PrivateEndpoint)
			return f.Resource.ResourceID().Key() == s.Key() || ok && pe.Target.Key() == s.Key()
		})
	})
}

// endpointSubnets is 1.2.1-s: NSGs act at private endpoints, and let those in who need the service.
func endpointSubnets(ev *Evidence) []Part {
	const statement = "private endpoints of vaults, registries and stores admit those alone who need the service"
	stores := ev.storeServices()
	type subject struct {
		pe *model.PrivateEndpoint
		s  *model.Service
	}
	var subjects []subject
	for _, pe := range ev.e.Endpoints {
		s, ok := model.Get[*model.Service](ev.e, pe.Target)
		if ok && (s.Kind == model.KeyVault || s.Kind == model.ContainerRegistry || stores[s.ID.Key()]) && (pe.State == "" || strings.EqualFold(pe.State, "Approved")) {
			subjects = append(subjects, subject{pe, s})
		}
	}
	if len(subjects) == 0 {
		return []Part{unknownPart(statement, "the input holds no approved private endpoint of a key vault, a container registry or a declared store")}
	}
	setting := Part{Statement: "NSGs act at the private endpoints and end in a Deny"}
	var open []Fault
	seen := map[string]bool{}
	for _, x := range subjects {
		if x.pe.Subnet == "" || seen[x.pe.Subnet.Key()] {
			continue
		}
		seen[x.pe.Subnet.Key()] = true
		sub, ok := model.Get[*model.Subnet](ev.e, x.pe.Subnet)
		if !ok {
			open = append(open, ev.unknownRef(ev.refs.Of(model.SelEndpoint, x.pe), x.pe.Subnet, x.pe.Source))
			continue
		}
		setting.Subjects++
		bad, lacks := ev.endpointSetting(sub)
		setting.Faults, open = append(setting.Faults, bad...), append(open, lacks...)
		if len(bad)+len(lacks) == 0 {
			setting.Facts = append(setting.Facts, ev.refs.Of(model.SelSubnet, sub)+": privateEndpointNetworkPolicies "+sub.EndpointPolicies.String()+", nsg:"+sub.NSG.Name())
		}
	}
	if len(setting.Faults) == 0 && len(open) > 0 {
		setting.Verdict, setting.Faults, setting.Reason = ItemUnknown, open, open[0].Text
	}
	out := []Part{setting.judged()}
	for _, x := range subjects {
		var wanted []allowedFlow
		var who []string
		for _, a := range ev.allowed() {
			if len(a.from) > 0 && ev.names(a.to, x.s.ID) {
				wanted = append(wanted, allowedFlow{from: a.from})
				for _, s := range a.from {
					if !slices.Contains(who, s.Text) {
						who = append(who, s.Text)
					}
				}
			}
		}
		for _, g := range ev.e.AppGateways { // listeners fetch their certificates
			if x.s.Kind == model.KeyVault && slices.ContainsFunc(g.Listeners, func(l model.AGWListener) bool { return l.HasCert }) {
				wanted = append(wanted, allowedFlow{from: []model.Selector{ev.sel(model.SelAppGateway, g)}})
			}
		}
		platform := ev.nodeSoftware()
		if len(platform) > 0 {
			wanted = append(wanted, allowedFlow{from: platform})
		}
		pe := ev.refs.Of(model.SelEndpoint, x.pe)
		p := ev.askBut(model.Assertion{Verb: model.VerbDeny, From: anyBut(), To: []model.Selector{ev.sel(model.SelEndpoint, x.pe)}, DirectOnly: true}, wanted)
		slices.Sort(who)
		p = p.said(1, "nobody but %s reaches %s", cmp.Or(strings.Join(who, ", "), "nobody"), pe).leaving("R1").
			remedied("narrow the rule at the endpoint's subnet; or state who needs the service by a `must` assertion, a data flow or the `allows` of a justification")
		for i, f := range p.Faults {
			if off := slices.IndexFunc(setting.Faults, func(y Fault) bool { return y.Cause.Of == subnetRef(ev, x.pe.Subnet) }); f.Cause.Class == "" && off >= 0 {
				p.Faults[i].Cause = setting.Faults[off].Cause
			}
		}
		out = append(out, p)
	}
	if platform := ev.nodeSoftware(); len(platform) > 0 {
		out[0].Notes = append(out[0].Notes, texts(platform)+": these pods leave with the address of their node, and are judged as the node that they run on")
	}
	out[0].Notes = append(out[0].Notes, "a load balancer forwards and opens nothing, so no packet has it as source")
	return out
}

// nodeSoftware selects the namespaces that AKS provides, of clusters whose pods leave with the address of their node (AKS-NET-01): whatever
// such a pod reaches outside the cluster, its node reaches as well, so that proofs about nodes speak of it.
func (ev *Evidence) nodeSoftware() []model.Selector {
	var out []model.Selector
	judged, _ := ev.clusters()
	for _, c := range judged {
		if !strings.EqualFold(c.PluginMode, "overlay") && !strings.EqualFold(c.Plugin, "kubenet") {
			continue
		}
		for _, n := range ev.e.Namespaces {
			_, exempt := ev.exempt(c, n.Name())
			if n.Cluster.Key() == c.ID.Key() && exempt && slices.ContainsFunc(ev.e.Workloads, func(w *model.Workload) bool { return w.Cluster.Key() == c.ID.Key() && w.Namespace == n.Name() }) {
				out = append(out, ev.sel(model.SelNamespace, n))
			}
		}
	}
	return out
}

// subnetRef names a subnet by its ID.
func subnetRef(ev *Evidence, id model.ID) string {
	if s, ok := model.Get[*model.Subnet](ev.e, id); ok {
		return ev.refs.Of(model.SelSubnet, s)
	}
	return "subnet:" + id.ShortName()
}

// storeServices are the keys of the services that are declared stores.
func (ev *Evidence) storeServices() map[string]bool {
	out := map[string]bool{}
	for _, sel := range ev.storeSelectors() {
		if sel.Kind != model.SelService && sel.Kind != model.SelEndpoint {
			continue
		}
		found, err := ev.e.Find(sel)
		if err != nil {
			continue // reported where the selector is resolved
		}
		for _, f := range found {
			if pe, ok := f.Resource.(*model.PrivateEndpoint); ok {
				out[pe.Target.Key()] = true
			}
			out[f.Resource.ResourceID().Key()] = true
		}
	}
	return out
}

// endpointSetting says why an NSG does nothing at the private endpoints of a subnet (AZ-PE-03, AZ-PE-04).
func (ev *Evidence) endpointSetting(s *model.Subnet) (bad, lacks []Fault) {
	subnet := ev.refs.Of(model.SelSubnet, s)
	f := Fault{
		Cause: Cause{Class: CauseEndpointNSG, Of: subnet, Field: "privateEndpointNetworkPolicies"}, Subject: subnet, Source: s.Source.String(), Field: "properties.privateEndpointNetworkPolicies",
		Wanted: "Enabled", Remedy: "set privateEndpointNetworkPolicies to Enabled on the subnet",
	}
	switch s.EndpointPolicies {
	case model.PoliciesEnabled, model.PoliciesNSG:
	case model.PoliciesNotStated:
		f.Text = "whether the NSG acts at the endpoints is not known: the property is not stated, and tools differ in what they write then (AZ-PE-03)"
		lacks = append(lacks, f)
	case model.PoliciesDisabled, model.PoliciesRouteTable:
		f.Text, f.Found = "the NSG has no effect at the private endpoints", s.EndpointPolicies.String()
		bad = append(bad, f)
	}
	n, ok := model.Get[*model.NSG](ev.e, s.NSG)
	switch {
	case s.NSG == "":
		bad = append(bad, Fault{
			Cause: Cause{Class: CauseEndpointNSG, Of: subnet, Field: "networkSecurityGroup"}, Subject: subnet, Text: "the subnet has no NSG", Field: "properties.networkSecurityGroup.id", Wanted: "an NSG", Source: s.Source.String(),
			Remedy: "attach an NSG that names who may come and denies the rest",
		})
	case !ok:
		lacks = append(lacks, ev.unknownRef(subnet, s.NSG, s.Source))
	default:
		if x, ok := lastRule(n, model.Inbound); !ok || !deniesAll(x) {
			bad = append(bad, denyMissing(n, model.Inbound))
		}
	}
	return bad, lacks
}

// lastRule is the custom rule of a direction that is asked last.
func lastRule(n *model.NSG, d model.Direction) (last model.SecurityRule, ok bool) {
	for _, u := range n.Rules {
		if !u.Default && u.Direction == d && (!ok || u.Priority >= last.Priority) {
			last, ok = u, true
		}
	}
	return last, ok
}

// deniesAll reports a Deny of everything.
func deniesAll(u model.SecurityRule) bool { return u.Access == model.Deny && matchesAll(u) }

// matchesAll reports a rule from everywhere to everywhere, of every protocol and port.
func matchesAll(u model.SecurityRule) bool {
	every := func(list []model.PortRange) bool { return len(list) == 0 || slices.Contains(list, model.AllPorts) }
	return u.SourceAddrs.Any && u.DestAddrs.Any && u.Protocol == model.AnyProtocol && every(u.SourcePorts) && every(u.DestPorts) && u.UnknownMatch == ""
}

// denyMissing is the fault of an NSG that does not end in a Deny: the default rules for VirtualNetwork and Internet decide then.
func denyMissing(n *model.NSG, d model.Direction) Fault {
	direction := strings.ToLower(d.String())
	return Fault{
		Cause: Cause{Class: CauseNodeNSG, Of: "nsg:" + n.Name(), Field: direction + " Deny"}, Subject: "nsg:" + n.Name(), Text: "no custom Deny of everything ends its " + direction + " rules, so that the default rules decide what is left",
		Field: "properties.securityRules", Wanted: "a rule of priority 4096 that denies * to * in the direction " + d.String(), Source: n.Source.String(),
		Remedy: "add a Deny of everything at priority 4096, " + direction + ", behind the rules that are needed",
	}
}
