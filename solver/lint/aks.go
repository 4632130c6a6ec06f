package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

func (r *reader) cluster(c *model.Cluster) string   { return r.refs.Of(model.SelCluster, c) }
func (r *reader) apiServer(c *model.Cluster) string { return r.refs.Of(model.SelAPIServer, c) }

// clusters walks the clusters that the input describes, rather than those that only manifests name.
func (r *reader) clusters(each func(*model.Cluster)) {
	for _, c := range r.e.Clusters {
		if !c.Manifest {
			each(c)
		}
	}
}

// apiServerPublic: the API server of a cluster that is not private answers everyone, unless authorised ranges or its public switch say
// otherwise (AKS-API-01, AKS-API-02, AKS-API-06).
func apiServerPublic(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		open := slices.ContainsFunc(c.APIRanges, func(p netip.Prefix) bool { return p.Bits() == 0 })
		if c.Private == model.On || strings.EqualFold(c.PublicAccess, "Disabled") || c.APIRangesSet && !open {
			return
		}
		why := "no authorised ranges are set"
		if open {
			why = "the authorised ranges hold every address"
		}
		found(fact{
			subject: r.apiServer(c), origin: c.Source,
			text:   fmt.Sprintf("The cluster is not private, and %s: its API server answers the whole internet.", why),
			remedy: "Make the cluster private, or set apiServerAccessProfile.authorizedIPRanges.",
		})
	})
}

// apiServerPublicName: a private cluster has a public name that shows its private address, unless that is switched off; absent is on
// (AKS-API-04).
func apiServerPublicName(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		if c.Private != model.On || c.PublicFQDN == model.Off {
			return
		}
		value := "is true"
		if c.PublicFQDN == model.NotStated {
			value = "is not stated, which is true"
		}
		found(fact{
			subject: r.apiServer(c), origin: c.Source,
			text:   fmt.Sprintf("enablePrivateClusterPublicFQDN %s: a public name shows the private address of the API server to everybody.", value),
			remedy: "Set enablePrivateClusterPublicFQDN to false, and use a private DNS zone.",
		})
	})
}

// apiRangesVoid: authorised ranges filter the public door; a private cluster has none (AKS-API-02, AKS-API-03).
func apiRangesVoid(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		if c.Private != model.On || !c.APIRangesSet {
			return
		}
		found(fact{
			subject: r.apiServer(c), origin: c.Source,
			text:   fmt.Sprintf("The cluster is private, so its authorised ranges (%s) have no effect: whoever routes to the private endpoint reaches the API server.", join(model.PrefixTexts(c.APIRanges))),
			remedy: "Remove the ranges, and filter by the NSG of the endpoint's subnet with privateEndpointNetworkPolicies Enabled.",
		})
	})
}

// runCommandEnabled: `az aks command invoke` runs a pod in the cluster from any network, through the management API (AKS-API-08).
func runCommandEnabled(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		if c.RunCommandOff == model.On {
			return
		}
		found(fact{
			subject: r.apiServer(c), origin: c.Source,
			text:   "Run command is enabled: who may use it starts a pod in the cluster through the management API, from any network, whatever the network says.",
			remedy: "Set apiServerAccessProfile.disableRunCommand to true.",
		})
	})
}

// nodePublicAddress: a node with a public address is an entry at every port that the NSGs admit, and leaves by it (AKS-NET-09, AZ-OUT-01).
func nodePublicAddress(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		for _, p := range c.Pools {
			if p.PublicIPs != model.On {
				continue
			}
			found(fact{
				subject: r.refs.Pool(c, p.Name), origin: p.Source,
				text:   "enableNodePublicIP is true: each node has a public address, so the internet reaches it at every port that the NSGs admit.",
				remedy: "Set enableNodePublicIP to false; publish by a load balancer or the application gateway.",
			})
		}
	})
}

// engine is what enforces the policies of a cluster (K8S-GEN-04, AKS-POL-01). ok is false where the input does not tell.
func engine(c *model.Cluster) (name string, ok bool) {
	name = strings.ToLower(c.Policy)
	switch {
	case strings.EqualFold(c.DataPlane, "cilium"):
		return "cilium", true
	case name != "" && name != "none":
		return name, true
	case c.Engine != "":
		return strings.ToLower(c.Engine), true
	case c.Manifest || c.PolicyOpen || strings.EqualFold(c.Plugin, "none"): // BYO CNI brings an engine of its own
		return "", false
	default:
		return "none", true
	}
}

// policyEngineNone: nothing enforces NetworkPolicies (AKS-POL-01).
func policyEngineNone(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		if name, ok := engine(c); !ok || name != "none" {
			return
		}
		found(fact{
			subject: r.cluster(c), origin: c.Source,
			text:   "The cluster has no network policy engine: every pod reaches every other, and NetworkPolicies are accepted and enforced by nobody.",
			remedy: "Set networkProfile.networkDataplane (or networkPolicy) to cilium, or networkPolicy to calico.",
		})
	})
}

