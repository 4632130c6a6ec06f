package azure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

func connection(name string, groups ...string) []model.EndpointConnection {
	return []model.EndpointConnection{{Endpoint: id("Microsoft.Network/privateEndpoints/" + name), State: "Approved", Groups: groups}}
}

const vaultExample = `[{"name": "KV-cards", "id": "RG/Microsoft.KeyVault/vaults/KV-cards", "type": "Microsoft.KeyVault/vaults", "location": "westeurope",
	  "systemData": {"createdBy": "x"}, "properties": {"sku": {"family": "A", "name": "premium"}, "tenantId": "t", "accessPolicies": [{"tenantId": "t", "objectId": "o", "permissions": {"keys": ["get"]}}],
	  "enabledForDeployment": false, "enableSoftDelete": true, "softDeleteRetentionInDays": 90, "enableRbacAuthorization": true, "provisioningState": "Succeeded",
	  "vaultUri": "https://KV-cards.vault.azure.net/", "publicNetworkAccess": "disabled",
	  "networkAcls": {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [{"value": "198.51.100.0/24"}],
	    "virtualNetworkRules": [{"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web", "ignoreMissingVnetServiceEndpoint": false}]},
	  "privateEndpointConnections": [{"id": "RG/Microsoft.KeyVault/vaults/KV-cards/privateEndpointConnections/c", "etag": "1", "properties": {"provisioningState": "Succeeded",
	    "privateEndpoint": {"id": "RG/Microsoft.Network/privateEndpoints/pe-kv"}, "privateLinkServiceConnectionState": {"status": "Approved", "actionsRequired": "None"}}}]}}]`

