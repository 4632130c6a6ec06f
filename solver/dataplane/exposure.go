package dataplane

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// Exposed is pods that do not exist yet and may open, or be opened, as much as Cell says (K8S-EXP-01). Nothing is known to restrict them
// themselves.
type Exposed struct {
	Entire    bool   // every pod that may ever be in the cluster; the other fields narrow it
	Namespace string // the namespace; empty: any whose labels agree
	Labels    string // of the namespace, as kubectl writes a selector; empty: any
	Pods      string // labels of the pods, likewise
	Cell      int
	Named     []model.PolicyPort // ports by the name that the pod gives them, beside those of Cell (K8S-NP-19)
	Notes     []string           // what separates the bounds of Cell

	in func(Namespace) bool // nil: every namespace
}

// Namespace is one in which pods may be created; without a name one that does not exist yet.
type Namespace struct {
	Name     string
	Labels   map[string]string
	Declared bool // the labels are complete (K8S-NS-03)
}

// In reports whether pods of a namespace may be among those of an entry.
func (e Exposed) In(n Namespace) bool { return e.in == nil || e.in(n) }

// maxCells is how many cells a side may have after those that decide nothing are merged (K8S-EXP-02).
const maxCells = 4096

const nameLabel = "kubernetes.io/metadata.name"

// Exposure is what pods that do not exist yet may open to a workload (Inbound), or a workload to them (Outbound). The first entry is
// what holds for every pod, unless that is nothing; the others are those that have more (K8S-EXP-04).
func (n *PodNet) Exposure(dir model.Direction, workload int) []Exposed {
	w := n.Workloads[workload]
	s := n.sideOf[dir][workload]
	side := &n.sides[dir][s]
	if side.open {
		return []Exposed{{Entire: true, Cell: n.pair(n.cell(everySet, emptySet), everySet), Notes: n.p.steering(n.cp, w.Namespace)}}
	}
	passes, notes := side.passes, []string(nil)
	if passes != everySet {
		_, notes = n.p.refusing(n.cp, w)
	}
	if dir == model.Inbound && n.meshed() && n.p.injected(n.cp, w) != no { // K8S-IST-05
		tcp := transport([]model.Protocol{model.TCP}, nil, nil, false).get(n.c)
		passes, notes = n.id(n.c.s.Subtract(n.sets[passes], tcp)), append(slices.Clone(notes), "ASM-K-MESH")
	}
	var out []Exposed
	if n.special {
		out = n.exposedBy(dir, w)
	} else {
		key := [2]int{int(dir), s}
		have, ok := n.exposed[key]
		if !ok {
			have = n.exposure(dir, side)
			n.exposed[key] = have
		}
		out = slices.Clone(have)
	}
	if passes != everySet {
		for i := range out {
			c := n.cells[out[i].Cell]
			out[i].Cell, out[i].Notes = n.cell(c[0], n.meet(c[1], passes)), slices.Concat(out[i].Notes, notes)
		}
	}
	return out
}

// meshed reports policies of a service mesh in the cluster.
func (n *PodNet) meshed() bool {
	id := n.cp.c.ID.Key()
	return slices.ContainsFunc(n.p.e.Authorizations, func(a *model.AuthorizationPolicy) bool { return a.Cluster.Key() == id }) ||
		slices.ContainsFunc(n.p.e.PeerAuths, func(a *model.PeerAuthentication) bool { return a.Cluster.Key() == id })
}

// exposure computes the exposure of a side (K8S-EXP-02, K8S-EXP-03).
func (n *PodNet) exposure(dir model.Direction, s *podSide) []Exposed {
	if s.isolated == no {
		return []Exposed{{Entire: true, Cell: n.pair(everySet, everySet)}}
	}
	x := &exposer{n: n, dir: dir, side: s, nodes: map[string]int{}, memo: map[string]int{}}
	x.read()
	return x.exposures()
}

