package pci

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringfence/ringfence/diagram"
	"github.com/ringfence/ringfence/diagram/label"
	"github.com/ringfence/ringfence/model"
	"github.com/ringfence/ringfence/solver"
)

// What the report embeds at most, so that it opens at once whatever the size of the estate. It says what is left out.
const (
	exploredPairs = 60_000 // pairs of ends that can be asked about
	exploredWays  = 200    // flows between zones with a packet on its way
	exploredAlike = 2      // of these, of one kind between two zones
	exploredLines = 200    // lines of the diagrams, beside those of zones, with a packet
	exploredWalls = 400    // pairs of zones without a path, with what stops packets
	shownBlockers = 3
)

// Exploration is what the report can be asked beyond what stands in a result: answers for pairs of ends, and a packet on its way for each
// flow between zones and each line of a diagram. Making one takes time, and no other format needs it.
type Exploration struct {
	Answers *solver.Explored
	Ways    []Course
	Walls   []Wall
	Lines   []LineCourses
	Left    []string // what is left out, in sentences
}

// Course is a flow with a packet that shows it.
type Course struct {
	From, To    string
	Verdict     solver.Verdict
	Kind        solver.Kind
	Via         []string
	Services    []string
	Row         int // of the matrix, from 1; 0 where the flow is none between zones
	Witness     *solver.Witness
	Assumptions []solver.Assumption
	BlockedBy   []solver.Blocker // of a declared flow that is impossible
}

// Wall is two zones without a path, and what stops packets between them.
type Wall struct {
	From, To  string
	BlockedBy []solver.Blocker
	More      int // blockers that are not shown
}

// LineCourses leads from a line of a diagram to its flows.
type LineCourses struct {
	Element string
	Ways    []int // places in Exploration.Ways
}

// Explore answers ahead what a reader of the report may ask.
func Explore(s *solver.Solution, r *Result, d Diagrams) (*Exploration, error) {
	answers, err := s.Explore(solver.ExploreLimits{Pairs: exploredPairs, Packets: exploredWays, Alike: exploredAlike, Walls: exploredWalls})
	if err != nil {
		return nil, fmt.Errorf("answer questions ahead: %w", err)
	}
	x := &Exploration{Answers: answers}
	x.zones(r)
	if err := x.network(s, d.Network); err != nil {
		return nil, err
	}
	if err := x.dataFlows(s, d.DataFlow); err != nil {
		return nil, err
	}
	x.tell(r)
	return x, nil
}

// zones lists the flows between zones, and the pairs without any.
func (x *Exploration) zones(r *Result) {
	row := map[string]int{}
	key := func(src, dst string, v solver.Verdict, k solver.Kind, via []string) string {
		return fmt.Sprint(src, dst, v, k, via)
	}
	for i, m := range r.Matrix {
		row[key(m.Src, m.Dst, m.Verdict, m.Kind, m.Via)] = i + 1
	}
	zones := x.Answers.Zones
	with, flows, open := 0, 0, 0 // open: pairs of zones with a flow
	for _, p := range x.Answers.Pairs {
		if p.From >= zones || p.To >= zones {
			continue
		}
		from, to := x.Answers.Ends[p.From], x.Answers.Ends[p.To]
		for _, w := range p.Ways {
			if flows++; w.Shown {
				with++
				x.Ways = append(x.Ways, course(from, to, w, row[key(from, to, w.Verdict, w.Kind, w.Via)]))
			}
		}
		if len(p.Ways) > 0 {
			open++
		} else {
			n := min(shownBlockers, len(p.BlockedBy))
			x.Walls = append(x.Walls, Wall{from, to, p.BlockedBy[:n], len(p.BlockedBy) - n})
		}
	}
	if with < flows {
		x.Left = append(x.Left, fmt.Sprintf("%d of %s between zones have a packet on its way in this file, those of cardholder data first and at most %d of one kind between two zones.", with, count(flows, "flow"), exploredAlike))
	}
	if closed := zones*(zones-1) - open; closed > exploredWalls {
		x.Left = append(x.Left, fmt.Sprintf("Of %d of %s of zones without a path it is said what stands in the way.", len(x.Walls), count(closed, "pair")))
	}
}

