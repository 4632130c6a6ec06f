// Package kubernetes reads Kubernetes manifests into the model: namespaces, workloads, network policies, Services and Ingresses.
//
// [Import] takes files and folders, in YAML as kubectl reads it (K8S-GEN-05) or JSON, as written by people or as `kubectl get -o yaml`
// prints a live cluster. It applies the defaults of the API server and refuses what the API server refuses (K8S-GEN-06). Live pods
// replace the template of their controller (K8S-WL-03). [Recognise] tells whether bytes look like manifests.
//
// A kustomization is built in memory from files of the input alone; its objects stand at the file and line of the resource that they come
// from, and say of their fields no more than that line.
//
// Shape: each object that was read is one entry of the ledger: modelled, irrelevant with the reason, or unsupported with what it may
// change and where. The table of kinds in kinds.go decides which. The order of files and of objects changes nothing in the result.
// Every Source has file, line and path (`spec.ingress[0].from[1]`); in a `kind: List` the path begins with `items[N]`.
//
// Of annotations only those that a rule reads are kept, of a Secret and of a ConfigMap nothing but its name. Values of environment
// variables, arguments, annotations and data never reach a message.
//
// Cost: linear in the input; of a list of 100 MB, in YAML or JSON, about 600 MB. Limits: 128 MiB a file; 16 MiB a YAML document that is no
// list of objects, an entry of one, and an object in JSON; 64 MiB a document with its aliases expanded; 20,000 documents a file; 200 levels of nesting; 200,000 objects; 1,000 errors reported.
//
// Errors: all errors of the input together, each a [model.InputError] with its place, in the order of their Source. A policy that does
// not decode to the last field is an error, never skipped: without it an allow or a deny would be missing. In other kinds a field that
// is not known is left out, as the API server leaves it out, and the ledger says so.
//
// Source: docs/semantics/kubernetes.md; validation after k8s.io/apimachinery and kubernetes/api.
package kubernetes
