package kubernetes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/ringfence/ringfence/model"
)

const (
	maxDocument  = 16 << 20 // bytes of one YAML document or entry of a list, and of one object in JSON
	maxMarks     = 3 << 20  // line ends, commas, colons and braces of one: a bound on its nodes before they exist
	maxExpanded  = 64 << 20 // bytes of one after its aliases are expanded
	maxDocuments = 20_000
	maxDepth     = 200
	maxListDepth = 8
	nodeCost     = 32 // what a node counts for in maxExpanded beside its text
)

// documents is what one file holds.
type documents struct {
	objects []*object
	strays  []stray
	lists   int // lists of objects, empty ones too
	errs    []*model.InputError
}

// stray is a document that is no Kubernetes object.
type stray struct {
	line  int
	what  string
	chart bool // apiVersion without kind, as in Chart.yaml
}

// readDocuments parses a file of YAML or JSON documents. Empty documents are left out, lists are taken apart.
func readDocuments(file string, data []byte) documents {
	var docs documents
	chunks, err := split(data)
	if err != nil {
		docs.errs = append(docs.errs, err.at(file))
		return docs
	}
	for _, c := range chunks {
		docs.read(file, c)
	}
	return docs
}

// faultError is an error inside a file whose name the finder does not know.
type faultError struct {
	line     int
	path     string
	found    string
	accepted string
	cause    error
}

func (e *faultError) at(file string) *model.InputError {
	field := strings.TrimPrefix(e.path, ".")
	return &model.InputError{
		Source: model.Source{File: file, Line: e.line, Path: field}, Field: field, Found: e.found, Accepted: e.accepted, Err: e.cause,
	}
}

// chunk is the text of one document and the line on which it begins.
type chunk struct {
	text []byte
	line int
}

// split cuts a stream at the lines that begin with `---`, as kubectl does: only a comment may follow on such a line.
func split(data []byte) ([]chunk, *faultError) {
	var chunks []chunk
	start, line := 0, 1
	begin := line
	add := func(end int) *faultError {
		if text := data[start:end]; len(bytes.TrimSpace(text)) > 0 {
			if len(chunks) == maxDocuments {
				return &faultError{line: begin, found: "more documents", accepted: fmt.Sprintf("at most %d in a file", maxDocuments)}
			}
			chunks = append(chunks, chunk{text, begin})
		}
		return nil
	}
	for pos := 0; pos < len(data); line++ {
		end := len(data)
		if i := bytes.IndexByte(data[pos:], '\n'); i >= 0 {
			end = pos + i + 1
		}
		if rest, ok := bytes.CutPrefix(data[pos:end], []byte("---")); ok {
			if rest = bytes.TrimSpace(rest); len(rest) > 0 && rest[0] != '#' {
				return nil, &faultError{line: line, found: "text behind ---", accepted: "a line that begins with --- to hold nothing else but a comment"}
			}
			if err := add(pos); err != nil {
				return nil, err
			}
			start, begin = end, line+1
		}
		pos = end
	}
	return chunks, add(len(data))
}

// read parses one document. What begins with `{` is tried as JSON first; YAML's flow style looks alike.
func (d *documents) read(file string, c chunk) {
	if bytes.TrimLeft(c.text, " \t\r\n")[0] == '{' {
		values, err := splitJSON(c)
		if err == nil {
			for _, v := range values {
				if err = d.add(file, v.root, v.raw, v.items, true); err != nil {
					break
				}
			}
		}
		if err == nil {
			return
		}
		// Without a cause it is a limit that was passed, or a mistaken object: JSON, at any rate.
		if err.cause == nil || len(values) > 0 || strings.HasSuffix(strings.ToLower(file), ".json") {
			d.errs = append(d.errs, err.at(file))
			return
		}
	}
	if len(c.text) > longText && d.longList(file, c) {
		return
	}
	root, merges, err := parseYAML(c)
	if err == nil && root == nil {
		return
	}
	if err == nil {
		var raw []byte
		if isObject, _, _ := classify(root); isObject {
			plain := false
			if raw, plain = plainJSON(root); !plain {
				raw, err = toJSON(c, merges)
			}
		}
		if err == nil {
			err = d.add(file, root, raw, nil, false)
		}
	}
	if err != nil {
		if bytes.Contains(c.text, []byte("{{")) {
			err.accepted = strings.TrimPrefix(err.accepted+"; the file looks like a template, which must be rendered first", "; ")
		}
		d.errs = append(d.errs, err.at(file))
	}
}

