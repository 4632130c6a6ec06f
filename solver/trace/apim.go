package trace

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/ringfence/ringfence/model"
)

func apimPlace(a *model.APIM, site int) model.Place {
	return model.Place{Kind: model.PlaceAPIM, ID: a.ID, Part: strconv.Itoa(site)}
}

// apimPublic lists the public addresses of a site.
func (w *world) apimPublic(a *model.APIM, site int) []netip.Addr {
	s := a.Sites[site]
	if p := w.publicAddress(s.PublicIP); p.IsValid() {
		return []netip.Addr{p}
	}
	if len(s.PublicIPs) > 0 {
		return s.PublicIPs
	}
	p, _ := w.symbols.Of(model.APIMDoor, a.ID, strconv.Itoa(site))
	return []netip.Addr{p}
}

// apimPrivate lists the private addresses of an injected site.
func (w *world) apimPrivate(a *model.APIM, site int) []netip.Addr {
	if s := a.Sites[site]; len(s.PrivateIPs) > 0 {
		return s.PrivateIPs
	}
	p, _ := w.symbols.Of(model.APIMAddress, a.ID, strconv.Itoa(site))
	return []netip.Addr{p}
}

// apimOutbound is the public addresses with which a site in a subnet connects to the internet.
func (t *tracer) apimOutbound(at model.Place) []translation {
	a, ok := model.Get[*model.APIM](t.e, at.ID)
	site, err := strconv.Atoi(at.Part)
	if !ok || err != nil || site >= len(a.Sites) {
		return nil
	}
	var out []translation
	for _, x := range t.apimPublic(a, site) {
		out = append(out, translation{addr: t.address(x), detail: "public address of the service"})
	}
	return out
}

// atAPIM is a packet for a service: where it is injected, through the NSG of its subnet, which sees the subnet as destination; then 443, perhaps
// 80, and on public addresses the management port (AZ-APIM-02 to AZ-APIM-04).
func (t *tracer) atAPIM(c course, a *model.APIM, site int, public bool) {
	h := t.hostIn(apimPlace(a, site), a.Sites[site].Subnet)
	if !t.step(&c, "arrive", h.place) {
		return
	}
	c.public, c.entry = nil, nil
	listen := func(c course) {
		p := c.packet
		gateway := !public || a.PublicDoor()
		switch {
		case p.Protocol != model.TCP:
		case gateway && p.DPort == 443:
			t.deliver(c.add(Hop{At: h.place, Stage: Relay, Action: Allow, Detail: "the gateway (AZ-APIM-01)", Certain: true}), h.place)
			return
		case gateway && p.DPort == 80:
			t.deliver(c.uncertain().add(Hop{At: h.place, Stage: Relay, Action: Allow, Detail: "the gateway, where it takes http (AZ-APIM-01)", Certain: true}), h.place)
			return
		case public && a.Injected() && p.DPort == 3443:
			at := model.Place{Kind: model.PlaceAPIM, ID: a.ID, Part: "(management)"}
			t.deliver(c.add(Hop{At: at, Stage: Relay, Action: Allow, Detail: "the management port (AZ-APIM-04)", Certain: true}), at)
			return
		}
		t.drop(c, h.place, Relay, "API Management does not listen there (AZ-APIM-01)")
	}
	if !a.Injected() {
		listen(c)
		return
	}
	c.last = h
	if h.subnet == nil {
		listen(c.uncertain("MISSING(subnet " + a.Sites[site].Subnet.ShortName() + ")"))
		return
	}
	inside := usable(h.subnet)
	behind := address{at: first(inside), may: inside}
	door := c.dst
	c.dst = behind
	t.admin(c, h, AdminIn, func(c course) {
		c.dst = door
		t.apimNSG(c, h, behind, listen)
	})
}

// apimNSG is the NSG of the subnet of an injected service (AZ-APIM-03).
func (t *tracer) apimNSG(c course, h *host, behind address, listen func(course)) {
	managed := func(c course) {
		if c.packet.DPort == 443 && !t.managedAPIM(h, behind) {
			c = c.uncertain() // AZ-APIM-03: the platform does not reach it
		}
		listen(c)
	}
	doubts := t.doubtsAt(h) // AZ-GEN-08
	switch {
	case t.subnetNSG(h) == "" && len(doubts) == 0:
		managed(c)
	case t.subnetNSG(h) == "":
		t.decide(c, Hop{At: h.place, Stage: SubnetIn}, hindered(allowed("", h.subnet.Source), doubts), managed)
	default:
		x := c.flow()
		x.dst = behind
		t.decide(c, Hop{At: h.place, Stage: SubnetIn}, hindered(c.pastNSG(t.nsgByID(h.subnet.NSG, h, x, model.Inbound)), doubts), managed)
	}
}

// managedAPIM reports that the platform surely reaches the management port of a service, from whatever port.
func (t *tracer) managedAPIM(h *host, behind address) bool {
	const port = 3443
	platform := t.platformOf("ApiManagement")
	sports, _ := t.distinctPorts(h.subnet.NSG, model.PortRange{First: port, Last: port})
	for _, sport := range sports {
		p := Packet{Src: platform.at, Dst: behind.at, Protocol: model.TCP, SPort: sport, DPort: port, Tags: []string{"ApiManagement"}}
		if v := t.inboundVerdict(course{packet: p, src: platform, dst: behind, certain: true}, h); !v.allow.is || v.deny.is {
			return false
		}
	}
	return true
}

// fromAPIM is a connection that a service opens: where to, its APIs and policies say, which are not followed (ASM-E-APIM).
func (t *tracer) fromAPIM(c course, a *model.APIM, part string) {
	site, err := strconv.Atoi(part)
	if err != nil || site >= len(a.Sites) {
		site = 0
	}
	h := t.hostIn(apimPlace(a, site), a.Sites[site].Subnet)
	if !t.step(&c, "relay", h.place) {
		return
	}
	if c.packet.Protocol != model.TCP {
		t.drop(c, h.place, Relay, "API Management connects by TCP (AZ-APIM-01)")
		return
	}
	c = c.add(Hop{At: h.place, Stage: Relay, Action: Forward, Rule: a.Name(), Source: a.Source, Detail: "to what its APIs and policies say", Assumptions: []string{"ASM-E-APIM"}}).uncertain("ASM-E-APIM")
	switch {
	case h.subnet != nil:
		if !c.src.in(prefixSet(h.subnet.Prefixes...)).may {
			t.drop(c, h.place, Relay, "the source is no address of the subnet of the service (AZ-APIM-02)")
			return
		}
		c.src.holder = h
		t.leave(c, h)
	case a.Sites[site].Subnet != "" && !c.dst.isPublic().may:
		t.lose(c, h.place, Relay, "the input lacks the subnet of the service", "ASM-E-APIM")
	case !slices.Contains(t.apimPublic(a, site), c.packet.Src):
		t.drop(c, h.place, Relay, "the source is no address of the service (AZ-APIM-02)")
	case !c.dst.isPublic().may || isPlatform(c.packet.Dst):
		t.drop(c, h.place, Transport, "neither a private destination nor the host's is reached from the internet")
	default:
		t.toPublic(c)
	}
}
