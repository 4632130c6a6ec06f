package intent

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ringfence/ringfence/model"
)

// reader reads the files one after the other into one result.
type reader struct {
	out      *File
	file     string // the file being read
	fragment bool   // it is one of ringfence.d
	bytes    int    // read so far, in all files
	values   int    // read so far, in all files
	full     bool   // the limit of values or errors is reached: nothing more is read or reported
	errs     []*model.InputError

	glob, name *regexp.Regexp // of rules and rule sets, of namespaces

	claimed map[string]model.Source // what may be stated once, and where it was
	zones   []model.Selector        // selectors of zones, to be checked when every zone is known
	signed  []signed                // days on which somebody said something
}

// signed is the day on which a person reviewed, attested or stated something.
type signed struct {
	source model.Source
	on     model.Date
}

// value is one value of the file being read.
type value struct {
	node *yaml.Node
	line int    // of its key, or of the item; of the alias, where there is one
	path string // such as `assertions[2].except[0]`; empty for the whole file
}

// under is the value of a key of v.
func (v value) under(key string, line int, node *yaml.Node) value {
	if v.path != "" {
		key = v.path + "." + key
	}
	return value{node, line, key}
}

func (v value) item(i int, node *yaml.Node) value {
	return value{node, node.Line, v.path + "[" + strconv.Itoa(i) + "]"}
}

// field is one key of a mapping and what reads its value.
type field struct {
	name     string
	required bool
	read     func(value)
}

func required(name string, read func(value)) field { return field{name, true, read} }

func optional(name string, read func(value)) field { return field{name, false, read} }

func (r *reader) source(v value) model.Source {
	return model.Source{File: r.file, Line: v.line, Path: v.path}
}

func (r *reader) report(e *model.InputError) {
	if r.full {
		return
	}
	r.errs = append(r.errs, e)
	if len(r.errs) == maxErrors {
		r.errs = append(r.errs, &model.InputError{Source: e.Source, Err: fmt.Errorf("is the place of error %d: the rest is not read", maxErrors)})
		r.full = true
	}
}

// reject reports a value for a reason that another function gives in full.
func (r *reader) reject(v value, err error) {
	r.report(&model.InputError{Source: r.source(v), Field: v.path, Err: err})
}

// want reports a value that is of another type, or outside what is accepted.
func (r *reader) want(v value, accepted string) {
	e := &model.InputError{Source: r.source(v), Field: v.path, Accepted: accepted}
	switch {
	case v.node.Kind == yaml.SequenceNode:
		e.Accepted += "; this is a list"
	case v.node.Kind == yaml.MappingNode:
		e.Accepted += "; this is a mapping"
	case v.node.Value == "":
		e.Accepted += "; the value is empty"
	default:
		e.Found = v.node.Value
	}
	r.report(e)
}

// take counts a value that is about to be read, and follows an alias to what it stands for. It is false when there is nothing to
// read any more.
func (r *reader) take(v *value) bool {
	if r.full {
		return false
	}
	r.values++
	if r.values > maxValues {
		r.reject(*v, fmt.Errorf("is more than the %d values that are read from the intent files together (each use of a YAML alias counts)", maxValues))
		r.full = true
		return false
	}
	if v.node.Kind == yaml.AliasNode {
		v.node = v.node.Alias // never an alias itself
	}
	return true
}

// pair is one key of a mapping and its value.
type pair struct {
	name  string
	value value
}

// pairs returns the keys of a mapping in the order of the file. A key that stands there twice is reported and left out.
func (r *reader) pairs(v value) ([]pair, bool) {
	if v.node.Kind != yaml.MappingNode {
		r.want(v, "a mapping (`key: value`)")
		return nil, false
	}
	if tag := v.node.ShortTag(); tag != "!!map" {
		r.report(&model.InputError{Source: r.source(v), Field: v.path, Found: tag, Accepted: "a mapping without a YAML tag"})
		return nil, false
	}
	var out []pair
	first := make(map[string]int, len(v.node.Content)/2)
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k := value{v.node.Content[i], v.node.Content[i].Line, v.path}
		if !r.take(&k) {
			return nil, false
		}
		if k.node.ShortTag() == "!!merge" {
			r.reject(k, errors.New("`<<` is not read: write the keys out"))
			continue
		}
		if k.node.Kind != yaml.ScalarNode || k.node.ShortTag() == "!!null" || k.node.Value == "" {
			r.want(k, "a key that is a word")
			continue
		}
		p := pair{name: k.node.Value, value: v.under(k.node.Value, k.line, v.node.Content[i+1])}
		if line, twice := first[p.name]; twice {
			r.reject(p.value, fmt.Errorf("stands here twice, first at %s:%d", r.file, line))
			continue
		}
		first[p.name] = k.line
		out = append(out, p)
	}
	return out, true
}

