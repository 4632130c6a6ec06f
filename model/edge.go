package model

import (
	"net/netip"
	"strconv"
	"strings"
)

// Firewall is an Azure Firewall. Its rules stand in Policy, or in the classic collections.
type Firewall struct {
	Meta
	Hub             bool   // AZFW_Hub
	Tier            string // Basic, Standard, Premium
	Subnet          ID
	Address         netip.Addr // private address; invalid when not stated
	PublicIPs       []ID
	PublicAddresses []netip.Addr // of a firewall in a hub, which names its public addresses without resources
	Management      bool         // a management NIC is present (AZ-FW-45)
	Policy          ID
	Collections     []RuleCollection // classic
	ThreatIntel     string           // Off, Alert, Deny
	SNAT            SNATRanges
	DNSProxy        Setting
	DNSServers      []netip.Addr // classic; with a policy those of the policy count
	VirtualHub      ID
	ProvisioningBad string // a provisioning state other than Succeeded, as read
}

// SNATRanges is which destinations keep their source (AZ-FW-41). The zero value is the IANA private ranges.
type SNATRanges struct {
	Custom    bool // Prefixes replace the default
	IANA      bool // with Custom: the list contains IANAPrivateRanges
	Prefixes  []netip.Prefix
	AutoLearn Setting
}

// FirewallPolicy holds settings; its rules stand in rule collection groups.
type FirewallPolicy struct {
	Meta
	Base          ID // basePolicy
	Tier          string
	Groups        []ID // rule collection groups in the input, sorted by key
	GroupRefs     []ID // rule collection groups that the policy itself names
	ThreatIntel   string
	IDPS          string
	DNSProxy      Setting
	DNSServers    []netip.Addr
	SNAT          SNATRanges
	ExplicitProxy Setting
	ProxyPorts    []uint16 // HTTP, HTTPS
}

// RuleCollectionGroup is a group of collections of a policy.
type RuleCollectionGroup struct {
	Meta
	Policy      ID
	Priority    int
	Collections []RuleCollection
}

// RuleKind is the type of a firewall rule collection; the kinds are evaluated in this order (AZ-FW-10).
type RuleKind uint8

const (
	DNATRules RuleKind = iota
	NetworkRules
	ApplicationRules
)

func (k RuleKind) String() string { return [...]string{"dnat", "network", "application"}[k] }

// RuleCollection is a list of firewall rules with one action.
type RuleCollection struct {
	Name     string
	Source   Source
	Priority int
	Kind     RuleKind
	Access   Access // for NAT: Allow
	Rules    []FirewallRule
	Unknown  string // not empty: the collection was not understood; what it is
}

// FirewallRule is one rule of a collection.
type FirewallRule struct {
	Name        string
	Source      Source
	Description string
	Sources     AddressMatch
	Dests       AddressMatch // DNAT and network rules
	Protocols   []Protocol   // DNAT and network rules
	Ports       []PortRange  // destination ports of DNAT and network rules
	// Translation (DNAT)
	ToAddress netip.Addr
	ToFQDN    string
	ToPort    uint16
	// Application rules
	Apps          []AppProtocol
	FQDNs         []string // target FQDNs, `*` and `*.contoso.com` included
	FQDNTags      []string
	WebCategories []string
	URLs          []string
	TerminateTLS  Setting
	Unknown       string // not empty: part of the rule was not understood
}

// AppProtocol is `Https:443`.
type AppProtocol struct {
	Type string // Http, Https, Mssql
	Port uint16
}

// IPGroup is a named list of addresses.
type IPGroup struct {
	Meta
	Prefixes []netip.Prefix
}

// AppGateway is an Application Gateway (AZ-AGW-01).
type AppGateway struct {
	Meta
	Tier         string // Standard_v2, WAF_v2, …
	Subnets      []ID
	Frontends    []AGWFrontend
	Ports        []AGWPort
	Listeners    []AGWListener
	Pools        []AGWPool
	Settings     []AGWSetting
	Rules        []AGWRule
	PathMaps     []AGWPathMap
	Probes       []AGWProbe
	WAFPolicy    ID
	LegacyWAF    *LegacyWAF
	TLS          TLSPolicy
	TLSProfiles  []TLSProfile
	Redirects    []AGWRedirect
	RewriteSets  []string
	PrivateLinks bool
	Stopped      bool // operationalState Stopped or Stopping (AZ-REL-08)
}

