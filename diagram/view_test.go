package diagram

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/solver"
)

// campus is an estate of subnets: a CDE, and n trusted subnets that the CDE's reaches.
func campus(n int) Input {
	in := Input{
		View: View{Level: SubnetLevel},
		Zones: []ZoneInfo{
			{Name: "cde", Kind: "cde", Members: []MemberInfo{{Ref: "subnet:v/cards", VNet: "v", Subnet: "cards", Filters: []string{"nsg-cards"}}}},
			{Name: "office", Kind: "trusted"},
			{Name: "lab", Kind: "trusted", Members: []MemberInfo{{Ref: "subnet:v/lab", VNet: "v", Subnet: "lab"}}},
			{Name: "wlan", Kind: "wireless", Members: []MemberInfo{{Ref: "cidr:10.90.0.0/16"}}},
		},
		Subnets: []SubnetInfo{{VNet: "v", Subnet: "cards", Prefix: "10.0.0.0/24", NSG: "nsg-cards", In: 4, Out: 2, RouteTable: "rt"}},
		Rows:    []solver.Row{row("zone:cde", "zone:office", "tcp/443")},
		Members: []solver.Row{},
	}
	for i := range n {
		name := fmt.Sprintf("s%03d", i)
		in.Zones[1].Members = append(in.Zones[1].Members, MemberInfo{Ref: "subnet:v/" + name, VNet: "v", Subnet: name, Filters: []string{"nsg-office"}})
		in.Members = append(in.Members, row("subnet:v/cards", "subnet:v/"+name, "tcp/443"))
	}
	return in
}

func network(t *testing.T, in Input) *Panel {
	t.Helper()
	d, err := Network(in)
	if err != nil {
		t.Fatal(err)
	}
	return &d.Panels[len(d.Panels)-1]
}

func (p *Panel) node(label string) Node {
	for _, n := range p.Nodes {
		if n.Label == label {
			return n
		}
	}
	return Node{}
}

// A subnet shows its prefix, what filters at its border, and every flow with the filters that it crosses.
func TestSubnetLevel(t *testing.T) {
	in := campus(2)
	in.Controls = []MemberInfo{{Ref: "firewall:fw", VNet: "v", Subnet: "cards", Label: "10.0.0.4", Badges: []string{"Premium"}}}
	in.Members = append(in.Members, row("subnet:v/s000", "subnet:v/lab", "tcp/22"), row("cidr:10.90.4.0/24", "subnet:v/lab", "udp/53"))
	p := network(t, in)
	want := []string{
		"v/cards to v/s000: tcp/443; filtered by nsg-cards out, nsg-office in; direct",
		"v/cards to v/s001: tcp/443; filtered by nsg-cards out, nsg-office in; direct",
		"wlan/10.90.0.0/16 to v/lab: udp/53; direct", // a part of the zone's block
		"v/s000 to v/lab: tcp/22; filtered by nsg-office out; direct",
	}
	got := p.flows()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("lines (-got +want):\n%s", diff)
	}
	n := p.node("cards")
	if n.Detail != "10.0.0.0/24" || !slices.Equal(n.Badges, []string{"NSG nsg-cards: 4 in, 2 out", "routes rt"}) {
		t.Errorf("the subnet: got %q and %q, want its prefix, its NSG with the number of rules, and its route table", n.Detail, n.Badges)
	}
	if len(n.Holds) != 1 || n.Holds[0] != (Item{"firewall:fw", "firewall", "fw", "10.0.0.4, Premium"}) {
		t.Errorf("what stands in the subnet: got %v, want the firewall", n.Holds)
	}
	if got, want := p.node("10.90.0.0/16").Detail, "no path (proved) to: lab, office, cde"; got != want {
		t.Errorf("the wireless network: got %q, want %q, as the rows by zone say", got, want)
	}
}

