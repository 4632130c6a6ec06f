package pci

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// What 1.1.1-b decides: that a firewall, NSGs and policies are not only there but asked.

// controlsInUse asks for each kind of control whether packets into or out of the CDE meet it.
func (ev *Evidence) controlsInUse() []Part {
	return []Part{ev.firewallInUse(), ev.nsgsInUse(), ev.policiesInUse()}
}

// noCDE is the part that has no subject because no zone is of kind cde.
func (ev *Evidence) noCDE(statement string) (Part, bool) {
	if len(ev.zones(model.ZoneCDE)) > 0 {
		return Part{}, false
	}
	p := unknownPart(statement, "ringfence.yaml declares no zone of kind cde")
	p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "zones", Field: string(model.ZoneCDE)}, Text: "no zone of kind cde", Source: ev.in.Source.String(), Remedy: "declare the zone that holds cardholder data"}}
	return p, true
}

// firewallInUse asks that what the CDE sends to the internet meets a firewall, whatever it answers.
func (ev *Evidence) firewallInUse() Part {
	p := Part{Statement: "a firewall is on the way from the CDE to the internet", Subjects: len(ev.firewalls())}
	if x, ok := ev.noCDE(p.Statement); ok {
		return x
	}
	if p.Subjects == 0 {
		p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseNoFirewall}, Text: "the input holds no Azure Firewall", Source: ev.in.Source.String(), Remedy: "route the egress of the CDE through a firewall, or add it to the inputs"})
		return p.judged()
	}
	r, err := ev.s.Reach(ev.zones(model.ZoneCDE), ev.zones(model.ZoneInternet), nil, false)
	if err != nil {
		return unknownPart(p.Statement, err.Error())
	}
	is := func(at string) bool {
		return slices.ContainsFunc(ev.firewalls(), func(f model.Selector) bool { return f.Text == at })
	}
	for _, f := range r.Flows {
		if i := slices.IndexFunc(f.Via, is); i >= 0 {
			p.Facts = append(p.Facts, "passes "+f.Via[i]+": "+flowText(f))
			return p.judged()
		}
	}
	for _, b := range r.BlockedBy {
		if is(b.At) {
			p.Facts = append(p.Facts, "stops at "+b.At+": "+cmp.Or(b.Rule, b.Detail, b.Stage)+inBrackets(b.Source))
			return p.judged()
		}
	}
	for _, s := range ev.subnetsIn(model.ZoneCDE) {
		t, ok := model.Get[*model.RouteTable](ev.e, s.RouteTable)
		if s.RouteTable != "" && !ok {
			p.Verdict, p.Reason = ItemUnknown, "a route table is not in the input"
			p.Faults = append(p.Faults, ev.unknownRef(ev.refs.Of(model.SelSubnet, s), s.RouteTable, s.Source))
			continue
		}
		if ok && slices.ContainsFunc(t.Routes, func(x model.UserRoute) bool {
			return slices.ContainsFunc(ev.e.Firewalls, func(f *model.Firewall) bool { return f.Address.IsValid() && f.Address == x.Address })
		}) {
			p.Facts = append(p.Facts, "routes of "+t.Name()+" lead "+ev.refs.Of(model.SelSubnet, s)+" to the firewall")
			return p.judged()
		}
	}
	if p.Verdict != "" {
		return p
	}
	names := ev.firewalls()
	f := Fault{Cause: Cause{Class: CauseSetting, Of: names[0].Text, Field: "routes"}, Subject: names[0].Text, Text: names[0].Text + " is present, without effect: nothing that the CDE sends reaches it", Remedy: "route 0.0.0.0/0 of the CDE's subnets to it"}
	for _, s := range ev.subnetsIn(model.ZoneCDE) {
		f.Cause = Cause{Class: CauseRoute, Of: ev.refs.Of(model.SelSubnet, s), Field: "0.0.0.0/0"}
		f.Source = s.Source.String()
		break
	}
	p.Faults = append(p.Faults, f)
	return p.judged()
}

// nsgsInUse asks for an NSG at every subnet of the CDE, where it is asked (AZ-PE-03).
func (ev *Evidence) nsgsInUse() Part {
	p := Part{Statement: "an NSG filters at every subnet of the CDE"}
	if x, ok := ev.noCDE(p.Statement); ok {
		return x
	}
	subnets := ev.subnetsIn(model.ZoneCDE)
	p.Subjects = len(subnets)
	if len(subnets) == 0 {
		p = unknownPart(p.Statement, "no subnet of the input is in a zone of kind cde")
		return p
	}
	var unknown []Fault
	for _, s := range subnets {
		ref := ev.refs.Of(model.SelSubnet, s)
		f := Fault{Subject: ref, Cause: Cause{Class: CauseSetting, Of: ref, Field: "networkSecurityGroup"}, Source: s.Source.String(), Remedy: "attach an NSG to the subnet"}
		switch {
		case s.NSG == "":
			f.Text = ref + " has no NSG"
			p.Faults = append(p.Faults, f)
		case ev.missingNSG(s):
			unknown = append(unknown, ev.unknownRef(ref, s.NSG, s.Source))
		case !ev.holdsMachines(s) && ev.holdsEndpoints(s) && (s.EndpointPolicies == model.PoliciesDisabled || s.EndpointPolicies == model.PoliciesRouteTable):
			f.Cause = Cause{Class: CauseEndpointNSG, Of: ref, Field: "privateEndpointNetworkPolicies"}
			f.Text, f.Field, f.Found, f.Wanted = s.NSG.Name()+" is present, without effect: the subnet holds private endpoints, which no NSG filters with this setting",
				"privateEndpointNetworkPolicies", s.EndpointPolicies.String(), "Enabled"
			f.Remedy = "set privateEndpointNetworkPolicies to Enabled"
			p.Faults = append(p.Faults, f)
		default:
			p.Facts = append(p.Facts, ref+": nsg:"+s.NSG.Name())
		}
	}
	if len(p.Faults) == 0 && len(unknown) > 0 {
		p.Verdict, p.Reason = ItemUnknown, "an NSG is not in the input"
	}
	p.Faults = append(p.Faults, unknown...)
	return p.judged()
}

