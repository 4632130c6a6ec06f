package model

import (
	"slices"
	"strings"
)

// RoleAssignment gives a principal a role of Azure at a scope. It filters no packet: it says who may change what does.
type RoleAssignment struct {
	Meta
	Principal     string // object ID of a user, a group or a service principal
	PrincipalType string // User, Group, ServicePrincipal; empty when not stated
	Role          ID     // the definition as RoleID spells it, whichever subscription it was listed for
	Scope         ID     // `/` for the root of the tenant
	Condition     string // narrows it, and is not evaluated; empty: none
}

// RoleDefinition says what a role of Azure permits.
type RoleDefinition struct {
	Meta
	Title       string // roleName
	Permissions []RolePermission
}

// RolePermission is one entry of a role: what its actions name and its exceptions do not. Roles add up; an exception takes nothing from
// another entry.
type RolePermission struct {
	Actions        []string // with `*` for any text
	NotActions     []string
	DataActions    []string
	NotDataActions []string
}

// RoleID is the one spelling of the ID of a role definition, which Azure prints below each subscription and on its own.
func RoleID(guid string) ID {
	return ID("/providers/Microsoft.Authorization/roleDefinitions/" + strings.ToLower(guid))
}

// Permits reports whether an entry permits an operation of the management plane, such as
// `Microsoft.Network/routeTables/write`, or of the data plane. Azure compares operations without case.
func (p RolePermission) Permits(operation string, data bool) bool {
	actions, but := p.Actions, p.NotActions
	if data {
		actions, but = p.DataActions, p.NotDataActions
	}
	matches := func(pattern string) bool { return matchOperation(strings.ToLower(pattern), strings.ToLower(operation)) }
	return slices.ContainsFunc(actions, matches) && !slices.ContainsFunc(but, matches)
}

// matchOperation matches a pattern in which `*` stands for any text, slashes included.
func matchOperation(pattern, s string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, first)
	if !ok {
		return false
	}
	for {
		part, more, again := strings.Cut(rest, "*")
		if !again {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], more
	}
}

// KubeRole is a Role or a ClusterRole of Kubernetes.
type KubeRole struct {
	Meta
	Cluster    ID
	Namespace  string // of a Role
	Rules      []KubeRule
	Aggregated bool // the cluster fills its rules from other roles
}

// KubeRule is one rule of a Kubernetes role: all pairs of its lists; `*` stands for any.
type KubeRule struct {
	Groups    []string // API groups; empty text for the core group
	Resources []string
	Verbs     []string
}

// KubeBinding gives subjects a role of Kubernetes, in a namespace or in the whole cluster.
type KubeBinding struct {
	Meta
	Cluster   ID
	Namespace string // of a RoleBinding; empty: the whole cluster
	Role      ID     // as Kubernetes builds it
	Subjects  []KubeSubject
}

// KubeSubject is who a role of Kubernetes is given to.
type KubeSubject struct {
	Kind      string // User, Group, ServiceAccount
	Namespace string // of a ServiceAccount
	Name      string
}

// Principal names a subject as Kubernetes does, and as `pci.networkAdmins` does: `system:serviceaccount:NAMESPACE:NAME` for a service
// account, else its name; with Entra ID that is the object ID of the group.
func (s KubeSubject) Principal() string {
	if s.Kind == "ServiceAccount" {
		return "system:serviceaccount:" + s.Namespace + ":" + s.Name
	}
	return s.Name
}
