package trace

import (
	"slices"

	"github.com/ringfence/ringfence/model"
)

// translation is one way for a new flow to leave to the internet: the address it shows there.
type translation struct {
	addr   address
	detail string
	why    []string
	maybe  bool
}

// toInternet carries a packet over next hop Internet: to a public destination by the first outbound method that applies (AZ-OUT-01).
// A private destination is not deliverable (AZ-RT-16). Whether the subscription blocks tcp/25 the input does not say: it passes (AZ-NSG-19).
func (t *tracer) toInternet(c course, h *host) {
	if h.place.Kind == model.PlaceGateway {
		t.forcedTunnel(c, h)
		return
	}
	public := c.dst.isPublic()
	if !public.may {
		t.drop(c, h.place, Transport, "a private destination is not deliverable over next hop Internet (AZ-RT-16)")
		return
	}
	list, shut := t.outboundMethods(c, h)
	t.eachWay(list, func(m translation) {
		d := c
		if m.maybe {
			d = d.uncertain(m.why...)
		}
		d = d.because(m.why...)
		before := d.packet
		d = d.from(m.addr, d.packet.SPort)
		d.pod, d.node = nil, nil
		d = d.add(Hop{At: h.place, Stage: SNAT, Action: Forward, Detail: m.detail, Certain: !m.maybe, Assumptions: m.why})
		d = d.cross(crossing{at: h.place, before: before, subnet: h.subnet, vnet: h.vnet, source: true})
		t.toPublic(d)
	})
	if shut != "" {
		if slices.ContainsFunc(list, func(m translation) bool { return !m.maybe }) {
			return
		}
		d := c
		if len(list) > 0 {
			d = d.uncertain(list[0].why...)
		}
		t.drop(d, h.place, SNAT, shut)
	}
}

// eachWay takes each of the addresses that one method may show (AZ-GEN-13).
func (t *tracer) eachWay(list []translation, walk func(translation)) {
	addrs := make([]address, len(list))
	for i, m := range list {
		addrs[i] = m.addr
		addrs[i].way = i
	}
	t.pick(addrs, "ASM-SNATPOOL", func(a address) {
		m := list[a.way]
		m.addr = a
		walk(m)
	})
}

// outboundMethods lists the ways out that apply, all of them alternatives of one method; shut says why there may be none.
func (t *tracer) outboundMethods(c course, h *host) (out []translation, shut string) {
	v6 := c.dst.v6()
	ported := c.packet.Protocol == model.TCP || c.packet.Protocol == model.UDP
	if t.isAppGatewaySubnet(h.subnetID) && h.place.Kind == model.PlaceAppGateway {
		return t.gatewayOutbound(h), ""
	}
	if h.place.Kind == model.PlaceBastion {
		return nil, "Bastion connects to private addresses (AZ-BAS-04)"
	}
	// NAT gateway: TCP and UDP, IPv4 unless StandardV2, never on GatewaySubnet (AZ-OUT-02).
	if h.subnet != nil && h.subnet.NATGateway != "" && ported && subnetKind(h.subnet) != gatewaySubnet {
		g, ok := model.Get[*model.NATGateway](t.e, h.subnet.NATGateway)
		if !ok {
			if !v6 {
				return []translation{{addr: t.unknownOutbound(), detail: "NAT gateway " + h.subnet.NATGateway.Name() + ", which is not in the input"}}, ""
			}
		} else if !v6 || fold(g.SKU, "StandardV2") {
			if list := t.natGatewayAddresses(g, v6); len(list) > 0 {
				if list[0].maybe {
					shut = "the NAT gateway may have no address"
				}
				return list, shut
			}
		}
	}
	if list := t.instanceAddress(c, h); len(list) > 0 {
		return list, ""
	}
	if list := ofFamily(t.balancerOutbound(h, ported), v6); len(list) > 0 {
		return list, ""
	}
	if list, shut, decided := t.clusterOutbound(h, ported); decided && !v6 {
		return list, shut
	}
	return t.unreadOutbound(c, h, v6, ported)
}

// unreadOutbound is the default way out, and where that is not certain the one that something which was not understood may give (AZ-GEN-08).
func (t *tracer) unreadOutbound(c course, h *host, v6, ported bool) (out []translation, shut string) {
	out, shut = t.defaultOutbound(c, h, v6, ported)
	list := t.doubts(h.subnetID, h.subnetID.Parent())
	for _, lb := range t.e.LoadBalancers {
		unread := t.doubts(lb.ID)
		if len(unread) > 0 && slices.ContainsFunc(lb.Pools, func(p model.LBPool) bool { return t.inPool(lb, []model.ID{p.ID}, h) }) {
			list = append(list, unread...)
		}
	}
	if len(list) == 0 || v6 || !ported || slices.ContainsFunc(out, func(x translation) bool { return !x.maybe }) {
		return out, shut
	}
	return []translation{{addr: t.unknownOutbound(), detail: "a way out that was not understood (AZ-GEN-08)", maybe: true, why: namesOf(list)}}, shut
}

