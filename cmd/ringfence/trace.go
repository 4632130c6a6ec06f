package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

func traceCommand() *cli.Command {
	return &cli.Command{
		Name: "trace", Usage: "follow one packet, hop by hop: rules, routes, translations", ArgsUsage: "[PROJECT]",
		Flags: append(append(loadFlags(), outputFlag()),
			&cli.StringSliceFlag{Name: "from", Usage: "`SELECTOR` of the sender; one of its addresses sends"},
			&cli.StringSliceFlag{Name: "to", Usage: "`SELECTOR` of the target; one of its addresses is the destination"},
			serviceFlag(),
			&cli.StringFlag{Name: "name", Usage: "`FQDN` that the connection carries (SNI or Host)"},
			variantFlag(),
			&cli.BoolFlag{Name: "all", Usage: "walk past drops, so that every control's own answer shows"},
			expectFlag(), formatFlag("text", "json"),
		),
		Action: runTrace,
	}
}

type traceOutput struct {
	Schema string `json:"schema"`
	*solver.Trace
	ServiceTags *solver.TagList `json:"serviceTags,omitempty"`
	Variant     string          `json:"variant,omitempty"` // of the project, in which the question was asked
}

func runTrace(c *cli.Context) error {
	q, err := ask(c)
	if err != nil {
		return err
	}
	if len(q.services) != 1 {
		return usage("--service: a trace follows one packet; want one service such as tcp/443 or tcp/443/50000")
	}
	s, err := solve(c, 0, solver.Options{Questions: q.ends(), Alone: true})
	if err != nil {
		return err
	}
	t, err := s.Trace(q.from, q.to, q.services[0], c.String("name"), c.Bool("all"))
	if err != nil {
		return err
	}
	return q.answer(c, t.Verdict, traceOutput{"ringfence/trace/v1", t, s.ServiceTags(), c.String("variant")}, func(p *printer) {
		printVariant(p, c)
		printTrace(p, t)
		printTagList(p, s.ServiceTags())
	})
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
	p.line("%s  %s", word, model.Visible(t.Packet.String()))
	for _, x := range t.Taken {
		if text := takenText(x); text != "" {
			p.line("%s", p.dim(model.Visible(text)))
		}
	}
	printHops(p, t.Hops)
	if t.Courses > 1 {
		p.line("%s", p.dim("the packet may take other courses too; this one decides the verdict"))
	}
	printAssumptions(p, t.Assumptions)
}

// takenText says which address stands for an end; nothing where the selector names it already.
func takenText(x solver.Taken) string {
	if x.Selector == "ip:"+x.Address || x.Selector == x.Address {
		return ""
	}
	text := x.Address + " stands for " + x.Selector
	if x.Endpoint != x.Selector && x.Endpoint != x.Address {
		text += ", as an address of " + x.Endpoint
	}
	if len(x.NotIn) > 0 {
		text += ", outside the tags " + strings.Join(x.NotIn, ", ")
	}
	return text
}
