package packet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// text prints boxes as a report would.
func (u *Universe) text(boxes []Box) string {
	var out []string
	ranges := func(what string, r []Range) string {
		if r == nil {
			return ""
		}
		var parts []string
		for _, x := range r {
			if x.Lo == x.Hi {
				parts = append(parts, fmt.Sprint(x.Lo))
			} else {
				parts = append(parts, fmt.Sprintf("%d-%d", x.Lo, x.Hi))
			}
		}
		return " " + what + " " + strings.Join(parts, ",")
	}
	for _, b := range boxes {
		var s strings.Builder
		if b.Src != nil {
			s.WriteString(" from " + strings.Join(u.Labels(b.Src), ","))
		}
		if b.Dst != nil {
			s.WriteString(" to " + strings.Join(u.Labels(b.Dst), ","))
		}
		s.WriteString(ranges("protocol", b.Protocol) + ranges("port", b.DPort) + ranges("source port", b.SPort) + ranges("name", b.Name))
		for _, t := range b.Tags {
			fmt.Fprintf(&s, " %s=%v", u.tags[t.Tag.tag()], t.Value)
		}
		out = append(out, strings.TrimSpace(s.String()))
	}
	return strings.Join(out, "\n")
}

// What a set prints as: boxes that say it in few words, with the names of subnets and tags where they fit.
func TestOracleCoreBoxes(t *testing.T) {
	b := NewBuilder()
	web := b.AddSet("web", prefixes("10.0.1.0/24"))
	db := b.AddSet("db", prefixes("10.0.2.0/24"))
	storage := b.AddSet("Storage", prefixes("20.1.0.0/16", "2603:1000::/40"))
	b.Tags("Monitor")
	u := b.Freeze()
	s := NewSpace(u, Limits{})
	box := func(src, dst AddrSet, ports ...uint32) Set {
		x := Box{Src: u.Addrs(src), Dst: u.Addrs(dst)}
		if ports != nil {
			x.Protocol, x.DPort = One(6), nil
			for _, p := range ports {
				x.DPort = append(x.DPort, Range{p, p})
			}
		}
		return s.Box(x)
	}
	monitor, _ := u.Tag("Monitor")
	for _, test := range []struct {
		a    Set
		want string
	}{
		{Set{}, ""},
		{s.All(), ""}, // one box that restricts nothing
		{box(web, db, 1433), "from web to db protocol 6 port 1433"},
		{s.Union(box(web, db, 80), box(web, db, 443)), "from web to db protocol 6 port 80,443"},
		// Joined across destinations: the diagram groups these as three.
		{
			s.Union(box(web, db, 80), box(web, web, 80), box(db, web, 443)),
			"from db to web protocol 6 port 443\nfrom web to web,db protocol 6 port 80",
		},
		{s.Subtract(box(web, storage), box(web, storage, 443)), "from web to Storage protocol 0-5,7-255\nfrom web to Storage protocol 6 port 0-442,444-65535"},
		{s.Intersect(box(web, storage), s.Box(Box{Tags: []TagValue{{monitor, true}}})), "from web to Storage Monitor=true"},
		// Both values of the tag, each with another rest: the tag stays where it matters.
		{
			s.Union(box(web, db, 80), s.Intersect(box(web, db, 443), s.Box(Box{Tags: []TagValue{{monitor, false}}}))),
			"from web to db protocol 6 port 80\nfrom web to db protocol 6 port 443 Monitor=false",
		},
	} {
		boxes, total := s.Boxes(test.a, 10)
		got := strings.ReplaceAll(u.text(boxes), "10.0.1.0/24,10.0.2.0/24", "web,db")
		if got != test.want || total != uint64(len(boxes)) {
			t.Errorf("%d boxes\n%s\nwant\n%s", total, got, test.want)
		}
	}
	if _, total := s.Boxes(s.All(), 1); total != 1 {
		t.Errorf("everything is %d boxes", total)
	}
}

