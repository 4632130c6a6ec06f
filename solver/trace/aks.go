package trace

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// podNetwork is how pods get addresses (AKS-NET-01).
type podNetwork uint8

const (
	unknownPods  podNetwork = iota // networkPlugin none
	overlayPods                    // a pod CIDR outside VNet space
	kubenetPods                    // the same, routed by a route table
	nodeSubnet                     // addresses of the node's subnet
	podSubnet                      // a subnet of their own
	manifestPods                   // no cluster resource: no network is known
)

func networkOf(c *model.Cluster, p *model.NodePool) podNetwork {
	switch {
	case c.Manifest:
		return manifestPods
	case fold(c.Plugin, "kubenet"):
		return kubenetPods
	case fold(c.Plugin, "none"):
		return unknownPods
	case fold(c.PluginMode, "overlay"):
		return overlayPods
	case p != nil && p.PodSubnet != "":
		return podSubnet
	case fold(c.Plugin, "azure"):
		return nodeSubnet
	case c.Plugin == "": // kubenet or overlay, which read alike (ASM-A-PLUGIN)
		return overlayPods
	default:
		return unknownPods
	}
}

// flat reports pod addresses that are VNet addresses (K8S-AZ-02).
func (n podNetwork) flat() bool { return n == nodeSubnet || n == podSubnet }

// clusterOf is a cluster, or a stand-in for one that only manifests name (K8S-GEN-04).
func (w *world) clusterOf(id model.ID) *model.Cluster {
	if c, ok := model.Get[*model.Cluster](w.e, id); ok {
		return c
	}
	return &model.Cluster{Meta: model.Meta{ID: id}, Manifest: true}
}

// nodeGroup is the resource group of the nodes.
func nodeGroup(c *model.Cluster) string {
	if c.NodeGroup != "" {
		return c.NodeGroup
	}
	return "MC_" + c.ID.ResourceGroup() + "_" + c.Name() + "_" + model.Region(c.Location)
}

// poolScaleSet is the scale set of a pool, if the input has it (AKS-NET-12).
func (w *world) poolScaleSet(c *model.Cluster, p *model.NodePool) *model.ScaleSet {
	for _, s := range w.e.ScaleSets {
		if s.Managed && s.Pool == p.Name && fold(s.ID.ResourceGroup(), nodeGroup(c)) {
			return s
		}
	}
	return nil
}

// poolOf is the node pool that a scale set belongs to.
func (w *world) poolOf(s *model.ScaleSet) (*model.Cluster, *model.NodePool) {
	for _, c := range w.e.Clusters {
		for i := range c.Pools {
			if w.poolScaleSet(c, &c.Pools[i]) == s {
				return c, &c.Pools[i]
			}
		}
	}
	return nil, nil
}

// poolHost is any node of a pool whose scale set the input lacks.
func (w *world) poolHost(c *model.Cluster, p *model.NodePool) *host {
	h := w.hostIn(model.Place{Kind: model.PlaceNodePool, ID: c.ID, Part: p.Name}, p.Subnet)
	h.cluster, h.pool, h.asgs = c, p, p.ASGs
	if p.Subnet == "" { // AKS-NET-12, ASM-A-MANAGEDVNET: a VNet that AKS made
		h.vnet, h.subnet = managedVNet(c)
		h.subnetID = h.subnet.ID
	}
	free := privateSpace()
	if h.subnet != nil {
		free = usable(h.subnet)
		if p.Subnet != "" {
			free = w.unheld(p.Subnet)
		}
	}
	h.addr = pickedOf(address{at: first(free), may: free, holder: h})
	return h
}

