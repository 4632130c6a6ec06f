package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

func matrixCommand() *cli.Command {
	return &cli.Command{
		Name: "matrix", Usage: "all pairs of zones, subnets, NICs, endpoints or workloads", ArgsUsage: "[PROJECT]",
		Flags: solveFlags(
			&cli.StringFlag{Name: "by", Usage: "group endpoints by `WHAT`: zone, subnet, nic, endpoint, workload (default: zone, or subnet without an intent file)"},
			&cli.BoolFlag{Name: "exposure", Usage: "with rows for pods that do not exist yet, and for the entire cluster (by workload)"},
			&cli.StringSliceFlag{Name: "from", Usage: "a corner in detail: senders in `SELECTOR` alone, with the rules that let their packets pass (with --to; repeatable)"},
			&cli.StringSliceFlag{Name: "to", Usage: "targets in `SELECTOR` alone (with --from; repeatable)"},
			serviceFlag(), formatFlag("text", "json", "csv"),
		),
		Action: runMatrix,
	}
}

type matrixOutput struct {
	Schema      string          `json:"schema"`
	By          solver.By       `json:"by"`
	Rows        []solver.Row    `json:"rows"`
	ServiceTags *solver.TagList `json:"serviceTags,omitempty"`

	Assumptions []solver.Assumption `json:"assumptions,omitempty"` // of --exposure
	Unzoned     []string            `json:"unzoned,omitempty"`     // by zone: endpoints of the estate that are in none
	Variant     string              `json:"variant,omitempty"`     // of the project, in which the question was asked
}

func runMatrix(c *cli.Context) error {
	f, err := format(c, "text", "json", "csv")
	if err != nil {
		return err
	}
	svc, err := services(c)
	if err != nil {
		return err
	}
	by := solver.By(c.String("by"))
	if by == "" {
		by = solver.ByZone
		if len(c.StringSlice("i")) > 0 {
			by = solver.BySubnet
		}
		if c.Bool("exposure") {
			by = solver.ByWorkload
		}
	}
	if c.Bool("exposure") && by != solver.ByWorkload {
		return usage("--exposure: want --by workload: pods that do not exist yet are no %s", by)
	}
	corner := c.IsSet("from") || c.IsSet("to")
	if corner && c.Bool("exposure") {
		return usage("--exposure speaks of pods that do not exist yet: no selector of --from and --to names them")
	}
	var ends [2][]model.Selector
	for i, name := range []string{"from", "to"} {
		if corner {
			if ends[i], err = selectors(c, name); err != nil {
				return err
			}
		}
	}
	p, err := load(c, 0)
	if err != nil {
		return err
	}
	o := solveOptions(c, solver.Options{EachNIC: by == solver.ByNIC, Questions: slices.Concat(ends[0], ends[1])})
	var rows []solver.Row
	var notes []solver.Assumption
	var unzoned []string
	if corner {
		rows, err = cornerOf(p, o, by, ends, svc, c.Bool("direct"))
	} else if by == solver.ByWorkload {
		rows, notes, err = solver.WorkloadMatrix(p, o, solver.WorkloadQuestion{Services: svc, Direct: c.Bool("direct"), Exposure: c.Bool("exposure")})
	} else {
		rows, unzoned, err = matrixOf(p, o, by, svc, c.Bool("direct"))
	}
	if err != nil {
		return err
	}
	tags := solver.TagListOf(p)
	switch f {
	case "json":
		return emitBy(c, func(w io.Writer) error {
			return writeMatrix(w, matrixOutput{"ringfence/matrix/v1", by, rows, tags, notes, unzoned, c.String("variant")})
		})
	case "csv":
		return emitBy(c, func(w io.Writer) error { return writeMatrixCSV(w, rows) })
	}
	return emitAs(c, f, nil, func(p *printer) {
		printVariant(p, c)
		printMatrix(p, rows)
		if len(unzoned) > 0 {
			p.line("in no zone, so in no row: %s", model.Visible(strings.Join(unzoned, ", ")))
		}
		printAssumptions(p, notes)
		printTagList(p, tags)
	})
}

