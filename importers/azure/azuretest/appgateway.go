package azuretest

import (
	"strconv"
	"strings"
)

// AppGateway is an application gateway of tier WAF_v2 in a subnet (`net/agw`), described line by line:
//
//	frontend public pip=NAME
//	frontend inside 10.0.1.9             (a private address of the subnet)
//	policy NAME                          (the WAF policy of the gateway)
//	listener web public:443 Https        (words after it: waf=NAME, host=NAME; an https listener has a certificate)
//	rule web -> 10.1.1.5,a.example:8443  (members, and the port of the settings; words after it: http)
func AppGateway(name, subnet string, lines ...string) Resource {
	p := Object{
		"sku": Object{"name": "WAF_v2", "tier": "WAF_v2"}, "sslPolicy": Object{"policyType": "Predefined", "policyName": "AppGwSslPolicy20220101"}, "operationalState": "Running",
		"sslCertificates": []any{}, "frontendIPConfigurations": []any{}, "frontendPorts": []any{}, "httpListeners": []any{}, "backendAddressPools": []any{},
		"backendHttpSettingsCollection": []any{}, "requestRoutingRules": []any{},
	}
	ref := func(kind, n string) Object { return Ref("applicationGateways/"+kind, name+"/"+n) }
	part := func(kind, n string, properties Object) {
		add(p, kind, Object{"name": n, "id": ID("applicationGateways/"+kind, name+"/"+n), "properties": properties})
	}
	part("gatewayIPConfigurations", "gateway", Object{"subnet": Object{"id": SubnetID(subnet)}})
	part("sslCertificates", "cert", Object{"keyVaultSecretId": "https://kv.vault.azure.net/secrets/cert"})
	ports := map[int]bool{}
	for i, line := range lines {
		f := strings.Fields(line)
		bad := func() { panic("azuretest: application gateway line `" + line + "`") }
		switch {
		case len(f) == 2 && f[0] == "policy":
			p["firewallPolicy"] = Ref("ApplicationGatewayWebApplicationFirewallPolicies", f[1])
		case len(f) == 3 && f[0] == "frontend":
			if pip, ok := strings.CutPrefix(f[2], "pip="); ok {
				part("frontendIPConfigurations", f[1], Object{"publicIPAddress": Ref("publicIPAddresses", pip)})
			} else {
				part("frontendIPConfigurations", f[1], Object{"privateIPAddress": f[2], "privateIPAllocationMethod": "Static", "subnet": Object{"id": SubnetID(subnet)}})
			}
		case len(f) >= 4 && f[0] == "listener":
			front, port := target(f[2])
			if n := strconv.Itoa(port); !ports[port] {
				ports[port] = true
				part("frontendPorts", n, Object{"port": port})
			}
			l := Object{"frontendIPConfiguration": ref("frontendIPConfigurations", front), "frontendPort": ref("frontendPorts", strconv.Itoa(port)), "protocol": f[3]}
			if f[3] == "Https" {
				l["sslCertificate"] = ref("sslCertificates", "cert")
			}
			for _, word := range f[4:] {
				switch key, value := option(word); key {
				case "waf":
					l["firewallPolicy"] = Ref("ApplicationGatewayWebApplicationFirewallPolicies", value)
				case "host":
					l["hostName"] = value
				default:
					bad()
				}
			}
			part("httpListeners", f[1], l)
		case len(f) >= 4 && f[0] == "rule" && f[2] == "->":
			members, port := target(f[3])
			pool, protocol := []any{}, "Https"
			for _, m := range list(members) {
				if strings.Trim(m, "0123456789.") == "" {
					pool = append(pool, Object{"ipAddress": m})
				} else {
					pool = append(pool, Object{"fqdn": m})
				}
			}
			for _, word := range f[4:] {
				if word != "http" {
					bad()
				}
				protocol = "Http"
			}
			n := "r" + strconv.Itoa(i)
			part("backendAddressPools", n, Object{"backendAddresses": pool})
			part("backendHttpSettingsCollection", n, Object{"port": port, "protocol": protocol})
			part("requestRoutingRules", n, Object{
				"ruleType": "Basic", "priority": 10 * (i + 1), "httpListener": ref("httpListeners", f[1]),
				"backendAddressPool": ref("backendAddressPools", n), "backendHttpSettings": ref("backendHttpSettingsCollection", n),
			})
		default:
			bad()
		}
	}
	return New("applicationGateways", name, p)
}

// WAFPolicy is a WAF policy of application gateways in a mode (Prevention, Detection), with custom rules of one condition:
//
//	10 Block RemoteAddr IPMatch 198.51.100.0/24
//	20 Block RequestHeaders:X-Azure-FDID not Equal 0f0f
func WAFPolicy(name, mode string, rules ...string) Resource {
	custom := []any{}
	for _, line := range rules {
		f := strings.Fields(line)
		if len(f) < 5 {
			panic("azuretest: WAF rule `" + line + "`")
		}
		priority, err := strconv.Atoi(f[0])
		if err != nil {
			panic("azuretest: WAF rule `" + line + "`")
		}
		what, selector, _ := strings.Cut(f[2], ":")
		variable := Object{"variableName": what}
		if selector != "" {
			variable["selector"] = selector
		}
		negate := f[3] == "not"
		if negate {
			f = append(f[:3:3], f[4:]...)
		}
		custom = append(custom, Object{"name": "r" + f[0], "priority": priority, "ruleType": "MatchRule", "action": f[1], "matchConditions": []any{
			Object{"matchVariables": []any{variable}, "operator": f[3], "negationConditon": negate, "matchValues": list(strings.Join(f[4:], " "))},
		}})
	}
	return New("ApplicationGatewayWebApplicationFirewallPolicies", name, Object{
		"policySettings": Object{"state": "Enabled", "mode": mode, "requestBodyCheck": true}, "customRules": custom,
		"managedRules": Object{"managedRuleSets": []any{Object{"ruleSetType": "OWASP", "ruleSetVersion": "3.2"}}},
	})
}
