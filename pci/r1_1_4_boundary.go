package pci

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// dmzDefined is 1.1.4-a: there is a DMZ, routers stand in it, and every subnet is in some zone.
func dmzDefined(ev *Evidence) []Part {
	p := Part{Statement: "the DMZ is declared, holds the subnets of the routers, and every subnet belongs to one zone", Table: &Table{Header: []string{"zone", "kind", "holds"}}}
	dmz := ev.declared(model.ZoneDMZ)
	if len(dmz) == 0 {
		if n, none := ev.none("ingress"); none {
			return []Part{notApplicable(p.Statement, fmt.Sprintf("none.ingress: %s, on %s: %s", n.By, n.On, n.Reason))}
		}
		p.Faults = append(p.Faults, Fault{
			Cause: Cause{Class: CauseIntent, Of: "zones", Field: "kind dmz"}, Subject: "zones", Text: "ringfence.yaml declares no zone of kind dmz", Source: ev.in.Source.String(), Remedy: "declare a zone of kind dmz with the subnets of the gateways that the internet reaches",
		})
	}
	for _, z := range dmz {
		var holds []string
		for _, m := range ev.membersOf(z) {
			holds = append(holds, m.Ref)
		}
		p.Table.Rows = append(p.Table.Rows, []string{z.Name + inBrackets(z.Source.String()), string(z.Kind), strings.Join(holds, ", ")})
	}
	for _, s := range ev.e.Subnets {
		p.Subjects++
		if _, ok := ev.subnetZone(s); !ok {
			ref := ev.refs.Of(model.SelSubnet, s)
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CauseUnzoned, Of: ref}, Subject: ref, Text: "the subnet belongs to no zone", Source: s.Source.String(), Remedy: "add `" + ref + "` to the members of a zone",
			})
		}
	}
	for _, r := range ev.routerPlaces() {
		s, ok := model.Get[*model.Subnet](ev.e, r.subnet)
		if !ok {
			continue // named below
		}
		if z, zoned := ev.subnetZone(s); zoned && z.Kind != model.ZoneDMZ && len(dmz) > 0 {
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CauseIntent, Of: r.name, Field: "zone"}, Subject: r.name, Text: "it stands in " + ev.refs.Of(model.SelSubnet, s) + ", which is in zone " + z.Name + " of kind " + string(z.Kind),
				Source: z.Source.String(), Remedy: "put its subnet into a zone of kind dmz",
			})
		}
	}
	open := ev.missingSubnets()
	return []Part{p.orUnknown(open)}
}

// routerPlace is a subnet in which a router stands.
type routerPlace struct {
	name   string
	subnet model.ID
}

// routerPlaces lists the subnets of the gateways that the internet reaches.
func (ev *Evidence) routerPlaces() []routerPlace {
	var out []routerPlace
	is := func(ref string) bool {
		return slices.ContainsFunc(ev.routers(), func(s model.Selector) bool { return s.Text == ref })
	}
	for _, g := range ev.e.AppGateways {
		if ref := ev.refs.Of(model.SelAppGateway, g); is(ref) {
			for _, id := range g.Subnets {
				out = append(out, routerPlace{ref, id})
			}
		}
	}
	for _, a := range ev.e.APIMs {
		if ref := ev.refs.Of(model.SelAPIM, a); is(ref) && a.Injected() {
			for _, site := range a.Sites {
				out = append(out, routerPlace{ref, site.Subnet})
			}
		}
	}
	return out
}

// missingSubnets are the networks that the input names and lacks: VNets at the other end of a peering, subnets of gateways.
func (ev *Evidence) missingSubnets() []Fault {
	var out []Fault
	for _, v := range ev.e.VNets {
		for _, p := range v.Peerings {
			if r, ok := model.Get[*model.VNet](ev.e, p.Remote); !p.Hub && (!ok || r.Partial && len(r.Subnets) == 0) {
				out = append(out, ev.unknownRef(ev.refs.Of(model.SelVNet, v), p.Remote, p.Source))
			}
		}
	}
	for _, r := range ev.routerPlaces() {
		if _, ok := model.Get[*model.Subnet](ev.e, r.subnet); !ok {
			out = append(out, ev.unknownRef(r.name, r.subnet, ev.in.Source))
		}
	}
	return out
}