// exposedBy is the exposure of a workload where other policies than NetworkPolicies may act: they have an order and rules that deny, so that
// each cell is asked by itself (K8S-EXP-02, K8S-EXP-04).
func (n *PodNet) exposedBy(dir model.Direction, w *model.Workload) []Exposed {
	x := &exposer{n: n, dir: dir, nodes: map[string]int{}, memo: map[string]int{}}
	x.future = &futurePod{known: w, dir: dir, index: map[string]int{}}
	n.p.future = x.future
	defer func() { n.p.future = nil }()
	_, x.notes = n.p.policyGuard(n.cp, w, anyPool, dir)
	x.entries, x.blocks = x.future.selectors, x.future.blocks
	x.readKeys()
	return x.exposures()
}

// ruled is what policies of every kind let a cell open, or be opened, where some selectors select it.
func (x *exposer) ruled(alive podSet) cellValue {
	n := x.n
	x.future.selects = func(i int) bool { return alive.has(i) }
	g, _ := n.p.policyGuard(n.cp, x.future.known, anyPool, x.dir)
	over, under := orEverything(g.over).get(n.c), orEverything(g.low()).get(n.c)
	return cellValue{n.pair(n.cell(n.id(over), n.id(under)), everySet), ""}
}

// exposures walks the cells.
func (x *exposer) exposures() []Exposed {
	root, ok := x.build(0, x.everyEntry())
	var paths []cellPath
	if ok {
		paths, ok = x.paths(root)
	}
	if !ok {
		return x.tooMany()
	}
	entire := paths[0].value
	for _, p := range paths[1:] {
		entire = x.common(entire, p.value)
	}
	var out []Exposed
	if !x.nothing(entire) {
		out = append(out, x.exposed(Exposed{Entire: true}, entire))
	}
	for _, p := range paths {
		if x.common(entire, p.value).equal(entire) && entire.equal(p.value) || x.nothing(p.value) {
			continue
		}
		for _, e := range x.rows(p) {
			e.in = func(n Namespace) bool { return x.holds(p, n) }
			out = append(out, e)
		}
	}
	return out
}

// holds reports whether a namespace agrees with what a path says of it.
func (x *exposer) holds(p cellPath, n Namespace) bool {
	for at, choices := range p.choices {
		k := &x.keys[at]
		if !k.namespace {
			continue
		}
		value, known := n.Labels[k.key], n.Declared
		if k.name {
			value, known = n.Name, true
		}
		choice := slices.Index(k.values, value)
		switch {
		case choice >= 0:
		case k.name, n.Labels[k.key] != "":
			choice = len(k.values)
		default:
			choice = len(k.values) + 1
		}
		if known && !slices.Contains(choices, choice) {
			return false
		}
	}
	return true
}

// exposer finds the cells of one side. A cell is a choice for every label key that the side's rules name: a value that they name, any
// other, or none. Cells are found by a walk over the keys that carries the peers which may still match; choices that leave the same peers
// are one, so that keys which decide nothing multiply nothing.
type exposer struct {
	n       *PodNet
	dir     model.Direction
	side    *podSide
	entries []exposedPeer
	keys    []labelKey
	future  *futurePod // where policies of other kinds act
	notes   []string   // then, what they rest on
	blocks  bool       // some peer is an ipBlock, which a pod meets or not by its address
	nodes   map[string]int
	list    []cellNode
	memo    map[string]int
}

// exposedPeer is one peer of one rule.
type exposedPeer struct {
	selected   int // index in podSide.selected
	rule       int // index in its rules
	certain    bool
	namespaces model.LabelSelector
	pods       model.LabelSelector
}

// labelKey is one label key of namespaces or pods, with its choices: the values that peers name, then any other, then none.
type labelKey struct {
	key       string
	namespace bool
	name      bool // kubernetes.io/metadata.name, which every namespace has
	values    []string
	passes    []podSet // of each choice: the entries that agree
}

func (k *labelKey) choices() int {
	if k.name {
		return len(k.values) + 1
	}
	return len(k.values) + 2
}

