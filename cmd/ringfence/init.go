package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/importers/snapshot"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci/propose"
)

func initCommand() *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "write a first ringfence.yaml for a folder of exports or a snapshot: zones, assertions, and a stub for each rule that needs a reason", ArgsUsage: "[FOLDER|SNAPSHOT]",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "i", Usage: "take `FILE|DIR` of the folder as input, and nothing else (repeatable; default: all that the folder holds)"},
			&cli.StringFlag{Name: "cluster", Usage: "`CLUSTER` that the manifests run on, where the input has several"},
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the project (default: that of the folder)"},
			&cli.BoolFlag{Name: "force", Usage: "write over a ringfence.yaml that exists"},
			&cli.BoolFlag{Name: "stdout", Usage: "print it, write nothing"},
		},
		Action: runInit,
	}
}

func runInit(c *cli.Context) error {
	if err := noMore(c, 1); err != nil {
		return err
	}
	if c.Bool("stdout") && c.Bool("force") {
		return usage("--stdout writes nothing that --force could write over: they exclude each other")
	}
	dir, named, err := initFolder(c)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open the folder: %w", err)
	}
	defer root.Close()
	// Before anything is read: a run that cannot write should not take its time.
	if err = unwritten(c, root); err != nil {
		return err
	}
	inputs, err := findInputs(c, root.FS(), dir, named)
	if err != nil {
		return err
	}
	p, err := projectOf(c, root.FS(), dir, propose.Inputs(inputs))
	if err != nil {
		return fmt.Errorf("%w\n%s is read as one estate; -i takes parts of it, --cluster says where the manifests run", err, dir)
	}
	d, err := propose.Intent(p)
	switch {
	case errors.Is(err, propose.ErrNothing):
		return usage("`%s`: %v", dir, err)
	case err != nil:
		return err
	}
	name := c.String("name")
	if name == "" {
		abs, bad := filepath.Abs(dir)
		if bad != nil {
			return fmt.Errorf("find the folder: %w", bad)
		}
		name = filepath.Base(abs)
	}
	data := d.YAML(name, inputs)
	// What is written must be read again, whatever the names in it are.
	if _, err = intent.Import(fstest.MapFS{intentName: {Data: data}}, intentName); err != nil {
		return fmt.Errorf("the draft cannot be read, please report this input: %w", err)
	}
	if c.Bool("stdout") {
		_, err = c.App.Writer.Write(data)
		return err
	}
	if err = unwritten(c, root); err != nil { // somebody may have written one since
		return err
	}
	if err = replaceIn(root, intentName, data); err != nil {
		return err
	}
	at := filepath.Join(dir, intentName)
	fmt.Fprintf(c.App.ErrWriter, "ringfence: wrote %s: %s, %s, %s that need a reason\n", at, several(len(d.Intent.Zones), "zone"),
		several(len(d.Intent.Assertions), "assertion"), several(len(d.Intent.Justifications), "rule"))
	for _, l := range d.Left {
		fmt.Fprintf(c.App.ErrWriter, "ringfence: left out: %s\n", model.Visible(l))
	}
	fmt.Fprintf(c.App.ErrWriter, "ringfence: read its zones, then run: ringfence verify %s\n", dir)
	return nil
}

