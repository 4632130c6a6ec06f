package workload

import (
	"os"
	"runtime"
	"testing"
	"time"
)

// Best is the shortest of n runs of f, each after a garbage collection.
func Best(n int, f func()) time.Duration {
	best := time.Duration(1<<63 - 1)
	for range n {
		runtime.GC()
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	return best
}

// enforced makes a missed target an error; otherwise the figures are only printed, since other work on the machine moves them.
func enforced() bool { return os.Getenv("BENCH_ENFORCE") == "1" }

// Ratio reports how many times slower the peer is than the engine, beside the target of docs/performance.md.
func Ratio(b *testing.B, name string, engine, peer time.Duration, target float64) {
	b.Helper()
	ratio := float64(peer) / float64(engine)
	b.ReportMetric(ms(engine), name+"-engine-ms")
	b.ReportMetric(ms(peer), name+"-peer-ms")
	AtLeast(b, name+"-ratio", ratio, target)
}

// AtLeast reports a figure that should not be below its target.
func AtLeast(b *testing.B, name string, got, target float64) {
	b.Helper()
	b.ReportMetric(got, name)
	if enforced() && got < target {
		b.Errorf("%s is %.2f, want at least %.2f", name, got, target)
	}
}

// AtMost reports a figure that should not be above its target.
func AtMost(b *testing.B, name string, got, target float64) {
	b.Helper()
	b.ReportMetric(got, name)
	if enforced() && got > target {
		b.Errorf("%s is %.2f, want at most %.2f", name, got, target)
	}
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }
