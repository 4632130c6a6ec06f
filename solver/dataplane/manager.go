package dataplane

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/packet"
)

// bounds says whether a fact holds: must for certain, may possibly.
type bounds struct{ must, may bool }

func certainly(b bool) bounds { return bounds{b, b} }

func (b bounds) or(c bounds) bounds  { return bounds{b.must || c.must, b.may || c.may} }
func (b bounds) and(c bounds) bounds { return bounds{b.must && c.must, b.may && c.may} }

// adminRule is a security admin rule at a VNet. One that is not certain is there in one reading and not in the other (AZ-AVNM-14).
type adminRule struct {
	*model.AdminRule
	certain bool
}

// adminList is the rules of one network manager at a VNet.
type adminList struct {
	manager model.ID
	rank    int // of its scope: 2 a management group, 1 subscriptions, 0 not known (AZ-AVNM-07)
	rules   []adminRule
	wild    string // not empty: rules exist that the input lacks, and this assumption says which (AZ-GEN-08)
}

// adminLists are the security admin rules of a VNet, by manager, strongest evidence first (AZ-AVNM-14).
func (p *planner) adminLists(v *model.VNet) []adminList {
	if l, ok := p.admin[v.ID.Key()]; ok {
		return l
	}
	l := p.findAdminLists(v)
	p.admin[v.ID.Key()] = l
	return l
}

func (p *planner) findAdminLists(v *model.VNet) []adminList {
	for _, e := range p.e.EffectiveAdmin {
		if e.VNet.Key() != v.ID.Key() {
			continue
		}
		byManager := map[string]*adminList{}
		for i := range e.Rules {
			r := &e.Rules[i]
			key := r.Manager().Key()
			if byManager[key] == nil {
				byManager[key] = &adminList{manager: r.Manager(), rank: p.scopeRank(r.Manager())}
			}
			byManager[key].rules = append(byManager[key].rules, adminRule{r, true})
		}
		var out []adminList
		for _, key := range slices.Sorted(maps.Keys(byManager)) {
			out = append(out, *byManager[key])
		}
		if e.Cut {
			out = append(out, adminList{wild: missing("effective security admin rules of", v.ID)})
		}
		return out
	}
	var out []adminList
	for _, id := range p.managers() {
		l := p.adminListOf(id, v)
		if len(l.rules) > 0 || l.wild != "" {
			out = append(out, l)
		}
	}
	if !p.assumed("ASM-AVNM") {
		out = append(out, adminList{wild: "ASM-AVNM"}) // AZ-AVNM-03, --strict
	}
	return out
}

// managers are the network managers of the input, and those that its admin rules belong to, in the order of their IDs.
func (p *planner) managers() []model.ID {
	found := map[string]model.ID{}
	add := func(id model.ID) {
		if id != "" {
			found[id.Key()] = cmp.Or(found[id.Key()], id)
		}
	}
	for _, m := range p.e.NetworkManagers {
		add(m.ID)
	}
	for _, c := range p.e.AdminConfigs {
		add(c.Manager)
	}
	for _, c := range p.e.AdminCollections {
		add(c.Configuration.Parent())
	}
	for _, a := range p.e.ActiveAdmin {
		add(a.Manager)
	}
	for _, d := range p.e.Deployments {
		if strings.EqualFold(d.Kind, "SecurityAdmin") {
			add(d.Manager)
		}
	}
	for _, e := range p.e.EffectiveAdmin {
		for i := range e.Rules {
			add(e.Rules[i].Manager()) // what it has in force at other VNets is not known by that
		}
	}
	out := make([]model.ID, 0, len(found))
	for _, key := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[key])
	}
	return out
}

// deploys reports whether a manager may deploy a feature. One that the input lacks, or that does not say, may.
func (p *planner) deploys(id model.ID, feature string) bool {
	m, ok := model.Get[*model.NetworkManager](p.e, id)
	return !ok || len(m.Accesses) == 0 || slices.ContainsFunc(m.Accesses, func(a string) bool { return strings.EqualFold(a, feature) })
}

