package solver

import (
	"slices"
	"testing"

	"github.com/ringfence/ringfence/importers/azure"
	az "github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
)

// proxied is the estate of X-EDGE-22: a cluster in spoke/nodes with an HTTP proxy, and a hub firewall that lets the proxy's subnet out by an
// application rule, and the nodes by more.
func proxied(t *testing.T, proxy string, more ...string) *model.Estate {
	t.Helper()
	fw := az.Firewall("fw", "hub/AzureFirewallSubnet", "10.0.0.4", "fw", more...).Set("applicationRuleCollections", []any{az.Object{"name": "app", "properties": az.Object{
		"priority": 100, "action": az.Object{"type": "Allow"}, "rules": []any{az.Object{
			"name": "a", "protocols": []any{az.Object{"protocolType": "Https", "port": 443}}, "sourceAddresses": []any{"10.1.7.0/24"}, "targetFqdns": []any{"*"},
		}},
	}}})
	cluster := az.New("Microsoft.ContainerService/managedClusters", "aks", az.Object{
		"networkProfile":    az.Object{"networkPlugin": "azure", "networkPluginMode": "overlay", "networkPolicy": "none", "outboundType": "userDefinedRouting", "podCidr": "10.244.0.0/16"},
		"agentPoolProfiles": []any{az.Object{"name": "np", "vnetSubnetID": az.SubnetID("spoke/nodes"), "count": 1, "osType": "Linux"}},
		"httpProxyConfig":   az.Object{"httpProxy": proxy, "httpsProxy": proxy},
	})
	fsys := az.FS(
		az.VNet("hub", "10.0.0.0/16", az.Subnet("AzureFirewallSubnet", "10.0.0.0/26"), az.Peering("spoke", "forwarded")),
		az.VNet("spoke", "10.1.0.0/16", az.Subnet("nodes", "10.1.1.0/24", "rt=rt"), az.Subnet("proxy", "10.1.7.0/24", "rt=rt"), az.Subnet("lb", "10.1.8.0/24"), az.Peering("hub", "forwarded")),
		az.RouteTable("rt", "0.0.0.0/0 10.0.0.4"), az.PublicIP("fw", "20.0.0.4"), fw, cluster, az.NIC("proxy", "spoke/proxy", "10.1.7.4", "pool=lb/p"), az.NIC("plain", "spoke/proxy", "10.1.7.5"),
		az.LoadBalancer("lb", "frontend f spoke/lb 10.1.8.9", "rule tcp f:8080 -> p:3128"),
	)
	in, err := azure.Import(fsys, az.Files(fsys))
	if err != nil {
		t.Fatal(err)
	}
	id := model.ID(cluster["id"].(string))
	web := &model.Workload{Meta: model.Meta{ID: model.Kubernetes("aks", "Deployment", "pay", "api"), Source: model.Source{File: "m.yaml"}}, Cluster: id, Namespace: "pay", Kind: "Deployment"}
	pay := &model.Namespace{Meta: model.Meta{ID: model.Kubernetes("aks", "Namespace", "", "pay"), Source: model.Source{File: "m.yaml"}}, Cluster: id, Declared: true}
	e, err := model.NewEstate(append(in.Resources, web, pay), in.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// X-EDGE-22: a proxy setting is no enforcement, and the proxy is a relay: what its own rules allow is in no input (AKS-OUT-07, AKS-OUT-08).
func TestXEDGE22(t *testing.T) {
	declared := func(text string) *model.Intent {
		return &model.Intent{PCI: model.PCI{Proxies: selectors(t, text), ProxiesSet: true}}
	}
	without := &model.Intent{None: []model.NoneStatement{{What: "proxies"}}}
	const nodesOut = "200 Allow tcp 10.1.1.0/24 -> * 443 nodes"
	for _, test := range []struct {
		name, proxy  string
		rules        []string
		intent       *model.Intent
		direct, over Verdict
		via, note    string
	}{
		{"an address", "http://10.1.7.4:3128", nil, nil, Unreachable, Unknown, "nic:proxy", "ASM-E-PROXY"},
		{"the nodes have a way of their own", "http://10.1.7.4:3128", []string{nodesOut}, nil, Reachable, Reachable, "nic:proxy", ""},
		{"a machine like others of its subnet", "http://10.1.7.5:3128", nil, nil, Unreachable, Unknown, "nic:plain", "ASM-E-PROXY"},
		{"a load balancer before it", "http://10.1.8.9:8080", nil, nil, Unreachable, Unknown, "nic:proxy", "ASM-E-PROXY"},
		{"an address that nobody holds today", "http://10.1.7.9:3128", nil, nil, Unreachable, Unknown, "ip:10.1.7.9", "ASM-E-PROXY"},
		{"a name that no zone has", "http://proxy.corp.example:3128", nil, nil, Unreachable, Unknown, "nic:proxy", "MISSING(address of proxy.corp.example)"},
		{"the intent file says that there is none", "http://proxy.corp.example:3128", nil, without, Unreachable, Unreachable, "", ""},
		{"the intent file names it", "http://proxy.corp.example:3128", nil, declared("nic:proxy"), Unreachable, Unknown, "nic:proxy", "ASM-E-PROXY"},
		{"a port that the balancer does not take", "http://10.1.8.9:8081", nil, nil, Unreachable, Unreachable, "", ""},
		{"no proxy", "", nil, nil, Unreachable, Unreachable, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := proxied(t, test.proxy, test.rules...)
			from, to := selectors(t, "pod:pay/api"), selectors(t, "internet")
			for _, alone := range []bool{false, true} {
				o := Options{Alone: alone}
				if alone {
					o.Questions = slices.Concat(from, to)
				}
				s, err := Solve(&model.Project{Estate: e, Intent: test.intent}, o)
				if err != nil {
					t.Fatal(err)
				}
				for direct, want := range map[bool]Verdict{true: test.direct, false: test.over} {
					r, err := s.Reach(from, to, []model.PortService{portService(t, "tcp/443")}, direct)
					if err != nil {
						t.Fatal(err)
					}
					if r.Verdict != want {
						t.Errorf("alone %v, direct %v: got %s, want %s", alone, direct, r.Verdict, want)
					}
					via := slices.ContainsFunc(r.Flows, func(f Flow) bool { return f.Kind == Relayed && slices.Contains(f.Via, test.via) })
					if !direct && via != (test.via != "") {
						t.Errorf("alone %v: got flows %+v, want one over %q", alone, r.Flows, test.via)
					}
					if !direct && test.note != "" && !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == test.note }) {
						t.Errorf("alone %v: %v do not name %s", alone, r.Assumptions, test.note)
					}
				}
			}
			s, err := Solve(&model.Project{Estate: e, Intent: test.intent}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := map[Verdict]Outcome{Unreachable: Fail, Unknown: Undecided, Reachable: Pass}[test.over]
			must, err := s.Check(model.Assertion{ID: "m", Verb: model.VerbMust, From: from, To: to, Services: []model.PortService{portService(t, "tcp/443")}})
			if err != nil {
				t.Fatal(err)
			}
			if must.Verdict != want && test.over != Reachable { // a must to all of the internet asks for more than one name
				t.Errorf("must: got %s (%s), want %s", must.Verdict, must.Reason, want)
			}
			rows, err := s.Matrix(ByEndpoint, []model.PortService{portService(t, "tcp/443")}, false)
			if err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(rows, func(r Row) bool { return r.Src == "pod:pay/api" && r.Dst == "internet" })
			if found != (test.over != Unreachable) {
				t.Errorf("the matrix holds the pair: %v", found)
			}
		})
	}
}