// AGWFrontend is a frontend IP configuration.
type AGWFrontend struct {
	ID       ID
	Name     string
	Subnet   ID
	Address  netip.Addr
	PublicIP ID
}

// AGWPort is a frontend port.
type AGWPort struct {
	ID   ID
	Port uint16
}

// AGWListener accepts connections on one frontend and port (AZ-AGW-02).
type AGWListener struct {
	ID         ID
	Name       string
	Source     Source
	Frontend   ID
	Port       ID
	Protocol   string // Http, Https, Tcp, Tls
	Hosts      []string
	WAFPolicy  ID
	TLSProfile ID
	HasCert    bool
}

// AGWPool is a backend pool.
type AGWPool struct {
	ID        ID
	Name      string
	Source    Source
	Addresses []netip.Addr
	FQDNs     []string
	IPConfigs []ID
}

// AGWSetting is backend HTTP (or TCP) settings.
type AGWSetting struct {
	ID       ID
	Name     string
	Source   Source
	Port     uint16
	Protocol string
	HostName string
	Probe    ID
}

// AGWRule is a request routing rule (AZ-AGW-04).
type AGWRule struct {
	ID       ID
	Name     string
	Source   Source
	Priority int
	Listener ID
	Pool     ID
	Setting  ID
	PathMap  ID
	Redirect ID
}

// AGWPathMap is a URL path map.
type AGWPathMap struct {
	ID              ID
	Name            string
	DefaultPool     ID
	DefaultSetting  ID
	DefaultRedirect ID
	Paths           []AGWPathRule
}

// AGWPathRule is one rule of a path map.
type AGWPathRule struct {
	Name      string
	Source    Source
	Paths     []string
	Pool      ID
	Setting   ID
	Redirect  ID
	WAFPolicy ID
}

// AGWProbe is a health probe.
type AGWProbe struct {
	ID       ID
	Name     string
	Source   Source
	Protocol string
	Port     uint16 // 0: the setting's port
}

// AGWRedirect is a redirect configuration.
type AGWRedirect struct {
	ID             ID
	Name           string
	Type           string
	TargetListener ID
	TargetURL      string
}

// LegacyWAF is webApplicationFirewallConfiguration on the gateway.
type LegacyWAF struct {
	Enabled     Setting
	Mode        string
	RuleSet     string
	RequestBody Setting
}

// TLSPolicy is a TLS policy of a gateway or of a listener's profile. The zero value: none stated (AZ-AGW-21).
type TLSPolicy struct {
	Type       string // Predefined, Custom, CustomV2
	Name       string
	MinVersion string
	Source     Source
}

// Floor is the lowest version that a policy admits (the table of AZ-AGW-21); ok is false for a policy that the table lacks, and for none.
func (p TLSPolicy) Floor() (version string, ok bool) {
	switch strings.ToLower(p.Name) {
	case "appgwsslpolicy20150501":
		return "1.0", true
	case "appgwsslpolicy20170401":
		return "1.1", true
	case "appgwsslpolicy20170401s", "appgwsslpolicy20220101", "appgwsslpolicy20220101s":
		return "1.2", true
	}
	return TLSVersion(p.MinVersion)
}

// TLSVersion reads the spellings of a TLS version: `TLSv1_2`, `TLS1_2`, `TLS12`, `1.2`.
func TLSVersion(text string) (version string, ok bool) {
	t := strings.ReplaceAll(strings.ToLower(text), "_", ".")
	t = strings.TrimPrefix(strings.TrimPrefix(t, "tls"), "v")
	switch t {
	case "1.0", "1.1", "1.2", "1.3":
		return t, true
	case "10", "11", "12", "13":
		return t[:1] + "." + t[1:], true
	default:
		return "", false
	}
}

