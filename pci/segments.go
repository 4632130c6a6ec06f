package pci

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// What 1.1.5 decides: segments, the controls of each, and who owns them.

// segments asks that each subnet, namespace with workloads, store and PaaS service is in a zone. That none is in two is settled when
// zones are assigned: a tie is an error of the input.
func (ev *Evidence) segments() []Part {
	p := Part{Statement: "each subnet, namespace with pods, store and PaaS service belongs to one zone"}
	if len(ev.in.Zones) == 0 {
		p.Faults = append(p.Faults, Fault{
			Cause: Cause{Class: CauseIntent, Of: "zones"}, Subject: "zones", Text: "no zones are declared", Source: ev.in.Source.String(), Remedy: "declare zones in ringfence.yaml",
		})
		return []Part{p.judged()}
	}
	counts := map[string]map[string]int{}
	tally := func(what, zone string) {
		p.Subjects++
		if counts[zone] == nil {
			counts[zone] = map[string]int{}
		}
		counts[zone][what]++
	}
	unzoned := func(ref string, r model.Resource) {
		p.Subjects++
		p.Faults = append(p.Faults, Fault{
			Cause: Cause{Class: CauseUnzoned, Of: ref}, Subject: ref, Text: ref + " is in no zone", Source: r.Origin().String(),
			Remedy: fmt.Sprintf("add it to a zone of ringfence.yaml: members: [%q]", ref),
		})
	}
	var empty []string
	for _, s := range ev.e.Subnets {
		z, ok := ev.subnetZone(s)
		switch {
		case ok:
			tally("subnet", z.Name)
		case len(s.Prefixes) > 0 && !ev.stands(s):
			// A GatewaySubnet without a gateway: no selector of it selects anything, so that no zone can have it.
			empty = append(empty, ev.refs.Of(model.SelSubnet, s))
		default:
			unzoned(ev.refs.Of(model.SelSubnet, s), s)
		}
	}
	for _, n := range ev.e.Namespaces {
		has := slices.ContainsFunc(ev.e.Workloads, func(w *model.Workload) bool { return w.Cluster.Is(n.Cluster) && w.Namespace == n.Name() })
		if !has {
			continue
		}
		zones := ev.namespaceZones(n.Cluster, []string{n.Cluster.Name(), n.Name()})
		for _, z := range zones {
			tally("namespace", z.Name)
		}
		if len(zones) == 0 {
			unzoned(ev.refs.Of(model.SelNamespace, n), n)
		}
	}
	for _, s := range ev.e.Services {
		zones := ev.guarded(RuleSet{Resource: s})
		for _, z := range zones {
			tally("service", z.Name)
		}
		if len(zones) == 0 {
			unzoned(ev.refs.Of(model.SelService, s), s)
		}
	}
	for _, z := range ev.in.Zones {
		var parts []string
		for _, what := range []string{"subnet", "namespace", "service"} {
			if n := counts[z.Name][what]; n > 0 {
				parts = append(parts, count(n, what))
			}
		}
		p.Facts = append(p.Facts, "zone "+z.Name+" ("+string(z.Kind)+"): "+cmp.Or(strings.Join(parts, ", "), "nothing of the estate"))
	}
	if len(empty) > 0 {
		p.Facts = append(p.Facts, "nothing that could send or receive: "+strings.Join(empty, ", "))
	}
	if p.Subjects == 0 {
		p = unknownPart(p.Statement, "the input holds no subnet, namespace or service")
	}
	return append([]Part{p.judged()}, ev.foreignNetworks()...)
}

// stands reports whether something that can send or receive stands in a subnet and is in no zone.
func (ev *Evidence) stands(s *model.Subnet) bool {
	return slices.ContainsFunc(ev.unzoned(), func(x solver.Endpoint) bool { return x.Subnet.Is(s.ID) || x.Place.ID.Is(s.ID) })
}

