package dataplane

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// podNetwork is what surely passes between nodes of a cluster, for pods of any address: by the pools of sender and receiver (K8S-AZ-04,
// K8S-AZ-05).
type podNetwork struct {
	space packet.AddrSet // every address that a pod may have
	pools []string
	under map[[2]string]*lazy
	notes []string
}

// planBetween reads the filters and routes between the pools of a cluster. Pools that the input does not describe leave nothing certain.
func (p *planner) planBetween(cp *clusterPlan) {
	if cp.c.Manifest || len(cp.workloads) == 0 || len(cp.c.Pools) == 0 {
		return
	}
	out := &podNetwork{pools: p.sourcePools(cp), under: map[[2]string]*lazy{}}
	var space []netip.Prefix
	switch {
	case cp.mode == podsOverlay:
		space = podCIDRs(cp.c)
	case cp.mode.flat():
		for _, pool := range out.pools {
			s, ok := model.Get[*model.Subnet](p.e, p.podSubnet(cp, pool))
			if !ok {
				return
			}
			space = append(space, s.Prefixes...)
		}
	}
	if len(space) == 0 {
		return
	}
	for _, from := range out.pools {
		for _, to := range out.pools {
			a, b := p.nodeMachine(cp, from), p.nodeMachine(cp, to)
			if a == nil || b == nil {
				return
			}
			var g guard
			var notes []string
			if cp.mode == podsOverlay {
				g, notes = p.acrossNodes(cp, a, b, false)
			} else {
				at := func(pool string, m *machine) filtered {
					return p.podFilters(cp, &pod{pool: pool, node: m, site: &Site{Place: model.Place{Kind: model.PlacePod, ID: cp.c.ID, Part: pool}}})
				}
				f := at(from, a)
				leaving, more := p.outbound(f)
				entering, also := p.inbound(at(to, b))
				var local []*lazy
				for _, h := range p.hopGroups(f.subnet, f.nic) {
					if h.hop.kind == model.HopVnetLocal {
						local = append(local, h.under)
					}
				}
				g, notes = and(leaving, entering, between(everything(), either(local...))), append(more, also...)
			}
			out.under[[2]string{from, to}] = orEverything(g.low())
			out.notes = append(out.notes, notes...)
		}
	}
	out.space = p.b.AddSet("", space)
	slices.Sort(out.notes)
	out.notes = slices.Compact(out.notes)
	cp.between = out
}

// Carried is what surely passes between a workload's pods and any other pod of their cluster as far as the network is asked, policies apart,
// and what that rests on. On one node nothing filters, so that what passes between all nodes passes (K8S-AZ-04, K8S-EXP-04).
func (n *PodNet) Carried(dir model.Direction, workload int) (packet.Set, []string) {
	if n.cp.c.Manifest {
		return n.c.s.All(), nil
	}
	p := n.g.planner
	b := p.clusters[n.cp.c.ID.Key()].between
	if b == nil {
		return packet.Set{}, nil
	}
	near := p.placements(n.Workloads[workload])
	out := packet.Set{}
	for _, protocol := range []model.Protocol{model.TCP, model.UDP, model.ICMP} { // AZ-GEN-03
		all := n.c.s.Intersect(n.sets[n.anything], n.c.s.Box(packet.Box{Src: n.c.u.Addrs(b.space), Dst: n.c.u.Addrs(b.space), Protocol: one(protocol)}))
		passes := true
		for _, x := range near {
			for _, y := range b.pools {
				key := [2]string{y, x}
				if dir == model.Outbound {
					key = [2]string{x, y}
				}
				passes = passes && n.c.s.Subtract(all, b.under[key].get(n.c)).Empty()
			}
		}
		if passes {
			out = n.c.s.Union(out, n.c.s.Box(packet.Box{Protocol: one(protocol)}))
		}
	}
	return out, b.notes
}