// managedVNet stands for the network that AKS makes for a cluster without a subnet of its own: no customer NSG, route table or peering.
func managedVNet(c *model.Cluster) (*model.VNet, *model.Subnet) {
	v := &model.VNet{
		Meta:     model.Meta{ID: c.ID + "/virtualNetworks/managed", Source: c.Source, Location: c.Location},
		Prefixes: []netip.Prefix{netip.MustParsePrefix("10.224.0.0/12")},
	}
	s := &model.Subnet{
		Meta: model.Meta{ID: v.ID + "/subnets/nodes", Source: c.Source}, VNet: v.ID,
		Prefixes: []netip.Prefix{netip.MustParsePrefix("10.224.0.0/16")},
	}
	return v, s
}

// nodeHosts are the nodes of a pool.
func (w *world) nodeHosts(c *model.Cluster, p *model.NodePool) []*host {
	s := w.poolScaleSet(c, p)
	if s == nil {
		return []*host{w.poolHost(c, p)}
	}
	var out []*host
	for i := range s.Profiles {
		for j := range s.Profiles[i].IPConfigs {
			cfg := &s.Profiles[i].IPConfigs[j]
			if cfg.Primary || len(s.Profiles[i].IPConfigs) == 1 {
				out = append(out, w.scaleSetHost(s, &s.Profiles[i], cfg))
			}
		}
	}
	if len(out) == 0 {
		return []*host{w.poolHost(c, p)}
	}
	return out
}

// managedVerdict is the answer of the NSG that AKS puts on its nodes' NICs. Where the input lacks it: over admits everything, under has
// the default rules and those that the cloud provider writes for Services (AKS-LB-01, AKS-LB-03, ASM-A-NODENSG).
func (t *tracer) managedVerdict(h *host, f flow, dir model.Direction) verdict {
	for _, g := range t.e.NSGs {
		if g.Managed && fold(g.ID.ResourceGroup(), nodeGroup(h.cluster)) {
			return t.nsgVerdict(g, h, f, dir)
		}
	}
	v := t.nsgVerdict(t.assumedNSG(h.cluster, f), h, f, dir)
	open := verdict{allow: blame{is: true, detail: "the AKS-managed NSG is not in the input"}}
	if v.deny.is {
		v = v.either(open, "ASM-A-NODENSG")
	}
	if dir == model.Outbound && fold(h.cluster.OutboundType, "block") && f.dst.isPublic().may && !isPlatform(f.dst.at) { // AKS-OUT-01
		v = v.either(verdict{deny: blame{is: true, detail: "outboundType block"}}, "ASM-A-BLOCK")
	}
	if v.certain() && v.allow.detail == "" {
		v.allow.detail = "the AKS-managed NSG is not in the input; its default rules admit the packet"
	}
	return v
}

// assumedNSG is the least that the managed NSG holds: the default rules, and the rules of the Service that the packet came by.
func (t *tracer) assumedNSG(c *model.Cluster, f flow) *model.NSG {
	g := &model.NSG{Meta: model.Meta{ID: c.ID + "/networkSecurityGroups/aks-agentpool-nsg", Source: c.Source}, Managed: true}
	platform := model.Source{Platform: "rule of the cloud provider", Resource: c.ID}
	all := []model.PortRange{model.AllPorts}
	anywhere := model.AddressMatch{Any: true}
	if s := f.service; s != nil && s.Annotation("azure-disable-load-balancer-nsg-rule") != "true" { // AKS-LB-05
		sources := serviceSources(s)
		if sources.IsZero() && !s.Internal() {
			sources.Tags = []string{"Internet"}
		}
		for i, p := range s.Ports {
			at := p.Port
			if s.Annotation("azure-disable-load-balancer-floating-ip") == "true" { // AKS-LB-03
				at = p.NodePort
			}
			if at == 0 {
				continue
			}
			r := model.SecurityRule{
				Name: "allow-" + s.Namespace + "-" + s.Name(), Source: platform, Priority: 500 + i, Direction: model.Inbound, Access: model.Allow, Protocol: p.Protocol,
				SourceAddrs: sources, DestAddrs: anywhere, SourcePorts: all, DestPorts: []model.PortRange{{First: at, Last: at}},
			}
			g.Rules = append(g.Rules, r)
		}
		if s.Annotation("azure-deny-all-except-load-balancer-source-ranges") == "true" { // AKS-LB-04
			g.Rules = append(g.Rules, model.SecurityRule{
				Name: "deny-" + s.Namespace + "-" + s.Name(), Source: platform, Priority: 4095, Direction: model.Inbound, Access: model.Deny, Protocol: model.AnyProtocol,
				SourceAddrs: anywhere, DestAddrs: anywhere, SourcePorts: all, DestPorts: all,
			})
		}
	}
	for _, p := range c.Pools {
		if len(p.HostPorts) > 0 { // AKS-NET-09
			r := model.SecurityRule{
				Name: "allow-host-ports-" + p.Name, Source: p.Source, Priority: 600, Direction: model.Inbound, Access: model.Allow, Protocol: model.AnyProtocol,
				SourceAddrs: anywhere, DestAddrs: anywhere, SourcePorts: all, DestPorts: p.HostPorts,
			}
			if len(p.ASGs) > 0 {
				r.DestAddrs = model.AddressMatch{ASGs: p.ASGs}
			}
			g.Rules = append(g.Rules, r)
		}
	}
	g.Rules = append(g.Rules, defaultRules()...)
	return g
}

