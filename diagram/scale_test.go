package diagram

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringfence/ringfence/solver"
)

// town is an estate of n subnets in ten virtual networks and five zones with m flows between single subnets, no two of which are alike.
func town(n, m int) Input {
	kinds := []string{"cde", "data", "dmz", "trusted", "management"}
	in := Input{Project: "town", View: View{Level: SubnetLevel}, Rows: []solver.Row{}, Members: []solver.Row{}}
	for _, k := range kinds {
		in.Zones = append(in.Zones, ZoneInfo{Name: k, Kind: k, Owner: "IT"})
	}
	ref := func(i int) string { return fmt.Sprintf("subnet:vnet-%d/snet-%03d", i%10, i) }
	for i := range n {
		z := &in.Zones[i%len(kinds)]
		z.Members = append(z.Members, MemberInfo{Ref: ref(i), VNet: fmt.Sprint("vnet-", i%10), Subnet: fmt.Sprintf("snet-%03d", i), Filters: []string{fmt.Sprint("nsg-", i)}})
		in.Subnets = append(in.Subnets, SubnetInfo{VNet: fmt.Sprint("vnet-", i%10), Subnet: fmt.Sprintf("snet-%03d", i), Prefix: fmt.Sprintf("10.%d.%d.0/24", i/256, i%256), NSG: fmt.Sprint("nsg-", i), In: 4, Out: 3})
	}
	for k := range m {
		from, to := k%n, (k*7+k/n+1)%n
		if from != to {
			in.Members = append(in.Members, row(ref(from), ref(to), fmt.Sprint("tcp/", 1000+k)))
		}
	}
	return in
}

// The sizes that are measured: an estate like the example, one of a hundred subnets, and the largest that a sheet promises to draw.
func sizes() []struct {
	name     string
	in       Input
	flows, s int
} {
	return []struct {
		name     string
		in       Input
		flows, s int
	}{{"shop", shop(), 0, 1}, {"100x1000", town(100, 1000), 1000, 5}, {"300x3000", town(300, 3000), 3000, 10}}
}

// The largest promised estate is drawn coarser and bundled, in bounded time and memory, and the sheet says what was done; all its flows are
// in the data. The bound is generous, for machines that do other work.
func TestLargestEstate(t *testing.T) {
	if testing.Short() {
		t.Skip("draws a large estate")
	}
	in := town(300, 3000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	d, err := Network(in)
	if err != nil {
		t.Fatal(err)
	}
	svg, err := d.SVG()
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	p := d.Panels[0]
	if !p.Picture || len(p.lines()) > MaxEdges || len(p.tops()) > MaxNodes {
		t.Errorf("got a picture (%v) of %d boxes and %d lines, want one within %d and %d", p.Picture, len(p.tops()), len(p.lines()), MaxNodes, MaxEdges)
	}
	notes := strings.Join(p.Notes, " ")
	if !strings.Contains(notes, "One box per virtual network and zone") || !strings.Contains(notes, "are drawn as") && !strings.Contains(notes, "listed only") {
		t.Errorf("the sheet does not say that it merges and bundles: %q", p.Notes)
	}
	flows := 0
	for _, e := range p.Edges {
		for _, w := range e.Ways {
			flows += len(w.Services)
		}
	}
	if flows < 1000 || !bytes.Contains(svg, []byte("Flow: ")) {
		t.Errorf("the data holds %d services of 3000 flows", flows)
	}
	if took > 30*time.Second {
		t.Errorf("drawing took %v, the figure is 10 s", took)
	}
	if used := after.HeapSys + after.StackSys; used > 1<<30 {
		t.Errorf("the process holds %d MB, the figure is 1 GB", used>>20)
	}
}

// More than a sheet can list is refused with advice.
func TestTooManyFlows(t *testing.T) {
	in := Input{View: View{Level: SubnetLevel}, Zones: []ZoneInfo{{Name: "a", Kind: "trusted"}}, Rows: []solver.Row{}}
	for i := range 150 {
		in.Zones = append(in.Zones, ZoneInfo{Name: fmt.Sprint("z", i), Kind: "trusted", Members: []MemberInfo{{Ref: fmt.Sprint("service:s", i)}}})
		for j := range 150 {
			if i != j {
				in.Members = append(in.Members, row(fmt.Sprint("service:s", i), fmt.Sprint("service:s", j), fmt.Sprint("tcp/", i*150+j)))
			}
		}
	}
	if _, err := Network(in); err == nil || !strings.Contains(err.Error(), "22350 flows, more than the 20000 of one sheet: ask for a coarser level") {
		t.Errorf("got %v, want an error with advice", err)
	}
}

func BenchmarkNetwork(b *testing.B) {
	for _, s := range sizes() {
		b.Run(s.name, func(b *testing.B) {
			for b.Loop() {
				d, err := Network(s.in)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := d.SVG(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAgainstDot lays the same graph out with Graphviz's own program in the same run. The ratio is ours to its; ours draws the sheet
// with its table as well.
func BenchmarkAgainstDot(b *testing.B) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		if os.Getenv("CI") == "true" {
			b.Fatal("dot is missing: .ci/install installs graphviz")
		}
		b.Skip("dot is not installed")
	}
	for _, s := range sizes() {
		b.Run(s.name, func(b *testing.B) {
			var ours, theirs time.Duration
			for b.Loop() {
				begin := time.Now()
				d, err := Network(s.in)
				if err != nil {
					b.Fatal(err)
				}
				if _, err = d.SVG(); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(begin)
				text := d.DOT()
				begin = time.Now()
				c := exec.Command(dot, "-Tsvg")
				c.Stdin = bytes.NewReader(text)
				if out, err := c.Output(); err != nil || !bytes.Contains(out, []byte("</svg>")) {
					b.Fatalf("dot: %v", err)
				}
				theirs += time.Since(begin)
			}
			b.ReportMetric(float64(theirs.Milliseconds())/float64(b.N), "dot-ms/op")
			b.ReportMetric(ours.Seconds()/theirs.Seconds(), "ratio")
		})
	}
}
