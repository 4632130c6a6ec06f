package modeltest

import (
	"net/netip"

	"github.com/ringfence/ringfence/model"
)

// frontDoors draws Front Door profiles whose origins are public addresses and accounts of the estate, and others that may be anybody's.
func (d *draft) frontDoors() {
	var accounts []*model.Service
	hosts := []string{"198.51.100.7", "20.0.0.1", "20.0.0.2", "20.0.0.3", "20.3.0.9", "origin.example", "a.westeurope.cloudapp.azure.com"}
	named := false
	for _, r := range d.Resources {
		switch r := r.(type) {
		case *model.Service:
			accounts, hosts = append(accounts, r), append(hosts, r.Hosts...)
		case *model.PublicIP:
			if r.FQDN == "" && !named && d.one(3) { // Azure gives a name once
				r.FQDN, named = "a.westeurope.cloudapp.azure.com", true
			}
		default:
		}
	}
	for i := range d.upTo(1, 2) {
		f := &model.FrontDoor{Meta: d.meta(id("Microsoft.Cdn", "profiles", d.name("fd", i))), Tier: "Premium_AzureFrontDoor", FrontDoorID: choose(d, "0f0f", "0a0a", "")}
		part := func(kind, name string) model.ID { return f.ID + "/" + model.ID(kind) + "/" + model.ID(name) }
		for j := range d.upTo(1, 2) {
			g := model.OriginGroup{ID: part("originGroups", d.name("g", j)), Name: d.name("g", j), Source: f.Source, Probe: choose(d, "", "", "Http", "Https")}
			for k := range d.upTo(1, 2) {
				g.Origins = append(g.Origins, d.origin(g.ID+"/origins/"+model.ID(d.name("o", k)), d.name("o", k), f.Source, hosts, accounts))
			}
			f.Groups = append(f.Groups, g)
		}
		group := func() model.ID {
			if d.has(WithPartial) && d.one(6) {
				return part("originGroups", "gone")
			}
			return choose(d, f.Groups...).ID
		}
		if d.one(2) {
			s := model.FrontDoorRuleSet{ID: part("ruleSets", "set")}
			if d.one(2) {
				s.Groups = append(s.Groups, group())
			}
			f.RuleSets = append(f.RuleSets, s)
		}
		for j := range d.upTo(1, 2) {
			x := model.FrontDoorEndpoint{ID: part("afdEndpoints", d.name("e", j)), Name: d.name("e", j), Source: f.Source, Enabled: choose(d, model.On, model.On, model.On, model.Off)}
			for k := range d.IntN(3) {
				r := model.FrontDoorRoute{
					ID: x.ID + "/routes/" + model.ID(d.name("r", k)), Name: d.name("r", k), Source: f.Source, Enabled: choose(d, model.On, model.On, model.On, model.Off), Group: group(),
					Default: model.On, HTTP: d.one(2), HTTPS: !d.one(4), Redirect: d.setting(), Forwarding: choose(d, "HttpOnly", "HttpsOnly", "MatchRequest", ""),
				}
				if d.one(4) {
					r.RuleSets = append(r.RuleSets, part("ruleSets", choose(d, "set", "set", "gone")))
				}
				x.Routes = append(x.Routes, r)
			}
			f.Endpoints = append(f.Endpoints, x)
			if policy := d.wafPolicy(d.name(f.Name()+x.Name, j)); policy != "" {
				f.WAFs = append(f.WAFs, model.FrontDoorWAF{ID: part("securityPolicies", x.Name), Source: f.Source, Policy: policy, Domains: []model.ID{x.ID}, Whole: true})
			}
		}
		d.add(f)
	}
}

func (d *draft) origin(id model.ID, name string, at model.Source, hosts []string, accounts []*model.Service) model.FrontDoorOrigin {
	o := model.FrontDoorOrigin{ID: id, Name: name, Source: at, Host: choose(d, hosts...), HTTPPort: choose[uint16](d, 80, 80, d.port()), HTTPSPort: choose[uint16](d, 443, 443, d.port()), Enabled: choose(d, model.On, model.On, model.On, model.Off)}
	if len(accounts) > 0 && d.one(3) {
		o.IsPrivate, o.PrivateState = true, choose(d, "Approved", "Approved", "Pending", "")
		if o.PrivateTarget = choose(d, accounts...).ID; d.has(WithPartial) && d.one(4) {
			o.PrivateTarget += "gone"
		}
	}
	return o
}

// apims draws API Management services of every mode, in subnets of their own where they are injected.
func (d *draft) apims() {
	for i, v := range d.vnets {
		if i > 0 && d.one(2) {
			continue
		}
		a := &model.APIM{
			Meta: d.meta(id("Microsoft.ApiManagement", "service", d.name("api", i))), Tier: choose(d, "Developer", "Premium", "StandardV2", "PremiumV2"),
			Network: choose(d, "External", "External", "Internal", "Internal", "None", ""), Public: choose(d, "Enabled", "Enabled", "", "Disabled"),
		}
		a.Location = v.Location
		sites := 1 // each of an injected service has a subnet in its own region
		if !a.Injected() {
			sites = d.upTo(1, 2)
		}
		for range sites {
			a.Sites = append(a.Sites, d.apimSite(v, i, a, len(a.Sites)))
		}
		d.add(a)
	}
}

func (d *draft) apimSite(v *model.VNet, i int, a *model.APIM, n int) model.APIMSite {
	var x model.APIMSite
	if d.one(2) {
		x.PublicIP = d.publicIP(d.name(a.Name(), n)).ID
	} else if d.one(2) {
		x.PublicIPs = []netip.Addr{netip.AddrFrom4([4]byte{20, 0, 0, byte(200 + 8*i + n)})}
	}
	if a.Network == "" || a.Network == "None" || n > 0 {
		return x
	}
	p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 2, byte(192 + 8*i)}), 29)
	v.Prefixes = append(v.Prefixes, p)
	s := &model.Subnet{Meta: d.meta(v.ID + "/subnets/apim"), VNet: v.ID, Prefixes: []netip.Prefix{p}, NSG: maybe(d, 3, d.nsgs), DefaultOutbound: d.setting()}
	s.Location = v.Location
	if t := maybe(d, 2, d.tables); t != nil {
		s.RouteTable = t.ID
	}
	d.add(s)
	x.Subnet = s.ID
	if a.Network == "Internal" && !d.one(3) {
		if addr, ok := d.free(s); ok {
			x.PrivateIPs = []netip.Addr{addr}
		}
	}
	return x
}

// windows gives pools Windows nodes, where policy engines do less (K8S-NP-21, K8S-CIL-08).
func (d *draft) windows() {
	for _, r := range d.Resources {
		if c, ok := r.(*model.Cluster); ok {
			for i := range c.Pools {
				if d.one(2) {
					c.Pools[i].OS = "Windows"
				}
			}
		}
	}
}