// object reads a mapping with known keys, and returns the values under them; nil where the value is no mapping.
func (r *reader) object(v value, fields []field) map[string]value {
	pairs, ok := r.pairs(v)
	if !ok {
		return nil
	}
	found := make(map[string]value, len(pairs))
	for _, p := range pairs {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == p.name })
		if i < 0 {
			r.unknown(v, p, fields)
			continue
		}
		if r.take(&p.value) {
			found[p.name] = p.value
			fields[i].read(p.value)
		}
	}
	var lacking []string
	for _, f := range fields {
		if _, ok := found[f.name]; f.required && !ok {
			lacking = append(lacking, "`"+f.name+"`")
		}
	}
	if n := len(lacking); n == 1 {
		r.missing(v, "the key "+lacking[0]+", which is missing")
	} else if n > 1 {
		r.missing(v, "the keys "+strings.Join(lacking[:n-1], ", ")+" and "+lacking[n-1]+", which are missing")
	}
	return found
}

// unknown reports a key that the format does not have.
func (r *reader) unknown(v value, p pair, fields []field) {
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	e := &model.InputError{Source: r.source(p.value), Field: v.path, Found: p.name, Accepted: "a key of " + strings.Join(names, ", ")}
	if near := nearest(p.name, names); near != "" {
		e.Err = fmt.Errorf("did you mean `%s`?", near)
	}
	r.report(e)
}

// nearest is the word of a list that is closest to a misspelt one, or "". What is longer than any word is no misspelling.
func nearest(word string, list []string) string {
	if len(word) > 64 {
		return ""
	}
	return model.Nearest(word, list)
}

// missing reports what a mapping lacks.
func (r *reader) missing(v value, what string) {
	r.report(&model.InputError{Source: r.source(v), Field: v.path, Accepted: what})
}

// claim reports a second statement of what may be stated once, and names the first.
func (r *reader) claim(v value, what string) bool {
	at := r.source(v)
	if first, twice := r.claimed[what]; twice {
		r.reject(v, fmt.Errorf("stands here twice, first at %s", first))
		return false
	}
	r.claimed[what] = at
	return true
}

// once is a field that only one of the merged files may state.
func (r *reader) once(name string, read func(value)) field {
	return field{name, false, func(v value) {
		if r.claim(v, "key "+v.path) {
			read(v)
		}
	}}
}

// list reads a list; an empty one is fine.
func (r *reader) list(item func(value)) func(value) {
	return func(v value) { r.items(v, item, "a list (write [] for an empty one)") }
}

// oneOrMore reads a list with at least one item, or the one item alone.
func (r *reader) oneOrMore(item func(value)) func(value) {
	return func(v value) {
		if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() != "!!null" {
			item(v)
			return
		}
		const accepted = "one value or a list of at least one"
		if v.node.Kind == yaml.SequenceNode && len(v.node.Content) == 0 {
			r.report(&model.InputError{Source: r.source(v), Field: v.path, Accepted: accepted + "; the list is empty"})
			return
		}
		r.items(v, item, accepted)
	}
}

// anyNumber reads a list that may be empty, or the one item alone.
func (r *reader) anyNumber(item func(value)) func(value) {
	return func(v value) {
		if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() != "!!null" {
			item(v)
			return
		}
		r.items(v, item, "one value or a list (write [] for an empty one)")
	}
}

