package pci

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// balancerSubnets are the subnets of internal frontends, and the node subnets behind them.
func (ev *Evidence) balancerSubnets() (fronts, behind []*model.Subnet, unknown []string) {
	add := func(list *[]*model.Subnet, s *model.Subnet) {
		if !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	nodes, _ := ev.nodeSubnets()
	for _, f := range ev.internalFrontends() {
		found := false
		put := func(s *model.Subnet) {
			add(&fronts, s)
			found = true
		}
		if s, ok := model.Get[*model.Subnet](ev.e, f.front.Subnet); ok {
			put(s)
		}
		if f.service != nil {
			name := f.service.Annotation("azure-load-balancer-internal-subnet")
			at := f.service.Addresses()
			for _, s := range ev.e.Subnets {
				if slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return slices.ContainsFunc(at, p.Contains) }) {
					put(s)
				} else if name != "" && strings.EqualFold(s.Name(), name) && slices.ContainsFunc(nodes, func(n *model.Subnet) bool { return n.VNet.Key() == s.VNet.Key() }) {
					put(s)
				}
			}
			if name == "" && len(at) == 0 { // in the subnet of the nodes
				for _, n := range nodes {
					put(n)
				}
			}
		}
		if !found {
			unknown = append(unknown, f.name)
		}
	}
	for _, n := range nodes {
		add(&behind, n)
	}
	return fronts, behind, unknown
}

// balancerNSGs is 1.3.2-a.
func balancerNSGs(ev *Evidence) []Part {
	literal := Part{Statement: "the subnet of every internal load balancer has an NSG"}
	acting := Part{Statement: "every subnet of nodes behind it has one: that is the NSG that filters (AKS-LB-06)"}
	if len(ev.internalFrontends()) == 0 {
		return []Part{ev.noBalancer(literal.Statement, "the input holds no internal frontend of a cluster")}
	}
	fronts, behind, unknown := ev.balancerSubnets()
	if len(unknown) > 0 {
		literal.Verdict, literal.Reason = ItemUnknown, "the subnet of "+strings.Join(unknown, ", ")+" is not known: neither an annotation nor a pool's vnetSubnetID states it"
	}
	if len(behind) == 0 {
		acting.Verdict, acting.Reason = ItemUnknown, "no subnet of a node pool is in the input"
	}
	ev.needNSG(&literal, fronts)
	ev.needNSG(&acting, behind)
	return []Part{literal.judged(), acting.judged()}
}

// needNSG asks an NSG of every subnet.
func (ev *Evidence) needNSG(p *Part, list []*model.Subnet) {
	for _, s := range list {
		p.Subjects++
		ref := ev.refs.Of(model.SelSubnet, s)
		switch {
		case s.NSG == "":
			p.Faults = append(p.Faults, configFault(CauseNodeNSG, ref, "properties.networkSecurityGroup", "nothing", "an NSG", s.Source, "attach an NSG to the subnet"))
		case ev.missingNSG(s):
			p.Notes = append(p.Notes, ref+" names "+s.NSG.ShortName()+", which is not in the input")
			p.Facts = append(p.Facts, ref+": "+s.NSG.ShortName())
		default:
			p.Facts = append(p.Facts, ref+": "+s.NSG.ShortName())
		}
	}
}

// admission is what the inbound rules of an NSG admit for one protocol and port: sources by address, and tags that stand for sources.
type admission struct {
	by   []model.SecurityRule // the rules that admit something that they must not
	live bool                 // AllowVnetInBound is reached by addresses that no custom rule denies
}

