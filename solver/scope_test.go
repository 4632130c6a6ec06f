package solver

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/model"
)

// What is out of scope is proved to be, question by question; what is connected has a packet, or a link that says why.
func TestScope(t *testing.T) {
	for _, test := range []struct {
		example string
		want    map[string]Category
	}{
		{"aks-pci", map[string]Category{
			"pod:payments/api": InCDE, "service:sql-cards": InCDE,
			"appgw:agw": ConnectedTo, "internet": ConnectedTo, "nodepool:npsystem": ConnectedTo, "cidr:10.80.0.0/13": ConnectedTo,
			"service:acrprod": ConnectedTo, // by its private endpoint
			"gateway:vgw-hub": SecurityImpacting, "nic:nic-vm-jump": SecurityImpacting,
			"pod:shop/cart": OutOfScope, "nic:nic-vm-collector": OutOfScope, "cidr:10.90.0.0/16": OutOfScope,
		}},
		{"aks-pci-broken", map[string]Category{
			"cidr:10.90.0.0/16": ConnectedTo, "pod:shop/cart": ConnectedTo, "nic:nic-vm-jump": ConnectedTo, "nic:nic-vm-collector": OutOfScope,
		}},
	} {
		s, err := Solve(project(t, "../examples/"+test.example), Options{EachNIC: true})
		if err != nil {
			t.Fatal(err)
		}
		scope, err := s.Scope(false)
		if err != nil {
			t.Fatal(err)
		}
		cde, err := model.ParseSelectors([]string{"zone:cde", "zone:data"})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]Category{}
		for _, x := range scope.Systems {
			got[x.System] = x.Category
			switch x.Category {
			case ConnectedTo:
				if len(x.Reasons) > 0 && x.Witness == nil {
					t.Errorf("%s: %s is connected, and no packet shows it", test.example, x.System)
				}
			case OutOfScope:
				kind, _, _ := strings.Cut(x.System, ":")
				if !slices.Contains([]string{"pod", "nic", "nodepool", "endpoint", "appgw", "bastion", "cidr", "internet"}, kind) {
					continue // the selector names more than the system
				}
				one, err := model.ParseSelectors([]string{x.System})
				if err != nil {
					t.Fatal(err)
				}
				for _, q := range [][2][]model.Selector{{one, cde}, {cde, one}} {
					r, err := s.Reach(q[0], q[1], nil, false)
					if err != nil {
						t.Fatal(err)
					}
					if r.Verdict != Unreachable {
						t.Errorf("%s: %s is out of scope, and %s to %s is %s", test.example, x.System, r.From, r.To, r.Verdict)
					}
				}
			case InCDE, SecurityImpacting:
			}
		}
		for system, want := range test.want {
			if got[system] != want {
				t.Errorf("%s: %s: got %s, want %s", test.example, system, got[system], want)
			}
		}
	}
}

// A node on which a pod of the CDE may run, and the other interface of a machine, are in scope without any packet of their own (ASM-K-NODE).
func TestScopeLinks(t *testing.T) {
	p := project(t, "../examples/aks-pci")
	in := *p.Intent
	in.Zones = slices.Clone(in.Zones)
	for i, z := range in.Zones {
		switch z.Name {
		case "cde": // the pods alone: their nodes are somebody else's
			in.Zones[i].Members = slices.DeleteFunc(slices.Clone(z.Members), func(m model.Selector) bool { return m.Kind == model.SelSubnet })
		case "oos":
			more, err := model.ParseSelectors([]string{"subnet:vnet-spoke/snet-cluster-inscope"})
			if err != nil {
				t.Fatal(err)
			}
			in.Zones[i].Members = append(slices.Clone(z.Members), more...)
		}
	}
	in.Assertions, in.Justifications = nil, nil
	s, err := Solve(&model.Project{Estate: p.Estate, Intent: &in}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	scope, err := s.Scope(false)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(scope.Systems, func(x System) bool { return x.System == "nodepool:npinscope" })
	if i < 0 || scope.Systems[i].Category != ConnectedTo {
		t.Errorf("got %+v, want the node pool of the pods connected", scope.Systems)
	}
}
