package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

func documentsCommand() *cli.Command {
	var kinds []string
	for _, k := range pci.DocumentKinds() {
		kinds = append(kinds, string(k))
	}
	return &cli.Command{
		Name: "documents", Usage: "write the documents that `documents:` of ringfence.yaml names: diagrams, zones, rules, public endpoints", ArgsUsage: "[PROJECT]",
		Flags: append(loadFlags(),
			&cli.BoolFlag{Name: "check", Usage: "write nothing; exit 1 with a short difference when a committed copy is not what would be written now"},
			&cli.StringFlag{Name: "print", Usage: "print the document of a `KIND` in place of writing any: " + strings.Join(kinds, ", ")},
			outputFlag(),
		),
		Action: runDocuments,
	}
}

func runDocuments(c *cli.Context) error {
	if len(c.StringSlice("i")) > 0 {
		return usage("documents needs a project: zones, reasons and the names of documents stand in its ringfence.yaml; -i has none")
	}
	kind := pci.DocumentKind(c.String("print"))
	switch {
	case kind != "" && !slices.Contains(pci.DocumentKinds(), kind):
		return usage("--print %s: want network, dataflow, zones, rules or endpoints", kind)
	case kind != "" && c.Bool("check"):
		return usage("--check and --print exclude each other")
	case kind == "" && c.String("o") != "":
		return usage("-o goes with --print: what is written, and where to, stands in documents of ringfence.yaml")
	}
	l := &loader{c: c}
	p, err := dated(l.read(0))
	if err != nil {
		return err
	}
	s, err := solver.Solve(p, solveOptions(c, solver.Options{}))
	if err != nil {
		return err
	}
	all := &solved{Solution: s, drafts: drafts{}}
	if kind != "" {
		format := "markdown"
		if kind == pci.DocumentNetwork || kind == pci.DocumentDataFlow {
			format = "svg"
		}
		if name := pci.DocumentPath(p.Intent, kind); name != "" {
			if format, err = documentFormat(p.Intent, kind, name); err != nil {
				return err
			}
		}
		data, bad := all.generate(kind, format, nil)
		if bad != nil {
			return bad
		}
		return emit(c, data)
	}
	if l.dir == "" {
		return usage("documents are written beside ringfence.yaml, and a snapshot has no folder; want the project's folder, or --print")
	}
	if !slices.ContainsFunc(pci.DocumentKinds(), func(k pci.DocumentKind) bool { return pci.DocumentPath(p.Intent, k) != "" }) {
		return &model.InputError{Source: p.Intent.Source, Field: "documents", Found: "none", Accepted: "the documents to keep, such as `documents: {network: docs/network.svg, rules: docs/rules.md}`"}
	}
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		return fmt.Errorf("open the project: %w", err)
	}
	defer root.Close()
	if c.Bool("check") {
		return checkDocuments(root, all)
	}
	return writeDocuments(c, root, all)
}

// checkDocuments compares the committed copies.
func checkDocuments(root *os.Root, s *solved) error {
	list, err := committed(root.FS(), s)
	if err != nil {
		return err
	}
	var stale []string
	for _, d := range list {
		switch {
		case d.Missing:
			stale = append(stale, d.Path+" does not exist; write it with `ringfence documents`")
		case len(d.Differences) > 0:
			stale = append(stale, d.Path+" is stale:\n"+strings.Join(d.Differences, "\n"))
		}
	}
	if len(stale) > 0 {
		return &exitError{exitFail, strings.Join(stale, "\n")}
	}
	return nil
}

// writeDocuments builds every document, then writes each whole or not at all. What shows the same is left as it is, stamp included.
func writeDocuments(c *cli.Context, root *os.Root, s *solved) error {
	type document struct {
		name string
		data []byte
	}
	var list []document
	for _, k := range pci.DocumentKinds() {
		name := pci.DocumentPath(s.Project.Intent, k)
		if name == "" {
			continue
		}
		was, err := compared(root.FS(), s, k, name)
		if err != nil {
			return err
		}
		if !was.Missing && len(was.Differences) == 0 {
			fmt.Fprintf(c.App.ErrWriter, "ringfence: %s is current\n", name)
			continue
		}
		format, err := documentFormat(s.Project.Intent, k, name)
		if err != nil {
			return err
		}
		old, err := root.ReadFile(path.Clean(name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read the committed copy of documents.%s: %w", k, err)
		}
		data, err := s.generate(k, format, old)
		if err != nil {
			return err
		}
		list = append(list, document{path.Clean(name), data})
	}
	for _, d := range list {
		if err := root.MkdirAll(path.Dir(d.name), 0o755); err != nil {
			return fmt.Errorf("make the folder of %s: %w", d.name, err)
		}
		if err := replaceIn(root, d.name, d.data); err != nil {
			return err
		}
		fmt.Fprintf(c.App.ErrWriter, "ringfence: wrote %s\n", d.name)
	}
	return nil
}

// replaceIn writes a file inside a folder whole or not at all.
func replaceIn(root *os.Root, name string, data []byte) error {
	tmp := path.Join(path.Dir(name), fmt.Sprintf(".%s.%d", path.Base(name), os.Getpid()))
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = root.Rename(tmp, name)
	}
	if err != nil {
		_ = root.Remove(tmp)
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func rulesCommand() *cli.Command {
	return &cli.Command{
		Name: "rules", Usage: "the table of 1.1.6: every rule of every control, what it admits, and why", ArgsUsage: "[PROJECT]",
		Flags: append(append(loadFlags(), outputFlag()),
			&cli.StringSliceFlag{Name: "control", Usage: "the rules of `CONTROL` alone, such as nsg:nsg-pe or firewall-policy:* (repeatable)"},
			formatFlag("text", "csv", "markdown", "json"),
		),
		Action: runRules,
	}
}

func runRules(c *cli.Context) error {
	form, err := format(c, "text", "csv", "markdown", "json")
	if err != nil {
		return err
	}
	p, err := load(c, 0)
	if err != nil {
		return err
	}
	rows := pci.Rules(p)
	if only := c.StringSlice("control"); len(only) > 0 {
		if rows, err = pci.RulesOf(p, rows, only); err != nil {
			return usage("--control: %v", err)
		}
	}
	name := ""
	if p.Intent != nil {
		name = p.Intent.Name
	}
	var data []byte
	switch form {
	case "csv":
		data, err = pci.RulesCSV(rows)
	case "json":
		data, err = pci.RulesJSON(rows)
	case "markdown":
		data = pci.RulesMarkdown(name, rows)
	default:
		data = pci.RulesText(rows, textOptions(c, c.String("o") != ""))
	}
	if err != nil {
		return err
	}
	return emitBy(c, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