// add enters a document: an object, the objects of a list, or a stray. root holds the top level at least; shallow says that it holds
// no more, and that items has the entries of its list.
func (d *documents) add(file string, root *yaml.Node, raw []byte, items []jsonValue, shallow bool) *faultError {
	isObject, s, err := classify(root)
	switch {
	case err != nil:
		return err
	case !isObject:
		d.strays = append(d.strays, s)
		return nil
	}
	o := newObject(file, root, raw)
	if !shallow {
		o.node = root
	}
	if !o.isList() {
		d.objects = append(d.objects, o)
		return nil
	}
	return d.list(o, items, shallow, 1)
}

// list adds the items of a list. Items of a typed list (PodList) may leave out what the list says already, as the API server does.
func (d *documents) list(list *object, items []jsonValue, shallow bool, depth int) *faultError {
	if depth > maxListDepth {
		return &faultError{line: list.line, found: "lists in lists", accepted: fmt.Sprintf("at most %d levels", maxListDepth)}
	}
	entries, line := value(list.root, "items")
	if entries == nil || entries.Kind != yaml.SequenceNode && entries.Tag != "!!null" {
		return &faultError{line: line, path: "items", accepted: "a list of objects"}
	}
	if !shallow {
		top, err := jsonTop(list.raw, list.line, maxListDepth)
		if err != nil {
			return err
		}
		items = top.items
		if len(items) != len(entries.Content) {
			return &faultError{line: line, path: "items", accepted: "a list that every YAML parser reads alike"}
		}
	}
	d.lists++
	for i, item := range items {
		at := list.path + "items[" + strconv.Itoa(i) + "]"
		root := item.root
		if !shallow {
			use := entries.Content[i].Line
			root = resolve(entries.Content[i])
			item = jsonValue{raw: item.raw, root: root, line: use, items: item.items}
		}
		gv, kind := list.typeOfItems()
		if has, _ := value(root, "kind"); kind == "" || has != nil {
			isObject, s, err := classify(root)
			switch {
			case err != nil:
				err.path = at
				d.errs = append(d.errs, err.at(list.file))
				continue
			case !isObject:
				err = &faultError{line: item.line, path: at, found: s.what, accepted: "an object with apiVersion and kind"}
				d.errs = append(d.errs, err.at(list.file))
				continue
			}
			gv, kind = "", ""
		} else if root.Kind != yaml.MappingNode {
			err := &faultError{line: item.line, path: at, accepted: "an object"}
			d.errs = append(d.errs, err.at(list.file))
			continue
		}
		o := newObject(list.file, root, item.raw)
		o.line, o.path = item.line, at+"."
		if kind != "" {
			o.setType(gv, kind)
		}
		if !shallow {
			o.node = root
		}
		if o.isList() {
			if err := d.list(o, item.items, shallow, depth+1); err != nil {
				d.errs = append(d.errs, err.at(list.file))
			}
			continue
		}
		d.objects = append(d.objects, o)
	}
	return nil
}

// classify says whether a document is a Kubernetes object, something else, or a mistaken object.
func classify(root *yaml.Node) (bool, stray, *faultError) {
	s := stray{line: root.Line}
	switch root.Kind {
	case yaml.SequenceNode:
		s.what = "a list"
		return false, s, nil
	case yaml.MappingNode:
	default:
		s.what = "text"
		return false, s, nil
	}
	version, versionLine := value(root, "apiVersion")
	kind, kindLine := value(root, "kind")
	s.what = "a document without apiVersion and kind"
	switch {
	case version != nil && isDate(version.Value): // an Azure resource in a template
		s.what = "an Azure resource"
		return false, s, nil
	case version == nil && kind == nil:
		if v, k := foldedKey(root, "apiVersion"), foldedKey(root, "kind"); v != nil && k != nil {
			return false, s, &faultError{line: v.Line, found: v.Value, accepted: "apiVersion and kind in this spelling"}
		}
		return false, s, nil
	case kind == nil:
		if version.Value == "v1" || version.Value == "v2" {
			name, _ := value(root, "name")
			number, _ := value(root, "version")
			if s.chart = name != nil && number != nil; s.chart {
				return false, s, nil
			}
		}
		return false, s, missingKey(root, "kind", s.line)
	case version == nil:
		// Many configuration files have a kind of their own.
		meta, _ := value(root, "metadata")
		spec, _ := value(root, "spec")
		if meta == nil && spec == nil && foldedKey(root, "apiVersion") == nil {
			return false, s, nil
		}
		return false, s, missingKey(root, "apiVersion", s.line)
	}
	if version.Kind != yaml.ScalarNode || !isAPIVersion(version.Value) {
		return false, s, &faultError{line: versionLine, path: "apiVersion", found: version.Value, accepted: "v1, or group/version as in networking.k8s.io/v1"}
	}
	if kind.Kind != yaml.ScalarNode || !isKind(kind.Value) {
		return false, s, &faultError{line: kindLine, path: "kind", found: kind.Value, accepted: "a kind as in NetworkPolicy"}
	}
	return true, s, nil
}

