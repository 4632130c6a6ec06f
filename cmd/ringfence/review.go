package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/importers/snapshot"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
)

func reviewCommand() *cli.Command {
	return &cli.Command{
		Name: "review", Usage: "the register of reviews (1.1.7)",
		Subcommands: []*cli.Command{{
			Name: "record", Usage: "record a review: write what was reviewed to a snapshot, and an entry to ringfence.yaml", ArgsUsage: "[PROJECT]",
			Flags: append(slices.DeleteFunc(loadFlags(), func(f cli.Flag) bool { return f.Names()[0] == "i" || f.Names()[0] == "overlay" }),
				&cli.StringSliceFlag{Name: "rules", Usage: "`RULESET` that was reviewed, such as nsg:nsg-pe, nsg:* or policy:aks-prod/* (repeatable)"},
				&cli.StringFlag{Name: "by", Usage: "`WHO` reviewed them: a name or a role"},
				&cli.StringFlag{Name: "on", Usage: "`DAY` of the review (default: the project's asOf, or today)"},
				&cli.StringFlag{Name: "actions", Usage: "`WHAT` was done, such as \"none needed\""},
				&cli.StringFlag{Name: "ticket", Usage: "`TICKET` or commit of what was done"},
				&cli.StringFlag{Name: "procedure", Usage: "`LINK` to the procedure that was followed"},
				&cli.StringFlag{Name: "snapshot", Usage: "write the snapshot to `FILE` inside the project (default: evidence/DAY.snapshot.json.gz)"},
				&cli.BoolFlag{Name: "no-snapshot", Usage: "write no snapshot: what changes later can then be told by commits alone"},
			),
			Action: runReviewRecord,
		}},
	}
}

func runReviewRecord(c *cli.Context) error {
	if c.String("by") == "" {
		return usage("--by is missing: want who reviewed, a name or a role")
	}
	if c.String("actions") == "" {
		return usage("--actions is missing: want what was done, such as --actions \"none needed\"")
	}
	if c.Bool("no-snapshot") && c.String("snapshot") != "" {
		return usage("--snapshot and --no-snapshot exclude each other")
	}
	l := &loader{c: c}
	p, err := l.read(0)
	if err != nil {
		return err
	}
	if l.dir == "" {
		return usage("a review is recorded in ringfence.yaml, and a snapshot has no folder; want the project's folder")
	}
	r := model.Review{
		By: c.String("by"), Actions: c.String("actions"), Ticket: c.String("ticket"), Procedure: c.String("procedure"), On: p.Intent.AsOf,
	}
	if r.On.IsZero() {
		r.On = today()
	}
	latest := r.On
	if text := c.String("on"); text != "" {
		if r.On, err = model.ParseDate(text); err != nil {
			return usage("--on: %v", err)
		}
	}
	if latest.Before(r.On) {
		return usage("--on %s: a review is not in the future; the project is judged as of %s", r.On, latest)
	}
	var covered []string
	if r.RuleSets, covered, err = reviewed(p, c.StringSlice("rules")); err != nil {
		return err
	}
	if !c.Bool("no-snapshot") {
		r.Snapshot = c.String("snapshot")
		if r.Snapshot == "" {
			r.Snapshot = "evidence/" + r.On.String() + ".snapshot.json.gz"
		}
		if !filepath.IsLocal(filepath.FromSlash(r.Snapshot)) {
			return usage("--snapshot %s: want a path inside the project's folder", r.Snapshot)
		}
	}
	if err = record(l.dir, p, r); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "ringfence: recorded the review of %d rule sets (%s)\n", len(covered), strings.Join(covered, ", "))
	return nil
}

// reviewed checks the names of what was reviewed: each pattern names something of the estate.
func reviewed(p *model.Project, patterns []string) (list, covered []string, err error) {
	sets := pci.RuleSets(p.Estate)
	if len(patterns) == 0 {
		var names []string
		for _, s := range sets {
			names = append(names, s.ID)
		}
		return nil, nil, usage("--rules is missing: want the rule sets that were reviewed, of %s", strings.Join(names, ", "))
	}
	for _, pattern := range patterns {
		found := false
		for _, s := range sets {
			if s.Matches(pattern) {
				found = true
				if !slices.Contains(covered, s.ID) {
					covered = append(covered, s.ID)
				}
			}
		}
		if !found {
			var names []string
			for _, s := range sets {
				names = append(names, s.ID)
			}
			hint := ""
			if near := model.Nearest(pattern, names); near != "" {
				hint = "; did you mean `" + near + "`?"
			}
			return nil, nil, usage("--rules %s: the estate has no such rule set%s", pattern, hint)
		}
	}
	return patterns, covered, nil
}

// record writes the snapshot, then the entry. Whether the file then says what it should is checked before anything is written.
func record(dir string, p *model.Project, r model.Review) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open the project: %w", err)
	}
	defer root.Close()
	before, err := root.ReadFile(intentName)
	if err != nil {
		return fmt.Errorf("read the intent: %w", err)
	}
	after, err := intent.AddReview(before, r)
	if err != nil {
		return &model.InputError{Source: model.Source{File: intentName}, Field: "reviews", Err: err}
	}
	was, err := intent.Import(fstest.MapFS{intentName: {Data: before}}, intentName)
	if err != nil {
		return err
	}
	is, err := intent.Import(fstest.MapFS{intentName: {Data: after}}, intentName)
	if err != nil {
		return fmt.Errorf("the entry cannot be added: %w", err)
	}
	n := len(was.Intent.Reviews)
	if len(is.Intent.Reviews) != n+1 || !slices.EqualFunc(was.Intent.Reviews, is.Intent.Reviews[:n], func(a, b model.Review) bool { return model.Alike(a, b) }) {
		return &model.InputError{Source: model.Source{File: intentName}, Field: "reviews", Err: errors.New("the entry cannot be added without changing others; add it by hand")}
	}
	if r.Snapshot != "" {
		var b bytes.Buffer
		plain := !strings.HasSuffix(strings.ToLower(r.Snapshot), ".gz")
		if err = snapshot.Write(&b, p, snapshot.Options{Tool: "ringfence " + toolVersion(), Plain: plain}); err != nil {
			return err
		}
		at := path.Clean(r.Snapshot)
		switch old, bad := root.ReadFile(at); {
		case bad == nil && !bytes.Equal(old, b.Bytes()):
			return usage("%s exists and holds another state; name another file by --snapshot", r.Snapshot)
		case bad != nil && !errors.Is(bad, fs.ErrNotExist):
			return fmt.Errorf("write the snapshot: %w", bad)
		}
		if err = root.MkdirAll(path.Dir(at), 0o755); err != nil {
			return fmt.Errorf("make the folder of the snapshot: %w", err)
		}
		if err = replaceIn(root, at, b.Bytes()); err != nil {
			return err
		}
	}
	return replaceIn(root, intentName, after)
}
