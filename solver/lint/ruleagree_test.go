package lint

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/trace"
)

// pick draws one of a list.
func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// drawRules draws rules of one direction over few addresses and ports, so that they meet. near and far are what their sides may name.
func drawRules(r *rand.Rand, direction string, near, far []string) []string {
	var out []string
	for i := range 1 + r.IntN(7) {
		from, to := pick(r, far...), pick(r, near...)
		if direction == "Out" {
			from, to = to, from
		}
		out = append(out, fmt.Sprintf("%s%d %d %s %s %s %s %s %s %s", strings.ToLower(direction), i, 100+10*i, direction, pick(r, "Allow", "Allow", "Deny"), pick(r, "tcp", "tcp", "udp", "icmp", "*"),
			from, to, pick(r, "*", "*", "22", "80-443", "443", "1000-65535"), pick(r, "*", "*", "*", "1024-65535")))
	}
	return out
}

// plainPacket is a packet of the plain reading below.
type plainPacket struct {
	src, dst     netip.Addr
	protocol     model.Protocol
	sport, dport uint16
}

// plainReading is a reading of what AZ-NSG-07 and AZ-TAG-06 leave open.
type plainReading struct{ portless, reserved bool }

func plainReadings() []plainReading {
	return []plainReading{{false, false}, {false, true}, {true, false}, {true, true}}
}

// side reports whether an address is in a side of a rule, in the VNet 10.0.0.0/16.
func (p plainReading) side(m model.AddressMatch, a netip.Addr) bool {
	in := func(list ...string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return netip.MustParsePrefix(s).Contains(a) })
	}
	if m.Any || within(a, m.Prefixes) {
		return true
	}
	return slices.ContainsFunc(m.Tags, func(t string) bool {
		switch t {
		case "VirtualNetwork":
			return in("10.0.0.0/16", "168.63.129.16/32")
		case "AzureLoadBalancer":
			return in("168.63.129.16/32")
		case "Internet":
			if in("100.64.0.0/10", "169.254.0.0/16") {
				return p.reserved
			}
			return !in("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "168.63.129.16/32")
		default:
			panic(t)
		}
	})
}

func (p plainReading) matches(u model.SecurityRule, x plainPacket) bool {
	if !p.side(u.SourceAddrs, x.src) || !p.side(u.DestAddrs, x.dst) || u.Protocol != model.AnyProtocol && u.Protocol != x.protocol {
		return false
	}
	if x.protocol.HasPorts() {
		holds := func(list []model.PortRange, port uint16) bool {
			return slices.ContainsFunc(list, func(r model.PortRange) bool { return r.First <= port && port <= r.Last })
		}
		return holds(u.SourcePorts, x.sport) && holds(u.DestPorts, x.dport)
	}
	return allPorts(u.SourcePorts) && allPorts(u.DestPorts) || p.portless
}

// plainPackets are packets at a NIC of 10.0.1.0/28 that meet every boundary of the drawn rules.
func plainPackets(d model.Direction) []plainPacket {
	var out []plainPacket
	platform := netip.MustParseAddr("168.63.129.16")
	for _, near := range []string{"10.0.1.4", "10.0.1.5", "10.0.1.9"} {
		for _, far := range []string{"10.0.1.4", "10.0.1.5", "10.0.1.9", "10.0.2.9", "10.0.9.9", "10.9.9.9", "198.51.100.9", "8.8.8.8", "168.63.129.16", "169.254.169.254", "192.168.0.1", "100.64.0.1"} {
			x := plainPacket{src: netip.MustParseAddr(far), dst: netip.MustParseAddr(near)}
			if d == model.Outbound {
				x.src, x.dst = x.dst, x.src
			}
			for _, p := range []model.Protocol{model.TCP, model.UDP, model.ICMP, model.ESP} {
				x.protocol = p
				for _, x.dport = range []uint16{0, 21, 22, 23, 53, 67, 79, 80, 81, 443, 444, 999, 1000, 32526, 65535} {
					for _, x.sport = range []uint16{0, 1024} {
						// AZ-PLAT-01 to 03: no rule for an address decides these.
						exempt := d == model.Outbound && (far == "169.254.169.254" || x.dst == platform &&
							(p == model.TCP && slices.Contains([]uint16{53, 80, 32526}, x.dport) || p == model.UDP && slices.Contains([]uint16{53, 67}, x.dport)))
						if !exempt && (p.HasPorts() || x.dport == 0 && x.sport == 0) {
							out = append(out, x)
						}
					}
				}
			}
		}
	}
	return out
}

