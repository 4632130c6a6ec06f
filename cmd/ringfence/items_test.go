package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/pci"
)

var allItems = flag.Bool("all-items", false, "hold every case of TestItems against all items, not those that fail alone")

// itemVerdicts are the verdicts of a project's items.
type itemVerdicts map[string]string

// Each item of the checklist passes, fails and is unknown as its case says: pci/testdata/ITEM/{pass,fail,unknown}.txtar (attested,
// missing: attestation missing, void: not applicable; fail-WORDS.txtar is one more). A case is
// examples/aks-pci with some edits: what `ringfence explain ITEM` then prints, and which items have another verdict than in the
// example: exactly those. The files of a case:
//
//	edit      one edit a line, see (*edits).line; a first line `with WORDS` keeps parts of the example that are left out elsewhere,
//	          since every change of a rule changes them: documents (the committed copies), deployed (the other side), git (the
//	          example is committed before it is edited), again (and so is the edit), shallow (it is cloned without its history)
//	want      what explain prints
//	changes   the items whose verdict differs from the example's, with the verdict; those of the same cause included
//	other     any other file is added to the project; with a ringfence.yaml it is a project of its own, of which `changes` says nothing
//
// `go test ./cmd/ringfence -run TestItems -update` writes want and changes anew; -all-items compares all of them.
func TestItems(t *testing.T) {
	files, err := filepath.Glob("../../pci/testdata/1.*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	whole := readTree(t, "../../examples/aks-pci")
	var lock sync.Mutex
	bases := map[string]itemVerdicts{}
	base := func(t *testing.T, with []string, example map[string][]byte) itemVerdicts {
		lock.Lock()
		defer lock.Unlock()
		key := strings.Join(with, " ")
		if bases[key] == nil {
			bases[key], _ = decided(t, "", written(t, with, example, example), false)
		}
		return bases[key]
	}
	for _, file := range files {
		item := filepath.Base(filepath.Dir(file))
		t.Run(item+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			with := withWords(a)
			example := lessened(t, whole, with)
			project := maps.Clone(example)
			want := map[string]string{}
			own := false // a project of its own, of which the example says nothing
			for _, f := range a.Files {
				own = own || f.Name == "ringfence.yaml"
				switch f.Name {
				case "want", "changes":
					want[f.Name] = string(f.Data)
				case "edit":
					if err = (edits{project}).apply(string(f.Data)); err != nil {
						t.Fatal(err)
					}
				default:
					project[f.Name] = f.Data
				}
			}
			// What fails is held against every other item in each run; the rest with -all-items, which takes minutes more.
			alone := !*allItems && !*update && (own || !strings.HasPrefix(filepath.Base(file), "fail"))
			now, text := decided(t, item, written(t, with, example, project), alone)
			got := map[string]string{"want": text}
			if alone { // who owns a cause is known where all items are decided
				want["want"] = followsText.ReplaceAllString(want["want"], "")
			}
			if alone || own {
				got["changes"] = want["changes"]
			} else {
				got["changes"] = changes(base(t, with, example), now)
			}
			if *update {
				a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" || f.Name == "changes" })
				for _, name := range []string{"want", "changes"} {
					if got[name] != "" {
						a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(got[name])})
					}
				}
				if err = os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				want = got
			}
			for _, name := range []string{"want", "changes"} {
				if d := cmp.Diff(want[name], got[name]); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			}
			verdict, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txtar"), "-") // fail-by-route.txtar is another fail
			switch verdict {
			case "missing":
				verdict = "attestation missing"
			case "void":
				verdict = "not applicable"
			}
			if !strings.Contains(got["want"], "\n"+verdict+"\n") {
				t.Errorf("the item's verdict is not %s:\n%s", verdict, got["want"])
			}
		})
	}
}

// readTree reads a project.
func readTree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		out[name] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// withWords are the words of the first line of an edit.
func withWords(a *txtar.Archive) []string {
	for _, f := range a.Files {
		if line, _, _ := strings.Cut(string(f.Data), "\n"); f.Name == "edit" && strings.HasPrefix(line, "with ") {
			return strings.Fields(line)[1:]
		}
	}
	return nil
}

// followsText is what an item says of the owners of its causes.
var followsText = regexp.MustCompile(`(?m)^  follows from .*\n(    .*\n)*`)

var (
	documentsOf = regexp.MustCompile(`(?m)^documents:.*\n(  .*\n)*`)
	deployedOf  = regexp.MustCompile(`(?m)^  - [a-z]+: deployed/.*\n(    .*\n)*`)
)

// lessened is the example without the parts that a case does not ask for.
func lessened(t *testing.T, whole map[string][]byte, with []string) map[string][]byte {
	t.Helper()
	out := maps.Clone(whole)
	for word, part := range map[string]*regexp.Regexp{"documents": documentsOf, "deployed": deployedOf} {
		if slices.Contains(with, word) {
			if !part.Match(out["ringfence.yaml"]) {
				t.Fatalf("ringfence.yaml of the example has no %s", word)
			}
			continue
		}
		out["ringfence.yaml"] = part.ReplaceAll(out["ringfence.yaml"], nil)
	}
	return out
}

