package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
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
	for _, want := range []string{"FAIL  internet-not-to-data", "FAIL  wireless-isolated", "nsg-oos/securityRules/AllowBastionIn", "azure/nsgs.json:"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the summary lacks %q", want)
		}
	}
}

// Two runs give the same bytes, in every format.
func TestSameBytes(t *testing.T) {
	for _, format := range []string{"text", "json", "junit", "sarif", "html"} {
		var first string
		for i := range 2 {
			var stdout bytes.Buffer
			if code := run([]string{"ringfence", "verify", "--format", format, "../../examples/aks-pci-broken"}, strings.NewReader(""), &stdout, io.Discard); code != exitFail {
				t.Fatalf("%s: exit %d", format, code)
			}
			if i == 0 {
				first = stdout.String()
			} else if stdout.String() != first {
				t.Errorf("%s: two runs differ", format)
			}
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
