package trace

import (
	"slices"

	"github.com/ringfence/ringfence/model"
)

// toPublic delivers to a public address: to what the estate has there, else to the internet.
func (t *tracer) toPublic(c course) {
	at := model.Place{Kind: model.PlaceInternet}
	if !t.step(&c, "public", at) {
		return
	}
	if list := t.relays(nil); len(list) > 0 && !isPlatform(c.packet.Dst) && c.dst.service == nil { // AZ-GEN-08: an account's door is the account's
		t.lose(c, model.Place{Kind: model.PlaceUnknown, Part: c.packet.Dst.String()}, Transport, "an object that is not modelled may let the packet in (AZ-GEN-08)", namesOf(list)...)
	}
	if t.publicOwners(c) {
		return
	}
	if c.packet.From.Kind == model.PlaceInternet && len(c.crossed) == 0 {
		t.drop(c, at, Transport, "no public address of the estate")
		return
	}
	for _, p := range t.e.Prefixes {
		if p.Prefix.IsValid() && p.Prefix.Contains(c.packet.Dst) {
			t.drop(c, at, Transport, "an address of the prefix "+p.Name()+" that nothing of the input uses (AZ-PIP-05)")
			return
		}
	}
	t.deliver(c, at)
}

// publicOwners follows the packet to whatever of the estate has the public address; false if nothing does.
func (t *tracer) publicOwners(c course) bool {
	dst := c.packet.Dst
	found := false
	if x, ok := t.symbols.At(dst); c.endpoint != nil && (!ok || x.Kind != model.ServiceDoor) {
		c = c.uncertain() // AZ-SE-03: only an account is surely behind a service endpoint
	}
	for _, s := range t.e.KubeServices {
		if f, ok := t.kubeFrontendAt(s, dst); ok && f.Public {
			found = true
			d := t.ofFrontend(c, f)
			d.public = &publicEntry{model.Standard}
			t.toService(d, s)
		}
	}
	for _, p := range t.publicIPAt(dst) {
		found = true
		t.atPublicIP(c, p)
	}
	for _, f := range t.e.Firewalls { // of a hub, which names its addresses without resources
		if slices.Contains(f.PublicAddresses, dst) {
			found = true
			t.atFirewall(c, f, true)
		}
	}
	for _, lb := range t.e.LoadBalancers {
		for i := range lb.Frontends {
			f := &lb.Frontends[i]
			if p, ok := model.Get[*model.PublicIPPrefix](t.e, f.Prefix); ok && f.PublicIP == "" && p.Prefix.IsValid() && p.Prefix.Contains(dst) {
				found = true
				t.balance(c.uncertainIf(p.Prefix.Bits() < p.Prefix.Addr().BitLen()), lb, f, yes())
			}
		}
	}
	for _, s := range t.e.Services {
		if a, ok := t.symbols.Of(model.ServiceDoor, s.ID, ""); ok && a == dst {
			found = true
			t.atDoor(c, s)
		}
	}
	for _, f := range t.e.FrontDoors {
		for i := range f.Endpoints {
			if a, ok := t.symbols.Of(model.FrontDoorDoor, f.ID, f.Endpoints[i].Name); ok && a == dst {
				found = true
				t.atFrontDoor(c, f, &f.Endpoints[i])
			}
		}
	}
	for _, a := range t.e.APIMs {
		for i, s := range a.Sites {
			if _, resource := model.Get[*model.PublicIP](t.e, s.PublicIP); !resource && (a.PublicDoor() || a.Injected() || t.isSymbol(dst)) && slices.Contains(t.apimPublic(a, i), dst) {
				found = true
				t.atAPIM(c, a, i, true)
			}
		}
	}
	for _, b := range t.e.Bastions {
		if a, ok := t.symbols.Of(model.BastionDoor, b.ID, ""); ok && a == dst {
			found = true
			t.atDeveloper(c, b)
		}
	}
	if s, ok := t.symbols.At(dst); ok && s.Kind == model.InstancePublicAddress {
		found = true // of no instance, where the subnet has no room for one
	}
	for _, h := range t.scaleSetHosts(func(s *model.ScaleSet, cfg *model.IPConfig) bool {
		a, ok := t.symbols.Of(model.InstancePublicAddress, s.ID, cfg.Name)
		return ok && a == dst
	}) {
		t.translated(c, h, "public address of the instance")
	}
	for _, cl := range t.e.Clusters {
		if a, ok := t.symbols.Of(model.APIDoor, cl.ID, ""); ok && a == dst {
			found = true
			t.atAPI(c, cl)
		}
		for i := range cl.Pools {
			p := &cl.Pools[i]
			if a, ok := t.symbols.Of(model.NodePublicAddress, cl.ID, p.Name); ok && a == dst {
				found = true
				for _, h := range t.nodeHosts(cl, p) {
					t.translated(c, h, "public address of the node")
				}
			}
		}
	}
	return found
}

