package kubernetes

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ringfence/ringfence/model"
)

// ownerKey names a controller, or a pod without one.
type ownerKey struct{ kind, namespace, name string }

// carrier is an object that carries the labels of pods: a pod, or a controller with its template.
type carrier struct {
	workload   model.Workload
	typeName   string
	name       string
	controller *ownerKey // its controlling owner
	pod        bool
	finished   bool // a pod that has ended (K8S-NP-28)
	idle       bool // a controller that has no pods now, beside others of its owner
}

func (c *carrier) key() ownerKey { return ownerKey{c.workload.Kind, c.workload.Namespace, c.name} }

func (im *importer) carry(c *carrier) { im.carriers = append(im.carriers, c) }

// controllerRef reads the owner that controls an object.
func (im *importer) controllerRef(o *object, obj metav1.Object) *ownerKey {
	for i, ref := range obj.GetOwnerReferences() {
		if ref.Controller == nil || !*ref.Controller {
			continue
		}
		at := index("metadata.ownerReferences", i)
		if !isKind(ref.Kind) {
			im.bad(o, child(at, "kind"), ref.Kind, "a kind as in ReplicaSet")
			return nil
		}
		if !validName(ref.Name) {
			im.bad(o, child(at, "name"), ref.Name, "the name of an object")
			return nil
		}
		return &ownerKey{ref.Kind, o.namespace, ref.Name}
	}
	return nil
}

// owner is a workload as it is shown: the topmost controller, and everything below it that carries labels.
type owner struct {
	key      ownerKey
	own      *carrier // the controller itself, where the input has it
	below    []*carrier
	pods     []*carrier
	finished []*carrier
}

// finishWorkloads groups carriers under their topmost controller and adds one workload for each kind of pod that it has.
func (im *importer) finishWorkloads() {
	slices.SortStableFunc(im.carriers, func(a, b *carrier) int { return a.workload.Source.Compare(b.workload.Source) })
	controllers := map[ownerKey]*carrier{}
	for _, c := range im.carriers {
		if !c.pod {
			controllers[c.key()] = c
		}
	}
	owners := map[ownerKey]*owner{}
	for _, c := range im.carriers {
		top := topmost(c, controllers)
		w, ok := owners[top]
		if !ok {
			w = &owner{key: top}
			owners[top] = w
		}
		effect := ""
		switch {
		case c.finished:
			w.finished = append(w.finished, c)
			im.enter(c, model.Irrelevant, "has finished: carries no traffic (K8S-NP-28)")
			continue
		case c.pod:
			w.pods = append(w.pods, c)
		case c.key() == top:
			w.own = c
		default:
			w.below = append(w.below, c)
		}
		if c.key() != top {
			effect = "as " + top.kind + " " + top.namespace + "/" + top.name
		}
		im.enter(c, model.Modelled, effect)
	}
	selected := im.selectedKeys()
	for _, key := range slices.SortedFunc(maps.Keys(owners), func(a, b ownerKey) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	}) {
		im.addWorkloads(owners[key], selected)
	}
}

func (im *importer) enter(c *carrier, d model.Disposition, effect string) {
	im.ledger = append(im.ledger, model.LedgerEntry{
		Resource: c.workload.ID, Type: c.typeName, Disposition: d, Effect: effect, Source: c.workload.Source,
	})
}

// topmost follows controllers upwards as far as the input allows (K8S-WL-04). A Deployment, or another workload that people write, is
// the top even if an operator owns it: that is the name under which people know it.
func topmost(c *carrier, controllers map[ownerKey]*carrier) ownerKey {
	at, up := c.key(), c.controller
	seen := map[ownerKey]bool{}
	for up != nil && !seen[at] {
		seen[at] = true
		switch at.kind {
		case "Deployment", "StatefulSet", "DaemonSet", "CronJob", "ReplicationController":
			return at
		}
		if up.kind == "Node" { // a static pod, which its node owns
			return at
		}
		next, ok := controllers[*up]
		if !ok {
			// The ReplicaSet is not in the input: its name is that of its Deployment and a hash, if the pod has that hash.
			hash := c.workload.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
			if name, cut := strings.CutSuffix(up.name, "-"+hash); cut && up.kind == "ReplicaSet" && hash != "" && name != "" {
				return ownerKey{"Deployment", up.namespace, name}
			}
			return *up
		}
		at, up = *up, next.controller
	}
	return at
}