// scopeRank orders managers by their scope (AZ-AVNM-07).
func (p *planner) scopeRank(id model.ID) int {
	m, ok := model.Get[*model.NetworkManager](p.e, id)
	switch {
	case !ok:
		return 0
	case len(m.ManagementGroups) > 0:
		return 2
	case len(m.Subscriptions) > 0:
		return 1
	default:
		return 0
	}
}

// inScope reports whether a VNet may lie in a manager's scope. What is below a management group is not in the input.
func (p *planner) inScope(id model.ID, v *model.VNet) bool {
	m, ok := model.Get[*model.NetworkManager](p.e, id)
	if !ok || len(m.ManagementGroups) > 0 || len(m.Subscriptions) == 0 {
		return true
	}
	return slices.ContainsFunc(m.Subscriptions, func(s model.ID) bool { return strings.EqualFold(s.Subscription(), v.ID.Subscription()) })
}

// inGroup says whether a VNet is in a network group (AZ-AVNM-15).
func (p *planner) inGroup(v *model.VNet, id model.ID) bounds {
	for _, m := range p.e.GroupMemberships {
		if m.VNet.Key() == v.ID.Key() {
			return certainly(slices.ContainsFunc(m.Groups, func(g model.ID) bool { return g.Key() == id.Key() }))
		}
	}
	g, ok := model.Get[*model.NetworkGroup](p.e, id)
	if !ok {
		return bounds{may: p.inScope(id.Parent(), v)} // the group is not in the input
	}
	subnet := false
	for _, m := range g.Members {
		if m.Resource.Key() == v.ID.Key() {
			return certainly(true)
		}
		subnet = subnet || m.Resource.Parent().Key() == v.ID.Key() // what a subnet's membership means for its VNet is not documented
	}
	open := g.ByPolicy || len(g.Members) == 0 || !p.assumed("ASM-AVNM")
	return bounds{may: subnet || open && p.inScope(g.Manager, v)}
}

func (p *planner) inGroups(v *model.VNet, groups []model.ID) bounds {
	var b bounds
	for _, g := range groups {
		b = b.or(p.inGroup(v, g))
	}
	return b
}

// adminListOf is the rules of one manager at a VNet.
func (p *planner) adminListOf(id model.ID, v *model.VNet) adminList {
	l := adminList{manager: id, rank: p.scopeRank(id)}
	if !p.deploys(id, "SecurityAdmin") {
		return l
	}
	region := model.Region(v.Location)
	for _, a := range p.e.ActiveAdmin { // AZ-AVNM-14 b
		if a.Manager.Key() != id.Key() || region != "" && a.Region != region {
			continue
		}
		for i := range a.Rules {
			r := &a.Rules[i]
			l.add(r, certainly(true).and(p.ruleGroups(v, r)).and(bounds{region != "", true}).and(p.beside(v, r)))
		}
		if a.Cut && p.inScope(id, v) {
			l.wild = missing("active security admin rules of", id)
		}
		if region != "" {
			return l
		}
	}
	deployed, known := p.deployment(id, region, "SecurityAdmin") // AZ-AVNM-14 c
	any := false
	for _, c := range p.e.AdminConfigs {
		if c.Manager.Key() != id.Key() {
			continue
		}
		b := deployed(c.ID)
		any = true
		if b.may && !p.hasCollections(c.ID) && p.inScope(id, v) {
			l.wild = missing("rule collections of the security admin configuration", c.ID)
		}
	}
	for _, c := range p.e.AdminCollections {
		if c.Configuration.Parent().Key() != id.Key() {
			continue
		}
		any = true
		b := deployed(c.Configuration)
		if c.Partial {
			b = b.and(bounds{may: p.inScope(id, v)})
		} else {
			b = b.and(p.inGroups(v, c.Groups))
		}
		if b.may && len(c.Rules) == 0 {
			l.wild = missing("rules of the rule collection", c.ID)
		}
		for i := range c.Rules {
			l.add(&c.Rules[i], b.and(p.beside(v, &c.Rules[i])))
		}
	}
	switch {
	case known != nil:
		for _, c := range known.Configurations {
			if _, ok := model.Get[*model.SecurityAdminConfiguration](p.e, c); !ok && !p.hasCollections(c) && p.inScope(id, v) {
				l.wild = missing("security admin configuration", c)
			}
		}
	case !any && p.inScope(id, v):
		l.wild = missing("security admin configurations of the network manager", id) // AZ-GEN-08
	}
	return l
}

