package solver

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// WorkloadQuestion is what is asked about all pairs of workloads.
type WorkloadQuestion struct {
	Services []model.PortService
	Direct   bool // packets alone, without chains of relays
	Exposure bool // rows for pods that do not exist yet (K8S-EXP-04)
}

// WorkloadMatrix answers every pair of workloads and of what lies outside the estate, as [Solution.Matrix] by [ByWorkload] does. Of
// manifests alone, where nothing but policies stands between two pods, no graph is flooded: workloads that no policy tells apart are
// decided once (K8S-GEN-03), and outside addresses that policies tell apart have rows of their own. The assumptions are those of the
// rows about pods that do not exist yet, and what is missing about the network around such a cluster.
func WorkloadMatrix(p *model.Project, o Options, q WorkloadQuestion) ([]Row, []Assumption, error) {
	if cluster, alone := dataplane.Standalone(p.Estate, dataplane.Options{Intent: p.Intent}); alone && len(o.Questions) == 0 {
		m, err := newPodMatrix(p, cluster, o, q.Services)
		if err != nil {
			return nil, nil, err
		}
		relays, ok := m.net.Relays()
		if ok || q.Direct {
			rows := m.rows()
			if len(relays) > 0 && !q.Direct {
				rows = append(rows, m.relayed(relays)...)
				sortRows(rows)
			}
			notes := m.net.Lacks()
			if q.Exposure {
				e := exposureOf(m.s, m.net, cluster, m.names)
				rows, notes = append(rows, e.rows...), append(notes, e.notes...)
				sortRows(rows)
			}
			return rows, m.s.assumptions(notes, true), m.s.Err()
		}
	}
	s, err := Solve(p, o)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.Matrix(ByWorkload, q.Services, q.Direct)
	if err != nil || !q.Exposure {
		return rows, nil, err
	}
	var notes []string
	for _, c := range p.Estate.Clusters {
		net := dataplane.NewPodNet(p.Estate, c, dataplane.Options{Strict: o.Strict, Intent: p.Intent}, s.graph, s.serviceSet(q.Services))
		var names []string
		for _, w := range net.Workloads {
			names = append(names, s.refs.Of(model.SelPod, w))
		}
		e := exposureOf(s, net, c, names)
		rows, notes = append(rows, e.rows...), append(notes, e.notes...)
	}
	sortRows(rows)
	return rows, s.assumptions(notes, true), s.Err()
}

// sortRows puts rows in the order of a matrix.
func sortRows(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Src, b.Src), cmp.Compare(a.Dst, b.Dst), cmp.Compare(a.Kind, b.Kind), slices.Compare(a.Via, b.Via))
	})
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
		if b.Host != nil {
			name := refs.Of(model.SelPod, b.Host)
			dst := []string{name}
			if len(b.Addresses) > 0 {
				dst = prefixList(b.Addresses)
			}
			m.names, m.dst = append(m.names, name), append(m.dst, dst)
			continue
		}
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

func (m *podMatrix) rows() []Row {
	order := make([]int, len(m.names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(m.names[a], m.names[b]) })
	out := []Row{}
	m.net.Each(order, func(from, to, cell int) { out = append(out, m.pairRows(from, to, cell, Direct, nil)...) })
	return out
}

// pairRows is the rows of a cell: what is certain, and what is possible beside it.
func (m *podMatrix) pairRows(from, to, cell int, kind Kind, via []string) []Row {
	var out []Row
	c := m.cell(cell)
	for i, verdict := range []Verdict{Reachable, Unknown} {
		if len(c.parts[i]) > 0 {
			out = append(out, Row{Src: m.names[from], Dst: m.names[to], Verdict: verdict, Kind: kind, Via: via, Packets: m.packets(c, cell*2+i, to), Total: c.total[i]})
		}
	}
	return out
}

// relayed are the rows of chains: what an ingress controller opens, to each sender that reaches it, and for certain to those that certainly
// do (AZ-REL-03).
func (m *podMatrix) relayed(relays []dataplane.PodRelay) []Row {
	var out []Row
	for _, r := range relays {
		var via []string
		if r.At < 0 {
			via = []string{m.s.placeRef(m.net.Place())}
		} else {
			via = []string{m.names[r.At]}
		}
		for from := range m.names {
			may, must := false, false
			if r.At < 0 {
				may = m.net.SendsAnywhere(from)
			} else {
				may, must = m.net.Reaches(from, r.At)
			}
			if !may {
				continue
			}
			for _, to := range slices.Sorted(maps.Keys(r.Opens)) {
				cell := r.Opens[to]
				if !must {
					cell = m.net.Doubtful(cell)
				}
				out = append(out, m.pairRows(from, to, cell, Relayed, via)...)
			}
		}
	}
	return out
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
