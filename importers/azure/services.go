package azure

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// The structs of this file hold what PaaS resources say about their doors (section 5 of azure-edge-and-aks.md).

// service is the outside of every PaaS resource; P is what stands under `properties`.
type service[P any] struct {
	SKU        *skuName `json:"sku,omitempty"`
	Properties *P       `json:"properties,omitempty"`
}

type skuName struct {
	Name *string `json:"name,omitempty"`
}

// acls is a default action with its exceptions.
type acls struct {
	DefaultAction *string         `json:"defaultAction,omitempty"`
	Bypass        *string         `json:"bypass,omitempty"`
	IPRules       []*addressRule  `json:"ipRules,omitempty"`
	IPv6Rules     []*addressRule  `json:"ipv6Rules,omitempty"`
	VNetRules     []*vnetRule     `json:"virtualNetworkRules,omitempty"`
	Instances     []*instanceRule `json:"resourceAccessRules,omitempty"`
}

type addressRule struct {
	Value  *string `json:"value,omitempty"`
	Action *string `json:"action,omitempty"`
}

type vnetRule struct {
	ID            *string `json:"id,omitempty"`
	Subnet        *ref    `json:"subnet,omitempty"`
	IgnoreMissing *bool   `json:"ignoreMissingVnetServiceEndpoint,omitempty"`
	Action        *string `json:"action,omitempty"`
}

type instanceRule struct {
	Resource *string `json:"resourceId,omitempty"`
}

type endpointConnection struct {
	Properties *endpointConnectionProperties `json:"properties,omitempty"`
}

type endpointConnectionProperties struct {
	Endpoint *ref              `json:"privateEndpoint,omitempty"`
	State    *connectionStatus `json:"privateLinkServiceConnectionState,omitempty"`
	Groups   []*string         `json:"groupIds,omitempty"`
	Group    *string           `json:"groupId,omitempty"`
}

type connectionStatus struct {
	Status *string `json:"status,omitempty"`
}

type encryption struct {
	KeySource *string `json:"keySource,omitempty"`
	Status    *string `json:"status,omitempty"`
	Type      *string `json:"type,omitempty"`
}

type vaultProperties struct {
	SKU         *skuName              `json:"sku,omitempty"`
	URI         *string               `json:"vaultUri,omitempty"`
	Public      *string               `json:"publicNetworkAccess,omitempty"`
	ACLs        *acls                 `json:"networkAcls,omitempty"`
	Connections []*endpointConnection `json:"privateEndpointConnections,omitempty"`
}

type registryProperties struct {
	LoginServer   *string               `json:"loginServer,omitempty"`
	Public        *string               `json:"publicNetworkAccess,omitempty"`
	ACLs          *acls                 `json:"networkRuleSet,omitempty"`
	Bypass        *string               `json:"networkRuleBypassOptions,omitempty"`
	DataEndpoint  *bool                 `json:"dataEndpointEnabled,omitempty"`
	DataEndpoints []*string             `json:"dataEndpointHostNames,omitempty"`
	Encryption    *encryption           `json:"encryption,omitempty"`
	Connections   []*endpointConnection `json:"privateEndpointConnections,omitempty"`
}

type sqlProperties struct {
	Host        *string               `json:"fullyQualifiedDomainName,omitempty"`
	Public      *string               `json:"publicNetworkAccess,omitempty"`
	MinTLS      *string               `json:"minimalTlsVersion,omitempty"`
	Rules       []*firewallRule       `json:"firewallRules,omitempty"`
	Rules6      []*firewallRule       `json:"ipv6FirewallRules,omitempty"`
	VNetRules   []*sqlVNetRule        `json:"virtualNetworkRules,omitempty"`
	Connections []*endpointConnection `json:"privateEndpointConnections,omitempty"`
}

type firewallRule struct {
	ID         *string        `json:"id,omitempty"`
	Name       *string        `json:"name,omitempty"`
	Properties *firewallRange `json:"properties,omitempty"`
}

type firewallRange struct {
	First *string `json:"startIpAddress,omitempty"`
	Last  *string `json:"endIpAddress,omitempty"`
}

type sqlVNetRule struct {
	ID         *string            `json:"id,omitempty"`
	Name       *string            `json:"name,omitempty"`
	Properties *sqlVNetRuleSubnet `json:"properties,omitempty"`
}

type sqlVNetRuleSubnet struct {
	Subnet        *string `json:"virtualNetworkSubnetId,omitempty"`
	IgnoreMissing *bool   `json:"ignoreMissingVnetServiceEndpoint,omitempty"`
}

type encryptionProtector struct {
	Properties *protectorProperties `json:"properties,omitempty"`
}

type protectorProperties struct {
	Type *string `json:"serverKeyType,omitempty"`
}

