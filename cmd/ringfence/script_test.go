package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the program a command of the scripts: each runs in a process of its own, as users run it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ringfence": main})
}

// TestScript runs the stories of testdata/script: what people type, and what they must get.
func TestScript(t *testing.T) {
	examples, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples+"/../../examples")
			return nil
		},
	})
}
