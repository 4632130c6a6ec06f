package pci

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// changeable is a resource that decides about traffic, and the operations of Azure that change it.
type changeable struct {
	id         model.ID
	operations []string
}

// changeables lists what 1.1.1-c asks about, without what guards out-of-scope zones alone.
func (ev *Evidence) changeables() []changeable {
	var out []changeable
	add := func(r model.Resource, zones []model.Zone, types ...string) {
		if outOfScope(zones) {
			return
		}
		c := changeable{id: r.ResourceID()}
		for _, t := range types {
			c.operations = append(c.operations, t+"/write", t+"/delete")
		}
		out = append(out, c)
	}
	const network = "Microsoft.Network/"
	for _, r := range ev.ruleSets() {
		if r.Missing {
			continue
		}
		switch r.Resource.(type) {
		case *model.NSG:
			add(r.Resource, ev.guarded(r), network+"networkSecurityGroups", network+"networkSecurityGroups/securityRules")
		case *model.RouteTable:
			add(r.Resource, ev.guarded(r), network+"routeTables", network+"routeTables/routes")
		case *model.FirewallPolicy:
			add(r.Resource, ev.guarded(r), network+"firewallPolicies", network+"firewallPolicies/ruleCollectionGroups")
		case *model.AppGateway:
			add(r.Resource, ev.guarded(r), network+"applicationGateways")
		case *model.WAFPolicy:
			add(r.Resource, ev.guarded(r), strings.TrimPrefix(r.Resource.ResourceID().Type(), "/"))
		default:
		}
	}
	for _, f := range ev.e.Firewalls {
		add(f, nil, network+"azureFirewalls")
	}
	for _, v := range ev.e.VNets {
		add(v, ev.zonesInVNet(v), network+"virtualNetworks", network+"virtualNetworks/subnets", network+"virtualNetworks/virtualNetworkPeerings")
	}
	for _, s := range ev.e.Subnets {
		add(s, ev.zonesIn(s), network+"virtualNetworks/subnets")
	}
	for _, p := range ev.e.Endpoints {
		var zones []model.Zone
		if s, ok := model.Get[*model.Subnet](ev.e, p.Subnet); ok {
			zones = ev.zonesIn(s)
		}
		add(p, zones, network+"privateEndpoints")
	}
	for _, p := range ev.e.PublicIPs {
		add(p, nil, network+"publicIPAddresses")
	}
	judged, _ := ev.clusters()
	for _, c := range judged {
		if !c.Manifest {
			add(c, nil, "Microsoft.ContainerService/managedClusters")
		}
	}
	slices.SortStableFunc(out, func(a, b changeable) int { return a.id.Compare(b.id) })
	return out
}

// zonesIn are the zones of a subnet and of what lies in it.
func (ev *Evidence) zonesIn(s *model.Subnet) []model.Zone {
	zones := slices.Clone(ev.zonesOf(s.ID))
	if z, ok := ev.subnetZone(s); ok {
		zones = append(zones, z)
	}
	return zones
}

// zonesInVNet are the zones of a virtual network's subnets.
func (ev *Evidence) zonesInVNet(v *model.VNet) []model.Zone {
	var zones []model.Zone
	for _, id := range v.Subnets {
		if s, ok := model.Get[*model.Subnet](ev.e, id); ok {
			zones = append(zones, ev.zonesIn(s)...)
		}
	}
	return zones
}

// outOfScope reports whether all of some zones are out of scope.
func outOfScope(zones []model.Zone) bool {
	return len(zones) > 0 && !slices.ContainsFunc(zones, func(z model.Zone) bool { return z.Kind != model.ZoneOutOfScope })
}

// grant is a right to change controls.
type grant struct {
	principal, kind, role, scope, covers string
	of                                   Cause
	source                               model.Source
	lacks, settle                        string // why it is not certain, and what settles it
	field, found                         string
}

// assignSelf is the right to give oneself every other right.
const assignSelf = "Microsoft.Authorization/roleAssignments/write"

