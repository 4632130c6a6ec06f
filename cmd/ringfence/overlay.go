package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/model"
)

// readOverlay finds what the files of --overlay are.
func (l *loader) readOverlay() {
	l.overlay.manifests = joinedFS{}
	for _, name := range l.c.StringSlice("overlay") {
		dir, base := splitName(name)
		fsys := newInputFS(os.DirFS(dir))
		data, err := fs.ReadFile(fsys, base)
		switch {
		case err != nil:
			l.errs = append(l.errs, usage("--overlay %s: %v", name, errors.Unwrap(err)))
		case kubernetes.Recognise(data):
			l.overlay.names = append(l.overlay.names, l.overlay.manifests.add(fsys, dir, base))
			l.inputs = append(l.inputs, model.InputFile{Path: base, SHA256: fsys.sums[base], Kind: "overlay"})
		case azure.Recognise(data):
			l.overlay.azure = append(l.overlay.azure, azureInput{fsys: fsys, root: dir, paths: []string{base}})
		default:
			l.errs = append(l.errs, &model.InputError{Source: model.Source{File: name}, Found: "neither of these", Accepted: "Azure resources as JSON, or Kubernetes manifests"})
		}
	}
}

// checkOverlay refuses an overlay that lies over nothing.
func (l *loader) checkOverlay() {
	if len(l.overlay.azure) > 0 && len(l.azure) == 0 && !l.overlay.laid {
		l.errs = append(l.errs, usage("--overlay %s: the input holds no Azure resources to lay it over", l.overlay.azure[0].paths[0]))
	}
	if len(l.overlay.names) > 0 && !l.overlay.used && len(l.errs) == 0 {
		l.errs = append(l.errs, usage("--overlay %s: the input holds no Kubernetes manifests to lay it over", l.overlay.names[0]))
	}
}

// overSnapshot lays the files of --overlay over a project that was read from its snapshot.
func (l *loader) overSnapshot(p *model.Project) error {
	if len(l.c.StringSlice("overlay")) == 0 {
		return nil
	}
	l.resources, l.ledger, l.inputs = p.Estate.Resources(), p.Estate.Ledger, p.Inputs
	l.readOverlay()
	if len(l.errs) > 0 {
		return errors.Join(l.errs...)
	}
	l.apart = p.Apart
	l.azureOnto()
	l.manifestsOnto()
	l.checkOverlay()
	if len(l.errs) > 0 {
		return errors.Join(l.errs...)
	}
	estate, err := model.NewEstate(l.resources, l.ledger)
	if err != nil {
		return err
	}
	p.Estate, p.Inputs, p.Apart = estate, l.sortedInputs(), l.apart
	return nil
}

// ofKubernetes reports the ID of a Kubernetes object.
func ofKubernetes(id model.ID) bool { return strings.HasPrefix(string(id), "kubernetes:") }

// azureOnto reads Azure resources over those of a snapshot.
func (l *loader) azureOnto() {
	if len(l.overlay.azure) == 0 || l.lacksApart() {
		return
	}
	all := joinedFS{}
	var over []string
	for _, in := range l.overlay.azure {
		over = append(over, all.add(in.fsys, in.root, in.paths[0]))
	}
	base := azure.Base{Apart: l.apart}
	l.resources = slices.DeleteFunc(slices.Clone(l.resources), func(r model.Resource) bool {
		if ofKubernetes(r.ResourceID()) {
			return false
		}
		base.Resources = append(base.Resources, r)
		return true
	})
	l.ledger = slices.DeleteFunc(slices.Clone(l.ledger), func(e model.LedgerEntry) bool {
		if e.Resource == "" || ofKubernetes(e.Resource) {
			return false
		}
		base.Ledger = append(base.Ledger, e)
		return true
	})
	if l.overlay.laid = len(base.Resources) > 0; !l.overlay.laid {
		return // checkOverlay reports it
	}
	r, err := azure.ImportOnto(base, all, over)
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	l.clustersStay(base.Resources, r.Resources)
	l.resources, l.ledger = append(l.resources, r.Resources...), append(l.ledger, r.Ledger...)
	apart := r.Apart()
	apart.Clusters = l.apart.Clusters
	l.apart = &apart
	var sides []string // an overlay is of the side of what it lies over
	for _, in := range l.inputs {
		if (in.Kind == "azure" || in.Kind == "snapshot") && !slices.Contains(sides, in.Side) {
			sides = append(sides, in.Side)
		}
	}
	for _, f := range r.Files {
		for _, side := range sides {
			l.inputs = append(l.inputs, model.InputFile{Path: f, SHA256: all[f].fsys.sums[all[f].name], Kind: "overlay", Side: side})
		}
	}
}

