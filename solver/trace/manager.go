package trace

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ringfence/ringfence/model"
)

// ruled is a security admin rule and whether it is there at a VNet (AZ-AVNM-14, AZ-AVNM-15).
type ruled struct {
	*model.AdminRule
	there match
}

// managed is what one network manager has in force at a VNet.
type managed struct {
	rules []ruled
	scope int    // AZ-AVNM-07: 2 a management group, 1 subscriptions, 0 not known
	lacks string // rules that exist, perhaps, and that the input lacks (AZ-GEN-08)
}

// managersOf lists what network managers have in force at a VNet, by the strongest evidence (AZ-AVNM-14). settled: the input lists what is
// in force there, so that there is nothing else.
func (w *world) managersOf(v *model.VNet) (out []managed, settled bool) {
	for _, e := range w.e.EffectiveAdmin {
		if !same(e.VNet, v.ID) {
			continue
		}
		for _, id := range w.managerIDs() {
			m := managed{scope: w.scopeOf(id)}
			for i := range e.Rules {
				if same(e.Rules[i].Manager(), id) {
					m.rules = append(m.rules, ruled{&e.Rules[i], yes()})
				}
			}
			if len(m.rules) > 0 {
				out = append(out, m)
			}
		}
		if e.Cut {
			out = append(out, managed{lacks: lacking("effective security admin rules of", v.ID)})
		}
		return out, !e.Cut
	}
	for _, id := range w.managerIDs() {
		if m := w.managedBy(id, v); len(m.rules) > 0 || m.lacks != "" {
			out = append(out, m)
		}
	}
	return out, false
}

func lacking(what string, id model.ID) string { return "MISSING(" + what + " " + id.ShortName() + ")" }

// managerIDs are the network managers of the input, and those that its admin rules belong to, in order.
func (w *world) managerIDs() []model.ID {
	ids := map[string]model.ID{}
	see := func(id model.ID) {
		for ; id != ""; id = id.Parent() {
			if fold(id.Type(), "Microsoft.Network/networkManagers") {
				ids[id.Key()] = id
			}
		}
	}
	for _, m := range w.e.NetworkManagers {
		see(m.ID)
	}
	for _, c := range w.e.AdminConfigs {
		see(c.Manager)
	}
	for _, c := range w.e.AdminCollections {
		see(c.Configuration)
	}
	for _, a := range w.e.ActiveAdmin {
		see(a.Manager)
	}
	for _, d := range w.e.Deployments {
		if fold(d.Kind, "SecurityAdmin") {
			see(d.Manager)
		}
	}
	for _, e := range w.e.EffectiveAdmin {
		for i := range e.Rules {
			see(e.Rules[i].Manager())
		}
	}
	var out []model.ID
	for _, key := range slices.Sorted(maps.Keys(ids)) {
		out = append(out, ids[key])
	}
	return out
}

// mayDeploy reports whether a manager may deploy a feature; one that does not say, or is not in the input, may.
func (w *world) mayDeploy(manager model.ID, feature string) bool {
	m, ok := model.Get[*model.NetworkManager](w.e, manager)
	return !ok || len(m.Accesses) == 0 || slices.ContainsFunc(m.Accesses, func(a string) bool { return fold(a, feature) })
}

func (w *world) scopeOf(manager model.ID) int {
	m, ok := model.Get[*model.NetworkManager](w.e, manager)
	switch {
	case ok && len(m.ManagementGroups) > 0:
		return 2
	case ok && len(m.Subscriptions) > 0:
		return 1
	default:
		return 0
	}
}

// scopeCovers reports whether a VNet may be in a manager's scope. Which subscriptions are below a management group is not in the input.
func (w *world) scopeCovers(manager model.ID, v *model.VNet) bool {
	m, ok := model.Get[*model.NetworkManager](w.e, manager)
	if !ok || len(m.ManagementGroups) > 0 || len(m.Subscriptions) == 0 {
		return true
	}
	for _, s := range m.Subscriptions {
		if fold(s.Subscription(), v.ID.Subscription()) {
			return true
		}
	}
	return false
}

