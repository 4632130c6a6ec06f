package intent

import (
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/importers/importertest"
)

func TestImporter(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{"ringfence.yaml"} {
		data, err := os.ReadFile("testdata/full/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	importertest.Check(t, func(fsys fs.FS, _ []string) (any, error) {
		file, err := Import(fsys, "ringfence.yaml")
		if err != nil {
			return nil, err
		}
		return file, nil
	}, importertest.Case{Files: files})
}
