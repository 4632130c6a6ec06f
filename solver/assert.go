package solver

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// CheckAll decides every assertion of the intent, in its order. An estate without assertions proves nothing: that is the caller's to
// refuse. Errors are those of selectors.
func (s *Solution) CheckAll() ([]AssertionResult, error) {
	return s.CheckSome(s.Project.Intent.Assertions)
}

// CheckSome decides some assertions as CheckAll decides all.
func (s *Solution) CheckSome(list []model.Assertion) ([]AssertionResult, error) {
	out := []AssertionResult{}
	var errs []error
	if s.pair != nil && len(list) > 0 { // of a pair few are asked: what their senders send is less than everything
		s.focused = s.floodOf(s.asking(list))
		defer func() { s.focused = nil }()
	}
	for i, a := range list {
		s.progress(i, len(list), "assertion "+a.ID)
		r, err := s.Check(a)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, *r)
	}
	s.progress(len(list), len(list), "assertions")
	return out, errors.Join(append(errs, s.Err())...)
}

// asking is what the senders of some assertions can send, and relays, which may send for them.
func (s *Solution) asking(list []model.Assertion) packet.Set {
	var out []packet.Set
	for _, a := range list {
		if from, err := s.target(a.From); err == nil { // Check says what is wrong with the others
			out = append(out, from.from)
		}
	}
	for _, r := range s.relays {
		out = append(out, r.from)
	}
	return s.graph.Space.Union(out...)
}

// Check decides one assertion over all packets (AZ-GEN-09).
func (s *Solution) Check(a model.Assertion) (*AssertionResult, error) {
	out := &AssertionResult{
		ID: a.ID, Requirement: a.Requirement, Source: a.Source.String(), Statement: Statement(a), Violations: []Flow{}, Assumptions: []Assumption{}, Assertion: a,
	}
	q, err := s.asked(a, out)
	if err != nil {
		return nil, err
	}
	switch a.Verb {
	case model.VerbDeny, model.VerbOnly:
		s.decideDeny(q, out)
	case model.VerbMust:
		s.decideMust(q, a, out)
	case model.VerbThrough:
		s.decideDeny(q, out)
		if out.Verdict != Pass && out.Reason == "" {
			out.Reason = "there is a way round " + selText(a.Via)
		}
	default:
		return nil, &model.InputError{Source: a.Source, Field: "assertion " + a.ID, Found: string(a.Verb), Accepted: "deny, only, must or through"}
	}
	if out.Verdict == Undecided {
		s.hang(q, a, out)
	}
	if a.Verb == model.VerbDeny || a.Verb == model.VerbOnly {
		if !a.Existing {
			s.future(q, a, out)
		}
	}
	if len(out.Expired) > 0 && out.Verdict != Fail {
		out.Verdict = Fail
		out.Reason = "an exception has expired: " + strings.Join(out.Expired, "; ")
	}
	return out, s.Err()
}

// hang says what an undecided assertion hangs on: the fewest facts lead its assumptions.
func (s *Solution) hang(q *query, a model.Assertion, out *AssertionResult) {
	if a.Verb == model.VerbMust {
		if q = s.lacking(q, a); q == nil {
			return
		}
	}
	if out.Hinges = s.hinges(q); len(out.Hinges) == 0 {
		return
	}
	for i := range out.Hinges {
		switch h := &out.Hinges[i]; {
		case a.Verb != model.VerbMust:
			h.IfOpen = Fail.String()
			if h.Shut == Unreachable {
				h.IfShut = Pass.String()
			}
		case h.Shut == Unreachable:
			h.IfShut = Fail.String()
		}
	}
	var ids []string
	for _, x := range out.Assumptions {
		ids = append(ids, x.ID)
	}
	facts := out.Hinges[0].Facts
	out.Assumptions = first(s.assumptions(append(ids, facts...), true), facts)
}

