package azure

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

const clusterExample = `[{
  "name": "aks", "id": "RG/Microsoft.ContainerService/managedClusters/aks", "type": "Microsoft.ContainerService/ManagedClusters", "location": "westeurope",
  "sku": {"name": "Base", "tier": "Standard"}, "identity": {"type": "SystemAssigned"}, "kind": "Base",
  "properties": {"provisioningState": "Succeeded", "powerState": {"code": "Running"}, "kubernetesVersion": "1.33", "currentKubernetesVersion": "1.32.7", "dnsPrefix": "aks", "enableRBAC": true,
    "nodeResourceGroup": "MC_rg1_aks_westeurope", "fqdn": "AKS-1.hcp.westeurope.azmk8s.io", "privateFQDN": "aks-1.guid.privatelink.westeurope.azmk8s.io", "azurePortalFQDN": "x",
    "maxAgentPools": 100, "supportPlan": "KubernetesOfficial", "publicNetworkAccess": "enabled", "disableLocalAccounts": true,
    "aadProfile": {"managed": true, "enableAzureRBAC": false, "adminGroupObjectIDs": ["00000000-0000-0000-0000-00000000000A"], "tenantID": "x", "serverAppSecret": "hunter2"},
    "servicePrincipalProfile": {"clientId": "msi", "secret": "hunter2"}, "windowsProfile": {"adminUsername": "a", "adminPassword": "hunter2"},
    "linuxProfile": {"adminUsername": "azureuser", "ssh": {"publicKeys": [{"keyData": "ssh-rsa AAAA"}]}},
    "bootstrapProfile": {"artifactSource": "Cache"}, "addonProfiles": {"ingressApplicationGateway": {"enabled": true, "config": {"applicationGatewayId": "RG/Microsoft.Network/applicationGateways/agw"}}, "azurepolicy": {"enabled": true, "config": null}, "omsAgent": {"enabled": false, "config": {"logAnalyticsWorkspaceResourceID": "x"}}},
    "identityProfile": {"kubeletidentity": {"clientId": "x"}}, "oidcIssuerProfile": {"enabled": false}, "securityProfile": {}, "storageProfile": {"diskCSIDriver": {"enabled": true}},
    "networkProfile": {"networkPlugin": "azure", "networkPluginMode": "Overlay", "networkPolicy": "Calico", "networkDataplane": "azure", "loadBalancerSku": "standard",
      "loadBalancerProfile": {"managedOutboundIPs": {"count": 1}, "backendPoolType": "nodeIPConfiguration",
        "effectiveOutboundIPs": [{"id": "RG/Microsoft.Network/publicIPAddresses/out"}]},
      "podCidr": "10.244.0.0/16", "serviceCidr": "10.2.0.0/16", "dnsServiceIP": "10.2.0.10", "outboundType": "userDefinedRouting",
      "podCidrs": ["10.244.0.0/16", "fd12:3456:789a::/64"], "serviceCidrs": ["10.2.0.0/16"], "ipFamilies": ["IPv4", "IPv6"], "podLinkLocalAccess": "IMDS"},
    "apiServerAccessProfile": {"authorizedIPRanges": ["198.51.100.0/24", "203.0.113.7/32"], "enablePrivateCluster": true, "privateDNSZone": "system",
      "enablePrivateClusterPublicFQDN": false, "disableRunCommand": true, "enableVnetIntegration": true, "subnetId": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/api"},
    "httpProxyConfig": {"httpProxy": "http://user:hunter2@10.1.7.4:3128/", "httpsProxy": "http://10.1.7.4:3128", "noProxy": ["10.0.0.0/8", "localhost"], "trustedCa": "LS0t"},
    "ingressProfile": {"webAppRouting": {"enabled": true, "nginx": {"defaultIngressControllerType": "Internal"}, "dnsZoneResourceIds": []}},
    "serviceMeshProfile": {"mode": "Istio", "istio": {"revisions": ["asm-1-24"], "components": {"ingressGateways": [{"mode": "External", "enabled": true}]}}},
    "agentPoolProfiles": [
      {"name": "np", "count": 3, "vmSize": "Standard_D4s_v5", "osDiskSizeGB": 128, "maxPods": 30, "type": "VirtualMachineScaleSets", "enableAutoScaling": true, "minCount": 1, "maxCount": 5,
       "mode": "System", "osType": "Linux", "osSKU": "Ubuntu", "provisioningState": "Succeeded", "powerState": {"code": "Running"}, "orchestratorVersion": "1.33",
       "vnetSubnetID": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/nodes", "podSubnetID": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/pods",
       "enableNodePublicIP": true, "nodePublicIPPrefixID": "RG/Microsoft.Network/publicIPPrefixes/pre", "nodeLabels": {"pci": "in"}, "nodeTaints": ["a=b:NoSchedule"],
       "networkProfile": {"allowedHostPorts": [{"portStart": 8080, "portEnd": 8090, "protocol": "TCP"}], "applicationSecurityGroups": ["RG/Microsoft.Network/applicationSecurityGroups/asg"]},
       "securityProfile": {"sshAccess": "Disabled", "enableVTPM": false}, "upgradeSettings": {"maxSurge": "10%"}}]}
}]`

