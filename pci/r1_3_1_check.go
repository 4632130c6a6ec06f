package pci

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// configFault is a setting that is not as it must be.
func configFault(class CauseClass, of, field, found, wanted string, source model.Source, remedy string) Fault {
	return Fault{
		Cause: Cause{Class: class, Of: of, Field: field}, Subject: of, Text: of, Field: field, Found: found, Wanted: wanted, Source: source.String(), Remedy: remedy,
	}
}

// noPools is the part of an item that speaks of node pools where there are none.
func (ev *Evidence) noPools(statement string) Part {
	p := ev.absent(statement, "clusters", "the input holds no node pool of a cluster with a member in an internal zone")
	if p.Verdict == ItemUnknown {
		of := "clusters"
		if judged, _ := ev.clusters(); len(judged) > 0 {
			of = string(judged[0].ID)
		}
		p.Faults = []Fault{{Cause: Cause{Class: CauseNoPools, Of: of}, Text: p.Reason, Remedy: "add the managedClusters resource with its agentPoolProfiles to the inputs"}}
	}
	return p
}

// noPublicNodes is 1.3.1-a.
func noPublicNodes(ev *Evidence) []Part {
	p := Part{Statement: "no node has a public address: pools without enableNodePublicIP and nodePublicIPPrefixID, no public address on interfaces and scale sets in their subnets"}
	pools := ev.pools()
	if len(pools) == 0 {
		return []Part{ev.noPools(p.Statement)}
	}
	for _, x := range pools {
		p.Subjects++
		ref := ev.poolRef(x)
		if x.PublicIPs == model.On {
			p.Faults = append(p.Faults, configFault(CausePublic, ref, "enableNodePublicIP", "true", "false", x.Source, "set enableNodePublicIP to false; it needs a new pool"))
		}
		if x.PublicPrefix != "" {
			p.Faults = append(p.Faults, configFault(CausePublic, ref, "nodePublicIPPrefixID", x.PublicPrefix.ShortName(), "nothing", x.Source, "remove the prefix; it needs a new pool"))
		}
	}
	subnets, missing := ev.nodeSubnets()
	for _, id := range missing {
		p.Notes = append(p.Notes, "the subnet "+id.ShortName()+" is not in the input: what else lies in it is not known")
	}
	in := func(id model.ID) bool {
		return slices.ContainsFunc(subnets, func(s *model.Subnet) bool { return s.ID.Key() == id.Key() })
	}
	for _, n := range ev.e.NICs {
		for _, c := range n.IPConfigs {
			if in(c.Subnet) && c.PublicIP != "" {
				p.Faults = append(p.Faults, configFault(CausePublic, ev.refs.Of(model.SelNIC, n), "ipConfigurations["+c.Name+"].publicIPAddress", c.PublicIP.ShortName(), "nothing", c.Source, "detach the public address"))
			}
		}
	}
	for _, v := range ev.e.ScaleSets {
		for _, f := range v.Profiles {
			for _, c := range f.IPConfigs {
				if in(c.Subnet) && (f.PublicPerVM || c.PublicIP != "") {
					of := ev.refs.Of(model.SelVM, v)
					for _, x := range pools { // the pool's own setting is the cause
						if v.Managed && strings.EqualFold(v.Pool, x.Name) {
							of = ev.poolRef(x)
						}
					}
					fault := configFault(CausePublic, of, "enableNodePublicIP", "a publicIPAddressConfiguration for each instance", "none", f.Source, "set enableNodePublicIP to false; it needs a new pool")
					if !slices.ContainsFunc(p.Faults, func(g Fault) bool { return g.Cause == fault.Cause }) {
						p.Faults = append(p.Faults, fault)
					}
				}
			}
		}
	}
	for _, s := range subnets {
		p.Facts = append(p.Facts, ev.refs.Of(model.SelSubnet, s)+": defaultOutboundAccess "+s.DefaultOutbound.String())
	}
	return []Part{p.judged()}
}

