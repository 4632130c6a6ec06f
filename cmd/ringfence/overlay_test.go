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
	for _, overlays := range [][]string{{added}, {replaced}, {open}, {open, added}, {route}, {bare}} {
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
		{file(t, "x.json", `{"id": "`+shopNetwork+`networkSecurityGroups/nsg-db/defaultSecurityRules/DenyAllInBound", "properties": {}}`), "x.json:1: nsg-db/DenyAllInBound: id: found `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-shop/providers/Microsoft.Network/networkSecurityGroups/nsg-db/defaultSecurityRules/DenyAllInBound`, want the whole of nsg-db: over a snapshot, its defaultSecurityRules are not taken alone, or the project's sources in place of its snapshot"},
		{file(t, "x.json", rule("nsg-gone", "Stop", "100", "Deny", "*", "*")), "want a part of a resource that the input holds: nsg-gone is in none of its files"},
		{file(t, "x.json", rule("nsg-db", "Stop", "100", "Deny", "*", "*")), "priority"},
		{file(t, "x.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: \"x:1\"}]}\n"), "the input holds no Kubernetes manifests to lay it over"},
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

// Resources and objects of many kinds over an estate and over its snapshot: what a snapshot of either holds is the same to the byte, and so are
// the answers. The other side of the example is left out, and the files beside it: a snapshot holds the side that is judged.
func TestOverlayOfSnapshot(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/aks-pci")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "ringfence.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "  - azure: deployed/azure.json\n")
	_, after, _ := strings.Cut(rest, "    side: deployed\n\n")
	if err := os.WriteFile(filepath.Join(dir, "ringfence.yaml"), []byte(before+after[strings.Index(after, "\nzones:"):]), 0o600); err != nil {
		t.Fatal(err)
	}
	snap := filepath.Join(t.TempDir(), "s.json.gz")
	if code, _, stderr := call(t, "import", "-o", snap, dir); code != exitOK {
		t.Fatal(stderr)
	}
	both := func(name string, args ...string) {
		t.Helper()
		wantCode, want, wantErr := call(t, append(args, dir)...)
		code, got, gotErr := call(t, append(args, snap)...)
		if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" || code != wantCode || code == exitBad {
			t.Errorf("%s: exit %d from the snapshot, %d from the sources; (-sources +snapshot):\n%s%s%s", name, code, wantCode, diff, wantErr, gotErr)
		}
	}
	const rg = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-spoke/providers/"
	vnet := func(name, properties string) string {
		return `{"id": "` + rg + `Microsoft.Network/` + name + `", "properties": ` + properties + `}`
	}
	var every []string
	for _, tt := range []struct{ kind, name, text string }{
		{"subnet", "x.json", vnet("virtualNetworks/vnet-spoke/subnets/snet-new", `{"addressPrefix": "10.240.252.0/24"}`)},
		{"peering", "x.json", vnet("virtualNetworks/vnet-spoke/virtualNetworkPeerings/peer-new", `{"remoteVirtualNetwork": {"id": "`+rg+`Microsoft.Network/virtualNetworks/vnet-new"}, "peeringState": "Connected"}`)},
		{"VNet", "x.json", vnet("virtualNetworks/vnet-new", `{"addressSpace": {"addressPrefixes": ["10.77.0.0/16"]}, "subnets": [{"name": "a", "properties": {"addressPrefix": "10.77.1.0/24", "natGateway": {"id": "`+rg+`Microsoft.Network/natGateways/ng-new"}}}]}`)},
		{"NIC", "x.json", vnet("networkInterfaces/nic-new", `{"ipConfigurations": [{"name": "c", "properties": {"privateIPAddress": "10.77.1.4", "subnet": {"id": "`+rg+`Microsoft.Network/virtualNetworks/vnet-new/subnets/a"}, "publicIPAddress": {"id": "`+rg+`Microsoft.Network/publicIPAddresses/pip-new"}}}]}`)},
		{"public address", "x.json", vnet("publicIPAddresses/pip-new", `{"publicIPAllocationMethod": "Static", "ipAddress": "20.50.60.70"}`)},
		{"NAT gateway", "x.json", vnet("natGateways/ng-new", `{"publicIpAddresses": [{"id": "`+rg+`Microsoft.Network/publicIPAddresses/pip-nat"}]}`)},
		{"load balancer", "x.json", vnet("loadBalancers/lb-new", `{"frontendIPConfigurations": [{"name": "f", "properties": {"privateIPAddress": "10.77.1.9", "subnet": {"id": "`+rg+`Microsoft.Network/virtualNetworks/vnet-new/subnets/a"}}}], "backendAddressPools": [{"name": "p", "properties": {"backendIPConfigurations": [{"id": "`+rg+`Microsoft.Network/networkInterfaces/nic-new/ipConfigurations/c"}]}}]}`)},
		{"private endpoint", "x.json", vnet("privateEndpoints/pe-new", `{"subnet": {"id": "`+rg+`Microsoft.Network/virtualNetworks/vnet-new/subnets/a"}, "privateLinkServiceConnections": [{"name": "c", "properties": {"privateLinkServiceId": "`+rg+`Microsoft.KeyVault/vaults/kv-new", "groupIds": ["vault"]}}]}`)},
		{"key vault", "x.json", `{"id": "` + rg + `Microsoft.KeyVault/vaults/kv-new", "properties": {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "20.1.2.3"}]}}}`},
		{"storage account", "x.json", `{"id": "` + rg + `Microsoft.Storage/storageAccounts/stnew", "properties": {"networkAcls": {"defaultAction": "Allow"}}}`},
		{"registry", "x.json", `{"id": "` + rg + `Microsoft.ContainerRegistry/registries/acrnew", "properties": {"publicNetworkAccess": "Disabled"}}`},
		{"SQL server", "x.json", `{"id": "` + rg + `Microsoft.Sql/servers/sqlnew", "properties": {"firewallRules": [], "virtualNetworkRules": []}}`},
		{"virtual machine", "x.json", `{"id": "` + rg + `Microsoft.Compute/virtualMachines/vm-new", "properties": {"networkProfile": {"networkInterfaces": [{"id": "` + rg + `Microsoft.Network/networkInterfaces/nic-new"}]}}}`},
		{"Namespace", "x.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {new: label}}\n"},
		{"Service", "x.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: new, namespace: shop}\nspec: {selector: {app: new}, ports: [{port: 80}]}\n"},
		{"Pod", "x.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: new, namespace: shop, labels: {app: new}}\nspec: {containers: [{name: c, image: \"x:1\"}]}\n"},
		{"Deployment", "x.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: new, namespace: newer}\nspec: {selector: {matchLabels: {app: d}}, template: {metadata: {labels: {app: d}}, spec: {containers: [{name: c, image: \"x:1\"}]}}}\n"},
		{"StatefulSet", "x.yaml", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: new, namespace: shop}\nspec: {selector: {matchLabels: {app: s}}, template: {metadata: {labels: {app: s}}, spec: {containers: [{name: c, image: \"x:1\"}]}}}\n"},
		{"CronJob", "x.yaml", "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: new, namespace: shop}\nspec: {schedule: \"* * * * *\", jobTemplate: {spec: {template: {metadata: {labels: {app: j}}, spec: {restartPolicy: Never, containers: [{name: c, image: \"x:1\"}]}}}}}\n"},
		{"Ingress", "x.yaml", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: new, namespace: shop}\nspec: {defaultBackend: {service: {name: new, port: {number: 80}}}}\n"},
	} {
		over := file(t, strings.ReplaceAll(tt.kind, " ", "-")+tt.name, tt.text)
		every = append(every, "--overlay", over)
		both(tt.kind, "import", "--overlay", over)
	}
	both("all of them", append([]string{"verify", "--format", "json"}, every...)...)
}
