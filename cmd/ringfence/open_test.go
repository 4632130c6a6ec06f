package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	az "github.com/ringfence/ringfence/importers/azure/azuretest"
)

// openQuestion is an estate that asks for something that nobody can know from the input.
type openQuestion struct {
	name      string
	resources []az.Resource
	manifests string
	from, to  string
	service   string
	says      string   // what the answer names
	flags     []string // --strict, where the reading is assumed
	// What the interpreter is asked, which follows one packet: its sender, where that is a relay of the chain, and the address that it sends
	// to. "-" asks nothing: the chain is the solver's alone.
	sender, dial string
}

// spoke is a VNet whose packets to the internet, and to the other VNet `net2`, go to a firewall in it.
func spoke(firewall ...az.Resource) []az.Resource {
	return append([]az.Resource{
		az.VNet("net", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24", "rt=out"), az.Subnet("AzureFirewallSubnet", "10.1.9.0/26"), az.Peering("net2", "forwarded")),
		az.VNet("net2", "10.2.0.0/16", az.Subnet("s", "10.2.1.0/24", "rt=back"), az.Peering("net", "forwarded")),
		az.RouteTable("out", "0.0.0.0/0 10.1.9.4", "10.2.0.0/16 10.1.9.4"), az.RouteTable("back", "10.1.1.0/24 10.1.9.4"),
		az.NIC("vm", "net/s", "10.1.1.5"), az.NIC("far", "net2/s", "10.2.1.5"), az.PublicIP("fw", "20.0.0.4"),
	}, firewall...)
}

// Section 9 of docs/semantics/azure-edge-and-aks.md: what it lists as open is unknown in every answer, and the answer names what is missing.
func TestOpenQuestions(t *testing.T) {
	firewall := func(rules ...string) az.Resource {
		return az.Firewall("fw", "net/AzureFirewallSubnet", "10.1.9.4", "fw", rules...)
	}
	for _, test := range []openQuestion{
		// 1. Firewalls of which a part is missing, appliances of others, hubs that do not say what they route.
		{
			name: "1 a firewall policy", resources: spoke(firewall().Set("firewallPolicy", az.Ref("firewallPolicies", "gone"))),
			from: "nic:vm", to: "nic:far", service: "tcp/443", says: "MISSING(firewall policy gone)",
		},
		{
			name: "1 a parent policy", resources: spoke(ruled(firewall(), az.Object{"basePolicy": az.Ref("firewallPolicies", "gone")})...),
			from: "nic:vm", to: "nic:far", service: "tcp/443", says: "MISSING(firewall policy gone)",
		},
		{
			name: "1 a rule collection group", resources: spoke(ruled(firewall(), az.Object{"ruleCollectionGroups": []any{az.Ref("firewallPolicies/ruleCollectionGroups", "p/gone")}})...),
			from: "nic:vm", to: "nic:far", service: "tcp/443", says: "MISSING(rule collection group p/gone)",
		},
		{
			name: "1 an IP group", resources: spoke(ruled(firewall(), nil, network("sourceIpGroups", az.ID("ipGroups", "gone"), "destinationAddresses", "*"))...),
			from: "nic:vm", to: "nic:far", service: "tcp/443", says: "MISSING(IP group gone)",
		},
		{
			name: "1 an appliance of others",
			resources: []az.Resource{
				az.VNet("net", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24", "rt=out"), az.Subnet("nva", "10.1.8.0/24"), az.Subnet("d", "10.1.2.0/24")), az.RouteTable("out", "10.1.2.0/24 10.1.8.4"),
				az.NIC("vm", "net/s", "10.1.1.5"), az.NIC("nva", "net/nva", "10.1.8.4", "forward"), az.NIC("far", "net/d", "10.1.2.5"),
			},
			from: "nic:vm", to: "nic:far", service: "tcp/443", says: "ASM-NVA",
		},
		{
			name: "1 a security provider of a hub", resources: hub(az.New("securityPartnerProviders", "partner", az.Object{"securityProviderName": "ZScaler", "virtualHub": az.Ref("virtualHubs", "h"), "connectionStatus": "Connected"})),
			from: "nic:vm", to: "internet", service: "tcp/443", says: "UNSUPPORTED(Microsoft.Network/securityPartnerProviders partner)",
		},
		{
			name: "1 a secured hub without routing intent", resources: hub(az.HubFirewall("fw", "h", "10.100.0.132", "20.0.0.9", "100 Deny * * -> * *")),
			from: "nic:vm", to: "nic:far", service: "tcp/443", says: "ASM-WAN",
		},
		// 2. Names that become addresses, lists that nobody prints.
		{
			name: "2 an FQDN in a network rule", resources: spoke(ruled(firewall(), az.Object{"dnsSettings": az.Object{"enableProxy": true}}, network("sourceAddresses", "*", "destinationFqdns", "api.contoso.com"))...),
			from: "nic:vm", to: "internet", service: "tcp/443", says: "ASM-E-FQDN",
		},
		{
			name: "2 a web category", resources: spoke(ruled(firewall(), nil, application("webCategories", "news"))...),
			from: "nic:vm", to: "fqdn:news.example.com", service: "tcp/443", says: "ASM-E-WEBCAT",
		},
		{
			name: "2 an FQDN tag", resources: spoke(ruled(firewall(), nil, application("fqdnTags", "AzureKubernetesService"))...),
			from: "nic:vm", to: "fqdn:evil.example.net", service: "tcp/443", says: "ASM-E-FQDNTAG", flags: []string{"--strict"},
		},
		{
			name: "2 one address and a service tag", resources: spoke(firewall("100 Allow tcp * -> AzureMonitor 443")),
			from: "nic:vm", to: "ip:203.0.113.9", service: "tcp/443", says: "ASM-TAG(AzureMonitor)",
		},
		// 3. Relays whose configuration lives at run time.
		{
			name: "3 the back ends of API Management", resources: apiManagement(), from: "internet", to: "nic:vm", service: "tcp/443", says: "ASM-E-APIM", sender: "apim:api",
		},
		{
			name: "3 a rule set of Front Door", resources: append(az.FrontDoor("fd", "0f0f", "endpoint shop", "group g", "origin g o 20.0.0.1", "route shop r -> g rules=gone"),
				az.VNet("net", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24", "nsg=n")), az.NSG("n", "100 Allow In tcp AzureFrontDoor.Backend -> * *"), az.NIC("vm", "net/s", "10.1.1.5", "pip=vm"), az.PublicIP("vm", "20.0.0.1")),
			from: "frontdoor:fd", to: "nic:vm", service: "tcp/443", says: "MISSING(rule set fd/gone)", dial: "ip:20.0.0.1",
		},
		{
			name: "3 the rules of an HTTP proxy", manifests: workloads,
			resources: cluster(az.Cluster("aks", "none", "overlay", "outbound=userDefinedRouting", "np net/closed").Set("httpProxyConfig", az.Object{"httpProxy": "http://10.1.3.4:3128", "httpsProxy": "http://10.1.3.4:3128"}), az.NIC("proxy", "net/open", "10.1.3.4")),
			from:      "pod:web/shop", to: "internet", service: "tcp/443", says: "ASM-E-PROXY", sender: "-",
		},
		{
			name: "3 an ingress controller that is not there", manifests: workloads + ingress("nginx"), resources: cluster(az.Cluster("aks", "none", "overlay", "np net/s")),
			from: "internet", to: "pod:web/shop", service: "tcp/8080", says: "x", sender: "-",
		},
		{
			name: "3 the back ends that AGIC writes", manifests: workloads + ingress("azure-application-gateway"),
			resources: cluster(az.Cluster("aks", "none", "overlay", "np net/s").Set("addonProfiles", az.Object{"ingressApplicationGateway": az.Object{"enabled": true, "config": az.Object{"applicationGatewayId": az.ID("applicationGateways", "agw")}}}),
				az.PublicIP("agw", "20.0.0.7"), az.AppGateway("agw", "net/agw", "frontend public pip=agw", "listener web public:443 Https")),
			from: "internet", to: "pod:web/shop", service: "tcp/8080", says: "x", sender: "-",
		},
		// 4. Whom accounts admit by who they are, and perimeters of which the rules are missing.
		{
			name: "4 trusted services", resources: vault(az.Object{"networkAcls": az.Object{"defaultAction": "Deny", "bypass": "AzureServices"}}),
			from: "internet", to: "service:kv", service: "tcp/443", says: "ASM-E-TRUSTED:", flags: []string{"--strict"},
		},
		{
			name: "4 trusted services and no public access", resources: vault(az.Object{"publicNetworkAccess": "Disabled", "networkAcls": az.Object{"defaultAction": "Deny", "bypass": "AzureServices"}}),
			from: "internet", to: "service:kv", service: "tcp/443", says: "ASM-E-TRUSTED-OFF", flags: []string{"--strict"},
		},
		{
			name: "4 instances of resources", resources: []az.Resource{az.VNet("net", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24")), az.StorageAccount("st").Set("networkAcls", az.Object{
				"defaultAction": "Deny", "resourceAccessRules": []any{az.Object{"tenantId": "0a0a", "resourceId": "/subscriptions/9/resourceGroups/rg/providers/Microsoft.DataFactory/factories/adf"}},
			})},
			from: "internet", to: "service:st", service: "tcp/443", says: "ASM-E-INSTANCE", flags: []string{"--strict"},
		},
		{
			name: "4 a perimeter without its profile", resources: append(vault(az.Object{"publicNetworkAccess": "SecuredByPerimeter"}), az.New("networkSecurityPerimeters/resourceAssociations", "nsp/a", az.Object{
				"accessMode": "Enforced", "privateLinkResource": az.Object{"id": az.ID("Microsoft.KeyVault/vaults", "kv")}, "profile": az.Ref("networkSecurityPerimeters/profiles", "nsp/gone"),
			})),
			from: "internet", to: "service:kv", service: "tcp/443", says: "ASM-E-NSP",
		},
		// 5. Engines and pods that policies may not reach.
		{
			name: "5 the engine of manifests alone", manifests: workloads + isolated, from: "pod:web/job", to: "pod:web/shop", service: "tcp/8080", says: "ASM-K-ENGINE", flags: []string{"--strict"},
		},
		{
			name: "5 an engine of one's own", manifests: workloads + isolated, from: "pod:web/job", to: "pod:web/shop", service: "icmp", says: "ASM-K-BYOCNI",
			resources: cluster(az.Cluster("aks", "none", "np net/s").Set("networkProfile.networkPlugin", "none")),
		},
		{
			name: "5 Windows nodes", manifests: workloads + strings.Replace(isolated, "ingress: []", "ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/16, except: [10.1.1.0/24]}}]}]", 1), from: "pod:web/job", to: "pod:web/shop", service: "tcp/8080", says: "ASM-K-BYOCNI",
			resources: cluster(windows(az.Cluster("aks", "azure", "overlay", "np net/s"))),
		},
		{
			name: "5 a static egress gateway", manifests: strings.Replace(workloads, "annotations: {}", "annotations: {kubernetes.azure.com/static-gateway-configuration: gw}", 1) + strings.NewReplacer("Ingress", "Egress", "ingress", "egress").Replace(isolated),
			from: "pod:web/shop", to: "internet", service: "tcp/443", says: "MISSING(static egress gateway gw)",
			resources: cluster(az.Cluster("aks", "cilium", "overlay", "cilium", "np net/s")),
		},
		// 6. What AKS makes and exports lack.
		{
			name: "6 the NSG of nodes", from: "internet", to: "nodepool:aks/np", service: "tcp/22", says: "ASM-A-NODENSG", resources: cluster(az.Cluster("aks", "azure", "overlay", "np net/s public")), sender: "-",
		},
		{
			name: "6 an egress that AKS blocks", from: "nodepool:aks/np", to: "internet", service: "tcp/443", says: "ASM-A-BLOCK", resources: cluster(az.Cluster("aks", "azure", "overlay", "outbound=block", "np net/s")),
		},
		// 7. Servers that answer for zones that Azure does not know.
		{
			name: "7 custom DNS servers", from: "nic:vm", to: "service:st", service: "tcp/443", says: "ASM-E-DNSCUSTOM", sender: "-",
			resources: append(ruled(firewall(), az.Object{"dnsSettings": az.Object{"enableProxy": true, "servers": []any{"10.9.9.9"}}}, application("targetFqdns", "st.blob.core.windows.net")),
				az.VNet("net", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24", "rt=out", "nsg=n"), az.Subnet("AzureFirewallSubnet", "10.1.9.0/26"), az.Subnet("pe", "10.1.6.0/24")), az.RouteTable("out", "0.0.0.0/0 10.1.9.4"),
				az.NSG("n", "100 Deny Out * * -> 10.1.6.0/24 *"), az.NIC("vm", "net/s", "10.1.1.5"), az.PublicIP("fw", "20.0.0.4"),
				az.StorageAccount("st").Set("networkAcls.defaultAction", "Deny"), az.PrivateEndpoint("pe", "net/pe", "10.1.6.9", az.ID("Microsoft.Storage/storageAccounts", "st"))),
		},
		// 8. IPv6 through edge services.
		{
			name: "8 IPv6 at a firewall", from: "ip:fd00:1:0:1::5", to: "ip:fd00:1:0:2::5", service: "tcp/443", says: "ASM-E-V6",
			resources: []az.Resource{
				az.VNet("net", "10.1.0.0/16,fd00:1::/48", az.Subnet("s", "10.1.1.0/24,fd00:1:0:1::/64", "rt=out"), az.Subnet("d", "10.1.2.0/24,fd00:1:0:2::/64"), az.Subnet("AzureFirewallSubnet", "10.1.9.0/26,fd00:1:0:9::/64")),
				az.RouteTable("out", "fd00:1:0:2::/64 10.1.9.4"), az.NIC("vm", "net/s", "10.1.1.5", "v6=fd00:1:0:1::5"), az.NIC("far", "net/d", "10.1.2.5", "v6=fd00:1:0:2::5"), az.PublicIP("fw", "20.0.0.4"), firewall("100 Deny * * -> * *"),
			},
		},
		{
			name: "8 IPv6 at a gateway", from: "internet", to: "ip:2603:1020::7", service: "tcp/443", says: "ASM-E-V6", sender: "ip:2a00::9",
			resources: []az.Resource{
				az.VNet("net", "10.1.0.0/16,fd00:1::/48", az.Subnet("agw", "10.1.2.0/24,fd00:1:0:2::/64"), az.Subnet("s", "10.1.1.0/24")), az.NIC("vm", "net/s", "10.1.1.5"), az.PublicIP("agw", "2603:1020::7"),
				az.AppGateway("agw", "net/agw", "frontend public pip=agw", "listener web public:443 Https", "rule web -> 10.1.1.5:443"),
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) { test.ask(t) })
	}
}

// ask puts the question to each engine, and to the report.
func (q openQuestion) ask(t *testing.T) {
	dir := t.TempDir()
	files := az.FS(q.resources...)
	for _, name := range az.Files(files) {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(data))
	}
	inputs := ""
	if len(q.resources) > 0 {
		inputs = "  - azure: azure/*.json\n"
	}
	if q.manifests != "" {
		write(t, filepath.Join(dir, "manifests", "all.yaml"), q.manifests)
		inputs += "  - kubernetes: manifests\n"
	}
	ends := "{from: \"" + q.from + "\", to: \"" + q.to + "\", services: [" + q.service + "]}\n"
	write(t, filepath.Join(dir, "ringfence.yaml"), "ringfence: v1\nname: open\nasOf: 2026-11-01\ninputs:\n"+inputs+"assertions:\n  - id: closed\n    deny: "+ends+"  - id: open\n    must: "+ends)
	question := []string{"--service", q.service, "--from", q.from, "--to", q.to}
	q.holds(t, append(append([]string{"ringfence", "reach"}, q.flags...), append(question, dir)...), "UNKNOWN  "+q.from+" -> "+q.to)
	if q.sender != "-" && q.dial != "-" {
		from, to := q.from, q.to
		if q.sender != "" {
			from = q.sender
		}
		if q.dial != "" {
			to = q.dial
		}
		q.holds(t, append(append([]string{"ringfence", "trace"}, q.flags...), "--service", q.service, "--from", from, "--to", to, dir), "UNKNOWN  ")
	}
	q.holds(t, append(append([]string{"ringfence", "verify"}, q.flags...), dir), "?     closed", "?     open")
}

// holds runs a command, whose answer must say all of what is wanted and name what is not known.
func (q openQuestion) holds(t *testing.T, args []string, want ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(args, strings.NewReader(""), &stdout, &stderr)
	for _, w := range append(slices.Clone(want), q.says) {
		if !strings.Contains(stdout.String(), w) {
			t.Errorf("%s: exit %d, the answer lacks %q\n%s%s", strings.Join(args, " "), code, w, stdout.String(), stderr.String())
			return
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ruled gives a firewall a policy with one group of rules, an Allow each; more is what the policy says beside them.
func ruled(firewall az.Resource, more az.Object, rules ...az.Object) []az.Resource {
	delete(firewall["properties"].(az.Object), "networkRuleCollections")
	policy := az.New("firewallPolicies", "p", az.Object{"sku": az.Object{"tier": "Standard"}, "threatIntelMode": "Off"})
	group := az.Ref("firewallPolicies/ruleCollectionGroups", "p/g")
	policy.Set("ruleCollectionGroups", []any{group})
	for key, value := range more {
		if list, ok := value.([]any); ok {
			value = append([]any{group}, list...)
		}
		policy.Set(key, value)
	}
	list := []any{}
	for _, r := range rules {
		list = append(list, r)
	}
	return []az.Resource{firewall.Set("firewallPolicy", az.Ref("firewallPolicies", "p")), policy, az.New("firewallPolicies/ruleCollectionGroups", "p/g", az.Object{
		"priority": 100, "ruleCollections": []any{az.Object{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": az.Object{"type": "Allow"}, "rules": list}},
	})}
}

// network is a network rule for tcp/443: fields with one value each.
func network(fields ...string) az.Object {
	r := az.Object{"ruleType": "NetworkRule", "name": "n", "ipProtocols": []any{"TCP"}, "destinationPorts": []any{"443"}}
	for i := 0; i < len(fields); i += 2 {
		r[fields[i]] = []any{fields[i+1]}
	}
	return r
}

// application is an application rule for https from everywhere.
func application(field, value string) az.Object {
	return az.Object{"ruleType": "ApplicationRule", "name": "a", "sourceAddresses": []any{"*"}, "protocols": []any{az.Object{"protocolType": "Https", "port": 443}}, field: []any{value}}
}

// hub is two VNets at a hub of a Virtual WAN.
func hub(more ...az.Resource) []az.Resource {
	return append([]az.Resource{
		az.VirtualWAN("wan"), az.VirtualHub("h", "wan", "10.100.0.0/24"), az.HubConnection("h", "net"), az.HubConnection("h", "net2"),
		az.VNet("net", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24")), az.VNet("net2", "10.2.0.0/16", az.Subnet("s", "10.2.1.0/24")),
		az.NIC("vm", "net/s", "10.1.1.5"), az.NIC("far", "net2/s", "10.2.1.5"),
	}, more...)
}

// apiManagement is a service in a subnet of its own, beside a machine.
func apiManagement() []az.Resource {
	service := az.New("Microsoft.ApiManagement/service", "api", az.Object{
		"virtualNetworkType": "External", "provisioningState": "Succeeded", "virtualNetworkConfiguration": az.Object{"subnetResourceId": az.SubnetID("net/apim")}, "publicIpAddressId": az.ID("publicIPAddresses", "api"),
	})
	service["sku"] = az.Object{"name": "Premium", "capacity": 1}
	return []az.Resource{
		service, az.PublicIP("api", "20.0.0.7"), az.VNet("net", "10.1.0.0/16", az.Subnet("apim", "10.1.2.0/24", "nsg=api"), az.Subnet("s", "10.1.1.0/24")), az.NIC("vm", "net/s", "10.1.1.5"),
		az.NSG("api", "200 Allow In tcp Internet -> VirtualNetwork 443", "300 Allow In tcp ApiManagement -> VirtualNetwork 3443", "310 Allow In tcp AzureLoadBalancer -> VirtualNetwork 6390"),
	}
}

// workloads are two deployments of one namespace, a Service before the first.
const workloads = `
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: web}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}, annotations: {}}
    spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: job, namespace: web}
spec:
  selector: {matchLabels: {app: job}}
  template:
    metadata: {labels: {app: job}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: web}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
`

// isolated is a policy that admits nobody to the first.
const isolated = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: web}
spec: {podSelector: {matchLabels: {app: shop}}, policyTypes: [Ingress], ingress: []}
`

// ingress leads requests of a class to the Service.
func ingress(class string) string {
	return `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: web}
spec:
  ingressClassName: ` + class + `
  rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}}]
`
}

// cluster is an AKS cluster in a VNet with more subnets.
func cluster(c az.Resource, more ...az.Resource) []az.Resource {
	return append([]az.Resource{c, az.VNet("net", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24"), az.Subnet("agw", "10.1.2.0/24"), az.Subnet("open", "10.1.3.0/24"), az.Subnet("closed", "10.1.4.0/24", "outbound=false"))}, more...)
}

// windows makes the nodes of a cluster Windows nodes.
func windows(c az.Resource) az.Resource {
	for _, p := range c["properties"].(az.Object)["agentPoolProfiles"].([]any) {
		p.(az.Object)["osType"] = "Windows"
	}
	return c
}

// vault is a key vault beside a VNet.
func vault(more az.Object) []az.Resource {
	kv := az.New("Microsoft.KeyVault/vaults", "kv", az.Object{"publicNetworkAccess": "Enabled", "vaultUri": "https://kv.vault.azure.net/"})
	for key, value := range more {
		kv.Set(key, value)
	}
	return []az.Resource{kv, az.VNet("net", "10.1.0.0/16", az.Subnet("s", "10.1.1.0/24"))}
}
