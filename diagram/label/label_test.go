package label

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/solver"
)

func TestName(t *testing.T) {
	for ref, want := range map[string]string{
		"subnet:vnet-spoke/snet-pe":    "snet-pe",
		"nodepool:aks-prod/npsystem":   "npsystem",
		"pod:payments/api":             "payments/api",
		"firewall:fw-hub":              "fw-hub",
		"zone:cde":                     "cde",
		"internet":                     "internet",
		"fqdn:api.psp.example":         "api.psp.example",
		"cidr:2001:db8::/32":           "2001:db8::/32",
		"10.0.0.4":                     "10.0.0.4",
		"a phrase: it has a colon":     "a phrase: it has a colon",
		"subnet:":                      "subnet:",
		"default rule of nsg:nsg-a":    "default rule of nsg:nsg-a",
		"gateway:vgw-hub/conn-campus":  "vgw-hub/conn-campus",
		"lb:ingress-nginx/controller":  "ingress-nginx/controller",
		"service:/subscriptions/s/x/y": "/subscriptions/s/x/y",
	} {
		if got := Name(ref); got != want {
			t.Errorf("Name(%q): got %q, want %q", ref, got, want)
		}
	}
	for ref, want := range map[string]string{"zone:cde": "zone", "internet": "internet", "any": "any", "10.0.0.4": "", "a b:c": ""} {
		if got := Kind(ref); got != want {
			t.Errorf("Kind(%q): got %q, want %q", ref, got, want)
		}
	}
}

