package pci

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// wirelessZones are the subjects of two items, or the part that says why there are none.
func (ev *Evidence) wirelessZones(statement string) ([]model.Selector, *Part) {
	zones := ev.zones(model.ZoneWireless)
	if len(zones) > 0 {
		return zones, nil
	}
	p := ev.absent(statement, "wireless", "ringfence.yaml declares no zone of kind wireless")
	if p.Verdict == ItemUnknown {
		p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "zones", Field: "wireless"}, Text: p.Reason, Source: ev.in.Source.String(), Remedy: "declare the zone, or state none.wireless with by, on and reason"}}
	}
	return nil, &p
}

// administrative are the relays of administration: chains through them are judged by 1.2.1-r, 1.4-a and 1.4-c (decisions.md, section 1.3).
func (ev *Evidence) administrative() []model.Selector { return slices.Concat(ev.bastions(), ev.jump()) }

// nodesNotFromWireless is 1.2.3-a.
func nodesNotFromWireless(ev *Evidence) []Part {
	wireless, none := ev.wirelessZones("no wireless network reaches nodes, pods or stores of card data")
	if none != nil {
		return []Part{*none}
	}
	targets := slices.Concat(ev.nodeTargets(), ev.zones(scopeKinds()...))
	if len(targets) == 0 {
		return []Part{unknownPart("no wireless network reaches nodes, pods or stores of card data", "the input holds no node pool and no zone of kind cde or data")}
	}
	direct := ev.denyDirect(wireless, targets).said(len(wireless), "no packet from %s reaches %s directly", texts(wireless), texts(positive(targets)))
	direct.Residual = residual("R1", "R5")
	parts := []Part{direct.remedied("deny the wireless prefixes at the NSGs of the nodes, or route GatewaySubnet to the firewall (AZ-RT-30)")}
	via := slices.Concat(ev.blockingRouters(), ev.administrative())
	if len(via) == 0 {
		return append(parts, ev.ask(model.Assertion{Verb: model.VerbDeny, From: wireless, To: targets}).said(len(wireless), "no chain of relays from %s reaches them", texts(wireless)))
	}
	chains := ev.throughRelays(wireless, targets, via)
	return append(parts, chains.said(len(wireless), "every chain of relays from %s to them passes a router whose WAF blocks: %s", texts(wireless), texts(via)))
}

// throughRelays asks that every chain passes a place; packets alone are judged by another part.
func (ev *Evidence) throughRelays(from, to, via []model.Selector) Part {
	p := ev.through(from, to, via)
	if p.Verdict != ItemFail {
		return p
	}
	relayed := false
	for i := range p.Faults {
		f := &p.Faults[i]
		flows := f.Flows[:0:0]
		for _, x := range f.Flows {
			if x.Kind != "direct" {
				flows = append(flows, x)
			}
		}
		relayed = relayed || len(flows) > 0
		if len(flows) > 0 {
			f.Flows = flows
		}
	}
	if !relayed {
		p.Verdict, p.Reason, p.Faults = ItemPass, "only packets that need no relay pass beside them, which the part above judges", nil
	}
	return p
}

// positive are the selectors that name something.
func positive(list []model.Selector) []model.Selector {
	return slices.DeleteFunc(slices.Clone(list), func(s model.Selector) bool { return s.Not })
}

// blockingRouters are the routers of which every listener that forwards has a WAF that blocks (AZ-AGW-30 to AZ-AGW-32, AZ-AFD-03).
func (ev *Evidence) blockingRouters() []model.Selector {
	off := ev.findings("waf-not-enforcing")
	return slices.DeleteFunc(slices.Clone(ev.routers()), func(r model.Selector) bool {
		for _, f := range off {
			if f.Subject == r.Text || len(f.Subject) > len(r.Text) && f.Subject[:len(r.Text)+1] == r.Text+"/" {
				return true
			}
		}
		return false
	})
}

// apiNotFromWireless is 1.2.3-b.
func apiNotFromWireless(ev *Evidence) []Part {
	wireless, none := ev.wirelessZones("no wireless network reaches the API server")
	if none != nil {
		return []Part{*none}
	}
	judged, _ := ev.clusters()
	if len(judged) == 0 {
		return []Part{ev.absent("no wireless network reaches the API server", "clusters", "the input holds no cluster with a member in an internal zone")}
	}
	var parts []Part
	for _, c := range judged {
		if c.Manifest {
			parts = append(parts, unknownPart("no wireless network reaches the API server of "+c.Name(), "the managedClusters resource of "+c.Name()+" is not in the input"))
			continue
		}
		api := []model.Selector{ev.sel(model.SelAPIServer, c)}
		p := ev.denyDirect(wireless, api, services("tcp/443")...).said(len(wireless), "no packet from %s reaches %s on tcp/443 directly", texts(wireless), texts(api))
		p.Residual = residual("R6")
		parts = append(parts, p.remedied("deny the wireless prefixes at the NSG of the API server's subnet, or at the firewall between them"))
		if publicAPI(c) {
			parts = append(parts, ev.rangesShutOut(c, model.ZoneWireless))
		}
	}
	return parts
}

// publicAPI reports whether the API server has a public endpoint.
func publicAPI(c *model.Cluster) bool {
	return c.Private != model.On && (c.VNetAPI != model.On || !strings.EqualFold(c.PublicAccess, "Disabled"))
}