// noPublicBalancer is 1.3.1-b.
func noPublicBalancer(ev *Evidence) []Part {
	p := Part{Statement: "no load balancer, ingress add-on or mesh gateway of a cluster is public"}
	judged, _ := ev.clusters()
	fronts := ev.frontends()
	if len(judged) == 0 {
		return []Part{ev.absent(p.Statement, "clusters", "the input holds no cluster with a member in an internal zone")}
	}
	shown := len(fronts) > 0 || slices.ContainsFunc(ev.e.KubeServices, func(s *model.KubeService) bool {
		_, ok := ev.judgedCluster(s.Cluster)
		return ok
	})
	for _, f := range fronts {
		p.Subjects++
		switch {
		case f.public && f.service != nil:
			p.Faults = append(p.Faults, configFault(CausePublic, f.name, "metadata.annotations[azure-load-balancer-internal]", f.service.Annotation("azure-load-balancer-internal"), `"true"`, f.service.Source,
				`add service.beta.kubernetes.io/azure-load-balancer-internal: "true"`))
		case f.public:
			p.Faults = append(p.Faults, configFault(CausePublic, f.name, "publicIPAddress", cmp.Or(f.front.PublicIP, f.front.Prefix).ShortName(), "a private frontend", f.front.Source, "make the load balancer internal, or remove its rules"))
		default:
			p.Facts = append(p.Facts, f.name+" is internal")
		}
	}
	for _, c := range judged {
		if c.WebAppRouting == model.On && !slices.Contains([]string{"Internal", "None"}, c.WebAppController) {
			p.Faults = append(p.Faults, configFault(CausePublic, ev.refs.Of(model.SelCluster, c), "ingressProfile.webAppRouting.nginx.defaultIngressControllerType", c.WebAppController, "Internal or None", c.Source, "set defaultIngressControllerType to Internal (AKS-ING-01)"))
		}
		for _, g := range c.MeshGateways {
			if g.Enabled != model.Off && !strings.EqualFold(g.Mode, "Internal") {
				p.Faults = append(p.Faults, configFault(CausePublic, ev.refs.Of(model.SelCluster, c), "serviceMeshProfile.istio.components.ingressGateways[].mode", g.Mode, "Internal", c.Source, "use the internal ingress gateway of the mesh"))
			}
		}
	}
	if !shown && len(p.Faults) == 0 {
		u := unknownPart(p.Statement, "the input holds neither Services of the cluster nor the load balancers of its node resource group")
		u.Faults = []Fault{{Cause: Cause{Class: CauseNoPods, Of: string(judged[0].ID)}, Text: u.Reason, Remedy: "add the cluster's manifests, or export its node resource group"}}
		return []Part{u}
	}
	parts := []Part{p.judged()}
	return append(parts, ev.denyPolicy("public load balancers of clusters", "3fc4dc25-5baf-40d8-9b05-7fe74c1bc64e", judged)...)
}

// balancedOnlyFromRouters is 1.3.1-c.
func balancedOnlyFromRouters(ev *Evidence) []Part {
	const statement = "internal load balancers are reached from routers whose WAF blocks alone"
	fronts := ev.internalFrontends()
	if len(fronts) == 0 {
		return []Part{ev.noBalancer(statement, "the input holds no internal frontend of a cluster")}
	}
	var targets []model.Selector
	for _, f := range fronts {
		if f.service != nil {
			targets = append(targets, ev.sel(model.SelLB, f.service))
		} else if s := ev.sel(model.SelLB, f.lb); !slices.ContainsFunc(targets, func(t model.Selector) bool { return t.Text == s.Text }) {
			targets = append(targets, s)
		}
	}
	routers := ev.blockingRouters()
	from := anyBut(ev.ownCluster(), selectors("ip:168.63.129.16"), routers, ev.routerSubnets(routers))
	p := ev.denyDirect(from, targets).said(len(targets), "nothing but routers whose WAF blocks (%s), own nodes and pods reaches %s", texts(routers), texts(targets))
	parts := []Part{p.remedied("at the NSGs of the nodes' subnets: allow the gateway's subnet, deny the rest")}
	if ports := ev.nodePorts(); len(ports) > 0 {
		if nodes := ev.nodeTargets(); len(nodes) > 0 {
			q := ev.denyDirect(from, nodes, ports...).said(len(ports), "nothing else reaches the node ports behind them: %s", portTextsOf(ports))
			parts = append(parts, q.remedied("at the NSGs of the nodes' subnets: allow the gateway's subnet, deny the rest"))
		}
	}
	return parts
}

