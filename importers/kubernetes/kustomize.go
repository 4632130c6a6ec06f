package kubernetes

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/ringfence/ringfence/model"
)

// kustomization is what one kustomization reads: its own file, other files, and other kustomizations by their folders.
type kustomization struct {
	dir, file string
	component bool // a part that others take in, no build of its own
	files     map[string][]byte
	folders   []string
	refused   *model.InputError // why it cannot be built here; nil: it can
}

const maxKustomizations = 1_000

// kustomizationNames are the names that kustomize accepts.
func kustomizationNames() []string {
	return []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
}

// Kustomization reports whether a file is a kustomization, by its name.
func Kustomization(file string) bool { return isKustomization(file) }

func isKustomization(name string) bool { return slices.Contains(kustomizationNames(), path.Base(name)) }

// KustomizationRoot is the deepest folder that holds all that the kustomization of a folder takes in: bases mostly lie beside it.
func KustomizationRoot(fsys fs.FS, dir string) string {
	root, queue, seen := dir, []string{dir}, map[string]bool{}
	for len(queue) > 0 && len(seen) < maxKustomizations {
		k := readKustomization(fsys, queue[0])
		queue = queue[1:]
		if seen[k.dir] || k.file == k.dir {
			continue
		}
		seen[k.dir] = true
		queue = append(queue, k.folders...)
		for root != "." && k.dir != root && !strings.HasPrefix(k.dir, root+"/") {
			root = path.Dir(root)
		}
	}
	return root
}

// build is one kustomization that no other one takes in, with all that it reads.
type build struct {
	root  *kustomization
	parts map[string]*kustomization // by folder
}

// builds finds what is to be built among files, and drops the files that belong to kustomizations from the list: what a build reads is
// part of its result, and what lies beside it in its folder and is named by none is not deployed by it. A kustomization that cannot be built here (it
// names something remote, a chart or a program) leaves its files to be read as they are.
func (im *importer) builds(fsys fs.FS, files []inputFile) ([]build, []inputFile) {
	found := map[string]*kustomization{}
	var dirs []string
	for _, f := range files {
		if isKustomization(f.name) {
			dirs = append(dirs, path.Dir(f.name))
		}
	}
	if len(dirs) == 0 {
		return nil, files
	}
	slices.Sort(dirs)
	for i := 0; i < len(dirs) && i < maxKustomizations; i++ {
		if found[dirs[i]] != nil {
			continue
		}
		k := readKustomization(fsys, dirs[i])
		found[dirs[i]] = k
		dirs = append(dirs, k.folders...)
	}
	taken := map[string]bool{}
	for _, k := range found {
		for _, d := range k.folders {
			if d != k.dir {
				taken[d] = true
			}
		}
	}
	// One that takes in what cannot be built cannot be built.
	for changed := true; changed; {
		changed = false
		for _, d := range slices.Sorted(maps.Keys(found)) {
			k := found[d]
			for _, in := range k.folders {
				if other := found[in]; k.refused == nil && other != nil && other.refused != nil {
					k.refused, changed = other.refused, true
				}
			}
		}
	}
	var out []build
	used, owned := map[string]bool{}, []string{}
	for _, d := range slices.Sorted(maps.Keys(found)) {
		k := found[d]
		if k.refused != nil {
			continue
		}
		owned = append(owned, d)
		for name := range k.files {
			used[name] = true
		}
		used[k.file] = true
		if !taken[d] && !k.component {
			b := build{root: k, parts: map[string]*kustomization{}}
			b.add(found, d)
			out = append(out, b)
		}
	}
	for _, d := range owned {
		k := found[d]
		switch {
		case slices.ContainsFunc(out, func(b build) bool { return b.parts[d] != nil }):
		case k.component:
			im.ledger = append(im.ledger, model.LedgerEntry{
				Disposition: model.Irrelevant, Effect: "a component that no kustomization takes in: not deployed", Source: model.Source{File: k.file, Line: 1},
			})
		default:
			im.fail(&model.InputError{Source: model.Source{File: k.file, Line: 1}, Found: "kustomizations that take in each other", Accepted: "one that no other takes in"})
		}
	}
	rest := slices.DeleteFunc(slices.Clone(files), func(f inputFile) bool {
		if used[f.name] {
			return true
		}
		if isKustomization(f.name) || !slices.Contains(owned, path.Dir(f.name)) {
			return false
		}
		im.ledger = append(im.ledger, model.LedgerEntry{
			Disposition: model.Irrelevant, Effect: "lies in the folder of a kustomization that does not name it: not deployed by it", Source: model.Source{File: f.name, Line: 1},
		})
		return true
	})
	return out, rest
}

