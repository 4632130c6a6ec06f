package trace

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// readsCalico says whether an engine acts on the policies of Calico: Calico does, one that is not known may, no other does (K8S-CAL-01,
// K8S-GEN-04).
func readsCalico(c *model.Cluster, eng engine) match {
	switch {
	case eng.kind == calico:
		return yes()
	case eng.kind == anyOfThree, eng.kind == otherEngine && c.Engine == "":
		return maybe("ASM-K-CNP")
	default:
		return no()
	}
}

// tierOf is a tier of Calico: its order, which is not a number where the input lacks the tier, and what ends it.
type tierOf struct {
	name  string
	order float64
	pass  bool
}

// tiersOfCalico lists the tiers of a cluster in their order. The default tier is always there (K8S-CAL-02).
func (t *tracer) tiersOfCalico(c *model.Cluster) []tierOf {
	list := []tierOf{{name: "default", order: 1_000_000}}
	find := func(name string) *tierOf {
		for i := range list {
			if list[i].name == name {
				return &list[i]
			}
		}
		list = append(list, tierOf{name: name, order: math.NaN()})
		return &list[len(list)-1]
	}
	for _, x := range t.e.CalicoTiers {
		if same(x.Cluster, c.ID) {
			f := find(x.Name())
			if f.pass = x.Pass; f.name != "default" {
				f.order = x.Order
			}
		}
	}
	for _, p := range t.e.CalicoPolicies {
		if same(p.Cluster, c.ID) {
			find(p.Tier)
		}
	}
	slices.SortStableFunc(list, func(a, b tierOf) int { return cmp.Compare(a.order, b.order) })
	return list
}

// withCalico asks the tiers of Calico one after the other, with the NetworkPolicies among them (K8S-CAL-02). touched is false where no policy
// of Calico may act.
func (t *tracer) withCalico(list []admitter, x *pod, other peer, c course, dir model.Direction, eng engine) (f finding, touched bool) {
	acts := readsCalico(x.cluster, eng)
	if !acts.may {
		return finding{}, false
	}
	f = finding{rest: true}
	unclear := false
	last := math.NaN()
	seen := false
	for _, tier := range t.tiersOfCalico(x.cluster) {
		g, mine := t.calicoTier(tier, list, x, other, c, dir, eng)
		if mine || tier.name == "default" && len(list) > 0 {
			unclear = unclear || math.IsNaN(tier.order) || seen && last == tier.order
			last, seen = tier.order, true
		}
		touched = touched || mine
		f = f.then(g)
	}
	if !touched {
		return finding{}, false
	}
	if unclear {
		b := blame{is: true, detail: "the order of the tiers is not known"}
		f = f.or(finding{allow: b, deny: b, rest: true}, "ASM-K-CALICO")
		f.why = union(f.why, []string{"ASM-K-CALICO"})
	}
	if !acts.must {
		f = f.or(t.unionOf(list, c, eng), acts.why...)
	}
	return f, true
}

