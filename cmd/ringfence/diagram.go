package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/diagram"
	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/diagram/protection"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

func diagramCommand() *cli.Command {
	return &cli.Command{
		Name: "diagram", Usage: "draw the network or the cardholder data flows", ArgsUsage: "network|dataflow [PROJECT]",
		Flags: append(append(loadFlags(), outputFlag()),
			&cli.StringFlag{Name: "level", Usage: "draw the network at one `LEVEL`: zone, subnet or workload (default: zones, then workloads)"},
			&cli.StringSliceFlag{Name: "focus", Usage: "only flows from and to `SELECTOR` (repeatable)"},
			&cli.StringFlag{Name: "show", Usage: "`denied`: draw where there is no path too, from and to the CDE and its data, or the focus"},
			&cli.StringFlag{Name: "keep-positions", Usage: "leave boxes where they stand in `FILE`, an older draw.io drawing (drawio)"},
			&cli.StringFlag{Name: "check", Usage: "exit 1 with a short difference when `FILE` is not what would be drawn now"},
			formatFlag(diagramFormats()...),
		),
		Action: runDiagram,
	}
}

func diagramFormats() []string {
	return []string{"svg", "png", "pdf", "dot", "mermaid", "drawio", "json"}
}

func runDiagram(c *cli.Context) error {
	f, err := format(c, diagramFormats()...)
	if err != nil {
		return err
	}
	kind := c.Args().First()
	if kind != string(diagram.NetworkDiagram) && kind != string(diagram.DataFlowDiagram) {
		return usage("diagram `%s`: want network or dataflow", kind)
	}
	if len(c.StringSlice("i")) > 0 {
		return usage("diagram needs a project: zones and data flows stand in its ringfence.yaml; -i has none")
	}
	if c.String("check") != "" && c.String("o") != "" {
		return usage("--check and -o exclude each other")
	}
	if l := diagram.Level(c.String("level")); l != diagram.EveryLevel && !slices.Contains(diagram.Levels(), l) {
		return usage("--level %s: want zone, subnet or workload", l)
	}
	if show := c.String("show"); show != "" && show != "denied" {
		return usage("--show %s: want denied", show)
	}
	if kind == string(diagram.DataFlowDiagram) && (c.IsSet("level") || c.IsSet("focus") || c.IsSet("show")) {
		return usage("--level, --focus and --show are of the network diagram: data flows are drawn as they are declared")
	}
	s, err := solve(c, 1, solver.Options{})
	if err != nil {
		return err
	}
	in, err := diagramInput(s, nil)
	if err != nil {
		return err
	}
	if in.View, err = viewOf(c, s, diagram.Kind(kind)); err != nil {
		return err
	}
	d, err := draw(diagram.Kind(kind), in)
	if err != nil {
		return err
	}
	keep, err := positions(c, f)
	if err != nil {
		return err
	}
	data, err := render(d, f, keep)
	if err != nil {
		return err
	}
	if name := c.String("check"); name != "" {
		return checkDocument(name, data)
	}
	return emit(c, data)
}

// viewOf reads which part of a diagram is asked for.
func viewOf(c *cli.Context, s *solver.Solution, kind diagram.Kind) (diagram.View, error) {
	v := diagram.View{Level: diagram.Level(c.String("level")), Denied: c.String("show") == "denied"}
	texts := c.StringSlice("focus")
	if kind != diagram.NetworkDiagram || len(texts) == 0 {
		return v, nil
	}
	sels, err := model.ParseSelectors(texts)
	if err != nil {
		return v, usage("--focus: %v", err)
	}
	for _, sel := range sels {
		refs, err := focusRefs(s, sel)
		if err != nil {
			return v, usage("--focus %s: %v", sel.Text, err)
		}
		v.Focus = append(v.Focus, refs...)
	}
	v.Name = strings.Join(texts, ", ")
	return v, nil
}

