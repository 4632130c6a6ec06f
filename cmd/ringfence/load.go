package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/importers/kubernetes"
	"github.com/ringfence/ringfence/importers/snapshot"
	"github.com/ringfence/ringfence/model"
)

// loadFlags are the flags of every command that reads an estate.
func loadFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "i", Usage: "read `FILE|DIR` without an intent file (repeatable); `-` is standard input"},
		&cli.StringFlag{Name: "service-tags", Usage: "published service-tag `FILE`; without one, tags are symbolic"},
		&cli.StringSliceFlag{Name: "overlay", Usage: "read `FILE` over the input: its resources, rules and objects stand in the place of those of the same name, or beside the others (repeatable)"},
		&cli.BoolFlag{Name: "strict", Usage: "treat every assumption as open"},
		&cli.BoolFlag{Name: "allow-outside", Usage: "let inputs lie outside the project's folder"},
	}
}

// load reads the project that a command names behind some words of its own: its folder, its snapshot, or the inputs of -i. Dates are
// judged as of today where the project fixes no day.
func load(c *cli.Context, skip int) (*model.Project, error) {
	if err := checkVariant(c); err != nil {
		return nil, err
	}
	p, err := dated((&loader{c: c}).read(skip))
	if err != nil || c.String("variant") == "" {
		return p, err
	}
	open, _, err := openJIT(p)
	return open, err
}

// read reads what a command line names behind some words, as it is written.
func (l *loader) read(skip int) (*model.Project, error) {
	c := l.c
	if err := noMore(c, skip+1); err != nil {
		return nil, err
	}
	if len(c.StringSlice("i")) > 0 {
		if c.NArg() > skip {
			return nil, usage("a project folder and -i exclude each other")
		}
		return l.adHoc(c.StringSlice("i"))
	}
	dir := c.Args().Get(skip)
	if dir == "" {
		dir = "."
	}
	return l.folder(dir)
}

type loader struct {
	c         *cli.Context
	resources []model.Resource
	ledger    []model.LedgerEntry
	inputs    []model.InputFile
	azure     []azureInput
	manifests []manifestInput
	tags      *model.ServiceTags
	overlay   overlay
	snapshots bool // an input is a snapshot
	keep      bool // what objects say by themselves is wanted: for a snapshot
	apart     *model.Apart
	errs      []error
	aside     bool           // it reads the side that is not judged, over which nothing is laid
	dir       string         // the project's folder; empty: a snapshot, a revision, or inputs without an intent
	sides     sides          // of the project
	other     *model.Project // the side that is not judged; read where both is set
	both      bool
}

// overlay is files that are read over the input.
type overlay struct {
	azure     []azureInput
	manifests joinedFS
	names     []string // of manifests
	used      bool     // manifests were read
	laid      bool     // Azure resources were laid over those of a snapshot
}

// azureInput is files of Azure resources, read when all of them are known.
type azureInput struct {
	fsys  *inputFS
	root  string // as the command line names it; empty in a project
	paths []string
	side  string
}

// manifestInput is Kubernetes input, read once the clusters are known.
type manifestInput struct {
	fsys    *inputFS
	paths   []string
	cluster string
	engine  string
	side    string
	source  model.Source
	parsed  map[string]*kubernetes.Documents // files that were parsed to recognise them
}

// folder reads a project: a folder with ringfence.yaml.
func (l *loader) folder(dir string) (*model.Project, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usage("there is no folder `%s`", dir)
	case err != nil:
		return nil, fmt.Errorf("read the project: %w", err)
	case !info.IsDir():
		return l.snapshotFile(dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the project: %w", err)
	}
	defer root.Close()
	l.dir = dir
	return l.project(root.FS(), dir)
}

// intentName is the file that makes a folder a project.
const intentName = "ringfence.yaml"

// project reads the project of a file system; dir is what messages call it, and where inputs outside it are looked for.
func (l *loader) project(from fs.FS, dir string) (*model.Project, error) {
	fsys := newInputFS(from)
	if _, missing := fs.Stat(fsys, intentName); errors.Is(missing, fs.ErrNotExist) {
		return nil, usage("`%s` has no ringfence.yaml; `ringfence init` makes a first one (docs/intent.md), or read files without it by `-i`", dir)
	}
	file, err := intent.Import(fsys, intentName)
	if err != nil {
		return nil, err
	}
	for _, p := range file.Paths {
		l.addInput(fsys, p, "intent", "")
	}
	if len(file.Inputs) == 0 {
		return nil, &model.InputError{Source: file.Intent.Source, Field: "inputs", Found: "nothing", Accepted: "at least one input"}
	}
	if l.sides, err = sidesOf(file); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the project's folder: %w", err)
	}
	outside := newInputFS(os.DirFS("/"))
	read := func(l *loader, list []intent.Input) {
		for _, in := range list {
			source, prefix := fsys, ""
			if l.c.Bool("allow-outside") && slices.ContainsFunc(in.Paths, func(p string) bool { return strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/") }) {
				source, prefix = outside, filepath.ToSlash(abs)
			}
			l.input(source, prefix, in)
		}
		if l.c.String("service-tags") != "" {
			l.tagFile(l.c.String("service-tags"))
		}
	}
	read(l, l.sides.judged)
	p, err := l.finish(&file.Intent)
	if err != nil || !l.both || len(l.sides.other) == 0 {
		return p, err
	}
	if l.other, err = l.otherSide(l.sides.other, read, &file.Intent); err != nil {
		return nil, fmt.Errorf("on the %s side: %w", l.sides.otherName, err)
	}
	l.inputs = append(l.inputs, l.other.Inputs...)
	p.Inputs = l.sortedInputs()
	return p, nil
}