// Nodes that no flow tells apart are one box, which names them; a box with a control in it stays by itself.
func TestTwins(t *testing.T) {
	in := campus(7)
	in.Members[3] = row("subnet:v/cards", "subnet:v/s003", "tcp/22")
	in.Controls = []MemberInfo{{Ref: "bastion:b", VNet: "v", Subnet: "s005"}}
	p := network(t, in)
	want := []string{
		"v/cards to v/5 subnets: tcp/443; filtered by nsg-cards out, nsg-office in; direct",
		"v/cards to v/s003: tcp/22; filtered by nsg-cards out, nsg-office in; direct",
		"v/cards to v/s005: tcp/443; filtered by nsg-cards out, nsg-office in; direct",
	}
	if diff := cmp.Diff(p.flows(), want); diff != "" {
		t.Errorf("lines (-got +want):\n%s", diff)
	}
	n := p.node("5 subnets")
	if want := []string{"subnet:v/s000", "subnet:v/s001", "subnet:v/s002", "subnet:v/s004", "subnet:v/s006"}; !slices.Equal(n.Stands, want) || !strings.HasPrefix(n.Detail, "s000, s001, s002, s004, s006") {
		t.Errorf("the box: got %q, %q, want the names of its subnets", n.Stands, n.Detail)
	}
	if !slices.Contains(p.Notes, "1 box stands for several that no flow tells apart.") {
		t.Errorf("notes: got %q, want one that says so", p.Notes)
	}
	t.Run("who reaches whom counts", func(t *testing.T) {
		in := campus(0)
		for _, name := range []string{"a", "b", "c", "d"} {
			in.Zones[1].Members = append(in.Zones[1].Members, MemberInfo{Ref: "subnet:v/" + name, VNet: "v", Subnet: name})
		}
		in.Members = []solver.Row{row("subnet:v/a", "subnet:v/c", "tcp/1"), row("subnet:v/b", "subnet:v/d", "tcp/1")}
		if got := network(t, in).flows(); len(got) != 2 {
			t.Errorf("a to c and b to d: got %q; one line would say that a reaches d", got)
		}
	})
}

// Too many lines become bundles between zones: the sheet says how many, and each flow names its bundle.
func TestBundling(t *testing.T) {
	in := campus(0)
	in.Zones[1].Members = nil
	for i := range 30 {
		name := fmt.Sprintf("s%03d", i)
		in.Zones[1].Members = append(in.Zones[1].Members, MemberInfo{Ref: "subnet:v/" + name, VNet: "v", Subnet: name})
		in.Members = append(in.Members, row("subnet:v/"+name, "subnet:v/lab", fmt.Sprint("tcp/", 1000+i)), row("subnet:v/cards", "subnet:v/"+name, fmt.Sprint("tcp/", 2000+i)))
	}
	p := network(t, in)
	var bundle Edge
	toLab, fromCDE := 0, 0
	for _, e := range p.Edges {
		switch {
		case e.Count > 0:
			bundle = e
		case e.Scope && e.Drawn:
			fromCDE++
		case !e.Scope && !e.Drawn:
			toLab++
		}
	}
	if fromCDE != 30 || toLab != 30 || bundle.Count != 30 || p.nameOf(bundle.From) != "office/any of office" || bundle.Number != 0 {
		t.Errorf("got %d lines of the CDE, %d flows not drawn, bundle %+v; want 30, 30, and one bundle of them", fromCDE, toLab, bundle)
	}
	for _, e := range p.Edges {
		if !e.Drawn && e.Bundle != bundle.ID {
			t.Errorf("%s names the bundle %q, want %q", p.sentence(e), e.Bundle, bundle.ID)
		}
	}
	if want := "30 flows are drawn as 1 bundles between zones"; !strings.Contains(strings.Join(p.Notes, " "), want) {
		t.Errorf("notes: got %q, want `%s`", p.Notes, want)
	}
	if drawn := len(p.lines()); drawn > MaxEdges {
		t.Errorf("%d lines are drawn, the limit is %d", drawn, MaxEdges)
	}
}

// What differs in more ways than a sheet has boxes is drawn coarser, and says so.
func TestSubnetsMerge(t *testing.T) {
	in := campus(0)
	for i := range 3 * MaxNodes {
		vnet, name := fmt.Sprint("v", i%3), fmt.Sprintf("s%03d", i)
		in.Zones[1].Members = append(in.Zones[1].Members, MemberInfo{Ref: "subnet:" + vnet + "/" + name, VNet: vnet, Subnet: name})
		in.Members = append(in.Members, row("subnet:v/cards", "subnet:"+vnet+"/"+name, fmt.Sprint("tcp/", 1000+i)))
	}
	p := network(t, in)
	if got := p.flows(); len(got) != 3 || !strings.HasPrefix(p.Title, "Virtual networks") || !strings.Contains(p.Notes[0], "more than 80 subnets") {
		t.Errorf("got %q, %q, %q; want one line for each virtual network, and a note", p.Title, got, p.Notes)
	}
}

