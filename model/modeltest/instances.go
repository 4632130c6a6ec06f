package modeltest

import "github.com/ringfence/ringfence/model"

// instances draws scale sets of both orchestrations, and joins machines into VMs of one or several NICs.
func (d *draft) instances() {
	for i := range d.upTo(0, 2) {
		d.scaleSet(i)
	}
	rest := clip(d.nics)
	for i := 0; len(rest) > 0; i++ {
		n := min(len(rest), d.upTo(1, 2))
		if d.one(3) {
			rest = rest[n:]
			continue
		}
		v := &model.VM{Meta: d.meta(id("Microsoft.Compute", "virtualMachines", d.name("vm", i))), Deallocated: d.one(8)}
		if d.one(4) { // AZ-OUT-08
			v.ScaleSet = id("Microsoft.Compute", "virtualMachineScaleSets", choose(d, "ss0", "ss1", "gone"))
		}
		for _, nic := range rest[:n] {
			nic.VM = v.ID
			v.NICs = append(v.NICs, nic.ID)
		}
		rest = rest[n:]
		d.add(v)
	}
}

func (d *draft) scaleSet(i int) {
	s := &model.ScaleSet{
		Meta: d.meta(id("Microsoft.Compute", "virtualMachineScaleSets", d.name("ss", i))), Orchestration: choose(d, "Uniform", "Uniform", "Flexible", ""), Capacity: d.IntN(3),
	}
	var pools, rules []model.ID
	for _, r := range d.Resources {
		if lb, ok := r.(*model.LoadBalancer); ok {
			for _, p := range lb.Pools {
				pools = append(pools, p.ID)
			}
			for _, n := range lb.NATRules {
				rules = append(rules, n.ID)
			}
		}
	}
	for j := range d.upTo(1, 2) {
		p := model.NICProfile{Name: d.name("nic", j), Source: s.Source, NSG: maybe(d, 2, d.nsgs), IPForwarding: d.setting(), Primary: j == 0}
		in := choose(d, d.subnets...)
		for k := range d.upTo(1, 1+d.IntN(2)) {
			c := model.IPConfig{Name: d.name("ip", 2*j+k), Source: s.Source, Subnet: in.ID, Primary: k == 0, ASGs: some(d, 2, d.asgs...), LBPools: some(d, 3, pools...)}
			if d.one(6) {
				c.NATRules = some(d, 2, rules...)
			}
			if d.one(3) && !p.PublicPerVM {
				p.PublicPerVM, c.PublicIP = true, s.ID+"/publicIP"
			}
			p.IPConfigs = append(p.IPConfigs, c)
		}
		s.Profiles = append(s.Profiles, p)
	}
	d.add(s)
}