// ofFamily keeps the addresses of one family (AZ-V6-04).
func ofFamily(list []translation, v6 bool) []translation {
	return slices.DeleteFunc(list, func(m translation) bool { return m.addr.v6() != v6 })
}

// unknownOutbound is a public address of Azure that the input does not state.
func (t *tracer) unknownOutbound() address {
	a, _ := t.symbols.Of(model.DefaultOutbound, "", "")
	return t.address(a)
}

// natGatewayAddresses are a NAT gateway's public addresses of one family; it uses any of them. Where the input lacks what the gateway names,
// it has an address that is not stated. Without one of IPv6 it translates no IPv6; that it has none of IPv4 is not certain (AZ-OUT-02).
func (t *tracer) natGatewayAddresses(g *model.NATGateway, v6 bool) []translation {
	var out []translation
	lacking := false
	for _, id := range g.PublicIPs {
		if a := t.publicAddress(id); a.IsValid() {
			out = append(out, translation{addr: t.address(a), detail: "NAT gateway " + g.Name()})
		} else {
			lacking = true
		}
	}
	for _, id := range g.Prefixes {
		if p, ok := model.Get[*model.PublicIPPrefix](t.e, id); ok && p.Prefix.IsValid() {
			a := pickedOf(address{at: p.Prefix.Addr(), may: prefixSet(p.Prefix), azure: &azureAddress{p.Location}})
			out = append(out, translation{addr: a, detail: "NAT gateway " + g.Name()})
		} else {
			lacking = true
		}
	}
	out = ofFamily(out, v6)
	if len(out) == 0 && (lacking || !v6) {
		out = append(out, translation{addr: t.unknownOutbound(), detail: "NAT gateway " + g.Name() + ", whose addresses are not in the input", maybe: v6 || !lacking})
	}
	return out
}

// instanceAddress is the public address of the sending IP configuration (AZ-PIP-01): every protocol.
func (t *tracer) instanceAddress(c course, h *host) []translation {
	switch {
	case h.ofPod: // AKS-NET-09: the public address is not of this configuration
		return nil
	case h.place.Kind == model.PlaceAPIM: // AZ-APIM-02
		return ofFamily(t.apimOutbound(h.place), c.dst.v6())
	case h.pool != nil && h.pool.PublicIPs == model.On && !c.dst.v6(): // AZ-V6-04
		a, ok := t.symbols.Of(model.NodePublicAddress, h.cluster.ID, h.pool.Name)
		if ok {
			return []translation{{addr: t.address(a), detail: "public address of the node"}}
		}
	case h.profile != nil:
		if a, ok := t.symbols.Of(model.InstancePublicAddress, h.scaleSet.ID, h.config.Name); ok && !c.dst.v6() { // AZ-PIP-01: of this configuration
			return []translation{{addr: t.address(a), detail: "public address of the instance"}}
		}
	case h.config != nil && h.nic != nil:
		if h.config.PublicIP != "" && !t.publicAddress(h.config.PublicIP).IsValid() {
			return []translation{{addr: t.unknownOutbound(), detail: "public address " + h.config.PublicIP.Name() + ", which is not in the input"}}
		}
		var out []translation
		for _, p := range t.e.PublicIPs {
			if x := t.address(t.publicAddress(p.ID)); t.attached(p, h.config.PublicIP, h.nic.ID+"/ipConfigurations/"+model.ID(h.config.Name)) && x.v6() == c.dst.v6() {
				out = append(out, translation{addr: x, detail: "public address " + p.Name()})
			}
		}
		return out
	}
	return nil
}

// balancerOutbound is the outbound rule of a public load balancer, else the default SNAT of its rules (AZ-LB-09).
func (t *tracer) balancerOutbound(h *host, ported bool) []translation {
	if !ported || h.config == nil {
		return nil
	}
	var explicit, implied []translation
	for _, lb := range t.e.LoadBalancers {
		for _, r := range lb.Outbound {
			if t.inPool(lb, []model.ID{r.Pool}, h) {
				for _, id := range r.Frontends {
					explicit = append(explicit, t.frontendOutbound(lb, id)...)
				}
			}
		}
		for _, r := range lb.Rules {
			if r.DisableOutboundSNAT != model.On && t.inPool(lb, r.Pools, h) { // off unless stated
				implied = append(implied, t.frontendOutbound(lb, r.Frontend)...)
			}
		}
	}
	if len(explicit) > 0 {
		return explicit
	}
	return implied
}

func (t *tracer) inPool(lb *model.LoadBalancer, pools []model.ID, h *host) bool {
	hosts, _ := t.poolHosts(lb, pools, false) // AZ-OUT-07: members by address use default outbound access
	for _, x := range hosts {
		if x.place.Key() == h.place.Key() {
			return true
		}
	}
	return false
}

