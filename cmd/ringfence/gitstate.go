package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
)

const keptCommits = 5 // of each file

// gitState asks git about the inputs of a project and some more of its files. Without an answer it says why.
func gitState(ctx context.Context, dir string, inputs []model.InputFile, more []string) (*pci.Git, string) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, "git is not on the path"
	}
	inside, err := git(ctx, dir, "rev-parse", "--is-inside-work-tree")
	if err != nil || string(bytes.TrimSpace(inside)) != "true" {
		return nil, "the project lies in no git work tree"
	}
	prefix, err := git(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, "git does not answer"
	}
	head, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "HEAD")
	if err != nil {
		return nil, "the git repository has no commit"
	}
	shallow, err := git(ctx, dir, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return nil, "git does not answer"
	}
	g := &pci.Git{Head: string(bytes.TrimSpace(head)), Shallow: string(bytes.TrimSpace(shallow)) == "true"}
	t := gitTree{ctx: ctx, dir: dir, prefix: strings.TrimRight(string(prefix), "\r\n")}
	names := t.names(inputs, more)
	if err = t.read(); err != nil {
		return nil, "git does not answer"
	}
	for _, n := range names {
		f := pci.GitFile{Path: n.shown, Tracked: t.tracked[n.at], Commits: t.commits[n.at]}
		f.Clean = f.Tracked && !t.changed[n.at]
		if !g.Shallow {
			f.First = t.first[n.at]
		}
		g.Files = append(g.Files, f)
	}
	return g, ""
}

// gitTree is what git says of some files, by their names from the top of the work tree.
type gitTree struct {
	ctx    context.Context
	dir    string
	prefix string // of the project's folder

	tracked, changed map[string]bool
	first            map[string]string
	commits          map[string][]string
}

type gitName struct{ shown, at string }

// names are the names that git has for files of the project.
func (t *gitTree) names(inputs []model.InputFile, more []string) []gitName {
	var out []gitName
	add := func(shown string) {
		n := gitName{shown, path.Join(t.prefix, shown)}
		if _, err := os.Lstat(filepath.Join(t.dir, filepath.FromSlash(shown))); err != nil {
			n.at = "/" + shown // an input outside of the project, named from the top of the file system: in no work tree that we ask about
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	for _, f := range inputs {
		if f.Kind != "service-tags" && f.Kind != "overlay" {
			add(f.Path)
		}
	}
	for _, m := range more {
		add(m)
	}
	return out
}

// read asks git three questions about the project's folder: what is tracked, what differs from HEAD, and which commits changed what.
func (t *gitTree) read() error {
	t.tracked, t.changed, t.first, t.commits = map[string]bool{}, map[string]bool{}, map[string]string{}, map[string][]string{}
	list, err := git(t.ctx, t.dir, "ls-files", "-z", "-v", "--full-name")
	if err != nil {
		return err
	}
	for _, x := range strings.Split(string(list), "\x00") {
		if len(x) < 3 {
			continue
		}
		name := x[2:]
		t.tracked[name] = true
		if x[0] == 'S' || unicode.IsLower(rune(x[0])) { // skip-worktree, assume-unchanged: git was told not to look
			t.changed[name] = true
		}
	}
	state, err := git(t.ctx, t.dir, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=none", "--", ".")
	if err != nil {
		return err
	}
	for _, x := range strings.Split(string(state), "\x00") {
		if len(x) > 3 {
			t.changed[x[3:]] = true
		}
	}
	return t.history()
}

// commitLine begins a commit in what git log prints: its hash, day and author.
var commitLine = regexp.MustCompile(`^\x01([0-9a-f]{7,64})\x02([0-9]{4}-[0-9]{2}-[0-9]{2})\x02(.*)$`)

// history reads the commits that changed files of the project's folder, newest first. A file that was renamed begins anew.
func (t *gitTree) history() error {
	log, err := git(t.ctx, t.dir, "log", "--no-renames", "--no-relative", "--name-only", "-z", "--format=%x01%h%x02%cs%x02%an", "--", ".")
	if err != nil {
		return err
	}
	commit, day := "", ""
	for _, x := range strings.Split(string(log), "\x00") {
		x = strings.TrimLeft(x, "\n")
		if m := commitLine.FindStringSubmatch(x); m != nil {
			commit, day = m[1]+" "+m[2]+" "+m[3], m[2]
			continue
		}
		if x == "" || commit == "" {
			continue
		}
		t.first[x] = day // the last one that is read is the first commit
		if len(t.commits[x]) < keptCommits {
			t.commits[x] = append(t.commits[x], commit)
		}
	}
	return nil
}
