package kubernetes

import (
	"slices"

	kjson "sigs.k8s.io/json"

	"github.com/ringfence/ringfence/model"
)

// gatewayRoute records an object of the Gateway API that sends requests on to Services, as a relay that nobody knows the pods of: what it
// affects are the Services that its backendRefs name (K8S-GW-02). Where one names something else, or a filter of another API has to do with
// it, the requests may go to any pod of the cluster.
func (im *importer) gatewayRoute(o *object, k kind) {
	var body struct {
		Spec map[string]any `json:"spec"`
	}
	refs := routeRefs{understood: kjson.UnmarshalCaseSensitivePreserveInts(o.raw, &body) == nil}
	refs.read(body.Spec)
	role, affects := k.role, im.cluster()
	switch {
	case !refs.understood:
	case len(refs.services) == 0: // it answers itself, or only changes what others send
		role, affects = model.Adds, im.affected(o, k)
	default:
		affects = nil
		for _, s := range refs.services {
			if s[0] == "" {
				s[0] = o.namespace
			}
			affects = append(affects, im.id("Service", s[0], s[1]))
		}
		slices.Sort(affects)
		affects = slices.Compact(affects)
	}
	im.unmodelled(o, role, k.why, affects...)
}

// routeRefs is what a route names as its back ends.
type routeRefs struct {
	services   [][2]string // namespace, possibly empty, and name
	understood bool
}

// read looks for back ends at any depth: those of rules, of mirrors and of external authorisation have the same members.
func (r *routeRefs) read(x any) {
	switch x := x.(type) {
	case []any:
		for _, y := range x {
			r.read(y)
		}
	case map[string]any:
		for name, y := range x {
			switch name {
			case "backendRef":
				r.backend(y)
			case "backendRefs":
				list, ok := y.([]any)
				r.understood = r.understood && (ok || y == nil)
				for _, z := range list {
					r.backend(z)
				}
			case "extensionRef":
				r.understood = false
			}
			r.read(y)
		}
	}
}

func (r *routeRefs) backend(x any) {
	ref, ok := x.(map[string]any)
	text := func(name, absent string) string {
		y, given := ref[name]
		if !given || y == nil {
			return absent
		}
		s, is := y.(string)
		ok = ok && is
		return s
	}
	group, kind, namespace, name := text("group", ""), text("kind", "Service"), text("namespace", ""), text("name", "")
	if !ok || group != "" || kind != "Service" || name == "" {
		r.understood = false
		return
	}
	r.services = append(r.services, [2]string{namespace, name})
}
