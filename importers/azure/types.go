package azure

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// resourceType says what becomes of a resource type.
type resourceType struct {
	name        string // as Azure spells it
	disposition model.Disposition
	effect      string          // why it is irrelevant, or what an unsupported one may change
	reach       reach           // unsupported: what it may change
	role        model.Role      // unsupported: what it may do to packets
	read        func(*resource) // modelled
	named       func(*resource) // modelled: what is known of one that is listed without its properties
	part        bool            // modelled as a part of its parent
	empty       bool            // has no properties that matter: naming it describes it
	alone       bool            // such a part also means something without its parent in the input
}

// reach says which resources an unsupported one may affect.
type reach uint8

const (
	neighbours reach = iota // itself and the network resources that it names
	networks                // the same, and the whole VNets of the subnets among them: it changes routes
	itself                  // itself alone: what refers to it is affected through the reference
	everything              // the estate as a whole
)

// resourceTypes is the one table of types, by lower-case name. A type that is not in it goes to unknownType.
func resourceTypes() map[string]resourceType {
	table := map[string]resourceType{}
	for _, list := range [][]resourceType{modelledTypes(), unsupportedTypes()} {
		for _, t := range list {
			table[strings.ToLower(t.name)] = t
		}
	}
	for _, group := range irrelevantTypes() {
		for _, name := range strings.Fields(group.names) {
			table[strings.ToLower(name)] = resourceType{name: name, disposition: model.Irrelevant, effect: group.why}
		}
	}
	return table
}

