package kubernetes

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// Base is what one import of manifests gave that are not at hand any more: the part of a snapshot that is about its objects.
type Base struct {
	Resources []model.Resource // of the objects
	Ledger    []model.LedgerEntry
	Apart     model.ApartCluster
}

// Holds reports whether a resource, or an entry of the ledger about it, is of the objects of a base.
func (b Base) Holds(id model.ID) bool {
	return strings.HasPrefix(string(id), "kubernetes:"+cmp.Or(b.Apart.Name, b.Apart.Cluster.Name())+"/")
}

// ImportOnto reads manifests over objects that were read before, as [Import] reads them over files: what is joined of several objects (pods and
// their controllers, the labels that selectors name, Ingresses and their classes, namespaces) is joined again.
func ImportOnto(base Base, o Options) (Result, error) {
	o.Cluster, o.ClusterName = base.Apart.Cluster, cmp.Or(base.Apart.Name, base.Apart.Cluster.Name())
	im := newImporter(o)
	im.readAll(o.Over, o.OverPaths, nil)
	im.adopt(base)
	return im.finish(Result{})
}

// keyOf is the key of an object by the type and the ID that the ledger has of it.
func keyOf(typeName string, id model.ID) objectKey {
	group, rest, _ := strings.Cut(typeName, "/")
	_, kind, grouped := strings.Cut(rest, "/")
	if !grouped { // v1/Pod
		group, kind = "", rest
	}
	key := objectKey{group: group, kind: kind}
	if parts := strings.SplitN(string(id), "/", 4); len(parts) == 4 {
		key.namespace, key.name = parts[2], parts[3]
	}
	return key
}

// adopt takes in what was read before and what nothing that was read now replaces.
func (im *importer) adopt(base Base) {
	replaced := maps.Clone(im.seen)
	gone := func(key objectKey) bool { _, is := replaced[key]; return is }
	old := map[model.ID]model.Resource{}
	for _, r := range base.Resources {
		old[r.ResourceID()] = r
	}
	apart := map[objectKey]model.ApartObject{}
	for _, a := range base.Apart.Objects {
		if key := keyOf(a.Type, a.ID); !gone(key) {
			apart[key] = a
		}
	}
	lost := im.adoptLedger(base.Ledger, apart, gone)
	for _, a := range base.Apart.Objects {
		if key := keyOf(a.Type, a.ID); !gone(key) {
			im.adoptObject(a, key, old)
		}
	}
	for _, r := range base.Resources {
		if lost[r.ResourceID()] {
			continue
		}
		switch r := r.(type) {
		case *model.Workload: // finishWorkloads makes them
			continue
		case *model.Namespace:
			if r.Declared {
				if u, ok := im.namespaces[r.Name()]; !ok || u.declared == nil {
					im.namespaces[r.Name()] = &namespaceUse{first: r.Source, declared: r}
				}
			}
			continue
		case *model.KubeService:
			im.services[[2]string{r.Namespace, r.Name()}] = r
		case *model.ClusterPolicy:
			im.tiers = append(im.tiers, r)
		case *model.Ingress:
			in := *r
			in.Controller = ""
			if apart[objectKey{"networking.k8s.io", "Ingress", r.Namespace, r.Name()}].Unclassed {
				in.Class = ""
			}
			im.ingresses, im.resources = append(im.ingresses, &in), append(im.resources, &in)
			continue
		default:
		}
		im.resources = append(im.resources, r)
	}
}

// adoptLedger takes in what was recorded of objects, but not what finish records of all of them together. It returns the objects that are
// replaced.
func (im *importer) adoptLedger(ledger []model.LedgerEntry, apart map[objectKey]model.ApartObject, gone func(objectKey) bool) map[model.ID]bool {
	lost := map[model.ID]bool{}
	for _, e := range ledger {
		key := keyOf(e.Type, e.Resource)
		if gone(key) {
			lost[e.Resource] = lost[e.Resource] || e.Disposition == model.Modelled
			continue
		}
		a := apart[key]
		switch {
		case a.Pods != nil && e.Field == "", tierVersions(e):
			continue
		case isEndpoints(key):
			e.Disposition, e.Role, e.Effect, e.Affects = model.Unsupported, model.Adds, im.kinds[groupKind{key.group, key.kind}].why, nil
			im.endpoints = append(im.endpoints, endpointsObject{e, key.namespace, a.Endpoints})
			continue
		case a.Waits != nil && e.Field == a.Waits.Field && e.Effect == a.Waits.Effect && e.Source == a.Waits.Source:
			e.Role, e.Affects = a.Waits.Role, a.Waits.Affects
			im.meshHosts = append(im.meshHosts, meshHosts{len(im.ledger), true})
		case key.group == "networking.istio.io" && key.kind == "ServiceEntry":
			im.meshNames = true
		}
		im.ledger = append(im.ledger, e)
	}
	return lost
}

