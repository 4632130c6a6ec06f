package kubernetes

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/ringfence/ringfence/importers/importertest"
	"github.com/ringfence/ringfence/model"
)

func TestImporter(t *testing.T) {
	files := fstest.MapFS{
		"m/a.yaml":       {Data: []byte(oneNamespace)},
		"m/policy.yaml":  {Data: []byte(policy("podSelector: {}\ningress:\n- from:\n  - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}\n  ports:\n  - {port: 1, endPort: 2}\n"))},
		"m/service.yaml": {Data: []byte(service("type: LoadBalancer\nloadBalancerSourceRanges: ['10.0.0.0/8']\nports: [{port: 1, targetPort: a, nodePort: 30000}]\n"))},
		"m/web.yaml":     {Data: []byte(controller("apps/v1", "Deployment", "web", "app: web", "  replicas: 1\n"))},
		"m/secret.yaml":  {Data: []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\nstringData: {password: hunter2}\ndata: {key: aHVudGVyMg==}\n")},
	}
	importertest.Check(t, func(fsys fs.FS, paths []string) (any, error) {
		res, err := Import(fsys, paths, options())
		if err != nil {
			return nil, err
		}
		return struct {
			Resources []model.Resource
			Ledger    []model.LedgerEntry
			Files     []string
			Apart     any
		}{res.Resources, res.Ledger, res.Files, res.Apart()}, nil
	}, importertest.Case{Files: files, Secrets: []string{"hunter2", "aHVudGVyMg"}})
}