// written writes a project to a folder; with git, as an edit of one that was committed.
func written(t *testing.T, with []string, base, project map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	put := func(files map[string][]byte) {
		for name, data := range files {
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.Contains(with, "git") {
		put(project)
		return dir
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not on the path")
	}
	command := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=Network lead", "-c", "user.email=lead@shop.example", "-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"}, args...)...)
		cmd.Env = append(cmd.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_DATE=2026-08-01T12:00:00Z", "GIT_COMMITTER_DATE=2026-08-01T12:00:00Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	command("init", "-q")
	put(base)
	command("add", "-A")
	command("commit", "-qm", "the network")
	if slices.Contains(with, "shallow") {
		command("commit", "-q", "--allow-empty", "-m", "a second one")
		from := dir
		dir = filepath.Join(t.TempDir(), "clone")
		cmd := exec.Command("git", "clone", "-q", "--depth", "1", "file://"+from, dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git clone: %v: %s", err, out)
		}
	}
	for name := range base {
		if _, ok := project[name]; !ok {
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(project)
	if slices.Contains(with, "again") {
		command("add", "-A")
		command("commit", "-q", "--allow-empty", "-m", "the edit")
	}
	return dir
}

// decided decides every item of a project, as verify does, or one alone: the verdicts, and what explain prints of the one.
func decided(t *testing.T, item, dir string, alone bool) (itemVerdicts, string) {
	t.Helper()
	verdicts, text := itemVerdicts{}, ""
	var stderr bytes.Buffer
	app := newApp(strings.NewReader(""), io.Discard, &stderr)
	app.Commands = []*cli.Command{{
		Name: "items", Flags: loadFlags(),
		Action: func(c *cli.Context) error {
			catalogue := pci.Catalogue()
			if alone {
				catalogue = slices.DeleteFunc(catalogue, func(x pci.Criterion) bool { return x.ID != item })
			}
			s, err := solveItems(c, 0, catalogue...)
			if err != nil {
				return err
			}
			var items []pci.Item
			if alone {
				var x pci.Item
				x, err = pci.NewEvidence(s.Solution, s.facts).Item(catalogue[0])
				items = append(items, x)
			} else {
				items, err = pci.Check(pci.NewEvidence(s.Solution, s.facts))
			}
			for _, x := range items {
				verdicts[x.ID] = string(x.Verdict)
				if x.ID == item {
					text = string(pci.ItemText(x, pci.TextOptions{}))
				}
			}
			return err
		},
	}}
	if err := app.Run([]string{"ringfence", "items", dir}); err != nil {
		t.Fatalf("%v %s", err, stderr.String())
	}
	return verdicts, commitText.ReplaceAllString(sumText.ReplaceAllString(text, "SHA"), "${1}COMMIT$2")
}

// What changes with every commit: hashes of files and of commits.
var (
	sumText    = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	commitText = regexp.MustCompile(`(HEAD is )[0-9a-f]{40}|\b[0-9a-f]{7,40}(\s+[0-9]{4}-[0-9]{2}-[0-9]{2} )`)
)

// changes lists what differs from the example, a line each.
func changes(base, now itemVerdicts) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if now[id] != base[id] {
			fmt.Fprintf(&b, "%s %s\n", id, now[id])
		}
	}
	return b.String()
}

// edits changes the files of a project.
type edits struct{ project map[string][]byte }

func (e edits) apply(text string) error {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "with ") {
			continue
		}
		if err := e.line(line); err != nil {
			return fmt.Errorf("edit `%s`: %w", line, err)
		}
	}
	return nil
}

// line is one edit:
//
//	FILE delete                                  the file
//	FILE replace `old` `new`                     text that stands there once; for YAML
//	FILE drop KEY                                a key at the top of YAML, with all that is in it
//	FILE NAME delete                             the object of this name; NAME may be NSG/RULE, or the end of an ID with three parts or more
//	FILE NAME field.path = JSON                  a field of it
//	FILE NAME field.path delete
//	FILE NAME list.path + JSON                   one more entry of a list
//
// In a path `[0]` is an entry of a list, `[name]` the entry whose name it is.
func (e edits) line(line string) error {
	file, rest, _ := strings.Cut(line, " ")
	data, ok := e.project[file]
	if !ok {
		return errors.New("no such file")
	}
	if rest == "delete" {
		delete(e.project, file)
		return nil
	}
	if text, ok := strings.CutPrefix(rest, "replace "); ok {
		parts := strings.Split(text, "`")
		if len(parts) != 5 || bytes.Count(data, []byte(unescape(parts[1]))) != 1 {
			return fmt.Errorf("want replace `old` `new`, with an old text that stands there once; it is there %d times", bytes.Count(data, []byte(unescape(parts[1]))))
		}
		e.project[file] = bytes.Replace(data, []byte(unescape(parts[1])), []byte(unescape(parts[3])), 1)
		return nil
	}
	if key, ok := strings.CutPrefix(rest, "drop "); ok {
		block := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(key) + `:.*\n(([ #].*)?\n)*`)
		if len(block.FindAll(data, -1)) != 1 {
			return errors.New("no such key")
		}
		e.project[file] = block.ReplaceAll(data, nil)
		return nil
	}
	name, rest, _ := strings.Cut(rest, " ")
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		return err
	}
	set, err := named(doc, strings.Split(name, "/"), func(v any) { doc = v })
	if err != nil {
		return err
	}
	if rest == "delete" {
		set.remove()
	} else if err = set.edit(rest); err != nil {
		return err
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	e.project[file] = append(out, '\n')
	return err
}

