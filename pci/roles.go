package pci

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

// The roles of decisions.md, section 1.2: sets of things in the estate that items speak of, found by what they are and never by name.

// Kinds of zones of zones (decisions.md, section 1.1).
func untrustedKinds() []model.ZoneKind {
	return []model.ZoneKind{model.ZoneInternet, model.ZoneWireless, model.ZoneOnPrem, model.ZonePartner, model.ZoneOutOfScope}
}

func scopeKinds() []model.ZoneKind { return []model.ZoneKind{model.ZoneCDE, model.ZoneData} }

func internalKinds() []model.ZoneKind {
	return []model.ZoneKind{model.ZoneDMZ, model.ZoneCDE, model.ZoneData, model.ZoneTrusted, model.ZoneManagement, model.ZoneOutOfScope}
}

// member is what a zone holds.
type member struct {
	zone model.Zone
	solver.Endpoint
}

// members lists what the declared zones hold, in their order.
func (ev *Evidence) members() []member {
	return keep(ev, "members", func() []member {
		var out []member
		zones, _ := ev.s.Zones()
		for _, z := range zones {
			for _, m := range z.Members {
				out = append(out, member{z.Zone, m})
			}
		}
		return out
	})
}

// unzoned lists the endpoints that are in no zone.
func (ev *Evidence) unzoned() []solver.Endpoint {
	return keep(ev, "unzoned", func() []solver.Endpoint {
		_, out := ev.s.Zones()
		return out
	})
}

// homes are what zones hold, and the zones of places and subnets by their keys.
type homes struct {
	holding map[string][]model.Zone // what a place is, or what lies in a subnet
	own     map[string]model.Zone   // a subnet's own addresses
	members map[string][]member     // of a zone, by its name
}

func (ev *Evidence) homes() homes {
	return keep(ev, "homes", func() homes {
		h := homes{holding: map[string][]model.Zone{}, own: map[string]model.Zone{}, members: map[string][]member{}}
		for _, m := range ev.members() {
			h.members[m.zone.Name] = append(h.members[m.zone.Name], m)
			place, subnet := m.Place.ID.Key(), m.Subnet.Key()
			for _, key := range []string{place, subnet} {
				if !slices.ContainsFunc(h.holding[key], func(z model.Zone) bool { return z.Name == m.zone.Name }) {
					h.holding[key] = append(h.holding[key], m.zone)
				}
			}
			if m.Place.Kind == model.PlaceSubnet || m.Place.Kind == model.PlaceNodePool {
				if _, ok := h.own[place]; !ok {
					h.own[place] = m.zone
				}
			}
		}
		return h
	})
}

// membersOf lists what a zone holds.
func (ev *Evidence) membersOf(z model.Zone) []member { return ev.homes().members[z.Name] }

// zonesOf are the zones that hold a resource, or what is in it: the members whose place or subnet it is.
func (ev *Evidence) zonesOf(id model.ID) []model.Zone { return ev.homes().holding[id.Key()] }

// subnetZone is the zone of a subnet's own addresses; false where it is in none.
func (ev *Evidence) subnetZone(s *model.Subnet) (model.Zone, bool) {
	if z, ok := ev.homes().own[s.ID.Key()]; ok {
		return z, true
	}
	if z := ev.zonesOf(s.ID); len(z) > 0 {
		return z[0], true
	}
	return model.Zone{}, false
}

// subnetsIn lists the subnets of the zones of some kinds.
func (ev *Evidence) subnetsIn(kinds ...model.ZoneKind) []*model.Subnet {
	var out []*model.Subnet
	for _, s := range ev.e.Subnets {
		if z, ok := ev.subnetZone(s); ok && slices.Contains(kinds, z.Kind) {
			out = append(out, s)
		}
	}
	return out
}

// clusters lists the clusters of which a pool, a namespace or a pod lies in an internal zone other than out-of-scope; wholly lists the
// others, which are not judged.
func (ev *Evidence) clusters() (judged, wholly []*model.Cluster) {
	type answer struct{ judged, wholly []*model.Cluster }
	a := keep(ev, "clusters", func() (a answer) {
		for _, c := range ev.e.Clusters {
			if ev.isJudged(c) {
				a.judged = append(a.judged, c)
			} else {
				a.wholly = append(a.wholly, c)
			}
		}
		return a
	})
	return a.judged, a.wholly
}

