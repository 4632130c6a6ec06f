package pci

import (
	"slices"

	"github.com/ringfence/ringfence/model"
)

// onlyEstablished is 1.3.5-a.
func onlyEstablished(ev *Evidence) []Part {
	scope := ev.zones(scopeKinds()...)
	if len(scope) == 0 {
		return []Part{unknownPart("new connections enter the zones of card data through routers alone", "no zone of kind cde or data is declared")}
	}
	var parts []Part
	entry := ev.denyDirect(ev.zones(model.ZoneInternet), scope).said(len(scope), "no packet from the internet opens a connection into %s directly", texts(scope))
	parts = append(parts, entry)
	if via := slices.Concat(ev.routers(), ev.administrative()); len(via) > 0 {
		parts = append(parts, ev.throughRelays(ev.zones(model.ZoneInternet), scope, via).said(len(scope), "every chain of relays from the internet into them passes a router: %s", texts(via)))
	}
	state := Part{Statement: "the controls on the way keep state", Verdict: ItemPass}
	state.Facts = append(state.Facts,
		"NSGs keep the state of connections (AZ-NSG-14)", "Azure Firewall keeps the state of connections", "policy engines of AKS keep the state of connections (K8S-NP-20)")
	parts = append(parts, state)
	p := Part{Statement: "no flow across a stateful firewall has its answer take another way (AZ-RT-29)", Subjects: len(ev.e.Firewalls)}
	for _, f := range ev.findings("asymmetric-path") {
		p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseRoute, Of: f.Subject, Field: "return"}, Subject: f.Subject, Text: f.Text, Source: f.Source, Remedy: f.Remedy})
	}
	return append(parts, p.judged())
}
