package label

import (
	"strings"
	"unicode/utf8"
)

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
