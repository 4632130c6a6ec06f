// Package netpol measures the matrix by workload against np-guard's netpol-analyzer, which answers the same question about the same
// manifests. Both run as processes, from the manifests on disk to JSON. This module depends on the peer alone: its versions of the
// Kubernetes libraries are not ours.
package netpol
