package dataplane

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// podMode is how pods get their addresses, and what the rest of the network sees of them (AKS-NET-01).
type podMode uint8

const (
	podsBare       podMode = iota // no cluster resource: pods stand in a network of which nothing is known
	podsOverlay                   // own address space; outside it packets carry the node's address
	podsNodeSubnet                // addresses of the node subnet; outside the VNet packets carry the node's address
	podsPodSubnet                 // addresses of a pod subnet
	podsUnknown                   // a CNI that AKS does not manage
)

// engine is what enforces NetworkPolicy (K8S-GEN-04).
type engine uint8

const (
	engineNone    engine = iota
	engineAssumed        // manifests only: one of the three of AKS (ASM-K-ENGINE)
	engineAzure
	engineCalico
	engineCilium
	engineOther // another one: NetworkPolicy as specified, the rest open (ASM-K-BYOCNI)
	engineOpen  // a template that leaves it out: over none, under enforced (ASM-A-ENGINE)
)

// clusterPlan is what the planner knows of one cluster.
type clusterPlan struct {
	c         *model.Cluster
	mode      podMode
	engine    engine
	workloads []*model.Workload
	services  []*model.KubeService
	ingresses []*model.Ingress
	policies  []*model.NetworkPolicy
	labels    map[string]*model.Namespace
	pods      []*pod
	all       packet.AddrSet // every pod address of the cluster
	onNodes   packet.AddrSet // addresses of pods of the host network where the input has no nodes
	taken     *[2]*lazy      // see takenBy
	between   *podNetwork    // nil where it is not known
	masked    bool           // of a copy: a node's address is the node's, whoever sent the packet (K8S-NP-14)
}

// planClusters sorts Kubernetes objects by cluster. It registers nothing: symbols need it before address sets exist.
func (p *planner) planClusters() {
	for _, c := range p.e.Clusters {
		p.clusters[c.ID.Key()] = &clusterPlan{c: c, mode: p.podMode(c), engine: engineOf(c), labels: map[string]*model.Namespace{}}
	}
	at := func(id model.ID) *clusterPlan { return p.clusters[id.Key()] }
	for _, n := range p.e.Namespaces {
		if c := at(n.Cluster); c != nil {
			c.labels[n.Name()] = n
		}
	}
	for _, w := range p.e.Workloads {
		if c := at(w.Cluster); c != nil {
			c.workloads = append(c.workloads, w)
		}
	}
	for _, s := range p.e.KubeServices {
		if c := at(s.Cluster); c != nil {
			c.services = append(c.services, s)
		}
	}
	for _, i := range p.e.Ingresses {
		if c := at(i.Cluster); c != nil {
			c.ingresses = append(c.ingresses, i)
		}
	}
	for _, n := range p.e.NetPolicies {
		if c := at(n.Cluster); c != nil {
			c.policies = append(c.policies, n)
		}
	}
}

func modeOf(c *model.Cluster) podMode {
	switch {
	case c.Manifest:
		return podsBare
	case strings.EqualFold(c.Plugin, "none"):
		return podsUnknown
	case strings.EqualFold(c.Plugin, "kubenet"), strings.EqualFold(c.PluginMode, "overlay"):
		return podsOverlay
	case slices.ContainsFunc(c.Pools, func(n model.NodePool) bool { return n.PodSubnet != "" }):
		return podsPodSubnet
	case strings.EqualFold(c.Plugin, "azure"):
		return podsNodeSubnet
	case c.Plugin == "":
		return podsOverlay // kubenet or overlay, which read alike (ASM-A-PLUGIN)
	default:
		return podsUnknown
	}
}

// podMode is modeOf, with the plugin open where the input does not state it and nothing is assumed (ASM-A-PLUGIN).
func (p *planner) podMode(c *model.Cluster) podMode {
	if unstated(c) && !p.assumed("ASM-A-PLUGIN") {
		return podsUnknown
	}
	return modeOf(c)
}

// unstated reports a cluster whose network profile does not say how pods get their addresses.
func unstated(c *model.Cluster) bool {
	return !c.Manifest && c.Plugin == "" && c.PluginMode == "" && !slices.ContainsFunc(c.Pools, func(n model.NodePool) bool { return n.PodSubnet != "" })
}