func modelledTypes() []resourceType {
	own := func(name string, read func(*resource)) resourceType {
		return resourceType{name: name, disposition: model.Modelled, read: read}
	}
	part := func(name string) resourceType {
		return resourceType{name: name, disposition: model.Modelled, part: true}
	}
	asg := own("Microsoft.Network/applicationSecurityGroups", readASG)
	asg.empty = true
	peering := part(typePeering)
	peering.alone = true
	hubConfig := part("Microsoft.Network/virtualHubs/ipConfigurations")
	hubConfig.alone = true
	rule, member := part(typeAdminRule), part(typeStaticMember)
	rule.alone, member.alone = true, true
	association := own("Microsoft.Network/networkSecurityPerimeters/resourceAssociations", readPerimeterAssociation)
	association.named = namePerimeterAssociation
	listed := func(name string, read func(*resource)) resourceType { // naming it says that it exists
		t := own(name, read)
		t.empty = true
		return t
	}
	return []resourceType{
		own("Microsoft.Network/virtualNetworks", readVNet),
		own("Microsoft.Network/virtualNetworks/subnets", readSubnet),
		peering,
		own("Microsoft.Network/networkSecurityGroups", readNSG),
		part("Microsoft.Network/networkSecurityGroups/securityRules"),
		part("Microsoft.Network/networkSecurityGroups/defaultSecurityRules"),
		asg,
		own("Microsoft.Network/serviceEndpointPolicies", readServiceEndpointPolicy),
		part("Microsoft.Network/serviceEndpointPolicies/serviceEndpointPolicyDefinitions"),
		own("Microsoft.Network/networkSecurityPerimeters/profiles", readPerimeterProfile),
		own("Microsoft.Network/networkSecurityPerimeters/profiles/accessRules", readPerimeterRule),
		association,
		own("Microsoft.Network/routeTables", readRouteTable),
		part("Microsoft.Network/routeTables/routes"),
		own("Microsoft.Network/networkInterfaces", readNIC),
		own("Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces", readNIC),
		own("Microsoft.Network/publicIPAddresses", readPublicIP),
		own("Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces/ipConfigurations/publicIPAddresses", readPublicIP),
		own("Microsoft.Network/publicIPPrefixes", readPublicIPPrefix),
		own("Microsoft.Network/natGateways", readNATGateway),
		own("Microsoft.Network/loadBalancers", readLoadBalancer),
		part("Microsoft.Network/loadBalancers/backendAddressPools"),
		part("Microsoft.Network/loadBalancers/inboundNatRules"),
		own("Microsoft.Network/azureFirewalls", readFirewall),
		own("Microsoft.Network/firewallPolicies", readFirewallPolicy),
		own("Microsoft.Network/firewallPolicies/ruleCollectionGroups", readRuleCollectionGroup),
		own("Microsoft.Network/ipGroups", readIPGroup),
		own("Microsoft.Network/applicationGateways", readAppGateway),
		own("Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies", readWAFPolicy),
		own("Microsoft.Network/frontDoorWebApplicationFirewallPolicies", readFrontDoorWAF),
		own("Microsoft.Cdn/profiles", readFrontDoor),
		own("Microsoft.Cdn/profiles/afdEndpoints", readFrontDoorPart),
		own("Microsoft.Cdn/profiles/afdEndpoints/routes", readFrontDoorPart),
		own("Microsoft.Cdn/profiles/originGroups", readFrontDoorPart),
		own("Microsoft.Cdn/profiles/originGroups/origins", readFrontDoorPart),
		own("Microsoft.Cdn/profiles/customDomains", readFrontDoorPart),
		listed("Microsoft.Cdn/profiles/ruleSets", readFrontDoorPart),
		own("Microsoft.Cdn/profiles/ruleSets/rules", readFrontDoorPart),
		own("Microsoft.Cdn/profiles/securityPolicies", readFrontDoorPart),
		own("Microsoft.ApiManagement/service", readAPIM),
		own("Microsoft.Network/bastionHosts", readBastion),
		own("Microsoft.Network/virtualNetworkGateways", readGateway),
		part("Microsoft.Network/virtualNetworkGateways/natRules"),
		own("Microsoft.Network/localNetworkGateways", readLocalGateway),
		own("Microsoft.Network/connections", readConnection),
		own("Microsoft.Network/virtualWans", readVirtualWAN),
		own("Microsoft.Network/virtualHubs", readVirtualHub),
		own("Microsoft.Network/virtualHubs/hubVirtualNetworkConnections", readHubConnection),
		own("Microsoft.Network/virtualHubs/hubRouteTables", readHubRouteTable),
		own("Microsoft.Network/virtualHubs/routingIntent", readRoutingIntent),
		hubConfig,
		part("Microsoft.Network/virtualHubs/bgpConnections"),
		own("Microsoft.Network/vpnGateways", readHubVPN),
		part("Microsoft.Network/vpnGateways/vpnConnections"),
		part("Microsoft.Network/vpnGateways/natRules"),
		own("Microsoft.Network/vpnSites", readVPNSite),
		own("Microsoft.Network/p2sVpnGateways", readHubClients),
		own("Microsoft.Network/expressRouteGateways", readHubExpressRoute),
		part("Microsoft.Network/expressRouteGateways/expressRouteConnections"),
		own("Microsoft.Network/privateEndpoints", readPrivateEndpoint),
		part("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"),
		own("Microsoft.Network/privateDnsZones", readDNSZone),
		part("Microsoft.Network/privateDnsZones/A"),
		part("Microsoft.Network/privateDnsZones/AAAA"),
		part("Microsoft.Network/privateDnsZones/virtualNetworkLinks"),
		own("Microsoft.Network/dnszones", readDNSZone),
		part("Microsoft.Network/dnszones/A"),
		part("Microsoft.Network/dnszones/AAAA"),
		own("Microsoft.Compute/virtualMachines", readVM),
		own("Microsoft.Compute/virtualMachineScaleSets/virtualMachines", readVM),
		own("Microsoft.Compute/virtualMachineScaleSets", readScaleSet),
		own("Microsoft.ContainerService/managedClusters", readCluster),
		part("Microsoft.ContainerService/managedClusters/agentPools"),
		own("Microsoft.KeyVault/vaults", readKeyVault),
		own("Microsoft.ContainerRegistry/registries", readRegistry),
		own("Microsoft.Sql/servers", readSQLServer),
		part("Microsoft.Sql/servers/firewallRules"),
		part("Microsoft.Sql/servers/ipv6FirewallRules"),
		part("Microsoft.Sql/servers/virtualNetworkRules"),
		part("Microsoft.Sql/servers/encryptionProtector"),
		own("Microsoft.Storage/storageAccounts", readStorage),
		own("Microsoft.DocumentDB/databaseAccounts", readCosmos),
		own("Microsoft.DBforPostgreSQL/flexibleServers", readPostgreSQL),
		part("Microsoft.DBforPostgreSQL/flexibleServers/firewallRules"),
		own("Microsoft.DBforMySQL/flexibleServers", readMySQL),
		part("Microsoft.DBforMySQL/flexibleServers/firewallRules"),
		own("Microsoft.Cache/redis", readRedis),
		part("Microsoft.Cache/redis/firewallRules"),
		own("Microsoft.ServiceBus/namespaces", readServiceBus),
		part("Microsoft.ServiceBus/namespaces/networkRuleSets"),
		own("Microsoft.EventHub/namespaces", readEventHub),
		part("Microsoft.EventHub/namespaces/networkRuleSets"),
		own("Microsoft.OperationalInsights/workspaces", readWorkspace),
		own("Microsoft.Insights/privateLinkScopes", readMonitorScope),
		part("Microsoft.Insights/privateLinkScopes/scopedResources"),
		listed(typeManager, readManager),
		listed(typeNetworkGroup, readNetworkGroup),
		member,
		listed(typeConnectivity, readConnectivity),
		listed(typeAdminConfig, readAdminConfiguration),
		listed(typeAdminCollection, readAdminCollection),
		rule,
		own(typeManager+"/commits", readCommit),
		own("Microsoft.Network/networkGroupMemberships", readMembership),
		listed("Microsoft.Network/effectiveSecurityAdminRules", readEffectiveSnapshot),
		listed("Microsoft.Network/effectiveConnectivityConfigurations", readEffectiveSnapshot),
		own("Microsoft.Security/locations/jitNetworkAccessPolicies", readJIT),
		own("Microsoft.Security/jitNetworkAccessPolicies", readJIT),
		own("Microsoft.Authorization/policyAssignments", readPolicyAssignment),
		own("Microsoft.Authorization/policyExemptions", readPolicyExemption),
		own("Microsoft.Authorization/policyDefinitions", readPolicyDefinition),
		own("Microsoft.Authorization/policySetDefinitions", readPolicySet),
		own("Microsoft.Authorization/roleAssignments", readRoleAssignment),
		own("Microsoft.Authorization/roleDefinitions", readRoleDefinition),
		own("Microsoft.Insights/diagnosticSettings", readDiagnosticSetting),
		own("Microsoft.Network/networkWatchers/flowLogs", readFlowLog),
		part("Microsoft.OperationalInsights/workspaces/tables"),
		part("Microsoft.Storage/storageAccounts/managementPolicies"),
	}
}

