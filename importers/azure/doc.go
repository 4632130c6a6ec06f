// Package azure reads Azure resources as JSON into the types of package model.
//
// [Import] takes files and gives resources and a ledger in which every resource that was read ends as modelled, irrelevant or
// unsupported. It understands what the REST API and ARM exports print (a `properties` wrapper), what `az … -o json` prints (the
// properties lifted to the top), rows of Resource Graph (IDs in other case), arrays, single objects, `{"value": […]}`, `{"data": […]}`
// and one object a line; plain or gzip, UTF-8 or UTF-16. The same resource gives the same model whichever of these it came in, and
// whether its parts (rules, subnets, routes, records, node pools, firewall rules) stand inside it or beside it.
//
// The outputs of a network manager's list operations (operation.go) have no ID of their own and do not say whom they were listed for. They
// are read in a small envelope, written as they are saved: `{"virtualNetwork": ID, "value": […]}` for what is in force at a VNet,
// `{"networkManager": ID, "regions": […], "value": […]}` for what is active or deployed in regions, and `operation` beside an empty list.
//
// How a resource becomes a model, in the order of the files: bytes.go opens a file, tree.go parses it into nodes with their lines,
// shape.go finds the resources in it, types.go says what becomes of each type, guard.go rewrites a resource to the spelling of its Go
// type and reports every field that is not understood, store.go fills the type, one file per concept reads it (nsg.go, vnet.go, aks.go, …), and link.go joins what
// the resources say about each other. Types of Microsoft.Network are those of the SDK (armnetwork); its structs drop what they do not
// know without an error, so fields.go lists for each of their fields whether it is read, harmless or could change a verdict, and what
// the types hold is compared with what was read. PaaS, AKS and compute types are small structs of this package under the same guard.
//
// Shape: prefixes are masked, IPv4-in-IPv6 is unmapped, ranges a-b of addresses are split into prefixes, protocols are numbers.
// Limits: 256 MiB a file after decompression, 100 levels of nesting, 4 million values a file, 2048 characters an ID.
// Cost: one pass over the bytes, one over the tree, one over the types: some forty megabytes a second, and fourteen bytes allocated for
// each byte read. 38 MB with 1000 subnets, 26000 security rules and 5000 interfaces take under a second (BenchmarkScale).
// Errors: all errors of all files, joined, in order of Source; each is a [model.InputError] with file and line. Secrets (shared keys,
// passwords, certificates, connection strings, custom data) are dropped while the file is parsed and reach neither model nor message.
//
// Source: docs/semantics/azure-network.md and azure-edge-and-aks.md say which properties matter and what their absence means.
package azure