// calicoTier walks one tier: policies by their order, rules in sequence; at its end what no rule took is denied, if some policy selects the
// pod. mine is false where no policy of Calico in it may select the pod.
func (t *tracer) calicoTier(tier tierOf, list []admitter, x *pod, other peer, c course, dir model.Direction, eng engine) (f finding, mine bool) {
	const netPolicies = 1000
	type entry struct {
		order  float64
		policy *model.CalicoPolicy // nil: the NetworkPolicies
		picks  match
	}
	var entries []entry
	for _, p := range t.e.CalicoPolicies {
		if !same(p.Cluster, x.cluster.ID) || p.Tier != tier.name || !p.Applies[dir] {
			continue
		}
		if m := t.calicoSubject(p, x); m.may {
			entries, mine = append(entries, entry{p.Order, p, m}), true
		}
	}
	if tier.name == "default" && len(list) > 0 {
		picks := no()
		for _, a := range list {
			picks = picks.or(a.isolates)
		}
		entries = append(entries, entry{order: netPolicies, picks: picks})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.order, b.order) })
	ended := false
	picked := no()
	for i, e := range entries {
		// A policy stands in the tier even where an earlier rule ended the walk; what ends it then is of no interest.
		picked = picked.or(e.picks)
		if ended && entries[i-1].order != e.order {
			break
		}
		if e.policy == nil {
			u := t.unionOf(list, c, eng)
			u.rest = false
			sure := e.picks.must && !u.deny.is
			u.deny = blame{}
			f, ended = f.or(u), ended || sure
			continue
		}
		if unread := t.unreadRules(e.policy.ID, dir); len(unread) > 0 {
			b := blame{is: true, detail: "part of it was not understood (AZ-GEN-08)"}
			f = f.or(finding{allow: b, deny: b, rest: true}, namesOf(unread)...)
			f.why = union(f.why, namesOf(unread))
			continue
		}
		g, fell := t.calicoRules(e.policy, e.picks, x, other, c, dir)
		f, ended = f.or(g), ended || !fell
	}
	switch {
	case len(entries) == 0:
		return finding{rest: true}, false
	case ended:
	case tier.pass:
		f.rest = true
	default:
		f.why = union(f.why, picked.why)
		f.rest = f.rest || !picked.must
		if !f.deny.is {
			f.deny = blame{is: true, detail: "a policy of the tier selects the pod, and no rule matches (K8S-CAL-02)", source: x.workload.Source, rule: "the end of a tier of Calico"}
			if len(list) > 0 {
				f.deny = list[0].shut
			}
		}
	}
	return f, mine
}

// calicoSubject says whether a policy is about a pod.
func (t *tracer) calicoSubject(p *model.CalicoPolicy, x *pod) match {
	if p.Namespace != "" && p.Namespace != x.workload.Namespace {
		return no()
	}
	m := t.calicoPod(p.Selector, x)
	if p.Namespaces != nil {
		m = m.and(t.calicoNamespace(p.Namespaces, x.cluster.ID, x.workload.Namespace))
	}
	return m
}

// calicoPod is a selector against a pod: any of its terms (K8S-CAL-03).
func (t *tracer) calicoPod(s model.CalicoSelector, x *pod) match {
	m := no()
	for _, term := range s {
		one := matchLabels(term.Labels, x.workload.Labels, unknownPodLabels(x.workload))
		if term.Namespaces != nil {
			one = one.and(t.namespaceMatch(*term.Namespaces, x.cluster.ID, x.workload.Namespace))
		}
		m = m.or(one)
	}
	return m
}

func (t *tracer) calicoNamespace(s model.CalicoSelector, cluster model.ID, name string) match {
	m := no()
	for _, term := range s {
		if term.Namespaces == nil {
			m = m.or(yes())
			continue
		}
		m = m.or(t.namespaceMatch(*term.Namespaces, cluster, name))
	}
	return m
}

// calicoRules walks the rules of a policy; fell says that the packet may match none of them.
func (t *tracer) calicoRules(p *model.CalicoPolicy, picks match, x *pod, other peer, c course, dir model.Direction) (f finding, fell bool) {
	name, word := p.Kind+"/"+p.Name(), "ingress"
	if p.Namespace != "" {
		name = p.Namespace + "/" + name
	}
	if dir == model.Outbound {
		word = "egress"
	}
	for i := range p.Rules[dir] {
		r := &p.Rules[dir][i]
		if r.Action == model.PolicyLog {
			continue
		}
		hit := picks.and(t.calicoTraffic(p, r, x, other, c, dir))
		if r.ICMPType || r.Doubt {
			hit = hit.and(maybe("ASM-K-CALICO"))
		}
		if !hit.may {
			f.why = union(f.why, closed(hit.why))
			continue
		}
		f.why = union(f.why, hit.why)
		b := blame{is: true, rule: fmt.Sprintf("%s/%s[%d]", name, word, i), source: r.Source, detail: t.calicoEntries(p, r, x, other, c, dir)}
		switch {
		case r.Action == model.PolicyPass:
			f.rest = true
		case r.Action == model.PolicyAllow && !f.allow.is:
			f.allow = b
		case r.Action == model.PolicyDeny && !f.deny.is:
			f.deny = b
		}
		if hit.must {
			return f, false
		}
	}
	return f, true
}

