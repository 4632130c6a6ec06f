package azuretest

import "strings"

// Cluster is an AKS cluster of plug-in azure with node pools, each written `name net/subnet`. Options of it: overlay (pod addresses of
// 10.244.0.0/16), kubenet, policy=azure, cilium (data plane and policy), outbound=userDefinedRouting, public (its API server; else it is
// private); of a pool, behind its subnet: pods=net/subnet, mode=Gateway, public.
func Cluster(name, policy string, pools ...string) Resource {
	network := Object{"networkPlugin": "azure", "networkPolicy": policy, "networkDataplane": "azure", "loadBalancerSku": "standard", "outboundType": "loadBalancer", "serviceCidr": "10.250.0.0/16"}
	r := New("Microsoft.ContainerService/managedClusters", name, Object{
		"networkProfile": network, "nodeResourceGroup": name + "-nodes", "apiServerAccessProfile": Object{"enablePrivateCluster": true},
	})
	for _, text := range pools {
		words := strings.Fields(text)
		if len(words) == 1 {
			switch key, value := option(words[0]); key {
			case "overlay":
				network["networkPluginMode"], network["podCidr"], network["podCidrs"] = "overlay", "10.244.0.0/16", []any{"10.244.0.0/16"}
			case "kubenet":
				network["networkPlugin"], network["podCidr"], network["podCidrs"] = "kubenet", "10.244.0.0/16", []any{"10.244.0.0/16"}
			case "cilium":
				network["networkDataplane"], network["networkPolicy"] = "cilium", "cilium"
			case "outbound":
				network["outboundType"] = value
			case "public":
				r.properties()["apiServerAccessProfile"] = Object{"enablePrivateCluster": false}
			default:
				unknownWord("a cluster", words[0])
			}
			continue
		}
		pool := Object{"name": words[0], "mode": "System", "count": 3, "type": "VirtualMachineScaleSets", "osType": "Linux", "vnetSubnetID": SubnetID(words[1]), "enableNodePublicIP": false}
		for _, word := range words[2:] {
			switch key, value := option(word); key {
			case "pods":
				pool["podSubnetID"] = SubnetID(value)
			case "mode":
				pool["mode"] = value
			case "public":
				pool["enableNodePublicIP"] = true
			default:
				unknownWord("a node pool", word)
			}
		}
		add(r.properties(), "agentPoolProfiles", pool)
	}
	return r
}
