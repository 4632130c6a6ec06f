package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// Exit codes.
const (
	exitOK      = 0
	exitFail    = 1 // a property fails, a document is stale
	exitBad     = 2 // bad usage, or input that cannot be read; a run that checked nothing
	exitUnknown = 3 // nothing fails, but something is unknown
)

// version is set at build time with -ldflags "-X main.version=v1.2.3"; else the module's version stands.
var version string

// toolVersion names the program in reports.
func toolVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" && !strings.Contains(info.Main.Version, "+dirty") {
		return info.Main.Version
	}
	return "devel"
}

// exitError ends the program with a code; a message, if any, goes to stderr.
type exitError struct {
	code int
	msg  string
}

func (e *exitError) Error() string { return e.msg }

// usage is an error in how the program was called.
func usage(format string, args ...any) error {
	return &exitError{exitBad, fmt.Sprintf(format, args...)}
}

// run is the program: it returns the exit code and never exits itself.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	completing := len(args) > 0 && args[len(args)-1] == "--generate-bash-completion"
	if completing {
		return complete(args, stdout)
	}
	app := newApp(stdin, stdout, stderr)
	err := app.Run(args)
	if err == nil {
		return exitOK
	}
	return report(err, stderr)
}

// report prints an error and returns its exit code.
func report(err error, stderr io.Writer) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		if e.msg != "" {
			fmt.Fprintf(stderr, "ringfence: %s\n", e.msg)
		}
		return e.code
	}
	if errors.Is(err, solver.ErrBudget) {
		fmt.Fprintf(stderr, "ringfence: verdict is unknown, nothing was decided: %v; ask about a part of the input\n", err)
		return exitUnknown
	}
	// Everything else is input or usage: one line for each error, in order.
	for _, line := range strings.Split(err.Error(), "\n") {
		fmt.Fprintf(stderr, "ringfence: %s\n", line)
	}
	return exitBad
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                      "ringfence",
		Usage:                     "proves who can reach whom in an Azure estate with AKS clusters",
		UsageText:                 "ringfence COMMAND [flags] [PROJECT]\n\nA project is a folder with ringfence.yaml (default: here). Flags come before it.",
		Version:                   toolVersion(),
		HideVersion:               true,
		Reader:                    stdin,
		Writer:                    stdout,
		ErrWriter:                 stderr,
		DisableSliceFlagSeparator: true,
		HideHelpCommand:           true,
		EnableBashCompletion:      false,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              func(_ *cli.Context, err error, _ bool) error { return usage("%v", err) },
		CommandNotFound:           func(*cli.Context, string) {},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("unknown command `%s`%s; `ringfence help` lists the commands", c.Args().First(), nearestCommand(c.App, c.Args().First()))
			}
			c.App.Writer = stderr // standard output is for results
			_ = cli.ShowAppHelp(c)
			return &exitError{exitBad, "a command is missing"}
		},
		Commands: []*cli.Command{
			importCommand(), verifyCommand(), reachCommand(), traceCommand(), matrixCommand(), scopeCommand(), lintCommand(), diffCommand(), effectiveCommand(), diagramCommand(), rulesCommand(), documentsCommand(), initCommand(), reviewCommand(), explainCommand(), schemaCommand(), versionCommand(), completionCommand(), helpCommand(),
		},
	}
	for _, c := range app.Commands {
		c.OnUsageError = app.OnUsageError
		c.HideHelpCommand = true
		c.CustomHelpTemplate = cli.CommandHelpTemplate
		if len(c.Subcommands) == 0 {
			c.Before = flagsFirst
		}
		for _, part := range c.Subcommands {
			part.OnUsageError = app.OnUsageError
			part.Before = flagsFirst
		}
	}
	return app
}

func nearestCommand(app *cli.App, word string) string {
	var names []string
	for _, c := range app.Commands {
		names = append(names, c.Name)
	}
	if near := model.Nearest(word, names); near != "" {
		return fmt.Sprintf(" (did you mean `%s`?)", near)
	}
	return ""
}

func helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Usage: "list the commands, or print the help of one", ArgsUsage: "[COMMAND]",
		Action: func(c *cli.Context) error {
			if err := noMore(c, 1); err != nil {
				return err
			}
			if c.Args().Present() {
				for _, cmd := range c.App.Commands {
					if cmd.Name == c.Args().First() {
						cli.HelpPrinter(c.App.Writer, cli.CommandHelpTemplate, cmd)
						return nil
					}
				}
				return usage("unknown command `%s`%s", c.Args().First(), nearestCommand(c.App, c.Args().First()))
			}
			return cli.ShowAppHelp(c)
		},
	}
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version",
		Action: func(c *cli.Context) error {
			if err := noMore(c, 0); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.App.Writer, "ringfence %s\n", toolVersion())
			return err
		},
	}
}

// flagsFirst refuses flags behind the arguments of a command: the parser takes those for arguments.
func flagsFirst(c *cli.Context) error {
	for _, a := range c.Args().Slice() {
		if strings.HasPrefix(a, "-") && a != "-" {
			return usage("`%s` stands behind an argument; flags come first", a)
		}
	}
	return nil
}

// noMore refuses arguments beyond the most that a command takes.
func noMore(c *cli.Context, most int) error {
	if c.NArg() > most {
		return usage("unexpected argument `%s`", c.Args().Get(most))
	}
	return nil
}

// colour reports whether a writer takes colour: a terminal does, and with FORCE_COLOR every writer; NO_COLOR wins.
func colour(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && (os.Getenv("FORCE_COLOR") != "" || terminal(w))
}

// terminal reports whether a writer is a terminal.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is the columns of a terminal, or the width that text is laid out for elsewhere.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n >= 40 {
			return n
		}
	}
	return 100
}