// groupMember says whether a VNet is in one of some network groups (AZ-AVNM-15).
func (w *world) groupMember(v *model.VNet, groups []model.ID) match {
	for _, m := range w.e.GroupMemberships {
		if same(m.VNet, v.ID) {
			return when(slices.ContainsFunc(groups, func(g model.ID) bool { return contains(m.Groups, g) }))
		}
	}
	hit := no()
	for _, id := range groups {
		g, ok := model.Get[*model.NetworkGroup](w.e, id)
		if !ok {
			if w.scopeCovers(id.Parent(), v) {
				hit = hit.or(maybe("ASM-AVNM-DEPLOY"))
			}
			continue
		}
		for _, m := range g.Members {
			switch {
			case same(m.Resource, v.ID):
				return yes()
			case same(m.Resource.Parent(), v.ID): // a subnet as member
				hit = hit.or(maybe("ASM-AVNM-DEPLOY"))
			}
		}
		if (g.ByPolicy || len(g.Members) == 0 || w.strict) && w.scopeCovers(g.Manager, v) {
			hit = hit.or(maybe("ASM-AVNM-DEPLOY"))
		}
	}
	return hit
}

// inForce says whether a configuration is deployed in a region, by the deployment status (AZ-AVNM-14 c). told: the input has a status.
func (w *world) inForce(manager, config model.ID, area, kind string) (m match, told *model.DeploymentStatus) {
	for _, d := range w.e.Deployments {
		if area == "" || !same(d.Manager, manager) || model.Region(d.Region) != area || !fold(d.Kind, kind) {
			continue
		}
		if fold(d.State, "Deployed") || fold(d.State, "Committed") {
			return when(contains(d.Configurations, config)), d
		}
		return maybe("ASM-AVNM-DEPLOY"), d
	}
	return maybe("ASM-AVNM-DEPLOY"), nil
}

// managedBy is what one manager has in force at a VNet whose effective rules the input lacks: its active rules of the region, else the
// rules of the configurations that are, or may be, deployed (AZ-AVNM-14 b, c).
func (w *world) managedBy(id model.ID, v *model.VNet) managed {
	out := managed{scope: w.scopeOf(id)}
	if !w.mayDeploy(id, "SecurityAdmin") {
		return out
	}
	area := model.Region(v.Location)
	take := func(r *model.AdminRule, there match) {
		if there = there.and(w.withIntentPolicies(v, r)); there.may {
			out.rules = append(out.rules, ruled{r, there})
		}
	}
	reachable := w.scopeCovers(id, v)
	for _, a := range w.e.ActiveAdmin {
		if !same(a.Manager, id) || area != "" && model.Region(a.Region) != area {
			continue
		}
		for i := range a.Rules {
			r := &a.Rules[i]
			there := w.activeAt(v, r)
			if area == "" { // the VNet's region is not stated
				there = there.and(maybe("ASM-AVNM-DEPLOY"))
			}
			take(r, there)
		}
		if a.Cut && reachable {
			out.lacks = lacking("active security admin rules of", id)
		}
		if area != "" {
			return out
		}
	}
	found := false
	filled := map[string]bool{}
	for _, c := range w.e.AdminCollections {
		if !same(c.Configuration.Parent(), id) {
			continue
		}
		found = true
		filled[c.Configuration.Key()] = true
		there, _ := w.inForce(id, c.Configuration, area, "SecurityAdmin")
		switch {
		case !c.Partial:
			there = there.and(w.groupMember(v, c.Groups))
		case reachable:
			there = there.and(maybe("ASM-AVNM-DEPLOY"))
		default:
			there = no()
		}
		if there.may && len(c.Rules) == 0 {
			out.lacks = lacking("rules of the rule collection", c.ID)
		}
		for i := range c.Rules {
			take(&c.Rules[i], there)
		}
	}
	for _, c := range w.e.AdminConfigs {
		if same(c.Manager, id) {
			found = true
			if there, _ := w.inForce(id, c.ID, area, "SecurityAdmin"); there.may && !filled[c.ID.Key()] && reachable {
				out.lacks = lacking("rule collections of the security admin configuration", c.ID)
			}
		}
	}
	_, told := w.inForce(id, "", area, "SecurityAdmin")
	switch {
	case told != nil:
		for _, c := range told.Configurations {
			if _, ok := model.Get[*model.SecurityAdminConfiguration](w.e, c); !ok && !filled[c.Key()] && reachable {
				out.lacks = lacking("security admin configuration", c)
			}
		}
	case !found && reachable:
		out.lacks = lacking("security admin configurations of the network manager", id)
	}
	return out
}