// calicoEntries names what of a rule is about the far end, with the first of its nets that holds the address as well as any, and the port:
// `source.nets[1] destination.ports[0]`.
func (t *tracer) calicoEntries(p *model.CalicoPolicy, r *model.CalicoRule, x *pod, other peer, c course, dir model.Direction) string {
	best := func(n int, name func(int) string, entry func(int) match) string {
		text, sure := "", false
		for i := range n {
			if m := entry(i); m.must && !sure || m.may && text == "" {
				text, sure = name(i), m.must
			}
		}
		return text
	}
	far, side := r.From, "source"
	if dir == model.Outbound {
		far, side = r.To, "destination"
	}
	peers := far.Words(side)
	if net := best(len(far.Nets), func(i int) string { return fmt.Sprintf("%s.nets[%d]", side, i) }, func(i int) match {
		return t.calicoEnd(p, model.CalicoEnd{Nets: far.Nets[i : i+1]}, x, other)
	}); net != "" {
		peers = strings.TrimSpace(peers + " " + net)
	}
	list := r.To.Ports
	if len(list) == 0 {
		list = r.From.Ports
	}
	ports := best(len(list), func(i int) string { return list[i].Source.Within(r.Source) }, func(i int) match {
		one := &model.CalicoRule{Protocols: r.Protocols, To: model.CalicoEnd{Ports: list[i : i+1]}}
		if len(r.To.Ports) == 0 {
			one.From, one.To = one.To, one.From
		}
		return t.calicoTraffic(p, one, x, other, c, dir)
	})
	return strings.TrimSpace(peers + " " + ports)
}

// calicoTraffic says whether a rule takes the packet: all that it states holds (K8S-CAL-04).
func (t *tracer) calicoTraffic(p *model.CalicoPolicy, r *model.CalicoRule, x *pod, other peer, c course, dir model.Direction) match {
	k := c.packet
	switch {
	case len(r.Protocols) > 0 && !slices.Contains(r.Protocols, k.Protocol), slices.Contains(r.NotProtocols, k.Protocol):
		return no()
	case r.Family != 0 && (r.Family == 6) != c.src.v6():
		return no()
	}
	self := peer{pod: x, addr: c.dst, cluster: x.cluster}
	from, to := other, self
	if dir == model.Outbound {
		self.addr = c.src
		from, to = self, other
	}
	m := t.calicoEnd(p, r.From, x, from).and(t.calicoEnd(p, r.To, x, to))
	ports := func(list []model.PolicyPort, n uint16, source bool) match {
		out := no()
		for _, e := range list {
			if e.Named == "" {
				out = out.or(when(k.Protocol.HasPorts() && e.Ports.First <= n && n <= e.Ports.Last))
				continue
			}
			end := to.pod // by the names of the pod at that end
			if source {
				end = from.pod
			}
			out = out.or(when(end != nil && !end.workload.HostNetwork && slices.ContainsFunc(end.workload.Ports, func(q model.ContainerPort) bool {
				return q.Name == e.Named && q.Protocol == k.Protocol && q.Port == n
			})))
		}
		return out
	}
	for _, side := range []struct {
		list   []model.PolicyPort
		port   uint16
		source bool
		not    bool
	}{{r.From.Ports, k.SPort, true, false}, {r.To.Ports, k.DPort, false, false}, {r.From.NotPorts, k.SPort, true, true}, {r.To.NotPorts, k.DPort, false, true}} {
		if len(side.list) == 0 {
			continue
		}
		hit := ports(side.list, side.port, side.source)
		if side.not {
			hit = hit.not()
		}
		m = m.and(hit)
	}
	return m
}