func missingKey(root *yaml.Node, key string, line int) *faultError {
	if near := foldedKey(root, key); near != nil {
		return &faultError{line: near.Line, found: near.Value, accepted: key + " in this spelling"}
	}
	return &faultError{line: line, path: key, accepted: "an object with apiVersion and kind"}
}

// isAPIVersion accepts `v1` and `group/v1`; the version is a DNS label that begins with a letter, which a date does not.
func isAPIVersion(s string) bool {
	version := s
	if group, rest, grouped := strings.Cut(s, "/"); grouped {
		if len(validation.IsDNS1123Subdomain(group)) > 0 {
			return false
		}
		version = rest
	}
	return len(validation.IsDNS1035Label(version)) == 0
}

// isDate recognises the API version of an Azure resource.
func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s[:min(len(s), len(time.DateOnly))])
	return err == nil
}

// isKind accepts a word of letters and digits, so that nothing else enters an ID.
func isKind(s string) bool {
	return len(s) <= validation.DNS1035LabelMaxLength && len(validation.IsDNS1035Label(strings.ToLower(s))) == 0 && !strings.Contains(s, "-")
}

// parseYAML parses one document and checks what every later step relies on: bounded depth and size, scalar keys, no key twice.
// The lines of the nodes are those of the file. A document without content has no node.
// It reports whether the document merges mappings (`<<`).
func parseYAML(c chunk) (root *yaml.Node, merges bool, fault *faultError) {
	if oversize := oversized(c.text, c.line); oversize != nil {
		return nil, false, oversize
	}
	defer func() {
		// The parser gives up on some malformed comments with a panic.
		if r := recover(); r != nil {
			root, merges, fault = nil, false, &faultError{line: c.line, accepted: "YAML that can be parsed"}
		}
	}()
	var doc, rest yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(c.text))
	err := dec.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF):
		return nil, false, nil
	case err != nil:
		return nil, false, syntaxFault(c, err)
	}
	if err = dec.Decode(&rest); !errors.Is(err, io.EOF) {
		// kubectl reads up to `...` and drops the rest in silence.
		return nil, false, &faultError{line: c.line, found: "a second document behind ...", accepted: "documents separated by lines of ---"}
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" {
		return nil, false, nil
	}
	root = doc.Content[0]
	m := measurer{offset: c.line - 1, done: map[*yaml.Node]measure{}, open: map[*yaml.Node]bool{}}
	if _, fault = m.measure(root, 1); fault != nil {
		return nil, false, fault
	}
	return root, m.merges, nil
}

// oversized refuses a text whose nodes would fill the memory, before there are any.
func oversized(text []byte, line int) *faultError {
	if len(text) > maxDocument {
		return &faultError{line: line, found: "a larger document", accepted: fmt.Sprintf("at most %d MiB; a longer list as JSON, or in several files", maxDocument>>20)}
	}
	marks := 0
	for _, b := range []byte("\n,:[{-") {
		marks += bytes.Count(text, []byte{b})
	}
	if marks > maxMarks {
		return &faultError{line: line, found: "too many entries", accepted: fmt.Sprintf("at most %d in one document", maxMarks)}
	}
	return nil
}

