package solver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver/dataplane"
	"github.com/ringfence/ringfence/solver/packet"
)

// ends lists the selectors of an assertion.
func (r *search) ends() []model.Selector { return slices.Concat(r.a.From, r.a.To) }

// opened is the project solved so that its ways can be opened (Options.Explain).
func (r *search) opened() (*Solution, string) {
	if *r.left <= 0 {
		return nil, "not looked for: the work that a run spends on changes was used up by assertions before it"
	}
	*r.left--
	o := r.s.o
	o.Progress, o.Alone, o.Explain, o.Questions = nil, false, true, r.ends()
	s, err := Solve(r.s.Project, o)
	if err != nil {
		return nil, "not looked for: " + err.Error()
	}
	return s, ""
}

// openers are edits of the smallest sets of rules and settings that would let a packet through which a `must` demands (AZ-GEN-12): one for
// the first connection that is missing.
func (r *search) openers(s *Solution) [][]edit {
	q, err := s.asked(r.a, &AssertionResult{})
	if err != nil {
		return nil
	}
	sub := s.lacking(q, r.a)
	if sub == nil {
		return nil
	}
	x := &explainer{s: s, q: sub, parts: map[string][]dataplane.Met{}}
	x.back = x.toTarget(x.world(dataplane.Hypothesis{Rules: true, Settings: true}, nil))
	sets, _ := x.opening()
	sets = slices.DeleteFunc(sets, func(set []string) bool { // what they would open is wider than one flow: routes, peerings, forwarding, ranges
		return slices.ContainsFunc(set, func(key string) bool {
			kind, _, _ := strings.Cut(key, "|")
			return !slices.Contains([]string{"rule", "firewall", "policy", "approval"}, kind)
		})
	})
	slices.SortFunc(sets, slices.Compare)
	var out [][]edit
	for _, set := range sets[:min(len(sets), mostCuts)] {
		var edits []edit
		for _, key := range set {
			e, ok := r.opens(s, key, x.parts[key])
			if !ok {
				edits = nil
				break
			}
			edits = append(edits, e)
		}
		if len(edits) > 0 {
			out = append(out, edits)
		}
	}
	return out
}

// lacking is the first connection that a `must` demands and that is not there for certain: one sender, one resource, one service.
func (s *Solution) lacking(q *query, a model.Assertion) *query {
	services := a.Services
	if len(services) == 0 {
		services = []model.PortService{{}}
	}
	for _, g := range s.sendersOf(q) {
		for _, t := range s.resourcesOf(a.To, q.to) {
			for _, svc := range services {
				sub := *q
				sub.direct = true // a way by packets: one over relays would open more
				sub.to, sub.service, sub.names = s.privately(t), s.serviceSet([]model.PortService{svc}), nil
				sub.from = &end{text: s.groups[g].ref, from: s.graph.From(slices.Clone(s.groups[g].origins)...), senders: s.groups[g].origins}
				if !s.covers(&sub, g, dataplane.Session) && (q.direct || !s.relayedCover(&sub)) {
					return &sub
				}
			}
		}
	}
	return nil
}

// privately is a resource by its private endpoints, where it has some: its public door need not open for them.
func (s *Solution) privately(t *end) *end {
	one := newEnd(t.text)
	one.hosts, one.sites = t.hosts, t.sites
	for n, set := range t.nodes {
		if s.graph.Nodes[n].Place.Kind == model.PlaceEndpoint {
			one.nodes[n] = set
		}
	}
	if len(one.nodes) == 0 {
		return t
	}
	return one
}

// opens is the edit that opens one rule or setting for the packets that it stops.
func (r *search) opens(s *Solution, key string, met []dataplane.Met) (edit, bool) {
	var stopped packet.Set
	var places []string
	for _, m := range met {
		stopped = s.graph.Space.Union(stopped, m.Packets)
		if ref := s.placeRef(m.Control.Place); !slices.Contains(places, ref) && len(places) < mostPlaces {
			places = append(places, ref)
		}
	}
	slices.Sort(places)
	e, ok := r.openedBy(s, key, met, stopped)
	e.change.At, e.change.Stage = places, met[0].Control.Stage
	return e, ok
}

func (r *search) openedBy(s *Solution, key string, met []dataplane.Met, stopped packet.Set) (edit, bool) {
	e, m := s.Project.Estate, met[0]
	name := ruleName("Allow", r.name)
	kind, rest, _ := strings.Cut(key, "|")
	switch kind {
	case "rule", "firewall":
		id, _, _ := strings.Cut(rest, "|")
		shapes, ok := s.openShapes(met, stopped)
		if !ok {
			return edit{}, false
		}
		if n, is := model.Get[*model.NSG](e, model.ID(id)); is {
			dir := model.Inbound
			if strings.HasPrefix(rest, id+"|"+model.Outbound.String()) {
				dir = model.Outbound
			}
			i := slices.IndexFunc(n.Rules, func(x model.SecurityRule) bool {
				return x.Direction == dir && strings.HasSuffix(m.Part.Rule, "/"+x.Name)
			})
			if i < 0 {
				return edit{}, false
			}
			return s.newRules(n, dir, model.Allow, name, shapes, n.Rules[i])
		}
		if f, is := model.Get[*model.Firewall](e, model.ID(id)); is {
			return s.firewallRule(f, model.Allow, name, shapes)
		}
	case "policy":
		id, word, _ := strings.Cut(rest, "|")
		if w, is := model.Get[*model.Workload](e, model.ID(id)); is {
			return s.admitting(w, word, strings.ToLower(name), stopped, m)
		}
	case "approval":
		if pe, is := model.Get[*model.PrivateEndpoint](e, model.ID(rest)); is {
			return edit{
				key: key, rank: rankRule,
				change: Change{Kind: "setting", Rule: pe.Name(), Source: sourceText(pe.Source), Change: "approve its connection: " + pe.State + " -> Approved"},
				apply: func(d *draft) bool {
					c, ok := drafted[model.PrivateEndpoint](d, pe.ID)
					if ok {
						c.State = "Approved"
					}
					return ok
				},
			}, true
		}
	default: // routes, peerings, forwarding, ranges: what they would open is wider than one flow
	}
	return edit{}, false
}

