// Package dataplane reads a model as a forwarding graph: which packets may go from where to where, and how they are translated on the way.
//
// [Build] is the door. Nodes are (place, stage, last forwarder); edges carry a guard and at most one rewrite. A guard has two bounds
// (AZ-GEN-01): what may pass (over), and what passes for certain (under); where the input decides, they are the same set. [Graph.Flood]
// pushes the packets of every sender through the graph at once, in one of three bounds (AZ-GEN-09): may be delivered, is delivered for
// certain, and its reply returns. The packet's origin field, which no translation touches, tells the senders apart, so that one flood
// answers for all pairs.
//
//	pod egress -> node's address -> NIC NSG -> subnet NSG -> routes -+-> VNet, peer    -> subnet NSG -> NIC NSG -> receive
//	  pod.go        (snat)           filter.go               route.go +-> firewall.go   -> routes ...
//	                                                                  +-> gateway.go, egress.go, endpoint.go, service.go
//
// Building has two phases. The planner walks the model, adds nodes and edges, and registers every address set that the run tells apart
// with a packet.Builder (addrs.go); guards are recipes until then ([lazy], guard.go). Freezing the builder gives the address classes;
// the compiler turns recipes into sets when a flood first needs them.
//
// One file per control: filter.go (NSG), tag.go (service tags, VirtualNetwork), route.go and peering.go, gateway.go, firewall.go,
// appgateway.go, bastion.go, loadbalancer.go, public.go and egress.go (public addresses, ways out), endpoint.go (private endpoints),
// service.go (PaaS doors), names.go (FQDNs, private DNS), cluster.go, pod.go and policy.go (AKS, Kubernetes). machine.go puts hosts
// together; symbol.go gives addresses that nobody knows yet a stand-in; flood.go and back.go are the algorithm, forward and backward.
//
// Cost: building is linear in rules and routes, a flood in edges times the diagram operations of its guards. Not safe for concurrent
// use: a graph owns one packet space.
package dataplane
