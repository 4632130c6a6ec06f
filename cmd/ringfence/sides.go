package main

import (
	"slices"

	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/model"
)

// The two sides of an estate (decisions.md, section 11).
const (
	desired  = "desired"
	deployed = "deployed"
)

// sides are the inputs of the side that is judged, and of the other one; none where there is one side alone.
type sides struct {
	judged, other         []intent.Input
	judgedName, otherName string
}

// sidesOf tells the sides apart. Where no input states its side there is one, the desired one. Else code (ARM, Terraform, manifests) is
// desired; exports and snapshots without a side are deployed where another input states the desired resources. Manifests stand on both
// sides where none says that they are of one: they are taken to be what runs.
func sidesOf(file *intent.File) (sides, error) {
	s := sides{judgedName: desired, otherName: deployed}
	if file.Intent.Judge == deployed {
		s.judgedName, s.otherName = deployed, desired
	}
	stated := func(kinds ...intent.InputKind) bool {
		return slices.ContainsFunc(file.Inputs, func(in intent.Input) bool {
			return in.Side != "" && (len(kinds) == 0 || slices.Contains(kinds, in.Kind))
		})
	}
	if !stated() {
		if s.judgedName == deployed {
			return s, &model.InputError{Source: file.Intent.Source, Field: "judge", Found: deployed, Accepted: "an input with `side: deployed` beside it"}
		}
		s.judged = file.Inputs
		return s, nil
	}
	desiredResources := slices.ContainsFunc(file.Inputs, func(in intent.Input) bool {
		return in.Kind == intent.InputARM || in.Kind == intent.InputTerraform || in.Side == desired && in.Kind != intent.InputKubernetes
	})
	for _, in := range file.Inputs {
		side := in.Side
		switch {
		case side == desired || side == deployed:
		case in.Kind == intent.InputServiceTags, in.Kind == intent.InputKubernetes && !stated(intent.InputKubernetes):
			s.judged, s.other = append(s.judged, in), append(s.other, in)
			continue
		case (in.Kind == intent.InputAzure || in.Kind == intent.InputSnapshot) && desiredResources:
			side = deployed
		default:
			side = desired
		}
		if in.Side == "" {
			in.Side = side
		}
		if side == s.judgedName {
			s.judged = append(s.judged, in)
		} else {
			s.other = append(s.other, in)
		}
	}
	alone := func(list []intent.Input) bool { // nothing but what stands on both sides
		return !slices.ContainsFunc(list, func(in intent.Input) bool { return in.Side != "" })
	}
	if alone(s.judged) {
		return s, &model.InputError{Source: file.Intent.Source, Field: "judge", Found: s.judgedName, Accepted: "an input of that side: every one that states a side is " + s.otherName}
	}
	if alone(s.other) {
		s.other = nil
	}
	return s, nil
}

// otherSide builds the estate that is not judged. What people state is taken as far as it speaks of things that this side has.
func (l *loader) otherSide(list []intent.Input, read func(*loader, []intent.Input), in *model.Intent) (*model.Project, error) {
	o := &loader{c: l.c, aside: true}
	read(o, list)
	p, err := o.finish(in)
	if err != nil {
		return nil, err
	}
	p.Intent = pruned(in, p.Estate)
	if p.Tags == nil {
		p.Tags = l.tags
	}
	return p, nil
}

// pruned is what people state of zones and roles, without what selects nothing in an estate, and without what must hold: that is asked of
// the judged side.
func pruned(in *model.Intent, e *model.Estate) *model.Intent {
	out := *in
	out.Assertions, out.DataFlows, out.Stores, out.Justifications, out.Zones = nil, nil, nil, nil, nil
	there := func(list []model.Selector) []model.Selector {
		return slices.DeleteFunc(slices.Clone(list), func(s model.Selector) bool {
			switch s.Kind {
			case model.SelInternet, model.SelAny, model.SelZone, model.SelIP, model.SelCIDR, model.SelTag, model.SelFQDN:
				return false
			default:
				_, err := e.Find(s)
				return err != nil
			}
		})
	}
	for _, z := range in.Zones {
		if z.Behind != nil && len(there([]model.Selector{*z.Behind})) == 0 {
			continue
		}
		if z.Members = there(z.Members); len(z.Members)+len(z.PublicAddresses) > 0 {
			out.Zones = append(out.Zones, z)
		}
	}
	p := &out.PCI
	for _, list := range []*[]model.Selector{&p.JumpBoxes, &p.Proxies, &p.IngressRouters, &p.Firewalls, &p.Appliances, &p.AuthorizedNodes, &p.AuthorizedAPI, &p.PublicIPSubnets} {
		*list = there(*list)
	}
	p.Monitoring, p.Emergency = nil, nil
	return &out
}
