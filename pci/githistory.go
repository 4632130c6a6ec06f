package pci

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
)

// What 1.1.1-a and 1.2.2-b, -d and -e decide: that controls are code whose history git keeps. Without git a person's word stands in.

// isCode reports whether inputs of a kind describe what is to be, and are not an export of what is.
func isCode(kind string) bool { return kind == "arm" || kind == "terraform" || kind == "kubernetes" }

// versioned reports whether an input is a file that git should keep: the published list of service tags is Microsoft's, and an overlay is
// a question.
func versioned(in model.InputFile) bool { return in.Kind != "service-tags" && in.Kind != "overlay" }

// committedInputs asks that some inputs are tracked and as they were committed. Nothing is asked of no inputs.
func (ev *Evidence) committedInputs(statement string, of func(model.InputFile) bool) (Part, bool) {
	p := Part{Statement: statement}
	var inputs []model.InputFile
	for _, in := range ev.p.Inputs {
		if versioned(in) && of(in) && !slices.ContainsFunc(inputs, func(x model.InputFile) bool { return x.Path == in.Path }) {
			inputs = append(inputs, in)
		}
	}
	if len(inputs) == 0 {
		return p, false
	}
	p.Subjects = len(inputs)
	g := ev.facts.Git
	if g == nil {
		return ev.attestedInstead(statement, cmp.Or(ev.facts.NoGit, "nobody asked git"), "run it in a clone of the repository, or attest how changes are kept"), true
	}
	p.Facts = append(p.Facts, "HEAD is "+g.Head)
	p.Table = &Table{Header: []string{"input", "sha256", "last commit"}}
	for _, in := range inputs {
		f := Fault{Cause: Cause{Class: CauseGit, Of: in.Path}, Subject: in.Path, Source: in.Path, Remedy: "commit it"}
		i := slices.IndexFunc(g.Files, func(x GitFile) bool { return x.Path == in.Path })
		switch {
		case i < 0 || !g.Files[i].Tracked:
			f.Text = in.Path + " is not tracked by git"
			p.Faults = append(p.Faults, f)
			continue
		case !g.Files[i].Clean:
			f.Text = in.Path + " differs from what was committed"
			p.Faults = append(p.Faults, f)
			continue
		}
		last := "not known: the clone is shallow"
		if c := g.Files[i].Commits; len(c) > 0 {
			last = c[0]
		}
		p.Table.Rows = append(p.Table.Rows, []string{in.Path, in.SHA256, last})
	}
	return p.judged(), true
}

// attestedInstead is a person's word in the place of a fact that is not known; without it the part is unknown (decisions.md, 2.1).
func (ev *Evidence) attestedInstead(statement, missing, remedy string) Part {
	a := ev.attestation(statement)
	if a.Verdict == ItemAttested {
		a.Notes = append(a.Notes, missing+": a person's word stands in")
		return a
	}
	p := unknownPart(statement, missing+", and no attestation stands in")
	p.Faults = []Fault{{Cause: Cause{Class: CauseGit, Of: "work tree"}, Text: missing, Remedy: remedy}}
	return p
}

// controlsAsCode asks that every input is committed, and every control described by code (1.1.1-a).
func (ev *Evidence) controlsAsCode() []Part {
	out := []Part{}
	p, ok := ev.committedInputs("every input is committed and unchanged", func(model.InputFile) bool { return true })
	if !ok {
		return []Part{unknownPart("every input is committed and unchanged", "the project has no input files")}
	}
	out = append(out, p)
	kind := map[string]string{}
	for _, in := range ev.p.Inputs {
		if kind[in.Path] == "" || isCode(in.Kind) {
			kind[in.Path] = in.Kind
		}
	}
	code := Part{Statement: "every control is described by code, not by an export alone", Subjects: len(ev.ruleSets())}
	exported := map[string]int{}
	var files []string
	n := 0
	for _, r := range ev.ruleSets() {
		if isCode(kind[r.Source.File]) {
			n++
			continue
		}
		if exported[r.Source.File]++; exported[r.Source.File] == 1 {
			files = append(files, r.Source.File)
		}
	}
	switch {
	case code.Subjects == 0:
		return append(out, unknownPart(code.Statement, "the input holds no control"))
	case len(files) == 0:
		return append(out, code.judged())
	}
	slices.Sort(files)
	a := ev.attestation(code.Statement + ": a pipeline deploys them from reviewed code")
	a.Subjects = code.Subjects
	a.Facts = append(a.Facts, fmt.Sprintf("%s by code, %s by exports", count(n, "control"), count(code.Subjects-n, "control")))
	for _, f := range files {
		a.Facts = append(a.Facts, fmt.Sprintf("%s: %s", cmp.Or(f, "no file"), count(exported[f], "control")))
	}
	return append(out, a)
}

