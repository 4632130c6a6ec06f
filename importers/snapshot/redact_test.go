package snapshot

import (
	"bytes"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringfence/ringfence/model"
)

var testKey = []byte("a key that only tests use")

// stringFields lists the fields of the model that hold texts, as TYPE.FIELD.
func stringFields() []string {
	var out []string
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(typ.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[typ] || typ.PkgPath() != reflect.TypeFor[model.Project]().PkgPath() {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			if !f.IsExported() {
				continue
			}
			e := f.Type
			for e.Kind() == reflect.Slice || e.Kind() == reflect.Array {
				e = e.Elem()
			}
			if e.Kind() == reflect.String && e != reflect.TypeFor[model.ID]() {
				out = append(out, typ.Name()+"."+f.Name)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[model.Project]())
	return out
}

// Each text of the model has a treatment: whoever adds a field says what a redacted snapshot may tell of it.
func TestRedactKnowsEveryField(t *testing.T) {
	byType := []string{"Selector.Kind", "Selector.Parts", "Selector.Text"} // Redact maps selectors whole, and lists of service tags stay
	for _, f := range stringFields() {
		if treatment(f) == commentOf && !slices.Contains(commented(), f) && !slices.Contains(byType, f) && !strings.HasPrefix(f, "ServiceTag") {
			t.Errorf("%s: say in treatment, or in commented, what Redact makes of it", f)
		}
	}
}

// common is the number of leading bits that two addresses of one family share.
func common(a, b netip.Addr) int {
	x, y := a.AsSlice(), b.AsSlice()
	for i := range len(x) * 8 {
		if (x[i/8]^y[i/8])>>(7-i%8)&1 == 1 {
			return i
		}
	}
	return len(x) * 8
}

func drawAddr(t *rapid.T, label string) netip.Addr {
	if rapid.Bool().Draw(t, label+" is IPv4") {
		return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, label)))
	}
	b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, label)
	if rapid.Bool().Draw(t, label+" is of a usual block") {
		copy(b, []byte{0xfd, 0, 0, 0})
	}
	return netip.AddrFrom16([16]byte(b))
}

// Two addresses share as many leading bits as before; fixed blocks stay; the first four and the last address of a subnet stay that.
func TestRedactPrefixes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")
		subnet := netip.PrefixFrom(drawAddr(t, "subnet"), 0)
		subnet, _ = subnet.Addr().Prefix(rapid.IntRange(1, subnet.Addr().BitLen()-3).Draw(t, "bits"))
		tag := netip.PrefixFrom(drawAddr(t, "tag"), 0)
		tag, _ = tag.Addr().Prefix(rapid.IntRange(1, tag.Addr().BitLen()).Draw(t, "tag bits"))
		a := newAddresses(func(p netip.Prefix) bool { return sum(key, "address", p.String())[0]&1 == 1 }, []netip.Prefix{tag}, []netip.Prefix{subnet})
		x, y := drawAddr(t, "x"), drawAddr(t, "y")
		if x.Is4In6() || y.Is4In6() || model.SymbolBlock().Contains(x) || model.SymbolBlock().Contains(y) {
			return
		}
		if x.Is4() == y.Is4() {
			if rapid.Bool().Draw(t, "near") {
				b := x.AsSlice()
				i := rapid.IntRange(0, len(b)*8-1).Draw(t, "bit")
				b[i/8] ^= 1 << (7 - i%8)
				y, _ = netip.AddrFromSlice(b)
			}
			if got, want := common(a.addr(x), a.addr(y)), common(x, y); got != want {
				t.Fatalf("%s and %s share %d bits, their pseudonyms %s and %s %d", x, y, want, a.addr(x), a.addr(y), got)
			}
		}
		for _, f := range a.fixed {
			if a.prefix(f) != f {
				t.Fatalf("%s became %s", f, a.prefix(f))
			}
			if f.Contains(x) != f.Contains(a.addr(x)) {
				t.Fatalf("%s is in %s or not, its pseudonym %s otherwise", x, f, a.addr(x))
			}
		}
		to := a.prefix(subnet)
		n := subnet.Addr()
		m := to.Addr()
		kept := map[netip.Addr]bool{}
		for range 4 {
			kept[m] = true
			m = m.Next()
		}
		for range 4 {
			if !kept[a.addr(n)] {
				t.Fatalf("%s of %s became %s of %s, which Azure does not keep", n, subnet, a.addr(n), to)
			}
			n = n.Next()
		}
		if got := a.addr(lastOf(subnet)); got != lastOf(to) {
			t.Fatalf("the last address of %s became %s of %s", subnet, got, to)
		}
	})
}

