package modeltest

import (
	"math/rand/v2"
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// RandomManifests draws what manifests alone say: one cluster without a resource, its namespaces, workloads, policies, Services and
// perhaps an Ingress. Labels, ports and blocks are of the small vocabulary of [Random].
func RandomManifests(rnd *rand.Rand) Draft {
	d := &draft{Rand: rnd, kinds: WithClusters, taken: map[netip.Addr]bool{}}
	c := &model.Cluster{Meta: d.meta(model.Kubernetes("B", "Cluster", "", "B")), Manifest: true, Engine: choose(d, "", "", "azure", "calico", "cilium", "none", "antrea")}
	d.add(c)
	for _, n := range []string{"x", "y"} {
		if !d.one(3) {
			labels := map[string]string{"kubernetes.io/metadata.name": n, "tier": choose(d, "a", "b")}
			d.add(&model.Namespace{Meta: d.meta(kubeID(c, "Namespace", "", n)), Cluster: c.ID, Labels: labels, Declared: true})
		}
	}
	for i := range d.upTo(1, 6) {
		d.workload(c, "", i)
	}
	relays := d.one(3)
	if relays {
		w := d.workload(c, "", 6)
		w.ID, w.Namespace, w.Kind, w.HostNetwork = kubeID(c, "Deployment", "ingress-nginx", "controller"), "ingress-nginx", "Deployment", false
	}
	for i := range d.IntN(6) {
		d.netPolicy(c, i)
	}
	for i := range d.IntN(3) {
		d.kubeService(c, i)
	}
	if d.one(4) {
		d.ingress(c)
	}
	for _, r := range d.Resources {
		if k, ok := r.(*model.KubeService); ok && relays && !d.one(4) {
			d.add(&model.Ingress{
				Meta: d.meta(kubeID(c, "Ingress", k.Namespace, k.Name())), Cluster: c.ID, Namespace: k.Namespace,
				Backends: []model.IngressBackend{{Service: k.Name(), Port: choose(d, k.Ports...).Port, Source: model.Source{File: "random"}}},
			})
		}
	}
	return d.Draft
}
