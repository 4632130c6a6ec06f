package model

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Source says where a fact was read. Every resource, rule, route and declared fact carries one, up to the report.
type Source struct {
	File     string // slash-separated, relative to the project; empty for what a live import read
	Line     int    // 1-based; 0 when the file has no lines
	Path     string // JSON pointer or YAML path inside the document
	Resource ID     // the resource that holds it
	Platform string // set instead of File when the platform adds the fact: "default rule", "system route"
}

// IsZero reports whether nothing is known of the origin.
func (s Source) IsZero() bool { return s == Source{} }

// String prints file:line, else the resource, else what the platform calls it.
func (s Source) String() string {
	switch {
	case s.File != "" && s.Line > 0:
		return s.File + ":" + strconv.Itoa(s.Line)
	case s.File != "":
		return s.File
	case s.Platform != "" && s.Resource != "":
		return s.Platform + " of " + s.Resource.ShortName()
	case s.Platform != "":
		return s.Platform
	case s.Resource != "":
		return string(s.Resource)
	default:
		return "-"
	}
}

// Compare orders sources by file, line and path.
func (s Source) Compare(t Source) int {
	return cmp.Or(cmp.Compare(s.File, t.File), cmp.Compare(s.Line, t.Line), cmp.Compare(s.Path, t.Path),
		cmp.Compare(s.Resource, t.Resource), cmp.Compare(s.Platform, t.Platform))
}

// InputError is input that ringfence does not accept. It lets its reader mend the input without opening our code.
type InputError struct {
	Source   Source
	Resource ID
	Field    string // as the input spells it
	Found    string // never a secret
	Accepted string
	Err      error // the cause, when another package reported one; Unwrap returns it
}

// Error prints `file:line: resource: field: found X, want Y`, leaving out what is not known.
func (e *InputError) Error() string {
	var b strings.Builder
	if !e.Source.IsZero() {
		b.WriteString(e.Source.String() + ": ")
	}
	if e.Resource != "" {
		b.WriteString(clip(e.Resource.ShortName()) + ": ")
	}
	if e.Field != "" {
		b.WriteString(clip(e.Field) + ": ")
	}
	switch {
	case e.Found != "" && e.Accepted != "":
		fmt.Fprintf(&b, "found `%s`, want %s", clip(e.Found), e.Accepted)
	case e.Found != "":
		fmt.Fprintf(&b, "found `%s`", clip(e.Found))
	case e.Accepted != "":
		b.WriteString("want " + e.Accepted)
	}
	if e.Err != nil {
		if e.Found != "" || e.Accepted != "" {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Within is the path of something inside something else, as `from[0]` of a rule; "" where it is not inside or its path is not known.
func (s Source) Within(outer Source) string {
	rest, ok := strings.CutPrefix(s.Path, outer.Path+".")
	if !ok || outer.Path == "" {
		return ""
	}
	return rest
}