// focusRefs lists what a selector names, as the diagram refers to it.
func focusRefs(s *solver.Solution, sel model.Selector) ([]string, error) {
	zones, unzoned := s.Zones()
	all := slices.Clone(unzoned)
	for _, z := range zones {
		all = append(all, z.Members...)
	}
	var out []string
	switch sel.Kind {
	case model.SelInternet:
		return []string{"internet"}, nil
	case model.SelAny, model.SelTag, model.SelFQDN:
		return nil, fmt.Errorf("want something of the estate, such as zone:NAME, subnet:VNET/NAME or pod:NAMESPACE/NAME")
	case model.SelZone:
		var names []string
		for _, z := range zones {
			if z.Zone.Name == strings.Join(sel.Parts, "/") {
				if z.Zone.Kind == model.ZoneInternet {
					return []string{"internet"}, nil
				}
				return []string{"zone:" + z.Zone.Name}, nil
			}
			names = append(names, "zone:"+z.Zone.Name)
		}
		return nil, fmt.Errorf("no such zone; declared are %s", strings.Join(names, ", "))
	case model.SelCIDR, model.SelIP:
		for _, m := range all {
			if slices.ContainsFunc(m.Prefixes, sel.Prefix.Overlaps) {
				out = append(out, m.Ref)
			}
		}
	default:
		found, err := s.Project.Estate.Find(sel)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			for _, m := range all {
				if partOf(s.Project.Estate, m, f) {
					out = append(out, m.Ref)
				}
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("nothing there sends or receives")
	}
	return out, nil
}

// partOf reports whether an endpoint is what was found, or part of it.
func partOf(e *model.Estate, m solver.Endpoint, f model.Found) bool {
	id := f.Resource.ResourceID().Key()
	switch {
	case f.Pool != "":
		return m.Place.Part == f.Pool && (m.Place.Kind == model.PlaceNodePool && m.Place.ID.Key() == id || m.Place.Kind == model.PlacePod)
	case m.Place.ID.Key() == id || m.Subnet != "" && (m.Subnet.Key() == id || m.Subnet.Parent().Key() == id):
		return true
	}
	switch r := f.Resource.(type) {
	case *model.VM:
		return slices.ContainsFunc(r.NICs, func(n model.ID) bool { return n.Key() == m.Place.ID.Key() })
	case *model.Service:
		pe, ok := model.Get[*model.PrivateEndpoint](e, m.Place.ID)
		return ok && pe.Target.Key() == id
	case *model.Namespace:
		w, ok := model.Get[*model.Workload](e, m.Place.ID)
		return ok && w.Namespace == r.Name() && w.Cluster.Key() == r.Cluster.Key()
	case *model.Cluster:
		w, ok := model.Get[*model.Workload](e, m.Place.ID)
		return ok && w.Cluster.Key() == id
	default:
		return false
	}
}

// checkDocument compares a committed document with what would be made now.
func checkDocument(name string, now []byte) error {
	committed, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &exitError{exitFail, fmt.Sprintf("%s does not exist; write it with -o %s", name, name)}
	}
	if err != nil {
		return fmt.Errorf("read the committed document: %w", err)
	}
	if diff := diagram.Check(now, committed); diff != "" {
		return &exitError{exitFail, fmt.Sprintf("%s is stale:\n%s", name, diff)}
	}
	return nil
}

func draw(kind diagram.Kind, in diagram.Input) (*diagram.Diagram, error) {
	if kind == diagram.NetworkDiagram {
		return diagram.Network(in)
	}
	return diagram.DataFlow(in)
}

// positions reads where boxes are to stay. A drawing that is checked keeps its own.
func positions(c *cli.Context, format string) (*diagram.Positions, error) {
	name, check := c.String("keep-positions"), c.String("check")
	if name != "" && format != "drawio" {
		return nil, usage("--keep-positions is of --format drawio; other formats are laid out anew each time")
	}
	if name == "" && format == "drawio" && check != "" {
		if _, err := os.Stat(check); err == nil {
			name = check
		}
	}
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the drawing whose positions to keep: %w", err)
	}
	keep, err := diagram.ReadPositions(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return keep, nil
}

func render(d *diagram.Diagram, format string, keep *diagram.Positions) ([]byte, error) {
	switch format {
	case "svg":
		return d.SVG()
	case "png":
		return d.PNG()
	case "pdf":
		return d.PDF()
	case "drawio":
		return d.DrawIO(keep)
	case "dot":
		return d.DOT(), nil
	case "mermaid":
		return d.Mermaid(), nil
	default:
		return d.JSON()
	}
}

// sheets are the pictures of a run, and what its report can be asked.
type sheets struct {
	network, dataflow []byte       // whole documents
	panels            pci.Diagrams // each panel by itself, for the report
	explored          *pci.Exploration
}

// drafts are the diagrams that a run has drawn, and what they were drawn from, so that each is drawn once.
type drafts map[diagram.Kind]*draft

type draft struct {
	in      diagram.Input
	diagram *diagram.Diagram
}

