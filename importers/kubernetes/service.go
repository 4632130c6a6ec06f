package kubernetes

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	kjson "sigs.k8s.io/json"

	"github.com/ringfence/ringfence/model"
)

// service reads a Service: a rewrite of addresses and ports, not an endpoint (K8S-SVC-01).
func (im *importer) service(o *object, s *corev1.Service) {
	out := &model.KubeService{
		Meta: o.meta(), Cluster: im.options.Cluster, Namespace: o.namespace, Type: string(s.Spec.Type), ClusterIP: s.Spec.ClusterIP,
		Selector: s.Spec.Selector, LocalPolicy: s.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal,
		Annotations: annotations(s.Annotations),
	}
	if out.Type == "" {
		out.Type = string(corev1.ServiceTypeClusterIP)
	}
	im.checkLabels(o, "spec.selector", s.Spec.Selector)
	im.selected = append(im.selected, model.LabelSelector{Match: s.Spec.Selector})
	nodePorts := false
	switch corev1.ServiceType(out.Type) {
	case corev1.ServiceTypeClusterIP, corev1.ServiceTypeExternalName:
	case corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer:
		nodePorts = true
	default:
		im.bad(o, "spec.type", out.Type, "ClusterIP, NodePort, LoadBalancer or ExternalName")
	}
	if out.ClusterIP != "" && out.ClusterIP != corev1.ClusterIPNone {
		im.address(o, "spec.clusterIP", out.ClusterIP)
	}
	im.servicePorts(o, s, out, nodePorts)
	for i, text := range s.Spec.ExternalIPs {
		if a, ok := im.address(o, index("spec.externalIPs", i), text); ok {
			out.ExternalIPs = append(out.ExternalIPs, a)
		}
	}
	if text := s.Spec.LoadBalancerIP; text != "" { // deprecated, and still what many manifests say (K8S-SVC-11)
		out.LoadBalancerIP, _ = im.address(o, "spec.loadBalancerIP", text)
	}
	for i, ingress := range s.Status.LoadBalancer.Ingress {
		if ingress.IP == "" { // a host name: its address is not stated
			continue
		}
		if a, ok := im.address(o, child(index("status.loadBalancer.ingress", i), "ip"), ingress.IP); ok {
			out.Ingress = append(out.Ingress, a)
		}
	}
	for i, text := range s.Spec.LoadBalancerSourceRanges {
		// The API server allows blanks here.
		if p, ok := im.cidr(o, index("spec.loadBalancerSourceRanges", i), strings.TrimSpace(text)); ok {
			out.SourceRanges = append(out.SourceRanges, p)
			out.SourceRangesText = append(out.SourceRangesText, strings.TrimSpace(text))
		}
	}
	switch s.Spec.ExternalTrafficPolicy {
	case "", corev1.ServiceExternalTrafficPolicyCluster, corev1.ServiceExternalTrafficPolicyLocal:
	default:
		im.bad(o, "spec.externalTrafficPolicy", string(s.Spec.ExternalTrafficPolicy), "Cluster or Local")
	}
	if n := s.Spec.HealthCheckNodePort; n != 0 {
		out.HealthCheckPort = im.portNumber(o, "spec.healthCheckNodePort", n)
	}
	out.NoNodePorts = s.Spec.AllocateLoadBalancerNodePorts != nil && !*s.Spec.AllocateLoadBalancerNodePorts
	im.services[[2]string{o.namespace, o.name}] = out
	im.resources = append(im.resources, out)
	im.record(o, model.Modelled, "")
	if s.Spec.LoadBalancerClass != nil && out.Type == string(corev1.ServiceTypeLoadBalancer) {
		im.cannot(o, "spec.loadBalancerClass", "another implementation than Azure's load balancer: how it is reached is not known", out.ID)
		im.ledger[len(im.ledger)-1].Role = model.Relays
	}
}

