package main

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/importers/snapshot"
)

func importCommand() *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "write a whole project to one snapshot, which every command takes in place of the project", ArgsUsage: "[PROJECT]",
		Flags: append(loadFlags(),
			&cli.StringFlag{Name: "o", Usage: "write the snapshot to `FILE`, gzipped when its name ends in .gz (default: JSON on standard output)"},
		),
		Action: runImport,
	}
}

func runImport(c *cli.Context) error {
	p, err := loadUndated(c, 0)
	if err != nil {
		return err
	}
	o := snapshot.Options{Tool: "ringfence " + toolVersion(), Plain: !strings.HasSuffix(strings.ToLower(c.String("o")), ".gz")}
	return emitBy(c, func(w io.Writer) error { return snapshot.Write(w, p, o) })
}