func course(from, to string, w solver.ExploredWay, row int) Course {
	c := Course{From: from, To: to, Verdict: w.Verdict, Kind: w.Kind, Via: w.Via, Row: row, Witness: w.Witness, Assumptions: w.Assumptions}
	var list []solver.Packets
	for _, p := range w.Services {
		list = append(list, solver.Packets{Protocol: p.Protocol, DPort: p.DPort})
	}
	c.Services = label.Services(list)
	return c
}

// network leads from the lines of the network diagram to their flows: of two zones to those of the matrix, of other boxes to one packet.
func (x *Exploration) network(s *solver.Solution, figures []diagram.Figure) error {
	var questions []solver.FlowQuestion
	var lines []diagram.FigureLine
	for _, f := range figures {
		for _, l := range f.Lines {
			if ways, zones := x.between(l); zones {
				x.link(l.Element, ways...)
			} else if q, ok := questionOf(l); ok && len(questions) < exploredLines {
				questions, lines = append(questions, q), append(lines, l)
			}
		}
	}
	found, err := s.Examples(questions)
	if err != nil {
		return fmt.Errorf("find packets for the lines of the network diagram: %w", err)
	}
	for i, w := range found {
		if w == nil {
			continue
		}
		l := lines[i]
		x.Ways = append(x.Ways, course(shortList(l.From), shortList(l.To), *w, 0))
		x.link(l.Element, len(x.Ways)-1)
	}
	return nil
}

// between finds the flows of a line that joins two zones.
func (x *Exploration) between(l diagram.FigureLine) (ways []int, zones bool) {
	named := func(refs []string) bool {
		return len(refs) == 1 && slices.Contains(x.Answers.Ends[:x.Answers.Zones], refs[0])
	}
	if !named(l.From) || !named(l.To) {
		return nil, false
	}
	for i, w := range x.Ways {
		if w.From == l.From[0] && w.To == l.To[0] && lineOf(w) == l.Line {
			ways = append(ways, i)
		}
	}
	return ways, true
}

func lineOf(w Course) diagram.Line {
	switch {
	case w.Verdict == solver.Unknown:
		return diagram.UnknownLine
	case w.Kind == solver.Relayed:
		return diagram.RelayedLine
	default:
		return diagram.DirectLine
	}
}

func questionOf(l diagram.FigureLine) (solver.FlowQuestion, bool) {
	q := solver.FlowQuestion{From: l.From, To: l.To}
	switch l.Line {
	case diagram.DirectLine:
		q.Kind = solver.Direct
	case diagram.RelayedLine:
		q.Kind = solver.Relayed
	case diagram.UnknownLine:
		q.Unknown = true
	default:
		return q, false // no flow
	}
	return q, true
}

func (x *Exploration) link(element string, ways ...int) {
	if len(ways) > 0 {
		x.Lines = append(x.Lines, LineCourses{element, ways})
	}
}

// dataFlows asks about each line of the data-flow diagram what its leg says.
func (x *Exploration) dataFlows(s *solver.Solution, figures []diagram.Figure) error {
	for _, f := range figures {
		for _, l := range f.Lines {
			from, err := model.ParseSelectors(l.From)
			if err != nil {
				continue // a box that stands for something that nobody can ask for
			}
			to, err := model.ParseSelectors(l.To)
			if err != nil {
				continue
			}
			reach, err := s.Reach(from, to, servicesOf(l), false)
			if err != nil {
				continue // such as a name that the input does not hold
			}
			c := Course{
				From: reach.From, To: reach.To, Verdict: reach.Verdict, Kind: solver.Direct, Services: l.Services, Witness: reach.Witness,
				BlockedBy: reach.BlockedBy[:min(shownBlockers, len(reach.BlockedBy))],
			}
			if reach.Verdict == solver.Unknown {
				c.Assumptions = reach.Assumptions
			}
			if w := reach.Witness; w != nil && len(w.Legs) > 0 {
				c.Kind = solver.Relayed
				for _, leg := range w.Legs {
					c.Via = append(c.Via, leg.Relay)
				}
			}
			x.Ways = append(x.Ways, c)
			x.link(l.Element, len(x.Ways)-1)
		}
	}
	return s.Err()
}

