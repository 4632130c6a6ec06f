package packet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// Sets become classes and come back as the prefixes that they were; nested sets are one interval each.
func TestUniverse(t *testing.T) {
	b := NewBuilder()
	vnet := b.AddSet("vnet", prefixes("10.0.0.0/16"))
	subnet := b.AddSet("web", prefixes("10.0.1.0/24"))
	tag := b.AddSet("Storage", prefixes("20.1.0.0/16", "2603:1000::/40", "20.3.0.0/17", "20.3.128.0/17"))
	region := b.AddSet("Storage.WestEurope", prefixes("20.3.0.0/16", "2603:1000::/48"))
	host := b.AddTarget(netip.MustParseAddr("10.0.1.4"))
	everything := b.AddSet("", prefixes("0.0.0.0/0", "::/0"))
	nothing := b.AddSet("nothing", nil)
	u := b.Freeze()

	for _, test := range []struct {
		set      AddrSet
		classes  int // intervals
		prefixes string
		name     string
	}{
		{vnet, 1, "10.0.0.0/16", "vnet"},
		{subnet, 1, "10.0.1.0/24", "web"},
		{tag, 2, "20.1.0.0/16 20.3.0.0/16 2603:1000::/40", "Storage"},
		{region, 2, "20.3.0.0/16 2603:1000::/48", "Storage.WestEurope"},
		{host, 1, "10.0.1.4/32", ""},
		{everything, 1, "0.0.0.0/0 ::/0", ""},
		{nothing, 0, "", "nothing"},
	} {
		r := u.Addrs(test.set)
		if r == nil || len(r) != test.classes {
			t.Errorf("%s: classes %v, want %d intervals", test.prefixes, r, test.classes)
		}
		if got := printed(u.Prefixes(r)); got != test.prefixes {
			t.Errorf("classes of %s are the prefixes %s", test.prefixes, got)
		}
		if name, ok := u.SetName(r); name != test.name || ok != (test.name != "") {
			t.Errorf("%s is named %q, want %q", test.prefixes, name, test.name)
		}
	}

	if got := u.Class(netip.MustParseAddr("::ffff:10.0.1.4")); got != u.Class(netip.MustParseAddr("10.0.1.4")) {
		t.Error("IPv4 in IPv6 form is another class")
	}
	if got := u.Class(netip.MustParseAddr("fe80::1%eth0")); got != u.Class(netip.MustParseAddr("fe80::1")) {
		t.Error("an address with a zone is another class")
	}
	if c := u.Class(netip.MustParseAddr("10.0.1.4")); !u.Single(c) || !u.Is4(c) || u.Example(c) != netip.MustParseAddr("10.0.1.4") {
		t.Errorf("a target is no class of its own: %v", u.Prefixes(One(c)))
	}
	if c := u.Class(netip.MustParseAddr("10.0.1.5")); u.Single(c) || u.Example(c) != netip.MustParseAddr("10.0.1.0") {
		t.Errorf("the rest of a subnet is %v", u.Prefixes(One(c)))
	}
	// The whole web subnet but its target, and both families.
	rest := []Range{{u.Class(netip.MustParseAddr("10.0.1.0")), u.Class(netip.MustParseAddr("10.0.1.0"))}}
	if got := strings.Join(u.Labels(rest), " "); !strings.HasPrefix(got, "10.0.1.0/30 10.0.1.5/32") {
		t.Errorf("labels of the rest: %s", got)
	}
	if got := strings.Join(u.Labels(u.Addrs(subnet)), " "); got != "web" {
		t.Errorf("labels of the subnet: %s", got)
	}
	if got := printed(u.Prefixes(u.IPv4())) + " " + printed(u.Prefixes(u.IPv6())); got != "0.0.0.0/0 ::/0" {
		t.Errorf("families: %s", got)
	}
}

func printed(p []netip.Prefix) string {
	return strings.Trim(fmt.Sprint(p), "[]")
}