// A set that is simple by source alone is listed by source, though diagrams look at destinations first; one that is simple by port, by
// port.
func TestOracleCoreBoxesFromOtherSides(t *testing.T) {
	b := NewBuilder()
	var hosts []AddrSet
	for i := range 40 {
		hosts = append(hosts, b.AddTarget(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})))
	}
	u := b.Freeze()
	s := NewSpace(u, Limits{})
	r := rand.New(rand.NewPCG(20, 20))
	some := func() []Range {
		var out []Range
		for _, h := range hosts {
			if r.IntN(2) == 0 {
				out = append(out, u.Addrs(h)...)
			}
		}
		return out
	}
	var bySource, byPort []Set
	for i := range 8 {
		bySource = append(bySource, s.Box(Box{Src: u.Addrs(hosts[i]), Dst: some()}))
		byPort = append(byPort, s.Box(Box{Protocol: One(6), DPort: One(uint32(i)), Src: some(), Dst: some()}))
	}
	for name, a := range map[string]Set{"source": s.Union(bySource...), "port": s.Union(byPort...)} {
		grouped := s.d.countBoxes(a.r, map[ref]uint64{})
		if boxes, total := s.Boxes(a, 1000); total != 8 || len(boxes) != 8 || grouped <= reorderAbove {
			t.Errorf("by %s: %d boxes, want 8; by destination %d", name, total, grouped)
		}
	}
}

// Boxes of any set are disjoint, sorted, and together the set; there are never more than the diagram groups; a cap cuts the end of
// the list and keeps the total.
func TestBoxesOfRandomSets(t *testing.T) {
	u, pool := lawUniverse()
	r := rand.New(rand.NewPCG(21, 21))
	s := NewSpace(u, Limits{})
	for range 60 {
		a := randomSet(s, r, pool)
		boxes, total := s.Boxes(a, 1<<30)
		if grouped := s.d.countBoxes(a.r, map[ref]uint64{}); total > grouped || total != uint64(len(boxes)) {
			t.Fatalf("%d boxes, total %d, the diagram groups %d", len(boxes), total, grouped)
		}
		parts := make([]Set, len(boxes))
		sum := Set{}
		for i := range boxes {
			parts[i] = s.Box(boxes[i])
			if len(boxes) < 200 && !s.Disjoint(sum, parts[i]) {
				t.Fatalf("box %d meets another: %+v", i, boxes[i])
			}
			if len(boxes) < 200 {
				sum = s.Union(sum, parts[i])
			}
		}
		if s.Union(parts...) != a {
			t.Fatal("the union of the boxes is another set")
		}
		if !slices.IsSortedFunc(boxes, func(a, b Box) int { return slices.CompareFunc(firstRanges(u, a), firstRanges(u, b), compareRange) }) {
			t.Fatal("boxes are not sorted")
		}
		few, again := s.Boxes(a, 3)
		if again != total || fmt.Sprint(few) != fmt.Sprint(boxes[:min(3, len(boxes))]) {
			t.Fatalf("capped at 3: %d of %d", len(few), again)
		}
		if none, again := s.Boxes(a, 0); none != nil || again != total {
			t.Fatalf("capped at 0: %d of %d", len(none), again)
		}
	}
}

// firstRanges is the first field by which boxes are sorted.
func firstRanges(u *Universe, b Box) []Range {
	if b.Origin == nil {
		return []Range{{0, u.domain[Origin]}}
	}
	return b.Origin
}

// A set of very many boxes is listed up to the cap, and counted.
func TestBoxesBeyondCounting(t *testing.T) {
	b := NewBuilder()
	var hosts []AddrSet
	for i := range 3000 {
		hosts = append(hosts, b.AddTarget(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})))
	}
	for i := range 100 {
		b.Tags(fmt.Sprintf("%03d", i))
	}
	u := b.Freeze()
	s := NewSpace(u, Limits{})
	var parts []Set
	for i, h := range hosts {
		parts = append(parts, s.Box(Box{Dst: u.Addrs(h), Protocol: One(6), DPort: One(uint32(i))}))
	}
	a := s.Union(parts...)
	boxes, total := s.Boxes(a, 5)
	if len(boxes) != 5 || total != 3000 || !s.Subset(s.Box(boxes[4]), a) {
		t.Errorf("%d boxes of %d", len(boxes), total)
	}
	// An odd number of a hundred tags: 2^99 boxes.
	odd := Set{}
	for i := range 100 {
		x := s.Box(Box{Tags: []TagValue{{Tag(i), true}}})
		odd = s.Union(s.Subtract(odd, x), s.Subtract(x, odd))
	}
	if boxes, total := s.Boxes(odd, 2); len(boxes) != 2 || total != 1<<64-1 {
		t.Errorf("%d boxes of %d", len(boxes), total)
	}
}
