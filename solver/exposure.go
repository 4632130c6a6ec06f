package solver

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// EntireCluster is the end of a row that stands for every pod that may ever be in the cluster (K8S-EXP-04).
const EntireCluster = "entire-cluster"

// exposure is the rows about pods that do not exist yet.
type exposure struct {
	rows  []Row
	notes []string
}

// exposureOf lists, for each workload, what pods that do not exist yet may open to it, and it to them (K8S-EXP-04). In a cluster of Azure a row is
// certain as far as nothing between nodes stops it: on one node nothing does (K8S-AZ-04, K8S-AZ-05).
func exposureOf(s *Solution, net *dataplane.PodNet, c *model.Cluster, names []string) exposure {
	var out exposure
	printed := map[packet.Set][]Packets{}
	for i := range net.Workloads {
		name := names[i]
		for _, dir := range []model.Direction{model.Inbound, model.Outbound} {
			carried, resting := net.Carried(dir, i)
			for _, e := range net.Exposure(dir, i) {
				far := EntireCluster
				if !e.Entire {
					far = futureRef(c, e)
				}
				out.notes = append(out.notes, e.Notes...)
				r := Row{Src: far, Dst: name, Kind: Direct}
				if dir == model.Outbound {
					r.Src, r.Dst = name, far
				}
				over, under := net.Bounds(e.Cell)
				under = s.graph.Space.Intersect(under, carried)
				if !under.Empty() {
					out.notes = append(out.notes, resting...)
				}
				for k, set := range []packet.Set{under, s.graph.Space.Subtract(over, under)} {
					r.Verdict, r.Packets = Reachable, nil
					if k > 0 {
						r.Verdict = Unknown
					}
					list, ok := printed[set]
					if !ok && !set.Empty() {
						list, _ = s.pairPackets(set)
						printed[set] = list
					}
					r.Packets = toward(list, r.Dst)
					named := slices.DeleteFunc(slices.Clone(e.Named), func(x model.PolicyPort) bool {
						sure := !s.graph.Space.Intersect(carried, s.serviceSet([]model.PortService{{Protocol: x.Protocol, Ports: model.AllPorts, SourcePorts: model.AllPorts}})).Empty()
						return sure != (k == 0)
					})
					r.Packets = append(r.Packets, namedPackets(named, r.Dst)...)
					if len(r.Packets) > 0 {
						out.rows = append(out.rows, r)
					}
				}
			}
		}
	}
	return out
}

// toward is packets to one destination.
func toward(list []Packets, dst string) []Packets {
	out := make([]Packets, len(list))
	for i, p := range list {
		out[i] = p
		out[i].Dst = []string{dst}
	}
	return out
}

// namedPackets are packets to ports that only their pod can number (K8S-NP-19).
func namedPackets(ports []model.PolicyPort, dst string) []Packets {
	var out []Packets
	for _, p := range ports {
		out = append(out, Packets{
			Src: []string{"any"}, Dst: []string{dst}, Protocol: p.Protocol.String(), SPort: []string{"0-65535"}, DPort: []string{p.Named}, Names: []string{"*"},
		})
	}
	return out
}

// futureRef writes pods that do not exist yet: `future:CLUSTER/NAMESPACE{labels}[labels]`, with the labels of the namespace and of the
// pods as kubectl writes selectors; `*` is any namespace.
func futureRef(c *model.Cluster, e dataplane.Exposed) string {
	var b strings.Builder
	b.WriteString("future:" + c.Name() + "/")
	if e.Namespace == "" {
		b.WriteString("*")
	}
	b.WriteString(e.Namespace)
	if e.Labels != "" {
		b.WriteString("{" + e.Labels + "}")
	}
	if e.Pods != "" {
		b.WriteString("[" + e.Pods + "]")
	}
	return b.String()
}