// nodePorts are the node ports of LoadBalancer and NodePort Services of the judged clusters; the whole range where one is not stated.
func (ev *Evidence) nodePorts() []model.PortService {
	var out []model.PortService
	for _, s := range ev.e.KubeServices {
		if _, ok := ev.judgedCluster(s.Cluster); !ok || s.Type != "LoadBalancer" && s.Type != "NodePort" || s.NoNodePorts {
			continue
		}
		for _, x := range s.Ports {
			ports := model.PortRange{First: 30000, Last: 32767}
			if x.NodePort != 0 {
				ports = model.PortRange{First: x.NodePort, Last: x.NodePort}
			}
			v := model.PortService{Protocol: x.Protocol, Ports: ports}
			if !slices.ContainsFunc(out, func(o model.PortService) bool { return o.String() == v.String() }) {
				out = append(out, v)
			}
		}
	}
	slices.SortFunc(out, func(a, b model.PortService) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// routerSubnets are the subnets that routers stand in.
func (ev *Evidence) routerSubnets(routers []model.Selector) []model.Selector {
	var out []model.Selector
	add := func(id model.ID) {
		if s, ok := model.Get[*model.Subnet](ev.e, id); ok {
			out = append(out, ev.sel(model.SelSubnet, s))
		}
	}
	is := func(r model.Resource) bool {
		return slices.ContainsFunc(routers, func(s model.Selector) bool { return s.Whole && model.ID(s.Parts[0]).Key() == r.ResourceID().Key() })
	}
	for _, g := range ev.e.AppGateways {
		if is(g) {
			for _, id := range g.Subnets {
				add(id)
			}
		}
	}
	for _, a := range ev.e.APIMs {
		if is(a) {
			for _, x := range a.Sites {
				add(x.Subnet)
			}
		}
	}
	return out
}

// rulesNameEverything is 1.3.1-d.
func rulesNameEverything(ev *Evidence) []Part {
	p := Part{Statement: "every custom allow rule of NSGs and firewalls, and every NetworkPolicy rule in scope, gives source, destination, port and protocol"}
	wild := func(of, field, found string, source model.Source) {
		p.Faults = append(p.Faults, configFault(CauseAllow, of, field, found, "what is meant", source, "name the "+field+" that is meant"))
	}
	var b netipx.IPSetBuilder
	ev.ownAddresses(&b)
	own, err := b.IPSet()
	if err != nil {
		return []Part{unknownPart(p.Statement, err.Error())}
	}
	cluster := 0
	var unknown []Fault
	for _, g := range ev.e.NSGs {
		subnets := ev.subnetsOf(g)
		for _, r := range g.Rules {
			if r.Default || r.Access == model.Deny {
				continue
			}
			p.Subjects++
			of := "nsg:" + g.Name() + "/" + r.Name
			if r.UnknownMatch != "" {
				p.Verdict, p.Reason = ItemUnknown, of+" was not understood: "+r.UnknownMatch
			}
			for _, id := range slices.Concat(r.SourceAddrs.ASGs, r.DestAddrs.ASGs) {
				if _, ok := ev.e.Lookup(id); !ok {
					unknown = append(unknown, ev.unknownRef(of, id, r.Source))
				}
			}
			platform := g.Managed || len(subnets) > 0 && ev.requiredByPlatform(subnets, r)
			if allPorts(r.DestPorts) && r.Protocol.HasPorts() && within(r.SourceAddrs, own) && within(r.DestAddrs, own) {
				cluster++ // AKS-NET-11: nodes and pods of one cluster need every port between them
				continue
			}
			one := len(subnets) == 1
			if wideMatch(r.SourceAddrs) && !platform && (r.Direction == model.Inbound || !one) && !ev.dmzListener(subnets, r) {
				wild(of, "source", matchText(r.SourceAddrs), r.Source)
			}
			if everywhere(r.DestAddrs) && !platform && (r.Direction == model.Outbound || !one) {
				wild(of, "destination", matchText(r.DestAddrs), r.Source)
			}
			if allPorts(r.DestPorts) && r.Protocol.HasPorts() && !platform {
				wild(of, "port", "*", r.Source)
			}
			if r.Protocol == model.AnyProtocol && !platform {
				wild(of, "protocol", "*", r.Source)
			}
		}
	}
	seen := map[string]bool{}
	for _, f := range ev.e.Firewalls {
		rules, lacks := ev.rulesInForce(f)
		unknown = append(unknown, lacks...)
		for _, r := range rules {
			if r.access == model.Deny || seen[r.name+r.Source.String()] {
				continue // denied, or of a policy that several firewalls have
			}
			seen[r.name+r.Source.String()] = true
			p.Subjects++
			if wideMatch(r.Sources) {
				wild(r.name, "source", matchText(r.Sources), r.Source)
			}
			switch r.kind {
			case model.ApplicationRules:
				if slices.Contains(r.FQDNs, "*") {
					wild(r.name, "destination", "*", r.Source)
				}
			default:
				if everywhere(r.Dests) {
					wild(r.name, "destination", matchText(r.Dests), r.Source)
				}
				if allPorts(r.Ports) && slices.ContainsFunc(r.Protocols, model.Protocol.HasPorts) {
					wild(r.name, "port", "*", r.Source)
				}
				if slices.Contains(r.Protocols, model.AnyProtocol) {
					wild(r.name, "protocol", "Any", r.Source)
				}
			}
		}
	}
	scope := map[string]bool{}
	for _, w := range ev.workloadsIn(scopeKinds()...) {
		scope[w.Cluster.Key()+"/"+w.Namespace] = true
	}
	for _, n := range ev.e.NetPolicies {
		if !scope[n.Cluster.Key()+"/"+n.Namespace] {
			continue
		}
		for d, rules := range [][]model.PolicyRule{n.Ingress, n.Egress} {
			for i, r := range rules {
				p.Subjects++
				of := fmt.Sprintf("policy:%s/%s/%s/%s[%d]", n.Cluster.Name(), n.Namespace, n.Name(), [...]string{"ingress", "egress"}[d], i)
				if len(r.Peers) == 0 {
					wild(of, "peer", "nothing, which is every peer", r.Source)
				}
				if len(r.Ports) == 0 {
					wild(of, "port", "nothing, which is every port", r.Source)
				}
			}
		}
	}
	unknown = append(unknown, ev.missingNSGs()...)
	if p.Subjects+len(unknown) == 0 {
		return []Part{unknownPart(p.Statement, "the input holds no custom allow rule")}
	}
	if cluster > 0 {
		p.Notes = append(p.Notes, count(cluster, "rule")+" between nodes and pods of the clusters name every port, which AKS requires (AKS-NET-11)")
	}
	return []Part{p.besides(unknown)}
}

// subnetsOf are the subnets that an NSG hangs on.
func (ev *Evidence) subnetsOf(g *model.NSG) []*model.Subnet {
	var out []*model.Subnet
	for _, s := range ev.e.Subnets {
		if s.NSG.Key() == g.ID.Key() {
			out = append(out, s)
		}
	}
	return out
}

// within reports whether a side of a rule lies inside a set of addresses.
func within(m model.AddressMatch, set *netipx.IPSet) bool {
	return !m.Any && len(m.Tags)+len(m.ASGs)+len(m.IPGroups)+len(m.FQDNs) == 0 && len(m.Prefixes) > 0 && !slices.ContainsFunc(m.Prefixes, func(p netip.Prefix) bool { return !set.ContainsPrefix(p) })
}

// wideMatch reports whether a source is everybody, or everybody on the internet.
func wideMatch(m model.AddressMatch) bool {
	return everywhere(m) || slices.ContainsFunc(m.Tags, func(t string) bool { return strings.EqualFold(t, "Internet") })
}

// everywhere reports whether a side of a rule is every address.
func everywhere(m model.AddressMatch) bool {
	return m.Any || slices.ContainsFunc(m.Prefixes, func(x netip.Prefix) bool { return x.Bits() == 0 })
}

func allPorts(list []model.PortRange) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(r model.PortRange) bool { return r.First <= 1 && r.Last == 65535 })
}

