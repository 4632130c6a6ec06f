package azure

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// Apart returns what the resources of an import say by themselves, for a snapshot.
func (r Result) Apart() model.Apart {
	count := map[string]int{}
	for _, o := range r.Resources {
		count[o.ResourceID().Key()]++
	}
	var list []model.Resource
	for i, o := range r.Resources {
		if count[o.ResourceID().Key()] > 1 || o != r.asRead[i] && !reflect.DeepEqual(o, r.asRead[i]) {
			list = append(list, r.asRead[i])
		}
	}
	claims := slices.Clone(r.claims)
	slices.SortStableFunc(claims, func(a, b model.Claim) int {
		return cmp.Or(a.Entry.Source.Compare(b.Entry.Source), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Entry.Field, b.Entry.Field))
	})
	return model.Apart{Read: model.Hold(list), Claims: claims}
}

// asRead is a copy of what link changes; of other resources, the resource. What link decides anew each time (NSG.Managed) does not count.
func asRead(o model.Resource) model.Resource {
	switch o := o.(type) {
	case *model.NIC:
		c := *o
		c.IPConfigs = slices.Clone(o.IPConfigs)
		for i := range c.IPConfigs {
			x := &c.IPConfigs[i]
			x.LBPools, x.NATRules, x.AGWPools = slices.Clone(x.LBPools), slices.Clone(x.NATRules), slices.Clone(x.AGWPools)
		}
		return &c
	case *model.VM:
		c := *o
		c.NICs = slices.Clone(o.NICs)
		return &c
	case *model.ScaleSet:
		c := *o
		return &c
	case *model.PublicIP:
		c := *o
		return &c
	case *model.LoadBalancer:
		c := *o
		c.Frontends, c.Pools, c.NATRules = slices.Clone(o.Frontends), slices.Clone(o.Pools), slices.Clone(o.NATRules)
		for i := range c.Pools {
			c.Pools[i].IPConfigs = slices.Clone(c.Pools[i].IPConfigs)
		}
		return &c
	case *model.AppGateway:
		c := *o
		c.Frontends, c.Pools = slices.Clone(o.Frontends), slices.Clone(o.Pools)
		for i := range c.Pools {
			c.Pools[i].IPConfigs = slices.Clone(c.Pools[i].IPConfigs)
		}
		return &c
	case *model.NATGateway:
		c := *o
		c.PublicIPs = slices.Clone(o.PublicIPs)
		return &c
	case *model.Firewall:
		c := *o
		c.PublicIPs = slices.Clone(o.PublicIPs)
		return &c
	case *model.Gateway:
		c := *o
		c.PublicIPs = slices.Clone(o.PublicIPs)
		return &c
	case *model.Bastion:
		c := *o
		return &c
	case *model.PrivateEndpoint:
		c := *o
		c.NICs, c.Addresses = slices.Clone(o.NICs), slices.Clone(o.Addresses)
		return &c
	default:
		return o
	}
}
