package model_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

// row is one line of an assumption register in docs/semantics: ID, kind, text, what settles it.
var row = regexp.MustCompile(`(?m)^\| (ASM-[A-Z0-9-]+)(?:\([^)]*\))? \| (open|assumed) \| (.*) \| (.*) \|$`)

// The register in code is the one of the specification, word for word.
func TestRegisterIsThatOfTheSpecification(t *testing.T) {
	var want []model.Assumption
	for _, name := range []string{"azure-network.md", "azure-edge-and-aks.md", "kubernetes.md"} {
		text, err := os.ReadFile("../docs/semantics/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range row.FindAllStringSubmatch(string(text), -1) {
			a := model.Assumption{ID: m[1], Open: m[2] == "open", Text: m[3], Settle: m[4]}
			if rest, ok := strings.CutPrefix(a.Text, "*statement*: "); ok {
				a.Statement, a.Text = true, rest
			}
			a.Text, a.Settle = strings.ReplaceAll(a.Text, "`", ""), strings.ReplaceAll(a.Settle, "`", "")
			if a.Settle == "-" {
				a.Settle = ""
			}
			want = append(want, a)
		}
	}
	if len(want) < 70 {
		t.Fatalf("got %d lines of the registers, want all of them", len(want))
	}
	got := model.Assumptions()
	for i := range got {
		got[i].Text, got[i].Settle = strings.ReplaceAll(got[i].Text, "`", ""), strings.ReplaceAll(got[i].Settle, "`", "")
	}
	slices.SortFunc(want, model.Assumption.Compare)
	slices.SortFunc(got, model.Assumption.Compare)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("register (-specification +code):\n%s", diff)
	}
}

func TestAssumptionOf(t *testing.T) {
	for id, want := range map[string]struct{ known, open bool }{
		"ASM-TAG(Storage)":             {true, true},
		"ASM-AVNM":                     {true, false},
		"MISSING(route table rt)":      {true, true},
		"UNSUPPORTED(Some/thing name)": {true, true},
		"ASM-NO-SUCH":                  {false, false},
	} {
		a, ok := model.AssumptionOf(id)
		if ok != want.known || a.Open != want.open {
			t.Errorf("%s: got known %v, open %v", id, ok, a.Open)
		}
		if ok && a.ID != id {
			t.Errorf("%s: got ID %s", id, a.ID)
		}
	}
}
