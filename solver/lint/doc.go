// Package lint reports what a reviewer should know about an estate beside the verdicts: controls that have no effect, doors that stand
// open, settings that do not mean what they seem to.
//
// [Check] reads a project and returns its findings. A finding is read off one or few resources, by a rule of docs/semantics that the
// check cites; nothing here follows packets, so a finding says what a resource admits or lacks, not who reaches whom. Its ID is stable,
// and docs/findings has one page for each. The checks stand in one list, in checks.go. Rules of NSGs are held against each other packet
// for packet, as [dataplane.Rulebook] compiles them (rule.go).
//
// Shape: a check is silent where the input does not decide it (a resource that is referenced and not there, a field that is not
// stated and has no known default): false alarms cost more here than in a proof. Subjects are selectors (`subnet:vnet-spoke/snet-pe`) or
// rule names (`nsg:nsg-jump/AllowRdp`).
// Cost: linear in the resources, but for pairs of rules of one NSG and pairs of peered networks; rule.go has the diagrams of each NSG
// beside, in a packet space of its own. An NSG beyond the budget of one is left out there.
// Errors: none; input never panics. Pure and deterministic: the same project gives the same findings in the same order.
//
// Source: docs/semantics, whose rule IDs stand beside each check.
package lint