// admits walks the custom inbound rules of an NSG for one service to some targets, and lists the Allow rules that let in addresses outside
// `ok`, tags in okTags apart. Rules that a deny before them covers do not count; a deny counts where it covers every target and port.
func (ev *Evidence) admits(g *model.NSG, svc model.PortService, targets []netip.Prefix, ok *netipx.IPSet, okTags []string) admission {
	var out admission
	denied := &netipx.IPSetBuilder{}
	everything := false
	for _, r := range g.Rules {
		if r.Direction != model.Inbound || everything || r.Protocol != model.AnyProtocol && svc.Protocol != model.AnyProtocol && r.Protocol != svc.Protocol {
			continue
		}
		if !slices.ContainsFunc(r.DestPorts, func(p model.PortRange) bool { return p.First <= svc.Ports.Last && svc.Ports.First <= p.Last }) {
			continue
		}
		touches := r.DestAddrs.Any || len(r.DestAddrs.Tags)+len(r.DestAddrs.ASGs) > 0 || slices.ContainsFunc(r.DestAddrs.Prefixes, func(p netip.Prefix) bool {
			return slices.ContainsFunc(targets, p.Overlaps)
		})
		if !touches {
			continue
		}
		if r.Access == model.Deny {
			covers := r.DestAddrs.Any || !slices.ContainsFunc(targets, func(t netip.Prefix) bool {
				return !slices.ContainsFunc(r.DestAddrs.Prefixes, func(p netip.Prefix) bool { return p.Bits() <= t.Bits() && p.Contains(t.Addr()) })
			})
			ports := slices.ContainsFunc(r.DestPorts, func(p model.PortRange) bool { return p.First <= svc.Ports.First && svc.Ports.Last <= p.Last })
			if !covers || !ports || r.UnknownMatch != "" || len(r.SourcePorts) > 0 && !allPorts(r.SourcePorts) {
				continue
			}
			everything = everything || r.SourceAddrs.Any
			for _, p := range r.SourceAddrs.Prefixes {
				denied.AddPrefix(p)
			}
			continue
		}
		if r.Default {
			out.live = out.live || r.Name == "AllowVnetInBound"
			continue
		}
		bad := r.SourceAddrs.Any || len(r.SourceAddrs.ASGs) > 0 || slices.ContainsFunc(r.SourceAddrs.Tags, func(t string) bool {
			return !slices.ContainsFunc(okTags, func(k string) bool { return strings.EqualFold(k, t) })
		})
		var b netipx.IPSetBuilder
		for _, p := range r.SourceAddrs.Prefixes {
			b.AddPrefix(p)
		}
		d, err := denied.IPSet()
		if err == nil {
			b.RemoveSet(d)
		}
		b.RemoveSet(ok)
		rest, err := b.IPSet()
		if bad || err != nil || len(rest.Prefixes()) > 0 {
			out.by = append(out.by, r)
		}
	}
	return out
}

// ownAddresses are the addresses of the judged clusters' nodes and pods.
func (ev *Evidence) ownAddresses(b *netipx.IPSetBuilder) {
	nodes, _ := ev.nodeSubnets()
	pods, _ := ev.podSubnets()
	for _, s := range slices.Concat(nodes, pods) {
		for _, p := range s.Prefixes {
			b.AddPrefix(p)
		}
	}
	judged, _ := ev.clusters()
	for _, c := range judged {
		for _, p := range c.PodCIDRs {
			b.AddPrefix(p)
		}
	}
}

// nsgAdmitsGatewayAlone is 1.3.2-b: NSGs alone, routes ignored, for both readings of the destination (AZ-LB-05).
func nsgAdmitsGatewayAlone(ev *Evidence) []Part {
	p := Part{Statement: "at the NSGs of the nodes behind an internal load balancer, sources outside the cluster are the subnets of routers alone"}
	fronts := ev.internalFrontends()
	if len(fronts) == 0 {
		return []Part{ev.noBalancer(p.Statement, "the input holds no internal frontend of a cluster")}
	}
	nodes, missing := ev.nodeSubnets()
	if len(nodes) == 0 {
		if len(missing) > 0 {
			u := unknownPart(p.Statement, "the subnet "+missing[0].ShortName()+" of a node pool is not in the input")
			u.Faults = []Fault{ev.unknownRef("node pool", missing[0], model.Source{})}
			return []Part{u}
		}
		return []Part{ev.noPools(p.Statement)}
	}
	var b netipx.IPSetBuilder
	ev.ownAddresses(&b)
	routers := ev.routers()
	for _, s := range ev.e.Subnets {
		if slices.ContainsFunc(ev.routerSubnets(routers), func(x model.Selector) bool { return model.ID(x.Parts[0]).Key() == s.ID.Key() }) {
			for _, q := range s.Prefixes {
				b.AddPrefix(q)
			}
		}
	}
	ok, err := b.IPSet()
	if err != nil {
		return []Part{unknownPart(p.Statement, err.Error())}
	}
	p.Residual = residual("R1")
	for _, s := range nodes {
		ref := ev.refs.Of(model.SelSubnet, s)
		g, found := model.Get[*model.NSG](ev.e, s.NSG)
		switch {
		case s.NSG == "":
			p.Faults = append(p.Faults, configFault(CauseNodeNSG, ref, "properties.networkSecurityGroup", "nothing", "an NSG", s.Source, "attach an NSG to the subnet"))
			continue
		case !found:
			p.Verdict, p.Reason = ItemUnknown, s.NSG.ShortName()+" is not in the input"
			p.Faults = append(p.Faults, ev.unknownRef(ref, s.NSG, s.Source))
			continue
		}
		for _, x := range ev.balancedServices(fronts, s) {
			p.Subjects++
			a := ev.admits(g, x.service, x.targets, ok, []string{"AzureLoadBalancer"})
			for _, r := range a.by {
				of := g.Name() + "/securityRules/" + r.Name
				f := Fault{
					Cause: Cause{Class: CauseAllow, Of: of}, Subject: "nsg:" + g.Name() + "/" + r.Name, Source: r.Source.String(),
					Text:   fmt.Sprintf("the rule admits %s on %s, where %s is served", matchText(r.SourceAddrs), x.service, x.of),
					Remedy: "allow the gateway's subnet alone",
				}
				if !slices.ContainsFunc(p.Faults, func(g Fault) bool { return g.Cause == f.Cause }) {
					p.Faults = append(p.Faults, f)
				}
			}
			if a.live {
				f := configFault(CauseNodeNSG, "nsg:"+g.Name(), "securityRules", "no Deny before AllowVnetInBound for "+x.service.String(), "a Deny of every source", g.Source, "add a Deny * at 4096 behind the allows")
				if !slices.ContainsFunc(p.Faults, func(g Fault) bool { return g.Cause == f.Cause }) {
					p.Faults = append(p.Faults, f)
				}
			}
		}
		p.Facts = append(p.Facts, ref+": "+s.NSG.ShortName())
	}
	if slices.ContainsFunc(p.Faults, func(f Fault) bool { return f.Cause.Class != CauseNoRef }) {
		p.Verdict, p.Reason = ItemFail, ""
	}
	return []Part{p.judged()}
}