// modeAt is the mode of one pool: of a cluster with pod subnets, one without has pods in its node subnet (AKS-NET-09).
func (cp *clusterPlan) modeAt(pool string) podMode {
	if cp.mode == podsPodSubnet && slices.ContainsFunc(cp.c.Pools, func(n model.NodePool) bool { return n.Name == pool && n.PodSubnet == "" }) {
		return podsNodeSubnet
	}
	return cp.mode
}

func engineOf(c *model.Cluster) engine {
	name := strings.ToLower(c.Policy)
	if strings.EqualFold(c.DataPlane, "cilium") {
		name = "cilium" // AKS-POL-01
	}
	if name == "" && c.Engine != "" {
		name = strings.ToLower(c.Engine)
	}
	switch {
	case name == "azure":
		return engineAzure
	case name == "calico":
		return engineCalico
	case name == "cilium":
		return engineCilium
	case name == "none" && strings.EqualFold(c.Plugin, "none"), name != "" && name != "none":
		return engineOther
	case name == "none":
		return engineNone
	case strings.EqualFold(c.Plugin, "none"):
		return engineOther
	case c.Manifest:
		return engineAssumed
	case c.PolicyOpen:
		return engineOpen
	default:
		return engineNone // absent in a live export
	}
}

// enforces reports whether policies are enforced in the two bounds.
func (p *planner) enforces(e engine) (over, under bool) {
	switch e {
	case engineNone:
		return false, false
	case engineOpen:
		return false, true
	case engineAssumed:
		return p.assumed("ASM-K-ENGINE"), true
	default:
		return true, true
	}
}

// podSpace is the addresses that pods of a workload may have.
func (p *planner) podSpace(w *model.Workload) *netipx.IPSet {
	every := ipset([]netip.Prefix{allV4()})
	if w == nil {
		return every
	}
	cp := p.clusters[w.Cluster.Key()]
	if cp == nil {
		return every
	}
	switch cp.mode {
	case podsOverlay:
		return ipset(podCIDRs(cp.c))
	case podsNodeSubnet, podsPodSubnet:
		var ids []model.ID
		for _, name := range p.placements(w) {
			for _, pool := range cp.c.Pools {
				if pool.Name != name {
					continue
				}
				if pool.PodSubnet != "" {
					ids = append(ids, pool.PodSubnet)
				} else if pool.Subnet != "" {
					ids = append(ids, pool.Subnet)
				}
			}
		}
		if len(ids) == 0 {
			return every
		}
		return p.freeSpace(ids...)
	default:
		return every
	}
}

// podCIDRs are the overlay ranges; AKS takes 10.244.0.0/16 when none is stated.
func podCIDRs(c *model.Cluster) []netip.Prefix {
	var out []netip.Prefix
	for _, x := range c.PodCIDRs {
		if x.Addr().Is4() {
			out = append(out, x)
		}
	}
	if len(out) == 0 {
		return prefixes("10.244.0.0/16")
	}
	return out
}

// placements are the node pools on which pods of a workload may run: labels of the pool that AKS sets or the input states, and
// taints against tolerations. A cluster without pools has one placement without a name.
func (p *planner) placements(w *model.Workload) []string {
	cp := p.clusters[w.Cluster.Key()]
	if cp == nil || len(cp.c.Pools) == 0 {
		return []string{""}
	}
	var fits, labelled []string
	for _, pool := range cp.c.Pools {
		if !selects(w.NodeSelector, pool) {
			continue
		}
		labelled = append(labelled, pool.Name)
		if tolerates(w, pool) {
			fits = append(fits, pool.Name)
		}
	}
	switch {
	case len(fits) > 0:
		return fits
	case len(labelled) > 0:
		return labelled // tainted pools may lose their taints; the selector stays
	default:
		var all []string
		for _, pool := range cp.c.Pools {
			all = append(all, pool.Name)
		}
		return all // a label that no pool states: nodes may carry it all the same
	}
}

