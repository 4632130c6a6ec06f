package pci

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// Facts are what a run knows beside the solved project. The zero value is a run that knows nothing more.
type Facts struct {
	Git       *Git          // nil: the project lies in no git work tree, or nobody asked
	NoGit     string        // why Git is nil, in words
	Documents []Committed   // the committed copies that the intent names, compared with what this run generates
	Pipelines []Pipeline    // the pipeline files that the intent names
	Other     *OtherSide    // nil: one side alone is in the input (1.2.2-a)
	Changed   []ReviewDelta // what changed since the reviews that hold a snapshot (8.1)
}

// Git is what git says of the inputs.
type Git struct {
	Shallow bool
	Head    string
	Files   []GitFile // of the inputs, by path
}

// GitFile is one input in git.
type GitFile struct {
	Path    string // as the inputs name it
	Tracked bool
	Clean   bool     // equal to HEAD
	First   string   // day of its first commit; empty: none, or not known in a shallow clone
	Commits []string // the last ones, newest first: hash, day, author
}

// Committed is a committed copy of something that is generated.
type Committed struct {
	Kind        string // network, dataflow, zones, rules, endpoints
	Path        string
	SHA256      string
	Missing     bool
	Differences []string // the first ones; empty: current
}

// Pipeline is a file of `documents.pipelines`, and the lines in it that check the documents.
type Pipeline struct {
	Path    string
	Missing bool
	Checks  []string // file:line: the command
}

// OtherSide is the estate that is not judged, compared with the one that is.
type OtherSide struct {
	Judged, Other string         // desired, deployed
	Project       *model.Project // the one that is not judged
	Comparison    *solver.Comparison
	Day           model.Date
}

// ReviewDelta is what changed since a review.
type ReviewDelta struct {
	Review     int // index in the intent
	Comparison *solver.Comparison
	Err        string // the snapshot could not be read
}

// Evidence is what items are decided on: the solved project, what people state, and facts beside it. What was computed once is kept.
type Evidence struct {
	s     *solver.Solution
	p     *model.Project
	e     *model.Estate
	in    *model.Intent
	refs  *model.Refs
	facts Facts
	item  string // the item that is being decided
	asked map[string]*solver.AssertionResult
	kept  map[string]any // what helpers computed once, by their own keys
	done  map[string][]Part
	errs  []error
}

// NewEvidence prepares to decide items about a solved project.
func NewEvidence(s *solver.Solution, f Facts) *Evidence {
	in := s.Project.Intent
	if in == nil {
		in = &model.Intent{}
	}
	return &Evidence{
		s: s, p: s.Project, e: s.Project.Estate, in: in, refs: model.NewRefs(s.Project.Estate), facts: f,
		asked: map[string]*solver.AssertionResult{}, kept: map[string]any{}, done: map[string][]Part{},
	}
}

// Selectors are what items ask about beside zones and resources, so that the solver tells their addresses apart (solver.Options.Questions).
func Selectors(p *model.Project) []model.Selector {
	return append(platformHost(), probedBackends(p.Estate)...)
}

// Check decides every item of the catalogue, in its order. Errors are those of selectors in the intent.
func Check(ev *Evidence) ([]Item, error) {
	var out []Item
	for _, c := range Catalogue() {
		if c.Check == nil {
			continue
		}
		out = append(out, ev.Decide(c))
	}
	follow(out)
	return out, ev.err()
}

// Decide decides one item.
func (ev *Evidence) Decide(c Criterion) Item {
	before := ev.item
	ev.item = c.ID
	defer func() { ev.item = before }()
	x := Item{
		ID: c.ID, V4: strings.Join(c.V4, ", "), Title: c.Text, Severity: c.Severity, Remedy: c.Remedy, Also: c.Also, Says: c.Says, CheckedAs: c.As, Why: c.Why,
	}
	x.Method = methodText(c.Methods)
	x.Evidence = slices.Concat(ev.parts(c), ev.linked(c.ID))
	x.Verdict = worst(x.Evidence)
	return x
}

// parts decides the parts of an item once: pure followers read those of another (decisions.md, section 4).
func (ev *Evidence) parts(c Criterion) []Part {
	if p, ok := ev.done[c.ID]; ok {
		return p
	}
	p := c.Check(ev)
	ev.done[c.ID] = p
	return p
}

// partsOf are the parts of another item.
func (ev *Evidence) partsOf(id string) []Part {
	c, ok := CriterionOf(id)
	if !ok || c.Check == nil {
		return []Part{unknownPart("item "+id+" is decided", "this version does not decide item "+id)}
	}
	before := ev.item
	ev.item = id
	defer func() { ev.item = before }()
	return slices.Clone(ev.parts(c))
}

