package trace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// engineKind is what enforces NetworkPolicy.
type engineKind uint8

const (
	noEngine   engineKind = iota
	anyOfThree            // one of those that AKS offers, unknown which
	azureNPM
	calico
	cilium
	otherEngine
)

// engine is a cluster's policy engine on one pool, and whether it enforces at all (K8S-GEN-04, AKS-POL-01).
type engine struct {
	kind     engineKind
	enforced match
	windows  bool
}

// engineOf finds the engine. none: policies have no effect. A template that leaves it out may get any default (ASM-A-ENGINE); without a
// cluster resource one of the three of AKS is assumed (ASM-K-ENGINE).
func (w *world) engineOf(c *model.Cluster, p *model.NodePool) engine {
	e := engine{enforced: yes(), windows: p != nil && fold(p.OS, "Windows")}
	name := strings.ToLower(c.Policy)
	switch {
	case c.Manifest && c.Engine == "":
		return engine{kind: anyOfThree, enforced: w.assume("ASM-K-ENGINE")}
	case c.Manifest:
		name = strings.ToLower(c.Engine)
	case fold(c.Plugin, "none"):
		name = strings.ToLower(c.Engine)
		if name == "" {
			name = "unnamed"
		}
	case fold(c.DataPlane, "cilium"):
		name = "cilium"
	case name == "" && c.PolicyOpen && c.Engine == "":
		return engine{kind: anyOfThree, enforced: maybe("ASM-A-ENGINE"), windows: e.windows}
	case name == "" && c.PolicyOpen:
		name = strings.ToLower(c.Engine)
	}
	switch name {
	case "", "none":
		return engine{kind: noEngine, enforced: no()}
	case "azure":
		e.kind = azureNPM
	case "calico":
		e.kind = calico
	case "cilium":
		e.kind = cilium
		if e.windows { // K8S-CIL-08: Linux only
			e.enforced = maybe("ASM-K-BYOCNI")
		}
	default:
		e.kind = otherEngine
	}
	if fold(c.Plugin, "kubenet") && e.kind != calico { // AKS-POL-02: not offered; none in over
		e.enforced = maybe("ASM-A-ENGINE")
	}
	return e
}

// peer is the other end of a connection as policy sees it.
type peer struct {
	pod         *pod // a pod of the cluster, with its own identity
	node        bool // a node of the cluster
	freeAddress bool // or whoever else has a free address of a node subnet
	hostNetwork bool // a pod of the host network, which shows as its node (K8S-NP-25)
	ownNode     bool // the pod's own node (K8S-NP-22)
	pool        *model.NodePool
	future      string // a pod of this namespace that the input does not name
	addr        address
	cluster     *model.Cluster
	masked      *masked
}

// masked is a client whose packets a node may have given its own address (K8S-SVC-08, K8S-SVC-09).
type masked struct {
	client   address
	nodes    *netipx.IPSet // every address that the node may have
	sameNode bool          // the pod runs on the node that received the packet
}

// peerOf is who a packet comes from, for the ingress policy of a pod.
func (t *tracer) peerOf(c course, x *pod) peer {
	switch {
	case c.masked != nil:
		return peer{addr: c.masked.client, cluster: x.cluster, masked: c.masked}
	case c.pod != nil && same(c.pod.cluster.ID, x.cluster.ID) && !c.pod.workload.HostNetwork:
		return peer{pod: c.pod, addr: c.src, cluster: x.cluster}
	case c.pod != nil && same(c.pod.cluster.ID, x.cluster.ID) && c.node == nil: // of the host network, where the input has no nodes
		return peer{node: true, hostNetwork: true, addr: c.src, cluster: x.cluster, pool: c.pod.pool}
	case c.node != nil && same(c.node.cluster.ID, x.cluster.ID):
		return peer{node: true, hostNetwork: c.pod != nil && c.pod.workload.HostNetwork, addr: c.src, cluster: x.cluster, pool: c.node.pool}
	default:
		return peer{addr: c.src, cluster: x.cluster}
	}
}

