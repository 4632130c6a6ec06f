package solver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
)

// EffectiveRoutes is the effective route table of a NIC: what Azure would print, read off the table that the solver routes by.
type EffectiveRoutes struct {
	NIC         string           `json:"nic"`
	Subnet      string           `json:"subnet"`
	DisableBGP  bool             `json:"disableBgpRoutePropagation"`
	Imported    string           `json:"imported,omitempty"` // where the input has the table as the platform printed it (AZ-RT-33)
	Routes      []EffectiveRoute `json:"routes"`
	Assumptions []Assumption     `json:"assumptions"`
}

// EffectiveRoute is one row. A service tag whose prefixes no list gives stands in Prefix as a word.
type EffectiveRoute struct {
	Prefix         string `json:"prefix"`
	NextHopType    string `json:"nextHopType"`
	NextHopIP      string `json:"nextHopIP"`
	Source         string `json:"source" jsonschema:"enum=Default,enum=User,enum=VirtualNetworkGateway"`
	State          string `json:"state" jsonschema:"enum=Active,enum=Invalid"`
	RouteTable     string `json:"routeTable"`
	Why            string `json:"why"`
	Name           string `json:"name,omitempty"`           // of a user route, or the service of a service endpoint
	Tag            string `json:"tag,omitempty"`            // service tag that the route names
	HasBGPOverride bool   `json:"hasBgpOverride,omitempty"` // a user route that hides a route of a gateway (AZ-RT-19)
	Possible       bool   `json:"possible,omitempty"`       // in the table possibly, not for certain (AZ-RT-34)
	DefinedAt      string `json:"definedAt,omitempty"`      // file and line of a user route
}

// EffectiveRules is the security rules that act at a NIC, in the order of AZ-GEN-06.
type EffectiveRules struct {
	NIC            string          `json:"nic"`
	Subnet         string          `json:"subnet"`
	VirtualNetwork TagContent      `json:"virtualNetwork"`
	Imported       string          `json:"imported,omitempty"`    // where the input has effective rules, whose expansions stand here (AZ-TAG-04)
	ServiceTags    string          `json:"serviceTags,omitempty"` // the published list that expanded tags
	Rules          []EffectiveRule `json:"rules"`
	Notes          []string        `json:"notes"` // layers without a group, or with one that the input lacks
	Assumptions    []Assumption    `json:"assumptions"`
}

// TagContent is what the tag VirtualNetwork holds at a NIC (AZ-TAG-01).
type TagContent struct {
	Certain  []TagPart `json:"certain"`
	Possible []TagPart `json:"possible"`
}

// TagPart is one component of a tag, or of what a rule names.
type TagPart struct {
	Reason     string   `json:"reason"`
	Prefixes   []string `json:"prefixes"`
	Assumption string   `json:"assumption,omitempty"`
}

// EffectiveRule is one rule at a NIC. The expanded fields hold the addresses of tags and application security groups; a tag whose
// prefixes no list gives stands there as a word. They are empty where the rule names neither.
type EffectiveRule struct {
	Name                 string    `json:"name"` // securityRules/X, defaultSecurityRules/DenyAllInBound; CONFIGURATION/COLLECTION/X of a security admin rule
	NSG                  string    `json:"nsg"`  // of a security admin rule, its network manager
	Layer                string    `json:"layer" jsonschema:"enum=admin,enum=subnet,enum=nic"`
	Possible             bool      `json:"possible,omitempty"` // a security admin rule that is deployed possibly, not for certain (AZ-AVNM-14)
	Direction            string    `json:"direction" jsonschema:"enum=Inbound,enum=Outbound"`
	Priority             int       `json:"priority"`
	Access               string    `json:"access" jsonschema:"enum=Allow,enum=Deny,enum=AlwaysAllow"`
	Protocol             string    `json:"protocol"`
	Sources              []string  `json:"sources"`
	SourcePorts          []string  `json:"sourcePorts"`
	Destinations         []string  `json:"destinations"`
	DestinationPorts     []string  `json:"destinationPorts"`
	ExpandedSources      []string  `json:"expandedSources"`
	ExpandedDestinations []string  `json:"expandedDestinations"`
	PossibleSources      []TagPart `json:"possibleSources,omitempty"`
	PossibleDestinations []TagPart `json:"possibleDestinations,omitempty"`
	DefinedAt            string    `json:"definedAt"`
}

