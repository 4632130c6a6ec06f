package pci

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// probesOpen is 1.1.4-j: health probes of containers, load balancers and gateways reach what they probe.
func probesOpen(ev *Evidence) []Part {
	var out []Part
	if p := ev.containerProbes(); p.Subjects > 0 {
		out = append(out, p)
	}
	out = append(out, ev.balancerProbes()...)
	out = append(out, ev.gatewayProbes()...)
	if len(out) == 0 {
		return []Part{unknownPart("the paths of health probes are open", "the input holds no probe of a container, a load balancer or a gateway")}
	}
	return out
}

// containerProbes are those that the kubelet of the own node sends: no policy stops them (K8S-NP-22). They need a port that exists.
func (ev *Evidence) containerProbes() Part {
	p := Part{Statement: "container probes come from the pods' own node, which no policy of the engines of AKS stops (K8S-NP-22)"}
	for _, w := range ev.e.Workloads {
		if _, ok := ev.judgedCluster(w.Cluster); !ok {
			continue
		}
		ref := ev.refs.Of(model.SelPod, w)
		for _, x := range w.Probes {
			p.Subjects++
			port := fmt.Sprint(x.Port)
			if x.PortName != "" {
				port = x.PortName
				if !slices.ContainsFunc(w.Ports, func(c model.ContainerPort) bool { return c.Name == x.PortName }) {
					p.Faults = append(p.Faults, Fault{
						Cause: Cause{Class: CauseSetting, Of: ref, Field: x.Kind + "Probe"}, Subject: ref, Text: "its " + x.Kind + " probe names the port " + x.PortName + ", which no container declares", Source: cmp.Or(x.Source, w.Source).String(),
						Remedy: "declare the port in containerPorts, or probe it by its number",
					})
				}
			}
			if fact := ref + ": " + x.Kind + " by " + x.Action + " on port " + port; !slices.Contains(p.Facts, fact) {
				p.Facts = append(p.Facts, fact)
			}
		}
	}
	return p.judged()
}

// balancerProbes asks that internal load balancers reach their probe port at some pool: with externalTrafficPolicy Local nodes without a
// pod of the Service must not answer.
func (ev *Evidence) balancerProbes() []Part {
	var out []Part
	ports, facts := ev.probePorts()
	if len(ports) == 0 || len(ev.internalFrontends()) == 0 {
		return nil
	}
	for i, port := range ports {
		p := Part{Statement: "load balancers reach the probe port " + port.String() + " of nodes from 168.63.129.16", Subjects: 1, Facts: []string{facts[i]}}
		best := ItemNotApplicable
		var fallback Part
		for _, x := range ev.pools() {
			q := ev.must(platformHost(), []model.Selector{{Kind: model.SelNodePool, Parts: []string{x.cluster.Name(), x.Name}, Text: ev.poolRef(x)}}, port)
			p.Facts = append(p.Facts, ev.poolRef(x)+": "+map[ItemVerdict]string{ItemPass: "open", ItemFail: "shut"}[q.Verdict])
			if q.Verdict == ItemPass {
				best = ItemPass
			} else if best != ItemPass && (fallback.Verdict == "" || q.Verdict == ItemUnknown) {
				fallback = q
			}
		}
		if best != ItemPass {
			p.Verdict, p.Reason, p.Faults, p.Assumptions = cmp.Or(fallback.Verdict, ItemUnknown), cmp.Or(fallback.Reason, "the input names no node pool"), fallback.Faults, fallback.Assumptions
		}
		p = p.judged().remedied("allow AzureLoadBalancer to the probe port at the NSG of the nodes, before the Deny")
		if p.Verdict == ItemFail {
			for j := range p.Faults {
				if strings.Contains(p.Faults[j].Cause.Of, "/") && strings.Contains(p.Faults[j].Cause.Of, "ecurityRules/") {
					p.Faults[j].Cause.Class = CauseNodeNSG
				}
			}
		}
		out = append(out, p)
	}
	return out
}