// input reads one entry of `inputs`.
func (l *loader) input(fsys *inputFS, prefix string, in intent.Input) {
	paths := l.expand(fsys, prefix, in)
	if len(paths) == 0 {
		return // expand reported it
	}
	switch in.Kind {
	case intent.InputAzure:
		l.azure = append(l.azure, azureInput{fsys: fsys, paths: paths, side: in.Side})
	case intent.InputKubernetes:
		l.manifests = append(l.manifests, manifestInput{fsys: fsys, paths: paths, cluster: in.Cluster, engine: in.Engine, side: in.Side, source: in.Source})
	case intent.InputSnapshot:
		for _, p := range paths {
			l.snapshot(fsys, p, in.Side)
		}
	case intent.InputServiceTags:
		for _, p := range paths {
			l.serviceTags(fsys, p)
		}
	default:
		l.errs = append(l.errs, &model.InputError{
			Source: in.Source, Field: string(in.Kind), Found: strings.Join(in.Paths, ", "),
			Accepted: "azure, kubernetes, serviceTags or snapshot: this version does not read " + string(in.Kind) + " inputs",
		})
	}
}

// expand turns the paths and globs of an input into files (Azure) or files and folders (Kubernetes).
func (l *loader) expand(fsys fs.FS, prefix string, in intent.Input) []string {
	var out []string
	for _, pattern := range in.Paths {
		full := path.Clean(pattern)
		if prefix != "" {
			full = strings.TrimPrefix(path.Join(prefix, pattern), "/")
			if strings.HasPrefix(pattern, "/") {
				full = strings.TrimPrefix(path.Clean(pattern), "/")
			}
		}
		if prefix == "" && (strings.HasPrefix(full, "..") || strings.HasPrefix(full, "/")) {
			l.errs = append(l.errs, &model.InputError{Source: in.Source, Field: string(in.Kind), Found: pattern, Accepted: "a path inside the project's folder (or --allow-outside)"})
			continue
		}
		found, err := expandGlob(fsys, full, in.Kind == intent.InputKubernetes)
		if err != nil {
			l.errs = append(l.errs, &model.InputError{Source: in.Source, Field: string(in.Kind), Found: pattern, Err: err})
			continue
		}
		if len(found) == 0 {
			l.errs = append(l.errs, &model.InputError{Source: in.Source, Field: string(in.Kind), Found: pattern, Accepted: "a path or glob that matches a file"})
		}
		out = append(out, found...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// expandGlob lists the files that a pattern names: `*` within one part, `**` any number of parts. A folder stands for itself where
// folders are wanted, else for the JSON files below it.
func expandGlob(fsys fs.FS, pattern string, folders bool) ([]string, error) {
	if !strings.ContainsAny(pattern, "*?") {
		info, err := fs.Stat(fsys, pattern)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			return nil, err
		}
		if !info.IsDir() || folders {
			return []string{pattern}, nil
		}
		pattern = path.Join(pattern, "**")
	}
	base := "."
	for _, part := range strings.Split(pattern, "/") {
		if strings.ContainsAny(part, "*?") {
			break
		}
		base = path.Join(base, part)
	}
	var out []string
	err := fs.WalkDir(fsys, base, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == base:
			return fs.SkipAll
		case err != nil:
			return err
		case d.IsDir() || strings.HasPrefix(path.Base(name), "."):
			return nil
		case matchGlob(strings.Split(pattern, "/"), strings.Split(name, "/")):
			out = append(out, name)
		}
		return nil
	})
	return out, err
}

func matchGlob(pattern, name []string) bool {
	switch {
	case len(pattern) == 0:
		return len(name) == 0
	case pattern[0] == "**":
		for i := range len(name) + 1 {
			if matchGlob(pattern[1:], name[i:]) {
				return true
			}
		}
		return len(pattern) == 1
	case len(name) == 0:
		return false
	}
	ok, err := path.Match(pattern[0], name[0])
	return err == nil && ok && matchGlob(pattern[1:], name[1:])
}

