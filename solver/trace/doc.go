// Package trace follows one concrete packet through an estate, hop by hop.
//
// [Run] takes a packet as its sender makes it and returns every course that it may take: through rules, routes, peerings,
// appliances, translations and policies, up to the place that receives it, the control that drops it, or the edge of what the
// estate says. It is an interpreter of docs/semantics, written for reading: each branch names the rule that it carries out. It
// shares no code with the symbolic solver, so that each can be checked against the other.
//
// Shape: a question that the input does not settle has two answers. A control then both allows and denies, the packet goes both
// ways, and neither [Path] is Certain. What the sender or load spreading chooses (a pool member, one of several public addresses, the
// node that a pod runs on) makes several courses too, but each of them is available and stays Certain. Assumptions of the register
// that took part stand on each path; those that the register marks as assumed are taken as true unless [Options] says Strict.
//
// Cost: one packet, but every course of it; a walk is cut off after a fixed number of steps and says so with a path that is Lost.
// Errors: none. Input that makes no sense (a dangling reference, an empty field) makes courses uncertain; it never panics.
//
// Source: docs/semantics/azure-network.md, azure-edge-and-aks.md, kubernetes.md.
package trace
