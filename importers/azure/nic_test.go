package azure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

const nicExample = `[{
  "name": "nic1", "id": "RG/Microsoft.Network/networkInterfaces/nic1", "type": "Microsoft.Network/networkInterfaces", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "macAddress": "00-0D-3A-00-00-01", "primary": true, "enableAcceleratedNetworking": false,
    "enableIPForwarding": true, "nicType": "Standard", "auxiliaryMode": "None", "auxiliarySku": "None", "disableTcpStateTracking": false,
    "vnetEncryptionSupported": false, "hostedWorkloads": [], "tapConfigurations": [], "defaultOutboundConnectivityEnabled": false,
    "dnsSettings": {"dnsServers": [], "appliedDnsServers": [], "internalDomainNameSuffix": "x.internal.cloudapp.net"},
    "networkSecurityGroup": {"id": "RG/Microsoft.Network/networkSecurityGroups/nsg-nic"},
    "virtualMachine": {"id": "RG/Microsoft.Compute/virtualMachines/vm1"},
    "ipConfigurations": [
      {"name": "ipconfig1", "id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1", "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
       "properties": {"provisioningState": "Succeeded", "privateIPAddress": "10.1.1.4", "privateIPAllocationMethod": "Dynamic", "primary": true,
         "privateIPAddressVersion": "IPv4", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web"},
         "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip1"},
         "applicationSecurityGroups": [{"id": "RG/Microsoft.Network/applicationSecurityGroups/asg-web"}],
         "loadBalancerBackendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/pool"}],
         "loadBalancerInboundNatRules": [{"id": "RG/Microsoft.Network/loadBalancers/lb/inboundNatRules/ssh"}],
         "applicationGatewayBackendAddressPools": [{"id": "RG/Microsoft.Network/applicationGateways/agw/backendAddressPools/pool"}]}},
      {"name": "v6", "id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/v6",
       "properties": {"privateIPAddress": "fd00:1:0:1::4", "primary": false, "privateIPAddressVersion": "IPv6",
         "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web"}}}
    ]}
},
{"name": "pip1", "id": "RG/Microsoft.Network/publicIPAddresses/pip1", "type": "Microsoft.Network/publicIPAddresses", "location": "westeurope",
 "sku": {"name": "standard", "tier": "Regional"}, "zones": ["1"],
 "properties": {"provisioningState": "Succeeded", "ipAddress": "20.0.0.9", "publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Static",
   "idleTimeoutInMinutes": 4, "ipTags": [], "ddosSettings": {"protectionMode": "VirtualNetworkInherited"},
   "dnsSettings": {"domainNameLabel": "web1", "fqdn": "Web1.westeurope.cloudapp.azure.com"}, "publicIPPrefix": {"id": "RG/Microsoft.Network/publicIPPrefixes/pre"},
   "ipConfiguration": {"id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1"}}},
{"name": "pre", "id": "RG/Microsoft.Network/publicIPPrefixes/pre", "type": "Microsoft.Network/publicIPPrefixes", "location": "westeurope",
 "sku": {"name": "Standard", "tier": "Regional"}, "properties": {"provisioningState": "Succeeded", "prefixLength": 28, "ipPrefix": "20.0.0.0/28",
   "publicIPAddressVersion": "IPv4", "publicIPAddresses": [{"id": "RG/Microsoft.Network/publicIPAddresses/pip1"}]}},
{"name": "nat", "id": "RG/Microsoft.Network/natGateways/nat", "type": "Microsoft.Network/natGateways", "location": "westeurope", "sku": {"name": "Standard"},
 "properties": {"provisioningState": "Succeeded", "idleTimeoutInMinutes": 4, "publicIpAddresses": [{"id": "RG/Microsoft.Network/publicIPAddresses/pip2"}],
   "publicIpPrefixes": [{"id": "RG/Microsoft.Network/publicIPPrefixes/pre"}]}},
{"name": "vm1", "id": "RG/Microsoft.Compute/virtualMachines/vm1", "type": "Microsoft.Compute/virtualMachines", "location": "westeurope",
 "properties": {"vmId": "1", "hardwareProfile": {"vmSize": "Standard_B1s"}, "provisioningState": "Succeeded",
   "storageProfile": {"osDisk": {"name": "d", "managedDisk": {"id": "RG/Microsoft.Compute/disks/d"}}},
   "osProfile": {"computerName": "vm1", "adminUsername": "a", "secrets": []},
   "networkProfile": {"networkInterfaces": [{"id": "RG/Microsoft.Network/networkInterfaces/nic1", "properties": {"primary": true, "deleteOption": "Detach"}}]},
   "instanceView": {"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/deallocated", "displayStatus": "VM deallocated"}]}}}]`

