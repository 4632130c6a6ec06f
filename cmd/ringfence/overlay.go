package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

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
	if len(l.overlay.azure) > 0 && len(l.azure) == 0 {
		l.errs = append(l.errs, usage("--overlay %s: the input holds no Azure resources to lay it over", l.overlay.azure[0].paths[0]))
	}
	if len(l.overlay.names) > 0 && !l.overlay.used {
		l.errs = append(l.errs, usage("--overlay %s: the input holds no Kubernetes manifests to lay it over", l.overlay.names[0]))
	}
}

// snapshotOverlay refuses --overlay on a snapshot: which file a rule stood in is known there, and its text is not.
func (l *loader) snapshotOverlay() error {
	if list := l.c.StringSlice("overlay"); len(list) > 0 {
		return fmt.Errorf("--overlay %s: an overlay lies over sources, not over a snapshot; name the project's folder", list[0])
	}
	return nil
}
