package pci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// JSON writes the result for programs: fields in the order of their types, `[]` for a list without entries.
func JSON(r *Result) ([]byte, error) { return indented(r.complete()) }

// indented writes a value as JSON on indented lines. Characters that reorder or hide text are written as escapes, which mean the
// same to a program and do not deceive the reader of the file.
func indented(v any) ([]byte, error) {
	var w jsonWriter
	if err := w.object(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	w.out = append(w.out, '\n')
	return bytes.Join(append(w.full, w.out), nil), nil
}

// jsonWriter writes structs an entry of their lists at a time: what is encoded beside the text is one entry, where the result of a large
// estate is hundreds of megabytes.
type jsonWriter struct {
	full  [][]byte     // what is written, in pieces: one list of bytes that grows would be copied again and again
	out   []byte       // the piece after them
	entry bytes.Buffer // one value, encoded
	lines bytes.Buffer // the same on lines
}

// pieceSize is about how many bytes a piece has.
const pieceSize = 1 << 20

func (w *jsonWriter) object(v any) error {
	x := reflect.ValueOf(v)
	for x.Kind() == reflect.Pointer && !x.IsNil() {
		x = x.Elem()
	}
	_, own := v.(json.Marshaler)
	if own || x.Kind() != reflect.Struct || x.NumField() == 0 || slices.ContainsFunc(reflect.VisibleFields(x.Type()), func(f reflect.StructField) bool { return f.Anonymous || !f.IsExported() }) {
		return w.value(v, "")
	}
	separator := "{\n  "
	for i := range x.NumField() {
		name, options, _ := strings.Cut(x.Type().Field(i).Tag.Get("json"), ",")
		field := x.Field(i)
		if name == "-" || options == "omitempty" && isEmpty(field) {
			continue
		}
		w.out = append(w.out, separator...)
		separator = ",\n  "
		w.out = fmt.Appendf(w.out, "%q: ", name)
		if err := w.list(field); err != nil {
			return err
		}
	}
	w.out = append(w.out, "\n}"...)
	return nil
}

// isEmpty says what encoding/json leaves out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}

// list writes a field of the outermost object: a list entry by entry, anything else whole.
func (w *jsonWriter) list(field reflect.Value) error {
	if field.Kind() != reflect.Slice || field.Len() == 0 {
		return w.value(field.Interface(), "  ")
	}
	separator := "[\n    "
	for i := range field.Len() {
		w.out = append(w.out, separator...)
		separator = ",\n    "
		if err := w.value(field.Index(i).Interface(), "    "); err != nil {
			return err
		}
	}
	w.out = append(w.out, "\n  ]"...)
	return nil
}

// value writes one value, its lines but the first behind a prefix.
func (w *jsonWriter) value(v any, prefix string) error {
	if len(w.out) > pieceSize {
		w.full, w.out = append(w.full, w.out), make([]byte, 0, pieceSize)
	}
	w.entry.Reset()
	w.lines.Reset()
	enc := json.NewEncoder(&w.entry)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	if err := json.Indent(&w.lines, bytes.TrimRight(w.entry.Bytes(), "\n"), prefix, "  "); err != nil {
		return err
	}
	for plain := w.lines.Bytes(); len(plain) > 0; {
		n := slices.IndexFunc(plain, func(c byte) bool { return c >= utf8.RuneSelf || c < ' ' && c != '\n' || c == 0x7f })
		if n < 0 {
			n = len(plain)
		}
		w.out, plain = append(w.out, plain[:n]...), plain[n:]
		if len(plain) == 0 {
			break
		}
		r, size := utf8.DecodeRune(plain)
		switch {
		case unicode.IsPrint(r):
			w.out = append(w.out, plain[:size]...)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			w.out = fmt.Appendf(w.out, `\u%04x\u%04x`, high, low)
		default:
			w.out = fmt.Appendf(w.out, `\u%04x`, r)
		}
		plain = plain[size:]
	}
	return nil
}