// seat is a place with effective routes and rules: a NIC, the profile of a scale set, or the addresses of a subnet that nothing holds.
type seat struct {
	ref    string
	subnet model.ID
	nsg    model.ID
	nic    model.ID
}

// seatOf finds the one seat that a selector names: `nic:`, `vm:` (a machine with one NIC, or a scale set), `subnet:`.
func (s *Solution) seatOf(sel model.Selector) (seat, error) {
	switch sel.Kind {
	case model.SelNIC, model.SelVM, model.SelSubnet:
	default:
		return seat{}, fmt.Errorf("`%s` has no effective routes and rules: want a NIC, a machine with one NIC (vm:NAME), or a subnet", sel.Text)
	}
	if sel.Not {
		return seat{}, fmt.Errorf("`%s` names no NIC: want one, without `not`", sel.Text)
	}
	found, err := s.Project.Estate.Find(sel)
	if err != nil {
		return seat{}, err
	}
	var seats []seat
	for _, f := range found {
		if n, ok := f.Resource.(*model.NIC); ok && n.PrivateEndpoint != "" && len(found) > 1 {
			continue // `nic:*`: the others are meant
		}
		more, err := s.seatsAt(f.Resource)
		if err != nil {
			return seat{}, err
		}
		seats = append(seats, more...)
	}
	switch len(seats) {
	case 0:
		return seat{}, fmt.Errorf("`%s` has no NIC in the input", sel.Text)
	case 1:
		return seats[0], nil
	default:
		var names []string
		for _, x := range seats {
			names = append(names, "`"+x.ref+"`")
		}
		return seat{}, fmt.Errorf("`%s` has several NICs; want one of %s", sel.Text, strings.Join(names, ", "))
	}
}

func (s *Solution) seatsAt(r model.Resource) ([]seat, error) {
	switch r := r.(type) {
	case *model.NIC:
		ref := s.refs.Of(model.SelNIC, r)
		if r.PrivateEndpoint != "" {
			return nil, fmt.Errorf("`%s` belongs to the private endpoint %s: Azure gives no effective routes and rules for it (AZ-PE-09)", ref, r.PrivateEndpoint.ShortName())
		}
		for _, c := range r.IPConfigs {
			if c.Subnet != "" {
				return []seat{{ref, c.Subnet, r.NSG, r.ID}}, nil // a NIC lies in one subnet
			}
		}
		return nil, fmt.Errorf("`%s` lies in no subnet: the input gives none of its IP configurations one", ref)
	case *model.VM:
		var out []seat
		for _, id := range r.NICs {
			n, ok := model.Get[*model.NIC](s.Project.Estate, id)
			if !ok {
				return nil, fmt.Errorf("`%s`: its NIC %s is not in the input", s.refs.Of(model.SelVM, r), id.ShortName())
			}
			more, err := s.seatsAt(n)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		return out, nil
	case *model.ScaleSet:
		var out []seat
		for _, pr := range r.Profiles {
			for _, c := range pr.IPConfigs {
				if x := (seat{s.refs.Of(model.SelVM, r) + "/" + pr.Name, c.Subnet, pr.NSG, ""}); c.Subnet != "" && !slices.Contains(out, x) {
					out = append(out, x)
				}
			}
		}
		if len(out) == 1 {
			out[0].ref = s.refs.Of(model.SelVM, r)
		}
		return out, nil
	case *model.Subnet:
		return []seat{{s.refs.Of(model.SelSubnet, r), r.ID, "", ""}}, nil
	default:
		return nil, nil
	}
}

// subnetRef prints a subnet that may not be in the input.
func (s *Solution) subnetRef(id model.ID) string {
	if r, ok := s.Project.Estate.Lookup(id); ok {
		return s.refs.Of(model.SelSubnet, r)
	}
	return "subnet:" + id.ShortName()
}

// EffectiveRoutes is the effective route table of the NIC that a selector names; its machine may be stopped or not deployed yet.
func (s *Solution) EffectiveRoutes(sel model.Selector) (*EffectiveRoutes, error) {
	at, err := s.seatOf(sel)
	if err != nil {
		return nil, err
	}
	rows, lacks := s.graph.Table(at.subnet, at.nic)
	out := &EffectiveRoutes{NIC: at.ref, Subnet: s.subnetRef(at.subnet), Routes: []EffectiveRoute{}}
	if sub, ok := model.Get[*model.Subnet](s.Project.Estate, at.subnet); ok {
		if t, ok := model.Get[*model.RouteTable](s.Project.Estate, sub.RouteTable); ok {
			out.DisableBGP = t.DisableBGP == model.On
		}
	}
	if t := s.Project.Estate.RoutesAt(at.nic); t != nil {
		out.Imported = t.Source.String()
	}
	notes := lacks
	for _, r := range rows {
		x := EffectiveRoute{
			Prefix: r.Tag, NextHopType: string(r.Hop), Source: string(r.From), State: "Active", RouteTable: r.Table, Why: r.Why, Name: r.Name, Tag: r.Tag,
			HasBGPOverride: r.BGPOverride, Possible: !r.Certain,
		}
		if r.Prefix.IsValid() {
			x.Prefix = s.prefixText(r.Prefix)
		}
		if r.Address.IsValid() {
			x.NextHopIP = r.Address.String()
		}
		if r.Invalid {
			x.State = "Invalid"
		}
		if !r.Source.IsZero() {
			x.DefinedAt = r.Source.String()
		}
		if r.Note != "" {
			notes = append(notes, r.Note)
		}
		out.Routes = append(out.Routes, x)
	}
	out.Assumptions = s.assumptions(notes, true)
	return out, nil
}

// prefixText prints a prefix as Azure does, with its length; a symbol by what it stands for.
func (s *Solution) prefixText(p netip.Prefix) string {
	if p.IsSingleIP() {
		if sym, ok := s.symbols().At(p.Addr()); ok {
			return s.symbolText(sym)
		}
	}
	return p.String()
}

func (s *Solution) prefixesText(ps []netip.Prefix) []string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = s.prefixText(p)
	}
	return out
}

