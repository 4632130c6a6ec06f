package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/snapshot"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

const redactKey = "a key that only tests use"

// examples are the folders of the examples.
func examples(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("../../examples/*/ringfence.yaml")
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

// imported is an example, and its redacted twin with the words of both, each by way of a file.
func imported(t *testing.T, dir string) (plain, redacted *model.Project, words map[string]string, data []byte) {
	t.Helper()
	tmp := t.TempDir()
	runOK := func(args ...string) {
		if code := run(append([]string{"ringfence", "import"}, args...), strings.NewReader(""), io.Discard, os.Stderr); code != exitOK {
			t.Fatal("exit", code)
		}
	}
	runOK("-o", filepath.Join(tmp, "plain.json"), dir)
	runOK("--redact", "--redact-key", redactKey, "--redact-map", filepath.Join(tmp, "words"), "-o", filepath.Join(tmp, "redacted.json"), dir)
	var projects [2]*model.Project
	for i, name := range []string{"plain.json", "redacted.json"} {
		p, err := snapshot.Import(os.DirFS(tmp), name)
		if err != nil {
			t.Fatal(err)
		}
		projects[i] = p
	}
	info, err := os.Stat(filepath.Join(tmp, "words"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the map of pseudonyms: %v %v", info.Mode(), err)
	}
	list, err := os.ReadFile(filepath.Join(tmp, "words"))
	if err != nil {
		t.Fatal(err)
	}
	words = map[string]string{}
	for line := range strings.Lines(string(list)) {
		var w snapshot.Pseudonym
		if err = json.Unmarshal([]byte(line), &w); err != nil {
			t.Fatal(err)
		}
		words[w.Word] = w.Became
	}
	if data, err = os.ReadFile(filepath.Join(tmp, "redacted.json")); err != nil {
		t.Fatal(err)
	}
	return projects[0], projects[1], words, data
}

// became is a reference of an answer with its names replaced; of an address block its length is left.
func became(ref string, words map[string]string) string {
	kind, rest, ok := strings.Cut(ref, ":")
	if !ok {
		return ref
	}
	if p, err := netip.ParsePrefix(rest); err == nil {
		return fmt.Sprintf("%s:/%d", kind, p.Bits())
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		parts[i] = cmp.Or(words[p], p)
		if a, err := netip.ParseAddr(p); err == nil && words[p] == "" { // named as a prefix of one address
			alone, _, _ := strings.Cut(words[netip.PrefixFrom(a, a.BitLen()).String()], "/")
			parts[i] = cmp.Or(alone, p)
		}
	}
	return kind + ":" + strings.Join(parts, "/")
}

// shape is the rows of a matrix with everything but addresses: who reaches whom, how, and by which ports.
func shape(t *testing.T, p *model.Project, by solver.By, words map[string]string) []string {
	t.Helper()
	s, err := solver.Solve(p, solver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Matrix(by, nil, false)
	if err != nil {
		return []string{err.Error()} // nothing sends
	}
	merged := map[string][]string{} // chains through others of one kind are one here
	for _, r := range rows {
		src, dst := became(r.Src, words), became(r.Dst, words)
		var via, ports []string
		for _, v := range r.Via {
			v, _, _ = strings.Cut(v, ":") // of two that do as well, the first by name is shown
			via = append(via, v)
		}
		for _, x := range r.Packets {
			for _, port := range x.DPort {
				ports = append(ports, fmt.Sprint(x.Protocol, port, x.SPort))
			}
		}
		key := fmt.Sprint(src, " ", dst, " ", r.Verdict, " ", r.Kind, " ", via)
		if r.Total > 0 {
			key, ports = key+" cut", nil // which of them are shown depends on their addresses
		}
		merged[key] = append(merged[key], ports...)
	}
	var out []string
	for key, ports := range merged {
		slices.Sort(ports)
		out = append(out, fmt.Sprint(key, slices.Compact(ports)))
	}
	slices.Sort(out)
	return out
}

// A redacted example has the matrix, the verdicts and the findings of the example, with pseudonyms in them.
func TestRedactedAnswersAlike(t *testing.T) {
	for _, dir := range examples(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			plain, redacted, words, _ := imported(t, dir)
			for _, by := range []solver.By{solver.ByEndpoint, solver.ByZone} {
				if diff := gocmp.Diff(shape(t, plain, by, words), shape(t, redacted, by, nil)); diff != "" {
					t.Errorf("by %s (-plain +redacted):\n%s", by, diff)
				}
			}
			verdicts := func(p *model.Project, words map[string]string) []string {
				s, err := solver.Solve(p, solver.Options{Questions: pci.Selectors(p)})
				if err != nil {
					t.Fatal(err)
				}
				r, err := pci.Verify(s, "test", pci.Facts{})
				if err != nil {
					t.Fatal(err)
				}
				var out, findings []string
				for _, a := range r.Assertions {
					parts := strings.Split(a.ID, "/")
					for i, x := range parts {
						parts[i] = cmp.Or(words[x], x)
					}
					out = append(out, fmt.Sprint(strings.Join(parts, "/"), " ", a.Verdict, " ", len(a.Violations), " witness ", a.Witness != nil))
				}
				for _, f := range r.Findings {
					if f.ID == "cluster-egress-missing" {
						continue // it asks for names of the platform, and a pseudonym of such a name is another one
					}
					findings = append(findings, fmt.Sprint(f.ID, " ", f.Severity))
				}
				slices.Sort(findings)
				return append(out, findings...)
			}
			if diff := gocmp.Diff(verdicts(plain, words), verdicts(redacted, nil)); diff != "" {
				t.Errorf("verdicts and findings (-plain +redacted):\n%s", diff)
			}
		})
	}
}

// So has a drawn estate with everything in it that can be drawn.
func TestRedactedEstatesAnswerAlike(t *testing.T) {
	for seed := range uint64(30) {
		d := modeltest.Random(rand.New(rand.NewPCG(seed, 7)), modeltest.AllKinds)
		e, err := d.Estate()
		if err != nil {
			t.Fatal(err)
		}
		p := &model.Project{Estate: e, Tags: d.Tags}
		r, list, err := snapshot.Redact(p, []byte(redactKey))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		words := map[string]string{}
		for _, w := range list {
			words[w.Word] = w.Became
		}
		if diff := gocmp.Diff(shape(t, p, solver.ByEndpoint, words), shape(t, r, solver.ByEndpoint, nil)); diff != "" {
			t.Errorf("seed %d (-plain +redacted):\n%s", seed, diff)
			return
		}
	}
}

// vocabulary is words that examples use as names and that a snapshot holds anyhow: members of its JSON, types and kinds of Azure and Kubernetes,
// service tags, and what an intent file calls a zone's kind.
func vocabulary() []string {
	return []string{
		"ingress", "monitor", "firewall", "azurekeyvault", "data", "on-prem", "vault", "scope", "azure", "microsoft", "controller", "public", "node", "https", "http",
		"component", "namespaces", "kubernetes", "connected", "wireless", "management", "workload", "name", "policy", "security", "registry", "storage",
		"out-of-scope", "nginx", "appgw", "nsgs", "tier", "namespace", "platform", "zones", "rules", "frontdoor", "apim", "gateway", "network",
		"dataflow", "endpoints", "roles", "logs", "changes", "objects",
	}
}

// holdsWord reports a word in a text, with no letter or digit around it.
func holdsWord(text, word string) bool {
	part := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] >= 'a' && text[i] <= 'z' || text[i] >= '0' && text[i] <= '9')
	}
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		if from += i; !part(from-1) && !part(from+len(word)) {
			return true
		}
		from++
	}
}

