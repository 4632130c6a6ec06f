package kubernetes

import (
	"slices"
	"strings"

	kjson "sigs.k8s.io/json"

	"github.com/ringfence/ringfence/model"
)

// meshHosts is a VirtualService that waits until it is known whether the input has ServiceEntries that put pods behind other names.
type meshHosts struct {
	entry int // in the ledger
	names bool
}

// virtualService records an Istio VirtualService. Bound to gateways, it makes their pods, which are seldom in the input, open connections to
// the Services that its destinations name; bound to the mesh, the sender's own sidecar redirects what is for its hosts, which opens nothing
// and leaves no way to those Services certain (K8S-GEN-07).
func (im *importer) virtualService(o *object, k kind) {
	var body struct {
		Spec map[string]any `json:"spec"`
	}
	understood := kjson.UnmarshalCaseSensitivePreserveInts(o.raw, &body) == nil
	gateways, ok := strs(body.Spec["gateways"])
	hosts, hostsOK := strs(body.Spec["hosts"])
	to, toOK := destinations(body.Spec)
	if !understood || !ok || !hostsOK || !toOK {
		im.unmodelled(o, k.role, k.why, im.cluster()...)
		return
	}
	redirected, _ := im.meshServices(o, hosts)
	services, others := im.meshServices(o, to)
	toMesh := len(redirected) > 0 && (len(gateways) == 0 || slices.Contains(gateways, "mesh"))
	toGateway := slices.ContainsFunc(gateways, func(g string) bool { return g != "mesh" })
	if toMesh {
		im.unmodelled(o, model.Refuses, "may redirect connections of pods of the mesh to these Services", redirected...)
	}
	switch {
	case toGateway && len(services) > 0:
		im.unmodelled(o, k.role, k.why, services...)
	case !toMesh || toGateway:
		im.unmodelled(o, model.Adds, "names no Service of the cluster that a gateway would relay to", im.affected(o, k)...)
	}
	if toGateway {
		im.meshHosts = append(im.meshHosts, meshHosts{len(im.ledger) - 1, others})
	}
}

// finishMesh widens VirtualServices with names that are no Service's: where a ServiceEntry may put pods behind a name, any pod may be.
func (im *importer) finishMesh() {
	for _, m := range im.meshHosts {
		if m.names && im.meshNames {
			im.ledger[m.entry].Role, im.ledger[m.entry].Affects = model.Relays, im.cluster()
		}
	}
}

// meshServices are the Services that hosts of a mesh name: `name`, `name.namespace`, with or without `svc` and the cluster's domain behind.
// others says that a host may be something else.
func (im *importer) meshServices(o *object, hosts []string) (services []model.ID, others bool) {
	for _, h := range hosts {
		parts := strings.Split(h, ".")
		switch {
		case h == "" || strings.Contains(h, "*"):
			others = true
		case len(parts) == 1:
			services = append(services, im.id("Service", o.namespace, h))
		case len(parts) == 2 || parts[2] == "svc":
			services = append(services, im.id("Service", parts[1], parts[0]))
			others = others || len(parts) == 2 // a name such as example.com
		default:
			others = true
		}
	}
	slices.Sort(services)
	return slices.Compact(services), others
}

// destinations are the hosts that a VirtualService sends to: of routes, mirrors and whatever else has a destination. A delegate is a
// VirtualService of its own, which no gateway need name: what it routes to is not looked up.
func destinations(x any) (hosts []string, ok bool) {
	ok = true
	var walk func(any)
	host := func(y any) {
		m, is := y.(map[string]any)
		h, named := m["host"].(string)
		ok = ok && is && named
		hosts = append(hosts, h)
	}
	walk = func(x any) {
		switch x := x.(type) {
		case []any:
			for _, y := range x {
				walk(y)
			}
		case map[string]any:
			for name, y := range x {
				switch name {
				case "destination", "mirror":
					host(y)
				case "delegate":
					ok = false
				default:
					walk(y)
				}
			}
		}
	}
	walk(x)
	slices.Sort(hosts)
	return slices.Compact(hosts), ok
}

// strs is a list of strings; absent is empty.
func strs(x any) (out []string, ok bool) {
	list, is := x.([]any)
	if !is {
		return nil, x == nil
	}
	for _, y := range list {
		s, is := y.(string)
		if !is {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// istioGateway records a gateway of Istio. With AUTO_PASSTHROUGH it sends on to any Service that the client names.
func (im *importer) istioGateway(o *object, k kind) {
	if strings.Contains(string(o.raw), "AUTO_PASSTHROUGH") {
		im.unmodelled(o, model.Relays, "relays to any Service that a client names (AUTO_PASSTHROUGH)", im.cluster()...)
		return
	}
	im.unmodelled(o, k.role, k.why, im.affected(o, k)...)
}

// serviceEntry records a ServiceEntry: names behind which addresses or pods may stand.
func (im *importer) serviceEntry(o *object, k kind) {
	im.meshNames = true
	im.unmodelled(o, k.role, k.why, im.affected(o, k)...)
}

// exported records a ServiceExport, which has the name of its Service.
func (im *importer) exported(o *object, k kind) {
	im.unmodelled(o, k.role, k.why, im.id("Service", o.namespace, o.name))
}

// nodeClass records an AKSNodeClass. Without a subnet of its own it adds nodes where those of the cluster are.
func (im *importer) nodeClass(o *object, k kind) {
	var body struct {
		Spec struct {
			Subnet any `json:"vnetSubnetID"`
		} `json:"spec"`
	}
	if kjson.UnmarshalCaseSensitivePreserveInts(o.raw, &body) == nil && (body.Spec.Subnet == nil || body.Spec.Subnet == "") {
		im.unmodelled(o, model.Adds, "adds nodes where those of the cluster are", im.affected(o, k)...)
		return
	}
	im.unmodelled(o, k.role, k.why, im.affected(o, k)...)
}

// envoyConfig records a CiliumEnvoyConfig, which leads requests for Services to a proxy and from there to the Services that it names. Its
// own clusters and listeners are not followed: with some that it states itself, to any pod.
func (im *importer) envoyConfig(o *object, k kind) {
	var body struct {
		Spec struct {
			Services  []envoyService `json:"services"`
			Backends  []envoyService `json:"backendServices"`
			Resources []struct {
				Type       string `json:"@type"`
				Assignment any    `json:"load_assignment"`
				Lookup     any    `json:"type"`
			} `json:"resources"`
		} `json:"spec"`
	}
	affects := im.cluster()
	if kjson.UnmarshalCaseSensitivePreserveInts(o.raw, &body) == nil {
		known := true
		var services []model.ID
		for _, s := range slices.Concat(body.Spec.Services, body.Spec.Backends) {
			if s.Namespace == "" {
				s.Namespace = o.namespace
			}
			known = known && s.Name != "" && s.Namespace != ""
			services = append(services, im.id("Service", s.Namespace, s.Name))
		}
		for _, r := range body.Spec.Resources {
			known = known && (!strings.HasSuffix(r.Type, "Cluster") || r.Assignment == nil && r.Lookup == "EDS")
		}
		if known && len(services) > 0 {
			slices.Sort(services)
			affects = slices.Compact(services)
		}
	}
	im.unmodelled(o, k.role, k.why, affects...)
}

type envoyService struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}
