package solver

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// mutate changes one fact of a draft, anywhere; false where the chosen place has nothing to change.
func mutate(d *modeltest.Draft, rnd *rand.Rand) bool {
	r := d.Resources[rnd.IntN(len(d.Resources))]
	switch r := r.(type) {
	case *model.NSG:
		if len(r.Rules) == 0 {
			return false
		}
		x := &r.Rules[rnd.IntN(len(r.Rules))]
		switch rnd.IntN(3) {
		case 0:
			x.Access = model.Allow - x.Access%2
		case 1:
			x.DestPorts = []model.PortRange{{First: 22, Last: 443}}
		default:
			x.SourceAddrs = model.AddressMatch{Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/29")}}
		}
	case *model.RouteTable:
		if len(r.Routes) == 0 {
			return false
		}
		r.Routes = r.Routes[:len(r.Routes)-1]
	case *model.Subnet:
		if rnd.IntN(2) == 0 {
			r.NSG = ""
		} else {
			r.RouteTable = ""
		}
	case *model.NIC:
		r.NSG = ""
	default:
		return false
	}
	return true
}

// What Compare does not list does not differ: packets drawn from both estates get the same verdicts in each of them. And an estate does
// not differ from itself.
func TestCompareMissesNothing(t *testing.T) {
	estates := uint64(150)
	if testing.Short() {
		estates = 40
	}
	differing, quiet := 0, 0
	for seed := range estates {
		d := modeltest.Random(rand.New(rand.NewPCG(seed, 1)), modeltest.KindsOf(seed)&settled)
		changed := d.Clone()
		rnd := rand.New(rand.NewPCG(seed, 9))
		for range 4 {
			if mutate(&changed, rnd) && rnd.IntN(3) > 0 {
				break
			}
		}
		a, err := newJoint(d.Clone())
		if err != nil {
			continue
		}
		b, err := newJoint(changed)
		if err != nil {
			continue
		}
		same, err := Compare(a.s, a.s)
		if err != nil || len(same.Flows) > 0 {
			t.Fatalf("seed %d differs from itself: %v %+v", seed, err, same)
		}
		c, err := Compare(a.s, b.s)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.Flows {
			if f.Witness == nil && f.Kind == Direct && f.Before != Unknown && f.After != Unknown {
				t.Errorf("seed %d: no witness of %s %s -> %s %v", seed, f.Change, f.From, f.To, f.Packets)
			}
		}
		if len(c.Flows) > 0 {
			differing++
			continue
		}
		quiet++
		targets := modeltest.Addresses(a.s.Project.Estate)
		for range 300 {
			drawn, _ := a.draw(rnd, targets)
			p, ok := a.find(drawn.trace)
			if !ok {
				continue
			}
			q, ok := b.find(p.trace)
			if !ok {
				continue
			}
			was, is := a.solver(p), b.solver(q)
			if len(was) > 1 {
				continue // an appliance may make anything of it
			}
			for _, m := range []map[string][3]bool{was, is} {
				for k, v := range m {
					m[k] = [3]bool{v[0], v[1]} // whether the reply returns is no part of a comparison
				}
			}
			if !reflect.DeepEqual(was, is) {
				t.Fatalf("seed %d: nothing differs, but %s: %v, then %v\n%s", seed, p.trace, was, is, modeltest.Print(changed))
			}
		}
	}
	t.Logf("%d differ, %d do not", differing, quiet)
	if least := int(estates) / 8; differing < least || quiet < least {
		t.Error("too few of one sort")
	}
}