// guardedKinds are the kinds of zones whose subnets need an NSG.
func guardedKinds() []model.ZoneKind {
	return []model.ZoneKind{model.ZoneCDE, model.ZoneData, model.ZoneDMZ, model.ZoneManagement, model.ZoneTrusted}
}

// takesNoNSG says which subnets Azure gives no NSG (AZ-NSG-20).
func takesNoNSG(s *model.Subnet) bool {
	switch strings.ToLower(s.Name()) {
	case "gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "routeserversubnet":
		return true
	default:
		return false
	}
}

// nsgsDefined is 1.1.4-e: each subnet has an NSG that allows nothing wholesale and denies the rest in both directions.
func nsgsDefined(ev *Evidence) []Part {
	p := Part{
		Statement: "each subnet in scope has an NSG without a rule that allows everything, which ends in a Deny of everything in both directions",
		Table:     &Table{Header: []string{"subnet", "NSG", "last inbound rule", "last outbound rule"}},
	}
	var open []Fault
	for _, s := range ev.subnetsIn(guardedKinds()...) {
		if takesNoNSG(s) {
			p.Notes = append(p.Notes, ev.refs.Of(model.SelSubnet, s)+" is left out: Azure takes no NSG there (AZ-NSG-20)")
			continue
		}
		p.Subjects++
		subnet := ev.refs.Of(model.SelSubnet, s)
		n, ok := model.Get[*model.NSG](ev.e, s.NSG)
		switch {
		case s.NSG == "":
			p.Table.Rows = append(p.Table.Rows, []string{subnet, "none", "", ""})
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CauseNodeNSG, Of: subnet, Field: "networkSecurityGroup"}, Subject: subnet, Text: "the subnet has no NSG; one on its interfaces alone leaves future ones open", Field: "properties.networkSecurityGroup.id", Wanted: "an NSG", Source: s.Source.String(),
				Remedy: "attach an NSG that allows what is needed and denies the rest in both directions",
			})
			continue
		case !ok:
			p.Table.Rows = append(p.Table.Rows, []string{subnet, "nsg:" + s.NSG.Name() + ", not in the input", "", ""})
			open = append(open, ev.unknownRef(subnet, s.NSG, s.Source))
			continue
		}
		row := []string{subnet, "nsg:" + n.Name()}
		for _, d := range []model.Direction{model.Inbound, model.Outbound} {
			last, found := lastRule(n, d)
			row = append(row, cmp.Or(last.Name, "none of its own"))
			if found && deniesAll(last) || d == model.Outbound && ev.needsInternet(s) {
				continue
			}
			f := denyMissing(n, d)
			f.Text += " (" + subnet + ")"
			p.Faults = append(p.Faults, f)
		}
		p.Table.Rows = append(p.Table.Rows, row)
		for _, u := range n.Rules {
			if !u.Default && u.Access == model.Allow && matchesAll(u) {
				rule := "nsg:" + n.Name() + "/" + u.Name
				p.Faults = append(p.Faults, Fault{
					Cause: Cause{Class: CauseNodeNSG, Of: rule}, Subject: rule, Text: "the rule allows everything " + strings.ToLower(u.Direction.String()) + " at " + subnet, Source: u.Source.String(), Remedy: "name sources, destinations and ports, or remove the rule",
				})
			}
		}
		if ev.needsInternet(s) {
			p.Notes = append(p.Notes, subnet+": no Deny outbound is asked for, since a v2 gateway stops without outbound internet (AZ-AGW-13)")
		}
	}
	if p.Subjects == 0 {
		return []Part{unknownPart(p.Statement, "no subnet of the input lies in a zone of the kinds "+kindsText(guardedKinds()))}
	}
	return []Part{p.orUnknown(open)}
}

