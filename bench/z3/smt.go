// Package z3 asks the z3 solver, as a process, what the engine answers with packet sets: is there a packet that one rule list allows and
// another does not.
package z3

import (
	"bytes"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/bench/workload"
)

// Form is a way to write the question in SMT-LIB 2. Prefixes are extracted bits and tags are defined once in both.
type Form int

const (
	// Defined is what one writes down from the rules: the list from each rule on is a definition that refers to the next one. z3 unfolds
	// definitions as it reads.
	Defined Form = iota
	// Named gives each of these a Boolean constant and an equation, which keeps z3 from unfolding the list: the form that suits it best of
	// those that were tried.
	Named
)

// Question is "A allows, B does not".
func Question(a, b *workload.List, form Form) []byte {
	var w bytes.Buffer
	w.WriteString("(set-logic QF_BV)\n")
	for _, v := range []struct {
		name string
		bits int
	}{{"src", 32}, {"dst", 32}, {"proto", 8}, {"sport", 16}, {"dport", 16}} {
		fmt.Fprintf(&w, "(declare-const %s (_ BitVec %d))\n", v.name, v.bits)
	}
	for i, t := range a.Tags {
		for _, side := range []string{"src", "dst"} {
			define(&w, Defined, fmt.Sprintf("tag%d%s", i+1, side), prefixes(side, t.Prefixes))
		}
	}
	list(&w, "a", a, form)
	list(&w, "b", b, form)
	w.WriteString("(assert (and a0 (not b0)))\n(check-sat)\n(get-value (src dst proto sport dport))\n")
	return w.Bytes()
}

// list defines what the list allows from each rule on: name0 is the whole.
func list(w *bytes.Buffer, name string, l *workload.List, form Form) {
	define(w, form, fmt.Sprint(name, len(l.Rules)), "false")
	for i := len(l.Rules) - 1; i >= 0; i-- {
		body := fmt.Sprintf("(and (not %s) %s%d)", match(&l.Rules[i]), name, i+1)
		if l.Rules[i].Allow {
			body = fmt.Sprintf("(or %s %s%d)", match(&l.Rules[i]), name, i+1)
		}
		define(w, form, fmt.Sprint(name, i), body)
	}
}

func define(w *bytes.Buffer, form Form, name, body string) {
	if form == Named {
		fmt.Fprintf(w, "(declare-const %s Bool)\n(assert (= %s %s))\n", name, name, body)
		return
	}
	fmt.Fprintf(w, "(define-fun %s () Bool %s)\n", name, body)
}

func match(r *workload.Rule) string {
	parts := []string{"true"}
	for _, side := range []struct {
		name string
		side workload.Side
	}{{"src", r.Src}, {"dst", r.Dst}} {
		switch {
		case side.side.Any():
		case side.side.Tag > 0:
			parts = append(parts, fmt.Sprintf("tag%d%s", side.side.Tag, side.name))
		default:
			parts = append(parts, prefixes(side.name, side.side.Prefixes))
		}
	}
	if r.Protocols != nil {
		var p []string
		for _, v := range r.Protocols {
			p = append(p, fmt.Sprintf("(= proto #x%02x)", v))
		}
		parts = append(parts, or(p))
	}
	for _, side := range []struct {
		name  string
		ports []workload.Ports
	}{{"sport", r.SPort}, {"dport", r.DPort}} {
		if side.ports == nil {
			continue
		}
		var p []string
		for _, x := range side.ports {
			if x.Lo == x.Hi {
				p = append(p, fmt.Sprintf("(= %s #x%04x)", side.name, x.Lo))
			} else {
				p = append(p, fmt.Sprintf("(and (bvule #x%04x %s) (bvule %s #x%04x))", x.Lo, side.name, side.name, x.Hi))
			}
		}
		parts = append(parts, or(p))
	}
	return "(and " + strings.Join(parts, " ") + ")"
}

func prefixes(side string, list []netip.Prefix) string {
	var p []string
	for _, x := range list {
		if x.Bits() == 0 {
			return "true"
		}
		var bits strings.Builder
		for _, b := range x.Addr().AsSlice() {
			fmt.Fprintf(&bits, "%08b", b)
		}
		p = append(p, fmt.Sprintf("(= ((_ extract 31 %d) %s) #b%s)", 32-x.Bits(), side, bits.String()[:x.Bits()]))
	}
	return or(p)
}

func or(p []string) string {
	if len(p) == 1 {
		return p[0]
	}
	return "(or " + strings.Join(p, " ") + ")"
}

// Ask runs z3 on a question: whether there is such a packet, and one.
func Ask(question []byte) (bool, workload.Packet, error) {
	cmd := exec.Command("z3", "-in")
	cmd.Stdin = bytes.NewReader(question)
	out, err := cmd.Output() // z3 exits with 1 when it has no model to print
	switch {
	case bytes.HasPrefix(out, []byte("unsat")):
		return false, workload.Packet{}, nil
	case !bytes.HasPrefix(out, []byte("sat")):
		return false, workload.Packet{}, fmt.Errorf("z3 says %q: %w", out, err)
	}
	value := map[string]uint64{}
	for _, m := range regexp.MustCompile(`\((\w+) #([xb])([0-9a-f]+)\)`).FindAllStringSubmatch(string(out), -1) {
		base := 16
		if m[2] == "b" {
			base = 2
		}
		if value[m[1]], err = strconv.ParseUint(m[3], base, 32); err != nil {
			return false, workload.Packet{}, err
		}
	}
	address := func(v uint64) netip.Addr {
		return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	}
	return true, workload.Packet{
		Src: address(value["src"]), Dst: address(value["dst"]), Protocol: uint8(value["proto"]),
		SPort: uint16(value["sport"]), DPort: uint16(value["dport"]),
	}, nil
}
