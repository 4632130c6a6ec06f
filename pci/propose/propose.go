package propose

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

// Draft is a first intent, and what its reader should know.
type Draft struct {
	Intent model.Intent
	rules  []pci.RuleRow     // that need a reason, one a justification
	why    map[string]string // why a member is where it is, by zone and selector
	notes  map[string]string // what to look at, by the name of a zone or the ID of an assertion
	Left   []string          // what is in no zone, and why

	clusters bool // the estate has some
}

// ErrNothing says that an estate holds nothing that could be in a zone.
var ErrNothing = errors.New("the input holds no subnet, workload or service that can send or receive: there is nothing to put into zones")

// Intent proposes the intent of a project. Its own is not used, apart from the day on which dates are judged.
func Intent(p *model.Project) (*Draft, error) {
	bare := *p
	bare.Intent = &model.Intent{AsOf: asOf(p)}
	s, err := solver.Solve(&bare, solver.Options{})
	if err != nil {
		return nil, err
	}
	d := &Draft{clusters: len(p.Estate.Clusters) > 0, why: map[string]string{}, notes: map[string]string{}}
	d.Intent.Standard = "pci-dss-4.0.1"
	d.zones(s)
	for {
		if !slices.ContainsFunc(d.Intent.Zones, func(z model.Zone) bool { return !z.Kind.External() }) {
			return nil, ErrNothing
		}
		d.Intent.Assertions = nil
		d.assertions(p.Estate)
		tried := *p
		in := d.Intent
		in.AsOf = asOf(p)
		tried.Intent = &in
		if s, err = solver.Solve(&tried, solver.Options{}); err == nil {
			break
		}
		if !d.drop(err) {
			return nil, fmt.Errorf("try the draft: %w", err)
		}
	}
	if err = d.try(s); err != nil {
		return nil, err
	}
	d.justifications(s)
	return d, nil
}

// try asks every assertion, and takes out those that cannot be asked.
func (d *Draft) try(s *solver.Solution) error {
	var kept []model.Assertion
	for _, a := range d.Intent.Assertions {
		switch _, err := s.Check(a); {
		case errors.Is(err, solver.ErrBudget):
			return err
		case err != nil:
			d.Left = append(d.Left, "assertion "+a.ID+": "+err.Error())
		default:
			kept = append(kept, a)
		}
	}
	if d.Intent.Assertions = kept; len(kept) == 0 {
		return ErrNothing
	}
	return nil
}

func asOf(p *model.Project) model.Date {
	if p.Intent == nil {
		return model.Date{}
	}
	return p.Intent.AsOf
}

// draftFile is the file that sources of a draft name.
const draftFile = "ringfence.yaml"

// add puts a selector into a zone, with the reason why.
func (d *Draft) add(zone, selector, why string) {
	i := slices.IndexFunc(d.Intent.Zones, func(z model.Zone) bool { return z.Name == zone })
	if i < 0 {
		i = len(d.Intent.Zones)
		d.Intent.Zones = append(d.Intent.Zones, model.Zone{
			Name: zone, Kind: kindOf(zone), Source: model.Source{File: draftFile, Path: "zones." + zone},
		})
	}
	z := &d.Intent.Zones[i]
	key := zone + " " + selector
	if _, have := d.why[key]; have {
		return
	}
	sel, err := model.ParseSelector(selector)
	if err != nil {
		d.Left = append(d.Left, selector+": "+err.Error())
		return
	}
	sel.Source = model.Source{File: draftFile, Path: "zones." + zone + ".members." + selector}
	z.Members, d.why[key] = append(z.Members, sel), why
}

// drop takes out the members at which an error points, and reports whether there were any.
func (d *Draft) drop(err error) bool {
	dropped := false
	for _, e := range flat(err) {
		at, ok := errors.AsType[*model.InputError](e)
		if !ok {
			continue
		}
		for i := range d.Intent.Zones {
			z := &d.Intent.Zones[i]
			before := len(z.Members)
			z.Members = slices.DeleteFunc(z.Members, func(m model.Selector) bool { return m.Source == at.Source })
			if len(z.Members) < before {
				dropped = true
				d.Left = append(d.Left, at.Source.Path[strings.LastIndex(at.Source.Path, ".members.")+len(".members."):]+": it selects nothing that can send or receive")
			}
		}
	}
	d.Intent.Zones = slices.DeleteFunc(d.Intent.Zones, func(z model.Zone) bool { return len(z.Members) == 0 })
	return dropped
}