// balanced is a service that a load balancer hands to nodes.
type balanced struct {
	of      string
	service model.PortService
	targets []netip.Prefix
}

// balancedServices are what NSGs of a node subnet see of the frontends: the frontend's port at the frontend's address (floating IP), and
// the node port at the node (AZ-LB-05).
func (ev *Evidence) balancedServices(fronts []frontend, s *model.Subnet) []balanced {
	var out []balanced
	for _, f := range fronts {
		if f.service == nil {
			if f.lb == nil || !f.front.Address.IsValid() {
				continue
			}
			for _, r := range f.lb.Rules {
				if r.Frontend.Key() == f.front.ID.Key() {
					out = append(out, balanced{f.name, model.PortService{Protocol: r.Protocol, Ports: model.PortRange{First: r.FrontendPort, Last: r.FrontendPort}}, []netip.Prefix{netip.PrefixFrom(f.front.Address, f.front.Address.BitLen())}})
				}
			}
			continue
		}
		for _, x := range f.service.Ports {
			var at []netip.Prefix
			for _, a := range f.service.Addresses() {
				at = append(at, netip.PrefixFrom(a, a.BitLen()))
			}
			if len(at) == 0 {
				at = slices.Clone(s.Prefixes)
			}
			out = append(out, balanced{f.name, model.PortService{Protocol: x.Protocol, Ports: model.PortRange{First: x.Port, Last: x.Port}}, at})
			if x.NodePort != 0 {
				out = append(out, balanced{f.name, model.PortService{Protocol: x.Protocol, Ports: model.PortRange{First: x.NodePort, Last: x.NodePort}}, s.Prefixes})
			}
		}
	}
	return out
}

// podIngressRestricted is 1.3.2-c.
func podIngressRestricted(ev *Evidence) []Part {
	return ev.podsRestricted("policies restrict what reaches the pods of zones of kind cde and data", model.Inbound)
}

