package azure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// Types of Azure Virtual Network Manager that have parts, or are made from the output of a list operation.
const (
	typeManager         = "Microsoft.Network/networkManagers"
	typeNetworkGroup    = typeManager + "/networkGroups"
	typeStaticMember    = typeNetworkGroup + "/staticMembers"
	typeConnectivity    = typeManager + "/connectivityConfigurations"
	typeAdminConfig     = typeManager + "/securityAdminConfigurations"
	typeAdminCollection = typeAdminConfig + "/ruleCollections"
	typeAdminRule       = typeAdminCollection + "/rules"
)

func managerFields() map[string]fieldUse {
	const (
		top  = "id etag name type systemData location tags"
		none = "provisioningState resourceGuid description"
	)
	rule := fieldUse{
		read:     "access description destinationPortRanges destinations direction priority protocol provisioningState sourcePortRanges sources",
		harmless: "resourceGuid displayName",
	}
	defaults := rule
	defaults.read += " flag"
	row := fieldUse{
		read:     "id kind properties region ruleCollectionAppliesToGroups",
		harmless: "commitTime configurationDescription ruleCollectionDescription ruleGroups configurationDisplayName ruleCollectionDisplayName name type etag",
	}
	return map[string]fieldUse{
		"Manager": {read: "properties", harmless: top},
		"ManagerProperties": {
			read: "networkManagerScopeAccesses networkManagerScopes", harmless: none + " displayName",
		},
		"ManagerPropertiesNetworkManagerScopes": {read: "managementGroups subscriptions", harmless: "crossTenantScopes"}, // members of other tenants are static
		"Group":                                 {read: "properties", harmless: top},
		"GroupProperties":                       {read: "memberType", harmless: none + " displayName"},
		"StaticMember":                          {read: "id name properties", harmless: "etag type systemData"},
		"StaticMemberProperties":                {read: "resourceId", harmless: "provisioningState region"},
		"SecurityAdminConfiguration":            {read: "properties", harmless: top},
		"SecurityAdminConfigurationPropertiesFormat": {
			read: "applyOnNetworkIntentPolicyBasedServices", harmless: none + " displayName networkGroupAddressSpaceAggregationOption",
		},
		"AdminRuleCollection":                 {read: "properties", harmless: top},
		"AdminRuleCollectionPropertiesFormat": {read: "appliesToGroups", harmless: none + " displayName"},
		"ManagerSecurityGroupItem":            {read: "networkGroupId"},
		"AdminRule":                           {read: "id kind name properties", harmless: "etag type systemData"},
		"DefaultAdminRule":                    {read: "id kind name properties", harmless: "etag type systemData"},
		"AdminPropertiesFormat":               rule,
		"DefaultAdminPropertiesFormat":        defaults,
		"AddressPrefixItem":                   {read: "addressPrefix addressPrefixType"},
		"ActiveSecurityAdminRule":             row,
		"ActiveDefaultSecurityAdminRule":      row,
		"ConnectivityConfiguration":           {read: "properties", harmless: top},
		"ConnectivityConfigurationProperties": {
			read:     "appliesToGroups connectivityCapabilities connectivityTopology deleteExistingPeering hubs isGlobal",
			harmless: none + " displayName",
		},
		"ConnectivityConfigurationPropertiesConnectivityCapabilities": {
			read: "connectedGroupAddressOverlap peeringEnforcement", harmless: "connectedGroupPrivateEndpointsScale",
		},
		"ConnectivityGroupItem":           {read: "groupConnectivity isGlobal networkGroupId useHubGateway"},
		"Hub":                             {read: "resourceId resourceType"},
		"ActiveConnectivityConfiguration": {read: "id properties region", harmless: "commitTime configurationGroups name type etag"},
		"ManagerDeploymentStatus": {
			read: "configurationIds deploymentStatus deploymentType region", harmless: "commitTime errorMessage",
		},
		"commit":               {harmless: top},
		"commitProperties":     {harmless: none + " commitId"},
		"membership":           {harmless: top},
		"membershipProperties": {},
		"membershipGroup":      {harmless: "sourceIds"},
		"effectiveSnapshot":    {harmless: top + " properties"},
	}
}