// Of several names for one content the first in sorted order prints, whatever came first; an anonymous set has none.
func TestSetNames(t *testing.T) {
	b := NewBuilder()
	one := b.AddSet("zebra", prefixes("10.0.0.0/25", "10.0.0.128/25"))
	two := b.AddSet("apple", prefixes("10.0.0.9/24"))
	three := b.AddSet("", prefixes("::ffff:10.0.0.0/120")) // IPv4 in IPv6 form
	if one != two || two != three {
		t.Fatal("the same content has several handles")
	}
	u := b.Freeze()
	if name, _ := u.SetName(u.Addrs(one)); name != "apple" {
		t.Errorf("name %s", name)
	}
}

// A universe depends on what was added and not on the order; it is exact, minimal, and keeps the families apart.
func TestClasses(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 11))
		var sets [][]netip.Prefix
		for range 1 + r.IntN(25) {
			var p []netip.Prefix
			for range 1 + r.IntN(6) {
				p = append(p, randomPrefix(r))
			}
			sets = append(sets, p)
		}
		build := func(order []int) (*Universe, []AddrSet) {
			b := NewBuilder()
			handles := make([]AddrSet, len(sets))
			for _, i := range order {
				p := slices.Clone(sets[i])
				r.Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
				handles[i] = b.AddSet(fmt.Sprint(i), p)
			}
			return b.Freeze(), handles
		}
		u, handles := build(r.Perm(len(sets)))
		other, otherHandles := build(r.Perm(len(sets)))
		if u.Classes() != other.Classes() {
			t.Fatalf("seed %d: %d or %d classes, by the order", seed, u.Classes(), other.Classes())
		}
		member := make([]string, u.Classes()) // which sets hold a class
		for i, h := range handles {
			if !slices.Equal(u.Addrs(h), other.Addrs(otherHandles[i])) {
				t.Fatalf("seed %d: set %d is %v or %v, by the order", seed, i, u.Addrs(h), other.Addrs(otherHandles[i]))
			}
			for _, x := range u.Addrs(h) {
				for c := x.Lo; c <= x.Hi; c++ {
					member[c] += fmt.Sprint(i, " ")
				}
			}
		}
		// Exact: an address is in a set when its class is, by the prefixes themselves.
		for range 400 {
			a := nearAddr(r, sets[r.IntN(len(sets))])
			c := u.Class(a)
			if c != other.Class(a) {
				t.Fatalf("seed %d: class of %v depends on the order", seed, a)
			}
			for i := range sets {
				want := slices.ContainsFunc(sets[i], func(p netip.Prefix) bool { return p.Contains(a) })
				if got := within(c, u.Addrs(handles[i])); got != want {
					t.Fatalf("seed %d: %v in set %d: %v, want %v", seed, a, i, got, want)
				}
			}
			if u.Is4(c) != a.Is4() {
				t.Fatalf("seed %d: %v is in a class of the other family", seed, a)
			}
		}
		// Minimal: two classes of a family differ in some set. Complete: the classes are all addresses, each once.
		seen := map[string]bool{}
		for c, m := range member {
			key := fmt.Sprint(u.Is4(uint32(c)), m)
			if seen[key] {
				t.Fatalf("seed %d: no set tells class %d from another", seed, c)
			}
			seen[key] = true
			if u.Class(u.Example(uint32(c))) != uint32(c) {
				t.Fatalf("seed %d: the example of class %d is in another", seed, c)
			}
		}
		if got := printed(u.Prefixes([]Range{{0, uint32(u.Classes() - 1)}})); got != "0.0.0.0/0 ::/0" {
			t.Fatalf("seed %d: all classes are %s", seed, got)
		}
	}
}

func randomPrefix(r *rand.Rand) netip.Prefix {
	if r.IntN(2) == 0 {
		bits := []int{0, 8, 16, 24, 30, 32}[r.IntN(6)]
		if bits == 0 && r.IntN(4) > 0 {
			bits = 12
		}
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{[]byte{10, 20, 255}[r.IntN(3)], byte(r.IntN(3)), byte(r.IntN(3)), byte(r.Uint32())}), bits)
	}
	a := [16]byte{[]byte{0xfd, 0x20, 0xff, 0}[r.IntN(4)], byte(r.IntN(2)), 0, 0, 0, 0, 0, byte(r.IntN(3)), byte(r.IntN(2)), 15: byte(r.Uint32())}
	return netip.PrefixFrom(netip.AddrFrom16(a), []int{8, 48, 63, 64, 65, 120, 128}[r.IntN(7)])
}

