package kubernetes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ringfence/ringfence/model"
)

func (im *importer) ingressClass(o *object, c *networkingv1.IngressClass) {
	if len(validation.IsDomainPrefixedPath(field.NewPath("spec"), c.Spec.Controller)) > 0 {
		im.bad(o, "spec.controller", c.Spec.Controller, "a DNS name and a path as in k8s.io/ingress-nginx")
	}
	im.classes = append(im.classes, model.IngressClass{Name: c.Name, Controller: c.Spec.Controller, Default: c.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"})
	im.record(o, model.Modelled, "as the controller of its Ingresses")
}

// ingress reads an Ingress: the configuration of a relay, not a packet path (K8S-ING-01).
func (im *importer) ingress(o *object, in *networkingv1.Ingress) {
	out := &model.Ingress{
		Meta: o.meta(), Cluster: im.options.Cluster, Namespace: o.namespace, Class: in.Annotations["kubernetes.io/ingress.class"],
		Annotations: annotations(in.Annotations), TLS: len(in.Spec.TLS) > 0,
	}
	if in.Spec.IngressClassName != nil {
		out.Class = *in.Spec.IngressClassName
		if len(validation.IsDNS1123Subdomain(out.Class)) > 0 {
			im.bad(o, "spec.ingressClassName", out.Class, "the name of an IngressClass")
		}
	}
	if in.Spec.DefaultBackend == nil && len(in.Spec.Rules) == 0 {
		im.bad(o, "spec", "", "defaultBackend or rules")
	}
	if b := in.Spec.DefaultBackend; b != nil {
		im.backend(o, out, "spec.defaultBackend", "", "", *b)
	}
	for i, r := range in.Spec.Rules {
		at := index("spec.rules", i)
		// Without a host the rule is for every host.
		if h := r.Host; h != "" && len(validation.IsDNS1123Subdomain(h)) > 0 && (!strings.HasPrefix(h, "*") || len(validation.IsWildcardDNS1123Subdomain(h)) > 0) {
			im.bad(o, child(at, "host"), h, "a DNS name, possibly with `*.` in front")
		}
		if r.HTTP == nil {
			continue
		}
		for j, p := range r.HTTP.Paths {
			im.backend(o, out, index(at+".http.paths", j)+".backend", r.Host, p.Path, p.Backend)
		}
	}
	im.ingresses = append(im.ingresses, out)
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
}

// backend reads a Service and one of its ports, by number or by name.
func (im *importer) backend(o *object, out *model.Ingress, at, host, path string, b networkingv1.IngressBackend) {
	switch {
	case b.Service != nil && b.Resource != nil:
		im.bad(o, at, "service and resource", "one or the other")
		return
	case b.Resource != nil:
		im.cannot(o, child(at, "resource"), "a back end that is no Service: what the Ingress relays to is not known", im.id("Namespace", "", o.namespace))
		im.ledger[len(im.ledger)-1].Role = model.Relays
		return
	case b.Service == nil:
		im.bad(o, at, "", "a service with its port")
		return
	}
	s := b.Service
	backend := model.IngressBackend{Host: host, Path: path, Service: s.Name, Source: o.source(at)}
	if len(validation.IsDNS1123Label(s.Name)) > 0 {
		im.bad(o, at+".service.name", s.Name, "the name of a Service")
	}
	port := at + ".service.port"
	switch {
	case s.Port.Name != "" && s.Port.Number != 0:
		im.bad(o, port, fmt.Sprintf("%s and %d", s.Port.Name, s.Port.Number), "a number or a name")
	case s.Port.Name != "":
		backend.PortName = s.Port.Name
		im.portName(o, child(port, "name"), s.Port.Name)
	case s.Port.Number != 0:
		backend.Port = im.portNumber(o, child(port, "number"), s.Port.Number)
	default:
		im.bad(o, port, "", "a number or a name")
	}
	out.Backends = append(out.Backends, backend)
}

// finishIngresses gives each Ingress its class and controller. An Ingress without a class takes the default one, if there is just one.
func (im *importer) finishIngresses() {
	slices.SortFunc(im.classes, func(a, b model.IngressClass) int { return cmp.Compare(a.Name, b.Name) })
	byDefault := ""
	for _, c := range im.classes {
		if c.Default {
			if byDefault != "" { // the API server then refuses Ingresses without a class
				byDefault = ""
				break
			}
			byDefault = c.Name
		}
	}
	for _, in := range im.ingresses {
		if in.Class == "" {
			in.Class = byDefault
		}
		for _, c := range im.classes {
			if c.Name == in.Class {
				in.Controller = c.Controller
			}
		}
	}
}
