// Package workload makes the rule sets and networks that the engine and its peers are measured on, and runs the engine on them.
//
// The generators are structured like Azure configurations, with fixed seeds: lists of five-tuple rules ([Rules]), the same with service
// tags ([TaggedRules], [EntangledRules]), a hub-and-spoke network with firewall and translation ([NewHub]), and Kubernetes
// network policies ([NewCluster]). A plain first-match interpreter ([Verdict]) says what is right, so that nobody is timed on a
// wrong answer. They are no customer's data.
//
// This module depends on ringfence alone; each peer has a module of its own beside it. docs/performance.md has the commands and the
// figures.
package workload
