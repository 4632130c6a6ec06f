package azuretest

import (
	"strconv"
	"strings"
)

// FrontDoor is a Premium profile with its ID, described line by line; each part is a resource of its own:
//
//	endpoint shop
//	group g                              (words after it: probe=Http)
//	origin g web origin.example          (words after it: http=8080, https=8443, off, private=ID, state=Approved)
//	route shop r -> g                    (words after it: http, redirect, forward=HttpsOnly, rules=SET, domain=NAME; https always)
//	domain pay pay.example
//	rules SET other                      (a rule that sends to the group)
//	waf POLICY shop                      (an endpoint, or domain:NAME)
func FrontDoor(name, id string, lines ...string) []Resource {
	profile := New("Microsoft.Cdn/profiles", name, Object{"frontDoorId": id, "resourceState": "Active"})
	profile["sku"], profile["kind"] = Object{"name": "Premium_AzureFrontDoor"}, "frontdoor"
	out := []Resource{profile}
	part := func(kind, path string, properties Object) {
		r := New("Microsoft.Cdn/profiles/"+kind, name+"/"+path, properties)
		delete(r, "location")
		out = append(out, r)
	}
	ref := func(kind, path string) Object { return Ref("Microsoft.Cdn/profiles/"+kind, name+"/"+path) }
	for _, line := range lines {
		f := strings.Fields(line)
		bad := func() { panic("azuretest: Front Door line `" + line + "`") }
		switch {
		case len(f) == 2 && f[0] == "endpoint":
			part("afdEndpoints", f[1], Object{"hostName": f[1] + "-0f0f.z01.azurefd.net", "enabledState": "Enabled"})
		case len(f) >= 2 && f[0] == "group":
			p := Object{"loadBalancingSettings": Object{"sampleSize": 4}}
			for _, word := range f[2:] {
				if key, value := option(word); key == "probe" {
					p["healthProbeSettings"] = Object{"probePath": "/", "probeProtocol": value, "probeRequestType": "HEAD", "probeIntervalInSeconds": 100}
				} else {
					bad()
				}
			}
			part("originGroups", f[1], p)
		case len(f) >= 4 && f[0] == "origin":
			p := Object{"hostName": f[3], "httpPort": 80, "httpsPort": 443, "enabledState": "Enabled", "priority": 1, "weight": 1000, "enforceCertificateNameCheck": true}
			for _, word := range f[4:] {
				switch key, value := option(word); key {
				case "http", "https":
					n, err := strconv.Atoi(value)
					if err != nil {
						bad()
					}
					p[key+"Port"] = n
				case "off":
					p["enabledState"] = "Disabled"
				case "private":
					p["sharedPrivateLinkResource"] = Object{"privateLink": Object{"id": value}, "privateLinkLocation": Region, "groupId": "blob", "requestMessage": "please"}
				case "state":
					p["sharedPrivateLinkResource"].(Object)["status"] = value
				default:
					bad()
				}
			}
			part("originGroups/origins", f[1]+"/"+f[2], p)
		case len(f) >= 5 && f[0] == "route" && f[3] == "->":
			p := Object{
				"originGroup": ref("originGroups", f[4]), "supportedProtocols": []any{"Https"}, "patternsToMatch": []any{"/*"}, "forwardingProtocol": "MatchRequest",
				"linkToDefaultDomain": "Enabled", "httpsRedirect": "Disabled", "enabledState": "Enabled",
			}
			for _, word := range f[5:] {
				switch key, value := option(word); key {
				case "http":
					add(p, "supportedProtocols", "Http")
				case "redirect":
					p["httpsRedirect"] = "Enabled"
				case "forward":
					p["forwardingProtocol"] = value
				case "rules":
					add(p, "ruleSets", ref("ruleSets", value))
				case "domain":
					add(p, "customDomains", ref("customDomains", value))
				default:
					bad()
				}
			}
			part("afdEndpoints/routes", f[1]+"/"+f[2], p)
		case len(f) == 3 && f[0] == "domain":
			part("customDomains", f[1], Object{"hostName": f[2], "tlsSettings": Object{"certificateType": "ManagedCertificate", "minimumTlsVersion": "TLS12"}})
		case len(f) == 3 && f[0] == "rules":
			part("ruleSets", f[1], Object{})
			part("ruleSets/rules", f[1]+"/override", Object{"order": 1, "matchProcessingBehavior": "Continue", "conditions": []any{}, "actions": []any{
				Object{"name": "RouteConfigurationOverride", "parameters": Object{"typeName": "DeliveryRuleRouteConfigurationOverrideActionParameters", "originGroupOverride": Object{"originGroup": ref("originGroups", f[2]), "forwardingProtocol": "MatchRequest"}}},
			}})
		case len(f) == 3 && f[0] == "waf":
			domain := ref("afdEndpoints", f[2])
			if d, ok := strings.CutPrefix(f[2], "domain:"); ok {
				domain = ref("customDomains", d)
			}
			part("securityPolicies", f[1], Object{"parameters": Object{
				"type": "WebApplicationFirewall", "wafPolicy": Ref("frontDoorWebApplicationFirewallPolicies", f[1]),
				"associations": []any{Object{"domains": []any{domain}, "patternsToMatch": []any{"/*"}}},
			}})
		default:
			bad()
		}
	}
	return out
}

// FrontDoorWAF is a WAF policy of Front Door in a mode (Prevention, Detection), with custom rules as [WAFPolicy] has them.
func FrontDoorWAF(name, mode string, rules ...string) Resource {
	custom := []any{}
	for _, r := range WAFPolicy(name, mode, rules...).properties()["customRules"].([]any) {
		rule := r.(Object)
		c := rule["matchConditions"].([]any)[0].(Object)
		v := c["matchVariables"].([]any)[0].(Object)
		match := Object{"matchVariable": v["variableName"], "operator": c["operator"], "negateCondition": c["negationConditon"], "matchValue": c["matchValues"], "transforms": []any{}}
		if s, ok := v["selector"]; ok {
			match["selector"] = s
		}
		custom = append(custom, Object{"name": rule["name"], "priority": rule["priority"], "enabledState": "Enabled", "ruleType": "MatchRule", "action": rule["action"], "matchConditions": []any{match}})
	}
	r := New("frontDoorWebApplicationFirewallPolicies", name, Object{
		"policySettings": Object{"enabledState": "Enabled", "mode": mode, "requestBodyCheck": "Enabled"}, "customRules": Object{"rules": custom},
		"managedRules": Object{"managedRuleSets": []any{Object{"ruleSetType": "Microsoft_DefaultRuleSet", "ruleSetVersion": "2.1", "ruleSetAction": "Block"}}},
	})
	r["sku"] = Object{"name": "Premium_AzureFrontDoor"}
	return r
}