// defaultRules are the six of every NSG (AZ-NSG-03).
func defaultRules() []model.SecurityRule {
	vnet := model.AddressMatch{Tags: []string{"VirtualNetwork"}}
	anywhere := model.AddressMatch{Any: true}
	all := []model.PortRange{model.AllPorts}
	rule := func(name string, priority int, dir model.Direction, access model.Access, from, to model.AddressMatch) model.SecurityRule {
		return model.SecurityRule{
			Name: name, Source: model.Source{Platform: "default rule"}, Priority: priority, Direction: dir, Access: access, Protocol: model.AnyProtocol,
			SourceAddrs: from, DestAddrs: to, SourcePorts: all, DestPorts: all, Default: true,
		}
	}
	return []model.SecurityRule{
		rule("AllowVnetInBound", 65000, model.Inbound, model.Allow, vnet, vnet),
		rule("AllowAzureLoadBalancerInBound", 65001, model.Inbound, model.Allow, model.AddressMatch{Tags: []string{"AzureLoadBalancer"}}, anywhere),
		rule("DenyAllInBound", 65500, model.Inbound, model.Deny, anywhere, anywhere),
		rule("AllowVnetOutBound", 65000, model.Outbound, model.Allow, vnet, vnet),
		rule("AllowInternetOutBound", 65001, model.Outbound, model.Allow, anywhere, model.AddressMatch{Tags: []string{"Internet"}}),
		rule("DenyAllOutBound", 65500, model.Outbound, model.Deny, anywhere, anywhere),
	}
}

// clusterOutbound is how nodes leave without a route, NAT gateway or address of their own (AKS-OUT-01). The property never closes
// anything: what it does not create is decided by AZ-OUT-04.
func (t *tracer) clusterOutbound(h *host, ported bool) (out []translation, shut string, decided bool) {
	if h.cluster == nil {
		return nil, "", false
	}
	var detail string
	switch kind := strings.ToLower(h.cluster.OutboundType); kind {
	case "", "loadbalancer":
		detail = "outbound rule of the cluster's load balancer"
	case "managednatgateway", "managednatgatewayv2", "userassignednatgateway":
		detail = "NAT gateway of the cluster"
	default:
		return nil, "", false
	}
	if !ported {
		return nil, detail + " carries TCP and UDP only (AZ-OUT-02)", true
	}
	for _, id := range h.cluster.OutboundIPs {
		if a := t.publicAddress(id); a.IsValid() {
			x := t.address(a)
			x.outboundOf = h.cluster
			out = append(out, translation{addr: x, detail: detail})
		}
	}
	if len(out) == 0 {
		x := t.unknownOutbound()
		x.outboundOf = h.cluster
		out = append(out, translation{addr: x, detail: detail + ", whose address is not in the input"})
	}
	return out, "", true
}

