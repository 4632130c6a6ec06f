package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
)

// lets reports whether an NSG may let some packet of a probe pass at a subnet, in some reading of what is not known (AZ-GEN-01). The probe is a
// rule that matches the packets which are asked for.
func (r *reader) lets(g *model.NSG, subnet model.ID, probe model.SecurityRule) bool {
	if r.foggy(g.ID) || r.foggy(subnet) || samePriority(g, probe.Direction) {
		return true
	}
	if r.book == nil {
		r.book = dataplane.NewRulebook(r.e, r.p.Tags)
	}
	probe.Name, probe.Access, probe.SourcePorts = "probe", model.Allow, []model.PortRange{model.AllPorts} // its priority is 0: before every rule
	asked := *g
	asked.Rules = append([]model.SecurityRule{probe}, g.Rules...)
	space, err := r.book.Compile(dataplane.RuleList{NSG: &asked, Direction: probe.Direction, Subnets: []model.ID{subnet}})
	if err != nil {
		return true
	}
	t := &space.Lists[0]
	for _, reading := range t.Readings {
		left := space.Intersect(t.Packets, reading[0].May)
		if !space.Disjoint(left, t.Admin.Accepts) {
			return true
		}
		for i, m := range reading[1:] {
			if t.Rules[i+1].Access == model.Allow && !space.Disjoint(left, m.May) {
				return true
			}
			left = space.Subtract(left, m.Must)
		}
	}
	return false
}

// clusterNet is the addresses of a cluster's nodes and pods. whole is false where a subnet is not in the input.
func (r *reader) clusterNet(c *model.Cluster) (all []netip.Prefix, whole bool) {
	whole = len(c.Pools) > 0
	all = slices.Clone(c.PodCIDRs)
	for _, p := range c.Pools {
		for _, id := range []model.ID{p.Subnet, p.PodSubnet} {
			s, ok := model.Get[*model.Subnet](r.e, id)
			if whole = whole && (ok || id == ""); ok {
				all = append(all, s.Prefixes...)
			}
		}
		whole = whole && p.Subnet != ""
	}
	return all, whole
}

// nodeTrafficDenied: AKS does not support NSGs that block traffic among its nodes (AKS-NET-11). Asked for is what every cluster needs: the kubelet,
// by which logs, exec and metrics come, and the cluster's DNS at system nodes.
func nodeTrafficDenied(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		all, whole := r.clusterNet(c)
		if !whole {
			return
		}
		done := map[string]bool{}
		for i := range c.Pools {
			p := &c.Pools[i]
			s, ok := model.Get[*model.Subnet](r.e, p.Subnet)
			if !ok || done[s.ID.Key()] {
				continue
			}
			done[s.ID.Key()] = true
			g, ok := model.Get[*model.NSG](r.e, s.NSG)
			if !ok {
				continue
			}
			system := slices.ContainsFunc(c.Pools, func(x model.NodePool) bool {
				return x.Subnet.Key() == s.ID.Key() && !strings.EqualFold(x.Mode, "User")
			})
			here := slices.Concat(s.Prefixes, c.PodCIDRs)
			var lost []string
			ask := func(d model.Direction, what string, protocol model.Protocol, port uint16) {
				from, to := all, here
				if d == model.Outbound {
					from, to = here, all
				}
				if !r.lets(g, s.ID, model.SecurityRule{
					Direction: d, Protocol: protocol, SourceAddrs: model.AddressMatch{Prefixes: from}, DestAddrs: model.AddressMatch{Prefixes: to},
					DestPorts: []model.PortRange{{First: port, Last: port}},
				}) {
					lost = append(lost, what)
				}
			}
			ask(model.Inbound, "tcp/10250 (kubelet) from the cluster to these nodes", model.TCP, 10250)
			ask(model.Outbound, "udp/53 (DNS) from these nodes to the cluster", model.UDP, 53)
			if system {
				ask(model.Inbound, "udp/53 (DNS) from the cluster to these nodes", model.UDP, 53)
				ask(model.Outbound, "tcp/10250 (kubelet) from these nodes to the cluster", model.TCP, 10250)
			}
			if len(lost) == 0 {
				continue
			}
			found(fact{
				subject: r.subnet(s), origin: g.Source,
				text:   fmt.Sprintf("nsg:%s denies %s of %s: AKS does not support filters among its nodes, and the cluster fails.", g.Name(), join(lost), r.cluster(c)),
				remedy: "Allow the subnets of the cluster's nodes, and its pods, in both directions before the rule that denies; separate workloads by NetworkPolicies.",
			})
		}
	})
}

