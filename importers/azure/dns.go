package azure

import (
	"strings"

	"github.com/ringfence/ringfence/model"
)

// The structs of this file hold DNS zones as far as they resolve names to addresses.

type dnsRecordSet struct {
	ID         *string           `json:"id,omitempty"`
	Name       *string           `json:"name,omitempty"`
	Properties *recordProperties `json:"properties,omitempty"`
}

type recordProperties struct {
	A    []*aRecord    `json:"aRecords,omitempty"`
	AAAA []*aaaaRecord `json:"aaaaRecords,omitempty"`
}

type aRecord struct {
	Address *string `json:"ipv4Address,omitempty"`
}

type aaaaRecord struct {
	Address *string `json:"ipv6Address,omitempty"`
}

type zoneLink struct {
	ID         *string         `json:"id,omitempty"`
	Name       *string         `json:"name,omitempty"`
	Properties *linkProperties `json:"properties,omitempty"`
}

type linkProperties struct {
	VNet       *ref    `json:"virtualNetwork,omitempty"`
	Resolution *string `json:"resolutionPolicy,omitempty"`
	State      *string `json:"virtualNetworkLinkState,omitempty"`
}

func dnsFields() map[string]fieldUse {
	return map[string]fieldUse{
		"dnsRecordSet": {},
		"aRecord":      {},
		"aaaaRecord":   {},
		"recordProperties": {
			harmless: `ttl fqdn metadata isAutoRegistered targetResource trafficManagementProfile cnameRecord caaRecords cnameRecord dsRecords
				mxRecords naptrRecords nsRecords ptrRecords soaRecord srvRecords tlsaRecords txtRecords`,
		},
		"zoneLink":       {harmless: "location tags"},
		"linkProperties": {harmless: "registrationEnabled"},
	}
}

// readDNSZone reads a private or public zone with its address records and links (AZ-DNS-01 to AZ-DNS-06). Nothing in the zone itself
// decides anything.
func readDNSZone(r *resource) {
	z := &model.DNSZone{
		Meta: r.meta(), Private: strings.EqualFold(r.kind.name, "Microsoft.Network/privateDnsZones"), Zone: strings.ToLower(r.id.Name()),
	}
	for _, segment := range []string{"a", "aaaa"} {
		for _, s := range items[dnsRecordSet](r, nil, nil, segment) {
			at := s.at.get("properties")
			rec := model.DNSRecord{Name: strings.ToLower(s.id.Name()), Source: s.source(s.node)}
			for _, v := range at.list("aRecords") {
				if a := s.addr(v, "ipv4Address"); a.IsValid() {
					rec.Addresses = append(rec.Addresses, a)
				}
			}
			for _, v := range at.list("aaaaRecords") {
				if a := s.addr(v, "ipv6Address"); a.IsValid() {
					rec.Addresses = append(rec.Addresses, a)
				}
			}
			rec.Addresses = sortedAddrs(rec.Addresses)
			z.Records = append(z.Records, rec)
		}
	}
	z.Records = merge(r, "records", z.Records, recordName)
	for _, s := range items[zoneLink](r, nil, nil, "virtualnetworklinks") {
		at := s.at.get("properties")
		link := model.ZoneLink{Source: s.source(s.node), VNet: s.reference(at, "virtualNetwork"), Resolution: at.text("resolutionPolicy")}
		_, link.Name = s.part(s.at, "virtualNetworkLinks") // not from the ID, whose case differs between exports
		if strings.EqualFold(link.Resolution, "Default") {
			link.Resolution = ""
		}
		if link.VNet == "" {
			s.missing(at, "virtualNetwork", "the VNet, as an object with `id`")
			continue
		}
		if state := at.text("virtualNetworkLinkState"); state != "" && !strings.EqualFold(state, "Completed") {
			s.unsupported(at.get("virtualNetworkLinkState").raw, "the link is not completed: whether names resolve by it is not known")
		}
		z.Links = append(z.Links, link)
	}
	z.Links = merge(r, "virtualNetworkLinks", z.Links, linkName)
	r.emit(z)
}

// recordName tells records of one name and two families apart.
func recordName(d model.DNSRecord) (string, model.Source) {
	family := " (A)"
	if len(d.Addresses) > 0 && d.Addresses[0].Is6() {
		family = " (AAAA)"
	}
	return d.Name + family, d.Source
}

func linkName(l model.ZoneLink) (string, model.Source) { return l.Name, l.Source }