// add adds a rule that may be there.
func (l *adminList) add(r *model.AdminRule, b bounds) {
	if b.may {
		l.rules = append(l.rules, adminRule{r, b.must})
	}
}

// ruleGroups says whether an active rule is for a VNet: by the groups that the list names, else by those of its collection.
func (p *planner) ruleGroups(v *model.VNet, r *model.AdminRule) bounds {
	groups := r.Groups
	if len(groups) == 0 {
		c, ok := model.Get[*model.AdminRuleCollection](p.e, r.Collection())
		if !ok || c.Partial {
			return bounds{may: p.inScope(r.Manager(), v)}
		}
		groups = c.Groups
	}
	return p.inGroups(v, groups)
}

func (p *planner) hasCollections(config model.ID) bool {
	return slices.ContainsFunc(p.e.AdminCollections, func(c *model.AdminRuleCollection) bool { return c.Configuration.Key() == config.Key() })
}

// deployment says which configurations of one kind are deployed in a region (AZ-AVNM-14 c). Without a status, or with one that is not
// settled, every configuration may be. The status is nil when the input has none for the region.
func (p *planner) deployment(manager model.ID, region, kind string) (func(model.ID) bounds, *model.DeploymentStatus) {
	for _, d := range p.e.Deployments {
		if region == "" || d.Manager.Key() != manager.Key() || d.Region != region || !strings.EqualFold(d.Kind, kind) {
			continue
		}
		settled := strings.EqualFold(d.State, "Deployed") || strings.EqualFold(d.State, "Committed")
		return func(c model.ID) bounds {
			listed := slices.ContainsFunc(d.Configurations, func(x model.ID) bool { return x.Key() == c.Key() })
			if settled {
				return certainly(listed)
			}
			return bounds{may: true}
		}, d
	}
	return func(model.ID) bounds { return bounds{may: true} }, nil
}

// beside says whether a rule acts at a VNet that holds services with network intent policies (AZ-AVNM-08).
func (p *planner) beside(v *model.VNet, r *model.AdminRule) bounds {
	if !p.intentServices(v) {
		return certainly(true)
	}
	c, ok := model.Get[*model.SecurityAdminConfiguration](p.e, r.Configuration())
	switch {
	case !ok:
		return bounds{may: true}
	case c.IntentPolicy == model.IntentAll:
		return certainly(true)
	case r.Access == model.Deny:
		return certainly(false)
	case c.IntentPolicy == model.IntentAllowRulesOnly && r.Access == model.Allow:
		return certainly(true)
	default:
		return bounds{may: true} // the subscription may be enabled for all
	}
}

// intentServices reports whether a VNet holds SQL Managed Instance or Azure Databricks.
func (p *planner) intentServices(v *model.VNet) bool {
	for _, id := range v.Subnets {
		s, _ := p.e.SubnetOf(id)
		if s != nil && slices.ContainsFunc(s.Delegations, func(d string) bool {
			return strings.EqualFold(d, "Microsoft.Sql/managedInstances") || strings.EqualFold(d, "Microsoft.Databricks/workspaces")
		}) {
			return true
		}
	}
	return false
}

// adminStage is what the admin rules of a VNet do in one direction before the NSGs (AZ-AVNM-02). Each set is the packets that may be
// treated so; a packet may be in several. Over passes what some reading passes, under what all of them pass.
type adminStage struct {
	always, allow, goOn *lazy // over: accepted past the NSGs; allowed by a rule and then up to the NSGs; up to the NSGs, with or without a rule
	deny, ask           *lazy // under: may be dropped; may be up to the NSGs
	notes               []string
	control             Control
	parts               *partList // who decides, in over
	as                  func(c *compiler, s packet.Set) packet.Set
}

