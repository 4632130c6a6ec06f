package dataplane

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// ciliumReading says whether the policies of Cilium act in a cluster: they do where the engine is Cilium, may where it is not known, and mean
// nothing to any other (K8S-CIL-01, K8S-GEN-04).
func (cp *clusterPlan) ciliumReading() tri {
	switch cp.engine {
	case engineCilium:
		return yes
	case engineAssumed, engineOpen:
		return maybe
	case engineOther:
		if cp.c.Engine == "" {
			return maybe
		}
	}
	return no
}

// withCilium adds the policies of Cilium to the NetworkPolicies of one pod: one union, before which every rule that denies is asked
// (K8S-CIL-01). touched is false where none of them may act.
func (p *planner) withCilium(cp *clusterPlan, w *model.Workload, pool string, dir model.Direction, u *union, key string) (r ruling, touched bool, notes []string) {
	acts := cp.ciliumReading()
	if acts == no {
		return ruling{}, false, nil
	}
	at, word := srcIn, "ingress"
	if dir == model.Outbound {
		at, word = dstIn, "egress"
	}
	all := u.clone()
	denying := ruling{allow: nothing()}
	var denyMust, denyMay []*lazy
	doubt := false
	for _, x := range p.e.CiliumPolicies {
		if x.Cluster.Key() != cp.c.ID.Key() || x.Namespace != "" && x.Namespace != w.Namespace {
			continue
		}
		name := x.Kind + "/" + x.Name()
		if x.Namespace != "" {
			name = x.Namespace + "/" + name
		}
		for i := range x.Rules {
			rule := &x.Rules[i]
			selected := p.ciliumSelects(cp, x, rule.Subject, w)
			if selected == no {
				continue
			}
			touched = true
			if selected == maybe {
				notes = append(notes, cp.labelDoubts(w, rule.Subject.Namespaces, &rule.Subject.Pods)...)
			}
			at := func(list []model.CiliumTraffic, access model.Access) (must, may []*lazy) {
				for j := range list {
					a, b, more := p.ciliumTraffic(cp, x, w, &list[j], dir, access, at)
					must, may, notes = append(must, a), append(may, b), append(notes, more...)
				}
				return must, may
			}
			for _, entry := range p.fogged(x.ID) {
				if !otherSide(entry.Field, dir) {
					doubt, notes = true, append(notes, unsupported(entry))
				}
			}
			must, may := at(rule.Allow[dir], model.Allow)
			for j := range may {
				all.allowMay = append(all.allowMay, may[j])
				all.admitting = append(all.admitting, rulingPart{p.withEntries(cp, x, w, &rule.Allow[dir][j], dir, Part{Key: key, Rule: name + "/" + word + "[" + strconv.Itoa(j) + "]", Source: rule.Allow[dir][j].Source, Allow: true}), may[j]})
			}
			isolates := selected
			switch rule.Isolates[dir] {
			case model.Off:
				isolates = no
			case model.NotStated: // K8S-CIL-02
				isolates, notes = maybe, append(notes, "ASM-K-CILIUM")
			}
			if isolates != no {
				all.isolate(isolates, must, Part{
					Key: key, Rule: name, Source: rule.Source,
					Detail: "isolates " + w.Namespace + "/" + w.Name() + ", and no " + word + " rule admits the peer", Open: "an " + word + " rule that admits it",
				})
			}
			if selected == yes && isolates != yes {
				all.allowMust = append(all.allowMust, must...)
			}
			must, may = at(rule.Deny[dir], model.Deny)
			for j := range may {
				field := word + "Deny[" + strconv.Itoa(j) + "]"
				part := Part{Key: "rule|" + x.ID.Key() + "|" + strconv.Itoa(i) + "|" + field, Rule: name + "/" + field, Source: rule.Deny[dir][j].Source, Open: "no rule that denies it"}
				denying.parts = append(denying.parts, rulingPart{p.withEntries(cp, x, w, &rule.Deny[dir][j], dir, part), may[j]})
				denyMay = append(denyMay, may[j])
				if selected == yes {
					denyMust = append(denyMust, must[j])
				}
			}
		}
	}
	if !touched {
		return ruling{}, false, nil
	}
	denying.deny, denying.rest = either(denyMay...), outside(either(denyMust...))
	r = denying.then(all.ruling(p, cp, pool))
	if doubt {
		m := mute()
		m.rest = everything()
		r = r.or(m)
	}
	if acts == maybe {
		r, notes = r.or(u.ruling(p, cp, pool)), append(notes, "ASM-K-CNP")
	}
	if all.may {
		notes = append(notes, "ASM-K-ICMP")
	}
	return r, true, notes
}

// withEntries adds the entries of a rule to its part.
func (p *planner) withEntries(cp *clusterPlan, x *model.CiliumPolicy, w *model.Workload, t *model.CiliumTraffic, dir model.Direction, part Part) Part {
	if !p.o.Explain || p.future != nil {
		return part
	}
	at := srcIn
	if dir == model.Outbound {
		at = dstIn
	}
	for _, peer := range t.Peers {
		_, may, _ := p.ciliumPeer(cp, x, peer, at)
		part.peers = append(part.peers, entrySet{peer.Source.Within(t.Source), may})
	}
	part.ports = p.portEntries(cp, w, t.Source, t.Ports, dir)
	return part
}

func (u *union) clone() *union {
	c := *u
	c.allowMust, c.allowMay, c.admitting = slices.Clone(u.allowMust), slices.Clone(u.allowMay), slices.Clone(u.admitting)
	return &c
}

