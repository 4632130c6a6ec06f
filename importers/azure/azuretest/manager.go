package azuretest

import (
	"strconv"
	"strings"
)

// Manager is a network manager. Options: scope=ID (a subscription or management group, else the subscription of [Group]) and access=FEATURE
// (else SecurityAdmin and Connectivity), each repeatable.
func Manager(name string, options ...string) Resource {
	scopes, accesses := Object{}, []any{}
	for _, word := range options {
		switch key, value := option(word); key {
		case "scope":
			kind := "subscriptions"
			if strings.HasPrefix(value, "/providers/") {
				kind = "managementGroups"
			}
			add(scopes, kind, value)
		case "access":
			accesses = append(accesses, value)
		default:
			unknownWord("a manager", word)
		}
	}
	if len(scopes) == 0 {
		add(scopes, "subscriptions", strings.TrimSuffix(Group, "/resourceGroups/rg"))
	}
	if len(accesses) == 0 {
		accesses = []any{"SecurityAdmin", "Connectivity"}
	}
	return New("networkManagers", name, Object{"networkManagerScopes": scopes, "networkManagerScopeAccesses": accesses})
}

// NetworkGroup is a network group, `manager/group`, with VNets as static members.
func NetworkGroup(name string, vnets ...string) []Resource {
	out := []Resource{New("networkManagers/networkGroups", name, Object{"memberType": "VirtualNetwork"})}
	for _, v := range vnets {
		out = append(out, New("networkManagers/networkGroups/staticMembers", name+"/"+v, Object{"resourceId": ID("virtualNetworks", v), "region": Region}))
	}
	return out
}

func groups(manager, text string) []any {
	out := []any{}
	for _, g := range list(text) {
		out = append(out, Object{"networkGroupId": ID("networkManagers/networkGroups", manager+"/"+g)})
	}
	return out
}

// AdminConfiguration is a security admin configuration, `manager/configuration`; intent is applyOnNetworkIntentPolicyBasedServices, or
// nothing.
func AdminConfiguration(name, intent string) Resource {
	r := New("networkManagers/securityAdminConfigurations", name, Object{"applyOnNetworkIntentPolicyBasedServices": []any{}})
	if intent != "" {
		r.Set("applyOnNetworkIntentPolicyBasedServices", []any{intent})
	}
	return r
}

// AdminCollection is a rule collection, `manager/configuration/collection`, for groups of its manager, with rules as [AdminRule] reads them.
func AdminCollection(name, toGroups string, rules ...string) []Resource {
	manager, _, _ := strings.Cut(name, "/")
	out := []Resource{New("networkManagers/securityAdminConfigurations/ruleCollections", name, Object{"appliesToGroups": groups(manager, toGroups)})}
	for _, text := range rules {
		part, p := AdminRule(text)
		r := New("networkManagers/securityAdminConfigurations/ruleCollections/rules", name+"/"+part, p)
		r["kind"] = "Custom"
		out = append(out, r)
	}
	return out
}

// AdminRule reads `10 AlwaysAllow In tcp Internet -> * 80,443 name` as [Rule] does, in the form of a security admin rule.
func AdminRule(text string) (name string, properties Object) {
	f := strings.Fields(text)
	if len(f) != 9 || f[5] != "->" {
		panic("azuretest: admin rule `" + text + "`")
	}
	priority, err := strconv.Atoi(f[0])
	if err != nil {
		panic("azuretest: admin rule `" + text + "`: " + err.Error())
	}
	direction, ok := map[string]string{"In": "Inbound", "Out": "Outbound"}[f[2]]
	if !ok {
		panic("azuretest: admin rule `" + text + "`: direction `" + f[2] + "`")
	}
	protocol := "Any"
	if f[3] != "*" {
		protocol = strings.ToUpper(f[3][:1]) + f[3][1:]
	}
	addresses := func(text string) []any {
		var out []any
		for _, x := range list(text) {
			kind := "ServiceTag"
			if x == "*" || strings.ContainsAny(x, ":/") || x[0] >= '0' && x[0] <= '9' {
				kind = "IPPrefix"
			}
			out = append(out, Object{"addressPrefix": x, "addressPrefixType": kind})
		}
		return out
	}
	ports := f[7]
	if ports == "*" {
		ports = "0-65535"
	}
	return f[8], Object{
		"priority": priority, "access": f[1], "direction": direction, "protocol": protocol, "sources": addresses(f[4]), "destinations": addresses(f[6]),
		"sourcePortRanges": []any{"0-65535"}, "destinationPortRanges": list(ports),
	}
}

// Listed is the output of a list operation in its envelope: beside `value` stand virtualNetwork, or networkManager and regions.
func Listed(operation string, envelope Object, rows ...Object) Resource {
	r := Resource{"type": "Listed/" + operation, "name": "rows", "operation": operation, "value": rows}
	if rows == nil {
		r["value"] = []any{}
	}
	for k, v := range envelope {
		r[k] = v
	}
	return r
}

