package pci

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// storesPrivate is 1.3.6-a.
func storesPrivate(ev *Evidence) []Part {
	stores := ev.storeSelectors()
	if len(stores) == 0 {
		return []Part{ev.noStores("stores of card data are reached over the private network alone")}
	}
	from := ev.zones(untrustedKinds()...)
	from = append(from, ev.zones(model.ZoneDMZ)...)
	var parts []Part
	for _, at := range stores {
		to := []model.Selector{at}
		p := ev.denyDirect(from, to).said(1, "no packet from %s reaches %s by any door", texts(from), at.Text)
		for i := range p.Faults {
			if s := ev.storeService(at); s != nil && p.Faults[i].Cause.Of == "" {
				p.Faults[i].Cause = Cause{Class: CausePaaSDoor, Of: string(s.ID)}
			}
		}
		if s := ev.storeService(at); s != nil {
			p.Facts = append(p.Facts, ev.refs.Of(model.SelService, s)+": publicNetworkAccess "+quoted(s.Public)+inBrackets(s.Source.String()))
			for _, e := range ev.endpointsOf(s.ID) {
				p.Facts = append(p.Facts, ev.refs.Of(model.SelEndpoint, e)+inBrackets(e.Source.String()))
			}
			if s.Bypass != "" && s.Bypass != "None" {
				p.Notes = append(p.Notes, "trusted services of Azure pass its firewall: bypass "+s.Bypass+" (ASM-E-TRUSTED)")
			}
			if slices.ContainsFunc(s.IPRules, func(r model.IPRule) bool { return r.AllAzure }) {
				p.Faults = append(p.Faults, configFault(CausePaaSDoor, string(s.ID), "firewallRules", "0.0.0.0: every tenant of Azure", "no such rule", s.Source, "remove the rule AllowAllWindowsAzureIps"))
				p.Verdict = ItemFail
			}
		}
		parts = append(parts, p.remedied("set publicNetworkAccess to Disabled, use a private endpoint, and deny the rest at its subnet"))
		// A chain counts by its last relay: one in a zone that may reach the store is judged there.
		inside := ev.zones(model.ZoneCDE, model.ZoneData, model.ZoneManagement)
		if len(inside) > 0 {
			parts = append(parts, ev.throughRelays(from, to, inside).said(1, "every chain of relays from there to %s ends in a zone of kind cde, data or management", at.Text))
		}
	}
	return parts
}

// noStores is the part of an item about stores where none are declared.
func (ev *Evidence) noStores(statement string) Part {
	p := ev.absent(statement, "stores", "ringfence.yaml declares no stores")
	if p.Verdict == ItemUnknown {
		p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "stores"}, Text: p.Reason, Source: ev.in.Source.String(), Remedy: "declare where card data is kept: stores, with at and data"}}
	}
	return p
}

// storeService is the PaaS service that a store's selector names, if it is one.
func (ev *Evidence) storeService(at model.Selector) *model.Service {
	if at.Kind != model.SelService {
		return nil
	}
	found, err := ev.e.Find(at)
	if err != nil || len(found) != 1 {
		return nil
	}
	s, _ := found[0].Resource.(*model.Service)
	return s
}

// storesFromTheirPools is 1.3.6-b.
func storesFromTheirPools(ev *Evidence) []Part {
	const statement = "node subnets reach a store only if they host a workload that a declared data flow puts before it"
	stores := ev.storeSelectors()
	if len(stores) == 0 {
		return []Part{ev.noStores(statement)}
	}
	pools := ev.pools()
	if len(pools) == 0 {
		return []Part{ev.noPools(statement)}
	}
	var parts []Part
	for _, at := range stores {
		before := ev.before(at)
		var hosts, others []model.Selector
		var notes []string
		for _, p := range pools {
			subnets := []*model.Subnet{}
			for _, id := range []model.ID{p.Subnet, p.PodSubnet} {
				if s, ok := model.Get[*model.Subnet](ev.e, id); ok {
					subnets = append(subnets, s)
				}
			}
			runs := slices.ContainsFunc(before, func(w *model.Workload) bool { return ev.mayRunOn(w, p) })
			if runs {
				hosts = append(hosts, ev.selAll(model.SelSubnet, subnets)...)
			} else {
				others = append(others, ev.selAll(model.SelSubnet, subnets)...)
			}
		}
		for _, w := range before {
			if len(w.NodeSelector) == 0 && !w.Affinity {
				notes = append(notes, ev.refs.Of(model.SelPod, w)+" is pinned to no pool: every pool that it tolerates hosts it")
			}
		}
		others = slices.DeleteFunc(others, func(s model.Selector) bool {
			return slices.ContainsFunc(hosts, func(h model.Selector) bool { return h.Text == s.Text })
		})
		if len(others) == 0 {
			p := Part{Statement: "no other node subnet than those that need it reaches " + at.Text, Verdict: ItemPass, Subjects: 1, Notes: notes, Facts: []string{"every node subnet hosts a workload that needs it: " + texts(hosts)}}
			parts = append(parts, p)
			continue
		}
		p := ev.denyDirect(others, []model.Selector{at}).said(len(others), "no packet from %s, which host nothing that needs it, reaches %s", texts(others), at.Text)
		p.Facts = append(p.Facts, "may reach it: "+texts(hosts))
		p.Notes = append(p.Notes, notes...)
		parts = append(parts, p.remedied("deny the pool's subnet at the NSG of the private endpoint's subnet"))
	}
	return parts
}

