package azure

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

type frontProfile struct {
	SKU        *skuName                `json:"sku,omitempty"`
	Properties *frontProfileProperties `json:"properties,omitempty"`
}

type frontProfileProperties struct {
	FrontDoorID *string `json:"frontDoorId,omitempty"`
}

type frontEndpoint struct {
	Properties *frontEndpointProperties `json:"properties,omitempty"`
}

type frontEndpointProperties struct {
	Host    *string `json:"hostName,omitempty"`
	Enabled *string `json:"enabledState,omitempty"`
}

type frontRoute struct {
	Properties *frontRouteProperties `json:"properties,omitempty"`
}

type frontRouteProperties struct {
	Domains    []*ref    `json:"customDomains,omitempty"`
	Group      *ref      `json:"originGroup,omitempty"`
	RuleSets   []*ref    `json:"ruleSets,omitempty"`
	Protocols  []*string `json:"supportedProtocols,omitempty"`
	Forwarding *string   `json:"forwardingProtocol,omitempty"`
	Default    *string   `json:"linkToDefaultDomain,omitempty"`
	Redirect   *string   `json:"httpsRedirect,omitempty"`
	Enabled    *string   `json:"enabledState,omitempty"`
}

type frontGroup struct {
	Properties *frontGroupProperties `json:"properties,omitempty"`
}

type frontGroupProperties struct {
	Probe *frontProbe `json:"healthProbeSettings,omitempty"`
}

type frontProbe struct {
	Protocol *string `json:"probeProtocol,omitempty"`
}

type frontOrigin struct {
	Properties *frontOriginProperties `json:"properties,omitempty"`
}

type frontOriginProperties struct {
	Host      *string       `json:"hostName,omitempty"`
	HTTPPort  *int32        `json:"httpPort,omitempty"`
	HTTPSPort *int32        `json:"httpsPort,omitempty"`
	Enabled   *string       `json:"enabledState,omitempty"`
	Private   *frontPrivate `json:"sharedPrivateLinkResource,omitempty"`
}

type frontPrivate struct {
	Target *ref    `json:"privateLink,omitempty"`
	State  *string `json:"status,omitempty"`
}

type frontDomain struct {
	Properties *frontDomainProperties `json:"properties,omitempty"`
}

type frontDomainProperties struct {
	Host *string   `json:"hostName,omitempty"`
	TLS  *frontTLS `json:"tlsSettings,omitempty"`
}

type frontTLS struct {
	Least *string `json:"minimumTlsVersion,omitempty"`
}

type frontRuleSet struct {
	Properties *frontRuleSetProperties `json:"properties,omitempty"`
}

type frontRuleSetProperties struct{}

type frontRule struct {
	Properties *frontRuleProperties `json:"properties,omitempty"`
}

type frontRuleProperties struct {
	Actions []*frontAction `json:"actions,omitempty"`
}

type frontAction struct {
	Parameters *frontActionDetails `json:"parameters,omitempty"`
}

type frontActionDetails struct {
	Override *frontOverride `json:"originGroupOverride,omitempty"`
	Group    *ref           `json:"originGroup,omitempty"` // of the older action OriginGroupOverride
}

type frontOverride struct {
	Group *ref `json:"originGroup,omitempty"`
}

type frontSecurity struct {
	Properties *frontSecurityProperties `json:"properties,omitempty"`
}

type frontSecurityProperties struct {
	Parameters *frontSecurityParameters `json:"parameters,omitempty"`
}

type frontSecurityParameters struct {
	Type         *string             `json:"type,omitempty"`
	Policy       *ref                `json:"wafPolicy,omitempty"`
	Associations []*frontAssociation `json:"associations,omitempty"`
}

type frontAssociation struct {
	Domains  []*ref    `json:"domains,omitempty"`
	Patterns []*string `json:"patternsToMatch,omitempty"`
}

type frontWAF struct {
	Properties *frontWAFProperties `json:"properties,omitempty"`
}

type frontWAFProperties struct {
	Settings *frontWAFSettings `json:"policySettings,omitempty"`
	Custom   *frontWAFCustom   `json:"customRules,omitempty"`
	Managed  *frontWAFManaged  `json:"managedRules,omitempty"`
}

type frontWAFSettings struct {
	Enabled     *string `json:"enabledState,omitempty"`
	Mode        *string `json:"mode,omitempty"`
	RequestBody *string `json:"requestBodyCheck,omitempty"`
}

type frontWAFCustom struct {
	Rules []*frontWAFRule `json:"rules,omitempty"`
}

