package solver

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/model/modeltest"
	"github.com/ringfence/ringfence/solver/dataplane"
)

// asserted adds assertions about drawn subnets to an estate.
func asserted(t *testing.T, d modeltest.Draft, seed uint64) *model.Project {
	t.Helper()
	e, err := d.Estate()
	if err != nil {
		return nil
	}
	p := &model.Project{Estate: e, Tags: d.Tags, Intent: &model.Intent{AsOf: model.Date{Year: 2026, Month: 11, Day: 1}}}
	refs := model.NewRefs(e)
	var ends []model.Selector
	for _, text := range []string{"any", "internet"} {
		ends = append(ends, selector(t, text))
	}
	for _, x := range e.Subnets {
		ends = append(ends, selector(t, refs.Of(model.SelSubnet, x)))
	}
	rnd := rand.New(rand.NewPCG(seed, 5))
	for i := range 12 {
		a := model.Assertion{
			ID: fmt.Sprint("a", i), Verb: []model.Verb{model.VerbDeny, model.VerbOnly, model.VerbMust}[rnd.IntN(3)],
			From: []model.Selector{ends[rnd.IntN(len(ends))]}, To: []model.Selector{ends[rnd.IntN(len(ends))]},
			Services: []model.PortService{{Protocol: model.TCP, Ports: model.PortRange{First: 22, Last: 22}}},
		}
		p.Intent.Assertions = append(p.Intent.Assertions, a)
	}
	return p
}

