package azure

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// The structs of this file hold what an AKS cluster says about the network (section 6 of azure-edge-and-aks.md).

type cluster struct {
	Properties *clusterProperties `json:"properties,omitempty"`
}

type clusterProperties struct {
	NodeResourceGroup   *string           `json:"nodeResourceGroup,omitempty"`
	Version             *string           `json:"kubernetesVersion,omitempty"`
	Running             *string           `json:"currentKubernetesVersion,omitempty"`
	FQDN                *string           `json:"fqdn,omitempty"`
	PrivateFQDN         *string           `json:"privateFQDN,omitempty"`
	PublicNetworkAccess *string           `json:"publicNetworkAccess,omitempty"`
	Network             *clusterNetwork   `json:"networkProfile,omitempty"`
	API                 *apiServer        `json:"apiServerAccessProfile,omitempty"`
	Proxy               *httpProxy        `json:"httpProxyConfig,omitempty"`
	Pools               []*agentPool      `json:"agentPoolProfiles,omitempty"`
	AddOns              map[string]*addOn `json:"addonProfiles,omitempty"`
	Mesh                *serviceMesh      `json:"serviceMeshProfile,omitempty"`
	Ingress             *ingressProfile   `json:"ingressProfile,omitempty"`
	Bootstrap           *bootstrap        `json:"bootstrapProfile,omitempty"`
	AAD                 *clusterAAD       `json:"aadProfile,omitempty"`
	LocalOff            *bool             `json:"disableLocalAccounts,omitempty"`
}

// clusterAAD is who signs in to the API server by Entra ID.
type clusterAAD struct {
	Admins    []*string `json:"adminGroupObjectIDs,omitempty"`
	AzureRBAC *bool     `json:"enableAzureRBAC,omitempty"`
}

type bootstrap struct {
	Source *string `json:"artifactSource,omitempty"`
}

type clusterNetwork struct {
	Plugin       *string          `json:"networkPlugin,omitempty"`
	PluginMode   *string          `json:"networkPluginMode,omitempty"`
	Policy       *string          `json:"networkPolicy,omitempty"`
	DataPlane    *string          `json:"networkDataplane,omitempty"`
	OldDataPlane *string          `json:"ebpfDataplane,omitempty"`
	OutboundType *string          `json:"outboundType,omitempty"`
	PodCIDR      *string          `json:"podCidr,omitempty"`
	PodCIDRs     []*string        `json:"podCidrs,omitempty"`
	ServiceCIDR  *string          `json:"serviceCidr,omitempty"`
	ServiceCIDRs []*string        `json:"serviceCidrs,omitempty"`
	DNSServiceIP *string          `json:"dnsServiceIP,omitempty"`
	LoadBalancer *outboundProfile `json:"loadBalancerProfile,omitempty"`
	NATGateway   *outboundProfile `json:"natGatewayProfile,omitempty"`
}

type outboundProfile struct {
	Effective []*ref       `json:"effectiveOutboundIPs,omitempty"`
	Own       *outboundIPs `json:"outboundIPs,omitempty"`
}

type outboundIPs struct {
	PublicIPs []*ref `json:"publicIPs,omitempty"`
}

type apiServer struct {
	Ranges          []*string `json:"authorizedIPRanges,omitempty"`
	Private         *bool     `json:"enablePrivateCluster,omitempty"`
	PrivateDNSZone  *string   `json:"privateDNSZone,omitempty"`
	PublicFQDN      *bool     `json:"enablePrivateClusterPublicFQDN,omitempty"`
	VNetIntegration *bool     `json:"enableVnetIntegration,omitempty"`
	Subnet          *string   `json:"subnetId,omitempty"`
	RunCommandOff   *bool     `json:"disableRunCommand,omitempty"`
}

type httpProxy struct {
	HTTP      *string   `json:"httpProxy,omitempty"`
	HTTPS     *string   `json:"httpsProxy,omitempty"`
	NoProxy   []*string `json:"noProxy,omitempty"`
	Effective []*string `json:"effectiveNoProxy,omitempty"`
	Enabled   *bool     `json:"enabled,omitempty"`
}

