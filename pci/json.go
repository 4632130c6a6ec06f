package pci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// JSON writes the result for programs: fields in the order of their types, `[]` for a list without entries.
func JSON(r *Result) ([]byte, error) { return indented(r.complete()) }

// indented writes a value as JSON on indented lines. Characters that reorder or hide text are written as escapes, which mean the
// same to a program and do not deceive the reader of the file.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	plain := b.Bytes()
	out := make([]byte, 0, len(plain))
	for len(plain) > 0 {
		r, size := utf8.DecodeRune(plain)
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out = append(out, plain[:size]...)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		plain = plain[size:]
	}
	return out, nil
}
