package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

func reachCommand() *cli.Command {
	return &cli.Command{
		Name: "reach", Usage: "can one end reach the other: verdict, flows, path and deciding rules", ArgsUsage: "[PROJECT]",
		Flags: solveFlags(
			&cli.StringSliceFlag{Name: "from", Usage: "`SELECTOR` of the sender (repeatable)"},
			&cli.StringSliceFlag{Name: "to", Usage: "`SELECTOR` of the target (repeatable)"},
			serviceFlag(),
			&cli.BoolFlag{Name: "explain", Usage: "all that stops the flow, or lets it pass, and the smallest set of changes that would turn the verdict; nothing is applied"},
			expectFlag(), formatFlag("text", "json"),
		),
		Action: runReach,
	}
}

// reachOutput is the JSON of reach.
type reachOutput struct {
	Schema string `json:"schema"`
	*solver.Reach
	ServiceTags *solver.TagList `json:"serviceTags,omitempty"`
	Variant     string          `json:"variant,omitempty"` // of the project, in which the question was asked
}

func runReach(c *cli.Context) error {
	q, err := ask(c)
	if err != nil {
		return err
	}
	s, err := solve(c, 0, solver.Options{Questions: q.ends(), Alone: true, Explain: c.Bool("explain")})
	if err != nil {
		return err
	}
	r, err := s.Reach(q.from, q.to, q.services, c.Bool("direct"))
	if err != nil {
		return err
	}
	return q.answer(c, r.Verdict, reachOutput{"ringfence/reach/v1", r, s.ServiceTags(), c.String("variant")}, func(p *printer) {
		printVariant(p, c)
		printReach(p, r)
		printTagList(p, s.ServiceTags())
	})
}

func printReach(p *printer, r *solver.Reach) {
	word := p.open("UNKNOWN")
	switch r.Verdict {
	case solver.Reachable:
		word = p.bad("REACHABLE")
	case solver.Unreachable:
		word = p.good("UNREACHABLE")
	case solver.Unknown:
	}
	p.line("%s  %s -> %s  %s", word, model.Visible(r.From), model.Visible(r.To), r.Service)
	if r.Verdict == solver.Unreachable {
		p.line("proved: no packet can be delivered")
	}
	if r.From == string(model.SelAny) || r.To == string(model.SelAny) {
		printSurvey(p, r)
	} else {
		printFlows(p, r.Flows)
	}
	if r.Witness != nil {
		p.line("")
		printWitness(p, r.Witness)
	}
	printStops(p, r)
	printNotes(p, r.Assumptions, len(r.Settle))
	printHinges(p, r.Hinges)
}

// printFlows prints each flow with its packets.
func printFlows(p *printer, flows []solver.Flow) {
	const shown = 12
	for i, f := range flows {
		if i == shown {
			p.line("  … and %d more flows (--format json has all)", len(flows)-shown)
			break
		}
		p.line("")
		p.line("  %s -> %s  %s%s%s", model.Visible(f.From), model.Visible(f.To), f.Kind, viaText(f.Via), labelText(p, f))
		for j, k := range f.Packets {
			if j == 4 {
				p.line("      … and %d more rows", len(f.Packets)-j)
				break
			}
			p.line("      %s", packetsText(k))
		}
		if len(f.Sent) > 0 {
			p.line("      %s", p.dim("sent as "+model.Visible(sentText(f.Sent))))
		}
	}
}

// printStops prints what stops the flow, and what would have to change.
func printStops(p *printer, r *solver.Reach) {
	switch {
	case len(r.BlockedBy) == 0:
	case r.Explanation != nil:
		p.line("")
		printBlockers(p, r.BlockedBy)
	default:
		p.line("")
		p.line("stopped by")
		said := map[string]bool{}
		for _, b := range r.BlockedBy {
			if text := blockerText(b); !said[text] { // pairs of sender and target that the same control stops
				said[text] = true
				p.line("  %s", text)
			}
		}
		p.line("%s", p.dim("examples; --explain lists all that stops it, and what would have to change"))
	}
	if r.Explanation != nil {
		printExplanation(p, r.Explanation)
	}
}

func viaText(via []string) string {
	if len(via) == 0 {
		return ""
	}
	return " via " + model.Visible(strings.Join(via, ", "))
}

func labelText(p *printer, f solver.Flow) string {
	out := ""
	if f.Label != "" {
		out += "  " + p.open(f.Label)
	}
	if f.Verdict == solver.Unknown {
		out += "  " + p.open("possible, not certain")
	}
	return out
}

// sentText says where clients send what arrives elsewhere, or on another port.
func sentText(list []solver.Sent) string {
	var words []string
	for _, x := range list {
		svc := x.Protocol
		if !slices.Equal(x.DPort, []string{"0-65535"}) {
			svc += "/" + strings.Join(x.DPort, ",")
		}
		words = append(words, svc+" to "+few(solver.Compact(x.Dst)))
	}
	return strings.Join(words, "; ")
}

