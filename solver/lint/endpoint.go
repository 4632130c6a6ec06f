package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

func (r *reader) endpoint(ep *model.PrivateEndpoint) string {
	return r.refs.Of(model.SelEndpoint, ep)
}

func (r *reader) endpointNames(list []*model.PrivateEndpoint) []string {
	var out []string
	for _, ep := range list {
		out = append(out, r.endpoint(ep))
	}
	return out
}

// endpointPoliciesOff: without network policies for NSGs, the NSG of a subnet is not applied at the private endpoints in it, although the
// portal shows it (AZ-PE-03, AZ-PE-04). Absent is Disabled.
func endpointPoliciesOff(r *reader, found sink) {
	for _, s := range r.e.Subnets {
		eps := r.in(s.ID).endpoints
		if s.NSG == "" || len(eps) == 0 || s.EndpointPolicies == model.PoliciesEnabled || s.EndpointPolicies == model.PoliciesNSG {
			continue
		}
		value := "is " + s.EndpointPolicies.String()
		if s.EndpointPolicies == model.PoliciesNotStated {
			value = "is not stated, which is Disabled"
		}
		found(fact{
			subject: r.subnet(s), origin: s.Source,
			text: fmt.Sprintf("privateEndpointNetworkPolicies %s: nsg:%s is not applied at %s, so whoever routes there gets through.",
				value, s.NSG.Name(), join(r.endpointNames(eps))),
			remedy: "Set privateEndpointNetworkPolicies to Enabled on the subnet.",
		})
	}
}

// endpointRouteVoid: a route for the range of an endpoint takes its traffic only if route-table policies are on at the endpoint's subnet
// (AZ-PE-05); the endpoint's own /32 wins otherwise.
func endpointRouteVoid(r *reader, found sink) {
	for _, s := range r.e.Subnets {
		v, ok := vnetOf(r, s)
		eps := r.in(s.ID).endpoints
		if !ok || len(eps) == 0 || s.EndpointPolicies == model.PoliciesEnabled || s.EndpointPolicies == model.PoliciesRouteTable {
			continue
		}
		for _, d := range r.steers {
			u := d.route
			if !u.Prefix.IsValid() || u.Prefix.IsSingleIP() || !touches(u.Prefix, s.Prefixes) { // AZ-PE-06: a route for the one address may work
				continue
			}
			if d.vnet != v && !slices.Contains(r.peers(d.vnet), v) {
				continue
			}
			var passed []*model.PrivateEndpoint
			for _, ep := range eps {
				if slices.ContainsFunc(ep.Addresses, func(a netip.Addr) bool { return u.Prefix.Contains(a) && longEnough(u.Prefix, a, v) }) {
					passed = append(passed, ep)
				}
			}
			if len(passed) == 0 {
				continue
			}
			found(fact{
				subject: r.subnet(s), origin: u.Source,
				text: fmt.Sprintf("%s sends %s of %s to %s, but privateEndpointNetworkPolicies of this subnet is %s: the endpoints' own routes win, and traffic to %s does not meet the appliance.",
					r.routeRule(d.table, u), u.Prefix, r.subnet(d.subnet), hop(u), s.EndpointPolicies, join(r.endpointNames(passed))),
				remedy: "Set privateEndpointNetworkPolicies to Enabled on the subnet.",
			})
		}
	}
}

// longEnough reports whether a route is as long as the VNet range that holds an address (AZ-PE-05).
func longEnough(p netip.Prefix, a netip.Addr, v *model.VNet) bool {
	return slices.ContainsFunc(v.Prefixes, func(rng netip.Prefix) bool { return rng.Contains(a) && p.Bits() >= rng.Bits() })
}

// endpointNotApproved: only an approved connection carries traffic (AZ-PE-01). A template has no state.
func endpointNotApproved(r *reader, found sink) {
	for _, ep := range r.e.Endpoints {
		if ep.State == "" || strings.EqualFold(ep.State, "Approved") {
			continue
		}
		found(fact{
			subject: r.endpoint(ep), origin: ep.Source,
			text:   fmt.Sprintf("The connection to %s is %s, so the endpoint carries no traffic; names that resolve to it do not work.", targetName(ep), ep.State),
			remedy: "Approve the connection at the service, or remove the endpoint.",
		})
	}
}