// flat lists the errors that one joins.
func flat(err error) []error {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range list.Unwrap() {
			out = append(out, flat(e)...)
		}
		return out
	}
	return []error{err}
}

// Names of the zones that a draft may have, in its order.
const (
	zoneDMZ    = "dmz"
	zoneCDE    = "cde"
	zoneData   = "data"
	zoneSystem = "system"
	zoneMgmt   = "mgmt"
	zoneHub    = "hub"
	zoneOnPrem = "on-prem"
)

func kindOf(zone string) model.ZoneKind {
	switch zone {
	case zoneDMZ:
		return model.ZoneDMZ
	case zoneCDE:
		return model.ZoneCDE
	case zoneData:
		return model.ZoneData
	case zoneSystem:
		return model.ZoneTrusted
	case zoneOnPrem:
		return model.ZoneOnPrem
	default:
		return model.ZoneManagement
	}
}

func zoneOrder() []string {
	return []string{zoneDMZ, zoneCDE, zoneData, zoneSystem, zoneMgmt, zoneHub, zoneOnPrem}
}

// has reports whether the draft has a zone.
func (d *Draft) has(zone string) bool {
	return slices.ContainsFunc(d.Intent.Zones, func(z model.Zone) bool { return z.Name == zone })
}

// zones puts everything that can send or receive into a zone.
func (d *Draft) zones(s *solver.Solution) {
	e := s.Project.Estate
	_, all := s.Zones()
	k := &kinds{e: e, refs: model.NewRefs(e), sites: map[string]bool{}}
	for _, x := range all {
		k.sites[x.Place.ID.Key()] = true
		k.sites[x.Subnet.Key()] = true
	}
	home := map[string]string{} // zones of subnets
	for _, n := range e.Subnets {
		zone, why := k.subnet(n)
		if !k.sites[n.ID.Key()] {
			d.Left = append(d.Left, k.refs.Of(model.SelSubnet, n)+": nothing in it can send or receive")
			continue
		}
		home[n.ID.Key()] = zone
		d.name(k, zone, model.SelSubnet, n, why)
	}
	for _, g := range e.AppGateways {
		d.name(k, zoneDMZ, model.SelAppGateway, g, "application gateway")
	}
	for _, f := range e.FrontDoors {
		d.name(k, zoneDMZ, model.SelFrontDoor, f, "Front Door")
	}
	for _, a := range e.APIMs {
		zone := zoneCDE
		for _, x := range a.Sites {
			zone = cmp.Or(home[x.Subnet.Key()], zone)
		}
		if a.PublicDoor() {
			zone = zoneDMZ
		}
		d.name(k, zone, model.SelAPIM, a, "API Management")
	}
	for _, f := range e.Firewalls {
		if home[f.Subnet.Key()] == "" {
			d.name(k, zoneHub, model.SelFirewall, f, "firewall")
		}
	}
	for _, b := range e.Bastions {
		if home[b.Subnet.Key()] == "" {
			d.name(k, zoneHub, model.SelBastion, b, "Bastion")
		}
	}
	d.kubernetes(k)
	d.services(k, home)
	d.farSides(k, all)
	slices.SortStableFunc(d.Intent.Zones, func(a, b model.Zone) int {
		return cmp.Compare(slices.Index(zoneOrder(), a.Name), slices.Index(zoneOrder(), b.Name))
	})
}

