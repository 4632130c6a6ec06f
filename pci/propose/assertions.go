package propose

import (
	"slices"

	"github.com/ringfence/ringfence/model"
)

// assertions adds what Requirement 1 asks of the zones that there are. Nothing here says that a flow is wanted: `only` and `must` would
// (1.1.6-b), so that every entry is a `deny` or a `through`.
func (d *Draft) assertions(e *model.Estate) {
	k := &kinds{e: e, refs: model.NewRefs(e)}
	inside := d.list(zoneCDE, zoneSystem, zoneMgmt)
	doors := []string{}
	for _, m := range d.membersOf(zoneSystem) { // the one zone of the list that has such doors
		if m.Kind == model.SelService || m.Kind == model.SelAPIServer {
			doors = append(doors, "not:"+m.Text)
		}
	}
	d.assert(assertion{
		id: "internet-not-direct-inside", verb: model.VerbDeny, from: []string{"internet"}, to: inside, but: doors, direct: true, item: "1.2.1-a",
		note: "nothing inside has a public way in; public doors of services and API servers are asked about below",
	})
	d.assert(assertion{
		id: "internet-not-to-data", verb: model.VerbDeny, from: []string{"internet"}, to: d.list(zoneData), item: "1.3.6-a",
		note: "stores are not reached from the internet, by no relay either",
	})
	d.assert(assertion{
		id: "internet-not-to-api-server", verb: model.VerbDeny, from: []string{"internet"}, to: d.members(model.SelAPIServer), item: "1.3.1-e",
		note: "the API server has no way in from the internet",
	})
	dmz, not := d.list(zoneDMZ), []string{"internet"}
	if len(d.members(model.SelFrontDoor)) > 0 {
		dmz = append(dmz, "not:frontdoor:*") // it answers on port 80, with a redirect at best: 1.2.1-f
	}
	if len(e.AppGateways) > 0 {
		not = append(not, "not:tag:GatewayManager")
	}
	if len(d.members(model.SelFrontDoor)) < len(d.membersOf(zoneDMZ)) {
		d.assert(assertion{
			id: "internet-only-https-to-dmz", verb: model.VerbDeny, from: not, to: dmz, direct: true, item: "1.2.1-g",
			services: []string{"tcp/0-442", "tcp/444-65535", "udp", "sctp", "icmp", "icmpv6", "esp", "ah"},
			note:     "whoever needs more than port 443 says so here; a deny, because `only` would state that port 443 is wanted (1.1.6-b)",
		})
	}
	if routers := d.routers(); len(routers) > 0 {
		d.assert(assertion{
			id: "internet-to-cde-through-router", verb: model.VerbThrough, from: []string{"internet"}, to: d.list(zoneCDE), via: append(routers, d.named(k, model.SelBastion)...), item: "1.1.4-b",
			note: "what comes from the internet passes a gateway, or Bastion for administration",
		})
	}
	d.assert(assertion{
		id: "dmz-not-to-data", verb: model.VerbDeny, from: d.list(zoneDMZ), to: d.list(zoneData), direct: true, item: "1.3.6-a",
		note: "stores are not reached from the DMZ",
	})
	if firewalls := d.named(k, model.SelFirewall); len(firewalls) > 0 {
		d.assert(assertion{
			id: "egress-through-firewall", verb: model.VerbThrough, from: d.list(zoneCDE, zoneData, zoneSystem, zoneMgmt), to: []string{"internet"}, via: firewalls, item: "1.1.4-c",
			note: "whatever leaves for the internet passes the firewall",
		})
	} else {
		d.assert(assertion{
			id: "cde-not-to-internet", verb: model.VerbDeny, from: d.list(zoneCDE, zoneData), to: []string{"internet"}, item: "1.1.4-c",
			note: "there is no firewall that egress could pass, so there must be no egress",
		})
	}
	d.assert(assertion{
		id: "on-prem-not-inside", verb: model.VerbDeny, from: d.list(zoneOnPrem), to: d.list(zoneCDE, zoneData, zoneSystem, zoneMgmt), direct: true, item: "1.2.3-d",
		note: "what on-prem needs becomes an exception with an owner, a reason and a day",
	})
	from := []string{"any"}
	for _, z := range d.list(zoneCDE, zoneSystem, zoneMgmt, zoneHub) {
		from = append(from, "not:"+z)
	}
	d.assert(assertion{
		id: "administration-from-inside", verb: model.VerbDeny, from: from, to: d.list(zoneCDE), direct: true, item: "1.4-a",
		services: []string{"tcp/22", "tcp/3389", "tcp/5985-5986", "tcp/10250"},
		note:     "ports of administration are open to management alone",
	})
	if len(d.Intent.Assertions) == 0 { // nothing but the edge or the hub: a run that checks nothing proves nothing
		d.assert(assertion{
			id: "internet-not-to-administration", verb: model.VerbDeny, from: []string{"internet"}, to: d.list(zoneDMZ, zoneHub), direct: true,
			services: []string{"tcp/22", "tcp/3389"}, note: "ports of administration are not open to the internet",
		})
	}
}

