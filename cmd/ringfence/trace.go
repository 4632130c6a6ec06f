package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/solver"
)

func traceCommand() *cli.Command {
	return &cli.Command{
		Name: "trace", Usage: "follow one packet, hop by hop: rules, routes, translations", ArgsUsage: "[PROJECT]",
		Flags: append(append(loadFlags(), outputFlag()),
			&cli.StringSliceFlag{Name: "from", Usage: "`SELECTOR` of the sender; the first of its addresses sends"},
			&cli.StringSliceFlag{Name: "to", Usage: "`SELECTOR` of the target; its first address is the destination"},
			serviceFlag(),
			&cli.StringFlag{Name: "name", Usage: "`FQDN` that the connection carries (SNI or Host)"},
			&cli.BoolFlag{Name: "all", Usage: "walk past drops, so that every control's own answer shows"},
			expectFlag(), formatFlag("text", "json"),
		),
		Action: runTrace,
	}
}

type traceOutput struct {
	Schema string `json:"schema"`
	*solver.Trace
}

func runTrace(c *cli.Context) error {
	f, err := format(c, "text", "json")
	if err != nil {
		return err
	}
	from, err := selectors(c, "from")
	if err != nil {
		return err
	}
	to, err := selectors(c, "to")
	if err != nil {
		return err
	}
	svc, err := services(c)
	if err != nil {
		return err
	}
	if len(svc) != 1 {
		return usage("--service: a trace follows one packet; want one service such as tcp/443 or tcp/443/50000")
	}
	if err = checkExpect(c); err != nil {
		return err
	}
	s, err := solve(c, append(slices.Clone(from), to...))
	if err != nil {
		return err
	}
	t, err := s.Trace(from, to, svc[0], c.String("name"), c.Bool("all"))
	if err != nil {
		return err
	}
	var data []byte
	if f == "json" {
		if data, err = jsonBytes(traceOutput{"ringfence/trace/v1", t}); err != nil {
			return err
		}
	} else {
		p := newPrinter(c.App.Writer, c.String("o") != "")
		printTrace(p, t)
		data = p.b.Bytes()
	}
	if err = emit(c, data); err != nil {
		return err
	}
	return judge(c, t.Verdict)
}

func printTrace(p *printer, t *solver.Trace) {
	word := p.open("UNKNOWN")
	switch t.Verdict {
	case solver.Reachable:
		word = p.bad("DELIVERED")
	case solver.Unreachable:
		word = p.good("DROPPED")
	case solver.Unknown:
	}
	p.line("%s  %s", word, plain(t.Packet.String()))
	printHops(p, t.Hops)
	if t.Courses > 1 {
		p.line("%s", p.dim("the packet may take other courses too; this one decides the verdict"))
	}
	printAssumptions(p, t.Assumptions)
}