// kubernetes places what runs on Kubernetes: namespaces that AKS brings along must not be in the zone of card data.
func (d *Draft) kubernetes(k *kinds) {
	for _, n := range k.e.Namespaces {
		c, ok := model.Get[*model.Cluster](k.e, n.Cluster)
		if !ok || !slices.ContainsFunc(k.e.Workloads, func(w *model.Workload) bool {
			return w.Cluster.Is(n.Cluster) && w.Namespace == n.Name() && k.sites[w.ID.Key()]
		}) {
			continue
		}
		if why, provided := pci.ProvidedByAKS(c, n.Name()); provided {
			d.name(k, zoneSystem, model.SelNamespace, n, "namespace "+why)
			continue
		}
		d.name(k, zoneCDE, model.SelNamespace, n, "namespace; nothing shows that it is out of scope")
	}
	for _, c := range k.e.Clusters {
		private := slices.ContainsFunc(k.e.Endpoints, func(p *model.PrivateEndpoint) bool { return p.Target.Is(c.ID) && k.sites[p.ID.Key()] })
		if k.sites[c.ID.Key()] && !c.Manifest || private {
			d.name(k, zoneSystem, model.SelAPIServer, c, "API server")
		}
	}
}

// services places PaaS services, and their private endpoints where the subnet of one is in another zone.
func (d *Draft) services(k *kinds, home map[string]string) {
	zones := map[string]string{}
	for _, s := range k.e.Services {
		zone, why := zoneOfService(s)
		zones[s.ID.Key()] = zone
		doors := slices.ContainsFunc(k.e.Endpoints, func(p *model.PrivateEndpoint) bool { return p.Target.Is(s.ID) && k.sites[p.ID.Key()] })
		if k.sites[s.ID.Key()] || doors {
			d.name(k, zone, model.SelService, s, why)
		}
	}
	for _, p := range k.e.Endpoints {
		zone := zones[p.Target.Key()]
		if zone != "" && zone != home[p.Subnet.Key()] && k.sites[p.ID.Key()] {
			d.name(k, zone, model.SelEndpoint, p, "private endpoint of "+p.Target.Name())
		}
	}
}

// farSides places what lies behind gateways.
func (d *Draft) farSides(k *kinds, all []solver.Endpoint) {
	var gateways []model.ID
	var blocks []netip.Prefix
	for _, x := range all {
		if x.Place.Kind != model.PlaceFarSide || len(x.Prefixes) == 0 {
			continue
		}
		if !slices.ContainsFunc(gateways, x.Place.ID.Is) {
			gateways = append(gateways, x.Place.ID)
		}
		blocks = append(blocks, x.Prefixes...)
	}
	if len(gateways) == 0 {
		return
	}
	slices.SortFunc(blocks, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	behind := "gateway:*"
	if len(gateways) == 1 {
		for _, r := range k.e.Resources() {
			if !r.ResourceID().Is(gateways[0]) {
				continue
			}
			if text, ok := k.selector(model.SelGateway, r); ok {
				behind = text
			}
		}
	}
	sel, err := model.ParseSelector(behind)
	if err != nil {
		return
	}
	for _, p := range slices.Compact(blocks) {
		d.add(zoneOnPrem, "cidr:"+p.String(), "behind a gateway")
	}
	z := &d.Intent.Zones[slices.IndexFunc(d.Intent.Zones, func(z model.Zone) bool { return z.Name == zoneOnPrem })]
	z.Behind = &sel
}

// name puts a resource into a zone by a selector that names it and nothing else.
func (d *Draft) name(k *kinds, zone string, kind model.SelectorKind, r model.Resource, why string) {
	if text, ok := k.selector(kind, r); ok {
		d.add(zone, text, why)
		return
	}
	d.Left = append(d.Left, string(r.ResourceID())+": no selector names it alone")
}

// justifications adds a stub for each rule that needs a reason.
func (d *Draft) justifications(s *solver.Solution) {
	named := map[string]bool{}
	for _, r := range pci.Unjustified(s) {
		if named[r.Rule] { // of controls of one name in several resource groups: one justification names them all
			continue
		}
		named[r.Rule] = true
		// A name with `**` in it is no name of a rule in an intent file.
		if strings.Contains(r.Rule, "**") || strings.TrimSpace(r.Rule) != r.Rule {
			d.Left = append(d.Left, r.Rule+": no justification can name it")
			continue
		}
		d.rules = append(d.rules, r)
		d.Intent.Justifications = append(d.Intent.Justifications, model.Justification{
			Rules: []string{r.Rule}, Reason: pci.Stub + ": why is it needed?",
		})
	}
}