type frontWAFRule struct {
	Name       *string              `json:"name,omitempty"`
	Priority   *int32               `json:"priority,omitempty"`
	Enabled    *string              `json:"enabledState,omitempty"`
	Type       *string              `json:"ruleType,omitempty"`
	Action     *string              `json:"action,omitempty"`
	Conditions []*frontWAFCondition `json:"matchConditions,omitempty"`
}

type frontWAFCondition struct {
	Variable *string   `json:"matchVariable,omitempty"`
	Selector *string   `json:"selector,omitempty"`
	Operator *string   `json:"operator,omitempty"`
	Negate   *bool     `json:"negateCondition,omitempty"`
	Values   []*string `json:"matchValue,omitempty"`
}

type frontWAFManaged struct {
	Sets []*frontWAFSet `json:"managedRuleSets,omitempty"`
}

type frontWAFSet struct {
	Type    *string `json:"ruleSetType,omitempty"`
	Version *string `json:"ruleSetVersion,omitempty"`
}

func frontDoorFields() map[string]fieldUse {
	const top, state = "id kind location name type etag systemData tags identity zones", "provisioningState deploymentStatus profileName"
	return map[string]fieldUse{
		"frontProfile":            {harmless: top},
		"frontProfileProperties":  {harmless: state + " resourceState originResponseTimeoutSeconds logScrubbing extendedProperties"},
		"frontEndpoint":           {harmless: top},
		"frontEndpointProperties": {harmless: state + " autoGeneratedDomainNameLabelScope"},
		"frontRoute":              {harmless: top},
		"frontRouteProperties":    {harmless: state + " endpointName originPath patternsToMatch cacheConfiguration"}, // AZ-REL-05: paths prune nothing
		"frontGroup":              {harmless: top},
		"frontGroupProperties":    {harmless: state + " loadBalancingSettings trafficRestorationTimeToHealedOrNewEndpointsInMinutes sessionAffinityState authentication"},
		"frontProbe":              {harmless: "probePath probeRequestType probeIntervalInSeconds"},
		"frontOrigin":             {harmless: top},
		"frontOriginProperties":   {harmless: state + " azureOrigin originHostHeader priority weight enforceCertificateNameCheck originGroupName originCapacityResource"},
		"frontPrivate":            {harmless: "privateLinkLocation groupId requestMessage"},
		"frontDomain":             {harmless: top},
		"frontDomainProperties":   {harmless: state + " azureDnsZone preValidatedCustomDomainResourceId domainValidationState validationProperties extendedProperties mtlsSettings"},
		"frontTLS":                {harmless: "certificateType secret cipherSuiteSetType customizedCipherSuiteSet"},
		"frontRuleSet":            {harmless: top},
		"frontRuleSetProperties":  {harmless: state},
		"frontRule":               {harmless: top},
		"frontRuleProperties":     {harmless: state + " ruleSetName order conditions matchProcessingBehavior"},
		"frontAction":             {harmless: "name"},
		"frontActionDetails": {harmless: "typeName cacheConfiguration redirectType destinationProtocol customPath customHostname customQueryString customFragment sourcePattern " +
			"destination preservePathOrUnmatchedPath preserveUnmatchedPath headerAction headerName value cacheBehavior cacheType cacheDuration queryStringBehavior queryParameters algorithm parameterNameOverride"},
		"frontOverride":           {harmless: "forwardingProtocol"},
		"frontSecurity":           {harmless: top},
		"frontSecurityProperties": {harmless: state},
		"frontSecurityParameters": {},
		"frontAssociation":        {},
		"frontWAF":                {harmless: top + " sku"},
		"frontWAFProperties":      {harmless: state + " resourceState frontendEndpointLinks routingRuleLinks securityPolicyLinks"},
		"frontWAFSettings": {harmless: "redirectUrl customBlockResponseStatusCode customBlockResponseBody javascriptChallengeExpirationInMinutes " +
			"captchaExpirationInMinutes logScrubbing"},
		"frontWAFCustom":    {},
		"frontWAFRule":      {harmless: "rateLimitDurationInMinutes rateLimitThreshold groupBy"},
		"frontWAFCondition": {harmless: "transforms"},
		"frontWAFManaged":   {harmless: "exceptions"},
		"frontWAFSet":       {harmless: "ruleSetAction exclusions ruleGroupOverrides"},
	}
}

// switched reads Enabled or Disabled.
func (r *resource) switched(v *value, name string) model.Setting {
	text, _ := choice(r, v, name, []string{"Enabled", "Disabled"})
	return toggle(text)
}

