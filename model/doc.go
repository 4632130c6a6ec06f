// Package model says what an estate is: typed Azure and Kubernetes resources, their identity, where each was read, and what people
// state about them (zones, assertions, data flows, justifications).
//
// Importers fill it, the solver reads it; nothing in it decides reachability. An [Estate] is immutable once built and its slices are
// sorted by ID, so that every walk over it has one order. Absent facts are zero values; where absence matters the field is a
// [Setting], whose zero value says "not stated". A reference to a resource that the input lacks stays as its ID ([Estate.Lookup]
// fails on it), because a missing control is unknown, never absent.
//
// Shape: prefixes are masked, IPv4-in-IPv6 is unmapped at the door, ranges include both ends.
// Errors: [InputError] names file, line, resource, field, what was found and what is accepted.
package model