// calicoEnd is one side of a rule. Behind a Service policy sees the client or a node, and nobody knows which (K8S-SVC-09).
func (t *tracer) calicoEnd(p *model.CalicoPolicy, e model.CalicoEnd, x *pod, other peer) match {
	if other.masked == nil {
		return t.calicoEndAt(p, e, x, other)
	}
	client := peer{addr: other.masked.client, cluster: x.cluster}
	for _, y := range t.podsOf(x.cluster) {
		if !y.workload.HostNetwork && y.holds(t.world, client.addr.at) {
			client.pod = y
		}
	}
	a := t.calicoEndAt(p, e, x, client)
	b := t.calicoEndAt(p, e, x, peer{node: true, addr: address{may: other.masked.nodes}, cluster: x.cluster})
	if a.must && b.must || !a.may && !b.may {
		return a.and(b)
	}
	return a.or(b).and(maybe("ASM-K-SNAT"))
}

func (t *tracer) calicoEndAt(p *model.CalicoPolicy, e model.CalicoEnd, x *pod, other peer) match {
	m := yes()
	if e.Selector != nil || e.Namespaces != nil || e.NotSelector != nil && p.Namespace != "" {
		s := e.Selector
		if s == nil {
			s = model.CalicoSelector{{}}
		}
		m = t.calicoSelected(p, s, e, x, other)
	}
	if e.NotSelector != nil {
		// Whatever namespace it is in, and if it is in none.
		m = m.and(t.calicoSelected(&model.CalicoPolicy{}, e.NotSelector, model.CalicoEnd{}, x, other).not())
	}
	if len(e.Nets) > 0 {
		m = m.and(other.addr.in(prefixSet(e.Nets...)))
	}
	if len(e.NotNets) > 0 {
		m = m.and(other.addr.in(prefixSet(e.NotNets...)).not())
	}
	return m
}

// calicoSelected says whether a selector finds one end of the packet: a pod, or an address of a network set (K8S-CAL-03).
func (t *tracer) calicoSelected(p *model.CalicoPolicy, s model.CalicoSelector, e model.CalicoEnd, x *pod, other peer) match {
	within := func(namespace string) match {
		switch {
		case e.Namespaces != nil:
			return t.calicoNamespace(e.Namespaces, x.cluster.ID, namespace)
		default:
			return when(p.Namespace == "" || p.Namespace == namespace)
		}
	}
	m := no()
	isPod := false
	switch {
	case other.pod != nil && !other.pod.workload.HostNetwork:
		isPod = true
		m = within(other.pod.workload.Namespace).and(t.calicoPod(s, other.pod))
	case other.future != "":
		m = within(other.future).and(maybe("ASM-K-SYSTEM"))
	}
	stated := func(key string) (bool, []string) { return false, nil }
	for _, n := range t.e.CalicoSets {
		if !same(n.Cluster, x.cluster.ID) {
			continue
		}
		found := no()
		for _, term := range s {
			one := matchLabels(term.Labels, n.Labels, stated)
			if term.Namespaces != nil {
				if n.Namespace == "" { // it has no namespace, hence none of its labels
					one = one.and(matchLabels(*term.Namespaces, nil, stated))
				} else {
					one = one.and(t.namespaceMatch(*term.Namespaces, x.cluster.ID, n.Namespace))
				}
			}
			found = found.or(one)
		}
		if n.Namespace != "" {
			found = found.and(within(n.Namespace))
		} else {
			outside := when(e.Namespaces == nil && p.Namespace == "")
			for _, term := range e.Namespaces { // `global()`, `env != 'prod'`
				if term.Namespaces == nil {
					outside = yes()
				} else {
					outside = outside.or(matchLabels(*term.Namespaces, nil, stated))
				}
			}
			found = found.and(outside)
		}
		m = m.or(found.and(other.addr.in(prefixSet(n.Nets...))))
		if n.Names && !isPod {
			m = m.or(found.and(maybe("ASM-K-FQDN")))
		}
	}
	return m
}
