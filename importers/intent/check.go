package intent

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// check compares what the files say with each other, once all of them are read.
func (r *reader) check() {
	r.checkDays()
	r.checkZones()
	r.checkNone()
	if e := r.out.Intent.PCI.ExemptNamespaces; e.OnlySet && len(e.Add) > 0 {
		at := e.Add[0].Source
		r.report(&model.InputError{Source: at, Field: at.Path, Err: errors.New("`add` extends the list that `only` replaces: want one of them")})
	}
}

// checkDays reports what somebody said after the day on which the estate is judged (8.1, 8.3). Without asOf that day is the day of
// the run, which is not known here.
func (r *reader) checkDays() {
	asOf := r.out.Intent.AsOf
	if asOf.IsZero() {
		return
	}
	for _, s := range r.signed {
		if asOf.Before(s.on) {
			r.report(&model.InputError{Source: s.source, Field: s.source.Path, Found: s.on.String(), Accepted: "a day not later than asOf, " + asOf.String()})
		}
	}
}

// checkZones reports selectors of zones that no file declares.
func (r *reader) checkZones() {
	names := []string{string(model.ZoneInternet)}
	for _, z := range r.out.Intent.Zones {
		names = append(names, z.Name)
	}
	for _, s := range r.zones {
		pattern := strings.Join(s.Parts, "/")
		if slices.ContainsFunc(names, func(name string) bool { return model.MatchName(pattern, name, false) }) {
			continue
		}
		e := &model.InputError{Source: s.Source, Field: s.Source.Path, Found: s.Text, Accepted: "a zone that is declared under `zones`"}
		if near := nearest(pattern, names); near != "" {
			e.Err = fmt.Errorf("did you mean `zone:%s`?", near)
		}
		r.report(e)
	}
}

// checkNone reports a statement that something does not exist beside a statement that it does.
func (r *reader) checkNone() {
	in := &r.out.Intent
	for _, n := range in.None {
		var there model.Source
		switch n.What {
		case "wireless":
			there = zoneOf(in.Zones, model.ZoneWireless)
		case "onPrem":
			there = zoneOf(in.Zones, model.ZoneOnPrem)
		case "stores":
			if len(in.Stores) > 0 {
				there = in.Stores[0].Source
			}
		case "monitoring":
			if len(in.PCI.Monitoring) > 0 {
				there = in.PCI.Monitoring[0].Source
			}
		case "proxies":
			there = firstOf(in.PCI.Proxies)
		case "jumpBoxes":
			there = firstOf(in.PCI.JumpBoxes)
		case "ingress":
			there = firstOf(in.PCI.IngressRouters)
		default: // clusters and vpn: only an input can contradict them
		}
		if !there.IsZero() {
			r.report(&model.InputError{Source: n.Source, Field: n.Source.Path, Err: fmt.Errorf("says that there is none, but %s declares one (%s)", there, there.Path)})
		}
	}
}

func zoneOf(zones []model.Zone, kind model.ZoneKind) model.Source {
	for _, z := range zones {
		if z.Kind == kind {
			return z.Source
		}
	}
	return model.Source{}
}

func firstOf(list []model.Selector) model.Source {
	if len(list) == 0 {
		return model.Source{}
	}
	return list[0].Source
}
