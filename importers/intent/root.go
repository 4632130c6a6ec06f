package intent

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/ringfence/ringfence/model"
)

const (
	version     = "v1"
	maxZoneName = 100 // it stands in every message and diagram
)

// root reads one file from its top.
func (r *reader) root(v value) {
	if r.otherVersion(v) {
		return
	}
	if !r.fragment {
		r.out.Intent.Source = r.source(v)
	}
	r.object(v, r.rootFields())
}

// otherVersion reports a file of another version, of which nothing else can be judged.
func (r *reader) otherVersion(v value) bool {
	if v.node.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k, n := v.node.Content[i], v.node.Content[i+1]
		if k.Value != "ringfence" {
			continue
		}
		if n.Kind != yaml.ScalarNode || n.Value != version {
			r.want(v.under(k.Value, k.Line, n), version+", the one version of the file that this program reads")
			return true
		}
		return false
	}
	return false
}

func (r *reader) rootFields() []field {
	in := &r.out.Intent
	v := version
	return []field{
		{"ringfence", !r.fragment, word(r, &v, version)}, // a part in ringfence.d may leave it to the main file
		r.once("name", r.mayBeEmpty(&in.Name)),
		r.once("asOf", r.date(&in.AsOf)),
		r.once("standard", word(r, &in.Standard, standards()...)),
		r.once("judge", word(r, &in.Judge, sides()...)),
		r.once("trustMesh", r.flag(&in.TrustMesh)),
		optional("inputs", r.list(r.input)),
		optional("zones", r.zoneMap),
		optional("none", func(v value) { r.object(v, r.noneFields()) }),
		optional("assertions", r.list(r.assertion)),
		optional("dataFlows", r.list(r.dataFlow)),
		optional("stores", r.list(r.store)),
		optional("justifications", r.list(r.justification)),
		optional("reviews", r.list(r.review)),
		optional("attestations", r.list(r.attestation)),
		optional("owners", r.list(r.owner)),
		optional("documents", r.documents),
		optional("pci", r.pci),
	}
}

func standards() []string { return []string{"pci-dss-3.2.1", "pci-dss-4.0.1"} }

func sides() []string { return []string{"desired", "deployed"} }

// input reads one entry of `inputs`: one kind, and what belongs to it.
func (r *reader) input(v value) {
	in := Input{Source: r.source(v)}
	keys := r.object(v, r.inputFields(&in))
	if keys == nil {
		return
	}
	var kinds []string
	for _, k := range InputKinds() {
		if _, ok := keys[string(k)]; ok {
			kinds = append(kinds, string(k))
		}
	}
	switch len(kinds) {
	case 0:
		r.missing(v, "one of the keys "+inputKinds())
		return
	case 1:
		in.Kind = InputKind(kinds[0])
	default:
		r.report(&model.InputError{Source: r.source(v), Field: v.path, Found: strings.Join(kinds, ", "), Accepted: "one of them an entry"})
		return
	}
	for _, only := range []struct {
		key  string
		kind InputKind
	}{{"parameters", InputARM}, {"scope", InputARM}, {"cluster", InputKubernetes}, {"engine", InputKubernetes}} {
		if k, ok := keys[only.key]; ok && in.Kind != only.kind {
			r.reject(k, fmt.Errorf("belongs to an input of kind %s, not %s", only.kind, in.Kind))
		}
	}
	// A plan holds both sides of one change.
	if k, ok := keys["side"]; ok && in.Kind != InputTerraform && (in.Side == "before" || in.Side == "after") {
		r.want(k, "desired or deployed (before and after are the sides of a terraform plan)")
	}
	r.out.Inputs = append(r.out.Inputs, in)
}

