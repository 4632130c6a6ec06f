package protection

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// Finding is what resources say of a leg or of a store.
type Finding struct {
	Text string // `TLS 1.2 or later`; empty: no resource says anything
	From string // the resource and the part of it that says so
	Weak string // not empty: why it is a fault, such as clear text
}

// InTransit reads how connections of one service from one end to another are protected. Ends that are no resource, and selectors that name
// several resources which differ, say nothing.
func InTransit(e *model.Estate, from, to model.Selector, svc model.PortService) Finding {
	out, sure := agreed(e, to, func(r model.Resource) Finding { return serverSide(e, r, from, svc) })
	if sure {
		return out
	}
	out, _ = agreed(e, from, func(r model.Resource) Finding { return clientSide(r, svc) })
	return out
}

// agreed asks each resource that a selector names. They must agree.
func agreed(e *model.Estate, sel model.Selector, ask func(model.Resource) Finding) (Finding, bool) {
	switch sel.Kind {
	case model.SelAppGateway, model.SelFrontDoor, model.SelService, model.SelEndpoint, model.SelPod, model.SelNamespace:
	default:
		return Finding{}, false
	}
	found, err := e.Find(sel)
	if err != nil || len(found) == 0 {
		return Finding{}, false
	}
	var resources []model.Resource
	for _, f := range found {
		ns, ok := f.Resource.(*model.Namespace)
		if !ok {
			resources = append(resources, f.Resource)
			continue
		}
		for _, w := range e.Workloads {
			if w.Namespace == ns.Name() && w.Cluster.Key() == ns.Cluster.Key() {
				resources = append(resources, w)
			}
		}
	}
	var out Finding
	for i, r := range resources {
		f := ask(r)
		if f.Text == "" || i > 0 && (f.Text != out.Text || f.Weak != out.Weak) {
			return Finding{}, false
		}
		out = f
	}
	return out, len(resources) > 0
}

func serverSide(e *model.Estate, r model.Resource, from model.Selector, svc model.PortService) Finding {
	switch r := r.(type) {
	case *model.AppGateway:
		return listeners(r, svc)
	case *model.FrontDoor:
		return frontDoor(r, svc)
	case *model.Service:
		return service(r)
	case *model.PrivateEndpoint:
		if s, ok := model.Get[*model.Service](e, r.Target); ok {
			return service(s)
		}
	case *model.Workload:
		return mesh(e, r, from, svc)
	default:
	}
	return Finding{}
}

func clientSide(r model.Resource, svc model.PortService) Finding {
	switch r := r.(type) {
	case *model.AppGateway:
		return backends(r, svc)
	case *model.FrontDoor:
		return origins(r)
	default:
		return Finding{}
	}
}

const clearText = "clear text"

// floor says what a lowest version of TLS means.
func floor(version string, ok bool, from string) Finding {
	switch {
	case !ok:
		return Finding{Text: "TLS, version not stated", From: from}
	case version < "1.2":
		return Finding{Text: "TLS " + version + " or later", From: from, Weak: "TLS below 1.2 is admitted"}
	default:
		return Finding{Text: "TLS " + version + " or later", From: from}
	}
}

// worst keeps the weakest of several doors to one end.
func worst(list []Finding) Finding {
	if len(list) == 0 {
		return Finding{}
	}
	out := list[0]
	for _, f := range list[1:] {
		if out.Weak == "" && f.Weak != "" || out.Weak != clearText && f.Weak == clearText {
			out = f
		}
	}
	return out
}

// listeners: what a gateway accepts on the ports of a service. A listener that only redirects carries no data.
func listeners(g *model.AppGateway, svc model.PortService) Finding {
	var list []Finding
	for _, l := range g.Listeners {
		port, ok := portOf(g, l.Port)
		if !ok || !carries(svc, port) || redirects(g, l) {
			continue
		}
		from := g.Name() + "/" + l.Name
		switch strings.ToLower(l.Protocol) {
		case "http", "tcp":
			list = append(list, Finding{Text: clearText, From: from, Weak: clearText})
		case "https", "tls":
			policy := g.TLSPolicyOf(l)
			version, known := policy.Floor()
			f := floor(version, known, from)
			if policy.Name != "" {
				f.Text += " (" + policy.Name + ")"
			}
			list = append(list, f)
		default:
			return Finding{}
		}
	}
	return worst(list)
}

func portOf(g *model.AppGateway, id model.ID) (uint16, bool) {
	for _, p := range g.Ports {
		if p.ID.Key() == id.Key() {
			return p.Port, true
		}
	}
	return 0, false
}

