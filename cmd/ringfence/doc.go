// Command ringfence answers "can X reach Y?" with proof, for Azure estates with AKS clusters.
//
// It decides nothing: each file is one command, which loads a project (load.go, adhoc.go), asks the solver and prints the answer. run,
// in app.go, is the program as a function of its arguments and streams.
package main
