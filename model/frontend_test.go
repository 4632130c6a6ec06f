package model

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// K8S-SVC-11: where the frontends of a Service are.
func TestFrontendsOf(t *testing.T) {
	const prefix = "service.beta.kubernetes.io/"
	addr := netip.MustParseAddr
	rg := func(group, name string) ID {
		return ID("/subscriptions/s/resourceGroups/" + group + "/providers/Microsoft.Network/publicIPAddresses/" + name)
	}
	ip := func(id ID, address string, tags map[string]string) *PublicIP {
		p := &PublicIP{Meta: Meta{ID: id, Tags: tags}}
		if address != "" {
			p.Address = addr(address)
		}
		return p
	}
	internal := map[string]string{prefix + "azure-load-balancer-internal": "true"}
	with := func(m map[string]string, more ...string) map[string]string {
		out := map[string]string{}
		for k, v := range m {
			out[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			out[prefix+more[i]] = more[i+1]
		}
		return out
	}
	for _, test := range []struct {
		name    string
		service KubeService
		ips     []*PublicIP
		want    []string
	}{
		{"no LoadBalancer", KubeService{Type: "NodePort", Ingress: []netip.Addr{addr("20.0.0.1")}}, nil, nil},
		{"status of two families", KubeService{Ingress: []netip.Addr{addr("20.0.0.1"), addr("2603:1020::1")}}, nil, []string{"20.0.0.1 public", "2603:1020::1 public"}},
		{"status goes first", KubeService{Ingress: []netip.Addr{addr("20.0.0.1")}, Annotations: with(nil, "azure-load-balancer-ipv4", "20.0.0.2")}, nil, []string{"20.0.0.1 public"}},
		{"annotation of one family, field of the other", KubeService{LoadBalancerIP: addr("2603:1020::1"), Annotations: with(nil, "azure-load-balancer-ipv4", "20.0.0.2")}, nil, []string{"20.0.0.2 public", "2603:1020::1 public"}},
		{"annotation before the field", KubeService{LoadBalancerIP: addr("20.0.0.1"), Annotations: with(nil, "azure-load-balancer-ipv4", "20.0.0.2")}, nil, []string{"20.0.0.2 public"}},
		{"internal", KubeService{LoadBalancerIP: addr("10.0.0.9"), Annotations: internal}, nil, []string{"10.0.0.9"}},
		{"internal, in a network of public addresses", KubeService{LoadBalancerIP: addr("51.0.0.9"), Annotations: internal}, nil, []string{"51.0.0.9"}},
		{"internal, not stated", KubeService{Annotations: internal}, nil, []string{"symbol"}},
		{"public, not stated", KubeService{}, nil, []string{"symbol public"}},
		{"asked for internal, stands public", KubeService{Ingress: []netip.Addr{addr("20.0.0.1")}, Annotations: internal}, nil, []string{"20.0.0.1 public?", "symbol?"}},
		{"asked for public, stands internal", KubeService{Ingress: []netip.Addr{addr("100.64.0.1")}}, nil, []string{"100.64.0.1?", "symbol public?"}},
		{"by name", KubeService{Annotations: with(nil, "azure-pip-name", "P4", "azure-pip-name-ipv6", "p6")}, []*PublicIP{ip(rg("a", "p4"), "20.0.0.4", nil), ip(rg("a", "p6"), "2603:1020::6", nil)}, []string{"20.0.0.4 public", "2603:1020::6 public"}},
		{"by name, without an address", KubeService{Annotations: with(nil, "azure-pip-name", "p4")}, []*PublicIP{ip(rg("a", "p4"), "", nil)}, []string{"symbol public"}},
		{"by tag", KubeService{}, []*PublicIP{ip(rg("mc", "p"), "20.0.0.5", map[string]string{"k8s-azure-service": "x/other, x/web"})}, []string{"20.0.0.5 public"}},
		{"by the older tag", KubeService{}, []*PublicIP{ip(rg("mc", "p"), "20.0.0.5", map[string]string{"service": "x/web"})}, []string{"20.0.0.5 public"}},
		{"a tag of another Service", KubeService{}, []*PublicIP{ip(rg("mc", "p"), "20.0.0.5", map[string]string{"k8s-azure-service": "x/web2"})}, []string{"symbol public"}},
		{"a tag in another group", KubeService{}, []*PublicIP{ip(rg("elsewhere", "p"), "20.0.0.5", map[string]string{"k8s-azure-service": "x/web"})}, []string{"symbol public"}},
		{"a tag and internal", KubeService{Annotations: internal}, []*PublicIP{ip(rg("mc", "p"), "20.0.0.5", map[string]string{"k8s-azure-service": "x/web"})}, []string{"symbol"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.service
			s.ID, s.Cluster, s.Namespace = Kubernetes("aks", "Service", "x", "web"), "/subscriptions/s/resourceGroups/a/providers/Microsoft.ContainerService/managedClusters/aks", "x"
			if s.Type == "" {
				s.Type = "LoadBalancer"
			}
			resources := []Resource{
				&s, &Cluster{Meta: Meta{ID: s.Cluster}, NodeGroup: "MC"},
				&VNet{Meta: Meta{ID: "/subscriptions/s/resourceGroups/a/providers/Microsoft.Network/virtualNetworks/v"}, Prefixes: []netip.Prefix{netip.MustParsePrefix("51.0.0.0/24")}},
			}
			for _, p := range test.ips {
				resources = append(resources, p)
			}
			e, err := NewEstate(resources, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range e.FrontendsOf(&s) {
				text := f.Addr.String()
				if SymbolBlock().Contains(f.Addr) {
					text = "symbol"
				}
				if f.Public {
					text += " public"
				}
				if !f.Certain {
					text += "?"
				}
				got = append(got, text)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %s, want %s", fmt.Sprint(got), fmt.Sprint(test.want))
			}
		})
	}
}