// Nothing of what people named is in a redacted snapshot: no name, address, domain name, file, person or comment of the example.
func TestRedactedTellsNothing(t *testing.T) {
	for _, dir := range examples(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			plain, _, words, data := imported(t, dir)
			text := strings.ToLower(string(data))
			checked := 0
			made, seen := map[string]bool{}, map[string]bool{}
			for _, to := range words {
				made[strings.ToLower(to)] = true
			}
			absent := func(what, word string) {
				low := strings.ToLower(word)
				if seen[low] {
					return
				}
				seen[low] = true
				if len(word) < 4 || made[low] || slices.Contains(vocabulary(), low) {
					return
				}
				checked++
				quoted, _ := json.Marshal(low)
				if holdsWord(text, strings.Trim(string(quoted), `"`)) {
					t.Errorf("%s `%s` is in the snapshot", what, word)
				}
			}
			for word := range words {
				absent("the word", word)
			}
			var walk func(v reflect.Value, field string)
			walk = func(v reflect.Value, field string) {
				switch x := v.Interface().(type) {
				case netip.Addr:
					if x.IsValid() && words[x.String()] != "" {
						absent("the address", x.String())
					}
					return
				case model.ID:
					if sub := x.Subscription(); sub != "" {
						absent("the subscription", sub)
					}
					return
				}
				switch v.Kind() {
				case reflect.Pointer:
					if !v.IsNil() {
						walk(v.Elem(), field)
					}
				case reflect.Slice, reflect.Array:
					for i := range v.Len() {
						walk(v.Index(i), field)
					}
				case reflect.Struct:
					for i := range v.NumField() {
						if f := v.Type().Field(i); f.IsExported() {
							walk(v.Field(i), f.Name)
						}
					}
				case reflect.String:
					if _, text := v.Interface().(string); strings.HasPrefix(v.String(), "Microsoft.") && text {
						return // an operation of Azure: Actions of a role are not those of a review
					}
					switch field {
					case "Reason", "Description", "Procedure", "Actions", "Evidence", "Owner", "ApprovedBy", "By", "Ticket", "InTransit", "SHA256":
						absent("what people wrote,", v.String())
					default:
					}
				default:
				}
			}
			walk(reflect.ValueOf(plain), "")
			if checked < 100 {
				t.Errorf("%d words checked", checked)
			}
		})
	}
}