// adminAt is the admin stage at NICs, or nil where there is none: at subnets of platform services (AZ-AVNM-09) and at private
// endpoints (AZ-AVNM-10).
func (p *planner) adminAt(f filtered, dir model.Direction, d reading) *adminStage {
	s, v := p.e.SubnetOf(f.subnet)
	if v == nil || d.anySourcePort || d.dual || p.platformSubnet(s) {
		return nil
	}
	lists := p.adminLists(v)
	if len(lists) == 0 {
		return nil
	}
	ctx := p.context(f.subnet, f.nic)
	key := ctx.key + "|" + dir.String() + d.key()
	if a, ok := p.stages[key]; ok {
		return a
	}
	a := p.adminStage(lists, dir, ctx, d)
	p.stages[key] = a
	return a
}

// outcomes is what one manager's rules may do with a packet: each set holds the packets of which some candidate rule says so (AZ-GEN-01).
// none holds those that may match no rule.
type outcomes struct{ deny, allow, always, none *lazy }

// adminStage joins the managers of a VNet (AZ-AVNM-07). Over tries a manager that no other one is known to outrank first, and takes
// no Deny from the rest; under takes the least permissive of all orders.
func (p *planner) adminStage(lists []adminList, dir model.Direction, ctx *subnetContext, d reading) *adminStage {
	acts := slices.DeleteFunc(slices.Clone(lists), func(l adminList) bool {
		return l.wild == "" && !slices.ContainsFunc(l.rules, func(r adminRule) bool { return r.Direction == dir })
	})
	if len(acts) == 0 {
		return nil
	}
	a := &adminStage{}
	own, mild := make([]outcomes, len(acts)), make([]outcomes, len(acts))
	for i, l := range acts {
		own[i] = p.outcomes(l, dir, ctx, d, false)
		if len(acts) > 1 {
			mild[i] = p.outcomes(l, dir, ctx, d, true)
		}
		a.notes = append(a.notes, l.notes(dir)...)
		a.notes = append(a.notes, p.matchNotes(l.inDirection(dir), ctx)...)
	}
	var always, allow, goOn, deny, asked []*lazy
	var none *lazy
	for i, o := range own {
		deny, asked, none = append(deny, o.deny), append(asked, o.allow), both(none, o.none)
		if slices.ContainsFunc(acts, func(l adminList) bool { return acts[i].rank > 0 && l.rank > acts[i].rank }) {
			continue
		}
		always, allow, goOn = append(always, o.always), append(allow, o.allow), append(goOn, o.allow, o.none)
		for j, m := range mild {
			if len(acts) > 1 && j != i {
				always, allow = append(always, both(o.none, m.always)), append(allow, both(o.none, m.allow))
			}
		}
	}
	if dir == model.Outbound {
		// AZ-AVNM-02: whether admin rules stop what NSGs never filter (AZ-PLAT-01) is not documented.
		goOn = append(goOn, dstIn(p.addr.exactHosts(platformHosts()...)))
	}
	if len(acts) > 1 {
		a.notes = append(a.notes, "ASM-AVNM-MULTI")
	}
	a.always, a.allow, a.goOn = either(always...), either(allow...), either(goOn...)
	a.deny, a.ask = either(deny...), either(append(asked, none)...)
	a.control = Control{Key: "admin|" + ctx.vnet.ID.Key() + "|" + dir.String(), Name: "admin rules of " + ctx.vnet.Name() + " " + bound(dir), Shut: shutRule, Stage: "admin-rules-" + bound(dir)}
	a.parts = p.adminParts(acts, dir, ctx, d)
	slices.Sort(a.notes)
	a.notes = slices.Compact(a.notes)
	return a
}

func (l adminList) inDirection(dir model.Direction) []model.SecurityRule {
	var out []model.SecurityRule
	for _, r := range l.rules {
		if r.Direction == dir {
			out = append(out, r.SecurityRule)
		}
	}
	return out
}

// notes are the assumptions that a list rests on in one direction.
func (l adminList) notes(dir model.Direction) []string {
	var out []string
	if slices.ContainsFunc(l.rules, func(r adminRule) bool { return r.Direction == dir && !r.certain }) {
		out = append(out, "ASM-AVNM-DEPLOY")
	}
	if l.wild != "" {
		out = append(out, l.wild)
	}
	return out
}