// readFrontDoor and readFrontDoorPart collect the profile and its parts, which are resources of their own beside it; frontDoors joins them.
func readFrontDoor(r *resource) { r.frontParts = append(r.frontParts, r) }

func readFrontDoorPart(r *resource) { r.frontParts = append(r.frontParts, r) }

// frontDoors makes one model of each profile that is in the input, or that parts of the input belong to (AZ-AFD-01).
func (im *importer) frontDoors() {
	profiles := map[string]*model.FrontDoor{}
	parts := im.frontParts
	slices.SortStableFunc(parts, func(a, b *resource) int {
		return cmp.Or(cmp.Compare(depth(a.id), depth(b.id)), a.source(a.node).Compare(b.source(b.node))) // parents before their parts
	})
	for _, r := range parts {
		id := r.id
		for !strings.EqualFold(id.Type(), "Microsoft.Cdn/profiles") {
			if id = id.Parent(); id == "" {
				break
			}
		}
		f := profiles[id.Key()]
		if f == nil {
			f = &model.FrontDoor{Meta: model.Meta{ID: id, Source: r.source(r.node)}}
			profiles[id.Key()] = f
		}
		r.frontDoorPart(f)
	}
	for _, key := range slices.Sorted(maps.Keys(profiles)) {
		if f := profiles[key]; f.Tier != "" || len(f.Endpoints)+len(f.Groups) > 0 {
			sortFrontDoor(f)
			im.out = append(im.out, f)
		}
	}
}

// sortFrontDoor puts parts into the order of their IDs: the order of the input says nothing.
func sortFrontDoor(f *model.FrontDoor) {
	slices.SortStableFunc(f.Endpoints, func(a, b model.FrontDoorEndpoint) int { return a.ID.Compare(b.ID) })
	for _, x := range f.Endpoints {
		slices.SortStableFunc(x.Routes, func(a, b model.FrontDoorRoute) int { return a.ID.Compare(b.ID) })
	}
	slices.SortStableFunc(f.Groups, func(a, b model.OriginGroup) int { return a.ID.Compare(b.ID) })
	for _, g := range f.Groups {
		slices.SortStableFunc(g.Origins, func(a, b model.FrontDoorOrigin) int { return a.ID.Compare(b.ID) })
	}
	slices.SortStableFunc(f.Domains, func(a, b model.FrontDoorDomain) int { return a.ID.Compare(b.ID) })
	slices.SortStableFunc(f.RuleSets, func(a, b model.FrontDoorRuleSet) int { return a.ID.Compare(b.ID) })
	for i := range f.RuleSets {
		f.RuleSets[i].Groups = distinct(f.RuleSets[i].Groups)
	}
	slices.SortStableFunc(f.WAFs, func(a, b model.FrontDoorWAF) int { return a.ID.Compare(b.ID) })
}

func depth(id model.ID) int { return strings.Count(string(id), "/") }

