package solver

import (
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// What a cluster leaves out is named: a pool without a subnet (AKS-NET-12), a network profile without a plugin (ASM-A-PLUGIN).
func TestUnstatedClusters(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*model.Cluster)
		strict bool
		want   Verdict
		reason string
	}{
		{"all stated", func(*model.Cluster) {}, false, Reachable, ""},
		{"a pool without a subnet", func(c *model.Cluster) { c.Pools[0].Subnet = "" }, false, Unknown, "MISSING(nodes of the cluster)"},
		{"a pool whose subnet the input lacks", func(c *model.Cluster) { c.Pools[0].Subnet = smallID("virtualNetworks/v/subnets/gone") }, false, Unknown, "MISSING(subnet v/gone)"},
		{"no network profile", func(c *model.Cluster) { c.Plugin, c.PluginMode, c.PodCIDRs = "", "", nil }, false, Reachable, "ASM-A-PLUGIN"},
		{"no network profile, strict", func(c *model.Cluster) { c.Plugin, c.PluginMode, c.PodCIDRs = "", "", nil }, true, Unknown, "ASM-K-BYOCNI"},
		{"no pools", func(c *model.Cluster) { c.Pools = nil }, false, Unknown, "MISSING(nodes of the cluster)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			vnet := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/27")}
			nodes := &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/nodes"), VNet: vnet.ID, Prefixes: cidrs("10.0.0.0/29")}
			other := &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/other"), VNet: vnet.ID, Prefixes: cidrs("10.0.0.8/29")}
			vm := &model.NIC{Meta: smallMeta("networkInterfaces/vm"), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: other.ID, Address: ip("10.0.0.12")}}}
			c := &model.Cluster{Meta: smallMeta("managedClusters/aks"), Plugin: "azure", PluginMode: "overlay", PodCIDRs: cidrs("10.244.0.0/16"), Pools: []model.NodePool{{Name: "a", Subnet: nodes.ID}}}
			test.change(c)
			w := &model.Workload{Meta: model.Meta{ID: model.Kubernetes("aks", "Deployment", "x", "w"), Source: model.Source{File: "found"}}, Cluster: c.ID, Namespace: "x", Kind: "Deployment"}
			e, err := model.NewEstate(small{vnet, nodes, other, vm, c, w}, nil)
			if err != nil {
				t.Fatal(err)
			}
			from, to := selectors(t, "pod:x/w"), selectors(t, "nic:vm")
			s, err := Solve(&model.Project{Estate: e}, Options{Questions: append(slices.Clone(from), to...), Strict: test.strict})
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Reach(from, to, []model.PortService{{Protocol: model.TCP, Ports: model.PortRange{First: 443, Last: 443}}}, true)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != test.want {
				t.Errorf("got %s, want %s", r.Verdict, test.want)
			}
			if test.reason != "" && !slices.ContainsFunc(r.Assumptions, func(a Assumption) bool { return a.ID == test.reason }) {
				t.Errorf("%s is not named: %v", test.reason, r.Assumptions)
			}
		})
	}
}