// outsidePeer is where a pod's packet goes that no pod of the cluster holds: a node of its cluster, or an address outside.
func (t *tracer) outsidePeer(c course, x *pod) peer {
	out := peer{addr: c.dst, cluster: x.cluster}
	for i := range x.cluster.Pools {
		p := &x.cluster.Pools[i]
		for _, h := range t.nodeHosts(x.cluster, p) {
			if h.subnet != nil && !t.isSymbol(c.packet.Dst) && c.dst.in(h.addr.may).may && t.isFree(h, c.dst) { // a symbol is something else's
				out.node, out.freeAddress = true, true
				if x.pool != nil && x.pool.Name == p.Name {
					out.ownNode = true
				}
			}
		}
	}
	for _, y := range t.podsOf(x.cluster) {
		out.hostNetwork = out.hostNetwork || y.workload.HostNetwork && y.holds(t.world, c.packet.Dst)
	}
	out.node = out.node || out.hostNetwork
	return out
}

// isFree reports that no NIC of the input holds an address of a node subnet.
func (t *tracer) isFree(h *host, a address) bool {
	return len(t.nicHosts(func(n *model.NIC, c *model.IPConfig) bool {
		return same(c.Subnet, h.subnetID) && t.configAddress(n, c) == a.at
	})) == 0
}

// egress and ingress are the two sides of K8S-GEN-03; listed is false where no policy has a say.
func (t *tracer) egress(x *pod, to peer, c course) (verdict, bool) {
	v, listed := t.policyVerdict(x, to, c, model.Outbound)
	return t.besides(x, c, v, listed)
}

func (t *tracer) ingress(x *pod, from peer, c course) (verdict, bool) {
	v, listed := t.policyVerdict(x, from, c, model.Inbound)
	return t.besides(x, c, v, listed)
}

// policyVerdict evaluates NetworkPolicy for one pod and direction. A pod that no policy isolates allows everything (K8S-NP-03); else
// the union of the rules of all policies that select it (K8S-NP-04).
func (t *tracer) policyVerdict(x *pod, other peer, c course, dir model.Direction) (v verdict, listed bool) {
	eng := t.engineOf(x.cluster, x.pool)
	if x.workload.HostNetwork || !eng.enforced.may {
		return verdict{}, false
	}
	var list []admitter
	for _, p := range t.e.NetPolicies {
		if !same(p.Cluster, x.cluster.ID) || p.Namespace != x.workload.Namespace || !p.Isolates[dir] {
			continue // K8S-NP-01, K8S-NP-06
		}
		m := matchLabels(p.Pods, x.workload.Labels, unknownPodLabels(x.workload))
		if eng.windows && eng.kind == azureNPM && m.may && unsupportedOnWindows(p) {
			m = m.and(maybe("ASM-K-BYOCNI")) // K8S-NP-21: not enforced
		}
		if m.may {
			hit, by := t.rulesOfPolicy(p, x, other, c, dir, eng)
			list = append(list, admitter{isolates: m, admits: hit, by: by, shut: blame{is: true, rule: p.Namespace + "/" + p.Name(), source: p.Source, detail: "isolated, and no rule admits the peer"}})
		}
	}
	// K8S-CNP-02: Admin, then NetworkPolicy, whose word is final where it isolates, then Baseline.
	var admin, baseline finding
	inAdmin, inBaseline := false, false
	own := other.pod != nil && other.pod.workload == x.workload && c.packet.Src == c.packet.Dst && !t.isSymbol(c.packet.Dst)
	if !own || len(c.crossed) > 0 { // K8S-CNP-16: not to its own address, but through a Service
		admin, inAdmin = t.ofTier(model.AdminTier, x, other, c, dir)
		baseline, inBaseline = t.ofTier(model.BaselineTier, x, other, c, dir)
	}
	unread := t.unread(x, model.Carries, model.Steers)
	namespaced := t.unionOf(list, c, eng)
	special, inCilium := t.withCilium(list, x, other, c, dir, eng)
	tiered, inCalico := t.withCalico(list, x, other, c, dir, eng)
	if len(list)+len(unread) == 0 && !inAdmin && !inBaseline && !inCilium && !inCalico {
		return verdict{}, false
	}
	switch {
	case inCilium && inCalico: // of an engine that is not known: it reads the ones or the others
		namespaced = tiered.or(special, "ASM-K-CNP")
	case inCilium:
		namespaced = special
	case inCalico:
		namespaced = tiered
	}
	decide := func() verdict {
		f := namespaced
		if inAdmin || inBaseline {
			f = admin.then(namespaced).then(baseline)
			if m := enforcesTiers(x.cluster, eng); !m.must {
				f = f.or(namespaced, m.why...)
			}
			if inCalico { // where its own tiers stand among those of the cluster-wide policies is not followed
				b := blame{is: true, detail: "tiers of Calico and cluster-wide policies together"}
				f = finding{allow: b, deny: b, why: union(f.why, []string{"ASM-K-CALICO"})}
			}
		}
		return doubted(f.verdict(), unread)
	}
	switch {
	case dir == model.Inbound && other.ownNode:
		return passes("the pod's own node is always let in (K8S-NP-22)", "ASM-K-NODE"), true // AKS-POL-05: probes need no rule
	case dir == model.Outbound && other.ownNode && other.node && eng.kind == azureNPM: // K8S-NPM-02
		return t.unenforced(eng, decide()).either(passes("egress to the own node is not filtered (K8S-NPM-02)")), true
	case eng.kind == azureNPM && (c.src.v6() || c.dst.v6()): // K8S-NPM-01
		return passes("the engine filters no IPv6 (K8S-NPM-01)"), true
	}
	v = decide()
	if own && other.pod.pool == x.pool { // an address is one pod's, on one pool
		v = v.either(passes("a pod to its own address (K8S-NP-23)"), "ASM-K-SELF")
	}
	if other.masked != nil && other.masked.sameNode {
		v = v.either(passes("from the pod's own node, where the packet is masqueraded (K8S-NP-22)"), "ASM-K-SNAT")
	}
	return t.unenforced(eng, v), true
}

