package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/diagram"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/pci"
	"github.com/ringfence/ringfence/solver"
)

func diagramCommand() *cli.Command {
	return &cli.Command{
		Name: "diagram", Usage: "draw the network or the cardholder data flows", ArgsUsage: "network|dataflow [PROJECT]",
		Flags: append(append(loadFlags(), outputFlag()),
			&cli.StringFlag{Name: "check", Usage: "exit 1 with a short difference when `FILE` is not what would be drawn now"},
			formatFlag("svg", "dot", "mermaid", "json"),
		),
		Action: runDiagram,
	}
}

func runDiagram(c *cli.Context) error {
	f, err := format(c, "svg", "dot", "mermaid", "json")
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
	s, err := solve(c, 1, solver.Options{})
	if err != nil {
		return err
	}
	in, err := diagramInput(s, nil)
	if err != nil {
		return err
	}
	d, err := draw(diagram.Kind(kind), in)
	if err != nil {
		return err
	}
	data, err := render(d, f)
	if err != nil {
		return err
	}
	if name := c.String("check"); name != "" {
		return checkDocument(name, data)
	}
	return emit(c, data)
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

func render(d *diagram.Diagram, format string) ([]byte, error) {
	switch format {
	case "svg":
		return d.SVG()
	case "dot":
		return d.DOT(), nil
	case "mermaid":
		return d.Mermaid(), nil
	default:
		return d.JSON()
	}
}

// sheets are the pictures of a run.
type sheets struct {
	network, dataflow []byte       // whole documents
	panels            pci.Diagrams // each panel by itself, for the report
}

// drawAll draws both diagrams of a run.
func drawAll(s *solver.Solution, r *pci.Result) (*sheets, error) {
	in, err := diagramInput(s, r)
	if err != nil {
		return nil, err
	}
	out := &sheets{}
	for _, kind := range []diagram.Kind{diagram.NetworkDiagram, diagram.DataFlowDiagram} {
		d, err := draw(kind, in)
		if err != nil {
			return nil, fmt.Errorf("draw the %s diagram: %w", kind, err)
		}
		whole, err := d.SVG()
		if err != nil {
			return nil, fmt.Errorf("draw the %s diagram: %w", kind, err)
		}
		var panels [][]byte
		for _, sheet := range d.Sheets() {
			svg, err := sheet.SVG()
			if err != nil {
				return nil, fmt.Errorf("draw the %s diagram: %w", kind, err)
			}
			panels = append(panels, svg)
		}
		if kind == diagram.NetworkDiagram {
			out.network, out.panels.Network = whole, panels
		} else {
			out.dataflow, out.panels.DataFlow = whole, panels
		}
	}
	return out, nil
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
		for _, m := range z.Members {
			member := memberInfo(p, m)
			if z.Zone.Kind.External() && member.Label == "" {
				member.Label = blocks(z.Zone)
			}
			info.Members = append(info.Members, member)
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
	for _, f := range flows {
		info := diagram.FlowInfo{Name: f.Name, Data: f.Data, InTransit: f.InTransit, AtRest: f.AtRest}
		for _, l := range f.Legs {
			info.Legs = append(info.Legs, diagram.LegInfo{From: l.From, To: l.To, Service: l.Service, Verdict: l.Verdict, Via: l.Via, Reason: l.Reason})
		}
		in.Flows = append(in.Flows, info)
	}
	for _, st := range p.Intent.Stores {
		in.Stores = append(in.Stores, diagram.StoreInfo{Ref: st.At.Text, Data: st.Data, AtRest: st.AtRest})
	}
	return in, nil
}

// blocks prints the address blocks of an external zone.
func blocks(z model.Zone) string {
	var out []string
	for _, m := range z.Members {
		if m.Prefix.IsValid() {
			out = append(out, m.Prefix.String())
		}
	}
	return strings.Join(out, ", ")
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
	return info
}

// inputsHash is one hash over all inputs.
func inputsHash(files []model.InputFile) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %s\n", f.SHA256, f.Path)
	}
	return hex.EncodeToString(h.Sum(nil))
}
