// Package solver answers questions about an estate: who can reach whom, and does what people demand hold.
//
// [Solve] builds the forwarding graph of a project (solver/dataplane), floods it in the three bounds of AZ-GEN-09, and answers from
// the floods: [Solution.Reach], [Solution.Matrix], [Solution.Check] for the four verbs of assertions. A reachable answer carries a
// witness packet that the interpreter (solver/trace) replayed; one that it does not confirm is never shown as proof.
//
// Shape: endpoints are selectors (docs/intent.md); flows are unions of few ranges. Verdicts are three-valued; unknown names the
// assumption that separates the bounds.
// Cost: one flood per bound for all senders; questions read it. A `through` costs one more flood, round the named places.
// Errors: a selector that selects nothing, and a budget that is exceeded; never a panic on input.
package solver
