// Package protection reads from resources how cardholder data is protected on its way and at rest: the listeners and back ends of gateways,
// the TLS floor and the keys of PaaS services, and what a service mesh demands (1.1.3-a; AZ-AGW-21, AZ-AFD-02, K8S-IST-04).
//
// [InTransit] is about one leg of a data flow, [AtRest] about one store. What no resource says is left to what is declared: then Text is
// empty.
//
// Cost: linear in the resources of the kinds that a leg joins.
package protection