func (r *reader) items(v value, item func(value), accepted string) {
	if v.node.Kind != yaml.SequenceNode {
		r.want(v, accepted)
		return
	}
	if tag := v.node.ShortTag(); tag != "!!seq" {
		r.report(&model.InputError{Source: r.source(v), Field: v.path, Found: tag, Accepted: "a list without a YAML tag"})
		return
	}
	for i, n := range v.node.Content {
		if c := v.item(i, n); r.take(&c) {
			item(c)
		}
	}
}

// scalarText returns the text of a value that YAML reads as text, or as a day (`2026-11-01` without quotes).
func (r *reader) scalarText(v value) (string, bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() == "!!null" {
		r.want(v, "text")
		return "", false
	}
	switch v.node.ShortTag() {
	case "!!str", "!!timestamp":
		return v.node.Value, true
	case "!!int", "!!float", "!!bool":
		r.want(v, "text: write it in quotes")
	default:
		r.report(&model.InputError{Source: r.source(v), Field: v.path, Found: v.node.ShortTag(), Accepted: "text without a YAML tag"})
	}
	return "", false
}

// mayBeEmpty reads text of which nothing is demanded: an owner who is not named is a finding, not an error.
func (r *reader) mayBeEmpty(dst *string) func(value) {
	return func(v value) { *dst, _ = r.scalarText(v) }
}

// text reads text that says something.
func (r *reader) text(dst *string) func(value) {
	return func(v value) {
		s, ok := r.scalarText(v)
		if ok && strings.TrimSpace(s) == "" {
			r.report(&model.InputError{Source: r.source(v), Field: v.path, Accepted: "text; the value is empty"})
			return
		}
		*dst = s
	}
}

// texts reads one text or more, and appends them.
func (r *reader) texts(dst *[]string) func(value) { return r.oneOrMore(r.addText(dst)) }

// perhapsTexts reads a list of texts that may be empty.
func (r *reader) perhapsTexts(dst *[]string) func(value) { return r.anyNumber(r.addText(dst)) }

func (r *reader) addText(dst *[]string) func(value) {
	return func(v value) {
		var s string
		r.text(&s)(v)
		*dst = append(*dst, s)
	}
}

// word reads one of a few words.
func word[T ~string](r *reader, dst *T, words ...T) func(value) {
	return func(v value) {
		var names []string
		for _, w := range words {
			names = append(names, string(w))
		}
		if v.node.Kind == yaml.ScalarNode && slices.Contains(names, v.node.Value) {
			*dst = T(v.node.Value)
			return
		}
		accepted := names[len(names)-1]
		if len(names) > 1 {
			accepted = strings.Join(names[:len(names)-1], ", ") + " or " + accepted
		}
		if near := nearest(v.node.Value, names); near != "" && len(names) > 2 && v.node.Kind == yaml.ScalarNode {
			accepted += " (did you mean `" + near + "`?)"
		}
		r.want(v, accepted)
	}
}

func (r *reader) boolean(v value) (is, ok bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!bool" {
		r.want(v, "true or false")
		return false, false
	}
	return strings.EqualFold(v.node.Value, "true"), true
}

func (r *reader) flag(dst *bool) func(value) {
	return func(v value) { *dst, _ = r.boolean(v) }
}

// number reads a whole number. YAML would take `010` for 8 and `1_000` for 1000: only the plain form is accepted.
func (r *reader) number(v value, first, last int) (int, bool) {
	n, err := strconv.Atoi(v.node.Value)
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!int" || err != nil || strconv.Itoa(n) != v.node.Value || n < first || n > last {
		r.want(v, fmt.Sprintf("a whole number from %d to %d", first, last))
		return 0, false
	}
	return n, true
}

func (r *reader) date(dst *model.Date) func(value) {
	return func(v value) {
		if v.node.Kind == yaml.ScalarNode {
			if d, err := model.ParseDate(v.node.Value); err == nil {
				*dst = d
				return
			}
		}
		r.want(v, "a day, YYYY-MM-DD")
	}
}

// signedOn reads the day on which somebody said something; it is checked against asOf when that is known.
func (r *reader) signedOn(dst *model.Date) func(value) {
	return func(v value) {
		r.date(dst)(v)
		if !dst.IsZero() {
			r.signed = append(r.signed, signed{r.source(v), *dst})
		}
	}
}

