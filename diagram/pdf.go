package diagram

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// PDF draws the diagram on pages of A3, landscape, for paper. Its fonts are embedded. What it shows stands in its metadata as text, from
// which Check reads it.
func (d *Diagram) PDF() ([]byte, error) {
	pages, err := d.pages()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics()
	if err != nil {
		return nil, err
	}
	const perPixel = 72.0 / 96
	f := fpdf.NewCustom(&fpdf.InitType{OrientationStr: "L", UnitStr: "pt", Size: fpdf.SizeType{Wd: pageHeight * perPixel, Ht: pageWidth * perPixel}})
	day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // a date that says nothing, where no day is stated
	if t, err := time.Parse(time.DateOnly, d.Stamp.AsOf); err == nil {
		day = t
	}
	f.SetCreationDate(day)
	f.SetModificationDate(day)
	f.SetCatalogSort(true)
	f.SetProducer(d.Stamp.Tool, true)
	f.SetTitle(d.Title+": "+d.Project, true)
	f.SetLang("en")
	f.SetXmpMetadata(d.xmp())
	f.SetAutoPageBreak(false, 0)
	f.AddUTF8FontFromBytes("go", "", goregular.TTF)
	f.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	look := looks()
	for _, s := range pages {
		f.AddPage()
		f.TransformBegin()
		f.TransformScale(100*perPixel, 100*perPixel, 0, 0)
		if note := m.lacking(s); note != "" {
			s.add(textItem{at: point{margin, s.h - 8}, face: plain(smallSize), class: "soft", text: note})
		}
		for _, x := range s.items {
			drawPDF(f, m, look, x)
		}
		f.TransformEnd()
	}
	var b bytes.Buffer
	if err := f.Output(&b); err != nil {
		return nil, fmt.Errorf("write the %s diagram as PDF: %w", d.Kind, err)
	}
	return b.Bytes(), nil
}

// looks finds styles by class.
func looks() map[string]style {
	out := map[string]style{}
	for _, s := range styles() {
		out[s.class] = s
	}
	return out
}

func styleOf(look map[string]style, class string) style {
	name, thick, _ := strings.Cut(class, " ")
	s := look[name]
	switch thick {
	case "scope":
		s.width = scopeWidth
	case "moved":
		s.width = movedWidth
	case "pale":
		s.width, s.stroke = paleWidth, pale()
	}
	return s
}

func drawPDF(f *fpdf.Fpdf, m *metrics, look map[string]style, x item) {
	switch x := x.(type) {
	case rectItem:
		if mode := pdfStyle(f, styleOf(look, x.class), x.zoom); mode != "" {
			f.RoundedRect(x.x, x.y, x.w, x.h, x.r, "1234", mode)
		}
	case pathItem:
		mode := pdfStyle(f, styleOf(look, x.class), x.zoom)
		if mode == "" {
			return
		}
		for _, s := range x.steps {
			switch p := s.p; s.op {
			case 'M':
				f.MoveTo(p[0].x, p[0].y)
			case 'L':
				f.LineTo(p[0].x, p[0].y)
			case 'C':
				f.CurveBezierCubicTo(p[0].x, p[0].y, p[1].x, p[1].y, p[2].x, p[2].y)
			case 'Z':
				f.ClosePath()
			}
		}
		f.DrawPath(mode)
	case textItem:
		bold := ""
		if x.face.bold {
			bold = "B"
		}
		r, g, b := rgb(styleOf(look, x.class).fill.light)
		f.SetTextColor(int(r), int(g), int(b))
		f.SetFont("go", bold, x.face.size)
		f.Text(x.left(m), x.at.y, m.printable(x.text))
	case openItem, closeItem:
	}
}

// pdfStyle sets pen and brush and returns how fpdf is to draw: D, F, both, or not at all.
func pdfStyle(f *fpdf.Fpdf, s style, zoom float64) string {
	mode := ""
	if fill := s.fill.light; fill != "none" && fill != "" {
		r, g, b := rgb(fill)
		f.SetFillColor(int(r), int(g), int(b))
		mode += "F"
	}
	if stroke := s.stroke.light; stroke != "none" && stroke != "" {
		k := cmp.Or(zoom, 1)
		r, g, b := rgb(stroke)
		f.SetDrawColor(int(r), int(g), int(b))
		f.SetLineWidth(s.width * k)
		dash := make([]float64, len(s.dash))
		for i, d := range s.dash {
			dash[i] = d * k
		}
		f.SetDashPattern(dash, 0)
		mode += "D"
	}
	return mode
}

// left is where a text begins.
func (x textItem) left(m *metrics) float64 {
	switch x.anchor {
	case centred:
		return x.at.x - m.width(x.text, x.face)/2
	case fromRight:
		return x.at.x - m.width(x.text, x.face)
	default:
		return x.at.x
	}
}

// rgb reads #rrggbb.
func rgb(text string) (r, g, b uint8) {
	if _, err := fmt.Sscanf(text, "#%02x%02x%02x", &r, &g, &b); err != nil {
		return 0, 0, 0 // INVARIANT: the colours of styles are well-formed
	}
	return r, g, b
}

// lacking says what a box in the place of a character means, where a drawing has one; “ where it has none.
func (m *metrics) lacking(s *scene) string {
	for _, x := range s.items {
		if t, ok := x.(textItem); ok && !m.knows(t.text) {
			return string(missing) + " stands for a character that the built-in font lacks; the SVG and the JSON have it."
		}
	}
	return ""
}

// missing stands in drawings for a character that their font lacks.
const missing = '□'

// printable has a box in place of every character that the built-in font lacks.
func (m *metrics) printable(text string) string {
	if m.knows(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if m.lacks[r] {
			return missing
		}
		return r
	}, text)
}

// xmp is the metadata of a PDF: its title, and what it shows in words.
func (d *Diagram) xmp() []byte {
	var b bytes.Buffer
	b.WriteString("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">")
	b.WriteString("<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n")
	fmt.Fprintf(&b, "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">%s</rdf:li></rdf:Alt></dc:title>\n", escapeXML(d.Title+": "+d.Project))
	b.WriteString("<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">\n")
	for _, line := range d.words() {
		b.WriteString(escapeXML(line) + "\n")
	}
	b.WriteString("</rdf:li></rdf:Alt></dc:description>\n</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>\n")
	return b.Bytes()
}
