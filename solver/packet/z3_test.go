package packet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// z3 is asked as a second opinion: it knows neither classes nor diagrams. Two random lists: is there a packet about whose action they
// differ, and is the packet that z3 finds one of ours?
func TestZ3Agrees(t *testing.T) {
	if _, err := exec.LookPath("z3"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("z3 is not installed")
		}
		t.Skip("z3 is not installed (apt-get install z3)")
	}
	cases := 40
	if *long {
		cases = 600
	}
	answers := map[string]int{}
	for seed := range uint64(cases) {
		r := rand.New(rand.NewPCG(seed, 24))
		c := randomList(r, 10+r.IntN(31), false)
		for i := range c.rules {
			c.rules[i].action = Value(1 + r.IntN(2))
		}
		// The other list: neighbours swapped where that changes nothing for certain, or one rule changed.
		order := make([]int, len(c.rules))
		for i := range order {
			order[i] = i
		}
		flip := -1
		switch seed % 3 {
		case 0:
			flip = r.IntN(len(order))
		case 1:
			i := r.IntN(len(order) - 1)
			order[i], order[i+1] = order[i+1], order[i]
		default:
			for i := 1; i < len(order); i++ {
				if c.rules[order[i]].action == c.rules[order[i-1]].action {
					order[i], order[i-1] = order[i-1], order[i]
				}
			}
		}
		action := func(i int) Value {
			if i == flip {
				return 3 - c.rules[i].action
			}
			return c.rules[i].action
		}
		var a, b []Decision
		for i := range c.rules {
			a = append(a, c.s.Leaf(c.match[i], c.rules[i].action))
			b = append(b, c.s.Leaf(c.match[order[i]], action(order[i])))
		}
		differ := c.s.Differ(c.s.Seq(a...), c.s.Seq(b...))

		var q bytes.Buffer
		q.WriteString(`(set-logic QF_BV)
(declare-const src (_ BitVec 128)) (declare-const src4 Bool) (declare-const dst (_ BitVec 128)) (declare-const dst4 Bool)
(declare-const proto (_ BitVec 8)) (declare-const sport (_ BitVec 16)) (declare-const dport (_ BitVec 16))
(declare-const Monitor Bool) (declare-const Storage Bool)
(assert (=> src4 (= ((_ extract 127 32) src) (_ bv0 96)))) (assert (=> dst4 (= ((_ extract 127 32) dst) (_ bv0 96))))
(assert (or src4 (not (= ((_ extract 127 32) src) #x00000000000000000000ffff))))
(assert (or dst4 (not (= ((_ extract 127 32) dst) #x00000000000000000000ffff))))
`)
		for i := range c.rules {
			fmt.Fprintf(&q, "(define-fun m%d () Bool %s)\n", i, c.rules[i].smt())
		}
		decision := func(name string, rule func(k int) (int, Value)) {
			text := "#b00"
			for k := len(c.rules) - 1; k >= 0; k-- {
				i, v := rule(k)
				text = fmt.Sprintf("(ite m%d #b%02b %s)", i, v, text)
			}
			fmt.Fprintf(&q, "(define-fun %s () (_ BitVec 2) %s)\n", name, text)
		}
		decision("a", func(k int) (int, Value) { return k, c.rules[k].action })
		decision("b", func(k int) (int, Value) { return order[k], action(order[k]) })
		q.WriteString("(assert (not (= a b)))\n(check-sat)\n(get-value (src src4 dst dst4 proto sport dport Monitor Storage))\n")

		cmd := exec.Command("z3", "-in", "-T:60")
		cmd.Stdin = &q
		out, err := cmd.Output() // exit status 1 when there is no model to print
		answer, model, _ := strings.Cut(string(out), "\n")
		if answer != "sat" && answer != "unsat" {
			t.Fatalf("seed %d: z3 says %q, %v", seed, out, err)
		}
		answers[answer]++
		if (answer == "unsat") != differ.Empty() {
			t.Fatalf("seed %d: z3 says %s, the diagrams differ: %v", seed, answer, !differ.Empty())
		}
		if answer == "sat" {
			p := parseModel(t, model)
			if !c.s.Contains(differ, c.packet(p)) {
				t.Fatalf("seed %d: z3's packet is not in the difference: %v", seed, p)
			}
		}
	}
	if answers["sat"] == 0 || answers["unsat"] == 0 {
		t.Errorf("only one kind of answer: %v", answers)
	}
}

// smt is the match of a rule over bit vectors.
func (r *rule) smt() string {
	parts := []string{"true"}
	side := func(name string, list []netip.Prefix) {
		if list == nil {
			return
		}
		any := []string{"false"}
		for _, p := range list {
			family, bits := "(not "+name+"4)", p.Bits()
			text := ""
			if p.Addr().Is4() {
				family, bits = name+"4", bits+96
				text = strings.Repeat("0", 96)
			}
			for _, b := range p.Addr().AsSlice() {
				text += fmt.Sprintf("%08b", b)
			}
			if bits == 0 {
				any = append(any, family)
				continue
			}
			any = append(any, fmt.Sprintf("(and %s (= ((_ extract 127 %d) %s) #b%s))", family, 128-bits, name, text[:bits]))
		}
		parts = append(parts, "(or "+strings.Join(any, " ")+")")
	}
	side("src", r.src)
	side("dst", r.dst)
	if r.protocols != nil {
		any := []string{"false"}
		for _, p := range r.protocols {
			any = append(any, fmt.Sprintf("(= proto #x%02x)", p))
		}
		parts = append(parts, "(or "+strings.Join(any, " ")+")")
	}
	for name, ports := range map[string][]Range{"sport": r.sport, "dport": r.dport} {
		for _, x := range ports { // at most one
			parts = append(parts, fmt.Sprintf("(bvule #x%04x %s) (bvule %s #x%04x)", x.Lo, name, name, x.Hi))
		}
	}
	if r.tag != "" {
		parts = append(parts, r.tag)
	}
	return "(and " + strings.Join(parts, " ") + ")"
}

func parseModel(t *testing.T, model string) concrete {
	t.Helper()
	value := map[string]string{}
	for _, m := range regexp.MustCompile(`\((\w+) (?:#([xb][0-9a-f]+)|(true|false))\)`).FindAllStringSubmatch(model, -1) {
		value[m[1]] = m[2] + m[3]
	}
	number := func(name string, bits int) uint64 {
		v, err := strconv.ParseUint(strings.TrimPrefix(value[name], "x"), 16, bits)
		if err != nil {
			t.Fatalf("z3 model %s: %v", model, err)
		}
		return v
	}
	address := func(name string) netip.Addr {
		digits := strings.TrimPrefix(value[name], "x")
		var b [16]byte
		for i := range b {
			v, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
			if err != nil {
				t.Fatalf("z3 model %s: %v", model, err)
			}
			b[i] = byte(v)
		}
		if value[name+"4"] == "true" {
			return netip.AddrFrom4([4]byte(b[12:]))
		}
		return netip.AddrFrom16(b)
	}
	p := concrete{
		src: address("src"), dst: address("dst"), protocol: uint8(number("proto", 8)),
		sport: uint16(number("sport", 16)), dport: uint16(number("dport", 16)),
	}
	for _, tag := range []string{"Monitor", "Storage"} {
		if value[tag] == "true" {
			p.tags = append(p.tags, tag)
		}
	}
	return p
}