// readManager reads a network manager: the scope and the features that it may deploy (AZ-AVNM-07).
func readManager(r *resource) {
	is, at := decode[armnetwork.Manager](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	m := &model.NetworkManager{Meta: r.meta()}
	for _, v := range at.list("networkManagerScopes", "subscriptions") {
		m.Subscriptions = append(m.Subscriptions, r.asID(v))
	}
	for _, v := range at.list("networkManagerScopes", "managementGroups") {
		m.ManagementGroups = append(m.ManagementGroups, r.asID(v))
	}
	m.Subscriptions, m.ManagementGroups = distinct(m.Subscriptions), distinct(m.ManagementGroups)
	for _, v := range at.list("networkManagerScopeAccesses") {
		s, _ := enum(v.raw.text, armnetwork.PossibleConfigurationTypeValues())
		m.Accesses = append(m.Accesses, s)
	}
	slices.Sort(m.Accesses)
	m.Accesses = slices.Compact(m.Accesses)
	r.emit(m)
}

// readNetworkGroup reads a network group with its static members (AZ-AVNM-15). Whether a policy fills it is joined later.
func readNetworkGroup(r *resource) {
	is, at := decode[armnetwork.Group](r, r.node)
	if is == nil {
		return
	}
	kind := at.text("properties", "memberType")
	kind = kind[strings.LastIndexByte(kind, '/')+1:] // older versions write the whole resource type
	switch {
	case strings.EqualFold(kind, "virtualNetworks"):
		kind = string(armnetwork.GroupMemberTypeVirtualNetwork)
	default:
		kind, _ = enum(kind, armnetwork.PossibleGroupMemberTypeValues())
	}
	r.emit(&model.NetworkGroup{Meta: r.meta(), Manager: r.id.Parent(), MemberType: kind, Members: r.groupMembers()})
}

func (r *resource) groupMembers() []model.GroupMember {
	var out []model.GroupMember
	for _, s := range items[armnetwork.StaticMember](r, nil, nil, "staticmembers") {
		_, name := s.part(s.at, "staticMembers")
		id := s.idText(s.at, "properties", "resourceId")
		if id == "" {
			s.missing(s.at.get("properties"), "resourceId", "the ID of a virtual network or subnet")
			continue
		}
		out = append(out, model.GroupMember{Name: name, Source: s.source(s.at.raw), Resource: id})
	}
	return merge(r, "staticMembers", out, func(m model.GroupMember) (string, model.Source) { return m.Name, m.Source })
}

// readAdminConfiguration reads a security admin configuration; its rule collections are resources of their own.
func readAdminConfiguration(r *resource) {
	is, at := decode[armnetwork.SecurityAdminConfiguration](r, r.node)
	if is == nil {
		return
	}
	c := &model.SecurityAdminConfiguration{Meta: r.meta(), Manager: r.id.Parent()}
	for _, v := range at.list("properties", "applyOnNetworkIntentPolicyBasedServices") {
		s, ok := enum(v.raw.text, armnetwork.PossibleNetworkIntentPolicyBasedServiceValues())
		if !ok {
			r.fail(v, words(armnetwork.PossibleNetworkIntentPolicyBasedServiceValues()))
			continue
		}
		mode := model.IntentNone
		switch armnetwork.NetworkIntentPolicyBasedService(s) {
		case armnetwork.NetworkIntentPolicyBasedServiceAll:
			mode = model.IntentAll
		case armnetwork.NetworkIntentPolicyBasedServiceAllowRulesOnly:
			mode = model.IntentAllowRulesOnly
		case armnetwork.NetworkIntentPolicyBasedServiceNone:
		}
		c.IntentPolicy = max(c.IntentPolicy, mode)
	}
	r.emit(c)
}

// readAdminCollection reads a rule collection with its rules. One that is listed without its properties has groups that are not known.
func readAdminCollection(r *resource) {
	is, at := decode[armnetwork.AdminRuleCollection](r, r.node)
	if is == nil {
		return
	}
	c := &model.AdminRuleCollection{Meta: r.meta(), Configuration: r.id.Parent(), Rules: r.collectionRules(), Partial: at.get("properties") == nil}
	c.Groups = r.groupIDs(at.list("properties", "appliesToGroups"))
	r.emit(c)
}

// groupIDs reads a list of `networkGroupId`.
func (r *resource) groupIDs(list []*value) []model.ID {
	var out []model.ID
	for _, v := range list {
		if id := r.idText(v, "networkGroupId"); id != "" {
			out = append(out, id)
		}
	}
	return distinct(out)
}

func (r *resource) collectionRules() []model.AdminRule {
	var out []model.AdminRule
	for _, child := range r.children["rules"] {
		if rule, ok := child.adminRule(child.node, child.id, false); ok {
			out = append(out, rule)
		}
	}
	sortAdminRules(out)
	return slices.CompactFunc(out, func(a, b model.AdminRule) bool {
		if a.ID.Key() != b.ID.Key() {
			return false
		}
		if !model.Alike(a, b) {
			r.errs = append(r.errs, &model.InputError{
				Source: b.Source, Resource: a.ID, Found: "a second, different copy", Accepted: "one description of each rule; the other is at " + a.Source.String(),
			})
		}
		return true
	})
}

func sortAdminRules(rules []model.AdminRule) {
	slices.SortStableFunc(rules, func(a, b model.AdminRule) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Priority, b.Priority), a.ID.Compare(b.ID), a.Source.Compare(b.Source))
	})
}