// judgedCluster finds a judged cluster.
func (ev *Evidence) judgedCluster(id model.ID) (*model.Cluster, bool) {
	judged, _ := ev.clusters()
	i := slices.IndexFunc(judged, func(c *model.Cluster) bool { return c.ID.Is(id) })
	if i < 0 {
		return nil, false
	}
	return judged[i], true
}

// isJudged reports whether a pool, a namespace or a pod of a cluster lies in an internal zone other than out-of-scope.
func (ev *Evidence) isJudged(c *model.Cluster) bool {
	for _, m := range ev.members() {
		if m.zone.Kind.External() || m.zone.Kind == model.ZoneOutOfScope {
			continue
		}
		switch m.Place.Kind {
		case model.PlaceNodePool, model.PlaceAPIServer:
			if m.Place.ID.Key() == c.ID.Key() {
				return true
			}
		case model.PlacePod:
			if w, ok := model.Get[*model.Workload](ev.e, m.Place.ID); ok && w.Cluster.Key() == c.ID.Key() {
				return true
			}
		default:
		}
	}
	return slices.ContainsFunc(c.Pools, func(n model.NodePool) bool {
		s, ok := model.Get[*model.Subnet](ev.e, n.Subnet)
		if !ok {
			return false
		}
		z, zoned := ev.subnetZone(s)
		return zoned && z.Kind != model.ZoneOutOfScope
	})
}

// pool is a node pool with its cluster.
type pool struct {
	cluster *model.Cluster
	model.NodePool
}

// pools lists the node pools of the judged clusters.
func (ev *Evidence) pools() []pool {
	var out []pool
	judged, _ := ev.clusters()
	for _, c := range judged {
		for _, n := range c.Pools {
			out = append(out, pool{c, n})
		}
	}
	return out
}

// poolRef names a node pool.
func (ev *Evidence) poolRef(p pool) string { return ev.refs.Pool(p.cluster, p.Name) }

// nodeSubnets and podSubnets are the subnets of the judged clusters' pools, as far as they are in the input; missing names the others.
func (ev *Evidence) nodeSubnets() (found []*model.Subnet, missing []model.ID) {
	return ev.poolSubnets(func(p pool) model.ID { return p.Subnet })
}

func (ev *Evidence) podSubnets() (found []*model.Subnet, missing []model.ID) {
	return ev.poolSubnets(func(p pool) model.ID { return p.PodSubnet })
}

func (ev *Evidence) poolSubnets(of func(pool) model.ID) (found []*model.Subnet, missing []model.ID) {
	seen := map[string]bool{}
	for _, p := range ev.pools() {
		id := of(p)
		if id == "" || seen[id.Key()] {
			continue
		}
		seen[id.Key()] = true
		if s, ok := model.Get[*model.Subnet](ev.e, id); ok {
			found = append(found, s)
		} else {
			missing = append(missing, id)
		}
	}
	return found, missing
}

// nodes selects the nodes of the judged clusters, and the rest of each node subnet (AZ-GEN-07).
func (ev *Evidence) nodes() []model.Selector {
	found, _ := ev.nodeSubnets()
	return ev.selAll(model.SelSubnet, found)
}

// ownCluster selects the nodes, pods and pod subnets of the judged clusters: what is left out where items speak of "any but its own".
func (ev *Evidence) ownCluster() []model.Selector {
	judged, _ := ev.clusters()
	out := ev.nodes()
	pods, _ := ev.podSubnets()
	out = append(out, ev.selAll(model.SelSubnet, pods)...)
	for _, c := range judged {
		if len(c.Pools) > 0 {
			out = append(out, ev.sel(model.SelCluster, c))
		}
		for _, n := range ev.e.Namespaces {
			if n.Cluster.Key() == c.ID.Key() && slices.ContainsFunc(ev.e.Workloads, func(w *model.Workload) bool {
				return w.Cluster.Key() == c.ID.Key() && w.Namespace == n.Name()
			}) {
				out = append(out, ev.sel(model.SelNamespace, n))
			}
		}
	}
	return out
}

// selAllOf selects resources of one kind.
func selAllOf[R model.Resource](ev *Evidence, k model.SelectorKind, list []R) (out []model.Selector) {
	for _, r := range list {
		out = append(out, ev.sel(k, r))
	}
	return out
}

func (ev *Evidence) selAll(k model.SelectorKind, list []*model.Subnet) []model.Selector {
	return selAllOf(ev, k, list)
}