// selects reports whether a pool can satisfy a node selector. A label that neither AKS nor the pool's definition sets is unknown and
// does not exclude the pool.
func selects(selector map[string]string, pool model.NodePool) bool {
	for k, v := range selector {
		switch k {
		case "agentpool", "kubernetes.azure.com/agentpool":
			if v != pool.Name {
				return false
			}
		case "kubernetes.azure.com/mode":
			if pool.Mode != "" && !strings.EqualFold(v, pool.Mode) {
				return false
			}
		case "kubernetes.io/os", "beta.kubernetes.io/os":
			os := pool.OS
			if os == "" {
				os = "linux"
			}
			if !strings.EqualFold(v, os) {
				return false
			}
		default:
			if have, ok := pool.Labels[k]; ok && have != v {
				return false
			}
		}
	}
	return true
}

// tolerates reports whether pods of a workload may be scheduled onto a pool's nodes despite its taints.
func tolerates(w *model.Workload, pool model.NodePool) bool {
	for _, taint := range pool.Taints {
		key, rest, _ := strings.Cut(taint, "=")
		value, effect, ok := strings.Cut(rest, ":")
		if !ok {
			key, effect, _ = strings.Cut(taint, ":")
			value = ""
		}
		if effect == "PreferNoSchedule" {
			continue
		}
		tolerated := slices.ContainsFunc(w.Tolerations, func(t model.Toleration) bool {
			if t.Effect != "" && t.Effect != effect {
				return false
			}
			if t.Operator == "Exists" {
				return t.Key == "" || t.Key == key
			}
			return t.Key == key && t.Value == value
		})
		if !tolerated {
			return false
		}
	}
	return true
}

// nodeGroup is the resource group of a cluster's nodes; AKS names it so where the cluster does not.
func nodeGroup(c *model.Cluster) string {
	if c.NodeGroup != "" {
		return c.NodeGroup
	}
	return "MC_" + c.ID.ResourceGroup() + "_" + c.Name() + "_" + model.Region(c.Location)
}

// poolScaleSet is the scale set of a node pool, if the input holds it.
func (p *planner) poolScaleSet(c *model.Cluster, pool string) *model.ScaleSet {
	for _, s := range p.e.ScaleSets {
		if s.Managed && strings.EqualFold(s.Pool, pool) && strings.EqualFold(s.ID.ResourceGroup(), nodeGroup(c)) {
			return s
		}
	}
	return nil
}

// managedNSG is the NSG that AKS puts on the NICs of a cluster's nodes; empty where the input lacks it (AKS-LB-01).
func (p *planner) managedNSG(c *model.Cluster) model.ID {
	for _, n := range p.e.NSGs {
		if n.Managed && strings.EqualFold(n.ID.ResourceGroup(), nodeGroup(c)) {
			return n.ID
		}
	}
	return ""
}

// withManagedNSG puts the managed NSG on a node's NIC that names no other, known or not.
func (p *planner) withManagedNSG(f filtered, c *model.Cluster) filtered {
	f.node = true
	if f.nicNSG == "" {
		f.nicNSG = p.managedNSG(c)
	}
	if f.nicNSG == "" {
		f.managed, f.blocked = c, strings.EqualFold(c.OutboundType, "block")
	}
	return f
}

// serviceRules are those that the cloud provider writes for a LoadBalancer Service (AKS-LB-03 to AKS-LB-05). They meet the Service's own packets
// alone, so that they need not name the frontend, which a filter may see as the node (AZ-LB-05).
func serviceRules(k *model.KubeService) []model.SecurityRule {
	if k == nil || k.Annotation("azure-disable-load-balancer-nsg-rule") == "true" {
		return nil
	}
	from := model.AddressMatch{Prefixes: slices.Clone(k.SourceRanges)}
	for text := range strings.SplitSeq(k.Annotation("azure-allowed-ip-ranges"), ",") {
		if x, _, err := model.ParsePrefix(text); err == nil {
			from.Prefixes = append(from.Prefixes, x)
		}
	}
	for tag := range strings.SplitSeq(k.Annotation("azure-allowed-service-tags"), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			from.Tags = append(from.Tags, tag)
		}
	}
	if from.IsZero() && !k.Internal() {
		from.Tags = []string{"Internet"}
	}
	var out []model.SecurityRule
	for _, port := range k.Ports {
		at := port.Port
		if k.Annotation("azure-disable-load-balancer-floating-ip") == "true" { // AKS-LB-03
			at = port.NodePort
		}
		if !from.IsZero() && at != 0 {
			out = append(out, managedRule(model.Allow, port.Protocol, from, model.PortRange{First: at, Last: at}))
		}
	}
	if k.Annotation("azure-deny-all-except-load-balancer-source-ranges") == "true" {
		out = append(out, managedRule(model.Deny, model.AnyProtocol, model.AddressMatch{Any: true}, model.AllPorts))
	}
	return out
}

