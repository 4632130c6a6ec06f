package azure

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// readPolicyAssignment reads what puts a policy in force at a scope. It filters no packet; what it says of deployments is evidence.
func readPolicyAssignment(r *resource) {
	props := r.properties()
	a := &model.PolicyAssignment{
		Meta: r.meta(), Definition: model.ID(props.str("policyDefinitionId")), Scope: scopeOf(r, props), Enforcement: props.str("enforcementMode"),
		Effect: props.get("parameters").get("effect").str("value"),
	}
	if a.Definition == "" {
		r.errorAt(r.node, "policyDefinitionId", "nothing", "the ID of a policy definition or initiative")
		return
	}
	for _, n := range elements(props.get("notScopes")) {
		a.NotScopes = append(a.NotScopes, model.ID(n.text))
	}
	a.NotScopes = distinct(a.NotScopes)
	r.emit(a)
}

// readPolicyExemption reads what takes a scope out of an assignment.
func readPolicyExemption(r *resource) {
	props := r.properties()
	x := &model.PolicyExemption{Meta: r.meta(), Assignment: model.ID(props.str("policyAssignmentId")), Scope: scopeOf(r, nil), Expires: props.str("expiresOn")}
	if x.Assignment == "" {
		r.errorAt(r.node, "policyAssignmentId", "nothing", "the ID of a policy assignment")
		return
	}
	r.emit(x)
}

// readPolicyDefinition reads which fields the rule of a policy tests, and its effect. Built-in policies are known by their ID.
func readPolicyDefinition(r *resource) {
	props := r.properties()
	rule := props.get("policyRule")
	d := &model.PolicyDefinitionRule{Meta: r.meta(), Effect: rule.get("then").str("effect")}
	if name, ok := strings.CutPrefix(d.Effect, "[parameters('"); ok {
		name, _, _ = strings.Cut(name, "'")
		d.Effect = props.get("parameters").get(name).str("defaultValue")
	}
	var walk func(n *node)
	walk = func(n *node) {
		if f := n.str("field"); f != "" {
			d.Fields = append(d.Fields, f)
		}
		for _, m := range n.items {
			walk(m)
		}
	}
	if rule != nil {
		if when := rule.get("if"); when != nil {
			walk(when)
		}
	}
	slices.Sort(d.Fields)
	d.Fields = slices.Compact(d.Fields)
	r.emit(d)
}

// readPolicySet reads the members of an initiative.
func readPolicySet(r *resource) {
	s := &model.PolicySet{Meta: r.meta()}
	for _, n := range elements(r.properties().get("policyDefinitions")) {
		s.Members = append(s.Members, model.PolicySetMember{Definition: model.ID(n.str("policyDefinitionId")), Effect: n.get("parameters").get("effect").str("value")})
	}
	r.emit(s)
}

// properties is what stands under `properties`, or at the top where az lifted it out.
func (r *resource) properties() *node {
	if p := r.node.get("properties"); p != nil && p.kind != nullValue {
		return p
	}
	return r.node
}

// scopeOf is where a resource of Azure Policy acts: as it says, or where it stands.
func scopeOf(r *resource, props *node) model.ID {
	if s := props.str("scope"); s != "" {
		return model.ID(s)
	}
	id := string(r.id)
	if i := strings.LastIndex(strings.ToLower(id), "/providers/microsoft.authorization/"); i >= 0 {
		return model.ID(id[:i])
	}
	return ""
}

// elements are the entries of a list.
func elements(n *node) []*node {
	if n == nil || n.kind != arrayValue {
		return nil
	}
	return n.items
}