// admitting adds a NetworkPolicy that admits packets of one workload: policies are a union (K8S-NP-07), so that nothing else changes for it.
func (s *Solution) admitting(w *model.Workload, word, name string, stopped packet.Set, m dataplane.Met) (edit, bool) {
	if len(w.Labels) == 0 {
		return edit{}, false
	}
	field, dir := packet.Src, model.Inbound
	if word == "egress" {
		field, dir = packet.Dst, model.Outbound
	}
	peers, texts, ok := s.peersOf(stopped, field)
	if !ok {
		return edit{}, false
	}
	ports := s.portsOf(stopped)
	if ports == nil || len(ports) > mostPorts {
		return edit{}, false
	}
	boxes, _ := s.graph.Space.Boxes(s.graph.Space.Project(stopped, s.allBut(packet.Protocol)...), 1)
	if len(boxes) != 1 {
		return edit{}, false
	}
	protocols := protocols1(boxes[0].Protocol)
	if len(protocols) != 1 || !protocols[0].HasPorts() {
		return edit{}, false
	}
	rule := model.PolicyRule{Source: w.Source, Peers: peers}
	for _, p := range ports {
		rule.Ports = append(rule.Ports, model.PolicyPort{Source: w.Source, Protocol: protocols[0], Ports: model.PortRange{First: uint16(p.Lo), Last: uint16(p.Hi)}})
	}
	n := &model.NetworkPolicy{
		Meta:    model.Meta{ID: model.Kubernetes(w.Cluster.Name(), "NetworkPolicy", w.Namespace, name+"-"+word), Source: w.Source},
		Cluster: w.Cluster, Namespace: w.Namespace, Pods: model.LabelSelector{Match: w.Labels},
	}
	n.Isolates[dir] = true
	if dir == model.Inbound {
		n.Ingress = []model.PolicyRule{rule}
	} else {
		n.Egress = []model.PolicyRule{rule}
	}
	side := map[string]string{"ingress": "from", "egress": "to"}[word]
	return edit{
		key: "policy|" + n.ID.Key(), rank: rankNew,
		change: Change{
			Kind: "rule", Rule: w.Namespace + "/" + n.Name(), Source: sourceText(m.Part.Source), Detail: "beside " + m.Part.Rule,
			Change: fmt.Sprintf("a new NetworkPolicy for the pods of %s/%s: %s %s %s on %s", w.Namespace, w.Name(), word, side, strings.Join(texts, ", "), policyPorts(rule.Ports)),
		},
		apply: func(d *draft) bool {
			if _, taken := d.base.Lookup(n.ID); taken {
				return false
			}
			d.put(n)
			return true
		},
	}, true
}

// peersOf writes the addresses of one field as peers of a NetworkPolicy: blocks, and pods by their labels.
func (s *Solution) peersOf(set packet.Set, f packet.Field) (peers []model.PolicyPeer, texts []string, ok bool) {
	space := s.graph.Space
	boxes, total := space.Boxes(space.Project(set, s.allBut(f)...), boxCap)
	if total > boxCap {
		return nil, nil, false
	}
	block := func(p netip.Prefix) {
		peers, texts = append(peers, model.PolicyPeer{IPBlock: &model.IPBlock{CIDR: p}}), append(texts, p.String())
	}
	for _, b := range boxes {
		r := b.Src
		if f == packet.Dst {
			r = b.Dst
		}
		if r == nil {
			block(netip.MustParsePrefix("0.0.0.0/0"))
			continue
		}
		for _, p := range s.graph.Universe.Prefixes(r) {
			if !model.SymbolBlock().Overlaps(p) {
				block(p)
				continue
			}
			for a := p.Addr(); p.Contains(a); a = a.Next() {
				sym, is := s.symbols().At(a)
				if !is {
					break
				}
				w, pod := model.Get[*model.Workload](s.Project.Estate, sym.Owner)
				if !pod || sym.Kind != model.PodAddress || len(w.Labels) == 0 {
					return nil, nil, false
				}
				text := "the pods of " + w.Namespace + "/" + w.Name()
				if slices.Contains(texts, text) {
					continue
				}
				ns := model.LabelSelector{Match: map[string]string{"kubernetes.io/metadata.name": w.Namespace}}
				peers, texts = append(peers, model.PolicyPeer{Namespaces: &ns, Pods: &model.LabelSelector{Match: w.Labels}}), append(texts, text)
			}
		}
	}
	return peers, texts, len(peers) > 0 && len(peers) <= mostPrefixes
}
