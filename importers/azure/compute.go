package azure

import (
	"regexp"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// The structs of this file hold what a machine says about the network; nothing else of it moves packets.

type machine struct {
	Properties *machineProperties `json:"properties,omitempty"`
}

type machineProperties struct {
	NetworkProfile *networkProfile `json:"networkProfile,omitempty"`
	InstanceView   *instanceView   `json:"instanceView,omitempty"`
	Extended       *extendedView   `json:"extended,omitempty"`   // Resource Graph
	PowerState     *string         `json:"powerState,omitempty"` // az vm list -d
	ScaleSet       *ref            `json:"virtualMachineScaleSet,omitempty"`
}

type networkProfile struct {
	NetworkInterfaces []*nicReference `json:"networkInterfaces,omitempty"`
}

type nicReference struct {
	ID *string `json:"id,omitempty"`
}

type instanceView struct {
	Statuses []*powerStatus `json:"statuses,omitempty"`
}

type powerStatus struct {
	Code *string `json:"code,omitempty"`
}

type extendedView struct {
	InstanceView *extendedInstance `json:"instanceView,omitempty"`
}

type extendedInstance struct {
	PowerState *powerStatus `json:"powerState,omitempty"`
}

type scaleSet struct {
	SKU        *capacity           `json:"sku,omitempty"`
	Properties *scaleSetProperties `json:"properties,omitempty"`
}

type capacity struct {
	Capacity *int32 `json:"capacity,omitempty"`
}

type scaleSetProperties struct {
	OrchestrationMode *string          `json:"orchestrationMode,omitempty"`
	Profile           *scaleSetProfile `json:"virtualMachineProfile,omitempty"`
}

type scaleSetProfile struct {
	NetworkProfile *scaleSetNetwork `json:"networkProfile,omitempty"`
}

type scaleSetNetwork struct {
	Configurations []*nicConfiguration `json:"networkInterfaceConfigurations,omitempty"`
}

type nicConfiguration struct {
	Name       *string                     `json:"name,omitempty"`
	Properties *nicConfigurationProperties `json:"properties,omitempty"`
}

type nicConfigurationProperties struct {
	Primary          *bool        `json:"primary,omitempty"`
	IPForwarding     *bool        `json:"enableIPForwarding,omitempty"`
	NSG              *ref         `json:"networkSecurityGroup,omitempty"`
	IPConfigurations []*profileIP `json:"ipConfigurations,omitempty"`
	DNSSettings      *profileDNS  `json:"dnsSettings,omitempty"`
}

type profileDNS struct{}

type profileIP struct {
	Name       *string              `json:"name,omitempty"`
	Properties *profileIPProperties `json:"properties,omitempty"`
}

type profileIPProperties struct {
	Primary  *bool          `json:"primary,omitempty"`
	Subnet   *ref           `json:"subnet,omitempty"`
	PublicIP *profilePublic `json:"publicIPAddressConfiguration,omitempty"`
	ASGs     []*ref         `json:"applicationSecurityGroups,omitempty"`
	LBPools  []*ref         `json:"loadBalancerBackendAddressPools,omitempty"`
	NATPools []*ref         `json:"loadBalancerInboundNatPools,omitempty"`
	AGWPools []*ref         `json:"applicationGatewayBackendAddressPools,omitempty"`
}

type profilePublic struct {
	Name *string `json:"name,omitempty"`
}

func computeFields() map[string]fieldUse {
	const ownDNS = "machines of this profile ask DNS servers of their own in place of those of the VNet (AZ-DNS-01); not modelled"
	const machineRest = `additionalCapabilities applicationProfile availabilitySet billingProfile capacityReservation diagnosticsProfile
		evictionPolicy extensionsTimeBudget hardwareProfile host hostGroup licenseType osProfile platformFaultDomain priority
		proximityPlacementGroup scheduledEventsPolicy scheduledEventsProfile securityProfile storageProfile timeCreated userData vmId
		instanceId latestModelApplied modelDefinitionApplied protectionPolicy networkProfileConfiguration resiliencyProfile
		privateIps publicIps fqdns macAddresses extensions resources placement`
	return map[string]fieldUse{
		"machine":           {harmless: "etag extendedLocation id identity location managedBy name plan resources tags type zones sku instanceId placement"},
		"machineProperties": {harmless: machineRest},
		"networkProfile": {
			harmless: "networkApiVersion",
			matters:  map[string]string{"networkInterfaceConfigurations": "network interfaces that are made with the machine are not modelled; export the interfaces"},
		},
		"nicReference": {harmless: "primary deleteOption properties"},
		"instanceView": {harmless: `assignedHost bootDiagnostics computerName disks extensions hyperVGeneration isVMInStandbyPool maintenanceRedeployStatus
			osName osVersion patchStatus platformFaultDomain platformUpdateDomain rdpThumbPrint vmAgent vmHealth placementGroupId`},
		"powerStatus":      {harmless: "displayStatus level message time"},
		"extendedView":     {},
		"extendedInstance": {harmless: "computerName hyperVGeneration osName osVersion"},
		"scaleSet":         {harmless: "etag extendedLocation id identity location name plan tags type zones placement"},
		"capacity":         {harmless: "name tier"},
		"scaleSetProperties": {harmless: `additionalCapabilities automaticRepairsPolicy constrainedMaximumCapacity doNotRunExtensionsOnOverprovisionedVMs
			highSpeedInterconnectPlacement hostGroup overprovision platformFaultDomainCount priorityMixPolicy proximityPlacementGroup
			resiliencyPolicy scaleInPolicy scheduledEventsPolicy singlePlacementGroup skuProfile spotRestorePolicy timeCreated uniqueId
			upgradePolicy zonalPlatformFaultDomainAlignMode zoneBalance`},
		"scaleSetProfile": {harmless: `applicationProfile billingProfile capacityReservation diagnosticsProfile evictionPolicy extensionProfile
			hardwareProfile licenseType osProfile priority scheduledEventsProfile securityPostureReference securityProfile
			serviceArtifactReference storageProfile timeCreated userData`},
		"scaleSetNetwork":  {harmless: "healthProbe networkApiVersion"},
		"nicConfiguration": {harmless: "tags"},
		"nicConfigurationProperties": {
			harmless: "auxiliaryMode auxiliarySku deleteOption enableAcceleratedNetworking enableFpga",
			matters:  map[string]string{"disableTcpStateTracking": "connections are not tracked, so that replies need rules of their own (AZ-NSG-14); not modelled"},
		},
		"profileDNS":          {matters: map[string]string{"dnsServers": ownDNS}},
		"profileIP":           {},
		"profileIPProperties": {harmless: "privateIPAddressVersion"},
		"profilePublic": {harmless: `properties sku tags deleteOption dnsSettings idleTimeoutInMinutes ipTags publicIPAddressVersion
			publicIPAllocationMethod publicIPPrefix`},
	}
}

// readVM reads a virtual machine as far as it owns network interfaces, or an instance of a scale set.
func readVM(r *resource) {
	is, at := decode[machine](r, r.node)
	if is == nil {
		return
	}
	vm := &model.VM{Meta: r.meta()}
	if strings.EqualFold(r.kind.name, "Microsoft.Compute/virtualMachineScaleSets/virtualMachines") {
		vm.ScaleSet = r.id.Parent()
	}
	if p := is.Properties; p != nil {
		at = at.get("properties")
		for i := range at.list("networkProfile", "networkInterfaces") {
			if id := r.idText(at.get("networkProfile", "networkInterfaces").at(i), "id"); id != "" {
				vm.NICs = append(vm.NICs, id)
			}
		}
		vm.NICs = distinct(vm.NICs)
		if set := r.reference(at, "virtualMachineScaleSet"); set != "" {
			vm.ScaleSet = set
		}
		vm.Deallocated = deallocated(p)
	}
	r.emit(vm)
}

// deallocated finds the power state where REST, Resource Graph or az print it.
func deallocated(p *machineProperties) bool {
	codes := []string{deref(p.PowerState)}
	if p.InstanceView != nil {
		for _, s := range p.InstanceView.Statuses {
			codes = append(codes, deref(s.Code))
		}
	}
	if p.Extended != nil && p.Extended.InstanceView != nil && p.Extended.InstanceView.PowerState != nil {
		codes = append(codes, deref(p.Extended.InstanceView.PowerState.Code))
	}
	for _, c := range codes {
		if strings.EqualFold(c, "PowerState/deallocated") || strings.EqualFold(c, "VM deallocated") {
			return true
		}
	}
	return false
}

// readScaleSet reads a scale set; its profile counts for every present and future instance (AZ-ASG-05).
func readScaleSet(r *resource) {
	is, at := decode[scaleSet](r, r.node)
	if is == nil {
		return
	}
	s := &model.ScaleSet{Meta: r.meta()}
	if is.SKU != nil {
		s.Capacity = int(deref(is.SKU.Capacity))
	}
	for name, pool := range s.Tags {
		if strings.EqualFold(name, "aks-managed-poolName") { // link.go also knows node resource groups
			s.Managed, s.Pool = true, pool
		}
	}
	if is.Properties != nil {
		s.Orchestration = deref(is.Properties.OrchestrationMode)
		for _, c := range at.list("properties", "virtualMachineProfile", "networkProfile", "networkInterfaceConfigurations") {
			s.Profiles = append(s.Profiles, r.nicProfile(c))
		}
		if len(s.Profiles) == 1 {
			s.Profiles[0].Primary = true
		}
	}
	r.emit(s)
}

func (r *resource) nicProfile(at *value) model.NICProfile {
	p := model.NICProfile{Name: at.text("name"), Source: r.source(at.raw)}
	at = at.get("properties")
	p.NSG, p.IPForwarding, p.Primary = r.reference(at, "networkSecurityGroup"), boolean(at, "enableIPForwarding"), boolean(at, "primary") == model.On
	for _, c := range at.list("ipConfigurations") {
		ip := model.IPConfig{Name: c.text("name"), Source: r.source(c.raw)}
		c = c.get("properties")
		ip.Subnet, ip.Primary = r.reference(c, "subnet"), boolean(c, "primary") == model.On
		ip.ASGs, ip.LBPools = r.references(c, "applicationSecurityGroups"), r.references(c, "loadBalancerBackendAddressPools")
		ip.AGWPools, ip.NATRules = r.references(c, "applicationGatewayBackendAddressPools"), r.references(c, "loadBalancerInboundNatPools")
		if c.get("publicIPAddressConfiguration") != nil {
			ip.PublicIP, p.PublicPerVM = model.ID(strings.TrimRight(string(r.id), "/")+"/publicIP"), true
		}
		p.IPConfigs = append(p.IPConfigs, ip)
	}
	if len(p.IPConfigs) == 1 {
		p.IPConfigs[0].Primary = true
	}
	return p
}

// boolean reads a Boolean member.
func boolean(v *value, name string) model.Setting {
	m := v.get(name)
	if m == nil {
		return model.NotStated
	}
	return model.SettingOf(m.raw.text == "true")
}

// aksNSG reports whether a name is one that AKS gives to the NSG of its nodes (AKS-LB-01).
func aksNSG(name string) bool {
	ok, err := regexp.MatchString(`(?i)^aks-agentpool-[0-9]+-nsg$`, name)
	return err == nil && ok
}
