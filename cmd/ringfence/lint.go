package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
	"github.com/ringfence/ringfence/solver/lint"
)

func lintCommand() *cli.Command {
	return &cli.Command{
		Name: "lint", Usage: "findings beside the verdicts: rules without effect, open doors, routes that lead nowhere", ArgsUsage: "[PROJECT]",
		Flags: append(append(loadFlags(), outputFlag()),
			&cli.StringFlag{Name: "fail-on", Value: string(lint.Error), Usage: "exit 1 when there is a finding of this `SEVERITY` or a graver one: error, warning, note, none"},
			showFlag(),
			formatsFlag("text", "json", "csv", "sarif"),
		),
		Action: runLint,
	}
}

func runLint(c *cli.Context) error {
	f, err := formats(c, "text", "json", "csv", "sarif")
	if err != nil {
		return err
	}
	fails, err := failOn(c)
	if err != nil {
		return err
	}
	show, err := shownBy(c)
	if err != nil {
		return err
	}
	p, err := load(c, 0)
	if err != nil {
		return err
	}
	all, err := findings(c, p)
	if err != nil {
		return err
	}
	list := show(all)
	err = f.emit(c, func(format string, plain bool) ([]byte, error) {
		switch format {
		case "json":
			return pci.FindingsJSON(list)
		case "csv":
			return pci.FindingsCSV(list)
		case "sarif":
			return pci.SARIF(findingsAlone(p, list), pci.SARIFOptions{Category: "lint"})
		default:
			return pci.FindingsText(list, textOptions(c, plain)), nil
		}
	})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(f lint.Finding) bool { return slices.Contains(fails, f.Severity) }) {
		return &exitError{code: exitFail}
	}
	return nil
}

// failOn reads --fail-on: the severities that fail a run.
func failOn(c *cli.Context) ([]lint.Severity, error) { return gravest(c, "fail-on") }

// gravest reads a flag that names a severity: it and the graver ones.
func gravest(c *cli.Context, flag string) ([]lint.Severity, error) {
	order := []lint.Severity{lint.Error, lint.Warning, lint.Note}
	want := c.String(flag)
	if want == "none" {
		return nil, nil
	}
	i := slices.Index(order, lint.Severity(want))
	if i < 0 {
		return nil, usage("--%s %s: want error, warning, note or none", flag, want)
	}
	return order[:i+1], nil
}

// showFlag says which findings a report lists. What fails a run is another matter.
func showFlag() cli.Flag {
	return &cli.StringFlag{Name: "show", Value: string(lint.Note), Usage: "list findings of this `SEVERITY` and graver ones: error, warning, note, none; which of them fail a run does not depend on it"}
}

// shownBy is what --show leaves of a list of findings.
func shownBy(c *cli.Context) (func([]lint.Finding) []lint.Finding, error) {
	list, err := gravest(c, "show")
	return func(all []lint.Finding) []lint.Finding {
		return slices.DeleteFunc(slices.Clone(all), func(f lint.Finding) bool { return !slices.Contains(list, f.Severity) })
	}, err
}

// findings lists what is found. Endpoints without a zone are told where zones are declared, and take the solver.
func findings(c *cli.Context, p *model.Project) ([]lint.Finding, error) {
	if p.Intent == nil || len(p.Intent.Zones) == 0 {
		return lint.Check(p), nil
	}
	s, err := solver.Solve(p, solver.Options{Strict: c.Bool("strict"), Progress: newProgress(c.App.ErrWriter).step})
	if err != nil {
		return nil, err
	}
	return pci.Findings(s), nil
}

// findingsAlone is a result of nothing but findings.
func findingsAlone(p *model.Project, list []lint.Finding) *pci.Result {
	r := &pci.Result{Findings: list, Tool: "ringfence " + toolVersion()}
	if p.Intent != nil {
		r.Project, r.AsOf = p.Intent.Name, p.Intent.AsOf.String()
	}
	for _, in := range p.Inputs {
		r.Inputs = append(r.Inputs, pci.Input{Path: in.Path, SHA256: in.SHA256, Kind: in.Kind, Side: in.Side})
	}
	return r
}
