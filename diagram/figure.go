package diagram

// Figure is one panel for a page that has text and tables of its own: the picture without its table, the flows in words, and what each
// line joins, so that the page can lead from a line to what is known of it.
type Figure struct {
	Title string
	SVG   []byte   // as [Diagram.SVG] draws the panel, less the table
	Head  []string // of the flows
	Rows  []FigureRow
	Lines []FigureLine // the lines that are drawn, in the order of their elements
}

// FigureRow is one row of the flows of a figure.
type FigureRow struct {
	Cells []string
	Line  string // the element of the flow; empty where it is not drawn by itself, and in its further rows
}

// FigureLine is one line of a figure.
type FigureLine struct {
	Element  string   // its ID in the SVG
	From, To []string // references of what its ends stand for
	Line     Line
	Services []string
	Count    int // of a bundle: how many flows it stands for
}

// Figures draws every panel by itself.
func (d *Diagram) Figures() ([]Figure, error) {
	var out []Figure
	for _, sheet := range d.Sheets() {
		s, err := compose(sheet, true)
		if err != nil {
			return nil, err
		}
		p := &sheet.Panels[0]
		f := Figure{Title: p.Title, SVG: sheet.svg(s, false)}
		for _, e := range p.lines() {
			l := FigureLine{Element: element(d.Kind, p, e), From: p.standsFor(e.From), To: p.standsFor(e.To), Line: e.Line, Count: e.Count}
			for _, w := range e.Ways {
				l.Services = append(l.Services, w.Services...)
			}
			f.Lines = append(f.Lines, l)
		}
		g := p.table(d.Kind)
		f.Head = g.head
		for i, cells := range g.rows {
			row := FigureRow{Cells: cells}
			if e := p.Edges[g.edges[i]]; e.Drawn && (i == 0 || g.edges[i-1] != g.edges[i]) {
				row.Line = element(d.Kind, p, e)
			}
			f.Rows = append(f.Rows, row)
		}
		out = append(out, f)
	}
	return out, nil
}

// standsFor lists the references of what an end of a line stands for.
func (p *Panel) standsFor(id string) []string {
	for _, n := range p.Nodes {
		if n.ID == id && len(n.Stands) > 0 {
			return n.Stands
		}
	}
	return []string{p.refOf(id)}
}
