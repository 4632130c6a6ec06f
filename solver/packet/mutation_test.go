package packet

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mutants are broken operations, one each. An oracle that does not notice them proves nothing; equality tests, for example, do not
// notice the first.
func mutants() map[string]func(*algebra) {
	return map[string]func(*algebra){
		"Subtract from nothing returns what is subtracted": func(a *algebra) {
			a.subtract = func(s *Space, x, y Set) Set {
				if x.Empty() {
					return y
				}
				return s.Subtract(x, y)
			}
		},
		"Subtract is symmetric": func(a *algebra) {
			a.subtract = func(s *Space, x, y Set) Set { return s.Union(s.Subtract(x, y), s.Subtract(y, x)) }
		},
		"Union forgets the last of three": func(a *algebra) {
			a.union = func(s *Space, x ...Set) Set { return s.Union(x[:2]...) }
		},
		"Intersect of nested sets returns the larger": func(a *algebra) {
			a.intersect = func(s *Space, x, y Set) Set {
				if s.Subset(x, y) {
					return y
				}
				return s.Intersect(x, y)
			}
		},
		"Complement keeps to the first origin": func(a *algebra) {
			a.complement = func(s *Space, x Set) Set { return s.OriginSlice(s.Complement(x), 0) }
		},
		"Subset asks for a common packet": func(a *algebra) {
			a.subset = func(s *Space, x, y Set) bool { return !s.Disjoint(x, y) }
		},
		"Subset is always true of a set with one box": func(a *algebra) {
			a.subset = func(s *Space, x, y Set) bool {
				_, n := s.Boxes(x, 0)
				return n == 1 || s.Subset(x, y)
			}
		},
		"Disjoint asks for difference": func(a *algebra) {
			a.disjoint = func(_ *Space, x, y Set) bool { return x != y }
		},
		"Contains looks at the next destination port": func(a *algebra) {
			a.contains = func(s *Space, x Set, p Packet) bool {
				p.DPort = (p.DPort + 1) % 3
				return s.Contains(x, p)
			}
		},
		"Sample ignores preferences": func(a *algebra) {
			a.sample = func(s *Space, x Set, _ ...Set) (Packet, bool) { return s.Sample(x) }
		},
		"Sample takes the preference alone": func(a *algebra) {
			a.sample = func(s *Space, x Set, prefer ...Set) (Packet, bool) { return s.Sample(prefer[0]) }
		},
		"Boxes forgets the last": func(a *algebra) {
			a.boxes = func(s *Space, x Set, most int) ([]Box, uint64) {
				b, n := s.Boxes(x, most)
				if len(b) > 1 {
					return b[:len(b)-1], n - 1
				}
				return b, n
			}
		},
		"Boxes overlap": func(a *algebra) {
			a.boxes = func(s *Space, x Set, most int) ([]Box, uint64) {
				b, n := s.Boxes(x, most)
				if len(b) > 1 {
					b[0].Dst = nil
				}
				return b, n
			}
		},
		"Origins reports all": func(a *algebra) {
			a.origins = func(s *Space, x Set) []Range {
				if x.Empty() {
					return nil
				}
				return []Range{{0, s.u.domain[Origin]}}
			}
		},
		"OriginSlice drops the origin": func(a *algebra) {
			a.originSlice = func(s *Space, x Set, o uint32) Set { return s.Project(s.OriginSlice(x, o), Origin) }
		},
		"Project forgets the last field": func(a *algebra) {
			a.project = func(s *Space, x Set, f ...Field) Set { return s.Project(x, f[:max(0, len(f)-1)]...) }
		},
		"Rewrite keeps what was there": func(a *algebra) {
			a.rewrite = func(s *Space, x Set, r Rewrite) Set { return s.Union(x, s.Rewrite(x, r)) }
		},
		"Rewrite forgets the source port": func(a *algebra) {
			a.rewrite = func(s *Space, x Set, r Rewrite) Set {
				r.SPort = nil
				return s.Rewrite(x, r)
			}
		},
		"Preimage is the image": func(a *algebra) { a.preimage = (*Space).Rewrite },
		"Preimage ignores where the rewrite leads": func(a *algebra) {
			a.preimage = func(s *Space, x Set, r Rewrite) Set {
				if r.Dst != nil {
					return s.Project(s.Preimage(x, Rewrite{Src: r.Src, DPort: r.DPort, SPort: r.SPort}), Dst)
				}
				return s.Preimage(x, r)
			}
		},
		"Leaf cuts values to 16 bits": func(a *algebra) {
			a.leaf = func(s *Space, x Set, v Value) Decision { return s.Leaf(x, v&0xffff) }
		},
		"Seq lets the last rule win": func(a *algebra) {
			a.seq = func(s *Space, d ...Decision) Decision {
				d = slices.Clone(d)
				slices.Reverse(d)
				return s.Seq(d...)
			}
		},
		"SeqOutcomes stops at an uncertain rule": func(a *algebra) { a.seqOutcomes = (*Space).Seq },
		"Within decides outside": func(a *algebra) {
			a.within = func(s *Space, d Decision, x Set) Decision { return s.Within(d, s.Complement(x)) }
		},
		"Differ overlooks undecided packets": func(a *algebra) {
			a.differ = func(s *Space, x, y Decision) Set {
				decided := func(v Value) bool { return v != 0 }
				return s.Intersect(s.Differ(x, y), s.Intersect(s.Where(x, decided), s.Where(y, decided)))
			}
		},
		"Combine swaps its operands": func(a *algebra) {
			a.combine = func(s *Space, f Op, x, y Decision) Decision { return s.Combine(f, y, x) }
		},
		"Mapped leaves undecided packets alone": func(a *algebra) {
			a.mapped = func(s *Space, d Decision, f func(Value) Value) Decision {
				return s.Mapped(d, func(v Value) Value {
					if v == 0 {
						return 0
					}
					return f(v)
				})
			}
		},
		"Where leaves undecided packets out": func(a *algebra) {
			a.where = func(s *Space, d Decision, ok func(Value) bool) Set {
				return s.Where(d, func(v Value) bool { return v != 0 && ok(v) })
			}
		},
		"WhereIs forgets the last value": func(a *algebra) {
			a.whereIs = func(s *Space, d Decision, v ...Value) Set { return s.WhereIs(d, v[:len(v)-1]...) }
		},
		"At answers for the other origin": func(a *algebra) {
			a.at = func(s *Space, d Decision, p Packet) Value {
				p.Origin = 1 - p.Origin
				return s.At(d, p)
			}
		},
		"Values forgets the largest": func(a *algebra) {
			a.values = func(s *Space, d Decision) []Value {
				v := s.Values(d)
				return v[:max(0, len(v)-1)]
			}
		},
		"Replace changes nothing": func(a *algebra) {
			a.replace = func(l *List, _ int, _ Decision) Decision { return l.Decision() }
		},
		"Before includes the rule": func(a *algebra) {
			a.before = func(l *List, i int) Decision { return l.Before(min(i+1, l.Len())) }
		},
		"Compact swaps two sets": func(a *algebra) {
			a.compact = func(s *Space, r ...Root) {
				x, y := r[0].(*Set), r[1].(*Set)
				*x, *y = *y, *x
				s.Compact(r...)
			}
		},
		"Import loses a union's half": func(a *algebra) {
			a.importSet = func(s, from *Space, x Set) Set { return s.OriginSlice(s.Import(from, x), 0) }
		},
	}
}

