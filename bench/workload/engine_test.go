package workload_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringfence/ringfence/bench/workload"
	"github.com/ringfence/ringfence/solver/packet"
)

// The absolute times of the engine, for benchstat.
func BenchmarkEngine(b *testing.B) {
	w1, w2 := workload.Rules(1000, 1), workload.TaggedRules(1000, 1)
	for name, l := range map[string]*workload.List{"W1": w1, "W2": w2} {
		b.Run(name+"/permitted", func(b *testing.B) {
			for b.Loop() {
				workload.NewEngine(packet.Limits{}, l)[0].Permitted()
			}
		})
		b.Run(name+"/rules", func(b *testing.B) {
			for b.Loop() {
				e := workload.NewEngine(packet.Limits{}, l)[0]
				e.Shadowed(e.Seq(e.ByRule()...))
			}
		})
	}
}

// T7: one rule changed, against the composition of the whole list with the classes at hand (workload W5, on W1 and W2).
func BenchmarkT7OneRule(b *testing.B) {
	for _, w := range []struct {
		name string
		list *workload.List
	}{{"W1", workload.Rules(1000, 1)}, {"W2", workload.TaggedRules(1000, 1)}} {
		b.Run(w.name, func(b *testing.B) {
			var rebuild, mean, most time.Duration
			for b.Loop() {
				e := workload.NewEngine(packet.Limits{}, w.list)[0]
				rebuild = workload.Best(3, func() {
					fresh := *e
					fresh.Space = packet.NewSpace(e.Universe(), packet.Limits{})
					fresh.Permitted()
				})
				list := e.List(e.ByAction()...)
				e.WhereIs(list.Decision(), workload.Allow)
				r := rand.New(rand.NewPCG(5, 5))
				const changes = 100
				mean, most = 0, 0
				for k := range uint64(changes) {
					i := r.IntN(list.Len())
					changed, rule := w.list.Changed(i, k)
					start := time.Now()
					now := e.WhereIs(list.Replace(i, e.Leaf(e.MatchOf(rule), workload.Action(rule))), workload.Allow)
					took := time.Since(start)
					mean, most = mean+took/changes, max(most, took)
					if k%25 == 0 { // the answer is that of the whole list
						for _, p := range changed.BoundaryPackets(500, k) {
							v := changed.Verdict(p)
							if want := v > 0 && changed.Rules[v-1].Allow; e.Contains(now, e.Of(p)) != want {
								b.Fatalf("after change %d: %+v, want %v", k, p, want)
							}
						}
					}
					list.Replace(i, e.Leaf(e.Match(i), workload.Action(w.list.Rules[i])))
				}
			}
			b.ReportMetric(float64(rebuild)/1e6, "rebuild-ms")
			workload.AtMost(b, "T7-mean-%", 100*float64(mean)/float64(rebuild), 15)
			workload.AtMost(b, "T7-max-%", 100*float64(most)/float64(rebuild), 150)
		})
	}
}

func byRule(n int) (*workload.Engine, packet.Decision) {
	e := workload.NewEngine(packet.Limits{}, workload.Rules(n, 1))[0]
	return e, e.Seq(e.ByRule()...)
}

// T8: the deciding rule for each packet of 10,000 rules, against 1,000; the memory is that of a process which does nothing else.
func BenchmarkT8TenThousandRules(b *testing.B) {
	var small, large time.Duration
	var memory int64
	for b.Loop() {
		small = workload.Best(5, func() { byRule(1000) })
		large = workload.Best(2, func() { byRule(10_000) })
		child := exec.Command(os.Args[0], "-test.run=^TestTenThousandRules$")
		child.Env = append(os.Environ(), "WORKLOAD_CHILD=1")
		if out, err := child.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		memory = child.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	}
	b.ReportMetric(float64(large)/1e6, "T8-ms")
	workload.AtMost(b, "T8-ratio", float64(large)/float64(small), 100)
	workload.AtMost(b, "T8-peak-MB", float64(memory)/1024, 512)
}