// otherValue is a value that no label can have: it stands for every value that no peer names.
const otherValue = "\x00"

// labels is a label set of the choice alone.
func (k *labelKey) labels(choice int) map[string]string {
	switch {
	case choice < len(k.values):
		return map[string]string{k.key: k.values[choice]}
	case choice == len(k.values):
		return map[string]string{k.key: otherValue}
	default:
		return nil
	}
}

// cellValue is what a cell may open, or be opened.
type cellValue struct {
	cell  int
	named string // rendered ports by name, sorted
}

func (v cellValue) equal(w cellValue) bool { return v == w }

// cellNode is a choice among the values of a key, or a leaf.
type cellNode struct {
	key   int // -1: a leaf
	next  []int
	value cellValue
}

// cellPath is a set of cells with one value: for some keys the choices that are left.
type cellPath struct {
	choices map[int][]int
	value   cellValue
}

// read lists the peers of the side's rules.
func (x *exposer) read() {
	for k := range x.side.selected {
		policy := x.side.selected[k].policy
		for i, rule := range policy.rules {
			r := x.n.rules[rule].source
			if len(r.Peers) == 0 {
				x.entries = append(x.entries, exposedPeer{selected: k, rule: i, certain: true})
			}
			for _, peer := range r.Peers {
				e := exposedPeer{selected: k, rule: i, certain: true}
				switch {
				case peer.IPBlock != nil:
					may, must := x.n.p.futureIn(x.n.cp, *peer.IPBlock, false)
					x.blocks = true
					if !may {
						continue
					}
					e.certain = must
				case peer.Namespaces != nil:
					e.namespaces = *peer.Namespaces
				default:
					e.namespaces = model.LabelSelector{Match: map[string]string{nameLabel: policy.n.Namespace}}
				}
				if peer.Pods != nil {
					e.pods = *peer.Pods
				}
				x.entries = append(x.entries, e)
			}
		}
	}
	x.readKeys()
}

// readKeys lists the label keys that peers name.
func (x *exposer) readKeys() {
	type named struct{ namespaces, pods map[string]map[string]bool }
	values := named{map[string]map[string]bool{nameLabel: {}}, map[string]map[string]bool{}}
	note := func(into map[string]map[string]bool, s model.LabelSelector) {
		add := func(key string, list ...string) {
			if into[key] == nil {
				into[key] = map[string]bool{}
			}
			for _, v := range list {
				into[key][v] = true
			}
		}
		for k, v := range s.Match {
			add(k, v)
		}
		for _, r := range s.Requirements {
			add(r.Key, r.Values...)
		}
	}
	for _, e := range x.entries {
		note(values.namespaces, e.namespaces)
		note(values.pods, e.pods)
	}
	for _, k := range slices.Sorted(maps.Keys(values.namespaces)) {
		if k != nameLabel {
			x.keys = append(x.keys, labelKey{key: k, namespace: true, values: slices.Sorted(maps.Keys(values.namespaces[k]))})
		}
	}
	x.keys = slices.Insert(x.keys, 0, labelKey{key: nameLabel, namespace: true, name: true, values: slices.Sorted(maps.Keys(values.namespaces[nameLabel]))})
	for _, k := range slices.Sorted(maps.Keys(values.pods)) {
		x.keys = append(x.keys, labelKey{key: k, values: slices.Sorted(maps.Keys(values.pods[k]))})
	}
	for i := range x.keys {
		k := &x.keys[i]
		for choice := range k.choices() {
			k.passes = append(k.passes, x.agreeing(k, k.labels(choice)))
		}
	}
}

// agreeing is the entries whose selector does not contradict what labels say of one key.
func (x *exposer) agreeing(k *labelKey, labels map[string]string) podSet {
	out := x.noEntry()
	for i, e := range x.entries {
		s := e.pods
		if k.namespace {
			s = e.namespaces
		}
		own := model.LabelSelector{}
		if v, ok := s.Match[k.key]; ok {
			own.Match = map[string]string{k.key: v}
		}
		for _, r := range s.Requirements {
			if r.Key == k.key {
				own.Requirements = append(own.Requirements, r)
			}
		}
		if _, must := own.Selects(labels, nil); must {
			out.add(i)
		}
	}
	return out
}