func TestNIC(t *testing.T) {
	nic := &model.NIC{
		Meta: meta("Microsoft.Network/networkInterfaces/nic1"), NSG: id("Microsoft.Network/networkSecurityGroups/nsg-nic"), IPForwarding: model.On,
		VM: id("Microsoft.Compute/virtualMachines/vm1"), DefaultOutbound: model.Off,
		IPConfigs: []model.IPConfig{
			{
				Name: "ipconfig1", Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/web"), Address: addr("10.1.1.4"), Primary: true,
				PublicIP: id("Microsoft.Network/publicIPAddresses/pip1"), ASGs: []model.ID{id("Microsoft.Network/applicationSecurityGroups/asg-web")},
				LBPools:  []model.ID{id("Microsoft.Network/loadBalancers/lb/backendAddressPools/pool")},
				AGWPools: []model.ID{id("Microsoft.Network/applicationGateways/agw/backendAddressPools/pool")},
				NATRules: []model.ID{id("Microsoft.Network/loadBalancers/lb/inboundNatRules/ssh")},
			},
			{Name: "v6", Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/web"), Address: addr("fd00:1:0:1::4")},
		},
	}
	shapes(t, nicExample,
		&model.VM{Meta: meta("Microsoft.Compute/virtualMachines/vm1"), NICs: []model.ID{nic.ID}, Deallocated: true},
		&model.NATGateway{
			Meta: meta("Microsoft.Network/natGateways/nat"), SKU: "Standard", PublicIPs: []model.ID{id("Microsoft.Network/publicIPAddresses/pip2")},
			Prefixes: []model.ID{id("Microsoft.Network/publicIPPrefixes/pre")},
		},
		nic,
		&model.PublicIP{
			Meta: meta("Microsoft.Network/publicIPAddresses/pip1"), Address: addr("20.0.0.9"), SKU: model.Standard,
			AttachedTo: nic.ID + "/ipConfigurations/ipconfig1", FQDN: "web1.westeurope.cloudapp.azure.com", Prefix: id("Microsoft.Network/publicIPPrefixes/pre"),
		},
		&model.PublicIPPrefix{Meta: meta("Microsoft.Network/publicIPPrefixes/pre"), Prefix: prefix("20.0.0.0/28")},
	)
}

const lbExample = `[{
  "name": "lb", "id": "RG/Microsoft.Network/loadBalancers/lb", "type": "Microsoft.Network/loadBalancers", "location": "westeurope",
  "sku": {"name": "Standard", "tier": "Regional"},
  "properties": {"provisioningState": "Succeeded",
    "frontendIPConfigurations": [
      {"name": "fe", "id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/fe", "type": "Microsoft.Network/loadBalancers/frontendIPConfigurations",
       "properties": {"provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic", "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-lb"},
         "loadBalancingRules": [{"id": "RG/Microsoft.Network/loadBalancers/lb/loadBalancingRules/r"}]}},
      {"name": "in", "id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/in", "zones": ["1", "2"],
       "properties": {"privateIPAddress": "10.1.1.100", "privateIPAllocationMethod": "Static", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web"}}}],
    "backendAddressPools": [
      {"name": "pool", "id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/pool", "type": "Microsoft.Network/loadBalancers/backendAddressPools",
       "properties": {"provisioningState": "Succeeded", "backendIPConfigurations": [{"id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1"}],
         "loadBalancerBackendAddresses": [{"name": "x", "properties": {"networkInterfaceIPConfiguration": {"id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1"}}}]}},
      {"name": "byip", "id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/byip",
       "properties": {"virtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1"},
         "loadBalancerBackendAddresses": [{"name": "a", "properties": {"ipAddress": "10.1.1.7"}}]}}],
    "loadBalancingRules": [
      {"name": "r", "id": "RG/Microsoft.Network/loadBalancers/lb/loadBalancingRules/r",
       "properties": {"provisioningState": "Succeeded", "frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/fe"},
         "frontendPort": 443, "backendPort": 8443, "enableFloatingIP": false, "idleTimeoutInMinutes": 4, "protocol": "tcp", "enableTcpReset": true,
         "loadDistribution": "Default", "disableOutboundSnat": true, "probe": {"id": "RG/Microsoft.Network/loadBalancers/lb/probes/p"},
         "backendAddressPool": {"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/pool"},
         "backendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/pool"}]}},
      {"name": "ha", "id": "RG/Microsoft.Network/loadBalancers/lb/loadBalancingRules/ha",
       "properties": {"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/in"}, "frontendPort": 0, "backendPort": 0,
         "protocol": "All", "backendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/byip"}]}}],
    "inboundNatRules": [
      {"name": "ssh", "id": "RG/Microsoft.Network/loadBalancers/lb/inboundNatRules/ssh",
       "properties": {"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/fe"}, "frontendPort": 2222, "backendPort": 22,
         "protocol": "Tcp", "enableFloatingIP": false, "frontendPortRangeStart": 0, "frontendPortRangeEnd": 0,
         "backendIPConfiguration": {"id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1"}}},
      {"name": "span", "id": "RG/Microsoft.Network/loadBalancers/lb/inboundNatRules/span",
       "properties": {"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/fe"}, "frontendPortRangeStart": 500,
         "frontendPortRangeEnd": 599, "backendPort": 3389, "protocol": "Tcp", "backendAddressPool": {"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/pool"}}}],
    "inboundNatPools": [
      {"name": "np", "id": "RG/Microsoft.Network/loadBalancers/lb/inboundNatPools/np",
       "properties": {"frontendIPConfiguration": {"id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/fe"}, "frontendPortRangeStart": 50000,
         "frontendPortRangeEnd": 50119, "backendPort": 22, "protocol": "Tcp"}}],
    "outboundRules": [
      {"name": "out", "id": "RG/Microsoft.Network/loadBalancers/lb/outboundRules/out",
       "properties": {"allocatedOutboundPorts": 0, "protocol": "All", "enableTcpReset": true, "idleTimeoutInMinutes": 4,
         "backendAddressPool": {"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/pool"},
         "frontendIPConfigurations": [{"id": "RG/Microsoft.Network/loadBalancers/lb/frontendIPConfigurations/fe"}]}}],
    "probes": [
      {"name": "p", "id": "RG/Microsoft.Network/loadBalancers/lb/probes/p",
       "properties": {"provisioningState": "Succeeded", "protocol": "Http", "port": 8080, "requestPath": "/", "intervalInSeconds": 5, "numberOfProbes": 2}}]}
}]`

func TestLoadBalancer(t *testing.T) {
	lb := id("Microsoft.Network/loadBalancers/lb")
	fe, in, pool, byip := lb+"/frontendIPConfigurations/fe", lb+"/frontendIPConfigurations/in", lb+"/backendAddressPools/pool", lb+"/backendAddressPools/byip"
	config := id("Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1")
	shapes(t, lbExample, &model.LoadBalancer{
		Meta: meta("Microsoft.Network/loadBalancers/lb"), SKU: model.Standard,
		Frontends: []model.LBFrontend{
			{ID: fe, Name: "fe", PublicIP: id("Microsoft.Network/publicIPAddresses/pip-lb")},
			{ID: in, Name: "in", Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/web"), Address: addr("10.1.1.100")},
		},
		Pools: []model.LBPool{
			{ID: byip, Name: "byip", Addresses: []model.LBAddress{{VNet: id("Microsoft.Network/virtualNetworks/vnet1"), Address: addr("10.1.1.7")}}},
			{ID: pool, Name: "pool", IPConfigs: []model.ID{config}},
		},
		Rules: []model.LBRule{
			{
				ID: lb + "/loadBalancingRules/r", Name: "r", Frontend: fe, Pools: []model.ID{pool}, Probe: lb + "/probes/p", Protocol: model.TCP,
				FrontendPort: 443, BackendPort: 8443, FloatingIP: model.Off, DisableOutboundSNAT: model.On,
			},
			{ID: lb + "/loadBalancingRules/ha", Name: "ha", Frontend: in, Pools: []model.ID{byip}, Protocol: model.AnyProtocol},
		},
		NATRules: []model.LBNATRule{
			{ID: lb + "/inboundNatPools/np", Name: "np", Frontend: fe, Protocol: model.TCP, FrontendPorts: model.PortRange{First: 50000, Last: 50119}, BackendPort: 22},
			{
				ID: lb + "/inboundNatRules/span", Name: "span", Frontend: fe, Protocol: model.TCP, FrontendPorts: model.PortRange{First: 500, Last: 599},
				BackendPort: 3389, Pool: pool,
			},
			{
				ID: lb + "/inboundNatRules/ssh", Name: "ssh", Frontend: fe, Protocol: model.TCP, FrontendPorts: model.PortRange{First: 2222, Last: 2222},
				BackendPort: 22, Target: config, FloatingIP: model.Off,
			},
		},
		Outbound: []model.LBOutboundRule{{Name: "out", Frontends: []model.ID{fe}, Pool: pool}},
		Probes:   []model.LBProbe{{ID: lb + "/probes/p", Name: "p", Protocol: "Http", Port: 8080}},
	})
}

// What a NIC says about a pool, a NAT rule, a public address or a machine, and what those say about the NIC, is one fact.
func TestBothDirections(t *testing.T) {
	const (
		bareNIC = `{"id": "RG/Microsoft.Network/networkInterfaces/nic1", "type": "Microsoft.Network/networkInterfaces", "properties": {"ipConfigurations": [
		  {"name": "ipconfig1", "properties": {"privateIPAddress": "10.1.1.4", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}}]}}`
		fullNIC = `{"id": "RG/Microsoft.Network/networkInterfaces/nic1", "type": "Microsoft.Network/networkInterfaces", "properties": {
		  "virtualMachine": {"id": "RG/Microsoft.Compute/virtualMachines/vm1"}, "ipConfigurations": [
		  {"name": "ipconfig1", "properties": {"privateIPAddress": "10.1.1.4", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"},
		   "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip1"},
		   "applicationGatewayBackendAddressPools": [{"id": "RG/Microsoft.Network/applicationGateways/agw/backendAddressPools/p"}],
		   "loadBalancerInboundNatRules": [{"id": "RG/Microsoft.Network/loadBalancers/lb/inboundNatRules/ssh"}],
		   "loadBalancerBackendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/pool"}]}}]}}`
		bareOthers = `{"id": "RG/Microsoft.Network/loadBalancers/lb", "type": "Microsoft.Network/loadBalancers", "properties": {
		   "backendAddressPools": [{"name": "pool", "properties": {}}],
		   "inboundNatRules": [{"name": "ssh", "properties": {"frontendPort": 22, "backendPort": 22, "protocol": "Tcp"}}]}},
		  {"id": "RG/Microsoft.Network/applicationGateways/agw", "type": "Microsoft.Network/applicationGateways", "properties": {"backendAddressPools": [{"name": "p", "properties": {}}]}},
		  {"id": "RG/Microsoft.Compute/virtualMachines/vm1", "type": "Microsoft.Compute/virtualMachines", "properties": {}},
		  {"id": "RG/Microsoft.Network/publicIPAddresses/pip1", "type": "Microsoft.Network/publicIPAddresses", "properties": {"ipAddress": "20.0.0.9"}}`
		fullOthers = `{"id": "RG/Microsoft.Network/loadBalancers/lb", "type": "Microsoft.Network/loadBalancers", "properties": {
		   "backendAddressPools": [{"name": "pool", "properties": {"backendIPConfigurations": [{"id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1"}]}}],
		   "inboundNatRules": [{"name": "ssh", "properties": {"frontendPort": 22, "backendPort": 22, "protocol": "Tcp",
		     "backendIPConfiguration": {"id": "RG/Microsoft.Network/networkInterfaces/NIC1/ipConfigurations/ipconfig1"}}}]}},
		  {"id": "RG/Microsoft.Network/applicationGateways/agw", "type": "Microsoft.Network/applicationGateways", "properties": {"backendAddressPools": [
		   {"name": "p", "properties": {"backendIPConfigurations": [{"id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1"}]}}]}},
		  {"id": "RG/Microsoft.Compute/virtualMachines/vm1", "type": "Microsoft.Compute/virtualMachines", "properties": {"networkProfile": {"networkInterfaces": [
		   {"id": "RG/Microsoft.Network/networkInterfaces/nic1"}]}}},
		  {"id": "RG/Microsoft.Network/publicIPAddresses/pip1", "type": "Microsoft.Network/publicIPAddresses", "properties": {"ipAddress": "20.0.0.9",
		   "ipConfiguration": {"id": "RG/Microsoft.Network/networkInterfaces/nic1/ipConfigurations/ipconfig1"}}}`
	)
	want := one(t, "["+fullNIC+","+fullOthers+"]")
	for name, text := range map[string]string{"from the NIC": fullNIC + "," + bareOthers, "from the others": bareNIC + "," + fullOthers} {
		got := one(t, "["+text+"]")
		if diff := cmp.Diff(want.Resources, got.Resources, facts()); diff != "" {
			t.Errorf("%s (-both +got):\n%s", name, diff)
		}
	}
}

const scaleSetExample = `[{
  "name": "aks-np-1-vmss", "id": "RG/Microsoft.Compute/virtualMachineScaleSets/aks-np-1-vmss", "type": "Microsoft.Compute/virtualMachineScaleSets",
  "location": "westeurope", "sku": {"name": "Standard_D4", "tier": "Standard", "capacity": 3}, "tags": {"aks-managed-poolName": "np"},
  "properties": {"provisioningState": "Succeeded", "orchestrationMode": "Uniform", "overprovision": false, "singlePlacementGroup": false,
    "virtualMachineProfile": {"osProfile": {"adminUsername": "azureuser"}, "storageProfile": {}, "extensionProfile": {"extensions": []},
      "networkProfile": {"networkInterfaceConfigurations": [{"name": "nic", "properties": {"primary": true, "enableAcceleratedNetworking": true,
        "enableIPForwarding": true, "disableTcpStateTracking": false, "dnsSettings": {"dnsServers": []},
        "networkSecurityGroup": {"id": "RG/Microsoft.Network/networkSecurityGroups/aks-agentpool-12345678-nsg"},
        "ipConfigurations": [{"name": "ipconfig1", "properties": {"primary": true, "privateIPAddressVersion": "IPv4",
          "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web"},
          "publicIPAddressConfiguration": {"name": "pub", "properties": {"idleTimeoutInMinutes": 4}},
          "loadBalancerBackendAddressPools": [{"id": "RG/Microsoft.Network/loadBalancers/lb/backendAddressPools/pool"}],
          "loadBalancerInboundNatPools": [{"id": "RG/Microsoft.Network/loadBalancers/lb/inboundNatPools/np"}]}}]}}]}}}
}]`

func TestScaleSet(t *testing.T) {
	set := id("Microsoft.Compute/virtualMachineScaleSets/aks-np-1-vmss")
	m := meta("Microsoft.Compute/virtualMachineScaleSets/aks-np-1-vmss")
	m.Tags = map[string]string{"aks-managed-poolName": "np"}
	shapes(t, scaleSetExample, &model.ScaleSet{
		Meta: m, Orchestration: "Uniform", Capacity: 3, Managed: true, Pool: "np",
		Profiles: []model.NICProfile{{
			Name: "nic", NSG: id("Microsoft.Network/networkSecurityGroups/aks-agentpool-12345678-nsg"), IPForwarding: model.On, Primary: true, PublicPerVM: true,
			IPConfigs: []model.IPConfig{{
				Name: "ipconfig1", Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/web"), Primary: true, PublicIP: set + "/publicIP",
				LBPools:  []model.ID{id("Microsoft.Network/loadBalancers/lb/backendAddressPools/pool")},
				NATRules: []model.ID{id("Microsoft.Network/loadBalancers/lb/inboundNatPools/np")},
			}},
		}},
	})
}

// Instances of a scale set and their NICs are machines and NICs like others; az lists such NICs under the type of a free-standing one.
func TestScaleSetInstances(t *testing.T) {
	res := one(t, `[{"id": "RG/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0/networkInterfaces/nic", "type": "Microsoft.Network/networkInterfaces",
	  "properties": {"virtualMachine": {"id": "RG/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0"}, "ipConfigurations": [
	   {"name": "c", "properties": {"privateIPAddress": "10.0.0.7", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}}}]}},
	 {"id": "RG/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0", "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines", "instanceId": "0", "properties": {}},
	 {"id": "RG/Microsoft.Compute/virtualMachines/f_1", "type": "Microsoft.Compute/virtualMachines",
	  "properties": {"virtualMachineScaleSet": {"id": "RG/Microsoft.Compute/virtualMachineScaleSets/f"}}}]`)
	set := id("Microsoft.Compute/virtualMachineScaleSets/s")
	want := []model.Resource{
		&model.VM{Meta: model.Meta{ID: id("Microsoft.Compute/virtualMachines/f_1")}, ScaleSet: id("Microsoft.Compute/virtualMachineScaleSets/f")},
		&model.VM{Meta: model.Meta{ID: set + "/virtualMachines/0"}, ScaleSet: set, NICs: []model.ID{set + "/virtualMachines/0/networkInterfaces/nic"}},
		&model.NIC{
			Meta: model.Meta{ID: set + "/virtualMachines/0/networkInterfaces/nic"}, VM: set + "/virtualMachines/0",
			IPConfigs: []model.IPConfig{{Name: "c", Address: addr("10.0.0.7"), Subnet: id("Microsoft.Network/virtualNetworks/v/subnets/s"), Primary: true}},
		},
	}
	if diff := cmp.Diff(want, res.Resources, facts()); diff != "" {
		t.Errorf("instances (-want +got):\n%s", diff)
	}
}
