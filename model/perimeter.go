package model

import "net/netip"

// PerimeterProfile is a profile of a network security perimeter: a set of access rules for the resources that are associated with it (AZ-NSP-01).
type PerimeterProfile struct{ Meta }

// PerimeterRule is an access rule of a profile, which is the parent of its ID. Outbound rules limit what a service opens itself (AZ-NSP-04).
type PerimeterRule struct {
	Meta
	Inbound       bool
	Prefixes      []netip.Prefix // public sources that it admits
	Subscriptions []ID           // whose resources it admits by identity: no address of a machine (AZ-NSP-02)
}

// PerimeterAssociation puts a resource under a profile of a perimeter (AZ-NSP-02, AZ-NSP-03). One without a resource was listed without its
// properties: it may be any resource's that has none in the input (AZ-NSP-04).
type PerimeterAssociation struct {
	Meta
	Resource ID
	Profile  ID
	Mode     string // accessMode: Enforced, Learning, Audit; Learning where it is absent
}