// packetsText prints one row of packets.
func packetsText(k solver.Packets) string {
	svc := k.Protocol
	if len(k.DPort) > 0 && !slices.Equal(k.DPort, []string{"0-65535"}) {
		svc += "/" + strings.Join(k.DPort, ",")
	}
	out := fmt.Sprintf("%s  %s -> %s", svc, few(solver.Compact(k.Src)), few(solver.Compact(k.Dst)))
	if len(k.SPort) > 0 && !slices.Equal(k.SPort, []string{"0-65535"}) {
		out += "  source port " + strings.Join(k.SPort, ",")
	}
	if len(k.Names) > 0 && !slices.Equal(k.Names, []string{"*"}) {
		out += "  names " + few(k.Names)
	}
	if len(k.Tags) > 0 {
		out += "  in " + strings.Join(k.Tags, ", ")
	}
	return model.Visible(out)
}

// few prints the head of a list.
func few(list []string) string {
	const most = 4
	if len(list) <= most {
		return strings.Join(list, ",")
	}
	return fmt.Sprintf("%s,… (%d)", strings.Join(list[:most], ","), len(list))
}

func printWitness(p *printer, w *solver.Witness) {
	p.line("packet  %s", model.Visible(w.Packet.String()))
	printHops(p, w.Hops)
	for _, l := range w.Legs {
		p.line("then %s opens  %s", model.Visible(l.Relay), model.Visible(l.Packet.String()))
		printHops(p, l.Hops)
	}
}

func printHops(p *printer, hops []solver.Hop) {
	at, stage, action := 0, 0, 0
	for _, h := range hops {
		at, stage, action = max(at, len(model.Visible(h.At))), max(stage, len(h.Stage)), max(action, len(h.Action))
	}
	for _, h := range hops {
		word := fmt.Sprintf("%-*s", action, h.Action)
		if h.Action == "deny" || h.Action == "drop" {
			word = p.bad(word)
		}
		p.line("  %-*s  %-*s  %s  %s", at, model.Visible(h.At), stage, h.Stage, word, hopText(p, h))
	}
}

func hopText(p *printer, h solver.Hop) string {
	var parts []string
	if h.NextHopType != "" {
		t := h.Prefix + " -> " + h.NextHopType
		if h.NextHopIP != "" {
			t += " " + h.NextHopIP
		}
		switch {
		case h.Rule != "":
			t += " (" + h.Rule + ")"
		case h.RouteTable != "":
			t += " (" + h.RouteTable + ")"
		}
		parts = append(parts, t)
	}
	if h.Rule != "" && h.NextHopType == "" {
		parts = append(parts, h.Rule)
	}
	if h.Detail != "" && h.Detail != "next hop "+h.NextHopType {
		parts = append(parts, h.Detail)
	}
	if h.Packet != nil {
		parts = append(parts, "now "+h.Packet.String())
	}
	text := model.Visible(strings.Join(parts, "; "))
	if h.Source != "" {
		text += "  " + p.dim(model.Visible(h.Source))
	}
	return text
}

func blockerText(b solver.Blocker) string {
	text := fmt.Sprintf("%s  %s", b.At, b.Stage)
	if b.Rule != "" {
		text += "  " + b.Rule
	}
	if b.Detail != "" {
		text += "  " + b.Detail
	}
	if b.Source != "" {
		text += "  " + b.Source
	}
	return model.Visible(text)
}

func printAssumptions(p *printer, list []solver.Assumption) { printNotes(p, list, 0) }

// printNotes prints what is not known, and what is assumed. The first ones of a list that leads with what would settle it are said to.
func printNotes(p *printer, list []solver.Assumption, lead int) {
	open, taken := []solver.Assumption{}, []solver.Assumption{}
	for _, a := range list {
		if a.Open {
			open = append(open, a)
		} else {
			taken = append(taken, a)
		}
	}
	if len(open) > 0 {
		p.line("")
		switch {
		case lead == 0 || lead == len(open):
			p.line("not known")
		case lead == 1:
			p.line("not known; the first alone could make it reachable")
		default:
			p.line("not known; the first %d together could make it reachable", lead)
		}
		for _, a := range open {
			p.line("  %s: %s%s", p.open(model.Visible(a.ID)), model.Visible(a.Text), settle(a))
		}
	}
	if len(taken) > 0 {
		p.line("")
		p.line("%s", p.dim("assumed"))
		for _, a := range taken {
			p.line("%s", p.dim(fmt.Sprintf("  %s: %s%s", model.Visible(a.ID), model.Visible(a.Text), settle(a))))
		}
	}
}

// printTagList says which list of service tags the answer stands on.
func printTagList(p *printer, t *solver.TagList) {
	if t != nil {
		p.line("")
		p.line("%s", p.dim(t.String()))
	}
}

func settle(a solver.Assumption) string {
	if a.Settle == "" {
		return ""
	}
	return "; settle: " + model.Visible(a.Settle)
}

// printHinges says what the answer would be under each value of what is missing.
func printHinges(p *printer, list []solver.Hinge) {
	for i, h := range list {
		head, verb := "if", "lets"
		if i == 0 {
			p.line("")
		} else {
			head = "else if"
		}
		if len(h.Facts) > 1 {
			verb = "let"
		}
		shut := h.Shut.String()
		if h.Shut == solver.Unknown {
			shut = "still unknown"
		}
		p.line("%s %s %s the packets pass: %s; if not: %s", head, model.Visible(strings.Join(h.Facts, " and ")), verb, h.Open, shut)
	}
}