// A pattern matches the pseudonyms of the names that it matches: at the beginning of a part, and at its end where it stands alone.
func TestRedactPatterns(t *testing.T) {
	word := rapid.StringMatching(`[a-zA-Z0-9]{1,8}([-._][a-zA-Z0-9]{1,8}){0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		n := &names{rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"), map[string][]byte{}}
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if (a == b) != (n.word(a) == n.word(b)) || strings.EqualFold(a, b) != strings.EqualFold(n.word(a), n.word(b)) || len(n.word(a)) != len(a) {
			t.Fatalf("%s and %s became %s and %s", a, b, n.word(a), n.word(b))
		}
		pattern := a[:rapid.IntRange(0, len(a)).Draw(t, "cut")] + "*"
		if at := strings.IndexByte(a, '-'); at >= 0 && rapid.Bool().Draw(t, "suffix") {
			pattern = "*" + a[at:]
		}
		for _, x := range []string{a, b, a + b} {
			if model.MatchName(pattern, x, true) != model.MatchName(n.word(pattern), n.word(x), true) {
				t.Fatalf("%s matches %s or not; %s and %s otherwise", pattern, x, n.word(pattern), n.word(x))
			}
		}
	})
}

func TestRedactNames(t *testing.T) {
	r := newRedactor(random(t, 1), testKey)
	for _, stays := range []string{
		"AzureFirewallSubnet", "GatewaySubnet", "azurebastionsubnet", "DenyAllInBound", "kube-system", "mcr.microsoft.com", "*.data.mcr.microsoft.com", "login.microsoftonline.com",
	} {
		if got := r.fqdn(stays); got != stays {
			t.Errorf("%s became %s", stays, got)
		}
	}
	for _, test := range []struct{ in, want string }{ // want: a pattern of what it becomes
		{"kv-cards.vault.azure.net", `^[a-z]{2}-[a-z]{5}\.vault\.azure\.net$`},
		{"kv-cards.privatelink.vaultcore.azure.net", `^[a-z]{2}-[a-z]{5}\.privatelink\.vaultcore\.azure\.net$`},
		{"*.psp.example", `^\*\.[a-z]{3}\.example$`},
		{"https://api.psp.example:8443/v1/pay?x=1", `^https://[a-z]{3}\.[a-z]{3}\.example:8443/[a-z][0-9]/[a-z]{3}\?[a-z]=[0-9]$`},
		{"3f2504e0-4f89-11d3-9a0c-0305e82c3301", `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`},
		{"microsoftdefenderforcloud-jitrule_123_abc", `^microsoftdefenderforcloud-jitrule_[0-9]{3}_[a-z]{3}$`},
	} {
		got := r.value(test.in)
		if got == test.in || !regexp.MustCompile(test.want).MatchString(got) {
			t.Errorf("%s became %s, want %s", test.in, got, test.want)
		}
	}
	if host, zone := r.fqdn("api.psp.example"), r.fqdn("psp.example"); !strings.HasSuffix(host, "."+zone) {
		t.Errorf("%s is not in %s", host, zone)
	}
	id := model.ID("/subscriptions/3f2504e0-4f89-11d3-9a0c-0305e82c3301/resourceGroups/rg-pay/providers/Microsoft.Network/virtualNetworks/vnet-pay/subnets/AzureFirewallSubnet")
	got := r.id(id)
	if got.Type() != id.Type() || got.Name() != id.Name() || got.Parent() != r.id(id.Parent()) || strings.Contains(string(got), "pay") {
		t.Errorf("%s became %s", id, got)
	}
	if rules := r.id(model.EffectiveRulesID(id)); rules != model.EffectiveRulesID(r.id(id)) {
		t.Errorf("effective rules: %s", rules)
	}
	if upper := r.id(model.ID(strings.ToUpper(string(id)))); upper.Key() != got.Key() {
		t.Errorf("spelt otherwise: %s and %s", got, upper)
	}
}