func carries(svc model.PortService, port uint16) bool {
	return svc.IsAny() || svc.Protocol == model.TCP && svc.Ports.First <= port && port <= svc.Ports.Last
}

// redirects reports a listener all of whose rules answer with a redirect.
func redirects(g *model.AppGateway, l model.AGWListener) bool {
	rules := 0
	for _, r := range g.Rules {
		if r.Listener.Key() != l.ID.Key() {
			continue
		}
		rules++
		if r.Redirect == "" {
			return false
		}
	}
	return rules > 0
}

// backends: how a gateway connects to its back ends on the ports of a service.
func backends(g *model.AppGateway, svc model.PortService) Finding {
	var list []Finding
	for _, s := range g.Settings {
		if !carries(svc, s.Port) || !used(g, s.ID) {
			continue
		}
		from := g.Name() + "/" + s.Name
		switch strings.ToLower(s.Protocol) {
		case "http", "tcp":
			list = append(list, Finding{Text: clearText, From: from, Weak: clearText})
		case "https", "tls":
			list = append(list, Finding{Text: "TLS to the back end", From: from})
		default:
			return Finding{}
		}
	}
	return worst(list)
}

// used reports whether a rule sends requests with a setting.
func used(g *model.AppGateway, setting model.ID) bool {
	key := setting.Key()
	for _, r := range g.Rules {
		if r.Setting.Key() == key {
			return true
		}
	}
	for _, m := range g.PathMaps {
		if m.DefaultSetting.Key() == key || slices.ContainsFunc(m.Paths, func(p model.AGWPathRule) bool { return p.Setting.Key() == key }) {
			return true
		}
	}
	return false
}

// frontDoor: what a Front Door accepts (AZ-AFD-02).
func frontDoor(f *model.FrontDoor, svc model.PortService) Finding {
	var list []Finding
	for _, p := range f.Endpoints {
		for _, r := range p.Routes {
			from := f.Name() + "/" + r.Name
			if r.HTTP && carries(svc, 80) && r.Redirect != model.On {
				list = append(list, Finding{Text: clearText, From: from, Weak: clearText})
			}
			if !r.HTTPS || !carries(svc, 443) {
				continue
			}
			lowest, known := "1.2", true // the endpoint's own name
			for _, d := range f.Domains {
				if !slices.ContainsFunc(r.Domains, func(id model.ID) bool { return id.Key() == d.ID.Key() }) {
					continue
				}
				v, ok := model.TLSVersion(d.MinTLS)
				known = known && ok
				if ok {
					lowest = min(lowest, v)
				}
			}
			list = append(list, floor(lowest, known, from))
		}
	}
	return worst(list)
}

// origins: how a Front Door connects to its origins (AZ-AFD-02).
func origins(f *model.FrontDoor) Finding {
	var list []Finding
	for _, p := range f.Endpoints {
		for _, r := range p.Routes {
			from := f.Name() + "/" + r.Name
			switch {
			case strings.EqualFold(r.Forwarding, "HttpsOnly"), strings.EqualFold(r.Forwarding, "MatchRequest") && (!r.HTTP || r.Redirect == model.On):
				list = append(list, Finding{Text: "TLS to the origin", From: from})
			case strings.EqualFold(r.Forwarding, "HttpOnly"), strings.EqualFold(r.Forwarding, "MatchRequest"):
				list = append(list, Finding{Text: clearText, From: from, Weak: clearText})
			default:
				return Finding{}
			}
		}
	}
	return worst(list)
}

// service: the lowest version that a PaaS service admits.
func service(s *model.Service) Finding {
	switch {
	case s.Kind == model.StorageAccount && s.HTTPSOnly == model.Off:
		return Finding{Text: "HTTP is admitted", From: s.Name() + "/supportsHttpsTrafficOnly", Weak: clearText}
	case s.Kind == model.KeyVault:
		return Finding{Text: "TLS 1.2 or later", From: s.Name() + ", as every key vault"}
	case s.MinTLS == "":
		return Finding{}
	case strings.EqualFold(s.MinTLS, "None"):
		return Finding{Text: "unencrypted connections are admitted", From: s.Name() + "/minimalTlsVersion", Weak: clearText}
	}
	version, ok := model.TLSVersion(s.MinTLS)
	return floor(version, ok, s.Name())
}