type storageProperties struct {
	Primary     map[string]any        `json:"primaryEndpoints,omitempty"`
	Secondary   map[string]any        `json:"secondaryEndpoints,omitempty"`
	Public      *string               `json:"publicNetworkAccess,omitempty"`
	ACLs        *acls                 `json:"networkAcls,omitempty"`
	MinTLS      *string               `json:"minimumTlsVersion,omitempty"`
	HTTPSOnly   *bool                 `json:"supportsHttpsTrafficOnly,omitempty"`
	Encryption  *encryption           `json:"encryption,omitempty"`
	Connections []*endpointConnection `json:"privateEndpointConnections,omitempty"`
}

type cosmosProperties struct {
	Endpoint     *string               `json:"documentEndpoint,omitempty"`
	Locations    []*cosmosLocation     `json:"readLocations,omitempty"`
	Writes       []*cosmosLocation     `json:"writeLocations,omitempty"`
	Capabilities []*skuName            `json:"capabilities,omitempty"`
	Public       *string               `json:"publicNetworkAccess,omitempty"`
	IPRules      []*addressRule        `json:"ipRules,omitempty"`
	IPFilter     *string               `json:"ipRangeFilter,omitempty"`
	VNetFilter   *bool                 `json:"isVirtualNetworkFilterEnabled,omitempty"`
	VNetRules    []*vnetRule           `json:"virtualNetworkRules,omitempty"`
	Bypass       *string               `json:"networkAclBypass,omitempty"`
	Instances    []*string             `json:"networkAclBypassResourceIds,omitempty"`
	MinTLS       *string               `json:"minimalTlsVersion,omitempty"`
	Key          *string               `json:"keyVaultKeyUri,omitempty"`
	Connections  []*endpointConnection `json:"privateEndpointConnections,omitempty"`
}

type cosmosLocation struct {
	Endpoint *string `json:"documentEndpoint,omitempty"`
}

type flexibleProperties struct {
	Host        *string               `json:"fullyQualifiedDomainName,omitempty"`
	Public      *string               `json:"publicNetworkAccess,omitempty"` // of the first API
	Network     *flexibleNetwork      `json:"network,omitempty"`
	OldSubnet   *flexibleOldSubnet    `json:"delegatedSubnetArguments,omitempty"`
	Encryption  *encryption           `json:"dataEncryption,omitempty"`
	Rules       []*firewallRule       `json:"firewallRules,omitempty"`
	Connections []*endpointConnection `json:"privateEndpointConnections,omitempty"`
}

type flexibleNetwork struct {
	Public *string `json:"publicNetworkAccess,omitempty"`
	Subnet *string `json:"delegatedSubnetResourceId,omitempty"`
}

type flexibleOldSubnet struct {
	Subnet *string `json:"subnetArmResourceId,omitempty"`
}

type redisProperties struct {
	SKU         *skuName              `json:"sku,omitempty"`
	Host        *string               `json:"hostName,omitempty"`
	Public      *string               `json:"publicNetworkAccess,omitempty"`
	Subnet      *string               `json:"subnetId,omitempty"`
	PlainPort   *bool                 `json:"enableNonSslPort,omitempty"`
	MinTLS      *string               `json:"minimumTlsVersion,omitempty"`
	Rules       []*redisRule          `json:"firewallRules,omitempty"`
	Connections []*endpointConnection `json:"privateEndpointConnections,omitempty"`
}

type redisRule struct {
	ID         *string     `json:"id,omitempty"`
	Name       *string     `json:"name,omitempty"`
	Properties *redisRange `json:"properties,omitempty"`
}

type redisRange struct {
	First *string `json:"startIP,omitempty"`
	Last  *string `json:"endIP,omitempty"`
}

type namespaceProperties struct {
	Endpoint    *string               `json:"serviceBusEndpoint,omitempty"`
	Public      *string               `json:"publicNetworkAccess,omitempty"`
	MinTLS      *string               `json:"minimumTlsVersion,omitempty"`
	Encryption  *encryption           `json:"encryption,omitempty"`
	Connections []*endpointConnection `json:"privateEndpointConnections,omitempty"`
}

type networkRuleSet struct {
	Properties *networkRuleSetProperties `json:"properties,omitempty"`
}

type networkRuleSetProperties struct {
	DefaultAction *string        `json:"defaultAction,omitempty"`
	IPRules       []*addressRule `json:"ipRules,omitempty"`
	VNetRules     []*vnetRule    `json:"virtualNetworkRules,omitempty"`
	Trusted       *bool          `json:"trustedServiceAccessEnabled,omitempty"`
	Public        *string        `json:"publicNetworkAccess,omitempty"`
}

type workspaceProperties struct {
	CustomerID *string  `json:"customerId,omitempty"`
	SKU        *skuName `json:"sku,omitempty"`
	Ingestion  *string  `json:"publicNetworkAccessForIngestion,omitempty"`
	Query      *string  `json:"publicNetworkAccessForQuery,omitempty"`
	Retention  *int32   `json:"retentionInDays,omitempty"`
}

type scopeProperties struct {
	Modes       *accessModes          `json:"accessModeSettings,omitempty"`
	Connections []*endpointConnection `json:"privateEndpointConnections,omitempty"`
}

