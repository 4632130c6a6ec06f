package azure

import (
	"github.com/ringfence/ringfence/model"
)

type apimService struct {
	SKU        *skuName        `json:"sku,omitempty"`
	Properties *apimProperties `json:"properties,omitempty"`
}

type apimProperties struct {
	Network    *string         `json:"virtualNetworkType,omitempty"`
	Subnet     *apimSubnet     `json:"virtualNetworkConfiguration,omitempty"`
	PublicIP   *string         `json:"publicIpAddressId,omitempty"`
	Public     *string         `json:"publicNetworkAccess,omitempty"`
	PublicIPs  []*string       `json:"publicIPAddresses,omitempty"`
	PrivateIPs []*string       `json:"privateIPAddresses,omitempty"`
	Locations  []*apimLocation `json:"additionalLocations,omitempty"`
}

type apimSubnet struct {
	ID *string `json:"subnetResourceId,omitempty"`
}

type apimLocation struct {
	Subnet     *apimSubnet `json:"virtualNetworkConfiguration,omitempty"`
	PublicIP   *string     `json:"publicIpAddressId,omitempty"`
	PublicIPs  []*string   `json:"publicIPAddresses,omitempty"`
	PrivateIPs []*string   `json:"privateIPAddresses,omitempty"`
}

func apimFields() map[string]fieldUse {
	return map[string]fieldUse{
		"apimService": {harmless: "id kind location name type etag systemData tags identity zones"},
		"apimProperties": {harmless: "provisioningState targetProvisioningState createdAtUtc gatewayUrl gatewayRegionalUrl portalUrl managementApiUrl scmUrl developerPortalUrl " +
			"developerPortalStatus legacyPortalStatus releaseChannel hostnameConfigurations customProperties certificates enableClientCertificate natGatewayState outboundPublicIPAddresses " +
			"disableGateway apiVersionConstraint restore privateEndpointConnections platformVersion configurationApi notificationSenderEmail publisherEmail publisherName"},
		"apimSubnet":   {harmless: "vnetid subnetname"},
		"apimLocation": {harmless: "location sku zones gatewayRegionalUrl natGatewayState outboundPublicIPAddresses disableGateway platformVersion"},
	}
}

// readAPIM reads an API Management service. Its APIs and policies say where it forwards, which is not followed (AZ-APIM-01, ASM-E-APIM).
func readAPIM(r *resource) {
	is, at := decode[apimService](r, r.node)
	if is == nil {
		return
	}
	p := at.get("properties")
	a := &model.APIM{Meta: r.meta(), Tier: at.text("sku", "name")}
	a.Network, _ = choice(r, p, "virtualNetworkType", []string{"None", "External", "Internal"})
	a.Public, _ = choice(r, p, "publicNetworkAccess", []string{"Enabled", "Disabled"})
	site := func(v *value) {
		a.Sites = append(a.Sites, model.APIMSite{
			Subnet: r.idText(v, "virtualNetworkConfiguration", "subnetResourceId"), PublicIP: r.idText(v, "publicIpAddressId"),
			PublicIPs: r.addrs(v.list("publicIPAddresses")), PrivateIPs: r.addrs(v.list("privateIPAddresses")),
		})
	}
	site(p)
	for _, v := range p.list("additionalLocations") {
		site(v)
	}
	if a.Network != "" && a.Network != "None" && a.Sites[0].Subnet == "" {
		r.missing(p, "virtualNetworkConfiguration", "the subnet of a service whose virtualNetworkType is "+a.Network)
	}
	r.emit(a)
}
