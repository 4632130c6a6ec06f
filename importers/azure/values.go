package azure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/ringfence/ringfence/model"
)

// ref is a reference to another resource in own structs.
type ref struct {
	ID *string `json:"id,omitempty"`
}

// deref returns what a pointer of the SDK points to, or the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// setting reads a Boolean that may be absent.
func setting(p *bool) model.Setting {
	if p == nil {
		return model.NotStated
	}
	return model.SettingOf(*p)
}

// toggle reads a text that switches something on.
func toggle(text string) model.Setting {
	switch {
	case text == "":
		return model.NotStated
	case strings.EqualFold(text, "Enabled"):
		return model.On
	default:
		return model.Off
	}
}

// enum returns the spelling of a value in its list; Azure compares enums without case.
func enum[T ~string](text string, possible []T) (string, bool) {
	for _, p := range possible {
		if strings.EqualFold(text, string(p)) {
			return string(p), true
		}
	}
	return text, false
}

// choice reads an enum that must be one of a list. absent is what an absent one is read as.
func choice[T ~string](r *resource, v *value, name string, possible []T) (T, bool) {
	m := v.get(name)
	if m == nil || m.raw.text == "" {
		return "", true
	}
	s, ok := enum(m.raw.text, possible)
	if !ok {
		r.fail(m, words(possible))
		return "", false
	}
	return T(s), true
}

// required is choice for a member that must be there.
func required[T ~string](r *resource, v *value, name string, possible []T) (T, bool) {
	if v.text(name) == "" {
		r.missing(v, name, words(possible))
		return "", false
	}
	return choice(r, v, name, possible)
}

// spelt returns an enum in the spelling of its list, or as read when the list lacks it: what it is used for shows texts only.
func spelt[T ~string, P ~string](p *P, possible []T) string {
	s, _ := enum(string(deref(p)), possible)
	return s
}

func words[T ~string](possible []T) string {
	var out []string
	for _, p := range possible {
		out = append(out, string(p))
	}
	return "one of " + strings.Join(out, ", ")
}

// id reads the reference in a member: an object with `id`.
func (r *resource) reference(v *value, path ...string) model.ID {
	m := v.get(path...).get("id")
	if m == nil || m.raw.text == "" {
		return ""
	}
	return r.asID(m)
}

// references reads a list of references.
func (r *resource) references(v *value, path ...string) []model.ID {
	var out []model.ID
	for _, m := range v.list(path...) {
		if id := m.get("id"); id != nil && id.raw.text != "" {
			if got := r.asID(id); got != "" {
				out = append(out, got)
			}
		}
	}
	return distinct(out)
}

// asID reads a text that is a resource ID.
func (r *resource) asID(v *value) model.ID {
	if !armID(v.raw.text) || len(v.raw.text) > maxID {
		r.fail(v, "a resource ID: /subscriptions/…/providers/…")
		return ""
	}
	return model.ID(v.raw.text)
}

// idText reads a member that holds an ID as a text.
func (r *resource) idText(v *value, path ...string) model.ID {
	m := v.get(path...)
	if m == nil || m.raw.text == "" {
		return ""
	}
	return r.asID(m)
}

// distinct sorts IDs by key and drops doubles, so that a list does not depend on the order of an export.
func distinct(ids []model.ID) []model.ID {
	slices.SortStableFunc(ids, func(a, b model.ID) int { return cmp.Or(a.Compare(b), cmp.Compare(a, b)) })
	return slices.CompactFunc(ids, func(a, b model.ID) bool { return a.Key() == b.Key() })
}

// part names a part of a resource: its ID as read, or the one that ARM gives it, and its name.
func (r *resource) part(v *value, segment string) (model.ID, string) {
	name := v.text("name")
	name = name[strings.LastIndexByte(name, '/')+1:] // some list parts as PARENT/NAME
	if v.text("id") != "" {
		if id := r.asID(v.get("id")); id != "" {
			if name == "" {
				name = id.Name()
			}
			return id, name
		}
	}
	if name == "" {
		r.missing(v, "name", "the name of the "+segment+" entry")
	}
	return r.partID(segment, name), name
}

func (r *resource) partID(segment, name string) model.ID {
	return model.ID(strings.TrimRight(string(r.holder), "/") + "/" + segment + "/" + name)
}

// port reads a port number.
func (r *resource) port(v *value, name string, least int32) uint16 {
	m := v.get(name)
	if m == nil {
		return 0
	}
	n := number(m.raw)
	if n < int(least) || n > 65535 {
		r.fail(m, fmt.Sprintf("a port from %d to 65535", least))
		return 0
	}
	return uint16(n)
}

// portRanges reads a list of `443`, `8000-8100`, `*`.
func (r *resource) portRanges(list []*value) (out []model.PortRange) {
	for _, m := range list {
		p, err := model.ParsePortRange(m.raw.text)
		if err != nil {
			r.fail(m, "a port from 0 to 65535, a range such as 8000-8100, or *")
			continue
		}
		out = append(out, p)
	}
	return out
}