// assetsVersioned asks that templates and plans are committed (1.2.2-b).
func (ev *Evidence) assetsVersioned() []Part {
	const statement = "every template and plan that deploys the network is committed and unchanged"
	if p, ok := ev.committedInputs(statement, func(in model.InputFile) bool { return in.Kind == "arm" || in.Kind == "terraform" }); ok {
		return []Part{p}
	}
	a := ev.attestation("a pipeline deploys the network from source-controlled code")
	a.Notes = append(a.Notes, "no input is a template or a plan")
	return []Part{a}
}

// policiesVersioned asks that every policy object has a committed manifest, and that what runs is what the manifests say (1.2.2-d).
func (ev *Evidence) policiesVersioned() []Part {
	const statement = "every manifest with network policies is committed and unchanged"
	if len(ev.e.Clusters) == 0 {
		return []Part{ev.absent(statement, "clusters", "the input holds no cluster")}
	}
	files := map[string]bool{}
	for _, r := range ev.policyObjects(ev.e) {
		files[r.Origin().File] = true
	}
	if len(files) == 0 {
		return []Part{unknownPart(statement, "the input holds no network policy")}
	}
	p, ok := ev.committedInputs(statement, func(in model.InputFile) bool {
		return in.Kind == "kubernetes" && files[in.Path] && in.Side != "deployed"
	})
	if !ok {
		p = Part{Statement: statement, Subjects: len(files)}
		for _, f := range slices.Sorted(maps.Keys(files)) {
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseGit, Of: f}, Subject: f, Source: f, Text: f + " holds live policies, and no manifest describes them", Remedy: "describe them in a manifest and commit it"})
		}
		p = p.judged()
	}
	return append([]Part{p}, ev.livePolicies()...)
}

// livePolicies asks that the policies of the side that is not judged are those of the judged one.
func (ev *Evidence) livePolicies() []Part {
	o := ev.facts.Other
	if o == nil || o.Project == nil {
		return nil
	}
	p := Part{Statement: "the network policies that are deployed are those of the manifests"}
	here, there := ev.policyObjects(ev.e), ev.policyObjects(o.Project.Estate)
	find := func(list []model.Resource, r model.Resource) model.Resource {
		for _, x := range list {
			if x.ResourceID().Is(r.ResourceID()) {
				return x
			}
		}
		return nil
	}
	fault := func(r model.Resource, text, remedy string) {
		name := policyName(r)
		p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseSetting, Of: name, Field: "policy"}, Subject: name, Text: name + " " + text, Source: r.Origin().String(), Remedy: remedy})
	}
	if here0 := len(there); here0 == 0 {
		return []Part{unknownPart(p.Statement, "the "+o.Other+" side holds no network policy")}
	}
	for _, r := range here {
		p.Subjects++
		switch x := find(there, r); {
		case x == nil:
			fault(r, "is "+o.Judged+" and not "+o.Other, "deploy it, or remove its manifest")
		case !model.Alike(r, x):
			fault(r, "is another one on the "+o.Other+" side"+inBrackets(x.Origin().String()), "deploy the manifest, or correct it")
		}
	}
	for _, r := range there {
		if find(here, r) == nil {
			p.Subjects++
			fault(r, "is "+o.Other+" and not "+o.Judged, "describe it in a manifest, or remove it")
		}
	}
	return []Part{p.judged()}
}

// policyName names a policy object.
func policyName(r model.Resource) string {
	if n, ok := r.(*model.NetworkPolicy); ok {
		return "policy:" + n.Cluster.Name() + "/" + n.Namespace + "/" + n.Name()
	}
	return r.ResourceID().ShortName()
}

// policyObjects lists the policies of an estate that people write, of every kind that is understood.
func (ev *Evidence) policyObjects(e *model.Estate) []model.Resource {
	var out []model.Resource
	for _, x := range e.NetPolicies {
		if !x.Managed {
			out = append(out, x)
		}
	}
	for _, x := range e.ClusterPolicies {
		out = append(out, x)
	}
	for _, x := range e.CiliumPolicies {
		out = append(out, x)
	}
	for _, x := range e.CalicoPolicies {
		out = append(out, x)
	}
	return out
}