// apiServers selects the API servers of the judged clusters that the input describes.
func (ev *Evidence) apiServers() []model.Selector {
	judged, _ := ev.clusters()
	return selAllOf(ev, model.SelAPIServer, slices.DeleteFunc(slices.Clone(judged), func(c *model.Cluster) bool { return c.Manifest }))
}

// workloadsIn lists the workloads of the zones of some kinds.
func (ev *Evidence) workloadsIn(kinds ...model.ZoneKind) []*model.Workload {
	var out []*model.Workload
	seen := map[string]bool{}
	for _, m := range ev.members() {
		if m.Place.Kind != model.PlacePod || !slices.Contains(kinds, m.zone.Kind) || seen[m.Place.ID.Key()] {
			continue
		}
		seen[m.Place.ID.Key()] = true
		if w, ok := model.Get[*model.Workload](ev.e, m.Place.ID); ok {
			out = append(out, w)
		}
	}
	return out
}

// routers selects what may take traffic in from the internet and look at it: application gateways, Front Doors, API Managements that the
// internet reaches, and those that people name. Whether their WAF blocks is another question.
func (ev *Evidence) routers() []model.Selector {
	return keep(ev, "routers", func() []model.Selector {
		var all []model.Selector
		all = append(all, selAllOf(ev, model.SelAppGateway, ev.e.AppGateways)...)
		all = append(all, selAllOf(ev, model.SelFrontDoor, ev.e.FrontDoors)...)
		all = append(all, selAllOf(ev, model.SelAPIM, ev.e.APIMs)...)
		var out []model.Selector
		for _, x := range all {
			if r, err := ev.s.Reach(ev.zones(model.ZoneInternet), []model.Selector{x}, nil, false); err == nil && r.Verdict != solver.Unreachable {
				out = append(out, x)
			}
		}
		return append(out, ev.in.PCI.IngressRouters...)
	})
}

// firewalls selects the Azure Firewalls, and the appliances that count as one.
func (ev *Evidence) firewalls() []model.Selector {
	return append(selAllOf(ev, model.SelFirewall, ev.e.Firewalls), ev.in.PCI.Firewalls...)
}

// bastions selects the Bastions, with the subnets that they stand in.
func (ev *Evidence) bastions() []model.Selector {
	out := selAllOf(ev, model.SelBastion, ev.e.Bastions)
	for _, b := range ev.e.Bastions {
		if s, ok := model.Get[*model.Subnet](ev.e, b.Subnet); ok {
			out = append(out, ev.sel(model.SelSubnet, s))
		}
	}
	return out
}

// jump selects the declared jump boxes.
func (ev *Evidence) jump() []model.Selector { return ev.in.PCI.JumpBoxes }

// frontend is a frontend of a load balancer that leads to nodes or pods.
type frontend struct {
	name    string // lb:kubernetes-internal, or lb:namespace/service
	service *model.KubeService
	lb      *model.LoadBalancer
	front   model.LBFrontend
	cluster model.ID
	public  bool
}

// frontends lists the frontends of load balancers that lead to nodes: those of Services and of load balancers whose pools hold nodes.
// Public frontends that only carry outbound traffic do not count.
func (ev *Evidence) frontends() []frontend {
	return keep(ev, "frontends", func() []frontend {
		var out []frontend
		judged, _ := ev.clusters()
		groups := map[string]model.ID{}
		for _, c := range judged {
			if c.NodeGroup != "" {
				groups[strings.ToLower(c.NodeGroup)] = c.ID
			}
		}
		for _, s := range ev.e.KubeServices {
			if _, ok := ev.judgedCluster(s.Cluster); ok && s.Type == "LoadBalancer" {
				out = append(out, frontend{name: ev.refs.Of(model.SelLB, s), service: s, cluster: s.Cluster, public: !s.Internal()})
			}
		}
		for _, l := range ev.e.LoadBalancers {
			cluster, managed := groups[strings.ToLower(l.ID.ResourceGroup())]
			for _, f := range l.Frontends {
				used := slices.ContainsFunc(l.Rules, func(r model.LBRule) bool { return r.Frontend.Key() == f.ID.Key() }) ||
					slices.ContainsFunc(l.NATRules, func(r model.LBNATRule) bool { return r.Frontend.Key() == f.ID.Key() })
				public := f.PublicIP != "" || f.Prefix != ""
				if !managed || public && !used {
					continue
				}
				out = append(out, frontend{name: ev.refs.Of(model.SelLB, l) + "/" + f.Name, lb: l, front: f, cluster: cluster, public: public})
			}
		}
		return out
	})
}