// unread are the objects of a cluster that nobody understood and that act on a pod in one of some ways (K8S-GEN-07).
func (t *tracer) unread(x *pod, roles ...model.Role) []model.LedgerEntry {
	var out []model.LedgerEntry
	for _, e := range t.e.Ledger {
		if e.Disposition != model.Unsupported || !slices.Contains(roles, e.Role) {
			continue
		}
		if contains(e.Affects, x.cluster.ID) || slices.ContainsFunc(t.e.Namespaces, func(n *model.Namespace) bool {
			return same(n.Cluster, x.cluster.ID) && n.Name() == x.workload.Namespace && contains(e.Affects, n.ID)
		}) {
			out = append(out, e)
		}
	}
	return out
}

// besides adds what objects that nobody understood may do to a pod's packets beside policies: those of a mesh may refuse TCP where the pod may
// have a sidecar, others anything (K8S-GEN-07).
func (t *tracer) besides(x *pod, c course, v verdict, listed bool) (verdict, bool) {
	if x.workload.HostNetwork {
		return v, listed
	}
	var may []model.LedgerEntry
	for _, e := range t.unread(x, model.Carries, model.Refuses) {
		if !strings.Contains(e.Type, "istio.io/") || c.packet.Protocol == model.TCP && t.sidecar(x).may {
			may = append(may, e)
		}
	}
	if len(may) == 0 {
		return v, listed
	}
	if !listed {
		v = passes("no policy selects the pod (K8S-NP-03)")
	}
	return hindered(v, may), true
}

func passes(detail string, why ...string) verdict {
	return verdict{allow: blame{is: true, detail: detail}, why: why}
}

// unenforced adds the reading that nobody enforces policies.
func (t *tracer) unenforced(e engine, v verdict) verdict {
	if e.enforced.must {
		v.why = union(v.why, closed(e.enforced.why))
		return v
	}
	return v.either(passes("policies may not be enforced"), e.enforced.why...)
}

// admitter is a policy of which any may admit the packet (K8S-NP-04).
type admitter struct {
	isolates match // whether it isolates the pod
	selects  match // whether it is about the pod at all, where it does not isolate it for certain
	admits   match // whether one of its rules lets the packet pass
	by       blame // the rule
	shut     blame
}

// unionOf is the union of policies. One that only may isolate the pod makes nothing certain unless its own rules let the packet pass; what
// none isolates is left to the next tier.
func (t *tracer) unionOf(list []admitter, c course, eng engine) finding {
	isolated, mayBe := false, false
	for _, a := range list {
		isolated, mayBe = isolated || a.isolates.must, mayBe || a.isolates.may
	}
	if !mayBe {
		return finding{rest: true}
	}
	var v verdict
	var why []string
	admitted, always := false, true // by one that is about the pod for certain; by each that may isolate it
	for _, a := range list {
		why = union(why, a.admits.why)
		if !a.isolates.must {
			why = union(why, union(a.isolates.why, a.selects.why))
		}
		if a.admits.must && (a.isolates.must || a.selects.must) && !admitted {
			admitted, v.allow = true, a.by
		}
		if a.admits.may && !v.allow.is {
			v.allow = a.by
		}
		if a.isolates.may && !a.isolates.must {
			always = always && a.admits.must
		}
	}
	v.why = why
	if !admitted && (isolated || !always) {
		for _, certain := range []bool{true, false} {
			for _, a := range list {
				if !v.deny.is && (a.isolates.must || !certain && a.isolates.may) {
					v.deny = a.shut
				}
			}
		}
	}
	if !c.packet.Protocol.HasPorts() {
		v = t.portless(v, eng)
	}
	if isolated {
		v = v.settle()
	}
	return finding{allow: v.allow, deny: v.deny, rest: !isolated, why: v.why}
}

