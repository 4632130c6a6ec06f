package dataplane

import (
	"strings"

	"github.com/ringfence/ringfence/model"
)

// perimeter is what a network security perimeter does with the public door of a service (AZ-NSP-01 to AZ-NSP-04).
type perimeter struct {
	admits  guard // by the inbound rules of the service's profile
	alone   bool  // the service's own rules are not consulted: Enforced, or SecuredByPerimeter
	unknown bool  // the rules are not in the input
	several bool  // the service has more than one association, and nobody knows which one counts
	notes   []string
}

// perimeterOf is the perimeter that holds a service; false where none does.
func (p *planner) perimeterOf(s *model.Service) (perimeter, bool) {
	secured := strings.EqualFold(s.Public, "SecuredByPerimeter")
	var all []perimeter
	elsewhere := false
	for _, a := range p.e.Associations {
		if a.Resource.Key() == s.ID.Key() {
			x := p.profile(s, a.Profile)
			x.alone = secured || a.Mode == "Enforced"
			all = append(all, x)
		}
		elsewhere = elsewhere || a.Resource == ""
	}
	switch {
	case len(all) == 0 && !secured && !elsewhere:
		return perimeter{}, false
	case len(all) == 0 && !secured: // AZ-NSP-04: it may be held, or not
		return perimeter{admits: onlyOver(everything()), unknown: true, several: true, notes: []string{"ASM-E-NSP"}}, true
	case len(all) == 0: // AZ-NSP-04: the association is not in the input
		return perimeter{admits: onlyOver(everything()), alone: true, unknown: true, notes: []string{"ASM-E-NSP"}}, true
	}
	out := all[0]
	for _, x := range all[1:] {
		out.admits = anyOf([]guard{out.admits, x.admits})
		out.alone, out.unknown, out.several = out.alone && x.alone, out.unknown || x.unknown, true
		out.notes = append(out.notes, append(x.notes, "ASM-E-NSP")...)
	}
	return out, true
}

// profile is what the inbound rules of a profile admit. An input without the profile, or without any rule of its perimeter, does not say.
func (p *planner) profile(s *model.Service, id model.ID) perimeter {
	known := false
	var gs []guard
	var notes []string
	for _, r := range p.e.PerimeterRules {
		known = known || r.ID.Parent().Parent().Key() == id.Parent().Key()
		if r.ID.Parent().Key() != id.Key() || !r.Inbound || len(r.Prefixes) == 0 {
			continue
		}
		for _, entry := range p.fogged(r.ID) {
			known, notes = false, append(notes, unsupported(entry))
		}
		g, more := p.addressRule(s, r.Prefixes)
		gs, notes = append(gs, g), append(notes, more...)
	}
	if _, ok := model.Get[*model.PerimeterProfile](p.e, id); !ok || !known {
		return perimeter{admits: onlyOver(everything()), unknown: true, notes: append(notes, "ASM-E-NSP")}
	}
	return perimeter{admits: anyOf(gs), notes: notes}
}

// joined is what a door admits by its own rules and by the perimeter that holds it (AZ-NSP-02, AZ-NSP-03).
func (x perimeter) joined(own guard) guard {
	out := x.admits
	if !x.alone {
		out = anyOf([]guard{own, x.admits})
	}
	if x.several {
		return out.mayOnly()
	}
	return out
}

// byEndpoint is what a door that a perimeter holds admits over a service endpoint, whose source is no public address: in over what its own rules
// do, and nothing for certain where they are not consulted (AZ-NSP-02).
func (x perimeter) byEndpoint(own guard) guard {
	switch {
	case x.unknown:
		return anyOf([]guard{own.mayOnly(), onlyOver(everything())})
	case x.alone, x.several:
		return own.mayOnly()
	default:
		return own
	}
}