// apiSubnets is where a private API server has an address that the input does not state, in one of them (AKS-API-03, AKS-API-06). Where the input has
// the cluster's private endpoint, that is the API server, and the symbol stands for nothing.
func (w *world) apiSubnets(c *model.Cluster) []model.ID {
	switch {
	case c.Private != model.On || w.hasAPIEndpoint(c):
		return nil
	case c.VNetAPI == model.On && c.APISubnet != "":
		return []model.ID{c.APISubnet}
	}
	var out []model.ID
	for _, p := range c.Pools {
		if p.Subnet != "" && !contains(out, p.Subnet) {
			out = append(out, p.Subnet)
		}
	}
	return out
}

func (w *world) hasAPIEndpoint(c *model.Cluster) bool {
	return slices.ContainsFunc(w.e.Endpoints, func(p *model.PrivateEndpoint) bool { return same(p.Target, c.ID) })
}

// apiSymbol is the API server's address: public, or in the cluster's VNet.
func (w *world) apiSymbol(a netip.Addr, id model.ID) address {
	c := w.clusterOf(id)
	if c.Private != model.On {
		return address{at: a, may: publicIPv4(), public: true, azure: &azureAddress{c.Location}}
	}
	var may *netipx.IPSet
	for _, s := range w.apiSubnets(c) {
		may = joinSets(may, w.unheld(s))
	}
	if emptySet(may) {
		may = privateSpace()
	}
	return address{at: a, may: may}
}

// atAPI is a packet at the public API server: authorized ranges, where there are any (AKS-API-01, AKS-API-02).
func (t *tracer) atAPI(c course, cl *model.Cluster) {
	at := model.Place{Kind: model.PlaceAPIServer, ID: cl.ID}
	rule := cl.Name() + "/authorizedIPRanges"
	var v verdict
	switch {
	case !t.callsAPI(c, at):
		return
	case cl.Private == model.On:
		t.drop(c, at, ServiceFirewall, "a private cluster has no public API server (AKS-API-03)")
		return
	case fold(cl.PublicAccess, "Disabled"):
		v = denied(cl.Name()+"/publicNetworkAccess", cl.Source)
	case len(cl.APIRanges) == 0:
		v = allowed("", cl.Source)
		v.allow.detail = "no authorized ranges"
	default:
		v = firstMatch([]step{{match: t.authorized(c, cl), access: model.Allow, rule: rule, source: cl.Source}}, denied(rule, cl.Source))
	}
	t.decide(c, Hop{At: at, Stage: ServiceFirewall}, v, func(c course) { t.deliver(c, at) })
}

// callsAPI drops what is not for the API server's one port (AKS-API-01, AKS-API-03).
func (t *tracer) callsAPI(c course, at model.Place) bool {
	if c.packet.Protocol == model.TCP && c.packet.DPort == 443 {
		return true
	}
	t.drop(c, at, ServiceFirewall, "the API server listens on tcp 443 only (AKS-API-01)")
	return false
}

// authorized says whether the source is in the authorized ranges: public addresses only, 0.0.0.0/32 for the cluster's own outbound
// address, which AKS adds anyway (AKS-API-02).
func (t *tracer) authorized(c course, cl *model.Cluster) match {
	public := c.src.isPublic()
	if !public.may {
		return no()
	}
	own := c.src.outboundOf != nil && same(c.src.outboundOf.ID, cl.ID)
	for _, id := range cl.OutboundIPs {
		own = own || t.publicAddress(id) == c.packet.Src
	}
	if own {
		return yes()
	}
	ranges := slices.DeleteFunc(slices.Clone(cl.APIRanges), func(p netip.Prefix) bool { return p == netip.MustParsePrefix("0.0.0.0/32") })
	return c.src.in(prefixSet(ranges...)).and(public)
}