// outcomes walks a list in ascending priority, in every reading of the tags (AZ-AVNM-04, AZ-GEN-01). Rules of one priority, which two
// collections may have, have no known order. mild leaves the Denies out.
func (p *planner) outcomes(l adminList, dir model.Direction, ctx *subnetContext, d reading, mild bool) outcomes {
	if l.wild != "" {
		all := everything()
		o := outcomes{deny: all, allow: all, always: all, none: all}
		if mild {
			o.deny = nothing()
		}
		return o
	}
	type match struct {
		must, may *lazy
		access    model.Access
		priority  int
	}
	var readings [][]match
	for _, reading := range p.assignments(ctx) {
		var list []match
		for _, r := range l.rules {
			if r.Direction != dir || mild && r.Access == model.Deny {
				continue
			}
			must, may := p.matchOf(r.SecurityRule, reading, d)
			if !r.certain {
				must = nothing()
			}
			list = append(list, match{must, may, r.Access, r.Priority})
		}
		slices.SortStableFunc(list, func(a, b match) int { return a.priority - b.priority })
		readings = append(readings, list)
	}
	var solved *[4]packet.Set // by access, then what matches no rule
	solve := func(c *compiler) *[4]packet.Set {
		if solved != nil {
			return solved
		}
		s := c.s
		var out [4]packet.Set
		for _, list := range readings {
			taken := packet.Set{}
			for i := 0; i < len(list); {
				j, more := i, packet.Set{}
				for ; j < len(list) && list[j].priority == list[i].priority; j++ {
					m := list[j]
					out[m.access] = s.Union(out[m.access], s.Subtract(m.may.get(c), taken))
					more = s.Union(more, m.must.get(c))
				}
				taken, i = s.Union(taken, more), j
			}
			out[3] = s.Union(out[3], s.Complement(taken))
		}
		solved = &out
		return solved
	}
	set := func(i model.Access) *lazy { return later(func(c *compiler) packet.Set { return solve(c)[i] }) }
	return outcomes{deny: set(model.Deny), allow: set(model.Allow), always: set(model.AlwaysAllow), none: set(3)}
}

// before puts the admin stage before the NSGs: AlwaysAllow jumps over both, Deny drops, everything else goes on to them (AZ-AVNM-01,
// AZ-AVNM-02).
func (a *adminStage) before(g guard) guard {
	if a == nil {
		return g
	}
	over, under := g.over, g.under
	if under == nil {
		under = over
	}
	passes := minus(everything(), a.ask)
	if under == nil {
		passes = everything()
	} else {
		passes = either(passes, under)
	}
	out := guard{over: either(a.always, both(a.goOn, over)), under: minus(passes, a.deny), reply: g.reply}
	return out.behindAdmin(a, g, a.always)
}

// through is what a Standard public address lets in where there is no NSG at all: whether an admin Allow opens it is not documented
// (AZ-AVNM-13).
func (a *adminStage) through(closed guard) (guard, []string) {
	if a == nil {
		return closed, nil
	}
	open := closed.over
	if open == nil {
		open = everything()
	}
	out := guard{over: either(both(a.goOn, open), a.always, a.allow), under: nothing()}
	return out.behindAdmin(a, closed, either(a.always, a.allow)), append(slices.Clone(a.notes), "ASM-AVNM-PIP")
}

// eitherAddress is the stage where the destination may show as a frontend or as the member behind it (AZ-LB-05).
func (a *adminStage) eitherAddress(member packet.AddrSet) *adminStage {
	if a == nil {
		return nil
	}
	or := func(l *lazy) *lazy {
		return either(l, later(func(c *compiler) packet.Set { return c.s.Preimage(l.get(c), packet.Rewrite{Dst: c.u.Addrs(member)}) }))
	}
	return &adminStage{always: or(a.always), allow: or(a.allow), goOn: or(a.goOn), deny: or(a.deny), ask: or(a.ask), notes: a.notes, control: a.control, parts: a.parts, as: func(c *compiler, s packet.Set) packet.Set {
		return c.s.Union(s, c.s.Preimage(s, packet.Rewrite{Dst: c.u.Addrs(member)}))
	}}
}