// adminRule reads one security admin rule, custom or default (AZ-AVNM-05). listed: it stands in the output of a list operation. ok is
// false when an error was reported.
func (r *resource) adminRule(n *node, id model.ID, listed bool) (rule model.AdminRule, ok bool) {
	before := len(r.errs)
	var at *value
	kind, known := enum(n.str("kind"), armnetwork.PossibleAdminRuleKindValues())
	isDefault := kind == string(armnetwork.AdminRuleKindDefault)
	switch {
	case listed && isDefault:
		_, at = decode[armnetwork.ActiveDefaultSecurityAdminRule](r, n)
	case listed:
		_, at = decode[armnetwork.ActiveSecurityAdminRule](r, n)
	case isDefault:
		_, at = decode[armnetwork.DefaultAdminRule](r, n)
	default:
		_, at = decode[armnetwork.AdminRule](r, n)
	}
	if at == nil {
		return rule, false
	}
	p := at.get("properties")
	if p == nil {
		r.missing(at, "properties", "the rule: a reference alone describes none")
		return rule, false
	}
	rule.ID, rule.Name, rule.Source = id, id.Name(), r.source(n)
	if name := at.text("name"); name != "" { // rows of list operations have none; Resource Graph lowers the ID
		rule.Name = name[strings.LastIndexByte(name, '/')+1:]
	}
	rule.Source.Resource = id
	rule.Description, rule.Flag = p.text("description"), p.text("flag")
	rule.ProvisioningState, _ = enum(p.text("provisioningState"), armnetwork.PossibleProvisioningStateValues())
	if k := n.get("kind"); k != nil && k.kind == textValue && k.text != "" && !known { // Resource Graph has the column for every type
		r.unsupported(k, "a kind of rule that is not known to ringfence: it may match anything")
		rule.UnknownMatch = "kind " + k.text
	}
	switch access, _ := required(r, p, "access", armnetwork.PossibleSecurityConfigurationRuleAccessValues()); access {
	case armnetwork.SecurityConfigurationRuleAccessAllow:
		rule.Access = model.Allow
	case armnetwork.SecurityConfigurationRuleAccessAlwaysAllow:
		rule.Access = model.AlwaysAllow
	case armnetwork.SecurityConfigurationRuleAccessDeny:
		rule.Access = model.Deny
	}
	switch d, _ := required(r, p, "direction", armnetwork.PossibleSecurityConfigurationRuleDirectionValues()); d {
	case armnetwork.SecurityConfigurationRuleDirectionInbound:
		rule.Direction = model.Inbound
	case armnetwork.SecurityConfigurationRuleDirectionOutbound:
		rule.Direction = model.Outbound
	}
	if v := p.get("priority"); v == nil {
		r.missing(p, "priority", "a priority from 1 to 4096")
	} else if rule.Priority = number(v.raw); rule.Priority < 0 || rule.Priority > 4096 { // AZ-AVNM-04; the preview counted from 0
		r.fail(v, "a priority from 1 to 4096")
	}
	rule.Protocol = r.adminProtocol(p, &rule.UnknownMatch)
	rule.SourceAddrs, rule.SourceGroups = r.adminSide(p, "sources", &rule.UnknownMatch)
	rule.DestAddrs, rule.DestGroups = r.adminSide(p, "destinations", &rule.UnknownMatch)
	rule.SourcePorts, rule.SourcePortText = r.adminPorts(p, "sourcePortRanges")
	rule.DestPorts, rule.DestPortText = r.adminPorts(p, "destinationPortRanges")
	rule.Groups = r.groupIDs(at.list("ruleCollectionAppliesToGroups"))
	if strange := at.alien(); len(strange) > 0 && rule.UnknownMatch == "" {
		rule.UnknownMatch = "field " + strange[0]
	}
	return rule, len(r.errs) == before
}