// linked are the assertions that people tie to an item: one that fails makes the item fail (decisions.md, 8.4).
func (ev *Evidence) linked(id string) []Part {
	var out []Part
	for _, a := range ev.in.Assertions {
		if a.Requirement != id {
			continue
		}
		r, err := ev.assertion(a)
		if err != nil {
			ev.errs = append(ev.errs, err)
			continue
		}
		p := ev.partOf(r)
		p.Statement = "assertion " + a.ID + ": " + p.Statement
		for i := range p.Faults {
			p.Faults[i].Source = cmp.Or(p.Faults[i].Source, a.Source.String())
		}
		out = append(out, p)
	}
	return out
}

// waivers are the exceptions of the assertions that are tied to the item (decisions.md, 8.4).
func (ev *Evidence) waivers() []model.Waiver {
	var out []model.Waiver
	for _, a := range ev.in.Assertions {
		if a.Requirement != ev.item {
			continue
		}
		for _, w := range a.Except {
			if !ev.in.AsOf.IsZero() && w.Expires.Before(ev.in.AsOf) {
				continue // the assertion itself fails by it
			}
			if len(w.From) == 0 { // an exception speaks of its assertion's ends
				w.From = a.From
			}
			if len(w.To) == 0 {
				w.To = a.To
			}
			out = append(out, w)
		}
	}
	return out
}

// propertyKey is the same for assertions that state the same.
func propertyKey(a model.Assertion) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v %v %v %v %v %v", a.Verb, a.From, a.To, a.Services, a.Via, a.DirectOnly, a.Existing)
	for _, w := range a.Except {
		fmt.Fprintf(&b, " except %v %v %v until %s", w.From, w.To, w.Services, w.Expires)
	}
	return b.String()
}

// assertion decides a property, each once.
func (ev *Evidence) assertion(a model.Assertion) (*solver.AssertionResult, error) {
	key := propertyKey(a)
	if r, ok := ev.asked[key]; ok {
		return r, nil
	}
	r, err := ev.s.Check(a)
	if err != nil {
		return nil, err
	}
	ev.asked[key] = r
	return r, nil
}

// know takes over assertions that were decided before.
func (ev *Evidence) know(list []solver.AssertionResult) {
	for i, r := range list {
		if key := propertyKey(r.Assertion); ev.asked[key] == nil {
			ev.asked[key] = &list[i]
		}
	}
}

// ask decides a property of the item at hand and makes a part of it.
func (ev *Evidence) ask(a model.Assertion) Part {
	a.ID, a.Existing = cmp.Or(a.ID, ev.item), true // pods that do not exist yet are for 1.1.4-h and 1.1.4-i
	a.Except = append(slices.Clone(a.Except), ev.waivers()...)
	r, err := ev.assertion(a)
	if err != nil {
		return unknownPart(solver.Statement(a), err.Error())
	}
	return ev.partOf(r)
}

// deny asks that nothing passes.
func (ev *Evidence) deny(from, to []model.Selector, services ...model.PortService) Part {
	return ev.ask(model.Assertion{Verb: model.VerbDeny, From: from, To: to, Services: services})
}

// denyDirect asks that no packet passes by itself, relays apart.
func (ev *Evidence) denyDirect(from, to []model.Selector, services ...model.PortService) Part {
	return ev.ask(model.Assertion{Verb: model.VerbDeny, From: from, To: to, Services: services, DirectOnly: true})
}

// only asks that nothing but the services passes.
func (ev *Evidence) only(from, to []model.Selector, services ...model.PortService) Part {
	return ev.ask(model.Assertion{Verb: model.VerbOnly, From: from, To: to, Services: services})
}

// must asks that the services pass, replies included.
func (ev *Evidence) must(from, to []model.Selector, services ...model.PortService) Part {
	return ev.ask(model.Assertion{Verb: model.VerbMust, From: from, To: to, Services: services})
}

// through asks that every path passes one of the places.
func (ev *Evidence) through(from, to, via []model.Selector) Part {
	return ev.ask(model.Assertion{Verb: model.VerbThrough, From: from, To: to, Via: via})
}

