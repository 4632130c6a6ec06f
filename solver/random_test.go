package solver

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
	"github.com/ringfence/ringfence/solver/trace"
)

var (
	checks    = flag.Int("checks", 0, "packets on which the two engines are compared; 0: as many as a short run has time for")
	each      = flag.Int("each", 1000, "packets of an estate on which the engines are compared")
	firstSeed = flag.Uint64("seed", 1, "seed of the first random estate")
	onlyKinds = flag.Uint("kinds", 0, "kinds of resources in random estates, as a bit set of modeltest.Kinds; 0: some of the settled ones, by seed")
)

// joint is an estate that both engines read: the solver's answer for every packet, the interpreter's one by one.
type joint struct {
	s    *Solution
	ends []destination

	interpreter *trace.Interpreter // of the solution's options
}

// destination is a place where packets are delivered, with the packets of each sender that get there, by bound.
type destination struct {
	place   string
	unknown bool // a place outside what the input states
	node    dataplane.NodeID
	classes []packet.Range
	sent    [3]map[dataplane.NodeID]packet.Set
}

func newJoint(d modeltest.Draft) (*joint, error) { return newJointWith(d, nil) }

func newJointWith(d modeltest.Draft, intent *model.Intent) (*joint, error) {
	e, err := d.Estate()
	if err != nil {
		return nil, err
	}
	s, err := Solve(&model.Project{Estate: e, Tags: d.Tags, Intent: intent}, Options{})
	if err != nil {
		return nil, err
	}
	j := &joint{s: s, interpreter: trace.New(s.Project.Estate, s.traceOptions(false))}
	g := s.graph
	for n, node := range g.Nodes {
		unknown := node.Place.Kind == model.PlaceUnknown
		if node.Stage != dataplane.StageReceive && !unknown {
			continue
		}
		id := dataplane.NodeID(n)
		var order []string
		byPlace := map[string][]packet.Range{}
		for c := range uint32(g.Universe.Classes()) {
			p := placeText(g.PlaceAt(id, g.Universe.Example(c)))
			if byPlace[p] == nil {
				order = append(order, p)
			}
			byPlace[p] = append(byPlace[p], packet.Range{Lo: c, Hi: c})
		}
		for _, p := range order {
			x := destination{place: p, node: id, classes: byPlace[p], unknown: unknown}
			for b := dataplane.Over; b <= dataplane.Session; b++ {
				target := map[dataplane.NodeID]packet.Set{id: g.Space.Box(packet.Box{Dst: byPlace[p]})}
				x.sent[b] = s.flood(b).Back(target, g.Space.All())
				if b == dataplane.Over && len(x.sent[b]) == 0 {
					break
				}
			}
			if len(x.sent[0]) > 0 {
				j.ends = append(j.ends, x)
			}
		}
	}
	return j, s.Err()
}

// probe is one packet in the words of both engines.
type probe struct {
	solver packet.Packet
	trace  trace.Packet
}

// draw makes a packet that its sender can send.
func (j *joint) draw(rnd *rand.Rand, targets []netip.Addr) (probe, bool) {
	g := j.s.graph
	o := rnd.IntN(len(g.Origins))
	if g.Origins[o].Site.Channel == ingressChannel {
		return probe{}, false // what a controller's pods forward for others; the interpreter has the pods themselves
	}
	src := within(rnd, g.Origins[o].Prefixes)
	p := trace.Packet{From: g.Origins[o].Site.PlaceOf(src), Src: src, Dst: targets[rnd.IntN(len(targets))]}
	ports := modeltest.Ports()
	if len(j.s.Project.Estate.KubeServices) > 0 {
		ports = append(ports, 30080, 30081, 30090) // node ports of modeltest
	}
	switch rnd.IntN(8) {
	case 0:
		p.Protocol = model.ICMP
		if src.Is6() && p.Dst.Is6() {
			p.Protocol = model.ICMPv6
		}
	case 1, 2:
		p.Protocol = model.UDP
	case 3:
		p.Protocol = []model.Protocol{model.ESP, model.AH, model.TCP}[rnd.IntN(3)]
	default:
		p.Protocol = model.TCP
	}
	if p.Protocol.HasPorts() {
		p.SPort, p.DPort = 50000, ports[rnd.IntN(len(ports))]
		if rnd.IntN(8) == 0 {
			p.SPort, p.DPort = 65000, uint16(rnd.IntN(65536))
		}
	}
	if p.Protocol == model.TCP && rnd.IntN(4) == 0 {
		if class := uint32(rnd.IntN(int(g.Universe.Domain(packet.Name)) + 1)); class != 0 {
			p.Name = g.Universe.NameExample(class)
		}
	}
	for _, n := range g.Universe.TagNames() {
		if rnd.IntN(3) == 0 {
			_, name, _ := strings.Cut(n, ":")
			p.Tags = append(p.Tags, name)
		}
	}
	slices.Sort(p.Tags)
	return j.as(o, p)
}

