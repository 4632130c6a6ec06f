package model_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

func TestID(t *testing.T) {
	const group = "/subscriptions/S1/resourceGroups/RG/providers/"
	for _, test := range []struct {
		id                                       model.ID
		name, parent, kind, short, resourceGroup string
	}{
		{group + "Microsoft.Network/virtualNetworks/v", "v", "", "Microsoft.Network/virtualNetworks", "v", "RG"},
		{group + "Microsoft.Network/virtualNetworks/v/subnets/s/", "s", group + "Microsoft.Network/virtualNetworks/v", "Microsoft.Network/virtualNetworks/subnets", "v/s", "RG"},
		{"kubernetes:aks/Deployment/shop/web", "web", "", "", "web", ""},
		{"", "", "", "", "", ""},
	} {
		got := []string{test.id.Name(), string(test.id.Parent()), test.id.Type(), test.id.ShortName(), test.id.ResourceGroup()}
		if diff := cmp.Diff([]string{test.name, test.parent, test.kind, test.short, test.resourceGroup}, got); diff != "" {
			t.Errorf("%s: %s", test.id, diff)
		}
	}
	if model.ID("/A/b/").Key() != model.ID("/a/B").Key() {
		t.Error("Azure IDs compare without case and trailing slash")
	}
	if model.ID("kubernetes:c/Pod/n/A").Key() == model.ID("kubernetes:c/Pod/n/a").Key() {
		t.Error("Kubernetes IDs keep their case")
	}
}

