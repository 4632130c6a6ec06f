package azure

import (
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readLoadBalancer reads a load balancer (AZ-LB-01 to AZ-LB-09). link.go adds the members that NICs name.
func readLoadBalancer(r *resource) {
	is, at := decode[armnetwork.LoadBalancer](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.LoadBalancerPropertiesFormat{}
	}
	lb := &model.LoadBalancer{Meta: r.meta()}
	if is.SKU != nil {
		name, _ := choice(r, at.get("sku"), "name", armnetwork.PossibleLoadBalancerSKUNameValues())
		switch name {
		case armnetwork.LoadBalancerSKUNameBasic:
			lb.SKU = model.Basic
		case armnetwork.LoadBalancerSKUNameStandard:
			lb.SKU = model.Standard
		case armnetwork.LoadBalancerSKUNameGateway:
			lb.SKU = model.GatewaySKU
		}
		if tier, _ := choice(r, at.get("sku"), "tier", armnetwork.PossibleLoadBalancerSKUTierValues()); tier == armnetwork.LoadBalancerSKUTierGlobal {
			r.unsupported(at.get("sku", "tier").raw, "a cross-region load balancer inserts hops that are not modelled (AZ-LB-12)")
		}
	}
	at = at.get("properties")
	for _, v := range at.list("frontendIPConfigurations") {
		id, name := r.part(v, "frontendIPConfigurations")
		f := v.get("properties")
		lb.Frontends = append(lb.Frontends, model.LBFrontend{
			ID: id, Name: name, Source: r.source(v.raw), Subnet: r.reference(f, "subnet"), Address: r.addr(f, "privateIPAddress"),
			PublicIP: r.reference(f, "publicIPAddress"), Prefix: r.reference(f, "publicIPPrefix"),
		})
		if x := lb.Frontends[len(lb.Frontends)-1]; x.Subnet == "" && x.PublicIP == "" && x.Prefix == "" {
			r.unsupported(v.raw, "a frontend without public address, prefix or subnet: what it takes is not known")
		}
	}
	for _, s := range items(r, p.BackendAddressPools, at.list("backendAddressPools"), "backendaddresspools") {
		lb.Pools = append(lb.Pools, lbPool(s))
	}
	lb.Pools = merge(r, "backendAddressPools", lb.Pools, poolName)
	for i, rule := range p.LoadBalancingRules {
		lb.Rules = append(lb.Rules, r.lbRule(rule, at.get("loadBalancingRules").at(i)))
	}
	for _, s := range items(r, p.InboundNatRules, at.list("inboundNatRules"), "inboundnatrules") {
		lb.NATRules = append(lb.NATRules, natRule(s))
	}
	for i, pool := range p.InboundNatPools {
		// A NAT pool maps a range of frontend ports to the instances of a scale set, whose profile names the pool.
		v := at.get("inboundNatPools").at(i)
		id, name := r.part(v, "inboundNatPools")
		f := v.get("properties")
		rule := model.LBNATRule{ID: id, Name: name, Source: r.source(v.raw), Frontend: r.reference(f, "frontendIPConfiguration")}
		if pool.Properties != nil {
			rule.Protocol = r.transport(f)
			rule.FrontendPorts = r.portSpan(f, "frontendPortRangeStart", "frontendPortRangeEnd")
			rule.BackendPort, rule.FloatingIP = r.port(f, "backendPort", 1), setting(pool.Properties.EnableFloatingIP)
		}
		lb.NATRules = append(lb.NATRules, rule)
	}
	lb.NATRules = merge(r, "inboundNatRules", lb.NATRules, natRuleKey)
	for _, v := range at.list("outboundRules") {
		_, name := r.part(v, "outboundRules")
		f := v.get("properties")
		lb.Outbound = append(lb.Outbound, model.LBOutboundRule{
			Name: name, Source: r.source(v.raw), Frontends: r.references(f, "frontendIPConfigurations"), Pool: r.reference(f, "backendAddressPool"),
		})
	}
	for _, v := range at.list("probes") {
		id, name := r.part(v, "probes")
		f := v.get("properties")
		protocol, _ := choice(r, f, "protocol", armnetwork.PossibleProbeProtocolValues())
		lb.Probes = append(lb.Probes, model.LBProbe{ID: id, Name: name, Source: r.source(v.raw), Protocol: string(protocol), Port: r.port(f, "port", 1)})
	}
	r.emit(lb)
}

func poolName(p model.LBPool) (string, model.Source) { return p.Name, p.Source }

func natRuleKey(n model.LBNATRule) (string, model.Source) { return n.ID.Key(), n.Source }

// lbPool reads a backend pool: members by IP configuration or by address (AZ-LB-08).
func lbPool(s item[armnetwork.BackendAddressPool]) model.LBPool {
	id, name := s.part(s.at, "backendAddressPools")
	f := s.at.get("properties")
	pool := model.LBPool{ID: id, Name: name, Source: s.source(s.at.raw), IPConfigs: s.references(f, "backendIPConfigurations")}
	vnet := s.reference(f, "virtualNetwork")
	for _, a := range f.list("loadBalancerBackendAddresses") {
		a = a.get("properties")
		if nic := s.reference(a, "networkInterfaceIPConfiguration"); nic != "" {
			pool.IPConfigs = append(pool.IPConfigs, nic)
			continue
		}
		member := model.LBAddress{VNet: s.reference(a, "virtualNetwork"), Subnet: s.reference(a, "subnet"), Address: s.addr(a, "ipAddress")}
		if member.VNet == "" {
			member.VNet = vnet
		}
		if member.Address.IsValid() {
			pool.Addresses = append(pool.Addresses, member)
		}
	}
	pool.IPConfigs = distinct(pool.IPConfigs)
	return pool
}

func (r *resource) lbRule(is *armnetwork.LoadBalancingRule, at *value) model.LBRule {
	id, name := r.part(at, "loadBalancingRules")
	rule := model.LBRule{ID: id, Name: name, Source: r.source(at.raw)}
	p := is.Properties
	if p == nil {
		r.missing(at, "properties", "the rule: a reference alone describes none")
		return rule
	}
	at = at.get("properties")
	rule.Frontend, rule.Probe = r.reference(at, "frontendIPConfiguration"), r.reference(at, "probe")
	if rule.Frontend == "" {
		r.missing(at, "frontendIPConfiguration", "the frontend of the rule: without one it takes nothing")
	}
	rule.Pools = r.references(at, "backendAddressPools")
	if one := r.reference(at, "backendAddressPool"); one != "" {
		rule.Pools = distinct(append(rule.Pools, one)) // AZ-NSG-04 holds here too: one field in two forms
	}
	rule.Protocol = r.transport(at)
	rule.FrontendPort, rule.BackendPort = r.port(at, "frontendPort", 0), r.port(at, "backendPort", 0)
	rule.FloatingIP, rule.DisableOutboundSNAT = setting(p.EnableFloatingIP), setting(p.DisableOutboundSnat)
	return rule
}

func natRule(s item[armnetwork.InboundNatRule]) model.LBNATRule {
	id, name := s.part(s.at, "inboundNatRules")
	rule := model.LBNATRule{ID: id, Name: name, Source: s.source(s.at.raw)}
	p := s.is.Properties
	if p == nil {
		s.missing(s.at, "properties", "the rule: a reference alone describes none")
		return rule
	}
	at := s.at.get("properties")
	rule.Frontend, rule.Pool = s.reference(at, "frontendIPConfiguration"), s.reference(at, "backendAddressPool")
	rule.Target = s.reference(at, "backendIPConfiguration")
	rule.Protocol, rule.BackendPort, rule.FloatingIP = s.transport(at), s.port(at, "backendPort", 0), setting(p.EnableFloatingIP)
	one := s.port(at, "frontendPort", 0)
	rule.FrontendPorts = model.PortRange{First: one, Last: one}
	if rng := s.portSpan(at, "frontendPortRangeStart", "frontendPortRangeEnd"); rng.Last != 0 { // 0 to 0 where a rule has one port
		rule.FrontendPorts = rng
	}
	return rule
}

// portSpan reads a range that stands in two fields.
func (r *resource) portSpan(v *value, first, last string) model.PortRange {
	rng := model.PortRange{First: r.port(v, first, 0), Last: r.port(v, last, 0)}
	if rng.First > rng.Last {
		r.errorAt(v.raw, last, fmt.Sprint(rng.Last), fmt.Sprintf("a port from %s = %d on", first, rng.First))
	}
	return rng
}

// transport reads the protocol of a load balancer rule; All is every protocol that it carries (AZ-LB-04). One that is not known is
// read as all of them.
func (r *resource) transport(at *value) model.Protocol {
	text := at.text("protocol")
	name, _ := enum(text, armnetwork.PossibleTransportProtocolValues())
	switch armnetwork.TransportProtocol(name) {
	case armnetwork.TransportProtocolTCP:
		return model.TCP
	case armnetwork.TransportProtocolUDP:
		return model.UDP
	case armnetwork.TransportProtocolAll:
		return model.AnyProtocol
	default:
		if text == "" {
			r.missing(at, "protocol", "one of All, Tcp, Udp")
		} else {
			r.unsupported(at.get("protocol").raw, "a protocol that is not known to ringfence: the rule may carry any")
		}
		return model.AnyProtocol
	}
}