func (x *exposer) noEntry() podSet { return make(podSet, (len(x.entries)+63)/64) }

func (x *exposer) everyEntry() podSet {
	out := x.noEntry()
	for i := range x.entries {
		out.add(i)
	}
	return out
}

// futureIn reports whether an ipBlock may, and must, hold the address of a pod that does not exist yet (K8S-NP-13).
// asWritten is a rule that means pods as well, whatever the engine (K8S-CNP-10).
func (p *planner) futureIn(cp *clusterPlan, b model.IPBlock, asWritten bool) (may, must bool) {
	if cp.engine == engineCilium && !asWritten || !b.CIDR.Addr().Is4() {
		return false, false
	}
	space := ipset([]netip.Prefix{allV4()})
	if cp.mode == podsOverlay {
		space = ipset(podCIDRs(cp.c))
	}
	block := ipset([]netip.Prefix{b.CIDR}, b.Except...)
	sure := asWritten || cp.engine == engineCalico || cp.engine == engineAzure
	return block.Overlaps(space), sure && contains(block, space)
}

// build returns the node for the keys from one on, of cells that some entries agree with so far. It gives up when there are too many.
func (x *exposer) build(key int, alive podSet) (int, bool) {
	for key < len(x.keys) && !x.matters(&x.keys[key], alive) {
		key++
	}
	memo := x.signature(key, alive)
	if id, ok := x.memo[memo]; ok {
		return id, true
	}
	if len(x.memo) > 16*maxCells {
		return 0, false
	}
	node := cellNode{key: -1}
	if key == len(x.keys) {
		node.value = x.value(alive)
	} else {
		k := &x.keys[key]
		node.key = key
		for choice := range k.choices() {
			left, from := meetSets(alive, k.passes[choice]), key+1
			if k.name && choice < len(k.values) {
				if ns := x.n.cp.labels[k.values[choice]]; ns != nil && ns.Declared {
					// Its labels are known (K8S-NS-03).
					for from < len(x.keys) && x.keys[from].namespace {
						left = meetSets(left, x.agreeing(&x.keys[from], ns.Labels))
						from++
					}
				}
			}
			next, ok := x.build(from, left)
			if !ok {
				return 0, false
			}
			node.next = append(node.next, next)
		}
	}
	id := x.node(node)
	x.memo[memo] = id
	return id, true
}

func (x *exposer) signature(key int, alive podSet) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(key))
	for _, w := range alive {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	return string(b)
}

// matters reports whether the choice for a key tells apart the entries that are left.
func (x *exposer) matters(k *labelKey, alive podSet) bool {
	for _, p := range k.passes {
		for i, w := range alive {
			if w&^p[i] != 0 {
				return true
			}
		}
	}
	return false
}

// node numbers a node; one whose choices all lead to the same is that.
func (x *exposer) node(n cellNode) int {
	if n.key >= 0 && len(slices.Compact(slices.Clone(n.next))) == 1 {
		return n.next[0]
	}
	key := fmt.Sprint(n.key, n.next, n.value)
	id, ok := x.nodes[key]
	if !ok {
		id = len(x.list)
		x.nodes[key] = id
		x.list = append(x.list, n)
	}
	return id
}