func TestSource(t *testing.T) {
	for want, s := range map[string]model.Source{
		"a/b.json:7": {File: "a/b.json", Line: 7, Platform: "x"}, "a.json": {File: "a.json"}, "default rule of n": {Platform: "default rule", Resource: "/x/n"},
		"system route": {Platform: "system route"}, "/x/n": {Resource: "/x/n"}, "-": {},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	err := &model.InputError{Source: model.Source{File: "f", Line: 2}, Resource: "/a/b", Field: "properties.x", Found: "evil\x1b[31m`" + strings.Repeat("y", 900), Accepted: "good"}
	text := err.Error()
	if strings.ContainsAny(text, "\x1b") || len(text) > 400 || !strings.HasPrefix(text, "f:2: b: properties.x: found `evil") || !strings.HasSuffix(text, "want good") {
		t.Errorf("got %q", text)
	}
}

func TestVisible(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain names stay", "snet-pe / Zürich 東京 <b>", "snet-pe / Zürich 東京 <b>"},
		{"terminal codes", "a\x1b[31mred", `a\x1b[31mred`},
		{"C1 control codes are terminal codes too", "a\u009b31m", `a\u009b31m`},
		{"line breaks and tabs", "a\r\n\tb", `a\r\n\tb`},
		{"right-to-left override", "nsg\u202egsn", `nsg\u202egsn`},
		{"isolates, marks and zero width", "a\u2066b\u200fc\u200bd", `a\u2066b\u200fc\u200bd`},
		{"line separator breaks lines in scripts", "a\u2028b", `a\u2028b`},
		{"invalid UTF-8", "a\xff\xfeb", `a\xff\xfeb`},
		{"a replacement character that the input really holds", "a\ufffdb", `a\ufffdb`},
		{"XML knows no U+FFFE", "a\ufffeb", `a\ufffeb`},
		{"DEL", "a\x7f", `a\x7f`},
	} {
		if got := model.Visible(test.in); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestParseSelector(t *testing.T) {
	for _, text := range []string{
		"internet", "any", "zone:cde", "not:zone:cde", "subnet:v/s", "subnet:rg/v/s", "ip:10.0.0.4", "ip:::ffff:10.0.0.4", "cidr:10.0.0.0/8", "cidr:fd00::/8", "pod:c/n/w",
		"tag:AzureMonitor", "fqdn:a.example", "service:/subscriptions/s/resourceGroups/g/providers/Microsoft.Sql/servers/x",
	} {
		s, err := model.ParseSelector(text)
		if err != nil || s.String() != text {
			t.Errorf("%s: got %v, %v", text, s, err)
		}
	}
	for text, want := range map[string]string{
		"":                          "no such kind",
		"wireless":                  "such as `zone:wireless`",
		"zone":                      "want `zone:NAME`",
		"zone:":                     "want `zone:NAME`",
		"internet:x":                "takes no name",
		"planet:x":                  "no such kind",
		"subnet:a//b":               "a part of the name is empty",
		"ip:10.0.0.0/8":             "no address",
		"ip:fe80::1%eth0":           "no address",
		"cidr:10.0.0.1/8":           "did you mean `cidr:10.0.0.0/8`",
		"cidr:10.0.0.0/33":          "no address or CIDR",
		"planet:\x1b[31m\u202eevil": `\x1b`,
	} {
		if _, err := model.ParseSelector(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	if _, err := model.ParseSelectors([]string{"not:zone:a"}); err == nil {
		t.Error("a list that only excludes selects nothing")
	}
}

func TestParsePortService(t *testing.T) {
	for text, want := range map[string]string{
		"any": "any", "ANY": "any", "tcp/443": "tcp/443", "udp/53": "udp/53", "tcp/8000-8100": "tcp/8000-8100", "tcp/1433/50000": "tcp/1433/50000", "tcp/*": "tcp/0-65535",
		"tcp": "tcp/0-65535", "icmp": "icmp", "esp": "esp", "TCP/0": "tcp/0", "tcp/65535": "tcp/65535",
	} {
		s, err := model.ParsePortService(text)
		if err != nil || s.String() != want {
			t.Errorf("%s: got %s, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "tcp/65536", "tcp/-1", "tcp/9-1", "icmp/8", "any/443", "http", "tcp/1/2/3", "tcp/"} {
		if s, err := model.ParsePortService(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, s)
		}
	}
}

func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.4": "10.0.0.4/32", "10.0.0.0/8": "10.0.0.0/8", "10.0.0.1/8": "10.0.0.0/8 host bits", "::ffff:10.0.0.0/104": "10.0.0.0/8", "fd00::1": "fd00::1/128",
		"0.0.0.0/0": "0.0.0.0/0", " 10.0.0.4 ": "10.0.0.4/32",
	} {
		p, bits, err := model.ParsePrefix(text)
		got := p.String()
		if bits {
			got += " host bits"
		}
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "10.0.0", "10.0.0.0/33", "::ffff:0:0/90", "fe80::1%eth0", "10.0.0.0/-1", "10.0.0.4-10.0.0.9"} {
		if p, _, err := model.ParsePrefix(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, p)
		}
	}
}

func TestParseDate(t *testing.T) {
	for _, text := range []string{"2026-11-01", "2024-02-29", "2000-02-29"} {
		if d, err := model.ParseDate(text); err != nil || d.String() != text {
			t.Errorf("%s: got %s, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "2026-13-01", "2026-02-30", "1900-02-29", "2026-1-1", "01.11.2026", "2026-11-01T00:00:00Z", "2026-00-10"} {
		if d, err := model.ParseDate(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, d)
		}
	}
	early, late := model.Date{Year: 2026, Month: 10, Day: 31}, model.Date{Year: 2026, Month: 11, Day: 1}
	if !early.Before(late) || late.Before(early) || early.Before(early) {
		t.Error("Before is no order")
	}
}

func TestMatchName(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		fold, want    bool
	}{
		{"a", "a", false, true},
		{"a", "A", false, false},
		{"a", "A", true, true},
		{"a*", "abc", false, true},
		{"*c", "abc", false, true},
		{"a*c", "abc", false, true},
		{"a*b*c", "a1b2c", false, true},
		{"a*b*c", "acb", false, false},
		{"*", "", false, true},
		{"ab*ba", "aba", false, false},
		{"a*a", "a", false, false},
	} {
		if got := model.MatchName(test.pattern, test.name, test.fold); got != test.want {
			t.Errorf("%s %s: got %v", test.pattern, test.name, got)
		}
	}
}

func FuzzParseSelector(f *testing.F) {
	for _, s := range []string{"internet", "not:cidr:10.0.0.0/8", "subnet:a/b", "ip:::1", "fqdn:*.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := model.ParseSelector(text)
		if err != nil {
			return
		}
		again, err := model.ParseSelector(s.String())
		if err != nil || cmp.Diff(s.Parts, again.Parts) != "" || s.Kind != again.Kind || s.Prefix != again.Prefix || s.Not != again.Not {
			t.Errorf("%q reads as %v, and that as %v, %v", text, s, again, err)
		}
	})
}

func FuzzParsePortService(f *testing.F) {
	for _, s := range []string{"tcp/443", "udp/1-2/3", "icmp", "any"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := model.ParsePortService(text)
		if err != nil {
			return
		}
		if again, err := model.ParsePortService(s.String()); err != nil || again != s {
			t.Errorf("%q reads as %v, and that as %v, %v", text, s, again, err)
		}
	})
}

// IDs are in the order of their keys, in whatever case and with whatever end they are written.
func TestIDCompare(t *testing.T) {
	ids := []model.ID{
		"", "/", "/subscriptions/S/a", "/subscriptions/s/A/", "/subscriptions/s/a/b", "/subscriptions/s/a-b", "/subscriptions/s/a_b", "/subscriptions/s/aZ", "/subscriptions/s/É", "/subscriptions/s/é", "/SUBSCRIPTIONS/s/z",
		"kubernetes:c/Pod/x/a", "kubernetes:c/Pod/x/A", "Kubernetes:c/Pod/x/A",
	}
	for _, a := range ids {
		for _, b := range ids {
			if got, want := a.Compare(b), strings.Compare(a.Key(), b.Key()); got < 0 != (want < 0) || got > 0 != (want > 0) {
				t.Errorf("%s and %s: got %d, want %d", a, b, got, want)
			}
		}
	}
}
