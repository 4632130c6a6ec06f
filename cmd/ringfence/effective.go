package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// effectiveParts are the words that may follow `effective`.
func effectiveParts() []string { return []string{"routes", "rules"} }

func effectiveCommand() *cli.Command {
	part := func(name, text string, run func(*cli.Context, *solver.Solution, model.Selector, string) error) *cli.Command {
		return &cli.Command{
			Name: name, Usage: text, ArgsUsage: "[PROJECT]", HideHelpCommand: true,
			Flags: append(append(loadFlags(), outputFlag()),
				&cli.StringFlag{Name: "nic", Usage: "`NIC` by name, group/name or resource ID; or vm:NAME (with one NIC, or a scale set), subnet:VNET/SUBNET"},
				formatFlag("text", "json", "csv"),
			),
			Action: func(c *cli.Context) error { return runEffective(c, run) },
		}
	}
	return &cli.Command{
		Name: "effective", Usage: "print what Azure shows as effective routes or rules of a NIC, of a stopped or planned machine too", ArgsUsage: "routes|rules [flags] [PROJECT]",
		Subcommands: []*cli.Command{
			part("routes", "the effective route table: source, state, next hop, and why a route is not in force", showRoutes),
			part("rules", "the effective security rules, with tags and groups expanded as they are at the NIC", showRules),
		},
		Action: func(c *cli.Context) error {
			want := "`effective " + strings.Join(effectiveParts(), "` or `effective ") + "`"
			if !c.Args().Present() {
				return usage("effective: a word is missing: want %s", want)
			}
			return usage("effective `%s`: want %s", c.Args().First(), want)
		},
	}
}

type routesOutput struct {
	Schema string `json:"schema"`
	*solver.EffectiveRoutes
}

type rulesOutput struct {
	Schema string `json:"schema"`
	*solver.EffectiveRules
}

func runEffective(c *cli.Context, show func(*cli.Context, *solver.Solution, model.Selector, string) error) error {
	f, err := format(c, "text", "json", "csv")
	if err != nil {
		return err
	}
	sel, err := nicSelector(c.String("nic"))
	if err != nil {
		return err
	}
	s, err := solve(c, 0, solver.Options{Questions: []model.Selector{sel}, Alone: true})
	if err != nil {
		return err
	}
	return show(c, s, sel, f)
}

func showRoutes(c *cli.Context, s *solver.Solution, nic model.Selector, format string) error {
	r, err := s.EffectiveRoutes(nic)
	if err != nil {
		return usage("--nic: %v", err)
	}
	if format == "csv" {
		return emitCSV(c, routeRows(r))
	}
	return emitAs(c, format, routesOutput{"ringfence/effective-routes/v1", r}, func(p *printer) { printRoutes(p, r) })
}

func showRules(c *cli.Context, s *solver.Solution, nic model.Selector, format string) error {
	r, err := s.EffectiveRules(nic)
	if err != nil {
		return usage("--nic: %v", err)
	}
	if format == "csv" {
		return emitCSV(c, ruleRows(r))
	}
	return emitAs(c, format, rulesOutput{"ringfence/effective-rules/v1", r}, func(p *printer) { printRules(p, r) })
}

// nicSelector reads --nic: a bare name or ID is a NIC's.
func nicSelector(text string) (model.Selector, error) {
	text = strings.TrimSpace(text)
	if text == "" || strings.HasPrefix(text, "-") {
		return model.Selector{}, usage("--nic is missing: want a NIC, such as nic-vm1, group/nic-vm1, vm:vm1 or subnet:vnet/subnet")
	}
	if kind, _, named := strings.Cut(text, ":"); !named || strings.HasPrefix(text, "/") || !slices.Contains(model.SelectorKinds(), model.SelectorKind(kind)) {
		text = "nic:" + text
	}
	sel, err := model.ParseSelector(text)
	if err != nil {
		return sel, usage("--nic: %v", err)
	}
	return sel, nil
}

