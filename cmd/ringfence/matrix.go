package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/solver"
)

func matrixCommand() *cli.Command {
	return &cli.Command{
		Name: "matrix", Usage: "all pairs of zones, subnets, NICs, endpoints or workloads", ArgsUsage: "[PROJECT]",
		Flags: solveFlags(
			&cli.StringFlag{Name: "by", Usage: "group endpoints by `WHAT`: zone, subnet, nic, endpoint, workload (default: zone, or subnet without an intent file)"},
			serviceFlag(), formatFlag("text", "json"),
		),
		Action: runMatrix,
	}
}

type matrixOutput struct {
	Schema string       `json:"schema"`
	By     solver.By    `json:"by"`
	Rows   []solver.Row `json:"rows"`
}

func runMatrix(c *cli.Context) error {
	f, err := format(c, "text", "json")
	if err != nil {
		return err
	}
	svc, err := services(c)
	if err != nil {
		return err
	}
	by := solver.By(c.String("by"))
	if by == "" {
		by = solver.ByZone
		if len(c.StringSlice("i")) > 0 {
			by = solver.BySubnet
		}
	}
	s, err := solve(c, nil)
	if err != nil {
		return err
	}
	rows, err := s.Matrix(by, svc, c.Bool("direct"))
	if err != nil {
		return usage("%v", err)
	}
	var data []byte
	if f == "json" {
		if data, err = jsonBytes(matrixOutput{"ringfence/matrix/v1", by, rows}); err != nil {
			return err
		}
	} else {
		p := newPrinter(c.App.Writer, c.String("o") != "")
		printMatrix(p, rows)
		data = p.b.Bytes()
	}
	return emit(c, data)
}

func printMatrix(p *printer, rows []solver.Row) {
	if len(rows) == 0 {
		p.line("no pair can open anything: proved for every packet")
		return
	}
	src := ""
	for _, r := range rows {
		if r.Src != src {
			src = r.Src
			p.line("%s", plain(src))
		}
		note := ""
		if r.Verdict == solver.Unknown {
			note = "  " + p.open("possible, not certain")
		}
		p.line("  -> %s  %s%s%s", plain(r.Dst), serviceList(r.Packets), relayText(r), note)
	}
}

func relayText(r solver.Row) string {
	if r.Kind == solver.Direct {
		return ""
	}
	return "  relayed" + viaText(r.Via)
}

// serviceList is the services of a row in few words.
func serviceList(list []solver.Packets) string {
	var out []string
	seen := map[string]bool{}
	for _, k := range list {
		svc := k.Protocol
		if len(k.DPort) > 0 && k.DPort[0] != "0-65535" {
			svc += "/" + strings.Join(k.DPort, ",")
		}
		if !seen[svc] {
			seen[svc] = true
			out = append(out, svc)
		}
	}
	const most = 6
	if len(out) > most {
		return fmt.Sprintf("%s, … (%d)", strings.Join(out[:most], ", "), len(out))
	}
	return strings.Join(out, ", ")
}
