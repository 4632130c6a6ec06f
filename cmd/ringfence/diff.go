package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/diagram"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

// What a difference must hold for diff to end with 1.
const (
	failOnVerdict = "verdict"
	failOnAnyFlow = "any-flow"
	failOnNone    = "none"
)

func diffCommand() *cli.Command {
	flags := slices.DeleteFunc(loadFlags(), func(f cli.Flag) bool { return f.Names()[0] == "i" })
	return &cli.Command{
		Name: "diff", Usage: "what a change does: flows added, widened, narrowed and removed, with the rules to blame, and verdicts that change",
		ArgsUsage: "BASE PROPOSED | --base REVISION [PROJECT]",
		Flags: append(append(flags, outputFlag()),
			&cli.StringFlag{Name: "base", Usage: "compare the project with itself as of a git `REVISION`, such as main or HEAD~1"},
			&cli.StringFlag{Name: "fail-on", Value: failOnVerdict, Usage: "exit 1 when a `KIND` of change is found: verdict (one gets worse), any-flow (any flow differs, or a verdict gets worse), none"},
			&cli.StringFlag{Name: "diagram", Usage: "draw the zones before and after, with what moved highlighted, to `FILE`: .svg, .png, .pdf, .drawio, .dot, .mmd or .json"},
			formatsFlag("text", "json", "markdown", "junit", "sarif"),
		),
		Action: runDiff,
	}
}

func runDiff(c *cli.Context) error {
	f, err := formats(c, "text", "json", "markdown", "junit", "sarif")
	if err != nil {
		return err
	}
	on := c.String("fail-on")
	if !slices.Contains([]string{failOnVerdict, failOnAnyFlow, failOnNone}, on) {
		return usage("--fail-on %s: want %s, %s or %s", on, failOnVerdict, failOnAnyFlow, failOnNone)
	}
	drawn, err := formatOfFile(c.String("diagram"))
	if err != nil {
		return err
	}
	var begun *solver.Begun
	projects, names, err := loadBoth(c, func(base *model.Project) {
		begun = solver.Begin(base, solver.Options{Strict: c.Bool("strict"), Progress: newProgress(c.App.ErrWriter).step})
	})
	if err != nil {
		return err
	}
	if drawn != "" && (projects[0].Intent == nil || projects[1].Intent == nil) {
		return usage("--diagram draws zones, and a side without an intent file has none")
	}
	if on == failOnVerdict && !stated(projects[0]) && !stated(projects[1]) {
		return usage("neither side states an assertion, so no verdict can get worse; want --fail-on any-flow or none")
	}
	beside := pci.StartFindings(projects[0], projects[1])
	defer beside.Wait()
	solved, side, err := begun.Pair(projects[1])
	if err != nil {
		return fmt.Errorf("%s: %w", names[side], err)
	}
	d, err := pci.Diff(solved[0], solved[1], beside, names, "ringfence "+toolVersion())
	if err != nil {
		return err
	}
	if drawn != "" {
		if err = drawDifference(c.String("diagram"), drawn, solved, names); err != nil {
			return err
		}
	}
	err = f.emit(c, func(format string, plain bool) ([]byte, error) {
		switch format {
		case "json":
			return pci.DiffJSON(d)
		case "markdown":
			return pci.DiffMarkdown(d), nil
		case "junit":
			return pci.DiffJUnit(d)
		case "sarif":
			return pci.DiffSARIF(d)
		default:
			return pci.DiffText(d, textOptions(c, plain)), nil
		}
	})
	if err != nil {
		return err
	}
	if on != failOnNone && d.Summary.Worse > 0 || on == failOnAnyFlow && !d.Same() {
		return &exitError{code: exitFail}
	}
	return nil
}

// formatOfFile is the format of a drawing by the end of its name.
func formatOfFile(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	f := strings.TrimPrefix(filepath.Ext(name), ".")
	if f == "mmd" {
		f = "mermaid"
	}
	if !slices.Contains(diagramFormats(), f) {
		return "", usage("--diagram %s: want a name that ends in .svg, .png, .pdf, .drawio, .dot, .mmd or .json", name)
	}
	return f, nil
}

// drawDifference draws the zones of both sides, one above the other, laid out alike.
func drawDifference(file, format string, solved [2]*solver.Solution, names [2]string) error {
	var sides [2]*diagram.Diagram
	for i, s := range solved {
		in, err := diagramInput(s, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
		in.View.Level = diagram.ZoneLevel
		if sides[i], err = diagram.Network(in); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	data, err := render(diagram.Compare(sides[0], sides[1], names), format, nil)
	if err != nil {
		return err
	}
	return writeFile(file, data)
}

func stated(p *model.Project) bool { return p.Intent != nil && len(p.Intent.Assertions) > 0 }

// loadBoth reads the two sides: two folders or snapshots, or one folder as it is and as it was in a revision. begin is called for the base as soon
// as that is there.
func loadBoth(c *cli.Context, begin func(base *model.Project)) (projects [2]*model.Project, names [2]string, err error) {
	revision, given := c.String("base"), c.IsSet("base")
	most := 2
	if given {
		most = 1
	}
	if err = noMore(c, most); err != nil {
		return projects, names, err
	}
	if given {
		dir := c.Args().First()
		if dir == "" {
			dir = "."
		}
		names = [2]string{revision + ":" + dir, dir}
		then, bad := checkOut(c, dir, revision)
		if bad != nil {
			return projects, names, bad
		}
		projects, err = bothAtOnce(begin, func() (*model.Project, error) {
			p, wrong := (&loader{c: c}).project(then, names[0])
			if wrong != nil {
				return nil, fmt.Errorf("in revision %s: %w", revision, wrong)
			}
			return p, nil
		}, func() (*model.Project, error) { return (&loader{c: c}).folder(dir) })
		return projects, names, err
	}
	if c.NArg() != 2 {
		return projects, names, usage("diff compares two projects: want BASE and PROPOSED, each a folder or a snapshot, or --base REVISION")
	}
	names = [2]string{c.Args().Get(0), c.Args().Get(1)}
	projects, err = bothAtOnce(begin,
		func() (*model.Project, error) { return (&loader{c: c}).folder(names[0]) },
		func() (*model.Project, error) { return (&loader{c: c}).folder(names[1]) })
	return projects, names, err
}

// bothAtOnce reads two projects side by side, and begins with the first while the other one is read; of two errors the first one's is told.
func bothAtOnce(begin func(*model.Project), read ...func() (*model.Project, error)) (projects [2]*model.Project, err error) {
	var errs [2]error
	var all sync.WaitGroup
	for i := range projects {
		all.Go(func() {
			if projects[i], errs[i] = dated(read[i]()); i == 0 && errs[i] == nil {
				begin(projects[i])
			}
		})
	}
	all.Wait()
	return projects, cmp.Or(errs[0], errs[1])
}

// dated has dates judged as of today where a project fixes no day.
func dated(p *model.Project, err error) (*model.Project, error) {
	if err == nil && p.Intent != nil && p.Intent.AsOf.IsZero() {
		p.Intent.AsOf = today()
	}
	return p, err
}

// revisionName reports whether a text can name a revision: git reads what begins with a dash as a flag.
func revisionName(s string) bool {
	return s != "" && !strings.HasPrefix(s, "-") && !strings.ContainsAny(s, "\x00\n\r\t :?*[\\") && !strings.Contains(s, "..")
}