// portless is ICMP and the like at an isolated pod: the engines of AKS drop it unless a rule without ports admits the peer
// (ASM-K-ICMP); what others do is open (K8S-NP-24).
func (t *tracer) portless(v verdict, eng engine) verdict {
	if eng.kind == otherEngine || eng.kind == azureNPM && eng.windows {
		return v.either(passes("the engine may pass it")).either(verdict{deny: blame{is: true, detail: "the engine may drop it"}}, "ASM-K-BYOCNI")
	}
	m := t.assume("ASM-K-ICMP")
	v.why = union(v.why, m.why)
	if m.uncertain() {
		return v.either(passes("the engine may pass it")).either(verdict{deny: blame{is: true, detail: "the engine may drop it"}}, m.why...)
	}
	return v
}

// rulesOfPolicy is the union of a policy's rules in one direction: no rule, nothing (K8S-NP-07).
func (t *tracer) rulesOfPolicy(p *model.NetworkPolicy, x *pod, other peer, c course, dir model.Direction, eng engine) (match, blame) {
	rules, word := p.Ingress, "ingress"
	if dir == model.Outbound {
		rules, word = p.Egress, "egress"
	}
	m, best := no(), blame{}
	for i, r := range rules {
		target := x
		if dir == model.Outbound {
			target = other.pod
		}
		hit := t.portsOfRule(r, target, other, c, dir, t.readsEndPort(x.cluster, eng)).and(t.peersOfRule(p, r, other, eng))
		if hit.must && !m.must || hit.may && !m.may {
			best = blame{is: true, rule: fmt.Sprintf("%s/%s/%s[%d]", p.Namespace, p.Name(), word, i), source: r.Source, detail: entriesOf(
				r.Source,
				len(r.Peers), func(i int) (model.Source, match) { return r.Peers[i].Source, t.peerMatch(p, r.Peers[i], other, eng) },
				r.Ports, func(e []model.PolicyPort) match {
					return t.portsOfRule(model.PolicyRule{Ports: e}, target, other, c, dir, t.readsEndPort(x.cluster, eng))
				},
			)}
		}
		m = m.or(hit)
	}
	return m, best
}

// entriesOf names the first entries of a rule, of its peers and of its ports, that match as well as any: `from[0] ports[1]`.
func entriesOf(rule model.Source, peers int, peer func(int) (model.Source, match), ports []model.PolicyPort, port func([]model.PolicyPort) match) string {
	best := func(n int, entry func(int) (model.Source, match)) string {
		name, sure := "", false
		for i := range n {
			at, m := entry(i)
			if m.must && !sure || m.may && name == "" {
				name, sure = at.Within(rule), m.must
			}
		}
		return name
	}
	return strings.TrimSpace(best(peers, peer) + " " + best(len(ports), func(i int) (model.Source, match) { return ports[i].Source, port(ports[i : i+1]) }))
}

// portsOfRule: none means everything; else the union of the entries, on the destination pod's own ports (K8S-NP-15 to K8S-NP-19).
// ranges says whether the engine reads endPort.
func (t *tracer) portsOfRule(r model.PolicyRule, target *pod, other peer, c course, dir model.Direction, ranges match) match {
	if len(r.Ports) == 0 {
		return yes()
	}
	p := c.packet
	if !p.Protocol.HasPorts() { // K8S-NP-24: an entry carries a protocol; one of Cilium may carry one without ports
		return when(slices.ContainsFunc(r.Ports, func(e model.PolicyPort) bool { return e.All && e.Protocol == p.Protocol }))
	}
	m := no()
	for _, e := range r.Ports {
		switch {
		case e.Protocol != p.Protocol && e.Protocol != model.AnyProtocol: // K8S-CNP-13: a named port there has no protocol of its own
		case e.Named != "":
			switch {
			case target != nil:
				m = m.or(when(slices.ContainsFunc(target.workload.Ports, func(q model.ContainerPort) bool {
					return q.Name == e.Named && q.Protocol == p.Protocol && q.Port == p.DPort
				})))
			case dir == model.Outbound && other.future != "": // a pod that the input does not name may call any port so
				m = m.or(maybe("ASM-K-SYSTEM"))
			}
		case e.All:
			m = yes()
		default:
			hit := when(e.Ports.First <= p.DPort && p.DPort <= e.Ports.Last)
			if p.DPort != e.Ports.First {
				hit = hit.and(ranges)
			}
			m = m.or(hit)
		}
	}
	return m
}