// matrixOf is the matrix of a grouping that the solver's graph answers; of zones with the endpoints that are in none.
func matrixOf(p *model.Project, o solver.Options, by solver.By, svc []model.PortService, direct bool) (rows []solver.Row, unzoned []string, err error) {
	s, err := solver.Solve(p, o)
	if err != nil {
		return nil, nil, err
	}
	if rows, err = s.Matrix(by, svc, direct); err != nil {
		return nil, nil, usage("%v", err)
	}
	if by == solver.ByZone {
		_, list := s.Zones()
		for _, e := range list {
			unzoned = append(unzoned, e.Ref)
		}
	}
	return rows, unzoned, nil
}

// cornerOf is the part of a matrix between two ends, with the rules that let packets pass.
func cornerOf(p *model.Project, o solver.Options, by solver.By, ends [2][]model.Selector, svc []model.PortService, direct bool) ([]solver.Row, error) {
	s, err := solver.Solve(p, o)
	if err != nil {
		return nil, err
	}
	rows, err := s.MatrixBetween(by, ends[0], ends[1], svc, direct)
	if err != nil {
		return nil, usage("%v", err)
	}
	return rows, nil
}

// writeMatrix writes a matrix as JSON with a line for each row: there may be a million. What rows share is encoded once.
func writeMatrix(w io.Writer, m matrixOutput) error {
	b := bufio.NewWriterSize(w, 1<<16)
	fmt.Fprintf(b, "{\n  \"schema\": %q,\n  \"by\": %q,\n  \"rows\": [", m.Schema, string(m.By))
	e := newRowEncoder()
	comma, end := "", "]"
	for _, r := range m.Rows {
		line, err := e.row(r)
		if err != nil {
			return fmt.Errorf("encode the result: %w", err)
		}
		fmt.Fprintf(b, "%s\n    %s", comma, line)
		comma, end = ",", "\n  ]"
	}
	fmt.Fprintf(b, "%s", end)
	for _, more := range []struct {
		key   string
		value any
		has   bool
	}{{"serviceTags", m.ServiceTags, m.ServiceTags != nil}, {"assumptions", m.Assumptions, len(m.Assumptions) > 0}, {"unzoned", m.Unzoned, len(m.Unzoned) > 0}, {"variant", m.Variant, m.Variant != ""}} {
		if more.has {
			text, err := e.encode(more.value)
			if err != nil {
				return fmt.Errorf("encode the result: %w", err)
			}
			fmt.Fprintf(b, ",\n  %q: %s", more.key, text)
		}
	}
	fmt.Fprintf(b, "\n}\n")
	return b.Flush() // the first error of all writes
}

// writeMatrixCSV writes a matrix for spreadsheets, a line for each set of packets.
func writeMatrixCSV(w io.Writer, rows []solver.Row) error {
	b := csv.NewWriter(w)
	line := func(cells ...string) {
		for i := range cells {
			cells[i] = model.Cell(cells[i])
		}
		_ = b.Write(cells) // Error has it
	}
	ruled := slices.ContainsFunc(rows, func(r solver.Row) bool { return len(r.Rules) > 0 })
	head := []string{"src", "dst", "verdict", "kind", "via", "protocol", "sport", "dport", "addresses", "names", "tags"}
	if ruled {
		head = append(head, "rules")
	}
	line(head...)
	list := func(l []string) string { return strings.Join(l, ", ") }
	for _, r := range rows {
		for _, p := range r.Packets {
			cells := []string{r.Src, r.Dst, r.Verdict.String(), string(r.Kind), list(r.Via), p.Protocol, list(p.SPort), list(p.DPort), list(p.Dst), list(p.Names), list(p.Tags)}
			if ruled {
				rules := make([]string, len(r.Rules))
				for i, x := range r.Rules {
					rules[i] = x.Rule + " (" + x.Source + ")"
				}
				cells = append(cells, list(rules))
			}
			line(cells...)
		}
	}
	b.Flush()
	if err := b.Error(); err != nil {
		return fmt.Errorf("write the matrix: %w", err)
	}
	return nil
}

