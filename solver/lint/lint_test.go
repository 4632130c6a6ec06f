package lint

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/ringfence/ringfence/model"
)

// testCase is a small estate and the subjects of which it raises the finding id. A case without subjects is a near miss.
type testCase struct {
	id, name string
	build    func(b *builder)
	want     []string
	severity Severity // where it is not the usual one
}

func testCases() []testCase {
	return slices.Concat(nsgCases(), ruleCases(), managerCases(), adminCases(), routeCases(), wayCases(), peeringCases(), endpointCases(), firewallCases(), gatewayCases(), serviceCases(),
		aksCases(), nodesCases(), kubernetesCases(), publicCases(), effectiveCases())
}

func TestFindings(t *testing.T) {
	for _, test := range testCases() {
		t.Run(test.id+"/"+test.name, func(t *testing.T) {
			b := &builder{t: t}
			test.build(b)
			var got []string
			for _, f := range Check(b.project()) {
				if f.ID != test.id {
					continue
				}
				got = append(got, f.Subject)
				if want := severityOf(test); f.Severity != want {
					t.Errorf("severity of %s: got %s, want %s", f.Subject, f.Severity, want)
				}
				checkText(t, f)
			}
			if diff := cmp.Diff(got, test.want); diff != "" {
				t.Errorf("subjects of %s (-got +want):\n%s", test.id, diff)
			}
		})
	}
}

func severityOf(test testCase) Severity {
	if test.severity != "" {
		return test.severity
	}
	return checks()[slices.IndexFunc(checks(), func(c check) bool { return c.id == test.id })].severity
}

// checkText holds every finding to the form that reports rely on.
func checkText(t *testing.T, f Finding) {
	t.Helper()
	if f.Origin.IsZero() || f.Source != f.Origin.String() || f.Source == "-" {
		t.Errorf("%s of %s: source %q, origin %+v: want the place where it was read", f.ID, f.Subject, f.Source, f.Origin)
	}
	for name, text := range map[string]string{"text": f.Text, "remedy": f.Remedy} {
		switch {
		case !strings.HasSuffix(text, "."), strings.Contains(text, "  "), strings.Contains(text, "%!"), strings.Contains(text, ".."):
			t.Errorf("%s of %s: %s is no sentence: %q", f.ID, f.Subject, name, text)
		case strings.Contains(text, "nothing to nothing"), strings.Contains(text, "invalid"):
			t.Errorf("%s of %s: %s has a gap: %q", f.ID, f.Subject, name, text)
		}
	}
}

// TestCasesCoverChecks demands a case that raises each finding and one that nearly does.
func TestCasesCoverChecks(t *testing.T) {
	type seen struct{ raised, missed bool }
	found := map[string]seen{}
	for _, test := range testCases() {
		s := found[test.id]
		s.raised, s.missed = s.raised || len(test.want) > 0, s.missed || len(test.want) == 0
		found[test.id] = s
	}
	for _, c := range checks() {
		s := found[c.id]
		delete(found, c.id)
		if !s.raised {
			t.Errorf("no case raises %s", c.id)
		}
		if !s.missed {
			t.Errorf("no case nearly raises %s", c.id)
		}
	}
	for id := range found {
		t.Errorf("a case names %s, which no check has", id)
	}
}

// TestPages holds the checks and docs/findings together.
func TestPages(t *testing.T) {
	const folder = "../../docs/findings"
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(folder + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var pages, ids []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".md"); ok && name != "README" {
			pages = append(pages, name)
		}
	}
	for _, c := range Catalogue() {
		ids = append(ids, c.ID)
		page, err := os.ReadFile(folder + "/" + c.ID + ".md")
		if err != nil {
			t.Errorf("%s has no page: %v", c.ID, err)
			continue
		}
		text := string(page)
		if want := "# " + c.ID + "\n\n**" + string(c.Severity) + "**"; !strings.HasPrefix(text, want) {
			t.Errorf("%s.md does not begin with %q", c.ID, want)
		}
		for _, part := range []string{"## Why it matters", "## The rule", "## Example", "## How to mend it", "## What it does not say"} {
			if !strings.Contains(text, "\n"+part+"\n") {
				t.Errorf("%s.md has no section %q", c.ID, part)
			}
		}
		for _, test := range testCases() {
			if test.id == c.ID && test.severity != "" && !strings.Contains(text, "**"+string(test.severity)+"**") {
				t.Errorf("%s.md does not say that the finding may be a %s", c.ID, test.severity)
			}
		}
		checkExamples(t, c.ID, text)
		for _, part := range strings.Split(text, "](")[1:] {
			target, _, _ := strings.Cut(part, ")")
			if _, err := os.Stat(folder + "/" + target); err != nil {
				t.Errorf("%s.md links to %s: %v", c.ID, target, err)
			}
		}
		if !strings.Contains(string(index), "["+c.ID+"]("+c.ID+".md) | "+string(c.Severity)+" |") {
			t.Errorf("README.md does not list %s as %s", c.ID, c.Severity)
		}
	}
	slices.Sort(ids)
	slices.Sort(pages)
	if diff := cmp.Diff(pages, ids); diff != "" {
		t.Errorf("pages and IDs differ (-page +id):\n%s", diff)
	}
	if len(slices.Compact(ids)) != len(Catalogue()) {
		t.Error("an ID stands twice in the list of checks")
	}
}