type accessModes struct {
	Query     *string `json:"queryAccessMode,omitempty"`
	Ingestion *string `json:"ingestionAccessMode,omitempty"`
}

type scopedResource struct {
	Properties *scopedProperties `json:"properties,omitempty"`
}

type scopedProperties struct {
	Linked *string `json:"linkedResourceId,omitempty"`
}

func serviceFields() map[string]fieldUse {
	const top = "etag extendedLocation id identity kind location managedBy name plan systemData tags type zones"
	const encryptionRest = `identity keyvaultproperties keyVaultProperties requireInfrastructureEncryption services primaryKeyURI
		primaryUserAssignedIdentityId geoBackupKeyURI geoBackupUserAssignedIdentityId primaryEncryptionKeyStatus
		geoBackupEncryptionKeyStatus primaryFederatedIdentityClientId geoBackupFederatedIdentityClientId encryptionIdentity`
	const flexibleRest = `administratorLogin authConfig availabilityZone backup cluster createMode databasePort earliestRestoreDate fullVersion
		highAvailability importSourceProperties lowerCaseTableNames maintenancePolicy maintenanceWindow minorVersion pointInTimeUTC
		privateDnsZoneArguments replica replicaCapacity replicationRole restorePointInTime sourceServerResourceId state storage
		storageProfile version haEnabled haState displayName byokEnforcement standbyAvailabilityZone standbyCount logBackupStorageSku
		sslEnforcement infrastructureEncryption sourceServerName sourceSubscriptionId sourceResourceGroupName sourceServerId tags`
	nfs := "opens the ports of this protocol on both doors (AZ-ST-05); not modelled"
	table := map[string]fieldUse{
		"skuName":                      {harmless: "capacity family tier size kind capacityReservationLevel lastSkuUpdate maxCapacityReservationLevel"},
		"acls":                         {},
		"addressRule":                  {alias: map[string]string{"ipAddressOrRange": "value", "ipMask": "value"}},
		"vnetRule":                     {harmless: "state", alias: map[string]string{"virtualNetworkResourceId": "id"}},
		"instanceRule":                 {harmless: "tenantId"},
		"endpointConnection":           {harmless: "id name type etag location systemData"},
		"endpointConnectionProperties": {harmless: "provisioningState linkIdentifier"},
		"connectionStatus":             {harmless: "actionRequired actionsRequired description"},
		"encryption":                   {harmless: encryptionRest},
		"vaultProperties": {harmless: `accessPolicies createMode enablePurgeProtection enableRbacAuthorization enableSoftDelete
			enabledForDeployment enabledForDiskEncryption enabledForTemplateDeployment hsmPoolResourceId provisioningState
			softDeleteRetentionInDays tenantId tokenBindingParameters`},
		// AZ-ACR-04: whether a pull needs a name and a word is no matter of the network.
		"registryProperties": {harmless: `adminUserEnabled anonymousPullEnabled autoGeneratedDomainNameLabelScope creationDate metadataSearch
			networkRuleBypassAllowedForTasks policies provisioningState roleAssignmentMode status storageAccount zoneRedundancy`},
		// AZ-SQL-05: what a server may call itself opens no way to it.
		"sqlProperties": {harmless: `administratorLogin administrators azureADOnlyAuthentication azureDnsRecord createMode
			externalAdministratorLogin externalAdministratorSid externalGovernanceStatus federatedClientId isIPv6Enabled keyId
			primaryUserAssignedIdentityId restrictOutboundNetworkAccess retentionDays state version workspaceFeature`},
		"firewallRule":        {harmless: "location kind"},
		"firewallRange":       {alias: map[string]string{"startIPv6Address": "startIpAddress", "endIPv6Address": "endIpAddress"}},
		"sqlVNetRule":         {harmless: "location kind"},
		"sqlVNetRuleSubnet":   {harmless: "state"},
		"encryptionProtector": {harmless: "kind location"},
		"protectorProperties": {harmless: "autoRotationEnabled keyVersion serverKeyName subregion thumbprint uri"},
		"storageProperties": { // AZ-ST-01: who may read a blob is no matter of the network
			harmless: `accessTier accountMigrationInProgress accountType allowBlobPublicAccess allowCrossTenantReplication allowSharedKeyAccess
				allowSharedKeyAccessForServices allowedCopyScope azureFilesAadIntegration azureFilesIdentityBasedAuthentication
				blobRestoreStatus creationTime customDomain dataCollaborationPolicyProperties defaultToOAuthAuthentication
				dnsEndpointType dualStackEndpointPreference enableExtendedGroups failoverInProgress geoPriorityReplicationStatus
				geoReplicationStats immutableStorageWithVersioning isHnsEnabled isLocalUserEnabled isSkuConversionBlocked
				keyCreationTime keyPolicy largeFileSharesState lastGeoFailoverTime placement primaryLocation provisioningState
				routingPreference sasPolicy secondaryLocation statusOfPrimary statusOfSecondary storageAccountSkuConversionStatus zones`,
			matters: map[string]string{"isNfsV3Enabled": nfs, "isSftpEnabled": nfs, "enableNfsV3": nfs},
			alias:   map[string]string{"networkRuleSet": "networkAcls", "enableHttpsTrafficOnly": "supportsHttpsTrafficOnly"},
		},
		"cosmosProperties": {harmless: `EnabledApiTypes analyticalStorageConfiguration apiProperties backupPolicy capacity capacityMode
			configurationOverrides connectorOffer consistencyPolicy cors createMode customerManagedKeyStatus databaseAccountOfferType
			defaultIdentity defaultPriorityLevel diagnosticLogSettings disableKeyBasedMetadataWriteAccess disableLocalAuth
			enableAllVersionsAndDeletesChangeFeed enableAnalyticalStorage enableAutomaticFailover enableBurstCapacity
			enableCassandraConnector enableFreeTier enableMaterializedViews enableMultipleWriteLocations enablePartitionMerge
			enablePartitionKeyMonitor enablePerPartitionAutomaticFailover
			enablePerRegionPerPartitionAutoscale enablePriorityBasedExecution enforceHierarchicalPartitionKeyIdLastLevel
			failoverPolicies instanceId keysMetadata locations provisioningState restoreParameters softDeleteConfiguration
			sqlEndpoint throughputPoolDedicatedRUs`},
		"cosmosLocation":     {harmless: "failoverPriority id isZoneRedundant locationName provisioningState"},
		"flexibleProperties": {harmless: flexibleRest},
		"flexibleNetwork":    {harmless: "privateDnsZoneArmResourceId privateDnsZoneResourceId delegatedSubnetArmResourceId"},
		"flexibleOldSubnet":  {},
		"redisProperties": {harmless: `accessKeys disableAccessKeyAuthentication instances linkedServers port provisioningState redisConfiguration
			redisVersion replicasPerMaster replicasPerPrimary shardCount sslPort staticIP tenantSettings updateChannel
			zonalAllocationPolicy zones`, matters: map[string]string{
			"virtualNetwork": "a cache in a classic virtual network is not modelled",
		}},
		"redisRule":  {harmless: "location"},
		"redisRange": {},
		"namespaceProperties": {harmless: `alternateName clusterArmId createACSNamespace createdAt critical disableLocalAuth enabled eventHubEnabled
			geoDataReplication ipAddressType isAutoInflateEnabled kafkaEnabled maximumThroughputUnits messagingSku messagingSkuPlan metricId
			namespaceType platformCapabilities premiumMessagingPartitions provisioningState status updatedAt zoneRedundant`},
		"networkRuleSet":           {harmless: "id name type location"},
		"networkRuleSetProperties": {},
		"workspaceProperties": {harmless: `createdDate defaultDataCollectionRuleResourceId failover features forceCmkForQuery modifiedDate
			portalUrl privateLinkScopedResources provisioningState replication source workspaceCapping`},
		"scopeProperties":  {harmless: "provisioningState"},
		"accessModes":      {matters: map[string]string{"exclusions": "single endpoints of the scope have modes of their own; not modelled"}},
		"scopedResource":   {harmless: "id name type"},
		"scopedProperties": {harmless: "kind provisioningState subscriptionLocation"},
	}
	for _, p := range []string{"vault", "registry", "sql", "storage", "cosmos", "flexible", "redis", "namespace", "workspace", "scope"} {
		table[outside(p)] = fieldUse{harmless: top}
	}
	return table
}

