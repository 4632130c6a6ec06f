package kubernetes

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/ringfence/ringfence/model"
)

// namespaceUse is a namespace of the input: declared, or only used.
type namespaceUse struct {
	first    model.Source // where it is used first
	declared *model.Namespace
}

func (im *importer) useNamespace(name string, src model.Source) {
	u, ok := im.namespaces[name]
	if !ok {
		u = &namespaceUse{first: src}
		im.namespaces[name] = u
	}
	if src.Compare(u.first) < 0 {
		u.first = src
	}
}

// namespace reads a Namespace object: it makes the labels of its namespace complete (K8S-NS-03).
func (im *importer) namespace(o *object, ns *corev1.Namespace) {
	labels := maps.Clone(ns.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	// K8S-NS-02: the API server sets this label, and it never changes.
	if v, ok := labels[corev1.LabelMetadataName]; ok && v != ns.Name {
		im.bad(o, child("metadata.labels", corev1.LabelMetadataName), v, "`"+ns.Name+"`, the name of the namespace")
	}
	labels[corev1.LabelMetadataName] = ns.Name
	u, ok := im.namespaces[ns.Name]
	if !ok {
		u = &namespaceUse{first: o.source("")}
		im.namespaces[ns.Name] = u
	}
	u.declared = &model.Namespace{Meta: o.meta(), Cluster: im.options.Cluster, Labels: labels, Declared: true}
	im.record(o, model.Modelled, "")
}

// finishNamespaces adds every namespace, the used and undeclared ones with their name label alone (K8S-NS-03).
func (im *importer) finishNamespaces() {
	for _, name := range slices.Sorted(maps.Keys(im.namespaces)) {
		u := im.namespaces[name]
		if u.declared == nil {
			id := im.id("Namespace", "", name)
			u.declared = &model.Namespace{
				Meta: model.Meta{ID: id, Source: u.first}, Cluster: im.options.Cluster, Labels: map[string]string{corev1.LabelMetadataName: name},
			}
		}
		im.resources = append(im.resources, u.declared)
	}
}