// unescape turns \n of an edit into a line break.
func unescape(s string) string { return strings.ReplaceAll(s, `\n`, "\n") }

// slot is a value in a document, and how to put another in its place.
type slot struct {
	value  any
	put    func(any)
	remove func()
}

// named finds the object of a name, within the object of the name before it. Type names come last in Azure's lists, so the first one
// found from outside in is meant.
func named(doc any, names []string, put func(any)) (slot, error) {
	at := slot{value: doc, put: put, remove: func() { put(nil) }}
	if whole := strings.Join(names, "/"); len(names) > 2 { // the end of an ID
		x, ok := within(at, whole)
		if !ok {
			return slot{}, fmt.Errorf("there is no object whose ID ends with %s", whole)
		}
		return x, nil
	}
	for _, n := range names {
		next, ok := within(at, n)
		if !ok {
			return slot{}, fmt.Errorf("there is no object named %s", n)
		}
		at = next
	}
	return at, nil
}

// within searches breadth first.
func within(at slot, name string) (slot, bool) {
	if m, ok := at.value.(map[string]any); ok && m["name"] == name {
		return at, true
	}
	queue := []slot{at}
	for len(queue) > 0 {
		x := queue[0]
		queue = queue[1:]
		for _, c := range children(x) {
			if m, ok := c.value.(map[string]any); ok {
				if m["name"] == name || (m["name"] == nil || strings.Contains(name, "/")) && strings.HasSuffix(fmt.Sprint(m["id"]), "/"+name) {
					return c, true
				}
			}
			queue = append(queue, c)
		}
	}
	return slot{}, false
}

// children are the values in a value.
func children(x slot) []slot {
	var out []slot
	switch v := x.value.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, slot{v[k], func(n any) { v[k] = n }, func() { delete(v, k) }})
		}
	case []any:
		for i := range v {
			out = append(out, slot{v[i], func(n any) { v[i] = n }, func() { x.put(slices.Delete(v, i, i+1)) }})
		}
	}
	return out
}

// edit changes a field: `a.b[0].c = JSON`, `a.b delete`, `a.list + JSON`.
func (x slot) edit(text string) error {
	field, rest, _ := strings.Cut(text, " ")
	op, value, _ := strings.Cut(rest, " ")
	steps := strings.FieldsFunc(strings.ReplaceAll(field, "[", ".["), func(r rune) bool { return r == '.' })
	at := x
	for i, step := range steps {
		next, err := at.step(step, i == len(steps)-1 && op == "=")
		if err != nil {
			return err
		}
		at = next
	}
	if op == "delete" {
		if at.value == nil {
			return fmt.Errorf("%s is not there", field)
		}
		at.remove()
		return nil
	}
	var v any
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	switch op {
	case "=":
		at.put(v)
	case "+":
		list, ok := at.value.([]any)
		if !ok {
			return fmt.Errorf("%s is no list", path.Base(field))
		}
		at.put(append(list, v))
	default:
		return errors.New("want =, + or delete behind the path")
	}
	return nil
}

// step goes one part of a path down.
func (x slot) step(step string, may bool) (slot, error) {
	key, list := strings.CutPrefix(step, "[")
	key = strings.TrimSuffix(key, "]")
	switch v := x.value.(type) {
	case map[string]any:
		if _, ok := v[key]; !ok && !may {
			return slot{}, fmt.Errorf("there is no %s", step)
		}
		return slot{v[key], func(n any) { v[key] = n }, func() { delete(v, key) }}, nil
	case []any:
		for i := range v {
			m, _ := v[i].(map[string]any)
			if list && (fmt.Sprint(i) == key || m["name"] == key) {
				return slot{v[i], func(n any) { v[i] = n }, func() { x.put(slices.Delete(v, i, i+1)) }}, nil
			}
		}
	}
	return slot{}, fmt.Errorf("there is no %s", step)
}
