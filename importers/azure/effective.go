package azure

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// What the platform applies at a NIC comes without an ID of its own (REST, az and PowerShell print the same fields):
//
//   - effective rules: `{"value": [{"networkSecurityGroup": …, "association": …, "effectiveSecurityRules": […]}]}`, or the list alone.
//     The association names the NIC or the subnet.
//   - effective routes: `{"value": [{"source": …, "state": …, "addressPrefix": […], "nextHopType": …}]}`, or the list alone. Nothing in
//     them names the NIC, so its ID must stand beside the list: `{"id": "/subscriptions/…/networkInterfaces/NIC", "value": […]}`
//     (`networkInterface` is read as `id` is). The same is accepted, and not needed, for rules.

// effectiveFile is one such list: the object or list that holds it, and its rows.
type effectiveFile struct {
	*resource
	rows []*node
}

// isEffectiveRoute tells a row of an effective route table.
func isEffectiveRoute(n *node) bool {
	return n.kind == objectValue && n.get("id") == nil && n.get("addressPrefix") != nil && n.get("nextHopType") != nil
}

// isEffectiveGroup tells an effective network security group.
func isEffectiveGroup(n *node) bool {
	return n.kind == objectValue && n.get("id") == nil && n.get("effectiveSecurityRules") != nil
}

func isEffective(n *node) bool { return isEffectiveRoute(n) || isEffectiveGroup(n) }

// effectiveState takes a document that holds effective rules or routes, and reports whether it is one.
func (im *importer) effectiveState(file string, doc *node) bool {
	rows := []*node{doc}
	switch {
	case isEffective(doc):
	case doc.kind == arrayValue && slices.ContainsFunc(doc.items, isEffective):
		rows = doc.items
	case doc.kind == objectValue && wrapped(doc) != nil && (slices.ContainsFunc(wrapped(doc).items, isEffective) || emptyEnvelope(doc)):
		rows = wrapped(doc).items
	default:
		return false
	}
	r := &resource{importer: im, file: file, node: doc, id: model.ID(cmp.Or(doc.str("id"), doc.str("networkInterface"))), kind: resourceType{name: "effective routes and rules"}}
	if r.id != "" && !r.checkID() {
		im.bad[file] = true
		return true
	}
	if t := r.id.Type(); r.id != "" && lastSegment(t) != "networkinterfaces" {
		im.bad[file] = true
		r.errorAt(cmp.Or(doc.get("id"), doc.get("networkInterface")), "", string(r.id), "the resource ID of a network interface, beside the list of its effective routes or rules")
		return true
	}
	if doc.kind == objectValue && wrapped(doc) != nil {
		im.page(file, doc, wrapped(doc))
	}
	im.lists = append(im.lists, effectiveFile{r, rows})
	return true
}

// emptyEnvelope tells a NIC's ID beside an empty list: a NIC without rules, or a stopped machine. It says nothing.
func emptyEnvelope(doc *node) bool {
	return lastSegment(model.ID(doc.str("id")).Type()) == "networkinterfaces" && doc.get("value") != nil && doc.get("properties") == nil &&
		doc.get("ipConfigurations") == nil && len(wrapped(doc).items) == 0
}

// readEffective turns the lists into the model.
func (im *importer) readEffective() {
	for _, l := range im.lists {
		var routes, groups []*node
		for _, n := range l.rows {
			switch {
			case isEffectiveRoute(n):
				routes = append(routes, n)
			case isEffectiveGroup(n):
				groups = append(groups, n)
			default:
				l.errorAt(n, "", n.kind.String(), "a row like the first: an effective route, or an effective network security group")
			}
		}
		switch {
		case len(routes) > 0 && len(groups) > 0:
			l.errorAt(routes[0], "", "an effective route among rules", "effective routes and effective rules in lists of their own")
		case len(routes) > 0:
			l.routes(routes)
		case len(groups) > 0:
			l.groups(groups)
		}
	}
}

