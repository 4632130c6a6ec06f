package pci

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// What 1.1.2 and 1.1.3 decide: the diagrams, and that they say what the estate does.

// networkDiagram asks that the committed diagram is current. It draws every pair of zones with a flow: one that is possible and not
// certain is drawn as such, so the picture is complete either way, and the items that judge the flow say unknown.
func (ev *Evidence) networkDiagram() []Part {
	p := ev.document(DocumentNetwork, "the committed network diagram shows every flow between two zones with the controls that it passes")
	if len(ev.in.Zones) == 0 {
		return []Part{unknownPart(p.Statement, "ringfence.yaml declares no zones")}
	}
	rows, err := ev.zoneRows()
	if err != nil {
		return []Part{unknownPart(p.Statement, err.Error())}
	}
	drawn := map[string]bool{}
	var open []string
	for _, r := range rows {
		if !ev.drawn(r.Src) && !ev.drawn(r.Dst) {
			continue
		}
		pair := r.Src + " -> " + r.Dst
		drawn[pair] = true
		if r.Verdict != solver.Reachable && !slices.Contains(open, pair) {
			open = append(open, pair)
		}
	}
	p.Subjects = len(drawn)
	p.Facts = append(p.Facts, count(len(drawn), "pair")+" of zones with a flow and an end in cde, data, dmz or management")
	if len(open) > 0 {
		p.Notes = append(p.Notes, "drawn as possible, not certain: "+strings.Join(open, ", "))
	}
	return []Part{p}
}

// drawn reports whether an end of a row of zones is of a kind that 1.1.2-a speaks of.
func (ev *Evidence) drawn(end string) bool {
	return slices.ContainsFunc(ev.in.Zones, func(z model.Zone) bool {
		return "zone:"+z.Name == end && slices.Contains([]model.ZoneKind{model.ZoneCDE, model.ZoneData, model.ZoneDMZ, model.ZoneManagement}, z.Kind)
	})
}

// wirelessDrawn asks that wireless networks are shown, or that somebody says there are none (1.1.2-b).
func (ev *Evidence) wirelessDrawn() []Part {
	const statement = "each wireless network is drawn with what it stands behind and what it reaches"
	var zones []model.Zone
	for _, z := range ev.in.Zones {
		if z.Kind == model.ZoneWireless {
			zones = append(zones, z)
		}
	}
	if len(zones) == 0 {
		n, ok := ev.none("wireless")
		switch {
		case !ok:
			p := unknownPart(statement, "ringfence.yaml declares no zone of kind wireless, and none.wireless does not say that there is none")
			p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "zones", Field: "wireless"}, Text: "nothing says whether there is a wireless network", Source: ev.in.Source.String(), Remedy: "declare the wireless network as a zone, or state `none: {wireless: {by, on, reason}}`"}}
			return []Part{p}
		case n.On.AddMonths(12).Before(ev.in.AsOf):
			return []Part{{Statement: "there is no wireless network", Verdict: ItemAttestationMissing, Reason: "none.wireless of " + n.On.String() + " is older than twelve months" + inBrackets(n.Source.String())}}
		}
		return []Part{{Statement: "there is no wireless network", Verdict: ItemAttested, Reason: fmt.Sprintf("%s, on %s: %s%s", n.By, n.On, n.Reason, inBrackets(n.Source.String()))}}
	}
	p := ev.document(DocumentNetwork, statement)
	p.Subjects = len(zones)
	rows, err := ev.zoneRows()
	if err != nil {
		return []Part{unknownPart(statement, err.Error())}
	}
	for _, z := range zones {
		behind := "behind nothing that is stated"
		if z.Behind != nil {
			behind = "behind " + z.Behind.Text
		}
		var to []string
		for _, r := range rows {
			if r.Src == "zone:"+z.Name && !slices.Contains(to, r.Dst) {
				to = append(to, r.Dst)
			}
		}
		p.Facts = append(p.Facts, "zone "+z.Name+", "+behind+": reaches "+cmp.Or(strings.Join(to, ", "), "nothing, proved"))
	}
	return []Part{p}
}

