package lint

import (
	"fmt"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// kubeService names a Service as answers do.
func kubeService(s *model.KubeService) string { return "lb:" + s.Namespace + "/" + s.Name() }

func isBalanced(s *model.KubeService) bool { return s.Type == "LoadBalancer" }

// servicePorts writes the ports of a Service into a sentence.
func servicePorts(s *model.KubeService) string {
	var out []string
	for _, p := range s.Ports {
		out = append(out, fmt.Sprintf("%s/%d", p.Protocol, p.Port))
	}
	return join(out)
}

// sourceRanges returns what limits the clients of a Service's frontend (AKS-LB-03).
func sourceRanges(s *model.KubeService) []string {
	out := model.PrefixTexts(s.SourceRanges)
	for _, name := range []string{"azure-allowed-ip-ranges", "azure-allowed-service-tags"} {
		if v := s.Annotation(name); v != "" {
			out = append(out, strings.Split(v, ",")...)
		}
	}
	return out
}

// publicLoadBalancerService: without the annotation, AKS gives the Service a public frontend and opens it in its own NSG (AKS-LB-02,
// AKS-LB-03). Source ranges make it milder.
func publicLoadBalancerService(r *reader, found sink) {
	for _, s := range r.e.KubeServices {
		if !isBalanced(s) || s.Internal() {
			continue
		}
		severity, limit := Error, "and AKS opens it to the internet in the NSG of the nodes; an NSG on their subnet decides beside it"
		if ranges := sourceRanges(s); len(ranges) > 0 {
			severity, limit = Warning, "limited to "+join(ranges)
		}
		found(fact{
			severity: severity, subject: kubeService(s), origin: s.Source,
			text:   fmt.Sprintf("The Service has no annotation azure-load-balancer-internal: \"true\", so its load balancer is public at %s, %s.", servicePorts(s), limit),
			remedy: "Add service.beta.kubernetes.io/azure-load-balancer-internal: \"true\" and bring clients in by the application gateway.",
		})
	}
}

// nodePortService: a node port is open on every node, whatever guards the Service's frontend (K8S-SVC-06, K8S-SVC-07, AKS-LB-0A). Where
// a load balancer brings them along it is a note.
func nodePortService(r *reader, found sink) {
	for _, s := range r.e.KubeServices {
		if r.exempt(s.Namespace) {
			continue
		}
		severity := Warning
		switch {
		case s.Type == "NodePort":
		case isBalanced(s) && !s.NoNodePorts:
			severity = Note
		default:
			continue
		}
		var ports []string
		for _, p := range s.Ports {
			if p.NodePort == 0 {
				ports = append(ports, fmt.Sprintf("a port from 30000 to 32767 for %s/%d", p.Protocol, p.Port))
				continue
			}
			ports = append(ports, fmt.Sprintf("%s/%d", p.Protocol, p.NodePort))
		}
		remedy := "Use a Service of type ClusterIP behind the ingress controller."
		if severity == Note {
			remedy = "Set allocateLoadBalancerNodePorts to false."
		}
		found(fact{
			severity: severity, subject: kubeService(s), origin: s.Source,
			text:   fmt.Sprintf("The Service opens %s on every node: whoever the node's NSGs admit comes in there, past the load balancer and its source ranges.", join(ports)),
			remedy: remedy,
		})
	}
}

// serviceExternalIPs: externalIPs take traffic to an address that the author of the Service chose, unfiltered (K8S-SVC-06).
func serviceExternalIPs(r *reader, found sink) {
	for _, s := range r.e.KubeServices {
		if len(s.ExternalIPs) == 0 {
			continue
		}
		var list []string
		for _, a := range s.ExternalIPs {
			list = append(list, a.String())
		}
		found(fact{
			subject: kubeService(s), origin: s.Source,
			text:   fmt.Sprintf("externalIPs %s: every node takes traffic to %s for this Service, from whoever routes it there, and pods that mean another owner of the address are led astray.", join(list), plural(len(list), "it", "them")),
			remedy: "Remove externalIPs; give the Service a load balancer.",
		})
	}
}

// internalServiceRangesVoid: the annotations for allowed sources become Allow rules; on an internal Service the default rule admits the
// virtual network all the same (AKS-LB-04). The field loadBalancerSourceRanges is enforced on the node as well.
func internalServiceRangesVoid(r *reader, found sink) {
	for _, s := range r.e.KubeServices {
		ranges := s.Annotation("azure-allowed-ip-ranges") + s.Annotation("azure-allowed-service-tags")
		if !isBalanced(s) || !s.Internal() || ranges == "" || len(s.SourceRanges) > 0 || s.Annotation("azure-deny-all-except-load-balancer-source-ranges") == "true" {
			continue
		}
		found(fact{
			subject: kubeService(s), origin: s.Source,
			text:   fmt.Sprintf("The Service is internal and lists %s as allowed sources, but AllowVnetInBound of the nodes' NSG admits the whole virtual network beside them.", ranges),
			remedy: "Use loadBalancerSourceRanges, or add the annotation azure-deny-all-except-load-balancer-source-ranges: \"true\".",
		})
	}
}
