package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

func scopeCommand() *cli.Command {
	return &cli.Command{
		Name: "scope", Usage: "which systems are in scope of an assessment: the CDE, what is connected to it, what guards it, and what is proved to be out", ArgsUsage: "[PROJECT]",
		Flags: append(append(loadFlags(), outputFlag()),
			variantFlag(),
			&cli.BoolFlag{Name: "no-changes", Usage: "do not look for the single changes that would take systems out of scope, which takes time"},
			formatsFlag("text", "json", "csv"),
		),
		Action: runScope,
	}
}

func runScope(c *cli.Context) error {
	f, err := formats(c, "text", "json", "csv")
	if err != nil {
		return err
	}
	if len(c.StringSlice("i")) > 0 {
		return usage("scope needs a project: its zones stand in its ringfence.yaml; -i has none")
	}
	s, err := solve(c, 0, solver.Options{EachNIC: true})
	if err != nil {
		return err
	}
	r, err := pci.Scope(s, "ringfence "+toolVersion(), !c.Bool("no-changes"))
	if err != nil {
		return err
	}
	return f.emit(c, func(format string, plain bool) ([]byte, error) {
		switch format {
		case "json":
			return pci.ScopeJSON(r)
		case "csv":
			return pci.ScopeCSV(r)
		default:
			return pci.ScopeText(r, textOptions(c, plain)), nil
		}
	})
}
