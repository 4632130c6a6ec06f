package azure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readPrivateEndpoint reads a private endpoint with its zone groups (AZ-PE-01 to AZ-PE-09). link.go adds the addresses of its NICs.
func readPrivateEndpoint(r *resource) {
	is, at := decode[armnetwork.PrivateEndpoint](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	e := &model.PrivateEndpoint{
		Meta: r.meta(), Subnet: r.reference(at, "subnet"), NICs: r.references(at, "networkInterfaces"),
		ASGs: r.references(at, "applicationSecurityGroups"),
	}
	var connections []*value
	for _, list := range []string{"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"} {
		connections = append(connections, at.list(list)...)
	}
	for i, v := range connections {
		c := v.get("properties")
		if i > 0 {
			r.unsupported(v.raw, "the endpoint has several connections, of which the first is modelled")
			break
		}
		e.Target, e.Groups = r.idText(c, "privateLinkServiceId"), spoken(c.list("groupIds"))
		slices.Sort(e.Groups)
		e.State = r.connectionState(c.get("privateLinkServiceConnectionState"))
	}
	if len(connections) == 0 {
		r.unsupported(r.node, "the input lacks the connection of the private endpoint: what it leads to is not known")
	}
	for _, v := range at.list("ipConfigurations") {
		if a := r.addr(v, "properties", "privateIPAddress"); a.IsValid() {
			e.Addresses = append(e.Addresses, a)
		}
	}
	for _, v := range at.list("customDnsConfigs") {
		name := model.EndpointName{FQDN: strings.ToLower(v.text("fqdn")), Addresses: sortedAddrs(r.addrs(v.list("ipAddresses")))}
		e.Addresses = append(e.Addresses, name.Addresses...)
		e.FQDNs = append(e.FQDNs, name)
	}
	slices.SortStableFunc(e.FQDNs, func(a, b model.EndpointName) int { return cmp.Compare(a.FQDN, b.FQDN) })
	for _, group := range r.children["privatednszonegroups"] {
		if g, v := decode[armnetwork.PrivateDNSZoneGroup](group, group.node); g != nil {
			group.zoneGroup(e, v)
		}
	}
	e.Zones, e.Addresses = distinct(e.Zones), sortedAddrs(e.Addresses)
	r.emit(e)
}

// zoneGroup adds the zones of a group, and the addresses that the platform wrote into them (AZ-DNS-04).
func (r *resource) zoneGroup(e *model.PrivateEndpoint, at *value) {
	for _, v := range at.list("properties", "privateDnsZoneConfigs") {
		c := v.get("properties")
		if id := r.idText(c, "privateDnsZoneId"); id != "" {
			e.Zones = append(e.Zones, id)
		}
		for _, rec := range c.list("recordSets") {
			e.Addresses = append(e.Addresses, r.addrs(rec.list("ipAddresses"))...)
		}
	}
}

// connectionState reads whether a connection is approved (AZ-PE-01, AZ-PAAS-06). A state that is not known counts as written.
func (r *resource) connectionState(at *value) string {
	text := at.text("status")
	for _, s := range []string{"Approved", "Pending", "Rejected", "Disconnected"} {
		if strings.EqualFold(text, s) {
			return s
		}
	}
	if text != "" {
		r.unsupported(at.get("status").raw, "a connection state that is not known to ringfence")
	}
	return text
}