// servicesOf reads the services of a line; nil, which is any, where one is a summary such as `tcp/* except 22`.
func servicesOf(l diagram.FigureLine) []model.PortService {
	var out []model.PortService
	for _, text := range l.Services {
		svc, err := model.ParsePortService(text)
		if err != nil {
			return nil
		}
		out = append(out, svc)
	}
	return out
}

// tell says what can be asked and what is left out.
func (x *Exploration) tell(r *Result) {
	a := x.Answers
	switch {
	case a.Left > 0:
		x.Left = append(x.Left, fmt.Sprintf("Only zones can be asked about: %s of the estate would be too many for one page.", count(a.Left, "subnet, workload or other endpoint")))
	case !a.Whole:
		x.Left = append(x.Left, fmt.Sprintf("One end of a question must be a zone: all pairs of %s would be too many for one page.", count(len(a.Ends), "end")))
	}
	for _, z := range r.Zones {
		if name := endOf(z.Name); !slices.Contains(a.Ends, name) {
			x.Left = append(x.Left, fmt.Sprintf("Zone %s has no member that sends or receives: nothing is proved about it.", z.Name))
		}
	}
}

// endOf is the selector of a zone.
func endOf(zone string) string {
	if zone == string(model.ZoneInternet) {
		return zone
	}
	return string(model.SelZone) + ":" + zone
}

// embedded is what the script of the report knows, as JSON. Names are short, as they repeat.
type embedded struct {
	Ends     []string          `json:"ends"`
	Zones    int               `json:"zones"`
	Whole    bool              `json:"whole"`
	Left     int               `json:"left"`
	Services [][]embeddedPorts `json:"services"`
	Ways     []embeddedWay     `json:"ways"`
	Pairs    [][]int           `json:"pairs"` // from, to, places in Ways
	Courses  []embeddedCourse  `json:"courses"`
	Walls    [][2]string       `json:"walls"` // ends, in the order of the elements wall-1, …
	Lines    map[string][]int  `json:"lines"` // element of a line: places in Courses
}

// embeddedPorts is protocols and port ranges.
type embeddedPorts struct {
	Protocol string   `json:"protocol"`
	DPort    []string `json:"dport"`
}

type embeddedWay struct {
	Kind     solver.Kind    `json:"kind"`
	Via      []string       `json:"via"`
	Verdict  solver.Verdict `json:"verdict"`
	Services int            `json:"services"` // place in Services
	More     bool           `json:"more"`     // Services has more than is embedded
}

// embeddedCourse stands at the element course-1, ….
type embeddedCourse struct {
	From     string         `json:"from"`
	To       string         `json:"to"`
	Kind     solver.Kind    `json:"kind"`
	Via      []string       `json:"via"`
	Verdict  solver.Verdict `json:"verdict"`
	Protocol string         `json:"protocol"` // of the last packet; empty without one
	Port     int            `json:"port"`
}

// embed turns an exploration into what the script reads. Ways that are alike stand there once.
func (x *Exploration) embed() embedded {
	a := x.Answers
	e := embedded{
		Ends: a.Ends, Zones: a.Zones, Whole: a.Whole, Left: a.Left,
		Services: [][]embeddedPorts{}, Ways: []embeddedWay{}, Pairs: [][]int{}, Courses: []embeddedCourse{}, Walls: [][2]string{}, Lines: map[string][]int{},
	}
	services, ways := map[string]int{}, map[string]int{}
	for _, p := range a.Pairs {
		row := []int{p.From, p.To}
		for _, w := range p.Ways {
			key := fmt.Sprint(w.Services)
			at, ok := services[key]
			if !ok {
				at = len(e.Services)
				services[key] = at
				list := []embeddedPorts{}
				for _, s := range w.Services {
					list = append(list, embeddedPorts(s))
				}
				e.Services = append(e.Services, list)
			}
			key = fmt.Sprint(w.Kind, w.Via, w.Verdict, at, w.Total)
			i, ok := ways[key]
			if !ok {
				i = len(e.Ways)
				ways[key] = i
				e.Ways = append(e.Ways, embeddedWay{w.Kind, orEmpty(w.Via), w.Verdict, at, w.Total > 0})
			}
			row = append(row, i)
		}
		if len(row) > 2 {
			e.Pairs = append(e.Pairs, row)
		}
	}
	for _, c := range x.Ways {
		n := embeddedCourse{From: c.From, To: c.To, Kind: c.Kind, Via: orEmpty(c.Via), Verdict: c.Verdict}
		if w := c.Witness; w != nil {
			last := w.Packet
			if len(w.Legs) > 0 {
				last = w.Legs[len(w.Legs)-1].Packet
			}
			n.Protocol, n.Port = last.Protocol, int(arrived(w, last).DPort)
		}
		e.Courses = append(e.Courses, n)
	}
	for _, w := range x.Walls {
		e.Walls = append(e.Walls, [2]string{w.From, w.To})
	}
	for _, l := range x.Lines {
		e.Lines[l.Element] = l.Ways
	}
	return e
}