// rowEncoder encodes rows as encoding/json does, and keeps what many of them have in common: names, and lists of packets that share their
// memory.
type rowEncoder struct {
	b       bytes.Buffer
	value   *json.Encoder
	scratch bytes.Buffer
	names   map[string][]byte
	packets map[*solver.Packets][]byte
}

func newRowEncoder() *rowEncoder {
	e := &rowEncoder{names: map[string][]byte{}, packets: map[*solver.Packets][]byte{}}
	e.value = json.NewEncoder(&e.scratch)
	e.value.SetEscapeHTML(false)
	return e
}

// encode is a value as JSON.
func (e *rowEncoder) encode(v any) ([]byte, error) {
	e.scratch.Reset()
	err := e.value.Encode(v)
	return bytes.TrimSuffix(e.scratch.Bytes(), []byte("\n")), err
}

// row is one row; it is valid until the next call.
func (e *rowEncoder) row(r solver.Row) ([]byte, error) {
	if len(r.Packets) == 0 {
		return e.encode(r)
	}
	var errs []error
	name := func(s string) []byte {
		text, ok := e.names[s]
		if !ok {
			v, err := e.encode(s)
			errs = append(errs, err)
			text = bytes.Clone(v)
			e.names[s] = text
		}
		return text
	}
	packets, ok := e.packets[&r.Packets[0]]
	if !ok {
		v, err := e.encode(r.Packets)
		errs = append(errs, err)
		packets = bytes.Clone(v)
		e.packets[&r.Packets[0]] = packets
	}
	e.b.Reset()
	e.b.WriteString(`{"src":`)
	e.b.Write(name(r.Src))
	e.b.WriteString(`,"dst":`)
	e.b.Write(name(r.Dst))
	e.b.WriteString(`,"verdict":`)
	e.b.Write(name(r.Verdict.String()))
	e.b.WriteString(`,"kind":`)
	e.b.Write(name(string(r.Kind)))
	if len(r.Via) > 0 {
		v, err := e.encode(r.Via)
		errs = append(errs, err)
		e.b.WriteString(`,"via":`)
		e.b.Write(v)
	}
	e.b.WriteString(`,"packets":`)
	e.b.Write(packets)
	if r.Total > 0 {
		fmt.Fprintf(&e.b, `,"total":%d`, r.Total)
	}
	if len(r.Rules) > 0 {
		v, err := e.encode(r.Rules)
		errs = append(errs, err)
		e.b.WriteString(`,"rules":`)
		e.b.Write(v)
	}
	e.b.WriteByte('}')
	return e.b.Bytes(), errors.Join(errs...)
}

// shownRules is how many rules of a pair are printed.
const shownRules = 8

func printMatrix(p *printer, rows []solver.Row) {
	if len(rows) == 0 {
		p.line("no pair can open anything: proved for every packet")
		return
	}
	src := ""
	certain := map[string]bool{}
	for _, r := range rows {
		services := few(label.Services(r.Packets))
		key := fmt.Sprint(r.Src, r.Dst, services, r.Kind, r.Via)
		if r.Verdict == solver.Unknown && certain[key] {
			continue // certain for some ends of the pair, possible for others: said once
		}
		certain[key] = true
		if r.Src != src {
			src = r.Src
			p.line("%s", model.Visible(src))
		}
		note := ""
		if r.Verdict == solver.Unknown {
			note = "  " + p.open("possible, not certain")
		}
		p.line("  -> %s  %s%s%s", model.Visible(r.Dst), model.Visible(services), passing(r), note)
		for i, x := range r.Rules {
			if i == shownRules {
				p.line("       … and %d more rules (--format json has all)", len(r.Rules)-i)
				break
			}
			p.line("       %s %s: %s  %s", model.Visible(x.At), x.Stage, model.Visible(x.Rule), p.dim(model.Visible(x.Source)))
		}
	}
	p.line("")
	p.line("%s", p.dim("pairs that are not listed are proved unreachable"))
}

// passing says what the packets of a row pass.
func passing(r solver.Row) string {
	if r.Kind == solver.Direct {
		return viaText(r.Via)
	}
	return "  relayed" + viaText(r.Via)
}
