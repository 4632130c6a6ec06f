package netset

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/np-guard/models/pkg/netp"
	"github.com/np-guard/models/pkg/netset"

	"github.com/ringfence/ringfence/bench/workload"
	"github.com/ringfence/ringfence/solver/packet"
)

// netset gives the verdict of the interpreter, for the protocols that it knows.
func TestNetset(t *testing.T) {
	l := workload.Rules(40, 1)
	permitted := Permitted(l)
	n := 0
	for _, p := range l.BoundaryPackets(3000, 1) {
		// netset's ports start at 1, and of ICMP it knows types and codes, which the engine leaves out.
		if !slices.Contains([]uint8{6, 17}, p.Protocol) || p.DPort == 0 || p.SPort == 0 {
			continue
		}
		n++
		name := netp.ProtocolStringTCP
		if p.Protocol == 17 {
			name = netp.ProtocolStringUDP
		}
		src, err1 := netset.IPBlockFromIPAddress(p.Src.String())
		dst, err2 := netset.IPBlockFromIPAddress(p.Dst.String())
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		one := netset.NewEndpointsTrafficSet(src, dst,
			netset.NewTCPorUDPTransport(name, int64(p.SPort), int64(p.SPort), int64(p.DPort), int64(p.DPort)))
		v := l.Verdict(p)
		if got, want := one.IsSubset(permitted), v > 0 && l.Rules[v-1].Allow; got != want {
			t.Fatalf("%+v is permitted: %v, want %v", p, got, want)
		}
	}
	if n < 1000 {
		t.Errorf("only %d packets", n)
	}
}

// The permitted set of lists as long as netset bears.
func BenchmarkRules(b *testing.B) {
	for b.Loop() {
		for _, n := range []int{50, 100, 200} {
			l := workload.Rules(n, 1)
			engine := workload.Best(5, func() { workload.NewEngine(packet.Limits{}, l)[0].Permitted() })
			peer := workload.Best(1, func() { Permitted(l) })
			workload.Ratio(b, map[int]string{50: "050-rules", 100: "100-rules", 200: "200-rules"}[n], engine, peer, 10)
		}
	}
}

// T6: all pairs of 4,000 workloads under 2,000 policies, against the loop on netset over 40,000 pairs, extrapolated to all 16 million.
func BenchmarkT6Kubernetes(b *testing.B) {
	c := workload.NewCluster(4000, 2000, 1)
	n := NewCluster(c)
	r := rand.New(rand.NewPCG(1, 1))
	sample := make([][2]int, 40_000)
	for i := range sample {
		sample[i] = [2]int{r.IntN(c.Workloads), r.IntN(c.Workloads)}
	}
	var engine, loop time.Duration
	for b.Loop() {
		var m *workload.Matrix
		engine = workload.Best(3, func() { m = c.Solve(packet.NewSpace(packet.NewBuilder().Freeze(), packet.Limits{})) })
		allowed := 0
		loop = workload.Best(1, func() {
			for _, p := range sample {
				if !n.Allowed(p[0], p[1]).IsEmpty() {
					allowed++
				}
			}
		})
		reached := 0
		for _, p := range sample {
			if !m.At(p[0], p[1]).Empty() {
				reached++
			}
		}
		if allowed != reached {
			b.Fatalf("the loop allows %d pairs, the matrix %d", allowed, reached)
		}
	}
	workload.Ratio(b, "T6", engine, loop*time.Duration(c.Workloads*c.Workloads/len(sample)), 100)
}