// judge is what compare says of a list, found packet by packet.
func judge(rules []model.SecurityRule, packets []plainPacket) []string {
	var meets [][]int // of each packet in each reading: the rules that match it
	for _, p := range plainReadings() {
		for _, x := range packets {
			var list []int
			for i, u := range rules {
				if p.matches(u, x) {
					list = append(list, i)
				}
			}
			meets = append(meets, list)
		}
	}
	dead := make([]bool, len(rules))
	decide := func(meet []int) int {
		for _, i := range meet {
			if !dead[i] {
				return i
			}
		}
		return -1
	}
	matched, decides := make([]bool, len(rules)), make([]bool, len(rules))
	for _, meet := range meets {
		if i := decide(meet); i >= 0 {
			decides[i] = true
		}
		for _, i := range meet {
			matched[i] = true
		}
	}
	var out []string
	for i, u := range rules {
		switch {
		case u.Default || decides[i]:
		case matched[i]:
			out, dead[i] = append(out, "rule-shadowed "+u.Name), true
		default:
			out, dead[i] = append(out, "rule-unused "+u.Name), true
		}
	}
	for i, u := range slices.Backward(rules) {
		if u.Default || dead[i] {
			continue
		}
		same := true
		for _, meet := range meets {
			if decide(meet) != i {
				continue
			}
			dead[i] = true
			next := decide(meet)
			dead[i] = false
			same = same && (next >= 0 && rules[next].Access == model.Allow) == (u.Access == model.Allow)
		}
		if same {
			out, dead[i] = append(out, "rule-redundant "+u.Name), true
		}
	}
	slices.Sort(out)
	return out
}

// TestComparisonIsExact holds the findings about rules against a packet by packet reading of small lists: each of them is found, and
// nothing else.
func TestComparisonIsExact(t *testing.T) {
	kinds := map[string]int{}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		direction, d := "In", model.Inbound
		if seed%2 == 1 {
			direction, d = "Out", model.Outbound
		}
		rules := drawRules(r, direction, []string{"*", "*", "10.0.1.0/28", "10.0.1.4", "10.0.1.8/29", "10.0.2.0/24", "VirtualNetwork"},
			[]string{"*", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/28", "10.0.2.0/24", "198.51.100.0/24", "0.0.0.0/0", "VirtualNetwork", "Internet", "192.168.0.0/16", "168.63.129.16", "169.254.169.254"})
		b := &builder{t: t}
		b.vnet("net", "10.0.0.0/16")
		b.subnet("net/web", "10.0.1.0/28", "nsg=web")
		b.nic("app", "net/web", "10.0.1.4")
		g := b.nsg("web", rules...)
		var got []string
		for _, f := range Check(b.project()) {
			switch f.ID {
			case "rule-shadowed", "rule-redundant", "rule-unused":
				_, name, _ := strings.Cut(f.Subject, "/")
				got = append(got, f.ID+" "+name)
				kinds[f.ID]++
			}
		}
		slices.Sort(got)
		list := slices.DeleteFunc(slices.Clone(g.Rules), func(u model.SecurityRule) bool { return u.Direction != d })
		want := judge(list, plainPackets(d))
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("seed %d: (-got +want):\n%s\n%s", seed, strings.Join(rules, "\n"), diff)
		}
	}
	for _, id := range []string{"rule-shadowed", "rule-redundant", "rule-unused"} {
		if kinds[id] < 30 {
			t.Errorf("only %d findings %s: the lists test little", kinds[id], id)
		}
	}
	t.Log(kinds)
}