// checkExamples demands that the examples of a page can be read: JSON, or YAML documents.
func checkExamples(t *testing.T, id, text string) {
	t.Helper()
	blocks := strings.Split(text, "\n```")
	if len(blocks) < 3 || len(blocks)%2 == 0 {
		t.Errorf("%s.md has no example, or one without an end", id)
	}
	for i := 1; i < len(blocks); i += 2 {
		lang, code, _ := strings.Cut(blocks[i], "\n")
		switch lang {
		case "json":
			if !json.Valid([]byte(code)) {
				t.Errorf("%s.md: the example is not JSON:\n%s", id, code)
			}
		case "yaml":
			d := yaml.NewDecoder(strings.NewReader(code))
			for {
				var v any
				err := d.Decode(&v)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Errorf("%s.md: the example is not YAML: %v\n%s", id, err, code)
					break
				}
			}
		default:
			t.Errorf("%s.md has an example in %q, want json or yaml", id, lang)
		}
	}
}

// TestPageRules demands that each rule which a page cites is in the specification.
func TestPageRules(t *testing.T) {
	var spec strings.Builder
	for _, name := range []string{"azure-network", "azure-edge-and-aks", "kubernetes"} {
		data, err := os.ReadFile("../../docs/semantics/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		spec.Write(data)
	}
	for _, c := range checks() {
		page, err := os.ReadFile("../../docs/findings/" + c.id + ".md")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(page), "\n## The rule\n")
		section, _, _ := strings.Cut(rest, "\n## ")
		cited := 0
		for _, word := range strings.FieldsFunc(section, func(r rune) bool {
			return r != '-' && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
		}) {
			if !strings.HasPrefix(word, "AZ-") && !strings.HasPrefix(word, "AKS-") && !strings.HasPrefix(word, "K8S-") {
				continue
			}
			cited++
			if !strings.Contains(spec.String(), "- **"+word+"**") {
				t.Errorf("%s.md cites %s, which is not in docs/semantics", c.id, word)
			}
		}
		if cited == 0 {
			t.Errorf("%s.md cites no rule", c.id)
		}
	}
}

// TestOrder demands the order of Finding.Compare, whatever the order of the input.
func TestOrder(t *testing.T) {
	b := &builder{t: t}
	for i, test := range testCases() {
		if len(test.want) > 0 && i%3 == 0 {
			one := &builder{t: t}
			test.build(one)
			for _, r := range one.resources {
				if !slices.ContainsFunc(b.resources, func(o model.Resource) bool { return o.ResourceID().Key() == r.ResourceID().Key() }) {
					b.add(r)
				}
			}
		}
	}
	got := Check(b.project())
	if len(got) == 0 {
		t.Fatal("the joint estate raises nothing")
	}
	if !slices.IsSortedFunc(got, Finding.Compare) {
		t.Error("findings are not in the order of Finding.Compare")
	}
	slices.Reverse(b.resources)
	if diff := cmp.Diff(got, Check(b.project())); diff != "" {
		t.Errorf("the order of the input changes the findings (-first +reversed):\n%s", diff)
	}
}

