package pci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// leaving adds what the proof leaves out, by its number.
func (p Part) leaving(ids ...string) Part {
	p.Residual = append(p.Residual, residual(ids...)...)
	return p
}

// about says how many things the part speaks of.
func (p Part) about(n int) Part {
	p.Subjects = n
	return p
}

// stated puts a part's statement in words that say more than its selectors.
func (p Part) stated(format string, args ...any) Part {
	p.Statement = fmt.Sprintf(format, args...)
	return p
}

func isKind(kinds ...model.ZoneKind) func(model.Zone) bool {
	return func(z model.Zone) bool { return slices.Contains(kinds, z.Kind) }
}

// declared lists the zones of some kinds.
func (ev *Evidence) declared(kinds ...model.ZoneKind) []model.Zone {
	return slices.DeleteFunc(slices.Clone(ev.in.Zones), func(z model.Zone) bool { return !isKind(kinds...)(z) })
}

func kindsText(kinds []model.ZoneKind) string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return strings.Join(out, ", ")
}

// holding selects what a zone holds, less the members that drop names; left counts what remains.
func (ev *Evidence) holding(z model.Zone, drop func(member) (model.Selector, bool)) (out []model.Selector, left int) {
	out = []model.Selector{ev.zone(z)}
	for _, m := range ev.membersOf(z) {
		sel, dropped := drop(m)
		if !dropped {
			left++
			continue
		}
		if n := not([]model.Selector{sel})[0]; !slices.ContainsFunc(out, func(s model.Selector) bool { return s.Text == n.Text }) {
			out = append(out, n)
		}
	}
	return out, left
}

// door is what has a public door by its nature and is judged by itself: Bastions and gateways, services (1.2.1-o, 1.3.6-a), public API
// servers (1.3.1-e).
func (ev *Evidence) door(m member) (model.Selector, bool) {
	r, ok := ev.e.Lookup(m.Place.ID)
	switch {
	case !ok:
	case m.Place.Kind == model.PlaceService:
		return ev.sel(model.SelService, r), true
	case m.Place.Kind == model.PlaceAPIServer && r.(*model.Cluster).Private != model.On:
		return ev.sel(model.SelAPIServer, r), true
	case m.Place.Kind == model.PlaceBastion:
		return ev.sel(model.SelBastion, r), true
	case m.Place.Kind == model.PlaceGateway:
		return ev.sel(model.SelGateway, r), true
	}
	return model.Selector{}, false
}

// onPlatform is what lies in a subnet of the platform.
func (ev *Evidence) onPlatform(m member) (model.Selector, bool) {
	id := m.Subnet
	if m.Place.Kind == model.PlaceSubnet {
		id = m.Place.ID
	}
	if s, ok := model.Get[*model.Subnet](ev.e, id); ok && ev.platformSubnet(s) != "" {
		return ev.sel(model.SelSubnet, s), true
	}
	return model.Selector{}, false
}

// administrators selects what administrators go through: Bastions and jump boxes. Chains over nothing else are judged by 1.2.1-r, 1.4-a
// and 1.4-c (decisions.md, section 1.3).
func (ev *Evidence) administrators() []model.Selector { return append(ev.bastions(), ev.jump()...) }

// publicAddresses is a table of the public addresses and what each leads to.
func (ev *Evidence) publicAddresses() *Table {
	t := &Table{Header: []string{"public address", "resource", "leads to"}}
	for _, ip := range ev.e.PublicIPs {
		address, to := "not stated", "nothing"
		if ip.Address.IsValid() {
			address = ip.Address.String()
		}
		if ip.AttachedTo != "" {
			to = ip.AttachedTo.ShortName()
		}
		t.Rows = append(t.Rows, []string{address, "public IP " + ip.Name() + inBrackets(ip.Source.String()), to})
	}
	for _, p := range ev.pools() {
		if p.PublicIPs == model.On {
			t.Rows = append(t.Rows, []string{"one for each node", ev.poolRef(p) + inBrackets(p.Source.String()), "its nodes"})
		}
	}
	return t
}

// variant solves another estate with the same intent, once.
func (ev *Evidence) variant(key string, change func([]model.Resource) []model.Resource) (*Evidence, error) {
	type result struct {
		ev  *Evidence
		err error
	}
	r := keep(ev, "variant "+key, func() result {
		e, err := model.NewEstate(change(ev.e.Resources()), ev.e.Ledger)
		if err != nil {
			return result{err: err}
		}
		s, err := ev.s.Variant(e)
		if err != nil {
			return result{err: err}
		}
		return result{ev: NewEvidence(s, ev.facts)}
	})
	if r.err != nil {
		return nil, r.err
	}
	r.ev.item = ev.item
	return r.ev, nil
}