// draw draws a diagram, once. r, where a run has one, saves computing its parts again.
func (d drafts) draw(s *solver.Solution, r *pci.Result, kind diagram.Kind) (*diagram.Diagram, error) {
	if x := d[kind]; x != nil {
		return x.diagram, nil
	}
	var in diagram.Input
	for _, x := range d {
		in = x.in // all are drawn from the same
	}
	if len(d) == 0 {
		var err error
		if in, err = diagramInput(s, r); err != nil {
			return nil, err
		}
	}
	drawn, err := draw(kind, in)
	if err != nil {
		return nil, fmt.Errorf("draw the %s diagram: %w", kind, err)
	}
	d[kind] = &draft{in, drawn}
	return drawn, nil
}

// drawAll draws both diagrams of a run, and answers ahead what its report is asked.
func drawAll(s *solved, r *pci.Result) (*sheets, error) {
	out := &sheets{}
	for _, kind := range []diagram.Kind{diagram.NetworkDiagram, diagram.DataFlowDiagram} {
		d, err := s.drafts.draw(s.Solution, r, kind)
		if err != nil {
			return nil, err
		}
		whole, err := d.SVG()
		if err != nil {
			return nil, fmt.Errorf("draw the %s diagram: %w", kind, err)
		}
		panels, err := d.Figures()
		if err != nil {
			return nil, fmt.Errorf("draw the %s diagram: %w", kind, err)
		}
		if kind == diagram.NetworkDiagram {
			out.network, out.panels.Network = whole, panels
		} else {
			out.dataflow, out.panels.DataFlow = whole, panels
		}
	}
	var err error
	out.explored, err = pci.Explore(s.Solution, r, out.panels)
	return out, err
}

// diagramInput turns what was solved into what is drawn. r, where a run has one, saves computing its parts again.
func diagramInput(s *solver.Solution, r *pci.Result) (diagram.Input, error) {
	p := s.Project
	in := diagram.Input{
		Project: p.Intent.Name, AsOf: p.Intent.AsOf.String(), Hash: inputsHash(p.Inputs), Tool: "ringfence " + toolVersion(),
		Standard: cmp.Or(p.Intent.Standard, "pci-dss-4.0.1"),
	}
	zones, unzoned := s.Zones()
	for _, z := range zones {
		info := diagram.ZoneInfo{Name: z.Zone.Name, Kind: string(z.Zone.Kind), Owner: z.Zone.Owner}
		outside := externalBlocks(z.Zone)
		info.Members = outside
		for _, m := range z.Members {
			if len(outside) > 0 && m.Place.Kind != model.PlaceNIC && m.Place.Kind != model.PlaceSubnet { // the connection that the blocks lie behind
				continue
			}
			info.Members = append(info.Members, memberInfo(p, m))
		}
		in.Zones = append(in.Zones, info)
	}
	for _, m := range unzoned {
		switch m.Place.Kind {
		case model.PlaceFirewall, model.PlaceGateway, model.PlaceBastion, model.PlaceAppGateway:
			in.Controls = append(in.Controls, memberInfo(p, m))
		default:
		}
	}
	in.Subnets = subnetInfos(p.Estate)
	var err error
	if r != nil {
		in.Rows = r.Matrix
	} else if len(p.Intent.Zones) > 0 {
		if in.Rows, err = s.Matrix(solver.ByZone, nil, false); err != nil {
			return in, err
		}
	}
	if in.Members, err = s.Matrix(solver.ByEndpoint, nil, false); err != nil {
		return in, err
	}
	flows := []pci.DataFlow(nil)
	if r != nil {
		flows = r.DataFlows
	} else if flows, err = pci.DataFlows(s); err != nil {
		return in, err
	}
	for i, f := range flows {
		info := diagram.FlowInfo{Name: f.Name, Data: f.Data, InTransit: f.InTransit, AtRest: f.AtRest}
		declared := p.Intent.DataFlows[i]
		from := declared.From
		for j, l := range f.Legs {
			leg := diagram.LegInfo{From: l.From, To: l.To, Service: l.Service, Verdict: l.Verdict, Via: l.Via, Reason: l.Reason}
			read := protection.InTransit(p.Estate, from, declared.Path[j], declared.Service)
			leg.Read, leg.ReadFrom, leg.Weak = read.Text, read.From, read.Weak
			info.Legs = append(info.Legs, leg)
			from = declared.Path[j]
		}
		in.Flows = append(in.Flows, info)
	}
	for _, st := range p.Intent.Stores {
		in.Stores = append(in.Stores, storeInfo(p.Estate, st))
	}
	in.Declared = declarations(s)
	return in, nil
}

