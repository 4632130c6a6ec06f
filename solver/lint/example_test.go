package lint_test

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/lint"
)

// load reads one of the examples.
func load(t *testing.T, name string) *model.Project {
	t.Helper()
	return loadFS(t, os.DirFS("../../examples/"+name))
}

func loadFS(t *testing.T, fsys fs.FS) *model.Project {
	t.Helper()
	file, err := intent.Import(fsys, "ringfence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := fs.Glob(fsys, "azure/*.json")
	if err != nil {
		t.Fatal(err)
	}
	a, err := azure.Import(fsys, paths)
	if err != nil {
		t.Fatal(err)
	}
	var cluster *model.Cluster
	for _, r := range a.Resources {
		if c, ok := r.(*model.Cluster); ok {
			cluster = c
		}
	}
	if cluster == nil {
		t.Fatal("no cluster was read")
	}
	k, err := kubernetes.Import(fsys, []string{"manifests"}, kubernetes.Options{Cluster: cluster.ID, ClusterName: cluster.Name()})
	if err != nil {
		t.Fatal(err)
	}
	estate, err := model.NewEstate(append(a.Resources, k.Resources...), append(a.Ledger, k.Ledger...))
	if err != nil {
		t.Fatal(err)
	}
	return &model.Project{Estate: estate, Intent: &file.Intent}
}

// TestGoodExample demands that a hardened estate raises nothing that needs action.
func TestGoodExample(t *testing.T) {
	for _, f := range lint.Check(load(t, "aks-pci")) {
		if f.Severity != lint.Note {
			t.Errorf("%s %s %s at %s: %s", f.Severity, f.ID, f.Subject, f.Source, f.Text)
		}
	}
}

// TestBrokenExample demands a finding for each of the mistakes that the example's README lists, by their numbers there, and no other ones.
func TestBrokenExample(t *testing.T) {
	const (
		jitOpen = "nsg:nsg-jump/MicrosoftDefenderForCloud-JITRule_-1178564935_0E2B5A6F7D8C4F1E9A3B6C5D4E3F2A1B"
		catalog = "lb:shop/catalog-public"
	)
	got := map[string]bool{}
	for _, f := range lint.Check(load(t, "aks-pci-broken")) {
		got[string(f.Severity)+" "+f.ID+" "+f.Subject] = true
	}
	for _, test := range []struct {
		mistake int
		finding string
	}{
		{1, "warning admin-port-in-list nsg:nsg-oos/AllowBastionIn"},
		{2, "error default-route-missing subnet:vnet-spoke/snet-cluster-oos"},
		{2, "error node-egress-open nodepool:npoos"},
		{2, "warning asymmetric-path subnet:vnet-spoke/snet-cluster-oos"},
		{3, "warning range-spans-zones ipgroup:ipg-campus"},
		{3, "warning range-spans-zones nsg:nsg-analytics/AllowCampusIn"},
		{4, "error endpoint-policies-off subnet:vnet-spoke/snet-pe"},
		{4, "warning endpoint-route-void subnet:vnet-spoke/snet-pe"},
		{5, "error namespace-without-default-deny ns:shop"},
		{6, "error public-load-balancer-service " + catalog},
		{6, "note node-port-service " + catalog},
		{7, "error network-rule-any-any firewall:fwp-hub/rcg-network/net-spokes/temp-rollout-remove-me"},
		{8, "error peering-bypasses-firewall vnet:vnet-analytics/peer-spoke"},
		{9, "error admin-port-open " + jitOpen},
		{9, "error jit-request-open " + jitOpen},
		{9, "error jit-void nsg:nsg-jump/AllowBastionSshIn"},
		{10, "error public-address-on-nic nic:nic-vm-jump"},
		{11, "error waf-not-enforcing appgw:agw/https-pay"},
		{11, "error front-door-unlocked nsg:nsg-appgw/AllowFrontDoorIn"},
		{12, "error public-door-open database:sql-cards/migration-2026-09"},
		{13, "error dnat-any-source firewall:fwp-hub/rcg-dnat/dnat-campus/partner-callback"},
		{14, "warning tag-growth subnet:vnet-spoke/snet-jump"},
		{14, "note rule-redundant nsg:nsg-jump/AllowBastionSshIn"},
		{15, "warning api-server-public-name apiserver:aks-prod"},
		{16, "error gateway-route-missing subnet:vnet-hub/GatewaySubnet"},
		{17, "warning gateway-management-open nsg:nsg-appgw/AllowGatewayManagerIn"},
		{18, "warning endpoint-port-mismatch nsg:nsg-inscope/AllowSqlOut"},
		{19, "warning network-rule-over-wide firewall:fwp-hub/rcg-network/net-spokes/shop-to-collector"},
		{20, "warning application-rule-http firewall:fwp-hub/rcg-application/app-shop/shipping"},
		{21, "warning public-door-beside-endpoint service:stcards"},
		{22, "warning endpoint-zone-not-linked endpoint:pe-acrprod"},
		{23, "warning policy-engine-none cluster:aks-prod"},
		{23, "error policy-not-enforced policy:aks-prod/payments/default-deny"},
	} {
		if !got[test.finding] {
			t.Errorf("mistake %d does not raise %q", test.mistake, test.finding)
		}
		delete(got, test.finding)
	}
	maps.DeleteFunc(got, func(f string, _ bool) bool { return strings.HasPrefix(f, "error policy-not-enforced ") }) // 23, each policy
	for _, f := range slices.Sorted(maps.Keys(got)) {
		t.Errorf("a finding that no mistake explains: %q", f)
	}
}

// TestExampleTwice demands the same findings from two readings.
func TestExampleTwice(t *testing.T) {
	first, second := lint.Check(load(t, "aks-pci-broken")), lint.Check(load(t, "aks-pci-broken"))
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two readings differ (-first +second):\n%s", diff)
	}
	if !slices.IsSortedFunc(first, lint.Finding.Compare) {
		t.Error("findings are not in the order of Finding.Compare")
	}
}