// needsInternet reports a subnet of a v2 gateway without network isolation, whose way to the internet must stay open (AZ-AGW-13).
func (ev *Evidence) needsInternet(s *model.Subnet) bool {
	return slices.ContainsFunc(ev.e.AppGateways, func(g *model.AppGateway) bool {
		in := slices.ContainsFunc(g.Subnets, func(id model.ID) bool { return id.Key() == s.ID.Key() })
		return in && strings.HasSuffix(strings.ToLower(g.Tier), "_v2") && slices.ContainsFunc(g.Frontends, func(f model.AGWFrontend) bool { return f.PublicIP != "" })
	})
}

// onlyFromNetwork is 1.1.4-f: nothing but networks that are known reaches nodes and pods.
func onlyFromNetwork(ev *Evidence) []Part {
	const statement = "neither the internet nor an undeclared network reaches nodes and pods directly"
	targets := ev.ownCluster()
	if len(targets) == 0 {
		return []Part{ev.noPools(statement)}
	}
	internet := ev.denyDirect(ev.zones(model.ZoneInternet), targets).about(len(targets)).said(len(targets), "internet does not reach nodes and pods directly").leaving("R1").
		remedied("name sources by address instead of the tag, and deny the rest at priority 4096")
	var known []model.Selector
	for _, z := range ev.in.Zones {
		known = append(known, ev.zone(z))
	}
	for _, v := range ev.e.VNets {
		if !v.Partial && len(v.Subnets) > 0 {
			known = append(known, ev.sel(model.SelVNet, v))
		}
	}
	known = append(known, selectors(string(model.SelInternet))...)
	from := anyBut(known, selAllOf(ev, model.SelCluster, ev.e.Clusters))
	if _, err := ev.verdictOf(from, targets); err != nil {
		internet.Facts = append(internet.Facts, "every other sender of the input lies in a zone or in one of its VNets")
		return []Part{ev.admitted(internet)}
	}
	other := ev.denyDirect(from, targets).said(len(targets), "networks in no zone and no VNet of the input do not reach nodes and pods directly").leaving("R1").
		remedied("declare the network as a zone, or deny it at the NSG of the nodes")
	return []Part{ev.admitted(internet), other}
}

// admitted lists which zones reach each node subnet.
func (ev *Evidence) admitted(p Part) Part {
	found, _ := ev.nodeSubnets()
	for _, s := range found {
		var by []string
		for _, z := range ev.in.Zones {
			r, err := ev.s.Reach([]model.Selector{ev.zone(z)}, []model.Selector{ev.sel(model.SelSubnet, s)}, nil, true)
			if err == nil && len(r.Flows) > 0 {
				by = append(by, "zone:"+z.Name)
			}
		}
		p.Facts = append(p.Facts, ev.refs.Of(model.SelSubnet, s)+" admits "+cmp.Or(strings.Join(by, ", "), "no zone"))
	}
	return p
}