// strange notes the members of a row that nobody reads.
func (l effectiveFile) strange(n *node, known string) {
	for _, m := range n.items {
		if m.kind != nullValue && !slices.ContainsFunc(strings.Fields(known), func(k string) bool { return strings.EqualFold(k, m.name) }) {
			l.note(m, "not read: what it says of an effective route or rule is not known to ringfence")
		}
	}
}

// record notes what was read of a NIC, and whether the input has it.
func (l effectiveFile) record(of model.ID, n *node, what string) {
	d, effect := model.Modelled, ""
	if !l.known[of.Key()] {
		d, effect = model.Irrelevant, what+" of "+of.ShortName()+", which the input lacks"
	}
	l.ledger = append(l.ledger, model.LedgerEntry{Resource: of, Type: what, Disposition: d, Effect: effect, Source: l.source(n)})
}

// routes reads an effective route table (AZ-RT-33).
func (l effectiveFile) routes(rows []*node) {
	if l.id == "" {
		l.errorAt(l.node, "id", "effective routes that name no NIC",
			`the NIC's resource ID beside the list: {"id": "/subscriptions/…/networkInterfaces/NIC", "value": […]}`)
		return
	}
	l.holder = l.id
	out := &model.EffectiveRoutes{Meta: model.Meta{ID: model.EffectiveRoutesID(l.id), Source: l.source(l.node)}, Of: l.id}
	for _, n := range rows {
		out.Routes = append(out.Routes, l.route(n))
	}
	l.record(l.id, l.node, "effective routes")
	l.emit(out)
}

func (l effectiveFile) route(n *node) model.EffectiveRoute {
	out := model.EffectiveRoute{Name: n.str("name"), Source: l.source(n)}
	l.strange(n, "name source state addressPrefix nextHopType nextHopIpAddress disableBgpRoutePropagation hasBgpOverride additionalProperties")
	word := func(name string, possible ...string) string {
		m := n.get(name)
		if m == nil || m.kind != textValue {
			l.errorAt(n, name, "nothing", "one of "+strings.Join(possible, ", "))
			return ""
		}
		for _, p := range possible {
			if strings.EqualFold(p, m.text) {
				return p
			}
		}
		l.errorAt(m, "", m.text, "one of "+strings.Join(possible, ", "))
		return ""
	}
	out.From = word("source", "Default", "User", "VirtualNetworkGateway", "Unknown")
	out.Active = word("state", "Active", "Invalid") == "Active"
	for _, m := range texted(n.get("addressPrefix")) {
		switch {
		case m.kind == textValue && isTag(m.text):
			out.Tags = append(out.Tags, m.text)
		default:
			if p, ok := l.prefix(&value{raw: m}); ok {
				out.Prefixes = append(out.Prefixes, p)
			}
		}
	}
	if len(out.Prefixes)+len(out.Tags) == 0 && n.get("addressPrefix").kind != arrayValue {
		l.errorAt(n, "addressPrefix", "nothing", "a list of CIDRs")
	}
	slices.SortFunc(out.Prefixes, comparePrefix)
	out.Prefixes = slices.Compact(out.Prefixes)
	for _, m := range texted(n.get("nextHopIpAddress")) {
		if a := l.addr(&value{raw: n, names: []string{"a"}, items: []*value{{raw: m}}}, "a"); a.IsValid() {
			out.Addresses = append(out.Addresses, a)
		}
	}
	out.Addresses = sortedAddrs(out.Addresses)
	out.NextHop = model.NextHopType(n.str("nextHopType"))
	if hop, ok := enum(n.str("nextHopType"), nextHopTypes()); ok {
		out.NextHop = model.NextHopType(hop)
	} else if out.NextHop == "" {
		l.errorAt(n, "nextHopType", "nothing", words(nextHopTypes()))
	} else {
		l.unsupported(n.get("nextHopType"), "a next hop that is not known to ringfence: who forwards is not known")
	}
	if out.NextHop == model.HopAppliance && len(out.Addresses) == 0 {
		l.errorAt(n, "nextHopIpAddress", "nothing", "the address of the appliance")
	}
	return out
}

func nextHopTypes() []model.NextHopType {
	return []model.NextHopType{
		model.HopVnetLocal, model.HopPeering, model.HopGlobalPeering, model.HopGateway, model.HopAppliance, model.HopInternet, model.HopNone,
		model.HopServiceEndpoint, model.HopPrivateEndpoint, model.HopConnectedGroup,
	}
}