// asked is an assertion as a question: what it forbids, or of a must what it demands. Exceptions that hold are taken out, and listed in out
// with those that have expired.
func (s *Solution) asked(a model.Assertion, out *AssertionResult) (*query, error) {
	from, err := s.target(a.From)
	if err != nil {
		return nil, assertionError(a, "from", err)
	}
	to, err := s.target(a.To)
	if err != nil {
		return nil, assertionError(a, "to", err)
	}
	q := s.newQuery(from, to)
	q.direct = a.DirectOnly
	q.service = s.serviceSet(a.Services)
	for _, w := range a.Except {
		if !s.o.AsOf.IsZero() && w.Expires.Before(s.o.AsOf) {
			out.Expired = append(out.Expired, fmt.Sprintf("exception of %s expired on %s (%s)", w.Owner, w.Expires, w.Source))
			continue
		}
		x, err := s.exception(w)
		if err != nil {
			return nil, assertionError(a, "except", err)
		}
		q.except = append(q.except, x)
		out.Waived = append(out.Waived, waiverText(w))
	}
	switch a.Verb {
	case model.VerbOnly:
		q.service = s.graph.Space.Complement(q.service)
	case model.VerbThrough:
		if err := s.goRound(q, a.Via); err != nil {
			return nil, assertionError(a, "via", err)
		}
	default:
	}
	return q, nil
}

func assertionError(a model.Assertion, field string, err error) error {
	if in, ok := errors.AsType[*model.InputError](err); ok && !in.Source.IsZero() {
		return &model.InputError{Source: in.Source, Field: "assertion " + a.ID + ": " + field, Found: in.Found, Accepted: in.Accepted, Err: in.Err}
	}
	return &model.InputError{Source: a.Source, Field: "assertion " + a.ID + ": " + field, Err: err}
}

func (s *Solution) exception(w model.Waiver) (exception, error) {
	x := exception{service: s.serviceSet(w.Services)}
	var err error
	if len(w.From) > 0 {
		if x.from, err = s.target(w.From); err != nil {
			return x, err
		}
	}
	if len(w.To) > 0 {
		if x.to, err = s.target(w.To); err != nil {
			return x, err
		}
	}
	return x, nil
}

func waiverText(w model.Waiver) string {
	var parts []string
	if len(w.From) > 0 {
		parts = append(parts, "from "+selText(w.From))
	}
	if len(w.To) > 0 {
		parts = append(parts, "to "+selText(w.To))
	}
	if len(w.Services) > 0 {
		parts = append(parts, servicesText(w.Services))
	}
	return fmt.Sprintf("%s until %s (%s: %s)", strings.Join(parts, ", "), w.Expires, w.Owner, w.Reason)
}

// Statement says an assertion in a sentence.
func Statement(a model.Assertion) string {
	from, to := selText(a.From), selText(a.To)
	direct := ""
	if a.DirectOnly {
		direct = " directly"
	}
	svc := servicesText(a.Services)
	switch a.Verb {
	case model.VerbDeny:
		if len(a.Services) == 0 {
			return fmt.Sprintf("%s must not reach %s%s", from, to, direct)
		}
		return fmt.Sprintf("%s must not reach %s on %s%s", from, to, svc, direct)
	case model.VerbOnly:
		return fmt.Sprintf("%s may reach %s on nothing but %s%s", from, to, svc, direct)
	case model.VerbMust:
		return fmt.Sprintf("%s must reach %s on %s", from, to, svc)
	default:
		return fmt.Sprintf("every path from %s to %s passes %s", from, to, selText(a.Via))
	}
}

// mostProofs is how many of the flows that break an assertion have a packet with its way each; in a graph of many nodes fewer, such that about
// as many nodes are walked.
const (
	mostProofs  = 20
	leastProofs = 2
	proofWork   = 20_000 // nodes
)