// nearAddr is an address at or beside an end of a prefix.
func nearAddr(r *rand.Rand, list []netip.Prefix) netip.Addr {
	p := list[r.IntN(len(list))]
	family, s := spanOf(p)
	a := s.lo
	if r.IntN(2) == 0 {
		a = s.hi
	}
	switch {
	case r.IntN(3) == 0 && a != lastAddr(family):
		a = a.next()
	case r.IntN(3) == 0 && a != addr{}:
		a = a.prev()
	}
	return a.netipAddr(family)
}

// Names: suffix patterns nest, a full name is below the suffixes that match it, and class 0 is no name at all (AZ-FW-32, AZ-NAME-01).
func TestNames(t *testing.T) {
	b := NewBuilder()
	patterns := []string{"*contoso.com", "*.contoso.com", "contoso.com", "WWW.contoso.com.", "*.b.example", "b.example", "a.b.example"}
	b.Names(patterns...)
	u := b.Freeze()
	for _, test := range []struct{ name, patterns string }{
		{"contoso.com", "*contoso.com contoso.com"},
		{"evilcontoso.com", "*contoso.com"},
		{"a.contoso.com", "*.contoso.com *contoso.com"},
		{"a.b.Contoso.com", "*.contoso.com *contoso.com"},
		{"www.contoso.com", "*.contoso.com *contoso.com www.contoso.com"},
		{"WWW.CONTOSO.COM.", "*.contoso.com *contoso.com www.contoso.com"},
		{"b.example", "b.example"},
		{"a.b.example", "*.b.example a.b.example"},
		{"aa.b.example", "*.b.example"},
		{"ab.example", ""},
		{"elsewhere.org", ""},
		{"", ""},
	} {
		c := u.NameClass(test.name)
		if got := strings.Join(u.NamePatterns(c), " "); got != test.patterns {
			t.Errorf("`%s` matches %s, want %s", test.name, got, test.patterns)
		}
		for _, p := range patterns {
			want := slices.Contains(strings.Fields(test.patterns), foldName(p))
			if got := within(c, u.NameRanges(p)); got != want {
				t.Errorf("`%s` in %s: %v, want %v", test.name, p, got, want)
			}
		}
		if got, want := within(c, u.NameRanges("*")), test.name != ""; got != want {
			t.Errorf("`%s` in *: %v, want %v", test.name, got, want)
		}
	}
	checkNames(t, u)
	if u.NameExample(0) != "" || u.NameClass("") != 0 {
		t.Error("class 0 has a name")
	}
	if e := NewBuilder().Freeze(); e.Domain(Name) != 1 || e.NameClass("any.example") != 1 {
		t.Error("without patterns there are no two classes: no name, and any")
	}
}

// checkNames checks that every class has an example that is in it, and that each pattern is one interval.
func checkNames(t *testing.T, u *Universe) {
	t.Helper()
	for c := uint32(1); c <= u.Domain(Name); c++ {
		if e := u.NameExample(c); e == "" || u.NameClass(e) != c {
			t.Errorf("example `%s` of name class %d is in class %d", e, c, u.NameClass(e))
		}
	}
}

