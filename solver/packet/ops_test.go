package packet

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// randomPrograms calls f with programs until it returns false.
func randomPrograms(n int, f func(seed uint64, program []byte) bool) {
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 1))
		program := make([]byte, 400)
		for i := range program {
			program[i] = byte(r.Uint32())
		}
		if !f(seed, program) {
			return
		}
	}
}

// Every operation agrees, packet by packet, with a plain list of the packets.
func TestOracleCorePrograms(t *testing.T) {
	for _, test := range []struct {
		m        *small
		programs int
	}{{newSmall(), 100}, {newSmaller(), 1000}} {
		switch {
		case *long:
			test.programs *= 50
		case raceEnabled():
			test.programs /= 10 // nothing here is concurrent
		}
		randomPrograms(test.programs, func(seed uint64, program []byte) bool {
			if err := run(test.m, realAlgebra(), program); err != nil {
				t.Errorf("program %d of %d packets: %v", seed, len(test.m.packets), err)
				return false
			}
			return true
		})
	}
}

// FuzzOps runs programs of operations from bytes. Much of what covers code here is the state of caches, so the search for shorter inputs
// should be short: go test ./solver/packet -fuzz FuzzOps -fuzzminimizetime 20x
func FuzzOps(f *testing.F) {
	randomPrograms(8, func(_ uint64, program []byte) bool {
		f.Add(program)
		return true
	})
	f.Add([]byte{})
	m := newSmaller()
	f.Fuzz(func(t *testing.T, program []byte) {
		if err := run(m, realAlgebra(), program); err != nil {
			t.Fatal(err)
		}
	})
}

// ByOrigin splits a set without loss.
func TestByOrigin(t *testing.T) {
	b := NewBuilder()
	b.Origins(5)
	s := NewSpace(b.Freeze(), Limits{})
	a := s.Union(
		s.Box(Box{Origin: []Range{{0, 1}}, Protocol: One(6)}),
		s.Box(Box{Origin: []Range{{3, 3}}, Protocol: One(17)}),
	)
	var back []Set
	var got []Range
	for _, p := range s.ByOrigin(a) {
		got = append(got, p.Origins)
		back = append(back, s.Intersect(p.Rest, s.Box(Box{Origin: []Range{p.Origins}})))
		if want := s.Project(s.Intersect(a, s.Box(Box{Origin: []Range{p.Origins}})), Origin); p.Rest != want {
			t.Errorf("origins %v: the rest is not the projection", p.Origins)
		}
	}
	if want := []Range{{0, 1}, {3, 3}}; !slices.Equal(got, want) {
		t.Errorf("origins: got %v, want %v", got, want)
	}
	if s.Union(back...) != a {
		t.Error("the parts do not make the set")
	}
	if got := s.ByOrigin(Set{}); got != nil {
		t.Errorf("nothing: got %v", got)
	}
	if got := s.ByOrigin(s.All()); len(got) != 1 || got[0].Rest != s.All() {
		t.Errorf("everything: got %v", got)
	}
}