// poolsApart is 1.1.4-g: each node pool has a subnet of its own.
func poolsApart(ev *Evidence) []Part {
	p := Part{Statement: "each node pool has a subnet of its own, and nothing else stands in it", Table: &Table{Header: []string{"pool", "node subnet", "pod subnet"}}}
	pools := ev.pools()
	if len(pools) == 0 {
		return []Part{ev.noPools(p.Statement)}
	}
	holder := map[string]string{}
	podHolder := map[string]pool{}
	var unstated []string
	for _, x := range pools {
		p.Subjects++
		ref := ev.poolRef(x)
		p.Table.Rows = append(p.Table.Rows, []string{ref + inBrackets(x.Source.String()), cmp.Or(x.Subnet.ShortName(), "not stated"), cmp.Or(x.PodSubnet.ShortName(), "none")})
		shared := func(field string, id model.ID, with string) {
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CauseSetting, Of: ref, Field: field}, Subject: ref, Text: "it shares " + id.ShortName() + " with " + with, Field: field, Found: id.ShortName(), Wanted: "a subnet of its own", Source: x.Source.String(),
				Remedy: "make a new pool in a subnet of its own, drain the old one and delete it",
			})
		}
		if x.Subnet == "" {
			unstated = append(unstated, ref)
		} else if with, ok := holder[x.Subnet.Key()]; ok {
			shared("vnetSubnetID", x.Subnet, with)
		} else {
			holder[x.Subnet.Key()] = ref
		}
	}
	for _, x := range pools {
		if x.PodSubnet == "" {
			continue
		}
		ref := ev.poolRef(x)
		fault := func(text string) {
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CauseSetting, Of: ref, Field: "podSubnetID"}, Subject: ref, Text: text, Field: "podSubnetID", Found: x.PodSubnet.ShortName(), Wanted: "a subnet for these pods alone", Source: x.Source.String(),
				Remedy: "give the pods of each zone a subnet of their own",
			})
		}
		if with, ok := holder[x.PodSubnet.Key()]; ok {
			fault("its pods share the node subnet of " + with)
		}
		if other, ok := podHolder[x.PodSubnet.Key()]; ok && ev.poolZone(other) != ev.poolZone(x) {
			fault("its pods share a subnet with those of " + ev.poolRef(other) + " in another zone")
		}
		podHolder[x.PodSubnet.Key()] = x
	}
	subnets, lacks := ev.nodeSubnets()
	for _, s := range subnets {
		ref := ev.refs.Of(model.SelSubnet, s)
		other := func(what string, source model.Source) {
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseSetting, Of: ref, Field: what}, Subject: ref, Text: what + " stands in the node subnet", Source: source.String(), Remedy: "move it into a subnet of its own"})
		}
		for _, n := range ev.e.NICs {
			if n.PrivateEndpoint == "" && slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return c.Subnet.Key() == s.ID.Key() }) && !ev.nodeNIC(n) {
				other(ev.refs.Of(model.SelNIC, n), n.Source)
			}
		}
		for _, pe := range ev.e.Endpoints {
			if pe.Subnet.Key() != s.ID.Key() {
				continue
			}
			if _, api := model.Get[*model.Cluster](ev.e, pe.Target); api {
				p.Notes = append(p.Notes, ref+" holds the endpoint of the API server as well, which AKS puts there")
				continue
			}
			other(ev.refs.Of(model.SelEndpoint, pe), pe.Source)
		}
		for _, d := range s.Delegations {
			other("a delegation to "+d, s.Source)
		}
	}
	var open []Fault
	for _, id := range lacks {
		open = append(open, ev.unknownRef(holder[id.Key()], id, ev.in.Source))
	}
	switch {
	case len(unstated) > 1:
		p.Faults = append(p.Faults, Fault{
			Cause: Cause{Class: CauseSetting, Of: strings.Join(unstated, ", "), Field: "vnetSubnetID"}, Subject: strings.Join(unstated, ", "), Text: "they state no subnet, and share the one that AKS makes", Field: "vnetSubnetID", Wanted: "a subnet for each", Source: pools[0].Source.String(), Remedy: "make new pools with a vnetSubnetID each",
		})
	case len(unstated) == 1:
		open = append(open, Fault{Cause: Cause{Class: CauseNoRef, Of: unstated[0], Field: "vnetSubnetID"}, Subject: unstated[0], Text: "the pool states no subnet: AKS makes one, which is not in the input", Source: pools[0].Source.String(), Remedy: "export the node resource group, or give the pool a vnetSubnetID"})
	}
	return []Part{p.orUnknown(open)}
}

// poolZone is the zone of a pool's nodes.
func (ev *Evidence) poolZone(x pool) string {
	if s, ok := model.Get[*model.Subnet](ev.e, x.Subnet); ok {
		z, _ := ev.subnetZone(s)
		return z.Name
	}
	return ""
}