// adminProtocol reads the protocol of a rule; one that is not known leaves the rule with what the rest of it says (AZ-GEN-01).
func (r *resource) adminProtocol(p *value, unknown *string) model.Protocol {
	text := p.text("protocol")
	name, ok := enum(text, armnetwork.PossibleSecurityConfigurationRuleProtocolValues())
	switch {
	case text == "":
		r.missing(p, "protocol", words(armnetwork.PossibleSecurityConfigurationRuleProtocolValues()))
		return model.AnyProtocol
	case text == "*":
		return model.AnyProtocol
	case !ok:
		r.unsupported(p.get("protocol").raw, "a protocol that is not known to ringfence: the rule may match any")
		*unknown = "protocol " + text
		return model.AnyProtocol
	}
	switch armnetwork.SecurityConfigurationRuleProtocol(name) {
	case armnetwork.SecurityConfigurationRuleProtocolTCP:
		return model.TCP
	case armnetwork.SecurityConfigurationRuleProtocolUDP:
		return model.UDP
	case armnetwork.SecurityConfigurationRuleProtocolIcmp:
		return model.ICMP
	case armnetwork.SecurityConfigurationRuleProtocolEsp:
		return model.ESP
	case armnetwork.SecurityConfigurationRuleProtocolAh:
		return model.AH
	default:
		return model.AnyProtocol
	}
}

// adminSide reads the sources or destinations of a rule: prefixes, service tags, network groups. The field is optional, and one that is
// left out means any address (AZ-AVNM-05).
func (r *resource) adminSide(p *value, name string, unknown *string) (m model.AddressMatch, groups []model.ID) {
	list := p.list(name)
	if len(list) == 0 {
		m.Any = !slices.Contains(p.refused, name)
		return m, nil
	}
	for _, item := range list {
		v := item.get("addressPrefix")
		if v == nil || strings.TrimSpace(v.raw.text) == "" {
			r.missing(item, "addressPrefix", "*, an address, a CIDR or a service tag")
			continue
		}
		kind, ok := enum(item.text("addressPrefixType"), armnetwork.PossibleAddressPrefixTypeValues())
		switch {
		case kind == string(armnetwork.AddressPrefixTypeNetworkGroup):
			if id := r.asID(v); id != "" {
				groups = append(groups, id)
			}
			// The address space of the members, as it was when it was last put together: it may be anything.
			m.Any, *unknown = true, "network group as "+strings.TrimSuffix(name, "s")
		case !ok && kind != "":
			r.unsupported(item.get("addressPrefixType").raw, "a kind of address that is not known to ringfence: the rule may match any")
			m.Any, *unknown = true, "addressPrefixType "+kind
		default:
			r.match(&m, []*value{v}, true)
		}
	}
	return m, distinct(groups)
}

// adminPorts reads a list of port ranges; one that is left out means every port.
func (r *resource) adminPorts(p *value, name string) ([]model.PortRange, []string) {
	list := p.list(name)
	if len(list) == 0 {
		return []model.PortRange{model.AllPorts}, []string{"*"}
	}
	var texts []string
	for _, v := range list {
		texts = append(texts, v.raw.text)
	}
	return r.portRanges(list), texts
}

