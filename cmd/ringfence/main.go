// Command ringfence answers "can X reach Y?" with proof, for Azure estates with AKS clusters.
package main

import "os"

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
