package pci

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// RuleSet is a set of rules that people own and review as one (decisions.md, 8.1).
type RuleSet struct {
	ID       string // nsg:nsg-pe; the words of reviews and owners
	Group    string // resource group, which may precede the name in a pattern
	Resource model.Resource
	Source   model.Source
	Missing  bool // something names it, and the input lacks it: what it says is not known

	parts []string
	fold  bool     // names compare without case
	scope model.ID // of policies: the cluster, whose namespace is the last part
}

// RuleSets lists the rule sets of an estate, by kind in the order of decisions.md 8.1, then by name.
func RuleSets(e *model.Estate) []RuleSet {
	t := &ruleSets{e: e, seen: map[string]bool{}}
	for _, n := range e.NSGs {
		t.azure("nsg", n)
	}
	for _, r := range e.RouteTables {
		t.azure("routes", r)
	}
	for _, f := range e.Firewalls {
		if f.Policy == "" || len(f.Collections) > 0 {
			t.azure("firewall", f)
		}
	}
	for _, p := range e.Policies {
		t.azure("firewall-policy", p)
	}
	for _, f := range e.Firewalls {
		t.named("firewall-policy", f.Policy, f)
	}
	for _, p := range e.Policies {
		t.named("firewall-policy", p.Base, p)
	}
	for _, g := range e.RuleGroups {
		t.named("firewall-policy", g.Policy, g)
	}
	for _, g := range e.AppGateways {
		t.azure("appgw", g)
	}
	for _, w := range e.WAFPolicies {
		t.azure("waf", w)
	}
	for _, g := range e.AppGateways {
		t.named("waf", g.WAFPolicy, g)
		for _, l := range g.Listeners {
			t.named("waf", l.WAFPolicy, g)
		}
	}
	t.policies()
	t.services()
	for _, c := range e.Clusters {
		if !c.Manifest {
			t.azure("apiserver", c)
		}
	}
	for _, f := range e.FrontDoors {
		t.azure("frontdoor", f)
	}
	for _, a := range e.APIMs {
		t.azure("apim", a)
	}
	for _, m := range e.NetworkManagers {
		t.azure("avnm", m)
	}
	for _, b := range e.Bastions {
		t.azure("bastion", b)
	}
	return t.out
}

type ruleSets struct {
	e    *model.Estate
	out  []RuleSet
	seen map[string]bool // by kind and ID
}

// azure adds a resource whose name names its rules.
func (t *ruleSets) azure(kind string, r model.Resource) {
	id := r.ResourceID()
	if t.seen[kind+id.Key()] {
		return
	}
	t.seen[kind+id.Key()] = true
	t.out = append(t.out, RuleSet{ID: kind + ":" + id.Name(), Group: id.ResourceGroup(), Resource: r, Source: r.Origin(), parts: []string{id.Name()}, fold: true})
}

// named adds a rule set that a resource names and the input lacks.
func (t *ruleSets) named(kind string, id model.ID, by model.Resource) {
	if id == "" || t.seen[kind+id.Key()] {
		return
	}
	t.seen[kind+id.Key()] = true
	t.out = append(t.out, RuleSet{ID: kind + ":" + id.Name(), Group: id.ResourceGroup(), Resource: by, Source: by.Origin(), Missing: true, parts: []string{id.Name()}, fold: true})
}

// policies adds the policies of each namespace, and those of a whole cluster by their kind; then what a mesh refuses.
func (t *ruleSets) policies() {
	var found []RuleSet
	add := func(cluster model.ID, scope string, r model.Resource) {
		id := "policy:" + cluster.Name() + "/" + scope
		if t.seen[id+cluster.Key()] {
			return
		}
		t.seen[id+cluster.Key()] = true
		found = append(found, RuleSet{ID: id, Resource: r, Source: r.Origin(), parts: []string{cluster.Name(), scope}, scope: cluster})
	}
	for _, p := range t.e.NetPolicies {
		add(p.Cluster, p.Namespace, p)
	}
	for _, p := range t.e.ClusterPolicies {
		add(p.Cluster, p.Kind, p)
	}
	for _, p := range t.e.CiliumPolicies {
		add(p.Cluster, cmp.Or(p.Namespace, p.Kind), p)
	}
	for _, p := range t.e.CalicoPolicies {
		add(p.Cluster, cmp.Or(p.Namespace, p.Kind), p)
	}
	slices.SortStableFunc(found, func(a, b RuleSet) int { return cmp.Compare(a.ID, b.ID) })
	t.out = append(t.out, found...)
	mesh := func(cluster model.ID, r model.Resource) {
		if id := "mesh:" + cluster.Name(); !t.seen[id+cluster.Key()] {
			t.seen[id+cluster.Key()] = true
			t.out = append(t.out, RuleSet{ID: id, Resource: r, Source: r.Origin(), parts: []string{cluster.Name()}, scope: cluster})
		}
	}
	for _, a := range t.e.Authorizations {
		mesh(a.Cluster, a)
	}
	for _, a := range t.e.PeerAuths {
		mesh(a.Cluster, a)
	}
}