// readConnectivity reads a connectivity configuration (AZ-AVNM-11).
func readConnectivity(r *resource) {
	is, at := decode[armnetwork.ConnectivityConfiguration](r, r.node)
	if is == nil {
		return
	}
	r.emit(&model.ConnectivityConfiguration{Meta: r.meta(), Manager: r.id.Parent(), Facts: r.connectivity(at.get("properties"))})
}

// flag reads a Boolean that this API writes as a text.
func (r *resource) flag(v *value, name string) model.Setting {
	switch text, _ := choice(r, v, name, armnetwork.PossibleIsGlobalValues()); text { // the same two words in every field
	case armnetwork.IsGlobalTrue:
		return model.On
	case armnetwork.IsGlobalFalse:
		return model.Off
	default:
		return model.NotStated
	}
}

func (r *resource) connectivity(p *value) model.Connectivity {
	topology, _ := enum(p.text("connectivityTopology"), armnetwork.PossibleConnectivityTopologyValues())
	overlap, _ := choice(r, p.get("connectivityCapabilities"), "connectedGroupAddressOverlap", armnetwork.PossibleConnectedGroupAddressOverlapValues())
	enforced, _ := choice(r, p.get("connectivityCapabilities"), "peeringEnforcement", armnetwork.PossiblePeeringEnforcementValues())
	c := model.Connectivity{
		Topology: topology, Global: r.flag(p, "isGlobal"), DeletesPeerings: r.flag(p, "deleteExistingPeering"),
		AddressOverlap: string(overlap), EnforcesPeerings: string(enforced),
	}
	for _, v := range p.list("hubs") {
		if id := r.idText(v, "resourceId"); id != "" {
			c.Hubs = append(c.Hubs, model.ConnectivityHub{Resource: id, Type: v.text("resourceType")})
		}
	}
	for _, v := range p.list("appliesToGroups") {
		g := model.ConnectivityGroup{Group: r.idText(v, "networkGroupId"), Global: r.flag(v, "isGlobal"), UseHubGateway: r.flag(v, "useHubGateway")}
		if g.Group == "" {
			r.missing(v, "networkGroupId", "the ID of a network group")
			continue
		}
		switch mode, _ := choice(r, v, "groupConnectivity", armnetwork.PossibleGroupConnectivityValues()); mode {
		case armnetwork.GroupConnectivityDirectlyConnected:
			g.Direct = model.On
		case armnetwork.GroupConnectivityNone:
			g.Direct = model.Off
		}
		c.Groups = append(c.Groups, g)
	}
	slices.SortStableFunc(c.Hubs, func(a, b model.ConnectivityHub) int { return a.Resource.Compare(b.Resource) })
	slices.SortStableFunc(c.Groups, func(a, b model.ConnectivityGroup) int { return a.Group.Compare(b.Group) })
	return c
}

// commit is a commit as a resource of a template or plan: Microsoft.Network/networkManagers/commits.
type commit struct {
	Properties *commitProperties `json:"properties,omitempty"`
}

type commitProperties struct {
	Type           *string   `json:"commitType,omitempty"`
	Regions        []*string `json:"targetLocations,omitempty"`
	Configurations []*string `json:"configurationIds,omitempty"`
}

// readCommit reads a commit: the configurations count as deployed in its regions (AZ-AVNM-14).
func readCommit(r *resource) {
	is, at := decode[commit](r, r.node)
	if is == nil {
		return
	}
	p := at.get("properties")
	kind, _ := required(r, p, "commitType", armnetwork.PossibleConfigurationTypeValues())
	var configs []model.ID
	for _, v := range p.list("configurationIds") {
		if id := r.asID(v); id != "" {
			configs = append(configs, id)
		}
	}
	for _, v := range p.list("targetLocations") {
		r.emit(deployment(r.id.Parent(), string(kind), v.raw.text, "Committed", distinct(slices.Clone(configs)), r.source(v.raw)))
	}
}

func deployment(manager model.ID, kind, location, state string, configs []model.ID, src model.Source) *model.DeploymentStatus {
	d := &model.DeploymentStatus{Manager: manager, Region: model.Region(location), Kind: kind, State: state, Configurations: configs}
	d.ID = madeID(manager, "deployments", kind+"-"+d.Region)
	src.Resource = d.ID
	d.Source, d.Location = src, d.Region
	return d
}