// need is a service that a cluster must reach, by one of some names.
type need struct {
	what  string
	names []string // a leading `*.` stands for some label
}

// needs lists what nodes of a pool must reach by HTTPS (AKS-OUT-03), its add-ons included (AKS-OUT-04); nothing where it pulls from a registry of its own
// and is cut off from the internet (AKS-OUT-06).
func (r *reader) needs(c *model.Cluster, p *model.NodePool) []need {
	if strings.EqualFold(c.ArtifactSource, "Cache") && (strings.EqualFold(c.OutboundType, "none") || strings.EqualFold(c.OutboundType, "block")) {
		return nil
	}
	out := []need{
		{"images", []string{"mcr.microsoft.com"}},
		{"image layers", []string{"*.data.mcr.microsoft.com"}},
		{"the management API", []string{"management.azure.com"}},
		{"sign-in", []string{"login.microsoftonline.com"}},
		{"packages", []string{"packages.microsoft.com"}},
		{"node binaries", []string{"packages.aks.azure.com", "acs-mirror.azureedge.net"}},
	}
	if c.Private == model.Off || c.Private == model.NotStated && c.FQDN != "" && c.PrivateFQDN == "" && c.VNetAPI != model.On {
		out = append(out, need{"the API server", []string{"*.azmk8s.io"}})
	}
	has := func(kind model.ServiceKind) bool {
		return slices.ContainsFunc(r.e.Endpoints, func(ep *model.PrivateEndpoint) bool {
			s, ok := model.Get[*model.Service](r.e, ep.Target)
			return ok && s.Kind == kind
		})
	}
	if c.AddOns["azurepolicy"] && !strings.EqualFold(p.Mode, "User") { // its pods are on system nodes
		out = append(out, need{"Azure Policy", []string{"data.policy.core.windows.net"}}, need{"Azure Policy", []string{"store.policy.core.windows.net"}})
	}
	if c.AddOns["omsagent"] && !has(model.MonitorScope) {
		out = append(out, need{"Azure Monitor", []string{"*.ods.opinsights.azure.com"}}, need{"Azure Monitor", []string{"*.oms.opinsights.azure.com"}})
	}
	if c.AddOns["azurekeyvaultsecretsprovider"] && !has(model.KeyVault) {
		out = append(out, need{"Key Vault", []string{"*.vault.azure.net"}})
	}
	return out
}

// namesMeet reports whether a pattern of a rule and a name that is needed have a name in common (AZ-FW-32).
func namesMeet(pattern, name string) bool {
	p, wide := strings.CutPrefix(strings.ToLower(pattern), "*")
	n, open := strings.CutPrefix(name, "*")
	switch {
	case wide && open:
		return strings.HasSuffix(p, n) || strings.HasSuffix(n, p)
	case wide:
		return strings.HasSuffix(n, p)
	case open:
		return strings.HasSuffix(p, n)
	default:
		return p == n
	}
}

// rulesOf walks the rules of a firewall, those of its policies included. ok is false where the input does not hold all of them.
func (r *reader) rulesOf(f *model.Firewall, each func(model.RuleCollection, model.FirewallRule)) (ok bool) {
	policies, whole := r.chain(f)
	ok = whole && !r.foggy(f.ID)
	walk := func(list []model.RuleCollection) {
		for _, c := range list {
			for _, u := range c.Rules {
				ok = ok && u.Unknown == ""
				each(c, u)
			}
		}
	}
	walk(f.Collections)
	for _, p := range policies {
		ok = ok && !r.foggy(p.ID)
		for _, id := range p.Groups {
			g, known := model.Get[*model.RuleCollectionGroup](r.e, id)
			if !known {
				return false
			}
			ok = ok && !r.foggy(g.ID)
			walk(g.Collections)
		}
	}
	return ok
}