// listedRule is a row of the list operations for security admin rules.
func listedRule(collection, toGroups, text string) Object {
	manager, _, _ := strings.Cut(collection, "/")
	name, p := AdminRule(text)
	return Object{
		"id": ID("networkManagers/securityAdminConfigurations/ruleCollections/rules", collection+"/"+name), "kind": "Custom", "properties": p,
		"configurationDescription": "", "ruleCollectionDescription": "", "ruleCollectionAppliesToGroups": groups(manager, toGroups), "ruleGroups": []any{},
	}
}

// EffectiveRules is what listNetworkManagerEffectiveSecurityAdminRules prints for a VNet: rules of one collection,
// `manager/configuration/collection`.
func EffectiveRules(vnet, collection string, rules ...string) Resource {
	var rows []Object
	for _, text := range rules {
		rows = append(rows, listedRule(collection, "", text))
	}
	return Listed("listNetworkManagerEffectiveSecurityAdminRules", Object{"virtualNetwork": ID("virtualNetworks", vnet)}, rows...)
}

// ActiveRules is what listActiveSecurityAdminRules prints for a manager and [Region]: rules of one collection, for groups of the manager.
func ActiveRules(collection, toGroups string, rules ...string) Resource {
	manager, _, _ := strings.Cut(collection, "/")
	var rows []Object
	for _, text := range rules {
		row := listedRule(collection, toGroups, text)
		row["region"], row["commitTime"] = Region, "2026-01-01T10:00:00Z"
		rows = append(rows, row)
	}
	return Listed("listActiveSecurityAdminRules", Object{"networkManager": ID("networkManagers", manager), "regions": []any{Region}}, rows...)
}

// Deployed is what listDeploymentStatus prints for [Region]: configurations of one kind, by their names below the manager
// (`securityAdminConfigurations/c`), in a state.
func Deployed(manager, kind, state string, configurations ...string) Resource {
	ids := []any{}
	for _, c := range configurations {
		ids = append(ids, ID("networkManagers", manager)+"/"+c)
	}
	return Listed("listDeploymentStatus", Object{"networkManager": ID("networkManagers", manager)}, Object{
		"region": Region, "deploymentType": kind, "deploymentStatus": state, "configurationIds": ids, "commitTime": "2026-01-01T10:00:00Z", "errorMessage": "",
	})
}

// ConnectivityConfiguration is a connectivity configuration, `manager/configuration`. Options: mesh or hub=VNET, group=NAME, direct=NAME
// (a group with direct connectivity), global.
func ConnectivityConfiguration(name string, options ...string) Resource {
	return New("networkManagers/connectivityConfigurations", name, connectivity(name, options))
}

func connectivity(name string, options []string) Object {
	manager, _, _ := strings.Cut(name, "/")
	p := Object{"connectivityTopology": "HubAndSpoke", "hubs": []any{}, "appliesToGroups": []any{}, "isGlobal": "False", "deleteExistingPeering": "False"}
	for _, word := range options {
		switch key, value := option(word); key {
		case "mesh":
			p["connectivityTopology"] = "Mesh"
		case "hub":
			add(p, "hubs", Object{"resourceId": ID("virtualNetworks", value), "resourceType": "Microsoft.Network/virtualNetworks"})
		case "global":
			p["isGlobal"] = "True"
		case "group", "direct":
			mode := map[string]string{"group": "None", "direct": "DirectlyConnected"}[key]
			add(p, "appliesToGroups", Object{
				"networkGroupId": ID("networkManagers/networkGroups", manager+"/"+value), "groupConnectivity": mode, "isGlobal": "False", "useHubGateway": "False",
			})
		default:
			unknownWord("a connectivity configuration", word)
		}
	}
	return p
}

// EffectiveConnectivity is what listNetworkManagerEffectiveConnectivityConfigurations prints for a VNet: one configuration, or none where
// its name is empty.
func EffectiveConnectivity(vnet, name string, options ...string) Resource {
	var rows []Object
	if name != "" {
		rows = append(rows, Object{"id": ID("networkManagers/connectivityConfigurations", name), "properties": connectivity(name, options), "configurationGroups": []any{}})
	}
	return Listed("listNetworkManagerEffectiveConnectivityConfigurations", Object{"virtualNetwork": ID("virtualNetworks", vnet)}, rows...)
}

// Together joins resources and lists of them.
func Together(parts ...any) []Resource {
	var out []Resource
	for _, p := range parts {
		switch p := p.(type) {
		case Resource:
			out = append(out, p)
		case []Resource:
			out = append(out, p...)
		default:
			panic("azuretest: neither a resource nor a list of them")
		}
	}
	return out
}
