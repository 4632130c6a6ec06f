package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// most pairs of sender and target whose blockers are printed, and controls that a flow passes; --format json has all.
const (
	shownPairs    = 12
	shownControls = 24
)

// printBlockers prints what stops each pair of sender and target. Pairs that the same controls stop in the same way are said once.
func printBlockers(p *printer, list []solver.Blocker) {
	type pair struct{ from, to string }
	var order []pair
	rows := map[pair][][]string{}
	for _, b := range list {
		k := pair{b.From, b.To}
		if rows[k] == nil {
			order = append(order, k)
		}
		rows[k] = append(rows[k], blockerRow(p, b))
	}
	blocks := []*block{}
	for _, k := range order {
		blocks = joined(blocks, &block{[]string{k.from}, []string{k.to}, rows[k]})
	}
	merged := []*block{}
	for _, b := range blocks {
		merged = joined(merged, b)
	}
	p.line("stopped by")
	for i, b := range merged {
		if i == shownPairs {
			p.line("  … and %d more groups of pairs (--format json has all)", len(merged)-i)
			break
		}
		p.line("  %s -> %s", model.Visible(fewApart(b.from)), model.Visible(fewApart(b.to)))
		p.table("    ", b.rows)
	}
}

// block is senders and targets that the same controls keep apart.
type block struct {
	from, to []string
	rows     [][]string
}

// joined adds a block to a list, or to the one of the list that has the same rows and the same senders, or the same targets.
func joined(list []*block, b *block) []*block {
	for _, x := range list {
		if !slices.EqualFunc(x.rows, b.rows, slices.Equal[[]string]) {
			continue
		}
		switch {
		case slices.Equal(x.from, b.from):
			x.to = append(x.to, b.to...)
			return list
		case slices.Equal(x.to, b.to):
			x.from = append(x.from, b.from...)
			return list
		}
	}
	return append(list, b)
}

// blockerRow is what stops packets, in columns.
func blockerRow(p *printer, b solver.Blocker) []string {
	what := b.Rule
	if b.Detail != "" {
		what = strings.TrimPrefix(what+"; "+b.Detail, "; ")
	}
	if len(b.Packets) > 0 {
		what += "  stops " + few(label.Services(b.Packets))
	}
	return []string{model.Visible(b.At), b.Stage, model.Visible(what), p.dim(model.Visible(b.Source))}
}

// fewApart prints the head of a list of references.
func fewApart(list []string) string {
	const most = 4
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s, … (%d)", strings.Join(list[:most], ", "), len(list))
}

// passedBy is which rule of a control, and which entries of a policy's, let what pass.
func passedBy(c solver.Control) string {
	text := strings.TrimSpace(c.Rule + "  " + c.Entry)
	if len(c.Packets) > 0 {
		text += "  passes " + few(label.Services(c.Packets))
	}
	return strings.TrimSpace(text)
}

// printExplanation prints what would have to change.
func printExplanation(p *printer, e *solver.Explanation) {
	if len(e.NoWay) > 0 {
		p.line("")
		p.line("nothing leads there, whatever rules, routes and peerings say")
		printPairs(p, e.NoWay)
	}
	if len(e.Passed) > 0 {
		p.line("")
		p.line("passed")
		var rows [][]string
		for _, c := range e.Passed[:min(len(e.Passed), shownControls)] {
			rows = append(rows, []string{model.Visible(c.At), c.Stage, model.Visible(passedBy(c)), p.dim(model.Visible(c.Source))})
		}
		p.table("  ", rows)
		if more := len(e.Passed) - len(rows); more > 0 {
			p.line("  … and %d more (--format json has all)", more)
		}
	}
	p.line("")
	verb := "open"
	if e.Wanted == "stop" {
		verb = "stop"
	}
	if e.Changes == 0 {
		p.line("to %s it: %s", verb, e.Reason)
		return
	}
	noun := "changes, and no fewer would do"
	if e.Changes == 1 {
		noun = "change"
	}
	which := ""
	if len(e.Sets) > 1 {
		which = "; any one of these"
	}
	p.line("to %s it: %d %s%s %s", verb, e.Changes, noun, which, p.dim("(nothing is applied)"))
	for i, set := range e.Sets {
		for j, c := range set {
			head := "   "
			if j == 0 {
				head = fmt.Sprintf("%d. ", i+1)
			}
			p.line("  %s%s", head, changeText(p, c))
		}
	}
	if e.More > 0 {
		p.line("  … and %d more of the same size", e.More)
	}
	switch {
	case e.Wanted == "stop":
		p.line("checked: with any of them nothing arrives, in the forwarding graph")
	case e.Witness != nil:
		p.line("checked: with 1., %s is delivered%s", model.Visible(witnessText(e.Witness)), agreement(e))
	}
}

// agreement says who checked a set of changes.
func agreement(e *solver.Explanation) string {
	if e.Replayed {
		return "; the interpreter agrees"
	}
	return "; in the forwarding graph alone"
}

// witnessText is the packets of a witness in a line.
func witnessText(w *solver.Witness) string {
	text := w.Packet.String()
	for _, l := range w.Legs {
		text += ", then " + l.Relay + " opens " + l.Packet.String()
	}
	return text
}

func changeText(p *printer, c solver.Change) string {
	what, why := c.Change, c.Detail
	if c.Rule == "" {
		what = strings.Replace(what, " before this one", "", 1)
	}
	if c.Rule != "" {
		what = strings.Replace(what, "this one", c.Rule, 1)
		if !strings.Contains(what, c.Rule) {
			why = strings.TrimSuffix(c.Rule+", "+why, ", ")
		}
	}
	text := fmt.Sprintf("%s: %s", strings.Join(c.At, ", "), what)
	if why != "" {
		text += " (" + why + ")"
	}
	text = model.Visible(text)
	if c.Source != "" {
		text += "  " + p.dim(model.Visible(c.Source))
	}
	return text
}

// printPairs prints pairs, those of one sender in a line.
func printPairs(p *printer, list []solver.Pair) {
	var order []string
	to := map[string][]string{}
	for _, x := range list {
		if to[x.From] == nil {
			order = append(order, x.From)
		}
		to[x.From] = append(to[x.From], x.To)
	}
	slices.Sort(order)
	for i, from := range order {
		if i == shownPairs {
			p.line("  … and %d more senders (--format json has all)", len(order)-i)
			break
		}
		p.line("  %s -> %s", model.Visible(from), model.Visible(fewApart(to[from])))
	}
}
