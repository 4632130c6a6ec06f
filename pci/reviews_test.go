package pci

import (
	"testing"

	"github.com/ringfence/ringfence/model"
)

// A review is due on the same day six months later, clamped to the month, and never later than 184 days after it (decisions.md, 8.1).
func TestDue(t *testing.T) {
	for _, test := range []struct{ on, next, last string }{
		{"2026-08-31", "2027-02-28", "2027-03-03"},
		{"2026-02-28", "2026-08-28", "2026-08-31"},
		{"2027-08-31", "2028-02-29", "2028-03-02"},
		{"2026-05-01", "2026-11-01", "2026-11-01"},
		{"2026-03-01", "2026-09-01", "2026-09-01"},
	} {
		on, err := model.ParseDate(test.on)
		if err != nil {
			t.Fatal(err)
		}
		if next, last := due(on); next.String() != test.next || last.String() != test.last {
			t.Errorf("%s: got due %s, overdue after %s, want %s and %s", test.on, next, last, test.next, test.last)
		}
	}
	for on := (model.Date{Year: 2024, Month: 1, Day: 1}); on.Year < 2029; on = on.AddDays(1) {
		if next, last := due(on); last.Before(next) || on.DaysTo(last) != reviewDays {
			t.Errorf("%s: due %s, overdue after %s", on, next, last)
		}
	}
}
