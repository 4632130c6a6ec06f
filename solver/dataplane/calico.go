package dataplane

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// calicoReading says whether the policies of Calico act in a cluster: they do where the engine is Calico, may where it is not known, and mean
// nothing to any other (K8S-CAL-01, K8S-GEN-04).
func (cp *clusterPlan) calicoReading() tri {
	switch cp.engine {
	case engineCalico:
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

// netPolicyOrder is where NetworkPolicies stand in Calico's default tier (K8S-CAL-02).
const netPolicyOrder = 1000

// calicoStep is the policies of one tier that have one order; their order among each other is not known.
type calicoStep struct {
	order    float64
	policies []*model.CalicoPolicy
	union    bool // NetworkPolicies stand here too
}

// calicoTier is one tier with its steps in their order.
type calicoTier struct {
	order float64
	pass  bool
	steps []calicoStep
}

// calicoTiers sorts the policies of Calico in a cluster by tier and order.
func (p *planner) calicoTiers(cp *clusterPlan) []calicoTier {
	tiers := map[string]*calicoTier{"default": {order: 1_000_000}}
	for _, t := range p.e.CalicoTiers {
		if t.Cluster.Key() == cp.c.ID.Key() {
			x := &calicoTier{order: t.Order, pass: t.Pass}
			if t.Name() == "default" {
				x.order = 1_000_000
			}
			tiers[t.Name()] = x
		}
	}
	add := func(t *calicoTier, order float64, x *model.CalicoPolicy) {
		i := slices.IndexFunc(t.steps, func(s calicoStep) bool { return s.order == order })
		if i < 0 {
			i = len(t.steps)
			t.steps = append(t.steps, calicoStep{order: order})
		}
		if x == nil {
			t.steps[i].union = true
		} else {
			t.steps[i].policies = append(t.steps[i].policies, x)
		}
	}
	add(tiers["default"], netPolicyOrder, nil)
	names := []string{"default"}
	for _, t := range p.e.CalicoTiers {
		if t.Cluster.Key() == cp.c.ID.Key() && !slices.Contains(names, t.Name()) {
			names = append(names, t.Name())
		}
	}
	for _, x := range p.e.CalicoPolicies {
		if x.Cluster.Key() != cp.c.ID.Key() {
			continue
		}
		if tiers[x.Tier] == nil {
			tiers[x.Tier] = &calicoTier{order: math.NaN()} // the input lacks the tier
			names = append(names, x.Tier)
		}
		add(tiers[x.Tier], x.Order, x)
	}
	var out []calicoTier
	for _, n := range names {
		t := *tiers[n]
		slices.SortStableFunc(t.steps, func(a, b calicoStep) int { return cmp.Compare(a.order, b.order) })
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b calicoTier) int { return cmp.Compare(a.order, b.order) })
	return out
}

// withCalico puts the NetworkPolicies of one pod where Calico has them among its own: tiers are asked one after the other, policies of a tier
// by their order, rules in sequence (K8S-CAL-02). touched is false where none of Calico's may act.
func (p *planner) withCalico(cp *clusterPlan, w *model.Workload, pool string, dir model.Direction, u *union) (r ruling, touched bool, notes []string) {
	acts := cp.calicoReading()
	if acts == no {
		return ruling{}, false, nil
	}
	r = silent()
	lost := false // a tier is not in the input, or two have one order
	var before *calicoTier
	for _, t := range p.calicoTiers(cp) {
		tier, mine, more := p.calicoTier(cp, w, pool, dir, u, t)
		notes = append(notes, more...)
		touched = touched || mine
		if mine || u.may && slices.ContainsFunc(t.steps, func(s calicoStep) bool { return s.union }) {
			lost = lost || math.IsNaN(t.order) || before != nil && before.order == t.order
			before = &t
		}
		r = r.then(tier)
	}
	if !touched {
		return ruling{}, false, nil
	}
	if lost {
		m := mute()
		m.rest = everything()
		r, notes = r.or(m), append(notes, "ASM-K-CALICO")
	}
	if acts == maybe {
		r, notes = r.or(u.ruling(p, cp, pool)), append(notes, "ASM-K-CNP")
	}
	if u.may {
		notes = append(notes, "ASM-K-ICMP")
	}
	return r, true, notes
}

// calicoTier is one tier. mine is false where no policy of Calico in it may select the pod.
func (p *planner) calicoTier(cp *clusterPlan, w *model.Workload, pool string, dir model.Direction, u *union, t calicoTier) (r ruling, mine bool, notes []string) {
	r, fall := ordered(nil)
	applies := no // some policy of the tier selects the pod
	for _, s := range t.steps {
		var lists [][]orderedRule
		doubt := false
		for _, x := range s.policies {
			selected := p.calicoSelects(cp, x, w)
			if selected == no || !x.Applies[dir] {
				continue
			}
			mine = true
			applies = max(applies, selected)
			if selected == maybe {
				notes = append(notes, cp.termDoubts(w, x.Selector)...)
				notes = append(notes, cp.termDoubts(w, x.Namespaces)...)
			}
			for _, entry := range p.fogged(x.ID) {
				if !otherSide(entry.Field, dir) {
					doubt, notes = true, append(notes, unsupported(entry))
				}
			}
			list, more := p.calicoRules(cp, w, x, dir, selected == yes)
			lists, notes = append(lists, list), append(notes, more...)
		}
		var g ruling
		var f *lazy
		switch {
		case s.union && u.may:
			// NetworkPolicies only admit here; what none of them admits comes to the end of the tier.
			np := u.ruling(p, cp, pool)
			np.deny, np.rest = nothing(), nothing()
			np.parts = np.parts[:len(np.parts)-1]
			_, under := u.bounds()
			_, under = p.icmpOf(cp, pool, everything(), under)
			admitted := under
			if !u.must {
				admitted = nothing()
			}
			g, f = np, outside(admitted)
			if len(lists) > 0 {
				x, fx := tied(lists)
				g, f = g.or(x), both(f, fx)
			}
			applies = max(applies, map[bool]tri{true: yes, false: maybe}[u.must])
		case len(lists) == 0 && !doubt:
			continue
		default:
			g, f = tied(lists)
		}
		if doubt {
			m := mute()
			m.rest = everything()
			g, f = g.or(m), everything()
		}
		r, fall = r.or(within(fall, g)), both(fall, f)
	}
	if applies == no {
		return silent(), false, notes
	}
	// The end of the tier: what no rule matched is denied, where some policy of it selects the pod.
	if t.pass || applies != yes {
		r.rest = either(r.rest, fall)
	}
	if !t.pass {
		r.deny = either(r.deny, fall)
		end := Part{Key: "policy|" + w.ID.Key() + "|tier", Rule: "the end of a tier of Calico", Source: w.Source, Detail: "a policy of the tier selects " + w.Namespace + "/" + w.Name() + ", and no rule matches", Open: "a rule that allows it"}
		if u.may {
			end.Rule, end.Source, end.Key = u.shut.Rule, u.shut.Source, u.shut.Key
		}
		r.parts = append(r.parts, rulingPart{end, fall})
	}
	return r, mine, notes
}

// calicoSelects decides the subject of a policy.
func (p *planner) calicoSelects(cp *clusterPlan, x *model.CalicoPolicy, w *model.Workload) tri {
	if x.Namespace != "" && x.Namespace != w.Namespace {
		return no
	}
	match := p.calicoMatch(cp, x.Selector, w.Namespace, func(s model.LabelSelector) tri { return selectsPod(s, w) })
	if x.Namespaces != nil {
		match = match.and(p.calicoMatch(cp, x.Namespaces, w.Namespace, nil))
	}
	return match
}

// termDoubts names the labels on which a selector of Calico hangs.
func (cp *clusterPlan) termDoubts(w *model.Workload, s model.CalicoSelector) (out []string) {
	for _, t := range s {
		out = append(out, cp.labelDoubts(w, t.Namespaces, &t.Labels)...)
	}
	return out
}

// calicoMatch decides a selector for something in a namespace; any of its terms.
func (p *planner) calicoMatch(cp *clusterPlan, s model.CalicoSelector, namespace string, labels func(model.LabelSelector) tri) tri {
	out := no
	for _, t := range s {
		match := yes
		if t.Namespaces != nil {
			match = cp.selectsNamespace(*t.Namespaces, namespace)
		}
		if labels != nil {
			match = match.and(labels(t.Labels))
		}
		out = max(out, match)
	}
	return out
}

// calicoRules compiles the rules of a policy; a rule that logs decides nothing.
func (p *planner) calicoRules(cp *clusterPlan, w *model.Workload, x *model.CalicoPolicy, dir model.Direction, certain bool) (out []orderedRule, notes []string) {
	word := "ingress"
	if dir == model.Outbound {
		word = "egress"
	}
	prefix := x.Kind + "/" + x.Name()
	if x.Namespace != "" {
		prefix = x.Namespace + "/" + prefix
	}
	for i := range x.Rules[dir] {
		r := &x.Rules[dir][i]
		if r.Action == model.PolicyLog {
			continue
		}
		name := word + "[" + strconv.Itoa(i) + "]"
		o := orderedRule{do: doDeny, part: Part{Key: "rule|" + x.ID.Key() + "|" + name, Rule: prefix + "/" + name, Source: r.Source, Allow: r.Action == model.PolicyAllow, Open: openRule}}
		switch r.Action {
		case model.PolicyAllow:
			o.do = doAllow
		case model.PolicyPass:
			o.do = doPass
		}
		o.part = p.calicoEntries(cp, w, x, r, dir, o.part)
		o.must, o.may = p.calicoTraffic(cp, w, r, dir)
		fromMust, fromMay, a := p.calicoEnd(cp, x, r.From, srcIn, dir == model.Outbound)
		toMust, toMay, b := p.calicoEnd(cp, x, r.To, dstIn, dir == model.Inbound)
		notes = append(notes, append(a, b...)...)
		o.must, o.may = both(o.must, both(fromMust, toMust)), both(o.may, both(fromMay, toMay))
		if r.ICMPType || r.Doubt {
			o.must, notes = nothing(), append(notes, "ASM-K-CALICO")
		}
		if !certain {
			o.must = nothing()
		}
		out = append(out, o)
	}
	return out, notes
}

// calicoEntries adds to a rule's part what of it is about the far end, `source.nets[1]`, and the ports that it names.
func (p *planner) calicoEntries(cp *clusterPlan, w *model.Workload, x *model.CalicoPolicy, r *model.CalicoRule, dir model.Direction, part Part) Part {
	if !p.o.Explain || p.future != nil {
		return part
	}
	far, side, at := r.From, "source", srcIn
	if dir == model.Outbound {
		far, side, at = r.To, "destination", dstIn
	}
	add := func(name string, e model.CalicoEnd) {
		_, may, _ := p.calicoEnd(cp, x, e, at, false)
		part.peers = append(part.peers, entrySet{name, may})
	}
	words := far.Words(side)
	for i := range far.Nets {
		one := far
		one.Nets = far.Nets[i : i+1]
		add(strings.TrimSpace(words+" "+side+".nets["+strconv.Itoa(i)+"]"), one)
	}
	if len(far.Nets) == 0 && words != "" {
		add(words, far)
	}
	for i, list := range [][]model.PolicyPort{r.To.Ports, r.From.Ports} {
		for _, port := range list {
			one := model.CalicoRule{Protocols: r.Protocols}
			if i == 0 {
				one.To.Ports = []model.PolicyPort{port}
			} else {
				one.From.Ports = []model.PolicyPort{port}
			}
			_, may := p.calicoTraffic(cp, w, &one, dir)
			part.ports = append(part.ports, entrySet{port.Source.Within(r.Source), may})
		}
		if len(part.ports) > 0 {
			break // of the ports of both ends, those of the target
		}
	}
	return part
}

// calicoTraffic is the protocols, families and ports of a rule. Ports of the source are those of the sender.
func (p *planner) calicoTraffic(cp *clusterPlan, w *model.Workload, r *model.CalicoRule, dir model.Direction) (must, may *lazy) {
	l := everything()
	if len(r.Protocols) > 0 {
		l = transport(r.Protocols, nil, nil, false)
	}
	if len(r.NotProtocols) > 0 {
		l = minus(l, transport(r.NotProtocols, nil, nil, false))
	}
	switch r.Family {
	case 4:
		if p.future == nil {
			l = both(l, srcIn(p.addr.v4))
		}
	case 6:
		if p.future != nil {
			return nothing(), l
		}
		l = both(l, srcIn(p.addr.v6))
	}
	unsure, all := false, l
	ports := func(list []model.PolicyPort, source bool) *lazy {
		var sets []*lazy
		for _, x := range list {
			switch {
			case x.Named != "" && source && p.future != nil && dir == model.Inbound:
				unsure = true
				sets = append(sets, transport(protocolsOf(x), nil, nil, false))
			case x.Named != "" && source && dir == model.Inbound:
				for _, src := range cp.workloads {
					if !src.HostNetwork {
						sets = append(sets, both(srcIn(p.addr.exactHosts(p.podAddrs(src)...)), namedSource(src, x)))
					}
				}
			case x.Named != "" && source:
				sets = append(sets, namedSource(w, x))
			case x.Named != "" && dir == model.Inbound:
				sets = append(sets, namedPort(w, x))
			case x.Named != "" && p.future != nil: // whichever it calls so (K8S-NP-19)
				unsure = true
				sets = append(sets, transport(protocolsOf(x), nil, nil, false))
			case x.Named != "":
				a, _ := p.policyPorts(cp, w, model.PolicyRule{Ports: []model.PolicyPort{x}}, dir)
				sets = append(sets, a)
			case source:
				sets = append(sets, transport(r.Protocols, []model.PortRange{x.Ports}, nil, false))
			default:
				sets = append(sets, transport(r.Protocols, nil, []model.PortRange{x.Ports}, false))
			}
		}
		return either(sets...)
	}
	if len(r.From.Ports) > 0 {
		l = both(l, ports(r.From.Ports, true))
	}
	if len(r.To.Ports) > 0 {
		l = both(l, ports(r.To.Ports, false))
	}
	if len(r.From.NotPorts) > 0 {
		l = minus(l, ports(r.From.NotPorts, true))
	}
	if len(r.To.NotPorts) > 0 {
		l = minus(l, ports(r.To.NotPorts, false))
	}
	if unsure {
		return nothing(), all
	}
	return l, l
}

// namedSource is the packets from the container ports of a pod that have a name.
func namedSource(w *model.Workload, x model.PolicyPort) *lazy {
	sets := []*lazy{nothing()}
	for _, c := range w.Ports {
		if c.Name == x.Named {
			sets = append(sets, transport([]model.Protocol{c.Protocol}, []model.PortRange{{First: c.Port, Last: c.Port}}, nil, false))
		}
	}
	return either(sets...)
}

// calicoEnd is one side of a rule, near that of the pod itself: addresses that all it states hold for.
func (p *planner) calicoEnd(cp *clusterPlan, x *model.CalicoPolicy, e model.CalicoEnd, at func(packet.AddrSet) *lazy, near bool) (must, may *lazy, notes []string) {
	if p.future != nil {
		must, may = p.futureEnd(cp, x, e, near)
		return must, may, nil
	}
	if e.Selector != nil || e.Namespaces != nil || e.NotSelector != nil && x.Namespace != "" {
		a, b, more := p.calicoSelected(cp, x, e.Selector, e, at)
		must, may, notes = a, b, append(notes, more...)
	}
	if e.NotSelector != nil { // of whatever namespace, and of none
		a, b, more := p.calicoSelected(cp, &model.CalicoPolicy{}, e.NotSelector, model.CalicoEnd{}, at)
		must, may, notes = both(must, outside(b)), both(may, outside(a)), append(notes, more...)
	}
	if len(e.Nets) > 0 {
		set := p.addr.set(e.Nets)
		must, may = both(must, at(set.must)), both(may, at(set.may))
	}
	if len(e.NotNets) > 0 {
		set := p.addr.set(e.NotNets)
		must, may = both(must, outside(at(set.may))), both(may, outside(at(set.must)))
	}
	return orEverything(must), orEverything(may), notes
}

// calicoSelected is the addresses of pods and network sets that a selector finds: in a policy of a namespace its own, unless it selects
// namespaces. What has no namespace has none of its labels: so `global()`, and `env != 'prod'`, find global sets (K8S-CAL-03).
func (p *planner) calicoSelected(cp *clusterPlan, x *model.CalicoPolicy, s model.CalicoSelector, e model.CalicoEnd, at func(packet.AddrSet) *lazy) (must, may *lazy, notes []string) {
	if s == nil {
		s = model.CalicoSelector{{}}
	}
	within := func(namespace string) tri {
		switch {
		case e.Namespaces != nil:
			return p.calicoMatch(cp, e.Namespaces, namespace, nil)
		case x.Namespace != "" && x.Namespace != namespace:
			return no
		}
		return yes
	}
	var a, b []netip.Addr
	for _, w := range cp.workloads {
		if w.HostNetwork {
			continue
		}
		match := within(w.Namespace).and(p.calicoMatch(cp, s, w.Namespace, func(l model.LabelSelector) tri { return selectsPod(l, w) }))
		if match == yes {
			a = append(a, p.podAddrs(w)...)
		}
		if match != no {
			b = append(b, p.podAddrs(w)...)
		}
		if match == maybe {
			notes = append(notes, cp.termDoubts(w, s)...)
			notes = append(notes, cp.termDoubts(w, e.Namespaces)...)
		}
	}
	certain, possible := []*lazy{at(p.addr.exactHosts(a...))}, []*lazy{at(p.addr.exactHosts(b...))}
	for _, n := range p.e.CalicoSets {
		if n.Cluster.Key() != cp.c.ID.Key() {
			continue
		}
		known := func(l model.LabelSelector) tri { return matchLabels(l, n.Labels, nil) }
		match := no
		switch {
		case n.Namespace != "":
			match = within(n.Namespace).and(p.calicoMatch(cp, s, n.Namespace, known))
		case e.Namespaces != nil:
			match = calicoGlobal(e.Namespaces, nil).and(calicoGlobal(s, known))
		case x.Namespace == "":
			match = calicoGlobal(s, known)
		}
		if match == no {
			continue
		}
		set := p.addr.set(n.Nets)
		if match == yes {
			certain = append(certain, at(set.must))
		}
		possible = append(possible, at(set.may))
		if n.Names { // names of it may resolve to any address outside
			possible, notes = append(possible, outside(at(cp.all))), append(notes, "ASM-K-FQDN")
		}
	}
	return either(certain...), either(possible...), notes
}

// calicoGlobal decides a selector for something without a namespace; any of its terms.
func calicoGlobal(s model.CalicoSelector, labels func(model.LabelSelector) tri) tri {
	out := no
	for _, t := range s {
		match := yes
		if t.Namespaces != nil {
			match = matchLabels(*t.Namespaces, nil, nil)
		}
		if labels != nil {
			match = match.and(labels(t.Labels))
		}
		out = max(out, match)
	}
	return out
}
