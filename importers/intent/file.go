package intent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/ringfence/ringfence/model"
)

const (
	folder    = "ringfence.d" // beside ringfence.yaml: one file a team
	maxBytes  = 4 << 20       // of one file
	maxTotal  = 16 << 20      // of all files
	maxFiles  = 256
	maxDepth  = 32 // of YAML nesting; the deepest field of the format is at 8
	maxValues = 500_000
	maxErrors = 1000
)

// File is what ringfence.yaml and the files of ringfence.d state.
type File struct {
	Intent model.Intent
	Inputs []Input
	Paths  []string // the files that were read, ringfence.yaml first
}

// InputKind is the key under which an input is listed.
type InputKind string

const (
	InputAzure       InputKind = "azure"
	InputARM         InputKind = "arm"
	InputTerraform   InputKind = "terraform"
	InputKubernetes  InputKind = "kubernetes"
	InputServiceTags InputKind = "serviceTags"
	InputSnapshot    InputKind = "snapshot"
)

// InputKinds lists the kinds in the order of docs/intent.md.
func InputKinds() []InputKind {
	return []InputKind{InputAzure, InputARM, InputTerraform, InputKubernetes, InputServiceTags, InputSnapshot}
}

// Input is one entry of `inputs`. Its paths are as written: relative to the folder of ringfence.yaml, whichever file states them.
type Input struct {
	Source     model.Source
	Kind       InputKind
	Paths      []string // files, folders and globs
	Parameters []string // arm: parameter files
	Scope      Scope    // arm: where the template is deployed
	Cluster    string   // kubernetes: the managedClusters resource; empty where there is one
	Engine     string   // kubernetes: azure, calico, cilium, none or a name; empty where the cluster resource says it
	Side       string   // desired or deployed; terraform also before or after; empty where the file does not say
}

// Scope is where an ARM template is deployed.
type Scope struct {
	Source                                model.Source
	Subscription, ResourceGroup, Location string
}

// Import reads the intent file at name and the files of ringfence.d beside it.
func Import(fsys fs.FS, name string) (*File, error) {
	r := newReader()
	r.readFile(fsys, name, false)
	for _, f := range r.fragments(fsys, path.Join(path.Dir(name), folder)) {
		if r.full {
			break
		}
		r.readFile(fsys, f, true)
	}
	if !r.full { // a file that was not read to its end proves nothing about what it lacks
		r.check()
	}
	if len(r.errs) == 0 {
		return r.out, nil
	}
	slices.SortStableFunc(r.errs, func(a, b *model.InputError) int { return a.Source.Compare(b.Source) })
	errs := make([]error, len(r.errs))
	for i, e := range r.errs {
		errs[i] = e
	}
	return nil, errors.Join(errs...)
}

func newReader() *reader {
	return &reader{
		out: &File{}, claimed: map[string]model.Source{},
		glob: regexp.MustCompile(globPattern), name: regexp.MustCompile(namespacePattern),
	}
}

// fragments lists the YAML files of ringfence.d by name; that there is no such folder is no error.
func (r *reader) fragments(fsys fs.FS, dir string) []string {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			r.unreadable(dir, err)
		}
		return nil
	}
	var files []string
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch path.Ext(e.Name()) {
		case ".yaml":
			files = append(files, name)
		case ".yml": // to leave it out without a word would drop what a team states
			r.errs = append(r.errs, &model.InputError{Source: model.Source{File: name}, Err: errors.New("would not be read: files of " + folder + " end in .yaml")})
		default:
		}
	}
	if len(files) >= maxFiles {
		r.errs = append(r.errs, &model.InputError{Source: model.Source{File: dir}, Found: strconv.Itoa(len(files)), Accepted: fmt.Sprintf("less than %d files", maxFiles)})
		return nil
	}
	return files
}

// readFile reads one file into the result.
func (r *reader) readFile(fsys fs.FS, name string, fragment bool) {
	r.file, r.fragment = name, fragment
	r.out.Paths = append(r.out.Paths, name)
	data, err := load(fsys, name)
	if err != nil {
		r.unreadable(name, err)
		return
	}
	if r.bytes += len(data); r.bytes > maxTotal {
		r.errs = append(r.errs, &model.InputError{Source: model.Source{File: name}, Err: fmt.Errorf("is not read: the intent files together are larger than %d MiB", maxTotal>>20)})
		r.full = true
		return
	}
	root, fault := parse(name, data)
	if fault != nil {
		r.errs = append(r.errs, fault)
		return
	}
	r.root(value{node: root, line: root.Line})
}

