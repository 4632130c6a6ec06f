package kubernetes

import (
	"bytes"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// longText is the length from which a list in YAML is read entry by entry, as `kubectl get -o yaml` prints a cluster: the nodes of all of it
// at once would take thirty times as much memory as its text.
const longText = 1 << 20

// longList reads a document that is a list of objects, by its lines: entries of `items` stand at one column, each behind a dash. It reports
// false where the document is something else, or where parsing it as a whole may say more.
func (d *documents) longList(file string, c chunk) bool {
	entries, rest, cut, ok := cutList(c)
	if !ok {
		return false
	}
	list, fault := restOfList(rest, cut)
	if fault == nil && list == nil {
		return false
	}
	var objects documents
	add := func(fault *faultError, i int) bool {
		if fault == nil {
			return true
		}
		if len(c.text) <= maxDocument {
			return false // an anchor of another entry, perhaps
		}
		fault.path = "items[" + strconv.Itoa(i) + "]" + fault.path
		objects.errs = append(objects.errs, fault.at(file))
		return true
	}
	if fault != nil {
		if len(c.text) <= maxDocument {
			return false
		}
		d.errs = append(d.errs, fault.at(file))
		return true
	}
	top := newObject(file, list, nil)
	if len(entries) > maxObjects {
		d.errs = append(d.errs, (&faultError{line: cut.line, path: "items", found: "more objects", accepted: fmt.Sprintf("at most %d", maxObjects)}).at(file))
		return true
	}
	objects.lists = 1
	for i, e := range entries {
		o, fault := objects.entry(top, i, e)
		if !add(fault, i) {
			return false
		}
		if o == nil {
			continue
		}
		if o.isList() {
			if !add(objects.list(o, nil, false, 2), i) {
				return false
			}
			continue
		}
		o.root, o.node = shallow(o.root), nil
		objects.objects = append(objects.objects, o)
	}
	d.objects, d.errs, d.lists = append(d.objects, objects.objects...), append(d.errs, objects.errs...), d.lists+objects.lists
	return true
}

// entry is one entry of a list as an object.
func (d *documents) entry(list *object, i int, text chunk) (*object, *faultError) {
	root, merges, fault := parseYAML(text)
	if fault != nil {
		return nil, fault
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, &faultError{line: text.line, accepted: "an object"}
	}
	raw, plain := plainJSON(root)
	if !plain {
		if raw, fault = toJSON(text, merges); fault != nil {
			return nil, fault
		}
	}
	gv, kind := list.typeOfItems()
	if has, _ := value(root, "kind"); kind == "" || has != nil {
		isObject, s, fault := classify(root)
		switch {
		case fault != nil:
			return nil, fault
		case !isObject:
			return nil, &faultError{line: root.Line, found: s.what, accepted: "an object with apiVersion and kind"}
		}
		kind = ""
	}
	o := newObject(list.file, root, raw)
	o.node, o.entry, o.path = root, &text, "items["+strconv.Itoa(i)+"]."
	if kind != "" {
		o.setType(gv, kind)
	}
	return o, nil
}

// shallow is the top level of a mapping.
func shallow(n *yaml.Node) *yaml.Node {
	out := *n
	out.Content = make([]*yaml.Node, len(n.Content))
	for i, x := range n.Content {
		one := *x
		if i%2 == 1 && one.Kind != yaml.ScalarNode {
			one.Content = nil
		}
		out.Content[i] = &one
	}
	return &out
}

// gap is the lines that were cut out of a document.
type gap struct{ line, lines int }

// restOfList parses what is left of a document without its entries. It returns nil where that is no list of objects.
func restOfList(rest chunk, cut gap) (*yaml.Node, *faultError) {
	root, _, fault := parseYAML(rest)
	if fault != nil {
		if fault.line > cut.line {
			fault.line += cut.lines
		}
		return nil, fault
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, nil
	}
	for _, n := range root.Content {
		if n.Line > cut.line {
			n.Line += cut.lines
		}
	}
	isObject, _, fault := classify(root)
	if fault != nil || !isObject || !newObject("", root, nil).isList() {
		return nil, nil
	}
	return root, nil
}

// cutList takes the entries of `items` out of a document: each as a text of its own, in which spaces stand for the dash, and the rest, with an
// empty list in their place.
func cutList(c chunk) (entries []chunk, rest chunk, cut gap, ok bool) {
	line, pos := c.line, 0
	var head []byte
	for pos < len(c.text) {
		text, next := lineAt(c.text, pos)
		if bytes.Equal(bytes.TrimRight(text, " \r"), []byte("items:")) {
			head, pos = c.text[:pos], next
			break
		}
		pos, line = next, line+1
	}
	if head == nil && pos == len(c.text) {
		return nil, chunk{}, gap{}, false
	}
	cut.line = line
	column, start, begin := -1, -1, 0
	line++
	end := func(at int) {
		if start >= 0 {
			text := bytes.Clone(c.text[start:at])
			text[column] = ' '
			entries = append(entries, chunk{text, begin})
		}
	}
	for pos < len(c.text) {
		text, next := lineAt(c.text, pos)
		body := bytes.TrimLeft(text, " ")
		indent := len(text) - len(body)
		dash := bytes.HasPrefix(body, []byte("- ")) || len(bytes.TrimRight(body, " \r")) == 1 && body[0] == '-'
		switch {
		case len(bytes.TrimSpace(body)) == 0 || body[0] == '#':
		case column < 0 && !dash:
			return nil, chunk{}, gap{}, false
		case dash && (column < 0 || indent == column):
			end(pos)
			column, start, begin = indent, pos, line
		case indent <= column:
			end(pos)
			start = -1
		}
		if column >= 0 && start < 0 {
			break
		}
		pos, line = next, line+1
	}
	end(pos)
	if len(entries) == 0 {
		return nil, chunk{}, gap{}, false
	}
	cut.lines = line - cut.line - 1
	var b bytes.Buffer
	b.Write(head)
	b.WriteString("items: []\n")
	b.Write(c.text[pos:])
	return entries, chunk{b.Bytes(), c.line}, cut, true
}

// lineAt is the line that begins at a position, without its end, and where the next one begins.
func lineAt(text []byte, pos int) (line []byte, next int) {
	if i := bytes.IndexByte(text[pos:], '\n'); i >= 0 {
		return text[pos : pos+i], pos + i + 1
	}
	return text[pos:], len(text)
}
