// Package snapshot writes a whole project to one file and reads it back: every resource with its provenance, the intent, the ledger, the
// service tags and the hashes of the inputs. A command answers from a snapshot as it does from the sources.
//
// Write and Import are the doors. A snapshot is JSON, gzipped where its name says so:
//
//	{"schema": "ringfence/snapshot/v2", "tool": "ringfence v1.2.3", "digest": "sha256:…", "project": {"Estate": …, "Intent": …, "Inputs": […], "Tags": …, "Apart": …}}
//
// Apart is what objects said before they were joined with others, so that overlays lie over a snapshot as over its sources.
// Members are the fields of package model, by their names there; what is absent has its zero value. The digest is that of the project
// without white space: two snapshots of the same inputs have the same one, whoever wrote them, and a file that was changed is refused.
package snapshot
