package pci

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// eachCluster decides a setting of every judged cluster.
func (ev *Evidence) eachCluster(statement string, judge func(c *model.Cluster, p *Part)) []Part {
	judged, _ := ev.clusters()
	if len(judged) == 0 {
		return []Part{ev.absent(statement, "clusters", "the input holds no cluster with a member in an internal zone")}
	}
	p := Part{Statement: statement}
	var parts []Part
	for _, c := range judged {
		if c.Manifest {
			parts = append(parts, ev.noCluster(c, statement))
			continue
		}
		p.Subjects++
		judge(c, &p)
	}
	if p.Subjects > 0 {
		if len(p.Faults) > 0 && p.Verdict == "" {
			p.Verdict = ItemFail
		}
		parts = append(parts, p.judged())
	}
	return parts
}

// privateCluster is 1.3.7-a.
func privateCluster(ev *Evidence) []Part {
	return ev.eachCluster("every cluster is private: apiServerAccessProfile.enablePrivateCluster is true", func(c *model.Cluster, p *Part) {
		p.Facts = append(p.Facts, ev.refs.Of(model.SelCluster, c)+": enablePrivateCluster "+c.Private.String())
		if c.Private != model.On {
			p.Faults = append(p.Faults, ev.apiFault(c, "the cluster is not private"))
		}
	})
}

// privateClusterZone is 1.3.7-b.
func privateClusterZone(ev *Evidence) []Part {
	return ev.eachCluster("the name of every private cluster is in a private DNS zone that its nodes and the jump boxes resolve", func(c *model.Cluster, p *Part) {
		ref := ev.refs.Of(model.SelCluster, c)
		if c.Private != model.On {
			p.Faults = append(p.Faults, ev.apiFault(c, "the cluster is not private"))
			return
		}
		switch strings.ToLower(c.PrivateDNSZone) {
		case "none":
			p.Faults = append(p.Faults, configFault(CauseSetting, ref, "apiServerAccessProfile.privateDNSZone", c.PrivateDNSZone, "system or the ID of a zone", c.Source, "use a private DNS zone: system, or one of your own"))
		case "", "system":
			p.Facts = append(p.Facts, ref+": AKS keeps a private DNS zone in the node resource group")
		default:
			z, ok := model.Get[*model.DNSZone](ev.e, model.ID(c.PrivateDNSZone))
			if !ok {
				p.Verdict, p.Reason = ItemUnknown, "the private DNS zone "+model.ID(c.PrivateDNSZone).ShortName()+" is not in the input"
				p.Faults = append(p.Faults, ev.unknownRef(ref, model.ID(c.PrivateDNSZone), c.Source))
				return
			}
			for _, v := range ev.resolvingNetworks(c) {
				if !z.Private && linkedTo(z, v) {
					p.Faults = append(p.Faults, configFault(CauseSetting, z.Name(), "virtualNetworkLinks", "no link to "+v.Name(), "a link to "+v.Name(), z.Source, "link the zone to "+v.Name()))
				} else {
					p.Facts = append(p.Facts, fmt.Sprintf("%s: %s is linked to %s", ref, z.Name(), v.Name()))
				}
			}
		}
	})
}

// resolvingNetworks are the networks whose DNS answers for a cluster's nodes and for the jump boxes: their own, or those of the DNS
// servers that they name, where these are addresses of the estate (AZ-DNS-01).
func (ev *Evidence) resolvingNetworks(c *model.Cluster) []*model.VNet {
	var of []*model.VNet
	add := func(id model.ID) {
		if _, v := ev.e.SubnetOf(id); v != nil {
			for _, w := range ev.resolvers(v) {
				if !slices.Contains(of, w) {
					of = append(of, w)
				}
			}
		}
	}
	for _, p := range c.Pools {
		add(p.Subnet)
	}
	for _, s := range ev.jump() {
		for _, m := range ev.jumpSubnets(s) {
			add(m)
		}
	}
	return of
}

