package snapshot

// how says what Redact makes of a text.
type how uint8

// The zero value is the one that keeps nothing.
const (
	commentOf   how = iota // what people wrote to people
	keep                   // words of Azure, Kubernetes and the intent file, which verdicts read
	nameOf                 // names that somebody gave
	hostOf                 // domain names, and patterns of them
	valueOf                // addresses, URLs, IDs, domain names or names
	fileOf                 // paths of files
	pathOf                 // where in a file something stands: nobody can look, and a map has names for keys
	hashOf                 // hashes of files, which would confirm a guess
	keyOf                  // keys of labels and taints
	noteOf                 // texts of importers, with names in them
	typeOf                 // types of objects
	patternOf              // kinds and names of rules
	taintOf                // KEY=VALUE:EFFECT
	variableOf             // what a WAF rule looks at
	dataOf                 // kinds of cardholder data
	principalOf            // people, groups and service accounts: object IDs, names as Kubernetes writes them
)

// treatment says what Redact makes of the texts in a field of the model. Maps, selectors, IDs and addresses are told by their types. A test lists
// the fields that are missing here, which would be redacted whole.
func treatment(field string) how {
	switch field {
	case "AGWListener.Protocol", "AGWProbe.Protocol", "AGWRedirect.Type", "AGWSetting.Protocol", "APIM.Network", "APIM.Public", "APIM.Tier",
		"ActiveAdminRules.Region", "ActiveConnectivity.Region", "AddressMatch.Tags", "AdminRule.Flag", "AppGateway.Tier", "AppProtocol.Type",
		"Assertion.Requirement", "Assertion.Verb", "Attestation.Item", "AuthorizationPolicy.Action", "Bastion.SKU", "CalicoPolicy.Kind",
		"CiliumPeer.Entity", "CiliumPolicy.Kind", "Cluster.DataPlane", "Cluster.Engine", "Cluster.KubernetesVersion", "Cluster.MeshMode", "Cluster.OutboundType", "Cluster.Plugin",
		"Cluster.PluginMode", "Cluster.Policy", "Cluster.PublicAccess", "Cluster.WebAppController", "ClusterPolicy.Kind", "Connection.Kind",
		"Connection.State", "Connectivity.AddressOverlap", "Connectivity.EnforcesPeerings", "Connectivity.Topology", "ConnectivityHub.Type",
		"DeploymentStatus.Kind", "DeploymentStatus.Region", "DeploymentStatus.State", "EffectiveRoute.From", "EffectiveRoute.NextHop",
		"EffectiveRoute.Tags", "EndpointConnection.Groups", "EndpointConnection.State", "Firewall.ProvisioningBad", "Firewall.ThreatIntel",
		"Firewall.Tier", "FirewallPolicy.IDPS", "FirewallPolicy.ThreatIntel", "FirewallPolicy.Tier", "FirewallRule.FQDNTags",
		"FirewallRule.WebCategories", "FrontDoor.Tier", "FrontDoorDomain.MinTLS", "FrontDoorOrigin.PrivateState", "FrontDoorRoute.Forwarding",
		"Gateway.ClientAuth", "Gateway.ClientProtocols", "GatewayNATRule.Mode", "GatewayNATRule.Type", "HubBranch.State", "HubRouting.LocalOverride",
		"Ingress.Controller", "InputFile.Kind", "InputFile.Side", "Intent.Judge", "Intent.Standard", "JITPort.MaxTime", "Justification.SecurityFeatures",
		"KubeService.Type", "LBProbe.Protocol", "LegacyWAF.Mode", "LegacyWAF.RuleSet", "MeshGateway.Mode", "Meta.Location", "NATGateway.SKU",
		"NetworkGroup.MemberType", "NetworkManager.Accesses", "NodePool.Mode", "NodePool.OS", "NodePool.SSHAccess", "NoneStatement.What",
		"OriginGroup.Probe", "PeerAuthentication.Mode", "Peering.State", "PerimeterAssociation.Mode", "PolicyDefinition.Aliases",
		"PolicyDefinition.Service", "PrivateEndpoint.Groups", "PrivateEndpoint.State", "Probe.Action", "Probe.Kind", "Requirement.Operator",
		"RoutingPolicy.Destinations", "ScaleSet.Orchestration", "SecurityRule.DestPortText", "SecurityRule.ProvisioningState",
		"SecurityRule.SourcePortText", "Service.AtRest", "Service.Bypass", "Service.IngestionMode", "Service.MinTLS", "Service.Public", "Service.QueryMode", "Service.Tier",
		"Service.Type", "ServiceEndpoint.Locations", "ServiceEndpoint.Service", "ServiceEndpoint.State", "ServiceEndpointPolicy.Alias", "ServicePort.App",
		"Source.Platform", "Subnet.Delegations", "TLSPolicy.MinVersion", "TLSPolicy.Name", "TLSPolicy.Type", "Toleration.Effect", "Toleration.Operator",
		"UserRoute.NextHop", "UserRoute.Tag", "VirtualWAN.Type", "WAFCondition.Operator", "WAFPolicy.Disabled", "WAFPolicy.Mode", "WAFPolicy.RuleSets",
		"WAFRule.Action", "Cluster.ArtifactSource", "PolicyAssignment.Effect", "PolicyAssignment.Enforcement", "PolicyDefinitionRule.Effect", "PolicyDefinitionRule.Fields",
		"PolicyExemption.Expires", "PolicySetMember.Effect",
		"KubeRule.Groups", "KubeRule.Resources", "KubeRule.Verbs", "KubeSubject.Kind", "Lifecycle.BlobTypes", "Lifecycle.Containers",
		"LogCategory.Category", "LogCategory.Group", "LogTable.Name", "RoleAssignment.PrincipalType", "RolePermission.Actions",
		"RolePermission.DataActions", "RolePermission.NotActions", "RolePermission.NotDataActions", "ApartCluster.Engine", "ApartPods.OwnerKind", "Claim.Kind", "IngressClass.Controller", "Workload.Kind", "Workload.Volumes", "Zone.Kind", "ZoneLink.Resolution":
		return keep
	case "AGWFrontend.Name", "AGWListener.Name", "AGWPathMap.Name", "AGWPathRule.Name", "AGWPathRule.Paths", "AGWPool.Name", "AGWProbe.Name",
		"AGWRedirect.Name", "AGWRule.Name", "AGWSetting.Name", "AppGateway.RewriteSets", "Assertion.ID", "Attestation.By",
		"AuthorizationPolicy.Namespace", "CalicoNetworkSet.Namespace", "CalicoPolicy.Namespace", "CalicoPolicy.Tier", "CiliumPolicy.Namespace",
		"Cluster.NodeGroup", "ClusterPolicyRule.Name", "ContainerPort.Name", "DNSRecord.Name", "DataFlow.Name", "EffectiveRoute.Name",
		"EmergencyAccess.ApprovedBy", "ExemptNamespace.Name", "ExemptNamespace.Owner", "ExemptNamespaces.Cluster", "FirewallRule.Name",
		"FrontDoorDomain.Name", "FrontDoorEndpoint.Name", "FrontDoorOrigin.Name", "FrontDoorRoute.Name", "GatewayNATRule.Name", "GroupMember.Name",
		"HubBranch.Name", "HubRoute.Name", "HubRouteTable.Labels", "HubRouting.Labels", "HubStaticRoute.Name", "IPConfig.Name", "IPRule.Name",
		"Ingress.Class", "Ingress.Namespace", "IngressBackend.Path", "IngressBackend.PortName", "IngressBackend.Service", "Intent.Name",
		"Justification.ApprovedBy", "Justification.Owner", "Justification.Ticket", "KubeService.Namespace", "LBFrontend.Name", "LBNATRule.Name",
		"LBOutboundRule.Name", "LBPool.Name", "KubeBinding.Namespace", "KubeRole.Namespace", "KubeSubject.Namespace",
		"LBProbe.Name", "LBRule.Name", "Lifecycle.Name", "MeshSource.Namespaces", "NICProfile.Name", "NetworkAdmin.Name",
		"NetworkAdmin.Role", "NetworkPolicy.Namespace", "NodePool.Name", "NoneStatement.By", "OriginGroup.Name", "OwnerEntry.Owner",
		"PeerAuthentication.Namespace", "Peering.LocalSubnets", "Peering.Name", "Peering.RemoteSubnets", "PolicyDefinition.Name", "PolicyPort.Named",
		"Probe.PortName", "Requirement.Values", "Review.By", "Review.Ticket", "Roles.Approves", "Roles.Changes", "RoutePeer.Name", "RoutingPolicy.Name",
		"RuleCollection.Name", "ScaleSet.Pool", "SecurityRule.Name", "ServicePort.Name", "ServicePort.TargetName", "TLSProfile.Client", "TLSProfile.Name",
		"Toleration.Value", "UserRoute.Name", "VNetRule.Name", "WAFRule.Name", "Waiver.Owner", "Workload.Namespace", "Workload.ServiceAccount",
		"ApartCluster.Name", "ApartObject.Endpoints", "ApartPods.OwnerName", "IngressClass.Name", "RoleDefinition.Title", "Zone.Name", "Zone.Owner", "ZoneLink.Name":
		return nameOf
	case "AGWListener.Hosts", "AGWPool.FQDNs", "AddressMatch.FQDNs", "CiliumPeer.Name", "Cluster.FQDN", "Cluster.PrivateFQDN", "ClusterPolicyPeer.Names",
		"DNSZone.Zone", "EndpointName.FQDN", "FirewallRule.FQDNs", "FirewallRule.ToFQDN", "FrontDoorDomain.Host", "FrontDoorEndpoint.Host",
		"IngressBackend.Host", "PublicIP.FQDN", "Service.Hosts":
		return hostOf
	case "AGWRedirect.TargetURL", "AGWSetting.HostName", "Cluster.HTTPProxy", "Cluster.HTTPSProxy", "Cluster.NoProxy", "Cluster.PrivateDNSZone",
		"FirewallRule.URLs", "FrontDoor.FrontDoorID", "FrontDoorOrigin.Host", "KubeService.ClusterIP", "KubeService.SourceRangesText",
		"Service.InstanceRules", "WAFCondition.Values":
		return valueOf
	case "Cluster.AdminGroups", "KubeSubject.Name", "NetworkAdmin.Principal", "RoleAssignment.Principal":
		return principalOf
	case "Documents.DataFlow", "Documents.Endpoints", "Documents.Network", "Documents.Pipelines", "Documents.Rules", "Documents.Zones", "InputFile.Path",
		"Review.Snapshot", "Source.File":
		return fileOf
	case "Source.Path":
		return pathOf
	case "InputFile.SHA256":
		return hashOf
	case "ApartObject.Selects", "Requirement.Key", "Toleration.Key", "Workload.Implied":
		return keyOf
	case "FirewallRule.Unknown", "HubRoute.Unknown", "LedgerEntry.Effect", "LedgerEntry.Field", "RuleCollection.Unknown", "SecurityRule.UnknownMatch":
		return noteOf
	case "ApartObject.Type", "LedgerEntry.Type":
		return typeOf
	case "Justification.Rules", "OwnerEntry.Controls", "Review.RuleSets":
		return patternOf
	case "NodePool.Taints":
		return taintOf
	case "WAFCondition.Variables":
		return variableOf
	case "DataFlow.Data", "Store.Data":
		return dataOf
	default:
		return commentOf
	}
}

// commented lists the fields whose texts are dropped.
func commented() []string {
	return []string{
		"Attestation.Evidence", "Attestation.Reason", "DataFlow.AtRest", "DataFlow.InTransit", "EmergencyAccess.Reason", "ExemptNamespace.Reason",
		"FirewallRule.Description", "Justification.Reason", "NoneStatement.Reason", "Review.Actions", "Review.Procedure", "RoleAssignment.Condition", "SecurityRule.Description",
		"Store.AtRest", "Waiver.Reason",
	}
}
