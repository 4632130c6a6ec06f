package model_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

func networkID(group, rest string) model.ID {
	return model.ID("/subscriptions/s/resourceGroups/" + group + "/providers/Microsoft.Network/" + rest)
}

func vnet(group, name, file string, prefixes ...string) *model.VNet {
	v := &model.VNet{Meta: model.Meta{ID: networkID(group, "virtualNetworks/"+name), Source: model.Source{File: file, Line: 1}}}
	for _, p := range prefixes {
		v.Prefixes = append(v.Prefixes, netip.MustParsePrefix(p))
	}
	return v
}

func subnet(v *model.VNet, name, prefix string) *model.Subnet {
	return &model.Subnet{
		Meta: model.Meta{ID: v.ID + model.ID("/subnets/"+name), Source: v.Source}, VNet: v.ID, Prefixes: []netip.Prefix{netip.MustParsePrefix(prefix)},
	}
}

// The same resource twice is fine when both copies say the same, wherever they were read and however the ID is spelt; different copies
// are an error that names both places.
func TestTheSameResourceTwice(t *testing.T) {
	a, b := vnet("rg", "v", "a.json", "10.0.0.0/16"), vnet("RG", "V", "b.json", "10.0.0.0/16")
	e, err := model.NewEstate([]model.Resource{b, a}, nil)
	if err != nil || len(e.VNets) != 1 {
		t.Fatalf("got %d VNets, %v", len(e.VNets), err)
	}
	b.Prefixes[0] = netip.MustParsePrefix("10.1.0.0/16")
	_, err = model.NewEstate([]model.Resource{b, a}, nil)
	if err == nil || !strings.Contains(err.Error(), "a.json:1") || !strings.Contains(err.Error(), "b.json:1") {
		t.Errorf("got %v, want both places", err)
	}
}

// Slices are sorted, references resolve without case, and VNets know their subnets.
func TestEstate(t *testing.T) {
	v := vnet("rg", "v", "f", "10.0.0.0/16")
	one, two := subnet(v, "one", "10.0.1.0/24"), subnet(v, "two", "10.0.2.0/24")
	two.VNet = model.ID(strings.ToUpper(string(v.ID)))
	e, err := model.NewEstate([]model.Resource{two, v, one}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]model.ID{one.ID, two.ID}, v.Subnets); diff != "" {
		t.Errorf("subnets: %s", diff)
	}
	if s, owner := e.SubnetOf(model.ID(strings.ToUpper(string(two.ID)))); s != two || owner != v {
		t.Errorf("got %v in %v", s, owner)
	}
	if _, ok := model.Get[*model.NSG](e, v.ID); ok {
		t.Error("a VNet is no NSG")
	}
}

func TestFind(t *testing.T) {
	v, w := vnet("rg-a", "hub", "f"), vnet("rg-b", "hub", "f")
	s := subnet(vnet("rg-c", "spoke", "f"), "app", "10.0.1.0/24")
	e, err := model.NewEstate([]model.Resource{v, w, s}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"vnet:rg-a/hub": 1, "vnet:RG-A/HUB": 1, "vnet:*/hub": 2, "vnet:h*": 2, "subnet:spoke/app": 1, "vnet:" + string(v.ID): 1} {
		sel, err := model.ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := e.Find(sel); err != nil || len(found) != want {
			t.Errorf("%s: got %d, %v", text, len(found), err)
		}
	}
	for text, want := range map[string]string{
		"vnet:hub":         "ambiguous: `vnet:rg-a/hub`, `vnet:rg-b/hub`",
		"subnet:spoke/ap":  "candidates: `subnet:spoke/app`",
		"nic:n":            "it holds none at all",
		"vnet:/no/such/id": "holds no virtual network with this ID",
	} {
		sel, err := model.ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = e.Find(sel); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	refs := model.NewRefs(e)
	for want, got := range map[string]string{"vnet:rg-a/hub": refs.Of(model.SelVNet, v), "subnet:spoke/app": refs.Of(model.SelSubnet, s)} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Whoever has no stated address has a symbol of its own, whatever the order of the input.
func TestSymbols(t *testing.T) {
	nic := func(name string) *model.NIC {
		return &model.NIC{Meta: model.Meta{ID: networkID("rg", "networkInterfaces/"+name)}, IPConfigs: []model.IPConfig{{Name: "c"}, {Name: "stated", Address: netip.MustParseAddr("10.0.0.4")}}}
	}
	var tables [2][]model.Symbol
	for i, list := range [][]model.Resource{{nic("a"), nic("b")}, {nic("b"), nic("a")}} {
		e, err := model.NewEstate(list, nil)
		if err != nil {
			t.Fatal(err)
		}
		tables[i] = e.Symbols().All()
		seen := map[netip.Addr]bool{}
		for _, s := range tables[i] {
			if seen[s.Addr] || !model.SymbolBlock().Contains(s.Addr) {
				t.Errorf("%v is taken, or outside the block", s.Addr)
			}
			seen[s.Addr] = true
			if back, ok := e.Symbols().At(s.Addr); !ok || back != s {
				t.Errorf("%v: got %v", s, back)
			}
			if a, ok := e.Symbols().Of(s.Kind, s.Owner, s.Part); !ok || a != s.Addr {
				t.Errorf("%v: got %v", s, a)
			}
		}
		if _, ok := e.Symbols().Of(model.ConfigAddress, networkID("rg", "networkInterfaces/a"), "stated"); ok {
			t.Error("a stated address needs no symbol")
		}
	}
	if diff := cmp.Diff(tables[0], tables[1], cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("the order of the input matters: %s", diff)
	}
}
