package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/diagram"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

const (
	maxDocument    = 64 << 20 // bytes of a committed copy
	maxPipeline    = 1 << 20
	maxDifferences = 12
)

// solved is a project with all that items of the checklist ask about.
type solved struct {
	*solver.Solution
	facts  pci.Facts
	drafts drafts
}

// solveItems loads and solves a project. Of the facts beside it, those are gathered that the items want.
func solveItems(c *cli.Context, words int, items ...pci.Criterion) (*solved, error) {
	l := &loader{c: c, both: true}
	p, err := dated(l.read(words))
	if err != nil {
		return nil, err
	}
	s, err := solver.Solve(p, solveOptions(c, solver.Options{Questions: pci.Selectors(p)}))
	if err != nil {
		return nil, err
	}
	out := &solved{Solution: s, drafts: drafts{}}
	if p.Intent.Standard == "" && len(items) != 1 {
		return out, nil // no item will be decided
	}
	return out, l.gather(out, items)
}

// gather fills the facts of a run.
func (l *loader) gather(s *solved, items []pci.Criterion) error {
	wants := func(ids ...string) bool {
		return slices.ContainsFunc(items, func(c pci.Criterion) bool { return slices.Contains(ids, c.ID) })
	}
	f := &s.facts
	if l.dir == "" {
		f.NoGit = "the project lies in no git work tree" // a snapshot, or inputs of -i
	} else {
		root, err := os.OpenRoot(l.dir)
		if err != nil {
			return fmt.Errorf("open the project: %w", err)
		}
		defer root.Close()
		if slices.ContainsFunc(items, func(c pci.Criterion) bool { return slices.Contains(c.Methods, pci.Document) }) {
			if f.Documents, err = committed(root.FS(), s); err != nil {
				return err
			}
			if f.Pipelines, err = pipelines(root.FS(), s.Project.Intent); err != nil {
				return err
			}
		}
		f.Git, f.NoGit = gitState(l.c.Context, l.dir, s.Project.Inputs, s.Project.Intent.Documents.Pipelines)
		if wants("1.1.7-a", "1.1.7-b") {
			f.Changed = l.sinceReviews(root.FS(), s)
		}
	}
	if l.other != nil {
		f.Other = &pci.OtherSide{Judged: l.sides.judgedName, Other: l.sides.otherName, Project: l.other}
		if wants("1.2.2-a") {
			other, err := solver.Solve(l.other, solveOptions(l.c, solver.Options{}))
			if err != nil {
				return fmt.Errorf("on the %s side: %w", l.sides.otherName, err)
			}
			if f.Other.Comparison, err = solver.Compare(other, s.Solution); err != nil {
				return fmt.Errorf("compare the sides: %w", err)
			}
		}
	}
	return nil
}

// committed compares the committed copies that the intent names with what this run generates.
func committed(fsys fs.FS, s *solved) ([]pci.Committed, error) {
	var out []pci.Committed
	var errs []error
	for _, k := range pci.DocumentKinds() {
		name := pci.DocumentPath(s.Project.Intent, k)
		if name == "" {
			continue
		}
		c, err := compared(fsys, s, k, name)
		out, errs = append(out, c), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// compared compares one committed copy.
func compared(fsys fs.FS, s *solved, k pci.DocumentKind, name string) (pci.Committed, error) {
	c := pci.Committed{Kind: string(k), Path: name}
	format, err := documentFormat(s.Project.Intent, k, name)
	if err != nil {
		return c, err
	}
	data, err := readLimited(fsys, path.Clean(name), maxDocument)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Missing = true
		return c, nil
	case err != nil:
		return c, fmt.Errorf("read the committed copy of documents.%s: %w", k, err)
	}
	now, err := s.generate(k, format, data)
	if err != nil {
		return c, err
	}
	sum := sha256.Sum256(data)
	c.SHA256 = hex.EncodeToString(sum[:])
	if diff := diagram.Check(now, data); diff != "" {
		c.Differences = strings.Split(strings.TrimSuffix(diff, "\n"), "\n")
		c.Differences = c.Differences[:min(maxDifferences, len(c.Differences))]
	}
	return c, nil
}

// readLimited reads a file of a bounded size; a pipe or a device is none.
func readLimited(fsys fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", name)
	case info.Size() > most:
		return nil, fmt.Errorf("%s has %d bytes, want at most %d", name, info.Size(), most)
	}
	return fs.ReadFile(fsys, name)
}