// addWorkloads adds the workloads of one owner. Live pods win over templates (K8S-WL-03); a ReplicaSet or Job that still has pods
// counts beside the template of its owner.
func (im *importer) addWorkloads(w *owner, selected map[string]bool) {
	chosen := w.pods
	if len(chosen) == 0 {
		if w.own != nil {
			chosen = append(chosen, w.own)
		}
		for _, c := range w.below {
			if !c.idle {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == 0 {
			chosen = w.below
		}
	}
	classes := map[string][]*carrier{}
	for _, c := range chosen {
		key := classKey(&c.workload, selected)
		classes[key] = append(classes[key], c)
	}
	for i, key := range slices.Sorted(maps.Keys(classes)) {
		class := mergeClass(classes[key])
		name := w.key.name
		if len(classes) > 1 {
			name += fmt.Sprintf("#%d", i+1)
		} else if w.own != nil {
			class.Source = w.own.workload.Source
		}
		class.ID = im.id(w.key.kind, w.key.namespace, name)
		class.Kind = w.key.kind
		switch {
		case len(w.pods) > 0:
			class.Replicas = len(classes[key])
		case w.own != nil && slices.Contains(classes[key], w.own):
			class.Replicas = w.own.workload.Replicas
		}
		if w.own != nil {
			class.Suspended, class.Claims = w.own.workload.Suspended, w.own.workload.Claims
		}
		im.resources = append(im.resources, class)
	}
}

// classKey is equal for carriers whose pods no rule can tell apart: the same in everything but labels that no selector names.
func classKey(w *model.Workload, selected map[string]bool) string {
	facts := *w
	facts.Meta, facts.Kind, facts.Replicas, facts.Suspended, facts.Addresses = model.Meta{}, "", 0, false, nil
	facts.Claims, facts.Implied = false, nil
	facts.Labels = map[string]string{}
	for key, v := range w.Labels {
		if selected[key] {
			facts.Labels[key] = v
		}
	}
	for _, key := range w.Implied {
		if selected[key] {
			facts.Implied = append(facts.Implied, key)
		}
	}
	facts.Ports, facts.HostPorts, facts.Probes = slices.Clone(w.Ports), slices.Clone(w.HostPorts), slices.Clone(w.Probes)
	for i := range facts.Ports {
		facts.Ports[i].Source = model.Source{}
	}
	for i := range facts.HostPorts {
		facts.HostPorts[i].Source = model.Source{}
	}
	for i := range facts.Probes {
		facts.Probes[i].Source = model.Source{}
	}
	// JSON writes maps in the order of their keys.
	data, err := json.Marshal(facts)
	if err != nil { // INVARIANT: a workload is plain data
		panic("kubernetes: " + err.Error())
	}
	return string(data)
}

// mergeClass makes one workload of carriers that differ in labels at most. A label that is not the same on all is not known.
func mergeClass(list []*carrier) *model.Workload {
	first := list[0].workload
	out := &first
	out.Labels = maps.Clone(first.Labels)
	implied := map[string]bool{}
	for _, key := range first.Implied {
		implied[key] = true
	}
	for _, c := range list[1:] {
		for _, key := range c.workload.Implied {
			implied[key] = true
		}
		for key, v := range c.workload.Labels {
			if have, ok := out.Labels[key]; !ok || have != v {
				implied[key] = true
			}
		}
		for key := range out.Labels {
			if _, ok := c.workload.Labels[key]; !ok {
				implied[key] = true
			}
		}
	}
	for key := range implied {
		delete(out.Labels, key)
	}
	out.Implied = slices.Sorted(maps.Keys(implied))
	out.Addresses = nil
	replicas := 0
	for _, c := range list {
		out.Addresses = append(out.Addresses, c.workload.Addresses...)
		replicas += max(c.workload.Replicas, 0)
	}
	slices.SortFunc(out.Addresses, netip.Addr.Compare)
	out.Addresses = slices.Compact(out.Addresses)
	if len(list) > 1 {
		out.Replicas = replicas
	}
	return out
}