// value is what the entries admit that are left when every key is decided.
func (x *exposer) value(alive podSet) cellValue {
	if x.future != nil {
		return x.ruled(alive)
	}
	n := x.n
	over, under, whichever := uint32(emptySet), uint32(emptySet), uint32(everySet)
	named := map[string]bool{}
	for k := range x.side.selected {
		s := &x.side.selected[k]
		own := uint32(emptySet)
		for i, e := range x.entries {
			if e.selected != k || !alive.has(i) {
				continue
			}
			r := &n.rules[s.policy.rules[e.rule]]
			ports := r.fixed
			if s.ports != nil {
				ports = s.ports[e.rule]
			}
			over = n.union(over, ports)
			if e.certain {
				own = n.union(own, ports)
			}
			if x.dir == model.Outbound && s.certain && e.certain {
				for _, p := range r.named {
					named[p.Protocol.String()+"/"+p.Named] = true
				}
			}
		}
		if s.certain {
			under = n.union(under, own)
		} else {
			whichever = n.meet(whichever, own)
		}
	}
	return cellValue{n.pair(n.bound(x.side, over, under, whichever), everySet), strings.Join(slices.Sorted(maps.Keys(named)), " ")}
}

// common is what two values share.
func (x *exposer) common(a, b cellValue) cellValue {
	have := strings.Fields(b.named)
	var named []string
	for _, p := range strings.Fields(a.named) {
		if slices.Contains(have, p) {
			named = append(named, p)
		}
	}
	return cellValue{x.n.pair(a.cell, b.cell), strings.Join(named, " ")}
}

func (x *exposer) nothing(v cellValue) bool { return x.n.cells[v.cell][0] == emptySet && v.named == "" }

// paths lists the cells that a node leads to, choices that lead to the same together.
func (x *exposer) paths(root int) ([]cellPath, bool) {
	var out []cellPath
	var walk func(node int, choices map[int][]int) bool
	walk = func(node int, choices map[int][]int) bool {
		n := &x.list[node]
		if n.key < 0 {
			out = append(out, cellPath{maps.Clone(choices), n.value})
			return len(out) <= maxCells
		}
		done := map[int]bool{}
		for _, next := range n.next {
			if done[next] {
				continue
			}
			done[next] = true
			var same []int
			for j, other := range n.next {
				if other == next {
					same = append(same, j)
				}
			}
			choices[n.key] = same
			if !walk(next, choices) {
				return false
			}
		}
		delete(choices, n.key)
		return true
	}
	return out, walk(root, map[int][]int{})
}

// tooMany is the exposure of a side whose cells are too many: what some cell may have, and what every cell has.
func (x *exposer) tooMany() []Exposed {
	if x.future != nil {
		return []Exposed{{Entire: true, Cell: x.n.pair(x.n.cell(everySet, emptySet), everySet), Notes: []string{"ASM-K-CELLS"}}}
	}
	satisfiable, free := x.noEntry(), x.noEntry()
	for i := range x.entries {
		some, every := true, true
		for j := range x.keys {
			any := false
			for _, p := range x.keys[j].passes {
				any = any || p.has(i)
				every = every && p.has(i)
			}
			some = some && any
		}
		if some {
			satisfiable.add(i)
		}
		if every {
			free.add(i)
		}
	}
	n := x.n
	over, under := n.cells[x.value(satisfiable).cell][0], n.cells[x.value(free).cell][1]
	out := x.exposed(Exposed{Entire: true, Notes: []string{"ASM-K-CELLS"}}, cellValue{n.cell(over, under), x.value(free).named})
	return []Exposed{out}
}

func (x *exposer) exposed(e Exposed, v cellValue) Exposed {
	e.Cell = v.cell
	if n := x.n; x.future != nil {
		if n.cells[v.cell][0] != n.cells[v.cell][1] {
			e.Notes = append(e.Notes, x.notes...)
		}
	} else if n.cells[v.cell][0] != n.cells[v.cell][1] {
		if !n.certain {
			e.Notes = append(e.Notes, "ASM-K-ENGINE")
		}
		if n.portless != nil {
			e.Notes = append(e.Notes, "ASM-K-ICMP")
		}
		if n.cp.engine == engineOther {
			e.Notes = append(e.Notes, "ASM-K-BYOCNI")
		}
		if x.blocks && n.cp.engine != engineCalico && n.cp.engine != engineAzure {
			e.Notes = append(e.Notes, "ASM-K-IPBLOCK")
		}
	}
	for _, p := range strings.Fields(v.named) {
		protocol, name, _ := strings.Cut(p, "/")
		for _, q := range []model.Protocol{model.TCP, model.UDP, model.SCTP} {
			if q.String() == protocol {
				e.Named = append(e.Named, model.PolicyPort{Protocol: q, Named: name})
			}
		}
	}
	return e
}

