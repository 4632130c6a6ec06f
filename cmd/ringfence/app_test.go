package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/solver"
)

// An input beyond the budget is unknown: never a success, and never a failure of what it describes.
func TestBudgetIsUnknown(t *testing.T) {
	var stderr bytes.Buffer
	code := report(fmt.Errorf("build the forwarding graph: %w: 9 nodes", solver.ErrBudget), &stderr)
	if code != exitUnknown || !strings.Contains(stderr.String(), "verdict is unknown") || !strings.Contains(stderr.String(), "9 nodes") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
}

// A flag behind an argument would be read as one more argument: every command refuses it before it does anything, and no command takes
// more arguments than it names.
func TestFlagsComeFirst(t *testing.T) {
	var commands [][]string
	for _, c := range newApp(strings.NewReader(""), io.Discard, io.Discard).Commands {
		if len(c.Subcommands) == 0 {
			commands = append(commands, []string{c.Name})
		}
		for _, part := range c.Subcommands {
			commands = append(commands, []string{c.Name, part.Name})
		}
	}
	if len(commands) < 15 {
		t.Fatalf("found %d commands", len(commands))
	}
	for _, c := range commands {
		t.Run(strings.Join(c, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(slices.Concat([]string{"ringfence"}, c, []string{"../../examples/aks-pci", "--check"}), strings.NewReader(""), &stdout, &stderr)
			if code != exitBad || stdout.Len() > 0 || stderr.String() != "ringfence: `--check` stands behind an argument; flags come first\n" {
				t.Errorf("exit %d: %s%s", code, stdout.String(), stderr.String())
			}
		})
	}
	for _, c := range []string{"import", "verify", "matrix", "scope", "lint", "rules", "documents"} {
		t.Run(c+" with two projects", func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run([]string{"ringfence", c, "../../examples/aks-pci", "more"}, strings.NewReader(""), &stdout, &stderr)
			if code != exitBad || stdout.Len() > 0 || stderr.String() != "ringfence: unexpected argument `more`\n" {
				t.Errorf("exit %d: %s%s", code, stdout.String(), stderr.String())
			}
		})
	}
}
