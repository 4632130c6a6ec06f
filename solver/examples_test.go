package solver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/ringfence/ringfence/importers/azure"
	"github.com/ringfence/ringfence/importers/azure/azuretest"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/trace"
)

// The worked examples of docs/semantics/azure-network.md, from Azure's JSON on: importer, solver and interpreter. Each test has the ID of its
// example, each row says who says so: doc is Microsoft's verdict, der is derived from the rules.

// exampleRow is one line of an example: a question, and what the document says about it.
type exampleRow struct {
	from, to string // selectors
	service  string
	dial     string // the address that the client sends to, where that is not the target's own: a public address, a frontend
	port     string // the service there, where it is not that of the target (AZ-GEN-11)
	// want is `reachable`, `asymmetric` (delivered, and the reply does not return: over A, under D), `unreachable` or `unknown`. After a colon
	// stands the last rule that decided, or all of them in their order; for `unknown` an assumption that it rests on. Empty: the row is about
	// the next hop alone, and nobody has the address.
	want string
	walk string // verdict about the one packet that the client sends, where it is not that of the question; empty: the same
	hop  string // next hop of the first route, as Azure prints it; empty: not asked
}

// written imports resources and solves them, so that the questions of the rows can be asked.
func written(t *testing.T, resources []azuretest.Resource, rows []exampleRow) *Solution {
	t.Helper()
	return writtenWith(t, resources, rows, Options{}, nil)
}

