package model

import "reflect"

// Apart is what the objects of the input say by themselves, as far as the estate does not tell it any more: importers join what objects say about
// each other. With it, others can be laid over an estate whose sources are not at hand. No verdict rests on it.
type Apart struct {
	Read     *Estate // Azure resources as they were read, where joining changed them or the input describes one more than once
	Claims   []Claim
	Clusters []ApartCluster
}

// Claim is what an Azure resource says of others, and what the ledger records where these do not bear it out.
type Claim struct {
	Kind  ClaimKind
	Entry LedgerEntry
	IDs   []ID // the others
}

// ClaimKind says when the entry of a claim is recorded.
type ClaimKind string

// The kinds of claims.
const (
	ClaimAttached    ClaimKind = "attached"    // the resource is attached to others: recorded where these do not name it
	ClaimNamed       ClaimKind = "named"       // the subnet is part of the VNet: recorded where nothing describes it
	ClaimSQLRedirect ClaimKind = "sqlRedirect" // the policy lets redirected connections pass: recorded where it has rules for SQL (AZ-FW-39)
	ClaimNoVNetRules ClaimKind = "noVNetRules" // no virtual network rules are in the input: recorded where a subnet has their service endpoint (AZ-PAAS-04)
	ClaimUnsupported ClaimKind = "unsupported" // the resource is not modelled: recorded with what it may affect of what it names
)

// ApartCluster is what the Kubernetes objects of one import say by themselves.
type ApartCluster struct {
	Cluster ID
	Name    string // of the cluster, in the IDs of objects
	Engine  string // as the input of the manifests states it
	Objects []ApartObject
}

// ApartObject is what one Kubernetes object says that the estate does not tell.
type ApartObject struct {
	ID        ID
	Type      string // apiVersion/kind
	Namespace Source // where it names its namespace, of which the input has no object
	Selects   []string
	Pods      *ApartPods
	Class     *IngressClass
	Endpoints string       // the Service that the object gives addresses to
	Waits     *LedgerEntry // what is recorded of it, which others may widen
	Unclassed bool         // an Ingress that names no class
}

// ApartPods is an object that carries the labels of pods: a pod, or a controller with its template.
type ApartPods struct {
	Workload  *Workload // nil: the workload of this ID in the estate
	OwnerKind string    // of its controlling owner; empty without one
	OwnerName string
	Pod       bool
	Finished  bool // a pod that has ended (K8S-NP-28)
	Idle      bool // a controller that has no pods now
}

// IngressClass says which controller serves the Ingresses of a class (K8S-ING-02).
type IngressClass struct {
	Name       string
	Controller string
	Default    bool
}

// Held lists what the slices of an estate hold, one that NewEstate did not build too: several descriptions of one resource, in any order.
func (e *Estate) Held() []Resource {
	if e == nil {
		return nil
	}
	var out []Resource
	v := reflect.ValueOf(e).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); v.Type().Field(i).IsExported() && f.Type().Elem().Implements(reflect.TypeFor[Resource]()) {
			for j := range f.Len() {
				out = append(out, f.Index(j).Interface().(Resource)) //nolint:forcetypeassert // by the condition
			}
		}
	}
	return out
}

// Hold keeps descriptions as they come; what it returns answers [Estate.Held] alone.
func Hold(list []Resource) *Estate {
	e := &Estate{}
	for _, r := range list {
		e.add(r)
	}
	return e
}
