package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/azure/azuretest"
)

// In whatever order resources stand in their files, and members in their objects, every output is the same, byte for byte.
func TestOrderOfInputs(t *testing.T) {
	for _, example := range []string{"aks-pci", "aks-pci-broken", "hub-spoke"} {
		t.Run(example, func(t *testing.T) {
			var want string
			for turn := range 2 {
				got := outputs(t, reordered(t, "../../examples/"+example, uint64(turn)))
				if turn == 0 {
					want = got
				}
				if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
					t.Fatalf("turn %d (-first +now):\n%s", turn, diff)
				}
			}
		})
	}
}

// reordered copies a project and writes each of its Azure files on one line, shuffled.
func reordered(t *testing.T, from string, turn uint64) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(turn, 7))
	err := filepath.WalkDir(filepath.Join(to, "azure"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		v, err := azuretest.Parse(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		list, _ := v.([]any) // one object else
		if o, graph := v.(azuretest.Object); graph {
			list, _ = o["data"].([]any)
		}
		rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return os.WriteFile(name, azuretest.Shuffled(v, rnd), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// outputs runs the commands that print most of what there is. Hashes of files are left out.
func outputs(t *testing.T, project string) string {
	t.Helper()
	var out bytes.Buffer
	for _, args := range [][]string{
		{"verify", "--no-changes", "--format", "json"},
		{"matrix", "--by", "subnet", "--format", "json"},
		{"reach", "--from", "internet", "--to", "zone:data"},
		{"diagram", "--format", "svg", "network"},
	} {
		var stderr bytes.Buffer
		if code := run(append(append([]string{"ringfence"}, args...), project), strings.NewReader(""), &out, &stderr); code == exitBad {
			t.Fatalf("%v: exit %d: %s", args, code, stderr.String())
		}
	}
	return regexp.MustCompile(`[0-9a-f]{12,64}`).ReplaceAllString(out.String(), "HASH")
}
