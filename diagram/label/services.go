package label

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// Asked is services that are narrowed alike.
type Asked struct {
	Services []string
	Targets  []string // names and tags; empty: not narrowed
}

// Ask sorts packets by what they are narrowed to: first what is not narrowed at all.
func Ask(packets []solver.Packets) []Asked {
	found := map[string][]atom{}
	targets := map[string][]string{}
	for _, a := range atoms(packets) {
		list := Targets(a.packets)
		key := strings.Join(list, "\x00")
		found[key], targets[key] = append(found[key], a), list
	}
	keys := make([]string, 0, len(found))
	for k := range found {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(len(targets[a]), len(targets[b])), cmp.Compare(a, b)) })
	var out []Asked
	for _, k := range keys {
		out = append(out, Asked{Services: services(found[k]), Targets: targets[k]})
	}
	return out
}

// Services lists what packets ask for at their target, each service once: first tcp, then udp, then the rest by name. A set that
// holds every packet which Azure carries (AZ-GEN-03) is the one word `any`, and one that lacks few of them says which.
func Services(packets []solver.Packets) []string { return services(atoms(packets)) }

// atom is a protocol and ports that every given set of packets holds or lacks as a whole.
type atom struct {
	protocol string
	ports    model.PortRange
	text     string // a port that is no range: shown as it stands, rather than hidden
	packets  []solver.Packets
}

// atoms cuts packets at all their borders.
func atoms(packets []solver.Packets) []atom {
	type span struct {
		ports model.PortRange
		from  solver.Packets
	}
	spans := map[string][]span{}
	var out []atom
	for _, p := range packets {
		for protocol := range strings.SplitSeq(strings.ToLower(p.Protocol), ",") {
			if protocol = strings.TrimSpace(protocol); protocol == "" || protocol == "*" {
				protocol = "any"
			}
			if len(p.DPort) == 0 || portless(protocol) {
				spans[protocol] = append(spans[protocol], span{model.AllPorts, p})
				continue
			}
			for _, text := range p.DPort {
				r, err := model.ParsePortRange(text)
				if err != nil {
					out = append(out, atom{protocol: protocol, text: text, packets: []solver.Packets{p}})
					continue
				}
				spans[protocol] = append(spans[protocol], span{r, p})
			}
		}
	}
	for protocol, list := range spans {
		var cuts []int // first ports of the pieces, and one past the last
		for _, s := range list {
			cuts = append(cuts, int(s.ports.First), int(s.ports.Last)+1)
		}
		slices.Sort(cuts)
		cuts = slices.Compact(cuts)
		for i := range len(cuts) - 1 {
			a := atom{protocol: protocol, ports: model.PortRange{First: uint16(cuts[i]), Last: uint16(cuts[i+1] - 1)}} // ends of port ranges
			for _, s := range list {
				if s.ports.First <= a.ports.First && a.ports.Last <= s.ports.Last {
					a.packets = append(a.packets, s.from)
				}
			}
			if len(a.packets) > 0 {
				out = append(out, a)
			}
		}
	}
	return out
}

// portless reports whether a protocol has no ports; what results print in their place means nothing.
func portless(protocol string) bool {
	return protocol == "icmp" || protocol == "icmpv6" || protocol == "esp" || protocol == "ah"
}

func services(list []atom) []string {
	ports := map[string][]model.PortRange{}
	for _, a := range list {
		if a.text != "" {
			ports[a.protocol+"/"+a.text] = nil
			continue
		}
		ports[a.protocol] = append(ports[a.protocol], a.ports)
	}
	names := make([]string, 0, len(ports))
	for name := range ports {
		ports[name] = merge(ports[name])
		names = append(names, name)
	}
	whole := func(name string) bool { return slices.Contains(ports[name], model.AllPorts) }
	lacking := slices.DeleteFunc([]string{"tcp", "udp", "icmp", "esp", "ah"}, whole)
	switch {
	case whole("any") || len(lacking) == 0:
		return []string{"any"}
	case len(lacking) == 1 && len(ports[lacking[0]]) == 0:
		return []string{"any except " + lacking[0]}
	case len(lacking) == 1:
		if gaps := fewGaps(ports[lacking[0]]); gaps != nil {
			return []string{"any except " + lacking[0] + "/" + strings.Join(gaps, " ")}
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	out := []string{}
	for _, name := range names {
		if len(ports[name]) == 0 {
			out = append(out, name)
		}
		if gaps := fewGaps(ports[name]); gaps != nil {
			out = append(out, name+"/* except "+strings.Join(gaps, " "))
			continue
		}
		for _, r := range ports[name] {
			out = append(out, service(name, r))
		}
	}
	return out
}

// fewGaps lists the ports that almost every port leaves out; nil where that is not the shorter way to say it. Port 0, which nothing
// uses, is not missed.
func fewGaps(ranges []model.PortRange) []string {
	const most, enough = 8, 50_000
	if len(ranges) < 2 {
		return nil
	}
	var gaps []string
	covered, next := 0, 1
	for _, r := range ranges {
		if int(r.First) > next {
			gaps = append(gaps, model.PortRange{First: uint16(next), Last: r.First - 1}.String()) // below a port
		}
		covered += int(r.Last) - int(r.First) + 1
		next = int(r.Last) + 1
	}
	if next <= 65535 {
		gaps = append(gaps, model.PortRange{First: uint16(next), Last: 65535}.String())
	}
	if covered < enough || len(gaps) == 0 || len(gaps) > most {
		return nil
	}
	return gaps
}

func service(name string, r model.PortRange) string {
	switch {
	case name != "tcp" && name != "udp" && name != "sctp" && r == model.AllPorts:
		return name
	case r == model.AllPorts:
		return name + "/*"
	default:
		return name + "/" + r.String()
	}
}

func rank(name string) int {
	switch name {
	case "tcp":
		return 0
	case "udp":
		return 1
	default:
		return 2
	}
}

// merge sorts ranges and joins those that touch.
func merge(ranges []model.PortRange) []model.PortRange {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b model.PortRange) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	var out []model.PortRange
	for _, r := range sorted {
		if n := len(out); n > 0 && int(r.First) <= int(out[n-1].Last)+1 {
			out[n-1].Last = max(out[n-1].Last, r.Last)
			continue
		}
		out = append(out, r)
	}
	return out
}

// Short joins a list for a narrow place: at most n entries, then how many were left out.
func Short(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:n], ", ") + ", +" + strconv.Itoa(len(list)-n)
}