// storeInfo is a store with its doors and what its resource says of its protection.
func storeInfo(e *model.Estate, st model.Store) diagram.StoreInfo {
	info := diagram.StoreInfo{Ref: st.At.Text, Data: st.Data, AtRest: st.AtRest}
	read := protection.AtRest(e, st.At)
	info.Read, info.ReadFrom, info.Weak = read.Text, read.From, read.Weak
	if info.Read != "" && protection.CustomerKey(st.AtRest) && !protection.CustomerKey(info.Read) {
		info.Weak = fmt.Sprintf("declared is `%s`, read is `%s`", st.AtRest, info.Read)
	}
	if st.At.Kind != model.SelService {
		return info
	}
	found, err := e.Find(st.At)
	if err != nil {
		return info
	}
	refs := model.NewRefs(e)
	for _, f := range found {
		for _, pe := range e.Endpoints {
			if pe.Target.Key() == f.Resource.ResourceID().Key() {
				info.Doors = append(info.Doors, refs.Of(model.SelEndpoint, pe))
			}
		}
	}
	return info
}

// declarations lists what may reach a store of cardholder data: legs of data flows, and what an assertion or a justification admits.
func declarations(s *solver.Solution) []diagram.DeclaredInfo {
	out := []diagram.DeclaredInfo{}
	refs := func(list []model.Selector) []string {
		var out []string
		for _, not := range []bool{false, true} {
			for _, sel := range list {
				if sel.Not != not {
					continue
				}
				sel.Not = false
				found, err := focusRefs(s, sel)
				if sel.Kind == model.SelAny || err != nil {
					continue // names nobody in particular
				}
				if not {
					out = slices.DeleteFunc(out, func(r string) bool { return slices.Contains(found, r) })
				} else {
					out = append(out, found...)
				}
			}
		}
		return out
	}
	add := func(from, to []model.Selector, services []model.PortService) {
		out = append(out, diagram.DeclaredInfo{From: refs(from), To: refs(to), Services: services})
	}
	in := s.Project.Intent
	for _, f := range in.DataFlows {
		from := f.From
		for _, to := range f.Path {
			add([]model.Selector{from}, []model.Selector{to}, []model.PortService{f.Service})
			from = to
		}
	}
	for _, a := range in.Assertions {
		if a.Verb == model.VerbMust {
			add(a.From, a.To, a.Services)
		}
	}
	for _, j := range in.Justifications {
		if expired := !j.Expires.IsZero() && j.Expires.Before(in.AsOf); !expired && j.Allows != nil && len(j.Allows.From) > 0 && len(j.Allows.To) > 0 {
			add(j.Allows.From, j.Allows.To, j.Allows.Services)
		}
	}
	return out
}

// externalBlocks lists the address blocks of an external zone as its members.
func externalBlocks(z model.Zone) []diagram.MemberInfo {
	if !z.Kind.External() {
		return nil
	}
	var out []diagram.MemberInfo
	for _, m := range z.Members {
		if m.Prefix.IsValid() {
			info := diagram.MemberInfo{Ref: "cidr:" + m.Prefix.String(), Kind: "cidr"}
			if z.Behind != nil {
				info.Label = "behind " + label.Name(z.Behind.Text)
			}
			out = append(out, info)
		}
	}
	return out
}

func memberInfo(p *model.Project, m solver.Endpoint) diagram.MemberInfo {
	info := diagram.MemberInfo{Ref: m.Ref}
	if m.Subnet != "" {
		info.VNet, info.Subnet = m.Subnet.Parent().Name(), m.Subnet.Name()
		if s, ok := model.Get[*model.Subnet](p.Estate, m.Subnet); ok && m.Place.Kind == model.PlaceSubnet && len(s.Prefixes) > 0 {
			info.Label = s.Prefixes[0].String()
		}
	}
	if len(m.Prefixes) == 1 && m.Prefixes[0].IsSingleIP() {
		info.Label = m.Prefixes[0].Addr().String()
	}
	info.Badges, info.Filters = controlBadges(p.Estate, m), filters(p.Estate, m)
	return info
}

