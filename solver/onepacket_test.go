package solver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
	"github.com/ringfence/ringfence/solver/trace"
)

// imported is an estate from the JSON of its resources, of which the importer has to understand every field, with declared zones.
func imported(t testing.TB, zones string, resources ...azuretest.Resource) *Solution {
	t.Helper()
	return importedWith(t, Options{}, zones, resources...)
}

func importedWith(t testing.TB, o Options, zones string, resources ...azuretest.Resource) *Solution {
	t.Helper()
	fsys := azuretest.FS(resources...)
	az, err := azure.Import(fsys, azuretest.Files(fsys))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range az.Ledger {
		if e.Disposition == model.Unsupported {
			t.Errorf("not understood: %s %s: %s", e.Resource.ShortName(), e.Field, e.Effect)
		}
	}
	e, err := model.NewEstate(az.Resources, az.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	p := &model.Project{Estate: e}
	if zones != "" {
		text := "ringfence: v1\nname: test\nasOf: 2026-11-01\ninputs: [{azure: net.json}]\nzones:\n" + zones
		in, bad := intent.Import(fstest.MapFS{"ringfence.yaml": {Data: []byte(text)}}, "ringfence.yaml")
		if bad != nil {
			t.Fatal(bad)
		}
		p.Intent = &in.Intent
	}
	s, err := Solve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// place reads `nic:vm`, `far:gw/site`, `service:sa`, `internet`, `subnet:vnet/s`.
func (s *Solution) placeOf(t testing.TB, text string) model.Place {
	t.Helper()
	kind, name, _ := strings.Cut(text, ":")
	switch kind {
	case "internet":
		return model.Place{Kind: model.PlaceInternet}
	case "far":
		gw, part, _ := strings.Cut(name, "/")
		for _, r := range s.Project.Estate.Resources() {
			if strings.EqualFold(r.ResourceID().Name(), gw) {
				if isGatewayResource(r) {
					return model.Place{Kind: model.PlaceFarSide, ID: r.ResourceID(), Part: part}
				}
			}
		}
	case "nic":
		for _, n := range s.Project.Estate.NICs {
			if n.Name() == name {
				return model.Place{Kind: model.PlaceNIC, ID: n.ID, Part: n.IPConfigs[0].Name}
			}
		}
	case "service":
		for _, r := range s.Project.Estate.Services {
			if r.Name() == name {
				return model.Place{Kind: model.PlaceService, ID: r.ID}
			}
		}
	}
	t.Fatalf("no place %q", text)
	return model.Place{}
}

func isGatewayResource(r model.Resource) bool {
	switch r.(type) {
	case *model.Gateway, *model.HubGateway:
		return true
	default:
		return false
	}
}

// addressAt is an address as text, or the door of a service.
func (s *Solution) addressAt(t testing.TB, text string) netip.Addr {
	t.Helper()
	if name, ok := strings.CutPrefix(text, "service:"); ok {
		place := s.placeOf(t, text)
		a, ok := s.Project.Estate.Symbols().Of(model.ServiceDoor, place.ID, "")
		if !ok {
			t.Fatalf("service %s has no door", name)
		}
		return a
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// answer is what both engines say of one packet at one place: `A` delivered for certain, `over` perhaps, `D` not at all, and for what
// arrives the source and destination as the receiver sees them.
func (s *Solution) answer(t testing.TB, from, text, to string) (solver, interpreter string) {
	t.Helper()
	src, dst, proto, port := parsePacket(t, s, text)
	sender, target := s.placeOf(t, from), s.placeOf(t, to)
	u := s.graph.Universe
	one := packet.Packet{Src: u.Class(src), Dst: u.Class(dst), Protocol: uint8(proto), SPort: 50000, DPort: port}
	if !proto.HasPorts() {
		one.SPort, one.DPort = 0, 0
	}
	found := false
	for i, o := range s.graph.Origins {
		if o.Site.PlaceOf(src).Key() == sender.Key() && slices.ContainsFunc(s.graph.OriginClasses(i), func(r packet.Range) bool { return r.Lo <= one.Src && one.Src <= r.Hi }) {
			one.Origin, found = uint32(i), true
		}
	}
	if !found {
		t.Fatalf("%s does not send from %s", from, src)
	}
	// The door of an account is in its tag: the packet carries no other tag than it has to.
	set := s.graph.Space.Intersect(s.graph.Single(one), s.graph.Sent(int(one.Origin)))
	if set.Empty() {
		set = s.graph.Space.Intersect(s.anyTags(one), s.graph.Sent(int(one.Origin)))
		sample, ok := s.graph.Space.Sample(set)
		if !ok {
			t.Fatalf("%s cannot send %s", from, text)
		}
		one, set = sample, s.graph.Single(sample)
	}
	got := map[dataplane.Bound]bool{}
	var seen []string
	for _, b := range []dataplane.Bound{dataplane.Over, dataplane.OneWay} {
		f := s.graph.FloodOf(b, set)
		for n, node := range s.graph.Nodes {
			if node.Stage != dataplane.StageReceive {
				continue
			}
			at := sureAt(f, dataplane.NodeID(n))
			arrived, ok := s.graph.Space.Sample(at)
			if !ok || s.graph.PlaceAt(dataplane.NodeID(n), u.Example(arrived.Dst)).Key() != target.Key() {
				continue
			}
			got[b] = true
			if b == dataplane.Over {
				seen = append(seen, fmt.Sprintf("%s > %s", classText(u, arrived.Src, src), classText(u, arrived.Dst, dst)))
			}
		}
	}
	solver = verdictText(got[dataplane.Over], got[dataplane.OneWay], seen)

	res := trace.Run(s.Project.Estate, s.traceOptions(false), trace.Packet{From: sender, Src: src, Dst: dst, Protocol: proto, SPort: one.SPort, DPort: one.DPort, Tags: s.concrete(one).Tags})
	seen = nil
	for _, p := range res.Paths {
		if p.End == trace.Delivered && p.At.Key() == target.Key() {
			seen = append(seen, fmt.Sprintf("%s > %s", addressText(p.Packet.Src, src), addressText(p.Packet.Dst, dst)))
		}
	}
	over, oneWay, _ := res.Delivered(target)
	return solver, verdictText(over, oneWay, seen)
}

// anyTags is a packet with whatever tags its far address may be in.
func (s *Solution) anyTags(p packet.Packet) packet.Set {
	b := packet.Box{Origin: value(p.Origin), Dst: value(p.Dst), Src: value(p.Src), Protocol: value(uint32(p.Protocol)), Name: value(p.Name)}
	if model.Protocol(p.Protocol).HasPorts() {
		b.SPort, b.DPort = value(uint32(p.SPort)), value(uint32(p.DPort))
	}
	return s.graph.Space.Box(b)
}

// agreeAtDoors compares the engines on packets of every sender to the public doors of the estate's accounts.
func agreeAtDoors(t *testing.T, s *Solution) {
	t.Helper()
	for o := range s.graph.Origins {
		for _, account := range s.Project.Estate.Services {
			door, ok := s.Project.Estate.Symbols().Of(model.ServiceDoor, account.ID, "")
			if !ok {
				continue
			}
			p := packet.Packet{Origin: uint32(o), Src: s.graph.OriginClasses(o)[0].Lo, Dst: s.graph.Universe.Class(door), Protocol: uint8(model.TCP), SPort: 50000, DPort: 443}
			sample, ok := s.graph.Space.Sample(s.graph.Space.Intersect(s.anyTags(p), s.graph.Sent(o)))
			if !ok {
				continue
			}
			if diff := s.compare(sample, s.graph.Single(sample)); diff != "" {
				t.Errorf("%s", diff)
			}
		}
	}
}

func verdictText(over, oneWay bool, seen []string) string {
	switch {
	case !over && !oneWay:
		return "D"
	case !oneWay:
		return "over"
	}
	slices.Sort(seen)
	return "A " + strings.Join(slices.Compact(seen), ", ")
}

// addressText leaves the part out that the packet had already.
func addressText(a, sent netip.Addr) string {
	if a == sent {
		return "same"
	}
	return a.String()
}

func classText(u *packet.Universe, class uint32, sent netip.Addr) string {
	if u.Class(sent) == class {
		return "same"
	}
	if u.Single(class) {
		return u.Example(class).String()
	}
	ps := u.Prefixes([]packet.Range{{Lo: class, Hi: class}})
	return ps[0].String()
}

func parsePacket(t testing.TB, s *Solution, text string) (src, dst netip.Addr, proto model.Protocol, port uint16) {
	t.Helper()
	f := strings.Fields(text)
	svc, err := model.ParsePortService(f[3])
	if err != nil || len(f) != 4 || f[1] != ">" {
		t.Fatalf("packet %q: %v", text, err)
	}
	return s.addressAt(t, f[0]), s.addressAt(t, f[2]), svc.Protocol, svc.Ports.First
}

// ask compares both engines with what the specification says of one packet.
func (s *Solution) wants(t *testing.T, name, from, packet, to, want string) {
	t.Helper()
	solver, interpreter := s.answer(t, from, packet, to)
	// The solver prints classes of addresses where the interpreter prints the lowest of them.
	verdict := func(text string) string { v, _, _ := strings.Cut(text, " "); return v }
	if verdict(solver) != verdict(want) || strings.Contains(want, ">") && solver != want {
		t.Errorf("%s: %s of %s at %s: solver says %s, want %s", name, packet, from, to, solver, want)
	}
	if verdict(interpreter) != verdict(want) || strings.Contains(want, ">") && !strings.Contains(want, "/") && interpreter != want {
		t.Errorf("%s: %s of %s at %s: interpreter says %s, want %s", name, packet, from, to, interpreter, want)
	}
}

// questions makes a run tell addresses apart.
func questions(t testing.TB, texts ...string) Options {
	t.Helper()
	out, err := model.ParseSelectors(texts)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Questions: out}
}