// workloadsDrawn asks that the flows within each cluster are shown (1.1.2-c).
func (ev *Evidence) workloadsDrawn() []Part {
	const statement = "the committed network diagram shows the flows of namespaces and workloads within each cluster"
	if len(ev.e.Clusters) == 0 {
		return []Part{ev.absent(statement, "clusters", "the input holds no cluster")}
	}
	p := ev.document(DocumentNetwork, statement)
	for _, c := range ev.e.Clusters {
		n := 0
		for _, w := range ev.e.Workloads {
			if w.Cluster.Is(c.ID) {
				n++
			}
		}
		if n == 0 {
			u := unknownPart(statement, "the input holds no manifests and no pods of cluster "+c.Name())
			u.Faults = []Fault{{Cause: Cause{Class: CauseNoPods, Of: string(c.ID)}, Subject: ev.refs.Of(model.SelCluster, c), Text: u.Reason, Source: c.Source.String(), Remedy: "add its manifests or a live import to the inputs"}}
			return []Part{u}
		}
		p.Subjects += n
		p.Facts = append(p.Facts, "cluster "+c.Name()+": "+count(n, "workload"))
	}
	return []Part{p}
}

// leg is one step of a declared data flow.
type leg struct {
	flow     model.DataFlow
	from, to model.Selector
}

func (l leg) String() string {
	return l.flow.Name + ": " + l.from.Text + " -> " + l.to.Text + " " + l.flow.Service.String()
}

// legs lists the steps of the declared data flows.
func (ev *Evidence) legs() []leg {
	var out []leg
	for _, f := range ev.in.DataFlows {
		from := f.From
		for _, to := range f.Path {
			out = append(out, leg{f, from, to})
			from = to
		}
	}
	return out
}

// protection is what a resource says of how data is protected.
type protection struct {
	says     string
	insecure bool // clear text, or a version below 1.2
	open     string
	source   model.Source
}

// dataFlowDiagram asks that the data-flow diagram is current and says how data is protected on each leg and in each store. What is read
// from a resource beats what is declared (1.1.3-a).
func (ev *Evidence) dataFlowDiagram() []Part {
	out := []Part{ev.document(DocumentDataFlow, "the committed data-flow diagram is the one that this run draws")}
	transit := Part{Statement: "each leg of the declared data flows is protected in transit", Subjects: len(ev.legs()), Table: &Table{Header: []string{"leg", "declared", "read"}}}
	if transit.Subjects == 0 {
		transit = unknownPart(transit.Statement, "dataFlows of ringfence.yaml is empty")
		transit.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "dataFlows"}, Text: transit.Reason, Source: ev.in.Source.String(), Remedy: "declare what cardholder data moves, and which way"}}
	}
	for _, l := range ev.legs() {
		read := ev.readTransit(l)
		transit.Table.Rows = append(transit.Table.Rows, []string{l.String(), cmp.Or(l.flow.InTransit, "nothing declared"), cmp.Or(read.says, read.open, "not read: declared")})
		f := Fault{Cause: Cause{Class: CauseIntent, Of: "dataFlows", Field: l.flow.Name}, Subject: l.String(), Source: l.flow.Source.String()}
		switch {
		case read.insecure:
			f.Cause, f.Source = Cause{Class: CauseNonTLS, Of: read.source.Resource.ShortName()}, read.source.String()
			f.Text = fmt.Sprintf("declared %s, but %s", cmp.Or(quotedOr(l.flow.InTransit), "nothing"), read.says)
			f.Remedy = "encrypt this leg, or correct the declaration"
		case read.open != "" && transit.Verdict == "":
			transit.Verdict, transit.Reason = ItemUnknown, read.open
			f.Text, f.Source = read.open, read.source.String()
		case read.says == "" && strings.TrimSpace(l.flow.InTransit) == "" && read.open == "":
			f.Text, f.Remedy = "nothing is declared and nothing can be read of its protection", "declare protection.inTransit"
		default:
			continue
		}
		transit.Faults = append(transit.Faults, f)
		if read.open == "" {
			transit.Verdict, transit.Reason = ItemFail, ""
		}
	}
	out = append(out, transit.judged())
	rest := Part{Statement: "each store of cardholder data is protected at rest", Subjects: len(ev.in.Stores), Table: &Table{Header: []string{"store", "declared", "read"}}}
	if rest.Subjects == 0 {
		return append(out, ev.absent(rest.Statement, "stores", "stores of ringfence.yaml is empty"))
	}
	for _, s := range ev.in.Stores {
		read := ev.readRest(s)
		rest.Table.Rows = append(rest.Table.Rows, []string{s.At.Text, cmp.Or(s.AtRest, "nothing declared"), cmp.Or(read.says, "not read: declared")})
		f := Fault{Cause: Cause{Class: CauseIntent, Of: "stores", Field: s.At.Text}, Subject: s.At.Text, Source: s.Source.String()}
		switch {
		case read.insecure:
			f.Cause, f.Source = Cause{Class: CauseSetting, Of: s.At.Text, Field: "encryption"}, read.source.String()
			f.Text, f.Remedy = fmt.Sprintf("declared `%s`, but %s", s.AtRest, read.says), "set the key, or correct the declaration"
		case read.says == "" && strings.TrimSpace(s.AtRest) == "":
			f.Text, f.Remedy = "nothing is declared and nothing can be read of its protection", "declare atRest"
		default:
			continue
		}
		rest.Faults = append(rest.Faults, f)
	}
	return append(out, rest.judged())
}