type addOn struct {
	Enabled *bool `json:"enabled,omitempty"`
}

type serviceMesh struct {
	Mode  *string `json:"mode,omitempty"`
	Istio *istio  `json:"istio,omitempty"`
}

type istio struct {
	Components *istioComponents `json:"components,omitempty"`
}

type istioComponents struct {
	IngressGateways []*meshGateway `json:"ingressGateways,omitempty"`
}

type meshGateway struct {
	Mode    *string `json:"mode,omitempty"`
	Enabled *bool   `json:"enabled,omitempty"`
}

type ingressProfile struct {
	WebAppRouting *webAppRouting `json:"webAppRouting,omitempty"`
}

type webAppRouting struct {
	Enabled *bool          `json:"enabled,omitempty"`
	Nginx   *webAppIngress `json:"nginx,omitempty"`
}

type webAppIngress struct {
	Controller *string `json:"defaultIngressControllerType,omitempty"`
}

// agentPool is a node pool, as a profile of the cluster or as a resource of its own.
type agentPool struct {
	ID         *string         `json:"id,omitempty"`
	Name       *string         `json:"name,omitempty"`
	Properties *poolProperties `json:"properties,omitempty"`
}

type poolProperties struct {
	Mode         *string            `json:"mode,omitempty"`
	Subnet       *string            `json:"vnetSubnetID,omitempty"`
	PodSubnet    *string            `json:"podSubnetID,omitempty"`
	PublicIPs    *bool              `json:"enableNodePublicIP,omitempty"`
	PublicPrefix *string            `json:"nodePublicIPPrefixID,omitempty"`
	Count        *int32             `json:"count,omitempty"`
	OS           *string            `json:"osType,omitempty"`
	Labels       map[string]*string `json:"nodeLabels,omitempty"`
	Taints       []*string          `json:"nodeTaints,omitempty"`
	Network      *poolNetwork       `json:"networkProfile,omitempty"`
	Security     *poolSecurity      `json:"securityProfile,omitempty"`
	Windows      *poolWindows       `json:"windowsProfile,omitempty"`
}

type poolNetwork struct {
	HostPorts []*hostPorts `json:"allowedHostPorts,omitempty"`
	ASGs      []*string    `json:"applicationSecurityGroups,omitempty"`
}

type hostPorts struct {
	First *int32 `json:"portStart,omitempty"`
	Last  *int32 `json:"portEnd,omitempty"`
}

type poolSecurity struct {
	SSH *string `json:"sshAccess,omitempty"`
}

type poolWindows struct{}

