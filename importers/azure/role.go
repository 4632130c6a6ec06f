package azure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

type roleAssignment struct {
	Properties *roleAssignmentProperties `json:"properties,omitempty"`
}

type roleAssignmentProperties struct {
	Principal     *string `json:"principalId,omitempty"`
	PrincipalType *string `json:"principalType,omitempty"`
	Role          *string `json:"roleDefinitionId,omitempty"`
	Scope         *string `json:"scope,omitempty"`
	Condition     *string `json:"condition,omitempty"`
}

type roleDefinition struct {
	Properties *roleDefinitionProperties `json:"properties,omitempty"`
}

type roleDefinitionProperties struct {
	Title       *string           `json:"roleName,omitempty"`
	Permissions []*rolePermission `json:"permissions,omitempty"`
}

type rolePermission struct {
	Actions        []*string `json:"actions,omitempty"`
	NotActions     []*string `json:"notActions,omitempty"`
	DataActions    []*string `json:"dataActions,omitempty"`
	NotDataActions []*string `json:"notDataActions,omitempty"`
}

func roleFields() map[string]fieldUse {
	const who = " createdBy createdOn updatedBy updatedOn description"
	return map[string]fieldUse{
		"roleAssignment": {harmless: "id kind location name type etag systemData"},
		"roleAssignmentProperties": {
			harmless: "canDelegate conditionVersion delegatedManagedIdentityResourceId principalName roleDefinitionName" + who,
		},
		"roleDefinition":           {harmless: "id kind location name type etag systemData"},
		"roleDefinitionProperties": {harmless: "assignableScopes isServiceRole roleType type" + who},
		"rolePermission": {harmless: "conditionVersion", matters: map[string]string{
			"condition": "narrows what the role permits; not evaluated, so that it counts as permitting all of it",
		}},
	}
}

// readRoleAssignment reads who has a role at a scope. It carries no packet; what it says is evidence. The name of the principal, which
// az prints and others do not, is left out: people are known by their IDs.
func readRoleAssignment(r *resource) {
	is, at := decode[roleAssignment](r, r.node)
	if is == nil {
		return
	}
	p := at.get("properties")
	a := &model.RoleAssignment{
		Meta: r.meta(), Principal: strings.ToLower(p.text("principalId")), PrincipalType: p.text("principalType"), Scope: scopeAt(r),
		Condition: p.text("condition"),
	}
	if a.Principal == "" {
		r.missing(p, "principalId", "the object ID of a user, a group or a service principal")
	}
	role := r.idText(p, "roleDefinitionId")
	switch {
	case p.text("roleDefinitionId") == "":
		r.missing(p, "roleDefinitionId", "the ID of a role definition")
	case role == "":
		return // reported
	case !strings.EqualFold(role.Type(), "Microsoft.Authorization/roleDefinitions"):
		r.fail(p.get("roleDefinitionId"), "the ID of a role definition: …/providers/Microsoft.Authorization/roleDefinitions/GUID")
	}
	a.Role = model.RoleID(role.Name())
	if scope := p.text("scope"); scope != "" {
		a.Scope = model.ID(scope)
	}
	if !strings.HasPrefix(string(a.Scope), "/") {
		r.fail(p.get("scope"), "a scope: /, /providers/Microsoft.Management/managementGroups/NAME, /subscriptions/…")
	}
	r.emit(a)
}

// readRoleDefinition reads what a role permits.
func readRoleDefinition(r *resource) {
	is, at := decode[roleDefinition](r, r.node)
	if is == nil {
		return
	}
	p := at.get("properties")
	d := &model.RoleDefinition{Meta: r.meta(), Title: p.text("roleName")}
	if p.get("permissions") == nil {
		r.missing(p, "permissions", "a list of what the role permits")
	}
	for _, v := range p.list("permissions") {
		actions := func(name string) (out []string) {
			for _, m := range v.list(name) {
				out = append(out, m.raw.text)
			}
			slices.SortStableFunc(out, func(a, b string) int {
				return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
			})
			return slices.Compact(out)
		}
		d.Permissions = append(d.Permissions, model.RolePermission{
			Actions: actions("actions"), NotActions: actions("notActions"), DataActions: actions("dataActions"), NotDataActions: actions("notDataActions"),
		})
	}
	r.emit(d)
}

// scopeAt is where an extension resource stands: the resource, group, subscription or management group that it extends; `/` is the root.
func scopeAt(r *resource) model.ID {
	id := string(r.id)
	if i := strings.LastIndex(strings.ToLower(id), "/providers/"); i > 0 {
		return model.ID(id[:i])
	}
	return "/"
}