// documentFormat is the format that the name of a committed copy asks for. A name outside of the project is an error of the input.
func documentFormat(in *model.Intent, k pci.DocumentKind, name string) (string, error) {
	known := map[string]string{".md": "markdown"}
	switch k {
	case pci.DocumentNetwork, pci.DocumentDataFlow:
		known = map[string]string{".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".drawio": "drawio", ".json": "json"}
	case pci.DocumentRules:
		known = map[string]string{".md": "markdown", ".csv": "csv", ".json": "json"}
	default:
	}
	bad := func(want string) error {
		return &model.InputError{Source: in.Documents.Source, Field: "documents." + string(k), Found: name, Accepted: want}
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", bad("a path inside the project's folder")
	}
	format, ok := known[strings.ToLower(path.Ext(name))]
	if !ok {
		var ends []string
		for e := range known {
			ends = append(ends, e)
		}
		slices.Sort(ends)
		return "", bad("a file whose name ends in " + strings.Join(ends, ", "))
	}
	return format, nil
}

// generate writes a document as this run has it. was is the committed copy, if there is one: a drawing keeps its boxes where people put
// them.
func (s *solved) generate(k pci.DocumentKind, format string, was []byte) ([]byte, error) {
	switch k {
	case pci.DocumentNetwork, pci.DocumentDataFlow:
		d, err := s.drafts.draw(s.Solution, nil, diagram.Kind(k))
		if err != nil {
			return nil, err
		}
		var keep *diagram.Positions
		if format == "drawio" && len(was) > 0 {
			if keep, err = diagram.ReadPositions(was); err != nil {
				return nil, fmt.Errorf("read the committed copy of documents.%s: %w", k, err)
			}
		}
		return render(d, format, keep)
	case pci.DocumentRules:
		rows := pci.Rules(s.Project)
		switch format {
		case "csv":
			return pci.RulesCSV(rows)
		case "json":
			return pci.RulesJSON(rows)
		default:
			return pci.RulesMarkdown(s.Project.Intent.Name, rows), nil
		}
	case pci.DocumentZones:
		return pci.NewEvidence(s.Solution, pci.Facts{}).ZonesMarkdown(), nil
	case pci.DocumentEndpoints:
		return pci.NewEvidence(s.Solution, pci.Facts{}).EndpointsMarkdown()
	default:
		panic("ringfence: no document of kind " + string(k)) // INVARIANT: every kind has a case
	}
}

// pipelines finds the lines of pipeline files that check the committed copies.
func pipelines(fsys fs.FS, in *model.Intent) ([]pci.Pipeline, error) {
	var out []pci.Pipeline
	for _, name := range in.Documents.Pipelines {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, &model.InputError{Source: in.Documents.Source, Field: "documents.pipelines", Found: name, Accepted: "a path inside the project's folder"}
		}
		p := pci.Pipeline{Path: name}
		data, err := readLimited(fsys, path.Clean(name), maxPipeline)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			p.Missing = true
		case err != nil:
			return nil, fmt.Errorf("read documents.pipelines: %w", err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			if checks(line) {
				p.Checks = append(p.Checks, fmt.Sprintf("%s:%d: %s", name, i+1, strings.TrimSpace(line)))
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// checks reports whether a line of a pipeline runs what ends with 1 when a committed copy is stale. A line that is a comment runs nothing.
func checks(line string) bool {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "//") {
		return false
	}
	words := strings.Fields(line)
	for i, w := range words {
		if path.Base(w) != "ringfence" || i+1 == len(words) {
			continue
		}
		rest := words[i+1:]
		has := func(flag string) bool {
			return slices.ContainsFunc(rest, func(x string) bool { return x == flag || strings.HasPrefix(x, flag+"=") })
		}
		switch rest[0] {
		case "verify":
			return true
		case "diagram", "documents":
			return has("--check")
		}
	}
	return false
}
