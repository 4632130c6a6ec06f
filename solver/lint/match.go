package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// short is the length up to which a prefix stands for everyone rather than for a network: a sixteenth of all addresses.
const short = 4

// anyone reports whether a match admits so many addresses that nobody can say who has them: every address, the internet, every
// customer of Azure (AZ-TAG-10), or a very short prefix.
func anyone(m model.AddressMatch) bool {
	return m.Any || slices.ContainsFunc(m.Tags, isOpenTag) ||
		slices.ContainsFunc(m.Prefixes, func(p netip.Prefix) bool { return p.Bits() <= short })
}

func isOpenTag(tag string) bool {
	base, _, _ := strings.Cut(strings.ToLower(tag), ".")
	return base == "internet" || base == "azurecloud"
}

func hasTag(m model.AddressMatch, tag string) bool {
	return slices.ContainsFunc(m.Tags, func(t string) bool { return strings.EqualFold(t, tag) })
}

// covers reports whether every address of b is in a for certain. Tags and groups are compared by name.
func covers(a, b model.AddressMatch) bool {
	if a.Any {
		return true
	}
	if b.Any {
		return inside(allV4(), a.Prefixes) && inside(allV6(), a.Prefixes)
	}
	for _, p := range b.Prefixes {
		if !inside(p, a.Prefixes) {
			return false
		}
	}
	for _, t := range b.Tags {
		if !hasTag(a, t) {
			return false
		}
	}
	for _, g := range append(slices.Clone(b.ASGs), b.IPGroups...) {
		if !hasGroup(a, g) {
			return false
		}
	}
	return len(b.FQDNs) == 0 && !b.IsZero()
}

func hasGroup(m model.AddressMatch, id model.ID) bool {
	same := func(g model.ID) bool { return g.Key() == id.Key() }
	return slices.ContainsFunc(m.ASGs, same) || slices.ContainsFunc(m.IPGroups, same)
}

// overlaps reports whether some address may be in both. Only prefixes can be told apart.
func overlaps(a, b model.AddressMatch) bool {
	onlyPrefixes := func(m model.AddressMatch) bool {
		return !m.Any && len(m.Tags)+len(m.ASGs)+len(m.IPGroups)+len(m.FQDNs) == 0
	}
	if !onlyPrefixes(a) || !onlyPrefixes(b) {
		return true
	}
	return slices.ContainsFunc(a.Prefixes, func(p netip.Prefix) bool { return touches(p, b.Prefixes) })
}

// carries reports whether a rule's protocol includes one.
func carries(rule, p model.Protocol) bool { return rule == model.AnyProtocol || rule == p }

// allPorts reports whether a list holds every port.
func allPorts(list []model.PortRange) bool {
	return slices.ContainsFunc(list, func(r model.PortRange) bool { return r.First <= 1 && r.Last == model.AllPorts.Last })
}

// common returns the parts of a list that lie in a range.
func common(list []model.PortRange, in model.PortRange) []model.PortRange {
	var out []model.PortRange
	for _, r := range list {
		if first, last := max(r.First, in.First), min(r.Last, in.Last); first <= last {
			out = append(out, model.PortRange{First: first, Last: last})
		}
	}
	return out
}

// spans reports whether one range of a list holds all of another.
func spans(list []model.PortRange, all model.PortRange) bool {
	return slices.ContainsFunc(list, func(r model.PortRange) bool { return r.First <= all.First && all.Last <= r.Last })
}

// deniedBefore reports whether one of the rules before an Allow denies all that it admits at a port: then the Allow never decides
// (AZ-NSG-02).
func deniedBefore(earlier []model.SecurityRule, u model.SecurityRule, port model.PortRange) bool {
	return slices.ContainsFunc(earlier, func(d model.SecurityRule) bool {
		return d.Access == model.Deny && d.Direction == u.Direction && d.UnknownMatch == "" && carries(d.Protocol, u.Protocol) &&
			covers(d.SourceAddrs, u.SourceAddrs) && covers(d.DestAddrs, u.DestAddrs) && allPorts(d.SourcePorts) && spans(d.DestPorts, port)
	})
}

// listed caps how many members of a list a sentence names.
const listed = 4

// join writes a list into a sentence.
func join(list []string) string {
	switch n := len(list); {
	case n == 0:
		return "nothing"
	case n == 1:
		return list[0]
	case n > listed:
		return strings.Join(list[:listed], ", ") + fmt.Sprintf(" and %d more", n-listed)
	default:
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
}

// addresses writes a match into a sentence.
func addresses(m model.AddressMatch) string {
	if m.Any {
		return "any address"
	}
	var out []string
	for _, p := range m.Prefixes {
		out = append(out, model.PrefixText(p))
	}
	for _, t := range m.Tags {
		out = append(out, "tag "+t)
	}
	for _, g := range append(slices.Clone(m.ASGs), m.IPGroups...) {
		out = append(out, g.Name())
	}
	return join(append(out, m.FQDNs...))
}

// service writes protocol and ports into a sentence: `tcp/22`, `tcp/443, 8443`, `udp, every port`.
func service(p model.Protocol, ports []model.PortRange) string {
	name := p.String()
	if p == model.AnyProtocol {
		name = "any protocol"
	}
	switch {
	case allPorts(ports) && p == model.AnyProtocol:
		return "everything"
	case allPorts(ports) && p.HasPorts():
		return name + ", every port"
	case !p.HasPorts() && p != model.AnyProtocol:
		return name
	}
	if p == model.AnyProtocol {
		return "port " + portTexts(ports) + " of any protocol"
	}
	return name + "/" + portTexts(ports)
}

func portTexts(ports []model.PortRange) string {
	out := make([]string, len(ports))
	for i, r := range ports {
		out[i] = r.String()
	}
	return strings.Join(out, ", ")
}