// outside is the name that Go gives service[P].
func outside(p string) string {
	return "service[github.com/ringfence/ringfence/importers/azure." + p + "Properties]"
}

// door starts a service with what all of them share.
func (r *resource) door(kind model.ServiceKind, at *value, public string) (*model.Service, *value) {
	s := &model.Service{Meta: r.meta(), Kind: kind, Type: r.kind.name, Tier: at.text("sku", "name")}
	p := at.get("properties")
	if public != "" {
		s.Public = r.publicAccess(p, public)
		if v := p.get(public); v != nil {
			s.PublicSource = r.source(v.raw)
		}
	}
	for _, v := range p.list("privateEndpointConnections") {
		c := v.get("properties")
		conn := model.EndpointConnection{
			Endpoint: r.reference(c, "privateEndpoint"), State: r.connectionState(c.get("privateLinkServiceConnectionState")),
			Groups: spoken(c.list("groupIds")),
		}
		if g := c.text("groupId"); g != "" {
			conn.Groups = append(conn.Groups, g)
		}
		s.Connections = append(s.Connections, conn)
	}
	slices.SortStableFunc(s.Connections, func(a, b model.EndpointConnection) int {
		return a.Endpoint.Compare(b.Endpoint)
	})
	return s, p
}

// publicAccess reads publicNetworkAccess (AZ-PAAS-01); absent is the empty text.
func (r *resource) publicAccess(v *value, name string) string {
	text, ok := enum(v.text(name), []string{"Enabled", "Disabled", "SecuredByPerimeter"})
	if !ok && text != "" {
		r.unsupported(v.get(name).raw, "a value of publicNetworkAccess that is not known to ringfence")
	}
	return text
}