// servicePorts reads the ports, with protocol and targetPort defaulted (K8S-SVC-01).
func (im *importer) servicePorts(o *object, s *corev1.Service, out *model.KubeService, nodePorts bool) {
	headless := out.ClusterIP == corev1.ClusterIPNone
	if len(s.Spec.Ports) == 0 && !headless && out.Type != string(corev1.ServiceTypeExternalName) {
		im.bad(o, "spec.ports", "", "at least one port")
	}
	names := map[string]bool{}
	for i, p := range s.Spec.Ports {
		at := index("spec.ports", i)
		port := model.ServicePort{
			Source: o.source(at), Name: p.Name, Port: im.portNumber(o, child(at, "port"), p.Port), Protocol: im.protocol(o, child(at, "protocol"), p.Protocol),
		}
		if p.AppProtocol != nil {
			port.App = *p.AppProtocol
			if len(validation.IsQualifiedName(port.App)) > 0 {
				im.bad(o, child(at, "appProtocol"), port.App, "a protocol name as in http or example.com/proto")
			}
		}
		target := child(at, "targetPort")
		switch {
		case p.TargetPort.Type == intstr.String && p.TargetPort.StrVal != "":
			port.TargetName = p.TargetPort.StrVal
			im.portName(o, target, port.TargetName)
		case p.TargetPort.Type == intstr.Int && p.TargetPort.IntVal != 0:
			port.Target = im.portNumber(o, target, p.TargetPort.IntVal)
		default:
			port.Target = port.Port
		}
		if p.NodePort != 0 {
			port.NodePort = im.portNumber(o, child(at, "nodePort"), p.NodePort)
			if !nodePorts {
				im.bad(o, child(at, "nodePort"), fmt.Sprint(p.NodePort), "no nodePort in a Service of type "+out.Type)
			}
		}
		switch {
		case p.Name == "" && len(s.Spec.Ports) > 1:
			im.bad(o, child(at, "name"), "", "a name, where there is more than one port")
		case p.Name != "" && len(validation.IsDNS1123Label(p.Name)) > 0:
			im.bad(o, child(at, "name"), p.Name, "a DNS label (RFC 1123): lower case, digits and `-`, at most 63")
		case p.Name != "" && names[p.Name]:
			im.bad(o, child(at, "name"), p.Name, "each port name once")
		}
		names[p.Name] = true
		out.Ports = append(out.Ports, port)
	}
}

// labelServiceName is the label by which an EndpointSlice names its Service.
const labelServiceName = "kubernetes.io/service-name"

// endpointsObject is an EndpointSlice or Endpoints object that waits for its Service.
type endpointsObject struct {
	entry              model.LedgerEntry
	namespace, service string
}

// endpointsOf keeps the object until all Services are known. The Service of Endpoints has its name, that of an EndpointSlice is a
// label.
func (im *importer) endpointsOf(o *object, k kind) {
	name := o.name
	if o.kind == "EndpointSlice" {
		var head metav1.PartialObjectMetadata
		if kjson.UnmarshalCaseSensitivePreserveInts(o.raw, &head) != nil {
			head.Labels = nil
		}
		name = head.Labels[labelServiceName]
	}
	// A Service without a selector may lead to any address as it is, so that they say nothing new.
	entry := model.LedgerEntry{Resource: o.id, Type: o.typeName(), Effect: k.why, Source: o.source(""), Role: model.Adds}
	im.endpoints = append(im.endpoints, endpointsObject{entry, o.namespace, name})
}

// finishEndpoints records them. Where the Service has a selector they only repeat what it selects; without one they are its back ends,
// which may be any address (K8S-SVC-02).
func (im *importer) finishEndpoints() {
	for _, e := range im.endpoints {
		s, ok := im.services[[2]string{e.namespace, e.service}]
		switch {
		case ok && len(s.Selector) > 0:
			e.entry.Disposition, e.entry.Effect = model.Irrelevant, "repeats what its Service selects"
		case e.namespace == metav1.NamespaceDefault && e.service == "kubernetes":
			e.entry.Disposition, e.entry.Effect = model.Irrelevant, "the address of the API server, which the cluster resource describes"
		default:
			e.entry.Disposition, e.entry.Affects = model.Unsupported, []model.ID{im.id("Namespace", "", e.namespace)}
			if ok {
				e.entry.Affects = append(e.entry.Affects, s.ID)
			}
		}
		im.ledger = append(im.ledger, e.entry)
	}
}

// configMap leaves the data alone. One of its objects changes which address a pod has outside the cluster (AKS-NET-03); the copy that
// AKS reconciles says what the table of AKS-NET-01 says.
func (im *importer) configMap(o *object, k kind) {
	if o.namespace == metav1.NamespaceSystem && o.name == "azure-ip-masq-agent-config" {
		im.unmodelled(o, model.Adds, "may change for which destinations pods keep their own address (AKS-NET-03)", im.cluster()...)
		return
	}
	im.record(o, k.disposition, k.why)
}
