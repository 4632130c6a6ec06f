package dataplane

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// tri is a selector's answer where labels may be unknown.
type tri uint8

const (
	no tri = iota
	maybe
	yes
)

func (a tri) and(b tri) tri { return min(a, b) }

// matchLabels decides a label selector; unknown lists keys whose value is not known (K8S-NP-01, K8S-NP-02).
func matchLabels(s model.LabelSelector, labels map[string]string, unknown func(key string) bool) tri {
	switch may, must := s.Selects(labels, unknown); {
	case must:
		return yes
	case may:
		return maybe
	default:
		return no
	}
}

// selectsPod decides whether a pod selector selects a workload's pods. Labels that the platform sets, or that are not the same on all
// pods, are unknown (K8S-WL-02, K8S-WL-03).
func selectsPod(s model.LabelSelector, w *model.Workload) tri {
	return matchLabels(s, w.Labels, func(key string) bool { return slices.Contains(w.Implied, key) })
}

// selectsNamespace decides a namespace selector; an undeclared namespace has its name label alone for certain (K8S-NS-03).
func (cp *clusterPlan) selectsNamespace(s model.LabelSelector, name string) tri {
	n := cp.labels[name]
	labels := map[string]string{"kubernetes.io/metadata.name": name}
	declared := false
	if n != nil {
		declared = n.Declared
		for k, v := range n.Labels {
			labels[k] = v
		}
	}
	return matchLabels(s, labels, func(string) bool { return !declared })
}

// labelDoubts names the labels on which selectors of a workload's pods, and of its namespace, hang.
func (cp *clusterPlan) labelDoubts(w *model.Workload, namespaces *model.LabelSelector, pods ...*model.LabelSelector) (out []string) {
	if namespaces != nil && cp.selectsNamespace(*namespaces, w.Namespace) == maybe {
		out = append(out, "ASM-K-NSLABELS") // the interpreter says which (K8S-NS-03)
	}
	for _, s := range pods {
		if s == nil || selectsPod(*s, w) != maybe {
			continue
		}
		keys := slices.Sorted(maps.Keys(s.Match))
		for _, r := range s.Requirements {
			keys = append(keys, r.Key)
		}
		for _, key := range keys {
			if _, known := w.Labels[key]; !known && slices.Contains(w.Implied, key) {
				out = append(out, "ASM-K-PODLABELS("+w.Namespace+"/"+w.Name()+", "+key+")")
			}
		}
	}
	return out
}

// peerPods is the pods that a policy peer names, in both bounds.
func (p *planner) peerPods(cp *clusterPlan, policy *model.NetworkPolicy, peer model.PolicyPeer) (must, may []netip.Addr) {
	for _, w := range cp.workloads {
		match := yes
		switch {
		case peer.Namespaces != nil:
			match = cp.selectsNamespace(*peer.Namespaces, w.Namespace)
		case w.Namespace != policy.Namespace:
			match = no // K8S-NP-10: a pod selector alone means the policy's namespace
		}
		if peer.Pods != nil {
			match = match.and(selectsPod(*peer.Pods, w))
		}
		if match == no {
			continue
		}
		if w.HostNetwork {
			continue // K8S-NP-25: never matched by a selector; its packets carry the node's address
		}
		addresses := p.podAddrs(w)
		may = append(may, addresses...)
		if match == yes {
			must = append(must, addresses...)
		}
	}
	return must, may
}