// acls reads a default action with its exceptions (AZ-PAAS-02 to AZ-PAAS-05).
func (r *resource) acls(s *model.Service, at *value) {
	if at == nil {
		return
	}
	s.HasACLs = true
	s.DefaultAccess = model.Allow // AZ-PAAS-02, AZ-ST-01: so too where the action is absent
	switch text := at.text("defaultAction"); {
	case text == "" || strings.EqualFold(text, "Allow"):
	case strings.EqualFold(text, "Deny"):
		s.DefaultAccess = model.Deny
	default:
		r.fail(at.get("defaultAction"), "Allow or Deny")
	}
	if b := at.text("bypass"); b != "" {
		s.Bypass = b
	}
	r.addressRules(s, at.list("ipRules"))
	r.addressRules(s, at.list("ipv6Rules"))
	r.vnetRules(s, at.list("virtualNetworkRules"))
	for _, v := range at.list("resourceAccessRules") {
		s.InstanceRules = append(s.InstanceRules, strings.ToLower(v.text("resourceId"))) // IDs, or patterns of IDs: compared without case
	}
	slices.Sort(s.InstanceRules)
}

func (r *resource) addressRules(s *model.Service, list []*value) {
	for _, v := range list {
		text := v.get("value")
		if text == nil {
			r.missing(v, "value", "an address or CIDR")
			continue
		}
		rule := model.IPRule{Name: text.raw.text, Source: r.source(v.raw)}
		if a := v.text("action"); a != "" && !strings.EqualFold(a, "Allow") {
			r.unsupported(v.get("action").raw, "an address rule that does not allow is not known to ringfence")
			continue
		}
		if text.raw.text == "0.0.0.0" && s.Kind == model.CosmosDB {
			rule.AllAzure = true // AZ-COSMOS-01
		} else {
			rule.Prefixes = r.span(text)
		}
		s.IPRules = append(s.IPRules, rule)
	}
	slices.SortStableFunc(s.IPRules, func(a, b model.IPRule) int { return strings.Compare(a.Name, b.Name) })
}

func (r *resource) vnetRules(s *model.Service, list []*value) {
	for _, v := range list {
		rule := model.VNetRule{Source: r.source(v.raw), Subnet: r.idText(v, "id"), IgnoreMissing: boolean(v, "ignoreMissingVnetServiceEndpoint")}
		if sub := r.reference(v, "subnet"); sub != "" {
			rule.Subnet = sub
		}
		if rule.Subnet == "" {
			r.missing(v, "id", "the ID of a subnet")
			continue
		}
		if a := v.text("action"); a != "" && !strings.EqualFold(a, "Allow") {
			r.unsupported(v.get("action").raw, "a network rule that does not allow is not known to ringfence")
			continue
		}
		s.VNetRules = append(s.VNetRules, rule)
	}
	slices.SortStableFunc(s.VNetRules, func(a, b model.VNetRule) int { return a.Subnet.Compare(b.Subnet) })
}

// ranges reads firewall rules from-to, which stand in the server or beside it (AZ-SQL-01, AZ-SQL-03).
func ranges[T any](r *resource, inside []*T, at []*value, segment, first, last string) []model.IPRule {
	var out []model.IPRule
	for _, s := range items(r, inside, at, segment) {
		_, name := s.part(s.at, segment)
		rule := model.IPRule{Name: name, Source: s.source(s.at.raw)}
		p := s.at.get("properties")
		a, b := s.addr(p, first), s.addr(p, last)
		switch {
		case !a.IsValid() || !b.IsValid():
			if p.text(first) == "" {
				s.missing(p, first, "the first address")
			}
			if p.text(last) == "" {
				s.missing(p, last, "the last address")
			}
			continue
		case a == b && a == netip.IPv4Unspecified():
			rule.AllAzure = true
		default:
			if rule.Prefixes = between(a, b); rule.Prefixes == nil {
				s.errorAt(p.raw, last, p.get(last).raw.shown(), "an address of the same family, not before "+first+" "+a.String())
			}
		}
		out = append(out, rule)
	}
	return merge(r, segment, out, ipRuleName)
}

func ipRuleName(i model.IPRule) (string, model.Source) { return i.Name, i.Source }

func vnetRuleName(v model.VNetRule) (string, model.Source) { return v.Name, v.Source }

// hosts sets the names of the data plane: those of the input, or the public cloud's where the input has none.
func hosts(s *model.Service, stated []string, derived ...string) {
	for _, text := range stated {
		if h := hostOf(text); h != "" {
			s.Hosts = append(s.Hosts, h)
		}
	}
	if len(s.Hosts) == 0 {
		for _, suffix := range derived {
			s.Hosts = append(s.Hosts, strings.ToLower(s.Name())+suffix)
		}
	}
	slices.Sort(s.Hosts)
	s.Hosts = slices.Compact(s.Hosts)
}

