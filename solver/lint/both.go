package lint

import "github.com/ringfence/ringfence/model"

const asymmetric = "asymmetric-path"

// CheckBoth returns findings of two projects, worst first. Where these differ in rules of NSGs alone, findings that both have for certain are left
// out: of the ways of packets, and of NSGs that do not stand where one that differs does.
func CheckBoth(base, proposed *model.Project) (before, after []Finding) {
	a, b := newReader(base), newReader(proposed)
	if changed, spelled, ok := changedNSGs(base.Estate, proposed.Estate); ok && sameFrame(base, proposed) {
		if spelled {
			b.routes = a.routes // no route depends on an NSG
		}
		for _, r := range []*reader{a, b} {
			r.only = r.beside(changed)
		}
	}
	return a.check(), b.check()
}

// sameFrame reports whether two projects state and know the same beside their resources.
func sameFrame(a, b *model.Project) bool {
	return (a.Intent == nil) == (b.Intent == nil) && (a.Intent == nil || model.Alike(a.Intent, b.Intent)) && (a.Tags == nil) == (b.Tags == nil) && (a.Tags == nil || model.Alike(a.Tags, b.Tags))
}

// changedNSGs lists the keys of the NSGs in which two estates differ; ok is false where they differ in anything else, spelled where no
// other resource spells an ID otherwise.
func changedNSGs(a, b *model.Estate) (changed map[string]bool, spelled, ok bool) {
	before, after := a.Resources(), b.Resources()
	if len(before) != len(after) || len(a.Ledger) != len(b.Ledger) {
		return nil, false, false
	}
	changed, spelled = map[string]bool{}, true
	for i, x := range before {
		if model.SameAt(x, after[i], nil) {
			continue
		}
		if model.Alike(x, after[i]) {
			spelled = false
			continue
		}
		g, ok := x.(*model.NSG)
		if _, too := after[i].(*model.NSG); !ok || !too || !g.ID.Is(after[i].ResourceID()) {
			return nil, false, false
		}
		changed[g.ID.Key()] = true
	}
	for i := range a.Ledger {
		if !model.Alike(a.Ledger[i], b.Ledger[i]) {
			return nil, false, false
		}
	}
	return changed, spelled, true
}

// beside adds to some NSGs all that stand at a subnet where one of them stands.
func (r *reader) beside(some map[string]bool) map[string]bool {
	at := map[string]bool{}
	for _, g := range r.e.NSGs {
		if some[g.ID.Key()] {
			for _, id := range r.postOf(g).subnets {
				at[id.Key()] = true
			}
		}
	}
	out := map[string]bool{}
	for _, g := range r.e.NSGs {
		out[g.ID.Key()] = some[g.ID.Key()]
		for _, id := range r.postOf(g).subnets {
			out[g.ID.Key()] = out[g.ID.Key()] || at[id.Key()]
		}
	}
	return out
}