// policySide is the far ends that a rule's peers admit.
func (p *planner) policySide(cp *clusterPlan, policy *model.NetworkPolicy, rule model.PolicyRule, at func(packet.AddrSet) *lazy, dir model.Direction) (must, may *lazy, entries []entrySet, notes []string) {
	if len(rule.Peers) == 0 {
		return everything(), everything(), nil, nil // K8S-NP-09
	}
	var certain, possible []*lazy
	for _, peer := range rule.Peers {
		if p.future != nil {
			match := p.future.policyPeer(p, cp, policy, peer)
			a, b := futureBounds(match)
			certain, possible = append(certain, a), append(possible, b)
			if peer.IPBlock != nil && match == maybe {
				notes = append(notes, "ASM-K-IPBLOCK")
			}
			continue
		}
		if peer.IPBlock != nil {
			a, b, more := p.ipBlock(cp, *peer.IPBlock, at, dir)
			certain, possible, notes = append(certain, a), append(possible, b), append(notes, more...)
			continue
		}
		mustPods, mayPods := p.peerPods(cp, policy, peer)
		certain = append(certain, at(p.addr.exactHosts(mustPods...)))
		possible = append(possible, at(p.addr.exactHosts(mayPods...)))
		if cp.engine == engineOther && cp.mode == podsBare { // K8S-NP-25: such an engine may match pods of the host network
			possible[len(possible)-1], notes = either(possible[len(possible)-1], at(cp.onNodes)), append(notes, "ASM-K-BYOCNI")
		}
		if len(mustPods) != len(mayPods) {
			for _, w := range cp.workloads {
				if peer.Namespaces != nil || w.Namespace == policy.Namespace {
					notes = append(notes, cp.labelDoubts(w, peer.Namespaces, peer.Pods)...)
				}
			}
		}
	}
	for i, peer := range rule.Peers {
		entries = append(entries, entrySet{peer.Source.Within(rule.Source), possible[i]})
	}
	return either(certain...), either(possible...), entries, notes
}

// ipBlock is the addresses of a block, less its holes; whether it matches pods and nodes depends on the engine (K8S-NP-13).
func (p *planner) ipBlock(cp *clusterPlan, b model.IPBlock, at func(packet.AddrSet) *lazy, dir model.Direction) (must, may *lazy, notes []string) {
	block := p.addr.set([]netip.Prefix{b.CIDR})
	holes := p.addr.set(b.Except)
	must = minus(at(block.must), at(holes.may))
	may = minus(at(block.may), at(holes.must))
	pods := at(cp.all)
	nodes := at(p.nodeSpace(cp))
	if dir == model.Inbound && !cp.masked {
		nodes = both(nodes, p.sentBy(cp)) // a free address of a node subnet may be another machine's (AKS-NET-12)
	}
	if cp.mode == podsBare { // the nodes that are known are those of pods of the host network
		nodes = at(cp.onNodes)
	}
	switch cp.engine {
	case engineCilium: // K8S-CIL-05
		inside := either(pods, nodes)
		if dir == model.Outbound { // whose a free address of a node subnet is, nobody says
			if len(p.nodePrefixes(cp)) > 0 {
				notes = append(notes, "ASM-K-NODES")
			}
			return minus(must, inside), minus(may, either(pods, at(p.hostPods(cp)))), notes
		}
		return minus(must, inside), minus(may, inside), nil
	case engineCalico, engineAzure, engineNone:
		return must, may, nil
	default:
		return minus(must, either(pods, nodes)), may, []string{"ASM-K-IPBLOCK"}
	}
}

// nodeSpace is the addresses of a cluster's nodes: those of its machines, which in a node subnet is every address that nothing else holds.
func (p *planner) nodeSpace(cp *clusterPlan) packet.AddrSet {
	return p.b.AddSet("", p.nodePrefixes(cp))
}

func (p *planner) nodePrefixes(cp *clusterPlan) []netip.Prefix {
	var ps []netip.Prefix
	for _, m := range p.machines {
		if m.cluster != nil && m.cluster.c == cp.c {
			ps = append(ps, m.site.Prefixes...)
		}
	}
	return ps
}

// union is the policies of which any may admit a packet, for one pod and direction (K8S-NP-04).
type union struct {
	must, may           bool // isolated
	allowMust, allowMay []*lazy
	ifSelected          *lazy // what passes whichever of the policies that only may select the pod does so
	admitting           []rulingPart
	shut                Part
}

// isolate adds a policy that isolates the pod if it selects it, with what its own rules let pass for certain.
func (u *union) isolate(selected tri, own []*lazy, shut Part) {
	if selected == yes && !u.must || !u.may {
		u.shut = shut
	}
	u.may = true
	if selected == yes {
		u.must = true
		u.allowMust = append(u.allowMust, own...)
	} else {
		u.ifSelected = both(u.ifSelected, either(own...))
	}
}

// bounds are what the union lets pass; where it may not isolate the pod, everything may pass.
func (u *union) bounds() (over, under *lazy) {
	switch {
	case u.must:
		return either(u.allowMay...), either(u.allowMust...)
	case u.may:
		return everything(), either(append([]*lazy{u.ifSelected}, u.allowMust...)...)
	default:
		return everything(), everything()
	}
}