func several(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// initFolder is the folder of the command line, and what of it shall be read; nil: all of it. A snapshot stands for its folder.
func initFolder(c *cli.Context) (dir string, named []string, err error) {
	if dir = c.Args().First(); dir == "" {
		dir = "."
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, usage("there is no folder or snapshot `%s`", dir)
	case err != nil:
		return "", nil, fmt.Errorf("read the folder: %w", err)
	case !info.IsDir() && len(c.StringSlice("i")) > 0:
		return "", nil, usage("`%s` is a file; -i names files of a folder", dir)
	case !info.IsDir():
		from, base := splitName(dir)
		head, bad := firstBytes(os.DirFS(from), base)
		if bad != nil {
			return "", nil, fmt.Errorf("read the snapshot: %w", bad)
		}
		if !snapshot.Recognise(head) {
			return "", nil, usage("`%s` is a file and no snapshot; want a folder of exports or a snapshot", dir)
		}
		return filepath.Clean(from), []string{base}, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, fmt.Errorf("find the folder: %w", err)
	}
	for _, name := range c.StringSlice("i") {
		full, bad := filepath.Abs(name)
		if bad != nil {
			return "", nil, fmt.Errorf("find %s: %w", name, bad)
		}
		inside, bad := filepath.Rel(abs, full)
		if bad != nil || !filepath.IsLocal(inside) {
			return "", nil, usage("-i %s: want a file or folder inside `%s`, where ringfence.yaml will stand", name, dir)
		}
		if _, bad = os.Stat(full); bad != nil {
			return "", nil, usage("-i %s: %v", name, errors.Unwrap(bad))
		}
		named = append(named, filepath.ToSlash(inside))
	}
	return dir, named, nil
}

// unwritten refuses to write over what people wrote.
func unwritten(c *cli.Context, root *os.Root) error {
	if c.Bool("stdout") {
		return nil
	}
	if _, err := root.Lstat(intentName); err == nil && !c.Bool("force") {
		return usage("%s exists already; --force writes over it, --stdout prints", filepath.Join(root.Name(), intentName))
	}
	parts, err := fs.Glob(root.FS(), "ringfence.d/*.yaml")
	if err != nil {
		return fmt.Errorf("read ringfence.d: %w", err)
	}
	if len(parts) > 0 {
		return usage("%s holds parts of an intent file already, such as %s: what init writes would say the same things again; move them away", filepath.Join(root.Name(), "ringfence.d"), path.Base(parts[0]))
	}
	return nil
}

// projectOf reads a folder as if its ringfence.yaml held a text.
func projectOf(c *cli.Context, fsys fs.FS, dir string, text []byte) (*model.Project, error) {
	l := &loader{c: c, dir: dir}
	return dated(l.project(drafted{fsys, text}, dir))
}

// drafted is a folder with another ringfence.yaml, and without parts of one.
type drafted struct {
	fs.FS
	text []byte
}

// Open opens a file of the folder, or the text that stands for its ringfence.yaml.
func (d drafted) Open(name string) (fs.File, error) {
	switch name {
	case intentName:
		return fstest.MapFS{intentName: {Data: d.text, Mode: 0o644}}.Open(name)
	case "ringfence.d":
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	default:
		return d.FS.Open(name)
	}
}

// found is what a folder holds, by the kind of input.
type found struct {
	all      []string // every file that was looked at
	azure    []string
	manifest []string
	tags     []string
	snapshot []string
}

// findInputs makes entries of `inputs` for what a folder holds, or for the files and folders of it that are named. Files are told apart by
// their content, as those of -i elsewhere.
func findInputs(c *cli.Context, fsys fs.FS, dir string, named []string) ([]propose.Input, error) {
	f, err := lookAt(c, fsys, named)
	if err != nil {
		return nil, err
	}
	if len(f.azure) > 0 && len(named) == 0 {
		// A snapshot beside exports is one of an earlier day, which a review left.
		for _, s := range f.snapshot {
			fmt.Fprintf(c.App.ErrWriter, "ringfence: %s is a snapshot beside exports and left out; -i names what shall be read\n", model.Visible(s))
		}
		f.snapshot = nil
	}
	var out []propose.Input
	add := func(kind intent.InputKind, paths []string) {
		if len(paths) == 0 {
			return
		}
		in := propose.Input{Kind: string(kind), Paths: paths}
		if kind == intent.InputKubernetes {
			in.Cluster = c.String("cluster")
		}
		out = append(out, in)
	}
	add(intent.InputAzure, folders(f.azure, func(dir string) (string, bool) {
		pattern := dir + "/**/*.json"
		list, err := expandGlob(fsys, pattern, false)
		return pattern, err == nil && subset(list, f.azure)
	}, func(name string) bool { return strings.HasSuffix(name, ".json") }))
	add(intent.InputKubernetes, folders(f.manifest, func(dir string) (string, bool) {
		list, err := expandGlob(fsys, dir+"/**", false)
		return dir + "/", err == nil && subset(slices.DeleteFunc(list, func(name string) bool { return !manifestFile(name) }), f.manifest)
	}, manifestFile))
	add(intent.InputServiceTags, f.tags)
	add(intent.InputSnapshot, f.snapshot)
	if len(out) == 0 || len(f.azure)+len(f.manifest)+len(f.snapshot) == 0 {
		return nil, usage("nothing in `%s` is an input: want Azure resources as JSON, Kubernetes manifests, or a snapshot (docs/getting-started.md)", dir)
	}
	if c.String("cluster") != "" && len(f.manifest) == 0 {
		return nil, usage("--cluster names the cluster of the manifests, and there are none")
	}
	for _, in := range out {
		for _, name := range in.Paths {
			if strings.ContainsAny(strings.TrimSuffix(name, "/**/*.json"), "*?") {
				return nil, usage("`%s`: `*` and `?` in the name of an input stand for other names; rename it", name)
			}
		}
	}
	return out, nil
}

// manifestFile reports the names that a folder of manifests is read by.
func manifestFile(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	default:
		return kubernetes.Kustomization(name)
	}
}