// nodeNIC reports an interface of a machine that AKS made: one of the node resource group of a cluster.
func (ev *Evidence) nodeNIC(n *model.NIC) bool {
	return slices.ContainsFunc(ev.e.Clusters, func(c *model.Cluster) bool {
		return c.NodeGroup != "" && (strings.EqualFold(c.NodeGroup, n.ID.ResourceGroup()) || strings.EqualFold(c.NodeGroup, n.VM.ResourceGroup()))
	})
}

// freshName is the name of the pod that stands for every pod that may ever be in a namespace (K8S-EXP-02).
const freshName = "any-new-pod"

// fresh is a namespace with a pod that no selector names by its labels.
type fresh struct {
	cluster   *model.Cluster
	namespace *model.Namespace
	pod       model.Selector
	zones     []model.Zone
}

// freshPods solves the estate with one more pod in each namespace of the judged clusters: without labels, and on any node.
func (ev *Evidence) freshPods() (*Evidence, []fresh, error) {
	id := func(c *model.Cluster, n *model.Namespace) model.ID {
		return model.Kubernetes(c.Name(), "Pod", n.Name(), freshName)
	}
	v, err := ev.variant("fresh pods", func(list []model.Resource) []model.Resource {
		for _, n := range ev.e.Namespaces {
			if c, ok := ev.judgedCluster(n.Cluster); ok {
				list = append(list, &model.Workload{
					Meta: model.Meta{ID: id(c, n), Source: n.Source}, Cluster: c.ID, Namespace: n.Name(), Kind: "Pod", Replicas: 1, Tolerations: []model.Toleration{{Operator: "Exists"}},
				})
			}
		}
		return list
	})
	if err != nil {
		return nil, nil, err
	}
	var out []fresh
	for _, n := range ev.e.Namespaces {
		if c, ok := ev.judgedCluster(n.Cluster); ok {
			pod := id(c, n)
			w, _ := model.Get[*model.Workload](v.e, pod)
			out = append(out, fresh{c, n, v.sel(model.SelPod, w), v.zonesOf(pod)})
		}
	}
	return v, out, nil
}

// zeroTrust is 1.1.4-h: in namespaces in scope, a new pod is reached by nothing and reaches nothing.
func zeroTrust(ev *Evidence) []Part {
	const statement = "in namespaces of kind cde and data, a pod that no policy names is reached by nothing and reaches nothing"
	return ev.defaultDeny(statement, "the input holds no namespace in a zone of kind cde or data", func(f fresh) bool {
		return slices.ContainsFunc(f.zones, isKind(scopeKinds()...))
	})
}

// namespacesRestricted is 1.1.4-i: the same for every namespace that AKS does not provide, and no workload is open to everything.
func namespacesRestricted(ev *Evidence) []Part {
	const statement = "in every namespace that AKS does not provide, a pod that no policy names is reached by nothing and reaches nothing"
	var exempt []string
	restricted := func(f fresh) bool {
		why, ok := ev.exempt(f.cluster, f.namespace.Name())
		if line := ev.refs.Of(model.SelNamespace, f.namespace) + ": " + why; ok && !slices.Contains(exempt, line) {
			exempt = append(exempt, line)
		}
		return !ok
	}
	out := ev.defaultDeny(statement, "the input holds no namespace but those that AKS provides", restricted)
	for _, l := range exempt {
		out[0].Notes = append(out[0].Notes, "no default deny is asked of "+l)
	}
	p := Part{Statement: "no workload of these namespaces is open to everything in a direction"}
	for _, w := range ev.e.Workloads {
		c, ok := model.Get[*model.Cluster](ev.e, w.Cluster)
		if judged, _ := ev.clusters(); !ok || !slices.Contains(judged, c) {
			continue
		}
		if _, exempt := ev.exempt(c, w.Namespace); exempt {
			continue
		}
		p.Subjects++
		ref := ev.refs.Of(model.SelPod, w)
		fault := func(field, text, remedy string) {
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseDefaultDeny, Of: ref, Field: field}, Subject: ref, Text: text, Source: w.Source.String(), Remedy: remedy})
		}
		if w.HostNetwork {
			fault("hostNetwork", "its pods use the network of the node, where policies do not apply (K8S-NP-25)", "remove hostNetwork, or move it into a namespace that is exempt with a reason")
			continue
		}
		for _, d := range []model.Direction{model.Inbound, model.Outbound} {
			isolated, wide, other := ev.isolation(w, d)
			word := [...]string{"ingress", "egress"}[d]
			switch {
			case wide != "":
				fault(word, "a policy admits every peer on every port, "+word+": "+wide, "name peers and ports in the rule")
			case !isolated && !other:
				fault(word, "no policy isolates it, "+word, "add a default-deny policy to the namespace")
			}
		}
	}
	if p.Subjects > 0 {
		out = append(out, p.judged())
	}
	return out
}