// add takes in a kustomization and what it takes in.
func (b *build) add(found map[string]*kustomization, dir string) {
	k := found[dir]
	if k == nil || b.parts[dir] != nil {
		return
	}
	b.parts[dir] = k
	for _, d := range k.folders {
		b.add(found, d)
	}
}

// readKustomization reads what a kustomization names. Nothing is fetched: what is not in the input is refused, before kustomize sees it,
// because it would ask the network.
func readKustomization(fsys fs.FS, dir string) *kustomization {
	k := &kustomization{dir: dir, files: map[string][]byte{}}
	for _, name := range kustomizationNames() {
		if info, err := fs.Stat(fsys, path.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			k.file = path.Join(dir, name)
			break
		}
	}
	refuse := func(field, found, accepted string) {
		if k.refused == nil {
			k.refused = &model.InputError{Source: model.Source{File: k.file, Line: 1, Path: field}, Field: field, Found: found, Accepted: accepted}
		}
	}
	if k.file == "" {
		k.file = dir
		refuse("", "a folder without a kustomization", "a folder with kustomization.yaml")
		return k
	}
	data, fault := readFile(fsys, k.file)
	if fault != nil {
		k.refused = fault
		return k
	}
	k.files[k.file] = data
	var spec types.Kustomization
	if _, _, yamlFault := parseYAML(chunk{data, 1}); yamlFault != nil {
		k.refused = yamlFault.at(k.file)
		return k
	}
	if err := spec.Unmarshal(data); err != nil {
		refuse("", "", "a kustomization whose fields kustomize knows: "+firstLine(err))
		return k
	}
	k.component = spec.Kind == types.ComponentKind
	const wantLocal = "a path inside the input: nothing is fetched"
	local := func(field, name string) (string, bool) {
		full := path.Join(dir, name)
		if strings.ContainsAny(name, ":@?\\") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "github.com") || strings.Contains(name, "_git") ||
			strings.Contains(name, ".git") || !fs.ValidPath(full) {
			refuse(field, name, wantLocal)
			return "", false
		}
		return full, true
	}
	file := func(field, name string) {
		if full, ok := local(field, name); ok {
			text, err := readFile(fsys, full)
			if err != nil {
				refuse(field, name, "a file inside the input")
				return
			}
			k.files[full] = text
		}
	}
	bases := spec.Bases //nolint:staticcheck // deprecated, and still read by kustomize
	for _, x := range []struct {
		field string
		names []string
	}{{"resources", spec.Resources}, {"bases", bases}, {"components", spec.Components}} {
		for i, name := range x.names {
			at := index(x.field, i)
			full, ok := local(at, name)
			if !ok {
				continue
			}
			if info, err := fs.Stat(fsys, full); err == nil && info.IsDir() {
				k.folders = append(k.folders, full)
				continue
			}
			file(at, name)
		}
	}
	slices.Sort(k.folders)
	files := map[string][]string{"crds": spec.Crds, "configurations": spec.Configurations}
	for _, p := range spec.PatchesStrategicMerge { //nolint:staticcheck // as above
		if name := string(p); !strings.Contains(name, "\n") && !strings.Contains(name, ": ") {
			files["patchesStrategicMerge"] = append(files["patchesStrategicMerge"], name)
		}
	}
	for _, p := range slices.Concat(spec.Patches, spec.PatchesJson6902) { //nolint:staticcheck // as above
		files["patches"] = append(files["patches"], p.Path)
	}
	for _, r := range spec.Replacements {
		files["replacements"] = append(files["replacements"], r.Path)
	}
	for _, k := range slices.Sorted(maps.Keys(spec.OpenAPI)) {
		files["openapi"] = append(files["openapi"], spec.OpenAPI[k])
	}
	var sources []types.KvPairSources
	for _, g := range spec.ConfigMapGenerator {
		sources = append(sources, g.KvPairSources)
	}
	for _, g := range spec.SecretGenerator {
		sources = append(sources, g.KvPairSources)
	}
	for _, g := range sources {
		for _, name := range g.FileSources {
			if _, value, named := strings.Cut(name, "="); named {
				name = value
			}
			files["files"] = append(files["files"], name)
		}
		files["envs"] = append(append(files["envs"], g.EnvSources...), g.EnvSource)
	}
	for _, field := range slices.Sorted(maps.Keys(files)) {
		for _, name := range files[field] {
			if name != "" {
				file(field, name)
			}
		}
	}
	for _, x := range []struct {
		field string
		names []string
	}{{"generators", spec.Generators}, {"transformers", spec.Transformers}, {"validators", spec.Validators}} {
		if len(x.names) > 0 {
			refuse(x.field, "a program or configuration of its own", "none: only what a kustomization states itself is built")
		}
	}
	if len(spec.HelmCharts)+len(spec.HelmChartInflationGenerator) > 0 || spec.HelmGlobals != nil {
		refuse("helmCharts", "a Helm chart", "the manifests that `helm template` makes of it")
	}
	return k
}