// refuses reports whether no rule of a firewall can let a sender out to a name by HTTPS. Denies are left aside.
func (r *reader) refuses(f *model.Firewall, from []netip.Prefix, name string) bool {
	open := false
	ok := r.rulesOf(f, func(c model.RuleCollection, u model.FirewallRule) {
		if c.Access != model.Allow || open {
			return
		}
		src := r.resolved(u.Sources)
		known := !slices.ContainsFunc(u.Sources.IPGroups, func(id model.ID) bool { _, ok := model.Get[*model.IPGroup](r.e, id); return !ok })
		if known && !src.Any && !slices.ContainsFunc(from, func(p netip.Prefix) bool { return touches(p, src.Prefixes) }) {
			return
		}
		switch c.Kind {
		case model.ApplicationRules:
			https := slices.ContainsFunc(u.Apps, func(a model.AppProtocol) bool { return strings.EqualFold(a.Type, "Https") && a.Port == 443 })
			aks := slices.ContainsFunc(u.FQDNTags, func(t string) bool { return !strings.EqualFold(t, "AzureKubernetesService") }) ||
				len(u.FQDNTags) > 0 && !strings.Contains(name, ".policy.core.") && !strings.Contains(name, "opinsights") && !strings.Contains(name, ".vault.") // AZ-FW-34: the basics
			open = https && (aks || len(u.WebCategories)+len(u.URLs) > 0 || slices.ContainsFunc(u.FQDNs, func(p string) bool { return namesMeet(p, name) }))
		case model.NetworkRules:
			tcp := slices.ContainsFunc(u.Protocols, func(p model.Protocol) bool { return carries(p, model.TCP) })
			port := slices.ContainsFunc(u.Ports, func(p model.PortRange) bool { return p.First <= 443 && 443 <= p.Last })
			dst := r.resolved(u.Dests)
			far := dst.Any || len(dst.Tags) > 0 || slices.ContainsFunc(dst.Prefixes, func(p netip.Prefix) bool { return !private(p) }) ||
				slices.ContainsFunc(dst.FQDNs, func(p string) bool { return namesMeet(p, name) }) ||
				slices.ContainsFunc(u.Dests.IPGroups, func(id model.ID) bool { _, ok := model.Get[*model.IPGroup](r.e, id); return !ok })
			open = tcp && port && far
		case model.DNATRules:
		}
	})
	return ok && !open
}

// publicSpace is the IPv4 addresses of the internet: private and special ones aside.
func publicSpace() []netip.Prefix {
	var b netipx.IPSetBuilder
	b.AddPrefix(allV4())
	for _, s := range []string{"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"} {
		b.RemovePrefix(netip.MustParsePrefix(s))
	}
	set, err := b.IPSet()
	if err != nil {
		return nil // INVARIANT: valid prefixes make a set
	}
	return set.Prefixes()
}