// historyKept asks that the history of each input can be read (1.2.2-e).
func (ev *Evidence) historyKept() []Part {
	p := Part{Statement: "git has the whole history of each input", Table: &Table{Header: []string{"input", "first", "last commits"}}}
	g := ev.facts.Git
	switch {
	case g == nil:
		return []Part{ev.attestedInstead(p.Statement, cmp.Or(ev.facts.NoGit, "nobody asked git"), "run it in a clone of the repository, or attest where the history is kept")}
	case g.Shallow:
		return []Part{ev.attestedInstead(p.Statement, "the clone is shallow", "clone with the whole history (of actions/checkout: fetch-depth: 0)")}
	}
	for _, f := range g.Files {
		if !slices.ContainsFunc(ev.p.Inputs, func(in model.InputFile) bool { return in.Path == f.Path && versioned(in) }) {
			continue
		}
		p.Subjects++
		if len(f.Commits) == 0 {
			p.Faults = append(p.Faults, Fault{Cause: Cause{Class: CauseGit, Of: f.Path}, Subject: f.Path, Source: f.Path, Text: f.Path + " has no commit", Remedy: "commit it"})
			continue
		}
		p.Table.Rows = append(p.Table.Rows, []string{f.Path, f.First, strings.Join(f.Commits, "; ")})
	}
	if p.Subjects == 0 {
		return []Part{unknownPart(p.Statement, "the project has no input files")}
	}
	return []Part{p.judged()}
}

// sidesAgree asks that what is deployed is what is desired (1.2.2-a).
func (ev *Evidence) sidesAgree() []Part {
	const statement = "no flow differs between what is desired and what is deployed, and no control is on one side alone"
	o := ev.facts.Other
	if o == nil {
		p := unknownPart(statement, "the input holds one side alone: no input says `side: deployed` beside the desired one")
		p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "inputs", Field: "side"}, Text: "one side alone is in the input", Source: ev.in.Source.String(), Remedy: "add the other side to the inputs, with `side: desired` and `side: deployed`"}}
		return []Part{p}
	}
	if o.Comparison == nil {
		return []Part{unknownPart(statement, "the sides were not compared")}
	}
	flows := Part{Statement: "no flow differs between the " + o.Judged + " and the " + o.Other + " side, over all packets"}
	for _, f := range o.Comparison.Flows {
		x := Fault{Subject: pairText(f), Text: fmt.Sprintf("%s on the %s side against the %s one: %s", f.Change, o.Judged, o.Other, whatText(f)), Witness: f.Witness, Remedy: "deploy what is desired, or commit what is deployed"}
		x.Cause = Cause{Class: CauseAllow, Of: pairText(f)}
		for _, b := range f.Because {
			if b.Rule != "" {
				x.Cause.Of, x.Source = b.Rule, b.Source
				break
			}
		}
		flows.Faults = append(flows.Faults, x)
	}
	controls := Part{Statement: "every control is on both sides"}
	here, there := ev.ruleSets(), RuleSets(o.Project.Estate)
	has := func(list []RuleSet, r RuleSet) bool {
		return slices.ContainsFunc(list, func(x RuleSet) bool {
			return x.ID == r.ID && strings.EqualFold(x.Group, r.Group) && x.Missing == r.Missing
		})
	}
	alone := func(r RuleSet, side, other string) {
		controls.Faults = append(controls.Faults, Fault{
			Cause: Cause{Class: CauseSetting, Of: r.ID, Field: "side"}, Subject: r.ID, Text: r.ID + " is on the " + side + " side alone, not on the " + other + " one", Source: r.Source.String(),
			Remedy: "deploy what is desired, or describe what is deployed",
		})
	}
	for _, r := range here {
		controls.Subjects++
		if !has(there, r) {
			alone(r, o.Judged, o.Other)
		}
	}
	for _, r := range there {
		if !has(here, r) {
			controls.Subjects++
			alone(r, o.Other, o.Judged)
		}
	}
	text := ev.otherTexts(o)
	flows.Notes = append(flows.Notes, text...)
	return []Part{flows.judged(), controls.judged()}
}

// otherTexts lists resources that are described otherwise on the two sides though no flow differs.
func (ev *Evidence) otherTexts(o *OtherSide) []string {
	var names []string
	for _, r := range ev.e.Resources() {
		if x, ok := o.Project.Estate.Lookup(r.ResourceID()); ok && !model.Alike(r, x) {
			names = append(names, r.ResourceID().ShortName())
		}
	}
	if len(names) == 0 {
		return nil
	}
	const shown = 8
	more := ""
	if len(names) > shown {
		more = fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return []string{"described otherwise on the two sides: " + strings.Join(names[:min(shown, len(names))], ", ") + more}
}
