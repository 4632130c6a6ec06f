package solver

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringfence/ringfence/model"
)

// What a reader is told of embedded answers is what Reach says of the same question.
func TestExploreSaysWhatReachSays(t *testing.T) {
	for _, name := range []string{"aks-pci", "aks-pci-broken"} {
		s, err := Solve(project(t, "../examples/"+name), Options{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		x, err := s.Explore(ExploreLimits{Pairs: 60_000, Packets: 1000, Alike: 1000, Walls: 1000})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d ends, %d pairs, %v", name, len(x.Ends), len(x.Pairs), time.Since(start))
		if !x.Whole || x.Left > 0 {
			t.Fatalf("%s: the limit holds every pair of %d ends", name, len(x.Ends))
		}
		pairs := map[[2]int]ExploredPair{}
		for _, p := range x.Pairs {
			pairs[[2]int{p.From, p.To}] = p
		}
		asked := map[Verdict]int{}
		for from := range x.Ends {
			for to := range x.Ends {
				zones := from < x.Zones && to < x.Zones
				if !x.Answered(from, to) || !zones && (from*31+to*17)%11 != 0 { // some of the others
					continue
				}
				for _, text := range []string{"any", "tcp/443", "tcp/22", "tcp/8000-8100", "udp/53", "icmp"} {
					svc, err := model.ParsePortService(text)
					if err != nil {
						t.Fatal(err)
					}
					sel := func(i int) []model.Selector { return selectors(t, x.Ends[i]) }
					r, err := s.Reach(sel(from), sel(to), []model.PortService{svc}, false)
					if err != nil {
						t.Fatal(err)
					}
					asked[r.Verdict]++
					if got := exploredVerdict(pairs[[2]int{from, to}], svc); got != r.Verdict {
						t.Errorf("%s: %s to %s %s: explored %s, reach %s", name, x.Ends[from], x.Ends[to], text, got, r.Verdict)
					}
				}
			}
		}
		for _, v := range []Verdict{Reachable, Unreachable} {
			if asked[v] == 0 {
				t.Errorf("%s: no question has the answer %s", name, v)
			}
		}
		t.Log(asked)
	}
}

// exploredVerdict reads an explored pair as the report does.
func exploredVerdict(p ExploredPair, svc model.PortService) Verdict {
	v := Unreachable
	for _, w := range p.Ways {
		for _, e := range w.Services {
			if !asks(e, svc) {
				continue
			}
			if w.Verdict == Reachable {
				return Reachable
			}
			v = Unknown
		}
	}
	return v
}

func asks(e Ports, svc model.PortService) bool {
	if svc.IsAny() {
		return true
	}
	names := strings.Split(e.Protocol, ",")
	if !svc.Protocol.HasPorts() {
		return e.Protocol == "any" || slices.Contains(names, "icmp") || slices.Contains(names, "icmpv6")
	}
	if e.Protocol != "any" && !slices.Contains(names, svc.Protocol.String()) {
		return false
	}
	for _, text := range e.DPort {
		first, last, ranged := strings.Cut(text, "-")
		if !ranged {
			last = first
		}
		lo, _ := strconv.Atoi(first)
		hi, _ := strconv.Atoi(last)
		if lo <= int(svc.Ports.Last) && int(svc.Ports.First) <= hi {
			return true
		}
	}
	return false
}

// What does not fit is not answered, and never taken for proved.
func TestExploreLimits(t *testing.T) {
	s, err := Solve(project(t, "../examples/aks-pci"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Explore(ExploreLimits{Pairs: 60_000, Packets: 1000, Alike: 1000, Walls: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		limits ExploreLimits
		whole  bool
		ends   int
		shown  int
	}{
		{ExploreLimits{Pairs: len(all.Ends) * len(all.Ends)}, true, len(all.Ends), 0},
		{ExploreLimits{Pairs: 2 * all.Zones * len(all.Ends), Packets: 5, Alike: 1}, false, len(all.Ends), 5},
		{ExploreLimits{Pairs: 1, Packets: 1000, Alike: 1, Walls: 3}, false, all.Zones, -1},
	} {
		x, err := s.Explore(tt.limits)
		if err != nil {
			t.Fatal(err)
		}
		if x.Whole != tt.whole || len(x.Ends) != tt.ends || x.Left != len(all.Ends)-tt.ends {
			t.Errorf("%+v: whole %v, %d ends, %d left out", tt.limits, x.Whole, len(x.Ends), x.Left)
		}
		if x.Answered(x.Zones, x.Zones+1) != tt.whole || x.Answered(2, 2) || !x.Answered(0, 1) {
			t.Errorf("%+v: what is answered", tt.limits)
		}
		shown, walls := 0, 0
		for _, p := range x.Pairs {
			if !x.Answered(p.From, p.To) {
				t.Errorf("%+v: %s to %s is not answered and has a row", tt.limits, x.Ends[p.From], x.Ends[p.To])
			}
			if len(p.BlockedBy) > 0 {
				walls++
			}
			for _, w := range p.Ways {
				if w.Shown {
					shown++
				} else if w.Witness != nil {
					t.Errorf("%+v: a packet that is not shown", tt.limits)
				}
			}
		}
		if tt.shown >= 0 && shown != tt.shown || walls > tt.limits.Walls {
			t.Errorf("%+v: %d ways with a packet, %d walls", tt.limits, shown, walls)
		}
	}
}