// foreignNetworks asks that every network that a peering leads to is described, or is a block of a zone: what the input lacks is in no
// zone.
func (ev *Evidence) foreignNetworks() []Part {
	p := Part{Statement: "each peered network is in the input, or its blocks are in a zone"}
	missing := ev.missingNetworks()
	for _, v := range ev.e.VNets {
		if !v.Partial {
			p.Subjects += len(v.Peerings)
		}
	}
	for _, m := range missing {
		known := len(m.prefixes) > 0
		for _, x := range m.prefixes {
			known = known && slices.ContainsFunc(ev.in.Zones, func(z model.Zone) bool {
				return slices.ContainsFunc(z.Members, func(s model.Selector) bool {
					return s.Prefix.IsValid() && s.Prefix.Bits() <= x.Bits() && s.Prefix.Contains(x.Addr())
				})
			})
		}
		if known {
			continue
		}
		p.Verdict = ItemUnknown
		p.Reason = "networks that something names are not in the input: whether their subnets are in a zone is not known"
		p.Faults = append(p.Faults, ev.unknownRef(m.by, m.id, m.source))
	}
	if p.Subjects == 0 && p.Verdict == "" {
		return nil
	}
	return []Part{p.judged()}
}

// missingNetwork is a VNet that something names and the input lacks.
type missingNetwork struct {
	id       model.ID
	by       string
	prefixes []netip.Prefix // as far as what names it says
	source   model.Source
}

// missingNetworks lists the VNets that peerings and subnets name and the input lacks.
func (ev *Evidence) missingNetworks() []missingNetwork {
	var out []missingNetwork
	add := func(m missingNetwork) {
		if !slices.ContainsFunc(out, func(x missingNetwork) bool { return x.id.Is(m.id) }) {
			out = append(out, m)
		}
	}
	for _, v := range ev.e.VNets {
		for _, x := range v.Peerings {
			if r, ok := model.Get[*model.VNet](ev.e, x.Remote); x.Remote != "" && !x.Hub && (!ok || r.Partial) {
				add(missingNetwork{x.Remote, "peering " + v.Name() + "/" + x.Name, x.RemotePrefixes, x.Source})
			}
		}
	}
	for _, v := range ev.e.VNets {
		if v.Partial {
			add(missingNetwork{v.ID, "the estate", v.Prefixes, v.Source})
		}
	}
	return out
}

// segmentControls asks that the table of controls is current, and that each zone has some (1.1.5-b).
func (ev *Evidence) segmentControls() []Part {
	p := Part{Statement: "each zone of the estate has controls at what can be routed to"}
	for _, z := range ev.in.Zones {
		if z.Kind.External() {
			continue
		}
		p.Subjects++
		var names []string
		for _, r := range ev.ruleSets() {
			if slices.ContainsFunc(ev.guarded(r), func(g model.Zone) bool { return g.Name == z.Name }) {
				names = append(names, r.ID)
			}
		}
		if len(names) == 0 && len(ev.membersOf(z)) > 0 {
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CauseSetting, Of: "zone:" + z.Name, Field: "controls"}, Subject: "zone:" + z.Name, Text: "nothing guards zone:" + z.Name, Source: z.Source.String(),
				Remedy: "attach an NSG to its subnets, or policies to its pods",
			})
		}
		for _, gap := range ev.unguarded(z) {
			p.Faults = append(p.Faults, Fault{
				Cause: Cause{Class: CauseSetting, Of: gap, Field: "networkSecurityGroup"}, Subject: gap, Text: gap + " of zone:" + z.Name + " has neither an NSG nor a route table",
				Source: ev.subnetSource(gap), Remedy: "attach an NSG",
			})
		}
		p.Facts = append(p.Facts, "zone "+z.Name+": "+cmp.Or(strings.Join(names, ", "), "none"))
	}
	if p.Subjects == 0 {
		p = unknownPart(p.Statement, "ringfence.yaml declares no zone of the estate")
	}
	return []Part{ev.document(DocumentZones, "the committed table of zones and their controls is the one that this run writes"), p.judged()}
}

func (ev *Evidence) subnetSource(ref string) string {
	for _, s := range ev.e.Subnets {
		if ev.refs.Of(model.SelSubnet, s) == ref {
			return s.Source.String()
		}
	}
	return ""
}

