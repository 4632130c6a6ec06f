package kubernetes

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// jsonValue is an object of a JSON text. Its root holds the top level only, so that a list of a hundred thousand objects is never one
// tree of nodes.
type jsonValue struct {
	raw   []byte
	line  int
	root  *yaml.Node
	items []jsonValue // entries of `items`, where that is an array
}

// splitJSON reads one or more objects that follow each other, as kubectl accepts them.
func splitJSON(c chunk) ([]jsonValue, *faultError) {
	var values []jsonValue
	dec := jsontext.NewDecoder(bytes.NewBuffer(c.text))
	lines := lineCounter{text: c.text, line: c.line}
	for {
		v, err := dec.ReadValue()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return values, jsonFault(c.text, c.line, err)
		}
		end := int(dec.InputOffset())
		start := end - len(v)
		top, fault := jsonTop(c.text[start:end], lines.at(start), maxListDepth)
		if fault != nil {
			return values, fault
		}
		if len(values) == maxDocuments {
			return values, &faultError{line: top.line, found: "more documents", accepted: fmt.Sprintf("at most %d in a file", maxDocuments)}
		}
		values = append(values, top)
	}
}

// jsonTop reads the top level of a value, and that of its items down to a depth of lists in lists.
func jsonTop(raw []byte, line, lists int) (jsonValue, *faultError) {
	top := jsonValue{raw: raw, line: line, root: &yaml.Node{Kind: yaml.ScalarNode, Line: line, Tag: "!!null"}}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	lines := lineCounter{text: raw, line: line}
	switch dec.PeekKind() {
	case '{':
		top.root = &yaml.Node{Kind: yaml.MappingNode, Line: line, Tag: "!!map"}
	case '[':
		top.root = &yaml.Node{Kind: yaml.SequenceNode, Line: line, Tag: "!!seq"}
		return top, nil
	default:
		return top, nil
	}
	if _, err := dec.ReadToken(); err != nil {
		return top, jsonFault(raw, line, err)
	}
	for dec.PeekKind() != '}' {
		key, err := dec.ReadToken()
		if err != nil {
			return top, jsonFault(raw, line, err)
		}
		name := key.String()
		keyNode := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: lines.at(int(dec.InputOffset()))}
		var node *yaml.Node
		if name == "items" && dec.PeekKind() == '[' && lists > 0 {
			node = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
			top.items, err = jsonItems(dec, raw, &lines, lists-1)
		} else {
			node, err = shallowNode(dec)
		}
		if errors.Is(err, errManyItems) {
			return top, &faultError{line: keyNode.Line, path: "items", found: "more objects", accepted: fmt.Sprintf("at most %d", maxObjects)}
		}
		if err != nil {
			return top, jsonFault(raw, line, err)
		}
		node.Line = keyNode.Line
		top.root.Content = append(top.root.Content, keyNode, node)
	}
	return top, nil
}

var errManyItems = errors.New("too many items")

func jsonItems(dec *jsontext.Decoder, raw []byte, lines *lineCounter, lists int) ([]jsonValue, error) {
	var items []jsonValue
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	for dec.PeekKind() != ']' {
		v, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if len(items) == maxObjects {
			return nil, errManyItems
		}
		end := int(dec.InputOffset())
		start := end - len(v)
		item, fault := jsonTop(raw[start:end], lines.at(start), lists)
		if fault != nil {
			return nil, fault.cause
		}
		items = append(items, item)
	}
	_, err := dec.ReadToken()
	return items, err
}

// shallowNode reads a value and keeps it if it is no array or object.
func shallowNode(dec *jsontext.Decoder) (*yaml.Node, error) {
	switch dec.PeekKind() {
	case '{':
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, dec.SkipValue()
	case '[':
		return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}, dec.SkipValue()
	default:
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		return scalarNode(tok), nil
	}
}

func scalarNode(tok jsontext.Token) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: tok.String()}
	switch tok.Kind() {
	case '"':
		n.Tag, n.Style = "!!str", yaml.DoubleQuotedStyle
	case '0':
		n.Tag = "!!float"
	case 't', 'f':
		n.Tag = "!!bool"
	default:
		n.Tag = "!!null"
	}
	return n
}

// jsonTree builds the nodes of a whole object, for its lines.
func jsonTree(raw []byte, line int) (*yaml.Node, *faultError) {
	if fault := oversized(raw, line); fault != nil {
		return nil, fault
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	lines := lineCounter{text: raw, line: line}
	return jsonNode(dec, &lines, 1)
}

func jsonNode(dec *jsontext.Decoder, lines *lineCounter, depth int) (*yaml.Node, *faultError) {
	tok, err := dec.ReadToken()
	if err != nil {
		return nil, &faultError{line: lines.line, cause: err}
	}
	line := lines.at(int(dec.InputOffset()))
	if depth > maxDepth {
		return nil, &faultError{line: line, found: "deep nesting", accepted: fmt.Sprintf("at most %d levels", maxDepth)}
	}
	var n *yaml.Node
	switch tok.Kind() {
	case '{':
		n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	case '[':
		n = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	default:
		n = scalarNode(tok)
		n.Line = line
		return n, nil
	}
	n.Line = line
	for dec.PeekKind() != '}' && dec.PeekKind() != ']' {
		child, fault := jsonNode(dec, lines, depth+1)
		if fault != nil {
			return nil, fault
		}
		n.Content = append(n.Content, child)
	}
	if _, err = dec.ReadToken(); err != nil {
		return nil, &faultError{line: lines.line, cause: err}
	}
	return n, nil
}

// jsonFault says where a JSON text is broken.
func jsonFault(text []byte, line int, err error) *faultError {
	se, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return &faultError{line: line, cause: errors.New("no valid JSON")}
	}
	at := min(int(se.ByteOffset), len(text))
	return &faultError{line: line + bytes.Count(text[:at], []byte("\n")), cause: fmt.Errorf("no valid JSON: %w", se.Err)}
}

// lineCounter turns growing offsets of a text into lines.
type lineCounter struct {
	text []byte
	pos  int
	line int
}

func (l *lineCounter) at(offset int) int {
	l.line += bytes.Count(l.text[l.pos:offset], []byte("\n"))
	l.pos = offset
	return l.line
}
