package propose_test

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/pci/propose"
	"github.com/ringfence/ringfence/solver"
)

var estates = flag.Int("estates", 12, "random estates for which an intent is proposed")

var today = model.Date{Year: 2026, Month: 11, Day: 1}

var inputs = []propose.Input{{Kind: "azure", Paths: []string{"azure/**/*.json"}}}

// read reads a draft as a project's ringfence.yaml is read, and solves the project with it.
func read(t *testing.T, p *model.Project, text []byte) (*intent.File, *solver.Solution) {
	t.Helper()
	file, err := intent.Import(fstest.MapFS{"ringfence.yaml": {Data: text}}, "ringfence.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	with := *p
	file.Intent.AsOf = today
	with.Intent = &file.Intent
	s, err := solver.Solve(&with, solver.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return file, s
}

// Whatever an estate is like, its draft is read again as it was meant, every zone and assertion of it can be asked, and nothing is in two
// zones.
func TestDraftsOfRandomEstates(t *testing.T) {
	zones := map[string]int{}
	for seed := range uint64(*estates) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		kinds := modeltest.AllKinds
		if seed%3 > 0 {
			kinds = modeltest.Kinds(rnd.Uint32()) & modeltest.AllKinds
		}
		random := modeltest.Random(rnd, kinds)
		e, err := random.Estate()
		if err != nil {
			t.Fatal(err)
		}
		p := &model.Project{Estate: e, Tags: random.Tags, Intent: &model.Intent{AsOf: today}}
		d, err := propose.Intent(p)
		if errors.Is(err, propose.ErrNothing) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		text := d.YAML("random", inputs)
		file, s := read(t, p, text)
		if diff := cmp.Diff(outline(&d.Intent), outline(&file.Intent)); diff != "" {
			t.Fatalf("seed %d: the file says something else (-draft +file):\n%s", seed, diff)
		}
		results, err := s.CheckAll()
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if len(results) == 0 {
			t.Errorf("seed %d: the draft asserts nothing", seed)
		}
		for _, z := range file.Intent.Zones {
			zones[z.Name]++
		}
	}
	for _, z := range []string{"cde", "data", "system", "hub", "on-prem"} { // mgmt goes by names, which random estates do not have
		if zones[z] == 0 {
			t.Errorf("no estate has a zone %s: %v", z, zones)
		}
	}
}

// outline is what a draft says, without where it says so.
func outline(in *model.Intent) []string {
	var out []string
	text := func(list []model.Selector) (s string) {
		for _, x := range list {
			s += " " + x.Text
		}
		return s
	}
	for _, z := range in.Zones {
		behind := ""
		if z.Behind != nil {
			behind = z.Behind.Text
		}
		out = append(out, "zone "+z.Name+" "+string(z.Kind)+" "+z.Owner+text(z.Members)+" behind "+behind)
	}
	for _, a := range in.Assertions {
		line := "assertion " + a.ID + " " + string(a.Verb) + text(a.From) + " ->" + text(a.To) + " via" + text(a.Via) + " " + a.Requirement
		for _, s := range a.Services {
			line += " " + s.String()
		}
		if a.DirectOnly {
			line += " direct"
		}
		out = append(out, line)
	}
	for _, j := range in.Justifications {
		out = append(out, "justification "+strings.Join(j.Rules, " ")+" "+j.Reason+" "+j.Owner+" "+j.ApprovedBy)
	}
	return out
}

func meta(kind, name string) model.Meta {
	id := model.ID("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/" + kind + "/" + name)
	return model.Meta{ID: id, Source: model.Source{File: "net.json", Line: 1, Resource: id}}
}

// estate is a VNet of subnets of some names, each with an NSG of its name whose rule Allow lets everything in.
func estate(t *testing.T, names ...string) *model.Project {
	t.Helper()
	v := &model.VNet{Meta: meta("virtualNetworks", "v"), Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}}
	list := []model.Resource{v}
	for i, name := range names {
		g := &model.NSG{Meta: meta("networkSecurityGroups", "nsg-"+name), Rules: append([]model.SecurityRule{{
			Name: "Allow " + name, Source: model.Source{File: "net.json", Line: 2}, Priority: 100, Access: model.Allow, SourceAddrs: model.AddressMatch{Any: true},
			DestAddrs: model.AddressMatch{Any: true}, SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{{First: 443, Last: 443}}, Protocol: model.TCP,
		}}, model.DefaultRules()...)}
		s := &model.Subnet{Meta: meta("virtualNetworks/v/subnets", name), VNet: v.ID, NSG: g.ID}
		s.Prefixes = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24)}
		list = append(list, s, g)
	}
	e, err := model.NewEstate(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &model.Project{Estate: e, Intent: &model.Intent{AsOf: today}}
}