func clusterModel() *model.Cluster {
	vnet := id("Microsoft.Network/virtualNetworks/vnet1")
	return &model.Cluster{
		Meta: meta("Microsoft.ContainerService/managedClusters/aks"), NodeGroup: "MC_rg1_aks_westeurope", Plugin: "azure", PluginMode: "overlay", DataPlane: "azure", KubernetesVersion: "1.32.7",
		Policy: "calico", OutboundType: "userDefinedRouting", PodCIDRs: prefixList2("10.244.0.0/16", "fd12:3456:789a::/64"), ServiceCIDRs: prefixList2("10.2.0.0/16"),
		DNSServiceIP: addr("10.2.0.10"), Private: model.On, PrivateDNSZone: "system", PublicFQDN: model.Off, VNetAPI: model.On, APISubnet: vnet + "/subnets/api",
		APIRanges: prefixList2("198.51.100.0/24", "203.0.113.7/32"), APIRangesSet: true, RunCommandOff: model.On, PublicAccess: "Enabled",
		FQDN: "aks-1.hcp.westeurope.azmk8s.io", PrivateFQDN: "aks-1.guid.privatelink.westeurope.azmk8s.io",
		HTTPProxy: "http://10.1.7.4:3128", HTTPSProxy: "http://10.1.7.4:3128", NoProxy: []string{"10.0.0.0/8", "localhost"}, HasProxy: true,
		Pools: []model.NodePool{{
			Name: "np", ID: id("Microsoft.ContainerService/managedClusters/aks/agentPools/np"), Mode: "System", Subnet: vnet + "/subnets/nodes",
			PodSubnet: vnet + "/subnets/pods", PublicIPs: model.On, PublicPrefix: id("Microsoft.Network/publicIPPrefixes/pre"), Count: 3, OS: "Linux",
			Labels: map[string]string{"pci": "in"}, Taints: []string{"a=b:NoSchedule"}, ASGs: []model.ID{id("Microsoft.Network/applicationSecurityGroups/asg")},
			HostPorts: []model.PortRange{{First: 8080, Last: 8090}}, SSHAccess: "Disabled",
		}},
		AddOns: map[string]bool{"azurepolicy": true, "omsagent": false, "ingressapplicationgateway": true}, MeshMode: "Istio",
		AdminGroups: []string{"00000000-0000-0000-0000-00000000000a"}, AzureRBAC: model.Off, LocalOff: model.On,
		ArtifactSource: "Cache", IngressGateway: id("Microsoft.Network/applicationGateways/agw"),
		MeshGateways:  []model.MeshGateway{{Mode: "External", Enabled: model.On}},
		WebAppRouting: model.On, WebAppController: "Internal", OutboundIPs: []model.ID{id("Microsoft.Network/publicIPAddresses/out")},
	}
}

func TestCluster(t *testing.T) {
	shapes(t, clusterExample, clusterModel())
}

// A node pool beside its cluster is the same as inside; where both stand, the pool's own resource wins (AKS-NET-12).
func TestAgentPools(t *testing.T) {
	const head = `{"id": "RG/Microsoft.ContainerService/managedClusters/aks", "type": "Microsoft.ContainerService/managedClusters", "properties": {"agentPoolProfiles": [`
	const old = `{"name": "np", "count": 1, "vnetSubnetID": "RG/Microsoft.Network/virtualNetworks/v/subnets/old"}`
	const now = `{"name": "np", "count": 2, "vnetSubnetID": "RG/Microsoft.Network/virtualNetworks/v/subnets/now"}`
	const own = `{"id": "RG/Microsoft.ContainerService/managedClusters/aks/agentPools/np", "name": "np", "type": "Microsoft.ContainerService/managedClusters/agentPools",
	  "properties": {"count": 2, "type": "VirtualMachineScaleSets", "vnetSubnetID": "RG/Microsoft.Network/virtualNetworks/v/subnets/now"}}`
	const az = `{"id": "RG/Microsoft.ContainerService/managedClusters/aks/agentPools/np", "name": "np", "resourceGroup": "rg1", "typePropertiesType": "VirtualMachineScaleSets",
	  "type": "Microsoft.ContainerService/managedClusters/agentPools", "count": 2, "vnetSubnetId": "RG/Microsoft.Network/virtualNetworks/v/subnets/now"}`
	want := one(t, head+now+"]}}")
	for name, text := range map[string]string{"beside": head + "]}}" + own, "beside, az": head + "]}}" + az, "both": own + head + old + "]}}"} {
		got := one(t, text)
		if diff := cmp.Diff(want.Resources, got.Resources, facts()); diff != "" {
			t.Errorf("%s (-inside +got):\n%s", name, diff)
		}
		if bad := ledgerOf(got, model.Unsupported); len(bad) > 0 {
			t.Errorf("%s: unsupported: %v", name, bad)
		}
	}
}