// TestTenThousandRules is what T8's process does. By itself it checks the answer.
func TestTenThousandRules(t *testing.T) {
	e, d := byRule(10_000)
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("WORKLOAD_CHILD") != "" {
		e.Shadowed(d)
		return
	}
	l := workload.Rules(10_000, 1)
	for _, p := range l.BoundaryPackets(2000, 1) {
		if got, want := int(e.At(d, e.Of(p))), l.Verdict(p); got != want {
			t.Fatalf("%+v is decided by rule %d, want %d", p, got, want)
		}
	}
	t.Logf("%d shadowed", len(e.Shadowed(d)))
}

var serviceTags = flag.String("service-tags", "", "the service-tag file of a cloud, as Microsoft publishes it")

// The real service tags: 1,000 rules, each with one of the tags on one side. All tags are in the universe; the rules take any of them, or only
// those of at least 500 prefixes.
func BenchmarkServiceTags(b *testing.B) {
	if *serviceTags == "" {
		b.Skip("needs -service-tags FILE")
	}
	tags := readTags(b, *serviceTags)
	slices.SortStableFunc(tags, func(a, b workload.Tag) int { return len(b.Prefixes) - len(a.Prefixes) })
	large := slices.IndexFunc(tags, func(t workload.Tag) bool { return len(t.Prefixes) < 500 })
	b.Run("any", func(b *testing.B) { runTags(b, workload.WithTags(1000, 1, tags), tags) })
	b.Run("large", func(b *testing.B) { runTags(b, workload.WithTags(1000, 1, tags[:large]), tags) })
}

func runTags(b *testing.B, l *workload.List, all []workload.Tag) {
	l.Tags = all // the rules number those that they were made from, which come first
	var e *workload.Engine
	var classes, solve time.Duration
	for b.Loop() {
		classes = workload.Best(3, func() { e = workload.NewEngine(packet.Limits{}, l)[0] })
		solve = workload.Best(1, func() { e.Shadowed(e.Seq(e.ByRule()...)) })
	}
	d := e.Seq(e.ByRule()...)
	if err := e.Err(); err != nil {
		b.Fatal(err)
	}
	for _, p := range l.BoundaryPackets(3000, 1) {
		if got, want := int(e.At(d, e.Of(p))), l.Verdict(p); got != want {
			b.Fatalf("%+v is decided by rule %d, want %d", p, got, want)
		}
	}
	prefixes := 0
	for _, t := range l.Tags {
		prefixes += len(t.Prefixes)
	}
	_, _, made := e.Size()
	shadowed := len(e.Shadowed(d))
	e.Compact(&d)
	_, edges, _ := e.Size()
	b.ReportMetric(float64(len(l.Tags)), "tags")
	b.ReportMetric(float64(prefixes), "prefixes")
	b.ReportMetric(float64(e.Universe().Classes()), "classes")
	b.ReportMetric(float64(classes)/1e6, "classes-ms")
	b.ReportMetric(float64(solve)/1e6, "rules-ms")
	b.ReportMetric(float64(made)/(1<<20), "space-MB")
	b.ReportMetric(float64(edges), "edges")
	b.ReportMetric(float64(shadowed), "shadowed")
}

// readTags reads a service-tag file.
func readTags(b *testing.B, path string) []workload.Tag {
	b.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	var file struct {
		Values []struct {
			Name       string
			Properties struct{ AddressPrefixes []string }
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		b.Fatal(err)
	}
	var tags []workload.Tag
	for _, v := range file.Values {
		t := workload.Tag{Name: v.Name}
		for _, p := range v.Properties.AddressPrefixes {
			if !strings.Contains(p, "/") {
				b.Fatal(fmt.Errorf("%s: prefix %s", v.Name, p))
			}
			t.Prefixes = append(t.Prefixes, netip.MustParsePrefix(p))
		}
		tags = append(tags, t)
	}
	return tags
}
