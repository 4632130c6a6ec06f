package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// From a snapshot every command answers as from the sources, byte for byte.
func TestSnapshotAnswersAsSources(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*/ringfence.yaml")
	if err != nil || len(dirs) == 0 {
		t.Fatal(dirs, err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			// Committed copies and the other side lie beside the estate, and are in no snapshot.
			files := lessened(t, readTree(t, dir), nil)
			dir := written(t, nil, files, files)
			snap := filepath.Join(t.TempDir(), "estate.snapshot.json.gz")
			if code := run([]string{"ringfence", "import", "-o", snap, dir}, strings.NewReader(""), io.Discard, os.Stderr); code != exitOK {
				t.Fatal("exit", code)
			}
			want, got := outputs(t, dir), outputs(t, snap)
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Fatalf("(-sources +snapshot):\n%s", diff)
			}
			again := filepath.Join(t.TempDir(), "again.json.gz")
			if code := run([]string{"ringfence", "import", "-o", again, snap}, strings.NewReader(""), io.Discard, os.Stderr); code != exitOK {
				t.Fatal("exit", code)
			}
			a, err := os.ReadFile(snap)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(again)
			if err != nil {
				t.Fatal(err)
			}
			if string(a) != string(b) {
				t.Error("the snapshot of a snapshot has other bytes")
			}
		})
	}
}
