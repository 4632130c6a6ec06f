package label

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns s on one line, with every character that does not print (control and terminal codes, line breaks, text direction,
// zero width, invalid UTF-8) as an escape such as `\x1b` or `\u202e`.
func Visible(s string) string {
	clean := func(r rune) bool { return r != utf8.RuneError && unicode.IsPrint(r) }
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		case clean(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		i += size
	}
	return b.String()
}

// Clip cuts s to at most n characters, the last of them an ellipsis where something was cut.
func Clip(s string, n int) string {
	if n <= 0 || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// Name is a reference without its kind: `snet-pe` of `subnet:vnet-spoke/snet-pe`, `payments/api` of `pod:payments/api`. What is no
// reference stays as it is.
func Name(ref string) string {
	kind, name, ok := strings.Cut(ref, ":")
	if !ok || name == "" || strings.ContainsAny(kind, "/. ") {
		return ref
	}
	switch kind {
	case "subnet", "nodepool":
		return name[strings.LastIndexByte(name, '/')+1:]
	default:
		return name
	}
}

// Kind is the word before the colon of a reference, `internet` for itself, and empty for what is no reference.
func Kind(ref string) string {
	kind, name, ok := strings.Cut(ref, ":")
	switch {
	case ref == "internet" || ref == "any":
		return ref
	case !ok || name == "" || strings.ContainsAny(kind, "/. "):
		return ""
	default:
		return kind
	}
}