// jumpSubnets are the subnets that a declared jump box stands for or lies in.
func (ev *Evidence) jumpSubnets(s model.Selector) []model.ID {
	var out []model.ID
	found, err := ev.e.Find(s)
	if err != nil {
		return nil
	}
	nics := func(ids []model.ID) {
		for _, id := range ids {
			if n, ok := model.Get[*model.NIC](ev.e, id); ok {
				for _, c := range n.IPConfigs {
					out = append(out, c.Subnet)
				}
			}
		}
	}
	for _, f := range found {
		switch r := f.Resource.(type) {
		case *model.Subnet:
			out = append(out, r.ID)
		case *model.VM:
			nics(r.NICs)
		case *model.NIC:
			nics([]model.ID{r.ID})
		default:
		}
	}
	return out
}

// resolvers are the networks whose private zones answer the clients of one: itself with Azure DNS, else those that hold its DNS servers,
// a firewall's address included.
func (ev *Evidence) resolvers(v *model.VNet) []*model.VNet {
	if len(v.DNSServers) == 0 {
		return []*model.VNet{v}
	}
	var out []*model.VNet
	for _, a := range v.DNSServers {
		for _, s := range ev.e.Subnets {
			if slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
				if w, ok := model.Get[*model.VNet](ev.e, s.VNet); ok && !slices.Contains(out, w) {
					out = append(out, w)
				}
			}
		}
	}
	return out
}

// linkedTo reports whether a private DNS zone is linked to a network.
func linkedTo(z *model.DNSZone, v *model.VNet) bool {
	return slices.ContainsFunc(z.Links, func(l model.ZoneLink) bool { return l.VNet.Key() == v.ID.Key() })
}

// noPublicName is 1.3.7-c.
func noPublicName(ev *Evidence) []Part {
	return ev.eachCluster("no cluster has a public name: enablePrivateClusterPublicFQDN is false, and no public zone holds a private address", func(c *model.Cluster, p *Part) {
		if c.PublicFQDN != model.Off {
			p.Faults = append(p.Faults, configFault(CauseSetting, ev.refs.Of(model.SelCluster, c), "apiServerAccessProfile.enablePrivateClusterPublicFQDN", c.PublicFQDN.String(), "false", c.Source, "set enablePrivateClusterPublicFQDN to false; left out it is true"))
		}
		for _, f := range ev.findings("private-address-in-public-zone") {
			x := Fault{Cause: Cause{Class: CauseSetting, Of: f.Subject, Field: "A"}, Subject: f.Subject, Text: f.Text, Source: f.Source, Remedy: f.Remedy}
			if !slices.ContainsFunc(p.Faults, func(y Fault) bool { return y.Cause == x.Cause }) {
				p.Faults = append(p.Faults, x)
			}
		}
	})
}

// policyForPrivateClusters is 1.3.7-d.
func policyForPrivateClusters(ev *Evidence) []Part {
	const statement = "Azure Policy denies clusters that are not private"
	judged, _ := ev.clusters()
	if len(judged) == 0 {
		return []Part{ev.absent(statement, "clusters", "the input holds no cluster with a member in an internal zone")}
	}
	got := ev.policyEnforced("040732e8-d947-40b8-95d6-854c95024bf8", "apiServerAccessProfile.enablePrivateCluster", judged)
	if !got.found {
		p := unknownPart(statement, "the input holds no policy assignments")
		p.Faults = []Fault{{Cause: Cause{Class: CauseNoRef, Of: "Microsoft.Authorization/policyAssignments"}, Text: p.Reason, Remedy: "add what `az policy assignment list` prints to the inputs"}}
		return []Part{p}
	}
	p := Part{Statement: statement, Subjects: len(judged), Facts: got.by, Faults: got.faults}
	p.Notes = append(p.Notes, "whether public names of private clusters are denied too is not asked: no built-in policy does it")
	return []Part{p.judged()}
}