// frontendOutbound is a public frontend as outbound address.
func (t *tracer) frontendOutbound(lb *model.LoadBalancer, id model.ID) []translation {
	for _, f := range lb.Frontends {
		if !same(f.ID, id) || f.Subnet != "" {
			continue
		}
		detail := "load balancer " + lb.Name() + "/" + f.Name
		for _, p := range t.e.PublicIPs {
			if t.attached(p, f.PublicIP, f.ID) {
				return []translation{{addr: t.address(t.publicAddress(p.ID)), detail: detail}}
			}
		}
		if p, ok := model.Get[*model.PublicIPPrefix](t.e, f.Prefix); ok && p.Prefix.IsValid() {
			a := pickedOf(address{at: p.Prefix.Addr(), may: prefixSet(p.Prefix), azure: &azureAddress{p.Location}})
			return []translation{{addr: a, detail: detail}}
		}
		return []translation{{addr: t.unknownOutbound(), detail: detail}}
	}
	return nil
}

// defaultOutbound is Microsoft's address for machines without any method of their own (AZ-OUT-04 to AZ-OUT-08): no ICMP, no IPv6.
func (t *tracer) defaultOutbound(c course, h *host, v6, ported bool) (out []translation, shut string) {
	way := translation{addr: t.unknownOutbound(), detail: "default outbound access"}
	switch {
	case v6:
		return nil, "there is no default outbound access for IPv6 (AZ-V6-04)"
	case !ported:
		return nil, "default outbound access carries TCP and UDP only (AZ-OUT-04)"
	case h.scaleSet != nil && fold(h.scaleSet.Orchestration, "Flexible") || t.flexible(h):
		return nil, "instances of a flexible scale set have no default outbound access (AZ-OUT-08)"
	case h.nic != nil && h.nic.DefaultOutbound == model.Off:
		return t.sameRegionStorage(c, h), "the NIC has default outbound access switched off (AZ-OUT-07)"
	case h.subnet == nil:
		way.maybe, way.why = true, []string{"ASM-DOA"}
		return []translation{way}, "the input lacks the subnet"
	}
	switch h.subnet.DefaultOutbound {
	case model.On:
		return []translation{way}, ""
	case model.NotStated:
		way.maybe, way.why = true, []string{"ASM-DOA"}
		return []translation{way}, "the subnet may be private: defaultOutboundAccess is not stated (AZ-OUT-05)"
	default:
	}
	if len(h.subnet.Delegations) > 0 || h.nic != nil && h.nic.DefaultOutbound == model.On || t.inAddressPool(h) {
		way.maybe, way.why = true, []string{"ASM-DOA"} // AZ-OUT-07
		return []translation{way}, "the subnet is private (AZ-OUT-05)"
	}
	return t.sameRegionStorage(c, h), "the subnet is private and has no outbound method (AZ-OUT-05)"
}

// flexible reports an instance of a scale set that is a machine of its own, as only flexible sets have them (AZ-OUT-08).
func (t *tracer) flexible(h *host) bool {
	if h.nic == nil {
		return false
	}
	vm, ok := model.Get[*model.VM](t.e, h.nic.VM)
	return ok && vm.ScaleSet != ""
}

// sameRegionStorage: storage of the same region stays reachable from a private subnet (AZ-OUT-06, AZ-ST-06).
func (t *tracer) sameRegionStorage(c course, h *host) []translation {
	s := c.dst.service
	storage := s != nil && s.Kind == model.StorageAccount && (s.Location == "" || h.vnet == nil || h.vnet.Location == "" || model.Region(s.Location) == model.Region(h.vnet.Location))
	if s == nil {
		tag := "Storage"
		if h.vnet != nil && h.vnet.Location != "" {
			tag += "." + model.Region(h.vnet.Location)
		}
		storage = t.inTag(tag, c.dst, c.packet.Tags).may
	}
	if !storage {
		return nil
	}
	return []translation{{addr: t.unknownOutbound(), detail: "storage of the same region (AZ-OUT-06)", why: []string{"ASM-PRIVATE-ST"}, maybe: true}}
}

// inAddressPool reports a member of a load balancer's pool by address; of a class of machines to come any may be one.
func (t *tracer) inAddressPool(h *host) bool {
	for _, lb := range t.e.LoadBalancers {
		for _, p := range lb.Pools {
			for _, a := range p.Addresses {
				switch {
				case !a.Address.IsValid():
				case h.nic != nil && a.Address.Unmap() == h.addr.at:
					return true
				case h.nic == nil && h.subnet != nil && prefixSet(h.subnet.Prefixes...).Contains(a.Address.Unmap()):
					return true
				}
			}
		}
	}
	return false
}