// A proxy beyond a gateway has its own way to the internet, which no input describes (AKS-OUT-08).
func TestProxyOnPremises(t *testing.T) {
	resources := []az.Resource{
		az.VNet("net", "10.1.0.0/16", az.Subnet("GatewaySubnet", "10.1.255.0/27"), az.Subnet("nodes", "10.1.1.0/24", "outbound=false")), az.VPNGateway("vgw", "net"),
		az.LocalGateway("site", "10.80.0.0/16"), az.Connection("c", "vgw", "local:site"),
		az.New("Microsoft.ContainerService/managedClusters", "aks", az.Object{
			"networkProfile":    az.Object{"networkPlugin": "azure", "networkPluginMode": "overlay", "outboundType": "none"},
			"agentPoolProfiles": []any{az.Object{"name": "np", "vnetSubnetID": az.SubnetID("net/nodes"), "count": 1, "osType": "Linux"}},
			"httpProxyConfig":   az.Object{"httpsProxy": "http://10.80.0.9:3128"},
		}),
	}
	rows := []exampleRow{{from: "nodepool:aks/np", to: "ip:203.0.113.9"}}
	s := written(t, resources, rows)
	for service, want := range map[string]bool{"tcp/443": true, "udp/443": false} {
		r, err := s.Reach(selectors(t, "nodepool:aks/np"), selectors(t, "ip:203.0.113.9"), []model.PortService{portService(t, service)}, false)
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(r.Flows, func(f Flow) bool { return f.Verdict == Unknown && slices.Equal(f.Via, []string{"ip:10.80.0.9"}) })
		if found != want {
			t.Errorf("%s: got flows %+v, want one over the proxy: %v", service, r.Flows, want)
		}
	}
}