// holdsEndpoints reports whether private endpoints lie in a subnet.
func (ev *Evidence) holdsEndpoints(s *model.Subnet) bool {
	return slices.ContainsFunc(ev.e.Endpoints, func(p *model.PrivateEndpoint) bool { return p.Subnet.Is(s.ID) })
}

// engineOf is what enforces the policies of a cluster (AKS-POL-01): a name, `none`, or empty where the input does not say.
func engineOf(c *model.Cluster) string {
	name := cmp.Or(strings.ToLower(c.Policy), strings.ToLower(c.Engine))
	switch {
	case strings.EqualFold(c.DataPlane, "cilium"):
		return "cilium"
	case name != "":
		return name
	case c.Manifest, c.PolicyOpen, strings.EqualFold(c.Plugin, "none"):
		return ""
	default:
		return "none" // absent in a live export
	}
}

// policiesInUse asks that policies select pods of every cluster with pods in the CDE, and that something enforces them.
func (ev *Evidence) policiesInUse() Part {
	p := Part{Statement: "network policies select pods of every cluster with pods in the CDE, and an engine enforces them"}
	if x, ok := ev.noCDE(p.Statement); ok {
		return x
	}
	var clusters []*model.Cluster
	for _, w := range ev.workloadsIn(model.ZoneCDE) {
		if c, ok := model.Get[*model.Cluster](ev.e, w.Cluster); ok && !slices.Contains(clusters, c) {
			clusters = append(clusters, c)
		}
	}
	if len(clusters) == 0 {
		return ev.absent(p.Statement, "clusters", "the input holds no pods in a zone of kind cde")
	}
	var open []Fault
	for _, c := range clusters {
		p.Subjects++
		ref := ev.refs.Of(model.SelCluster, c)
		var by []string
		for _, w := range ev.e.Workloads {
			if w.Cluster.Is(c.ID) {
				by = append(by, ev.selectedBy(w)...)
			}
		}
		slices.Sort(by)
		by = slices.Compact(by)
		f := Fault{Cause: Cause{Class: CauseEngine, Of: ref, Field: "networkProfile.networkPolicy"}, Subject: ref, Source: c.Source.String()}
		switch engine := engineOf(c); {
		case engine == "none":
			f.Text, f.Field, f.Found, f.Wanted = "policies are present, without effect: the cluster has no engine for them", "networkProfile.networkPolicy", cmp.Or(c.Policy, "absent"), "azure, calico or cilium"
			f.Remedy = "switch a policy engine on"
			p.Faults = append(p.Faults, f)
		case engine == "":
			f.Cause = Cause{Class: CauseNoRef, Of: "ASM-K-ENGINE"}
			f.Text, f.Remedy = "which engine enforces the policies of "+ref+" is not in the input (ASM-K-ENGINE)", "add the managedClusters resource, or state the engine of the input"
			open = append(open, f)
		case len(by) == 0:
			f.Cause, f.Text, f.Remedy = Cause{Class: CauseDefaultDeny, Of: ref}, "no policy selects a pod of "+ref, "add a policy that denies by default to each namespace"
			p.Faults = append(p.Faults, f)
		default:
			p.Facts = append(p.Facts, fmt.Sprintf("%s, engine %s: %s", ref, engine, strings.Join(by, ", ")))
		}
	}
	return p.besides(open)
}

// selectedBy names the rule sets of policies that may select a workload.
func (ev *Evidence) selectedBy(w *model.Workload) []string {
	var out []string
	unknown := func(key string) bool { return slices.Contains(w.Implied, key) }
	for _, n := range ev.e.NetPolicies {
		if may, _ := n.Pods.Selects(w.Labels, unknown); may && n.Cluster.Is(w.Cluster) && n.Namespace == w.Namespace {
			out = append(out, "policy:"+n.Cluster.Name()+"/"+n.Namespace)
		}
	}
	for _, r := range ev.ruleSets() { // of the other kinds, by namespace or for the whole cluster
		switch x := r.Resource.(type) {
		case *model.CiliumPolicy:
			if x.Cluster.Is(w.Cluster) && (x.Namespace == "" || x.Namespace == w.Namespace) {
				out = append(out, r.ID)
			}
		case *model.CalicoPolicy:
			if x.Cluster.Is(w.Cluster) && (x.Namespace == "" || x.Namespace == w.Namespace) {
				out = append(out, r.ID)
			}
		case *model.ClusterPolicy:
			if x.Cluster.Is(w.Cluster) {
				out = append(out, r.ID)
			}
		default:
		}
	}
	return out
}
