package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"

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
	if len(l.overlay.azure) > 0 && len(l.azure) == 0 && !l.snapshots {
		l.errs = append(l.errs, usage("--overlay %s: the input holds no Azure resources to lay it over", l.overlay.azure[0].paths[0]))
	}
	if len(l.overlay.names) > 0 && !l.overlay.used && !l.snapshots {
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
	l.azureOnto()
	l.policiesOnto()
	if len(l.errs) > 0 {
		return errors.Join(l.errs...)
	}
	estate, err := model.NewEstate(l.resources, l.ledger)
	if err != nil {
		return err
	}
	p.Estate, p.Inputs = estate, l.sortedInputs()
	return nil
}

func (l *loader) azureOnto() {
	if len(l.overlay.azure) == 0 {
		return
	}
	all := joinedFS{}
	var over []string
	for _, in := range l.overlay.azure {
		over = append(over, all.add(in.fsys, in.root, in.paths[0]))
	}
	r, err := azure.ImportOnto(azure.Base{Resources: l.resources, Ledger: l.ledger}, all, over)
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	l.resources, l.ledger = r.Resources, r.Ledger
	for _, f := range r.Files {
		l.inputs = append(l.inputs, model.InputFile{Path: f, SHA256: all[f].fsys.sums[all[f].name], Kind: "overlay"})
	}
}

// policiesOnto reads policies of Kubernetes over those of a snapshot. Other objects say what their neighbours are read by (labels that matter,
// owners, namespaces), so that they lie over manifests alone.
func (l *loader) policiesOnto() {
	if len(l.overlay.names) == 0 {
		return
	}
	cluster, err := l.clusterFor(manifestInput{})
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	r, err := kubernetes.Import(l.overlay.manifests, l.overlay.names, kubernetes.Options{Cluster: cluster.ID, ClusterName: cluster.Name()})
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	at := map[string]int{}
	for i, x := range l.resources {
		at[x.ResourceID().Key()] = i
	}
	replaced := map[string]bool{}
	for _, x := range r.Resources {
		i, there := at[x.ResourceID().Key()]
		switch x := x.(type) {
		case *model.NetworkPolicy, *model.ClusterPolicy, *model.CiliumPolicy, *model.CalicoPolicy, *model.AuthorizationPolicy, *model.PeerAuthentication:
			replaced[x.ResourceID().Key()] = true
		case *model.Namespace:
			if there && !x.Declared {
				continue // of a policy: the snapshot knows it
			}
			if !x.Declared {
				break
			}
			l.errs = append(l.errs, notOnto(x))
			continue
		default:
			l.errs = append(l.errs, notOnto(x))
			continue
		}
		if there {
			l.resources[i] = x
		} else {
			l.resources = append(l.resources, x)
		}
	}
	l.ledger = slices.DeleteFunc(slices.Clone(l.ledger), func(e model.LedgerEntry) bool { return replaced[e.Resource.Key()] })
	l.ledger = append(l.ledger, r.Ledger...)
}

func notOnto(x model.Resource) error {
	return &model.InputError{
		Source: x.Origin(), Resource: x.ResourceID(), Found: "an object that is no policy",
		Accepted: "policies: other objects lie over the project's sources alone, not over a snapshot",
	}
}
