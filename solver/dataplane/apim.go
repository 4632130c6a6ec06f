package dataplane

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// apimPlace is one site of an API Management service.
func apimPlace(a *model.APIM, site int) model.Place {
	return model.Place{Kind: model.PlaceAPIM, ID: a.ID, Part: strconv.Itoa(site)}
}

// apimPublic is the public addresses of a site: stated ones, those of its resource, else a stand-in.
func (p *planner) apimPublic(a *model.APIM, site int) []netip.Addr {
	s := a.Sites[site]
	if addr := p.publicAddr(s.PublicIP); addr.IsValid() {
		return []netip.Addr{addr}
	}
	if len(s.PublicIPs) > 0 {
		return s.PublicIPs
	}
	return []netip.Addr{p.symbolOf(model.APIMDoor, a.ID, strconv.Itoa(site))}
}

// apimPrivate is the private addresses at which a site in Internal mode takes clients.
func (p *planner) apimPrivate(a *model.APIM, site int) []netip.Addr {
	if s := a.Sites[site]; len(s.PrivateIPs) > 0 {
		return s.PrivateIPs
	}
	return []netip.Addr{p.symbolOf(model.APIMAddress, a.ID, strconv.Itoa(site))}
}

// planAPIMs adds API Management services as relays: what they forward, and where, their APIs and policies say, which are not followed. So over
// holds every destination that their network reaches, and nothing is certain (AZ-APIM-01, ASM-E-APIM).
func (p *planner) planAPIMs() {
	for _, a := range p.e.APIMs {
		for i, site := range a.Sites {
			place := apimPlace(a, i)
			from := hosts(p.apimPublic(a, i))
			subnet, inSubnet := model.Get[*model.Subnet](p.e, site.Subnet)
			if inSubnet {
				from = append(hosts(site.PrivateIPs), p.freeAddresses(subnet)...)
			}
			s := p.site(&Site{Place: place, Prefixes: from, Send: p.node(place, StageSend, ""), Receive: p.node(place, StageReceive, ""), Subnet: site.Subnet, isRelay: true, Channel: place.Part})
			p.relays = append(p.relays, Relay{Accept: s, From: []*Site{s}})
			p.site(&Site{Place: apimManagement(a), Send: -1, Receive: p.node(apimManagement(a), StageReceive, ""), Channel: managementListener})
			sent := onlyOver(transport([]model.Protocol{model.TCP}, nil, nil, false))
			switch {
			case inSubnet:
				out, notes := p.filters(filtered{subnet: site.Subnet}, model.Outbound, reading{})
				eg := egress{instance: p.apimPublic(a, i)}.named()
				p.edge(s.Send, p.routing(site.Subnet, "", eg), and(sent, out), nil, append(notes, "ASM-E-APIM")...)
			case site.Subnet != "":
				p.forwardUnknown(s.Send, "", sent.over, []string{missing("subnet", site.Subnet), "ASM-E-APIM"})
				p.edge(s.Send, p.publicOut(), sent, nil, "ASM-E-APIM")
			default:
				p.edge(s.Send, p.publicOut(), sent, nil, "ASM-E-APIM")
			}
			if a.PublicDoor() || a.Injected() {
				p.edge(p.publicIn(), p.apimIn(a, i, true), exactly(dstIn(p.addr.exactHosts(p.apimPublic(a, i)...))).withReply(p.apimReply(a, i)), nil)
			}
		}
		for _, e := range p.endpointsOf(a.ID) { // AZ-APIM-02: clients of a private endpoint
			for i := range a.Sites {
				p.edge(p.node(model.Place{Kind: model.PlaceEndpoint, ID: e.ID}, StageReceive, ""), p.node(apimPlace(a, i), StageReceive, ""), guard{}, nil)
			}
		}
	}
}

func apimManagement(a *model.APIM) model.Place {
	return model.Place{Kind: model.PlaceAPIM, ID: a.ID, Part: managementListener}
}

func (p *planner) apimReply(a *model.APIM, site int) *lazy {
	if !a.Injected() {
		return nil
	}
	return p.reply(a.Sites[site].Subnet, viaInternet)
}

// apimIn is the place before a site: of an injected one the NSG of its subnet filters clients, and sees the subnet as destination. The gateway
// listens on 443, perhaps on 80; the management port 3443 of an injected service is a class of its own (AZ-APIM-03, AZ-APIM-04).
func (p *planner) apimIn(a *model.APIM, site int, public bool) NodeID {
	place := apimPlace(a, site)
	via := "private"
	if public {
		via = "public"
	}
	n := p.node(place, StageInbound, via)
	key := Node{Place: place.Key(), Stage: StageInbound, Via: via}
	if p.routeDone[key] {
		return n
	}
	p.routeDone[key] = true
	in, notes := guard{}, []string(nil)
	managed := guard{}
	if s, ok := model.Get[*model.Subnet](p.e, a.Sites[site].Subnet); a.Injected() && ok {
		behind := p.b.AddSet("", s.Prefixes)
		in, notes = p.filters(filtered{subnet: s.ID}, model.Inbound, reading{instead: true, behind: behind})
		managed = p.apimManaged(s.ID)
	} else if a.Injected() {
		in, notes = between(everything(), nothing()), []string{missing("subnet", a.Sites[site].Subnet)}
	}
	receive := p.node(place, StageReceive, "")
	if !public || a.PublicDoor() {
		p.edge(n, receive, and(in, managed, exactly(tcpTo(443))), nil, notes...)
		p.edge(n, receive, and(in, onlyOver(tcpTo(80))), nil, notes...)
	}
	if public && a.Injected() {
		p.edge(n, p.node(apimManagement(a), StageReceive, ""), and(in, exactly(tcpTo(3443))), nil, notes...)
	}
	return n
}

// apimManaged is nothing in under where the NSG keeps the platform from managing the service: tcp/3443 from ApiManagement (AZ-APIM-03).
func (p *planner) apimManaged(subnet model.ID) guard {
	s, _ := model.Get[*model.Subnet](p.e, subnet)
	behind := p.b.AddSet("", s.Prefixes)
	in, _ := p.filters(filtered{subnet: subnet}, model.Inbound, reading{})
	tagged, _ := p.inTagAny("ApiManagement", srcIn)
	return p.admitsAll(both(both(tagged, dstIn(behind)), tcpTo(3443)), in)
}

// servesAPIM reports whether a site of a service holds a public address: by its resource, or by the address that it states.
func servesAPIM(a *model.APIM, ip *model.PublicIP) bool {
	return slices.ContainsFunc(a.Sites, func(s model.APIMSite) bool {
		return s.PublicIP != "" && s.PublicIP.Key() == ip.ID.Key() || ip.Address.IsValid() && slices.Contains(s.PublicIPs, ip.Address)
	}) || ip.AttachedTo != "" && strings.HasPrefix(ip.AttachedTo.Key(), a.ID.Key())
}