// unsupportedTypes carry or filter traffic, or change routes and names, and are not modelled.
func unsupportedTypes() []resourceType {
	t := func(name string, r reach, effect string) resourceType {
		return resourceType{name: name, disposition: model.Unsupported, reach: r, effect: effect}
	}
	const (
		userRules = "user rules of a network manager are written into network security groups; not modelled"
		routing   = "routing rules of a network manager are written into route tables; not modelled"
		snapshot  = "a snapshot of what a network manager deployed, which does not say where; save the output of listNetworkManagerEffectiveSecurityAdminRules or listActiveSecurityAdminRules (AZ-AVNM-14)"
		hub       = "a virtual hub routes between its connections (AZ-WAN-01) and is not modelled"
		circuit   = "routes of ExpressRoute are not in the resource (AZ-GW-06)"
		front     = "a front door relays from the internet to its origins (AZ-AFD-01) and is not modelled"
		apim      = "API Management relays to back ends that its policies choose (AZ-APIM-01) and is not modelled"
		pls       = "a private link service opens a load balancer frontend to other networks (AZ-PE-10) and is not modelled"
		resolver  = "a DNS resolver changes which names resolve to what (AZ-DNS-01) and is not modelled"
		app       = "runs workloads that may join a subnet, with an entry of its own; not modelled"
		alb       = "Application Gateway for Containers is a public entry to pods (AKS-ING-03) and is not modelled"
	)
	inside := func(name string, r reach, effect string) resourceType {
		x := t(name, r, effect)
		x.role = model.Steers
		return x
	}
	names := func(name string, r reach, effect string) resourceType {
		x := t(name, r, effect)
		x.role = model.Resolves
		return x
	}
	return []resourceType{
		inside("Microsoft.Network/networkManagers/securityUserConfigurations", everything, userRules),
		inside("Microsoft.Network/networkManagers/securityUserConfigurations/ruleCollections", everything, userRules),
		inside("Microsoft.Network/networkManagers/securityUserConfigurations/ruleCollections/rules", everything, userRules),
		inside("Microsoft.Network/networkManagers/routingConfigurations", everything, routing),
		inside("Microsoft.Network/networkManagers/routingConfigurations/ruleCollections", everything, routing),
		inside("Microsoft.Network/networkManagers/routingConfigurations/ruleCollections/rules", everything, routing),
		inside("Microsoft.Network/networkManagerConnections", everything, "puts the subscription under a network manager that may not be in the input (AZ-GEN-08); not modelled"),
		inside("Microsoft.Network/networkManagers/securityAdminConfigurations/snapshots", everything, snapshot),
		inside("Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/snapshots", everything, snapshot),
		inside("Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules/snapshots", everything, snapshot),
		inside("Microsoft.Network/networkManagers/connectivityConfigurations/snapshots", everything, snapshot),

		inside("Microsoft.Network/virtualHubs/routeTables", networks, hub),
		inside("Microsoft.Network/virtualHubs/routeMaps", networks, hub),
		inside("Microsoft.Network/virtualHubs/connectionPolicies", networks, hub),
		inside("Microsoft.Network/routeServers", networks, "a route server programs the routes of appliances (AZ-RS-01), which are not in the resource"),
		inside("Microsoft.Network/virtualRouters", networks, "a virtual router exchanges routes and is not modelled"),
		inside("Microsoft.Network/virtualRouters/peerings", networks, "a virtual router exchanges routes and is not modelled"),
		t("Microsoft.Network/vpnServerConfigurations", itself, "a VPN server configuration admits point-to-site clients to a hub and is not modelled"),
		t("Microsoft.Network/vpnServerConfigurations/configurationPolicyGroups", itself, "a VPN server configuration admits point-to-site clients to a hub and is not modelled"),
		t("Microsoft.Network/expressRouteCircuits", itself, circuit),
		t("Microsoft.Network/expressRouteCircuits/peerings", itself, circuit),
		t("Microsoft.Network/expressRouteCircuits/peerings/connections", itself, circuit),
		t("Microsoft.Network/expressRouteCrossConnections", itself, circuit),
		t("Microsoft.Network/expressRouteCrossConnections/peerings", itself, circuit),
		t("Microsoft.Network/expressRoutePorts", itself, circuit),
		t("Microsoft.Network/securityPartnerProviders", networks, "a security partner takes the internet traffic of a hub and is not modelled"),
		t("Microsoft.Network/networkVirtualAppliances", networks, "a network virtual appliance forwards by rules that are not in the resource (AZ-RT-11)"),
		t("Microsoft.Network/networkVirtualAppliances/networkVirtualApplianceConnections", networks, "a network virtual appliance forwards by rules that are not in the resource (AZ-RT-11)"),
		t("Microsoft.Network/virtualNetworkAppliances", networks, "a network appliance in a subnet is not modelled"),
		t("Microsoft.Network/serviceGateways", networks, "a service gateway is not modelled"),

		t("Microsoft.Network/privateLinkServices", neighbours, pls),
		t("Microsoft.Network/privateLinkServices/privateEndpointConnections", neighbours, pls),
		inside("Microsoft.Network/networkProfiles", neighbours, "a network profile puts container instances into a subnet; not modelled"),
		inside("Microsoft.Network/virtualNetworkTaps", neighbours, "a tap copies traffic to a collector; not modelled"),
		inside("Microsoft.Network/networkInterfaces/tapConfigurations", neighbours, "a tap copies traffic to a collector; not modelled"),
		inside("Microsoft.Network/ipAllocations", neighbours, "an IP allocation gives addresses to a service in the VNet; not modelled"),

		t("Microsoft.Network/frontDoors", neighbours, front),
		t("Microsoft.Network/frontDoors/frontendEndpoints", itself, front),
		t("Microsoft.Cdn/profiles/endpoints", neighbours, front),
		t("Microsoft.Cdn/profiles/endpoints/origins", neighbours, front),
		t("Microsoft.Cdn/profiles/endpoints/originGroups", neighbours, front),
		t("Microsoft.Cdn/CdnWebApplicationFirewallPolicies", itself, front),
		names("Microsoft.Network/trafficManagerProfiles", itself, "Traffic Manager answers names and carries no packet (AZ-TM-01); its names are not modelled"),
		t("Microsoft.ApiManagement/gateways", neighbours, apim),
		t("Microsoft.ServiceNetworking/trafficControllers", neighbours, alb),
		t("Microsoft.ServiceNetworking/trafficControllers/frontends", neighbours, alb),
		t("Microsoft.ServiceNetworking/trafficControllers/associations", neighbours, alb),
		t("Microsoft.ServiceNetworking/trafficControllers/securityPolicies", itself, alb),

		names("Microsoft.Network/privateDnsZones/CNAME", itself, "an alias in a private zone is not followed (AZ-DNS-02)"),
		names("Microsoft.Network/dnsResolvers", neighbours, resolver),
		names("Microsoft.Network/dnsResolvers/inboundEndpoints", neighbours, resolver),
		names("Microsoft.Network/dnsResolvers/outboundEndpoints", neighbours, resolver),
		names("Microsoft.Network/dnsForwardingRulesets", neighbours, resolver),
		names("Microsoft.Network/dnsForwardingRulesets/forwardingRules", itself, resolver),
		names("Microsoft.Network/dnsForwardingRulesets/virtualNetworkLinks", neighbours, resolver),
		names("Microsoft.Network/dnsResolverPolicies", itself, resolver),
		names("Microsoft.Network/dnsResolverPolicies/dnsSecurityRules", itself, resolver),
		names("Microsoft.Network/dnsResolverPolicies/virtualNetworkLinks", neighbours, resolver),

		t("Microsoft.Network/firewallPolicies/ruleGroups", itself, "rule groups of the first API of firewall policies are not modelled; export ruleCollectionGroups"),
		t("Microsoft.Network/firewallPolicies/signatureOverrides", itself, "signature overrides change what intrusion prevention drops; not modelled"),
		t("Microsoft.ContainerService/managedClusters/managedNamespaces", itself, "a managed namespace brings a network policy of its own (AKS-POL-10); export the NetworkPolicy from the cluster"),
		t("Microsoft.ContainerService/managedClusters/namespaces", itself, "a managed namespace brings a network policy of its own (AKS-POL-10); export the NetworkPolicy from the cluster"),
		t("Microsoft.ContainerService/managedClusters/loadBalancers", itself, "which load balancer serves which node pool is not modelled"),
		t("Microsoft.ContainerService/managedClusters/meshMemberships", itself, "a mesh across clusters is not modelled"),
		t("Microsoft.ContainerService/openShiftManagedClusters", neighbours, app),
		t("Microsoft.RedHatOpenShift/OpenShiftClusters", neighbours, app),
		t("Microsoft.Kubernetes/connectedClusters", itself, "a connected cluster is reached through Azure Arc; not modelled"),
		t("Microsoft.App/managedEnvironments", neighbours, app),
		t("Microsoft.App/containerApps", neighbours, app),
		t("Microsoft.App/jobs", neighbours, app),
		inside("Microsoft.ContainerInstance/containerGroups", neighbours, app),
		t("Microsoft.Web/sites", neighbours, app),
		t("Microsoft.Web/sites/slots", neighbours, app),
		t("Microsoft.Web/sites/config", neighbours, app),
		t("Microsoft.Web/sites/networkConfig", neighbours, app),
		t("Microsoft.Web/sites/virtualNetworkConnections", neighbours, app),
		t("Microsoft.Web/hostingEnvironments", neighbours, app),
		t("Microsoft.Web/staticSites", neighbours, app),
		t("Microsoft.Compute/cloudServices", neighbours, app),
		inside("Microsoft.Sql/managedInstances", neighbours, "a managed instance answers in its subnet and perhaps in public (AZ-SQL-06); not modelled"),
		t("Microsoft.Sql/servers/outboundFirewallRules", itself, "limits what the server itself opens; not modelled"),
		inside("Microsoft.ContainerRegistry/registries/agentPools", neighbours, "an agent pool of a registry runs tasks in a subnet (AZ-ACR-03); not modelled"),
		t("Microsoft.ServiceBus/namespaces/ipFilterRules", itself, "network rules of the first API are not modelled; export networkRuleSets"),
		t("Microsoft.ServiceBus/namespaces/virtualNetworkRules", itself, "network rules of the first API are not modelled; export networkRuleSets"),
		t("Microsoft.EventHub/namespaces/ipFilterRules", itself, "network rules of the first API are not modelled; export networkRuleSets"),
		t("Microsoft.EventHub/namespaces/virtualNetworkRules", itself, "network rules of the first API are not modelled; export networkRuleSets"),
		t("Microsoft.Network/ddosCustomPolicies", itself, "drops floods; not modelled"),
		inside("Microsoft.Resources/deploymentScripts", neighbours, "runs a script in a container that may join a subnet; not modelled"),
	}
}

