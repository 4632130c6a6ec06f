package main

import (
	"io/fs"
	"path"
	"path/filepath"

	"github.com/ringfence/ringfence/importers/snapshot"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

// sinceReviews compares the estate with the snapshots that reviews hold (decisions.md, 8.1). What cannot be read is said, and decides
// nothing.
func (l *loader) sinceReviews(fsys fs.FS, s *solved) []pci.ReviewDelta {
	var out []pci.ReviewDelta
	read := map[string]pci.ReviewDelta{}
	for i, r := range s.Project.Intent.Reviews {
		if r.Snapshot == "" {
			continue
		}
		d, ok := read[r.Snapshot]
		if !ok {
			d = l.since(fsys, s, r.Snapshot)
			read[r.Snapshot] = d
		}
		d.Review = i
		out = append(out, d)
	}
	return out
}

func (l *loader) since(fsys fs.FS, s *solved, name string) pci.ReviewDelta {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return pci.ReviewDelta{Err: name + " is no path inside the project's folder"}
	}
	p, err := dated(snapshot.Import(fsys, path.Clean(name)))
	if err != nil {
		return pci.ReviewDelta{Err: err.Error()}
	}
	p.Intent = pruned(s.Project.Intent, p.Estate) // today's zones name the ends of what changed
	then, err := solver.Solve(p, solveOptions(l.c, solver.Options{}))
	if err != nil {
		return pci.ReviewDelta{Err: err.Error()}
	}
	c, err := solver.Compare(then, s.Solution)
	if err != nil {
		return pci.ReviewDelta{Err: err.Error()}
	}
	return pci.ReviewDelta{Comparison: c}
}
