package azure

import (
	"slices"
	"strings"
)

// fieldUse says what the importer makes of the members of one type. Of a type of the SDK every member is listed (TestEveryFieldIsListed);
// of an own type everything that the struct has is read, and the row lists what else is known.
type fieldUse struct {
	read     string            // becomes part of the model
	refs     string            // references, of which the ID is read
	harmless string            // cannot change a verdict
	matters  map[string]string // could change one: reported with this effect unless it is off or empty
	alias    map[string]string // other names of a member
}

func (f fieldUse) is(list *string, name string) bool {
	return slices.Contains(strings.Fields(*list), name)
}

// fieldUses is the one table of fields, by the name of the Go type.
func fieldUses() map[string]fieldUse {
	const (
		top  = "etag extendedLocation id location name tags type zones identity" // of a whole resource; name, location and tags are read apart
		part = "etag type zones"                                                 // of a part of a resource, whose id and name are read
		none = "provisioningState resourceGuid"
		// Members that the service prints and no published API names.
		hidden        = " allowBackendPortConflict enableDestinationServiceEndpoint"
		hiddenGateway = " packetCaptureDiagnosticState isMigrateToCSES isMigratedLegacySKU blockUpgradeOfMigratedLegacyGateways vpnStack remoteVirtualNetworkPeerings"
	)
	// What parts of an Application Gateway say about who refers to them; REST prints it, the SDK does not know it.
	reverse := func(besides ...string) string {
		var out []string
		for _, name := range []string{
			"httpListeners", "listeners", "requestRoutingRules", "routingRules", "urlPathMaps", "pathRules", "backendHttpSettings",
			"backendSettings", "frontendIPConfigurations", "loadDistributionPolicies", "redirectConfigurations",
		} {
			if !slices.Contains(besides, name) {
				out = append(out, name)
			}
		}
		return " " + strings.Join(out, " ")
	}
	hops := map[string]string{"gatewayLoadBalancer": "a gateway load balancer inserts hops that are not modelled (AZ-LB-12)"}
	spread := func(name string) map[string]string {
		return map[string]string{name: "requests are spread over pools by a load distribution policy, which is not modelled"}
	}
	whole := fieldUse{read: "properties", harmless: top}
	piece := fieldUse{read: "id name properties", harmless: part}
	return map[string]fieldUse{
		// virtual networks
		"VirtualNetwork": whole,
		"VirtualNetworkPropertiesFormat": {
			read: "addressSpace dhcpOptions encryption subnets virtualNetworkPeerings",
			harmless: none + ` bgpCommunities ddosProtectionPlan enableDdosProtection enableVmProtection flowLogs flowTimeoutInMinutes
				ipAllocations privateEndpointVNetPolicies`,
			matters: map[string]string{"defaultPublicNatGateway": "gives the whole VNet an outbound address; not modelled"},
		},
		"AddressSpace":             {read: "addressPrefixes", harmless: "ipamPoolPrefixAllocations"},
		"DhcpOptions":              {read: "dnsServers"},
		"VirtualNetworkEncryption": {read: "enabled enforcement"},
		"Subnet":                   piece,
		"SubnetPropertiesFormat": {
			read: "addressPrefix addressPrefixes defaultOutboundAccess delegations privateEndpointNetworkPolicies serviceEndpoints",
			refs: "natGateway networkSecurityGroup routeTable serviceEndpointPolicies",
			harmless: none + ` applicationGatewayIPConfigurations ipAllocations ipConfigurationProfiles ipConfigurations
				ipamPoolPrefixAllocations privateEndpoints privateLinkServiceNetworkPolicies purpose resourceNavigationLinks
				serviceAssociationLinks sharingScope interfaceEndpoints`,
			matters: map[string]string{"serviceGateway": "sends outbound traffic through a service gateway; not modelled"},
		},
		"ServiceEndpointPropertiesFormat":   {read: "locations provisioningState service", harmless: "networkIdentifier"},
		"Delegation":                        piece,
		"ServiceDelegationPropertiesFormat": {read: "serviceName", harmless: none + " actions"},
		"VirtualNetworkPeering":             piece,
		"VirtualNetworkPeeringPropertiesFormat": {
			read: `allowForwardedTraffic allowGatewayTransit allowVirtualNetworkAccess enableOnlyIPv6Peering localSubnetNames peerCompleteVnets
				peeringState remoteAddressSpace remoteSubnetNames remoteVirtualNetworkAddressSpace useRemoteGateways`,
			refs: "remoteVirtualNetwork",
			harmless: none + ` doNotVerifyRemoteGateways localAddressSpace localVirtualNetworkAddressSpace peeringSyncLevel remoteBgpCommunities
				remoteVirtualNetworkEncryption syncRemoteAddressSpace remoteGateways routeServiceVips`,
		},

		// service endpoint policies
		"ServiceEndpointPolicy": {read: "properties", harmless: top + " kind"},
		"ServiceEndpointPolicyPropertiesFormat": {
			read: "contextualServiceEndpointPolicies serviceAlias serviceEndpointPolicyDefinitions", refs: "subnets", harmless: none,
		},
		"ServiceEndpointPolicyDefinition":                 piece,
		"ServiceEndpointPolicyDefinitionPropertiesFormat": {read: "service serviceResources", harmless: none + " description"},

		// network security perimeters
		"NspProfile":     {harmless: top + " systemData properties"},
		"NspAccessRule":  {read: "properties", harmless: top + " systemData"},
		"NspAssociation": {read: "properties", harmless: top + " systemData"},
		"NspAccessRuleProperties": {
			read: "addressPrefixes direction", refs: "subscriptions", harmless: none + " fullyQualifiedDomainNames emailAddresses phoneNumbers networkSecurityPerimeters",
			matters: map[string]string{"serviceTags": "admits a service tag through a perimeter; not modelled"},
		},
		"NspAssociationProperties": {read: "accessMode", refs: "privateLinkResource profile", harmless: none + " hasProvisioningIssues"},

		// network security groups
		"SecurityGroup": whole,
		"SecurityGroupPropertiesFormat": {
			read: "defaultSecurityRules flushConnection securityRules", refs: "networkInterfaces subnets", harmless: none + " flowLogs",
		},
		"SecurityRule": piece,
		"SecurityRulePropertiesFormat": {
			read: `access description destinationAddressPrefix destinationAddressPrefixes destinationPortRange destinationPortRanges direction
				priority protocol provisioningState sourceAddressPrefix sourceAddressPrefixes sourcePortRange sourcePortRanges`,
			refs: "destinationApplicationSecurityGroups sourceApplicationSecurityGroups",
		},

		// routes
		"RouteTable":                 whole,
		"RouteTablePropertiesFormat": {read: "disableBgpRoutePropagation routes", refs: "subnets", harmless: none},
		"Route":                      piece,
		"RoutePropertiesFormat":      {read: "addressPrefix nextHopIpAddress nextHopType", harmless: none + " hasBgpOverride"},

		// network interfaces and public addresses
		"Interface": whole,
		"InterfacePropertiesFormat": {
			read: "defaultOutboundConnectivityEnabled dnsSettings enableIPForwarding ipConfigurations",
			refs: "networkSecurityGroup privateEndpoint virtualMachine",
			harmless: none + ` auxiliaryMode auxiliarySku dscpConfiguration enableAcceleratedNetworking hostedWorkloads macAddress migrationPhase
				nicType primary privateLinkService vnetEncryptionSupported workloadType interfaceEndpoint allowPort25Out`,
			matters: map[string]string{
				"disableTcpStateTracking": "connections of this NIC are not tracked, so that replies need rules of their own (AZ-NSG-14); not modelled",
				"tapConfigurations":       "a tap copies traffic to a collector; not modelled",
			},
		},
		"InterfaceDNSSettings": {
			harmless: "appliedDnsServers internalDnsNameLabel internalDomainNameSuffix internalFqdn",
			matters:  map[string]string{"dnsServers": "this NIC asks DNS servers of its own in place of those of its VNet (AZ-DNS-01); not modelled"},
		},
		"InterfaceIPConfiguration": piece,
		"InterfaceIPConfigurationPropertiesFormat": {
			read: "primary privateIPAddress privateIPAddressPrefixLength",
			refs: `applicationGatewayBackendAddressPools applicationSecurityGroups loadBalancerBackendAddressPools loadBalancerInboundNatRules
				publicIPAddress subnet`,
			harmless: none + " privateIPAddressVersion privateIPAllocationMethod privateLinkConnectionProperties",
			matters: map[string]string{
				"gatewayLoadBalancer": hops["gatewayLoadBalancer"],
				"virtualNetworkTaps":  "a tap copies traffic to a collector; not modelled",
			},
		},
		"PublicIPAddress":    {read: "properties sku", harmless: top},
		"PublicIPAddressSKU": {read: "name", harmless: "tier"},
		"PublicIPAddressPropertiesFormat": {
			read: "dnsSettings ipAddress", refs: "ipConfiguration natGateway publicIPPrefix",
			harmless: none + ` ddosSettings deleteOption idleTimeoutInMinutes ipTags migrationPhase publicIPAddressVersion
				publicIPAllocationMethod`,
			matters: map[string]string{
				"linkedPublicIPAddress":  "the address is linked to another one; not modelled",
				"servicePublicIPAddress": "the address stands for another one; not modelled",
			},
		},
		"PublicIPAddressDNSSettings": {read: "fqdn", harmless: "domainNameLabel domainNameLabelScope reverseFqdn"},
		"PublicIPPrefix":             {read: "properties", harmless: top + " sku"},
		"PublicIPPrefixPropertiesFormat": {
			read: "ipPrefix",
			harmless: none + ` customIPPrefix ipTags loadBalancerFrontendIpConfiguration natGateway prefixLength publicIPAddressVersion
				publicIPAddresses`,
		},
		"NatGateway":    {read: "properties sku", harmless: top},
		"NatGatewaySKU": {read: "name"},
		"NatGatewayPropertiesFormat": {
			refs: "publicIpAddresses publicIpAddressesV6 publicIpPrefixes publicIpPrefixesV6 subnets", harmless: none + " idleTimeoutInMinutes",
			matters: map[string]string{
				"serviceGateway":       "belongs to a service gateway, which is not modelled",
				"sourceVirtualNetwork": "serves a whole VNet, which is not modelled; subnets that name the gateway are",
			},
		},

		// load balancers
		"LoadBalancer":    {read: "properties sku", harmless: top},
		"LoadBalancerSKU": {read: "name tier"},
		"LoadBalancerPropertiesFormat": {
			read:     "backendAddressPools frontendIPConfigurations inboundNatPools inboundNatRules loadBalancingRules outboundRules probes",
			harmless: none + " scope",
			matters:  map[string]string{"outboundNatRules": "outbound NAT rules of the first API are not modelled"},
		},
		"FrontendIPConfiguration": piece,
		"FrontendIPConfigurationPropertiesFormat": {
			read: "privateIPAddress", refs: "publicIPAddress publicIPPrefix subnet",
			harmless: none + " inboundNatPools inboundNatRules loadBalancingRules outboundRules privateIPAddressVersion privateIPAllocationMethod",
			matters:  hops,
		},
		"BackendAddressPool": piece,
		"BackendAddressPoolPropertiesFormat": {
			read: "loadBalancerBackendAddresses", refs: "backendIPConfigurations virtualNetwork",
			harmless: none + " drainPeriodInSeconds inboundNatRules loadBalancingRules location outboundRule outboundRules syncMode",
			matters:  map[string]string{"tunnelInterfaces": "the pool belongs to a gateway load balancer, whose hops are not modelled (AZ-LB-12)"},
		},
		"LoadBalancerBackendAddress": {read: "properties", harmless: "name"},
		"LoadBalancerBackendAddressPropertiesFormat": {
			read: "ipAddress", refs: "networkInterfaceIPConfiguration subnet virtualNetwork", harmless: "adminState inboundNatRulesPortMapping",
			matters: map[string]string{"loadBalancerFrontendIPConfiguration": "the member is another load balancer of a cross-region one, whose hops are not modelled (AZ-LB-12)"},
		},
		"LoadBalancingRule": piece,
		"LoadBalancingRulePropertiesFormat": {
			read:     "backendPort disableOutboundSnat enableFloatingIP frontendPort protocol",
			refs:     "backendAddressPool backendAddressPools frontendIPConfiguration probe",
			harmless: none + " enableConnectionTracking enableTcpReset idleTimeoutInMinutes loadDistribution" + hidden,
		},
		"InboundNatRule": piece,
		"InboundNatRulePropertiesFormat": {
			read:     "backendPort enableFloatingIP frontendPort frontendPortRangeEnd frontendPortRangeStart protocol",
			refs:     "backendAddressPool backendIPConfiguration frontendIPConfiguration",
			harmless: none + " enableTcpReset idleTimeoutInMinutes" + hidden,
		},
		"InboundNatPool": piece,
		"InboundNatPoolPropertiesFormat": {
			read: "backendPort enableFloatingIP frontendPortRangeEnd frontendPortRangeStart protocol", refs: "frontendIPConfiguration",
			harmless: none + " enableTcpReset idleTimeoutInMinutes" + hidden,
		},
		"OutboundRule": piece,
		"OutboundRulePropertiesFormat": {
			refs: "backendAddressPool frontendIPConfigurations", harmless: none + " allocatedOutboundPorts enableTcpReset idleTimeoutInMinutes protocol",
		},
		"Probe": piece,
		"ProbePropertiesFormat": {
			read:     "port protocol",
			harmless: none + " intervalInSeconds loadBalancingRules noHealthyBackendsBehavior numberOfProbes probeThreshold requestPath",
		},

		// Azure Firewall
		"AzureFirewall": whole,
		"AzureFirewallPropertiesFormat": {
			read: `additionalProperties applicationRuleCollections hubIPAddresses ipConfigurations managementIpConfiguration
				natRuleCollections networkRuleCollections provisioningState sku threatIntelMode`,
			refs: "firewallPolicy virtualHub", harmless: "autoscaleConfiguration ipGroups",
		},
		"AzureFirewallSKU":                                       {read: "name tier"},
		"AzureFirewallIPConfiguration":                           piece,
		"AzureFirewallIPConfigurationPropertiesFormat":           {read: "privateIPAddress", refs: "publicIPAddress subnet", harmless: none + " privateIPAllocationMethod"},
		"HubIPAddresses":                                         {read: "privateIPAddress publicIPs"},
		"HubPublicIPAddresses":                                   {read: "addresses", harmless: "count"},
		"AzureFirewallPublicIPAddress":                           {read: "address"},
		"AzureFirewallNatRuleCollection":                         piece,
		"AzureFirewallNatRuleCollectionProperties":               {read: "action priority rules", harmless: none},
		"AzureFirewallNatRCAction":                               {read: "type"},
		"AzureFirewallNetworkRuleCollection":                     piece,
		"AzureFirewallNetworkRuleCollectionPropertiesFormat":     {read: "action priority rules", harmless: none},
		"AzureFirewallApplicationRuleCollection":                 piece,
		"AzureFirewallApplicationRuleCollectionPropertiesFormat": {read: "action priority rules", harmless: none},
		"AzureFirewallRCAction":                                  {read: "type"},
		"AzureFirewallNatRule": {
			read: `description destinationAddresses destinationPorts name protocols sourceAddresses sourceIpGroups translatedAddress translatedFqdn
				translatedPort`,
		},
		"AzureFirewallNetworkRule": {
			read: `description destinationAddresses destinationFqdns destinationIpGroups destinationPorts name protocols sourceAddresses
				sourceIpGroups`,
		},
		"AzureFirewallApplicationRule":         {read: "description fqdnTags name protocols sourceAddresses sourceIpGroups targetFqdns"},
		"AzureFirewallApplicationRuleProtocol": {read: "port protocolType"},
		"FirewallPolicy":                       whole,
		"FirewallPolicyPropertiesFormat": {
			read: "dnsSettings explicitProxySettings intrusionDetection sku snat sql threatIntelMode", refs: "basePolicy ruleCollectionGroups",
			harmless: none + " childPolicies firewalls insights size threatIntelWhitelist transportSecurity priority intrusionSystemMode",
			matters: map[string]string{
				"ruleGroups":      "rule groups of the first API are not modelled; export ruleCollectionGroups",
				"ruleCollections": "rule collections of the first API are not modelled; export ruleCollectionGroups",
			},
			alias: map[string]string{"explicitProxy": "explicitProxySettings"}, // both spellings are served
		},
		"DNSSettings":                                 {read: "enableProxy servers", harmless: "requireProxyForNetworkRules"},
		"ExplicitProxySettings":                       {read: "enableExplicitProxy httpPort httpsPort", harmless: "enablePacFile pacFile pacFilePort"},
		"FirewallPolicyIntrusionDetection":            {read: "mode", harmless: "configuration profile"},
		"FirewallPolicySKU":                           {read: "tier"},
		"FirewallPolicySNAT":                          {read: "autoLearnPrivateRanges privateRanges"},
		"FirewallPolicySQL":                           {read: "allowSqlRedirect"},
		"FirewallPolicyRuleCollectionGroup":           whole,
		"FirewallPolicyRuleCollectionGroupProperties": {read: "priority ruleCollections", harmless: none + " size"},
		"FirewallPolicyRuleCollection":                {read: "name priority ruleCollectionType"},
		"FirewallPolicyFilterRuleCollection":          {read: "action name priority ruleCollectionType rules"},
		"FirewallPolicyFilterRuleCollectionAction":    {read: "type"},
		"FirewallPolicyNatRuleCollection":             {read: "action name priority ruleCollectionType rules"},
		"FirewallPolicyNatRuleCollectionAction":       {read: "type"},
		"FirewallPolicyRule":                          {read: "description name ruleType"},
		"ApplicationRule": {
			read: `description fqdnTags name protocols ruleType sourceAddresses sourceIpGroups targetFqdns targetUrls terminateTLS
				webCategories`,
			harmless: "httpHeadersToInsert",
			matters:  map[string]string{"destinationAddresses": "destination addresses of an application rule are not modelled"},
		},
		"FirewallPolicyRuleApplicationProtocol": {read: "port protocolType"},
		"NatRule": {
			read: `description destinationAddresses destinationPorts ipProtocols name ruleType sourceAddresses sourceIpGroups translatedAddress
				translatedFqdn translatedPort`,
		},
		"Rule": {
			read: `description destinationAddresses destinationFqdns destinationIpGroups destinationPorts ipProtocols name ruleType
				sourceAddresses sourceIpGroups`,
		},
		"IPGroup":                 whole,
		"IPGroupPropertiesFormat": {read: "ipAddresses", harmless: none + " firewallPolicies firewalls"},

		// Application Gateway and WAF
		"ApplicationGateway": whole,
		"ApplicationGatewayPropertiesFormat": {
			read: `backendAddressPools backendHttpSettingsCollection backendSettingsCollection defaultPredefinedSslPolicy
				frontendIPConfigurations frontendPorts gatewayIPConfigurations httpListeners listeners operationalState
				privateLinkConfigurations probes redirectConfigurations requestRoutingRules rewriteRuleSets routingRules sku sslPolicy
				sslProfiles urlPathMaps webApplicationFirewallConfiguration`,
			refs: "firewallPolicy",
			harmless: none + ` authenticationCertificates autoscaleConfiguration customErrorConfigurations enableFips enableHttp2
				entraJWTValidationConfigs forceFirewallPolicyAssociation globalConfiguration privateEndpointConnections sslCertificates
				trustedClientCertificates trustedRootCertificates`,
			matters: spread("loadDistributionPolicies"),
		},
		"ApplicationGatewaySKU":                             {read: "name tier", harmless: "capacity family"},
		"ApplicationGatewayIPConfiguration":                 piece,
		"ApplicationGatewayIPConfigurationPropertiesFormat": {refs: "subnet", harmless: none},
		"ApplicationGatewayFrontendIPConfiguration":         piece,
		"ApplicationGatewayFrontendIPConfigurationPropertiesFormat": {
			read: "privateIPAddress", refs: "publicIPAddress subnet", harmless: none + " privateIPAllocationMethod privateLinkConfiguration" + reverse(),
		},
		"ApplicationGatewayFrontendPort":                 piece,
		"ApplicationGatewayFrontendPortPropertiesFormat": {read: "port", harmless: none + reverse()},
		"ApplicationGatewayHTTPListener":                 piece,
		"ApplicationGatewayHTTPListenerPropertiesFormat": {
			read: "hostName hostNames protocol", refs: "firewallPolicy frontendIPConfiguration frontendPort sslCertificate sslProfile",
			harmless: none + " customErrorConfigurations requireServerNameIndication" + reverse(),
		},
		"ApplicationGatewayListener": piece,
		"ApplicationGatewayListenerPropertiesFormat": {
			read: "hostNames protocol", refs: "frontendIPConfiguration frontendPort sslCertificate sslProfile", harmless: none + reverse(),
		},
		"ApplicationGatewayBackendAddressPool": piece,
		"ApplicationGatewayBackendAddressPoolPropertiesFormat": {
			read: "backendAddresses", refs: "backendIPConfigurations", harmless: none + reverse(),
		},
		"ApplicationGatewayBackendAddress":      {read: "fqdn ipAddress"},
		"ApplicationGatewayBackendHTTPSettings": piece,
		"ApplicationGatewayBackendHTTPSettingsPropertiesFormat": {
			read: "hostName port protocol", refs: "probe",
			harmless: none + ` affinityCookieName authenticationCertificates connectionDraining cookieBasedAffinity dedicatedBackendConnection path
				pickHostNameFromBackendAddress probeEnabled requestTimeout sniName trustedRootCertificates validateCertChainAndExpiry
				validateSNI` + reverse(),
		},
		"ApplicationGatewayBackendSettings": piece,
		"ApplicationGatewayBackendSettingsPropertiesFormat": {
			read: "hostName port protocol", refs: "probe", harmless: none + " pickHostNameFromBackendAddress timeout trustedRootCertificates" + reverse(),
			matters: map[string]string{"enableL4ClientIpPreservation": "back ends see the client's address in place of the gateway's (AZ-AGW-07); not modelled"},
		},
		"ApplicationGatewayRequestRoutingRule": piece,
		"ApplicationGatewayRequestRoutingRulePropertiesFormat": {
			read: "priority", refs: "backendAddressPool backendHttpSettings httpListener redirectConfiguration urlPathMap",
			harmless: none + " entraJWTValidationConfig rewriteRuleSet ruleType", matters: spread("loadDistributionPolicy"),
		},
		"ApplicationGatewayRoutingRule": piece,
		"ApplicationGatewayRoutingRulePropertiesFormat": {
			read: "priority", refs: "backendAddressPool backendSettings listener", harmless: none + " ruleType",
		},
		"ApplicationGatewayURLPathMap": piece,
		"ApplicationGatewayURLPathMapPropertiesFormat": {
			read: "pathRules", refs: "defaultBackendAddressPool defaultBackendHttpSettings defaultRedirectConfiguration",
			harmless: none + " defaultRewriteRuleSet" + reverse("pathRules"), matters: spread("defaultLoadDistributionPolicy"),
		},
		"ApplicationGatewayPathRule": piece,
		"ApplicationGatewayPathRulePropertiesFormat": {
			read: "paths", refs: "backendAddressPool backendHttpSettings firewallPolicy redirectConfiguration", harmless: none + " rewriteRuleSet",
			matters: spread("loadDistributionPolicy"),
		},
		"ApplicationGatewayProbe": piece,
		"ApplicationGatewayProbePropertiesFormat": {
			read: "port protocol",
			harmless: none + ` enableProbeProxyProtocolHeader host interval match minServers path pickHostNameFromBackendHttpSettings
				pickHostNameFromBackendSettings timeout unhealthyThreshold` + reverse(),
		},
		"ApplicationGatewayRedirectConfiguration": piece,
		"ApplicationGatewayRedirectConfigurationPropertiesFormat": {
			read: "redirectType targetUrl", refs: "targetListener",
			harmless: none + " includePath includeQueryString" + reverse(),
		},
		"ApplicationGatewayRewriteRuleSet":           {read: "id name", harmless: part + " properties"},
		"ApplicationGatewayPrivateLinkConfiguration": {read: "id name", harmless: part + " properties"},
		"ApplicationGatewaySSLPolicy":                {read: "disabledSslProtocols minProtocolVersion policyName policyType", harmless: "cipherSuites"},
		"ApplicationGatewaySSLProfile":               piece,
		"ApplicationGatewaySSLProfilePropertiesFormat": {
			read: "clientAuthConfiguration sslPolicy", refs: "trustedClientCertificates", harmless: none + reverse(),
		},
		"ApplicationGatewayClientAuthConfiguration": {
			read: "verifyClientAuthMode", harmless: "verifyClientCertIssuerDN verifyClientRevocation",
		},
		"ApplicationGatewayWebApplicationFirewallConfiguration": {
			read:     "enabled firewallMode requestBodyCheck ruleSetType ruleSetVersion",
			harmless: "disabledRuleGroups exclusions fileUploadLimitInMb maxRequestBodySize maxRequestBodySizeInKb",
		},
		"WebApplicationFirewallPolicy": whole,
		"WebApplicationFirewallPolicyPropertiesFormat": {
			read:     "customRules managedRules policySettings",
			harmless: none + " applicationGatewayForContainers applicationGateways httpListeners pathBasedRules resourceState",
		},
		"WebApplicationFirewallCustomRule": {
			read:     "action matchConditions name priority ruleType state",
			harmless: "etag groupByUserSession rateLimitDuration rateLimitThreshold",
		},
		"MatchCondition": {
			read: "matchValues matchVariables negationConditon operator", harmless: "transforms",
			alias: map[string]string{"negationCondition": "negationConditon"},
		},
		"MatchVariable":            {read: "selector variableName"},
		"ManagedRulesDefinition":   {read: "exceptions exclusions managedRuleSets"},
		"ManagedRuleSet":           {read: "ruleGroupOverrides ruleSetType ruleSetVersion", harmless: "computedDisabledRules"},
		"ManagedRuleGroupOverride": {read: "ruleGroupName rules"},
		"ManagedRuleOverride":      {read: "ruleId state", harmless: "action sensitivity"},
		"OwaspCrsExclusionEntry":   {harmless: "exclusionManagedRuleSets matchVariable selector selectorMatchOperator"},
		"ExceptionEntry": {
			harmless: "exceptionManagedRuleSets matchVariable selector selectorMatchOperator valueMatchOperator values",
		},
		"PolicySettings": {
			read: "mode requestBodyCheck state",
			harmless: `captchaCookieExpirationInMins customBlockResponseBody customBlockResponseStatusCode fileUploadEnforcement
				fileUploadLimitInMb jsChallengeCookieExpirationInMins logScrubbing maxRequestBodySizeInKb requestBodyEnforcement
				requestBodyInspectLimitInKB`,
		},

		// Bastion and gateways
		"BastionHost": {read: "properties sku", harmless: top},
		"SKU":         {read: "name"},
		"BastionHostPropertiesFormat": {
			read: "enableIpConnect enableShareableLink enableTunneling ipConfigurations", refs: "virtualNetwork",
			harmless: none + " disableCopyPaste dnsName enableFileCopy enableKerberos enableSessionRecording scaleUnits",
			matters: map[string]string{
				"enablePrivateOnlyBastion": "clients reach this Bastion by a private address only; not modelled",
				"networkAcls":              "the clients of this Bastion are limited by address rules; not modelled",
			},
		},
		"BastionHostIPConfiguration": piece,
		"BastionHostIPConfigurationPropertiesFormat": {
			refs: "publicIPAddress subnet", harmless: none + " privateIPAllocationMethod",
		},
		"VirtualNetworkGateway": whole,
		"VirtualNetworkGatewayPropertiesFormat": {
			read: "allowRemoteVnetTraffic allowVirtualWanTraffic customRoutes enableBgp gatewayType ipConfigurations natRules vpnClientConfiguration",
			refs: "gatewayDefaultSite",
			harmless: none + ` activeActive adminState autoScaleConfiguration bgpSettings disableIPSecReplayProtection
				enableBgpRouteTranslationForNat enableDnsForwarding enableHighBandwidthVpnGateway enablePrivateIpAddress
				inboundDnsForwardingEndpoint resiliencyModel sku virtualNetworkGatewayMigrationStatus virtualNetworkGatewayPolicyGroups
				vpnGatewayGeneration vpnType` + hiddenGateway,
			matters: map[string]string{"vNetExtendedLocationResourceId": "the gateway serves a VNet of an edge zone; not modelled"},
		},
		"VirtualNetworkGatewayIPConfiguration": piece,
		"VirtualNetworkGatewayIPConfigurationPropertiesFormat": {
			refs: "publicIPAddress subnet", harmless: none + " privateIPAddress privateIPAllocationMethod",
		},
		"VPNClientConfiguration": {
			read: "vngClientConnectionConfigurations vpnAuthenticationTypes vpnClientAddressPool vpnClientProtocols",
			harmless: `aadAudience aadIssuer aadTenant radiusServerAddress radiusServerSecret radiusServers vpnClientIpsecPolicies
				vpnClientRevokedCertificates vpnClientRootCertificates vpnClientConnectionHealth`,
		},
		"VngClientConnectionConfiguration": {read: "properties", harmless: part + " id name"},
		"VngClientConnectionConfigurationProperties": {
			read: "vpnClientAddressPool", harmless: none + " virtualNetworkGatewayPolicyGroups",
		},
		"VirtualNetworkGatewayNatRule": piece,
		"VirtualNetworkGatewayNatRuleProperties": {
			read: "externalMappings internalMappings mode type", harmless: none + " ipConfigurationId",
		},
		"VPNNatRuleMapping": {
			read:    "addressSpace",
			matters: map[string]string{"portRange": "the mapping covers some ports only; not modelled"},
		},
		"LocalNetworkGateway": whole,
		"LocalNetworkGatewayPropertiesFormat": {
			read: "bgpSettings localNetworkAddressSpace", harmless: none + " fqdn gatewayIpAddress",
		},
		"BgpSettings":                     {harmless: "asn bgpPeeringAddress bgpPeeringAddresses peerWeight"},
		"VirtualNetworkGatewayConnection": whole,
		"VirtualNetworkGatewayConnectionPropertiesFormat": {
			read: "connectionStatus connectionType enableBgp expressRouteGatewayBypass",
			refs: "egressNatRules ingressNatRules localNetworkGateway2 peer virtualNetworkGateway1 virtualNetworkGateway2",
			harmless: none + ` authenticationType authorizationKey certificateAuthentication connectionMode connectionProtocol dpdTimeoutSeconds
				egressBytesTransferred enablePrivateLinkFastPath gatewayCustomBgpIpAddresses ingressBytesTransferred ipsecPolicies
				routingWeight sharedKey tunnelConnectionStatus tunnelProperties useLocalAzureIpAddress usePolicyBasedTrafficSelectors
				packetCaptureDiagnosticState`,
			matters: map[string]string{"trafficSelectorPolicies": "traffic selectors let some prefixes of the connection through only; not modelled"},
		},

		// Virtual WAN and Route Server
		"VirtualWAN": whole,
		"VirtualWanProperties": {
			read:     "allowBranchToBranchTraffic type",
			harmless: none + " allowVnetToVnetTraffic disableVpnEncryption office365LocalBreakoutCategory virtualHubs vpnSites",
		},
		"VirtualHub": {read: "kind properties", harmless: top},
		"VirtualHubProperties": {
			read: "addressPrefix allowBranchToBranchTraffic sku", refs: "azureFirewall expressRouteGateway ipConfigurations p2SVpnGateway virtualWan vpnGateway",
			harmless: none + ` bgpConnections hubRoutingPreference preferredRoutingGateway routeMaps routingState virtualRouterAsn
				virtualRouterAutoScaleConfiguration virtualRouterIps`,
			matters: map[string]string{
				"routeTable":              "routes of the first API steer traffic of the hub (AZ-WAN-01); not modelled",
				"virtualHubRouteTableV2s": "route tables of the second API steer traffic of the hub (AZ-WAN-01); not modelled",
				"securityPartnerProvider": "a security partner takes the internet traffic of the hub and is not modelled",
				"securityProviderName":    "a security partner takes the internet traffic of the hub and is not modelled",
			},
		},
		"HubIPConfiguration":                 whole,
		"HubIPConfigurationPropertiesFormat": {refs: "subnet", harmless: none + " privateIPAddress privateIPAllocationMethod publicIPAddress"},
		"BgpConnection":                      piece,
		"BgpConnectionProperties":            {read: "peerIp", refs: "hubVirtualNetworkConnection", harmless: none + " connectionState peerAsn"},
		"HubVirtualNetworkConnection":        whole,
		"HubVirtualNetworkConnectionProperties": {
			read: "enableInternetSecurity routingConfiguration", refs: "remoteVirtualNetwork",
			harmless: none + " allowHubToRemoteVnetTransit allowRemoteVnetToUseHubVnetGateways connectivityStatus",
		},
		"RoutingConfiguration": {read: "propagatedRouteTables vnetRoutes", refs: "associatedRouteTable inboundRouteMap outboundRouteMap"},
		"PropagatedRouteTable": {read: "labels", refs: "ids"},
		"VnetRoute":            {read: "staticRoutes staticRoutesConfig", harmless: "bgpConnections"},
		"StaticRoute":          {read: "addressPrefixes name nextHopIpAddress"},
		"StaticRoutesConfig":   {read: "propagateStaticRoutes vnetLocalRouteOverrideCriteria"},
		"HubRouteTable":        whole,
		"HubRouteTableProperties": {
			read: "labels routes", harmless: none + " associatedConnections propagatingConnections",
		},
		"HubRoute":                {read: "destinationType destinations name nextHop nextHopType"},
		"RoutingIntent":           whole,
		"RoutingIntentProperties": {read: "routingPolicies", harmless: none},
		"RoutingPolicy":           {read: "destinations name nextHop"},
		"VPNGateway":              whole,
		"VPNGatewayProperties": {
			read: "connections natRules", refs: "virtualHub",
			harmless: none + " bgpSettings enableBgpRouteTranslationForNat ipConfigurations isRoutingPreferenceInternet vpnGatewayScaleUnit",
		},
		"VPNConnection": piece,
		"VPNConnectionProperties": {
			read: "connectionStatus enableBgp enableInternetSecurity routingConfiguration vpnLinkConnections", refs: "remoteVpnSite",
			harmless: none + ` connectionBandwidth dpdTimeoutSeconds egressBytesTransferred enableRateLimiting ingressBytesTransferred ipsecPolicies
				routingWeight sharedKey useLocalAzureIpAddress usePolicyBasedTrafficSelectors vpnConnectionProtocolType`,
			matters: map[string]string{"trafficSelectorPolicies": "traffic selectors let some prefixes of the connection through only; not modelled"},
		},
		"VPNSiteLinkConnection": {read: "properties", harmless: part + " id name"},
		"VPNSiteLinkConnectionProperties": {
			read: "enableBgp", refs: "egressNatRules ingressNatRules",
			harmless: none + ` connectionBandwidth connectionStatus dpdTimeoutSeconds egressBytesTransferred enableRateLimiting ingressBytesTransferred
				ipsecPolicies routingWeight sharedKey useLocalAzureIpAddress usePolicyBasedTrafficSelectors vpnConnectionProtocolType
				vpnGatewayCustomBgpAddresses vpnLinkConnectionMode vpnSiteLink`,
		},
		"VPNGatewayNatRule": piece,
		"VPNGatewayNatRuleProperties": {
			read:     "externalMappings internalMappings mode type",
			harmless: none + " egressVpnSiteLinkConnections ingressVpnSiteLinkConnections ipConfigurationId",
		},
		"VPNSite": whole,
		"VPNSiteProperties": {
			read: "addressSpace bgpProperties vpnSiteLinks", harmless: none + " deviceProperties ipAddress isSecuritySite o365Policy siteKey virtualWan",
		},
		"VPNSiteLink":           {read: "properties", harmless: part + " id name"},
		"VPNSiteLinkProperties": {read: "bgpProperties", harmless: none + " fqdn ipAddress linkProperties"},
		"VPNLinkBgpSettings":    {harmless: "asn bgpPeeringAddress"},
		"P2SVPNGateway":         whole,
		"P2SVPNGatewayProperties": {
			read: "p2SConnectionConfigurations", refs: "virtualHub",
			harmless: none + " customDnsServers isRoutingPreferenceInternet vpnClientConnectionHealth vpnGatewayScaleUnit vpnServerConfiguration",
		},
		"P2SConnectionConfiguration": piece,
		"P2SConnectionConfigurationProperties": {
			read:     "enableInternetSecurity routingConfiguration vpnClientAddressPool",
			harmless: none + " configurationPolicyGroupAssociations previousConfigurationPolicyGroupAssociations",
		},
		"ExpressRouteGateway": whole,
		"ExpressRouteGatewayProperties": {
			read: "expressRouteConnections", refs: "virtualHub", harmless: none + " allowNonVirtualWanTraffic autoScaleConfiguration",
		},
		"ExpressRouteConnection": piece,
		"ExpressRouteConnectionProperties": {
			read: "enableInternetSecurity routingConfiguration", refs: "expressRouteCircuitPeering",
			harmless: none + " authorizationKey enablePrivateLinkFastPath expressRouteGatewayBypass routingWeight",
		},

		// private endpoints
		"PrivateEndpoint": whole,
		"PrivateEndpointProperties": {
			read:     "customDnsConfigs ipConfigurations manualPrivateLinkServiceConnections privateLinkServiceConnections",
			refs:     "applicationSecurityGroups networkInterfaces subnet",
			harmless: none + " customNetworkInterfaceName ipVersionType isIPv6EnabledPrivateEndpoint privateDnsZoneConfigs",
		},
		"PrivateLinkServiceConnection": piece,
		"PrivateLinkServiceConnectionProperties": {
			read: "groupIds privateLinkServiceConnectionState privateLinkServiceId", harmless: none + " requestMessage",
		},
		"PrivateLinkServiceConnectionState": {read: "status", harmless: "actionsRequired description"},
		"CustomDNSConfigPropertiesFormat":   {read: "fqdn ipAddresses"},
		"PrivateEndpointIPConfiguration":    {read: "properties", harmless: part + " name id"},
		"PrivateEndpointIPConfigurationProperties": {
			read: "privateIPAddress", harmless: "groupId memberName",
		},
		"PrivateDNSZoneGroup":                 {read: "properties", harmless: part + " id name"},
		"PrivateDNSZoneGroupPropertiesFormat": {read: "privateDnsZoneConfigs", harmless: none},
		"PrivateDNSZoneConfig":                {read: "properties", harmless: "name"},
		"PrivateDNSZonePropertiesFormat":      {read: "privateDnsZoneId recordSets"},
		"RecordSet":                           {read: "ipAddresses", harmless: none + " fqdn recordSetName recordType ttl"},
	}
}