// clusterEgressMissing: nodes that cannot reach what AKS needs do not start, or do not stay (AKS-OUT-03 to AKS-OUT-06). Judged for pools whose default
// route leads to a firewall of the input, by its Allow rules, and for the NSGs of their subnets, which know no names: they must leave tcp/443
// open, and the firewall narrows it (AKS-OUT-05).
func clusterEgressMissing(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		for i := range c.Pools {
			p := &c.Pools[i]
			needs := r.needs(c, p)
			s, ok := model.Get[*model.Subnet](r.e, p.Subnet)
			if !ok || len(needs) == 0 || c.HasProxy {
				continue
			}
			if g, known := model.Get[*model.NSG](r.e, s.NSG); known && !r.lets(g, s.ID, model.SecurityRule{
				Direction: model.Outbound, Protocol: model.TCP, SourceAddrs: model.AddressMatch{Prefixes: s.Prefixes},
				DestAddrs: model.AddressMatch{Prefixes: publicSpace()}, DestPorts: []model.PortRange{{First: 443, Last: 443}},
			}) {
				found(fact{
					subject: r.refs.Pool(c, p.Name), origin: p.Source,
					text:   fmt.Sprintf("nsg:%s denies tcp/443 from %s to the internet, where nodes fetch images and packages and sign in: they do not start.", g.Name(), r.subnet(s)),
					remedy: "Allow tcp/443 outbound to the service tags that AKS needs, and let the firewall narrow it to names; or make the cluster network isolated (artifactSource Cache).",
				})
			}
			u, ok := r.defaultRoute(s, allV4())
			if !ok || u == nil {
				continue
			}
			f := r.reached(u)
			if f == nil {
				continue
			}
			var lost []string
			for _, n := range needs {
				if slices.ContainsFunc(n.names, func(name string) bool { return !r.refuses(f, s.Prefixes, name) }) {
					continue
				}
				lost = append(lost, fmt.Sprintf("%s (%s)", n.names[0], n.what))
			}
			if len(lost) == 0 {
				continue
			}
			found(fact{
				subject: r.refs.Pool(c, p.Name), origin: p.Source,
				text:   fmt.Sprintf("The nodes go out by %s, of which no rule allows them %s: AKS needs it.", r.refs.Of(model.SelFirewall, f), join(lost)),
				remedy: "Allow the FQDN tag AzureKubernetesService with https:443, and the names of add-ons, from the subnets of the nodes.",
			})
		}
	})
}

// dnsWithoutTCP: large DNS answers come by TCP, so that a policy which opens udp/53 alone breaks some names (AKS-POL-07). Silent where another
// policy of the namespace opens tcp/53.
func dnsWithoutTCP(r *reader, found sink) {
	opens := func(n *model.NetworkPolicy, protocol model.Protocol) bool {
		return slices.ContainsFunc(n.Egress, func(rule model.PolicyRule) bool {
			return len(rule.Ports) == 0 || slices.ContainsFunc(rule.Ports, func(p model.PolicyPort) bool {
				return p.Protocol == protocol && (p.All || p.Named != "" || p.Ports.First <= 53 && 53 <= p.Ports.Last)
			})
		})
	}
	for _, n := range r.e.NetPolicies {
		udp := slices.ContainsFunc(n.Egress, func(rule model.PolicyRule) bool {
			return slices.ContainsFunc(rule.Ports, func(p model.PolicyPort) bool {
				return p.Protocol == model.UDP && p.Ports == model.PortRange{First: 53, Last: 53}
			})
		})
		beside := func(o *model.NetworkPolicy) bool {
			return o.Cluster.Key() == n.Cluster.Key() && o.Namespace == n.Namespace && o.Isolates[model.Outbound] && opens(o, model.TCP)
		}
		if !n.Isolates[model.Outbound] || !udp || slices.ContainsFunc(r.e.NetPolicies, beside) {
			continue
		}
		found(fact{
			subject: netPolicy(n), origin: n.Source,
			text:   "The policy opens udp/53 and not tcp/53: DNS answers that do not fit into a datagram are lost.",
			remedy: "Open tcp/53 beside udp/53 to the cluster's DNS.",
		})
	}
}

// registryLayersAnywhere: without a private endpoint and without dedicated data endpoints, layers come from names of Azure Storage that any customer
// may have (AZ-ACR-02).
func registryLayersAnywhere(r *reader, found sink) {
	for _, s := range r.e.Services {
		approved := slices.ContainsFunc(s.Connections, func(c model.EndpointConnection) bool { return strings.EqualFold(c.State, "Approved") }) ||
			slices.ContainsFunc(r.e.Endpoints, func(ep *model.PrivateEndpoint) bool { return ep.Target.Key() == s.ID.Key() })
		if s.Kind != model.ContainerRegistry || s.DataEndpoint == model.On || approved || r.door(s) == doorShut || r.foggy(s.ID) {
			continue
		}
		found(fact{
			subject: r.service(s), origin: s.Source,
			text:   "The registry has neither a private endpoint nor dedicated data endpoints: image layers come from *.blob.core.windows.net, and a firewall that lets nodes pull them lets them reach every storage account.",
			remedy: "Use a private endpoint, or set dataEndpointEnabled to true and allow <registry>.<region>.data.azurecr.io.",
		})
	}
}

