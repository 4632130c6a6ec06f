package pci

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// enforced says whether an assignment of Azure Policy denies something at the clusters' scopes: found is false where the input holds no
// assignment at all.
type enforced struct {
	found  bool
	by     []string // assignments that deny it for every resource
	faults []Fault
}

// policyEnforced looks for a built-in policy, or one of the estate's own that tests a field, assigned with effect Deny at a scope that
// covers each of the resources.
func (ev *Evidence) policyEnforced(builtIn, field string, of []*model.Cluster) enforced {
	out := enforced{found: len(ev.e.Assignments) > 0}
	if !out.found {
		return out
	}
	for _, c := range of {
		var why []Fault
		by := ""
		for _, a := range ev.e.Assignments {
			effect, about, source := ev.effectOf(a, builtIn, field)
			if !about || !covers(a.Scope, c.ID) {
				continue
			}
			fault := func(text, name, found, wanted string) {
				why = append(why, Fault{
					Cause: Cause{Class: CauseSetting, Of: string(a.ID), Field: name}, Subject: a.ID.Name(), Text: text, Field: name, Found: found, Wanted: wanted, Source: source.String(),
					Remedy: "assign the policy with effect Deny and enforcementMode Default at a scope that covers the cluster",
				})
			}
			switch {
			case slices.ContainsFunc(a.NotScopes, func(s model.ID) bool { return covers(s, c.ID) }):
				fault("the assignment "+a.Name()+" leaves the cluster out", "properties.notScopes", string(c.ID), "a list without it")
			case a.Enforcement != "" && !strings.EqualFold(a.Enforcement, "Default"):
				fault("the assignment "+a.Name()+" is not enforced", "properties.enforcementMode", a.Enforcement, "Default")
			case !strings.EqualFold(effect, "Deny"):
				fault("the assignment "+a.Name()+" does not deny", "properties.parameters.effect", effect, "Deny")
			case ev.exempted(a, c.ID):
				fault("an exemption takes the cluster out of "+a.Name(), "policyExemptions", string(c.ID), "no live exemption")
			default:
				by = a.Name() + inBrackets(a.Source.String())
			}
		}
		switch {
		case by != "":
			out.by = append(out.by, ev.refs.Of(model.SelCluster, c)+": denied by "+by)
		case len(why) > 0:
			out.faults = append(out.faults, why...)
		default:
			out.faults = append(out.faults, Fault{
				Cause: Cause{Class: CauseSetting, Of: string(c.ID), Field: "policyAssignments"}, Subject: ev.refs.Of(model.SelCluster, c), Source: c.Source.String(),
				Text: "no assignment of the input covers " + ev.refs.Of(model.SelCluster, c), Remedy: "assign the built-in policy " + builtIn + " with effect Deny",
			})
		}
	}
	return out
}

// effectOf is the effect with which an assignment puts a policy in force, directly or as a member of an initiative; a built-in one without
// a stated effect audits.
func (ev *Evidence) effectOf(a *model.PolicyAssignment, builtIn, field string) (effect string, about bool, source model.Source) {
	is := func(id model.ID) (string, bool) {
		if strings.EqualFold(id.Name(), builtIn) {
			return "Audit", true
		}
		d, ok := model.Get[*model.PolicyDefinitionRule](ev.e, id)
		if !ok || field == "" || !slices.ContainsFunc(d.Fields, func(f string) bool { return strings.HasSuffix(strings.ToLower(f), strings.ToLower(field)) }) {
			return "", false
		}
		return d.Effect, true
	}
	if e, ok := is(a.Definition); ok {
		if a.Effect != "" {
			e = a.Effect
		}
		return e, true, a.Source
	}
	set, ok := model.Get[*model.PolicySet](ev.e, a.Definition)
	if !ok {
		return "", false, a.Source
	}
	for _, m := range set.Members {
		if e, ok := is(m.Definition); ok {
			switch {
			case strings.HasPrefix(m.Effect, "[") && a.Effect != "":
				e = a.Effect
			case m.Effect != "" && !strings.HasPrefix(m.Effect, "["):
				e = m.Effect
			}
			return e, true, a.Source
		}
	}
	return "", false, a.Source
}

// exempted reports whether an exemption that is not over takes a resource out of an assignment.
func (ev *Evidence) exempted(a *model.PolicyAssignment, id model.ID) bool {
	return slices.ContainsFunc(ev.e.Exemptions, func(x *model.PolicyExemption) bool {
		return x.Assignment.Key() == a.ID.Key() && covers(x.Scope, id) && (x.Expires == "" || x.Expires[:min(10, len(x.Expires))] >= ev.in.AsOf.String())
	})
}

// covers reports whether a scope holds a resource. What management groups hold is not in the input: they count as covering.
func covers(scope, id model.ID) bool {
	s, r := scope.Key(), id.Key()
	return strings.Contains(s, "/managementgroups/") || s == r || strings.HasPrefix(r, strings.TrimSuffix(s, "/")+"/")
}

// denyPolicy is a part that says whether Azure Policy denies what an item forbids; where no assignment is in the input it says so, and
// decides nothing.
func (ev *Evidence) denyPolicy(what, builtIn string, of []*model.Cluster) []Part {
	p := Part{Statement: "Azure Policy denies " + what, Subjects: len(of)}
	got := ev.policyEnforced(builtIn, "", of)
	if !got.found {
		return []Part{notApplicable(p.Statement, "not shown: the input holds no policy assignments")}
	}
	about := slices.ContainsFunc(ev.e.Assignments, func(a *model.PolicyAssignment) bool {
		_, ok, _ := ev.effectOf(a, builtIn, "")
		return ok
	})
	if !about {
		return []Part{notApplicable(p.Statement, "not shown: no assignment of the input is about it")}
	}
	p.Facts, p.Faults = got.by, got.faults
	return []Part{p.judged()}
}
