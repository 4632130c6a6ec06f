package azure

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

const agwExample = `[{
  "name": "agw", "id": "RG/Microsoft.Network/applicationGateways/agw", "type": "Microsoft.Network/applicationGateways", "location": "westeurope", "zones": ["1"],
  "identity": {"type": "UserAssigned", "userAssignedIdentities": {}},
  "properties": {"provisioningState": "Succeeded", "operationalState": "Running", "enableHttp2": false, "forceFirewallPolicyAssociation": true,
    "sku": {"name": "WAF_v2", "tier": "waf_v2", "family": "Generation_1"}, "autoscaleConfiguration": {"minCapacity": 0, "maxCapacity": 10},
    "gatewayIPConfigurations": [{"name": "g", "id": "RG/Microsoft.Network/applicationGateways/agw/gatewayIPConfigurations/g",
      "properties": {"subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/agw"}}}],
    "sslCertificates": [{"name": "cert", "id": "RG/Microsoft.Network/applicationGateways/agw/sslCertificates/cert",
      "properties": {"publicCertData": "MIIC", "keyVaultSecretId": "https://kv.vault.azure.net/secrets/cert", "data": "c2VjcmV0", "password": "hunter2"}}],
    "trustedRootCertificates": [], "authenticationCertificates": [], "trustedClientCertificates": [{"name": "ca", "id": "RG/Microsoft.Network/applicationGateways/agw/trustedClientCertificates/ca"}],
    "sslPolicy": {"policyType": "Custom", "minProtocolVersion": "TLSv1_2", "cipherSuites": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]},
    "sslProfiles": [{"name": "mtls", "id": "RG/Microsoft.Network/applicationGateways/agw/sslProfiles/mtls",
      "properties": {"sslPolicy": {"policyName": "AppGwSslPolicy20220101S"}, "clientAuthConfiguration": {"verifyClientCertIssuerDN": true},
        "trustedClientCertificates": [{"id": "RG/Microsoft.Network/applicationGateways/agw/trustedClientCertificates/ca"}]}}],
    "frontendIPConfigurations": [
      {"name": "pub", "id": "RG/Microsoft.Network/applicationGateways/agw/frontendIPConfigurations/pub", "properties": {"publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-agw"}}},
      {"name": "priv", "id": "RG/Microsoft.Network/applicationGateways/agw/frontendIPConfigurations/priv",
       "properties": {"privateIPAddress": "10.1.5.4", "privateIPAllocationMethod": "Static", "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/agw"}}}],
    "frontendPorts": [{"name": "p443", "id": "RG/Microsoft.Network/applicationGateways/agw/frontendPorts/p443", "properties": {"port": 443, "httpListeners": []}}],
    "httpListeners": [{"name": "l", "id": "RG/Microsoft.Network/applicationGateways/agw/httpListeners/l",
      "properties": {"protocol": "https", "hostName": "Shop.example", "hostNames": ["www.shop.example"], "requireServerNameIndication": true,
        "frontendIPConfiguration": {"id": "RG/Microsoft.Network/applicationGateways/agw/frontendIPConfigurations/pub"},
        "frontendPort": {"id": "RG/Microsoft.Network/applicationGateways/agw/frontendPorts/p443"},
        "sslCertificate": {"id": "RG/Microsoft.Network/applicationGateways/agw/sslCertificates/cert"},
        "sslProfile": {"id": "RG/Microsoft.Network/applicationGateways/agw/sslProfiles/mtls"},
        "firewallPolicy": {"id": "RG/Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/waf"}, "customErrorConfigurations": []}}],
    "listeners": [],
    "backendAddressPools": [{"name": "p", "id": "RG/Microsoft.Network/applicationGateways/agw/backendAddressPools/p",
      "properties": {"backendAddresses": [{"ipAddress": "10.1.1.9"}, {"fqdn": "API.internal"}, {"fqdn": "10.1.1.8"}]}}],
    "backendHttpSettingsCollection": [{"name": "s", "id": "RG/Microsoft.Network/applicationGateways/agw/backendHttpSettingsCollection/s",
      "properties": {"port": 8443, "protocol": "Https", "cookieBasedAffinity": "Disabled", "hostName": "api.internal", "requestTimeout": 30, "pickHostNameFromBackendAddress": false,
        "connectionDraining": {"enabled": false, "drainTimeoutInSec": 1}, "probe": {"id": "RG/Microsoft.Network/applicationGateways/agw/probes/pr"}}}],
    "backendSettingsCollection": [],
    "probes": [{"name": "pr", "id": "RG/Microsoft.Network/applicationGateways/agw/probes/pr",
      "properties": {"protocol": "Https", "host": "api.internal", "path": "/healthz", "interval": 30, "timeout": 30, "unhealthyThreshold": 3, "port": 8444,
        "pickHostNameFromBackendHttpSettings": false, "minServers": 0, "match": {"body": "", "statusCodes": ["200-399"]}}}],
    "requestRoutingRules": [{"name": "r", "id": "RG/Microsoft.Network/applicationGateways/agw/requestRoutingRules/r",
      "properties": {"ruleType": "PathBasedRouting", "priority": 10, "httpListener": {"id": "RG/Microsoft.Network/applicationGateways/agw/httpListeners/l"},
        "urlPathMap": {"id": "RG/Microsoft.Network/applicationGateways/agw/urlPathMaps/m"}}}],
    "routingRules": [],
    "urlPathMaps": [{"name": "m", "id": "RG/Microsoft.Network/applicationGateways/agw/urlPathMaps/m",
      "properties": {"defaultBackendAddressPool": {"id": "RG/Microsoft.Network/applicationGateways/agw/backendAddressPools/p"},
        "defaultBackendHttpSettings": {"id": "RG/Microsoft.Network/applicationGateways/agw/backendHttpSettingsCollection/s"},
        "pathRules": [{"name": "adm", "id": "RG/Microsoft.Network/applicationGateways/agw/urlPathMaps/m/pathRules/adm",
          "properties": {"paths": ["/admin/*"], "redirectConfiguration": {"id": "RG/Microsoft.Network/applicationGateways/agw/redirectConfigurations/rd"},
            "firewallPolicy": {"id": "RG/Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/waf2"}}}]}}],
    "redirectConfigurations": [{"name": "rd", "id": "RG/Microsoft.Network/applicationGateways/agw/redirectConfigurations/rd",
      "properties": {"redirectType": "Permanent", "targetUrl": "https://u:p@away.example/x?sig=SECRET", "includePath": true}}],
    "rewriteRuleSets": [{"name": "rw", "id": "RG/Microsoft.Network/applicationGateways/agw/rewriteRuleSets/rw", "properties": {"rewriteRules": [{"name": "h", "ruleSequence": 1}]}}],
    "privateLinkConfigurations": [], "privateEndpointConnections": [],
    "webApplicationFirewallConfiguration": {"enabled": true, "firewallMode": "Detection", "ruleSetType": "OWASP", "ruleSetVersion": "3.2", "requestBodyCheck": true,
      "maxRequestBodySizeInKb": 128, "fileUploadLimitInMb": 100, "disabledRuleGroups": []},
    "firewallPolicy": {"id": "RG/Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/waf"}}
},
{"name": "waf", "id": "RG/Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/waf", "type": "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies",
 "location": "westeurope",
 "properties": {"resourceState": "Enabled", "provisioningState": "Succeeded",
   "policySettings": {"requestBodyCheck": true, "maxRequestBodySizeInKb": 128, "fileUploadLimitInMb": 100, "state": "enabled", "mode": "prevention"},
   "customRules": [
     {"name": "fdid", "priority": 20, "ruleType": "MatchRule", "action": "Block", "state": "Enabled", "matchConditions": [
       {"matchVariables": [{"variableName": "RequestHeaders", "selector": "X-Azure-FDID"}], "operator": "Equal", "negationConditon": true, "matchValues": ["abc"], "transforms": ["Lowercase"]}]},
     {"name": "geo", "priority": 10, "ruleType": "RateLimitRule", "action": "Block", "rateLimitDuration": "OneMin", "rateLimitThreshold": 100, "groupByUserSession": [],
      "matchConditions": [{"matchVariables": [{"variableName": "RemoteAddr"}], "operator": "ipMatch", "negationConditon": false, "matchValues": ["198.51.100.0/24", "203.0.113.7"]}]}],
   "managedRules": {"managedRuleSets": [{"ruleSetType": "OWASP", "ruleSetVersion": "3.2", "ruleGroupOverrides": [
       {"ruleGroupName": "REQUEST-931", "rules": [{"ruleId": "931120", "state": "Disabled"}, {"ruleId": "931130"}, {"ruleId": "931140", "state": "Enabled"}]}]}],
     "exclusions": [{"matchVariable": "RequestArgNames", "selectorMatchOperator": "StartsWith", "selector": "hello"}]},
   "applicationGateways": [{"id": "RG/Microsoft.Network/applicationGateways/agw"}], "httpListeners": [], "pathBasedRules": []}}]`