// ruling is the union as a list before others: where it isolates the pod, its word is final (K8S-CNP-02).
func (u *union) ruling(p *planner, cp *clusterPlan, pool string) ruling {
	if !u.may {
		return silent()
	}
	_, under := u.bounds()
	allow, under := p.icmpOf(cp, pool, either(u.allowMay...), under)
	r := ruling{allow: allow, deny: outside(under), rest: everything(), parts: append(u.admitting, rulingPart{u.shut, outside(allow)})}
	if u.must {
		r.rest = nothing()
	}
	return r
}

// netPolicies is the NetworkPolicies of one pod in one direction.
func (p *planner) netPolicies(cp *clusterPlan, w *model.Workload, pool string, dir model.Direction, key string) (*union, []string) {
	at, word := srcIn, "ingress"
	if dir == model.Outbound {
		at, word = dstIn, "egress"
	}
	u := &union{ifSelected: everything()}
	var notes []string
	for _, n := range cp.policies {
		if n.Namespace != w.Namespace || !n.Isolates[dir] {
			continue
		}
		selected := selectsPod(n.Pods, w)
		if selected == no {
			continue
		}
		if selected == maybe {
			notes = append(notes, cp.labelDoubts(w, nil, &n.Pods)...)
		}
		if cp.windowsNPM(pool) && beyondWindows(n) { // K8S-NP-21: not enforced
			selected, notes = maybe, append(notes, "ASM-K-BYOCNI")
		}
		rules := n.Ingress
		if dir == model.Outbound {
			rules = n.Egress
		}
		var own []*lazy
		name := n.Namespace + "/" + n.Name()
		for i, r := range rules {
			must, may, peers, more := p.policySide(cp, n, r, at, dir)
			notes = append(notes, more...)
			portsMust, portsMay, more := p.rulePorts(cp, w, r.Ports, dir)
			notes = append(notes, more...)
			passes := both(may, portsMay)
			u.allowMay = append(u.allowMay, passes)
			part := Part{Key: key, Rule: name + "/" + word + "[" + strconv.Itoa(i) + "]", Source: r.Source, Allow: true, peers: peers, ports: p.portEntries(cp, w, r.Source, r.Ports, dir)}
			u.admitting = append(u.admitting, rulingPart{part, passes})
			own = append(own, both(must, portsMust))
		}
		u.isolate(selected, own, Part{
			Key: key, Rule: name, Source: n.Source,
			Detail: "isolates " + w.Namespace + "/" + w.Name() + ", and no " + word + " rule admits the peer", Open: "an " + word + " rule that admits it",
		})
	}
	return u, notes
}

// policyGuard is what the policies of a cluster let one pod, on a node of a pool, receive (Inbound) or send (Outbound): the opening of
// connections. Replies belong to them and need no rule (K8S-GEN-01).
func (p *planner) policyGuard(cp *clusterPlan, w *model.Workload, pool string, dir model.Direction) (guard, []string) {
	g, notes := p.policies(cp, w, pool, dir)
	if refused, more := p.refusing(cp, w); refused != nil && !w.HostNetwork {
		g = and(g, between(everything(), outside(refused)))
		notes = append(slices.Clone(notes), more...)
		slices.Sort(notes)
		notes = slices.Compact(notes)
	}
	return g, notes
}

