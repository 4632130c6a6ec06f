package kubernetes

import (
	"bytes"
	"io/fs"
	"regexp"
	"runtime"
	"unicode/utf8"

	"github.com/ringfence/ringfence/model"
)

// Documents is what the bytes of one file hold, parsed and not yet imported.
type Documents struct {
	docs  documents
	size  int
	text  bool // valid UTF-8: other files are parsed, to be recognised, and refused
	meant bool // not every document can be read, and some says that it is a manifest
}

// Parse reads the documents of a file. It may be called for several files at once.
func Parse(name string, data []byte) *Documents {
	if len(data) > maxFile {
		return &Documents{docs: documents{errs: []*model.InputError{tooLarge(model.Source{File: name})}}, size: len(data), text: true, meant: meant(data)}
	}
	d := &Documents{docs: readDocuments(name, bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))), size: len(data), text: utf8.Valid(data)}
	d.meant = len(d.docs.errs) > 0 && meant(data)
	return d
}

// meant reports whether a text says of itself that it is a manifest: its apiVersion is no date, as one of Azure would be.
func meant(data []byte) bool {
	return regexp.MustCompile(`(?m)^[ \t{]*"?apiVersion"?[ \t]*:[ \t]*["']?([a-z0-9.-]+/)?v[0-9]`).Match(data) && regexp.MustCompile(`(?m)^[ \t{]*"?kind"?[ \t]*:[ \t]*["']?[A-Z]`).Match(data)
}

// Manifests reports whether a file holds Kubernetes manifests: at least one object or list, or what was meant to be one and cannot be read.
// Whoever imports such a file is told what is wrong with the rest of it; a file that was passed over could hold a policy.
func (d *Documents) Manifests() bool {
	return d.meant || len(d.docs.objects)+d.docs.lists > 0
}

// Size is the length of the text that the documents were parsed from, in bytes. They take about 30 times as much memory.
func (d *Documents) Size() int { return d.size }

// Perhaps reports whether bytes may be manifests, at no cost: most files that are none end here.
func Perhaps(data []byte) bool {
	return bytes.Contains(data, []byte("apiVersion")) && bytes.Contains(data, []byte("kind"))
}

// Recognise reports whether bytes are Kubernetes manifests.
func Recognise(data []byte) bool { return Perhaps(data) && Parse("", data).Manifests() }

// parseAhead parses files while earlier ones are imported. Each call of the result waits for the next file in their order. Files are read
// one after the other; a few are parsed at a time, and none beside a large one.
func parseAhead(fsys fs.FS, files []inputFile, parsed map[string]*Documents) func() (documents, *model.InputError) {
	type result struct {
		docs documents
		err  *model.InputError
	}
	const large = 4 << 20
	var waiting []chan result
	started, held := 0, 0
	start := func() {
		f := files[started]
		started++
		out := make(chan result, 1)
		waiting = append(waiting, out)
		if d, ok := parsed[f.name]; ok && d.text {
			delete(parsed, f.name) // the importer is done with it soon
			out <- result{docs: d.docs}
			return
		}
		data, err := readFile(fsys, f.name)
		if err != nil || isKustomization(f.name) {
			out <- result{err: err}
			return
		}
		if len(data) > large {
			held = large
		}
		go func() { out <- result{docs: readDocuments(f.name, data)} }()
	}
	return func() (documents, *model.InputError) {
		for started < len(files) && (len(waiting) == 0 || held == 0 && len(waiting) < 4*runtime.GOMAXPROCS(0)) {
			start()
		}
		out := <-waiting[0]
		if waiting = waiting[1:]; len(waiting) == 0 {
			held = 0
		}
		return out.docs, out.err
	}
}
