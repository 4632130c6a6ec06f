package model

import "net/netip"

// Intent is what people state: zones, assertions, data flows, justifications. The file format is docs/intent.md.
type Intent struct {
	Source         Source
	Name           string
	AsOf           Date // zero: the day of the run
	Standard       string
	Judge          string
	TrustMesh      bool
	Zones          []Zone // in the order of the file
	Assertions     []Assertion
	DataFlows      []DataFlow
	Stores         []Store
	Justifications []Justification
	Reviews        []Review
	Attestations   []Attestation
	None           []NoneStatement
	Owners         []OwnerEntry
	Documents      Documents
	PCI            PCI
}

// ZoneKind is what a zone is in the terms of the standard.
type ZoneKind string

const (
	ZoneInternet   ZoneKind = "internet"
	ZoneDMZ        ZoneKind = "dmz"
	ZoneCDE        ZoneKind = "cde"
	ZoneData       ZoneKind = "data"
	ZoneTrusted    ZoneKind = "trusted"
	ZoneManagement ZoneKind = "management"
	ZoneWireless   ZoneKind = "wireless"
	ZoneOnPrem     ZoneKind = "on-prem"
	ZonePartner    ZoneKind = "partner"
	ZoneOutOfScope ZoneKind = "out-of-scope"
)

// ZoneKinds lists the kinds that a file may declare.
func ZoneKinds() []ZoneKind {
	return []ZoneKind{ZoneDMZ, ZoneCDE, ZoneData, ZoneTrusted, ZoneManagement, ZoneWireless, ZoneOnPrem, ZonePartner, ZoneOutOfScope}
}

// External reports whether a zone of the kind lies outside the estate.
func (k ZoneKind) External() bool {
	return k == ZoneInternet || k == ZoneWireless || k == ZoneOnPrem || k == ZonePartner
}

// Zone is a declared segment.
type Zone struct {
	Name            string
	Source          Source
	Kind            ZoneKind
	Owner           string
	Roles           Roles
	Members         []Selector
	Behind          *Selector // the gateway that an external zone stands behind (AZ-GW-11)
	PublicAddresses []netip.Prefix
}

// Roles says who approves and who makes changes.
type Roles struct{ Approves, Changes string }

// Verb is what an assertion demands.
type Verb string

const (
	VerbDeny    Verb = "deny"
	VerbOnly    Verb = "only"
	VerbMust    Verb = "must"
	VerbThrough Verb = "through"
)

// Assertion is a property that must hold.
type Assertion struct {
	ID          string
	Source      Source
	Verb        Verb
	From, To    []Selector
	Services    []PortService // empty: any
	Via         []Selector    // through
	DirectOnly  bool          // kind: direct
	Existing    bool          // pods that do not exist yet are left out (K8S-EXP-05); no file says so
	Requirement string
	Except      []Waiver
}

// Waiver is an exception that is owned and expires. Empty From or To means the assertion's own.
type Waiver struct {
	Source        Source
	From, To      []Selector
	Services      []PortService
	Owner, Reason string
	Expires       Date
}

// DataFlow is a declared flow of cardholder data.
type DataFlow struct {
	Name      string
	Source    Source
	Data      []string
	From      Selector
	Path      []Selector
	Service   PortService
	InTransit string
	AtRest    string
}

// Store is a declared store of cardholder data.
type Store struct {
	Source Source
	At     Selector
	Data   []string
	AtRest string
}

// Justification says why rules exist.
type Justification struct {
	Source           Source
	Rules            []string
	Reason           string
	Owner            string
	ApprovedBy       string
	Ticket           string
	Expires          Date
	JIT              bool
	SecurityFeatures []string
	Allows           *Allowed
}

// Allowed bounds what a justified rule may admit.
type Allowed struct {
	From, To []Selector
	Services []PortService
}

// Review records that rule sets were reviewed.
type Review struct {
	Source    Source
	RuleSets  []string
	By        string
	On        Date
	Actions   string
	Snapshot  string
	Procedure string
	Ticket    string
}

// Attestation is a person's word for an item that no file can show.
type Attestation struct {
	Source   Source
	Item     string
	By       string
	On       Date
	Expires  Date
	Evidence string
	Reason   string
}

// NoneStatement states that something does not exist.
type NoneStatement struct {
	What    string
	Source  Source
	By      string
	On      Date
	Reason  string
	Expires Date
}

// OwnerEntry names the owner of controls that do not inherit one.
type OwnerEntry struct {
	Source   Source
	Controls []string
	Owner    string
	Roles    Roles
}

// Documents are the committed copies that items compare.
type Documents struct {
	Source                                     Source
	Network, DataFlow, Zones, Rules, Endpoints string
	Pipelines                                  []string
}

// PCI holds the roles and limits that cannot be derived from resources.
type PCI struct {
	Source           Source
	JumpBoxes        []Selector
	Proxies          []Selector
	ProxiesSet       bool
	IngressRouters   []Selector
	Firewalls        []Selector
	Appliances       []Selector
	ExemptNamespaces ExemptNamespaces
	AllowedPorts     []PortRange // workloads
	AllowedPortsSet  bool
	Monitoring       []Monitoring
	AuthorizedNodes  []Selector
	AuthorizedAPI    []Selector
	AuthorizedSet    bool
	Emergency        []EmergencyAccess
	NetworkAdmins    []NetworkAdmin
	NodeEgress       []PortService
	DefaultDenyDNS   Setting // defaultDeny.allowDNS; not stated = true
	PublicIPSubnets  []Selector
	LogRetentionDays int
}

// ExemptNamespaces adjusts the list of namespaces that need no default deny.
type ExemptNamespaces struct {
	Cluster string
	Add     []ExemptNamespace
	Only    []ExemptNamespace
	OnlySet bool // `only` is stated: it replaces the list, with nothing where it is empty
}

// ExemptNamespace is one exemption.
type ExemptNamespace struct {
	Name, Owner, Reason string
	Expires             Date
	Source              Source
}

// Monitoring is a path that the monitoring agent needs.
type Monitoring struct {
	Source   Source
	From, To []Selector
	Services []PortService
}

// EmergencyAccess is a time-boxed opening.
type EmergencyAccess struct {
	Source     Source
	From, To   []Selector
	Services   []PortService
	ApprovedBy string
	Reason     string
	Expires    Date
}

// NetworkAdmin is a principal that may change network controls.
type NetworkAdmin struct {
	Source                Source
	Principal, Name, Role string
}

// InputFile is one file that was read.
type InputFile struct {
	Path   string
	SHA256 string
	Kind   string // azure, kubernetes, service-tags, intent
	Side   string // desired, deployed; empty where no input says
}

// Project is an estate and what is stated about it.
type Project struct {
	Estate *Estate
	Intent *Intent // nil for ad-hoc inputs
	Inputs []InputFile
	Tags   *ServiceTags // nil: every service tag is symbolic (AZ-TAG-09)
	Apart  *Apart       // what objects say by themselves; in snapshots, which others may lie over
}

// ServiceTags is a published list of service-tag prefixes.
type ServiceTags struct {
	Source       Source
	ChangeNumber int
	Cloud        string
	Tags         []ServiceTag // sorted by lower-case name
}

// ServiceTag is one tag of the list.
type ServiceTag struct {
	Name     string
	Region   string
	System   string
	Prefixes []netip.Prefix
}
