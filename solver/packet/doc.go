// Package packet is the algebra of packet sets (header space): what rules, routes and translations are computed with.
//
// A [Set] holds packets: values of origin, destination and source address, protocol, ports, name and tags. A [Decision] maps every packet
// to a value: the action of a rule list, the deciding rule, or the set of possible outcomes (AZ-GEN-01). Both are immutable and canonical:
// within one [Space] they are equal exactly when they are ==. The zero Set is empty.
//
// # How to use it
//
// A [Builder] is told everything that can tell two packets apart: address sets, translation targets, FQDN patterns, tags. Freeze cuts the
// address space into classes and returns a [Universe]. A Space over it makes sets from boxes and combines them.
//
//	b := packet.NewBuilder()
//	web := b.AddSet("web", []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")})
//	u := b.Freeze()
//	s := packet.NewSpace(u, packet.Limits{})
//	https := s.Box(packet.Box{Dst: u.Addrs(web), Protocol: packet.One(6), DPort: packet.One(443)})
//
// # Classes
//
// Addresses that no set of the Builder tells apart are one class, and diagrams know classes only. Take the sets 10.0.0.0/16 (vnet),
// 10.0.1.0/24 (web) and the target 10.0.1.4:
//
//	addresses    10.0.0.0 ........ 10.0.1.0 .. 10.0.1.4 .. 10.0.1.255 ........ 10.0.255.255
//	vnet         |==========================================================================|
//	web                            |==========================|
//	target                                    |=|
//	class        2                 1          0  1              2                             3: rest of IPv4   4: IPv6
//
// Sets are taken from the largest to the smallest, and each class is placed by the list of sets that hold it, so the target is {0}, web is
// {0, 1} and vnet is {0, 1, 2}: nested sets are one interval each, whatever the number of their prefixes. The numbers depend on the sets and
// not on the order of calls. IPv4 and IPv6 never share a class. The address of a translation must be a class of its own, or the
// translation would reach its neighbours too: [Builder.AddTarget] and [Builder.AddPool] see to it, and [Space.Rewrite] takes nothing else.
//
// # Diagrams
//
// A set is a graph: one level for each field, in the order of [Field]; an edge is an interval of values; equal nodes are one node. The
// list
//
//	1  allow  tcp  from vnet  to web  port 443
//	2  deny   any  from vnet  to web
//	3  allow  any  from vnet  to vnet
//
// as the decision "which rule decides" is (class numbers as above; what leads to 0, "no rule", is left out):
//
//	destination             source                protocol             port
//
//	+-----+  0-1 (web)      +---+  0-2 (vnet)     +---+  6 (tcp)       +---+  443
//	|     | --------------> | B | --------------> | C | -------------> | D | -----------> rule 1
//	|  A  |                 +---+                 |   |                |   |  all others
//	|     |                                       |   |                +---+ -----------> rule 2
//	|     |                                       +---+  all others
//	|     |                                          \---------------------------------> rule 2
//	|     |  2 (rest of vnet)  +---+  0-2 (vnet)
//	|     | -----------------> | E | ---------------------------------------------------> rule 3
//	+-----+                    +---+
//
// The path of a packet from A is its verdict ([Space.At]). A rule whose number no path reaches is shadowed ([Space.Values]).
// "Allowed" is the same graph with rules 1 and 3 mapped to 1 and rule 2 to 0 ([Space.WhereIs]): from B only the way through 443 is left.
//
// An operation on two graphs is one walk over both, level by level, merging the edges of two nodes as one merges sorted lists; each pair of
// nodes is visited once, since results are remembered. [Space.Seq] composes a first-match list so: where the first graph says 0 the
// second one speaks. That is associative, so a list is composed in pairs, then pairs of pairs, which keeps operands small; a [List]
// keeps that tree, so that one changed rule costs one path of it. [Space.Rewrite] unites all children of the rewritten level and puts the
// result under the new values; [Space.Preimage] goes back.
//
// Port-less protocols: only TCP, UDP and SCTP have ports ([Ported]). A set holds a packet of another protocol with all ports or with
// none, always; [Space.Box] panics when it is asked for "ICMP, port 443".
//
// # Cost and limits
//
// An operation costs at most the product of both sizes, and the sum where one of them is small or they are alike. Nodes live in chunks
// without pointers, so that the garbage collector has nothing to scan; they stay until [Space.Compact], which the user calls between
// phases (only the composition of a long list drops its own garbage). Measured figures are in docs/performance.md.
//
// Over its [Limits] a Space is exhausted: Err reports [ErrBudget], for good, and its results prove nothing: they are neither empty nor
// subsets nor disjoint. So untrusted input ends in an unknown verdict, not in a killed process.
//
// A Space has one writer. [Space.Freeze] makes it a base that many goroutines read; each works on its own overlay ([Fork]), and
// [Space.Import] brings results together. What is printed does not depend on how the work was split; each overlay has Limits of its own,
// so whether one is exhausted may.
//
// # Errors
//
// Nothing here is input: importers have parsed addresses, ports and names. Ranges that are backwards or out of their domain, sets of another
// Space, a rewrite to an address that is no class of its own and the like are bugs of ours, and panic with a message.
//
// Source: interval decision diagrams with several terminals, hash-consed as binary decision diagrams are (Bryant, Graph-Based
// Algorithms for Boolean Function Manipulation, 1986); address classes after Yang and Lam, Real-Time Verification of Network Properties
// using Atomic Predicates, ICNP 2013, in one dimension; the sets themselves after Kazemian et al., Header Space Analysis, NSDI 2012.
package packet
