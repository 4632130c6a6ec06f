package model

import (
	"net/netip"
	"strings"
)

// APIM is an API Management service: a reverse proxy whose back ends its APIs and policies choose (AZ-APIM-01).
type APIM struct {
	Meta
	Tier    string // Developer, Premium, StandardV2, …
	Network string // None, External, Internal; None when absent (AZ-APIM-02)
	Public  string // publicNetworkAccess, as read
	Sites   []APIMSite
}

// APIMSite is the service in one region; the first is its own, the others its additional locations.
type APIMSite struct {
	Subnet     ID
	PublicIP   ID
	PublicIPs  []netip.Addr
	PrivateIPs []netip.Addr
}

// V2 reports a tier of the second generation, whose External mode is outbound integration alone (AZ-APIM-02).
func (a *APIM) V2() bool { return strings.HasSuffix(strings.ToLower(a.Tier), "v2") }

// Injected reports a service whose gateways stand in a subnet, so that its NSG filters their clients (AZ-APIM-02).
func (a *APIM) Injected() bool {
	return strings.EqualFold(a.Network, "Internal") || strings.EqualFold(a.Network, "External") && !a.V2()
}

// PublicDoor reports a service that takes clients at a public address.
func (a *APIM) PublicDoor() bool {
	return !strings.EqualFold(a.Network, "Internal") && !strings.EqualFold(a.Public, "Disabled")
}
