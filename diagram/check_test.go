package diagram

import (
	"bytes"
	"strings"
	"testing"
)

// A committed diagram is stale when a flow changes, and not when the day, the inputs' hash or the version does.
func TestCheck(t *testing.T) {
	committed := outputs(t, shop())
	stamped := shop()
	stamped.AsOf, stamped.Hash, stamped.Tool = "2027-01-02", strings.Repeat("0", 64), "ringfence 99.0.0-beta.12 (a much longer version)"
	for name, got := range outputs(t, stamped) {
		if diff := Check(got, committed[name]); diff != "" {
			t.Errorf("%s with another stamp counts as stale:\n%s", name, diff)
		}
		if bytes.Equal(got, committed[name]) {
			t.Errorf("%s does not show the stamp", name)
		}
		windows := bytes.ReplaceAll(committed[name], []byte("\n"), []byte("\r\n"))
		if diff := Check(got, windows); diff != "" {
			t.Errorf("%s with other line ends counts as stale:\n%s", name, diff)
		}
	}
	changed := shop()
	changed.Rows = append(changed.Rows, row("internet", "zone:cde", "tcp/22"))
	for name, got := range outputs(t, changed) {
		diff := Check(got, committed[name])
		switch stale := diff != ""; {
		case strings.HasPrefix(name, "dataflow") && stale:
			t.Errorf("%s does not show that flow, yet counts as stale:\n%s", name, diff)
		case strings.HasPrefix(name, "network") && !stale:
			t.Errorf("%s: a new flow went unseen", name)
		}
	}
	got := outputs(t, changed)["network.svg"]
	if diff := Check(got, committed["network.svg"]); !strings.Contains(diff, "+ Flow: internet to cde: tcp/22; direct.\n") || strings.Count(diff, "\n") > 13 {
		t.Errorf("the difference does not begin with the flow in words, or is too long:\n%s", diff)
	}
}

func TestCheckIsShortAndSafe(t *testing.T) {
	for _, test := range []struct{ name, got, committed, want string }{
		{"equal", "a\nb\n", "a\nb\n", ""},
		{"one line changed", "a\nX\nc\n", "a\nb\nc\n", "- b\n+ X\n"},
		{"one line more", "a\nb\nc\n", "a\nc\n", "+ b\n"},
		{"moved", "b\na\n", "a\nb\n", "- a\n+ a\n"},
		{"no copy", "a\n", "", "+ a\n"},
		{"terminal codes in the copy", "a\n", "\x1b[2Ja\n", "- \\x1b[2Ja\n+ a\n"},
	} {
		if got := Check([]byte(test.got), []byte(test.committed)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	many := Check([]byte(strings.Repeat("a\n", 5000)), []byte(strings.Repeat("b\n", 5000)))
	if lines := strings.Split(strings.TrimSpace(many), "\n"); len(lines) != 13 || lines[12] != "and 9988 more lines that differ" {
		t.Errorf("a wholly different copy: got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