// assertion is an assertion in the making. One whose from, to or via is empty is left out.
type assertion struct {
	id            string
	verb          model.Verb
	from, to, but []string
	via, services []string
	direct        bool
	item, note    string
}

func (d *Draft) assert(a assertion) {
	if len(a.from) == 0 || len(a.to) == 0 || a.verb == model.VerbThrough && len(a.via) == 0 {
		return
	}
	out := model.Assertion{ID: a.id, Source: model.Source{File: draftFile, Path: "assertions." + a.id}, Verb: a.verb, DirectOnly: a.direct, Requirement: a.item}
	out.From, out.To, out.Via = selectors(a.from), selectors(append(a.to, a.but...)), selectors(a.via)
	for _, text := range a.services {
		s, err := model.ParsePortService(text)
		if err != nil {
			panic("propose: " + err.Error()) // INVARIANT: the texts stand above
		}
		out.Services = append(out.Services, s)
	}
	d.Intent.Assertions = append(d.Intent.Assertions, out)
	d.notes[a.id] = a.note
}

// selectors parses texts that the draft made, or found to parse.
func selectors(texts []string) []model.Selector {
	var out []model.Selector
	for _, text := range texts {
		s, err := model.ParseSelector(text)
		if err != nil {
			panic("propose: " + err.Error()) // INVARIANT: members were parsed before
		}
		out = append(out, s)
	}
	return out
}

// list names the zones of some names that there are.
func (d *Draft) list(zones ...string) []string {
	var out []string
	for _, z := range zones {
		if d.has(z) {
			out = append(out, "zone:"+z)
		}
	}
	return out
}

func (d *Draft) membersOf(zone string) []model.Selector {
	for _, z := range d.Intent.Zones {
		if z.Name == zone {
			return z.Members
		}
	}
	return nil
}

// members are the members of some kinds, of every zone.
func (d *Draft) members(wanted ...model.SelectorKind) []string {
	var out []string
	for _, z := range d.Intent.Zones {
		for _, m := range z.Members {
			if slices.Contains(wanted, m.Kind) {
				out = append(out, m.Text)
			}
		}
	}
	return out
}

// routers are what takes requests from the internet and passes them on.
func (d *Draft) routers() []string {
	var out []string
	for _, m := range d.membersOf(zoneDMZ) {
		switch m.Kind {
		case model.SelAppGateway, model.SelFrontDoor, model.SelAPIM:
			out = append(out, m.Text)
		default:
		}
	}
	return out
}

// named are the firewalls or Bastion hosts of the estate that packets can pass.
func (d *Draft) named(k *kinds, kind model.SelectorKind) []string {
	var out []string
	take := func(r model.Resource) {
		if text, ok := k.selector(kind, r); ok {
			out = append(out, text)
		}
	}
	if kind == model.SelFirewall {
		for _, f := range k.e.Firewalls {
			take(f)
		}
		return out
	}
	for _, b := range k.e.Bastions {
		take(b)
	}
	return out
}
