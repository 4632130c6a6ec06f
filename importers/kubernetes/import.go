package kubernetes

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ringfence/ringfence/model"
)

// Options say which cluster the manifests belong to.
type Options struct {
	Cluster     model.ID // the cluster resource; every imported object refers to it
	ClusterName string   // short name in the IDs of objects; the last part of Cluster when empty

	Parsed map[string]*Documents // files that were parsed already, by name; may be nil

	Over      fs.FS    // of OverPaths
	OverPaths []string // manifests whose objects stand in the place of others of their kind and name, or beside them
}

// Result is what manifests say.
type Result struct {
	Resources []model.Resource    // sorted by ID
	Ledger    []model.LedgerEntry // one entry for each object, and for each field that was not taken as written; sorted by Source
	Files     []string            // every file that was read, sorted

	im *importer // for Apart
}

// Limits of one import; doc.go says them in words.
const (
	maxObjects = 200_000
	maxErrors  = 1_000
)

// Import reads manifests. A path is a file, or a folder in which every *.yaml, *.yml and *.json is read that is not hidden.
func Import(fsys fs.FS, paths []string, o Options) (Result, error) {
	if o.ClusterName == "" {
		o.ClusterName = o.Cluster.Name()
	}
	im := newImporter(o)
	if len(o.OverPaths) > 0 {
		im.readAll(o.Over, o.OverPaths, nil)
		im.replaced = maps.Clone(im.seen)
	}
	result := Result{Files: im.readAll(fsys, paths, o.Parsed)}
	slices.Sort(result.Files)
	result.Files = slices.Compact(result.Files)
	return im.finish(result)
}

// readAll reads manifests, kustomizations first, and returns the files that it read.
func (im *importer) readAll(fsys fs.FS, paths []string, parsed map[string]*Documents) []string {
	builds, files := im.builds(fsys, im.collect(fsys, paths))
	var read []string
	for _, b := range builds {
		read = append(read, im.build(b)...)
	}
	next := parseAhead(fsys, files, parsed)
	for _, f := range files {
		if im.read(fsys, f, next) {
			read = append(read, f.name)
		}
	}
	return read
}

func newImporter(o Options) *importer {
	return &importer{
		options: o, kinds: kindIndex(), decoder: newDecoder(),
		seen: map[objectKey]model.Source{}, namespaces: map[string]*namespaceUse{}, services: map[[2]string]*model.KubeService{},
	}
}

// finish joins what the objects say about each other.
func (im *importer) finish(result Result) (Result, error) {
	im.finishWorkloads()
	im.finishIngresses()
	im.finishEndpoints()
	im.finishTiers()
	im.finishMesh()
	im.finishNamespaces()
	if len(im.errs) > 0 {
		return Result{}, joinErrors(im.errs)
	}
	result.Resources, result.Ledger, result.im = im.resources, im.ledger, im
	slices.SortFunc(result.Resources, func(a, b model.Resource) int {
		return a.ResourceID().Compare(b.ResourceID())
	})
	slices.SortStableFunc(result.Ledger, func(a, b model.LedgerEntry) int {
		return cmp.Or(a.Source.Compare(b.Source), a.Resource.Compare(b.Resource), cmp.Compare(a.Field, b.Field))
	})
	return result, nil
}

// importer is the state of one Import.
type importer struct {
	options Options
	kinds   map[groupKind]kind
	decoder runtime.Decoder

	resources []model.Resource
	ledger    []model.LedgerEntry
	errs      []*model.InputError

	objects    int
	seen       map[objectKey]model.Source
	replaced   map[objectKey]model.Source // objects that stand in the place of those of the input
	namespaces map[string]*namespaceUse
	selected   []model.LabelSelector // of policies and Services: the label keys that matter (K8S-WL-03)
	apart      []model.ApartObject   // what each object says, in the order read
	services   map[[2]string]*model.KubeService
	endpoints  []endpointsObject
	ingresses  []*model.Ingress
	classes    []model.IngressClass
	tiers      []*model.ClusterPolicy
	carriers   []*carrier // wait until all owners and pods are known
	meshHosts  []meshHosts
	meshNames  bool // a ServiceEntry may put pods behind names
}

// objectKey is what makes an object unique in a cluster (K8S-NS-04). The group is part of it: `NetworkPolicy` is also a kind of Calico.
type objectKey struct{ group, kind, namespace, name string }

func (im *importer) fail(e *model.InputError) { im.errs = append(im.errs, e) }

// bad reports a field of an object. What was found is printed as the input spells it.
func (im *importer) bad(o *object, path, found, accepted string) {
	im.fail(&model.InputError{Source: o.source(path), Resource: o.id, Field: path, Found: found, Accepted: accepted})
}

// note records a field that was read otherwise than written.
func (im *importer) note(o *object, path, effect string) {
	im.ledger = append(im.ledger, model.LedgerEntry{
		Resource: o.id, Type: o.typeName(), Field: path, Disposition: model.Irrelevant, Effect: effect, Source: o.source(path),
	})
}

// cannot records a field that may change what the object does and is not understood.
func (im *importer) cannot(o *object, path, effect string, affects ...model.ID) {
	im.ledger = append(im.ledger, model.LedgerEntry{
		Resource: o.id, Type: o.typeName(), Field: path, Disposition: model.Unsupported, Effect: effect, Source: o.source(path), Affects: affects, Role: model.Steers,
	})
}

// unmodelled enters an object that nobody understands into the ledger, with what it may do (K8S-GEN-07).
func (im *importer) unmodelled(o *object, role model.Role, effect string, affects ...model.ID) {
	im.ledger = append(im.ledger, model.LedgerEntry{
		Resource: o.id, Type: o.typeName(), Disposition: model.Unsupported, Effect: effect, Source: o.source(""), Affects: affects, Role: role,
	})
}

// record enters an object into the ledger.
func (im *importer) record(o *object, d model.Disposition, effect string, affects ...model.ID) {
	im.ledger = append(im.ledger, model.LedgerEntry{
		Resource: o.id, Type: o.typeName(), Disposition: d, Effect: effect, Source: o.source(""), Affects: affects, Role: model.Steers, // inside its cluster
	})
}

func (im *importer) id(kind, namespace, name string) model.ID {
	return model.Kubernetes(im.options.ClusterName, kind, namespace, name)
}

// joinErrors puts errors into the order of their Source; beyond maxErrors it only counts them.
func joinErrors(list []*model.InputError) error {
	slices.SortStableFunc(list, func(a, b *model.InputError) int {
		return cmp.Or(a.Source.Compare(b.Source), strings.Compare(a.Field, b.Field))
	})
	errs := make([]error, 0, min(len(list), maxErrors+1))
	for _, e := range list[:min(len(list), maxErrors)] {
		errs = append(errs, e)
	}
	if more := len(list) - maxErrors; more > 0 {
		last := list[maxErrors]
		errs = append(errs, &model.InputError{Source: last.Source, Err: fmt.Errorf("and %d more errors from here on", more)})
	}
	return errors.Join(errs...)
}