// policyEngineRetiring: Azure NPM ends, on Windows before Linux (K8S-NPM-03).
func policyEngineRetiring(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		if name, ok := engine(c); !ok || name != "azure" {
			return
		}
		end := "30 September 2028"
		if slices.ContainsFunc(c.Pools, func(p model.NodePool) bool { return strings.EqualFold(p.OS, "Windows") }) {
			end += ", on the Windows nodes already on 30 September 2026"
		}
		found(fact{
			subject: r.cluster(c), origin: c.Source,
			text:   fmt.Sprintf("NetworkPolicies are enforced by Azure Network Policy Manager, whose support ends on %s; it does not filter IPv6, and while a large policy is edited a node may be without its rules for seconds.", end), // K8S-NPM-04
			remedy: "Move to Cilium (networkDataplane cilium) or Calico.",
		})
	})
}

// poolSubnets returns the subnets from which a pool's traffic leaves: that of the nodes, and that of the pods (AKS-NET-04).
func (r *reader) poolSubnets(p *model.NodePool) []*model.Subnet {
	var out []*model.Subnet
	for _, id := range []model.ID{p.Subnet, p.PodSubnet} {
		if s, ok := model.Get[*model.Subnet](r.e, id); ok && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// nodeEgressOpen: userDefinedRouting and none create no way out and close none: without a default route, default outbound access leads to
// the internet (AKS-OUT-01, AZ-OUT-04, AZ-OUT-05).
func nodeEgressOpen(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		if !strings.EqualFold(c.OutboundType, "userDefinedRouting") && !strings.EqualFold(c.OutboundType, "none") {
			return
		}
		for i := range c.Pools {
			p := &c.Pools[i]
			for _, s := range r.poolSubnets(p) {
				u, ok := r.defaultRoute(s, allV4())
				if !ok || u != nil || s.DefaultOutbound == model.Off && s.NATGateway == "" || r.announced(s) {
					continue
				}
				way := "default outbound access gives the nodes an address for it"
				switch {
				case s.NATGateway != "":
					way = "the NAT gateway " + s.NATGateway.Name() + " gives the nodes an address for it"
				case s.DefaultOutbound == model.NotStated:
					way += ", unless the subnet is private, which the input does not state" // ASM-DOA
				}
				found(fact{
					subject: r.refs.Pool(c, p.Name), origin: p.Source,
					text: fmt.Sprintf("The cluster's outboundType is %s, but %s has no route for 0.0.0.0/0: the system route leads to the internet, and %s.",
						c.OutboundType, r.subnet(s), way),
					remedy: "Associate the route table with the route to the firewall, and set defaultOutboundAccess of the subnet to false.",
				})
			}
		}
	})
}

// announced reports whether a gateway announces a default route to a subnet (AZ-GW-08).
func (r *reader) announced(s *model.Subnet) bool {
	t, _ := r.table(s)
	v, ok := vnetOf(r, s)
	if !ok || t != nil && t.DisableBGP == model.On {
		return false
	}
	return slices.ContainsFunc(r.gatewaysOf(v), func(g *model.Gateway) bool { return g.AdvertisedDefault == model.On })
}

// outboundTypeOverridden: a default route wins over every outboundType, and the load balancer or NAT gateway that AKS made for it idles
// (AKS-OUT-01, AZ-OUT-01).
func outboundTypeOverridden(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		switch strings.ToLower(c.OutboundType) {
		case "loadbalancer", "managednatgateway", "managednatgatewayv2", "userassignednatgateway":
		default:
			return
		}
		for i := range c.Pools {
			p := &c.Pools[i]
			for _, s := range r.poolSubnets(p) {
				u, _ := r.defaultRoute(s, allV4())
				if u == nil || u.NextHop != model.HopAppliance {
					continue
				}
				t, _ := r.table(s)
				found(fact{
					subject: r.refs.Pool(c, p.Name), origin: p.Source,
					text: fmt.Sprintf("The cluster's outboundType is %s, but %s sends 0.0.0.0/0 of %s to %s and wins: the public way out that AKS made idles, and is in use again as soon as the route goes.",
						c.OutboundType, r.routeRule(t, u), r.subnet(s), hop(u)),
					remedy: "Set outboundType to userDefinedRouting.",
				})
			}
		}
	})
}

// managedIngressPublic: the ingress controller of application routing is public by default; a gateway of the Istio add-on is public in mode
// External (AKS-ING-01).
func managedIngressPublic(r *reader, found sink) {
	r.clusters(func(c *model.Cluster) {
		if c.WebAppRouting == model.On && !strings.EqualFold(c.WebAppController, "Internal") && !strings.EqualFold(c.WebAppController, "None") {
			value := "is " + c.WebAppController
			if c.WebAppController == "" {
				value = "is not stated"
			}
			found(fact{
				subject: r.cluster(c), origin: c.Source,
				text:   fmt.Sprintf("Application routing is enabled, and nginx.defaultIngressControllerType %s: its ingress controller has a public load balancer, without a WAF.", value),
				remedy: "Set nginx.defaultIngressControllerType to Internal, or to None.",
			})
		}
		for _, g := range c.MeshGateways {
			if g.Enabled != model.On || !strings.EqualFold(g.Mode, "External") {
				continue
			}
			found(fact{
				subject: r.cluster(c), origin: c.Source,
				text:   "The Istio add-on runs an external ingress gateway: it has a public load balancer, without a WAF.",
				remedy: "Use the Internal gateway behind the application gateway.",
			})
		}
	})
}
