package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check every assertion; print a summary; write report, diagrams and tables to --out", ArgsUsage: "[PROJECT]",
		Flags: append(append(loadFlags(), outputFlag()),
			&cli.StringFlag{Name: "out", Usage: "write report.html, report.json, scope.json, network.svg, dataflow.svg, checklist.csv, rules.csv, junit.xml and results.sarif to `DIR`"},
			&cli.StringFlag{Name: "variant", Usage: "beside the plain run, what opens in a `VARIANT`: jit-open, in which every just-in-time access is open"},
			&cli.BoolFlag{Name: "no-changes", Usage: "do not look for the changes that would make failed assertions hold, which takes time"},
			&cli.BoolFlag{Name: "allow-unknown", Usage: "exit 0 although something is unknown"},
			showFlag(),
			formatsFlag("text", "json", "markdown", "junit", "sarif", "html"),
		),
		Action: runVerify,
	}
}

func runVerify(c *cli.Context) error {
	f, err := formats(c, "text", "json", "markdown", "junit", "sarif", "html")
	if err != nil {
		return err
	}
	show, err := shownBy(c)
	if err != nil {
		return err
	}
	if len(c.StringSlice("i")) > 0 {
		return usage("verify needs a project: what must hold stands in its ringfence.yaml; -i has none")
	}
	if err = checkVariant(c); err != nil {
		return err
	}
	s, err := solveItems(c, 0, pci.Catalogue()...)
	if err != nil {
		return err
	}
	r, err := pci.Verify(s.Solution, "ringfence "+toolVersion(), s.facts)
	if err != nil {
		return err
	}
	if !c.Bool("no-changes") {
		s.Remedies(r.Assertions)
	}
	if c.String("variant") != "" {
		if err = addVariant(c, s.Solution, r); err != nil {
			return err
		}
	}
	r.Findings = show(r.Findings)
	var sheets *sheets
	if f.has("html") || c.String("out") != "" { // the diagrams need a matrix of all endpoints
		if sheets, err = drawAll(s, r); err != nil {
			return err
		}
	}
	if dir := c.String("out"); dir != "" {
		if err = writeReports(dir, s.Solution, r, sheets, !c.Bool("no-changes")); err != nil {
			return err
		}
	}
	err = f.emit(c, func(format string, plain bool) ([]byte, error) {
		switch format {
		case "json":
			return pci.JSON(r)
		case "markdown":
			return pci.Markdown(r, s.Project.Intent), nil
		case "junit":
			return pci.JUnit(r)
		case "sarif":
			return pci.SARIF(r, pci.SARIFOptions{})
		case "html":
			return pci.HTML(r, sheets.panels, sheets.explored)
		default:
			return pci.Text(r, textOptions(c, plain)), nil
		}
	})
	if err != nil {
		return err
	}
	return verdict(c, r)
}

// addVariant adds what opens with every just-in-time access open.
func addVariant(c *cli.Context, plain *solver.Solution, r *pci.Result) error {
	p, access, err := openJIT(plain.Project)
	if err != nil {
		return err
	}
	open, err := solver.Solve(p, solveOptions(c, solver.Options{}))
	if err != nil {
		return fmt.Errorf("variant %s: %w", c.String("variant"), err)
	}
	return r.AddVariant(plain, open, access)
}

// verdict is the exit code of a run: 1 when something fails, 3 when nothing fails and something is unknown.
func verdict(c *cli.Context, r *pci.Result) error {
	switch {
	case r.Summary.Fail+r.Summary.Items.Fail > 0:
		return &exitError{code: exitFail}
	case r.Summary.Unknown+r.Summary.Items.Unknown+r.Summary.Items.AttestationMissing > 0 && !c.Bool("allow-unknown"):
		return &exitError{code: exitUnknown}
	default:
		return nil
	}
}

// writeReports writes the reports of a run into a folder, which it makes if need be. Every report is built before the first is written.
func writeReports(dir string, s *solver.Solution, r *pci.Result, sheets *sheets, changes bool) error {
	type report struct {
		name string
		make func() ([]byte, error)
	}
	reports := []report{
		{"report.html", func() ([]byte, error) { return pci.HTML(r, sheets.panels, sheets.explored) }},
		{"report.json", func() ([]byte, error) { return pci.JSON(r) }},
		{"network.svg", func() ([]byte, error) { return sheets.network, nil }},
		{"dataflow.svg", func() ([]byte, error) { return sheets.dataflow, nil }},
		{"checklist.csv", func() ([]byte, error) { return pci.ItemsCSV(r.Items) }},
		{"rules.csv", func() ([]byte, error) { return pci.RulesCSV(pci.Rules(s.Project)) }},
		{"junit.xml", func() ([]byte, error) { return pci.JUnit(r) }},
		{"results.sarif", func() ([]byte, error) { return pci.SARIF(r, pci.SARIFOptions{}) }},
	}
	if hasCDE(s.Project.Intent) {
		reports = append(reports, report{"scope.json", func() ([]byte, error) {
			scope, err := pci.Scope(s, r.Tool, changes)
			if err != nil {
				return nil, err
			}
			return pci.ScopeJSON(scope)
		}})
	}
	built := make([][]byte, len(reports))
	for i, x := range reports {
		data, err := x.make()
		if err != nil {
			return fmt.Errorf("build %s: %w", x.name, err)
		}
		built[i] = data
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of --out: %w", err)
	}
	var errs []error
	for i, x := range reports {
		errs = append(errs, writeFile(filepath.Join(dir, x.name), built[i]))
	}
	return errors.Join(errs...)
}

// hasCDE reports whether a project declares what the scope is derived from.
func hasCDE(in *model.Intent) bool {
	return slices.ContainsFunc(in.Zones, func(z model.Zone) bool { return z.Kind == model.ZoneCDE || z.Kind == model.ZoneData })
}
