// Manifests writes the manifests of a cluster into a folder, for peers that are processes.
//
//	go run ./manifests -size small|large DIR
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/ringfence/ringfence/importers/kubernetes/kubernetestest"
)

func main() {
	size := flag.String("size", "small", "small: 500 workloads, 500 policies, 50 namespaces; large: 4,000, 2,000, 200")
	flag.Parse()
	sizes := map[string]kubernetestest.Size{"small": kubernetestest.Small(), "large": kubernetestest.Large()}
	s, ok := sizes[*size]
	if !ok || flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := kubernetestest.Write(flag.Arg(0), kubernetestest.Cluster(s, 1)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
