package pci

import (
	"reflect"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// printable returns a copy in which every text can be shown: what does not print stands as an escape.
func (r *Result) printable() *Result { return r.copied(model.Visible) }

// complete returns a copy in which every list is there, if empty, so that JSON never holds null in its place.
func (r *Result) complete() *Result {
	return r.copied(func(s string) string { return s })
}

func (r *Result) copied(text func(string) string) *Result {
	out := &Result{}
	copyValue(out, r, text)
	return out
}

// copyValue copies what JSON shows of a value, with its texts changed and every list there, if empty.
func copyValue[T any](dst, src *T, text func(string) string) {
	copyInto(reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem(), text)
}

// copyInto copies what JSON shows of a value.
func copyInto(dst, src reflect.Value, text func(string) string) {
	switch src.Kind() {
	case reflect.String:
		dst.SetString(text(src.String()))
	case reflect.Slice:
		dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
		for i := range src.Len() {
			copyInto(dst.Index(i), src.Index(i), text)
		}
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			copyInto(dst.Elem(), src.Elem(), text)
		}
	case reflect.Struct:
		for i := range src.NumField() {
			if f := src.Type().Field(i); strings.HasPrefix(f.Tag.Get("json"), "-") || !f.IsExported() {
				continue // not shown: model values behind a result
			}
			copyInto(dst.Field(i), src.Field(i), text)
		}
	default:
		dst.Set(src)
	}
}
