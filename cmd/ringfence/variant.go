package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
)

// variantFlag is --variant.
func variantFlag() cli.Flag {
	return &cli.StringFlag{Name: "variant", Usage: "ask in a `VARIANT` of the project: jit-open, in which every just-in-time access is open"}
}

// checkVariant refuses a variant that does not exist, before any work is done.
func checkVariant(c *cli.Context) error {
	switch v := c.String("variant"); {
	case c.IsSet("variant") && v != pci.JITOpen:
		return usage("--variant %s: want %s", v, pci.JITOpen)
	default:
		return nil
	}
}

// openJIT is a project with every just-in-time access open.
func openJIT(p *model.Project) (*model.Project, []pci.Access, error) {
	open, access, err := pci.OpenJIT(p)
	if err != nil {
		return nil, nil, usage("--%v", err)
	}
	return open, access, nil
}

// printVariant says that an answer is about a variant of the project.
func printVariant(p *printer, c *cli.Context) {
	if c.String("variant") != "" {
		p.line("%s", p.open("variant "+c.String("variant")+": every just-in-time access is open"))
	}
}