func writtenWith(t *testing.T, resources []azuretest.Resource, rows []exampleRow, o Options, tags *model.ServiceTags) *Solution {
	t.Helper()
	fsys := azuretest.FS(resources...)
	az, err := azure.Import(fsys, azuretest.Files(fsys))
	if err != nil {
		t.Fatal(err)
	}
	e, err := model.NewEstate(az.Resources, az.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		for _, text := range []string{r.from, r.to, r.dial} {
			if text != "" {
				o.Questions = append(o.Questions, selectors(t, text)...)
			}
		}
	}
	s, err := Solve(&model.Project{Estate: e, Tags: tags}, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hold asks the solver and the interpreter every row.
func hold(t *testing.T, s *Solution, rows []exampleRow) {
	t.Helper()
	for _, r := range rows {
		question := fmt.Sprintf("%s to %s %s", r.from, r.to, r.service)
		if r.dial != "" {
			question += " by " + r.dial
		}
		svc := portService(t, r.service)
		verdict, reason, _ := strings.Cut(r.want, ": ")
		if r.want != "" {
			if got, why := s.reached(t, r, svc); got != verdict {
				t.Errorf("%s: the solver says %s, want %s\n%s", question, got, r.want, why)
			}
		}
		if r.walk != "" {
			verdict, reason = r.walk, ""
		}
		if r.port != "" {
			svc = portService(t, r.port)
		}
		s.walk(t, r, svc, question, verdict, reason)
	}
}

func portService(t *testing.T, text string) model.PortService {
	t.Helper()
	svc, err := model.ParsePortService(text)
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

// reached is the solver's verdict about a row, direct flows only.
func (s *Solution) reached(t *testing.T, r exampleRow, svc model.PortService) (verdict, why string) {
	t.Helper()
	reach, err := s.Reach(selectors(t, r.from), selectors(t, r.to), []model.PortService{svc}, true)
	if err != nil {
		t.Fatal(err)
	}
	verdict = reach.Verdict.String()
	if reach.Verdict == Reachable && !slices.ContainsFunc(reach.Flows, func(f Flow) bool { return f.Verdict == Reachable && f.Label == "" }) {
		verdict = "asymmetric"
	}
	if want, reason, _ := strings.Cut(r.want, ": "); want == "unknown" && reason != "" && !slices.ContainsFunc(reach.Assumptions, func(a Assumption) bool { return a.ID == reason }) {
		t.Errorf("%s to %s %s: the solver names %v, want %s", r.from, r.to, r.service, reach.Assumptions, reason)
	}
	for _, f := range reach.Flows {
		why += fmt.Sprintf("  %s %s to %s %s %+v\n", f.Verdict, f.From, f.To, f.Label, f.Packets)
	}
	for _, a := range reach.Assumptions {
		why += "  " + a.ID
	}
	return verdict, why
}

// walk asks the interpreter for one packet of a row.
func (s *Solution) walk(t *testing.T, r exampleRow, svc model.PortService, question, verdict, reason string) {
	t.Helper()
	from, to := selectors(t, r.from), selectors(t, r.to)
	if r.dial != "" {
		to = selectors(t, r.dial)
	}
	a, err := s.target(from)
	if err != nil {
		t.Fatal(err)
	}
	b := newEnd("")
	if r.want != "" {
		if b, err = s.target(to); err != nil {
			t.Fatal(err)
		}
	}
	p, _, err := s.packetOf(a, b, from, to, svc, "")
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	res := trace.Run(s.Project.Estate, s.traceOptions(false), p)
	var over, oneWay, session bool
	var decided []string
	var notes, hops []string
	for _, path := range res.Paths {
		notes = append(notes, path.Assumptions...)
		hops = append(hops, firstHop(path))
		if path.End == trace.Delivered && s.isTarget(path.At, r.to) {
			if !over || path.Certain && !oneWay {
				decided = rulesOf(path)
			}
			over, oneWay, session = true, oneWay || path.Certain, session || path.Session
		}
	}
	if !over && len(res.Paths) > 0 {
		decided = rulesOf(res.Paths[0])
	}
	got := map[bool]string{true: "unknown", false: "unreachable"}[over]
	switch {
	case session:
		got = "reachable"
	case oneWay:
		got = "asymmetric"
	}
	if got != verdict && r.want != "" {
		t.Errorf("%s: the interpreter says %s, want %s\n%s", question, got, r.want, walked(res))
	}
	switch {
	case reason == "":
	case verdict == "unknown":
		if !slices.Contains(notes, reason) {
			t.Errorf("%s: the interpreter names %v, want %s\n%s", question, notes, reason, walked(res))
		}
	case strings.Join(decided, ", ") != reason && (len(decided) == 0 || decided[len(decided)-1] != reason):
		t.Errorf("%s: decided by %v, want %s\n%s", question, decided, reason, walked(res))
	}
	slices.Sort(hops)
	if hop := strings.Join(slices.Compact(hops), " or "); r.hop != "" && hop != r.hop {
		t.Errorf("%s: next hop %s, want %s\n%s", question, hop, r.hop, walked(res))
	}
}

func address(text string) netip.Addr { return netip.MustParseAddr(text) }

// isTarget reports whether a packet that arrived at a place arrived at the target of a row.
func (s *Solution) isTarget(p model.Place, to string) bool {
	ref := s.placeRef(p)
	return strings.HasPrefix(to, "ip:") || strings.HasPrefix(to, "cidr:") || ref == to || strings.HasPrefix(ref, to+"/")
}

// rulesOf are the rules that decided on a path, in its order.
func rulesOf(p trace.Path) []string {
	var out []string
	for _, h := range p.Hops {
		if h.Rule != "" && h.Action != trace.Forward {
			out = append(out, h.Rule)
		}
	}
	return out
}

// firstHop is the next hop of the first route of a path.
func firstHop(p trace.Path) string {
	for _, h := range p.Hops {
		if h.Route == nil {
			continue
		}
		if h.Route.NextHopIP.IsValid() {
			return string(h.Route.NextHopType) + " " + h.Route.NextHopIP.String()
		}
		return string(h.Route.NextHopType)
	}
	return "none"
}

// walked prints the paths of a packet for failures.
func walked(r *trace.Result) string {
	var b strings.Builder
	for _, p := range r.Paths {
		fmt.Fprintf(&b, "  %s at %s %s, certain %v, session %v, %v\n", p.End, p.At.Kind, p.At.ID.ShortName(), p.Certain, p.Session, p.Assumptions)
		for _, h := range p.Hops {
			fmt.Fprintf(&b, "    %-20s %-8s %s %s %s", h.Stage, h.Action, h.At.ID.ShortName(), h.Rule, h.Detail)
			if h.Route != nil {
				fmt.Fprintf(&b, " %s -> %s %s", h.Route.Prefix, h.Route.NextHopType, h.Route.NextHopIP)
			}
			fmt.Fprintf(&b, " %s\n", h.Packet)
		}
	}
	return b.String()
}
