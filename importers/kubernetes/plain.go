package kubernetes

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// plainJSON writes a document as JSON where every version of YAML reads it alike, byte for byte as toJSON does, which parses the text once
// more. Most manifests are plain: words, quoted strings on one line, small numbers, true and false. It gives up on all else: anchors and
// tags, words that YAML 1.1 takes for booleans, numbers that are not written in decimal (K8S-GEN-05).
func plainJSON(root *yaml.Node) ([]byte, bool) {
	b, ok := appendPlain(nil, root)
	return b, ok
}

func appendPlain(b []byte, n *yaml.Node) ([]byte, bool) {
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return nil, false
	}
	var ok bool
	switch n.Kind {
	case yaml.MappingNode:
		type entry struct {
			key   string
			value *yaml.Node
		}
		entries := make([]entry, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode || key.Anchor != "" || !plainText(key) {
				return nil, false
			}
			entries = append(entries, entry{key.Value, n.Content[i+1]})
		}
		slices.SortFunc(entries, func(x, y entry) int { return cmp.Compare(x.key, y.key) })
		b = append(b, '{')
		for i, e := range entries {
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = appendString(b, e.key); !ok {
				return nil, false
			}
			b = append(b, ':')
			if b, ok = appendPlain(b, e.value); !ok {
				return nil, false
			}
		}
		return append(b, '}'), true
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, c := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = appendPlain(b, c); !ok {
				return nil, false
			}
		}
		return append(b, ']'), true
	case yaml.ScalarNode:
		switch {
		case plainText(n):
			return appendString(b, n.Value)
		case n.Style != 0:
			return nil, false
		case n.Value == "" && n.Tag == "!!null", n.Value == "null":
			return append(b, "null"...), true
		case n.Value == "true", n.Value == "false", n.Tag == "!!int" && plainNumber(n.Value):
			return append(b, n.Value...), true
		}
	}
	return nil, false
}

// plainText reports whether a scalar is a string in every version of YAML.
func plainText(n *yaml.Node) bool {
	switch {
	case n.Tag != "!!str" || strings.ContainsAny(n.Value, "\n\r\t"):
		return false
	case n.Style == yaml.DoubleQuotedStyle || n.Style == yaml.SingleQuotedStyle:
		return true
	case n.Style != 0 || n.Value == "":
		return false
	}
	switch c := n.Value[0]; {
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		switch strings.ToLower(n.Value) {
		case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
			return false
		}
		return true
	case c >= '0' && c <= '9':
		return plainAddress(n.Value)
	default:
		return false
	}
}

// plainAddress reports whether a text has the form of an IPv4 address or CIDR, which is no number.
func plainAddress(s string) bool {
	dots, slash := 0, false
	for i, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
		case c == '.' && !slash && i > 0 && s[i-1] != '.':
			dots++
		case c == '/' && !slash && s[i-1] != '.':
			slash = true
		default:
			return false
		}
	}
	return dots == 3
}

// plainNumber reports whether a text is a decimal number that any integer type holds.
func plainNumber(s string) bool {
	if len(s) > 15 || s == "" || s[0] == '0' && s != "0" {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// appendString writes a string as JSON.
func appendString(b []byte, s string) ([]byte, bool) {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, err := json.Marshal(s)
			return append(b, text...), err == nil
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"'), true
}
