package main

import (
	"io"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/importers/kubernetes/kubernetestest"
)

// BenchmarkMatrixByWorkload is `matrix --by workload --format json` of generated clusters, from manifests on disk; exposed: with rows for
// pods that do not exist yet.
func BenchmarkMatrixByWorkload(b *testing.B) {
	for _, size := range []struct {
		name string
		size kubernetestest.Size
		more []string
	}{
		{"small", kubernetestest.Small(), nil},
		{"large", kubernetestest.Large(), nil},
		{"small-exposed", kubernetestest.Small(), []string{"--exposure"}},
		{"large-exposed", kubernetestest.Large(), []string{"--exposure"}},
	} {
		b.Run(size.name, func(b *testing.B) {
			dir := b.TempDir()
			if err := kubernetestest.Write(dir, kubernetestest.Cluster(size.size, 1)); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				args := append([]string{"ringfence", "matrix", "-i", dir, "--by", "workload", "--format", "json"}, size.more...)
				if code := run(args, strings.NewReader(""), io.Discard, io.Discard); code != exitOK {
					b.Fatal("exit", code)
				}
			}
		})
	}
}
