package solver

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
	"github.com/ringfence/ringfence/solver/trace"
)

// project reads an example.
func project(t testing.TB, dir string) *model.Project {
	t.Helper()
	fsys := os.DirFS(dir)
	in, err := intent.Import(fsys, "ringfence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(fsys, "azure/*.json")
	if err != nil {
		t.Fatal(err)
	}
	az, err := azure.Import(fsys, files)
	if err != nil {
		t.Fatal(err)
	}
	var cluster model.ID
	for _, r := range az.Resources {
		if c, ok := r.(*model.Cluster); ok {
			cluster = c.ID
		}
	}
	var k kubernetes.Result
	if cluster != "" {
		if k, err = kubernetes.Import(fsys, []string{"manifests"}, kubernetes.Options{Cluster: cluster}); err != nil {
			t.Fatal(err)
		}
	}
	e, err := model.NewEstate(append(az.Resources, k.Resources...), append(az.Ledger, k.Ledger...))
	if err != nil {
		t.Fatal(err)
	}
	return &model.Project{Estate: e, Intent: &in.Intent}
}

// The two engines read the same estate and must say the same of the same packet: where it may be delivered, and where it is delivered
// for certain.
func TestEnginesAgreeOnExamples(t *testing.T) {
	for _, name := range []string{"aks-pci", "aks-pci-broken", "hub-spoke"} {
		t.Run(name, func(t *testing.T) {
			s, err := Solve(project(t, "../examples/"+name), Options{})
			if err != nil {
				t.Fatal(err)
			}
			agree(t, s, 4000, 1)
		})
	}
}

// agree compares the engines on random packets of a solved estate.
func agree(t *testing.T, s *Solution, n int, seed uint64) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 0))
	ports := []uint16{22, 53, 80, 443, 1433, 3389, 8080, 8443, 10250, 30080, 31976, 65300}
	u := s.graph.Universe
	bad := 0
	for range n {
		o := rnd.IntN(len(s.graph.Origins))
		if s.graph.Origins[o].Site.Channel == ingressChannel {
			continue // what a controller's pods forward for others; the interpreter has the pods themselves
		}
		p := packet.Packet{Origin: uint32(o), Src: pick(rnd, s.graph.OriginClasses(o)), Dst: uint32(rnd.IntN(u.Classes())), Protocol: uint8(model.TCP)}
		switch rnd.IntN(8) {
		case 0:
			p.Protocol = uint8(model.UDP)
		case 1:
			p.Protocol = uint8(model.ICMP)
		}
		if model.Protocol(p.Protocol).HasPorts() {
			p.DPort, p.SPort = ports[rnd.IntN(len(ports))], 50000
		}
		if model.Protocol(p.Protocol) == model.TCP {
			p.Name = uint32(rnd.IntN(int(u.Domain(packet.Name)) + 1))
		}
		if p.Src == p.Dst {
			continue // AZ-GEN-05: what never leaves a NIC is no flow
		}
		set := s.graph.Space.Intersect(s.graph.Single(p), s.graph.Sent(o))
		if set.Empty() {
			continue
		}
		if diff := s.compare(p, set); diff != "" {
			bad++
			if bad <= 10 {
				t.Errorf("%s", diff)
			}
		}
	}
	if bad > 10 {
		t.Errorf("%d packets in all", bad)
	}
}

func pick(rnd *rand.Rand, rs []packet.Range) uint32 {
	r := rs[rnd.IntN(len(rs))]
	return r.Lo + uint32(rnd.IntN(int(r.Hi-r.Lo)+1))
}

// compare runs one packet through both engines and says where they differ.
func (s *Solution) compare(p packet.Packet, set packet.Set) string {
	c := s.concrete(p)
	got := map[string]string{}
	for _, b := range []dataplane.Bound{dataplane.Over, dataplane.OneWay} {
		f := s.graph.FloodOf(b, set)
		for n, node := range s.graph.Nodes {
			if node.Stage != dataplane.StageReceive {
				continue
			}
			if arrived, ok := s.graph.Space.Sample(sureAt(f, dataplane.NodeID(n))); ok {
				got[placeText(s.graph.PlaceAt(dataplane.NodeID(n), s.graph.Universe.Example(arrived.Dst)))] += b.String() + " "
			}
		}
	}
	want := map[string]string{}
	res := withoutOwnNode(trace.Run(s.Project.Estate, s.traceOptions(false), c))
	seen := map[string]bool{}
	for _, path := range res.Paths {
		if path.End != trace.Delivered || seen[placeText(path.At)] {
			continue
		}
		seen[placeText(path.At)] = true
		over, oneWay, _ := res.Delivered(path.At)
		if over {
			want[placeText(path.At)] += "over "
		}
		if oneWay {
			want[placeText(path.At)] += "one-way "
		}
	}
	var diffs []string
	for _, k := range sortedKeys(got, want) {
		if got[k] != want[k] {
			diffs = append(diffs, fmt.Sprintf("  %s: solver %q, interpreter %q", k, got[k], want[k]))
		}
	}
	if diffs == nil {
		return ""
	}
	return fmt.Sprintf("%+v from %s:\n%s", c, placeText(c.From), strings.Join(diffs, "\n"))
}

// sureAt is what arrives at a node, whatever source translations pick (AZ-GEN-13).
func sureAt(f *dataplane.Flood, n dataplane.NodeID) packet.Set {
	return f.Sure(map[dataplane.NodeID]packet.Set{n: f.At(n)})[n]
}

// withoutOwnNode leaves out what reaches a pod from its own node, which the solver leaves out of its proofs (K8S-NP-22, ASM-K-NODE).
func withoutOwnNode(r *trace.Result) *trace.Result {
	out := *r
	out.Paths = slices.DeleteFunc(slices.Clone(r.Paths), func(p trace.Path) bool { return slices.Contains(p.Assumptions, "ASM-K-NODE") })
	return &out
}

func placeText(p model.Place) string {
	part := p.Part
	if p.Kind == model.PlaceAppGateway {
		part = ""
	}
	return fmt.Sprintf("%s %s %s", p.Kind, p.ID.ShortName(), part)
}

func sortedKeys(a, b map[string]string) []string {
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