// hostPortRules are those of the pools' allowedHostPorts (AKS-NET-09).
func hostPortRules(c *model.Cluster) []model.SecurityRule {
	var out []model.SecurityRule
	for _, pool := range c.Pools {
		if len(pool.HostPorts) == 0 {
			continue
		}
		r := managedRule(model.Allow, model.AnyProtocol, model.AddressMatch{Any: true}, pool.HostPorts...)
		if len(pool.ASGs) > 0 {
			r.DestAddrs = model.AddressMatch{ASGs: pool.ASGs}
		}
		out = append(out, r)
	}
	return out
}

func managedRule(access model.Access, protocol model.Protocol, from model.AddressMatch, ports ...model.PortRange) model.SecurityRule {
	return model.SecurityRule{
		Direction: model.Inbound, Access: access, Protocol: protocol, SourceAddrs: from, DestAddrs: model.AddressMatch{Any: true},
		SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: ports,
	}
}

// nodesOf returns the cluster and pool whose nodes a scale set holds.
func (p *planner) nodesOf(s *model.ScaleSet) (*clusterPlan, string) {
	if !s.Managed {
		return nil, ""
	}
	for _, c := range p.e.Clusters {
		for _, pool := range c.Pools {
			if x := p.poolScaleSet(c, pool.Name); x != nil && x.ID.Key() == s.ID.Key() {
				return p.clusters[c.ID.Key()], pool.Name
			}
		}
	}
	return nil, ""
}

// sentBy is the packets of a cluster's own nodes and pods.
func (p *planner) sentBy(cp *clusterPlan) *lazy {
	return later(func(c *compiler) packet.Set {
		own := map[*Site]bool{}
		for _, m := range p.machines {
			if m.cluster == cp {
				own[m.site] = true
			}
		}
		places := map[model.Place]bool{}
		for _, x := range cp.pods {
			places[x.site.Place.Key()] = true // and the relay that it may be
		}
		var origins []packet.Range
		for i, o := range p.origins {
			if own[o.Site] || places[o.Site.Place.Key()] {
				origins = append(origins, packet.Range{Lo: uint32(i), Hi: uint32(i)})
			}
		}
		if origins == nil {
			return packet.Set{}
		}
		return c.s.Box(packet.Box{Origin: origins})
	})
}

// nodeMachine is the machine class of a pool's nodes.
func (p *planner) nodeMachine(cp *clusterPlan, pool string) *machine {
	for _, m := range p.machines {
		if m.cluster == cp && m.pool == pool {
			return m
		}
	}
	return nil
}

// clusterEgress is how nodes without a scale set in the input leave, by outboundType; a route of the subnet wins in any case
// (AKS-OUT-01).
func (p *planner) clusterEgress(c *model.Cluster, e egress) egress {
	switch strings.ToLower(c.OutboundType) {
	case "", "loadbalancer", "managednatgateway", "managednatgatewayv2":
		// AKS creates the address; the input may not hold it.
		addrs := []netip.Addr{}
		for _, id := range c.OutboundIPs {
			if a := p.publicAddr(id); a.IsValid() {
				addrs = append(addrs, a)
			}
		}
		if len(addrs) == 0 {
			addrs = append(addrs, p.symbolOf(model.DefaultOutbound, "", ""))
		}
		e.frontends = append(slices.Clone(e.frontends), hosts(addrs)...)
	case "block":
		// ASM-A-BLOCK: the managed NSG closes egress only where the input holds it; over keeps it open.
	}
	return e.named()
}