// A focus shows what it names, in whatever box it stands, with its peers, and says that the rest is not shown.
func TestFocus(t *testing.T) {
	for _, test := range []struct {
		level Level
		focus string
		want  []string
		boxes []string
	}{
		{SubnetLevel, "subnet:v/lab", []string{"v/s000 to v/lab: tcp/22; direct"}, []string{"lab", "s000"}},
		{SubnetLevel, "zone:lab", []string{"v/s000 to v/lab: tcp/22; direct"}, []string{"lab", "s000"}},
		{ZoneLevel, "subnet:v/lab", []string{"office to lab: tcp/22; direct"}, nil},
		{ZoneLevel, "zone:lab", []string{"office to lab: tcp/22; direct"}, nil},
	} {
		in := campus(2)
		for i := range in.Zones {
			for j := range in.Zones[i].Members {
				in.Zones[i].Members[j].Filters = nil
			}
		}
		in.Members = append(in.Members, row("subnet:v/s000", "subnet:v/lab", "tcp/22"))
		in.Rows = append(in.Rows, row("zone:office", "zone:lab", "tcp/22"))
		in.View = View{Level: test.level, Focus: []string{test.focus}, Name: test.focus}
		p := network(t, in)
		if diff := cmp.Diff(p.flows(), test.want); diff != "" {
			t.Errorf("focus %s, level %s (-got +want):\n%s", test.focus, test.level, diff)
		}
		if test.boxes != nil {
			var got []string
			for _, n := range p.Nodes {
				got = append(got, n.Label)
			}
			slices.Sort(got)
			if !slices.Equal(got, test.boxes) {
				t.Errorf("focus %s: got boxes %q, want %q", test.focus, got, test.boxes)
			}
		}
		if len(p.Notes) != 1 || !strings.HasPrefix(p.Notes[0], "Only flows from and to "+test.focus+" are shown: 1 of ") {
			t.Errorf("focus %s: notes are %q, want one that says what is not shown", test.focus, p.Notes)
		}
	}
}

// Where there is no path is drawn on request, from and to the CDE; of what nothing was computed, nothing is claimed.
func TestDenied(t *testing.T) {
	in := campus(1)
	in.View = View{Level: ZoneLevel, Denied: true}
	want := []string{
		"cde to office: tcp/443; filtered by nsg-cards out, nsg-office in; direct",
		"internet to cde: no path (proved)", "wlan to cde: no path (proved)", "lab to cde: no path (proved)", "office to cde: no path (proved)",
		"cde to internet: no path (proved)", "cde to wlan: no path (proved)", "cde to lab: no path (proved)",
	}
	slices.Sort(want)
	got := network(t, in).flows()
	slices.Sort(got)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("lines (-got +want):\n%s", diff)
	}
	t.Run("a sender of no zone may be anybody outside", func(t *testing.T) {
		in := campus(1)
		in.View = View{Level: ZoneLevel, Denied: true}
		in.Rows = append(in.Rows, row("cidr:198.51.100.0/24", "zone:cde", "tcp/22"))
		for _, f := range network(t, in).flows() {
			if f == "wlan to cde: no path (proved)" || f == "internet to cde: no path (proved)" {
				t.Errorf("`%s`, although somebody of no zone has a path", f)
			}
		}
	})
	t.Run("nothing computed", func(t *testing.T) {
		for _, level := range Levels() {
			in := campus(1)
			in.View = View{Level: level, Denied: true}
			in.Rows, in.Members = nil, nil
			if got := network(t, in).flows(); len(got) > 0 {
				t.Errorf("level %s: got %q although nothing was computed", level, got)
			}
		}
	})
	t.Run("a zone without members", func(t *testing.T) {
		in := campus(1)
		in.Zones[2].Members = nil
		in.View = View{Level: ZoneLevel, Denied: true}
		for _, f := range network(t, in).flows() {
			if strings.Contains(f, "lab") {
				t.Errorf("`%s`, although nothing was proved of an empty zone", f)
			}
		}
	})
}

func TestUnknownLevel(t *testing.T) {
	if _, err := Network(Input{View: View{Level: "pod"}}); err == nil || !strings.Contains(err.Error(), "no level `pod`") {
		t.Errorf("got %v, want an error that names the level", err)
	}
}
