package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/importers/snapshot"
	"github.com/ringfence/ringfence/model"
)

func importCommand() *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "write a whole project to one snapshot, which every command takes in place of the project", ArgsUsage: "[PROJECT]",
		Flags: append(loadFlags(),
			&cli.StringFlag{Name: "o", Usage: "write the snapshot to `FILE`, gzipped when its name ends in .gz (default: JSON on standard output)"},
			&cli.BoolFlag{Name: "redact", Usage: "put pseudonyms for names, addresses, labels, domain names, files and people, and leave comments out: the snapshot has the same verdicts and does not tell whose it is"},
			&cli.StringFlag{Name: "redact-key", Usage: "draw the pseudonyms by `KEY`, of 16 bytes or more, or by what is in a file: @FILE (default: a random key, so that no two runs agree)"},
			&cli.StringFlag{Name: "redact-map", Usage: "write what each word became to `FILE`, which nobody else may read"},
		),
		Action: runImport,
	}
}

func runImport(c *cli.Context) error {
	p, err := (&loader{c: c, keep: true}).read(0)
	if err != nil {
		return err
	}
	if p, err = redacted(c, p); err != nil {
		return err
	}
	o := snapshot.Options{Tool: "ringfence " + toolVersion(), Plain: !strings.HasSuffix(strings.ToLower(c.String("o")), ".gz")}
	return emitBy(c, func(w io.Writer) error { return snapshot.Write(w, p, o) })
}

// redacted is a project with pseudonyms, where they are wanted.
func redacted(c *cli.Context, p *model.Project) (*model.Project, error) {
	if !c.Bool("redact") {
		for _, f := range []string{"redact-key", "redact-map"} {
			if c.IsSet(f) {
				return nil, usage("--%s says how to redact: want --redact too", f)
			}
		}
		return p, nil
	}
	key := []byte(c.String("redact-key"))
	if name, ok := strings.CutPrefix(c.String("redact-key"), "@"); ok {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, usage("--redact-key @%s: %v", name, errors.Unwrap(err))
		}
		key = bytes.TrimSpace(data)
	}
	switch {
	case !c.IsSet("redact-key"):
		key = make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return nil, fmt.Errorf("draw a key: %w", err)
		}
	case len(key) < snapshot.MinKey:
		return nil, usage("--redact-key: the key has %d bytes; want %d or more, since a short one can be guessed", len(key), snapshot.MinKey)
	}
	out, words, err := snapshot.Redact(p, key)
	if err != nil {
		return nil, fmt.Errorf("redact: %w", err)
	}
	if name := c.String("redact-map"); name != "" {
		data, err := snapshot.PseudonymMap(words)
		if err != nil {
			return nil, err
		}
		if err := writeFileAs(name, 0o600, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}