func (r *resource) frontDoorPart(f *model.FrontDoor) {
	const afd = "_AzureFrontDoor"
	switch strings.ToLower(lastSegment(r.kind.name)) {
	case "profiles":
		is, at := decode[frontProfile](r, r.node)
		if is == nil {
			return
		}
		if tier := at.text("sku", "name"); !strings.HasSuffix(strings.ToLower(tier), strings.ToLower(afd)) {
			r.unsupported(r.node, "a content delivery network relays from the internet to its origins and is not modelled")
			return
		}
		tier, id := at.text("sku", "name"), strings.ToLower(at.text("properties", "frontDoorId"))
		if f.Tier != "" && (f.Tier != tier || f.FrontDoorID != id) {
			r.errorAt(r.node, "", "a second description, different", "one description of each profile")
		}
		f.Meta, f.Tier, f.FrontDoorID = r.meta(), tier, id
	case "afdendpoints":
		if is, at := decode[frontEndpoint](r, r.node); is != nil {
			at = at.get("properties")
			f.Endpoints = addPart(r, f.Endpoints, model.FrontDoorEndpoint{
				ID: r.id, Name: r.partName(), Source: r.source(r.node), Host: strings.ToLower(at.text("hostName")), Enabled: r.switched(at, "enabledState"),
			}, func(x model.FrontDoorEndpoint) model.ID { return x.ID })
		}
	case "routes":
		r.frontDoorRoute(f)
	case "origingroups":
		if is, at := decode[frontGroup](r, r.node); is != nil {
			probe := at.text("properties", "healthProbeSettings", "probeProtocol")
			if strings.EqualFold(probe, "NotSet") {
				probe = ""
			}
			f.Groups = addPart(r, f.Groups, model.OriginGroup{ID: r.id, Name: r.partName(), Source: r.source(r.node), Probe: probe}, func(x model.OriginGroup) model.ID { return x.ID })
		}
	case "origins":
		r.frontDoorOrigin(f)
	case "customdomains":
		if is, at := decode[frontDomain](r, r.node); is != nil {
			f.Domains = addPart(r, f.Domains, model.FrontDoorDomain{
				ID: r.id, Name: r.partName(), Source: r.source(r.node), Host: strings.ToLower(at.text("properties", "hostName")),
				MinTLS: at.text("properties", "tlsSettings", "minimumTlsVersion"),
			}, func(x model.FrontDoorDomain) model.ID { return x.ID })
		}
	case "rulesets":
		decode[frontRuleSet](r, r.node)
		f.RuleSets = addPart(r, f.RuleSets, model.FrontDoorRuleSet{ID: r.id}, func(x model.FrontDoorRuleSet) model.ID { return x.ID })
	case "rules":
		is, at := decode[frontRule](r, r.node)
		if is == nil {
			return
		}
		i := slices.IndexFunc(f.RuleSets, func(s model.FrontDoorRuleSet) bool { return s.ID.Key() == r.id.Parent().Key() })
		if i < 0 {
			f.RuleSets, i = append(f.RuleSets, model.FrontDoorRuleSet{ID: r.id.Parent()}), len(f.RuleSets)
		}
		for _, a := range at.list("properties", "actions") {
			for _, id := range []model.ID{r.reference(a.get("parameters"), "originGroup"), r.reference(a.get("parameters", "originGroupOverride"), "originGroup")} {
				if id != "" {
					f.RuleSets[i].Groups = append(f.RuleSets[i].Groups, id)
				}
			}
		}
	case "securitypolicies":
		is, at := decode[frontSecurity](r, r.node)
		if is == nil {
			return
		}
		at = at.get("properties", "parameters")
		if kind, ok := choice(r, at, "type", []string{"WebApplicationFirewall"}); !ok && kind == "" {
			return
		}
		for _, a := range at.list("associations") {
			w := model.FrontDoorWAF{ID: r.id, Source: r.source(r.node), Policy: r.reference(at, "wafPolicy"), Domains: r.references(a, "domains")}
			patterns := spoken(a.list("patternsToMatch"))
			w.Whole = len(patterns) == 0 || slices.Contains(patterns, "/*")
			if !slices.ContainsFunc(f.WAFs, func(x model.FrontDoorWAF) bool { return model.Alike(x, w) }) {
				f.WAFs = append(f.WAFs, w)
			}
		}
	}
}

// addPart adds a part of a profile. The same part twice is fine when both say the same; nothing hangs on a part yet when it is read.
func addPart[T any](r *resource, list []T, part T, id func(T) model.ID) []T {
	i := slices.IndexFunc(list, func(x T) bool { return id(x).Key() == id(part).Key() })
	if i < 0 {
		return append(list, part)
	}
	if !model.Alike(list[i], part) {
		r.errs = append(r.errs, &model.InputError{
			Source: r.source(r.node), Resource: r.id, Found: "a second description, different", Accepted: "one description of each part of a profile",
		})
	}
	return list
}

func routeID(x model.FrontDoorRoute) model.ID   { return x.ID }
func originID(x model.FrontDoorOrigin) model.ID { return x.ID }

// partName is the own name of a part of a profile, which may stand behind the names of what it is a part of.
func (r *resource) partName() string {
	if n := r.node.get("name"); n != nil && n.kind == textValue {
		return n.text[strings.LastIndexByte(n.text, '/')+1:]
	}
	return r.id.Name()
}