func matchText(m model.AddressMatch) string {
	if m.Any {
		return "*"
	}
	return strings.Join(slices.Concat(model.PrefixTexts(m.Prefixes), m.Tags), ", ")
}

// requiredByPlatform reports whether a rule is one that Bastion or an application gateway demands of the NSG on its subnet (AZ-BAS-02,
// AZ-AGW-12): their documents name tags and ports, and leave the other side open.
func (ev *Evidence) requiredByPlatform(subnets []*model.Subnet, r model.SecurityRule) bool {
	tags := slices.Concat(r.SourceAddrs.Tags, r.DestAddrs.Tags)
	platform := slices.ContainsFunc(tags, func(t string) bool {
		return strings.EqualFold(t, "GatewayManager") || strings.EqualFold(t, "AzureLoadBalancer")
	})
	if platform {
		return true
	}
	return !slices.ContainsFunc(subnets, func(s *model.Subnet) bool { return !strings.EqualFold(s.Name(), "AzureBastionSubnet") })
}

// dmzListener reports whether a rule lets the internet in at a port on which a gateway of a DMZ listens.
func (ev *Evidence) dmzListener(subnets []*model.Subnet, r model.SecurityRule) bool {
	if r.Direction != model.Inbound || len(subnets) == 0 {
		return false
	}
	for _, s := range subnets {
		if z, ok := ev.subnetZone(s); !ok || z.Kind != model.ZoneDMZ {
			return false
		}
		ports := map[uint16]bool{}
		for _, g := range ev.e.AppGateways {
			if !slices.ContainsFunc(g.Subnets, func(id model.ID) bool { return id.Key() == s.ID.Key() }) {
				continue
			}
			for _, l := range g.Listeners {
				for _, q := range g.Ports {
					if q.ID.Key() == l.Port.Key() {
						ports[q.Port] = true
					}
				}
			}
		}
		for _, a := range ev.e.APIMs {
			if slices.ContainsFunc(a.Sites, func(x model.APIMSite) bool { return x.Subnet.Key() == s.ID.Key() }) {
				ports[443] = true
			}
		}
		for _, q := range r.DestPorts {
			if q.First != q.Last || !ports[q.First] {
				return false
			}
		}
		if len(r.DestPorts) == 0 {
			return false
		}
	}
	return true
}