// azureGrants lists who has a role of Azure that changes a control in scope.
func (ev *Evidence) azureGrants() []grant {
	controls := ev.changeables()
	judged, _ := ev.clusters()
	var out []grant
	for _, a := range ev.e.RoleAssignments {
		var covered []changeable
		for _, c := range controls {
			if covers(a.Scope, c.id) {
				covered = append(covered, c)
			}
		}
		if len(covered) == 0 {
			continue
		}
		g := grant{
			principal: a.Principal, kind: cmp.Or(a.PrincipalType, "principal"), scope: scopeText(a.Scope), source: a.Source, field: "properties.roleDefinitionId",
			of: Cause{Class: CauseSetting, Of: string(a.ID), Field: "roleDefinitionId"},
		}
		role, known := ev.roleOf(a.Role)
		g.role, g.found = cmp.Or(role.Title, a.Role.Name()), a.Role.Name()
		if !known {
			g.covers = fmt.Sprintf("%d of %d", len(covered), len(controls))
			g.lacks, g.settle = "what that permits is not in the input", "add what `az role definition list --custom-role-only` prints to the inputs"
			g.of = Cause{Class: CauseNoRef, Of: string(a.Role)}
			out = append(out, g)
			continue
		}
		permits := func(operation string, data bool) bool {
			return slices.ContainsFunc(role.Permissions, func(p model.RolePermission) bool { return p.Permits(operation, data) })
		}
		n := 0
		for _, c := range covered {
			if slices.ContainsFunc(c.operations, func(o string) bool { return permits(o, false) }) {
				n++
			}
		}
		var also []string
		if permits(assignSelf, false) {
			also = append(also, "assigns roles")
			if n == 0 && a.Condition != "" {
				g.lacks, g.settle = "a condition narrows what it may assign, and is not evaluated", "judge the condition by hand"
			}
		}
		for _, c := range judged {
			if !c.Manifest && covers(a.Scope, c.ID) && kubernetesWrites(c, permits) {
				also = append(also, "policies of "+ev.refs.Of(model.SelCluster, c))
				g.lacks = ""
			}
		}
		if n == 0 && len(also) == 0 {
			continue
		}
		if n > 0 {
			also = append([]string{fmt.Sprintf("%d of %d", n, len(controls))}, also...)
		}
		g.covers = strings.Join(also, ", ")
		out = append(out, g)
	}
	return out
}

// roleOf finds what a role permits: its definition in the input, or one that Azure provides.
func (ev *Evidence) roleOf(id model.ID) (model.RoleDefinition, bool) {
	for _, d := range ev.e.RoleDefinitions {
		if strings.EqualFold(d.ID.Name(), id.Name()) {
			return *d, true
		}
	}
	return model.BuiltInRole(id.Name())
}

// kubernetesWrites reports whether a role of Azure changes NetworkPolicies, namespaces or Services of a cluster: by roles of Azure at its API
// server, or by the certificate of an administrator.
func kubernetesWrites(c *model.Cluster, permits func(operation string, data bool) bool) bool {
	const aks = "Microsoft.ContainerService/managedClusters/"
	if c.LocalOff != model.On && permits(aks+"listClusterAdminCredential/action", false) {
		return true
	}
	if c.AzureRBAC != model.On {
		return false
	}
	for _, what := range []string{"networking.k8s.io/networkpolicies", "extensions/networkpolicies", "namespaces", "services"} {
		if permits(aks+what+"/write", true) || permits(aks+what+"/delete", true) {
			return true
		}
	}
	return false
}

