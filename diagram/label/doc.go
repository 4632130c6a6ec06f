// Package label writes names, references and services short.
//
// [Services] and [Targets] say in a few words what a set of packets asks for; they summarise, and leave addresses out.
//
// Shape: services are written as people write them (docs/intent.md): `tcp/443`, `udp/53`, `tcp/8000-8100`, `icmp`, `any`.
// Cost: linear in the input, plus one sort.
package label
