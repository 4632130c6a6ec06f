package dataplane

import (
	"math/rand/v2"
	"testing"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/packet"
)

// The exposure of a workload says of a pod that does not exist yet what its policies admit once it does (K8S-EXP-01, K8S-EXP-02,
// K8S-EXP-04).
func TestExposureIsWhatANewPodMeets(t *testing.T) {
	said := 0
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 6))
		draft := modeltest.RandomManifests(rnd)
		pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
		some := func(keys ...string) map[string]string {
			out := map[string]string{}
			for _, k := range keys {
				if v := pick("", "a", "b", "c"); v != "" {
					out[k] = v
				}
			}
			return out
		}
		name := pick("x", "y", "z")
		nsLabels := some("tier", "app", "other")
		declared := false
		cluster := model.ID("")
		for _, r := range draft.Resources {
			switch r := r.(type) {
			case *model.Cluster:
				cluster = r.ID
			case *model.Namespace:
				if r.Name() == name {
					nsLabels, declared = r.Labels, true
				}
			default:
			}
		}
		nsLabels[nameLabel] = name
		g := bareGraph(t)
		before := netOf(t, draft.Clone(), g)
		if before == nil {
			continue
		}
		future := &model.Workload{Meta: model.Meta{ID: model.Kubernetes("B", "Pod", name, "future"), Source: model.Source{File: "t"}}, Cluster: cluster, Namespace: name, Kind: "Pod", Labels: some("tier", "app", "other")}
		draft.Resources = append(draft.Resources, future)
		if !declared {
			draft.Resources = append(draft.Resources, &model.Namespace{Meta: model.Meta{ID: model.Kubernetes("B", "Namespace", "", name), Source: model.Source{File: "t"}}, Cluster: cluster, Labels: nsLabels, Declared: true})
			used := false
			for _, w := range before.Workloads {
				used = used || w.Namespace == name
			}
			if used {
				continue // whose labels are not known yet: what real pods there may do is another matter
			}
		}
		after := netOf(t, draft, g)
		column := -1
		for i, w := range after.Workloads {
			if w.Name() == "future" {
				column = i
			}
		}
		if column < 0 {
			continue
		}
		for i, w := range before.Workloads {
			for _, dir := range []model.Direction{model.Inbound, model.Outbound} {
				at := 0
				for after.Workloads[at].ID != w.ID {
					at++
				}
				wantOver, wantUnder := after.Bounds(after.pair(after.side(dir, &after.sides[dir][after.sideOf[dir][at]], column), everySet))
				got, matched := Exposed{Cell: emptySet}, 0
				for _, e := range before.Exposure(dir, i) {
					if e.Entire {
						got = e
					}
				}
				for _, e := range before.Exposure(dir, i) {
					if !e.Entire && (e.Namespace == "" || e.Namespace == name) && selected(t, e.Labels, nsLabels) && selected(t, e.Pods, future.Labels) {
						got = e
						matched++
					}
				}
				if matched > 1 {
					t.Fatalf("seed %d: %s: a pod of %s %v%v is in %d cells", seed, w.Name(), name, nsLabels, future.Labels, matched)
				}
				said += matched
				over, under := before.Bounds(got.Cell)
				if over == wantOver && under == wantUnder || matched == 0 && twin(after, dir, at, column) {
					continue
				}
				t.Fatalf("seed %d: %s %v with %s %v%v: got %v / %v, a pod there meets %v / %v\n%+v", seed, w.Name(), dir, name, nsLabels, future.Labels,
					boxes(g, over), boxes(g, under), boxes(g, wantOver), boxes(g, wantUnder), before.Exposure(dir, i))
			}
		}
	}
	if said < 150 {
		t.Errorf("only %d new pods were in a cell of their own", said)
	}
}

// bareGraph is the graph of a cluster without anything in it: a space for packet sets.
func bareGraph(t *testing.T) *Graph {
	t.Helper()
	e, err := model.NewEstate([]model.Resource{&model.Cluster{Meta: model.Meta{ID: model.Kubernetes("B", "Cluster", "", "B"), Source: model.Source{File: "t"}}, Manifest: true}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Build(e, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// netOf is the policies of the cluster of a draft, or nil where it has none that stands alone.
func netOf(t *testing.T, d modeltest.Draft, g *Graph) *PodNet {
	t.Helper()
	e, err := d.Estate()
	if err != nil {
		t.Fatal(err)
	}
	c, ok := Standalone(e, Options{})
	if !ok {
		return nil
	}
	return NewPodNet(e, c, Options{}, g, g.Space.All())
}

// selected reports whether labels agree with a selector, as kubectl reads it.
func selected(t *testing.T, selector string, have map[string]string) bool {
	t.Helper()
	s, err := labels.Parse(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(labels.Set(have))
}

// twin reports whether a pod of the input stands where the new one does: in its namespace, and admitted to the same, or by the same rules
// (ports by name may differ).
func twin(n *PodNet, dir model.Direction, at, column int) bool {
	s := n.sides[dir][n.sideOf[dir][at]]
	for i, w := range n.Workloads {
		if i == column || w.Namespace != n.Workloads[column].Namespace {
			continue
		}
		alike := true
		for _, x := range s.selected {
			for _, r := range x.policy.rules {
				alike = alike && n.rules[r].must.has(i) == n.rules[r].must.has(column) && n.rules[r].may.has(i) == n.rules[r].may.has(column)
			}
		}
		if alike || n.side(dir, &s, i) == n.side(dir, &s, column) {
			return true
		}
	}
	return false
}

func boxes(g *Graph, s packet.Set) []packet.Box {
	list, _ := g.Space.Boxes(s, 10)
	return list
}