// internalFrontends and publicFrontends are `ilb` and `publb`.
func (ev *Evidence) internalFrontends() []frontend {
	return slices.DeleteFunc(slices.Clone(ev.frontends()), func(f frontend) bool { return f.public })
}

func (ev *Evidence) publicFrontends() []frontend {
	return slices.DeleteFunc(slices.Clone(ev.frontends()), func(f frontend) bool { return !f.public })
}

// storeSelectors selects the declared stores of cardholder data.
func (ev *Evidence) storeSelectors() (out []model.Selector) {
	for _, s := range ev.in.Stores {
		out = append(out, s.At)
	}
	return out
}

// endpointsOf lists the private endpoints of a service that are approved, or whose state the input does not state.
func (ev *Evidence) endpointsOf(id model.ID) []*model.PrivateEndpoint {
	var out []*model.PrivateEndpoint
	for _, p := range ev.e.Endpoints {
		if p.Target.Key() == id.Key() && (p.State == "" || strings.EqualFold(p.State, "Approved")) {
			out = append(out, p)
		}
	}
	return out
}

// platformSubnet says why a subnet holds no code of the customer, so that egress rules leave it out; empty: it may.
func (ev *Evidence) platformSubnet(s *model.Subnet) string {
	switch name := strings.ToLower(s.Name()); name {
	case "azurefirewallsubnet", "azurefirewallmanagementsubnet", "azurebastionsubnet", "gatewaysubnet", "routeserversubnet":
		return s.Name() + " is of the platform"
	}
	for _, d := range s.Delegations {
		if l := strings.ToLower(d); strings.HasPrefix(l, "microsoft.servicenetworking/") || strings.HasPrefix(l, "microsoft.apimanagement/") {
			return "delegated to " + d
		}
	}
	gateways := slices.ContainsFunc(ev.e.AppGateways, func(g *model.AppGateway) bool {
		return slices.ContainsFunc(g.Subnets, func(id model.ID) bool { return id.Key() == s.ID.Key() })
	})
	if gateways && !ev.holdsMachines(s) {
		return "application gateways alone"
	}
	return ""
}

// holdsMachines reports whether NICs, scale sets or node pools of the customer lie in a subnet.
func (ev *Evidence) holdsMachines(s *model.Subnet) bool {
	in := func(list []model.IPConfig) bool {
		return slices.ContainsFunc(list, func(c model.IPConfig) bool { return c.Subnet.Key() == s.ID.Key() })
	}
	return slices.ContainsFunc(ev.e.NICs, func(n *model.NIC) bool { return n.PrivateEndpoint == "" && in(n.IPConfigs) }) ||
		slices.ContainsFunc(ev.e.ScaleSets, func(v *model.ScaleSet) bool {
			return slices.ContainsFunc(v.Profiles, func(p model.NICProfile) bool { return in(p.IPConfigs) })
		}) ||
		slices.ContainsFunc(ev.e.Clusters, func(c *model.Cluster) bool {
			return slices.ContainsFunc(c.Pools, func(p model.NodePool) bool { return p.Subnet.Key() == s.ID.Key() || p.PodSubnet.Key() == s.ID.Key() })
		})
}

// hubs lists the VNets that hold a firewall or gateway, hold no workload of kinds cde, data or trusted, and are peered with one that does.
func (ev *Evidence) hubs() []*model.VNet {
	holds := func(v *model.VNet, id model.ID) bool {
		_, of := ev.e.SubnetOf(id)
		return of != nil && of.ID.Key() == v.ID.Key()
	}
	working := func(v *model.VNet) bool {
		return slices.ContainsFunc(ev.subnetsIn(model.ZoneCDE, model.ZoneData, model.ZoneTrusted), func(s *model.Subnet) bool { return s.VNet.Key() == v.ID.Key() })
	}
	var out []*model.VNet
	for _, v := range ev.e.VNets {
		central := slices.ContainsFunc(ev.e.Firewalls, func(f *model.Firewall) bool { return holds(v, f.Subnet) }) ||
			slices.ContainsFunc(v.Subnets, func(id model.ID) bool { return strings.EqualFold(id.Name(), "GatewaySubnet") })
		peered := slices.ContainsFunc(v.Peerings, func(p model.Peering) bool {
			w, ok := model.Get[*model.VNet](ev.e, p.Remote)
			return ok && working(w)
		})
		if central && peered && !working(v) {
			out = append(out, v)
		}
	}
	return out
}

