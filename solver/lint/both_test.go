package lint

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// What one side alone has is the same whether all findings are looked for or those that may differ.
func TestCheckBoth(t *testing.T) {
	alone := func(list, without []Finding) []Finding {
		return slices.DeleteFunc(slices.Clone(list), func(f Finding) bool {
			return slices.ContainsFunc(without, func(x Finding) bool { return x.ID == f.ID && x.Subject == f.Subject })
		})
	}
	differing, less := 0, 0
	for seed := range uint64(60) {
		d := modeltest.Random(rand.New(rand.NewPCG(seed, 11)), modeltest.WithASGs|modeltest.WithPublic|modeltest.WithGateways|modeltest.WithManagers)
		changed := d.Clone()
		rnd := rand.New(rand.NewPCG(seed, 12))
		for _, i := range rnd.Perm(len(changed.Resources)) {
			g, ok := changed.Resources[i].(*model.NSG)
			if !ok || len(g.Rules) == 0 {
				continue
			}
			g.Rules[0].Access, g.Rules[0].SourceAddrs = model.Allow-g.Rules[0].Access%2, model.AddressMatch{Any: true}
			break
		}
		var p [2]*model.Project
		for i, x := range []modeltest.Draft{d, changed} {
			e, err := x.Estate()
			if err != nil {
				t.Fatal(err)
			}
			p[i] = &model.Project{Estate: e, Tags: x.Tags}
		}
		before, after := CheckBoth(p[0], p[1])
		whole, now := Check(p[0]), Check(p[1])
		if len(before) < len(whole) {
			less++
		}
		want := [][]Finding{alone(now, whole), alone(whole, now)}
		if len(want[0])+len(want[1]) > 0 {
			differing++
		}
		if diff := cmp.Diff(want, [][]Finding{alone(after, before), alone(before, after)}); diff != "" {
			t.Fatalf("seed %d (-all +both):\n%s", seed, diff)
		}
	}
	if differing < 5 || less < 5 {
		t.Errorf("%d differ, %d looked for less", differing, less)
	}
}
