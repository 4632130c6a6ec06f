// Package propose makes a first intent for an estate about which nobody has stated anything yet.
//
// [Intent] returns a [Draft]: zones by what subnets, namespaces and services are there for, assertions between the zones that
// Requirement 1 asks about, and a stub of a justification for each rule that needs one (docs/pci/decisions.md, 8.2). [Draft.YAML] prints it
// as ringfence.yaml, with the reason for each choice beside it.
//
// A draft guesses on the side of the scope: what nothing else explains is in the zone of kind cde, and nothing is proposed to be out of
// scope. It states no fact that only people can state: owners, approvals, reasons and reviews are empty or stubs (pci.Stub), and no flow is
// said to be wanted, so that nothing passes by the draft's word. What it asserts is proved or refuted by the first run.
//
// Shape: members and assertions are in a fixed order and the file is the same for the same project. A thing that no selector can name alone
// is left out and listed. Each member is tried: what selects nothing that can send or receive is left out and listed too, so that the file
// always loads.
//
// Cost: the project is solved twice, and again for members that select nothing.
// Errors: those of solving, and an estate in which nothing can be in a zone.
package propose
