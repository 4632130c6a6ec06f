package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/solver"
)

// An input beyond the budget is unknown: never a success, and never a failure of what it describes.
func TestBudgetIsUnknown(t *testing.T) {
	var stderr bytes.Buffer
	code := report(fmt.Errorf("build the forwarding graph: %w: 9 nodes", solver.ErrBudget), &stderr)
	if code != exitUnknown || !strings.Contains(stderr.String(), "verdict is unknown") || !strings.Contains(stderr.String(), "9 nodes") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
}