// ownership asks that each zone and each control has an owner (1.1.5-c).
func (ev *Evidence) ownership() []Part {
	zones := Part{Statement: "each zone has an owner", Subjects: len(ev.in.Zones)}
	for _, z := range ev.in.Zones {
		if !written(z.Owner) {
			zones.Faults = append(zones.Faults, Fault{
				Cause: Cause{Class: CauseIntent, Of: "zone:" + z.Name, Field: "owner"}, Subject: "zone:" + z.Name, Text: "zone:" + z.Name + " has no owner", Source: z.Source.String(),
				Remedy: "name its owner in ringfence.yaml",
			})
		} else {
			zones.Facts = append(zones.Facts, "zone "+z.Name+": "+z.Owner)
		}
	}
	if len(ev.in.Zones) == 0 {
		zones = unknownPart(zones.Statement, "ringfence.yaml declares no zones")
	}
	partial := ""
	if missing := ev.missingNetworks(); len(missing) > 0 {
		partial = missing[0].id.Name()
	}
	controls := Part{Statement: "each control has an owner, by `owners` or by the zone that it guards", Subjects: len(ev.ruleSets())}
	var loose, unowned []Fault
	for _, r := range ev.ruleSets() {
		if owners, _, _ := ev.ownerOf(r); len(owners) > 0 {
			continue
		}
		f := Fault{
			Cause: Cause{Class: CauseIntent, Of: r.ID, Field: "owner"}, Subject: r.ID, Text: r.ID + " has no owner", Source: r.Source.String(),
			Remedy: fmt.Sprintf("name it in ringfence.yaml: owners: [{controls: [%q], owner: …}]", r.ID),
		}
		if guarded := ev.guarded(r); len(guarded) > 0 {
			if slices.ContainsFunc(guarded, func(z model.Zone) bool { return !written(z.Owner) }) {
				f.Cause = Cause{Class: CauseIntent, Of: "zone:" + guarded[0].Name, Field: "owner"}
			}
			unowned = append(unowned, f)
			continue
		}
		if at := ev.unzonedOf(r); len(at) > 0 {
			f.Cause, f.Text = Cause{Class: CauseUnzoned, Of: at[0]}, r.ID+" guards "+at[0]+", which is in no zone"
			unowned = append(unowned, f)
			continue
		}
		f.Text = r.ID + " is attached to nothing in the input, and `owners` does not name it"
		loose = append(loose, f)
	}
	controls.Faults = slices.Concat(unowned, loose)
	if len(unowned) == 0 && len(loose) > 0 && partial != "" {
		// It may guard what the input lacks.
		controls.Verdict, controls.Reason = ItemUnknown, "whether they guard anything is not known: the network "+partial+" is named and not in the input"
		for i := range controls.Faults {
			controls.Faults[i].Text = controls.Faults[i].Subject + " is attached to nothing that is in the input, and `owners` does not name it"
		}
	}
	if len(ev.ruleSets()) == 0 {
		controls = unknownPart(controls.Statement, "the input holds no control")
	}
	return []Part{zones.judged(), controls.judged(), ev.attestation("the documentation covers every component of the segments, and the owners know it")}
}

// unzonedOf lists the subnets in no zone that a rule set is attached to.
func (ev *Evidence) unzonedOf(r RuleSet) []string {
	var out []string
	id := r.Resource.ResourceID()
	for _, s := range ev.e.Subnets {
		if _, ok := ev.subnetZone(s); !ok && (s.NSG.Is(id) || s.RouteTable.Is(id)) {
			out = append(out, ev.refs.Of(model.SelSubnet, s))
		}
	}
	return out
}

// responsibilities is the word for the roles of the team, and the roles themselves (1.1.5-d).
func (ev *Evidence) responsibilities() []Part {
	p := Part{Statement: "each zone says who approves and who makes changes", Subjects: len(ev.in.Zones)}
	for _, z := range ev.in.Zones {
		var lacks []string
		if !written(z.Roles.Approves) {
			lacks = append(lacks, "approves")
		}
		if !written(z.Roles.Changes) {
			lacks = append(lacks, "changes")
		}
		if len(lacks) == 0 {
			p.Facts = append(p.Facts, fmt.Sprintf("zone %s: approved by %s, made by %s", z.Name, z.Roles.Approves, z.Roles.Changes))
			if z.Roles.Approves == z.Roles.Changes {
				p.Notes = append(p.Notes, "zone "+z.Name+": who makes changes approves them too")
			}
			continue
		}
		p.Verdict, p.Reason = ItemAttestationMissing, "roles are not filled in"
		p.Faults = append(p.Faults, Fault{
			Cause: Cause{Class: CauseIntent, Of: "zone:" + z.Name, Field: "roles"}, Subject: "zone:" + z.Name, Text: "zone:" + z.Name + " lacks roles." + strings.Join(lacks, " and roles."),
			Source: z.Source.String(), Remedy: "name the roles in ringfence.yaml",
		})
	}
	if len(ev.in.Zones) == 0 {
		p = unknownPart(p.Statement, "ringfence.yaml declares no zones")
	}
	return []Part{p.judged(), ev.attestation("roles and responsibilities of the team are described and known")}
}
