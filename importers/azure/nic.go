package azure

import (
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readNIC reads a network interface. link.go adds what machines, pools and addresses say about it.
func readNIC(r *resource) {
	is, at := decode[armnetwork.Interface](r, r.node)
	if is == nil {
		return
	}
	p := is.Properties
	if p == nil {
		p = &armnetwork.InterfacePropertiesFormat{}
	}
	at = at.get("properties")
	n := &model.NIC{
		Meta: r.meta(), NSG: r.reference(at, "networkSecurityGroup"), IPForwarding: setting(p.EnableIPForwarding),
		VM: r.reference(at, "virtualMachine"), PrivateEndpoint: r.reference(at, "privateEndpoint"),
		DefaultOutbound: setting(p.DefaultOutboundConnectivityEnabled),
	}
	for i, c := range p.IPConfigurations {
		v := at.get("ipConfigurations").at(i)
		n.IPConfigs = append(n.IPConfigs, r.ipConfig(c, v))
	}
	if len(n.IPConfigs) == 1 && p.IPConfigurations[0].Properties != nil && p.IPConfigurations[0].Properties.Primary == nil {
		n.IPConfigs[0].Primary = true
	}
	r.emit(n)
}

func (r *resource) ipConfig(is *armnetwork.InterfaceIPConfiguration, at *value) model.IPConfig {
	_, name := r.part(at, "ipConfigurations")
	c := model.IPConfig{Name: name, Source: r.source(at.raw)}
	p := is.Properties
	if p == nil {
		r.missing(at, "properties", "the IP configuration: a reference alone describes none")
		return c
	}
	at = at.get("properties")
	c.Subnet, c.PublicIP = r.reference(at, "subnet"), r.reference(at, "publicIPAddress")
	c.Address, c.Primary = r.addr(at, "privateIPAddress"), deref(p.Primary)
	c.ASGs = r.references(at, "applicationSecurityGroups")
	c.LBPools = r.references(at, "loadBalancerBackendAddressPools")
	c.AGWPools = r.references(at, "applicationGatewayBackendAddressPools")
	c.NATRules = r.references(at, "loadBalancerInboundNatRules")
	if bits := p.PrivateIPAddressPrefixLength; bits != nil && *bits != 0 && *bits != 32 && *bits != 128 {
		r.unsupported(at.get("privateIPAddressPrefixLength").raw, "the IP configuration holds a block of addresses, of which the first is modelled")
	}
	return c
}