// defaultDeny asks of some namespaces that a new pod has no flow in either direction, DNS and its own node apart (R3, R7).
func (ev *Evidence) defaultDeny(statement, nothing string, of func(fresh) bool) []Part {
	v, all, err := ev.freshPods()
	if err != nil {
		return []Part{unknownPart(statement, err.Error())}
	}
	list := slices.DeleteFunc(all, func(f fresh) bool { return !of(f) })
	if len(list) == 0 {
		if judged, wholly := ev.clusters(); len(judged)+len(wholly) == 0 {
			return []Part{ev.absent(statement, "clusters", "the input holds no cluster")}
		}
		p := unknownPart(statement, nothing)
		judged, _ := ev.clusters()
		for _, c := range judged {
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseNoPods, Of: string(c.ID)}, Subject: ev.refs.Of(model.SelCluster, c), Text: nothing, Source: c.Source.String(), Remedy: "add the cluster's manifests to the inputs"})
		}
		return []Part{p}
	}
	p := Part{Statement: statement, Table: &Table{Header: []string{"namespace", "ingress", "egress", "isolated by"}}}
	p = p.leaving("R3")
	if ev.in.PCI.DefaultDenyDNS != model.Off {
		p = p.leaving("R7")
	}
	var open []Fault
	engines := map[string]bool{}
	for _, f := range list {
		p.Subjects++
		ref := ev.refs.Of(model.SelNamespace, f.namespace)
		row := []string{ref + inBrackets(f.namespace.Source.String())}
		engine, known := ev.engine(f.cluster)
		if !known || engine == "none" {
			if !engines[f.cluster.ID.Key()] {
				engines[f.cluster.ID.Key()] = true
				x := Fault{
					Cause: Cause{Class: CauseEngine, Of: string(f.cluster.ID), Field: "networkProfile.networkPolicy"}, Subject: ev.refs.Of(model.SelCluster, f.cluster), Text: "nothing enforces its policies", Field: "properties.networkProfile.networkPolicy", Found: cmp.Or(f.cluster.Policy, engine), Wanted: "azure, calico or cilium",
					Source: f.cluster.Source.String(), Remedy: "enable a network policy engine",
				}
				if known {
					p.Faults = append(p.Faults, x)
				} else {
					x.Text, x.Remedy = "ASM-K-ENGINE: what enforces its policies is not in the input", "add the managedClusters resource, or state the engine of the manifests' input"
					open = append(open, x)
				}
			}
			p.Table.Rows = append(p.Table.Rows, append(row, "open", "open", "nothing enforces policies"))
			continue
		}
		for _, d := range []model.Direction{model.Inbound, model.Outbound} {
			cell, bad, lacks := v.denied(f, d)
			row = append(row, cell)
			p.Faults, open = append(p.Faults, bad...), append(open, lacks...)
		}
		p.Table.Rows = append(p.Table.Rows, append(row, cmp.Or(strings.Join(ev.defaultPolicies(f), ", "), "no policy")))
	}
	return []Part{p.orUnknown(open)}
}