// gatewayProbes asks that gateways reach the probe ports of their back ends (AZ-AGW-08).
func (ev *Evidence) gatewayProbes() []Part {
	var out []Part
	for _, g := range ev.e.AppGateways {
		name := ev.refs.Of(model.SelAppGateway, g)
		for _, b := range ev.backends(g) {
			statement := fmt.Sprintf("%s reaches its back end %s on tcp/%d, where it probes", name, b.name, b.port)
			if len(b.addresses) == 0 {
				p := unknownPart(statement, "the address of "+b.name+" is not in the input: neither an address of the pool nor a record of a private zone")
				p.Faults = []Fault{{Cause: Cause{Class: CauseNoRef, Of: b.name}, Subject: name, Text: p.Reason, Source: g.Source.String(), Remedy: "add the private DNS zone with the record to the inputs"}}
				out = append(out, p)
				continue
			}
			port := services(fmt.Sprintf("tcp/%d", b.port))
			p := ev.must([]model.Selector{ev.sel(model.SelAppGateway, g)}, blocksOf(b.addresses), port...)
			out = append(out, p.said(1, "%s", statement).remedied("allow the gateway's subnet to the probe port at the NSGs and policies of the back end"))
		}
	}
	return out
}

// backend is an address or a name in a pool of a gateway, with the port that is probed there.
type backend struct {
	name      string
	addresses []netip.Addr
	port      uint16
}

// backends lists what a gateway's forwards lead to.
func (ev *Evidence) backends(g *model.AppGateway) []backend {
	var out []backend
	add := func(pool, setting model.ID) {
		i := slices.IndexFunc(g.Settings, func(s model.AGWSetting) bool { return s.ID.Key() == setting.Key() })
		j := slices.IndexFunc(g.Pools, func(p model.AGWPool) bool { return p.ID.Key() == pool.Key() })
		if i < 0 || j < 0 {
			return
		}
		port := g.Settings[i].Port
		if k := slices.IndexFunc(g.Probes, func(p model.AGWProbe) bool { return p.ID.Key() == g.Settings[i].Probe.Key() }); k >= 0 && g.Probes[k].Port > 0 {
			port = g.Probes[k].Port
		}
		put := func(b backend) {
			b.port = port
			if !slices.ContainsFunc(out, func(o backend) bool { return o.name == b.name && o.port == b.port }) {
				out = append(out, b)
			}
		}
		for _, a := range g.Pools[j].Addresses {
			put(backend{name: a.String(), addresses: []netip.Addr{a}})
		}
		for _, n := range g.Pools[j].FQDNs {
			put(backend{name: n, addresses: recordsOf(ev.e, n)})
		}
	}
	for _, r := range g.Rules {
		if r.Pool != "" {
			add(r.Pool, r.Setting)
		}
		for _, m := range g.PathMaps {
			if r.PathMap == "" || m.ID.Key() != r.PathMap.Key() {
				continue
			}
			add(m.DefaultPool, m.DefaultSetting)
			for _, x := range m.Paths {
				add(x.Pool, x.Setting)
			}
		}
	}
	return out
}

// recordsOf are the addresses that private zones of the input give to a name (AZ-DNS-02).
func recordsOf(e *model.Estate, name string) []netip.Addr {
	for _, z := range e.DNSZones {
		label, ok := strings.CutSuffix(strings.ToLower(name), "."+z.Zone)
		if !z.Private || !ok {
			continue
		}
		for _, r := range z.Records {
			if strings.EqualFold(r.Name, label) && len(r.Addresses) > 0 {
				return r.Addresses
			}
		}
	}
	return nil
}