// TestGaps runs every check over resources that say nothing, and over ones whose references lead nowhere.
func TestGaps(t *testing.T) {
	nowhere := resourceID("Microsoft.Test/none", "x/children/y")
	b := &builder{t: t}
	add := func(n int, r func(m model.Meta) model.Resource) {
		b.add(r(meta(resourceID("Microsoft.Test/things", strings.Repeat("x", n+1)))))
	}
	for i, r := range []func(m model.Meta) model.Resource{
		func(m model.Meta) model.Resource { return &model.VNet{Meta: m} },
		func(m model.Meta) model.Resource {
			return &model.VNet{Meta: m, Peerings: []model.Peering{{Remote: nowhere}, {Remote: m.ID}}}
		},
		func(m model.Meta) model.Resource { return &model.Subnet{Meta: m} },
		func(m model.Meta) model.Resource {
			return &model.Subnet{Meta: m, VNet: nowhere, NSG: nowhere, RouteTable: nowhere}
		},
		func(m model.Meta) model.Resource { return &model.NSG{Meta: m, Rules: []model.SecurityRule{{}}} },
		func(m model.Meta) model.Resource {
			return &model.RouteTable{Meta: m, Routes: []model.UserRoute{{NextHop: model.HopAppliance}}}
		},
		func(m model.Meta) model.Resource {
			return &model.NIC{Meta: m, VM: nowhere, NSG: nowhere, IPConfigs: []model.IPConfig{{PublicIP: nowhere}}}
		},
		func(m model.Meta) model.Resource { return &model.VM{Meta: m, NICs: []model.ID{nowhere}} },
		func(m model.Meta) model.Resource {
			return &model.ScaleSet{Meta: m, Profiles: []model.NICProfile{{NSG: nowhere, PublicPerVM: true, IPConfigs: []model.IPConfig{{Subnet: nowhere}}}}}
		},
		func(m model.Meta) model.Resource { return &model.PublicIP{Meta: m} },
		func(m model.Meta) model.Resource {
			return &model.LoadBalancer{Meta: m, Frontends: []model.LBFrontend{{PublicIP: nowhere}}, Rules: []model.LBRule{{Pools: []model.ID{nowhere}}}, NATRules: []model.LBNATRule{{}}, Pools: []model.LBPool{{IPConfigs: []model.ID{nowhere}}}}
		},
		func(m model.Meta) model.Resource { return &model.Gateway{Meta: m, Subnet: nowhere} },
		func(m model.Meta) model.Resource { return &model.Bastion{Meta: m, Shareable: model.On} },
		func(m model.Meta) model.Resource {
			return &model.PrivateEndpoint{Meta: m, Subnet: nowhere, Target: nowhere, State: "Pending", Zones: []model.ID{nowhere}}
		},
		func(m model.Meta) model.Resource { return &model.DNSZone{Meta: m, Records: []model.DNSRecord{{}}} },
		func(m model.Meta) model.Resource {
			return &model.Firewall{Meta: m, Policy: nowhere, Subnet: nowhere, Collections: []model.RuleCollection{{Rules: []model.FirewallRule{{}}}}}
		},
		func(m model.Meta) model.Resource {
			return &model.FirewallPolicy{Meta: m, Base: m.ID, GroupRefs: []model.ID{nowhere}}
		},
		func(m model.Meta) model.Resource { return &model.RuleCollectionGroup{Meta: m, Policy: nowhere} },
		func(m model.Meta) model.Resource {
			return &model.AppGateway{Meta: m, Subnets: []model.ID{nowhere}, Listeners: []model.AGWListener{{}}, Rules: []model.AGWRule{{Pool: nowhere, PathMap: nowhere}}, Settings: []model.AGWSetting{{}}, PathMaps: []model.AGWPathMap{{}}}
		},
		func(m model.Meta) model.Resource {
			return &model.WAFPolicy{Meta: m, Custom: []model.WAFRule{{Action: "Allow"}}}
		},
		func(m model.Meta) model.Resource {
			return &model.Service{Meta: m, IPRules: []model.IPRule{{}}, VNetRules: []model.VNetRule{{Subnet: nowhere}}}
		},
		func(m model.Meta) model.Resource {
			return &model.Cluster{Meta: m, Pools: []model.NodePool{{Subnet: nowhere}}}
		},
		func(m model.Meta) model.Resource { return &model.Cluster{Meta: m, Manifest: true} },
		func(m model.Meta) model.Resource { return &model.Namespace{Meta: m} },
		func(m model.Meta) model.Resource {
			return &model.Workload{Meta: m, HostNetwork: true, HostPorts: []model.ContainerPort{{}}}
		},
		func(m model.Meta) model.Resource {
			return &model.NetworkPolicy{Meta: m, Isolates: [2]bool{true, true}, Ingress: []model.PolicyRule{{Ports: []model.PolicyPort{{}}}}, Egress: []model.PolicyRule{{Peers: []model.PolicyPeer{{}}}}}
		},
		func(m model.Meta) model.Resource {
			return &model.KubeService{Meta: m, Type: "LoadBalancer", Ports: []model.ServicePort{{}}}
		},
		func(m model.Meta) model.Resource {
			return &model.JITPolicy{Meta: m, VMs: []model.JITMachine{{VM: nowhere, Ports: []model.JITPort{{}}}}}
		},
	} {
		add(i, r)
	}
	p := b.project()
	if len(p.Estate.Resources()) != 28 {
		t.Fatalf("got %d resources, want each once", len(p.Estate.Resources()))
	}
	if got := Check(p); len(got) == 0 {
		t.Error("got no findings; want those that need no other resource, such as retired addresses and missing references")
	}
}