func inputKinds() string {
	var names []string
	for _, k := range InputKinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

func (r *reader) inputFields(in *Input) []field {
	var fields []field
	for _, k := range InputKinds() {
		fields = append(fields, optional(string(k), r.texts(&in.Paths)))
	}
	return append(fields,
		optional("parameters", r.perhapsTexts(&in.Parameters)),
		optional("scope", func(v value) {
			in.Scope.Source = r.source(v)
			r.object(v, r.scopeFields(&in.Scope))
		}),
		optional("cluster", r.text(&in.Cluster)),
		optional("engine", r.text(&in.Engine)),
		optional("side", word(r, &in.Side, append(sides(), "before", "after")...)),
	)
}

func (r *reader) scopeFields(s *Scope) []field {
	return []field{
		optional("subscription", r.text(&s.Subscription)),
		optional("resourceGroup", r.text(&s.ResourceGroup)),
		optional("location", r.text(&s.Location)),
	}
}

// zoneMap reads the zones in the order of the file.
func (r *reader) zoneMap(v value) {
	pairs, _ := r.pairs(v)
	for _, p := range pairs {
		if !r.take(&p.value) {
			return
		}
		if err := zoneName(p.name); err != nil {
			r.reject(p.value, err)
			continue
		}
		if r.claim(p.value, "zone "+p.name) {
			r.zone(p)
		}
	}
}

// zoneName refuses names that `zone:NAME` could not select.
func zoneName(name string) error {
	switch {
	case name == string(model.ZoneInternet):
		return errors.New("the zone `internet` is built in and cannot be declared")
	case strings.ContainsFunc(name, func(c rune) bool { return c == ' ' || c == '/' || c == '*' || !unicode.IsPrint(c) }):
		return errors.New("the name of a zone has no spaces, `/` or `*`, because `zone:NAME` selects it")
	case utf8.RuneCountInString(name) > maxZoneName:
		return fmt.Errorf("the name of a zone has at most %d characters", maxZoneName)
	default:
		return nil
	}
}

func (r *reader) zone(p pair) {
	z := model.Zone{Name: p.name, Source: r.source(p.value)}
	keys := r.object(p.value, r.zoneFields(&z))
	r.out.Intent.Zones = append(r.out.Intent.Zones, z)
	if keys == nil {
		return
	}
	_, members := keys["members"]
	_, public := keys["publicAddresses"]
	if !members && !public {
		r.missing(p.value, "the key `members` (or, for a zone outside of the estate, `publicAddresses`)")
	}
	if b, ok := keys["behind"]; ok && z.Kind != "" && !z.Kind.External() {
		r.reject(b, fmt.Errorf("belongs to a zone outside of the estate (kind wireless, on-prem or partner), not to kind %s", z.Kind)) // AZ-GW-11
	}
}

func (r *reader) zoneFields(z *model.Zone) []field {
	return []field{
		required("kind", word(r, &z.Kind, model.ZoneKinds()...)),
		optional("owner", r.mayBeEmpty(&z.Owner)),
		optional("roles", r.roles(&z.Roles)),
		optional("members", func(v value) {
			r.selectors(&z.Members)(v)
			for _, m := range z.Members {
				if !isMember(m.Kind) {
					r.report(&model.InputError{Source: m.Source, Field: m.Source.Path, Found: m.Text, Accepted: "a member of kind " + strings.Join(memberKinds(), ", ")})
				}
			}
		}),
		optional("behind", func(v value) {
			var s model.Selector
			r.one(&s)(v)
			if s.Kind != "" && s.Kind != model.SelGateway {
				r.want(v, "the gateway that the zone stands behind, `gateway:NAME`") // AZ-GW-11
				return
			}
			z.Behind = &s
		}),
		optional("publicAddresses", r.prefixes(&z.PublicAddresses)),
	}
}

func isMember(kind model.SelectorKind) bool {
	switch kind {
	case model.SelInternet, model.SelAny, model.SelZone, model.SelTag, model.SelFQDN: // they name no place in the order of docs/intent.md
		return false
	default:
		return true
	}
}

func memberKinds() []string {
	var out []string
	for _, k := range model.SelectorKinds() {
		if isMember(k) {
			out = append(out, string(k))
		}
	}
	return out
}

func (r *reader) roles(dst *model.Roles) func(value) {
	return func(v value) { r.object(v, r.rolesFields(dst)) }
}

func (r *reader) rolesFields(dst *model.Roles) []field {
	return []field{optional("approves", r.mayBeEmpty(&dst.Approves)), optional("changes", r.mayBeEmpty(&dst.Changes))}
}