// partOf makes a part of a decided property. The cause of a fault is the rule that decides (ALLOW); items that know better set theirs.
func (ev *Evidence) partOf(r *solver.AssertionResult) Part {
	p := Part{Statement: r.Statement, Reason: r.Reason, Assumptions: slices.Clone(r.Assumptions), Waived: slices.Clone(r.Waived)}
	switch r.Verdict {
	case solver.Pass:
		p.Verdict = ItemPass
	case solver.Fail:
		p.Verdict = ItemFail
	default:
		p.Verdict = ItemUnknown
		switch facts := hinges(r.Assumptions); {
		case len(facts) > 0:
			p.Reason = strings.TrimPrefix(p.Reason+"; it hinges on "+assumptionText(facts[0]), "; it hinges on ")
		case p.Reason == "":
			p.Reason = "possible, and certain for no sender: not wherever its pods may run (the Kubernetes scheduler decides)"
		}
	}
	if r.Verdict == solver.Pass {
		return p
	}
	f := Fault{Text: cmp.Or(p.Reason, "a packet passes"), Flows: r.Violations, Witness: r.Witness}
	if rule, at, source, ok := decidedBy(*r); ok {
		f.Cause, f.Subject, f.Source = Cause{Class: CauseAllow, Of: rule}, cmp.Or(rule, at), source
		f.Text = "let pass by " + cmp.Or(rule, "no rule") + " at " + at
		if len(r.BlockedBy) > 0 {
			f.Text = "blocked by " + cmp.Or(rule, r.BlockedBy[0].Stage) + " at " + at
		}
	}
	if facts := hinges(r.Assumptions); r.Verdict != solver.Fail && len(facts) > 0 {
		f.Cause = Cause{Class: CauseNoRef, Of: facts[0].ID}
		if f.Subject == "" {
			f.Text = assumptionText(facts[0])
		} else {
			f.Text = "possibly " + f.Text
		}
	}
	p.Faults = append(p.Faults, f)
	return p
}

// hinges lists the open assumptions that keep a property undecided, what the input lacks first.
func hinges(list []solver.Assumption) []solver.Assumption {
	facts := slices.DeleteFunc(slices.Clone(list), func(a solver.Assumption) bool { return !a.Open })
	slices.SortStableFunc(facts, func(a, b solver.Assumption) int {
		rank := func(x solver.Assumption) int {
			for i, prefix := range []string{"MISSING(", "UNSUPPORTED("} {
				if strings.HasPrefix(x.ID, prefix) {
					return i
				}
			}
			for _, thing := range []string{"ASM-NEXTHOP", "ASM-NVA", "ASM-ER", "ASM-BGP", "ASM-RS", "ASM-WAN", "ASM-E-FWPOLICY", "ASM-K-ENGINE", "ASM-K-CNP", "ASM-K-CILIUM", "ASM-K-CALICO", "ASM-K-NSLABELS"} {
				if x.ID == thing {
					return 2
				}
			}
			for _, often := range []string{"ASM-TAG(", "ASM-VNETTAG", "ASM-INTERNET-0", "ASM-K-"} { // noted wherever tags and clusters are
				if strings.HasPrefix(x.ID, often) {
					return 4
				}
			}
			return 3
		}
		return rank(a) - rank(b)
	})
	return facts
}

// attestation is a person's word for the item at hand, or its absence (decisions.md, 8.3).
func (ev *Evidence) attestation(statement string) Part {
	p := Part{Statement: statement, Verdict: ItemAttestationMissing, Reason: "attestations of ringfence.yaml has no valid entry for " + ev.item}
	var best *model.Attestation
	for i, a := range ev.in.Attestations {
		if a.Item == ev.item && (best == nil || best.On.Before(a.On)) {
			best = &ev.in.Attestations[i]
		}
	}
	if best == nil {
		return p
	}
	expires := best.Expires
	if expires.IsZero() {
		expires = best.On.AddMonths(12)
	}
	word := fmt.Sprintf("%s, on %s, until %s%s", best.By, best.On, expires, inBrackets(best.Source.String()))
	switch {
	case !written(best.Evidence):
		p.Reason = "an attestation without evidence: " + word
	case !written(best.By):
		p.Reason = "an attestation by nobody: " + word
	case expires.Before(ev.in.AsOf):
		p.Reason = "the attestation has expired: " + word
	default:
		p.Verdict, p.Reason = ItemAttested, word
		p.Facts = append(p.Facts, "evidence: "+best.Evidence)
		if best.Reason != "" {
			p.Facts = append(p.Facts, "stated: "+best.Reason)
		}
		if expires.Before(ev.in.AsOf.AddDays(30)) {
			p.Notes = append(p.Notes, "the attestation expires on "+expires.String())
		}
	}
	return p
}

