package model

// FrontDoor is a Front Door profile of tier Standard or Premium, with its parts: a relay outside every VNet (AZ-AFD-01).
type FrontDoor struct {
	Meta
	Tier        string // Standard_AzureFrontDoor, Premium_AzureFrontDoor; empty where the profile itself is not in the input
	FrontDoorID string // what it sends as X-Azure-FDID; empty when not stated (AZ-AFD-10)
	Endpoints   []FrontDoorEndpoint
	Groups      []OriginGroup
	Domains     []FrontDoorDomain
	WAFs        []FrontDoorWAF
	RuleSets    []FrontDoorRuleSet
}

// FrontDoorEndpoint is a name under azurefd.net with its routes.
type FrontDoorEndpoint struct {
	ID      ID
	Name    string
	Source  Source
	Host    string // lower case
	Enabled Setting
	Routes  []FrontDoorRoute
}

// FrontDoorRoute says which requests go to which origin group (AZ-AFD-02).
type FrontDoorRoute struct {
	ID         ID
	Name       string
	Source     Source
	Enabled    Setting
	Group      ID
	RuleSets   []ID
	Domains    []ID    // custom domains
	Default    Setting // linkToDefaultDomain: the endpoint's own name
	HTTP       bool    // supportedProtocols
	HTTPS      bool
	Redirect   Setting // httpsRedirect: Front Door answers http itself
	Forwarding string  // HttpOnly, HttpsOnly, MatchRequest
}

// OriginGroup is a group of origins with one health probe (AZ-AFD-12).
type OriginGroup struct {
	ID      ID
	Name    string
	Source  Source
	Probe   string // Http, Https; empty without a probe
	Origins []FrontDoorOrigin
}

// FrontDoorOrigin is a server behind a Front Door.
type FrontDoorOrigin struct {
	ID        ID
	Name      string
	Source    Source
	Host      string // a name in lower case, or an address
	HTTPPort  uint16
	HTTPSPort uint16
	Enabled   Setting

	// Private Link (AZ-AFD-11): the resource behind the managed endpoint, and the state of the connection. IsPrivate without a target is one
	// that the input does not name.
	IsPrivate     bool
	PrivateTarget ID
	PrivateState  string
}

// FrontDoorDomain is a custom domain.
type FrontDoorDomain struct {
	ID     ID
	Name   string
	Source Source
	Host   string
	MinTLS string // TLS10, TLS12, TLS13
}

// FrontDoorWAF associates a WAF policy with endpoints and custom domains (AZ-AFD-03).
type FrontDoorWAF struct {
	ID      ID // of the security policy
	Source  Source
	Policy  ID
	Domains []ID
	Whole   bool // for every path: `/*`
}

// FrontDoorRuleSet lists the origin groups to which rules of a set may send requests in place of the route's (AZ-AFD-03).
type FrontDoorRuleSet struct {
	ID     ID
	Groups []ID
}

// RuleSet finds a rule set of the profile; ok is false for one that the input lacks.
func (f *FrontDoor) RuleSet(id ID) (FrontDoorRuleSet, bool) {
	for _, s := range f.RuleSets {
		if s.ID.Key() == id.Key() {
			return s, true
		}
	}
	return FrontDoorRuleSet{}, false
}

// Group finds an origin group of the profile.
func (f *FrontDoor) Group(id ID) (*OriginGroup, bool) {
	for i := range f.Groups {
		if f.Groups[i].ID.Key() == id.Key() {
			return &f.Groups[i], true
		}
	}
	return nil, false
}
