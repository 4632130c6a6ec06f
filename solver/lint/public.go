package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

func (r *reader) publicIP(id model.ID) string {
	text := r.rule("publicip", id)
	if p, ok := model.Get[*model.PublicIP](r.e, id); ok && p.Address.IsValid() {
		text += " (" + p.Address.String() + ")"
	}
	return text
}

// publicAddressOnNIC: a public address on a machine's interface is an entry for every port that the NSGs admit (AZ-PIP-01). It is an error
// where some rule admits the internet, a warning where the NSGs are all that stands between (AZ-PIP-02). Subnets that the intent file
// names for public addresses are left out.
func publicAddressOnNIC(r *reader, found sink) {
	report := func(subject string, origin model.Source, address string, sku model.SKU, subnet model.ID, nsgs ...model.ID) {
		s, ok := model.Get[*model.Subnet](r.e, subnet)
		if ok && (kindOf(s) != ordinary || len(r.in(s.ID).gateways) > 0 || r.mayBePublic(s)) {
			return
		}
		if ok {
			nsgs = append(nsgs, s.NSG)
		}
		severity, open := r.internetThrough(nsgs, sku)
		found(fact{
			severity: severity, subject: subject, origin: origin,
			text:   fmt.Sprintf("The interface has %s: the internet comes in at every port that the NSGs admit, past firewall and WAF; %s.%s", address, open, r.besideFirewall(s)),
			remedy: "Remove the public address; come in by Bastion, the firewall or the application gateway.",
		})
	}
	for _, n := range r.e.NICs {
		for _, c := range n.IPConfigs {
			if c.PublicIP != "" {
				sku := model.SKUNotStated
				if p, ok := model.Get[*model.PublicIP](r.e, c.PublicIP); ok {
					sku = p.SKU
				}
				report(r.refs.Of(model.SelNIC, n), c.Source, "the public address "+r.publicIP(c.PublicIP), sku, c.Subnet, n.NSG)
			}
		}
	}
	for _, set := range r.e.ScaleSets {
		if set.Managed && set.Pool != "" && r.poolIsPublic(set) {
			continue // node-public-address says so
		}
		for _, p := range set.Profiles {
			for _, c := range p.IPConfigs {
				if p.PublicPerVM || c.PublicIP != "" {
					report(r.refs.Of(model.SelVM, set), c.Source, "a public address for each instance", model.SKUNotStated, c.Subnet, p.NSG)
				}
			}
		}
	}
}

// poolIsPublic reports whether a cluster of the input says that the nodes of a scale set have public addresses.
func (r *reader) poolIsPublic(set *model.ScaleSet) bool {
	return slices.ContainsFunc(r.e.Clusters, func(c *model.Cluster) bool {
		return strings.EqualFold(c.NodeGroup, set.ID.ResourceGroup()) && slices.ContainsFunc(c.Pools, func(p model.NodePool) bool {
			return strings.EqualFold(p.Name, set.Pool) && p.PublicIPs == model.On
		})
	})
}

// mayBePublic reports whether the intent file lets a subnet hold public addresses.
func (r *reader) mayBePublic(s *model.Subnet) bool {
	if r.p.Intent == nil {
		return false
	}
	for _, sel := range r.p.Intent.PCI.PublicIPSubnets {
		if sel.Not || sel.Kind != model.SelSubnet {
			continue
		}
		hits, err := r.e.Find(sel)
		if err == nil && slices.ContainsFunc(hits, func(f model.Found) bool { return f.Resource.ResourceID().Key() == s.ID.Key() }) {
			return true
		}
	}
	return false
}

// internetThrough judges what the NSGs of a place let in from everywhere: each must admit (AZ-NSG-11).
func (r *reader) internetThrough(nsgs []model.ID, sku model.SKU) (severity Severity, says string) {
	var rules []string
	guarded := false
	for _, id := range nsgs {
		if id == "" {
			continue
		}
		guarded = true
		g, ok := model.Get[*model.NSG](r.e, id)
		if !ok {
			return Warning, "nsg:" + id.Name() + " is not in the input"
		}
		found := ""
		for i, u := range g.Rules {
			open := custom(u, model.Inbound, model.Allow) && anyone(u.SourceAddrs)
			if open && !slices.ContainsFunc(u.DestPorts, func(p model.PortRange) bool { return deniedBefore(g.Rules[:i], u, p) }) {
				found = r.nsgRule(g, u)
				break
			}
		}
		if found == "" {
			return Warning, "no rule of " + r.rule("nsg", g.ID) + " admits it today"
		}
		rules = append(rules, found)
	}
	switch {
	case guarded:
	case sku == model.Basic:
		return Error, "no NSG guards it, and a Basic address is open then" // AZ-PIP-04
	default:
		return Warning, "no NSG guards it, and a Standard address is closed as long as that is so"
	}
	return Error, join(rules) + " " + plural(len(rules), "admits", "admit") + " it"
}