// readAzure reads all files of one side together, whichever inputs name them: a rule, a subnet or a machine in one file belongs to what
// another file describes.
func (l *loader) readAzure() {
	var sides []string
	for _, in := range l.azure {
		if !slices.Contains(sides, in.side) {
			sides = append(sides, in.side)
		}
	}
	for _, side := range sides {
		all := joinedFS{}
		var names []string
		for _, in := range l.azure {
			if in.side != side {
				continue
			}
			for _, p := range in.paths {
				names = append(names, all.add(in.fsys, in.root, p))
			}
		}
		var over []string
		for _, in := range l.overlay.azure {
			over = append(over, all.add(in.fsys, in.root, in.paths[0]))
		}
		r, err := azure.ImportOver(all, names, over)
		if err != nil {
			l.errs = append(l.errs, err)
			continue
		}
		l.resources, l.ledger = append(l.resources, r.Resources...), append(l.ledger, r.Ledger...)
		if l.keep {
			l.addApart(r.Apart())
		}
		for _, f := range r.Files {
			from, kind := all[f], "azure"
			if slices.Contains(over, f) {
				kind = "overlay"
			}
			l.inputs = append(l.inputs, model.InputFile{Path: f, SHA256: from.fsys.sums[from.name], Kind: kind, Side: side})
		}
	}
}

func (l *loader) serviceTags(fsys *inputFS, name string) {
	t, err := azure.ServiceTags(fsys, name)
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	l.addInput(fsys, name, "service-tags", "")
	l.useTags(t)
}

// useTags takes the list of service tags that an input holds.
func (l *loader) useTags(t *model.ServiceTags) {
	if l.tags != nil && !model.Alike(l.tags, t) {
		// Two weeks' lists differ in what a tag holds: which of them is in force must not depend on the order of the inputs.
		l.errs = append(l.errs, &model.InputError{
			Source: t.Source, Field: "changeNumber", Found: strconv.Itoa(t.ChangeNumber),
			Accepted: fmt.Sprintf("one list of service tags; another one, with number %d, is at %s", l.tags.ChangeNumber, l.tags.Source),
		})
		return
	}
	l.tags = t
}

// tagFile reads the service-tag file of the command line, which stands in for those of the inputs.
func (l *loader) tagFile(name string) {
	l.tags = nil
	l.inputs = slices.DeleteFunc(l.inputs, func(f model.InputFile) bool { return f.Kind == "service-tags" })
	dir, base := splitName(name)
	l.serviceTags(newInputFS(os.DirFS(dir)), base)
}

// splitName is the folder of a file, and its name there.
func splitName(name string) (dir, base string) {
	if dir, base = filepath.Split(name); dir == "" {
		dir = "."
	}
	return dir, base
}

// snapshotFile reads a project from its snapshot: all that it holds, the intent too.
func (l *loader) snapshotFile(name string) (*model.Project, error) {
	dir, base := splitName(name)
	fsys := os.DirFS(dir)
	if head, err := firstBytes(fsys, base); err != nil {
		return nil, fmt.Errorf("read the project: %w", err)
	} else if !snapshot.Recognise(head) {
		return nil, usage("`%s` is a file and no snapshot; want a folder with ringfence.yaml, a snapshot, or `-i %s` for a file without an intent", name, name)
	}
	p, err := snapshot.Import(fsys, base)
	if err != nil {
		return nil, err
	}
	if l.c.String("service-tags") != "" {
		l.inputs = p.Inputs
		if l.tagFile(l.c.String("service-tags")); len(l.errs) > 0 {
			return nil, errors.Join(l.errs...)
		}
		p.Inputs, p.Tags = l.sortedInputs(), l.tags
	}
	if err := l.overSnapshot(p); err != nil {
		return nil, err
	}
	return p, nil
}

// firstBytes reads as much of a file as tells what it is.
func firstBytes(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	return data, errors.Join(err, f.Close())
}

// snapshot adds what a snapshot holds to the inputs; its intent is not used.
func (l *loader) snapshot(fsys *inputFS, name, side string) {
	p, err := snapshot.Import(fsys, name)
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	l.addInput(fsys, name, "snapshot", side)
	l.snapshots = true
	l.resources, l.ledger = append(l.resources, p.Estate.Resources()...), append(l.ledger, p.Estate.Ledger...)
	if p.Apart != nil {
		l.addApart(*p.Apart)
	}
	if p.Tags != nil {
		l.useTags(p.Tags)
	}
}

// addInput records a file that was read, with its hash.
func (l *loader) addInput(fsys *inputFS, name, kind, side string) {
	l.inputs = append(l.inputs, model.InputFile{Path: name, SHA256: fsys.sums[name], Kind: kind, Side: side})
}