func clusterFields() map[string]fieldUse {
	return map[string]fieldUse{
		"cluster": {harmless: "etag extendedLocation id identity kind location name sku systemData tags type zones plan"},
		"clusterProperties": {
			harmless: `aiToolchainOperatorProfile autoScalerProfile autoUpgradeProfile azureMonitorProfile azurePortalFQDN
				controlPlaneScalingProfile creationData diskEncryptionSetID
				dnsPrefix eTag enableFIPS enableNamespaceResources enablePodSecurityPolicy enableRBAC fqdnSubdomain guardrailsProfile
				healthMonitorProfile identityProfile linuxProfile maxAgentPools metricsProfile nodeDisruptionProfile
				nodeProvisioningProfile nodeResourceGroupProfile oidcIssuerProfile podIdentityProfile powerState privateEndpointConnections
				privateLinkResources provisioningState resourceUID safeguardsProfile schedulerProfile securityProfile
				servicePrincipalProfile status storageProfile supportPlan upgradeSettings windowsProfile workloadAutoScalerProfile kind`,
			matters: map[string]string{"hostedSystemProfile": "system pods run on nodes that Azure hosts in subnets of their own; not modelled"},
		},
		"clusterNetwork": {harmless: `advancedNetworking dockerBridgeCidr ipFamilies kubeProxyConfig loadBalancerSku monitoring networkMode
			podLinkLocalAccess staticEgressGatewayProfile`},
		"outboundProfile": {harmless: `allocatedOutboundPorts backendPoolType clusterServiceLoadBalancerHealthProbeMode
			enableMultipleStandardLoadBalancers idleTimeoutInMinutes managedOutboundIPProfile managedOutboundIPs outboundIPPrefixes`},
		"outboundIPs": {},
		"apiServer":   {},
		"httpProxy":   {harmless: "trustedCa"},
		"addOn":       {harmless: "config identity"},
		"bootstrap":   {harmless: "containerRegistryId"},
		"clusterAAD": {
			harmless: "clientAppID managed serverAppID serverAppSecret tenantID",
			matters:  map[string]string{"adminUsers": "makes users administrators of the cluster; not read (1.1.1-c)"},
		},
		"serviceMesh":     {},
		"istio":           {harmless: "certificateAuthority revisions"},
		"istioComponents": {harmless: "egressGateways proxyRedirectionMechanism"},
		"meshGateway":     {},
		"ingressProfile": {
			harmless: "gatewayAPI",
			matters:  map[string]string{"applicationLoadBalancer": "Application Gateway for Containers is a public entry to pods (AKS-ING-03) and is not modelled"},
		},
		"webAppRouting": {harmless: "defaultDomain dnsZoneResourceId dnsZoneResourceIds gatewayAPIImplementations identity"},
		"webAppIngress": {},
		"agentPool":     {harmless: "etag type"},
		"poolProperties": {harmless: `artifactStreamingProfile availabilityZones capacityReservationGroupID creationData
			currentOrchestratorVersion eTag enableAutoScaling enableCustomCATrust enableEncryptionAtHost enableFIPS
			enableOSDiskFullCaching enableUltraSSD gatewayProfile gpuInstanceProfile gpuProfile hostGroupID kubeletConfig kubeletDiskType
			linuxOSConfig localDNSProfile maxCount maxPods messageOfTheDay minCount nodeCustomizationProfile nodeImageVersion
			nodeInitializationTaints orchestratorVersion osDiskSizeGB osDiskType osSKU podIPAllocationMode powerState
			preparedImageSpecificationProfile provisioningState proximityPlacementGroupID scaleDownMode scaleSetEvictionPolicy
			scaleSetPriority spotMaxPrice status tags type upgradeSettings upgradeSettingsBlueGreen upgradeStrategy
			virtualMachineNodesStatus virtualMachinesProfile vmSize workloadRuntime`},
		"poolNetwork": {harmless: "nodePublicIPTags", matters: map[string]string{
			"secondaryNetworkInterfaces": "the nodes have a second network interface, which is not modelled",
			"nodePublicIPPrefixIDs":      "the nodes take public addresses from several prefixes; not modelled",
		}},
		"hostPorts":    {harmless: "protocol"},
		"poolSecurity": {harmless: "enableSecureBoot enableVTPM"},
		"poolWindows":  {matters: map[string]string{"disableOutboundNat": "pods on Windows nodes keep their own source address; not modelled"}},
	}
}