// unreadable reports that a file or folder could not be read; the system's error goes without the path, which the place says.
func (r *reader) unreadable(name string, err error) {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	r.errs = append(r.errs, &model.InputError{Source: model.Source{File: name}, Err: fmt.Errorf("cannot be read: %w", err)})
}

func load(fsys fs.FS, name string) (data []byte, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if data, err = io.ReadAll(io.LimitReader(f, maxBytes+1)); err != nil {
		return nil, err
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("it is larger than %d MiB", maxBytes>>20)
	}
	return data, nil
}

// parse returns the one value of a YAML file.
func parse(name string, data []byte) (*yaml.Node, *model.InputError) {
	fail := func(line int, err error) *model.InputError {
		return &model.InputError{Source: model.Source{File: name, Line: line}, Err: err}
	}
	// The YAML package reports these two without a line.
	if at := unreadable(data); at >= 0 {
		err := errors.New("want text without control characters")
		if !utf8.Valid(data) {
			err = errors.New("want UTF-8 text")
		}
		return nil, fail(1+bytes.Count(data[:at], []byte{'\n'}), err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fail(1, errors.New("the file is empty: want a mapping that begins with `ringfence: v1`"))
		}
		line, text := syntaxError(err, data)
		return nil, fail(line, fmt.Errorf("is no valid YAML: %s", text))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			line, text := syntaxError(err, data)
			return nil, fail(line, fmt.Errorf("is no valid YAML: %s", text))
		}
		return nil, fail(second.Line, errors.New("a second document begins: want one document a file"))
	}
	root := document.Content[0] // a document has one value, by the grammar
	if line := tooDeep(root, maxDepth); line > 0 {
		return nil, fail(line, fmt.Errorf("is nested too deep: want at most %d levels", maxDepth))
	}
	return root, nil
}

// unreadable returns the offset of the first byte that YAML does not take as text, or -1.
func unreadable(data []byte) int {
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		switch {
		case c == utf8.RuneError && size == 1,
			c < ' ' && c != '\t' && c != '\n' && c != '\r',
			c >= 0x7f && c < 0xa0 && c != 0x85,
			c == 0xfeff && i > 0, // a byte order mark, where it marks nothing
			c == 0xfffe, c == 0xffff:
			return i
		default:
		}
		i += size
	}
	return -1
}

// syntaxError takes the line out of an error of the YAML package, and the text without it.
func syntaxError(err error, data []byte) (int, string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line, counted := 1, false // the package leaves out the line when it is the first
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, message, found := strings.Cut(rest, ": "); found {
			if n, atoiErr := strconv.Atoi(number); atoiErr == nil {
				line, text, counted = n, message, true
			}
		}
	}
	// The package counts lines from 0 in the errors of its grammar, from 1 in those of its scanner; it has no type that tells them apart.
	switch {
	case text == "did not find expected key", text == "did not find expected node content", text == "did not find expected '-' indicator",
		text == "did not find expected ',' or ']'", text == "did not find expected ',' or '}'", text == "did not find expected <document start>",
		text == "found undefined tag handle":
		if counted {
			line++
		}
	case strings.HasPrefix(text, "unknown anchor"): // comes without a line
		if _, rest, ok := strings.Cut(text, "'"); ok {
			anchor, _, _ := strings.Cut(rest, "'")
			if at := bytes.Index(data, []byte("*"+anchor)); at >= 0 {
				line = 1 + bytes.Count(data[:at], []byte{'\n'})
			}
		}
		text = "an alias (`*name`) names no anchor (`&name`) before it; a text that begins with `*` needs quotes"
	default:
	}
	return min(line, 1+bytes.Count(data, []byte{'\n'})), text
}

// tooDeep returns the line of the first value that lies more than depth levels down, or 0. Aliases are not followed: the reader
// goes down only where the format has a level, so that no alias can lead it on.
func tooDeep(n *yaml.Node, depth int) int {
	if depth == 0 {
		return n.Line
	}
	for _, c := range n.Content {
		if line := tooDeep(c, depth-1); line > 0 {
			return line
		}
	}
	return 0
}