// exempt says why no default deny is demanded of a namespace: those that AKS provides (AKS-POL-03), conditional ones only where AKS installed them (decisions.md, section 6).
func (ev *Evidence) exempt(c *model.Cluster, namespace string) (why string, ok bool) {
	x := ev.in.PCI.ExemptNamespaces
	says := func(list []model.ExemptNamespace) (string, bool) {
		for _, n := range list {
			if n.Name == namespace && (n.Expires.IsZero() || !n.Expires.Before(ev.in.AsOf)) {
				return "stated by " + n.Owner + ": " + n.Reason + inBrackets(n.Source.String()), true
			}
		}
		return "", false
	}
	if why, ok = says(x.Add); ok {
		return why, true
	}
	if x.OnlySet {
		return says(x.Only)
	}
	return ProvidedByAKS(c, namespace)
}

// ProvidedByAKS says why a namespace is one that AKS brings along (AKS-POL-03): always, or because the cluster has what installs it
// (decisions.md, section 6).
func ProvidedByAKS(c *model.Cluster, namespace string) (why string, ok bool) {
	switch namespace {
	case "kube-system", "kube-public", "kube-node-lease", "gatekeeper-system", "aks-istio-system", "aks-istio-ingress", "aks-istio-egress",
		"app-routing-system", "aks-command", "azure-extensions-usage-system", "aks-static-egress-gateway":
		return "provided by AKS", true
	case "calico-system", "tigera-operator":
		return "installed by AKS with networkPolicy calico", strings.EqualFold(c.Policy, "calico")
	case "dapr-system", "flux-system", "azure-arc":
		for _, n := range []string{namespace, strings.TrimSuffix(namespace, "-system"), "azure" + strings.TrimSuffix(namespace, "-system")} {
			if c.AddOns[n] {
				return "installed by AKS as add-on " + n, true
			}
		}
	}
	return "", false
}

// findings are the findings of lint of some kinds: what several items judge is found in one place.
func (ev *Evidence) findings(ids ...string) []lint.Finding {
	all := keep(ev, "findings", func() []lint.Finding { return lint.Check(ev.p) })
	var out []lint.Finding
	for _, f := range all {
		if slices.Contains(ids, f.ID) {
			out = append(out, f)
		}
	}
	return out
}

// missingNSGs lists the NSGs that subnets and NICs name and the input lacks; those that AKS writes apart.
func (ev *Evidence) missingNSGs() []Fault {
	var out []Fault
	seen := map[string]bool{}
	add := func(of string, id model.ID, source model.Source) {
		if _, ok := model.Get[*model.NSG](ev.e, id); ok || id == "" || seen[id.Key()] {
			return
		}
		seen[id.Key()] = true
		out = append(out, ev.unknownRef(of, id, source))
	}
	for _, s := range ev.e.Subnets {
		add(ev.refs.Of(model.SelSubnet, s), s.NSG, s.Source)
	}
	for _, n := range ev.e.NICs {
		add(ev.refs.Of(model.SelNIC, n), n.NSG, n.Source)
	}
	for _, v := range ev.e.ScaleSets {
		if v.Managed {
			continue
		}
		for _, c := range v.Profiles {
			add(ev.refs.Of(model.SelVM, v), c.NSG, c.Source)
		}
	}
	return out
}

// missingNSG reports whether a subnet names an NSG that the input lacks: what reads it is unknown.
func (ev *Evidence) missingNSG(s *model.Subnet) bool {
	_, ok := model.Get[*model.NSG](ev.e, s.NSG)
	return s.NSG != "" && !ok
}

// unknownRef is the fault of something that lacks a resource which it names.
func (ev *Evidence) unknownRef(of string, id model.ID, source model.Source) Fault {
	return Fault{
		Cause: Cause{Class: CauseNoRef, Of: string(id)}, Subject: of, Source: source.String(),
		Text: of + " names " + id.ShortName() + ", which is not in the input", Remedy: "add the resource " + string(id) + " to the inputs",
	}
}
