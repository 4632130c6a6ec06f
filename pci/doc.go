// Package pci turns what a run decided into what people and machines read: the report, the summary on the terminal, tables, and the
// result files of continuous integration.
//
// [Catalogue] lists the items of the checklist; an item is data and the function that decides it on [Evidence]: the solved project, what
// people state, and [Facts] beside it. [Check] decides all of them.
//
// [Result] holds everything that one run of verify decided; every format is a pure function of it: [HTML], [Text], [JSON], [SARIF],
// [JUnit]. [Difference] is what a change does, and has formats of its own ([DiffText], [DiffMarkdown], …). [Rules] lists the rules of every control with the reason for each ([RulesCSV], [RulesJSON]). The formats decide nothing and
// compute nothing.
//
// Shape: the same result gives the same bytes. Names from the input are escaped for each format, and what does not print in them is
// shown as an escape. `unknown` is never shown as a pass: a problem with its missing fact in text, an error in JUnit, `open` in SARIF.
// Cost: linear in the result.
//
// Source: the checklist and its decision procedures are docs/pci/requirement-1.md and docs/pci/decisions.md.
package pci
