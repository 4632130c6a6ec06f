package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/pci"
)

// A report names each input with the hash of its bytes, whichever importer read it.
func TestInputsCarryTheirHashes(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/aks-pci")); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "tags.json")
	tags := `{"changeNumber": 1, "cloud": "Public", "values": [{"name": "Storage", "id": "Storage", "properties": {"changeNumber": 1, "addressPrefixes": ["20.38.0.0/24"]}}]}`
	if err := os.WriteFile(name, []byte(tags), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	if code := run([]string{"ringfence", "verify", "--format", "json", "--service-tags", name, dir}, strings.NewReader(""), &stdout, io.Discard); code == exitBad {
		t.Fatal(stdout.String())
	}
	var r struct{ Inputs []pci.Input }
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, in := range r.Inputs {
		data, err := os.ReadFile(filepath.Join(dir, in.Path))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); in.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: got %q", in.Path, in.SHA256)
		}
		kinds[in.Kind] = true
	}
	if len(kinds) != 4 {
		t.Errorf("got kinds %v, want azure, intent, kubernetes, service-tags", kinds)
	}
}