// as puts a packet of one of the solver's senders into the solver's words; false where the sender cannot send it.
func (j *joint) as(origin int, p trace.Packet) (probe, bool) {
	g := j.s.graph
	q := packet.Packet{
		Origin: uint32(origin), Src: g.Universe.Class(p.Src), Dst: g.Universe.Class(p.Dst), Protocol: uint8(p.Protocol), SPort: p.SPort, DPort: p.DPort,
	}
	if p.Name != "" {
		q.Name = g.Universe.NameClass(p.Name)
	}
	for i, n := range g.Universe.TagNames() {
		_, name, _ := strings.Cut(n, ":")
		if slices.Contains(p.Tags, name) {
			q.Tags = q.Tags.With(i, true)
		}
	}
	// AZ-GEN-05: what never leaves a NIC is no flow.
	return probe{q, p}, p.Src != p.Dst && g.Space.Contains(g.Sent(origin), q)
}

// find puts a packet into the solver's words; false where nobody of the estate sends it.
func (j *joint) find(p trace.Packet) (probe, bool) {
	g := j.s.graph
	for o := range g.Origins {
		if g.Origins[o].Site.PlaceOf(p.Src).Key() != p.From.Key() {
			continue
		}
		for _, x := range g.Origins[o].Prefixes {
			if x.Contains(p.Src) {
				if q, ok := j.as(o, p); ok {
					return q, true
				}
			}
		}
	}
	return probe{}, false
}

// within is an address of a list of blocks, among the first of each.
func within(rnd *rand.Rand, ps []netip.Prefix) netip.Addr {
	p := ps[rnd.IntN(len(ps))]
	a := p.Addr()
	for range rnd.IntN(8) {
		if next := a.Next(); p.Contains(next) {
			a = next
		}
	}
	return a
}

// solver is where the solver delivers a packet, and in which bounds. Places outside what the input states have the name "unknown".
func (j *joint) solver(p probe) map[string][3]bool {
	g := j.s.graph
	got := map[string][3]bool{}
	from := g.Origins[p.solver.Origin].Site.Send
	for i := range j.ends {
		x := &j.ends[i]
		if set, ok := x.sent[dataplane.Over][from]; !ok || !g.Space.Contains(set, p.solver) {
			continue
		}
		place := x.place
		switch {
		case x.unknown:
			place = "unknown"
		case slices.Contains(x.classes, packet.Range{Lo: p.solver.Dst, Hi: p.solver.Dst}):
			place = placeText(g.PlaceAt(x.node, p.trace.Dst))
		}
		v := got[place]
		v[0] = true
		for b := dataplane.OneWay; b <= dataplane.Session; b++ {
			if set, ok := x.sent[b][from]; ok && g.Space.Contains(set, p.solver) {
				v[b] = true
			}
		}
		got[place] = v
	}
	return got
}