// TLSPolicyOf is the TLS policy in force at a listener: that of its profile, else the gateway's (AZ-AGW-21).
func (g *AppGateway) TLSPolicyOf(l AGWListener) TLSPolicy {
	for _, p := range g.TLSProfiles {
		if l.TLSProfile != "" && p.ID.Key() == l.TLSProfile.Key() && p.Policy != (TLSPolicy{}) {
			return p.Policy
		}
	}
	return g.TLS
}

// TLSProfile is an sslProfile.
type TLSProfile struct {
	ID     ID
	Name   string
	Policy TLSPolicy
	Client string // client certificate verification, as read
}

// WAFPolicy is a web application firewall policy of Application Gateway or Front Door.
type WAFPolicy struct {
	Meta
	FrontDoor   bool
	Enabled     Setting // policySettings.state
	Mode        string  // Prevention, Detection
	RuleSets    []string
	Disabled    []string // disabled managed rules
	Exclusions  int
	RequestBody Setting
	Custom      []WAFRule
}

// WAFRule is a custom rule (AZ-AGW-34).
type WAFRule struct {
	Name       string
	Source     Source
	Priority   int
	Action     string // Block, Allow, Log
	RateLimit  bool   // the action takes effect above a rate only
	Enabled    Setting
	Conditions []WAFCondition
}

// WAFCondition is one condition of a custom rule.
type WAFCondition struct {
	Variables []string // RemoteAddr, RequestHeaders:X-Azure-FDID
	Operator  string
	Negate    bool
	Values    []string
	Prefixes  []netip.Prefix // of IPMatch
}

// ServiceKind is the type of a PaaS service.
type ServiceKind uint8

const (
	OtherService ServiceKind = iota
	KeyVault
	ContainerRegistry
	SQLServer
	StorageAccount
	CosmosDB
	PostgreSQL
	MySQL
	Redis
	ServiceBus
	EventHub
	LogAnalytics
	MonitorScope
)

// RuleSet is the word that begins the names of a service's rules: `database:sql-cards/office` (docs/pci/decisions.md, 8.2).
func (k ServiceKind) RuleSet() string {
	switch k {
	case KeyVault:
		return "vault"
	case ContainerRegistry:
		return "registry"
	case SQLServer, CosmosDB, PostgreSQL, MySQL:
		return "database"
	case StorageAccount:
		return "storage"
	default:
		return "service"
	}
}

func (k ServiceKind) String() string {
	return [...]string{
		"service", "key vault", "container registry", "SQL server", "storage account", "Cosmos DB account", "PostgreSQL server",
		"MySQL server", "Redis cache", "Service Bus namespace", "Event Hubs namespace", "Log Analytics workspace", "Azure Monitor private link scope",
	}[k]
}

// Service is a PaaS resource with a public door and private doors (AZ-PAAS-01 to 08). Its doors lead to the data plane: nothing here filters
// its management (AZ-KV-03).
type Service struct {
	Meta
	Kind          ServiceKind
	Type          string // resource type
	Public        string // publicNetworkAccess as read: Enabled, Disabled, SecuredByPerimeter; empty when absent
	PublicSource  Source
	DefaultAccess Access // networkAcls.defaultAction; meaningful when HasACLs
	HasACLs       bool   // the default-action block is present
	Bypass        string // AzureServices, None; empty when absent
	IPRules       []IPRule
	VNetRules     []VNetRule
	VNetFilter    Setting  // Cosmos DB isVirtualNetworkFilterEnabled
	Injected      ID       // delegated subnet of an injected PostgreSQL or MySQL server
	Hosts         []string // names of its data plane, lower case: kv-cards.vault.azure.net
	Tier          string   // sku.name
	MinTLS        string   // minimalTlsVersion and the like, as read
	HTTPSOnly     Setting  // supportsHttpsTrafficOnly
	AtRest        string   // how data is encrypted at rest, as read; empty when not stated
	DataEndpoint  Setting  // registries
	Connections   []EndpointConnection
	InstanceRules []string // resourceAccessRules: resource IDs or patterns
	IngestionMode string   // Azure Monitor private link scope: Open, PrivateOnly; absent is Open (AZ-AMPLS-02)
	QueryMode     string
	Scoped        []ID // resources in the scope, sorted by key
	Retention     int  // Log Analytics: days that a workspace keeps logs; 0 when not stated
	Tables        []LogTable
	Lifecycles    []Lifecycle // storage accounts
}

