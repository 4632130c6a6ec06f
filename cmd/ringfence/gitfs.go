package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"strings"
	"testing/fstest"
	"time"

	"github.com/urfave/cli/v2"
)

const (
	maxArchive = 1 << 30 // bytes of a revision's project
	gitTime    = 2 * time.Minute
)

// checkOut reads a folder of a repository as it was in a revision, into memory: nothing is written to the disk. Git itself is called, with
// fixed arguments and a commit's hash.
func checkOut(c *cli.Context, dir, revision string) (fs.FS, error) {
	if !revisionName(revision) {
		return nil, usage("--base `%s` is no revision; want a branch, a tag or a commit", revision)
	}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, usage("--base needs git, which is not on the path")
	}
	prefix, err := git(c.Context, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, usage("--base %s: `%s` is in no git repository", revision, dir)
	}
	commit, err := git(c.Context, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return nil, usage("--base %s: the repository has no such revision; a shallow clone has the last one alone (git fetch --unshallow)", revision)
	}
	if state, bad := git(c.Context, dir, "status", "--porcelain", "--", "."); bad == nil && len(bytes.TrimSpace(state)) > 0 {
		fmt.Fprintf(c.App.ErrWriter, "ringfence: `%s` has changes that are not committed; they count as proposed\n", dir)
	}
	tree := string(bytes.TrimSpace(commit)) + ":" + strings.TrimSuffix(string(bytes.TrimSpace(prefix)), "/")
	top, err := git(c.Context, dir, "rev-parse", "--show-toplevel") // archive keeps to the folder that it is called in
	if err != nil {
		return nil, usage("--base %s: the repository of `%s` has no working tree", revision, dir)
	}
	data, err := git(c.Context, string(bytes.TrimRight(top, "\r\n")), "archive", "--format=tar", tree)
	if err != nil {
		return nil, usage("--base %s: that revision has no folder `%s`", revision, dir)
	}
	fsys, err := untar(data)
	if err != nil {
		return nil, fmt.Errorf("read revision %s: %w", revision, err)
	}
	return fsys, nil
}

// git runs git in a folder and returns what it prints. No hook, pager, prompt or configuration of the repository takes part
// in what these commands do.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := context.WithTimeout(ctx, gitTime)
	defer stop()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", dir}, args...)...)
	cmd.Env = append(cmd.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	out := &limited{most: maxArchive}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return out.b.Bytes(), nil
}

// limited takes so many bytes and no more.
type limited struct {
	b    bytes.Buffer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > l.most {
		return 0, errors.New("more than a gigabyte")
	}
	return l.b.Write(p)
}

// untar reads the files of an archive. Links are left out: what they lead to may lie outside the folder.
func untar(data []byte) (fs.FS, error) {
	out := fstest.MapFS{}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		name := path.Clean(h.Name)
		if h.Typeflag != tar.TypeReg || !fs.ValidPath(name) {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		out[name] = &fstest.MapFile{Data: content, Mode: 0o444}
	}
}