// differ runs a packet through both engines and says where they differ; "" where they agree.
func (j *joint) differ(p probe) string {
	got := j.solver(p)
	_, lostInSolver := got["unknown"]
	delete(got, "unknown")
	res := j.interpreter.Run(p.trace)
	counted := withoutOwnNode(res)
	want := map[string][3]bool{}
	lost, unknown := false, false
	for _, path := range counted.Paths {
		if path.End == trace.Lost {
			lost = true
			unknown = unknown || path.At.Kind == model.PlaceUnknown // an appliance's own filters may stop all that it sends
		}
		if path.End != trace.Delivered {
			continue
		}
		key := placeText(path.At)
		if _, ok := want[key]; ok {
			continue
		}
		over, oneWay, session := counted.Delivered(path.At)
		want[key] = [3]bool{over, oneWay, session}
	}
	var diffs []string
	for _, k := range sortedBounds(got, want) {
		a, b := got[k], want[k]
		if lost && a[0] && !b[0] && !a[1] {
			continue // the interpreter lost the packet: it may be anywhere
		}
		if a[0] && !a[1] && !a[2] && j.blurred(p.trace) {
			continue // no bound claims more than the interpreter says
		}
		if a != b {
			diffs = append(diffs, fmt.Sprintf("  %s: solver %q, interpreter %q", k, bounds(a), bounds(b)))
		}
	}
	if unknown && !lostInSolver && len(got) <= len(want) && diffs == nil {
		diffs = append(diffs, "  the interpreter loses the packet, and the solver delivers it nowhere else")
	}
	if diffs == nil {
		return ""
	}
	return fmt.Sprintf("%s %v name %q from %s:\n%s\n  solver: %v\n%s", p.trace, p.trace.Tags, p.trace.Name, placeText(p.trace.From), strings.Join(diffs, "\n"), got, courses(res))
}

// blurred reports a packet of a cluster of which the solver may leave open by which node it went, and so in which groups its source is: nodes may
// pass it on with an address of their own for a Service whose endpoints the input does not state, or something that is not modelled may. Sets do
// not tell such packets from what the sender's node sends itself (AZ-ASG-05).
func (j *joint) blurred(p trace.Packet) bool {
	e := j.s.Project.Estate
	switch p.From.Kind {
	case model.PlacePod, model.PlaceNodePool, model.PlaceScaleSet:
	default:
		return false
	}
	grouped := slices.ContainsFunc(e.NSGs, func(g *model.NSG) bool {
		return slices.ContainsFunc(g.Rules, func(r model.SecurityRule) bool { return len(r.SourceAddrs.ASGs) > 0 })
	})
	return grouped && (slices.ContainsFunc(e.KubeServices, func(s *model.KubeService) bool { return len(s.Selector) == 0 }) ||
		slices.ContainsFunc(e.Ledger, func(x model.LedgerEntry) bool { return x.Role == model.Carries }))
}