func (c course) uncertainIf(b bool) course {
	if b {
		return c.uncertain()
	}
	return c
}

// atPublicIP finds what a public IP resource is attached to (AZ-PIP-05).
func (t *tracer) atPublicIP(c course, p *model.PublicIP) {
	used := false
	c.public = &publicEntry{p.SKU}
	for _, h := range t.nicHosts(func(n *model.NIC, cfg *model.IPConfig) bool {
		return t.attached(p, cfg.PublicIP, n.ID+"/ipConfigurations/"+model.ID(cfg.Name))
	}) {
		used = true
		t.translated(c, h, "public address "+p.Name())
	}
	for _, h := range t.scaleSetHosts(func(_ *model.ScaleSet, cfg *model.IPConfig) bool { return t.attached(p, cfg.PublicIP, "") }) {
		used = true
		t.translated(c, h, "public address "+p.Name())
	}
	for _, lb := range t.e.LoadBalancers {
		for i := range lb.Frontends {
			if f := &lb.Frontends[i]; t.attached(p, f.PublicIP, f.ID) {
				used = true
				t.balance(c, lb, f, yes())
			}
		}
	}
	for _, f := range t.e.Firewalls {
		if contains(f.PublicIPs, p.ID) || same(p.AttachedTo.Parent(), f.ID) {
			used = true
			t.atFirewall(c, f, true)
		}
	}
	for _, g := range t.e.AppGateways {
		for i := range g.Frontends {
			if f := &g.Frontends[i]; t.attached(p, f.PublicIP, f.ID) {
				used = true
				t.atAppGateway(c, g, f)
			}
		}
	}
	for _, a := range t.e.APIMs {
		for i, s := range a.Sites {
			if same(s.PublicIP, p.ID) {
				used = true
				if a.PublicDoor() || a.Injected() {
					t.atAPIM(c, a, i, true)
				} else {
					t.drop(c, apimPlace(a, i), Relay, "the public door is shut (AZ-APIM-02)")
				}
			}
		}
	}
	for _, b := range t.e.Bastions {
		if t.attached(p, b.PublicIP, "") || same(p.AttachedTo.Parent(), b.ID) {
			used = true
			t.atBastion(c, b)
		}
	}
	for _, g := range t.e.Gateways {
		if contains(g.PublicIPs, p.ID) || same(p.AttachedTo.Parent(), g.ID) {
			used = true
			t.atGateway(c, g)
		}
	}
	at := model.Place{Kind: model.PlaceUnknown, ID: p.ID}
	for _, g := range t.e.NATGateways {
		if contains(g.PublicIPs, p.ID) || same(p.AttachedTo, g.ID) {
			used = true
			t.drop(c, at, DNAT, "a NAT gateway lets nothing in that nobody asked for (AZ-OUT-02)")
		}
	}
	switch {
	case used:
	case p.AttachedTo != "":
		t.lose(c, at, DNAT, "the public address is attached to "+p.AttachedTo.ShortName()+", which is not in the input", "ASM-NEXTHOP")
	default:
		t.drop(c, at, DNAT, "the public address is attached to nothing (AZ-PIP-05)")
	}
}

// attached says whether a public IP belongs to an IP configuration: either names the other.
func (t *tracer) attached(p *model.PublicIP, named, config model.ID) bool {
	return same(named, p.ID) || config != "" && same(p.AttachedTo, config)
}

// translated is the 1:1 translation of an instance's public address (AZ-PIP-01), which lets in also where new flows leave by a NAT gateway
// (AZ-OUT-03).
func (t *tracer) translated(c course, h *host, detail string) {
	if c.public == nil {
		c.public = &publicEntry{model.Standard}
	}
	before := c.packet
	c = c.to(h.addr, c.packet.DPort)
	c = c.add(Hop{At: h.place, Stage: DNAT, Action: Forward, Detail: detail, Certain: true})
	t.arrive(c.cross(crossing{at: h.place, before: before}), h)
}