func TestAppGateway(t *testing.T) {
	g := id("Microsoft.Network/applicationGateways/agw")
	waf := id("Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/waf")
	sub := id("Microsoft.Network/virtualNetworks/vnet1/subnets/agw")
	shapes(t, agwExample,
		&model.AppGateway{
			Meta: meta("Microsoft.Network/applicationGateways/agw"), Tier: "WAF_v2", Subnets: []model.ID{sub},
			Frontends: []model.AGWFrontend{
				{ID: g + "/frontendIPConfigurations/pub", Name: "pub", PublicIP: id("Microsoft.Network/publicIPAddresses/pip-agw")},
				{ID: g + "/frontendIPConfigurations/priv", Name: "priv", Subnet: sub, Address: addr("10.1.5.4")},
			},
			Ports: []model.AGWPort{{ID: g + "/frontendPorts/p443", Port: 443}},
			Listeners: []model.AGWListener{{
				ID: g + "/httpListeners/l", Name: "l", Frontend: g + "/frontendIPConfigurations/pub", Port: g + "/frontendPorts/p443", Protocol: "Https",
				Hosts: []string{"shop.example", "www.shop.example"}, WAFPolicy: waf, TLSProfile: g + "/sslProfiles/mtls", HasCert: true,
			}},
			Pools: []model.AGWPool{{
				ID: g + "/backendAddressPools/p", Name: "p", Addresses: []netip.Addr{addr("10.1.1.8"), addr("10.1.1.9")}, FQDNs: []string{"api.internal"},
			}},
			Settings: []model.AGWSetting{{
				ID: g + "/backendHttpSettingsCollection/s", Name: "s", Port: 8443, Protocol: "Https", HostName: "api.internal", Probe: g + "/probes/pr",
			}},
			Rules: []model.AGWRule{{ID: g + "/requestRoutingRules/r", Name: "r", Priority: 10, Listener: g + "/httpListeners/l", PathMap: g + "/urlPathMaps/m"}},
			PathMaps: []model.AGWPathMap{{
				ID: g + "/urlPathMaps/m", Name: "m", DefaultPool: g + "/backendAddressPools/p", DefaultSetting: g + "/backendHttpSettingsCollection/s",
				Paths: []model.AGWPathRule{{
					Name: "adm", Paths: []string{"/admin/*"}, Redirect: g + "/redirectConfigurations/rd",
					WAFPolicy: id("Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/waf2"),
				}},
			}},
			Probes: []model.AGWProbe{{ID: g + "/probes/pr", Name: "pr", Protocol: "Https", Port: 8444}}, WAFPolicy: waf,
			LegacyWAF: &model.LegacyWAF{Enabled: model.On, Mode: "Detection", RuleSet: "OWASP 3.2", RequestBody: model.On},
			TLS:       model.TLSPolicy{Type: "Custom", MinVersion: "TLSv1_2"},
			TLSProfiles: []model.TLSProfile{{
				ID: g + "/sslProfiles/mtls", Name: "mtls", Policy: model.TLSPolicy{Type: "Predefined", Name: "AppGwSslPolicy20220101S"}, Client: "Strict",
			}},
			Redirects:   []model.AGWRedirect{{ID: g + "/redirectConfigurations/rd", Name: "rd", Type: "Permanent", TargetURL: "https://away.example/x"}},
			RewriteSets: []string{"rw"},
		},
		&model.WAFPolicy{
			Meta: meta("Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/waf"), Enabled: model.On, Mode: "Prevention", RequestBody: model.On,
			RuleSets: []string{"OWASP 3.2"}, Disabled: []string{"REQUEST-931/931120", "REQUEST-931/931130"}, Exclusions: 1,
			Custom: []model.WAFRule{
				{Name: "geo", Priority: 10, Action: "Block", RateLimit: true, Conditions: []model.WAFCondition{{
					Variables: []string{"RemoteAddr"}, Operator: "IPMatch", Values: []string{"198.51.100.0/24", "203.0.113.7"},
					Prefixes: prefixList2("198.51.100.0/24", "203.0.113.7/32"),
				}}},
				{Name: "fdid", Priority: 20, Action: "Block", Enabled: model.On, Conditions: []model.WAFCondition{{
					Variables: []string{"RequestHeaders:X-Azure-FDID"}, Operator: "Equal", Negate: true, Values: []string{"abc"},
				}}},
			},
		},
	)
}