// Names are data, whatever is in them: the file is read as it was meant, and a name that reads as a pattern selects its own subnet alone.
func TestHostileNames(t *testing.T) {
	names := []string{
		`"quoted"`, `a: b`, "new\nline: x", `{flow: [x]}`, "# comment", "- item", "<script>alert(1)</script>", `back\slash`, "tab\there", "é \u2028 \U0001f512", "\ufeff", "star*", "starfish",
		"**", "not:x", "&anchor *alias", "%directive", "'", "ends in blanks  ", "~", "TODO",
	}
	p := estate(t, names...)
	d, err := propose.Intent(p)
	if err != nil {
		t.Fatal(err)
	}
	text := d.YAML("a \"name\"\n# with: markup", inputs)
	file, s := read(t, p, text)
	if diff := cmp.Diff(outline(&d.Intent), outline(&file.Intent)); diff != "" {
		t.Errorf("the file says something else (-draft +file):\n%s", diff)
	}
	if got, want := file.Intent.Name, "a \"name\"\n# with: markup"; got != want {
		t.Errorf("name: got %q, want %q", got, want)
	}
	zones, unzoned := s.Zones()
	if len(unzoned) != 1 || !slices.ContainsFunc(d.Left, func(l string) bool { return strings.Contains(l, "blanks  : no selector names it alone") }) {
		t.Errorf("in no zone: %v, left out: %q, want the name alone that ends in blanks, which a selector loses", unzoned, d.Left)
	}
	members := 0
	for _, z := range zones {
		members += len(z.Members)
	}
	if members != len(names)-1 {
		t.Errorf("got %d members, want one a subnet, %d", members, len(names)-1)
	}
	again, err := propose.Intent(p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.YAML("x", inputs), d.YAML("x", inputs)) {
		t.Error("two drafts of one estate differ")
	}
}

// A stub is no reason (decisions.md, 8.2): not as it is written, and not with owner and approval beside it. A reason, an owner and an approval are.
func TestStubsDoNotCount(t *testing.T) {
	p := estate(t, "web", "db")
	d, err := propose.Intent(p)
	if err != nil {
		t.Fatal(err)
	}
	text := d.YAML("stubs", inputs)
	missing := func(text []byte) []string {
		_, s := read(t, p, text)
		var out []string
		for _, r := range pci.Unjustified(s) {
			out = append(out, r.Rule)
		}
		return out
	}
	var all []string
	for _, j := range d.Intent.Justifications {
		all = append(all, j.Rules...)
	}
	if want := "nsg:nsg-web/Allow web"; !slices.Contains(all, want) {
		t.Fatalf("got stubs for %q, want one for %s", all, want)
	}
	if diff := cmp.Diff(all, missing(text)); diff != "" {
		t.Errorf("with the stubs, rules without a reason (-want +got):\n%s", diff)
	}
	owned := bytes.ReplaceAll(bytes.ReplaceAll(text, []byte(`approvedBy: ""`), []byte(`approvedBy: Board`)), []byte(`owner: ""`), []byte(`owner: Shop`))
	if diff := cmp.Diff(all, missing(owned)); diff != "" {
		t.Errorf("with owner and approval beside the stubs (-want +got):\n%s", diff)
	}
	if got := missing(bytes.ReplaceAll(owned, []byte(`"TODO: why is it needed?"`), []byte(`the shop is open`))); len(got) > 0 {
		t.Errorf("with reasons: got %q without one, want none", got)
	}
}

// An estate that nothing can stand in has no draft.
func TestNothingToPropose(t *testing.T) {
	e, err := model.NewEstate([]model.Resource{&model.NSG{Meta: meta("networkSecurityGroups", "n")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = propose.Intent(&model.Project{Estate: e, Intent: &model.Intent{AsOf: today}}); !errors.Is(err, propose.ErrNothing) {
		t.Errorf("got %v, want %v", err, propose.ErrNothing)
	}
}
