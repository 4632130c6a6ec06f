package azure

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringfence/ringfence/model"
)

// kind is the kind of a JSON value.
type kind uint8

const (
	nullValue kind = iota
	boolValue
	numberValue
	textValue
	arrayValue
	objectValue
)

// String names the kind as a message does.
func (k kind) String() string {
	return [...]string{"null", "true or false", "a number", "a text", "a list", "an object"}[k]
}

// node is one JSON value and where it stands.
type node struct {
	kind   kind
	line   int32
	index  int32 // place in the parent list
	name   string
	low    string // the name in lower case
	text   string // of a text, a number, true, false
	parent *node
	items  []*node // members of an object, elements of a list, in the order read
}

// get returns the member of an object; Azure compares names without case. A nil node has no members.
func (n *node) get(name string) *node {
	if n == nil || n.kind != objectValue {
		return nil
	}
	for _, m := range n.items {
		if len(m.name) == len(name) && strings.EqualFold(m.name, name) {
			return m
		}
	}
	return nil
}

// str returns the text of a member, or "".
func (n *node) str(name string) string {
	if m := n.get(name); m != nil && m.kind == textValue {
		return m.text
	}
	return ""
}

// pointer is the JSON pointer of the value inside its document (RFC 6901).
func (n *node) pointer() string {
	if n == nil || n.parent == nil {
		return ""
	}
	step := n.name
	if n.parent.kind == arrayValue {
		step = strconv.Itoa(int(n.index))
	}
	return n.parent.pointer() + "/" + strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1")
}

// field is the path of the value below root as messages print it: properties.securityRules[2].priority.
func (n *node) field(root *node) string {
	if n == nil || n == root || n.parent == nil {
		return ""
	}
	up := n.parent.field(root)
	switch {
	case n.parent.kind == arrayValue:
		return up + "[" + strconv.Itoa(int(n.index)) + "]"
	case up == "":
		return n.name
	default:
		return up + "." + n.name
	}
}

// shown is the value as a message quotes it.
func (n *node) shown() string {
	switch n.kind {
	case textValue:
		return strconv.Quote(n.text)
	case numberValue, boolValue:
		return n.text
	default:
		return n.kind.String()
	}
}

// secret reports whether a member holds something that must not be stored or printed. Such members are dropped while the file is
// parsed, whatever resource they are in. low is its name in lower case.
func secret(low string, k kind) bool {
	switch low {
	case "sharedkey", "authorizationkey", "radiusserversecret", "secret", "password", "passwords", "adminpassword",
		"administratorloginpassword", "serverappsecret", "clientsecret", "customdata", "userdata", "publiccertdata",
		"validatedcertdata", "certificatedata", "privatekey", "pfxblob", "accesskey", "accesskeys", "primarykey", "secondarykey",
		"primarymasterkey", "secondarymasterkey", "connectionstring", "connectionstrings", "primaryconnectionstring",
		"secondaryconnectionstring", "protectedsettings", "sastoken", "storageaccountkey", "trustedca", "keydata",
		"customcatrustcertificates", "registrationtoken", "bootstraptoken":
		return true
	case "data": // of certificates; the list `data` of Resource Graph is no text
		return k == textValue
	default:
		return false
	}
}

// parse reads every document of a text. It goes on after a duplicate name and stops at the first syntax error.
func parse(file string, text []byte) (docs []*node, errs []*model.InputError) {
	p := &parser{
		file: file, text: text, line: 1, names: map[string][2]string{}, texts: map[string]string{},
		dec: jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true)), // duplicates are found below, with their line
	}
	for {
		n, err := p.value(nil, 0)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			p.errs = append(p.errs, p.syntax(err))
			break
		}
		docs = append(docs, n)
	}
	return docs, p.errs
}

type parser struct {
	file   string
	text   []byte
	dec    *jsontext.Decoder
	offset int64 // up to which lines are counted
	line   int
	values int
	errs   []*model.InputError
	names  map[string][2]string // each name once, as read and in lower case
	texts  map[string]string    // each text once: an export repeats most of them
	spare  []node               // allocated and not used yet
	seen   linesPool
}

var (
	errDeep = fmt.Errorf("nesting is deeper than %d levels", maxDepth)
	errMany = fmt.Errorf("the file holds more than %d values; split it", maxValues)
)

func (p *parser) lineAt(offset int64) int {
	offset = min(offset, int64(len(p.text)))
	if offset > p.offset {
		p.line += bytes.Count(p.text[p.offset:offset], []byte("\n"))
		p.offset = offset
	}
	return p.line
}

