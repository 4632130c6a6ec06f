package solver

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/model"
)

// K8S-EXP-05: a proof about pods holds for those that do not exist yet, in every namespace that it is about, and names the labels on which it
// rests.
func TestAssertionsAboutNewPods(t *testing.T) {
	const (
		byName  = "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: backend}}, podSelector: {matchLabels: {app: new}}}], ports: [{port: 8050}]}]"
		byLabel = "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {env: test}}}]}]"
		anyone  = "podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 443}]}]"
		closed  = "podSelector: {}, policyTypes: [Ingress, Egress]"
	)
	for _, test := range []struct {
		name, policy string
		from, to     []string
		want         Outcome
		flows, rests []string
	}{
		{"nobody is let in", closed, []string{"any", "not:zone:cde"}, []string{"zone:cde"}, Pass, nil, nil},
		{"pods of a namespace that is not there", byName, []string{"cluster:B", "not:zone:cde"}, []string{"zone:cde"}, Fail, []string{"future:B/backend[app=new] -> pod:a/db tcp/8050 reachable", "future:B/backend[app=new] -> pod:a/web tcp/8050 reachable"}, nil},
		{"of which the assertion does not speak", byName, []string{"ns:b"}, []string{"zone:cde"}, Pass, nil, []string{"future:B/backend[app=new]"}},
		{"namespaces by a label that none of those has", byLabel, []string{"ns:b"}, []string{"zone:cde"}, Pass, nil, []string{"future:B/*{env=test}"}},
		{"that a new one may have", byLabel, []string{"cluster:B", "not:zone:cde"}, []string{"zone:cde"}, Fail, []string{"future:B/*{env=test} -> pod:a/db any reachable", "future:B/*{env=test} -> pod:a/web any reachable"}, nil},
		{"everybody is", anyone, []string{"ns:b"}, []string{"pod:a/web"}, Fail, []string{"entire-cluster -> pod:a/web tcp/443 reachable"}, nil},
		{"pods that are named are those alone", anyone, []string{"internet"}, []string{"pod:a/web"}, Pass, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := manifests(t, "azure", netPolicy(test.policy))
			a := model.Assertion{ID: "x", Verb: model.VerbDeny}
			var err error
			if a.From, err = model.ParseSelectors(test.from); err != nil {
				t.Fatal(err)
			}
			if a.To, err = model.ParseSelectors(test.to); err != nil {
				t.Fatal(err)
			}
			zone := model.Zone{Name: "cde", Members: selectors(t, "ns:a")}
			p := &model.Project{Estate: k.s.Project.Estate, Intent: &model.Intent{Zones: []model.Zone{zone}, Assertions: []model.Assertion{a}}}
			s, err := Solve(p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Check(a)
			if err != nil {
				t.Fatal(err)
			}
			var flows []string
			for _, f := range r.Violations {
				if f.Label != "" && len(f.Packets) > 0 {
					x := f.Packets[0]
					service := x.Protocol
					if !slices.Equal(x.DPort, []string{"0-65535"}) {
						service += "/" + x.DPort[0]
					}
					flows = append(flows, f.From+" -> "+f.To+" "+service+" "+f.Verdict.String())
				}
			}
			if r.Verdict != test.want || !slices.Equal(flows, test.flows) || !slices.Equal(r.RestsOn, test.rests) {
				t.Errorf("got %s, want %s; %s rests: %s", r.Verdict, test.want, cmp.Diff(flows, test.flows), cmp.Diff(r.RestsOn, test.rests))
				for _, f := range r.Violations {
					t.Logf("%s %s %s %s", f.From, f.To, f.Verdict, f.Label)
				}
			}
		})
	}
}
