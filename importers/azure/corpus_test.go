package azure

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// What the tables of the other tests lack of the modelled types.
const (
	instancesExample = `[
	{"name": "0", "id": "RG/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0", "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines", "location": "westeurope",
	 "instanceId": "0", "sku": {"name": "Standard_D2s_v5", "tier": "Standard"}, "properties": {"latestModelApplied": true, "provisioningState": "Succeeded", "vmId": "x",
	 "instanceView": {"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/deallocated", "level": "Info"}]},
	 "networkProfile": {"networkInterfaces": [{"id": "RG/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0/networkInterfaces/nic"}]}}},
	{"name": "nic", "id": "RG/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0/networkInterfaces/nic", "etag": "W/\"1\"",
	 "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces", "location": "westeurope",
	 "properties": {"provisioningState": "Succeeded", "primary": true, "enableIPForwarding": false, "ipConfigurations": [{"name": "c",
	  "id": "RG/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0/networkInterfaces/nic/ipConfigurations/c",
	  "properties": {"privateIPAddress": "10.7.0.4", "primary": true, "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/v7/subnets/s"},
	   "publicIPAddress": {"id": "RG/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0/networkInterfaces/nic/ipConfigurations/c/publicIPAddresses/pub"},
	   "applicationSecurityGroups": [{"id": "RG/Microsoft.Network/applicationSecurityGroups/asg7"}],
	   "loadBalancerInboundNatRules": [{"id": "RG/Microsoft.Network/loadBalancers/lb7/inboundNatRules/ssh"}],
	   "applicationGatewayBackendAddressPools": [{"id": "RG/Microsoft.Network/applicationGateways/agw7/backendAddressPools/p"}]}}],
	  "virtualMachine": {"id": "RG/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0"}}},
	{"name": "pub", "id": "RG/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0/networkInterfaces/nic/ipConfigurations/c/publicIPAddresses/pub",
	 "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces/ipConfigurations/publicIPAddresses", "location": "westeurope", "sku": {"name": "Standard"},
	 "properties": {"provisioningState": "Succeeded", "ipAddress": "20.0.0.77", "publicIPAddressVersion": "IPv4",
	  "ipConfiguration": {"id": "RG/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0/networkInterfaces/nic/ipConfigurations/c"}}},
	{"name": "n7", "id": "RG/Microsoft.Network/networkSecurityGroups/n7", "type": "Microsoft.Network/networkSecurityGroups", "location": "westeurope", "properties": {
	 "securityRules": [
	  {"name": "lists", "id": "RG/Microsoft.Network/networkSecurityGroups/n7/securityRules/lists", "type": "Microsoft.Network/networkSecurityGroups/securityRules", "properties": {
	   "protocol": "Esp", "sourcePortRanges": ["1-2", "5"], "destinationPortRanges": ["0-65535"], "sourceAddressPrefixes": ["10.0.0.0/8", "fd00::/8", "Storage.WestEurope"],
	   "destinationAddressPrefixes": ["10.9.0.4-10.9.0.7"], "access": "Deny", "priority": 4096, "direction": "Outbound", "provisioningState": "Updating"}},
	  {"name": "groups", "id": "RG/Microsoft.Network/networkSecurityGroups/n7/securityRules/groups", "type": "Microsoft.Network/networkSecurityGroups/securityRules", "properties": {
	   "protocol": "Icmp", "sourcePortRange": "*", "destinationPortRange": "*", "sourceApplicationSecurityGroups": [{"id": "RG/Microsoft.Network/applicationSecurityGroups/asg7"}],
	   "destinationAddressPrefix": "VirtualNetwork", "access": "Allow", "priority": 100, "direction": "Outbound"}}],
	 "defaultSecurityRules": [
	  {"name": "DenyAllInBound", "id": "RG/Microsoft.Network/networkSecurityGroups/n7/defaultSecurityRules/DenyAllInBound", "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
	   "properties": {"description": "Deny all inbound traffic", "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*",
	   "access": "Deny", "priority": 65500, "direction": "Inbound", "provisioningState": "Succeeded"}}]}},
	{"name": "v8", "id": "RG/Microsoft.Network/virtualNetworks/v8", "type": "Microsoft.Network/virtualNetworks", "location": "westeurope", "properties": {
	 "addressSpace": {"addressPrefixes": ["10.8.0.0/16"]}, "subnets": [], "virtualNetworkPeerings": [
	 {"name": "some", "id": "RG/Microsoft.Network/virtualNetworks/v8/virtualNetworkPeerings/some", "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
	  "properties": {"peeringState": "Initiated", "remoteVirtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/v9"}, "allowVirtualNetworkAccess": false, "allowForwardedTraffic": true,
	   "allowGatewayTransit": true, "useRemoteGateways": false, "peerCompleteVnets": false, "localSubnetNames": ["b", "a"], "remoteSubnetNames": ["c"], "enableOnlyIPv6Peering": false}}]}},
	{"name": "pool8", "id": "RG/Microsoft.ContainerService/managedClusters/k8/agentPools/pool8", "type": "Microsoft.ContainerService/managedClusters/agentPools", "properties": {
	 "count": 2, "mode": "User", "osType": "Windows", "vnetSubnetID": "RG/Microsoft.Network/virtualNetworks/v8/subnets/nodes", "provisioningState": "Succeeded", "type": "VirtualMachineScaleSets"}},
	{"name": "k8", "id": "RG/Microsoft.ContainerService/managedClusters/k8", "type": "Microsoft.ContainerService/ManagedClusters", "location": "westeurope",
	 "properties": {"nodeResourceGroup": "MC_k8", "networkProfile": {"networkPlugin": "none", "ebpfDataplane": "cilium", "natGatewayProfile": {"effectiveOutboundIPs": [{"id": "RG/Microsoft.Network/publicIPAddresses/out8"}]}}}},
	{"name": "lb8", "id": "RG/Microsoft.Network/loadBalancers/lb8", "type": "Microsoft.Network/loadBalancers", "location": "westeurope", "sku": {"name": "Basic", "tier": "Regional"}, "properties": {
	 "backendAddressPools": [{"name": "p", "id": "RG/Microsoft.Network/loadBalancers/lb8/backendAddressPools/p", "type": "Microsoft.Network/loadBalancers/backendAddressPools", "properties": {}}],
	 "inboundNatRules": [{"name": "r", "id": "RG/Microsoft.Network/loadBalancers/lb8/inboundNatRules/r", "type": "Microsoft.Network/loadBalancers/inboundNatRules",
	  "properties": {"frontendPort": 500, "backendPort": 501, "protocol": "Udp", "enableFloatingIP": true}}]}},
	{"name": "pool", "id": "RG/Microsoft.Network/publicIPPrefixes/p8", "type": "Microsoft.Network/publicIPPrefixes", "location": "westeurope", "sku": {"name": "Standard", "tier": "Regional"},
	 "properties": {"ipPrefix": "20.1.0.0/28", "prefixLength": 28, "publicIPAddressVersion": "IPv4"}},
	{"name": "v6", "id": "RG/Microsoft.Network/dnszones/shop8.example/AAAA/v6", "type": "Microsoft.Network/dnszones/AAAA", "properties": {"TTL": 60, "fqdn": "v6.shop8.example.", "AAAARecords": [{"ipv6Address": "2001:db8::8"}]}},
	{"name": "shop8.example", "id": "RG/Microsoft.Network/dnszones/shop8.example", "type": "Microsoft.Network/dnszones", "location": "global", "properties": {"zoneType": "Public"}},
	{"name": "sub", "id": "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/jitNetworkAccessPolicies/sub", "type": "Microsoft.Security/jitNetworkAccessPolicies",
	 "properties": {"virtualMachines": [{"id": "RG/Microsoft.Compute/virtualMachines/vm8", "ports": [{"number": 5986, "protocol": "TCP", "allowedSourceAddressPrefix": "10.0.0.4", "maxRequestAccessDuration": "PT3H"}]}]}}]`

	serviceRulesExample = `[
	{"name": "pg8", "id": "RG/Microsoft.DBforPostgreSQL/flexibleServers/pg8", "type": "Microsoft.DBforPostgreSQL/flexibleServers", "location": "westeurope",
	 "properties": {"fullyQualifiedDomainName": "pg8.postgres.database.azure.com", "network": {"publicNetworkAccess": "Enabled"}}},
	{"name": "office", "id": "RG/Microsoft.DBforPostgreSQL/flexibleServers/pg8/firewallRules/office", "type": "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules",
	 "properties": {"startIpAddress": "198.51.100.7", "endIpAddress": "198.51.100.9"}},
	{"name": "eh8", "id": "RG/Microsoft.EventHub/namespaces/eh8", "type": "Microsoft.EventHub/Namespaces", "location": "westeurope", "sku": {"name": "Standard"},
	 "properties": {"serviceBusEndpoint": "https://eh8.servicebus.windows.net:443/", "publicNetworkAccess": "Enabled"}},
	{"name": "default", "id": "RG/Microsoft.EventHub/namespaces/eh8/networkRuleSets/default", "type": "Microsoft.EventHub/namespaces/networkRuleSets",
	 "properties": {"defaultAction": "Deny", "ipRules": [{"ipMask": "198.51.100.0/24", "action": "Allow"}], "virtualNetworkRules": []}}]`
)

