package trace

import (
	"strings"

	"github.com/ringfence/ringfence/model"
)

// misread lists what the input says of a resource, or of the estate, that nobody understood (AZ-GEN-08): with names, those entries alone that
// name the resource; an entry that names nothing is about every VNet.
func (w *world) misread(id model.ID) []model.LedgerEntry {
	var out []model.LedgerEntry
	for _, x := range w.e.Ledger {
		if x.Disposition != model.Unsupported {
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

// namesOf are the assumptions that name entries of the ledger.
func namesOf(list []model.LedgerEntry) []string {
	var out []string
	for _, x := range list {
		what := x.Resource.ShortName()
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
		if x.Field == "" && !strings.HasPrefix(strings.ToLower(x.Type), "microsoft.network/networksecuritygroups") {
			out = append(out, x)
		}
	}
	return out
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
