package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/importers/snapshot"
	"github.com/ringfence/ringfence/model"
)

// maxStdin bounds what is read from standard input.
const maxStdin = 256 << 20

// adHoc reads inputs without an intent file: each file is recognised by its content. A file that was named itself and is none of the
// known kinds is an error; in a folder it is listed on stderr.
func (l *loader) adHoc(names []string) (*model.Project, error) {
	type source struct {
		fsys   *inputFS
		root   string
		azure  []string
		kube   []string
		parsed map[string]*kubernetes.Documents
	}
	var sources []source
	keep := 0
	for _, name := range names {
		s := source{parsed: map[string]*kubernetes.Documents{}}
		take := func(file string, named bool, data []byte, docs *kubernetes.Documents) {
			switch {
			case snapshot.Recognise(data):
				l.snapshot(s.fsys, file, "")
			case docs != nil && docs.Manifests(), kubernetes.Kustomization(file):
				s.kube = append(s.kube, file)
				if docs == nil {
					break
				}
				if keep += docs.Size(); keep <= maxParsed {
					s.parsed[file] = docs
				}
			case azure.Recognise(data):
				s.azure = append(s.azure, file)
			case looksLikeTags(data):
				l.serviceTags(s.fsys, file)
			case named:
				l.errs = append(l.errs, &model.InputError{
					Source: model.Source{File: file}, Found: "neither of these",
					Accepted: "Azure resources as JSON, Kubernetes manifests, a service-tag file or a snapshot",
				})
			default:
				fmt.Fprintf(l.c.App.ErrWriter, "ringfence: %s is no input: neither Azure resources, Kubernetes manifests, service tags nor a snapshot\n", file)
			}
		}
		if name == "-" {
			data, err := io.ReadAll(io.LimitReader(l.c.App.Reader, maxStdin+1))
			switch {
			case err != nil:
				return nil, fmt.Errorf("read standard input: %w", err)
			case len(data) > maxStdin:
				return nil, &model.InputError{Source: model.Source{File: "stdin"}, Found: "more text", Accepted: fmt.Sprintf("at most %d MiB; several files in its place", maxStdin>>20)}
			}
			s.fsys = newInputFS(fstest.MapFS{"stdin": &fstest.MapFile{Data: data}})
			l.parse(s.fsys, []string{"stdin"}, true, take)
			sources = append(sources, s)
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			l.errs = append(l.errs, usage("-i %s: %v", name, errors.Unwrap(err)))
			continue
		}
		dir, base := name, "."
		if !info.IsDir() {
			dir, base = splitName(name)
		}
		if above, inside, ok := kustomized(name, info.IsDir()); ok {
			dir, base = above, inside
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", name, err)
		}
		defer root.Close()
		s.fsys, s.root = newInputFS(root.FS()), dir
		if !info.IsDir() {
			s.fsys = newInputFS(os.DirFS(dir)) // a file that was named may be a link to another folder
			l.parse(s.fsys, []string{base}, true, take)
			sources = append(sources, s)
			continue
		}
		var files []string
		err = fs.WalkDir(s.fsys, base, func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !strings.HasPrefix(path.Base(file), ".") && inputName(file) {
				files = append(files, file)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		slices.Sort(files)
		l.parse(s.fsys, files, false, take)
		if len(files) == 0 {
			l.errs = append(l.errs, usage("-i %s: the folder holds no .json, .yaml or .yml file", name))
		}
		sources = append(sources, s)
	}
	for _, s := range sources {
		if len(s.azure) > 0 {
			l.azure = append(l.azure, azureInput{fsys: s.fsys, root: s.root, paths: s.azure})
		}
		if len(s.kube) > 0 {
			l.manifests = append(l.manifests, manifestInput{fsys: s.fsys, paths: s.kube, parsed: s.parsed})
		}
	}
	if l.c.String("service-tags") != "" {
		l.tagFile(l.c.String("service-tags"))
	}
	return l.finish(nil)
}

// maxParsed is how many bytes of manifests are kept parsed until they are imported; others are parsed again.
const maxParsed = 8 << 20

// parse reads files and parses what may be manifests, some at a time, and calls take for each in their order.
func (l *loader) parse(fsys *inputFS, files []string, named bool, take func(file string, named bool, data []byte, docs *kubernetes.Documents)) {
	const some = 4 << 20
	for len(files) > 0 {
		var texts [][]byte
		var docs []*kubernetes.Documents
		var wait sync.WaitGroup
		free := make(chan struct{}, runtime.GOMAXPROCS(0))
		n, size := 0, 0
		for ; n < len(files) && size < some; n++ {
			data, err := fs.ReadFile(fsys, files[n])
			if err != nil {
				l.errs = append(l.errs, fmt.Errorf("read %s: %w", files[n], err))
			}
			size += len(data)
			texts = append(texts, data)
		}
		docs = make([]*kubernetes.Documents, n)
		for i, data := range texts {
			if kubernetes.Perhaps(data) {
				free <- struct{}{}
				wait.Go(func() {
					docs[i] = kubernetes.Parse(files[i], data)
					<-free
				})
			}
		}
		wait.Wait()
		for i, data := range texts {
			if data != nil {
				take(files[i], named, data, docs[i])
			}
		}
		files = files[n:]
	}
}

// kustomized reports whether an input is a kustomization that takes in what lies outside its folder. It returns the folder that holds
// all of it, and what was named, seen from there.
func kustomized(name string, folder bool) (root, inside string, ok bool) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", "", false
	}
	dir := abs
	if !folder {
		dir = filepath.Dir(abs)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return kubernetes.Kustomization(e.Name()) && (folder || e.Name() == filepath.Base(abs))
	}) {
		return "", "", false
	}
	volume := filepath.VolumeName(abs) + string(filepath.Separator)
	from := filepath.ToSlash(strings.TrimPrefix(dir, volume))
	above := kubernetes.KustomizationRoot(os.DirFS(volume), from)
	if above == from {
		return "", "", false
	}
	root = filepath.Join(volume, filepath.FromSlash(above))
	inside, err = filepath.Rel(root, abs)
	return root, filepath.ToSlash(inside), err == nil
}

func inputName(file string) bool {
	f := strings.ToLower(strings.TrimSuffix(strings.ToLower(file), ".gz"))
	return kubernetes.Kustomization(file) || strings.HasSuffix(f, ".json") || strings.HasSuffix(f, ".yaml") || strings.HasSuffix(f, ".yml") || strings.HasSuffix(f, ".ndjson")
}

// looksLikeTags recognises a published service-tag file by its first keys.
func looksLikeTags(data []byte) bool {
	head := string(data[:min(len(data), 4096)])
	return strings.Contains(head, `"changeNumber"`) && strings.Contains(head, `"values"`)
}
