package azuretest

import (
	"strconv"
	"strings"
)

// NSG has rules written as [Rule] reads them, and the default rules behind them, as exports list them.
func NSG(name string, rules ...string) Resource {
	p := Object{"securityRules": []any{}, "defaultSecurityRules": []any{}}
	for _, text := range rules {
		if text != "" {
			add(p, "securityRules", named(Rule(text), "networkSecurityGroups/securityRules", name))
		}
	}
	for _, text := range []string{ // AZ-NSG-03
		"65000 Allow In * VirtualNetwork -> VirtualNetwork * AllowVnetInBound",
		"65001 Allow In * AzureLoadBalancer -> * * AllowAzureLoadBalancerInBound",
		"65500 Deny In * * -> * * DenyAllInBound",
		"65000 Allow Out * VirtualNetwork -> VirtualNetwork * AllowVnetOutBound",
		"65001 Allow Out * * -> Internet * AllowInternetOutBound",
		"65500 Deny Out * * -> * * DenyAllOutBound",
	} {
		add(p, "defaultSecurityRules", named(Rule(text), "networkSecurityGroups/defaultSecurityRules", name))
	}
	return New("networkSecurityGroups", name, p)
}

// named gives a rule the ID that its group gives it.
func named(r Resource, kind, group string) Resource {
	r["id"], r["type"] = ID(kind, group+"/"+r["name"].(string)), "Microsoft.Network/"+kind
	return r
}

// Rule reads `100 Allow In tcp Internet -> * 80,443 AllowWeb`: priority, access, direction, protocol, sources, destinations, destination
// ports, and a name (else the priority). A source port stands after a slash: `443/1024-65535`. Sides are `*`, one or several prefixes or tags,
// or `asg:NAME`, at commas.
func Rule(text string) Resource {
	f := strings.Fields(text)
	if len(f) < 8 || len(f) > 9 || f[5] != "->" {
		panic("azuretest: rule `" + text + "`")
	}
	priority, err := strconv.Atoi(f[0])
	if err != nil {
		panic("azuretest: rule `" + text + "`: " + err.Error())
	}
	direction, ok := map[string]string{"In": "Inbound", "Out": "Outbound"}[f[2]]
	if !ok {
		panic("azuretest: rule `" + text + "`: direction `" + f[2] + "`")
	}
	p := Object{"priority": priority, "access": f[1], "direction": direction, "protocol": strings.ToUpper(f[3][:1]) + f[3][1:]}
	rule := child("securityRules", f[0], p)
	if len(f) == 9 {
		rule["name"] = f[8]
	}
	side(p, "source", f[4])
	side(p, "destination", f[6])
	to, from, ok := strings.Cut(f[7], "/")
	if !ok {
		from = "*"
	}
	ranges(p, "sourcePortRange", from)
	ranges(p, "destinationPortRange", to)
	return rule
}

// side writes one side of a rule: the singular form where one value stands, else the plural.
func side(p Object, name, text string) {
	var addresses, groups []any
	for _, x := range list(text) {
		if group, ok := strings.CutPrefix(x, "asg:"); ok {
			groups = append(groups, Ref("applicationSecurityGroups", group))
		} else {
			addresses = append(addresses, x)
		}
	}
	if groups != nil {
		p[name+"ApplicationSecurityGroups"] = groups
	}
	if len(addresses) == 1 {
		p[name+"AddressPrefix"] = addresses[0]
	} else if addresses != nil {
		p[name+"AddressPrefixes"] = addresses
	}
}

func ranges(p Object, name, text string) {
	if all := list(text); len(all) == 1 {
		p[name] = all[0]
	} else {
		p[name+"s"] = all
	}
}

// ASG is an application security group; NICs name it.
func ASG(name string) Resource { return New("applicationSecurityGroups", name, nil) }

// Firewall is an Azure Firewall of tier Standard with classic network rules, written as `100 Allow tcp 10.0.0.0/8 -> * 443 [name]`, each in a
// collection of its own.
func Firewall(name, subnet, address, public string, rules ...string) Resource {
	p := Object{
		"sku": Object{"name": "AZFW_VNet", "tier": "Standard"}, "threatIntelMode": "Off", "applicationRuleCollections": []any{}, "natRuleCollections": []any{},
		"networkRuleCollections": []any{},
		"ipConfigurations": []any{Object{"name": "ip", "properties": Object{
			"privateIPAddress": address, "subnet": Object{"id": SubnetID(subnet)}, "publicIPAddress": Ref("publicIPAddresses", public),
		}}},
	}
	for _, text := range rules {
		f := strings.Fields(text)
		if len(f) < 7 || f[4] != "->" {
			panic("azuretest: firewall rule `" + text + "`")
		}
		priority, err := strconv.Atoi(f[0])
		if err != nil {
			panic("azuretest: firewall rule `" + text + "`: " + err.Error())
		}
		part := f[0]
		if len(f) > 7 {
			part = f[7]
		}
		protocol := strings.ToUpper(f[2])
		if protocol == "*" {
			protocol = "Any"
		}
		add(p, "networkRuleCollections", Object{"name": part, "properties": Object{
			"priority": priority, "action": Object{"type": f[1]},
			"rules": []any{Object{"name": part, "protocols": []any{protocol}, "sourceAddresses": list(f[3]), "destinationAddresses": list(f[5]), "destinationPorts": list(f[6])}},
		}})
	}
	return New("azureFirewalls", name, p)
}