// gatewayWithoutPodRoutes: pods of a kubenet cluster have addresses that the routes of AKS alone lead to, so that a gateway which the ingress add-on
// points at them needs the same table (AZ-AGW-16).
func gatewayWithoutPodRoutes(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		g, ok := model.Get[*model.AppGateway](r.e, c.IngressGateway)
		if !ok || !strings.EqualFold(c.Plugin, "kubenet") || !c.AddOns["ingressapplicationgateway"] {
			return
		}
		for _, p := range c.Pools {
			nodes, ok := model.Get[*model.Subnet](r.e, p.Subnet)
			if !ok || nodes.RouteTable == "" {
				continue
			}
			for _, id := range g.Subnets {
				s, ok := model.Get[*model.Subnet](r.e, id)
				if !ok || s.RouteTable.Key() == nodes.RouteTable.Key() {
					continue
				}
				found(fact{
					subject: r.subnet(s), origin: s.Source,
					text: fmt.Sprintf("%s sends to pods of %s, whose network is kubenet: only the routes of routes:%s lead to pods, and this subnet does not have them.",
						r.refs.Of(model.SelAppGateway, g), r.cluster(c), nodes.RouteTable.Name()),
					remedy: "Associate the route table of the nodes with the gateway's subnet, or use Azure CNI.",
				})
				return
			}
		}
	})
}

// injectedEgressDenied: a PostgreSQL or MySQL server in a subnet writes its logs to Azure Storage and asks Microsoft Entra ID (AZ-PG-02).
func injectedEgressDenied(r *reader, found sink) {
	for _, x := range r.e.Services {
		s, ok := model.Get[*model.Subnet](r.e, x.Injected)
		if !ok || x.Kind != model.PostgreSQL && x.Kind != model.MySQL {
			continue
		}
		g, ok := model.Get[*model.NSG](r.e, s.NSG)
		if !ok {
			continue
		}
		var lost []string
		for _, tag := range []string{"Storage", "AzureActiveDirectory"} {
			if !r.lets(g, s.ID, model.SecurityRule{
				Direction: model.Outbound, Protocol: model.TCP, SourceAddrs: model.AddressMatch{Prefixes: s.Prefixes}, DestAddrs: model.AddressMatch{Tags: []string{tag}},
				DestPorts: []model.PortRange{{First: 443, Last: 443}},
			}) {
				lost = append(lost, tag)
			}
		}
		if len(lost) == 0 {
			continue
		}
		found(fact{
			subject: r.service(x), origin: x.Source,
			text:   fmt.Sprintf("nsg:%s denies tcp/443 from %s to %s, which the server needs: backups stop, and signing in may.", g.Name(), r.subnet(s), join(lost)),
			remedy: "Allow tcp/443 outbound to the tags Storage and AzureActiveDirectory.",
		})
	}
}

// perimeterLearning: a perimeter in mode Learning or Audit adds its rules to those of the resource, and closes nothing (AZ-NSP-03).
func perimeterLearning(r *reader, found sink) {
	for _, a := range r.e.Associations {
		s, ok := model.Get[*model.Service](r.e, a.Resource)
		if !ok || a.Mode == "Enforced" || strings.EqualFold(s.Public, "Disabled") || strings.EqualFold(s.Public, "SecuredByPerimeter") {
			continue
		}
		found(fact{
			subject: r.service(s), origin: a.Source,
			text:   fmt.Sprintf("The network security perimeter holds the service in mode %s: its rules admit more, and close nothing; the service's own rules count.", a.Mode),
			remedy: "Set accessMode of the association to Enforced, or publicNetworkAccess of the service to SecuredByPerimeter.",
		})
	}
}
