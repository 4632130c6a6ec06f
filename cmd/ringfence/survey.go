package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// shownEnds is how many lines of a survey are printed; --format json has all.
const shownEnds = 60

// survey is the flows of a question that asks for any end, by the zone and the name of that end.
type survey struct {
	zone, end string
	services  []string
	others    []string // the other ends
	how       string   // direct or relayed, and over what
	open      bool     // possible, not certain
}

// printSurvey prints whom a sender reaches, or who reaches a target: by zone, then by endpoint, with the services.
func printSurvey(p *printer, r *solver.Reach) {
	zones := map[string]string{}
	for _, z := range r.Zones {
		zones[z.End] = z.Zone
	}
	if len(r.Flows) == 0 {
		return
	}
	toAny := r.To == string(model.SelAny)
	var list []*survey
	for _, f := range r.Flows {
		end, other := f.To, f.From
		if !toAny {
			end, other = f.From, f.To
		}
		x := &survey{zone: zones[end], end: end, services: label.Services(f.Packets), others: []string{other}, open: f.Verdict == solver.Unknown}
		if f.Kind == solver.Relayed {
			x.how = "relayed"
		}
		x.how = strings.TrimSpace(x.how + viaText(f.Via))
		if f.Label != "" {
			x.how = strings.TrimSpace(x.how + "  " + f.Label)
		}
		list = merged(list, x)
	}
	slices.SortStableFunc(list, func(a, b *survey) int {
		return cmp.Or(cmp.Compare(unzoned(a.zone), unzoned(b.zone)), cmp.Compare(a.zone, b.zone), cmp.Compare(a.end, b.end), cmp.Compare(a.how, b.how))
	})
	list = slices.DeleteFunc(list, func(x *survey) bool { return x.open && slices.ContainsFunc(list, x.saidBy) })
	alone := !slices.ContainsFunc(list, func(x *survey) bool { return !slices.Equal(x.others, list[0].others) })
	last := "-"
	var rows [][]string
	flush := func() {
		p.table("    ", rows)
		rows = nil
	}
	word := "from"
	if !toAny {
		word = "to"
	}
	for i, x := range list {
		if i == shownEnds {
			flush()
			p.line("  … and %d more lines in %s (--format json has all; name a zone to see it alone)", len(list)-i, zonesText(list[i:]))
			break
		}
		if x.zone != last {
			flush()
			last = x.zone
			p.line("")
			p.line("  %s", model.Visible(cmp.Or(x.zone, "in no zone")))
		}
		note := x.how
		if x.open {
			note = strings.TrimSpace(note + "  " + p.open("possible, not certain"))
		}
		row := []string{model.Visible(x.end), model.Visible(fewApart(x.services)), model.Visible(word + " " + fewApart(x.others)), note}
		if alone {
			row = slices.Delete(row, 2, 3)
		}
		rows = append(rows, row)
	}
	flush()
}

// saidBy reports whether a line says for certain what another says is possible.
func (x *survey) saidBy(y *survey) bool {
	return !y.open && y.end == x.end && y.how == x.how && slices.Equal(y.services, x.services) &&
		!slices.ContainsFunc(x.others, func(o string) bool { return !slices.Contains(y.others, o) })
}

func unzoned(zone string) int {
	if zone == "" {
		return 1
	}
	return 0
}

// merged adds a line to a list, or its other end to the line that says the same.
func merged(list []*survey, x *survey) []*survey {
	for _, y := range list {
		if y.zone == x.zone && y.end == x.end && y.how == x.how && y.open == x.open && slices.Equal(y.services, x.services) {
			y.others = append(y.others, x.others...)
			slices.Sort(y.others)
			y.others = slices.Compact(y.others)
			return list
		}
	}
	return append(list, x)
}

// zonesText counts the zones of some lines.
func zonesText(list []*survey) string {
	var zones []string
	for _, x := range list {
		if z := cmp.Or(x.zone, "no zone"); !slices.Contains(zones, z) {
			zones = append(zones, z)
		}
	}
	if len(zones) == 1 {
		return zones[0]
	}
	return fmt.Sprintf("%d zones", len(zones))
}