// readCluster reads an AKS cluster with its node pools.
func readCluster(r *resource) {
	is, at := decode[cluster](r, r.node)
	if is == nil {
		return
	}
	c := &model.Cluster{Meta: r.meta()}
	at = at.get("properties")
	p := is.Properties
	if p == nil {
		p = &clusterProperties{}
	}
	c.NodeGroup, c.FQDN, c.PrivateFQDN = deref(p.NodeResourceGroup), strings.ToLower(deref(p.FQDN)), strings.ToLower(deref(p.PrivateFQDN))
	c.PublicAccess = r.publicAccess(at, "publicNetworkAccess")
	r.clusterNetwork(c, at.get("networkProfile"))
	r.clusterAPI(c, p.API, at.get("apiServerAccessProfile"))
	r.clusterProxy(c, p.Proxy)
	c.Pools = r.pools(p, at)
	r.clusterVersion(c, at)
	for name, a := range p.AddOns {
		if c.AddOns == nil {
			c.AddOns = map[string]bool{}
		}
		if a != nil {
			c.AddOns[strings.ToLower(name)] = deref(a.Enabled)
		}
	}
	if addOns := at.get("addonProfiles"); addOns != nil { // AKS-ING-02; each add-on has settings of its own
		settings := addOns.raw.get("ingressApplicationGateway").get("config")
		c.IngressGateway = model.ID(cmp.Or(settings.str("effectiveApplicationGatewayId"), settings.str("applicationGatewayId")))
	}
	c.ArtifactSource = at.text("bootstrapProfile", "artifactSource")
	for _, g := range at.list("aadProfile", "adminGroupObjectIDs") {
		c.AdminGroups = append(c.AdminGroups, strings.ToLower(g.raw.text))
	}
	slices.Sort(c.AdminGroups)
	c.AdminGroups = slices.Compact(c.AdminGroups)
	c.AzureRBAC, c.LocalOff = boolean(at.get("aadProfile"), "enableAzureRBAC"), boolean(at, "disableLocalAccounts")
	c.MeshMode = at.text("serviceMeshProfile", "mode")
	for _, v := range at.list("serviceMeshProfile", "istio", "components", "ingressGateways") {
		c.MeshGateways = append(c.MeshGateways, model.MeshGateway{Mode: v.text("mode"), Enabled: boolean(v, "enabled")})
	}
	routing := at.get("ingressProfile", "webAppRouting")
	c.WebAppRouting, c.WebAppController = boolean(routing, "enabled"), routing.text("nginx", "defaultIngressControllerType")
	r.emit(c)
}

// clusterVersion reads which Kubernetes runs, or is to run (K8S-NP-16).
func (r *resource) clusterVersion(c *model.Cluster, at *value) {
	for _, name := range []string{"currentKubernetesVersion", "kubernetesVersion"} {
		text := at.text(name)
		if _, ok := (&model.Cluster{KubernetesVersion: text}).KubernetesMinor(); text != "" && !ok {
			r.unsupported(at.get(name).raw, "a value that is not known to ringfence")
			continue
		}
		c.KubernetesVersion = cmp.Or(c.KubernetesVersion, text)
	}
}

func (r *resource) clusterNetwork(c *model.Cluster, at *value) {
	known := func(name string, list ...string) string {
		text, ok := enum(at.text(name), list)
		if !ok && text != "" {
			r.unsupported(at.get(name).raw, "a value that is not known to ringfence")
		}
		return text
	}
	c.Plugin, c.PluginMode = known("networkPlugin", "azure", "kubenet", "none"), known("networkPluginMode", "overlay")
	c.Policy = known("networkPolicy", "azure", "calico", "cilium", "none")
	if c.DataPlane = known("networkDataplane", "azure", "cilium"); c.DataPlane == "" {
		c.DataPlane = known("ebpfDataplane", "cilium")
	}
	c.OutboundType = known("outboundType", "loadBalancer", "userDefinedRouting", "managedNATGateway", "managedNATGatewayV2",
		"userAssignedNATGateway", "none", "block") // AKS-OUT-01
	c.PodCIDRs = r.cidrs(both(at, "podCidr", "podCidrs"))
	c.ServiceCIDRs = r.cidrs(both(at, "serviceCidr", "serviceCidrs"))
	c.DNSServiceIP = r.addr(at, "dnsServiceIP")
	for _, name := range []string{"loadBalancerProfile", "natGatewayProfile"} {
		c.OutboundIPs = append(c.OutboundIPs, r.references(at, name, "effectiveOutboundIPs")...)
		c.OutboundIPs = append(c.OutboundIPs, r.references(at, name, "outboundIPs", "publicIPs")...)
	}
	c.OutboundIPs = distinct(c.OutboundIPs)
}

// cidrs reads ranges that stand in a singular and a plural field, which repeat each other.
func (r *resource) cidrs(list []*value) []netip.Prefix {
	out := r.blocks(list)
	slices.SortFunc(out, comparePrefix)
	return slices.Compact(out)
}

