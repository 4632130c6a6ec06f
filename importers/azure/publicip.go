package azure

import (
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readPublicIP reads a public address (AZ-PIP-01 to AZ-PIP-05).
func readPublicIP(r *resource) {
	is, at := decode[armnetwork.PublicIPAddress](r, r.node)
	if is == nil {
		return
	}
	p := &model.PublicIP{Meta: r.meta()}
	if is.SKU != nil {
		name, _ := choice(r, at.get("sku"), "name", armnetwork.PossiblePublicIPAddressSKUNameValues())
		switch name {
		case armnetwork.PublicIPAddressSKUNameBasic:
			p.SKU = model.Basic
		case armnetwork.PublicIPAddressSKUNameStandard, armnetwork.PublicIPAddressSKUNameStandardV2:
			p.SKU = model.Standard
		}
	}
	at = at.get("properties")
	p.Address, p.Prefix = r.addr(at, "ipAddress"), r.reference(at, "publicIPPrefix")
	p.FQDN = strings.ToLower(at.text("dnsSettings", "fqdn"))
	p.AttachedTo = r.reference(at, "ipConfiguration")
	if p.AttachedTo == "" {
		p.AttachedTo = r.reference(at, "natGateway")
	}
	r.emit(p)
}

// readPublicIPPrefix reads a block of public addresses.
func readPublicIPPrefix(r *resource) {
	is, at := decode[armnetwork.PublicIPPrefix](r, r.node)
	if is == nil {
		return
	}
	p := &model.PublicIPPrefix{Meta: r.meta()}
	if v := at.get("properties", "ipPrefix"); v != nil && v.raw.text != "" {
		p.Prefix, _ = r.prefix(v)
	}
	r.emit(p)
}

// readNATGateway reads a NAT gateway (AZ-OUT-02).
func readNATGateway(r *resource) {
	is, at := decode[armnetwork.NatGateway](r, r.node)
	if is == nil {
		return
	}
	g := &model.NATGateway{Meta: r.meta()}
	if is.SKU != nil {
		name, _ := choice(r, at.get("sku"), "name", armnetwork.PossibleNatGatewaySKUNameValues())
		g.SKU = string(name)
	}
	at = at.get("properties")
	g.PublicIPs = distinct(append(r.references(at, "publicIpAddresses"), r.references(at, "publicIpAddressesV6")...))
	g.Prefixes = distinct(append(r.references(at, "publicIpPrefixes"), r.references(at, "publicIpPrefixesV6")...))
	r.attach(r.references(at, "subnets"), "subnets", at)
	r.emit(g)
}