// apiNotExposed is 1.3.1-e.
func apiNotExposed(ev *Evidence) []Part {
	judged, _ := ev.clusters()
	if len(judged) == 0 {
		return []Part{ev.absent("the API server is not reached from the internet", "clusters", "the input holds no cluster with a member in an internal zone")}
	}
	var parts []Part
	for _, c := range judged {
		if c.Manifest {
			parts = append(parts, ev.noCluster(c, "the API server is not reached from the internet"))
			continue
		}
		config := Part{Statement: "the API server of " + c.Name() + " is private, or authorised ranges leave the internet out", Subjects: 1}
		switch {
		case !publicAPI(c):
			config.Facts = append(config.Facts, "enablePrivateCluster is "+c.Private.String()+", enableVnetIntegration is "+c.VNetAPI.String())
		case len(c.APIRanges) == 0:
			config.Faults = append(config.Faults, ev.apiFault(c, "the API server is public and no authorised ranges limit it"))
		default:
			config = ev.rangesKnown(config, c)
		}
		config = config.judged()
		parts = append(parts, config)
		api := []model.Selector{ev.sel(model.SelAPIServer, c)}
		if config.Verdict != ItemFail && publicAPI(c) {
			continue // who is let in over the internet is whom the ranges name, which the part above judges
		}
		p := ev.denyDirect(ev.zones(model.ZoneInternet), api).said(1, "no packet from the internet reaches %s", texts(api))
		if p.Verdict == ItemFail {
			p = p.because(Cause{Class: CausePublicAPI, Of: string(c.ID), Field: "enablePrivateCluster"})
		}
		p.Residual = residual("R6")
		parts = append(parts, p.remedied("make the cluster private"))
	}
	return parts
}