// The oracle notices each broken operation.
func TestOracleNoticesMutants(t *testing.T) {
	if raceEnabled() {
		t.Skip("nothing here is concurrent, and the race detector makes it slow")
	}
	m := newSmaller()
	for name, breakIt := range mutants() {
		t.Run(name, func(t *testing.T) {
			a := realAlgebra()
			breakIt(&a)
			var found error
			randomPrograms(1000, func(_ uint64, program []byte) bool {
				found = run(m, a, program)
				return found == nil
			})
			if found == nil {
				t.Error("the oracle does not notice")
			}
		})
	}
}

// sourceMutants are single lines of the engine and a wrong form of each.
func sourceMutants() []struct{ file, right, wrong string } {
	return []struct{ file, right, wrong string }{
		{"apply.go", "case a == none || b == all || a == b:\n\t\t\treturn none, true", "case a == none:\n\t\t\treturn b, true\n\t\tcase b == all || a == b:\n\t\t\treturn none, true"},
		{"apply.go", "case b == none || !a.isNode():", "case b == none:"},
		{"apply.go", "return o == opAnd || o == opOr || o == opDiffer || o == opDisjoint", "return o == opAnd || o == opOr || o == opDiffer || o == opDisjoint || o == opSeq"},
		{"apply.go", "return o == opAnd || o == opOr || o == opDiffer || o == opDisjoint", "return true"},
		{"apply.go", "d.push(base, min(x.hi, y.hi), d.apply(o, x.kid, y.kid))", "d.push(base, max(x.hi, y.hi), d.apply(o, x.kid, y.kid))"},
		{"apply.go", "d.push(base, e.hi, d.apply(o, a, e.kid))", "d.push(base, e.hi, d.apply(o, e.kid, a))"},
		{"apply.go", "r := d.mk(min(la, lb), base)", "r := d.mk(la, base)"},
		{"apply.go", "case o == opSubset && b == none: // a is not empty\n\t\treturn false", "case o == opSubset && b == none: // a is not empty\n\t\treturn a == all"},
		{"apply.go", "case a == invalid || b == invalid:", "case a == invalid || b == none:"},
		{"decision.go", "return a&^next | b, true", "return a | b, true"},
		{"decision.go", "case a&next == 0:", "case a&next != 0:"},
		{"diagram.go", "if d.table[i].hash == h && d.equal(d.table[i].ref, shape, edges) {\n\t\t\treturn d.table[i].ref\n\t\t}\n\t}\n\tfor _, l", "if d.table[i].hash == h {\n\t\t\treturn d.table[i].ref\n\t\t}\n\t}\n\tfor _, l"},
		{"diagram.go", "if len(edges) == 1 {\n\t\treturn edges[0].kid\n\t}\n\tshape", "shape"},
		{"diagram.go", "if n := len(d.stack); n > base && d.stack[n-1].kid == kid {", "if n := len(d.stack); n > base+1 && d.stack[n-1].kid == kid {"},
		{"diagram.go", "if e := d.slot(o, a, b); e.op == o && e.a == a && e.b == b {\n\t\treturn e.r, true\n\t}\n\tfor", "if e := d.slot(o, a, b); e.a == a && e.b == b {\n\t\treturn e.r, true\n\t}\n\tfor"},
		{"diagram.go", "if e.hi < v {", "if e.hi <= v {"},
		{"diagram.go", "if r[len(r)-1].Hi < last {", "if r[len(r)-1].Hi < last-1 {"},
		{"diagram.go", "o.start = nodeBit + ref(len(o.nodes))<<nodeShift", "o.start = nodeBit"},
		{"rewrite.go", "for len(r) > 0 && r[0].Hi < lo {", "for len(r) > 0 && r[0].Hi <= lo {"},
		{"rewrite.go", "if e.kid != none && (r == nil || r[0].Lo <= e.hi) {", "if e.kid != none && (r == nil || r[0].Lo < e.hi) {"},
		{"rewrite.go", "return s.set(f(s.d.interned(name, every), a.r, every))\n\t}", "}\n\tevery = ported"},
		{"rewrite.go", "return d.intern(string(key), op(len(c))+1)", "return d.intern(string(key), 1)"},
		{"rewrite.go", "key = append(key, x.level)", ""},
		{"rewrite.go", "free[DPort], free[SPort] = true, true", ""},
		{"rewrite.go", "if level > last {", "if level >= last {"},
		{"set.go", "lo = e.hi + 1\n\t\t}\n\t}\n\treturn p", "lo = e.hi\n\t\t}\n\t}\n\treturn p"},
		{"set.go", "r = s.d.interval(uint8(t.Tag), []Range{{v, v}}, r, none)", "r = s.d.interval(uint8(t.Tag), []Range{{v, v}}, all, none)"},
		{"list.go", "i /= 2\n\t\tl.pair", "l.pair"},
		{"list.go", "if i%2 == 1 {", "if i%2 == 0 {"},
		{"list.go", "l.s.d.apply(l.o, l.levels[level][i-1], r)", "l.s.d.apply(l.o, r, l.levels[level][i-1])"},
		{"compact.go", "d.stack = append(d.stack, edge{e.hi, renumber(e.kid)})", "d.stack = append(d.stack, edge{e.hi, e.kid})"},
		{"compact.go", "m.set(e.kid)", "_ = e"},
		{"compact.go", "d.cache = make([]result, cacheMin)", ""},
		{"space.go", "if r < shared {\n\t\treturn r", "if r <= nodeBit+1000 {\n\t\treturn r"},
		{"space.go", "shared = s.startAfter(i)", "shared = s.startAfter(i) + 1"},
		{"boxes.go", "out[i].ranges = append(out[i].ranges, Range{lo, e.hi})", "out[i].ranges = append(out[i].ranges, Range{lo, lo})"},
		{"boxes.go", "box[i] = 0\n\t\t\t\tkey := make", "key := make"},
		{"boxes.go", "box[i] = 0\n\t}\n\twalk(r)", "}\n\twalk(r)"},
	}
}

