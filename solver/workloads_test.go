package solver

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// What is decided by classes of workloads is what the graph says of each pair (K8S-GEN-03, K8S-NP-03, K8S-NP-04, K8S-NP-13).
func TestWorkloadMatrixIsThatOfTheGraph(t *testing.T) {
	seeds := uint64(600)
	if testing.Short() {
		seeds = 50
	}
	alone, relayed := 0, 0
	for seed := range seeds {
		rnd := rand.New(rand.NewPCG(seed, 5))
		draft := modeltest.RandomManifests(rnd)
		o := Options{Strict: rnd.IntN(4) == 0}
		var services []model.PortService
		if rnd.IntN(4) == 0 {
			services = []model.PortService{{Protocol: model.TCP, Ports: model.PortRange{First: 80, Last: 443}, SourcePorts: model.AllPorts}}
		}
		direct := rnd.IntN(2) == 0
		e, err := draft.Estate()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := dataplane.Standalone(e, dataplane.Options{}); !ok {
			continue
		}
		alone++
		p := &model.Project{Estate: e}
		if diff := matricesDiffer(t, p, o, services, direct); diff != "" {
			t.Fatalf("seed %d, %+v, direct %v: %s", seed, o, direct, diff)
		}
		rows, _, err := WorkloadMatrix(p, o, WorkloadQuestion{})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(rows, func(r Row) bool { return r.Kind == Relayed }) {
			relayed++
		}
	}
	if alone < int(seeds)/3 {
		t.Errorf("%d of %d clusters stood alone", alone, seeds)
	}
	if relayed < alone/20 {
		t.Errorf("%d of %d clusters have relays", relayed, alone)
	}
}

// matricesDiffer compares the two ways to the matrix by workload: rows between pods word for word, those with outside addresses by what
// they say of samples.
func matricesDiffer(t *testing.T, p *model.Project, o Options, services []model.PortService, direct bool) string {
	t.Helper()
	got, _, gotErr := WorkloadMatrix(p, o, WorkloadQuestion{Services: services, Direct: direct})
	s, err := Solve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	want, wantErr := s.Matrix(ByWorkload, services, direct)
	if wantErr != nil || gotErr != nil {
		return cmp.Diff(fmt.Sprint(gotErr), fmt.Sprint(wantErr))
	}
	pods := func(rows []Row) []Row {
		return slices.DeleteFunc(append([]Row{}, rows...), func(r Row) bool {
			return !strings.HasPrefix(r.Src, "pod:") || !strings.HasPrefix(r.Dst, "pod:")
		})
	}
	// The graph's rows name no firewall that is passed by an empty list, which JSON leaves out as well.
	diff := cmp.Diff(pods(got), pods(want), cmp.Transformer("via", func(r Row) string { return fmt.Sprintf("%+v", r) }))
	if diff != "" {
		return diff
	}
	return outsideDiffers(t, s, p, o, services, got)
}