// decideDeny passes when nothing may be delivered, and fails when something is delivered for certain.
func (s *Solution) decideDeny(q *query, out *AssertionResult) {
	rows := s.rows(q)
	if !s.trial {
		q.proofs = min(mostProofs, max(leastProofs, proofWork/len(s.graph.Nodes)))
	}
	out.Violations = s.flows(q, rows)
	var notes []string
	switch {
	case len(rows) == 0:
		out.Verdict = Pass
	default:
		out.Verdict = Undecided
		for _, r := range rows {
			if !r.oneWay.Empty() {
				out.Verdict = Fail
			}
		}
		out.Witness, notes = s.witness(q, rows)
		if out.Witness == nil && out.Verdict == Fail {
			out.Verdict, out.Reason = Undecided, "the interpreter does not confirm the packet that the solver found: please report this input"
		}
	}
	if out.Verdict == Undecided {
		notes = append(append(notes, s.doubts(q, rows)...), s.graph.Notes...)
	} else {
		notes = append(notes, s.notesOf(q)...)
	}
	out.Assumptions = s.assumptions(notes, out.Verdict == Undecided)
}

// decideMust passes when every sender reaches, on every port of the services, some address of each resource, and the reply returns.
func (s *Solution) decideMust(q *query, a model.Assertion, out *AssertionResult) {
	services := a.Services
	if len(services) == 0 {
		services = []model.PortService{{}}
	}
	senders, resources := s.sendersOf(q), s.resourcesOf(a.To, q.to)
	if len(senders) == 0 || len(resources) == 0 {
		out.Verdict, out.Reason = Fail, "nothing that `from` names can send, or nothing that `to` names can receive"
		return
	}
	out.Verdict = Pass
	var missing []string
	var notes []string
	for _, g := range senders {
		for _, t := range resources {
			for _, svc := range services {
				sub := *q
				sub.to, sub.service, sub.names, sub.parts = t, s.serviceSet([]model.PortService{svc}), nil, nil
				sub.from = &end{text: s.groups[g].ref, from: s.graph.From(slices.Clone(s.groups[g].origins)...), senders: s.groups[g].origins}
				covered, possible := s.covers(&sub, g, dataplane.Session), true
				if !covered {
					possible = s.covers(&sub, g, dataplane.Over)
				}
				if !covered && !q.direct {
					covered = s.relayedCover(&sub)
					possible = possible || !covered && len(s.relayedRows(&sub)) > 0
				}
				if covered {
					if out.Witness == nil {
						if rows := s.rows(&sub); len(rows) > 0 {
							out.Witness, _ = s.witness(&sub, rows)
						}
					}
					continue
				}
				what := fmt.Sprintf("%s to %s on %s", s.groups[g].ref, t.text, svc)
				byName := s.misled(&sub, g)
				if byName {
					what += " by the address that its name has there"
					notes = append(notes, s.answerNotes(&sub, g)...)
				}
				missing = append(missing, what)
				if !possible {
					out.Verdict = Fail
				} else if out.Verdict == Pass {
					out.Verdict = Undecided
				}
				if byName {
					continue // nothing on the way to its other addresses is to blame
				}
				if possible {
					notes = append(notes, s.doubts(&sub, s.rows(&sub))...)
					continue
				}
				blockers, more := s.blockers(&sub)
				out.BlockedBy = append(out.BlockedBy, blockers...)
				notes = append(notes, more...)
			}
		}
	}
	if len(missing) > 0 {
		out.Reason = "not reached for certain: " + strings.Join(missing, "; ")
		out.Witness = nil
	}
	if out.Verdict != Undecided {
		notes = append(notes, s.notesOf(q)...)
	}
	out.Assumptions = s.assumptions(append(notes, s.graph.Notes...), out.Verdict == Undecided)
}