// syntaxFault takes the line out of the parser's message. The parser counts the lines of some of its errors from zero.
func syntaxFault(c chunk, err error) *faultError {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
		if strings.HasPrefix(text, "did not find expected") {
			line++
		}
	}
	line = min(line, bytes.Count(bytes.TrimRight(c.text, "\n"), []byte("\n"))+1)
	return &faultError{line: c.line + line - 1, cause: errors.New("no valid YAML: " + text)}
}

// measure is what a node becomes when aliases are expanded.
type measure struct{ size, depth int }

// measurer walks every node once; an alias costs what its anchor was found to cost.
type measurer struct {
	offset int
	done   map[*yaml.Node]measure // anchored nodes
	open   map[*yaml.Node]bool    // anchored nodes that are being walked
	merges bool
}

func (m *measurer) measure(n *yaml.Node, depth int) (measure, *faultError) {
	if depth > maxDepth {
		return measure{}, &faultError{line: n.Line + m.offset, found: "deep nesting", accepted: fmt.Sprintf("at most %d levels", maxDepth)}
	}
	n.Line += m.offset
	if n.Kind == yaml.AliasNode {
		if m.open[n.Alias] {
			return measure{}, &faultError{line: n.Line, found: "*" + n.Value, accepted: "an alias of something that does not contain it"}
		}
		return m.done[n.Alias], nil
	}
	if n.Anchor != "" {
		m.open[n] = true
	}
	total := measure{size: len(n.Value) + nodeCost, depth: 1}
	if n.Kind == yaml.MappingNode {
		if err := m.keys(n); err != nil {
			return measure{}, err
		}
	}
	for i, child := range n.Content {
		sub, err := m.measure(child, depth+1)
		if err == nil {
			total.size += sub.size
			total.depth = max(total.depth, sub.depth+1)
			if child.Kind == yaml.AliasNode && depth+sub.depth > maxDepth || total.size > maxExpanded {
				err = &faultError{line: child.Line, found: "more than fits", accepted: fmt.Sprintf("at most %d levels and %d MiB with aliases expanded", maxDepth, maxExpanded>>20)}
			}
		}
		if err != nil {
			if n.Kind == yaml.SequenceNode {
				err.path = "[" + strconv.Itoa(i) + "]" + err.path
			} else if i%2 == 1 {
				err.path = "." + n.Content[i-1].Value + err.path
			}
			return measure{}, err
		}
	}
	if n.Anchor != "" {
		m.done[n] = total
		delete(m.open, n)
	}
	return total, nil
}

// keys checks the keys of a mapping, before the lines of its children are moved.
func (m *measurer) keys(n *yaml.Node) *faultError {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key := resolve(n.Content[i])
		line := n.Content[i].Line + m.offset
		if key.Kind != yaml.ScalarNode || key.Tag == "!!null" {
			return &faultError{line: line, accepted: "a plain key"}
		}
		if key.Tag == "!!merge" {
			m.merges = true
			// kubectl lets a merge replace keys that stand before it, other parsers do not.
			for j := 0; j < i; j += 2 {
				other := resolve(n.Content[j]).Value
				if v, _ := value(n.Content[i+1], other); v != nil {
					return &faultError{line: line, path: "." + other, found: "a key and a merge behind it that sets the same key", accepted: "the merge before the key"}
				}
			}
		}
		if first, ok := seen[key.Value]; ok {
			return &faultError{line: line, path: "." + key.Value, found: "the same key twice", accepted: "each key once; the other is in line " + strconv.Itoa(first)}
		}
		seen[key.Value] = line
	}
	return nil
}

// toJSON converts a document the way kubectl does: YAML 1.1, in which y, no and on are booleans and 0123 is octal (K8S-GEN-05).
// The strict converter refuses keys that are equal only once they are read (yes and true), but also keys that replace merged ones.
// Its own messages are not passed on, because some hold values.
func toJSON(c chunk, merges bool) (raw []byte, fault *faultError) {
	bad := &faultError{line: c.line, accepted: "YAML that kubectl can turn into JSON: string keys, each once, finite numbers, merges of mappings"}
	defer func() {
		if r := recover(); r != nil {
			raw, fault = nil, bad
		}
	}()
	convert := sigsyaml.YAMLToJSONStrict
	if merges {
		convert = sigsyaml.YAMLToJSON
	}
	raw, err := convert(c.text)
	if err != nil {
		return nil, bad
	}
	return raw, nil
}
