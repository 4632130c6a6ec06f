package solver

import (
	"slices"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// AZ-GEN-13, AKS-NET-12: nobody chooses the node on which a pod runs, or the address that a NAT gateway shows. What passes with some of them
// is not certain; what passes with each of them is, whichever rules admit them. Nodes have 10.0.0.4 and 10.0.0.5, the gateway
// 20.0.0.4 and 20.0.0.5.
func TestPickedSources(t *testing.T) {
	any, ports := model.AddressMatch{Any: true}, []model.PortRange{model.AllPorts}
	from := func(access model.Access, list ...string) model.SecurityRule {
		r := model.SecurityRule{Access: access, Direction: model.Inbound, Protocol: model.TCP, SourceAddrs: any, DestAddrs: any, SourcePorts: ports, DestPorts: ports}
		if len(list) > 0 {
			r.SourceAddrs = model.AddressMatch{Prefixes: cidrs(list...)}
		}
		return r
	}
	allow := func(list ...string) model.SecurityRule { return from(model.Allow, list...) }
	deny := func(list ...string) model.SecurityRule { return from(model.Deny, list...) }
	for _, test := range []struct {
		name, from, to string
		rules          []model.SecurityRule
		admitted       []string // by the account's firewall
		want           Outcome
		reach          Verdict
	}{
		{"one of two nodes", "pod:x/w", "nic:vm", []model.SecurityRule{allow("10.0.0.4/32"), deny()}, nil, Undecided, Unknown},
		{"both nodes", "pod:x/w", "nic:vm", []model.SecurityRule{allow("10.0.0.4/32", "10.0.0.5/32"), deny()}, nil, Pass, Reachable},
		{"each node by a rule of its own", "pod:x/w", "nic:vm", []model.SecurityRule{allow("10.0.0.4/32"), allow("10.0.0.5/32"), deny()}, nil, Pass, Reachable},
		{"all but one node", "pod:x/w", "nic:vm", []model.SecurityRule{deny("10.0.0.5/32")}, nil, Undecided, Unknown},
		{"the subnet", "pod:x/w", "nic:vm", []model.SecurityRule{allow("10.0.0.0/29"), deny()}, nil, Pass, Reachable},
		{"neither node", "pod:x/w", "nic:vm", []model.SecurityRule{deny("10.0.0.4/31")}, nil, Fail, Unreachable},
		{"one of the gateway's addresses", "pod:x/w", "service:st", nil, []string{"20.0.0.4/32"}, Undecided, Unknown},
		{"both of the gateway's addresses", "pod:x/w", "service:st", nil, []string{"20.0.0.4/32", "20.0.0.5/32"}, Pass, Reachable},
		{"one of the gateway's addresses, of a machine", "nic:vm", "service:st", nil, []string{"20.0.0.5/32"}, Undecided, Unknown},
		{"both of them, of a machine", "nic:vm", "service:st", nil, []string{"20.0.0.4/31"}, Pass, Reachable},
	} {
		t.Run(test.name, func(t *testing.T) {
			vnet := &model.VNet{Meta: smallMeta("virtualNetworks/v"), Prefixes: cidrs("10.0.0.0/27")}
			subnet := func(name, prefix string) *model.Subnet {
				return &model.Subnet{Meta: smallMeta("virtualNetworks/v/subnets/" + name), VNet: vnet.ID, Prefixes: cidrs(prefix), NATGateway: smallID("natGateways/nat")}
			}
			nic := func(name, subnet, address string) *model.NIC {
				return &model.NIC{Meta: smallMeta("networkInterfaces/" + name), IPForwarding: model.Off, IPConfigs: []model.IPConfig{{Name: "a", Subnet: smallID("virtualNetworks/v/subnets/" + subnet), Address: ip(address)}}}
			}
			public := func(name, address string) *model.PublicIP {
				return &model.PublicIP{Meta: smallMeta("publicIPAddresses/" + name), SKU: model.Standard, Address: ip(address)}
			}
			nsg := &model.NSG{Meta: smallMeta("networkSecurityGroups/n"), Rules: model.DefaultRules()}
			for i, r := range test.rules {
				r.Name, r.Priority = "r"+string(rune('0'+i)), 100+i
				nsg.Rules = append(nsg.Rules, r)
			}
			vm := nic("vm", "d", "10.0.0.12")
			vm.NSG = nsg.ID
			cluster := &model.Cluster{
				Meta: smallMeta("managedClusters/aks"), Plugin: "azure", PluginMode: "overlay", PodCIDRs: cidrs("10.244.0.0/24"), OutboundType: "userAssignedNATGateway",
				Pools: []model.NodePool{{Name: "a", Subnet: smallID("virtualNetworks/v/subnets/nodes")}},
			}
			account := &model.Service{Meta: smallMeta("storageAccounts/st"), Kind: model.StorageAccount, Public: "Enabled", DefaultAccess: model.Deny, HasACLs: true, IPRules: []model.IPRule{{Name: "r", Prefixes: cidrs(test.admitted...)}}}
			account.Location = "eastus" // in the cluster's region IP rules are open (ASM-E-STREGION)
			e, err := model.NewEstate(small{
				vnet, subnet("nodes", "10.0.0.0/29"), subnet("d", "10.0.0.8/29"), nic("held", "nodes", "10.0.0.6"), vm, nsg, cluster,
				&model.Workload{Meta: model.Meta{ID: model.Kubernetes("aks", "Deployment", "x", "w"), Source: cluster.Source}, Cluster: cluster.ID, Namespace: "x", Kind: "Deployment", Replicas: 2},
				&model.NATGateway{Meta: smallMeta("natGateways/nat"), PublicIPs: []model.ID{smallID("publicIPAddresses/p4"), smallID("publicIPAddresses/p5")}},
				public("p4", "20.0.0.4"), public("p5", "20.0.0.5"), account,
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Solve(&model.Project{Estate: e}, Options{Questions: selectors(t, test.from, test.to)})
			if err != nil {
				t.Fatal(err)
			}
			a, b := selectors(t, test.from), selectors(t, test.to)
			services := []model.PortService{{Protocol: model.TCP, Ports: model.PortRange{First: 443, Last: 443}}}
			must, err := s.Check(model.Assertion{ID: "x", Verb: model.VerbMust, From: a, To: b, Services: services, DirectOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			if must.Verdict != test.want {
				t.Errorf("must: got %s, want %s: %s", must.Verdict, test.want, must.Reason)
			}
			r, err := s.Reach(a, b, services, true)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != test.reach {
				t.Errorf("reach: got %s, want %s", r.Verdict, test.reach)
			}
			for _, list := range [][]Assumption{must.Assumptions, r.Assumptions} {
				named := slices.ContainsFunc(list, func(a Assumption) bool { return a.ID == "ASM-SNATPOOL" })
				if named != (test.reach == Unknown) {
					t.Errorf("ASM-SNATPOOL named: got %v; %v", named, list)
				}
			}
			agree(t, s, 200, 1)
		})
	}
}
