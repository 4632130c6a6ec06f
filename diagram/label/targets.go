package label

import (
	"slices"
	"strings"

	"github.com/ringfence/ringfence/solver"
)

// The words by which results name what is no single host name.
const (
	otherNames = "(any other name)"
	noName     = "(none)"
)

// Targets lists the names and tags that packets of one service are narrowed to: host names, `tag T`, `outside tag T`. It is empty when
// they are not narrowed: when they may carry any name that no rule speaks of, inside a tag and outside it. A few words never say less
// than the packets may do; they may say more.
func Targets(packets []solver.Packets) []string {
	var wide, narrow []solver.Packets
	for _, p := range packets {
		if len(p.Names) == 0 || slices.Contains(p.Names, "*") || slices.Contains(p.Names, otherNames) {
			wide = append(wide, p)
		} else {
			narrow = append(narrow, p)
		}
	}
	out := []string{}
	if everywhere(wide) || len(packets) == 0 {
		return out
	}
	var inside []string // tags whose every name is listed already
	for _, p := range wide {
		var in, outside []string
		for _, tag := range p.Tags {
			if t, no := strings.CutPrefix(tag, "!"); no {
				outside = append(outside, "outside tag "+t)
			} else {
				in = append(in, "tag "+tag)
			}
		}
		if len(in) == 0 {
			out = append(out, strings.Join(outside, " and "))
			continue
		}
		if out = append(out, strings.Join(in, " and ")); len(in) == 1 {
			inside = append(inside, in[0])
		}
	}
	for _, p := range narrow {
		if slices.ContainsFunc(p.Tags, func(tag string) bool { return slices.Contains(inside, "tag "+tag) }) {
			continue
		}
		for _, name := range p.Names {
			if name == noName {
				name = "no name"
			}
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// everywhere reports whether, for every way in which an address may lie in the tags or outside, one of the sets holds it.
func everywhere(list []solver.Packets) bool {
	const most = 10
	var tags []string
	for _, p := range list {
		for _, t := range p.Tags {
			if t = strings.TrimPrefix(t, "!"); !slices.Contains(tags, t) {
				tags = append(tags, t)
			}
		}
	}
	if len(tags) > most {
		return slices.ContainsFunc(list, func(p solver.Packets) bool { return len(p.Tags) == 0 })
	}
	for in := range 1 << len(tags) {
		held := slices.ContainsFunc(list, func(p solver.Packets) bool {
			return !slices.ContainsFunc(p.Tags, func(t string) bool {
				name, no := strings.CutPrefix(t, "!")
				return (in>>slices.Index(tags, name)&1 == 1) == no
			})
		})
		if !held {
			return false
		}
	}
	return true
}