// activeAt says whether an active rule of a VNet's region is for the VNet: the list names the groups, else the collection does.
func (w *world) activeAt(v *model.VNet, r *model.AdminRule) match {
	if len(r.Groups) > 0 {
		return w.groupMember(v, r.Groups)
	}
	c, ok := model.Get[*model.AdminRuleCollection](w.e, r.Collection())
	switch {
	case ok && !c.Partial:
		return w.groupMember(v, c.Groups)
	case w.scopeCovers(r.Manager(), v):
		return maybe("ASM-AVNM-DEPLOY")
	default:
		return no()
	}
}

// withIntentPolicies says whether a rule acts at a VNet with SQL Managed Instance or Azure Databricks (AZ-AVNM-08): by default none does.
// A Deny is absent then; an Allow or AlwaysAllow may be there, because a subscription can be enabled for all rules.
func (w *world) withIntentPolicies(v *model.VNet, r *model.AdminRule) match {
	holds := false
	for _, s := range w.subnetsOf(v) {
		for _, d := range s.Delegations {
			holds = holds || fold(d, "Microsoft.Sql/managedInstances") || fold(d, "Microsoft.Databricks/workspaces")
		}
	}
	if !holds {
		return yes()
	}
	c, ok := model.Get[*model.SecurityAdminConfiguration](w.e, r.Configuration())
	if !ok {
		return maybe("ASM-AVNM-DEPLOY")
	}
	if c.IntentPolicy == model.IntentAll || c.IntentPolicy == model.IntentAllowRulesOnly && r.Access == model.Allow {
		return yes()
	}
	if r.Access == model.Deny {
		return no()
	}
	return maybe("ASM-AVNM-DEPLOY")
}

// answers is what a list of admin rules may do with a packet (AZ-AVNM-02): each is the first rule that may say so.
type answers struct {
	deny, allow, always blame
	none                bool // no rule may take it
	why                 []string
}

// answer walks one manager's rules by priority (AZ-AVNM-04, AZ-GEN-01), in every reading of the NIC's tags.
func (t *tracer) answer(m managed, h *host, f flow, dir model.Direction, mild bool) answers {
	if m.lacks != "" {
		b := blame{is: true, detail: "security admin rules that the input lacks"}
		a := answers{allow: b, always: b, none: true, why: []string{m.lacks}}
		if !mild {
			a.deny = b
		}
		return a
	}
	var list []ruled
	for _, r := range m.rules {
		if r.Direction == dir && (!mild || r.Access != model.Deny) {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b ruled) int { return cmp.Compare(a.Priority, b.Priority) })
	view := t.view(h)
	var out answers
	for _, as := range t.assignments(view, f) {
		rank, stop := -1, false
		for _, r := range list {
			if r.Priority != rank && stop { // rules of one priority have no known order
				break
			}
			rank = r.Priority
			hit := t.ruleMatch(r.SecurityRule, view, as, h, f, dir).and(r.there)
			if !hit.may {
				continue
			}
			stop = stop || hit.must
			out.why = union(out.why, sorted(hit.why))
			b := blame{is: true, rule: r.ID.ShortName(), source: r.Source}
			switch {
			case r.Access == model.Deny && !out.deny.is:
				out.deny = b
			case r.Access == model.Allow && !out.allow.is:
				out.allow = b
			case r.Access == model.AlwaysAllow && !out.always.is:
				out.always = b
			}
		}
		out.none = out.none || !stop
	}
	if len(t.assignments(view, f)) > 1 {
		out.why = union(out.why, t.tagReasons(view, f))
	}
	return out
}

// adminAnswer is the joint answer of the managers of a VNet, in both bounds (AZ-AVNM-07).
type adminAnswer struct {
	deny, allow, always blame
	over                struct{ always, goOn bool }
	under               struct{ deny, goOn bool }
	why                 []string
}