// hostOf is the host of a URL or a bare name, lower case.
func hostOf(text string) string {
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil {
			return ""
		}
		text = u.Hostname()
	}
	return strings.ToLower(strings.TrimSuffix(text, "."))
}

func readKeyVault(r *resource) {
	is, at := decode[service[vaultProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(model.KeyVault, at, "publicNetworkAccess")
	if t := p.text("sku", "name"); t != "" {
		s.Tier = t
	}
	r.acls(s, p.get("networkAcls"))
	hosts(s, []string{p.text("vaultUri")}, ".vault.azure.net")
	r.emit(s)
}

func readRegistry(r *resource) {
	is, at := decode[service[registryProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(model.ContainerRegistry, at, "publicNetworkAccess")
	r.acls(s, p.get("networkRuleSet"))
	if b := p.text("networkRuleBypassOptions"); b != "" {
		s.Bypass = b
	}
	s.DataEndpoint, s.AtRest = boolean(p, "dataEndpointEnabled"), p.text("encryption", "status")
	hosts(s, append(spoken(p.list("dataEndpointHostNames")), p.text("loginServer")), ".azurecr.io")
	r.emit(s)
}

func readSQLServer(r *resource) {
	is, at := decode[service[sqlProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(model.SQLServer, at, "publicNetworkAccess")
	props := is.Properties
	if props == nil {
		props = &sqlProperties{}
	}
	s.MinTLS = p.text("minimalTlsVersion") // AZ-SQL-05: an annotation
	s.IPRules = ranges(r, props.Rules, p.list("firewallRules"), "firewallrules", "startIpAddress", "endIpAddress")
	s.IPRules = append(s.IPRules, ranges(r, props.Rules6, p.list("ipv6FirewallRules"), "ipv6firewallrules", "startIpAddress", "endIpAddress")...)
	for _, v := range items(r, props.VNetRules, p.list("virtualNetworkRules"), "virtualnetworkrules") {
		_, name := v.part(v.at, "virtualNetworkRules")
		c := v.at.get("properties")
		rule := model.VNetRule{
			Name: name, Source: v.source(v.at.raw), Subnet: v.idText(c, "virtualNetworkSubnetId"),
			IgnoreMissing: boolean(c, "ignoreMissingVnetServiceEndpoint"),
		}
		if rule.Subnet == "" {
			v.missing(c, "virtualNetworkSubnetId", "the ID of a subnet")
			continue
		}
		s.VNetRules = append(s.VNetRules, rule)
	}
	s.VNetRules = merge(r, "virtualNetworkRules", s.VNetRules, vnetRuleName)
	for _, child := range r.children["encryptionprotector"] {
		if e, v := decode[encryptionProtector](child, child.node); e != nil {
			s.AtRest = v.text("properties", "serverKeyType")
		}
	}
	hosts(s, []string{p.text("fullyQualifiedDomainName")}, ".database.windows.net")
	if !strings.EqualFold(s.Public, "Disabled") {
		r.unlisted(s, p, "firewallRules", "the firewall rules of the server are not in the input, and without one it is closed (AZ-SQL-01): export them, or write `\"firewallRules\": []` into its properties")
		if p.get("virtualNetworkRules") == nil && len(r.children["virtualnetworkrules"]) == 0 {
			r.claims = append(r.claims, model.Claim{Kind: model.ClaimNoVNetRules, Entry: model.LedgerEntry{
				Resource: s.ID, Type: s.Type, Field: "virtualNetworkRules", Disposition: model.Unsupported, Source: s.Source,
			}})
		}
	}
	r.emit(s)
}

// unlisted records rules that are resources of their own and of which the input holds none: an absence cannot be told from a listing
// that nobody exported. An empty list in the properties says that there are none.
func (r *resource) unlisted(s *model.Service, p *value, name, effect string) {
	if p.get(name) != nil || len(r.children[strings.ToLower(name)]) > 0 {
		return
	}
	r.ledger = append(r.ledger, model.LedgerEntry{
		Resource: s.ID, Type: r.kind.name, Field: name, Disposition: model.Unsupported, Effect: effect, Source: s.Source, Affects: []model.ID{s.ID},
	})
}

func readStorage(r *resource) {
	is, at := decode[service[storageProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(model.StorageAccount, at, "publicNetworkAccess")
	r.acls(s, p.get("networkAcls"))
	s.MinTLS, s.HTTPSOnly = p.text("minimumTlsVersion"), boolean(p, "supportsHttpsTrafficOnly")
	s.AtRest = p.text("encryption", "keySource")
	s.Lifecycles = r.lifecycles()
	var stated []string
	for _, name := range []string{"primaryEndpoints", "secondaryEndpoints"} {
		stated = append(stated, r.urls(p.get(name))...)
	}
	hosts(s, stated, ".blob.core.windows.net", ".dfs.core.windows.net", ".file.core.windows.net", ".queue.core.windows.net", ".table.core.windows.net")
	r.emit(s)
}

func readCosmos(r *resource) {
	is, at := decode[service[cosmosProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(model.CosmosDB, at, "publicNetworkAccess")
	r.addressRules(s, p.list("ipRules"))
	if v := p.get("ipRangeFilter"); v != nil && len(p.list("ipRules")) == 0 {
		for _, text := range split(v) { // the first API wrote one text with commas
			rule := model.IPRule{Name: text.raw.text, Source: r.source(v.raw), AllAzure: text.raw.text == "0.0.0.0"}
			if !rule.AllAzure {
				rule.Prefixes = r.span(text)
			}
			s.IPRules = append(s.IPRules, rule)
		}
	}
	r.vnetRules(s, p.list("virtualNetworkRules"))
	s.VNetFilter, s.Bypass, s.MinTLS = boolean(p, "isVirtualNetworkFilterEnabled"), p.text("networkAclBypass"), p.text("minimalTlsVersion")
	for _, v := range p.list("networkAclBypassResourceIds") {
		s.InstanceRules = append(s.InstanceRules, strings.ToLower(v.raw.text))
	}
	slices.Sort(s.InstanceRules)
	if p.text("keyVaultKeyUri") != "" {
		s.AtRest = "customer-managed key"
	}
	stated := []string{p.text("documentEndpoint")}
	for _, list := range []string{"readLocations", "writeLocations"} {
		for _, v := range p.list(list) {
			stated = append(stated, v.text("documentEndpoint"))
		}
	}
	hosts(s, stated, ".documents.azure.com")
	s.Hosts = append(s.Hosts, r.cosmosAPIs(p)...)
	slices.Sort(s.Hosts)
	s.Hosts = slices.Compact(s.Hosts)
	r.emit(s)
}

// urls reads an object of URLs, which may hold objects of URLs.
func (r *resource) urls(v *value) (out []string) {
	if v == nil {
		return nil
	}
	var visit func(n *node)
	visit = func(n *node) {
		for _, m := range n.items {
			switch m.kind {
			case nullValue:
			case textValue:
				out = append(out, m.text)
			case objectValue:
				visit(m)
			default:
				r.errorAt(m, "", m.shown(), "a URL")
			}
		}
	}
	visit(v.raw)
	return out
}

// cosmosAPIs names the doors of the APIs that an account speaks beside SQL.
func (r *resource) cosmosAPIs(p *value) (out []string) {
	api := func(name string) { out = append(out, strings.ToLower(r.id.Name())+"."+name+".cosmos.azure.com") }
	if strings.EqualFold(r.node.str("kind"), "MongoDB") {
		api("mongo")
	}
	for _, c := range p.list("capabilities") {
		switch strings.ToLower(c.text("name")) {
		case "enablecassandra":
			api("cassandra")
		case "enablegremlin":
			api("gremlin")
		case "enabletable":
			api("table")
		}
	}
	return out
}

func readPostgreSQL(r *resource) { readFlexible(r, model.PostgreSQL, ".postgres.database.azure.com") }

func readMySQL(r *resource) { readFlexible(r, model.MySQL, ".mysql.database.azure.com") }

// readFlexible reads a flexible server: injected into a subnet, or public with firewall rules (AZ-PG-01 to AZ-PG-03).
func readFlexible(r *resource, kind model.ServiceKind, suffix string) {
	is, at := decode[service[flexibleProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(kind, at, "")
	props := is.Properties
	if props == nil {
		props = &flexibleProperties{}
	}
	for _, at := range []*value{p, p.get("network")} {
		if v := at.get("publicNetworkAccess"); v != nil {
			s.Public, s.PublicSource = r.publicAccess(at, "publicNetworkAccess"), r.source(v.raw)
		}
	}
	if s.Injected = r.idText(p, "network", "delegatedSubnetResourceId"); s.Injected == "" {
		s.Injected = r.idText(p, "delegatedSubnetArguments", "subnetArmResourceId")
	}
	s.AtRest = p.text("dataEncryption", "type")
	s.IPRules = ranges(r, props.Rules, p.list("firewallRules"), "firewallrules", "startIpAddress", "endIpAddress")
	hosts(s, []string{p.text("fullyQualifiedDomainName")}, suffix)
	switch {
	case s.Injected != "" && len(s.IPRules) > 0:
		// AZ-PG-03: such rules cannot be in force.
		for _, rule := range s.IPRules {
			r.ledger = append(r.ledger, model.LedgerEntry{
				Resource: s.ID, Type: r.kind.name, Field: "firewallRules." + rule.Name, Disposition: model.Irrelevant, Source: rule.Source,
				Effect: "a firewall rule on a server that is injected into a subnet has no effect (AZ-PG-03)",
			})
		}
		s.IPRules = nil
	case s.Injected == "" && !strings.EqualFold(s.Public, "Disabled"):
		r.unlisted(s, p, "firewallRules", "the firewall rules of the server are not in the input, and without one it is closed (AZ-PG-01): export them, or write `\"firewallRules\": []` into its properties")
	}
	r.emit(s)
}

func readRedis(r *resource) {
	is, at := decode[service[redisProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(model.Redis, at, "publicNetworkAccess")
	props := is.Properties
	if props == nil {
		props = &redisProperties{}
	}
	if t := p.text("sku", "name"); t != "" {
		s.Tier = t
	}
	s.Injected, s.MinTLS = r.idText(p, "subnetId"), p.text("minimumTlsVersion")
	if props.PlainPort != nil {
		s.HTTPSOnly = model.SettingOf(!*props.PlainPort)
	}
	s.IPRules = ranges(r, props.Rules, p.list("firewallRules"), "firewallrules", "startIP", "endIP")
	hosts(s, []string{p.text("hostName")}, ".redis.cache.windows.net")
	if s.Injected == "" && !strings.EqualFold(s.Public, "Disabled") {
		r.unlisted(s, p, "firewallRules", "the firewall rules of the cache are not in the input: export them, or write `\"firewallRules\": []` into its properties")
	}
	r.emit(s)
}

func readServiceBus(r *resource) { readNamespace(r, model.ServiceBus) }

func readEventHub(r *resource) { readNamespace(r, model.EventHub) }

// readNamespace reads a Service Bus or Event Hubs namespace; its network rules are a resource of their own that always exists.
func readNamespace(r *resource, kind model.ServiceKind) {
	is, at := decode[service[namespaceProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(kind, at, "publicNetworkAccess")
	s.MinTLS, s.AtRest = p.text("minimumTlsVersion"), p.text("encryption", "keySource")
	hosts(s, []string{p.text("serviceBusEndpoint")}, ".servicebus.windows.net")
	for i, child := range r.children["networkrulesets"] {
		set, v := decode[networkRuleSet](child, child.node)
		if set == nil || i > 0 && !strings.EqualFold(child.id.Name(), "default") {
			continue
		}
		c := v.get("properties")
		s.IPRules, s.VNetRules = nil, nil
		child.acls(s, c)
		if boolean(c, "trustedServiceAccessEnabled") == model.On {
			s.Bypass = "AzureServices"
		}
		if text := child.publicAccess(c, "publicNetworkAccess"); text != "" && s.Public == "" {
			s.Public, s.PublicSource = text, child.source(c.get("publicNetworkAccess").raw)
		}
	}
	if !strings.EqualFold(s.Public, "Disabled") {
		r.unlisted(s, p, "networkRuleSets", "the network rules of the namespace (networkRuleSets/default) are not in the input")
	}
	r.emit(s)
}

func readWorkspace(r *resource) {
	is, at := decode[service[workspaceProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(model.LogAnalytics, at, "")
	if t := p.text("sku", "name"); t != "" {
		s.Tier = t
	}
	if d := p.get("retentionInDays"); d != nil {
		s.Retention = number(d.raw)
	}
	s.Tables = r.logTables()
	// AZ-AMPLS-03: two switches for one name space; the door is open when one of them is.
	for _, name := range []string{"publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"} {
		text := r.publicAccess(p, name)
		if text == "" {
			continue
		}
		if s.Public == "" || text == "Enabled" {
			s.Public, s.PublicSource = text, r.source(p.get(name).raw)
		}
	}
	if s.Public == "Disabled" && (p.text("publicNetworkAccessForIngestion") == "" || p.text("publicNetworkAccessForQuery") == "") {
		s.Public = "" // the other one is absent, which is Enabled (AZ-PAAS-01)
	}
	if id := strings.ToLower(p.text("customerId")); id != "" {
		for _, suffix := range []string{".ods.opinsights.azure.com", ".oms.opinsights.azure.com", ".agentsvc.azure-automation.net"} {
			s.Hosts = append(s.Hosts, id+suffix)
		}
		slices.Sort(s.Hosts)
	}
	r.emit(s)
}

func readMonitorScope(r *resource) {
	is, at := decode[service[scopeProperties]](r, r.node)
	if is == nil {
		return
	}
	s, p := r.door(model.MonitorScope, at, "")
	mode := func(name string) string {
		text, ok := enum(p.text("accessModeSettings", name), []string{"Open", "PrivateOnly"})
		if !ok && text != "" {
			r.unsupported(p.get("accessModeSettings", name).raw, "an access mode that is not known to ringfence")
		}
		return text
	}
	s.IngestionMode, s.QueryMode = mode("ingestionAccessMode"), mode("queryAccessMode")
	for _, child := range r.children["scopedresources"] {
		if e, v := decode[scopedResource](child, child.node); e != nil {
			if id := child.idText(v, "properties", "linkedResourceId"); id != "" {
				s.Scoped = append(s.Scoped, id)
			}
		}
	}
	s.Scoped = distinct(s.Scoped)
	r.emit(s)
}