// The same key gives the same bytes, another key others, and the result is a snapshot like any other.
func TestRedactByKey(t *testing.T) {
	for seed := range uint64(6) {
		p := random(t, seed)
		write := func(key []byte) []byte {
			out, _, err := Redact(p, key)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			roundTrip(t, out)
			return written(t, out, true)
		}
		before := written(t, p, true)
		a, b, c := write(testKey), write(testKey), write([]byte("another key for tests"))
		if !bytes.Equal(a, b) || bytes.Equal(a, c) {
			t.Errorf("seed %d: one key twice: the same bytes %v; another key: the same bytes %v", seed, bytes.Equal(a, b), bytes.Equal(a, c))
		}
		if !bytes.Equal(before, written(t, p, true)) {
			t.Errorf("seed %d: the project itself has changed", seed)
		}
	}
	if _, _, err := Redact(random(t, 1), []byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}

// A field that nobody filled before is redacted too.
func TestRedactFilled(t *testing.T) {
	p := filled(t)
	out, _, err := Redact(p, testKey)
	if err != nil {
		t.Fatal(err)
	}
	text := string(written(t, out, true))
	stays := map[string]bool{"Kind": true} // fields of this name that stay in some type, or that hold texts of ours
	for _, f := range stringFields() {
		switch treatment(f) {
		case keep, noteOf, typeOf, variableOf:
			stays[f[strings.IndexByte(f, '.')+1:]] = true
		default:
		}
	}
	for _, f := range stringFields() {
		_, field, _ := strings.Cut(f, ".")
		if stays[field] || strings.HasPrefix(f, "ServiceTag") {
			continue
		}
		if word := regexp.MustCompile(`p\.[A-Za-z.]*\.` + field + ` [0-9]+ `).FindString(text); word != "" {
			t.Errorf("%s: the snapshot holds %q", f, word)
		}
	}
}

func FuzzRedactAddress(f *testing.F) {
	f.Add([]byte{10, 0, 0, 4}, []byte{10, 0, 0, 5}, []byte("0123456789abcdef"))                           // neighbours
	f.Add([]byte{20, 1, 2, 3}, []byte{20, 1, 130, 3}, []byte("0123456789abcdef"))                         // public
	f.Add(bytes.Repeat([]byte{0x20, 1}, 8), bytes.Repeat([]byte{0x20, 2}, 8), []byte("0123456789abcdef")) // IPv6
	f.Fuzz(func(t *testing.T, x, y, key []byte) {
		a, ok := netip.AddrFromSlice(x)
		b, fine := netip.AddrFromSlice(y)
		if !ok || !fine || a.BitLen() != b.BitLen() || a.Is4In6() || b.Is4In6() || model.SymbolBlock().Contains(a) || model.SymbolBlock().Contains(b) {
			return
		}
		to := newAddresses(func(p netip.Prefix) bool { return sum(key, "address", p.String())[0]&1 == 1 }, nil, nil)
		if got, want := common(to.addr(a), to.addr(b)), common(a, b); got != want {
			t.Fatalf("%s and %s share %d bits, %s and %s %d", a, b, want, to.addr(a), to.addr(b), got)
		}
		if to.addr(a).IsPrivate() != a.IsPrivate() || to.addr(a).IsMulticast() != a.IsMulticast() || to.addr(a).IsLoopback() != a.IsLoopback() {
			t.Fatalf("%s became %s", a, to.addr(a))
		}
	})
}