// joint joins the managers: over tries the higher scope first and ignores every Deny of the other, under takes the least permissive of
// both orders. Where the scopes do not tell who is higher, either may be first.
func (t *tracer) joint(list []managed, h *host, f flow, dir model.Direction) adminAnswer {
	var out adminAnswer
	pick := func(to *blame, b blame) {
		if !to.is {
			*to = b
		}
	}
	out.under.goOn = true // when no manager has a rule for it
	own := make([]answers, len(list))
	asked := false
	for i, m := range list {
		own[i] = t.answer(m, h, f, dir, false)
		out.why = union(out.why, own[i].why)
		out.under.goOn = out.under.goOn && own[i].none
		asked = asked || own[i].allow.is
		out.under.deny = out.under.deny || own[i].deny.is
		pick(&out.deny, own[i].deny)
	}
	out.under.goOn = out.under.goOn || asked
	for i, a := range own {
		if list[i].scope > 0 && slices.ContainsFunc(list, func(m managed) bool { return m.scope > list[i].scope }) {
			continue
		}
		out.over.always = out.over.always || a.always.is
		out.over.goOn = out.over.goOn || a.allow.is || a.none
		pick(&out.always, a.always)
		pick(&out.allow, a.allow)
		if !a.none {
			continue
		}
		for j, m := range list {
			if j != i {
				rest := t.answer(m, h, f, dir, true)
				out.over.always = out.over.always || rest.always.is
				pick(&out.always, rest.always)
				pick(&out.allow, rest.allow)
			}
		}
	}
	if len(list) > 1 {
		out.why = union(out.why, []string{"ASM-AVNM-MULTI"})
	}
	if dir == model.Outbound && isPlatform(f.dst.at) {
		// AZ-AVNM-02: whether admin rules stop what NSGs never filter (AZ-PLAT-01) is not documented.
		out.over.goOn = true
	}
	return out
}

// admin is the stage of security admin rules, before the NSGs (AZ-AVNM-01, AZ-GEN-06): Deny drops, AlwaysAllow jumps over the NSGs of
// this direction and NIC, Allow and no match go on to them (AZ-AVNM-02). It is not at the subnets of AZ-AVNM-09.
func (t *tracer) admin(c course, h *host, stage Stage, next func(course)) {
	if h.pool != nil && h.pool.Subnet == "" {
		c = c.given(t.assume("ASM-A-MANAGEDVNET")) // AKS-NET-12
	}
	c.bypass, c.opened = no(), no()
	if subnetKind(h.subnet) != ordinary || t.isAppGatewaySubnet(h.subnetID) {
		next(c)
		return
	}
	if h.vnet == nil {
		next(c.because("ASM-AVNM"))
		return
	}
	dir := model.Inbound
	if stage == AdminOut {
		dir = model.Outbound
	}
	list, settled := t.managersOf(h.vnet)
	list = slices.DeleteFunc(slices.Clone(list), func(m managed) bool {
		return m.lacks == "" && !slices.ContainsFunc(m.rules, func(r ruled) bool { return r.Direction == dir })
	})
	if !settled {
		c = c.because("ASM-AVNM")
		if t.strict { // AZ-AVNM-03: some AlwaysAllow and some Deny may exist
			list = append(list, managed{lacks: "ASM-AVNM"})
		}
	}
	if len(list) == 0 {
		next(c)
		return
	}
	a := t.joint(list, h, c.flow(), dir)
	v := verdict{why: a.why}
	switch {
	case a.over.always:
		v.allow = a.always
		if v.allow.detail == "" {
			v.allow.detail = "AlwaysAllow: the NSGs are not asked"
		}
	case a.over.goOn && a.allow.is:
		v.allow = a.allow
	case a.over.goOn:
		v.allow = blame{is: true, detail: "no security admin rule takes the packet"}
	}
	if a.under.deny {
		v.deny = a.deny
		if v.allow.is && v.allow.rule == "" && v.deny.rule != "" {
			v.allow.detail = "whether " + v.deny.rule + " takes the packet is not certain"
		}
	}
	v = v.settle()
	c.bypass = match{must: a.over.always && !a.under.goOn, may: a.over.always, why: a.why}
	c.opened = match{may: a.over.always || a.allow.is}
	t.decide(c, Hop{At: h.place, Stage: stage}, v, next)
}

// pastNSG is the answer of an NSG that an AlwaysAllow may have jumped over.
func (c course) pastNSG(v verdict) verdict {
	if !c.bypass.may || v.allow.is && v.certain() {
		return v
	}
	return v.either(verdict{allow: blame{is: true, detail: "a security admin rule may allow past the NSG (AZ-AVNM-02)"}}, c.bypass.why...)
}

// connected groups

// groupLinks are the members of connected groups that a VNet is joined with, without a peering (AZ-AVNM-11).
func (w *world) groupLinks(v *model.VNet) []link {
	if v == nil || v.Partial || len(w.e.NetworkManagers)+len(w.e.ConnectivityConfigs)+len(w.e.EffectiveConnectivity)+len(w.e.ActiveConnectivity) == 0 {
		return nil
	}
	var out []link
	for _, other := range w.e.VNets {
		if other.Partial || same(other.ID, v.ID) || w.peeredFor(v, other) {
			continue
		}
		m := no()
		for _, c := range w.connectivities() {
			m = m.or(w.joined(c, v, other))
		}
		if !m.must {
			if here, there := w.groupsLacking(v), w.groupsLacking(other); len(here) > 0 && len(there) > 0 {
				m = m.or(maybe(sorted(union(here, there))...))
			}
		}
		if m.may {
			out = append(out, link{from: v, remote: other, id: other.ID, certain: m.must, group: true, why: m.why})
		}
	}
	return out
}