func (p *planner) policies(cp *clusterPlan, w *model.Workload, pool string, dir model.Direction) (guard, []string) {
	enforcedOver, enforcedUnder := p.enforces(cp.engine)
	var notes []string
	if !enforcedOver && !enforcedUnder || w.HostNetwork {
		return guard{}, nil
	}
	switch cp.engine {
	case engineAssumed:
		notes = append(notes, "ASM-K-ENGINE")
	case engineOpen:
		notes = append(notes, "ASM-A-ENGINE")
	}
	if why := cp.mayNotEnforce(pool); why != "" {
		enforcedOver, notes = false, append(notes, why)
	}
	word := "ingress"
	if dir == model.Outbound {
		word = "egress"
	}
	k := Control{Key: "policy|" + w.ID.Key() + "|" + word, Name: w.Namespace + "/" + w.Name() + " " + word + " policies", Shut: shutUnion, Stage: "pod-" + word}
	u, more := p.netPolicies(cp, w, pool, dir, k.Key)
	notes = append(notes, more...)
	if u.may {
		notes = append(notes, "ASM-K-ICMP")
		if cp.windowsNPM(pool) { // K8S-NP-24
			notes = append(notes, "ASM-K-BYOCNI")
		}
	}
	namespaced, special, more := p.withCilium(cp, w, pool, dir, u, k.Key)
	notes = append(notes, more...)
	tiered, isTiered, more := p.withCalico(cp, w, pool, dir, u)
	notes = append(notes, more...)
	if isTiered {
		if special { // of an engine that is not known: it reads the ones or the others
			tiered = tiered.or(namespaced)
		}
		namespaced, special = tiered, true
	}
	around := p.tiersOf(cp, w, dir)
	if u.may || special || around.touches {
		p.note("ASM-K-RACE") // K8S-NP-26
	}
	open := p.steering(cp, w.Namespace)
	switch {
	case len(open) > 0:
		// Something that is not modelled may allow or deny anything here.
		notes = append(notes, open...)
		slices.Sort(notes)
		return between(everything(), nothing()), slices.Compact(notes)
	case special || around.touches:
		if !special {
			namespaced = u.ruling(p, cp, pool)
		}
		if around.touches {
			plain := namespaced
			namespaced, more = p.withTiers(cp, namespaced, around)
			notes = append(notes, more...)
			if isTiered { // where its own tiers stand among those of the cluster-wide policies is not followed
				m := mute()
				m.parts = plain.parts
				namespaced, notes = m, append(notes, "ASM-K-CALICO")
			}
		}
		if !enforcedOver {
			namespaced = namespaced.or(silent())
		}
		k.Shut = shutRule
		slices.Sort(notes)
		end := Part{Key: k.Key + "|end", Detail: "no policy decides about " + w.Namespace + "/" + w.Name()}
		return namespaced.guard().behind(k, namespaced.list(end)), slices.Compact(notes)
	case !u.may:
		return guard{}, notes // K8S-NP-03
	}
	over, under := u.bounds()
	if !enforcedOver {
		over = everything()
	}
	over, under = p.icmpOf(cp, pool, over, under)
	slices.Sort(notes)
	g := between(over, under)
	if u.must && enforcedOver {
		g = g.behind(k, policyParts(u, over))
	}
	return g, slices.Compact(notes)
}

// withTiers puts the cluster-wide policies around those of the namespaces: Admin, then NetworkPolicy, whose word is final where it
// isolates, then Baseline, then everything passes (K8S-CNP-02). Where the engine may not enforce them, both readings hold (K8S-CNP-17).
func (p *planner) withTiers(cp *clusterPlan, namespaced ruling, around tiers) (ruling, []string) {
	all := around.admin.then(namespaced).then(around.baseline)
	if _, must := cp.enforcesTiers(); !must {
		return all.or(namespaced), append(around.notes, "ASM-K-CNP")
	}
	return all, around.notes
}

// policyParts is the rules that admit, each with what it may admit, and what none of them does.
func policyParts(u *union, over *lazy) *partList {
	return partsLater(func(c *compiler) []Part {
		var out []Part
		for _, x := range u.admitting {
			out = append(out, x.part.taking(c, x.set.get(c)))
		}
		shut := u.shut
		shut.Set = c.s.Complement(over.get(c))
		return append(out, shut)
	})
}

// anyPool asks about pods of which the pool is not known: what holds on one of the cluster's pools may hold.
const anyPool = ""

// windows reports Windows nodes.
func (cp *clusterPlan) windows(pool string) bool {
	return slices.ContainsFunc(cp.c.Pools, func(n model.NodePool) bool {
		return (pool == anyPool || n.Name == pool) && strings.EqualFold(n.OS, "Windows")
	})
}

// windowsNPM reports Azure NPM on Windows nodes, which does less than on Linux (K8S-NP-21).
func (cp *clusterPlan) windowsNPM(pool string) bool {
	return cp.engine == engineAzure && cp.windows(pool)
}

// mayNotEnforce names why an engine may enforce nothing on the nodes of a pool: Cilium is for Linux (K8S-CIL-08), and with kubenet AKS offers
// Calico alone (AKS-POL-02).
func (cp *clusterPlan) mayNotEnforce(pool string) string {
	switch cp.engine {
	case engineCilium:
		if cp.windows(pool) {
			return "ASM-K-BYOCNI"
		}
	case engineAzure, engineOther:
	default:
		return ""
	}
	if strings.EqualFold(cp.c.Plugin, "kubenet") {
		return "ASM-A-ENGINE"
	}
	return ""
}

