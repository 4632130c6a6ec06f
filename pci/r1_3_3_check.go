package pci

import (
	"net/netip"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// noUndeclaredForwarding is 1.3.3-a.
func noUndeclaredForwarding(ev *Evidence) []Part {
	p := Part{Statement: "no interface forwards packets of others but declared appliances and what AKS sets: elsewhere the platform checks source and destination"}
	p.Facts = append(p.Facts, "the virtual switch drops packets whose source is not the interface's own, unless IP forwarding is on")
	declared := func(ref string) bool {
		return slices.ContainsFunc(slices.Concat(ev.in.PCI.Appliances, ev.in.PCI.Firewalls), func(s model.Selector) bool { return s.Text == ref })
	}
	for _, n := range ev.e.NICs {
		p.Subjects++
		if n.IPForwarding != model.On {
			continue
		}
		ref := ev.refs.Of(model.SelNIC, n)
		vm := ""
		if v, ok := model.Get[*model.VM](ev.e, n.VM); ok {
			vm = ev.refs.Of(model.SelVM, v)
		}
		if declared(ref) || vm != "" && declared(vm) {
			p.Facts = append(p.Facts, ref+" forwards, declared in pci.appliances")
			continue
		}
		p.Faults = append(p.Faults, configFault(CauseSetting, ref, "properties.enableIPForwarding", "true", "false, or the interface in pci.appliances", n.Source, "switch IP forwarding off, or declare the appliance in pci.appliances"))
	}
	for _, v := range ev.e.ScaleSets {
		for _, f := range v.Profiles {
			p.Subjects++
			if f.IPForwarding != model.On {
				continue
			}
			ref := ev.refs.Of(model.SelVM, v)
			if v.Managed || declared(ref) {
				p.Facts = append(p.Facts, ref+" forwards: AKS sets it on its scale sets")
				continue
			}
			p.Faults = append(p.Faults, configFault(CauseSetting, ref, "networkInterfaceConfigurations["+f.Name+"].properties.enableIPForwarding", "true", "false", f.Source, "switch IP forwarding off, or declare the appliance in pci.appliances"))
		}
	}
	if p.Subjects == 0 {
		return []Part{unknownPart(p.Statement, "the input holds no network interface and no scale set")}
	}
	if len(p.Faults) > 0 {
		p.Verdict = ItemFail
	}
	parts := []Part{p.judged()}
	// A next hop that nothing in the input owns may be an appliance with forwarding that nobody declared.
	for _, t := range ev.e.RouteTables {
		for _, r := range t.Routes {
			if r.NextHop != model.HopAppliance || !r.Address.IsValid() || ev.owned(r.Address) {
				continue
			}
			u := unknownPart("every appliance that routes name is in the input", "nothing in the input has "+r.Address.String()+", the next hop of "+t.Name()+"/"+r.Name)
			u.Faults = []Fault{{Cause: Cause{Class: CauseNoRef, Of: r.Address.String()}, Subject: "routes:" + t.Name() + "/" + r.Name, Text: u.Reason, Source: r.Source.String(), Remedy: "add the appliance's network interface to the inputs"}}
			return append(parts, u)
		}
	}
	return parts
}

// owned reports whether something in the input has an address: an interface, a firewall, a frontend.
func (ev *Evidence) owned(a netip.Addr) bool {
	if slices.ContainsFunc(ev.e.Firewalls, func(f *model.Firewall) bool { return f.Address == a }) {
		return true
	}
	if slices.ContainsFunc(ev.e.NICs, func(n *model.NIC) bool {
		return slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return c.Address == a })
	}) {
		return true
	}
	for _, f := range ev.e.Firewalls { // its address is not stated: one of its subnet
		if s, ok := model.Get[*model.Subnet](ev.e, f.Subnet); ok && !f.Address.IsValid() && slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return true
		}
	}
	return slices.ContainsFunc(ev.e.LoadBalancers, func(l *model.LoadBalancer) bool {
		return slices.ContainsFunc(l.Frontends, func(f model.LBFrontend) bool { return f.Address == a })
	})
}