// peeredFor reports a certain peering between two VNets: one of whole VNets leads to the same place, one of subnets takes precedence
// over a connected group (AZ-AVNM-12).
func (w *world) peeredFor(v, other *model.VNet) bool {
	return slices.ContainsFunc(w.links(v), func(l link) bool { return same(l.id, other.ID) && l.certain })
}

// connectivities lists the connectivity configurations that the input knows. What the service lists as applied describes one better than
// the resource.
func (w *world) connectivities() []model.AppliedConnectivity {
	var out []model.AppliedConnectivity
	add := func(list ...model.AppliedConnectivity) {
		for _, c := range list {
			if !slices.ContainsFunc(out, func(x model.AppliedConnectivity) bool { return same(x.ID, c.ID) }) {
				out = append(out, c)
			}
		}
	}
	for _, e := range w.e.EffectiveConnectivity {
		add(e.Configurations...)
	}
	for _, a := range w.e.ActiveConnectivity {
		add(a.Configurations...)
	}
	for _, c := range w.e.ConnectivityConfigs {
		add(model.AppliedConnectivity{ID: c.ID, Source: c.Source, Facts: c.Facts})
	}
	return out
}

// joined says whether a connectivity configuration puts two VNets into one connected group.
func (w *world) joined(c model.AppliedConnectivity, a, b *model.VNet) match {
	m := no()
	mesh := fold(c.Facts.Topology, "Mesh")
	known := mesh || fold(c.Facts.Topology, "HubAndSpoke")
	hubA, hubB := isHub(c, a), isHub(c, b)
	for _, g := range c.Facts.Groups {
		side := func(v *model.VNet, hub bool) match {
			if hub {
				return w.appliedAt(c, v)
			}
			return w.appliedAt(c, v).and(w.connectedMember(c, g, v))
		}
		both := side(a, hubA).and(side(b, hubB))
		if hubA && hubB && !mesh {
			both = both.and(maybe("ASM-AVNM-DEPLOY"))
		}
		// Of a hub and spoke without direct connectivity a peering joins hub and spoke; one that is not made yet is not in the input.
		if (hubA || hubB) && !mesh && both.may {
			m = m.or(maybe("ASM-AVNM-DEPLOY"))
		}
		switch {
		case !known:
			both = both.and(maybe("ASM-AVNM-DEPLOY"))
		case !mesh && g.Direct != model.On:
			continue
		}
		m = m.or(both.and(acrossRegions(a, b, c.Facts.Global == model.On || g.Global == model.On)))
	}
	return m
}

func isHub(c model.AppliedConnectivity, v *model.VNet) bool {
	return slices.ContainsFunc(c.Facts.Hubs, func(h model.ConnectivityHub) bool { return same(h.Resource, v.ID) })
}

// acrossRegions: a connected group joins VNets of one region, those of other regions only when it is global.
func acrossRegions(a, b *model.VNet, global bool) match {
	switch {
	case global || a.Location != "" && model.Region(a.Location) == model.Region(b.Location):
		return yes()
	case a.Location == "" || b.Location == "":
		return maybe("ASM-AVNM-DEPLOY")
	default:
		return no()
	}
}

// appliedAt says whether a connectivity configuration is in force at a VNet, if it is in one of its groups (AZ-AVNM-14).
func (w *world) appliedAt(c model.AppliedConnectivity, v *model.VNet) match {
	manager := c.ID.Parent()
	lists := func(list []model.AppliedConnectivity, cut bool) match {
		m := when(slices.ContainsFunc(list, func(x model.AppliedConnectivity) bool { return same(x.ID, c.ID) }))
		if cut {
			m = m.or(maybe("ASM-AVNM-DEPLOY"))
		}
		return m
	}
	for _, e := range w.e.EffectiveConnectivity {
		if same(e.VNet, v.ID) {
			return lists(e.Configurations, e.Cut)
		}
	}
	if !w.mayDeploy(manager, "Connectivity") {
		return no()
	}
	for _, a := range w.e.ActiveConnectivity {
		if same(a.Manager, manager) && v.Location != "" && model.Region(a.Region) == model.Region(v.Location) {
			return lists(a.Configurations, a.Cut)
		}
	}
	m, _ := w.inForce(manager, c.ID, model.Region(v.Location), "Connectivity")
	return m
}