// EffectiveRules is the security rules that act at the NIC that a selector names, with tags and groups expanded as they are there.
func (s *Solution) EffectiveRules(sel model.Selector) (*EffectiveRules, error) {
	at, err := s.seatOf(sel)
	if err != nil {
		return nil, err
	}
	certain, possible := s.graph.VirtualNetwork(at.subnet, at.nic)
	out := &EffectiveRules{
		NIC: at.ref, Subnet: s.subnetRef(at.subnet), Rules: []EffectiveRule{}, Notes: []string{},
		VirtualNetwork: TagContent{s.tagParts(certain), s.tagParts(possible)},
	}
	if r := s.Project.Estate.RulesAt(at.nic, at.subnet); r != nil {
		out.Imported = r.Source.String()
	}
	var notes []string
	groups := map[string]model.ID{"nic": at.nsg, "subnet": s.graph.SubnetNSG(at.subnet)}
	if sub, ok := model.Get[*model.Subnet](s.Project.Estate, at.subnet); !ok {
		notes = append(notes, "MISSING(subnet "+at.subnet.ShortName()+")")
		out.Notes = append(out.Notes, "the subnet is not in the input: which group is attached to it is not known")
	} else if sub.NSG != "" && groups["subnet"] == "" {
		out.Notes = append(out.Notes, sub.NSG.Name()+" is attached to the subnet and does nothing there: Azure does not support one (AZ-NSG-20)")
	}
	if groups["nic"] == "" && groups["subnet"] == "" {
		out.Notes = append(out.Notes, "no network security group: everything passes, but for what comes through a Standard public address (AZ-NSG-12, AZ-PIP-02)")
	}
	admin, unsure := s.graph.AdminRules(at.subnet)
	notes = append(notes, unsure...)
	for _, dir := range []model.Direction{model.Inbound, model.Outbound} {
		for _, r := range admin { // before the groups (AZ-AVNM-01)
			if r.Direction == dir {
				rule, more := s.effectiveRule(r.SecurityRule, at)
				rule.Name, rule.NSG, rule.Layer = r.Configuration().Name()+"/"+r.Collection().Name()+"/"+r.ID.Name(), r.Manager().Name(), "admin"
				rule.Possible = !r.Certain
				for _, group := range r.SourceGroups {
					rule.Sources = append(rule.Sources, "group:"+group.Name())
				}
				for _, group := range r.DestGroups {
					rule.Destinations = append(rule.Destinations, "group:"+group.Name())
				}
				out.Rules, notes = append(out.Rules, rule), append(notes, more...)
			}
		}
		layers := []string{"subnet", "nic"} // AZ-NSG-11
		if dir == model.Outbound {
			layers = []string{"nic", "subnet"}
		}
		for _, layer := range layers {
			id := groups[layer]
			if id == "" {
				continue
			}
			g, ok := model.Get[*model.NSG](s.Project.Estate, id)
			if !ok {
				if dir == model.Inbound {
					notes = append(notes, "MISSING(network security group "+id.ShortName()+")")
					out.Notes = append(out.Notes, fmt.Sprintf("the group %s of the %s is not in the input", id.Name(), layer))
				}
				continue
			}
			for _, r := range g.Rules {
				if r.Direction == dir {
					rule, more := s.effectiveRule(r, at)
					rule.NSG, rule.Layer = g.Name(), layer
					out.Rules, notes = append(out.Rules, rule), append(notes, more...)
				}
			}
		}
	}
	for _, r := range out.Rules {
		if r.listed() {
			out.ServiceTags = s.graph.ListName()
		}
	}
	out.Assumptions = s.assumptions(notes, true)
	return out, nil
}