// beyondWindows reports a policy that says what Azure NPM on Windows does not know: SCTP, named ports, holes in a block, selectors that
// exclude. It is not enforced there (K8S-NP-21).
func beyondWindows(n *model.NetworkPolicy) bool {
	excludes := func(s *model.LabelSelector) bool {
		return s != nil && slices.ContainsFunc(s.Requirements, func(r model.Requirement) bool { return r.Operator == "NotIn" || r.Operator == "DoesNotExist" })
	}
	return excludes(&n.Pods) || slices.ContainsFunc(slices.Concat(n.Ingress, n.Egress), func(r model.PolicyRule) bool {
		return slices.ContainsFunc(r.Ports, func(x model.PolicyPort) bool { return x.Named != "" || x.Protocol == model.SCTP }) ||
			slices.ContainsFunc(r.Peers, func(x model.PolicyPeer) bool {
				return excludes(x.Pods) || excludes(x.Namespaces) || x.IPBlock != nil && len(x.IPBlock.Except) > 0
			})
	})
}

// icmpOf widens what an engine that nobody documents does with protocols that policies do not name (K8S-NP-24).
func (p *planner) icmpOf(cp *clusterPlan, pool string, over, under *lazy) (*lazy, *lazy) {
	if cp.engine != engineOther && !cp.windowsNPM(pool) && p.assumed("ASM-K-ICMP") {
		return over, under
	}
	portless := later(func(c *compiler) packet.Set { return c.portless() })
	return either(over, portless), minus(under, portless)
}

// acting are the objects of some roles that act on the pods of a namespace and are not modelled (K8S-GEN-07).
func (p *planner) acting(cp *clusterPlan, namespace string, roles ...model.Role) []model.LedgerEntry {
	var out []model.LedgerEntry
	ids := []model.ID{cp.c.ID}
	if n := cp.labels[namespace]; n != nil {
		ids = append(ids, n.ID)
	}
	for _, id := range ids {
		for _, entry := range p.fogged(id) {
			if slices.Contains(roles, entry.Role) {
				out = append(out, entry)
			}
		}
	}
	return out
}

// steering names those that may change which policies act on pods of a namespace, and how: policies may let everything pass, or nothing.
func (p *planner) steering(cp *clusterPlan, namespace string) []string {
	return named(p.acting(cp, namespace, model.Carries, model.Steers))
}

// named are the assumptions that name objects which are not modelled.
func named(list []model.LedgerEntry) []string {
	var out []string
	for _, entry := range list {
		out = append(out, unsupported(entry))
	}
	return out
}

// refusing is what objects that are not modelled may refuse to let pods of a workload send or get: those of a mesh TCP, where the pods may have
// a sidecar; others, and those that may carry the packets elsewhere, everything (K8S-GEN-07). Nil is nothing.
func (p *planner) refusing(cp *clusterPlan, w *model.Workload) (*lazy, []string) {
	var out []*lazy
	var notes []string
	for _, entry := range p.acting(cp, w.Namespace, model.Carries, model.Refuses) {
		set := everything()
		if strings.Contains(entry.Type, "istio.io/") {
			if p.injected(cp, w) == no {
				continue
			}
			set = transport([]model.Protocol{model.TCP}, nil, nil, false)
		}
		out, notes = append(out, set), append(notes, unsupported(entry))
	}
	if len(out) == 0 {
		return nil, nil
	}
	return either(out...), notes
}