// denied decides one direction of a new pod, in the estate that has it.
func (ev *Evidence) denied(f fresh, d model.Direction) (cell string, bad, lacks []Fault) {
	ref, word := ev.refs.Of(model.SelNamespace, f.namespace), [...]string{"ingress", "egress"}[d]
	pod := []model.Selector{f.pod}
	var p Part
	if d == model.Inbound {
		p = ev.denyDirect(anyBut(), pod)
	} else {
		var wanted []allowedFlow
		if dns := ev.clusterDNS(f.cluster); len(dns) > 0 && ev.in.PCI.DefaultDenyDNS != model.Off {
			wanted = append(wanted, allowedFlow{to: dns, services: services("udp/53", "tcp/53")})
		}
		p = ev.askBut(model.Assertion{Verb: model.VerbDeny, From: pod, To: anyBut(), DirectOnly: true}, wanted)
		if gateway := ev.staticGateway(f); gateway != "" {
			p.Verdict = ItemFail
			p.Faults = append(p.Faults, Fault{Text: "pods may leave by the static egress gateway " + gateway + ", past their policies (AKS-OUT-09)"})
		}
	}
	if p.Verdict == ItemPass {
		return "nothing", nil, nil
	}
	for _, x := range p.Faults {
		x.Subject, x.Text = ref, cmp.Or(map[bool]string{true: x.Text}[strings.HasPrefix(x.Text, "pods may leave")], "a new pod's "+word+" is open: no policy with an empty podSelector isolates it")
		x.Source = f.namespace.Source.String()
		x.Remedy = "add a NetworkPolicy with podSelector {}, policyTypes [Ingress, Egress] and no rules"
		if p.Verdict == ItemFail {
			x.Cause = Cause{Class: CauseDefaultDeny, Of: ref, Field: word}
			bad = append(bad, x)
			continue
		}
		x.Text = "whether a new pod's " + word + " is open is not known: " + p.Reason
		lacks = append(lacks, x)
	}
	return map[bool]string{true: "open", false: "not known"}[p.Verdict == ItemFail], bad, lacks
}

// clusterDNS selects the pods behind the cluster's own DNS Service.
func (ev *Evidence) clusterDNS(c *model.Cluster) []model.Selector {
	var out []model.Selector
	for _, k := range ev.e.KubeServices {
		if k.Cluster.Key() != c.ID.Key() || k.Namespace != "kube-system" || k.Name() != "kube-dns" && (!c.DNSServiceIP.IsValid() || k.ClusterIP != c.DNSServiceIP.String()) || len(k.Selector) == 0 {
			continue
		}
		for _, w := range ev.e.Workloads {
			if _, must := (model.LabelSelector{Match: k.Selector}).Selects(w.Labels, nil); must && w.Cluster.Key() == c.ID.Key() && w.Namespace == k.Namespace {
				out = append(out, ev.sel(model.SelPod, w))
			}
		}
	}
	return out
}

// staticGateway names the static egress gateway that pods of a namespace may choose by an annotation (AKS-OUT-09).
func (ev *Evidence) staticGateway(f fresh) string {
	for _, l := range ev.e.Ledger {
		if strings.Contains(l.Type, "StaticGatewayConfiguration") && l.Field == "" && strings.HasPrefix(string(l.Resource), string(model.Kubernetes(f.cluster.Name(), "StaticGatewayConfiguration", f.namespace.Name(), ""))) {
			return l.Resource.Name()
		}
	}
	return ""
}

// defaultPolicies names the policies that select every pod of a namespace.
func (ev *Evidence) defaultPolicies(f fresh) []string {
	var out []string
	for _, n := range ev.e.NetPolicies {
		if n.Cluster.Key() == f.cluster.ID.Key() && n.Namespace == f.namespace.Name() && len(n.Pods.Match)+len(n.Pods.Requirements) == 0 {
			out = append(out, n.Name()+inBrackets(n.Source.String()))
		}
	}
	return out
}