// clustersStay refuses a cluster that the manifests of a snapshot might belong to, and gives one that is replaced the engine that was stated.
func (l *loader) clustersStay(before, after []model.Resource) {
	old := map[string]bool{}
	for _, r := range before {
		old[r.ResourceID().Key()] = true
	}
	for _, r := range after {
		c, ok := r.(*model.Cluster)
		if !ok || len(l.apart.Clusters) == 0 {
			continue
		}
		if !old[c.ID.Key()] {
			l.errs = append(l.errs, &model.InputError{
				Source: c.Source, Resource: c.ID, Field: "id", Found: string(c.ID),
				Accepted: "a cluster that the snapshot holds: its manifests were read for another, or for none; lay a new one over the project's sources",
			})
		}
		for _, a := range l.apart.Clusters {
			if a.Cluster.Key() == c.ID.Key() && a.Engine != "" && c.Policy == "" && c.DataPlane == "" {
				c.Engine = a.Engine
			}
		}
	}
}

// lacksApart reports a snapshot that nothing can be laid over.
func (l *loader) lacksApart() bool {
	if l.apart == nil {
		l.errs = append(l.errs, usage("--overlay: the snapshot does not hold what its objects say by themselves; write it again with `ringfence import`"))
	}
	return l.apart == nil
}

// manifestsOnto reads manifests over the objects of a snapshot, of each cluster.
func (l *loader) manifestsOnto() {
	if len(l.overlay.names) == 0 || l.lacksApart() {
		return
	}
	clusters := slices.Clone(l.apart.Clusters)
	for i := range clusters {
		l.overlay.used = true
		base := kubernetes.Base{Apart: clusters[i]}
		l.resources = slices.DeleteFunc(slices.Clone(l.resources), func(r model.Resource) bool {
			_, cluster := r.(*model.Cluster)
			if cluster || !base.Holds(r.ResourceID()) {
				return false
			}
			base.Resources = append(base.Resources, r)
			return true
		})
		l.ledger = slices.DeleteFunc(slices.Clone(l.ledger), func(e model.LedgerEntry) bool {
			if !base.Holds(e.Resource) {
				return false
			}
			base.Ledger = append(base.Ledger, e)
			return true
		})
		r, err := kubernetes.ImportOnto(base, kubernetes.Options{Over: l.overlay.manifests, OverPaths: l.overlay.names})
		if err != nil {
			l.errs = append(l.errs, err)
			return
		}
		l.resources, l.ledger = append(l.resources, r.Resources...), append(l.ledger, r.Ledger...)
		clusters[i] = r.Apart()
		clusters[i].Engine = base.Apart.Engine
	}
	apart := *l.apart
	apart.Clusters = clusters
	l.apart = &apart
}

// addApart adds what the objects of a snapshot, or of sources, say by themselves.
func (l *loader) addApart(a model.Apart) {
	if l.apart == nil {
		l.apart = &model.Apart{}
	}
	sum := *l.apart
	sum.Read = model.Hold(slices.Concat(sum.Read.Held(), a.Read.Held()))
	sum.Claims = slices.Concat(sum.Claims, a.Claims)
	sum.Clusters = slices.Clone(sum.Clusters)
	for _, c := range a.Clusters {
		same := func(x model.ApartCluster) bool { return x.Cluster.Key() == c.Cluster.Key() && x.Name == c.Name }
		if i := slices.IndexFunc(sum.Clusters, same); i >= 0 {
			sum.Clusters[i].Objects = slices.Concat(sum.Clusters[i].Objects, c.Objects)
			continue
		}
		sum.Clusters = append(sum.Clusters, c)
	}
	l.apart = &sum
}
