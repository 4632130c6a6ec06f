package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The README's first command: the example holds, from input to the last report.
func TestVerifyExample(t *testing.T) {
	var stdout, stderr bytes.Buffer
	dir := t.TempDir()
	code := run([]string{"ringfence", "verify", "--out", dir, "../../examples/aks-pci"}, strings.NewReader(""), &stdout, &stderr)
	if code != exitOK {
		t.Fatalf("exit %d; %s%s", code, stdout.String(), stderr.String())
	}
	if stderr.Len() > 0 {
		t.Errorf("stderr: %s", stderr.String())
	}
	for _, name := range []string{"report.html", "report.json", "network.svg", "dataflow.svg", "rules.csv", "junit.xml", "results.sarif"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// The broken twin fails, and its summary names every assertion that must not hold.
func TestVerifyBrokenExample(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"ringfence", "verify", "../../examples/aks-pci-broken"}, strings.NewReader(""), &stdout, &stderr); code != exitFail {
		t.Fatalf("exit %d; %s", code, stderr.String())
	}
	for _, want := range []string{"FAIL  internet-not-to-data", "FAIL  wireless-isolated", "nsg-oos/securityRules/AllowBastionIn", "azure/nsgs.json:", "to make it hold: sql-cards/ipRules/migration-2026-09 (azure/paas.json:214): remove it"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the summary lacks %q", want)
		}
	}
}

// A leg of a data flow goes one way: the direct one where there is one, whatever detours the estate has beside it. What is not known
// names the missing fact.
func TestDataFlowsGoOneWay(t *testing.T) {
	var stdout bytes.Buffer
	if code := run([]string{"ringfence", "verify", "--no-changes", "--format", "json", "../../examples/aks-pci-broken"}, strings.NewReader(""), &stdout, io.Discard); code != exitFail {
		t.Fatalf("exit %d", code)
	}
	var r struct {
		DataFlows []struct {
			Legs []struct {
				From, To, Verdict, Reason string
				Via                       []string
			}
		}
	}
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	via := map[string][]string{}
	for _, f := range r.DataFlows {
		for _, l := range f.Legs {
			via[l.From+" to "+l.To] = l.Via
			if l.Verdict == "unknown" && !strings.HasPrefix(l.Reason, "ASM-E-FQDN: ") {
				t.Errorf("%s to %s: got %q, want the fact that is missing", l.From, l.To, l.Reason)
			}
		}
	}
	for leg, want := range map[string][]string{
		"frontdoor:afd-shop to appgw:agw": {}, "appgw:agw to pod:payments/web": {"pod:ingress-nginx/controller"}, "pod:payments/api to fqdn:api.psp.example": {"firewall:fw-hub"},
	} {
		if got, ok := via[leg]; !ok || !slices.Equal(got, want) {
			t.Errorf("%s: got via %v, want %v", leg, got, want)
		}
	}
}

// Two runs give the same bytes, in every format.
func TestSameBytes(t *testing.T) {
	formats := []string{"json", "junit", "sarif", "html"}
	var runs [2]map[string]string
	for i := range runs {
		dir := t.TempDir()
		args := []string{"ringfence", "verify"}
		for _, f := range formats {
			args = append(args, "--format", f+"="+filepath.Join(dir, f))
		}
		var stdout bytes.Buffer
		if code := run(append(args, "../../examples/aks-pci-broken"), strings.NewReader(""), &stdout, io.Discard); code != exitFail {
			t.Fatalf("exit %d", code)
		}
		runs[i] = map[string]string{"text": stdout.String()}
		for _, f := range formats {
			data, err := os.ReadFile(filepath.Join(dir, f))
			if err != nil {
				t.Fatal(err)
			}
			runs[i][f] = string(data)
		}
	}
	for f, text := range runs[0] {
		if runs[1][f] != text {
			t.Errorf("%s: two runs differ", f)
		}
	}
}

// BenchmarkVerifyExample is the whole of `verify --out`: import, solve, assertions, diagrams, reports.
func BenchmarkVerifyExample(b *testing.B) {
	dir := b.TempDir()
	b.ReportAllocs()
	for b.Loop() {
		if code := run([]string{"ringfence", "verify", "--out", dir, "../../examples/aks-pci"}, strings.NewReader(""), io.Discard, io.Discard); code != exitOK {
			b.Fatal("exit", code)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/1e6, "MB-from-OS")
}