func TestKeyVault(t *testing.T) {
	shapes(t, vaultExample,
		&model.Service{
			Meta: meta("Microsoft.KeyVault/vaults/KV-cards"), Kind: model.KeyVault, Type: "Microsoft.KeyVault/vaults", Public: "Disabled", HasACLs: true,
			DefaultAccess: model.Deny, Bypass: "AzureServices", Tier: "premium", Hosts: []string{"kv-cards.vault.azure.net"}, Connections: connection("pe-kv"),
			IPRules:   []model.IPRule{{Name: "198.51.100.0/24", Prefixes: prefixList2("198.51.100.0/24")}},
			VNetRules: []model.VNetRule{{Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/web"), IgnoreMissing: model.Off}},
		})
}

const registryExample = `[{"name": "acr", "id": "RG/Microsoft.ContainerRegistry/registries/acr", "type": "Microsoft.ContainerRegistry/registries", "location": "westeurope", "sku": {"name": "Premium", "tier": "Premium"},
	  "properties": {"loginServer": "ACR.azurecr.io", "creationDate": "2026-01-01T00:00:00Z", "provisioningState": "Succeeded", "adminUserEnabled": false,
	  "networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"action": "Allow", "value": "203.0.113.7"}]}, "policies": {"quarantinePolicy": {"status": "disabled"}},
	  "encryption": {"status": "disabled"}, "dataEndpointEnabled": true, "dataEndpointHostNames": ["acr.westeurope.data.azurecr.io"], "privateEndpointConnections": [],
	  "publicNetworkAccess": "Enabled", "networkRuleBypassOptions": "AzureServices", "zoneRedundancy": "Disabled", "anonymousPullEnabled": false}}]`

func TestRegistry(t *testing.T) {
	shapes(t, registryExample,
		&model.Service{
			Meta: meta("Microsoft.ContainerRegistry/registries/acr"), Kind: model.ContainerRegistry, Type: "Microsoft.ContainerRegistry/registries", Public: "Enabled",
			HasACLs: true, DefaultAccess: model.Deny, Bypass: "AzureServices", Tier: "Premium", DataEndpoint: model.On, AtRest: "disabled",
			Hosts:   []string{"acr.azurecr.io", "acr.westeurope.data.azurecr.io"},
			IPRules: []model.IPRule{{Name: "203.0.113.7", Prefixes: prefixList2("203.0.113.7/32")}},
		})
}

const sqlExample = `[{"name": "sql", "id": "RG/Microsoft.Sql/servers/sql", "type": "Microsoft.Sql/servers", "location": "westeurope", "kind": "v12.0",
  "properties": {"administratorLogin": "sa", "administratorLoginPassword": "hunter2", "version": "12.0", "state": "Ready", "fullyQualifiedDomainName": "sql.database.windows.net",
  "privateEndpointConnections": [{"id": "RG/Microsoft.Sql/servers/sql/privateEndpointConnections/c", "properties": {"privateEndpoint": {"id": "RG/Microsoft.Network/privateEndpoints/pe-sql"},
    "groupIds": ["sqlServer"], "privateLinkServiceConnectionState": {"status": "Approved", "description": "", "actionsRequired": "None"}, "provisioningState": "Ready"}}],
  "minimalTlsVersion": "1.2", "publicNetworkAccess": "Enabled", "restrictOutboundNetworkAccess": "Disabled"}},
 {"name": "AllowAllWindowsAzureIps", "id": "RG/Microsoft.Sql/servers/sql/firewallRules/AllowAllWindowsAzureIps", "type": "Microsoft.Sql/servers/firewallRules",
  "properties": {"startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0"}},
 {"name": "office", "id": "RG/Microsoft.Sql/servers/sql/firewallRules/office", "type": "Microsoft.Sql/servers/firewallRules",
  "properties": {"startIpAddress": "198.51.100.0", "endIpAddress": "198.51.100.2"}},
 {"name": "six", "id": "RG/Microsoft.Sql/servers/sql/ipv6FirewallRules/six", "type": "Microsoft.Sql/servers/ipv6FirewallRules",
  "properties": {"startIPv6Address": "2001:db8::", "endIPv6Address": "2001:db8::1"}},
 {"name": "web", "id": "RG/Microsoft.Sql/servers/sql/virtualNetworkRules/web", "type": "Microsoft.Sql/servers/virtualNetworkRules",
  "properties": {"virtualNetworkSubnetId": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web", "ignoreMissingVnetServiceEndpoint": true, "state": "Ready"}},
 {"name": "current", "id": "RG/Microsoft.Sql/servers/sql/encryptionProtector/current", "type": "Microsoft.Sql/servers/encryptionProtector", "kind": "azurekeyvault", "location": "westeurope",
  "properties": {"serverKeyName": "kv_k_1", "serverKeyType": "AzureKeyVault", "uri": "https://kv.vault.azure.net/keys/k/1", "thumbprint": "x", "autoRotationEnabled": false}}]`

func sqlModel() *model.Service {
	return &model.Service{
		Meta: meta("Microsoft.Sql/servers/sql"), Kind: model.SQLServer, Type: "Microsoft.Sql/servers", Public: "Enabled", MinTLS: "1.2", AtRest: "AzureKeyVault",
		Hosts: []string{"sql.database.windows.net"}, Connections: connection("pe-sql", "sqlServer"),
		IPRules: []model.IPRule{
			{Name: "AllowAllWindowsAzureIps", AllAzure: true}, // AZ-SQL-03
			{Name: "office", Prefixes: prefixList2("198.51.100.0/31", "198.51.100.2/32")},
			{Name: "six", Prefixes: prefixList2("2001:db8::/127")},
		},
		VNetRules: []model.VNetRule{{Name: "web", Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/web"), IgnoreMissing: model.On}},
	}
}

func TestSQLServer(t *testing.T) { shapes(t, sqlExample, sqlModel()) }

// Rules of a server may also stand in its properties; an empty list there says that there are none, and none at all says nothing.
func TestRulesInsideTheServer(t *testing.T) {
	const head = `{"id": "RG/Microsoft.Sql/servers/sql", "type": "Microsoft.Sql/servers", "properties": {"publicNetworkAccess": "Enabled"`
	inside := one(t, head+`, "firewallRules": [{"name": "r", "properties": {"startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255"}}], "virtualNetworkRules": []}}`)
	beside := one(t, head+`}} {"id": "RG/Microsoft.Sql/servers/sql/firewallRules/r", "properties": {"startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255"}}`)
	if diff := cmp.Diff(inside.Resources, beside.Resources, facts()); diff != "" {
		t.Errorf("beside (-inside +got):\n%s", diff)
	}
	if got := inside.Resources[0].(*model.Service).IPRules[0].Prefixes; len(got) != 1 || got[0] != prefix("0.0.0.0/0") {
		t.Errorf("0.0.0.0-255.255.255.255: got %v, want 0.0.0.0/0", got)
	}
	const unlisted = "sql firewallRules: the firewall rules of the server are not in the input, and without one it is closed (AZ-SQL-01): export them, or write `\"firewallRules\": []` into its properties"
	const noVNet = "sql virtualNetworkRules: the virtual network rules of the server are not in the input, and a subnet has the service endpoint that they need: export them, or write `\"virtualNetworkRules\": []` into its properties"
	const subnet = ` {"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s", "properties": {"addressPrefix": "10.0.0.0/24", "serviceEndpoints": [{"service": "Microsoft.Sql"}]}}`
	for text, want := range map[string][]string{
		head + `}}`:                               {unlisted},
		head + `, "firewallRules": []}}`:          nil,
		head + `, "firewallRules": []}}` + subnet: {noVNet}, // a rule could match now
		head + `, "firewallRules": [], "virtualNetworkRules": []}}` + subnet:                                 nil,
		`{"id": "RG/Microsoft.Sql/servers/sql", "properties": {"publicNetworkAccess": "Disabled"}}` + subnet: nil, // AZ-SQL-02
	} {
		if diff := cmp.Diff(want, ledgerOf(one(t, text), model.Unsupported)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

const storageExample = `[{"name": "st", "id": "RG/Microsoft.Storage/storageAccounts/st", "type": "Microsoft.Storage/storageAccounts", "location": "westeurope", "kind": "StorageV2",
	  "sku": {"name": "Standard_LRS", "tier": "Standard"}, "properties": {"provisioningState": "Succeeded", "accessTier": "Hot", "creationTime": "2026-01-01T00:00:00Z", "primaryLocation": "westeurope",
	  "statusOfPrimary": "available", "allowBlobPublicAccess": false, "isHnsEnabled": false, "isSftpEnabled": false, "minimumTlsVersion": "TLS1_2", "publicNetworkAccess": "Enabled", "supportsHttpsTrafficOnly": true,
	  "networkAcls": {"bypass": "Logging, Metrics", "defaultAction": "Deny", "ipRules": [{"value": "20.0.0.4", "action": "Allow"}], "ipv6Rules": [],
	    "resourceAccessRules": [{"tenantId": "t", "resourceId": "RG/Microsoft.DataFactory/factories/*"}],
	    "virtualNetworkRules": [{"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web", "action": "Allow", "state": "Succeeded"}]},
	  "encryption": {"keySource": "Microsoft.Keyvault", "services": {"blob": {"enabled": true, "keyType": "Account"}}, "keyvaultproperties": {"keyname": "k"}},
	  "primaryEndpoints": {"blob": "https://ST.blob.core.windows.net/", "dfs": "https://st.dfs.core.windows.net/", "microsoftEndpoints": {"blob": "https://st-microsoftrouting.blob.core.windows.net/"}},
	  "secondaryEndpoints": {"blob": "https://st-secondary.blob.core.windows.net/"}}}]`

func TestStorage(t *testing.T) {
	shapes(t, storageExample,
		&model.Service{
			Meta: meta("Microsoft.Storage/storageAccounts/st"), Kind: model.StorageAccount, Type: "Microsoft.Storage/storageAccounts", Public: "Enabled", HasACLs: true,
			DefaultAccess: model.Deny, Bypass: "Logging, Metrics", Tier: "Standard_LRS", MinTLS: "TLS1_2", HTTPSOnly: model.On, AtRest: "Microsoft.Keyvault",
			Hosts:         []string{"st-microsoftrouting.blob.core.windows.net", "st-secondary.blob.core.windows.net", "st.blob.core.windows.net", "st.dfs.core.windows.net"},
			IPRules:       []model.IPRule{{Name: "20.0.0.4", Prefixes: prefixList2("20.0.0.4/32")}},
			VNetRules:     []model.VNetRule{{Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/web")}},
			InstanceRules: []string{id("Microsoft.DataFactory/factories/*").Key()},
		})
}

// az renames some members of a storage account.
func TestStorageFromAz(t *testing.T) {
	rest := one(t, `{"id": "RG/Microsoft.Storage/storageAccounts/st", "type": "Microsoft.Storage/storageAccounts", "properties": {"supportsHttpsTrafficOnly": false,
	  "networkAcls": {"bypass": "None", "defaultAction": "Deny", "ipRules": [{"value": "20.0.0.4"}], "virtualNetworkRules": [{"id": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}]}}}`)
	az := one(t, `{"id": "RG/Microsoft.Storage/storageAccounts/st", "type": "Microsoft.Storage/storageAccounts", "enableHttpsTrafficOnly": false, "blobRestoreStatus": null, "resourceGroup": "rg1",
	  "networkRuleSet": {"bypass": "None", "defaultAction": "Deny", "ipRules": [{"ipAddressOrRange": "20.0.0.4"}], "ipv6Rules": [], "resourceAccessRules": null,
	   "virtualNetworkRules": [{"virtualNetworkResourceId": "RG/Microsoft.Network/virtualNetworks/v/subnets/s"}]}}`)
	if diff := cmp.Diff(rest.Resources, az.Resources, facts()); diff != "" {
		t.Errorf("az (-rest +got):\n%s", diff)
	}
	if got := rest.Resources[0].(*model.Service).Hosts; len(got) != 5 || got[0] != "st.blob.core.windows.net" {
		t.Errorf("derived hosts: %v", got)
	}
}

const servicesExample = `[
	 {"name": "cos", "id": "RG/Microsoft.DocumentDB/databaseAccounts/cos", "type": "Microsoft.DocumentDB/databaseAccounts", "location": "West Europe", "kind": "GlobalDocumentDB",
	  "properties": {"provisioningState": "Succeeded", "documentEndpoint": "https://cos.documents.azure.com:443/", "publicNetworkAccess": "Enabled", "isVirtualNetworkFilterEnabled": true,
	   "ipRules": [{"ipAddressOrRange": "0.0.0.0"}, {"ipAddressOrRange": "198.51.100.0/24"}], "virtualNetworkRules": [{"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web", "ignoreMissingVNetServiceEndpoint": false}],
	   "capabilities": [{"name": "EnableTable"}], "networkAclBypass": "None", "networkAclBypassResourceIds": [], "minimalTlsVersion": "Tls12", "keyVaultKeyUri": "https://kv.vault.azure.net/keys/k",
	   "readLocations": [{"id": "cos-westeurope", "locationName": "West Europe", "documentEndpoint": "https://cos-westeurope.documents.azure.com:443/", "failoverPriority": 0}],
	   "privateEndpointConnections": [{"id": "RG/Microsoft.DocumentDB/databaseAccounts/cos/privateEndpointConnections/c", "properties": {"privateEndpoint": {"id": "RG/Microsoft.Network/privateEndpoints/pe-cos"},
	     "groupId": "Sql", "privateLinkServiceConnectionState": {"status": "Approved"}}}]}},
	 {"name": "my", "id": "RG/Microsoft.DBforMySQL/flexibleServers/my", "type": "Microsoft.DBforMySQL/flexibleServers", "location": "westeurope", "sku": {"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"},
	  "properties": {"fullyQualifiedDomainName": "my.mysql.database.azure.com", "state": "Ready", "version": "8.0.21", "network": {"publicNetworkAccess": "Enabled"}, "storage": {"storageSizeGB": 20}}},
	 {"name": "r", "id": "RG/Microsoft.DBforMySQL/flexibleServers/my/firewallRules/r", "type": "Microsoft.DBforMySQL/flexibleServers/firewallRules", "properties": {"startIpAddress": "198.51.100.7", "endIpAddress": "198.51.100.7"}},
	 {"name": "pg", "id": "RG/Microsoft.DBforPostgreSQL/flexibleServers/pg", "type": "Microsoft.DBforPostgreSQL/flexibleServers", "location": "westeurope", "sku": {"name": "Standard_D2s_v3", "tier": "GeneralPurpose"},
	  "properties": {"fullyQualifiedDomainName": "pg.postgres.database.azure.com", "network": {"publicNetworkAccess": "Disabled", "delegatedSubnetResourceId": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/db",
	   "privateDnsZoneArmResourceId": "RG/Microsoft.Network/privateDnsZones/pg.private"}, "dataEncryption": {"type": "SystemManaged"}, "highAvailability": {"mode": "Disabled"}}},
	 {"name": "red", "id": "RG/Microsoft.Cache/Redis/red", "type": "Microsoft.Cache/Redis", "location": "westeurope",
	  "properties": {"provisioningState": "Succeeded", "redisVersion": "6.0", "sku": {"name": "Premium", "family": "P", "capacity": 1}, "enableNonSslPort": false, "hostName": "red.redis.cache.windows.net", "port": 6379,
	   "sslPort": 6380, "minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled", "redisConfiguration": {"maxclients": "1000"}, "accessKeys": {"primaryKey": "hunter2"}}},
	 {"name": "red/rule1", "id": "RG/Microsoft.Cache/Redis/red/firewallRules/rule1", "type": "Microsoft.Cache/Redis/firewallRules", "properties": {"startIP": "198.51.100.1", "endIP": "198.51.100.4"}},
	 {"name": "sb", "id": "RG/Microsoft.ServiceBus/namespaces/sb", "type": "Microsoft.ServiceBus/Namespaces", "location": "westeurope", "sku": {"name": "Premium", "tier": "Premium", "capacity": 1},
	  "properties": {"provisioningState": "Succeeded", "serviceBusEndpoint": "https://sb.servicebus.windows.net:443/", "metricId": "x", "status": "Active", "minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled",
	   "encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": []}, "disableLocalAuth": false, "zoneRedundant": true}},
	 {"name": "default", "id": "RG/Microsoft.ServiceBus/namespaces/sb/networkRuleSets/default", "type": "Microsoft.ServiceBus/namespaces/networkRuleSets", "location": "westeurope",
	  "properties": {"publicNetworkAccess": "Enabled", "defaultAction": "Deny", "trustedServiceAccessEnabled": true, "ipRules": [{"ipMask": "198.51.100.0/24", "action": "Allow"}],
	   "virtualNetworkRules": [{"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/web"}, "ignoreMissingVnetServiceEndpoint": true}]}},
	 {"name": "eh", "id": "RG/Microsoft.EventHub/namespaces/eh", "type": "Microsoft.EventHub/Namespaces", "location": "westeurope", "sku": {"name": "Standard", "tier": "Standard", "capacity": 1},
	  "properties": {"serviceBusEndpoint": "https://eh.servicebus.windows.net:443/", "publicNetworkAccess": "Disabled", "isAutoInflateEnabled": false, "kafkaEnabled": true}},
	 {"name": "law", "id": "RG/Microsoft.OperationalInsights/workspaces/law", "type": "Microsoft.OperationalInsights/workspaces", "location": "westeurope",
	  "properties": {"customerId": "0000-1111", "sku": {"name": "pergb2018", "lastSkuUpdate": "2026-01-01T00:00:00Z"}, "retentionInDays": 30, "features": {"legacy": 0}, "workspaceCapping": {"dailyQuotaGb": -1.0},
	   "publicNetworkAccessForIngestion": "Disabled", "publicNetworkAccessForQuery": "Enabled", "provisioningState": "Succeeded"}},
	 {"name": "ampls", "id": "RG/Microsoft.Insights/privateLinkScopes/ampls", "type": "microsoft.insights/privateLinkScopes", "location": "global",
	  "properties": {"provisioningState": "Succeeded", "accessModeSettings": {"queryAccessMode": "Open", "ingestionAccessMode": "privateOnly", "exclusions": []}, "privateEndpointConnections": []}},
	 {"name": "s", "id": "RG/Microsoft.Insights/privateLinkScopes/ampls/scopedResources/s", "type": "Microsoft.Insights/privateLinkScopes/scopedResources",
	  "properties": {"provisioningState": "Succeeded", "linkedResourceId": "RG/Microsoft.OperationalInsights/workspaces/law"}}]`

func TestOtherServices(t *testing.T) {
	sub := id("Microsoft.Network/virtualNetworks/vnet1/subnets/db")
	shapes(t, servicesExample,
		&model.Service{
			Meta: meta("Microsoft.Cache/redis/red"), Kind: model.Redis, Type: "Microsoft.Cache/redis", Public: "Enabled", Tier: "Premium", MinTLS: "1.2", HTTPSOnly: model.On,
			Hosts:   []string{"red.redis.cache.windows.net"},
			IPRules: []model.IPRule{{Name: "rule1", Prefixes: prefixList2("198.51.100.1/32", "198.51.100.2/31", "198.51.100.4/32")}},
		},
		&model.Service{
			Meta: meta("Microsoft.DBforMySQL/flexibleServers/my"), Kind: model.MySQL, Type: "Microsoft.DBforMySQL/flexibleServers", Public: "Enabled", Tier: "Standard_D2ds_v4",
			Hosts: []string{"my.mysql.database.azure.com"}, IPRules: []model.IPRule{{Name: "r", Prefixes: prefixList2("198.51.100.7/32")}},
		},
		&model.Service{
			Meta: meta("Microsoft.DBforPostgreSQL/flexibleServers/pg"), Kind: model.PostgreSQL, Type: "Microsoft.DBforPostgreSQL/flexibleServers", Public: "Disabled", Tier: "Standard_D2s_v3",
			Injected: sub, AtRest: "SystemManaged", Hosts: []string{"pg.postgres.database.azure.com"},
		},
		&model.Service{
			Meta: meta("Microsoft.DocumentDB/databaseAccounts/cos"), Kind: model.CosmosDB, Type: "Microsoft.DocumentDB/databaseAccounts", Public: "Enabled", VNetFilter: model.On,
			Bypass: "None", MinTLS: "Tls12", AtRest: "customer-managed key", Connections: connection("pe-cos", "Sql"),
			Hosts: []string{"cos-westeurope.documents.azure.com", "cos.documents.azure.com", "cos.table.cosmos.azure.com"},
			IPRules: []model.IPRule{
				{Name: "0.0.0.0", AllAzure: true}, // AZ-COSMOS-01
				{Name: "198.51.100.0/24", Prefixes: prefixList2("198.51.100.0/24")},
			},
			VNetRules: []model.VNetRule{{Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/web"), IgnoreMissing: model.Off}},
		},
		&model.Service{
			Meta: meta("Microsoft.EventHub/namespaces/eh"), Kind: model.EventHub, Type: "Microsoft.EventHub/namespaces", Public: "Disabled", Tier: "Standard", Hosts: []string{"eh.servicebus.windows.net"},
		},
		&model.Service{
			Meta: model.Meta{ID: id("Microsoft.Insights/privateLinkScopes/ampls"), Location: "global"}, Kind: model.MonitorScope, Type: "Microsoft.Insights/privateLinkScopes",
			IngestionMode: "PrivateOnly", QueryMode: "Open", Scoped: []model.ID{id("Microsoft.OperationalInsights/workspaces/law")},
		},
		&model.Service{
			Meta: meta("Microsoft.OperationalInsights/workspaces/law"), Kind: model.LogAnalytics, Type: "Microsoft.OperationalInsights/workspaces", Public: "Enabled", Tier: "pergb2018", Retention: 30,
			Hosts: []string{"0000-1111.agentsvc.azure-automation.net", "0000-1111.ods.opinsights.azure.com", "0000-1111.oms.opinsights.azure.com"},
		},
		&model.Service{
			Meta: meta("Microsoft.ServiceBus/namespaces/sb"), Kind: model.ServiceBus, Type: "Microsoft.ServiceBus/namespaces", Public: "Enabled", HasACLs: true, DefaultAccess: model.Deny,
			Bypass: "AzureServices", Tier: "Premium", MinTLS: "1.2", AtRest: "Microsoft.KeyVault", Hosts: []string{"sb.servicebus.windows.net"},
			IPRules:   []model.IPRule{{Name: "198.51.100.0/24", Prefixes: prefixList2("198.51.100.0/24")}},
			VNetRules: []model.VNetRule{{Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/web"), IgnoreMissing: model.On}},
		},
	)
}

// AZ-PG-03: firewall rules on an injected server have no effect, and the ledger says so.
func TestRulesOfAnInjectedServer(t *testing.T) {
	res := one(t, `{"id": "RG/Microsoft.DBforPostgreSQL/flexibleServers/pg", "properties": {"network": {"delegatedSubnetResourceId": "RG/Microsoft.Network/virtualNetworks/v/subnets/db"},
	  "firewallRules": [{"name": "r", "properties": {"startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0"}}]}}`)
	if s := res.Resources[0].(*model.Service); len(s.IPRules) != 0 {
		t.Errorf("rules: %v", s.IPRules)
	}
	want := []string{"pg firewallRules.r: a firewall rule on a server that is injected into a subnet has no effect (AZ-PG-03)"}
	if diff := cmp.Diff(want, ledgerOf(res, model.Irrelevant)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}