func targetName(ep *model.PrivateEndpoint) string {
	if ep.Target == "" {
		return "its service"
	}
	return ep.Target.Name()
}

// endpointPortMismatch: a rule that names nothing but the addresses of private endpoints, and none of the ports at which their services
// listen (the table behind AZ-PAAS-08), opens nothing.
func endpointPortMismatch(r *reader, found sink) {
	at := map[netip.Addr]*model.PrivateEndpoint{}
	for _, ep := range r.e.Endpoints {
		for _, a := range ep.Addresses {
			at[a] = ep
		}
	}
	for _, g := range r.e.NSGs {
		for _, u := range g.Rules {
			d := u.DestAddrs
			if u.Default || u.Access != model.Allow || u.Protocol != model.TCP && u.Protocol != model.AnyProtocol || len(d.Prefixes) == 0 || d.Any || len(d.Tags)+len(d.ASGs) > 0 {
				continue
			}
			var names, want []string
			matched := false
			for _, p := range d.Prefixes {
				ep := at[p.Addr()]
				if !p.IsSingleIP() || ep == nil {
					matched = true // another address: the rule may be for it
					break
				}
				ports := r.portsBehind(ep)
				if len(ports) == 0 || slices.ContainsFunc(ports, func(x model.PortRange) bool { return len(common(u.DestPorts, x)) > 0 }) {
					matched = true
					break
				}
				if name := r.endpoint(ep); !slices.Contains(names, name) {
					names = append(names, name)
				}
				for _, x := range ports {
					if text := "tcp/" + x.String(); !slices.Contains(want, text) {
						want = append(want, text)
					}
				}
			}
			if matched {
				continue
			}
			found(fact{
				subject: r.nsgRule(g, u), origin: ruleOrigin(g, u),
				text: fmt.Sprintf("The rule allows %s to %s alone (%s), whose service listens on %s: it opens nothing, and what it was written for is left to the rules behind it.",
					service(u.Protocol, u.DestPorts), join(model.PrefixTexts(d.Prefixes)), join(names), join(want)),
				remedy: "Correct the port, or remove the rule.",
			})
		}
	}
}

// portsBehind returns the ports at which connections to an endpoint's service start; none where the service is not known.
func (r *reader) portsBehind(ep *model.PrivateEndpoint) []model.PortRange {
	one := func(list ...uint16) []model.PortRange {
		var out []model.PortRange
		for _, p := range list {
			out = append(out, model.PortRange{First: p, Last: p})
		}
		return out
	}
	if _, ok := model.Get[*model.Cluster](r.e, ep.Target); ok {
		return one(443) // AKS-API-03
	}
	s, ok := model.Get[*model.Service](r.e, ep.Target)
	if !ok {
		return nil
	}
	switch s.Kind {
	case model.KeyVault, model.ContainerRegistry, model.LogAnalytics, model.MonitorScope:
		return one(443)
	case model.SQLServer:
		return one(1433) // AZ-SQL-04: a redirect starts here too
	case model.StorageAccount:
		return one(443, 80, 445, 22, 111, 2049) // AZ-ST-05
	case model.CosmosDB:
		return append(one(443), model.PortRange{First: 10000, Last: 20000})
	case model.PostgreSQL:
		return one(5432, 6432) // AZ-PG-01
	case model.MySQL:
		return one(3306)
	case model.Redis:
		return append(one(6379, 6380), model.PortRange{First: 10000, Last: 15999})
	case model.ServiceBus, model.EventHub:
		return append(one(80, 443, 5671, 5672, 9093), model.PortRange{First: 9350, Last: 9354})
	case model.OtherService:
	}
	return nil
}

