package intent

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// verbs lists what an assertion may demand, in the order of docs/intent.md.
func verbs() []model.Verb {
	return []model.Verb{model.VerbDeny, model.VerbOnly, model.VerbMust, model.VerbThrough}
}

func (r *reader) assertion(v value) {
	a := model.Assertion{Source: r.source(v)}
	keys := r.object(v, r.assertionFields(&a))
	if keys == nil {
		return
	}
	var found []string
	for _, verb := range verbs() {
		if k, ok := keys[string(verb)]; ok {
			found = append(found, fmt.Sprintf("%s (line %d)", verb, k.line))
		}
	}
	switch len(found) {
	case 0:
		r.missing(v, "one of the verbs deny, only, must, through")
	case 1:
	default:
		r.report(&model.InputError{Source: r.source(v), Field: v.path, Found: strings.Join(found, ", "), Accepted: "one verb an assertion"})
	}
	r.out.Intent.Assertions = append(r.out.Intent.Assertions, a)
}

func (r *reader) assertionFields(a *model.Assertion) []field {
	fields := []field{required("id", func(v value) {
		r.text(&a.ID)(v)
		r.unique(v, "an id that no other assertion has", "assertion "+a.ID, a.ID)
	})}
	for _, verb := range verbs() {
		fields = append(fields, optional(string(verb), func(v value) {
			a.Verb = verb
			r.object(v, r.verbFields(a, verb))
		}))
	}
	return append(fields,
		optional("kind", func(v value) {
			var kind string
			word(r, &kind, "direct")(v)
			a.DirectOnly = kind != ""
		}),
		optional("requirement", r.text(&a.Requirement)),
		optional("except", r.list(r.waiver(&a.Except))),
	)
}

// unique reports a name that another entry has, in this file or another.
func (r *reader) unique(v value, accepted, what, name string) {
	if name == "" {
		return // reported as missing
	}
	if first, taken := r.claimed[what]; taken {
		r.want(v, fmt.Sprintf("%s (%s has it)", accepted, first))
		return
	}
	r.claimed[what] = r.source(v)
}

// verbFields are the keys under a verb. `only` and `must` speak of the services that they list: without one they would say nothing.
func (r *reader) verbFields(a *model.Assertion, verb model.Verb) []field {
	fields := []field{required("from", r.selectors(&a.From)), required("to", r.selectors(&a.To))}
	switch verb {
	case model.VerbOnly:
		return append(fields, required("services", func(v value) {
			r.services(&a.Services)(v)
			for _, s := range a.Services {
				if s.IsAny() {
					r.reject(v, errors.New("`only` with the service `any` forbids nothing: want the services that may pass, such as tcp/443"))
					return
				}
			}
		}))
	case model.VerbMust:
		return append(fields, required("services", r.services(&a.Services)))
	case model.VerbThrough:
		return append(fields, optional("services", r.services(&a.Services)), required("via", r.selectors(&a.Via)))
	default:
		return append(fields, optional("services", r.services(&a.Services)))
	}
}

// waiver reads one exception of an assertion, which must say what it takes out.
func (r *reader) waiver(dst *[]model.Waiver) func(value) {
	return func(v value) {
		w := model.Waiver{Source: r.source(v)}
		r.someOf(v, r.object(v, r.waiverFields(&w)), "from", "to", "services")
		*dst = append(*dst, w)
	}
}

func (r *reader) waiverFields(w *model.Waiver) []field {
	return []field{
		optional("from", r.selectors(&w.From)),
		optional("to", r.selectors(&w.To)),
		optional("services", r.services(&w.Services)),
		required("owner", r.text(&w.Owner)),
		required("reason", r.text(&w.Reason)),
		required("expires", r.date(&w.Expires)),
	}
}

// someOf reports a mapping that has none of the keys.
func (r *reader) someOf(v value, found map[string]value, keys ...string) {
	if found == nil {
		return
	}
	for _, k := range keys {
		if _, ok := found[k]; ok {
			return
		}
	}
	r.missing(v, "at least one of the keys "+strings.Join(keys, ", "))
}

func (r *reader) dataFlow(v value) {
	f := model.DataFlow{Source: r.source(v)}
	r.object(v, r.dataFlowFields(&f))
	r.out.Intent.DataFlows = append(r.out.Intent.DataFlows, f)
}

func (r *reader) dataFlowFields(f *model.DataFlow) []field {
	return []field{
		required("name", func(v value) {
			r.text(&f.Name)(v)
			r.unique(v, "a name that no other data flow has", "data flow "+f.Name, f.Name)
		}),
		required("data", r.texts(&f.Data)),
		required("from", r.one(&f.From)),
		required("path", r.hops(&f.Path)),
		required("service", r.service(&f.Service)),
		optional("protection", func(v value) { r.object(v, r.protectionFields(f)) }),
	}
}

func (r *reader) protectionFields(f *model.DataFlow) []field {
	return []field{optional("inTransit", r.mayBeEmpty(&f.InTransit)), optional("atRest", r.mayBeEmpty(&f.AtRest))}
}

func (r *reader) store(v value) {
	s := model.Store{Source: r.source(v)}
	r.object(v, r.storeFields(&s))
	r.out.Intent.Stores = append(r.out.Intent.Stores, s)
}

func (r *reader) storeFields(s *model.Store) []field {
	return []field{
		required("at", r.one(&s.At)),
		required("data", r.texts(&s.Data)),
		optional("atRest", r.mayBeEmpty(&s.AtRest)),
	}
}
