package kubernetes

import (
	"fmt"
	"strings"

	"github.com/ringfence/ringfence/model"
)

const maxCalicoTerms = 64

// calicoParser reads a selector of Calico: `app == 'web' && (has(env) || tier in {'a', 'b'})`. The result is any of several terms, of which
// each asks for several labels.
type calicoParser struct {
	rest   string
	depth  int
	unread string // an operator that is not followed
	fault  string
	spaces bool // the labels are those of namespaces
}

// parseCalico returns the terms of a selector, a word on what of it is not followed, and one on what is wrong.
// spaces says that it is one of namespaces.
func parseCalico(text string, spaces bool) (out model.CalicoSelector, unread, fault string) {
	if strings.TrimSpace(text) == "" {
		return model.CalicoSelector{{}}, "", ""
	}
	p := &calicoParser{rest: text, spaces: spaces}
	out = p.or(false)
	if p.space(); p.rest != "" && p.fault == "" {
		p.fault = "an operator"
	}
	if len(out) > maxCalicoTerms {
		p.unread = "a selector of so many terms"
	}
	return out, p.unread, p.fault
}

func (p *calicoParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *calicoParser) take(word string) bool {
	p.space()
	if !strings.HasPrefix(p.rest, word) {
		return false
	}
	p.rest = p.rest[len(word):]
	return true
}

func (p *calicoParser) want(word string) {
	if !p.take(word) && p.fault == "" {
		p.fault = "`" + word + "`"
	}
}

// or is a disjunction; negated it is a conjunction of what is not (De Morgan).
func (p *calicoParser) or(not bool) model.CalicoSelector {
	out := p.and(not)
	for p.fault == "" && p.take("||") {
		next := p.and(not)
		if not {
			out = p.join(out, next)
		} else {
			out = append(out, next...)
		}
	}
	return out
}

func (p *calicoParser) and(not bool) model.CalicoSelector {
	out := p.one(not)
	for p.fault == "" && p.take("&&") {
		next := p.one(not)
		if not {
			out = append(out, next...)
		} else {
			out = p.join(out, next)
		}
	}
	return out
}

// join is both of two selectors.
func (p *calicoParser) join(a, b model.CalicoSelector) model.CalicoSelector {
	if len(a)*len(b) > maxCalicoTerms {
		p.unread = "a selector of so many terms"
		return model.CalicoSelector{{}}
	}
	out := model.CalicoSelector{}
	for _, x := range a {
		for _, y := range b {
			t := model.CalicoTerm{Labels: model.LabelSelector{Requirements: append(append([]model.Requirement(nil), x.Labels.Requirements...), y.Labels.Requirements...)}}
			if x.Namespaces != nil || y.Namespaces != nil {
				t.Namespaces = &model.LabelSelector{}
				for _, n := range []*model.LabelSelector{x.Namespaces, y.Namespaces} {
					if n != nil {
						t.Namespaces.Requirements = append(t.Namespaces.Requirements, n.Requirements...)
					}
				}
			}
			out = append(out, t)
		}
	}
	return out
}

func (p *calicoParser) one(not bool) model.CalicoSelector {
	if p.depth++; p.depth > maxDepth {
		p.fault = "fewer brackets"
		return nil
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("!"):
		return p.one(!not)
	case p.take("("):
		out := p.or(not)
		p.want(")")
		return out
	case p.call("all"):
		if p.spaces {
			return inNamespace(!not)
		}
		if not {
			return model.CalicoSelector{}
		}
		return model.CalicoSelector{{}}
	case p.call("global"):
		return inNamespace(not)
	case p.take("has("):
		p.space()
		key := p.key()
		p.want(")")
		return p.term(key, map[bool]string{false: "Exists", true: "DoesNotExist"}[not], nil)
	}
	key := p.key()
	in := map[bool]string{false: "In", true: "NotIn"}
	switch {
	case p.fault != "":
		return nil
	case p.take("=="):
		return p.term(key, in[not], []string{p.value()})
	case p.take("!="):
		return p.term(key, in[!not], []string{p.value()})
	case p.take("not in"):
		return p.term(key, in[!not], p.set())
	case p.take("in"):
		return p.term(key, in[not], p.set())
	}
	for _, word := range []string{"contains", "starts with", "ends with"} {
		if p.take(word) {
			p.value()
			p.unread = "the operator " + word
			return model.CalicoSelector{{}}
		}
	}
	p.fault = "an operator"
	return nil
}