// endpointZoneNotLinked: names resolve to a private endpoint only where the private zone is linked to the VNet that answers
// (AZ-DNS-01, AZ-DNS-02). Decided for the endpoint's own VNet, where the input shows the zone's links and who answers.
func endpointZoneNotLinked(r *reader, found sink) {
	for _, ep := range r.e.Endpoints {
		s, v := r.e.SubnetOf(ep.Subnet)
		if s == nil || !known(v) || ep.State != "" && !strings.EqualFold(ep.State, "Approved") {
			continue
		}
		answers, ok := r.answering(v)
		if !ok {
			continue
		}
		zones := ep.Zones
		cluster, isCluster := model.Get[*model.Cluster](r.e, ep.Target)
		if isCluster && len(zones) == 0 {
			zones = []model.ID{model.ID(cluster.PrivateDNSZone)} // AKS-API-04: `system` and `none` are no zone of the input
		}
		for _, id := range zones {
			z, ok := model.Get[*model.DNSZone](r.e, id)
			// A zone without any link was most likely exported without them.
			if !ok || len(z.Links) == 0 || slices.ContainsFunc(z.Links, func(l model.ZoneLink) bool { return l.VNet.Key() == answers.ID.Key() }) {
				continue
			}
			where := r.vnet(answers)
			if answers != v {
				where += ", whose DNS answers for " + r.vnet(v)
			}
			effect := "resolves to its public address, and the endpoint is not used"
			if isCluster {
				effect = "does not resolve, so that neither nodes nor kubectl find the API server"
				if cluster.PublicFQDN != model.Off {
					effect = "resolves by its public name alone"
				}
			}
			found(fact{
				subject: r.endpoint(ep), origin: ep.Source,
				text: fmt.Sprintf("The private zone %s is not linked to %s: from %s the name of %s %s.",
					z.Zone, where, r.vnet(v), targetName(ep), effect),
				remedy: "Link the zone to the VNet whose DNS answers.",
			})
		}
	}
}

// answering returns the VNet whose private zones decide over names in another (AZ-DNS-01): itself with Azure's DNS, that of the firewall
// where all its servers are a firewall's DNS proxy. ok is false for other servers.
func (r *reader) answering(v *model.VNet) (home *model.VNet, ok bool) {
	if len(v.DNSServers) == 0 {
		return v, true
	}
	for _, server := range v.DNSServers {
		i := slices.IndexFunc(r.e.Firewalls, func(f *model.Firewall) bool { return f.Address == server })
		if i < 0 {
			return nil, false
		}
		f := r.e.Firewalls[i]
		proxy, servers := r.firewallDNS(f)
		there, known := model.Get[*model.VNet](r.e, f.Subnet.Parent())
		if proxy != model.On || len(servers) > 0 || !known || len(there.DNSServers) > 0 || home != nil && home != there {
			return nil, false
		}
		home = there
	}
	return home, true
}

// privateAddressInPublicZone: a public zone that holds a private address tells everybody about the inside (AZ-DNS-06).
func privateAddressInPublicZone(r *reader, found sink) {
	for _, z := range r.e.DNSZones {
		if z.Private {
			continue
		}
		for _, rec := range z.Records {
			var private []string
			for _, a := range rec.Addresses {
				if a.IsPrivate() {
					private = append(private, a.String())
				}
			}
			if len(private) == 0 {
				continue
			}
			found(fact{
				subject: r.rule("zone", z.ID, rec.Name), origin: rec.Source,
				text:   fmt.Sprintf("The public zone %s names the private %s %s: everybody can look it up.", z.Zone, plural(len(private), "address", "addresses"), join(private)),
				remedy: "Move the record to a private zone.",
			})
		}
	}
}

// endpointNSGTooLarge: at private endpoints a rule may stand for 250 000 combinations of source, destination and port at most; the rules of a
// larger one may fail (AZ-PE-07).
func endpointNSGTooLarge(r *reader, found sink) {
	const most = 250_000
	values := func(m model.AddressMatch) int { return max(1, len(m.Prefixes)+len(m.Tags)+len(m.ASGs)) }
	seen := map[string]bool{}
	for _, e := range r.e.Endpoints {
		s, ok := model.Get[*model.Subnet](r.e, e.Subnet)
		if !ok || s.EndpointPolicies == model.PoliciesDisabled || s.EndpointPolicies == model.PoliciesRouteTable || seen[s.NSG.Key()] {
			continue
		}
		g, ok := model.Get[*model.NSG](r.e, s.NSG)
		if !ok {
			continue
		}
		seen[g.ID.Key()] = true
		for _, u := range g.Rules {
			if n := values(u.SourceAddrs) * values(u.DestAddrs) * max(1, len(u.DestPorts)); n > most {
				found(fact{
					subject: r.nsgRule(g, u), origin: ruleOrigin(g, u),
					text:   fmt.Sprintf("The rule stands for %d combinations of source, destination and port; at private endpoints, as in %s, a rule may have %d, and the rules of a larger one may fail.", n, r.subnet(s), most),
					remedy: "Split the rule, or name fewer and wider ranges.",
				})
			}
		}
	}
}
