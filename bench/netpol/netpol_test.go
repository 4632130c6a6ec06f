package netpol

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var large = flag.Bool("large", false, "run the peer on the large cluster too: ten minutes, and 14 GB of memory")

// tools are the programs to compare, built once, and the folder of each cluster.
type tools struct{ engine, peer, dir string }

func build(tb testing.TB) tools {
	tb.Helper()
	t := tools{dir: tb.TempDir()}
	t.engine, t.peer = filepath.Join(t.dir, "ringfence"), filepath.Join(t.dir, "netpolicy")
	run := func(dir string, args ...string) {
		tb.Helper()
		c := exec.Command(args[0], args[1:]...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			tb.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("../..", "go", "build", "-o", t.engine, "./cmd/ringfence")
	run(".", "go", "build", "-o", t.peer, "github.com/np-guard/netpol-analyzer/cmd/netpolicy")
	for _, size := range []string{"small", "large"} {
		if err := os.Mkdir(filepath.Join(t.dir, size), 0o700); err != nil {
			tb.Fatal(err)
		}
		run("../workload", "go", "run", "./manifests", "-size", size, filepath.Join(t.dir, size))
	}
	return t
}

// figure is what one run of a program took.
type figure struct {
	wall, cpu time.Duration
	peak      float64 // MB
}

// measure runs a program and returns what it wrote.
func measure(tb testing.TB, args ...string) ([]byte, figure) {
	tb.Helper()
	c := exec.Command(args[0], args[1:]...)
	start := time.Now()
	out, err := c.Output()
	wall := time.Since(start)
	if err != nil {
		tb.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	f := figure{wall: wall, cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.peak = float64(u.Maxrss) / 1024
	}
	return out, f
}

func (t tools) ringfence(tb testing.TB, size string) ([]byte, figure) {
	tb.Helper()
	var best figure
	var out []byte
	for range 5 {
		o, f := measure(tb, t.engine, "matrix", "-i", filepath.Join(t.dir, size), "--by", "workload", "--format", "json")
		if out == nil || f.wall < best.wall {
			best = f
		}
		out = o
	}
	return out, best
}

func (t tools) netpolicy(tb testing.TB, size string) ([]byte, figure) {
	tb.Helper()
	return measure(tb, t.peer, "list", "-q", "--dirpath", filepath.Join(t.dir, size), "-o", "json")
}

// BenchmarkMatrix prints both times and their ratio. With BENCH_ENFORCE=1 a missed target fails.
func BenchmarkMatrix(b *testing.B) {
	t := build(b)
	for _, x := range []struct {
		size       string
		seconds    float64
		megabytes  float64
		withPeer   bool
		wantFaster float64
	}{{"small", 0.25, 200, true, 50}, {"large", 3, 700, *large, 50}} {
		b.Run(x.size, func(b *testing.B) {
			for b.Loop() {
				ours, engine := t.ringfence(b, x.size)
				b.ReportMetric(engine.wall.Seconds(), "engine-s")
				b.ReportMetric(engine.cpu.Seconds(), "engine-cpu-s")
				b.ReportMetric(engine.peak, "engine-MB")
				atMost(b, "seconds", engine.wall.Seconds(), x.seconds)
				atMost(b, "MB", engine.peak, x.megabytes)
				if !x.withPeer {
					continue
				}
				theirs, peer := t.netpolicy(b, x.size)
				b.ReportMetric(peer.wall.Seconds(), "peer-s")
				b.ReportMetric(peer.cpu.Seconds(), "peer-cpu-s")
				b.ReportMetric(peer.peak, "peer-MB")
				b.ReportMetric(peer.wall.Seconds()/engine.wall.Seconds(), "ratio")
				b.ReportMetric(peer.cpu.Seconds()/engine.cpu.Seconds(), "cpu-ratio")
				b.ReportMetric(0, "ns/op")
				atMost(b, "1/ratio", engine.wall.Seconds()/peer.wall.Seconds(), 1/x.wantFaster)
				compare(b, ours, theirs)
			}
		})
	}
}

func atMost(b *testing.B, name string, got, most float64) {
	b.Helper()
	if os.Getenv("BENCH_ENFORCE") == "1" && got > most {
		b.Errorf("%s: got %.3f, want at most %.3f", name, got, most)
	}
}

// compare fails unless both say the same of every pair of different workloads. Addresses outside are cut in different ways, and the
// peer knows one verdict: what an ipBlock may admit it counts among neither.
func compare(tb testing.TB, ours, theirs []byte) {
	tb.Helper()
	var matrix struct {
		Rows []struct {
			Src, Dst, Verdict string
			Packets           []struct {
				Protocol string
				DPort    []string
			}
		}
	}
	var list []struct{ Src, Dst, Conn string }
	for _, x := range []struct {
		data []byte
		into any
	}{{ours, &matrix}, {theirs, &list}} {
		if err := json.Unmarshal(x.data, x.into); err != nil {
			tb.Fatal(err)
		}
	}
	got, want := map[string]string{}, map[string]string{}
	for _, r := range matrix.Rows {
		src, isPod := strings.CutPrefix(r.Src, "pod:")
		dst, too := strings.CutPrefix(r.Dst, "pod:")
		if !isPod || !too || src == dst || r.Verdict != "reachable" {
			continue
		}
		byProtocol := map[string][]string{}
		for _, p := range r.Packets {
			for _, name := range strings.Split(p.Protocol, ",") {
				byProtocol[strings.ToUpper(name)] = append(byProtocol[strings.ToUpper(name)], p.DPort...)
			}
		}
		var words []string
		for name, ports := range byProtocol {
			slices.SortFunc(ports, func(a, b string) int { return cmp.Compare(first(a), first(b)) })
			words = append(words, name+" "+strings.Join(ports, ","))
		}
		slices.Sort(words)
		got[src+" -> "+dst] = strings.Join(words, ",")
	}
	kind := regexp.MustCompile(`^(.*)\[[A-Za-z]+\]$`)
	for _, c := range list {
		src, dst := kind.FindStringSubmatch(c.Src), kind.FindStringSubmatch(c.Dst)
		if src != nil && dst != nil {
			want[src[1]+" -> "+dst[1]] = c.Conn
		}
	}
	if len(want) < 1000 {
		tb.Errorf("the peer lists %d pairs", len(want))
	}
	for pair, conn := range want {
		if got[pair] != conn {
			tb.Fatalf("%s: got %q, the peer says %q", pair, got[pair], conn)
		}
	}
	for pair, conn := range got {
		if want[pair] == "" {
			tb.Fatalf("%s: got %q, the peer lists nothing", pair, conn)
		}
	}
}

func first(ports string) int {
	from, _, _ := strings.Cut(ports, "-")
	n, err := strconv.Atoi(from)
	if err != nil {
		panic(fmt.Sprintf("ports %q", ports))
	}
	return n
}

// Both programs agree on what they read: the comparison itself is tested, without the peer.
func TestCompare(t *testing.T) {
	var rows, list []string
	for i := range 1000 {
		rows = append(rows, fmt.Sprintf(`{"src":"pod:a/w%d","dst":"pod:a/x","verdict":"reachable","packets":[{"protocol":"udp","dport":["53"]},{"protocol":"tcp","dport":["9090","80-90"]}]}`, i))
		list = append(list, fmt.Sprintf(`{"src":"a/w%d[Pod]","dst":"a/x[DaemonSet]","conn":"TCP 80-90,9090,UDP 53"}`, i))
	}
	compare(t, []byte(`{"rows":[`+strings.Join(rows, ",")+`]}`), []byte("["+strings.Join(list, ",")+"]"))
}