// probedBackends selects the addresses of back ends, which the solver is to tell apart.
func probedBackends(e *model.Estate) []model.Selector {
	var out []netip.Addr
	for _, g := range e.AppGateways {
		for _, p := range g.Pools {
			out = append(out, p.Addresses...)
			for _, n := range p.FQDNs {
				out = append(out, recordsOf(e, n)...)
			}
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return blocksOf(slices.Compact(out))
}

// monitoringOpen is 1.1.4-k: the monitoring agent reaches where it writes to.
func monitoringOpen(ev *Evidence) []Part {
	const statement = "the monitoring agent reaches where it writes to"
	if len(ev.in.PCI.Monitoring) == 0 {
		judged, _ := ev.clusters()
		for _, c := range judged {
			if c.AddOns["omsagent"] {
				p := unknownPart(statement, ev.refs.Of(model.SelCluster, c)+" has the monitoring add-on, and pci.monitoring does not say where its agent writes to")
				p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "pci.monitoring"}, Subject: ev.refs.Of(model.SelCluster, c), Text: "the path of the agent is not stated", Source: c.Source.String(), Remedy: "state the path in pci.monitoring: from the agent's pods to the private link scope, or to the names of Azure Monitor (AKS-OUT-04)"}}
				return []Part{p}
			}
		}
		return []Part{ev.absent(statement, "monitoring", "pci.monitoring names no path, and no cluster of the input has the monitoring add-on")}
	}
	var out []Part
	for _, m := range ev.in.PCI.Monitoring {
		p := ev.must(m.From, m.To, m.Services...).about(1).remedied("allow the path at the firewall, the NSGs and the policies, or correct pci.monitoring")
		p.Facts = append(p.Facts, "stated at "+m.Source.String())
		out = append(out, p)
	}
	return out
}

// podTLS is 1.1.4-d: pods in scope that talk to other pods are in a mesh that refuses clear text, or somebody vouches for TLS in the applications.
func podTLS(ev *Evidence) []Part {
	const statement = "pods of kind cde talk to other pods by mutual TLS of a mesh"
	list := ev.workloadsIn(model.ZoneCDE)
	if len(list) == 0 {
		if _, none := ev.none("clusters"); none || len(ev.e.Clusters) == 0 {
			return []Part{ev.absent(statement, "clusters", "the input holds no cluster")}
		}
		p := unknownPart(statement, "the input holds no workload in a zone of kind cde")
		judged, _ := ev.clusters()
		for _, c := range judged {
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseNoPods, Of: string(c.ID)}, Subject: ev.refs.Of(model.SelCluster, c), Text: p.Reason, Source: c.Source.String(), Remedy: "add the cluster's manifests to the inputs"})
		}
		return []Part{p}
	}
	all := selAllOf(ev, model.SelPod, ev.e.Workloads)
	p := Part{Statement: statement, Table: &Table{Header: []string{"workload", "in the mesh", "mode"}}}
	mesh := false
	var open []Fault
	var talkers []Fault
	for _, w := range list {
		ref := ev.refs.Of(model.SelPod, w)
		self := ev.sel(model.SelPod, w)
		others := append(slices.Clone(all), not([]model.Selector{self})...)
		if len(all) == 1 {
			continue
		}
		out := ev.denyDirect([]model.Selector{self}, others)
		in := ev.denyDirect(others, []model.Selector{self})
		if out.Verdict == ItemPass && in.Verdict == ItemPass {
			p.Table.Rows = append(p.Table.Rows, []string{ref, "talks to no other pod", ""})
			continue
		}
		p.Subjects++
		state, mode, by := ev.meshOf(w)
		p.Table.Rows = append(p.Table.Rows, []string{ref + inBrackets(w.Source.String()), state, strings.TrimSpace(mode + " " + by)})
		f := Fault{
			Cause: Cause{Class: CauseMesh, Of: ref}, Subject: ref, Text: "its pods take clear text from other pods", Source: w.Source.String(), Field: "PeerAuthentication", Found: mode, Wanted: "STRICT",
			Remedy: "inject the sidecar, and set PeerAuthentication STRICT in the namespace; or attest TLS in the applications",
		}
		switch {
		case state == "no mesh":
			talkers = append(talkers, f)
		case state == "not known" || mode == "not known":
			mesh = true
			f.Cause, f.Text, f.Remedy = Cause{Class: CauseNoRef, Of: ref + " mesh"}, "whether its pods take clear text is not known: the objects of the mesh, or the labels of its namespace, are not in the input", "add the PeerAuthentication objects and the Namespace manifests to the inputs"
			open = append(open, f)
		case state == "no" || mode != "STRICT":
			mesh = true
			if state == "no" {
				f.Text = "its pods are not in the mesh"
			}
			p.Faults = append(p.Faults, f)
		default:
			mesh = true
		}
	}
	switch {
	case p.Subjects == 0:
		p.Verdict, p.Reason = ItemNotApplicable, "no two pods in scope can talk to each other, nor to others: proved for every packet"
		return []Part{p}
	case !mesh:
		if a := ev.attestation("TLS in the applications, in place of a mesh"); a.Verdict == ItemAttested {
			a.Subjects, a.Table = p.Subjects, p.Table
			return []Part{a}
		}
		p.Faults = talkers
		p.Notes = append(p.Notes, "an attestation for 1.1.4-d that names TLS in the applications takes a mesh's place; encryption between nodes does not")
		return []Part{p.judged()}
	case len(p.Faults)+len(talkers) == 0 && len(open) > 0:
		p.Verdict, p.Faults, p.Reason = ItemUnknown, open, open[0].Text
	default:
		p.Faults = append(p.Faults, talkers...)
	}
	return []Part{p.judged()}
}

