package kubernetes

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// laid is what comes of an overlay: an estate, what was recorded, and what objects say by themselves; or errors.
type laid struct {
	Resources []model.Resource
	Ledger    []model.LedgerEntry
	Apart     model.ApartCluster
	Err       string
}

func laidBy(r Result, err error) laid {
	if err != nil {
		return laid{Err: err.Error()}
	}
	e, err := model.NewEstate(r.Resources, r.Ledger)
	if err != nil {
		return laid{Err: err.Error()}
	}
	return laid{e.Resources(), e.Ledger, r.Apart(), ""}
}

// Each object of a live cluster over all of them and over their snapshot, as it is, under another name, in another namespace and with other
// labels; and objects that change what others are read as.
func TestOnto(t *testing.T) {
	data, err := os.ReadFile("testdata/onto.yaml")
	if err != nil {
		t.Fatal(err)
	}
	overlays := []string{
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {env: test}}\n",
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: np, namespace: a}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n",             // selects no label any more
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: np2, namespace: a}\nspec: {podSelector: {matchLabels: {pod-template-hash: x}}}\n", // selects another one
		"apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n",                                // no longer the default
		"apiVersion: v1\nkind: Service\nmetadata: {name: out, namespace: b}\nspec: {selector: {app: db}, ports: [{port: 5432}]}\n",                                 // whose Endpoints say nothing new
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: a}\nspec: {replicas: 0, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x}]}}}\n",
	}
	for _, doc := range strings.Split(string(data), "\n---\n") {
		overlays = append(overlays, doc, strings.Replace(doc, "metadata: {name: ", "metadata: {name: new-", 1), strings.Replace(doc, "namespace: a", "namespace: b", 1), strings.NewReplacer("tier: x", "tier: q", "app: web", "app: db").Replace(doc))
	}
	for i, over := range overlays {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			fsys := fstest.MapFS{"base.yaml": {Data: data}, "over.yaml": {Data: []byte(over)}}
			o := options()
			first, err := Import(fsys, []string{"base.yaml"}, o)
			if err != nil {
				t.Fatal(err)
			}
			e, err := model.NewEstate(first.Resources, first.Ledger)
			if err != nil {
				t.Fatal(err)
			}
			o.Over, o.OverPaths = fsys, []string{"over.yaml"}
			sources := laidBy(Import(fsys, []string{"base.yaml"}, o))
			snapshot := laidBy(ImportOnto(Base{Resources: e.Resources(), Ledger: e.Ledger, Apart: first.Apart()}, o))
			if diff := cmp.Diff(sources, snapshot, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
				t.Errorf("%s\n-over the sources +over the snapshot:\n%s", over, diff)
			}
			if sources.Err != "" && !strings.Contains(sources.Err, "selector that matches") {
				t.Errorf("%s\n%s", over, sources.Err)
			}
		})
	}
}