// listed reports whether a rule names a tag other than those that are computed at the NIC.
func (r EffectiveRule) listed() bool {
	return slices.ContainsFunc(append(slices.Clone(r.Sources), r.Destinations...), func(t string) bool {
		switch strings.ToLower(t) {
		case "*", "virtualnetwork", "internet", "azureloadbalancer", "azureplatformdns", "azureplatformimds", "azureplatformlkm":
			return false
		default:
			return !strings.ContainsAny(t, ":/")
		}
	})
}

// effectiveRule is one rule at a NIC.
func (s *Solution) effectiveRule(r model.SecurityRule, at seat) (EffectiveRule, []string) {
	kind := "securityRules/"
	if r.Default {
		kind = "defaultSecurityRules/"
	}
	out := EffectiveRule{
		Name: kind + r.Name, Direction: r.Direction.String(), Priority: r.Priority, Access: r.Access.String(),
		Protocol: ruleProtocol(r), Sources: s.sideTexts(r.SourceAddrs), SourcePorts: portTexts(r.SourcePorts),
		Destinations: s.sideTexts(r.DestAddrs), DestinationPorts: portTexts(r.DestPorts), DefinedAt: r.Source.String(),
	}
	var notes []string
	expand := func(m model.AddressMatch) ([]string, []TagPart) {
		x := s.graph.Expand(m, at.subnet, at.nic)
		for _, t := range x.Symbolic {
			notes = append(notes, "ASM-TAG("+t+")")
		}
		for _, p := range x.Possible {
			if p.Assumption != "" {
				notes = append(notes, p.Assumption)
			}
		}
		return append(s.prefixesText(x.Certain), x.Symbolic...), s.tagParts(x.Possible)
	}
	out.ExpandedSources, out.PossibleSources = expand(r.SourceAddrs)
	out.ExpandedDestinations, out.PossibleDestinations = expand(r.DestAddrs)
	return out, notes
}

// ruleProtocol is the protocol as effective rules print it.
func ruleProtocol(r model.SecurityRule) string {
	if r.UnknownMatch != "" && r.Protocol == model.AnyProtocol && strings.HasPrefix(r.UnknownMatch, "protocol ") {
		return strings.TrimPrefix(r.UnknownMatch, "protocol ")
	}
	switch r.Protocol {
	case model.TCP:
		return "Tcp"
	case model.UDP:
		return "Udp"
	case model.ICMP:
		return "Icmp"
	case model.ESP:
		return "Esp"
	case model.AH:
		return "Ah"
	default:
		return "All"
	}
}

func portTexts(ps []model.PortRange) []string {
	if len(ps) == 0 {
		return []string{model.AllPorts.String()}
	}
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.String()
	}
	return out
}

// sideTexts is one side of a rule as written; application security groups as `asg:NAME`.
func (s *Solution) sideTexts(m model.AddressMatch) []string {
	out := []string{}
	if m.Any {
		out = append(out, "*")
	}
	out = append(append(out, s.prefixesText(m.Prefixes)...), m.Tags...)
	for _, id := range m.ASGs {
		out = append(out, "asg:"+id.Name())
	}
	return out
}

func (s *Solution) tagParts(list []dataplane.TagPart) []TagPart {
	out := []TagPart{}
	for _, p := range list {
		out = append(out, TagPart{p.Reason, s.prefixesText(p.Prefixes), p.Assumption})
	}
	return out
}
