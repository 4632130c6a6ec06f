package solver

import (
	"path"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// namespaces are those of a cluster in which pods may be created: those of the input, the given ones, and one that nobody has named yet.
func (s *Solution) namespaces(c *model.Cluster, named ...string) []dataplane.Namespace {
	var out []dataplane.Namespace
	for _, name := range named {
		if name != "" && !slices.ContainsFunc(s.Project.Estate.Namespaces, func(n *model.Namespace) bool { return n.Cluster.Key() == c.ID.Key() && n.Name() == name }) {
			out = append(out, dataplane.Namespace{Name: name})
		}
	}
	for _, n := range s.Project.Estate.Namespaces {
		if n.Cluster.Key() == c.ID.Key() {
			out = append(out, dataplane.Namespace{Name: n.Name(), Labels: n.Labels, Declared: n.Declared})
		}
	}
	return append(out, dataplane.Namespace{})
}

// holds reports whether selectors mean pods that do not exist yet in a namespace: those that name the namespace, its cluster, a zone to which
// it belongs, or anything. A new namespace has no name yet.
func (s *Solution) holds(sels []model.Selector, c *model.Cluster, namespace string) bool {
	in := false
	for _, sel := range sels {
		switch {
		case !s.holdsOne(sel, c, namespace):
		case sel.Not:
			return false
		default:
			in = true
		}
	}
	return in
}

func (s *Solution) holdsOne(sel model.Selector, c *model.Cluster, namespace string) bool {
	glob := func(pattern, name string) bool {
		ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
		return err == nil && (ok && name != "" || pattern == "*")
	}
	switch sel.Kind {
	case model.SelAny:
		return true
	case model.SelCluster:
		return sel.Whole && model.ID(sel.Parts[0]).Key() == c.ID.Key() || glob(sel.Parts[len(sel.Parts)-1], c.Name())
	case model.SelNamespace:
		if sel.Whole {
			n, ok := model.Get[*model.Namespace](s.Project.Estate, model.ID(sel.Parts[0]))
			return ok && n.Cluster.Key() == c.ID.Key() && n.Name() == namespace
		}
		n := len(sel.Parts)
		return (n < 2 || glob(sel.Parts[n-2], c.Name())) && glob(sel.Parts[n-1], namespace)
	case model.SelZone:
		return s.zoneOf(c, namespace) == sel.Parts[0]
	default:
		return false
	}
}

// zoneOf is the zone to which new pods of a namespace belong: that of its most specific member (docs/intent.md).
func (s *Solution) zoneOf(c *model.Cluster, namespace string) string {
	zone, best := "", -1
	for _, z := range s.zones {
		for _, m := range z.zone.Members {
			if m.Kind != model.SelNamespace && m.Kind != model.SelCluster || m.Not || !s.holdsOne(m, c, namespace) {
				continue
			}
			if r := rank(m.Kind); best < 0 || r < best {
				zone, best = z.zone.Name, r
			}
		}
	}
	return zone
}

// podsOf are the workloads that receive for an end.
func (s *Solution) podsOf(e *end) map[string]bool {
	out := map[string]bool{}
	for n := range e.nodes {
		if p := s.graph.Nodes[n].Place; p.Kind == model.PlacePod {
			out[p.ID.Key()] = true
		}
	}
	return out
}

// future adds to an assertion that some pods must not be reached what pods that do not exist yet may open to them: in every namespace that
// `from` names, with whatever labels (K8S-EXP-05). Where such pods elsewhere are let in by their labels, the proof rests on those.
func (s *Solution) future(q *query, a model.Assertion, out *AssertionResult) {
	known := s.podsOf(q.to)
	var notes, rests []string
	for _, c := range s.Project.Estate.Clusters {
		if len(known) == 0 || !slices.ContainsFunc(s.namespaces(c), func(n dataplane.Namespace) bool { return s.holds(a.From, c, n.Name) }) {
			continue
		}
		net := s.podNet(c)
		for i, w := range net.Workloads {
			if !known[w.ID.Key()] {
				continue
			}
			carried, resting := net.Carried(model.Inbound, i)
			for _, e := range net.Exposure(model.Inbound, i) {
				over, under := net.Bounds(e.Cell)
				space := s.graph.Space
				asked := s.askedOfFuture(q, a, w, c, e)
				if over = space.Intersect(over, asked); over.Empty() {
					continue
				}
				end := EntireCluster
				if !e.Entire {
					end = futureRef(c, e)
				}
				if !slices.ContainsFunc(s.namespaces(c, e.Namespace), func(n dataplane.Namespace) bool { return e.In(n) && s.holds(a.From, c, n.Name) }) {
					rests = append(rests, end)
					continue
				}
				f := Flow{From: end, To: s.refs.Of(model.SelPod, w), Verdict: Unknown, Kind: Direct, Via: []string{}, Label: "pods that do not exist yet"}
				if sure := space.Intersect(under, space.Intersect(carried, asked)); !sure.Empty() {
					f.Verdict, over = Reachable, sure
					notes = append(notes, resting...)
				} else {
					notes = append(notes, e.Notes...)
				}
				list, total := s.pairPackets(over)
				f.Packets, f.Total = toward(list, f.To), total
				out.Violations = append(out.Violations, f)
				switch {
				case f.Verdict == Reachable:
					out.Verdict = Fail
				case out.Verdict == Pass:
					out.Verdict = Undecided
				}
			}
		}
	}
	slices.SortStableFunc(out.Violations, compareFlows)
	for _, x := range s.assumptions(notes, out.Verdict == Undecided) {
		if !slices.Contains(out.Assumptions, x) {
			out.Assumptions = append(out.Assumptions, x)
		}
	}
	slices.Sort(rests)
	out.RestsOn = slices.Compact(rests)
}

// askedOfFuture is the packets of an assertion from pods that do not exist yet to one that does, less those of exceptions that hold for all of them.
func (s *Solution) askedOfFuture(q *query, a model.Assertion, w *model.Workload, c *model.Cluster, e dataplane.Exposed) packet.Set {
	set := q.service
	i := -1
	for _, x := range a.Except {
		if !s.o.AsOf.IsZero() && x.Expires.Before(s.o.AsOf) {
			continue // it is none of q.except
		}
		i++
		mine := len(x.To) == 0 || s.podsOf(q.except[i].to)[w.ID.Key()]
		theirs := len(x.From) == 0 || !slices.ContainsFunc(s.namespaces(c, e.Namespace), func(n dataplane.Namespace) bool {
			return e.In(n) && s.holds(a.From, c, n.Name) && !s.holds(x.From, c, n.Name)
		})
		if mine && theirs {
			set = s.graph.Space.Subtract(set, q.except[i].service)
		}
	}
	return set
}

// podNet is what policies let the pods of a cluster open, whatever is asked.
func (s *Solution) podNet(c *model.Cluster) *dataplane.PodNet {
	if s.podNets == nil {
		s.podNets = map[string]*dataplane.PodNet{}
	}
	n, ok := s.podNets[c.ID.Key()]
	if !ok {
		n = dataplane.NewPodNet(s.Project.Estate, c, dataplane.Options{Strict: s.o.Strict, Intent: s.Project.Intent}, s.graph, s.graph.Space.All())
		s.podNets[c.ID.Key()] = n
	}
	return n
}