// Each changed line of the engine itself makes the core tests fail: the tests are run against a copy of the package with that line
// changed.
func TestCoreTestsNoticeSourceMutants(t *testing.T) {
	if !*long {
		t.Skip("compiles the package for each mutant; run with -packet.long")
	}
	for _, m := range sourceMutants() {
		source, err := os.ReadFile(m.file)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(source, []byte(m.right)); n != 1 {
			t.Errorf("%s: found %d times, want once: %s", m.file, n, m.right)
			continue
		}
		dir := t.TempDir()
		changed := filepath.Join(dir, m.file)
		if err = os.WriteFile(changed, bytes.Replace(source, []byte(m.right), []byte(m.wrong), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		here, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		overlay := filepath.Join(dir, "overlay.json")
		entry := `{"Replace": {"` + filepath.Join(here, m.file) + `": "` + changed + `"}}`
		if err = os.WriteFile(overlay, []byte(entry), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("go", "test", "-overlay="+overlay, "-vet=off", "-timeout=60s", "-run=OracleCore", ".").CombinedOutput()
		switch {
		case err == nil:
			t.Errorf("%s: the tests pass with\n%s\nin place of\n%s", m.file, m.wrong, m.right)
		case strings.Contains(string(out), "[build failed]"):
			t.Errorf("%s: does not compile with\n%s\n%s", m.file, m.wrong, out)
		}
	}
}