// arrived is a packet as its target sees it: behind the last hop of its connection that rewrites the header.
func arrived(w *solver.Witness, sent solver.Packet) solver.Packet {
	hops := w.Hops
	if len(w.Legs) > 0 {
		hops = w.Legs[len(w.Legs)-1].Hops
	}
	for _, h := range slices.Backward(hops) {
		if h.Packet != nil {
			return *h.Packet
		}
	}
	return sent
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// courseView is a course as the report shows it.
type courseView struct {
	Course
	Connections []connection
}

func courseViews(list []Course) []courseView {
	var out []courseView
	for _, c := range list {
		out = append(out, courseView{c, connections(c.Witness)})
	}
	return out
}

// wallAt numbers the walls by their ends, from 1.
func wallAt(list []Wall) map[[2]string]int {
	at := map[[2]string]int{}
	for i, w := range list {
		at[[2]string{w.From, w.To}] = i + 1
	}
	return at
}

// marks are what a part of the report is filtered by.
type marks struct {
	MarkVerdict      string // fail, unknown, pass or note; of a flow reachable or unknown
	MarkRequirements string // numbers, each between spaces
	MarkZones        string // places in Result.Zones, each between spaces
}

func marksOf(verdict string, requirements []string, zones []int) marks {
	m := marks{MarkVerdict: verdict, MarkZones: " "}
	if len(requirements) > 0 {
		m.MarkRequirements = " " + strings.Join(requirements, " ") + " "
	}
	for _, z := range zones {
		m.MarkZones += strconv.Itoa(z) + " "
	}
	return m
}

// requirementsOf reads the requirements of an assertion, without their letters: `1.3.4-a, 1.2.1`.
func requirementsOf(text string) []string {
	var out []string
	for _, r := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' || c == ';' }) {
		if r, _, _ = strings.Cut(r, "-"); r != "" && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// zonesOf lists the zones that something speaks of, by their place in Result.Zones.
type zonesOf struct {
	place map[string]int // ends of flows, and `zone:NAME`
}

func newZonesOf(r *Result) zonesOf {
	z := zonesOf{map[string]int{}}
	for i, zone := range r.Zones {
		z.place[endOf(zone.Name)] = i
		for _, m := range zone.Members {
			if _, taken := z.place[m]; !taken {
				z.place[m] = i
			}
		}
		for _, p := range zone.Prefixes {
			z.place[string(model.SelCIDR)+":"+p] = i
		}
	}
	return z
}

func (z zonesOf) add(out []int, ends ...string) []int {
	for _, e := range ends {
		if i, ok := z.place[e]; ok && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, cmp.Compare[int])
	return out
}

func (z zonesOf) flows(out []int, list []solver.Flow) []int {
	for _, f := range list {
		out = z.add(out, f.From, f.To)
	}
	return out
}

// assertion lists the zones of an assertion: those that it names, and those of its violations.
func (z zonesOf) assertion(a solver.AssertionResult) []int {
	var out []int
	for _, sel := range slices.Concat(a.Assertion.From, a.Assertion.To) {
		if !sel.Not {
			out = z.add(out, sel.Text)
		}
	}
	return z.flows(out, a.Violations)
}

// item lists the zones of an item: those of its subjects and of the flows that are its faults.
func (z zonesOf) item(x Item) []int {
	var out []int
	for _, p := range x.Evidence {
		for _, f := range p.Faults {
			out = z.flows(z.add(out, f.Subject), f.Flows)
		}
	}
	return out
}
