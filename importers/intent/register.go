package intent

import (
	"errors"
	"strings"

	"github.com/ringfence/ringfence/model"
)

func (r *reader) justification(v value) {
	j := model.Justification{Source: r.source(v)}
	r.object(v, r.justificationFields(&j))
	r.out.Intent.Justifications = append(r.out.Intent.Justifications, j)
}

// justificationFields leave owner, approval and expiry to the judgement of 8.2: a justification without them is invalid, and named.
func (r *reader) justificationFields(j *model.Justification) []field {
	return []field{
		required("rules", r.globs(&j.Rules)),
		required("reason", r.text(&j.Reason)),
		optional("owner", r.mayBeEmpty(&j.Owner)),
		optional("approvedBy", r.mayBeEmpty(&j.ApprovedBy)),
		optional("ticket", r.mayBeEmpty(&j.Ticket)),
		optional("expires", r.date(&j.Expires)),
		optional("jit", r.flag(&j.JIT)),
		optional("securityFeatures", r.perhapsTexts(&j.SecurityFeatures)),
		optional("allows", func(v value) {
			j.Allows = &model.Allowed{}
			r.someOf(v, r.object(v, r.allowsFields(j.Allows)), "from", "to", "services")
		}),
	}
}

func (r *reader) allowsFields(a *model.Allowed) []field {
	return []field{
		optional("from", r.selectors(&a.From)),
		optional("to", r.selectors(&a.To)),
		optional("services", r.services(&a.Services)),
	}
}

const globPattern = `^[A-Za-z][A-Za-z-]*:.*\S`

// globs reads names of rules or rule sets, `KIND:NAME`, with wildcards that stay within one part (decisions.md 8.1, 8.2).
func (r *reader) globs(dst *[]string) func(value) {
	return r.oneOrMore(func(v value) {
		var s string
		r.text(&s)(v)
		switch {
		case s == "":
			return
		case strings.Contains(s, "**"):
			r.reject(v, errors.New("`**` is no wildcard here: `*` stands for any characters within one part, `?` for one character"))
		case !r.glob.MatchString(s):
			r.want(v, "`KIND:NAME`, such as nsg:nsg-inscope/AllowAgwIn or waf:*")
		default:
			*dst = append(*dst, s)
		}
	})
}

func (r *reader) review(v value) {
	w := model.Review{Source: r.source(v)}
	r.object(v, r.reviewFields(&w))
	r.out.Intent.Reviews = append(r.out.Intent.Reviews, w)
}

func (r *reader) reviewFields(w *model.Review) []field {
	return []field{
		required("ruleSets", r.globs(&w.RuleSets)),
		required("by", r.text(&w.By)),
		required("on", r.signedOn(&w.On)),
		optional("actions", r.mayBeEmpty(&w.Actions)),
		optional("snapshot", r.text(&w.Snapshot)),
		optional("procedure", r.mayBeEmpty(&w.Procedure)),
		optional("ticket", r.mayBeEmpty(&w.Ticket)),
	}
}

func (r *reader) attestation(v value) {
	a := model.Attestation{Source: r.source(v)}
	keys := r.object(v, r.attestationFields(&a))
	if k, ok := keys["expires"]; ok {
		r.span(k, a.On, a.Expires)
		if last := twoYearsAfter(a.On); !a.On.IsZero() && last.Before(a.Expires) { // 8.3
			r.want(k, "a day not later than "+last.String()+", 24 months after `on`")
		}
	}
	r.out.Intent.Attestations = append(r.out.Intent.Attestations, a)
}

func (r *reader) attestationFields(a *model.Attestation) []field {
	return []field{
		required("item", r.text(&a.Item)),
		required("by", r.text(&a.By)),
		required("on", r.signedOn(&a.On)),
		optional("expires", r.date(&a.Expires)),
		optional("evidence", r.mayBeEmpty(&a.Evidence)),
		optional("reason", r.mayBeEmpty(&a.Reason)),
	}
}

// span reports something that ends before it begins.
func (r *reader) span(expires value, from, to model.Date) {
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		r.want(expires, "a day not before "+from.String()+", the day in `on`")
	}
}

// twoYearsAfter is the same day 24 months later; 29 February has none, and becomes the 28th.
func twoYearsAfter(d model.Date) model.Date {
	if d.Month == 2 && d.Day == 29 {
		d.Day = 28
	}
	d.Year += 2
	return d
}

// statements lists what `none` may say does not exist.
func statements() []string {
	return []string{"clusters", "ingress", "proxies", "onPrem", "vpn", "monitoring", "jumpBoxes", "stores", "wireless"}
}

func (r *reader) noneFields() []field {
	var fields []field
	for _, what := range statements() {
		fields = append(fields, r.once(what, func(v value) {
			n := model.NoneStatement{What: what, Source: r.source(v)}
			keys := r.object(v, r.statementFields(&n))
			if k, ok := keys["expires"]; ok {
				r.span(k, n.On, n.Expires)
			}
			r.out.Intent.None = append(r.out.Intent.None, n)
		}))
	}
	return fields
}

func (r *reader) statementFields(n *model.NoneStatement) []field {
	return []field{
		required("by", r.text(&n.By)),
		required("on", r.signedOn(&n.On)),
		required("reason", r.text(&n.Reason)),
		optional("expires", r.date(&n.Expires)),
	}
}

func (r *reader) owner(v value) {
	o := model.OwnerEntry{Source: r.source(v)}
	r.object(v, r.ownerFields(&o))
	r.out.Intent.Owners = append(r.out.Intent.Owners, o)
}

func (r *reader) ownerFields(o *model.OwnerEntry) []field {
	return []field{
		required("controls", r.globs(&o.Controls)),
		required("owner", r.text(&o.Owner)),
		optional("roles", r.roles(&o.Roles)),
	}
}

func (r *reader) documents(v value) {
	d := &r.out.Intent.Documents
	if d.Source.IsZero() {
		d.Source = r.source(v)
	}
	r.object(v, r.documentsFields(d))
}

func (r *reader) documentsFields(d *model.Documents) []field {
	return []field{
		r.once("network", r.text(&d.Network)),
		r.once("dataflow", r.text(&d.DataFlow)),
		r.once("zones", r.text(&d.Zones)),
		r.once("rules", r.text(&d.Rules)),
		r.once("endpoints", r.text(&d.Endpoints)),
		optional("pipelines", r.perhapsTexts(&d.Pipelines)),
	}
}
