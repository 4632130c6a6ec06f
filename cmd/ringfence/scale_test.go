package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/importers/snapshot"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

// scaleProject writes the estate of modeltest.Scale as a project with an assertion for each five subnets: ten zones of spokes, the four
// verbs, and ends from a whole zone down to a subnet, so that some hold and some do not.
func scaleProject(tb testing.TB, dir string, subnets int, change func([]model.Resource)) {
	tb.Helper()
	resources := modeltest.Scale(subnets)
	if change != nil {
		change(resources)
	}
	if err := os.WriteFile(filepath.Join(dir, "estate.json"), azuretest.List(azuretest.REST(resources)), 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ringfence.yaml"), scaleIntent(subnets), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func scaleIntent(subnets int) []byte {
	var b bytes.Buffer
	b.WriteString("ringfence: v1\nname: scale\nasOf: 2026-11-01\ninputs: [{azure: estate.json}]\nzones:\n")
	kinds := []string{"cde", "data", "dmz", "management", "trusted", "trusted", "trusted", "out-of-scope", "out-of-scope", "out-of-scope"}
	vnets := (subnets + 9) / 10
	for z, kind := range kinds {
		var members []string
		for v := z; v < vnets; v += len(kinds) {
			members = append(members, fmt.Sprintf("%q", fmt.Sprintf("vnet:spoke%03d", v)))
		}
		fmt.Fprintf(&b, "  z%d: {kind: %s, owner: Team %d, members: [%s]}\n", z, kind, z, strings.Join(members, ", "))
	}
	b.WriteString("  hub: {kind: management, owner: Network team, members: [\"vnet:hub\"]}\nassertions:\n")
	ports := []int{22, 80, 443, 1433, 3306, 3389, 5432, 8080, 8443, 9090}
	for i := range subnets / 5 {
		v, w := i%vnets, (i*7+3)%vnets
		port := ports[i%len(ports)]
		switch i % 10 {
		case 0:
			fmt.Fprintf(&b, "  - {id: a%03d, deny: {from: internet, to: \"zone:z%d\"}}\n", i, i/10%10)
		case 1:
			fmt.Fprintf(&b, "  - {id: a%03d, deny: {from: \"zone:z%d\", to: \"zone:z%d\", services: [tcp/%d]}}\n", i, i/10%10, (i/10+3)%10, port)
		case 2, 3:
			fmt.Fprintf(&b, "  - {id: a%03d, deny: {from: \"vnet:spoke%03d\", to: \"subnet:spoke%03d/snet%d\", services: [tcp/%d]}}\n", i, v, w, i%10, port)
		case 4, 5:
			fmt.Fprintf(&b, "  - {id: a%03d, only: {from: \"vnet:spoke%03d\", to: \"vnet:spoke%03d\", services: [tcp/443, tcp/%d]}}\n", i, v, w, port)
		case 6:
			fmt.Fprintf(&b, "  - {id: a%03d, deny: {from: \"subnet:spoke%03d/snet%d\", to: \"zone:z0\"}}\n", i, v, i%10)
		case 7, 8:
			fmt.Fprintf(&b, "  - {id: a%03d, must: {from: \"subnet:spoke%03d/snet1\", to: \"subnet:spoke%03d/snet%d\", services: [tcp/%d]}}\n", i, v, v, (i+3)%10, port)
		default:
			fmt.Fprintf(&b, "  - {id: a%03d, through: {from: \"vnet:spoke%03d\", to: \"vnet:spoke%03d\", via: \"firewall:fw\"}}\n", i, v, w)
		}
	}
	return b.Bytes()
}

// BenchmarkVerifyScale is `verify` of a generated project, from its files on disk.
func BenchmarkVerifyScale(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprintf("subnets=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			scaleProject(b, dir, n, nil)
			b.ReportAllocs()
			for b.Loop() {
				if code := run([]string{"ringfence", "verify", "--format", "json", dir}, strings.NewReader(""), io.Discard, io.Discard); code == exitBad {
					b.Fatal("exit", code)
				}
			}
		})
	}
}

// BenchmarkDiffScale is `diff` of a generated project after one changed rule, from a snapshot of the base and the files of the proposed one.
// Its peer is the same comparison with each side solved by itself, from both snapshots.
func BenchmarkDiffScale(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprintf("subnets=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			var sides [2]string
			var snaps [2]string
			for i, change := range []func([]model.Resource){nil, changeOneRule} {
				sides[i] = filepath.Join(dir, fmt.Sprint(i))
				snaps[i] = sides[i] + ".json.gz"
				if err := os.Mkdir(sides[i], 0o755); err != nil {
					b.Fatal(err)
				}
				scaleProject(b, sides[i], n, change)
				if code := run([]string{"ringfence", "import", "-o", snaps[i], sides[i]}, strings.NewReader(""), io.Discard, io.Discard); code != exitOK {
					b.Fatal("exit", code)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if code := run([]string{"ringfence", "diff", "--format", "json", snaps[0], sides[1]}, strings.NewReader(""), io.Discard, io.Discard); code == exitBad {
					b.Fatal("exit", code)
				}
			}
			start := time.Now()
			var solved [2]*solver.Solution
			for i := range solved {
				p, err := snapshot.Import(os.DirFS(dir), filepath.Base(snaps[i]))
				if err != nil {
					b.Fatal(err)
				}
				if solved[i], err = solver.Solve(p, solver.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := pci.Diff(solved[0], solved[1], pci.StartFindings(solved[0].Project, solved[1].Project), [2]string{"base", "proposed"}, "bench"); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Since(start)), "of-apart")
		})
	}
}

// changeOneRule turns the first inbound rule that admits something to a subnet into one that denies it to everyone.
func changeOneRule(list []model.Resource) {
	for _, r := range list {
		g, ok := r.(*model.NSG)
		if !ok || g.Name() != "nsg-003-4" {
			continue
		}
		for i := range g.Rules {
			if x := &g.Rules[i]; x.Direction == model.Inbound && x.Access == model.Allow && !x.Default {
				x.Access, x.SourceAddrs = model.Deny, model.AddressMatch{Any: true}
				return
			}
		}
	}
	panic("scale: no rule to change")
}