// mesh: what a mesh demands of clients of a workload (K8S-IST-04). A policy that is about it for certain and the most specific one decides;
// STRICT binds only where the pods surely have a sidecar (AKS-MESH-01), and PERMISSIVE proves nothing.
func mesh(e *model.Estate, w *model.Workload, from model.Selector, svc model.PortService) Finding {
	if w.HostNetwork || svc.IsAny() || svc.Protocol != model.TCP || !injected(e, w) {
		return Finding{}
	}
	var best *model.PeerAuthentication
	rank := 0
	for _, a := range e.PeerAuths {
		level := 0
		switch {
		case a.Cluster.Key() != w.Cluster.Key():
		case a.Namespace == w.Namespace && a.Pods != nil:
			may, must := a.Pods.Selects(w.Labels, func(key string) bool { return slices.Contains(w.Implied, key) })
			if may && !must {
				return Finding{}
			}
			if must {
				level = 3
			}
		case a.Namespace == w.Namespace:
			level = 2
		case a.Namespace == "aks-istio-system" && a.Pods == nil:
			level = 1
		}
		if level == 0 || a.Mode == "" && len(a.Ports) == 0 {
			continue
		}
		if level == rank { // either may win
			return Finding{}
		}
		if level > rank {
			best, rank = a, level
		}
	}
	if best == nil {
		return Finding{}
	}
	mode := best.Mode
	if m := best.Ports[svc.Ports.First]; m != "" {
		mode = m
	}
	if mode != "STRICT" || svc.Ports.First != svc.Ports.Last || bypassed(w, svc.Ports.First) {
		return Finding{}
	}
	text := "mutual TLS of the mesh"
	return Finding{Text: text, From: fmt.Sprintf("PeerAuthentication %s/%s, STRICT", best.Namespace, best.Name())}
}

// injected reports whether the pods of a workload surely have a sidecar (K8S-IST-01).
func injected(e *model.Estate, w *model.Workload) bool {
	for _, word := range []string{w.Annotations["sidecar.istio.io/inject"], w.Labels["sidecar.istio.io/inject"]} {
		switch strings.ToLower(word) {
		case "true":
			return true
		case "false":
			return false
		}
	}
	for _, n := range e.Namespaces {
		if n.Cluster.Key() == w.Cluster.Key() && n.Name() == w.Namespace {
			return n.Declared && n.Labels["istio-injection"] != "disabled" && (n.Labels["istio-injection"] == "enabled" || n.Labels["istio.io/rev"] != "")
		}
	}
	return false
}

// bypassed reports whether annotations may take a port past the sidecar.
func bypassed(w *model.Workload, port uint16) bool {
	if list, ok := w.Annotations["traffic.sidecar.istio.io/includeInboundPorts"]; ok && list != "*" {
		return true
	}
	for text := range strings.SplitSeq(w.Annotations["traffic.sidecar.istio.io/excludeInboundPorts"], ",") {
		if r, err := model.ParsePortRange(strings.TrimSpace(text)); err == nil && r.First <= port && port <= r.Last {
			return true
		}
	}
	return false
}

// AtRest reads with whose key a store is encrypted.
func AtRest(e *model.Estate, sel model.Selector) Finding {
	out, _ := agreed(e, sel, func(r model.Resource) Finding {
		if pe, ok := r.(*model.PrivateEndpoint); ok {
			r, _ = model.Get[model.Resource](e, pe.Target)
		}
		s, ok := r.(*model.Service)
		if !ok {
			return Finding{}
		}
		return atRest(s)
	})
	return out
}

func atRest(s *model.Service) Finding {
	const customer, platform = "customer-managed key", "platform-managed key"
	f := Finding{From: s.Name()}
	switch word := strings.ToLower(s.AtRest); word {
	case "microsoft.keyvault", "azurekeyvault", "customer-managed key", "enabled":
		f.Text = customer
	case "microsoft.storage", "servicemanaged", "systemmanaged", "disabled":
		f.Text = platform
	default:
		return Finding{}
	}
	if s.Kind == model.SQLServer {
		f.Text = "protector of TDE: " + f.Text
	}
	return f
}

// CustomerKey reports whether a text promises a key that the customer manages.
func CustomerKey(text string) bool {
	t := strings.ToLower(text)
	return strings.Contains(t, "customer") || strings.Contains(t, "cmk") || strings.Contains(t, "byok") || strings.Contains(t, "key in ")
}

// Clear reports whether a declared protection is none.
func Clear(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "none", "no", "clear", "clear text", "cleartext", "plain", "plain text", "plaintext", "http", "unencrypted", "-":
		return true
	default:
		return false
	}
}