// clusterFor is the cluster that manifests run on: the one that the input names, the only one there is, or one that stands for a
// cluster of which no resource is in the input.
func (l *loader) clusterFor(m manifestInput) (*model.Cluster, error) {
	var clusters []*model.Cluster
	var names []string
	for _, r := range l.resources {
		if c, ok := r.(*model.Cluster); ok {
			clusters, names = append(clusters, c), append(names, c.Name())
		}
	}
	if m.cluster != "" {
		for _, c := range clusters {
			if strings.EqualFold(c.Name(), m.cluster) || c.ID.Key() == model.ID(m.cluster).Key() {
				return c, nil
			}
		}
		if len(clusters) > 0 {
			return nil, &model.InputError{Source: m.source, Field: "cluster", Found: m.cluster, Accepted: "a managedClusters resource of the input: " + strings.Join(names, ", ")}
		}
	}
	switch {
	case len(clusters) == 1:
		return clusters[0], nil
	case len(clusters) > 1:
		return nil, &model.InputError{Source: m.source, Field: "cluster", Found: "nothing", Accepted: "the cluster of these manifests: " + strings.Join(names, ", ")}
	}
	name := m.cluster
	if name == "" {
		name = "cluster"
	}
	src := m.source
	if src.IsZero() {
		src = model.Source{Platform: "cluster without a resource in the input"}
	}
	c := &model.Cluster{Meta: model.Meta{ID: model.Kubernetes(name, "Cluster", "", name), Source: src}, Manifest: true}
	l.resources = append(l.resources, c)
	return c, nil
}

// readManifests reads Kubernetes input, one import for each cluster, so that a namespace declared in one file and used in another is
// one namespace.
func (l *loader) readManifests() {
	type group struct {
		cluster *model.Cluster
		fsys    *inputFS
		paths   []string
		side    string
		engine  string
		parsed  map[string]*kubernetes.Documents
	}
	var groups []*group
	for _, m := range l.manifests {
		c, err := l.clusterFor(m)
		if err != nil {
			l.errs = append(l.errs, err)
			continue
		}
		if m.engine != "" && c.Policy == "" && c.DataPlane == "" {
			c.Engine = m.engine
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return g.cluster == c && g.fsys == m.fsys && g.side == m.side })
		if i < 0 {
			i, groups = len(groups), append(groups, &group{cluster: c, fsys: m.fsys, side: m.side, parsed: map[string]*kubernetes.Documents{}})
		}
		if m.engine != "" {
			groups[i].engine = m.engine
		}
		groups[i].paths = append(groups[i].paths, m.paths...)
		maps.Copy(groups[i].parsed, m.parsed)
	}
	for _, g := range groups {
		r, err := kubernetes.Import(g.fsys, g.paths, kubernetes.Options{
			Cluster: g.cluster.ID, ClusterName: g.cluster.Name(), Parsed: g.parsed, Over: l.overlay.manifests, OverPaths: l.overlay.names,
		})
		l.overlay.used = true
		if err != nil {
			l.errs = append(l.errs, err)
			continue
		}
		l.resources, l.ledger = append(l.resources, r.Resources...), append(l.ledger, r.Ledger...)
		if l.keep {
			a := r.Apart()
			a.Engine = g.engine
			l.addApart(model.Apart{Clusters: []model.ApartCluster{a}})
		}
		for _, f := range r.Files {
			l.addInput(g.fsys, f, "kubernetes", g.side)
		}
	}
}

// finish reads the manifests, builds the estate and puts the project together.
func (l *loader) finish(in *model.Intent) (*model.Project, error) {
	if !l.aside {
		l.readOverlay()
	}
	l.readAzure()
	l.readManifests()
	if l.snapshots && len(l.azure) == 0 {
		l.azureOnto()
	}
	if l.snapshots && !l.overlay.used {
		l.manifestsOnto()
	}
	l.checkOverlay()
	if len(l.errs) > 0 {
		return nil, errors.Join(l.errs...)
	}
	estate, err := model.NewEstate(l.resources, l.ledger)
	if err != nil {
		return nil, err
	}
	if len(estate.Resources()) == 0 {
		return nil, usage("the input holds no resource at all: nothing can be checked")
	}
	p := &model.Project{Estate: estate, Intent: in, Inputs: l.sortedInputs(), Tags: l.tags}
	if l.keep {
		p.Apart = cmp.Or(l.apart, &model.Apart{})
	}
	return p, nil
}

func (l *loader) sortedInputs() []model.InputFile {
	slices.SortFunc(l.inputs, func(a, b model.InputFile) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Side, b.Side))
	})
	return slices.Compact(l.inputs)
}

// today is the day of the run, for projects that fix none.
func today() model.Date {
	now := time.Now().UTC()
	return model.Date{Year: now.Year(), Month: int(now.Month()), Day: now.Day()}
}
