package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	// Over a snapshot of the project the answers are those of the sources, to the byte.
	snap := filepath.Join(t.TempDir(), "s.json")
	call(t, "import", "-o", snap, dir)
	route := file(t, "route.json", `{"id": "`+shopNetwork+`routeTables/rt-new", "type": "Microsoft.Network/routeTables", "properties": {"routes": [{"name": "all", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}}]}}`)
	for _, overlays := range [][]string{{added}, {replaced}, {open}, {open, added}, {route}} {
		args := []string{"verify", "--format", "json"}
		for _, o := range overlays {
			args = append(args, "--overlay", o)
		}
		wantCode, want, _ := call(t, append(args, dir)...)
		code, out, stderr := call(t, append(args, snap)...)
		if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(out, "\n")); diff != "" || code != wantCode || wantCode == exitBad {
			t.Errorf("%v: exit %d from the snapshot, %d from the sources; (-sources +snapshot):\n%s%s", overlays, code, wantCode, diff, stderr)
		}
	}
	if code, out, stderr := call(t, "reach", "-i", snap, "--overlay", added, "--from", "subnet:vnet-shop/web", "--to", "subnet:vnet-shop/db", "--service", "tcp/1433"); code != exitOK || !strings.HasPrefix(out, "UNREACHABLE") {
		t.Errorf("exit %d, %s%s", code, out, stderr)
	}
	for _, tt := range []struct{ overlay, want string }{
		{bare, "subnet.json:1: vnet-shop/db: type: found `Microsoft.Network/virtualNetworks/subnets`, want an NSG, a route table, a firewall policy or a group of its rules, an IP group, a security rule or a route: others lie over the project's sources alone, not over a snapshot"},
		{file(t, "x.json", rule("nsg-gone", "Stop", "100", "Deny", "*", "*")), "want a part of a resource that the input holds: nsg-gone is in none of its files"},
		{file(t, "x.json", rule("nsg-db", "Stop", "100", "Deny", "*", "*")), "priority"},
		{file(t, "x.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: \"x:1\"}]}\n"), "found `an object that is no policy`, want policies"},
	} {
		if code, _, stderr := call(t, "verify", "--overlay", tt.overlay, snap); code != exitBad || !strings.Contains(stderr, tt.want) {
			t.Errorf("exit %d, want %s\n%s", code, tt.want, stderr)
		}
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
	snap := filepath.Join(t.TempDir(), "s.json")
	call(t, "import", "-o", snap, "-i", base)
	if code, out, stderr := call(t, "reach", "-i", snap, "--overlay", over, "--from", "pod:a/web", "--to", "pod:a/db", "--service", "tcp/5432"); code != exitOK || !strings.HasPrefix(out, "UNREACHABLE") {
		t.Errorf("over a snapshot: exit %d\n%s%s", code, out, stderr)
	}
}
