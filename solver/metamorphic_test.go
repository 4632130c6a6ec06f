package solver

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/trace"
)

// settled are the kinds of resources that every comparison of the engines draws: none of the seeds of a run shows a difference. Others join
// them one by one; -kinds draws any.
const settled = modeltest.AllKinds

// answers is what an estate does with some packets: by packet and place, the bounds in which it is delivered.
func answers(t *testing.T, d modeltest.Draft, packets []trace.Packet) []map[string][3]bool {
	t.Helper()
	j, err := newJoint(d)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]map[string][3]bool, len(packets))
	for i, p := range packets {
		if q, ok := j.find(p); ok {
			out[i] = j.solver(q)
		}
	}
	return out
}

// packetsOf draws packets of an estate.
func packetsOf(t *testing.T, d modeltest.Draft, seed uint64, n int) []trace.Packet {
	t.Helper()
	j, err := newJoint(d)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(seed, 3))
	targets := modeltest.Addresses(j.s.Project.Estate)
	var out []trace.Packet
	for tries := 0; len(out) < n && tries < 4*n; tries++ {
		if p, ok := j.draw(rnd, targets); ok {
			out = append(out, p.trace)
		}
	}
	return out
}

// metamorphoses changes random estates and compares what they do with the same packets. prepare, where not nil, makes an estate ready for the
// comparison; change reports whether it found something to change; holds says whether the bounds after the change may stand beside those
// before.
func metamorphoses(t *testing.T, kinds modeltest.Kinds, prepare func(*modeltest.Draft), change func(*rand.Rand, *modeltest.Draft) bool, holds func(before, after [3]bool) bool) {
	t.Helper()
	const estates, packets = 40, 150
	changed := 0
	for seed := uint64(1); changed < estates && seed < 20*estates; seed++ {
		rnd := rand.New(rand.NewPCG(seed, 4))
		d := modeltest.Random(rand.New(rand.NewPCG(seed, 1)), modeltest.KindsOf(seed)&kinds)
		if prepare != nil {
			prepare(&d)
		}
		other := d.Clone()
		if !change(rnd, &other) {
			continue
		}
		changed++
		list := packetsOf(t, d.Clone(), seed, packets)
		before, after := answers(t, d.Clone(), list), answers(t, other.Clone(), list)
		for i, p := range list {
			for _, place := range sortedBounds(before[i], after[i]) {
				if a, b := before[i][place], after[i][place]; !holds(a, b) {
					t.Fatalf("seed %d: %s from %s at %s: before %q, after %q\n%s\nafter:\n%s", seed, p, placeText(p.From), place, bounds(a), bounds(b), modeltest.Print(d), modeltest.Print(other))
				}
			}
		}
	}
	if changed == 0 {
		t.Fatal("no estate was changed")
	}
}

// same: the change means nothing.
func same(before, after [3]bool) bool { return before == after }

// noMore: what was not delivered is not delivered now, and what was not certain is not now.
func noMore(before, after [3]bool) bool {
	for b := range before {
		if after[b] && !before[b] {
			return false
		}
	}
	return true
}

func noLess(before, after [3]bool) bool { return noMore(after, before) }