// What Resource Graph and templates say of a network manager's deployments.
const deploymentsExample = `[
	{"id": "RG/Microsoft.Network/networkManagers/nm8/commits/c", "name": "c", "type": "Microsoft.Network/networkManagers/commits", "properties": {"commitType": "SecurityAdmin",
	 "targetLocations": ["West Europe"], "configurationIds": ["RG/Microsoft.Network/networkManagers/nm8/securityAdminConfigurations/sec"]}},
	{"id": "RG/Microsoft.Network/virtualNetworks/v8/providers/Microsoft.Network/networkGroupMemberships/default", "name": "default", "type": "Microsoft.Network/networkGroupMemberships",
	 "properties": {"GroupMemberships": [{"NetworkGroupId": "RG/Microsoft.Network/networkManagers/nm8/networkGroups/app", "SourceIds": ["/a"]}]}},
	{"id": "RG/Microsoft.Network/virtualNetworks/v8/providers/Microsoft.Network/effectiveSecurityAdminRules/default", "name": "default", "type": "Microsoft.Network/effectiveSecurityAdminRules",
	 "properties": {"EffectiveSecurityAdminConfigurations": [{"Id": "RG/Microsoft.Network/networkManagers/nm8/securityAdminConfigurations/sec/snapshots/7"}]}},
	{"id": "RG/Microsoft.Network/virtualNetworks/v8/providers/Microsoft.Network/effectiveConnectivityConfigurations/default", "name": "default",
	 "type": "Microsoft.Network/effectiveConnectivityConfigurations",
	 "properties": {"EffectiveConnectivityConfigurations": [{"Id": "RG/Microsoft.Network/networkManagers/nm8/connectivityConfigurations/mesh/snapshots/7"}]}}]`

