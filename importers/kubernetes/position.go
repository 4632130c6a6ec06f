package kubernetes

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Paths are written as people read them: `spec.ingress[0].from[1]`, and a key that is no plain word in brackets:
// `spec.podSelector.matchLabels[app.kubernetes.io/name]`.

// child is the path of a key.
func child(path, key string) string {
	plain := key != ""
	for _, r := range key {
		plain = plain && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	}
	switch {
	case !plain:
		return path + "[" + key + "]"
	case path == "":
		return key
	default:
		return path + "." + key
	}
}

// index is the path of a list entry.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// step takes the first step off a path.
func step(path string) (first, rest string) {
	path = strings.TrimPrefix(path, ".")
	if strings.HasPrefix(path, "[") {
		if end := strings.IndexByte(path, ']'); end > 0 {
			return path[1:end], path[end+1:]
		}
		return path[1:], ""
	}
	if end := strings.IndexAny(path, ".["); end >= 0 {
		return path[:end], path[end:]
	}
	return path, ""
}

// locate walks a path as far as it exists. It returns the node that it ends at, nil if a step was missing, and the line of the last
// step: that of the key in a mapping, that of the entry in a list.
func locate(n *yaml.Node, path string) (*yaml.Node, int) {
	line := n.Line
	for path != "" {
		var first string
		first, path = step(path)
		n = resolve(n)
		switch n.Kind {
		case yaml.SequenceNode:
			i, err := strconv.Atoi(first)
			if err != nil || i < 0 || i >= len(n.Content) {
				return nil, line
			}
			n = n.Content[i]
			line = n.Line
		case yaml.MappingNode:
			next, at := value(n, first)
			if next == nil {
				return nil, line
			}
			n, line = next, at
		default:
			return nil, line
		}
	}
	return resolve(n), line
}

// maxMerges bounds the mappings that one look-up visits: merges of merges could double it at every level.
const maxMerges = 1_000

// value returns the value of a key, its own or merged (`<<`), and the line of the key.
func value(n *yaml.Node, key string) (*yaml.Node, int) {
	budget := maxMerges
	return merged(n, key, &budget)
}

func merged(n *yaml.Node, key string, budget *int) (*yaml.Node, int) {
	n = resolve(n)
	if *budget--; n.Kind != yaml.MappingNode || *budget < 0 {
		return nil, n.Line
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := resolve(n.Content[i]); k.Value == key && k.Tag != "!!merge" {
			return resolve(n.Content[i+1]), n.Content[i].Line
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			continue
		}
		from := resolve(n.Content[i+1])
		sources := []*yaml.Node{from}
		if from.Kind == yaml.SequenceNode {
			sources = from.Content
		}
		for _, s := range sources {
			if v, line := merged(s, key, budget); v != nil {
				return v, line
			}
		}
	}
	return nil, n.Line
}

// foldedKey returns the node of a key in whatever case.
func foldedKey(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.EqualFold(n.Content[i].Value, key) {
			return n.Content[i]
		}
	}
	return nil
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