// outsideDiffers compares rows to and from outside blocks with what the graph says of addresses in them.
func outsideDiffers(t *testing.T, s *Solution, p *model.Project, o Options, services []model.PortService, rows []Row) string {
	t.Helper()
	c, _ := dataplane.Standalone(p.Estate, dataplane.Options{})
	m, err := newPodMatrix(p, c, o, services)
	if err != nil {
		t.Fatal(err)
	}
	at := func(b dataplane.PodBlock) netip.Addr {
		if b.Addresses[0].IsSingleIP() {
			return b.Addresses[0].Addr()
		}
		return b.Addresses[0].Addr().Next()
	}
	// Of the network around the cluster the graph knows the addresses that somebody asks for.
	around := map[int][]model.Selector{}
	var asked []model.Selector
	for j, b := range m.net.Blocks {
		if b.Around && privateOnly(b.Addresses) {
			around[j] = selectors(t, "ip:"+at(b).String())
			asked = append(asked, around[j]...)
		}
	}
	if len(asked) > 0 {
		o.Questions = asked
		if s, err = Solve(p, o); err != nil {
			t.Fatal(err)
		}
	}
	internet, err := s.resolve(model.Selector{Kind: model.SelInternet, Text: "internet"})
	if err != nil {
		t.Fatal(err)
	}
	space, own := s.graph.Space, m.s.graph.Space
	var order []int
	for i := range m.names {
		order = append(order, i)
	}
	cells := map[[2]int]int{}
	m.net.Each(order, func(from, to, cell int) { cells[[2]int{from, to}] = cell })
	for i, w := range m.net.Workloads {
		pod, err := s.resolve(model.Selector{Kind: model.SelPod, Parts: []string{w.Namespace, w.Name()}, Text: "pod:" + w.Namespace + "/" + w.Name()})
		if err != nil {
			t.Fatal(err)
		}
		for j, b := range m.net.Blocks {
			if b.Host != nil {
				continue // its rows are those of a pod
			}
			at, outside := at(b), internet
			switch {
			case around[j] != nil:
				if outside, err = s.resolve(around[j][0]); err != nil {
					t.Fatal(err)
				}
			case !public(b.Addresses):
				continue // neither the internet nor a host that may be there
			}
			for _, dir := range []bool{true, false} {
				from, to, pair := pod, outside, [2]int{i, len(m.net.Workloads) + j}
				if !dir {
					from, to, pair = outside, pod, [2]int{pair[1], pair[0]}
				}
				q := s.newQuery(from, to)
				q.service, q.direct = s.serviceSet(services), true
				var graph [2]packet.Set
				for _, r := range s.rows(q) {
					graph[0], graph[1] = space.Union(graph[0], r.over), space.Union(graph[1], r.oneWay)
				}
				class := s.graph.Universe.Class(at)
				there := space.Box(packet.Box{Dst: []packet.Range{{Lo: class, Hi: class}}})
				if !dir {
					there = space.Box(packet.Box{Src: []packet.Range{{Lo: class, Hi: class}}})
				}
				over, under := m.net.Bounds(cells[pair])
				for _, proto := range []model.Protocol{model.TCP, model.UDP, model.SCTP, model.ICMP, model.ESP} {
					for _, port := range append(modeltest.Ports(), 1, 500, 600, 8000, 65535) {
						k := packet.Box{Protocol: value(uint32(proto)), Name: value(0)}
						if proto.HasPorts() {
							k.DPort = value(uint32(port))
						}
						for bound, set := range []packet.Set{over, under} {
							here := !own.Disjoint(set, own.Box(k))
							if said := !space.Disjoint(space.Intersect(graph[bound], there), space.Box(k)); here != said {
								return fmt.Sprintf("%s to %s (%s) %v/%d bound %d: %v, by the graph %v", m.names[pair[0]], m.names[pair[1]], at, proto, port, bound, here, said)
							}
						}
					}
				}
			}
		}
	}
	// Rows say what the cells do.
	for pair, cell := range cells {
		over, _ := m.net.Bounds(cell)
		has := slices.ContainsFunc(rows, func(r Row) bool { return r.Src == m.names[pair[0]] && r.Dst == m.names[pair[1]] })
		if has == over.Empty() {
			return fmt.Sprintf("%s to %s: a row %v", m.names[pair[0]], m.names[pair[1]], has)
		}
	}
	return ""
}

// privateOnly reports whether a block of outside addresses is one of private ones, whole.
func privateOnly(list []netip.Prefix) bool {
	return !slices.ContainsFunc(list, func(x netip.Prefix) bool {
		return !slices.ContainsFunc(cidrs("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"), func(y netip.Prefix) bool { return y.Bits() <= x.Bits() && y.Contains(x.Addr()) })
	})
}

// public reports whether a block of outside addresses lies on the internet, whole.
func public(list []netip.Prefix) bool {
	for _, x := range list {
		for _, private := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16"} {
			if x.Overlaps(netip.MustParsePrefix(private)) {
				return false
			}
		}
	}
	return true
}