// subnetInfos lists what stands at the border of each subnet.
func subnetInfos(e *model.Estate) []diagram.SubnetInfo {
	var out []diagram.SubnetInfo
	for _, s := range e.Subnets {
		info := diagram.SubnetInfo{VNet: s.VNet.Name(), Subnet: s.Name(), RouteTable: s.RouteTable.Name(), NSG: s.NSG.Name()}
		if len(s.Prefixes) > 0 {
			info.Prefix = s.Prefixes[0].String()
		}
		info.Endpoints = filtersEndpoints(s)
		if g, ok := model.Get[*model.NSG](e, s.NSG); ok {
			for _, r := range g.Rules {
				switch {
				case r.Default:
				case r.Direction == model.Inbound:
					info.In++
				default:
					info.Out++
				}
			}
		}
		out = append(out, info)
	}
	return out
}

// filtersEndpoints reports whether the NSG of a subnet filters what reaches its private endpoints (AZ-PE-03).
func filtersEndpoints(s *model.Subnet) bool {
	return s.EndpointPolicies == model.PoliciesNSG || s.EndpointPolicies == model.PoliciesEnabled
}

// filters names the NSGs that packets of an endpoint pass: of its subnet, and of its NIC. Pods leave by their node.
func filters(e *model.Estate, m solver.Endpoint) []string {
	var out []string
	add := func(id model.ID) {
		if id != "" && !slices.Contains(out, id.Name()) {
			out = append(out, id.Name())
		}
	}
	subnets := []model.ID{m.Subnet}
	if m.Place.Kind == model.PlacePod {
		subnets = nil
		w, _ := model.Get[*model.Workload](e, m.Place.ID)
		if c, ok := model.Get[*model.Cluster](e, w.Cluster); ok {
			for _, pool := range c.Pools {
				if slices.Contains(m.Parts, pool.Name) {
					subnets = append(subnets, pool.PodSubnet, pool.Subnet)
				}
			}
		}
	}
	for _, id := range subnets {
		if s, ok := model.Get[*model.Subnet](e, id); ok && (m.Place.Kind != model.PlaceEndpoint || filtersEndpoints(s)) {
			add(s.NSG)
		}
	}
	if n, ok := model.Get[*model.NIC](e, m.Place.ID); ok {
		add(n.NSG)
	}
	return out
}

// controlBadges says how a control is set: the mode of a web application firewall, what a firewall inspects, the NSG of a NIC.
func controlBadges(e *model.Estate, m solver.Endpoint) []string {
	waf := func(id model.ID) []string {
		w, ok := model.Get[*model.WAFPolicy](e, id)
		switch {
		case id == "":
			return nil
		case !ok:
			return []string{"WAF " + id.Name()}
		case w.Enabled == model.Off:
			return []string{"WAF " + id.Name() + " disabled"}
		default:
			return []string{strings.TrimSpace("WAF " + w.Mode)}
		}
	}
	switch r, _ := model.Get[model.Resource](e, m.Place.ID); r := r.(type) {
	case *model.AppGateway:
		out := waf(r.WAFPolicy)
		add := func(id model.ID) {
			for _, text := range waf(id) {
				if !slices.Contains(out, text) {
					out = append(out, text)
				}
			}
		}
		for _, l := range r.Listeners {
			add(l.WAFPolicy)
		}
		for _, m := range r.PathMaps {
			for _, path := range m.Paths {
				add(path.WAFPolicy)
			}
		}
		if len(out) > 0 {
			return out
		}
		if r.LegacyWAF != nil && r.LegacyWAF.Enabled == model.On {
			return []string{"WAF " + r.LegacyWAF.Mode}
		}
		return []string{"no WAF"}
	case *model.FrontDoor:
		var out []string
		for _, w := range r.WAFs {
			for _, text := range waf(w.Policy) {
				if !slices.Contains(out, text) {
					out = append(out, text)
				}
			}
		}
		return out
	case *model.Firewall:
		out := []string{strings.TrimSpace(r.Tier)}
		intel := r.ThreatIntel
		if p, ok := model.Get[*model.FirewallPolicy](e, r.Policy); ok {
			intel = cmp.Or(p.ThreatIntel, intel)
			if p.IDPS != "" {
				out = append(out, "IDPS "+p.IDPS)
			}
		}
		if intel != "" {
			out = append(out, "threat intelligence "+intel)
		}
		return slices.DeleteFunc(out, func(s string) bool { return s == "" })
	case *model.NIC:
		if r.NSG != "" {
			return []string{"NSG " + r.NSG.Name()}
		}
	default:
	}
	return nil
}

// inputsHash is one hash over all inputs.
func inputsHash(files []model.InputFile) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %s\n", f.SHA256, f.Path)
	}
	return hex.EncodeToString(h.Sum(nil))
}