// standardPorts is 1.1.4-l: workloads, Services and policies use the ports of the list.
func standardPorts(ev *Evidence) []Part {
	p := Part{Statement: "workloads, Services and policies use no port but those of pci.allowedPorts.workloads", Table: &Table{Header: []string{"port", "used by"}}}
	list := ev.workloadsIn(internalKinds()...)
	if _, none := ev.none("clusters"); !ev.in.PCI.AllowedPortsSet && (!none || len(list) > 0) {
		return []Part{unknownPart(p.Statement, "pci.allowedPorts.workloads is not stated")}
	}
	if len(list) == 0 {
		return []Part{ev.absent(p.Statement, "clusters", "the input holds no workload in an internal zone")}
	}
	used := map[uint16][]string{}
	whole := map[string]bool{} // namespaces of the workloads
	check := func(r model.PortRange, who string, source model.Source, remedy string) {
		if r.First == r.Last && r.First > 0 && !slices.Contains(used[r.First], who) {
			used[r.First] = append(used[r.First], who)
		}
		if slices.ContainsFunc(ev.in.PCI.AllowedPorts, func(a model.PortRange) bool { return a.First <= r.First && r.Last <= a.Last }) {
			return
		}
		p.Faults = append(p.Faults, Fault{
			Cause: Cause{Class: CauseSetting, Of: who, Field: "port " + r.String()}, Subject: who, Text: "port " + r.String() + " is not on the list", Source: source.String(), Remedy: cmp.Or(remedy, "use a port of the list, or add it to pci.allowedPorts.workloads"),
		})
	}
	one := func(port uint16) model.PortRange { return model.PortRange{First: port, Last: port} }
	for _, w := range list {
		p.Subjects++
		whole[w.Cluster.Key()+"/"+w.Namespace] = true
		for _, x := range slices.Concat(w.Ports, w.HostPorts) {
			check(one(x.Port), ev.refs.Of(model.SelPod, w), cmp.Or(x.Source, w.Source), "")
		}
	}
	for _, k := range ev.e.KubeServices {
		if !whole[k.Cluster.Key()+"/"+k.Namespace] {
			continue
		}
		for _, x := range k.Ports {
			check(one(x.Port), "Service "+k.Namespace+"/"+k.Name(), cmp.Or(x.Source, k.Source), "")
			if x.Target > 0 {
				check(one(x.Target), "Service "+k.Namespace+"/"+k.Name(), cmp.Or(x.Source, k.Source), "")
			}
		}
	}
	inScope := func(n *model.NetworkPolicy) bool {
		return slices.ContainsFunc(ev.workloadsIn(model.ZoneCDE), func(w *model.Workload) bool { return w.Cluster.Key() == n.Cluster.Key() && w.Namespace == n.Namespace })
	}
	for _, n := range ev.e.NetPolicies {
		if !whole[n.Cluster.Key()+"/"+n.Namespace] {
			continue
		}
		for _, r := range slices.Concat(n.Ingress, n.Egress) {
			who := "policy " + n.Namespace + "/" + n.Name()
			if len(r.Ports) == 0 && inScope(n) {
				check(model.AllPorts, who, r.Source, "name the ports of the rule")
			}
			for _, x := range r.Ports {
				switch {
				case x.Named != "":
				case x.All:
					check(model.AllPorts, who, cmp.Or(x.Source, r.Source), "name the ports of the rule")
				default:
					check(x.Ports, who, cmp.Or(x.Source, r.Source), "")
				}
			}
		}
	}
	for _, port := range sortedKeys(used) {
		p.Table.Rows = append(p.Table.Rows, []string{fmt.Sprint(port), strings.Join(used[port], ", ")})
	}
	return []Part{p.judged()}
}

// sortedKeys are the keys of a map in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// platformHost is the address from which load balancers probe (AZ-TAG-08).
func platformHost() []model.Selector { return selectors("ip:168.63.129.16") }

// blocksOf selects addresses.
func blocksOf(list []netip.Addr) (out []model.Selector) {
	for _, a := range list {
		out = append(out, selectors("ip:"+a.String())...)
	}
	return out
}