// emitCSV emits rows for spreadsheets.
func emitCSV(c *cli.Context, rows [][]string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range rows {
		for i := range row {
			row[i] = model.Cell(row[i])
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return emit(c, b.Bytes())
}

func routeRows(r *solver.EffectiveRoutes) [][]string {
	rows := [][]string{{"source", "state", "prefix", "nextHopType", "nextHopIP", "routeTable", "name", "tag", "hasBgpOverride", "possible", "why", "definedAt"}}
	for _, x := range r.Routes {
		rows = append(rows, []string{
			x.Source, x.State, x.Prefix, x.NextHopType, x.NextHopIP, x.RouteTable, x.Name, x.Tag, strconv.FormatBool(x.HasBGPOverride),
			strconv.FormatBool(x.Possible), x.Why, x.DefinedAt,
		})
	}
	return rows
}

func ruleRows(r *solver.EffectiveRules) [][]string {
	rows := [][]string{{
		"layer", "nsg", "direction", "priority", "name", "access", "protocol", "sources", "sourcePorts", "destinations", "destinationPorts",
		"expandedSources", "expandedDestinations", "possibleSources", "possibleDestinations", "definedAt",
	}}
	join := func(list []string) string { return strings.Join(list, ", ") }
	parts := func(list []solver.TagPart) string {
		var out []string
		for _, p := range list {
			out = append(out, join(p.Prefixes)+" ("+p.Reason+")")
		}
		return strings.Join(out, "; ")
	}
	for _, x := range r.Rules {
		rows = append(rows, []string{
			x.Layer, x.NSG, x.Direction, strconv.Itoa(x.Priority), x.Name, x.Access, x.Protocol, join(x.Sources), join(x.SourcePorts), join(x.Destinations),
			join(x.DestinationPorts), join(x.ExpandedSources), join(x.ExpandedDestinations), parts(x.PossibleSources), parts(x.PossibleDestinations), x.DefinedAt,
		})
	}
	return rows
}

func printRoutes(p *printer, r *solver.EffectiveRoutes) {
	p.line("effective routes of %s in %s", model.Visible(r.NIC), model.Visible(r.Subnet))
	if r.Imported != "" {
		p.line("%s", p.dim("as the platform printed them: "+model.Visible(r.Imported)))
	}
	p.line("")
	rows := [][]string{{"SOURCE", "STATE", "PREFIX", "NEXT HOP", "ADDRESS", "ROUTE TABLE", "WHY"}}
	for i := 0; i < len(r.Routes); {
		x := r.Routes[i]
		n := 1
		for x.Tag != "" && i+n < len(r.Routes) && alike(x, r.Routes[i+n]) {
			n++
		}
		prefix := x.Prefix
		if n > 1 {
			prefix = fmt.Sprintf("%s (%d prefixes, from %s)", x.Tag, n, x.Prefix)
		} else if x.Tag != "" && x.Tag != x.Prefix {
			prefix += " of " + x.Tag
		}
		i += n
		table := x.RouteTable
		if x.Name != "" {
			table = strings.TrimPrefix(table+"/"+x.Name, "/")
		}
		why := x.Why
		if x.HasBGPOverride {
			why = strings.TrimSuffix("hides a route of a gateway; "+why, "; ")
		}
		rows = append(rows, []string{
			x.Source, x.State, model.Visible(prefix), x.NextHopType, x.NextHopIP, model.Visible(table), model.Visible(why),
		})
	}
	p.table("", rows)
	printAssumptions(p, r.Assumptions)
}

// alike reports whether two rows differ in their prefix alone.
func alike(a, b solver.EffectiveRoute) bool {
	a.Prefix = b.Prefix
	return a == b
}

func printRules(p *printer, r *solver.EffectiveRules) {
	p.line("effective rules of %s in %s", model.Visible(r.NIC), model.Visible(r.Subnet))
	if r.Imported != "" {
		p.line("%s", p.dim("tags expanded by effective rules of the input: "+model.Visible(r.Imported)))
	}
	for _, n := range r.Notes {
		p.line("%s", p.open(model.Visible(n)))
	}
	for _, dir := range []string{"Inbound", "Outbound"} {
		rows := [][]string{{"LAYER", "NSG", "PRIORITY", "NAME", "ACCESS", "PROTOCOL", "SOURCE", "PORTS", "DESTINATION", "PORTS"}}
		for _, x := range r.Rules {
			if x.Direction == dir {
				layer := x.Layer
				if x.Possible {
					layer += "?"
				}
				rows = append(rows, []string{
					layer, model.Visible(x.NSG), strconv.Itoa(x.Priority), model.Visible(x.Name), x.Access, x.Protocol, model.Visible(few(x.Sources)),
					few(x.SourcePorts), model.Visible(few(x.Destinations)), few(x.DestinationPorts),
				})
			}
		}
		if len(rows) > 1 {
			p.line("")
			p.line("%s", strings.ToLower(dir))
			p.table("", rows)
		}
	}
	printExpansions(p, r)
	printAssumptions(p, r.Assumptions)
}

// printExpansions prints what tags and groups hold at the NIC, each once.
func printExpansions(p *printer, r *solver.EffectiveRules) {
	seen := map[string]bool{}
	show := func(side, expanded []string, possible []solver.TagPart) {
		var names []string
		for _, s := range side {
			if s != "*" && !strings.Contains(s, "/") {
				names = append(names, s)
			}
		}
		key := strings.Join(names, ", ")
		if len(names) == 0 || seen[key] || slices.Equal(names, expanded) && len(possible) == 0 {
			return
		}
		if len(seen) == 0 {
			p.line("")
			p.line("expanded here")
		}
		seen[key] = true
		held := "nothing for certain"
		if len(expanded) > 0 {
			held = few(expanded)
		}
		p.line("  %s: %s", model.Visible(key), model.Visible(held))
		for _, x := range possible {
			p.line("    %s %s: %s", p.open("possibly"), model.Visible(few(x.Prefixes)), model.Visible(x.Reason))
		}
	}
	for _, x := range r.Rules {
		show(x.Sources, x.ExpandedSources, x.PossibleSources)
		show(x.Destinations, x.ExpandedDestinations, x.PossibleDestinations)
	}
	if r.ServiceTags != "" {
		p.line("  %s", p.dim(model.Visible(r.ServiceTags)))
	}
}