// AZ-AGW-21: the minimum version where it is written as a list of what is off, and where the platform names its default.
func TestTLSPolicies(t *testing.T) {
	for text, want := range map[string]model.TLSPolicy{
		`"sslPolicy": {"disabledSslProtocols": ["TLSv1_0", "TLSv1_1"]}`: {MinVersion: "TLSv1_2"},
		`"sslPolicy": {}`: {},
		`"sslPolicy": null, "defaultPredefinedSslPolicy": "AppGwSslPolicy20150501"`: {Type: "Predefined", Name: "AppGwSslPolicy20150501"},
	} {
		res := one(t, `{"id": "RG/Microsoft.Network/applicationGateways/agw", "type": "Microsoft.Network/applicationGateways", "properties": {`+text+`}}`)
		if diff := cmp.Diff(want, res.Resources[0].(*model.AppGateway).TLS, facts()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

const gatewayExample = `[{
  "name": "gw", "id": "RG/Microsoft.Network/virtualNetworkGateways/gw", "type": "Microsoft.Network/virtualNetworkGateways", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "gatewayType": "vpn", "vpnType": "RouteBased", "enableBgp": true, "activeActive": false,
    "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ", "capacity": 2}, "bgpSettings": {"asn": 65515, "bgpPeeringAddress": "10.0.0.70", "peerWeight": 0},
    "ipConfigurations": [{"name": "default", "id": "RG/Microsoft.Network/virtualNetworkGateways/gw/ipConfigurations/default",
      "properties": {"privateIPAllocationMethod": "Dynamic", "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-gw"},
        "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/hub/subnets/GatewaySubnet"}}}],
    "vpnClientConfiguration": {"vpnClientAddressPool": {"addressPrefixes": ["192.168.0.0/24"]}, "vpnClientProtocols": ["OpenVPN"], "vpnAuthenticationTypes": ["AAD", "Radius"],
      "radiusServerAddress": "10.0.0.9", "radiusServerSecret": "hunter2", "vpnClientRootCertificates": [], "vngClientConnectionConfigurations": [
        {"name": "g1", "id": "RG/Microsoft.Network/virtualNetworkGateways/gw/vngClientConnectionConfigurations/g1", "properties": {"vpnClientAddressPool": {"addressPrefixes": ["192.168.1.0/24"]}}}]},
    "customRoutes": {"addressPrefixes": ["10.200.0.0/16"]}, "gatewayDefaultSite": {"id": "RG/Microsoft.Network/localNetworkGateways/lng"},
    "natRules": [{"name": "n1", "id": "RG/Microsoft.Network/virtualNetworkGateways/gw/natRules/n1", "type": "Microsoft.Network/virtualNetworkGateways/natRules",
      "properties": {"provisioningState": "Succeeded", "type": "Static", "mode": "IngressSnat", "internalMappings": [{"addressSpace": "10.0.1.0/24"}],
        "externalMappings": [{"addressSpace": "100.0.2.0/24"}], "ipConfigurationId": ""}}],
    "allowRemoteVnetTraffic": false, "allowVirtualWanTraffic": false}
},
{"name": "lng", "id": "RG/Microsoft.Network/localNetworkGateways/lng", "type": "Microsoft.Network/localNetworkGateways", "location": "westeurope",
 "properties": {"provisioningState": "Succeeded", "gatewayIpAddress": "198.51.100.1", "localNetworkAddressSpace": {"addressPrefixes": ["10.80.0.0/13"]},
   "bgpSettings": {"asn": 65010, "bgpPeeringAddress": "10.80.0.1", "peerWeight": 0}}},
{"name": "c", "id": "RG/Microsoft.Network/connections/c", "type": "Microsoft.Network/connections", "location": "westeurope",
 "properties": {"provisioningState": "Succeeded", "connectionType": "ipsec", "connectionStatus": "Connected", "enableBgp": false, "sharedKey": "hunter2", "routingWeight": 0,
   "virtualNetworkGateway1": {"id": "RG/Microsoft.Network/virtualNetworkGateways/gw", "properties": {}}, "localNetworkGateway2": {"id": "RG/Microsoft.Network/localNetworkGateways/lng", "properties": {}},
   "ingressNatRules": [{"id": "RG/Microsoft.Network/virtualNetworkGateways/gw/natRules/n1"}], "egressNatRules": [], "ipsecPolicies": [], "trafficSelectorPolicies": [],
   "expressRouteGatewayBypass": false, "ingressBytesTransferred": 5000000000, "tunnelConnectionStatus": [{"tunnel": "t", "lastConnectionEstablishedUtcTime": "05/18/2026"}]}},
{"name": "bas", "id": "RG/Microsoft.Network/bastionHosts/bas", "type": "Microsoft.Network/bastionHosts", "location": "westeurope", "sku": {"name": "standard"},
 "properties": {"provisioningState": "Succeeded", "dnsName": "bst-1.bastion.azure.com", "scaleUnits": 2, "enableTunneling": true, "enableIpConnect": false, "enableShareableLink": false,
   "disableCopyPaste": false, "enableFileCopy": false, "enablePrivateOnlyBastion": false,
   "ipConfigurations": [{"name": "c", "id": "RG/Microsoft.Network/bastionHosts/bas/bastionHostIpConfigurations/c",
     "properties": {"privateIPAllocationMethod": "Dynamic", "publicIPAddress": {"id": "RG/Microsoft.Network/publicIPAddresses/pip-bas"},
       "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/hub/subnets/AzureBastionSubnet"}}}]}},
{"name": "dev", "id": "RG/Microsoft.Network/bastionHosts/dev", "type": "Microsoft.Network/bastionHosts", "location": "westeurope", "sku": {"name": "Developer"},
 "properties": {"virtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1"}, "ipConfigurations": []}}]`

func TestGateways(t *testing.T) {
	gw := id("Microsoft.Network/virtualNetworkGateways/gw")
	lng := id("Microsoft.Network/localNetworkGateways/lng")
	shapes(t, gatewayExample,
		&model.Bastion{
			Meta: meta("Microsoft.Network/bastionHosts/bas"), SKU: "Standard", Subnet: id("Microsoft.Network/virtualNetworks/hub/subnets/AzureBastionSubnet"),
			PublicIP: id("Microsoft.Network/publicIPAddresses/pip-bas"), Tunneling: model.On, IPConnect: model.Off, Shareable: model.Off,
		},
		&model.Bastion{Meta: meta("Microsoft.Network/bastionHosts/dev"), SKU: "Developer", VNet: id("Microsoft.Network/virtualNetworks/vnet1")},
		&model.Connection{
			Meta: meta("Microsoft.Network/connections/c"), Kind: "IPsec", Gateway: gw, Peer: lng, State: "Connected", BGP: model.Off,
			IngressNAT: []model.ID{gw + "/natRules/n1"}, FastPath: model.Off,
		},
		&model.LocalNetworkGateway{Meta: meta("Microsoft.Network/localNetworkGateways/lng"), Prefixes: prefixList2("10.80.0.0/13"), BGP: model.On},
		&model.Gateway{
			Meta: meta("Microsoft.Network/virtualNetworkGateways/gw"), Kind: model.VPNGateway, Subnet: id("Microsoft.Network/virtualNetworks/hub/subnets/GatewaySubnet"),
			PublicIPs: []model.ID{id("Microsoft.Network/publicIPAddresses/pip-gw")}, BGP: model.On, ClientPools: prefixList2("192.168.0.0/24", "192.168.1.0/24"),
			ClientProtocols: []string{"OpenVPN"}, ClientAuth: []string{"AAD", "Radius"}, CustomRoutes: prefixList2("10.200.0.0/16"),
			NATRules: []model.GatewayNATRule{{
				ID: gw + "/natRules/n1", Name: "n1", Mode: "IngressSnat", Type: "Static", Internal: prefixList2("10.0.1.0/24"), External: prefixList2("100.0.2.0/24"),
			}},
			AllowRemoteVNet: model.Off, AllowVirtualWAN: model.Off, AdvertisedDefault: model.On, DefaultSite: lng,
		},
	)
}

const endpointExample = `[{
  "name": "pe-kv", "id": "RG/Microsoft.Network/privateEndpoints/pe-kv", "type": "Microsoft.Network/privateEndpoints", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "customNetworkInterfaceName": "", "ipConfigurations": [], "manualPrivateLinkServiceConnections": [],
    "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/pe"},
    "networkInterfaces": [{"id": "RG/Microsoft.Network/networkInterfaces/pe-kv.nic.1"}],
    "privateLinkServiceConnections": [{"name": "c", "id": "RG/Microsoft.Network/privateEndpoints/pe-kv/privateLinkServiceConnections/c",
      "properties": {"provisioningState": "Succeeded", "privateLinkServiceId": "RG/Microsoft.KeyVault/vaults/kv", "groupIds": ["vault"],
        "privateLinkServiceConnectionState": {"status": "approved", "description": "", "actionsRequired": "None"}}}],
    "customDnsConfigs": [{"fqdn": "KV.vault.azure.net", "ipAddresses": ["10.1.2.5"]}]}
},
{"name": "zg", "id": "RG/Microsoft.Network/privateEndpoints/pe-kv/privateDnsZoneGroups/zg", "type": "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
 "properties": {"provisioningState": "Succeeded", "privateDnsZoneConfigs": [{"name": "z", "properties": {
   "privateDnsZoneId": "RG/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net",
   "recordSets": [{"recordType": "A", "recordSetName": "kv", "fqdn": "kv.privatelink.vaultcore.azure.net", "ttl": 10, "ipAddresses": ["10.1.2.5"], "provisioningState": "Succeeded"}]}}]}},
{"name": "pe-kv.nic.1", "id": "RG/Microsoft.Network/networkInterfaces/pe-kv.nic.1", "type": "Microsoft.Network/networkInterfaces", "location": "westeurope",
 "properties": {"privateEndpoint": {"id": "RG/Microsoft.Network/privateEndpoints/pe-kv"}, "ipConfigurations": [{"name": "privateEndpointIpConfig.1",
   "properties": {"privateIPAddress": "10.1.2.6", "primary": true, "subnet": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1/subnets/pe"},
     "privateLinkConnectionProperties": {"groupId": "vault", "requiredMemberName": "default", "fqdns": ["kv.vault.azure.net"]}}}]}},
{"name": "privatelink.vaultcore.azure.net", "id": "RG/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net", "type": "Microsoft.Network/privateDnsZones", "location": "global",
 "properties": {"provisioningState": "Succeeded", "numberOfRecordSets": 2, "maxNumberOfRecordSets": 25000, "internalId": "x"}},
{"name": "kv", "id": "RG/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net/A/kv", "type": "Microsoft.Network/privateDnsZones/A",
 "properties": {"ttl": 10, "fqdn": "kv.privatelink.vaultcore.azure.net.", "isAutoRegistered": false, "metadata": {"creator": "x"}, "aRecords": [{"ipv4Address": "10.1.2.5"}]}},
{"name": "@", "id": "RG/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net/AAAA/@", "type": "Microsoft.Network/privateDnsZones/AAAA",
 "properties": {"ttl": 10, "aaaaRecords": [{"ipv6Address": "fd00::5"}]}},
{"name": "@", "id": "RG/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net/SOA/@", "type": "Microsoft.Network/privateDnsZones/SOA",
 "properties": {"ttl": 3600, "soaRecord": {"host": "azureprivatedns.net"}}},
{"name": "l", "id": "RG/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net/virtualNetworkLinks/l", "type": "Microsoft.Network/privateDnsZones/virtualNetworkLinks", "location": "global",
 "properties": {"provisioningState": "Succeeded", "registrationEnabled": false, "virtualNetworkLinkState": "Completed", "resolutionPolicy": "NxDomainRedirect",
   "virtualNetwork": {"id": "RG/Microsoft.Network/virtualNetworks/vnet1"}}},
{"name": "shop.example", "id": "RG/Microsoft.Network/dnszones/shop.example", "type": "Microsoft.Network/dnszones", "location": "global",
 "properties": {"zoneType": "Public", "nameServers": ["ns1-01.azure-dns.com."], "numberOfRecordSets": 3}},
{"name": "www", "id": "RG/Microsoft.Network/dnszones/shop.example/A/www", "type": "Microsoft.Network/dnszones/A",
 "properties": {"TTL": 3600, "fqdn": "www.shop.example.", "ARecords": [{"ipv4Address": "20.0.0.9"}], "targetResource": {}}}]`

func TestPrivateEndpointAndDNS(t *testing.T) {
	zone := id("Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net")
	global := func(rest string) model.Meta { return model.Meta{ID: id(rest), Location: "global"} }
	shapes(t, endpointExample,
		&model.DNSZone{
			Meta: global("Microsoft.Network/dnszones/shop.example"), Zone: "shop.example", Records: []model.DNSRecord{{Name: "www", Addresses: []netip.Addr{addr("20.0.0.9")}}},
		},
		&model.NIC{
			Meta: meta("Microsoft.Network/networkInterfaces/pe-kv.nic.1"), PrivateEndpoint: id("Microsoft.Network/privateEndpoints/pe-kv"),
			IPConfigs: []model.IPConfig{{
				Name: "privateEndpointIpConfig.1", Address: addr("10.1.2.6"), Primary: true, Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/pe"),
			}},
		},
		&model.DNSZone{
			Meta: global("Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net"), Private: true, Zone: "privatelink.vaultcore.azure.net",
			Links:   []model.ZoneLink{{Name: "l", VNet: id("Microsoft.Network/virtualNetworks/vnet1"), Resolution: "NxDomainRedirect"}},
			Records: []model.DNSRecord{{Name: "@", Addresses: []netip.Addr{addr("fd00::5")}}, {Name: "kv", Addresses: []netip.Addr{addr("10.1.2.5")}}},
		},
		&model.PrivateEndpoint{
			Meta: meta("Microsoft.Network/privateEndpoints/pe-kv"), Subnet: id("Microsoft.Network/virtualNetworks/vnet1/subnets/pe"),
			NICs:      []model.ID{id("Microsoft.Network/networkInterfaces/pe-kv.nic.1")},
			Addresses: []netip.Addr{addr("10.1.2.5"), addr("10.1.2.6")}, // of the zone group and of the NIC
			Target:    id("Microsoft.KeyVault/vaults/kv"), Groups: []string{"vault"}, State: "Approved", Zones: []model.ID{zone},
			FQDNs: []model.EndpointName{{FQDN: "kv.vault.azure.net", Addresses: []netip.Addr{addr("10.1.2.5")}}},
		},
	)
}

const endpointPolicyExample = `[{
  "name": "sep", "id": "RG/Microsoft.Network/serviceEndpointPolicies/sep", "type": "Microsoft.Network/serviceEndpointPolicies", "location": "westeurope",
  "properties": {"provisioningState": "Succeeded", "resourceGuid": "6a7f139a-8b8f-4f97-9a5a-0d8a1a1a1a1a", "serviceAlias": "", "contextualServiceEndpointPolicies": [],
    "serviceEndpointPolicyDefinitions": [
      {"name": "own", "id": "RG/Microsoft.Network/serviceEndpointPolicies/sep/serviceEndpointPolicyDefinitions/own", "type": "Microsoft.Network/serviceEndpointPolicies/serviceEndpointPolicyDefinitions",
       "properties": {"provisioningState": "Succeeded", "service": "Microsoft.Storage", "description": "our accounts",
         "serviceResources": ["RG/Microsoft.Storage/storageAccounts/sa", "/subscriptions/s/resourceGroups/g", "subscriptions/s2/"]}},
      {"name": "alias", "properties": {"service": "Global", "serviceResources": ["/services/Azure/Batch"]}}],
    "subnets": []}}]`

const perimeterExample = `[
  {"name": "p", "id": "RG/Microsoft.Network/networkSecurityPerimeters/nsp/profiles/p", "type": "Microsoft.Network/networkSecurityPerimeters/profiles",
   "properties": {"accessRulesVersion": "2", "diagnosticSettingsVersion": "0"}},
  {"name": "office", "id": "RG/Microsoft.Network/networkSecurityPerimeters/nsp/profiles/p/accessRules/office", "type": "Microsoft.Network/networkSecurityPerimeters/profiles/accessRules",
   "properties": {"provisioningState": "Succeeded", "direction": "Inbound", "addressPrefixes": ["198.51.100.7/24", "2001:db8::/32"], "fullyQualifiedDomainNames": [],
     "subscriptions": [{"id": "/subscriptions/00000000-0000-0000-0000-000000000002"}], "networkSecurityPerimeters": [], "emailAddresses": [], "phoneNumbers": []}},
  {"name": "out", "id": "RG/Microsoft.Network/networkSecurityPerimeters/nsp/profiles/p/accessRules/out", "type": "Microsoft.Network/networkSecurityPerimeters/profiles/accessRules",
   "properties": {"direction": "outbound", "fullyQualifiedDomainNames": ["contoso.com"]}},
  {"name": "kv", "id": "RG/Microsoft.Network/networkSecurityPerimeters/nsp/resourceAssociations/kv", "type": "Microsoft.Network/networkSecurityPerimeters/resourceAssociations",
   "properties": {"provisioningState": "Succeeded", "accessMode": "enforced", "hasProvisioningIssues": "no", "privateLinkResource": {"id": "RG/Microsoft.KeyVault/vaults/kv"},
     "profile": {"id": "RG/Microsoft.Network/networkSecurityPerimeters/nsp/profiles/p"}}},
  {"name": "sa", "id": "RG/Microsoft.Network/networkSecurityPerimeters/nsp/resourceAssociations/sa", "type": "Microsoft.Network/networkSecurityPerimeters/resourceAssociations",
   "properties": {"accessMode": "Transition", "privateLinkResource": {"id": "RG/Microsoft.Storage/storageAccounts/sa"}, "profile": {"id": "RG/Microsoft.Network/networkSecurityPerimeters/nsp/profiles/p"}}}]`

// AZ-NSP-01 to AZ-NSP-03: a perimeter's profile, its rules, and what it holds.
func TestPerimeter(t *testing.T) {
	const nsp = "Microsoft.Network/networkSecurityPerimeters/nsp"
	region := func(m model.Meta) model.Meta { m.Location = ""; return m }
	shapes(t, perimeterExample,
		&model.PerimeterProfile{Meta: region(meta(nsp + "/profiles/p"))},
		&model.PerimeterRule{Meta: region(meta(nsp + "/profiles/p/accessRules/office")), Inbound: true, Prefixes: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")}, Subscriptions: []model.ID{"/subscriptions/00000000-0000-0000-0000-000000000002"}},
		&model.PerimeterRule{Meta: region(meta(nsp + "/profiles/p/accessRules/out"))},
		&model.PerimeterAssociation{Meta: region(meta(nsp + "/resourceAssociations/kv")), Resource: id("Microsoft.KeyVault/vaults/kv"), Profile: id(nsp + "/profiles/p"), Mode: "Enforced"},
		&model.PerimeterAssociation{Meta: region(meta(nsp + "/resourceAssociations/sa")), Resource: id("Microsoft.Storage/storageAccounts/sa"), Profile: id(nsp + "/profiles/p"), Mode: "Learning"},
	)
}

func TestServiceEndpointPolicy(t *testing.T) {
	shapes(t, endpointPolicyExample, &model.ServiceEndpointPolicy{
		Meta: meta("Microsoft.Network/serviceEndpointPolicies/sep"),
		Definitions: []model.PolicyDefinition{
			{Name: "alias", Service: "Global", Aliases: []string{"/services/Azure/Batch"}},
			{Name: "own", Service: "Microsoft.Storage", Resources: []model.ID{id("Microsoft.Storage/storageAccounts/sa"), "/subscriptions/s/resourceGroups/g", "/subscriptions/s2"}},
		},
	})
}