func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// build imports what a kustomization makes, and returns the files that it read.
func (im *importer) build(b build) []string {
	docs, err := b.make()
	if err != nil {
		im.fail(err)
	}
	for _, e := range docs.errs {
		im.fail(e)
	}
	for _, o := range docs.objects {
		im.object(o)
	}
	var files []string
	for _, k := range b.parts {
		files = slices.AppendSeq(files, maps.Keys(k.files))
	}
	return files
}

// make builds: the documents of the result, each at the place that it comes from.
func (b build) make() (docs documents, fault *model.InputError) {
	bad := func(err error) *model.InputError {
		return &model.InputError{Source: model.Source{File: b.root.file, Line: 1}, Err: fmt.Errorf("kustomize: %w", err)}
	}
	defer func() {
		if r := recover(); r != nil {
			docs, fault = documents{}, bad(fmt.Errorf("cannot build this: %v", r))
		}
	}()
	memory := filesys.MakeFsInMemory()
	for _, d := range slices.Sorted(maps.Keys(b.parts)) {
		k := b.parts[d]
		for _, name := range slices.Sorted(maps.Keys(k.files)) {
			text := k.files[name]
			if k == b.root && name == k.file {
				text = withOrigin(text)
			}
			if err := memory.WriteFile("/"+name, text); err != nil {
				return documents{}, bad(err)
			}
		}
	}
	o := krusty.MakeDefaultOptions()
	o.LoadRestrictions, o.PluginConfig = types.LoadRestrictionsRootOnly, types.DisabledPluginConfig()
	result, err := krusty.MakeKustomizer(o).Run(memory, path.Join("/", b.root.dir))
	if err != nil {
		return documents{}, bad(errors.New(firstLine(err)))
	}
	text, err := result.AsYaml()
	if err != nil {
		return documents{}, bad(errors.New(firstLine(err)))
	}
	docs = readDocuments(b.root.file, text)
	starts := map[string][]*object{}
	for _, o := range docs.objects {
		b.place(o, starts)
	}
	for _, e := range docs.errs {
		e.Source.Line = 1
	}
	return docs, nil
}

// withOrigin has kustomize say of each object which file it comes from, where the kustomization leaves that open.
func withOrigin(text []byte) []byte {
	with := append(slices.Clone(text), "\nbuildMetadata: [originAnnotations]\n"...)
	if _, _, fault := parseYAML(chunk{with, 1}); fault != nil {
		return text
	}
	return with
}

// place gives an object of a build the file and line that it was written at; what is generated stands where the kustomization does.
func (b build) place(o *object, starts map[string][]*object) {
	line := 1
	meta, _ := value(o.root, "metadata")
	if meta != nil {
		if notes, _ := value(meta, "annotations"); notes != nil {
			if origin, _ := value(notes, "config.kubernetes.io/origin"); origin != nil {
				var from struct {
					Path string `yaml:"path"`
				}
				if yaml.Unmarshal([]byte(origin.Value), &from) == nil && from.Path != "" {
					name := path.Join(b.root.dir, from.Path)
					if text, ok := b.text(name); ok {
						if starts[name] == nil {
							starts[name] = readDocuments(name, text).objects
						}
						o.file, line = name, lineOf(o, meta, starts[name])
					}
				}
			}
		}
	}
	o.line = line
	atLine(o.root, line, map[*yaml.Node]bool{})
}

func (b build) text(name string) ([]byte, bool) {
	for _, k := range b.parts {
		if text, ok := k.files[name]; ok {
			return text, true
		}
	}
	return nil, false
}

// lineOf is the line of the object in its own file that became o: of its kind, with a name that prefixes and suffixes may have changed.
func lineOf(o *object, meta *yaml.Node, list []*object) int {
	name, _ := value(meta, "name")
	line := 1
	for _, x := range list {
		if x.kind != o.kind || name == nil {
			continue
		}
		if m, _ := value(x.root, "metadata"); m != nil {
			if own, _ := value(m, "name"); own != nil && strings.Contains(name.Value, own.Value) {
				line = x.line
				if own.Value == name.Value {
					break
				}
			}
		}
	}
	return line
}

// atLine puts nodes onto one line: those of a result have none in the input.
func atLine(n *yaml.Node, line int, done map[*yaml.Node]bool) {
	if n == nil || done[n] {
		return
	}
	done[n] = true
	n.Line = line
	for _, c := range n.Content {
		atLine(c, line, done)
	}
}