// kubernetesGrants lists who changes NetworkPolicies, labels of namespaces or Services of a judged cluster by its own roles.
func (ev *Evidence) kubernetesGrants() []grant {
	var out []grant
	judged, _ := ev.clusters()
	for _, c := range judged {
		name := ev.refs.Of(model.SelCluster, c)
		for _, group := range c.AdminGroups {
			out = append(out, grant{
				principal: group, kind: "Group", role: "cluster-admin", scope: name, covers: "policies of " + name, source: c.Source, field: "aadProfile.adminGroupObjectIDs", found: group,
				of: Cause{Class: CauseSetting, Of: string(c.ID), Field: "adminGroupObjectIDs"},
			})
		}
		for _, b := range ev.e.KubeBindings {
			if !b.Cluster.Is(c.ID) || strings.HasPrefix(b.Name(), "system:") { // Kubernetes makes those itself
				continue
			}
			scope := name
			if b.Namespace != "" {
				scope = "ns:" + c.Name() + "/" + b.Namespace
				if outOfScope(ev.namespaceZones(c.ID, []string{c.Name(), b.Namespace})) {
					continue
				}
			}
			writes, lacks := ev.roleWrites(b.Role)
			if !writes && lacks == "" {
				continue
			}
			for _, s := range b.Subjects {
				if ev.ofThePlatform(c, s) {
					continue
				}
				g := grant{
					principal: s.Principal(), kind: s.Kind, role: b.Role.Name(), scope: scope, covers: "policies of " + scope, source: b.Source, field: "roleRef.name", found: b.Role.Name(), lacks: lacks, settle: "add the role to the inputs",
					of: Cause{Class: CauseSetting, Of: string(b.ID), Field: "subjects"},
				}
				if lacks != "" {
					g.of = Cause{Class: CauseNoRef, Of: string(b.Role)}
				}
				out = append(out, g)
			}
		}
	}
	return out
}

// roleWrites reports whether a role of Kubernetes changes NetworkPolicies, namespaces or Services; lacks says why that is not known.
func (ev *Evidence) roleWrites(id model.ID) (writes bool, lacks string) {
	r, ok := model.Get[*model.KubeRole](ev.e, id)
	if !ok {
		if strings.Contains(string(id), "/ClusterRole/") {
			switch id.Name() {
			case "cluster-admin", "admin", "edit": // of every cluster
				return true, ""
			case "view", "system:auth-delegator":
				return false, ""
			}
		}
		return false, "what that permits is not in the input"
	}
	if r.Aggregated && len(r.Rules) == 0 {
		return false, "the cluster fills it from other roles; a live import has its rules"
	}
	return slices.ContainsFunc(r.Rules, writesPolicies), ""
}

// writesPolicies reports whether a rule changes objects that decide about traffic: policies of any engine, namespaces, whose labels policies
// select, and Services.
func writesPolicies(r model.KubeRule) bool {
	verb := slices.ContainsFunc(r.Verbs, func(v string) bool {
		return slices.Contains([]string{"*", "create", "update", "patch", "delete", "deletecollection"}, v)
	})
	group := func(names ...string) bool {
		return slices.ContainsFunc(r.Groups, func(g string) bool { return g == "*" || slices.Contains(names, g) })
	}
	return verb && slices.ContainsFunc(r.Resources, func(what string) bool {
		switch {
		case what == "*":
			return group("", "networking.k8s.io", "extensions", "cilium.io", "crd.projectcalico.org", "projectcalico.org", "policy.networking.k8s.io")
		case what == "namespaces" || what == "services":
			return group("")
		case strings.HasSuffix(what, "networkpolicies"):
			return group("networking.k8s.io", "extensions", "cilium.io", "crd.projectcalico.org", "projectcalico.org", "policy.networking.k8s.io")
		default:
			return false
		}
	})
}

// ofThePlatform reports whether a subject is a part of Kubernetes or of AKS: its components, and accounts in namespaces that AKS provides.
// The groups of all users and of all accounts are everybody.
func (ev *Evidence) ofThePlatform(c *model.Cluster, s model.KubeSubject) bool {
	if s.Kind == "ServiceAccount" {
		why, ok := ev.exempt(c, s.Namespace)
		return ok && !strings.HasPrefix(why, "stated ")
	}
	everybody := s.Name == "system:authenticated" || s.Name == "system:unauthenticated" || s.Name == "system:anonymous" || strings.HasPrefix(s.Name, "system:serviceaccount")
	return strings.HasPrefix(s.Name, "system:") && !everybody
}

// scopeText names the scope of an assignment.
func scopeText(id model.ID) string {
	switch parts := strings.Split(strings.Trim(string(id), "/"), "/"); {
	case len(parts) == 1:
		return "the whole tenant"
	case strings.EqualFold(parts[0], "providers"):
		return "management group " + id.Name()
	case len(parts) == 2:
		return "subscription " + id.Name()
	case len(parts) == 4:
		return "resource group " + id.Name()
	default:
		return id.ShortName()
	}
}