type irrelevance struct{ why, names string }

// irrelevantTypes cannot carry or filter traffic.
func irrelevantTypes() []irrelevance {
	return []irrelevance{
		{"storage of machines; carries no traffic", `Microsoft.Compute/disks Microsoft.Compute/snapshots Microsoft.Compute/images Microsoft.Compute/galleries
			Microsoft.Compute/galleries/images Microsoft.Compute/galleries/images/versions Microsoft.Compute/galleries/applications
			Microsoft.Compute/galleries/applications/versions Microsoft.Compute/restorePointCollections
			Microsoft.Compute/restorePointCollections/restorePoints Microsoft.Compute/diskEncryptionSets Microsoft.Compute/diskAccesses
			Microsoft.VirtualMachineImages/imageTemplates`},
		{"places or prepares machines; carries no traffic", `Microsoft.Compute/availabilitySets Microsoft.Compute/proximityPlacementGroups
			Microsoft.Compute/hostGroups Microsoft.Compute/hostGroups/hosts Microsoft.Compute/capacityReservationGroups
			Microsoft.Compute/capacityReservationGroups/capacityReservations Microsoft.Compute/sshPublicKeys
			Microsoft.Compute/virtualMachines/extensions Microsoft.Compute/virtualMachines/runCommands
			Microsoft.Compute/virtualMachineScaleSets/extensions Microsoft.Compute/virtualMachineScaleSets/virtualMachines/extensions
			Microsoft.Compute/virtualMachineScaleSets/virtualMachines/runCommands Microsoft.SqlVirtualMachine/sqlVirtualMachines
			Microsoft.DevTestLab/schedules Microsoft.AutoManage/configurationProfileAssignments Microsoft.AzureFleet/fleets`},
		{"an address that machines already show at their network interface", `Microsoft.Network/networkInterfaces/ipConfigurations`},
		{"identity and access of the management plane", `Microsoft.ManagedIdentity/userAssignedIdentities
			Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials Microsoft.Authorization/locks
			Microsoft.Authorization/denyAssignments`},
		{"observes and alerts; carries no traffic of the estate", `Microsoft.Insights/metricAlerts Microsoft.Insights/activityLogAlerts
			Microsoft.Insights/scheduledQueryRules Microsoft.Insights/actionGroups Microsoft.Insights/autoscaleSettings
			Microsoft.Insights/components Microsoft.Insights/workbooks Microsoft.Insights/workbookTemplates Microsoft.Insights/webtests
			Microsoft.Insights/dataCollectionRules Microsoft.Insights/dataCollectionEndpoints Microsoft.Insights/dataCollectionRuleAssociations
			Microsoft.Insights/logProfiles Microsoft.Insights/alertRules
			Microsoft.AlertsManagement/smartDetectorAlertRules Microsoft.AlertsManagement/prometheusRuleGroups
			Microsoft.AlertsManagement/actionRules Microsoft.Monitor/accounts Microsoft.Dashboard/grafana
			Microsoft.OperationsManagement/solutions Microsoft.OperationalInsights/queryPacks Microsoft.OperationalInsights/queryPacks/queries
			Microsoft.OperationalInsights/workspaces/savedSearches
			Microsoft.OperationalInsights/workspaces/dataSources Microsoft.OperationalInsights/workspaces/dataExports
			Microsoft.OperationalInsights/workspaces/linkedServices Microsoft.OperationalInsights/workspaces/linkedStorageAccounts
			Microsoft.OperationalInsights/workspaces/storageInsightConfigs Microsoft.Network/networkWatchers
			Microsoft.Network/networkWatchers/connectionMonitors
			Microsoft.Network/networkWatchers/packetCaptures Microsoft.Portal/dashboards`},
		{"posture and findings of Defender for Cloud; carries no traffic", `Microsoft.Security/pricings Microsoft.Security/assessments
			Microsoft.Security/alerts Microsoft.Security/automations Microsoft.Security/securityContacts Microsoft.Security/settings
			Microsoft.Security/autoProvisioningSettings Microsoft.Security/workspaceSettings Microsoft.Security/defenderForStorageSettings
			Microsoft.Security/advancedThreatProtectionSettings`},
		{"containers of resources and what was deployed", `Microsoft.Resources/subscriptions Microsoft.Resources/subscriptions/resourceGroups
			Microsoft.Resources/resourceGroups Microsoft.Resources/deployments Microsoft.Resources/deploymentStacks
			Microsoft.Resources/templateSpecs Microsoft.Resources/templateSpecs/versions Microsoft.Resources/tags
			Microsoft.Management/managementGroups Microsoft.ManagedServices/registrationAssignments Microsoft.Solutions/applications`},
		{"protects against floods; neither opens nor closes a path", `Microsoft.Network/ddosProtectionPlans`},
		{"an address range of one's own; the addresses taken from it are read", `Microsoft.Network/customIpPrefixes`},
		{"planning of addresses; the ranges taken from it are read at the VNets", `Microsoft.Network/networkManagers/ipamPools
			Microsoft.Network/networkManagers/ipamPools/staticCidrs`},
		{"asks about reachability; changes nothing", `Microsoft.Network/networkManagers/verifierWorkspaces
			Microsoft.Network/networkManagers/verifierWorkspaces/reachabilityAnalysisIntents
			Microsoft.Network/networkManagers/verifierWorkspaces/reachabilityAnalysisRuns`},
		{"joins networks of another tenant to the scope of a network manager; they become members one by one (AZ-AVNM-15)", `Microsoft.Network/networkManagers/scopeConnections`},
		{"the name and the log of a perimeter; its rules and members are read", `Microsoft.Network/networkSecurityPerimeters
			Microsoft.Network/networkSecurityPerimeters/loggingConfigurations`},
		{"lets resources of two perimeters call each other by identity (AZ-NSP-02), which opens no door to an address", `Microsoft.Network/networkSecurityPerimeters/links
			Microsoft.Network/networkSecurityPerimeters/linkReferences`},
		{"a record that resolves no name to an address", `Microsoft.Network/privateDnsZones/SOA Microsoft.Network/privateDnsZones/TXT
			Microsoft.Network/privateDnsZones/MX Microsoft.Network/privateDnsZones/PTR Microsoft.Network/privateDnsZones/SRV
			Microsoft.Network/dnszones/SOA Microsoft.Network/dnszones/NS Microsoft.Network/dnszones/TXT Microsoft.Network/dnszones/MX
			Microsoft.Network/dnszones/PTR Microsoft.Network/dnszones/SRV Microsoft.Network/dnszones/CAA Microsoft.Network/dnszones/DS
			Microsoft.Network/dnszones/TLSA`},
		{"a public name; names open no path, and addresses decide", `Microsoft.Network/dnszones/CNAME Microsoft.DomainRegistration/domains`},
		{"content or keys of a service whose doors are read", `Microsoft.KeyVault/vaults/secrets Microsoft.KeyVault/vaults/keys
			Microsoft.KeyVault/vaults/accessPolicies Microsoft.KeyVault/vaults/privateEndpointConnections
			Microsoft.ContainerRegistry/registries/replications Microsoft.ContainerRegistry/registries/webhooks
			Microsoft.ContainerRegistry/registries/scopeMaps Microsoft.ContainerRegistry/registries/tokens
			Microsoft.ContainerRegistry/registries/cacheRules Microsoft.ContainerRegistry/registries/credentialSets
			Microsoft.ContainerRegistry/registries/tasks Microsoft.ContainerRegistry/registries/privateEndpointConnections
			Microsoft.Sql/servers/databases Microsoft.Sql/servers/elasticPools Microsoft.Sql/servers/administrators
			Microsoft.Sql/servers/azureADOnlyAuthentications Microsoft.Sql/servers/auditingSettings
			Microsoft.Sql/servers/extendedAuditingSettings Microsoft.Sql/servers/securityAlertPolicies
			Microsoft.Sql/servers/vulnerabilityAssessments Microsoft.Sql/servers/sqlVulnerabilityAssessments Microsoft.Sql/servers/keys
			Microsoft.Sql/servers/failoverGroups Microsoft.Sql/servers/advisors
			Microsoft.Sql/servers/databases/transparentDataEncryption Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies
			Microsoft.Sql/servers/databases/backupLongTermRetentionPolicies Microsoft.Sql/servers/advancedThreatProtectionSettings
			Microsoft.Sql/servers/devOpsAuditingSettings Microsoft.Sql/servers/privateEndpointConnections
			Microsoft.Storage/storageAccounts/blobServices Microsoft.Storage/storageAccounts/blobServices/containers
			Microsoft.Storage/storageAccounts/fileServices Microsoft.Storage/storageAccounts/fileServices/shares
			Microsoft.Storage/storageAccounts/queueServices Microsoft.Storage/storageAccounts/queueServices/queues
			Microsoft.Storage/storageAccounts/tableServices Microsoft.Storage/storageAccounts/tableServices/tables
			Microsoft.Storage/storageAccounts/localUsers
			Microsoft.Storage/storageAccounts/encryptionScopes Microsoft.Storage/storageAccounts/inventoryPolicies
			Microsoft.Storage/storageAccounts/objectReplicationPolicies Microsoft.Storage/storageAccounts/privateEndpointConnections
			Microsoft.DocumentDB/databaseAccounts/sqlDatabases Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers
			Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions
			Microsoft.DocumentDB/databaseAccounts/mongodbDatabases Microsoft.DocumentDB/databaseAccounts/privateEndpointConnections
			Microsoft.DBforPostgreSQL/flexibleServers/databases Microsoft.DBforPostgreSQL/flexibleServers/configurations
			Microsoft.DBforPostgreSQL/flexibleServers/administrators Microsoft.DBforPostgreSQL/flexibleServers/backups
			Microsoft.DBforPostgreSQL/flexibleServers/privateEndpointConnections
			Microsoft.DBforPostgreSQL/flexibleServers/advancedThreatProtectionSettings
			Microsoft.DBforMySQL/flexibleServers/databases Microsoft.DBforMySQL/flexibleServers/configurations
			Microsoft.DBforMySQL/flexibleServers/administrators Microsoft.DBforMySQL/flexibleServers/backups
			Microsoft.DBforMySQL/flexibleServers/privateEndpointConnections Microsoft.Cache/redis/patchSchedules
			Microsoft.Cache/redis/accessPolicies Microsoft.Cache/redis/accessPolicyAssignments
			Microsoft.Cache/redis/privateEndpointConnections Microsoft.ServiceBus/namespaces/queues Microsoft.ServiceBus/namespaces/topics
			Microsoft.ServiceBus/namespaces/topics/subscriptions Microsoft.ServiceBus/namespaces/authorizationRules
			Microsoft.ServiceBus/namespaces/privateEndpointConnections Microsoft.EventHub/namespaces/eventhubs
			Microsoft.EventHub/namespaces/eventhubs/consumergroups Microsoft.EventHub/namespaces/authorizationRules
			Microsoft.EventHub/namespaces/eventhubs/authorizationRules Microsoft.EventHub/namespaces/schemagroups
			Microsoft.EventHub/namespaces/privateEndpointConnections Microsoft.Insights/privateLinkScopes/privateEndpointConnections
			Microsoft.ContainerService/managedClusters/privateEndpointConnections`},
		{"which ports a client is redirected to; reaching the gateway counts as reaching the data (AZ-SQL-04)", `Microsoft.Sql/servers/connectionPolicies`},
		{"upkeep of clusters; opens no path", `Microsoft.ContainerService/managedClusters/maintenanceConfigurations
			Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings Microsoft.ContainerService/managedClusters/jwtAuthenticators
			Microsoft.ContainerService/managedClusters/agentPools/machines Microsoft.ContainerService/snapshots
			Microsoft.ContainerService/managedClusterSnapshots Microsoft.ContainerService/fleets Microsoft.ContainerService/fleets/members
			Microsoft.ContainerService/fleets/updateRuns Microsoft.ContainerService/fleets/updateStrategies
			Microsoft.KubernetesConfiguration/extensions Microsoft.KubernetesConfiguration/fluxConfigurations`},
		{"backup and maintenance; carries no traffic of the estate", `Microsoft.RecoveryServices/vaults Microsoft.DataProtection/backupVaults
			Microsoft.DataProtection/backupVaults/backupPolicies Microsoft.DataProtection/backupVaults/backupInstances
			Microsoft.Maintenance/maintenanceConfigurations Microsoft.Maintenance/configurationAssignments
			Microsoft.GuestConfiguration/guestConfigurationAssignments`},
		{"what API Management forwards to, which is taken to be everything that its network reaches (AZ-APIM-01)", `Microsoft.ApiManagement/service/apis
			Microsoft.ApiManagement/service/apis/policies Microsoft.ApiManagement/service/apis/operations Microsoft.ApiManagement/service/backends
			Microsoft.ApiManagement/service/policies Microsoft.ApiManagement/service/products Microsoft.ApiManagement/service/namedValues
			Microsoft.ApiManagement/service/subscriptions Microsoft.ApiManagement/service/loggers Microsoft.ApiManagement/service/certificates`},
		{"certificates and plans of web applications; carries no traffic", `Microsoft.Cdn/profiles/secrets Microsoft.Web/certificates Microsoft.Web/serverFarms Microsoft.Web/connections`},
	}
}

// unknownType is the answer for a type that no table names: providers that are clearly off the data path are irrelevant, the rest is
// unsupported, because nobody here knows what it does.
func unknownType(name string) resourceType {
	provider, _, _ := strings.Cut(strings.ToLower(name), "/")
	off := strings.Fields(`microsoft.authorization microsoft.managedidentity microsoft.policyinsights microsoft.advisor microsoft.portal
		microsoft.costmanagement microsoft.consumption microsoft.billing microsoft.capacity microsoft.quota microsoft.support
		microsoft.resourcehealth microsoft.resourcegraph microsoft.features microsoft.guestconfiguration microsoft.maintenance
		microsoft.security microsoft.securityinsights microsoft.alertsmanagement microsoft.operationsmanagement microsoft.management
		microsoft.managedservices microsoft.blueprint microsoft.changeanalysis microsoft.marketplaceordering microsoft.saas
		microsoft.insights microsoft.aadiam microsoft.subscription`)
	if slices.Contains(off, provider) {
		return resourceType{name: name, disposition: model.Irrelevant, effect: "its provider manages, observes or bills and carries no traffic"}
	}
	return resourceType{name: name, disposition: model.Unsupported, effect: "not known to ringfence"}
}