// someNSG is a random NSG of a draft that something uses.
func someNSG(rnd *rand.Rand, d *modeltest.Draft) *model.NSG {
	var list []*model.NSG
	for _, r := range d.Resources {
		if g, ok := r.(*model.NSG); ok {
			list = append(list, g)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[rnd.IntN(len(list))]
}

// AZ-NSG-02: a rule before all others, for everything and in one direction.
func foremost(access model.Access) func(*rand.Rand, *modeltest.Draft) bool {
	return func(rnd *rand.Rand, d *modeltest.Draft) bool {
		g := someNSG(rnd, d)
		if g == nil {
			return false
		}
		everything := model.AddressMatch{Any: true}
		g.Rules = append(g.Rules, model.SecurityRule{
			Name: "first", Priority: 1, Direction: model.Direction(rnd.IntN(2)), Access: access, Protocol: model.AnyProtocol, SourceAddrs: everything, DestAddrs: everything,
			SourcePorts: []model.PortRange{model.AllPorts}, DestPorts: []model.PortRange{model.AllPorts},
		})
		return true
	}
}

func TestTopDenyNeverAdds(t *testing.T) { metamorphoses(t, settled, nil, foremost(model.Deny), noMore) }

func TestTopAllowNeverRemoves(t *testing.T) {
	metamorphoses(t, settled, nil, foremost(model.Allow), noLess)
}

// A prefix of a rule and its two halves are the same addresses (AZ-NSG-04).
func TestHalvesOfAPrefixChangeNothing(t *testing.T) {
	metamorphoses(t, settled, nil, func(rnd *rand.Rand, d *modeltest.Draft) bool {
		changed := false
		halve := func(ps []netip.Prefix) []netip.Prefix {
			var out []netip.Prefix
			for _, p := range ps {
				if p.IsSingleIP() || rnd.IntN(2) == 0 {
					out = append(out, p)
					continue
				}
				changed = true
				out = append(out, halves(p)...)
			}
			return out
		}
		for _, r := range d.Resources {
			if g, ok := r.(*model.NSG); ok {
				for i := range g.Rules {
					g.Rules[i].SourceAddrs.Prefixes, g.Rules[i].DestAddrs.Prefixes = halve(g.Rules[i].SourceAddrs.Prefixes), halve(g.Rules[i].DestAddrs.Prefixes)
				}
			}
		}
		return changed
	}, same)
}

// halves are the two halves of a block.
func halves(p netip.Prefix) []netip.Prefix {
	low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
	b := p.Addr().AsSlice()
	b[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	high, _ := netip.AddrFromSlice(b)
	return []netip.Prefix{low, netip.PrefixFrom(high, p.Bits()+1)}
}

// AZ-PEER-01: without a peering no more is delivered, where no user route takes over what the peering carried, and no rule turns on the
// peer's place in VirtualNetwork or Internet but by allowing it (AZ-TAG-01).
func TestWithoutAPeeringNothingIsAdded(t *testing.T) {
	const kinds = settled &^ (modeltest.WithGateways | modeltest.WithRouteServers | modeltest.WithHubs) // their routes take over what the peering carried (AZ-RT-20)
	plain := func(d *modeltest.Draft) {
		for _, r := range d.Resources {
			switch r := r.(type) {
			case *model.Subnet:
				r.RouteTable = ""
			case *model.NSG:
				r.Rules = slices.DeleteFunc(r.Rules, func(x model.SecurityRule) bool {
					tags := slices.Concat(x.SourceAddrs.Tags, x.DestAddrs.Tags)
					return slices.Contains(tags, "Internet") || x.Access == model.Deny && slices.Contains(tags, "VirtualNetwork")
				})
			default:
			}
		}
	}
	metamorphoses(t, kinds, plain, func(_ *rand.Rand, d *modeltest.Draft) bool {
		for _, r := range d.Resources {
			v, ok := r.(*model.VNet)
			if !ok || len(v.Peerings) == 0 {
				continue
			}
			remote := v.Peerings[0].Remote
			v.Peerings = v.Peerings[1:]
			for _, x := range d.Resources {
				if w, ok := x.(*model.VNet); ok && w.ID == remote {
					w.Peerings = slices.DeleteFunc(w.Peerings, func(p model.Peering) bool { return p.Remote == v.ID })
				}
			}
			return true
		}
		return false
	}, func(before, after [3]bool) bool { return !after[0] || before[0] })
}

// The order of resources and the names of rules decide nothing.
func TestShufflingChangesNothing(t *testing.T) {
	metamorphoses(t, settled, nil, func(rnd *rand.Rand, d *modeltest.Draft) bool {
		rnd.Shuffle(len(d.Resources), func(i, j int) { d.Resources[i], d.Resources[j] = d.Resources[j], d.Resources[i] })
		for _, r := range d.Resources {
			switch r := r.(type) {
			case *model.NSG:
				for i := range r.Rules {
					r.Rules[i].Name = fmt.Sprintf("renamed%d", rnd.IntN(1000))
				}
				rnd.Shuffle(len(r.Rules), func(i, j int) { r.Rules[i], r.Rules[j] = r.Rules[j], r.Rules[i] })
			case *model.RouteTable:
				rnd.Shuffle(len(r.Routes), func(i, j int) { r.Routes[i], r.Routes[j] = r.Routes[j], r.Routes[i] })
			case *model.VNet:
				rnd.Shuffle(len(r.Peerings), func(i, j int) { r.Peerings[i], r.Peerings[j] = r.Peerings[j], r.Peerings[i] })
			default:
			}
		}
		return true
	}, same)
}

// AZ-GEN-08: an object that nobody understands takes certainty from what it may filter, and proofs from what it may carry.
func TestAnUnsupportedObjectDecidesNothing(t *testing.T) {
	metamorphoses(t, settled, nil, func(rnd *rand.Rand, d *modeltest.Draft) bool {
		g := someNSG(rnd, d)
		if g == nil {
			return false
		}
		d.Ledger = append(d.Ledger, model.LedgerEntry{Resource: g.ID, Type: "Microsoft.Network/networkSecurityGroups", Field: "securityRules", Disposition: model.Unsupported, Affects: []model.ID{g.ID}, Source: model.Source{File: "random"}})
		return true
	}, func(before, after [3]bool) bool {
		return (!before[0] || after[0]) && (!after[1] || before[1]) && (!after[2] || before[2])
	})
}

// AZ-GEN-09: over holds one-way, one-way holds session.
func TestBoundsContainEachOther(t *testing.T) {
	metamorphoses(t, settled, nil, func(*rand.Rand, *modeltest.Draft) bool { return true }, func(_, v [3]bool) bool { return (!v[1] || v[0]) && (!v[2] || v[1]) })
}

// TestTinyUniverse compares the engines on every packet of small estates: every sender, every address of sixteen, three ports, three
// protocols.
func TestTinyUniverse(t *testing.T) {
	estates := 25
	if testing.Short() {
		estates = 10
	}
	var space []netip.Addr
	for i := range byte(16) {
		space = append(space, netip.AddrFrom4([4]byte{10, 0, 0, i}))
	}
	compared := 0
	for seed := range uint64(estates) {
		j, err := newJoint(modeltest.Tiny(rand.New(rand.NewPCG(seed, 5))))
		if err != nil {
			t.Fatal(err)
		}
		g := j.s.graph
		for o := range g.Origins {
			for _, src := range space {
				if !slices.ContainsFunc(g.Origins[o].Prefixes, func(p netip.Prefix) bool { return p.Contains(src) }) {
					continue
				}
				for _, dst := range space {
					for _, port := range []uint16{22, 80, 443} {
						for _, proto := range []model.Protocol{model.TCP, model.UDP, model.ICMP} {
							p := trace.Packet{From: g.Origins[o].Site.PlaceOf(src), Src: src, Dst: dst, Protocol: proto}
							if proto.HasPorts() {
								p.SPort, p.DPort = 50000, port
							}
							q, ok := j.as(o, p)
							if !ok {
								continue
							}
							compared++
							if diff := j.differ(q); diff != "" {
								t.Fatalf("seed %d: %s\n%s", seed, diff, modeltest.Print(modeltest.Tiny(rand.New(rand.NewPCG(seed, 5)))))
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d packets", compared)
}