func (p *parser) value(parent *node, depth int) (*node, error) {
	if p.dec.PeekKind() == '"' {
		raw, err := p.dec.ReadValue()
		if err != nil {
			return nil, err
		}
		n, err := p.node(parent)
		if err != nil {
			return nil, err
		}
		n.kind, n.text = textValue, p.unquote(raw)
		return n, nil
	}
	tok, err := p.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	n, err := p.node(parent)
	if err != nil {
		return nil, err
	}
	switch tok.Kind() {
	case 'n':
		n.kind = nullValue
	case 't', 'f':
		n.kind, n.text = boolValue, tok.String()
	case '0':
		n.kind, n.text = numberValue, tok.String()
	case '[':
		if depth >= maxDepth {
			return nil, errDeep
		}
		n.kind = arrayValue
		for p.dec.PeekKind() != ']' {
			item, err := p.value(n, depth+1)
			if err != nil {
				return nil, truncated(err)
			}
			item.index = int32(len(n.items))
			n.items = append(n.items, item)
		}
		if _, err := p.dec.ReadToken(); err != nil {
			return nil, truncated(err)
		}
	case '{':
		if depth >= maxDepth {
			return nil, errDeep
		}
		n.kind = objectValue
		if err := p.members(n, depth); err != nil {
			return nil, truncated(err)
		}
	}
	return n, nil
}

// node starts the node of the value that was read last.
func (p *parser) node(parent *node) (*node, error) {
	if p.values++; p.values > maxValues {
		return nil, errMany
	}
	if len(p.spare) == 0 {
		p.spare = make([]node, min(max(16, p.values), 1024))
	}
	n := &p.spare[0]
	p.spare = p.spare[1:]
	n.parent, n.line = parent, int32(p.lineAt(p.dec.InputOffset())) // a token never spans lines
	return n, nil
}

// unquote returns the text of a JSON string that the decoder accepted.
func (p *parser) unquote(raw jsontext.Value) string {
	inside := raw[1 : len(raw)-1]
	if bytes.IndexByte(inside, '\\') >= 0 {
		out, _ := jsontext.AppendUnquote(nil, raw)
		return string(out)
	}
	if s, ok := p.texts[string(inside)]; ok {
		return s
	}
	s := string(inside)
	if len(s) < 256 {
		p.texts[s] = s
	}
	return s
}

// name reads a member's name: as read, and in lower case.
func (p *parser) name() ([2]string, error) {
	raw, err := p.dec.ReadValue()
	if err != nil {
		return [2]string{}, err
	}
	key := p.unquote(raw)
	pair, ok := p.names[key]
	if !ok {
		pair = [2]string{key, strings.ToLower(key)}
		p.names[key] = pair
	}
	return pair, nil
}

func (p *parser) members(n *node, depth int) error {
	seen := p.seen.take()
	defer p.seen.give(seen)
	for p.dec.PeekKind() != '}' {
		name, err := p.name()
		if err != nil {
			return err
		}
		key := name[0]
		item, err := p.value(n, depth+1)
		if err != nil {
			return err
		}
		item.name, item.low = key, name[1]
		if first, ok := seen.first(key, item.line); ok {
			p.errs = append(p.errs, &model.InputError{
				Source: model.Source{File: p.file, Line: int(item.line), Path: item.pointer()},
				Field:  item.field(nil), Found: "the name a second time", Accepted: fmt.Sprintf("each name once; the first is at line %d", first),
			})
			continue
		}
		if !secret(item.low, item.kind) {
			n.items = append(n.items, item)
		}
	}
	_, err := p.dec.ReadToken()
	return err
}

// lines remembers where each name of an object stands: in a list while there are few, which is nearly always.
type lines struct {
	names []string
	at    []int32
	many  map[string]int32
}

// first returns the line of a name that was seen before, and remembers it otherwise.
func (l *lines) first(name string, line int32) (int32, bool) {
	if l.many != nil {
		prev, ok := l.many[name]
		if !ok {
			l.many[name] = line
		}
		return prev, ok
	}
	if i := slices.Index(l.names, name); i >= 0 {
		return l.at[i], true
	}
	l.names, l.at = append(l.names, name), append(l.at, line)
	if len(l.names) > 32 {
		l.many = map[string]int32{}
		for i, n := range l.names {
			l.many[n] = l.at[i]
		}
	}
	return 0, false
}

// linesPool keeps memories that are done with for the next object.
type linesPool []*lines

func (p *linesPool) take() *lines {
	if len(*p) == 0 {
		return &lines{}
	}
	last := len(*p) - 1
	l := (*p)[last]
	*p = (*p)[:last]
	l.names, l.at, l.many = l.names[:0], l.at[:0], nil
	return l
}

func (p *linesPool) give(l *lines) { *p = append(*p, l) }

// truncated tells the end of the text inside a value from the end after it.
func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// syntax turns an error of the decoder into one with a line.
func (p *parser) syntax(err error) *model.InputError {
	offset := p.dec.InputOffset()
	out := &model.InputError{Source: model.Source{File: p.file}, Accepted: "JSON"}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		offset = s.ByteOffset
		out.Source.Path = string(s.JSONPointer)
		err = s.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		offset, out.Found, out.Accepted = int64(len(p.text)), "the end of the file", "the rest of the JSON value: the file is cut off"
	} else {
		out.Err = err
	}
	out.Source.Line = p.lineAt(offset)
	return out
}