// sendersOf lists the senders of a question as groups.
func (s *Solution) sendersOf(q *query) []int {
	var out []int
	for _, o := range q.from.senders {
		out = append(out, s.groupOf[o])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// resourcesOf splits a target into the resources that its selectors name: one of a service's doors suffices for it.
func (s *Solution) resourcesOf(sels []model.Selector, whole *end) []*end {
	var out []*end
	for _, sel := range sels {
		if sel.Not {
			return []*end{whole}
		}
	}
	for _, sel := range sels {
		e, err := s.resolve(sel)
		if err != nil {
			continue // target resolved it before
		}
		switch sel.Kind {
		case model.SelZone, model.SelVNet, model.SelSubnet, model.SelNamespace, model.SelCluster:
			for _, site := range e.sites {
				if _, ok := e.nodes[site.Receive]; !ok {
					continue
				}
				one := newEnd(s.siteRef(site))
				one.nodes[site.Receive] = e.nodes[site.Receive]
				one.sites = []*dataplane.Site{site}
				out = append(out, one)
			}
		default:
			out = append(out, e)
		}
	}
	return out
}

// covers reports whether, in one bound, every placement of a sender delivers every source address and port of the services to some
// address of the target. It reads the packets as they were sent, before any translation. A service is found by one of its names, which
// leads each sender where its own DNS says (AZ-DNS-03).
func (s *Solution) covers(q *query, g int, b dataplane.Bound) bool {
	if len(q.to.hosts) == 0 {
		return s.coversBy(q, g, b, "")
	}
	return slices.ContainsFunc(q.to.hosts, func(host string) bool { return s.coversBy(q, g, b, host) })
}

func (s *Solution) coversBy(q *query, g int, b dataplane.Bound, host string) bool {
	space := s.graph.Space
	f := q.floods(b)
	arrived := s.arriving(q, b, q.from.from)
	if len(arrived) == 0 {
		return false
	}
	foreign, asked := s.foreign(q.to), false
	for _, placement := range s.groups[g].placements {
		for _, o := range placement {
			mine := s.graph.From(o)
			if space.Subset(s.graph.Sent(o), foreign) {
				continue // of a machine with addresses of both families, those of the other one
			}
			asked = true
			targets := map[dataplane.NodeID]packet.Set{}
			for n, set := range arrived {
				targets[n] = space.Intersect(set, mine)
			}
			sent := f.Back(targets, mine)[s.graph.Origins[o].Site.Send]
			for _, to := range s.ways(o, host, b) {
				if !s.coversAll(q, o, space.Intersect(sent, to), foreign) {
					return false
				}
			}
		}
	}
	return asked
}

// ways are the destinations, each of which a sender must reach, to reach a service by a name: any of the addresses that its DNS answers.
// What servers answer that the input does not describe may be each of them (ASM-E-DNSCUSTOM).
func (s *Solution) ways(origin int, host string, b dataplane.Bound) []packet.Set {
	space := s.graph.Space
	to, unknown, ok := s.graph.Answers(origin, host)
	switch {
	case host == "" || !ok || unknown != "" && b == dataplane.Over:
		return []packet.Set{space.All()}
	case unknown != "" && len(to) > 0:
		return to
	}
	return []packet.Set{space.Union(to...)}
}

// coversAll reports whether what arrives of what an origin sent has every source address and port of the services, those of a foreign family
// aside.
func (s *Solution) coversAll(q *query, o int, sent, foreign packet.Set) bool {
	space := s.graph.Space
	// For every source address and port there is some destination, source port and name that arrives.
	have := s.projectTags(space.Project(sent, packet.Dst, packet.SPort, packet.Name))
	want := s.projectTags(space.Project(space.Subtract(space.Intersect(s.graph.Sent(o), q.service), foreign), packet.Dst, packet.SPort, packet.Name))
	if want.Empty() {
		return false
	}
	if space.Subset(want, have) {
		return true
	}
	// A translation may change the port on the way: then every source address must arrive on some port of its own choice.
	return single(q.service, space) && space.Subset(space.Project(want, packet.DPort), space.Project(have, packet.DPort))
}

// foreign is the packets from addresses of a family of which a target has none: nobody has an address there to send to (AZ-V6-01).
func (s *Solution) foreign(to *end) packet.Set {
	var four, six bool
	from, towards := s.ofFamilies()
	count := func(isSix bool, set packet.Set) { // of an end, only some addresses may count
		if isSix {
			six = six || !s.graph.Space.Disjoint(set, towards[1])
		} else {
			four = four || !s.graph.Space.Subset(set, towards[1])
		}
	}
	for _, x := range s.graph.Sites {
		set, ok := to.nodes[x.Receive]
		if x.Receive < 0 || !ok {
			continue
		}
		for _, p := range x.Prefixes {
			// What the input gives no address has one of IPv4 at least.
			count(p.Addr().Is6() && !model.SymbolBlock().Contains(p.Addr()), set)
		}
	}
	for _, set := range to.entry {
		count(s.graph.Space.Subset(set, towards[1]), set)
	}
	switch {
	case four == six:
		return packet.Set{}
	case four:
		return from[1]
	default:
		return from[0]
	}
}

// ofFamilies is the packets from, and to, addresses of IPv4 and of IPv6; those whose address the input does not state are in neither.
func (s *Solution) ofFamilies() (from, to [2]packet.Set) {
	if s.families == nil {
		var rs [2][]packet.Range
		for c := range uint32(s.graph.Universe.Classes()) {
			a := s.graph.Universe.Example(c)
			switch {
			case model.SymbolBlock().Contains(a):
			case a.Is4():
				rs[0] = append(rs[0], packet.Range{Lo: c, Hi: c})
			default:
				rs[1] = append(rs[1], packet.Range{Lo: c, Hi: c})
			}
		}
		s.families = &[2][2]packet.Set{}
		for i, r := range rs {
			s.families[0][i], s.families[1][i] = s.graph.Space.Box(packet.Box{Src: r}), s.graph.Space.Box(packet.Box{Dst: r})
		}
	}
	return s.families[0], s.families[1]
}

// misled reports whether a sender reaches a service by its addresses and not by its names (AZ-DNS-03).
func (s *Solution) misled(q *query, g int) bool {
	return len(q.to.hosts) > 0 && s.coversBy(q, g, dataplane.Session, "")
}

// answerNotes are the assumptions on which what a sender gets for the names of a service rests.
func (s *Solution) answerNotes(q *query, g int) (notes []string) {
	for _, o := range s.groups[g].origins {
		for _, h := range q.to.hosts {
			if _, unknown, ok := s.graph.Answers(o, h); ok && unknown != "" {
				notes = append(notes, unknown)
			}
		}
	}
	slices.Sort(notes)
	return slices.Compact(notes)
}

// single reports whether a set of services is one port of one protocol.
func single(set packet.Set, space *packet.Space) bool {
	boxes, total := space.Boxes(set, 2)
	if total != 1 || len(boxes) != 1 {
		return false
	}
	b := boxes[0]
	one := func(r []packet.Range) bool { return len(r) == 1 && r[0].Lo == r[0].Hi }
	return one(b.Protocol) && one(b.DPort)
}

// projectTags frees every tag of a set.
func (s *Solution) projectTags(set packet.Set) packet.Set {
	var fields []packet.Field
	for _, n := range s.graph.Universe.TagNames() {
		if f, ok := s.graph.Universe.Tag(n); ok {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return set
	}
	return s.graph.Space.Project(set, fields...)
}

// relayedCover reports whether a chain of relays reaches the target for certain, replies included.
func (s *Solution) relayedCover(q *query) bool {
	for i := range s.chains(q, dataplane.Session) {
		for _, set := range s.arriving(q, dataplane.Session, s.relays[i].from) {
			if !set.Empty() {
				return true
			}
		}
	}
	return false
}

// goRound asks for the ways past the named places. Every path passes one of them, which is to say that they dominate the target, when nothing
// may arrive with them taken out of the forwarding graph. Relays among them are out of use, so that a chain must pass a place on some leg
// (AZ-REL-09). The places count as running in both bounds (AZ-REL-08).
func (s *Solution) goRound(q *query, via []model.Selector) error {
	places, err := s.places(via)
	if err != nil {
		return err
	}
	q.avoid = places
	q.floods = func(b dataplane.Bound) *dataplane.Flood { return s.floodRound(b, places...) }
	return nil
}