// TestRulesThatCanGo removes every rule that a finding calls dead, all at once, and demands that no packet fares differently, whatever is
// not known: tags that may have grown, groups with members elsewhere, two layers.
func TestRulesThatCanGo(t *testing.T) {
	gone, delivered := 0, false
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		near := []string{"*", "10.0.1.0/28", "10.0.1.4", "10.0.2.0/24", "VirtualNetwork", "asg:app"}
		far := []string{"*", "10.0.0.0/16", "10.0.2.0/24", "10.1.0.0/16", "198.51.100.0/24", "VirtualNetwork", "Internet", "Storage", "Storage.WestEurope", "asg:app", "asg:db"}
		lists := map[string][]string{}
		for _, name := range []string{"web", "own"} {
			for _, direction := range []string{"In", "Out"} {
				lists[name] = append(lists[name], drawRules(r, direction, near, far)...)
			}
		}
		routed, grouped := r.IntN(2) == 0, r.IntN(2) == 0
		build := func(dead map[string]bool) *model.Project {
			b := &builder{t: t}
			net, peer := b.vnet("net", "10.0.0.0/16"), b.vnet("peer", "10.1.0.0/16")
			mine, _ := b.peer(net, peer)
			if routed {
				b.subnet("net/web", "10.0.1.0/28", "nsg=web", "rt=out")
				b.routes("out", "default 0.0.0.0/0 10.0.2.9")
				mine.AllowVNetAccess = model.Off
			} else {
				b.subnet("net/web", "10.0.1.0/28", "nsg=web")
			}
			b.subnet("net/db", "10.0.2.0/24")
			app := b.nic("app", "net/web", "10.0.1.4", "nsg=own")
			b.nic("db", "net/db", "10.0.2.4", "asg=db")
			b.nic("peer", "peer/one", "10.1.0.4")
			b.subnet("peer/one", "10.1.0.0/24")
			if grouped {
				app.IPConfigs[0].ASGs = []model.ID{asgID("app")}
			}
			for _, name := range []string{"web", "own"} {
				g := b.nsg(name, lists[name]...)
				g.Rules = slices.DeleteFunc(g.Rules, func(u model.SecurityRule) bool {
					return dead["nsg:"+name+"/"+u.Name]
				})
			}
			return b.project()
		}
		before := build(nil)
		dead := map[string]bool{}
		for _, f := range Check(before) {
			switch f.ID {
			case "rule-shadowed", "rule-redundant", "rule-unused", "rule-overruled":
				dead[f.Subject] = true
				gone++
			}
		}
		after := build(dead)
		for range 100 {
			p := trace.Packet{
				Src: netip.MustParseAddr(pick(r, "10.0.1.4", "10.0.2.4", "10.0.2.9", "10.1.0.4", "198.51.100.7")), Dst: netip.MustParseAddr(pick(r, "10.0.1.4", "10.0.1.4", "10.0.2.4", "10.1.0.4", "20.60.0.1")),
				Protocol: pick(r, model.TCP, model.TCP, model.UDP, model.ICMP), DPort: pick[uint16](r, 22, 80, 443, 444, 1000), SPort: pick[uint16](r, 1, 50000),
			}
			if !p.Protocol.HasPorts() {
				p.DPort, p.SPort = 0, 0
			}
			if r.IntN(2) == 0 {
				p.Tags = []string{"Storage", "Storage.WestEurope"}[:1+r.IntN(2)]
			}
			x, y := trace.Run(before.Estate, trace.Options{}, p), trace.Run(after.Estate, trace.Options{}, p)
			for _, path := range append(slices.Clone(x.Paths), y.Paths...) {
				xOver, xOneWay, _ := x.Delivered(path.At)
				yOver, yOneWay, _ := y.Delivered(path.At)
				if xOneWay && !yOver || yOneWay && !xOver {
					t.Fatalf("seed %d: %v at %v: over %v, one-way %v before; over %v, one-way %v without %v\n%s",
						seed, p, path.At, xOver, xOneWay, yOver, yOneWay, dead, strings.Join(append(lists["web"], lists["own"]...), "\n"))
				}
				delivered = delivered || xOneWay
			}
		}
	}
	if !delivered {
		t.Error("no packet is ever delivered")
	}
	if gone < 100 {
		t.Errorf("only %d rules can go: the lists test little", gone)
	}
	t.Log(gone, "rules can go")
}