// courses prints what the interpreter says, for a failure message.
func courses(r *trace.Result) string {
	var b strings.Builder
	for _, p := range r.Paths {
		fmt.Fprintf(&b, "  %s at %s certain=%v session=%v %v\n", p.End, placeText(p.At), p.Certain, p.Session, p.Assumptions)
		for _, h := range p.Hops {
			fmt.Fprintf(&b, "    %s %s at %s %s %s: %s certain=%v", h.Stage, h.Action, placeText(h.At), h.Rule, h.Detail, h.Packet, h.Certain)
			if h.Route != nil {
				fmt.Fprintf(&b, " %s %s", h.Route.NextHopType, h.Route.Prefix)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func bounds(b [3]bool) string {
	var out []string
	for i, yes := range b {
		if yes {
			out = append(out, dataplane.Bound(i).String())
		}
	}
	return strings.Join(out, " ")
}

func sortedBounds(a, b map[string][3]bool) []string {
	var out []string
	for k := range a {
		out = append(out, k)
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// kindsOf are the kinds of a seed's estate: few kinds at a time, so that each meets the network alone and in company.
func kindsOf(seed uint64) modeltest.Kinds {
	if *onlyKinds != 0 {
		return modeltest.Kinds(*onlyKinds)
	}
	return modeltest.KindsOf(seed) & settled
}

// drawEstate draws the estate of a seed.
func drawEstate(seed uint64) modeltest.Draft {
	return modeltest.Random(rand.New(rand.NewPCG(seed, 1)), kindsOf(seed))
}

// check compares the engines on n packets of a random estate. It returns the number of packets compared, and the first difference with
// its packet.
func check(seed uint64, n int) (int, string, trace.Packet) {
	j, err := newJoint(drawEstate(seed))
	if err != nil {
		return 0, err.Error(), trace.Packet{}
	}
	rnd := rand.New(rand.NewPCG(seed, 2))
	targets := modeltest.Addresses(j.s.Project.Estate)
	done := 0
	for tries := 0; done < n && tries < 4*n; tries++ {
		p, ok := j.draw(rnd, targets)
		if !ok {
			continue
		}
		done++
		if diff := j.differ(p); diff != "" {
			return done, diff, p.trace
		}
	}
	return done, "", trace.Packet{}
}

// recheck compares the engines on one packet of a draft; "" also where the draft has no such packet.
func recheck(d modeltest.Draft, p trace.Packet) string {
	j, err := newJoint(d.Clone())
	if err != nil {
		return ""
	}
	q, ok := j.find(p)
	if !ok {
		return ""
	}
	return j.differ(q)
}

// TestEnginesAgree draws estates and packets: solver and interpreter must say the same of every packet, in all three bounds
// (AZ-GEN-09). `go test ./solver -run TestEnginesAgree -checks 10000000 -timeout 0` is the long run; -each 10000 looks deeper into fewer estates.
func TestEnginesAgree(t *testing.T) {
	want := *checks
	if want == 0 {
		want = 300_000
		if testing.Short() {
			want = 30_000
		}
	}
	var total, next atomic.Int64
	var failures atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for total.Load() < int64(want) && failures.Load() < 5 {
				seed := *firstSeed + uint64(next.Add(1)) - 1
				n, diff, p := check(seed, *each)
				if now := total.Add(int64(n)); now/1_000_000 > (now-int64(n))/1_000_000 { // how far a long run is, with -v
					t.Logf("%d checks", now)
				}
				if diff == "" {
					continue
				}
				failures.Add(1)
				small := modeltest.Shrink(drawEstate(seed), func(d modeltest.Draft) bool { return recheck(d, p) != "" })
				if again := recheck(small, p); again != "" {
					diff = again
				}
				t.Errorf("seed %d: %s\n%s", seed, diff, modeltest.Print(small))
			}
		})
	}
	wg.Wait()
	t.Logf("%d checks in %d estates", total.Load(), next.Load())
}

// TestEnginesAgreeOnManifests is the same for clusters of which the input has manifests alone.
func TestEnginesAgreeOnManifests(t *testing.T) {
	const perCluster = 100
	want := 50_000
	if testing.Short() {
		want = 10_000
	}
	total, balanced := 0, 0
	for seed := *firstSeed; total < want; seed++ {
		j, err := newJoint(modeltest.RandomManifests(rand.New(rand.NewPCG(seed, 5))))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		e := j.s.Project.Estate
		if slices.ContainsFunc(e.KubeServices, func(s *model.KubeService) bool { return s.Type == "LoadBalancer" }) {
			balanced++
		}
		rnd := rand.New(rand.NewPCG(seed, 2))
		targets := modeltest.Addresses(e)
		for range perCluster {
			p, ok := j.draw(rnd, targets)
			// A channel of a controller is the solver's way to say what it forwards; the API server of such a cluster is in no input.
			if !ok || j.s.graph.Origins[p.solver.Origin].Site.Channel != "" || j.apiServer(p.trace.Dst) {
				continue
			}
			total++
			if diff := j.differ(p); diff != "" {
				t.Fatalf("seed %d: %s\n%s", seed, diff, modeltest.Print(modeltest.RandomManifests(rand.New(rand.NewPCG(seed, 5)))))
			}
		}
	}
	if balanced == 0 {
		t.Error("no cluster has a load balancer")
	}
	t.Logf("%d checks", total)
}

// apiServer reports whether an address stands for the door of a cluster's API server.
func (j *joint) apiServer(a netip.Addr) bool {
	s, ok := j.s.symbols().At(a)
	return ok && s.Kind == model.APIDoor
}
