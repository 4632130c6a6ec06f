package packet

import (
	"fmt"
	"slices"
	"strings"
)

// nameForest holds the FQDN patterns of a run. Two suffix patterns are nested or disjoint, and a full name is a leaf below the suffixes
// that match it, so the patterns form a tree below `*`. Each node is one name class: the names that match its pattern and none below
// it (AZ-NAME-01). Classes are numbered in depth-first order, so that each pattern is one interval. Class 0 is "no name at all".
type nameForest struct {
	nodes []nameNode // node i is class i+1; node 0 is `*`
}

type nameNode struct {
	key    string // suffix or name, bytes reversed
	exact  bool
	added  bool // false for `*` when nobody gave it
	parent int
	last   int // last node below, or itself
	sample string
}

func newNameForest(patterns []string) nameForest {
	nodes := []nameNode{{key: "", parent: -1, added: slices.Contains(patterns, "*")}}
	for _, p := range patterns {
		if p == "*" {
			continue
		}
		if suffix, ok := strings.CutPrefix(p, "*"); ok {
			nodes = append(nodes, nameNode{key: reversed(suffix), added: true})
		} else {
			nodes = append(nodes, nameNode{key: reversed(p), exact: true, added: true})
		}
	}
	slices.SortFunc(nodes, func(a, b nameNode) int { return a.compare(b.key, b.exact) })
	for i := 1; i < len(nodes); i++ {
		// The parent is the nearest node before i, on the path of i-1, whose suffix ends this one.
		up := i - 1
		for !nodes[up].holds(nodes[i].key) {
			up = nodes[up].parent
		}
		nodes[i].parent = up
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		nodes[i].last = max(nodes[i].last, i)
		if up := nodes[i].parent; up >= 0 {
			nodes[up].last = max(nodes[up].last, nodes[i].last)
		}
	}
	f := nameForest{nodes}
	for i := range nodes {
		nodes[i].sample = f.findName(i)
	}
	return f
}

// compare orders nodes depth first: by key, and a suffix before the name that equals it, which it holds.
func (n nameNode) compare(key string, exact bool) int {
	if n.key != key || n.exact == exact {
		return strings.Compare(n.key, key)
	}
	if n.exact {
		return 1
	}
	return -1
}

// holds reports whether every name that ends in the reversed key matches the node.
func (n *nameNode) holds(key string) bool { return !n.exact && strings.HasPrefix(key, n.key) }

func (f *nameForest) classes() int { return len(f.nodes) + 1 }

// class is the class of a folded name.
func (f *nameForest) class(name string) uint32 {
	key := reversed(name)
	i, exact := f.search(key, true)
	if !exact {
		i-- // the last node before the name; one of its parents is the longest suffix that matches
		for !f.nodes[i].holds(key) {
			i = f.nodes[i].parent
		}
	}
	return uint32(i + 1)
}

// search finds a node, or where it would be.
func (f *nameForest) search(key string, exact bool) (int, bool) {
	return slices.BinarySearchFunc(f.nodes, key, func(n nameNode, key string) int { return n.compare(key, exact) })
}

// find returns the node of a folded pattern.
func (f *nameForest) find(pattern string) (int, bool) {
	suffix, wild := strings.CutPrefix(pattern, "*")
	return f.search(reversed(suffix), !wild)
}

func (n *nameNode) pattern() string {
	if n.exact {
		return reversed(n.key)
	}
	return "*" + reversed(n.key)
}

// findName returns a name of the node's class: the most natural one first, then longer ones until no pattern below matches.
func (f *nameForest) findName(i int) string {
	n := &f.nodes[i]
	suffix := reversed(n.key)
	if n.exact {
		return suffix
	}
	if suffix == "" {
		suffix = "example.org"
	}
	for _, prefix := range []string{"", "www", "host", "other-"} {
		name := prefix + suffix
		if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
			continue
		}
		if f.class(name) == uint32(i+1) {
			return name
		}
	}
	// Patterns are finite and names are not: some character continues no pattern.
	suffix = reversed(n.key)
	for c := '0'; ; c++ {
		if name := string(c) + suffix; foldName(name) == name && f.class(name) == uint32(i+1) {
			return name
		}
	}
}

// reversed reverses the bytes of a string.
func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// NameRanges returns the name classes that a pattern matches. It panics for a pattern that was not given to [Builder.Names]: its
// classes are not known to be exact. `*` is every class but 0, given or not.
func (u *Universe) NameRanges(pattern string) []Range {
	i, ok := u.names.find(foldName(pattern))
	if !ok {
		panic(fmt.Sprintf("packet: name pattern `%s` was not given to Builder.Names", pattern))
	}
	return []Range{{uint32(i + 1), uint32(u.names.nodes[i].last + 1)}}
}

// NameClass returns the class of a concrete name; "" is no name.
func (u *Universe) NameClass(name string) uint32 {
	if name = foldName(name); name == "" {
		return 0
	}
	return u.names.class(name)
}

// NamePatterns returns the given patterns that the names of a class match, sorted.
func (u *Universe) NamePatterns(class uint32) []string {
	u.checkName(class)
	var out []string
	for i := int(class) - 1; i >= 0; i = u.names.nodes[i].parent {
		if u.names.nodes[i].added {
			out = append(out, u.names.nodes[i].pattern())
		}
	}
	slices.Sort(out)
	return out
}

// NameExample returns a concrete name of a class, "" for class 0.
func (u *Universe) NameExample(class uint32) string {
	u.checkName(class)
	if class == 0 {
		return ""
	}
	return u.names.nodes[class-1].sample
}

func (u *Universe) checkName(class uint32) {
	if int(class) >= u.names.classes() {
		panic(fmt.Sprintf("packet: name class %d, want 0 to %d", class, u.names.classes()-1))
	}
}