// arriveAPI is a packet at a private API server: an endpoint in the cluster's subnet, which authorized ranges do not guard (AKS-API-03),
// with the subnet's NSG if endpoint policies are on. With VNet integration whether the NSG acts is not settled (AKS-API-06).
func (t *tracer) arriveAPI(c course, cl *model.Cluster) {
	subnets := t.apiSubnets(cl)
	t.together(len(subnets), func(i int) { t.arriveAPIIn(c, cl, subnets[i]) }, true)
}

func (t *tracer) arriveAPIIn(c course, cl *model.Cluster, subnet model.ID) {
	h := t.hostIn(model.Place{Kind: model.PlaceAPIServer, ID: cl.ID}, subnet)
	if !t.step(&c, "arrive", h.place) {
		return
	}
	if !t.callsAPI(c, h.place) {
		return
	}
	c.entry, c.last = nil, h
	next := func(c course) { t.deliver(c.forward(h.place, Transport, "private API server"), h.place) }
	nsg, _ := t.endpointPolicies(&model.PrivateEndpoint{Subnet: h.subnetID})
	if cl.VNetAPI == model.On {
		nsg = maybe()
	}
	doubts := t.doubtsAt(h) // AZ-GEN-08: whatever the policies of the endpoint say
	if h.subnet != nil && (t.subnetNSG(h) == "" || !nsg.may) {
		if len(doubts) == 0 {
			next(c)
			return
		}
		t.decide(c, Hop{At: h.place, Stage: SubnetIn}, hindered(allowed("", h.subnet.Source), doubts), next)
		return
	}
	v := t.subnetVerdict(h, c.flow(), model.Inbound)
	if g, ok := model.Get[*model.NSG](t.e, t.subnetNSG(h)); ok && tooLarge(g) {
		v = v.either(verdict{allow: blame{is: true, detail: "the NSG is too large for private endpoints, its rules may fail (AZ-PE-07)"}}, "ASM-PE-SIZE")
	}
	if !nsg.must {
		v = v.either(verdict{allow: blame{is: true, detail: "endpoint policies may be off"}}, nsg.why...)
	}
	t.decide(c, Hop{At: h.place, Stage: SubnetIn}, hindered(v.settle(), doubts), next)
}

// kubenetNodes are the nodes behind a next hop of a kubenet route table: the table maps slices of the pod CIDR to node addresses
// (AKS-NET-05).
func (w *world) kubenetNodes(v *model.VNet, hop netip.Addr, dst address) []*host {
	var out []*host
	for _, c := range w.e.Clusters {
		if networkOf(c, nil) != kubenetPods || !dst.in(podCIDR(c)).may {
			continue
		}
		for i := range c.Pools {
			s, _ := w.e.SubnetOf(c.Pools[i].Subnet)
			if s == nil || !w.inVNet(s.ID, v) || !slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.IsValid() && p.Contains(hop) }) {
				continue
			}
			out = append(out, w.nodeHosts(c, &c.Pools[i])...)
		}
	}
	return out
}

// atKubenetNode lets a node forward to its pods.
func (t *tracer) atKubenetNode(c course, h *host) {
	if !t.step(&c, "forward", h.place) {
		return
	}
	t.transit(c, h, func(c course) {
		found := false
		for _, x := range t.podsOf(h.cluster) {
			if x.holds(t.world, c.packet.Dst) && (x.pool == nil || x.pool.Name == h.pool.Name) {
				found = true
				t.intoPod(c, x, t.peerOf(c, x))
			}
		}
		if !found {
			t.lose(c, model.Place{Kind: model.PlaceUnknown, ID: h.cluster.ID, Part: c.packet.Dst.String()}, Transport, "the input lacks the pod with this address", "ASM-K-SYSTEM")
		}
	})
}

// podCIDR is the range of pod addresses outside VNet space; AKS takes 10.244.0.0/16 where none is stated.
func podCIDR(c *model.Cluster) *netipx.IPSet {
	if len(c.PodCIDRs) == 0 {
		return prefixSet(netip.MustParsePrefix("10.244.0.0/16"))
	}
	return prefixSet(c.PodCIDRs...)
}