// texted is a member that is a text or a list of texts: az and REST print one or the other by the age of the API.
func texted(n *node) []*node {
	switch {
	case n == nil || n.kind == nullValue || n.kind == textValue && n.text == "":
		return nil
	case n.kind == arrayValue:
		return n.items
	default:
		return []*node{n}
	}
}

// groups reads effective network security groups (AZ-TAG-04). A group that is attached to the subnet belongs to the NIC too, where the
// list names one.
func (l effectiveFile) groups(rows []*node) {
	nic := l.id
	for _, n := range rows {
		if id := model.ID(n.get("association").get("networkInterface").str("id")); id != "" && nic == "" {
			nic = id
		}
	}
	byHolder := map[string]*model.EffectiveRules{}
	var order []string
	for _, n := range rows {
		l.node = n
		g, ok := l.group(n)
		if !ok {
			continue
		}
		of := cmp.Or(nic, g.At)
		out := byHolder[of.Key()]
		if out == nil {
			out = &model.EffectiveRules{Meta: model.Meta{ID: model.EffectiveRulesID(of), Source: l.source(n)}, Of: of}
			byHolder[of.Key()] = out
			order = append(order, of.Key())
			l.record(of, n, "effective rules")
		}
		out.Groups = append(out.Groups, g)
	}
	for _, key := range order {
		slices.SortStableFunc(byHolder[key].Groups, func(a, b model.EffectiveGroup) int { return a.NSG.Compare(b.NSG) })
		l.emit(byHolder[key])
	}
}

func (l effectiveFile) group(n *node) (g model.EffectiveGroup, ok bool) {
	at := n.get("association")
	g.Source = l.source(n)
	ref := func(m *node) model.ID {
		id := m.get("id")
		if id == nil || id.kind != textValue || id.text == "" {
			return ""
		}
		return l.asID(&value{raw: id})
	}
	g.NSG, g.At = ref(n.get("networkSecurityGroup")), cmp.Or(ref(at.get("networkInterface")), ref(at.get("subnet")))
	if manager := ref(at.get("networkManager")); manager != "" {
		l.holder = cmp.Or(l.id, manager)
		l.unsupported(at.get("networkManager"), "rules of a network manager at a NIC (AZ-AVNM-14) are not modelled")
		return g, false
	}
	if g.At == "" {
		if g.At = l.id; g.At == "" {
			l.errorAt(n, "association", "no NIC and no subnet",
				`an association with a networkInterface or subnet, or the NIC's resource ID beside the list: {"id": "/subscriptions/…/networkInterfaces/NIC", "value": […]}`)
			return g, false
		}
	}
	l.holder = g.At
	l.strange(n, `networkSecurityGroup association effectiveSecurityRules tagMap additionalProperties
		networkSecurityGroupText associationText effectiveSecurityRulesText tagMapText`)
	rules := n.get("effectiveSecurityRules")
	if rules.kind != arrayValue && rules.kind != nullValue {
		l.errorAt(rules, "", rules.kind.String(), "a list of rules")
		return g, false
	}
	for _, m := range rules.items {
		if m.kind != objectValue {
			l.errorAt(m, "", m.kind.String(), "a rule: an object with name, priority, direction, access")
			continue
		}
		g.Rules = append(g.Rules, l.rule(m))
	}
	slices.SortStableFunc(g.Rules, func(a, b model.EffectiveRule) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
	})
	return g, true
}