// gatewayNamesBalancer is 1.3.7-e.
func gatewayNamesBalancer(ev *Evidence) []Part {
	p := Part{Statement: "gateways name the internal load balancer by a name in a private DNS zone that they resolve"}
	fronts := ev.internalFrontends()
	if len(ev.e.AppGateways) == 0 || len(fronts) == 0 {
		return []Part{ev.noBalancer(p.Statement, "the input holds no application gateway in front of an internal load balancer")}
	}
	addresses := map[netip.Addr]string{}
	for _, f := range fronts {
		if f.service != nil {
			for _, a := range f.service.Addresses() {
				addresses[a] = f.name
			}
		} else if f.lb != nil && f.front.Address.IsValid() {
			addresses[f.front.Address] = f.name
		}
	}
	for _, g := range ev.e.AppGateways {
		var nets []*model.VNet
		for _, id := range g.Subnets {
			if _, v := ev.e.SubnetOf(id); v != nil {
				nets = append(nets, ev.resolvers(v)...)
			}
		}
		for _, b := range g.Pools {
			of := ev.refs.Of(model.SelAppGateway, g) + "/" + b.Name
			for _, a := range b.Addresses {
				if name, ok := addresses[a]; ok {
					p.Subjects++
					p.Faults = append(p.Faults, configFault(CauseSetting, of, "backendAddresses", a.String(), "a name that leads to "+name, b.Source, "name the back end, and put the name into a private DNS zone"))
				}
			}
			for _, name := range b.FQDNs {
				p.Subjects++
				z, found, ok := ev.privateRecord(name)
				switch {
				case !ok:
					p.Verdict, p.Reason = ItemUnknown, "no private DNS zone of the input holds "+name
					p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseNoRef, Of: "privateDnsZones/" + parentName(name)}, Subject: of, Text: p.Reason, Source: b.Source.String(), Remedy: "add the zone with its records and links to the inputs"})
					continue
				case !slices.ContainsFunc(found, func(a netip.Addr) bool { return addresses[a] != "" }):
					p.Facts = append(p.Facts, of+": "+name+" is no frontend of a cluster")
					continue
				}
				for _, v := range nets {
					if z.Private && linkedTo(z, v) {
						p.Facts = append(p.Facts, fmt.Sprintf("%s: %s is in %s, which is linked to %s", of, name, z.Name(), v.Name()))
						continue
					}
					p.Faults = append(p.Faults, configFault(CauseSetting, z.Name(), "virtualNetworkLinks", "no link to "+v.Name(), "a link to "+v.Name(), z.Source, "link the zone to "+v.Name()+", by whose DNS the gateway resolves"))
				}
				if len(nets) == 0 {
					p.Verdict, p.Reason = ItemUnknown, "ASM-E-DNSCUSTOM: the DNS servers of the gateway's network are not in the input"
				}
			}
		}
	}
	if p.Subjects == 0 {
		return []Part{notApplicable(p.Statement, "no back end of a gateway is a load balancer: AGIC and Application Gateway for Containers program addresses of pods")}
	}
	for _, f := range ev.findings("private-address-in-public-zone") {
		p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseSetting, Of: f.Subject, Field: "A"}, Subject: f.Subject, Text: f.Text, Source: f.Source, Remedy: f.Remedy})
	}
	if len(p.Faults) > 0 && p.Verdict == "" {
		p.Verdict = ItemFail
	}
	return []Part{p.judged()}
}

func parentName(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}

// privateRecord finds the addresses of a name in the private zones of the input.
func (ev *Evidence) privateRecord(name string) (*model.DNSZone, []netip.Addr, bool) {
	low := strings.ToLower(strings.TrimSuffix(name, "."))
	for _, z := range ev.e.DNSZones {
		if !z.Private {
			continue
		}
		zone := z.Zone
		for _, r := range z.Records {
			if strings.EqualFold(r.Name+"."+zone, low) || r.Name == "@" && zone == low {
				return z, r.Addresses, true
			}
		}
	}
	return nil, nil, false
}

// noPrivateAddressesInResponses is 1.3.7-f.
func noPrivateAddressesInResponses(ev *Evidence) []Part {
	p := ev.attestation("responses carry no private addresses")
	for _, g := range ev.e.AppGateways {
		if len(g.RewriteSets) == 0 {
			p.Facts = append(p.Facts, ev.refs.Of(model.SelAppGateway, g)+" has no rewrite rules")
		} else {
			p.Facts = append(p.Facts, ev.refs.Of(model.SelAppGateway, g)+" rewrites: "+strings.Join(g.RewriteSets, ", "))
		}
	}
	return []Part{p}
}

// logsNotExposed is 1.3.7-g.
func logsNotExposed(ev *Evidence) []Part {
	p := ev.attestation("logs with addresses are not exposed")
	for _, s := range ev.e.Services {
		if s.Kind == model.LogAnalytics {
			p.Facts = append(p.Facts, fmt.Sprintf("%s: publicNetworkAccess for ingestion and query %s", ev.refs.Of(model.SelService, s), quoted(s.Public)))
		}
	}
	return []Part{p}
}