// ciliumSelects decides a selector of a policy for a workload's pods (K8S-CIL-03).
func (p *planner) ciliumSelects(cp *clusterPlan, x *model.CiliumPolicy, s model.CiliumSelector, w *model.Workload) tri {
	match := selectsPod(s.Pods, w)
	switch {
	case s.Namespaces != nil:
		match = match.and(cp.selectsNamespace(*s.Namespaces, w.Namespace))
	case x.Namespace != "" && x.Namespace != w.Namespace:
		return no
	}
	return match
}

// ciliumTraffic is what one rule matches: its peers and its ports (K8S-CIL-04).
func (p *planner) ciliumTraffic(cp *clusterPlan, x *model.CiliumPolicy, w *model.Workload, t *model.CiliumTraffic, dir model.Direction, access model.Access, at func(packet.AddrSet) *lazy) (must, may *lazy, notes []string) {
	must, may = everything(), everything()
	if !t.AnyPeer {
		var certain, possible []*lazy
		for _, e := range t.Peers {
			a, b, more := p.ciliumPeer(cp, x, e, at)
			certain, possible, notes = append(certain, a), append(possible, b), append(notes, more...)
		}
		must, may = either(certain...), either(possible...)
	}
	switch {
	case len(t.ICMP) > 0:
		var certain, possible []*lazy
		for _, m := range t.ICMP {
			l := transport([]model.Protocol{m.Protocol}, nil, nil, false)
			possible = append(possible, l)
			// A question about ICMP asks for an echo; a rule that denies some type does not deny every other.
			if m.Echo && access == model.Allow {
				certain = append(certain, l)
			} else {
				notes = append(notes, "ASM-K-CILIUM")
			}
		}
		must, may = both(must, either(certain...)), both(may, either(possible...))
	case len(t.Ports) > 0:
		a, b, more := p.rulePorts(cp, w, t.Ports, dir)
		must, may, notes = both(must, a), both(may, b), append(notes, more...)
	}
	if t.Doubt {
		must, notes = nothing(), append(notes, "ASM-K-CILIUM")
	}
	return must, may, notes
}

// ciliumPeer is the far ends that a peer of a rule takes. Nodes have the addresses of their subnet that nothing else holds, none of which is
// certain to be a node's; a pod of the host network is at a node's address (K8S-CIL-05, K8S-CIL-06).
func (p *planner) ciliumPeer(cp *clusterPlan, x *model.CiliumPolicy, e model.CiliumPeer, at func(packet.AddrSet) *lazy) (must, may *lazy, notes []string) {
	if p.future != nil {
		must, may = futureBounds(p.future.ciliumPeer(x, e))
		return must, may, nil
	}
	pods, mayBeNodes, hostPods := at(cp.all), at(p.nodeSpace(cp)), at(p.hostPods(cp))
	inside, surely := either(pods, mayBeNodes, hostPods), either(pods, hostPods)
	switch {
	case e.Endpoints != nil:
		var a, b []netip.Addr
		for _, w := range cp.workloads {
			match := p.ciliumSelects(cp, x, *e.Endpoints, w)
			if w.HostNetwork || match == no {
				continue
			}
			b = append(b, p.podAddrs(w)...)
			if match == yes {
				a = append(a, p.podAddrs(w)...)
			} else {
				notes = append(notes, cp.labelDoubts(w, e.Endpoints.Namespaces, &e.Endpoints.Pods)...)
			}
		}
		must, may = at(p.addr.exactHosts(a...)), at(p.addr.exactHosts(b...))
		if e.Endpoints.Others { // K8S-CIL-03
			may, notes = either(may, outside(pods)), append(notes, "ASM-K-CILIUM")
		}
		return must, may, notes
	case e.Block != nil:
		block, holes := p.addr.set([]netip.Prefix{e.Block.CIDR}), p.addr.set(e.Block.Except)
		return minus(minus(at(block.must), at(holes.may)), inside), minus(minus(at(block.may), at(holes.must)), surely), []string{"ASM-K-NODES"}
	case e.Name != "": // K8S-CIL-07
		return nothing(), outside(pods), []string{"ASM-K-FQDN"}
	}
	outer := func(family *lazy) (must, may *lazy, notes []string) {
		return minus(family, inside), minus(family, surely), []string{"ASM-K-NODES"}
	}
	switch e.Entity {
	case "all":
		return everything(), everything(), nil
	case "world":
		return outer(everything())
	case "world-ipv4":
		return outer(at(p.addr.v4))
	case "world-ipv6":
		return outer(at(p.addr.v6))
	case "cluster": // the API server is of it
		return surely, either(inside, at(p.addr.exactHosts(p.apiAddrs(cp.c)...))), []string{"ASM-K-NODES"}
	case "host", "remote-node":
		return nothing(), either(mayBeNodes, hostPods), []string{"ASM-K-NODES"}
	case "kube-apiserver", "ingress":
		return nothing(), outside(pods), []string{"ASM-K-CILIUM"}
	case "init", "unmanaged":
		return nothing(), pods, []string{"ASM-K-CILIUM"}
	default: // health and none: nobody of the input
		return nothing(), nothing(), nil
	}
}

// apiAddrs is where the input has a cluster's API server: what the symbol of a manifest's stands for is in no input.
func (p *planner) apiAddrs(c *model.Cluster) []netip.Addr {
	if c.Manifest {
		return nil
	}
	list := []netip.Addr{p.symbolOf(model.APIDoor, c.ID, "")}
	for _, e := range p.endpointsOf(c.ID) {
		list = append(list, p.endpointAddrs(e)...)
	}
	return list
}

// hostPods is the stated addresses of pods of the host network, which are those of their nodes (K8S-NP-25).
func (p *planner) hostPods(cp *clusterPlan) packet.AddrSet {
	var list []netip.Addr
	for _, w := range cp.workloads {
		if w.HostNetwork {
			list = append(list, p.podAddrs(w)...)
		}
	}
	return p.b.AddSet("", hosts(list))
}
