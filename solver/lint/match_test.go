package lint

import (
	"testing"

	"github.com/ringfence/ringfence/model"
)

func TestCovers(t *testing.T) {
	b := &builder{t: t}
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"*", "Internet,10.0.0.0/8", true},
		{"*", "*", true},
		{"0.0.0.0/0", "*", false}, // AZ-NSG-05: IPv4 alone
		{"0.0.0.0/0,::/0", "*", true},
		{"10.0.0.0/8", "10.1.0.0/16,10.2.0.4", true},
		{"10.0.0.0/8", "10.1.0.0/16,11.0.0.0/8", false},
		{"10.1.0.0/16", "10.0.0.0/8", false},
		{"internet", "Internet", true},
		{"Internet", "AzureCloud", false},
		{"asg:web", "asg:WEB", true},
		{"asg:web", "asg:db", false},
		{"group:a", "group:a", true},
	} {
		if got := covers(b.match(test.a), b.match(test.b)); got != test.want {
			t.Errorf("does %s hold %s: got %v, want %v", test.a, test.b, got, test.want)
		}
	}
}

func TestOverlaps(t *testing.T) {
	b := &builder{t: t}
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"10.0.0.0/8", "10.1.0.0/16", true},
		{"10.0.0.0/16", "10.1.0.0/16", false},
		{"10.0.0.0/16", "VirtualNetwork", true}, // not known
		{"*", "10.1.0.0/16", true},
	} {
		if got := overlaps(b.match(test.a), b.match(test.b)); got != test.want {
			t.Errorf("may %s and %s share an address: got %v, want %v", test.a, test.b, got, test.want)
		}
	}
}

func TestSelects(t *testing.T) {
	labels := map[string]string{"app": "web", "tier": "front"}
	req := func(key, operator string, values ...string) model.LabelSelector {
		return model.LabelSelector{Requirements: []model.Requirement{{Key: key, Operator: operator, Values: values}}}
	}
	// K8S-NP-02: NotIn and DoesNotExist match what lacks the key.
	for _, test := range []struct {
		selector model.LabelSelector
		want     bool
	}{
		{model.LabelSelector{}, true},
		{model.LabelSelector{Match: map[string]string{"app": "web"}}, true},
		{model.LabelSelector{Match: map[string]string{"app": "db"}}, false},
		{model.LabelSelector{Match: map[string]string{"zone": ""}}, false},
		{req("app", "In", "db", "web"), true},
		{req("app", "In", "db"), false},
		{req("zone", "In", "a"), false},
		{req("app", "NotIn", "web"), false},
		{req("zone", "NotIn", "web"), true},
		{req("app", "Exists"), true},
		{req("zone", "Exists"), false},
		{req("zone", "DoesNotExist"), true},
		{req("app", "DoesNotExist"), false},
		{req("app", "Unheard"), false},
	} {
		if got := selects(test.selector, labels); got != test.want {
			t.Errorf("%+v selects %v: got %v, want %v", test.selector, labels, got, test.want)
		}
	}
	// K8S-WL-02: a key that the platform sets cannot be told from a template.
	w := &model.Workload{Labels: labels, Implied: []string{"pod-template-hash"}}
	for _, test := range []struct {
		selector model.LabelSelector
		want     bool
	}{
		{model.LabelSelector{Match: map[string]string{"pod-template-hash": "5d4f"}}, true},
		{req("pod-template-hash", "In", "5d4f"), true},
		{model.LabelSelector{Match: map[string]string{"pod-template-hash": "5d4f", "app": "db"}}, false},
	} {
		if got := maySelect(test.selector, w); got != test.want {
			t.Errorf("%+v may select: got %v, want %v", test.selector, got, test.want)
		}
	}
}

func TestService(t *testing.T) {
	b := &builder{t: t}
	for _, test := range []struct {
		protocol model.Protocol
		ports    string
		want     string
	}{
		{model.TCP, "22", "tcp/22"},
		{model.TCP, "443,8000-8100", "tcp/443, 8000-8100"},
		{model.UDP, "1-65535", "udp, every port"},
		{model.ICMP, "*", "icmp"},
		{model.AnyProtocol, "*", "everything"},
		{model.AnyProtocol, "1433", "port 1433 of any protocol"},
	} {
		if got := service(test.protocol, b.ports(test.ports)); got != test.want {
			t.Errorf("%v %s: got %q, want %q", test.protocol, test.ports, got, test.want)
		}
	}
}