// addr reads an address; it is invalid when the member is absent.
func (r *resource) addr(v *value, path ...string) netip.Addr {
	m := v.get(path...)
	if m == nil || m.raw.text == "" || strings.EqualFold(m.raw.text, "Not Assigned") {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(strings.TrimSpace(m.raw.text))
	if err != nil || a.Zone() != "" {
		r.fail(m, "an IP address")
		return netip.Addr{}
	}
	return a.Unmap()
}

// addrs reads a list of addresses.
func (r *resource) addrs(list []*value) (out []netip.Addr) {
	for _, m := range list {
		a, err := netip.ParseAddr(strings.TrimSpace(m.raw.text))
		if err != nil || a.Zone() != "" {
			r.fail(m, "an IP address")
			continue
		}
		out = append(out, a.Unmap())
	}
	return out
}

// sortedAddrs sorts addresses and drops doubles.
func sortedAddrs(list []netip.Addr) []netip.Addr {
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// prefix reads an address or CIDR and notes host bits that it cleared.
func (r *resource) prefix(v *value) (netip.Prefix, bool) {
	p, hostBits, err := model.ParsePrefix(v.raw.text)
	if err != nil {
		r.fail(v, "an address or CIDR such as 10.0.0.0/16; IPv4-in-IPv6 only from ::ffff:0:0/96 on")
		return netip.Prefix{}, false
	}
	if hostBits {
		r.note(v.raw, "host bits cleared: read as "+p.String())
	}
	return p, true
}

// prefixes reads a list of addresses and CIDRs.
func (r *resource) prefixes(list []*value) (out []netip.Prefix) {
	for _, m := range list {
		if p, ok := r.prefix(m); ok {
			out = append(out, p)
		}
	}
	return out
}

// blocks reads a list of ranges, which networks are made of: an address alone is none.
func (r *resource) blocks(list []*value) (out []netip.Prefix) {
	for _, m := range list {
		if text := m.raw.text; text != "" && !strings.Contains(text, "/") {
			r.fail(m, "a range with its length, such as 10.0.0.0/16")
		} else if p, ok := r.prefix(m); ok {
			out = append(out, p)
		}
	}
	return out
}

// span reads an address, a CIDR, or a range a-b, which is split into prefixes.
func (r *resource) span(v *value) []netip.Prefix {
	first, last, isRange := strings.Cut(v.raw.text, "-")
	if !isRange {
		if p, ok := r.prefix(v); ok {
			return []netip.Prefix{p}
		}
		return nil
	}
	a, errA := netip.ParseAddr(strings.TrimSpace(first))
	b, errB := netip.ParseAddr(strings.TrimSpace(last))
	if errA != nil || errB != nil || a.Zone() != "" || b.Zone() != "" {
		r.fail(v, "an address, a CIDR, or a range such as 10.0.0.4-10.0.0.9")
		return nil
	}
	list := between(a, b)
	if list == nil {
		r.fail(v, "a range that runs from a lower to a higher address of one family")
	}
	return list
}

// between splits the range a-b into prefixes; nil when it runs backwards or mixes families.
func between(a, b netip.Addr) []netip.Prefix {
	rng := netipx.IPRangeFrom(a.Unmap(), b.Unmap())
	if !rng.IsValid() {
		return nil
	}
	return rng.Prefixes()
}

// isTag reports whether a text has the shape of a service tag: Internet, Storage.WestEurope, AzureFrontDoor.Backend.
func isTag(s string) bool {
	if s == "" || !letter(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && (c < '0' || c > '9') && c != '.' && c != '_' {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// match adds addresses to one side of a rule: `*`, addresses, CIDRs, ranges and, where the field takes them, service tags.
func (r *resource) match(m *model.AddressMatch, list []*value, tags bool) {
	for _, v := range list {
		text := strings.TrimSpace(v.raw.text)
		switch {
		case text == "*" || strings.EqualFold(text, "Any"):
			m.Any = true // AZ-NSG-05: both families; 0.0.0.0/0 stays IPv4
		case text == "":
		case tags && isTag(text):
			m.Tags = append(m.Tags, text)
		default:
			m.Prefixes = append(m.Prefixes, r.span(v)...)
		}
	}
}

// both joins the singular and the plural form of a field (AZ-NSG-04).
func both(v *value, one, many string) []*value {
	var out []*value
	if m := v.get(one); m != nil && m.raw.text != "" {
		out = append(out, m)
	}
	return append(out, v.list(many)...)
}

// merge joins the parts that stand inside a resource with those that stand beside it, sorted by name. The same part twice is fine
// when both say the same, and an error that names both places when they differ. The list is the caller's no more.
func merge[T any](r *resource, what string, list []T, name func(T) (string, model.Source)) []T {
	slices.SortStableFunc(list, func(a, b T) int {
		na, sa := name(a)
		nb, sb := name(b)
		return cmp.Or(cmp.Compare(strings.ToLower(na), strings.ToLower(nb)), sa.Compare(sb))
	})
	if len(list) == 0 {
		return nil
	}
	out := list[:0]
	for _, t := range list {
		n, src := name(t)
		if len(out) > 0 {
			if last, first := name(out[len(out)-1]); strings.EqualFold(last, n) {
				if !model.Alike(out[len(out)-1], t) {
					r.errs = append(r.errs, &model.InputError{
						Source: src, Resource: r.id, Field: what, Found: n + " a second time, different",
						Accepted: "one description of each; the other is at " + first.String(),
					})
				}
				continue
			}
		}
		out = append(out, t)
	}
	return out
}
