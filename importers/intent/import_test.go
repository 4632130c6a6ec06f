package intent

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
)

// places finds facts in a file by their text, so that the wanted Source of a fact is what a reader of the file would point at.
type places struct {
	t    *testing.T
	file string
	text string
}

func (p places) at(marker, path string) model.Source {
	p.t.Helper()
	before, _, ok := strings.Cut(p.text, marker)
	if !ok || strings.Contains(p.text[len(before)+1:], marker) {
		p.t.Fatalf("the marker %q does not stand in %s exactly once", marker, p.file)
	}
	return model.Source{File: p.file, Line: 1 + strings.Count(before, "\n"), Path: path}
}

// sel is a selector that stands on the line of the marker.
func (p places) sel(text, marker, path string) model.Selector {
	p.t.Helper()
	s, err := model.ParseSelector(text)
	if err != nil {
		p.t.Fatal(err)
	}
	s.Source = p.at(marker, path)
	return s
}

func service(t *testing.T, text string) model.PortService {
	t.Helper()
	s, err := model.ParsePortService(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func day(t *testing.T, text string) model.Date {
	t.Helper()
	d, err := model.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func comparers() cmp.Options { return cmp.Options{cmpopts.EquateComparable(netip.Prefix{})} }

func read(t *testing.T, dir string) (*File, places) {
	t.Helper()
	data, err := os.ReadFile(dir + "/ringfence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Import(os.DirFS(dir), "ringfence.yaml")
	if err != nil {
		t.Fatalf("%s is not accepted:\n%v", dir, err)
	}
	return got, places{t, "ringfence.yaml", string(data)}
}

// The file that uses every key becomes the model field by field, in the order of the file, with the place of each fact.
func TestImportReadsEveryField(t *testing.T) {
	got, p := read(t, "testdata/full")
	tcp := func(ports string) []model.PortService { return []model.PortService{service(t, "tcp/"+ports)} }
	wantInputs := []Input{
		{Source: p.at("- azure:", "inputs[0]"), Kind: InputAzure, Paths: []string{"azure/**/*.json"}, Side: "deployed"},
		{
			Source: p.at("- arm:", "inputs[1]"), Kind: InputARM, Paths: []string{"infra/hub.json", "infra/spoke.json"},
			Parameters: []string{"infra/prod.parameters.json"},
			Scope: Scope{
				Source: p.at("scope: {", "inputs[1].scope"), Subscription: "00000000-0000-0000-0000-000000000001", ResourceGroup: "rg-spoke",
				Location: "westeurope",
			},
		},
		{Source: p.at("- terraform:", "inputs[2]"), Kind: InputTerraform, Paths: []string{"plan.json"}, Side: "before"},
		{
			Source: p.at("- kubernetes:", "inputs[3]"), Kind: InputKubernetes, Paths: []string{"manifests/", "flux/overlays/prod"},
			Cluster: "aks-prod", Engine: "cilium",
		},
		{Source: p.at("- serviceTags:", "inputs[4]"), Kind: InputServiceTags, Paths: []string{"ServiceTags_Public.json"}},
		{Source: p.at("- snapshot:", "inputs[5]"), Kind: InputSnapshot, Paths: []string{"evidence/live.snapshot.json.gz"}},
	}
	want := model.Intent{
		Source:    p.at("ringfence: v1", ""),
		Name:      "payments on AKS",
		AsOf:      model.Date{Year: 2026, Month: 11, Day: 1},
		Standard:  "pci-dss-4.0.1",
		Judge:     "desired",
		TrustMesh: true,
		Zones: []model.Zone{
			{
				Name: "wireless", Source: p.at("  wireless:\n", "zones.wireless"), Kind: model.ZoneWireless, Owner: "Campus IT",
				Roles: model.Roles{Approves: "Security board", Changes: "Network team"},
				Members: []model.Selector{
					p.sel("cidr:10.90.0.0/16", `members: ["cidr:10.90`, "zones.wireless.members[0]"),
					p.sel("not:cidr:10.90.7.0/24", `members: ["cidr:10.90`, "zones.wireless.members[1]"),
				},
				Behind:          new(p.sel("gateway:vgw-hub", "behind:", "zones.wireless.behind")),
				PublicAddresses: []netip.Prefix{netip.MustParsePrefix("203.0.113.16/28"), netip.MustParsePrefix("2001:db8::1/128")},
			},
			{
				Name: "cde", Source: p.at("  cde: {", "zones.cde"), Kind: model.ZoneCDE,
				Members: []model.Selector{p.sel("ns:aks-prod/payments", "  cde: {", "zones.cde.members")},
			},
			{
				Name: "dmz", Source: p.at("  dmz: {", "zones.dmz"), Kind: model.ZoneDMZ,
				Members: []model.Selector{p.sel("subnet:vnet-spoke/snet-appgw", "  dmz: {", "zones.dmz.members[0]")},
			},
		},
		None: []model.NoneStatement{{
			What: "vpn", Source: p.at("  vpn: {", "none.vpn"), By: "Campus IT", On: day(t, "2026-10-05"),
			Reason: "administration by Bastion only", Expires: day(t, "2027-10-05"),
		}},
		Assertions: []model.Assertion{
			{
				ID: "wireless-isolated", Source: p.at("- id: wireless-isolated", "assertions[0]"), Verb: model.VerbDeny,
				From: []model.Selector{p.sel("zone:wireless", "deny: {", "assertions[0].deny.from")},
				To: []model.Selector{
					p.sel("zone:cde", "deny: {", "assertions[0].deny.to[0]"),
					p.sel("not:pod:payments/web", "deny: {", "assertions[0].deny.to[1]"),
				},
				Services: tcp("22"), DirectOnly: true, Requirement: "1.2.3-a",
			},
			{
				ID: "only-https", Source: p.at("- id: only-https", "assertions[1]"), Verb: model.VerbOnly,
				From:     []model.Selector{p.sel("internet", "only: {", "assertions[1].only.from")},
				To:       []model.Selector{p.sel("zone:dmz", "only: {", "assertions[1].only.to")},
				Services: tcp("443"),
			},
			{
				ID: "api-reaches-vault", Source: p.at("- id: api-reaches-vault", "assertions[2]"), Verb: model.VerbMust,
				From:     []model.Selector{p.sel("pod:payments/api", "must: {", "assertions[2].must.from")},
				To:       []model.Selector{p.sel("service:kv-cards", "must: {", "assertions[2].must.to")},
				Services: append(tcp("443"), tcp("1433/50000")...),
			},
			{
				ID: "egress-through-firewall", Source: p.at("- id: egress-through-firewall", "assertions[3]"), Verb: model.VerbThrough,
				From:     []model.Selector{p.sel("zone:cde", "      from: zone:cde", "assertions[3].through.from")},
				To:       []model.Selector{p.sel("internet", "      to: internet", "assertions[3].through.to")},
				Services: []model.PortService{{}},
				Via:      []model.Selector{p.sel("firewall:fw-hub", "      via: ", "assertions[3].through.via")},
				Except: []model.Waiver{
					{
						Source: p.at("- {to: ", "assertions[3].except[0]"),
						To:     []model.Selector{p.sel("tag:AzureMonitor", "- {to: ", "assertions[3].except[0].to")},
						Owner:  "Platform", Reason: "agent has no proxy support", Expires: day(t, "2026-12-31"),
					},
					{
						Source:   p.at("- from: pod:payments/batch", "assertions[3].except[1]"),
						From:     []model.Selector{p.sel("pod:payments/batch", "- from: pod", "assertions[3].except[1].from")},
						Services: []model.PortService{service(t, "udp/123")},
						Owner:    "Payments", Reason: "clock", Expires: day(t, "2027-01-31"),
					},
				},
			},
		},
		DataFlows: []model.DataFlow{{
			Name: "card capture", Source: p.at("- name: card capture", "dataFlows[0]"), Data: []string{"PAN", "expiry", "CVV"},
			From: p.sel("internet", "    from: internet", "dataFlows[0].from"),
			Path: []model.Selector{
				p.sel("appgw:agw", "    path: ", "dataFlows[0].path[0]"),
				p.sel("pod:payments/web", "    path: ", "dataFlows[0].path[1]"),
				p.sel("service:sql-cards", "    path: ", "dataFlows[0].path[2]"),
			},
			Service: service(t, "tcp/443"), InTransit: "TLS 1.2, end to end", AtRest: "TDE",
		}},
		Stores: []model.Store{{
			Source: p.at("- {at: ", "stores[0]"), At: p.sel("service:sql-cards", "- {at: ", "stores[0].at"), Data: []string{"PAN"},
			AtRest: "TDE with a customer-managed key",
		}},
		Justifications: []model.Justification{{
			Source: p.at("- rules: ", "justifications[0]"),
			Rules:  []string{"nsg:nsg-inscope/AllowAgwIn", "policy:aks-prod/payments/web/ingress[0]"},
			Reason: "the WAF forwards card traffic\nto the ingress controller\n", Owner: "Payments", ApprovedBy: "Security board",
			Ticket: "CHG-1042", Expires: day(t, "2027-03-31"), JIT: true, SecurityFeatures: []string{"mtls", "monitored"},
			Allows: &model.Allowed{
				From:     []model.Selector{p.sel("subnet:vnet-spoke/snet-appgw", "allows: {", "justifications[0].allows.from")},
				To:       []model.Selector{p.sel("zone:cde", "allows: {", "justifications[0].allows.to")},
				Services: tcp("443"),
			},
		}},
		Reviews: []model.Review{{
			Source: p.at("- ruleSets: ", "reviews[0]"), RuleSets: []string{"nsg:*", "waf:*"}, By: "J. Auditor", On: day(t, "2026-08-20"),
			Actions: "none", Snapshot: "evidence/2026-08-20.snapshot.json.gz", Procedure: "https://wiki.example/firewall-review",
			Ticket: "CHG-1100",
		}},
		Attestations: []model.Attestation{{
			Source: p.at("- {item: ", "attestations[0]"), Item: "1.5-c", By: "Head of Security", On: day(t, "2026-09-01"),
			Expires: day(t, "2028-09-01"), Evidence: "https://wiki.example/training", Reason: "trained",
		}},
		Owners: []model.OwnerEntry{{
			Source: p.at("- {controls: ", "owners[0]"), Controls: []string{"firewall-policy:*", "waf:*"}, Owner: "Network team",
			Roles: model.Roles{Approves: "Security board", Changes: "Network team"},
		}},
		Documents: model.Documents{
			Source: p.at("documents:\n", "documents"), Network: "docs/network.svg", DataFlow: "docs/dataflow.svg", Zones: "docs/zones.md",
			Rules: "docs/rules.md", Endpoints: "docs/endpoints.md", Pipelines: []string{".github/workflows/network.yml"},
		},
		PCI: model.PCI{
			Source:    p.at("pci:\n", "pci"),
			JumpBoxes: []model.Selector{p.sel("subnet:vnet-spoke/snet-jump", "  jumpBoxes: ", "pci.jumpBoxes")},
			Proxies: []model.Selector{
				p.sel("ip:10.1.9.4", "  proxies: ", "pci.proxies[0]"), p.sel("not:ip:10.1.9.5", "  proxies: ", "pci.proxies[1]"),
			},
			ProxiesSet: true,
			IngressRouters: []model.Selector{
				p.sel("vm:nginx-1", "  ingressRouters: ", "pci.ingressRouters[0]"), p.sel("vm:nginx-2", "  ingressRouters: ", "pci.ingressRouters[1]"),
			},
			Firewalls:  []model.Selector{p.sel("vm:nva-1", "  firewalls: ", "pci.firewalls[0]")},
			Appliances: []model.Selector{p.sel("nic:nva-1-nic", "  appliances: ", "pci.appliances")},
			ExemptNamespaces: model.ExemptNamespaces{
				Cluster: "aks-prod",
				Add: []model.ExemptNamespace{{
					Name: "cluster-baseline-settings", Owner: "Platform", Reason: "no pods", Expires: day(t, "2027-03-31"),
					Source: p.at("    add: [", "pci.exemptNamespaces.add[0]"),
				}},
			},
			AllowedPorts:    []model.PortRange{{First: 443, Last: 443}, {First: 8000, Last: 8100}, {First: 8443, Last: 8443}},
			AllowedPortsSet: true,
			Monitoring: []model.Monitoring{{
				Source:   p.at("  monitoring: ", "pci.monitoring[0]"),
				From:     []model.Selector{p.sel("ns:kube-system", "  monitoring: ", "pci.monitoring[0].from")},
				To:       []model.Selector{p.sel("service:ampls", "  monitoring: ", "pci.monitoring[0].to")},
				Services: tcp("443"),
			}},
			AuthorizedNodes: []model.Selector{p.sel("subnet:vnet-spoke/snet-agents", "  authorizedSources: ", "pci.authorizedSources.nodes")},
			AuthorizedAPI:   []model.Selector{p.sel("subnet:vnet-spoke/snet-agents", "  authorizedSources: ", "pci.authorizedSources.api[0]")},
			AuthorizedSet:   true,
			Emergency: []model.EmergencyAccess{{
				Source:   p.at("INC-77", "pci.emergencyAccess[0]"),
				From:     []model.Selector{p.sel("subnet:vnet-spoke/snet-jump", "INC-77", "pci.emergencyAccess[0].from")},
				To:       []model.Selector{p.sel("nodepool:aks-prod/np", "INC-77", "pci.emergencyAccess[0].to")},
				Services: tcp("22"), ApprovedBy: "Security board", Reason: "INC-77", Expires: day(t, "2026-11-03"),
			}},
			NetworkAdmins: []model.NetworkAdmin{{
				Source: p.at("- {principal: ", "pci.networkAdmins[0]"), Principal: "00000000-0000-0000-0000-00000000000a", Name: "grp-network", Role: "changes",
			}},
			NodeEgress:       []model.PortService{service(t, "tcp/443"), service(t, "udp/123")},
			DefaultDenyDNS:   model.Off,
			PublicIPSubnets:  []model.Selector{p.sel("subnet:vnet-hub/snet-edge", "  publicIPSubnets: ", "pci.publicIPSubnets[0]")},
			LogRetentionDays: 400,
		},
	}
	if diff := cmp.Diff(got.Intent, want, comparers()); diff != "" {
		t.Errorf("the intent of testdata/full (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(got.Inputs, wantInputs); diff != "" {
		t.Errorf("the inputs of testdata/full (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(got.Paths, []string{"ringfence.yaml"}); diff != "" {
		t.Errorf("the files read (-got +want):\n%s", diff)
	}
}

// An empty list says something that a missing one does not.
func TestImportTellsNothingFromSilence(t *testing.T) {
	got, p := read(t, "testdata/nothing")
	var what []string
	for _, n := range got.Intent.None {
		what = append(what, n.What+" "+n.On.String()+" "+n.Source.String())
	}
	want := []string{
		"clusters 2026-10-01 ringfence.yaml:7", "ingress 2026-10-02 ringfence.yaml:8", "proxies 2026-10-03 ringfence.yaml:9",
		"onPrem 2026-10-04 ringfence.yaml:10", "vpn 2026-10-05 ringfence.yaml:11", "monitoring 2026-10-06 ringfence.yaml:12",
		"jumpBoxes 2026-10-07 ringfence.yaml:13", "stores 2026-10-08 ringfence.yaml:14", "wireless 2026-10-09 ringfence.yaml:15",
	}
	if diff := cmp.Diff(what, want); diff != "" {
		t.Errorf("statements (-got +want):\n%s", diff)
	}
	wantPCI := model.PCI{
		Source: p.at("pci:\n", "pci"), ProxiesSet: true, AllowedPortsSet: true, AuthorizedSet: true,
		ExemptNamespaces: model.ExemptNamespaces{OnlySet: true, Only: []model.ExemptNamespace{
			{Name: "kube-system", Source: p.at("- kube-system", "pci.exemptNamespaces.only[0]")},
			{
				Name: "cluster-baseline-settings", Owner: "Platform", Reason: "no pods", Expires: day(t, "2027-03-31"),
				Source: p.at("- {name: cluster-baseline-settings", "pci.exemptNamespaces.only[1]"),
			},
		}},
	}
	if diff := cmp.Diff(got.Intent.PCI, wantPCI); diff != "" {
		t.Errorf("pci (-got +want):\n%s", diff)
	}
	silent, err := Import(fstest.MapFS{"ringfence.yaml": file("ringfence: v1\n")}, "ringfence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(silent.Intent, model.Intent{Source: model.Source{File: "ringfence.yaml", Line: 1}}); diff != "" {
		t.Errorf("a file that states nothing (-got +want):\n%s", diff)
	}
}

// The example of the documentation is a file that the reader accepts.
func TestImportReadsTheDocumentedExample(t *testing.T) {
	got, err := Import(fstest.MapFS{"ringfence.yaml": file(documented(t))}, "ringfence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	in := got.Intent
	if len(got.Inputs) != 6 || len(in.Zones) != 6 || len(in.Assertions) != 4 || len(in.Justifications) != 1 || len(in.PCI.JumpBoxes) != 1 {
		t.Errorf("got %d inputs, %d zones, %d assertions, %d justifications, %d jump boxes; want 6, 6, 4, 1, 1",
			len(got.Inputs), len(in.Zones), len(in.Assertions), len(in.Justifications), len(in.PCI.JumpBoxes))
	}
}

func documented(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/intent.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("docs/intent.md has no yaml example")
	}
	return example
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

// Parts in ringfence.d come after the main file in the order of their names; each fact keeps the file that states it.
func TestImportMergesParts(t *testing.T) {
	fsys := fstest.MapFS{
		"shop/ringfence.yaml": file(`ringfence: v1
inputs: [{azure: azure/*.json}]
zones: {dmz: {kind: dmz, members: "vnet:hub"}}
documents: {network: docs/network.svg, pipelines: [a.yml]}
pci: {jumpBoxes: ["vm:jump"], exemptNamespaces: {cluster: aks}, authorizedSources: {nodes: "vm:a"}}
`),
		"shop/ringfence.d/b-payments.yaml": file(`ringfence: v1
zones: {cde: {kind: cde, members: "ns:payments"}}
assertions: [{id: closed, deny: {from: internet, to: "zone:cde"}}]
documents: {zones: docs/zones.md, pipelines: b.yml}
pci: {logRetentionDays: 500, exemptNamespaces: {add: [{name: x, owner: o, reason: r, expires: 2027-01-01}]}, authorizedSources: {nodes: ["vm:b"]}}
`),
		"shop/ringfence.d/a-platform.yaml": file(`# no version: the main file has it
asOf: 2026-11-01
assertions: [{id: open, must: {from: "zone:dmz", to: "zone:cde", services: tcp/443}}]
inputs: [{kubernetes: manifests}]
`),
		"shop/ringfence.d/README.md":         file("not read"),
		"shop/ringfence.d/old/stale.yaml":    file("not read"),
		"other/ringfence.d/not-beside-.yaml": file("not read"),
	}
	got, err := Import(fsys, "shop/ringfence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.Paths, []string{"shop/ringfence.yaml", "shop/ringfence.d/a-platform.yaml", "shop/ringfence.d/b-payments.yaml"}); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
	var facts []string
	for _, in := range got.Inputs {
		facts = append(facts, fmt.Sprint(in.Kind, " ", in.Source))
	}
	for _, z := range got.Intent.Zones {
		facts = append(facts, fmt.Sprint(z.Name, " ", z.Source))
	}
	for _, a := range got.Intent.Assertions {
		facts = append(facts, fmt.Sprint(a.ID, " ", a.Source, " ", a.Source.Path))
	}
	d, p := got.Intent.Documents, got.Intent.PCI
	facts = append(facts, fmt.Sprint(got.Intent.AsOf, " ", got.Intent.Source), fmt.Sprint(d.Network, " ", d.Zones, " ", d.Pipelines, " ", d.Source))
	facts = append(facts, fmt.Sprint(p.JumpBoxes, " ", p.LogRetentionDays, " ", p.ExemptNamespaces.Cluster, " ", p.ExemptNamespaces.Add[0].Source, " ", p.AuthorizedNodes))
	want := []string{
		"azure shop/ringfence.yaml:2",
		"kubernetes shop/ringfence.d/a-platform.yaml:4",
		"dmz shop/ringfence.yaml:3",
		"cde shop/ringfence.d/b-payments.yaml:2",
		"open shop/ringfence.d/a-platform.yaml:3 assertions[0]",
		"closed shop/ringfence.d/b-payments.yaml:3 assertions[0]",
		"2026-11-01 shop/ringfence.yaml:1",
		"docs/network.svg docs/zones.md [a.yml b.yml] shop/ringfence.yaml:4",
		"[vm:jump] 500 aks shop/ringfence.d/b-payments.yaml:5 [vm:a vm:b]",
	}
	if diff := cmp.Diff(facts, want); diff != "" {
		t.Errorf("facts (-got +want):\n%s", diff)
	}
}

// What stands twice is an error that names both places; errors of all files come together.
func TestImportRefusesContradictingParts(t *testing.T) {
	fsys := fstest.MapFS{
		"ringfence.yaml": file(`ringfence: v1
name: shop
zones: {cde: {kind: cde, members: "ns:payments"}}
none: {vpn: {by: x, on: 2026-01-01, reason: y}}
assertions: [{id: closed, deny: {from: internet, to: "zone:cde"}}]
dataFlows: [{name: capture, data: PAN, from: internet, path: "appgw:a", service: tcp/443}]
documents: {network: a.svg}
pci: {logRetentionDays: 400, defaultDeny: {allowDNS: true}, exemptNamespaces: {cluster: a, add: [{name: x, owner: o, reason: r, expires: 2027-01-01}]}}
`),
		"ringfence.d/a.yaml": file(`name: shop
zones:
  dmz: {kind: dmz, members: "vnet:hub"}
  cde: {kind: cde, members: "ns:cards"}
none: {vpn: {by: z, on: 2026-01-01, reason: y}}
assertions:
  - {id: open, must: {from: internet, to: "zone:dmz", services: tcp/443}}
  - {id: closed, deny: {from: internet, to: "zone:dmz"}}
dataFlows: [{name: capture, data: PAN, from: internet, path: "appgw:a", service: tcp/443}]
documents: {network: a.svg}
pci: {logRetentionDays: 400, defaultDeny: {allowDNS: true}, exemptNamespaces: {cluster: a, only: []}}
`),
		"ringfence.d/b.yaml": file("ringfence: v2\nnonsense: here\n"),
		"ringfence.d/c.yml":  file("name: x\n"),
		"ringfence.d/d.yaml": file("a: [\n"),
	}
	_, err := Import(fsys, "ringfence.yaml")
	want := "ringfence.d/a.yaml:1: name: stands here twice, first at ringfence.yaml:2\n" +
		"ringfence.d/a.yaml:4: zones.cde: stands here twice, first at ringfence.yaml:3\n" +
		"ringfence.d/a.yaml:5: none.vpn: stands here twice, first at ringfence.yaml:4\n" +
		"ringfence.d/a.yaml:8: assertions[1].id: found `closed`, want an id that no other assertion has (ringfence.yaml:5 has it)\n" +
		"ringfence.d/a.yaml:9: dataFlows[0].name: found `capture`, want a name that no other data flow has (ringfence.yaml:6 has it)\n" +
		"ringfence.d/a.yaml:10: documents.network: stands here twice, first at ringfence.yaml:7\n" +
		"ringfence.d/a.yaml:11: pci.defaultDeny.allowDNS: stands here twice, first at ringfence.yaml:8\n" +
		"ringfence.d/a.yaml:11: pci.exemptNamespaces.cluster: stands here twice, first at ringfence.yaml:8\n" +
		"ringfence.d/a.yaml:11: pci.logRetentionDays: stands here twice, first at ringfence.yaml:8\n" +
		"ringfence.d/b.yaml:1: ringfence: found `v2`, want v1, the one version of the file that this program reads\n" +
		"ringfence.d/c.yml: would not be read: files of ringfence.d end in .yaml\n" +
		"ringfence.d/d.yaml:2: is no valid YAML: did not find expected node content\n" +
		"ringfence.yaml:8: pci.exemptNamespaces.add[0]: `add` extends the list that `only` replaces: want one of them"
	if diff := cmp.Diff(fmt.Sprint(err), want); diff != "" {
		t.Errorf("errors (-got +want):\n%s", diff)
	}
	onlyInputErrors(t, err)
}

// onlyInputErrors checks that each error has a place.
func onlyInputErrors(t *testing.T, err error) {
	t.Helper()
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("got %T, want a list of errors", err)
	}
	for _, e := range joined.Unwrap() {
		if in, ok := errors.AsType[*model.InputError](e); !ok || in.Source.File == "" {
			t.Errorf("got %T %v, want an InputError with a file", e, e)
		}
	}
}

func TestImportSaysWhatCannotBeRead(t *testing.T) {
	_, err := Import(fstest.MapFS{}, "ringfence.yaml")
	if want := "ringfence.yaml: cannot be read: file does not exist"; fmt.Sprint(err) != want || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = Import(fstest.MapFS{"ringfence.yaml": file("ringfence: v1\n"), "ringfence.d": file("a file")}, "ringfence.yaml")
	if want := "ringfence.d: cannot be read: "; !strings.HasPrefix(fmt.Sprint(err), want) { // the rest is the file system's
		t.Errorf("got %v, want %s…", err, want)
	}
	_, err = Import(fstest.MapFS{"ringfence.yaml": file("ringfence: v1\n"), "ringfence.d/x.yaml/y": file("")}, "ringfence.yaml")
	if want := "ringfence.d/x.yaml: cannot be read: "; !strings.HasPrefix(fmt.Sprint(err), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
	_, err = Import(fstest.MapFS{"ringfence.yaml": file("ringfence: v1\n#" + strings.Repeat("x", maxBytes))}, "ringfence.yaml")
	if want := "ringfence.yaml: cannot be read: it is larger than 4 MiB"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	large := fstest.MapFS{"ringfence.yaml": file("ringfence: v1\n")}
	for i := range 6 {
		large[fmt.Sprintf("ringfence.d/%d.yaml", i)] = file("name: x" + "\n#" + strings.Repeat("x", maxBytes-100))
	}
	_, err = Import(large, "ringfence.yaml")
	want := "ringfence.d/1.yaml:1: name: stands here twice, first at ringfence.d/0.yaml:1\n" +
		"ringfence.d/2.yaml:1: name: stands here twice, first at ringfence.d/0.yaml:1\n" +
		"ringfence.d/3.yaml:1: name: stands here twice, first at ringfence.d/0.yaml:1\n" +
		"ringfence.d/4.yaml: is not read: the intent files together are larger than 16 MiB"
	if fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	many := fstest.MapFS{"ringfence.yaml": file("ringfence: v1\n")}
	for i := range maxFiles {
		many[fmt.Sprintf("ringfence.d/%03d.yaml", i)] = file("{}")
	}
	_, err = Import(many, "ringfence.yaml")
	if want := "ringfence.d: found `256`, want less than 256 files"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