func TestServices(t *testing.T) {
	p := func(protocol string, ports ...string) solver.Packets {
		return solver.Packets{Protocol: protocol, DPort: ports}
	}
	for _, test := range []struct {
		name string
		in   []solver.Packets
		want string
	}{
		{"nothing", nil, ""},
		{"one port", []solver.Packets{p("tcp", "443")}, "tcp/443"},
		{"tcp before udp before the rest", []solver.Packets{p("icmp"), p("udp", "53"), p("tcp", "53")}, "tcp/53 udp/53 icmp"},
		{"several boxes with the same port", []solver.Packets{p("tcp", "443"), p("tcp", "443", "8443")}, "tcp/443 tcp/8443"},
		{"ranges that touch are one", []solver.Packets{p("tcp", "1-79"), p("tcp", "80"), p("tcp", "81-100")}, "tcp/1-100"},
		{"the last port does not wrap", []solver.Packets{p("tcp", "0-65535"), p("tcp", "22")}, "tcp/*"},
		{"several protocols in one set", []solver.Packets{p("udp,sctp,icmp,esp,ah", "0-65535")}, "any except tcp"},
		{"port-less protocols have no ports", []solver.Packets{p("udp,icmp", "53")}, "udp/53 icmp"},
		{"few ports are missing", []solver.Packets{p("tcp", "1-21", "23-3388", "3390-65535")}, "tcp/* except 22 3389"},
		{"the first and the last are missing", []solver.Packets{p("tcp", "2-100", "102-65534")}, "tcp/* except 1 101 65535"},
		{"few ports of one protocol are missing", []solver.Packets{p("tcp", "0-21", "23-65535"), p("udp,icmp,esp,ah")}, "any except tcp/22"},
		{"half the ports are no exception", []solver.Packets{p("tcp", "0-21", "23-30000")}, "tcp/0-21 tcp/23-30000"},
		{"all ports of one protocol are not any", []solver.Packets{p("tcp", "0-65535"), p("udp", "0-65535")}, "tcp/* udp/*"},
		{"every protocol that Azure carries", []solver.Packets{p("tcp", "0-65535"), p("udp", "0-65535"), p("icmp"), p("esp"), p("ah")}, "any"},
		{"all but one protocol", []solver.Packets{p("tcp", "0-65535"), p("udp", "0-65535"), p("icmp"), p("ah")}, "any except esp"},
		{"the word", []solver.Packets{p("any", "0-65535")}, "any"},
		{"the sign", []solver.Packets{p("*")}, "any"},
		{"any protocol on one port is not any", []solver.Packets{p("any", "443")}, "any/443"},
		{"a number", []solver.Packets{p("47")}, "47"},
		{"what is no range is shown", []solver.Packets{p("tcp", "http")}, "tcp/http"},
	} {
		if got := strings.Join(Services(test.in), " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// Results cut packets by the names and tags of the whole estate; what is cut into all its parts is not narrowed.
func TestTargets(t *testing.T) {
	const other = "(any other name)"
	p := func(names, tags string) solver.Packets {
		return solver.Packets{Names: strings.Split(names, "|"), Tags: strings.Fields(tags)}
	}
	for _, test := range []struct {
		name string
		in   []solver.Packets
		want []string
	}{
		{"nothing", nil, []string{}},
		{"every name", []solver.Packets{p("*", "")}, []string{}},
		{"one host", []solver.Packets{p("api.psp.example", "")}, []string{"api.psp.example"}},
		{"a tag narrows every name", []solver.Packets{p("*", "AzureMonitor")}, []string{"tag AzureMonitor"}},
		{"outside a tag", []solver.Packets{p("*", "!Storage")}, []string{"outside tag Storage"}},
		{"one part that is not narrowed opens the whole", []solver.Packets{p("a.example", ""), p("*", "")}, []string{}},
		{"sorted, once", []solver.Packets{p("b.example|a.example", ""), p("b.example", "")}, []string{"a.example", "b.example"}},
		{"cut into all names", []solver.Packets{p("(none)|a.example", "!T"), p(other, ""), p("b.example", "T")}, []string{}},
		{"cut by a tag", []solver.Packets{p("*", "T"), p("*", "!T")}, []string{}},
		{"cut by two tags", []solver.Packets{p("*", "T"), p("*", "!T U"), p("*", "!T !U")}, []string{}},
		{"one part of the cut is missing", []solver.Packets{p("*", "T"), p("*", "!T U")}, []string{"tag T", "tag U"}},
		{"names inside a tag that is open add nothing", []solver.Packets{p(other+"|login.example", "T"), p("management.example", "T")}, []string{"tag T"}},
		{"a host beside a tag", []solver.Packets{p(other, "T"), p("a.example", "!T")}, []string{"a.example", "tag T"}},
		{"a bare address", []solver.Packets{p("(none)", "!T")}, []string{"no name"}},
	} {
		if diff := cmp.Diff(Targets(test.in), test.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.name, diff)
		}
	}
}

// Services that are narrowed apart are said apart.
func TestAsk(t *testing.T) {
	p := func(protocol, ports, names, tags string) solver.Packets {
		return solver.Packets{Protocol: protocol, DPort: strings.Fields(ports), Names: strings.Split(names, "|"), Tags: strings.Fields(tags)}
	}
	for _, test := range []struct {
		name string
		in   []solver.Packets
		want string
	}{
		{"one", []solver.Packets{p("tcp", "443", "*", "")}, "tcp/443"},
		{"a port for one tag alone", []solver.Packets{p("tcp", "443", "*", ""), p("tcp", "65200-65535", "*", "GatewayManager")}, "tcp/443 | tcp/65200-65535 to tag GatewayManager"},
		{
			"cut by ports and names at once",
			[]solver.Packets{p("tcp", "0-65535", "(any other name)", ""), p("tcp", "22 443", "a.example", "")},
			"tcp/*",
		},
		{"inside the ports of another", []solver.Packets{p("tcp", "1-100", "a.example", ""), p("tcp", "22", "*", "")}, "tcp/22 | tcp/1-21, tcp/23-100 to a.example"},
	} {
		var got []string
		for _, a := range Ask(test.in) {
			s := strings.Join(a.Services, ", ")
			if len(a.Targets) > 0 {
				s += " to " + strings.Join(a.Targets, ", ")
			}
			got = append(got, s)
		}
		if got := strings.Join(got, " | "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, test := range []struct {
		n    int
		want string
	}{{1, "a, +2"}, {2, "a, b, +1"}, {3, "a, b, c"}} {
		if got := Short([]string{"a", "b", "c"}, test.n); got != test.want {
			t.Errorf("Short of three with %d: got %q, want %q", test.n, got, test.want)
		}
	}
	if got := Clip("wireless", 5); got != "wire…" {
		t.Errorf("Clip: got %q", got)
	}
}