// policyPorts is the packets that a rule's ports admit; a named port is looked up at the destination pod (K8S-NP-15 to 19). Numbers need not be
// ports that the pod declares (K8S-NP-20).
func (p *planner) policyPorts(cp *clusterPlan, w *model.Workload, r model.PolicyRule, dir model.Direction) (must, may *lazy) {
	if len(r.Ports) == 0 {
		return everything(), everything()
	}
	var sets, unknown []*lazy
	for _, x := range r.Ports {
		switch {
		case x.Named == "" && x.All:
			sets = append(sets, transport([]model.Protocol{x.Protocol}, nil, nil, false))
		case x.Named == "":
			sets = append(sets, transport([]model.Protocol{x.Protocol}, nil, []model.PortRange{x.Ports}, false))
		case dir == model.Inbound:
			sets = append(sets, namedPort(w, x))
		case p.future != nil: // whichever it calls so (K8S-NP-19)
			unknown = append(unknown, transport(protocolsOf(x), nil, nil, false))
		default:
			// K8S-NP-19: per destination pod; an address that is no pod never matches.
			for _, dst := range cp.workloads {
				if !dst.HostNetwork {
					sets = append(sets, both(dstIn(p.addr.exactHosts(p.podAddrs(dst)...)), namedPort(dst, x)))
				}
			}
		}
	}
	l := either(sets...)
	if len(unknown) > 0 {
		return l, either(append(unknown, l)...)
	}
	return l, l
}

// portsRead is the entries of a rule as the engine of a cluster reads them at least and at most. One that reads no endPort applies the first
// port alone (K8S-NP-16).
func (p *planner) portsRead(cp *clusterPlan, ports []model.PolicyPort) (least, most []model.PolicyPort, notes []string) {
	ranged := func(x model.PolicyPort) bool { return x.Named == "" && !x.All && x.Ports.Last > x.Ports.First }
	if cp.engine == engineAzure || cp.engine == engineCalico || !slices.ContainsFunc(ports, ranged) {
		return ports, ports, nil
	}
	first := slices.Clone(ports)
	for i := range first {
		if ranged(first[i]) {
			first[i].Ports.Last = first[i].Ports.First
		}
	}
	if minor, known := cp.c.KubernetesMinor(); known && cp.engine == engineCilium && !strings.EqualFold(cp.c.Plugin, "none") {
		if minor < 31 { // AKS may run a Cilium before 1.16 there
			return first, ports, []string{"ASM-K-CILIUM"}
		}
		return ports, ports, nil
	}
	notes = []string{"ASM-K-ENDPORT"}
	if p.assumed("ASM-K-ENDPORT") {
		return ports, ports, notes
	}
	return first, ports, notes
}

// rulePorts is what a rule of a NetworkPolicy says about ports, as the engine reads it.
func (p *planner) rulePorts(cp *clusterPlan, w *model.Workload, ports []model.PolicyPort, dir model.Direction) (must, may *lazy, notes []string) {
	least, most, notes := p.portsRead(cp, ports)
	must, may = p.policyPorts(cp, w, model.PolicyRule{Ports: most}, dir)
	if !slices.Equal(least, most) {
		must, _ = p.policyPorts(cp, w, model.PolicyRule{Ports: least}, dir)
	}
	return must, may, notes
}

// portEntries are the entries of a rule that name ports.
func (p *planner) portEntries(cp *clusterPlan, w *model.Workload, rule model.Source, ports []model.PolicyPort, dir model.Direction) []entrySet {
	if p.future != nil || !p.o.Explain {
		return nil
	}
	var out []entrySet
	_, most, _ := p.portsRead(cp, ports)
	for _, x := range most {
		_, set := p.policyPorts(cp, w, model.PolicyRule{Ports: []model.PolicyPort{x}}, dir)
		out = append(out, entrySet{x.Source.Within(rule), set})
	}
	return out
}

// protocolsOf are the protocols of an entry.
func protocolsOf(x model.PolicyPort) []model.Protocol {
	if x.Protocol == model.AnyProtocol {
		return []model.Protocol{model.TCP, model.UDP, model.SCTP}
	}
	return []model.Protocol{x.Protocol}
}

// namedPort is the packets to the container ports of a pod that have a name and protocol (K8S-NP-18).
func namedPort(w *model.Workload, x model.PolicyPort) *lazy {
	var ports []model.PortRange
	var any []*lazy
	for _, c := range w.Ports {
		switch {
		case c.Name != x.Named:
		case x.Protocol == model.AnyProtocol: // K8S-CNP-13
			any = append(any, transport([]model.Protocol{c.Protocol}, nil, []model.PortRange{{First: c.Port, Last: c.Port}}, false))
		case c.Protocol == x.Protocol:
			ports = append(ports, model.PortRange{First: c.Port, Last: c.Port})
		}
	}
	switch {
	case len(any) > 0:
		return either(any...)
	case len(ports) == 0:
		return nothing()
	}
	return transport([]model.Protocol{x.Protocol}, nil, ports, false)
}