// none is a signed statement that something does not exist, as long as it holds (decisions.md, section 2.2).
func (ev *Evidence) none(what string) (model.NoneStatement, bool) {
	for _, n := range ev.in.None {
		if n.What == what && written(n.By) && written(n.Reason) && (n.Expires.IsZero() || !n.Expires.Before(ev.in.AsOf)) {
			return n, true
		}
	}
	return model.NoneStatement{}, false
}

// notApplicable is a part that a signed statement, or a fact that was read, makes void.
func notApplicable(statement, because string) Part {
	return Part{Statement: statement, Verdict: ItemNotApplicable, Reason: because}
}

// absent is the part of an item without subjects: not applicable by a signed statement, else unknown (decisions.md, section 2.2).
func (ev *Evidence) absent(statement, none, missing string) Part {
	if n, ok := ev.none(none); ok {
		return notApplicable(statement, fmt.Sprintf("none.%s: %s, on %s: %s", none, n.By, n.On, n.Reason))
	}
	p := unknownPart(statement, missing)
	if none != "" {
		p.Reason += ", and none." + none + " does not say so"
	}
	return p
}

// noBalancer is the part of an item about internal load balancers of clusters, where there are none: void without clusters, and without
// ingress.
func (ev *Evidence) noBalancer(statement, missing string) Part {
	if _, ok := ev.none("ingress"); !ok && len(ev.e.Clusters) == 0 {
		return ev.absent(statement, "clusters", missing)
	}
	return ev.absent(statement, "ingress", missing)
}

// unknownPart is a part that lacks a fact.
func unknownPart(statement, missing string) Part {
	return Part{Statement: statement, Verdict: ItemUnknown, Reason: missing}
}

// judged fills the verdict of a part from its faults: none is a pass.
func (p Part) judged() Part {
	if p.Verdict == "" {
		p.Verdict = ItemPass
		if len(p.Faults) > 0 {
			p.Verdict = ItemFail
		}
	}
	return p
}

// orUnknown judges a part whose faults are certain, beside others that are not: these count where there are no certain ones.
func (p Part) orUnknown(open []Fault) Part {
	if len(p.Faults) == 0 && len(open) > 0 {
		p.Verdict, p.Faults, p.Reason = ItemUnknown, open, open[0].Text
	}
	return p.judged()
}

// besides is the same, and shows the others beside the certain ones.
func (p Part) besides(open []Fault) Part {
	if len(p.Faults) == 0 {
		return p.orUnknown(open)
	}
	p = p.judged()
	p.Faults = append(p.Faults, open...)
	return p
}

// keep computes something once for all items.
func keep[T any](ev *Evidence, key string, make func() T) T {
	if v, ok := ev.kept[key]; ok {
		return v.(T)
	}
	v := make()
	ev.kept[key] = v
	return v
}

// selectors parses selectors that the catalogue writes; names from the input go through sel and zone.
func selectors(texts ...string) []model.Selector {
	var out []model.Selector
	for _, t := range texts {
		s, err := model.ParseSelector(t)
		if err != nil {
			panic(fmt.Sprintf("selector of the catalogue: %v", err)) // a bug of this package
		}
		out = append(out, s)
	}
	return out
}

// sel selects a resource, whatever its name.
func (ev *Evidence) sel(k model.SelectorKind, r model.Resource) model.Selector {
	return model.Selector{Kind: k, Parts: []string{string(r.ResourceID())}, Whole: true, Text: ev.refs.Of(k, r)}
}

// zones selects the declared zones of some kinds; the internet is the built-in one.
func (ev *Evidence) zones(kinds ...model.ZoneKind) (out []model.Selector) {
	for _, k := range kinds {
		if k == model.ZoneInternet {
			out = append(out, model.Selector{Kind: model.SelInternet, Text: string(model.SelInternet)})
		}
		for _, z := range ev.in.Zones {
			if z.Kind == k {
				out = append(out, ev.zone(z))
			}
		}
	}
	return out
}

// zone selects a declared zone.
func (ev *Evidence) zone(z model.Zone) model.Selector {
	return model.Selector{Kind: model.SelZone, Parts: []string{z.Name}, Text: "zone:" + z.Name, Source: z.Source}
}

// not turns selectors into exceptions of a list.
func not(list []model.Selector) (out []model.Selector) {
	for _, s := range list {
		s.Not, s.Text = true, "not:"+s.Text
		out = append(out, s)
	}
	return out
}

func (ev *Evidence) err() error {
	if len(ev.errs) == 0 {
		return nil
	}
	return ev.errs[0]
}

// Item decides one item alone. Errors are those of selectors in the intent.
func (ev *Evidence) Item(c Criterion) (Item, error) {
	x := ev.Decide(c)
	return x, ev.err()
}