// corpusTexts are the examples that are lists of resources; outputs of list operations have shapes of their own.
func corpusTexts() []string {
	outputs := []string{"[" + effectiveExample + "]", "[" + activeExample + "]", "[" + statusExample + "]"}
	return append(slices.DeleteFunc(examples(), func(text string) bool { return slices.Contains(outputs, text) }), deploymentsExample)
}

// corpus is one list of the resources of all tables, by ID and type: every modelled type is in it.
func corpus(t testing.TB) []any {
	t.Helper()
	var out []any
	for _, text := range corpusTexts() {
		list, err := azuretest.Resources([]byte(fill(text)))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, list...)
	}
	return out
}

// Every modelled type is described in the corpus, inside its parent or as a resource of its own; so what the tests of this package do
// with the corpus they do with every type.
func TestCorpusHasEveryType(t *testing.T) {
	seen := map[string]bool{}
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, m := range v {
				visit(m)
			}
		case azuretest.Object:
			for _, m := range v {
				visit(m)
			}
			id, _ := v["id"].(string)
			typ, _ := v["type"].(string)
			if v["properties"] != nil {
				seen[strings.ToLower(cmp.Or(model.ID(id).Type(), typ))] = true
			}
		}
	}
	visit(corpus(t))
	for _, m := range modelledTypes() {
		if strings.HasPrefix(m.name, "Microsoft.Authorization/") {
			continue // rules of any shape, which carry no packet: TestPolicies reads them
		}
		if !seen[strings.ToLower(m.name)] {
			t.Errorf("%s is in no example", m.name)
		}
	}
}