// rule reads one effective rule. Ports are ranges (`443-443`), any protocol is `All`, any address `0.0.0.0/0` or `*`.
func (l effectiveFile) rule(n *node) (out model.EffectiveRule) {
	out.Source = l.source(n)
	l.strange(n, `name protocol priority direction access additionalProperties sourcePortRange sourcePortRanges destinationPortRange
		destinationPortRanges sourceAddressPrefix sourceAddressPrefixes destinationAddressPrefix destinationAddressPrefixes
		expandedSourceAddressPrefix expandedDestinationAddressPrefix`)
	name := n.str("name")
	kind, short, cut := strings.Cut(name, "/")
	switch {
	case !cut:
		out.Name = name // user rules of old API versions: UserRule_X, DefaultRule_Y
		if rest, ok := strings.CutPrefix(name, "UserRule_"); ok {
			out.Name = rest
		} else if strings.HasPrefix(name, "DefaultRule_") || strings.HasPrefix(name, "DefaultInbound") || strings.HasPrefix(name, "DefaultOutbound") {
			out.Default = true
		}
	default:
		out.Name, out.Default = short, strings.EqualFold(kind, "defaultSecurityRules")
	}
	if out.Name == "" {
		l.errorAt(n, "name", "nothing", "the name of the rule, as securityRules/X")
	}
	v := &value{raw: n}
	for _, m := range n.items {
		v.names, v.items = append(v.names, strings.ToLower(m.name)), append(v.items, &value{raw: m})
	}
	switch access, _ := required(l.resource, v, "access", armnetwork.PossibleSecurityRuleAccessValues()); access {
	case armnetwork.SecurityRuleAccessAllow:
		out.Access = model.Allow
	case armnetwork.SecurityRuleAccessDeny:
		out.Access = model.Deny
	}
	switch d, _ := required(l.resource, v, "direction", armnetwork.PossibleSecurityRuleDirectionValues()); d {
	case armnetwork.SecurityRuleDirectionInbound:
		out.Direction = model.Inbound
	case armnetwork.SecurityRuleDirectionOutbound:
		out.Direction = model.Outbound
	}
	if p := n.get("priority"); p != nil && p.kind == numberValue {
		out.Priority = number(p)
	} else {
		l.errorAt(n, "priority", "nothing", "the priority of the rule")
	}
	switch p := n.str("protocol"); strings.ToLower(p) {
	case "all", "*", "any", "":
		out.Protocol = model.AnyProtocol
	case "tcp":
		out.Protocol = model.TCP
	case "udp":
		out.Protocol = model.UDP
	case "icmp":
		out.Protocol = model.ICMP
	case "esp":
		out.Protocol = model.ESP
	case "ah":
		out.Protocol = model.AH
	default:
		out.Protocol, out.UnknownMatch = model.AnyProtocol, "protocol "+p
	}
	list := func(names ...string) []*value {
		var out []*value
		for _, name := range names {
			for _, m := range texted(n.get(name)) {
				if m.kind != textValue {
					l.errorAt(m, "", m.kind.String(), "a text")
					continue
				}
				out = append(out, &value{raw: m})
			}
		}
		return out
	}
	side := func(name string) (m model.AddressMatch) {
		l.match(&m, list(name, name+"es"), true)
		slices.Sort(m.Tags)
		m.Tags = slices.Compact(m.Tags)
		slices.SortFunc(m.Prefixes, comparePrefix)
		m.Prefixes = slices.Compact(m.Prefixes)
		return m
	}
	out.SourceAddrs, out.DestAddrs = side("sourceAddressPrefix"), side("destinationAddressPrefix")
	ports := func(name string) []model.PortRange {
		got := l.portRanges(list(name, name+"s"))
		slices.SortFunc(got, func(a, b model.PortRange) int {
			return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
		})
		return slices.Compact(got)
	}
	out.SourcePorts, out.DestPorts = ports("sourcePortRange"), ports("destinationPortRange")
	for _, x := range []struct {
		name string
		to   *[]netip.Prefix
	}{{"expandedSourceAddressPrefix", &out.ExpandedSource}, {"expandedDestinationAddressPrefix", &out.ExpandedDest}} {
		for _, v := range list(x.name) {
			if v.raw.text == "*" {
				*x.to = append(*x.to, everyAddress()...)
				continue
			}
			if p, ok := l.prefix(v); ok {
				*x.to = append(*x.to, p)
			}
		}
		slices.SortFunc(*x.to, comparePrefix)
		*x.to = slices.Compact(*x.to)
	}
	return out
}

// everyAddress is what `*` stands for (AZ-NSG-05).
func everyAddress() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
}
