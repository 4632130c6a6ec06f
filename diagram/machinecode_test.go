//go:build linux

package diagram

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The layout engine takes machine code from a folder of the user's alone, never from the one for temporary files, and the process has that
// one back when it starts.
func TestMachineCode(t *testing.T) {
	if os.Getenv("MACHINE_CODE") != "" {
		if got := os.TempDir(); got != os.Getenv("MACHINE_CODE") {
			t.Errorf("the folder for temporary files is %s", got)
		}
		return
	}
	for _, tt := range []struct {
		name   string
		make   func(cache string) error
		cached bool
	}{
		{"none yet", func(string) error { return nil }, true},
		{"others can write there", func(cache string) error {
			if err := os.MkdirAll(filepath.Join(cache, "ringfence"), 0o700); err != nil {
				return err
			}
			return os.Chmod(filepath.Join(cache, "ringfence"), 0o777) //nolint:gosec // as others would find it
		}, false},
		{"a link", func(cache string) error {
			if err := os.MkdirAll(cache, 0o700); err != nil {
				return err
			}
			return os.Symlink(t.TempDir(), filepath.Join(cache, "ringfence"))
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			temporary, cache := t.TempDir(), filepath.Join(t.TempDir(), "cache")
			if err := tt.make(cache); err != nil {
				t.Fatal(err)
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			c := exec.Command(self, "-test.run", "^TestMachineCode$")
			c.Env = append(os.Environ(), "TMPDIR="+temporary, "XDG_CACHE_HOME="+cache, "HOME="+filepath.Dir(cache), "MACHINE_CODE="+temporary)
			out, err := c.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if _, err = os.Lstat(filepath.Join(temporary, "go-graphviz")); err == nil {
				t.Error("code is kept in the folder for temporary files")
			}
			if _, err = os.Stat(filepath.Join(cache, "ringfence", "go-graphviz")); (err == nil) != tt.cached {
				t.Errorf("kept in the user's folder: %v", err == nil)
			}
		})
	}
}