// What AKS made is known by the node resource group of a cluster in the input, or by the name that AKS gives (AKS-LB-01).
func TestManagedByAKS(t *testing.T) {
	res := one(t, `[{"id": "RG/Microsoft.ContainerService/managedClusters/aks", "type": "Microsoft.ContainerService/managedClusters", "properties": {"nodeResourceGroup": "nodes"}},
	 {"id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/NODES/providers/Microsoft.Network/networkSecurityGroups/any", "properties": {}},
	 {"id": "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/nodes/providers/Microsoft.Network/networkSecurityGroups/other", "properties": {}},
	 {"id": "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/mc/providers/Microsoft.Network/networkSecurityGroups/aks-agentpool-12345678-nsg", "properties": {}}]`)
	got := map[string]bool{}
	for _, r := range res.Resources {
		if n, ok := r.(*model.NSG); ok {
			got[n.Name()] = n.Managed
		}
	}
	if diff := cmp.Diff(map[string]bool{"any": true, "other": false, "aks-agentpool-12345678-nsg": true}, got); diff != "" {
		t.Errorf("managed (-want +got):\n%s", diff)
	}
}

// A policy engine that is absent stays absent (AKS-POL-01), and an unknown value is said to be unknown.
func TestClusterValues(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.ContainerService/managedClusters/aks", "type": "Microsoft.ContainerService/managedClusters", "properties": {
	  "networkProfile": {"networkPlugin": "azure", "outboundType": "carrierPigeon", "newRouting": {"mode": "x"}}, "apiServerAccessProfile": {"authorizedIPRanges": []},
	  "hostedSystemProfile": {"enabled": false}}}`)
	c := res.Resources[0].(*model.Cluster)
	if c.Policy != "" || c.APIRangesSet || c.PolicyOpen {
		t.Errorf("got policy %q, ranges set %v, open %v; want none of them", c.Policy, c.APIRangesSet, c.PolicyOpen)
	}
	want := []string{
		"aks properties.networkProfile.newRouting: field not known to ringfence",
		"aks properties.networkProfile.outboundType: a value that is not known to ringfence",
	}
	if diff := cmp.Diff(want, ledgerOf(res, model.Unsupported)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// The version that runs counts, else the one that is asked for; one that cannot be read is unsupported (K8S-NP-16).
func TestClusterVersion(t *testing.T) {
	for _, test := range []struct{ fields, want string }{
		{`"kubernetesVersion": "1.31"`, "1.31"},
		{`"kubernetesVersion": "1.31", "currentKubernetesVersion": "1.30.9"`, "1.30.9"},
		{`"kubernetesVersion": null`, ""},
		{`"kubernetesVersion": "newest"`, ""},
	} {
		res := one(t, `{"id": "RG/Microsoft.ContainerService/managedClusters/aks", "type": "Microsoft.ContainerService/managedClusters", "properties": {`+test.fields+`}}`)
		if got := res.Resources[0].(*model.Cluster).KubernetesVersion; got != test.want {
			t.Errorf("%s: got %q, want %q", test.fields, got, test.want)
		}
		if said := slices.Contains(ledgerOf(res, model.Unsupported), "aks properties.kubernetesVersion: a value that is not known to ringfence"); said != strings.Contains(test.fields, "newest") {
			t.Errorf("%s: ledger %v", test.fields, ledgerOf(res, model.Unsupported))
		}
	}
}

const jitExample = `[{"name": "default", "id": "RG/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default", "type": "Microsoft.Security/locations/jitNetworkAccessPolicies",
	  "location": "westeurope", "kind": "Basic", "properties": {"provisioningState": "Succeeded", "virtualMachines": [
	   {"id": "RG/Microsoft.Compute/virtualMachines/vm1", "publicIpAddress": "20.0.0.9", "ports": [
	    {"number": 3389, "protocol": "*", "allowedSourceAddressPrefix": "*", "maxRequestAccessDuration": "PT3H"},
	    {"number": 22, "protocol": "TCP", "allowedSourceAddressPrefixes": ["10.1.6.0/28", "VirtualNetwork"], "maxRequestAccessDuration": "PT1H"}]}], "requests": []}}]`

func TestJIT(t *testing.T) {
	shapes(t, jitExample,
		&model.JITPolicy{
			Meta: meta("Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default"),
			VMs: []model.JITMachine{{VM: id("Microsoft.Compute/virtualMachines/vm1"), Ports: []model.JITPort{
				{Port: 22, Protocol: model.TCP, MaxTime: "PT1H", Sources: model.AddressMatch{Prefixes: prefixList2("10.1.6.0/28"), Tags: []string{"VirtualNetwork"}}},
				{Port: 3389, Protocol: model.AnyProtocol, MaxTime: "PT3H", Sources: model.AddressMatch{Any: true}},
			}}},
		})
}
