package intent

import (
	"os"
	"testing"
	"testing/fstest"
)

// Bytes of any kind are read or refused with a place: never a panic, never an endless read.
func FuzzImport(f *testing.F) {
	for _, test := range badFiles() { // each is named by what is wrong with it
		f.Add([]byte("ringfence: v1\n"+test.text+"\n"), []byte(test.text))
	}
	for _, name := range []string{"testdata/full/ringfence.yaml", "testdata/nothing/ringfence.yaml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte("ringfence: v1\n")) // a file that uses every key, and a part that states nothing
		f.Add([]byte("ringfence: v1\n"), data) // the same as a part
		f.Add(data, data)                      // everything twice
	}
	f.Add([]byte("ringfence: v1\nzones: &z\n  a: *z\n"), []byte("*a"))                         // a value that contains itself; an alias of nothing
	f.Add([]byte("ringfence: v1\nstores: [&s {at: &a 'vm:a', data: *a}, *s]\n"), []byte("? ")) // aliases; a key without a value
	f.Add([]byte("\ufeffringfence: v1\r\n"), []byte("%YAML 1.1\n---\n!!map {}"))               // byte order mark, line ends, directive, tag
	f.Add([]byte("\xff\xfe"), []byte("name: \"\\x00\\u202e\""))                                // UTF-16; control characters by escape
	f.Fuzz(func(t *testing.T, main, part []byte) {
		fsys := fstest.MapFS{"ringfence.yaml": {Data: main}, "ringfence.d/part.yaml": {Data: part}}
		got, err := Import(fsys, "ringfence.yaml")
		if (got == nil) == (err == nil) {
			t.Fatalf("got %v and the error %v, want one of them", got, err)
		}
		if err != nil {
			onlyInputErrors(t, err)
			return
		}
		for _, a := range got.Intent.Assertions {
			if a.ID == "" || a.Verb == "" || a.Source.Line == 0 || len(a.From) == 0 || len(a.To) == 0 {
				t.Errorf("an assertion that says nothing: %+v", a)
			}
		}
		for _, z := range got.Intent.Zones {
			if z.Kind == "" || z.Source.Line == 0 {
				t.Errorf("a zone without kind or place: %+v", z)
			}
		}
	})
}