// podsRestricted asks, for each workload in scope, that an enforced policy isolates it in a direction, that not everything is admitted,
// and inbound that sources outside the clusters are routers and nodes alone.
func (ev *Evidence) podsRestricted(statement string, directions ...model.Direction) []Part {
	list := ev.workloadsIn(scopeKinds()...)
	if len(list) == 0 {
		p := unknownPart(statement, "the input holds no workload in a zone of kind cde or data")
		of := "workloads"
		if judged, _ := ev.clusters(); len(judged) > 0 {
			of = string(judged[0].ID)
		}
		if n, ok := ev.none("clusters"); ok {
			return []Part{notApplicable(statement, "none.clusters: "+n.By+": "+n.Reason)}
		}
		p.Faults = []Fault{{Cause: Cause{Class: CauseNoPods, Of: of}, Text: p.Reason, Remedy: "add the cluster's manifests to the inputs"}}
		return []Part{p}
	}
	p := Part{Statement: statement, Subjects: len(list), Residual: residual("R3", "R4")}
	for _, w := range list {
		ref := ev.refs.Of(model.SelPod, w)
		c, ok := model.Get[*model.Cluster](ev.e, w.Cluster)
		if ok {
			if engine, known := ev.engine(c); !known {
				p.Verdict, p.Reason = ItemUnknown, "ASM-K-ENGINE: what enforces policies in "+c.Name()+" is not in the input"
				f := Fault{Cause: Cause{Class: CauseEngine, Of: string(c.ID), Field: "networkProfile.networkPolicy"}, Subject: ev.refs.Of(model.SelCluster, c), Text: p.Reason, Source: c.Source.String(), Remedy: "add the managedClusters resource, or state the engine of the manifests' input"}
				if !slices.ContainsFunc(p.Faults, func(g Fault) bool { return g.Cause == f.Cause }) {
					p.Faults = append(p.Faults, f)
				}
				continue
			} else if engine == "none" {
				f := configFault(CauseEngine, ev.refs.Of(model.SelCluster, c), "networkProfile.networkPolicy", c.Policy, "azure, calico or cilium", c.Source, "enable a network policy engine")
				f.Cause = Cause{Class: CauseEngine, Of: string(c.ID), Field: "networkProfile.networkPolicy"}
				if !slices.ContainsFunc(p.Faults, func(g Fault) bool { return g.Cause == f.Cause }) {
					p.Faults = append(p.Faults, f)
				}
				continue
			}
		}
		if w.HostNetwork {
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseSetting, Of: ref, Field: "hostNetwork"}, Subject: ref, Text: "the pods use the node's network, where policies do not apply", Source: w.Source.String(), Remedy: "remove hostNetwork"})
			continue
		}
		for _, d := range directions {
			word := [...]string{"ingress", "egress"}[d]
			isolated, wide, other := ev.isolation(w, d)
			switch {
			case !isolated && other:
				p.Notes = append(p.Notes, ref+": policies of other kinds than NetworkPolicy apply; what they leave open is judged by the flows")
			case !isolated:
				p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseDefaultDeny, Of: ref, Field: word}, Subject: ref, Text: "no policy isolates its " + word, Source: w.Source.String(), Remedy: "add a NetworkPolicy that selects it with policyTypes " + word})
			case wide != "":
				p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseDefaultDeny, Of: ref, Field: word}, Subject: ref, Text: "a policy admits every peer on every port, " + word + ": " + wide, Source: w.Source.String(), Remedy: "name peers and ports in the rule"})
			default:
				p.Facts = append(p.Facts, ref+": isolated, "+word)
			}
		}
		if slices.Contains(directions, model.Outbound) && w.Annotations["kubernetes.azure.com/static-gateway-configuration"] != "" {
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseSetting, Of: ref, Field: "static-gateway-configuration"}, Subject: ref, Text: "the pods leave by a static egress gateway, where policies do not apply (AKS-OUT-09)", Source: w.Source.String(), Remedy: "remove the annotation"})
		}
	}
	if len(p.Faults) > 0 && p.Verdict == "" {
		p.Verdict = ItemFail
	}
	parts := []Part{p.judged()}
	if slices.Contains(directions, model.Inbound) && len(directions) == 1 {
		pods := selAllOf(ev, model.SelPod, list)
		routers := ev.routers()
		from := anyBut(ev.ownCluster(), routers, ev.routerSubnets(routers))
		q := ev.denyDirect(from, pods).said(len(list), "nothing outside the clusters but routers (%s) reaches them directly", texts(routers))
		parts = append(parts, q.remedied("narrow the policy's ipBlock to the gateway's subnet"))
	}
	return parts
}

// engine is what enforces policies in a cluster: azure, calico, cilium, a name of the intent, or none; false where nothing says it.
func (ev *Evidence) engine(c *model.Cluster) (string, bool) {
	switch {
	case strings.EqualFold(c.DataPlane, "cilium"):
		return "cilium", true
	case c.Policy != "":
		return strings.ToLower(c.Policy), true
	case c.Engine != "":
		return c.Engine, true
	case c.Manifest || c.PolicyOpen:
		return "", false
	default:
		return "none", true // AKS-POL-01: absent in what exists
	}
}

