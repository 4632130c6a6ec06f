package kubernetes

import (
	"maps"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/ringfence/ringfence/model"
)

const istioSecurity = "security.istio.io"

// addIstio registers the security kinds of Istio, as structs of our own: its types ignore unknown fields, strict or not.
func addIstio(s *runtime.Scheme) error {
	for _, version := range []string{"v1", "v1beta1"} {
		s.AddKnownTypes(schema.GroupVersion{Group: istioSecurity, Version: version}, &AuthorizationPolicy{}, &PeerAuthentication{})
	}
	return nil
}

// AuthorizationPolicy says whom a workload of the mesh answers. It is exported because decoding demands it.
type AuthorizationPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Selector   *istioSelector `json:"selector"`
		TargetRef  map[string]any `json:"targetRef"`
		TargetRefs []any          `json:"targetRefs"`
		Action     string         `json:"action"`
		Provider   map[string]any `json:"provider"`
		Rules      []istioRule    `json:"rules"`
	} `json:"spec"`
}

// DeepCopyObject is what decoding demands of a type; the copy shares what nobody writes.
func (p *AuthorizationPolicy) DeepCopyObject() runtime.Object { c := *p; return &c }

// PeerAuthentication says whether a workload of the mesh demands mutual TLS.
type PeerAuthentication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Selector *istioSelector       `json:"selector"`
		MTLS     istioTLS             `json:"mtls"`
		Ports    map[string]*istioTLS `json:"portLevelMtls"`
	} `json:"spec"`
}

// DeepCopyObject is what decoding demands of a type; the copy shares what nobody writes.
func (p *PeerAuthentication) DeepCopyObject() runtime.Object { c := *p; return &c }

type istioSelector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

type istioTLS struct {
	Mode string `json:"mode"`
}

type istioRule struct {
	From []struct {
		Source map[string][]string `json:"source"`
	} `json:"from"`
	To []struct {
		Operation map[string][]string `json:"operation"`
	} `json:"to"`
	When []any `json:"when"`
}

func (im *importer) istioPods(o *object, s *istioSelector) *model.LabelSelector {
	if s == nil {
		return nil
	}
	return im.selector(o, "spec.selector", &metav1.LabelSelector{MatchLabels: s.MatchLabels})
}

// authorizationPolicy reads what a mesh refuses: evidence, never a network control (K8S-IST-02, K8S-IST-05).
func (im *importer) authorizationPolicy(o *object, p *AuthorizationPolicy) {
	out := &model.AuthorizationPolicy{Meta: o.meta(), Cluster: im.options.Cluster, Namespace: o.namespace, Action: p.Spec.Action, Elsewhere: len(p.Spec.TargetRefs)+len(p.Spec.TargetRef) > 0}
	if s := im.istioPods(o, p.Spec.Selector); s != nil {
		out.Pods = *s
	}
	switch out.Action {
	case "":
		out.Action = "ALLOW"
	case "ALLOW", "DENY", "CUSTOM", "AUDIT":
	default:
		im.bad(o, "spec.action", out.Action, "ALLOW, DENY, CUSTOM or AUDIT")
	}
	for i, r := range p.Spec.Rules {
		out.Rules = append(out.Rules, im.istioRule(o, index("spec.rules", i), r))
	}
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "evidence: a mesh is no network control (K8S-IST-05)")
}

// istioRule reads one rule. What is more than namespaces, addresses and ports leaves it in doubt (K8S-IST-03).
func (im *importer) istioRule(o *object, at string, r istioRule) model.MeshRule {
	out := model.MeshRule{Source: o.source(at), Doubt: len(r.When) > 0}
	for i, f := range r.From {
		here := index(child(at, "from"), i) + ".source"
		var s model.MeshSource
		for _, key := range slices.Sorted(maps.Keys(f.Source)) {
			switch list := f.Source[key]; key {
			case "namespaces":
				s.Namespaces = list
			case "ipBlocks":
				for j, text := range list {
					if p, ok := im.ciliumBlock(o, index(child(here, key), j), text); ok {
						s.Blocks = append(s.Blocks, p)
					}
				}
			default:
				s.Doubt = true
			}
		}
		out.From = append(out.From, s)
	}
	every := len(r.To) == 0
	for i, t := range r.To {
		for _, key := range slices.Sorted(maps.Keys(t.Operation)) {
			out.Doubt = out.Doubt || key != "ports"
		}
		ports := t.Operation["ports"]
		every = every || len(ports) == 0
		for j, text := range ports {
			n, err := strconv.ParseUint(text, 10, 16)
			if err != nil || n == 0 {
				im.bad(o, index(index(child(at, "to"), i)+".operation.ports", j), text, "a port from 1 to 65535, in quotes")
				continue
			}
			out.Ports = append(out.Ports, uint16(n))
		}
	}
	if every {
		out.Ports = nil
	}
	return out
}

// peerAuthentication reads whether mutual TLS is demanded (K8S-IST-04).
func (im *importer) peerAuthentication(o *object, p *PeerAuthentication) {
	out := &model.PeerAuthentication{Meta: o.meta(), Cluster: im.options.Cluster, Namespace: o.namespace, Pods: im.istioPods(o, p.Spec.Selector)}
	mode := func(at, text string) string {
		switch text {
		case "", "UNSET":
			return ""
		case "STRICT", "PERMISSIVE", "DISABLE":
			return text
		}
		im.bad(o, at, text, "STRICT, PERMISSIVE, DISABLE or UNSET")
		return ""
	}
	out.Mode = mode("spec.mtls.mode", p.Spec.MTLS.Mode)
	for _, key := range slices.Sorted(maps.Keys(p.Spec.Ports)) {
		here := child("spec.portLevelMtls", key)
		n, err := strconv.ParseUint(key, 10, 16)
		if err != nil || n == 0 {
			im.bad(o, here, key, "a port from 1 to 65535")
			continue
		}
		if t := p.Spec.Ports[key]; t != nil {
			if out.Ports == nil {
				out.Ports = map[uint16]string{}
			}
			out.Ports[uint16(n)] = mode(child(here, "mode"), t.Mode)
		}
	}
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "evidence: a mesh is no network control (K8S-IST-05)")
}
