package model

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns s on one line, with every character that does not print (control and terminal codes, line breaks, text direction,
// zero width, invalid UTF-8) as an escape such as `\x1b` or `\u202e`. What an estate calls its resources is input that nobody vetted.
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

// Cell is s as a cell of a table for spreadsheets: plain text, although it may begin with one of the signs (their full-width forms
// included) with which a spreadsheet begins to compute.
func Cell(s string) string {
	s = Visible(s)
	if strings.HasPrefix(s, `\t`) || strings.HasPrefix(s, `\r`) { // a tab and a carriage return, shown as escapes already
		return "'" + s
	}
	if t := strings.TrimLeft(s, " "); t != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(t)[0]) {
		return "'" + s
	}
	return s
}

// clip keeps a message on one readable line: what does not print is escaped, long input is cut.
func clip(s string) string {
	const limit = 200
	if len(s) <= limit {
		return Visible(s)
	}
	end := limit
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return Visible(s[:end]) + "…"
}

// PrefixText is a prefix as people write it: one address without its length.
func PrefixText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// PrefixTexts writes prefixes one by one.
func PrefixTexts(list []netip.Prefix) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = PrefixText(p)
	}
	return out
}