// before are the workloads that declared data flows put before a store.
func (ev *Evidence) before(at model.Selector) []*model.Workload {
	var out []*model.Workload
	for _, f := range ev.in.DataFlows {
		from := f.From
		for _, to := range f.Path {
			if to.Text == at.Text && from.Kind == model.SelPod {
				if found, err := ev.e.Find(from); err == nil {
					for _, x := range found {
						if w, ok := x.Resource.(*model.Workload); ok && !slices.Contains(out, w) {
							out = append(out, w)
						}
					}
				}
			}
			from = to
		}
	}
	return out
}

// mayRunOn reports whether the scheduler may place a workload on a pool, as the solver's placement has it (K8S-WL-08).
func (ev *Evidence) mayRunOn(w *model.Workload, p pool) bool {
	is := func(x model.Place) bool {
		return x.Kind == model.PlacePod && x.ID.Key() == w.ID.Key() && (x.Part == "" || strings.EqualFold(x.Part, p.Name))
	}
	return w.Cluster.Key() == p.cluster.ID.Key() && (slices.ContainsFunc(ev.members(), func(m member) bool { return is(m.Place) }) ||
		slices.ContainsFunc(ev.unzoned(), func(e solver.Endpoint) bool { return is(e.Place) }))
}

// noStateInCluster is 1.3.6-c.
func noStateInCluster(ev *Evidence) []Part {
	p := Part{Statement: "workloads of zones of kind cde keep no state in the cluster"}
	list := ev.workloadsIn(model.ZoneCDE)
	if len(list) == 0 {
		u := ev.absent(p.Statement, "clusters", "the input holds no workload in a zone of kind cde")
		if u.Verdict == ItemUnknown {
			of := "workloads"
			if judged, _ := ev.clusters(); len(judged) > 0 {
				of = string(judged[0].ID)
			}
			u.Faults = []Fault{{Cause: Cause{Class: CauseNoPods, Of: of}, Text: u.Reason, Remedy: "add the cluster's manifests to the inputs"}}
		}
		return []Part{u}
	}
	for _, w := range list {
		p.Subjects++
		ref := ev.refs.Of(model.SelPod, w)
		if w.Claims {
			p.Faults = append(p.Faults, configFault(CauseSetting, ref, "volumeClaimTemplates", "stated", "none", w.Source, "keep the state in a store of a zone of kind data"))
		}
		for _, v := range w.Volumes {
			p.Faults = append(p.Faults, configFault(CauseSetting, ref, "volumes[]."+v, "stated", "secrets, emptyDir or projected volumes", w.Source, "keep the state in a store of a zone of kind data"))
		}
	}
	own := Part{Statement: "every store lies in a zone of kind data that holds no compute"}
	if len(ev.in.Stores) == 0 {
		return []Part{p.judged(), ev.noStores(own.Statement)}
	}
	for _, s := range ev.in.Stores {
		own.Subjects++
		found, err := ev.e.Find(s.At)
		if err != nil {
			own.Verdict, own.Reason = ItemUnknown, err.Error()
			continue
		}
		for _, f := range found {
			zones := ev.zonesOf(f.Resource.ResourceID())
			if len(zones) == 0 {
				own.Faults = append(own.Faults, Fault{Cause: Cause{Class: CauseUnzoned, Of: s.At.Text}, Subject: s.At.Text, Text: s.At.Text + " is in no zone", Source: s.Source.String(), Remedy: "add it to the members of a zone of kind data"})
			}
			for _, z := range zones {
				if z.Kind != model.ZoneData {
					own.Faults = append(own.Faults, configFault(CauseSetting, s.At.Text, "zone", z.Name+" of kind "+string(z.Kind), "a zone of kind data", z.Source, "give stores a zone of kind data"))
				}
			}
		}
	}
	for _, m := range ev.members() {
		if m.zone.Kind != model.ZoneData {
			continue
		}
		switch m.Place.Kind {
		case model.PlacePod, model.PlaceNodePool, model.PlaceNIC, model.PlaceScaleSet:
			if !slices.ContainsFunc(ev.in.Stores, func(s model.Store) bool { return s.At.Text == m.Ref }) {
				own.Faults = append(own.Faults, configFault(CauseSetting, m.Ref, "zone", m.zone.Name, "a zone without stores", m.zone.Source, "keep compute out of the zone of the stores"))
			}
		default:
		}
	}
	if len(own.Faults) > 0 {
		own.Verdict = ItemFail
	}
	return []Part{p.judged(), own.judged()}
}