// clusterAPI reads how the API server is reached (AKS-API-01 to AKS-API-08).
func (r *resource) clusterAPI(c *model.Cluster, p *apiServer, at *value) {
	if p == nil {
		return
	}
	c.APIRanges = r.prefixes(at.list("authorizedIPRanges"))
	c.APIRangesSet = len(p.Ranges) > 0 // AKS-API-02: an empty list is open
	c.Private, c.PrivateDNSZone = setting(p.Private), deref(p.PrivateDNSZone)
	c.PublicFQDN, c.VNetAPI, c.RunCommandOff = setting(p.PublicFQDN), setting(p.VNetIntegration), setting(p.RunCommandOff)
	c.APISubnet = r.idText(at, "subnetId")
}

// clusterProxy reads the HTTP proxy (AKS-OUT-07). Its URL may hold a password, which is taken off.
func (r *resource) clusterProxy(c *model.Cluster, p *httpProxy) {
	if p == nil || p.Enabled != nil && !*p.Enabled {
		return
	}
	c.HTTPProxy, c.HTTPSProxy = proxyURL(deref(p.HTTP)), proxyURL(deref(p.HTTPS))
	c.NoProxy = names(append(slices.Clone(p.NoProxy), p.Effective...))
	c.HasProxy = c.HTTPProxy != "" || c.HTTPSProxy != ""
}

func proxyURL(text string) string {
	if text == "" {
		return ""
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "(a proxy whose URL cannot be read)"
	}
	return u.Scheme + "://" + u.Host
}

// pools reads node pools from the profiles of the cluster and from their own resources, which win (AKS-NET-12).
func (r *resource) pools(p *clusterProperties, at *value) []model.NodePool {
	byName := map[string]model.NodePool{}
	for _, s := range items(r, p.Pools, at.list("agentPoolProfiles"), "") {
		pool := nodePool(s)
		byName[pool.Name] = pool
	}
	own := map[string]model.NodePool{}
	for _, s := range items[agentPool](r, nil, nil, "agentpools") {
		pool := nodePool(s)
		if first, ok := own[pool.Name]; ok && !model.Alike(first, pool) {
			r.errs = append(r.errs, &model.InputError{
				Source: pool.Source, Resource: pool.ID, Found: "a second, different copy",
				Accepted: "one description of each resource; the other is at " + first.Source.String(),
			})
		}
		own[pool.Name], byName[pool.Name] = pool, pool
	}
	var out []model.NodePool
	for _, pool := range byName {
		out = append(out, pool)
	}
	slices.SortFunc(out, func(a, b model.NodePool) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func nodePool(s item[agentPool]) model.NodePool {
	name := s.at.text("name")
	if name == "" {
		_, name = s.part(s.at, "agentPools")
	}
	pool := model.NodePool{Name: name, Source: s.source(s.at.raw), ID: s.partID("agentPools", name)}
	p := s.is.Properties
	if p == nil {
		return pool
	}
	at := s.at.get("properties")
	pool.Mode, pool.OS, pool.Count = deref(p.Mode), deref(p.OS), int(deref(p.Count))
	pool.Subnet, pool.PodSubnet = s.idText(at, "vnetSubnetID"), s.idText(at, "podSubnetID")
	pool.PublicIPs, pool.PublicPrefix = setting(p.PublicIPs), s.idText(at, "nodePublicIPPrefixID")
	for k, v := range p.Labels {
		if pool.Labels == nil {
			pool.Labels = map[string]string{}
		}
		pool.Labels[k] = deref(v)
	}
	pool.Taints = names(p.Taints)
	pool.ASGs = s.idList(at.list("networkProfile", "applicationSecurityGroups"))
	for _, v := range at.list("networkProfile", "allowedHostPorts") {
		pool.HostPorts = append(pool.HostPorts, s.portSpan(v, "portStart", "portEnd"))
	}
	pool.SSHAccess = at.text("securityProfile", "sshAccess")
	return pool
}