// Patterns that leave hardly a name free still have an example for each class, and any set of patterns classifies any name exactly.
func TestNamesRandom(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 12))
		letters := "ab."
		word := func() string {
			var s strings.Builder
			for range 1 + r.IntN(5) {
				s.WriteString(letters[r.IntN(3):][:1])
			}
			return s.String()
		}
		var patterns []string
		for range 1 + r.IntN(20) {
			p := word()
			if r.IntN(2) == 0 {
				p = "*" + p
			}
			if ValidNamePattern(p) {
				patterns = append(patterns, p)
			}
		}
		if seed%3 == 0 { // every first letter is taken
			for c := range 128 {
				if p := string(rune(c)) + "a.b"; c != '*' && ValidNamePattern("*"+p) {
					patterns = append(patterns, "*"+p)
				}
			}
		}
		b := NewBuilder()
		b.Names(patterns...)
		u := b.Freeze()
		checkNames(t, u)
		for range 200 {
			name := foldName(word())
			if name == "" {
				continue
			}
			for _, p := range patterns {
				p = foldName(p)
				want := name == p
				if suffix, ok := strings.CutPrefix(p, "*"); ok {
					want = strings.HasSuffix(name, suffix)
				}
				if got := within(u.NameClass(name), u.NameRanges(p)); got != want {
					t.Fatalf("seed %d: `%s` in %s: %v, want %v", seed, name, p, got, want)
				}
			}
		}
	}
}

// Tags have fields in sorted order; what finds no room is reported, so that it can be treated as uncertain.
func TestTags(t *testing.T) {
	b := NewBuilder()
	b.Tags("Storage", "AzureMonitor", "Storage")
	u := b.Freeze()
	if got := strings.Join(u.TagNames(), " "); got != "AzureMonitor Storage" {
		t.Errorf("tags %s", got)
	}
	if f, ok := u.Tag("Storage"); !ok || f != Tag(1) || u.Domain(f) != 1 || !f.IsTag() || Name.IsTag() {
		t.Errorf("field of Storage: %v %v", f, ok)
	}
	if _, ok := u.Tag("Sql"); ok {
		t.Error("a tag that nobody added has a field")
	}

	b = NewBuilder()
	for i := range MaxTags + 3 {
		b.Tags(fmt.Sprintf("tag%04d", i))
	}
	u = b.Freeze()
	if got := strings.Join(u.TagsLeftOut(), " "); got != "tag0248 tag0249 tag0250" || len(u.TagNames()) != MaxTags {
		t.Errorf("left out: %s", got)
	}
	if _, ok := u.Tag("tag0250"); ok {
		t.Error("a tag without room has a field")
	}
	// All of them work, beyond 64 too.
	s := NewSpace(u, Limits{})
	a := s.Box(Box{Tags: []TagValue{{Tag(MaxTags - 1), true}, {Tag(70), true}, {Tag(3), false}}})
	p, _ := s.Sample(a)
	if !p.Tags.Has(MaxTags-1) || !p.Tag(Tag(70)) || p.Tags.Has(3) || p.Tags.Has(71) {
		t.Errorf("sample has the tags %v", p.Tags)
	}
	boxes, _ := s.Boxes(a, 10)
	if len(boxes) != 1 || fmt.Sprint(boxes[0].Tags) != "[{tag 3 false} {tag 70 true} {tag 247 true}]" {
		t.Errorf("boxes %v", boxes)
	}
	p.Tags = p.Tags.With(70, false)
	if s.Contains(a, p) || p.Tags.With(70, true).Has(69) {
		t.Error("a changed tag does not show")
	}
}

// Address sets that are too entangled end in ErrBudget, and so does every Space over them.
func TestUniverseBudget(t *testing.T) {
	b := NewBuilder()
	b.LimitWork(100)
	var last AddrSet
	for i := range 20 {
		b.AddSet("", []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 8+i), netip.MustParsePrefix("0.0.0.0/0")})
		last = b.AddSet("", []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i)}), 16)})
	}
	p := b.AddPool("", prefixes("10.0.0.0/8", "10.1.0.0/16"))
	for i := range 40 {
		b.AddTarget(netip.AddrFrom4([4]byte{10, 9, 9, byte(i)}))
	}
	u := b.Freeze()
	if u.Err() == nil || u.Classes() != 2 || u.Addrs(last) == nil {
		t.Fatalf("err %v, %d classes", u.Err(), u.Classes())
	}
	if u.Class(netip.MustParseAddr("10.0.0.1")) != 0 || u.Class(netip.MustParseAddr("::1")) != 1 {
		t.Error("classes of the families")
	}
	checkExhausted(t, NewSpace(u, Limits{}), u.Addrs(p))
}