// readsEndPort: an engine without endPort applies the first port alone. Cilium reads it from 1.16, which AKS runs from Kubernetes 1.31 on
// (K8S-NP-16).
func (t *tracer) readsEndPort(c *model.Cluster, eng engine) match {
	minor, stated := c.KubernetesMinor()
	switch {
	case eng.kind == azureNPM, eng.kind == calico:
		return yes()
	case eng.kind == cilium && stated && !fold(c.Plugin, "none"):
		if minor < 31 { // what AKS names for a version is the least that it runs
			return maybe("ASM-K-CILIUM")
		}
		return yes()
	default:
		return t.assume("ASM-K-ENDPORT")
	}
}

// peersOfRule: none means everyone (K8S-NP-09); else the union of the entries.
func (t *tracer) peersOfRule(p *model.NetworkPolicy, r model.PolicyRule, other peer, eng engine) match {
	if len(r.Peers) == 0 {
		return yes()
	}
	m := no()
	for _, e := range r.Peers {
		m = m.or(t.peerMatch(p, e, other, eng))
	}
	return m
}

// peerMatch is one entry: an address block, or selectors (K8S-NP-10 to K8S-NP-12).
func (t *tracer) peerMatch(p *model.NetworkPolicy, e model.PolicyPeer, other peer, eng engine) match {
	if other.masked != nil {
		return t.maskedMatch(e, other, eng)
	}
	if e.IPBlock != nil {
		return t.blockMatch(e.IPBlock, other, eng)
	}
	var ns string
	switch {
	case e.Pods == nil && e.Namespaces == nil:
		return no()
	case other.pod != nil:
		ns = other.pod.workload.Namespace
	case other.future != "":
		ns = other.future
	case other.hostNetwork && eng.kind == otherEngine:
		return maybe("ASM-K-BYOCNI") // K8S-NP-25
	default:
		return no() // selectors match pods only
	}
	m := when(ns == p.Namespace)
	if e.Namespaces != nil {
		m = t.namespaceMatch(*e.Namespaces, p.Cluster, ns)
	}
	if e.Pods != nil {
		switch {
		case other.pod != nil:
			m = m.and(matchLabels(*e.Pods, other.pod.workload.Labels, unknownPodLabels(other.pod.workload)))
		case len(e.Pods.Match)+len(e.Pods.Requirements) > 0:
			m = m.and(maybe("ASM-K-SYSTEM"))
		}
	}
	return m
}

// blockMatch is an ipBlock: the CIDR less its holes. Whether it takes pods and nodes of the cluster depends on the engine (K8S-NP-13,
// K8S-CIL-05).
func (t *tracer) blockMatch(b *model.IPBlock, other peer, eng engine) match {
	m := other.addr.in(blockSet(b))
	if other.pod == nil && !other.node && other.future == "" {
		return m
	}
	switch eng.kind {
	case cilium:
		return when(other.freeAddress && !t.hostPodAt(other.cluster, other.addr.at)).and(maybe("ASM-K-NODES")).and(m)
	case calico, azureNPM:
		return m
	default:
		return m.and(maybe("ASM-K-IPBLOCK"))
	}
}

func blockSet(b *model.IPBlock) *netipx.IPSet {
	var s netipx.IPSetBuilder
	addPrefix(&s, b.CIDR)
	for _, e := range b.Except {
		if e.IsValid() {
			s.RemovePrefix(e.Masked())
		}
	}
	return built(&s)
}

// maskedMatch is the table of K8S-SVC-09 for a Service with externalTrafficPolicy Cluster: policy sees the client or a node, and nobody
// knows which (K8S-NP-14). Calico and Azure NPM match the node's address by ipBlock, Cilium never does.
func (t *tracer) maskedMatch(e model.PolicyPeer, other peer, eng engine) match {
	if e.IPBlock == nil {
		all := e.Namespaces != nil && emptySelector(e.Namespaces) && (e.Pods == nil || emptySelector(e.Pods))
		return when(all).and(maybe("ASM-K-SNAT"))
	}
	client := other.masked.client.in(blockSet(e.IPBlock))
	node := address{may: other.masked.nodes}.in(blockSet(e.IPBlock))
	switch {
	case node.must && (eng.kind == calico || eng.kind == azureNPM):
		return yes()
	default:
		return client.or(node).and(maybe("ASM-K-SNAT"))
	}
}