// networkAdmins asks that whoever changes controls is declared (1.1.1-c).
func (ev *Evidence) networkAdmins() []Part {
	process := ev.attestation("changes of network controls are approved and tested, by roles that are defined")
	if len(ev.e.RoleAssignments) == 0 && len(ev.e.KubeBindings) == 0 {
		process.Statement = "few people can change network controls; changes are approved and tested, by roles that are defined"
		process.Notes = append(process.Notes, "the input holds no role assignments: add what `az role assignment list --all` prints to have them judged")
		return []Part{process}
	}
	named := map[string]string{}
	for _, a := range ev.in.PCI.NetworkAdmins {
		named[strings.ToLower(a.Principal)] = cmp.Or(a.Name, a.Principal)
	}
	p := Part{Statement: "whoever can change the controls of the network is named in pci.networkAdmins", Table: &Table{Header: []string{"principal", "type", "role", "at", "controls"}}}
	principals, kinds := map[string]bool{}, map[string]int{}
	var open []Fault
	azure := ev.azureGrants()
	for _, g := range slices.Concat(azure, ev.kubernetesGrants()) {
		key := strings.ToLower(g.principal)
		name, ok := named[key]
		if ok && !strings.EqualFold(name, g.principal) {
			name += " " + g.principal
		}
		p.Table.Rows = append(p.Table.Rows, []string{cmp.Or(name, g.principal), g.kind, g.role, g.scope + inBrackets(g.source.String()), g.covers})
		if !principals[key] {
			principals[key] = true
			kinds[g.kind]++
		}
		if ok {
			continue
		}
		f := Fault{
			Cause: g.of, Subject: g.principal, Source: g.source.String(), Field: g.field, Found: g.found,
			Text:   fmt.Sprintf("%s (%s) changes controls by the role %s at %s, and pci.networkAdmins does not name it", g.principal, g.kind, g.role, g.scope),
			Remedy: "remove the assignment or narrow its scope, or name who has it in pci.networkAdmins",
		}
		if g.lacks != "" {
			f.Text = fmt.Sprintf("%s (%s) may change controls by the role %s at %s: %s", g.principal, g.kind, g.role, g.scope, g.lacks)
			f.Remedy = g.settle + ", or name who has it in pci.networkAdmins"
			open = append(open, f)
			continue
		}
		p.Faults = append(p.Faults, f)
	}
	p.Subjects = len(principals)
	p.Facts = append(p.Facts, fmt.Sprintf("%s can change controls%s", count(len(principals), "principal"), inWords(kinds)))
	if kinds["Group"] > 0 {
		p.Notes = append(p.Notes, "a group is one principal: who is in it is not in the input")
	}
	if len(ev.e.RoleAssignments) == 0 {
		p.Notes = append(p.Notes, "the input holds roles of Kubernetes alone, and no role assignments of Azure")
	} else {
		p.Notes = append(p.Notes, "roles that somebody may activate for a time (PIM) are no assignments until then")
	}
	switch {
	case len(p.Faults) > 0:
	case len(ev.e.RoleAssignments) > 0 && len(azure) == 0: // somebody can: no vacuous pass (decisions.md, 2.2)
		p.Verdict, p.Reason = ItemUnknown, "no assignment of the input changes a control in scope, though somebody must be able to: those of the subscription and above are missing"
		p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseNoRef, Of: "Microsoft.Authorization/roleAssignments"}, Text: p.Reason, Remedy: "add what `az role assignment list --all --include-inherited` prints to the inputs"})
	case len(open) > 0:
		p.Verdict, p.Reason = ItemUnknown, open[0].Text
	}
	p.Faults = append(p.Faults, open...)
	return []Part{p.judged(), process}
}

// inWords counts kinds: `: 2 Group, 1 User`.
func inWords(kinds map[string]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		out = append(out, fmt.Sprintf("%d %s", kinds[k], k))
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}