// services adds the firewalls of PaaS services, by kind.
func (t *ruleSets) services() {
	first := len(t.out)
	for _, s := range t.e.Services {
		t.azure(s.Kind.RuleSet(), s)
	}
	rank := func(r RuleSet) int {
		kind, _, _ := strings.Cut(r.ID, ":")
		return slices.Index([]string{"registry", "vault", "database", "storage", "service"}, kind)
	}
	slices.SortStableFunc(t.out[first:], func(a, b RuleSet) int { return cmp.Compare(rank(a), rank(b)) })
}

// Kind is the word that begins its name.
func (r RuleSet) Kind() string {
	kind, _, _ := strings.Cut(r.ID, ":")
	return kind
}

// Matches reports whether a pattern of reviews or owners names the rule set: `nsg:nsg-*`, `policy:aks-prod/*`, `nsg:rg-a/nsg-pe`.
func (r RuleSet) Matches(pattern string) bool {
	kind, rest, ok := strings.Cut(pattern, ":")
	if !ok || !strings.EqualFold(kind, r.Kind()) {
		return false
	}
	parts := strings.Split(rest, "/")
	x := rule{fold: r.fold}
	return x.matches(parts, r.parts) || r.Group != "" && x.matches(parts, append([]string{r.Group}, r.parts...))
}

// ruleSets lists the rule sets of the judged estate.
func (ev *Evidence) ruleSets() []RuleSet {
	return keep(ev, "rule sets", func() []RuleSet { return RuleSets(ev.e) })
}

// guarded are the zones that a rule set is attached to; none: it is attached to nothing in the input.
func (ev *Evidence) guarded(r RuleSet) []model.Zone {
	var out []model.Zone
	add := func(zones ...model.Zone) {
		for _, z := range zones {
			if z.Name != "" && !slices.ContainsFunc(out, func(x model.Zone) bool { return x.Name == z.Name }) {
				out = append(out, z)
			}
		}
	}
	subnet := func(id model.ID) {
		if s, ok := model.Get[*model.Subnet](ev.e, id); ok {
			z, _ := ev.subnetZone(s)
			add(z)
		}
	}
	if r.Missing {
		return ev.guarded(RuleSet{Resource: r.Resource, parts: r.parts, scope: r.scope})
	}
	switch x := r.Resource.(type) {
	case *model.NSG:
		for _, s := range ev.e.Subnets {
			if s.NSG.Is(x.ID) {
				subnet(s.ID)
			}
		}
		for _, n := range ev.e.NICs {
			if n.NSG.Is(x.ID) {
				add(ev.zonesOf(n.ID)...)
			}
		}
		for _, v := range ev.e.ScaleSets {
			for _, p := range v.Profiles {
				for _, c := range p.IPConfigs {
					if p.NSG.Is(x.ID) {
						subnet(c.Subnet)
					}
				}
			}
		}
	case *model.RouteTable:
		for _, s := range ev.e.Subnets {
			if s.RouteTable.Is(x.ID) {
				subnet(s.ID)
			}
		}
	case *model.Firewall:
		subnet(x.Subnet)
		add(ev.zonesOf(x.ID)...)
	case *model.FirewallPolicy:
		for _, f := range ev.e.Firewalls {
			if f.Policy.Is(x.ID) {
				add(ev.guarded(RuleSet{Resource: f})...)
			}
		}
		for _, p := range ev.e.Policies {
			if p.Base.Is(x.ID) && !p.ID.Is(x.ID) {
				add(ev.guarded(RuleSet{Resource: p})...)
			}
		}
	case *model.AppGateway:
		for _, id := range x.Subnets {
			subnet(id)
		}
		add(ev.zonesOf(x.ID)...)
	case *model.WAFPolicy:
		for _, g := range ev.e.AppGateways {
			if usesWAF(g, x.ID) {
				add(ev.guarded(RuleSet{Resource: g})...)
			}
		}
		for _, f := range ev.e.FrontDoors {
			if slices.ContainsFunc(f.WAFs, func(w model.FrontDoorWAF) bool { return w.Policy.Is(x.ID) }) {
				add(ev.zonesOf(f.ID)...)
			}
		}
	case *model.Service:
		add(ev.zonesOf(x.ID)...)
		for _, p := range ev.e.Endpoints {
			if p.Target.Is(x.ID) {
				add(ev.zonesOf(p.ID)...)
			}
		}
	case *model.Bastion:
		subnet(x.Subnet)
		add(ev.zonesOf(x.ID)...)
	case *model.Cluster: // its API server
		for _, m := range ev.members() {
			if m.Place.Kind == model.PlaceAPIServer && m.Place.ID.Is(x.ID) {
				add(m.zone)
			}
		}
		for _, p := range ev.e.Endpoints {
			if p.Target.Is(x.ID) {
				add(ev.zonesOf(p.ID)...)
			}
		}
		add(ev.statedZones(x, model.SelAPIServer)...)
	case *model.NetworkManager:
		for _, z := range ev.in.Zones {
			if !z.Kind.External() {
				add(z)
			}
		}
	default:
		if r.scope != "" {
			add(ev.namespaceZones(r.scope, r.parts)...)
			break
		}
		add(ev.zonesOf(r.Resource.ResourceID())...)
	}
	return out
}

