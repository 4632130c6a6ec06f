package azure

import (
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/ringfence/ringfence/model"
)

// readPerimeterProfile reads a profile of a network security perimeter, which holds no more than its name (AZ-NSP-01).
func readPerimeterProfile(r *resource) {
	if is, _ := decode[armnetwork.NspProfile](r, r.node); is != nil {
		r.emit(&model.PerimeterProfile{Meta: r.meta()})
	}
}

// readPerimeterRule reads an access rule of a profile (AZ-NSP-01).
func readPerimeterRule(r *resource) {
	is, at := decode[armnetwork.NspAccessRule](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	dir, ok := required(r, at, "direction", []string{"Inbound", "Outbound"})
	if !ok {
		return
	}
	rule := &model.PerimeterRule{Meta: r.meta(), Inbound: dir == "Inbound", Prefixes: r.prefixes(at.list("addressPrefixes"))}
	rule.Subscriptions = r.references(at, "subscriptions")
	r.emit(rule)
}

// readPerimeterAssociation reads which resource a profile rules, and how (AZ-NSP-02, AZ-NSP-03).
func readPerimeterAssociation(r *resource) {
	is, at := decode[armnetwork.NspAssociation](r, r.node)
	if is == nil {
		return
	}
	at = at.get("properties")
	mode, ok := choice(r, at, "accessMode", []string{"Enforced", "Learning", "Audit", "Transition"})
	if !ok {
		return
	}
	if mode == "Transition" || mode == "" {
		mode = "Learning"
	}
	a := &model.PerimeterAssociation{Meta: r.meta(), Resource: r.reference(at, "privateLinkResource"), Profile: r.reference(at, "profile"), Mode: mode}
	if a.Resource == "" {
		r.missing(at, "privateLinkResource", "the resource that the perimeter holds")
	}
	r.emit(a)
}

// namePerimeterAssociation is an association that is listed without its properties: some resource is in the perimeter (AZ-NSP-04).
func namePerimeterAssociation(r *resource) { r.emit(&model.PerimeterAssociation{Meta: r.meta()}) }
