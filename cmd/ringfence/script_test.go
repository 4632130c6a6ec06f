package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the program a command of the scripts: each runs in a process of its own, as users run it.
func TestMain(m *testing.M) {
	// The examples lie in the repository of the program: what git says of them would change with every edit that is not committed yet.
	if dir, err := filepath.Abs("../../examples"); err == nil {
		_ = os.Setenv("GIT_CEILING_DIRECTORIES", dir)
	}
	testscript.Main(m, map[string]func(){"ringfence": main})
}

// TestScript runs the stories of testdata/script: what people type, and what they must get. Each starts with a small project in shop, a
// copy of testdata/shop; $EXAMPLES is the folder of the examples.
func TestScript(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			return os.CopyFS(filepath.Join(e.WorkDir, "shop"), os.DirFS("testdata/shop"))
		},
	})
}
