package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const shopNetwork = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-shop/providers/Microsoft.Network/"

func file(t *testing.T, name, text string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(out, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

func rule(nsg, name, priority, access, source, port string) string {
	return `{"id": "` + shopNetwork + `networkSecurityGroups/` + nsg + `/securityRules/` + name + `", "properties": {"priority": ` + priority + `, "direction": "Inbound", "access": "` + access +
		`", "protocol": "*", "sourceAddressPrefix": "` + source + `", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "` + port + `"}}`
}

// One rule, one NSG or one subnet stands over that of the project, or beside the others; nothing of the project is edited.
func TestOverlay(t *testing.T) {
	dir := shop(t)
	sql := []string{"--from", "zone:web", "--to", "zone:data", "--service", "tcp/1433"}
	ask := func(want string, args ...string) {
		t.Helper()
		code, out, stderr := call(t, append([]string{"reach"}, append(args, dir)...)...)
		if code != exitOK || !strings.HasPrefix(out, want) {
			t.Errorf("%v: exit %d, want %s\n%s%s", args, code, want, out, stderr)
		}
	}
	ask("REACHABLE", sql...)
	added := file(t, "deny.json", "["+rule("nsg-db", "Stop", "100", "Deny", "10.1.0.0/16", "*")+", "+rule("nsg-db", "AllowSql", "200", "Allow", "10.1.1.0/24", "1433")+"]")
	ask("UNREACHABLE", append([]string{"--overlay", added}, sql...)...)
	replaced := file(t, "replaced.json", rule("NSG-DB", "allowsql", "100", "Allow", "10.9.0.0/16", "1433"))
	ask("UNREACHABLE", append([]string{"--overlay", replaced}, sql...)...)
	open := file(t, "open.json", `{"id": "`+shopNetwork+`networkSecurityGroups/nsg-db", "type": "Microsoft.Network/networkSecurityGroups", "properties": {"securityRules": []}}`)
	ask("REACHABLE", "--overlay", open, "--from", "zone:web", "--to", "zone:data", "--service", "tcp/22")
	ask("UNREACHABLE", append([]string{"--overlay", open, "--overlay", added}, sql...)...)
	bare := file(t, "subnet.json", `{"id": "`+shopNetwork+`virtualNetworks/vnet-shop/subnets/db", "type": "Microsoft.Network/virtualNetworks/subnets", "properties": {"addressPrefix": "10.1.2.0/24"}}`)
	ask("REACHABLE", "--overlay", bare, "--from", "zone:web", "--to", "zone:data", "--service", "tcp/22")
	ask("REACHABLE", sql...)

	// verify and diff take it too; both sides of a diff lie under it.
	if code, out, _ := call(t, "verify", "--overlay", added, dir); code != exitFail || !strings.Contains(out, "nsg-db/securityRules/Stop") || !strings.Contains(out, "deny.json:1") {
		t.Errorf("exit %d, %s", code, out)
	}
	if code, out, _ := call(t, "diff", "--overlay", added, dir, dir); code != exitOK || !strings.Contains(out, "no flow differs") {
		t.Errorf("exit %d, %s", code, out)
	}

	for _, tt := range []struct{ overlay, want string }{
		{file(t, "x.json", rule("nsg-gone", "Stop", "100", "Deny", "*", "*")), "x.json:1: nsg-gone/Stop: id: found `" + shopNetwork + "networkSecurityGroups/nsg-gone/securityRules/Stop`, want a part of a resource that the input holds: nsg-gone is in none of its files"},
		{file(t, "x.json", rule("nsg-db", "Stop", "100", "Deny", "*", "*")), "priority"},
		{file(t, "x.json", `{"zones": 1}`), "found `neither of these`, want Azure resources as JSON, or Kubernetes manifests"},
		{filepath.Join(dir, "missing.json"), "missing.json: no such file"},
		{file(t, "x.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"), "the input holds no Kubernetes manifests to lay it over"},
	} {
		if code, _, stderr := call(t, "verify", "--overlay", tt.overlay, dir); code != exitBad || !strings.Contains(stderr, tt.want) {
			t.Errorf("exit %d, want %s\n%s", code, tt.want, stderr)
		}
	}
	snap := filepath.Join(t.TempDir(), "s.json")
	call(t, "import", "-o", snap, dir)
	if code, _, stderr := call(t, "verify", "--overlay", added, snap); code != exitBad || !strings.Contains(stderr, "an overlay lies over sources, not over a snapshot") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// A policy over those of the manifests.
func TestOverlayOfManifests(t *testing.T) {
	base := file(t, "base.yaml", `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a, labels: {app: web}}
spec: {containers: [{name: c, image: "x:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: a, labels: {app: db}}
spec: {containers: [{name: c, image: "x:1"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: a}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}
`)
	over := file(t, "base.yaml", `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: a}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
`)
	for _, tt := range []struct {
		want string
		args []string
	}{{"REACHABLE", nil}, {"UNREACHABLE", []string{"--overlay", over}}} {
		code, out, stderr := call(t, append(append([]string{"reach"}, tt.args...), "-i", base, "--from", "pod:a/web", "--to", "pod:a/db", "--service", "tcp/5432")...)
		if code != exitOK || !strings.HasPrefix(out, tt.want) {
			t.Errorf("exit %d, want %s\n%s%s", code, tt.want, out, stderr)
		}
	}
}