// noCluster is the part of an item about a cluster of which manifests alone are in the input.
func (ev *Evidence) noCluster(c *model.Cluster, statement string) Part {
	p := unknownPart(statement, "the managedClusters resource of "+c.Name()+" is not in the input")
	p.Faults = []Fault{{Cause: Cause{Class: CauseNoRef, Of: "managedClusters/" + c.Name()}, Subject: ev.refs.Of(model.SelCluster, c), Text: p.Reason, Source: c.Source.String(), Remedy: "add what `az aks show` prints to the inputs"}}
	return p
}

// rangesKnown judges the authorised ranges of a public API server: each must lie inside what a declared zone looks like from outside, or
// be an address of the estate itself.
func (ev *Evidence) rangesKnown(p Part, c *model.Cluster) Part {
	own := func(r netip.Prefix) bool {
		return slices.ContainsFunc(ev.e.PublicIPs, func(ip *model.PublicIP) bool { return ip.Address.IsValid() && r.IsSingleIP() && r.Addr() == ip.Address }) ||
			slices.ContainsFunc(ev.e.Prefixes, func(x *model.PublicIPPrefix) bool {
				return x.Prefix.IsValid() && x.Prefix.Bits() <= r.Bits() && x.Prefix.Contains(r.Addr())
			})
	}
	for _, r := range c.APIRanges {
		switch {
		case r == netip.PrefixFrom(netip.IPv4Unspecified(), 32):
			p.Facts = append(p.Facts, "0.0.0.0/32: the cluster's own egress addresses alone")
			continue
		case r.Bits() == 0:
			p.Faults = append(p.Faults, ev.apiFault(c, "the authorised ranges hold "+r.String()))
			continue
		case own(r):
			p.Facts = append(p.Facts, r.String()+": an address of the estate")
			continue
		}
		known := false
		for _, z := range ev.in.Zones {
			if slices.ContainsFunc(z.PublicAddresses, func(a netip.Prefix) bool { return a.Bits() <= r.Bits() && a.Contains(r.Addr()) }) {
				p.Facts, known = append(p.Facts, r.String()+": zone "+z.Name), true
			}
		}
		if !known && len(p.Faults) == 0 {
			p.Verdict, p.Reason = ItemUnknown, "the authorised range "+r.String()+" lies in publicAddresses of no zone and is no address of the estate"
		}
	}
	if len(p.Faults) > 0 {
		p.Verdict, p.Reason = ItemFail, ""
	}
	p.Notes = append(p.Notes, "it is a public endpoint still: see 1.3.7-a")
	return p
}

// portTextsOf joins services.
func portTextsOf(list []model.PortService) string {
	var out []string
	for _, s := range list {
		out = append(out, s.String())
	}
	return strings.Join(out, ", ")
}