// rangesShutOut compares the authorised ranges of a public API server with what zones look like from the internet.
func (ev *Evidence) rangesShutOut(c *model.Cluster, kind model.ZoneKind) Part {
	p := Part{Statement: fmt.Sprintf("the authorised ranges of the API server of %s leave out what %s zones look like from the internet", c.Name(), kind), Subjects: 1}
	if !c.APIRangesSet || len(c.APIRanges) == 0 {
		p.Faults = append(p.Faults, ev.apiFault(c, "the API server is public and no authorised ranges limit it"))
		return p.judged()
	}
	for _, z := range ev.in.Zones {
		if z.Kind != kind {
			continue
		}
		if len(z.PublicAddresses) == 0 {
			p.Verdict, p.Reason = ItemUnknown, "zones."+z.Name+".publicAddresses is not stated: whether the authorised ranges hold it is not known"
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseIntent, Of: "zones." + z.Name, Field: "publicAddresses"}, Text: p.Reason, Source: z.Source.String(), Remedy: "state the public addresses by which the zone leaves to the internet"})
			return p
		}
		if slices.ContainsFunc(z.PublicAddresses, func(a netip.Prefix) bool {
			return slices.ContainsFunc(c.APIRanges, func(r netip.Prefix) bool { return r.Overlaps(a) })
		}) {
			p.Faults = append(p.Faults, ev.apiFault(c, "the authorised ranges hold addresses of zone "+z.Name))
		}
	}
	return p.judged()
}

func (ev *Evidence) apiFault(c *model.Cluster, text string) Fault {
	return Fault{
		Cause: Cause{Class: CausePublicAPI, Of: string(c.ID), Field: "enablePrivateCluster"}, Subject: ev.refs.Of(model.SelAPIServer, c), Text: text, Source: c.Source.String(),
		Field: "properties.apiServerAccessProfile.enablePrivateCluster", Found: c.Private.String(), Wanted: "true", Remedy: "make the cluster private, or narrow apiServerAccessProfile.authorizedIPRanges",
	}
}

// nodesAndAPIOnlyFromAuthorised is 1.2.3-c.
func nodesAndAPIOnlyFromAuthorised(ev *Evidence) []Part {
	const statement = "nodes and API server are reached from authorised sources alone"
	targets := ev.nodeTargets()
	api := ev.apiServers()
	if len(targets) == 0 && len(api) == 0 {
		return []Part{ev.absent(statement, "clusters", "the input holds no node pool and no API server")}
	}
	var parts []Part
	_, missing := ev.nodeSubnets()
	for _, id := range missing {
		p := unknownPart(statement, "the subnet "+id.ShortName()+" of a node pool is not in the input")
		p.Faults = []Fault{{Cause: Cause{Class: CauseNoRef, Of: string(id)}, Subject: id.ShortName(), Text: p.Reason, Remedy: "add the subnet to the inputs"}}
		parts = append(parts, p)
	}
	if len(targets) > 0 {
		from := anyBut(ev.ownCluster(), selectors("ip:168.63.129.16"), ev.in.PCI.AuthorizedNodes)
		p := ev.denyDirect(from, targets).said(len(positive(targets)), "nothing but own nodes and pods, the platform and pci.authorizedSources.nodes (%s) reaches %s", texts(ev.in.PCI.AuthorizedNodes), texts(positive(targets)))
		p.Residual = residual("R1", "R3", "R5")
		parts = append(parts, p.remedied("narrow the rule, or add the source to pci.authorizedSources.nodes"))
	}
	if len(api) > 0 {
		from := anyBut(ev.ownCluster(), ev.jump(), ev.in.PCI.AuthorizedAPI)
		p := ev.denyDirect(from, api).said(len(api), "nothing but own nodes and pods, jump boxes (%s) and pci.authorizedSources.api (%s) reaches %s", texts(ev.jump()), texts(ev.in.PCI.AuthorizedAPI), texts(api))
		p.Residual = residual("R6")
		parts = append(parts, p.remedied("narrow the rule, or add the source to pci.authorizedSources.api"))
	}
	return parts
}

// onPremLimited is 1.2.3-d.
func onPremLimited(ev *Evidence) []Part {
	const statement = "what on-prem reaches in the networks of card data is declared"
	zones := ev.zones(model.ZoneOnPrem)
	if len(zones) == 0 {
		if n := len(ev.e.Gateways) + len(ev.e.HubGateways) + len(ev.e.HubConnections); n > 0 {
			p := unknownPart(statement, fmt.Sprintf("the input holds %s and ringfence.yaml declares no zone of kind on-prem", count(n, "gateway")))
			p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "zones", Field: "on-prem"}, Text: p.Reason, Source: ev.in.Source.String(), Remedy: "declare what lies behind the gateway as a zone of kind on-prem"}}
			return []Part{p}
		}
		return []Part{ev.absent(statement, "onPrem", "the input holds no gateway, circuit or hub connection, and no zone of kind on-prem is declared")}
	}
	to := ev.zones(scopeKinds()...)
	for _, v := range ev.scopeVNets() {
		to = append(to, ev.sel(model.SelVNet, v))
	}
	if len(to) == 0 {
		return []Part{unknownPart(statement, "no zone of kind cde or data is declared")}
	}
	p := ev.askBut(model.Assertion{Verb: model.VerbDeny, From: zones, To: to, DirectOnly: true}, ev.allowed())
	p = p.said(len(zones), "no packet from %s reaches %s but what assertions, data flows and justifications declare", texts(zones), texts(to))
	return []Part{p.remedied("remove the rule, or declare the flow (a must assertion, or justifications.allows)")}
}

// scopeVNets are the networks with members of kinds cde or data.
func (ev *Evidence) scopeVNets() []*model.VNet {
	var out []*model.VNet
	in := ev.subnetsIn(scopeKinds()...)
	for _, v := range ev.e.VNets {
		if slices.ContainsFunc(in, func(s *model.Subnet) bool { return s.VNet.Key() == v.ID.Key() }) {
			out = append(out, v)
		}
	}
	return out
}