func TestJoin(t *testing.T) {
	for _, test := range []struct {
		list []string
		want string
	}{
		{nil, "nothing"},
		{[]string{"a"}, "a"},
		{[]string{"a", "b"}, "a and b"},
		{[]string{"a", "b", "c", "d"}, "a, b, c and d"},
		{[]string{"a", "b", "c", "d", "e", "f"}, "a, b, c, d and 2 more"},
	} {
		if got := join(test.list); got != test.want {
			t.Errorf("join %v: got %q, want %q", test.list, got, test.want)
		}
	}
}

// The table of AZ-AGW-21.
func TestTLSFloor(t *testing.T) {
	for _, test := range []struct {
		policy model.TLSPolicy
		want   string
		known  bool
	}{
		{model.TLSPolicy{Name: "AppGwSslPolicy20150501"}, "1.0", true},
		{model.TLSPolicy{Name: "appgwsslpolicy20170401"}, "1.1", true},
		{model.TLSPolicy{Name: "AppGwSslPolicy20170401S"}, "1.2", true},
		{model.TLSPolicy{Name: "AppGwSslPolicy20220101"}, "1.2", true},
		{model.TLSPolicy{Name: "AppGwSslPolicy20220101S"}, "1.2", true},
		{model.TLSPolicy{Type: "CustomV2", MinVersion: "TLSv1_3"}, "1.3", true},
		{model.TLSPolicy{Type: "Custom", MinVersion: "TLSv1_0"}, "1.0", true},
		{model.TLSPolicy{}, "", false},
		{model.TLSPolicy{Name: "AppGwSslPolicy20300101"}, "", false},
	} {
		if got, known := test.policy.Floor(); got != test.want || known != test.known {
			t.Errorf("floor of %+v: got %q, %v, want %q, %v", test.policy, got, known, test.want, test.known)
		}
	}
}

// The ports at which connections to each type of service start.
func TestPortsBehind(t *testing.T) {
	for _, test := range []struct {
		kind model.ServiceKind
		in   uint16
		out  uint16
	}{
		{model.KeyVault, 443, 80},
		{model.ContainerRegistry, 443, 5000},
		{model.SQLServer, 1433, 1443},
		{model.StorageAccount, 445, 8443},
		{model.CosmosDB, 10255, 9999},
		{model.PostgreSQL, 5432, 5433},
		{model.MySQL, 3306, 3307},
		{model.Redis, 6380, 6381},
		{model.ServiceBus, 5671, 5670},
		{model.EventHub, 9093, 9092},
		{model.LogAnalytics, 443, 444},
		{model.MonitorScope, 443, 444},
	} {
		b := &builder{t: t}
		ep := b.endpoint("pe", "net/pe", "10.0.0.4", b.service(test.kind, "data").ID)
		ports := newReader(b.project()).portsBehind(ep)
		at := func(p uint16) bool {
			for _, r := range ports {
				if r.First <= p && p <= r.Last {
					return true
				}
			}
			return false
		}
		if !at(test.in) || at(test.out) {
			t.Errorf("%s: got ports %v, want %d and not %d", test.kind, ports, test.in, test.out)
		}
	}
	b := &builder{t: t}
	c := b.cluster("aks")
	if got := newReader(b.project()).portsBehind(&model.PrivateEndpoint{Target: c.ID}); len(got) != 1 || got[0].First != 443 {
		t.Errorf("API server: got ports %v, want 443 (AKS-API-03)", got)
	}
	if got := newReader(b.project()).portsBehind(&model.PrivateEndpoint{Target: "x"}); got != nil {
		t.Errorf("a service that is not in the input: got ports %v, want none", got)
	}
}

func TestRuleNames(t *testing.T) {
	b := &builder{t: t}
	b.nsg("web")
	other := &model.NSG{Meta: meta("/subscriptions/s/resourceGroups/other/providers/Microsoft.Network/networkSecurityGroups/WEB")}
	b.add(other)
	b.nsg("app")
	r := newReader(b.project())
	for _, test := range []struct {
		id   model.ID
		want string
	}{
		{nsgID("app"), "nsg:app/Allow"},
		{nsgID("web"), "nsg:rg/web/Allow"},
		{other.ID, "nsg:other/WEB/Allow"},
	} {
		if got := r.rule("nsg", test.id, "Allow"); got != test.want {
			t.Errorf("name of a rule of %s: got %q, want %q", test.id, got, test.want)
		}
	}
	g := &model.NSG{Meta: meta(nsgID("app"))}
	if got, want := r.nsgRule(g, model.SecurityRule{Name: "AllowVnetInBound", Default: true}), "nsg:app/defaultSecurityRules/AllowVnetInBound"; got != want {
		t.Errorf("name of a default rule: got %q, want %q", got, want)
	}
}
