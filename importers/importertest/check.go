// Package importertest is what every importer must hold, as one check: whatever the bytes, no panic; every error has a place and fits
// on one line; everything that was read says where; the same input gives the same result, in any order of its files; secrets are gone.
package importertest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

// Case is input for an importer.
type Case struct {
	Files   fstest.MapFS
	Secrets []string // what the input holds and neither a result nor a message may
}

// Check runs an importer over input that is in order, and over what is left of it when it is cut off or changed somewhere. load imports
// files, named in some order, and returns what it read: a struct, a pointer to one, or nil beside an error.
func Check(t *testing.T, load func(fsys fs.FS, paths []string) (any, error), c Case) {
	t.Helper()
	names := slices.Sorted(maps.Keys(c.Files))
	first, err := load(c.Files, names)
	if err != nil {
		t.Fatalf("input that is in order: %v", err)
	}
	walk(t, reflect.ValueOf(first), "", c.Secrets)
	for range 3 {
		again, err := load(c.Files, names)
		if err != nil {
			t.Fatalf("the same input again: %v", err)
		}
		if !reflect.DeepEqual(first, again) {
			t.Fatalf("the same input twice, two results (-first +again):\n%s", cmp.Diff(fmt.Sprintf("%+v", first), fmt.Sprintf("%+v", again)))
		}
		slices.Reverse(names)
	}
	for _, name := range names {
		for n, data := range broken(c.Files[name].Data, max(5, 200/len(names))) {
			files := maps.Clone(c.Files)
			files[name] = &fstest.MapFile{Data: data} // read alone: what others say about it is not the point
			got, err := try(t, load, files, []string{name}, fmt.Sprintf("%s, broken in way %d", name, n))
			switch {
			case err != nil:
				Errors(t, err, c.Secrets...)
			default:
				walk(t, reflect.ValueOf(got), "", c.Secrets)
			}
			if t.Failed() {
				t.Fatalf("%s, broken in way %d:\n%.2000s", name, n, data)
			}
		}
	}
}

func try(t *testing.T, load func(fs.FS, []string) (any, error), files fstest.MapFS, names []string, what string) (any, error) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s: panic: %v", what, p)
		}
	}()
	return load(files, names)
}

// Errors fails unless each of the errors that err joins is a model.InputError with a file, on one line, without a secret.
func Errors(t *testing.T, err error, secrets ...string) {
	t.Helper()
	list := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		list = many.Unwrap()
	}
	for _, e := range list {
		in, ok := errors.AsType[*model.InputError](e)
		if !ok || in.Source.File == "" {
			t.Errorf("an error without a place: %v", e)
		}
		if strings.ContainsAny(e.Error(), "\n\r\x1b") {
			t.Errorf("an error of several lines, or with control characters: %q", e)
		}
		hidden(t, "an error", e.Error(), secrets)
	}
}

func hidden(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("%s holds the secret %q", where, s)
		}
	}
}

// walk fails for a model.Source that says nothing and for secrets, anywhere in a value.
func walk(t *testing.T, v reflect.Value, path string, secrets []string) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(t, v.Elem(), path, secrets)
		}
	case reflect.Struct:
		if v.IsZero() {
			return // nothing was read
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if s, ok := v.Field(i).Interface().(model.Source); ok && f.Name == "Source" && s.IsZero() {
				t.Errorf("%s.%s is zero", path, f.Name)
			}
			walk(t, v.Field(i), path+"."+f.Name, secrets)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walk(t, v.Index(i), fmt.Sprintf("%s[%d]", path, i), secrets)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			walk(t, k, path, secrets)
			walk(t, v.MapIndex(k), fmt.Sprintf("%s[%v]", path, k), secrets)
		}
	case reflect.String:
		hidden(t, path, v.String(), secrets)
	default:
	}
}

// broken gives what may be left of a file: cut off, with bytes changed, with a part of it twice or missing, in so many ways. The same
// file always gives the same.
func broken(data []byte, ways int) [][]byte {
	out := [][]byte{nil, {0}, []byte("null"), []byte("\ufeff"), append([]byte("\xff\xfe"), data...)}
	if len(data) < 2 {
		return out
	}
	rnd := rand.New(rand.NewPCG(uint64(len(data)), 3))
	for i := range ways {
		a, b := rnd.IntN(len(data)), rnd.IntN(len(data))
		a, b = min(a, b), max(a, b)
		switch i % 5 {
		case 0:
			out = append(out, data[:b]) // cut off
		case 1:
			flipped := slices.Clone(data)
			flipped[a] ^= 1 << rnd.IntN(8)
			out = append(out, flipped)
		case 2:
			out = append(out, slices.Concat(data[:a], data[min(b, a+20):])) // a part is missing
		case 3:
			out = append(out, slices.Concat(data[:b], data[max(a, b-20):])) // a part stands twice
		default:
			marks := []byte(`"{}[],:0`)
			swapped := slices.Clone(data)
			swapped[a] = marks[rnd.IntN(len(marks))]
			out = append(out, swapped)
		}
	}
	return out
}