// isolation says whether NetworkPolicies isolate a workload in a direction, and which of their rules admits everything; other: policies of
// another kind may apply.
func (ev *Evidence) isolation(w *model.Workload, d model.Direction) (isolated bool, wide string, other bool) {
	for _, n := range ev.e.NetPolicies {
		if n.Cluster.Key() != w.Cluster.Key() || n.Namespace != w.Namespace || !n.Isolates[d] {
			continue
		}
		may, must := n.Pods.Selects(w.Labels, func(key string) bool { return slices.Contains(w.Implied, key) })
		isolated = isolated || must
		if !may {
			continue
		}
		rules := n.Ingress
		if d == model.Outbound {
			rules = n.Egress
		}
		for _, r := range rules {
			if len(r.Peers) == 0 && len(r.Ports) == 0 {
				wide = n.Namespace + "/" + n.Name() + inBrackets(r.Source.String())
			}
		}
	}
	in := func(cluster model.ID, namespace string) bool {
		return cluster.Key() == w.Cluster.Key() && (namespace == "" || namespace == w.Namespace)
	}
	other = slices.ContainsFunc(ev.e.ClusterPolicies, func(p *model.ClusterPolicy) bool { return in(p.Cluster, "") }) ||
		slices.ContainsFunc(ev.e.CiliumPolicies, func(p *model.CiliumPolicy) bool { return in(p.Cluster, p.Namespace) }) ||
		slices.ContainsFunc(ev.e.CalicoPolicies, func(p *model.CalicoPolicy) bool { return in(p.Cluster, p.Namespace) })
	return isolated, wide, other
}

// restrictionTested is 1.3.2-d.
func restrictionTested(ev *Evidence) []Part {
	p := Part{Statement: "assertions from the internet or the DMZ to zones of kind cde are part of this run and hold"}
	hits := func(list []model.Selector, kinds ...model.ZoneKind) bool {
		return slices.ContainsFunc(list, func(s model.Selector) bool {
			if s.Not {
				return false
			}
			if s.Kind == model.SelInternet || s.Kind == model.SelAny {
				return slices.Contains(kinds, model.ZoneInternet)
			}
			for _, z := range ev.in.Zones {
				if !slices.Contains(kinds, z.Kind) {
					continue
				}
				if s.Kind == model.SelZone && s.Parts[0] == z.Name || slices.ContainsFunc(z.Members, func(m model.Selector) bool { return m.Text == s.Text }) {
					return true
				}
			}
			for _, m := range ev.members() {
				if slices.Contains(kinds, m.zone.Kind) && m.Ref == s.Text {
					return true
				}
			}
			return false
		})
	}
	for _, a := range ev.in.Assertions {
		if a.Verb == model.VerbMust || !hits(a.To, model.ZoneCDE) || !hits(a.From, model.ZoneInternet, model.ZoneDMZ) {
			continue
		}
		p.Subjects++
		r, err := ev.assertion(a)
		if err != nil {
			continue // reported with the assertion
		}
		q := ev.partOf(r)
		p.Facts = append(p.Facts, a.ID+": "+string(q.Verdict)+inBrackets(a.Source.String()))
		if q.Verdict == ItemPass {
			continue
		}
		for _, f := range q.Faults {
			f.Text = "assertion " + a.ID + ": " + f.Text
			p.Faults = append(p.Faults, f)
		}
		if p.Verdict != ItemFail {
			p.Verdict, p.Reason = q.Verdict, "assertion "+a.ID+" is "+string(q.Verdict)
		}
	}
	if p.Subjects == 0 {
		p.Faults = append(p.Faults, Fault{
			Cause: Cause{Class: CauseIntent, Of: "assertions"}, Text: "no assertion speaks of the internet or the DMZ and a zone of kind cde", Source: ev.in.Source.String(),
			Remedy: "add: - {id: internet-not-direct-to-cde, deny: {from: internet, to: zone:ZONE}, kind: direct, requirement: 1.3.2-d}",
		})
	}
	parts := []Part{p.judged()}
	for _, id := range []string{"1.3.1-c", "1.3.2-b"} {
		v := worst(ev.partsOf(id))
		q := Part{Statement: "item " + id + " is decided", Verdict: ItemPass, Reason: string(v)}
		if v == ItemUnknown {
			q.Verdict = ItemUnknown
		}
		parts = append(parts, q)
	}
	return parts
}