func quotedOr(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// found are the resources that a selector names.
func (ev *Evidence) found(sel model.Selector) []model.Resource {
	switch sel.Kind {
	case model.SelInternet, model.SelAny, model.SelZone, model.SelIP, model.SelCIDR, model.SelTag, model.SelFQDN:
		return nil
	default:
	}
	list, err := ev.e.Find(sel)
	if err != nil {
		return nil
	}
	var out []model.Resource
	for _, f := range list {
		out = append(out, f.Resource)
	}
	return out
}

// readTransit reads how a leg is protected off the resources at its ends: a gateway's listeners before it, its back-end settings behind
// it, the floor of a PaaS service.
func (ev *Evidence) readTransit(l leg) protection {
	for _, r := range ev.found(l.to) {
		switch x := r.(type) {
		case *model.AppGateway:
			return listenerProtection(x, l.flow.Service)
		case *model.Service:
			return serviceProtection(x)
		default:
		}
	}
	for _, r := range ev.found(l.from) {
		if x, ok := r.(*model.AppGateway); ok {
			return backEndProtection(x)
		}
	}
	return protection{}
}

// listenerProtection is what the listeners of a gateway take on the ports of a service (AZ-AGW-02, AZ-AGW-21).
func listenerProtection(g *model.AppGateway, service model.PortService) protection {
	out := protection{source: g.Source}
	out.source.Resource = g.ID
	for _, l := range g.Listeners {
		i := slices.IndexFunc(g.Ports, func(p model.AGWPort) bool { return p.ID.Is(l.Port) })
		if i < 0 || !service.IsAny() && (g.Ports[i].Port < service.Ports.First || g.Ports[i].Port > service.Ports.Last) {
			continue
		}
		src := l.Source
		src.Resource = g.ID
		if p := strings.ToLower(l.Protocol); p == "http" || p == "tcp" {
			return protection{says: "listener " + l.Name + " takes clear text (" + l.Protocol + ")", insecure: true, source: src}
		}
		version, floor := tlsFloor(g, l)
		if version > 0 && version < 12 {
			return protection{says: "listener " + l.Name + " takes " + floor, insecure: true, source: src}
		}
		out.says, out.source = "listener "+l.Name+" takes TLS"+orNothing(", ", floor), src
	}
	return out
}

// tlsFloor is the least version that a listener takes, as 10 times the number, and in words; 0 where the input does not say.
func tlsFloor(g *model.AppGateway, l model.AGWListener) (int, string) {
	policy := g.TLS
	for _, p := range g.TLSProfiles {
		if p.ID.Is(l.TLSProfile) && p.Policy.Type != "" {
			policy = p.Policy
		}
	}
	if v := policy.MinVersion; v != "" {
		return versionOf(v), v + " or later"
	}
	if policy.Name != "" {
		if v := predefinedFloor(policy.Name); v > 0 {
			return v, fmt.Sprintf("TLS 1.%d or later by %s", v-10, policy.Name)
		}
		return 0, "by policy " + policy.Name
	}
	return 0, ""
}

// predefinedFloor is the least version of a predefined policy of Application Gateway (AZ-AGW-21); 0: not known.
func predefinedFloor(name string) int {
	switch strings.ToLower(name) {
	case "appgwsslpolicy20150501":
		return 10
	case "appgwsslpolicy20170401":
		return 11
	case "appgwsslpolicy20170401s", "appgwsslpolicy20220101", "appgwsslpolicy20220101s":
		return 12
	default:
		return 0
	}
}

// versionOf reads `TLSv1_2`, `TLS1_2`, `1.2` as 12; 0: not a version.
func versionOf(s string) int {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	n, err := strconv.Atoi(digits)
	if err != nil || n < 10 || n > 13 {
		return 0
	}
	return n
}

// backEndProtection is how a gateway speaks to its back ends. Where its settings disagree, which of them serve the leg is not read.
func backEndProtection(g *model.AppGateway) protection {
	used := map[string]bool{}
	for _, r := range g.Rules {
		used[r.Setting.Key()] = true
	}
	for _, m := range g.PathMaps {
		used[m.DefaultSetting.Key()] = true
		for _, p := range m.Paths {
			used[p.Setting.Key()] = true
		}
	}
	var clear, secure []model.AGWSetting
	for _, s := range g.Settings {
		switch p := strings.ToLower(s.Protocol); {
		case !used[s.ID.Key()]:
		case p == "http" || p == "tcp":
			clear = append(clear, s)
		default:
			secure = append(secure, s)
		}
	}
	out := protection{source: g.Source}
	switch {
	case len(clear) > 0 && len(secure) > 0:
		out.open = "back-end settings " + clear[0].Name + " of " + g.Name() + " send clear text and " + secure[0].Name + " do not: which of them serve this leg is not read"
		out.source = clear[0].Source
	case len(clear) > 0:
		out.says, out.insecure, out.source = "back-end settings "+clear[0].Name+" send clear text ("+clear[0].Protocol+")", true, clear[0].Source
	case len(secure) > 0:
		out.says, out.source = "back-end settings "+secure[0].Name+" use TLS", secure[0].Source
	}
	out.source.Resource = g.ID
	return out
}

// serviceProtection is the TLS floor of a PaaS service (decisions.md, section 1.5).
func serviceProtection(s *model.Service) protection {
	out := protection{source: s.Source}
	out.source.Resource = s.ID
	switch v := versionOf(s.MinTLS); {
	case s.HTTPSOnly == model.Off:
		out.says, out.insecure = "it takes HTTP without TLS", true
	case s.MinTLS != "" && v > 0 && v < 12:
		out.says, out.insecure = "it takes "+s.MinTLS, true
	case v >= 12:
		out.says = "the service takes " + s.MinTLS + " or later"
	case s.Kind == model.KeyVault || s.Kind == model.LogAnalytics:
		out.says = "TLS, by the platform"
	}
	return out
}

// readRest reads how a store is encrypted. A key of the customer that is declared and not read is a fault.
func (ev *Evidence) readRest(s model.Store) protection {
	for _, r := range ev.found(s.At) {
		x, ok := r.(*model.Service)
		if !ok || x.AtRest == "" {
			continue
		}
		out := protection{says: "read: " + x.AtRest, source: x.Source}
		if declaresKey(s.AtRest) && !readsKey(x.AtRest) {
			out.says, out.insecure = "the resource says "+x.AtRest, true
		}
		return out
	}
	return protection{}
}

// declaresKey reports whether words promise a key of the customer; readsKey, whether a setting has one.
func declaresKey(words string) bool {
	l := strings.ToLower(words)
	return strings.Contains(l, "customer-managed") || strings.Contains(l, "customer managed") || strings.Contains(l, "cmk")
}

func readsKey(setting string) bool {
	l := strings.ToLower(setting)
	return strings.Contains(l, "keyvault") || strings.Contains(l, "vault.azure") || strings.Contains(l, "customer") || strings.Contains(l, "enabled")
}

// flowsOfData asks that each declared leg is possible, and that nothing but the declared reaches a store (1.1.3-b).
func (ev *Evidence) flowsOfData() []Part {
	var out []Part
	if len(ev.legs()) == 0 {
		p := unknownPart("each declared data flow is possible", "dataFlows of ringfence.yaml is empty")
		p.Faults = []Fault{{Cause: Cause{Class: CauseIntent, Of: "dataFlows"}, Text: p.Reason, Source: ev.in.Source.String(), Remedy: "declare what cardholder data moves, and which way"}}
		out = append(out, p)
	}
	for _, l := range ev.legs() {
		p := ev.possible(l)
		p.Statement = "data flow " + l.flow.Name + " (" + strings.Join(l.flow.Data, ", ") + "): " + p.Statement
		for i := range p.Faults {
			p.Faults[i].Source = cmp.Or(p.Faults[i].Source, l.flow.Source.String())
			p.Faults[i].Remedy = cmp.Or(p.Faults[i].Remedy, "open the way, or correct the declaration")
		}
		out = append(out, p)
	}
	if len(ev.in.Stores) == 0 {
		return append(out, ev.absent("nothing but the declared reaches a store", "stores", "stores of ringfence.yaml is empty"))
	}
	for _, s := range ev.in.Stores {
		from, names := ev.declaredSources(s)
		any := model.Selector{Kind: model.SelAny, Text: string(model.SelAny)}
		p := ev.denyDirect(append([]model.Selector{any}, not(from)...), []model.Selector{s.At}, ev.dataPorts(s)...)
		p.Statement = "nothing but what is declared opens a connection to store " + s.At.Text + ": " + p.Statement
		p.Facts = append(p.Facts, "declared: "+cmp.Or(strings.Join(names, ", "), "nothing"))
		for i := range p.Faults {
			p.Faults[i].Remedy = cmp.Or(p.Faults[i].Remedy, "declare the flow in dataFlows, or remove the rule that opens it")
		}
		out = append(out, p)
	}
	return out
}

// possible asks that a leg can be gone. Of a sender outside of the estate it is enough that some of its addresses may: what it sends from
// the others is nobody's promise.
func (ev *Evidence) possible(l leg) Part {
	outside := l.from.Kind == model.SelInternet || l.from.Kind == model.SelFQDN || slices.ContainsFunc(ev.in.Zones, func(z model.Zone) bool {
		return z.Kind.External() && l.from.Kind == model.SelZone && l.from.Parts[0] == z.Name
	})
	if !outside {
		return ev.must([]model.Selector{l.from}, []model.Selector{l.to}, l.flow.Service)
	}
	p := Part{Statement: l.from.Text + " can reach " + l.to.Text + " on " + l.flow.Service.String()}
	r, err := ev.s.Reach([]model.Selector{l.from}, []model.Selector{l.to}, []model.PortService{l.flow.Service}, false)
	switch {
	case err != nil:
		return unknownPart(p.Statement, err.Error())
	case r.Verdict == solver.Reachable:
		p.Verdict = ItemPass
		return p
	case r.Verdict == solver.Unreachable:
		f := Fault{Text: "no packet can be delivered"}
		if len(r.BlockedBy) > 0 {
			b := r.BlockedBy[0]
			rule := cmp.Or(b.Rule, b.Detail, b.Stage)
			f = Fault{Cause: Cause{Class: CauseAllow, Of: rule}, Subject: rule, Text: "blocked by " + rule + " at " + b.At, Source: b.Source}
		}
		p.Faults = append(p.Faults, f)
		return p.judged()
	}
	p = unknownPart(p.Statement, "possible, not certain")
	if facts := missing(r.Assumptions); len(facts) > 0 {
		p.Reason = assumptionText(facts[0])
		p.Faults = []Fault{{Cause: Cause{Class: CauseNoRef, Of: facts[0].ID}, Text: p.Reason}}
	}
	p.Assumptions = r.Assumptions
	return p
}

// dataPorts are the services on which data moves to a store; none declared: every one.
func (ev *Evidence) dataPorts(s model.Store) []model.PortService {
	var out []model.PortService
	for _, l := range ev.legs() {
		if l.to.Text == s.At.Text && !slices.Contains(out, l.flow.Service) {
			out = append(out, l.flow.Service)
		}
	}
	return out
}

// declaredSources are who may open connections to a store: the last element before it in a data flow, and what a `must` assertion or the
// bounds of a justification name as its administrators.
func (ev *Evidence) declaredSources(s model.Store) (from []model.Selector, names []string) {
	add := func(list ...model.Selector) {
		for _, x := range list {
			if !x.Not && !slices.Contains(names, x.Text) {
				from, names = append(from, x), append(names, x.Text)
			}
		}
	}
	is := func(list []model.Selector) bool {
		return slices.ContainsFunc(list, func(x model.Selector) bool { return !x.Not && x.Text == s.At.Text })
	}
	for _, l := range ev.legs() {
		if l.to.Text == s.At.Text {
			add(l.from)
		}
	}
	for _, a := range ev.in.Assertions {
		if a.Verb == model.VerbMust && is(a.To) {
			add(a.From...)
		}
	}
	for _, j := range ev.in.Justifications {
		if j.Allows != nil && is(j.Allows.To) && invalid(j, ev.in.AsOf) == "" {
			add(j.Allows.From...)
		}
	}
	return from, names
}

// diagramKept asks that the data-flow diagram is current, and that a pipeline sees to it (1.1.3-c).
func (ev *Evidence) diagramKept() []Part {
	out := []Part{ev.document(DocumentDataFlow, "the committed data-flow diagram is current")}
	p := Part{Statement: "a pipeline stops a change that does not bring the diagram with it"}
	var bad []string
	for _, x := range ev.facts.Pipelines {
		p.Subjects++
		i := -1
		if g := ev.facts.Git; g != nil {
			i = slices.IndexFunc(g.Files, func(f GitFile) bool { return f.Path == x.Path && !f.Tracked })
		}
		switch {
		case x.Missing:
			bad = append(bad, "there is no file "+x.Path)
		case i >= 0:
			bad = append(bad, x.Path+" is not committed")
		case len(x.Checks) == 0:
			bad = append(bad, x.Path+" runs neither `ringfence verify` nor `ringfence documents --check`")
		default:
			p.Facts = append(p.Facts, x.Checks...)
		}
	}
	switch {
	case len(p.Facts) > 0:
		p.Notes = append(p.Notes, bad...)
		return append(out, p.judged())
	case len(ev.in.Documents.Pipelines) > 0 && len(ev.facts.Pipelines) == 0:
		return append(out, unknownPart(p.Statement, "the pipeline files lie beside ringfence.yaml, and this run read the project from elsewhere"))
	}
	a := ev.attestation(p.Statement)
	if len(bad) > 0 {
		a.Notes = append(a.Notes, bad...)
	} else {
		a.Notes = append(a.Notes, "documents.pipelines of ringfence.yaml names no pipeline")
	}
	return append(out, a)
}
