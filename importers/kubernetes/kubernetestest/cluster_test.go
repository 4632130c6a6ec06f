package kubernetestest_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/importers/kubernetes/kubernetestest"
	"github.com/ringfence/ringfence/model"
)

// A cluster has the objects that it was asked for, all of which are read; and the same ones every time.
func TestCluster(t *testing.T) {
	size := kubernetestest.Size{Workloads: 60, Policies: 90, Namespaces: 9}
	dir := t.TempDir()
	if err := kubernetestest.Write(dir, kubernetestest.Cluster(size, 1)); err != nil {
		t.Fatal(err)
	}
	r, err := kubernetes.Import(os.DirFS(dir), []string{"."}, kubernetes.Options{Cluster: "/c"})
	if err != nil {
		t.Fatal(err)
	}
	got := kubernetestest.Size{}
	for _, x := range r.Resources {
		switch x.(type) {
		case *model.Workload:
			got.Workloads++
		case *model.NetworkPolicy:
			got.Policies++
		case *model.Namespace:
			got.Namespaces++
		default:
		}
	}
	if got != size {
		t.Errorf("got %+v, want %+v", got, size)
	}
	if diff := cmp.Diff(kubernetestest.Cluster(size, 1), kubernetestest.Cluster(size, 1)); diff != "" {
		t.Error(diff)
	}
}