// rows prints a path as entries, one for each namespace that it names.
func (x *exposer) rows(p cellPath) []Exposed {
	if x.occupied(p) {
		return nil
	}
	out := []Exposed{x.exposed(Exposed{}, p.value)}
	for at := range x.keys {
		k := &x.keys[at]
		choices, ok := p.choices[at]
		if !ok {
			continue
		}
		var next []Exposed
		for _, e := range out {
			for _, part := range k.parts(choices) {
				with := e
				switch {
				case k.name && len(part) == 1 && part[0] < len(k.values):
					with.Namespace = k.values[part[0]]
				case k.namespace:
					with.Labels = joinLabels(with.Labels, k.selector(part))
				default:
					with.Pods = joinLabels(with.Pods, k.selector(part))
				}
				next = append(next, with)
			}
		}
		out = next
	}
	return out
}

func joinLabels(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "," + b
}

// parts splits choices into what one selector can say: namespaces by name apart, and absence apart from a list of values.
func (k *labelKey) parts(choices []int) [][]int {
	other, none := slices.Contains(choices, len(k.values)), slices.Contains(choices, len(k.values)+1)
	switch {
	case k.name && !other:
		var out [][]int
		for _, c := range choices {
			out = append(out, []int{c})
		}
		return out
	case !none || other || len(choices) == 1:
		return [][]int{choices}
	default:
		return [][]int{choices[:len(choices)-1], choices[len(choices)-1:]}
	}
}

// selector writes choices as kubectl writes a selector. A list without a value is no list.
func (k *labelKey) selector(choices []int) string {
	other, none := slices.Contains(choices, len(k.values)), slices.Contains(choices, len(k.values)+1)
	var in, out []string
	for i, v := range k.values {
		if slices.Contains(choices, i) {
			in = append(in, v)
		} else {
			out = append(out, v)
		}
	}
	present := ""
	if !none && !k.name {
		present = k.key
	}
	switch {
	case !other && none:
		return "!" + k.key
	case !other && len(in) == 1:
		return k.key + "=" + in[0]
	case !other:
		return k.key + " in (" + strings.Join(in, ",") + ")"
	case len(out) == 0:
		return present
	case len(out) == 1:
		return joinLabels(present, k.key+"!="+out[0])
	default:
		return joinLabels(present, k.key+" notin ("+strings.Join(out, ",")+")")
	}
}

// occupied reports whether a path pins the namespace and each label that it speaks of, and a pod of the input is there: its own rows say
// what a new one may (K8S-EXP-04).
func (x *exposer) occupied(p cellPath) bool {
	names, ok := p.choices[0]
	if !ok || len(names) != 1 || names[0] >= len(x.keys[0].values) {
		return false
	}
	for at, choices := range p.choices {
		if len(choices) != 1 || choices[0] == len(x.keys[at].values) {
			return false
		}
		if x.keys[at].namespace && at > 0 {
			return false // labels of a namespace that nobody declared
		}
	}
	name := x.keys[0].values[names[0]]
	return slices.ContainsFunc(x.n.Workloads, func(w *model.Workload) bool {
		if w.Namespace != name || x.blocks && len(w.Addresses) > 0 {
			return false
		}
		for at, choices := range p.choices {
			if k := &x.keys[at]; !k.namespace {
				want, pinned := k.labels(choices[0])[k.key]
				have, has := w.Labels[k.key]
				if slices.Contains(w.Implied, k.key) || has != pinned || have != want {
					return false
				}
			}
		}
		return true
	})
}