// call takes a function without arguments.
func (p *calicoParser) call(name string) bool {
	p.space()
	before := p.rest
	if p.take(name) && p.take("(") && p.take(")") {
		return true
	}
	p.rest = before
	return false
}

func (p *calicoParser) key() string {
	p.space()
	n := 0
	for n < len(p.rest) && (p.rest[n] >= 'a' && p.rest[n] <= 'z' || p.rest[n] >= 'A' && p.rest[n] <= 'Z' || p.rest[n] >= '0' && p.rest[n] <= '9' || strings.IndexByte("./-_", p.rest[n]) >= 0) {
		n++
	}
	key := p.rest[:n]
	if p.rest = p.rest[n:]; key == "" && p.fault == "" {
		p.fault = "a label"
	}
	return key
}

func (p *calicoParser) value() string {
	p.space()
	if p.rest != "" && (p.rest[0] == '\'' || p.rest[0] == '"') {
		if end := strings.IndexByte(p.rest[1:], p.rest[0]); end >= 0 {
			v := p.rest[1 : end+1]
			p.rest = p.rest[end+2:]
			return v
		}
	}
	if p.fault == "" {
		p.fault = "a value in quotes"
	}
	return ""
}

func (p *calicoParser) set() []string {
	p.want("{")
	out := []string{}
	for p.fault == "" && !p.take("}") {
		out = append(out, p.value())
		if !p.take(",") {
			p.want("}")
			break
		}
	}
	return out
}

// namespaceName is the label that every namespace has.
const namespaceName = "kubernetes.io/metadata.name"

// inNamespace is what is in some namespace, or in none, as global network sets are.
func inNamespace(some bool) model.CalicoSelector {
	r := model.Requirement{Key: namespaceName, Operator: map[bool]string{true: "Exists", false: "DoesNotExist"}[some]}
	return model.CalicoSelector{{Namespaces: &model.LabelSelector{Requirements: []model.Requirement{r}}}}
}

// Labels that Calico adds to pods: of their namespace, and those that are not followed.
const (
	calicoNamespace  = "projectcalico.org/namespace"
	calicoDerived    = "projectcalico.org/"
	calicoNamespaces = "pcns."
	calicoAccounts   = "pcsa."
)

func (p *calicoParser) term(key, operator string, values []string) model.CalicoSelector {
	if operator == "In" && len(values) == 0 {
		return model.CalicoSelector{}
	}
	if operator == "NotIn" && len(values) == 0 {
		return model.CalicoSelector{{}}
	}
	r := model.Requirement{Key: key, Operator: operator, Values: values}
	label, ofNamespace := strings.CutPrefix(key, calicoNamespaces)
	switch {
	case p.spaces && (ofNamespace || key == calicoNamespace):
		p.unread = "the label " + key
		return model.CalicoSelector{{}}
	case p.spaces && key == calicoDerived+"name":
		label, ofNamespace = namespaceName, true
	case key == calicoNamespace:
		label, ofNamespace = namespaceName, true
	case strings.HasPrefix(key, calicoDerived) && key != "projectcalico.org/name", strings.HasPrefix(key, calicoAccounts):
		p.unread = "the label " + key
		return model.CalicoSelector{{}}
	}
	if ofNamespace || p.spaces {
		if ofNamespace {
			r.Key = label
		}
		return model.CalicoSelector{{Namespaces: &model.LabelSelector{Requirements: []model.Requirement{r}}}}
	}
	return model.CalicoSelector{{Labels: model.LabelSelector{Requirements: []model.Requirement{r}}}}
}

// calicoSelector reads a selector of an object; affects is what one that is not followed leaves open.
func (im *importer) calicoSelector(o *object, at, text string, spaces bool, affects []model.ID) model.CalicoSelector {
	out, unread, fault := parseCalico(text, spaces)
	switch {
	case fault != "":
		im.bad(o, at, text, "a selector of Calico: here it wants "+fault)
		return nil
	case unread != "":
		im.cannot(o, at, fmt.Sprintf("%s in a selector: whom the policy is about is not known", unread), affects...)
	}
	for _, t := range out {
		im.selected = append(im.selected, t.Labels)
	}
	return out
}
