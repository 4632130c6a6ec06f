// Package diagram draws an estate for an assessor: the network diagram (zones, what is in them, every flow between them and the
// controls that it passes) and the data-flow diagram (what cardholder data moves, where it rests, how it is protected).
//
// [Network] and [DataFlow] turn plain data into a [Diagram]: groups, nodes and edges without positions. The formats are functions of
// it: [Diagram.SVG] (laid out and drawn), [Diagram.DOT], [Diagram.Mermaid], [Diagram.JSON]. [Check] compares a committed copy with a
// new one and leaves the stamp (date, hash of the inputs, version) out.
//
// Shape: a sheet has panels, one below the other; flows are bundled per pair of ends. Lines differ by stroke as well as by colour:
// direct is solid, relayed is dashed, unknown is dotted with a question mark, and what is proved to be no path ends in a bar.
// Bytes: the same for the same data, whatever the order in which it comes.
// Cost: the layout engine runs on at most [MaxNodes] boxes and [MaxEdges] lines a panel, below a second; what is not drawn is listed
// in the table of its panel. The engine runs once at a time.
// Errors: zones that cannot be told apart, and a layout that the engine refuses or returns incomplete.
package diagram