// madeID is the ID of something that Azure lists and gives no ID.
func madeID(of model.ID, segment, name string) model.ID {
	return model.ID(strings.TrimRight(string(of), "/") + "/" + segment + "/" + name)
}

// membership is a row of Resource Graph: the network groups of a VNet, by static membership and by policy (AZ-AVNM-15).
type membership struct {
	Properties *membershipProperties `json:"properties,omitempty"`
}

type membershipProperties struct {
	Groups []*membershipGroup `json:"groupMemberships,omitempty"`
}

type membershipGroup struct {
	ID *string `json:"networkGroupId,omitempty"`
}

func readMembership(r *resource) {
	is, at := decode[membership](r, r.node)
	if is == nil {
		return
	}
	r.emit(&model.GroupMembership{Meta: r.meta(), VNet: extended(r.id), Groups: r.groupIDs(at.list("properties", "groupMemberships"))})
}

// extended is the resource that an extension resource belongs to.
func extended(id model.ID) model.ID {
	low := strings.ToLower(string(id))
	if i := strings.LastIndex(low, "/providers/"); i > 0 {
		return id[:i]
	}
	return ""
}

// effectiveSnapshot is a row of Resource Graph that names, by snapshot, what is in force at a VNet and does not print it.
type effectiveSnapshot struct{}

// readEffectiveSnapshot records that something may be in force at the VNet. The output of the list operation, where the input has it,
// takes its place (effective).
func readEffectiveSnapshot(r *resource) {
	if is, _ := decode[effectiveSnapshot](r, r.node); is == nil {
		return
	}
	named := false
	texts(r.node, func(s string) {
		low := strings.ToLower(s)
		named = named || strings.Contains(low, "/securityadminconfigurations/") || strings.Contains(low, "/connectivityconfigurations/")
	})
	if named {
		r.snapshots = append(r.snapshots, r)
	}
}

// managerParts gives a partial collection to rules whose collection the input lacks, and a partial group to lone static members.
func (im *importer) managerParts(parts map[string]map[string][]*resource) {
	done := map[string]bool{}
	for _, r := range im.resources { // in the order of their source
		id := r.holder
		if !r.kind.alone || im.known[id.Key()] || done[id.Key()] {
			continue
		}
		switch r.kind.name {
		case typeAdminRule:
			r.children = parts[id.Key()]
			c := &model.AdminRuleCollection{Meta: model.Meta{ID: id, Source: r.source(r.node)}, Configuration: id.Parent(), Rules: r.collectionRules(), Partial: true}
			im.out = append(im.out, c)
		case typeStaticMember:
			r.children = parts[id.Key()]
			im.out = append(im.out, &model.NetworkGroup{
				Meta: model.Meta{ID: id, Source: r.source(r.node)}, Manager: id.Parent(), Members: r.groupMembers(), ByPolicy: true, // what else is in it is not known
			})
		default:
			continue
		}
		done[id.Key()] = true
	}
}

// policyGroups marks the network groups that policies of the input fill: their definitions have the effect addToNetworkGroup. One that
// takes the group from a parameter that nothing in the input states may fill any (AZ-AVNM-15).
func (im *importer) policyGroups() {
	named, any := map[string]bool{}, false
	for _, r := range im.resources {
		switch strings.ToLower(r.kind.name) {
		case "microsoft.authorization/policydefinitions", "microsoft.authorization/policyassignments", "microsoft.authorization/policysetdefinitions":
		default:
			continue
		}
		fills, literal := false, false
		texts(r.node, func(s string) {
			fills = fills || strings.EqualFold(s, "addToNetworkGroup")
			if id := model.ID(s); armID(s) && strings.EqualFold(id.Type(), typeNetworkGroup) {
				named[id.Key()], literal = true, true
			}
		})
		any = any || fills && !literal
	}
	for _, o := range im.out {
		if g, ok := o.(*model.NetworkGroup); ok && (any || named[g.ID.Key()]) {
			g.ByPolicy = true
		}
	}
}
