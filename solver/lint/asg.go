package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// asgSpansVNets: all members of an application security group sit in one VNet, and so do the groups of both sides of a rule; an input that says
// otherwise mixes times or was never deployed (AZ-ASG-02).
func asgSpansVNets(r *reader, found sink) {
	homes := map[string][]string{} // keys of the VNets that hold members, by the group's key
	join := func(groups []model.ID, subnet model.ID) {
		if subnet == "" {
			return
		}
		for _, g := range groups {
			if v := subnet.Parent().Key(); !slices.Contains(homes[g.Key()], v) {
				homes[g.Key()] = append(homes[g.Key()], v)
			}
		}
	}
	for _, n := range r.e.NICs {
		for _, c := range n.IPConfigs {
			join(c.ASGs, c.Subnet)
		}
	}
	for _, s := range r.e.ScaleSets {
		for _, p := range s.Profiles {
			for _, c := range p.IPConfigs {
				join(c.ASGs, c.Subnet)
			}
		}
	}
	for _, p := range r.e.Endpoints {
		join(p.ASGs, p.Subnet)
	}
	for _, c := range r.e.Clusters {
		for _, p := range c.Pools {
			join(p.ASGs, p.Subnet)
		}
	}
	for _, g := range r.e.ASGs {
		if in := homes[g.ID.Key()]; len(in) > 1 {
			found(fact{
				subject: "asg:" + g.Name(), origin: g.Source,
				text:   fmt.Sprintf("The members of the application security group sit in %d VNets (%s): Azure takes members of one VNet alone.", len(in), r.vnetNames(in)),
				remedy: "Export the network interfaces and the group at one time; use one group for each VNet.",
			})
		}
	}
	for _, g := range r.e.NSGs {
		for _, u := range g.Rules {
			if len(u.SourceAddrs.ASGs) == 0 || len(u.DestAddrs.ASGs) == 0 {
				continue
			}
			var in []string
			for _, id := range slices.Concat(u.SourceAddrs.ASGs, u.DestAddrs.ASGs) {
				if own := homes[id.Key()]; len(own) == 1 && !slices.Contains(in, own[0]) {
					in = append(in, own[0])
				}
			}
			if len(in) > 1 {
				found(fact{
					subject: r.nsgRule(g, u), origin: ruleOrigin(g, u),
					text:   fmt.Sprintf("The application security groups of the rule have their members in different VNets (%s): Azure takes groups of one VNet alone.", r.vnetNames(in)),
					remedy: "Name the addresses of the other VNet instead of its group.",
				})
			}
		}
	}
}

// vnetNames lists VNets by their keys, sorted.
func (r *reader) vnetNames(keys []string) string {
	var out []string
	for _, k := range keys {
		out = append(out, model.ID(k).Name())
		if v, ok := model.Get[*model.VNet](r.e, model.ID(k)); ok {
			out[len(out)-1] = v.Name()
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
