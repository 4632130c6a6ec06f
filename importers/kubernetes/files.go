package kubernetes

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ringfence/ringfence/model"
)

const (
	maxFile  = 128 << 20
	maxFiles = 50_000
)

// inputFile is a file to read; one that was named itself must hold an object.
type inputFile struct {
	name  string
	named bool
}

// collect lists the files behind paths, each once, in the order of their names.
func (im *importer) collect(fsys fs.FS, paths []string) []inputFile {
	named := map[string]bool{}
	for _, given := range paths {
		p := path.Clean(filepath.ToSlash(given))
		if given == "" {
			im.fail(&model.InputError{Source: model.Source{File: p}, Found: "an empty path", Accepted: "a path inside the project, without `..`"})
			continue
		}
		if !fs.ValidPath(p) {
			im.fail(&model.InputError{Source: model.Source{File: given}, Accepted: "a path inside the project, without `..`"})
			continue
		}
		info, err := fs.Stat(fsys, p)
		if err != nil {
			im.fail(&model.InputError{Source: model.Source{File: p}, Err: plainError(err)})
			continue
		}
		if !info.IsDir() {
			named[p] = true
			continue
		}
		if !im.walk(fsys, p, named) {
			im.fail(&model.InputError{Source: model.Source{File: p}, Accepted: "a folder with at least one *.yaml, *.yml or *.json file"})
		}
	}
	files := make([]inputFile, 0, len(named))
	for name, n := range named {
		files = append(files, inputFile{name, n})
	}
	slices.SortFunc(files, func(a, b inputFile) int { return cmp.Compare(a.name, b.name) })
	return files
}

// walk adds the manifest files of a folder and reports whether it met one, or an error. Links to files are read; a link to a folder is an error, because leaving out what lies
// behind it could leave out a policy, and following it might never end.
func (im *importer) walk(fsys fs.FS, root string, files map[string]bool) bool {
	errs, found := len(im.errs), false
	err := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			im.fail(&model.InputError{Source: model.Source{File: p}, Err: plainError(err)})
			return nil
		}
		if p != root && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		if d.Type()&fs.ModeSymlink != 0 {
			info, err := fs.Stat(fsys, p)
			switch {
			case err != nil:
				if !manifestName(d.Name()) {
					return nil
				}
				im.fail(&model.InputError{Source: model.Source{File: p}, Err: plainError(err)})
				return nil
			case info.IsDir():
				im.fail(&model.InputError{Source: model.Source{File: p}, Found: "a link to a folder", Accepted: "the folder itself among the inputs"})
				return nil
			}
		}
		if !manifestName(d.Name()) {
			return nil
		}
		if len(files) >= maxFiles {
			im.fail(&model.InputError{Source: model.Source{File: root}, Found: "too many files", Accepted: fmt.Sprintf("at most %d", maxFiles)})
			return fs.SkipAll
		}
		if !files[p] { // not named itself
			files[p] = false
		}
		found = true
		return nil
	})
	if err != nil {
		im.fail(&model.InputError{Source: model.Source{File: root}, Err: plainError(err)})
	}
	return found || len(im.errs) > errs
}

func manifestName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	default:
		return name == "Kustomization"
	}
}

// plainError drops the path that the file system put into its message: the Source says it already.
func plainError(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("cannot be read: %w", pe.Err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}

// read imports one file and reports whether its bytes could be read.
func (im *importer) read(fsys fs.FS, f inputFile, parsed func() (documents, *model.InputError)) bool {
	docs, err := parsed()
	if err != nil {
		im.fail(err)
		return false
	}
	if isKustomization(f.name) { // builds took out those that can be built
		e := readKustomization(fsys, path.Dir(f.name)).refused
		if f.named || e == nil {
			im.fail(cmp.Or(e, &model.InputError{Source: model.Source{File: f.name, Line: 1}, Accepted: "a kustomization that takes in what can be built"}))
			return true
		}
		im.unbuilt(f, "", 1, "", "", "not built ("+cmp.Or(e.Field+": ", "")+"want "+e.Accepted+"): the objects that it patches or adds are not in the model")
		return true
	}
	for _, e := range docs.errs {
		im.fail(e)
	}
	if len(docs.objects) > 0 {
		// A document that is no object is a mistake where the others are: it may be a policy whose first lines were lost.
		for _, s := range docs.strays {
			im.fail(&model.InputError{Source: model.Source{File: f.name, Line: s.line}, Found: s.what, Accepted: "an object with apiVersion and kind"})
		}
		for i, o := range docs.objects {
			im.object(o)
			docs.objects[i] = nil // a long list is never all trees of nodes at once
		}
		return true
	}
	if len(docs.errs) > 0 {
		return true
	}
	switch {
	case isChart(f.name, docs):
		im.unbuilt(f, "", 1, "a Helm chart", "the manifests that `helm template` makes of it",
			"charts are rendered by another step: the objects of this one are not in the model")
	case f.named && docs.lists == 0: // `kubectl get` of nothing prints an empty list
		what := "no object"
		if len(docs.strays) > 0 {
			what = docs.strays[0].what
		}
		im.fail(&model.InputError{Source: model.Source{File: f.name, Line: 1}, Found: what, Accepted: "at least one Kubernetes object with apiVersion and kind"})
	default:
		im.ledger = append(im.ledger, model.LedgerEntry{
			Disposition: model.Irrelevant, Effect: "holds no Kubernetes object", Source: model.Source{File: f.name, Line: 1},
		})
	}
	return true
}

// isChart recognises Chart.yaml of Helm, which has an apiVersion (v1, v2) and no kind.
func isChart(name string, docs documents) bool {
	return path.Base(name) == "Chart.yaml" && len(docs.strays) == 1 && docs.strays[0].chart
}

// unbuilt is a file from which another program makes manifests.
func (im *importer) unbuilt(f inputFile, typeName string, line int, what, accepted, effect string) {
	src := model.Source{File: f.name, Line: line}
	if f.named {
		im.fail(&model.InputError{Source: src, Found: what, Accepted: accepted})
		return
	}
	im.ledger = append(im.ledger, model.LedgerEntry{
		Type: typeName, Disposition: model.Unsupported, Effect: effect, Source: src, Affects: []model.ID{im.options.Cluster}, Role: model.Steers,
	})
}

func readFile(fsys fs.FS, name string) ([]byte, *model.InputError) {
	src := model.Source{File: name}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, &model.InputError{Source: src, Err: plainError(err)}
	}
	if !info.Mode().IsRegular() {
		return nil, &model.InputError{Source: src, Found: "no regular file", Accepted: "a file or a folder"}
	}
	if info.Size() > maxFile {
		return nil, tooLarge(src)
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, &model.InputError{Source: src, Err: plainError(err)}
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		return nil, &model.InputError{Source: src, Err: plainError(err)}
	case len(data) > maxFile:
		return nil, tooLarge(src)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // a byte order mark, as Windows editors write it
	if !utf8.Valid(data) {
		return nil, &model.InputError{Source: src, Found: "bytes that are no UTF-8", Accepted: "a text file in UTF-8"}
	}
	return data, nil
}

func tooLarge(src model.Source) *model.InputError {
	return &model.InputError{Source: src, Found: "a larger file", Accepted: fmt.Sprintf("at most %d MiB; split the file", maxFile>>20)}
}