// usesWAF reports whether a gateway, a listener of it or a path is under a WAF policy.
func usesWAF(g *model.AppGateway, id model.ID) bool {
	return g.WAFPolicy.Is(id) || slices.ContainsFunc(g.Listeners, func(l model.AGWListener) bool { return l.WAFPolicy.Is(id) }) ||
		slices.ContainsFunc(g.PathMaps, func(m model.AGWPathMap) bool {
			return slices.ContainsFunc(m.Paths, func(p model.AGWPathRule) bool { return p.WAFPolicy.Is(id) })
		})
}

// namespaceZones are the zones of the pods of a namespace, or of the namespace itself where it has none. What holds for a whole cluster is
// in the zones of all its pods.
func (ev *Evidence) namespaceZones(cluster model.ID, parts []string) []model.Zone {
	var out []model.Zone
	add := func(z model.Zone) {
		if !slices.ContainsFunc(out, func(x model.Zone) bool { return x.Name == z.Name }) {
			out = append(out, z)
		}
	}
	namespace, exists := "", false
	if len(parts) == 2 {
		namespace = parts[1]
		exists = slices.ContainsFunc(ev.e.Namespaces, func(n *model.Namespace) bool { return n.Cluster.Is(cluster) && n.Name() == namespace })
	}
	for _, m := range ev.members() {
		if w, ok := model.Get[*model.Workload](ev.e, m.Place.ID); ok && m.Place.Kind == model.PlacePod && w.Cluster.Is(cluster) && (!exists || w.Namespace == namespace) {
			add(m.zone)
		}
	}
	if len(out) > 0 || !exists {
		return out
	}
	for _, n := range ev.e.Namespaces {
		if n.Cluster.Is(cluster) && n.Name() == namespace {
			out = append(out, ev.statedZones(n, model.SelNamespace)...)
		}
	}
	return out
}

// statedZones are the zones of which a resource is a member by its own name.
func (ev *Evidence) statedZones(r model.Resource, k model.SelectorKind) []model.Zone {
	var out []model.Zone
	for _, z := range ev.in.Zones {
		if slices.ContainsFunc(z.Members, func(sel model.Selector) bool {
			if sel.Kind != k {
				return false
			}
			found, err := ev.e.Find(sel)
			return err == nil && slices.ContainsFunc(found, func(f model.Found) bool { return f.Resource.ResourceID().Is(r.ResourceID()) })
		}) {
			out = append(out, z)
		}
	}
	return out
}

// ownerOf is who owns a rule set: by `owners`, else the owners of the zones that it guards.
func (ev *Evidence) ownerOf(r RuleSet) (owners []string, roles []model.Roles, how string) {
	for _, o := range ev.in.Owners {
		if written(o.Owner) && slices.ContainsFunc(o.Controls, r.Matches) {
			return []string{o.Owner}, []model.Roles{o.Roles}, "owners"
		}
	}
	var names []string
	for _, z := range ev.guarded(r) {
		names = append(names, z.Name)
		if written(z.Owner) && !slices.Contains(owners, z.Owner) {
			owners, roles = append(owners, z.Owner), append(roles, z.Roles)
		}
	}
	if how = "zone "; len(names) > 1 {
		how = "zones "
	}
	return owners, roles, how + strings.Join(names, ", ")
}