// frontDoorRoute reads a route (AZ-AFD-02). It hangs on the endpoint in its ID; without one it carries nothing.
func (r *resource) frontDoorRoute(f *model.FrontDoor) {
	is, at := decode[frontRoute](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	i := slices.IndexFunc(f.Endpoints, func(e model.FrontDoorEndpoint) bool { return e.ID.Key() == r.id.Parent().Key() })
	if i < 0 {
		f.Endpoints, i = append(f.Endpoints, model.FrontDoorEndpoint{ID: r.id.Parent(), Name: r.id.Parent().Name(), Source: r.source(r.node)}), len(f.Endpoints)
	}
	x := model.FrontDoorRoute{
		ID: r.id, Name: r.partName(), Source: r.source(r.node), Enabled: r.switched(at, "enabledState"), Group: r.reference(at, "originGroup"),
		RuleSets: r.references(at, "ruleSets"), Domains: r.references(at, "customDomains"), Default: r.switched(at, "linkToDefaultDomain"),
		Redirect: r.switched(at, "httpsRedirect"),
	}
	for _, v := range at.list("supportedProtocols") {
		switch p, _ := enum(v.raw.text, []string{"Http", "Https"}); p {
		case "Http":
			x.HTTP = true
		case "Https":
			x.HTTPS = true
		default:
			r.fail(v, "Http or Https")
		}
	}
	if !x.HTTP && !x.HTTPS {
		x.HTTP, x.HTTPS = true, true // what the platform takes when nothing is stated
	}
	x.Forwarding, _ = choice(r, at, "forwardingProtocol", []string{"HttpOnly", "HttpsOnly", "MatchRequest"})
	f.Endpoints[i].Routes = addPart(r, f.Endpoints[i].Routes, x, routeID)
}

// frontDoorOrigin reads an origin (AZ-AFD-11). It hangs on the group in its ID.
func (r *resource) frontDoorOrigin(f *model.FrontDoor) {
	is, at := decode[frontOrigin](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	g := slices.IndexFunc(f.Groups, func(g model.OriginGroup) bool { return g.ID.Key() == r.id.Parent().Key() })
	if g < 0 {
		f.Groups, g = append(f.Groups, model.OriginGroup{ID: r.id.Parent(), Name: r.id.Parent().Name(), Source: r.source(r.node)}), len(f.Groups)
	}
	x := model.FrontDoorOrigin{
		ID: r.id, Name: r.partName(), Source: r.source(r.node), Host: strings.ToLower(at.text("hostName")), HTTPPort: 80, HTTPSPort: 443, Enabled: r.switched(at, "enabledState"),
	}
	if x.Host == "" {
		r.missing(at, "hostName", "the name or address of the origin")
	}
	if a, err := netip.ParseAddr(x.Host); err == nil {
		x.Host = a.Unmap().String()
	}
	if at.get("httpPort") != nil {
		x.HTTPPort = r.port(at, "httpPort", 1)
	}
	if at.get("httpsPort") != nil {
		x.HTTPSPort = r.port(at, "httpsPort", 1)
	}
	if p := at.get("sharedPrivateLinkResource"); p != nil && len(p.names) > 0 {
		x.IsPrivate, x.PrivateTarget, x.PrivateState = true, r.reference(p, "privateLink"), p.text("status")
	}
	f.Groups[g].Origins = addPart(r, f.Groups[g].Origins, x, originID)
}

// readFrontDoorWAF reads a WAF policy of Front Door (AZ-AFD-03); the test is that of AZ-AGW-30.
func readFrontDoorWAF(r *resource) {
	is, at := decode[frontWAF](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	w := &model.WAFPolicy{Meta: r.meta(), FrontDoor: true}
	if s := at.get("policySettings"); s != nil {
		w.Enabled, w.RequestBody = r.switched(s, "enabledState"), r.switched(s, "requestBodyCheck")
		w.Mode, _ = choice(r, s, "mode", []string{"Prevention", "Detection"})
	}
	for _, s := range at.list("managedRules", "managedRuleSets") {
		w.RuleSets = append(w.RuleSets, strings.TrimSpace(s.text("ruleSetType")+" "+s.text("ruleSetVersion")))
	}
	for _, v := range at.list("customRules", "rules") {
		kind, _ := choice(r, v, "ruleType", []string{"MatchRule", "RateLimitRule"})
		action, _ := required(r, v, "action", []string{"Allow", "Block", "Log", "Redirect", "AnomalyScoring", "JSChallenge", "CAPTCHA"})
		rule := model.WAFRule{
			Name: v.text("name"), Source: r.source(v.raw), Priority: priorityOf(v), Action: action, Enabled: r.switched(v, "enabledState"),
			RateLimit: kind == "RateLimitRule",
		}
		for _, m := range v.list("matchConditions") {
			c := model.WAFCondition{Variables: []string{m.text("matchVariable")}, Operator: m.text("operator"), Negate: m.get("negateCondition") != nil && m.get("negateCondition").raw.text == "true", Values: spoken(m.list("matchValue"))}
			if s := m.text("selector"); s != "" {
				c.Variables[0] += ":" + s
			}
			if strings.EqualFold(c.Operator, "IPMatch") {
				c.Prefixes = r.prefixes(m.list("matchValue"))
			}
			rule.Conditions = append(rule.Conditions, c)
		}
		w.Custom = append(w.Custom, rule)
	}
	slices.SortStableFunc(w.Custom, func(a, b model.WAFRule) int { return cmp.Compare(a.Priority, b.Priority) })
	r.emit(w)
}
