package trace

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// misread lists what the input says of a resource, or of the estate, that nobody understood (AZ-GEN-08): an entry that names nothing is about
// every VNet; one that changes what names resolve to, or adds what the input lacks, is about no packet.
func (w *world) misread(id model.ID) []model.LedgerEntry {
	var out []model.LedgerEntry
	for _, x := range w.e.Ledger {
		if x.Disposition != model.Unsupported || x.Role == model.Resolves || x.Role == model.Adds {
			continue
		}
		about := contains(x.Affects, id)
		if len(x.Affects) == 0 {
			_, about = model.Get[*model.VNet](w.e, id)
		}
		if about {
			out = append(out, x)
		}
	}
	return out
}

// doubts are the entries that name one of some resources: each may stop every packet there. An entry that names nothing does not, for it would
// leave nothing certain in the whole estate.
func (w *world) doubts(ids ...model.ID) []model.LedgerEntry {
	var out []model.LedgerEntry
	for _, id := range ids {
		for _, x := range w.misread(id) {
			if len(x.Affects) > 0 {
				out = append(out, x)
			}
		}
	}
	return out
}

// doubtsAt are those before a host: of its NIC, scale set or private endpoint, of its subnet and of its VNet.
func (w *world) doubtsAt(h *host) []model.LedgerEntry {
	ids := []model.ID{h.subnetID, h.subnetID.Parent()}
	switch {
	case h.nic != nil:
		ids = append(ids, h.nic.ID)
	case h.scaleSet != nil:
		ids = append(ids, h.scaleSet.ID)
	case h.endpoint != nil:
		ids = append(ids, h.endpoint.ID)
	default:
	}
	return w.doubts(ids...)
}

// namesOf are the assumptions that name entries of the ledger.
func namesOf(list []model.LedgerEntry) []string {
	var out []string
	for _, x := range list {
		what := x.Resource.ShortName()
		if x.Resource == "" && x.Role == model.Steers { // not built to objects
			what = x.Source.File
		}
		if x.Field != "" {
			what += " " + x.Field
		}
		out = append(out, "UNSUPPORTED("+x.Type+" "+what+")")
	}
	return sorted(out)
}

// carriers are the objects that may carry the packets of a VNet past all that the input describes: whole ones. One member of an object that is
// understood otherwise may change what that lets pass, and an NSG carries nothing.
func (w *world) carriers(v *model.VNet) []model.LedgerEntry {
	var out []model.LedgerEntry
	for _, x := range w.misread(v.ID) {
		if whole(x) && !strings.HasPrefix(strings.ToLower(x.Type), "microsoft.network/networksecuritygroups") {
			out = append(out, x)
		}
	}
	return out
}

// whole reports that an entry is about a whole object, or about the pages that a listing lacks.
func whole(x model.LedgerEntry) bool { return x.Field == "" || x.Resource == "" }

// relays are the objects that may let packets in from outside into some VNet or subnet of the input. at: those that may have an address in one
// subnet; nil: all.
func (w *world) relays(at *model.Subnet) []model.LedgerEntry {
	var out []model.LedgerEntry
	for _, x := range w.e.Ledger {
		if x.Disposition != model.Unsupported || x.Role != model.Carries || !whole(x) || strings.HasPrefix(strings.ToLower(x.Type), "microsoft.network/networksecuritygroups") {
			continue
		}
		in := false
		for _, s := range w.e.Subnets {
			in = in || (at == nil || same(at.ID, s.ID)) && w.mayStandIn(x, s)
		}
		for _, v := range w.e.VNets {
			in = in || at == nil && !v.Partial && (len(x.Affects) == 0 || contains(x.Affects, v.ID))
		}
		if in {
			out = append(out, x)
		}
	}
	return out
}

// mayStandIn reports that an object names a subnet, or something in it.
func (w *world) mayStandIn(x model.LedgerEntry, s *model.Subnet) bool {
	for _, id := range x.Affects {
		if same(id, s.ID) {
			return true
		}
		if n, ok := model.Get[*model.NIC](w.e, id); ok && slices.ContainsFunc(n.IPConfigs, func(c model.IPConfig) bool { return same(c.Subnet, s.ID) }) {
			return true
		}
		if lb, ok := model.Get[*model.LoadBalancer](w.e, id); ok && slices.ContainsFunc(lb.Frontends, func(f model.LBFrontend) bool { return same(f.Subnet, s.ID) }) {
			return true
		}
		if p, ok := model.Get[*model.PrivateEndpoint](w.e, id); ok && same(p.Subnet, s.ID) {
			return true
		}
		if set, ok := model.Get[*model.ScaleSet](w.e, id); ok {
			for _, profile := range set.Profiles {
				if slices.ContainsFunc(profile.IPConfigs, func(c model.IPConfig) bool { return same(c.Subnet, s.ID) }) {
					return true
				}
			}
		}
	}
	return false
}

// doubted is a verdict of a control of which the input says something that was not understood: it may be the other one.
func doubted(v verdict, list []model.LedgerEntry) verdict {
	if len(list) == 0 {
		return v
	}
	detail := "part of it was not understood (AZ-GEN-08)"
	return v.either(verdict{allow: blame{is: true, detail: detail}, deny: blame{is: true, detail: detail}}, namesOf(list)...)
}

// hindered is a verdict of a control behind something that was not understood and that may stop what the control lets pass.
func hindered(v verdict, list []model.LedgerEntry) verdict {
	if len(list) == 0 || !v.allow.is {
		return v
	}
	return v.either(verdict{deny: blame{is: true, detail: "something that was not understood may stop the packet (AZ-GEN-08)"}}, namesOf(list)...)
}
