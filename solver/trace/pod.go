package trace

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// pod stands for the pods of a workload on one node pool.
type pod struct {
	workload *model.Workload
	cluster  *model.Cluster
	pool     *model.NodePool // nil: the cluster states no pools
	addr     address
}

func (x *pod) place() model.Place {
	p := model.Place{Kind: model.PlacePod, ID: x.workload.ID}
	if x.pool != nil {
		p.Part = x.pool.Name
	}
	return p
}

func (x *pod) network() podNetwork { return networkOf(x.cluster, x.pool) }

// holds reports whether an address is one of the workload's pods.
func (x *pod) holds(w *world, a netip.Addr) bool {
	if slices.ContainsFunc(x.workload.Addresses, func(b netip.Addr) bool { return b.IsValid() && b.Unmap() == a }) {
		return true
	}
	s, ok := w.symbols.Of(model.PodAddress, x.workload.ID, "")
	return ok && s == a
}

// placed lists a workload's pods by the pools that they may run on.
func (w *world) placed(wl *model.Workload) []*pod {
	c := w.clusterOf(wl.Cluster)
	pools := placements(wl, c)
	if len(pools) == 0 {
		return []*pod{w.podOn(wl, c, nil)}
	}
	var out, all []*pod
	for _, p := range pools {
		x := w.podOn(wl, c, p)
		all = append(all, x)
		if wl.HostNetwork || len(w.liveOn(x)) > 0 || len(wl.Addresses) == 0 {
			out = append(out, x)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// liveOn are the stated addresses of a workload that its pods on a pool may have. In flat networks the subnet tells the pool; an address that
// no placement explains rules none out (K8S-AZ-02, K8S-WL-07).
func (w *world) liveOn(x *pod) []netip.Addr {
	var out []netip.Addr
	lies := func(p *model.NodePool, a netip.Addr) bool {
		id := p.Subnet
		if networkOf(x.cluster, p) == podSubnet {
			id = p.PodSubnet
		}
		s, _ := w.e.SubnetOf(id)
		return s == nil || slices.ContainsFunc(s.Prefixes, func(q netip.Prefix) bool { return q.IsValid() && q.Contains(a) })
	}
	for _, a := range x.workload.Addresses {
		if !a.IsValid() {
			continue
		}
		a = a.Unmap()
		if x.pool == nil || !x.network().flat() || lies(x.pool, a) ||
			!slices.ContainsFunc(placements(x.workload, x.cluster), func(p *model.NodePool) bool { return lies(p, a) }) {
			out = append(out, a)
		}
	}
	return out
}

// podOn is the workload's pod on one pool, at its first address or its symbol.
func (w *world) podOn(wl *model.Workload, c *model.Cluster, p *model.NodePool) *pod {
	x := &pod{workload: wl, cluster: c, pool: p}
	at, ok := w.symbols.Of(model.PodAddress, wl.ID, "")
	live := w.liveOn(x)
	if len(live) == 0 {
		for _, a := range wl.Addresses {
			if a.IsValid() {
				live = append(live, a.Unmap())
			}
		}
	}
	if !ok && len(live) > 0 {
		at = live[0]
	}
	x.addr = w.podAddress(x, at)
	if wl.HostNetwork && len(live) == 0 && p != nil {
		x.addr = w.nodeHosts(c, p)[0].addr
	}
	return x
}

// podAddress is what rules know of a pod's address: a live one is itself, a symbol any address of the range that the network plugin
// takes it from (K8S-NP-13).
func (w *world) podAddress(x *pod, at netip.Addr) address {
	a := address{at: at}
	if _, symbol := w.symbols.At(at); symbol || !at.IsValid() {
		for _, y := range w.poolsOf(x) { // one symbol stands for the workload's pods wherever they run
			a.may = joinSets(a.may, w.podRange(y))
		}
	}
	switch x.network() {
	case overlayPods, kubenetPods, unknownPods:
		a.overlay = x.cluster
	}
	return a
}

// poolsOf is a workload's pods on every pool that they may run on, without addresses.
func (w *world) poolsOf(x *pod) []*pod {
	var out []*pod
	for _, p := range placements(x.workload, x.cluster) {
		out = append(out, &pod{workload: x.workload, cluster: x.cluster, pool: p})
	}
	if len(out) == 0 {
		return []*pod{x}
	}
	return out
}

// podRange is where the addresses of pods on a pool lie.
func (w *world) podRange(x *pod) *netipx.IPSet {
	switch x.network() {
	case overlayPods, kubenetPods:
		return podCIDR(x.cluster)
	case podSubnet:
		return w.unheld(x.pool.PodSubnet)
	case nodeSubnet:
		if x.pool == nil {
			return privateSpace()
		}
		if x.pool.Subnet == "" {
			_, s := managedVNet(x.cluster)
			return usable(s)
		}
		return w.unheld(x.pool.Subnet)
	case unknownPods:
		if len(x.cluster.PodCIDRs) > 0 {
			return podCIDR(x.cluster)
		}
		return anyIPv4()
	default:
		return anyIPv4() // manifests only: nothing but the family is known
	}
}

// podSymbol is a pod's symbol before its placement is known.
func (w *world) podSymbol(a netip.Addr, owner model.ID) address {
	wl, ok := model.Get[*model.Workload](w.e, owner)
	if !ok {
		return address{at: a, may: anyIPv4()}
	}
	out := address{at: a}
	for _, x := range w.placed(wl) {
		out.may = joinSets(out.may, w.podRange(x))
		out.overlay = w.podAddress(x, a).overlay
	}
	return out
}

// placementsOf names, for each workload that received the packet, the pools that it may run on.
func (w *world) placementsOf(paths []Path) map[string][]string {
	out := map[string][]string{}
	for _, p := range paths {
		if p.At.Kind != model.PlacePod {
			continue
		}
		wl, ok := model.Get[*model.Workload](w.e, p.At.ID)
		if !ok || out[p.At.ID.Key()] != nil {
			continue
		}
		for _, x := range w.placed(wl) {
			out[p.At.ID.Key()] = append(out[p.At.ID.Key()], x.place().Part)
		}
	}
	return out
}

// podsOf lists the pods of a cluster, by placement: an address names a pod only within its cluster (AKS-NET-07).
func (w *world) podsOf(c *model.Cluster) []*pod {
	var out []*pod
	for _, wl := range w.e.Workloads {
		if same(wl.Cluster, c.ID) {
			out = append(out, w.placed(wl)...)
		}
	}
	return out
}

// podsAt lists the pods of flat clusters whose address is one of a VNet's (K8S-AZ-02); those of an overlay are known to their cluster alone
// (K8S-AZ-03).
func (w *world) podsAt(v *model.VNet, dst address) []*pod {
	var out []*pod
	for _, c := range w.e.Clusters {
		for _, x := range w.podsOf(c) {
			unknown := x.network() == unknownPods // AKS-NET-01: the network may know the pod's address
			if x.workload.HostNetwork || !x.network().flat() && !unknown || !x.holds(w, dst.at) {
				continue
			}
			hosts := w.podHosts(x)
			if len(hosts) == 0 || hosts[0].vnet == nil || !same(hosts[0].vnet.ID, v.ID) {
				continue
			}
			where := w.podRange(x)
			if !unknown && (dst.may != nil && !dst.may.Overlaps(where) || dst.may == nil && !slices.Contains(w.liveOn(x), dst.at)) {
				continue
			}
			out = append(out, x)
		}
	}
	return out
}

// podHosts are the NICs through which a pod's packets enter the fabric: the node's, in the pod's own subnet where it has one
// (AKS-NET-04).
func (w *world) podHosts(x *pod) []*host {
	if x.pool == nil {
		return nil
	}
	var out []*host
	for _, n := range w.nodeHosts(x.cluster, x.pool) {
		h := *n
		h.addr = x.addr
		if x.network() == podSubnet {
			h.subnetID = x.pool.PodSubnet
			h.subnet, _ = w.e.SubnetOf(h.subnetID)
			h.vnet, _ = w.vnetOf(h.subnetID)
			h.config, h.asgs, h.ofPod = nil, nil, true
		}
		out = append(out, &h)
	}
	return out
}