// besideFirewall adds that a subnet's default leads to an appliance: what comes in beside it is answered through it, and the appliance has
// no state for the connection (AZ-RT-28, AZ-FW-55).
func (r *reader) besideFirewall(s *model.Subnet) string {
	if s == nil {
		return ""
	}
	u, _ := r.defaultRoute(s, allV4())
	if u == nil || u.NextHop != model.HopAppliance {
		return ""
	}
	return fmt.Sprintf(" Replies leave by %s, which has not seen the request.", hop(u))
}

// publicLoadBalancer: a public frontend with a rule is an entry to the pool behind it (AZ-LB-01, AZ-LB-07); one that only serves outbound
// rules is not (AZ-LB-09). The load balancer of a cluster is left to the Services that made it, where they are in the input.
func publicLoadBalancer(r *reader, found sink) {
	for _, lb := range r.e.LoadBalancers {
		for _, f := range lb.Frontends {
			if f.PublicIP == "" && f.Prefix == "" || r.fromService(lb, f) {
				continue
			}
			var ways []string
			for _, u := range lb.Rules {
				if u.Frontend.Key() != f.ID.Key() {
					continue
				}
				way := fmt.Sprintf("%s/%d", u.Protocol, u.FrontendPort)
				if u.FrontendPort == 0 {
					way = "every port" // AZ-LB-04
				}
				ways = append(ways, way)
			}
			for _, u := range lb.NATRules {
				if u.Frontend.Key() == f.ID.Key() {
					ways = append(ways, fmt.Sprintf("%s/%s (to port %d of %s)", u.Protocol, u.FrontendPorts, u.BackendPort, natTarget(u)))
				}
			}
			if len(ways) == 0 {
				continue
			}
			address := r.publicIP(f.PublicIP)
			if f.PublicIP == "" {
				address = "an address of " + f.Prefix.Name()
			}
			found(fact{
				subject: r.refs.Of(model.SelLB, lb), origin: f.Source,
				text: fmt.Sprintf("The frontend %s is public, %s, and forwards %s: only the NSGs behind it filter, no WAF and no firewall.%s",
					f.Name, address, join(ways), r.besideFirewall(r.poolSubnet(lb))),
				remedy: "Use an internal frontend behind the application gateway, or a NAT rule of the firewall with named sources.",
			})
		}
	}
}

func natTarget(u model.LBNATRule) string {
	if u.Target != "" {
		return u.Target.Parent().Name()
	}
	return "the pool"
}

// poolSubnet returns a subnet that a load balancer's members are in, one that sends its default to an appliance first.
func (r *reader) poolSubnet(lb *model.LoadBalancer) *model.Subnet {
	for _, p := range lb.Pools {
		for _, s := range r.e.Subnets {
			t := r.in(s.ID)
			member := slices.ContainsFunc(t.nics, func(n *model.NIC) bool {
				return slices.ContainsFunc(p.IPConfigs, func(id model.ID) bool { return id.Parent().Key() == n.ID.Key() })
			}) || slices.ContainsFunc(t.sets, func(set *model.ScaleSet) bool {
				return slices.ContainsFunc(set.Profiles, func(pr model.NICProfile) bool {
					return slices.ContainsFunc(pr.IPConfigs, func(c model.IPConfig) bool {
						return c.Subnet.Key() == s.ID.Key() && slices.ContainsFunc(c.LBPools, func(id model.ID) bool { return id.Key() == p.ID.Key() })
					})
				})
			})
			if u, _ := r.defaultRoute(s, allV4()); member && u != nil {
				return s
			}
		}
	}
	return nil
}

// fromService reports whether a frontend belongs to a Service of the input (K8S-SVC-11).
func (r *reader) fromService(lb *model.LoadBalancer, f model.LBFrontend) bool {
	p, ok := model.Get[*model.PublicIP](r.e, f.PublicIP)
	if !ok || !p.Address.IsValid() || !slices.ContainsFunc(r.e.Clusters, func(c *model.Cluster) bool {
		return c.NodeGroup != "" && strings.EqualFold(c.NodeGroup, lb.ID.ResourceGroup())
	}) {
		return false
	}
	return slices.ContainsFunc(r.e.KubeServices, func(s *model.KubeService) bool {
		return slices.ContainsFunc(r.e.FrontendsOf(s), func(f model.KubeFrontend) bool { return f.Public && f.Addr == p.Address })
	})
}

// retiredBasicSKU: Basic addresses and load balancers are open without an NSG, and were retired in September 2025 (AZ-PIP-04).
func retiredBasicSKU(r *reader, found sink) {
	const text = "The SKU is Basic: it is open by default where no NSG is attached, and Azure retired it on 30 September 2025."
	const remedy = "Move to Standard, which is closed until an NSG allows."
	for _, p := range r.e.PublicIPs {
		if p.SKU == model.Basic {
			found(fact{subject: r.rule("publicip", p.ID), origin: p.Source, text: text, remedy: remedy})
		}
	}
	for _, lb := range r.e.LoadBalancers {
		if lb.SKU == model.Basic {
			found(fact{subject: r.refs.Of(model.SelLB, lb), origin: lb.Source, text: text, remedy: remedy})
		}
	}
}