// IPRule is an address rule of a service firewall.
type IPRule struct {
	Name     string
	Source   Source
	Prefixes []netip.Prefix
	AllAzure bool // 0.0.0.0: every Azure address (AZ-SQL-03)
}

// VNetRule is a virtual network rule of a service firewall.
type VNetRule struct {
	Name          string
	Source        Source
	Subnet        ID
	IgnoreMissing Setting
}

// EndpointConnection is a private endpoint connection as the service lists it.
type EndpointConnection struct {
	Endpoint ID
	State    string
	Groups   []string
}

// Cluster is an AKS cluster, or a cluster that only manifests name.
type Cluster struct {
	Meta
	Manifest          bool   // no managedClusters resource in the input (K8S-GEN-04)
	NodeGroup         string // nodeResourceGroup
	Plugin            string // azure, kubenet, none; as read
	PluginMode        string // overlay
	DataPlane         string // azure, cilium
	Policy            string // networkPolicy as read: azure, calico, cilium, none; empty when absent
	PolicyOpen        bool   // absent in a template or plan, whose default is not known (AKS-POL-01)
	Engine            string // engine that the intent file states, where no resource says it
	KubernetesVersion string // the one that runs, else the one that is asked for; empty when absent
	OutboundType      string
	PodCIDRs          []netip.Prefix
	ServiceCIDRs      []netip.Prefix
	DNSServiceIP      netip.Addr
	Private           Setting // enablePrivateCluster
	PrivateDNSZone    string
	PublicFQDN        Setting // enablePrivateClusterPublicFQDN
	VNetAPI           Setting // enableVnetIntegration
	APISubnet         ID
	APIRanges         []netip.Prefix
	APIRangesSet      bool
	RunCommandOff     Setting
	PublicAccess      string
	FQDN              string
	PrivateFQDN       string
	HTTPProxy         string
	HTTPSProxy        string
	NoProxy           []string
	HasProxy          bool
	Pools             []NodePool
	AddOns            map[string]bool // add-on profiles by lower-case name: enabled
	MeshMode          string          // serviceMeshProfile.mode
	MeshGateways      []MeshGateway
	WebAppRouting     Setting
	OutboundIPs       []ID
	AdminGroups       []string // aadProfile.adminGroupObjectIDs: cluster-admin
	AzureRBAC         Setting  // aadProfile.enableAzureRBAC: roles of Azure count at the API server
	LocalOff          Setting  // disableLocalAccounts: nobody gets the certificate of an administrator
	ArtifactSource    string   // bootstrapProfile.artifactSource as read: Direct, Cache (AKS-OUT-06)
	IngressGateway    ID       // the application gateway that the ingress add-on fills (AKS-ING-02)

	WebAppController string // nginx.defaultIngressControllerType as read: AnnotationControlled, External, Internal, None (AKS-ING-01)
}

// KubernetesMinor is N of the cluster's Kubernetes version 1.N; false where the input does not state it.
func (c *Cluster) KubernetesMinor() (int, bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(c.KubernetesVersion, "v"), "1.")
	if !ok {
		return 0, false
	}
	text, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

// MeshGateway is an ingress gateway of the Istio add-on.
type MeshGateway struct {
	Mode    string // Internal, External
	Enabled Setting
}

// NodePool is a node pool of a cluster.
type NodePool struct {
	Name         string
	Source       Source
	ID           ID // of the agentPools child, when there is one
	Mode         string
	Subnet       ID // vnetSubnetID
	PodSubnet    ID
	PublicIPs    Setting // enableNodePublicIP
	PublicPrefix ID
	Count        int
	OS           string
	Labels       map[string]string
	Taints       []string
	ASGs         []ID
	HostPorts    []PortRange
	SSHAccess    string
}