// meshOf says whether the pods of a workload are in the mesh of their cluster, and in which mode they take connections: the most specific
// PeerAuthentication decides, of the workload, the namespace or the root namespace (K8S-IST-01, K8S-IST-04, AKS-MESH-01, AKS-MESH-02).
func (ev *Evidence) meshOf(w *model.Workload) (state, mode, by string) {
	c, _ := model.Get[*model.Cluster](ev.e, w.Cluster)
	objects := slices.ContainsFunc(ev.e.PeerAuths, func(a *model.PeerAuthentication) bool { return a.Cluster.Key() == w.Cluster.Key() }) ||
		slices.ContainsFunc(ev.e.Authorizations, func(a *model.AuthorizationPolicy) bool { return a.Cluster.Key() == w.Cluster.Key() })
	addOn := c != nil && strings.EqualFold(c.MeshMode, "Istio")
	if !addOn && !objects {
		return "no mesh", "", ""
	}
	i := slices.IndexFunc(ev.e.Namespaces, func(n *model.Namespace) bool { return n.Cluster.Key() == w.Cluster.Key() && n.Name() == w.Namespace })
	word := strings.ToLower(cmp.Or(w.Annotations["sidecar.istio.io/inject"], w.Labels["sidecar.istio.io/inject"]))
	switch {
	case w.HostNetwork || word == "false":
		return "no", "", ""
	case word == "true":
		state = "sidecar"
	case i < 0 || !ev.e.Namespaces[i].Declared:
		return "not known", "", ""
	default:
		switch labels := ev.e.Namespaces[i].Labels; {
		case labels["istio-injection"] == "disabled":
			return "no", "", ""
		case labels["istio-injection"] == "enabled", labels["istio.io/rev"] != "":
			state = "sidecar"
		case labels["istio.io/dataplane-mode"] == "ambient":
			state = "ambient"
		default:
			return "no", "", ""
		}
	}
	if !objects {
		return state, "not known", ""
	}
	mode, rank := "PERMISSIVE", 0 // AKS-MESH-01: what holds where nothing is said
	root := "istio-system"
	if addOn {
		root = "aks-istio-system"
	}
	for _, a := range ev.e.PeerAuths {
		if a.Cluster.Key() != w.Cluster.Key() {
			continue
		}
		own := 0
		switch {
		case a.Namespace == w.Namespace && a.Pods != nil:
			if may, _ := a.Pods.Selects(w.Labels, func(key string) bool { return slices.Contains(w.Implied, key) }); may {
				own = 3
			}
		case a.Namespace == w.Namespace:
			own = 2
		case a.Namespace == root && a.Pods == nil:
			own = 1
		}
		if own == 0 || a.Mode == "" && len(a.Ports) == 0 {
			continue
		}
		worst := a.Mode
		for _, m := range a.Ports {
			if m != "STRICT" && m != "" {
				worst = m // a port of its own that takes clear text
			}
		}
		if own > rank || own == rank && worst != "STRICT" {
			mode, rank, by = cmp.Or(worst, mode), own, a.Namespace+"/"+a.Name()+inBrackets(a.Source.String())
		}
	}
	return state, mode, by
}