// selector reads one selector as it may stand in a list.
func (r *reader) selector(v value) (model.Selector, bool) {
	text, ok := r.scalarText(v)
	if !ok {
		return model.Selector{}, false
	}
	s, err := model.ParseSelector(text)
	if err != nil {
		kind, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "not:"), ":")
		var kinds []string
		for _, k := range model.SelectorKinds() {
			kinds = append(kinds, string(k))
		}
		if near := nearest(kind, kinds); !slices.Contains(kinds, kind) && near != "" && rest != "" {
			err = fmt.Errorf("%w; did you mean `%s:`?", err, near)
		}
		r.reject(v, err)
		return model.Selector{}, false
	}
	s.Source = r.source(v)
	if s.Kind == model.SelZone {
		r.zones = append(r.zones, s)
	}
	return s, true
}

// one reads a single selector, which cannot be a difference.
func (r *reader) one(dst *model.Selector) func(value) {
	return func(v value) {
		s, ok := r.selector(v)
		if ok && s.Not {
			r.want(v, "one selector without `not:`")
			return
		}
		*dst = s
	}
}

// hops reads a chain of selectors, each of which names one hop.
func (r *reader) hops(dst *[]model.Selector) func(value) {
	return r.oneOrMore(func(v value) {
		var s model.Selector
		r.one(&s)(v)
		*dst = append(*dst, s)
	})
}

// selectors reads a union of selectors, less those with `not:`, and appends it.
func (r *reader) selectors(dst *[]model.Selector) func(value) {
	return func(v value) { r.union(v, dst, r.oneOrMore) }
}

// perhapsSelectors reads a union that may be empty.
func (r *reader) perhapsSelectors(dst *[]model.Selector) func(value) {
	return func(v value) { r.union(v, dst, r.anyNumber) }
}

func (r *reader) union(v value, dst *[]model.Selector, read func(func(value)) func(value)) {
	positive, negative := false, false
	read(func(v value) {
		s, ok := r.selector(v)
		if !ok {
			positive = true // it is reported already
			return
		}
		positive, negative = positive || !s.Not, negative || s.Not
		*dst = append(*dst, s)
	})(v)
	if negative && !positive {
		r.reject(v, errors.New("the list selects nothing: want at least one selector without `not:`"))
	}
}

func (r *reader) portService(v value) (model.PortService, bool) {
	text, ok := r.scalarText(v)
	if !ok {
		return model.PortService{}, false
	}
	s, err := model.ParsePortService(text)
	if err != nil {
		r.reject(v, err)
	}
	return s, err == nil
}

func (r *reader) service(dst *model.PortService) func(value) {
	return func(v value) { *dst, _ = r.portService(v) }
}

func (r *reader) services(dst *[]model.PortService) func(value) {
	return r.oneOrMore(r.addService(dst))
}

func (r *reader) perhapsServices(dst *[]model.PortService) func(value) {
	return r.anyNumber(r.addService(dst))
}

func (r *reader) addService(dst *[]model.PortService) func(value) {
	return func(v value) {
		if s, ok := r.portService(v); ok { // the zero service would be `any`
			*dst = append(*dst, s)
		}
	}
}

// ports reads port numbers and ranges.
func (r *reader) ports(dst *[]model.PortRange) func(value) {
	return r.anyNumber(func(v value) {
		if v.node.ShortTag() == "!!int" {
			if n, ok := r.number(v, 0, 65535); ok {
				*dst = append(*dst, model.PortRange{First: uint16(n), Last: uint16(n)})
			}
			return
		}
		p, err := model.ParsePortRange(v.node.Value)
		if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!str" || err != nil {
			r.want(v, "a port from 0 to 65535, or a range such as 8000-8100")
			return
		}
		*dst = append(*dst, p)
	})
}

// prefixes reads addresses and CIDRs.
func (r *reader) prefixes(dst *[]netip.Prefix) func(value) {
	return r.anyNumber(func(v value) {
		text, ok := r.scalarText(v)
		if !ok {
			return
		}
		p, hostBits, err := model.ParsePrefix(text)
		switch {
		case err != nil:
			r.reject(v, err)
		case hostBits:
			r.want(v, "a CIDR without host bits: "+p.String())
		default:
			*dst = append(*dst, p)
		}
	})
}
