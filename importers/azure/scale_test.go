package azure

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
)

// scaleShapes writes the estate of modeltest.Scale as one file of each shape.
func scaleShapes(subnets int) map[string][]byte {
	rest := azuretest.REST(modeltest.Scale(subnets))
	return map[string][]byte{"REST": azuretest.List(rest), "Resource Graph": azuretest.Graph(rest)}
}

// The estate that the benchmarks import is the one that modeltest.Scale makes.
func TestScaleImports(t *testing.T) {
	want, err := model.NewEstate(modeltest.Scale(20), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range scaleShapes(20) {
		res, err := Import(fstest.MapFS{"a.json": {Data: data}}, []string{"a.json"})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := model.NewEstate(res.Resources, res.Ledger)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want.Resources(), got.Resources(), facts()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if bad := ledgerOf(res, model.Unsupported); len(bad) > 0 {
			t.Errorf("%s: unsupported: %v", name, bad)
		}
	}
}

// BenchmarkScale imports one file with an estate of so many subnets, an NSG of 20 rules and its default rules and five NICs for each,
// and builds the estate.
func BenchmarkScale(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		for _, shape := range []string{"REST", "Resource Graph"} {
			b.Run(fmt.Sprintf("%s/%d", shape, n), func(b *testing.B) {
				fsys := fstest.MapFS{"a.json": {Data: scaleShapes(n)[shape]}}
				b.SetBytes(int64(len(fsys["a.json"].Data)))
				b.ReportAllocs()
				for b.Loop() {
					res, err := Import(fsys, []string{"a.json"})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := model.NewEstate(res.Resources, res.Ledger); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