func isEndpoints(key objectKey) bool {
	return key.group == "" && key.kind == "Endpoints" || key.group == "discovery.k8s.io" && key.kind == "EndpointSlice"
}

// adoptObject takes in what an object says by itself.
func (im *importer) adoptObject(a model.ApartObject, key objectKey, old map[model.ID]model.Resource) {
	if !a.Namespace.IsZero() {
		im.useNamespace(key.namespace, a.Namespace)
	}
	if len(a.Selects) > 0 {
		s := model.LabelSelector{Match: map[string]string{}}
		for _, k := range a.Selects {
			s.Match[k] = ""
		}
		im.selected = append(im.selected, s)
	}
	if a.Class != nil {
		im.classes = append(im.classes, *a.Class)
	}
	if p := a.Pods; p != nil {
		w := p.Workload
		if w == nil {
			w, _ = old[a.ID].(*model.Workload)
		}
		if w == nil { // INVARIANT of snapshots, which somebody may have changed
			im.fail(&model.InputError{Resource: a.ID, Found: "no workload of a snapshot", Accepted: "a snapshot, as `ringfence import` writes it"})
			return
		}
		c := &carrier{workload: *w, typeName: a.Type, name: key.name, pod: p.Pod, finished: p.Finished, idle: p.Idle}
		if p.OwnerKind != "" {
			c.controller = &ownerKey{p.OwnerKind, key.namespace, p.OwnerName}
		}
		im.carry(c)
	}
	im.apart = append(im.apart, a)
}

// counts is how much was read of what is joined in the end.
type counts struct{ selects, carriers, classes, ingresses, endpoints, hosts int }

func (im *importer) count() counts {
	return counts{len(im.selected), len(im.carriers), len(im.classes), len(im.ingresses), len(im.endpoints), len(im.meshHosts)}
}

// remember keeps what an object says by itself: what was read since before.
func (im *importer) remember(o *object, k kind, before counts) {
	if o.id == "" {
		return
	}
	a := model.ApartObject{ID: o.id, Type: o.typeName()}
	if !k.clusterScoped && o.namespace != "" {
		a.Namespace = o.source("metadata.namespace")
	}
	keys := map[string]bool{}
	for _, s := range im.selected[before.selects:] {
		for key := range s.Match {
			keys[key] = true
		}
		for _, r := range s.Requirements {
			keys[r.Key] = true
		}
	}
	a.Selects = slices.Sorted(maps.Keys(keys))
	if len(im.carriers) > before.carriers {
		c := im.carriers[before.carriers]
		a.Pods = &model.ApartPods{Workload: &c.workload, Pod: c.pod, Finished: c.finished, Idle: c.idle}
		if c.controller != nil {
			a.Pods.OwnerKind, a.Pods.OwnerName = c.controller.kind, c.controller.name
		}
	}
	if len(im.classes) > before.classes {
		c := im.classes[before.classes]
		a.Class = &c
	}
	if len(im.ingresses) > before.ingresses {
		a.Unclassed = im.ingresses[before.ingresses].Class == ""
	}
	if len(im.endpoints) > before.endpoints {
		a.Endpoints = im.endpoints[before.endpoints].service
	}
	if len(im.meshHosts) > before.hosts && im.meshHosts[before.hosts].names {
		e := im.ledger[im.meshHosts[before.hosts].entry]
		a.Waits = &e
	}
	im.apart = append(im.apart, a)
}

// Apart returns what the objects of an import say by themselves, for a snapshot.
func (r Result) Apart() model.ApartCluster {
	im := r.im
	out := model.ApartCluster{Cluster: im.options.Cluster, Name: im.options.ClusterName}
	workloads, declared := map[model.ID]*model.Workload{}, map[string]bool{}
	for _, x := range r.Resources {
		switch x := x.(type) {
		case *model.Workload:
			workloads[x.ID] = x
		case *model.Namespace:
			declared[x.Name()] = x.Declared
		default:
		}
	}
	for _, a := range im.apart {
		key := keyOf(a.Type, a.ID)
		if declared[key.namespace] {
			a.Namespace = model.Source{}
		}
		if p := a.Pods; p != nil && p.Workload != nil {
			if w := workloads[a.ID]; w != nil && reflect.DeepEqual(w, p.Workload) {
				same := *p
				same.Workload, a.Pods = nil, &same
			}
		}
		if a.Namespace.IsZero() && len(a.Selects) == 0 && a.Pods == nil && a.Class == nil && a.Waits == nil && !a.Unclassed && !isEndpoints(key) {
			continue
		}
		out.Objects = append(out.Objects, a)
	}
	slices.SortStableFunc(out.Objects, func(a, b model.ApartObject) int {
		return cmp.Or(a.ID.Compare(b.ID), cmp.Compare(a.Type, b.Type))
	})
	return out
}
