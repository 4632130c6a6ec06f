package azure

import (
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/importers/importertest"
	"github.com/ringfence/ringfence/model"
)

func TestImporter(t *testing.T) {
	files := fstest.MapFS{}
	for i, text := range examples() {
		files[fmt.Sprintf("%d/a.json", i)] = &fstest.MapFile{Data: []byte(fill(text))}
	}
	importertest.Check(t, func(fsys fs.FS, paths []string) (any, error) {
		res, err := Import(fsys, paths)
		if err != nil {
			return nil, err
		}
		return struct {
			Resources []model.Resource
			Ledger    []model.LedgerEntry
			Files     []string
			Apart     any
		}{res.Resources, res.Ledger, res.Files, res.Apart()}, nil
	}, importertest.Case{Files: files, Secrets: []string{"hunter2", "c2VjcmV0", "SECRET", "MIIC", "ssh-rsa"}})
}

func TestServiceTagImporter(t *testing.T) {
	importertest.Check(t, func(fsys fs.FS, paths []string) (any, error) {
		tags, err := ServiceTags(fsys, paths[0])
		if err != nil {
			return nil, err
		}
		return tags, nil
	}, importertest.Case{Files: fstest.MapFS{"tags.json": {Data: []byte(tagsExample)}}})
}