// connectedMember says whether a VNet is in a group of a configuration. A configuration is in force at a VNet because of one of its groups.
func (w *world) connectedMember(c model.AppliedConnectivity, g model.ConnectivityGroup, v *model.VNet) match {
	m := w.groupMember(v, []model.ID{g.Group})
	for _, e := range w.e.EffectiveConnectivity {
		if same(e.VNet, v.ID) && slices.ContainsFunc(e.Configurations, func(x model.AppliedConnectivity) bool { return same(x.ID, c.ID) }) {
			if len(c.Facts.Groups) == 1 {
				return yes()
			}
			return m.or(maybe("ASM-AVNM-DEPLOY"))
		}
	}
	return m
}

// groupsLacking names what may have put a VNet into a connected group that the input does not describe (AZ-GEN-08).
func (w *world) groupsLacking(v *model.VNet) []string {
	for _, e := range w.e.EffectiveConnectivity {
		if same(e.VNet, v.ID) {
			if e.Cut {
				return []string{lacking("effective connectivity configurations of", v.ID)}
			}
			return nil
		}
	}
	var out []string
	for _, m := range w.e.NetworkManagers {
		if !w.mayDeploy(m.ID, "Connectivity") || !w.scopeCovers(m.ID, v) ||
			slices.ContainsFunc(w.e.ActiveConnectivity, func(a *model.ActiveConnectivity) bool {
				return same(a.Manager, m.ID) && v.Location != "" && model.Region(a.Region) == model.Region(v.Location) && !a.Cut
			}) {
			continue
		}
		_, told := w.inForce(m.ID, "", model.Region(v.Location), "Connectivity")
		switch {
		case told != nil:
			for _, id := range told.Configurations {
				if _, ok := model.Get[*model.ConnectivityConfiguration](w.e, id); !ok {
					out = append(out, lacking("connectivity configuration", id))
				}
			}
		case !slices.ContainsFunc(w.e.ConnectivityConfigs, func(c *model.ConnectivityConfiguration) bool { return same(c.Manager, m.ID) }):
			out = append(out, lacking("connectivity configurations of the network manager", m.ID))
		}
	}
	return out
}

// groupPrefixes are the ranges of a member that a connected group routes to: an address that two members hold is not reachable
// (AZ-AVNM-11), nor one that the VNet itself holds.
func (w *world) groupPrefixes(l link, all []link) []peerPrefix {
	surely, perhaps := prefixSet(l.from.Prefixes...), prefixSet()
	for _, other := range all {
		switch {
		case same(other.id, l.id):
		case other.certain && l.certain:
			surely = joinSets(surely, prefixSet(other.remote.Prefixes...))
		case !other.certain:
			perhaps = joinSets(perhaps, prefixSet(other.remote.Prefixes...))
		}
	}
	var out []peerPrefix
	for _, p := range l.remote.Prefixes {
		for _, part := range lessSet(prefixSet(p), surely).Prefixes() {
			out = append(out, peerPrefix{part, l.certain && !perhaps.OverlapsPrefix(part)})
		}
	}
	return out
}

// groupRoutes are the routes with next hop ConnectedGroup (AZ-RT-05).
func (w *world) groupRoutes(h *host) []route {
	all := w.groupLinks(h.vnet)
	var out []route
	for _, l := range all {
		for _, p := range w.groupPrefixes(l, all) {
			why := l.why
			if !p.certain && l.certain {
				why = union(why, []string{"ASM-AVNM-DEPLOY"})
			}
			out = append(out, route{prefix: p.prefix, hop: model.HopConnectedGroup, inside: true, link: &l, certain: p.certain, why: sorted(why)})
		}
	}
	return out
}

// crossInto carries a packet into a neighbouring VNet: over a peering, by a connected group, or not at all when it is the same.
func (t *tracer) crossInto(c course, l link, at model.Place) course {
	switch {
	case l.peering != nil:
		return t.crossPeering(c, l, at)
	case l.group:
		c = c.forward(at, Transport, "connected group")
		if !l.certain {
			c = c.uncertain(l.why...)
		}
		c.entry = nil
		return c
	default:
		return c
	}
}

// near lists the VNets that packets reach directly: neighbourhood, and the members of connected groups.
func (w *world) near(v *model.VNet) []link {
	return append(w.neighbourhood(v), w.groupLinks(v)...)
}