func selector(t *testing.T, text string) model.Selector {
	t.Helper()
	s, err := model.ParseSelector(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Two estates that are solved together differ in the same flows as two that are solved apart, and an assertion that is not asked for again
// has the same verdict on both sides.
func TestPairAnswersAsApart(t *testing.T) {
	estates := uint64(120)
	if testing.Short() {
		estates = 30
	}
	pairs, differing, spared, asked := 0, 0, 0, 0
	for seed := range estates {
		d := modeltest.Random(rand.New(rand.NewPCG(seed, 3)), modeltest.KindsOf(seed)&settled)
		changed := d.Clone()
		rnd := rand.New(rand.NewPCG(seed, 9))
		for range 8 {
			if mutate(&changed, rnd) {
				break
			}
		}
		base, proposed := asserted(t, d.Clone(), seed), asserted(t, changed, seed)
		if base == nil || proposed == nil {
			continue
		}
		both, _, err := SolvePair(base, proposed, Options{})
		if err != nil {
			continue // a selector that selects nothing
		}
		if together(both[0], both[1]) == nil {
			continue
		}
		pairs++
		var apart [2]*Solution
		for i, p := range []*model.Project{base, proposed} {
			if apart[i], err = Solve(p, Options{}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Compare(both[0], both[1])
		if err != nil {
			t.Fatal(err)
		}
		want, err := Compare(apart[0], apart[1])
		if err != nil {
			t.Fatal(err)
		}
		if len(want.Flows) > 0 {
			differing++
		}
		// Another packet may be the witness, since it is found on another way.
		flows := cmp.Options{cmpopts.IgnoreFields(FlowChange{}, "Witness", "Because", "ToZone"), cmpopts.IgnoreUnexported(FlowChange{})}
		if diff := cmp.Diff(want.Flows, got.Flows, flows); diff != "" {
			t.Fatalf("seed %d (-apart +together):\n%s\n%s", seed, diff, modeltest.Print(changed))
		}
		for i := range got.Flows {
			if (got.Flows[i].Witness == nil) != (want.Flows[i].Witness == nil) {
				t.Errorf("seed %d: %s -> %s: a witness apart %v, together %v", seed, got.Flows[i].From, got.Flows[i].To, want.Flows[i].Witness != nil, got.Flows[i].Witness != nil)
			}
		}
		for _, a := range base.Intent.Assertions {
			before, bad := apart[0].Check(a)
			after, worse := apart[1].Check(a)
			if bad != nil || worse != nil {
				continue
			}
			asked++
			if !SameAnswer(both[0], both[1], a) {
				continue
			}
			spared++
			if before.Verdict != after.Verdict {
				t.Errorf("seed %d: %s: the same answer for certain, but %s before and %s after", seed, Statement(a), before.Verdict, after.Verdict)
			}
		}
	}
	t.Logf("%d pairs, %d differ; %d of %d assertions were spared", pairs, differing, spared, asked)
	if least := int(estates) / 8; pairs < least || differing < least/2 || spared < least {
		t.Error("too few of some sort")
	}
}

// Of two estates that differ in rules of NSGs alone there is one plan. The second is told as if it were solved by itself, with the places of its
// own files, whatever moved in them.
func TestOnePlanForTwo(t *testing.T) {
	estates := uint64(80)
	if testing.Short() {
		estates = 30
	}
	planned, failing, blocked := 0, 0, 0
	for seed := range estates {
		d := modeltest.Random(rand.New(rand.NewPCG(seed, 3)), modeltest.KindsOf(seed)&settled)
		changed := d.Clone()
		rnd := rand.New(rand.NewPCG(seed, 11))
		for i, r := range d.Resources { // every resource has a line, and the second file two lines more
			lined(r, 10*i)
			lined(changed.Resources[i], 10*i+2)
		}
		nsgs := slices.DeleteFunc(slices.Clone(changed.Resources), func(r model.Resource) bool { _, ok := r.(*model.NSG); return !ok })
		if len(nsgs) == 0 {
			continue
		}
		changed.Resources, nsgs = nsgs, changed.Resources
		mutate(&changed, rnd)
		changed.Resources = nsgs
		base, proposed := asserted(t, d, seed), asserted(t, changed, seed)
		if base == nil || proposed == nil {
			continue
		}
		both, _, err := SolvePair(base, proposed, Options{})
		if err != nil || together(both[0], both[1]) == nil || !both[1].pair.graphs.OnePlan() {
			continue
		}
		planned++
		for side, p := range []*model.Project{base, proposed} {
			apart, err := Solve(p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(passed(apart), passed(both[side])); diff != "" {
				t.Errorf("seed %d, side %d: who lets packets pass (-apart +together):\n%s", seed, side, diff)
			}
			for _, a := range p.Intent.Assertions {
				want, bad := apart.Check(a)
				got, worse := both[side].Check(a)
				if bad != nil || worse != nil {
					continue
				}
				if want.Verdict == Fail && len(want.Violations) > 0 {
					failing++
				}
				if len(want.BlockedBy) > 0 {
					blocked++
				}
				// Another packet may be the witness, and its way another one's.
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(AssertionResult{}, "Witness"), cmpopts.IgnoreFields(Flow{}, "Witness"), cmpopts.IgnoreUnexported(Flow{}), cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{}),
					cmpopts.SortSlices(func(a, b Packets) bool { return fmt.Sprint(a) < fmt.Sprint(b) })); diff != "" {
					t.Errorf("seed %d, side %d: %s (-apart +together):\n%s", seed, side, Statement(a), diff)
				}
			}
		}
	}
	t.Logf("%d planned once; %d failing, %d blocked", planned, failing, blocked)
	if least := int(estates) / 8; planned < least || failing < least || blocked < least/2 {
		t.Error("too few of some sort")
	}
}

// passed lists the rules and settings by which packets pass, with where each stands.
func passed(s *Solution) []string {
	var out []string
	for _, m := range s.flood(dataplane.Over).Met(nil, true) {
		out = append(out, m.Control.Key+" "+m.Part.Rule+" "+sourceText(m.Part.Source))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// lined puts a resource and its rules at lines of a file.
func lined(r model.Resource, line int) {
	at := func(s *model.Source, n int) { s.File, s.Line = "estate.json", line+n }
	switch r := r.(type) {
	case *model.NSG:
		at(&r.Source, 0)
		for i := range r.Rules {
			at(&r.Rules[i].Source, i+1)
		}
	case *model.RouteTable:
		at(&r.Source, 0)
		for i := range r.Routes {
			at(&r.Routes[i].Source, i+1)
		}
	case *model.VNet:
		at(&r.Source, 0)
		for i := range r.Peerings {
			at(&r.Peerings[i].Source, i+1)
		}
	case *model.Service:
		at(&r.Source, 0)
	case *model.Firewall:
		at(&r.Source, 0)
	default: // of the others nothing is asked
	}
}
