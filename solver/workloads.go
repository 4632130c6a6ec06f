package solver

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// WorkloadMatrix answers every pair of workloads and of what lies outside the estate, as [Solution.Matrix] by [ByWorkload] does. Of
// manifests alone, where nothing but policies stands between two pods, no graph is flooded: workloads that no policy tells apart are
// decided once (K8S-GEN-03), and outside addresses that policies tell apart have rows of their own.
func WorkloadMatrix(p *model.Project, o Options, services []model.PortService, direct bool) ([]Row, error) {
	cluster, alone := dataplane.Standalone(p.Estate, dataplane.Options{Intent: p.Intent}, !direct)
	if !alone || len(o.Questions) > 0 {
		s, err := Solve(p, o)
		if err != nil {
			return nil, err
		}
		return s.Matrix(ByWorkload, services, direct)
	}
	m, err := newPodMatrix(p, cluster, o, services)
	if err != nil {
		return nil, err
	}
	return m.rows()
}

// podMatrix is the matrix of a cluster that stands alone.
type podMatrix struct {
	s       *Solution // of the cluster without anything in it: how packets are printed
	net     *dataplane.PodNet
	names   []string   // of each column
	dst     [][]string // its addresses, as packets print them
	cells   map[int]*podCell
	printed map[[2]int][]Packets
}

// podCell is how a cell is printed: what passes for certain, and what passes perhaps.
type podCell struct {
	parts [2][]Packets // with no destination
	total [2]uint64
}

func newPodMatrix(p *model.Project, cluster *model.Cluster, o Options, services []model.PortService) (*podMatrix, error) {
	bare, err := model.NewEstate([]model.Resource{cluster}, nil)
	if err != nil {
		return nil, err
	}
	s, err := Solve(&model.Project{Estate: bare}, Options{Strict: o.Strict, Limits: o.Limits, AsOf: o.AsOf})
	if err != nil {
		return nil, err
	}
	d := dataplane.Options{Strict: o.Strict, Intent: p.Intent}
	m := &podMatrix{
		s: s, net: dataplane.NewPodNet(p.Estate, cluster, d, s.graph, s.serviceSet(services)), cells: map[int]*podCell{}, printed: map[[2]int][]Packets{},
	}
	s.o.Progress = o.Progress
	refs := model.NewRefs(p.Estate)
	for _, w := range m.net.Workloads {
		name := refs.Of(model.SelPod, w)
		m.names = append(m.names, name)
		dst := []string{name}
		if len(w.Addresses) > 0 {
			dst = prefixList(dataplane.AddressBlocks(w.Addresses))
		}
		m.dst = append(m.dst, dst)
	}
	for _, b := range m.net.Blocks {
		if !b.CIDR.IsValid() {
			m.names, m.dst = append(m.names, "internet"), append(m.dst, []string{"internet"})
			continue
		}
		m.names, m.dst = append(m.names, blockRef(b.CIDR)), append(m.dst, prefixList(b.Addresses))
	}
	if len(p.Estate.Workloads) == 0 {
		return nil, fmt.Errorf("matrix by %s: the input holds no %s that sends or receives", ByWorkload, ByWorkload)
	}
	return m, nil
}

func prefixList[T fmt.Stringer](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = x.String()
	}
	return out
}

func (m *podMatrix) rows() ([]Row, error) {
	order := make([]int, len(m.names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(m.names[a], m.names[b]) })
	out := []Row{}
	m.net.Each(order, func(from, to, cell int) {
		c := m.cell(cell)
		for i, verdict := range []Verdict{Reachable, Unknown} {
			if len(c.parts[i]) > 0 {
				out = append(out, Row{
					Src: m.names[from], Dst: m.names[to], Verdict: verdict, Kind: Direct, Packets: m.packets(c, cell*2+i, to), Total: c.total[i],
				})
			}
		}
	})
	return out, m.s.Err()
}

func (m *podMatrix) cell(id int) *podCell {
	c, ok := m.cells[id]
	if !ok {
		over, under := m.net.Bounds(id)
		c = &podCell{}
		for i, set := range []packet.Set{under, m.s.graph.Space.Subtract(over, under)} {
			if !set.Empty() {
				c.parts[i], c.total[i] = m.s.pairPackets(set)
			}
		}
		m.cells[id] = c
	}
	return c
}

// packets is a part of a cell to one destination; equal ones share what is printed.
func (m *podMatrix) packets(c *podCell, part, to int) []Packets {
	key := [2]int{part, to}
	out, ok := m.printed[key]
	if !ok {
		out = slices.Clone(c.parts[part%2])
		for i := range out {
			out[i].Dst = m.dst[to]
		}
		m.printed[key] = out
	}
	return out
}
