package intent_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/intent"
	"github.com/ringfence/ringfence/model"
)

// A review goes behind the others, and nothing else in the file changes.
func TestAddReview(t *testing.T) {
	review := model.Review{
		RuleSets: []string{"nsg:*", "waf:waf-agw"}, By: "J. Doe: lead", On: model.Date{Year: 2026, Month: 11, Day: 1}, Actions: `removed "AllowTest" # and no more`,
		Ticket: "CHG-1", Snapshot: "evidence/2026-11-01.snapshot.json.gz",
	}
	const head = "ringfence: v1 # the version\ninputs:\n  - azure: azure/\n"
	const entry = `- ruleSets: ["nsg:*", "waf:waf-agw"]
  by: 'J. Doe: lead'
  on: 2026-11-01
  actions: 'removed "AllowTest" # and no more'
  ticket: CHG-1
  snapshot: evidence/2026-11-01.snapshot.json.gz
`
	two := "  " + strings.ReplaceAll(strings.TrimSuffix(entry, "\n"), "\n", "\n  ") + "\n"
	for name, test := range map[string]struct{ in, want string }{
		"no reviews":          {head, head + "\nreviews:\n" + two},
		"no line end":         {strings.TrimSuffix(head, "\n"), head + "\nreviews:\n" + two},
		"no indentation":      {head + "reviews:\n-   {ruleSets: \"nsg:*\", by: x, on: 2026-01-01}\n", head + "reviews:\n-   {ruleSets: \"nsg:*\", by: x, on: 2026-01-01}\n" + entry},
		"at the end":          {head + "reviews:\n  - {ruleSets: \"nsg:*\", by: x, on: 2026-01-01} # the first\n", head + "reviews:\n  - {ruleSets: \"nsg:*\", by: x, on: 2026-01-01} # the first\n" + two},
		"before another key":  {head + "reviews:\n  - ruleSets: \"nsg:*\"\n    by: x\n    on: 2026-01-01\n    # all of them\n\n# who owns what\nowners: []\n", head + "reviews:\n  - ruleSets: \"nsg:*\"\n    by: x\n    on: 2026-01-01\n    # all of them\n" + two + "\n# who owns what\nowners: []\n"},
		"a text of two lines": {head + "reviews:\n  - ruleSets: \"nsg:*\"\n    by: x\n    on: 2026-01-01\n    actions: |\n      none\n      needed\nowners: []\n", head + "reviews:\n  - ruleSets: \"nsg:*\"\n    by: x\n    on: 2026-01-01\n    actions: |\n      none\n      needed\n" + two + "owners: []\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := intent.AddReview([]byte(test.in), review)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, string(got)); d != "" {
				t.Fatal(d)
			}
			f, err := intent.Import(fstest.MapFS{"ringfence.yaml": {Data: got}}, "ringfence.yaml")
			if err != nil {
				t.Fatal(err)
			}
			last := f.Intent.Reviews[len(f.Intent.Reviews)-1]
			last.Source = model.Source{}
			if d := cmp.Diff(review, last); d != "" {
				t.Error(d)
			}
		})
	}
	for name, in := range map[string]string{
		"a list in one line": head + "reviews: [{ruleSets: \"nsg:*\", by: x, on: 2026-01-01}]\n",
		"no mapping":         "- a\n",
	} {
		if _, err := intent.AddReview([]byte(in), review); err == nil || !strings.Contains(err.Error(), "by hand:\n- ruleSets: [\"nsg:*\"") {
			t.Errorf("%s: got %v, want an error that shows the entry", name, err)
		}
	}
}