func subset(list, of []string) bool {
	return !slices.ContainsFunc(list, func(name string) bool { return !slices.Contains(of, name) })
}

// folders puts the folders at the top in the place of their files, where a folder reads as these files and no others.
func folders(files []string, whole func(dir string) (string, bool), read func(name string) bool) []string {
	var out []string
	seen := map[string]string{}
	for _, name := range files {
		dir, _, deeper := strings.Cut(name, "/")
		if !deeper || strings.ContainsAny(dir, `*?[\`) || !read(name) {
			out = append(out, name)
			continue
		}
		text, known := seen[dir]
		if !known {
			if t, ok := whole(dir); ok {
				text = t
				out = append(out, t)
			}
			seen[dir] = text
		}
		if text == "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// lookAt tells apart what the files of a folder are. Hidden files and folders are passed over, as is what makes up an intent.
func lookAt(c *cli.Context, fsys fs.FS, named []string) (*found, error) {
	f := &found{}
	roots := named
	if len(roots) == 0 {
		roots = []string{"."}
	}
	single := map[string]bool{}
	for _, r := range roots {
		err := fs.WalkDir(fsys, r, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case name == r && !d.IsDir():
				single[name] = true
			case name != r && strings.HasPrefix(path.Base(name), "."), name == "ringfence.d":
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			case d.IsDir() || !inputName(name) || name == intentName:
				return nil
			}
			f.all = append(f.all, name)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", r, err)
		}
	}
	slices.Sort(f.all)
	f.all = slices.Compact(f.all) // of roots that hold one another
	l := &loader{c: c}
	l.parse(newInputFS(fsys), f.all, false, func(file string, _ bool, data []byte, docs *kubernetes.Documents) {
		switch {
		case snapshot.Recognise(data):
			f.snapshot = append(f.snapshot, file)
		case docs != nil && docs.Manifests(), kubernetes.Kustomization(file):
			f.manifest = append(f.manifest, file)
		case azure.Recognise(data):
			f.azure = append(f.azure, file)
		case looksLikeTags(data):
			f.tags = append(f.tags, file)
		case single[file]:
			l.errs = append(l.errs, &model.InputError{
				Source: model.Source{File: file}, Found: "neither of these",
				Accepted: "Azure resources as JSON, Kubernetes manifests, a service-tag file or a snapshot",
			})
		default:
			fmt.Fprintf(c.App.ErrWriter, "ringfence: %s is no input: neither Azure resources, Kubernetes manifests, service tags nor a snapshot\n", model.Visible(file))
		}
	})
	return f, errors.Join(l.errs...)
}
