package azure

import (
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readRouteTable reads a user-defined route table (AZ-RT-07 to AZ-RT-17, AZ-RT-26).
func readRouteTable(r *resource) {
	is, at := decode[armnetwork.RouteTable](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.RouteTablePropertiesFormat{}
	}
	at = at.get("properties")
	t := &model.RouteTable{Meta: r.meta(), DisableBGP: setting(p.DisableBgpRoutePropagation)}
	for _, s := range items(r, p.Routes, at.list("routes"), "routes") {
		if route, ok := userRoute(s); ok {
			t.Routes = append(t.Routes, route)
		}
	}
	t.Routes = merge(r, "routes", t.Routes, routeName)
	r.doubleRoutes(t)
	r.attach(r.references(at, "subnets"), "subnets", at)
	r.emit(t)
}

func routeName(u model.UserRoute) (string, model.Source) { return u.Name, u.Source }

// doubleRoutes reports two routes of one table for one prefix: the platform refuses them.
func (r *resource) doubleRoutes(t *model.RouteTable) {
	first := map[string]model.UserRoute{}
	for _, u := range t.Routes {
		key := strings.ToLower(u.Tag)
		if u.Prefix.IsValid() {
			key = u.Prefix.String()
		}
		prev, ok := first[key]
		if !ok {
			first[key] = u
			continue
		}
		if prev.Source.Compare(u.Source) > 0 {
			prev, u = u, prev
		}
		r.errs = append(r.errs, &model.InputError{
			Source: u.Source, Resource: r.id, Field: u.Name + ".addressPrefix", Found: key,
			Accepted: "a prefix that no other route of the table has; the other is at " + prev.Source.String(),
		})
	}
}

func userRoute(s item[armnetwork.Route]) (u model.UserRoute, ok bool) {
	at := s.at.get("properties")
	if s.is.Properties == nil {
		s.missing(s.at, "properties", "the route: a reference alone describes none")
		return u, false
	}
	before := len(s.errs)
	_, u.Name = s.part(s.at, "routes")
	u.Source = s.source(s.at.raw)
	switch prefix := at.get("addressPrefix"); {
	case prefix == nil || prefix.raw.text == "":
		s.missing(at, "addressPrefix", "a CIDR or a service tag")
	case isTag(prefix.raw.text):
		u.Tag = prefix.raw.text // AZ-RT-17
	default:
		u.Prefix, _ = s.prefix(prefix)
	}
	hop, _ := required(s.resource, at, "nextHopType", armnetwork.PossibleRouteNextHopTypeValues())
	u.NextHop = model.NextHopType(hop)
	if u.NextHop == model.HopAppliance {
		// AZ-RT-08: an appliance is an address; with other hops Azure ignores one.
		if u.Address = s.addr(at, "nextHopIpAddress"); !u.Address.IsValid() && at.text("nextHopIpAddress") == "" {
			s.missing(at, "nextHopIpAddress", "the address of the appliance")
		}
	}
	return u, len(s.errs) == before
}