func emptySelector(s *model.LabelSelector) bool { return len(s.Match)+len(s.Requirements) == 0 }

// matchLabels is a selector against labels: a conjunction; NotIn and DoesNotExist match what lacks the key (K8S-NP-02). unknown tells of
// a key whose value the input does not state; its reason is a list of assumptions.
func matchLabels(s model.LabelSelector, labels map[string]string, unknown func(key string) (bool, []string)) match {
	m := yes()
	get := func(key string) (value string, present, known bool, why []string) {
		if v, ok := labels[key]; ok {
			return v, true, true, nil
		}
		open, why := unknown(key)
		return "", false, !open, why
	}
	for _, key := range slices.Sorted(maps.Keys(s.Match)) {
		v, present, known, why := get(key)
		if !known {
			m = m.and(maybe(why...))
			continue
		}
		m = m.and(when(present && v == s.Match[key]))
	}
	for _, r := range s.Requirements {
		v, present, known, why := get(r.Key)
		if !known {
			m = m.and(maybe(why...))
			continue
		}
		switch r.Operator {
		case "In":
			m = m.and(when(present && slices.Contains(r.Values, v)))
		case "NotIn":
			m = m.and(when(!present || !slices.Contains(r.Values, v)))
		case "Exists":
			m = m.and(when(present))
		case "DoesNotExist":
			m = m.and(when(!present))
		default:
			m = m.and(maybe())
		}
	}
	return m
}

// namespaceMatch is a namespace selector. The labels of a namespace that is used and not declared are unknown, but for its name
// (K8S-NS-02, K8S-NS-03).
func (t *tracer) namespaceMatch(s model.LabelSelector, cluster model.ID, name string) match {
	const nameLabel = "kubernetes.io/metadata.name"
	labels := map[string]string{}
	declared := false
	for _, n := range t.e.Namespaces {
		if same(n.Cluster, cluster) && n.Name() == name {
			maps.Copy(labels, n.Labels)
			declared = declared || n.Declared
		}
	}
	labels[nameLabel] = name
	return matchLabels(s, labels, func(key string) (bool, []string) {
		return !declared, []string{"ASM-K-NSLABELS(" + name + ", " + key + ")"}
	})
}

// unknownPodLabels tells of labels that controllers add to their pods and templates do not show (K8S-WL-02).
func unknownPodLabels(w *model.Workload) func(string) (bool, []string) {
	return func(key string) (bool, []string) {
		why := []string{"ASM-K-PODLABELS(" + w.Namespace + "/" + w.Name() + ", " + key + ")"}
		if slices.Contains(w.Implied, key) { // K8S-WL-03: not the same on all pods
			return true, why
		}
		switch w.Kind {
		case "StatefulSet":
			return slices.Contains([]string{"statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "controller-revision-hash"}, key), why
		case "DaemonSet":
			return slices.Contains([]string{"controller-revision-hash", "pod-template-generation"}, key), why
		case "Deployment", "ReplicaSet":
			return key == "pod-template-hash", why
		case "Job", "CronJob":
			return slices.Contains([]string{
				"batch.kubernetes.io/controller-uid", "controller-uid", "batch.kubernetes.io/job-name", "job-name",
				"batch.kubernetes.io/job-completion-index",
			}, key), why
		default:
			return false, nil
		}
	}
}

// unsupportedOnWindows reports what Azure NPM on Windows does not enforce (K8S-NP-21).
func unsupportedOnWindows(p *model.NetworkPolicy) bool {
	selector := func(s *model.LabelSelector) bool {
		return s != nil && slices.ContainsFunc(s.Requirements, func(r model.Requirement) bool { return r.Operator == "NotIn" || r.Operator == "DoesNotExist" })
	}
	if selector(&p.Pods) {
		return true
	}
	for _, r := range slices.Concat(p.Ingress, p.Egress) {
		for _, e := range r.Ports {
			if e.Named != "" || e.Protocol == model.SCTP {
				return true
			}
		}
		for _, e := range r.Peers {
			if selector(e.Pods) || selector(e.Namespaces) || e.IPBlock != nil && len(e.IPBlock.Except) > 0 {
				return true
			}
		}
	}
	return false
}
