package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"path"
	"path/filepath"
)

// inputFS is a file system that notes the SHA-256 of each file as it is read to its end, so that a report names the very bytes that were
// judged, and none is read twice for it.
type inputFS struct {
	fs.FS
	sums map[string]string
}

func newInputFS(fsys fs.FS) *inputFS { return &inputFS{fsys, map[string]string{}} }

// Open opens a file; what it is read for is up to the caller.
func (i *inputFS) Open(name string) (fs.File, error) {
	f, err := i.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return f, nil
	}
	return &inputFile{f, sha256.New(), func(sum []byte) { i.sums[name] = hex.EncodeToString(sum) }}, nil
}

// Stat looks at a file without opening it: a pipe would wait for its writer.
func (i *inputFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(i.FS, name) }

// joinedFS shows files of several file systems as one.
type joinedFS map[string]joinedFile

type joinedFile struct {
	fsys *inputFS
	name string
}

// add takes a file in and returns the name that it has here: its own, or, where another file has that, its name with the root that the
// user gave.
func (j joinedFS) add(fsys *inputFS, root, name string) string {
	shown := name
	if other, taken := j[shown]; taken && other.fsys != fsys {
		shown = path.Join(filepath.ToSlash(root), name)
	}
	j[shown] = joinedFile{fsys, name}
	return shown
}

// Open opens a file by the name that add returned.
func (j joinedFS) Open(name string) (fs.File, error) {
	f, ok := j[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.fsys.Open(f.name)
}

type inputFile struct {
	fs.File
	hash hash.Hash
	end  func(sum []byte)
}

func (f *inputFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	f.hash.Write(b[:n])
	if errors.Is(err, io.EOF) {
		f.end(f.hash.Sum(nil))
	}
	return n, err
}
